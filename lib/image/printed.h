/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What images of printed logs have in common: no memory. */
#ifndef NMIBT_PRINTED_H
#define NMIBT_PRINTED_H

#include "image/image.h"

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

/* ops: these two functions and visit_log. ctx is borrowed. */
static inline struct nmibt_image nmibt_printed_image(const struct nmibt_image_ops *ops, void *ctx,
						     enum nmibt_arch arch, size_t nr_crashes,
						     size_t default_crash)
{
	return (struct nmibt_image){
		.ops = ops,
		.ctx = ctx,
		.arch = arch,
		.page_size = 4096, /* of nothing */
		.nr_crashes = nr_crashes,
		.default_crash = default_crash,
		.is_sparse = true,
	};
}

#endif /* NMIBT_PRINTED_H */
