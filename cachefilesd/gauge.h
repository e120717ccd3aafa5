/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How full the cache and its filesystem are, as far as statvfs(2) and the last scan tell, and what
 * follows from that: whether a rule asks for a cycle, whether the kernel will soon, and when to
 * look again. No I/O, no clock of its own.
 *
 * Nobody is woken to find out that nothing happened. The space is looked at when the watchdog ticks
 * anyway (every 30 seconds or so). Only when a look shows that the filesystem fills, and that at
 * this rate a limit or a quota is reached before two more ticks, further looks come in between: at
 * half of the time that is left, at least a second apart. So a filesystem at rest costs one
 * statvfs a tick and no wake-up, one that fills slowly the same, and one that fills at full speed
 * is seen early enough for a scan to be done when the kernel asks.
 *
 * A cycle that a rule started and that did not help (what is too much belongs to others, or is in
 * use) is not tried again before some time has passed, and twice as long after each further one.
 */
#pragma once

#include "cull.h"

struct gauge_space { /* of the filesystem, in blocks of 512 bytes */
	uint64_t avail_blocks, avail_files;
	uint64_t used_blocks, used_files; /* by whomever */
};

struct gauge {
	struct gauge_space space; /* at the last look */
	uint64_t looked_ms;	  /* now_ms(); 0: never */
	uint64_t rate_blocks;	  /* what became less in a second, at last; 0: nothing did */
	uint64_t rate_files;
	/* The end of the last cycle that scanned. */
	struct cull_usage scanned;
	uint64_t avail_blocks, avail_files;
	uint64_t scanned_ms, took_ms;
	/* What the rules make of that. */
	uint64_t
		margin; /* by so many blocks a volume may grow; UINT64_MAX: no rule is about that */
	int64_t due;	/* when an object is too old, seconds since the epoch; INT64_MAX: never */
	/* No cycle for a rule before then. */
	uint64_t wait_until_ms, wait_ms;
};

/* Nothing is known yet. */
void gauge_reset(struct gauge *g);

void gauge_look(struct gauge *g, uint64_t now, const struct gauge_space *space);

/* A cycle that scanned has ended; took: how long a scan takes, in ms. */
void gauge_scanned(struct gauge *g, const struct volumes *volumes, uint64_t took);

/* After that, and after a reload. */
void gauge_apply(struct gauge *g, const struct volumes *volumes, const struct rules *rules);

/* A cycle that was started for a rule has ended: whether it culled anything. */
void gauge_tried(struct gauge *g, uint64_t now, bool helped);

/* What the cache holds by now: the last scan, and what became less or more since. */
struct cull_usage gauge_usage(const struct gauge *g);

/* Whether a rule asks for a cycle; wall: seconds since the epoch. */
bool gauge_wants_cycle(const struct gauge *g, const struct rules *rules, uint64_t now,
		       int64_t wall);

/*
 * Whether the kernel will ask before a scan that begins with the look after the next one would be
 * done. limits are of blocks of so many times 512 bytes.
 */
bool gauge_nears(const struct gauge *g, const struct device_state *limits, uint64_t unit);

/* When to look again, in ms; 0: the next tick is soon enough. */
uint64_t gauge_next(const struct gauge *g, const struct rules *rules,
		    const struct device_state *limits, uint64_t unit);
