// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who closes an autoclear device last, and what holds when the close is over:
 *
 *   loop_last killed DIR N
 *	a task that is killed
 *   loop_last overlay DIR N
 *	the umount of an overlay above a file system that is mounted from the
 *	device and has been unmounted lazily
 *   loop_last kthread DIR N
 *	a kernel thread, the exit work of an io_uring
 *   loop_last kthread-overlay DIR N
 *	the same, with an open file of the overlay
 *
 * The device is loop0, its image in DIR, which is a mount point. After each of the first two DIR is
 * unmounted at once, and mounted again; a kernel thread only promises that it comes to it.
 * Exit status: 0 passed, 1 failed, 2 broken set-up.
 */
#include "loopdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MiB (1024UL * 1024UL)

#define LOWER "/tmp/last_lower"
#define EMPTY "/tmp/last_empty"
#define UPPER "/tmp/last_overlay"

static char path[256];

/* The device and its partition have gone; the rundown takes the sysfs files away first. */
static bool detached(void)
{
	return !loop_present(0, 0) && !loop_present(0, 1);
}

/* In the end, when opens are let in again. */
static bool settles(unsigned int seconds)
{
	double end = now() + seconds;

	while (now() < end) {
		int fd = detached() ? loop_open(0, 0, O_RDWR) : -EBUSY;

		if (fd >= 0) {
			close(fd);
			return true;
		}
		usleep(1000);
	}
	return false;
}

/* A ring that holds a reference to fd, which its exit work, a kernel thread, puts. */
static int ring_with(int fd)
{
	struct io_uring_params params = {0};
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		return -errno;
	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd, 1) < 0)
		return -errno;
	return ring;
}

static int by_kthread(void)
{
	int fd = need("open", loop_open(0, 0, O_RDWR)), ring;

	need("bind", loop_bind(fd, path, LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN, 0));
	ring = need("io_uring", ring_with(fd));
	close(fd);
	need("still bound", loop_present(0, 0) ? 0 : -ENXIO);
	close(ring);
	return settles(60) ? 0 : 1;
}

static int by_killed(void)
{
	int ready[2];
	char c;
	pid_t pid;

	need("pipe", pipe(ready) < 0 ? -errno : 0);
	pid = need("fork", fork());
	if (!pid) {
		int fd = need("open", loop_open(0, 0, O_RDWR));

		need("bind", loop_bind(fd, path, LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN, 0));
		if (write(ready[1], "x", 1) != 1)
			_exit(2);
		for (;;)
			pause();
	}
	close(ready[1]);
	need("child", read(ready[0], &c, 1) == 1 ? 0 : -EIO);
	close(ready[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return detached() ? 0 : 1;
}

/* An overlay whose lower file system is on loop0 and mounted nowhere else any more. */
static void overlay(void)
{
	int fd = need("open", loop_open(0, 0, O_RDWR));

	need("bind", loop_bind(fd, path, LO_FLAGS_AUTOCLEAR, 0));
	need("mount", mount("/dev/loop0", LOWER, "ext4", 0, NULL) < 0 ? -errno : 0);
	close(fd);
	need("overlay",
	     mount("overlay", UPPER, "overlay", MS_RDONLY, "lowerdir=" LOWER ":" EMPTY) < 0 ? -errno
											    : 0);
	need("umount -l", umount2(LOWER, MNT_DETACH) < 0 ? -errno : 0);
	need("still bound", loop_present(0, 0) ? 0 : -ENXIO);
}

static int by_overlay(void)
{
	overlay();
	need("umount overlay", umount2(UPPER, 0) < 0 ? -errno : 0);
	return detached() ? 0 : 1;
}

static int by_kthread_overlay(void)
{
	int fd, ring;

	overlay();
	fd = open(UPPER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need("open overlay", fd < 0 ? -errno : 0);
	ring = need("io_uring", ring_with(fd));
	close(fd);
	need("umount -l overlay", umount2(UPPER, MNT_DETACH) < 0 ? -errno : 0);
	need("still bound", loop_present(0, 0) ? 0 : -ENXIO);
	close(ring);
	return settles(60) ? 0 : 1;
}

static const struct {
	const char *name;
	int (*round)(void);
	bool at_once;
} ways[] = {
	{"killed", by_killed, true},
	{"overlay", by_overlay, true},
	{"kthread", by_kthread, false},
	{"kthread-overlay", by_kthread_overlay, false},
};

/* Unmounts dir and mounts device on it again. The number of times that it was busy. */
static unsigned int remount(const char *device, const char *dir)
{
	unsigned int busy = 0;

	while (umount2(dir, 0) < 0) {
		need("umount", errno == EBUSY && busy < 60000 ? 0 : -errno);
		busy++;
		usleep(1000);
	}
	need("mount", mount(device, dir, "ext4", 0, NULL) < 0 ? -errno : 0);
	return busy;
}

/* The device of the file system that is mounted on dir, from /proc/mounts. */
static int device_of(const char *dir, char *device)
{
	char line[1024], point[256];
	FILE *f = fopen("/proc/mounts", "re");

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%255s %255s", device, point) == 2 && !strcmp(point, dir)) {
			fclose(f);
			return 0;
		}
	}
	fclose(f);
	return -ENOENT;
}

int main(int argc, char **argv)
{
	int rounds = argc == 4 ? atoi(argv[3]) : 0, late = 0, busy = 0;
	char device[256];
	size_t way = 0;

	while (argc == 4 && way < 4 && strcmp(argv[1], ways[way].name))
		way++;
	if (rounds < 1 || way == 4) {
		fprintf(stderr, "usage: loop_last killed|overlay|kthread|kthread-overlay DIR N\n");
		return 2;
	}
	need("device", device_of(argv[2], device));
	mkdir(LOWER, 0700);
	mkdir(EMPTY, 0700);
	mkdir(UPPER, 0700);
	snprintf(path, sizeof(path), "%s/image", argv[2]);
	if (strstr(ways[way].name, "overlay")) {
		char command[512];

		need("image", image_make(path, 16 * MiB, false));
		snprintf(command, sizeof(command), "mkfs.ext4 -q -F %s", path);
		need(command, system(command) == 0 ? 0 : -EINVAL);
	} else {
		need("image", image_make(path, 8 * MiB, true));
	}

	for (int i = 0; i < rounds; i++) {
		late += ways[way].round();
		busy += remount(device, argv[2]) > 0;
	}
	printf("seen: last close by %s: %d of %d %s, the umount below busy %d times\n",
	       ways[way].name, late, rounds,
	       ways[way].at_once ? "not detached at once" : "not detached in 60 s", busy);
	return late || (busy && ways[way].at_once) ? 1 : 0;
}
