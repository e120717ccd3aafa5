/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "victims.h"

/*
 * Invariants while a selection runs: items is a max-heap by last use; taking its top away would
 * leave less than is wanted, or else the top goes; items and arena together stay below memory.
 */

void victims_start(struct victims *v, uint64_t want_blocks, uint64_t want_files, size_t memory)
{
	victims_free(v);
	v->want_blocks = want_blocks;
	v->want_files = want_files;
	v->memory = memory;
}

void victims_free(struct victims *v)
{
	free(v->items);
	free(v->arena);
	*v = (struct victims){0};
}

static void sift_down(struct victims *v, size_t at)
{
	struct victim moved = v->items[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= v->count)
			break;
		if (child + 1 < v->count && v->items[child + 1].used > v->items[child].used)
			child++;
		if (v->items[child].used <= moved.used)
			break;
		v->items[at] = v->items[child];
		at = child;
	}
	v->items[at] = moved;
}

static void sift_up(struct victims *v, size_t at)
{
	struct victim moved = v->items[at];

	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (v->items[parent].used >= moved.used)
			break;
		v->items[at] = v->items[parent];
		at = parent;
	}
	v->items[at] = moved;
}

static void drop_youngest(struct victims *v)
{
	struct victim *top = &v->items[0];

	v->blocks -= top->blocks;
	v->arena_dead += strlen(victims_name(v, top)) + 1;
	*top = v->items[--v->count];
	if (v->count > 0)
		sift_down(v, 0);
}

static bool enough_without_youngest(const struct victims *v)
{
	return v->count > 0 && v->blocks - v->items[0].blocks >= v->want_blocks &&
	       v->count - 1 >= v->want_files;
}

static int by_name_offset(const void *a, const void *b)
{
	const struct victim *x = *(const struct victim *const *)a;
	const struct victim *y = *(const struct victim *const *)b;

	return (x->name > y->name) - (x->name < y->name);
}

/* Moves the living names together. */
static int compact_arena(struct victims *v)
{
	struct victim **order = malloc((v->count + 1) * sizeof(*order));
	size_t used = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < v->count; i++)
		order[i] = &v->items[i];
	qsort(order, v->count, sizeof(*order), by_name_offset);
	for (size_t i = 0; i < v->count; i++) {
		size_t length = strlen(v->arena + order[i]->name) + 1;

		memmove(v->arena + used, v->arena + order[i]->name, length);
		order[i]->name = (uint32_t)used;
		used += length;
	}
	free(order);
	v->arena_used = used;
	v->arena_dead = 0;
	return 0;
}

static int make_room(struct victims *v, size_t length)
{
	if (v->count == v->room) {
		size_t room = v->room ? v->room + v->room / 2 : 1024;
		struct victim *items = realloc(v->items, room * sizeof(*items));

		if (!items)
			return -ENOMEM;
		v->items = items;
		v->room = room;
	}
	if (v->arena_used + length > v->arena_room && v->arena_dead > v->arena_used / 2) {
		int r = compact_arena(v);

		if (r < 0)
			return r;
	}
	if (v->arena_used + length > v->arena_room) {
		size_t room = v->arena_room ? v->arena_room + v->arena_room / 2 : 65536;
		char *arena;

		if (room > UINT32_MAX)
			return -ENOMEM;
		arena = realloc(v->arena, room);
		if (!arena)
			return -ENOMEM;
		v->arena = arena;
		v->arena_room = room;
	}
	return 0;
}

bool victims_wants(const struct victims *v, int64_t used)
{
	if (v->count == 0 || used < v->items[0].used)
		return true;
	/* Not older than the youngest: only while there is not enough yet. */
	return !v->full && (v->blocks < v->want_blocks || v->count < v->want_files);
}

/* Whether one more object of that name length would go over the ceiling. */
static bool at_ceiling(const struct victims *v, size_t length)
{
	return (v->count + 1) * sizeof(struct victim) + v->arena_used - v->arena_dead + length >
	       v->memory;
}

int victims_offer(struct victims *v, int64_t used, uint64_t blocks, uint32_t dir, const char *name)
{
	size_t length = strlen(name) + 1;
	int r;

	if (!victims_wants(v, used))
		return 0;
	while (at_ceiling(v, length)) {
		v->full = true;
		if (v->count == 0 || used >= v->items[0].used)
			return 0;
		drop_youngest(v);
	}
	r = make_room(v, length);
	if (r < 0)
		return r;
	memcpy(v->arena + v->arena_used, name, length);
	v->items[v->count] = (struct victim){
		.used = used,
		.blocks = (uint32_t)MIN(blocks, UINT32_MAX),
		.dir = dir,
		.name = (uint32_t)v->arena_used,
	};
	v->arena_used += length;
	v->blocks += v->items[v->count].blocks;
	sift_up(v, v->count++);
	while (enough_without_youngest(v))
		drop_youngest(v);
	return 1;
}

static int compare_age(const struct victim *x, const struct victim *y)
{
	return (x->used > y->used) - (x->used < y->used);
}

static int by_age(const void *a, const void *b)
{
	return compare_age(a, b);
}

static int by_dir(const void *a, const void *b)
{
	const struct victim *x = a, *y = b;

	if (x->dir != y->dir)
		return x->dir > y->dir ? 1 : -1;
	return compare_age(x, y);
}

void victims_sort(struct victims *v)
{
	if (v->count > 1)
		qsort(v->items, v->count, sizeof(*v->items), by_age);
}

void victims_group(struct victims *v, size_t from, size_t n)
{
	if (n > 1)
		qsort(v->items + from, n, sizeof(*v->items), by_dir);
}
