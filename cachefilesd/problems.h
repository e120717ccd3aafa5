/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of what is wrong with a configuration: all of it, in the order it was found, each as
 * "FILE:LINE: message".
 */
#pragma once

#include <stdio.h>

#include "util.h"

struct problems {
	char **lines;
	size_t count;
	bool lost; /* memory ran out: the list is not complete, and the configuration is not valid
		    */
};

/* Line 0 means the file as a whole and is left out of the message. */
void problems_add(struct problems *p, const char *file, unsigned int line, const char *format, ...)
	_printf_(4, 5);
void problems_print(const struct problems *p, FILE *to);
bool problems_any(const struct problems *p);
void problems_clear(struct problems *p);
