// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image that is read through a cache of its pages, for a file whose reads are dear: each read of
 * /proc/vmcore maps memory.
 */
#include "image/cache.h"

struct nmibt_cached {
	struct nmibt_image base;
	struct nmibt_cache *pages;
};

static bool fetch_page(void *ctx, uint64_t pfn, void *buf)
{
	const struct nmibt_image *base = &((struct nmibt_cached *)ctx)->base;

	return base->ops->read_phys(base->ctx, pfn * base->page_size, buf, base->page_size) ==
	       NMIBT_READ_OK;
}

/* The status is that of the bytes, so that where the page can't be read they are read alone. */
static enum nmibt_read read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_cached *cached = ctx;
	const struct nmibt_image *base = &cached->base;
	uint64_t in = paddr % base->page_size;
	const char *page = len > base->page_size - in
				   ? NULL
				   : nmibt_cache_get(cached->pages, paddr / base->page_size,
						     fetch_page, cached);

	if (!page)
		return base->ops->read_phys(base->ctx, paddr, buf, len);
	memcpy(buf, page + in, len);
	return NMIBT_READ_OK;
}

static char *vmcoreinfo_text(void *ctx)
{
	const struct nmibt_image *base = &((struct nmibt_cached *)ctx)->base;

	return base->ops->vmcoreinfo_text ? base->ops->vmcoreinfo_text(base->ctx) : NULL;
}

static char *notes(void *ctx, size_t *ret_len)
{
	const struct nmibt_image *base = &((struct nmibt_cached *)ctx)->base;

	*ret_len = 0;
	return base->ops->notes ? base->ops->notes(base->ctx, ret_len) : NULL;
}

struct nmibt_error *nmibt_cached_open(const struct nmibt_image *base, size_t nr_pages,
				      struct nmibt_cached **ret)
{
	struct nmibt_cached *cached = calloc(1, sizeof(*cached));
	if (!cached)
		return nmibt_error_nomem();

	cached->base = *base;
	struct nmibt_error *err = nmibt_cache_new(base->page_size, nr_pages, &cached->pages);
	if (err) {
		free(cached);
		return err;
	}
	*ret = cached;
	return NULL;
}

void nmibt_cached_image(struct nmibt_cached *cached, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = read_phys,
		.vmcoreinfo_text = vmcoreinfo_text,
		.notes = notes,
	};

	*ret = cached->base;
	ret->ops = &ops;
	ret->ctx = cached;
}

void nmibt_cached_close(struct nmibt_cached *cached)
{
	if (!cached)
		return;
	nmibt_cache_free(cached->pages);
	free(cached);
}
