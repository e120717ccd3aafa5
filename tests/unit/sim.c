/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define EVENTS_MAX 8

/* So many things in a row without the clock's going on are an endless loop. */
#define STEPS_MAX 1000

/* The linker alone knows that they are used, and link time optimisation does not ask it. */
#define wrapper __attribute__((used))

struct sim sim;

static struct sim_event {
	bool used, pending, active;
	short what;
	event_callback_fn done;
	void *data;
	uint64_t at; /* of timers; UINT64_MAX: none */
} events[EVENTS_MAX];

static struct {
	bool given, worked;
	worker_fn work, done;
	void *data;
	atomic_bool stop;
} job;

int64_t sim_now(void)
{
	return ((int64_t)(sim.ms / 1000) + sim.wall) * 1000000000 +
	       (int64_t)(sim.ms % 1000) * 1000000;
}

void sim_reset(void)
{
	memset(events, 0, sizeof(events));
	memset(&job, 0, sizeof(job));
	memset(&sim, 0, sizeof(sim));
}

/* ---- the clock ---- */

wrapper int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
wrapper time_t __wrap_time(time_t *ret);
wrapper int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	int64_t now = clock == CLOCK_REALTIME ? sim_now() : (int64_t)sim.ms * 1000000;

	*ret = (struct timespec){.tv_sec = now / 1000000000, .tv_nsec = now % 1000000000};
	return 0;
}

time_t __wrap_time(time_t *ret)
{
	assert_null(ret);
	return sim_now() / 1000000000;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	sim.ms += (uint64_t)wanted->tv_sec * 1000 + (uint64_t)wanted->tv_nsec / 1000000;
	return 0;
}

/* ---- events ---- */

wrapper struct event *__wrap_event_new(struct event_base *base, evutil_socket_t fd, short what,
				       event_callback_fn done, void *data);
wrapper void __wrap_event_free(struct event *event);
wrapper int __wrap_event_add(struct event *event, const struct timeval *after);
wrapper int __wrap_event_del(struct event *event);
wrapper int __wrap_event_pending(const struct event *event, short what, struct timeval *ret);
wrapper void __wrap_event_active(struct event *event, int what, short calls);

static struct sim_event *own(struct event *event)
{
	return (struct sim_event *)event;
}

struct event *__wrap_event_new(struct event_base *base, evutil_socket_t fd, short what,
			       event_callback_fn done, void *data)
{
	for (size_t i = 0; i < EVENTS_MAX; i++) {
		if (events[i].used)
			continue;
		events[i] =
			(struct sim_event){.used = true, .what = what, .done = done, .data = data};
		return (struct event *)&events[i];
	}
	return NULL;
}

void __wrap_event_free(struct event *event)
{
	own(event)->used = own(event)->pending = false;
}

int __wrap_event_add(struct event *event, const struct timeval *after)
{
	struct sim_event *e = own(event);

	e->pending = true;
	e->at = UINT64_MAX;
	if (after)
		e->at = sim.ms + (uint64_t)after->tv_sec * 1000 + (uint64_t)after->tv_usec / 1000;
	return 0;
}

int __wrap_event_del(struct event *event)
{
	own(event)->pending = own(event)->active = false;
	return 0;
}

int __wrap_event_pending(const struct event *event, short what, struct timeval *ret)
{
	return own((struct event *)event)->pending ? what : 0;
}

void __wrap_event_active(struct event *event, int what, short calls)
{
	own(event)->active = true;
}

/* ---- the worker ---- */

wrapper int __wrap_worker_run(struct worker *w, worker_fn work, worker_fn done, void *data);
wrapper bool __wrap_worker_busy(const struct worker *w);
wrapper const atomic_bool *__wrap_worker_stop_flag(const struct worker *w);
wrapper void __wrap_worker_beat(void *w);

struct worker *sim_worker(void)
{
	return (struct worker *)&job;
}

int __wrap_worker_run(struct worker *w, worker_fn work, worker_fn done, void *data)
{
	if (job.given)
		return -EBUSY;
	job.given = true;
	job.worked = false;
	job.work = work;
	job.done = done;
	job.data = data;
	return 0;
}

bool __wrap_worker_busy(const struct worker *w)
{
	return job.given;
}

const atomic_bool *__wrap_worker_stop_flag(const struct worker *w)
{
	return &job.stop;
}

void __wrap_worker_beat(void *w)
{
}

static void do_job(void)
{
	if (!job.worked) {
		sim.before_job();
		job.work(job.data);
		job.worked = true;
		sim.ms += sim.job_ms;
		return;
	}
	job.given = false;
	job.done(job.data);
	sim.after_job();
}

/* ---- the loop ---- */

static bool is_due(const struct sim_event *e)
{
	if (!e->used)
		return false;
	if (e->active || (e->pending && e->at <= sim.ms))
		return true;
	return e->pending &&
	       ((e->what & EV_READ && sim.readable()) || (e->what & EV_WRITE && sim.writable()));
}

bool sim_step(void)
{
	static uint64_t before;

	sim.steps = sim.ms == before ? sim.steps + 1 : 0;
	before = sim.ms;
	if (sim.steps > STEPS_MAX)
		fail_msg("goes in circles at %llu ms", (unsigned long long)sim.ms);
	for (size_t i = 0; i < EVENTS_MAX; i++) {
		struct sim_event *e = &events[i];

		if (!is_due(e))
			continue;
		e->active = false;
		if (!(e->what & EV_PERSIST))
			e->pending = false;
		e->done(-1, e->what, e->data);
		return true;
	}
	if (!job.given)
		return false;
	do_job();
	return true;
}

uint64_t sim_next(void)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < EVENTS_MAX; i++)
		if (events[i].used && events[i].pending)
			next = MIN(next, events[i].at);
	return next;
}
