/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gauge.h"

/* The watchdog's, or what stands in for it. */
#define TICK_MS 30000

/* Looks that come in between are so far apart at least. */
#define LOOK_MIN_MS 1000

/* What two looks show that are nearer to each other is chance. */
#define RATE_MIN_MS 500

/* After a cycle for a rule that did not help; doubles from the first to the second. */
#define WAIT_MIN_MS 60000
#define WAIT_MAX_MS 3600000

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void gauge_reset(struct gauge *g)
{
	*g = (struct gauge){.margin = UINT64_MAX, .due = INT64_MAX};
}

void gauge_look(struct gauge *g, uint64_t now, const struct gauge_space *space)
{
	uint64_t passed = now - g->looked_ms;

	if (g->looked_ms > 0 && passed < RATE_MIN_MS)
		return;
	if (g->looked_ms > 0) {
		g->rate_blocks = less(g->space.avail_blocks, space->avail_blocks) * 1000 / passed;
		g->rate_files = less(g->space.avail_files, space->avail_files) * 1000 / passed;
	}
	g->space = *space;
	g->looked_ms = now;
}

void gauge_scanned(struct gauge *g, const struct volumes *volumes, uint64_t took)
{
	g->scanned = (struct cull_usage){true, volumes->blocks, volumes->objects};
	g->avail_blocks = g->space.avail_blocks = volumes->avail_blocks;
	g->avail_files = g->space.avail_files = volumes->avail_files;
	g->scanned_ms = volumes->taken_ms;
	g->took_ms = took;
}

static void apply_to_volume(struct gauge *g, const struct volume *volume, const struct rule *rule)
{
	if (rule->pin || volume->objects == 0)
		return;
	if (rule->max_age > 0)
		g->due = MIN(g->due, volume->oldest / 1000000000 + (int64_t)rule->max_age);
	if (rule->max_size > 0)
		g->margin = MIN(g->margin, less(rule->max_size / 512, volume->blocks));
}

void gauge_apply(struct gauge *g, const struct volumes *volumes, const struct rules *rules)
{
	struct rule rule;

	g->margin = UINT64_MAX;
	g->due = INT64_MAX;
	g->wait_until_ms = 0;
	/* Volumes that nobody knows yet. */
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].max_size > 0)
			g->margin = MIN(g->margin, rules->items[i].max_size / 512);
	for (size_t i = 0; i < volumes->count; i++) {
		rule = rules_get(rules, rules_find(rules, volumes->items[i].key));
		apply_to_volume(g, &volumes->items[i], &rule);
	}
	rule = rules_get(rules, -1);
	apply_to_volume(g, &volumes->others, &rule);
}

void gauge_tried(struct gauge *g, uint64_t now, bool helped)
{
	if (helped) {
		g->wait_until_ms = g->wait_ms = 0;
		return;
	}
	g->wait_ms = g->wait_ms ? MIN(g->wait_ms * 2, WAIT_MAX_MS) : WAIT_MIN_MS;
	g->wait_until_ms = now + g->wait_ms;
}

struct cull_usage gauge_usage(const struct gauge *g)
{
	struct cull_usage usage = g->scanned;

	if (!usage.known)
		return usage;
	usage.blocks = less(usage.blocks + less(g->avail_blocks, g->space.avail_blocks),
			    less(g->space.avail_blocks, g->avail_blocks));
	usage.files = less(usage.files + less(g->avail_files, g->space.avail_files),
			   less(g->space.avail_files, g->avail_files));
	return usage;
}

/* Before the first scan: it cannot be more than all that the filesystem holds. */
static struct cull_usage usage_at_most(const struct gauge *g)
{
	if (g->scanned.known)
		return gauge_usage(g);
	return (struct cull_usage){false, g->space.used_blocks, g->space.used_files};
}

static bool has_ages(const struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].max_age > 0)
			return true;
	return rules->max_age > 0;
}

bool gauge_wants_cycle(const struct gauge *g, const struct rules *rules, uint64_t now, int64_t wall)
{
	struct cull_usage usage = usage_at_most(g);
	uint64_t grown = less(g->avail_blocks, g->space.avail_blocks);

	if (g->looked_ms == 0 || now < g->wait_until_ms)
		return false;
	if (g->space.avail_blocks < rules->min_free / 512 ||
	    (rules->max_size > 0 && usage.blocks > rules->max_size / 512) ||
	    (rules->max_files > 0 && usage.files > rules->max_files))
		return true;
	if (!g->scanned.known)
		return has_ages(rules) || (g->margin < UINT64_MAX && usage.blocks > g->margin);
	return wall >= g->due || (g->margin < UINT64_MAX && grown > g->margin);
}

/* How long it takes at that rate, in ms; a day at most. */
static uint64_t time_for(uint64_t distance, uint64_t rate)
{
	return rate == 0 ? UINT64_MAX : MIN(distance / rate, 86400) * 1000;
}

static uint64_t time_to_cull(const struct gauge *g, const struct device_state *l, uint64_t unit)
{
	uint64_t blocks = l->bcull == 0 ? UINT64_MAX
					: time_for(less(g->space.avail_blocks, l->bcull * unit),
						   g->rate_blocks);
	uint64_t files = l->fcull == 0
				 ? UINT64_MAX
				 : time_for(less(g->space.avail_files, l->fcull), g->rate_files);

	return MIN(blocks, files);
}

bool gauge_nears(const struct gauge *g, const struct device_state *limits, uint64_t unit)
{
	return g->looked_ms > 0 && time_to_cull(g, limits, unit) < 2 * TICK_MS + 2 * g->took_ms;
}

static uint64_t time_to_rule(const struct gauge *g, const struct rules *rules)
{
	struct cull_usage usage = usage_at_most(g);
	uint64_t soonest = UINT64_MAX, grown = less(g->avail_blocks, g->space.avail_blocks);

	if (rules->max_size > 0)
		soonest = time_for(less(rules->max_size / 512, usage.blocks), g->rate_blocks);
	if (rules->max_files > 0)
		soonest =
			MIN(soonest, time_for(less(rules->max_files, usage.files), g->rate_files));
	if (rules->min_free > 0)
		soonest = MIN(soonest, time_for(less(g->space.avail_blocks, rules->min_free / 512),
						g->rate_blocks));
	if (g->margin < UINT64_MAX)
		soonest = MIN(soonest, time_for(less(g->margin, grown), g->rate_blocks));
	return soonest;
}

uint64_t gauge_next(const struct gauge *g, const struct rules *rules,
		    const struct device_state *limits, uint64_t unit)
{
	uint64_t rule = g->wait_until_ms > g->looked_ms ? UINT64_MAX : time_to_rule(g, rules);
	uint64_t soonest = MIN(rule, time_to_cull(g, limits, unit));

	return soonest < 2 * TICK_MS ? MAX(soonest / 2, LOOK_MIN_MS) : 0;
}
