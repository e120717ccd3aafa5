/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done when somebody wants to freeze, remount or unmount the cache's filesystem: the
 *policy.
 *
 *	bound → yielding → yielded → (rebinding) → bound
 *
 * On a kernel with the claim each refusal counts up in the device's state; with the policy "yield"
 * the cache is let go of and bound again as soon as the kernel takes it: it says EAGAIN for as long
 * as the filesystem is frozen, EROFS while it is read-only. An administrator who says so by hand
 * gets the same on any kernel. This part decides, counts and tells; cache.c does it. Only the event
 * loop.
 */
#pragma once

#include "binding.h"
#include "status.h"

struct claim;

struct claim_owner {
	void (*yield)(void *data, enum yield_reason why); /* the cache is to be let go of */
	void (*resume)(void *data);			  /* a hold is over: bind again */
	void (*dead)(void *data);			  /* the kernel says that the cache is */
	void *data;
};

int claim_new(struct claim **ret, struct event_base *base, const struct config *config,
	      struct status *status, const struct claim_owner *owner);
struct claim *claim_free(struct claim *c); /* returns NULL */

/* The cache is bound. What was refused since the kernel took it is acted upon at once. */
void claim_start(struct claim *c, const struct binding *binding, bool adopted, bool reused);
void claim_stop(struct claim *c);

/* The device's state was read. */
void claim_seen(struct claim *c, const struct device_state *state);

/* The filesystem, or our mount of it, is read-only (or not): told once. May yield. */
void claim_read_only(struct claim *c, bool read_only);

/* Nothing is bound until so many milliseconds have passed; 0: until claim_resume(). */
void claim_hold(struct claim *c, uint64_t ms);
bool claim_holds(const struct claim *c);
/* Ends the hold, if there is one, without telling the owner. */
void claim_resume(struct claim *c);

/* The device was unbound: what was refused until then has found us gone, or given up. */
void claim_unbound(struct claim *c, const struct device_state *state);

/* The cache is let go of: tells, and says in status.waiting for what it waits. */
void claim_yielded(struct claim *c);

/* How long to wait for the next attempt, growing; milliseconds. */
uint64_t claim_delay(struct claim *c);
