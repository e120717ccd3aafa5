/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "selection.h"

/* The number and the fan-out share 32 bits. */
#define VOLUMES_TOP (UINT32_MAX >> 8)

void selection_start(struct selection *s, uint64_t blocks, uint64_t files, size_t memory)
{
	selection_clear(s);
	victims_start(&s->victims, blocks, files, memory);
}

void selection_clear(struct selection *s)
{
	for (size_t i = 0; i < s->volume_count; i++)
		free(s->volumes[i]);
	free(s->volumes);
	victims_free(&s->victims);
	*s = (struct selection){0};
}

int selection_add_volume(struct selection *s, const char *key, uint32_t *ret_number)
{
	size_t bytes = strlen(key) + 1 + sizeof(*s->volumes);
	char **volumes;

	if (s->volume_count >= VOLUMES_TOP || s->volume_bytes + bytes > s->victims.memory / 4)
		return -ENOSPC;
	volumes = reallocarray(s->volumes, s->volume_count + 1, sizeof(*volumes));
	if (!volumes)
		return -ENOMEM;
	s->volumes = volumes;
	volumes[s->volume_count] = strdup(key);
	if (!volumes[s->volume_count])
		return -ENOMEM;
	s->volume_bytes += bytes;
	*ret_number = (uint32_t)s->volume_count++;
	return 0;
}

void selection_restart(struct selection *s)
{
	struct victims *v = &s->victims;
	size_t left = selection_left(s);

	if (v->count > 0)
		memmove(v->items + s->kept, v->items + s->at, left * sizeof(*v->items));
	v->count = s->kept + left;
	s->at = s->kept = 0;
}

void selection_keep(struct selection *s, const struct victim *victim)
{
	s->victims.items[s->kept++] = *victim;
}
