/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy on freezes and remounts: what is counted, when the cache is let go of, what another
 * life or another device had counted already, holds and delays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "claim.h"
#include "log.h"

struct fixture {
	struct event_base *base;
	struct config config;
	struct status status;
	struct binding binding;
	struct claim *claim;
	enum yield_reason yielded;
	unsigned int yields, resumes, deaths;
};

static void on_yield(void *data, enum yield_reason why)
{
	struct fixture *f = data;

	f->yielded = why;
	f->yields++;
	claim_stop(f->claim);
}

static void on_resume(void *data)
{
	struct fixture *f = data;

	f->resumes++;
	event_base_loopbreak(f->base);
}

static void on_dead(void *data)
{
	struct fixture *f = data;

	f->deaths++;
	claim_stop(f->claim);
}

static int set_up(void **state)
{
	static char dir[] = "/cache";
	struct fixture *f = calloc(1, sizeof(*f));
	const struct claim_owner owner = {on_yield, on_resume, on_dead, f};

	assert_non_null(f);
	log_set_level(LOG_EMERG);
	f->base = event_base_new();
	f->config.dir = dir;
	f->config.yield_seconds = 10;
	f->binding.limits.has_claim = true;
	snprintf(f->status.backing, sizeof(f->status.backing), "ext4 on /dev/vdb");
	assert_int_equal(claim_new(&f->claim, f->base, &f->config, &f->status, &owner), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	assert_null(claim_free(f->claim));
	event_base_free(f->base);
	free(f);
	return 0;
}

static void see(struct fixture *f, uint64_t frzref, uint64_t roref)
{
	const struct device_state state = {.has_claim = true, .frzref = frzref, .roref = roref};

	claim_seen(f->claim, &state);
}

static void refuses(void **state)
{
	struct fixture *f = *state;

	claim_start(f->claim, &f->binding, false, false);
	assert_true(f->status.kernel.known && f->status.kernel.claim);
	see(f, 0, 0);
	assert_int_equal(f->status.refused.at, 0);
	see(f, 2, 0);
	see(f, 2, 0);
	see(f, 3, 1);
	assert_int_equal(f->status.refused_freezes, 3);
	assert_int_equal(f->status.refused_remounts, 1);
	assert_string_equal(f->status.refused.what, "remount");
	assert_non_null(strstr(f->status.refused.text, "ext4 on /dev/vdb"));
	assert_non_null(strstr(f->status.refused.advice, "cachefilesctl"));
	assert_int_equal(f->status.kernel.frzref, 3);
	assert_int_equal(f->yields, 0);
	claim_stop(f->claim);
	see(f, 9, 9);
	assert_int_equal(f->status.refused_freezes, 3);
}

static void yields(void **state)
{
	struct fixture *f = *state;

	f->config.freeze = f->config.remount = POLICY_YIELD;
	claim_start(f->claim, &f->binding, false, false);
	see(f, 1, 1);
	assert_int_equal(f->yields, 1);
	assert_int_equal(f->yielded, YIELD_FREEZE);
	assert_int_equal(f->status.refused_freezes, 0);
	assert_false(claim_holds(f->claim));

	claim_start(f->claim, &f->binding, false, false);
	see(f, 0, 1);
	assert_int_equal(f->yields, 2);
	assert_int_equal(f->yielded, YIELD_REMOUNT);
	assert_true(claim_holds(f->claim));
	assert_int_equal(f->status.refused_remounts, 1);
}

/* Refused before anybody could look: acted upon when the cache is bound, unless it is old. */
static void what_was_before(void **state)
{
	struct fixture *f = *state;
	const struct device_state unbound = {.has_claim = true, .frzref = 8};

	f->config.freeze = POLICY_YIELD;
	f->binding.limits.frzref = 5;
	claim_start(f->claim, &f->binding, true, true); /* adopted */
	assert_int_equal(f->yields, 0);
	see(f, 6, 0);
	assert_int_equal(f->yields, 1);
	claim_unbound(f->claim, &unbound);
	f->binding.limits.frzref = 8;
	claim_start(f->claim, &f->binding, false, true); /* bound again */
	assert_int_equal(f->yields, 1);
	claim_stop(f->claim);
	f->binding.limits.frzref = 9;
	claim_start(f->claim, &f->binding, false, true); /* refused right after bind */
	assert_int_equal(f->yields, 2);
	f->binding.limits.frzref = 1;
	claim_start(f->claim, &f->binding, false, false); /* the same on a new device */
	assert_int_equal(f->yields, 3);
}

static void another_life(void **state)
{
	struct fixture *f = *state;

	f->config.freeze = POLICY_YIELD;
	f->binding.limits.frzref = 5;
	claim_start(f->claim, &f->binding, false, true); /* a kept device that was unbound */
	assert_int_equal(f->yields, 0);
}

static void dead(void **state)
{
	struct fixture *f = *state;
	const struct device_state state_line = {.has_claim = true, .dead = true, .frzref = 1};

	f->config.freeze = POLICY_YIELD;
	claim_start(f->claim, &f->binding, false, false);
	claim_seen(f->claim, &state_line);
	assert_int_equal(f->deaths, 1);
	assert_int_equal(f->yields, 0);
}

static void read_only(void **state)
{
	struct fixture *f = *state;

	claim_start(f->claim, &f->binding, false, false);
	claim_read_only(f->claim, true); /* ours stays writable, and "refuse" is what is wanted */
	assert_int_equal(f->yields, 0);
	f->config.remount = POLICY_YIELD;
	claim_read_only(f->claim, false);
	assert_int_equal(f->yields, 0);
	claim_read_only(f->claim, true);
	assert_int_equal(f->yields, 1);
	assert_false(claim_holds(f->claim));

	f->config.remount = POLICY_REFUSE;
	f->binding.limits.has_claim = false;
	claim_start(f->claim, &f->binding, false, false);
	claim_read_only(f->claim, true); /* nobody could refuse it */
	assert_int_equal(f->yields, 2);
	assert_int_equal(f->yielded, YIELD_REMOUNT);
}

static void holds(void **state)
{
	struct fixture *f = *state;

	claim_hold(f->claim, 0);
	assert_true(claim_holds(f->claim));
	claim_resume(f->claim);
	assert_false(claim_holds(f->claim));
	claim_hold(f->claim, 20);
	assert_true(claim_holds(f->claim));
	event_base_dispatch(f->base);
	assert_int_equal(f->resumes, 1);
	assert_false(claim_holds(f->claim));
}

static void delays(void **state)
{
	struct fixture *f = *state;
	uint64_t before = 0, ms;

	f->status.yielding = YIELD_FREEZE;
	claim_yielded(f->claim);
	assert_non_null(strstr(f->status.waiting, "thaw"));
	for (unsigned int i = 0; i < 10; i++, before = ms) {
		ms = claim_delay(f->claim);
		assert_true(ms >= before && ms <= 5000);
	}
	assert_int_equal(before, 5000);
	claim_yielded(f->claim);
	assert_int_equal(claim_delay(f->claim), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(yields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(read_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(holds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(delays, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
