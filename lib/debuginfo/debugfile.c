// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A function is found by its name in the symbol table, so that neither KASLR nor the address of a
 * module matters; libdw then finds its places in the sources. The file may have half a gigabyte, so
 * apart from the symbol table only the parts that a frame needs are read.
 */
#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <unistd.h>

#include "debuginfo/debugfile.h"
#include "unwind/unwind.h"
#include "debuginfo/cfi.h"

/* A hash table of symbols. The chain of a name begins at heads[hash of the name]. */
struct symbols {
	uint32_t *heads; /* index + 1; 0: end */
	uint32_t nr_heads; /* a power of two */
	uint32_t *next; /* by index in the symbol table */
};

/* A struct or union that was looked up. */
struct type {
	struct type *next;
	bool found;
	Dwarf_Die die;
	char name[];
};

#define MAX_BUILD_ID (2 * 64 + 1) /* in hex, with the NUL */

struct nmibt_debugfile {
	Dwfl *dwfl;
	Dwfl_Module *module;
	struct type *types;
	const struct nmibt_search *search;
	char build_id[MAX_BUILD_ID];
	int nr_symbols;
	struct symbols by_name;
};

/* --------------------------------------------------------------------- file */

static void write_build_id(const unsigned char *bits, ssize_t len, char ret[MAX_BUILD_ID])
{
	*ret = '\0';
	for (ssize_t i = 0; i < len && 2 * (i + 1) < MAX_BUILD_ID; i++)
		snprintf(ret + 2 * i, 3, "%02x", bits[i]);
}

static void read_build_id(struct nmibt_debugfile *file)
{
	const unsigned char *bits;
	GElf_Addr vaddr;
	int len = dwfl_module_build_id(file->module, &bits, &vaddr);

	write_build_id(bits, len, file->build_id);
}

struct split_off {
	const struct nmibt_debugfile *file; /* that it was split off */
	int fd;
	char *path;
};

static bool take_split_off(void *arg, int fd, const char *path)
{
	struct split_off *split_off = arg;
	char build_id[MAX_BUILD_ID];
	const void *bits;
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP_PRIVATE, NULL);

	write_build_id(bits, elf ? dwelf_elf_gnu_build_id(elf, &bits) : -1, build_id);
	elf_end(elf);
	if (!*build_id || strcmp(build_id, split_off->file->build_id)) {
		close(fd);
		return false;
	}
	split_off->fd = fd;
	split_off->path = strdup(path);
	return true;
}

int nmibt_debugfile_open_split_off(const struct nmibt_debugfile *file, const char *link,
				   char **ret_path)
{
	const struct nmibt_debuginfo_wanted wanted = {
		.size = sizeof(wanted),
		.build_id = file->build_id,
		.split_off = true,
		.link = link,
	};
	struct split_off found = {.file = file, .fd = -1};

	if (file->search)
		nmibt_error_destroy(
			file->search->search(file->search->ctx, &wanted, take_split_off, &found));
	*ret_path = found.path;
	return found.fd;
}

static int find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			  const char *file_name, const char *link, GElf_Word crc, char **ret_path)
{
	(void)module, (void)name, (void)base, (void)file_name, (void)crc;
	return nmibt_debugfile_open_split_off(*userdata, link, ret_path);
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static struct nmibt_error *unusable(const char *path)
{
	return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: its debugging information: %s", path,
				  dwfl_errmsg(-1));
}

static struct nmibt_error *open_file(struct nmibt_debugfile *file, int fd, const char *path)
{
	GElf_Addr bias;
	void **userdata;

	file->dwfl = dwfl_begin(&callbacks);
	if (!file->dwfl) {
		close(fd);
		return nmibt_error_nomem();
	}
	dwfl_report_begin(file->dwfl);
	file->module = dwfl_report_offline(file->dwfl, "kernel", path, fd);
	if (!file->module) {
		close(fd); /* otherwise libdwfl has it */
		return unusable(path);
	}
	if (dwfl_report_end(file->dwfl, NULL, NULL) || !dwfl_module_getelf(file->module, &bias))
		return unusable(path);
	dwfl_module_info(file->module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = file;
	read_build_id(file);
	return NULL;
}

struct nmibt_error *nmibt_debugfile_open(int fd, const char *path,
					 const struct nmibt_search *search,
					 struct nmibt_debugfile **ret)
{
	struct nmibt_debugfile *file = calloc(1, sizeof(*file));
	if (!file) {
		close(fd);
		return nmibt_error_nomem();
	}
	file->search = search;
	struct nmibt_error *err = open_file(file, fd, path);
	if (err) {
		nmibt_debugfile_close(file);
		return err;
	}
	*ret = file;
	return NULL;
}

void nmibt_debugfile_close(struct nmibt_debugfile *file)
{
	if (!file)
		return;
	dwfl_end(file->dwfl);
	for (struct type *type = file->types, *next; type; type = next) {
		next = type->next;
		free(type);
	}
	free(file->by_name.heads);
	free(file->by_name.next);
	free(file);
}

bool nmibt_debugfile_has_lines(const struct nmibt_debugfile *file)
{
	Dwarf_Addr bias;

	return dwfl_module_getdwarf(file->module, &bias);
}

const char *nmibt_debugfile_build_id(const struct nmibt_debugfile *file)
{
	return *file->build_id ? file->build_id : NULL;
}

bool nmibt_debugfile_read(const struct nmibt_debugfile *file, uint64_t addr, void *buf, size_t len)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(file->module, &bias);

	for (Elf_Scn *section = NULL; elf && (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC) ||
		    header.sh_type == SHT_NOBITS || addr < header.sh_addr ||
		    addr - header.sh_addr >= header.sh_size)
			continue;
		data = elf_rawdata(section, NULL);
		if (!data || addr - header.sh_addr > data->d_size ||
		    len > data->d_size - (addr - header.sh_addr))
			return false;
		memcpy(buf, (const char *)data->d_buf + (addr - header.sh_addr), len);
		return true;
	}
	return false;
}

enum nmibt_arch nmibt_debugfile_arch(const struct nmibt_debugfile *file)
{
	GElf_Addr bias;
	GElf_Ehdr header;
	Elf *elf = dwfl_module_getelf(file->module, &bias);

	if (!elf || !gelf_getehdr(elf, &header))
		return NMIBT_ARCH_UNKNOWN;
	return nmibt_arch_by_elf(header.e_machine);
}

/* .modinfo is a sequence of strings. The release is the first word of vermagic:
 * include/linux/vermagic.h, 6.12. */
static char *release_in(const Elf_Data *modinfo)
{
	static const char key[] = "vermagic=";
	const char *s = modinfo->d_buf, *end = s + modinfo->d_size;

	while (s < end) {
		size_t len = strnlen(s, end - s);

		if (len >= strlen(key) && !memcmp(s, key, strlen(key))) {
			const char *release = s + strlen(key), *end_of_line = s + len;
			const char *space = memchr(release, ' ', end_of_line - release);

			return strndup(release, (space ?: end_of_line) - release);
		}
		s += len + 1;
	}
	return NULL;
}

char *nmibt_debugfile_release(const struct nmibt_debugfile *file)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(file->module, &bias);
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return NULL;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;
		const Elf_Data *data =
			name && !strcmp(name, ".modinfo") ? elf_rawdata(section, NULL) : NULL;
		if (data && data->d_buf)
			return release_in(data);
	}
	return NULL;
}

/* ------------------------------------------------------------------ symbols */

static uint32_t hash_of(const char *s)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 16777619u;
	return hash;
}

/* The name of symbol i, if the symbol is an address in memory; else NULL. */
static const char *symbol_at(const struct nmibt_debugfile *file, int i, GElf_Sym *sym,
			     GElf_Addr *addr)
{
	GElf_Word section;
	const char *name =
		dwfl_module_getsym_info(file->module, i, sym, addr, &section, NULL, NULL);

	return name && *name && section != SHN_UNDEF && section != SHN_ABS ? name : NULL;
}

/* As symbol_at(), but NULL also for symbols that can't be code. */
static const char *code_symbol(const struct nmibt_debugfile *file, int i, GElf_Sym *sym,
			       GElf_Addr *addr)
{
	const char *name = symbol_at(file, i, sym, addr);

	if (!name)
		return NULL;
	/* Entry points in assembler may have no type. */
	unsigned char type = GELF_ST_TYPE(sym->st_info);
	return type == STT_FUNC || type == STT_NOTYPE ? name : NULL;
}

static bool index_symbols(struct nmibt_debugfile *file)
{
	struct symbols *s = &file->by_name;
	GElf_Addr addr;
	GElf_Sym sym;

	if (s->heads)
		return true;
	file->nr_symbols = dwfl_module_getsymtab(file->module);
	if (file->nr_symbols <= 0)
		return false;
	for (s->nr_heads = 1024; s->nr_heads < (uint32_t)file->nr_symbols; s->nr_heads *= 2)
		;
	s->heads = calloc(s->nr_heads, sizeof(*s->heads));
	s->next = calloc(file->nr_symbols, sizeof(*s->next));
	if (!s->heads || !s->next) {
		free(s->heads);
		free(s->next);
		*s = (struct symbols){0};
		return false;
	}
	for (int i = 0; i < file->nr_symbols; i++) {
		const char *name = symbol_at(file, i, &sym, &addr);

		if (!name)
			continue;
		uint32_t *head = &s->heads[hash_of(name) & (s->nr_heads - 1)];
		s->next[i] = *head;
		*head = i + 1;
	}
	return true;
}

/* The size that the kernel prints goes up to the next symbol, so it includes padding. */
static bool has_size(const GElf_Sym *sym, uint64_t size)
{
	return size >= sym->st_size && size - sym->st_size < 64;
}

/* True: a symbol begins there. */
static bool is_symbol_at(const struct nmibt_debugfile *file, GElf_Addr wanted)
{
	GElf_Addr addr;
	GElf_Sym sym;

	for (int i = 0; i < file->nr_symbols; i++) {
		if (symbol_at(file, i, &sym, &addr) && addr == wanted)
			return true;
	}
	return false;
}

/* The last function of a module goes on to the end of the module's code, in pages
 * (kernel/module/kallsyms.c: find_kallsyms_symbol(), 6.12). */
static bool is_last_of_section(const struct nmibt_debugfile *file, int wanted, GElf_Addr end)
{
	GElf_Word section, other;
	GElf_Addr addr;
	GElf_Sym sym;

	dwfl_module_getsym_info(file->module, wanted, &sym, &addr, &section, NULL, NULL);
	for (int i = 0; i < file->nr_symbols; i++) {
		const char *name =
			dwfl_module_getsym_info(file->module, i, &sym, &addr, &other, NULL, NULL);

		if (name && *name && other == section && addr >= end)
			return false;
	}
	return true;
}

/* The functions of one name. Symbols of the same address are one. */
struct namesakes {
	unsigned int nr, nr_fitting, nr_exact;
	GElf_Addr any, fitting, exact; /* the last of them */
};

static void count(unsigned int *nr, GElf_Addr *last, GElf_Addr addr)
{
	*nr += !*nr || addr != *last;
	*last = addr;
}

/* Symbol i has the name. */
static void take_namesake(const struct nmibt_debugfile *file, const struct nmibt_location *at,
			  int i, struct namesakes *ret)
{
	GElf_Addr addr;
	GElf_Sym sym;

	/* No build-id tells whether this is the right build of a module, so a size that is
	 * too small excludes it. In a vmlinux such a size only means that a function in
	 * assembler has a label inside. */
	if (!code_symbol(file, i, &sym, &addr) || (at->module && at->size < sym.st_size))
		return;
	count(&ret->nr, &ret->any, addr);
	if (has_size(&sym, at->size))
		count(&ret->nr_fitting, &ret->fitting, addr);
	if (at->size && (is_symbol_at(file, addr + at->size) ||
			 (at->module && is_last_of_section(file, i, addr + sym.st_size))))
		count(&ret->nr_exact, &ret->exact, addr);
}

/* Finds the function of at. Several functions with one name are told apart by their sizes only: up to
 * the next symbol, or else by how much padding there may be. */
static enum nmibt_places find_function(struct nmibt_debugfile *file,
				       const struct nmibt_location *at, bool is_strict,
				       GElf_Addr *ret)
{
	struct namesakes found = {0};
	GElf_Addr addr;
	GElf_Sym sym;

	if (!index_symbols(file))
		return NMIBT_PLACES_NONE;
	if (is_strict && at->offset > at->size)
		return NMIBT_PLACES_OTHER_SIZE;
	const struct symbols *s = &file->by_name;
	for (uint32_t i = s->heads[hash_of(at->function) & (s->nr_heads - 1)]; i;
	     i = s->next[i - 1]) {
		const char *name = symbol_at(file, i - 1, &sym, &addr);

		if (name && !strcmp(name, at->function))
			take_namesake(file, at, i - 1, &found);
	}
	*ret = found.nr_exact ? found.exact : found.nr_fitting ? found.fitting : found.any;
	if (!found.nr)
		return NMIBT_PLACES_NONE;
	if (found.nr_exact == 1 || (!found.nr_exact && found.nr_fitting == 1))
		return NMIBT_PLACES_FOUND;
	if (is_strict && !found.nr_exact && !found.nr_fitting)
		return NMIBT_PLACES_OTHER_SIZE;
	return found.nr == 1 ? NMIBT_PLACES_FOUND : NMIBT_PLACES_AMBIGUOUS;
}

bool nmibt_debugfile_symbol_addr(struct nmibt_debugfile *file, const char *name, uint64_t *ret)
{
	GElf_Addr addr, first = 0;
	bool found = false;
	GElf_Sym sym;

	if (!index_symbols(file))
		return false;
	const struct symbols *s = &file->by_name;
	for (uint32_t i = s->heads[hash_of(name) & (s->nr_heads - 1)]; i; i = s->next[i - 1]) {
		const char *other = symbol_at(file, i - 1, &sym, &addr);

		if (!other || strcmp(other, name))
			continue;
		if (found && sym.st_value != first)
			return false;
		first = sym.st_value; /* addr is relocated by libdwfl, st_value is not */
		found = true;
	}
	if (found)
		*ret = first;
	return found;
}

#define MIN_BANNER 20

bool nmibt_debugfile_banner(struct nmibt_debugfile *file, char *ret, size_t room)
{
	uint64_t addr;
	size_t len = 0;

	if (!nmibt_debugfile_symbol_addr(file, "linux_banner", &addr))
		return false;
	while (len < room && nmibt_debugfile_read(file, addr + len, ret + len, 1) && ret[len])
		len++;
	/* Where reading failed there is no NUL. */
	return len >= MIN_BANNER && len < room &&
	       nmibt_debugfile_read(file, addr + len, ret + len, 1);
}

bool nmibt_debugfile_symbolize(struct nmibt_debugfile *file, uint64_t addr, char *buf, size_t len)
{
	GElf_Addr bias;
	Dwarf_Addr start, end;
	GElf_Off offset;
	GElf_Sym sym;

	/* libdwfl relocates a vmlinux that is relocatable, as those of arm64 are. It searches all
	 * symbols for each address, so addresses of modules are sorted out first. */
	if (!dwfl_module_getelf(file->module, &bias))
		return false;
	dwfl_module_info(file->module, NULL, &start, &end, NULL, NULL, NULL, NULL);
	if (addr + bias - start >= end - start)
		return false;
	const char *name =
		dwfl_module_addrinfo(file->module, addr + bias, &offset, &sym, NULL, NULL, NULL);
	if (!name || GELF_ST_TYPE(sym.st_info) == STT_OBJECT || offset >= sym.st_size)
		return false;
	snprintf(buf, len, "%s+0x%" PRIx64, name, (uint64_t)offset);
	return true;
}

/* ------------------------------------------------------------------- places */

/* The compilation unit of addr. *bias is added to addresses in DWARF to get those of the file.
 * clang writes no .debug_aranges, so that all units of such a file are searched. */
static Dwarf_Die *unit_of(Dwfl_Module *module, GElf_Addr addr, Dwarf_Addr *bias)
{
	Dwarf_Die *unit = dwfl_module_addrdie(module, addr, bias);

	if (unit)
		return unit;
	while ((unit = dwfl_module_nextcu(module, unit, bias))) {
		if (dwarf_haspc(unit, addr - *bias) > 0)
			return unit;
	}
	return NULL;
}

/* *ret: the function or block directly inside of parent that contains pc. */
static bool step_inside(Dwarf_Die *parent, Dwarf_Addr pc, Dwarf_Die *ret)
{
	if (dwarf_child(parent, ret))
		return false;
	do {
		switch (dwarf_tag(ret)) {
		case DW_TAG_subprogram:
		case DW_TAG_inlined_subroutine:
		case DW_TAG_lexical_block:
			if (dwarf_haspc(ret, pc) > 0)
				return true;
		}
	} while (!dwarf_siblingof(ret, ret));
	return false;
}

/* Real code is inlined about a dozen levels deep. */
#define MAX_INLINED 64

struct inlined {
	Dwarf_Die die[MAX_INLINED]; /* the outermost first */
	unsigned int nr;
};

static void find_inlined(Dwarf_Die *unit, Dwarf_Addr pc, struct inlined *ret)
{
	Dwarf_Die scope, at = *unit;

	ret->nr = 0;
	while (ret->nr < MAX_INLINED && step_inside(&at, pc, &scope)) {
		if (dwarf_tag(&scope) == DW_TAG_inlined_subroutine)
			ret->die[ret->nr++] = scope;
		at = scope;
	}
}

static bool number_of(Dwarf_Die *die, unsigned int name, Dwarf_Word *ret)
{
	Dwarf_Attribute attribute;

	return dwarf_attr(die, name, &attribute) && !dwarf_formudata(&attribute, ret);
}

/* Writes the place from which an inlined function was called to buf: "file:line". */
static bool call_place(Dwarf_Die *unit, Dwarf_Die *inlined, char *buf, size_t len)
{
	Dwarf_Word file, line;
	Dwarf_Files *files;
	size_t nr;

	if (!number_of(inlined, DW_AT_call_file, &file) ||
	    !number_of(inlined, DW_AT_call_line, &line) || dwarf_getsrcfiles(unit, &files, &nr))
		return false;
	const char *name = dwarf_filesrc(files, file, NULL, NULL);
	if (!name)
		return false;
	snprintf(buf, len, "%s:%" PRIu64, name, (uint64_t)line);
	return true;
}

static bool line_place(Dwarf_Die *unit, Dwarf_Addr pc, char *buf, size_t len)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, pc);
	const char *name = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	int number;

	if (!name || dwarf_lineno(line, &number))
		return false;
	snprintf(buf, len, "%s:%d", name, number);
	return true;
}

enum nmibt_places nmibt_debugfile_find_places(struct nmibt_debugfile *file,
					      const struct nmibt_location *at, bool is_strict,
					      nmibt_place_fn visit, void *arg)
{
	struct inlined inlined;
	char where[1024];
	GElf_Addr addr;
	Dwarf_Addr bias;

	enum nmibt_places found = find_function(file, at, is_strict, &addr);
	if (found != NMIBT_PLACES_FOUND)
		return found;
	addr += at->offset;
	Dwarf_Die *unit = unit_of(file->module, addr, &bias);
	if (!unit || !line_place(unit, addr - bias, where, sizeof(where)))
		return NMIBT_PLACES_NONE;
	find_inlined(unit, addr - bias, &inlined);
	for (unsigned int i = inlined.nr; i--;) {
		visit(arg, dwarf_diename(&inlined.die[i]) ?: "?", where);
		if (!call_place(unit, &inlined.die[i], where, sizeof(where)))
			snprintf(where, sizeof(where), "?");
	}
	visit(arg, NULL, where);
	return NMIBT_PLACES_FOUND;
}

/* -------------------------------------------------------------------- types */

static bool find_in_unit(Dwarf_Die *unit, const char *name, Dwarf_Die *ret)
{
	if (dwarf_child(unit, ret))
		return false;
	do {
		int tag = dwarf_tag(ret);
		const char *other = tag == DW_TAG_structure_type || tag == DW_TAG_union_type
					    ? dwarf_diename(ret)
					    : NULL;
		if (other && !strcmp(other, name) && !dwarf_hasattr(ret, DW_AT_declaration))
			return true;
	} while (!dwarf_siblingof(ret, ret));
	return false;
}

/* Some types are defined in one source file only, the one of these functions. Looking there first
 * avoids a search through the whole file. */
static const struct {
	const char *type, *function;
} defining_functions[] = {
	{"printk_safe_seq_buf", "printk_safe_flush"}, /* kernel/printk/printk_safe.c, 5.10 */
	{"nmi_seq_buf", "printk_nmi_flush"}, /* kernel/printk/nmi.c, 4.7 */
	{"nmi_seq_buf", "nmi_trigger_all_cpu_backtrace"}, /* lib/nmi_backtrace.c, 4.4 */
	{"nmi_seq_buf", "arch_trigger_all_cpu_backtrace"}, /* .../apic/hw_nmi.c, 3.19 */
};

static bool find_beside_function(struct nmibt_debugfile *file, const char *name, Dwarf_Die *ret)
{
	GElf_Addr addr;
	Dwarf_Addr bias;

	for (size_t i = 0; i < ARRAY_SIZE(defining_functions); i++) {
		const struct nmibt_location at = {.function = defining_functions[i].function};

		if (strcmp(defining_functions[i].type, name) ||
		    find_function(file, &at, false, &addr) != NMIBT_PLACES_FOUND)
			continue;
		Dwarf_Die *unit = unit_of(file->module, addr, &bias);
		if (unit && find_in_unit(unit, name, ret))
			return true;
	}
	return false;
}

static bool find_anywhere(struct nmibt_debugfile *file, const char *name, Dwarf_Die *ret)
{
	Dwarf_Addr bias;

	for (Dwarf_Die *unit = NULL; (unit = dwfl_module_nextcu(file->module, unit, &bias));) {
		if (find_in_unit(unit, name, ret))
			return true;
	}
	return false;
}

/* NULL: the file has no such struct or union. */
static Dwarf_Die *find_type(struct nmibt_debugfile *file, const char *name)
{
	struct type *type = file->types;

	while (type && strcmp(type->name, name))
		type = type->next;
	if (!type) {
		type = calloc(1, sizeof(*type) + strlen(name) + 1);
		if (!type)
			return NULL;
		strcpy(type->name, name);
		type->found = find_beside_function(file, name, &type->die) ||
			      find_anywhere(file, name, &type->die);
		type->next = file->types;
		file->types = type;
	}
	return type->found ? &type->die : NULL;
}

bool nmibt_debugfile_type_size(struct nmibt_debugfile *file, const char *type, size_t *ret)
{
	Dwarf_Die *die = find_type(file, type);
	Dwarf_Word size;

	if (!die || !number_of(die, DW_AT_byte_size, &size))
		return false;
	*ret = size;
	return true;
}

/* *ret: the offset of a member in its structure, in bytes. Compilers of DWARF 2 and 3 write it as
 * an expression that adds to the structure's address. A member at offset 0, as in a union, may have
 * no such attribute. False for bit fields. */
static bool place_of(Dwarf_Die *member, size_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Word offset = 0;
	Dwarf_Op *op;
	size_t nr;

	if (dwarf_hasattr(member, DW_AT_bit_size))
		return false;
	if (dwarf_attr(member, DW_AT_data_member_location, &attribute) &&
	    dwarf_formudata(&attribute, &offset)) {
		if (dwarf_getlocation(&attribute, &op, &nr) || nr != 1 ||
		    op->atom != DW_OP_plus_uconst)
			return false;
		offset = op->number;
	}
	*ret = offset;
	return true;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attribute;

	return dwarf_attr(die, DW_AT_type, &attribute) && dwarf_formref_die(&attribute, ret) &&
	       !dwarf_peel_type(ret, ret);
}

/* The kernel nests unnamed members only a few levels deep. */
#define MAX_UNNAMED 16

static bool find_member(Dwarf_Die *type, const char *name, unsigned int depth, size_t *ret)
{
	Dwarf_Die member, inner;
	size_t offset;

	if (dwarf_child(type, &member))
		return false;
	do {
		if (dwarf_tag(&member) != DW_TAG_member)
			continue;
		const char *other = dwarf_diename(&member);
		if (other && !strcmp(other, name))
			return place_of(&member, ret);
		if (!other && depth < MAX_UNNAMED && type_of(&member, &inner) &&
		    place_of(&member, &offset) && find_member(&inner, name, depth + 1, ret)) {
			*ret += offset;
			return true;
		}
	} while (!dwarf_siblingof(&member, &member));
	return false;
}

bool nmibt_debugfile_member_offset(struct nmibt_debugfile *file, const char *type,
				   const char *member, size_t *ret)
{
	Dwarf_Die *die = find_type(file, type);

	return die && find_member(die, member, 0, ret);
}

/* ------------------------------------------------------------------- stacks */

struct nmibt_error *nmibt_debugfile_cfi(struct nmibt_debugfile *file, uint64_t offset,
					struct nmibt_cfi **ret)
{
	GElf_Addr bias;
	const char *path = NULL;
	Elf *elf = dwfl_module_getelf(file->module, &bias);

	dwfl_module_info(file->module, NULL, NULL, NULL, NULL, NULL, &path, NULL);
	return nmibt_cfi_open(file, elf, path ?: "", offset, ret);
}
