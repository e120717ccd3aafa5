// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shared state: mapping, lock, injected errors, the log, levels of the device, free space.
 */
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

const char *const fake_count_names[FAKE_COUNTS] = {
	[FAKE_OPENS] = "opens",
	[FAKE_READS] = "reads",
	[FAKE_WRITES] = "writes",
	[FAKE_CULLS] = "culls",
	[FAKE_BUSY] = "busy",
	[FAKE_BINDS] = "binds",
	[FAKE_WITHDRAWALS] = "withdrawals",
	[FAKE_UNBINDS] = "unbinds",
	[FAKE_OUTSIDE] = "outside",
	[FAKE_GETDENTS] = "getdents",
	[FAKE_SCANS] = "scans",
	[FAKE_OPENAT2] = "openat2",
	[FAKE_STATX] = "statx",
	[FAKE_STATFS] = "statfs",
	[FAKE_REMOVED] = "removed",
};

struct fake *fake_map(const char *directory)
{
	char path[4200];
	struct stat st;
	struct fake *f;
	int fd;

	snprintf(path, sizeof(path), "%s/" FAKE_STATE, directory);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	f = fstat(fd, &st) < 0
		    ? MAP_FAILED
		    : mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	return f == MAP_FAILED ? NULL : f;
}

struct fake_record *fake_records(struct fake *f)
{
	return (struct fake_record *)(void *)((char *)f + FAKE_LOG_OFFSET);
}

void fake_lock(struct fake *f)
{
	/* Its holder was killed: every state between two statements is good enough. */
	if (pthread_mutex_lock(&f->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&f->lock);
}

void fake_unlock(struct fake *f)
{
	pthread_mutex_unlock(&f->lock);
}

int fake_inject(struct fake *f, const char *word, const char *argument)
{
	uint32_t count = atomic_load_explicit(&f->injection_count, memory_order_acquire);

	for (uint32_t i = 0; i < count; i++) {
		struct fake_injection *j = &f->injection[i];

		if (strcmp(j->word, word) != 0 ||
		    (j->only[0] && (!argument || fnmatch(j->only, argument, 0) != 0)))
			continue;
		if (atomic_fetch_add(&j->seen, 1) % j->every != j->every - 1)
			continue;
		if (atomic_fetch_add(&j->fired, 1) >= j->times && j->times != 0)
			continue;
		for (uint32_t slept = 0; slept < j->delay_ms; slept += 10)
			usleep(10000);
		if (j->error)
			return j->error;
	}
	return 0;
}

struct fake_record *fake_log(struct fake *f, const char *text, size_t length, int result)
{
	struct fake_record *r;
	struct timespec now;
	struct stat st;
	uint64_t at;

	if (!f->log || (f->log == 2 && strncmp(text, "cull ", 5) != 0))
		return NULL;
	at = atomic_fetch_add(&f->log_count, 1);
	if (at >= f->log_room)
		return NULL;
	r = &fake_records(f)[at];
	clock_gettime(CLOCK_MONOTONIC, &now);
	r->time_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	r->atime_ns = 0;
	r->blocks = 0;
	r->cwd_inode = f->log_cwd && stat(".", &st) == 0 ? st.st_ino : 0;
	r->thread = (uint32_t)syscall(SYS_gettid);
	if (length >= sizeof(r->text))
		length = sizeof(r->text) - 1;
	memcpy(r->text, text, length);
	r->text[length] = '\0';
	r->result = result;
	return r;
}

void fake_reset(struct fake *f)
{
	static const uint64_t defaults[] = {
		[FAKE_FRUN] = 7, [FAKE_FCULL] = 5, [FAKE_FSTOP] = 1,
		[FAKE_BRUN] = 7, [FAKE_BCULL] = 5, [FAKE_BSTOP] = 1,
	};

	f->opened = f->ready = f->dead = f->culling = f->changed = f->has_secctx = false;
	f->unbound = false;
	f->frzref = f->roref = f->yield_ms = 0;
	f->dir[0] = f->tag[0] = '\0';
	f->freleased = f->breleased = 0;
	memcpy(f->percent, defaults, sizeof(defaults));
	memset(f->limit, 0, sizeof(f->limit));
}

void fake_fill(struct fake_ends *ends)
{
	static const char filler[1024];

	while (ends->a >= 0 &&
	       send(ends->a, filler, sizeof(filler), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
}

static void drain(int fd)
{
	char eaten[4096];

	while (fd >= 0 && recv(fd, eaten, sizeof(eaten), MSG_DONTWAIT) > 0)
		;
}

void fake_state_changed(struct fake *f, struct fake_ends *ends)
{
	if (f->changed)
		return;
	f->changed = true;
	if (ends->b >= 0)
		send(ends->b, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

uint64_t fake_free_blocks(const struct fake *f)
{
	uint64_t used = (f->used_sectors + 7) / 8;

	return f->total_blocks > used ? f->total_blocks - used : 0;
}

uint64_t fake_free_files(const struct fake *f)
{
	return f->total_files > f->used_files ? f->total_files - f->used_files : 0;
}

static void subtract(_Atomic uint64_t *from, uint64_t what)
{
	uint64_t now = atomic_load(from);

	while (!atomic_compare_exchange_weak(from, &now, now > what ? now - what : 0))
		;
}

void fake_give_back(struct fake *f, uint64_t sectors, uint64_t files)
{
	subtract(&f->used_sectors, sectors);
	subtract(&f->used_files, files);
}

/* An end to culling makes the device not writable; only the process that opened can. */
int fake_check_space(struct fake *f, struct fake_ends *ends)
{
	uint64_t blocks = fake_free_blocks(f), files = fake_free_files(f);

	if (files < f->limit[FAKE_FCULL] || blocks < f->limit[FAKE_BCULL]) {
		if (!f->culling) {
			f->culling = true;
			drain(ends->b);
			fake_state_changed(f, ends);
		}
	} else if (f->culling && files >= f->limit[FAKE_FRUN] && blocks >= f->limit[FAKE_BRUN]) {
		f->culling = false;
		fake_fill(ends);
		fake_state_changed(f, ends);
	}
	return files < f->limit[FAKE_FSTOP] || blocks < f->limit[FAKE_BSTOP] ? ENOBUFS : 0;
}

bool fake_in_use(const struct fake *f, const char *name)
{
	for (uint32_t i = 0; i < f->busy_count; i++)
		if (fnmatch(f->busy[i], name, 0) == 0)
			return true;
	return false;
}

/* One line; what was told and what waits in the device go with it. */
static ssize_t read_line(struct fake *f, struct fake_ends *ends, char *buffer, size_t size)
{
	char line[512];
	int n;

	if (f->ready)
		fake_check_space(f, ends);
	n = snprintf(
		line, sizeof(line),
		"cull=%c frun=%llx fcull=%llx fstop=%llx brun=%llx bcull=%llx bstop=%llx",
		f->culling ? '1' : '0', (unsigned long long)f->limit[FAKE_FRUN],
		(unsigned long long)f->limit[FAKE_FCULL], (unsigned long long)f->limit[FAKE_FSTOP],
		(unsigned long long)f->limit[FAKE_BRUN], (unsigned long long)f->limit[FAKE_BCULL],
		(unsigned long long)f->limit[FAKE_BSTOP]);
	if (!f->without_released)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " freleased=%llx breleased=%llx",
			      (unsigned long long)f->freleased, (unsigned long long)f->breleased);
	if (f->claim)
		n += snprintf(line + n, sizeof(line) - (size_t)n,
			      " wclaim=%d frzref=%llx roref=%llx dead=%d", f->ready,
			      (unsigned long long)f->frzref, (unsigned long long)f->roref, f->dead);
	if (f->state_override[0])
		n = snprintf(line, sizeof(line), "%s", f->state_override);
	f->freleased = f->breleased = 0;
	f->changed = false;
	drain(ends->a);
	if ((size_t)n > size)
		return -EMSGSIZE;
	memcpy(buffer, line, (size_t)n);
	return n;
}

ssize_t fake_read(struct fake *f, struct fake_ends *ends, char *buffer, size_t size)
{
	int error = fake_inject(f, "read", NULL);
	ssize_t n = 0;

	fake_count(f, FAKE_READS);
	fake_lock(f);
	if (error)
		n = -error;
	else if (f->ready || f->unbound)
		n = read_line(f, ends, buffer, size);
	fake_log(f, "read", 4, n < 0 ? (int)-n : 0);
	fake_unlock(f);
	return n;
}
