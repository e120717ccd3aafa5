// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mktree CACHE OBJECTS VOLUMES BYTES FIRST STEP_NS [SEED]
 *
 * Fills CACHE/cache with objects of so many bytes, spread over the fan-outs of the volumes. Last
 * uses begin FIRST seconds after the epoch and are STEP_NS apart, each different, in an order that
 * has nothing to do with the tree.
 */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t state;

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void enter(const char *name)
{
	if ((mkdir(name, 0700) < 0 && errno != EEXIST) || chdir(name) < 0)
		fail(name);
}

static void make_object(uint64_t number, uint64_t bytes, uint64_t first, uint64_t age,
			uint64_t step)
{
	struct timespec times[2] = {{0}, {.tv_nsec = UTIME_OMIT}};
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "E%010lluAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		 (unsigned long long)number);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		fail(name);
	if (bytes > 0 && posix_fallocate(fd, 0, (off_t)bytes) != 0)
		fail("fallocate");
	times[0].tv_sec = (time_t)(first + age * step / 1000000000);
	times[0].tv_nsec = (long)(age * step % 1000000000);
	if (futimens(fd, times) < 0)
		fail("futimens");
	close(fd);
}

int main(int argc, char *argv[])
{
	uint64_t objects, volumes, bytes, first, step, *ages;

	if (argc < 7) {
		fprintf(stderr, "usage: mktree CACHE OBJECTS VOLUMES BYTES FIRST STEP_NS [SEED]\n");
		return 2;
	}
	objects = strtoull(argv[2], NULL, 0);
	volumes = strtoull(argv[3], NULL, 0);
	bytes = strtoull(argv[4], NULL, 0);
	first = strtoull(argv[5], NULL, 0);
	step = strtoull(argv[6], NULL, 0);
	state = argc > 7 ? strtoull(argv[7], NULL, 0) : 1;
	ages = calloc(objects ? objects : 1, sizeof(*ages));
	if (!ages || volumes == 0)
		fail("mktree");
	for (uint64_t i = 0; i < objects; i++) {
		uint64_t other = draw() % (i + 1);

		ages[i] = ages[other];
		ages[other] = i;
	}
	enter(argv[1]);
	enter("cache");
	/* Fan-out by fan-out, for speed. */
	for (uint64_t place = 0, at = 0; place < volumes * 256; place++) {
		uint64_t until = objects * (place + 1) / (volumes * 256);
		char name[64];

		snprintf(name, sizeof(name), "Infs,3.0,2,,%llx,aaaaaaaa,,,d0,100000",
			 (unsigned long long)(place / 256));
		enter(name);
		snprintf(name, sizeof(name), "@%02x", (unsigned int)(place % 256));
		enter(name);
		for (; at < until; at++)
			make_object(at, bytes, first, ages[at], step);
		if (chdir("../..") < 0)
			fail("..");
	}
	free(ages);
	return 0;
}
