/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "backing.h"
#include "cache.h"
#include "control.h"
#include "device.h"
#include "log.h"
#include "metrics.h"
#include "privilege.h"
#include "service.h"

/* Without a watchdog an idle cache is asked that often whether it lives. */
#define TICK_MS 30000

/* A worker that is silent for so long, and does not wait in the kernel, hangs. */
#define SILENCE_MS 60000

/* A start that waits, and a stop that begins, ask the manager for so much more time. */
#define EXTEND_SECONDS 120

struct daemon {
	const struct options *options;
	struct config *config;
	struct event_base *base;
	struct cache *cache;
	struct control *control;
	struct metrics *metrics;
	struct backing_monitor *monitor;
	struct event *signals[5];
	struct event *tick, *mounts, *patience;
	bool ready, detached, hung;
	int exit_code;
};

static int level_of(const struct options *o)
{
	return o->debug > 0 ? LOG_DEBUG : LOG_INFO;
}

static void on_changed(void *data)
{
	struct daemon *d = data;
	enum cache_state state = cache_get_state(d->cache);
	char summary[1024];

	cache_summary(d->cache, summary, sizeof(summary));
	service_status("%s", summary);
	if (state == CACHE_BOUND && !d->ready) {
		d->ready = true;
		service_ready();
	}
	/* A boot does not wait for a disk that may come late. */
	if ((state == CACHE_BOUND || state == CACHE_WAITING) && !d->detached) {
		d->detached = true;
		service_detached();
	}
	if (d->control)
		control_changed(d->control);
	if (state != CACHE_BOUND)
		service_extend_timeout(EXTEND_SECONDS);
}

/* What waits for the service, a boot or an upgrade, goes on without a cache. */
static void on_patience(evutil_socket_t fd, short what, void *data)
{
	struct daemon *d = data;

	if (d->ready)
		return;
	log_notice("not bound after %u s: what waits for the service goes on without a cache",
		   d->options->ready_after);
	d->ready = true;
	service_ready();
}

static void on_finished(void *data, int exit_code)
{
	struct daemon *d = data;

	d->exit_code = exit_code;
	event_base_loopbreak(d->base);
}

/*
 * The kernel's mask is changed beside the device: a command waits for the one in hand, and a cull
 * may take as long as the filesystem does.
 */
static void reload_debug(const struct config *c, unsigned int before)
{
	int r = c->debug_set && c->debug != before ? device_set_debug(c->debug) : 0;

	if (r < 0)
		log_warning("cannot change the kernel's debug mask: %s", strerror(-r));
}

/* Takes over what can be changed while the cache is bound; says what cannot. See control.h. */
static int reload(void *data, struct problems *problems, const char *needs_restart[33])
{
	struct daemon *d = data;
	struct config *next = NULL;
	unsigned int debug = d->config->debug;
	const char *stays;
	size_t at = 0, count = 0;
	int r;

	if (d->ready) /* else READY=1 would end the wait for the cache */
		service_reloading();
	r = config_load(d->config->path, &next, problems);
	if (r < 0) {
		for (size_t i = 0; i < problems->count; i++)
			log_error("%s", problems->lines[i]);
		log_event(LOG_ERR, MESSAGE_RELOAD_REFUSED,
			  "the configuration is not reloaded: the one in force stays");
	} else {
		next->nocull = next->nocull || d->options->nocull;
		while ((stays = config_needs_restart(d->config, next, &at)) != NULL) {
			log_event(LOG_WARNING, MESSAGE_NEEDS_RESTART,
				  "\"%s\" is changed: that needs a restart", stays);
			if (count < 32)
				needs_restart[count++] = stays;
		}
		config_reload(d->config, next);
		reload_debug(d->config, debug);
		config_free(next);
		log_event(LOG_NOTICE, MESSAGE_RELOADED, "configuration reloaded");
	}
	needs_restart[count] = NULL;
	if (d->ready)
		service_ready();
	return r;
}

static void reload_by_signal(struct daemon *d)
{
	struct problems problems = {0};
	const char *needs_restart[33];

	reload(d, &problems, needs_restart);
	problems_clear(&problems);
}

static void on_signal(evutil_socket_t number, short what, void *data)
{
	struct daemon *d = data;

	switch (number) {
	case SIGHUP:
		reload_by_signal(d);
		break;
	case SIGUSR1:
		cache_log_status(d->cache);
		break;
	default:
		log_event(LOG_NOTICE, MESSAGE_STOPPING, "stopping: signal %d", (int)number);
		service_stopping();
		cache_stop(d->cache);
	}
}

static void feed_watchdog(struct daemon *d)
{
	service_watchdog_feed();
	if (service_watchdog_ms() > 0)
		cache_watchdog_fed(d->cache);
}

static void on_tick(evutil_socket_t fd, short what, void *data)
{
	struct daemon *d = data;
	bool hung = cache_health(d->cache, SILENCE_MS) == WORKER_HUNG;

	if (hung && !d->hung)
		log_event(LOG_ERR, MESSAGE_HUNG,
			  "a worker hangs: the watchdog is not fed any more");
	d->hung = hung;
	if (!hung)
		feed_watchdog(d);
	cache_tick(d->cache);
}

static void on_mounts(evutil_socket_t fd, short what, void *data)
{
	struct daemon *d = data;

	backing_monitor_drain(d->monitor);
	cache_mounts_changed(d->cache);
}

static int wire_signals(struct daemon *d)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		d->signals[i] = evsignal_new(d->base, numbers[i], on_signal, d);
		if (!d->signals[i] || event_add(d->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int wire_tick(struct daemon *d)
{
	uint64_t ms = service_watchdog_ms();
	struct timeval every;

	ms = ms ? MIN(ms, TICK_MS) : TICK_MS;
	every = (struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};
	d->tick = event_new(d->base, -1, EV_PERSIST, on_tick, d);
	return d->tick && event_add(d->tick, &every) == 0 ? 0 : -ENOMEM;
}

static int wire_patience(struct daemon *d)
{
	struct timeval after = {(time_t)d->options->ready_after, 0};

	if (d->options->ready_after == 0)
		return 0;
	d->patience = evtimer_new(d->base, on_patience, d);
	return d->patience && event_add(d->patience, &after) == 0 ? 0 : -ENOMEM;
}

/* Without the monitor a wait is only longer. */
static void wire_monitor(struct daemon *d)
{
	int r = backing_monitor_new(&d->monitor);

	if (r == 0) {
		d->mounts = event_new(d->base, backing_monitor_fd(d->monitor), EV_READ | EV_PERSIST,
				      on_mounts, d);
		if (!d->mounts || event_add(d->mounts, NULL) < 0)
			r = -ENOMEM;
	}
	if (r < 0)
		log_warning("changes of the mount table are not seen: %s", strerror(-r));
}

/* A cache without them is better than none. */
static void wire_control(struct daemon *d)
{
	const struct control_owner owner = {reload, d};
	const struct config *c = d->config;
	int r;

	r = c->control ? control_new(&d->control, d->base, c, d->cache, &owner) : 0;
	if (r < 0)
		log_event(LOG_WARNING, MESSAGE_CONTROL_FAILED, "control %s: %s", c->control,
			  strerror(-r));
	r = c->metrics ? metrics_new(&d->metrics, d->base, c, d->cache) : 0;
	if (r < 0)
		log_event(LOG_WARNING, MESSAGE_CONTROL_FAILED, "metrics %s: %s", c->metrics,
			  strerror(-r));
}

static void on_libevent(int severity, const char *text)
{
	log_debug("libevent: %s", text);
}

static int set_up(struct daemon *d)
{
	const struct cache_owner owner = {on_changed, on_finished, d};
	int r;

	event_set_log_callback(on_libevent);
	d->base = event_base_new();
	if (!d->base)
		return -ENOMEM;
	if ((r = wire_signals(d)) < 0 || (r = wire_tick(d)) < 0 || (r = wire_patience(d)) < 0)
		return r;
	r = cache_new(&d->cache, d->base, d->config, d->options->no_wait, &owner);
	if (r == 0) {
		wire_monitor(d);
		wire_control(d);
	}
	return r;
}

static void tear_down(struct daemon *d)
{
	if (d->mounts)
		event_free(d->mounts);
	backing_monitor_free(d->monitor);
	cache_free(d->cache); /* asks control nothing any more */
	control_free(d->control);
	metrics_free(d->metrics);
	if (d->tick)
		event_free(d->tick);
	if (d->patience)
		event_free(d->patience);
	for (size_t i = 0; i < ARRAY_SIZE(d->signals); i++)
		if (d->signals[i])
			event_free(d->signals[i]);
	if (d->base)
		event_base_free(d->base);
	config_free(d->config);
}

/* What must be done before the first thread: the process itself. */
static int prepare(const struct options *o)
{
	const char *missing = NULL;
	int r;

	umask(0022); /* who may pass to the socket is not the caller's to say */
	if (!o->foreground && (r = service_detach()) < 0) {
		log_error("cannot become a daemon: %s", strerror(-r));
		return r;
	}
	if (o->pidfile && (r = service_pidfile_write(o->pidfile)) < 0) {
		log_error("%s: %s", o->pidfile,
			  r == -EEXIST ? "another cachefilesd holds it" : strerror(-r));
		return r;
	}
	r = privilege_drop(&missing);
	if (r < 0)
		log_error("cannot start: %s%s%s", missing ? missing : "", missing ? ": " : "",
			  strerror(-r));
	return r;
}

int daemon_run(const struct options *options, struct config *config)
{
	struct daemon d = {.options = options, .config = config, .exit_code = EXIT_SYSTEM};
	int r;

	log_open(options->to_stderr	? LOG_TARGET_STDERR
		 : !options->foreground ? LOG_TARGET_SYSLOG
					: LOG_TARGET_AUTO,
		 level_of(options));
	r = prepare(options);
	if (r == 0 && (r = set_up(&d)) < 0)
		log_error("cannot start: %s", strerror(-r));
	if (r == 0) {
		cache_start(d.cache);
		if (event_base_dispatch(d.base) < 0) {
			log_error("the event loop failed");
			d.exit_code = EXIT_INTERNAL;
		}
	}
	tear_down(&d);
	service_pidfile_remove();
	return d.exit_code;
}
