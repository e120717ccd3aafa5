/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people ask of the culler: an order at a time, and scans that those who wait for them share.
 * Kept until it is answered. Only the event loop.
 */
#pragma once

#include "cull.h"

/* So many may wait for a scan; they are requests of people. */
#define ASKS_MAX 16

/*
 * An order or a scan was carried out, or it ended early: r->end and r->error say how. NULL: the
 * cache was let go of before its turn came.
 */
typedef void (*culler_done_fn)(void *data, const struct cull_result *r);

struct ask {
	culler_done_fn done;
	void *data;
};

struct asks {
	struct cull_order order;
	struct ask orderer; /* done is NULL: there is no order */
	struct ask scans[ASKS_MAX];
	size_t scan_count;
	size_t served; /* of those the cycle in hand answers */
};

/* -EINVAL: the order asks for nothing; -EBUSY: another one is not answered yet. */
int asks_order(struct asks *a, const struct cull_order *order, culler_done_fn done, void *data);
/* -EBUSY: too many wait. */
int asks_scan(struct asks *a, culler_done_fn done, void *data);

/* Answers may ask again. */
void asks_answer_order(struct asks *a, const struct cull_result *r);
/* Answers the first n that wait for a scan. */
void asks_answer_scans(struct asks *a, size_t n, const struct cull_result *r);
/* The cache is let go of. */
void asks_refuse(struct asks *a);
