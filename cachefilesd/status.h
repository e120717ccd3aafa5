/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon knows of itself, and how it says it: the one line of STATUS=, the lines that
 * SIGUSR1 writes to the log, the line after each cull cycle. Only the event loop.
 */
#pragma once

#include "cache.h"
#include "cull.h"
#include "graveyard.h"

/* Somebody was told no by the kernel, because of us. */
struct refusal {
	time_t at;	  /* 0: never */
	const char *what; /* "freeze", "remount" */
	char text[300];	  /* what was refused, and why */
	const char *advice;
};

struct status {
	enum cache_state state;
	time_t since;		    /* of the state as it is shown, see status_state() */
	enum yield_reason yielding; /* it is let go of on purpose, and will be bound again */
	bool hindered;		    /* then something else was in the way */
	const char *dir, *tag;
	bool nocull;
	char backing[128]; /* "ext4 on /dev/vdb" */
	char waiting[400]; /* for what, or why it is let go of; empty: not waiting */
	char stalled[300]; /* why culling makes no progress; empty: it does */
	bool culling;
	bool frozen;		    /* a worker waits in the kernel for long */
	struct device_state limits; /* of the bound cache */
	struct cull_result last;    /* the last cycle that ended */
	bool has_last;
	uint64_t cycles, culled, blocks, busy, denied; /* since start; blocks of 512 bytes */
	uint64_t scans, scan_ms, cull_ms;	       /* since start; cull_ms without the scans */
	time_t fed;				       /* the watchdog, last; 0: never */
	uint64_t reaped, stuck; /* graveyard: removed since start, stuck at last */
	unsigned int binds, deaths, yields, rebinds;
	struct {
		bool known, claim, unbind;
		uint64_t frzref, roref; /* as the kernel counts them */
	} kernel;
	uint64_t refused_freezes, refused_remounts; /* since start */
	struct refusal refused;			    /* the last one */
	struct {
		bool known;
		time_t at;
		uint64_t bytes, files; /* available */
		uint64_t unit;	       /* bytes of a block that the limits are in */
	} free;
};

/* Takes a cycle's result into the sums. */
void status_add_cycle(struct status *s, const struct cull_result *r);

/* "bound", "binding", "waiting", "yielding", "yielded", "closing", "stopped". */
const char *status_state(const struct status *s);

void status_summary(const struct status *s, char *buffer, size_t size);
void status_log(const struct status *s);

/* "culled 1,200 files, 30.5 MiB …", for the log. */
void status_describe_cycle(const struct cull_result *r, char *buffer, size_t size);

/* Why such a cycle leaves the kernel wanting, for status.stalled. */
void status_describe_stall(const struct cull_result *r, char *buffer, size_t size);
