/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a scan has chosen to be culled, with the names of the volumes that it lies in. It outlives
 * the cycle: all that is not in it was used later than all that is, and nothing gets older but by
 * waiting, so that the next cycle begins where this one ends, without a scan and at once. That
 * somebody used one of them since is seen when its turn comes. Worker threads only.
 */
#pragma once

#include "victims.h"

struct selection {
	struct victims victims;
	char **volumes; /* by number, as in victim.dir */
	size_t volume_count, volume_bytes;
	size_t at;   /* the first that was not tried yet */
	size_t kept; /* so many at the front were in use when they were tried */
};

void selection_start(struct selection *s, uint64_t blocks, uint64_t files, size_t memory);
void selection_clear(struct selection *s);

/* Numbers one more volume. -ENOSPC: their names would take more than a quarter of the memory. */
int selection_add_volume(struct selection *s, const char *key, uint32_t *ret_number);

/* How many were not tried yet. */
static inline size_t selection_left(const struct selection *s)
{
	return s->victims.count - s->at;
}

/* Those that were in use when they were tried have their turn again. */
void selection_restart(struct selection *s);

/* The one in turn was in use: it is kept for the next time. */
void selection_keep(struct selection *s, const struct victim *victim);
