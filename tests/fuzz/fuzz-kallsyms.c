// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's table of symbols in hostile memory. The input is a list of changes to a
 * sound one, so that each hits something that is read; addresses of the tables in
 * VMCOREINFO are changed likewise.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

struct kernel {
	uint8_t memory[MEMORY];
	uint64_t tables[NR_TABLES]; /* offsets in memory */
	uint8_t status[MEMORY / PAGE];
};

static enum nmibt_read read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const struct kernel *kernel = ctx;

	if (paddr < PHYS || paddr - PHYS >= MEMORY)
		return NMIBT_READ_ERROR;
	if (kernel->status[(paddr - PHYS) / PAGE])
		return NMIBT_READ_EXCLUDED;
	memcpy(buf, kernel->memory + (paddr - PHYS), len);
	return NMIBT_READ_OK;
}

static char *vmcoreinfo(void *ctx, const char *key)
{
	const struct kernel *kernel = ctx;
	char *line = NULL;

	if (!strcmp(key, "NUMBER(phys_base)"))
		return strdup("0");
	if (!strcmp(key, "NUMBER(KERNEL_IMAGE_SIZE)"))
		return strdup("1073741824");
	for (unsigned int i = 0; i < NR_TABLES; i++) {
		if (!strcmp(key, keys[i]) &&
		    asprintf(&line, "%" PRIx64, KERNEL + kernel->tables[i]) >= 0)
			return line;
	}
	return NULL;
}

/* Symbols at each 16 bytes, with names of some letters; each token is one letter. */
static void make_tables(struct kernel *k)
{
	static const uint64_t at[NR_TABLES] = {0, 8, 64, PAGE, 6 * PAGE, 6 * PAGE + 512};
	uint32_t nr = NR_SYMBOLS;
	uint64_t base = KERNEL;
	uint8_t *name = k->memory + at[NAMES];

	memset(k, 0, sizeof(*k));
	memcpy(k->tables, at, sizeof(at));
	memcpy(k->memory + at[NUM_SYMS], &nr, sizeof(nr));
	memcpy(k->memory + at[RELATIVE_BASE], &base, sizeof(base));
	for (uint32_t i = 0; i < nr; i++) {
		int32_t offset = -1 - 16 * (int32_t)i;
		size_t len = 2 + i % 20;

		memcpy(k->memory + at[OFFSETS] + 4 * i, &offset, sizeof(offset));
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

struct change {
	uint8_t where; /* a table, or beyond them: a table's address, a page's state */
	uint8_t len;
	uint16_t offset;
	uint32_t value;
};

static void apply(struct kernel *k, const struct change *change)
{
	unsigned int where = change->where % (2 * NR_TABLES + 1);

	if (where == 2 * NR_TABLES) {
		k->status[change->offset % (MEMORY / PAGE)] ^= 1;
	} else if (where >= NR_TABLES) {
		k->tables[where - NR_TABLES] += (int32_t)change->value;
	} else {
		uint64_t at = k->tables[where] + change->offset;
		size_t len = change->len % 5;

		if (at < MEMORY - 4)
			memcpy(k->memory + at, &change->value, len);
	}
}

static void look_up(const struct nmibt_image *image)
{
	struct nmibt_kallsyms *kallsyms;
	struct nmibt_error *err = nmibt_kallsyms_open(image, &kallsyms);
	char buf[64];

	if (err) {
		nmibt_error_destroy(err);
		return;
	}
	for (uint64_t i = 0; i < NR_SYMBOLS + 10; i += 7) {
		memset(buf, 'x', sizeof(buf));
		if (nmibt_kallsyms_symbolize(kallsyms, KERNEL + 16 * i + i % 16, buf,
					     sizeof(buf)) &&
		    (!memchr(buf, '\0', sizeof(buf)) || !strlen(buf)))
			abort();
	}
	nmibt_kallsyms_symbolize(kallsyms, 0, buf, sizeof(buf));
	nmibt_kallsyms_symbolize(kallsyms, UINT64_MAX, buf, 1);
	nmibt_kallsyms_close(kallsyms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = read_phys,
		.vmcoreinfo = vmcoreinfo,
	};
	static struct kernel kernel;
	struct change change;

	make_tables(&kernel);
	for (; size >= sizeof(change); data += sizeof(change), size -= sizeof(change)) {
		memcpy(&change, data, sizeof(change));
		apply(&kernel, &change);
	}
	struct nmibt_image image = {
		.ops = &ops,
		.ctx = &kernel,
		.arch = NMIBT_ARCH_X86_64,
		.page_size = PAGE,
	};
	look_up(&image);
	return 0;
}
