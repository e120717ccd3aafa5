/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One walk over the cache tree. Objects are counted, and offered to the selection of victims or
 * taken at once, as the caller chooses for their volume; what does not belong there is put into the
 * graveyard and counted. Worker threads only; nothing here logs.
 */
#pragma once

#include <stdatomic.h>

#include "selection.h"
#include "store.h"
#include "volumes.h"

struct scan_findings {
	uint64_t volumes, fanouts, objects;
	uint64_t blocks;     /* of 512 bytes, all objects */
	int64_t oldest;	     /* last use of the least recently used, ns since the epoch; 0: none */
	uint64_t foreign;    /* entries that are not the cache's, moved to the graveyard */
	uint64_t old_trees;  /* of kernels before 5.17, moved to the graveyard */
	uint64_t empty;	     /* fan-outs and volumes without entries, seen by the walk */
	uint64_t removed;    /* of those, by scan_sweep() */
	uint64_t unreadable; /* entries that could not be opened, examined or moved */
	int first_error;     /* positive errno of the first of those */
	char first_foreign[300]; /* readable path of the first foreign entry below cache/ */
	char first_unreadable[300];
};

/* What is done with the objects of a volume. */
struct scan_choice {
	bool spare;	       /* nothing: they are counted only */
	int64_t due;	       /* last used at or before this: taken at once; INT64_MIN: none is */
	int64_t from, to;      /* else, last used between these: offered to the selection */
	unsigned int priority; /* in that */
};

#define SCAN_NEVER ((struct scan_choice){.due = INT64_MIN, .from = INT64_MAX, .to = INT64_MIN})

struct scan {
	const struct store *store;
	struct selection *selection; /* NULL: nothing is offered */
	const char *only;	     /* the volume to be walked; NULL: all */
	/* Findings by volume, or NULL; cleared by the caller. */
	struct volumes *by_volume;
	/* Chooses for a volume. */
	struct scan_choice (*choose)(void *data, const char *key, struct volume *volume);
	/* Takes what is due. Returns 1 if it is gone now, 0 if it is not, or what ends the scan. */
	int (*take)(void *data, int fanout, const char *name, uint64_t blocks, bool first);
	void *data;
	struct scan_findings found;
	const atomic_bool *stop;
	void (*beat)(void *);
	void *beat_data;
	bool ended; /* not by the end of the tree */
};

/*
 * Walks once. Returns 0, -EINTR when stopped, -ENOMEM, what take() ended it with, or what made
 * cache/ itself unreadable. Anything below that fails is counted and passed over.
 */
int scan_run(struct scan *s);

/*
 * Removes fan-outs and volumes that are empty and that nobody uses, when a walk has seen some: the
 * kernel refuses that (EBUSY) for those that it holds (vfs_rmdir and S_KERNEL_FILE). A million of
 * them takes minutes, so this comes after the culling, and ends early, with 0, when go_on(), asked
 * now and then, says so.
 */
int scan_sweep(struct scan *s, bool (*go_on)(void *data), void *data);
