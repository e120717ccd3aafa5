/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bodies of requests: what may be in them, and what it means. Whoever may send them is root, but
 * mistakes are told, not guessed at. Nothing here logs; no state: fuzzed as it is.
 */
#pragma once

#include <json-c/json.h>

#include "cull.h"

/* One JSON object with nothing but blanks behind it, or NULL. */
struct json_object *orders_parse(const char *text, size_t length);

/*
 * NULL stands for an object without members. 0, or -EINVAL with the reason: a member that is not
 * known, or of the wrong type, or out of range.
 */
int orders_read_cull(struct json_object *body, struct cull_order *ret, char *why, size_t size);
int orders_read_yield(struct json_object *body, uint64_t *ret_seconds, char *why, size_t size);
