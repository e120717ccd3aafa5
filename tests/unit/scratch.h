/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of its own under $TMPDIR for each test, and mounts that nobody else sees. Every call
 * aborts the test when it fails, but for those that say what they return.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util.h"

/* Makes the directory; cmocka's set-up and tear-down. What is in it goes, mounts first. */
int scratch_enter(void **state);
int scratch_leave(void **state);

/* Its path; of a file in it by the printf arguments (four of these at a time). */
const char *scratch_dir(void);
const char *scratch(const char *format, ...) _printf_(1, 2);

void make_dir(const char *path, unsigned int mode);
void make_file(const char *path, size_t size);

/*
 * A mount namespace of the process's own, before the first mount; undone by the process's end.
 * Skips the test without the privilege for it.
 */
void need_mounts(void);
/* mount(2), type, options; unmounted by scratch_leave(). Returns 0 or an errno. */
int try_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const char *options);
/*
 * A filesystem of so many MiB in a file, mounted on the path: runs "mkfs.TYPE ARGUMENTS". Skips the
 * test where mkfs, a loop device or the filesystem is missing.
 */
void mount_image(const char *path, const char *type, const char *arguments, unsigned int mib,
		 const char *options);
