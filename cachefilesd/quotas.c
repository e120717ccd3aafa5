/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quotas.h"

#include <inttypes.h>

#include "quantity.h"
#include "text.h"

#define MIB	    (UINT64_C(1) << 20)
#define SIZE_TOP    (UINT64_C(1) << 60)
#define COUNT_TOP   (UINT64_C(1) << 50)
#define TIME_LEAST  UINT64_C(60)
#define TIME_TOP    (UINT64_C(604800) * 52 * 100)
#define PATTERN_TOP 255

/* What the numbers are of: how they are read and written, and between what. */
static const struct measure {
	int (*parse)(const char *text, uint64_t *ret);
	struct quantity (*exact)(uint64_t number);
	const char *example;
	uint64_t least, most;
} size_measure = {quantity_parse_size, quantity_exact_size, "a size like 10G", MIB, SIZE_TOP},
  count_measure = {quantity_parse_count, NULL, "a whole number", 1, COUNT_TOP},
  time_measure = {quantity_parse_time, quantity_exact_time, "a time like 7d", TIME_LEAST, TIME_TOP},
  priority_measure = {quantity_parse_count, NULL, "a whole number", 0, RULE_PRIORITY_MAX};

static struct quantity write_exact(const struct measure *m, uint64_t number)
{
	struct quantity q;

	if (m->exact)
		return m->exact(number);
	snprintf(q.text, sizeof(q.text), "%" PRIu64, number);
	return q;
}

/* before: for the complaint, the name of what the number is of and a blank, or nothing. */
static int read_number(const struct measure *m, const char *before, const char *text, uint64_t *ret,
		       struct complaint *why)
{
	uint64_t number = 0;
	int r = m->parse(text, &number);

	if (r == -EINVAL)
		return refuse(why, "%s%s is not %s", before, text_quote(text).text, m->example);
	if (r < 0 || number < m->least || number > m->most)
		return refuse(why, "%s%s is out of range: %s to %s", before, text_quote(text).text,
			      write_exact(m, m->least).text, write_exact(m, m->most).text);
	*ret = number;
	return 0;
}

/* ---- quotas of the whole ---- */

static uint64_t *quota(const struct directive *d, const struct config *c)
{
	return (uint64_t *)(void *)((char *)c->rules + d->offset);
}

static int parse_size(const struct directive *d, struct config *c, const char *value,
		      struct complaint *why)
{
	return read_number(&size_measure, "", value, quota(d, c), why);
}

static int parse_count(const struct directive *d, struct config *c, const char *value,
		       struct complaint *why)
{
	return read_number(&count_measure, "", value, quota(d, c), why);
}

static int parse_time(const struct directive *d, struct config *c, const char *value,
		      struct complaint *why)
{
	return read_number(&time_measure, "", value, quota(d, c), why);
}

static void print_quota(const struct directive *d, const struct config *c, const struct measure *m,
			FILE *to)
{
	uint64_t number = *quota(d, c);

	if (number)
		fprintf(to, "%s %s\n", d->name, write_exact(m, number).text);
	else
		fprintf(to, "# %s %s\n", d->name, d->argument);
}

static void print_size(const struct directive *d, const struct config *c, FILE *to)
{
	print_quota(d, c, &size_measure, to);
}

static void print_count(const struct directive *d, const struct config *c, FILE *to)
{
	print_quota(d, c, &count_measure, to);
}

static void print_time(const struct directive *d, const struct config *c, FILE *to)
{
	print_quota(d, c, &time_measure, to);
}

static bool same_quota(const struct directive *d, const struct config *a, const struct config *b)
{
	return *quota(d, a) == *quota(d, b);
}

/* ---- volume GLOB [priority N] [max_size N] [max_age TIME] [pin] ---- */

/* Cuts the first word off; NULL: there is none. */
static char *take_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");

	*rest = word + strcspn(word, " \t");
	if (**rest)
		*(*rest)++ = '\0';
	return *word ? word : NULL;
}

enum part {
	PART_PRIORITY,
	PART_MAX_SIZE,
	PART_MAX_AGE,
	PART_PIN,
	PARTS
};

static const struct {
	const char *name, *argument;
	const struct measure *measure;
} parts[PARTS] = {
	[PART_PRIORITY] = {"priority", "N", &priority_measure},
	[PART_MAX_SIZE] = {"max_size", "N[KMGT]", &size_measure},
	[PART_MAX_AGE] = {"max_age", "TIME", &time_measure},
	[PART_PIN] = {"pin", NULL, NULL},
};

/* One part of the rule; given says which were before. */
static int read_part(const char *word, char **rest, bool *given, uint64_t *numbers,
		     struct complaint *why)
{
	char before[16];
	const char *value;
	size_t i = 0;

	while (i < PARTS && !streq(word, parts[i].name))
		i++;
	if (i == PARTS)
		return refuse(why, "%s is none of priority, max_size, max_age and pin",
			      text_quote(word).text);
	if (given[i])
		return refuse(why, "%s was given already", word);
	given[i] = true;
	if (!parts[i].argument)
		return 0;
	value = take_word(rest);
	if (!value)
		return refuse(why, "%s: the value is missing, %s wanted", word, parts[i].argument);
	snprintf(before, sizeof(before), "%s: ", word);
	return read_number(parts[i].measure, before, value, &numbers[i], why);
}

static int read_rule(char *text, struct rule *ret, struct complaint *why)
{
	uint64_t numbers[PARTS] = {[PART_PRIORITY] = RULE_PRIORITY_DEFAULT};
	bool given[PARTS] = {false};
	const char *word;
	int r;

	ret->pattern = take_word(&text);
	if (strlen(ret->pattern) > PATTERN_TOP)
		return refuse(why, "%s is longer than %d bytes", text_quote(ret->pattern).text,
			      PATTERN_TOP);
	while ((word = take_word(&text))) {
		r = read_part(word, &text, given, numbers, why);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; given[PART_PIN] && i < PART_PIN; i++)
		if (given[i])
			return refuse(why, "nothing of it is culled with pin: %s has no meaning",
				      parts[i].name);
	if (!given[PART_PRIORITY] && !given[PART_MAX_SIZE] && !given[PART_MAX_AGE] &&
	    !given[PART_PIN])
		return refuse(why,
			      "nothing is said of %s: priority, max_size, max_age or pin wanted",
			      text_quote(ret->pattern).text);
	ret->priority = (unsigned int)numbers[PART_PRIORITY];
	ret->max_size = numbers[PART_MAX_SIZE];
	ret->max_age = numbers[PART_MAX_AGE];
	ret->pin = given[PART_PIN];
	return 0;
}

static int parse_volume(const struct directive *d, struct config *c, const char *value,
			struct complaint *why)
{
	_cleanup_free_ char *text = strdup(value);
	struct rule rule = {.file = why->file, .line = why->line};
	unsigned int line = 0;
	int r;

	if (!text)
		return -ENOMEM;
	r = read_rule(text, &rule, why);
	if (r < 0)
		return r;
	r = rules_add(c->rules, &rule, &line);
	if (r == -EEXIST)
		return refuse(why, "%s was given on line %u already", text_quote(rule.pattern).text,
			      line);
	return r;
}

static void print_volume(const struct directive *d, const struct config *c, FILE *to)
{
	if (c->rules->count == 0)
		fprintf(to, "# %s %s\n", d->name, d->argument);
	for (size_t i = 0; i < c->rules->count; i++) {
		const struct rule *rule = &c->rules->items[i];

		fprintf(to, "%s %s", d->name, rule->pattern);
		if (rule->pin)
			fputs(" pin", to);
		else
			fprintf(to, " priority %u", rule->priority);
		if (rule->max_size)
			fprintf(to, " max_size %s", quantity_exact_size(rule->max_size).text);
		if (rule->max_age)
			fprintf(to, " max_age %s", quantity_exact_time(rule->max_age).text);
		fputc('\n', to);
	}
}

static bool same_volume(const struct directive *d, const struct config *a, const struct config *b)
{
	bool same = a->rules->count == b->rules->count;

	for (size_t i = 0; same && i < a->rules->count; i++)
		same = rules_same(&a->rules->items[i], &b->rules->items[i]);
	return same;
}

const struct directive_type type_quota_size = {parse_size, print_size, same_quota};
const struct directive_type type_quota_count = {parse_count, print_count, same_quota};
const struct directive_type type_quota_time = {parse_time, print_time, same_quota};
const struct directive_type type_volume = {parse_volume, print_volume, same_volume};
