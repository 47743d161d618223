// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back end for a plain 64-bit ELF vmcore: /proc/vmcore, makedumpfile -E, QEMU.
 * It uses libc only, because the tool for the capture kernel is built on it.
 */
#include <elf.h>
#include <stddef.h>
#include <endian.h>

#include "image/extents.h"
#include "image/file.h"
#include "image/image.h"
#include "image/reader.h"

#define PHDRS_AT_ONCE 1024
#define MAX_NOTE_BYTES (64 << 20)
#define MAX_VMCOREINFO (1 << 20)
/* makedumpfile -E begins a segment behind 1 MiB that it left out, so that this is enough for a dump
 * of 512 GiB whose every other MiB was. */
#define MAX_PHDRS (1u << 19)
/* makedumpfile.h, 1.7.2: in e_flags, where the dump had no room for all pages */
#define DUMP_ELF_INCOMPLETE 0x1
/* x86_64: where the kernel's image is mapped, behind phys_base, and where it ends at the latest
 * (arch/x86/include/asm/page_64_types.h, 6.12). */
#define KERNEL_MAP UINT64_C(0xffffffff80000000)
#define KERNEL_MAP_END UINT64_C(0xffffffffc0000000)

/*
 * What the file has of a range of physical memory. Where segments overlap, the one that has the
 * most wins; of two that both have the data, the first one in the file. Old /proc/vmcores have
 * the kernel's image twice (kexec-tools adds a segment for its text).
 */
enum has {
	HAS_NOTHING, /* p_memsz is beyond p_filesz: so makedumpfile -E leaves a page out */
	HAS_LOST, /* the file was truncated before these bytes */
	HAS_DATA,
	/* Bytes of the file that are also those of another segment. They are read, and not
	 * searched, so that a search costs no more than the file is large. */
	HAS_DATA_AGAIN,
};

#define MANY_PHDRS "the file has more than 524288 program headers: the others are not read"
#define SHARED_BYTES "segments of the file share its bytes: each byte is searched once only"

/* A PT_NOTE. */
struct segment {
	uint64_t offset, filesz;
};

struct nmibt_elf {
	const struct nmibt_file *file;
	struct nmibt_file own; /* file points to it, if nmibt_elf_open() opened the file */
	enum nmibt_arch arch;
	struct nmibt_extents memory; /* their ranks are those of rank_of() */
	struct segment *notes;
	size_t nr_notes, notes_room;
	struct nmibt_number phys_base; /* by the segment of the kernel's image */
	uint64_t image_vaddr; /* of that segment */
	char *vmcoreinfo; /* NUL-terminated; NULL: none */
	const char *lost; /* for nmibt_image.lost */
	bool is_process; /* has the auxiliary vector of a process (fs/binfmt_elf.c, 6.12) */
	bool is_live; /* has a task_struct, as /proc/kcore (fs/proc/kcore.c, 6.12) */
	uint64_t notes_left; /* how many bytes of notes may still be searched for VMCOREINFO */
};

static bool read_at(const struct nmibt_elf *elf, uint64_t offset, void *buf, size_t len)
{
	return nmibt_file_read(elf->file, offset, buf, len);
}

static uint64_t rank_of(enum has has, uint32_t phdr)
{
	return (uint64_t)has << 32 | (UINT32_MAX - phdr);
}

static enum has has_of(const struct nmibt_extent *extent)
{
	return extent->rank >> 32;
}

/* Reads the part of [paddr, paddr + len) that lies in extent, and returns its length in bytes. *ret
 * says what the file has of it. */
static size_t read_piece(const struct nmibt_elf *elf, const struct nmibt_extent *extent,
			 uint64_t paddr, void *buf, size_t len, enum nmibt_read *ret)
{
	uint64_t rest = extent->last - paddr;

	if (rest < len - 1)
		len = rest + 1;
	if (has_of(extent) == HAS_NOTHING)
		*ret = NMIBT_READ_EXCLUDED;
	else if (has_of(extent) >= HAS_DATA &&
		 read_at(elf, extent->at + (paddr - extent->start), buf, len))
		*ret = NMIBT_READ_OK;
	else
		*ret = NMIBT_READ_ERROR;
	return len;
}

static enum nmibt_read elf_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const struct nmibt_elf *elf = ctx;
	enum nmibt_read status = NMIBT_READ_OK, piece;
	size_t i = nmibt_extents_find(&elf->memory, paddr);

	for (size_t done = 0, n; done < len; done += n, i++) {
		if (i >= elf->memory.nr || elf->memory.v[i].start > paddr + done ||
		    paddr + done < paddr)
			return NMIBT_READ_ERROR;
		n = read_piece(elf, &elf->memory.v[i], paddr + done, (char *)buf + done, len - done,
			       &piece);
		if (piece == NMIBT_READ_ERROR)
			return piece;
		if (piece == NMIBT_READ_EXCLUDED)
			status = piece;
	}
	return status;
}

static char *elf_vmcoreinfo_text(void *ctx)
{
	const struct nmibt_elf *elf = ctx;

	return elf->vmcoreinfo ? strdup(elf->vmcoreinfo) : NULL;
}

/* How many of the filesz bytes at offset the file really has. p_filesz of a truncated or a hostile
 * file may be anything, and a search through it must not take hours. */
static uint64_t bytes_in_file(const struct nmibt_elf *elf, uint64_t offset, uint64_t filesz)
{
	uint64_t rest = offset < elf->file->size ? elf->file->size - offset : 0;

	return filesz < rest ? filesz : rest;
}

/* The first run in extent, from an address on, that is not in a hole of the file. */
static bool run_in_extent(const struct nmibt_elf *elf, const struct nmibt_extent *extent,
			  uint64_t start, struct nmibt_range *ret)
{
	const struct nmibt_file *file = elf->file;
	uint64_t size = extent->last - start + 1, at = extent->at + (start - extent->start);
	uint64_t data = file->next_data ? file->next_data(file, at) : at;

	if (data >= at + size)
		return false;
	uint64_t hole = file->next_hole ? file->next_hole(file, data) : at + size;
	/* The file may have changed in between. */
	if (hole <= data || hole > at + size)
		hole = at + size;
	*ret = (struct nmibt_range){start + (data - at), hole - data};
	return true;
}

static bool elf_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	const struct nmibt_elf *elf = ctx;

	for (size_t i = nmibt_extents_find(&elf->memory, from); i < elf->memory.nr; i++) {
		const struct nmibt_extent *extent = &elf->memory.v[i];
		uint64_t start = extent->start > from ? extent->start : from;

		if (has_of(extent) == HAS_DATA && run_in_extent(elf, extent, start, ret))
			return true;
	}
	return false;
}

/* The part of a PT_NOTE that the file has, in malloc'ed memory. NULL: there is none, or it can't be
 * read. */
static char *read_notes(const struct nmibt_elf *elf, const struct segment *s, size_t *ret_len)
{
	uint64_t size = bytes_in_file(elf, s->offset, s->filesz);

	if (size > MAX_NOTE_BYTES)
		size = MAX_NOTE_BYTES;
	char *notes = size ? malloc(size + 1) : NULL;
	if (notes && !read_at(elf, s->offset, notes, size)) {
		free(notes);
		return NULL;
	}
	*ret_len = size;
	return notes;
}

/* Returns the first readable PT_NOTE. A dump has only one: /proc/vmcore merges the notes of all
 * CPUs (fs/proc/vmcore.c: merge_note_headers_elf64(), 6.12). */
static char *elf_notes(void *ctx, size_t *ret_len)
{
	const struct nmibt_elf *elf = ctx;

	for (size_t i = 0; i < elf->nr_notes; i++) {
		char *notes = read_notes(elf, &elf->notes[i], ret_len);

		if (notes)
			return notes;
	}
	return NULL;
}

static const struct nmibt_image_ops elf_ops = {
	.read_phys = elf_read_phys,
	.vmcoreinfo_text = elf_vmcoreinfo_text,
	.next_range = elf_next_range,
	.notes = elf_notes,
};

/* Searches one PT_NOTE for VMCOREINFO. */
static void find_vmcoreinfo(struct nmibt_elf *elf, const struct segment *s)
{
	/* The limit is for all segments together, because they may all point to the same notes. */
	size_t size = bytes_in_file(elf, s->offset, s->filesz);
	if (size > elf->notes_left)
		return;
	elf->notes_left -= size;

	_cleanup_free_ char *notes = read_notes(elf, s, &size);
	struct nmibt_elf_note note;

	for (size_t at = 0; notes && !elf->vmcoreinfo && nmibt_next_note(notes, size, at, &note);
	     at = note.next) {
		elf->is_process |= note.type == NT_AUXV && nmibt_note_is(&note, "CORE");
		elf->is_live |= note.type == NT_TASKSTRUCT && nmibt_note_is(&note, "CORE");
		if (!nmibt_note_is(&note, "VMCOREINFO"))
			continue;
		/* A truncated file has only the beginning of the note. */
		size_t len = note.size < size - note.at ? note.size : size - note.at;
		if (len <= MAX_VMCOREINFO)
			elf->vmcoreinfo = strndup(notes + note.at, len);
	}
}

static struct nmibt_error *add_notes(struct nmibt_elf *elf, const Elf64_Phdr *phdr)
{
	struct segment s = {phdr->p_offset, phdr->p_filesz};

	if (elf->nr_notes == elf->notes_room) {
		size_t room = elf->notes_room ? 2 * elf->notes_room : 4;
		struct segment *notes = reallocarray(elf->notes, room, sizeof(*notes));

		if (!notes)
			return nmibt_error_nomem();
		elf->notes = notes;
		elf->notes_room = room;
	}
	elf->notes[elf->nr_notes++] = s;
	if (!elf->vmcoreinfo)
		find_vmcoreinfo(elf, &s);
	return NULL;
}

/* Adds bytes [from, to) of segment i to the extents. */
static struct nmibt_error *add_memory(struct nmibt_elf *elf, const Elf64_Phdr *phdr, uint32_t i,
				      enum has has, uint64_t from, uint64_t to)
{
	if (from >= to)
		return NULL;
	return nmibt_extents_add(&elf->memory, (struct nmibt_extent){
						       .start = phdr->p_paddr + from,
						       .last = phdr->p_paddr + (to - 1),
						       .at = phdr->p_offset + from,
						       .rank = rank_of(has, i),
					       });
}

static struct nmibt_error *add_segment(struct nmibt_elf *elf, const Elf64_Phdr *phdr, uint32_t i)
{
	/* QEMU writes p_memsz 0 for some segments, so p_filesz counts where it is larger. */
	uint64_t memsz = phdr->p_memsz < phdr->p_filesz ? phdr->p_filesz : phdr->p_memsz;
	uint64_t data = bytes_in_file(elf, phdr->p_offset, phdr->p_filesz), end;

	if (!memsz || __builtin_add_overflow(phdr->p_paddr, memsz - 1, &end))
		return NULL;
	struct nmibt_error *err = add_memory(elf, phdr, i, HAS_DATA, 0, data);
	if (!err)
		err = add_memory(elf, phdr, i, HAS_LOST, data, phdr->p_filesz);
	if (!err)
		err = add_memory(elf, phdr, i, HAS_NOTHING, phdr->p_filesz, memsz);
	return err;
}

/*
 * kexec-tools and the kernel give the kernel's image a segment of its own (arch/x86/kernel/crash.c
 * and kernel/crash_core.c: crash_prepare_elf64_headers(), 6.12). QEMU does where it was told to
 * write virtual addresses; then there may be others, for modules, which lie higher.
 */
static void look_for_phys_base(struct nmibt_elf *elf, const Elf64_Phdr *phdr)
{
	uint64_t vaddr = phdr->p_vaddr;

	if (elf->arch != NMIBT_ARCH_X86_64 || vaddr < KERNEL_MAP || vaddr >= KERNEL_MAP_END ||
	    (elf->phys_base.known && elf->image_vaddr <= vaddr))
		return;
	elf->phys_base = (struct nmibt_number){true, phdr->p_paddr - (vaddr - KERNEL_MAP)};
	elf->image_vaddr = vaddr;
}

static struct nmibt_error *add_header(struct nmibt_elf *elf, const Elf64_Phdr *phdr, uint32_t i)
{
	if (bytes_in_file(elf, phdr->p_offset, phdr->p_filesz) < phdr->p_filesz && !elf->lost)
		elf->lost = NMIBT_FILE_TRUNCATED;
	if (phdr->p_type == PT_LOAD) {
		look_for_phys_base(elf, phdr);
		return add_segment(elf, phdr, i);
	}
	return phdr->p_type == PT_NOTE ? add_notes(elf, phdr) : NULL;
}

/* The first header from i on that does not lie in a hole of the file. Headers in a hole are
 * PT_NULL, and a sparse file can have billions of them. */
static uint32_t skip_hole(const struct nmibt_elf *elf, uint64_t phoff, uint32_t i, uint32_t nr)
{
	uint64_t at = phoff + (uint64_t)i * sizeof(Elf64_Phdr), data;

	if (!elf->file->next_data || at >= elf->file->size)
		return i;
	data = elf->file->next_data(elf->file, at);
	if (data <= at)
		return i;
	uint64_t skipped = (data - at) / sizeof(Elf64_Phdr);
	return skipped < nr - i ? i + skipped : nr;
}

/* Reads those of the nr headers that the file has. */
static struct nmibt_error *read_program_headers(struct nmibt_elf *elf, uint64_t phoff, uint32_t nr)
{
	_cleanup_free_ Elf64_Phdr *phdrs = calloc(PHDRS_AT_ONCE, sizeof(*phdrs));

	if (!phdrs)
		return nmibt_error_nomem();
	if (phoff > elf->file->size)
		return NULL;
	uint64_t in_file = (elf->file->size - phoff) / sizeof(*phdrs);
	if (nr > in_file) {
		nr = in_file;
		elf->lost = elf->lost ?: NMIBT_FILE_TRUNCATED;
	}
	for (uint32_t i = 0, n, left = MAX_PHDRS; (i = skip_hole(elf, phoff, i, nr)) < nr; i += n) {
		n = nr - i < PHDRS_AT_ONCE ? nr - i : PHDRS_AT_ONCE;
		if (left < n) {
			elf->lost = MANY_PHDRS;
			return NULL;
		}
		left -= n;
		if (!read_at(elf, phoff + (uint64_t)i * sizeof(*phdrs), phdrs, n * sizeof(*phdrs)))
			return NULL;
		for (uint32_t j = 0; j < n; j++) {
			struct nmibt_error *err = add_header(elf, &phdrs[j], i + j);
			if (err)
				return err;
		}
	}
	return NULL;
}

/* e_machine has the same place in both classes. */
static const char *machine_of(const Elf64_Ehdr *ehdr)
{
	static const struct {
		uint16_t number;
		const char *name;
	} machines[] = {
		{EM_386, "i386"},      {EM_ARM, "ARM"},	     {EM_PPC, "PowerPC"},
		{EM_PPC64, "ppc64"},   {EM_S390, "s390"},    {EM_MIPS, "MIPS"},
		{EM_SPARCV9, "SPARC"}, {EM_RISCV, "RISC-V"}, {EM_PARISC, "PA-RISC"},
	};
	uint16_t number = ehdr->e_ident[EI_DATA] == ELFDATA2MSB ? be16toh(ehdr->e_machine)
								: le16toh(ehdr->e_machine);

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (machines[i].number == number)
			return machines[i].name;
	}
	return "unknown";
}

static struct nmibt_error *check_layout(const Elf64_Ehdr *ehdr, const char *path)
{
	const char *kind = ehdr->e_ident[EI_DATA] != ELFDATA2LSB ? "big-endian" : "32-bit";

	if (ehdr->e_ident[EI_CLASS] == ELFCLASS64 && ehdr->e_ident[EI_DATA] == ELFDATA2LSB)
		return NULL;
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "%s: an ELF dump of a %s machine (%s); only 64-bit little-endian "
				  "ones can be read",
				  path, kind, machine_of(ehdr));
}

static int by_offset(const void *a, const void *b)
{
	const struct nmibt_extent *x = *(struct nmibt_extent *const *)a;
	const struct nmibt_extent *y = *(struct nmibt_extent *const *)b;

	return x->at == y->at ? (x->start > y->start) - (x->start < y->start)
			      : (x->at > y->at) - (x->at < y->at);
}

/* Marks what has its data in bytes of the file that others have, too. No program writes such
 * files. */
static struct nmibt_error *mark_shared_bytes(struct nmibt_elf *elf)
{
	struct nmibt_extents *memory = &elf->memory;
	_cleanup_free_ struct nmibt_extent **sorted = calloc(memory->nr + 1, sizeof(*sorted));
	uint64_t end = 0;

	if (!sorted)
		return nmibt_error_nomem();
	for (size_t i = 0; i < memory->nr; i++)
		sorted[i] = &memory->v[i];
	qsort(sorted, memory->nr, sizeof(*sorted), by_offset);
	for (size_t i = 0; i < memory->nr; i++) {
		struct nmibt_extent *extent = sorted[i];

		if (has_of(extent) != HAS_DATA)
			continue;
		if (extent->at < end) {
			extent->rank = rank_of(HAS_DATA_AGAIN, 0);
			elf->lost = elf->lost ?: SHARED_BYTES;
		} else {
			end = extent->at + (extent->last - extent->start + 1);
		}
	}
	return NULL;
}

struct nmibt_error *nmibt_elf_refuse_executable(const struct nmibt_file *file)
{
	Elf64_Half type;

	/* e_type has the same place in both classes. */
	if (!nmibt_file_read(file, offsetof(Elf64_Ehdr, e_type), &type, sizeof(type)) ||
	    type == ET_CORE || type == __builtin_bswap16(ET_CORE))
		return NULL;
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "%s: an executable, not a dump; a vmlinux is given by "
				  "--vmlinux=FILE",
				  file->path);
}

static struct nmibt_error *read_headers(struct nmibt_elf *elf, const char *path)
{
	Elf64_Ehdr ehdr;

	if (!read_at(elf, 0, &ehdr, sizeof(ehdr)) || memcmp(ehdr.e_ident, ELFMAG, SELFMAG))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: not an ELF file", path);
	struct nmibt_error *err = nmibt_elf_refuse_executable(elf->file);
	if (!err)
		err = check_layout(&ehdr, path);
	if (err)
		return err;
	if (ehdr.e_phentsize != sizeof(Elf64_Phdr))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: program headers of %u bytes, %zu expected", path,
					  ehdr.e_phentsize, sizeof(Elf64_Phdr));
	elf->arch = nmibt_arch_by_elf(ehdr.e_machine);
	if (ehdr.e_flags & DUMP_ELF_INCOMPLETE)
		elf->lost = NMIBT_DUMP_INCOMPLETE;

	/* If e_phnum is PN_XNUM, the first section header has the number of program headers. */
	uint32_t nr = ehdr.e_phnum;
	Elf64_Shdr shdr;
	if (nr == PN_XNUM && read_at(elf, ehdr.e_shoff, &shdr, sizeof(shdr)))
		nr = shdr.sh_info;
	err = read_program_headers(elf, ehdr.e_phoff, nr);
	if (!err)
		err = nmibt_extents_settle(&elf->memory);
	if (!err)
		err = mark_shared_bytes(elf);
	if (err)
		return err;
	if (elf->is_live)
		return nmibt_refuse_live_memory(path);
	if (elf->is_process && !elf->vmcoreinfo)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: the core of a process, not a dump of a kernel",
					  path);
	if (!elf->memory.nr)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: no memory in it (no PT_LOAD)",
					  path);
	return NULL;
}

/* Opens path where file is NULL. */
static struct nmibt_error *elf_open(const char *path, const struct nmibt_file *file,
				    struct nmibt_elf **ret)
{
	struct nmibt_elf *elf = calloc(1, sizeof(*elf));
	struct nmibt_error *err = NULL;

	if (!elf)
		return nmibt_error_nomem();
	elf->own.fd = -1;
	elf->notes_left = MAX_NOTE_BYTES;
	elf->file = file ? file : &elf->own;
	if (!file)
		err = nmibt_file_open(path, NULL, &elf->own);
	if (!err)
		err = read_headers(elf, elf->file->path);
	if (err) {
		nmibt_elf_close(elf);
		return err;
	}
	*ret = elf;
	return NULL;
}

struct nmibt_error *nmibt_elf_open(const char *path, struct nmibt_elf **ret)
{
	return elf_open(path, NULL, ret);
}

struct nmibt_error *nmibt_elf_open_file(const struct nmibt_file *file, struct nmibt_elf **ret)
{
	return elf_open(NULL, file, ret);
}

void nmibt_elf_image(struct nmibt_elf *elf, struct nmibt_image *ret)
{
	*ret = (struct nmibt_image){
		.ops = &elf_ops,
		.ctx = elf,
		.arch = elf->arch,
		.page_size = 4096,
		.phys_base = elf->phys_base,
		.lost = elf->lost,
	};
}

void nmibt_elf_close(struct nmibt_elf *elf)
{
	if (!elf)
		return;
	nmibt_file_close(&elf->own);
	nmibt_extents_destroy(&elf->memory);
	free(elf->notes);
	free(elf->vmcoreinfo);
	free(elf);
}

/* ---------------------------------------------------------------- as a reader */

static bool is_elf(const struct nmibt_file *file)
{
	char magic[SELFMAG];

	return nmibt_file_read(file, 0, magic, sizeof(magic)) && !memcmp(magic, ELFMAG, SELFMAG);
}

static struct nmibt_error *reader_open(unsigned int nr, const struct nmibt_file *const *files,
				       bool may_crash, void **ret)
{
	struct nmibt_elf *opened;
	struct nmibt_error *err = nmibt_elf_open_file(files[0], &opened);

	(void)nr;
	(void)may_crash;
	if (!err)
		*ret = opened;
	return err;
}

static void reader_image(void *dump, struct nmibt_image *ret)
{
	nmibt_elf_image(dump, ret);
}

static void reader_close(void *dump)
{
	nmibt_elf_close(dump);
}

const struct nmibt_reader nmibt_elf_reader = {
	.knows = is_elf,
	.open = reader_open,
	.image = reader_image,
	.close = reader_close,
};
