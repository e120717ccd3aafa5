/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* What may be resolved below the cache directory: nothing that leads elsewhere. */
#define RESOLVE_INSIDE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)

/* Which mount an open file is on. */
static int mount_of(int fd, uint64_t *ret)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0)
		return -errno;
	if (!(sx.stx_mask & STATX_MNT_ID))
		return -ENOSYS;
	*ret = sx.stx_mnt_id;
	return 0;
}

/*
 * The same for a name of one step where openat2() is not to be had: RestrictSUIDSGID= of systemd
 * takes it away, since its filter cannot look into the structure.
 */
static int open_step(int parent, const char *name, int flags)
{
	_cleanup_close_ int fd = -1;
	uint64_t here, there;
	int r;

	if (strchr(name, '/') || streq(name, ".."))
		return -EXDEV;
	do
		fd = openat(parent, name, flags | O_NOFOLLOW | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	if ((r = mount_of(parent, &here)) < 0 || (r = mount_of(fd, &there)) < 0)
		return r;
	return here == there ? steal_fd(&fd) : -EXDEV;
}

static int open_inside(int parent, const char *name, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(O_CLOEXEC | flags),
		.resolve = RESOLVE_INSIDE,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, parent, name, &how, sizeof(how));
	while (fd < 0 && errno == EINTR);
	if (fd < 0 && errno == ENOSYS)
		return open_step(parent, name, flags);
	return fd < 0 ? -errno : (int)fd;
}

int store_open_dir(int parent, const char *name, int *ret_fd)
{
	int fd = open_inside(parent, name, O_RDONLY | O_DIRECTORY | O_NOATIME);

	if (fd == -EPERM) /* not the owner: the access time moves then */
		fd = open_inside(parent, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int store_open(struct store *ret, const char *dir)
{
	_cleanup_(store_close) struct store s = STORE_CLOSED;
	struct stat st;
	int r;

	/* The administrator may have links on the way to the directory, as the kernel's bind does.
	 */
	s.root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s.root < 0)
		return -errno;
	if (fstat(s.root, &st) < 0)
		return -errno;
	s.dev = st.st_dev;
	s.ino = st.st_ino;
	if ((r = store_open_dir(s.root, "cache", &s.cache)) < 0 ||
	    (r = store_open_dir(s.root, "graveyard", &s.graveyard)) < 0)
		return r;
	*ret = s;
	s = STORE_CLOSED;
	return 0;
}

void store_close(struct store *s)
{
	closep(&s->graveyard);
	closep(&s->cache);
	closep(&s->root);
	*s = STORE_CLOSED;
}

bool store_is_same(const struct store *s, const char *dir)
{
	struct stat st;

	return stat(dir, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino;
}

/* "@%02x", as the kernel writes it (cachefiles_acquire_volume). */
static bool is_fanout(const char *name)
{
	return name[0] == '@' && name[1] && strchr("0123456789abcdef", name[1]) && name[2] &&
	       strchr("0123456789abcdef", name[2]) && name[3] == '\0';
}

/* A name that a command carries unharmed; the kernel makes no others (fs/cachefiles/key.c). */
static bool is_plain(const char *name)
{
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return false;
	return true;
}

enum store_kind store_kind_of(enum store_level level, const char *name, unsigned char type)
{
	bool dir = type == DT_DIR || type == DT_UNKNOWN;
	bool file = type == DT_REG || type == DT_UNKNOWN;

	switch (level) {
	case STORE_IN_CACHE:
		if (name[0] == 'I' && name[1] && dir && is_plain(name))
			return STORE_VOLUME;
		/* @4a/I03nfs/@30/Ji…, and "+" for what did not fit into one name */
		return (is_fanout(name) || name[0] == '+') && dir ? STORE_OLD : STORE_FOREIGN;
	case STORE_IN_VOLUME:
		if (is_fanout(name) && dir)
			return STORE_FANOUT;
		return STORE_FOREIGN;
	case STORE_IN_FANOUT:
		if (strchr("DSTE", name[0]) && name[0] && name[1] && file && is_plain(name))
			return STORE_OBJECT;
		return type == DT_DIR && strchr("IJ+@", name[0]) && name[0] ? STORE_OLD
									    : STORE_FOREIGN;
	}
	return STORE_FOREIGN;
}

int64_t store_nanoseconds(const struct statx_timestamp *at)
{
	int64_t ns;

	if (__builtin_mul_overflow(at->tv_sec, INT64_C(1000000000), &ns) ||
	    __builtin_add_overflow(ns, at->tv_nsec, &ns))
		return at->tv_sec < 0 ? -INT64_MAX : INT64_MAX;
	return ns;
}

void store_readable(const char *name, char *buffer, size_t size)
{
	size_t at = 0;

	if (size == 0)
		return;
	for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
		bool plain = isascii(*c) && isprint(*c) && *c != '\\';
		size_t need = plain ? 1 : 4;

		if (at + need >= size)
			break;
		if (plain)
			buffer[at] = (char)*c;
		else
			snprintf(buffer + at, size - at, "\\x%02x", *c);
		at += need;
	}
	buffer[at] = '\0';
}
