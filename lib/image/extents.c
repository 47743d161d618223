// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Overlaps are resolved once, in a sweep from the lowest address to the highest. A heap has the
 * extents that cover the current address, so that n extents need O(n log n) steps. After that a
 * look-up is a binary search.
 */
#include "image/extents.h"

/* ---------------------------------------------------------------------- heap */

/* A heap of extents, by their indexes in v. The extent with the highest rank is on top. */
struct heap {
	const struct nmibt_extent *v;
	uint32_t *index;
	size_t nr;
};

static bool is_above(const struct heap *heap, size_t a, size_t b)
{
	return heap->v[heap->index[a]].rank > heap->v[heap->index[b]].rank;
}

static void swap(struct heap *heap, size_t a, size_t b)
{
	uint32_t index = heap->index[a];

	heap->index[a] = heap->index[b];
	heap->index[b] = index;
}

static void push(struct heap *heap, uint32_t index)
{
	size_t at = heap->nr++;

	heap->index[at] = index;
	for (; at && is_above(heap, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(heap, at, (at - 1) / 2);
}

static void pop(struct heap *heap)
{
	heap->index[0] = heap->index[--heap->nr];
	for (size_t at = 0, child; (child = 2 * at + 1) < heap->nr; at = child) {
		if (child + 1 < heap->nr && is_above(heap, child + 1, child))
			child++;
		if (!is_above(heap, child, at))
			break;
		swap(heap, child, at);
	}
}

/* --------------------------------------------------------------------- sweep */

static int by_start(const void *a, const void *b)
{
	const struct nmibt_extent *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static bool is_settled(const struct nmibt_extents *extents)
{
	for (size_t i = 1; i < extents->nr; i++) {
		if (extents->v[i].start <= extents->v[i - 1].last)
			return false;
	}
	return true;
}

/* Adds the piece of the top extent that begins at addr. It ends where the extent ends, or where one
 * with a higher rank begins. *next is the first extent that is not in the heap yet. */
static struct nmibt_error *add_piece(struct heap *heap, const struct nmibt_extents *from,
				     size_t *next, uint64_t addr, struct nmibt_extents *ret)
{
	const struct nmibt_extent *top = &from->v[heap->index[0]];
	struct nmibt_extent piece = {addr, top->last, top->at + (addr - top->start), top->rank};

	for (; *next < from->nr && from->v[*next].start <= piece.last; ++*next) {
		if (from->v[*next].rank > top->rank) {
			piece.last = from->v[*next].start - 1;
			break;
		}
		if (from->v[*next].last > piece.last)
			push(heap, *next);
	}
	return nmibt_extents_add(ret, piece);
}

/* Each turn of the loop removes an extent from the heap, or stops where another one begins. */
static struct nmibt_error *sweep(struct heap *heap, const struct nmibt_extents *from,
				 struct nmibt_extents *ret)
{
	uint64_t addr = 0;
	size_t next = 0;

	while (heap->nr || next < from->nr) {
		if (!heap->nr)
			addr = from->v[next].start;
		while (next < from->nr && from->v[next].start <= addr)
			push(heap, next++);
		while (heap->nr && from->v[heap->index[0]].last < addr)
			pop(heap);
		if (!heap->nr)
			continue;
		struct nmibt_error *err = add_piece(heap, from, &next, addr, ret);
		if (err)
			return err;
		addr = ret->v[ret->nr - 1].last;
		if (addr++ == UINT64_MAX)
			return NULL;
	}
	return NULL;
}

struct nmibt_error *nmibt_extents_settle(struct nmibt_extents *extents)
{
	if (extents->nr)
		qsort(extents->v, extents->nr, sizeof(*extents->v), by_start);
	if (is_settled(extents))
		return NULL;

	struct nmibt_extents settled = {0};
	_cleanup_free_ uint32_t *index = calloc(extents->nr, sizeof(*index));
	if (!index)
		return nmibt_error_nomem();

	struct heap heap = {extents->v, index, 0};
	struct nmibt_error *err = sweep(&heap, extents, &settled);
	if (err) {
		nmibt_extents_destroy(&settled);
		return err;
	}
	nmibt_extents_destroy(extents);
	*extents = settled;
	return NULL;
}

/* ----------------------------------------------------------------------- use */

struct nmibt_error *nmibt_extents_add(struct nmibt_extents *extents, struct nmibt_extent extent)
{
	if (extents->nr == UINT32_MAX)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "more than %u parts of memory",
					  UINT32_MAX);
	if (extents->nr == extents->room) {
		size_t room = extents->room ? 2 * extents->room : 64;
		struct nmibt_extent *v = reallocarray(extents->v, room, sizeof(*v));

		if (!v)
			return nmibt_error_nomem();
		extents->v = v;
		extents->room = room;
	}
	extents->v[extents->nr++] = extent;
	return NULL;
}

size_t nmibt_extents_find(const struct nmibt_extents *extents, uint64_t addr)
{
	size_t low = 0, high = extents->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (extents->v[middle].last < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void nmibt_extents_destroy(struct nmibt_extents *extents)
{
	free(extents->v);
	*extents = (struct nmibt_extents){0};
}
