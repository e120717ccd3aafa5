/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "quantity.h"

/* The status line and all headers. */
#define HEAD_MAX 16384

/* What has come so far. */
struct reader {
	int fd;
	uint64_t deadline; /* now_ms() */
	char *text;	   /* a NUL behind it */
	size_t length, room;
};

static int open_socket(const char *path, uint64_t timeout_ms, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	/* For connect() as well: it waits for room among those who wait to be accepted. */
	struct timeval limit = {.tv_sec = (time_t)(timeout_ms / 1000),
				.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000)};
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* A server may answer without having read all, and close: then its answer counts. */
static int send_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = send(fd, text, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

static int send_request(int fd, const char *method, const char *target, const char *body)
{
	_cleanup_free_ char *request = NULL;
	int length = asprintf(&request,
			      "%s %s HTTP/1.1\r\n"
			      "Host: localhost\r\n"
			      "Connection: close\r\n"
			      "Content-Type: application/json\r\n"
			      "Content-Length: %zu\r\n"
			      "\r\n"
			      "%s",
			      method, target, body ? strlen(body) : 0, body ? body : "");

	if (length < 0) {
		request = NULL; /* asprintf leaves it undefined */
		return -ENOMEM;
	}
	return send_all(fd, request, (size_t)length);
}

/* Reads once, up to so many bytes in all. Returns 0 at the end, 1 when something came. */
static int read_more(struct reader *r, size_t most)
{
	struct pollfd wait = {.fd = r->fd, .events = POLLIN};
	uint64_t now = now_ms();
	ssize_t n;

	if (r->room < r->length + 1024) {
		size_t room = MAX(r->room * 2, (size_t)8192);
		char *text = realloc(r->text, room);

		if (!text)
			return -ENOMEM;
		r->text = text;
		r->room = room;
	}
	if (now >= r->deadline)
		return -ETIMEDOUT;
	n = poll(&wait, 1, (int)MIN(r->deadline - now, (uint64_t)60000));
	if (n > 0)
		n = recv(r->fd, r->text + r->length, MIN(r->room - r->length - 1, most - r->length),
			 MSG_DONTWAIT);
	else if (n == 0)
		return 1; /* the clock decides */
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	r->length += (size_t)n;
	r->text[r->length] = '\0';
	return n > 0;
}

/* Where the body begins; NULL: the head is not whole yet. */
static char *head_end(const struct reader *r)
{
	char *end = r->text ? memmem(r->text, r->length, "\r\n\r\n", 4) : NULL;

	return end ? end + 4 : NULL;
}

/* "HTTP/1.1 200 OK" */
static int parse_status(const char *head, unsigned int *ret)
{
	uint64_t status;
	char digits[4];

	if (strncmp(head, "HTTP/1.", 7) != 0 || (head[7] != '0' && head[7] != '1') ||
	    head[8] != ' ' || strnlen(head, 12) < 12 || (head[12] != ' ' && head[12] != '\r'))
		return -EPROTO;
	memcpy(digits, head + 9, 3);
	digits[3] = '\0';
	if (quantity_parse_count(digits, &status) < 0 || status < 200 || status > 599)
		return -EPROTO;
	*ret = (unsigned int)status;
	return 0;
}

/* The body's length; UINT64_MAX: up to the end of the connection. The head is cut up. */
static int parse_headers(char *head, uint64_t *ret_length)
{
	uint64_t length = UINT64_MAX, value;
	char *line;

	strsep(&head, "\n"); /* the status line */
	while ((line = strsep(&head, "\n"))) {
		char *name = strsep(&line, ":");

		if (!line)
			continue;
		line += strspn(line, " \t");
		line[strcspn(line, " \t\r")] = '\0';
		if (strcasecmp(name, "Transfer-Encoding") == 0)
			return -EPROTO; /* the daemon does not, and nothing stands between */
		if (strcasecmp(name, "Content-Length") != 0)
			continue;
		if (quantity_parse_count(line, &value) < 0 ||
		    (length != UINT64_MAX && length != value))
			return -EPROTO;
		length = value;
	}
	*ret_length = length;
	return 0;
}

static int read_head(struct reader *r, unsigned int *ret_status, uint64_t *ret_length,
		     size_t *ret_begin)
{
	char *body;
	int n;

	while (!(body = head_end(r))) {
		if (r->length >= HEAD_MAX)
			return -EPROTO;
		n = read_more(r, HEAD_MAX);
		if (n < 0)
			return n;
		if (n == 0 && strncmp(r->text, "HTTP/1.", MIN(r->length, 7)) != 0)
			return -EPROTO;
		if (n == 0)
			return -ECONNRESET;
	}
	if (memchr(r->text, '\0', (size_t)(body - r->text)))
		return -EPROTO;
	body[-1] = '\0';
	n = parse_status(r->text, ret_status);
	if (n < 0)
		return n;
	*ret_begin = (size_t)(body - r->text);
	return parse_headers(r->text, ret_length);
}

static int read_reply(struct reader *r, struct http_reply *ret)
{
	unsigned int status = 0;
	uint64_t length = 0;
	size_t begin = 0;
	int n = read_head(r, &status, &length, &begin);

	if (n < 0)
		return n;
	if (length > HTTP_BODY_MAX && length != UINT64_MAX)
		return -EFBIG;
	/* One byte more than may come tells that too much did. */
	while (r->length - begin < length) {
		n = read_more(r, begin + (size_t)MIN(length, HTTP_BODY_MAX + 1));
		if (n < 0)
			return n;
		if (r->length - begin > HTTP_BODY_MAX)
			return -EFBIG;
		if (n == 0 && length != UINT64_MAX)
			return -ECONNRESET;
		if (n == 0)
			break;
	}
	if (length == UINT64_MAX)
		length = r->length - begin;
	memmove(r->text, r->text + begin, (size_t)length);
	r->text[length] = '\0';
	*ret = (struct http_reply){.status = status, .body = r->text, .length = (size_t)length};
	r->text = NULL;
	return 0;
}

int http_request(const char *socket_path, const char *method, const char *target, const char *body,
		 uint64_t timeout_ms, struct http_reply *ret)
{
	struct reader reader = {.deadline = now_ms() + timeout_ms};
	_cleanup_close_ int fd = -1;
	int r = open_socket(socket_path, timeout_ms, &fd);

	if (r < 0)
		return r;
	r = send_request(fd, method, target, body);
	if (r < 0)
		return r;
	reader.fd = fd;
	r = read_reply(&reader, ret);
	free(reader.text);
	return r;
}
