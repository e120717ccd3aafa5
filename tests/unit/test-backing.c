/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each reason why a directory cannot be a cache, by name, on real filesystems mounted in a mount
 * namespace of our own. Needs root.
 */
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "backing.h"

static char root[64];
static const struct limits limits = {10, 7, 3, 10, 7, 3};

static char *at(const char *name)
{
	static char path[4][128];
	static unsigned int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", root, name);
	return p;
}

static int set_up(void **state)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("needs root and mount namespaces\n");
		exit(77);
	}
	snprintf(root, sizeof(root), "/tmp/backing.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	umount2(root, MNT_DETACH);
	return rmdir(root);
}

static struct backing_report check(const char *dir)
{
	struct backing_report report;

	backing_check(dir, &limits, &report);
	return report;
}

static void assert_report(const char *dir, int error, bool can_wait, bool misconfigured,
			  const char *word)
{
	struct backing_report report = check(dir);

	assert_int_equal(report.error, error);
	assert_int_equal(report.can_wait, can_wait);
	assert_int_equal(report.misconfigured, misconfigured);
	if (error && !strstr(report.text, word))
		fail_msg("\"%s\" is not in \"%s\"", word, report.text);
}

static void test_directory(void **state)
{
	FILE *file;

	assert_report(at("missing"), ENOENT, true, false, "not there");
	file = fopen(at("file"), "w");
	fclose(file);
	assert_report(at("file"), ENOTDIR, false, true, "not a directory");
	assert_report(at("file/below"), ENOTDIR, false, true, "not a directory");
	assert_int_equal(symlink("loop", at("loop")), 0);
	assert_report(at("loop"), ELOOP, false, true, "circle");
	unlink(at("file"));
	unlink(at("loop"));
}

/* What lies where the kernel wants its directories. */
static void test_parts(void **state)
{
	assert_int_equal(mount("t", root, "tmpfs", 0, NULL), 0);
	assert_int_equal(mkdir(at("cache"), 0700), 0);
	assert_int_equal(symlink("cache", at("graveyard")), 0);
	assert_report(root, ENOTDIR, false, false, "graveyard is not a directory");
	assert_int_equal(unlink(at("graveyard")), 0);
	assert_int_equal(mkdir(at("graveyard"), 0700), 0);
	assert_int_not_equal(check(root).error, ENOTDIR);
	assert_int_equal(mount("t", at("cache"), "tmpfs", 0, NULL), 0);
	assert_report(root, EXDEV, false, false, "cache is a mount point");
	umount2(at("cache"), MNT_DETACH);
	umount(root);
}

static void test_read_only(void **state)
{
	assert_int_equal(mount("t", root, "tmpfs", MS_RDONLY, NULL), 0);
	assert_report(root, EROFS, true, false, "read-only");
	umount(root);
}

/* The mount alone; of the host's, beside one of our own, tests/vm/sandbox. */
static void test_read_only_mount(void **state)
{
	int fd;

	assert_int_equal(mount("t", root, "tmpfs", 0, NULL), 0);
	fd = open(root, O_PATH | O_DIRECTORY);
	assert_true(fd >= 0);
	assert_false(backing_mount_read_only(fd));
	assert_int_equal(mount(NULL, root, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	assert_true(backing_mount_read_only(fd));
	assert_report(root, EROFS, true, false, "read-only");
	close(fd);
	umount(root);
}

static void test_no_tmpfile(void **state)
{
	assert_int_equal(mount("r", root, "ramfs", 0, NULL), 0);
	/* ramfs has O_TMPFILE and no extended attributes; proc has neither. */
	assert_report(root, EOPNOTSUPP, false, false, "extended attributes");
	umount(root);
	assert_int_equal(mount("p", root, "proc", 0, NULL), 0);
	assert_report(root, EOPNOTSUPP, false, false, "O_TMPFILE");
	umount(root);
}

static void fill(const char *name, size_t size)
{
	FILE *file = fopen(at(name), "w");

	for (size_t i = 0; i < size / 4096; i++)
		if (fwrite(root, 64, 1, file) != 1 || fseek(file, 4032, SEEK_CUR) < 0)
			break;
	fclose(file);
}

static void test_under_stop_limit(void **state)
{
	/* 256 pages; three stay */
	assert_int_equal(mount("t", root, "tmpfs", 0, "size=1m,nr_inodes=1000"), 0);
	fill("ballast", 253 * 4096);
	assert_report(root, ENOBUFS, true, false, "bstop");
	/* with a cache in it, it is bound, and culling makes room */
	mkdir(at("cache"), 0700);
	mkdir(at("graveyard"), 0700);
	assert_int_not_equal(check(root).error, ENOBUFS);
	umount(root);

	assert_int_equal(mount("t", root, "tmpfs", 0, "size=10m,nr_inodes=200"), 0);
	for (unsigned int i = 0; i < 195; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		fill(name, 0);
	}
	assert_report(root, ENOBUFS, true, false, "fstop");
	umount(root);
}

static void test_good(void **state)
{
	/* The filesystem of the tests is good enough for a cache or names what it lacks. */
	struct backing_report report = check("/var/tmp");
	char text[128];

	if (report.error)
		print_message("%s\n", report.text);
	backing_describe("/proc", text, sizeof(text));
	assert_non_null(strstr(text, "proc on"));
}

/* A filesystem in a file, fit for a cache; the check leaves nothing behind. */
static void test_image_good(void **state)
{
	const char *dir = scratch("mount");
	const struct dirent *entry;
	struct backing_report report;
	char text[128];
	DIR *d;

	make_dir(dir, 0700);
	mount_image(dir, "ext4", "-q -F", 32, "");
	report = check(dir);
	if (report.error)
		fail_msg("%s", report.text);
	assert_string_equal(report.text, "");
	backing_describe(dir, text, sizeof(text));
	assert_memory_equal(text, "ext4 on /dev/loop", 17);
	d = opendir(dir);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			assert_string_equal(entry->d_name, "lost+found");
	closedir(d);
}

/* A user namespace whose root is somebody else outside; the process that has it waits to be ended.
 */
static pid_t make_user_namespace(void)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

static bool write_map(pid_t pid, const char *which)
{
	char path[64];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, which);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && dprintf(fd, "0 10000 1000") > 0;
	closep(&fd);
	return done;
}

static bool idmap(const char *dir, pid_t pid)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
	char path[64];
	int tree, r = -1;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	attr.userns_fd = (uint64_t)open(path, O_RDONLY | O_CLOEXEC);
	tree = open_tree(AT_FDCWD, dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree >= 0 && mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		r = move_mount(tree, "", AT_FDCWD, dir, MOVE_MOUNT_F_EMPTY_PATH);
	closep(&tree);
	close((int)attr.userns_fd);
	return r == 0;
}

static void test_image_idmapped(void **state)
{
	const char *dir = scratch("mount");
	bool mapped;
	pid_t pid;

	make_dir(dir, 0700);
	mount_image(dir, "ext4", "-q -F", 32, "");
	pid = make_user_namespace();
	mapped = pid > 0 && write_map(pid, "uid_map") && write_map(pid, "gid_map") &&
		 idmap(dir, pid);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (!mapped) {
		print_message("needs a kernel with user namespaces and idmapped mounts: %s\n",
			      strerror(errno));
		skip();
	}
	assert_report(dir, EINVAL, false, false, "idmapped");
	umount2(dir, MNT_DETACH);
}

static void test_explain(void **state)
{
	static const struct {
		int error;
		bool can_wait, misconfigured;
		const char *word;
	} cases[] = {
		{EBUSY, true, false, "in use by another cache"},
		{ENOBUFS, true, false, "stop limit"},
		{EROFS, true, false, "read-only"},
		{EAGAIN, true, false, "frozen"},
		{ENOENT, true, false, "not there"},
		{EIO, true, false, "Input/output"},
		{EOPNOTSUPP, false, false, "O_TMPFILE"},
		{EINVAL, false, false, "idmapped"},
		{ERANGE, false, true, "limits"},
		{EACCES, false, false, "secctx label"},
		{EXFULL, false, false, "Exchange full"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct backing_report report;

		backing_explain_bind("/c", "tag", "label", cases[i].error, &report);
		assert_int_equal(report.error, cases[i].error);
		assert_int_equal(report.can_wait, cases[i].can_wait);
		assert_int_equal(report.misconfigured, cases[i].misconfigured);
		assert_non_null(strstr(report.text, cases[i].word));
	}
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 5000) == 1;
}

static void test_monitor(void **state)
{
	struct backing_monitor *monitor;
	struct pollfd quiet = {.events = POLLIN};

	assert_int_equal(backing_monitor_new(&monitor), 0);
	quiet.fd = backing_monitor_fd(monitor);
	assert_true(quiet.fd >= 0);
	backing_monitor_drain(monitor);
	assert_int_equal(poll(&quiet, 1, 0), 0);
	assert_int_equal(mount("none", root, "tmpfs", 0, NULL), 0);
	assert_true(readable(quiet.fd));
	backing_monitor_drain(monitor);
	assert_int_equal(poll(&quiet, 1, 0), 0);
	assert_int_equal(mount(NULL, root, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_true(readable(quiet.fd));
	backing_monitor_free(monitor);
}

int main(void)
{
#define test(name)  cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define image(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
	const struct CMUnitTest tests[] = {
		test(test_directory),
		test(test_parts),
		test(test_read_only),
		test(test_read_only_mount),
		test(test_no_tmpfile),
		test(test_under_stop_limit),
		test(test_good),
		image(test_image_good),
		image(test_image_idmapped),
		cmocka_unit_test(test_explain),
		test(test_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
