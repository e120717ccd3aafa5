/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer on what comes in at the control socket: the real server, routes and bodies, with a
 * cache that does nothing. Each input is what one client sends before it hangs up; root is who
 * asks.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "control.h"
#include "culler.h"
#include "documents.h"
#include "log.h"
#include "metrics.h"
#include "server.h"
#include "status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct status status;
static struct volumes volumes = {.taken = 1};
static char path[64];

void log_message(int level, const char *format, ...)
{
}

void log_event(int level, enum message message, const char *format, ...)
{
}

void cache_yield(struct cache *c, uint64_t seconds)
{
	status.yielding = YIELD_ORDER;
}

void cache_resume(struct cache *c)
{
	status.yielding = YIELD_NONE;
}

/* Every other time at once: both ways of answering. */
bool cache_is_yielded(const struct cache *c)
{
	static unsigned int calls;

	return ++calls & 1;
}

const struct status *cache_status(struct cache *c)
{
	return &status;
}

struct culler *cache_culler(struct cache *c)
{
	return NULL;
}

const char *status_state(const struct status *s)
{
	return "bound";
}

const struct volumes *culler_volumes(const struct culler *c)
{
	return &volumes;
}

int culler_scan(struct culler *c, culler_done_fn done, void *data)
{
	return -ENOTCONN;
}

int culler_order(struct culler *c, const struct cull_order *order, culler_done_fn done, void *data)
{
	if (memchr(order->volumes, '\0', sizeof(order->volumes)) == NULL)
		abort();
	return order->bytes ? 0 : -EINVAL;
}

void culler_look_at(const struct culler *c, struct culler_view *ret)
{
	*ret = (struct culler_view){0};
}

struct json_object *document_status(struct cache *cache, const struct config *config)
{
	return json_object_new_object();
}

struct json_object *document_volumes(struct cache *cache, const struct config *config)
{
	return json_object_new_object();
}

void metrics_answer(struct cache *cache, struct evhttp_request *request)
{
	server_reply(request, HTTP_OK, "text/plain", "# EOF\n");
}

static int reload(void *data, struct problems *problems, const char *needs_restart[33])
{
	needs_restart[0] = NULL;
	return 0;
}

void problems_clear(struct problems *p)
{
}

static struct event_base *start(struct control **ret)
{
	static struct config config = {.control = path};
	const struct control_owner owner = {reload, NULL};
	struct event_base *base = event_base_new();

	snprintf(path, sizeof(path), "/tmp/cachefilesd-fuzz.%d", (int)getpid());
	if (!base || control_new(ret, base, &config, NULL, &owner) < 0)
		abort();
	return base;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_base *base;
	static struct control *control;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char answer[4096];
	int fd;

	if (!base)
		base = start(&control);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	if (send(fd, data, size, MSG_NOSIGNAL) < 0)
		errno = 0;
	for (unsigned int i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	control_changed(control);
	shutdown(fd, SHUT_WR);
	for (unsigned int i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	while (recv(fd, answer, sizeof(answer), 0) > 0)
		;
	close(fd);
	for (unsigned int i = 0; i < 2; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	return 0;
}
