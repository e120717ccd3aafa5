/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include "build-config.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#if HAVE_SYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#endif

#define IDENTIFIER "cachefilesd"

/* Longer messages are cut; none of ours comes near. */
#define MESSAGE_SIZE 2048

/* Where a message goes. */
enum route {
	ROUTE_PLAIN,	/* stderr */
	ROUTE_PREFIXED, /* stderr, "<N>" before the text: the journal reads the priority off it */
	ROUTE_JOURNAL,
	ROUTE_SYSLOG,
};

static enum route route = ROUTE_PLAIN; /* set before the first thread */
static atomic_int threshold = LOG_INFO;

/* JOURNAL_STREAM is the device and inode of the journal's socket, but stderr may be another now. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	char rest;

	return stream && sscanf(stream, "%llu:%llu%c", &device, &inode, &rest) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

/* A message must never end up in a file that got the number of a standard descriptor. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	closep(&fd);
}

void log_open(enum log_target target, int max_level)
{
	fill_standard_descriptors();
	log_set_level(max_level);
	if (target == LOG_TARGET_SYSLOG) {
		openlog(IDENTIFIER, LOG_PID | LOG_NDELAY, LOG_DAEMON);
		route = ROUTE_SYSLOG;
	} else if (!stderr_is_journal()) {
		route = ROUTE_PLAIN;
	} else {
		route = target == LOG_TARGET_AUTO && HAVE_SYSTEMD ? ROUTE_JOURNAL : ROUTE_PREFIXED;
	}
}

void log_set_level(int max_level)
{
	atomic_store(&threshold, max_level);
}

int log_level(void)
{
	return atomic_load(&threshold);
}

/* Writes text to the buffer as one line: names of files may have any byte in them. */
static void flatten(char *buffer, size_t size, const char *text)
{
	static const char cut[] = "...";
	size_t at = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		bool control = *c < 0x20 || *c == 0x7f;

		if (at + 4 + sizeof(cut) > size) {
			memcpy(buffer + at, cut, sizeof(cut));
			return;
		}
		if (control)
			at += (size_t)snprintf(buffer + at, size - at, "\\x%02x", *c);
		else
			buffer[at++] = (char)*c;
	}
	buffer[at] = '\0';
}

/* One call, so that lines of several threads do not mix. What cannot be written is lost. */
static void write_stderr(const char *prefix, const char *text)
{
	struct iovec parts[] = {
		{(void *)prefix, strlen(prefix)},
		{(void *)text, strlen(text)},
		{(void *)"\n", 1},
	};

	while (writev(STDERR_FILENO, parts, ARRAY_SIZE(parts)) < 0 && errno == EINTR)
		;
}

static void write_prefixed(int level, const char *text)
{
	char prefix[8];

	snprintf(prefix, sizeof(prefix), "<%d>", level & LOG_PRIMASK);
	write_stderr(prefix, text);
}

/* id: for MESSAGE_ID, or NULL. */
static void write_journal(int level, const char *id, const char *text)
{
#if HAVE_SYSTEMD
	char last[64];

	snprintf(last, sizeof(last), "MESSAGE_ID=%s", id ? id : "");
	if (sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", level, "SYSLOG_IDENTIFIER=%s",
			    IDENTIFIER, id ? "%s" : NULL, last, NULL) == 0)
		return;
#endif
	write_prefixed(level, text);
}

static void _printf_(3, 0) say(int level, const char *id, const char *format, va_list args)
{
	char raw[MESSAGE_SIZE], text[MESSAGE_SIZE];
	int saved = errno;

	if (level > log_level())
		return;
	vsnprintf(raw, sizeof(raw), format, args);
	flatten(text, sizeof(text), raw);
	switch (route) {
	case ROUTE_PLAIN:
		write_stderr("", text);
		break;
	case ROUTE_PREFIXED:
		write_prefixed(level, text);
		break;
	case ROUTE_JOURNAL:
		write_journal(level, id, text);
		break;
	case ROUTE_SYSLOG:
		syslog(level, "%s", text);
		break;
	}
	errno = saved;
}

void log_message(int level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(level, NULL, format, args);
	va_end(args);
}

void log_event(int level, enum message message, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(level, message_id(message), format, args);
	va_end(args);
}
