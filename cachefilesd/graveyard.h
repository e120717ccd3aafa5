/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reaper: removes whatever lies in graveyard/, in the background and interruptibly. Any
 * content goes: names like "..x", trees of any depth (few descriptors: deep ones are flattened by
 * renaming), FIFOs, sockets, devices, symbolic links; nothing is followed out, no mount is entered.
 * Runs in a worker thread of its own. Nothing here logs.
 */
#pragma once

#include <stdatomic.h>

#include "util.h"

struct graveyard_result {
	uint64_t files;	 /* removed, everything that is not a directory */
	uint64_t dirs;	 /* removed */
	uint64_t blocks; /* of 512 bytes, of files whose last name went */
	uint64_t stuck;	 /* entries that could not be removed (a mount, an immutable file) */
	int first_error; /* positive errno of the first that was stuck, or 0 */
	char first_name[256];
};

/*
 * Reaps until the graveyard is empty but for what is stuck, or until *stop becomes true. beat, if
 * not NULL, is called at least every few hundred system calls. Returns 0, -EINTR when stopped, or
 * what made reading the graveyard itself fail.
 */
int graveyard_reap(int graveyard_fd, const atomic_bool *stop, void (*beat)(void *), void *data,
		   struct graveyard_result *ret);
