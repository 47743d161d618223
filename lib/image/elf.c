// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back end for a plain 64-bit ELF vmcore: /proc/vmcore, makedumpfile -E, QEMU.
 * libc only, because the capture kernel's tool is built on it.
 */
#include <elf.h>

#include "image/file.h"
#include "image/image.h"

#define MAX_PHDRS 65536
#define MAX_NOTE_BYTES (64 << 20)
#define MAX_VMCOREINFO (1 << 20)

struct segment {
	uint64_t paddr, memsz;
	uint64_t offset, filesz;
};

struct nmibt_elf {
	const struct nmibt_file *file;
	struct nmibt_file own; /* is file, if nmibt_elf_open() opened it */
	enum nmibt_arch arch;
	struct segment *segments;
	size_t nr_segments;
	struct segment *notes; /* paddr and memsz are not used */
	size_t nr_notes;
	char *vmcoreinfo; /* NUL-terminated; NULL: none */
	uint64_t notes_left; /* bytes of notes that are still looked through */
};

static bool read_at(const struct nmibt_elf *elf, uint64_t offset, void *buf, size_t len)
{
	return nmibt_file_read(elf->file, offset, buf, len);
}

static enum nmibt_read elf_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const struct nmibt_elf *elf = ctx;
	enum nmibt_read status = NMIBT_READ_ERROR;
	bool cut_off = false;

	for (size_t i = 0; i < elf->nr_segments; i++) {
		const struct segment *s = &elf->segments[i];
		uint64_t in = paddr - s->paddr;

		if (paddr < s->paddr || in >= s->memsz || len > s->memsz - in)
			continue;
		/* makedumpfile -E leaves a page out by ending p_filesz before it. */
		if (in >= s->filesz || len > s->filesz - in)
			status = NMIBT_READ_EXCLUDED;
		else if (!__builtin_add_overflow(s->offset, in, &in) && read_at(elf, in, buf, len))
			return NMIBT_READ_OK;
		else
			cut_off = true;
	}
	return cut_off ? NMIBT_READ_ERROR : status;
}

static char *elf_vmcoreinfo_text(void *ctx)
{
	const struct nmibt_elf *elf = ctx;

	return elf->vmcoreinfo ? strdup(elf->vmcoreinfo) : NULL;
}

/* Bytes of a segment that the file has: p_filesz of a cut or a hostile one may
 * be anything, and nobody wants to search it for hours. */
static uint64_t bytes_in_file(const struct nmibt_elf *elf, const struct segment *s)
{
	uint64_t rest = s->offset < elf->file->size ? elf->file->size - s->offset : 0;

	return s->filesz < rest ? s->filesz : rest;
}

static bool elf_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	const struct nmibt_elf *elf = ctx;
	bool found = false;

	for (size_t i = 0; i < elf->nr_segments; i++) {
		const struct segment *s = &elf->segments[i];
		uint64_t start = s->paddr > from ? s->paddr : from;
		uint64_t size = bytes_in_file(elf, s);

		if (!size || start - s->paddr >= size)
			continue;
		if (!found || start < ret->start)
			*ret = (struct nmibt_range){start, size - (start - s->paddr)};
		found = true;
	}
	return found;
}

/* As much as the file has of a PT_NOTE; NULL: nothing, or it can't be read. */
static char *read_notes(const struct nmibt_elf *elf, const struct segment *s, size_t *ret_len)
{
	uint64_t size = bytes_in_file(elf, s);

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

/* A dump has one PT_NOTE: /proc/vmcore makes one of those of all CPUs (fs/proc/vmcore.c:
 * merge_note_headers_elf64(), 6.12). */
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

/* Looks through one PT_NOTE for VMCOREINFO. */
static void find_vmcoreinfo(struct nmibt_elf *elf, const struct segment *s)
{
	/* Of all together: as many segments as there can be may have the same notes. */
	size_t size = bytes_in_file(elf, s);
	if (size > elf->notes_left)
		return;
	elf->notes_left -= size;

	_cleanup_free_ char *notes = read_notes(elf, s, &size);
	struct nmibt_elf_note note;

	for (size_t at = 0; notes && !elf->vmcoreinfo && nmibt_next_note(notes, size, at, &note);
	     at = note.next) {
		if (!nmibt_note_is(&note, "VMCOREINFO"))
			continue;
		/* A cut file has the beginning of it. */
		size_t len = note.size < size - note.at ? note.size : size - note.at;
		if (len <= MAX_VMCOREINFO)
			elf->vmcoreinfo = strndup(notes + note.at, len);
	}
}

static struct segment segment_of(const Elf64_Phdr *phdr)
{
	return (struct segment){phdr->p_paddr, phdr->p_memsz, phdr->p_offset, phdr->p_filesz};
}

static void add_notes(struct nmibt_elf *elf, const Elf64_Phdr *phdr)
{
	struct segment s = segment_of(phdr);

	elf->notes[elf->nr_notes++] = s;
	if (!elf->vmcoreinfo)
		find_vmcoreinfo(elf, &s);
}

static void add_segment(struct nmibt_elf *elf, const Elf64_Phdr *phdr)
{
	struct segment s = segment_of(phdr);
	uint64_t end;

	/* QEMU writes p_memsz 0 for some; what the file holds counts. */
	if (s.memsz < s.filesz)
		s.memsz = s.filesz;
	if (!s.memsz || __builtin_add_overflow(s.paddr, s.memsz - 1, &end))
		return;
	elf->segments[elf->nr_segments++] = s;
}

static struct nmibt_error *read_headers(struct nmibt_elf *elf, const char *path)
{
	Elf64_Ehdr ehdr;

	if (!read_at(elf, 0, &ehdr, sizeof(ehdr)) || memcmp(ehdr.e_ident, ELFMAG, SELFMAG))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: not an ELF file", path);
	if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 || ehdr.e_ident[EI_DATA] != ELFDATA2LSB)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: not a 64-bit little-endian ELF file", path);
	if (ehdr.e_phentsize != sizeof(Elf64_Phdr))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: program headers of %u bytes, %zu expected", path,
					  ehdr.e_phentsize, sizeof(Elf64_Phdr));
	if (ehdr.e_machine == EM_X86_64)
		elf->arch = NMIBT_ARCH_X86_64;
	else if (ehdr.e_machine == EM_AARCH64)
		elf->arch = NMIBT_ARCH_ARM64;

	/* With PN_XNUM the number stands in the first section header. */
	uint32_t nr = ehdr.e_phnum;
	Elf64_Shdr shdr;
	if (nr == PN_XNUM && read_at(elf, ehdr.e_shoff, &shdr, sizeof(shdr)))
		nr = shdr.sh_info;
	if (nr > MAX_PHDRS)
		nr = MAX_PHDRS;

	elf->segments = calloc(nr + 1, sizeof(*elf->segments));
	elf->notes = calloc(nr + 1, sizeof(*elf->notes));
	if (!elf->segments || !elf->notes)
		return nmibt_error_nomem();
	for (uint32_t i = 0; i < nr; i++) {
		Elf64_Phdr phdr;
		uint64_t offset;
		if (__builtin_add_overflow(ehdr.e_phoff, i * sizeof(phdr), &offset) ||
		    !read_at(elf, offset, &phdr, sizeof(phdr)))
			break;
		if (phdr.p_type == PT_LOAD)
			add_segment(elf, &phdr);
		else if (phdr.p_type == PT_NOTE)
			add_notes(elf, &phdr);
	}
	if (!elf->nr_segments)
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
		err = nmibt_file_open(path, &elf->own);
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
	};
}

void nmibt_elf_close(struct nmibt_elf *elf)
{
	if (!elf)
		return;
	nmibt_file_close(&elf->own);
	free(elf->segments);
	free(elf->notes);
	free(elf->vmcoreinfo);
	free(elf);
}
