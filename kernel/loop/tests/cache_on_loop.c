// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A cache whose file system is on an autoclear loop device: filled, let go, and unmounted with the
 * file system that the image is on, without a pause.
 *
 *   cache_on_loop DEVICE ROUNDS
 *
 * DEVICE has an ext4 with one in the file "image". Files to be cached come from a 9p server on port
 * 5640, which exports /srv/x. Every other time the cache's file system is unmounted lazily while
 * the cache is bound: the cache, with the claim on kernels that have it, closes the device last.
 * Exit status: 0 passed, 1 failed, 2 broken set-up.
 */
#define _GNU_SOURCE

#include "loopdev.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTER "/tmp/outer"
#define CACHE "/tmp/cache"
#define NET   "/tmp/net"

static const char options[] = "trans=tcp,port=5640,version=9p2000.L,cache=fscache,ignoreqv,"
			      "aname=/srv/x,uname=root,access=any";
static int cached, busy, bound_unmounted, early, late;

static int count(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	cached += type == FTW_F && st->st_blocks > 0;
	return 0;
}

static void mount_on(const char *source, const char *dir, const char *type, const char *data)
{
	need(dir, mount(source, dir, type, 0, data) < 0 ? -errno : 0);
}

/* Unmounts it, however long it takes; whether it was busy at first. */
static int umount_at_once(const char *dir)
{
	int was_busy = 0;

	while (umount2(dir, 0) < 0) {
		need("umount", errno == EBUSY ? 0 : -errno);
		was_busy = 1;
		usleep(1000);
	}
	return was_busy;
}

static int bind_cache(void)
{
	static const char *const words[] = {"dir " CACHE, "tag loop", "bind"};
	int fd = open("/dev/cachefiles", O_RDWR | O_CLOEXEC);

	need("/dev/cachefiles", fd < 0 ? -errno : 0);
	for (size_t i = 0; i < 3; i++)
		need(words[i], write(fd, words[i], strlen(words[i])) < 0 ? -errno : 0);
	return fd;
}

static void read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[65536];
	ssize_t n;

	need(path, fd < 0 ? -errno : 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	need(path, n < 0 ? -errno : 0);
	close(fd);
}

/* The number of rounds, of this kind, that had files in the cache: 0 or 1. */
static int one_round(const char *device, bool lazily)
{
	int loop, cache, filled = 0;

	mount_on(device, OUTER, "ext4", NULL);
	loop = need("open", loop_open(0, 0, O_RDWR));
	need("bind", loop_bind(loop, OUTER "/image", LO_FLAGS_AUTOCLEAR, 0));
	mount_on("/dev/loop0", CACHE, "ext4", NULL);
	close(loop);
	cache = bind_cache();
	mount_on("127.0.0.1", NET, "9p", options);
	read_file(NET "/one");
	read_file(NET "/two");
	umount_at_once(NET);

	if (lazily) {
		need("umount -l", umount2(CACHE, MNT_DETACH) < 0 ? -errno : 0);
		if (umount2(OUTER, 0) == 0)
			need("unmounted below a bound cache", -EINVAL);
		early += !loop_present(0, 0);
		close(cache);
	} else {
		if (umount2(CACHE, 0) == 0) {
			bound_unmounted++;
			mount_on("/dev/loop0", CACHE, "ext4", NULL);
		}
		cached = 0;
		nftw(CACHE "/cache", count, 16, FTW_PHYS);
		filled = cached > 0;
		close(cache);
		busy += umount_at_once(CACHE);
	}
	late += loop_present(0, 0);
	busy += umount_at_once(OUTER);
	return filled;
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[2]) : 0, filled = 0;

	if (rounds < 2) {
		fprintf(stderr, "usage: cache_on_loop DEVICE ROUNDS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	mkdir(OUTER, 0700);
	mkdir(CACHE, 0700);
	mkdir(NET, 0700);
	for (int i = 0; i < rounds; i++)
		filled += one_round(argv[1], i % 2);
	printf("seen: %d rounds, in half of them the cache closed last: %d busy, %d detached late, %d detached under the cache, %d unmounted while bound; files in the cache in %d of %d rounds looked at\n",
	       rounds, busy, late, early, bound_unmounted, filled, rounds / 2);
	return busy || late || early || bound_unmounted || !filled ? 1 : 0;
}
