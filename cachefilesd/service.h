/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process as its manager sees it: sd_notify and the watchdog under systemd (left out when
 * built without it or when NOTIFY_SOCKET is not set), fork and pid file otherwise.
 */
#pragma once

#include "util.h"

/* Each is cheap and silent without a manager. Only the main thread. */
void service_ready(void);
void service_reloading(void); /* with MONOTONIC_USEC; followed by service_ready() */
void service_stopping(void);
void service_status(const char *format, ...)
	_printf_(1, 2); /* STATUS=, sent only when it changes */
void service_extend_timeout(
	unsigned int seconds); /* EXTEND_TIMEOUT_USEC: start or stop takes longer */

/* How often the watchdog must be fed, in milliseconds; 0: never. Half of what the manager says. */
uint64_t service_watchdog_ms(void);
void service_watchdog_feed(void);

/*
 * A daemon of the old kind: forks; the parent stays until the child calls service_detached() or
 * dies, and exits with its code (0 once detached, EXIT_INTERNAL after a crash). The child has its
 * own session, / as working directory, umask 0022, null standard descriptors. Call before any
 * thread is made. Returns 0 in the child, a negative errno where it failed.
 */
int service_detach(void);
void service_detached(void);

/*
 * Writes the process id, holding a lock on the file for as long as we live. -EEXIST: another
 * process holds it. service_pidfile_remove() removes what we wrote and nothing else.
 */
int service_pidfile_write(const char *path);
void service_pidfile_remove(void);
