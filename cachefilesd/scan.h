/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One walk over the cache tree. Objects are offered to the selection of victims; what does not
 * belong there is put into the graveyard and counted; fan-outs and volumes that are empty and
 * that nobody uses are removed on the way. Worker threads only; nothing here logs.
 */
#pragma once

#include <stdatomic.h>

#include "store.h"
#include "victims.h"

struct scan_findings {
	uint64_t volumes, fanouts, objects;
	uint64_t blocks;     /* of 512 bytes, all objects */
	int64_t oldest;	     /* last use of the least recently used, ns since the epoch; 0: none */
	uint64_t foreign;    /* entries that are not the cache's, moved to the graveyard */
	uint64_t old_trees;  /* of kernels before 5.17, moved to the graveyard */
	uint64_t removed;    /* empty fan-outs and volumes */
	uint64_t unreadable; /* entries that could not be opened, examined or moved */
	int first_error;     /* positive errno of the first of those */
	char first_foreign[300]; /* readable path of the first foreign entry below cache/ */
	char first_unreadable[300];
};

struct scan {
	const struct store *store;
	struct victims *victims;
	int64_t younger_than; /* objects last used at or before this are not offered; INT64_MIN: all
			       */
	uint64_t passed_over; /* objects not offered because of it */
	/* Names of the volumes that candidates lie in, by their number. */
	char **volumes;
	size_t volume_count;
	struct scan_findings found;
	const atomic_bool *stop;
	void (*beat)(void *);
	void *beat_data;
};

/*
 * Walks once. Returns 0, -EINTR when stopped, -ENOMEM, or what made cache/ itself unreadable.
 * Anything below that fails is counted and passed over.
 */
int scan_run(struct scan *s);
void scan_free(struct scan *s);
