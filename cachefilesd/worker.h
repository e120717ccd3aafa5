/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that does what may block, one job at a time: only workers touch the cache's
 * filesystem. Each has a working directory of its own (unshare CLONE_FS), idle I/O priority and a
 * heartbeat that the watchdog looks at. The job's end is told to the event loop.
 */
#pragma once

#include <event2/event.h>
#include <stdatomic.h>

#include "util.h"

struct worker;

/* work runs in the thread, done afterwards in the event loop; both get data. */
typedef void (*worker_fn)(void *data);

int worker_new(struct worker **ret, struct event_base *base, const char *name);

/*
 * Stops the job in hand, waits for the thread and frees it; done is not called any more.
 * Returns NULL.
 */
struct worker *worker_free(struct worker *w);

/* -EBUSY while a job is in hand. */
int worker_run(struct worker *w, worker_fn work, worker_fn done, void *data);
bool worker_busy(const struct worker *w);

/* Asks the job in hand to end early; a job looks at *worker_stop_flag() often. */
void worker_stop(struct worker *w);
const atomic_bool *worker_stop_flag(const struct worker *w);

/* The heartbeat of a job: progress was made. Any thread; has the signature of a beat callback. */
void worker_beat(void *worker);

enum worker_health {
	WORKER_IDLE,
	WORKER_MOVING,	/* the heart beats */
	WORKER_WAITING, /* silent for long, but inside the kernel: the filesystem makes it wait */
	WORKER_HUNG,	/* silent for long in our own code */
};
/* Only the event loop: silence counts since the call before. limit_ms: what is long. */
enum worker_health worker_health(struct worker *w, uint64_t limit_ms);
