/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing a cache up and letting it go: open the device, limits, directory, bind; and which
 * filesystem it was, so that after a loss no other one is taken for it. The two verbs are jobs of
 * a worker thread, both may block as long as the filesystem does; the caller logs.
 */
#pragma once

#include "backing.h"
#include "device.h"
#include "store.h"

/* A bound cache. */
struct binding {
	int device;
	struct store store;
	struct device_state limits; /* as the kernel reckoned them at bind */
	int grave_watch;	    /* inotify: something was put into the graveyard; -1: none */
	uint64_t fsid;		    /* statfs f_fsid of the cache's filesystem */
	char backing[128];	    /* "ext4 on /dev/vdb" */
};

struct binding_attempt {
	/* Given. */
	const struct config *config;
	bool same_filesystem; /* bind only where fsid is that */
	uint64_t fsid;
	/* Answered: report.error is 0 and the binding the caller's, or it says why not. */
	struct backing_report report;
	struct binding binding;
};

void binding_try(struct binding_attempt *attempt);

/* Withdraws the cache and closes everything. */
void binding_close(struct binding *binding);
