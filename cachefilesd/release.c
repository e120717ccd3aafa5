/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cache-parts.h"
#include "keep.h"
#include "log.h"

/* A cache that lived so long starts over with the short delay when it dies. */
#define LIVED_MS (10 * 60 * 1000)

static void close_job(void *data)
{
	struct cache *c = data;

	c->unbind_error = 0;
	if (c->keeps_device) {
		c->unbind_error = binding_unbind(&c->binding);
		return;
	}
	binding_close(&c->binding);
	if (c->dropped)
		binding_await_release();
}

static void on_closed(void *data)
{
	struct cache *c = data;

	if (c->unbind_error < 0) {
		log_event(
			LOG_WARNING, MESSAGE_UNBIND_FAILED,
			"the kernel does not let go of the cache in %s (%s): the device is closed",
			c->config->dir, strerror(-c->unbind_error));
		c->keeps_device = c->binding.knows_unbind = false;
		c->dropped = keep_is_kept();
		keep_drop();
		cache_go_on_closing(c);
		return;
	}
	if (c->keeps_device) {
		c->attempt.unbound = steal_fd(&c->binding.device);
		claim_unbound(c->claim, &c->binding.limits);
	}
	if (c->stopping && keep_is_kept() && !c->keeps_device)
		log_event(LOG_NOTICE, MESSAGE_KEPT,
			  "the cache in %s stays bound for as long as the service manager keeps it",
			  c->config->dir);
	else if (c->stopping || !c->status.yielding)
		log_event(LOG_NOTICE, MESSAGE_WITHDRAWN, "the cache in %s is withdrawn",
			  c->config->dir);
	if (c->stopping) {
		cache_finish(c, c->exit_code);
		return;
	}
	if (c->status.yielding)
		claim_yielded(c->claim);
	else
		snprintf(c->status.waiting, sizeof(c->status.waiting), "to bind %s again",
			 c->config->dir);
	c->status.state = CACHE_WAITING;
	cache_changed(c);
	if (c->status.yielding == YIELD_FREEZE)
		cache_arm(c->timer, claim_delay(c->claim));
	else
		cache_retry_later(c);
}

/* Withdraws the cache as soon as no worker is in it. */
void cache_go_on_closing(void *data)
{
	struct cache *c = data;

	if (c->status.state != CACHE_CLOSING || worker_busy(c->worker) || reaper_busy(c->reaper) ||
	    watch_busy(c->watch))
		return;
	worker_run(c->worker, close_job, on_closed, c);
}

void cache_close_binding(struct cache *c)
{
	c->keeps_device = c->binding.knows_unbind && !c->stopping;
	if (!c->keeps_device && !c->stopping) {
		c->dropped = keep_is_kept();
		keep_drop();
	}
	claim_stop(c->claim);
	cache_set_state(c, CACHE_CLOSING);
	event_del(c->timer);
	culler_stop(c->culler);
	reaper_stop(c->reaper);
	watch_stop(c->watch);
	worker_stop(c->worker);
	cache_go_on_closing(c);
}

void cache_lose(struct cache *c, enum message message, const char *why)
{
	log_event(LOG_ERR, message, "%s; the cache is withdrawn and will be bound again", why);
	c->status.deaths++;
	if (now_ms() - c->bound_at > LIVED_MS)
		c->retry_ms = RETRY_MIN_MS;
	cache_close_binding(c);
}

void cache_on_dead(void *data)
{
	cache_lose(data, MESSAGE_DEAD, "the kernel declared the cache dead");
}

void cache_yield_for(void *data, enum yield_reason why)
{
	struct cache *c = data;

	if (c->status.state != CACHE_BOUND)
		return;
	c->status.yielding = why;
	c->status.yields++;
	c->retry_ms = RETRY_MIN_MS;
	cache_close_binding(c);
}

void cache_bind_again(void *data)
{
	struct cache *c = data;

	if (c->status.state != CACHE_WAITING || c->stopping)
		return;
	c->retry_ms = RETRY_MIN_MS;
	event_del(c->timer);
	cache_start_binding(c);
}

void cache_yield(struct cache *c, uint64_t seconds)
{
	if (c->stopping || c->status.state == CACHE_STOPPED)
		return;
	claim_hold(c->claim, seconds * 1000);
	if (c->status.state == CACHE_BOUND) {
		cache_yield_for(c, YIELD_ORDER);
		return;
	}
	/* An attempt in hand ends first, and sees the hold. */
	if (!c->status.yielding)
		c->status.yields++;
	c->status.yielding = YIELD_ORDER;
	if (c->status.state == CACHE_WAITING) {
		event_del(c->timer);
		claim_yielded(c->claim);
	}
	cache_changed(c);
}

void cache_resume(struct cache *c)
{
	if (!claim_holds(c->claim))
		return;
	claim_resume(c->claim);
	cache_bind_again(c);
}

bool cache_is_yielded(const struct cache *c)
{
	return c->status.yielding && c->status.state == CACHE_WAITING;
}
