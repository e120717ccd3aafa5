// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everything that can meet a rundown, at once, on four devices from loop40 on: binding with and
 * without autoclear, LOOP_CLR_FD, opens of devices and partitions, block sizes, rescans, removal.
 *
 *   loop_stress SECONDS
 *
 * Errors that say "not now" are expected. A hang, a kernel report (the caller looks), any other
 * error, or a device that stays bound is not. Exit status: 0 passed, 1 failed, 2 broken set-up.
 */
#include "loopdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Apart from those that others may use meanwhile. */
#define FIRST 40U

static const char image[] = "loop_stress.img";
static atomic_bool stop;
static atomic_ulong done[6], odd;
static unsigned int odd_errno;

static void *stress(void *arg)
{
	unsigned int kind = (unsigned int)(uintptr_t)arg, seed = kind * 7919 + 1;

	while (!stop) {
		unsigned int n = FIRST + (unsigned int)rand_r(&seed) % 4;
		int fd, ret = 0;

		switch (kind) {
		case 0:
		case 1:
			fd = loop_open(n, 0, O_RDWR);
			if (fd < 0) {
				ret = fd;
				break;
			}
			loop_bind(fd, image, LO_FLAGS_PARTSCAN | (kind ? LO_FLAGS_AUTOCLEAR : 0),
				  0);
			if (!kind)
				loop_ioctl(fd, LOOP_CLR_FD, 0);
			close(fd);
			break;
		case 2:
		case 3:
			fd = loop_open(n, kind == 3, O_RDONLY);
			ret = fd;
			if (fd >= 0) {
				char buf[512];

				if (pread(fd, buf, sizeof(buf), 0) < 0 && errno != EIO)
					ret = -errno;
				close(fd);
			}
			break;
		case 4:
			if (loop_control(LOOP_CTL_REMOVE, (long)n) == 0)
				ret = loop_control(LOOP_CTL_ADD, (long)n);
			break;
		case 5:
			fd = loop_open(n, 0, O_RDWR);
			if (fd >= 0) {
				loop_ioctl(fd, LOOP_SET_BLOCK_SIZE, rand_r(&seed) & 1 ? 512 : 1024);
				loop_ioctl(fd, LOOP_CLR_FD, 0);
				loop_bind(fd, image, LO_FLAGS_PARTSCAN, 0);
				loop_ioctl(fd, BLKRRPART, 0);
				loop_ioctl(fd, LOOP_CLR_FD, 0);
				close(fd);
			}
			break;
		}
		/* Gone, being detached, busy, just made by another thread. */
		if (ret < 0 && ret != -ENXIO && ret != -ENOENT && ret != -EBUSY && ret != -EEXIST &&
		    ret != -ENODEV) {
			odd++;
			odd_errno = (unsigned int)-ret;
		}
		done[kind]++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int seconds = argc == 2 ? atoi(argv[1]) : 0;
	pthread_t threads[6];
	double end = now() + seconds;
	int left = 0;

	if (seconds < 1) {
		fprintf(stderr, "usage: loop_stress SECONDS\n");
		return 2;
	}
	need("image", image_make(image, 8UL << 20, true));
	for (unsigned int n = FIRST; n < FIRST + 4; n++)
		need("device", loop_control(LOOP_CTL_ADD, (long)n));
	for (uintptr_t i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, stress, (void *)i);
	while (now() < end)
		usleep(100000);
	stop = true;
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);

	for (unsigned int n = FIRST; n < FIRST + 4; n++) {
		int fd = loop_open(n, 0, O_RDWR);

		if (fd >= 0) {
			loop_ioctl(fd, LOOP_CLR_FD, 0);
			close(fd);
		}
		if (loop_present(n, 0) || loop_present(n, 1))
			left++;
	}
	printf("seen: bind+clear %lu, bind+close %lu, open %lu, partition %lu, remove %lu, all %lu; ",
	       done[0], done[1], done[2], done[3], done[4], done[5]);
	printf("devices left bound %d, unexpected errors %lu%s%s\n", left, odd,
	       odd ? ", last " : "", odd ? strerror((int)odd_errno) : "");
	return left || odd ? 1 : 0;
}
