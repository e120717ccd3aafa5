/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which mount a volume of the cache belongs to. A key of NFS says which server and which
 * filesystem of it, by number; the name of the export is only known where it is mounted: the
 * kernel's list of NFS volumes leads from the one to the other. Nothing here prints.
 */
#pragma once

#include "util.h"

struct mounts;

/* What cannot be read counts as empty. NULL: no memory. proc: "/proc". */
struct mounts *mounts_read(const char *proc);
struct mounts *mounts_free(struct mounts *m); /* returns NULL */

/*
 * The source of the mount, "server:/export", by the volume's readable name, "nfs4.2:ADDRESS:1a:0";
 * NULL: it is not mounted, or is no NFS. Belongs to mounts.
 */
const char *mounts_source(struct mounts *m, const char *name);
