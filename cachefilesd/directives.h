/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of what a configuration file may say. The parser, --dump-config, the reload and
 * the check of the manual go by it; a new directive is a new line in directives.c and its entry in
 * the manual. Nothing here logs.
 */
#pragma once

#include "config.h"

enum directive_id {
	DIRECTIVE_DIR,
	DIRECTIVE_TAG,
	DIRECTIVE_SECCTX,
	DIRECTIVE_BRUN,
	DIRECTIVE_BCULL,
	DIRECTIVE_BSTOP,
	DIRECTIVE_FRUN,
	DIRECTIVE_FCULL,
	DIRECTIVE_FSTOP,
	DIRECTIVE_NOCULL,
	DIRECTIVE_CULLTABLE,
	DIRECTIVE_RESUME_THRESHOLDS,
	DIRECTIVE_DEBUG,
	DIRECTIVE_MEMORY,
	DIRECTIVE_FREEZE,
	DIRECTIVE_REMOUNT,
	DIRECTIVE_CONTROL,
	DIRECTIVE_CONTROL_GROUP,
	DIRECTIVE_METRICS,
	DIRECTIVE_MAX_SIZE,
	DIRECTIVE_MAX_FILES,
	DIRECTIVE_MIN_FREE,
	DIRECTIVE_MAX_AGE,
	DIRECTIVE_VOLUME,
	DIRECTIVES
};

struct directive;

/* Why a value was refused; begins with a small letter, has no full stop. */
struct complaint {
	const char *file; /* given: where the value stands */
	unsigned int line;
	char text[300];
};

/* How the values of some directives are read, written and compared. */
struct directive_type {
	/* Returns 0; -EINVAL with the complaint filled in, the configuration untouched; -ENOMEM. */
	int (*parse)(const struct directive *d, struct config *c, const char *value,
		     struct complaint *why);
	/* One line; what cannot be written since it is not set becomes a comment. */
	void (*print)(const struct directive *d, const struct config *c, FILE *to);
	bool (*same)(const struct directive *d, const struct config *a, const struct config *b);
};

struct directive {
	const char *name;
	const char *argument; /* as the manual calls it; NULL: takes none */
	const struct directive_type *type;
	size_t offset;	   /* of its (first) member in struct config */
	uint64_t min, max; /* of numbers */
	bool reloads;	   /* a reload takes it over; what has no effect does too */
	bool repeats;	   /* may be given more than once in a file */
};

extern const struct directive directives[DIRECTIVES];

/* Returns NULL for a word that is no directive. */
const struct directive *directive_find(const char *name);

/* The directive that was meant by a word that is none, or NULL if it is not near to any. */
const struct directive *directive_near(const char *word);

/* For the parsers of values: fills the complaint in. Returns -EINVAL. */
_printf_(2, 3) int refuse(struct complaint *why, const char *format, ...);
