/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When culling happens: listens for the kernel's demand, starts a cycle, and where a cycle cannot
 * free what is wanted says so once and backs off until objects are let go of. Orders and scans that
 * somebody asks for come in between, one at a time; so do quotas and rules, see gauge.h. What a
 * cycle culls is decided in cull.c. Only the event loop.
 */
#pragma once

#include "asks.h"
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

/*
 * Has an order carried out as soon as the worker is free; at any time while a cache is bound, with
 * nocull as well. -EINVAL: the order asks for nothing; -EBUSY: another one is not finished;
 * -ENOTCONN: no cache is bound. The order is copied. done is called in the event loop, later.
 */
int culler_order(struct culler *c, const struct cull_order *order, culler_done_fn done, void *data);

/* Ends the order in hand early, or takes back the one that waits; done is called. */
void culler_cancel_order(struct culler *c);

/*
 * Walks the tree without culling, for culler_volumes(). Those who ask while a scan is in hand or
 * waits share it: -EBUSY comes only when more do than the small table of waiters holds. Any cycle
 * that scans after the call answers as well. -ENOTCONN as above.
 */
int culler_scan(struct culler *c, culler_done_fn done, void *data);

/*
 * What the last scan found, whatever it was made for; volumes->taken tells when: 0 before the first
 * one. Good until the event loop goes on.
 */
const struct volumes *culler_volumes(const struct culler *c);

/* What is being done, and what it has come to so far. */
enum culler_task {
	CULLER_IDLE,
	CULLER_SCANS,	/* for culler_scan() */
	CULLER_CHOOSES, /* what the kernel will soon want to be culled */
	CULLER_CULLS,	/* for the kernel */
	CULLER_TIDIES,	/* for quotas and rules */
	CULLER_OBEYS,	/* an order */
};
struct culler_view {
	enum culler_task task;
	uint64_t cycle; /* number of the cycle in hand, or of the last one; from 1 */
	bool order_waits;
	uint64_t wanted_bytes, wanted_files; /* of this cycle, at its begin; UINT64_MAX: all */
	uint64_t scanned_files;
	uint64_t culled_bytes, culled_files;
	uint64_t busy; /* found in use and left alone */
};
void culler_look_at(const struct culler *c, struct culler_view *ret);

/*
 * What the cache holds, by the last scan and by how the free space has changed until the last look
 * at it, which was at *ret_ms of now_ms(). Before the first scan it is not known.
 */
struct cull_usage culler_usage(const struct culler *c, uint64_t *ret_ms);

/*
 * A look at the free space, in the worker and with each of its probes: what quotas and the choice
 * ahead go by. culler_look() makes use of it afterwards.
 */
void culler_sample(struct culler *c);

/* The worker was busy with something else: the demand may have been raised meanwhile. */
void culler_look(struct culler *c);
