/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machine of the cache, with attempts to bind that end as the test says.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "binding.h"
#include "cache.h"
#include "keep.h"

static struct {
	atomic_uint attempts, awaited;
	unsigned int drops;
} fake;

/* The linker alone knows that they are used, and link time optimisation does not ask it. */
__attribute__((used)) void __wrap_keep_take(int *ret_device, char **ret_record);
__attribute__((used)) void __wrap_keep_drop(void);
__attribute__((used)) void __wrap_binding_try(struct binding_attempt *a);
__attribute__((used)) void __wrap_binding_await_release(void);

void __wrap_keep_take(int *ret_device, char **ret_record)
{
	*ret_device = open("/dev/null", O_RDWR | O_CLOEXEC);
	*ret_record = NULL;
}

void __wrap_keep_drop(void)
{
	fake.drops++;
}

void __wrap_binding_await_release(void)
{
	atomic_fetch_add(&fake.awaited, 1);
}

/* What is kept is of no use; then the device is free, but something else is wrong. */
void __wrap_binding_try(struct binding_attempt *a)
{
	atomic_fetch_add(&fake.attempts, 1);
	a->not_adopted[0] = '\0';
	if (a->kept >= 0) {
		close(steal_fd(&a->kept));
		snprintf(a->not_adopted, sizeof(a->not_adopted), "other limits");
		a->report = (struct backing_report){.error = EBUSY, .can_wait = true};
	} else {
		a->report = (struct backing_report){.error = EACCES, .text = "no entry"};
	}
}

struct owner {
	struct event_base *base;
	int exit_code;
};

static void nothing(void *data)
{
}

static void finished(void *data, int exit_code)
{
	struct owner *o = data;

	o->exit_code = exit_code;
	event_base_loopbreak(o->base);
}

/* Another configuration's cache is let go of and bound anew at once, with --no-wait too. */
static void test_no_wait_with_kept_device(void **state)
{
	struct owner o = {event_base_new(), -1};
	const struct cache_owner owner = {nothing, finished, &o};
	char dir[] = "/nowhere", tag[] = "test";
	struct config config = {.dir = dir, .tag = tag};
	struct cache *c;

	assert_int_equal(cache_new(&c, o.base, &config, true, &owner), 0);
	cache_start(c);
	event_base_dispatch(o.base);
	assert_int_equal(o.exit_code, 1);
	assert_int_equal(atomic_load(&fake.attempts), 2);
	assert_int_equal(atomic_load(&fake.awaited), 1);
	assert_int_equal(fake.drops, 1);
	cache_free(c);
	event_base_free(o.base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_wait_with_kept_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
