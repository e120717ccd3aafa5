/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real tree for cull cycles whose device and free space are the test's: fstatvfs() tells the
 * space that device_cull() has freed, at once or after syncfs(). The linker wraps them.
 */
#pragma once

#include "cull.h"

/* The filesystem and the device as the cycle sees them; set_up() clears it. */
struct cull_fake {
	uint64_t avail, files; /* free; blocks of 4096 bytes */
	uint64_t late_avail, late_files;
	bool late;   /* freed space shows after syncfs() only */
	bool futile; /* never */
	bool read_only;
	unsigned int asked; /* cull commands */
	unsigned int syncs, measurements, culls;
	char order[4096][16]; /* names as they were culled */
	/* The verdict for a name, or NULL: culled. */
	enum cull_verdict (*verdict)(const char *name, int *ret_error);
	const char *live; /* the key of a volume in use, or NULL */
};
extern struct cull_fake fake;

/* The cache's directory. */
extern char root[64];

int set_up(void **state);
int tear_down(void **state);

/* Two volumes of four fan-outs; object i is the i-th oldest and one block large. */
void make_object(unsigned int i);
bool object_exists(unsigned int i);

/* Runs a cycle that wants so many blocks and files to be free. */
struct cull_result cycle(uint64_t brun, uint64_t frun, const atomic_bool *stop);

/* The rules of all cycles, or NULL; and what a cycle leaves chosen for the next. set_up(): none. */
extern struct rules *tree_rules;
extern struct selection tree_selection;

/* Runs a cycle for the rules alone. */
struct cull_result enforce(struct volumes *ret);

/* Carries out an order; of NULL, scans. What was found is added to *ret. */
struct cull_result obey(const struct cull_order *order, struct volumes *ret);

/* Objects from..to are gone, the others up to n are there. */
void assert_gone(unsigned int from, unsigned int to, unsigned int n);
