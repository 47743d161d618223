// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translates kernel virtual addresses by the page tables, which VMCOREINFO describes. The first
 * table is in the kernel's image, which is mapped at one offset, so that its physical address can
 * be computed. What the tables look like is in paging-ARCH.c.
 */
#include "kernel/memory.h"
#include "kernel/paging.h"

static const struct nmibt_paging_arch *const archs[] = {&nmibt_paging_x86_64, &nmibt_paging_arm64};

struct mapping {
	uint64_t vaddr, paddr;
	uint64_t size; /* bytes, a power of two; 0: there is no mapping */
};

/* A record of the log is in three pages, and a stack with what unwinds it in a few more. */
#define NR_RECENT 8

struct nmibt_memory {
	const struct nmibt_image *image;
	const struct nmibt_paging_arch *arch; /* NULL: there are only the image's callbacks */
	struct nmibt_tables tables;
	uint64_t root; /* physical address of the first table */
	struct mapping recent[NR_RECENT]; /* of the last translations */
	unsigned int newest; /* of recent */
};

/* NULL: page tables of the architecture are not known. */
static const struct nmibt_paging_arch *arch_of(const struct nmibt_kernel *kernel)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		if (archs[i]->arch == kernel->image->arch)
			return archs[i];
	}
	return NULL;
}

bool nmibt_kimage_to_phys(const struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t *ret)
{
	const struct nmibt_paging_arch *arch = arch_of(kernel);

	return arch && arch->kimage_to_phys(&kernel->vmcoreinfo, vaddr, ret);
}

/* -------------------------------------------------------------------- tables */

/* OK: the tables could be read. Where nothing is mapped *ret is as it was. */
static enum nmibt_read walk(const struct nmibt_memory *m, uint64_t vaddr, struct mapping *ret)
{
	const struct nmibt_tables *t = &m->tables;
	unsigned int index_bits = t->page_shift - 3;
	uint64_t table = m->root, entry;

	if (~vaddr >> (64 - t->sign_bits))
		return NMIBT_READ_OK;
	for (unsigned int level = t->nr_levels; level; level--) {
		unsigned int shift = t->page_shift + index_bits * (level - 1);
		unsigned int bits = level == t->nr_levels ? t->root_bits : index_bits;
		uint64_t index = vaddr >> shift & ((UINT64_C(1) << bits) - 1);
		enum nmibt_read status =
			nmibt_read_phys(m->image, table + 8 * index, &entry, sizeof(entry));

		if (status != NMIBT_READ_OK)
			return status;
		switch (m->arch->decode(t, entry, shift, &table)) {
		case NMIBT_ENTRY_NONE:
			return NMIBT_READ_OK;
		case NMIBT_ENTRY_TABLE:
			break;
		case NMIBT_ENTRY_MEMORY:
			ret->size = UINT64_C(1) << shift;
			ret->vaddr = vaddr & -ret->size;
			ret->paddr = table & -ret->size;
			return NMIBT_READ_OK;
		}
	}
	return NMIBT_READ_OK;
}

static bool is_in(const struct mapping *mapping, uint64_t vaddr)
{
	return vaddr - mapping->vaddr < mapping->size;
}

/* *ret is NULL where nothing is mapped. */
static enum nmibt_read find_in_tables(struct nmibt_memory *m, uint64_t vaddr,
				      const struct mapping **ret)
{
	struct mapping found = {0};

	for (unsigned int i = 0; i < NR_RECENT; i++) {
		*ret = &m->recent[(m->newest - i) % NR_RECENT];
		if (is_in(*ret, vaddr))
			return NMIBT_READ_OK;
	}
	*ret = NULL;
	enum nmibt_read status = m->arch ? walk(m, vaddr, &found) : NMIBT_READ_OK;
	if (found.size) {
		*ret = &m->recent[++m->newest % NR_RECENT];
		m->recent[m->newest % NR_RECENT] = found;
	}
	return status;
}

static enum nmibt_read translate(struct nmibt_memory *m, uint64_t vaddr, uint64_t *ret)
{
	const struct nmibt_image *image = m->image;
	const struct mapping *mapping;
	enum nmibt_read status = find_in_tables(m, vaddr, &mapping);

	if (mapping) {
		*ret = mapping->paddr + (vaddr - mapping->vaddr);
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
	const struct mapping *unused;

	return m ? find_in_tables(m, vaddr, &unused) : NMIBT_READ_OK;
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
	size_t page_size = m ? (size_t)1 << m->tables.page_shift : kernel->image->page_size;

	return nmibt_read_pages(read_in_page, m, page_size, vaddr, buf, len, known);
}

enum nmibt_read nmibt_kernel_read(struct nmibt_kernel *kernel, uint64_t vaddr, void *buf,
				  size_t len)
{
	struct nmibt_run run = nmibt_kernel_read_pages(kernel, vaddr, buf, len, NULL);

	return nmibt_run_status(&run);
}

/* ------------------------------------------------------------------- opening */

struct nmibt_error *nmibt_no_tables(const char *line)
{
	return nmibt_error_create(NMIBT_ERR_NOTHING,
				  "the kernel's page tables can't be found: no %s in VMCOREINFO",
				  line);
}

void nmibt_set_levels(struct nmibt_tables *tables, unsigned int va_bits)
{
	unsigned int index_bits = tables->page_shift - 3, bits = va_bits - tables->page_shift;

	tables->nr_levels = (bits + index_bits - 1) / index_bits;
	tables->root_bits = bits - index_bits * (tables->nr_levels - 1);
}

bool nmibt_may_be_large(const struct nmibt_tables *tables, unsigned int shift)
{
	return shift == 2 * tables->page_shift - 3 || (tables->page_shift == 12 && shift == 30);
}

static struct nmibt_error *open_tables(struct nmibt_memory *m, const struct nmibt_kernel *kernel)
{
	const struct nmibt_vmcoreinfo *v = &kernel->vmcoreinfo;
	const struct nmibt_paging_arch *arch = arch_of(kernel);

	if (!arch)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "page tables of this architecture are not known");
	if (!v->swapper_pg_dir.known)
		return nmibt_no_tables("SYMBOL(swapper_pg_dir)");
	if (!arch->kimage_to_phys(v, v->swapper_pg_dir.value, &m->root))
		return nmibt_no_tables(arch->image_lines);
	struct nmibt_error *err = arch->open(v, &m->tables);
	if (!err)
		m->arch = arch;
	return err;
}

struct nmibt_error *nmibt_memory_open(struct nmibt_kernel *kernel, struct nmibt_memory **ret)
{
	const struct nmibt_image *image = kernel->image;
	struct nmibt_memory *m = calloc(1, sizeof(*m));
	if (!m)
		return nmibt_error_nomem();

	m->image = image;
	m->tables.page_shift = __builtin_ctzll(image->page_size);
	struct nmibt_error *err = open_tables(m, kernel);
	if (err && !image->ops->read_virt && !image->ops->virt_to_phys) {
		nmibt_memory_close(m);
		return err;
	}
	nmibt_error_destroy(err);
	*ret = m;
	return NULL;
}

/* True: the page tables map the first table to where it was read. */
static bool leads_to_itself(const struct nmibt_kernel *kernel)
{
	struct nmibt_memory m = {.image = kernel->image};
	struct mapping mapping = {0};
	struct nmibt_error *err = open_tables(&m, kernel);
	uint64_t vaddr = kernel->vmcoreinfo.swapper_pg_dir.value;

	if (err) {
		nmibt_error_destroy(err);
		return false;
	}
	return walk(&m, vaddr, &mapping) == NMIBT_READ_OK && is_in(&mapping, vaddr) &&
	       mapping.paddr + (vaddr - mapping.vaddr) == m.root;
}

void nmibt_find_phys_base(struct nmibt_kernel *kernel)
{
	struct nmibt_vmcoreinfo *v = &kernel->vmcoreinfo;

	if (kernel->image->arch != NMIBT_ARCH_X86_64 || !v->present || v->phys_base.known)
		return;
	v->phys_base.value = kernel->image->phys_base.known ? kernel->image->phys_base.value : 0;
	v->phys_base.known = true;
	v->phys_base.known = leads_to_itself(kernel);
}

void nmibt_memory_close(struct nmibt_memory *memory)
{
	free(memory);
}
