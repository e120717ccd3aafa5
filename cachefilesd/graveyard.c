/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "graveyard.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "store.h"

/*
 * Each level holds a descriptor and a buffer. A directory further down is moved to one of the
 * levels above and met there again, so that depth costs neither.
 */
#define LEVELS	     8
#define LISTING_SIZE (32 * 1024)

/*
 * A directory that is being emptied; level 0 is the graveyard itself. It is read in passes: a
 * listing may leave out entries when others are removed meanwhile, so that only a pass which
 * changed nothing has seen all that is left.
 */
struct level {
	int fd;
	char name[NAME_MAX + 1]; /* in the level above */
	char *listing;
	long length, at;
	bool changed;	/* in this pass */
	uint64_t stuck; /* in this pass, with what is further down */
};

struct reap {
	struct level levels[LEVELS];
	size_t depth; /* levels in use */
	unsigned int moved;
	struct graveyard_result result;
};

static struct level *top(struct reap *r)
{
	return &r->levels[r->depth - 1];
}

static void rewind_level(struct level *l)
{
	lseek(l->fd, 0, SEEK_SET);
	l->length = l->at = 0;
	l->changed = false;
	l->stuck = 0;
}

static void note_stuck(struct reap *r, const char *name, int error)
{
	top(r)->stuck++;
	if (r->result.first_error != 0)
		return;
	r->result.first_error = error;
	snprintf(r->result.first_name, sizeof(r->result.first_name), "%s", name);
}

/* The next entry but "." and "..": 1, 0 at the end of the pass, or an errno. */
static int next_entry(struct level *l, const struct dirent64 **ret)
{
	for (;;) {
		const struct dirent64 *entry;

		if (l->at >= l->length) {
			l->length = syscall(SYS_getdents64, l->fd, l->listing, LISTING_SIZE);
			l->at = 0;
			if (l->length <= 0) {
				int r = l->length < 0 ? -errno : 0;

				l->length = 0;
				return r;
			}
		}
		entry = (const struct dirent64 *)(l->listing + l->at);
		l->at += entry->d_reclen;
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		*ret = entry;
		return 1;
	}
}

static int enter(struct reap *r, int parent, const char *name)
{
	struct level *l = &r->levels[r->depth];
	int error;

	if (!l->listing) {
		l->listing = malloc(LISTING_SIZE);
		if (!l->listing)
			return -ENOMEM;
	}
	error = store_open_dir(parent, name, &l->fd);
	if (error < 0)
		return error;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->length = l->at = 0;
	l->changed = false;
	l->stuck = 0;
	r->depth++;
	return 0;
}

static void leave(struct reap *r)
{
	closep(&top(r)->fd);
	r->depth--;
}

/*
 * Moves a directory of the last level upwards. The graveyard is the best place; within a subvolume
 * or a project's quota only a level inside of it will do (EXDEV). Taking the name of an empty
 * directory is no harm here.
 */
static int move_up(struct reap *r, const char *name)
{
	char moved[32];
	int error = -EXDEV;

	for (size_t i = 0; i + 1 < r->depth && error == -EXDEV; i++) {
		do {
			snprintf(moved, sizeof(moved), "moved%08x", r->moved++);
			error = renameat(top(r)->fd, name, r->levels[i].fd, moved) < 0 ? -errno : 0;
		} while (error == -EEXIST || error == -ENOTEMPTY || error == -ENOTDIR);
		if (error == 0)
			r->levels[i].changed = true;
	}
	if (error == 0)
		top(r)->changed = true;
	return error;
}

static int remove_dir(struct reap *r, const char *name)
{
	int error;

	/* Most are empty. */
	if (unlinkat(top(r)->fd, name, AT_REMOVEDIR) == 0) {
		r->result.dirs++;
		top(r)->changed = true;
		return 0;
	}
	error = -errno;
	if (error == -ENOENT)
		return 0;
	if (error != -ENOTEMPTY && error != -EEXIST)
		goto stuck;
	if (r->depth < LEVELS) {
		error = enter(r, top(r)->fd, name);
		if (error == 0 || error == -ENOMEM)
			return error;
		if (error != -EMFILE && error != -ENFILE)
			goto stuck;
	}
	error = move_up(r, name);
	if (error == 0)
		return 0;
stuck:
	if (error == -EROFS)
		return error;
	note_stuck(r, name, -error);
	return 0;
}

static int remove_file(struct reap *r, const char *name, const struct statx *sx)
{
	if (unlinkat(top(r)->fd, name, 0) < 0) {
		if (errno == EROFS)
			return -EROFS;
		if (errno != ENOENT)
			note_stuck(r, name, errno);
		return 0;
	}
	top(r)->changed = true;
	r->result.files++;
	if (sx->stx_nlink == 1)
		r->result.blocks += sx->stx_blocks;
	return 0;
}

static int remove_entry(struct reap *r, const struct dirent64 *entry)
{
	struct statx sx;

	if (entry->d_type == DT_DIR)
		return remove_dir(r, entry->d_name);
	if (statx(top(r)->fd, entry->d_name,
		  AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_TYPE | STATX_NLINK | STATX_BLOCKS, &sx) < 0) {
		if (errno == ENOENT)
			return 0;
		sx = (struct statx){.stx_mode = S_IFREG}; /* it may go all the same */
	}
	return S_ISDIR(sx.stx_mode) ? remove_dir(r, entry->d_name)
				    : remove_file(r, entry->d_name, &sx);
}

/* The level's listing has ended: again, or upwards. Returns 1 when the graveyard is done. */
static int end_pass(struct reap *r)
{
	struct level *l = top(r), *parent = l - 1;

	if (r->depth == 1) {
		if (!l->changed)
			return 1;
		rewind_level(l);
		return 0;
	}
	if (unlinkat(parent->fd, l->name, AT_REMOVEDIR) == 0) {
		r->result.dirs++;
		parent->changed = true;
		leave(r);
		return 0;
	}
	if (errno == EROFS)
		return -EROFS;
	if (errno == ENOTEMPTY || errno == EEXIST) {
		if (l->changed) {
			rewind_level(l);
			return 0;
		}
		if (l->stuck > 0) {
			parent->stuck += l->stuck;
			leave(r);
			return 0;
		}
	}
	if (errno == ENOENT) {
		leave(r);
		return 0;
	}
	leave(r);
	note_stuck(r, l->name, errno);
	return 0;
}

static int step(struct reap *r)
{
	const struct dirent64 *entry = NULL;
	int error = next_entry(top(r), &entry);

	if (error == 0)
		return end_pass(r);
	if (error > 0)
		return remove_entry(r, entry);
	if (r->depth == 1)
		return error;
	leave(r);
	note_stuck(r, r->levels[r->depth].name, -error);
	return 0;
}

int graveyard_reap(int graveyard_fd, const atomic_bool *stop, void (*beat)(void *), void *data,
		   struct graveyard_result *ret)
{
	struct reap r = {.depth = 0};
	int error = enter(&r, graveyard_fd, ".");

	while (error == 0) {
		if (atomic_load_explicit(stop, memory_order_relaxed)) {
			error = -EINTR;
			break;
		}
		if (beat)
			beat(data);
		error = step(&r);
	}
	if (r.depth > 0)
		r.result.stuck = r.levels[0].stuck;
	if (r.result.stuck == 0) { /* a later pass could remove it after all */
		r.result.first_error = 0;
		r.result.first_name[0] = '\0';
	}
	while (r.depth > 0)
		leave(&r);
	for (size_t i = 0; i < LEVELS; i++)
		free(r.levels[i].listing);
	*ret = r.result;
	return MIN(error, 0);
}
