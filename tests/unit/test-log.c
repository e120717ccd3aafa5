/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages: which go out, that each is one line whatever is in it, and where they go by target
 * and JOURNAL_STREAM.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "log.h"

static char printed[65536];
static int saved_stderr, sink;

/* From here on stderr is a file, until printed_since(). */
static void catch (void)
{
	char path[] = "/tmp/test-log.XXXXXX";

	sink = mkstemp(path);
	assert_true(sink >= 0);
	unlink(path);
	saved_stderr = dup(STDERR_FILENO);
	assert_int_equal(dup2(sink, STDERR_FILENO), STDERR_FILENO);
}

static const char *printed_since(void)
{
	ssize_t length = pread(sink, printed, sizeof(printed) - 1, 0);

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(sink);
	assert_true(length >= 0);
	printed[length] = '\0';
	return printed;
}

/* Makes JOURNAL_STREAM name what stderr is now. */
static void set_stream(int inode_offset)
{
	char text[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + (unsigned int)inode_offset);
	setenv("JOURNAL_STREAM", text, 1);
}

static void levels(void **state)
{
	catch ();
	log_open(LOG_TARGET_STDERR, LOG_NOTICE);
	log_notice("seen %d", 1);
	log_info("not seen");
	log_error("seen 2");
	assert_int_equal(log_level(), LOG_NOTICE);
	log_set_level(LOG_DEBUG);
	log_debug("seen 3");
	assert_string_equal(printed_since(), "seen 1\nseen 2\nseen 3\n");
}

static void one_line(void **state)
{
	catch ();
	log_open(LOG_TARGET_STDERR, LOG_INFO);
	log_info("name \"%s\" of s\303\274den", "a\nb\033[1m\177c\t");
	assert_string_equal(printed_since(),
			    "name \"a\\x0ab\\x1b[1m\\x7fc\\x09\" of s\303\274den\n");
}

/* Ids are 32 digits and each one's own; on a terminal an event is a message like others. */
static void events(void **state)
{
	for (unsigned int i = 0; i < MESSAGE_COUNT; i++) {
		assert_int_equal(strlen(message_id(i)), 32);
		assert_int_equal(strspn(message_id(i), "0123456789abcdef"), 32);
		for (unsigned int j = 0; j < i; j++) {
			assert_string_not_equal(message_id(i), message_id(j));
			assert_string_not_equal(message_name(i), message_name(j));
		}
	}
	assert_string_equal(message_name(MESSAGE_FREEZE_REFUSED), "FREEZE_REFUSED");
	catch ();
	log_open(LOG_TARGET_STDERR, LOG_INFO);
	log_event(LOG_NOTICE, MESSAGE_BOUND, "seen %d", 1);
	log_event(LOG_DEBUG, MESSAGE_BOUND, "not seen");
	assert_string_equal(printed_since(), "seen 1\n");
}

static void long_message(void **state)
{
	char *many = malloc(100000);

	memset(many, '\n', 99999);
	many[99999] = '\0';
	catch ();
	log_open(LOG_TARGET_STDERR, LOG_INFO);
	log_info("%s", many);
	log_info("after");
	printed_since();
	assert_memory_equal(printed, "\\x0a\\x0a", 8);
	assert_non_null(strstr(printed, "\\x0a...\nafter\n"));
	assert_true(strlen(printed) < 4096);
	free(many);
}

static void errno_stays(void **state)
{
	log_open(LOG_TARGET_STDERR, LOG_INFO);
	catch ();
	close(STDERR_FILENO);
	errno = ENOTTY;
	log_info("lost");
	assert_int_equal(errno, ENOTTY);
	dup2(sink, STDERR_FILENO);
	printed_since();
}

static void prefixes_for_the_journal(void **state)
{
	catch ();
	set_stream(0);
	log_open(LOG_TARGET_STDERR, LOG_DEBUG);
	log_error("e");
	log_debug("d");
	assert_string_equal(printed_since(), "<3>e\n<7>d\n");

	catch ();
	set_stream(1); /* inherited, but stderr is not the journal any more */
	log_open(LOG_TARGET_AUTO, LOG_DEBUG);
	log_error("e");
	assert_string_equal(printed_since(), "e\n");

	catch ();
	setenv("JOURNAL_STREAM", "rubbish", 1);
	log_open(LOG_TARGET_AUTO, LOG_DEBUG);
	log_error("e");
	assert_string_equal(printed_since(), "e\n");
	unsetenv("JOURNAL_STREAM");
}

/* A descriptor that gets the number of stderr must not get the messages. */
static void closed_standard_descriptors(void **state)
{
	int status, fd;
	pid_t pid = fork();

	if (pid == 0) {
		close(0);
		close(1);
		close(2);
		log_open(LOG_TARGET_STDERR, LOG_INFO);
		fd = open("/dev/null", O_RDONLY);
		_exit(fd > 2 && fcntl(2, F_GETFD) >= 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define THREADS	 4
#define MESSAGES 200

static void *talk(void *data)
{
	for (int i = 0; i < MESSAGES; i++)
		log_info("%s", (const char *)data);
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	static const char *const words[THREADS] = {"alpha alpha", "beta beta", "gamma gamma",
						   "delta delta"};
	pthread_t threads[THREADS];
	int count = 0;

	catch ();
	log_open(LOG_TARGET_STDERR, LOG_INFO);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, talk, (void *)words[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printed_since();
	for (char *line = strtok(printed, "\n"); line; line = strtok(NULL, "\n")) {
		bool known = false;

		for (int i = 0; i < THREADS; i++)
			known = known || streq(line, words[i]);
		assert_true(known);
		count++;
	}
	assert_int_equal(count, THREADS * MESSAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(one_line),
		cmocka_unit_test(events),
		cmocka_unit_test(long_message),
		cmocka_unit_test(errno_stays),
		cmocka_unit_test(prefixes_for_the_journal),
		cmocka_unit_test(closed_standard_descriptors),
		cmocka_unit_test(lines_of_threads_do_not_mix),
	};

	unsetenv("JOURNAL_STREAM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
