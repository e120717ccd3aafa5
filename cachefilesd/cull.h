/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cull cycle, where culling is decided: how much is wanted (demand) → one scan → the least
 * recently used that cover it → culled in batches, directory by directory, until the filesystem
 * has what the kernel's run limits ask for, or an order is carried out. Runs in a worker thread;
 * the caller logs.
 */
#pragma once

#include "device.h"
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
	int error;	  /* positive errno for CULL_FAILED */
	uint64_t culled;  /* objects */
	uint64_t blocks;  /* of 512 bytes, of the objects culled */
	uint64_t busy;	  /* in use: left alone */
	uint64_t touched; /* used since the scan: left alone */
	uint64_t gone;	  /* somebody was faster */
	uint64_t skipped; /* the kernel could not */
	uint64_t denied;  /* the system refused; first_error says how */
	int first_error;  /* positive errno */
	unsigned int scans;
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

/* What a cycle has come to: written by its worker, to be read at any time by any thread. */
struct cull_progress {
	atomic_uint_least64_t wanted_bytes, wanted_files; /* at its begin; UINT64_MAX: all */
	atomic_uint_least64_t scanned_files;		  /* in all scans */
	atomic_uint_least64_t culled_bytes, culled_files;
	atomic_uint_least64_t busy; /* found in use and left alone */
};

struct cull_cycle {
	/* Given. */
	int device;
	const struct store *store;
	struct device_state limits;	/* brun and frun count */
	const struct cull_order *order; /* NULL: what the limits ask for */
	bool scan_only;			/* culls nothing: for the findings */
	size_t memory;			/* ceiling of the selection, bytes */
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

/* What is still wanted to reach the run limits; blocks of 512 bytes. 0 or a negative errno. */
struct cull_demand {
	uint64_t blocks, files;
};
int cull_measure(const struct store *store, const struct device_state *limits,
		 struct cull_demand *ret);

/*
 * How many of the candidates, oldest first, the next batch takes: those that cover half of what is
 * wanted, or all of it when that is little. So the last batches are small, and what is culled in
 * the order of directories stays within what age would have chosen.
 */
size_t cull_batch(const struct victims *v, size_t from, const struct cull_demand *demand);
