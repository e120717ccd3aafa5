/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written to /dev/cachefiles, what is made of its answers and of its state line. read() and
 * write() are wrapped; the limits are written against a model of the kernel's checks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device.h"

#define FD 1000

static char written[8][8192];
static size_t lengths[8];
static int writes, answers[8], answer_count;

static const char *line;
static int reads, read_error;

/* cachefiles_daemon_brun and its sisters: run, cull, stop of blocks, then of files. */
static struct {
	bool on;
	unsigned int now[6];
} model;

static int model_answer(const char *data, size_t length)
{
	static const char *const words[] = {"brun", "bcull", "bstop", "frun", "fcull", "fstop"};
	unsigned int value, next[6];
	char word[8], sign[3];

	assert_true(length < 20);
	assert_int_equal(sscanf(data, "%7s %u%2s", word, &value, sign), 3);
	assert_string_equal(sign, "%");
	memcpy(next, model.now, sizeof(next));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		unsigned int *three = next + i / 3 * 3;

		if (!streq(word, words[i]))
			continue;
		next[i] = value;
		if (three[2] >= three[1] || three[1] >= three[0] || three[0] >= 100)
			return EINVAL;
		memcpy(model.now, next, sizeof(next));
		return 0;
	}
	return EOPNOTSUPP;
}

ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	char text[8192];
	int error;

	if (fd != FD)
		return __real_write(fd, data, size);
	assert_true(size < sizeof(text));
	memcpy(text, data, size);
	text[size] = '\0';
	if (model.on) {
		error = model_answer(text, size);
	} else {
		assert_true(writes < 8);
		memcpy(written[writes], text, size + 1);
		lengths[writes] = size;
		error = writes < answer_count ? answers[writes] : 0;
		writes++;
	}
	if (error) {
		errno = error;
		return -1;
	}
	return (ssize_t)size;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	size_t length = line ? strlen(line) : 0;

	if (fd != FD)
		return __real_read(fd, buffer, size);
	assert_true(size >= 256); /* EMSGSIZE, and the counters are lost */
	if (reads++ == 0 && read_error) {
		errno = read_error;
		return -1;
	}
	assert_true(length <= size);
	if (length)
		memcpy(buffer, line, length);
	return (ssize_t)length;
}

static int reset(void **state)
{
	writes = answer_count = reads = read_error = 0;
	line = NULL;
	model.on = false;
	return 0;
}

static void answer(int first, int second)
{
	writes = 0;
	answers[0] = first;
	answers[1] = second;
	answer_count = 2;
}

static void commands(void **state)
{
	assert_int_equal(device_command(FD, "tag", "my cache"), 0);
	assert_string_equal(written[0], "tag my cache");
	assert_int_equal(lengths[0], strlen("tag my cache")); /* no NUL: that is EINVAL */
	assert_int_equal(device_bind(FD), 0);
	assert_string_equal(written[1], "bind");
}

static void errors_come_back(void **state)
{
	static const int errors[] = {EINVAL,	 EEXIST, EBUSY, EIO,
				     EOPNOTSUPP, ERANGE, EROFS, ENOBUFS};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		answer(errors[i], 0);
		assert_int_equal(device_command(FD, "dir", "/c"), -errors[i]);
		assert_int_equal(writes, 1);
	}
}

static void interrupted(void **state)
{
	answer(EINTR, EINTR);
	assert_int_equal(device_command(FD, "dir", "/c"), 0);
	assert_int_equal(writes, 3);
	assert_string_equal(written[2], "dir /c");
}

/* The kernel takes less than a page; no more than that is written. */
static void too_long(void **state)
{
	char argument[8000];

	memset(argument, 'x', sizeof(argument) - 1);
	argument[sizeof(argument) - 1] = '\0';
	assert_int_equal(device_command(FD, "dir", argument), -ENAMETOOLONG);
	argument[4092] = '\0'; /* "dir " and this: a page */
	assert_int_equal(device_command(FD, "dir", argument), -ENAMETOOLONG);
	assert_int_equal(writes, 0);
	argument[4091] = '\0';
	assert_int_equal(device_command(FD, "dir", argument), 0);
	assert_int_equal(lengths[0], 4095);
}

static void limits_from(const unsigned int *before)
{
	struct limits l = {0};
	int r;

	model.on = true;
	for (unsigned int run = 2; run < 100; run += run < 96 ? 7 : 1)
		for (unsigned int cull = 1; cull < run; cull += cull < run - 3 ? 5 : 1)
			for (unsigned int stop = 0; stop < cull; stop += stop < cull - 3 ? 6 : 1) {
				memcpy(model.now, before, 3 * sizeof(*before));
				memcpy(model.now + 3, before, 3 * sizeof(*before));
				l = (struct limits){run,       cull,	  stop,
						    99 - stop, 99 - cull, 99 - run};
				r = device_set_limits(FD, &l);
				if (r < 0)
					fail_msg("%u %u %u from %u %u %u: %s", run, cull, stop,
						 before[0], before[1], before[2], strerror(-r));
				assert_memory_equal(model.now,
						    ((unsigned int[]){run, cull, stop, l.frun,
								      l.fcull, l.fstop}),
						    sizeof(model.now));
			}
}

/* Whatever is in force, an order of writing that the kernel accepts. */
static void limits_in_any_order(void **state)
{
	static const unsigned int starts[][3] = {
		{7, 5, 1},   {2, 1, 0},	   {99, 98, 97}, {99, 1, 0},
		{99, 98, 0}, {50, 49, 48}, {98, 97, 96}, {30, 2, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		limits_from(starts[i]);
}

static void limits_refused(void **state)
{
	struct limits l = {10, 7, 3, 10, 7, 3};

	answer(0, EIO);
	assert_int_equal(device_set_limits(FD, &l), -EIO);
	assert_int_equal(writes, 2); /* and no further */
}

static void whole_line(void **state)
{
	struct device_state s;

	line = "cull=1 frun=64 fcull=32 fstop=a brun=ffffffffff bcull=dead bstop=0 freleased=3 "
	       "breleased=1f";
	assert_int_equal(device_read_state(FD, &s), 0);
	assert_true(s.cull);
	assert_int_equal(s.frun, 0x64);
	assert_int_equal(s.fcull, 0x32);
	assert_int_equal(s.fstop, 10);
	assert_int_equal(s.brun, 0xffffffffff);
	assert_int_equal(s.bcull, 0xdead);
	assert_int_equal(s.bstop, 0);
	assert_true(s.counts_released);
	assert_int_equal(s.freleased, 3);
	assert_int_equal(s.breleased, 0x1f);
}

static void older_kernel(void **state)
{
	struct device_state s;

	assert_int_equal(
		device_parse_state("cull=0 frun=1 fcull=1 fstop=1 brun=2 bcull=2 bstop=2", &s), 0);
	assert_false(s.cull);
	assert_false(s.counts_released);
	assert_int_equal(s.freleased, 0);
	assert_int_equal(s.breleased, 0);
	assert_int_equal(s.brun, 2);
}

/* What the claim adds; without it nothing of that is there. */
static void with_claim(void **state)
{
	struct device_state s;

	assert_int_equal(
		device_parse_state("cull=0 frun=1 fcull=1 fstop=1 brun=2 bcull=2 bstop=2 "
				   "freleased=0 breleased=0 wclaim=1 frzref=1f roref=2 dead=0",
				   &s),
		0);
	assert_true(s.has_claim && s.claimed);
	assert_false(s.dead);
	assert_int_equal(s.frzref, 0x1f);
	assert_int_equal(s.roref, 2);
	assert_int_equal(device_parse_state("cull=0 wclaim=0 frzref=0 roref=0 dead=1", &s), 0);
	assert_true(s.has_claim && s.dead);
	assert_false(s.claimed);
	assert_int_equal(device_parse_state("cull=0 frun=1", &s), 0);
	assert_false(s.has_claim || s.claimed || s.dead);
}

/* Kernels to come: keys that are not known, anywhere, whatever they have for a value. */
static void newer_kernel(void **state)
{
	struct device_state s;

	assert_int_equal(device_parse_state("dead=0 cull=1 frun=7 zz=! word cullx=9 =5 cul=8 x= "
					    "brun=9\n",
					    &s),
			 0);
	assert_true(s.cull);
	assert_int_equal(s.frun, 7);
	assert_int_equal(s.brun, 9);
	assert_int_equal(device_parse_state("cull=0  \t frun=5", &s), 0);
	assert_int_equal(s.frun, 5);
}

static void junk(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"\n",
		"=",
		"junk",
		"frun=1 brun=2",
		"cull",
		"cull=",
		"cull=2",
		"cull=-1",
		"cull= 1",
		"cull=1x",
		"cull=0 frun=",
		"cull=0 frun=g",
		"cull=0 frun=-1",
		"cull=0 frun=+1",
		"cull=0 brun=1,2",
		"cull=0 brun=10000000000000000",
		"CULL=1",
		"\xff\xfe",
	};
	const struct device_state untouched = {.brun = 77};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct device_state s = untouched;

		if (device_parse_state(lines[i], &s) != -EBADMSG)
			fail_msg("\"%s\" makes sense", lines[i]);
		assert_memory_equal(&s, &untouched, sizeof(s));
	}
}

static void reading(void **state)
{
	struct device_state s = {.brun = 77};

	assert_int_equal(device_read_state(FD, &s), -ENODATA); /* not bound: not the end of file */
	reads = 0;
	read_error = EIO;
	assert_int_equal(device_read_state(FD, &s), -EIO);
	assert_int_equal(s.brun, 77);
	reads = 0;
	read_error = EINTR;
	line = "cull=0 brun=5";
	assert_int_equal(device_read_state(FD, &s), 0);
	assert_int_equal(reads, 2);
	assert_int_equal(s.brun, 5);
}

static void probing(void **state)
{
	answer(EOPNOTSUPP, 0);
	assert_int_equal(device_probe(FD), 1);
	answer(EIO, 0);
	assert_int_equal(device_probe(FD), 0);
	answer(ENOMEM, 0);
	assert_int_equal(device_probe(FD), -ENOMEM);
	/* A word that means something would do something. */
	assert_string_not_equal(written[0], "");
	assert_null(strchr(written[0], ' '));
}

static void verdicts(void **state)
{
	static const struct {
		int error;
		enum cull_verdict verdict;
	} table[] = {
		{0, CULL_DONE},	       {EBUSY, CULL_BUSY},    {ENOENT, CULL_GONE},
		{ESTALE, CULL_GONE},   {EINVAL, CULL_SKIP},   {ENAMETOOLONG, CULL_SKIP},
		{ENOTDIR, CULL_SKIP},  {EPERM, CULL_DENIED},  {EACCES, CULL_DENIED},
		{ENOMEM, CULL_DENIED}, {EROFS, CULL_DENIED},  {ENOSPC, CULL_DENIED},
		{EDQUOT, CULL_DENIED}, {ENODEV, CULL_DENIED}, {EBADF, CULL_DENIED},
	};
	int error;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		answer(table[i].error, 0);
		error = -1;
		if (device_cull(FD, "D1", &error) != table[i].verdict)
			fail_msg("errno %d", table[i].error);
		assert_int_equal(error, table[i].error);
		assert_int_equal(writes, 1);
		assert_string_equal(written[0], "cull D1");
	}
}

/* EIO is the dead cache, or one object that the kernel would rather not: the probe tells. */
static void io_error(void **state)
{
	int error;

	answer(EIO, EIO);
	assert_int_equal(device_cull(FD, "D1", &error), CULL_DEAD);
	assert_int_equal(writes, 2);
	answer(EIO, EOPNOTSUPP);
	assert_int_equal(device_cull(FD, "D1", &error), CULL_SKIP);
	answer(EIO, ENOMEM); /* not known: not dead */
	assert_int_equal(device_cull(FD, "D1", &error), CULL_SKIP);
}

static void in_use(void **state)
{
	answer(0, EBUSY);
	assert_int_equal(device_in_use(FD, "Infs"), 0);
	assert_string_equal(written[0], "inuse Infs");
	assert_int_equal(device_in_use(FD, "Infs"), 1);
	answer(ENOENT, 0);
	assert_int_equal(device_in_use(FD, "Infs"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(commands, reset),
		cmocka_unit_test_setup(errors_come_back, reset),
		cmocka_unit_test_setup(interrupted, reset),
		cmocka_unit_test_setup(too_long, reset),
		cmocka_unit_test_setup(limits_in_any_order, reset),
		cmocka_unit_test_setup(limits_refused, reset),
		cmocka_unit_test_setup(whole_line, reset),
		cmocka_unit_test_setup(older_kernel, reset),
		cmocka_unit_test_setup(with_claim, reset),
		cmocka_unit_test_setup(newer_kernel, reset),
		cmocka_unit_test_setup(junk, reset),
		cmocka_unit_test_setup(reading, reset),
		cmocka_unit_test_setup(probing, reset),
		cmocka_unit_test_setup(verdicts, reset),
		cmocka_unit_test_setup(io_error, reset),
		cmocka_unit_test_setup(in_use, reset),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
