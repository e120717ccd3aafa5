// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What others get while a device is being run down:
 *
 *   loop_meanwhile close N   in the rundown of a last close
 *   loop_meanwhile clear N   in that of LOOP_CLR_FD, on a descriptor that is still open
 *   loop_meanwhile unload N  the module is unloaded as soon as that is possible
 *
 * The first two hold the rundown still: the task that does it runs on CPU 0, where a task of real
 * time priority starts some time after it, and everything is asked from CPU 1. An answer counts
 * when an open was turned away with ENXIO before and after it. N times; a kernel on which opens
 * wait for the rundown, under the lock that is held over it, never gets there. Needs a kernel with
 * preemption. Exit status: 0 passed, 1 failed, 2 broken set-up.
 */
#define _GNU_SOURCE

#include "loopdev.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The hog gives up after the first time, as who opens may wait for a lock that the halted task
 * holds; after the second when an open has been turned away, for the same reason.
 */
#define HOG_SECONDS    0.5
#define INSIDE_SECONDS 4
#define MiB	       (1024UL * 1024UL)

static const char image[] = "loop_meanwhile.img";
static sem_t start_work, start_hog;
static atomic_bool worked, in_hog, inside_it, let_go, finished;
static atomic_int device_fd;
static bool by_clear;

static void run_on(int cpu, bool realtime)
{
	struct sched_param param = {.sched_priority = 10};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	need("affinity", sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0);
	if (realtime)
		need("scheduler", sched_setscheduler(0, SCHED_FIFO, &param) < 0 ? -errno : 0);
}

static void *worker(void *arg)
{
	(void)arg;
	run_on(0, false);
	for (;;) {
		sem_wait(&start_work);
		if (by_clear)
			loop_ioctl(device_fd, LOOP_CLR_FD, 0);
		else
			close(device_fd);
		worked = true;
	}
	return NULL;
}

static void *hog(void *arg)
{
	(void)arg;
	run_on(0, true);
	for (;;) {
		double begin;

		sem_wait(&start_hog);
		begin = now();
		in_hog = true;
		while (!let_go && now() - begin < (inside_it ? INSIDE_SECONDS : HOG_SECONDS))
			;
		in_hog = false;
		finished = true;
	}
	return NULL;
}

static bool turned_away(void)
{
	int fd = loop_open(0, 0, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd == -ENXIO;
}

struct answer {
	const char *what;
	int want;
	int got;
};

/* Asks everything. old: a descriptor from before, or -1. The number of answers. */
static int ask(struct answer *a, int old)
{
	struct loop_info64 info;
	int n = 0, other, ret;

	a[n++] = (struct answer){"LOOP_CTL_ADD", -EEXIST, loop_control(LOOP_CTL_ADD, 0)};
	a[n++] = (struct answer){"LOOP_CTL_REMOVE", -EBUSY, loop_control(LOOP_CTL_REMOVE, 0)};
	ret = loop_control(LOOP_CTL_GET_FREE, 0);
	a[n++] = (struct answer){"LOOP_CTL_GET_FREE", 1, ret > 0 ? 1 : ret};
	ret = loop_open(0, 1, O_RDONLY);
	a[n++] = (struct answer){"open of a partition", -ENXIO, ret == -ENOENT ? -ENXIO : ret};
	ret = (int)syscall(SYS_delete_module, "loop", O_NONBLOCK);
	a[n++] = (struct answer){"unloading", -EWOULDBLOCK, ret < 0 ? -errno : ret};
	if (old < 0)
		return n;
	a[n++] = (struct answer){"LOOP_CONFIGURE", -EBUSY, loop_bind(old, image, 0, 0)};
	a[n++] = (struct answer){"LOOP_CLR_FD", -ENXIO, loop_ioctl(old, LOOP_CLR_FD, 0)};
	a[n++] = (struct answer){"LOOP_GET_STATUS64", -ENXIO,
				 loop_ioctl(old, LOOP_GET_STATUS64, (unsigned long)&info)};
	a[n++] = (struct answer){"LOOP_SET_BLOCK_SIZE", -ENXIO,
				 loop_ioctl(old, LOOP_SET_BLOCK_SIZE, 1024)};
	other = loop_open(1, 0, O_RDWR);
	if (other >= 0) {
		ret = loop_ioctl(other, LOOP_SET_FD, (unsigned long)old);
		a[n++] = (struct answer){"as a backing file", -EINVAL, ret};
		close(other);
	}
	return n;
}

/* Asks in the middle of the rundown, if it is. The number of answers, 0: too early or too late. */
static int ask_inside(int old, int *wrong)
{
	struct answer a[16];
	int n;

	if (!turned_away())
		return 0;
	inside_it = true;
	n = ask(a, old);
	if (!turned_away())
		return 0;
	for (int i = 0; i < n; i++)
		if (a[i].got != a[i].want && (*wrong)++ < 20)
			printf("FAIL: %s: %s\n", a[i].what,
			       a[i].got < 0 ? strerror(-a[i].got) : "succeeded");
	return n;
}

/* Has the worker do its work and the hog halt it so many seconds later. As ask_inside(). */
static int halt_and_ask(double delay, int old, int *wrong)
{
	double begin = now();
	int n;

	let_go = false;
	finished = false;
	inside_it = false;
	worked = false;
	sem_post(&start_work);
	while (now() - begin < delay)
		;
	sem_post(&start_hog);
	while (!in_hog && !finished)
		;
	n = ask_inside(old, wrong);
	let_go = true;
	/* The worker may not even have begun. */
	while (!finished || !worked)
		usleep(100);
	return n;
}

/* How long the work takes if it is left alone, in seconds. */
static double work_alone(void)
{
	double begin = now();

	worked = false;
	sem_post(&start_work);
	while (!worked)
		;
	return now() - begin;
}

/* A real time task may have all of a processor, and not 95 % of each second. */
static void allow_hog(void)
{
	int fd = open("/proc/sys/kernel/sched_rt_runtime_us", O_WRONLY | O_CLOEXEC);

	need("sched_rt_runtime_us", fd < 0 || write(fd, "-1", 2) != 2 ? -errno : 0);
	close(fd);
}

/* Opens loop0. Who asked too late may have removed it, or the driver. */
static int open_again(void)
{
	int fd;

	while ((fd = loop_open(0, 0, O_RDWR)) == -ENXIO)
		usleep(1000);
	if (fd == -ENOENT && system("modprobe loop") == 0) {
		loop_control(LOOP_CTL_ADD, 0);
		fd = loop_open(0, 0, O_RDWR);
	}
	return need("open", fd);
}

static int test_meanwhile(int rounds)
{
	unsigned int flags = LO_FLAGS_PARTSCAN | (by_clear ? 0 : LO_FLAGS_AUTOCLEAR), seed = 1;
	int inside = 0, tried, wrong = 0, answers = 0;
	pthread_t threads[2];
	double took = 0.002;

	allow_hog();
	run_on(1, false);
	need("image", image_make(image, 8 * MiB, true));
	pthread_create(&threads[0], NULL, worker, NULL);
	pthread_create(&threads[1], NULL, hog, NULL);

	/* A kernel on which nobody gets there is given up soon. */
	for (tried = 0; inside < rounds && tried < (inside ? rounds * 20 : 60); tried++) {
		int fd = open_again(), n = 0;

		need("bind", loop_bind(fd, image, flags, 0));
		device_fd = fd;
		if (tried % 8)
			n = halt_and_ask(took * (rand_r(&seed) % 1000) / 800, by_clear ? fd : -1,
					 &wrong);
		else
			took = work_alone();
		if (n) {
			inside++;
			answers = n;
		}
		if (by_clear)
			close(fd);
		need("detach", loop_wait_unbound(0, 60));
	}
	printf("seen: %s: asked in the middle of %d rundowns of %d, %d answers each, %d wrong\n",
	       by_clear ? "LOOP_CLR_FD" : "last close", inside, tried, answers, wrong);
	return inside == rounds && !wrong ? 0 : 1;
}

/* --- unload: as soon as a close has returned, or even before */

static void *close_it(void *arg)
{
	(void)arg;
	close(device_fd);
	return NULL;
}

static int test_unload(int rounds)
{
	unsigned long refused = 0;
	int late = 0;

	need("image", image_make(image, 8 * MiB, true));
	for (int i = 0; i < rounds; i++) {
		pthread_t closer;
		double end = now() + 60;

		need("modprobe", system("modprobe loop") == 0 ? 0 : -EINVAL);
		device_fd = need("open", loop_open(0, 0, O_RDWR));
		need("bind",
		     loop_bind(device_fd, image, LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN, 0));
		pthread_create(&closer, NULL, close_it, NULL);
		while (syscall(SYS_delete_module, "loop", O_NONBLOCK) < 0) {
			need("unload", errno == EWOULDBLOCK && now() < end ? 0 : -errno);
			refused++;
		}
		pthread_join(closer, NULL);
		late += access("/sys/block/loop0", F_OK) == 0;
	}
	printf("seen: unloaded in %d last closes, refused %lu times before, %d devices left\n",
	       rounds, refused, late);
	return refused && !late ? 0 : 1;
}

int main(int argc, char **argv)
{
	int number = argc == 3 ? atoi(argv[2]) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	by_clear = argc == 3 && !strcmp(argv[1], "clear");
	if (number > 0 && (by_clear || !strcmp(argv[1], "close")))
		return test_meanwhile(number);
	if (number > 0 && !strcmp(argv[1], "unload"))
		return test_unload(number);
	fprintf(stderr, "usage: loop_meanwhile close|clear|unload N\n");
	return 2;
}
