/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "policies.h"

#define HEADERS_MAX 8192
#define BODY_MAX    65536

/* Silence in the middle of something, seconds. */
#define SILENCE_SECONDS 10

/* Whoever trickles bytes is cut off all the same; longer than the longest wait for an answer. */
#define LIFE_MS 60000

/* While there are connections: those that have ended are closed. */
#define SWEEP_MS 100

/* For whoever is turned away. */
#define PATIENCE_MS 1000

/* After a failed accept() (no descriptors left) others come first. */
#define PAUSE_SECS 1

/*
 * One connection. evhttp tells nobody when one goes: we hold the bufferevent as well, and evhttp
 * has let go of it when its callbacks are gone (bufferevent_free() takes them off).
 */
struct client {
	struct client *next;
	struct bufferevent *pipe;
	uint64_t since;
	bool admitted;
	uint64_t ends; /* turned away, and to be cut off then; 0: not so */
};

struct server {
	struct server *next;
	struct event_base *base;
	struct server_owner owner;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct event *arrivals, *sweep, *resume;
	struct client *clients;
	unsigned int count, limit;
};

/* All there are: a listener's callbacks get what evhttp gave it, which is not ours. */
static struct server *servers;

/* A connection that evhttp is about to take; its descriptor is not known yet. */
static struct bufferevent *on_connection(struct event_base *base, void *data)
{
	struct server *s = data;
	struct client *c = calloc(1, sizeof(*c));
	struct bufferevent *pipe = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	if (!c || !pipe) {
		free(c);
		return pipe; /* NULL: evhttp tries itself; nobody is turned away for want of memory
			      */
	}
	bufferevent_incref(pipe);
	c->pipe = pipe;
	c->since = now_ms();
	c->next = s->clients;
	s->clients = c;
	s->count++;
	event_active(s->arrivals, EV_TIMEOUT, 0);
	return pipe;
}

static bool is_gone(const struct client *c)
{
	bufferevent_data_cb reads, writes;
	bufferevent_event_cb happens;
	void *data;

	bufferevent_getcb(c->pipe, &reads, &writes, &happens, &data);
	return !reads && !writes && !happens;
}

/* Drops those that evhttp has let go of, which closes them; all of them if so wanted. */
static void collect(struct server *s, bool all)
{
	for (struct client **at = &s->clients; *at;) {
		struct client *c = *at;

		if (!all && !is_gone(c)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		s->count--;
		bufferevent_decref(c->pipe);
		free(c);
	}
}

static void cut_off(struct client *c)
{
	int fd = bufferevent_getfd(c->pipe);

	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	bufferevent_enable(c->pipe, EV_READ); /* evhttp sees the end */
}

/* Tells it, and reads nothing of it. Who is in time to send its request still gets the answer. */
static void turn_away(struct client *c, const char *status, const char *why, uint64_t patience_ms)
{
	char answer[300];
	int fd = bufferevent_getfd(c->pipe);
	int length = snprintf(answer, sizeof(answer),
			      "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
			      "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
			      status, strlen(why), why);

	bufferevent_disable(c->pipe, EV_READ);
	/* A new socket's buffer takes it whole; whoever has gone does not want it. */
	if (fd < 0 || send(fd, answer, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ||
	    patience_ms == 0 || shutdown(fd, SHUT_WR) < 0)
		cut_off(c);
	else
		c->ends = now_ms() + patience_ms;
}

static void sweep_later(struct server *s)
{
	const struct timeval after = {0, SWEEP_MS * 1000};

	if (s->clients && !event_pending(s->sweep, EV_TIMEOUT, NULL))
		event_add(s->sweep, &after);
}

static void on_arrivals(evutil_socket_t fd, short what, void *data)
{
	struct server *s = data;

	collect(s, false);
	for (struct client *c = s->clients; c; c = c->next) {
		if (c->admitted)
			continue;
		c->admitted = true;
		if (s->owner.admit && !s->owner.admit(s->owner.data, bufferevent_getfd(c->pipe)))
			turn_away(c, "403 Forbidden", "{\"error\":\"you have no right to ask\"}\n",
				  s->count > s->limit ? 0 : PATIENCE_MS);
		else if (s->count > s->limit)
			turn_away(c, "503 Service Unavailable",
				  "{\"error\":\"too many connections\"}\n", 0);
	}
	sweep_later(s);
}

static void on_sweep(evutil_socket_t fd, short what, void *data)
{
	struct server *s = data;
	uint64_t now = now_ms();

	collect(s, false);
	for (struct client *c = s->clients; c; c = c->next)
		if (now - c->since > LIFE_MS || (c->ends != 0 && now >= c->ends))
			cut_off(c);
	sweep_later(s);
}

/* No descriptors left: others close theirs, if they are let. */
static void on_accept_error(struct evconnlistener *listener, void *http)
{
	struct timeval pause = {PAUSE_SECS, 0};
	struct server *s = servers;

	while (s->http != http)
		s = s->next;
	evconnlistener_disable(listener);
	event_add(s->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *data)
{
	struct server *s = data;

	evconnlistener_enable(s->listener);
}

static void on_request(struct evhttp_request *request, void *data)
{
	struct server *s = data;

	s->owner.handle(s->owner.data, request);
}

int server_new(struct server **ret, struct event_base *base, int fd, unsigned int connections,
	       const struct server_owner *owner)
{
	struct server *s = calloc(1, sizeof(*s));
	struct evhttp_bound_socket *bound;

	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	s->base = base;
	s->owner = *owner;
	s->limit = connections;
	s->next = servers;
	servers = s;
	s->http = evhttp_new(base);
	s->arrivals = evtimer_new(base, on_arrivals, s);
	s->sweep = evtimer_new(base, on_sweep, s);
	s->resume = evtimer_new(base, on_resume, s);
	s->listener = evconnlistener_new(base, NULL, NULL,
					 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!s->listener)
		close(fd);
	bound = s->http && s->listener ? evhttp_bind_listener(s->http, s->listener) : NULL;
	if (!bound || !s->arrivals || !s->sweep || !s->resume) {
		if (!bound && s->listener)
			evconnlistener_free(s->listener);
		server_free(s);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	evhttp_set_bevcb(s->http, on_connection, s);
	evhttp_set_max_headers_size(s->http, HEADERS_MAX);
	evhttp_set_max_body_size(s->http, BODY_MAX);
	evhttp_set_timeout(s->http, SILENCE_SECONDS);
	evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
						    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						    EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(s->http, on_request, s);
	*ret = s;
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

struct server *server_free(struct server *s)
{
	struct server **at = &servers;

	if (!s)
		return NULL;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (s->http)
		evhttp_free(s->http); /* and its listener and connections */
	collect(s, true);
	free_event(s->arrivals);
	free_event(s->sweep);
	free_event(s->resume);
	free(s);
	return NULL;
}

/* Whether somebody listens at the socket. */
static bool is_alive(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
			   errno == EAGAIN);
}

/* Of /run, which is empty after each boot, systemd makes the unit's; without it nobody does. */
static int bind_making_parent(int fd, const struct sockaddr_un *address)
{
	char parent[sizeof(address->sun_path)];
	char *slash;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return 0;
	strcpy(parent, address->sun_path);
	slash = strrchr(parent, '/');
	if (errno != ENOENT || !slash || slash == parent)
		return -errno;
	*slash = '\0';
	if (mkdir(parent, 0755) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	return 0;
}

int server_listen_path(const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode) || is_alive(&address))
			return -EADDRINUSE;
		if (unlink(path) < 0)
			return -errno;
	}
	r = bind_making_parent(fd, &address);
	if (r < 0)
		return r;
	/* Whoever comes is told at least that it may not. */
	if (chmod(path, 0666) < 0 || listen(fd, SOMAXCONN) < 0) {
		r = -errno;
		unlink(path);
		return r;
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}

int server_listen_address(const char *text, int *ret_fd)
{
	struct sockaddr_storage address;
	_cleanup_close_ int fd = -1;
	unsigned int length;
	int one = 1;

	if (policies_parse_address(text, &address, &length) < 0)
		return -EINVAL;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 16) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

void server_reply(struct evhttp_request *request, int code, const char *type, const char *body)
{
	struct evbuffer *buffer = evhttp_request_get_output_buffer(request);
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	evhttp_add_header(headers, "Content-Type", type);
	evbuffer_add(buffer, body, strlen(body));
	evhttp_send_reply(request, code, NULL, NULL);
}

int server_peer(struct evhttp_request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);

	return connection ? bufferevent_getfd(evhttp_connection_get_bufferevent(connection)) : -1;
}
