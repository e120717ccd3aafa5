/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clang-format off */
/*
 * The control socket: HTTP/1.1 by libevent's evhttp on a unix socket (directive "control", by default
 * CONTROL_DEFAULT_PATH), JSON bodies by json-c. What may block is asked of the cache's workers: an
 * answer never waits for the cache's filesystem. Only the event loop.
 *
 * Who may: the peer's credentials (SO_PEERCRED) decide. Root may everything, members of the group
 * that "control_group" names may GET, everybody else gets 403 and nothing but that.
 *
 * Limits: 8 KiB of headers, 64 KiB of body, 10 s for a request to come in and an answer to go out,
 * 60 s in all, CONTROL_CONNECTIONS at a time: who comes when there are so many is told 503.
 *
 *	GET /status	200 {
 *	  "version": "1.0.0",
 *	  "state": "bound|binding|waiting|yielding|yielded|closing|stopped",
 *	  "dir", "tag": text, "filesystem": "ext4 on /dev/vdb" or null,
 *	  "since": seconds since the epoch that it is in this state,
 *	  "waiting": why it waits or has yielded, or null,
 *	  "stalled": why culling makes no progress, or null,
 *	  "blocked": true while a worker waits in the kernel for long (frozen, or its disk is stuck),
 *	  "policy": {"freeze": "refuse|yield", "yield_seconds": N, "remount": "refuse|yield"},
 *	  "kernel": {"claim": bool or null before the first bind, "unbind": the same,
 *	             "frzref": N, "roref": N (refusals, as the kernel counts them)},
 *	  "limits": {"brun", "bcull", "bstop": bytes, "frun", "fcull", "fstop": files} or null,
 *	  "free": {"bytes", "files", "at": when it was looked at, seconds since the epoch} or null,
 *	  "cull": {"running": bool, "ordered": bool, "enabled": bool, "cycle": number of the last or present cycle,
 *	           "wanted_bytes", "wanted_files" (the largest number there is: all), "scanned_files",
 *	           "culled_bytes", "culled_files", "busy":
 *	           of that cycle, as far as it has come},
 *	  "totals": {"cycles", "culled_files", "culled_bytes", "busy", "denied"} since the start,
 *	  "last_scan": {"at": seconds since the epoch, "seconds", "volumes", "files", "bytes",
 *	                "oldest": seconds since the last use of the least recently used, or null} or null,
 *	  "graveyard": {"removed", "stuck"},
 *	  "refused": {"freezes", "remounts",
 *	              "last": {"time", "what": "freeze|remount", "text", "advice"} or null},
 *	  "yields", "rebinds", "deaths": N }
 *
 *	GET /volumes	200 (when there was no scan yet, after one, or after 30 s without one)
 *	  {"scanned_at": seconds since the epoch or null, "volumes": [
 *	  {"key", "name" (readable: server and export), "live", "orphan": bool, "objects", "bytes",
 *	   "oldest": seconds since the last use, or null, "rule": text or null}…]}, the largest first
 *
 *	POST /cull	{"bytes": N, "files": N, "volume": GLOB, "older_than": seconds, "orphans": bool,
 *			"all": bool}, each may be absent, one must be there; volume, older_than and
 *			orphans narrow the others. 202 {"cycle": N}: /status tells how it gets on.
 *			409 when the cache is not bound or a cull on command is in hand.
 *	POST /yield	{"for": seconds}, absent or no body: until /resume.
 *			200 {"state": "yielded"} once the cache is let go of: the filesystem can be frozen,
 *			remounted, unmounted. 202 {"state": "yielding"} when that takes longer than 30 s.
 *	POST /resume	200 {"state": …}; also when there was nothing to resume.
 *	POST /reload	200 {"needs_restart": [names of directives]}, or
 *			422 {"error", "problems": ["FILE:LINE: message"…]}: nothing is changed.
 *	GET /metrics	200, OpenMetrics text: see metrics.h.
 *
 * Errors: {"error": text} with 400 (no JSON, unknown or wrong member), 403, 404, 405, 409, 413, 503.
 * Members may be added to answers; a member that is there stays what it is.
 */
/* clang-format on */
#pragma once

#include <event2/event.h>

#include "cache.h"

#define CONTROL_CONNECTIONS 64

struct control;

struct control_owner {
	/*
	 * Reads the configuration again. Returns 0; -EINVAL: problems has what is wrong with it,
	 * and nothing is changed. needs_restart lists directives that do, up to 32,
	 * ended by NULL; static names.
	 */
	int (*reload)(void *data, struct problems *problems, const char *needs_restart[33]);
	void *data;
};

/*
 * Listens. The path is replaced if it is a socket that nobody listens at any more; -EADDRINUSE if
 * somebody does. The configuration and the cache stay for as long as this.
 */
int control_new(struct control **ret, struct event_base *base, const struct config *config,
		struct cache *cache, const struct control_owner *owner);
struct control *control_free(struct control *c); /* removes the socket; returns NULL */

/* The cache's state changed: answers those who wait for that. */
void control_changed(struct control *c);
