/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <sys/un.h>

#include "quantity.h"
#include "text.h"

/* What the kernel takes (CACHEFILES_MAX_YIELD_MS). */
#define YIELD_MAX_SECONDS 600

/* freeze: "refuse", or "yield" and how long the kernel lets the freezer wait for it. */

static int parse_freeze(const struct directive *d, struct config *c, const char *value,
			struct complaint *why)
{
	const char *time = value + strcspn(value, " \t");
	size_t word = (size_t)(time - value);
	uint64_t seconds = YIELD_DEFAULT_SECONDS;
	bool yield = word == 5 && strncmp(value, "yield", 5) == 0;
	int r;

	time += strspn(time, " \t");
	if (!yield && !(word == 6 && strncmp(value, "refuse", 6) == 0))
		return refuse(why, "%s is neither refuse nor yield", text_quote(value).text);
	if (!yield && *time)
		return refuse(why, "%s: refuse takes no time", text_quote(value).text);
	if (*time) {
		r = quantity_parse_time(time, &seconds);
		if (r == -EINVAL)
			return refuse(why, "%s is not a time like 10s", text_quote(time).text);
		if (r < 0 || seconds < 1 || seconds > YIELD_MAX_SECONDS)
			return refuse(why, "%s is out of range: 1s to %s", text_quote(time).text,
				      quantity_exact_time(YIELD_MAX_SECONDS).text);
	}
	c->freeze = yield ? POLICY_YIELD : POLICY_REFUSE;
	c->yield_seconds = seconds;
	return 0;
}

static void print_freeze(const struct directive *d, const struct config *c, FILE *to)
{
	if (c->freeze == POLICY_YIELD)
		fprintf(to, "%s yield %s\n", d->name, quantity_exact_time(c->yield_seconds).text);
	else
		fprintf(to, "%s refuse\n", d->name);
}

static bool same_freeze(const struct directive *d, const struct config *a, const struct config *b)
{
	return a->freeze == b->freeze &&
	       (a->freeze == POLICY_REFUSE || a->yield_seconds == b->yield_seconds);
}

static int parse_remount(const struct directive *d, struct config *c, const char *value,
			 struct complaint *why)
{
	if (!streq(value, "refuse") && !streq(value, "yield"))
		return refuse(why, "%s is neither refuse nor yield", text_quote(value).text);
	c->remount = streq(value, "yield") ? POLICY_YIELD : POLICY_REFUSE;
	return 0;
}

static void print_remount(const struct directive *d, const struct config *c, FILE *to)
{
	fprintf(to, "%s %s\n", d->name, c->remount == POLICY_YIELD ? "yield" : "refuse");
}

static bool same_remount(const struct directive *d, const struct config *a, const struct config *b)
{
	return a->remount == b->remount;
}

/* Texts that may be absent. */

static char **text_of(const struct directive *d, struct config *c)
{
	return (char **)(void *)((char *)c + d->offset);
}

static const char *const_text_of(const struct directive *d, const struct config *c)
{
	return *(const char *const *)(const void *)((const char *)c + d->offset);
}

static int set_text(const struct directive *d, struct config *c, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	free(*text_of(d, c));
	*text_of(d, c) = copy;
	return 0;
}

static bool same_text(const struct directive *d, const struct config *a, const struct config *b)
{
	const char *x = const_text_of(d, a), *y = const_text_of(d, b);

	return x && y ? streq(x, y) : x == y;
}

/* Set by default: its absence has a word. */
static void print_or_none(const struct directive *d, const struct config *c, FILE *to)
{
	const char *text = const_text_of(d, c);

	fprintf(to, "%s %s\n", d->name, text ? text : "none");
}

static void print_or_comment(const struct directive *d, const struct config *c, FILE *to)
{
	const char *text = const_text_of(d, c);

	fprintf(to, "%s%s %s\n", text ? "" : "# ", d->name, text ? text : d->argument);
}

static int check_socket_path(const char *value, struct complaint *why)
{
	if (strlen(value) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return refuse(why, "%s is too long for a socket, %zu bytes at most",
			      text_quote(value).text,
			      sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	if (value[strlen(value) - 1] == '/')
		return refuse(why, "%s names a directory, not a socket", text_quote(value).text);
	return 0;
}

static int parse_control(const struct directive *d, struct config *c, const char *value,
			 struct complaint *why)
{
	int r;

	if (streq(value, "none"))
		return set_text(d, c, NULL);
	if (*value != '/')
		return refuse(why, "%s is neither an absolute path nor none",
			      text_quote(value).text);
	r = check_socket_path(value, why);
	return r < 0 ? r : set_text(d, c, value);
}

static int parse_group(const struct directive *d, struct config *c, const char *value,
		       struct complaint *why)
{
	if (strpbrk(value, " \t:/"))
		return refuse(why, "%s is not the name of a group", text_quote(value).text);
	return set_text(d, c, value);
}

int policies_parse_address(const char *text, struct sockaddr_storage *ret, unsigned int *ret_length)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2] = "";
	size_t length = colon ? (size_t)(colon - text) : 0;
	uint64_t port;

	if (!colon || length == 0 || length >= sizeof(host) ||
	    quantity_parse_count(colon + 1, &port) < 0 || port < 1 || port > 65535)
		return -EINVAL;
	memcpy(host, text, length);
	memset(ret, 0, sizeof(*ret));
	if (host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &six->sin6_addr) != 1)
			return -EINVAL;
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		*ret_length = sizeof(*six);
		return 0;
	}
	if (!streq(host, "*") && inet_pton(AF_INET, host, &four->sin_addr) != 1)
		return -EINVAL;
	four->sin_family = AF_INET;
	four->sin_port = htons((uint16_t)port);
	*ret_length = sizeof(*four);
	return 0;
}

static int parse_endpoint(const struct directive *d, struct config *c, const char *value,
			  struct complaint *why)
{
	struct sockaddr_storage address;
	unsigned int length;
	int r = 0;

	if (*value == '/')
		r = check_socket_path(value, why);
	else if (policies_parse_address(value, &address, &length) < 0)
		r = refuse(
			why,
			"%s is neither an address and port like 127.0.0.1:9100 or [::1]:9100 nor "
			"an absolute path",
			text_quote(value).text);
	return r < 0 ? r : set_text(d, c, value);
}

const struct directive_type type_freeze = {parse_freeze, print_freeze, same_freeze};
const struct directive_type type_remount = {parse_remount, print_remount, same_remount};
const struct directive_type type_control = {parse_control, print_or_none, same_text};
const struct directive_type type_group = {parse_group, print_or_comment, same_text};
const struct directive_type type_endpoint = {parse_endpoint, print_or_comment, same_text};
