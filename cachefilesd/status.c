/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "status.h"

#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "quantity.h"

/* Text that grows in a buffer of fixed size and is cut there. */
struct text {
	char *buffer;
	size_t size, used;
};

static void _printf_(2, 3) add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->buffer + t->used, t->size - t->used, format, args);
	va_end(args);
	if (n > 0)
		t->used = MIN(t->used + (size_t)n, t->size - 1);
}

/* Blocks of 512 bytes. */
static void add_bytes(struct text *t, uint64_t blocks)
{
	add(t, "%s", quantity_size(blocks * 512).text);
}

static void add_age(struct text *t, int64_t used)
{
	int64_t seconds = (int64_t)time(NULL) - used / 1000000000;

	add(t, "%s", quantity_time((uint64_t)MAX(seconds, 0)).text);
}

void status_add_cycle(struct status *s, const struct cull_result *r)
{
	s->last = *r;
	s->has_last = true;
	s->cycles++;
	s->culled += r->culled;
	s->blocks += r->blocks;
	s->busy += r->busy;
	s->denied += r->denied;
	s->scans += r->scans;
	s->scan_ms += r->scan_ms;
	s->cull_ms += r->total_ms > r->scan_ms ? r->total_ms - r->scan_ms : 0;
}

void status_describe_cycle(const struct cull_result *r, char *buffer, size_t size)
{
	struct text t = {buffer, size, 0};
	const struct scan_findings *f = &r->found;

	add(&t, "culled %" PRIu64 " files, ", r->culled);
	add_bytes(&t, r->blocks);
	add(&t, " in %.2f s; ", (double)r->total_ms / 1000);
	if (r->scans > 0) {
		add(&t, "%u scan%s of %" PRIu64 " files, ", r->scans, r->scans == 1 ? "" : "s",
		    f->objects);
		add_bytes(&t, f->blocks);
		add(&t, ", in %" PRIu64 " volumes took %.2f s", f->volumes,
		    (double)r->scan_ms / 1000);
	} else {
		add(&t, "chosen by an earlier scan");
	}
	if (r->culled > 0)
		add(&t, ", first cull after %" PRIu64 " ms", r->first_cull_ms);
	if (f->oldest > 0) {
		add(&t, ", oldest unused for ");
		add_age(&t, f->oldest);
	}
	if (r->busy + r->touched + r->gone + r->skipped + r->denied > 0)
		add(&t,
		    "; left alone: %" PRIu64 " in use, %" PRIu64 " used since, %" PRIu64
		    " gone, %" PRIu64 " impossible, %" PRIu64 " denied",
		    r->busy, r->touched, r->gone, r->skipped, r->denied);
	if (r->denied > 0)
		add(&t, " (%s)", strerror(r->first_error));
	if (f->removed > 0)
		add(&t, "; removed %" PRIu64 " empty directories", f->removed);
}

void status_describe_stall(const struct cull_result *r, char *buffer, size_t size)
{
	struct text t = {buffer, size, 0};
	uint64_t tried = r->culled + r->busy + r->touched + r->gone + r->skipped + r->denied;

	switch (r->end) {
	case CULL_EXHAUSTED:
		if (tried == 0)
			add(&t, "there is nothing in the cache that could be culled");
		else if (r->culled > 0 && r->culled + r->touched == tried)
			/* what was touched may have been culled by a later look */
			add(&t, "all %" PRIu64 " candidates are culled, other files take the space",
			    r->culled);
		else
			add(&t, "%" PRIu64 " of %" PRIu64 " candidates in use", r->busy, tried);
		if (r->touched + r->skipped + r->denied > 0)
			add(&t,
			    ", %" PRIu64 " used since the scan, %" PRIu64 " impossible, %" PRIu64
			    " denied",
			    r->touched, r->skipped, r->denied);
		if (r->denied > 0)
			add(&t, " (%s)", strerror(r->first_error));
		break;
	case CULL_FUTILE:
		add(&t, "the filesystem shows no more free space after %" PRIu64 " files, ",
		    r->culled);
		add_bytes(&t, r->blocks);
		add(&t, ", were culled");
		break;
	case CULL_FAILED:
		add(&t, "%s", strerror(r->error));
		break;
	default:
		add(&t, "the kernel wants more space than is free");
	}
}

/* On purpose, and for nothing else. */
static bool is_yielded(const struct status *s)
{
	return s->yielding && !s->hindered;
}

const char *status_state(const struct status *s)
{
	switch (s->state) {
	case CACHE_BINDING:
	case CACHE_WAITING:
		if (is_yielded(s))
			return "yielded";
		/* Trying again is no news. */
		return s->waiting[0] ? "waiting" : "binding";
	case CACHE_BOUND:
		return "bound";
	case CACHE_CLOSING:
		return s->yielding ? "yielding" : "closing";
	case CACHE_STOPPED:
		break;
	}
	return "stopped";
}

void status_summary(const struct status *s, char *buffer, size_t size)
{
	struct text t = {buffer, size, 0};

	buffer[0] = '\0';
	switch (s->state) {
	case CACHE_BINDING:
		add(&t, "Binding %s", s->dir);
		break;
	case CACHE_WAITING:
		add(&t, "%s: %s", is_yielded(s) ? "Yielded" : "Waiting", s->waiting);
		break;
	case CACHE_CLOSING:
		add(&t, "%s the cache in %s", s->yielding ? "Letting go of" : "Withdrawing",
		    s->dir);
		break;
	case CACHE_STOPPED:
		add(&t, "Stopped");
		break;
	case CACHE_BOUND:
		add(&t, "Caching in %s (%s)", s->dir, s->backing);
		if (s->frozen)
			add(&t, "; the filesystem makes us wait: frozen, or its disk is stuck");
		if (s->refused_freezes + s->refused_remounts > 0)
			add(&t, "; refused %" PRIu64 " freezes, %" PRIu64 " remounts",
			    s->refused_freezes, s->refused_remounts);
		if (s->stalled[0])
			add(&t, "; culling stalled: %s", s->stalled);
		else if (s->culling)
			add(&t, "; culling");
		else if (s->nocull)
			add(&t, "; culling is off");
		if (s->culled > 0) {
			add(&t, "; culled %" PRIu64 " files, ", s->culled);
			add_bytes(&t, s->blocks);
		}
	}
}

void status_log(const struct status *s)
{
	char line[1024];
	struct text t = {line, sizeof(line), 0};

	status_summary(s, line, sizeof(line));
	log_notice("status: %s", line);
	log_notice("status: tag %s, bound %u times, lost %u times, let go of %u times, culling %s",
		   s->tag, s->binds, s->deaths, s->yields,
		   s->nocull	? "off"
		   : s->culling ? "in hand"
				: "not wanted");
	if (s->state == CACHE_BOUND)
		log_notice("status: limits in blocks: run %" PRIu64 ", cull %" PRIu64
			   ", stop %" PRIu64 "; in files: run %" PRIu64 ", cull %" PRIu64
			   ", stop %" PRIu64,
			   s->limits.brun, s->limits.bcull, s->limits.bstop, s->limits.frun,
			   s->limits.fcull, s->limits.fstop);
	add(&t, "%" PRIu64 " cycles culled %" PRIu64 " files, ", s->cycles, s->culled);
	add_bytes(&t, s->blocks);
	log_notice("status: %s; %" PRIu64 " found in use, %" PRIu64 " denied; graveyard: %" PRIu64
		   " removed, %" PRIu64 " stuck",
		   line, s->busy, s->denied, s->reaped, s->stuck);
	if (s->has_last) {
		status_describe_cycle(&s->last, line, sizeof(line));
		log_notice("status: last cycle: %s", line);
	}
}
