/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers: where the job and its end run, whose working directory moves, what the watchdog sees.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "worker.h"

struct job {
	struct event_base *base;
	struct worker *worker;
	pthread_t worked_in, done_in;
	char cwd[64];
	unsigned int done;
	atomic_bool go;
};

static int set_up(void **state)
{
	struct job *j = calloc(1, sizeof(*j));

	j->base = event_base_new();
	*state = j;
	return worker_new(&j->worker, j->base, "test");
}

static int tear_down(void **state)
{
	struct job *j = *state;

	worker_free(j->worker);
	event_base_free(j->base);
	free(j);
	return 0;
}

static void move_about(void *data)
{
	struct job *j = data;

	j->worked_in = pthread_self();
	if (chdir("/proc") < 0 || !getcwd(j->cwd, sizeof(j->cwd)))
		j->cwd[0] = '\0';
}

static void note_done(void *data)
{
	struct job *j = data;

	j->done_in = pthread_self();
	j->done++;
	event_base_loopbreak(j->base);
}

static void test_job(void **state)
{
	struct job *j = *state;
	char before[256], after[256];

	assert_non_null(getcwd(before, sizeof(before)));
	for (unsigned int i = 1; i <= 100; i++) {
		assert_false(worker_busy(j->worker));
		assert_int_equal(worker_run(j->worker, move_about, note_done, j), 0);
		assert_true(worker_busy(j->worker));
		assert_int_equal(worker_run(j->worker, move_about, note_done, j), -EBUSY);
		event_base_dispatch(j->base);
		assert_int_equal(j->done, i);
	}
	assert_true(pthread_equal(j->done_in, pthread_self()));
	assert_false(pthread_equal(j->worked_in, pthread_self()));
	assert_string_equal(j->cwd, "/proc");
	assert_non_null(getcwd(after, sizeof(after)));
	assert_string_equal(before, after);
}

static void until_stopped(void *data)
{
	struct job *j = data;

	while (!atomic_load(worker_stop_flag(j->worker)))
		usleep(1000);
}

static void test_stop(void **state)
{
	struct job *j = *state;

	assert_int_equal(worker_run(j->worker, until_stopped, note_done, j), 0);
	worker_stop(j->worker);
	event_base_dispatch(j->base);
	assert_int_equal(j->done, 1);
	/* The next job begins anew; freeing the worker stops it without a word. */
	assert_int_equal(worker_run(j->worker, until_stopped, note_done, j), 0);
	assert_false(atomic_load(worker_stop_flag(j->worker)));
}

static void beat_until_told(void *data)
{
	struct job *j = data;

	while (!atomic_load(&j->go)) {
		worker_beat(j->worker);
		usleep(1000);
	}
}

static void spin_until_told(void *data)
{
	struct job *j = data;

	while (!atomic_load(&j->go))
		;
}

/* What the watchdog makes of a worker that is silent for longer than limit_ms. */
static enum worker_health health_of(struct job *j, worker_fn work)
{
	enum worker_health health;

	atomic_store(&j->go, false);
	assert_int_equal(worker_run(j->worker, work, note_done, j), 0);
	worker_health(j->worker, 500);
	usleep(1500000);
	health = worker_health(j->worker, 500);
	atomic_store(&j->go, true);
	event_base_dispatch(j->base);
	return health;
}

static void test_health(void **state)
{
	struct job *j = *state;

	assert_int_equal(worker_health(j->worker, 1), WORKER_IDLE);
	assert_int_equal(health_of(j, beat_until_told), WORKER_MOVING);
	assert_int_equal(health_of(j, spin_until_told), WORKER_HUNG);
	assert_int_equal(worker_health(j->worker, 1), WORKER_IDLE);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(test_job),
		test(test_stop),
		test(test_health),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
