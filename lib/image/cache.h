/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cache of pieces of one size, each known by a number: pages by their page frame
 * number, blocks of a file by their place. It takes memory for what was asked for,
 * up to a fixed amount; then the piece that was not used for longest makes room.
 */
#ifndef NMIBT_CACHE_H
#define NMIBT_CACHE_H

#include "image/file.h"

struct nmibt_cache;

/* Fills in all bytes of a piece; false: there is no such piece, and none is kept. */
typedef bool (*nmibt_cache_fill)(void *ctx, uint64_t key, void *buf);

/* size: bytes of a piece, a power of two; nr: the most pieces, a power of two from 8 on. */
struct nmibt_error *nmibt_cache_new(size_t size, size_t nr, struct nmibt_cache **ret);
/* The bytes of a piece, from fill if they are not there; NULL: fill failed, or there is
 * no memory. Valid until the next call for this cache. */
const void *nmibt_cache_get(struct nmibt_cache *cache, uint64_t key, nmibt_cache_fill fill,
			    void *ctx);
void nmibt_cache_free(struct nmibt_cache *cache); /* NULL is allowed */

/* A file through a cache of its blocks, for what is read in small pieces. */
struct nmibt_blocks {
	const struct nmibt_file *file; /* borrowed */
	struct nmibt_cache *cache;
};

struct nmibt_error *nmibt_blocks_open(const struct nmibt_file *file, struct nmibt_blocks *ret);
/* As nmibt_file_read(). */
bool nmibt_blocks_read(struct nmibt_blocks *blocks, uint64_t offset, void *buf, size_t len);
void nmibt_blocks_close(struct nmibt_blocks *blocks);

#endif /* NMIBT_CACHE_H */
