/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake of the kernel's own table of symbols, in the layout of scripts/kallsyms.c (6.1.y, 6.12 and
 * 7.2), and the VMCOREINFO that describes it.
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

/* How the offsets of symbols are encoded, and where the order of names is. */
enum offsets_as {
	NEGATIVE, /* x86_64 6.1.y: CONFIG_KALLSYMS_ABSOLUTE_PERCPU; the order is behind the markers */
	UNSIGNED, /* arm64 6.12: the order is behind the base */
	/* 7.2: no base, and the order is behind the offsets. Tables begin at multiples of 4. */
	FROM_ENTRY,
	NR_OFFSETS_AS,
};

struct kernel {
	uint8_t memory[MEMORY];
	uint64_t tables[NR_TABLES]; /* offsets in memory */
	uint64_t markers, order; /* tables that VMCOREINFO does not mention */
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

/* The name of symbol i behind its length: its type, then its letters. */
static inline uint8_t *name_of_symbol(struct kernel *k, unsigned int i)
{
	uint8_t *at = k->memory + k->tables[NAMES];

	for (unsigned int n = 0; n < i; n++)
		at += *at + 1;
	return at + 1;
}

struct named {
	const uint8_t *name; /* behind its length: its type, then its letters */
	uint32_t symbol;
};

static inline int compare_names(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	unsigned int len_x = x->name[-1], len_y = y->name[-1];

	return memcmp(x->name + 1, y->name + 1, (len_x < len_y ? len_x : len_y) - 1)
		       ?: len_x != len_y ? (int)len_x - (int)len_y
					 : (int)x->symbol - (int)y->symbol;
}

/* Sorts the symbols by their names. */
static inline void make_order(struct kernel *k)
{
	const uint8_t *at = k->memory + k->tables[NAMES];
	uint8_t *order = k->memory + k->order;
	struct named named[NR_SYMBOLS];

	for (uint32_t i = 0; i < NR_SYMBOLS; i++, at += *at + 1)
		named[i] = (struct named){at + 1, i};
	qsort(named, NR_SYMBOLS, sizeof(*named), compare_names);
	for (unsigned int i = 0; i < NR_SYMBOLS; i++) {
		*order++ = named[i].symbol >> 16;
		*order++ = named[i].symbol >> 8;
		*order++ = named[i].symbol;
	}
}

static inline uint64_t next_table(const struct kernel *k, uint64_t end)
{
	uint64_t size = k->as == FROM_ENTRY ? 4 : 8;

	return (end + size - 1) & -size;
}

/* Makes symbols every 16 bytes, with names of a few letters. *ret: their end. */
static inline void make_symbols(struct kernel *k, uint64_t *ret)
{
	uint8_t *name = k->memory + k->tables[NAMES];
	uint32_t markers[(NR_SYMBOLS + 255) / 256];

	for (uint32_t i = 0; i < NR_SYMBOLS; i++) {
		size_t len = 2 + i % 20;

		if (i % 256 == 0)
			markers[i / 256] = name - (k->memory + k->tables[NAMES]);
		put_address(k, i, KERNEL + 16 * i);
		*name++ = len;
		memset(name, 'a' + i % 26, len);
		*name = "tTwWd"[i % 5];
		name += len;
	}
	k->markers = next_table(k, name - k->memory);
	memcpy(k->memory + k->markers, markers, sizeof(markers));
	*ret = next_table(k, k->markers + sizeof(markers));
}

/* Each token is one letter. */
static inline void make_tokens(struct kernel *k, uint64_t at)
{
	k->tables[TOKEN_TABLE] = at;
	k->tables[TOKEN_INDEX] = at + 512;
	for (unsigned int i = 0; i < 256; i++) {
		uint16_t index = 2 * i;

		k->memory[at + 2 * i] = i;
		memcpy(k->memory + at + 512 + 2 * i, &index, sizeof(index));
	}
}

static inline void make_tables(struct kernel *k, enum offsets_as as)
{
	uint32_t nr = NR_SYMBOLS;
	uint64_t base = KERNEL, end;

	memset(k, 0, sizeof(*k));
	k->as = as;
	k->tables[OFFSETS] = 64;
	k->tables[RELATIVE_BASE] = as == UNSIGNED ? next_table(k, 64 + 4 * nr) : 8;
	k->tables[NAMES] = 2 * PAGE + PAGE / 2;
	memcpy(k->memory + k->tables[NUM_SYMS], &nr, sizeof(nr));
	memcpy(k->memory + k->tables[RELATIVE_BASE], &base, sizeof(base));
	make_symbols(k, &end);
	k->order = as == NEGATIVE   ? end
		   : as == UNSIGNED ? k->tables[RELATIVE_BASE] + sizeof(base)
				    : next_table(k, 64 + 4 * nr);
	make_order(k);
	make_tokens(k, as == NEGATIVE ? next_table(k, end + 3 * nr) : end);
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
