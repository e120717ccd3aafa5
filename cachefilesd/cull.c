/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cull.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

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

/* Refusals in a row, not of single objects, after which the next will hardly fare better. */
#define DENIED_MAX 256

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
	struct cull_demand demand;	  /* as measured when the account was opened */
	uint64_t done_blocks, done_files; /* culled since */
	uint64_t started;
	unsigned int denied_in_a_row;
	/* The fan-out that is our working directory. */
	int64_t dir;
	int dir_fd;
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

/* Makes the victim's fan-out the working directory of this thread. */
static int enter(struct cycle *y, uint32_t dir)
{
	_cleanup_close_ int volume = -1;
	char fanout[8];
	struct stat st;
	int r;

	if (y->dir == (int64_t)dir)
		return 0;
	closep(&y->dir_fd);
	y->dir_fd = -1;
	y->dir = -1;
	snprintf(fanout, sizeof(fanout), "@%02x", dir & 0xff);
	r = store_open_dir(y->c->store->cache, y->scan.volumes[dir >> 8], &volume);
	if (r == 0)
		r = store_open_dir(volume, fanout, &y->dir_fd);
	if (r < 0)
		return r;
	/* The kernel does not look where we stand: be sure that it is in the cache. */
	if (fstat(y->dir_fd, &st) < 0)
		return -errno;
	if (st.st_dev != y->c->store->dev)
		return -EXDEV;
	if (fchdir(y->dir_fd) < 0)
		return -errno;
	y->dir = dir;
	return 0;
}

/* Whether nobody used it since the scan: 1, 0 or an errno. */
static int is_still_old(const struct cycle *y, const struct victim *v, const char *name)
{
	struct statx sx;

	if (statx(y->dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_ATIME, &sx) < 0)
		return -errno;
	return store_nanoseconds(&sx.stx_atime) == v->used;
}

static void note_denied(struct cycle *y, int error)
{
	if (y->r->denied++ == 0)
		y->r->first_error = error;
	/* Those two may be of this object: a label, a flag. */
	if (error != EACCES && error != EPERM)
		y->denied_in_a_row++;
}

/* Culls one. Returns 0 to go on, or -EOWNERDEAD when the cache is dead. */
static int cull_one(struct cycle *y, const struct victim *v)
{
	const char *name = victims_name(&y->victims, v);
	int r, error;

	r = enter(y, v->dir);
	if (r == 0)
		r = is_still_old(y, v, name);
	if (r <= 0) {
		if (r == 0)
			y->r->touched++;
		else if (r == -ENOENT)
			y->r->gone++;
		else
			note_denied(y, -r);
		return 0;
	}
	switch (device_cull(y->c->device, name, &error)) {
	case CULL_DONE:
		if (y->r->culled++ == 0)
			y->r->first_cull_ms = now_ms() - y->started;
		y->r->blocks += v->blocks;
		y->done_blocks += v->blocks;
		y->done_files++;
		y->denied_in_a_row = 0;
		break;
	case CULL_BUSY:
		y->r->busy++;
		break;
	case CULL_GONE:
		y->r->gone++;
		break;
	case CULL_SKIP:
		/* One is odd; where all are, the filesystem is ill (an aborted journal). */
		if (y->r->skipped++ == 0 && y->r->denied == 0)
			y->r->first_error = EIO;
		y->denied_in_a_row++;
		break;
	case CULL_DENIED:
		note_denied(y, error);
		break;
	case CULL_DEAD:
		return -EOWNERDEAD;
	}
	return 0;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* What our own account leaves of the demand: exact while nobody else writes or frees. */
static struct cull_demand account(const struct cycle *y)
{
	return (struct cull_demand){
		.blocks = less(y->demand.blocks, y->done_blocks),
		.files = less(y->demand.files, y->done_files),
	};
}

static int measure(struct cycle *y, struct cull_demand *ret)
{
	return cull_measure(y->c->store, &y->c->limits, ret);
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

	if (r == 0 && !is_met(&now) && less(before.blocks, now.blocks) <= y->done_blocks / 2) {
		if (syncfs(y->c->store->cache) < 0)
			return -errno;
		r = measure(y, &now);
	}
	for (unsigned int i = 0; r == 0 && i < SETTLE_MAX && !is_met(&now) &&
				 less(before.blocks, now.blocks) < y->done_blocks;
	     i++) {
		uint64_t seen = now.blocks;

		nanosleep(&moment, NULL);
		r = measure(y, &now);
		if (r == 0 && i >= 2 && now.blocks >= seen)
			break;
	}
	if (r < 0)
		return r;
	y->demand = now;
	y->done_blocks = y->done_files = 0;
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
		if (y->denied_in_a_row >= DENIED_MAX)
			return -y->r->first_error;
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
		    (is_met(&left) || (at == y->victims.count && y->done_files > 0))) {
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

/* One scan for what is wanted now, of objects used after younger_than. */
static int select_victims(struct cycle *y, int64_t younger_than, uint64_t spare)
{
	uint64_t started = now_ms();
	int r;

	scan_free(&y->scan);
	victims_start(&y->victims, y->demand.blocks ? y->demand.blocks + y->demand.blocks / 4 : 0,
		      y->demand.files + y->demand.files / 4 + spare, y->c->memory);
	y->scan = (struct scan){
		.store = y->c->store,
		.victims = &y->victims,
		.younger_than = younger_than,
		.stop = y->c->stop,
		.beat = y->c->beat,
		.beat_data = y->c->beat_data,
	};
	r = scan_run(&y->scan);
	y->r->scans++;
	y->r->scan_ms += now_ms() - started;
	y->r->found = y->scan.found;
	victims_sort(&y->victims);
	return r;
}

static int run_cycle(struct cycle *y)
{
	int64_t tried = INT64_MIN;
	uint64_t spare = SPARE_FILES;
	int r;

	for (unsigned int i = 0; i < SCANS_MAX; i++, spare *= 16) {
		bool all;

		y->done_blocks = y->done_files = 0;
		r = measure(y, &y->demand);
		if (r < 0 || is_met(&y->demand))
			return r < 0 ? r : 1;
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

void cull_run(struct cull_cycle *c)
{
	struct cycle y = {
		.c = c,
		.r = &c->result,
		.started = now_ms(),
		.dir = -1,
		.dir_fd = -1,
	};
	int r;

	c->result = (struct cull_result){0};
	r = run_cycle(&y);
	c->result.end = end_of(r);
	c->result.error = c->result.end == CULL_FAILED ? -r : 0;
	c->result.total_ms = now_ms() - y.started;
	if (y.dir >= 0 && chdir("/") < 0) /* a working directory would keep the mount busy */
		c->result.error = errno;
	closep(&y.dir_fd);
	scan_free(&y.scan);
	victims_free(&y.victims);
}
