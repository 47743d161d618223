// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own table of symbols, read from its memory. Since Linux 6.0 VMCOREINFO says where
 * it is (kernel/crash_core.c; kernel/vmcore_info.c in 6.12). Its layout is that of
 * scripts/kallsyms.c, 6.1, 6.12 and 7.2: symbols are sorted by address; their offsets have 32
 * bits; a name is a string of tokens behind its length, which is one byte, or two bytes (ULEB128)
 * for more than 127 tokens; the first letter of a name is the symbol's type.
 */
#include <inttypes.h>

#include "kernel/kernel.h"

#define MAX_SYMBOLS (8u << 20)
#define MAX_NAMES (128u << 20) /* bytes */
#define NR_TOKENS 256
#define MAX_TOKEN_TABLE 65536
#define MAX_NAME NMIBT_SYMBOL_LEN
#define MARK_EVERY 256
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
	uint64_t names_paddr;
	enum offsets from;
	uint64_t base;
	char *tokens; /* tokens_len bytes and a NUL */
	size_t tokens_len;
	uint16_t token_index[NR_TOKENS];
	char *names; /* the part that was read so far */
	size_t names_len, names_room;
	size_t *marks; /* where the names of symbols 0, 256, 512... begin */
	size_t nr_marks;
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

/* Reads one more page of names. */
static bool read_more_names(struct nmibt_kallsyms *k)
{
	size_t page_size = k->image->page_size;
	size_t len = page_size - (k->names_paddr + k->names_len) % page_size;

	if (k->names_len + len > MAX_NAMES)
		return false;
	if (k->names_len + len > k->names_room) {
		size_t room = 2 * (k->names_room + page_size);
		char *names = realloc(k->names, room);

		if (!names)
			return false;
		k->names = names;
		k->names_room = room;
	}
	if (!read_at(k->image, k->names_paddr + k->names_len, k->names + k->names_len, len))
		return false;
	k->names_len += len;
	return true;
}

static bool have_names(struct nmibt_kallsyms *k, size_t end)
{
	while (k->names_len < end) {
		if (!read_more_names(k))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ symbols */

/* kallsyms_sym_address(), kernel/kallsyms.c, 6.12 and 7.2. */
static bool symbol_value(const struct nmibt_kallsyms *k, uint32_t i, uint64_t *ret)
{
	int32_t offset;

	if (!read_at(k->image, k->offsets + 4ull * i, &offset, sizeof(offset)))
		return false;
	if (k->from == FROM_THEMSELVES)
		*ret = k->offsets_vaddr + 4ull * i + (int64_t)offset;
	else if (k->from == FROM_BASE)
		*ret = k->base + (uint32_t)offset;
	else
		*ret = offset >= 0 ? (uint64_t)offset : k->base - 1 - (int64_t)offset;
	return true;
}

/* *ret, *ret_len: the tokens of the name at *at, as a range of names. *at moves behind the name. */
static inline bool name_at(struct nmibt_kallsyms *k, size_t *at, size_t *ret, size_t *ret_len)
{
	if (k->names_len < *at + 2 && !have_names(k, *at + 2))
		return false;
	size_t len = (unsigned char)k->names[(*at)++];
	if (len & 0x80)
		len = (len & 0x7f) | (size_t)(unsigned char)k->names[(*at)++] << 7;
	if (k->names_len < *at + len && !have_names(k, *at + len))
		return false;
	*ret = *at;
	*ret_len = len;
	*at += len;
	return true;
}

/* *ret, *ret_len: the tokens of the name of symbol i, as a range of names. */
static bool find_name(struct nmibt_kallsyms *k, uint32_t i, size_t *ret, size_t *ret_len)
{
	size_t mark = i / MARK_EVERY, start;

	if (mark >= k->nr_marks)
		mark = k->nr_marks - 1;
	size_t at = k->marks[mark];
	for (uint32_t n = mark * MARK_EVERY;; n++) {
		if (n % MARK_EVERY == 0 && n / MARK_EVERY == k->nr_marks)
			k->marks[k->nr_marks++] = at;
		if (!name_at(k, &at, &start, ret_len))
			return false;
		if (n == i)
			break;
	}
	*ret = start;
	return true;
}

/* Writes the type's letter and the name of symbol i to name. */
static bool symbol_name(struct nmibt_kallsyms *k, uint32_t i, char name[MAX_NAME])
{
	size_t at, len, used = 0;

	if (!find_name(k, i, &at, &len))
		return false;
	for (; len; at++, len--) {
		size_t start = k->token_index[(unsigned char)k->names[at]];
		size_t part = start < k->tokens_len ? strlen(k->tokens + start) : 0;

		if (used + part >= MAX_NAME)
			return false;
		memcpy(name + used, k->tokens + start, part);
		used += part;
	}
	name[used] = '\0';
	return used > 1;
}

/* True: the tokens at [at, at + len) spell name, behind the letter of a type. */
static bool is_name(const struct nmibt_kallsyms *k, size_t at, size_t len, const char *name)
{
	bool is_type = true;

	for (; len; at++, len--) {
		size_t start = k->token_index[(unsigned char)k->names[at]];
		const char *token = start < k->tokens_len ? k->tokens + start : "";

		if (is_type && *token) {
			token++;
			is_type = false;
		}
		/* Mostly the first letter differs already, so that a call would cost too much. */
		while (*token) {
			if (*token++ != *name++)
				return false;
		}
	}
	return !is_type && !*name;
}

/* If a part of the names can't be read, it fails: another symbol there may have the same name. */
bool nmibt_kallsyms_addr(struct nmibt_kallsyms *k, const char *name, uint64_t *ret)
{
	size_t at = 0, start, len;
	uint64_t value, first = 0;
	bool found = false;

	for (uint32_t i = 0; i < k->nr; i++) {
		if (!name_at(k, &at, &start, &len))
			return false;
		if (!is_name(k, start, len, name))
			continue;
		if (!symbol_value(k, i, &value) || (found && value != first))
			return false;
		first = value;
		found = true;
	}
	if (found)
		*ret = first;
	return found;
}

/* *ret: how many symbols have values <= addr. False: one of the values can't be read. */
static bool count_up_to(const struct nmibt_kallsyms *k, uint64_t addr, uint32_t *ret)
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
static bool find_symbol(const struct nmibt_kallsyms *k, uint64_t addr, uint32_t *ret,
			uint64_t *ret_value)
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
	char name[MAX_NAME];
	uint64_t value;
	uint32_t i;

	/* Symbols of other types follow the kernel's last function. Without CONFIG_KALLSYMS_ALL
	 * there are none, so an address far behind a symbol does not belong to it. */
	if (!find_symbol(k, addr, &i, &value) || addr - value >= MAX_DISTANCE ||
	    !symbol_name(k, i, name) || !strchr("tTwW", name[0]))
		return false;
	memcpy(ret->name, name + 1, sizeof(name) - 1);
	*ret->module = '\0';
	ret->offset = addr - value;
	ret->size = 0;
	return true;
}

/* ------------------------------------------------------------------ opening */

static bool read_tokens(struct nmibt_kallsyms *k, uint64_t table, uint64_t index)
{
	/* scripts/kallsyms.c writes the index right behind the table. */
	if (index <= table || index - table > MAX_TOKEN_TABLE)
		return false;
	k->tokens_len = index - table;
	k->tokens = calloc(1, k->tokens_len + 1);
	return k->tokens && read_at(k->image, table, k->tokens, k->tokens_len) &&
	       read_at(k->image, index, k->token_index, sizeof(k->token_index));
}

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
static bool has_stext(const struct nmibt_kallsyms *k)
{
	const struct nmibt_number *stext = &k->kernel->vmcoreinfo.stext;
	uint64_t value;
	uint32_t i;

	return !stext->known || (find_symbol(k, stext->value, &i, &value) && value == stext->value);
}

static struct nmibt_error *read_tables(struct nmibt_kallsyms *k)
{
	const struct nmibt_kallsyms_layout *l = &k->kernel->vmcoreinfo.kallsyms;
	uint64_t nr, table, index;

	k->offsets_vaddr = l->offsets.value;
	if (!k->image->ops->read_phys || !find_table(k, &l->num_syms, &nr) ||
	    !find_table(k, &l->offsets, &k->offsets) ||
	    !find_table(k, &l->names, &k->names_paddr) || !find_table(k, &l->token_table, &table) ||
	    !find_table(k, &l->token_index, &index))
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "VMCOREINFO does not say where the kernel's symbols are");
	if (!read_at(k->image, nr, &k->nr, sizeof(k->nr)) || !k->nr || k->nr > MAX_SYMBOLS ||
	    !read_base(k) || !read_tokens(k, table, index))
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the kernel's symbols can't be read at %#" PRIx64, nr);
	if (k->from == FROM_THEMSELVES && !has_stext(k))
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the kernel's symbols are not where VMCOREINFO says that "
					  "_stext is");
	k->marks = calloc(k->nr / MARK_EVERY + 1, sizeof(*k->marks));
	if (!k->marks)
		return nmibt_error_nomem();
	k->nr_marks = 1;
	return NULL;
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
	free(k->tokens);
	free(k->names);
	free(k->marks);
	free(k);
}
