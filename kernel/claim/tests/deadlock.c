// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * deadlock [-i SERVERFILE] [-w] [-n] VICTIM CACHEDFILE
 *
 * A buffered write to VICTIM, on the filesystem of the cache, whose source is a page of CACHEDFILE,
 * a file of a network filesystem with a cache, while VICTIM's filesystem is being frozen:
 *
 *   writer   write(2) to VICTIM: is under freeze protection, waits for its first source page, which
 *            this program withholds by userfaultfd
 *   freezer  FIFREEZE: waits for the writer, unless it is refused
 *   main     with -i: changes SERVERFILE, so that the cache has to invalidate the object;
 *            then gives the first page. The writer goes on to the page of CACHEDFILE, which is
 *            read from the server and written to the cache
 *
 * With -w the page of CACHEDFILE is dirty and in memory, and instead of changing the file main has
 * it written back, which takes the page's lock, before it gives the first page.
 *
 * With -n nobody freezes: the control. Prints what both came to, "freeze=NAME write=BYTES"; a hang
 * is "freeze=hang" or "write=hang", and status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	PATIENCE = 60, /* seconds after which a thread is taken for hung */
};

static int victim;
static char page[PAGE];
static struct iovec source[2];
static _Atomic ssize_t written = -1000000;
static _Atomic int freeze_error = -1;
static _Atomic pid_t freezer_id;
static _Atomic pid_t sync_id;

static void die(const char *what)
{
	printf("deadlock: %s: %s\n", what, strerror(errno));
	_exit(2);
}

static void *writer(void *unused)
{
	ssize_t result = writev(victim, source, 2);

	(void)unused;
	written = result < 0 ? -errno : result;
	return NULL;
}

static void *freezer(void *unused)
{
	(void)unused;
	freezer_id = (pid_t)syscall(SYS_gettid);
	freeze_error = ioctl(victim, FIFREEZE, 0) ? errno : 0;
	return NULL;
}

/*
 * Until the freeze has come back or waits for the writer: that is, in freeze_super() but no longer
 * for the grace period of RCU at whose end new writers begin to wait.
 */
static void await_freezer(void)
{
	char path[64], stack[4096];
	int seen = 0;

	for (int i = 0; i < PATIENCE * 10 && freeze_error < 0 && seen < 3; i++) {
		int file = -1;
		ssize_t length;

		usleep(100000);
		if (freezer_id) {
			snprintf(path, sizeof(path), "/proc/self/task/%d/stack", freezer_id);
			file = open(path, O_RDONLY);
		}
		if (file < 0)
			continue;
		length = read(file, stack, sizeof(stack) - 1);
		close(file);
		stack[length > 0 ? length : 0] = '\0';
		if (strstr(stack, "freeze_super") && !strstr(stack, "rcu"))
			seen++;
		else
			seen = 0;
	}
}

static void change(const char *server_file, int cached)
{
	struct stat before, after;
	int file;

	if (fstat(cached, &before))
		die("fstat");
	file = open(server_file, O_WRONLY);
	if (file < 0 || pwrite(file, "changed", 7, 0) != 7 || fsync(file) || close(file))
		die(server_file);
	for (int i = 0; i < PATIENCE * 10; i++) {
		if (fstat(cached, &after))
			die("fstat");
		if (after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
		    after.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
			return;
		usleep(100000);
	}
	errno = ETIME;
	die("the change is not seen");
}

static void *syncer(void *file)
{
	sync_id = (pid_t)syscall(SYS_gettid);
	fsync((int)(long)file);
	sync_id = -1;
	return NULL;
}

/* Until the page is written back, or that waits for the cache. */
static void write_back(int cached)
{
	char path[64], stack[4096];
	pthread_t thread;

	if (pthread_create(&thread, NULL, syncer, (void *)(long)cached))
		die("pthread_create");
	pthread_detach(thread);
	for (int i = 0; i < PATIENCE * 10 && sync_id >= 0; i++) {
		int file;
		ssize_t length;

		usleep(100000);
		if (sync_id <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%d/stack", sync_id);
		file = open(path, O_RDONLY);
		length = file < 0 ? -1 : read(file, stack, sizeof(stack) - 1);
		close(file);
		stack[length > 0 ? length : 0] = '\0';
		if (strstr(stack, "cachefiles_write") && strstr(stack, "percpu"))
			return;
	}
}

static int join(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE;
	return pthread_timedjoin_np(thread, NULL, &until);
}

int main(int argc, char **argv)
{
	const char *server_file = NULL;
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	struct uffdio_copy copy = {.len = PAGE};
	struct pollfd fault = {.events = POLLIN};
	pthread_t write_thread, freeze_thread;
	int option, cached, freeze = 1, dirty = 0, hung = 0;
	void *held;

	while ((option = getopt(argc, argv, "i:nw")) != -1) {
		if (option == 'i')
			server_file = optarg;
		else if (option == 'n')
			freeze = 0;
		else if (option == 'w')
			dirty = 1;
		else
			return 2;
	}
	if (argc - optind != 2)
		return 2;
	victim = open(argv[optind], O_RDWR | O_CREAT | O_TRUNC, 0600);
	cached = open(argv[optind + 1], dirty ? O_RDWR : O_RDONLY);
	if (victim < 0 || cached < 0)
		die("open");
	if (dirty && write(cached, page, sizeof(page)) != sizeof(page))
		die("write");

	held = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	source[1].iov_base = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, cached, 0);
	fault.fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (held == MAP_FAILED || source[1].iov_base == MAP_FAILED || fault.fd < 0)
		die("mmap, userfaultfd");
	source[0].iov_base = held;
	source[0].iov_len = source[1].iov_len = PAGE;
	range.range.start = copy.dst = (unsigned long)held;
	range.range.len = PAGE;
	copy.src = (unsigned long)aligned_alloc(PAGE, PAGE);
	memset((void *)(unsigned long)copy.src, 'x', PAGE);
	if (ioctl(fault.fd, UFFDIO_API, &api) || ioctl(fault.fd, UFFDIO_REGISTER, &range))
		die("UFFDIO_REGISTER");

	if (pthread_create(&write_thread, NULL, writer, NULL))
		die("pthread_create");
	if (poll(&fault, 1, PATIENCE * 1000) != 1)
		die("the writer does not come to its source");
	if (freeze) {
		if (pthread_create(&freeze_thread, NULL, freezer, NULL))
			die("pthread_create");
		await_freezer();
	}
	if (server_file)
		change(server_file, cached);
	if (dirty)
		write_back(cached);
	if (ioctl(fault.fd, UFFDIO_COPY, &copy))
		die("UFFDIO_COPY");

	if (freeze)
		hung |= join(freeze_thread) != 0;
	hung |= join(write_thread) != 0;
	if (!freeze)
		printf("freeze=none ");
	else if (freeze_error < 0)
		printf("freeze=hang ");
	else
		printf("freeze=%s ", freeze_error ? strerrorname_np(freeze_error) : "0");
	if (written == -1000000)
		printf("write=hang\n");
	else
		printf("write=%zd\n", written);
	fflush(stdout);
	if (freeze_error == 0)
		ioctl(victim, FITHAW, 0);
	_exit(hung);
}
