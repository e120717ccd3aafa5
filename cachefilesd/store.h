/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache on disk, as Linux 5.17 and later lay it out: DIR/cache/I<volume>/@xx/<object> and
 * DIR/graveyard/. Everything is opened below the cache directory's descriptor, never through a
 * symbolic link and never across a mount. Worker threads only: every call may block as long as
 * the filesystem does. Nothing here logs.
 */
#pragma once

#include <sys/types.h>

#include "util.h"

struct store {
	int root;      /* DIR */
	int cache;     /* DIR/cache */
	int graveyard; /* DIR/graveyard */
	dev_t dev;
	ino_t ino; /* of DIR */
};

#define STORE_CLOSED ((struct store){.root = -1, .cache = -1, .graveyard = -1})

/*
 * Opens the directories of a bound cache. -ENOENT: not there (the kernel makes cache/ and
 * graveyard/ at bind), -ENOTDIR, -ELOOP, -EXDEV: not ours to touch.
 */
int store_open(struct store *ret, const char *dir);
void store_close(struct store *s);

/*
 * Opens a directory for reading by one name below parent: no symbolic link, no other filesystem,
 * no change of its access time where we may ask for that.
 */
int store_open_dir(int parent, const char *name, int *ret_fd);

/* Whether DIR is still the directory that was opened: false when it was replaced or mounted over.
 */
bool store_is_same(const struct store *s, const char *dir);

/* What a name is for at its place in the tree. */
enum store_kind {
	STORE_VOLUME,  /* I… in cache/ */
	STORE_FANOUT,  /* @00 … @ff in a volume */
	STORE_OBJECT,  /* D…, S…, T…, E… in a fan-out */
	STORE_OLD,     /* a directory of a kernel before 5.17: nobody will read it again */
	STORE_FOREIGN, /* not the cache's */
};
enum store_level {
	STORE_IN_CACHE,
	STORE_IN_VOLUME,
	STORE_IN_FANOUT
};
/* type is a DT_* value; DT_UNKNOWN counts as what the name says. */
enum store_kind store_kind_of(enum store_level level, const char *name, unsigned char type);

/* Nanoseconds since the epoch; a time that they do not reach (after 2262) is the last they do. */
struct statx_timestamp;
int64_t store_nanoseconds(const struct statx_timestamp *at);

/* A volume's directory name or an object's name made readable, bytes that are not as \xNN. */
void store_readable(const char *name, char *buffer, size_t size);
