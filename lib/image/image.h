/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images of memory: their readers, reads over one or more pages, ELF notes, VMCOREINFO, and
 * the input that a report is made of.
 */
#ifndef NMIBT_IMAGE_H
#define NMIBT_IMAGE_H

#include <elf.h>

#include "base/base.h"

/* A run of physical memory that the image holds: [start, start + size). */
struct nmibt_range {
	uint64_t start;
	uint64_t size;
};

/* A code address as the kernel prints it. */
struct nmibt_location {
	const char *function;
	const char *module; /* NULL: the kernel itself */
	uint64_t offset;
	uint64_t size; /* of the function, with what the linker put behind it */
};

/* The kernel in an image, opaque: nmibt_image_ops.unwind gets it, and hands it to
 * libnmibt. */
struct nmibt_kernel;
struct nmibt_stack;
struct nmibt_regs;

/*
 * As struct nmibt_input_ops has them, which an input is made of. A reader of a format supplies
 * the first ones.
 */
struct nmibt_image_ops {
	enum nmibt_read (*read_phys)(void *ctx, uint64_t paddr, void *buf, size_t len);
	enum nmibt_read (*read_virt)(void *ctx, uint64_t vaddr, void *buf, size_t len);
	/* The text of VMCOREINFO, in malloc'ed memory that the caller frees; NULL: there
	 * is none. */
	char *(*vmcoreinfo_text)(void *ctx);
	/* For a front end that has not the text: the value behind KEY= in VMCOREINFO, in
	 * malloc'ed memory that the caller frees; NULL: no such line. */
	char *(*vmcoreinfo)(void *ctx, const char *key);
	bool (*symbol_addr)(void *ctx, const char *name, uint64_t *ret);
	/* Physical address of a kernel virtual address. */
	bool (*virt_to_phys)(void *ctx, uint64_t vaddr, uint64_t *ret);
	/* Bytes; by name, as DWARF or BTF have them. */
	bool (*member_offset)(void *ctx, const char *type, const char *member, size_t *ret);
	bool (*type_size)(void *ctx, const char *type, size_t *ret);
	/* "symbol+0xoffset" or "symbol+0xoffset [module]", NUL-terminated,
	 * cut to len. False: the address is not known. Asked for addresses that the
	 * kernel's symbols in the image itself don't have. */
	bool (*symbolize)(void *ctx, uint64_t addr, char *buf, size_t len);
	/* Shows visit where code comes from: the innermost inlined function first, the
	 * frame's own function last. False: unknown or ambiguous, and nothing was shown. */
	bool (*find_places)(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
			    void *arg);
	/* The frames of the kernel's stack that regs stand on; the caller destroys *ret. An
	 * error: there is no way to follow it, and *ret is not set. */
	struct nmibt_error *(*unwind)(void *ctx, struct nmibt_kernel *kernel,
				      const struct nmibt_regs *regs, struct nmibt_stack *ret);
	/* The first run that ends beyond from, cut so that it starts at from
	 * or later; false: none. Used to scan for the capture's magic. */
	bool (*next_range)(void *ctx, uint64_t from, struct nmibt_range *ret);
	/* True when the user wants the work stopped. */
	bool (*interrupted)(void *ctx);
	/* The ELF notes of the dump, one after the other, in malloc'ed memory that the caller
	 * frees; NULL: there are none, or they can't be read. */
	char *(*notes)(void *ctx, size_t *ret_len);
};

struct nmibt_image {
	const struct nmibt_image_ops *ops;
	void *ctx;
	enum nmibt_arch arch;
	size_t page_size; /* bytes, a power of two */
	const char *panic_message; /* NULL: look in the log; untrusted text, borrowed */
};

/*
 * Back end for a plain 64-bit ELF vmcore, with libc alone. Ignores the order
 * of notes; offers read_phys, vmcoreinfo and next_range. File pages that a
 * cut-off file no longer has read as ERROR.
 */
struct nmibt_elf;
struct nmibt_error *nmibt_elf_open(const char *path, struct nmibt_elf **ret);
/* image borrows from elf and is valid until nmibt_elf_close(). */
void nmibt_elf_image(struct nmibt_elf *elf, struct nmibt_image *ret);
void nmibt_elf_close(struct nmibt_elf *elf); /* NULL is allowed */

/*
 * The text of VMCOREINFO out of the memory of an image that has no note of it; the
 * caller frees it. NOTHING where there is none, DAMAGED where there is that of more
 * than one kernel: nobody knows which one died.
 */
struct nmibt_error *nmibt_vmcoreinfo_find(const struct nmibt_image *image, char **ret);

struct nmibt_file;

/* As nmibt_elf_open(), of a file that is open; borrowed until nmibt_elf_close(). */
struct nmibt_error *nmibt_elf_open_file(const struct nmibt_file *file, struct nmibt_elf **ret);

/* What a read of several pages came to, in bytes. */
struct nmibt_run {
	size_t excluded;
	size_t failed;
};

/* Reads what lies in one page. */
typedef enum nmibt_read (*nmibt_read_fn)(void *ctx, uint64_t addr, void *buf, size_t len);

/*
 * Reads len bytes page by page, so that a page that can't be read costs only itself: its
 * bytes are 0 in buf and false in known, which may be NULL. page_size is a power of two.
 */
struct nmibt_run nmibt_read_pages(nmibt_read_fn read, void *ctx, size_t page_size, uint64_t addr,
				  void *buf, size_t len, bool *known);
/* OK when nothing is missing, EXCLUDED when nothing worse than exclusion happened. */
enum nmibt_read nmibt_run_status(const struct nmibt_run *run);

/* As nmibt_read_pages(), of physical memory. */
struct nmibt_run nmibt_read_phys_pages(const struct nmibt_image *image, uint64_t paddr, void *buf,
				       size_t len, bool *known);

/* All or nothing: EXCLUDED when nothing worse than exclusion happened. */
enum nmibt_read nmibt_read_phys(const struct nmibt_image *image, uint64_t paddr, void *buf,
				size_t len);

bool nmibt_interrupted(const struct nmibt_image *image);

/* In the words of an error message. */
const char *nmibt_read_name(enum nmibt_read status);

/* --------------------------------------------------------------- ELF notes */

/*
 * ELF notes: a header, a name and a description, each padded to 4 bytes. Dumps have them in
 * PT_NOTE segments, kernels in .notes, crash_notes and vmcoreinfo_note.
 */

/* Bytes before the description of a note of this name, a string literal. */
#define NMIBT_NOTE_HEAD(name) (sizeof(Elf64_Nhdr) + ((sizeof(name) + 3) & ~3ul))

struct nmibt_elf_note {
	uint32_t type;
	const char *name; /* borrowed, untrusted; name_size bytes, of which one should be a NUL */
	uint32_t name_size;
	size_t at; /* of the description, from the beginning of the notes */
	uint32_t size; /* of it, as the header says: it may end behind the notes */
	size_t next; /* where the next note begins, or len: there is none */
};

/* The note that begins at notes[at]. False: there is no whole header and name. */
bool nmibt_next_note(const char *notes, size_t len, size_t at, struct nmibt_elf_note *ret);
bool nmibt_note_is(const struct nmibt_elf_note *note, const char *name);

/* -------------------------------------------------------------- VMCOREINFO */

/*
 * VMCOREINFO: lines KEY=VALUE that a kernel writes for readers of its dumps, parsed once.
 */

/* A value of VMCOREINFO, or that of a typed member below. */
struct nmibt_number {
	bool known;
	uint64_t value;
};

/* All of them are there, or the kernel has no such log. Bytes; offsets of members from the
 * structure that is named. */
struct nmibt_printk_layout {
	struct nmibt_number prb; /* virtual address of the pointer to the ring buffer */
	struct nmibt_number atomic_long_size, atomic_long_counter;
	struct nmibt_number ring_descs, ring_text; /* printk_ringbuffer */
	struct nmibt_number desc_ring_count_bits, desc_ring_descs, desc_ring_infos;
	struct nmibt_number desc_ring_head_id, desc_ring_tail_id;
	struct nmibt_number data_ring_size_bits, data_ring_data;
	struct nmibt_number desc_size, desc_state_var, desc_position;
	struct nmibt_number position_begin, position_next;
	struct nmibt_number info_size, info_seq, info_ts_nsec, info_text_len, info_caller_id;
};

/* Virtual addresses. */
struct nmibt_kallsyms_layout {
	struct nmibt_number num_syms, names, token_table, token_index;
	struct nmibt_number offsets, relative_base;
};

/* What anybody uses of it. Strings are untrusted; NULL: there is no such line. */
struct nmibt_vmcoreinfo {
	bool present; /* false: there is none, and nothing below is known */
	const char *osrelease;
	const char *build_id; /* see nmibt_kernel_build_id(): some kernels write garbage */
	struct nmibt_number page_size; /* bytes */
	struct nmibt_number crashtime; /* s since 1970: the kernel went to kdump */
	struct nmibt_number kerneloffset; /* by which KASLR moved the image */
	struct nmibt_number swapper_pg_dir, stext, init_uts_ns; /* virtual addresses */
	/* x86_64: */
	struct nmibt_number phys_base, kernel_image_size, l5_enabled, sme_mask;
	/* arm64: */
	struct nmibt_number kimage_voffset, va_bits, t1sz, pac_mask;
	struct nmibt_kallsyms_layout kallsyms;
	struct nmibt_printk_layout printk;
	const char *capture; /* of the descriptor, as printed; cut where that is the last line */
	struct nmibt_number capture_paddr, capture_size; /* not known: makes no sense */
	/* What is wrong with it, a line of text; empty: nothing. */
	char why[NMIBT_WHY_LEN];

	char *text; /* from here on the parser's: what strings point into */
	const char *cut; /* the last line, without its end; empty: it is whole */
	struct nmibt_vmcoreinfo_line *lines; /* in order of their keys */
	size_t nr_lines;
};

/*
 * Takes text over, which is malloc'ed; NULL: there is no VMCOREINFO. A last line without a
 * newline is dropped, because the kernel cuts what does not fit
 * (kernel/vmcore_info.c: vmcoreinfo_append_str(), 6.12). Fails with NOMEM alone: what is
 * wrong with the text is said in ret->why.
 */
struct nmibt_error *nmibt_vmcoreinfo_parse(char *text, struct nmibt_vmcoreinfo *ret);
/* As nmibt_vmcoreinfo_parse(), of what the image has. */
struct nmibt_error *nmibt_vmcoreinfo_read(const struct nmibt_image *image,
					  struct nmibt_vmcoreinfo *ret);
/* The text of the note that begins at a physical address, which the caller frees; NULL:
 * there is none. */
char *nmibt_vmcoreinfo_at(const struct nmibt_image *image, uint64_t paddr);
void nmibt_vmcoreinfo_destroy(struct nmibt_vmcoreinfo *info);

/* --------------------------------------------------------- the files of a dump */

/* One dump of any format that there is a reader for, of one or more files. */
struct nmibt_dump;

/* As nmibt_input_open(). */
struct nmibt_error *nmibt_dump_open(const char *const *paths, unsigned int nr,
				    struct nmibt_dump **ret);
void nmibt_dump_close(struct nmibt_dump *dump); /* NULL is allowed */
/* image borrows from dump. */
void nmibt_dump_image(struct nmibt_dump *dump, struct nmibt_image *ret);
/* Reads VMCOREINFO, out of memory where the dump has no note of it, which can take as long as
 * to read all of the dump. Sets the architecture of later images where only VMCOREINFO
 * tells it. Once; the calls after that cost nothing. */
struct nmibt_error *nmibt_dump_read_vmcoreinfo(struct nmibt_dump *dump,
					       const struct nmibt_vmcoreinfo **ret);
/* As nmibt_input_remark(). */
const char *nmibt_dump_remark(const struct nmibt_dump *dump);

/* ------------------------------------------------------------------- the input */

/*
 * An input: the image that reports are made of, put together of what memory is read from,
 * files or the caller, and of debugging information that is attached to it.
 */

/* What is attached to an input, and used where the input's own callbacks are NULL. */
struct nmibt_attachment {
	/* symbol_addr, member_offset, type_size, symbolize, find_places and unwind are used;
	 * NULL: nothing is attached. */
	const struct nmibt_image_ops *ops;
	void *ctx;
	/* A kernel that unwind() was given is about to be closed. */
	void (*forget_kernel)(void *ctx, const struct nmibt_kernel *kernel);
	void (*close)(void *ctx);
};

struct nmibt_input {
	struct nmibt_dump *dump; /* NULL: the caller reads the image */
	char *path; /* of the first file; NULL: no files */
	struct nmibt_input_ops caller; /* where there is no dump */
	void *caller_ctx;
	struct nmibt_image base; /* what memory is read from */
	struct nmibt_attachment attachment;
	struct nmibt_image image; /* the whole; its ops are the next member, its ctx is this */
	struct nmibt_image_ops ops;
};

/* The image that reports are made of, complete: *ret is the input's, until it is closed. */
struct nmibt_error *nmibt_input_image(struct nmibt_input *input, const struct nmibt_image **ret);
/* From the next nmibt_input_image() on; the input closes it. USAGE where there is one. */
struct nmibt_error *nmibt_input_attach(struct nmibt_input *input,
				       const struct nmibt_attachment *attachment);
/* A kernel that was opened on the image is about to be closed. */
void nmibt_input_forget_kernel(struct nmibt_input *input, const struct nmibt_kernel *kernel);

#endif /* NMIBT_IMAGE_H */
