// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's table of symbols in hostile memory. The input is a list of changes to a valid table,
 * so that each of them hits data that is read. The addresses of the tables in VMCOREINFO are
 * changed in the same way.
 */
#include "../unit/fake-kallsyms.h"
#include "report/report.h"
#include "kernel/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	static const char *const names[] = {"", "bb", "jjjjjjjjjj"};
	struct nmibt_kernel *kernel;
	uint64_t addr;
	char buf[64];

	if (nmibt_kernel_open(image, &kernel))
		abort();
	for (uint64_t i = 0; i < NR_SYMBOLS + 10; i += 7) {
		memset(buf, 'x', sizeof(buf));
		if (nmibt_symbolize(kernel, KERNEL + 16 * i + i % 16, buf, sizeof(buf)) &&
		    (!memchr(buf, '\0', sizeof(buf)) || !strlen(buf)))
			abort();
	}
	nmibt_symbolize(kernel, 0, buf, sizeof(buf));
	nmibt_symbolize(kernel, UINT64_MAX, buf, 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		nmibt_symbol_addr(kernel, names[i], &addr);
	nmibt_kernel_close(kernel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kernel kernel;
	struct nmibt_image image;
	struct change change;

	make_image(&kernel, size % NR_OFFSETS_AS, &image);
	for (; size >= sizeof(change); data += sizeof(change), size -= sizeof(change)) {
		memcpy(&change, data, sizeof(change));
		apply(&kernel, &change);
	}
	look_up(&image);
	return 0;
}
