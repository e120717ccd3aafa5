/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answer.h"

#include <json-c/json.h>
#include <json-c/json_pointer.h>

#include "http.h"
#include "text.h"

/* Answers are three deep. */
#define DEPTH_MAX 16

/* Explains why there is no answer at all. */
static int unreachable(const char *socket, int error)
{
	fputs("cachefilesctl: ", stderr);
	switch (-error) {
	case ENOENT:
		fprintf(stderr,
			"cachefilesd does not run, or listens elsewhere: there is no %s\n"
			"\"systemctl status cachefilesd\" tells more.\n",
			socket);
		return CTL_SYSTEM;
	case ECONNREFUSED:
		fprintf(stderr,
			"cachefilesd does not run: nobody listens at %s\n"
			"\"systemctl status cachefilesd\" tells more.\n",
			socket);
		return CTL_SYSTEM;
	case EACCES:
	case EPERM:
		fprintf(stderr, "no permission to talk to cachefilesd at %s: are you root?\n",
			socket);
		return CTL_DENIED;
	case ETIMEDOUT:
		fprintf(stderr, "cachefilesd does not answer at %s\n", socket);
		return CTL_SYSTEM;
	case ECONNRESET:
		fprintf(stderr, "cachefilesd ended, or broke off, before its answer was whole\n");
		return CTL_SYSTEM;
	case EPROTO:
		fprintf(stderr, "what listens at %s does not speak HTTP as cachefilesd does\n",
			socket);
		return CTL_SYSTEM;
	case EFBIG:
		fprintf(stderr, "what listens at %s answers with more than cachefilesd would\n",
			socket);
		return CTL_SYSTEM;
	default:
		fprintf(stderr, "%s: %s\n", socket, strerror(-error));
		return CTL_SYSTEM;
	}
}

/* NULL: it is no JSON object, or there is something behind it. */
static struct json_object *parse(const struct http_reply *reply)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *object;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With the NUL at its end the text is known to be whole. */
	object = json_tokener_parse_ex(tokener, reply->body, (int)reply->length + 1);
	json_tokener_free(tokener);
	if (json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

static int exit_of(unsigned int status)
{
	switch (status) {
	case 403:
		return CTL_DENIED;
	case 409:
	case 503:
		return CTL_NOT_NOW;
	case 400: /* it does not know the order, or not such a one */
	case 422:
		return CTL_USAGE;
	default:
		return CTL_SYSTEM;
	}
}

/* What the daemon says instead of doing it. */
static int refused(const struct arguments *a, unsigned int status, struct json_object *answer)
{
	struct json_object *problems = answer_at(answer, "/problems");
	const char *error = answer_text(answer, "/error");

	fputs("cachefilesctl: ", stderr);
	if (error)
		text_write(stderr, error);
	else
		fprintf(stderr, "cachefilesd answers with status %u", status);
	fputs(status == 403 ? ": are you root?\n" : "\n", stderr);
	if (json_object_is_type(problems, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(problems); i++) {
			text_write(stderr, answer_element(problems, i));
			fputc('\n', stderr);
		}
	}
	if (a->json && answer)
		answer_print(answer);
	return exit_of(status);
}

int answer_get(const struct arguments *a, const char *method, const char *target,
	       struct json_object *body, struct json_object **ret)
{
	struct json_object *answer;
	struct http_reply reply;
	int r = http_request(a->socket, method, target,
			     body ? json_object_to_json_string(body) : NULL, ANSWER_TIMEOUT_MS,
			     &reply);

	if (r < 0)
		return unreachable(a->socket, r);
	answer = parse(&reply);
	free(reply.body);
	if (reply.status >= 300) {
		r = refused(a, reply.status, answer);
		json_object_put(answer);
		return r;
	}
	if (!answer) {
		fprintf(stderr, "cachefilesctl: the answer is not JSON as cachefilesd writes it\n");
		return CTL_SYSTEM;
	}
	*ret = answer;
	return CTL_OK;
}

struct json_object *answer_at(struct json_object *answer, const char *path)
{
	struct json_object *member = NULL;

	return answer && json_pointer_get(answer, path, &member) == 0 ? member : NULL;
}

const char *answer_text(struct json_object *answer, const char *path)
{
	struct json_object *member = answer_at(answer, path);

	return json_object_is_type(member, json_type_string) ? json_object_get_string(member)
							     : NULL;
}

const char *answer_element(struct json_object *array, size_t index)
{
	struct json_object *element = json_object_array_get_idx(array, index);

	return json_object_is_type(element, json_type_string) ? json_object_get_string(element)
							      : "?";
}

uint64_t answer_number(struct json_object *answer, const char *path)
{
	struct json_object *member = answer_at(answer, path);
	double value;

	if (json_object_is_type(member, json_type_int))
		return json_object_get_uint64(member);
	if (!json_object_is_type(member, json_type_double))
		return 0;
	value = json_object_get_double(member);
	return value >= (double)UINT64_MAX ? UINT64_MAX : value > 0 ? (uint64_t)value : 0;
}

uint64_t answer_ago(struct json_object *answer, const char *path)
{
	uint64_t now = (uint64_t)time(NULL), at = answer_number(answer, path);

	return now > at ? now - at : 0;
}

bool answer_true(struct json_object *answer, const char *path)
{
	struct json_object *member = answer_at(answer, path);

	return json_object_is_type(member, json_type_boolean) && json_object_get_boolean(member);
}

void answer_print(struct json_object *answer)
{
	puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
}
