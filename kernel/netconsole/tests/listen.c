/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen - receives netconsole's datagrams on a TAP device and checks them
 *
 * listen DEVICE userdata|sequence FILE
 *
 * Makes the device and reads the frames that netpoll transmits on it, which
 * no socket of the machine that sends them would be given.  Two checks:
 *
 * userdata: each datagram that has the text "userdata-test" must carry " u0="
 *   and " u1=", each with 190 times the same letter and a newline.
 * sequence: each line "seq CPU NUMBER <60 letters> end" is counted per CPU;
 *   torn ones, gaps and repetitions are counted apart.
 *
 * FILE is rewritten with the counts at each change of a second and at the
 * end, SIGTERM.  Exit status 0, 1 when something was torn or missing, 2
 * set-up.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define VALUE 190
#define PAD   60
#define CPUS  2

static volatile sig_atomic_t ended;

static struct counts {
	unsigned long datagrams, checked, torn, missing, repeated;
	unsigned long last[CPUS];
} n;

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static int same_letters(const char *p, const char *end, int count)
{
	int i;

	if (end - p < count)
		return 0;
	for (i = 1; i < count; i++)
		if (p[i] != p[0])
			return 0;
	return p[0] >= 'A' && p[0] <= 'Z';
}

static void check_userdata(const char *p, const char *end)
{
	static const char *const keys[] = {" u0=", " u1="};
	size_t i;

	if (!memmem(p, end - p, "userdata-test", 13))
		return;
	n.checked++;
	for (i = 0; i < 2; i++) {
		const char *v = memmem(p, end - p, keys[i], 4);

		if (!v || !same_letters(v + 4, end, VALUE) || v + 4 + VALUE >= end ||
		    v[4 + VALUE] != '\n') {
			n.torn++;
			return;
		}
	}
}

static void check_sequence(const char *p, const char *end)
{
	const char *s = memmem(p, end - p, "seq ", 4);
	char line[160];
	unsigned long number;
	unsigned int cpu;
	int at = 0;

	/* others may speak of a sequence, too */
	if (!s || end - s < 6 || s[4] < '0' || s[4] >= '0' + CPUS || s[5] != ' ')
		return;
	snprintf(line, sizeof(line), "%.*s", (int)(end - s), s);
	n.checked++;
	if (sscanf(line, "seq %u %lu %n", &cpu, &number, &at) != 2 || cpu >= CPUS ||
	    strlen(line + at) < PAD + 4 || !same_letters(line + at, line + at + PAD, PAD) ||
	    strncmp(line + at + PAD, " end", 4)) {
		n.torn++;
		return;
	}
	if (number <= n.last[cpu]) {
		n.repeated++;
		return;
	}
	n.missing += number - n.last[cpu] - 1;
	n.last[cpu] = number;
}

static void report(const char *file)
{
	char tmp[256];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.new", file);
	f = fopen(tmp, "w");
	if (!f)
		return;
	fprintf(f,
		"datagrams=%lu checked=%lu torn=%lu missing=%lu repeated=%lu last0=%lu last1=%lu\n",
		n.datagrams, n.checked, n.torn, n.missing, n.repeated, n.last[0], n.last[1]);
	fclose(f);
	rename(tmp, file);
}

/*
 * Opens the TAP device.  Its ring's lock is not safe in interrupts, and messages
 * come with them off: lockdep must not see it with them on.  So the queue gets
 * its length while nobody is attached, and nothing but messages may be sent.
 */
static int tap(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd, sock;

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETPERSIST, 1))
		return -1;
	close(fd);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ifr.ifr_qlen = 20000;
	if (sock < 0 || ioctl(sock, SIOCSIFTXQLEN, &ifr))
		return -1;
	close(sock);
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETPERSIST, 0))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_term};
	time_t last = 0;
	char buf[4096];
	int fd, sequence;

	if (argc != 4)
		return fprintf(stderr, "listen DEVICE CHECK FILE\n"), 2;
	sequence = !strcmp(argv[2], "sequence");
	sigaction(SIGTERM, &sa, NULL);
	fd = tap(argv[1]);
	if (fd < 0) {
		perror("tun");
		return 2;
	}
	report(argv[3]);
	while (!ended) {
		ssize_t len = read(fd, buf, sizeof(buf));
		char *p = buf + 14;
		time_t now;

		if (len < 0 && errno != EINTR)
			break;
		/* Ethernet with IPv4 with UDP, or not for us */
		if (len < 42 || ntohs(*(uint16_t *)(buf + 12)) != 0x0800 || p[9] != IPPROTO_UDP)
			continue;
		p += (p[0] & 15) * 4 + 8;
		n.datagrams++;
		if (sequence)
			check_sequence(p, buf + len);
		else
			check_userdata(p, buf + len);
		now = time(NULL);
		if (now != last)
			report(argv[3]);
		last = now;
	}
	report(argv[3]);
	return n.torn || n.missing;
}
