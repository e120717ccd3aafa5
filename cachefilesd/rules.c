/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules.h"

#include "volumes.h"

struct rules *rules_new(void)
{
	struct rules *r = calloc(1, sizeof(*r));

	if (r)
		r->holders = 1;
	return r;
}

struct rules *rules_hold(struct rules *r)
{
	if (r)
		r->holders++;
	return r;
}

struct rules *rules_drop(struct rules *r)
{
	if (!r || --r->holders > 0)
		return NULL;
	for (size_t i = 0; i < r->count; i++)
		free(r->items[i].pattern);
	free(r->items);
	free(r);
	return NULL;
}

static int append(struct rules *r, const struct rule *rule)
{
	struct rule *items = reallocarray(r->items, r->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	r->items = items;
	items[r->count] = *rule;
	items[r->count].pattern = strdup(rule->pattern);
	if (!items[r->count].pattern)
		return -ENOMEM;
	r->count++;
	return 0;
}

int rules_add(struct rules *r, const struct rule *rule, unsigned int *ret_line)
{
	for (size_t i = 0; i < r->count; i++) {
		struct rule *other = &r->items[i];
		char *pattern = other->pattern;

		if (!streq(pattern, rule->pattern))
			continue;
		if (other->file == rule->file) {
			*ret_line = other->line;
			return -EEXIST;
		}
		*other = *rule;
		other->pattern = pattern;
		return 0;
	}
	return append(r, rule);
}

int rules_find(const struct rules *r, const char *key)
{
	for (size_t i = r->count; i > 0; i--)
		if (volume_matches(r->items[i - 1].pattern, key))
			return (int)i - 1;
	return -1;
}

struct rule rules_get(const struct rules *r, int number)
{
	struct rule rule = {.priority = RULE_PRIORITY_DEFAULT};

	if (number >= 0)
		rule = r->items[number];
	if (rule.max_age == 0)
		rule.max_age = r->max_age;
	return rule;
}

bool rules_demand(const struct rules *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->items[i].max_size > 0 || r->items[i].max_age > 0)
			return true;
	return r->max_size > 0 || r->max_files > 0 || r->min_free > 0 || r->max_age > 0;
}

bool rules_same(const struct rule *a, const struct rule *b)
{
	return streq(a->pattern, b->pattern) && a->priority == b->priority &&
	       a->max_size == b->max_size && a->max_age == b->max_age && a->pin == b->pin;
}
