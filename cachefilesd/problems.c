/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "problems.h"

#include <stdarg.h>

#include "text.h"

static void add(struct problems *p, char *line)
{
	char **lines;

	/* Names of files may hold anything; what is shown shall be one line and harmless. */
	for (char *at = line; *at; at++)
		if (text_is_control((unsigned char)*at))
			*at = '?';
	lines = reallocarray(p->lines, p->count + 1, sizeof(*lines));
	if (!lines) {
		free(line);
		p->lost = true;
		return;
	}
	lines[p->count++] = line;
	p->lines = lines;
}

void problems_add(struct problems *p, const char *file, unsigned int line, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	char *whole = NULL;
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = vasprintf(&message, format, arguments);
	va_end(arguments);
	if (r < 0) {
		message = NULL; /* vasprintf leaves it undefined */
		p->lost = true;
		return;
	}
	if (line > 0)
		r = asprintf(&whole, "%s:%u: %s", file, line, message);
	else
		r = asprintf(&whole, "%s: %s", file, message);
	if (r < 0)
		p->lost = true;
	else
		add(p, whole);
}

void problems_print(const struct problems *p, FILE *to)
{
	for (size_t i = 0; i < p->count; i++)
		fprintf(to, "%s\n", p->lines[i]);
	if (p->lost)
		fputs("Out of memory: there may be more problems\n", to);
}

bool problems_any(const struct problems *p)
{
	return p->count > 0 || p->lost;
}

void problems_clear(struct problems *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->lines[i]);
	free(p->lines);
	*p = (struct problems){0};
}
