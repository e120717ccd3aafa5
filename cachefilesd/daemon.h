/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon: owns the parts and wires them to the event loop (libevent): the cache, signals, the
 * watchdog's tick, the mount monitor. The loop never touches the cache's filesystem.
 */
#pragma once

#include "config.h"
#include "options.h"

/* Runs until it is told to stop or cannot go on. Takes the configuration. Returns an exit_code. */
int daemon_run(const struct options *options, struct config *config);
