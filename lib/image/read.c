// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads through an image, page by page. */
#include "image/image.h"

struct nmibt_run nmibt_read_pages(const struct nmibt_image *image, uint64_t paddr, void *buf,
				  size_t len, bool *known)
{
	struct nmibt_run run = {0};
	uint64_t start = paddr;
	char *to = buf;

	while (len) {
		size_t chunk = image->page_size - (paddr & (image->page_size - 1));
		if (chunk > len)
			chunk = len;

		enum nmibt_read status = NMIBT_READ_ERROR;
		/* What lies beyond the last address isn't at the first one. */
		if (image->ops->read_phys && paddr >= start && paddr + chunk - 1 >= paddr)
			status = image->ops->read_phys(image->ctx, paddr, to, chunk);
		if (status != NMIBT_READ_OK) {
			memset(to, 0, chunk);
			*(status == NMIBT_READ_EXCLUDED ? &run.excluded : &run.failed) += chunk;
		}
		if (known) {
			memset(known, status == NMIBT_READ_OK, chunk * sizeof(*known));
			known += chunk;
		}
		paddr += chunk;
		to += chunk;
		len -= chunk;
	}
	return run;
}

enum nmibt_read nmibt_read_phys(const struct nmibt_image *image, uint64_t paddr, void *buf,
				size_t len)
{
	struct nmibt_run run = nmibt_read_pages(image, paddr, buf, len, NULL);

	if (run.failed)
		return NMIBT_READ_ERROR;
	return run.excluded ? NMIBT_READ_EXCLUDED : NMIBT_READ_OK;
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
