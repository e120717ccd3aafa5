/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at the bound cache without being in anybody's way: a worker of its own reads the device's
 * state whenever that changes, on kernels with the claim, where reading waits for the command in
 * hand, and the free space when it is asked for. Only the event loop.
 */
#pragma once

#include "binding.h"
#include "status.h"
#include "worker.h"

struct watch;

struct watch_owner {
	void (*seen)(void *data, const struct device_state *state);
	void (*idle)(void *data); /* a look ended after watch_stop() */
	void *data;
};

int watch_new(struct watch **ret, struct event_base *base, struct status *status,
	      const struct watch_owner *owner);
struct watch *watch_free(struct watch *w); /* returns NULL */

/* quick: a change must be seen within a tenth of a second, not one. */
int watch_start(struct watch *w, const struct binding *binding, bool quick);
/* The binding must stay until watch_busy() says no. */
void watch_stop(struct watch *w);
bool watch_busy(const struct watch *w);

/* Looks at the free space soon, unless that was done in the last second; status.free has it then.
 */
void watch_look(struct watch *w);

enum worker_health watch_health(struct watch *w, uint64_t limit_ms);
