/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "take.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Refusals in a row, not of single objects, after which the next will hardly fare better. */
#define REFUSALS_MAX 256

/* No fan-out of a candidate has these numbers. */
#define DIR_OF_VOLUMES INT64_MAX
#define DIR_IN_SCAN    (INT64_MAX - 1)

static int refused(struct taker *t)
{
	return ++t->refusals >= REFUSALS_MAX ? -t->result->first_error : 0;
}

static int denied(struct taker *t, int error)
{
	if (t->result->denied++ == 0)
		t->result->first_error = error;
	/* Those two may be of this object: a label, a flag. */
	return error == EACCES || error == EPERM ? 0 : refused(t);
}

/* What was looked for is not to be had. */
static int missed(struct taker *t, int error)
{
	if (error != ENOENT)
		return denied(t, error);
	t->result->gone++;
	return 0;
}

/* The kernel does not look where we stand: be sure that it is in the cache. */
static int stand_in(struct taker *t, int fd, int64_t dir)
{
	struct stat st;

	t->dir = -1;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != t->store->dev)
		return -EXDEV;
	if (fchdir(fd) < 0)
		return -errno;
	t->dir_fd = fd;
	t->dir = dir;
	t->moved = true;
	return 0;
}

static int open_fanout(struct taker *t, const char *volume, unsigned int fanout)
{
	_cleanup_close_ int fd = -1;
	char name[8];
	int r;

	closep(&t->own_fd);
	t->own_fd = -1;
	snprintf(name, sizeof(name), "@%02x", fanout & 0xff);
	r = store_open_dir(t->store->cache, volume, &fd);
	return r < 0 ? r : store_open_dir(fd, name, &t->own_fd);
}

int take_enter(struct taker *t, int64_t dir, const char *volume, unsigned int fanout)
{
	int r;

	if (t->dir == dir)
		return 1;
	t->dir = -1;
	r = open_fanout(t, volume, fanout);
	if (r == 0)
		r = stand_in(t, t->own_fd, dir);
	return r < 0 ? missed(t, -r) : 1;
}

int take_enter_open(struct taker *t, int fanout)
{
	int r = stand_in(t, fanout, DIR_IN_SCAN);

	return r < 0 ? missed(t, -r) : 1;
}

/* Where the volumes are. */
static int enter_top(struct taker *t)
{
	return t->dir == DIR_OF_VOLUMES ? 0 : stand_in(t, t->store->cache, DIR_OF_VOLUMES);
}

static void add(atomic_uint_least64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static int done(struct taker *t, uint64_t objects, uint64_t blocks)
{
	if (t->result->culled == 0)
		t->result->first_cull_ms = now_ms() - t->started;
	t->result->culled += objects;
	t->result->blocks += blocks;
	t->refusals = 0;
	add(&t->progress->culled_files, objects);
	add(&t->progress->culled_bytes, blocks * 512);
	return 1;
}

static int ask(struct taker *t, const char *name, uint64_t objects, uint64_t blocks)
{
	int error;

	switch (device_cull(t->device, name, &error)) {
	case CULL_DONE:
		return done(t, objects, blocks);
	case CULL_BUSY:
		t->result->busy++;
		add(&t->progress->busy, 1);
		return 0;
	case CULL_GONE:
		t->result->gone++;
		return 0;
	case CULL_SKIP:
		/* One is odd; where all are, the filesystem is ill (an aborted journal). */
		if (t->result->skipped++ == 0 && t->result->denied == 0)
			t->result->first_error = EIO;
		return refused(t);
	case CULL_DENIED:
		return denied(t, error);
	case CULL_DEAD:
		break;
	}
	return -EOWNERDEAD;
}

/* Whether nobody used it since it was chosen: 1, 0 or an errno. */
static int is_still_old(const struct taker *t, const char *name, int64_t used)
{
	struct statx sx;

	if (statx(t->dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_ATIME, &sx) < 0)
		return -errno;
	return store_nanoseconds(&sx.stx_atime) == used;
}

int take_object(struct taker *t, const char *name, int64_t used, uint64_t blocks)
{
	int r = is_still_old(t, name, used);

	if (r < 0)
		return missed(t, -r);
	if (r > 0)
		return ask(t, name, 1, blocks);
	t->result->touched++;
	return 0;
}

int take_object_now(struct taker *t, const char *name, uint64_t blocks)
{
	return ask(t, name, 1, blocks);
}

int take_volume(struct taker *t, const char *key, uint64_t objects, uint64_t blocks)
{
	int r = enter_top(t);

	return r < 0 ? missed(t, -r) : ask(t, key, objects, blocks);
}

int take_is_live(struct taker *t, const char *key)
{
	int r = enter_top(t);

	return r < 0 ? r : device_in_use(t->device, key);
}

int take_leave(struct taker *t)
{
	bool moved = t->moved;

	closep(&t->own_fd);
	t->own_fd = t->dir_fd = -1;
	t->dir = -1;
	t->moved = false;
	return moved && chdir("/") < 0 ? -errno : 0;
}
