/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process and its manager: what arrives at a notification socket, what the one who started a
 * daemon of the old kind sees, and who may have a pid file.
 */
#include "scratch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "build-config.h"
#include "service.h"

/* A socket as the manager has one; NOTIFY_SOCKET says where. */
static int manager = -1;

static int set_up_manager(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (scratch_enter(state) < 0)
		return -1;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch("notify"));
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	return bind(manager, (struct sockaddr *)&address, sizeof(address));
}

static int tear_down_manager(void **state)
{
	close(manager);
	unsetenv("NOTIFY_SOCKET");
	return scratch_leave(state);
}

/* The next message: a datagram on this machine has arrived when the sender's call returns. */
static const char *received(void)
{
	static char message[2048];
	ssize_t n = recv(manager, message, sizeof(message) - 1, 0);

	if (n < 0)
		return "";
	message[n] = '\0';
	return message;
}

static void need_systemd(void)
{
	if (!HAVE_SYSTEMD) {
		print_message("built without systemd\n");
		skip();
	}
}

static void notifications(void **state)
{
	unsigned long long usec;
	uint64_t before = now_ms();

	need_systemd();
	service_ready();
	assert_string_equal(received(), "READY=1");
	service_stopping();
	assert_string_equal(received(), "STOPPING=1");
	service_watchdog_feed();
	assert_string_equal(received(), "WATCHDOG=1");
	service_extend_timeout(120);
	assert_string_equal(received(), "EXTEND_TIMEOUT_USEC=120000000");
	service_extend_timeout(7200); /* more than 32 bits of microseconds */
	assert_string_equal(received(), "EXTEND_TIMEOUT_USEC=7200000000");
	service_reloading();
	assert_int_equal(sscanf(received(), "RELOADING=1\nMONOTONIC_USEC=%llu", &usec), 1);
	assert_in_range(usec / 1000, before, now_ms());
	assert_string_equal(received(), "");
}

static void status_when_it_changes(void **state)
{
	need_systemd();
	service_status("bound, %d objects", 5);
	assert_string_equal(received(), "STATUS=bound, 5 objects");
	service_status("bound, %d objects", 5);
	assert_string_equal(received(), "");
	service_status("bound, %d objects", 6);
	assert_string_equal(received(), "STATUS=bound, 6 objects");
	service_status("a name\nREADY=1");
	assert_string_equal(received(), "STATUS=a name READY=1");
	service_status("%05000d", 0);
	assert_int_equal(strlen(received()), 1023);
}

static void without_a_manager(void **state)
{
	unsetenv("NOTIFY_SOCKET");
	service_ready();
	service_status("nobody hears");
	service_watchdog_feed();
	setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
	service_ready();
	unsetenv("NOTIFY_SOCKET");
}

static void watchdog(void **state)
{
	char pid[16];

	need_systemd();
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(service_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(service_watchdog_ms(), 15000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(service_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1); /* another process's */
	assert_int_equal(service_watchdog_ms(), 0);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

/*
 * Starts a daemon that does what says; its starter's exit code, or -1 while that goes on. The
 * daemon's own process is in scratch("pid").
 */
static pid_t start(void (*daemon)(void))
{
	pid_t starter = fork();

	assert_true(starter >= 0);
	if (starter == 0) {
		if (service_detach() < 0)
			_exit(99);
		daemon();
		_exit(98);
	}
	return starter;
}

static int exit_code_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void daemon_that_fails(void)
{
	_exit(2);
}

static void daemon_that_crashes(void)
{
	signal(SIGABRT, SIG_DFL);
	abort();
}

static int reports; /* a FIFO's end: what the daemon sees of itself */

static void daemon_that_lives(void)
{
	char where[256], in[256], out[256];
	ssize_t length = readlink("/proc/self/fd/0", in, sizeof(in) - 1);
	mode_t mask = umask(0);

	in[MAX(length, 0)] = '\0';
	length = readlink("/proc/self/fd/2", out, sizeof(out) - 1);
	out[MAX(length, 0)] = '\0';
	service_detached();
	service_detached(); /* no harm */
	/* The starter is gone or going: it must not take us with it. */
	dprintf(reports, "%s %s %s %d %03o\n", getcwd(where, sizeof(where)), in, out,
		getsid(0) == getpid(), (unsigned int)mask);
	_exit(7);
}

static void detach_tells_the_exit_code(void **state)
{
	assert_int_equal(exit_code_of(start(daemon_that_fails)), 2);
	assert_int_equal(exit_code_of(start(daemon_that_crashes)), 3);
}

static void detach_succeeds(void **state)
{
	char seen[1024] = "";
	int ends[2];
	size_t length = 0;
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	reports = ends[1];
	assert_int_equal(exit_code_of(start(daemon_that_lives)), 0);
	close(ends[1]);
	/* Until the daemon, which nobody can wait for, has closed its end. */
	while ((n = read(ends[0], seen + length, sizeof(seen) - 1 - length)) > 0)
		length += (size_t)n;
	close(ends[0]);
	assert_string_equal(seen, "/ /dev/null /dev/null 1 022\n");
}

static void detach_without_standard_descriptors(void **state)
{
	int ends[2], high;
	char seen[1024] = "";
	pid_t starter;

	assert_int_equal(pipe(ends), 0);
	high = fcntl(ends[1], F_DUPFD, 100);
	close(ends[1]);
	reports = high;
	starter = fork();
	if (starter == 0) {
		close(0);
		close(1);
		close(2);
		if (service_detach() < 0)
			_exit(99);
		daemon_that_lives();
	}
	assert_int_equal(exit_code_of(starter), 0);
	close(high);
	assert_true(read(ends[0], seen, sizeof(seen) - 1) > 0);
	close(ends[0]);
	assert_string_equal(seen, "/ /dev/null /dev/null 1 022\n");
}

static const char *content(const char *path)
{
	static char text[64];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

/* Whether another process gets the file: its answer, as a positive errno. */
static int other_process_writes(const char *path)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(-service_pidfile_write(path));
	return exit_code_of(pid);
}

static void pid_file(void **state)
{
	const char *path = scratch("pid");
	char expected[32];
	int fd;

	/* A longer one left behind by a crash. */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(dprintf(fd, "99999999999999\n"), 15);
	close(fd);
	assert_int_equal(service_pidfile_write(path), 0);
	snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
	assert_string_equal(content(path), expected);
	assert_int_equal(other_process_writes(path), EEXIST);
	assert_string_equal(content(path), expected);
	service_pidfile_remove();
	assert_int_not_equal(access(path, F_OK), 0);
	service_pidfile_remove();
	assert_int_equal(other_process_writes(path), 0);
}

static void pid_file_of_another_stays(void **state)
{
	const char *path = scratch("pid");

	assert_int_equal(service_pidfile_write(path), 0);
	assert_int_equal(rename(path, scratch("old")), 0);
	make_file(path, 1);
	service_pidfile_remove();
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(access(scratch("old"), F_OK), 0);
}

static void pid_file_that_cannot_be(void **state)
{
	assert_int_equal(service_pidfile_write(scratch("missing/pid")), -ENOENT);
	assert_int_equal(service_pidfile_write(scratch_dir()), -EISDIR);
	assert_int_equal(symlink("elsewhere", scratch("link")), 0);
	assert_int_equal(service_pidfile_write(scratch("link")), -ELOOP);
	assert_int_not_equal(access(scratch("elsewhere"), F_OK), 0);
	service_pidfile_remove();
}

#define MANAGED(name)	 cmocka_unit_test_setup_teardown(name, set_up_manager, tear_down_manager)
#define IN_SCRATCH(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MANAGED(notifications),
		MANAGED(status_when_it_changes),
		cmocka_unit_test(without_a_manager),
		cmocka_unit_test(watchdog),
		cmocka_unit_test(detach_tells_the_exit_code),
		cmocka_unit_test(detach_succeeds),
		cmocka_unit_test(detach_without_standard_descriptors),
		IN_SCRATCH(pid_file),
		IN_SCRATCH(pid_file_of_another_stays),
		IN_SCRATCH(pid_file_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
