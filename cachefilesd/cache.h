/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache as the event loop sees it: one state machine that binds it, waits where waiting
 * helps, starts cull cycles when the kernel asks, notices its death and lets it go. What may block
 * is a job of a worker; everything here runs in the event loop.
 *
 *	BINDING → BOUND → CLOSING → WAITING → BINDING …	(dead, displaced, yielding: see claim.h)
 *	   ↓                 ↓
 *	WAITING           STOPPED
 */
#pragma once

#include <event2/event.h>

#include "config.h"
#include "worker.h"

struct cache;

enum cache_state {
	CACHE_BINDING,
	CACHE_WAITING, /* for something that may pass; a timer or a change of the mounts tries again
			*/
	CACHE_BOUND,
	CACHE_CLOSING,
	CACHE_STOPPED,
};

/* Why it is let go of on purpose, for a while. */
enum yield_reason {
	YIELD_NONE,
	YIELD_FREEZE,
	YIELD_REMOUNT,
	YIELD_ORDER, /* by hand */
};

struct cache_owner {
	/* The state or the one-line summary changed. */
	void (*changed)(void *data);
	/* Nothing more will happen: after cache_stop(), or when starting failed for good. */
	void (*finished)(void *data, int exit_code);
	void *data;
};

/* The configuration must stay as long as the cache; no_wait: what does not bind at once fails. */
int cache_new(struct cache **ret, struct event_base *base, const struct config *config,
	      bool no_wait, const struct cache_owner *owner);
struct cache *cache_free(struct cache *c); /* only when finished; returns NULL */

void cache_start(struct cache *c);
/* Withdraws the cache in order; finished() tells when. */
void cache_stop(struct cache *c);

/*
 * Lets go of the cache and its filesystem until cache_resume(), or until so many seconds have
 * passed if they are not 0. Done when cache_is_yielded(); changed() is called then.
 */
void cache_yield(struct cache *c, uint64_t seconds);
void cache_resume(struct cache *c);
bool cache_is_yielded(const struct cache *c);

/* The mount table changed. */
void cache_mounts_changed(struct cache *c);

/* Now and then (with the watchdog): asks whether an idle cache is alive. */
void cache_tick(struct cache *c);

/* The worst of the workers' health; the reason of a wait is in the summary. */
enum worker_health cache_health(struct cache *c, uint64_t limit_ms);

enum cache_state cache_get_state(const struct cache *c);
/* What culls in it, for orders and scans; never NULL. */
struct culler *cache_culler(struct cache *c);

/* For the metrics. */
void cache_watchdog_fed(struct cache *c);

/* All of it, in memory. Asks for a look at the free space, which is there a moment later. */
struct status;
const struct status *cache_status(struct cache *c);
/* One line for STATUS=. */
void cache_summary(const struct cache *c, char *buffer, size_t size);
/* Several lines to the log, for SIGUSR1. */
void cache_log_status(const struct cache *c);
