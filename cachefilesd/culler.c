/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "culler-inside.h"

#include <stdio.h>

#include "log.h"
#include "report.h"

/* After a cycle that could not free what is wanted; doubles from the first to the second. */
#define STALL_MIN_MS 2000
#define STALL_MAX_MS 60000

/* Nor more often than so many times what such a cycle takes: a large tree is not scanned all day.
 */
#define STALL_SHARE	50
#define STALL_LATEST_MS 3600000

/* The kernel still counts writes in flight: ask again soon; doubles from the first to the second.
 */
#define RECHECK_MIN_MS 200
#define RECHECK_MAX_MS 10000

/* Cycles in a row that freed nothing visible before that is a stall. */
#define FUTILE_MAX 3

static void start_cycle(struct culler *c, enum culler_task task);
static void consider(struct culler *c);

static void arm_event(struct event *event, uint64_t ms)
{
	struct timeval after = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

	event_add(event, &after);
}

static void arm(struct culler *c, uint64_t ms)
{
	arm_event(c->timer, ms);
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
	arm(c, MAX(c->stall_ms, MIN(r->total_ms * STALL_SHARE, STALL_LATEST_MS)));
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
	report_orphans(&c->volumes, &c->cycle.volumes);
	volumes_clear(&c->volumes);
	c->volumes = c->cycle.volumes;
	c->cycle.volumes = (struct volumes){0};
	lookout_scanned(&c->lookout, &c->volumes, &c->cycle.result);
}

/* A quota that cannot be kept is told once. */
static void tidied(struct culler *c, const struct cull_result *r)
{
	char why[sizeof(c->status->stalled)];

	if (!lookout_tidied(&c->lookout, r))
		return;
	status_describe_stall(r, why, sizeof(why));
	log_warning("a quota cannot be kept: %s", why);
}

static void on_cycle(void *data)
{
	struct culler *c = data;
	const struct cull_result r = c->cycle.result;
	enum culler_task task = c->task;

	c->task = CULLER_IDLE;
	c->status->culling = false;
	if (task == CULLER_SCANS || task == CULLER_CHOOSES)
		report_findings(c->status, &r.found);
	else if (r.scans > 0 || r.culled > 0)
		report_cycle(c->status, &r);
	take_findings(c);
	c->cycle_rules = rules_drop(c->cycle_rules);
	if (task == CULLER_TIDIES)
		tidied(c, &r);
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
	consider(c);
}

void culler_sample(struct culler *c)
{
	lookout_sample(&c->lookout, c->store);
}

static void sample_job(void *data)
{
	culler_sample(data);
}

static void on_sampled(void *data)
{
	struct culler *c = data;

	if (c->binding)
		culler_look(c);
	else
		c->owner.idle(c->owner.data);
}

static void on_gauged(evutil_socket_t fd, short what, void *data)
{
	struct culler *c = data;

	/* Whatever keeps the worker busy has consider() called at its end. */
	if (c->binding)
		worker_run(c->worker, sample_job, on_sampled, c);
}

/* Another configuration: what was chosen by other rules is of no use. */
static void take_rules(struct culler *c)
{
	if (lookout_take_rules(&c->lookout, c->config->rules, &c->volumes))
		selection_clear(&c->selection);
}

/* What nobody asked for: the rules, and what the kernel will ask for soon. */
static void consider(struct culler *c)
{
	enum lookout_advice advice;
	uint64_t next;

	if (!c->binding || worker_busy(c->worker) || c->config->nocull || c->status->stalled[0])
		return;
	take_rules(c);
	advice = lookout_advise(&c->lookout, &c->binding->limits, selection_left(&c->selection) > 0,
				&next);
	if (advice != LOOKOUT_WAIT)
		start_cycle(c, advice == LOOKOUT_TIDY ? CULLER_TIDIES : CULLER_CHOOSES);
	if (next > 0 && !event_pending(c->gauged, EV_TIMEOUT, NULL))
		arm_event(c->gauged, next);
}

static void run_cycle(void *data)
{
	struct culler *c = data;

	cull_run(&c->cycle);
}

static void start_cycle(struct culler *c, enum culler_task task)
{
	static const enum cull_purpose purposes[] = {
		[CULLER_SCANS] = CULL_TO_LOOK,	  [CULLER_CHOOSES] = CULL_TO_CHOOSE,
		[CULLER_CULLS] = CULL_FOR_LIMITS, [CULLER_TIDIES] = CULL_FOR_RULES,
		[CULLER_OBEYS] = CULL_FOR_ORDER,
	};

	take_rules(c);
	c->cycle = (struct cull_cycle){
		.purpose = purposes[task],
		.device = c->binding->device,
		.store = &c->binding->store,
		.limits = c->binding->limits,
		.rules = c->lookout.rules,
		.usage = gauge_usage(&c->lookout.gauge),
		.memory = c->config->memory,
		.order = task == CULLER_OBEYS ? &c->asks.order : NULL,
		.selection = &c->selection,
		.stop = worker_stop_flag(c->worker),
		.beat = worker_beat,
		.beat_data = c->worker,
	};
	if (worker_run(c->worker, run_cycle, on_cycle, c) < 0)
		return; /* a probe is in hand: its end looks for demand again */
	c->cycle_rules = rules_hold(c->lookout.rules);
	c->task = task;
	c->cycles++;
	c->asks.served = c->asks.scan_count;
	if (task == CULLER_CULLS) {
		event_del(c->timer);
		listen_for_released(c, false);
	}
	event_del(c->wanted);
	c->status->culling = task >= CULLER_CULLS;
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
	consider(c);
}

static void on_asked(evutil_socket_t fd, short what, void *data)
{
	serve(data);
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
	c->gauged = evtimer_new(base, on_gauged, c);
	lookout_start(&c->lookout);
	if (!c->timer || !c->asked || !c->gauged) {
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
	drop_event(&c->gauged);
	rules_drop(c->cycle_rules);
	lookout_stop(&c->lookout);
	volumes_clear(&c->volumes);
	volumes_clear(&c->cycle.volumes);
	selection_clear(&c->selection);
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
	c->store = &binding->store;
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
	event_del(c->gauged);
	c->binding = NULL;
	c->status->stalled[0] = '\0';
	if (c->task == CULLER_IDLE)
		asks_refuse(&c->asks);
}
