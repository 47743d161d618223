// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cache is set-associative: a look-up compares only the keys of one set, and neighbours are in
 * different sets, so that they do not evict each other.
 */
#include "image/cache.h"

#define WAYS 8
#define MAX_PAGES 512 /* of an image */
#define MAX_PAGE_BYTES (4 << 20)

#define BLOCK_SIZE 4096
#define NR_BLOCKS 64 /* of a file */

struct slot {
	uint64_t key;
	uint64_t used; /* the time of the last use; 0: empty */
	void *bytes; /* NULL: never used */
};

struct nmibt_cache {
	size_t size;
	size_t nr_sets;
	uint64_t time; /* counts look-ups */
	struct slot slots[];
};

struct nmibt_error *nmibt_cache_new(size_t size, size_t nr, struct nmibt_cache **ret)
{
	struct nmibt_cache *cache = calloc(1, sizeof(*cache) + nr * sizeof(*cache->slots));

	if (!cache)
		return nmibt_error_nomem();
	cache->size = size;
	cache->nr_sets = nr / WAYS;
	*ret = cache;
	return NULL;
}

struct nmibt_error *nmibt_cache_of_pages(size_t page_size, struct nmibt_cache **ret)
{
	size_t nr = MAX_PAGE_BYTES / page_size;

	if (nr > MAX_PAGES)
		nr = MAX_PAGES;
	return nmibt_cache_new(page_size, nr > WAYS ? nr : WAYS, ret);
}

const void *nmibt_cache_get(struct nmibt_cache *cache, uint64_t key, nmibt_cache_fill fill,
			    void *ctx)
{
	struct slot *set = &cache->slots[key % cache->nr_sets * WAYS];
	struct slot *oldest = set;

	cache->time++;
	for (struct slot *s = set; s < set + WAYS; s++) {
		if (s->used && s->key == key) {
			s->used = cache->time;
			return s->bytes;
		}
		if (s->used < oldest->used)
			oldest = s;
	}
	if (!oldest->bytes)
		oldest->bytes = malloc(cache->size);
	/* The slot's old piece is overwritten even if fill() fails. */
	oldest->used = 0;
	if (!oldest->bytes || !fill(ctx, key, oldest->bytes))
		return NULL;
	oldest->key = key;
	oldest->used = cache->time;
	return oldest->bytes;
}

struct page_fill {
	nmibt_page_fill fill;
	void *ctx;
	enum nmibt_read status;
};

static bool fill_page(void *ctx, uint64_t pfn, void *buf)
{
	struct page_fill *page = ctx;

	page->status = page->fill(page->ctx, pfn, buf);
	return page->status == NMIBT_READ_OK;
}

enum nmibt_read nmibt_cache_read(struct nmibt_cache *pages, uint64_t paddr, void *buf, size_t len,
				 nmibt_page_fill fill, void *ctx)
{
	struct page_fill page = {fill, ctx, NMIBT_READ_ERROR};
	size_t in = paddr % pages->size;

	if (len > pages->size - in)
		return NMIBT_READ_ERROR;
	const char *bytes = nmibt_cache_get(pages, paddr / pages->size, fill_page, &page);
	if (!bytes)
		return page.status;
	memcpy(buf, bytes + in, len);
	return NMIBT_READ_OK;
}

void nmibt_cache_free(struct nmibt_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->nr_sets * WAYS; i++)
		free(cache->slots[i].bytes);
	free(cache);
}

/* --------------------------------------------------------- blocks of a file */

struct nmibt_error *nmibt_blocks_open(const struct nmibt_file *file, struct nmibt_blocks *ret)
{
	ret->file = file;
	return nmibt_cache_new(BLOCK_SIZE, NR_BLOCKS, &ret->cache);
}

/* The last block of a file may be shorter; nobody reads behind the end of the file. */
static bool fill_block(void *ctx, uint64_t key, void *buf)
{
	const struct nmibt_file *file = ctx;
	uint64_t rest = file->size - key * BLOCK_SIZE;

	return nmibt_file_read(file, key * BLOCK_SIZE, buf, rest < BLOCK_SIZE ? rest : BLOCK_SIZE);
}

bool nmibt_blocks_read(struct nmibt_blocks *blocks, uint64_t offset, void *buf, size_t len)
{
	char *to = buf;

	if (offset > blocks->file->size || len > blocks->file->size - offset)
		return false;
	while (len) {
		size_t in = offset % BLOCK_SIZE;
		size_t n = len < BLOCK_SIZE - in ? len : BLOCK_SIZE - in;
		const char *block = nmibt_cache_get(blocks->cache, offset / BLOCK_SIZE, fill_block,
						    (void *)blocks->file);

		/* In a damaged file only another part of the block may be unreadable. */
		if (block)
			memcpy(to, block + in, n);
		else if (!nmibt_file_read(blocks->file, offset, to, n))
			return false;
		to += n;
		offset += n;
		len -= n;
	}
	return true;
}

void nmibt_blocks_close(struct nmibt_blocks *blocks)
{
	nmibt_cache_free(blocks->cache);
	blocks->cache = NULL;
}
