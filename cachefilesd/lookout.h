/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at how full the filesystem is and says what follows, for the culler: the gauge together
 * with the rules that are in force and the samples that a worker takes.
 */
#pragma once

#include "gauge.h"

struct lookout {
	struct gauge gauge;
	struct rules *rules;	   /* in force, held; NULL before the first lookout_take_rules() */
	struct gauge_space sample; /* as the worker saw it */
	uint64_t sampled_ms;	   /* when; 0: taken up already */
	uint64_t unit;		   /* the filesystem's blocks in those of 512 bytes */
};

enum lookout_advice {
	LOOKOUT_WAIT,
	LOOKOUT_TIDY,	/* a rule wants a cycle */
	LOOKOUT_CHOOSE, /* the kernel soon will */
};

void lookout_start(struct lookout *w);
void lookout_stop(struct lookout *w);

/* A look at the free space. Only the worker, and lookout_advise() not meanwhile. */
void lookout_sample(struct lookout *w, const struct store *store);

/* Whether these are other rules than before; they are in force now. */
bool lookout_take_rules(struct lookout *w, struct rules *rules, const struct volumes *volumes);

/* chosen: the next cycle for the kernel has what it needs. *ret_next: look again then, in ms, or 0.
 */
enum lookout_advice lookout_advise(struct lookout *w, const struct device_state *limits,
				   bool chosen, uint64_t *ret_next);

/* A cycle has scanned. */
void lookout_scanned(struct lookout *w, const struct volumes *volumes, const struct cull_result *r);
/* A cycle that LOOKOUT_TIDY led to has ended. Returns whether it is news that it did not help. */
bool lookout_tidied(struct lookout *w, const struct cull_result *r);
