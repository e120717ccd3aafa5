/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "answer.h"
#include "commands.h"
#include "quantity.h"
#include "text.h"

/* Numbers of the answer, to be put into a printf. */
#define COUNT(answer, path) quantity_count(answer_number(answer, path)).text
#define SIZE(answer, path)  quantity_size(answer_number(answer, path)).text
#define TIME(answer, path)  quantity_time(answer_number(answer, path)).text

static void label(const char *text)
{
	printf("%11s: ", text);
}

/* The text of a member, or instead. */
static void put(struct json_object *answer, const char *path, const char *instead)
{
	const char *text = answer_text(answer, path);

	text_write(stdout, text ? text : instead);
}

static void show_state(struct json_object *s)
{
	label("State");
	put(s, "/state", "unknown");
	if (answer_at(s, "/since"))
		printf(" for %s", quantity_time(answer_ago(s, "/since")).text);
	if (answer_text(s, "/waiting")) {
		fputs(": ", stdout);
		put(s, "/waiting", "");
	}
	if (answer_true(s, "/blocked"))
		fputs("; the filesystem makes the daemon wait: frozen, or its disk is stuck",
		      stdout);
	putchar('\n');
	label("Cache");
	put(s, "/dir", "unknown");
	fputs(", tag ", stdout);
	put(s, "/tag", "unknown");
	if (answer_text(s, "/filesystem")) {
		fputs(", ", stdout);
		put(s, "/filesystem", "");
	}
	putchar('\n');
}

static void show_room(struct json_object *s)
{
	if (!answer_at(s, "/limits"))
		return;
	label("Space");
	if (answer_at(s, "/free"))
		printf("%s available; ", SIZE(s, "/free/bytes"));
	printf("culled below %s up to %s, not filled below %s\n", SIZE(s, "/limits/bcull"),
	       SIZE(s, "/limits/brun"), SIZE(s, "/limits/bstop"));
	if (answer_number(s, "/limits/frun") == 0)
		return; /* a filesystem that does not count its files */
	label("Files");
	if (answer_at(s, "/free"))
		printf("%s available; ", COUNT(s, "/free/files"));
	printf("culled below %s up to %s, not filled below %s\n", COUNT(s, "/limits/fcull"),
	       COUNT(s, "/limits/frun"), COUNT(s, "/limits/fstop"));
}

static bool is_some(uint64_t wanted)
{
	return wanted > 0 && wanted < ANSWER_ALL;
}

static void show_culling(struct json_object *s)
{
	label("Culling");
	if (answer_text(s, "/stalled")) {
		fputs("stalled: ", stdout);
		put(s, "/stalled", "");
	} else if (answer_true(s, "/cull/running")) {
		printf("cycle %" PRIu64 ", so far %s files, %s", answer_number(s, "/cull/cycle"),
		       COUNT(s, "/cull/culled_files"), SIZE(s, "/cull/culled_bytes"));
		if (is_some(answer_number(s, "/cull/wanted_files")))
			printf("; of %s files", COUNT(s, "/cull/wanted_files"));
		if (is_some(answer_number(s, "/cull/wanted_bytes")))
			printf("; of %s", SIZE(s, "/cull/wanted_bytes"));
	} else if (answer_at(s, "/cull/enabled") && !answer_true(s, "/cull/enabled")) {
		fputs("off", stdout);
	} else {
		fputs("not wanted", stdout);
	}
	putchar('\n');
	label("Culled");
	printf("%s files, %s in %s cycles; %s found in use, %s denied\n",
	       COUNT(s, "/totals/culled_files"), SIZE(s, "/totals/culled_bytes"),
	       COUNT(s, "/totals/cycles"), COUNT(s, "/totals/busy"), COUNT(s, "/totals/denied"));
	if (answer_at(s, "/last_scan")) {
		label("Scanned");
		printf("%s ago: %s files, %s in %s volumes",
		       quantity_time(answer_ago(s, "/last_scan/at")).text,
		       COUNT(s, "/last_scan/files"), SIZE(s, "/last_scan/bytes"),
		       COUNT(s, "/last_scan/volumes"));
		if (answer_at(s, "/last_scan/oldest"))
			printf("; the oldest unused for %s", TIME(s, "/last_scan/oldest"));
		putchar('\n');
	}
	label("Graveyard");
	printf("%s removed, %s stuck\n", COUNT(s, "/graveyard/removed"),
	       COUNT(s, "/graveyard/stuck"));
}

static void show_refused(struct json_object *s)
{
	const char *freeze = answer_text(s, "/policy/freeze");

	label("Freezes");
	put(s, "/policy/freeze", "unknown policy");
	if (freeze && streq(freeze, "yield") && answer_number(s, "/policy/yield_seconds") > 0)
		printf(" for at most %s", TIME(s, "/policy/yield_seconds"));
	printf("; %s refused\n", COUNT(s, "/refused/freezes"));
	label("Remounts");
	put(s, "/policy/remount", "unknown policy");
	printf("; %s refused\n", COUNT(s, "/refused/remounts"));
	if (answer_at(s, "/refused/last")) {
		label("Refused");
		printf("%s ago: ", quantity_time(answer_ago(s, "/refused/last/time")).text);
		put(s, "/refused/last/text", "unknown");
		putchar('\n');
		if (answer_text(s, "/refused/last/advice")) {
			printf("%13s", "");
			put(s, "/refused/last/advice", "");
			putchar('\n');
		}
	}
	label("Since start");
	printf("yields %s, rebinds %s, deaths of the cache %s\n", COUNT(s, "/yields"),
	       COUNT(s, "/rebinds"), COUNT(s, "/deaths"));
}

static void show_software(struct json_object *s)
{
	label("Kernel");
	if (!answer_at(s, "/kernel/claim"))
		puts("not known before the cache was bound");
	else if (answer_true(s, "/kernel/claim") && answer_true(s, "/kernel/unbind"))
		puts("refuses freezes and remounts while the cache is bound, and can unbind it");
	else
		puts("does not tell of freezes beforehand: use \"cachefilesctl yield\"");
	label("Version");
	put(s, "/version", "unknown");
	putchar('\n');
}

enum ctl_exit run_status(const struct arguments *a)
{
	_cleanup_answer_ struct json_object *status = NULL;
	enum ctl_exit code = answer_get(a, "GET", "/status", NULL, &status);

	if (code != CTL_OK)
		return code;
	if (a->json) {
		answer_print(status);
		return CTL_OK;
	}
	show_state(status);
	show_room(status);
	show_culling(status);
	show_refused(status);
	show_software(status);
	return CTL_OK;
}
