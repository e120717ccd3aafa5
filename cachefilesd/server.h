/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP for those that serve something: a listening socket, evhttp on it, and bounds on what a
 * client may cost. Who may not come in, or comes when there are too many, is told so and cut off
 * before a byte of the request is looked at. Only the event loop.
 */
#pragma once

#include <event2/event.h>
#include <event2/http.h>

#include "util.h"

struct server;

struct server_owner {
	/* Whether who is at the other end may ask at all; NULL: everybody. */
	bool (*admit)(void *data, int fd);
	/* A request came in whole; it is to be answered by server_reply() or evhttp, now or later.
	 */
	void (*handle)(void *data, struct evhttp_request *request);
	void *data;
};

/* Takes the listening socket, also when it fails. At most so many connections at a time. */
int server_new(struct server **ret, struct event_base *base, int fd, unsigned int connections,
	       const struct server_owner *owner);
struct server *server_free(struct server *s); /* returns NULL */

/*
 * A socket that listens at the path, open to everybody: who comes is looked at. A socket that
 * nobody listens at any more is replaced; -EADDRINUSE: somebody does, or it is no socket. The last
 * directory of the path is made if it is not there.
 */
int server_listen_path(const char *path, int *ret_fd);
/* The same at ADDRESS:PORT, see policies.h. */
int server_listen_address(const char *address, int *ret_fd);

/* Sends a body. The type is for Content-Type. */
void server_reply(struct evhttp_request *request, int code, const char *type, const char *body);

/* The descriptor that the request came by. */
int server_peer(struct evhttp_request *request);
