/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loop devices for the tests: images, binding, states. Every function returns 0 (or what its
 * comment says) or a negative errno, and none logs; a test that needs a thing to work wraps it in
 * need(). Functions, not declarations: each test is one file to the compiler.
 */
#ifndef LOOPDEV_H
#define LOOPDEV_H

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* Ends the test with status 2 (broken set-up) when ret is negative; returns ret otherwise. */
static inline int need(const char *what, int ret)
{
	if (ret >= 0)
		return ret;

	printf("broken: %s: %s\n", what, strerror(-ret));
	fflush(stdout);
	_exit(2);
}

static inline void put_le32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

/* A sparse file of size bytes. With a table, one MBR partition from sector 2048 to its end. */
static inline int image_make(const char *path, uint64_t size, bool table)
{
	uint8_t sector[512] = {0};
	int fd, ret = 0;

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;

	if (table) {
		sector[446 + 4] = 0x83;
		put_le32(sector + 446 + 8, 2048);
		put_le32(sector + 446 + 12, (uint32_t)(size / 512 - 2048));
		sector[510] = 0x55;
		sector[511] = 0xaa;
	}
	if (ftruncate(fd, (off_t)size) < 0)
		ret = -errno;
	else if (pwrite(fd, sector, sizeof(sector), 0) != (ssize_t)sizeof(sector))
		ret = -EIO;

	close(fd);
	return ret;
}

/* Opens /dev/loopN (part 0) or a partition of it: a file descriptor. */
static inline int loop_open(unsigned int number, unsigned int part, int flags)
{
	char path[64];
	int fd;

	if (part)
		snprintf(path, sizeof(path), "/dev/loop%up%u", number, part);
	else
		snprintf(path, sizeof(path), "/dev/loop%u", number);

	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* LOOP_CONFIGURE of fd with the image; flags are LO_FLAGS_*. block_size 0: the driver's choice. */
static inline int loop_bind(int fd, const char *image, unsigned int flags, unsigned int block_size)
{
	struct loop_config config = {.block_size = block_size, .info.lo_flags = flags};
	int file, ret;

	file = open(image, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return -errno;

	config.fd = (uint32_t)file;
	ret = ioctl(fd, LOOP_CONFIGURE, &config) < 0 ? -errno : 0;
	close(file);
	return ret;
}

/* ioctl() with a negative errno. */
static inline int loop_ioctl(int fd, unsigned long request, unsigned long arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

/* /dev/loop-control: LOOP_CTL_ADD, _REMOVE or _GET_FREE. */
static inline int loop_control(unsigned long request, long arg)
{
	int fd, ret;

	fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	ret = ioctl(fd, request, arg);
	ret = ret < 0 ? -errno : ret;
	close(fd);
	return ret;
}

/* Whether /sys/block/loopN/loop/backing_file (part 0) or /sys/block/loopN/loopNpM exists. */
static inline bool loop_present(unsigned int number, unsigned int part)
{
	char path[128];

	if (part)
		snprintf(path, sizeof(path), "/sys/block/loop%u/loop%up%u", number, number, part);
	else
		snprintf(path, sizeof(path), "/sys/block/loop%u/loop/backing_file", number);

	return access(path, F_OK) == 0;
}

/* Seconds on a clock that only goes forward. */
static inline double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Waits until loopN has no backing file. -ETIMEDOUT after seconds. */
static inline int loop_wait_unbound(unsigned int number, unsigned int seconds)
{
	double end = now() + seconds;

	while (loop_present(number, 0)) {
		if (now() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

#endif
