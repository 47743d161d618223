/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a file has which addresses: the segments of an ELF file, the records of a
 * flattened one. A hostile file has many of them, and they overlap as it likes.
 */
#ifndef NMIBT_EXTENTS_H
#define NMIBT_EXTENTS_H

#include "base/base.h"

struct nmibt_extent {
	uint64_t start, last; /* addresses, both included */
	uint64_t at; /* of start in the file */
	uint64_t rank; /* where two overlap, the one with the higher rank holds */
};

struct nmibt_extents {
	struct nmibt_extent *v;
	size_t nr, room;
};

/* It fails for want of memory, or when there are UINT32_MAX of them. */
struct nmibt_error *nmibt_extents_add(struct nmibt_extents *extents, struct nmibt_extent extent);

/* Sorts them, and cuts them so that none overlaps another. There are at most twice as many
 * then. */
struct nmibt_error *nmibt_extents_settle(struct nmibt_extents *extents);

/* Index of the first one that ends at addr or behind it; nr: there is none. They must be
 * settled. */
size_t nmibt_extents_find(const struct nmibt_extents *extents, uint64_t addr);

void nmibt_extents_destroy(struct nmibt_extents *extents);

#endif /* NMIBT_EXTENTS_H */
