/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Large enough that a fan-out of a thousand objects takes one call or two. */
#define LISTING_SIZE (128 * 1024)

/* A directory being read; each level of the walk has its own. */
struct listing {
	int fd;
	char *buffer;
	long length, at;
};

static int listing_new(struct listing *l)
{
	l->fd = -1;
	l->buffer = malloc(LISTING_SIZE);
	return l->buffer ? 0 : -ENOMEM;
}

static void listing_free(struct listing *l)
{
	closep(&l->fd);
	free(l->buffer);
}

static int listing_open(struct listing *l, int parent, const char *name)
{
	closep(&l->fd);
	l->fd = -1;
	l->length = l->at = 0;
	return store_open_dir(parent, name, &l->fd);
}

/* The next entry but "." and "..": 1, 0 at the end, or an errno. */
static int listing_next(struct listing *l, const struct dirent64 **ret)
{
	for (;;) {
		const struct dirent64 *entry;

		if (l->at >= l->length) {
			l->length = syscall(SYS_getdents64, l->fd, l->buffer, LISTING_SIZE);
			l->at = 0;
			if (l->length <= 0)
				return l->length < 0 ? -errno : 0;
		}
		entry = (const struct dirent64 *)(l->buffer + l->at);
		l->at += entry->d_reclen;
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		*ret = entry;
		return 1;
	}
}

/* Where the walk is, for messages and for the numbers of directories. */
struct place {
	const char *volume, *fanout;
	int64_t volume_number; /* -1: has no candidate yet */
	uint32_t fanout_number;
	struct volume *findings; /* of the volume, or NULL */
	struct scan_choice choice;
	bool taking; /* something was taken in this fan-out */
};

static void describe(const struct place *at, const char *name, char *buffer, size_t size)
{
	char path[3 * 256 + 3];

	snprintf(path, sizeof(path), "%s%s%s%s%s", at->volume ? at->volume : "",
		 at->volume ? "/" : "", at->fanout ? at->fanout : "", at->fanout ? "/" : "", name);
	store_readable(path, buffer, size);
}

static void note_unreadable(struct scan *s, const struct place *at, const char *name, int error)
{
	if (s->found.unreadable++ > 0)
		return;
	s->found.first_error = error;
	describe(at, name, s->found.first_unreadable, sizeof(s->found.first_unreadable));
}

/*
 * Puts an entry into the graveyard under a name of its own. A plain rename: what is a mount point
 * is refused here (EBUSY), where the kernel's cull would declare the cache dead.
 */
static int quarantine(struct scan *s, int parent, const char *name)
{
	static atomic_uint counter;
	char grave[40];

	for (int tries = 0; tries < 100; tries++) {
		snprintf(grave, sizeof(grave), "q%08llx%08x", (unsigned long long)time(NULL),
			 atomic_fetch_add(&counter, 1));
		if (syscall(SYS_renameat2, parent, name, s->store->graveyard, grave,
			    RENAME_NOREPLACE) == 0)
			return 0;
		if (errno == EINVAL) /* a filesystem without flags: the names do not repeat */
			return renameat(parent, name, s->store->graveyard, grave) < 0 ? -errno : 0;
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

static void bury(struct scan *s, const struct place *at, int parent, const char *name,
		 enum store_kind kind)
{
	int r = quarantine(s, parent, name);

	if (r == -ENOENT)
		return;
	if (r < 0)
		note_unreadable(s, at, name, -r);
	else if (kind == STORE_OLD)
		s->found.old_trees++;
	else if (s->found.foreign++ == 0)
		describe(at, name, s->found.first_foreign, sizeof(s->found.first_foreign));
}

/* Gives the volume a number when the first candidate in it turns up. */
static int number_volume(struct scan *s, struct place *at)
{
	uint32_t number;
	int r;

	if (at->volume_number >= 0)
		return 0;
	r = selection_add_volume(s->selection, at->volume, &number);
	if (r == 0)
		at->volume_number = number;
	return r;
}

static int offer(struct scan *s, struct place *at, int64_t used, uint64_t blocks, const char *name)
{
	struct victims *v = &s->selection->victims;
	int r;

	if (!victims_wants(v, at->choice.priority, used))
		return 0;
	r = number_volume(s, at);
	if (r == -ENOSPC) {
		v->full = true; /* something was left out */
		return 0;
	}
	if (r == 0)
		r = victims_offer(v, at->choice.priority, used, blocks,
				  (uint32_t)at->volume_number << 8 | at->fanout_number, name);
	return MIN(r, 0);
}

static void count(struct scan *s, struct place *at, int64_t used, uint64_t blocks)
{
	s->found.objects++;
	s->found.blocks += blocks;
	if (s->found.oldest == 0 || used < s->found.oldest)
		s->found.oldest = used;
	if (at->findings)
		volumes_count(s->by_volume, at->findings, used, blocks);
}

static int see_object(struct scan *s, struct place *at, int fanout, const char *name)
{
	struct statx sx;
	int64_t used;
	int r;

	if (statx(fanout, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_TYPE | STATX_ATIME | STATX_BLOCKS, &sx) < 0) {
		if (errno != ENOENT)
			note_unreadable(s, at, name, errno);
		return 0;
	}
	if (!S_ISREG(sx.stx_mode)) { /* on a filesystem whose listings have no types */
		bury(s, at, fanout, name, STORE_FOREIGN);
		return 0;
	}
	used = store_nanoseconds(&sx.stx_atime);
	if (used <= at->choice.due && !at->choice.spare) {
		r = s->take(s->data, fanout, name, sx.stx_blocks, !at->taking);
		at->taking = true;
		if (r != 0)
			return r;
	}
	count(s, at, used, sx.stx_blocks);
	if (!s->selection || at->choice.spare || used <= at->choice.due || used < at->choice.from ||
	    used > at->choice.to)
		return 0;
	return offer(s, at, used, sx.stx_blocks, name);
}

/* What a level of the walk does with an entry of the kind it expects: 1 if nothing is there then.
 */
typedef int (*visit_fn)(struct scan *s, struct place *at, struct listing *l, const char *name);

/* An error that is not of one directory alone. */
static int end(struct scan *s, int error)
{
	s->ended = true;
	return error;
}

/*
 * Reads one directory; what is not of the expected kind is buried. *ret_kept tells how many
 * entries with something in them are there.
 */
static int walk(struct scan *s, struct place *at, struct listing *l, enum store_level level,
		visit_fn visit, uint64_t *ret_kept)
{
	static const enum store_kind expected[] = {
		[STORE_IN_CACHE] = STORE_VOLUME,
		[STORE_IN_VOLUME] = STORE_FANOUT,
		[STORE_IN_FANOUT] = STORE_OBJECT,
	};
	const struct dirent64 *entry = NULL;
	uint64_t kept = 0, seen = 0;
	int r;

	while ((r = listing_next(l, &entry)) > 0) {
		enum store_kind kind = store_kind_of(level, entry->d_name, entry->d_type);

		if (atomic_load_explicit(s->stop, memory_order_relaxed))
			return end(s, -EINTR);
		if (s->beat && (seen++ & 0xff) == 0)
			s->beat(s->beat_data);
		if (kind != expected[level]) {
			bury(s, at, l->fd, entry->d_name, kind);
			continue;
		}
		if ((r = visit(s, at, l, entry->d_name)) < 0)
			return end(s, r);
		kept += r == 0;
	}
	*ret_kept = kept;
	return r;
}

static int visit_object(struct scan *s, struct place *at, struct listing *l, const char *name)
{
	return see_object(s, at, l->fd, name);
}

/*
 * Opens name below l and walks it in the listing that follows l in the array; 1 if it is empty. at
 * is where l stands, inside where the walk goes on.
 */
static int descend(struct scan *s, const struct place *at, struct place *inside, struct listing *l,
		   const char *name, enum store_level level, visit_fn visit)
{
	struct listing *below = l + 1;
	uint64_t kept = 0;
	int r = listing_open(below, l->fd, name);

	if (r == -ENOTDIR || r == -ELOOP) { /* only where listings have no types */
		bury(s, at, l->fd, name, STORE_FOREIGN);
		return 0;
	}
	if (r == 0)
		r = walk(s, inside, below, level, visit, &kept);
	if (s->ended)
		return r;
	if (r < 0) {
		if (r != -ENOENT)
			note_unreadable(s, at, name, -r);
		return 0;
	}
	s->found.empty += kept == 0;
	return kept == 0;
}

static int visit_fanout(struct scan *s, struct place *at, struct listing *l, const char *name)
{
	struct place inside = *at;
	int r;

	inside.fanout = name;
	inside.fanout_number = (uint32_t)strtoul(name + 1, NULL, 16);
	inside.taking = false;
	s->found.fanouts++;
	r = descend(s, at, &inside, l, name, STORE_IN_FANOUT, visit_object);
	at->volume_number = inside.volume_number;
	return r;
}

static int visit_volume(struct scan *s, struct place *at, struct listing *l, const char *name)
{
	struct place inside = {
		.volume = name,
		.volume_number = -1,
	};

	if (s->only && !streq(name, s->only))
		return 0;
	s->found.volumes++;
	if (s->by_volume && !(inside.findings = volumes_add(s->by_volume, name)))
		return -ENOMEM;
	inside.choice = s->choose(s->data, name, inside.findings);
	return descend(s, at, &inside, l, name, STORE_IN_VOLUME, visit_fanout);
}

int scan_run(struct scan *s)
{
	struct listing levels[3] = {{.fd = -1}, {.fd = -1}, {.fd = -1}};
	struct place top = {.volume_number = -1};
	uint64_t kept;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(levels); i++)
		r = listing_new(&levels[i]);
	if (r == 0)
		r = listing_open(&levels[0], s->store->cache, ".");
	if (r == 0)
		r = walk(s, &top, &levels[0], STORE_IN_CACHE, visit_volume, &kept);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		listing_free(&levels[i]);
	return r;
}

/* ---- empty directories ---- */

struct sweep {
	bool (*go_on)(void *data);
	void *data;
	uint64_t tried;
};

/* 1 if it is gone. */
static int sweep_entry(struct scan *s, struct sweep *w, const struct listing *l, const char *name)
{
	if (atomic_load_explicit(s->stop, memory_order_relaxed))
		return -EINTR;
	if (s->beat)
		s->beat(s->beat_data);
	if ((w->tried++ & 0x3f) == 0x3f && !w->go_on(w->data))
		return -ECANCELED;
	if (unlinkat(l->fd, name, AT_REMOVEDIR) < 0)
		return 0;
	s->found.removed++;
	return 1;
}

static int sweep_volume(struct scan *s, struct sweep *w, struct listing *l, struct listing *below,
			const char *name)
{
	const struct dirent64 *entry = NULL;
	uint64_t kept = 0;
	int r = listing_open(below, l->fd, name);

	if (r < 0)
		return 0;
	while ((r = listing_next(below, &entry)) > 0) {
		if (store_kind_of(STORE_IN_VOLUME, entry->d_name, entry->d_type) != STORE_FANOUT)
			continue;
		if ((r = sweep_entry(s, w, below, entry->d_name)) < 0)
			return r;
		kept += r == 0;
	}
	return kept == 0 ? sweep_entry(s, w, l, name) : 0;
}

int scan_sweep(struct scan *s, bool (*go_on)(void *data), void *data)
{
	struct listing top = {.fd = -1}, below = {.fd = -1};
	struct sweep w = {go_on, data, 0};
	const struct dirent64 *entry = NULL;
	int r;

	if (s->found.empty == 0)
		return 0;
	r = listing_new(&top);
	if (r == 0)
		r = listing_new(&below);
	if (r == 0)
		r = listing_open(&top, s->store->cache, ".");
	while (r >= 0 && (r = listing_next(&top, &entry)) > 0)
		if (store_kind_of(STORE_IN_CACHE, entry->d_name, entry->d_type) == STORE_VOLUME)
			r = sweep_volume(s, &w, &top, &below, entry->d_name);
	listing_free(&top);
	listing_free(&below);
	return r == -ECANCELED ? 0 : MIN(r, 0);
}
