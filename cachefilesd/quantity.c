/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quantity.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

struct unit {
	const char *name; /* as it is written behind the number */
	uint64_t worth;
};

/* From large to small; the last is written without a name, or the others' measure. */
static const struct unit sizes[] = {
	{"T", UINT64_C(1) << 40},
	{"G", UINT64_C(1) << 30},
	{"M", UINT64_C(1) << 20},
	{"K", UINT64_C(1) << 10},
	{"", 1},
};
static const struct unit times[] = {
	{"w", 604800}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"min", 60}, {"s", 1}, {"", 1},
};

static int parse(const char *text, const struct unit *units, size_t count, bool any_case,
		 uint64_t *ret)
{
	uint64_t number;
	char *end;

	if (!isdigit((unsigned char)*text)) /* strtoull would take signs and blanks */
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	for (size_t i = 0; i < count; i++) {
		if (any_case ? strcasecmp(end, units[i].name) : strcmp(end, units[i].name))
			continue;
		if (errno == ERANGE || number > UINT64_MAX / units[i].worth)
			return -ERANGE;
		*ret = number * units[i].worth;
		return 0;
	}
	return -EINVAL;
}

int quantity_parse_count(const char *text, uint64_t *ret)
{
	static const struct unit one[] = {{"", 1}};

	return parse(text, one, ARRAY_SIZE(one), false, ret);
}

int quantity_parse_size(const char *text, uint64_t *ret)
{
	return parse(text, sizes, ARRAY_SIZE(sizes), true, ret);
}

int quantity_parse_time(const char *text, uint64_t *ret)
{
	return parse(text, times, ARRAY_SIZE(times), false, ret);
}

static struct quantity exact(uint64_t value, const struct unit *unit)
{
	struct quantity q;

	while (unit->worth > 1 && (value == 0 || value % unit->worth != 0))
		unit++;
	snprintf(q.text, sizeof(q.text), "%" PRIu64 "%s", value / unit->worth, unit->name);
	return q;
}

struct quantity quantity_exact_size(uint64_t bytes)
{
	return exact(bytes, sizes);
}

struct quantity quantity_exact_time(uint64_t seconds)
{
	return exact(seconds, times);
}

struct quantity quantity_size(uint64_t bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	struct quantity q;
	size_t name = 0;

	/* What would be shown as 1024.0 belongs to the next. */
	while (value >= (name == 0 ? 1024 : 1023.95) && name + 1 < ARRAY_SIZE(names)) {
		value /= 1024;
		name++;
	}
	snprintf(q.text, sizeof(q.text), "%.*f %s", name == 0 ? 0 : 1, value, names[name]);
	return q;
}

struct quantity quantity_time(uint64_t seconds)
{
	struct quantity q;

	if (seconds < 120)
		snprintf(q.text, sizeof(q.text), "%" PRIu64 " s", seconds);
	else if (seconds < 7200)
		snprintf(q.text, sizeof(q.text), "%" PRIu64 " min", seconds / 60);
	else if (seconds < 172800)
		snprintf(q.text, sizeof(q.text), "%" PRIu64 " h", seconds / 3600);
	else
		snprintf(q.text, sizeof(q.text), "%" PRIu64 " days", seconds / 86400);
	return q;
}

struct quantity quantity_count(uint64_t count)
{
	char digits[24];
	struct quantity q;
	char *to = q.text;
	int left = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (const char *from = digits; *from; from++) {
		*to++ = *from;
		if (--left > 0 && left % 3 == 0)
			*to++ = ',';
	}
	*to = '\0';
	return q;
}
