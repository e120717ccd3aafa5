/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cache as the kernel has it, simulated: how full its filesystem is, when it asks for space
 * (cachefiles_has_space), what it has open; and what people do with it. The objects are files of a
 * real tree. The linker wraps fstatvfs(), syncfs() and the device.
 */
#pragma once

#include "device.h"

#define SIM_OBJECTS 120
#define SIM_VOLUMES 4
#define SIM_BLOCK   4096
#define SIM_LARGEST 8 /* blocks of an object */

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * (uint64_t)HOUR)

struct sim_object {
	bool there;
	unsigned int volume, fanout, blocks;
	int64_t used;	/* ns */
	uint64_t until; /* the kernel has it open until then, ms of the clock; 0: it has not */
};

struct sim_kernel {
	char root[64];				   /* DIR; given */
	uint64_t blocks, files;			   /* all that there are; given */
	struct device_state state;		   /* given: the limits */
	void (*culls)(const struct sim_object *o); /* given: called before one goes */
	uint64_t others;			   /* blocks that others use */
	uint64_t held, count;			   /* by the objects */
	uint64_t refused, culled;
	bool changed; /* the state was not read since */
	struct sim_object objects[SIM_OBJECTS];
};
extern struct sim_kernel sim_kernel;

/* splitmix64: 0 to n - 1. */
extern uint64_t sim_random;
unsigned int sim_draw(unsigned int n);

uint64_t sim_avail(void); /* blocks */
uint64_t sim_free_files(void);
bool sim_below_stop(void);

/* Of the only descriptor there is. */
bool sim_readable(void);
bool sim_writable(void);

/* Reads an object that is drawn, or writes it into the cache if there is room. */
void sim_read_or_write(void);
/* A file is gone from the server. */
void sim_delete(void);
/* Others use another share of the filesystem, seldom so much that brun cannot be reached. */
void sim_use_by_others(void);
/* Closes what was open for long enough. */
void sim_let_go(void);
