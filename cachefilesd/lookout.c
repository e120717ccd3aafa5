/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lookout.h"

/* Where there is nothing to choose from, a scan ahead is not repeated at once. */
#define CHOOSE_MIN_MS 60000

void lookout_start(struct lookout *w)
{
	*w = (struct lookout){0};
	gauge_reset(&w->gauge);
}

void lookout_stop(struct lookout *w)
{
	w->rules = rules_drop(w->rules);
}

void lookout_sample(struct lookout *w, const struct store *store)
{
	if (cull_space(store, &w->sample, &w->unit) == 0)
		w->sampled_ms = now_ms();
}

bool lookout_take_rules(struct lookout *w, struct rules *rules, const struct volumes *volumes)
{
	if (w->rules == rules)
		return false;
	rules_drop(w->rules);
	w->rules = rules_hold(rules);
	gauge_apply(&w->gauge, volumes, rules);
	return true;
}

enum lookout_advice lookout_advise(struct lookout *w, const struct device_state *limits,
				   bool chosen, uint64_t *ret_next)
{
	struct gauge *g = &w->gauge;
	uint64_t now = now_ms();

	if (w->sampled_ms > 0)
		gauge_look(g, w->sampled_ms, &w->sample);
	w->sampled_ms = 0;
	*ret_next = gauge_next(g, w->rules, limits, w->unit);
	if (gauge_wants_cycle(g, w->rules, now, (int64_t)time(NULL)))
		return LOOKOUT_TIDY;
	if (!chosen && gauge_nears(g, limits, w->unit) &&
	    (g->scanned_ms == 0 || now - g->scanned_ms > CHOOSE_MIN_MS))
		return LOOKOUT_CHOOSE;
	return LOOKOUT_WAIT;
}

void lookout_scanned(struct lookout *w, const struct volumes *volumes, const struct cull_result *r)
{
	gauge_scanned(&w->gauge, volumes, r->scans > 0 ? r->scan_ms / r->scans : 0);
	gauge_apply(&w->gauge, volumes, w->rules);
}

bool lookout_tidied(struct lookout *w, const struct cull_result *r)
{
	bool before = w->gauge.wait_ms > 0;

	gauge_tried(&w->gauge, now_ms(), r->culled > 0);
	return !before && w->gauge.wait_ms > 0 && r->end != CULL_ENOUGH;
}
