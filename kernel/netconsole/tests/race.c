/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * race - a netconsole target against its device going away
 *
 * race enable|disable|rmdir ROUNDS TARGETS
 *
 * Each round makes a dummy device and TARGETS targets on it.  One process
 * deletes the device by RTM_DELLINK while this one enables, disables or
 * removes the targets, the last made first or last in turn; for half of the
 * removals it waits until the event of the deletion has disabled the targets,
 * which then is about to clean them.  After both a message is written to the
 * console: where a target is enabled without a device, the kernel dies of it.
 *
 * To be met while it is enabling, this process is on CPU 0, and from when the
 * target has its device (local_mac shows an address) until it has none again a
 * SCHED_FIFO process keeps that CPU busy, unless this one was through before
 * it.  Without preemption in the kernel (the mode "none") that one starts where
 * this one first sleeps, which is in netpoll_setup()'s wait for a grace period,
 * and this one wakes up after the device is gone.
 *
 * Prints what it sees and one line of counts.  Exit status: 0 all rounds done,
 * 1 a device did not go away within LEAK_S seconds or a target was left
 * enabled, 2 set-up.
 */
#define _GNU_SOURCE
#include "netcon.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Longer than the kernel takes between two notices about a leaked device */
#define LEAK_S	    60
#define MAX_TARGETS 256
/* A round that takes longer is not met, and goes on */
#define HOG_S 10

/* Shared by all processes: the hog is to go on; all stores are over */
static volatile int *busy, *returned;
/* What the hog waits for before each round */
static int hog_start[2];

static void message(const char *what, int round)
{
	char text[64];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	int n = snprintf(text, sizeof(text), "<1>race %s %d\n", what, round);

	if (fd < 0 || write(fd, text, n) < 0)
		die("/dev/kmsg");
	close(fd);
}

static void expedite_grace_periods(const char *how)
{
	int fd = open("/sys/kernel/rcu_expedited", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, how, 1) != 1)
		die("/sys/kernel/rcu_expedited");
	close(fd);
}

/* Each waits for a grace period, which need not take long; cleaning is to take its time */
static void enable_all(char (*name)[16], int targets)
{
	expedite_grace_periods("1");
	for (int t = 0; t < targets; t++) {
		errno = -store(name[t], "enabled", "1");
		if (errno)
			die("enabled");
	}
	expedite_grace_periods("0");
}

/* Waits for the child, false when it took longer than LEAK_S */
static int reap(pid_t pid)
{
	time_t end = now() + LEAK_S;

	do {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return 1;
		usleep(1000);
	} while (now() < end);
	return 0;
}

static void start_hog(void)
{
	struct sched_param param = {.sched_priority = 50};
	time_t end;
	char c;

	busy = mmap(NULL, 2 * sizeof(*busy), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	if (busy == MAP_FAILED || pipe2(hog_start, O_CLOEXEC))
		die("hog");
	returned = busy + 1;
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("sched_setscheduler");
	while (read(hog_start[0], &c, 1) == 1) {
		end = now() + HOG_S;
		while (*busy && !*returned && now() < end)
			;
	}
	_exit(0);
}

/* Waits until the target has a device, or has none, or the limit is over */
static void wait_for_device(const char *target, int present)
{
	time_t end = now() + HOG_S;
	char path[40], mac[18];
	int fd;

	snprintf(path, sizeof(path), "%.15s/local_mac", target);
	while (now() < end) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, mac, 17) != 17)
			_exit(2);
		close(fd);
		if ((strncmp(mac, "ff:ff:ff:ff:ff:ff", 17) != 0) == present)
			return;
	}
}

/* The deletion goes on for some time after that, also on the CPU of the hog */
static void release_when_clean(const char *target)
{
	if (fork())
		return;
	wait_for_device(target, 0);
	*busy = 0;
	_exit(0);
}

/* The event disables all targets of the device before it cleans the first */
static void wait_for_event(const char *target)
{
	time_t end = now() + LEAK_S;

	while (enabled(target) && now() < end)
		;
}

static pid_t delete_in_child(const char *dev, const char *enabling, int delay_us, int go)
{
	pid_t pid;
	int err;
	char c;

	pid = fork();
	if (pid)
		return pid;
	/* A deletion that never ends must not keep the reader of it */
	close(STDOUT_FILENO);
	pin(1);
	if (read(go, &c, 1) != 1)
		_exit(2);
	if (enabling) {
		wait_for_device(enabling, 1);
		*busy = 1;
		release_when_clean(enabling);
		if (write(hog_start[1], "", 1) != 1)
			_exit(2);
	} else {
		usleep(delay_us);
	}
	err = link_del(dev);
	*busy = 0;
	_exit(err ? 1 : 0);
}

int main(int argc, char **argv)
{
	int rounds, targets, done = 0, hit = 0, i, t, err;
	char name[MAX_TARGETS][16];
	const char *what;
	int enabling;

	if (argc != 4 || (targets = atoi(argv[3])) < 1 || targets > MAX_TARGETS)
		return fprintf(stderr, "race enable|disable|rmdir ROUNDS TARGETS\n"), 2;
	what = argv[1];
	enabling = !strcmp(what, "enable");
	rounds = atoi(argv[2]);
	pin(0);
	start_hog();
	setlinebuf(stdout);
	if (chdir(NCONF))
		die(NCONF);
	for (t = 0; t < targets; t++)
		snprintf(name[t], sizeof(name[t]), "race%d", t);

	for (i = 0; i < rounds; i++) {
		char dev[IFNAMSIZ];
		int go[2];
		pid_t pid;

		snprintf(dev, sizeof(dev), "d%d", i);
		errno = -dummy_add(dev);
		if (errno)
			die("RTM_NEWLINK");
		for (t = 0; t < targets; t++)
			target_add(name[t], dev);
		if (!enabling)
			enable_all(name, targets);
		if (pipe(go))
			die("pipe");
		*returned = 0;
		pid = delete_in_child(dev, enabling ? name[0] : NULL, i % 50 * 400, go[0]);
		if (write(go[1], "", 1) != 1)
			die("pipe");
		if (!strcmp(what, "rmdir") && i & 2)
			wait_for_event(name[0]);
		for (t = 0; t < targets; t++) {
			const char *n = name[i & 1 ? t : targets - 1 - t];

			if (!strcmp(what, "enable"))
				err = store(n, "enabled", "1");
			else if (!strcmp(what, "disable"))
				err = store(n, "enabled", "0");
			else
				err = target_del(n);
			hit += err == -ENODEV;
		}
		*returned = 1;
		close(go[0]);
		close(go[1]);
		if (!reap(pid)) {
			printf("race %s: round %d: %s still there after %d s\n", what, i, dev,
			       LEAK_S);
			return 1;
		}
		/* before the message, which the kernel may not survive */
		for (t = 0; t < targets && strcmp(what, "rmdir"); t++)
			if (enabled(name[t]))
				printf("seen: round %d: a target is enabled and has no device\n",
				       i);
		message(what, i);
		for (t = 0; t < targets && strcmp(what, "rmdir"); t++) {
			if (enabled(name[t])) {
				printf("race %s: round %d: left enabled\n", what, i);
				return 1;
			}
			if (target_del(name[t]))
				die("rmdir");
		}
		done++;
	}
	printf("race %s: rounds=%d targets=%d enodev=%d\n", what, done, targets, hit);
	return 0;
}
