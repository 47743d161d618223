// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The modules that the kernel had loaded, and their symbols. They come from the list `modules` of
 * struct module (include/linux/module.h, kernel/module/kallsyms.c; 4.5 to 6.12). The image's
 * member_offset has the offsets of its members.
 */
#include <elf.h>
#include <inttypes.h>

#include "kernel/kernel.h"

#define MAX_MODULES 4096
#define MAX_SYMBOLS (1u << 18) /* of a module */

/* Offsets in bytes. A module's code is described by mem[MOD_TEXT], the first element of mem, in 6.4
 * and later, and by core_layout in 4.5 to 6.3. */
struct layout {
	size_t list, start, size;
	bool has_name, has_symbols;
	size_t name, kallsyms;
	size_t symtab, num_symtab, strtab; /* in struct mod_kallsyms */
};

struct symbol {
	uint64_t value;
	uint32_t name; /* offset in the table of strings */
};

/* The symbols of one module. They are read when one of its addresses is first looked up. */
struct symbols {
	bool tried;
	uint64_t strings; /* virtual address */
	struct symbol *symbols; /* sorted by value */
	uint32_t nr;
};

struct nmibt_modules {
	struct layout layout;
	struct nmibt_module *modules; /* sorted by the start of their code */
	struct symbols *symbols; /* of each module */
	unsigned int nr;
	bool is_lost; /* something can't be read: */
	uint64_t lost; /* its virtual address, which may be 0 */
};

/* -------------------------------------------------------------------- opening */

static bool find_layout(struct nmibt_kernel *kernel, struct layout *ret)
{
	const char *type = "module_memory";
	size_t code;

	if (!nmibt_member_offset(kernel, "module", "list", &ret->list))
		return false;
	if (!nmibt_member_offset(kernel, "module", "mem", &code)) {
		type = "module_layout";
		if (!nmibt_member_offset(kernel, "module", "core_layout", &code))
			return false;
	}
	if (!nmibt_member_offset(kernel, type, "base", &ret->start) ||
	    !nmibt_member_offset(kernel, type, "size", &ret->size))
		return false;
	ret->start += code;
	ret->size += code;
	ret->has_name = nmibt_member_offset(kernel, "module", "name", &ret->name);
	ret->has_symbols =
		ret->has_name &&
		nmibt_member_offset(kernel, "module", "kallsyms", &ret->kallsyms) &&
		nmibt_member_offset(kernel, "mod_kallsyms", "symtab", &ret->symtab) &&
		nmibt_member_offset(kernel, "mod_kallsyms", "num_symtab", &ret->num_symtab) &&
		nmibt_member_offset(kernel, "mod_kallsyms", "strtab", &ret->strtab);
	return true;
}

static void lose(struct nmibt_modules *m, uint64_t vaddr)
{
	m->is_lost = true;
	m->lost = vaddr;
}

static bool read_at(struct nmibt_kernel *kernel, struct nmibt_modules *m, uint64_t vaddr, void *buf,
		    size_t len)
{
	if (nmibt_kernel_read(kernel, vaddr, buf, len) == NMIBT_READ_OK)
		return true;
	lose(m, vaddr);
	return false;
}

static bool read_module(struct nmibt_kernel *kernel, struct nmibt_modules *m, uint64_t at,
			struct nmibt_module *ret)
{
	const struct layout *l = &m->layout;
	uint32_t size;

	*ret = (struct nmibt_module){.at = at};
	if (!read_at(kernel, m, at + l->start, &ret->start, sizeof(ret->start)) ||
	    !read_at(kernel, m, at + l->size, &size, sizeof(size)))
		return false;
	ret->size = size;
	if (l->has_name && !read_at(kernel, m, at + l->name, ret->name, sizeof(ret->name) - 1))
		*ret->name = '\0';
	return true;
}

/* The number of steps is bounded, because a damaged list may never end. */
static void read_list(struct nmibt_kernel *kernel, struct nmibt_modules *m, uint64_t head)
{
	uint64_t at;

	if (!read_at(kernel, m, head, &at, sizeof(at)))
		return;
	for (unsigned int i = 0; i < MAX_MODULES && at != head; i++) {
		if (nmibt_interrupted(kernel->image))
			return;
		if (read_module(kernel, m, at - m->layout.list, &m->modules[m->nr]))
			m->nr++;
		if (!read_at(kernel, m, at, &at, sizeof(at)))
			return;
	}
	if (at != head)
		lose(m, at);
}

static int compare_modules(const void *a, const void *b)
{
	const struct nmibt_module *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

struct nmibt_error *nmibt_modules_open(struct nmibt_kernel *kernel, struct nmibt_modules **ret)
{
	struct layout layout;
	uint64_t head;

	/* The cheap check comes first: symbol_addr() may read a whole vmlinux. */
	if (!find_layout(kernel, &layout))
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "the layout of struct module is not known");
	if (!nmibt_symbol_addr(kernel, "modules", &head))
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "it is not known where the list of modules is");
	struct nmibt_modules *m = calloc(1, sizeof(*m));
	if (!m)
		return nmibt_error_nomem();
	m->layout = layout;
	m->modules = calloc(MAX_MODULES, sizeof(*m->modules));
	m->symbols = calloc(MAX_MODULES, sizeof(*m->symbols));
	if (!m->modules || !m->symbols) {
		nmibt_modules_close(m);
		return nmibt_error_nomem();
	}
	read_list(kernel, m, head);
	qsort(m->modules, m->nr, sizeof(*m->modules), compare_modules);
	*ret = m;
	return NULL;
}

void nmibt_modules_close(struct nmibt_modules *modules)
{
	if (!modules)
		return;
	for (unsigned int i = 0; modules->symbols && i < modules->nr; i++)
		free(modules->symbols[i].symbols);
	free(modules->symbols);
	free(modules->modules);
	free(modules);
}

bool nmibt_modules_are_lost(const struct nmibt_kernel *kernel, uint64_t *ret)
{
	/* Also where nobody has looked for a module. */
	if (!kernel->modules || !kernel->modules->is_lost)
		return false;
	*ret = kernel->modules->lost;
	return true;
}

const struct nmibt_module *nmibt_module_at(struct nmibt_kernel *kernel, uint64_t addr)
{
	const struct nmibt_modules *m = NULL;
	unsigned int low = 0, high;

	if (!nmibt_kernel_failure(kernel, NMIBT_PART_MODULES))
		m = kernel->modules;
	for (high = m ? m->nr : 0; low < high;) {
		unsigned int middle = low + (high - low) / 2;

		if (m->modules[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || addr - m->modules[low - 1].start >= m->modules[low - 1].size)
		return NULL;
	return &m->modules[low - 1];
}

/* -------------------------------------------------------------------- symbols */

static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

/* Keeps the symbols in the module's code, whatever their types: the kernel stores the types in
 * another table. */
static void keep_symbols(struct symbols *s, const struct nmibt_module *module,
			 const Elf64_Sym *table, uint32_t nr)
{
	s->symbols = calloc(nr, sizeof(*s->symbols));
	for (uint32_t i = 1; s->symbols && i < nr; i++) {
		if (table[i].st_shndx != SHN_UNDEF && table[i].st_name &&
		    table[i].st_value - module->start < module->size)
			s->symbols[s->nr++] = (struct symbol){table[i].st_value, table[i].st_name};
	}
	if (s->nr)
		qsort(s->symbols, s->nr, sizeof(*s->symbols), compare_symbols);
}

static void read_symbols(struct nmibt_kernel *kernel, const struct nmibt_module *module,
			 struct symbols *s)
{
	struct nmibt_modules *m = kernel->modules;
	const struct layout *l = &m->layout;
	uint64_t kallsyms, table;
	uint32_t nr;

	s->tried = true;
	if (!l->has_symbols ||
	    !read_at(kernel, m, module->at + l->kallsyms, &kallsyms, sizeof(kallsyms)) ||
	    !read_at(kernel, m, kallsyms + l->symtab, &table, sizeof(table)) ||
	    !read_at(kernel, m, kallsyms + l->num_symtab, &nr, sizeof(nr)) ||
	    !read_at(kernel, m, kallsyms + l->strtab, &s->strings, sizeof(s->strings)) || !nr)
		return;
	if (nr > MAX_SYMBOLS) {
		lose(m, kallsyms + l->num_symtab);
		return;
	}
	_cleanup_free_ Elf64_Sym *symbols = calloc(nr, sizeof(*symbols));
	if (symbols && read_at(kernel, m, table, symbols, nr * sizeof(*symbols)))
		keep_symbols(s, module, symbols, nr);
}

/* Labels of the compiler and arm64's mapping symbols are no names (is_mapping_symbol(),
 * include/linux/module_symbol.h, 6.12). */
static bool is_name(const char *name)
{
	return *name && *name != '$' && strncmp(name, ".L", 2) && strncmp(name, "L0", 2);
}

enum name { NAMED, NAMELESS, NAME_LOST };

static enum name read_name(struct nmibt_kernel *kernel, uint64_t vaddr, char name[NMIBT_SYMBOL_LEN])
{
	bool known[NMIBT_SYMBOL_LEN];

	/* The last name may end where mapped memory ends, so read_pages() may fail in part. */
	nmibt_kernel_read_pages(kernel, vaddr, name, NMIBT_SYMBOL_LEN, known);
	for (size_t i = 0; i < NMIBT_SYMBOL_LEN; i++) {
		if (!known[i]) {
			lose(kernel->modules, vaddr + i);
			return NAME_LOST;
		}
		if (!name[i])
			return is_name(name) ? NAMED : NAMELESS;
	}
	return NAMELESS;
}

/* Number of symbols with values <= addr. */
static uint32_t count_up_to(const struct symbols *s, uint64_t addr)
{
	uint32_t low = 0, high = s->nr;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->symbols[middle].value <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Runs of symbols without a name are short. */
#define MAX_TRIES 64

/* The named symbol with the highest value <= addr; of several with that value the first. If the
 * name of a closer one can't be read, the address may be in that one, so there is none. */
static const struct symbol *find_symbol(struct nmibt_kernel *kernel, const struct symbols *s,
					uint64_t addr, char name[NMIBT_SYMBOL_LEN])
{
	uint32_t end = count_up_to(s, addr), tries = 0;

	while (end) {
		uint64_t value = s->symbols[end - 1].value;
		uint32_t first = value ? count_up_to(s, value - 1) : 0;
		bool is_lost = false;

		for (uint32_t i = first; i < end; i++) {
			enum name found = read_name(kernel, s->strings + s->symbols[i].name, name);

			if (found == NAMED)
				return &s->symbols[i];
			is_lost |= found == NAME_LOST;
			if (++tries == MAX_TRIES)
				return NULL;
		}
		if (is_lost)
			return NULL;
		end = first;
	}
	return NULL;
}

bool nmibt_module_symbol(struct nmibt_kernel *kernel, uint64_t addr, struct nmibt_symbol *ret)
{
	const struct nmibt_module *module = nmibt_module_at(kernel, addr);

	if (!module || !*module->name)
		return false;
	struct symbols *s = &kernel->modules->symbols[module - kernel->modules->modules];
	if (!s->tried)
		read_symbols(kernel, module, s);
	const struct symbol *symbol = find_symbol(kernel, s, addr, ret->name);
	if (!symbol)
		return false;
	uint32_t next = count_up_to(s, addr);
	uint64_t end = next < s->nr ? s->symbols[next].value : module->start + module->size;
	memcpy(ret->module, module->name, sizeof(ret->module));
	ret->offset = addr - symbol->value;
	ret->size = end - symbol->value;
	return true;
}
