/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command-line.h"

#include <fcntl.h>

#define WORDS_MAX 20

char printed[8192];

int command_line(command_line_parser *parse, void *into, const char *program, const char *words)
{
	static char kept[512], name[32];
	char *argv[WORDS_MAX] = {name}, *rest = kept, *word;
	int argc = 1, saved[2], r;
	FILE *to = tmpfile();
	size_t length;

	assert_non_null(to);
	assert_true(strlen(words) < sizeof(kept) && strlen(program) < sizeof(name));
	strcpy(kept, words);
	strcpy(name, program);
	while (*words && (word = strsep(&rest, " "))) {
		assert_true(argc < WORDS_MAX - 1);
		argv[argc++] = word;
	}
	fflush(stdout);
	for (int fd = 1; fd <= 2; fd++) {
		saved[fd - 1] = dup(fd);
		dup2(fileno(to), fd);
	}
	r = parse(into, argc, argv);
	fflush(stdout);
	for (int fd = 1; fd <= 2; fd++) {
		dup2(saved[fd - 1], fd);
		close(saved[fd - 1]);
	}
	rewind(to);
	length = fread(printed, 1, sizeof(printed) - 1, to);
	printed[length] = '\0';
	fclose(to);
	return r;
}

int command_line_full(command_line_parser *parse, void *into, const char *program)
{
	char name[32], option[] = "-h", *argv[] = {name, option, NULL};
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), saved = dup(1), r;

	assert_true(full >= 0);
	snprintf(name, sizeof(name), "%s", program);
	fflush(stdout);
	dup2(full, 1);
	r = parse(into, 2, argv);
	dup2(saved, 1);
	close(full);
	close(saved);
	clearerr(stdout);
	return r;
}
