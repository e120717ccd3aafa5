/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cull cycle, where culling is decided: how much is wanted (demand) → one scan → the least
 * recently used that cover it → culled in batches, directory by directory, until the filesystem
 * has what the kernel's run limits ask for, or an order is carried out. Runs in a worker thread;
 * the caller logs.
 */
#pragma once

#include "device.h"
#include "rules.h"
#include "scan.h"

/* Why a cycle ended. */
enum cull_end {
	CULL_ENOUGH,	/* the run limits are reached again */
	CULL_EXHAUSTED, /* nothing is left that could be culled; what was tried is counted below */
	CULL_FUTILE,	/* culled what was wanted, and the filesystem shows no more free space */
	CULL_STOPPED,	/* the caller's stop flag */
	CULL_CACHE_DEAD,
	CULL_FAILED, /* error says why */
};

struct cull_result {
	enum cull_end end;
	int error;			  /* positive errno for CULL_FAILED */
	uint64_t culled;		  /* objects */
	uint64_t blocks;		  /* of 512 bytes, of the objects culled */
	uint64_t busy;			  /* in use: left alone */
	uint64_t touched;		  /* used since the scan: left alone */
	uint64_t gone;			  /* somebody was faster */
	uint64_t skipped;		  /* the kernel could not */
	uint64_t denied;		  /* the system refused; first_error says how */
	int first_error;		  /* positive errno */
	unsigned int scans, volume_scans; /* of the whole; of single volumes that are too large */
	uint64_t scan_ms, first_cull_ms, total_ms; /* the last two since the start of the cycle */
	struct scan_findings found;		   /* of the last scan */
};

/*
 * What somebody wants to be culled now, whatever the kernel wants; the least recently used go
 * first. With neither bytes nor files, all goes that the other members let go.
 */
struct cull_order {
	uint64_t bytes, files; /* at least so much, both if both are given; 0: not asked for */
	uint64_t older_than; /* seconds: only what was not used for so long; 0: whatever its age */
	char volumes[256];   /* only of these, volume_matches(); empty: of all */
	bool orphans;	     /* only of orphaned volumes */
	bool all;	     /* says that the whole cache is meant when nothing else is given */
};

/* What the cache holds. */
struct cull_usage {
	bool known;
	uint64_t blocks, files; /* of 512 bytes */
};

/* What a cycle has come to: written by its worker, to be read at any time by any thread. */
struct cull_progress {
	atomic_uint_least64_t wanted_bytes, wanted_files; /* at its begin; UINT64_MAX: all */
	atomic_uint_least64_t scanned_files;		  /* in all scans */
	atomic_uint_least64_t culled_bytes, culled_files;
	atomic_uint_least64_t busy; /* found in use and left alone */
};

/* What a cycle is for. */
enum cull_purpose {
	CULL_FOR_LIMITS, /* the kernel's, and the rules */
	CULL_FOR_RULES,
	CULL_FOR_ORDER,
	CULL_TO_CHOOSE, /* culls nothing: chooses what the next one culls */
	CULL_TO_LOOK,	/* culls nothing: for the findings */
};

struct cull_cycle {
	/* Given. */
	enum cull_purpose purpose;
	int device;
	const struct store *store;
	struct device_state limits; /* brun and frun count, bcull and fcull for what can wait */
	const struct rules *rules;
	const struct cull_order *order; /* CULL_FOR_ORDER */
	size_t memory;			/* ceiling of the selection, bytes */
	struct cull_usage usage;	/* as far as it is known; the cycle's scan corrects it */
	struct selection *selection;	/* what is left of it from one cycle to the next */
	const atomic_bool *stop;
	void (*beat)(void *);
	void *beat_data;
	/* Answered. */
	struct cull_result result;
	struct cull_progress progress;
	struct volumes volumes; /* of the last scan that came to its end; the caller's to clear */
};

/* The caller's thread must have a working directory of its own: it moves. */
void cull_run(struct cull_cycle *c);

/*
 * Where a quota stops culling once it is exceeded: a little below, so that a cache that grows on
 * is not culled file by file. Where free space is wanted, a little above.
 */
static inline uint64_t cull_below(uint64_t quota)
{
	return quota - quota / 32;
}

static inline uint64_t cull_above(uint64_t quota)
{
	return quota + quota / 32;
}

/* Room on the cache's filesystem, and how many times 512 bytes its blocks are. 0 or an errno. */
struct gauge_space;
int cull_space(const struct store *store, struct gauge_space *ret, uint64_t *ret_unit);

/* What is still wanted to reach the run limits; blocks of 512 bytes. 0 or a negative errno. */
struct cull_demand {
	uint64_t blocks, files;
};
int cull_measure(const struct store *store, const struct device_state *limits,
		 struct cull_demand *ret);
