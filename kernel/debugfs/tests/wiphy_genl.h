/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Radios, interfaces, access points, stations and links of mac80211_hwsim, made and removed through
 * generic netlink, without a library. It is a header with the code in it, for programs of one file.
 *
 * One request at a time and socket. Every function returns 0 (radio_new: the radio's number) or a
 * negative errno. Nothing here logs.
 */
#ifndef WIPHY_GENL_H
#define WIPHY_GENL_H

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nl80211.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct genl {
	int fd;
	uint32_t seq;
	uint16_t hwsim;
	uint16_t nl80211;
};

/* From the kernel's mac80211_hwsim.h, which is not installed for user space. */
enum {
	CMD_NEW_RADIO = 4,
	CMD_DEL_RADIO = 5
};

enum {
	HWSIM_CHANNELS = 9,
	HWSIM_RADIO_ID = 10,
	HWSIM_RADIO_NAME = 17,
	HWSIM_NO_VIF = 18,
	HWSIM_MLO = 25,
};

struct msg {
	struct nlmsghdr n;
	struct genlmsghdr g;
	char attrs[1024];
};

static void msg_init(struct msg *m, uint16_t family, uint8_t cmd)
{
	memset(m, 0, sizeof(*m));
	m->n.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m->n.nlmsg_type = family;
	m->n.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	m->g.cmd = cmd;
	m->g.version = 1;
}

static void put(struct msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (void *)((char *)m + NLMSG_ALIGN(m->n.nlmsg_len));

	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	if (len)
		memcpy((char *)a + NLA_HDRLEN, data, len);
	m->n.nlmsg_len = NLMSG_ALIGN(m->n.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static void put_u8(struct msg *m, uint16_t type, uint8_t v)
{
	put(m, type, &v, sizeof(v));
}

static void put_u16(struct msg *m, uint16_t type, uint16_t v)
{
	put(m, type, &v, sizeof(v));
}

static void put_u32(struct msg *m, uint16_t type, uint32_t v)
{
	put(m, type, &v, sizeof(v));
}

static void put_str(struct msg *m, uint16_t type, const char *s)
{
	put(m, type, s, strlen(s) + 1);
}

/* Sends and waits for the acknowledgment; family: takes the family's number from an answer. */
static int talk(struct genl *g, struct msg *m, uint16_t *family)
{
	/* as a union, for the alignment */
	union {
		struct nlmsghdr first;
		char bytes[16384];
	} buf;

	m->n.nlmsg_seq = ++g->seq;
	if (send(g->fd, m, m->n.nlmsg_len, 0) < 0)
		return -errno;

	for (;;) {
		ssize_t len = recv(g->fd, &buf, sizeof(buf), 0);
		struct nlmsghdr *n = &buf.first;

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		for (; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len)) {
			struct nlattr *a = (void *)((char *)NLMSG_DATA(n) + GENL_HDRLEN);

			if (n->nlmsg_seq != g->seq)
				continue;
			if (n->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(n))->error;
			while (family && (char *)a < (char *)n + n->nlmsg_len && a->nla_len) {
				if (a->nla_type == CTRL_ATTR_FAMILY_ID)
					memcpy(family, (char *)a + NLA_HDRLEN, sizeof(*family));
				a = (void *)((char *)a + NLA_ALIGN(a->nla_len));
			}
		}
	}
}

static int family(struct genl *g, const char *name, uint16_t *id)
{
	struct msg m;

	msg_init(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	put_str(&m, CTRL_ATTR_FAMILY_NAME, name);
	return talk(g, &m, id);
}

/* Opens the socket and looks the two families up. -ENOENT: no mac80211_hwsim. */
static int genl_open(struct genl *g)
{
	int r;

	memset(g, 0, sizeof(*g));
	g->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (g->fd < 0)
		return -errno;
	r = family(g, "MAC80211_HWSIM", &g->hwsim);
	if (!r)
		r = family(g, "nl80211", &g->nl80211);
	if (r)
		close(g->fd);
	return r;
}

/* A radio without interfaces; mlo makes it one for multi-link devices. */
static int radio_new(struct genl *g, const char *name, bool mlo)
{
	struct msg m;

	msg_init(&m, g->hwsim, CMD_NEW_RADIO);
	put_str(&m, HWSIM_RADIO_NAME, name);
	put(&m, HWSIM_NO_VIF, NULL, 0);
	if (mlo) {
		put_u32(&m, HWSIM_CHANNELS, 2);
		put(&m, HWSIM_MLO, NULL, 0);
	}
	return talk(g, &m, NULL);
}

static int radio_del(struct genl *g, int id)
{
	struct msg m;

	msg_init(&m, g->hwsim, CMD_DEL_RADIO);
	put_u32(&m, HWSIM_RADIO_ID, (uint32_t)id);
	return talk(g, &m, NULL);
}

/* The radio's index as nl80211 counts. */
static int radio_index(const char *name)
{
	char path[128];
	int index;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/ieee80211/%s/index", name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fscanf(f, "%d", &index) != 1)
		index = -EINVAL;
	fclose(f);
	return index;
}

static int iface_new(struct genl *g, int wiphy, const char *name, enum nl80211_iftype type)
{
	struct msg m;

	msg_init(&m, g->nl80211, NL80211_CMD_NEW_INTERFACE);
	put_u32(&m, NL80211_ATTR_WIPHY, (uint32_t)wiphy);
	put_str(&m, NL80211_ATTR_IFNAME, name);
	put_u32(&m, NL80211_ATTR_IFTYPE, type);
	return talk(g, &m, NULL);
}

/* Begins a request about an interface. */
static int iface_msg(struct genl *g, struct msg *m, const char *name, uint8_t cmd)
{
	unsigned int index = if_nametoindex(name);

	if (!index)
		return -errno;
	msg_init(m, g->nl80211, cmd);
	put_u32(m, NL80211_ATTR_IFINDEX, index);
	return 0;
}

static int iface_del(struct genl *g, const char *name)
{
	struct msg m;
	int r = iface_msg(g, &m, name, NL80211_CMD_DEL_INTERFACE);

	return r ? r : talk(g, &m, NULL);
}

static int iface_type(struct genl *g, const char *name, enum nl80211_iftype type)
{
	struct msg m;
	int r = iface_msg(g, &m, name, NL80211_CMD_SET_INTERFACE);

	if (r)
		return r;
	put_u32(&m, NL80211_ATTR_IFTYPE, type);
	return talk(g, &m, NULL);
}

/* Brings it up or takes it down; "lo" and true is the cheapest thing that needs the RTNL. */
static int iface_up(const char *name, bool up)
{
	struct ifreq req = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &req) < 0) {
		r = -errno;
	} else {
		req.ifr_flags = (short)(up ? req.ifr_flags | IFF_UP : req.ifr_flags & ~IFF_UP);
		if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
			r = -errno;
	}
	close(fd);
	return r;
}

static int ap_start(struct genl *g, const char *iface)
{
	/* header, timestamp, interval, capabilities; network name "t", one rate, channel 1 */
	static const uint8_t beacon[] = {
		0x80, 0, 0,   0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,    0, 0, 0,
		9,    2, 0,   0, 0,    0,    9,	   0,	 0,    0,    0, 0,    0, 0, 0,
		0,    0, 100, 0, 0x01, 0x00, 0,	   1,	 't',  1,    1, 0x82, 3, 1, 1,
	};
	struct msg m;
	int r = iface_msg(g, &m, iface, NL80211_CMD_START_AP);

	if (r)
		return r;
	put(&m, NL80211_ATTR_BEACON_HEAD, beacon, sizeof(beacon));
	put(&m, NL80211_ATTR_SSID, "t", 1);
	put_u32(&m, NL80211_ATTR_BEACON_INTERVAL, 100);
	put_u32(&m, NL80211_ATTR_DTIM_PERIOD, 2);
	put_u32(&m, NL80211_ATTR_WIPHY_FREQ, 2412);
	put_u32(&m, NL80211_ATTR_CHANNEL_WIDTH, NL80211_CHAN_WIDTH_20);
	put_u32(&m, NL80211_ATTR_CENTER_FREQ1, 2412);
	return talk(g, &m, NULL);
}

static int station_new(struct genl *g, const char *iface, const uint8_t mac[6])
{
	static const uint8_t rates[] = {0x82, 0x84, 0x0b, 0x16};
	/* 20 MHz, short guard interval, A-MPDU, two streams: what block ack sessions ask for */
	static const uint8_t ht[26] = {0x2c, 0x00, 0x17, 0xff, 0xff};
	struct nl80211_sta_flag_update flags = {0};
	struct msg m;
	int r = iface_msg(g, &m, iface, NL80211_CMD_NEW_STATION);

	if (r)
		return r;
	flags.mask = 1U << NL80211_STA_FLAG_AUTHENTICATED | 1U << NL80211_STA_FLAG_ASSOCIATED |
		     1U << NL80211_STA_FLAG_AUTHORIZED | 1U << NL80211_STA_FLAG_WME;
	flags.set = flags.mask;
	put(&m, NL80211_ATTR_MAC, mac, 6);
	put(&m, NL80211_ATTR_STA_SUPPORTED_RATES, rates, sizeof(rates));
	put(&m, NL80211_ATTR_HT_CAPABILITY, ht, sizeof(ht));
	put_u16(&m, NL80211_ATTR_STA_LISTEN_INTERVAL, 10);
	put_u16(&m, NL80211_ATTR_STA_AID, 1);
	put(&m, NL80211_ATTR_STA_FLAGS2, &flags, sizeof(flags));
	return talk(g, &m, NULL);
}

static int station_del(struct genl *g, const char *iface, const uint8_t mac[6])
{
	struct msg m;
	int r = iface_msg(g, &m, iface, NL80211_CMD_DEL_STATION);

	if (r)
		return r;
	put(&m, NL80211_ATTR_MAC, mac, 6);
	return talk(g, &m, NULL);
}

static int link_msg(struct genl *g, const char *iface, uint8_t id, uint8_t cmd)
{
	const uint8_t mac[6] = {2, 0, 0, 1, 0, id};
	struct msg m;
	int r = iface_msg(g, &m, iface, cmd);

	if (r)
		return r;
	put_u8(&m, NL80211_ATTR_MLO_LINK_ID, id);
	if (cmd == NL80211_CMD_ADD_LINK)
		put(&m, NL80211_ATTR_MAC, mac, sizeof(mac));
	return talk(g, &m, NULL);
}

static int link_new(struct genl *g, const char *iface, uint8_t id)
{
	return link_msg(g, iface, id, NL80211_CMD_ADD_LINK);
}

static int link_del(struct genl *g, const char *iface, uint8_t id)
{
	return link_msg(g, iface, id, NL80211_CMD_REMOVE_LINK);
}

#endif
