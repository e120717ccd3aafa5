/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reaper on real directories: whatever lies in the graveyard goes, nothing else does, and
 * what cannot go is said.
 */
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "graveyard.h"

static atomic_bool no_stop;
static struct graveyard_result result;

static int set_up(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	return mkdir(scratch("graveyard"), 0700);
}

static const char *grave(const char *name)
{
	return scratch("graveyard/%s", name);
}

static int reap_until(const atomic_bool *stop, void (*beat)(void *), void *data)
{
	int fd = open(scratch("graveyard"), O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	assert_true(fd >= 0);
	memset(&result, 0xff, sizeof(result));
	r = graveyard_reap(fd, stop, beat, data, &result);
	close(fd);
	return r;
}

static int entries(const char *path)
{
	DIR *d = opendir(path);
	int count = -2;

	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void expect(uint64_t files, uint64_t dirs, uint64_t stuck)
{
	assert_int_equal(result.files, files);
	assert_int_equal(result.dirs, dirs);
	assert_int_equal(result.stuck, stuck);
	if (stuck == 0) {
		assert_int_equal(result.first_error, 0);
		assert_string_equal(result.first_name, "");
	}
}

static void reap_all(uint64_t files, uint64_t dirs)
{
	assert_int_equal(reap_until(&no_stop, NULL, NULL), 0);
	expect(files, dirs, 0);
	assert_int_equal(entries(scratch("graveyard")), 0);
}

static void empty(void **state)
{
	reap_all(0, 0);
	assert_int_equal(result.blocks, 0);
}

static void odd_names(void **state)
{
	char longest[256];
	const char *names[] = {"..x", "...", ".hidden",	      " ",    "a\nb", "\001\377\303", "-rf",
			       "*",   "\\",  "moved00000000", longest};

	memset(longest, 'n', 255);
	longest[255] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		make_file(grave(names[i]), 0);
	reap_all(ARRAY_SIZE(names), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		make_dir(grave(names[i]), 0700);
		make_file(scratch("graveyard/%s/%s", names[i], names[i]), 0);
	}
	reap_all(ARRAY_SIZE(names), ARRAY_SIZE(names));
}

static void tree(void **state)
{
	for (int volume = 0; volume < 3; volume++) {
		make_dir(scratch("graveyard/%d", volume), 0700);
		for (int fanout = 0; fanout < 20; fanout++) {
			make_dir(scratch("graveyard/%d/@%02x", volume, fanout), 0700);
			for (int object = 0; object < 10; object++)
				make_file(scratch("graveyard/%d/@%02x/D%d", volume, fanout, object),
					  0);
		}
	}
	reap_all(600, 63);
}

/* More than one listing's worth, so that removing happens between the reads of one pass. */
static void many_in_one_directory(void **state)
{
	make_dir(grave("many"), 0700);
	for (int i = 0; i < 5000; i++)
		make_file(scratch("graveyard/many/some-longer-name-%d", i), 0);
	reap_all(5000, 1);
}

/* A chain of directories in the one that is open; a file at the bottom. */
static void make_chain(int fd, int depth, const char *name)
{
	int bottom;

	for (int i = 0; i < depth; i++) {
		int next;

		assert_int_equal(mkdirat(fd, name, 0700), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	bottom = openat(fd, "bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(bottom >= 0);
	close(bottom);
	close(fd);
}

static int open_graveyard(void)
{
	int fd = open(scratch("graveyard"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void deep_with_few_descriptors(void **state)
{
	struct rlimit before, few = {64, 64};
	int fds[64], used = 0, fd;

	make_chain(open_graveyard(), 3000, "d");
	make_chain(open_graveyard(), 30, "moved00000001");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	reap_all(2, 3030);

	/* Three left beside the graveyard's own: it needs two levels to move one up. */
	make_chain(open_graveyard(), 100, "d");
	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		fds[used++] = fd;
	assert_int_equal(errno, EMFILE);
	for (int i = 0; i < 4; i++)
		close(fds[--used]);
	reap_all(1, 100);
	while (used > 0)
		close(fds[--used]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void special_files(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(strlen(scratch("socket")) < sizeof(address.sun_path));
	strcpy(address.sun_path, scratch("socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	make_dir(grave("d"), 0700);
	assert_int_equal(rename(scratch("socket"), grave("d/socket")), 0);
	assert_int_equal(mkfifo(grave("d/fifo"), 0600), 0);
	assert_int_equal(mkfifo(grave("fifo"), 0), 0);
	reap_all(3, 1);
}

static void device_nodes(void **state)
{
	if (mknod(grave("block"), S_IFBLK | 0600, makedev(7, 200)) < 0) {
		print_message("needs root that may make device nodes: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(mknod(grave("char"), S_IFCHR | 0600, makedev(1, 3)), 0);
	reap_all(2, 0);
}

static void symlinks_out(void **state)
{
	make_dir(scratch("outside"), 0700);
	make_file(scratch("outside/file"), 10);
	assert_int_equal(symlink("../outside", grave("relative")), 0);
	assert_int_equal(symlink(scratch("outside"), grave("absolute")), 0);
	assert_int_equal(symlink("../outside/file", grave("to-file")), 0);
	assert_int_equal(symlink("loop", grave("loop")), 0);
	assert_int_equal(symlink("nowhere", grave("dangling")), 0);
	make_dir(grave("d"), 0700);
	assert_int_equal(symlink("../../outside", grave("d/deeper")), 0);
	assert_int_equal(symlink("..", grave("d/up")), 0);
	reap_all(7, 1);
	assert_int_equal(entries(scratch("outside")), 1);
	assert_int_equal(access(scratch("outside/file"), F_OK), 0);
}

static void modes(void **state)
{
	if (geteuid() != 0) {
		print_message("needs root, who may enter directories of mode 0\n");
		skip();
	}
	make_dir(grave("d"), 0700);
	make_dir(grave("d/e"), 0700);
	make_file(grave("d/e/f"), 0);
	assert_int_equal(chmod(grave("d/e/f"), 0), 0);
	assert_int_equal(chmod(grave("d/e"), 0), 0);
	assert_int_equal(chmod(grave("d"), 0), 0);
	make_dir(grave("theirs"), 01777); /* sticky, and somebody else's */
	make_file(grave("theirs/f"), 0);
	assert_int_equal(chown(grave("theirs/f"), 12345, 12345), 0);
	assert_int_equal(chown(grave("theirs"), 12346, 12346), 0);
	reap_all(2, 3);
}

/* Stays, with what is in it; whether it is another filesystem or the same one a second time. */
static void mounts_inside(void **state)
{
	need_mounts();
	make_dir(scratch("outside"), 0700);
	make_file(scratch("outside/file"), 0);
	make_dir(grave("d"), 0700);
	make_dir(grave("d/tmpfs"), 0700);
	make_dir(grave("d/bind"), 0700);
	make_file(grave("d/other"), 0);
	make_file(grave("filemount"), 0);
	assert_int_equal(try_mount("none", grave("d/tmpfs"), "tmpfs", 0, NULL), 0);
	make_file(grave("d/tmpfs/precious"), 0);
	assert_int_equal(try_mount(scratch("outside"), grave("d/bind"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(
		try_mount(scratch("outside/file"), grave("filemount"), NULL, MS_BIND, NULL), 0);

	assert_int_equal(reap_until(&no_stop, NULL, NULL), 0);
	expect(1, 0, 3);
	assert_int_equal(result.first_error, EBUSY);
	assert_int_equal(access(grave("d/tmpfs/precious"), F_OK), 0);
	assert_int_equal(access(scratch("outside/file"), F_OK), 0);
	assert_int_not_equal(access(grave("d/other"), F_OK), 0);
}

/* The mount is further down than there are levels: what lies above it is moved, it is not. */
static void mount_deep_inside(void **state)
{
	char path[256] = "d";

	need_mounts();
	make_dir(grave(path), 0700);
	for (int i = 0; i < 20; i++) {
		strcat(path, "/d");
		make_dir(grave(path), 0700);
	}
	assert_int_equal(try_mount("none", grave(path), "tmpfs", 0, NULL), 0);
	make_file(scratch("graveyard/%s/precious", path), 0);
	assert_int_equal(reap_until(&no_stop, NULL, NULL), 0);
	assert_int_equal(result.stuck, 1);
	assert_int_equal(result.first_error, EBUSY);
	assert_string_equal(result.first_name, "d");
	/* Nothing more is moved about by the next run. */
	assert_int_equal(reap_until(&no_stop, NULL, NULL), 0);
	expect(0, 0, 1);
}

static int set_flags(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = -1;

	if (fd >= 0) {
		r = ioctl(fd, FS_IOC_SETFLAGS, &flags);
		close(fd);
	}
	return r;
}

static void immutable(void **state)
{
	make_dir(grave("d"), 0700);
	make_file(grave("d/other"), 0);
	make_file(grave("d/fixed"), 0);
	if (set_flags(grave("d/fixed"), FS_IMMUTABLE_FL) < 0) {
		print_message("needs root and a filesystem with immutable files: %s\n",
			      strerror(errno));
		skip();
	}
	assert_int_equal(reap_until(&no_stop, NULL, NULL), 0);
	expect(1, 0, 1);
	assert_int_equal(result.first_error, EPERM);
	assert_string_equal(result.first_name, "fixed");
	assert_int_equal(set_flags(grave("d/fixed"), 0), 0);
	reap_all(1, 1);
}

static void read_only(void **state)
{
	need_mounts();
	make_dir(scratch("m"), 0700);
	assert_int_equal(try_mount("none", scratch("m"), "tmpfs", 0, NULL), 0);
	assert_int_equal(rmdir(grave("")), 0);
	make_dir(scratch("m/g"), 0700);
	make_file(scratch("m/g/f"), 0);
	assert_int_equal(symlink("m/g", scratch("graveyard")), 0);
	assert_int_equal(mount(NULL, scratch("m"), NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_int_equal(reap_until(&no_stop, NULL, NULL), -EROFS);
	assert_int_equal(result.files, 0);
}

struct stopper {
	atomic_bool stop;
	int beats, limit;
};

static void count_beats(void *data)
{
	struct stopper *s = data;

	if (++s->beats == s->limit)
		atomic_store(&s->stop, true);
}

static void stops_when_asked(void **state)
{
	struct stopper s = {.limit = 50};

	make_dir(grave("d"), 0700);
	for (int i = 0; i < 200; i++)
		make_file(scratch("graveyard/d/%d", i), 0);
	assert_int_equal(reap_until(&s.stop, count_beats, &s), -EINTR);
	assert_int_equal(s.beats, 50);
	assert_in_range(result.files, 40, 50);
	assert_int_equal(entries(grave("d")), 200 - (int)result.files);

	assert_int_equal(reap_until(&s.stop, count_beats, &s), -EINTR);
	assert_int_equal(result.files, 0);

	s = (struct stopper){.limit = -1};
	assert_int_equal(reap_until(&s.stop, count_beats, &s), 0);
	assert_true(s.beats > 100);
	assert_int_equal(entries(scratch("graveyard")), 0);
}

/* Blocks are reserved and counted at the latest when they are written back. */
static void sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

static void blocks_by_last_name(void **state)
{
	struct stat st;

	make_file(grave("a"), 65536);
	sync_file(grave("a"));
	assert_int_equal(stat(grave("a"), &st), 0);
	assert_true(st.st_blocks > 0);
	assert_int_equal(link(grave("a"), grave("b")), 0);
	assert_int_equal(link(grave("a"), grave("c")), 0);
	reap_all(3, 0);
	assert_int_equal(result.blocks, st.st_blocks);

	make_file(scratch("kept"), 65536);
	assert_int_equal(link(scratch("kept"), grave("a")), 0);
	reap_all(1, 0);
	assert_int_equal(result.blocks, 0);
}

static void not_a_directory(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(graveyard_reap(fd, &no_stop, NULL, NULL, &result), -ENOTDIR);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty),
		TEST(odd_names),
		TEST(tree),
		TEST(many_in_one_directory),
		TEST(deep_with_few_descriptors),
		TEST(special_files),
		TEST(device_nodes),
		TEST(symlinks_out),
		TEST(modes),
		TEST(mounts_inside),
		TEST(mount_deep_inside),
		TEST(immutable),
		TEST(read_only),
		TEST(stops_when_asked),
		TEST(blocks_by_last_name),
		TEST(not_a_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
