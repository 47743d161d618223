// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own table of symbols, read from its memory. Since Linux 6.0 VMCOREINFO says where
 * it is (kernel/crash_core.c; kernel/vmcore_info.c in 6.12). Its layout is that of
 * scripts/kallsyms.c, 6.1, 6.12 and 7.2: symbols are sorted by address; their offsets have 32
 * bits. The names are read by kallsyms-names.c.
 */
#include <inttypes.h>

#include "kernel/kallsyms.h"

#define MAX_SYMBOLS (8u << 20)
/* No function of the kernel has more bytes than this. */
#define MAX_DISTANCE 0x10000

/* What the offsets of symbols count from. */
enum offsets {
	FROM_BASE, /* kallsyms_relative_base; they are unsigned */
	/* From kallsyms_relative_base as well; but per-CPU symbols, which are no addresses, count
	 * from 0: CONFIG_KALLSYMS_ABSOLUTE_PERCPU, on x86_64 up to 6.14. */
	FROM_BASE_OR_0,
	FROM_THEMSELVES, /* from the address of the offset: 7.2; VMCOREINFO names no base */
};

struct nmibt_kallsyms {
	const struct nmibt_kernel *kernel;
	const struct nmibt_image *image;
	uint32_t nr;
	uint64_t offsets_vaddr;
	uint64_t offsets; /* physical address */
	enum offsets from;
	uint64_t base;
	struct nmibt_names *names;
	uint64_t lost; /* virtual address of an offset that can't be read; 0: none */
};

/* ------------------------------------------------------------------ reading */

/* Physical address of a table that VMCOREINFO names. */
static bool find_table(const struct nmibt_kallsyms *k, const struct nmibt_number *vaddr,
		       uint64_t *ret)
{
	return vaddr->known && nmibt_kimage_to_phys(k->kernel, vaddr->value, ret);
}

static bool read_at(const struct nmibt_image *image, uint64_t paddr, void *buf, size_t len)
{
	return nmibt_read_phys(image, paddr, buf, len) == NMIBT_READ_OK;
}

/* ------------------------------------------------------------------ symbols */

/* kallsyms_sym_address(), kernel/kallsyms.c, 6.12 and 7.2. */
static bool symbol_value(struct nmibt_kallsyms *k, uint32_t i, uint64_t *ret)
{
	int32_t offset;

	if (!read_at(k->image, k->offsets + 4ull * i, &offset, sizeof(offset))) {
		k->lost = k->offsets_vaddr + 4ull * i;
		return false;
	}
	if (k->from == FROM_THEMSELVES)
		*ret = k->offsets_vaddr + 4ull * i + (int64_t)offset;
	else if (k->from == FROM_BASE)
		*ret = k->base + (uint32_t)offset;
	else
		*ret = offset >= 0 ? (uint64_t)offset : k->base - 1 - (int64_t)offset;
	return true;
}

/* *ret: how many symbols have values <= addr. False: one of the values can't be read. */
static bool count_up_to(struct nmibt_kallsyms *k, uint64_t addr, uint32_t *ret)
{
	uint32_t low = 0, high = k->nr;
	uint64_t value;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (!symbol_value(k, middle, &value))
			return false;
		if (value <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return true;
}

/* Most functions have one name. System calls that are not configured share hundreds. */
#define FEW_NAMES 4

/* Finds the highest value that is <= addr; *ret is the first symbol that has it. In a damaged table
 * all values may be equal or unsorted: then it fails. */
static bool find_symbol(struct nmibt_kallsyms *k, uint64_t addr, uint32_t *ret, uint64_t *ret_value)
{
	uint32_t end, tries = 0;
	uint64_t first;

	if (!count_up_to(k, addr, &end) || !end || !symbol_value(k, end - 1, ret_value))
		return false;
	for (*ret = end - 1; *ret && tries < FEW_NAMES; (*ret)--, tries++) {
		if (!symbol_value(k, *ret - 1, &first) || first != *ret_value)
			return true;
	}
	*ret = 0;
	if (*ret_value && !count_up_to(k, *ret_value - 1, ret))
		return false;
	return symbol_value(k, *ret, &first) && first == *ret_value;
}

bool nmibt_kallsyms_find(struct nmibt_kallsyms *k, uint64_t addr, struct nmibt_symbol *ret)
{
	char name[NMIBT_SYMBOL_LEN];
	uint64_t value;
	uint32_t i;

	/* Symbols of other types follow the kernel's last function. Without CONFIG_KALLSYMS_ALL
	 * there are none, so an address far behind a symbol does not belong to it. */
	if (!find_symbol(k, addr, &i, &value) || addr - value >= MAX_DISTANCE ||
	    !nmibt_names_get(k->names, i, name) || !strchr("tTwW", name[0]))
		return false;
	memcpy(ret->name, name + 1, sizeof(name) - 1);
	*ret->module = '\0';
	ret->offset = addr - value;
	ret->size = 0;
	return true;
}

/* The symbols of a name that were found so far. */
struct match {
	struct nmibt_kallsyms *k;
	bool found;
	uint64_t value;
};

/* Several symbols of one name count as one only if they have one value. */
static bool match_symbol(void *ctx, uint32_t i)
{
	struct match *match = ctx;
	uint64_t value;

	if (!symbol_value(match->k, i, &value) || (match->found && value != match->value))
		return false;
	match->found = true;
	match->value = value;
	return true;
}

/* If a part of the names can't be read, it fails: another symbol there may have the same name. */
bool nmibt_kallsyms_addr(struct nmibt_kallsyms *k, const char *name, uint64_t *ret)
{
	struct match match = {.k = k};

	if (!nmibt_names_find(k->names, name, match_symbol, &match) || !match.found)
		return false;
	*ret = match.value;
	return true;
}

bool nmibt_kallsyms_are_lost(const struct nmibt_kallsyms *k, uint64_t *ret)
{
	bool are_names = nmibt_names_are_lost(k->names, ret);

	*ret += k->kernel->vmcoreinfo.kallsyms.names.value;
	if (!are_names)
		*ret = k->lost;
	return are_names || k->lost;
}

/* ------------------------------------------------------------------ opening */

/* Finds out what the offsets count from. */
static bool read_base(struct nmibt_kallsyms *k)
{
	uint64_t base;
	int32_t last;

	if (!find_table(k, &k->kernel->vmcoreinfo.kallsyms.relative_base, &base)) {
		k->from = FROM_THEMSELVES;
		return true;
	}
	if (!read_at(k->image, base, &k->base, sizeof(k->base)) ||
	    !read_at(k->image, k->offsets + 4ull * (k->nr - 1), &last, sizeof(last)))
		return false;
	/* The image is smaller than 2 GiB, so the offset of its last symbol is negative only with
	 * CONFIG_KALLSYMS_ABSOLUTE_PERCPU. */
	k->from = last < 0 ? FROM_BASE_OR_0 : FROM_BASE;
	return true;
}

/* Checks the choice of FROM_THEMSELVES: VMCOREINFO may also name no base because it was cut before
 * that line. */
static bool has_stext(struct nmibt_kallsyms *k)
{
	const struct nmibt_number *stext = &k->kernel->vmcoreinfo.stext;
	uint64_t value;
	uint32_t i;

	return !stext->known || (find_symbol(k, stext->value, &i, &value) && value == stext->value);
}

static struct nmibt_error *read_offsets(struct nmibt_kallsyms *k, uint64_t nr)
{
	if (!read_at(k->image, nr, &k->nr, sizeof(k->nr)) || !k->nr || k->nr > MAX_SYMBOLS ||
	    !read_base(k))
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the kernel's symbols can't be read at %#" PRIx64, nr);
	if (k->from == FROM_THEMSELVES && !has_stext(k))
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the kernel's symbols are not where VMCOREINFO says that "
					  "_stext is");
	return NULL;
}

/* The end of the offsets, and of the base, which scripts/kallsyms.c writes at the next multiple of
 * 8 behind them. */
static uint64_t end_of_offsets(const struct nmibt_kallsyms *k)
{
	uint64_t end = k->offsets + 4ull * k->nr, base;

	if (find_table(k, &k->kernel->vmcoreinfo.kallsyms.relative_base, &base) &&
	    base == ((end + 7) & -8ull))
		end = base + sizeof(k->base);
	return end;
}

static struct nmibt_error *read_tables(struct nmibt_kallsyms *k)
{
	const struct nmibt_kallsyms_layout *l = &k->kernel->vmcoreinfo.kallsyms;
	struct nmibt_names_tables tables;
	uint64_t nr;

	k->offsets_vaddr = l->offsets.value;
	if (!k->image->ops->read_phys || !find_table(k, &l->num_syms, &nr) ||
	    !find_table(k, &l->offsets, &k->offsets) || !find_table(k, &l->names, &tables.names) ||
	    !find_table(k, &l->token_table, &tables.token_table) ||
	    !find_table(k, &l->token_index, &tables.token_index))
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "VMCOREINFO does not say where the kernel's symbols are");
	struct nmibt_error *err = read_offsets(k, nr);
	if (err)
		return err;
	tables.nr = k->nr;
	tables.end_of_offsets = end_of_offsets(k);
	return nmibt_names_open(k->image, &tables, &k->names);
}

struct nmibt_error *nmibt_kallsyms_open(struct nmibt_kernel *kernel, struct nmibt_kallsyms **ret)
{
	struct nmibt_kallsyms *k = calloc(1, sizeof(*k));
	if (!k)
		return nmibt_error_nomem();

	k->kernel = kernel;
	k->image = kernel->image;
	struct nmibt_error *err = read_tables(k);
	if (err) {
		nmibt_kallsyms_close(k);
		return err;
	}
	*ret = k;
	return NULL;
}

void nmibt_kallsyms_close(struct nmibt_kallsyms *k)
{
	if (!k)
		return;
	nmibt_names_close(k->names);
	free(k);
}
