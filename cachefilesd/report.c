/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include "log.h"
#include "quantity.h"

void report_findings(const struct status *status, const struct scan_findings *f)
{
	const struct scan_findings *before = &status->last.found;

	if (f->foreign > 0)
		log_event(
			LOG_WARNING, MESSAGE_FOREIGN,
			"%llu entries that are no part of a cache were moved to the graveyard, the "
			"first was cache/%s",
			(unsigned long long)f->foreign, f->first_foreign);
	if (f->old_trees > 0)
		log_event(LOG_NOTICE, MESSAGE_OLD_TREES,
			  "%llu trees of an older kernel's cache were moved to the graveyard",
			  (unsigned long long)f->old_trees);
	if (f->unreadable > 0 &&
	    (f->unreadable != before->unreadable || f->first_error != before->first_error))
		log_event(LOG_WARNING, MESSAGE_UNREADABLE,
			  "%llu entries could not be examined or moved, the first is cache/%s: %s",
			  (unsigned long long)f->unreadable, f->first_unreadable,
			  strerror(f->first_error));
}

void report_cycle(struct status *status, const struct cull_result *r)
{
	char line[1024];

	if (r->scans > 0)
		report_findings(status, &r->found);
	status_add_cycle(status, r);
	status_describe_cycle(r, line, sizeof(line));
	log_event(r->culled > 0 ? LOG_INFO : LOG_DEBUG, MESSAGE_CULLED, "%s", line);
}

static const struct volume *first_orphan(const struct volumes *v, uint64_t *ret_count,
					 uint64_t *ret_blocks)
{
	const struct volume *first = NULL;

	*ret_count = *ret_blocks = 0;
	for (size_t i = 0; i < v->count; i++) {
		if (!v->items[i].orphan)
			continue;
		first = first ? first : &v->items[i];
		*ret_count += 1;
		*ret_blocks += v->items[i].blocks;
	}
	return first;
}

void report_orphans(const struct volumes *before, const struct volumes *now)
{
	uint64_t were, count, blocks;
	const struct volume *first;

	first_orphan(before, &were, &blocks);
	first = first_orphan(now, &count, &blocks);
	if (count > were)
		log_notice("%llu volumes, %s, are of mounts whose options have changed, the first "
			   "is %s: nobody will read them, an order to cull orphans drops them",
			   (unsigned long long)count, quantity_size(blocks * 512).text,
			   volume_readable(first->key).text);
}
