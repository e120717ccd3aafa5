/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arguments.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#include "build-config.h"
#include "config.h"
#include "quantity.h"
#include "text.h"

/* Options; those without a letter begin where letters end. */
enum {
	OPTION_ALL = 256,
	OPTION_BYTES,
	OPTION_FILES,
	OPTION_FOR,
	OPTION_NO_WAIT,
	OPTION_OLDER_THAN,
	OPTION_ORPHANS,
	OPTION_VOLUME,
};

static const struct option long_options[] = {
	{"all", no_argument, NULL, OPTION_ALL},
	{"bytes", required_argument, NULL, OPTION_BYTES},
	{"config", required_argument, NULL, 'c'},
	{"files", required_argument, NULL, OPTION_FILES},
	{"for", required_argument, NULL, OPTION_FOR},
	{"help", no_argument, NULL, 'h'},
	{"json", no_argument, NULL, 'j'},
	{"no-wait", no_argument, NULL, OPTION_NO_WAIT},
	{"older-than", required_argument, NULL, OPTION_OLDER_THAN},
	{"orphans", no_argument, NULL, OPTION_ORPHANS},
	{"socket", required_argument, NULL, 'S'},
	{"version", no_argument, NULL, 'V'},
	{"volume", required_argument, NULL, OPTION_VOLUME},
	{NULL, 0, NULL, 0},
};

/* Which options a command takes, beside -S, -h and -V; ended by 0. */
static const struct {
	const char *name;
	int options[9];
} commands[COMMANDS] = {
	[COMMAND_STATUS] = {"status", {'j'}},
	[COMMAND_VOLUMES] = {"volumes", {'j'}},
	[COMMAND_CULL] = {"cull",
			  {'j', OPTION_BYTES, OPTION_FILES, OPTION_VOLUME, OPTION_OLDER_THAN,
			   OPTION_ORPHANS, OPTION_ALL, OPTION_NO_WAIT}},
	[COMMAND_YIELD] = {"yield", {'j', OPTION_FOR}},
	[COMMAND_RESUME] = {"resume", {'j'}},
	[COMMAND_RELOAD] = {"reload", {'j'}},
	[COMMAND_CHECK] = {"check", {'c'}},
};

static const char help[] =
	"Usage: cachefilesctl [OPTION]... COMMAND [OPTION]...\n"
	"Asks cachefilesd what it does, and tells it what to do.\n"
	"\n"
	"Commands:\n"
	"  status             state, space, culling, freezes that were refused\n"
	"  volumes            what the cache holds, by server and export\n"
	"  cull               free space now, least recently used files first\n"
	"  yield              let go of the cache, so that its filesystem can be frozen\n"
	"  resume             bind the cache again after that\n"
	"  reload             have the configuration read again\n"
	"  check              check the configuration and the cache directory\n"
	"\n"
	"Options:\n"
	"  -j, --json         print the answer as JSON\n"
	"  -S, --socket PATH  the daemon's socket instead of " CONTROL_DEFAULT_PATH "\n"
	"  -V, --version      print the version, and exit\n"
	"  -h, --help         print this, and exit\n"
	"\n"
	"Options of cull; one but --no-wait must be given, and together they narrow:\n"
	"  --bytes N[KMGT]    as much as that\n"
	"  --files N          as many as that\n"
	"  --older-than TIME  those not used for so long: 90s, 10m, 12h, 7d, 2w\n"
	"  --all              all that are not in use\n"
	"  --volume GLOB      those of the volumes whose key or name matches\n"
	"  --orphans          those of volumes that nobody will read again\n"
	"  --no-wait          do not wait until it is done\n"
	"\n"
	"Options of yield:\n"
	"  --for TIME         bind again after that by itself\n"
	"\n"
	"Options of check:\n"
	"  -c, --config FILE  check FILE and FILE.d/*.conf\n";

/* A full disk behind stdout is the system's refusal. */
static int say(const char *text)
{
	if (fputs(text, stdout) < 0 || fflush(stdout) != 0)
		return CTL_SYSTEM;
	return CTL_OK;
}

static int _printf_(1, 2) refuse(const char *format, ...)
{
	va_list args;

	fputs("cachefilesctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry \"cachefilesctl --help\".\n", stderr);
	return CTL_USAGE;
}

static const char *option_name(int option)
{
	for (size_t i = 0; i + 1 < ARRAY_SIZE(long_options); i++)
		if (long_options[i].val == option)
			return long_options[i].name;
	return "?";
}

/* Reads a number; nothing at all is not what somebody means who names an amount. */
static int take(struct amount *ret, int option, int (*parse)(const char *, uint64_t *),
		const char *example)
{
	struct amount amount = {.given = true};
	int r = parse(optarg, &amount.value);

	if (r == -ERANGE)
		return refuse("--%s: %s is too large", option_name(option),
			      text_quote(optarg).text);
	if (r < 0 || amount.value == 0)
		return refuse("--%s: %s is not %s", option_name(option), text_quote(optarg).text,
			      example);
	*ret = amount;
	return -1;
}

static int take_text(const char **ret, int option)
{
	if (!*optarg)
		return refuse("--%s: the argument is empty", option_name(option));
	if (!text_is_utf8(optarg, strlen(optarg)))
		return refuse("--%s: %s is not UTF-8", option_name(option),
			      text_quote(optarg).text);
	*ret = optarg;
	return -1;
}

static int take_option(struct arguments *a, int option)
{
	switch (option) {
	case 'j':
		a->json = true;
		return -1;
	case 'S':
		return take_text(&a->socket, option);
	case 'c':
		return take_text(&a->config, option);
	case OPTION_ALL:
		a->all = true;
		return -1;
	case OPTION_ORPHANS:
		a->orphans = true;
		return -1;
	case OPTION_NO_WAIT:
		a->no_wait = true;
		return -1;
	case OPTION_VOLUME:
		return take_text(&a->volume, option);
	case OPTION_BYTES:
		return take(&a->bytes, option, quantity_parse_size, "a size like 500M");
	case OPTION_FILES:
		return take(&a->files, option, quantity_parse_count, "a number of files");
	case OPTION_OLDER_THAN:
		return take(&a->older_than, option, quantity_parse_time, "a time like 7d");
	case OPTION_FOR:
		return take(&a->yield_for, option, quantity_parse_time, "a time like 10m");
	case 'V':
		return say("cachefilesctl version " PACKAGE_VERSION "\n");
	case 'h':
		return say(help);
	default: /* getopt has said what is wrong */
		fputs("Try \"cachefilesctl --help\".\n", stderr);
		return CTL_USAGE;
	}
}

static int unknown_command(const char *word)
{
	unsigned int nearest = 3; /* more changes than two make another word */
	const char *meant = NULL;

	for (size_t i = 0; i < COMMANDS; i++) {
		unsigned int distance = text_distance(word, commands[i].name);

		if (distance < nearest) {
			nearest = distance;
			meant = commands[i].name;
		}
	}
	if (meant)
		return refuse("there is no command %s; did you mean \"%s\"?", text_quote(word).text,
			      meant);
	return refuse("there is no command %s", text_quote(word).text);
}

static int find_command(enum command *ret, const char *word)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (streq(word, commands[i].name)) {
			*ret = (enum command)i;
			return -1;
		}
	}
	return unknown_command(word);
}

/* used: the options that were given, ended by 0. */
static int check_options(enum command command, const int *used)
{
	for (; *used; used++) {
		bool goes = *used == 'S';

		for (const int *o = commands[command].options; *o && !goes; o++)
			goes = *o == *used;
		if (!goes)
			return refuse("--%s does not go with \"%s\"", option_name(*used),
				      commands[command].name);
	}
	return -1;
}

int arguments_parse(struct arguments *ret, int argc, char *argv[])
{
	struct arguments a = {.socket = CONTROL_DEFAULT_PATH};
	int used[ARRAY_SIZE(long_options)] = {0}; /* each once, so there is an end */
	int option, r;

	optind = 0; /* glibc: start anew, for those who parse twice */
	while ((option = getopt_long(argc, argv, "c:hjS:V", long_options, NULL)) != -1) {
		size_t i = 0;

		r = take_option(&a, option);
		if (r >= 0)
			return r;
		while (used[i] && used[i] != option)
			i++;
		used[i] = option;
	}
	if (optind == argc)
		return refuse("say what to do");
	r = find_command(&a.command, argv[optind]);
	if (r >= 0)
		return r;
	if (optind + 1 < argc)
		return refuse("unexpected argument: %s", text_quote(argv[optind + 1]).text);
	r = check_options(a.command, used);
	if (r >= 0)
		return r;
	if (a.command == COMMAND_CULL && !a.bytes.given && !a.files.given && !a.older_than.given &&
	    !a.volume && !a.orphans && !a.all)
		return refuse("say what to cull: --bytes, --files, --older-than, --volume, "
			      "--orphans or --all");
	*ret = a;
	return -1;
}
