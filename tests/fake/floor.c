// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * floor CACHE list|stat|unlink N|reference [LIMIT PERCENT...]
 *
 * What cannot be done with less: the loops that a cull is made of, without anything around them.
 * list reads all directories; stat asks for the last use and the blocks of each object as well;
 * unlink removes the N least recently used of them, directory by directory. reference is the
 * plainest daemon: it binds, walks once with fstatat, sorts everything, culls in the strict order
 * of ages, and reads the state after every sixteenth, until the kernel wants no more. It sets the
 * limits that it is given, in that order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

struct object {
	int64_t used;
	uint32_t dir;
	char *name;
};

static struct object *objects;
static size_t count, room;
static char **dirs;
static uint32_t dir_count;
static enum {
	LIST,
	STAT,
	UNLINK,
	REFERENCE
} mode;

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void *grown(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		fail("memory");
	return p;
}

static void keep(const char *name, int64_t used)
{
	if (count == room) {
		room = room ? room * 2 : 1024;
		objects = grown(objects, room * sizeof(*objects));
	}
	objects[count++] = (struct object){used, dir_count - 1, strdup(name)};
}

static void look_at(int fd, const char *name)
{
	struct statx sx;
	struct stat st;

	if (mode == REFERENCE) {
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			fail(name);
		keep(name, st.st_atim.tv_sec * INT64_C(1000000000) + st.st_atim.tv_nsec);
		return;
	}
	if (statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_TYPE | STATX_ATIME | STATX_BLOCKS, &sx) < 0)
		fail(name);
	if (mode == UNLINK)
		keep(name, sx.stx_atime.tv_sec * INT64_C(1000000000) + sx.stx_atime.tv_nsec);
}

static void walk(int parent, const char *path, const char *name, int depth)
{
	static char buffers[3][128 * 1024];
	char *buffer = buffers[depth], below[1024];
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
	long n;

	if (fd < 0)
		fail(name);
	if (depth == 2) {
		dirs = grown(dirs, (dir_count + 1) * sizeof(*dirs));
		dirs[dir_count++] = strdup(path);
	}
	while ((n = syscall(SYS_getdents64, fd, buffer, sizeof(buffers[0]))) > 0) {
		for (long at = 0; at < n;) {
			struct entry *e = (void *)(buffer + at);

			at += e->length;
			if (e->name[0] == '.')
				continue;
			if (depth < 2) {
				snprintf(below, sizeof(below), "%s/%s", path, e->name);
				walk(fd, below, e->name, depth + 1);
			} else if (mode != LIST) {
				look_at(fd, e->name);
			}
		}
	}
	close(fd);
}

static int by_age(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	return (x->used > y->used) - (x->used < y->used);
}

static int by_dir(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	return (x->dir > y->dir) - (x->dir < y->dir);
}

static void unlink_oldest(size_t n)
{
	uint32_t dir = UINT32_MAX;

	qsort(objects, count, sizeof(*objects), by_age);
	qsort(objects, n, sizeof(*objects), by_dir);
	for (size_t i = 0; i < n && i < count; i++) {
		if (objects[i].dir != dir && chdir(dirs[objects[i].dir]) < 0)
			fail("chdir");
		dir = objects[i].dir;
		if (unlink(objects[i].name) < 0)
			fail(objects[i].name);
	}
}

static void tell(int fd, const char *word, const char *argument)
{
	char line[1024];
	int n = snprintf(line, sizeof(line), "%s%s%s", word, *argument ? " " : "", argument);

	if (write(fd, line, (size_t)n) != n)
		fail(line);
}

static bool wants_more(int fd)
{
	char line[1024];

	return read(fd, line, sizeof(line)) > 0 && strncmp(line, "cull=1", 6) == 0;
}

static void cull_oldest(int fd)
{
	qsort(objects, count, sizeof(*objects), by_age);
	for (size_t i = 0; i < count && (i % 16 != 0 || wants_more(fd)); i++) {
		if (chdir(dirs[objects[i].dir]) < 0)
			fail("chdir");
		tell(fd, "cull", objects[i].name);
	}
}

int main(int argc, char *argv[])
{
	static const char *const modes[] = {"list", "stat", "unlink", "reference"};
	char path[1000];
	int device = -1;

	while (argc > 2 && mode <= REFERENCE && strcmp(argv[2], modes[mode]) != 0)
		mode++;
	if (argc < 3 || mode > REFERENCE || (mode == UNLINK && argc < 4)) {
		fprintf(stderr,
			"usage: floor CACHE list|stat|unlink N|reference [LIMIT PERCENT...]\n");
		return 2;
	}
	if (mode == REFERENCE) {
		device = open("/dev/cachefiles", O_RDWR | O_CLOEXEC);
		if (device < 0)
			fail("/dev/cachefiles");
		for (int i = 3; i + 1 < argc; i += 2)
			tell(device, argv[i], argv[i + 1]);
		tell(device, "dir", argv[1]);
		tell(device, "bind", "");
	}
	snprintf(path, sizeof(path), "%s/cache", argv[1]);
	walk(AT_FDCWD, path, path, 0);
	if (mode == UNLINK)
		unlink_oldest(strtoul(argv[3], NULL, 0));
	if (mode == REFERENCE)
		cull_oldest(device);
	return 0;
}
