/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extents: which part of a file has which addresses. They are the segments of an ELF file, or the
 * records of a flattened one. A hostile file can have many, which overlap in any way.
 */
#ifndef NMIBT_EXTENTS_H
#define NMIBT_EXTENTS_H

#include "base/base.h"

struct nmibt_extent {
	uint64_t start, last; /* addresses, both included */
	uint64_t at; /* offset in the file of the byte at start */
	uint64_t rank; /* where two overlap, the one with the higher rank counts */
};

struct nmibt_extents {
	struct nmibt_extent *v;
	size_t nr, room;
};

/* Fails with NOMEM, or with UNUSABLE when there are UINT32_MAX extents already. */
struct nmibt_error *nmibt_extents_add(struct nmibt_extents *extents, struct nmibt_extent extent);

/* Sorts the extents, and cuts them so that none overlaps another. Their number at most doubles. */
struct nmibt_error *nmibt_extents_settle(struct nmibt_extents *extents);

/* Index of the first extent whose last address is >= addr; nr: there is none. The extents must be
 * settled. */
size_t nmibt_extents_find(const struct nmibt_extents *extents, uint64_t addr);

void nmibt_extents_destroy(struct nmibt_extents *extents);

#endif /* NMIBT_EXTENTS_H */
