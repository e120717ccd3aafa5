/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache on disk: what a name is for, names made readable, and that nothing outside of the cache
 * is ever opened.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "scratch.h"
#include "store.h"

static void kinds(void **state)
{
	static const struct {
		enum store_level level;
		const char *name;
		unsigned char type;
		enum store_kind kind;
	} table[] = {
		{STORE_IN_CACHE, "Infs,4.2,2,,0,aaaa", DT_DIR, STORE_VOLUME},
		{STORE_IN_CACHE, "I9p,x", DT_UNKNOWN, STORE_VOLUME},
		{STORE_IN_CACHE, "Infs", DT_REG, STORE_FOREIGN},
		{STORE_IN_CACHE, "Infs", DT_LNK, STORE_FOREIGN},
		{STORE_IN_CACHE, "I", DT_DIR, STORE_FOREIGN},
		{STORE_IN_CACHE, "I\n", DT_DIR, STORE_FOREIGN},
		{STORE_IN_CACHE, "I a", DT_DIR, STORE_FOREIGN},
		{STORE_IN_CACHE, "I\xc3\xa4", DT_DIR, STORE_FOREIGN},
		{STORE_IN_CACHE, "@4a", DT_DIR, STORE_OLD},
		{STORE_IN_CACHE, "@4a", DT_REG, STORE_FOREIGN},
		{STORE_IN_CACHE, "+abc", DT_DIR, STORE_OLD},
		{STORE_IN_CACHE, "D1", DT_REG, STORE_FOREIGN},
		{STORE_IN_CACHE, "lost+found", DT_DIR, STORE_FOREIGN},
		{STORE_IN_VOLUME, "@00", DT_DIR, STORE_FANOUT},
		{STORE_IN_VOLUME, "@ff", DT_UNKNOWN, STORE_FANOUT},
		{STORE_IN_VOLUME, "@9a", DT_DIR, STORE_FANOUT},
		{STORE_IN_VOLUME, "@FF", DT_DIR, STORE_FOREIGN},
		{STORE_IN_VOLUME, "@0", DT_DIR, STORE_FOREIGN},
		{STORE_IN_VOLUME, "@000", DT_DIR, STORE_FOREIGN},
		{STORE_IN_VOLUME, "@", DT_DIR, STORE_FOREIGN},
		{STORE_IN_VOLUME, "@g0", DT_DIR, STORE_FOREIGN},
		{STORE_IN_VOLUME, "@00", DT_REG, STORE_FOREIGN},
		{STORE_IN_VOLUME, "@00", DT_LNK, STORE_FOREIGN},
		{STORE_IN_VOLUME, "Infs", DT_DIR, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Dabc", DT_REG, STORE_OBJECT},
		{STORE_IN_FANOUT, "S1,2", DT_REG, STORE_OBJECT},
		{STORE_IN_FANOUT, "T1,2", DT_REG, STORE_OBJECT},
		{STORE_IN_FANOUT, "EAAA_-", DT_UNKNOWN, STORE_OBJECT},
		{STORE_IN_FANOUT, "D", DT_REG, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Fabc", DT_REG, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Dabc", DT_DIR, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Dabc", DT_LNK, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Dabc", DT_FIFO, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Dabc", DT_SOCK, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Dabc", DT_CHR, STORE_FOREIGN},
		/* A newline would end the command early, and cull another object. */
		{STORE_IN_FANOUT, "Da\nDb", DT_REG, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Da b", DT_REG, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Da\x7f", DT_REG, STORE_FOREIGN},
		{STORE_IN_FANOUT, "\xff\xfe", DT_REG, STORE_FOREIGN},
		{STORE_IN_FANOUT, "", DT_REG, STORE_FOREIGN},
		{STORE_IN_FANOUT, "Ji", DT_DIR, STORE_OLD},
		{STORE_IN_FANOUT, "@30", DT_DIR, STORE_OLD},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (store_kind_of(table[i].level, table[i].name, table[i].type) != table[i].kind)
			fail_msg("\"%s\" on level %d, type %d", table[i].name, table[i].level,
				 table[i].type);
}

static void readable(void **state)
{
	char buffer[64];

	store_readable("Infs,4.2,@-_=+", buffer, sizeof(buffer));
	assert_string_equal(buffer, "Infs,4.2,@-_=+");
	store_readable("a\nb\x1b[31m\\\xc3\xa4\x7f", buffer, sizeof(buffer));
	assert_string_equal(buffer, "a\\x0ab\\x1b[31m\\x5c\\xc3\\xa4\\x7f");
	store_readable("", buffer, sizeof(buffer));
	assert_string_equal(buffer, "");
}

/* Cut before what does not fit as a whole, never behind the buffer. */
static void readable_is_cut(void **state)
{
	char buffer[8];

	for (size_t size = 1; size <= sizeof(buffer); size++) {
		memset(buffer, '#', sizeof(buffer));
		store_readable("abcdefghijkl", buffer, size);
		assert_int_equal(strlen(buffer), size - 1);
		for (size_t i = size; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], '#');
	}
	store_readable("ab\n\n", buffer, 8);
	assert_string_equal(buffer, "ab\\x0a");
	store_readable("abcd\nx", buffer, 8);
	assert_string_equal(buffer, "abcd");
	store_readable("x", buffer, 0); /* nothing to write to */
}

static void make_cache(void)
{
	make_dir(scratch("c"), 0755);
	make_dir(scratch("c/cache"), 0700);
	make_dir(scratch("c/graveyard"), 0700);
}

static bool is_closed(const struct store *s)
{
	return s->root < 0 && s->cache < 0 && s->graveyard < 0;
}

static void opening(void **state)
{
	struct store s = STORE_CLOSED;
	struct stat st;

	assert_int_equal(store_open(&s, scratch("c")), -ENOENT);
	make_dir(scratch("c"), 0755);
	assert_int_equal(store_open(&s, scratch("c")), -ENOENT);
	assert_true(is_closed(&s));
	rmdir(scratch("c"));
	make_cache();
	assert_int_equal(store_open(&s, scratch("c")), 0);
	assert_int_equal(stat(scratch("c"), &st), 0);
	assert_int_equal(s.ino, st.st_ino);
	assert_int_equal(s.dev, st.st_dev);
	assert_int_equal(fstat(s.graveyard, &st), 0);
	store_close(&s);
	assert_true(is_closed(&s));
	store_close(&s); /* twice is no harm */
}

/* A link on the way to the directory is the administrator's; one inside leads out of the cache. */
static void links(void **state)
{
	struct store s = STORE_CLOSED;

	make_cache();
	assert_int_equal(symlink("c", scratch("link")), 0);
	assert_int_equal(store_open(&s, scratch("link")), 0);
	store_close(&s);

	rmdir(scratch("c/graveyard"));
	make_dir(scratch("elsewhere"), 0755);
	assert_int_equal(symlink("../elsewhere", scratch("c/graveyard")), 0);
	assert_true(store_open(&s, scratch("c")) < 0);
	assert_true(is_closed(&s));
	unlink(scratch("c/graveyard"));
	make_file(scratch("c/graveyard"), 0);
	assert_int_equal(store_open(&s, scratch("c")), -ENOTDIR);
}

static void directories_below(void **state)
{
	struct store s = STORE_CLOSED;
	int fd = -1;

	make_cache();
	make_dir(scratch("c/cache/I1"), 0700);
	make_file(scratch("c/cache/file"), 0);
	assert_int_equal(symlink("I1", scratch("c/cache/inside")), 0);
	assert_int_equal(symlink("/", scratch("c/cache/outside")), 0);
	assert_int_equal(store_open(&s, scratch("c")), 0);
	assert_int_equal(store_open_dir(s.cache, "I1", &fd), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	fd = -1;
	assert_int_equal(store_open_dir(s.cache, "none", &fd), -ENOENT);
	assert_int_equal(store_open_dir(s.cache, "file", &fd), -ENOTDIR);
	assert_true(store_open_dir(s.cache, "inside", &fd) < 0);
	assert_true(store_open_dir(s.cache, "outside", &fd) < 0);
	assert_int_equal(store_open_dir(s.cache, "..", &fd), -EXDEV);
	assert_int_equal(store_open_dir(s.cache, "/", &fd), -EXDEV);
	assert_int_equal(store_open_dir(s.cache, "I1/../..", &fd), -EXDEV);
	assert_int_equal(fd, -1);
	store_close(&s);
}

/* No last use of a directory changes by our looking. */
static void leaves_times_alone(void **state)
{
	struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
	struct store s = STORE_CLOSED;
	struct stat st;
	DIR *d;
	int fd;

	make_cache();
	make_dir(scratch("c/cache/I1"), 0700);
	assert_int_equal(utimensat(AT_FDCWD, scratch("c/cache/I1"), long_ago, 0), 0);
	assert_int_equal(store_open(&s, scratch("c")), 0);
	assert_int_equal(store_open_dir(s.cache, "I1", &fd), 0);
	d = fdopendir(fd);
	assert_non_null(d);
	while (readdir(d))
		;
	closedir(d);
	assert_int_equal(stat(scratch("c/cache/I1"), &st), 0);
	assert_int_equal(st.st_atim.tv_sec, 1000);
	store_close(&s);
}

static void replaced(void **state)
{
	struct store s = STORE_CLOSED;

	make_cache();
	assert_int_equal(store_open(&s, scratch("c")), 0);
	assert_true(store_is_same(&s, scratch("c")));
	assert_int_equal(rename(scratch("c"), scratch("old")), 0);
	assert_false(store_is_same(&s, scratch("c")));
	make_cache();
	assert_false(store_is_same(&s, scratch("c")));
	assert_true(store_is_same(&s, scratch("old")));
	store_close(&s);
}

/* A filesystem that is mounted inside is not ours to walk; one over the directory is another. */
static void mounts(void **state)
{
	struct store s = STORE_CLOSED;
	int fd = -1;

	need_mounts();
	make_cache();
	make_dir(scratch("c/cache/I1"), 0700);
	assert_int_equal(store_open(&s, scratch("c")), 0);
	assert_int_equal(try_mount("none", scratch("c/cache/I1"), "tmpfs", 0, NULL), 0);
	assert_int_equal(store_open_dir(s.cache, "I1", &fd), -EXDEV);
	assert_true(store_is_same(&s, scratch("c")));
	assert_int_equal(try_mount("none", scratch("c"), "tmpfs", 0, NULL), 0);
	assert_false(store_is_same(&s, scratch("c")));
	store_close(&s);
}

/* As RestrictSUIDSGID= does it, for good: openat2() is a call that the kernel does not know. */
static void need_no_openat2(void **state)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(filter), filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		skip();
	assert_int_equal(syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0), -1);
	assert_int_equal(errno, ENOSYS);
}

int main(void)
{
#define scratch_test(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(readable),
		cmocka_unit_test(readable_is_cut),
		scratch_test(opening),
		scratch_test(links),
		scratch_test(directories_below),
		scratch_test(leaves_times_alone),
		scratch_test(replaced),
		scratch_test(mounts),
		cmocka_unit_test(need_no_openat2),
		/* and all of it again */
		scratch_test(opening),
		scratch_test(links),
		scratch_test(directories_below),
		scratch_test(leaves_times_alone),
		scratch_test(mounts),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
