/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded selection of those that are to go first: fed with every object of a scan, it keeps
 * the ones of the lowest priority and, within that, the least recently used, that together free
 * what is wanted. What is certain to be superfluous is thrown out in bulk, which takes linear time
 * in all; nothing is sorted that need not be. 24 bytes an object and 5 beside its name. No I/O, no
 * threads.
 */
#pragma once

#include "util.h"

struct victim {
	int64_t used;	   /* last use (atime), nanoseconds since the epoch */
	uint32_t blocks;   /* of 512 bytes, saturating */
	uint32_t dir;	   /* volume number << 8 | fan-out */
	uint32_t name;	   /* offset into the arena; tells which of two of one age came first */
	uint32_t priority; /* of the volume: low ones go first */
};

struct victims {
	struct victim *items;
	size_t count, room;
	char *arena;
	size_t arena_used, arena_room;
	uint64_t want_blocks, want_files; /* keep until both are covered */
	uint64_t blocks;		  /* of all items */
	size_t memory;	/* ceiling in bytes of items and arena, whatever happens */
	size_t weed_at; /* throw out when there are so many */
	bool closed;	/* only what goes before cut is of interest */
	bool full;	/* the ceiling, not the demand, decided what was kept */
	struct victim cut;
	uint64_t random;
};

/* Starts a selection; memory is the ceiling in bytes. Blocks are of 512 bytes. */
void victims_start(struct victims *v, uint64_t want_blocks, uint64_t want_files, size_t memory);

/*
 * Offers an object. Returns 1 if it was taken (for now), 0 if it is younger than what suffices,
 * -ENOMEM when the system has no memory (the selection stays valid).
 */
int victims_offer(struct victims *v, unsigned int priority, int64_t used, uint64_t blocks,
		  uint32_t dir, const char *name);

/* Whether an object like that would be taken: spares the caller the name. */
bool victims_wants(const struct victims *v, unsigned int priority, int64_t used);

/* Ends the selection: nothing may be offered after. What is not wanted is thrown out. */
void victims_finish(struct victims *v);

/*
 * Brings the ones that go first among those from `from` on to the front, as many as cover so much,
 * or all of them, and returns how many. Their order is none yet.
 */
size_t victims_front(struct victims *v, size_t from, uint64_t blocks, uint64_t files);

/* The n items from `from` in the order in which they go. */
void victims_sort(struct victims *v, size_t from, size_t n);

/* The same, ordered by directory, and within each as they go. */
void victims_group(struct victims *v, size_t from, size_t n);

static inline const char *victims_name(const struct victims *v, const struct victim *victim)
{
	return v->arena + victim->name;
}

void victims_free(struct victims *v);
