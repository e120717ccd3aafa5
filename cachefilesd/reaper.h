/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the graveyard is emptied: after binding and whenever something is put into it, in a worker
 * of its own, so that a large grave delays no cull. How is in graveyard.c. Only the event loop.
 */
#pragma once

#include "binding.h"
#include "status.h"
#include "worker.h"

struct reaper;

/* idle is called in the event loop when a run ends after reaper_stop(). */
int reaper_new(struct reaper **ret, struct event_base *base, struct status *status, worker_fn idle,
	       void *data);
struct reaper *reaper_free(struct reaper *r); /* returns NULL */

/* The binding must stay until reaper_busy() is false again after reaper_stop(). */
int reaper_start(struct reaper *r, const struct binding *binding);
void reaper_stop(struct reaper *r);
bool reaper_busy(const struct reaper *r);

/* Empties the graveyard now, for where the kernel does not tell of changes. */
void reaper_run(struct reaper *r);
bool reaper_is_told(const struct reaper *r);

enum worker_health reaper_health(struct reaper *r, uint64_t limit_ms);
