/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <libsmartcols.h>

#include "answer.h"
#include "commands.h"
#include "mounts.h"
#include "quantity.h"

static const struct {
	const char *name;
	double width; /* a share of the terminal, or characters from 1 on */
	int flags;
} columns[] = {
	{"VOLUME", 0.4, SCOLS_FL_TRUNC}, {"MOUNTED FROM", 0.3, SCOLS_FL_TRUNC},
	{"SIZE", 8, SCOLS_FL_RIGHT},	 {"OBJECTS", 7, SCOLS_FL_RIGHT},
	{"OLDEST", 6, SCOLS_FL_RIGHT},	 {"IN USE", 6, 0},
	{"RULE", 0.1, SCOLS_FL_TRUNC},
};

static int add_line(struct libscols_table *table, struct mounts *mounts, struct json_object *v)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const char *name = answer_text(v, "/name");
	bool live = answer_true(v, "/live");
	const char *source = live && name ? mounts_source(mounts, name) : NULL;
	const char *rule = answer_text(v, "/rule");

	if (!name)
		name = answer_text(v, "/key");
	if (!line)
		return -ENOMEM;
	if (scols_line_set_data(line, 0, name ? name : "?") < 0 ||
	    scols_line_set_data(line, 1, source ? source : "-") < 0 ||
	    scols_line_set_data(line, 2, quantity_size(answer_number(v, "/bytes")).text) < 0 ||
	    scols_line_set_data(line, 3, quantity_count(answer_number(v, "/objects")).text) < 0 ||
	    scols_line_set_data(line, 4,
				answer_at(v, "/oldest")
					? quantity_time(answer_number(v, "/oldest")).text
					: "-") < 0 ||
	    scols_line_set_data(line, 5,
				live			    ? "yes"
				: answer_true(v, "/orphan") ? "orphan"
							    : "no") < 0 ||
	    scols_line_set_data(line, 6, rule ? rule : "-") < 0)
		return -ENOMEM;
	return 0;
}

static int fill(struct libscols_table *table, struct json_object *volumes)
{
	struct mounts *mounts = mounts_read("/proc");
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (!scols_table_new_column(table, columns[i].name, columns[i].width,
					    columns[i].flags))
			r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_object_array_length(volumes); i++)
		r = add_line(table, mounts, json_object_array_get_idx(volumes, i));
	mounts_free(mounts);
	return r;
}

static enum ctl_exit show(struct json_object *volumes)
{
	struct libscols_table *table = scols_new_table();
	int r = table ? fill(table, volumes) : -ENOMEM;

	if (r == 0)
		r = scols_print_table(table);
	scols_unref_table(table);
	if (r == 0)
		return CTL_OK;
	fprintf(stderr, "cachefilesctl: %s\n", strerror(-r));
	return CTL_SYSTEM;
}

enum ctl_exit run_volumes(const struct arguments *a)
{
	_cleanup_answer_ struct json_object *answer = NULL;
	struct json_object *volumes;
	enum ctl_exit code = answer_get(a, "GET", "/volumes", NULL, &answer);

	if (code != CTL_OK)
		return code;
	if (a->json) {
		answer_print(answer);
		return CTL_OK;
	}
	volumes = answer_at(answer, "/volumes");
	if (!answer_at(answer, "/scanned_at")) {
		puts("The cache was not scanned yet: what it holds is known after the first cull.");
		return CTL_OK;
	}
	if (json_object_is_type(volumes, json_type_array) && json_object_array_length(volumes) > 0)
		code = show(volumes);
	else
		puts("The cache is empty.");
	if (code == CTL_OK)
		printf("Scanned %s ago.\n", quantity_time(answer_ago(answer, "/scanned_at")).text);
	return code;
}
