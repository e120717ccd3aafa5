/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "culler.h"
#include "documents.h"
#include "log.h"
#include "metrics.h"
#include "orders.h"
#include "server.h"

#define JSON "application/json"

/* How long an answer waits for what was asked for. */
#define PATIENCE_SECONDS 30

/* Whose groups are looked at; more supplementary ones nobody has who means well. */
#define GROUPS_MAX 1024

enum wait {
	WAIT_YIELDED,
	WAIT_SCANNED,
};

/* A request that is answered when something has happened, or time is over. */
struct waiter {
	struct waiter *next, **previous;
	struct control *control;
	struct evhttp_request *request;
	struct event *patience;
	enum wait wait;
};

struct control {
	struct event_base *base;
	const struct config *config;
	struct cache *cache;
	struct control_owner owner;
	struct server *server;
	struct waiter *waiters;
	bool has_group;
	gid_t group;
	uid_t denied; /* told last */
	bool has_denied;
};

/* ---- who ---- */

static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == 0;
}

static bool is_member(const struct control *c, int fd, gid_t primary)
{
	gid_t groups[GROUPS_MAX];
	socklen_t length = sizeof(groups);

	if (!c->has_group)
		return false;
	if (primary == c->group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0)
		return false;
	for (size_t i = 0; i < length / sizeof(groups[0]); i++)
		if (groups[i] == c->group)
			return true;
	return false;
}

static bool admit(void *data, int fd)
{
	struct control *c = data;
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	if (peer.uid == 0 || is_member(c, fd, peer.gid))
		return true;
	/* Once for each, until it is another. */
	if (!c->has_denied || c->denied != peer.uid)
		log_event(LOG_NOTICE, MESSAGE_CONTROL_DENIED,
			  "control: user %u has no right to ask", (unsigned int)peer.uid);
	c->denied = peer.uid;
	c->has_denied = true;
	return false;
}

/* ---- answers ---- */

/* Takes the object. */
static void answer(struct evhttp_request *request, int code, struct json_object *o)
{
	_cleanup_free_ char *body = NULL;

	if (!o || asprintf(&body, "%s\n",
			   json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) < 0) {
		body = NULL;
		code = HTTP_SERVUNAVAIL;
	}
	server_reply(request, code, JSON, body ? body : "{\"error\":\"out of memory\"}\n");
	json_object_put(o);
}

static void refuse(struct evhttp_request *request, int code, const char *why)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "error", json_object_new_string(why));
	answer(request, code, o);
}

static void answer_state(struct control *c, struct evhttp_request *request, int code)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "state",
			       json_object_new_string(status_state(cache_status(c->cache))));
	answer(request, code, o);
}

/* ---- answers that wait ---- */

static void forget(struct waiter *w)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(w->request);

	if (connection)
		evhttp_connection_set_closecb(connection, NULL, NULL);
	*w->previous = w->next;
	if (w->next)
		w->next->previous = w->previous;
	event_free(w->patience);
	free(w);
}

static void end_wait(struct waiter *w, bool in_time)
{
	struct control *c = w->control;
	struct evhttp_request *request = w->request;
	enum wait wait = w->wait;

	forget(w);
	if (wait == WAIT_YIELDED)
		answer_state(c, request, in_time ? HTTP_OK : 202);
	else
		answer(request, HTTP_OK, document_volumes(c->cache, c->config));
}

static void on_patience(evutil_socket_t fd, short what, void *data)
{
	end_wait(data, false);
}

/* Who asked has gone, and the request with it. */
static void on_gone(struct evhttp_connection *connection, void *data)
{
	forget(data);
}

static void wait_for(struct control *c, struct evhttp_request *request, enum wait wait)
{
	struct waiter *w = calloc(1, sizeof(*w));
	struct timeval after = {PATIENCE_SECONDS, 0};

	if (!w || !(w->patience = evtimer_new(c->base, on_patience, w))) {
		free(w);
		refuse(request, HTTP_SERVUNAVAIL, "out of memory");
		return;
	}
	w->control = c;
	w->request = request;
	w->wait = wait;
	w->next = c->waiters;
	w->previous = &c->waiters;
	if (w->next)
		w->next->previous = &w->next;
	c->waiters = w;
	event_add(w->patience, &after);
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_gone, w);
}

static void end_waits(struct control *c, enum wait wait)
{
	for (struct waiter *w = c->waiters, *next; w; w = next) {
		next = w->next;
		if (w->wait == wait)
			end_wait(w, true);
	}
}

void control_changed(struct control *c)
{
	if (c->waiters && cache_is_yielded(c->cache))
		end_waits(c, WAIT_YIELDED);
}

/* ---- what can be asked ---- */

static void get_status(struct control *c, struct evhttp_request *request, struct json_object *body)
{
	answer(request, HTTP_OK, document_status(c->cache, c->config));
}

static void on_scanned(void *data, const struct cull_result *r)
{
	end_waits(data, WAIT_SCANNED);
}

static void get_volumes(struct control *c, struct evhttp_request *request, struct json_object *body)
{
	struct culler *culler = cache_culler(c->cache);

	if (culler_volumes(culler)->taken == 0 && culler_scan(culler, on_scanned, c) == 0)
		wait_for(c, request, WAIT_SCANNED);
	else
		answer(request, HTTP_OK, document_volumes(c->cache, c->config));
}

static void get_metrics(struct control *c, struct evhttp_request *request, struct json_object *body)
{
	metrics_answer(c->cache, request);
}

static void on_ordered(void *data, const struct cull_result *r)
{
	/* The log and /status tell. */
}

static void post_cull(struct control *c, struct evhttp_request *request, struct json_object *body)
{
	struct culler *culler = cache_culler(c->cache);
	struct cull_order order;
	struct culler_view view;
	struct json_object *o;
	char why[200];
	int r = orders_read_cull(body, &order, why, sizeof(why));

	if (r < 0) {
		refuse(request, HTTP_BADREQUEST, why);
		return;
	}
	r = culler_order(culler, &order, on_ordered, c);
	if (r == -EINVAL) {
		refuse(request, HTTP_BADREQUEST, "the order asks for nothing");
	} else if (r == -EBUSY) {
		refuse(request, 409, "another cull on command is in hand");
	} else if (r == -ENOTCONN) {
		refuse(request, 409, "the cache is not bound");
	} else if (r < 0) {
		refuse(request, HTTP_SERVUNAVAIL, strerror(-r));
	} else {
		log_event(LOG_NOTICE, MESSAGE_ORDERED, "told to cull: %s",
			  body ? json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN) : "");
		culler_look_at(culler, &view);
		o = json_object_new_object();
		json_object_object_add(
			o, "cycle",
			json_object_new_int64((int64_t)view.cycle + (view.task != CULLER_OBEYS)));
		answer(request, 202, o);
	}
}

static void post_yield(struct control *c, struct evhttp_request *request, struct json_object *body)
{
	uint64_t seconds;
	char why[200];

	if (orders_read_yield(body, &seconds, why, sizeof(why)) < 0) {
		refuse(request, HTTP_BADREQUEST, why);
		return;
	}
	cache_yield(c->cache, seconds);
	if (cache_is_yielded(c->cache))
		answer_state(c, request, HTTP_OK);
	else
		wait_for(c, request, WAIT_YIELDED);
}

static void post_resume(struct control *c, struct evhttp_request *request, struct json_object *body)
{
	cache_resume(c->cache);
	answer_state(c, request, HTTP_OK);
}

static void post_reload(struct control *c, struct evhttp_request *request, struct json_object *body)
{
	struct problems problems = {0};
	const char *names[33] = {NULL};
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	int r = c->owner.reload(c->owner.data, &problems, names);

	if (r < 0) {
		json_object_object_add(o, "error",
				       json_object_new_string("the configuration has problems"));
		for (size_t i = 0; i < problems.count; i++)
			json_object_array_add(list, json_object_new_string(problems.lines[i]));
	} else {
		for (size_t i = 0; names[i]; i++)
			json_object_array_add(list, json_object_new_string(names[i]));
	}
	json_object_object_add(o, r < 0 ? "problems" : "needs_restart", list);
	problems_clear(&problems);
	answer(request, r < 0 ? 422 : HTTP_OK, o);
}

static const struct route {
	const char *path;
	enum evhttp_cmd_type method;
	void (*fn)(struct control *c, struct evhttp_request *request, struct json_object *body);
} routes[] = {
	{"/status", EVHTTP_REQ_GET, get_status},   {"/volumes", EVHTTP_REQ_GET, get_volumes},
	{"/metrics", EVHTTP_REQ_GET, get_metrics}, {"/cull", EVHTTP_REQ_POST, post_cull},
	{"/yield", EVHTTP_REQ_POST, post_yield},   {"/resume", EVHTTP_REQ_POST, post_resume},
	{"/reload", EVHTTP_REQ_POST, post_reload},
};

static void handle(void *data, struct evhttp_request *request)
{
	struct control *c = data;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	size_t length = evbuffer_get_length(input);
	const struct route *route = NULL;
	struct json_object *body = NULL;

	for (size_t i = 0; path && i < ARRAY_SIZE(routes); i++)
		if (streq(routes[i].path, path))
			route = &routes[i];
	if (!route) {
		refuse(request, HTTP_NOTFOUND, "there is no such thing here");
		return;
	}
	if (evhttp_request_get_command(request) != route->method) {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow",
				  route->method == EVHTTP_REQ_GET ? "GET" : "POST");
		refuse(request, HTTP_BADMETHOD, "not in this way");
		return;
	}
	if (route->method == EVHTTP_REQ_POST && !is_root(server_peer(request))) {
		refuse(request, 403, "only root gives orders");
		return;
	}
	if (length > 0) {
		const char *text = (const char *)evbuffer_pullup(input, -1);

		body = text ? orders_parse(text, length) : NULL;
		if (!body) {
			refuse(request, HTTP_BADREQUEST, "the body is no JSON object");
			return;
		}
	}
	route->fn(c, request, body);
	json_object_put(body);
}

/* ---- for the owner ---- */

static void find_group(struct control *c)
{
	struct group *group;

	if (!c->config->control_group)
		return;
	group = getgrnam(c->config->control_group);
	if (!group) {
		log_event(LOG_WARNING, MESSAGE_CONTROL_FAILED,
			  "control_group: there is no group \"%s\": only root may ask",
			  c->config->control_group);
		return;
	}
	c->has_group = true;
	c->group = group->gr_gid;
}

int control_new(struct control **ret, struct event_base *base, const struct config *config,
		struct cache *cache, const struct control_owner *owner)
{
	struct control *c = calloc(1, sizeof(*c));
	const struct server_owner server_owner = {admit, handle, c};
	int fd, r;

	if (!c)
		return -ENOMEM;
	c->base = base;
	c->config = config;
	c->cache = cache;
	c->owner = *owner;
	find_group(c);
	r = server_listen_path(config->control, &fd);
	if (r == 0)
		r = server_new(&c->server, base, fd, CONTROL_CONNECTIONS, &server_owner);
	if (r < 0) {
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct control *control_free(struct control *c)
{
	if (!c)
		return NULL;
	while (c->waiters)
		forget(c->waiters);
	server_free(c->server);
	unlink(c->config->control);
	free(c);
	return NULL;
}
