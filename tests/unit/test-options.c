/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: what each option sets, what is refused, and that help and manual know all of
 * them.
 */
#include "command-line.h"

#include "build-config.h"
#include "config.h"
#include "options.h"

static int parse_into(void *into, int argc, char *argv[])
{
	return options_parse(into, argc, argv);
}

/* Parses the words after the program's name. */
static int parse(struct options *o, const char *words)
{
	return command_line(parse_into, o, "cachefilesd", words);
}

static struct options parsed(const char *words)
{
	struct options o;

	assert_int_equal(parse(&o, words), -1);
	assert_string_equal(printed, "");
	return o;
}

static void defaults(void **state)
{
	struct options o = parsed("");

	assert_string_equal(o.config, "/etc/cachefilesd.conf");
	assert_string_equal(o.pidfile, "/run/cachefilesd.pid");
	assert_int_equal(o.debug, 0);
	assert_false(o.foreground || o.to_stderr || o.nocull || o.check || o.dump || o.no_wait);
}

static void each_option(void **state)
{
	assert_string_equal(parsed("-c /x").config, "/x");
	assert_string_equal(parsed("-f /x").config, "/x");
	assert_string_equal(parsed("-f/x").config, "/x");
	assert_string_equal(parsed("--config /x").config, "/x");
	assert_string_equal(parsed("--config=/x").config, "/x");
	assert_string_equal(parsed("-f /x -c /y").config, "/y");
	assert_string_equal(parsed("-c /y -f /x").config, "/x");
	assert_string_equal(parsed("-p /x").pidfile, "/x");
	assert_int_equal(parsed("-d").debug, 1);
	assert_int_equal(parsed("-d -dd").debug, 3);
	assert_true(parsed("-n").foreground);
	assert_null(parsed("-n").pidfile);
	assert_string_equal(parsed("-p /x -n").pidfile, "/x");
	assert_true(parsed("-s").to_stderr);
	assert_true(parsed("-N").nocull);
	assert_true(parsed("-t").check);
	assert_true(parsed("--dump-config").dump);
	assert_true(parsed("--no-wait").no_wait);
	assert_int_equal(parsed("-n").ready_after, 0);
	assert_int_equal(parsed("--ready-after 30").ready_after, 30);
	assert_int_equal(parsed("--ready-after=30 --ready-after=86400").ready_after, 86400);
}

static void as_old_scripts_have_it(void **state)
{
	struct options o = parsed("-d -s -n -N -f /etc/other.conf -p /run/other.pid");

	assert_int_equal(o.debug, 1);
	assert_true(o.to_stderr && o.foreground && o.nocull);
	assert_string_equal(o.config, "/etc/other.conf");
	assert_string_equal(o.pidfile, "/run/other.pid");
	assert_false(o.check || o.dump || o.no_wait);
}

static void refused(void **state)
{
	static const struct {
		const char *words, *message;
	} cases[] = {
		{"-x", "invalid option -- 'x'"},
		{"--frobnicate", "unrecognized option '--frobnicate'"},
		{"-c", "option requires an argument -- 'c'"},
		{"-f", "option requires an argument -- 'f'"},
		{"-p", "option requires an argument -- 'p'"},
		{"--config", "option '--config' requires an argument"},
		{"--no-wait=1", "option '--no-wait' doesn't allow an argument"},
		{"--ready-after", "option '--ready-after' requires an argument"},
		{"--ready-after=", "--ready-after wants seconds, at most 86400, not: "},
		{"--ready-after -1", "not: -1"},
		{"--ready-after 86401", "not: 86401"},
		{"--ready-after 5s", "not: 5s"},
		{"--ready-after 99999999999999999999", "not: 99999999999999999999"},
		{"-n extra", "unexpected argument: extra"},
		{"-- -n", "unexpected argument: -n"},
		{"--config=", "the name of the configuration file is empty"},
		{"-n -p ", "the name of the pid file is empty"},
		{"-nx -v", "invalid option -- 'x'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct options o, before;

		memset(&o, 0x5a, sizeof(o));
		before = o;
		assert_int_equal(parse(&o, cases[i].words), EXIT_CONFIG);
		assert_memory_equal(&o, &before, sizeof(o));
		if (!strstr(printed, cases[i].message) || !strstr(printed, "--help"))
			fail_msg("%s: %s", cases[i].words, printed);
	}
}

static void version(void **state)
{
	static const char *const words[] = {"-v", "-V", "--version", "-n -v -x"};
	struct options o;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(parse(&o, words[i]), EXIT_OK);
		assert_string_equal(printed, "cachefilesd version " PACKAGE_VERSION "\n");
	}
}

static const char *const all[] = {
	"c",	       "f", "p", "d",	    "n",	"s",	    "N",     "t",
	"V",	       "v", "h", "-config", "-no-wait", "-version", "-help", "-dump-config",
	"-ready-after"};

static void help_knows_every_option(void **state)
{
	static const char *const words[] = {"-h", "--help"};
	struct options o;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(parse(&o, words[i]), EXIT_OK);
		for (size_t j = 0; j < ARRAY_SIZE(all); j++) {
			char option[20];

			snprintf(option, sizeof(option), " -%s", all[j]);
			if (!strstr(printed, option))
				fail_msg("--help does not have%s", option);
		}
		assert_non_null(strstr(printed, CONFIG_DEFAULT_PATH));
		assert_non_null(strstr(printed, PIDFILE_DEFAULT_PATH));
	}
}

static void manual_knows_every_option(void **state)
{
	char *manual = case_read(MANUAL_DAEMON);

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		char item[40];
		const char *at = manual;

		/* ".It Fl x" or ".It Fl a , Fl x", with an argument or without */
		snprintf(item, sizeof(item), " Fl %s", all[i]);
		while ((at = strstr(at, item))) {
			const char *line = at, *end = at + strlen(item);

			while (line > manual && line[-1] != '\n')
				line--;
			if (strncmp(line, ".It ", 4) == 0 && (*end == ' ' || *end == '\n'))
				break;
			at = end;
		}
		if (!at)
			fail_msg("the manual has no item%s", item);
	}
	free(manual);
}

static void full_disk(void **state)
{
	struct options o;

	assert_int_equal(command_line_full(parse_into, &o, "cachefilesd"), EXIT_SYSTEM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(each_option),
		cmocka_unit_test(as_old_scripts_have_it),
		cmocka_unit_test(refused),
		cmocka_unit_test(version),
		cmocka_unit_test(help_knows_every_option),
		cmocka_unit_test(manual_knows_every_option),
		cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
