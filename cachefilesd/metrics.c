/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics.h"

#include "build-config.h"

#include <inttypes.h>

#include "culler.h"
#include "server.h"
#include "status.h"

#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PLAIN	    "text/plain; version=0.0.4; charset=utf-8"

/* Each volume is a time series: the largest have one of their own, the others share one. */
#define SERIES_MAX 256

#define NS_PER_S 1000000000

/* Where a metric is written, and what from. */
struct sheet {
	FILE *to;
	bool openmetrics;
	const struct metric *metric;
	struct cache *cache;
	const struct status *status;
	const struct volumes *volumes;
};

enum kind {
	GAUGE,
	COUNTER,  /* the name ends in _total */
	STATESET, /* a gauge to the older format */
	INFO,	  /* the name ends in _info; the same */
};

struct metric {
	const char *name; /* without _total or _info */
	enum kind kind;
	const char *unit; /* the name's last word; NULL: none */
	const char *help;
	void (*samples)(struct sheet *s);
	size_t offset; /* of a number in struct status, where samples is none of its own */
};

static const char *suffix(const struct metric *m)
{
	return m->kind == COUNTER ? "_total" : m->kind == INFO ? "_info" : "";
}

static void put_label(struct sheet *s, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', s->to);
		fputc(*text, s->to);
	}
}

/* One sample with up to two labels; NULL: none. */
static void put_labelled(struct sheet *s, const char *a, const char *a_is, const char *b,
			 const char *b_is)
{
	fprintf(s->to, "%s%s", s->metric->name, suffix(s->metric));
	if (a) {
		fprintf(s->to, "{%s=\"", a);
		put_label(s, a_is);
		fputc('"', s->to);
		if (b) {
			fprintf(s->to, ",%s=\"", b);
			put_label(s, b_is);
			fputc('"', s->to);
		}
		fputc('}', s->to);
	}
	fputc(' ', s->to);
}

static void put(struct sheet *s, const char *label, const char *is, uint64_t value)
{
	put_labelled(s, label, is, NULL, NULL);
	fprintf(s->to, "%" PRIu64 "\n", value);
}

static void put_ms(struct sheet *s, uint64_t ms)
{
	put_labelled(s, NULL, NULL, NULL, NULL);
	fprintf(s->to, "%" PRIu64 ".%03" PRIu64 "\n", ms / 1000, ms % 1000);
}

/* ---- what each says ---- */

static void number(struct sheet *s)
{
	put(s, NULL, NULL,
	    *(const uint64_t *)(const void *)((const char *)s->status + s->metric->offset));
}

static void count(struct sheet *s)
{
	put(s, NULL, NULL,
	    *(const unsigned int *)(const void *)((const char *)s->status + s->metric->offset));
}

static void milliseconds(struct sheet *s)
{
	put_ms(s, *(const uint64_t *)(const void *)((const char *)s->status + s->metric->offset));
}

static void flag(struct sheet *s)
{
	put(s, NULL, NULL, *((const bool *)s->status + s->metric->offset));
}

static void build(struct sheet *s)
{
	put(s, "version", PACKAGE_VERSION, 1);
}

static void state(struct sheet *s)
{
	static const char *const states[] = {"bound",	"binding", "waiting", "yielding",
					     "yielded", "closing", "stopped"};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		put(s, s->metric->name, states[i], streq(states[i], status_state(s->status)));
}

static void limit_bytes(struct sheet *s)
{
	const struct device_state *l = &s->status->limits;
	uint64_t unit = s->status->free.unit;

	if (s->status->state != CACHE_BOUND || !s->status->free.known)
		return;
	put(s, "limit", "brun", l->brun * unit);
	put(s, "limit", "bcull", l->bcull * unit);
	put(s, "limit", "bstop", l->bstop * unit);
}

static void limit_files(struct sheet *s)
{
	const struct device_state *l = &s->status->limits;

	if (s->status->state != CACHE_BOUND)
		return;
	put(s, "limit", "frun", l->frun);
	put(s, "limit", "fcull", l->fcull);
	put(s, "limit", "fstop", l->fstop);
}

static void available(struct sheet *s)
{
	if (s->status->free.known)
		number(s);
}

static void culled_bytes(struct sheet *s)
{
	put(s, NULL, NULL, s->status->blocks * 512);
}

/* Of few values, so that a series is not made for each number of files. */
static void stalled(struct sheet *s)
{
	static const char *const reasons[] = {"in_use", "exhausted", "no_effect", "error"};
	const struct cull_result *r = &s->status->last;
	const char *reason = "error";

	if (r->end == CULL_EXHAUSTED)
		reason = r->busy > 0 ? "in_use" : "exhausted";
	else if (r->end == CULL_FUTILE)
		reason = "no_effect";
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		put(s, "reason", reasons[i], s->status->stalled[0] && streq(reasons[i], reason));
}

static void scan_time(struct sheet *s)
{
	if (s->volumes->taken > 0)
		put(s, NULL, NULL, (uint64_t)(s->volumes->taken / NS_PER_S));
}

static void scan_duration(struct sheet *s)
{
	if (s->status->has_last && s->status->last.scans > 0)
		put_ms(s, s->status->last.scan_ms);
}

static void oldest(struct sheet *s)
{
	int64_t age = (int64_t)time(NULL) - s->volumes->oldest / NS_PER_S;

	if (s->volumes->oldest > 0)
		put(s, NULL, NULL, (uint64_t)MAX(age, 0));
}

static void volume_count(struct sheet *s)
{
	if (s->volumes->taken > 0)
		put(s, NULL, NULL, s->volumes->count + s->volumes->other_count);
}

static uint64_t objects_of(const struct volume *v)
{
	return v->objects;
}

static uint64_t bytes_of(const struct volume *v)
{
	return v->blocks * 512;
}

static int compare_sizes(const void *a, const void *b)
{
	const struct volume *const *x = a, *const *y = b;

	return (*x)->blocks < (*y)->blocks ? 1 : (*x)->blocks > (*y)->blocks ? -1 : 0;
}

static void per_volume(struct sheet *s, uint64_t (*value)(const struct volume *))
{
	const struct volumes *v = s->volumes;
	_cleanup_free_ const struct volume **order = calloc(v->count + 1, sizeof(*order));
	uint64_t others = v->other_count > 0 ? value(&v->others) : 0;

	for (size_t i = 0; order && i < v->count; i++)
		order[i] = &v->items[i];
	if (order)
		qsort(order, v->count, sizeof(*order), compare_sizes);
	for (size_t i = 0; order && i < v->count; i++) {
		char key[3 * 256];

		if (i >= SERIES_MAX) {
			others += value(order[i]);
			continue;
		}
		store_readable(order[i]->key, key, sizeof(key));
		put_labelled(s, "volume", key, "name", volume_readable(order[i]->key).text);
		fprintf(s->to, "%" PRIu64 "\n", value(order[i]));
	}
	if (others > 0 || v->other_count > 0) {
		put_labelled(s, "volume", "others", "name", "others");
		fprintf(s->to, "%" PRIu64 "\n", others);
	}
}

static void volume_files(struct sheet *s)
{
	per_volume(s, objects_of);
}

static void volume_bytes(struct sheet *s)
{
	per_volume(s, bytes_of);
}

static void kernel_claim(struct sheet *s)
{
	if (s->status->kernel.known)
		put(s, NULL, NULL, s->status->kernel.claim);
}

static void watchdog(struct sheet *s)
{
	if (s->status->fed != 0)
		put(s, NULL, NULL, (uint64_t)s->status->fed);
}

#define P	   "cachefilesd_"
#define AT(member) offsetof(struct status, member)

static const struct metric table[] = {
	{P "build", INFO, NULL, "Version of the daemon.", build, 0},
	{P "state", STATESET, NULL, "What the cache is doing; one of them is 1.", state, 0},
	{P "limit_bytes", GAUGE, "bytes", "Limits of available space.", limit_bytes, 0},
	{P "limit_files", GAUGE, "files", "Limits of available files.", limit_files, 0},
	{P "available_bytes", GAUGE, "bytes", "Space available on the cache's filesystem.",
	 available, AT(free.bytes)},
	{P "available_files", GAUGE, "files", "Files that can still be made there.", available,
	 AT(free.files)},
	{P "cull_cycles", COUNTER, NULL, "Cull cycles that ended.", number, AT(cycles)},
	{P "culled_files", COUNTER, "files", "Objects culled.", number, AT(culled)},
	{P "culled_bytes", COUNTER, "bytes", "Space of the objects culled.", culled_bytes, 0},
	{P "cull_in_use_files", COUNTER, "files", "Candidates left alone since they were in use.",
	 number, AT(busy)},
	{P "cull_denied_files", COUNTER, "files", "Candidates that the system refused to cull.",
	 number, AT(denied)},
	{P "cull_seconds", COUNTER, "seconds", "Time spent culling, scans not counted.",
	 milliseconds, AT(cull_ms)},
	{P "culling", GAUGE, NULL, "Whether a cull cycle is in hand.", flag, AT(culling)},
	{P "stalled", GAUGE, NULL, "Whether culling makes no progress, by reason.", stalled, 0},
	{P "blocked", GAUGE, NULL, "Whether a worker waits in the kernel for long.", flag,
	 AT(frozen)},
	{P "scans", COUNTER, NULL, "Scans of the cache.", number, AT(scans)},
	{P "scan_seconds", COUNTER, "seconds", "Time spent scanning.", milliseconds, AT(scan_ms)},
	{P "last_scan_timestamp_seconds", GAUGE, "seconds", "When the last scan ended.", scan_time,
	 0},
	{P "last_scan_duration_seconds", GAUGE, "seconds",
	 "How long the scans of the last cycle took.", scan_duration, 0},
	{P "oldest_use_age_seconds", GAUGE, "seconds",
	 "Time since the last use of the least recently used object, as of the last scan.", oldest,
	 0},
	{P "volumes", GAUGE, NULL, "Volumes in the cache at the last scan.", volume_count, 0},
	{P "volume_files", GAUGE, "files", "Objects of a volume at the last scan.", volume_files,
	 0},
	{P "volume_bytes", GAUGE, "bytes", "Space of a volume at the last scan.", volume_bytes, 0},
	{P "graveyard_removed", COUNTER, NULL, "Entries removed from the graveyard.", number,
	 AT(reaped)},
	{P "graveyard_stuck", GAUGE, NULL, "Entries there that cannot be removed.", number,
	 AT(stuck)},
	{P "refused_freezes", COUNTER, NULL, "Freezes of the filesystem that were refused.", number,
	 AT(refused_freezes)},
	{P "refused_remounts", COUNTER, NULL, "Read-only remounts of it that were refused.", number,
	 AT(refused_remounts)},
	{P "binds", COUNTER, NULL, "Times that the cache was bound or adopted.", count, AT(binds)},
	{P "yields", COUNTER, NULL, "Times that it was let go of on purpose.", count, AT(yields)},
	{P "rebinds", COUNTER, NULL, "Times that it was bound again after that.", count,
	 AT(rebinds)},
	{P "deaths", COUNTER, NULL, "Times that it died or lost its directory.", count, AT(deaths)},
	{P "kernel_claim", GAUGE, NULL, "Whether the kernel refuses freezes while it is bound.",
	 kernel_claim, 0},
	{P "watchdog_timestamp_seconds", GAUGE, "seconds", "When the watchdog was fed last.",
	 watchdog, 0},
};

const char *metrics_name(size_t i)
{
	static char name[80];

	if (i >= ARRAY_SIZE(table))
		return NULL;
	snprintf(name, sizeof(name), "%s%s", table[i].name, suffix(&table[i]));
	return name;
}

bool metrics_write(struct cache *cache, bool openmetrics, FILE *to)
{
	static const char *const kinds[] = {"gauge", "counter", "stateset", "info"};
	struct sheet s = {
		.to = to,
		.openmetrics = openmetrics,
		.cache = cache,
		.status = cache_status(cache),
		.volumes = culler_volumes(cache_culler(cache)),
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct metric *m = s.metric = &table[i];
		bool old_gauge = !openmetrics && m->kind > COUNTER;
		const char *family = openmetrics ? "" : suffix(m);

		fprintf(to, "# TYPE %s%s %s\n", m->name, family,
			kinds[old_gauge ? GAUGE : m->kind]);
		if (openmetrics && m->unit)
			fprintf(to, "# UNIT %s %s\n", m->name, m->unit);
		fprintf(to, "# HELP %s%s %s\n", m->name, family, m->help);
		m->samples(&s);
	}
	if (openmetrics)
		fputs("# EOF\n", to);
	return !ferror(to);
}

void metrics_answer(struct cache *cache, struct evhttp_request *request)
{
	const char *accept =
		evhttp_find_header(evhttp_request_get_input_headers(request), "Accept");
	bool plain = accept && strstr(accept, "text/plain") && !strstr(accept, "openmetrics");
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	bool whole = to && metrics_write(cache, !plain, to);

	if (to && fclose(to) != 0)
		whole = false;
	if (whole)
		server_reply(request, HTTP_OK, plain ? PLAIN : OPENMETRICS, text);
	else
		server_reply(request, HTTP_SERVUNAVAIL, "text/plain", "out of memory\n");
	free(text);
}

struct metrics {
	struct server *server;
	struct cache *cache;
	const char *path; /* of its socket; NULL: an address */
};

static void handle(void *data, struct evhttp_request *request)
{
	struct metrics *m = data;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

	if (!path || !streq(path, "/metrics"))
		server_reply(request, HTTP_NOTFOUND, "text/plain", "only /metrics is here\n");
	else if (evhttp_request_get_command(request) != EVHTTP_REQ_GET)
		server_reply(request, HTTP_BADMETHOD, "text/plain", "GET it\n");
	else
		metrics_answer(m->cache, request);
}

int metrics_new(struct metrics **ret, struct event_base *base, const struct config *config,
		struct cache *cache)
{
	struct metrics *m = calloc(1, sizeof(*m));
	const struct server_owner owner = {NULL, handle, m};
	int fd, r;

	if (!m)
		return -ENOMEM;
	m->cache = cache;
	if (config->metrics[0] == '/') {
		m->path = config->metrics;
		r = server_listen_path(config->metrics, &fd);
	} else {
		r = server_listen_address(config->metrics, &fd);
	}
	if (r == 0)
		r = server_new(&m->server, base, fd, METRICS_CONNECTIONS, &owner);
	if (r < 0) {
		free(m);
		return r;
	}
	*ret = m;
	return 0;
}

struct metrics *metrics_free(struct metrics *m)
{
	if (!m)
		return NULL;
	server_free(m->server);
	if (m->path)
		unlink(m->path);
	free(m);
	return NULL;
}
