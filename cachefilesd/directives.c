/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directives.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>

#include "policies.h"
#include "quantity.h"
#include "quotas.h"
#include "text.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

/* The table counts its bytes in 32 bits; a smaller address space needs room for more than it. */
#define MEMORY_MAX (sizeof(size_t) > 4 ? 4 * GIB : GIB)

static void *field(const struct directive *d, struct config *c)
{
	return (char *)c + d->offset;
}

static const void *const_field(const struct directive *d, const struct config *c)
{
	return (const char *)c + d->offset;
}

int refuse(struct complaint *why, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why->text, sizeof(why->text), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/*
 * Reads the digits at text; strtoull would take signs and blanks as well. Returns -EINVAL when
 * there are none, -ERANGE when they do not fit.
 */
static int parse_digits(const char *text, int base, uint64_t *ret, const char **ret_end)
{
	char *end;

	if (!isxdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(text, &end, base);
	if (end == text)
		return -EINVAL;
	*ret_end = end;
	return -errno;
}

/* Text: the rest of the line, blanks within it included. */

static int set_text(char **to, const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

static int parse_text(const struct directive *d, struct config *c, const char *value,
		      struct complaint *why)
{
	return set_text(field(d, c), value, strlen(value));
}

static void print_text(const struct directive *d, const struct config *c, FILE *to)
{
	const char *const *value = const_field(d, c);

	if (*value)
		fprintf(to, "%s %s\n", d->name, *value);
	else
		fprintf(to, "# %s %s\n", d->name, d->argument);
}

static bool same_text(const struct directive *d, const struct config *a, const struct config *b)
{
	const char *const *x = const_field(d, a);
	const char *const *y = const_field(d, b);

	return *x && *y ? streq(*x, *y) : *x == *y;
}

/* A path: text that begins with a slash; slashes at its end mean nothing. */

static int parse_path(const struct directive *d, struct config *c, const char *value,
		      struct complaint *why)
{
	size_t length = strlen(value);

	if (*value == '"' || *value == '\'')
		return refuse(why, "%s: a path is written without quotes", text_quote(value).text);
	if (*value != '/')
		return refuse(why, "%s is not an absolute path", text_quote(value).text);
	while (length > 0 && value[length - 1] == '/')
		length--;
	if (length == 0)
		return refuse(why, "the root directory itself cannot be the cache");
	if (value[length - 1] == ' ' || value[length - 1] == '\t')
		return refuse(why, "%s: a path cannot end in a blank", text_quote(value).text);
	return set_text(field(d, c), value, length);
}

/* A percentage, as the kernel reads it: decimal digits and the sign, nothing between or after. */

static int parse_percent(const struct directive *d, struct config *c, const char *value,
			 struct complaint *why)
{
	unsigned int *percent = field(d, c);
	const char *end;
	uint64_t number;
	int r = parse_digits(value, 10, &number, &end);

	if (r != -EINVAL && *end == '\0')
		return refuse(why, "%s lacks the %% sign", text_quote(value).text);
	if (r == -EINVAL || !streq(end, "%"))
		return refuse(why, "%s is not a whole percentage like 7%%", text_quote(value).text);
	if (r < 0 || number > 99)
		return refuse(why, "%s is out of range: 0%% to 99%%", text_quote(value).text);
	*percent = (unsigned int)number;
	return 0;
}

static void print_percent(const struct directive *d, const struct config *c, FILE *to)
{
	const unsigned int *percent = const_field(d, c);

	fprintf(to, "%s %u%%\n", d->name, *percent);
}

static bool same_unsigned(const struct directive *d, const struct config *a, const struct config *b)
{
	const unsigned int *x = const_field(d, a);
	const unsigned int *y = const_field(d, b);

	return *x == *y;
}

/* A flag: the word alone. That there is no value has been seen to. */

static int parse_flag(const struct directive *d, struct config *c, const char *value,
		      struct complaint *why)
{
	bool *flag = field(d, c);

	*flag = true;
	return 0;
}

static void print_flag(const struct directive *d, const struct config *c, FILE *to)
{
	const bool *flag = const_field(d, c);

	fprintf(to, "%s%s\n", *flag ? "" : "# ", d->name);
}

static bool same_flag(const struct directive *d, const struct config *a, const struct config *b)
{
	const bool *x = const_field(d, a);
	const bool *y = const_field(d, b);

	return *x == *y;
}

/* A decimal number. */

static int parse_number(const struct directive *d, struct config *c, const char *value,
			struct complaint *why)
{
	unsigned int *to = field(d, c);
	const char *end;
	uint64_t number;
	int r = parse_digits(value, 10, &number, &end);

	if (r == -EINVAL || *end != '\0')
		return refuse(why, "%s is not a whole number", text_quote(value).text);
	if (r < 0 || number < d->min || number > d->max)
		return refuse(why, "%s is out of range: %" PRIu64 " to %" PRIu64,
			      text_quote(value).text, d->min, d->max);
	*to = (unsigned int)number;
	return 0;
}

static void print_number(const struct directive *d, const struct config *c, FILE *to)
{
	const unsigned int *number = const_field(d, c);

	fprintf(to, "%s %u\n", d->name, *number);
}

/* A mask for the kernel, which takes 0x and octal numbers too (simple_strtoul of base 0). */

static int parse_mask(const struct directive *d, struct config *c, const char *value,
		      struct complaint *why)
{
	unsigned int *mask = field(d, c);
	const char *end;
	uint64_t number;
	int r = parse_digits(value, 0, &number, &end);

	if (r == -EINVAL || *end != '\0')
		return refuse(why, "%s is not a number like 7 or 0x7", text_quote(value).text);
	if (r < 0 || number > UINT32_MAX)
		return refuse(why, "%s does not fit into 32 bits", text_quote(value).text);
	*mask = (unsigned int)number;
	c->debug_set = true;
	return 0;
}

static void print_mask(const struct directive *d, const struct config *c, FILE *to)
{
	const unsigned int *mask = const_field(d, c);

	fprintf(to, "%s%s %u\n", c->debug_set ? "" : "# ", d->name, *mask);
}

static bool same_mask(const struct directive *d, const struct config *a, const struct config *b)
{
	return same_unsigned(d, a, b) && a->debug_set == b->debug_set;
}

/* Two numbers, of which "-" stands for none. */

static int parse_threshold(const char **value, uint64_t *ret, struct complaint *why)
{
	size_t length = strcspn(*value, " \t");
	_cleanup_free_ char *word = strndup(*value, length);
	const char *end;
	int r;

	if (!word)
		return -ENOMEM;
	*value += length;
	*value += strspn(*value, " \t");
	if (streq(word, "-")) {
		*ret = RESUME_IGNORED;
		return 0;
	}
	r = parse_digits(word, 10, ret, &end);
	if (r == -EINVAL || *end != '\0')
		return refuse(why, "%s is neither a whole number nor -", text_quote(word).text);
	if (r < 0 || *ret == RESUME_IGNORED)
		return refuse(why, "%s is too large", text_quote(word).text);
	return 0;
}

static int parse_thresholds(const struct directive *d, struct config *c, const char *value,
			    struct complaint *why)
{
	uint64_t blocks, files;
	int r = parse_threshold(&value, &blocks, why);

	if (r < 0)
		return r;
	if (!*value)
		return refuse(why, "the second value is missing, %s wanted", d->argument);
	r = parse_threshold(&value, &files, why);
	if (r < 0)
		return r;
	if (*value)
		return refuse(why, "%s is one value too many, %s wanted", text_quote(value).text,
			      d->argument);
	c->resume_blocks = blocks;
	c->resume_files = files;
	return 0;
}

static void print_threshold(uint64_t threshold, char after, FILE *to)
{
	if (threshold == RESUME_IGNORED)
		fprintf(to, "-%c", after);
	else
		fprintf(to, "%" PRIu64 "%c", threshold, after);
}

static void print_thresholds(const struct directive *d, const struct config *c, FILE *to)
{
	fprintf(to, "%s ", d->name);
	print_threshold(c->resume_blocks, ' ', to);
	print_threshold(c->resume_files, '\n', to);
}

static bool same_thresholds(const struct directive *d, const struct config *a,
			    const struct config *b)
{
	return a->resume_blocks == b->resume_blocks && a->resume_files == b->resume_files;
}

/* Bytes, with a power of 1024 behind them. */

static int parse_size(const struct directive *d, struct config *c, const char *value,
		      struct complaint *why)
{
	uint64_t size;
	int r = quantity_parse_size(value, &size);

	if (r == -EINVAL)
		return refuse(why, "%s is not a size like 64M", text_quote(value).text);
	if (r < 0 || size < d->min || size > d->max)
		return refuse(why, "%s is out of range: %s to %s", text_quote(value).text,
			      quantity_exact_size(d->min).text, quantity_exact_size(d->max).text);
	*(uint64_t *)field(d, c) = size;
	return 0;
}

static void print_size(const struct directive *d, const struct config *c, FILE *to)
{
	const uint64_t *size = const_field(d, c);

	fprintf(to, "%s %s\n", d->name, quantity_exact_size(*size).text);
}

static bool same_size(const struct directive *d, const struct config *a, const struct config *b)
{
	const uint64_t *x = const_field(d, a);
	const uint64_t *y = const_field(d, b);

	return *x == *y;
}

static const struct directive_type type_text = {parse_text, print_text, same_text};
static const struct directive_type type_path = {parse_path, print_text, same_text};
static const struct directive_type type_percent = {parse_percent, print_percent, same_unsigned};
static const struct directive_type type_flag = {parse_flag, print_flag, same_flag};
static const struct directive_type type_number = {parse_number, print_number, same_unsigned};
static const struct directive_type type_mask = {parse_mask, print_mask, same_mask};
static const struct directive_type type_thresholds = {parse_thresholds, print_thresholds,
						      same_thresholds};
static const struct directive_type type_size = {parse_size, print_size, same_size};

/* One row: name and argument as the manual has them, type, member, what else there is to say. */
#define ROW(word, value, of, member, ...)                                                          \
	{                                                                                          \
		.name = word, .argument = value, .type = &type_##of,                               \
		.offset = offsetof(struct config, member), __VA_ARGS__                             \
	}
/* The same for a member of struct rules. */
#define QUOTA(word, value, of, member)                                                             \
	{                                                                                          \
		.name = word, .argument = value, .type = &type_quota_##of,                         \
		.offset = offsetof(struct rules, member), RELOADS                                  \
	}
#define RESTART .reloads = false
#define RELOADS .reloads = true

const struct directive directives[DIRECTIVES] = {
	[DIRECTIVE_DIR] = ROW("dir", "PATH", path, dir, RESTART),
	[DIRECTIVE_TAG] = ROW("tag", "NAME", text, tag, RESTART),
	[DIRECTIVE_SECCTX] = ROW("secctx", "LABEL", text, secctx, RESTART),
	[DIRECTIVE_BRUN] = ROW("brun", "N%", percent, limits.brun, RESTART),
	[DIRECTIVE_BCULL] = ROW("bcull", "N%", percent, limits.bcull, RESTART),
	[DIRECTIVE_BSTOP] = ROW("bstop", "N%", percent, limits.bstop, RESTART),
	[DIRECTIVE_FRUN] = ROW("frun", "N%", percent, limits.frun, RESTART),
	[DIRECTIVE_FCULL] = ROW("fcull", "N%", percent, limits.fcull, RESTART),
	[DIRECTIVE_FSTOP] = ROW("fstop", "N%", percent, limits.fstop, RESTART),
	[DIRECTIVE_NOCULL] = ROW("nocull", NULL, flag, nocull, RESTART),
	[DIRECTIVE_CULLTABLE] =
		ROW("culltable", "N", number, culltable, .min = 12, .max = 20, RELOADS),
	[DIRECTIVE_RESUME_THRESHOLDS] =
		ROW("resume_thresholds", "BLOCKS FILES", thresholds, resume_blocks, RESTART),
	[DIRECTIVE_DEBUG] = ROW("debug", "MASK", mask, debug, RELOADS),
	[DIRECTIVE_MEMORY] =
		ROW("memory", "N[KMG]", size, memory, .min = MIB, .max = MEMORY_MAX, RELOADS),
	[DIRECTIVE_FREEZE] = ROW("freeze", "refuse|yield [TIME]", freeze, freeze, RESTART),
	[DIRECTIVE_REMOUNT] = ROW("remount", "refuse|yield", remount, remount, RELOADS),
	[DIRECTIVE_CONTROL] = ROW("control", "PATH|none", control, control, RESTART),
	[DIRECTIVE_CONTROL_GROUP] = ROW("control_group", "GROUP", group, control_group, RESTART),
	[DIRECTIVE_METRICS] = ROW("metrics", "ADDRESS:PORT|PATH", endpoint, metrics, RESTART),
	[DIRECTIVE_MAX_SIZE] = QUOTA("max_size", "N[KMGT]", size, max_size),
	[DIRECTIVE_MAX_FILES] = QUOTA("max_files", "N", count, max_files),
	[DIRECTIVE_MIN_FREE] = QUOTA("min_free", "N[KMGT]", size, min_free),
	[DIRECTIVE_MAX_AGE] = QUOTA("max_age", "TIME", time, max_age),
	[DIRECTIVE_VOLUME] =
		ROW("volume", "GLOB [priority N] [max_size N[KMGT]] [max_age TIME] [pin]", volume,
		    rules, RELOADS, .repeats = true),
};

const struct directive *directive_find(const char *name)
{
	for (size_t i = 0; i < DIRECTIVES; i++)
		if (streq(directives[i].name, name))
			return &directives[i];
	return NULL;
}

const struct directive *directive_near(const char *word)
{
	const struct directive *near = NULL;
	unsigned int nearest = 3; /* farther away is not near */

	for (size_t i = 0; i < DIRECTIVES; i++) {
		const char *name = directives[i].name;
		unsigned int distance = text_distance(word, name);

		/* Two letters wrong in a word of four is another word. */
		if (distance < nearest && (distance < 2 || strlen(name) > 4)) {
			nearest = distance;
			near = &directives[i];
		}
	}
	return near;
}
