// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translates kernel virtual addresses by the page tables, which VMCOREINFO describes
 * (arch/x86/kernel/vmcore_info_64.c, arch/arm64/kernel/vmcore_info.c in 6.12;
 * crash_core_64.c, crash_core.c in 6.1). The first table is in the kernel's image, which is mapped
 * at one offset, so that its physical address can be computed.
 */
#include <inttypes.h>

#include "kernel/memory.h"

/* x86_64: arch/x86/include/asm/page_64_types.h and pgtable_types.h, 6.12. */
#define X86_KERNEL_MAP UINT64_C(0xffffffff80000000)
#define X86_ADDRESS UINT64_C(0x000ffffffffff000)
#define X86_PRESENT 0x1
#define X86_LARGE 0x80
#define X86_PAGE_SHIFT 12

/* arm64: arch/arm64/include/asm/pgtable-hwdef.h, 6.12. */
#define ARM64_VALID 0x1
#define ARM64_TABLE 0x2 /* on the last level: a page */

struct mapping {
	uint64_t vaddr, paddr;
	uint64_t size; /* bytes, a power of two; 0: there is no mapping */
};

struct nmibt_memory {
	const struct nmibt_image *image;
	unsigned int page_shift;
	unsigned int nr_levels;
	unsigned int root_bits; /* bits of the index into the first table */
	unsigned int sign_bits; /* number of upper bits that are 1 in every kernel address */
	uint64_t root; /* physical address of the first table */
	uint64_t sme_mask; /* x86_64: the bit that marks encrypted memory */
	bool wide; /* arm64: kernel addresses have 52 bits */
	bool has_tables; /* false: there are only the image's callbacks */
	struct mapping last; /* of the last translation */
};

bool nmibt_kimage_to_phys(const struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t *ret)
{
	const struct nmibt_vmcoreinfo *v = &kernel->vmcoreinfo;

	if (kernel->image->arch == NMIBT_ARCH_X86_64) {
		/* Addresses behind the image belong to modules. */
		if (!v->kernel_image_size.known || !v->phys_base.known || vaddr < X86_KERNEL_MAP ||
		    vaddr - X86_KERNEL_MAP >= v->kernel_image_size.value)
			return false;
		*ret = vaddr - X86_KERNEL_MAP + v->phys_base.value;
		return true;
	}
	if (kernel->image->arch != NMIBT_ARCH_ARM64 || !v->kimage_voffset.known)
		return false;
	*ret = vaddr - v->kimage_voffset.value;
	return true;
}

/* -------------------------------------------------------------------- tables */

/* Bits low to high of an entry, in place. */
static uint64_t entry_bits(uint64_t entry, unsigned int high, unsigned int low)
{
	return entry & (UINT64_MAX >> (63 - high)) & (UINT64_MAX << low);
}

/* arch/arm64/include/asm/pgtable.h, __pte_to_phys(), 6.12. With 64 KiB pages bits 15:12 hold
 * address bits 51:48; they are 0 where addresses have 48 bits. With smaller pages bits 9:8 hold
 * address bits 51:50, but only with FEAT_LPA2, which comes with addresses of 52 bits. */
static uint64_t arm64_address(const struct nmibt_memory *m, uint64_t entry)
{
	if (m->page_shift == 16)
		return entry_bits(entry, 47, 16) | entry_bits(entry, 15, 12) << 36;
	if (m->wide)
		return entry_bits(entry, 49, m->page_shift) | entry_bits(entry, 9, 8) << 42;
	return entry_bits(entry, 47, m->page_shift);
}

/* True: entries of this level, which is not the last, may map memory themselves. These are the
 * entries of the level before the last, and with 4 KiB pages those of 1 GiB. */
static bool may_be_large(const struct nmibt_memory *m, unsigned int shift)
{
	return shift == 2 * m->page_shift - 3 || (m->page_shift == 12 && shift == 30);
}

enum entry { ENTRY_NONE, ENTRY_TABLE, ENTRY_MEMORY };

static enum entry decode(const struct nmibt_memory *m, uint64_t entry, unsigned int shift,
			 uint64_t *ret)
{
	bool x86 = m->image->arch == NMIBT_ARCH_X86_64, large;

	if (!(entry & (x86 ? X86_PRESENT : ARM64_VALID)))
		return ENTRY_NONE;
	*ret = x86 ? entry & X86_ADDRESS & ~m->sme_mask : arm64_address(m, entry);
	if (shift == m->page_shift)
		return x86 || entry & ARM64_TABLE ? ENTRY_MEMORY : ENTRY_NONE;
	large = x86 ? entry & X86_LARGE : !(entry & ARM64_TABLE);
	if (!large)
		return ENTRY_TABLE;
	return may_be_large(m, shift) ? ENTRY_MEMORY : ENTRY_NONE;
}

/* OK: the tables could be read. Where nothing is mapped *ret is as it was. */
static enum nmibt_read walk(const struct nmibt_memory *m, uint64_t vaddr, struct mapping *ret)
{
	unsigned int index_bits = m->page_shift - 3;
	uint64_t table = m->root, entry;

	if (~vaddr >> (64 - m->sign_bits))
		return NMIBT_READ_OK;
	for (unsigned int level = m->nr_levels; level; level--) {
		unsigned int shift = m->page_shift + index_bits * (level - 1);
		unsigned int bits = level == m->nr_levels ? m->root_bits : index_bits;
		uint64_t index = vaddr >> shift & ((UINT64_C(1) << bits) - 1);
		enum nmibt_read status =
			nmibt_read_phys(m->image, table + 8 * index, &entry, sizeof(entry));

		if (status != NMIBT_READ_OK)
			return status;
		switch (decode(m, entry, shift, &table)) {
		case ENTRY_NONE:
			return NMIBT_READ_OK;
		case ENTRY_TABLE:
			break;
		case ENTRY_MEMORY:
			ret->size = UINT64_C(1) << shift;
			ret->vaddr = vaddr & -ret->size;
			ret->paddr = table & -ret->size;
			return NMIBT_READ_OK;
		}
	}
	return NMIBT_READ_OK;
}

static bool is_in_last(const struct nmibt_memory *m, uint64_t vaddr)
{
	return vaddr - m->last.vaddr < m->last.size;
}

static enum nmibt_read find_in_tables(struct nmibt_memory *m, uint64_t vaddr)
{
	return is_in_last(m, vaddr) || !m->has_tables ? NMIBT_READ_OK : walk(m, vaddr, &m->last);
}

static enum nmibt_read translate(struct nmibt_memory *m, uint64_t vaddr, uint64_t *ret)
{
	const struct nmibt_image *image = m->image;
	enum nmibt_read status = find_in_tables(m, vaddr);

	if (is_in_last(m, vaddr)) {
		*ret = m->last.paddr + (vaddr - m->last.vaddr);
		return NMIBT_READ_OK;
	}
	if (image->ops->virt_to_phys && image->ops->virt_to_phys(image->ctx, vaddr, ret))
		return NMIBT_READ_OK;
	return status == NMIBT_READ_OK ? NMIBT_READ_ERROR : status;
}

/* NULL: the kernel's virtual memory can't be read. */
static struct nmibt_memory *memory_of(struct nmibt_kernel *kernel)
{
	return nmibt_kernel_failure(kernel, NMIBT_PART_MEMORY) ? NULL : kernel->memory;
}

bool nmibt_kernel_to_phys(struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t *ret)
{
	struct nmibt_memory *m = memory_of(kernel);

	return m && translate(m, vaddr, ret) == NMIBT_READ_OK;
}

enum nmibt_read nmibt_kernel_read_tables(struct nmibt_kernel *kernel, uint64_t vaddr)
{
	struct nmibt_memory *m = memory_of(kernel);

	return m ? find_in_tables(m, vaddr) : NMIBT_READ_OK;
}

static enum nmibt_read read_in_page(void *ctx, uint64_t vaddr, void *buf, size_t len)
{
	struct nmibt_memory *m = ctx;
	uint64_t paddr;
	enum nmibt_read status = m ? translate(m, vaddr, &paddr) : NMIBT_READ_ERROR;

	if (status == NMIBT_READ_OK)
		status = nmibt_read_phys(m->image, paddr, buf, len);
	if (status != NMIBT_READ_OK && m && m->image->ops->read_virt)
		status = m->image->ops->read_virt(m->image->ctx, vaddr, buf, len);
	return status;
}

struct nmibt_run nmibt_kernel_read_pages(struct nmibt_kernel *kernel, uint64_t vaddr, void *buf,
					 size_t len, bool *known)
{
	struct nmibt_memory *m = memory_of(kernel);
	size_t page_size = m ? (size_t)1 << m->page_shift : kernel->image->page_size;

	return nmibt_read_pages(read_in_page, m, page_size, vaddr, buf, len, known);
}

enum nmibt_read nmibt_kernel_read(struct nmibt_kernel *kernel, uint64_t vaddr, void *buf,
				  size_t len)
{
	struct nmibt_run run = nmibt_kernel_read_pages(kernel, vaddr, buf, len, NULL);

	return nmibt_run_status(&run);
}

/* ------------------------------------------------------------------- opening */

static struct nmibt_error *missing(const char *line)
{
	return nmibt_error_create(NMIBT_ERR_NOTHING,
				  "the kernel's page tables can't be found: no %s in VMCOREINFO",
				  line);
}

static void set_levels(struct nmibt_memory *m, unsigned int va_bits)
{
	unsigned int index_bits = m->page_shift - 3;

	m->nr_levels = (va_bits - m->page_shift + index_bits - 1) / index_bits;
	m->root_bits = va_bits - m->page_shift - index_bits * (m->nr_levels - 1);
}

static void open_x86(struct nmibt_memory *m, const struct nmibt_vmcoreinfo *v)
{
	bool five = v->l5_enabled.value;

	m->sme_mask = v->sme_mask.value;
	m->page_shift = X86_PAGE_SHIFT;
	set_levels(m, five ? 57 : 48);
	m->sign_bits = five ? 8 : 17;
}

/*
 * VA_BITS is what the kernel was built for. On a CPU without FEAT_LVA or FEAT_LPA2 the kernel uses
 * fewer bits, and T1SZ has their number (5.11 and later). With 64 KiB pages the first table is then
 * entered at an offset (arch/arm64/include/asm/assembler.h, offset_ttbr1, 6.12); with smaller
 * pages the walk begins one level lower (arch/arm64/kernel/pi/map_kernel.c).
 */
static struct nmibt_error *open_arm64(struct nmibt_memory *m, const struct nmibt_vmcoreinfo *v)
{
	uint64_t page_size = v->page_size.value, built = v->va_bits.value;
	uint64_t t1sz = v->t1sz.known ? v->t1sz.value : 64 - built;

	if (!v->page_size.known)
		return missing("PAGESIZE");
	if (!v->va_bits.known)
		return missing("NUMBER(VA_BITS)");
	if ((page_size != 4096 && page_size != 16384 && page_size != 65536) || built < 36 ||
	    built > 52 || t1sz < 12 || t1sz > 28)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "VMCOREINFO: pages of %" PRIu64 " bytes, VA_BITS %" PRIu64
					  ", T1SZ %" PRIu64 " make no sense",
					  page_size, built, t1sz);
	m->page_shift = __builtin_ctzll(page_size);
	m->sign_bits = t1sz;
	m->wide = t1sz == 12;
	set_levels(m, page_size == 65536 ? built : 64 - t1sz);
	return NULL;
}

static struct nmibt_error *open_tables(struct nmibt_memory *m, struct nmibt_kernel *kernel)
{
	const struct nmibt_vmcoreinfo *v = &kernel->vmcoreinfo;
	enum nmibt_arch arch = kernel->image->arch;

	if (arch != NMIBT_ARCH_X86_64 && arch != NMIBT_ARCH_ARM64)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "page tables of this architecture are not known");
	if (!v->swapper_pg_dir.known)
		return missing("SYMBOL(swapper_pg_dir)");
	if (!nmibt_kimage_to_phys(kernel, v->swapper_pg_dir.value, &m->root))
		return missing(arch == NMIBT_ARCH_X86_64
				       ? "NUMBER(phys_base) or NUMBER(KERNEL_IMAGE_SIZE)"
				       : "NUMBER(kimage_voffset)");
	if (arch == NMIBT_ARCH_ARM64)
		return open_arm64(m, v);
	open_x86(m, v);
	return NULL;
}

struct nmibt_error *nmibt_memory_open(struct nmibt_kernel *kernel, struct nmibt_memory **ret)
{
	const struct nmibt_image *image = kernel->image;
	struct nmibt_memory *m = calloc(1, sizeof(*m));
	if (!m)
		return nmibt_error_nomem();

	m->image = image;
	m->page_shift = __builtin_ctzll(image->page_size);
	struct nmibt_error *err = open_tables(m, kernel);
	m->has_tables = !err;
	if (err && !image->ops->read_virt && !image->ops->virt_to_phys) {
		nmibt_memory_close(m);
		return err;
	}
	nmibt_error_destroy(err);
	*ret = m;
	return NULL;
}

void nmibt_memory_close(struct nmibt_memory *memory)
{
	free(memory);
}
