/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bitmap of any size in a file. It is read in blocks, and only the blocks that are needed. Bit n
 * is bit n % 8 of byte n / 8.
 */
#ifndef NMIBT_BITMAP_H
#define NMIBT_BITMAP_H

#include "image/cache.h"

struct nmibt_bitmap {
	struct nmibt_blocks *blocks; /* of the file; borrowed */
	uint64_t at; /* of its first byte in the file */
	uint64_t nr_bits;
	/* The index: before[i] is the number of set bits before the first bit of chunk i. The
	 * number of chunks is bounded, however large the bitmap is. */
	uint64_t *before;
	size_t nr_known, room;
	size_t chunk_bytes; /* a power of two */
};

/* Reads nothing yet. A bitmap that goes beyond the end of the file is no error. */
void nmibt_bitmap_init(struct nmibt_blocks *blocks, uint64_t at, uint64_t nr_bits,
		       struct nmibt_bitmap *ret);
/* False: the bit is beyond the last one, or can't be read. */
bool nmibt_bitmap_test(const struct nmibt_bitmap *bitmap, uint64_t bit, bool *ret);
/* *ret: how many of the bits before this one are set. False: one of them can't be read. */
bool nmibt_bitmap_rank(struct nmibt_bitmap *bitmap, uint64_t bit, uint64_t *ret);
/* True: the bitmap has so few bytes in the file, without those in holes, that counting all of its
 * bits takes about a second at most. */
bool nmibt_bitmap_is_small(const struct nmibt_bitmap *bitmap);
/* The first bit in [from, end) that is set, or, with set false, that is not set; end: none. Bits
 * that can't be read count as not set. */
uint64_t nmibt_bitmap_find(struct nmibt_bitmap *bitmap, uint64_t from, uint64_t end, bool set);
void nmibt_bitmap_destroy(struct nmibt_bitmap *bitmap);

#endif /* NMIBT_BITMAP_H */
