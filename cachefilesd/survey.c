/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cycle.h"

/*
 * A selection holds so many times what is wanted: the next cycles begin without a scan, and objects
 * in use and objects touched since are passed over without another one. What that costs is memory
 * within its ceiling, and next to no time.
 */
#define AHEAD 4

bool survey_is_ordered(const struct cycle *y, const char *key)
{
	const struct cull_order *o = y->c->order;
	const struct volumes *known = &y->c->volumes;

	if (y->c->rules && rules_get(y->c->rules, rules_find(y->c->rules, key)).pin)
		return false;
	if (o->volumes[0] && !volume_matches(o->volumes, key))
		return false;
	/* A volume that the last scan has not seen is no orphan. */
	for (size_t i = 0; o->orphans && i < known->count; i++)
		if (streq(known->items[i].key, key))
			return known->items[i].orphan;
	return !o->orphans;
}

/* The last use that lies so many seconds back; 0: none that there is. */
static int64_t ago(uint64_t seconds)
{
	int64_t now = (int64_t)time(NULL);

	return seconds < (uint64_t)now ? (now - (int64_t)seconds) * 1000000000 : 0;
}

static struct scan_choice choose_by_order(const struct cycle *y, const char *key)
{
	const struct cull_order *o = y->c->order;
	int64_t to = o->older_than > 0 ? ago(o->older_than) : INT64_MAX;

	return (struct scan_choice){
		.spare = !survey_is_ordered(y, key),
		.due = order_has_amount(o) ? INT64_MIN : to,
		.from = y->has_tried ? y->tried_used : INT64_MIN,
		.to = to,
	};
}

static struct scan_choice choose_by_rules(const struct cycle *y, const struct rule *rule)
{
	struct scan_choice choice = {
		.spare = rule->pin,
		.due = INT64_MIN,
		.from = INT64_MIN,
		.to = INT64_MAX,
		.priority = rule->priority,
	};

	if (rule->max_age > 0 && y->c->purpose != CULL_TO_CHOOSE)
		choice.due = ago(rule->max_age);
	if (y->has_tried && rule->priority < y->tried_priority)
		choice.from = INT64_MAX;
	else if (y->has_tried && rule->priority == y->tried_priority)
		choice.from = y->tried_used;
	return choice;
}

static struct scan_choice choose(void *data, const char *key, struct volume *volume)
{
	struct cycle *y = data;
	const struct rules *rules = y->c->rules;
	int number = rules ? rules_find(rules, key) : -1;
	struct rule rule = {.priority = RULE_PRIORITY_DEFAULT};

	if (volume)
		volume->rule = number;
	if (y->c->purpose == CULL_TO_LOOK)
		return SCAN_NEVER;
	if (y->c->purpose == CULL_FOR_ORDER)
		return choose_by_order(y, key);
	if (rules)
		rule = rules_get(rules, number);
	return choose_by_rules(y, &rule);
}

static int take_due(void *data, int fanout, const char *name, uint64_t blocks, bool first)
{
	struct cycle *y = data;
	int r = first ? take_enter_open(&y->taker, fanout) : 1;

	return r > 0 ? take_object_now(&y->taker, name, blocks) : r;
}

/* The table of the scan is whole: which volumes are live, which orphans, and how old it is. */
static void finish_volumes(struct cycle *y, struct volumes *v)
{
	struct timespec now;

	for (size_t i = 0; i < v->count; i++)
		v->items[i].live = take_is_live(&y->taker, v->items[i].key) == 1;
	volumes_find_orphans(v);
	clock_gettime(CLOCK_REALTIME, &now);
	v->taken = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	v->taken_ms = now_ms();
	volumes_clear(&y->c->volumes);
	y->c->volumes = *v;
}

static int walk(struct cycle *y, bool select, struct volumes *volumes, const char *only)
{
	uint64_t started = now_ms();
	int r;

	y->scan = (struct scan){
		.store = y->c->store,
		.selection = select ? y->selection : NULL,
		.only = only,
		.by_volume = volumes,
		.choose = choose,
		.take = take_due,
		.data = y,
		.stop = y->c->stop,
		.beat = y->c->beat,
		.beat_data = y->c->beat_data,
	};
	r = scan_run(&y->scan);
	y->r->scan_ms += now_ms() - started;
	y->taker.dir = -1; /* the numbers of fan-outs are others now */
	atomic_fetch_add(&y->c->progress.scanned_files, y->scan.found.objects);
	return r;
}

int survey_walk(struct cycle *y, bool select)
{
	struct volumes volumes = {0};
	int r = walk(y, select, &volumes, NULL);

	y->r->scans++;
	y->r->found = y->scan.found;
	if (r == 0) {
		finish_volumes(y, &volumes);
		demand_set_usage(
			y, &(struct cull_usage){true, y->scan.found.blocks, y->scan.found.objects});
	} else {
		volumes_clear(&volumes);
	}
	return r;
}

int survey_volume(struct cycle *y, const char *key)
{
	struct scan_findings found = y->scan.found;
	int r;

	y->r->volume_scans++;
	r = walk(y, true, NULL, key);
	y->scan.found = found; /* of the whole: what is to be swept */
	return r;
}

/* Without going over. */
static uint64_t times(uint64_t n, unsigned int factor)
{
	return n > UINT64_MAX / factor ? UINT64_MAX : n * factor;
}

size_t survey_memory(const struct cycle *y)
{
	size_t quarter = y->c->memory / 4;

	return y->selection == y->c->selection ? y->c->memory - quarter : quarter;
}

int survey_select(struct cycle *y, uint64_t spare)
{
	uint64_t files = times(y->demand.files, AHEAD);
	int r;

	selection_start(y->selection, times(y->demand.blocks, AHEAD),
			files > UINT64_MAX - spare ? UINT64_MAX : files + spare, survey_memory(y));
	r = survey_walk(y, true);
	victims_finish(&y->selection->victims);
	return r;
}
