/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <ctype.h>
#include <limits.h>

/* The length of the character that begins at text, 0 if none does. */
static size_t utf8_length(const unsigned char *text, size_t left)
{
	unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
	size_t length;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2) /* a continuation, or an overlong form of two bytes */
		return 0;
	length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (text[0] > 0xf4 || length > left)
		return 0;
	if (text[0] == 0xe0)
		low = 0xa0; /* less would be overlong */
	else if (text[0] == 0xed)
		high = 0x9f; /* more would be a surrogate */
	else if (text[0] == 0xf0)
		low = 0x90;
	else if (text[0] == 0xf4)
		high = 0x8f; /* the last character is U+10FFFF */
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

bool text_is_utf8(const char *text, size_t length)
{
	for (size_t at = 0, step; at < length; at += step) {
		step = utf8_length((const unsigned char *)text + at, length - at);
		if (step == 0)
			return false;
	}
	return true;
}

/*
 * One step of showing text: as it is, or a byte as \xNN when it would upset a terminal (control
 * characters, also those of two bytes) or is no UTF-8. Returns how many bytes of the text that was.
 */
static size_t show_step(const char *text, size_t left, char escaped[5], const char **ret_show,
			size_t *ret_length)
{
	unsigned char byte = (unsigned char)*text;
	size_t step = utf8_length((const unsigned char *)text, left);
	bool control = byte < 0x20 || byte == 0x7f ||
		       (step == 2 && byte == 0xc2 && (unsigned char)text[1] < 0xa0);

	if (step > 0 && !control) {
		*ret_show = text;
		*ret_length = step;
		return step;
	}
	*ret_length = (size_t)snprintf(escaped, 5, "\\x%02x", byte);
	*ret_show = escaped;
	return 1;
}

struct quoted text_quote(const char *text)
{
	const size_t room = sizeof(((struct quoted *)NULL)->text) - sizeof("...\"");
	size_t left = strlen(text), used = 1, step, length;
	struct quoted quoted = {"\""};
	char escaped[5];
	const char *show;

	for (; left > 0; text += step, left -= step) {
		step = show_step(text, left, escaped, &show, &length);
		if (used + length > room) {
			memcpy(quoted.text + used, "...", 3);
			used += 3;
			break;
		}
		memcpy(quoted.text + used, show, length);
		used += length;
	}
	memcpy(quoted.text + used, "\"", 2);
	return quoted;
}

void text_write(FILE *to, const char *text)
{
	size_t left = strlen(text), step, length;
	char escaped[5];
	const char *show;

	for (; left > 0; text += step, left -= step) {
		step = show_step(text, left, escaped, &show, &length);
		fwrite(show, 1, length, to);
	}
}

unsigned int text_distance(const char *a, const char *b)
{
	/* Row i: distances of the first i bytes of a from the first 0, 1, 2... of b. */
	unsigned int rows[32][32];
	size_t la = strlen(a), lb = strlen(b);

	if (la >= ARRAY_SIZE(rows) || lb >= ARRAY_SIZE(rows))
		return UINT_MAX;
	for (size_t i = 0; i <= la; i++) {
		for (size_t j = 0; j <= lb; j++) {
			unsigned int best;

			if (i == 0 || j == 0) {
				rows[i][j] = (unsigned int)(i + j);
				continue;
			}
#define SAME(i, j) (tolower((unsigned char)a[i]) == tolower((unsigned char)b[j]))
			best = rows[i - 1][j - 1] + !SAME(i - 1, j - 1);
			best = MIN(best, rows[i - 1][j] + 1);
			best = MIN(best, rows[i][j - 1] + 1);
			if (i > 1 && j > 1 && SAME(i - 1, j - 2) && SAME(i - 2, j - 1))
				best = MIN(best, rows[i - 2][j - 2] + 1);
#undef SAME
			rows[i][j] = best;
		}
	}
	return rows[la][lb];
}
