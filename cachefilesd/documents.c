/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "documents.h"

#include "build-config.h"

#include "culler.h"
#include "rules.h"
#include "status.h"

#define NS_PER_S 1000000000

/* Numbers of JSON are signed here; none of ours comes near, but what means "all". */
static void add_number(struct json_object *to, const char *name, uint64_t n)
{
	json_object_object_add(to, name, json_object_new_int64((int64_t)MIN(n, INT64_MAX)));
}

static void add_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, text && *text ? json_object_new_string(text) : NULL);
}

static void add_bool(struct json_object *to, const char *name, bool b)
{
	json_object_object_add(to, name, json_object_new_boolean(b));
}

static struct json_object *add_object(struct json_object *to, const char *name, bool known)
{
	struct json_object *o = known ? json_object_new_object() : NULL;

	json_object_object_add(to, name, o);
	return o;
}

/* Seconds since a time in ns since the epoch; null where it is 0. */
static void add_age(struct json_object *to, const char *name, int64_t used)
{
	int64_t seconds = (int64_t)time(NULL) - used / NS_PER_S;

	json_object_object_add(to, name, used > 0 ? json_object_new_int64(MAX(seconds, 0)) : NULL);
}

static void add_policy(struct json_object *to, const struct config *config)
{
	struct json_object *o = add_object(to, "policy", true);

	add_text(o, "freeze", config->freeze == POLICY_YIELD ? "yield" : "refuse");
	add_number(o, "yield_seconds", config->yield_seconds);
	add_text(o, "remount", config->remount == POLICY_YIELD ? "yield" : "refuse");
}

static void add_kernel(struct json_object *to, const struct status *s)
{
	struct json_object *o = add_object(to, "kernel", true);

	json_object_object_add(o, "claim",
			       s->kernel.known ? json_object_new_boolean(s->kernel.claim) : NULL);
	json_object_object_add(o, "unbind",
			       s->kernel.known ? json_object_new_boolean(s->kernel.unbind) : NULL);
	add_number(o, "frzref", s->kernel.frzref);
	add_number(o, "roref", s->kernel.roref);
}

static void add_space(struct json_object *to, const struct status *s)
{
	struct json_object *o = add_object(to, "limits", s->state == CACHE_BOUND && s->free.known);

	if (o) {
		add_number(o, "brun", s->limits.brun * s->free.unit);
		add_number(o, "bcull", s->limits.bcull * s->free.unit);
		add_number(o, "bstop", s->limits.bstop * s->free.unit);
		add_number(o, "frun", s->limits.frun);
		add_number(o, "fcull", s->limits.fcull);
		add_number(o, "fstop", s->limits.fstop);
	}
	o = add_object(to, "free", s->free.known);
	if (o) {
		add_number(o, "bytes", s->free.bytes);
		add_number(o, "files", s->free.files);
		add_number(o, "at", (uint64_t)s->free.at);
	}
}

static void add_cull(struct json_object *to, const struct status *s, struct cache *cache)
{
	struct json_object *o = add_object(to, "cull", true);
	struct culler_view view;

	culler_look_at(cache_culler(cache), &view);
	add_bool(o, "running", view.task == CULLER_CULLS || view.task == CULLER_OBEYS);
	add_bool(o, "ordered", view.task == CULLER_OBEYS || view.order_waits);
	add_bool(o, "enabled", !s->nocull);
	add_number(o, "cycle", view.cycle);
	add_number(o, "wanted_bytes", view.wanted_bytes);
	add_number(o, "wanted_files", view.wanted_files);
	add_number(o, "scanned_files", view.scanned_files);
	add_number(o, "culled_bytes", view.culled_bytes);
	add_number(o, "culled_files", view.culled_files);
	add_number(o, "busy", view.busy);
	o = add_object(to, "totals", true);
	add_number(o, "cycles", s->cycles);
	add_number(o, "culled_files", s->culled);
	add_number(o, "culled_bytes", s->blocks * 512);
	add_number(o, "busy", s->busy);
	add_number(o, "denied", s->denied);
}

static void add_scan(struct json_object *to, const struct status *s, struct cache *cache)
{
	const struct volumes *v = culler_volumes(cache_culler(cache));
	struct json_object *o = add_object(to, "last_scan", v->taken > 0);

	if (o) {
		add_number(o, "at", (uint64_t)(v->taken / NS_PER_S));
		json_object_object_add(
			o, "seconds",
			json_object_new_double(s->has_last && s->last.scans > 0
						       ? (double)s->last.scan_ms / 1000
						       : 0));
		add_number(o, "volumes", v->count + v->other_count);
		add_number(o, "files", v->objects);
		add_number(o, "bytes", v->blocks * 512);
		add_age(o, "oldest", v->oldest);
	}
	o = add_object(to, "graveyard", true);
	add_number(o, "removed", s->reaped);
	add_number(o, "stuck", s->stuck);
}

static void add_refusals(struct json_object *to, const struct status *s)
{
	struct json_object *o = add_object(to, "refused", true), *last;

	add_number(o, "freezes", s->refused_freezes);
	add_number(o, "remounts", s->refused_remounts);
	last = add_object(o, "last", s->refused.at != 0);
	if (last) {
		add_number(last, "time", (uint64_t)s->refused.at);
		add_text(last, "what", s->refused.what);
		add_text(last, "text", s->refused.text);
		add_text(last, "advice", s->refused.advice);
	}
}

struct json_object *document_status(struct cache *cache, const struct config *config)
{
	const struct status *s = cache_status(cache);
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	add_text(o, "version", PACKAGE_VERSION);
	add_text(o, "state", status_state(s));
	add_text(o, "dir", s->dir);
	add_text(o, "tag", s->tag);
	add_text(o, "filesystem", s->backing);
	add_number(o, "since", (uint64_t)s->since);
	add_text(o, "waiting", s->waiting);
	add_text(o, "stalled", s->stalled);
	add_bool(o, "blocked", s->frozen);
	add_policy(o, config);
	add_kernel(o, s);
	add_space(o, s);
	add_cull(o, s, cache);
	add_scan(o, s, cache);
	add_refusals(o, s);
	add_number(o, "yields", s->yields);
	add_number(o, "rebinds", s->rebinds);
	add_number(o, "deaths", s->deaths);
	return o;
}

static struct json_object *describe_volume(const struct volume *v, const struct rules *rules)
{
	struct json_object *o = json_object_new_object();
	char key[3 * 256];

	store_readable(v->key ? v->key : "others", key, sizeof(key));
	add_text(o, "key", key);
	add_text(o, "name", v->key ? volume_readable(v->key).text : "others");
	add_bool(o, "live", v->live);
	add_bool(o, "orphan", v->orphan);
	add_number(o, "objects", v->objects);
	add_number(o, "bytes", v->blocks * 512);
	add_age(o, "oldest", v->oldest);
	add_text(o, "rule",
		 rules && v->rule >= 0 && (size_t)v->rule < rules->count
			 ? rules->items[v->rule].pattern
			 : NULL);
	return o;
}

static int compare_sizes(const void *a, const void *b)
{
	const struct volume *const *x = a, *const *y = b;

	return (*x)->blocks < (*y)->blocks ? 1 : (*x)->blocks > (*y)->blocks ? -1 : 0;
}

struct json_object *document_volumes(struct cache *cache, const struct config *config)
{
	const struct volumes *v = culler_volumes(cache_culler(cache));
	struct json_object *o = json_object_new_object(), *list;
	_cleanup_free_ const struct volume **order = calloc(v->count + 1, sizeof(*order));

	if (!o || !order) {
		json_object_put(o);
		return NULL;
	}
	json_object_object_add(o, "scanned_at",
			       v->taken > 0 ? json_object_new_int64(v->taken / NS_PER_S) : NULL);
	list = json_object_new_array();
	json_object_object_add(o, "volumes", list);
	for (size_t i = 0; i < v->count; i++)
		order[i] = &v->items[i];
	qsort(order, v->count, sizeof(*order), compare_sizes);
	for (size_t i = 0; i < v->count; i++)
		json_object_array_add(list, describe_volume(order[i], config->rules));
	if (v->other_count > 0)
		json_object_array_add(list, describe_volume(&v->others, NULL));
	return o;
}
