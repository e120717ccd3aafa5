/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>

/*
 * The kernel copies a command into one page at most and answers EOPNOTSUPP to longer ones; PATH_MAX
 * and the word fit.
 */
#define COMMAND_MAX 4096

/* The line has at most some 200 bytes today; longer ones of kernels to come fit too. */
#define STATE_MAX 1024

int device_open(int *ret_fd)
{
	int fd = open(DEVICE_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int device_command(int fd, const char *word, const char *argument)
{
	char line[COMMAND_MAX];
	ssize_t written;
	int length;

	length = snprintf(line, sizeof(line), argument ? "%s %s" : "%s", word, argument);
	if (length < 0 || (size_t)length >= sizeof(line))
		return -ENAMETOOLONG;
	do
		written = write(fd, line, (size_t)length);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return -errno;
	return written == length ? 0 : -EIO;
}

static int set_percent(int fd, const char *word, unsigned int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u%%", value);
	return device_command(fd, word, text);
}

/*
 * stop < cull < run < 100 must hold after each single write. First run goes to 99, then cull to 98,
 * which both always fit above what is in force; stop then fits below, and cull and run come down to
 * what they shall be. A value that is 99 or 98 already is accepted as well.
 */
static int set_three(int fd, const char *run, unsigned int run_value, const char *cull,
		     unsigned int cull_value, const char *stop, unsigned int stop_value)
{
	int r;

	if ((r = set_percent(fd, run, 99)) < 0 || (r = set_percent(fd, cull, 98)) < 0 ||
	    (r = set_percent(fd, stop, stop_value)) < 0 ||
	    (r = set_percent(fd, cull, cull_value)) < 0)
		return r;
	return set_percent(fd, run, run_value);
}

int device_set_limits(int fd, const struct limits *l)
{
	int r = set_three(fd, "brun", l->brun, "bcull", l->bcull, "bstop", l->bstop);

	return r < 0 ? r : set_three(fd, "frun", l->frun, "fcull", l->fcull, "fstop", l->fstop);
}

int device_set_debug(unsigned int mask)
{
	_cleanup_close_ int fd = -1;
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", mask);

	fd = open("/sys/module/cachefiles/parameters/debug", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)length) < 0)
		return -errno;
	return 0;
}

int device_bind(int fd)
{
	return device_command(fd, "bind", NULL);
}

int device_unbind(int fd)
{
	return device_command(fd, "unbind", NULL);
}

int device_knows_unbind(int fd)
{
	int r = device_unbind(fd);

	switch (-r) {
	case 0: /* it was dead after a bind that failed, and is not any more */
	case ENODATA:
		return 1;
	case EOPNOTSUPP:
		return 0;
	default:
		return r;
	}
}

int device_set_yield(int fd, unsigned int ms)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", ms);
	return device_command(fd, "yield", text);
}

int device_parse_state(const char *line, struct device_state *ret)
{
	struct device_state state = {0};
	uint64_t cull = UINT64_MAX, released[2] = {UINT64_MAX, UINT64_MAX};
	uint64_t claim = UINT64_MAX, dead = 0;
	const struct {
		const char *key;
		uint64_t *value;
	} keys[] = {
		{"cull", &cull},	 {"brun", &state.brun},	      {"bcull", &state.bcull},
		{"bstop", &state.bstop}, {"frun", &state.frun},	      {"fcull", &state.fcull},
		{"fstop", &state.fstop}, {"breleased", &released[0]}, {"freleased", &released[1]},
		{"wclaim", &claim},	 {"frzref", &state.frzref},   {"roref", &state.roref},
		{"dead", &dead},
	};

	for (const char *at = line; *at;) {
		size_t length = strcspn(at, " \t\n");
		const char *equals = memchr(at, '=', length);

		for (size_t i = 0; equals && i < ARRAY_SIZE(keys); i++) {
			char *end;

			if (strncmp(at, keys[i].key, (size_t)(equals - at)) != 0 ||
			    keys[i].key[equals - at] != '\0')
				continue;
			errno = 0;
			if (!isxdigit((unsigned char)equals[1]))
				return -EBADMSG;
			*keys[i].value = strtoull(equals + 1, &end, 16);
			if (errno || end != at + length)
				return -EBADMSG;
		}
		at += length;
		at += strspn(at, " \t\n");
	}
	if (cull > 1) /* absent as well */
		return -EBADMSG;
	state.cull = cull == 1;
	state.counts_released = released[0] != UINT64_MAX && released[1] != UINT64_MAX;
	if (state.counts_released) {
		state.breleased = released[0];
		state.freleased = released[1];
	}
	state.has_claim = claim != UINT64_MAX;
	state.claimed = state.has_claim && claim != 0;
	state.dead = dead != 0;
	*ret = state;
	return 0;
}

int device_read_state(int fd, struct device_state *ret)
{
	char line[STATE_MAX];
	ssize_t length;

	do
		length = read(fd, line, sizeof(line) - 1);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	if (length == 0)
		return -ENODATA;
	line[length] = '\0';
	if (strlen(line) != (size_t)length)
		return -EBADMSG;
	return device_parse_state(line, ret);
}

int device_probe(int fd)
{
	/* No kernel knows the word: a living cache says so, a dead one says that it is dead. */
	int r = device_command(fd, "probe", NULL);

	if (r == -EOPNOTSUPP || r == 0)
		return 1;
	return r == -EIO ? 0 : r;
}

enum cull_verdict device_cull(int fd, const char *name, int *ret_error)
{
	int r = device_command(fd, "cull", name);

	*ret_error = -r;
	switch (-r) {
	case 0:
		return CULL_DONE;
	case EBUSY:
		return CULL_BUSY;
	case ENOENT:
	case ESTALE:
		return CULL_GONE;
	case EIO:
		/* Dead, or only this one: too long a name, or grabbed between two checks. */
		return device_probe(fd) == 0 ? CULL_DEAD : CULL_SKIP;
	case EINVAL:
	case ENAMETOOLONG:
	case EOPNOTSUPP:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
		return CULL_SKIP;
	default:
		return CULL_DENIED;
	}
}

int device_in_use(int fd, const char *name)
{
	int r = device_command(fd, "inuse", name);

	return r == -EBUSY ? 1 : r;
}
