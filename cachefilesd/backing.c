/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backing.h"

#include <fcntl.h>
#include <libmount.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "fstab.h"

/* The kernel keeps its own there: user.CacheFiles.cache (fs/cachefiles/xattr.c). */
#define CHECK_XATTR "user.CacheFiles.check"

enum verdict {
	WAIT,	 /* may pass */
	FINAL,	 /* will not */
	MISTAKE, /* the configuration names something impossible */
};

static void _printf_(4, 5)
	report(struct backing_report *ret, int error, enum verdict verdict, const char *format, ...)
{
	va_list args;

	ret->error = error;
	ret->can_wait = verdict == WAIT;
	ret->misconfigured = verdict == MISTAKE;
	va_start(args, format);
	vsnprintf(ret->text, sizeof(ret->text), format, args);
	va_end(args);
}

static struct libmnt_fs *find_id(struct libmnt_table *table, int id)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs = NULL, *found = NULL;

	while (iter && !found && mnt_table_next_fs(table, iter, &fs) == 0)
		if (mnt_fs_get_id(fs) == id)
			found = fs;
	mnt_free_iter(iter);
	return found;
}

/* The mount that holds the open directory. */
static struct libmnt_fs *find_mount(int fd, struct libmnt_table **ret_table)
{
	struct statx sx;
	struct libmnt_table *table;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0 || !(sx.stx_mask & STATX_MNT_ID))
		return NULL;
	table = mnt_new_table_from_file("/proc/self/mountinfo");
	if (!table)
		return NULL;
	*ret_table = table;
	return find_id(table, (int)sx.stx_mnt_id);
}

/* What the mount table says of the mount below an open directory. */
struct mount {
	char type[32], source[80];
	bool idmapped, read_only;
};

static bool has_option(struct libmnt_fs *fs, const char *name)
{
	const char *options = mnt_fs_get_vfs_options(fs);

	return options && mnt_optstr_get_option(options, name, NULL, NULL) == 0;
}

/*
 * Whether the host has the mount read-only. A service with mounts of its own has another one, which
 * is not told of that.
 */
static bool host_has_read_only(struct libmnt_fs *fs)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/1/mountinfo");
	const char *target = mnt_fs_get_target(fs), *root = mnt_fs_get_root(fs), *other;
	struct libmnt_fs *host;
	bool ret;

	host = table && target ? mnt_table_find_target(table, target, MNT_ITER_BACKWARD) : NULL;
	other = host ? mnt_fs_get_root(host) : NULL;
	ret = root && other && strcmp(root, other) == 0 &&
	      mnt_fs_get_devno(host) == mnt_fs_get_devno(fs) && has_option(host, "ro");
	mnt_unref_table(table);
	return ret;
}

static void read_mount(int fd, struct mount *ret)
{
	struct libmnt_table *table = NULL;
	struct libmnt_fs *fs = find_mount(fd, &table);

	*ret = (struct mount){.type = "unknown filesystem", .source = "?"};
	if (fs) {
		const char *type = mnt_fs_get_fstype(fs), *source = mnt_fs_get_source(fs);

		snprintf(ret->type, sizeof(ret->type), "%s", type ? type : "?");
		snprintf(ret->source, sizeof(ret->source), "%s", source ? source : "none");
		ret->idmapped = has_option(fs, "idmapped");
		ret->read_only = has_option(fs, "ro") || host_has_read_only(fs);
	}
	mnt_unref_table(table);
}

bool backing_mount_read_only(int fd)
{
	struct mount mount;

	read_mount(fd, &mount);
	return mount.read_only;
}

static bool check_directory(const char *dir, int *ret_fd, struct backing_report *ret)
{
	*ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd >= 0)
		return true;
	switch (errno) {
	case ENOENT:
		report(ret, ENOENT, WAIT, "%s is not there (yet)", dir);
		break;
	case ENOTDIR:
		report(ret, ENOTDIR, MISTAKE,
		       "%s, or something on the way to it, is not a directory", dir);
		break;
	case ELOOP:
		report(ret, ELOOP, MISTAKE, "%s: symbolic links lead in a circle", dir);
		break;
	case ENAMETOOLONG:
		report(ret, ENAMETOOLONG, MISTAKE, "%s: the name is too long", dir);
		break;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EIO:
		report(ret, errno, WAIT, "%s: %s", dir, strerror(errno));
		break;
	default:
		report(ret, errno, FINAL, "%s: %s", dir, strerror(errno));
	}
	return false;
}

/* An empty mount point on another filesystem must not pass for the cache. */
static bool check_fstab(const char *dir, struct backing_report *ret)
{
	struct fstab_missing missing;

	if (!fstab_lacks("/etc/fstab", dir, &missing))
		return true;
	report(ret, ENOENT, WAIT,
	       "%s is not mounted (yet), but /etc/fstab has it, from %s: mount it, or take that line "
	       "away",
	       missing.target, missing.source);
	return false;
}

static bool check_mount(const char *dir, const struct mount *mount, const struct statfs *st,
			struct backing_report *ret)
{
	long page = sysconf(_SC_PAGESIZE);

	if (mount->idmapped)
		report(ret, EINVAL, FINAL,
		       "%s lies on an idmapped mount, which the kernel's cache does not support: use "
		       "another mount of the same filesystem",
		       dir);
	else if (st->f_flags & ST_RDONLY || mount->read_only)
		report(ret, EROFS, WAIT, "%s: the filesystem (%s on %s) is mounted read-only", dir,
		       mount->type, mount->source);
	else if (st->f_bsize > page)
		report(ret, EOPNOTSUPP, FINAL,
		       "%s: the filesystem's (%s) blocks of %ld bytes are larger than a page of %ld",
		       dir, mount->type, (long)st->f_bsize, page);
	else
		return true;
	return false;
}

/* A cache that has its two directories binds below the stop limits too: the kernel makes none. */
static bool has_cache(int fd)
{
	return faccessat(fd, "cache", F_OK, 0) == 0 && faccessat(fd, "graveyard", F_OK, 0) == 0;
}

/* O_TMPFILE and what is tried with the file: extended attributes. */
static bool check_features(const char *dir, int fd, const struct mount *mount,
			   struct backing_report *ret)
{
	_cleanup_close_ int file = openat(fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (file < 0 && (errno == ENOSPC || errno == EDQUOT) && has_cache(fd))
		return true; /* full: bound all the same, culling makes room */
	if (file < 0) {
		switch (errno) {
		case EACCES:
		case EPERM:
			return true; /* the kernel's bind has rights that we have not now */
		case EOPNOTSUPP:
		case EISDIR:
		case EINVAL:
			report(ret, EOPNOTSUPP, FINAL,
			       "%s: %s has no O_TMPFILE (files without a name), which a cache needs: use "
			       "ext4, xfs or btrfs",
			       dir, mount->type);
			break;
		default:
			report(ret, errno, WAIT, "%s: no file can be made on %s (%s): %s", dir,
			       mount->source, mount->type, strerror(errno));
		}
		return false;
	}
	if (fsetxattr(file, CHECK_XATTR, "1", 1, 0) < 0 &&
	    (errno == EOPNOTSUPP || errno == ENOSYS)) {
		report(ret, EOPNOTSUPP, FINAL,
		       "%s: %s has no user extended attributes, which a cache needs: use ext4, xfs or "
		       "btrfs, without nouser_xattr",
		       dir, mount->type);
		return false;
	}
	return true;
}

/* The kernel takes the two as they are, below what may be mounted there, and makes what is missing.
 */
static bool check_parts(const char *dir, int fd, struct backing_report *ret)
{
	static const char *const names[] = {"cache", "graveyard"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct statx sx;

		if (statx(fd, names[i], AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &sx) < 0)
			continue;
		if (!S_ISDIR(sx.stx_mode))
			report(ret, ENOTDIR, FINAL, "%s/%s is not a directory: move it away", dir,
			       names[i]);
		else if (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
			report(ret, EXDEV, FINAL,
			       "%s/%s is a mount point, below which the cache would lie: mount that "
			       "filesystem on %s instead",
			       dir, names[i], dir);
		else
			continue;
		return false;
	}
	return true;
}

/* As the kernel reckons them at bind: the hundredth part first (cachefiles_add_cache). */
static bool under_stop_limit(const char *dir, const struct statfs *st, const struct limits *limits,
			     struct backing_report *ret)
{
	uint64_t blocks = (uint64_t)st->f_blocks / 100 * limits->bstop;
	uint64_t files = (uint64_t)st->f_files / 100 * limits->fstop;

	if ((uint64_t)st->f_bavail < blocks)
		report(ret, ENOBUFS, WAIT,
		       "%s: %llu blocks are available, the stop limit (bstop %u%%) is %llu: free some "
		       "space",
		       dir, (unsigned long long)st->f_bavail, limits->bstop,
		       (unsigned long long)blocks);
	else if ((uint64_t)st->f_ffree < files)
		report(ret, ENOBUFS, WAIT,
		       "%s: %llu files can still be made, the stop limit (fstop %u%%) is %llu: remove "
		       "some files",
		       dir, (unsigned long long)st->f_ffree, limits->fstop,
		       (unsigned long long)files);
	else
		return false;
	return true;
}

void backing_check(const char *dir, const struct limits *limits, struct backing_report *ret)
{
	_cleanup_close_ int fd = -1;
	struct mount mount;
	struct statfs st;

	*ret = (struct backing_report){0};
	if (!check_fstab(dir, ret) || !check_directory(dir, &fd, ret))
		return;
	if (fstatfs(fd, &st) < 0) {
		report(ret, errno, FINAL, "%s: the filesystem does not tell its size: %s", dir,
		       strerror(errno));
		return;
	}
	read_mount(fd, &mount);
	if (!check_mount(dir, &mount, &st, ret) || !check_parts(dir, fd, ret))
		return;
	if (!has_cache(fd) && under_stop_limit(dir, &st, limits, ret))
		return;
	check_features(dir, fd, &mount, ret);
}

void backing_describe(const char *dir, char *buffer, size_t size)
{
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mount mount = {.type = "unknown filesystem", .source = "?"};

	if (fd >= 0)
		read_mount(fd, &mount);
	snprintf(buffer, size, "%s on %s", mount.type, mount.source);
}

void backing_explain_bind(const char *dir, const char *tag, const char *secctx, int error,
			  struct backing_report *ret)
{
	*ret = (struct backing_report){0};
	switch (error) {
	case EBUSY:
		report(ret, error, WAIT,
		       "%s: the directory, or the tag \"%s\", is in use by another cache", dir,
		       tag);
		break;
	case ENOBUFS:
		report(ret, error, WAIT,
		       "%s: the filesystem is under a stop limit: free some space", dir);
		break;
	case EROFS:
		report(ret, error, WAIT, "%s: the filesystem is read-only", dir);
		break;
	case ENOENT:
		report(ret, error, WAIT, "%s is not there any more", dir);
		break;
	case EAGAIN:
		report(ret, error, WAIT, "%s: the filesystem is frozen", dir);
		break;
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
	case EIO:
	case EINTR:
		report(ret, error, WAIT, "%s: bind: %s", dir, strerror(error));
		break;
	case EOPNOTSUPP:
		report(ret, error, FINAL,
		       "%s: the filesystem lacks what a cache needs: O_TMPFILE, user extended attributes, "
		       "statfs, syncing, or blocks of at most a page",
		       dir);
		break;
	case EINVAL:
		report(ret, error, FINAL,
		       "%s: the kernel refuses the directory: an idmapped mount is not supported",
		       dir);
		break;
	case ERANGE:
		report(ret, error, MISTAKE,
		       "%s: the kernel refuses the limits, or the size of blocks", dir);
		break;
	case ENOTDIR:
	case ELOOP:
		report(ret, error, MISTAKE, "%s: %s", dir, strerror(error));
		break;
	case EACCES:
	case EPERM:
		report(ret, error, FINAL,
		       "%s: %s: denied to the kernel's cache%s%s%s; look at the security module's log",
		       dir, strerror(error), secctx ? " (secctx " : "", secctx ? secctx : "",
		       secctx ? ")" : "");
		break;
	default:
		report(ret, error, FINAL, "%s: bind: %s", dir, strerror(error));
	}
}

/*
 * The mount table of our own namespace, and the host's where the service has mounts of its own:
 * mounts are passed on to those, changes of a mount's options are not.
 */
static const char *const tables[] = {"/proc/self/mountinfo", "/proc/1/mountinfo"};

struct backing_monitor {
	int epoll;
	int files[ARRAY_SIZE(tables)];
};

/* A table tells of a change as an exceptional condition, once. */
static int watch(struct backing_monitor *m, size_t i)
{
	struct epoll_event event = {.events = EPOLLPRI | EPOLLET, .data.u32 = (uint32_t)i};

	m->files[i] = open(tables[i], O_RDONLY | O_CLOEXEC);
	if (m->files[i] < 0 || epoll_ctl(m->epoll, EPOLL_CTL_ADD, m->files[i], &event) < 0)
		return -errno;
	return 0;
}

int backing_monitor_new(struct backing_monitor **ret)
{
	struct backing_monitor *m = malloc(sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	*m = (struct backing_monitor){epoll_create1(EPOLL_CLOEXEC), {-1, -1}};
	r = m->epoll < 0 ? -errno : watch(m, 0);
	if (r < 0) {
		backing_monitor_free(m);
		return r;
	}
	watch(m, 1); /* hidden from us: the first is what there is */
	*ret = m;
	return 0;
}

int backing_monitor_fd(struct backing_monitor *m)
{
	return m->epoll;
}

void backing_monitor_drain(struct backing_monitor *m)
{
	struct epoll_event events[ARRAY_SIZE(tables)];

	while (epoll_wait(m->epoll, events, ARRAY_SIZE(events), 0) > 0)
		;
}

struct backing_monitor *backing_monitor_free(struct backing_monitor *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		closep(&m->files[i]);
	closep(&m->epoll);
	free(m);
	return NULL;
}
