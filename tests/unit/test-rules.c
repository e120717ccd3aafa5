/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cycles for quotas and rules, and what a cycle leaves chosen for the next one. That the right ones
 * go is compared with a model in test-model.c.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cull-tree.h"

#define OBJECTS 640

static void fill(void)
{
	for (unsigned int i = 0; i < OBJECTS; i++)
		make_object(i);
	tree_rules = rules_new();
	assert_non_null(tree_rules);
}

static void add_rule(const struct rule *rule)
{
	unsigned int line;

	assert_int_equal(rules_add(tree_rules, rule, &line), 0);
}

/* 640 objects of 4096 bytes; down to a 32nd below the quota. */
static void test_max_size(void **state)
{
	struct volumes left;
	struct cull_result r;

	fill();
	tree_rules->max_size = 320 * 4096;
	r = enforce(&left);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.scans, 1);
	assert_gone(0, OBJECTS - 310, OBJECTS);
	assert_int_equal(left.objects, 310); /* as it is now, not as the scan found it */
	assert_int_equal(left.blocks, 310 * 8);
	volumes_clear(&left);
}

static void test_within_quotas(void **state)
{
	fill();
	fake.avail = 1000;
	tree_rules->max_size = OBJECTS * 4096;
	tree_rules->max_files = OBJECTS;
	tree_rules->min_free = 1000 * 4096;
	assert_int_equal(enforce(NULL).culled, 0);
	assert_int_equal(fake.asked, 0);
}

static void test_max_files(void **state)
{
	fill();
	tree_rules->max_files = 320;
	assert_int_equal(enforce(NULL).culled, OBJECTS - 310);
	assert_gone(0, OBJECTS - 310, OBJECTS);
}

/* More goes than the first scan, which knew no demand, has chosen. */
static void test_more_than_the_spare(void **state)
{
	for (unsigned int i = 0; i < 2000; i++)
		make_object(i);
	tree_rules = rules_new();
	tree_rules->max_files = 1000;
	assert_int_equal(enforce(NULL).culled, 1031);
	assert_gone(0, 1031, 2000);
}

static void test_min_free(void **state)
{
	struct cull_result r;

	fill();
	fake.avail = 300;
	tree_rules->min_free = 320 * 4096;
	r = enforce(NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_gone(0, 30, OBJECTS); /* to a 32nd above */
}

/* Objects were last used a second apart. */
static void test_max_age(void **state)
{
	struct cull_result r;
	unsigned int later;
	uint64_t now;

	fill();
	now = (uint64_t)time(NULL);
	tree_rules->max_age = now - 1000000 - 99;
	r = enforce(NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	/* The clock goes on, on a busy machine by many seconds. */
	later = (unsigned int)((uint64_t)time(NULL) - now);
	assert_false(object_exists(99));
	for (unsigned int i = 101 + later; i < OBJECTS; i++)
		assert_true(object_exists(i));
}

static void test_age_of_a_volume(void **state)
{
	fill();
	add_rule(&(struct rule){.pattern = (char[]){"*1"}, .max_age = 3600});
	assert_int_equal(enforce(NULL).culled, OBJECTS / 2);
	assert_true(object_exists(0));
	assert_false(object_exists(1));
}

/* One that is too large is walked by itself, and the other one loses nothing. */
static void test_size_of_a_volume(void **state)
{
	struct cull_result r;

	fill();
	add_rule(&(struct rule){.pattern = (char[]){"volume1"}, .max_size = 64 * 4096});
	r = enforce(NULL);
	assert_int_equal(r.end, CULL_ENOUGH);
	assert_int_equal(r.scans, 1);
	assert_int_equal(r.volume_scans, 1);
	for (unsigned int i = 0; i < OBJECTS; i++)
		assert_int_equal(object_exists(i), i % 2 == 0 || i >= OBJECTS - 2 * 62);
}

/* The limits and the quotas are not added up: what is culled is good for both. */
static void test_limits_and_quotas(void **state)
{
	fill();
	tree_rules->max_files = 600; /* 59 must go */
	assert_int_equal(cycle(100, 0, NULL).culled, 100);
	assert_gone(0, 100, OBJECTS);
}

static void test_pinned_against_orders(void **state)
{
	const struct cull_order order = {.all = true};

	fill();
	add_rule(&(struct rule){.pattern = (char[]){"volume0"}, .pin = true});
	assert_int_equal(obey(&order, NULL).culled, OBJECTS / 2);
	assert_true(object_exists(0));
}

static void test_low_priority_first(void **state)
{
	fill();
	add_rule(&(struct rule){.pattern = (char[]){"volume0"}, .priority = 6});
	assert_int_equal(cycle(OBJECTS / 2, 0, NULL).culled, OBJECTS / 2);
	for (unsigned int i = 0; i < OBJECTS; i++)
		assert_int_equal(object_exists(i), i % 2 == 0);
}

/* ---- what lasts ---- */

static void test_next_cycles_need_no_scan(void **state)
{
	struct cull_result r;

	fill();
	assert_int_equal(cycle(50, 0, NULL).scans, 1);
	for (unsigned int i = 2; i <= 4; i++) {
		r = cycle(50 * i, 0, NULL);
		assert_int_equal(r.end, CULL_ENOUGH);
		assert_int_equal(r.scans, 0);
		assert_gone(0, 50 * i, OBJECTS);
	}
	/* The last object, and then there is nothing. */
	r = cycle(OBJECTS + 10, 0, NULL);
	assert_int_equal(r.end, CULL_EXHAUSTED);
	assert_gone(0, OBJECTS, OBJECTS);
}

static enum cull_verdict busy_below_20(const char *name, int *ret_error)
{
	return strtoul(name + 1, NULL, 10) < 20 ? CULL_BUSY : CULL_DONE;
}

/* They are the oldest still when the next cycle comes. */
static void test_those_in_use_have_their_turn_again(void **state)
{
	fill();
	fake.verdict = busy_below_20;
	assert_int_equal(cycle(50, 0, NULL).busy, 20);
	assert_gone(20, 70, OBJECTS);
	fake.verdict = NULL;
	assert_int_equal(cycle(60, 0, NULL).scans, 0);
	for (unsigned int i = 0; i < 10; i++)
		assert_false(object_exists(i));
	assert_true(object_exists(10));
	assert_true(object_exists(70));
}

/* Used since it was chosen: seen when its turn comes. */
static void test_used_between_cycles(void **state)
{
	struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
	char path[256];

	fill();
	cycle(50, 0, NULL);
	snprintf(path, sizeof(path), "%s/cache/Ivolume1/@01/D0051", root);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_int_equal(cycle(60, 0, NULL).touched, 1);
	assert_true(object_exists(51));
	assert_false(object_exists(60));
	assert_true(object_exists(61));
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(test_max_size),
		test(test_within_quotas),
		test(test_max_files),
		test(test_more_than_the_spare),
		test(test_min_free),
		test(test_max_age),
		test(test_age_of_a_volume),
		test(test_size_of_a_volume),
		test(test_limits_and_quotas),
		test(test_pinned_against_orders),
		test(test_low_priority_first),
		test(test_next_cycles_need_no_scan),
		test(test_those_in_use_have_their_turn_again),
		test(test_used_between_cycles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
