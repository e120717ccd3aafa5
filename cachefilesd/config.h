/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: /etc/cachefilesd.conf, then its drop-in directory (FILE.d, *.conf in the
 * order of their names). One table (directives.c) drives the parser, --dump-config and the checks
 * of the manual. Nothing here touches the device or the cache directory.
 */
#pragma once

#include <stdio.h>

#include "problems.h"
#include "rules.h"

#define CONFIG_DEFAULT_PATH  "/etc/cachefilesd.conf"
#define CONTROL_DEFAULT_PATH "/run/cachefilesd/control"

/* A threshold that is not to be looked at: no count reaches it. */
#define RESUME_IGNORED UINT64_MAX

/* Per cent of the filesystem's blocks and files; the kernel wants stop < cull < run < 100. */
struct limits {
	unsigned int brun, bcull, bstop;
	unsigned int frun, fcull, fstop;
};

/* What is done when somebody wants to freeze or remount the cache's filesystem. */
enum policy {
	POLICY_REFUSE, /* the kernel says no; it is told and counted */
	POLICY_YIELD,  /* the cache is let go of and bound again afterwards */
};

/* How long a freezer is let wait for the cache to be let go of. */
#define YIELD_DEFAULT_SECONDS 10

struct config {
	char *path;   /* the main file, as named */
	char *dir;    /* absolute, no trailing slash */
	char *dir_at; /* "FILE:LINE" of that, for messages about it */
	char *tag;    /* "CacheFiles" unless given */
	char *secctx; /* NULL: none */
	struct limits limits;
	bool nocull;		/* the directive or -N */
	unsigned int culltable; /* accepted for old files; the table is bounded by memory */
	/*
	 * A stalled cull is tried again when one of these has been let go of; RESUME_IGNORED
	 * unless given, and 5 files.
	 */
	uint64_t resume_blocks; /* in blocks of the cache's filesystem */
	uint64_t resume_files;
	unsigned int debug; /* the kernel's cachefiles debug mask; 0: not written */
	bool debug_set;
	uint64_t memory;     /* ceiling of the victim table, bytes */
	struct rules *rules; /* quotas and the directives "volume"; never NULL */
	enum policy freeze, remount;
	uint64_t yield_seconds;
	char *control;	     /* path of the control socket; NULL: none */
	char *control_group; /* whose members may read there; NULL: nobody's */
	char *metrics;	     /* where else metrics are: ADDRESS:PORT or a path; NULL: nowhere */
};

/*
 * Reads the file and its drop-ins. Every problem goes to the list; the configuration comes back
 * only if there is none. Returns 0, -EINVAL when there were problems, -ENOMEM.
 */
int config_load(const char *path, struct config **ret, struct problems *problems);
struct config *config_free(struct config *c); /* returns NULL */

/* Writes the configuration in force as a file that config_load() reads back to the same. */
void config_dump(const struct config *c, FILE *to);

/*
 * The directives that differ and cannot be reloaded, one by one: the name of the first from *at on,
 * which begins with 0 and moves behind it, or NULL. Both configurations must have had the command
 * line's -N applied to them, or neither.
 */
const char *config_needs_restart(const struct config *now, const struct config *next, size_t *at);

/*
 * Takes over the others. No string of now changes: a worker may be reading them; the rules are
 * others afterwards, and who works with the former ones holds them.
 */
void config_reload(struct config *now, const struct config *next);
