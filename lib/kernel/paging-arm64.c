// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables of arm64: arch/arm64/include/asm/pgtable-hwdef.h, 6.12. The lines of VMCOREINFO are
 * from arch/arm64/kernel/vmcore_info.c in 6.12, crash_core.c in 6.1.
 */
#include <inttypes.h>

#include "kernel/paging.h"

#define VALID 0x1
#define TABLE 0x2 /* on the last level: a page */

static bool kimage_to_phys(const struct nmibt_vmcoreinfo *v, uint64_t vaddr, uint64_t *ret)
{
	if (!v->kimage_voffset.known)
		return false;
	*ret = vaddr - v->kimage_voffset.value;
	return true;
}

/*
 * VA_BITS is what the kernel was built for. On a CPU without FEAT_LVA or FEAT_LPA2 the kernel uses
 * fewer bits, and T1SZ has their number (5.11 and later). With 64 KiB pages the first table is then
 * entered at an offset (arch/arm64/include/asm/assembler.h, offset_ttbr1, 6.12); with smaller
 * pages the walk begins one level lower (arch/arm64/kernel/pi/map_kernel.c).
 */
static struct nmibt_error *open_tables(const struct nmibt_vmcoreinfo *v, struct nmibt_tables *ret)
{
	uint64_t page_size = v->page_size.value, built = v->va_bits.value;
	uint64_t t1sz = v->t1sz.known ? v->t1sz.value : 64 - built;

	if (!v->page_size.known)
		return nmibt_no_tables("PAGESIZE");
	if (!v->va_bits.known)
		return nmibt_no_tables("NUMBER(VA_BITS)");
	if ((page_size != 4096 && page_size != 16384 && page_size != 65536) || built < 36 ||
	    built > 52 || t1sz < 12 || t1sz > 28)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "VMCOREINFO: pages of %" PRIu64 " bytes, VA_BITS %" PRIu64
					  ", T1SZ %" PRIu64 " make no sense",
					  page_size, built, t1sz);
	ret->page_shift = __builtin_ctzll(page_size);
	ret->sign_bits = t1sz;
	ret->wide = t1sz == 12;
	nmibt_set_levels(ret, page_size == 65536 ? built : 64 - t1sz);
	return NULL;
}

/* Bits low to high of an entry, in place. */
static uint64_t entry_bits(uint64_t entry, unsigned int high, unsigned int low)
{
	return entry & (UINT64_MAX >> (63 - high)) & (UINT64_MAX << low);
}

/* arch/arm64/include/asm/pgtable.h, __pte_to_phys(), 6.12. With 64 KiB pages bits 15:12 hold
 * address bits 51:48; they are 0 where addresses have 48 bits. With smaller pages bits 9:8 hold
 * address bits 51:50, but only with FEAT_LPA2, which comes with addresses of 52 bits. */
static uint64_t address_of(const struct nmibt_tables *tables, uint64_t entry)
{
	if (tables->page_shift == 16)
		return entry_bits(entry, 47, 16) | entry_bits(entry, 15, 12) << 36;
	if (tables->wide)
		return entry_bits(entry, 49, tables->page_shift) | entry_bits(entry, 9, 8) << 42;
	return entry_bits(entry, 47, tables->page_shift);
}

static enum nmibt_entry decode(const struct nmibt_tables *tables, uint64_t entry,
			       unsigned int shift, uint64_t *ret)
{
	if (!(entry & VALID))
		return NMIBT_ENTRY_NONE;
	*ret = address_of(tables, entry);
	if (shift == tables->page_shift)
		return entry & TABLE ? NMIBT_ENTRY_MEMORY : NMIBT_ENTRY_NONE;
	if (entry & TABLE)
		return NMIBT_ENTRY_TABLE;
	return nmibt_may_be_large(tables, shift) ? NMIBT_ENTRY_MEMORY : NMIBT_ENTRY_NONE;
}

const struct nmibt_paging_arch nmibt_paging_arm64 = {
	.arch = NMIBT_ARCH_ARM64,
	.image_lines = "NUMBER(kimage_voffset)",
	.kimage_to_phys = kimage_to_phys,
	.open = open_tables,
	.decode = decode,
};
