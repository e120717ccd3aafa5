/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of cachefilesctl: what each option sets, what goes with what, what is refused.
 */
#include "command-line.h"

#include "arguments.h"
#include "build-config.h"
#include "config.h"

static int parse_into(void *into, int argc, char *argv[])
{
	return arguments_parse(into, argc, argv);
}

/* Parses the words after the program's name. */
static int parse(struct arguments *a, const char *words)
{
	return command_line(parse_into, a, "cachefilesctl", words);
}

static struct arguments parsed(const char *words)
{
	struct arguments a;

	assert_int_equal(parse(&a, words), -1);
	assert_string_equal(printed, "");
	return a;
}

static void commands(void **state)
{
	struct arguments a = parsed("status");

	assert_int_equal(a.command, COMMAND_STATUS);
	assert_string_equal(a.socket, "/run/cachefilesd/control");
	assert_false(a.json || a.all || a.no_wait || a.bytes.given || a.files.given ||
		     a.older_than.given || a.yield_for.given);
	assert_null(a.volume);
	assert_null(a.config);
	assert_int_equal(parsed("volumes").command, COMMAND_VOLUMES);
	assert_int_equal(parsed("cull --all").command, COMMAND_CULL);
	assert_int_equal(parsed("yield").command, COMMAND_YIELD);
	assert_int_equal(parsed("resume").command, COMMAND_RESUME);
	assert_int_equal(parsed("reload").command, COMMAND_RELOAD);
	assert_int_equal(parsed("check").command, COMMAND_CHECK);
}

static void each_option(void **state)
{
	struct arguments a = parsed("cull --bytes 2G --volume nas*");

	assert_true(a.bytes.given && a.bytes.value == UINT64_C(2) << 30);
	assert_string_equal(a.volume, "nas*");
	a = parsed("--older-than=7d --files 12 --no-wait cull");
	assert_true(a.older_than.given && a.older_than.value == 604800);
	assert_true(a.files.given && a.files.value == 12);
	assert_true(a.no_wait);
	assert_false(a.bytes.given || a.all);
	assert_true(parsed("cull --all").all);
	assert_true(parsed("cull --orphans").orphans);
	assert_string_equal(parsed("cull --volume x").volume, "x");
	assert_true(parsed("cull -j --all").json);
	assert_true(parsed("--json volumes").json);
	assert_true(parsed("reload -j").json);
	assert_string_equal(parsed("status -S /x").socket, "/x");
	assert_string_equal(parsed("--socket=/y resume").socket, "/y");
	assert_string_equal(parsed("check -c /z").config, "/z");
	assert_string_equal(parsed("check --config /z").config, "/z");
	a = parsed("yield --for 90");
	assert_true(a.yield_for.given && a.yield_for.value == 90);
	/* the last one counts */
	assert_int_equal(parsed("cull --files 1 --files 2").files.value, 2);
	/* more options than there are kinds */
	assert_true(parsed("status -j -j -j -j -j -j -j -j -j -j -j -j -j -j -j -j -j").json);
}

static void refused(void **state)
{
	static const struct {
		const char *words, *message;
	} cases[] = {
		{"", "say what to do"},
		{"-j", "say what to do"},
		{"statsu", "there is no command \"statsu\"; did you mean \"status\"?"},
		{"frobnicate", "there is no command \"frobnicate\"\n"},
		{"status now", "unexpected argument: \"now\""},
		{"status --frobnicate", "unrecognized option '--frobnicate'"},
		{"status -x", "invalid option -- 'x'"},
		{"status --socket", "option '--socket' requires an argument"},
		{"status --json=1", "option '--json' doesn't allow an argument"},
		{"status --socket=", "--socket: the argument is empty"},
		{"check -c ", "--config: the argument is empty"},
		{"check -j", "--json does not go with \"check\""},
		{"status --for 5", "--for does not go with \"status\""},
		{"yield --no-wait", "--no-wait does not go with \"yield\""},
		{"yield --all", "--all does not go with \"yield\""},
		{"reload -c /x", "--config does not go with \"reload\""},
		{"cull", "say what to cull"},
		{"cull --no-wait", "say what to cull"},
		{"yield --orphans", "--orphans does not go with \"yield\""},
		{"cull --bytes", "option '--bytes' requires an argument"},
		{"cull --bytes -5", "--bytes: \"-5\" is not a size like 500M"},
		{"cull --bytes 5X", "--bytes: \"5X\" is not a size like 500M"},
		{"cull --bytes 0", "--bytes: \"0\" is not a size like 500M"},
		{"cull --bytes 99999999T", "--bytes: \"99999999T\" is too large"},
		{"cull --files 5K", "--files: \"5K\" is not a number of files"},
		{"cull --older-than 5M", "--older-than: \"5M\" is not a time like 7d"},
		{"cull --all --volume=", "--volume: the argument is empty"},
		{"cull --all --volume=\xff", "--volume: \"\\xff\" is not UTF-8"},
		{"yield --for soon", "--for: \"soon\" is not a time like 10m"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arguments a, before;

		memset(&a, 0x5a, sizeof(a));
		before = a;
		assert_int_equal(parse(&a, cases[i].words), CTL_USAGE);
		assert_memory_equal(&a, &before, sizeof(a));
		if (!strstr(printed, cases[i].message) || !strstr(printed, "--help"))
			fail_msg("%s: %s", cases[i].words, printed);
	}
}

static void version(void **state)
{
	struct arguments a;

	assert_int_equal(parse(&a, "-V"), CTL_OK);
	assert_string_equal(printed, "cachefilesctl version " PACKAGE_VERSION "\n");
	assert_int_equal(parse(&a, "--version status"), CTL_OK);
	assert_string_equal(printed, "cachefilesctl version " PACKAGE_VERSION "\n");
}

static const char *const options[] = {
	"-S",	    "--socket", "-j",	 "--json",	 "-V",	      "--version",
	"-h",	    "--help",	"-c",	 "--config",	 "--bytes",   "--files",
	"--volume", "--all",	"--for", "--older-than", "--no-wait", "--orphans",
};
static const char *const words[] = {
	"status", "volumes", "cull", "yield", "resume", "reload", "check",
};

/* The option or command stands at the beginning of a line, or behind a letter. */
static bool help_has(const char *word)
{
	char item[40];

	snprintf(item, sizeof(item), "\n  %s ", word);
	if (strstr(printed, item))
		return true;
	snprintf(item, sizeof(item), "\n  %s,", word);
	if (strstr(printed, item))
		return true;
	snprintf(item, sizeof(item), ", %s ", word);
	return strstr(printed, item);
}

static void help_knows_all(void **state)
{
	struct arguments a;

	assert_int_equal(parse(&a, "--help"), CTL_OK);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (!help_has(options[i]))
			fail_msg("--help does not have %s", options[i]);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!help_has(words[i]))
			fail_msg("--help does not have %s", words[i]);
	assert_non_null(strstr(printed, CONTROL_DEFAULT_PATH));
	for (char *line = strtok(printed, "\n"); line; line = strtok(NULL, "\n"))
		if (strlen(line) > 80)
			fail_msg("too long: %s", line);
}

static void full_disk(void **state)
{
	struct arguments a;

	assert_int_equal(command_line_full(parse_into, &a, "cachefilesctl"), CTL_SYSTEM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),	  cmocka_unit_test(each_option),
		cmocka_unit_test(refused),	  cmocka_unit_test(version),
		cmocka_unit_test(help_knows_all), cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
