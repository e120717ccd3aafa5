/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claim.h"

#include <inttypes.h>
#include <stdio.h>

#include "log.h"

/* Asking a frozen filesystem costs next to nothing, and a thaw raises no event. Doubles. */
#define DELAY_MIN_MS 100
#define DELAY_MAX_MS 5000

/* A remount that was refused is tried again by a person, or a script: so long it finds us gone. */
#define REMOUNT_WINDOW_MS 30000

/* A freezer that tries again and again is told of that often. */
#define TELL_MS 10000

/* What can be refused. */
struct kind {
	const char *what, *name; /* "freeze", "a freeze" */
	enum message message;
	const char *advice;
	uint64_t seen;	  /* as the kernel counts it */
	uint64_t untold;  /* since the last message */
	uint64_t told_at; /* 0: never */
};

struct claim {
	const struct config *config;
	struct status *status;
	struct claim_owner owner;
	const struct binding *binding; /* NULL: stopped */
	struct kind freeze, remount;
	struct event *hold; /* its end */
	bool holds, started;
	bool read_only; /* has been told */
	uint64_t delay_ms;
	uint64_t asked_at; /* by a freezer that waits for us; 0: nobody does */
};

/* Counts and tells; the message at most every ten seconds. */
static void refused(struct claim *c, struct kind *k, uint64_t n, uint64_t *total)
{
	struct refusal *last = &c->status->refused;

	*total += n;
	last->at = time(NULL);
	last->what = k->what;
	last->advice = k->advice;
	snprintf(last->text, sizeof(last->text),
		 "%s of %s was refused: the cache in %s writes to it", k->name, c->status->backing,
		 c->config->dir);
	k->untold += n;
	if (k->told_at != 0 && now_ms() - k->told_at < TELL_MS)
		return;
	if (k->untold > 1)
		log_event(LOG_WARNING, k->message,
			  "%s (%" PRIu64 " times since the last message); %s", last->text,
			  k->untold, k->advice);
	else
		log_event(LOG_WARNING, k->message, "%s; %s", last->text, k->advice);
	k->untold = 0;
	k->told_at = now_ms();
}

static void on_freezes(struct claim *c, uint64_t n)
{
	if (c->config->freeze == POLICY_REFUSE) {
		refused(c, &c->freeze, n, &c->status->refused_freezes);
		return;
	}
	log_info("somebody freezes %s: letting go of the cache", c->status->backing);
	c->asked_at = now_ms();
	c->owner.yield(c->owner.data, YIELD_FREEZE);
}

static void on_remounts(struct claim *c, uint64_t n)
{
	refused(c, &c->remount, n, &c->status->refused_remounts);
	if (c->config->remount == POLICY_REFUSE)
		return;
	claim_hold(c, REMOUNT_WINDOW_MS);
	c->owner.yield(c->owner.data, YIELD_REMOUNT);
}

void claim_seen(struct claim *c, const struct device_state *state)
{
	uint64_t freezes, remounts;

	if (!c->binding || !state->has_claim)
		return;
	freezes = state->frzref - c->freeze.seen;
	remounts = state->roref - c->remount.seen;
	c->freeze.seen = c->status->kernel.frzref = state->frzref;
	c->remount.seen = c->status->kernel.roref = state->roref;
	if (state->dead) {
		c->owner.dead(c->owner.data);
		return;
	}
	if (freezes > 0)
		on_freezes(c, freezes);
	if (remounts > 0 && c->binding)
		on_remounts(c, remounts);
}

void claim_read_only(struct claim *c, bool read_only)
{
	bool news = read_only && !c->read_only;

	c->read_only = read_only;
	if (!c->binding || !read_only)
		return;
	if (c->binding->limits.has_claim && c->config->remount == POLICY_REFUSE) {
		/* Of the filesystem itself the kernel would not have let it be done. */
		if (news)
			log_event(
				LOG_WARNING, MESSAGE_READ_ONLY,
				"the mount of %s that holds %s is read-only now; the cache has one of its "
				"own and goes on writing: \"remount yield\" lets go of it",
				c->status->backing, c->config->dir);
		return;
	}
	log_event(LOG_WARNING, MESSAGE_READ_ONLY,
		  "%s has become read-only: the cache in %s is let go of until it is writable",
		  c->status->backing, c->config->dir);
	c->owner.yield(c->owner.data, YIELD_REMOUNT);
}

void claim_start(struct claim *c, const struct binding *binding, bool adopted, bool reused)
{
	/* Of another life of ours, or of another device: nothing of it is to be done now. */
	if (adopted || (reused && !c->started)) {
		c->freeze.seen = binding->limits.frzref;
		c->remount.seen = binding->limits.roref;
	} else if (!reused) {
		c->freeze.seen = c->remount.seen = 0;
	}
	c->started = true;
	c->read_only = false;
	c->delay_ms = DELAY_MIN_MS;
	c->asked_at = 0;
	c->binding = binding;
	c->status->kernel.known = true;
	c->status->kernel.claim = binding->limits.has_claim;
	c->status->kernel.unbind = binding->knows_unbind;
	claim_seen(c, &binding->limits);
}

void claim_stop(struct claim *c)
{
	c->binding = NULL;
}

void claim_unbound(struct claim *c, const struct device_state *state)
{
	c->freeze.seen = state->frzref;
	c->remount.seen = state->roref;
}

void claim_hold(struct claim *c, uint64_t ms)
{
	struct timeval after = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

	c->holds = true;
	event_del(c->hold);
	if (ms > 0)
		event_add(c->hold, &after);
}

bool claim_holds(const struct claim *c)
{
	return c->holds;
}

void claim_resume(struct claim *c)
{
	c->holds = false;
	event_del(c->hold);
}

static void on_hold(evutil_socket_t fd, short what, void *data)
{
	struct claim *c = data;

	c->holds = false;
	c->owner.resume(c->owner.data);
}

/* The kernel has told the freezer no meanwhile. */
static void tell_lateness(struct claim *c)
{
	uint64_t ms = now_ms() - c->asked_at;

	if (c->asked_at == 0 || ms < c->config->yield_seconds * 1000)
		return;
	log_event(LOG_WARNING, MESSAGE_FREEZE_REFUSED,
		  "letting go of the cache took %" PRIu64 " s, longer than the freeze of %s waits: "
		  "give \"freeze yield\" a longer time, or look for a server that does not answer",
		  ms / 1000, c->status->backing);
	c->status->refused_freezes++;
}

void claim_yielded(struct claim *c)
{
	static const char *const for_what[] = {
		[YIELD_FREEZE] = "a freeze; it is bound again after the thaw",
		[YIELD_REMOUNT] =
			"a read-only remount; it is bound again when the filesystem is writable",
		[YIELD_ORDER] = "as it was told, until it is told to resume",
	};
	static const char *const waits[] = {
		[YIELD_FREEZE] = "let go of for a freeze, until the thaw",
		[YIELD_REMOUNT] = "let go of for a read-only remount, until it is writable again",
		[YIELD_ORDER] = "let go of by hand, until it is told to resume",
	};
	struct status *s = c->status;
	bool ends = s->yielding == YIELD_ORDER && event_pending(c->hold, EV_TIMEOUT, NULL);

	tell_lateness(c);
	c->asked_at = 0;
	c->delay_ms = DELAY_MIN_MS;
	s->hindered = false;
	log_event(LOG_NOTICE, MESSAGE_YIELDED, "the cache in %s is let go of: %s%s", c->config->dir,
		  for_what[s->yielding], ends ? " or its time is over" : "");
	snprintf(s->waiting, sizeof(s->waiting), "%s%s", waits[s->yielding],
		 ends ? " or its time is over" : "");
}

uint64_t claim_delay(struct claim *c)
{
	uint64_t ms = c->delay_ms;

	c->delay_ms = MIN(ms * 2, DELAY_MAX_MS);
	return ms;
}

int claim_new(struct claim **ret, struct event_base *base, const struct config *config,
	      struct status *status, const struct claim_owner *owner)
{
	struct claim *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->config = config;
	c->status = status;
	c->owner = *owner;
	c->delay_ms = DELAY_MIN_MS;
	c->freeze = (struct kind){
		.what = "freeze",
		.name = "a freeze",
		.message = MESSAGE_FREEZE_REFUSED,
		.advice =
			"\"freeze yield\" in the configuration lets freezes through, \"cachefilesctl "
			"yield\" the next one",
	};
	c->remount = (struct kind){
		.what = "remount",
		.name = "a read-only remount",
		.message = MESSAGE_REMOUNT_REFUSED,
		.advice =
			"\"remount yield\" in the configuration lets the second attempt through, "
			"\"cachefilesctl yield\" the next one; other writers may stand in its way too",
	};
	c->hold = evtimer_new(base, on_hold, c);
	if (!c->hold) {
		free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

struct claim *claim_free(struct claim *c)
{
	if (!c)
		return NULL;
	event_free(c->hold);
	free(c);
	return NULL;
}
