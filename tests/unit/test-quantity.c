/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes, times and counts: what is read as what, what is none, what does not fit, and how they are
 * shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "quantity.h"

#define UNTOUCHED UINT64_C(0x5a5a5a5a5a5a5a5a)

struct reading {
	const char *text;
	int result;
	uint64_t value;
};

static void read_all(int (*parse)(const char *, uint64_t *), const struct reading *cases,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t got = UNTOUCHED;
		uint64_t wanted = cases[i].result < 0 ? UNTOUCHED : cases[i].value;
		int r = parse(cases[i].text, &got);

		if (r != cases[i].result || got != wanted)
			fail_msg("\"%s\": %d, %llu", cases[i].text, r, (unsigned long long)got);
	}
}

static void counts(void **state)
{
	static const struct reading cases[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1K", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{"1.5", -EINVAL, 0},
	};

	read_all(quantity_parse_count, cases, ARRAY_SIZE(cases));
}

static void sizes(void **state)
{
	static const struct reading cases[] = {
		{"0", 0, 0},
		{"4096", 0, 4096},
		{"1K", 0, 1024},
		{"1k", 0, 1024},
		{"3M", 0, 3 << 20},
		{"2g", 0, UINT64_C(2) << 30},
		{"1T", 0, UINT64_C(1) << 40},
		{"16777215T", 0, UINT64_C(16777215) << 40},
		{"16777216T", -ERANGE, 0},
		{"18446744073709551616K", -ERANGE, 0},
		{"1P", -EINVAL, 0},
		{"1KB", -EINVAL, 0},
		{"1 K", -EINVAL, 0},
		{"K", -EINVAL, 0},
		{"99999999999999999999999x", -EINVAL, 0},
		{"1s", -EINVAL, 0},
	};

	read_all(quantity_parse_size, cases, ARRAY_SIZE(cases));
}

static void times(void **state)
{
	static const struct reading cases[] = {
		{"0", 0, 0},
		{"90", 0, 90},
		{"90s", 0, 90},
		{"2m", 0, 120},
		{"2min", 0, 120},
		{"3h", 0, 10800},
		{"7d", 0, 604800},
		{"2w", 0, 1209600},
		{"30500568904944w", -ERANGE, 0},
		{"2M", -EINVAL, 0},
		{"2D", -EINVAL, 0},
		{"1h30m", -EINVAL, 0},
		{"1 h", -EINVAL, 0},
		{"1mins", -EINVAL, 0},
		{"h", -EINVAL, 0},
		{"forever", -EINVAL, 0},
	};

	read_all(quantity_parse_time, cases, ARRAY_SIZE(cases));
}

static void exact(void **state)
{
	assert_string_equal(quantity_exact_size(0).text, "0");
	assert_string_equal(quantity_exact_size(1).text, "1");
	assert_string_equal(quantity_exact_size(1023).text, "1023");
	assert_string_equal(quantity_exact_size(65 << 10).text, "65K");
	assert_string_equal(quantity_exact_size(64 << 20).text, "64M");
	assert_string_equal(quantity_exact_size(UINT64_C(4) << 30).text, "4G");
	assert_string_equal(quantity_exact_size(UINT64_C(5) << 40).text, "5T");
	assert_string_equal(quantity_exact_size(UINT64_MAX).text, "18446744073709551615");
	assert_string_equal(quantity_exact_time(0).text, "0s");
	assert_string_equal(quantity_exact_time(90).text, "90s");
	assert_string_equal(quantity_exact_time(120).text, "2m");
	assert_string_equal(quantity_exact_time(10800).text, "3h");
	assert_string_equal(quantity_exact_time(86400).text, "1d");
	assert_string_equal(quantity_exact_time(1209600).text, "2w");
}

static void shown(void **state)
{
	assert_string_equal(quantity_size(0).text, "0 B");
	assert_string_equal(quantity_size(1023).text, "1023 B");
	assert_string_equal(quantity_size(1024).text, "1.0 KiB");
	assert_string_equal(quantity_size((1 << 20) - 1).text, "1.0 MiB");
	assert_string_equal(quantity_size(32 << 20 | 1 << 19).text, "32.5 MiB");
	assert_string_equal(quantity_size(UINT64_MAX).text, "16.0 EiB");
	assert_string_equal(quantity_time(119).text, "119 s");
	assert_string_equal(quantity_time(120).text, "2 min");
	assert_string_equal(quantity_time(7200).text, "2 h");
	assert_string_equal(quantity_time(172799).text, "47 h");
	assert_string_equal(quantity_time(172800).text, "2 days");
	assert_string_equal(quantity_count(0).text, "0");
	assert_string_equal(quantity_count(999).text, "999");
	assert_string_equal(quantity_count(1000).text, "1,000");
	assert_string_equal(quantity_count(41200).text, "41,200");
	assert_string_equal(quantity_count(123456).text, "123,456");
	assert_string_equal(quantity_count(UINT64_MAX).text, "18,446,744,073,709,551,615");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts), cmocka_unit_test(sizes), cmocka_unit_test(times),
		cmocka_unit_test(exact),  cmocka_unit_test(shown),
	};

	return cmocka_run_group_tests_name("quantity", tests, NULL, NULL);
}
