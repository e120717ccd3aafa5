/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "asks.h"

int asks_order(struct asks *a, const struct cull_order *order, culler_done_fn done, void *data)
{
	if (!order->all && !order->orphans && !order->volumes[0] && order->bytes == 0 &&
	    order->files == 0 && order->older_than == 0)
		return -EINVAL;
	if (a->orderer.done)
		return -EBUSY;
	a->order = *order;
	a->orderer = (struct ask){done, data};
	return 0;
}

int asks_scan(struct asks *a, culler_done_fn done, void *data)
{
	if (a->scan_count == ASKS_MAX)
		return -EBUSY;
	a->scans[a->scan_count++] = (struct ask){done, data};
	return 0;
}

void asks_answer_order(struct asks *a, const struct cull_result *r)
{
	struct ask orderer = a->orderer;

	a->orderer = (struct ask){0};
	if (orderer.done)
		orderer.done(orderer.data, r);
}

void asks_answer_scans(struct asks *a, size_t n, const struct cull_result *r)
{
	struct ask answered[ASKS_MAX];

	memcpy(answered, a->scans, n * sizeof(*answered));
	a->scan_count -= n;
	a->served -= MIN(a->served, n);
	memmove(a->scans, a->scans + n, a->scan_count * sizeof(*answered));
	for (size_t i = 0; i < n; i++)
		answered[i].done(answered[i].data, r);
}

void asks_refuse(struct asks *a)
{
	asks_answer_order(a, NULL);
	asks_answer_scans(a, a->scan_count, NULL);
}
