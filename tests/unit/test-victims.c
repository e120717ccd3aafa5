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
	unsigned int priority;
	char name[24];
};

static int by_used(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
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

/* What is brought to the front bit by bit comes in the same order in the end. */
static void parts(struct victims *v, const struct object *objects)
{
	for (size_t at = 0; at < v->count;) {
		uint64_t blocks = (uint64_t)lrand48() % 300, files = 1 + (uint64_t)lrand48() % 50;
		size_t n = victims_front(v, at, blocks, files), wanted = 0;

		for (uint64_t sum = 0; at + wanted < v->count && (sum < blocks || wanted < files);)
			sum += objects[at + wanted++].blocks;
		assert_int_equal(n, wanted);
		victims_sort(v, at, n);
		at += n;
	}
	compare(v, objects, v->count);
}

static void test_random(void **state)
{
	static struct object objects[6000];
	struct victims v = {0};

	srand48(20241);
	for (int round = 0; round < ROUNDS; round++) {
		/* Some are so large that what is superfluous is thrown out on the way. */
		size_t n = (size_t)(lrand48() % (round % 100 == 0 ? 6000 : 100));
		uint64_t blocks = (uint64_t)lrand48() % 4000, files = (uint64_t)lrand48() % 100;

		victims_start(&v, blocks, files, 1 << 20);
		for (size_t i = 0; i < n; i++) {
			struct object *o = &objects[i];

			/* Ages differ: which of two equal ones goes is nobody's business. */
			o->used = (lrand48() % 100000) * 1000 + (int64_t)i;
			o->blocks = (uint32_t)lrand48() % 32;
			o->dir = (uint32_t)lrand48() % 512;
			o->priority = (unsigned int)lrand48() % 3;
			snprintf(o->name, sizeof(o->name), "D%.*zu", 1 + (int)(lrand48() % 12), i);
			assert_true(victims_offer(&v, o->priority, o->used, o->blocks, o->dir,
						  o->name) >= 0);
		}
		victims_finish(&v);
		victims_sort(&v, 0, v.count);
		compare(&v, objects, model(objects, n, blocks, files));
		assert_false(v.full);
		assert_int_equal(v.closed, v.count < n);
		parts(&v, objects);
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
		assert_true(victims_offer(&v, o->priority, o->used, o->blocks, o->dir, o->name) >=
			    0);
		assert_true(v.room * sizeof(struct victim) + v.arena_room <= memory);
	}
	victims_finish(&v);
	victims_sort(&v, 0, v.count);
	assert_true(v.full);
	bytes = v.room * sizeof(struct victim) + v.arena_room;
	assert_true(bytes <= memory);
	bytes = v.count * sizeof(struct victim);
	for (size_t i = 0; i < v.count; i++)
		bytes += strlen(victims_name(&v, &v.items[i])) + 1;
	assert_true(bytes > memory / 2);
	qsort(objects, ARRAY_SIZE(objects), sizeof(*objects), by_used);
	compare(&v, objects, v.count);
	victims_free(&v);
}

static void test_wants(void **state)
{
	struct victims v = {0};
	char name[16];

	victims_start(&v, 10, 0, 1 << 20);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "D%d", i);
		assert_true(victims_offer(&v, 1, 10000 - i, 1, 0, name) >= 0);
	}
	assert_true(v.closed);
	assert_true(victims_wants(&v, 1, 10000 - 5000));
	assert_false(victims_wants(&v, 1, 10000 - 1000)); /* there is enough that is older */
	assert_false(victims_wants(&v, 2, 0));		  /* and of a lower priority */
	assert_true(victims_wants(&v, 0, 10000));
	assert_int_equal(victims_offer(&v, 2, 0, 1, 0, "Dx"), 0);
	victims_finish(&v);
	victims_sort(&v, 0, v.count);
	assert_int_equal(v.count, 10);
	assert_string_equal(victims_name(&v, &v.items[0]), "D4999");
	victims_free(&v);
}

/* Nothing is wanted: nothing is chosen. */
static void test_nothing(void **state)
{
	struct victims v = {0};

	victims_start(&v, 0, 0, 1 << 20);
	for (int i = 0; i < 3000; i++)
		assert_true(victims_offer(&v, 0, i, 1, 0, "Dx") >= 0);
	victims_finish(&v);
	assert_int_equal(v.count, 0);
	assert_int_equal(victims_front(&v, 0, 5, 5), 0);
	victims_free(&v);
}

static void test_group(void **state)
{
	struct victims v = {0};

	victims_start(&v, UINT64_MAX, UINT64_MAX, 1 << 20);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(victims_offer(&v, 0, 1000 + i, 1, i % 7, "Dx"), 1);
	victims_sort(&v, 0, v.count);
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
		cmocka_unit_test(test_random), cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_wants),  cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
