/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "directives.h"
#include "text.h"

/*
 * Every line fits into one command for the kernel, which takes a page less one byte, and a cache
 * directory of this length leaves room for what lies below it in PATH_MAX.
 */
#define LINE_LENGTH_MAX 4000

/* Nobody writes that much: it is another file, or one without an end. */
#define FILE_SIZE_MAX (1 << 20)

/* Where a directive was given last; file is NULL for one that was not. */
struct place {
	const char *file;
	unsigned int line;
	unsigned int sequence; /* counts over all files: the later of two is to blame */
	bool bad;	       /* its value was refused */
};

/* The reading of one configuration: a file and its drop-ins. */
struct reading {
	struct config *config;
	struct problems *problems;
	struct place places[DIRECTIVES];
	const char *file; /* in hand */
	unsigned int line;
	unsigned int sequence;
	bool crlf;    /* said already that this file has DOS line ends */
	bool partial; /* something could not be read: what the whole lacks may be in there */
};

/* What is wrong in the line in hand. */
#define COMPLAIN(r, ...) problems_add((r)->problems, (r)->file, (r)->line, __VA_ARGS__)

/* The same of (the rest of) a file that cannot be read. Returns 0: the others are read still. */
static int unreadable(struct reading *r, const char *why, int error)
{
	r->partial = true;
	COMPLAIN(r, "%s%s%s", why, error ? ": " : "", error ? strerror(error) : "");
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void complain_unknown(struct reading *r, const char *word)
{
	char start[32];
	const struct directive *near = directive_near(word);
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz_");

	if (length < sizeof(start)) {
		memcpy(start, word, length);
		start[length] = '\0';
		if (directive_find(start)) {
			COMPLAIN(r, "unknown directive %s, a blank must follow \"%s\"",
				 text_quote(word).text, start);
			return;
		}
	}
	if (near)
		COMPLAIN(r, "unknown directive %s, did you mean \"%s\"?", text_quote(word).text,
			 near->name);
	else
		COMPLAIN(r, "unknown directive %s", text_quote(word).text);
}

/* A comment behind a value would become part of it, and a path with one is found missing late. */
static bool has_comment(const char *value)
{
	for (const char *at = value; (at = strchr(at, '#')); at++)
		if (at == value || is_blank(at[-1]))
			return true;
	return false;
}

static int parse_value(struct reading *r, const struct directive *d, const char *value)
{
	struct place *place = &r->places[d - directives];
	struct complaint why = {.file = r->file, .line = r->line};
	int error;

	if (place->file == r->file && !d->repeats) {
		COMPLAIN(r, "%s was given on line %u already", d->name, place->line);
		return 0;
	}
	*place = (struct place){r->file, r->line, r->sequence++, true};
	if (!d->argument && *value) {
		COMPLAIN(r, "%s: takes no value, found %s", d->name, text_quote(value).text);
	} else if (d->argument && !*value) {
		COMPLAIN(r, "%s: the value is missing, %s wanted", d->name, d->argument);
	} else if (has_comment(value)) {
		COMPLAIN(r, "%s: a comment needs a line of its own", d->name);
	} else {
		error = d->type->parse(d, r->config, value, &why);
		if (error == -EINVAL)
			COMPLAIN(r, "%s: %s", d->name, why.text);
		else if (error < 0)
			return error;
		place->bad = error != 0;
	}
	return 0;
}

/* One line, ended by a NUL where its newline was. It may be changed. */
static int parse_line(struct reading *r, char *line, size_t length)
{
	const struct directive *d;
	char *value;

	if (length > LINE_LENGTH_MAX) {
		COMPLAIN(r, "the line is longer than %d bytes", LINE_LENGTH_MAX);
		return 0;
	}
	if (length > 0 && line[length - 1] == '\r') {
		if (!r->crlf)
			COMPLAIN(r, "the line ends in CR LF, as DOS has it: LF alone is wanted");
		r->crlf = true;
		length--;
	}
	while (length > 0 && is_blank(line[length - 1]))
		length--;
	line[length] = '\0';
	while (is_blank(*line)) {
		line++;
		length--;
	}
	if (*line == '\0' || *line == '#')
		return 0;

	if (!text_is_utf8(line, length)) {
		COMPLAIN(r, "the line is not UTF-8");
		return 0;
	}
	for (const char *at = line; *at; at++) {
		if (text_is_control((unsigned char)*at)) {
			COMPLAIN(r, "the line has a control character, \\x%02x",
				 (unsigned char)*at);
			return 0;
		}
	}

	value = line + strcspn(line, " \t");
	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t");
	d = directive_find(line);
	if (d)
		return parse_value(r, d, value);
	complain_unknown(r, line);
	return 0;
}

/* The text is followed by a NUL that does not count. */
static int parse_file_text(struct reading *r, char *text, size_t length)
{
	static const char mark[] = "\xef\xbb\xbf";
	char *end = text + length;
	int error = 0;

	r->line = 1;
	r->crlf = false;
	if (length >= 3 && memcmp(text, mark, 3) == 0) {
		COMPLAIN(r, "the file begins with a byte order mark: plain UTF-8 is wanted");
		text += 3;
	}
	for (; text < end && error == 0; r->line++) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_length = (size_t)((newline ? newline : end) - text);

		if (memchr(text, '\0', line_length)) {
			/* What follows is binary as well: a message for each line helps nobody. */
			return unreadable(r, "the line has a NUL byte: this is not a text file", 0);
		}
		error = parse_line(r, text, line_length);
		text += line_length + 1;
	}
	return error;
}

/* Returns the text with a NUL behind it, or an errno; -EFBIG when it is too long. */
static int read_all(int fd, char **ret, size_t *ret_length)
{
	_cleanup_free_ char *text = malloc(FILE_SIZE_MAX + 1);
	size_t length = 0;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	for (;;) {
		n = read(fd, text + length, FILE_SIZE_MAX + 1 - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
		if (length > FILE_SIZE_MAX)
			return -EFBIG;
	}
	text[length] = '\0';
	*ret = text;
	*ret_length = length;
	text = NULL;
	return 0;
}

/* /dev/null in place of a drop-in is how systemd's users switch one off. */
static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int read_config_file(struct reading *r, const char *file)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t length = 0;
	int error;

	r->file = file;
	r->line = 0;
	/* A FIFO that nobody writes to shall not hold us up. */
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return unreadable(r, "cannot be opened", errno);
	if (S_ISDIR(st.st_mode))
		return unreadable(r, "is a directory, not a file", 0);
	if (!S_ISREG(st.st_mode) && !is_null_device(&st))
		return unreadable(r, "is not a regular file", 0);
	error = read_all(fd, &text, &length);
	if (error == -ENOMEM)
		return error;
	if (error == -EFBIG)
		return unreadable(r, "is longer than a mebibyte", 0);
	if (error < 0)
		return unreadable(r, "cannot be read", -error);
	return parse_file_text(r, text, length);
}

struct names {
	char **names;
	size_t count;
};

static void names_clear(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->names[i]);
	free(n->names);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int names_add(struct names *n, const char *dir, const char *name)
{
	char **grown = reallocarray(n->names, n->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	n->names = grown;
	if (asprintf(&grown[n->count], "%s/%s", dir, name) < 0)
		return -ENOMEM;
	n->count++;
	return 0;
}

static bool is_drop_in(const char *name)
{
	size_t length = strlen(name);

	return *name != '.' && length > 5 && streq(name + length - 5, ".conf");
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* The drop-ins' paths in the order they are to be read. None is no problem. */
static int list_drop_ins(struct reading *r, const char *dir, struct names *names)
{
	_cleanup_(closedirp) DIR *d = opendir(dir);
	struct dirent *entry;

	r->file = dir;
	r->line = 0;
	if (!d && errno == ENOENT)
		return 0;
	if (!d)
		return unreadable(r, "cannot be opened", errno);
	while (errno = 0, (entry = readdir(d)))
		if (is_drop_in(entry->d_name) && names_add(names, dir, entry->d_name) < 0)
			return -ENOMEM;
	if (errno)
		unreadable(r, "cannot be read", errno);
	if (names->count > 0)
		qsort(names->names, names->count, sizeof(*names->names), compare_names);
	return 0;
}

/* stop < cull < run: each below the one behind it. That run is below 100 the value alone tells. */
static const struct order {
	enum directive_id low, high;
} orders[] = {
	{DIRECTIVE_BSTOP, DIRECTIVE_BCULL},
	{DIRECTIVE_BCULL, DIRECTIVE_BRUN},
	{DIRECTIVE_FSTOP, DIRECTIVE_FCULL},
	{DIRECTIVE_FCULL, DIRECTIVE_FRUN},
};

static unsigned int percent_of(const struct reading *r, enum directive_id id)
{
	unsigned int value;

	memcpy(&value, (const char *)r->config + directives[id].offset, sizeof(value));
	return value;
}

/* The line that was read last is the one that does not fit the others. */
static void check_order(struct reading *r, const struct order *order)
{
	const struct place *low = &r->places[order->low], *high = &r->places[order->high];
	bool low_is_later = low->file && (!high->file || low->sequence > high->sequence);
	enum directive_id id = low_is_later ? order->low : order->high;
	enum directive_id other = low_is_later ? order->high : order->low;
	const struct place *at = &r->places[id], *there = &r->places[other];
	const char *relation = low_is_later ? "below" : "above";

	if (low->bad || high->bad || percent_of(r, order->low) < percent_of(r, order->high))
		return;
	if (there->file)
		problems_add(r->problems, at->file, at->line,
			     "%s: %u%% must be %s %s, which is %u%% (%s:%u)", directives[id].name,
			     percent_of(r, id), relation, directives[other].name,
			     percent_of(r, other), there->file, there->line);
	else
		problems_add(r->problems, at->file, at->line,
			     "%s: %u%% must be %s %s, which is %u%% by default",
			     directives[id].name, percent_of(r, id), relation,
			     directives[other].name, percent_of(r, other));
}

/* What only the whole can tell. */
static int check_whole(struct reading *r)
{
	const struct place *dir = &r->places[DIRECTIVE_DIR];

	if (!dir->file)
		problems_add(r->problems, r->config->path, 0,
			     "no dir directive says where the cache is");
	else if (asprintf(&r->config->dir_at, "%s:%u", dir->file, dir->line) < 0) {
		r->config->dir_at = NULL;
		return -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		check_order(r, &orders[i]);
	return 0;
}

struct config *config_free(struct config *c)
{
	if (!c)
		return NULL;
	free(c->path);
	free(c->dir);
	free(c->dir_at);
	free(c->tag);
	free(c->secctx);
	rules_drop(c->rules);
	free(c->control);
	free(c->control_group);
	free(c->metrics);
	free(c);
	return NULL;
}

static void config_freep(struct config **c)
{
	config_free(*c);
}

/* The limits and the tag are the kernel's own defaults (cachefiles_daemon_open, _bind). */
static struct config *config_new(const char *path)
{
	struct config *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->path = strdup(path);
	c->tag = strdup("CacheFiles");
	c->control = strdup(CONTROL_DEFAULT_PATH);
	c->rules = rules_new();
	if (!c->path || !c->tag || !c->control || !c->rules)
		return config_free(c);
	c->limits = (struct limits){
		.brun = 7, .bcull = 5, .bstop = 1, .frun = 7, .fcull = 5, .fstop = 1};
	c->culltable = 12;
	c->resume_blocks = RESUME_IGNORED;
	c->resume_files = 5;
	c->memory = UINT64_C(64) << 20;
	c->yield_seconds = YIELD_DEFAULT_SECONDS;
	return c;
}

int config_load(const char *path, struct config **ret, struct problems *problems)
{
	_cleanup_(config_freep) struct config *c = config_new(path);
	_cleanup_(names_clear) struct names drop_ins = {0};
	_cleanup_free_ char *dir = NULL;
	struct reading r = {.config = c, .problems = problems};
	size_t before = problems->count;
	int error;

	if (!c)
		return -ENOMEM;
	if (asprintf(&dir, "%s.d", path) < 0) {
		dir = NULL;
		return -ENOMEM;
	}
	error = read_config_file(&r, path);
	if (error == 0)
		error = list_drop_ins(&r, dir, &drop_ins);
	for (size_t i = 0; i < drop_ins.count && error == 0; i++)
		error = read_config_file(&r, drop_ins.names[i]);
	if (error == 0 && !r.partial)
		error = check_whole(&r);
	if (error == 0 && problems->lost)
		error = -ENOMEM;
	if (error == 0 && problems->count > before)
		error = -EINVAL;
	if (error == 0) {
		*ret = c;
		c = NULL;
	}
	return error;
}

void config_dump(const struct config *c, FILE *to)
{
	for (size_t i = 0; i < DIRECTIVES; i++)
		directives[i].type->print(&directives[i], c, to);
}

const char *config_needs_restart(const struct config *now, const struct config *next, size_t *at)
{
	while (*at < DIRECTIVES) {
		const struct directive *d = &directives[(*at)++];

		if (!d->reloads && !d->type->same(d, now, next))
			return d->name;
	}
	return NULL;
}

void config_reload(struct config *now, const struct config *next)
{
	now->culltable = next->culltable;
	now->debug = next->debug;
	now->debug_set = next->debug_set;
	now->memory = next->memory;
	now->remount = next->remount;
	rules_drop(now->rules);
	now->rules = rules_hold(next->rules);
}
