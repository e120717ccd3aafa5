/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fstab.h"

#include <libmount.h>
#include <stdio.h>

/* Without links on the way as far as it exists; the caller frees it. */
static char *resolved(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : strdup(path);
}

static bool lies_on(const char *dir, const char *mount)
{
	size_t length = strlen(mount);

	while (length > 1 && mount[length - 1] == '/')
		length--;
	return strncmp(dir, mount, length) == 0 && (dir[length] == '/' || dir[length] == '\0');
}

/* Whether something is mounted exactly there. */
static bool is_mounted(struct libmnt_table *mounts, const char *target)
{
	return mnt_table_find_target(mounts, target, MNT_ITER_BACKWARD) != NULL;
}

static bool entry_counts(struct libmnt_fs *fs)
{
	const char *target = mnt_fs_get_target(fs), *options = mnt_fs_get_options(fs);

	if (!target || *target != '/' || target[strspn(target, "/")] == '\0' ||
	    mnt_fs_is_swaparea(fs))
		return false;
	return !options || mnt_optstr_get_option(options, "noauto", NULL, NULL) != 0;
}

/* The first entry that is missing: what is below it comes later anyway. */
static struct libmnt_fs *find_missing(struct libmnt_table *table, struct libmnt_table *mounts,
				      const char *dir)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs = NULL, *found = NULL;

	while (iter && !found && mnt_table_next_fs(table, iter, &fs) == 0) {
		_cleanup_free_ char *target = NULL;

		if (!entry_counts(fs))
			continue;
		target = resolved(mnt_fs_get_target(fs));
		if (target && lies_on(dir, target) && !is_mounted(mounts, target))
			found = fs;
	}
	mnt_free_iter(iter);
	return found;
}

bool fstab_lacks(const char *file, const char *dir, struct fstab_missing *ret)
{
	_cleanup_free_ char *real = resolved(dir);
	struct libmnt_table *table = mnt_new_table_from_file(file);
	struct libmnt_table *mounts = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_fs *fs = NULL;

	if (real && table && mounts)
		fs = find_missing(table, mounts, real);
	if (fs) {
		const char *source = mnt_fs_get_source(fs);

		snprintf(ret->target, sizeof(ret->target), "%s", mnt_fs_get_target(fs));
		snprintf(ret->source, sizeof(ret->source), "%s", source ? source : "none");
	}
	mnt_unref_table(table);
	mnt_unref_table(mounts);
	return fs != NULL;
}
