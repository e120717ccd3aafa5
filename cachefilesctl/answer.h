/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking the daemon, and reading what it says: JSON whose members may be missing (an older daemon)
 * or of another kind than expected; neither is an error. What cannot be had as an answer is
 * explained on stderr, once, by answer_get().
 */
#pragma once

#include <json-c/json_object.h>
#include <stdio.h>

#include "arguments.h"

/* How long an answer may take; the daemon lets a yield take half of that before it answers. */
#define ANSWER_TIMEOUT_MS 60000

/* What is wanted is all there is: the largest number that the daemon writes. */
#define ANSWER_ALL INT64_MAX

/*
 * One request; body may be NULL and is not taken. Returns CTL_OK and the answer, an object, to be
 * put by the caller, or else the exit code after saying why. With as_json, a refusal of the daemon
 * is printed to stdout as it is, beside the text on stderr.
 */
int answer_get(const struct arguments *a, const char *method, const char *target,
	       struct json_object *body, struct json_object **ret);

/* A member by its path, "/cull/running"; NULL: it is not there, or null. */
struct json_object *answer_at(struct json_object *answer, const char *path);

/* NULL: it is not there, or no text. */
const char *answer_text(struct json_object *answer, const char *path);
/* Of an array; "?" for what is no text. */
const char *answer_element(struct json_object *array, size_t index);
/* 0, false: the same. Negative numbers are 0. */
uint64_t answer_number(struct json_object *answer, const char *path);
bool answer_true(struct json_object *answer, const char *path);
/* Seconds since a point in time, seconds since the epoch. */
uint64_t answer_ago(struct json_object *answer, const char *path);

/* Prints the answer to stdout, indented. */
void answer_print(struct json_object *answer);

static inline void answer_putp(struct json_object **answer)
{
	json_object_put(*answer);
}
#define _cleanup_answer_ _cleanup_(answer_putp)
