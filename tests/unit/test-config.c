/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: every line of tests/config/bad.tsv with all of its messages, every line of
 * good.tsv with what is dumped and that the dump reads back to the same; what a reload takes over,
 * that memory may run out at any place, and that the manual knows each directive.
 */
#include "cases.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "config.h"
#include "directives.h"

/* The allocation after so many others fails, and all that follow if so wanted; negative: none. */
static int allocations_left = -1;
static bool all_that_follow;
static unsigned int allocations_failed;

static bool allocation_fails(void)
{
	if (allocations_left < 0)
		return false;
	if (allocations_left > 0) {
		allocations_left--;
		return false;
	}
	if (!all_that_follow)
		allocations_left = -1;
	allocations_failed++;
	errno = ENOMEM;
	return true;
}

#define FAILING(type, name, parameters, arguments)                                                 \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		return allocation_fails() ? NULL : __real_##name arguments;                        \
	}
FAILING(void *, malloc, (size_t size), (size))
FAILING(void *, calloc, (size_t n, size_t size), (n, size))
FAILING(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size))
FAILING(char *, strdup, (const char *text), (text))
FAILING(char *, strndup, (const char *text, size_t size), (text, size))

static char *dump(const struct config *c)
{
	/* Static: gcc 12 at -O3 takes what the stream made for the variable itself. */
	static char *text;
	static size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	config_dump(c, to);
	assert_int_equal(fclose(to), 0);
	return text;
}

/* All problems, each with a newline behind it. */
static char *all_of(const struct problems *p)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	problems_print(p, to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static struct config *load(void)
{
	struct problems problems = {0};
	struct config *c = NULL;
	int r = config_load("conf", &c, &problems);

	problems_print(&problems, stderr);
	assert_int_equal(r, 0);
	assert_false(problems_any(&problems));
	return c;
}

static void bad(void **state)
{
	const struct test_case *t = *state;
	struct config *untouched = (struct config *)&t, *c = untouched;
	struct problems problems = {0};
	char *told;

	case_build(t);
	assert_int_equal(config_load("conf", &c, &problems), -EINVAL);
	assert_ptr_equal(c, untouched);
	assert_true(problems_any(&problems));
	told = all_of(&problems);
	assert_string_equal(told, t->expected);
	free(told);
	problems_clear(&problems);
	assert_false(problems_any(&problems));
}

static void good(void **state)
{
	const struct test_case *t = *state;
	char *first, *second, *copy, *line, *rest;
	struct config *c, *again;
	size_t from = 0;

	case_build(t);
	c = load();
	first = dump(c);
	copy = strdup(t->expected);
	for (rest = copy; (line = strsep(&rest, "\n"));) {
		const char *at = strstr(first, line);
		bool whole = at && (at == first || at[-1] == '\n') && at[strlen(line)] == '\n';

		if (*line && !whole)
			fail_msg("\"%s\" is not among\n%s", line, first);
	}
	free(copy);

	case_clean();
	case_write("conf", first, strlen(first));
	again = load();
	second = dump(again);
	assert_string_equal(first, second);
	assert_null(config_needs_restart(c, again, &from));
	for (size_t i = 0; i < DIRECTIVES; i++)
		assert_true(directives[i].type->same(&directives[i], c, again));
	free(first);
	free(second);
	config_free(c);
	config_free(again);
}

static struct config *load_text(const char *text)
{
	case_clean();
	case_write("conf", text, strlen(text));
	return load();
}

static void reload(void **state)
{
	static const struct {
		const char *text, *names; /* of what needs a restart, each with a blank behind it */
	} changes[] = {
		{"dir /d", "dir "},
		{"dir /c\ntag x", "tag "},
		{"dir /c\nsecctx x", "secctx "},
		{"dir /c\nbrun 8%", "brun "},
		{"dir /c\nresume_thresholds 1 5", "resume_thresholds "},
		{"dir /c\nculltable 13", ""},
		{"dir /c\ndebug 7", ""},
		{"dir /c\ndebug 0", ""},
		{"dir /c\nmemory 65M", ""},
		{"dir /c/", ""},
		{"dir /c\nfreeze yield 7s\nremount yield", "freeze "},
		{"dir /c\nfreeze refuse\ncontrol /run/cachefilesd/control", ""},
		{"dir /c\ncontrol none\ncontrol_group g\nmetrics /m",
		 "control control_group metrics "},
		{"dir /d\nmemory 65M\nfrun 8%\nnocull", "dir frun nocull "},
		{"dir /c\nmax_size 1G\nmax_files 7\nmin_free 1G\nmax_age 1d", ""},
		{"dir /c\nvolume a pin\nvolume b priority 2", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct config *now = load_text("dir /c"), *next = load_text(changes[i].text);
		const char *dir = now->dir;
		char names[200] = "";
		size_t at = 0;

		for (const char *name; (name = config_needs_restart(now, next, &at));)
			strcat(strcat(names, name), " ");
		assert_string_equal(names, changes[i].names);
		config_reload(now, next);
		assert_ptr_equal(now->dir, dir);
		for (size_t j = 0; j < DIRECTIVES; j++)
			if (directives[j].reloads)
				assert_true(directives[j].type->same(&directives[j], now, next));
		/* the others stayed: they are told again */
		at = 0;
		names[0] = '\0';
		for (const char *name; (name = config_needs_restart(now, next, &at));)
			strcat(strcat(names, name), " ");
		assert_string_equal(names, changes[i].names);
		config_free(now);
		config_free(next);
	}
}

/* Each directive by itself tells a change from none. */
static void same_or_not(void **state)
{
	static const char *const changed[DIRECTIVES] = {
		"dir /d",	"tag x",	   "secctx x",	   "brun 8%",
		"bcull 6%",	"bstop 2%",	   "frun 8%",	   "fcull 6%",
		"fstop 2%",	"nocull",	   "culltable 13", "resume_thresholds - 6",
		"debug 0",	"memory 65M",	   "freeze yield", "remount yield",
		"control none", "control_group g", "metrics /m",   "max_size 1G",
		"max_files 5",	"min_free 1G",	   "max_age 1d",   "volume a pin",
	};
	struct config *now = load_text("dir /c");

	for (size_t i = 0; i < DIRECTIVES; i++) {
		char text[100];
		struct config *next;

		snprintf(text, sizeof(text), "%s%s", i == DIRECTIVE_DIR ? "" : "dir /c\n",
			 changed[i]);
		next = load_text(text);
		for (size_t j = 0; j < DIRECTIVES; j++)
			assert_int_equal(directives[j].type->same(&directives[j], now, next),
					 i != j);
		config_free(next);
	}
	config_free(now);
}

static void values(void **state)
{
	struct config *c =
		load_text("dir /c\ndebug 0x11\nmemory 2G\nresume_thresholds - 9\n"
			  "brun 50%\nbcull 40%\nbstop 30%\nfrun 20%\nfcull 15%\n"
			  "fstop 12%\nculltable 17\nsecctx s\ntag t\nnocull\nfreeze yield 2m\n"
			  "remount yield\ncontrol /run/c\ncontrol_group g\n"
			  "metrics [::1]:9100\nmax_size 3G\nmax_files 12\nmin_free 2M\n"
			  "max_age 2h\nvolume * priority 2 max_age 1d\n"
			  "volume nfs* max_size 5M\nvolume nfs4* pin\n");

	assert_string_equal(c->path, "conf");
	assert_string_equal(c->dir, "/c");
	assert_string_equal(c->dir_at, "conf:1");
	assert_string_equal(c->tag, "t");
	assert_string_equal(c->secctx, "s");
	assert_int_equal(c->debug, 0x11);
	assert_true(c->debug_set);
	assert_true(c->nocull);
	assert_int_equal(c->memory, UINT64_C(2) << 30);
	assert_true(c->resume_blocks == RESUME_IGNORED);
	assert_int_equal(c->resume_files, 9);
	assert_int_equal(c->culltable, 17);
	assert_int_equal(c->freeze, POLICY_YIELD);
	assert_int_equal(c->yield_seconds, 120);
	assert_int_equal(c->remount, POLICY_YIELD);
	assert_string_equal(c->control, "/run/c");
	assert_string_equal(c->control_group, "g");
	assert_string_equal(c->metrics, "[::1]:9100");
	assert_int_equal(c->rules->max_size, UINT64_C(3) << 30);
	assert_int_equal(c->rules->max_files, 12);
	assert_int_equal(c->rules->min_free, UINT64_C(2) << 20);
	assert_int_equal(c->rules->max_age, 7200);
	assert_int_equal(c->rules->count, 3);
	assert_int_equal(c->limits.brun, 50);
	assert_int_equal(c->limits.bcull, 40);
	assert_int_equal(c->limits.bstop, 30);
	assert_int_equal(c->limits.frun, 20);
	assert_int_equal(c->limits.fcull, 15);
	assert_int_equal(c->limits.fstop, 12);
	config_free(c);
	assert_null(config_free(NULL));
}

/* The last one that matches is the volume's. */
static void rules(void **state)
{
	struct config *c = load_text("dir /c\nmax_age 1h\nvolume a* priority 2 max_age 1d\n"
				     "volume *b max_size 5M\nvolume *b? pin\n");
	const struct rules *r = c->rules;
	struct rule rule;

	assert_int_equal(rules_find(r, "Iother"), -1);
	assert_int_equal(rules_find(r, "Iab"), 1);
	assert_int_equal(rules_find(r, "Iabc"), 2);
	rule = rules_get(r, rules_find(r, "Iac"));
	assert_int_equal(rule.priority, 2);
	assert_int_equal(rule.max_age, 86400);
	assert_int_equal(rule.max_size, 0);
	assert_false(rule.pin);
	rule = rules_get(r, rules_find(r, "Ib"));
	assert_int_equal(rule.priority, RULE_PRIORITY_DEFAULT);
	assert_int_equal(rule.max_age, 3600);
	assert_int_equal(rule.max_size, 5 << 20);
	rule = rules_get(r, rules_find(r, "Ibb"));
	assert_true(rule.pin);
	rule = rules_get(r, -1);
	assert_int_equal(rule.priority, RULE_PRIORITY_DEFAULT);
	assert_int_equal(rule.max_age, 3600);
	assert_true(rules_demand(r));
	config_free(c);

	c = load_text("dir /c\nvolume a* pin\nvolume b priority 3\n");
	assert_false(rules_demand(c->rules));
	config_free(c);
}

static void drop_in_says_where_dir_is(void **state)
{
	struct config *c;

	case_clean();
	case_write("conf", "dir /c\n", 7);
	assert_int_equal(mkdir("conf.d", 0755), 0);
	case_write("conf.d/a.conf", "\ndir /d\n", 8);
	c = load();
	assert_string_equal(c->dir_at, "conf.d/a.conf:2");
	config_free(c);
}

/* Root reads everything, unless it is somebody else for a moment. */
static void unreadable(void **state)
{
	struct config *c = NULL;
	struct problems problems = {0};
	char *told;
	int r;

	case_clean();
	case_write("conf", "dir /c\n", 7);
	assert_int_equal(mkdir("conf.d", 0755), 0);
	case_write("conf.d/a.conf", "brun x\n", 7);
	case_write("conf.d/b.conf", "brun x\n", 7);
	assert_int_equal(chmod("conf.d/a.conf", 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	r = config_load("conf", &c, &problems);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, -EINVAL);
	told = all_of(&problems);
	assert_string_equal(told,
			    "conf.d/a.conf: cannot be opened: Permission denied\n"
			    "conf.d/b.conf:1: brun: \"x\" is not a whole percentage like 7%\n");
	free(told);
	problems_clear(&problems);
}

/* At each allocation: nothing leaks (the sanitizers tell), and nothing half done comes back. */
static void memory_runs_out(int expected)
{
	int before = 0;

	do {
		struct config *c = NULL;
		struct problems problems = {0};
		int r;

		allocations_failed = 0;
		allocations_left = before++;
		r = config_load("conf", &c, &problems);
		allocations_left = -1;
		assert_int_equal(r, allocations_failed > 0 ? -ENOMEM : expected);
		assert_true((r == 0) == (c != NULL));
		config_free(c);
		problems_clear(&problems);
	} while (allocations_failed > 0);
	assert_true(before > 10);
}

static void memory_runs_out_on(const char *text, int expected)
{
	case_clean();
	case_write("conf", text, strlen(text));
	assert_int_equal(mkdir("conf.d", 0755), 0);
	case_write("conf.d/a.conf", "tag x\n", 6);
	all_that_follow = true;
	memory_runs_out(expected);
	all_that_follow = false;
	memory_runs_out(expected);
}

static void memory_runs_out_on_good(void **state)
{
	memory_runs_out_on("dir /c\ntag a b\nsecctx s\nresume_thresholds 1 -\n", 0);
}

static void memory_runs_out_on_bad(void **state)
{
	memory_runs_out_on("dir c\nx\nbrun 3%\nresume_thresholds 1 -\n", -EINVAL);
}

static void problems_are_one_line_each(void **state)
{
	struct problems problems = {0};
	char *told;

	problems_add(&problems, "a\nb\x1b", 0, "%s", "c\rd\te");
	problems_add(&problems, "f", 4000000000, "%d", 1);
	told = all_of(&problems);
	assert_string_equal(told, "a?b?: c?d\te\nf:4000000000: 1\n");
	free(told);
	problems.lost = true;
	told = all_of(&problems);
	assert_non_null(strstr(told, "Out of memory"));
	free(told);
	problems_clear(&problems);
}

static void installed_configuration_is_good(void **state)
{
	struct problems problems = {0};
	struct config *c = NULL;
	int r = config_load(INSTALLED_CONF, &c, &problems);

	problems_print(&problems, stderr);
	assert_int_equal(r, 0);
	assert_string_equal(c->dir, "/var/cache/fscache");
	config_free(c);
}

static void manual_knows_every_directive(void **state)
{
	char *manual = case_read(MANUAL_CONF);
	size_t found = 0;

	for (size_t i = 0; i < DIRECTIVES; i++) {
		const struct directive *d = &directives[i];
		char item[64];

		snprintf(item, sizeof(item), "\n.It Ic %s%s", d->name, d->argument ? " Ar " : "\n");
		if (!strstr(manual, item))
			fail_msg("the manual does not have%s", item);
	}
	for (const char *at = manual; (at = strstr(at, "\n.It Ic ")); at++)
		found++;
	assert_int_equal(found, DIRECTIVES);
	free(manual);
}

static void memory_bounds(void **state)
{
	const struct directive *d = &directives[DIRECTIVE_MEMORY];
	struct config *c = load_text("dir /c");
	struct complaint why;

	assert_int_equal(d->type->parse(d, c, "1023K", &why), -EINVAL);
	assert_int_equal(d->type->parse(d, c, "18446744073709551615G", &why), -EINVAL);
	assert_int_equal(d->type->parse(d, c, "18446744073709551616", &why), -EINVAL);
	/* a gibibyte more than 64 bits hold */
	assert_int_equal(d->type->parse(d, c, "17179869185G", &why), -EINVAL);
	assert_int_equal(d->type->parse(d, c, "4294967297", &why), -EINVAL);
	assert_int_equal(c->memory, 64 << 20);
	assert_int_equal(d->type->parse(d, c, sizeof(size_t) > 4 ? "4G" : "1G", &why), 0);
	config_free(c);
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reload),
		cmocka_unit_test(same_or_not),
		cmocka_unit_test(values),
		cmocka_unit_test(rules),
		cmocka_unit_test(drop_in_says_where_dir_is),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(memory_runs_out_on_good),
		cmocka_unit_test(memory_runs_out_on_bad),
		cmocka_unit_test(problems_are_one_line_each),
		cmocka_unit_test(installed_configuration_is_good),
		cmocka_unit_test(manual_knows_every_directive),
		cmocka_unit_test(memory_bounds),
	};
	int failed = cases_run("bad", CASES_DIR "/bad.tsv", bad, 75);

	failed += cases_run("good", CASES_DIR "/good.tsv", good, 30);
	case_enter();
	failed += cmocka_run_group_tests_name("config", tests, NULL, NULL);
	case_leave();
	return failed != 0;
}
