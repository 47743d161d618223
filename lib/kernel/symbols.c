// SPDX-License-Identifier: GPL-2.0-or-later
/* Looks up names of addresses, and values of symbols, in all places that may know them. */
#include <inttypes.h>

#include "kernel/kernel.h"

/* NULL: the kernel's own table can't be read. */
static struct nmibt_kallsyms *kallsyms_of(struct nmibt_kernel *kernel)
{
	return nmibt_kernel_failure(kernel, NMIBT_PART_KALLSYMS) ? NULL : kernel->kallsyms;
}

bool nmibt_symbol_addr(struct nmibt_kernel *kernel, const char *name, uint64_t *ret)
{
	const struct nmibt_image *image = kernel->image;

	if (image->ops->symbol_addr && image->ops->symbol_addr(image->ctx, name, ret))
		return true;
	return kallsyms_of(kernel) && nmibt_kallsyms_addr(kernel->kallsyms, name, ret);
}

bool nmibt_symbols_are_lost(struct nmibt_kernel *kernel, uint64_t *ret)
{
	const struct nmibt_error *failure;

	/* Nobody has looked anything up there. */
	if (!kernel->tried[NMIBT_PART_KALLSYMS])
		return false;
	failure = nmibt_kernel_failure(kernel, NMIBT_PART_KALLSYMS);
	if (!failure)
		return nmibt_kallsyms_are_lost(kernel->kallsyms, ret);
	*ret = kernel->vmcoreinfo.kallsyms.names.value;
	return failure->code == NMIBT_ERR_DAMAGED;
}

struct nmibt_error *nmibt_no_symbol(struct nmibt_kernel *kernel, const char *name)
{
	uint64_t vaddr;

	if (nmibt_symbols_are_lost(kernel, &vaddr))
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the kernel's symbols at %#" PRIx64 " can't be read",
					  vaddr);
	return nmibt_error_create(NMIBT_ERR_NOTHING,
				  "no symbol %s, neither in the dump nor in a vmlinux: give the "
				  "kernel's vmlinux",
				  name);
}

/* INIT_TEXT_SECTION() of include/asm-generic/vmlinux.lds.h, 6.1 to 7.2. */
bool nmibt_is_init_text(struct nmibt_kernel *kernel, uint64_t addr)
{
	uint64_t start, end;

	if (!kernel->tried_init_text && nmibt_symbol_addr(kernel, "_sinittext", &start) &&
	    nmibt_symbol_addr(kernel, "_einittext", &end)) {
		kernel->init_text = start;
		kernel->init_text_end = end;
	}
	kernel->tried_init_text = true;
	return addr >= kernel->init_text && addr < kernel->init_text_end;
}

/* Parses "name+0xoffset", which " [module]" may follow. */
static bool parse_symbol(const char *text, struct nmibt_symbol *ret)
{
	struct nmibt_str rest = nmibt_str_of(text), name, module;

	if (!nmibt_take_until(&rest, "+", &name) || !name.len || name.len >= sizeof(ret->name) ||
	    !nmibt_take_any_hex(&rest, &ret->offset))
		return false;
	memcpy(ret->name, name.s, name.len);
	ret->name[name.len] = '\0';
	ret->size = 0;
	*ret->module = '\0';
	if (nmibt_skip(&rest, " [") && nmibt_take_until(&rest, "]", &module))
		snprintf(ret->module, sizeof(ret->module), "%.*s", (int)module.len, module.s);
	return true;
}

bool nmibt_find_symbol(struct nmibt_kernel *kernel, uint64_t addr, struct nmibt_symbol *ret)
{
	const struct nmibt_image *image = kernel->image;
	char text[NMIBT_SYMBOL_LEN + NMIBT_MODULE_LEN + 32];

	if (kallsyms_of(kernel) && nmibt_kallsyms_find(kernel->kallsyms, addr, ret))
		return true;
	if (nmibt_module_symbol(kernel, addr, ret))
		return true;
	return image->ops->symbolize &&
	       image->ops->symbolize(image->ctx, addr, text, sizeof(text)) &&
	       parse_symbol(text, ret);
}

bool nmibt_symbolize(struct nmibt_kernel *kernel, uint64_t addr, char *buf, size_t len)
{
	struct nmibt_symbol symbol;

	if (!nmibt_find_symbol(kernel, addr, &symbol))
		return false;
	snprintf(buf, len, *symbol.module ? "%s+0x%" PRIx64 " [%s]" : "%s+0x%" PRIx64, symbol.name,
		 symbol.offset, symbol.module);
	return true;
}
