/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where messages go: the journal when systemd reads our stderr, syslog for a daemon of the old
 * kind, stderr when the administrator asks for it. May be called from every thread. A message is
 * one line; whoever decides about a failure logs it, once.
 */
#pragma once

#include <syslog.h>

#include "messages.h"
#include "util.h"

enum log_target {
	LOG_TARGET_AUTO,   /* journal if stderr is connected to it (JOURNAL_STREAM), else stderr */
	LOG_TARGET_STDERR, /* plain text on a terminal, "<N>" prefixed where JOURNAL_STREAM is set
			    */
	LOG_TARGET_SYSLOG,
};

/* Chooses the target; messages above max_level (LOG_ERR … LOG_DEBUG) are dropped. */
void log_open(enum log_target target, int max_level);
void log_set_level(int max_level);
int log_level(void);

void log_message(int level, const char *format, ...) _printf_(2, 3);

/* The same with a MESSAGE_ID, where the journal takes it. */
void log_event(int level, enum message message, const char *format, ...) _printf_(3, 4);

#define log_error(...)	 log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_message(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	 log_message(LOG_DEBUG, __VA_ARGS__)
