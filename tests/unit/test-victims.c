/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The selection against a model that sorts everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "victims.h"

#define ROUNDS 10000

struct object {
	int64_t used;
	uint32_t blocks;
	uint32_t dir;
	char name[24];
};

static int by_used(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	return (x->used > y->used) - (x->used < y->used);
}

/* How many of the oldest cover what is wanted. */
static size_t model(struct object *objects, size_t n, uint64_t blocks, uint64_t files)
{
	uint64_t sum = 0;
	size_t k = 0;

	qsort(objects, n, sizeof(*objects), by_used);
	while (k < n && (sum < blocks || k < files))
		sum += objects[k++].blocks;
	return k;
}

static void compare(const struct victims *v, const struct object *objects, size_t k)
{
	assert_int_equal(v->count, k);
	for (size_t i = 0; i < k; i++) {
		assert_int_equal(v->items[i].used, objects[i].used);
		assert_string_equal(victims_name(v, &v->items[i]), objects[i].name);
		assert_int_equal(v->items[i].blocks, objects[i].blocks);
		assert_int_equal(v->items[i].dir, objects[i].dir);
	}
}

static void test_random(void **state)
{
	static struct object objects[400];
	struct victims v = {0};

	srand48(20241);
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = (size_t)(lrand48() % 400);
		uint64_t blocks = (uint64_t)lrand48() % 4000, files = (uint64_t)lrand48() % 100;

		victims_start(&v, blocks, files, 1 << 20);
		for (size_t i = 0; i < n; i++) {
			struct object *o = &objects[i];

			/* Ages differ: which of two equal ones goes is nobody's business. */
			o->used = (lrand48() % 100000) * 1000 + (int64_t)i;
			o->blocks = (uint32_t)lrand48() % 32;
			o->dir = (uint32_t)lrand48() % 512;
			snprintf(o->name, sizeof(o->name), "D%.*zu", 1 + (int)(lrand48() % 12), i);
			assert_true(victims_offer(&v, o->used, o->blocks, o->dir, o->name) >= 0);
		}
		victims_sort(&v);
		compare(&v, objects, model(objects, n, blocks, files));
		assert_false(v.full);
	}
	victims_free(&v);
}

/* The ceiling: the oldest stay, whatever the order they come in, and memory is kept. */
static void test_ceiling(void **state)
{
	static struct object objects[20000];
	const size_t memory = 40000;
	struct victims v = {0};
	size_t bytes = 0;

	srand48(7);
	victims_start(&v, UINT64_MAX, UINT64_MAX, memory);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		struct object *o = &objects[i];

		*o = (struct object){.used = lrand48() * 32768L + (int64_t)i, .blocks = 1};
		snprintf(o->name, sizeof(o->name), "E%014zu", i);
		assert_true(victims_offer(&v, o->used, o->blocks, o->dir, o->name) >= 0);
	}
	victims_sort(&v);
	assert_true(v.full);
	for (size_t i = 0; i < v.count; i++)
		bytes += sizeof(struct victim) + strlen(victims_name(&v, &v.items[i])) + 1;
	assert_true(bytes <= memory);
	assert_true(bytes > memory - 200);
	qsort(objects, ARRAY_SIZE(objects), sizeof(*objects), by_used);
	compare(&v, objects, v.count);
	victims_free(&v);
}

static void test_wants(void **state)
{
	struct victims v = {0};

	victims_start(&v, 10, 0, 1 << 20);
	assert_true(victims_wants(&v, 5));
	assert_int_equal(victims_offer(&v, 5, 8, 0, "Da"), 1);
	assert_true(victims_wants(&v, 100)); /* not enough yet */
	assert_int_equal(victims_offer(&v, 100, 8, 0, "Db"), 1);
	assert_false(victims_wants(&v, 100));
	assert_int_equal(victims_offer(&v, 200, 8, 0, "Dc"), 0);
	assert_true(victims_wants(&v, 50));
	assert_int_equal(victims_offer(&v, 50, 8, 0, "Dd"), 1); /* and Db goes */
	assert_int_equal(v.count, 2);
	victims_sort(&v);
	assert_string_equal(victims_name(&v, &v.items[1]), "Dd");
	victims_free(&v);
}

static void test_group(void **state)
{
	struct victims v = {0};

	victims_start(&v, UINT64_MAX, UINT64_MAX, 1 << 20);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(victims_offer(&v, 1000 + i, 1, i % 7, "Dx"), 1);
	victims_sort(&v);
	victims_group(&v, 10, 50);
	for (size_t i = 0; i < 100; i++) {
		int64_t used = v.items[i].used;

		/* Outside nothing moves; inside are the same, by directory, then by age. */
		if (i < 10 || i >= 60)
			assert_int_equal(used, 1000 + i);
		else
			assert_true(used >= 1010 && used < 1060);
		if (i > 10 && i < 60) {
			assert_true(v.items[i - 1].dir <= v.items[i].dir);
			if (v.items[i - 1].dir == v.items[i].dir)
				assert_true(v.items[i - 1].used < used);
		}
	}
	victims_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_wants),
		cmocka_unit_test(test_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
