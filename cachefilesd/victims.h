/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded selection of the least recently used: fed with every object of a scan, it keeps the
 * oldest ones that together free what is wanted, and nothing else. A heap with the youngest on
 * top; names lie in one arena. 24 bytes an object beside its name. No I/O, no threads.
 */
#pragma once

#include "util.h"

struct victim {
	int64_t used;	 /* last use (atime), nanoseconds since the epoch */
	uint32_t blocks; /* of 512 bytes, saturating */
	uint32_t dir;	 /* volume number << 8 | fan-out */
	uint32_t name;	 /* offset into the arena */
	uint32_t spare;
};

struct victims {
	struct victim *items;
	size_t count, room;
	char *arena;
	size_t arena_used, arena_room, arena_dead;
	uint64_t want_blocks, want_files; /* keep until both are covered */
	uint64_t blocks;		  /* of all items */
	size_t memory;			  /* ceiling in bytes */
	bool full;			  /* the ceiling, not the demand, decided what was kept */
};

/* Starts a selection; memory is the ceiling in bytes. Blocks are of 512 bytes. */
void victims_start(struct victims *v, uint64_t want_blocks, uint64_t want_files, size_t memory);

/*
 * Offers an object. Returns 1 if it was taken (for now), 0 if it is younger than what suffices,
 * -ENOMEM when the system has no memory (the selection stays valid).
 */
int victims_offer(struct victims *v, int64_t used, uint64_t blocks, uint32_t dir, const char *name);

/* Whether an object of that age would be taken: spares the caller the name. */
bool victims_wants(const struct victims *v, int64_t used);

/* Oldest first; ends the selection: nothing may be offered after. */
void victims_sort(struct victims *v);

/* The first n items from `from`, ordered by directory, and by age within each. */
void victims_group(struct victims *v, size_t from, size_t n);

static inline const char *victims_name(const struct victims *v, const struct victim *victim)
{
	return v->arena + victim->name;
}

void victims_free(struct victims *v);
