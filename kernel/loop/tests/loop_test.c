// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One scenario of the loop series per call:
 *
 *   loop_test stale N      partition opens against LOOP_CLR_FD: partitions left behind
 *   loop_test partition    LOOP_CLR_FD on the file descriptor of a partition
 *   loop_test reuse N      LOOP_CLR_FD, then LOOP_SET_FD on the same file descriptor
 *   loop_test uevent       uevents after a LOOP_CONFIGURE that was refused
 *   loop_test limits S     zeroing that the image refuses against writes to queue/, S seconds
 *   loop_test close N      times of the last close of an autoclear device
 *
 * The device is loop0, the image in the working directory.
 * Exit status: 0 passed, 1 failed, 2 broken set-up.
 */
#include "loopdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MiB (1024UL * 1024UL)

static const char image[] = "loop_test.img";

/* --- stale: a thread opens the partition without a break while the main one detaches */

static atomic_bool stop;
static atomic_bool paused = true;
static atomic_bool parked;

static void *open_partition(void *arg)
{
	(void)arg;

	while (!stop) {
		int fd;

		if (paused) {
			parked = true;
			while (paused && !stop)
				usleep(100);
			parked = false;
			continue;
		}
		fd = loop_open(0, 1, O_RDONLY);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static int test_stale(int rounds)
{
	pthread_t opener;
	int stale = 0, at_once = 0;

	need("image", image_make(image, 8 * MiB, true));
	pthread_create(&opener, NULL, open_partition, NULL);

	for (int round = 0; round < rounds; round++) {
		int fd = need("open", loop_open(0, 0, O_RDWR));

		need("bind", loop_bind(fd, image, LO_FLAGS_PARTSCAN, 0));
		paused = false;
		while (parked)
			;
		need("clear", loop_ioctl(fd, LOOP_CLR_FD, 0));
		paused = true;
		while (!parked)
			usleep(100);

		/* If the partition was open, this is the last close, and it detaches. */
		at_once += !loop_present(0, 0);
		close(fd);
		need("detach", loop_wait_unbound(0, 60));
		if (loop_present(0, 1)) {
			stale++;
			/* An open of the whole device makes up for the scan. */
			close(need("open", loop_open(0, 0, O_RDONLY)));
		}
	}
	stop = true;
	pthread_join(opener, NULL);

	printf("seen: stale partitions: %d of %d, %d of them detached by LOOP_CLR_FD at once\n",
	       stale, rounds, at_once);
	/* With none at once, nothing has been tried. */
	if (!at_once)
		return 2;
	return stale ? 1 : 0;
}

static int test_partition(void)
{
	int fd, part, ret;
	bool stale;

	need("image", image_make(image, 8 * MiB, true));
	fd = need("open", loop_open(0, 0, O_RDWR));
	need("bind", loop_bind(fd, image, LO_FLAGS_PARTSCAN, 0));
	part = need("open partition", loop_open(0, 1, O_RDWR));
	close(fd);

	ret = loop_ioctl(part, LOOP_CLR_FD, 0);
	close(part);
	need("detach", loop_wait_unbound(0, 60));
	stale = loop_present(0, 1);
	printf("seen: LOOP_CLR_FD on a partition: %s, partition %s\n", strerror(-ret),
	       stale ? "left behind" : "gone");
	return stale || ret ? 1 : 0;
}

static int test_reuse(int rounds)
{
	int fd, failed = 0;

	need("image", image_make(image, 8 * MiB, false));
	fd = need("open", loop_open(0, 0, O_RDWR));
	for (int i = 0; i < rounds; i++) {
		int file = open(image, O_RDWR | O_CLOEXEC);

		if (loop_ioctl(fd, LOOP_SET_FD, (unsigned long)file) ||
		    loop_ioctl(fd, LOOP_CLR_FD, 0))
			failed++;
		close(file);
	}
	close(fd);
	printf("seen: LOOP_SET_FD after LOOP_CLR_FD on the same descriptor: %d of %d failed\n",
	       failed, rounds);
	return failed ? 1 : 0;
}

/* --- uevent: netlink delivers before the write to the uevent file returns */

static int uevents(int sock)
{
	char buf[4096];
	int count = 0;

	while (recv(sock, buf, sizeof(buf) - 1, MSG_DONTWAIT) > 0)
		if (strstr(buf, "/block/loop0"))
			count++;
	return count;
}

static int ask_uevent(int sock)
{
	int fd = need("uevent file", open("/sys/block/loop0/uevent", O_WRONLY | O_CLOEXEC));

	uevents(sock);
	if (write(fd, "change\n", 7) != 7)
		need("uevent", -errno);
	close(fd);
	return uevents(sock);
}

static int test_uevent(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int sock, fd, before, after, ret;

	sock = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (sock < 0 || bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0)
		need("netlink", -errno);
	need("image", image_make(image, 8 * MiB, false));
	fd = need("open", loop_open(0, 0, O_RDWR));

	before = ask_uevent(sock);
	ret = loop_bind(fd, image, 0, 513);
	after = ask_uevent(sock);
	printf("seen: LOOP_CONFIGURE with 513 byte blocks: %s; uevents before %d, after %d\n",
	       strerror(-ret), before, after);
	if (!before || ret != -EINVAL)
		return 2;

	/* What comes next must work as if nothing had been tried. */
	need("bind", loop_bind(fd, image, 0, 0));
	need("clear", loop_ioctl(fd, LOOP_CLR_FD, 0));
	close(fd);
	return after == before ? 0 : 1;
}

/* --- limits: processes, not threads, as a hung one cannot be joined */

static int test_limits(int seconds)
{
	atomic_ulong *count =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long seen[2] = {0, 0};
	double end = now() + seconds, progress[2] = {now(), now()};
	pid_t pid[2];
	int fd;

	if (count == MAP_FAILED)
		need("mmap", -errno);
	need("image", image_make(image, 8 * MiB, false));
	fd = need("open", loop_open(0, 0, O_RDWR));
	need("bind", loop_bind(fd, image, 0, 0));

	pid[0] = need("fork", fork());
	if (!pid[0]) {
		for (;; count[0]++) {
			uint64_t range[2] = {0, 65536};

			/* Brings the limits back that the zeroing has the driver clear. */
			loop_ioctl(fd, LOOP_SET_BLOCK_SIZE, count[0] & 1 ? 512 : 1024);
			ioctl(fd, BLKZEROOUT, range);
		}
	}
	pid[1] = need("fork", fork());
	if (!pid[1]) {
		int queue = open("/sys/block/loop0/queue/max_sectors_kb", O_WRONLY | O_CLOEXEC);

		for (;; count[1]++)
			if (pwrite(queue, count[1] & 1 ? "128\n" : "64\n", count[1] & 1 ? 4 : 3,
				   0) < 0)
				_exit(2);
	}

	while (now() < end) {
		usleep(100000);
		for (int i = 0; i < 2; i++) {
			if (count[i] != seen[i]) {
				seen[i] = count[i];
				progress[i] = now();
			} else if (now() - progress[i] > 60) {
				printf("seen: limits: hung after %lu zeroings and %lu writes\n",
				       count[0], count[1]);
				return 1;
			}
		}
		if (waitpid(-1, NULL, WNOHANG) > 0)
			return 2;
		/* Progress is looked at to the end of the 60 s of whoever is slow. */
		if (now() >= end && (now() - progress[0] > 5 || now() - progress[1] > 5))
			end = now() + 1;
	}
	for (int i = 0; i < 2; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	loop_ioctl(fd, LOOP_CLR_FD, 0);
	close(fd);
	printf("seen: limits: no hang in %lu zeroings and %lu writes\n", count[0], count[1]);
	return count[0] && count[1] ? 0 : 2;
}

/* --- close */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int test_close(int rounds)
{
	double *times = calloc((size_t)rounds, sizeof(*times));

	if (!times || rounds < 1)
		return 2;
	need("image", image_make(image, 8 * MiB, true));
	for (int i = 0; i < rounds; i++) {
		int fd = need("open", loop_open(0, 0, O_RDWR));
		double start;

		need("bind", loop_bind(fd, image, LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN, 0));
		start = now();
		close(fd);
		times[i] = now() - start;
		if (loop_present(0, 0))
			return 1;
	}
	qsort(times, (size_t)rounds, sizeof(*times), compare);
	printf("seen: last close, us: median %.0f, 90 %% %.0f, of %d\n", times[rounds / 2] * 1e6,
	       times[rounds * 9 / 10] * 1e6, rounds);
	free(times);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	int number = argc > 2 ? atoi(argv[argc - 1]) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(name, "stale") && argc == 3)
		return test_stale(number);
	if (!strcmp(name, "partition") && argc == 2)
		return test_partition();
	if (!strcmp(name, "reuse") && argc == 3)
		return test_reuse(number);
	if (!strcmp(name, "uevent") && argc == 2)
		return test_uevent();
	if (!strcmp(name, "limits") && argc == 3)
		return test_limits(number);
	if (!strcmp(name, "close") && argc == 3)
		return test_close(number);

	fprintf(stderr, "usage: loop_test stale|partition|reuse|uevent|limits|close [N]\n");
	return 2;
}
