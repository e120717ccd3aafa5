// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A radio is reset through debugfs while frames are sent through its interface:
 *
 *   reset_traffic N
 *
 * Frames for everybody, from an access point with a station, which they need to be sent at all. A
 * reset takes the interface from the driver and gives it back. What is sent meanwhile has to wait,
 * and has to be sent when the reset is over, without another frame that wakes its queue. N times;
 * the kernel log is for the caller to look at. Exit status: 0 passed, 1 failed, 2 broken set-up, 4
 * the kernel lacks what it is about.
 */
#define _GNU_SOURCE

#include "wiphy_scenarios.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool in_reset, finished;
static atomic_uint sent;

static unsigned int answers_ok(void)
{
	return 0;
}

static bool told_to_stop(void)
{
	return finished;
}

static int need(const char *what, int ret)
{
	if (ret >= 0)
		return ret;
	printf("broken: %s: %s\n", what, strerror(-ret));
	exit(ret == -ENOENT ? 4 : 2);
}

static void *send_frames(void *data)
{
	unsigned char frame[128] = {0};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_LOOPBACK),
		.sll_ifindex = (int)if_nametoindex(IFACE),
		.sll_halen = 6,
	};
	int fd = *(int *)data;

	memset(to.sll_addr, 0xff, 6);
	while (!finished) {
		if (in_reset && sendto(fd, frame, sizeof(frame), 0, (void *)&to, sizeof(to)) > 0)
			sent++;
		usleep(500);
	}
	return NULL;
}

/* Frames that wait in the queue of the interface; -ENOENT: this kernel's hwsim has none. */
static int waiting(void)
{
	int fd = open(DEBUGFS RADIO "/netdev:" IFACE "/aqm", O_RDONLY | O_CLOEXEC), n = 0;
	char buf[512] = {0}, *line;

	if (fd < 0)
		return -errno;
	if (read(fd, buf, sizeof(buf) - 1) < 0)
		n = -errno;
	close(fd);
	line = strchr(buf, '\n');
	if (!n && (!line || sscanf(line, "%*u %*u %d", &n) != 1))
		return -EINVAL;
	return n;
}

/* Whether all is sent within some seconds. */
static bool drained(void)
{
	for (int i = 0; i < 500; i++) {
		if (waiting() <= 0)
			return true;
		usleep(10000);
	}
	return false;
}

int main(int argc, char **argv)
{
	int rounds = argc == 2 ? atoi(argv[1]) : 0, fd, stuck = 0, seen = 0;
	const char *queues = "of the interface itself";
	struct world w = {0};
	pthread_t sender;

	if (rounds < 1) {
		fprintf(stderr, "usage: reset_traffic N\n");
		return 2;
	}
	need("mac80211_hwsim", genl_open(&w.g));
	need("access point", setup_ap(&w));
	need("station", station_new(&w.g, IFACE, station));
	need(DEBUGFS RADIO "/reset", access(DEBUGFS RADIO "/reset", F_OK) < 0 ? -errno : 0);
	if (waiting() == -ENOENT)
		queues = "of the network stack";
	fd = need("socket", socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	need("thread", -pthread_create(&sender, NULL, send_frames, &fd));

	for (int i = 0; i < rounds; i++) {
		unsigned int before = sent;
		int reset = need("reset", open(DEBUGFS RADIO "/reset", O_WRONLY | O_CLOEXEC));

		in_reset = true;
		need("reset", write(reset, "1", 1) == 1 ? 0 : -errno);
		in_reset = false;
		close(reset);
		seen += sent > before;
		stuck += !drained();
	}
	finished = true;
	pthread_join(sender, NULL);
	printf("seen: %d resets, frames sent during %d, %u in all, queues %s; frames left in the queue after %d\n",
	       rounds, seen, sent, queues, stuck);
	need("radio", radio_del(&w.g, w.radio));
	return seen < rounds / 2 || stuck ? 1 : 0;
}
