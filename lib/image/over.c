// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image over another one. What it does not answer itself it passes on.
 */
#include "image/image.h"

static enum nmibt_read over_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->read_phys(base->ctx, paddr, buf, len);
}

static char *over_vmcoreinfo_text(void *ctx)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->vmcoreinfo_text(base->ctx);
}

static bool over_symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->symbol_addr(base->ctx, name, ret);
}

static bool over_symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->symbolize(base->ctx, addr, buf, len);
}

static bool over_packed_stack(void *ctx, uint64_t pc, uint64_t sp, struct nmibt_str *ret)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->packed_stack(base->ctx, pc, sp, ret);
}

static bool over_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->next_range(base->ctx, from, ret);
}

static char *over_notes(void *ctx, size_t *ret_len)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->notes(base->ctx, ret_len);
}

static struct nmibt_error *over_visit_log(void *ctx, unsigned int crash, nmibt_log_text_fn visit,
					  void *arg, struct nmibt_log_facts *ret)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->visit_log(base->ctx, crash, visit, arg, ret);
}

static bool over_member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->member_offset(base->ctx, type, member, ret);
}

static bool over_type_size(void *ctx, const char *type, size_t *ret)
{
	const struct nmibt_image *base = &((struct nmibt_over *)ctx)->base;

	return base->ops->type_size(base->ctx, type, ret);
}

void nmibt_over_open(const struct nmibt_image *base, const struct nmibt_image_ops *own,
		     struct nmibt_over *ret)
{
	const struct nmibt_image_ops *has = base->ops;
	struct nmibt_image_ops *ops = &ret->ops;

	ret->base = *base;
	*ops = *own;
	if (!ops->read_phys && has->read_phys)
		ops->read_phys = over_read_phys;
	if (!ops->vmcoreinfo_text && has->vmcoreinfo_text)
		ops->vmcoreinfo_text = over_vmcoreinfo_text;
	if (!ops->symbol_addr && has->symbol_addr)
		ops->symbol_addr = over_symbol_addr;
	if (!ops->member_offset && has->member_offset)
		ops->member_offset = over_member_offset;
	if (!ops->type_size && has->type_size)
		ops->type_size = over_type_size;
	if (!ops->symbolize && has->symbolize)
		ops->symbolize = over_symbolize;
	if (!ops->packed_stack && has->packed_stack)
		ops->packed_stack = over_packed_stack;
	if (!ops->next_range && has->next_range)
		ops->next_range = over_next_range;
	if (!ops->notes && has->notes)
		ops->notes = over_notes;
	if (!ops->visit_log && has->visit_log)
		ops->visit_log = over_visit_log;
}
