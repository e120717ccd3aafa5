/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cycle.h"
#include "gauge.h"

/*
 * Up to so many candidates are culled in the order of their ages, with a look at the free space
 * after each: no more than one object goes that need not have.
 */
#define FINE_BATCH 32

/* The selection holds that many beyond what is wanted, however little that is. */
#define SPARE_FILES 1024

/* Objects younger than what the first scan selected may have to do when all of that is in use. */
#define SCANS_MAX 4

/* Culls one. Returns 0 to go on, or what ends the cycle. */
static int cull_one(struct cycle *y, const struct victim *v)
{
	struct selection *s = y->selection;
	struct victim victim = *v; /* its place may be taken by one that is kept */
	uint64_t busy = y->r->busy;
	int r = take_enter(&y->taker, v->dir, s->volumes[v->dir >> 8], v->dir);

	if (r > 0)
		r = take_object(&y->taker, victims_name(&s->victims, v), v->used, v->blocks);
	if (y->r->busy > busy)
		selection_keep(s, &victim);
	return MIN(r, 0);
}

/*
 * Culls the next n candidates; a few in the order of their ages and with a look at the free space
 * after each, many by directory. Ends early once the demand is met. 0 or an errno.
 */
static int run_batch(struct cycle *y, size_t n)
{
	struct selection *s = y->selection;
	size_t end = s->at + n;
	bool fine = n <= FINE_BATCH;

	if (fine)
		victims_sort(&s->victims, s->at, n);
	else
		victims_group(&s->victims, s->at, n);
	while (s->at < end) {
		struct cull_demand left = demand_account(y);
		uint64_t culled = y->r->culled;
		int r;

		if (is_met(&left))
			return 0;
		if (atomic_load_explicit(y->c->stop, memory_order_relaxed))
			return -EINTR;
		if (y->c->beat)
			y->c->beat(y->c->beat_data);
		r = cull_one(y, &s->victims.items[s->at++]);
		if (r == 0 && fine && y->r->culled > culled) {
			r = demand_measure(y, &left);
			if (r == 0 && is_met(&left))
				return 0;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Works through the selection, those that go first before the others: by halves of what is wanted,
 * so that the last batches are small, and what is culled in the order of directories stays within
 * what age would have chosen. Returns 1 when enough is free, 0 when the selection is used up, or an
 * errno.
 */
static int work_through(struct cycle *y)
{
	struct selection *s = y->selection;

	for (;;) {
		struct cull_demand now, left = demand_account(y);
		int r = demand_measure(y, &now);

		if (r == 0 && !is_met(&now) &&
		    (is_met(&left) || (selection_left(s) == 0 && y->r->culled > y->before_files))) {
			r = demand_settle(y);
			now = left = y->demand;
		}
		if (r < 0 || is_met(&now))
			return r < 0 ? r : 1;
		if (selection_left(s) == 0)
			return 0;
		left.blocks = MIN(left.blocks, now.blocks);
		left.files = MIN(left.files, now.files);
		r = run_batch(y, victims_front(&s->victims, s->at, left.blocks / 2,
					       MAX(left.files / 2, FINE_BATCH)));
		if (r < 0)
			return r;
	}
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Culls of a volume what it has too much. */
static int trim_volume(struct cycle *y, struct volume *volume, uint64_t max_blocks)
{
	struct selection own = {0}, *all = y->selection;
	uint64_t blocks = y->r->blocks, culled = y->r->culled;
	struct cull_demand now;
	int r;

	y->trims = true;
	y->trim_until = blocks + volume->blocks - max_blocks;
	y->selection = &own;
	demand_measure(y, &now);
	demand_open_account(y, &now);
	selection_start(&own, now.blocks, SPARE_FILES, survey_memory(y));
	r = survey_volume(y, volume->key);
	victims_finish(&own.victims);
	if (r == 0)
		r = work_through(y);
	selection_clear(&own);
	y->selection = all;
	y->trims = false;
	volume->blocks = less(volume->blocks, y->r->blocks - blocks);
	volume->objects = less(volume->objects, y->r->culled - culled);
	y->taker.dir = -1;
	/* Of one volume alone that there was nothing to be culled, or to be seen of it. */
	return r == -ENOSPC ? 0 : MIN(r, 0);
}

/* Volumes that are too large by the last scan: each has its own. */
static int trim_volumes(struct cycle *y)
{
	const struct rules *rules = y->c->rules;
	int r = 0;

	for (size_t i = 0; rules && r == 0 && i < y->c->volumes.count; i++) {
		struct volume *volume = &y->c->volumes.items[i];
		struct rule rule = rules_get(rules, volume->rule);

		if (rule.max_size > 0 && volume->blocks > rule.max_size / 512)
			r = trim_volume(y, volume, cull_below(rule.max_size) / 512);
	}
	return r;
}

/* The next scan passes over what this one has chosen, but for those of the last one's age. */
static void note_tried(struct cycle *y)
{
	const struct victims *v = &y->selection->victims;

	if (!v->closed)
		return;
	y->has_tried = true;
	y->tried_priority = v->cut.priority;
	y->tried_used = v->cut.used;
}

/* What only a scan can tell: ages, and how large volumes are. */
static bool needs_scan(const struct cycle *y)
{
	const struct rules *rules = y->c->rules;

	if (y->c->purpose != CULL_FOR_RULES)
		return false;
	if (rules->max_age > 0 || (!y->usage.known && (rules->max_size || rules->max_files)))
		return true;
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].max_age > 0 || rules->items[i].max_size > 0)
			return true;
	return false;
}

/* Scans and culls until there is enough, or until a scan has left nothing out. */
static int cull_demanded(struct cycle *y)
{
	uint64_t spare = SPARE_FILES;
	bool scan = needs_scan(y);
	struct cull_demand now;
	int r;

	selection_restart(y->selection);
	for (unsigned int i = 0;; spare *= 16) {
		r = demand_measure(y, &now);
		if (r < 0 || (is_met(&now) && !scan))
			return r < 0 ? r : 1;
		demand_open_account(y, &now);
		if (!scan && selection_left(y->selection) > 0) { /* of an earlier cycle, or ahead */
			r = work_through(y);
			if (r != 0)
				return r;
			continue;
		}
		if (i++ == SCANS_MAX)
			return 0;
		scan = false;
		r = survey_select(y, spare);
		if (r == 0 && i == 1)
			r = trim_volumes(y);
		if (r == 0)
			r = demand_measure(y, &now);
		if (r < 0)
			return r;
		demand_open_account(y, &now);
		r = is_met(&now) ? 1 : work_through(y);
		if (r != 0 || (!y->selection->victims.closed && !y->selection->victims.full))
			return r;
		note_tried(y);
	}
}

/* An order has candidates of its own; those of the limits stay as they are. */
static int obey(struct cycle *y)
{
	struct selection own = {0};
	int r;

	y->selection = &own;
	r = cull_demanded(y);
	selection_clear(&own);
	return r;
}

/*
 * Orphans are dropped whole: of the table of a scan that is fresh, since who is live can change.
 * Those that a rename does not take are in use, and no orphans any more.
 */
static int drop_orphans(struct cycle *y)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < y->c->volumes.count; i++) {
		struct volume *volume = &y->c->volumes.items[i];

		if (volume->orphan && survey_is_ordered(y, volume->key))
			r = take_volume(&y->taker, volume->key, volume->objects, volume->blocks);
	}
	return r < 0 ? r : 1;
}

/* All that the order lets go goes during the walk: nothing has to be chosen. */
static int cull_all(struct cycle *y)
{
	for (unsigned int i = 0; i < SCANS_MAX; i++) {
		uint64_t culled = y->r->culled;
		int r = survey_walk(y, false);

		if (r < 0)
			return r;
		/* A listing may leave out entries when others are removed meanwhile. */
		if (y->r->culled == culled)
			break;
	}
	return 1;
}

static int carry_out(struct cycle *y)
{
	const struct cull_order *o = y->c->order;

	if (o->orphans) { /* which ones are, a scan has to tell first */
		int r = survey_walk(y, false);

		if (r < 0)
			return r;
		if (!order_has_amount(o) && o->older_than == 0)
			return drop_orphans(y);
	}
	return order_has_amount(o) ? obey(y) : cull_all(y);
}

/*
 * Chooses ahead, for when the kernel will ask: what is then wanted is at least what is between its
 * limits.
 */
static int choose_ahead(struct cycle *y)
{
	const struct device_state *l = &y->c->limits;
	struct cull_demand now;
	int r = demand_measure(y, &now);

	if (r < 0)
		return r;
	if (is_met(&now))
		now.blocks = l->brun - MIN(l->brun, l->bcull);
	demand_open_account(y, &now);
	return survey_select(y, SPARE_FILES);
}

static int run_cycle(struct cycle *y)
{
	int r = 1;

	switch (y->c->purpose) {
	case CULL_FOR_LIMITS:
	case CULL_FOR_RULES:
		r = cull_demanded(y);
		if (r == 0) /* the next cycle asks for those in use anew, and once */
			selection_clear(y->selection);
		return r;
	case CULL_FOR_ORDER:
		return carry_out(y);
	case CULL_TO_CHOOSE:
		r = choose_ahead(y);
		break;
	case CULL_TO_LOOK:
		r = survey_walk(y, false);
		break;
	}
	return r < 0 ? r : 1;
}

/* Whether empty directories may be removed still: nothing is more urgent. */
static bool has_time(void *data)
{
	struct cycle *y = data;
	struct device_state cull = {.brun = y->c->limits.bcull, .frun = y->c->limits.fcull};
	struct cull_demand pressing;

	return cull_measure(y->c->store, &cull, &pressing) == 0 && is_met(&pressing);
}

static enum cull_end end_of(int r)
{
	switch (r) {
	case 1:
		return CULL_ENOUGH;
	case 0:
		return CULL_EXHAUSTED;
	case -EINTR:
		return CULL_STOPPED;
	case -EOWNERDEAD:
		return CULL_CACHE_DEAD;
	case -ENOSPC:
		return CULL_FUTILE;
	default:
		return CULL_FAILED;
	}
}

static void publish_demand(struct cycle *y)
{
	const struct cull_order *o = y->c->order;
	bool all = o && !order_has_amount(o);
	struct cull_demand wanted = {0};

	if (y->c->purpose <= CULL_FOR_ORDER)
		demand_measure(y, &wanted);
	atomic_store(&y->c->progress.wanted_bytes, all ? UINT64_MAX : wanted.blocks * 512);
	atomic_store(&y->c->progress.wanted_files, all ? UINT64_MAX : wanted.files);
}

/* Empty directories, when all else is done. */
static int sweep(struct cycle *y)
{
	int r = scan_sweep(&y->scan, has_time, y);

	if (y->r->scans > 0)
		y->r->found.removed = y->scan.found.removed;
	return r;
}

/* What the scan found, less what was culled since, and the room that there is now. */
static void finish_volumes(struct cycle *y)
{
	struct volumes *v = &y->c->volumes;
	struct gauge_space space = {0};
	uint64_t unit;

	if (v->taken == 0)
		return;
	v->blocks = less(v->blocks, y->r->blocks - y->usage_blocks);
	v->objects = less(v->objects, y->r->culled - y->usage_files);
	if (cull_space(y->c->store, &space, &unit) == 0) {
		v->avail_blocks = space.avail_blocks;
		v->avail_files = space.avail_files;
	}
}

void cull_run(struct cull_cycle *c)
{
	struct cycle y = {
		.c = c,
		.r = &c->result,
		.selection = c->selection,
		.started = now_ms(),
		.taker =
			{
				TAKER_NOWHERE,
				.device = c->device,
				.store = c->store,
				.result = &c->result,
				.progress = &c->progress,
				.started = now_ms(),
			},
	};
	int r;

	c->result = (struct cull_result){0};
	demand_set_usage(&y, &c->usage);
	publish_demand(&y);
	r = run_cycle(&y);
	if (r >= 0 && sweep(&y) == -EINTR)
		r = -EINTR;
	finish_volumes(&y);
	c->result.end = end_of(r);
	c->result.error = c->result.end == CULL_FAILED ? -r : 0;
	c->result.total_ms = now_ms() - y.started;
	r = take_leave(&y.taker);
	if (r < 0)
		c->result.error = -r;
}
