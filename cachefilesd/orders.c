/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "orders.h"

#include <stddef.h>
#include <stdio.h>

#include "text.h"

/* Ours is one object with plain members. */
#define DEPTH_MAX 4

/* Nobody means more; what is added to it must not overflow. */
#define NUMBER_MAX  (INT64_MAX / 4)
#define SECONDS_MAX (100 * 365 * 86400LL)

struct json_object *orders_parse(const char *text, size_t length)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o = NULL;
	size_t end;

	if (!tokener || length > INT32_MAX)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tokener, text, (int)length);
	end = json_tokener_get_parse_end(tokener);
	while (end < length && strchr(" \t\r\n", text[end]) && text[end])
		end++;
	if (json_tokener_get_error(tokener) != json_tokener_success || end != length ||
	    !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tokener);
	return o;
}

/* What may be in a body. */
struct member {
	const char *name;
	enum json_type type;
	int64_t max; /* of numbers */
	size_t offset;
};

static int read_member(const struct member *m, struct json_object *value, void *to, char *why,
		       size_t size)
{
	char *field = (char *)to + m->offset;
	int64_t number;

	if (!json_object_is_type(value, m->type)) {
		snprintf(why, size, "\"%s\" is not of the type %s", m->name,
			 json_type_to_name(m->type));
		return -EINVAL;
	}
	switch (m->type) {
	case json_type_int:
		number = json_object_get_int64(value);
		if (number < 0 || number > m->max) {
			snprintf(why, size, "\"%s\" is out of range", m->name);
			return -EINVAL;
		}
		*(uint64_t *)(void *)field = (uint64_t)number;
		return 0;
	case json_type_boolean:
		*(bool *)field = json_object_get_boolean(value);
		return 0;
	default:
		if (strlen(json_object_get_string(value)) >=
			    sizeof(((struct cull_order *)NULL)->volumes) ||
		    strlen(json_object_get_string(value)) !=
			    (size_t)json_object_get_string_len(value)) {
			snprintf(why, size, "\"%s\" is too long, or has a NUL in it", m->name);
			return -EINVAL;
		}
		strcpy(field, json_object_get_string(value));
		return 0;
	}
}

static int read_members(struct json_object *body, const struct member *members, size_t count,
			void *to, char *why, size_t size)
{
	struct json_object_iterator at, end;

	if (!body)
		return 0;
	end = json_object_iter_end(body);
	for (at = json_object_iter_begin(body); !json_object_iter_equal(&at, &end);
	     json_object_iter_next(&at)) {
		const char *name = json_object_iter_peek_name(&at);
		const struct member *m = NULL;
		int r;

		for (size_t i = 0; i < count; i++)
			if (streq(members[i].name, name))
				m = &members[i];
		if (!m) {
			snprintf(why, size, "there is no member %s", text_quote(name).text);
			return -EINVAL;
		}
		r = read_member(m, json_object_iter_peek_value(&at), to, why, size);
		if (r < 0)
			return r;
	}
	return 0;
}

int orders_read_cull(struct json_object *body, struct cull_order *ret, char *why, size_t size)
{
	static const struct member members[] = {
		{"bytes", json_type_int, NUMBER_MAX, offsetof(struct cull_order, bytes)},
		{"files", json_type_int, NUMBER_MAX, offsetof(struct cull_order, files)},
		{"older_than", json_type_int, SECONDS_MAX, offsetof(struct cull_order, older_than)},
		{"volume", json_type_string, 0, offsetof(struct cull_order, volumes)},
		{"orphans", json_type_boolean, 0, offsetof(struct cull_order, orphans)},
		{"all", json_type_boolean, 0, offsetof(struct cull_order, all)},
	};
	struct cull_order order = {0};
	int r = read_members(body, members, ARRAY_SIZE(members), &order, why, size);

	if (r == 0)
		*ret = order;
	return r;
}

int orders_read_yield(struct json_object *body, uint64_t *ret_seconds, char *why, size_t size)
{
	static const struct member members[] = {{"for", json_type_int, SECONDS_MAX, 0}};
	uint64_t seconds = 0;
	int r = read_members(body, members, ARRAY_SIZE(members), &seconds, why, size);

	if (r == 0)
		*ret_seconds = seconds;
	return r;
}
