// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The library is loaded with dlopen(). Its interface is that of libkdumpfile/kdumpfile.h, which is
 * the same in 0.5.1 to 0.5.4 (Debian 12 and 13); these have one soname.
 *
 * It takes what lies behind the end of a file as zeros (fcache.c: fcache_get_read(), 0.5.1). So it
 * gets no file that is truncated.
 *
 * The registers of the virtual CPUs are not read. Xen leaves out CPUs that were never started, so
 * that their order does not tell which CPU of the kernel each of them is.
 */
#include <dlfcn.h>
#include <elf.h>
#include <endian.h>
#include <stddef.h>

#include "image/cache.h"
#include "image/libkdumpfile.h"
#include "image/reader.h"

#define SONAME "libkdumpfile.so.10"
#define FORMAT "a dump of Xen's xl dump-core"
#define PAGE 4096
/* The hole below 4 GiB in a guest's memory is smaller. */
#define MAX_HOLE ((UINT64_C(4) << 30) / PAGE)

/* An ELF core that has sections and no segments: docs/misc/dump-core-format.txt, Xen 4.17.
 * libkdumpfile reads a descriptor, and so no flattened file. */
bool nmibt_is_for_libkdumpfile(const struct nmibt_file *file)
{
	Elf64_Ehdr ehdr;

	return file->fd >= 0 && nmibt_file_read(file, 0, &ehdr, sizeof(ehdr)) &&
	       !memcmp(ehdr.e_ident, ELFMAG, SELFMAG) && ehdr.e_ident[EI_CLASS] == ELFCLASS64 &&
	       ehdr.e_ident[EI_DATA] == ELFDATA2LSB && le16toh(ehdr.e_type) == ET_CORE &&
	       !ehdr.e_phnum && ehdr.e_shoff && le16toh(ehdr.e_shentsize) == sizeof(Elf64_Shdr);
}

/* ------------------------------------------------------------------------ sections */

/* A dump has its pages in one section, and their numbers in another one: 8 bytes for each page,
 * or 16 of a paravirtualized guest (docs/misc/dump-core-format.txt, Xen 4.17). */
enum section { NOTES, PAGES, PFN, P2M };
static const char *const section_names[] = {
	[NOTES] = ".note.Xen",
	[PAGES] = ".xen_pages",
	[PFN] = ".xen_pfn",
	[P2M] = ".xen_p2m",
};

struct sections {
	unsigned int nr; /* how many of that name there are */
	uint64_t size; /* bytes, of the last one */
};

/* False: the header or the section is not in the file as a whole. */
static bool read_section(const struct nmibt_file *file, const Elf64_Ehdr *ehdr, unsigned int i,
			 Elf64_Shdr *ret)
{
	if (!nmibt_file_read(file, le64toh(ehdr->e_shoff) + i * sizeof(*ret), ret, sizeof(*ret)))
		return false;
	ret->sh_name = le32toh(ret->sh_name);
	ret->sh_offset = le64toh(ret->sh_offset);
	ret->sh_size = le64toh(ret->sh_size);
	return ret->sh_offset <= file->size && ret->sh_size <= file->size - ret->sh_offset;
}

static void add_section(const struct nmibt_file *file, const Elf64_Shdr *names,
			const Elf64_Shdr *section, struct sections *sections)
{
	char name[16] = "";

	if (section->sh_name >= names->sh_size)
		return;
	uint64_t len = names->sh_size - section->sh_name;
	if (len > sizeof(name) - 1)
		len = sizeof(name) - 1;
	if (!nmibt_file_read(file, names->sh_offset + section->sh_name, name, len))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(section_names); i++) {
		if (!strcmp(name, section_names[i])) {
			sections[i].nr++;
			sections[i].size = section->sh_size;
		}
	}
}

/* False: the file is truncated. */
static bool find_sections(const struct nmibt_file *file, const Elf64_Ehdr *ehdr,
			  struct sections *sections)
{
	unsigned int nr = le16toh(ehdr->e_shnum), names_at = le16toh(ehdr->e_shstrndx);
	Elf64_Shdr names = {0}, section;

	if (names_at < nr && !read_section(file, ehdr, names_at, &names))
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		if (!read_section(file, ehdr, i, &section))
			return false;
		add_section(file, &names, &section, sections);
	}
	return true;
}

/* With a page too few, the library would read what follows the pages in the file. */
static bool fit_together(const struct sections *sections)
{
	const struct sections *pages = &sections[PAGES];
	bool is_paravirtualized = sections[P2M].nr;
	const struct sections *numbers = &sections[is_paravirtualized ? P2M : PFN];
	unsigned int entry = is_paravirtualized ? 16 : 8;

	return sections[NOTES].nr == 1 && pages->nr == 1 &&
	       sections[P2M].nr + sections[PFN].nr == 1 && !(pages->size % PAGE) &&
	       !(numbers->size % entry) && pages->size / PAGE == numbers->size / entry;
}

static struct nmibt_error *refuse_truncated(const struct nmibt_file *file)
{
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "%s: a core with sections and no segments, as " FORMAT
				  " has them, that is truncated, and libkdumpfile would take "
				  "what is missing as zeros; copy it again if it is a copy",
				  file->path);
}

static struct nmibt_error *refuse_other(const char *path)
{
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "%s: a core with sections and no segments, but not " FORMAT,
				  path);
}

/* The library can read registers of Xen on x86 only, and jumps to nowhere for another machine
 * (elfdump.c: open_common(), 0.5.1). */
static struct nmibt_error *check_headers(const struct nmibt_file *file)
{
	struct sections sections[ARRAY_SIZE(section_names)] = {0};
	Elf64_Ehdr ehdr;

	if (!nmibt_file_read(file, 0, &ehdr, sizeof(ehdr)) || !find_sections(file, &ehdr, sections))
		return refuse_truncated(file);
	if (!sections[NOTES].nr)
		return refuse_other(file->path);
	if (le16toh(ehdr.e_machine) != EM_X86_64)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: " FORMAT "; only one of an x86_64 guest can be read",
					  file->path);
	if (!fit_together(sections))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: " FORMAT
					  " that is damaged: its sections of pages and of their "
					  "numbers don't fit together",
					  file->path);
	return NULL;
}

/* ------------------------------------------------------------------------ the library */

/* kdump_status, kdump_attr_type_t, kdump_mmap_policy_t, kdump_xen_xlat_t, kdump_addrspace_t */
enum { OK = 0 };
enum type { NUMBER = 2, STRING = 4 };
enum { MMAP_NEVER = 0 };
enum { XEN_NONAUTO = 1 };
enum { KERNEL_PHYSICAL = 0 };

/* kdump_attr_t */
struct attribute {
	int type;
	union {
		uint64_t number;
		const char *string;
	};
};

struct functions {
	void *(*create)(void);
	void (*destroy)(void *ctx);
	const char *(*message)(void *ctx);
	int (*set)(void *ctx, const char *key, const struct attribute *attribute);
	int (*get)(void *ctx, const char *key, struct attribute *ret);
	int (*open)(void *ctx, unsigned int nr, const int *fds);
	int (*read)(void *ctx, int space, uint64_t addr, void *buf, size_t *len);
};

static const struct symbol {
	const char *name;
	size_t at; /* in struct functions */
} symbols[] = {
	{"kdump_new", offsetof(struct functions, create)},
	{"kdump_free", offsetof(struct functions, destroy)},
	{"kdump_get_err", offsetof(struct functions, message)},
	{"kdump_set_attr", offsetof(struct functions, set)},
	{"kdump_get_typed_attr", offsetof(struct functions, get)},
	{"kdump_open_fdset", offsetof(struct functions, open)},
	{"kdump_read", offsetof(struct functions, read)},
};

struct nmibt_libkdumpfile {
	void *library; /* NULL: not loaded */
	struct functions call;
	void *ctx; /* the library's */
	uint64_t end_pfn; /* searches end there */
	struct nmibt_cache *pages; /* by pfn */
};

static bool load(struct nmibt_libkdumpfile *lkf)
{
	lkf->library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!lkf->library)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *function = dlsym(lkf->library, symbols[i].name);

		if (!function)
			return false;
		memcpy((char *)&lkf->call + symbols[i].at, &function, sizeof(function));
	}
	return true;
}

/* The handle is left open, so that the library stays. */
void nmibt_libkdumpfile_preload(int fd)
{
	struct nmibt_file file;
	struct nmibt_error *err = nmibt_file_open("", &fd, &file);

	if (err) {
		nmibt_error_destroy(err);
		return;
	}
	if (nmibt_is_for_libkdumpfile(&file))
		dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	nmibt_file_close(&file);
}

static bool get(const struct nmibt_libkdumpfile *lkf, const char *key, enum type type,
		struct attribute *ret)
{
	ret->type = type;
	return lkf->call.get(lkf->ctx, key, ret) == OK;
}

static bool is_number(const struct nmibt_libkdumpfile *lkf, const char *key, uint64_t number)
{
	struct attribute attribute;

	return get(lkf, key, NUMBER, &attribute) && attribute.number == number;
}

/* ------------------------------------------------------------------------ reads */

static enum nmibt_read fetch_page(void *ctx, uint64_t pfn, void *buf)
{
	const struct nmibt_libkdumpfile *lkf = ctx;
	size_t len = PAGE;

	return lkf->call.read(lkf->ctx, KERNEL_PHYSICAL, pfn * PAGE, buf, &len) == OK && len == PAGE
		       ? NMIBT_READ_OK
		       : NMIBT_READ_ERROR;
}

static enum nmibt_read lkf_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_libkdumpfile *lkf = ctx;

	return nmibt_cache_read(lkf->pages, paddr, buf, len, fetch_page, lkf);
}

/* The library does not say which pages there are (its bitmap is that of segments, elfdump.c:
 * elf_file_get_bits(), 0.5.1). A search tries them all. */
static bool lkf_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	const struct nmibt_libkdumpfile *lkf = ctx;

	if (from / PAGE >= lkf->end_pfn)
		return false;
	*ret = (struct nmibt_range){.start = from, .size = lkf->end_pfn * PAGE - from};
	return true;
}

/* ------------------------------------------------------------------------ open */

static struct nmibt_error *open_file(struct nmibt_libkdumpfile *lkf, const struct nmibt_file *file)
{
	const struct attribute never = {.type = NUMBER, .number = MMAP_NEVER};

	lkf->ctx = lkf->call.create();
	if (!lkf->ctx)
		return nmibt_error_nomem();
	if (lkf->call.set(lkf->ctx, "file.mmap_policy", &never) == OK &&
	    lkf->call.open(lkf->ctx, 1, &file->fd) == OK)
		return NULL;
	const char *message = lkf->call.message(lkf->ctx);
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "%s: " FORMAT " that libkdumpfile can't "
				  "read: %s",
				  file->path, message ? message : "it does not say why");
}

/* A paravirtualized guest's page tables have addresses of the machine. */
static struct nmibt_error *check_guest(const struct nmibt_libkdumpfile *lkf, const char *path)
{
	struct attribute arch, format;

	if (is_number(lkf, "xen.xlat", XEN_NONAUTO))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: " FORMAT ", of a paravirtualized guest, whose page "
					  "tables can't be followed; dumps of PVH and HVM guests "
					  "can be read",
					  path);
	if (!get(lkf, "file.format", STRING, &format) || strcmp(format.string, "xc_core_elf") ||
	    !get(lkf, "arch.name", STRING, &arch) || strcmp(arch.string, "x86_64") ||
	    !is_number(lkf, "arch.page_size", PAGE))
		return refuse_other(path);
	return NULL;
}

/* Page numbers that make no sense don't prolong a search: the file has no more pages than fit into
 * it, and there is one hole between them. The library's number is the last page's plus one, which
 * is 0 if one of the page numbers is damaged and has all bits set. */
static uint64_t find_end(const struct nmibt_libkdumpfile *lkf, const struct nmibt_file *file)
{
	uint64_t most = file->size / PAGE + MAX_HOLE;
	struct attribute max_pfn;

	if (!get(lkf, "max_pfn", NUMBER, &max_pfn) || !max_pfn.number || max_pfn.number > most)
		return most;
	return max_pfn.number;
}

static struct nmibt_error *open_lkf(struct nmibt_libkdumpfile *lkf, const struct nmibt_file *file)
{
	if (!load(lkf))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: " FORMAT "; only libkdumpfile reads it, and " SONAME
					  " can't be loaded: install libkdumpfile (Debian: "
					  "libkdumpfile10)",
					  file->path);
	struct nmibt_error *err = open_file(lkf, file);
	if (!err)
		err = check_guest(lkf, file->path);
	if (err)
		return err;
	lkf->end_pfn = find_end(lkf, file);
	return nmibt_cache_of_pages(PAGE, &lkf->pages);
}

static void close_lkf(void *dump)
{
	struct nmibt_libkdumpfile *lkf = dump;

	nmibt_cache_free(lkf->pages);
	if (lkf->ctx)
		lkf->call.destroy(lkf->ctx);
	if (lkf->library)
		dlclose(lkf->library);
	free(lkf);
}

/* may_crash: the process can do no harm, and somebody sees it die. UNUSABLE without that, where
 * libkdumpfile is not installed, and where it can't read the file, which includes a truncated
 * one. */
static struct nmibt_error *open_xen_core(unsigned int nr, const struct nmibt_file *const *files,
					 bool may_crash, void **ret)
{
	const struct nmibt_file *file = files[0];
	struct nmibt_error *err = check_headers(file);

	(void)nr;
	if (err)
		return err;
	if (!may_crash)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: " FORMAT
					  "; only libkdumpfile reads it, which is not "
					  "safe with damaged files and is used only in nmibt's "
					  "sandbox",
					  file->path);
	struct nmibt_libkdumpfile *lkf = calloc(1, sizeof(*lkf));
	if (!lkf)
		return nmibt_error_nomem();

	err = open_lkf(lkf, file);
	if (err) {
		close_lkf(lkf);
		return err;
	}
	*ret = lkf;
	return NULL;
}

/* What can't be read is an ERROR: the format does not say which pages were left out. */
static void make_image(void *dump, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = lkf_read_phys,
		.next_range = lkf_next_range,
	};

	*ret = (struct nmibt_image){
		.ops = &ops,
		.ctx = dump,
		.arch = NMIBT_ARCH_X86_64,
		.page_size = PAGE,
	};
}

const struct nmibt_reader nmibt_libkdumpfile_reader = {
	.knows = nmibt_is_for_libkdumpfile,
	.open = open_xen_core,
	.image = make_image,
	.close = close_lkf,
};
