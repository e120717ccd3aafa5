// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cost DIR: processor time of this thread, in nanoseconds, of what takes a superblock's or a
 * mount's write access: a write(2) of 4 KiB into cached pages, creating and removing a file,
 * utimensat(2), and of a freeze and a thaw. Each the median and the least of 101 batches. In a
 * guest that counts instructions the time is their number, and a wait is none of it.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 101
#define PAGES	64

static int dir, file;
static char page[4096];

static void do_write(void)
{
	static unsigned int n;

	if (pwrite(file, page, sizeof(page), (off_t)(n++ % PAGES) * 4096) != sizeof(page))
		err(1, "write");
}

static void do_create(void)
{
	int fd = openat(dir, "created", O_RDWR | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || close(fd) < 0 || unlinkat(dir, "created", 0) < 0)
		err(1, "create");
}

static void do_times(void)
{
	if (utimensat(dir, "file", NULL, 0) < 0)
		err(1, "utimensat");
}

static void do_freeze(void)
{
	if (ioctl(dir, FIFREEZE, 0) < 0)
		err(1, "FIFREEZE");
}

static void do_thaw(void)
{
	if (ioctl(dir, FITHAW, 0) < 0)
		err(1, "FITHAW");
}

static long used(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static long timed(void (*f)(void), int times)
{
	long begin = used();

	for (int i = 0; i < times; i++)
		f();
	return (used() - begin) / times;
}

static int compare(const void *a, const void *b)
{
	const long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_median(const char *name, long *each)
{
	qsort(each, BATCHES, sizeof(*each), compare);
	printf("%s %ld %ld\n", name, each[BATCHES / 2], each[0]);
}

static void batches(const char *name, void (*f)(void), int times)
{
	long each[BATCHES];

	timed(f, times);
	for (int i = 0; i < BATCHES; i++)
		each[i] = timed(f, times);
	print_median(name, each);
}

int main(int argc, char **argv)
{
	long freezes[BATCHES], thaws[BATCHES];

	if (argc != 2)
		return 2;
	dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	file = openat(dir, "file", O_RDWR | O_CREAT, 0600);
	if (dir < 0 || file < 0)
		err(1, "%s", argv[1]);
	batches("write", do_write, 2048);
	batches("create+unlink", do_create, 256);
	batches("utimensat", do_times, 1024);
	sync();
	for (int i = 0; i < BATCHES; i++) {
		freezes[i] = timed(do_freeze, 1);
		thaws[i] = timed(do_thaw, 1);
	}
	print_median("freeze", freezes);
	print_median("thaw", thaws);
	return 0;
}
