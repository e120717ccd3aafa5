// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads and writes debugfs files of wireless devices while what they belong to goes away.
 *
 *   wiphy_debugfs SCENARIO [ROUNDS|SECONDSs]
 *
 * A worker process makes and removes objects, one round after the other, while four of its threads
 * use their files. The parent watches. It fails the scenario when a round does not end, when the
 * RTNL cannot be had any more, or when the kernel log shows a warning or a lockdep report. What the
 * handlers answered is counted by errno and printed.
 *
 * Exit status: 0 passed, 1 failed, 2 usage, 4 the kernel lacks what the scenario is about.
 */
#define _GNU_SOURCE

#include "wiphy_scenarios.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEBUGFS "/sys/kernel/debug/ieee80211/"
#define RADIO	"wdr"
#define IFACE	"wdi"
#define SKIP	4

/* How long a round, and getting the RTNL, may take. Emulated machines are slow. */
static unsigned int hang_seconds = 60;

/* Shared by the worker and its watcher. */
struct shared {
	atomic_uint rounds;
	atomic_uint errnos[256]; /* [0]: success */
	atomic_bool stop;
};

static struct shared *shared;

static unsigned int answers_ok(void)
{
	return atomic_load(&shared->errnos[0]);
}

static bool told_to_stop(void)
{
	return atomic_load(&shared->stop);
}

static void answered(ssize_t n)
{
	int e = n < 0 ? errno : 0;

	atomic_fetch_add(&shared->errnos[e < 256 ? e : 255], 1);
}

/* The file stays open for some calls, so that it is removed under an open one at times. */
static void use_file(const char *path, const char *value)
{
	int fd = open(path, (value ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	char buf[4096];
	int i;

	if (fd < 0)
		return;
	for (i = 0; i < 4 && !atomic_load(&shared->stop); i++) {
		ssize_t n = value ? pwrite(fd, value, strlen(value), 0)
				  : pread(fd, buf, sizeof(buf), 0);

		answered(n);
		if (n < 0)
			break;
	}
	close(fd);
}

struct hammer {
	const char *const *patterns;
	const char *const *values; /* NULL: read */
};

static void *hammer(void *data)
{
	const struct hammer *h = data;
	unsigned int turn = 0;

	while (!atomic_load(&shared->stop)) {
		for (int p = 0; p < 4 && h->patterns[p]; p++) {
			char pattern[256];
			glob_t g;

			snprintf(pattern, sizeof(pattern), DEBUGFS RADIO "/%s", h->patterns[p]);
			if (glob(pattern, GLOB_NOSORT, NULL, &g)) {
				usleep(1000);
				continue;
			}
			for (size_t i = 0; i < g.gl_pathc; i++) {
				const char *value = NULL;

				if (h->values) {
					if (turn == 6 || !h->values[turn])
						turn = 0;
					value = h->values[turn++];
				}
				use_file(g.gl_pathv[i], value);
				/* Room for whoever removes: processors are few. */
				usleep(5000);
			}
			globfree(&g);
		}
	}
	return NULL;
}

static bool matches(const char *needs)
{
	char pattern[256];
	glob_t g;
	bool found;

	snprintf(pattern, sizeof(pattern), DEBUGFS RADIO "/%s", needs);
	found = !glob(pattern, 0, NULL, &g);
	if (found)
		globfree(&g);
	return found;
}

/* In the worker. Rounds until told to stop. */
static int work(const struct scenario *s)
{
	const struct hammer reader = {s->read, NULL}, writer = {s->write, s->values};
	struct world w = {0};
	pthread_t threads[4];
	int r;

	r = genl_open(&w.g);
	if (r == -ENOENT)
		return SKIP;
	if (!r)
		r = s->setup(&w);
	if (r == -EOPNOTSUPP || (!r && !matches(s->needs))) {
		radio_del(&w.g, w.radio);
		return SKIP;
	}
	if (r) {
		fprintf(stderr, "%s: setup: %s\n", s->name, strerror(-r));
		radio_del(&w.g, w.radio);
		return 1;
	}
	for (int i = 0; i < 4; i++) {
		const struct hammer *h = (i & 1 && s->write[0]) || !s->read[0] ? &writer : &reader;

		if (pthread_create(&threads[i], NULL, hammer, (void *)h))
			return 1;
	}
	while (!atomic_load(&shared->stop)) {
		r = s->round(&w);
		if (r) {
			fprintf(stderr, "%s: round %u: %s\n", s->name, atomic_load(&shared->rounds),
				strerror(-r));
			break;
		}
		atomic_fetch_add(&shared->rounds, 1);
	}
	atomic_store(&shared->stop, true);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	if (!r)
		r = radio_del(&w.g, w.radio);
	return !!r;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* In a child: a task that waits for a dead RTNL cannot be killed. */
static bool rtnl_alive(void)
{
	time_t end = now() + hang_seconds;
	pid_t pid = fork();

	if (pid == 0)
		_exit(!!iface_up("lo", true));
	while (pid > 0 && now() < end) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

/* Prints what the kernel complained of since the log was opened, first lines only. */
static unsigned int complaints(int kmsg)
{
	static const char *const words[] = {"BUG:",
					    "WARNING:",
					    "INFO: task",
					    "possible circular",
					    "possible recursive",
					    "suspicious RCU",
					    "Oops"};
	unsigned int n = 0;
	char buf[8192];
	ssize_t len;

	while ((len = read(kmsg, buf, sizeof(buf) - 1)) > 0 || (len < 0 && errno == EPIPE)) {
		char *text;

		if (len < 0)
			continue;
		buf[len] = '\0';
		buf[strcspn(buf, "\n")] = '\0';
		text = strchr(buf, ';');
		for (size_t i = 0; text && words[i]; i++) {
			if (strstr(text, words[i])) {
				if (n++ < 3)
					printf("  log: %s\n", text + 1);
				break;
			}
		}
	}
	return n;
}

/* Rounds, or seconds, as wanted; false: a round did not end in time. */
static bool watch(pid_t pid, unsigned int rounds, unsigned int seconds, int *status)
{
	time_t start = now(), moved = start;
	unsigned int last = 0;

	*status = -1;
	for (;;) {
		unsigned int done = atomic_load(&shared->rounds);

		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		if (done != last)
			moved = now();
		last = done;
		if (now() - moved > (time_t)hang_seconds)
			return false;
		if (seconds ? now() - start >= (time_t)seconds : done >= rounds)
			atomic_store(&shared->stop, true);
		usleep(10000);
	}
}

static int run(const struct scenario *s, unsigned int rounds, unsigned int seconds)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool ended, alive;
	unsigned int said;
	int status;
	pid_t pid;

	if (kmsg >= 0)
		lseek(kmsg, 0, SEEK_END);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return 1;
	if (pid == 0)
		_exit(work(s));
	ended = watch(pid, rounds, seconds, &status);
	if (ended && WIFEXITED(status) && WEXITSTATUS(status) == SKIP) {
		printf("SKIP %s: %s: not in this kernel\n", s->name, s->what);
		return SKIP;
	}
	alive = rtnl_alive();
	said = kmsg >= 0 ? complaints(kmsg) : 0;
	if (!ended || !alive || said || !WIFEXITED(status) || WEXITSTATUS(status))
		status = 1;
	else
		status = 0;
	printf("%s %s: %s: rounds %u%s, RTNL %s, log lines %u; answers:", status ? "FAIL" : "PASS",
	       s->name, s->what, atomic_load(&shared->rounds), ended ? "" : " and hung",
	       alive ? "alive" : "dead", said);
	for (int e = 0; e < 256; e++) {
		unsigned int n = atomic_load(&shared->errnos[e]);

		if (n)
			printf(" %s %u", e ? strerrorname_np(e) : "ok", n);
	}
	printf("\n");
	return status;
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
	bool seconds = argc > 2 && strchr(argv[2], 's');

	if (getenv("HANG_SECONDS"))
		hang_seconds = (unsigned int)strtoul(getenv("HANG_SECONDS"), NULL, 10);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 1;
	for (size_t i = 0; argc > 1 && scenarios[i].name; i++)
		if (!strcmp(argv[1], scenarios[i].name))
			return run(&scenarios[i], seconds ? 0 : (unsigned int)n,
				   seconds ? (unsigned int)n : 0);
	fprintf(stderr, "usage: wiphy_debugfs SCENARIO [ROUNDS|SECONDSs], with SCENARIO of:\n");
	for (size_t i = 0; scenarios[i].name; i++)
		fprintf(stderr, "  %-18s %s\n", scenarios[i].name, scenarios[i].what);
	return 2;
}
