/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders: what goes when somebody says so, and what a scan tells of the volumes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cull-tree.h"

#define OBJECTS 400

static void fill(void)
{
	for (unsigned int i = 0; i < OBJECTS; i++)
		make_object(i);
}

/* Object i was last used at second 1000000 + i. */
static uint64_t age_of(unsigned int i)
{
	return (uint64_t)time(NULL) - 1000000 - i;
}

static void test_bytes(void **state)
{
	const struct cull_order order = {.bytes = 50 * 4096};
	struct cull_result r;

	fill();
	r = obey(&order, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.scans, 1);
	assert_gone(0, 50, OBJECTS);
}

static void test_bytes_are_rounded_up(void **state)
{
	const struct cull_order order = {.bytes = 50 * 4096 + 1};

	fill();
	obey(&order, NULL);
	assert_gone(0, 51, OBJECTS);
}

static void test_bytes_and_files(void **state)
{
	const struct cull_order order = {.bytes = 50 * 4096, .files = 60};

	fill();
	assert_int_equal(obey(&order, NULL).culled, 60);
	assert_gone(0, 60, OBJECTS);
}

static void test_more_than_there_is(void **state)
{
	const struct cull_order order = {.files = OBJECTS * 2};
	struct cull_result r;

	fill();
	r = obey(&order, NULL);
	assert_int_equal(r.end, CULL_EXHAUSTED);
	assert_int_equal(r.culled, OBJECTS);
}

static void test_all(void **state)
{
	const struct cull_order order = {.all = true};
	struct volumes left;
	struct cull_result r;

	fill();
	r = obey(&order, &left);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.culled, OBJECTS);
	assert_int_equal(left.objects, 0);
	/* Two volumes of four fan-outs. */
	assert_int_equal(r.found.removed, 10);
	volumes_clear(&left);
}

static void test_older_than(void **state)
{
	struct cull_order order = {.older_than = age_of(100) - 5};

	fill();
	obey(&order, NULL);
	/* The clock goes on. */
	assert_false(object_exists(100));
	assert_false(object_exists(105));
	assert_true(object_exists(115));
}

static void test_some_that_are_older(void **state)
{
	struct cull_order order = {.older_than = age_of(100), .files = 30};

	fill();
	assert_int_equal(obey(&order, NULL).end, CULL_ENOUGH);
	assert_gone(0, 30, OBJECTS);
	order.files = 300;
	assert_int_equal(obey(&order, NULL).end, CULL_EXHAUSTED);
	assert_true(object_exists(110));
	assert_false(object_exists(99));
}

static void test_volumes(void **state)
{
	const struct cull_order order = {.volumes = "*e1"};
	struct volumes left;

	fill();
	assert_int_equal(obey(&order, &left).culled, OBJECTS / 2);
	for (unsigned int i = 0; i < OBJECTS; i++)
		assert_int_equal(object_exists(i), i % 2 == 0);
	assert_int_equal(left.objects, OBJECTS / 2);
	volumes_clear(&left);
}

static void test_bytes_of_a_volume(void **state)
{
	const struct cull_order order = {.volumes = "volume0", .bytes = 4096 * 10};

	fill();
	assert_int_equal(obey(&order, NULL).culled, 10);
	for (unsigned int i = 0; i < OBJECTS; i++)
		assert_int_equal(object_exists(i), i % 2 == 1 || i >= 20);
}

static enum cull_verdict busy_below_100(const char *name, int *ret_error)
{
	return strtoul(name + 1, NULL, 10) < 100 ? CULL_BUSY : CULL_DONE;
}

static void test_busy_stay(void **state)
{
	const struct cull_order order = {.all = true};
	struct cull_result r;

	fill();
	fake.verdict = busy_below_100;
	r = obey(&order, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_gone(100, OBJECTS, OBJECTS);
}

static enum cull_verdict dead(const char *name, int *ret_error)
{
	return fake.asked < 20 ? CULL_DONE : CULL_DEAD;
}

static void test_dead(void **state)
{
	const struct cull_order order = {.all = true};

	fill();
	fake.verdict = dead;
	assert_int_equal(obey(&order, NULL).end, CULL_CACHE_DEAD);
	assert_int_equal(fake.asked, 21);
}

static void make_volume(const char *key)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/cache/%s", root, key);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/cache/%s/@00", root, key);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/cache/%s/@00/Dobject", root, key);
	assert_int_equal(mkdir(path, 0700) < 0 ? -1 : rmdir(path), 0);
	fclose(fopen(path, "w"));
}

static bool volume_exists(const char *key)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/cache/%s", root, key);
	return access(path, F_OK) == 0;
}

#define MOUNTED "Infs,4.2,2,,202000a,1,2,,,80000"
#define FORMER	"Infs,4.2,2,,202000a,1,2,,,40000"
#define OTHER	"Infs,4.2,2,,202000a,1,3,,,40000"

/* Dropped whole: one rename, however many objects there are. */
static void test_orphans(void **state)
{
	const struct cull_order order = {.orphans = true};
	struct cull_result r;

	make_volume(MOUNTED);
	make_volume(FORMER);
	make_volume(OTHER);
	assert_int_equal(obey(&order, NULL).culled, 0); /* none is mounted: nobody knows */
	fake.live = MOUNTED;
	r = obey(&order, NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(fake.asked, 1);
	assert_int_equal(r.culled, 1);
	assert_true(volume_exists(MOUNTED));
	assert_false(volume_exists(FORMER));
	assert_true(volume_exists(OTHER));
}

static void test_old_ones_of_orphans(void **state)
{
	const struct cull_order order = {.orphans = true, .older_than = 3600};

	make_volume(MOUNTED);
	make_volume(FORMER);
	fake.live = MOUNTED;
	assert_int_equal(obey(&order, NULL).culled, 0); /* it is fresh */
	assert_true(volume_exists(FORMER));
}

static void test_scan(void **state)
{
	struct volumes found;
	struct cull_result r;

	fill();
	fake.live = "Ivolume1";
	fake.avail = 1234;
	fake.files = 77;
	r = obey(NULL, &found);
	assert_int_equal(fake.asked, 0);
	assert_int_equal(r.culled, 0);
	assert_int_equal(found.count, 2);
	assert_true(found.taken / 1000000000 >= (int64_t)time(NULL) - 60);
	assert_int_equal(found.avail_blocks, 1234 * 8);
	assert_int_equal(found.avail_files, 77);
	assert_int_equal(found.objects, OBJECTS);
	assert_int_equal(found.blocks, OBJECTS * 8);
	for (size_t i = 0; i < found.count; i++) {
		const struct volume *v = &found.items[i];
		bool first = streq(v->key, "Ivolume0");

		assert_true(first || streq(v->key, "Ivolume1"));
		assert_int_equal(v->objects, OBJECTS / 2);
		assert_int_equal(v->blocks, OBJECTS / 2 * 8);
		assert_int_equal(v->oldest, (first ? 1000000 : 1000001) * INT64_C(1000000000));
		assert_int_equal(v->live, !first);
	}
	volumes_clear(&found);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(test_bytes),
		test(test_bytes_are_rounded_up),
		test(test_bytes_and_files),
		test(test_more_than_there_is),
		test(test_all),
		test(test_older_than),
		test(test_some_that_are_older),
		test(test_volumes),
		test(test_bytes_of_a_volume),
		test(test_busy_stay),
		test(test_dead),
		test(test_orphans),
		test(test_old_ones_of_orphans),
		test(test_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
