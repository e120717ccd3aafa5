/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the tables of tests/config and builds what their lines describe: the files of one case, in
 * a directory of its own that is the working directory. Every call aborts the test when it fails.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "util.h"

struct test_case {
	char *line;	   /* as it stands in the table, cut up by the columns */
	const char *name;  /* first column */
	char *expected;	   /* second column; each line of it has a newline behind it */
	char *columns[10]; /* the others, escapes still in */
	size_t count;
};

/* Runs a test for each line of the table; fails as well when there are less than so many. */
int cases_run(const char *group, const char *table, CMUnitTestFunction test, size_t least);

/* Makes an empty directory and goes there; removes it with what is in it. */
void case_enter(void);
void case_leave(void);

/* Empties the directory. */
void case_clean(void);
/* Empties the directory and writes the case's files. */
void case_build(const struct test_case *t);

void case_write(const char *path, const char *text, size_t length);
char *case_read(const char *path);
