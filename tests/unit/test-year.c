/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A year of a cache, simulated: bursts of writes and reads, objects that stay open, others who use
 * the same filesystem, rules and quotas; culler, gauge, scan, selection and culling are the
 * daemon's own. Whatever the seed, the space never stays below the stop limit for longer than one
 * cycle while there is something to cull, no cycle follows another for ever, none culls more than
 * is wanted, and the memory stays within its ceiling.
 *
 *	test-year [YEARS [SEED [DAYS]]]
 */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "culler-inside.h"
#include "log.h"
#include "sim-kernel.h"
#include "sim.h"

static unsigned int years = 4, days = 365;
static uint64_t seed = 1;

static struct {
	struct culler *culler;
	struct status status;
	struct config config;
	struct binding binding;
} d;

static struct {
	/* Before the job in hand: */
	enum culler_task task;
	uint64_t avail, files;
	bool below_stop, cullable[SIM_OBJECTS];
	bool disturbed; /* meanwhile */
	/* In this hour: */
	uint64_t cycles_before, actions;
} seen;

static struct {
	uint64_t cycles, culled, refused, stalls;
} total;

/* ---- what must hold ---- */

static bool is_pinned(const struct sim_object *o)
{
	const struct rules *rules = d.config.rules;

	return rules_get(rules, rules->count > 0 ? (int)o->volume : -1).pin;
}

static bool is_cullable(const struct sim_object *o)
{
	return o->there && o->until == 0 && !is_pinned(o);
}

/* Somebody reads and writes now and then while objects go. */
static void culls(const struct sim_object *o)
{
	assert_false(is_pinned(o));
	if (sim_draw(30) == 0) {
		seen.disturbed = true;
		sim_read_or_write();
	}
}

static void before_job(void)
{
	struct culler_view view;

	culler_look_at(d.culler, &view);
	seen.task = view.task;
	seen.disturbed = false;
	seen.below_stop = sim_below_stop();
	seen.avail = sim_avail();
	seen.files = sim_free_files();
	for (size_t i = 0; i < SIM_OBJECTS; i++)
		seen.cullable[i] = is_cullable(&sim_kernel.objects[i]);
	sim.job_ms = 1 + sim_draw(300);
}

static void check_memory(void)
{
	const struct selection *s = &d.culler->selection;
	size_t bytes =
		s->victims.room * sizeof(struct victim) + s->victims.arena_room + s->volume_bytes;

	assert_in_range(bytes, 0, d.config.memory);
}

static void check_cycle(void)
{
	const struct device_state *s = &sim_kernel.state;
	const struct cull_result *r = &d.status.last;

	if (seen.below_stop && sim_below_stop())
		for (size_t i = 0; i < SIM_OBJECTS; i++)
			if (seen.cullable[i] && is_cullable(&sim_kernel.objects[i]))
				fail_msg("below the stop limit after a cycle that ended with %d, "
					 "and object %zu could go",
					 (int)r->end, i);
	if (!seen.disturbed && !rules_demand(d.config.rules) &&
	    sim_avail() > MAX(seen.avail, s->brun + SIM_LARGEST) &&
	    sim_free_files() > MAX(seen.files, s->frun + 1))
		fail_msg("%llu objects went, fewer would do", (unsigned long long)r->culled);
}

static void after_job(void)
{
	check_memory();
	if (seen.task == CULLER_CULLS)
		check_cycle();
}

/* A stall is tried again once a minute. */
static void check_hour(void)
{
	struct culler_view view;

	culler_look_at(d.culler, &view);
	if (view.cycle - seen.cycles_before > 70 + 10 * seen.actions)
		fail_msg("%llu cycles in an hour, with %llu things done",
			 (unsigned long long)(view.cycle - seen.cycles_before),
			 (unsigned long long)seen.actions);
	total.cycles += view.cycle - seen.cycles_before;
	total.stalls += d.status.stalled[0] != '\0';
	seen.cycles_before = view.cycle;
	seen.actions = 0;
}

/* ---- a year ---- */

static void run_until(uint64_t end)
{
	for (;;) {
		sim_let_go();
		if (sim.ms > end + HOUR)
			fail_msg("does not come to rest");
		if (sim_step())
			continue;
		if (sim.ms >= end)
			return;
		sim.ms = MIN(sim_next(), end);
	}
}

/* The watchdog's; what is at rest needs none of those in between. */
static void tick(uint64_t after)
{
	run_until(sim.ms + after);
	culler_sample(d.culler);
	culler_look(d.culler);
	run_until(sim.ms);
}

static void act(void)
{
	seen.actions++;
	sim_let_go();
	switch (sim_draw(20)) {
	case 0:
		sim_use_by_others();
		break;
	case 1:
		sim_delete();
		break;
	default:
		sim_read_or_write();
	}
}

static void burst(void)
{
	uint64_t ticked = sim.ms;
	unsigned int pause = sim_draw(3) ? 300 : 20 * SECOND;

	if (sim_kernel.others > sim_kernel.blocks - sim_kernel.state.brun)
		sim_use_by_others();
	for (unsigned int n = 5 + sim_draw(40); n > 0; n--) {
		act();
		run_until(sim.ms + sim_draw(pause));
		if (sim.ms - ticked >= 30 * SECOND) {
			tick(0);
			ticked = sim.ms;
		}
	}
	for (unsigned int n = 0; n < 4; n++)
		tick(30 * SECOND);
}

static struct rules *make_rules(void)
{
	struct rules *rules = rules_new();
	unsigned int line;

	assert_non_null(rules);
	if (sim_draw(2))
		return rules;
	for (unsigned int i = 0; i < SIM_VOLUMES; i++) {
		char pattern[8];
		struct rule rule = {.pattern = pattern, .priority = sim_draw(10)};

		snprintf(pattern, sizeof(pattern), "v%u", i);
		rule.pin = i == 0 && sim_draw(4) == 0;
		rule.max_size = sim_draw(4) ? 0 : (20 + sim_draw(100)) * SIM_BLOCK;
		rule.max_age = sim_draw(4) ? 0 : 3600 + sim_draw(30 * 86400);
		assert_int_equal(rules_add(rules, &rule, &line), 0);
	}
	rules->max_size = sim_draw(3) ? 0 : (50 + sim_draw(300)) * SIM_BLOCK;
	rules->max_files = sim_draw(3) ? 0 : 20 + sim_draw(SIM_OBJECTS);
	rules->min_free =
		sim_draw(3) ? 0 : sim_draw((unsigned int)sim_kernel.blocks / 2) * SIM_BLOCK;
	rules->max_age = sim_draw(3) ? 0 : 3600 + sim_draw(90 * 86400);
	return rules;
}

static void make_kernel(void)
{
	struct sim_kernel *k = &sim_kernel;
	unsigned int stop = 1 + sim_draw(20), cull = stop + 1 + sim_draw(15);
	unsigned int run = cull + 1 + sim_draw(30);

	*k = (struct sim_kernel){.blocks = 100 + sim_draw(400), .files = 60 + sim_draw(200)};
	k->culls = culls;
	k->state = (struct device_state){
		.counts_released = true,
		.bstop = k->blocks * stop / 100,
		.bcull = k->blocks * cull / 100,
		.brun = k->blocks * run / 100,
		.fstop = k->files * stop / 100,
		.fcull = k->files * cull / 100,
		.frun = k->files * run / 100,
	};
	snprintf(k->root, sizeof(k->root), "%s/year.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/dev/shm");
	assert_non_null(mkdtemp(k->root));
}

static void make_directory(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", sim_kernel.root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void ignore(void *data)
{
}

static void begin(void)
{
	const struct culler_owner owner = {.changed = ignore, .dead = ignore, .idle = ignore};

	sim_reset();
	sim.ms = 1000 * SECOND;
	sim.wall = 1800000000;
	sim.readable = sim_readable;
	sim.writable = sim_writable;
	sim.before_job = before_job;
	sim.after_job = after_job;
	make_kernel();
	make_directory("cache");
	make_directory("graveyard");
	memset(&d, 0, sizeof(d));
	memset(&seen, 0, sizeof(seen));
	d.config.resume_files = 5;
	d.config.resume_blocks = RESUME_IGNORED;
	d.config.memory = 2048 + sim_draw(8192);
	d.config.rules = make_rules();
	d.binding = BINDING_CLOSED;
	d.binding.limits = sim_kernel.state;
	assert_int_equal(store_open(&d.binding.store, sim_kernel.root), 0);
	assert_int_equal(culler_new(&d.culler, NULL, sim_worker(), &d.status, &owner), 0);
	assert_int_equal(culler_start(d.culler, &d.binding, &d.config), 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void end(void)
{
	total.culled += sim_kernel.culled;
	total.refused += sim_kernel.refused;
	culler_stop(d.culler);
	d.culler = culler_free(d.culler);
	store_close(&d.binding.store);
	d.config.rules = rules_drop(d.config.rules);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(nftw(sim_kernel.root, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void test_years(void **state)
{
	for (unsigned int year = 0; year < years; year++) {
		sim_random = seed + year;
		begin();
		for (uint64_t over = sim.ms + days * DAY; sim.ms < over;) {
			for (unsigned int hours = 1 + sim_draw(40); hours > 0; hours--) {
				tick(HOUR);
				check_hour();
			}
			burst();
		}
		end();
	}
	print_message("%u years of %u days from seed %llu: %llu cycles, %llu objects culled, "
		      "%llu writes refused, %llu hours stalled\n",
		      years, days, (unsigned long long)seed, (unsigned long long)total.cycles,
		      (unsigned long long)total.culled, (unsigned long long)total.refused,
		      (unsigned long long)total.stalls);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_years)};

	if (argc > 1)
		years = (unsigned int)strtoul(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	if (argc > 3)
		days = (unsigned int)strtoul(argv[3], NULL, 0);
	log_open(LOG_TARGET_STDERR, LOG_EMERG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
