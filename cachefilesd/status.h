/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon knows of itself, and how it says it: the one line of STATUS=, the lines that
 * SIGUSR1 writes to the log, the line after each cull cycle. Only the event loop.
 */
#pragma once

#include "cache.h"
#include "cull.h"
#include "graveyard.h"

struct status {
	enum cache_state state;
	const char *dir, *tag;
	bool nocull;
	char backing[128]; /* "ext4 on /dev/vdb" */
	char waiting[400]; /* for what; empty: not waiting */
	char stalled[300]; /* why culling makes no progress; empty: it does */
	bool culling;
	bool frozen;		    /* a worker waits in the kernel for long */
	struct device_state limits; /* of the bound cache */
	struct cull_result last;    /* the last cycle that ended */
	bool has_last;
	uint64_t cycles, culled, blocks, busy, denied; /* since start; blocks of 512 bytes */
	uint64_t reaped, stuck; /* graveyard: removed since start, stuck at last */
	unsigned int binds, deaths;
};

/* Takes a cycle's result into the sums. */
void status_add_cycle(struct status *s, const struct cull_result *r);

void status_summary(const struct status *s, char *buffer, size_t size);
void status_log(const struct status *s);

/* "culled 1,200 files, 30.5 MiB …", for the log. */
void status_describe_cycle(const struct cull_result *r, char *buffer, size_t size);

/* Why such a cycle leaves the kernel wanting, for status.stalled. */
void status_describe_stall(const struct cull_result *r, char *buffer, size_t size);
