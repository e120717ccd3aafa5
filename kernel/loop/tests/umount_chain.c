// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What umount() promises: file systems on loop devices, one in the other, three deep, are unmounted
 * from the inside out without a pause, and the file system that the outermost image is on, too.
 *
 *   umount_chain DEVICE TYPE ROUNDS
 *
 * DEVICE is formatted. Its images are made with mkfs.TYPE. No umount may fail, and no device may be
 * bound any more when the last one has returned. Exit status: 0 passed, 1 failed, 2 broken set-up.
 */
#include "loopdev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DEPTH = 3
};

/* Of the images, in MiB: each holds the next, and mkfs.xfs wants 300. */
static const unsigned long size[DEPTH] = {1400, 900, 400};

/* No work that is left for after the mount: the file systems hold next to nothing. */
static const struct {
	const char *type;
	const char *options;
} kinds[] = {
	{"ext4", "-F -N 64 -E lazy_itable_init=0,lazy_journal_init=0"},
	{"xfs", "-f"},
	{"btrfs", "-f -m single"},
	{NULL, NULL},
};

static void make_fs(const char *type, const char *path)
{
	const char *options = "";
	char command[256];

	for (size_t i = 0; kinds[i].type; i++)
		if (!strcmp(kinds[i].type, type))
			options = kinds[i].options;
	snprintf(command, sizeof(command), "mkfs.%s -q %s %s", type, options, path);
	need(command, system(command) == 0 ? 0 : -EINVAL);
}

static char *at(char *buf, size_t len, int level, const char *name)
{
	snprintf(buf, len, "/tmp/chain%d%s", level, name);
	return buf;
}

/* Binds loop N to the image on level N and mounts it on level N + 1; nobody else keeps it open. */
static void mount_level(const char *type, int level)
{
	char image[64], dir[64], dev[64];
	int fd = need("open", loop_open((unsigned int)level, 0, O_RDWR));

	snprintf(dev, sizeof(dev), "/dev/loop%d", level);
	need("bind",
	     loop_bind(fd, at(image, sizeof(image), level, "/image"), LO_FLAGS_AUTOCLEAR, 0));
	need("mount",
	     mount(dev, at(dir, sizeof(dir), level + 1, ""), type, 0, NULL) < 0 ? -errno : 0);
	close(fd);
}

/* The number of umounts that failed. Tried again, so that the next round finds all as it was. */
static int umount_level(int level)
{
	char dir[64];
	int failed = 0;

	at(dir, sizeof(dir), level, "");
	while (umount2(dir, 0) < 0) {
		if (errno != EBUSY)
			need("umount", -errno);
		failed = 1;
		usleep(1000);
	}
	return failed;
}

int main(int argc, char **argv)
{
	int rounds = argc == 4 ? atoi(argv[3]) : 0, busy[DEPTH + 1] = {0}, bound = 0, bad;
	const char *device = argv[1], *type = argv[2];
	double begin = now();
	char path[64];

	if (rounds < 1) {
		fprintf(stderr, "usage: umount_chain DEVICE TYPE ROUNDS\n");
		return 2;
	}
	make_fs(type, device);
	for (int level = 0; level <= DEPTH; level++)
		mkdir(at(path, sizeof(path), level, ""), 0700);
	need("mount", mount(device, "/tmp/chain0", type, 0, NULL) < 0 ? -errno : 0);
	for (int level = 0; level < DEPTH; level++) {
		need("image",
		     image_make(at(path, sizeof(path), level, "/image"), size[level] << 20, false));
		make_fs(type, path);
		mount_level(type, level);
	}

	for (int round = 0;;) {
		for (int level = DEPTH; level >= 0; level--)
			busy[level] += umount_level(level);
		for (unsigned int level = 0; level < DEPTH; level++)
			bound += loop_present(level, 0);
		if (++round == rounds)
			break;
		if (round % 50 == 0)
			fprintf(stderr, "%s: %d rounds, %.0f s\n", type, round, now() - begin);
		need("mount", mount(device, "/tmp/chain0", type, 0, NULL) < 0 ? -errno : 0);
		for (int level = 0; level < DEPTH; level++)
			mount_level(type, level);
	}

	bad = busy[0] + busy[1] + busy[2] + busy[3] + bound;
	printf("seen: %s: %d rounds of 4 umounts, busy %d %d %d %d (outside in), left bound %d, ",
	       type, rounds, busy[0], busy[1], busy[2], busy[3], bound);
	printf("%.0f s\n", now() - begin);
	return bad ? 1 : 0;
}
