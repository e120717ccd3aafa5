/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filesystem below the cache: what it lacks, by name, and when its mounts change. The checks
 * run in a worker thread (they may block); the monitor's descriptor belongs to the event loop.
 * Nothing here logs.
 */
#pragma once

#include "config.h"

/* Why a directory cannot be a cache now. */
struct backing_report {
	int error;	    /* 0: nothing found; else a positive errno */
	bool can_wait;	    /* may pass by itself: not there yet, read-only, full, in use */
	bool misconfigured; /* the configuration names something that can never work */
	char text[400];	    /* one line for the administrator: what, where, and what to do */
};

/*
 * Examines the directory as the kernel's bind will (cachefiles_add_cache in fs/cachefiles/cache.c):
 * what /etc/fstab mounts on it or above is mounted; it is there and a directory, absolute and
 * reached without surprises; filesystem writable, not an idmapped mount, block size at most a page,
 * statfs, O_TMPFILE, user extended attributes; above the stop limits. The first thing missing is
 * reported. Needs CAP_DAC_OVERRIDE only where root does. Leaves nothing behind.
 */
void backing_check(const char *dir, const struct limits *limits, struct backing_report *ret);

/* The filesystem type and source of the mount that holds dir: "ext4 on /dev/vdb". */
void backing_describe(const char *dir, char *buffer, size_t size);

/*
 * Whether the mount below the open directory is read-only, or the host's in the same place: a
 * service with mounts of its own is not told of the options of those. The filesystem itself is
 * another question (fstatvfs).
 */
bool backing_mount_read_only(int fd);

/* Explains what bind answered (positive errno) when backing_check() found nothing. */
void backing_explain_bind(const char *dir, const char *tag, const char *secctx, int error,
			  struct backing_report *ret);

/*
 * Mount monitor: its descriptor becomes readable when the mount table of our namespace or of the
 * host's changes, options included.
 */
struct backing_monitor;
int backing_monitor_new(struct backing_monitor **ret);
int backing_monitor_fd(struct backing_monitor *m);
/* Eats the pending events. */
void backing_monitor_drain(struct backing_monitor *m);
struct backing_monitor *backing_monitor_free(struct backing_monitor *m); /* returns NULL */
