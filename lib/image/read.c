// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads through an image, page by page. */
#include "image/image.h"

struct nmibt_run nmibt_read_pages(nmibt_read_fn read, void *ctx, size_t page_size, uint64_t addr,
				  void *buf, size_t len, bool *known)
{
	struct nmibt_run run = {0};
	uint64_t start = addr;
	char *to = buf;

	while (len) {
		size_t chunk = page_size - (addr & (page_size - 1));
		if (chunk > len)
			chunk = len;

		enum nmibt_read status = NMIBT_READ_ERROR;
		/* Addresses don't wrap around from the last one to 0. */
		if (addr >= start && addr + chunk - 1 >= addr)
			status = read(ctx, addr, to, chunk);
		if (status != NMIBT_READ_OK) {
			memset(to, 0, chunk);
			*(status == NMIBT_READ_EXCLUDED ? &run.excluded : &run.failed) += chunk;
		}
		if (known) {
			memset(known, status == NMIBT_READ_OK, chunk * sizeof(*known));
			known += chunk;
		}
		addr += chunk;
		to += chunk;
		len -= chunk;
	}
	return run;
}

enum nmibt_read nmibt_run_status(const struct nmibt_run *run)
{
	if (run->failed)
		return NMIBT_READ_ERROR;
	return run->excluded ? NMIBT_READ_EXCLUDED : NMIBT_READ_OK;
}

static enum nmibt_read not_readable(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx, (void)paddr, (void)buf, (void)len;
	return NMIBT_READ_ERROR;
}

struct nmibt_run nmibt_read_phys_pages(const struct nmibt_image *image, uint64_t paddr, void *buf,
				       size_t len, bool *known)
{
	return nmibt_read_pages(image->ops->read_phys ? image->ops->read_phys : not_readable,
				image->ctx, image->page_size, paddr, buf, len, known);
}

enum nmibt_read nmibt_read_phys(const struct nmibt_image *image, uint64_t paddr, void *buf,
				size_t len)
{
	struct nmibt_run run = nmibt_read_phys_pages(image, paddr, buf, len, NULL);

	return nmibt_run_status(&run);
}

bool nmibt_interrupted(const struct nmibt_image *image)
{
	return image->ops->interrupted && image->ops->interrupted(image->ctx);
}

const char *nmibt_read_name(enum nmibt_read status)
{
	switch (status) {
	case NMIBT_READ_OK:
		return "readable";
	case NMIBT_READ_EXCLUDED:
		return "excluded from the dump";
	case NMIBT_READ_ERROR:
		break;
	}
	return "unreadable";
}
