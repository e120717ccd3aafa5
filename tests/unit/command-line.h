/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program's command line as a test gives it: in one string, with what is printed kept. */
#pragma once

#include "cases.h"

/* A program's parser; into is its own. */
typedef int command_line_parser(void *into, int argc, char *argv[]);

/* What the last command line printed, to stdout and stderr. */
extern char printed[8192];

/* The words follow the program's name; what points into them is valid until the next call. */
int command_line(command_line_parser *parse, void *into, const char *program, const char *words);

/* With -h, and a full disk behind stdout. */
int command_line_full(command_line_parser *parse, void *into, const char *program);
