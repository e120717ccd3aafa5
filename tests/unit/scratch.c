/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scratch.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *dir;
/* The roots of the mounts, open: a mount point may be moved by what is tested. */
static int mounts[16];
static size_t mount_count;
static bool own_mounts;

static int run(const char *format, ...) _printf_(1, 2);

/* A command line for the shell; its exit code. */
static int run(const char *format, ...)
{
	char line[4096];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int scratch_enter(void **state)
{
	const char *tmp = getenv("TMPDIR");

	if (asprintf(&dir, "%s/cachefilesd-test.XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0)
		return -1;
	return mkdtemp(dir) ? 0 : -1;
}

int scratch_leave(void **state)
{
	int r = 0;

	while (mount_count > 0) {
		int fd = mounts[--mount_count];
		char path[32];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (umount2(path, MNT_DETACH) < 0)
			perror("umount");
		close(fd);
	}
	/* rm can take what is deep; immutable files are the test's to free. */
	r = run("rm -rf --one-file-system '%s'", dir);
	free(dir);
	dir = NULL;
	return r;
}

const char *scratch_dir(void)
{
	return dir;
}

const char *scratch(const char *format, ...)
{
	static char paths[4][4096];
	static unsigned int turn;
	char *path = paths[turn++ % ARRAY_SIZE(paths)];
	va_list args;
	int length = snprintf(path, sizeof(paths[0]), "%s/", dir);

	va_start(args, format);
	vsnprintf(path + length, sizeof(paths[0]) - (size_t)length, format, args);
	va_end(args);
	return path;
}

void make_dir(const char *path, unsigned int mode)
{
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void make_file(const char *path, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char block[4096];

	assert_true(fd >= 0);
	memset(block, 'x', sizeof(block));
	while (size > 0) {
		ssize_t n = write(fd, block, MIN(size, sizeof(block)));

		assert_true(n > 0);
		size -= (size_t)n;
	}
	close(fd);
}

static void remember_mount(const char *target)
{
	assert_true(mount_count < ARRAY_SIZE(mounts));
	mounts[mount_count] = open(target, O_PATH | O_CLOEXEC);
	assert_true(mounts[mount_count] >= 0);
	mount_count++;
}

void need_mounts(void)
{
	if (own_mounts)
		return;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("needs root that may mount: %s\n",
			      geteuid() != 0 ? "not root" : strerror(errno));
		skip();
	}
	own_mounts = true;
}

int try_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const char *options)
{
	need_mounts();
	if (mount(source, target, type, flags, options) < 0)
		return -errno;
	remember_mount(target);
	return 0;
}

void mount_image(const char *path, const char *type, const char *arguments, unsigned int mib,
		 const char *options)
{
	static unsigned int count;
	const char *image = scratch("image%u", count++);

	need_mounts();
	if (run("truncate -s %uM '%s' && mkfs.%s %s '%s' >/dev/null 2>&1", mib, image, type,
		arguments, image) != 0) {
		print_message("no mkfs.%s here\n", type);
		skip();
	}
	if (run("mount -o 'loop%s%s' -t %s '%s' '%s' 2>/dev/null", *options ? "," : "", options,
		type, image, path) != 0) {
		print_message("this kernel has no loop devices or no %s\n", type);
		skip();
	}
	remember_mount(path);
}
