// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The names of the kernel's symbols. A name is a string of tokens behind its length, which is one
 * byte, or two bytes (ULEB128) for more than 127 tokens; the first letter is the symbol's type.
 *
 * VMCOREINFO says where the names begin. Names are found without those before them by two tables
 * that it does not mention; scripts/kallsyms.c writes each table at the next multiple of 8, in 7.2
 * of 4:
 *   - the markers say where every 256th name begins. They follow the names; the table of tokens
 *     follows them, in 6.2 and 6.3 (and 6.1.y) behind the symbols in order of their names;
 *   - the symbols in order of their names, three bytes each (since 6.2). Since 6.4 they are behind
 *     the offsets.
 * What is found by them is checked: names end where the next marker says that others begin, and
 * each name that a search comes to is between those that it came to before. Where that fails the
 * names are read from the first one on.
 */
#include <inttypes.h>

#include "kernel/kallsyms.h"

#define MAX_NAMES (128u << 20) /* bytes */
#define NR_TOKENS 256
#define MAX_TOKEN_TABLE 65536
#define MAX_NAME NMIBT_SYMBOL_LEN
#define GROUP 256 /* names from one marker to the next */
#define MAX_GROUP (GROUP * (2 + MAX_NAME)) /* bytes */
#define NO_GROUP UINT32_MAX

struct nmibt_names {
	const struct nmibt_image *image;
	uint32_t nr;
	uint64_t paddr;
	char *tokens; /* tokens_len bytes and a NUL */
	size_t tokens_len;
	uint16_t token_index[NR_TOKENS];
	/* The names between two markers. */
	uint64_t markers; /* physical address; 0: not known */
	uint32_t group; /* of these; NO_GROUP: none was read */
	char *group_names;
	uint32_t group_at[GROUP]; /* where each begins */
	uint64_t order; /* physical address of the symbols in order of their names; 0: not known */
	/* The names from the first one on. */
	char *names; /* the part that was read so far */
	size_t names_len, names_room;
	size_t *marks; /* where the names of symbols 0, 256, 512... begin */
	size_t nr_marks;
	bool is_lost; /* what follows this part can't be read */
};

static bool read_at(const struct nmibt_names *n, uint64_t paddr, void *buf, size_t len)
{
	return nmibt_read_phys(n->image, paddr, buf, len) == NMIBT_READ_OK;
}

static uint32_t nr_groups(const struct nmibt_names *n)
{
	return n->nr / GROUP + !!(n->nr % GROUP);
}

/* ----------------------------------------------------- names between two markers */

/* Finds where each name of a group begins. True: they are nr names in len bytes, but for at most
 * padding bytes. */
static bool split_group(struct nmibt_names *n, uint32_t nr, size_t len, size_t padding)
{
	size_t at = 0;

	for (uint32_t i = 0; i < nr; i++) {
		n->group_at[i] = at;
		if (at + 2 > len)
			return false;
		size_t tokens = (unsigned char)n->group_names[at++];
		if (tokens & 0x80)
			tokens = (tokens & 0x7f) | (size_t)(unsigned char)n->group_names[at++] << 7;
		at += tokens;
	}
	return at <= len && len - at <= padding;
}

/* Where the names of a group are, from the first name on. */
static bool group_range(const struct nmibt_names *n, uint32_t group, uint32_t *ret, size_t *ret_len)
{
	bool is_last = group + 1 == nr_groups(n);
	uint32_t marker[2];

	if (!n->markers || !read_at(n, n->markers + 4ull * group, marker, is_last ? 4 : 8))
		return false;
	uint64_t end = is_last ? n->markers - n->paddr : marker[1];
	if (marker[0] >= end || end - marker[0] > MAX_GROUP)
		return false;
	*ret = marker[0];
	*ret_len = end - marker[0];
	return true;
}

static bool read_group(struct nmibt_names *n, uint32_t group)
{
	bool is_last = group + 1 == nr_groups(n);
	uint32_t start;
	size_t len;

	if (group == n->group)
		return true;
	n->group = NO_GROUP;
	if (!group_range(n, group, &start, &len))
		return false;
	char *names = realloc(n->group_names, len);
	if (!names)
		return false;
	n->group_names = names;
	if (!read_at(n, n->paddr + start, names, len) ||
	    !split_group(n, is_last ? n->nr - group * GROUP : GROUP, len, is_last ? 7 : 0))
		return false;
	n->group = group;
	return true;
}

/* --------------------------------------------------- names from the first one on */

/* Reads one more page of names. */
static bool read_more_names(struct nmibt_names *n)
{
	size_t page_size = n->image->page_size;
	size_t len = page_size - (n->paddr + n->names_len) % page_size;

	if (n->names_len + len > MAX_NAMES)
		return false;
	if (n->names_len + len > n->names_room) {
		size_t room = 2 * (n->names_room + page_size);
		char *names = realloc(n->names, room);

		if (!names)
			return false;
		n->names = names;
		n->names_room = room;
	}
	n->is_lost = !read_at(n, n->paddr + n->names_len, n->names + n->names_len, len);
	if (n->is_lost)
		return false;
	n->names_len += len;
	return true;
}

static bool have_names(struct nmibt_names *n, size_t end)
{
	while (n->names_len < end) {
		if (!read_more_names(n))
			return false;
	}
	return true;
}

/* *ret, *ret_len: the tokens of the name at *at, as a range of names. *at moves behind the name. */
static inline bool name_at(struct nmibt_names *n, size_t *at, size_t *ret, size_t *ret_len)
{
	if (n->names_len < *at + 2 && !have_names(n, *at + 2))
		return false;
	size_t len = (unsigned char)n->names[(*at)++];
	if (len & 0x80)
		len = (len & 0x7f) | (size_t)(unsigned char)n->names[(*at)++] << 7;
	if (n->names_len < *at + len && !have_names(n, *at + len))
		return false;
	*ret = *at;
	*ret_len = len;
	*at += len;
	return true;
}

/* *ret: where the name of symbol i begins. */
static bool walk_to(struct nmibt_names *n, uint32_t i, size_t *ret)
{
	size_t mark = i / GROUP, start, len;

	if (mark >= n->nr_marks)
		mark = n->nr_marks - 1;
	*ret = n->marks[mark];
	for (uint32_t at = mark * GROUP; at < i; at++) {
		if (!name_at(n, ret, &start, &len))
			return false;
		if ((at + 1) % GROUP == 0 && (at + 1) / GROUP == n->nr_marks)
			n->marks[n->nr_marks++] = *ret;
	}
	return true;
}

/* -------------------------------------------------------------------- tokens */

static const char *token(const struct nmibt_names *n, char code)
{
	size_t start = n->token_index[(unsigned char)code];

	return start < n->tokens_len ? n->tokens + start : "";
}

/* The tokens of the name of symbol i. */
static bool find_tokens(struct nmibt_names *n, uint32_t i, struct nmibt_str *ret)
{
	size_t at, start;

	if (read_group(n, i / GROUP)) {
		const char *name = n->group_names + n->group_at[i % GROUP];

		*ret = (struct nmibt_str){name + 1, (unsigned char)*name};
		if (ret->len & 0x80) {
			ret->len = (ret->len & 0x7f) | (size_t)(unsigned char)*ret->s << 7;
			ret->s++;
		}
		return true;
	}
	if (!walk_to(n, i, &at) || !name_at(n, &at, &start, &ret->len))
		return false;
	ret->s = n->names + start;
	return true;
}

bool nmibt_names_get(struct nmibt_names *n, uint32_t i, char ret[MAX_NAME])
{
	struct nmibt_str tokens;
	size_t used = 0;

	if (!find_tokens(n, i, &tokens))
		return false;
	for (; tokens.len; tokens.s++, tokens.len--) {
		const char *text = token(n, *tokens.s);
		size_t len = strlen(text);

		if (used + len >= MAX_NAME)
			return false;
		memcpy(ret + used, text, len);
		used += len;
	}
	ret[used] = '\0';
	return used > 1;
}

/* True: the tokens at [at, at + len) spell name, behind the letter of a type. */
static bool is_name(const struct nmibt_names *n, size_t at, size_t len, const char *name)
{
	bool is_type = true;

	for (; len; at++, len--) {
		const char *text = token(n, n->names[at]);

		if (is_type && *text) {
			text++;
			is_type = false;
		}
		/* Mostly the first letter differs already, so that a call would cost too much. */
		while (*text) {
			if (*text++ != *name++)
				return false;
		}
	}
	return !is_type && !*name;
}

/* ------------------------------------------------------------------- by name */

/* More symbols of one name are looked for in all names. */
#define MANY 64

/* The symbol that is at this place in the order of names. In memory that was cleared neighbours are
 * the same symbol; the names of such a place would seem to be in order. */
static bool symbol_in_order(const struct nmibt_names *n, uint32_t place, uint32_t *ret)
{
	uint32_t first = place ? place - 1 : 0, last = place + 1 < n->nr ? place + 1 : place;
	uint32_t symbols[3], nr = last - first + 1;
	uint8_t bytes[sizeof(symbols)];

	if (!read_at(n, n->order + 3ull * first, bytes, 3 * nr))
		return false;
	for (uint32_t i = 0; i < nr; i++) {
		symbols[i] = bytes[3 * i] << 16 | bytes[3 * i + 1] << 8 | bytes[3 * i + 2];
		if (symbols[i] >= n->nr || (i && symbols[i] == symbols[i - 1]))
			return false;
	}
	*ret = symbols[place - first];
	return true;
}

/* As symbol_in_order(), and the symbol's name without the type. */
static bool name_in_order(struct nmibt_names *n, uint32_t place, uint32_t *ret, char name[MAX_NAME])
{
	char text[MAX_NAME];

	if (!symbol_in_order(n, place, ret) || !nmibt_names_get(n, *ret, text))
		return false;
	strcpy(name, text + 1);
	return true;
}

/* With CONFIG_LTO_CLANG names are in order without this and what follows it. */
#define LTO_SUFFIX ".llvm."

/* True: the kernel's order may have other, which is the first that is not before name, before name
 * itself. */
static bool is_variant(const char *other, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(other, name, len) && !strncmp(other + len, LTO_SUFFIX, strlen(LTO_SUFFIX));
}

/* *ret: the first place whose name is not before name. False: the names it came to are not in
 * order. */
static bool find_place(struct nmibt_names *n, const char *name, uint32_t *ret)
{
	char below[MAX_NAME] = "", above[MAX_NAME], middle_name[MAX_NAME];
	uint32_t low = 0, high = n->nr, unused;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (!name_in_order(n, middle, &unused, middle_name) ||
		    strcmp(middle_name, below) < 0 ||
		    (high < n->nr && strcmp(middle_name, above) > 0))
			return false;
		if (strcmp(middle_name, name) < 0) {
			low = middle + 1;
			strcpy(below, middle_name);
		} else {
			high = middle;
			strcpy(above, middle_name);
		}
	}
	*ret = low;
	return true;
}

/* As nmibt_names_find(), by the order of names. ".llvm." in other names does not matter where name
 * has no dot. */
static bool find_in_order(struct nmibt_names *n, const char *name, nmibt_names_visit visit,
			  void *ctx, bool *ret)
{
	char text[MAX_NAME];
	uint32_t place, i;

	if (!n->order || strchr(name, '.') || !find_place(n, name, &place))
		return false;
	*ret = true;
	for (uint32_t end = place + MANY; place < n->nr && *ret; place++) {
		if (place == end || !name_in_order(n, place, &i, text) || is_variant(text, name))
			return false;
		if (strcmp(text, name))
			break;
		*ret = visit(ctx, i);
	}
	return true;
}

bool nmibt_names_find(struct nmibt_names *n, const char *name, nmibt_names_visit visit, void *ctx)
{
	size_t at = 0, start, len;
	bool all;

	if (find_in_order(n, name, visit, ctx, &all))
		return all;
	for (uint32_t i = 0; i < n->nr; i++) {
		if (!name_at(n, &at, &start, &len) ||
		    (is_name(n, start, len, name) && !visit(ctx, i)))
			return false;
	}
	return true;
}

bool nmibt_names_are_lost(const struct nmibt_names *n, uint64_t *ret)
{
	*ret = n->names_len;
	return n->is_lost;
}

/* ------------------------------------------------------------------- opening */

/* True: there can be markers here. */
static bool may_be_markers(const struct nmibt_names *n, uint64_t paddr)
{
	uint32_t marker[2];
	size_t len = nr_groups(n) > 1 ? 8 : 4;

	return paddr > n->paddr && read_at(n, paddr, marker, len) && !marker[0] &&
	       (len == 4 || (marker[1] >= 2 * GROUP && marker[1] <= MAX_GROUP));
}

static void find_more_tables(struct nmibt_names *n, const struct nmibt_names_tables *tables)
{
	uint64_t markers = 4ull * nr_groups(n), order = (3ull * n->nr + 7) & -8ull;
	uint64_t end = tables->token_table, padding = markers % 8;
	const struct {
		uint64_t markers, order;
	} places[] = {
		{end - markers - padding, tables->end_of_offsets},
		{end - markers, tables->end_of_offsets},
		{end - order - markers - padding, end - order},
	};

	for (size_t i = 0; i < ARRAY_SIZE(places) && !n->markers; i++) {
		if (may_be_markers(n, places[i].markers)) {
			n->markers = places[i].markers;
			n->order = places[i].order;
		}
	}
}

static struct nmibt_error *read_tokens(struct nmibt_names *n,
				       const struct nmibt_names_tables *tables)
{
	uint64_t table = tables->token_table, index = tables->token_index;

	/* scripts/kallsyms.c writes the index right behind the table. */
	n->tokens_len = index > table && index - table <= MAX_TOKEN_TABLE ? index - table : 0;
	n->tokens = calloc(1, n->tokens_len + 1);
	if (!n->tokens)
		return nmibt_error_nomem();
	if (!n->tokens_len || !read_at(n, table, n->tokens, n->tokens_len) ||
	    !read_at(n, index, n->token_index, sizeof(n->token_index)))
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the tokens of the kernel's symbols can't be read at "
					  "%#" PRIx64,
					  table);
	return NULL;
}

struct nmibt_error *nmibt_names_open(const struct nmibt_image *image,
				     const struct nmibt_names_tables *tables,
				     struct nmibt_names **ret)
{
	struct nmibt_names *n = calloc(1, sizeof(*n));

	if (!n)
		return nmibt_error_nomem();
	n->image = image;
	n->nr = tables->nr;
	n->paddr = tables->names;
	n->group = NO_GROUP;
	n->nr_marks = 1;
	n->marks = calloc(nr_groups(n), sizeof(*n->marks));
	struct nmibt_error *err = n->marks ? read_tokens(n, tables) : nmibt_error_nomem();
	if (err) {
		nmibt_names_close(n);
		return err;
	}
	find_more_tables(n, tables);
	*ret = n;
	return NULL;
}

void nmibt_names_close(struct nmibt_names *n)
{
	if (!n)
		return;
	free(n->tokens);
	free(n->group_names);
	free(n->names);
	free(n->marks);
	free(n);
}
