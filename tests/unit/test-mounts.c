/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a volume's name to the mount's source, by lists as the kernel writes them.
 */
#include "scratch.h"

#include <stdio.h>

#include "mounts.h"

static const char nfs[] =
	"NV SERVER   PORT DEV          FSID                              FSC\n"
	"v4 0a000202  801 0:47         1a:0                              yes\n"
	"v3 0a000202  801 0:48         1a:0                              yes\n"
	"v4 fd000000000000000000000000000001  801 0:49         af5ad5e6d5d2bbf:c0de yes\n"
	"v4 0a000203  801 0:50         1a:0                              yes\n"
	"v4 zz000203  801 0:47         1b:0                              yes\n"
	"v4 0a0002\n"
	"rubbish\n";

static const char mountinfo[] =
	"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
	"30 22 0:47 / /home rw,relatime shared:2 - nfs4 nas:/export/home rw,vers=4.2,fsc\n"
	"31 22 0:48 / /old rw,relatime shared:3 - nfs nas:/old\\040one rw,vers=3,fsc\n"
	"32 22 0:49 / /six rw,relatime shared:4 - nfs4 [fd00::1]:/six rw,vers=4.2,fsc\n";

static void write_file(const char *path, const char *text)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	fputs(text, to);
	assert_int_equal(fclose(to), 0);
}

static void check(struct mounts *m, const char *name, const char *source)
{
	const char *got = mounts_source(m, name);

	if (!source)
		assert_null(got);
	else if (!got)
		fail_msg("%s is not mounted", name);
	else
		assert_string_equal(got, source);
}

static void sources(void **state)
{
	const char *place = scratch_dir();
	struct mounts *m;

	make_dir(scratch("fs"), 0755);
	make_dir(scratch("fs/nfsfs"), 0755);
	make_dir(scratch("self"), 0755);
	m = mounts_read(place); /* a system without NFS */
	check(m, "nfs4.2:10.0.2.2:1a:0", NULL);
	m = mounts_free(m);

	write_file(scratch("fs/nfsfs/volumes"), nfs);
	m = mounts_read(place); /* without a list of mounts */
	check(m, "nfs4.2:10.0.2.2:1a:0", NULL);
	mounts_free(m);

	write_file(scratch("self/mountinfo"), mountinfo);
	m = mounts_read(place);
	check(m, "nfs4.2:10.0.2.2:1a:0", "nas:/export/home");
	check(m, "nfs4.1:10.0.2.2@20049:1a:0", "nas:/export/home");
	check(m, "nfs3.0:10.0.2.2:1a:0", "nas:/old one");
	check(m, "nfs4.2:fd00::1:af5ad5e6d5d2bbf:c0de", "[fd00::1]:/six");
	check(m, "nfs4.2:10.0.2.3:1a:0", NULL); /* no mount of this namespace */
	check(m, "nfs4.2:10.0.2.2:1a:1", NULL);
	check(m, "nfs4.2:10.0.2.2:1a", NULL);
	check(m, "nfs4.2:10.0.2.20:1a:0", NULL);
	check(m, "nfs4.2:10.0.2.2", NULL);
	check(m, "nfs4", NULL);
	check(m, "cifs:nas:share", NULL);
	check(m, "", NULL);
	mounts_free(m);
	check(NULL, "nfs4.2:10.0.2.2:1a:0", NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sources, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
