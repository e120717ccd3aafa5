/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events - messages from both CPUs while the devices of targets come and go
 *
 * events SECONDS
 *
 * One process on each CPU writes numbered messages for listen(1)'s check
 * "sequence".  When both have begun, one for each kind takes devices with a
 * target of their own through what the kind says, one after the other; when
 * SECONDS are over and the last devices are gone, some more messages follow.
 *
 * bond, bridge, team	the device joins the one that is called m and the kind,
 *			and leaves it, or is deleted there; a target on the bond
 *			sees its device released
 * rename		it gets another name
 * down			it goes down and comes up
 *
 * Half of the targets are disabled while their device is being deleted, all are
 * removed meanwhile.  Prints the last numbers, what was done, and what was wrong.
 * Exit status: 0, 1 something was wrong, 2 set-up.
 */
#define _GNU_SOURCE
#include "netcon.h"
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define CPUS	 2
#define PAD	 60
#define PAUSE_US 50000
/* So many of each CPU before and after the events */
#define SOME   20
#define SOME_S 60

static const char *const kinds[] = {"bond", "bridge", "team", "rename", "down"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static volatile struct {
	int talking, moving, wrong;
	unsigned long sent[CPUS], devices[KINDS];
} * all;

static __attribute__((format(printf, 1, 2))) void wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("wrong: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	__atomic_add_fetch(&all->wrong, 1, __ATOMIC_SEQ_CST);
}

/* What has to succeed whatever else goes on */
static int must(const char *what, const char *name, int err)
{
	if (err)
		wrong("%s: %s: %s", name, what, strerror(-err));
	return err;
}

static void talker(unsigned int cpu)
{
	char text[160], pad[PAD + 1];
	int len, fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	pin(cpu);
	memset(pad, 'M', PAD);
	pad[PAD] = '\0';
	while (all->talking) {
		len = snprintf(text, sizeof(text), "<4>seq %u %lu %s end\n", cpu,
			       all->sent[cpu] + 1, pad);
		if (write(fd, text, len) != len)
			die("/dev/kmsg");
		all->sent[cpu]++;
		usleep(PAUSE_US);
	}
	exit(0);
}

/* Waits until each CPU has sent some more than it had; the sum */
static unsigned long some_more(void)
{
	unsigned long first[CPUS] = {all->sent[0], all->sent[1]};
	time_t end = now() + SOME_S;

	while (now() < end && (all->sent[0] < first[0] + SOME || all->sent[1] < first[1] + SOME))
		usleep(100000);
	return all->sent[0] + all->sent[1];
}

static int link_flags(int index, int up)
{
	struct request r;

	link_request(&r, RTM_NEWLINK, 0);
	r.i.ifi_index = index;
	r.i.ifi_change = IFF_UP;
	r.i.ifi_flags = up ? IFF_UP : 0;
	return talk(&r);
}

static int link_master(int index, int master)
{
	struct request r;

	link_request(&r, RTM_NEWLINK, 0);
	r.i.ifi_index = index;
	put_attr(&r, IFLA_MASTER, &master, sizeof(master));
	return talk(&r);
}

static int link_rename(int index, const char *name)
{
	struct request r;

	link_request(&r, RTM_NEWLINK, 0);
	r.i.ifi_index = index;
	put_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	return talk(&r);
}

static void check_disabled(const char *target, const char *when)
{
	if (enabled(target))
		wrong("%s: enabled after %s", target, when);
}

static void join(const char *kind, const char *dev, int index, const char *target, int leave)
{
	char master[IFNAMSIZ];

	snprintf(master, sizeof(master), "m%s", kind);
	must("down", dev, link_flags(index, 0));
	must("joins", dev, link_master(index, if_nametoindex(master)));
	/* a team tells nobody: there the target stays with the port */
	if (strcmp(kind, "team"))
		check_disabled(target, "joining");
	if (!strcmp(kind, "bond")) {
		target_add("evmaster", master);
		must("enabling", "evmaster", store("evmaster", "enabled", "1"));
	}
	if (leave)
		must("leaves", dev, link_master(index, 0));
}

static void check_name(const char *target, const char *dev)
{
	char path[40], name[IFNAMSIZ + 1] = "";
	int fd;

	snprintf(path, sizeof(path), "%.15s/dev_name", target);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, name, IFNAMSIZ) < 0)
		die(path);
	close(fd);
	name[strcspn(name, "\n")] = '\0';
	if (strcmp(name, dev))
		wrong("%s: dev_name is %s, not %s", target, name, dev);
}

static void one(const char *kind, unsigned long number)
{
	char dev[IFNAMSIZ], target[16];
	int index, status = 0;
	pid_t pid;

	snprintf(dev, sizeof(dev), "e%.3s%lu", kind, number % 1000);
	snprintf(target, sizeof(target), "ev%s", kind);
	if (must("added", dev, dummy_add(dev)))
		return;
	index = if_nametoindex(dev);
	target_add(target, dev);
	must("enabling", target, store(target, "enabled", "1"));
	if (!strcmp(kind, "rename")) {
		must("down", dev, link_flags(index, 0));
		dev[0] = 'r';
		must("renamed", dev, link_rename(index, dev));
		check_name(target, dev);
		must("up", dev, link_flags(index, 1));
	} else if (!strcmp(kind, "down")) {
		must("down", dev, link_flags(index, 0));
		must("up", dev, link_flags(index, 1));
	} else {
		join(kind, dev, index, target, number % 2);
	}
	pid = fork();
	if (!pid)
		exit(must("deleted", dev, link_del(dev)) != 0);
	/* of one that an event has disabled it is an error */
	if (number / 2 % 2)
		store(target, "enabled", "0");
	must("rmdir", target, target_del(target));
	if (waitpid(pid, &status, 0) != pid || status)
		wrong("%s: deletion: status %d", dev, status);
	if (if_nametoindex(dev))
		wrong("%s: still there", dev);
	if (!strcmp(kind, "bond")) {
		check_disabled("evmaster", "release");
		must("rmdir", "evmaster", target_del("evmaster"));
	}
}

static void mover(unsigned int kind)
{
	while (all->moving)
		one(kinds[kind], ++all->devices[kind]);
	exit(0);
}

static pid_t start(void (*work)(unsigned int), unsigned int number)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	work(number);
	exit(0);
}

static void reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		wrong("a process ended with status %d", status);
}

int main(int argc, char **argv)
{
	unsigned long before, during, after;
	pid_t talkers[CPUS], movers[KINDS];
	time_t end, asked;
	unsigned int i;

	if (argc != 2)
		return fprintf(stderr, "events SECONDS\n"), 2;
	end = now() + atoi(argv[1]);
	setlinebuf(stdout);
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED || chdir(NCONF))
		die(NCONF);
	all->talking = all->moving = 1;
	for (i = 0; i < CPUS; i++)
		talkers[i] = start(talker, i);
	before = some_more();
	for (i = 0; i < KINDS; i++)
		movers[i] = start(mover, i);
	while (now() < end)
		usleep(500000);
	all->moving = 0;
	asked = now();
	for (i = 0; i < KINDS; i++)
		reap(movers[i]);
	during = all->sent[0] + all->sent[1] - before;
	printf("seen: the last devices took %ld s\n", (long)(now() - asked));
	after = some_more() - before - during;
	all->talking = 0;
	for (i = 0; i < CPUS; i++)
		reap(talkers[i]);
	printf("sent: last0=%lu last1=%lu\n", all->sent[0], all->sent[1]);
	printf("seen: %lu messages before, %lu during, %lu after the events\n", before, during,
	       after);
	if (!before || !during || !after)
		wrong("a phase without messages");
	printf("seen: devices:");
	for (i = 0; i < KINDS; i++) {
		printf(" %s %lu", kinds[i], all->devices[i]);
		if (!all->devices[i])
			all->wrong++;
	}
	printf("\n");
	return all->wrong != 0;
}
