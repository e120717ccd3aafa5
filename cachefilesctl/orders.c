/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answer.h"
#include "build-config.h"
#include "commands.h"
#include "text.h"

#define ASK_MS 100

/* How long "resume" waits for a cache that is not bound at once; binding tells by then why not. */
#define RESUME_MS 10000

static bool is_one_of(const char *state, const char *const states[])
{
	while (*states && !streq(state, *states))
		states++;
	return *states;
}

/*
 * Asks until the state is none of these, or so many milliseconds have passed. Returns the status,
 * or NULL and the exit code.
 */
static struct json_object *wait_while(const struct arguments *a, const char *const states[],
				      uint64_t limit_ms, enum ctl_exit *ret_code)
{
	struct timespec pause = {.tv_nsec = ASK_MS * 1000000L};
	uint64_t begin = now_ms();

	for (;;) {
		struct json_object *status = NULL;
		const char *state;

		*ret_code = answer_get(a, "GET", "/status", NULL, &status);
		if (*ret_code != CTL_OK)
			return NULL;
		state = answer_text(status, "/state");
		if (!state || !is_one_of(state, states) || now_ms() - begin >= limit_ms)
			return status;
		json_object_put(status);
		nanosleep(&pause, NULL);
	}
}

/* The state that was wanted, or another one and why. */
static enum ctl_exit conclude(const struct arguments *a, struct json_object *status,
			      const char *wanted, const char *message)
{
	const char *state = answer_text(status, "/state");
	const char *waiting = answer_text(status, "/waiting");
	bool reached = state && streq(state, wanted);

	if (a->json) {
		struct json_object *brief = json_object_new_object();

		json_object_object_add(brief, "state",
				       json_object_get(answer_at(status, "/state")));
		json_object_object_add(brief, "waiting",
				       json_object_get(answer_at(status, "/waiting")));
		answer_print(brief);
		json_object_put(brief);
	} else if (reached) {
		puts(message);
	}
	if (reached)
		return CTL_OK;
	fputs("cachefilesctl: the cache is ", stderr);
	text_write(stderr, state ? state : "in an unknown state");
	if (waiting) {
		fputs(": ", stderr);
		text_write(stderr, waiting);
	}
	fputc('\n', stderr);
	return CTL_NOT_NOW;
}

enum ctl_exit run_yield(const struct arguments *a)
{
	static const char *const on_the_way[] = {"yielding", NULL};
	_cleanup_answer_ struct json_object *body = json_object_new_object(), *answer = NULL,
					    *status = NULL;
	enum ctl_exit code;

	if (a->yield_for.given)
		json_object_object_add(body, "for", json_object_new_uint64(a->yield_for.value));
	code = answer_get(a, "POST", "/yield", body, &answer);
	if (code != CTL_OK)
		return code;
	/* The daemon answers when it has let go, or when that takes long. */
	status = wait_while(a, on_the_way, UINT64_MAX, &code);
	if (!status)
		return code;
	return conclude(a, status, "yielded",
			"The cache is let go of: its filesystem can be frozen, remounted, "
			"unmounted.");
}

enum ctl_exit run_resume(const struct arguments *a)
{
	static const char *const on_the_way[] = {"yielding", "yielded", "binding",
						 "closing",  "waiting", NULL};
	_cleanup_answer_ struct json_object *answer = NULL, *status = NULL;
	enum ctl_exit code = answer_get(a, "POST", "/resume", NULL, &answer);

	if (code != CTL_OK)
		return code;
	status = wait_while(a, on_the_way, RESUME_MS, &code);
	if (!status)
		return code;
	return conclude(a, status, "bound", "The cache is bound.");
}

enum ctl_exit run_reload(const struct arguments *a)
{
	_cleanup_answer_ struct json_object *answer = NULL;
	enum ctl_exit code = answer_get(a, "POST", "/reload", NULL, &answer);
	struct json_object *restart = answer_at(answer, "/needs_restart");

	if (code != CTL_OK)
		return code;
	if (a->json) {
		answer_print(answer);
		return CTL_OK;
	}
	puts("The configuration is read again.");
	if (!json_object_is_type(restart, json_type_array) ||
	    json_object_array_length(restart) == 0)
		return CTL_OK;
	fputs("A change of these takes effect with a restart:", stdout);
	for (size_t i = 0; i < json_object_array_length(restart); i++) {
		putchar(' ');
		text_write(stdout, answer_element(restart, i));
	}
	putchar('\n');
	return CTL_OK;
}

enum ctl_exit run_check(const struct arguments *a)
{
	const char *daemon = getenv("CACHEFILESD");

	if (!daemon || !*daemon)
		daemon = DAEMON_PATH;
	if (a->config)
		execl(daemon, daemon, "-t", "-c", a->config, (char *)NULL);
	else
		execl(daemon, daemon, "-t", (char *)NULL);
	fprintf(stderr, "cachefilesctl: cannot run %s: %s\n", daemon, strerror(errno));
	return errno == EACCES ? CTL_DENIED : CTL_SYSTEM;
}
