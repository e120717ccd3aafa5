/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a cull cycle, which cull.c, demand.c and survey.c share; nobody else includes it.
 */
#pragma once

#include "cull.h"
#include "take.h"

struct cycle {
	struct cull_cycle *c;
	struct cull_result *r;
	struct selection *selection; /* that is worked through: the caller's, or a volume's own */
	struct scan scan;
	struct taker taker;
	uint64_t started;

	/* demand.c: what is wanted, as measured when the account was opened, and culled before. */
	struct cull_demand demand;
	uint64_t before_blocks, before_files;
	/* The quotas that are exceeded, and what the cache held when so much was culled. */
	bool over_size, over_files, under_free;
	struct cull_usage usage;
	uint64_t usage_blocks, usage_files;
	/* A volume's own demand, in place of all others: so much must be culled in all. */
	bool trims;
	uint64_t trim_until;

	/* survey.c: who is before this one was tried already in this cycle. */
	bool has_tried;
	unsigned int tried_priority;
	int64_t tried_used;
};

/* ---- demand.c: how much ---- */

static inline bool is_met(const struct cull_demand *d)
{
	return d->blocks == 0 && d->files == 0;
}

/* Takes it as what the cache holds now, and sees which quotas that exceeds. */
void demand_set_usage(struct cycle *y, const struct cull_usage *usage);

/* What is wanted now. Returns 0 or an errno. */
int demand_measure(struct cycle *y, struct cull_demand *ret);
void demand_open_account(struct cycle *y, const struct cull_demand *demand);
/* What our own account leaves of the demand: exact while nobody else writes or frees. */
struct cull_demand demand_account(const struct cycle *y);
/*
 * The account is covered: what does the filesystem say? Where it shows freed space only after a
 * commit (btrfs), that is asked for; where it frees in the background (xfs), it gets a moment. A
 * demand that is left is the new account. -ENOSPC: all of it culled, and nothing to be seen of it.
 */
int demand_settle(struct cycle *y);

static inline bool order_has_amount(const struct cull_order *o)
{
	return o->bytes > 0 || o->files > 0;
}

/* ---- survey.c: which ---- */

/* One walk over the tree, with the cycle's selection or without. What is due is culled on it. */
int survey_walk(struct cycle *y, bool select);
/* One walk over a volume alone, with the cycle's selection; nothing else comes of it. */
int survey_volume(struct cycle *y, const char *key);
/* One walk that selects what covers the demand, and some more for the next cycle. */
int survey_select(struct cycle *y, uint64_t spare);
/* The ceiling of the cycle's selection: most of it is the lasting one's. */
size_t survey_memory(const struct cycle *y);
/* Whether the order is about that volume. */
bool survey_is_ordered(const struct cycle *y, const char *key);
