/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What wiphy_debugfs can do: which files are used how, and what a round makes and removes. The
 * rounds run in one thread of the worker; their errors are for the caller to report.
 */
#ifndef WIPHY_SCENARIOS_H
#define WIPHY_SCENARIOS_H

#include "wiphy_genl.h"

#include <stddef.h>

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

/* The last one has no name. */
extern const struct scenario scenarios[];

/* How many reads and writes have been answered without an error so far; the program's. */
unsigned int answers_ok(void);

#endif
