// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel virtual addresses, by what VMCOREINFO says of the page tables
 * (arch/x86/kernel/vmcore_info_64.c, arch/arm64/kernel/vmcore_info.c in 6.12;
 * crash_core_64.c, crash_core.c in 6.1). The first table is in the kernel's image,
 * which is mapped as a whole, so that an offset leads to it.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "kernel/kernel.h"

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
	uint64_t size; /* a power of two, or 0: none */
};

struct nmibt_virtual {
	const struct nmibt_image *image;
	unsigned int page_shift;
	unsigned int nr_levels;
	unsigned int root_bits; /* of the index of the first table */
	unsigned int sign_bits; /* that are 1 in each address of the kernel's */
	uint64_t root; /* physical address of the first table */
	uint64_t sme_mask; /* x86_64: the bit that marks encrypted memory */
	bool wide; /* arm64: kernel addresses of 52 bits */
	bool has_tables; /* false: only what the image's callbacks know */
	struct mapping last;
};

/* --------------------------------------------------------------- VMCOREINFO */

bool nmibt_vmcoreinfo_number(const struct nmibt_image *image, const char *key, int base,
			     uint64_t *ret)
{
	if (!image->ops->vmcoreinfo)
		return false;

	_cleanup_free_ char *value = image->ops->vmcoreinfo(image->ctx, key);
	char *end;
	if (!value || (!isxdigit(*value) && *value != '-'))
		return false;
	errno = 0;
	uint64_t number =
		*value == '-' ? (uint64_t)strtoll(value, &end, base) : strtoull(value, &end, base);
	if (errno || *end)
		return false;
	*ret = number;
	return true;
}

bool nmibt_kimage_to_phys(const struct nmibt_image *image, uint64_t vaddr, uint64_t *ret)
{
	uint64_t size, offset;

	if (image->arch == NMIBT_ARCH_X86_64) {
		/* Behind the image stand the modules. */
		if (!nmibt_vmcoreinfo_number(image, "NUMBER(KERNEL_IMAGE_SIZE)", 10, &size) ||
		    !nmibt_vmcoreinfo_number(image, "NUMBER(phys_base)", 10, &offset) ||
		    vaddr < X86_KERNEL_MAP || vaddr - X86_KERNEL_MAP >= size)
			return false;
		*ret = vaddr - X86_KERNEL_MAP + offset;
		return true;
	}
	if (image->arch != NMIBT_ARCH_ARM64 ||
	    !nmibt_vmcoreinfo_number(image, "NUMBER(kimage_voffset)", 16, &offset))
		return false;
	*ret = vaddr - offset;
	return true;
}

bool nmibt_vmcoreinfo_symbol(const struct nmibt_image *image, const char *name, uint64_t *ret)
{
	char key[64];

	snprintf(key, sizeof(key), "SYMBOL(%s)", name);
	return nmibt_vmcoreinfo_number(image, key, 16, ret);
}

/* -------------------------------------------------------------------- tables */

/* Bits [low, high] of an entry. */
static uint64_t entry_bits(uint64_t entry, unsigned int high, unsigned int low)
{
	return entry & (UINT64_MAX >> (63 - high)) & (UINT64_MAX << low);
}

/* arch/arm64/include/asm/pgtable.h, __pte_to_phys(), 6.12. With 64 KiB pages the
 * bits 15:12 are 0 where addresses have 48 bits; with smaller ones FEAT_LPA2 gives
 * bits 9:8 another meaning, and comes with addresses of 52 bits. */
static uint64_t arm64_address(const struct nmibt_virtual *v, uint64_t entry)
{
	if (v->page_shift == 16)
		return entry_bits(entry, 47, 16) | entry_bits(entry, 15, 12) << 36;
	if (v->wide)
		return entry_bits(entry, 49, v->page_shift) | entry_bits(entry, 9, 8) << 42;
	return entry_bits(entry, 47, v->page_shift);
}

/* Whether entries of a level other than the last may map memory themselves: those
 * of the last but one, and with 4 KiB pages those of 1 GiB. */
static bool may_be_large(const struct nmibt_virtual *v, unsigned int shift)
{
	return shift == 2 * v->page_shift - 3 || (v->page_shift == 12 && shift == 30);
}

enum entry { ENTRY_NONE, ENTRY_TABLE, ENTRY_MEMORY };

static enum entry decode(const struct nmibt_virtual *v, uint64_t entry, unsigned int shift,
			 uint64_t *ret)
{
	bool x86 = v->image->arch == NMIBT_ARCH_X86_64, large;

	if (!(entry & (x86 ? X86_PRESENT : ARM64_VALID)))
		return ENTRY_NONE;
	*ret = x86 ? entry & X86_ADDRESS & ~v->sme_mask : arm64_address(v, entry);
	if (shift == v->page_shift)
		return x86 || entry & ARM64_TABLE ? ENTRY_MEMORY : ENTRY_NONE;
	large = x86 ? entry & X86_LARGE : !(entry & ARM64_TABLE);
	if (!large)
		return ENTRY_TABLE;
	return may_be_large(v, shift) ? ENTRY_MEMORY : ENTRY_NONE;
}

/* ERROR also where nothing is mapped. */
static enum nmibt_read walk(const struct nmibt_virtual *v, uint64_t vaddr, struct mapping *ret)
{
	unsigned int index_bits = v->page_shift - 3;
	uint64_t table = v->root, entry;

	if (~vaddr >> (64 - v->sign_bits))
		return NMIBT_READ_ERROR;
	for (unsigned int level = v->nr_levels; level; level--) {
		unsigned int shift = v->page_shift + index_bits * (level - 1);
		unsigned int bits = level == v->nr_levels ? v->root_bits : index_bits;
		uint64_t index = vaddr >> shift & ((UINT64_C(1) << bits) - 1);
		enum nmibt_read status =
			nmibt_read_phys(v->image, table + 8 * index, &entry, sizeof(entry));

		if (status != NMIBT_READ_OK)
			return status;
		switch (decode(v, entry, shift, &table)) {
		case ENTRY_NONE:
			return NMIBT_READ_ERROR;
		case ENTRY_TABLE:
			break;
		case ENTRY_MEMORY:
			ret->size = UINT64_C(1) << shift;
			ret->vaddr = vaddr & -ret->size;
			ret->paddr = table & -ret->size;
			return NMIBT_READ_OK;
		}
	}
	return NMIBT_READ_ERROR;
}

static enum nmibt_read translate(struct nmibt_virtual *v, uint64_t vaddr, uint64_t *ret)
{
	const struct nmibt_image *image = v->image;
	enum nmibt_read status = NMIBT_READ_OK;

	if (vaddr - v->last.vaddr >= v->last.size)
		status = v->has_tables ? walk(v, vaddr, &v->last) : NMIBT_READ_ERROR;
	if (status == NMIBT_READ_OK) {
		*ret = v->last.paddr + (vaddr - v->last.vaddr);
		return NMIBT_READ_OK;
	}
	if (image->ops->virt_to_phys && image->ops->virt_to_phys(image->ctx, vaddr, ret))
		return NMIBT_READ_OK;
	return status;
}

bool nmibt_virtual_to_phys(struct nmibt_virtual *v, uint64_t vaddr, uint64_t *ret)
{
	return translate(v, vaddr, ret) == NMIBT_READ_OK;
}

static enum nmibt_read read_in_page(struct nmibt_virtual *v, uint64_t vaddr, void *buf, size_t len)
{
	uint64_t paddr;
	enum nmibt_read status = translate(v, vaddr, &paddr);

	if (status == NMIBT_READ_OK)
		status = nmibt_read_phys(v->image, paddr, buf, len);
	if (status != NMIBT_READ_OK && v->image->ops->read_virt)
		status = v->image->ops->read_virt(v->image->ctx, vaddr, buf, len);
	return status;
}

struct nmibt_run nmibt_virtual_read_pages(struct nmibt_virtual *v, uint64_t vaddr, void *buf,
					  size_t len, bool *known)
{
	size_t page_size = (size_t)1 << v->page_shift;
	struct nmibt_run run = {0};
	char *to = buf;

	while (len) {
		size_t chunk = page_size - (vaddr & (page_size - 1));
		if (chunk > len)
			chunk = len;

		enum nmibt_read status = read_in_page(v, vaddr, to, chunk);
		if (status != NMIBT_READ_OK) {
			memset(to, 0, chunk);
			*(status == NMIBT_READ_EXCLUDED ? &run.excluded : &run.failed) += chunk;
		}
		if (known) {
			memset(known, status == NMIBT_READ_OK, chunk * sizeof(*known));
			known += chunk;
		}
		vaddr += chunk;
		to += chunk;
		len -= chunk;
	}
	return run;
}

enum nmibt_read nmibt_virtual_read(struct nmibt_virtual *v, uint64_t vaddr, void *buf, size_t len)
{
	struct nmibt_run run = nmibt_virtual_read_pages(v, vaddr, buf, len, NULL);

	if (run.failed)
		return NMIBT_READ_ERROR;
	return run.excluded ? NMIBT_READ_EXCLUDED : NMIBT_READ_OK;
}

/* ------------------------------------------------------------------- opening */

static struct nmibt_error *missing(const char *line)
{
	return nmibt_error_create(NMIBT_ERR_NOTHING,
				  "the kernel's page tables can't be found: no %s in VMCOREINFO",
				  line);
}

static void set_levels(struct nmibt_virtual *v, unsigned int va_bits)
{
	unsigned int index_bits = v->page_shift - 3;

	v->nr_levels = (va_bits - v->page_shift + index_bits - 1) / index_bits;
	v->root_bits = va_bits - v->page_shift - index_bits * (v->nr_levels - 1);
}

static struct nmibt_error *open_x86(struct nmibt_virtual *v)
{
	uint64_t five = 0;

	nmibt_vmcoreinfo_number(v->image, "NUMBER(pgtable_l5_enabled)", 10, &five);
	nmibt_vmcoreinfo_number(v->image, "NUMBER(sme_mask)", 10, &v->sme_mask);
	v->page_shift = X86_PAGE_SHIFT;
	set_levels(v, five ? 57 : 48);
	v->sign_bits = five ? 8 : 17;
	return NULL;
}

/*
 * VA_BITS is what the kernel was built for. A CPU without FEAT_LVA or FEAT_LPA2 uses
 * fewer; T1SZ says it (5.11 and later). The table is then entered further behind for
 * pages of 64 KiB (arch/arm64/include/asm/assembler.h, offset_ttbr1, 6.12), and one
 * level later for the smaller ones (arch/arm64/kernel/pi/map_kernel.c).
 */
static struct nmibt_error *open_arm64(struct nmibt_virtual *v)
{
	uint64_t page_size, built, t1sz;

	if (!nmibt_vmcoreinfo_number(v->image, "PAGESIZE", 10, &page_size))
		return missing("PAGESIZE");
	if (!nmibt_vmcoreinfo_number(v->image, "NUMBER(VA_BITS)", 10, &built))
		return missing("NUMBER(VA_BITS)");
	if (!nmibt_vmcoreinfo_number(v->image, "NUMBER(TCR_EL1_T1SZ)", 16, &t1sz))
		t1sz = 64 - built;
	if ((page_size != 4096 && page_size != 16384 && page_size != 65536) || built < 36 ||
	    built > 52 || t1sz < 12 || t1sz > 28)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "VMCOREINFO: pages of %" PRIu64 " bytes, VA_BITS %" PRIu64
					  ", T1SZ %" PRIu64 " make no sense",
					  page_size, built, t1sz);
	v->page_shift = __builtin_ctzll(page_size);
	v->sign_bits = t1sz;
	v->wide = t1sz == 12;
	set_levels(v, page_size == 65536 ? built : 64 - t1sz);
	return NULL;
}

static struct nmibt_error *open_tables(struct nmibt_virtual *v)
{
	const struct nmibt_image *image = v->image;
	uint64_t root;

	if (image->arch != NMIBT_ARCH_X86_64 && image->arch != NMIBT_ARCH_ARM64)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "page tables of this architecture are not known");
	if (!nmibt_vmcoreinfo_symbol(image, "swapper_pg_dir", &root))
		return missing("SYMBOL(swapper_pg_dir)");
	if (!nmibt_kimage_to_phys(image, root, &v->root))
		return missing(image->arch == NMIBT_ARCH_X86_64
				       ? "NUMBER(phys_base) or NUMBER(KERNEL_IMAGE_SIZE)"
				       : "NUMBER(kimage_voffset)");
	return image->arch == NMIBT_ARCH_X86_64 ? open_x86(v) : open_arm64(v);
}

struct nmibt_error *nmibt_virtual_open(const struct nmibt_image *image, struct nmibt_virtual **ret)
{
	struct nmibt_virtual *v = calloc(1, sizeof(*v));
	if (!v)
		return nmibt_error_nomem();

	v->image = image;
	v->page_shift = __builtin_ctzll(image->page_size);
	struct nmibt_error *err = open_tables(v);
	v->has_tables = !err;
	if (err && !image->ops->read_virt && !image->ops->virt_to_phys) {
		nmibt_virtual_close(v);
		return err;
	}
	nmibt_error_destroy(err);
	*ret = v;
	return NULL;
}

void nmibt_virtual_close(struct nmibt_virtual *v)
{
	free(v);
}
