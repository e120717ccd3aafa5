/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When culling happens: the device is a socket that is always writable (the kernel wants space) and
 * readable when something was let go of; the cycles end as the test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "culler.h"

static struct {
	atomic_uint cycles;
	atomic_bool hold;	 /* cycles do not end */
	struct cull_order order; /* of the last cycle */
	bool ordered, scan_only;
	enum cull_end end;
	uint64_t took; /* ms */
	struct device_state state;
} fake;

/* The linker alone knows that they are used, and link time optimisation does not ask it. */
__attribute__((used)) int __wrap_device_read_state(int fd, struct device_state *ret);
__attribute__((used)) void __wrap_cull_run(struct cull_cycle *c);

int __wrap_device_read_state(int fd, struct device_state *ret)
{
	char released[64];

	while (recv(fd, released, sizeof(released), MSG_DONTWAIT) > 0)
		;
	*ret = fake.state;
	return 0;
}

void __wrap_cull_run(struct cull_cycle *c)
{
	fake.ordered = c->order != NULL;
	fake.scan_only = c->purpose == CULL_TO_LOOK;
	if (c->order)
		fake.order = *c->order;
	atomic_fetch_add(&c->progress.culled_files, 7);
	atomic_fetch_add(&fake.cycles, 1);
	while (atomic_load(&fake.hold) && !atomic_load(c->stop))
		usleep(1000);
	c->result = (struct cull_result){
		.end = atomic_load(c->stop) ? CULL_STOPPED : fake.end,
		.culled = 7,
		.scans = 1,
		.total_ms = fake.took,
	};
	if (volumes_add(&c->volumes, "Ivolume"))
		c->volumes.taken = atomic_load(&fake.cycles);
}

struct fixture {
	struct event_base *base;
	struct worker *worker;
	struct culler *culler;
	struct status status;
	struct config config;
	struct binding binding;
	int peer;
	atomic_bool go;
};

static void ignore(void *data)
{
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct culler_owner owner = {
		.changed = ignore, .dead = ignore, .idle = ignore, .data = f};
	int ends[2];

	memset(&fake, 0, sizeof(fake));
	f->base = event_base_new();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	f->binding = BINDING_CLOSED;
	f->binding.device = ends[0];
	f->peer = ends[1];
	f->config.resume_files = 5;
	f->config.resume_blocks = RESUME_IGNORED;
	f->config.rules = rules_new();
	*state = f;
	if (worker_new(&f->worker, f->base, "test") < 0)
		return -1;
	return culler_new(&f->culler, f->base, f->worker, &f->status, &owner);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	culler_stop(f->culler);
	worker_free(f->worker);
	culler_free(f->culler);
	event_base_free(f->base);
	close(f->binding.device);
	close(f->peer);
	rules_drop(f->config.rules);
	free(f);
	return 0;
}

/* Runs the loop until so many cycles were begun and none is in hand; false: that took too long. */
static bool run_until(struct fixture *f, unsigned int cycles)
{
	uint64_t end = now_ms() + 60000;

	while (now_ms() < end) {
		const struct timeval soon = {0, 20000};

		if (atomic_load(&fake.cycles) >= cycles && !f->status.culling)
			return true;
		event_base_loopexit(f->base, &soon);
		event_base_dispatch(f->base);
	}
	return false;
}

static void probe(void *data)
{
	struct fixture *f = data;

	while (!atomic_load(&f->go))
		usleep(1000);
}

static void probed(void *data)
{
	struct fixture *f = data;

	culler_look(f->culler);
}

/* The kernel wants space already when the cache is bound, and a cycle finds none. */
static void test_stalled_from_the_start(void **state)
{
	struct fixture *f = *state;

	fake.state = (struct device_state){.cull = true, .counts_released = true};
	fake.end = CULL_EXHAUSTED;
	assert_int_equal(culler_start(f->culler, &f->binding, &f->config), 0);
	assert_true(run_until(f, 1));
	assert_string_not_equal(f->status.stalled, "");
	/* No further one but by the timer. */
	assert_true(atomic_load(&fake.cycles) < 10);
}

/* The next try is two seconds away, unless the cycle took long. */
static void test_stall_on_a_large_tree(void **state)
{
	struct fixture *f = *state;
	const struct timeval then = {.tv_sec = 3};

	fake.state = (struct device_state){.cull = true, .counts_released = true};
	fake.end = CULL_EXHAUSTED;
	fake.took = 1000;
	assert_int_equal(culler_start(f->culler, &f->binding, &f->config), 0);
	assert_true(run_until(f, 1));
	event_base_loopexit(f->base, &then);
	event_base_dispatch(f->base);
	assert_int_equal(atomic_load(&fake.cycles), 1);
}

/* A probe is in hand when the stall ends: culling goes on after it. */
static void test_stall_ends_during_probe(void **state)
{
	struct fixture *f = *state;

	fake.state = (struct device_state){.cull = true, .counts_released = true};
	fake.end = CULL_EXHAUSTED;
	assert_int_equal(culler_start(f->culler, &f->binding, &f->config), 0);
	assert_true(run_until(f, 1));
	assert_string_not_equal(f->status.stalled, "");

	assert_int_equal(worker_run(f->worker, probe, probed, f), 0);
	fake.state.freleased = 100;
	assert_int_equal(send(f->peer, "x", 1, 0), 1);
	assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	fake.state.freleased = 0;
	atomic_store(&f->go, true);
	assert_true(run_until(f, 2));
}

/* What is let go of ends a stall. */
static void test_stall_ends_by_release(void **state)
{
	struct fixture *f = *state;

	fake.state = (struct device_state){.cull = true, .counts_released = true};
	fake.end = CULL_EXHAUSTED;
	assert_int_equal(culler_start(f->culler, &f->binding, &f->config), 0);
	assert_true(run_until(f, 1));
	fake.end = CULL_ENOUGH;
	fake.state = (struct device_state){.counts_released = true};
	assert_int_equal(send(f->peer, "x", 1, 0), 1);
	while (f->status.stalled[0])
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
}

/* ---- orders and scans ---- */

struct answers {
	unsigned int count, refused;
	enum cull_end end;
};

static void note_answer(void *data, const struct cull_result *r)
{
	struct answers *a = data;

	a->count++;
	if (r)
		a->end = r->end;
	else
		a->refused++;
}

static void turn(struct fixture *f, const struct answers *a, unsigned int count)
{
	while (a->count < count)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
}

/* Runs the loop until the cycle of that number is in hand. */
static void await_cycle(struct fixture *f, unsigned int cycle)
{
	while (atomic_load(&fake.cycles) < cycle) {
		event_base_loop(f->base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
}

static void test_order(void **state)
{
	struct fixture *f = *state;
	struct cull_order order = {.bytes = 5000, .volumes = "nfs*"};
	struct answers answers = {0}, other = {0};
	struct culler_view view;

	assert_int_equal(culler_order(f->culler, &order, note_answer, &answers), -ENOTCONN);
	f->config.nocull = true; /* that is of the kernel's wishes */
	assert_int_equal(culler_start(f->culler, &f->binding, &f->config), 0);
	assert_int_equal(culler_order(f->culler, &(struct cull_order){0}, note_answer, &answers),
			 -EINVAL);
	atomic_store(&fake.hold, true);
	assert_int_equal(culler_order(f->culler, &order, note_answer, &answers), 0);
	assert_int_equal(answers.count, 0);
	culler_look_at(f->culler, &view);
	assert_true(view.order_waits);
	await_cycle(f, 1);
	culler_look_at(f->culler, &view);
	assert_int_equal(view.task, CULLER_OBEYS);
	assert_int_equal(view.cycle, 1);
	assert_int_equal(view.culled_files, 7);
	assert_false(view.order_waits);
	assert_int_equal(culler_order(f->culler, &order, note_answer, &other), -EBUSY);
	atomic_store(&fake.hold, false);
	turn(f, &answers, 1);
	assert_true(fake.ordered);
	assert_int_equal(fake.order.bytes, 5000);
	assert_string_equal(fake.order.volumes, "nfs*");
	assert_int_equal(answers.end, CULL_ENOUGH);
	culler_look_at(f->culler, &view);
	assert_int_equal(view.task, CULLER_IDLE);
	assert_int_equal(other.count, 0);
}

/* An order that comes while the kernel's cycle is in hand is carried out after it. */
static void test_order_waits(void **state)
{
	struct fixture *f = *state;
	struct answers answers = {0};
	struct culler_view view;

	fake.state = (struct device_state){.cull = true};
	atomic_store(&fake.hold, true);
	assert_int_equal(culler_start(f->culler, &f->binding, &f->config), 0);
	await_cycle(f, 1);
	assert_int_equal(
		culler_order(f->culler, &(struct cull_order){.all = true}, note_answer, &answers),
		0);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	culler_look_at(f->culler, &view);
	assert_int_equal(view.task, CULLER_CULLS);
	assert_true(view.order_waits);
	fake.state.cull = false;
	atomic_store(&fake.hold, false);
	turn(f, &answers, 1);
	assert_true(fake.ordered);
	assert_int_equal(atomic_load(&fake.cycles), 2);
}

static void test_order_is_cancelled(void **state)
{
	struct fixture *f = *state;
	const struct cull_order order = {.all = true};
	struct answers answers = {0};

	f->config.nocull = true;
	assert_int_equal(culler_start(f->culler, &f->binding, &f->config), 0);
	assert_int_equal(culler_order(f->culler, &order, note_answer, &answers), 0);
	culler_cancel_order(f->culler); /* before it began */
	assert_int_equal(answers.count, 1);
	assert_int_equal(answers.end, CULL_STOPPED);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(atomic_load(&fake.cycles), 0);

	atomic_store(&fake.hold, true);
	assert_int_equal(culler_order(f->culler, &order, note_answer, &answers), 0);
	await_cycle(f, 1);
	culler_cancel_order(f->culler);
	turn(f, &answers, 2);
	assert_int_equal(answers.end, CULL_STOPPED);
}

static void test_scan(void **state)
{
	struct fixture *f = *state;
	struct answers answers = {0};

	f->config.nocull = true;
	assert_int_equal(culler_start(f->culler, &f->binding, &f->config), 0);
	assert_int_equal(culler_volumes(f->culler)->taken, 0);
	assert_int_equal(culler_scan(f->culler, note_answer, &answers), 0);
	assert_int_equal(culler_scan(f->culler, note_answer, &answers), 0);
	turn(f, &answers, 2);
	assert_true(fake.scan_only);
	assert_int_equal(atomic_load(&fake.cycles), 1); /* they share it */
	assert_int_equal(culler_volumes(f->culler)->taken, 1);
	assert_int_equal(culler_volumes(f->culler)->count, 1);
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(culler_scan(f->culler, note_answer, &answers), 0);
	assert_int_equal(culler_scan(f->culler, note_answer, &answers), -EBUSY);
	turn(f, &answers, 18);
	assert_int_equal(answers.refused, 0);
}

/* The cache is let go of: who waits hears of it. */
static void test_stop_answers(void **state)
{
	struct fixture *f = *state;
	const struct cull_order order = {.all = true};
	struct answers order_answers = {0}, scan_answers = {0};

	f->config.nocull = true;
	assert_int_equal(culler_start(f->culler, &f->binding, &f->config), 0);
	atomic_store(&fake.hold, true);
	assert_int_equal(culler_scan(f->culler, note_answer, &scan_answers), 0);
	await_cycle(f, 1);
	assert_int_equal(culler_order(f->culler, &order, note_answer, &order_answers), 0);
	assert_int_equal(culler_scan(f->culler, note_answer, &scan_answers), 0);
	culler_stop(f->culler);
	culler_sample(f->culler); /* that the worker had begun */
	worker_stop(f->worker);
	turn(f, &order_answers, 1);
	assert_int_equal(order_answers.refused, 1);
	assert_int_equal(scan_answers.count, 2);
	assert_int_equal(scan_answers.end, CULL_STOPPED);
	assert_int_equal(scan_answers.refused, 1);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(test_stalled_from_the_start),
		test(test_stall_on_a_large_tree),
		test(test_stall_ends_during_probe),
		test(test_stall_ends_by_release),
		test(test_order),
		test(test_order_waits),
		test(test_order_is_cancelled),
		test(test_scan),
		test(test_stop_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
