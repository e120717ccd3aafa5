/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * race - a netconsole target against its device going away
 *
 * race enable|disable|rmdir ROUNDS TARGETS
 *
 * Each round makes a dummy device and TARGETS targets on it.  One process
 * deletes the device by RTM_DELLINK while this one enables, disables or
 * removes the targets, the last made first or last in turn.  After both a
 * message is written to the console: where a target is enabled without a
 * device, the kernel dies of it.
 *
 * To be met while it is enabling, this process is on CPU 0, and from when the
 * target has its device (local_mac shows an address) until it has none again a
 * SCHED_FIFO process keeps that CPU busy.  Without preemption in the
 * kernel (preempt=none) that one starts where this one first sleeps, which is
 * in netpoll_setup()'s wait for a grace period, and this one wakes up after the
 * device is gone.
 *
 * Prints what it sees and one line of counts.  Exit status: 0 all rounds done,
 * 1 a device did not go away within LEAK_S seconds or a target was left
 * enabled, 2 set-up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NCONF "/sys/kernel/config/netconsole"
/* Longer than the kernel takes between two notices about a leaked device */
#define LEAK_S	    60
#define MAX_TARGETS 256
/* A round that takes longer is not met, and goes on */
#define HOG_S 10

/* Shared by all processes: the hog is to go on; and what it waits for before */
static volatile int *busy;
static int hog_start[2];

struct request {
	struct nlmsghdr n;
	struct ifinfomsg i;
	char attrs[256];
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static struct rtattr *put_attr(struct request *r, int type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)r + r->n.nlmsg_len);

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	r->n.nlmsg_len += RTA_ALIGN(a->rta_len);
	return a;
}

/* Sends a link request and returns the kernel's answer, 0 or -errno */
static int talk(struct request *r)
{
	struct {
		struct nlmsghdr n;
		struct nlmsgerr e;
		char rest[512];
	} answer;
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (s < 0)
		die("socket");
	if (send(s, r, r->n.nlmsg_len, 0) < 0)
		die("send");
	if (recv(s, &answer, sizeof(answer), 0) < 0)
		die("recv");
	close(s);
	return answer.e.error;
}

static void link_request(struct request *r, int type, int flags)
{
	memset(r, 0, sizeof(*r));
	r->n.nlmsg_len = NLMSG_LENGTH(sizeof(r->i));
	r->n.nlmsg_type = type;
	r->n.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
}

static void dummy_add(const char *name)
{
	struct request r;
	struct rtattr *info;

	link_request(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	r.i.ifi_flags = r.i.ifi_change = IFF_UP;
	put_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = put_attr(&r, IFLA_LINKINFO, "", 0);
	put_attr(&r, IFLA_INFO_KIND, "dummy", 5);
	info->rta_len = (char *)&r + r.n.nlmsg_len - (char *)info;
	errno = -talk(&r);
	if (errno)
		die("RTM_NEWLINK");
}

/* Writes a value, returns 0 or -errno */
static int store(const char *target, const char *attr, const char *value)
{
	char path[40];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%.15s/%.15s", target, attr);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int enabled(const char *target)
{
	char path[40], c = '?';
	int fd;

	snprintf(path, sizeof(path), "%.15s/enabled", target);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &c, 1) != 1)
		die(path);
	close(fd);
	return c == '1';
}

static void message(const char *what, int round)
{
	char text[64];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	int n = snprintf(text, sizeof(text), "<1>race %s %d\n", what, round);

	if (fd < 0 || write(fd, text, n) < 0)
		die("/dev/kmsg");
	close(fd);
}

static void target_add(const char *target, const char *dev)
{
	if (mkdir(target, 0755) || store(target, "dev_name", dev) ||
	    store(target, "local_ip", "192.0.2.1") || store(target, "remote_ip", "192.0.2.2"))
		die(target);
}

static int target_del(const char *target)
{
	return rmdir(target) ? -errno : 0;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
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

	busy = mmap(NULL, sizeof(*busy), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (busy == MAP_FAILED || pipe2(hog_start, O_CLOEXEC))
		die("hog");
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("sched_setscheduler");
	while (read(hog_start[0], &c, 1) == 1) {
		end = now() + HOG_S;
		while (*busy && now() < end)
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

static pid_t delete_in_child(const char *dev, const char *enabling, int delay_us, int go)
{
	struct request r;
	int err;
	pid_t pid;
	char c;

	link_request(&r, RTM_DELLINK, 0);
	put_attr(&r, IFLA_IFNAME, dev, strlen(dev) + 1);
	pid = fork();
	if (pid)
		return pid;
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
	err = talk(&r);
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
		dummy_add(dev);
		for (t = 0; t < targets; t++) {
			target_add(name[t], dev);
			if (strcmp(what, "enable")) {
				errno = -store(name[t], "enabled", "1");
				if (errno)
					die("enabled");
			}
		}
		if (pipe(go))
			die("pipe");
		pid = delete_in_child(dev, enabling ? name[0] : NULL, i % 50 * 400, go[0]);
		if (write(go[1], "", 1) != 1)
			die("pipe");
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
