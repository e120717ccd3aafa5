// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded into a daemon: gives it /dev/cachefiles and the free space of the simulated
 * filesystem, and counts and fails the system calls that tests want counted or failed. Without
 * CACHEFILES_FAKE in the environment it does nothing.
 */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#define _LARGEFILE64_SOURCE 1
#include "fake.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

struct fake_real fake_real;

static struct fake *fake;
static char directory[sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof(FAKE_SOCKET) - 1];
static struct fake_ends ends = {-1, -1};

/* The next definition of the name: libc's, or a sanitizer's. */
#define FIND(variable, name) (*(void **)&(variable) = next(name))
static void *next(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		abort();
	return symbol;
}

static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static long (*real_syscall)(long, ...);
static int (*real_statx)(int, const char *restrict, int, unsigned int, struct statx *restrict);

/* Other constructors and sanitizers may call before ours runs. */
static void prepare(void)
{
	static bool done;
	const char *where = getenv(FAKE_ENVIRONMENT);

	if (done)
		return;
	done = true;
	FIND(fake_real.unlinkat, "unlinkat");
	FIND(fake_real.read, "read");
	FIND(real_close, "close");
	FIND(real_write, "write");
	FIND(real_open, "open");
	FIND(real_openat, "openat");
	FIND(real_syscall, "syscall");
	FIND(real_statx, "statx");
	if (where && *where && strlen(where) < sizeof(directory)) {
		strcpy(directory, where);
		fake = fake_map(directory);
		if (!fake || fake->magic != FAKE_MAGIC) {
			fprintf(stderr, "libfakedev: %s: no state of a fake kernel\n", directory);
			_exit(125);
		}
	}
}

__attribute__((constructor)) static void load(void)
{
	prepare();
}

/* Fails the caller's system call where a test wants that. */
static bool fails(const char *call, const char *argument)
{
	int error = fake ? fake_inject(fake, call, argument) : 0;

	if (error)
		errno = error;
	return error != 0;
}

/* ---- open and close ---- */

static bool may_administrate(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	return real_syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & 1U << CAP_SYS_ADMIN);
}

/* Hands our other end to fakekernel, which answers with an errno. */
static int introduce(int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec what = {.iov_base = (char[]){"open\n"}, .iov_len = 5};
	struct msghdr message = {
		.msg_iov = &what,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), answer = EIO;

	if (s < 0)
		return errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" FAKE_SOCKET, directory);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (connect(s, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    sendmsg(s, &message, MSG_NOSIGNAL) < 0 ||
	    recv(s, &answer, sizeof(answer), MSG_WAITALL) != sizeof(answer))
		answer = EIO;
	real_close(s);
	return answer;
}

static int open_device(int flags)
{
	int error = fake_inject(fake, "open", NULL), pair[2], small = 1;

	fake_count(fake, FAKE_OPENS);
	if (error == 0 && fake->no_module)
		error = ENOENT;
	if (error == 0 && fake->check_capability && !may_administrate())
		error = EPERM;
	if (error == 0 &&
	    socketpair(AF_UNIX, SOCK_STREAM | (flags & O_CLOEXEC ? SOCK_CLOEXEC : 0), 0, pair) < 0)
		error = errno;
	if (error == 0) {
		error = introduce(pair[1]);
		if (error) {
			real_close(pair[0]);
			real_close(pair[1]);
		}
	}
	fake_lock(fake);
	if (error == 0) {
		if (ends.b >= 0)
			real_close(ends.b);
		ends = (struct fake_ends){pair[0], pair[1]};
		fcntl(ends.b, F_SETFD, FD_CLOEXEC);
		fcntl(ends.a, F_SETFL, O_RDWR | (flags & O_NONBLOCK));
		setsockopt(ends.a, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		fake_fill(&ends);
	}
	fake_log(fake, "open", 4, error);
	fake_unlock(fake);
	if (error) {
		errno = error;
		return -1;
	}
	return ends.a;
}

static bool is_device(const char *path)
{
	prepare();
	return fake && path && strcmp(path, FAKE_DEVICE) == 0;
}

/* The argument that only some flags have. */
#define MODE(mode, flags)                                                                          \
	do {                                                                                       \
		va_list list;                                                                      \
                                                                                                   \
		va_start(list, flags);                                                             \
		mode = (flags) & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;               \
		va_end(list);                                                                      \
	} while (0)

int open(const char *path, int flags, ...)
{
	mode_t mode;

	MODE(mode, flags);
	return is_device(path) ? open_device(flags) : real_open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode;

	MODE(mode, flags);
	return is_device(path) ? open_device(flags) : real_open(path, flags | O_LARGEFILE, mode);
}

int openat(int at, const char *path, int flags, ...)
{
	mode_t mode;

	MODE(mode, flags);
	return is_device(path) ? open_device(flags) : real_openat(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
	mode_t mode;

	MODE(mode, flags);
	return is_device(path) ? open_device(flags)
			       : real_openat(at, path, flags | O_LARGEFILE, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return is_device(path) ? open_device(flags) : real_open(path, flags);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
	return __open_2(path, flags | O_LARGEFILE);
}

int close(int fd)
{
	prepare();
	if (fake && fd >= 0 && fd == ends.b) { /* nobody knows of it */
		errno = EBADF;
		return -1;
	}
	if (fake && fd >= 0 && fd == ends.a) {
		ends.a = -1;
		usleep((useconds_t)fake->close_delay_ms * 1000);
	}
	return real_close(fd);
}

/* ---- read and write ---- */

ssize_t read(int fd, void *buffer, size_t size)
{
	ssize_t n;

	prepare();
	if (!fake || fd < 0 || fd != ends.a)
		return fake_real.read(fd, buffer, size);
	n = fake_read(fake, &ends, buffer, size);
	if (n < 0)
		errno = (int)-n;
	return n < 0 ? -1 : n;
}

ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
{
	if (size > room)
		abort();
	return read(fd, buffer, size);
}

ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t n;

	prepare();
	if (!fake || fd < 0 || fd != ends.a)
		return real_write(fd, data, size);
	n = fake_write(fake, &ends, data, size);
	if (n < 0)
		errno = (int)-n;
	return n < 0 ? -1 : n;
}

/* ---- the filesystem ---- */

#define SPACE(st)                                                                                  \
	do {                                                                                       \
		(st)->f_bsize = 4096;                                                              \
		(st)->f_frsize = 4096;                                                             \
		(st)->f_blocks = fake->total_blocks;                                               \
		(st)->f_bfree = (st)->f_bavail = fake_free_blocks(fake);                           \
		(st)->f_files = fake->total_files;                                                 \
		(st)->f_ffree = fake_free_files(fake);                                             \
	} while (0)

#define STATFS_LIKE(name, type, first, flags, ours)                                                \
	int name(first what, struct type *st)                                                      \
	{                                                                                          \
		static int (*real)(first, struct type *);                                          \
                                                                                                   \
		prepare();                                                                         \
		if (!real)                                                                         \
			FIND(real, #name);                                                         \
		if (fake)                                                                          \
			fake_count(fake, FAKE_STATFS);                                             \
		if (fails("statfs", NULL) || real(what, st) < 0)                                   \
			return -1;                                                                 \
		if (fake && (ours))                                                                \
			SPACE(st);                                                                 \
		if (fake && (ours) && fake->read_only)                                             \
			st->flags |= ST_RDONLY;                                                    \
		return 0;                                                                          \
	}
#define FSID(st)                                                                                   \
	((uint64_t)(uint32_t)(st)->f_fsid.__val[0] | (uint64_t)(uint32_t)(st)->f_fsid.__val[1]     \
							     << 32)
STATFS_LIKE(statfs, statfs, const char *, f_flags, FSID(st) == fake->fsid)
STATFS_LIKE(statfs64, statfs64, const char *, f_flags, FSID(st) == fake->fsid)
STATFS_LIKE(fstatfs, statfs, int, f_flags, FSID(st) == fake->fsid)
STATFS_LIKE(fstatfs64, statfs64, int, f_flags, FSID(st) == fake->fsid)
STATFS_LIKE(statvfs, statvfs, const char *, f_flag,
	    (unsigned long)st->f_fsid == (unsigned long)fake->fsid)
STATFS_LIKE(statvfs64, statvfs64, const char *, f_flag,
	    (unsigned long)st->f_fsid == (unsigned long)fake->fsid)
STATFS_LIKE(fstatvfs, statvfs, int, f_flag, (unsigned long)st->f_fsid == (unsigned long)fake->fsid)
STATFS_LIKE(fstatvfs64, statvfs64, int, f_flag,
	    (unsigned long)st->f_fsid == (unsigned long)fake->fsid)

/* What the daemon removes itself is free again; a directory that the kernel holds stays. */
int unlinkat(int at, const char *path, int flags)
{
	struct stat64 st;
	bool known;

	prepare();
	if (!fake)
		return fake_real.unlinkat(at, path, flags);
	if (fails("unlinkat", path))
		return -1;
	known = fstatat64(at, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == fake->dev;
	if (known && (flags & AT_REMOVEDIR) && fake->busy_count > 0) {
		bool busy;

		fake_lock(fake);
		busy = fake_in_use(fake, path);
		fake_unlock(fake);
		if (busy) {
			errno = EBUSY;
			return -1;
		}
	}
	if (fake_real.unlinkat(at, path, flags) < 0)
		return -1;
	if (known && fake->ready) {
		fake_count(fake, FAKE_REMOVED);
		if (S_ISREG(st.st_mode) && st.st_nlink == 1)
			fake_give_back(fake, (uint64_t)st.st_blocks, 1);
	}
	return 0;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int statx(int at, const char *restrict path, int flags, unsigned int mask,
	  struct statx *restrict st)
{
	prepare();
	if (fake)
		fake_count(fake, FAKE_STATX);
	return fails("statx", path) ? -1 : real_statx(at, path, flags, mask, st);
}

#define FAILING(type, name, failed, parameters, arguments)                                         \
	type name parameters                                                                       \
	{                                                                                          \
		static type(*real) parameters;                                                     \
                                                                                                   \
		prepare();                                                                         \
		if (!real)                                                                         \
			FIND(real, #name);                                                         \
		return fails(#name, NULL) ? failed : real arguments;                               \
	}
FAILING(int, fchdir, -1, (int fd), (fd))
FAILING(int, syncfs, -1, (int fd), (fd))
FAILING(int, inotify_init1, -1, (int flags), (flags))
FAILING(int, inotify_add_watch, -1, (int fd, const char *path, uint32_t mask), (fd, path, mask))

/* Whether openat2 opens a directory of the name "cache": by that, or as "." of its descriptor. */
static bool opens_cache(int parent, const char *path)
{
	char link[32], target[1024];
	ssize_t length;

	if (strcmp(path, ".") != 0)
		return strcmp(path, "cache") == 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", parent);
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	return strcmp(basename(target), "cache") == 0;
}

long syscall(long number, ...)
{
	long a[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	prepare();
	if (fake && number == SYS_getdents64) {
		fake_count(fake, FAKE_GETDENTS);
		if (fails("getdents64", NULL))
			return -1;
	} else if (fake && number == SYS_openat2) {
		const char *path = (const char *)a[1];

		fake_count(fake, FAKE_OPENAT2);
		if (opens_cache((int)a[0], path))
			fake_count(fake, FAKE_SCANS);
		if (fails("openat2", path))
			return -1;
	} else if (fake && number == SYS_renameat2 && fails("renameat2", (const char *)a[1])) {
		return -1;
	}
	return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
