/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When culling happens: listens for the kernel's demand, starts a cycle, and where a cycle cannot
 * free what is wanted says so once and backs off until objects are let go of. What a cycle culls
 * is decided in cull.c. Only the event loop.
 */
#pragma once

#include "binding.h"
#include "status.h"
#include "worker.h"

struct culler;

struct culler_owner {
	void (*changed)(void *data); /* the status did */
	void (*dead)(void *data);    /* a cycle found the cache dead */
	void (*idle)(void *data);    /* a cycle ended after culler_stop() */
	/* The device's state was read, which nobody else will see: may be NULL. */
	void (*seen)(void *data, const struct device_state *state);
	void *data;
};

/* The worker and the status are the caller's. */
int culler_new(struct culler **ret, struct event_base *base, struct worker *worker,
	       struct status *status, const struct culler_owner *owner);
struct culler *culler_free(struct culler *c); /* returns NULL */

/* The binding must stay until the worker is idle again after culler_stop(), which stops no cycle.
 */
int culler_start(struct culler *c, const struct binding *binding, const struct config *config);
void culler_stop(struct culler *c);

/* Somebody else read the device's state: what was let go of may end a stall. */
void culler_seen(struct culler *c, const struct device_state *state);

/* The worker was busy with something else: the demand may have been raised meanwhile. */
void culler_look(struct culler *c);
