/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cache-parts.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include "keep.h"
#include "log.h"
#include "options.h"

/* A changed mount table settles: several events become one. */
#define MOUNTS_SETTLE_MS 300

void cache_changed(struct cache *c)
{
	const char *shows = status_state(&c->status);

	if (shows != c->shown)
		c->status.since = time(NULL);
	c->shown = shows;
	c->owner.changed(c->owner.data);
}

static void on_changed(void *data)
{
	cache_changed(data);
}

void cache_set_state(struct cache *c, enum cache_state state)
{
	c->status.state = state;
	if (state != CACHE_WAITING)
		c->status.waiting[0] = '\0';
	cache_changed(c);
}

void cache_arm(struct event *event, uint64_t ms)
{
	struct timeval after = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

	event_add(event, &after);
}

void cache_finish(struct cache *c, int exit_code)
{
	c->exit_code = exit_code;
	cache_set_state(c, CACHE_STOPPED);
	c->owner.finished(c->owner.data, exit_code);
}

/* How much is free is another number each time, and no news. */
static bool same_but_numbers(const char *a, const char *b)
{
	static const char digits[] = "0123456789";

	while (*a || *b) {
		a += strspn(a, digits);
		b += strspn(b, digits);
		if (*a != *b)
			return false;
		if (*a) {
			a++;
			b++;
		}
	}
	return true;
}

void cache_retry_later(struct cache *c)
{
	if (claim_holds(c->claim))
		return;
	cache_arm(c->timer, c->retry_ms);
	c->retry_ms = MIN(c->retry_ms * 2, RETRY_MAX_MS);
}

/* What waits for the next thing to do; longer than a manager's patience with a start. */
static void wait_for(struct cache *c, const struct backing_report *why)
{
	bool frozen = why->error == EAGAIN;
	bool news = !same_but_numbers(c->status.waiting, why->text);

	/* Whoever let go of it for a freeze waits for the thaw, which has been said. */
	if (news && !(frozen && c->status.yielding))
		log_event(LOG_WARNING, MESSAGE_WAITING, "%s; waiting", why->text);
	if (!c->status.yielding || !frozen)
		snprintf(c->status.waiting, sizeof(c->status.waiting), "%s", why->text);
	c->status.hindered = !frozen && why->error != EROFS;
	cache_set_state(c, CACHE_WAITING);
	if (c->check_mounts)
		c->retry_ms = RETRY_MIN_MS;
	c->check_mounts = false;
	if (frozen)
		cache_arm(c->timer, claim_delay(c->claim));
	else
		cache_retry_later(c);
}

/* ---- binding ---- */

static void tell_bound(struct cache *c)
{
	if (c->status.yielding)
		log_event(LOG_NOTICE, MESSAGE_RESUMED, "caching again in %s (%s), tag %s",
			  c->config->dir, c->binding.backing, c->config->tag);
	else if (c->attempt.adopted)
		log_event(LOG_NOTICE, MESSAGE_ADOPTED, "still caching in %s (%s), tag %s",
			  c->config->dir, c->binding.backing, c->config->tag);
	else
		log_event(LOG_NOTICE, MESSAGE_BOUND, "caching in %s (%s), tag %s", c->config->dir,
			  c->binding.backing, c->config->tag);
	if (c->status.yielding)
		c->status.rebinds++;
	c->status.yielding = YIELD_NONE;
	c->status.hindered = false;
}

/* A device that the manager has, with a record that says the same, needs no keeping again. */
static void keep(struct cache *c, const char *record)
{
	bool same = record && streq(record, c->binding.record);
	int r;

	if (c->attempt.adopted || (c->attempt.reused && keep_is_kept() && same))
		return;
	r = keep_store(c->binding.device, c->binding.record);
	if (r < 0)
		log_event(LOG_WARNING, MESSAGE_NOT_KEPT, "a restart will withdraw the cache: %s",
			  strerror(-r));
}

static void on_bound(struct cache *c)
{
	_cleanup_free_ char *record = c->binding.record;

	if (!record && c->kept_record)
		record = strdup(c->kept_record);
	c->binding = c->attempt.binding;
	c->same_filesystem = true;
	c->mount_read_only = false;
	c->attempt.fsid = c->binding.fsid;
	c->bound_at = now_ms();
	c->status.binds++;
	c->status.limits = c->binding.limits;
	snprintf(c->status.backing, sizeof(c->status.backing), "%s", c->binding.backing);
	tell_bound(c);
	cache_set_state(c, CACHE_BOUND);
	keep(c, record);
	if (reaper_start(c->reaper, &c->binding) < 0 ||
	    watch_start(c->watch, &c->binding, c->config->freeze == POLICY_YIELD) < 0 ||
	    culler_start(c->culler, &c->binding, c->config) < 0) {
		cache_lose(c, MESSAGE_DEAD, "out of memory");
		return;
	}
	claim_start(c->claim, &c->binding, c->attempt.adopted, c->attempt.reused); /* may yield */
}

static void bind_job(void *data)
{
	struct cache *c = data;

	if (c->dropped)
		binding_await_release();
	binding_try(&c->attempt);
}

static void on_attempt(void *data)
{
	struct cache *c = data;
	const struct backing_report *report = &c->attempt.report;

	if (c->attempt.not_adopted[0]) {
		log_event(LOG_NOTICE, MESSAGE_NOT_ADOPTED,
			  "the cache that was kept over the restart is let go of: %s",
			  c->attempt.not_adopted);
		keep_drop();
		c->dropped = true;
		if (!c->stopping) { /* what is wanted can be bound as soon as that is closed */
			cache_start_binding(c);
			return;
		}
	}
	c->dropped = c->dropped && c->stopping;
	if (report->error == 0 && (c->stopping || claim_holds(c->claim))) {
		free(c->binding.record);
		c->binding = c->attempt.binding;
		cache_close_binding(c);
	} else if (report->error == 0) {
		on_bound(c);
	} else if (c->stopping) {
		cache_finish(c, c->exit_code);
	} else if (claim_holds(c->claim)) { /* since the attempt began: it does not matter now */
		claim_yielded(c->claim);
		cache_set_state(c, CACHE_WAITING);
	} else if (c->status.binds > 0 || c->status.yielding || (report->can_wait && !c->no_wait)) {
		wait_for(c, report);
	} else {
		log_event(LOG_ERR, MESSAGE_BIND_FAILED, "%s", report->text);
		cache_finish(c, report->misconfigured ? EXIT_CONFIG : EXIT_SYSTEM);
	}
}

void cache_start_binding(struct cache *c)
{
	c->attempt.config = c->config;
	c->attempt.same_filesystem = c->same_filesystem;
	c->attempt.as_is = c->status.yielding != YIELD_NONE;
	/* The text of a wait stays: trying again is no news. */
	c->status.state = CACHE_BINDING;
	worker_run(c->worker, bind_job, on_attempt, c);
}

/* ---- looking whether it lives ---- */

static void probe_job(void *data)
{
	struct cache *c = data;
	struct statvfs st;

	c->probe_answer = device_probe(c->binding.device);
	culler_sample(c->culler);
	if (c->probes_path && c->probe_answer == 1 &&
	    !store_is_same(&c->binding.store, c->config->dir))
		c->probe_answer = -ESTALE;
	if (c->probes_path)
		c->mount_read_only = backing_mount_read_only(c->binding.store.cache);
	c->read_only = c->mount_read_only ||
		       (fstatvfs(c->binding.store.cache, &st) == 0 && (st.f_flag & ST_RDONLY));
}

static void on_probe(void *data)
{
	struct cache *c = data;

	if (c->status.state == CACHE_CLOSING) {
		cache_go_on_closing(c);
		return;
	}
	if (c->probe_answer == 0) {
		cache_on_dead(c);
		return;
	}
	if (c->probe_answer == -ESTALE) {
		cache_lose(
			c, MESSAGE_DISPLACED,
			"the cache's directory was unmounted, covered by another mount or replaced");
		return;
	}
	claim_read_only(c->claim, c->read_only);
	if (c->status.state == CACHE_CLOSING)
		return;
	if (c->check_mounts) /* the mounts changed meanwhile */
		cache_tick(c);
	else
		culler_look(c->culler);
}

void cache_tick(struct cache *c)
{
	if (c->status.state != CACHE_BOUND)
		return;
	if (!reaper_is_told(c->reaper))
		reaper_run(c->reaper);
	if (worker_busy(c->worker)) /* a cycle notices by itself */
		return;
	c->probes_path = c->check_mounts;
	c->check_mounts = false;
	worker_run(c->worker, probe_job, on_probe, c);
}

static void on_mounts_settled(evutil_socket_t fd, short what, void *data)
{
	struct cache *c = data;

	if (c->status.state == CACHE_WAITING) {
		if (!claim_holds(c->claim))
			cache_bind_again(c);
	} else if (c->status.state == CACHE_BOUND) {
		c->check_mounts = true;
		cache_tick(c);
	} else {
		c->check_mounts = true; /* the attempt in hand may not have seen it */
	}
}

void cache_mounts_changed(struct cache *c)
{
	if (!event_pending(c->mounts, EV_TIMEOUT, NULL))
		cache_arm(c->mounts, MOUNTS_SETTLE_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *data)
{
	struct cache *c = data;

	if (c->status.state == CACHE_WAITING)
		cache_start_binding(c);
}

static void on_seen(void *data, const struct device_state *state)
{
	struct cache *c = data;

	culler_seen(c->culler, state);
	claim_seen(c->claim, state);
}

/* The culler is in the middle of something: what comes of it comes later. */
static void on_culler_saw(void *data, const struct device_state *state)
{
	struct cache *c = data;

	c->saw_state = *state;
	event_active(c->saw, EV_TIMEOUT, 0);
}

static void on_saw(evutil_socket_t fd, short what, void *data)
{
	struct cache *c = data;

	if (c->status.state == CACHE_BOUND)
		claim_seen(c->claim, &c->saw_state);
}

/* ---- for the owner ---- */

int cache_new(struct cache **ret, struct event_base *base, const struct config *config,
	      bool no_wait, const struct cache_owner *owner)
{
	struct culler_owner culler_owner = {
		.changed = on_changed,
		.dead = cache_on_dead,
		.idle = cache_go_on_closing,
		.seen = on_culler_saw,
		.data = NULL,
	};
	struct cache *c = calloc(1, sizeof(*c));
	const struct watch_owner watch_owner = {on_seen, cache_go_on_closing, c};
	const struct claim_owner claim_owner = {cache_yield_for, cache_bind_again, cache_on_dead,
						c};
	int r;

	if (!c)
		return -ENOMEM;
	c->base = base;
	c->owner = *owner;
	c->no_wait = no_wait;
	c->retry_ms = RETRY_MIN_MS;
	c->binding = BINDING_CLOSED;
	c->attempt.unbound = -1;
	keep_take(&c->attempt.kept, &c->kept_record);
	c->attempt.kept_record = c->kept_record;
	c->config = config;
	c->status.dir = config->dir;
	c->status.tag = config->tag;
	c->status.nocull = config->nocull;
	c->timer = evtimer_new(base, on_timer, c);
	c->mounts = evtimer_new(base, on_mounts_settled, c);
	c->saw = evtimer_new(base, on_saw, c);
	r = c->timer && c->mounts && c->saw ? 0 : -ENOMEM;
	if (r == 0)
		r = worker_new(&c->worker, base, "cache");
	culler_owner.data = c;
	if (r == 0)
		r = culler_new(&c->culler, base, c->worker, &c->status, &culler_owner);
	if (r == 0)
		r = reaper_new(&c->reaper, base, &c->status, cache_go_on_closing, c);
	if (r == 0)
		r = watch_new(&c->watch, base, &c->status, &watch_owner);
	if (r == 0)
		r = claim_new(&c->claim, base, config, &c->status, &claim_owner);
	if (r < 0) {
		cache_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct cache *cache_free(struct cache *c)
{
	if (!c)
		return NULL;
	worker_free(c->worker);
	culler_free(c->culler);
	reaper_free(c->reaper);
	watch_free(c->watch);
	claim_free(c->claim);
	if (c->timer)
		event_free(c->timer);
	if (c->mounts)
		event_free(c->mounts);
	if (c->saw)
		event_free(c->saw);
	binding_close(&c->binding);
	closep(&c->attempt.kept);
	closep(&c->attempt.unbound);
	free(c->kept_record);
	free(c);
	return NULL;
}

void cache_start(struct cache *c)
{
	cache_start_binding(c);
	cache_changed(c);
}

void cache_stop(struct cache *c)
{
	if (c->stopping)
		return;
	c->stopping = true;
	c->exit_code = EXIT_OK;
	if (keep_for_restart_only())
		c->dropped = true;
	event_del(c->timer);
	if (c->status.state == CACHE_BOUND)
		cache_close_binding(c);
	else if (c->status.state == CACHE_WAITING)
		cache_finish(c, EXIT_OK);
	/* else the job in hand ends first, and sees that we stop */
}

enum worker_health cache_health(struct cache *c, uint64_t limit_ms)
{
	enum worker_health health = worker_health(c->worker, limit_ms);
	enum worker_health reaper = reaper_health(c->reaper, limit_ms);
	enum worker_health watch = watch_health(c->watch, limit_ms);
	bool frozen;

	health = MAX(health, reaper);
	health = MAX(health, watch);
	frozen = health == WORKER_WAITING;
	if (frozen && !c->status.frozen)
		log_event(LOG_WARNING, MESSAGE_BLOCKED,
			  "the cache's filesystem makes us wait: frozen, or its disk is stuck");
	if (frozen != c->status.frozen) {
		c->status.frozen = frozen;
		cache_changed(c);
	}
	return health;
}

enum cache_state cache_get_state(const struct cache *c)
{
	return c->status.state;
}

struct culler *cache_culler(struct cache *c)
{
	return c->culler;
}

void cache_watchdog_fed(struct cache *c)
{
	c->status.fed = time(NULL);
}

const struct status *cache_status(struct cache *c)
{
	watch_look(c->watch);
	return &c->status;
}

void cache_summary(const struct cache *c, char *buffer, size_t size)
{
	status_summary(&c->status, buffer, size);
}

void cache_log_status(const struct cache *c)
{
	status_log(&c->status);
}
