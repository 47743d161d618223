/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake of the kernel's own table of symbols, in the layout of scripts/kallsyms.c (6.12 and 7.2),
 * and the VMCOREINFO that describes it.
 */
#ifndef FAKE_KALLSYMS_H
#define FAKE_KALLSYMS_H

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

#define KERNEL UINT64_C(0xffffffff81000000)
#define PHYS UINT64_C(0x1000000)
#define PAGE 4096
#define MEMORY (8 * PAGE)
#define NR_SYMBOLS 600

enum table { NUM_SYMS, RELATIVE_BASE, OFFSETS, NAMES, TOKEN_TABLE, TOKEN_INDEX, NR_TABLES };

static const char *const keys[NR_TABLES] = {
	"SYMBOL(kallsyms_num_syms)",	"SYMBOL(kallsyms_relative_base)",
	"SYMBOL(kallsyms_offsets)",	"SYMBOL(kallsyms_names)",
	"SYMBOL(kallsyms_token_table)", "SYMBOL(kallsyms_token_index)"};

/* How the offsets of symbols are encoded. */
enum offsets_as {
	NEGATIVE, /* x86_64 up to 6.14: CONFIG_KALLSYMS_ABSOLUTE_PERCPU */
	UNSIGNED, /* arm64, and x86_64 later */
	FROM_ENTRY, /* 7.2: no base */
	NR_OFFSETS_AS,
};

struct kernel {
	uint8_t memory[MEMORY];
	uint64_t tables[NR_TABLES]; /* offsets in memory */
	enum offsets_as as;
	uint8_t status[MEMORY / PAGE];
};

static inline enum nmibt_read read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const struct kernel *kernel = ctx;

	if (paddr < PHYS || paddr - PHYS >= MEMORY)
		return NMIBT_READ_ERROR;
	if (kernel->status[(paddr - PHYS) / PAGE])
		return NMIBT_READ_EXCLUDED;
	memcpy(buf, kernel->memory + (paddr - PHYS), len);
	return NMIBT_READ_OK;
}

static inline char *vmcoreinfo(void *ctx, const char *key)
{
	const struct kernel *kernel = ctx;
	char *line = NULL;

	if (!strcmp(key, "NUMBER(phys_base)"))
		return strdup("0");
	if (!strcmp(key, "NUMBER(KERNEL_IMAGE_SIZE)"))
		return strdup("1073741824");
	if (!strcmp(key, "SYMBOL(_stext)") && asprintf(&line, "%" PRIx64, KERNEL + 0x20) >= 0)
		return line;
	for (unsigned int i = 0; i < NR_TABLES; i++) {
		if (!strcmp(key, keys[i]) && (i != RELATIVE_BASE || kernel->as != FROM_ENTRY) &&
		    asprintf(&line, "%" PRIx64, KERNEL + kernel->tables[i]) >= 0)
			return line;
	}
	return NULL;
}

/* Puts symbol i at an address of the image. */
static inline void put_address(struct kernel *k, uint32_t i, uint64_t addr)
{
	uint64_t entry = k->tables[OFFSETS] + 4 * i;
	int32_t offset = addr - KERNEL;

	if (k->as == NEGATIVE)
		offset = -1 - offset;
	else if (k->as == FROM_ENTRY)
		offset = addr - (KERNEL + entry);
	memcpy(k->memory + entry, &offset, sizeof(offset));
}

/* Makes symbols every 16 bytes, with names of a few letters; each token is one letter. */
static inline void make_tables(struct kernel *k, enum offsets_as as)
{
	static const uint64_t at[NR_TABLES] = {0, 8, 64, PAGE, 6 * PAGE, 6 * PAGE + 512};
	uint32_t nr = NR_SYMBOLS;
	uint64_t base = KERNEL;
	uint8_t *name = k->memory + at[NAMES];

	memset(k, 0, sizeof(*k));
	k->as = as;
	memcpy(k->tables, at, sizeof(at));
	memcpy(k->memory + at[NUM_SYMS], &nr, sizeof(nr));
	memcpy(k->memory + at[RELATIVE_BASE], &base, sizeof(base));
	for (uint32_t i = 0; i < nr; i++) {
		size_t len = 2 + i % 20;

		put_address(k, i, KERNEL + 16 * i);
		*name++ = len;
		memset(name, 'a' + i % 26, len);
		*name = "tTwWd"[i % 5];
		name += len;
	}
	for (unsigned int i = 0; i < 256; i++) {
		uint16_t index = 2 * i;

		k->memory[at[TOKEN_TABLE] + 2 * i] = i;
		memcpy(k->memory + at[TOKEN_INDEX] + 2 * i, &index, sizeof(index));
	}
}

static inline void make_image(struct kernel *kernel, enum offsets_as as, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = read_phys,
		.vmcoreinfo = vmcoreinfo,
	};

	make_tables(kernel, as);
	*ret = (struct nmibt_image){
		.ops = &ops,
		.ctx = kernel,
		.arch = NMIBT_ARCH_X86_64,
		.page_size = PAGE,
	};
}

#endif /* FAKE_KALLSYMS_H */
