/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities, as the kernel shows them in /proc: each test drops them in a child of its own.
 * Needs root with the capabilities that the daemon needs.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "privilege.h"

#define BIT(capability) (1ULL << (capability))
#define OURS		(BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER))

/* A number of the calling thread's status, hexadecimal as capabilities are. */
static unsigned long long status_of_thread(const char *key)
{
	unsigned long long value = ~0ULL;
	char line[256];
	FILE *f = fopen("/proc/thread-self/status", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtoull(line + strlen(key) + 1, NULL, 16);
	}
	if (f)
		fclose(f);
	return value;
}

static void need_root(void)
{
	unsigned long long permitted = status_of_thread("CapPrm");

	if ((permitted & OURS) != OURS) {
		print_message("needs root with CAP_SYS_ADMIN, CAP_DAC_OVERRIDE and CAP_FOWNER\n");
		skip();
	}
}

/* In a child a failed check is a message and an exit code. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void in_child(void (*test)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void check_drop(void)
{
	const char *missing = NULL;

	CHECK(privilege_drop(&missing) == 0);
	CHECK(!missing);
	CHECK(status_of_thread("CapEff") == 0);
	CHECK(status_of_thread("CapInh") == 0);
	CHECK(status_of_thread("CapAmb") == 0);
	CHECK(status_of_thread("CapPrm") == OURS);
	CHECK((status_of_thread("CapBnd") & ~OURS) == 0);
	CHECK(status_of_thread("NoNewPrivs") == 1);
}

static void drop(void **state)
{
	need_root();
	in_child(check_drop);
}

static void check_raise(void)
{
	const char *missing = NULL;

	CHECK(privilege_drop(&missing) == 0);
	CHECK(privilege_raise(PRIVILEGE_OPEN) == 0);
	CHECK(status_of_thread("CapEff") == BIT(CAP_SYS_ADMIN));
	privilege_lower();
	CHECK(status_of_thread("CapEff") == 0);
	CHECK(privilege_raise(PRIVILEGE_BIND) == 0);
	CHECK(status_of_thread("CapEff") == (BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_OVERRIDE)));
	privilege_lower();
	CHECK(privilege_raise(PRIVILEGE_FOREIGN) == 0);
	CHECK(status_of_thread("CapEff") == (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER)));
	privilege_lower();
	CHECK(status_of_thread("CapEff") == 0);
	CHECK(status_of_thread("CapPrm") == OURS);
}

static void raise_and_lower(void **state)
{
	need_root();
	in_child(check_raise);
}

static pthread_barrier_t raised, seen;

static void *look_meanwhile(void *data)
{
	unsigned long long *effective = data;

	pthread_barrier_wait(&raised);
	*effective = status_of_thread("CapEff");
	pthread_barrier_wait(&seen);
	return NULL;
}

static void check_threads(void)
{
	unsigned long long effective = ~0ULL;
	const char *missing = NULL;
	pthread_t other;

	CHECK(privilege_drop(&missing) == 0);
	pthread_barrier_init(&raised, NULL, 2);
	pthread_barrier_init(&seen, NULL, 2);
	CHECK(pthread_create(&other, NULL, look_meanwhile, &effective) == 0);
	CHECK(privilege_raise(PRIVILEGE_BIND) == 0);
	pthread_barrier_wait(&raised);
	pthread_barrier_wait(&seen);
	privilege_lower();
	pthread_join(other, NULL);
	CHECK(effective == 0);
}

static void only_the_calling_thread(void **state)
{
	need_root();
	in_child(check_threads);
}

/* Takes capabilities out of the permitted set, as a container does. */
static void give_up(uint32_t bits)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	CHECK(capget(&header, data) == 0);
	data[0].permitted &= ~bits;
	data[0].effective &= ~bits;
	CHECK(capset(&header, data) == 0);
}

static void check_missing(void)
{
	const char *missing = NULL;
	unsigned long long before;

	give_up((uint32_t)BIT(CAP_DAC_OVERRIDE));
	before = status_of_thread("CapPrm");
	CHECK(privilege_drop(&missing) == -EPERM);
	CHECK(missing && streq(missing, "CAP_DAC_OVERRIDE"));
	CHECK(status_of_thread("CapPrm") == before);
	give_up((uint32_t)BIT(CAP_SYS_ADMIN));
	CHECK(privilege_drop(&missing) == -EPERM);
	CHECK(streq(missing, "CAP_SYS_ADMIN"));
}

static void missing_is_named(void **state)
{
	need_root();
	in_child(check_missing);
}

/* A unit's CapabilityBoundingSet= leaves neither CAP_SETPCAP nor CAP_FOWNER. */
static void check_limited(void)
{
	const char *missing = NULL;

	give_up((uint32_t)(BIT(CAP_SETPCAP) | BIT(CAP_FOWNER)));
	CHECK(privilege_drop(&missing) == 0);
	CHECK(status_of_thread("CapPrm") == (BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_OVERRIDE)));
	CHECK(status_of_thread("CapEff") == 0);
	CHECK(privilege_raise(PRIVILEGE_FOREIGN) == -EPERM);
	CHECK(status_of_thread("CapEff") == 0);
	CHECK(privilege_raise(PRIVILEGE_BIND) == 0);
}

static void limited_at_start(void **state)
{
	need_root();
	in_child(check_limited);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drop),
		cmocka_unit_test(raise_and_lower),
		cmocka_unit_test(only_the_calling_thread),
		cmocka_unit_test(missing_is_named),
		cmocka_unit_test(limited_at_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
