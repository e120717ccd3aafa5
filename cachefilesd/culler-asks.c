/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people ask of the culler, and what they may know. */
#include "culler-inside.h"

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

struct cull_usage culler_usage(const struct culler *c, uint64_t *ret_ms)
{
	*ret_ms = c->lookout.gauge.looked_ms;
	return gauge_usage(&c->lookout.gauge);
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
