/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the log says of scans and cycles. Only the event loop.
 */
#pragma once

#include "status.h"

/* What a scan found that somebody should know of; each news once. */
void report_findings(const struct status *status, const struct scan_findings *found);

/* The same of a cycle, and what it came to; the cycle is taken into the status. */
void report_cycle(struct status *status, const struct cull_result *result);

/* Orphaned volumes, when there are others than before. */
void report_orphans(const struct volumes *before, const struct volumes *now);
