/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What images of printed logs have in common: no memory. */
#ifndef NMIBT_PRINTED_H
#define NMIBT_PRINTED_H

#include "image/image.h"

#define NMIBT_TEXT_PAGE 4096 /* of nothing */

static inline enum nmibt_read nmibt_text_read_nothing(void *ctx, uint64_t paddr, void *buf,
						      size_t len)
{
	(void)ctx, (void)paddr, (void)buf, (void)len;
	return NMIBT_READ_EXCLUDED;
}

static inline bool nmibt_text_no_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	(void)ctx, (void)from, (void)ret;
	return false;
}

#endif /* NMIBT_PRINTED_H */
