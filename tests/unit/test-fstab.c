/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which lines of /etc/fstab keep a directory from being a cache.
 */
#include "fstab.h"

#include <stdio.h>
#include <sys/mount.h>

#include "scratch.h"

/* Writes the file; %s in the lines is the test's directory. */
static const char *fstab(const char *format)
{
	FILE *f = fopen(scratch("fstab"), "w");

	assert_non_null(f);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	fprintf(f, format, scratch_dir(), scratch_dir());
#pragma GCC diagnostic pop
	assert_int_equal(fclose(f), 0);
	return scratch("fstab");
}

static bool lacks(const char *format, const char *dir)
{
	struct fstab_missing missing;

	return fstab_lacks(fstab(format), scratch("%s", dir), &missing);
}

static void which_lines(void **state)
{
	make_dir(scratch("a"), 0755);
	make_dir(scratch("a/b"), 0755);
	make_dir(scratch("ab"), 0755);
	assert_true(lacks("LABEL=x %s/a ext4 nofail 0 2\n", "a"));
	assert_true(lacks("LABEL=x %s/a/ ext4 nofail 0 2\n", "a"));
	assert_true(lacks("LABEL=x %s/a ext4 nofail 0 2\n", "a/b"));
	assert_true(lacks("LABEL=x %s/a ext4 nofail 0 2\n", "a/b/not/there"));
	assert_true(lacks("# comment\n\nLABEL=x %s/a/b ext4 defaults 0 2\n", "a/b"));
	assert_false(lacks("LABEL=x %s/a/b ext4 defaults 0 2\n", "a"));
	assert_false(lacks("LABEL=x %s/a ext4 defaults 0 2\n", "ab"));
	assert_false(lacks("LABEL=x %s/a ext4 ro,noauto 0 2\n", "a"));
	assert_true(lacks("LABEL=x %s/a ext4 noautomatic 0 2\n", "a"));
	assert_false(lacks("/dev/sda1 none swap sw 0 0\nLABEL=x / ext4 defaults 0 1\n", "a"));
	assert_false(lacks("", "a"));
	assert_false(lacks("this is not a table\n", "a"));
}

static void what_it_tells(void **state)
{
	struct fstab_missing missing;

	make_dir(scratch("a"), 0755);
	assert_true(fstab_lacks(fstab("LABEL=x %s/a ext4 nofail 0 2\n"), scratch("a"), &missing));
	assert_string_equal(missing.target, scratch("a"));
	assert_string_equal(missing.source, "LABEL=x");
	assert_false(fstab_lacks(scratch("none"), scratch("a"), &missing));
}

static void links(void **state)
{
	make_dir(scratch("a"), 0755);
	make_dir(scratch("a/b"), 0755);
	assert_int_equal(symlink("a", scratch("link")), 0);
	assert_true(lacks("LABEL=x %s/a ext4 nofail 0 2\n", "link/b"));
	assert_true(lacks("LABEL=x %s/link ext4 nofail 0 2\n", "a/b"));
}

static void mounted(void **state)
{
	need_mounts();
	make_dir(scratch("a"), 0755);
	assert_int_equal(try_mount("none", scratch("a"), "tmpfs", 0, NULL), 0);
	assert_false(lacks("none %s/a tmpfs nofail 0 2\n", "a"));
	make_dir(scratch("a/b"), 0755);
	assert_false(lacks("none %s/a tmpfs nofail 0 2\n", "a/b"));
	assert_true(lacks("none %s/a tmpfs nofail 0 2\nnone %s/a/b tmpfs nofail 0 2\n", "a/b"));
}

int main(void)
{
#define scratch_test(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
	const struct CMUnitTest tests[] = {
		scratch_test(which_lines),
		scratch_test(what_it_tells),
		scratch_test(links),
		scratch_test(mounted),
	};

	return cmocka_run_group_tests_name("fstab", tests, NULL, NULL);
}
