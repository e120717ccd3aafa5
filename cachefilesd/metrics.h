/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics: OpenMetrics text, or the older text format of Prometheus for those whose Accept asks for
 * text/plain and not for OpenMetrics. One table names them all; the manual is checked against it.
 * Served at /metrics by the control socket and, if the directive "metrics" says so, at a place of
 * their own. Only the event loop.
 */
#pragma once

#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>

#include "cache.h"

#define METRICS_CONNECTIONS 16

/* The whole text; false: memory ran out. */
bool metrics_write(struct cache *cache, bool openmetrics, FILE *to);
void metrics_answer(struct cache *cache, struct evhttp_request *request);

/* Name as it is sampled, or NULL behind the last. */
const char *metrics_name(size_t i);

struct metrics;
/* Serves them at config->metrics. */
int metrics_new(struct metrics **ret, struct event_base *base, const struct config *config,
		struct cache *cache);
struct metrics *metrics_free(struct metrics *m); /* returns NULL */
