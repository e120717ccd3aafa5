/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cull cycles against a model that sorts everything: random trees with rules, quotas, limits,
 * objects in use and objects that are used while the cycle runs. The same must go, in an order that
 * the batches allow, and the cycle must stop at the same object; what is pinned or in use stays.
 *
 *	test-model [TREES [SEED]]
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cull-tree.h"

#define TREES	    300
#define OBJECTS_MAX 120
#define VOLUMES	    4
#define BLOCK	    4096

static unsigned int trees = TREES;
static uint64_t state = 1;

/* splitmix64 */
static unsigned int draw(unsigned int n)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned int)((z ^ z >> 31) % n);
}

struct object {
	unsigned int number, volume, fanout;
	unsigned int blocks; /* of 4096 bytes */
	int64_t age;	     /* seconds; each another one */
	bool busy;
	bool touched; /* used when the first one is culled */
	bool there;   /* by the model */
};

static struct object objects[OBJECTS_MAX];
static size_t count;
static bool first; /* nothing was culled yet */

static void path_of(const struct object *o, char *path, size_t size)
{
	snprintf(path, size, "%s/cache/Iv%u/@%02x/D%04u", root, o->volume, o->fanout, o->number);
}

static void make(const struct object *o, int64_t now)
{
	struct timespec times[2] = {{now - o->age, 0}, {1, 0}};
	static char data[16 * BLOCK];
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/cache/Iv%u", root, o->volume);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/cache/Iv%u/@%02x", root, o->volume, o->fanout);
	mkdir(path, 0700);
	path_of(o, path, sizeof(path));
	memset(data, 'x', sizeof(data));
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, o->blocks * BLOCK), o->blocks * BLOCK);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static bool exists(const struct object *o)
{
	char path[256];

	path_of(o, path, sizeof(path));
	return access(path, F_OK) == 0;
}

/* Somebody reads some of them while the first one is being culled. */
static void touch_some(const struct object *taken)
{
	struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
	char path[256];

	for (size_t i = 0; i < count; i++) {
		path_of(&objects[i], path, sizeof(path));
		if (&objects[i] == taken) /* too late for that one */
			objects[i].touched = false;
		else if (objects[i].touched)
			assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
}

static enum cull_verdict verdict(const char *name, int *ret_error)
{
	const struct object *o = &objects[strtoul(name + 1, NULL, 10)];

	if (first)
		touch_some(o);
	first = false;
	return o->busy ? CULL_BUSY : CULL_DONE;
}

/* ---- the model ---- */

struct model {
	uint64_t avail, files; /* of the filesystem */
	uint64_t brun, frun;
	uint64_t culled;
};

static int by_order(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
	struct rule p = rules_get(tree_rules, (int)x->volume), q;

	q = rules_get(tree_rules, (int)y->volume);
	if (p.priority != q.priority)
		return p.priority < q.priority ? -1 : 1;
	return (x->age < y->age) - (x->age > y->age);
}

static void take(struct model *m, struct object *o)
{
	o->there = false;
	m->avail += o->blocks;
	m->files++;
	m->culled++;
}

static bool may_go(const struct object *o)
{
	return o->there && !o->busy && !o->touched && !rules_get(tree_rules, (int)o->volume).pin;
}

/* In the order in which they go. */
static size_t sorted(struct object **ret, unsigned int volume)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (objects[i].there && (volume == VOLUMES || objects[i].volume == volume))
			ret[n++] = &objects[i];
	qsort(ret, n, sizeof(*ret), by_order);
	return n;
}

static uint64_t held(unsigned int volume)
{
	uint64_t blocks = 0;

	for (size_t i = 0; i < count; i++)
		if (objects[i].there && (volume == VOLUMES || objects[i].volume == volume))
			blocks += objects[i].blocks;
	return blocks;
}

/* What is too old goes, whatever else is wanted: on the first scan, before anything was touched. */
static void model_ages(struct model *m)
{
	for (size_t i = 0; i < count; i++) {
		struct object *o = &objects[i];
		struct rule rule = rules_get(tree_rules, (int)o->volume);

		if (o->there && !o->busy && !rule.pin && rule.max_age > 0 &&
		    o->age >= (int64_t)rule.max_age)
			take(m, o);
	}
}

static void model_volume(struct model *m, unsigned int volume)
{
	struct rule rule = rules_get(tree_rules, (int)volume);
	struct object *order[OBJECTS_MAX];
	size_t n = sorted(order, volume);

	if (rule.max_size == 0 || held(volume) <= rule.max_size / BLOCK)
		return;
	/* In 512 bytes, as the daemon reckons. */
	for (size_t i = 0; i < n && held(volume) * 8 > cull_below(rule.max_size) / 512; i++)
		if (may_go(order[i]))
			take(m, order[i]);
}

static size_t there(void)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += objects[i].there;
	return n;
}

static void model_whole(struct model *m, bool over_size, bool over_files)
{
	const struct rules *r = tree_rules;
	struct object *order[OBJECTS_MAX];
	size_t n = sorted(order, VOLUMES), files = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t left = held(VOLUMES) * 8;
		bool wants = m->avail < m->brun || m->files < m->frun ||
			     (over_size && left > cull_below(r->max_size) / 512) ||
			     (over_files && n - files > cull_below(r->max_files));

		if (!wants)
			break;
		if (!may_go(order[i]))
			continue;
		take(m, order[i]);
		files++;
	}
}

static void model_all(struct model *m)
{
	const struct rules *r = tree_rules;
	bool over_size, over_files;

	model_ages(m);
	/* What the scan finds exceeded is culled to below it, also if the volumes' share is enough.
	 */
	over_size = r->max_size > 0 && held(VOLUMES) * 8 > r->max_size / 512;
	over_files = r->max_files > 0 && there() > r->max_files;
	for (unsigned int i = 0; i < VOLUMES; i++)
		model_volume(m, i);
	model_whole(m, over_size, over_files);
}

/* ---- a tree ---- */

/* Ages in seconds are far apart, so that the clock's going on does not matter. */
static void make_tree(void)
{
	int64_t now = (int64_t)time(NULL), age = 1000;
	bool touched = draw(3) == 0;

	count = 1 + draw(OBJECTS_MAX);
	for (size_t i = 0; i < count; i++) {
		age += 300 + (int64_t)draw(1000);
		objects[i] = (struct object){
			.number = (unsigned int)i,
			.volume = draw(VOLUMES),
			.fanout = draw(3),
			.blocks = 1 + draw(16),
			.age = age,
			.busy = draw(8) == 0,
			.touched = touched && draw(8) == 0,
			.there = true,
		};
	}
	for (size_t i = 0; i < count; i++) { /* an order that has nothing to do with the names */
		struct object *other = &objects[draw((unsigned int)count)];
		int64_t swapped = other->age;

		other->age = objects[i].age;
		objects[i].age = swapped;
	}
	for (size_t i = 0; i < count; i++)
		make(&objects[i], now);
}

/* One rule for each volume, in the order of their numbers. */
static void make_rules(void)
{
	int64_t oldest = 0;
	unsigned int line;

	for (size_t i = 0; i < count; i++)
		oldest = MAX(oldest, objects[i].age);
	tree_rules = rules_new();
	assert_non_null(tree_rules);
	for (unsigned int i = 0; i < VOLUMES; i++) {
		char pattern[8];
		struct rule rule = {.pattern = pattern, .priority = RULE_PRIORITY_DEFAULT};

		snprintf(pattern, sizeof(pattern), "v%u", i);
		if (draw(3) == 0)
			rule.priority = draw(10);
		if (draw(4) == 0)
			rule.max_size = (1 + draw(200)) * BLOCK;
		/* Between the ages, which are at least 300 apart. */
		if (draw(4) == 0)
			rule.max_age = (uint64_t)oldest - draw((unsigned int)oldest / 2);
		rule.pin = draw(5) == 0;
		assert_int_equal(rules_add(tree_rules, &rule, &line), 0);
	}
	if (draw(3) == 0)
		tree_rules->max_size = (1 + draw(600)) * BLOCK;
	if (draw(3) == 0)
		tree_rules->max_files = 1 + draw((unsigned int)count);
}

/*
 * A rule's age that lies so near to an object's that the clock decides goes to the middle of the
 * gap above it: ages are at least 300 s apart.
 */
static void move_ages_away(void)
{
	for (unsigned int i = 0; i < VOLUMES; i++) {
		struct rule *rule = &tree_rules->items[i];

		for (size_t j = 0; rule->max_age > 0 && j < count; j++)
			if (llabs(objects[j].age - (int64_t)rule->max_age) < 100)
				rule->max_age = (uint64_t)objects[j].age + 150;
	}
}

static struct model make_model(void)
{
	uint64_t avail = draw(500), files = draw(100);

	return (struct model){
		.avail = avail,
		.files = files,
		.brun = draw(3) ? avail + draw(700) : 0,
		.frun = draw(3) ? files + draw(OBJECTS_MAX) : 0,
	};
}

/* Whether something goes before the selection is worked through. */
static bool has_other_victims(void)
{
	for (size_t i = 0; i < count; i++) {
		struct rule rule = rules_get(tree_rules, (int)objects[i].volume);

		if (rule.max_age > 0 || rule.max_size > 0)
			return true;
	}
	return false;
}

static void compare(const struct model *m, const struct cull_result *r, unsigned int tree)
{
	for (size_t i = 0; i < count; i++) {
		const struct object *o = &objects[i];

		if (exists(o) != o->there)
			fail_msg("tree %u: object %u of volume %u, %lld s old, %s%s%s", tree,
				 o->number, o->volume, (long long)o->age,
				 o->there ? "is gone" : "is there", o->busy ? ", in use" : "",
				 o->touched ? ", touched" : "");
	}
	assert_int_equal(r->culled, m->culled);
	assert_int_equal(fake.avail, m->avail);
	assert_int_equal(fake.files, m->files);
}

static void test_model(void **unused)
{
	for (unsigned int tree = 0; tree < trees; tree++) {
		struct cull_result r;
		struct model m;

		assert_int_equal(set_up(NULL), 0);
		make_tree();
		make_rules();
		move_ages_away();
		m = make_model();
		/* Which are touched before a walk has come to them the model cannot know. */
		for (size_t i = 0; has_other_victims() && i < count; i++)
			objects[i].touched = false;
		fake.verdict = verdict;
		fake.avail = m.avail;
		fake.files = m.files;
		first = true;
		r = cycle(m.brun, m.frun, NULL);
		if (r.scans > 0) {
			model_all(&m);
		}
		compare(&m, &r, tree);
		assert_int_equal(tear_down(NULL), 0);
	}
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

	if (argc > 1)
		trees = (unsigned int)strtoul(argv[1], NULL, 0);
	if (argc > 2)
		state = strtoull(argv[2], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
