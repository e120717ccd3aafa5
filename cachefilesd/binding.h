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
	char *record;		    /* what it was bound with, to be compared as text */
	char backing[128];	    /* "ext4 on /dev/vdb" */
	bool knows_unbind; /* the kernel can let go of the cache and bind it again by this device */
};

#define BINDING_CLOSED ((struct binding){.device = -1, .store = STORE_CLOSED, .grave_watch = -1})

struct binding_attempt {
	/* Given. */
	const struct config *config;
	bool same_filesystem; /* bind only where fsid is that */
	uint64_t fsid;
	int kept; /* a device that the service manager had, to be adopted; -1: none. Taken */
	const char *kept_record; /* the record it was bound with, or NULL */
	int unbound; /* a device that is to be bound again; -1: none. Stays ours until it is bound
		      */
	bool as_is;  /* the filesystem may be frozen: try nothing on it before the kernel does */
	/* Answered: report.error is 0 and the binding the caller's, or it says why not. */
	struct backing_report report;
	struct binding binding;
	bool adopted;	      /* was bound already, nothing was withdrawn */
	bool reused;	      /* bound by the device that was kept or unbound */
	char not_adopted[80]; /* why the kept device was of no use; empty: it was, or there was none
			       */
};

/*
 * A kept device that is alive, and was bound with the same configuration to the same directory of
 * the same filesystem, is adopted as it is: nothing is withdrawn. One that is of no use is closed,
 * and the attempt ends with EBUSY: its other holder must let go of it first.
 */
void binding_try(struct binding_attempt *attempt);

/*
 * Lets go of the cache and its filesystem but keeps the device, for another attempt; also where the
 * cache is dead; limits is the state after that. Returns 0, or what the kernel answered: then the
 * cache is bound as before, without its store.
 */
int binding_unbind(struct binding *binding);

/* Waits, a few seconds at most, until nobody else holds the device any more. */
void binding_await_release(void);

/* Withdraws the cache and closes everything. */
void binding_close(struct binding *binding);
