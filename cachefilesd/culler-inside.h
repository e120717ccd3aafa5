/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The culler's state, for culler.c and culler-asks.c; nobody else includes it.
 */
#pragma once

#include "culler.h"
#include "lookout.h"

struct culler {
	struct event_base *base;
	struct worker *worker;
	struct status *status;
	struct culler_owner owner;

	const struct binding *binding; /* NULL: stopped */
	const struct store *store;     /* its; the worker may be at it when we stop */
	const struct config *config;
	struct cull_cycle cycle;
	enum culler_task task;
	uint64_t cycles; /* begun */
	struct volumes volumes;
	struct asks asks;
	struct selection selection; /* the worker's while it is busy with a cycle */
	struct rules *cycle_rules;  /* that the cycle in hand holds */
	struct lookout lookout;
	uint64_t stall_ms, recheck_ms;
	unsigned int futile;
	uint64_t released_blocks, released_files; /* since the stall began */

	struct event *wanted;	/* the device is writable: the kernel wants space */
	struct event *released; /* the device is readable; listened to while stalled. NULL: somebody
				   else listens always, and calls culler_seen() */
	struct event *timer;	/* the next look or cycle */
	struct event *asked;	/* for an order or a scan */
	struct event *gauged;	/* time to look at the space between ticks */
};
