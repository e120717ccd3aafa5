/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Radios, interfaces, access points, stations and links of mac80211_hwsim, made and removed through
 * generic netlink. One request at a time and socket; every function returns 0 (radio_new: the
 * radio's number) or a negative errno. Nothing here logs.
 */
#ifndef WIPHY_GENL_H
#define WIPHY_GENL_H

#include <linux/nl80211.h>
#include <stdbool.h>
#include <stdint.h>

struct genl {
	int fd;
	uint32_t seq;
	uint16_t hwsim;
	uint16_t nl80211;
};

/* Opens the socket and looks the two families up. -ENOENT: no mac80211_hwsim. */
int genl_open(struct genl *g);
void genl_close(struct genl *g);

/* A radio without interfaces. mlo makes it one for multi-link devices. */
int radio_new(struct genl *g, const char *name, bool mlo);
int radio_del(struct genl *g, int id);
/* Its index as nl80211 counts. */
int radio_index(const char *name);

int iface_new(struct genl *g, int wiphy, const char *name, enum nl80211_iftype type);
int iface_del(struct genl *g, const char *name);
int iface_type(struct genl *g, const char *name, enum nl80211_iftype type);
/* Brings it up or takes it down; with "lo" and true the cheapest thing that needs the RTNL. */
int iface_up(const char *name, bool up);

int ap_start(struct genl *g, const char *iface);
int station_new(struct genl *g, const char *iface, const uint8_t mac[6]);
int station_del(struct genl *g, const char *iface, const uint8_t mac[6]);
int link_new(struct genl *g, const char *iface, uint8_t id);
int link_del(struct genl *g, const char *iface, uint8_t id);

#endif
