/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /etc/fstab says of the mounts that the cache's directory is to lie on. A disk that is made
 * and mounted late leaves an empty directory on another filesystem until then, which would pass for
 * a cache. Runs in a worker thread; nothing here logs.
 */
#pragma once

#include "util.h"

struct fstab_missing {
	char target[128]; /* the mount point, as it is written there */
	char source[80];
};

/*
 * Whether the table in file names a mount on dir or above it that is not there now. Entries with
 * noauto and the root are none of our business. A file that is missing or unreadable says nothing.
 */
bool fstab_lacks(const char *file, const char *dir, struct fstab_missing *ret);
