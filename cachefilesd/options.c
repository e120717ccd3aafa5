/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <getopt.h>
#include <stdio.h>

#include "build-config.h"
#include "config.h"

/* Long options without a letter. */
enum {
	OPTION_DUMP = 256,
	OPTION_NO_WAIT,
	OPTION_READY_AFTER,
};

/* A day: who wants to wait longer wants to wait for ever. */
#define READY_AFTER_MAX 86400

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"dump-config", no_argument, NULL, OPTION_DUMP},
	{"no-wait", no_argument, NULL, OPTION_NO_WAIT},
	{"ready-after", required_argument, NULL, OPTION_READY_AFTER},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"Usage: cachefilesd [OPTION]...\n"
	"Manages the cache that network filesystems mounted with -o fsc keep on a local disk.\n"
	"\n"
	"  -c, --config FILE  read FILE and FILE.d/*.conf instead of " CONFIG_DEFAULT_PATH "\n"
	"  -f FILE            the same\n"
	"  -n                 stay in the foreground\n"
	"  -s                 messages go to stderr instead of the system's log\n"
	"  -d                 more messages; may be repeated\n"
	"  -p FILE            keep the process id in FILE instead of " PIDFILE_DEFAULT_PATH "\n"
	"  -N                 never cull\n"
	"      --no-wait      exit when the cache cannot be bound now\n"
	"      --ready-after SECONDS  tell systemd that it may go on after so long, bound or not\n"
	"  -t                 check the configuration and the cache directory, and exit\n"
	"      --dump-config  print the configuration in force, and exit\n"
	"  -V, -v, --version  print the version, and exit\n"
	"  -h, --help         print this, and exit\n";

/* Prints to stdout; a full disk behind it is the system's refusal. */
static int say(const char *text)
{
	if (fputs(text, stdout) < 0 || fflush(stdout) != 0)
		return EXIT_SYSTEM;
	return EXIT_OK;
}

static int usage_error(const char *what, const char *which)
{
	fprintf(stderr, "cachefilesd: %s%s\n", what, which);
	fputs("Try \"cachefilesd --help\".\n", stderr);
	return EXIT_CONFIG;
}

static int parse_seconds(const char *word, unsigned int *ret)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno != 0 || value > READY_AFTER_MAX)
		return usage_error("--ready-after wants seconds, at most 86400, not: ", word);
	*ret = (unsigned int)value;
	return -1;
}

int options_parse(struct options *ret, int argc, char *argv[])
{
	struct options o = {.config = CONFIG_DEFAULT_PATH};
	int option, r;

	optind = 0; /* glibc: start anew, for those who parse twice */
	while ((option = getopt_long(argc, argv, "c:f:p:dnsNtvVh", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
		case 'f':
			o.config = optarg;
			break;
		case 'p':
			o.pidfile = optarg;
			break;
		case 'd':
			o.debug++;
			break;
		case 'n':
			o.foreground = true;
			break;
		case 's':
			o.to_stderr = true;
			break;
		case 'N':
			o.nocull = true;
			break;
		case 't':
			o.check = true;
			break;
		case OPTION_DUMP:
			o.dump = true;
			break;
		case OPTION_NO_WAIT:
			o.no_wait = true;
			break;
		case OPTION_READY_AFTER:
			r = parse_seconds(optarg, &o.ready_after);
			if (r >= 0)
				return r;
			break;
		case 'v':
		case 'V':
			return say("cachefilesd version " PACKAGE_VERSION "\n");
		case 'h':
			return say(help);
		default: /* getopt has said what is wrong */
			fputs("Try \"cachefilesd --help\".\n", stderr);
			return EXIT_CONFIG;
		}
	}
	if (optind < argc)
		return usage_error("unexpected argument: ", argv[optind]);
	if (!*o.config)
		return usage_error("the name of the configuration file is empty", "");
	if (!o.pidfile && !o.foreground)
		o.pidfile = PIDFILE_DEFAULT_PATH;
	if (o.pidfile && !*o.pidfile)
		return usage_error("the name of the pid file is empty", "");
	*ret = o;
	return -1;
}
