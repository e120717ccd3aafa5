/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the administrator wants of the cache beside the kernel's limits: quotas of the whole, and
 * rules for volumes. A set of rules never changes once a configuration is read; a reload brings
 * another one. The event loop counts who holds it, a worker only reads what its cycle holds.
 */
#pragma once

#include "util.h"

#define RULE_PRIORITY_DEFAULT 5
#define RULE_PRIORITY_MAX     9

/* A directive "volume". */
struct rule {
	char *pattern;	       /* volume_matches() */
	unsigned int priority; /* volumes of a lower one are culled first, whatever the ages */
	uint64_t max_size;     /* bytes, of each volume; 0: none */
	uint64_t max_age;      /* seconds, in place of that of the whole; 0: none given */
	bool pin;	       /* nothing of it is culled */
	const char *file;      /* where it was read, while the configuration is */
	unsigned int line;
};

struct rules {
	unsigned int holders;
	uint64_t max_size; /* bytes; 0: none, here and below */
	uint64_t max_files;
	uint64_t min_free; /* bytes available on the filesystem */
	uint64_t max_age;  /* seconds without use */
	struct rule *items;
	size_t count;
};

/* Without quotas and rules, held once. NULL: there is no memory. */
struct rules *rules_new(void);
struct rules *rules_hold(struct rules *r);
struct rules *rules_drop(struct rules *r); /* returns NULL */

/*
 * Adds a rule, the pattern is copied. One of the same pattern in an earlier file is replaced, in
 * its place; -EEXIST: it is in the same file, *ret_line says where. -ENOMEM.
 */
int rules_add(struct rules *r, const struct rule *rule, unsigned int *ret_line);

/* The number of the rule for the volume of that key, the last one that matches; -1: none does. */
int rules_find(const struct rules *r, const char *key);

/* What holds for a volume with the rule of that number, or -1. */
struct rule rules_get(const struct rules *r, int number);

/* Whether anything is culled that the kernel has not asked for. */
bool rules_demand(const struct rules *r);

bool rules_same(const struct rule *a, const struct rule *b);
