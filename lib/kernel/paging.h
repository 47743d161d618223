/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What page tables of one architecture look like, for lib/kernel/memory.c only, which walks
 * them. */
#ifndef NMIBT_PAGING_H
#define NMIBT_PAGING_H

#include "kernel/kernel.h"

struct nmibt_tables {
	unsigned int page_shift;
	unsigned int nr_levels;
	unsigned int root_bits; /* bits of the index into the first table */
	unsigned int sign_bits; /* number of upper bits that are 1 in every kernel address */
	uint64_t sme_mask; /* x86_64: the bit that marks encrypted memory */
	bool wide; /* arm64: kernel addresses have 52 bits */
};

enum nmibt_entry { NMIBT_ENTRY_NONE, NMIBT_ENTRY_TABLE, NMIBT_ENTRY_MEMORY };

struct nmibt_paging_arch {
	enum nmibt_arch arch;
	/* The lines of VMCOREINFO without which kimage_to_phys() fails. */
	const char *image_lines;
	/* nmibt_kimage_to_phys() */
	bool (*kimage_to_phys)(const struct nmibt_vmcoreinfo *v, uint64_t vaddr, uint64_t *ret);
	/* Finds the shape of the tables. Fails with NOTHING where VMCOREINFO lacks a line, and with
	 * DAMAGED where its lines make no sense. */
	struct nmibt_error *(*open)(const struct nmibt_vmcoreinfo *v, struct nmibt_tables *ret);
	/* What an entry leads to, where one index has shift bits below it. *ret is the physical
	 * address of the table, or of the memory; it is not set where there is NONE. */
	enum nmibt_entry (*decode)(const struct nmibt_tables *tables, uint64_t entry,
				   unsigned int shift, uint64_t *ret);
};

extern const struct nmibt_paging_arch nmibt_paging_x86_64, nmibt_paging_arm64;

struct nmibt_error *nmibt_no_tables(const char *line);

/* Sets nr_levels and root_bits, from page_shift and the number of bits that are translated. */
void nmibt_set_levels(struct nmibt_tables *tables, unsigned int va_bits);

/* True: entries of this level, which is not the last, may map memory themselves. These are the
 * entries of the level before the last, and with 4 KiB pages those of 1 GiB. */
bool nmibt_may_be_large(const struct nmibt_tables *tables, unsigned int shift);

#endif /* NMIBT_PAGING_H */
