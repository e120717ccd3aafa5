/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of a person: what is UTF-8 is held against a decoder of another kind, quoting never cuts a
 * character nor lets a control character through, distances are what they are called.
 */
#include "cases.h"

#include <limits.h>

#include "text.h"

/* Writes the character as RFC 3629 says; returns its length. */
static size_t encode(unsigned int character, char *to)
{
	size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

	if (length == 1) {
		*to = (char)character;
		return 1;
	}
	for (size_t i = length - 1; i > 0; i--, character >>= 6)
		to[i] = (char)(0x80 | (character & 0x3f));
	to[0] = (char)((0xf00 >> length) | character);
	return length;
}

/* All sequences of up to three bytes, and four where they begin as four must. */
static void utf8_is_what_can_be_encoded(void **state)
{
	static unsigned char valid[1 << 24];
	char bytes[4];

	for (unsigned int c = 0; c < 0x10000; c++) {
		size_t length = encode(c, bytes);
		unsigned int key = 0;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		for (size_t i = 0; i < length; i++)
			key = key << 8 | (unsigned char)bytes[i];
		valid[key] |= (unsigned char)(1 << length);
	}
	for (unsigned int key = 0; key < 1 << 24; key += key >= 0x10000 ? 7 : 1) {
		const char all[3] = {(char)(key >> 16), (char)(key >> 8), (char)key};
		size_t length = key < 0x100 ? 1 : key < 0x10000 ? 2 : 3;
		const char *at = all + 3 - length;
		bool expected = valid[key] & 1 << length;

		/* or a sequence of shorter ones */
		for (size_t first = 1; first < length && !expected; first++)
			expected =
				text_is_utf8(at, first) && text_is_utf8(at + first, length - first);
		if (text_is_utf8(at, length) != expected)
			fail_msg("%06x", key);
	}
}

static void utf8_of_four_bytes(void **state)
{
	char bytes[4];

	for (unsigned int c = 0x10000; c < 0x110000; c += 61) {
		assert_int_equal(encode(c, bytes), 4);
		assert_true(text_is_utf8(bytes, 4));
		assert_false(text_is_utf8(bytes, 3));
		assert_false(text_is_utf8(bytes, 2));
		assert_false(text_is_utf8(bytes + 1, 3));
	}
	assert_false(text_is_utf8("\xf0\x8f\xbf\xbf", 4));
	assert_false(text_is_utf8("\xf4\x90\x80\x80", 4));
	assert_false(text_is_utf8("\xf5\x80\x80\x80", 4));
	assert_true(text_is_utf8("", 0));
}

static void quoting(void **state)
{
	static const struct {
		const char *text, *quoted;
	} cases[] = {
		{"", "\"\""},
		{"abc", "\"abc\""},
		{"a\tb", "\"a\\x09b\""},
		{"\x1b[31m", "\"\\x1b[31m\""},
		{"\x7f", "\"\\x7f\""},
		{"gr\xc3\xb6\xc3\x9f", "\"gr\xc3\xb6\xc3\x9f\""},
		{"\xff\xc3", "\"\\xff\\xc3\""},
		/* the control characters of two bytes, and the first that is none */
		{"\xc2\x9b[31m", "\"\\xc2\\x9b[31m\""},
		{"\xc2\x80\xc2\x9f", "\"\\xc2\\x80\\xc2\\x9f\""},
		{"\xc2\xa0", "\"\xc2\xa0\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(text_quote(cases[i].text).text, cases[i].quoted);
}

static void writing(void **state)
{
	char *out = NULL, expected[3 * 1000 + 1];
	size_t size = 0;
	FILE *to = open_memstream(&out, &size);

	assert_non_null(to);
	text_write(to, "gr\xc3\xb6\xc3\x9f\x1b[1m\xff");
	for (int i = 0; i < 1000; i++)
		text_write(to, "\xe2\x82\xac");
	assert_int_equal(fclose(to), 0);
	assert_memory_equal(out, "gr\xc3\xb6\xc3\x9f\\x1b[1m\\xff", 17);
	for (size_t i = 0; i < 1000; i++)
		memcpy(expected + 3 * i, "\xe2\x82\xac", 4);
	assert_string_equal(out + 17, expected);
	free(out);
}

/* Of any length and any characters: it fits, is cut where characters meet, and ends as it should.
 */
static void quoting_cuts(void **state)
{
	static const char *const characters[] = {"x", "\xc3\xb6", "\xe2\x82\xac",
						 "\xf0\x9f\x98\x80", "\x01"};

	for (size_t c = 0; c < ARRAY_SIZE(characters); c++) {
		char text[1000] = "";

		for (int n = 0; n < 150; n++) {
			struct quoted q = text_quote(text);
			size_t length = strnlen(q.text, sizeof(q.text));
			bool cut = strlen(text) > 110;

			assert_true(length < sizeof(q.text));
			assert_true(text_is_utf8(q.text, length));
			assert_true(q.text[0] == '"' && q.text[length - 1] == '"');
			if (cut)
				assert_memory_equal(q.text + length - 4, "...\"", 4);
			strcat(text, characters[c]);
		}
	}
}

static void distances(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned int distance;
	} cases[] = {
		{"", "", 0},	     {"brun", "brun", 0},      {"BRun", "brun", 0},
		{"", "dir", 3},	     {"brn", "brun", 1},       {"bruun", "brun", 1},
		{"bran", "brun", 1}, {"burn", "brun", 1},      {"nurb", "brun", 3},
		{"dir", "tag", 3},   {"bcull", "fculls", 2},   {"memroy", "memory", 1},
		{"a", "bcdef", 5},   {"kitten", "sitting", 3},
	};
	char longest[33];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(text_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(text_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
	memset(longest, 'x', sizeof(longest));
	longest[31] = '\0';
	assert_int_equal(text_distance(longest, "x"), 30);
	longest[31] = 'x';
	longest[32] = '\0';
	assert_int_equal(text_distance(longest, "x"), UINT_MAX);
	assert_int_equal(text_distance("x", longest), UINT_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_what_can_be_encoded),
		cmocka_unit_test(utf8_of_four_bytes),
		cmocka_unit_test(quoting),
		cmocka_unit_test(writing),
		cmocka_unit_test(quoting_cuts),
		cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
