/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cases.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

static char place[] = "/tmp/cachefilesd-test-XXXXXX";

void case_enter(void)
{
	strcpy(place + strlen(place) - 6, "XXXXXX");
	if (!mkdtemp(place) || chmod(place, 0755) < 0 || chdir(place) < 0)
		abort();
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return ftw->level == 0 ? 0 : remove(path);
}

void case_clean(void)
{
	assert_int_equal(nftw(place, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void case_leave(void)
{
	case_clean();
	if (chdir("/") < 0 || rmdir(place) < 0)
		abort();
}

void case_write(const char *path, const char *text, size_t length)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_int_equal(fwrite(text, 1, length, to), length);
	assert_int_equal(fclose(to), 0);
}

char *case_read(const char *path)
{
	FILE *from = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!from || getdelim(&text, &size, '\0', from) < 0) {
		perror(path);
		abort();
	}
	fclose(from);
	return text;
}

/* Takes the escapes of a file's text out; it may hold NUL bytes then. */
static char *decode(const char *text, size_t *ret_length)
{
	char *out = NULL;
	FILE *to = open_memstream(&out, ret_length);

	assert_non_null(to);
	while (*text) {
		unsigned int n = 1, value;
		int used = 1;
		char c = *text;

		if (c == '\\') {
			switch (text[1]) {
			case 'n':
				c = '\n';
				used = 2;
				break;
			case 't':
				c = '\t';
				used = 2;
				break;
			case 'r':
				c = '\r';
				used = 2;
				break;
			case 'x':
				assert_int_equal(sscanf(text, "\\x%2x%n", &value, &used), 1);
				c = (char)value;
				break;
			default:
				assert_int_equal(sscanf(text, "\\{%u}%c%n", &n, &c, &used), 2);
				break;
			}
		}
		for (; n > 0; n--)
			fputc(c, to);
		text += used;
	}
	assert_int_equal(fclose(to), 0);
	return out;
}

static void build_one(const char *path, const char *what)
{
	int r = 0;

	if (streq(what, "!missing")) {
		return;
	} else if (streq(what, "!directory")) {
		r = mkdir(path, 0755);
	} else if (streq(what, "!fifo")) {
		r = mkfifo(path, 0644);
	} else if (streq(what, "!null")) {
		r = symlink("/dev/null", path);
	} else if (streq(what, "!dangling")) {
		r = symlink("nowhere", path);
	} else if (streq(what, "!loop")) {
		r = symlink(strrchr(path, '/') ? strrchr(path, '/') + 1 : path, path);
	} else {
		size_t length;
		char *text = decode(what, &length);

		case_write(path, text, length);
		free(text);
	}
	assert_int_equal(r, 0);
}

void case_build(const struct test_case *t)
{
	case_clean();
	build_one("conf", t->columns[0]);
	for (size_t i = 1; i < t->count; i++) {
		size_t length;
		char path[300];
		char *equals = strchr(t->columns[i], '=');
		char *name;

		assert_non_null(equals);
		*equals = '\0';
		name = decode(t->columns[i], &length);
		if (streq(name, ".")) {
			build_one("conf.d", equals + 1);
		} else {
			snprintf(path, sizeof(path), "conf.d/%s", name);
			mkdir("conf.d", 0755); /* there already from the second on */
			build_one(path, equals + 1);
		}
		free(name);
		*equals = '=';
	}
}

static void read_case(struct test_case *t, char *line)
{
	char *from, *to;

	*t = (struct test_case){.line = line};
	t->name = strsep(&line, "\t");
	t->expected = strsep(&line, "\t");
	while (line) {
		if (t->count == ARRAY_SIZE(t->columns))
			abort();
		t->columns[t->count++] = strsep(&line, "\t");
	}
	if (!t->expected || t->count == 0) {
		fprintf(stderr, "%s: too few columns\n", t->name);
		abort();
	}
	t->expected = strcat(strcpy(malloc(strlen(t->expected) + 2), t->expected), "\n");
	for (from = to = t->expected; *from; to++) {
		bool newline = from[0] == '\\' && from[1] == 'n';

		*to = newline ? '\n' : *from;
		from += newline ? 2 : 1;
	}
	*to = '\0';
}

int cases_run(const char *group, const char *table, CMUnitTestFunction test, size_t least)
{
	struct test_case *cases = NULL;
	struct CMUnitTest *tests;
	FILE *from = fopen(table, "r");
	char *line = NULL;
	size_t size = 0, count = 0;
	ssize_t length;
	int failed;

	if (!from) {
		perror(table);
		abort();
	}
	while ((length = getline(&line, &size, from)) > 0) {
		if (line[0] == '#')
			continue;
		line[length - 1] = '\0';
		cases = reallocarray(cases, count + 1, sizeof(*cases));
		if (!cases)
			abort();
		read_case(&cases[count++], strdup(line));
	}
	free(line);
	fclose(from);

	if (count < least) {
		fprintf(stderr, "%s: only %zu cases\n", table, count);
		abort();
	}
	tests = calloc(count, sizeof(*tests));
	if (!tests)
		abort();
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){
			.name = cases[i].name, .test_func = test, .initial_state = &cases[i]};
	case_enter();
	failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
	case_leave();
	for (size_t i = 0; i < count; i++) {
		free(cases[i].line);
		free(cases[i].expected);
	}
	free(cases);
	free(tests);
	return failed;
}
