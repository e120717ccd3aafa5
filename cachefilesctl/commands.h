/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands, one function each. Each prints its answer to stdout and what is wrong to stderr,
 * and returns the exit code.
 */
#pragma once

#include "arguments.h"

enum ctl_exit run_status(const struct arguments *a);
enum ctl_exit run_volumes(const struct arguments *a);
/* Waits for the end of the cycle, unless told not to, and shows how it gets on. */
enum ctl_exit run_cull(const struct arguments *a);
/* Waits until the cache is let go of. */
enum ctl_exit run_yield(const struct arguments *a);
/* Waits until the cache is bound, or it is clear that it will not be soon. */
enum ctl_exit run_resume(const struct arguments *a);
enum ctl_exit run_reload(const struct arguments *a);
/* Becomes the daemon with its option -t; returns only if it cannot. */
enum ctl_exit run_check(const struct arguments *a);
