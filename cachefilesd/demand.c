/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/statvfs.h>

#include "cycle.h"
#include "gauge.h"

/*
 * xfs frees the blocks of removed files in a background thread, which its statfs merely hurries:
 * how long to look on while more shows (milliseconds), and how often.
 */
#define SETTLE_MS  20
#define SETTLE_MAX 25

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Blocks of the filesystem in those of 512 bytes. */
static uint64_t unit_of(const struct statvfs *now)
{
	return MAX(now->f_frsize, 512) / 512;
}

static int look(const struct store *store, struct statvfs *ret)
{
	if (fstatvfs(store->cache, ret) < 0)
		return -errno;
	/* The kernel answers EIO to each cull then, with a line of its own in the log. */
	return ret->f_flag & ST_RDONLY ? -EROFS : 0;
}

/* The kernel compares f_bavail, in blocks of f_frsize, and f_ffree (cachefiles_has_space). */
static struct cull_demand below_limits(const struct statvfs *now, const struct device_state *limits)
{
	return (struct cull_demand){
		.blocks = less(limits->brun, now->f_bavail) * unit_of(now),
		.files = less(limits->frun, now->f_ffree),
	};
}

int cull_measure(const struct store *store, const struct device_state *limits,
		 struct cull_demand *ret)
{
	struct statvfs now;
	int r = look(store, &now);

	if (r == 0)
		*ret = below_limits(&now, limits);
	return r;
}

int cull_space(const struct store *store, struct gauge_space *ret, uint64_t *ret_unit)
{
	struct statvfs now;

	if (fstatvfs(store->cache, &now) < 0)
		return -errno;
	*ret_unit = unit_of(&now);
	*ret = (struct gauge_space){
		.avail_blocks = now.f_bavail * *ret_unit,
		.avail_files = now.f_ffree,
		.used_blocks = (now.f_blocks - now.f_bfree) * *ret_unit,
		.used_files = now.f_files - now.f_ffree,
	};
	return 0;
}

static uint64_t sectors(uint64_t bytes)
{
	return (bytes + 511) / 512;
}

void demand_set_usage(struct cycle *y, const struct cull_usage *usage)
{
	const struct rules *rules = y->c->rules;

	y->usage = *usage;
	y->usage_blocks = y->r->blocks;
	y->usage_files = y->r->culled;
	if (!rules)
		return;
	/* What a scan found to be exceeded is culled to below it, whatever the next scan finds. */
	if (y->r->scans <= 1)
		y->over_size = y->over_files = false;
	y->over_size |= rules->max_size > 0 && usage->blocks > rules->max_size / 512;
	y->over_files |= rules->max_files > 0 && usage->files > rules->max_files;
}

/* What the quotas of the whole ask for. */
static struct cull_demand beyond_quotas(struct cycle *y, const struct statvfs *now)
{
	const struct rules *rules = y->c->rules;
	uint64_t avail = now->f_bavail * unit_of(now);
	struct cull_demand d = {0};

	if (!rules)
		return d;
	if (y->over_size)
		d.blocks = less(less(y->usage.blocks, cull_below(rules->max_size) / 512),
				y->r->blocks - y->usage_blocks);
	if (y->over_files)
		d.files = less(less(y->usage.files, cull_below(rules->max_files)),
			       y->r->culled - y->usage_files);
	y->under_free = y->under_free || avail < sectors(rules->min_free);
	if (y->under_free)
		d.blocks = MAX(d.blocks, less(sectors(cull_above(rules->min_free)), avail));
	return d;
}

int demand_measure(struct cycle *y, struct cull_demand *ret)
{
	const struct cull_order *o = y->c->order;
	struct cull_demand limits;
	struct statvfs now;
	int r;

	if (y->trims) {
		*ret = (struct cull_demand){.blocks = less(y->trim_until, y->r->blocks)};
		return 0;
	}
	if (y->c->purpose == CULL_FOR_ORDER) {
		*ret = (struct cull_demand){
			.blocks = less(sectors(o->bytes), y->r->blocks),
			.files = less(o->files, y->r->culled),
		};
		return 0;
	}
	r = look(y->c->store, &now);
	if (r < 0)
		return r;
	*ret = beyond_quotas(y, &now);
	if (y->c->purpose != CULL_FOR_RULES) {
		limits = below_limits(&now, &y->c->limits);
		ret->blocks = MAX(ret->blocks, limits.blocks);
		ret->files = MAX(ret->files, limits.files);
	}
	return 0;
}

static uint64_t done_blocks(const struct cycle *y)
{
	return y->r->blocks - y->before_blocks;
}

void demand_open_account(struct cycle *y, const struct cull_demand *demand)
{
	y->demand = *demand;
	y->before_blocks = y->r->blocks;
	y->before_files = y->r->culled;
}

struct cull_demand demand_account(const struct cycle *y)
{
	return (struct cull_demand){
		.blocks = less(y->demand.blocks, done_blocks(y)),
		.files = less(y->demand.files, y->r->culled - y->before_files),
	};
}

int demand_settle(struct cycle *y)
{
	struct cull_demand now, before = y->demand;
	const struct timespec moment = {.tv_nsec = SETTLE_MS * 1000000L};
	int r = demand_measure(y, &now);

	if (r == 0 && !is_met(&now) && less(before.blocks, now.blocks) <= done_blocks(y) / 2) {
		if (syncfs(y->c->store->cache) < 0)
			return -errno;
		r = demand_measure(y, &now);
	}
	for (unsigned int i = 0; r == 0 && i < SETTLE_MAX && !is_met(&now) &&
				 less(before.blocks, now.blocks) < done_blocks(y);
	     i++) {
		uint64_t seen = now.blocks;

		nanosleep(&moment, NULL);
		r = demand_measure(y, &now);
		if (r == 0 && i >= 2 && now.blocks >= seen)
			break;
	}
	if (r < 0)
		return r;
	demand_open_account(y, &now);
	if (!is_met(&now) && now.blocks >= before.blocks && now.files >= before.files)
		return -ENOSPC;
	return 0;
}
