/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cache of pieces of one size. A piece is identified by a number: a page by its page frame
 * number, a block of a file by its index. The cache allocates memory when a piece is first
 * needed, up to a fixed amount; then the least recently used piece makes room.
 */
#ifndef NMIBT_CACHE_H
#define NMIBT_CACHE_H

#include "image/file.h"
#include "image/image.h"

struct nmibt_cache;

/* Writes all bytes of the piece to buf. False: there is no such piece, and the cache keeps none. */
typedef bool (*nmibt_cache_fill)(void *ctx, uint64_t key, void *buf);

/* size: bytes of a piece, a power of two; nr: the maximum number of pieces, a power of two, at
 * least 8. */
struct nmibt_error *nmibt_cache_new(size_t size, size_t nr, struct nmibt_cache **ret);
/* A cache of pages of an image, which have this size. */
struct nmibt_error *nmibt_cache_of_pages(size_t page_size, struct nmibt_cache **ret);
/* The bytes of a piece. A piece that is not in the cache is filled by fill. NULL: fill failed, or
 * out of memory. Valid until the next call for this cache. */
const void *nmibt_cache_get(struct nmibt_cache *cache, uint64_t key, nmibt_cache_fill fill,
			    void *ctx);
/* Writes a page to buf, or says why it can't. */
typedef enum nmibt_read (*nmibt_page_fill)(void *ctx, uint64_t pfn, void *buf);
/* Reads bytes of one page through a cache of pages; ERROR if they are of several. */
enum nmibt_read nmibt_cache_read(struct nmibt_cache *pages, uint64_t paddr, void *buf, size_t len,
				 nmibt_page_fill fill, void *ctx);
void nmibt_cache_free(struct nmibt_cache *cache); /* NULL is allowed */

/* A file that is read in small pieces, through a cache of its blocks. */
struct nmibt_blocks {
	const struct nmibt_file *file; /* borrowed */
	struct nmibt_cache *cache;
};

struct nmibt_error *nmibt_blocks_open(const struct nmibt_file *file, struct nmibt_blocks *ret);
/* As nmibt_file_read(). */
bool nmibt_blocks_read(struct nmibt_blocks *blocks, uint64_t offset, void *buf, size_t len);
void nmibt_blocks_close(struct nmibt_blocks *blocks);

#endif /* NMIBT_CACHE_H */
