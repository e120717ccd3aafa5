/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netcon.h - devices and targets, for the programs that move both
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NCONF "/sys/kernel/config/netconsole"

struct request {
	struct nlmsghdr n;
	struct ifinfomsg i;
	char attrs[256];
};

static inline void die(const char *what)
{
	perror(what);
	exit(2);
}

static inline void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static inline time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static inline struct rtattr *put_attr(struct request *r, int type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)r + r->n.nlmsg_len);

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	r->n.nlmsg_len += RTA_ALIGN(a->rta_len);
	return a;
}

/* Sends a link request and returns the kernel's answer, 0 or -errno */
static inline int talk(struct request *r)
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

static inline void link_request(struct request *r, int type, int flags)
{
	memset(r, 0, sizeof(*r));
	r->n.nlmsg_len = NLMSG_LENGTH(sizeof(r->i));
	r->n.nlmsg_type = type;
	r->n.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
}

/* A dummy device, which is up */
static inline int dummy_add(const char *name)
{
	struct request r;
	struct rtattr *info;

	link_request(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	r.i.ifi_flags = r.i.ifi_change = IFF_UP;
	put_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = put_attr(&r, IFLA_LINKINFO, "", 0);
	put_attr(&r, IFLA_INFO_KIND, "dummy", 5);
	info->rta_len = (char *)&r + r.n.nlmsg_len - (char *)info;
	return talk(&r);
}

/* Returns when the device is gone */
static inline int link_del(const char *name)
{
	struct request r;

	link_request(&r, RTM_DELLINK, 0);
	put_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	return talk(&r);
}

/* Writes a value, returns 0 or -errno */
static inline int store(const char *target, const char *attr, const char *value)
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

static inline int enabled(const char *target)
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

/* A target with all it needs but being enabled, in the current directory */
static inline void target_add(const char *target, const char *dev)
{
	if (mkdir(target, 0755) || store(target, "dev_name", dev) ||
	    store(target, "local_ip", "192.0.2.1") || store(target, "remote_ip", "192.0.2.2"))
		die(target);
}

static inline int target_del(const char *target)
{
	return rmdir(target) ? -errno : 0;
}
