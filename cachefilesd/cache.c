/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cache.h"

#include <stdio.h>

#include "binding.h"
#include "culler.h"
#include "keep.h"
#include "log.h"
#include "options.h"
#include "reaper.h"
#include "status.h"

/* Between attempts to bind: doubles from the first to the second. */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

/* A cache that lived so long starts over with the short delay when it dies. */
#define LIVED_MS (10 * 60 * 1000)

/* A changed mount table settles: several events become one. */
#define MOUNTS_SETTLE_MS 300

struct cache {
	struct event_base *base;
	const struct config *config;
	struct cache_owner owner;
	bool no_wait;
	bool stopping;
	bool dropped; /* by the service manager, on its way */
	int exit_code;

	struct worker *worker; /* binds, culls, probes, closes: one at a time */
	struct culler *culler;
	struct reaper *reaper;
	struct binding_attempt attempt;
	char *kept_record;
	struct binding binding;
	int probe_answer;  /* device_probe(), or -ESTALE: DIR is not where we bound any more */
	bool check_mounts; /* the next probe looks at the path as well */
	bool probes_path;  /* the probe in hand does */

	bool same_filesystem; /* bound once: only that filesystem will do */
	uint64_t retry_ms, bound_at;

	struct event *timer;  /* the next attempt */
	struct event *mounts; /* the settled mount event */

	struct status status;
};

static void start_binding(struct cache *c);

static void changed(struct cache *c)
{
	c->owner.changed(c->owner.data);
}

static void on_changed(void *data)
{
	changed(data);
}

static void set_state(struct cache *c, enum cache_state state)
{
	c->status.state = state;
	if (state != CACHE_WAITING)
		c->status.waiting[0] = '\0';
	changed(c);
}

static void arm(struct event *event, uint64_t ms)
{
	struct timeval after = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

	event_add(event, &after);
}

static void finish(struct cache *c, int exit_code)
{
	c->exit_code = exit_code;
	set_state(c, CACHE_STOPPED);
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

/* What waits for the next thing to do; longer than a manager's patience with a start. */
static void wait_for(struct cache *c, const char *what)
{
	bool news = !same_but_numbers(c->status.waiting, what);

	if (news)
		log_warning("%s; waiting", what);
	snprintf(c->status.waiting, sizeof(c->status.waiting), "%s", what);
	set_state(c, CACHE_WAITING);
	if (c->check_mounts)
		c->retry_ms = RETRY_MIN_MS;
	c->check_mounts = false;
	arm(c->timer, c->retry_ms);
	c->retry_ms = MIN(c->retry_ms * 2, RETRY_MAX_MS);
}

/* ---- letting go ---- */

static void close_job(void *data)
{
	struct cache *c = data;

	binding_close(&c->binding);
	if (c->dropped)
		binding_await_release();
}

static void on_closed(void *data)
{
	struct cache *c = data;

	if (c->stopping && keep_is_kept())
		log_notice(
			"the cache in %s stays bound for as long as the service manager keeps it",
			c->config->dir);
	else
		log_notice("the cache in %s is withdrawn", c->config->dir);
	if (c->stopping) {
		finish(c, c->exit_code);
		return;
	}
	snprintf(c->status.waiting, sizeof(c->status.waiting), "to bind %s again", c->config->dir);
	set_state(c, CACHE_WAITING);
	arm(c->timer, c->retry_ms);
	c->retry_ms = MIN(c->retry_ms * 2, RETRY_MAX_MS);
}

/* Withdraws the cache as soon as no worker is in it. */
static void go_on_closing(void *data)
{
	struct cache *c = data;

	if (worker_busy(c->worker) || reaper_busy(c->reaper))
		return;
	worker_run(c->worker, close_job, on_closed, c);
}

static void close_binding(struct cache *c)
{
	set_state(c, CACHE_CLOSING);
	event_del(c->timer);
	culler_stop(c->culler);
	reaper_stop(c->reaper);
	worker_stop(c->worker);
	go_on_closing(c);
}

static void lose(struct cache *c, const char *why)
{
	log_error("%s; the cache is withdrawn and will be bound again", why);
	c->status.deaths++;
	c->dropped = keep_is_kept();
	keep_drop();
	if (now_ms() - c->bound_at > LIVED_MS)
		c->retry_ms = RETRY_MIN_MS;
	close_binding(c);
}

static void on_dead(void *data)
{
	lose(data, "the kernel declared the cache dead");
}

/* ---- binding ---- */

static void on_bound(struct cache *c)
{
	int r;

	c->binding = c->attempt.binding;
	c->same_filesystem = true;
	c->attempt.fsid = c->binding.fsid;
	c->bound_at = now_ms();
	c->status.binds++;
	c->status.limits = c->binding.limits;
	snprintf(c->status.backing, sizeof(c->status.backing), "%s", c->binding.backing);
	log_notice("%s in %s (%s), tag %s", c->attempt.adopted ? "still caching" : "caching",
		   c->config->dir, c->binding.backing, c->config->tag);
	set_state(c, CACHE_BOUND);
	if (!c->attempt.adopted && (r = keep_store(c->binding.device, c->binding.record)) < 0)
		log_warning("a restart will withdraw the cache: %s", strerror(-r));
	if (reaper_start(c->reaper, &c->binding) < 0 ||
	    culler_start(c->culler, &c->binding, c->config) < 0)
		lose(c, "out of memory");
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
		log_notice("the cache that was kept over the restart is let go of: %s",
			   c->attempt.not_adopted);
		keep_drop();
		c->dropped = true;
		if (!c->stopping) { /* what is wanted can be bound as soon as that is closed */
			start_binding(c);
			return;
		}
	}
	c->dropped = c->dropped && c->stopping;
	if (report->error == 0 && c->stopping) {
		c->binding = c->attempt.binding;
		close_binding(c);
	} else if (report->error == 0) {
		on_bound(c);
	} else if (c->stopping) {
		finish(c, c->exit_code);
	} else if (c->status.binds > 0 || (report->can_wait && !c->no_wait)) {
		wait_for(c, report->text);
	} else {
		log_error("%s", report->text);
		finish(c, report->misconfigured ? EXIT_CONFIG : EXIT_SYSTEM);
	}
}

static void start_binding(struct cache *c)
{
	c->attempt.config = c->config;
	c->attempt.same_filesystem = c->same_filesystem;
	/* The text of a wait stays: trying again is no news. */
	c->status.state = CACHE_BINDING;
	worker_run(c->worker, bind_job, on_attempt, c);
}

/* ---- looking whether it lives ---- */

static void probe_job(void *data)
{
	struct cache *c = data;

	c->probe_answer = device_probe(c->binding.device);
	if (c->probes_path && c->probe_answer == 1 &&
	    !store_is_same(&c->binding.store, c->config->dir))
		c->probe_answer = -ESTALE;
}

static void on_probe(void *data)
{
	struct cache *c = data;

	if (c->status.state == CACHE_CLOSING)
		go_on_closing(c);
	else if (c->probe_answer == 0)
		on_dead(c);
	else if (c->probe_answer == -ESTALE)
		lose(c,
		     "the cache's directory was unmounted, covered by another mount or replaced");
	else if (c->check_mounts) /* the mounts changed meanwhile */
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
		c->retry_ms = RETRY_MIN_MS;
		event_del(c->timer);
		start_binding(c);
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
		arm(c->mounts, MOUNTS_SETTLE_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *data)
{
	struct cache *c = data;

	if (c->status.state == CACHE_WAITING)
		start_binding(c);
}

/* ---- for the owner ---- */

int cache_new(struct cache **ret, struct event_base *base, const struct config *config,
	      bool no_wait, const struct cache_owner *owner)
{
	struct culler_owner culler_owner = {
		.changed = on_changed, .dead = on_dead, .idle = go_on_closing, .data = NULL};
	struct cache *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->base = base;
	c->owner = *owner;
	c->no_wait = no_wait;
	c->retry_ms = RETRY_MIN_MS;
	c->binding = BINDING_CLOSED;
	keep_take(&c->attempt.kept, &c->kept_record);
	c->attempt.kept_record = c->kept_record;
	c->config = config;
	c->status.dir = config->dir;
	c->status.tag = config->tag;
	c->status.nocull = config->nocull;
	c->timer = evtimer_new(base, on_timer, c);
	c->mounts = evtimer_new(base, on_mounts_settled, c);
	r = c->timer && c->mounts ? 0 : -ENOMEM;
	if (r == 0)
		r = worker_new(&c->worker, base, "cache");
	culler_owner.data = c;
	if (r == 0)
		r = culler_new(&c->culler, base, c->worker, &c->status, &culler_owner);
	if (r == 0)
		r = reaper_new(&c->reaper, base, &c->status, go_on_closing, c);
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
	if (c->timer)
		event_free(c->timer);
	if (c->mounts)
		event_free(c->mounts);
	binding_close(&c->binding);
	closep(&c->attempt.kept);
	free(c->kept_record);
	free(c);
	return NULL;
}

void cache_start(struct cache *c)
{
	start_binding(c);
	changed(c);
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
		close_binding(c);
	else if (c->status.state == CACHE_WAITING)
		finish(c, EXIT_OK);
	/* else the job in hand ends first, and sees that we stop */
}

enum worker_health cache_health(struct cache *c, uint64_t limit_ms)
{
	enum worker_health health = worker_health(c->worker, limit_ms);
	enum worker_health reaper = reaper_health(c->reaper, limit_ms);
	bool frozen;

	health = MAX(health, reaper);
	frozen = health == WORKER_WAITING;
	if (frozen && !c->status.frozen)
		log_warning("the cache's filesystem makes us wait: frozen, or its disk is stuck");
	if (frozen != c->status.frozen) {
		c->status.frozen = frozen;
		changed(c);
	}
	return health;
}

enum cache_state cache_get_state(const struct cache *c)
{
	return c->status.state;
}

void cache_summary(const struct cache *c, char *buffer, size_t size)
{
	status_summary(&c->status, buffer, size);
}

void cache_log_status(const struct cache *c)
{
	status_log(&c->status);
}
