/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "victims.h"

/*
 * Invariants while a selection runs: items and arena take less than memory; all that was offered
 * and is not there goes after all that is; once it is closed, everything in it goes before or is
 * the cut. A name in the arena has the number of its item before it, so that the living ones can be
 * moved together in one pass and without more memory.
 */

/* Not worth throwing out: so many are looked at in no time. */
#define FEW 1024

#define LABEL sizeof(uint32_t)

void victims_start(struct victims *v, uint64_t want_blocks, uint64_t want_files, size_t memory)
{
	victims_free(v);
	v->want_blocks = want_blocks;
	v->want_files = want_files;
	v->memory = memory;
	v->weed_at = FEW;
	v->random = 88172645463325252u;
}

void victims_free(struct victims *v)
{
	free(v->items);
	free(v->arena);
	*v = (struct victims){0};
}

/* ---- order ---- */

typedef bool (*before_fn)(const struct victim *x, const struct victim *y);

static inline bool goes_before(const struct victim *x, const struct victim *y)
{
	if (x->priority != y->priority)
		return x->priority < y->priority;
	if (x->used != y->used)
		return x->used < y->used;
	return x->name < y->name;
}

static inline bool lies_before(const struct victim *x, const struct victim *y)
{
	return x->dir != y->dir ? x->dir < y->dir : goes_before(x, y);
}

static inline void swap(struct victim *x, struct victim *y)
{
	struct victim z = *x;

	*x = *y;
	*y = z;
}

/* xorshift: no order that somebody gives to the ages makes us slow. */
static size_t draw(struct victims *v, size_t n)
{
	v->random ^= v->random << 13;
	v->random ^= v->random >> 7;
	v->random ^= v->random << 17;
	return v->random % n;
}

/*
 * Divides [low, high), of two at least, into those before one of them, it, and the others; returns
 * where it is. No two are equal.
 */
static inline size_t divide(struct victims *v, size_t low, size_t high, before_fn before)
{
	struct victim *items = v->items;
	size_t at = low;

	swap(&items[low + draw(v, high - low)], &items[high - 1]);
	for (size_t i = low; i < high - 1; i++)
		if (before(&items[i], &items[high - 1]))
			swap(&items[i], &items[at++]);
	swap(&items[at], &items[high - 1]);
	return at;
}

static inline void insert(struct victim *items, size_t n, before_fn before)
{
	for (size_t i = 1; i < n; i++) {
		struct victim moved = items[i];
		size_t at = i;

		for (; at > 0 && before(&moved, &items[at - 1]); at--)
			items[at] = items[at - 1];
		items[at] = moved;
	}
}

/* In place: the library's takes as much memory again. */
static inline void sort(struct victims *v, size_t low, size_t high, before_fn before)
{
	while (high - low > 16) {
		size_t at = divide(v, low, high, before);

		/* The smaller part by a call of its own: the depth is logarithmic. */
		if (at - low < high - at - 1) {
			sort(v, low, at, before);
			low = at + 1;
		} else {
			sort(v, at + 1, high, before);
			high = at;
		}
	}
	insert(v->items + low, high - low, before);
}

void victims_sort(struct victims *v, size_t from, size_t n)
{
	sort(v, from, from + n, goes_before);
}

void victims_group(struct victims *v, size_t from, size_t n)
{
	sort(v, from, from + n, lies_before);
}

size_t victims_front(struct victims *v, size_t from, uint64_t blocks, uint64_t files)
{
	size_t low = from, high = v->count;
	uint64_t sum = 0; /* of [from, low), which go first and are not enough */

	while (low < high) {
		size_t at = high - low > 1 ? divide(v, low, high, goes_before) : low;
		uint64_t part = 0;

		for (size_t i = low; i < at; i++)
			part += v->items[i].blocks;
		if (sum + part >= blocks && at - from >= files) {
			high = at;
			continue;
		}
		sum += part + v->items[at].blocks;
		low = at + 1;
		if (sum >= blocks && low - from >= files)
			break;
	}
	return low - from;
}

/* ---- memory ---- */

static uint32_t *label_of(struct victims *v, size_t name)
{
	return (uint32_t *)(void *)(v->arena + name - LABEL);
}

static size_t padded(size_t length)
{
	return (length + LABEL + LABEL - 1) & ~(LABEL - 1);
}

/* Moves the living names together. */
static void compact_arena(struct victims *v)
{
	size_t used = 0, size;

	for (size_t i = 0; i < v->count; i++)
		*label_of(v, v->items[i].name) = (uint32_t)i;
	for (size_t at = 0; at < v->arena_used; at += size) {
		uint32_t item = *label_of(v, at + LABEL);

		size = padded(strlen(v->arena + at + LABEL) + 1);
		if (item >= v->count || v->items[item].name != at + LABEL)
			continue;
		memmove(v->arena + used, v->arena + at, size);
		v->items[item].name = (uint32_t)(used + LABEL);
		used += size;
	}
	v->arena_used = used;
}

/* Keeps the first n and refuses from now on what goes after them. */
static void keep_front(struct victims *v, size_t n)
{
	if (n == v->count)
		return;
	for (size_t i = n; i < v->count; i++)
		v->blocks -= v->items[i].blocks;
	v->count = n;
	v->closed = true;
	/* The one behind all others that victims_front() has brought there. */
	v->cut = n > 0 ? v->items[n - 1] : (struct victim){.used = INT64_MIN};
	compact_arena(v);
}

static bool is_enough(const struct victims *v)
{
	return v->blocks >= v->want_blocks && v->count >= v->want_files;
}

static void weed(struct victims *v)
{
	if (is_enough(v))
		keep_front(v, victims_front(v, 0, v->want_blocks, v->want_files));
	v->weed_at = MAX(2 * v->count, FEW);
}

/* At the ceiling: what is superfluous goes, or else the last quarter. */
static bool make_room(struct victims *v)
{
	size_t before = v->count;

	weed(v);
	if (v->count >= before - before / 16) {
		if (v->count < 2)
			return false;
		v->full = true;
		keep_front(v, victims_front(v, 0, 0, v->count - (v->count + 3) / 4));
	}
	return true;
}

/* How many bytes of the ceiling the items may have: their share, as the names are so far. */
static size_t share_of_items(const struct victims *v)
{
	size_t name = v->count > 0 ? v->arena_used / v->count : 48;

	return v->memory / (sizeof(struct victim) + name) * sizeof(struct victim);
}

/* One more item: 1, 0 when the ceiling forbids it, -ENOMEM. */
static int grow_items(struct victims *v)
{
	size_t most = share_of_items(v) / sizeof(struct victim);
	size_t room = MIN(MAX(v->room + v->room / 2, 256), most);
	struct victim *items;

	if (room <= v->room || room * sizeof(*items) + v->arena_room > v->memory)
		return 0;
	items = realloc(v->items, room * sizeof(*items));
	if (!items)
		return -ENOMEM;
	v->items = items;
	v->room = room;
	return 1;
}

static int grow_arena(struct victims *v, size_t length)
{
	size_t most = MIN(
		v->memory - MIN(v->memory, MAX(v->room * sizeof(struct victim), share_of_items(v))),
		UINT32_MAX);
	size_t room = MIN(MAX(v->arena_room + v->arena_room / 2, 16384), most);
	char *arena;

	if (room < v->arena_used + length || room <= v->arena_room)
		return 0;
	arena = realloc(v->arena, room);
	if (!arena)
		return -ENOMEM;
	v->arena = arena;
	v->arena_room = room;
	return 1;
}

static int reserve(struct victims *v, size_t length)
{
	int r = 1;

	if (v->count == v->room)
		r = grow_items(v);
	if (r > 0 && v->arena_used + length > v->arena_room)
		r = grow_arena(v, length);
	return r;
}

/* ---- offers ---- */

static bool is_wanted(const struct victims *v, const struct victim *offer)
{
	return !v->closed || goes_before(offer, &v->cut);
}

bool victims_wants(const struct victims *v, unsigned int priority, int64_t used)
{
	return is_wanted(v,
			 &(struct victim){.priority = priority, .used = used, .name = UINT32_MAX});
}

int victims_offer(struct victims *v, unsigned int priority, int64_t used, uint64_t blocks,
		  uint32_t dir, const char *name)
{
	size_t length = strlen(name) + 1, size = padded(length);
	struct victim offer = {
		.used = used,
		.blocks = (uint32_t)MIN(blocks, UINT32_MAX),
		.dir = dir,
		.name = UINT32_MAX,
		.priority = priority,
	};
	int r;

	if (v->count >= v->weed_at)
		weed(v);
	while (is_wanted(v, &offer) && (r = reserve(v, size)) <= 0) {
		if (r < 0)
			return r;
		if (!make_room(v)) {
			v->full = true;
			return 0;
		}
	}
	if (!is_wanted(v, &offer))
		return 0;
	offer.name = (uint32_t)(v->arena_used + LABEL);
	*label_of(v, offer.name) = 0;
	memcpy(v->arena + offer.name, name, length);
	v->arena_used += size;
	v->blocks += offer.blocks;
	v->items[v->count++] = offer;
	return 1;
}

void victims_finish(struct victims *v)
{
	weed(v);
}
