/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim-kernel.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cmocka.h>

#include "sim.h"

/* The linker alone knows that they are used, and link time optimisation does not ask it. */
#define wrapper __attribute__((used))

struct sim_kernel sim_kernel;
uint64_t sim_random;

unsigned int sim_draw(unsigned int n)
{
	uint64_t z = sim_random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned int)((z ^ z >> 31) % n);
}

/* ---- the filesystem ---- */

wrapper int __wrap_fstatvfs64(int fd, struct statvfs *ret);
wrapper int __wrap_syncfs(int fd);

uint64_t sim_avail(void)
{
	return sim_kernel.blocks - sim_kernel.others - sim_kernel.held;
}

uint64_t sim_free_files(void)
{
	return sim_kernel.files - sim_kernel.count;
}

int __wrap_fstatvfs64(int fd, struct statvfs *ret)
{
	*ret = (struct statvfs){
		.f_bsize = SIM_BLOCK,
		.f_frsize = SIM_BLOCK,
		.f_blocks = sim_kernel.blocks,
		.f_bfree = sim_avail(),
		.f_bavail = sim_avail(),
		.f_files = sim_kernel.files,
		.f_ffree = sim_free_files(),
	};
	return 0;
}

int __wrap_syncfs(int fd)
{
	return 0;
}

/* ---- the device ---- */

wrapper int __wrap_device_in_use(int fd, const char *name);
wrapper int __wrap_device_read_state(int fd, struct device_state *ret);
wrapper enum cull_verdict __wrap_device_cull(int fd, const char *name, int *ret_error);

bool sim_below_stop(void)
{
	return sim_avail() < sim_kernel.state.bstop || sim_free_files() < sim_kernel.state.fstop;
}

/* cachefiles_has_space() */
static void look_at_space(void)
{
	struct device_state *s = &sim_kernel.state;
	bool before = s->cull;

	if (sim_avail() < s->bcull || sim_free_files() < s->fcull)
		s->cull = true;
	else if (sim_avail() >= s->brun && sim_free_files() >= s->frun)
		s->cull = false;
	sim_kernel.changed |= s->cull != before;
}

bool sim_readable(void)
{
	return sim_kernel.changed || sim_kernel.state.freleased > 0;
}

bool sim_writable(void)
{
	return sim_kernel.state.cull;
}

int __wrap_device_in_use(int fd, const char *name)
{
	return 1;
}

int __wrap_device_read_state(int fd, struct device_state *ret)
{
	look_at_space();
	*ret = sim_kernel.state;
	sim_kernel.state.breleased = sim_kernel.state.freleased = 0;
	sim_kernel.changed = false;
	return 0;
}

static void forget(struct sim_object *o)
{
	o->there = false;
	sim_kernel.held -= o->blocks;
	sim_kernel.count--;
}

enum cull_verdict __wrap_device_cull(int fd, const char *name, int *ret_error)
{
	struct sim_object *o = &sim_kernel.objects[strtoul(name + 1, NULL, 10)];

	assert_true(o->there);
	sim_kernel.culls(o);
	if (o->until > 0)
		return CULL_BUSY;
	assert_int_equal(unlink(name), 0); /* relative to the working directory */
	forget(o);
	sim_kernel.culled++;
	return CULL_DONE;
}

/* ---- what people do ---- */

static struct sim_object *any(void)
{
	return &sim_kernel.objects[sim_draw(SIM_OBJECTS)];
}

static void path_of(const struct sim_object *o, char *path, size_t size)
{
	snprintf(path, size, "%s/cache/Iv%u/@%02x/D%04u", sim_kernel.root, o->volume, o->fanout,
		 (unsigned int)(o - sim_kernel.objects));
}

static void use(struct sim_object *o)
{
	struct timespec times[2] = {{0}, {1, 0}};
	char path[128];

	o->used = sim_now();
	times[0] = (struct timespec){o->used / 1000000000, o->used % 1000000000};
	path_of(o, path, sizeof(path));
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	o->until = sim.ms + 1 + (sim_draw(40) ? sim_draw(MINUTE) : sim_draw(DAY));
}

static int open_anew(const struct sim_object *o)
{
	char path[128];
	int fd;

	path_of(o, path, sizeof(path));
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/cache/Iv%u", sim_kernel.root, o->volume);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/cache/Iv%u/@%02x", sim_kernel.root, o->volume, o->fanout);
	mkdir(path, 0700);
	path_of(o, path, sizeof(path));
	return open(path, O_CREAT | O_EXCL | O_WRONLY, 0);
}

static void create(struct sim_object *o)
{
	int fd;

	*o = (struct sim_object){
		.volume = sim_draw(SIM_VOLUMES),
		.fanout = sim_draw(4),
		.blocks = 1 + sim_draw(SIM_LARGEST),
	};
	look_at_space();
	if (sim_avail() < sim_kernel.state.bstop + o->blocks ||
	    sim_free_files() < sim_kernel.state.fstop + 1) {
		sim_kernel.refused++;
		return;
	}
	fd = open_anew(o);
	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, o->blocks * SIM_BLOCK), 0);
	close(fd);
	o->there = true;
	sim_kernel.held += o->blocks;
	sim_kernel.count++;
	use(o);
	look_at_space();
}

void sim_read_or_write(void)
{
	struct sim_object *o = any();

	if (o->there)
		use(o);
	else
		create(o);
}

void sim_delete(void)
{
	struct sim_object *o = any();
	char path[128];

	if (!o->there || o->until > 0)
		return;
	path_of(o, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	forget(o);
}

void sim_use_by_others(void)
{
	uint64_t most = sim_kernel.blocks - sim_kernel.state.brun;

	sim_kernel.others = sim_draw(10) ? sim_draw((unsigned int)most)
					 : most + sim_draw((unsigned int)most / 4);
	sim_kernel.others = MIN(sim_kernel.others, sim_kernel.blocks - sim_kernel.held);
	look_at_space();
}

void sim_let_go(void)
{
	for (struct sim_object *o = sim_kernel.objects; o < sim_kernel.objects + SIM_OBJECTS; o++) {
		if (!o->there || o->until == 0 || o->until > sim.ms)
			continue;
		o->until = 0;
		sim_kernel.state.freleased++;
		sim_kernel.state.breleased += o->blocks;
	}
}
