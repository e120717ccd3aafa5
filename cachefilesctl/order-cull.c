/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <sys/ioctl.h>

#include "answer.h"
#include "commands.h"
#include "quantity.h"
#include "text.h"

/* How often the daemon is asked; on a terminal that is how often the bar moves. */
#define ASK_MS 200
/* How often a line is printed where there is no terminal. */
#define LINE_MS 5000

#define BAR_MAX 40

struct progress {
	bool terminal;
	bool shown;	    /* there is a line that must be cleared */
	uint64_t last_line; /* now_ms() of the last line, where there is no terminal */
};

/* What is given of such an order. */
static struct json_object *order(const struct arguments *a)
{
	struct json_object *body = json_object_new_object();

	if (a->bytes.given)
		json_object_object_add(body, "bytes", json_object_new_uint64(a->bytes.value));
	if (a->files.given)
		json_object_object_add(body, "files", json_object_new_uint64(a->files.value));
	if (a->older_than.given)
		json_object_object_add(body, "older_than",
				       json_object_new_uint64(a->older_than.value));
	if (a->volume)
		json_object_object_add(body, "volume", json_object_new_string(a->volume));
	if (a->orphans)
		json_object_object_add(body, "orphans", json_object_new_boolean(true));
	if (a->all)
		json_object_object_add(body, "all", json_object_new_boolean(true));
	return body;
}

/* How far a cycle has come, 0 to 1; negative: there is no telling. */
static double fraction(struct json_object *status)
{
	static const char *const paths[][2] = {
		{"/cull/wanted_bytes", "/cull/culled_bytes"},
		{"/cull/wanted_files", "/cull/culled_files"},
	};
	double least = -1;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		uint64_t wanted = answer_number(status, paths[i][0]);
		double part = (double)answer_number(status, paths[i][1]);

		if (wanted == 0 || wanted >= ANSWER_ALL)
			continue;
		part = MIN(part / (double)wanted, 1.0);
		least = least < 0 ? part : MIN(least, part);
	}
	return least;
}

/* "120 files, 12.0 MiB" */
static void describe(struct json_object *status, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s files, %s",
		 quantity_count(answer_number(status, "/cull/culled_files")).text,
		 quantity_size(answer_number(status, "/cull/culled_bytes")).text);
}

static int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void draw(struct progress *p, struct json_object *status)
{
	char text[80], bar[BAR_MAX + 1];
	double done = fraction(status);
	int width;

	describe(status, text, sizeof(text));
	width = MIN(terminal_width() - (int)strlen(text) - 10, BAR_MAX);
	p->shown = true;
	if (done < 0 || width < 5) {
		fprintf(stderr, "\r%s\x1b[K", text);
		return;
	}
	memset(bar, '.', (size_t)width);
	memset(bar, '#', (size_t)(done * width));
	bar[width] = '\0';
	fprintf(stderr, "\r[%s] %3d%% %s\x1b[K", bar, (int)(done * 100), text);
}

static void show_progress(struct progress *p, struct json_object *status)
{
	char text[80];

	if (p->terminal) {
		draw(p, status);
	} else if (now_ms() >= p->last_line + LINE_MS) {
		describe(status, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		p->last_line = now_ms();
	}
}

static void clear_progress(struct progress *p)
{
	if (p->shown)
		fputs("\r\x1b[K", stderr);
	p->shown = false;
}

/* The cache was let go of before the order's turn came. */
static enum ctl_exit not_begun(struct json_object *status)
{
	const char *state = answer_text(status, "/state");

	fputs("cachefilesctl: nothing was culled: the cache is ", stderr);
	text_write(stderr, state ? state : "in an unknown state");
	fputc('\n', stderr);
	return CTL_NOT_NOW;
}

/* Until the cycle has ended: the status after that. */
static enum ctl_exit wait_for(const struct arguments *a, uint64_t cycle, struct json_object **ret)
{
	struct progress progress = {.terminal = isatty(STDERR_FILENO), .last_line = now_ms()};
	struct timespec pause = {.tv_nsec = ASK_MS * 1000000L};

	for (;;) {
		struct json_object *status = NULL;
		enum ctl_exit code = answer_get(a, "GET", "/status", NULL, &status);
		uint64_t now;

		if (code != CTL_OK) {
			clear_progress(&progress);
			return code;
		}
		now = answer_number(status, "/cull/cycle");
		if (now > cycle || (now == cycle && !answer_true(status, "/cull/running"))) {
			clear_progress(&progress);
			*ret = status;
			return CTL_OK;
		}
		if (now < cycle && answer_at(status, "/cull/ordered") &&
		    !answer_true(status, "/cull/ordered")) {
			code = not_begun(status);
			json_object_put(status);
			return code;
		}
		if (now == cycle)
			show_progress(&progress, status);
		json_object_put(status);
		nanosleep(&pause, NULL);
	}
}

/* What came of it, and whether that is what was asked for. */
static enum ctl_exit conclude(const struct arguments *a, struct json_object *status)
{
	uint64_t files = answer_number(status, "/cull/culled_files");
	uint64_t bytes = answer_number(status, "/cull/culled_bytes");
	uint64_t busy = answer_number(status, "/cull/busy");
	bool less = (a->files.given && files < a->files.value) ||
		    (a->bytes.given && bytes < a->bytes.value);

	if (a->json)
		answer_print(answer_at(status, "/cull"));
	else
		printf("Culled %s files, %s; %s in use were left alone.\n",
		       quantity_count(files).text, quantity_size(bytes).text,
		       quantity_count(busy).text);
	if (!less)
		return CTL_OK;
	fputs("cachefilesctl: that is less than was asked for", stderr);
	if (answer_text(status, "/stalled")) {
		fputs(": ", stderr);
		text_write(stderr, answer_text(status, "/stalled"));
	}
	fputc('\n', stderr);
	return CTL_NOT_NOW;
}

enum ctl_exit run_cull(const struct arguments *a)
{
	_cleanup_answer_ struct json_object *body = order(a), *answer = NULL, *status = NULL;
	enum ctl_exit code = answer_get(a, "POST", "/cull", body, &answer);
	uint64_t cycle = answer_number(answer, "/cycle");

	if (code != CTL_OK)
		return code;
	if (a->no_wait && a->json)
		answer_print(answer);
	else if (a->no_wait)
		printf("Cull cycle %" PRIu64 " begins; \"cachefilesctl status\" tells how it gets "
		       "on.\n",
		       cycle);
	if (a->no_wait)
		return CTL_OK;
	code = wait_for(a, cycle, &status);
	if (code != CTL_OK)
		return code;
	if (answer_number(status, "/cull/cycle") == cycle)
		return conclude(a, status);
	fputs("cachefilesctl: the cycle ended, and the next one began before it could be seen what "
	      "came of it\n",
	      stderr);
	return CTL_OK;
}
