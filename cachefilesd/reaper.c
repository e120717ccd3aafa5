/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reaper.h"

#include "log.h"
#include "privilege.h"

struct reaper {
	struct event_base *base;
	struct worker *worker;
	struct status *status;
	worker_fn idle;
	void *data;

	const struct binding *binding; /* NULL: stopped */
	struct event *buried;	       /* something came into the graveyard */
	bool again;		       /* while a run was in hand */
	int graveyard;
	struct graveyard_result result;
	int error;
};

static void reap(void *data)
{
	struct reaper *r = data;
	bool raised = privilege_raise(PRIVILEGE_FOREIGN) == 0;

	r->error = graveyard_reap(r->graveyard, worker_stop_flag(r->worker), worker_beat, r->worker,
				  &r->result);
	if (raised)
		privilege_lower();
}

static void report(struct reaper *r)
{
	const struct graveyard_result *result = &r->result;

	r->status->reaped += result->files + result->dirs;
	if (result->files + result->dirs > 0)
		log_info("graveyard: removed %llu files and %llu directories",
			 (unsigned long long)result->files, (unsigned long long)result->dirs);
	if (result->stuck > 0 && result->stuck != r->status->stuck)
		log_event(LOG_WARNING, MESSAGE_GRAVE_STUCK,
			  "graveyard: %llu entries cannot be removed, the first is %s: %s",
			  (unsigned long long)result->stuck, result->first_name,
			  strerror(result->first_error));
	r->status->stuck = result->stuck;
	if (r->error < 0 && r->error != -EINTR)
		log_warning("graveyard: %s", strerror(-r->error));
}

static void on_reaped(void *data)
{
	struct reaper *r = data;
	bool again = r->again;

	r->again = false;
	report(r);
	if (!r->binding)
		r->idle(r->data);
	else if (again)
		reaper_run(r);
}

void reaper_run(struct reaper *r)
{
	if (!r->binding)
		return;
	if (worker_run(r->worker, reap, on_reaped, r) < 0)
		r->again = true;
}

static void on_buried(evutil_socket_t fd, short what, void *data)
{
	char events[4096];

	while (read(fd, events, sizeof(events)) > 0)
		;
	reaper_run(data);
}

int reaper_new(struct reaper **ret, struct event_base *base, struct status *status, worker_fn idle,
	       void *data)
{
	struct reaper *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		return -ENOMEM;
	r->base = base;
	r->status = status;
	r->idle = idle;
	r->data = data;
	error = worker_new(&r->worker, base, "reaper");
	if (error < 0) {
		free(r);
		return error;
	}
	*ret = r;
	return 0;
}

struct reaper *reaper_free(struct reaper *r)
{
	if (!r)
		return NULL;
	reaper_stop(r);
	worker_free(r->worker);
	free(r);
	return NULL;
}

int reaper_start(struct reaper *r, const struct binding *binding)
{
	if (binding->grave_watch >= 0) {
		r->buried = event_new(r->base, binding->grave_watch, EV_READ | EV_PERSIST,
				      on_buried, r);
		if (!r->buried || event_add(r->buried, NULL) < 0)
			return -ENOMEM;
	}
	r->binding = binding;
	r->graveyard = binding->store.graveyard;
	reaper_run(r);
	return 0;
}

void reaper_stop(struct reaper *r)
{
	if (r->buried)
		event_free(r->buried);
	r->buried = NULL;
	r->binding = NULL;
	worker_stop(r->worker);
}

bool reaper_busy(const struct reaper *r)
{
	return worker_busy(r->worker);
}

bool reaper_is_told(const struct reaper *r)
{
	return r->buried != NULL;
}

enum worker_health reaper_health(struct reaper *r, uint64_t limit_ms)
{
	return worker_health(r->worker, limit_ms);
}
