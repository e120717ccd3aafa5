/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: every option of 0.10.10 with its meaning, and ours.
 */
#pragma once

#include "util.h"

#define PIDFILE_DEFAULT_PATH "/run/cachefilesd.pid"

/* What the process exits with. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_SYSTEM = 1,   /* the system refused: the device, the cache directory, a fork */
	EXIT_CONFIG = 2,   /* usage or configuration */
	EXIT_INTERNAL = 3, /* a bug of ours */
};

struct options {
	const char *config;  /* -c, --config, -f */
	const char *pidfile; /* -p; NULL: none, the default with -n */
	unsigned int debug;  /* -d, repeatable */
	bool foreground;     /* -n */
	bool to_stderr;	     /* -s */
	bool nocull;	     /* -N */
	bool check;	     /* -t */
	bool dump;	     /* --dump-config */
	bool no_wait;	     /* --no-wait */
	/* --ready-after: READY=1 after so many seconds, bound or not; 0: when bound */
	unsigned int ready_after;
};

/*
 * Returns -1 to go on, or the exit code when the command line was all there was to do (help,
 * version) or was wrong; what there is to say has been printed then.
 */
int options_parse(struct options *ret, int argc, char *argv[]);
