/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cache.c (bringing it up, looking after it) and release.c (letting go of it) share, and
 * nobody else sees.
 */
#pragma once

#include "binding.h"
#include "cache.h"
#include "claim.h"
#include "culler.h"
#include "messages.h"
#include "reaper.h"
#include "status.h"
#include "watch.h"

/* Between attempts to bind: doubles from the first to the second. */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

struct cache {
	struct event_base *base;
	const struct config *config;
	struct cache_owner owner;
	bool no_wait;
	bool stopping;
	bool dropped;	   /* by the service manager, on its way */
	bool keeps_device; /* the closing in hand does: the kernel lets go of the cache alone */
	int unbind_error;
	int exit_code;

	struct worker *worker; /* binds, culls, probes, closes: one at a time */
	struct culler *culler;
	struct reaper *reaper;
	struct watch *watch;
	struct claim *claim;
	struct binding_attempt attempt;
	char *kept_record;
	struct binding binding;
	int probe_answer;     /* device_probe(), or -ESTALE: DIR is not where we bound any more */
	bool read_only;	      /* the filesystem or a mount of it is, as the probe found it */
	bool mount_read_only; /* what the last look at the mounts found */
	bool check_mounts;    /* the next probe looks at the path as well */
	bool probes_path;     /* the probe in hand does */

	bool same_filesystem; /* bound once: only that filesystem will do */
	uint64_t retry_ms, bound_at;

	struct event *timer;  /* the next attempt */
	struct event *mounts; /* the settled mount event */
	struct event *saw;    /* the culler read the state */
	struct device_state saw_state;

	struct status status;
	const char *shown; /* the state, since status.since */
};

/* In cache.c. */
void cache_changed(struct cache *c);
void cache_set_state(struct cache *c, enum cache_state state);
void cache_arm(struct event *event, uint64_t ms);
void cache_finish(struct cache *c, int exit_code);
void cache_start_binding(struct cache *c);
/* The next attempt, unless somebody holds it up, with growing delay. */
void cache_retry_later(struct cache *c);

/* In release.c; those with data are told of something. */
void cache_close_binding(struct cache *c);
void cache_go_on_closing(void *data); /* a worker has nothing in hand any more */
void cache_lose(struct cache *c, enum message message, const char *why);
void cache_on_dead(void *data);
void cache_yield_for(void *data, enum yield_reason why);
void cache_bind_again(void *data); /* what it waited for may be there */
