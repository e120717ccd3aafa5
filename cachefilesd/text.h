/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that a person wrote: is it UTF-8, how is it shown in a message without upsetting a
 * terminal, and which known word did the person mean. Nothing here allocates or logs.
 */
#pragma once

#include <stdio.h>

#include "util.h"

/* Whether the bytes are UTF-8 as RFC 3629 has it: no overlong forms, no surrogates. */
bool text_is_utf8(const char *text, size_t length);

/* Whether a byte is a control character other than the tab. */
static inline bool text_is_control(unsigned char byte)
{
	return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

struct quoted {
	char text[100];
};
/*
 * The text in double quotes, control characters as \xNN, and cut with "..." after some 90 bytes,
 * never within a character. For use in the argument list of a printf.
 */
struct quoted text_quote(const char *text);

/* The whole text in the same way, without the quotes. */
void text_write(FILE *to, const char *text);

/*
 * How many letters must be changed, added, dropped or swapped with their neighbour to make one word
 * of the other, case aside. Words of more than 31 bytes are as far from everything as can be:
 * UINT_MAX.
 */
unsigned int text_distance(const char *a, const char *b);
