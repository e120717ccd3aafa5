/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volumes: what their keys say, which patterns are theirs, which are orphans, and that the table
 * has an end. The keys are those that Linux 6.1 was seen to make.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "volumes.h"

#define NFS4	"Infs,4.2,2,,202000a,6c0f2f3e,aaaa5555,,,80000,80000,bb8,ea60,7530,ea60,1"
#define NFS4_RO "Infs,4.2,2,,202000a,6c0f2f3e,aaaa5555,1,,80000,80000,bb8,ea60,7530,ea60,1"
#define NFS4_UP "Infs,4.2,2,,202000a,6c0f2f3e,aaaa555,,,80000,80000,bb8,ea60,7530,ea60,1"
#define NFS6	"Infs,3.0,a,108,80fe,,,1000000,1f,,,,20000,20000,bb8,ea60,7530,ea60,1"

static void test_names(void **state)
{
	static const struct {
		const char *key, *name;
	} cases[] = {
		{NFS4, "nfs4.2:10.0.2.2:6c0f2f3e:aaaa5555"},
		{NFS4_RO, "nfs4.2:10.0.2.2:6c0f2f3e:aaaa5555"},
		{NFS6, "nfs3.0:fe80::1@2049:1f:0"},
		{"Infs,4.2,2,108,,,", "nfs4.2:0.0.0.0@2049:0:0"},
		{"Icifs,server,share", "cifs:server:share"},
		{"I9p,exports,tag", "9p:exports:tag"},
		{"Iafs,example.org,20000001", "afs:example.org:20000001"},
		{"Iceph,0d2f-11", "ceph:0d2f-11"},
		/* Not as the kernel would write them. */
		{"Infs,4.2,2,,202000a", "nfs,4.2,2,,202000a"},
		{"Infs,4.2,1,,202000a,1,1,", "nfs,4.2,1,,202000a,1,1,"},
		{"Infs,4.2,2,,20x2000a,1,1,", "nfs,4.2,2,,20x2000a,1,1,"},
		{"Infs", "nfs"},
		{"Ivolume,\xff\x1b", "volume,\\xff\\x1b"},
		{"I", ""},
	};
	char longest[300];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(volume_readable(cases[i].key).text, cases[i].name);
	memset(longest, '\xff', sizeof(longest));
	longest[255] = '\0';
	assert_true(strlen(volume_readable(longest).text) < sizeof(struct volume_name));
}

static void test_patterns(void **state)
{
	assert_true(volume_matches("*", NFS4));
	assert_true(volume_matches("nfs4.2:10.0.2.2:*", NFS4));
	assert_true(volume_matches("nfs,4.2,2,*", NFS4)); /* the key, without I */
	assert_true(volume_matches("*:10.0.2.?:*", NFS4));
	assert_true(volume_matches("nfs[34].*", NFS6));
	assert_false(volume_matches("nfs4.2", NFS4)); /* a pattern is of the whole */
	assert_true(volume_matches("Infs*", NFS4));
	assert_false(volume_matches("cifs:*", NFS4));
	assert_true(volume_matches("cifs:server/*", "Icifs,server/a/b,x"));
}

static void add(struct volumes *v, const char *key, bool live)
{
	struct volume *volume = volumes_add(v, key);

	assert_non_null(volume);
	volume->live = live;
}

/* The same server and export, other mount options, nobody mounts it: an orphan. */
static void test_orphans(void **state)
{
	struct volumes v = {0};

	add(&v, NFS4, false);
	add(&v, NFS4_UP, false); /* an fsid that begins like that one */
	add(&v, NFS6, false);
	add(&v, "Icifs,server,share", false);
	volumes_find_orphans(&v);
	for (size_t i = 0; i < v.count; i++)
		assert_false(v.items[i].orphan); /* nothing is mounted: nobody knows */
	add(&v, NFS4_RO, true);
	add(&v, "Icifs,server,share2", true);
	volumes_find_orphans(&v);
	assert_true(v.items[0].orphan);
	for (size_t i = 1; i < v.count; i++)
		assert_false(v.items[i].orphan);
	v.items[0].live = true; /* mounted twice, with different options */
	volumes_find_orphans(&v);
	assert_false(v.items[0].orphan);
	volumes_clear(&v);
}

static void test_counts(void **state)
{
	struct volumes v = {0};
	char key[32];

	for (unsigned int i = 0; i < VOLUMES_MAX + 1000; i++) {
		struct volume *volume;

		snprintf(key, sizeof(key), "Ivolume%u", i);
		volume = volumes_add(&v, key);
		assert_non_null(volume);
		volumes_count(&v, volume, 5000 + i, 8);
		volumes_count(&v, volume, 1000 - (i & 0xff), 16);
		assert_int_equal(volume->rule, -1);
	}
	assert_int_equal(v.count, VOLUMES_MAX);
	assert_int_equal(v.other_count, 1000);
	assert_int_equal(v.others.objects, 2000);
	assert_int_equal(v.others.blocks, 24000);
	assert_int_equal(v.objects, 2 * (VOLUMES_MAX + 1000));
	assert_int_equal(v.blocks, 24 * (VOLUMES_MAX + 1000));
	assert_int_equal(v.oldest, 1000 - 0xff);
	assert_string_equal(v.items[3].key, "Ivolume3");
	assert_int_equal(v.items[3].objects, 2);
	assert_int_equal(v.items[3].oldest, 997);
	assert_int_equal(v.items[3].newest, 5003);
	volumes_clear(&v);
	assert_int_equal(v.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
