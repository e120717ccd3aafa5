/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "culler.h"

#include <stdio.h>

#include "log.h"

/* After a cycle that could not free what is wanted; doubles from the first to the second. */
#define STALL_MIN_MS 2000
#define STALL_MAX_MS 60000

/* The kernel still counts writes in flight: ask again soon; doubles from the first to the second.
 */
#define RECHECK_MIN_MS 200
#define RECHECK_MAX_MS 10000

/* Cycles in a row that freed nothing visible before that is a stall. */
#define FUTILE_MAX 3

struct culler {
	struct event_base *base;
	struct worker *worker;
	struct status *status;
	struct culler_owner owner;

	const struct binding *binding; /* NULL: stopped */
	const struct config *config;
	struct cull_cycle cycle;
	enum culler_task task;
	uint64_t cycles; /* begun */
	struct volumes volumes;
	struct asks asks;
	uint64_t stall_ms, recheck_ms;
	unsigned int futile;
	uint64_t released_blocks, released_files; /* since the stall began */

	struct event *wanted;	/* the device is writable: the kernel wants space */
	struct event *released; /* the device is readable; listened to while stalled. NULL: somebody
				   else listens always, and calls culler_seen() */
	struct event *timer;	/* the next look or cycle */
	struct event *asked;	/* for an order or a scan */
};

static void start_cycle(struct culler *c, enum culler_task task);

static void arm(struct culler *c, uint64_t ms)
{
	struct timeval after = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

	event_add(c->timer, &after);
}

static void changed(struct culler *c)
{
	c->owner.changed(c->owner.data);
}

static void listen_for_released(struct culler *c, bool listen)
{
	if (c->released && listen)
		event_add(c->released, NULL);
	else if (c->released)
		event_del(c->released);
}

/* Nothing to do until the kernel wants space. */
static void wait_for_demand(struct culler *c)
{
	if (c->status->stalled[0])
		log_event(LOG_NOTICE, MESSAGE_UNSTALLED, "culling goes on: %s is over",
			  c->status->stalled);
	c->status->stalled[0] = '\0';
	c->stall_ms = STALL_MIN_MS;
	c->recheck_ms = RECHECK_MIN_MS;
	c->futile = 0;
	listen_for_released(c, false);
	if (!c->config->nocull)
		event_add(c->wanted, NULL);
	changed(c);
}

/* The cycle could not free what is wanted: until something is let go of, or some time passed. */
static void stall(struct culler *c, const struct cull_result *r)
{
	char why[sizeof(c->status->stalled)];
	bool news = c->status->stalled[0] == '\0';

	status_describe_stall(r, why, sizeof(why));
	snprintf(c->status->stalled, sizeof(c->status->stalled), "%s", why);
	if (news)
		log_event(LOG_WARNING, MESSAGE_STALLED, "culling stalled: %s", why);
	c->released_blocks = c->released_files = 0;
	listen_for_released(c, true);
	arm(c, c->stall_ms);
	c->stall_ms = MIN(c->stall_ms * 2, STALL_MAX_MS);
	changed(c);
}

static void recheck(struct culler *c)
{
	arm(c, c->recheck_ms);
	c->recheck_ms = MIN(c->recheck_ms * 2, RECHECK_MAX_MS);
}

/* Reads the state line. Returns whether it could be read. */
static bool look(struct culler *c, struct device_state *ret)
{
	int r = device_read_state(c->binding->device, ret);

	if (r < 0)
		log_error(DEVICE_PATH ": unreadable state: %s", strerror(-r));
	else if (c->owner.seen)
		c->owner.seen(c->owner.data, ret);
	return r == 0;
}

/* Whether the kernel wants space: culls, or goes back to waiting for that. */
static void look_for_demand(struct culler *c)
{
	struct device_state state;

	if (!c->binding)
		return;
	if (worker_busy(c->worker)) { /* a probe: a stall has no other end than this */
		arm(c, RECHECK_MIN_MS);
		return;
	}
	if (!look(c, &state))
		arm(c, STALL_MAX_MS);
	else if (state.cull && !c->config->nocull)
		start_cycle(c, CULLER_CULLS);
	else
		wait_for_demand(c);
}

/* What somebody asks for. Returns whether it keeps the worker busy now. */
static bool serve(struct culler *c)
{
	if (!c->binding || worker_busy(c->worker))
		return false;
	if (c->asks.orderer.done)
		start_cycle(c, CULLER_OBEYS);
	else if (c->asks.scan_count > 0)
		start_cycle(c, CULLER_SCANS);
	return c->task != CULLER_IDLE;
}

static void on_wanted(evutil_socket_t fd, short what, void *data)
{
	struct culler *c = data;

	event_del(c->wanted); /* a level: it stays up for as long as the demand */
	look_for_demand(c);
}

/* Stalled, and the kernel's state changed: enough let go of to try again? */
void culler_seen(struct culler *c, const struct device_state *state)
{
	if (!c->binding || !c->status->stalled[0])
		return;
	c->released_blocks += state->breleased;
	c->released_files += state->freleased;
	if (!state->cull) {
		event_del(c->timer);
		wait_for_demand(c);
	} else if ((c->released_files > 0 && c->released_files >= c->config->resume_files) ||
		   (c->released_blocks > 0 && c->released_blocks >= c->config->resume_blocks)) {
		c->stall_ms = STALL_MIN_MS;
		event_del(c->timer);
		look_for_demand(c);
	}
}

static void on_released(evutil_socket_t fd, short what, void *data)
{
	struct culler *c = data;
	struct device_state state;

	if (look(c, &state))
		culler_seen(c, &state);
	else
		listen_for_released(c, false);
}

static void report_findings(struct culler *c, const struct scan_findings *f)
{
	const struct scan_findings *before = &c->status->last.found;

	if (f->foreign > 0)
		log_event(
			LOG_WARNING, MESSAGE_FOREIGN,
			"%llu entries that are no part of a cache were moved to the graveyard, the "
			"first was cache/%s",
			(unsigned long long)f->foreign, f->first_foreign);
	if (f->old_trees > 0)
		log_event(LOG_NOTICE, MESSAGE_OLD_TREES,
			  "%llu trees of an older kernel's cache were moved to the graveyard",
			  (unsigned long long)f->old_trees);
	if (f->unreadable > 0 &&
	    (f->unreadable != before->unreadable || f->first_error != before->first_error))
		log_event(LOG_WARNING, MESSAGE_UNREADABLE,
			  "%llu entries could not be examined or moved, the first is cache/%s: %s",
			  (unsigned long long)f->unreadable, f->first_unreadable,
			  strerror(f->first_error));
}

static void report_cycle(struct culler *c, const struct cull_result *r)
{
	char line[1024];

	report_findings(c, &r->found);
	status_add_cycle(c->status, r);
	status_describe_cycle(r, line, sizeof(line));
	log_event(r->culled > 0 ? LOG_INFO : LOG_DEBUG, MESSAGE_CULLED, "%s", line);
}

/* What a cycle for the kernel leads to. */
static void go_on(struct culler *c, const struct cull_result *r)
{
	struct device_state state;

	c->futile = r->end == CULL_FUTILE ? c->futile + 1 : 0;
	if (!look(c, &state))
		stall(c, r);
	else if (!state.cull)
		wait_for_demand(c);
	else if (r->end == CULL_ENOUGH && r->culled == 0)
		recheck(c);
	else if (r->end == CULL_ENOUGH || r->end == CULL_STOPPED ||
		 (r->end == CULL_FUTILE && c->futile < FUTILE_MAX))
		start_cycle(c, CULLER_CULLS);
	else
		stall(c, r);
}

/* The findings of the cycle are ours from now on. */
static void take_findings(struct culler *c)
{
	if (c->cycle.volumes.taken == 0)
		return;
	volumes_clear(&c->volumes);
	c->volumes = c->cycle.volumes;
	c->cycle.volumes = (struct volumes){0};
}

static void on_cycle(void *data)
{
	struct culler *c = data;
	const struct cull_result r = c->cycle.result;
	enum culler_task task = c->task;

	c->task = CULLER_IDLE;
	c->status->culling = false;
	if (task == CULLER_SCANS)
		report_findings(c, &r.found);
	else if (r.scans > 0)
		report_cycle(c, &r);
	take_findings(c);
	if (task == CULLER_OBEYS)
		asks_answer_order(&c->asks, &r);
	if (task == CULLER_SCANS || r.scans > 0)
		asks_answer_scans(&c->asks, c->asks.served, &r);
	if (!c->binding) {
		asks_refuse(&c->asks);
		c->owner.idle(c->owner.data);
		return;
	}
	if (r.end == CULL_CACHE_DEAD) {
		c->owner.dead(c->owner.data);
		return;
	}
	if (task == CULLER_CULLS)
		go_on(c, &r);
	else if (!c->status->stalled[0]) /* a stall goes on as it was */
		look_for_demand(c);
	if (c->task == CULLER_IDLE)
		changed(c);
	serve(c);
}

static void run_cycle(void *data)
{
	struct culler *c = data;

	cull_run(&c->cycle);
}

static void start_cycle(struct culler *c, enum culler_task task)
{
	c->cycle = (struct cull_cycle){
		.device = c->binding->device,
		.store = &c->binding->store,
		.limits = c->binding->limits,
		.memory = c->config->memory,
		.order = task == CULLER_OBEYS ? &c->asks.order : NULL,
		.scan_only = task == CULLER_SCANS,
		.stop = worker_stop_flag(c->worker),
		.beat = worker_beat,
		.beat_data = c->worker,
	};
	if (worker_run(c->worker, run_cycle, on_cycle, c) < 0)
		return; /* a probe is in hand: its end looks for demand again */
	c->task = task;
	c->cycles++;
	c->asks.served = c->asks.scan_count;
	if (task == CULLER_CULLS) {
		event_del(c->timer);
		listen_for_released(c, false);
	}
	event_del(c->wanted);
	c->status->culling = task != CULLER_SCANS;
	changed(c);
}

static void on_timer(evutil_socket_t fd, short what, void *data)
{
	look_for_demand(data);
}

void culler_look(struct culler *c)
{
	/* A stall ends by its own timer, or by what is let go of. */
	if (c->binding && !c->status->stalled[0])
		look_for_demand(c);
	serve(c);
}

static void on_asked(evutil_socket_t fd, short what, void *data)
{
	serve(data);
}

/* Not within the call that asks. */
static void serve_soon(struct culler *c)
{
	event_active(c->asked, 0, 0);
}

int culler_order(struct culler *c, const struct cull_order *order, culler_done_fn done, void *data)
{
	int r = c->binding ? asks_order(&c->asks, order, done, data) : -ENOTCONN;

	if (r == 0)
		serve_soon(c);
	return r;
}

void culler_cancel_order(struct culler *c)
{
	static const struct cull_result stopped = {.end = CULL_STOPPED};

	if (c->task == CULLER_OBEYS)
		worker_stop(c->worker);
	else
		asks_answer_order(&c->asks, &stopped);
}

int culler_scan(struct culler *c, culler_done_fn done, void *data)
{
	int r = c->binding ? asks_scan(&c->asks, done, data) : -ENOTCONN;

	if (r == 0)
		serve_soon(c);
	return r;
}

const struct volumes *culler_volumes(const struct culler *c)
{
	return &c->volumes;
}

void culler_look_at(const struct culler *c, struct culler_view *ret)
{
	const struct cull_progress *p = &c->cycle.progress;

	*ret = (struct culler_view){
		.task = c->task,
		.cycle = c->cycles,
		.order_waits = c->asks.orderer.done && c->task != CULLER_OBEYS,
		.wanted_bytes = atomic_load(&p->wanted_bytes),
		.wanted_files = atomic_load(&p->wanted_files),
		.scanned_files = atomic_load(&p->scanned_files),
		.culled_bytes = atomic_load(&p->culled_bytes),
		.culled_files = atomic_load(&p->culled_files),
		.busy = atomic_load(&p->busy),
	};
}

static void drop_event(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

int culler_new(struct culler **ret, struct event_base *base, struct worker *worker,
	       struct status *status, const struct culler_owner *owner)
{
	struct culler *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->base = base;
	c->worker = worker;
	c->status = status;
	c->owner = *owner;
	c->timer = evtimer_new(base, on_timer, c);
	c->asked = evtimer_new(base, on_asked, c);
	if (!c->timer || !c->asked) {
		culler_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

struct culler *culler_free(struct culler *c)
{
	if (!c)
		return NULL;
	drop_event(&c->wanted);
	drop_event(&c->released);
	drop_event(&c->timer);
	drop_event(&c->asked);
	volumes_clear(&c->volumes);
	volumes_clear(&c->cycle.volumes);
	free(c);
	return NULL;
}

int culler_start(struct culler *c, const struct binding *binding, const struct config *config)
{
	c->wanted = event_new(c->base, binding->device, EV_WRITE | EV_PERSIST, on_wanted, c);
	if (!binding->limits.has_claim)
		c->released =
			event_new(c->base, binding->device, EV_READ | EV_PERSIST, on_released, c);
	if (!c->wanted || (!c->released && !binding->limits.has_claim))
		return -ENOMEM;
	c->binding = binding;
	c->config = config;
	c->stall_ms = STALL_MIN_MS;
	c->recheck_ms = RECHECK_MIN_MS;
	c->futile = 0;
	look_for_demand(c);
	return 0;
}

void culler_stop(struct culler *c)
{
	drop_event(&c->wanted);
	drop_event(&c->released);
	event_del(c->timer);
	c->binding = NULL;
	c->status->stalled[0] = '\0';
	if (c->task == CULLER_IDLE)
		asks_refuse(&c->asks);
}
