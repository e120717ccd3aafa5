// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * freeze DIR, freeze -u DIR: the FIFREEZE or FITHAW call itself. Prints "0" or the name of the
 * error and the microseconds that it took.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int thaw = argc == 3 && !strcmp(argv[1], "-u"), dir, result;
	struct timespec begin, end;

	if (argc != 2 + thaw)
		return 2;
	dir = open(argv[1 + thaw], O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	result = ioctl(dir, thaw ? FITHAW : FIFREEZE, 0) ? errno : 0;
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%s %ld\n", result ? strerrorname_np(result) : "0",
	       (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000);
	return result != 0;
}
