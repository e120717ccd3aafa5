/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's HTTP against a server that answers with given bytes, whole, byte by byte, cut short
 * or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "http.h"

#define TIMEOUT_MS 30000

static char place[] = "/tmp/cachefilesd-http-XXXXXX", path[64];

/* One connection: what to say, how, and what was heard. */
static struct server {
	int listener;
	const char *reply;
	size_t length, chunk; /* so many bytes at a time */
	bool deaf;	      /* does not wait for the request */
	bool silent;	      /* holds the connection until the client goes */
	char request[4096];
} server;

static void *serve(void *data)
{
	size_t used = 0;
	ssize_t n = 1;
	char *end;
	int fd = accept(server.listener, NULL, NULL);

	memset(server.request, 0, sizeof(server.request));
	while (!server.deaf && n > 0) {
		n = recv(fd, server.request + used, sizeof(server.request) - 1 - used, 0);
		used += n > 0 ? (size_t)n : 0;
		end = strstr(server.request, "\r\n\r\n");
		if (end && !strstr(server.request, "POST"))
			break;
		if (end && end[4] && server.request[used - 1] == '}')
			break;
	}
	for (size_t at = 0; at < server.length; at += server.chunk)
		if (send(fd, server.reply + at, MIN(server.chunk, server.length - at),
			 MSG_NOSIGNAL) < 0)
			break;
	while (server.silent && recv(fd, server.request, sizeof(server.request), 0) > 0)
		;
	close(fd);
	return NULL;
}

static int ask(const char *reply, size_t length, size_t chunk, const char *body,
	       struct http_reply *ret)
{
	pthread_t thread;
	int r;

	server.reply = reply;
	server.length = length;
	server.chunk = chunk;
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	r = http_request(path, body ? "POST" : "GET", "/status", body,
			 server.silent ? 300 : TIMEOUT_MS, ret);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return r;
}

struct answer {
	const char *reply;
	int result;
	unsigned int status;
	const char *body;
};

#define OK "HTTP/1.1 200 OK\r\n"

static const struct answer answers[] = {
	{OK "Content-Length: 2\r\n\r\n{}", 0, 200, "{}"},
	{OK "content-length:2 \r\nX: y\r\n\r\n{}", 0, 200, "{}"},
	{OK "Content-Length: 0\r\n\r\n", 0, 200, ""},
	/* what is behind the body is not its part */
	{OK "Content-Length: 2\r\n\r\n{}HTTP/1.1 500 X\r\n\r\n", 0, 200, "{}"},
	{OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 0, 200, "{}"},
	{OK "\r\n{\"a\":1}", 0, 200, "{\"a\":1}"},
	{"HTTP/1.0 404 Not Found\r\n\r\n", 0, 404, ""},
	{"HTTP/1.1 599\r\n\r\n", 0, 599, ""},
	/* half answers */
	{"", -ECONNRESET, 0, NULL},
	{"HTTP/", -ECONNRESET, 0, NULL},
	{"HTTP/1.1 200 O", -ECONNRESET, 0, NULL},
	{OK "Content-Length: 2\r\n", -ECONNRESET, 0, NULL},
	{OK "Content-Length: 3\r\n\r\n{}", -ECONNRESET, 0, NULL},
	/* no answers of the daemon's */
	{"SSH-2.0-OpenSSH\r\n", -EPROTO, 0, NULL},
	{"\r\n\r\n", -EPROTO, 0, NULL},
	{"HTTP/2 200 OK\r\n\r\n", -EPROTO, 0, NULL},
	{"HTTP/1.1 20 OK\r\n\r\n", -EPROTO, 0, NULL},
	{"HTTP/1.1 2000 OK\r\n\r\n", -EPROTO, 0, NULL},
	{"HTTP/1.1 -20 OK\r\n\r\n", -EPROTO, 0, NULL},
	{"HTTP/1.1 100 Continue\r\n\r\n", -EPROTO, 0, NULL},
	{"HTTP/1.1 \r\n\r\n", -EPROTO, 0, NULL},
	{OK "Content-Length: -1\r\n\r\n", -EPROTO, 0, NULL},
	{OK "Content-Length: 2x\r\n\r\n{}", -EPROTO, 0, NULL},
	{OK "Content-Length:\r\n\r\n", -EPROTO, 0, NULL},
	{OK "Content-Length: 99999999999999999999999\r\n\r\n", -EPROTO, 0, NULL},
	{OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", -EPROTO, 0, NULL},
	{OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", -EPROTO, 0, NULL},
	{OK "Content-Length: 67108865\r\n\r\n{}", -EFBIG, 0, NULL},
	{OK "Content-Length: 18446744073709551614\r\n\r\n{}", -EFBIG, 0, NULL},
};

static void check_answer(const struct answer *a, size_t chunk)
{
	struct http_reply reply = {.status = 7, .body = (char *)"untouched"};
	int r = ask(a->reply, strlen(a->reply), chunk, NULL, &reply);

	if (r != a->result)
		fail_msg("%s: %s", a->reply, strerror(-r));
	if (r < 0) {
		assert_int_equal(reply.status, 7);
		return;
	}
	assert_int_equal(reply.status, a->status);
	assert_string_equal(reply.body, a->body);
	assert_int_equal(reply.length, strlen(a->body));
	free(reply.body);
}

static void whole(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		check_answer(&answers[i], SIZE_MAX);
}

static void byte_by_byte(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		check_answer(&answers[i], 1);
}

static void what_is_asked(void **state)
{
	static const char reply[] = OK "Content-Length: 2\r\n\r\n{}";
	struct http_reply answer;

	assert_int_equal(ask(reply, strlen(reply), 99, NULL, &answer), 0);
	free(answer.body);
	assert_int_equal(strncmp(server.request, "GET /status HTTP/1.1\r\n", 22), 0);
	assert_non_null(strstr(server.request, "\r\nHost: localhost\r\n"));
	assert_non_null(strstr(server.request, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(server.request, "\r\nContent-Length: 0\r\n"));

	assert_int_equal(ask(reply, strlen(reply), 99, "{\"for\":3}", &answer), 0);
	free(answer.body);
	assert_int_equal(strncmp(server.request, "POST /status HTTP/1.1\r\n", 23), 0);
	assert_non_null(strstr(server.request, "\r\nContent-Length: 9\r\n"));
	assert_string_equal(strstr(server.request, "\r\n\r\n"), "\r\n\r\n{\"for\":3}");
}

static void nul_bytes(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n{}";
	static const char body[] = OK "Content-Length: 3\r\n\r\na\0b";
	struct http_reply reply;

	assert_int_equal(ask(head, sizeof(head) - 1, 99, NULL, &reply), -EPROTO);
	assert_int_equal(ask(body, sizeof(body) - 1, 99, NULL, &reply), 0);
	assert_int_equal(reply.length, 3);
	assert_memory_equal(reply.body, "a\0b", 4);
	free(reply.body);
}

/* Headers without end, a body without end: it is given up, and memory is bounded. */
static void giants(void **state)
{
	size_t size = (size_t)HTTP_BODY_MAX + 100;
	char *text = malloc(size);
	struct http_reply reply;

	assert_non_null(text);
	memset(text, 'a', size);
	memcpy(text, OK, strlen(OK));
	assert_int_equal(ask(text, 20000, SIZE_MAX, NULL, &reply), -EPROTO);
	assert_int_equal(ask(text, size, SIZE_MAX, NULL, &reply), -EPROTO);
	memcpy(text, OK "\r\n", strlen(OK "\r\n"));
	assert_int_equal(ask(text, size, SIZE_MAX, NULL, &reply), -EFBIG);
	size = (size_t)HTTP_BODY_MAX + strlen(OK "\r\n"); /* as much as may come */
	assert_int_equal(ask(text, size, SIZE_MAX, NULL, &reply), 0);
	assert_int_equal(reply.length, HTTP_BODY_MAX);
	free(reply.body);
	free(text);
}

static void server_that_does_not_listen(void **state)
{
	static const char reply[] = "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}";
	struct http_reply answer;

	char *large = calloc(1, 4 << 20); /* more than the socket takes in */

	assert_non_null(large);
	memset(large, ' ', (4 << 20) - 1);
	server.deaf = true;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(reply, strlen(reply), 99, i ? large : NULL, &answer), 0);
		assert_int_equal(answer.status, 503);
		free(answer.body);
	}
	server.deaf = false;
	free(large);
}

static void silence(void **state)
{
	static const char half[] = OK "Content-Length: 5\r\n\r\n{";
	struct http_reply reply;

	server.silent = true;
	assert_int_equal(ask("", 0, 1, NULL, &reply), -ETIMEDOUT);
	assert_int_equal(ask(half, strlen(half), 99, NULL, &reply), -ETIMEDOUT);
	server.silent = false;
}

/* Nobody accepts, and there is no room to wait in. */
static void full_backlog(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct http_reply reply;
	int fds[8];
	size_t count = 0;
	char other[80];

	snprintf(other, sizeof(other), "%s/other", place);
	strcpy(address.sun_path, other);
	fds[count++] = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fds[0], (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fds[0], 0), 0);
	for (; count < ARRAY_SIZE(fds); count++) {
		fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fds[count], (struct sockaddr *)&address, sizeof(address)) < 0)
			break;
	}
	assert_true(count < ARRAY_SIZE(fds) && errno == EAGAIN);
	assert_int_equal(http_request(other, "GET", "/", NULL, 200, &reply), -ETIMEDOUT);
	for (size_t i = 0; i <= count; i++)
		close(fds[i]);
	unlink(other);
}

static void nobody_there(void **state)
{
	char long_path[200], other[80];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct http_reply reply;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(other, sizeof(other), "%s/other", place);
	assert_int_equal(http_request(other, "GET", "/", NULL, TIMEOUT_MS, &reply), -ENOENT);
	strcpy(address.sun_path, other);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(http_request(other, "GET", "/", NULL, TIMEOUT_MS, &reply), -ECONNREFUSED);
	unlink(other);
	memset(long_path, 'a', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(http_request(long_path, "GET", "/", NULL, TIMEOUT_MS, &reply),
			 -ENAMETOOLONG);
}

static int listen_here(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (!mkdtemp(place))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", place);
	strcpy(address.sun_path, path);
	server.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (server.listener < 0 ||
	    bind(server.listener, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return listen(server.listener, 5);
}

static int clean_up(void **state)
{
	close(server.listener);
	return unlink(path) < 0 || rmdir(place) < 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),	 cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(what_is_asked), cmocka_unit_test(nul_bytes),
		cmocka_unit_test(giants),	 cmocka_unit_test(server_that_does_not_listen),
		cmocka_unit_test(silence),	 cmocka_unit_test(full_backlog),
		cmocka_unit_test(nobody_there),
	};

	return cmocka_run_group_tests_name("http", tests, listen_here, clean_up);
}
