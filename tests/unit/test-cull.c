/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cull cycle: what goes, in which order, until when, and what stays.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cull-tree.h"

static void test_oldest_go(void **state)
{
	struct cull_result r;

	for (unsigned int i = 0; i < 1000; i++)
		make_object(i);
	r = cycle(200, 0, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.culled, 200);
	assert_int_equal(r.blocks, 200 * 8);
	assert_int_equal(r.scans, 1);
	assert_int_equal(r.found.objects, 1000);
	assert_gone(0, 200, 1000);
}

static void test_files_are_wanted(void **state)
{
	struct cull_result r;

	for (unsigned int i = 0; i < 300; i++)
		make_object(i);
	fake.avail = 1000000;
	r = cycle(10, 77, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_gone(0, 77, 300);
}

static void test_nothing_wanted(void **state)
{
	struct cull_result r;

	make_object(0);
	fake.avail = 10;
	r = cycle(10, 0, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.scans, 0);
	assert_gone(0, 0, 1);
}

/* A batch by directories holds only what age would have taken too. */
static void test_order_of_batches(void **state)
{
	struct cull_result r;
	unsigned int newest = 0;

	for (unsigned int i = 0; i < 1000; i++)
		make_object(i);
	r = cycle(400, 0, NULL);
	assert_int_equal(r.culled, 400);
	for (unsigned int i = 0; i < 400; i++) {
		unsigned int number = (unsigned int)strtoul(fake.order[i] + 1, NULL, 10);

		/* Half of what was left when its batch began, at most, is culled out of turn. */
		assert_true(number < i + MAX(32U, 200U));
		newest = MAX(newest, number);
	}
	assert_int_equal(newest, 399);
	/* The last ones are in the order of their ages. */
	for (unsigned int i = 390; i < 400; i++)
		assert_int_equal(strtoul(fake.order[i] + 1, NULL, 10), i);
}

/* btrfs: freed space shows after a commit. */
static void test_late_space(void **state)
{
	struct cull_result r;

	fake.late = true;
	for (unsigned int i = 0; i < 1000; i++)
		make_object(i);
	r = cycle(300, 0, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.culled, 300);
	assert_true(fake.syncs >= 1 && fake.syncs <= 2);
	assert_gone(0, 300, 1000);
}

static void test_futile(void **state)
{
	struct cull_result r;

	fake.futile = true;
	for (unsigned int i = 0; i < 1000; i++)
		make_object(i);
	r = cycle(300, 0, NULL);
	assert_int_equal(r.end, CULL_FUTILE);
	assert_int_equal(r.culled, 300); /* and not the whole cache */
}

static enum cull_verdict busy_below_100(const char *name, int *ret_error)
{
	return strtoul(name + 1, NULL, 10) < 100 ? CULL_BUSY : CULL_DONE;
}

static void test_busy_are_passed_over(void **state)
{
	struct cull_result r;

	fake.verdict = busy_below_100;
	for (unsigned int i = 0; i < 1000; i++)
		make_object(i);
	r = cycle(50, 0, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.scans, 1);
	assert_int_equal(r.busy, 100);
	assert_int_equal(r.culled, 50);
	assert_gone(100, 150, 1000);
}

static enum cull_verdict busy_below_2000(const char *name, int *ret_error)
{
	return strtoul(name + 1, NULL, 10) < 2000 ? CULL_BUSY : CULL_DONE;
}

/* More in use than the selection has spare: the next scan goes on where it ended. */
static void test_more_busy_than_selected(void **state)
{
	struct cull_result r;

	fake.verdict = busy_below_2000;
	for (unsigned int i = 0; i < 2500; i++)
		make_object(i);
	r = cycle(50, 0, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.scans, 2);
	/* The last one that the first scan has chosen is asked for twice: others may be as old. */
	assert_int_equal(r.busy, 2001);
	assert_gone(2000, 2050, 2500);
}

static enum cull_verdict all_busy(const char *name, int *ret_error)
{
	return CULL_BUSY;
}

static void test_all_busy(void **state)
{
	struct cull_result r;

	fake.verdict = all_busy;
	for (unsigned int i = 0; i < 200; i++)
		make_object(i);
	r = cycle(50, 0, NULL);
	assert_int_equal(r.end, CULL_EXHAUSTED);
	assert_int_equal(r.busy, 200);
	assert_int_equal(r.scans, 1);
}

static enum cull_verdict touches_next(const char *name, int *ret_error)
{
	/* Object 5 is read by somebody while object 0 is being culled. */
	if (streq(name, "D0000")) {
		char path[256];
		struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};

		snprintf(path, sizeof(path), "%s/cache/Ivolume1/@02/D0005", root);
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	return CULL_DONE;
}

static void test_touched_stays(void **state)
{
	struct cull_result r;

	fake.verdict = touches_next;
	for (unsigned int i = 0; i < 100; i++)
		make_object(i);
	r = cycle(10, 0, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.touched, 1);
	assert_true(object_exists(5));
	assert_false(object_exists(10));
	assert_true(object_exists(11));
}

static enum cull_verdict dead(const char *name, int *ret_error)
{
	return CULL_DEAD;
}

static void test_dead(void **state)
{
	struct cull_result r;

	fake.verdict = dead;
	make_object(0);
	r = cycle(10, 0, NULL);
	assert_int_equal(r.end, CULL_CACHE_DEAD);
}

static enum cull_verdict denied(const char *name, int *ret_error)
{
	*ret_error = EROFS;
	return CULL_DENIED;
}

static void test_denied(void **state)
{
	struct cull_result r;

	fake.verdict = denied;
	for (unsigned int i = 0; i < 600; i++)
		make_object(i);
	r = cycle(500, 0, NULL);
	assert_int_equal(r.end, CULL_FAILED);
	assert_int_equal(r.error, EROFS);
	assert_int_equal(r.denied, 256);
}

static enum cull_verdict impossible(const char *name, int *ret_error)
{
	return CULL_SKIP;
}

/* As on ext4 whose journal is aborted. */
static void test_impossible(void **state)
{
	struct cull_result r;

	fake.verdict = impossible;
	for (unsigned int i = 0; i < 600; i++)
		make_object(i);
	r = cycle(500, 0, NULL);
	assert_int_equal(r.end, CULL_FAILED);
	assert_int_equal(r.error, EIO);
	assert_int_equal(r.skipped, 256);
}

static void test_read_only(void **state)
{
	struct cull_result r;

	fake.read_only = true;
	for (unsigned int i = 0; i < 10; i++)
		make_object(i);
	r = cycle(500, 0, NULL);
	assert_int_equal(r.end, CULL_FAILED);
	assert_int_equal(r.error, EROFS);
	assert_int_equal(fake.asked, 0);
}

/* Years that nanoseconds since 1970 in 64 bits do not reach: a broken clock, a hostile tree. */
static void test_far_future_is_young(void **state)
{
	struct timespec times[2] = {{INT64_C(12000000000), 0}, {1, 0}};
	struct cull_result r;
	struct stat st;
	char path[256];

	for (unsigned int i = 0; i < 100; i++)
		make_object(i);
	snprintf(path, sizeof(path), "%s/cache/Ivolume1/@00/D0009", root);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_int_equal(stat(path, &st), 0);
	if (st.st_atim.tv_sec != times[0].tv_sec)
		skip(); /* a filesystem that keeps no such times */
	r = cycle(20, 0, NULL);
	assert_int_equal(r.culled, 20);
	assert_true(object_exists(9));
	assert_false(object_exists(20));
	/* When all else is gone its turn comes. */
	r = cycle(100, 0, NULL);
	assert_int_equal(r.culled, 80);
	assert_false(object_exists(9));
}

static enum cull_verdict access_below_600(const char *name, int *ret_error)
{
	*ret_error = EACCES;
	return strtoul(name + 1, NULL, 10) < 600 ? CULL_DENIED : CULL_DONE;
}

/* One volume's objects have a wrong label: those of the others go all the same. */
static void test_denied_objects_are_passed_over(void **state)
{
	struct cull_result r;

	fake.verdict = access_below_600;
	for (unsigned int i = 0; i < 800; i++)
		make_object(i);
	r = cycle(50, 0, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.denied, 600);
	assert_gone(600, 650, 800);
}

/* What somebody put into the place of cache/ is not the cache that is bound. */
static void test_replaced(void **state)
{
	static const atomic_bool never;
	struct store store;
	struct cull_cycle c = {
		.store = &store,
		.selection = &tree_selection,
		.memory = 1 << 20,
		.stop = &never,
	};
	char path[128], moved[128], foreign[160];

	make_object(0);
	c.limits.brun = 1;
	assert_int_equal(store_open(&store, root), 0);
	snprintf(path, sizeof(path), "%s/cache", root);
	snprintf(moved, sizeof(moved), "%s/moved", root);
	snprintf(foreign, sizeof(foreign), "%s/cache/foreign", root);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mkdir(foreign, 0700), 0);
	cull_run(&c);
	store_close(&store);
	volumes_clear(&c.volumes);
	assert_int_equal(c.result.culled, 1);
	assert_int_equal(c.result.found.foreign, 0);
	assert_int_equal(access(foreign, F_OK), 0);
}

static void test_stop(void **state)
{
	atomic_bool stop = true;
	struct cull_result r;

	for (unsigned int i = 0; i < 10; i++)
		make_object(i);
	r = cycle(10, 0, &stop);
	assert_int_equal(r.end, CULL_STOPPED);
	assert_gone(0, 0, 10);
}

/* What does not belong there goes to the graveyard; empty directories go. */
static void test_foreign(void **state)
{
	char path[256];
	struct cull_result r;

	make_object(0);
	make_object(1);
	snprintf(path, sizeof(path), "%s/cache/Ivolume0/@00/link", root);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof(path), "%s/cache/Ivolume0/@00/Dfifo", root);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/cache/Ivolume0/@00/D with space", root);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/cache/@4a", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/cache/Iempty", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/cache/Iempty/@00", root);
	assert_int_equal(mkdir(path, 0700), 0);
	r = cycle(1, 0, NULL);
	assert_int_equal(r.culled, 1);
	assert_int_equal(r.found.foreign, 3);
	assert_int_equal(r.found.old_trees, 1);
	/* Two that were empty, and what the cull has left so. */
	assert_int_equal(r.found.empty, 2);
	assert_int_equal(r.found.removed, 4);
	assert_string_not_equal(r.found.first_foreign, "");
	assert_true(object_exists(1));
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(test_oldest_go),
		test(test_files_are_wanted),
		test(test_nothing_wanted),
		test(test_order_of_batches),
		test(test_late_space),
		test(test_futile),
		test(test_busy_are_passed_over),
		test(test_more_busy_than_selected),
		test(test_all_busy),
		test(test_touched_stays),
		test(test_dead),
		test(test_denied),
		test(test_impossible),
		test(test_read_only),
		test(test_far_future_is_young),
		test(test_denied_objects_are_passed_over),
		test(test_replaced),
		test(test_stop),
		test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
