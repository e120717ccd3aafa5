/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cachefilesctl: asks cachefilesd what it does and tells it what to do, over its control socket.
 *
 * Where is what?
 *
 *   main          this: from a command to its function
 *   arguments     the command line, and the exit codes
 *   commands      the functions, declared
 *   show-status   "status"
 *   show-volumes  "volumes"
 *   mounts        which mount a volume belongs to
 *   order-cull    "cull", with its progress
 *   orders        "yield", "resume", "reload", "check"
 *   answer        a question to the daemon and the JSON that comes back
 *   http          the same as bytes
 *
 * Of the daemon it shares quantity (sizes, times) and text (what a terminal may be shown). What the
 * socket says is written down in the daemon's control.h.
 */
#include <locale.h>
#include <stdio.h>

#include "commands.h"

static enum ctl_exit (*const commands[COMMANDS])(const struct arguments *) = {
	[COMMAND_STATUS] = run_status, [COMMAND_VOLUMES] = run_volumes,
	[COMMAND_CULL] = run_cull,     [COMMAND_YIELD] = run_yield,
	[COMMAND_RESUME] = run_resume, [COMMAND_RELOAD] = run_reload,
	[COMMAND_CHECK] = run_check,
};

int main(int argc, char *argv[])
{
	struct arguments arguments;
	int code = arguments_parse(&arguments, argc, argv);

	if (code >= 0)
		return code;
	setlocale(LC_CTYPE, ""); /* tables are as wide as their characters */
	code = (int)commands[arguments.command](&arguments);
	/* What was printed is there, or nobody may think so. */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	perror("cachefilesctl: cannot write to stdout");
	return code == CTL_OK ? CTL_SYSTEM : code;
}
