/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cull-tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cmocka.h>

/* ---- the filesystem and the device as the cycle sees them ---- */

struct cull_fake fake;
char root[64];

/* The linker alone knows that they are used, and link time optimisation does not ask it. */
__attribute__((used)) int __wrap_fstatvfs64(int fd, struct statvfs *ret);
__attribute__((used)) int __wrap_syncfs(int fd);
__attribute__((used)) int __wrap_device_in_use(int fd, const char *name);
__attribute__((used)) enum cull_verdict __wrap_device_cull(int fd, const char *name,
							   int *ret_error);

int __wrap_fstatvfs64(int fd, struct statvfs *ret)
{
	fake.measurements++;
	*ret = (struct statvfs){
		.f_bsize = 4096,
		.f_frsize = 4096,
		.f_bavail = fake.avail,
		.f_ffree = fake.files,
		.f_flag = fake.read_only ? ST_RDONLY : 0,
	};
	return 0;
}

int __wrap_syncfs(int fd)
{
	fake.syncs++;
	fake.avail += fake.late_avail;
	fake.files += fake.late_files;
	fake.late_avail = fake.late_files = 0;
	return 0;
}

int __wrap_device_in_use(int fd, const char *name)
{
	assert_int_equal(access(name, F_OK), 0); /* relative to the working directory */
	return fake.live && streq(fake.live, name);
}

/* cachefiles_bury_object */
static void bury(const char *name)
{
	char grave[200];

	snprintf(grave, sizeof(grave), "%s/graveyard/%u", root, fake.culls);
	assert_int_equal(rename(name, grave), 0);
}

enum cull_verdict __wrap_device_cull(int fd, const char *name, int *ret_error)
{
	enum cull_verdict verdict = fake.verdict ? fake.verdict(name, ret_error) : CULL_DONE;
	struct stat st;

	fake.asked++;
	if (verdict != CULL_DONE)
		return verdict;
	assert_int_equal(stat(name, &st), 0); /* relative to the working directory */
	if (S_ISDIR(st.st_mode))
		bury(name);
	else
		assert_int_equal(unlink(name), 0);
	snprintf(fake.order[fake.culls++ % ARRAY_SIZE(fake.order)], sizeof(fake.order[0]), "%s",
		 name);
	if (!fake.futile) {
		*(fake.late ? &fake.late_avail : &fake.avail) += (uint64_t)st.st_blocks / 8;
		*(fake.late ? &fake.late_files : &fake.files) += 1;
	}
	return CULL_DONE;
}

/* ---- the tree ---- */

static int home;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void make_object(unsigned int i)
{
	struct timespec times[2] = {{1000000 + i, 0}, {1, 0}};
	char path[256], block[4096] = "x";
	int fd;

	snprintf(path, sizeof(path), "%s/cache/Ivolume%u", root, i % 2);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/cache/Ivolume%u/@%02x", root, i % 2, i / 2 % 4);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/cache/Ivolume%u/@%02x/D%04u", root, i % 2, i / 2 % 4, i);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

bool object_exists(unsigned int i)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/cache/Ivolume%u/@%02x/D%04u", root, i % 2, i / 2 % 4, i);
	return access(path, F_OK) == 0;
}

int set_up(void **state)
{
	char path[128];

	memset(&fake, 0, sizeof(fake));
	home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(root, sizeof(root), "%s/cull.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp");
	if (!mkdtemp(root))
		return -1;
	snprintf(path, sizeof(path), "%s/cache", root);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/graveyard", root);
	return mkdir(path, 0700);
}

int tear_down(void **state)
{
	if (fchdir(home) < 0)
		return -1;
	close(home);
	selection_clear(&tree_selection);
	tree_rules = rules_drop(tree_rules);
	return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

struct rules *tree_rules;
struct selection tree_selection;

static struct cull_result run(struct cull_cycle *c, const atomic_bool *stop, struct volumes *ret)
{
	static const atomic_bool never;
	struct store store;

	c->device = -1;
	c->store = &store;
	c->rules = tree_rules;
	c->selection = &tree_selection;
	c->memory = 1 << 20;
	c->stop = stop ? stop : &never;
	assert_int_equal(store_open(&store, root), 0);
	cull_run(c);
	store_close(&store);
	assert_int_equal(c->progress.culled_files, c->result.culled);
	assert_int_equal(c->progress.culled_bytes, c->result.blocks * 512);
	assert_int_equal(c->progress.busy, c->result.busy);
	if (ret)
		*ret = c->volumes;
	else
		volumes_clear(&c->volumes);
	return c->result;
}

struct cull_result cycle(uint64_t brun, uint64_t frun, const atomic_bool *stop)
{
	struct cull_cycle c = {
		.purpose = CULL_FOR_LIMITS,
		.limits = {.cull = true, .brun = brun, .frun = frun},
	};

	return run(&c, stop, NULL);
}

struct cull_result enforce(struct volumes *ret)
{
	struct cull_cycle c = {.purpose = CULL_FOR_RULES};

	return run(&c, NULL, ret);
}

struct cull_result obey(const struct cull_order *order, struct volumes *ret)
{
	struct cull_cycle c = {
		.purpose = order ? CULL_FOR_ORDER : CULL_TO_LOOK,
		.order = order,
	};

	return run(&c, NULL, ret);
}

void assert_gone(unsigned int from, unsigned int to, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(object_exists(i), i < from || i >= to);
}
