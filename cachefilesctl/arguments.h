/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of cachefilesctl: one table of commands, one of options, and which goes with
 * which.
 */
#pragma once

#include "util.h"

/* What the process exits with. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_SYSTEM = 1,	 /* the daemon cannot be reached, or its answer is none; the system refused
			  */
	CTL_USAGE = 2,	 /* the command line, or the configuration that "reload" and "check" read */
	CTL_DENIED = 3,	 /* the daemon or the socket's mode does not let us */
	CTL_NOT_NOW = 4, /* not possible as things are; or done in part only */
};

enum command {
	COMMAND_STATUS,
	COMMAND_VOLUMES,
	COMMAND_CULL,
	COMMAND_YIELD,
	COMMAND_RESUME,
	COMMAND_RELOAD,
	COMMAND_CHECK,
	COMMANDS
};

/* A number that may be left out. */
struct amount {
	bool given;
	uint64_t value;
};

struct arguments {
	enum command command;
	const char *socket; /* of the daemon */
	bool json;
	/* cull */
	struct amount bytes, files, older_than; /* older_than in seconds */
	const char *volume;			/* NULL: all of them */
	bool orphans, all, no_wait;
	/* yield: seconds */
	struct amount yield_for;
	/* check: NULL: the daemon's default */
	const char *config;
};

/*
 * Returns -1 to go on, or the exit code when the command line was all there was to do (help,
 * version) or was wrong; what there is to say has been printed then. ret points into argv, and is
 * untouched unless -1 is returned.
 */
int arguments_parse(struct arguments *ret, int argc, char *argv[]);
