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
	enum cull_end end;
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
	c->result = (struct cull_result){.end = fake.end};
	atomic_fetch_add(&fake.cycles, 1);
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

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(test_stalled_from_the_start),
		test(test_stall_ends_during_probe),
		test(test_stall_ends_by_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
