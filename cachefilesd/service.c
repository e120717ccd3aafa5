/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service.h"

#include "build-config.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "options.h"

#if HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

/* Nobody can do anything about a manager that does not listen. */
static void notify(const char *message)
{
#if HAVE_SYSTEMD
	sd_notify(0, message);
#endif
}

void service_ready(void)
{
	notify("READY=1");
}

void service_reloading(void)
{
	struct timespec now;
	char message[64];

	/* The manager compares it with the time of its own request. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	notify(message);
}

void service_stopping(void)
{
	notify("STOPPING=1");
}

void service_status(const char *format, ...)
{
	static char last[1024];
	char message[sizeof(last)] = "STATUS=";
	size_t prefix = strlen(message);
	va_list args;

	va_start(args, format);
	vsnprintf(message + prefix, sizeof(message) - prefix, format, args);
	va_end(args);
	/* A newline would begin another assignment. */
	for (char *c = message; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (streq(message, last))
		return;
	memcpy(last, message, sizeof(last));
	notify(message);
}

void service_extend_timeout(unsigned int seconds)
{
	char message[64];

	snprintf(message, sizeof(message), "EXTEND_TIMEOUT_USEC=%llu", seconds * 1000000ULL);
	notify(message);
}

uint64_t service_watchdog_ms(void)
{
#if HAVE_SYSTEMD
	uint64_t usec;

	if (sd_watchdog_enabled(0, &usec) > 0)
		return MAX(usec / 2000, 1);
#endif
	return 0;
}

void service_watchdog_feed(void)
{
	notify("WATCHDOG=1");
}

/* The parent of a detaching daemon reads from the other end; -1: nobody waits. */
static int detach_pipe = -1;

/* The parent: what the child comes to. Does not return. */
static void wait_for_child(pid_t child, int from)
{
	int status;
	char detached;
	ssize_t n;

	do
		n = read(from, &detached, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EXIT_OK);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			_exit(EXIT_SYSTEM);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_INTERNAL);
}

/* A descriptor for /dev/null that is none of the standard ones: those it fills where missing. */
static int open_null(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -errno : fd;
}

int service_detach(void)
{
	_cleanup_close_ int null = open_null();
	int ends[2];
	pid_t child;

	if (null < 0)
		return null;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL); /* or both would write what is buffered */
	child = fork();
	if (child < 0) {
		int r = -errno;

		close(ends[0]);
		close(ends[1]);
		return r;
	}
	if (child > 0) {
		close(ends[1]);
		wait_for_child(child, ends[0]);
	}
	close(ends[0]);
	detach_pipe = ends[1];
	if (setsid() < 0 || chdir("/") < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	return 0;
}

void service_detached(void)
{
	if (detach_pipe < 0)
		return;
	/* Without a reader there is nobody to tell; SIGPIPE is ignored by then. */
	while (write(detach_pipe, "", 1) < 0 && errno == EINTR)
		;
	closep(&detach_pipe);
	detach_pipe = -1;
}

/* The pid file: its descriptor holds the lock. */
static int pidfile = -1;
static char *pidfile_path;

/* Whether the path still names the open file: somebody may have removed it before we locked it. */
static bool is_at(int fd, const char *path)
{
	struct stat open_file, named;

	return fstat(fd, &open_file) == 0 && stat(path, &named) == 0 &&
	       open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

static int open_locked(const char *path)
{
	for (;;) {
		_cleanup_close_ int fd =
			open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? -EEXIST : -errno;
		if (is_at(fd, path))
			return steal_fd(&fd);
	}
}

int service_pidfile_write(const char *path)
{
	_cleanup_close_ int fd = open_locked(path);
	char *copy;
	int r;

	if (fd < 0)
		return fd;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		r = -errno;
		unlink(path); /* half of a number is worse than none */
		free(copy);
		return r;
	}
	service_pidfile_remove();
	pidfile = steal_fd(&fd);
	pidfile_path = copy;
	return 0;
}

void service_pidfile_remove(void)
{
	if (pidfile < 0)
		return;
	if (is_at(pidfile, pidfile_path))
		unlink(pidfile_path);
	closep(&pidfile);
	pidfile = -1;
	free(pidfile_path);
	pidfile_path = NULL;
}
