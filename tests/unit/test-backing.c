/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each reason why a directory cannot be a cache, by name, on real filesystems mounted in a mount
 * namespace of our own. Needs root.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "backing.h"

static char root[64];
static const struct limits limits = {10, 7, 3, 10, 7, 3};

static char *at(const char *name)
{
	static char path[4][128];
	static unsigned int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", root, name);
	return p;
}

static int set_up(void **state)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("needs root and mount namespaces\n");
		exit(77);
	}
	snprintf(root, sizeof(root), "/tmp/backing.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	umount2(root, MNT_DETACH);
	return rmdir(root);
}

static struct backing_report check(const char *dir)
{
	struct backing_report report;

	backing_check(dir, &limits, &report);
	return report;
}

static void assert_report(const char *dir, int error, bool can_wait, bool misconfigured,
			  const char *word)
{
	struct backing_report report = check(dir);

	assert_int_equal(report.error, error);
	assert_int_equal(report.can_wait, can_wait);
	assert_int_equal(report.misconfigured, misconfigured);
	if (error && !strstr(report.text, word))
		fail_msg("\"%s\" is not in \"%s\"", word, report.text);
}

static void test_directory(void **state)
{
	FILE *file;

	assert_report(at("missing"), ENOENT, true, false, "not there");
	file = fopen(at("file"), "w");
	fclose(file);
	assert_report(at("file"), ENOTDIR, false, true, "not a directory");
	assert_report(at("file/below"), ENOTDIR, false, true, "not a directory");
	assert_int_equal(symlink("loop", at("loop")), 0);
	assert_report(at("loop"), ELOOP, false, true, "circle");
	unlink(at("file"));
	unlink(at("loop"));
}

static void test_read_only(void **state)
{
	assert_int_equal(mount("t", root, "tmpfs", MS_RDONLY, NULL), 0);
	assert_report(root, EROFS, true, false, "read-only");
	umount(root);
}

static void test_no_tmpfile(void **state)
{
	assert_int_equal(mount("r", root, "ramfs", 0, NULL), 0);
	/* ramfs has O_TMPFILE and no extended attributes; proc has neither. */
	assert_report(root, EOPNOTSUPP, false, false, "extended attributes");
	umount(root);
	assert_int_equal(mount("p", root, "proc", 0, NULL), 0);
	assert_report(root, EOPNOTSUPP, false, false, "O_TMPFILE");
	umount(root);
}

static void fill(const char *name, size_t size)
{
	FILE *file = fopen(at(name), "w");

	for (size_t i = 0; i < size / 4096; i++)
		if (fwrite(root, 64, 1, file) != 1 || fseek(file, 4032, SEEK_CUR) < 0)
			break;
	fclose(file);
}

static void test_under_stop_limit(void **state)
{
	/* 256 pages; three stay */
	assert_int_equal(mount("t", root, "tmpfs", 0, "size=1m,nr_inodes=1000"), 0);
	fill("ballast", 253 * 4096);
	assert_report(root, ENOBUFS, true, false, "bstop");
	/* with a cache in it, it is bound, and culling makes room */
	mkdir(at("cache"), 0700);
	mkdir(at("graveyard"), 0700);
	assert_int_not_equal(check(root).error, ENOBUFS);
	umount(root);

	assert_int_equal(mount("t", root, "tmpfs", 0, "size=10m,nr_inodes=200"), 0);
	for (unsigned int i = 0; i < 195; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		fill(name, 0);
	}
	assert_report(root, ENOBUFS, true, false, "fstop");
	umount(root);
}

static void test_good(void **state)
{
	/* The filesystem of the tests is good enough for a cache or names what it lacks. */
	struct backing_report report = check("/var/tmp");
	char text[128];

	if (report.error)
		print_message("%s\n", report.text);
	backing_describe("/proc", text, sizeof(text));
	assert_non_null(strstr(text, "proc on"));
}

static void test_explain(void **state)
{
	static const struct {
		int error;
		bool can_wait, misconfigured;
		const char *word;
	} cases[] = {
		{EBUSY, true, false, "in use by another cache"},
		{ENOBUFS, true, false, "stop limit"},
		{EROFS, true, false, "read-only"},
		{EAGAIN, true, false, "frozen"},
		{ENOENT, true, false, "not there"},
		{EIO, true, false, "Input/output"},
		{EOPNOTSUPP, false, false, "O_TMPFILE"},
		{EINVAL, false, false, "idmapped"},
		{ERANGE, false, true, "limits"},
		{EACCES, false, false, "secctx label"},
		{EXFULL, false, false, "Exchange full"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct backing_report report;

		backing_explain_bind("/c", "tag", "label", cases[i].error, &report);
		assert_int_equal(report.error, cases[i].error);
		assert_int_equal(report.can_wait, cases[i].can_wait);
		assert_int_equal(report.misconfigured, cases[i].misconfigured);
		assert_non_null(strstr(report.text, cases[i].word));
	}
}

static void test_monitor(void **state)
{
	struct backing_monitor *monitor;

	assert_int_equal(backing_monitor_new(&monitor), 0);
	assert_true(backing_monitor_fd(monitor) >= 0);
	backing_monitor_drain(monitor);
	backing_monitor_free(monitor);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(test_directory),
		test(test_read_only),
		test(test_no_tmpfile),
		test(test_under_stop_limit),
		test(test_good),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
