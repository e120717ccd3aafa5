/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cull.h"

#include <sys/statvfs.h>

#include "take.h"

/*
 * Up to so many candidates are culled in the order of their ages, with a look at the free space
 * after each: no more than one object goes that need not have.
 */
#define FINE_BATCH 32

/*
 * The selection holds a quarter more than is wanted and this many: objects in use and objects
 * touched since are passed over without another scan.
 */
#define SPARE_FILES 1024

/* Objects younger than what the first scan selected may have to do when all of that is in use. */
#define SCANS_MAX 4

/*
 * xfs frees the blocks of removed files in a background thread, which its statfs merely hurries:
 * how long to look on while more shows (milliseconds), and how often.
 */
#define SETTLE_MS  20
#define SETTLE_MAX 25

/* A cycle's state beside what the caller sees. */
struct cycle {
	struct cull_cycle *c;
	struct cull_result *r;
	struct victims victims;
	struct scan scan;
	struct taker taker;
	struct cull_demand demand;	      /* as measured when the account was opened */
	uint64_t before_blocks, before_files; /* culled before it was */
	uint64_t started;
};

int cull_measure(const struct store *store, const struct device_state *limits,
		 struct cull_demand *ret)
{
	struct statvfs now;
	uint64_t unit;

	if (fstatvfs(store->cache, &now) < 0)
		return -errno;
	/* The kernel answers EIO to each cull then, with a line of its own in the log. */
	if (now.f_flag & ST_RDONLY)
		return -EROFS;
	/* The kernel compares f_bavail, in blocks of f_frsize, and f_ffree (cachefiles_has_space).
	 */
	unit = MAX(now.f_frsize, 512) / 512;
	ret->blocks = now.f_bavail < limits->brun ? (limits->brun - now.f_bavail) * unit : 0;
	ret->files = now.f_ffree < limits->frun ? limits->frun - now.f_ffree : 0;
	return 0;
}

static bool is_met(const struct cull_demand *d)
{
	return d->blocks == 0 && d->files == 0;
}

size_t cull_batch(const struct victims *v, size_t from, const struct cull_demand *demand)
{
	uint64_t blocks = 0;
	size_t n = 0;

	while (from + n < v->count &&
	       (n < FINE_BATCH || blocks < demand->blocks / 2 || n < demand->files / 2))
		blocks += v->items[from + n++].blocks;
	return n;
}

/* Culls one. Returns 0 to go on, or what ends the cycle. */
static int cull_one(struct cycle *y, const struct victim *v)
{
	int r = take_enter(&y->taker, v->dir, y->scan.volumes[v->dir >> 8], v->dir);

	if (r > 0)
		r = take_object(&y->taker, victims_name(&y->victims, v), v->used, v->blocks);
	return MIN(r, 0);
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t done_blocks(const struct cycle *y)
{
	return y->r->blocks - y->before_blocks;
}

static void open_account(struct cycle *y, const struct cull_demand *demand)
{
	y->demand = *demand;
	y->before_blocks = y->r->blocks;
	y->before_files = y->r->culled;
}

/* What our own account leaves of the demand: exact while nobody else writes or frees. */
static struct cull_demand account(const struct cycle *y)
{
	return (struct cull_demand){
		.blocks = less(y->demand.blocks, done_blocks(y)),
		.files = less(y->demand.files, y->r->culled - y->before_files),
	};
}

static int measure(struct cycle *y, struct cull_demand *ret)
{
	const struct cull_order *o = y->c->order;

	if (!o)
		return cull_measure(y->c->store, &y->c->limits, ret);
	*ret = (struct cull_demand){
		.blocks = less((o->bytes + 511) / 512, y->r->blocks),
		.files = less(o->files, y->r->culled),
	};
	return 0;
}

/*
 * The account is covered: what does the filesystem say? Where it shows freed space only after a
 * commit (btrfs), that is asked for; where it frees in the background (xfs), it gets a moment. A
 * demand that is left is the new account.
 */
static int settle(struct cycle *y)
{
	struct cull_demand now, before = y->demand;
	const struct timespec moment = {.tv_nsec = SETTLE_MS * 1000000L};
	int r = measure(y, &now);

	if (r == 0 && !is_met(&now) && less(before.blocks, now.blocks) <= done_blocks(y) / 2) {
		if (syncfs(y->c->store->cache) < 0)
			return -errno;
		r = measure(y, &now);
	}
	for (unsigned int i = 0; r == 0 && i < SETTLE_MAX && !is_met(&now) &&
				 less(before.blocks, now.blocks) < done_blocks(y);
	     i++) {
		uint64_t seen = now.blocks;

		nanosleep(&moment, NULL);
		r = measure(y, &now);
		if (r == 0 && i >= 2 && now.blocks >= seen)
			break;
	}
	if (r < 0)
		return r;
	open_account(y, &now);
	if (!is_met(&now) && now.blocks >= before.blocks && now.files >= before.files)
		return -ENOSPC; /* all of it culled, and nothing to be seen of it */
	return 0;
}

/*
 * Culls n candidates; a few in the order of their ages and with a look at the free space after
 * each, many by directory. Ends early once the demand is met. 0 or an errno.
 */
static int run_batch(struct cycle *y, size_t from, size_t n, size_t *ret_taken)
{
	bool fine = n <= FINE_BATCH;

	*ret_taken = 0;
	if (!fine)
		victims_group(&y->victims, from, n);
	while (*ret_taken < n) {
		struct cull_demand left = account(y);
		uint64_t culled = y->r->culled;
		int r;

		if (is_met(&left))
			return 0;
		if (atomic_load_explicit(y->c->stop, memory_order_relaxed))
			return -EINTR;
		if (y->c->beat)
			y->c->beat(y->c->beat_data);
		r = cull_one(y, &y->victims.items[from + (*ret_taken)++]);
		if (r == 0 && fine && y->r->culled > culled) {
			r = measure(y, &left);
			if (r == 0 && is_met(&left))
				return 0;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Works through the selection, oldest first. Returns 1 when enough is free, 0 when the selection
 * is used up, or an errno.
 */
static int work_through(struct cycle *y)
{
	size_t at = 0;

	for (;;) {
		struct cull_demand now, left = account(y);
		size_t taken;
		int r = measure(y, &now);

		if (r == 0 && !is_met(&now) &&
		    (is_met(&left) || (at == y->victims.count && y->r->culled > y->before_files))) {
			r = settle(y);
			now = left = y->demand;
		}
		if (r < 0 || is_met(&now))
			return r < 0 ? r : 1;
		if (at == y->victims.count)
			return 0;
		left.blocks = MIN(left.blocks, now.blocks);
		left.files = MIN(left.files, now.files);
		r = run_batch(y, at, cull_batch(&y->victims, at, &left), &taken);
		if (r < 0)
			return r;
		at += taken;
	}
}

static bool has_amount(const struct cull_order *o)
{
	return o->bytes > 0 || o->files > 0;
}

/* The order's word on a volume; one that the last scan has not seen is no orphan. */
static bool is_ordered(struct cycle *y, const char *key)
{
	const struct cull_order *o = y->c->order;
	const struct volumes *known = &y->c->volumes;

	if (o->volumes[0] && !volume_matches(o->volumes, key))
		return false;
	for (size_t i = 0; o->orphans && i < known->count; i++)
		if (streq(known->items[i].key, key))
			return known->items[i].orphan;
	return !o->orphans;
}

static struct scan_choice choose(void *data, const char *key, struct volume *volume)
{
	struct cycle *y = data;
	const struct cull_order *o = y->c->order;
	int64_t now = (int64_t)time(NULL), until = INT64_MAX;

	if (!o)
		return (struct scan_choice){.due = INT64_MIN, .offer = INT64_MAX};
	if (o->older_than > 0)
		until = o->older_than < (uint64_t)now ? (now - (int64_t)o->older_than) * 1000000000
						      : 0;
	return (struct scan_choice){
		.spare = !is_ordered(y, key),
		.due = has_amount(o) ? INT64_MIN : until,
		.offer = has_amount(o) ? until : INT64_MIN,
	};
}

static int take_due(void *data, int fanout, const char *name, uint64_t blocks, bool first)
{
	struct cycle *y = data;
	int r = first ? take_enter_open(&y->taker, fanout) : 1;

	return r > 0 ? take_object_now(&y->taker, name, blocks) : r;
}

/* The table of the scan is whole: which volumes are live, which orphans, and how old it is. */
static void finish_volumes(struct cycle *y, struct volumes *v)
{
	struct timespec now;
	struct statvfs space;

	for (size_t i = 0; i < v->count; i++)
		v->items[i].live = take_is_live(&y->taker, v->items[i].key) == 1;
	volumes_find_orphans(v);
	clock_gettime(CLOCK_REALTIME, &now);
	v->taken = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	v->taken_ms = now_ms();
	if (fstatvfs(y->c->store->cache, &space) == 0) {
		v->avail_blocks = space.f_bavail * (MAX(space.f_frsize, 512) / 512);
		v->avail_files = space.f_ffree;
	}
	volumes_clear(&y->c->volumes);
	y->c->volumes = *v;
}

static int walk_tree(struct cycle *y, struct victims *victims, int64_t younger_than)
{
	uint64_t started = now_ms();
	struct volumes volumes = {0};
	int r;

	scan_free(&y->scan);
	y->scan = (struct scan){
		.store = y->c->store,
		.victims = victims,
		.younger_than = younger_than,
		.by_volume = &volumes,
		.choose = choose,
		.take = take_due,
		.data = y,
		.stop = y->c->stop,
		.beat = y->c->beat,
		.beat_data = y->c->beat_data,
	};
	r = scan_run(&y->scan);
	y->r->scans++;
	y->r->scan_ms += now_ms() - started;
	y->r->found = y->scan.found;
	atomic_fetch_add(&y->c->progress.scanned_files, y->scan.found.objects);
	if (r == 0)
		finish_volumes(y, &volumes);
	else
		volumes_clear(&volumes);
	return r;
}

/* A quarter more than is wanted, without going over. */
static uint64_t and_a_quarter(uint64_t n)
{
	return n > UINT64_MAX / 2 ? UINT64_MAX : n + n / 4;
}

/* One scan for what is wanted now, of objects used after younger_than. */
static int select_victims(struct cycle *y, int64_t younger_than, uint64_t spare)
{
	int r;

	victims_start(&y->victims, and_a_quarter(y->demand.blocks),
		      and_a_quarter(y->demand.files) + spare, y->c->memory);
	r = walk_tree(y, &y->victims, younger_than);
	victims_sort(&y->victims);
	return r;
}

static int cull_demanded(struct cycle *y)
{
	int64_t tried = INT64_MIN;
	uint64_t spare = SPARE_FILES;
	struct cull_demand now;
	int r;

	for (unsigned int i = 0; i < SCANS_MAX; i++, spare *= 16) {
		bool all;

		r = measure(y, &now);
		if (r < 0 || is_met(&now))
			return r < 0 ? r : 1;
		open_account(y, &now);
		r = select_victims(y, tried, spare);
		if (r < 0)
			return r;
		if (y->victims.count == 0)
			return 0;
		all = y->victims.count + y->scan.passed_over >= y->scan.found.objects;
		tried = y->victims.items[y->victims.count - 1].used;
		r = work_through(y);
		if (r != 0 || all)
			return r;
	}
	return 0;
}

/*
 * Orphans are dropped whole: of the table of a scan that is fresh, since who is live can change.
 * Those that a rename does not take are in use, and no orphans any more.
 */
static int drop_orphans(struct cycle *y)
{
	int r = walk_tree(y, NULL, INT64_MIN);

	for (size_t i = 0; r >= 0 && i < y->c->volumes.count; i++) {
		struct volume *volume = &y->c->volumes.items[i];

		if (volume->orphan && is_ordered(y, volume->key))
			r = take_volume(&y->taker, volume->key, volume->objects, volume->blocks);
	}
	return r < 0 ? r : 1;
}

/* All that the order lets go goes during the walk: nothing has to be chosen. */
static int cull_all(struct cycle *y)
{
	int r;

	for (unsigned int i = 0; i < SCANS_MAX; i++) {
		uint64_t culled = y->r->culled;

		r = walk_tree(y, NULL, INT64_MIN);
		if (r < 0)
			return r;
		/* A listing may leave out entries when others are removed meanwhile. */
		if (y->r->culled == culled)
			break;
	}
	return 1;
}

static int run_cycle(struct cycle *y)
{
	const struct cull_order *o = y->c->order;

	if (y->c->scan_only)
		return MIN(walk_tree(y, NULL, INT64_MIN), 1);
	if (o && o->orphans && !has_amount(o) && o->older_than == 0)
		return drop_orphans(y);
	if (o && o->orphans) { /* which ones are, a scan has to tell first */
		int r = walk_tree(y, NULL, INT64_MAX);

		if (r < 0)
			return r;
	}
	return o && !has_amount(o) ? cull_all(y) : cull_demanded(y);
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
	bool all = o && !has_amount(o);
	struct cull_demand wanted = {0};

	if (!y->c->scan_only)
		measure(y, &wanted);
	atomic_store(&y->c->progress.wanted_bytes, all ? UINT64_MAX : wanted.blocks * 512);
	atomic_store(&y->c->progress.wanted_files, all ? UINT64_MAX : wanted.files);
}

void cull_run(struct cull_cycle *c)
{
	struct cycle y = {
		.c = c,
		.r = &c->result,
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
	publish_demand(&y);
	r = run_cycle(&y);
	victims_free(&y.victims);
	if (r >= 0) {
		int swept = scan_sweep(&y.scan, has_time, &y);

		c->result.found.removed = y.scan.found.removed;
		r = swept < 0 ? swept : r;
	}
	c->result.end = end_of(r);
	c->result.error = c->result.end == CULL_FAILED ? -r : 0;
	c->result.total_ms = now_ms() - y.started;
	r = take_leave(&y.taker);
	if (r < 0)
		c->result.error = -r;
	scan_free(&y.scan);
}
