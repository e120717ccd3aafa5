/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request to the daemon's control socket and its whole answer. HTTP/1.1 over a unix socket, as
 * far as the daemon speaks it: a connection a request, the body of a length told beforehand.
 * Whatever listens there is not trusted: size and time are bounded. Nothing here prints.
 */
#pragma once

#include "util.h"

/* Some ten times what the most volumes that the daemon tells apart take. */
#define HTTP_BODY_MAX (UINT64_C(64) << 20)

struct http_reply {
	unsigned int status; /* 200 … 599 */
	char *body;	     /* a NUL behind it; the caller frees it */
	size_t length;
};

/*
 * body is NULL or JSON; timeout_ms bounds the whole. Answers 0, also when status is an error's, or
 * what connect() said: -ENOENT, -ECONNREFUSED (nobody listens), -EACCES, -ENAMETOOLONG; -ETIMEDOUT;
 * -ECONNRESET: the answer ends in its midst; -EPROTO: it is not HTTP; -EFBIG: it is too large.
 */
int http_request(const char *socket_path, const char *method, const char *target, const char *body,
		 uint64_t timeout_ms, struct http_reply *ret);
