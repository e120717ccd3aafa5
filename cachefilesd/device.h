/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/cachefiles: the only part that knows the protocol (fs/cachefiles/daemon.c in the kernel).
 * The cache lives exactly as long as the last reference to the open device. Every function takes
 * the descriptor, logs nothing and answers a negative errno.
 */
#pragma once

#include "config.h"

#define DEVICE_PATH "/dev/cachefiles"

/* One line of the device; keys that the kernel does not know are zero. */
struct device_state {
	bool cull;		       /* the kernel wants space to be freed */
	uint64_t brun, bcull, bstop;   /* blocks that must be available, by limit */
	uint64_t frun, fcull, fstop;   /* the same in files (inodes) */
	bool counts_released;	       /* the kernel tells the next two (Linux 4.11 and later) */
	uint64_t breleased, freleased; /* let go of since the last read, which clears them */
	bool has_claim;		       /* the kernel tells the others */
	bool claimed;		       /* write access to the filesystem is claimed: bound */
	bool dead;		       /* as device_probe() finds it */
	uint64_t frzref,
		roref; /* freezes and read-only remounts refused since the device was opened */
};

/*
 * Opens the device; CAP_SYS_ADMIN must be effective in the calling thread. -ENOENT or -ENODEV:
 * the module is not there; -EBUSY: another process has it; -EPERM.
 */
int device_open(int *ret_fd);

/* A single command, with its argument or NULL. Returns 0 or what the kernel answered. */
int device_command(int fd, const char *word, const char *argument);

/*
 * Writes all six limits in an order that the kernel accepts whatever is in force: it checks each
 * one against the others at once (cachefiles_daemon_bcull and its sisters).
 */
int device_set_limits(int fd, const struct limits *limits);

/* Sets the mask of debug messages as the command "debug" does, but waits for no other command. */
int device_set_debug(unsigned int mask);

/* Binds the cache; may sleep for as long as the filesystem does. */
int device_bind(int fd);

/*
 * Withdraws the cache and lets go of its filesystem, but keeps directory, tag and limits:
 * device_bind() works again. Waits for what is under way and syncs. -ENODATA: not bound;
 * -EOPNOTSUPP: the kernel does not know the command, and nothing has changed.
 */
int device_unbind(int fd);

/* Whether the kernel knows that command: 1, 0 or an errno. Of a device that is not bound. */
int device_knows_unbind(int fd);

/* How long a freeze waits for device_unbind(), milliseconds; before bind. -EOPNOTSUPP. */
int device_set_yield(int fd, unsigned int ms);

/* Returns 0, -ENODATA while nothing is bound, -EBADMSG for a line that makes no sense. */
int device_read_state(int fd, struct device_state *ret);
/* Parses such a line; for device_read_state() and its tests. */
int device_parse_state(const char *line, struct device_state *ret);

/* A harmless question: 1 the cache lives (or is not bound yet), 0 it is dead, or an errno. */
int device_probe(int fd);

/*
 * What a cull command came to. The kernel looks the name up in the calling thread's working
 * directory and does not check where that is: the caller has.
 */
enum cull_verdict {
	CULL_DONE,
	CULL_BUSY,   /* in use: skip it */
	CULL_GONE,   /* somebody was faster */
	CULL_SKIP,   /* the kernel cannot do this one, now or ever (benign EIO, odd name) */
	CULL_DENIED, /* EACCES, EPERM, EROFS, ...: *ret_error says what; the next may fare no better
		      */
	CULL_DEAD,   /* the cache is dead */
};
enum cull_verdict device_cull(int fd, const char *name, int *ret_error);

/* Whether the name in the working directory is in use: 1, 0 or an errno; works on volumes too. */
int device_in_use(int fd, const char *name);
