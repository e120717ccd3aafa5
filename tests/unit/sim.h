/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A clock, an event loop and a worker that are simulated: the daemon's own code runs on them
 * unchanged, in one thread, and a year takes no longer than what is done in it. The linker wraps
 * clock_gettime(), time(), nanosleep(), libevent's events and the worker.
 */
#pragma once

#include <event2/event.h>

#include "worker.h"

struct sim {
	uint64_t ms;	    /* CLOCK_MONOTONIC */
	int64_t wall;	    /* what CLOCK_REALTIME is ahead of that, seconds */
	uint64_t job_ms;    /* how long the next job takes */
	unsigned int steps; /* since ms went on: nobody may go in circles */
	/* Given: whether the only descriptor there is can be read, or written to. */
	bool (*readable)(void);
	bool (*writable)(void);
	/* Given: around each job, in the thread that the worker would be. */
	void (*before_job)(void);
	void (*after_job)(void); /* and after what the loop does at its end */
};
extern struct sim sim;

/* Nanoseconds since the epoch. */
int64_t sim_now(void);

/* The worker that there is. */
struct worker *sim_worker(void);

/* Forgets all events and jobs. */
void sim_reset(void);

/* Does one thing that is due. Returns whether there was one. */
bool sim_step(void);

/* When the next timer is due, in ms of the clock; UINT64_MAX: none is set. */
uint64_t sim_next(void);
