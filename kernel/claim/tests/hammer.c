// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hammer SECONDS DIR: a cache on DIR, and threads that claim and drop, freeze and thaw, remount and
 * read the state, each as fast as it can. Prints each operation with the answers that came and how
 * often, one line each, "OPERATION ANSWER COUNT"; fails if one came that is not foreseen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

enum {
	ERRORS = 200
};

enum operation {
	BIND,
	UNBIND,
	YIELD,
	INUSE,
	READ,
	FREEZE,
	THAW,
	READONLY,
	WRITABLE,
	OPERATIONS
};

static const struct {
	const char *name;
	int foreseen[6]; /* besides 0 */
} operations[OPERATIONS] = {
	[BIND] = {"bind", {EAGAIN, EROFS, EBUSY}},
	[UNBIND] = {"unbind", {ENODATA}},
	[YIELD] = {"yield", {EBUSY}},
	/* EIO: nothing is bound */
	[INUSE] = {"inuse", {ENOENT, EIO}},
	[READ] = {"read", {0}},
	[FREEZE] = {"freeze", {EAGAIN, EBUSY}},
	[THAW] = {"thaw", {EINVAL}},
	[READONLY] = {"remount,ro", {EBUSY}},
	[WRITABLE] = {"remount,rw", {EBUSY}},
};

static atomic_long counts[OPERATIONS][ERRORS];
static int device, directory;
static const char *path;
static time_t end;

static int count(enum operation operation, int result)
{
	int error = result < 0 ? errno : 0;

	counts[operation][error < ERRORS ? error : ERRORS - 1]++;
	return error;
}

static int command(enum operation operation, const char *words)
{
	return count(operation, (int)write(device, words, strlen(words)));
}

static int going(void)
{
	return time(NULL) < end;
}

static void *binder(void *unused)
{
	for (unsigned int n = 0; going(); n++) {
		command(YIELD, n % 3 ? "yield 0" : "yield 50");
		command(BIND, "bind");
		if (n % 5 == 0)
			usleep(20000);
		command(UNBIND, "unbind");
	}
	return unused;
}

static void *reader(void *unused)
{
	struct pollfd waiting = {.fd = device, .events = POLLIN};
	char line[512];

	while (going()) {
		poll(&waiting, 1, 10);
		count(READ, (int)read(device, line, sizeof(line)));
		command(INUSE, "inuse nothing");
	}
	return unused;
}

static void *freezer(void *unused)
{
	while (going()) {
		if (count(FREEZE, ioctl(directory, FIFREEZE, 0)) == 0)
			usleep(5000);
		count(THAW, ioctl(directory, FITHAW, 0));
	}
	return unused;
}

static void *remounter(void *unused)
{
	while (going()) {
		count(READONLY, mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL));
		usleep(2000);
		count(WRITABLE, mount(NULL, path, NULL, MS_REMOUNT, NULL));
		usleep(5000);
	}
	return unused;
}

static int foreseen(int operation, int error)
{
	for (int i = 0; i < 6; i++)
		if (operations[operation].foreseen[i] == error)
			return 1;
	return error == 0;
}

int main(int argc, char **argv)
{
	static void *(*const work[])(void *) = {binder, reader, freezer, freezer, remounter};
	pthread_t threads[sizeof(work) / sizeof(*work)];
	char words[4096];
	int bad = 0;

	if (argc != 3)
		return 2;
	path = argv[2];
	end = time(NULL) + atoi(argv[1]);
	device = open("/dev/cachefiles", O_RDWR | O_CLOEXEC);
	directory = open(path, O_RDONLY | O_DIRECTORY);
	snprintf(words, sizeof(words), "dir %s", path);
	if (device < 0 || directory < 0 || write(device, words, strlen(words)) < 0) {
		perror("hammer");
		return 2;
	}
	for (size_t i = 0; i < sizeof(work) / sizeof(*work); i++)
		if (pthread_create(&threads[i], NULL, work[i], NULL))
			return 2;
	for (size_t i = 0; i < sizeof(work) / sizeof(*work); i++)
		pthread_join(threads[i], NULL);
	ioctl(directory, FITHAW, 0);
	ioctl(directory, FITHAW, 0);
	for (int i = 0; i < OPERATIONS; i++)
		for (int error = 0; error < ERRORS; error++) {
			if (!counts[i][error])
				continue;
			printf("%s %s %ld%s\n", operations[i].name,
			       error ? strerrorname_np(error) : "0", counts[i][error],
			       foreseen(i, error) ? "" : " UNFORESEEN");
			bad |= !foreseen(i, error);
		}
	return bad;
}
