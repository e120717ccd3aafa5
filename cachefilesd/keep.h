/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the daemon: the bound device, kept open by systemd's file descriptor store, so that
 * a restart, an upgrade or a crash withdraws nothing. Beside it lies a record of what it was bound
 * with: whoever takes it up again must want the same. Without systemd nothing is kept.
 */
#pragma once

#include "util.h"

/*
 * What the manager kept, at most once and before any thread is made. The device is the caller's;
 * -1: nothing was kept. *ret_record must be freed; it is NULL where it was lost.
 */
void keep_take(int *ret_device, char **ret_record);

/* Hands a copy to the manager, in place of what it may have. Only the main thread. */
int keep_store(int device, const char *record);

/* Has the manager close its copy; it does that in its own time. Only the main thread. */
void keep_drop(void);

/*
 * We were told to end: drops what is kept unless the manager is about to start us again, so that
 * "systemctl stop" returns with the cache withdrawn. Asks the manager (at most three calls of 2 s);
 * where that cannot be known the manager decides by itself, after we have ended. Returns whether it
 * was dropped: the manager closes its copy in its own time then. Only the main thread.
 */
bool keep_for_restart_only(void);

/* Whether the manager has a copy, as far as we know. */
bool keep_is_kept(void);
