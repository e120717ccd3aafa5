/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking one object out of the cache: go to its fan-out, see whether somebody used it since it was
 * chosen, ask the kernel, and count what came of it. The thread's working directory moves, it must
 * be the thread's own. Worker threads only; nothing here logs.
 */
#pragma once

#include "cull.h"

struct taker {
	int device;
	const struct store *store;
	struct cull_result *result; /* is counted here, and in progress */
	struct cull_progress *progress;
	uint64_t started;      /* now_ms() of the cycle's begin */
	unsigned int refusals; /* in a row, not of single objects */
	int64_t dir;	       /* number of the fan-out that we stand in; negative: none */
	int dir_fd, own_fd;    /* the same; the second is to be closed */
	bool moved;	       /* the working directory is in the cache */
};

#define TAKER_NOWHERE .dir = -1, .dir_fd = -1, .own_fd = -1

/*
 * All of these return 1 when it is as wanted, 0 when it is not and is counted, -EOWNERDEAD when the
 * cache is dead, or another errno when so many were refused in a row that the next will hardly fare
 * better.
 */

/* Makes the fan-out xx of the volume the working directory, or one that is open already. */
int take_enter(struct taker *t, int64_t dir, const char *volume, unsigned int fanout);
int take_enter_open(struct taker *t, int fanout);

/* Culls the object in the working directory, if its last use still is that one. */
int take_object(struct taker *t, const char *name, int64_t used, uint64_t blocks);
/* The same right after its last use was looked at. */
int take_object_now(struct taker *t, const char *name, uint64_t blocks);

/* Drops a whole volume, by one rename into the graveyard, unless it is in use. */
int take_volume(struct taker *t, const char *key, uint64_t objects, uint64_t blocks);

/* Whether the kernel uses the volume; counts nothing. An errno: nobody knows. */
int take_is_live(struct taker *t, const char *key);

/* Leaves the cache: a working directory would keep its mount busy. Returns 0 or an errno. */
int take_leave(struct taker *t);
