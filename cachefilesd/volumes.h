/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a scan found, volume by volume, and what a volume's key says of the server and the export
 * that it is of. The kernel's clients build the keys: fs/nfs/fscache.c, fs/smb/client/fscache.c,
 * fs/9p/cache.c, fs/afs/volume.c, fs/ceph/cache.c. No I/O, no locks: a scan fills the table in its
 * worker and hands it over whole.
 */
#pragma once

#include "util.h"

/* So many volumes are told apart, which takes two megabytes at most; the others are summed up. */
#define VOLUMES_MAX 4096

struct volume {
	char *key; /* the name of its directory: "I" and the key; NULL for the sum of the others */
	uint64_t objects;
	uint64_t blocks;	/* of 512 bytes */
	int64_t oldest, newest; /* last uses, ns since the epoch; 0: it has no objects */
	bool live;		/* the kernel uses it: it is mounted, and a file was opened since */
	bool orphan; /* it is not, and another one of the same server and export is: its mount's
			options have changed, and nobody will read it again */
	int rule;    /* the directive "volume" that applies, counted from 0; -1: none */
};

struct volumes {
	struct volume *items;
	size_t count;
	struct volume others; /* those beyond VOLUMES_MAX */
	uint64_t other_count;
	uint64_t objects, blocks; /* of all, less what was culled since the scan */
	int64_t oldest;		  /* of all; 0: there are no objects */
	int64_t taken;		  /* when the scan ended, ns since the epoch; 0: there was none */
	uint64_t taken_ms;	  /* the same by now_ms() */
	uint64_t avail_blocks;	  /* what was available when the cycle ended, 512 bytes */
	uint64_t avail_files;
};

/* Adds one without objects. NULL: there is no memory. The pointer is good until the next call. */
struct volume *volumes_add(struct volumes *v, const char *key);

/* Counts an object of the volume, or with what is there already: sums and ages. */
void volumes_count(struct volumes *v, struct volume *volume, int64_t used, uint64_t blocks);

/* Decides which are orphans, when all are there and it is known which are live. */
void volumes_find_orphans(struct volumes *v);

void volumes_clear(struct volumes *v);

/*
 * The key made readable, without blanks: "nfs4.2:10.0.2.2:1a:0" (version, server, the export's
 * fsid as /proc/fs/nfsfs/volumes has it), "cifs:server:share", else the key with bytes that cannot
 * be shown as \xNN. Several volumes may have the same one: mount options are left out.
 */
struct volume_name {
	char text[300];
};
struct volume_name volume_readable(const char *key);

/*
 * Whether the pattern (fnmatch, * matches anything) is that of the key, with its I or without, or
 * of the readable name.
 */
bool volume_matches(const char *pattern, const char *key);
