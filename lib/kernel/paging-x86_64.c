// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables of x86_64: arch/x86/include/asm/page_64_types.h and pgtable_types.h, 6.12. The lines
 * of VMCOREINFO are from arch/x86/kernel/vmcore_info_64.c in 6.12, crash_core_64.c in 6.1.
 */
#include "kernel/paging.h"

#define KERNEL_MAP UINT64_C(0xffffffff80000000)
#define ADDRESS UINT64_C(0x000ffffffffff000)
#define PRESENT 0x1
#define LARGE 0x80
#define PAGE_SHIFT 12
/* KERNEL_IMAGE_SIZE without KASLR, of kernels that don't write it to VMCOREINFO (3.16 and
 * before). */
#define IMAGE_SIZE (UINT64_C(512) << 20)

/* Addresses behind the image belong to modules. */
static bool kimage_to_phys(const struct nmibt_vmcoreinfo *v, uint64_t vaddr, uint64_t *ret)
{
	uint64_t size = v->kernel_image_size.known ? v->kernel_image_size.value : IMAGE_SIZE;

	if (!v->phys_base.known || vaddr < KERNEL_MAP || vaddr - KERNEL_MAP >= size)
		return false;
	*ret = vaddr - KERNEL_MAP + v->phys_base.value;
	return true;
}

static struct nmibt_error *open_tables(const struct nmibt_vmcoreinfo *v, struct nmibt_tables *ret)
{
	bool five = v->l5_enabled.value;

	ret->sme_mask = v->sme_mask.value;
	ret->page_shift = PAGE_SHIFT;
	ret->sign_bits = five ? 8 : 17;
	nmibt_set_levels(ret, five ? 57 : 48);
	return NULL;
}

static enum nmibt_entry decode(const struct nmibt_tables *tables, uint64_t entry,
			       unsigned int shift, uint64_t *ret)
{
	if (!(entry & PRESENT))
		return NMIBT_ENTRY_NONE;
	*ret = entry & ADDRESS & ~tables->sme_mask;
	if (shift == tables->page_shift)
		return NMIBT_ENTRY_MEMORY;
	if (!(entry & LARGE))
		return NMIBT_ENTRY_TABLE;
	return nmibt_may_be_large(tables, shift) ? NMIBT_ENTRY_MEMORY : NMIBT_ENTRY_NONE;
}

const struct nmibt_paging_arch nmibt_paging_x86_64 = {
	.arch = NMIBT_ARCH_X86_64,
	.image_lines = "NUMBER(phys_base)",
	.kimage_to_phys = kimage_to_phys,
	.open = open_tables,
	.decode = decode,
};
