/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What wiphy_debugfs can do: which files are used how, and what a round makes and removes. The
 * rounds run in one thread of the worker; their errors are for the caller to report.
 */
#ifndef WIPHY_SCENARIOS_H
#define WIPHY_SCENARIOS_H

#include "wiphy_genl.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#define DEBUGFS "/sys/kernel/debug/ieee80211/"
#define RADIO	"wdr"
#define IFACE	"wdi"

struct world {
	struct genl g;
	int radio;
	int wiphy;
};

struct scenario {
	const char *name;
	const char *what;
	const char *read[4];   /* patterns below the radio's directory */
	const char *write[4];  /* the same */
	const char *values[6]; /* written in turn */
	const char *needs;     /* pattern that must match after setup, or the kernel lacks it */
	int (*setup)(struct world *w);
	int (*round)(struct world *w);
};

/* How many reads and writes have been answered without an error so far; the program's. */
static unsigned int answers_ok(void);

/* The threads have been told to, and so nothing will be answered any more; the program's. */
static bool told_to_stop(void);

static const uint8_t station[6] = {2, 0, 0, 0, 9, 1};

static int radio(struct world *w, bool mlo)
{
	w->radio = radio_new(&w->g, RADIO, mlo);
	if (w->radio < 0)
		return w->radio;
	w->wiphy = radio_index(RADIO);
	return w->wiphy < 0 ? w->wiphy : 0;
}

static int setup_radio(struct world *w)
{
	return radio(w, false);
}

static int setup_iface(struct world *w)
{
	int r = radio(w, false);

	return r ? r : iface_new(&w->g, w->wiphy, IFACE, NL80211_IFTYPE_STATION);
}

static int setup_ibss(struct world *w)
{
	int r = radio(w, false);

	if (!r)
		r = iface_new(&w->g, w->wiphy, IFACE, NL80211_IFTYPE_ADHOC);
	return r ? r : iface_up(IFACE, true);
}

static int new_ap(struct world *w)
{
	int r = iface_new(&w->g, w->wiphy, IFACE, NL80211_IFTYPE_AP);

	if (!r)
		r = iface_up(IFACE, true);
	return r ? r : ap_start(&w->g, IFACE);
}

static int setup_ap(struct world *w)
{
	int r = radio(w, false);

	return r ? r : new_ap(w);
}

static int setup_mld(struct world *w)
{
	int r = radio(w, true);

	if (!r)
		r = iface_new(&w->g, w->wiphy, IFACE, NL80211_IFTYPE_AP);
	if (!r)
		r = iface_up(IFACE, true);
	return r ? r : link_new(&w->g, IFACE, 0);
}

static int round_radio(struct world *w)
{
	int r = radio_del(&w->g, w->radio);

	return r ? r : radio(w, false);
}

static int round_iface(struct world *w)
{
	int r = iface_del(&w->g, IFACE);

	return r ? r : iface_new(&w->g, w->wiphy, IFACE, NL80211_IFTYPE_STATION);
}

static int round_type(struct world *w)
{
	int r = iface_type(&w->g, IFACE, NL80211_IFTYPE_ADHOC);

	return r ? r : iface_type(&w->g, IFACE, NL80211_IFTYPE_STATION);
}

/* Removes nothing: one more read or write has been answered. */
static int round_answer(struct world *w)
{
	unsigned int before = answers_ok();

	(void)w;
	while (answers_ok() == before && !told_to_stop())
		usleep(1000);
	return 0;
}

static int round_station(struct world *w)
{
	int r = station_new(&w->g, IFACE, station);

	return r ? r : station_del(&w->g, IFACE, station);
}

/* The interface goes with a station on it. */
static int round_ap(struct world *w)
{
	int r = station_new(&w->g, IFACE, station);

	if (!r)
		r = iface_del(&w->g, IFACE);
	return r ? r : new_ap(w);
}

static int round_link(struct world *w)
{
	int r = link_new(&w->g, IFACE, 1);

	return r ? r : link_del(&w->g, IFACE, 1);
}

/* Everything comes and goes, radios with interfaces and stations on them. */
static int round_all(struct world *w)
{
	int r = round_station(w);

	if (!r)
		r = round_ap(w);
	if (!r)
		r = station_new(&w->g, IFACE, station);
	if (!r)
		r = radio_del(&w->g, w->radio);
	if (!r)
		r = setup_iface(w);
	if (!r)
		r = round_type(w);
	if (!r)
		r = iface_del(&w->g, IFACE);
	return r ? r : new_ap(w);
}

#define STATION "netdev:" IFACE "/stations/*/"

static const struct scenario scenarios[] = {
	{"delete",
	 "netdev files against DEL_INTERFACE",
	 {"netdev:" IFACE "/*"},
	 {"netdev:" IFACE "/smps", "netdev:" IFACE "/uapsd_*", "netdev:" IFACE "/tdls_*"},
	 {"off", "0"},
	 "netdev:" IFACE "/smps",
	 setup_iface,
	 round_iface},
	{"type",
	 "netdev files against a change of the type",
	 {"netdev:" IFACE "/*"},
	 {"netdev:" IFACE "/smps", "netdev:" IFACE "/uapsd_*", "netdev:" IFACE "/tsf"},
	 {"off", "0"},
	 "netdev:" IFACE "/smps",
	 setup_iface,
	 round_type},
	{"statistics",
	 "statistics against radio removal",
	 {"statistics/dot11*"},
	 {NULL},
	 {NULL},
	 "statistics/dot11ACKFailureCount",
	 setup_radio,
	 round_radio},
	{"reset",
	 "reset against radio removal",
	 {NULL},
	 {"reset"},
	 {"1"},
	 "reset",
	 setup_radio,
	 round_radio},
	{"tsf",
	 "tsf of an IBSS interface is read",
	 {"netdev:" IFACE "/tsf"},
	 {NULL},
	 {NULL},
	 "netdev:" IFACE "/tsf",
	 setup_ibss,
	 round_answer},
	{"aql",
	 "aql_txq_limit against radio removal",
	 {"aql_txq_limit"},
	 {"aql_txq_limit"},
	 {"0 5000 12000", "1 5000 12000"},
	 "aql_txq_limit",
	 setup_radio,
	 round_radio},
	{"station",
	 "station files against DEL_STATION",
	 {STATION "*", STATION "*/*"},
	 {STATION "agg_status"},
	 {"rx stop 0", "tx start 0", "tx stop 0"},
	 "netdev:" IFACE "/stations",
	 setup_ap,
	 round_station},
	{"station-interface",
	 "station files against DEL_INTERFACE",
	 {STATION "*", STATION "*/*"},
	 {STATION "agg_status", "netdev:" IFACE "/smps"},
	 {"rx stop 0", "tx start 0", "off"},
	 "netdev:" IFACE "/stations",
	 setup_ap,
	 round_ap},
	{"link",
	 "link files against REMOVE_LINK",
	 {"netdev:" IFACE "/link-*/*"},
	 {"netdev:" IFACE "/link-*/smps"},
	 {"off"},
	 "netdev:" IFACE "/link-0",
	 setup_mld,
	 round_link},
	{"all",
	 "every file against everything",
	 {"*", "*/*", "*/*/*", "*/*/*/*"},
	 {"*", "*/*", "*/*/*", "*/*/*/*"},
	 {"0", "1", "off", "0 5000 12000", "rx stop 0", "tx start 0"},
	 "netdev:" IFACE,
	 setup_ap,
	 round_all},
	/* the last one has no name */
	{.name = NULL},
};

#endif
