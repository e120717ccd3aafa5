/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cachefiles of user space, for hosts that have none: what the kernel keeps of its one cache lies
 * in a file that is mapped by the process fakekernel and by every process that libfakedev.so is
 * preloaded into. Commands are carried out in the process that writes them, by the thread that
 * writes them, so that working directories and CPU time are counted as with a real kernel;
 * fakekernel notices the last close and takes orders from tests.
 *
 * An open device is one end (a) of a stream socket pair. Bytes that wait in it make it readable
 * (POLLIN: the state changed), a send buffer that is kept full makes it not writable (POLLOUT:
 * culling is wanted). The other end (b) is held by fakekernel, where the last close of a shows as a
 * hang-up, and by the process that opened, which raises and lowers the levels.
 *
 * Facts are those of fs/cachefiles/daemon.c, cache.c and namei.c in Linux 6.1; with "set claim 1"
 * those of the series in kernel/claim as well.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Names the directory with the shared state and fakekernel's socket. */
#define FAKE_ENVIRONMENT "CACHEFILES_FAKE"
#define FAKE_STATE	 "state"
#define FAKE_SOCKET	 "socket"
#define FAKE_DEVICE	 "/dev/cachefiles"
#define FAKE_MAGIC	 0x66616b65

/* What is written, read, opened and withdrawn, as tests/fake/fakelib.py reads it. */
struct fake_record {
	uint64_t time_ns;   /* CLOCK_MONOTONIC */
	int64_t atime_ns;   /* cull: last use of what was culled */
	uint64_t blocks;    /* cull: of 512 bytes */
	uint64_t cwd_inode; /* of the thread, where log_cwd is set */
	int32_t result;	    /* 0 or a positive errno */
	uint32_t thread;
	char text[280]; /* "cull NAME"; "open", "read", "withdraw" */
};

/* Records begin there in the file. */
#define FAKE_LOG_OFFSET 65536

struct fake_injection {
	char word[24];	/* a command, "open", "read", or one of the shim's system calls */
	int32_t error;	/* positive errno; 0: only the delay */
	uint32_t every; /* 1: always, n: every n-th */
	uint32_t times; /* how often at most; 0: without end */
	uint32_t delay_ms;
	char only[64]; /* glob on the argument; empty: any */
	_Atomic uint32_t seen, fired;
};

/* Calls that the shim counts, in the order of fake_count_names. */
enum fake_count {
	FAKE_OPENS,
	FAKE_READS,
	FAKE_WRITES,
	FAKE_CULLS, /* that culled */
	FAKE_BUSY,
	FAKE_BINDS, /* that bound */
	FAKE_WITHDRAWALS,
	FAKE_UNBINDS, /* that unbound */
	FAKE_OUTSIDE, /* culls from a working directory outside the cache: refused */
	FAKE_GETDENTS,
	FAKE_SCANS, /* opens of the directory "cache" by openat2 */
	FAKE_OPENAT2,
	FAKE_STATX,
	FAKE_STATFS,
	FAKE_REMOVED, /* by the process itself, below the cache directory */
	FAKE_COUNTS
};
extern const char *const fake_count_names[FAKE_COUNTS];

enum fake_percent {
	FAKE_FRUN,
	FAKE_FCULL,
	FAKE_FSTOP,
	FAKE_BRUN,
	FAKE_BCULL,
	FAKE_BSTOP,
	FAKE_PERCENTS
};

struct fake {
	uint32_t magic;
	pthread_mutex_t lock; /* everything but atomics */
	char root[4096];      /* of the cache, as fakekernel was told; real path */
	uint64_t fsid, dev;   /* of its filesystem */

	/* struct cachefiles_cache */
	bool opened, ready, dead, culling, changed, unbound;
	char dir[4096], tag[256];
	bool has_secctx;
	uint64_t percent[FAKE_PERCENTS], limit[FAKE_PERCENTS];
	uint64_t freleased, breleased;
	uint32_t graves;

	/* The filesystem: blocks of 4096 bytes, usage in blocks of 512. */
	uint64_t total_blocks, total_files;
	_Atomic uint64_t used_sectors, used_files;

	/* In use: globs on names; volumes too. */
	uint32_t busy_count;
	char busy[64][64];

	/* The claim on the filesystem, where the kernel has it. */
	uint64_t claim, frozen, read_only, yield_ms, frzref, roref;

	uint64_t no_module, check_capability, guard, log, log_cwd, close_delay_ms, without_released;
	char state_override[512]; /* a state line instead of ours */

	_Atomic uint32_t injection_count;
	struct fake_injection injection[32];
	_Atomic uint64_t count[FAKE_COUNTS];

	uint64_t log_room;
	_Atomic uint64_t log_count;
};

/* The two ends of the open device, -1 where the process does not have it. */
struct fake_ends {
	int a, b;
};

/* What libfakedev.so puts itself before; fakekernel has those of libc. */
struct fake_real {
	int (*unlinkat)(int, const char *, int);
	ssize_t (*read)(int, void *, size_t);
};
extern struct fake_real fake_real;

/* Maps the state in that directory; NULL and errno where that fails. */
struct fake *fake_map(const char *directory);
struct fake_record *fake_records(struct fake *f);

void fake_lock(struct fake *f);
void fake_unlock(struct fake *f);

/* Counts the use of that word and gives the errno that it shall fail with, or 0. May sleep. */
int fake_inject(struct fake *f, const char *word, const char *argument);
static inline void fake_count(struct fake *f, enum fake_count what)
{
	atomic_fetch_add_explicit(&f->count[what], 1, memory_order_relaxed);
}

struct fake_record *fake_log(struct fake *f, const char *text, size_t length, int result);

/* As at open: nothing set but the defaults. */
void fake_reset(struct fake *f);
/* cachefiles_has_space() with nothing wanted; 0 or ENOBUFS. Locked. */
int fake_check_space(struct fake *f, struct fake_ends *ends);
/* Locked. */
void fake_state_changed(struct fake *f, struct fake_ends *ends);
/* Makes the device not writable. */
void fake_fill(struct fake_ends *ends);

bool fake_in_use(const struct fake *f, const char *name);
uint64_t fake_free_blocks(const struct fake *f);
uint64_t fake_free_files(const struct fake *f);
/* What is gone from the filesystem. */
void fake_give_back(struct fake *f, uint64_t sectors, uint64_t files);

/* The file operations; a positive errno as the negative. */
ssize_t fake_write(struct fake *f, struct fake_ends *ends, const char *data, size_t length);
ssize_t fake_read(struct fake *f, struct fake_ends *ends, char *buffer, size_t size);
/* Culling and asking, in operations.c; 0 or a positive errno. */
int fake_cull(struct fake *f, const char *name, struct fake_record *record);
int fake_inuse(struct fake *f, const char *name);
int fake_bind(struct fake *f, struct fake_ends *ends);
