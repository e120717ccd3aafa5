/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch.h"

#include <sys/statvfs.h>

#include "log.h"

/* After a read the device is listened to again so much later: a busy cache changes all the time. */
#define QUICK_MS 100
#define CALM_MS	 1000

/* A state that cannot be read will hardly be better at once. */
#define BROKEN_MS 10000

/* What was looked at so recently is as good as new. */
#define FRESH_MS 1000

struct watch {
	struct event_base *base;
	struct worker *worker;
	struct status *status;
	struct watch_owner owner;

	const struct binding *binding; /* NULL: stopped */
	struct event *readable, *timer;
	bool quick;
	bool wants_space; /* while a look was in hand */
	uint64_t looked_at;

	/* The look in hand. */
	int device, directory;
	bool reads_state, reads_space;
	int state_error, space_error;
	struct device_state state;
	struct statvfs space;
};

static void look(void *data)
{
	struct watch *w = data;

	if (w->reads_state)
		w->state_error = device_read_state(w->device, &w->state);
	if (w->reads_space)
		w->space_error = fstatvfs(w->directory, &w->space) < 0 ? -errno : 0;
}

static void listen_later(struct watch *w)
{
	uint64_t ms = w->state_error < 0 ? BROKEN_MS : w->quick ? QUICK_MS : CALM_MS;
	struct timeval after = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

	event_add(w->timer, &after);
}

static void take_space(struct watch *w)
{
	struct status *s = w->status;

	if (w->space_error < 0)
		return;
	s->free.known = true;
	s->free.at = time(NULL);
	s->free.unit = MAX(w->space.f_frsize, 512);
	s->free.bytes = (uint64_t)w->space.f_bavail * s->free.unit;
	s->free.files = w->space.f_ffree;
}

static void on_looked(void *data)
{
	struct watch *w = data;

	if (!w->binding) {
		w->owner.idle(w->owner.data);
		return;
	}
	if (w->reads_space)
		take_space(w);
	if (w->reads_state) {
		listen_later(w);
		if (w->state_error < 0)
			log_error(DEVICE_PATH ": unreadable state: %s", strerror(-w->state_error));
		else
			w->owner.seen(w->owner.data, &w->state); /* may stop us */
	}
	if (w->binding && w->wants_space)
		watch_look(w);
}

static void start_look(struct watch *w, bool state, bool space)
{
	w->device = w->binding->device;
	w->directory = w->binding->store.cache;
	w->reads_state = state;
	w->reads_space = space;
	if (worker_run(w->worker, look, on_looked, w) < 0) {
		w->wants_space |= space;
		if (state)
			listen_later(w);
		return;
	}
	if (space) {
		w->wants_space = false;
		w->looked_at = now_ms();
	}
}

void watch_look(struct watch *w)
{
	if (w->binding && (w->looked_at == 0 || now_ms() - w->looked_at >= FRESH_MS))
		start_look(w, false, true);
}

static void on_readable(evutil_socket_t fd, short what, void *data)
{
	start_look(data, true, false);
}

static void on_timer(evutil_socket_t fd, short what, void *data)
{
	struct watch *w = data;

	if (w->readable)
		event_add(w->readable, NULL);
}

int watch_new(struct watch **ret, struct event_base *base, struct status *status,
	      const struct watch_owner *owner)
{
	struct watch *w = calloc(1, sizeof(*w));
	int r = -ENOMEM;

	if (!w)
		return r;
	w->base = base;
	w->status = status;
	w->owner = *owner;
	w->timer = evtimer_new(base, on_timer, w);
	if (!w->timer || (r = worker_new(&w->worker, base, "watch")) < 0) {
		watch_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

struct watch *watch_free(struct watch *w)
{
	if (!w)
		return NULL;
	watch_stop(w);
	worker_free(w->worker);
	if (w->timer)
		event_free(w->timer);
	free(w);
	return NULL;
}

int watch_start(struct watch *w, const struct binding *binding, bool quick)
{
	w->quick = quick;
	w->looked_at = 0;
	if (binding->limits.has_claim) {
		w->readable = event_new(w->base, binding->device, EV_READ, on_readable, w);
		if (!w->readable || event_add(w->readable, NULL) < 0)
			return -ENOMEM;
	}
	w->binding = binding;
	watch_look(w);
	return 0;
}

void watch_stop(struct watch *w)
{
	if (w->readable)
		event_free(w->readable);
	w->readable = NULL;
	if (w->timer)
		event_del(w->timer);
	w->binding = NULL;
	w->status->free.known = false;
}

bool watch_busy(const struct watch *w)
{
	return worker_busy(w->worker);
}

enum worker_health watch_health(struct watch *w, uint64_t limit_ms)
{
	return worker_health(w->worker, limit_ms);
}
