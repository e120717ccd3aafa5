/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cachefilesd: manages the local cache of network filesystems mounted with "-o fsc".
 *
 * Where is what? Each part is a header that says what it promises, and the file behind it.
 *
 *   starting
 *     main        this: command line, configuration, the checks of -t
 *     options     the command line
 *     config      reading the configuration file and its drop-ins
 *     directives  the one table of what may be said in them
 *     policies    the types of those about freezes, remounts, control and metrics
 *     quotas      the types of the directives of quotas and rules
 *     problems    the list of what is wrong with a configuration
 *     quantity    sizes, times and counts as a person writes and reads them
 *     text        words of a person: UTF-8, quoting, "did you mean"
 *     daemon      owns the parts and wires them to the event loop: signals, watchdog, reload
 *
 *   the cache
 *     cache       the state machine: bind, wait, notice a death, bind again
 *     binding     one attempt to bind, step by step
 *     device      /dev/cachefiles: the only file that knows the kernel's protocol
 *     keep        what outlives the daemon: the bound device in systemd's store
 *     release     its other half: letting go of it, for good or for a while
 *     claim       POLICY: what is done when somebody wants to freeze or remount the filesystem
 *     watch       reads the device's state and the free space, in nobody's way
 *     backing     the filesystem below the cache: what it lacks, by name; mounts that come and go
 *     fstab       what is to be mounted there, and is not
 *     store       the tree on disk: volumes, fan-outs, objects and their names
 *
 *   making space
 *     culler      when a cull cycle starts, and when it is stalled and backs off
 *     gauge       how full it is, whether a quota asks for a cycle, when to look again
 *     lookout     the gauge with the rules in force: what it looks at, and when
 *     report      what the log says of cycles
 *     asks        what people want of it: orders and scans
 *     cull        WHERE CULLING IS DECIDED: how much, which, in what order, until when
 *     demand      how much a cycle wants, of the limits, quotas and orders
 *     survey      which objects it chooses from, and what goes on the way
 *     selection   what is chosen, and lasts until the next cycle
 *     take        culling one object, or a whole volume
 *     scan        the one walk over the tree of a cycle
 *     victims     the bounded selection of the least recently used
 *     rules       quotas of the whole, and what holds for which volumes
 *     volumes     what a scan found, by volume, and what the volumes' keys say
 *     reaper      when the graveyard is emptied
 *     graveyard   how: any content, nothing is followed out
 *
 *   talking
 *     control     HTTP on the control socket: what may be asked, and by whom
 *     server      the bounds on what a client may cost
 *     orders      bodies of requests
 *     documents   the state and the volumes as JSON
 *     metrics     the table of metrics, as OpenMetrics text
 *
 *   the process
 *     worker      threads for all that may block: the event loop never touches the cache
 *     service     systemd's notifications and watchdog; fork and pid file without it
 *     privilege   capabilities: none effective but around the calls that need them
 *     status      what the daemon knows of itself, as text
 *     messages    the table of MESSAGE_IDs
 *     log         journal, syslog or stderr
 *     util        what every part uses
 */
#include <stdio.h>

#include "backing.h"
#include "config.h"
#include "daemon.h"
#include "log.h"
#include "options.h"

/* A path that still means the same when the working directory is another. NULL: no memory. */
static char *absolute(const char *path)
{
	_cleanup_free_ char *here = NULL;
	char *joined;

	if (*path == '/')
		return strdup(path);
	here = getcwd(NULL, 0);
	if (!here)
		return strdup(path); /* the place we are in is gone: it will not be found */
	return asprintf(&joined, "%s/%s", here, path) < 0 ? NULL : joined;
}

/* Returns the configuration, or NULL after saying why there is none. */
static struct config *load(const struct options *o, int *ret_exit_code)
{
	struct problems problems = {0};
	struct config *c = NULL;
	int r = config_load(o->config, &c, &problems);

	for (size_t i = 0; i < problems.count; i++) {
		if (o->check || o->dump)
			fprintf(stderr, "%s\n", problems.lines[i]);
		else
			log_error("%s", problems.lines[i]);
	}
	if (r < 0 && r != -EINVAL)
		log_error("%s: %s", o->config, strerror(-r));
	if (r < 0)
		*ret_exit_code = r == -EINVAL ? EXIT_CONFIG : EXIT_SYSTEM;
	else
		c->nocull = c->nocull || o->nocull;
	problems_clear(&problems);
	return c;
}

/* -t: the configuration is good; can its directory be a cache? */
static int check(const struct config *c)
{
	struct backing_report report;
	char what[128];

	backing_check(c->dir, &c->limits, &report);
	if (report.error) {
		fprintf(stderr, "%s: dir: %s\n", c->dir_at, report.text);
		return report.misconfigured ? EXIT_CONFIG : EXIT_SYSTEM;
	}
	backing_describe(c->dir, what, sizeof(what));
	printf("%s: valid; %s can be a cache (%s)\n", c->path, c->dir, what);
	return EXIT_OK;
}

/* What was printed is there, or nobody may think so. */
static int finish_output(int exit_code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit_code;
	perror("cachefilesd: cannot write to stdout");
	return exit_code == EXIT_OK ? EXIT_SYSTEM : exit_code;
}

int main(int argc, char *argv[])
{
	_cleanup_free_ char *config_path = NULL, *pidfile = NULL;
	struct options options;
	struct config *config;
	int exit_code = options_parse(&options, argc, argv);

	if (exit_code >= 0)
		return exit_code;
	log_open(LOG_TARGET_AUTO, LOG_INFO);

	if (!options.check && !options.dump) {
		/* A daemon leaves this directory, and reads the configuration again on SIGHUP. */
		config_path = absolute(options.config);
		pidfile = options.pidfile ? absolute(options.pidfile) : NULL;
		if (!config_path || (options.pidfile && !pidfile)) {
			log_error("%s", strerror(ENOMEM));
			return EXIT_SYSTEM;
		}
		options.config = config_path;
		options.pidfile = pidfile;
	}
	config = load(&options, &exit_code);
	if (!config)
		return exit_code;
	if (!options.check && !options.dump)
		return daemon_run(&options, config);

	if (options.dump)
		config_dump(config, stdout);
	exit_code = options.check ? check(config) : EXIT_OK;
	config_free(config);
	return finish_output(exit_code);
}
