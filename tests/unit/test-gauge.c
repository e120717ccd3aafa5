/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gauge, with a clock of the test's: when a rule wants a cycle, when a scan ahead is due, and
 * when somebody has to look again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gauge.h"

#define GIB (UINT64_C(1) << 21) /* in blocks of 512 bytes */

static const struct device_state no_limits;

/* 10 GiB are available, a filesystem of 100; nothing is known. */
static struct gauge fresh(const struct rules *rules)
{
	const struct volumes none = {0};
	struct gauge_space space = {10 * GIB, 1000000, 90 * GIB, 5000};
	struct gauge g;

	gauge_reset(&g);
	gauge_apply(&g, &none, rules);
	gauge_look(&g, 1000, &space);
	return g;
}

/* The next look, so many ms later: so much became less. */
static void later(struct gauge *g, uint64_t ms, uint64_t blocks, uint64_t files)
{
	struct gauge_space space = g->space;

	space.avail_blocks -= blocks;
	space.avail_files -= files;
	gauge_look(g, g->looked_ms + ms, &space);
}

/* A cycle found so much, in one volume whose oldest object was used at that second. */
static void scanned(struct gauge *g, const struct rules *rules, uint64_t blocks, uint64_t files,
		    int64_t oldest)
{
	struct volume volume = {
		.key = (char[]){"Ivolume"},
		.objects = files,
		.blocks = blocks,
		.oldest = oldest * 1000000000,
	};
	struct volumes v = {
		.items = &volume,
		.count = 1,
		.blocks = blocks,
		.objects = files,
		.avail_blocks = g->space.avail_blocks,
		.avail_files = g->space.avail_files,
		.taken_ms = g->looked_ms,
	};

	gauge_scanned(g, &v, 2000);
	gauge_apply(g, &v, rules);
}

static bool wants(const struct gauge *g, const struct rules *rules)
{
	return gauge_wants_cycle(g, rules, g->looked_ms, 1000000);
}

static void test_nothing_asked(void **state)
{
	const struct rules rules = {0};
	struct gauge g = fresh(&rules);

	later(&g, 30000, 9 * GIB, 1000);
	assert_false(wants(&g, &rules));
	assert_int_equal(gauge_next(&g, &rules, &no_limits, 8), 0);
}

static void test_max_size(void **state)
{
	const struct rules rules = {.max_size = 50 * GIB * 512},
			   ample = {.max_size = 95 * GIB * 512};
	struct gauge g = fresh(&rules);

	/* It may hold as much as all that is there: a scan has to tell. */
	assert_true(wants(&g, &rules));
	assert_false(wants(&g, &ample)); /* more than all that is there */
	scanned(&g, &rules, 45 * GIB, 1000, 0);
	assert_false(wants(&g, &rules));
	later(&g, 30000, 4 * GIB, 10);
	assert_false(wants(&g, &rules));
	assert_int_equal(gauge_usage(&g).blocks, 49 * GIB);
	assert_int_equal(gauge_usage(&g).files, 1010);
	later(&g, 30000, 2 * GIB, 0);
	assert_true(wants(&g, &rules));
	scanned(&g, &rules, 45 * GIB, 1000, 0); /* it was somebody else's */
	assert_false(wants(&g, &rules));
}

static void test_max_files(void **state)
{
	const struct rules rules = {.max_files = 1000};
	struct gauge g = fresh(&rules);

	assert_true(wants(&g, &rules));
	scanned(&g, &rules, 1, 990, 0);
	later(&g, 30000, 0, 10);
	assert_false(wants(&g, &rules));
	later(&g, 30000, 0, 1);
	assert_true(wants(&g, &rules));
}

static void test_min_free(void **state)
{
	const struct rules rules = {.min_free = 5 * GIB * 512};
	struct gauge g = fresh(&rules);

	assert_false(wants(&g, &rules));
	later(&g, 30000, 5 * GIB, 0);
	assert_false(wants(&g, &rules));
	later(&g, 30000, 1, 0);
	assert_true(wants(&g, &rules));
}

static void test_max_age(void **state)
{
	const struct rules rules = {.max_age = 3600};
	struct gauge g = fresh(&rules);

	assert_true(wants(&g, &rules)); /* nobody knows how old they are */
	scanned(&g, &rules, 1, 1, 1000000 - 3500);
	assert_false(gauge_wants_cycle(&g, &rules, g.looked_ms, 1000099));
	assert_true(gauge_wants_cycle(&g, &rules, g.looked_ms, 1000100));
	scanned(&g, &rules, 0, 0, 0); /* an empty one */
	assert_false(gauge_wants_cycle(&g, &rules, g.looked_ms, INT64_MAX / 2));
}

static void test_volume(void **state)
{
	struct rule items[] = {{.pattern = (char[]){"volume"}, .max_size = 20 * GIB * 512},
			       {.pattern = (char[]){"pinned"}, .pin = true}};
	const struct rules rules = {.items = items, .count = 2};
	struct gauge g = fresh(&rules);

	assert_true(wants(&g, &rules));
	scanned(&g, &rules, 18 * GIB, 1000, 0);
	later(&g, 30000, 2 * GIB, 0);
	assert_false(wants(&g, &rules));
	later(&g, 30000, 1, 0); /* all of it may be that volume's */
	assert_true(wants(&g, &rules));
	items[0].pin = true; /* but what is pinned is left alone */
	items[0].max_size = 0;
	scanned(&g, &rules, 18 * GIB, 1000, 0);
	later(&g, 30000, 6 * GIB, 0);
	assert_false(wants(&g, &rules));
}

/* A cycle that did not help is not tried again at once, and ever less often. */
static void test_backs_off(void **state)
{
	const struct rules rules = {.min_free = 50 * GIB * 512};
	struct gauge g = fresh(&rules);
	uint64_t now = g.looked_ms, waits[8];

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		assert_true(gauge_wants_cycle(&g, &rules, now, 0));
		gauge_tried(&g, now, false);
		assert_int_equal(gauge_next(&g, &rules, &no_limits, 8), 0);
		for (waits[i] = 0; !gauge_wants_cycle(&g, &rules, now, 0); waits[i]++)
			now += 1000;
		assert_true(i == 0 || waits[i] >= waits[i - 1]);
	}
	assert_int_equal(waits[0], 60);
	assert_int_equal(waits[1], 120);
	assert_int_equal(waits[7], 3600);
	gauge_tried(&g, now, true);
	assert_true(gauge_wants_cycle(&g, &rules, now, 0));
	gauge_tried(&g, now, false);
	assert_true(gauge_wants_cycle(&g, &rules, now + 60000, 0));
}

/* The rate says that the limit is near: somebody looks, and a scan is made ahead. */
static void test_fill_rate(void **state)
{
	const struct rules rules = {0};
	const struct device_state limits = {.bcull = 4 * GIB / 8, .brun = 5 * GIB / 8};
	struct gauge g = fresh(&rules);

	assert_false(gauge_nears(&g, &limits, 8));
	/* 1 GiB in 30 s, and 5 are left: 150 s. */
	later(&g, 30000, GIB, 0);
	assert_false(gauge_nears(&g, &limits, 8));
	assert_int_equal(gauge_next(&g, &rules, &limits, 8), 0);
	/* 3 GiB in 30 s, and 2 are left: 20 s. */
	later(&g, 30000, 3 * GIB, 0);
	assert_true(gauge_nears(&g, &limits, 8));
	assert_in_range(gauge_next(&g, &rules, &limits, 8), 9000, 11000);
	/* It stops. */
	later(&g, 10000, 0, 0);
	assert_false(gauge_nears(&g, &limits, 8));
	assert_int_equal(gauge_next(&g, &rules, &limits, 8), 0);
	/* And goes on at full speed. */
	later(&g, 10000, GIB + GIB / 2, 0);
	assert_true(gauge_nears(&g, &limits, 8));
	later(&g, 3000, GIB / 2, 0);
	assert_int_equal(gauge_next(&g, &rules, &limits, 8), 1000);
}

static void test_fill_rate_of_files(void **state)
{
	const struct rules rules = {0};
	const struct device_state limits = {.fcull = 900000};
	struct gauge g = fresh(&rules);

	later(&g, 30000, 0, 30000);
	assert_false(gauge_nears(&g, &limits, 8)); /* 70 s, and a scan takes no time yet known */
	scanned(&g, &rules, 1, 1, 0);
	g.took_ms = 6000;
	assert_true(gauge_nears(&g, &limits, 8));
}

/* A filesystem at rest, or that gets emptier, wakes nobody. */
static void test_idle(void **state)
{
	const struct rules rules = {
		.max_size = 50 * GIB * 512, .min_free = GIB * 512, .max_age = 60};
	const struct device_state limits = {.bcull = 9 * GIB / 8, .fcull = 900000};
	struct gauge g = fresh(&rules);

	scanned(&g, &rules, 49 * GIB, 100, 1000000);
	for (int i = 0; i < 100; i++) {
		later(&g, 30000, 0, 0);
		assert_int_equal(gauge_next(&g, &rules, &limits, 8), 0);
		assert_false(gauge_nears(&g, &limits, 8));
		assert_false(wants(&g, &rules));
	}
	g.space.avail_blocks -= GIB;
	later(&g, 30000, -GIB, 0);
	assert_int_equal(gauge_next(&g, &rules, &limits, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_asked),
		cmocka_unit_test(test_max_size),
		cmocka_unit_test(test_max_files),
		cmocka_unit_test(test_min_free),
		cmocka_unit_test(test_max_age),
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_backs_off),
		cmocka_unit_test(test_fill_rate),
		cmocka_unit_test(test_fill_rate_of_files),
		cmocka_unit_test(test_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
