/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images of memory: their readers, reads that cross pages, ELF notes, VMCOREINFO, and the input
 * that a report is made from.
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

/* A number from VMCOREINFO, or from the dump's headers. */
struct nmibt_number {
	bool known;
	uint64_t value;
};

/* A code address as the kernel prints it. */
struct nmibt_location {
	const char *function;
	const char *module; /* NULL: the kernel itself */
	uint64_t offset;
	uint64_t size; /* bytes of the function, with the padding behind it; 0: not known */
};

/* What stands before a line of a printed log. */
struct nmibt_log_prefix {
	uint64_t ns; /* local_clock(); the kernel prints microseconds */
	uint32_t caller_id; /* as in struct nmibt_log_record */
	unsigned int nr_quotes; /* marks of quotes, "> " */
	uint8_t level, facility; /* as in struct nmibt_log_record */
	bool has_time; /* of ns */
	bool has_level; /* of level and facility */
	bool has_caller; /* of caller_id */
	bool is_stamped; /* there is anything */
	bool is_bare; /* there is nothing, or marks of quotes alone */
	bool is_of_kernel; /* syslog says so */
	bool is_of_program; /* what the kernel did not print */
	bool is_kmsg; /* it is as /dev/kmsg has it: bytes of the text are escaped */
};

/* A line of a printed log, without what stands before it. */
struct nmibt_log_text {
	struct nmibt_str text; /* untrusted; borrowed until the next line */
	struct nmibt_log_prefix prefix;
	/* Of the whole line, with all that stands before the text. 0: no program broke lines there. */
	unsigned int columns;
	bool is_behind_loss; /* lines before it are missing */
	bool may_begin_within; /* it may be the end of a line, unless something stands before it */
	bool lacks_stamp; /* nothing stands before it, other than before its neighbours */
	bool is_cut; /* its end is missing */
	bool is_glued; /* what is before it stood in the same line */
};

/* What a printed log is, beside its lines. */
struct nmibt_log_facts {
	bool is_of_panic; /* the kernel wrote it because it panicked */
	bool lacks_end; /* lines behind the last one are missing */
	uint64_t nr_html; /* parts of mails that were left out: the same text in HTML */
};

/* False: no more lines are wanted. */
typedef bool (*nmibt_log_text_fn)(void *arg, const struct nmibt_log_text *line);

/* The kernel in an image. nmibt_image_ops.unwind receives it, and only passes it on to
 * libnmibt. */
struct nmibt_kernel;
struct nmibt_stack;
struct nmibt_regs;

/*
 * The callbacks of an image: those of struct nmibt_input_ops, and unwind. The reader of a dump
 * format has read_phys, vmcoreinfo_text, next_range and notes.
 */
struct nmibt_image_ops {
	enum nmibt_read (*read_phys)(void *ctx, uint64_t paddr, void *buf, size_t len);
	enum nmibt_read (*read_virt)(void *ctx, uint64_t vaddr, void *buf, size_t len);
	/* The text of VMCOREINFO, in malloc'ed memory that the caller frees; NULL: there
	 * is none. */
	char *(*vmcoreinfo_text)(void *ctx);
	/* For a front end that does not have the whole text: the value behind KEY= in
	 * VMCOREINFO, in malloc'ed memory that the caller frees; NULL: no such line. */
	char *(*vmcoreinfo)(void *ctx, const char *key);
	bool (*symbol_addr)(void *ctx, const char *name, uint64_t *ret);
	/* Physical address of a kernel virtual address. */
	bool (*virt_to_phys)(void *ctx, uint64_t vaddr, uint64_t *ret);
	/* Offsets and sizes in bytes; types and members are named as in DWARF or BTF. */
	bool (*member_offset)(void *ctx, const char *type, const char *member, size_t *ret);
	bool (*type_size)(void *ctx, const char *type, size_t *ret);
	/* Writes "symbol+0xoffset" or "symbol+0xoffset [module]", NUL-terminated, cut to len
	 * bytes. False: the address is not known. Called only for addresses that the symbols in
	 * the image itself do not name. */
	bool (*symbolize)(void *ctx, uint64_t addr, char *buf, size_t len);
	/* Calls visit for every place in the sources that code comes from: the innermost inlined
	 * function first, the frame's own function last. False: the place is unknown or
	 * ambiguous, and visit was not called. */
	bool (*find_places)(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
			    void *arg);
	/* Follows the kernel stack that regs point to; the caller destroys *ret. An error means
	 * that the stack can't be followed at all; *ret is not set then. */
	struct nmibt_error *(*unwind)(void *ctx, struct nmibt_kernel *kernel,
				      const struct nmibt_regs *regs, struct nmibt_stack *ret);
	/* The frames that were unwound from this pc and stack pointer when memory was all there, as
	 * nmibt_stack_pack() packs them; borrowed from the image. False: not known. */
	bool (*packed_stack)(void *ctx, uint64_t pc, uint64_t sp, struct nmibt_str *ret);
	/* The first run that ends beyond from, cut so that it starts at from or later. False:
	 * there is none. Searches use it: memory that is known to be all zeros may be left out. */
	bool (*next_range)(void *ctx, uint64_t from, struct nmibt_range *ret);
	/* While it is on, what is read is looked at, and nothing is made of it: an image that keeps
	 * what was read does not keep that. */
	void (*peek)(void *ctx, bool is_on);
	/* True when the user wants the work stopped. */
	bool (*interrupted)(void *ctx);
	/* The ELF notes of the dump, one after the other, in malloc'ed memory that the caller
	 * frees; *ret_len is their length in bytes. NULL: there are none, or they can't be
	 * read. */
	char *(*notes)(void *ctx, size_t *ret_len);
	/* Calls visit for each line of the printed log of a crash, the oldest first. An image that has
	 * this has no memory. */
	struct nmibt_error *(*visit_log)(void *ctx, unsigned int crash, nmibt_log_text_fn visit,
					 void *arg, struct nmibt_log_facts *ret);
};

struct nmibt_image {
	const struct nmibt_image_ops *ops;
	void *ctx;
	enum nmibt_arch arch;
	size_t page_size; /* bytes, a power of two */
	/* x86_64: the kernel's phys_base as the dump's headers have it. VMCOREINFO has it from 4.10
	 * on. */
	struct nmibt_number phys_base;
	const char *panic_message; /* untrusted text, borrowed; NULL: it must be found in the log */
	/* A sentence about what is missing, or may be, from the dump that the kernel left to be
	 * read, as in a truncated file; NULL: nothing. Reports on such an image are not
	 * complete. */
	const char *lost;
	/* It has only the bytes that were read when it was made, and not whole pages. */
	bool is_sparse;
	/* Though it is sparse: it has whatever a report reads of a dump. What it lacks the dump lacks. */
	bool stands_for_dump;
	/* Registers that are 0 may have had another value. */
	bool is_redacted;
	unsigned int nr_crashes; /* 0: as 1 */
	unsigned int default_crash; /* the one that is shown where none is named */
};

/* An image over another one: it has callbacks of its own, and those of the dumps' readers that it does
 * not have it passes on. ctx of both is a structure whose first member this is. */
struct nmibt_over {
	struct nmibt_image base;
	struct nmibt_image_ops ops;
};
void nmibt_over_open(const struct nmibt_image *base, const struct nmibt_image_ops *own,
		     struct nmibt_over *ret);

/* False: it is a dump, or has what reports read of one. */
static inline bool nmibt_image_is_record(const struct nmibt_image *image)
{
	return image->is_sparse && !image->stands_for_dump;
}

/* What people are told that something is not in. */
static inline const char *nmibt_image_name(const struct nmibt_image *image)
{
	return image->ops->visit_log ? "text" : nmibt_image_is_record(image) ? "record" : "dump";
}

#define NMIBT_FILE_TRUNCATED                                                                       \
	"the file is truncated: it ends before the end of the dump; copy it again if it is a copy"
#define NMIBT_FILE_NOT_COUNTED                                                                     \
	"this dump's table of pages is too large to be counted: nmibt did not check whether the "  \
	"file is truncated"
#define NMIBT_DUMP_INCOMPLETE "makedumpfile left this dump incomplete: it had no room for the rest"

/*
 * Back end for a plain 64-bit ELF vmcore. It needs only libc. The order of the notes does not
 * matter to it. Memory that a truncated file lost is an ERROR.
 */
struct nmibt_elf;
struct nmibt_error *nmibt_elf_open(const char *path, struct nmibt_elf **ret);
/* image borrows from elf and is valid until nmibt_elf_close(). */
void nmibt_elf_image(struct nmibt_elf *elf, struct nmibt_image *ret);
void nmibt_elf_close(struct nmibt_elf *elf); /* NULL is allowed */

/* An image that is read through a cache of nr_pages pages, a power of two, at least 8. It has
 * physical memory, VMCOREINFO and notes only. base is copied; what it borrows from is borrowed. */
struct nmibt_cached;
struct nmibt_error *nmibt_cached_open(const struct nmibt_image *base, size_t nr_pages,
				      struct nmibt_cached **ret);
/* image borrows from cached. */
void nmibt_cached_image(struct nmibt_cached *cached, struct nmibt_image *ret);
void nmibt_cached_close(struct nmibt_cached *cached); /* NULL is allowed */

/*
 * Searches the memory of an image without a VMCOREINFO note for the text of VMCOREINFO, which the
 * caller frees. NOTHING where there is none. DAMAGED where there are texts of more than one
 * kernel, because nothing tells which kernel died.
 */
struct nmibt_error *nmibt_vmcoreinfo_find(const struct nmibt_image *image, char **ret);

struct nmibt_file;

/* UNUSABLE for an ELF file of another type than a core's. */
struct nmibt_error *nmibt_elf_refuse_executable(const struct nmibt_file *file);

/* As nmibt_elf_open(), for an open file, which is borrowed until nmibt_elf_close(). */
struct nmibt_error *nmibt_elf_open_file(const struct nmibt_file *file, struct nmibt_elf **ret);

/* Bytes that a read of several pages could not read, by the reason. */
struct nmibt_run {
	size_t excluded;
	size_t failed;
};

/* Reads len bytes, all within one page. */
typedef enum nmibt_read (*nmibt_read_fn)(void *ctx, uint64_t addr, void *buf, size_t len);

/*
 * Reads len bytes page by page, so that an unreadable page costs only its own bytes: they are 0 in
 * buf and false in known, which may be NULL. page_size is in bytes, a power of two.
 */
struct nmibt_run nmibt_read_pages(nmibt_read_fn read, void *ctx, size_t page_size, uint64_t addr,
				  void *buf, size_t len, bool *known);
/* OK when all bytes were read, EXCLUDED when all bytes that are missing were excluded. */
enum nmibt_read nmibt_run_status(const struct nmibt_run *run);

/* As nmibt_read_pages(), for physical memory. */
struct nmibt_run nmibt_read_phys_pages(const struct nmibt_image *image, uint64_t paddr, void *buf,
				       size_t len, bool *known);

/* OK when all bytes were read, EXCLUDED when all bytes that are missing were excluded. */
enum nmibt_read nmibt_read_phys(const struct nmibt_image *image, uint64_t paddr, void *buf,
				size_t len);

bool nmibt_interrupted(const struct nmibt_image *image);

/* The status as an error message words it. */
const char *nmibt_read_name(enum nmibt_read status);

/* --------------------------------------------------------------- ELF notes */

/*
 * ELF notes: each is a header, a name and a description; name and description are padded to 4
 * bytes. Dumps have them in PT_NOTE segments, kernels in .notes, crash_notes and
 * vmcoreinfo_note.
 */

/* Bytes from the beginning of a note to its description; name is a string literal. */
#define NMIBT_NOTE_HEAD(name) (sizeof(Elf64_Nhdr) + ((sizeof(name) + 3) & ~3ul))

struct nmibt_elf_note {
	uint32_t type;
	const char *name; /* borrowed, untrusted; name_size bytes, the last should be a NUL */
	uint32_t name_size;
	size_t at; /* offset of the description from the beginning of the notes */
	uint32_t size; /* of the description, from the header: it may end behind the notes */
	size_t next; /* offset of the next note, or len: there is none */
};

/* Reads the note at notes[at]. False: there is no complete header and name. */
bool nmibt_next_note(const char *notes, size_t len, size_t at, struct nmibt_elf_note *ret);
bool nmibt_note_is(const struct nmibt_elf_note *note, const char *name);

/* -------------------------------------------------------------- VMCOREINFO */

/*
 * VMCOREINFO: lines KEY=VALUE that a kernel writes for readers of its dumps. They are parsed once.
 */

/* The layout of the printk ring buffer. If a member is not known, nmibt can't read the kernel's
 * log. Sizes and offsets are in bytes; an offset counts from the beginning of the structure in
 * the member's name. */
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

/* Of one name of the structure: "log" until 3.10, "printk_log" after. */
struct nmibt_classic_record {
	struct nmibt_number size, ts_nsec, len, text_len, dict_len, caller_id;
};

/* The log of kernels before 5.10. */
struct nmibt_classic_log {
	struct nmibt_number buf, buf_len, first_idx, next_idx; /* virtual addresses */
	struct nmibt_classic_record log, printk_log;
};

/* Virtual addresses. */
struct nmibt_kallsyms_layout {
	struct nmibt_number num_syms, names, token_table, token_index;
	struct nmibt_number offsets, relative_base;
};

/* The lines of VMCOREINFO that the library uses. Strings are untrusted; NULL: there is no such
 * line. */
struct nmibt_vmcoreinfo {
	bool present; /* false: the image has no VMCOREINFO, and nothing below is known */
	const char *osrelease;
	const char *build_id; /* see nmibt_kernel_build_id(): some kernels write garbage */
	struct nmibt_number page_size; /* bytes */
	struct nmibt_number crashtime; /* when the kernel went to kdump, in s since 1970 */
	struct nmibt_number kerneloffset; /* bytes by which KASLR moved the image */
	struct nmibt_number swapper_pg_dir, stext, init_uts_ns; /* virtual addresses */
	/* x86_64: */
	struct nmibt_number phys_base, kernel_image_size, l5_enabled, sme_mask;
	/* arm64: */
	struct nmibt_number kimage_voffset, va_bits, t1sz, pac_mask;
	struct nmibt_kallsyms_layout kallsyms;
	struct nmibt_printk_layout printk;
	struct nmibt_classic_log classic_log;
	const char *capture; /* of the descriptor, as printed; cut where that is the last line */
	bool is_capture_cut;
	bool is_capture_disputed; /* lines of that key differ; capture is NULL */
	struct nmibt_number capture_paddr; /* not known: makes no sense */
	/* What is wrong with it, a line of text; empty: nothing. */
	char why[NMIBT_WHY_LEN];

	char *text; /* this and the rest are for the parser: the strings point into text */
	const char *cut; /* the beginning of a last line that was cut; empty: none was cut */
	struct nmibt_vmcoreinfo_line *lines; /* sorted by their keys */
	size_t nr_lines;
};

/*
 * Parses text and takes ownership of it; it is malloc'ed. NULL: there is no VMCOREINFO. A last
 * line without a newline is dropped, because the kernel cuts lines that do not fit
 * (kernel/vmcore_info.c: vmcoreinfo_append_str(), 6.12). Fails with NOMEM only: ret->why says what
 * is wrong with the text.
 */
struct nmibt_error *nmibt_vmcoreinfo_parse(char *text, struct nmibt_vmcoreinfo *ret);
/* True: line is KEY=VALUE with a key that the library reads. It is NUL-terminated. */
bool nmibt_vmcoreinfo_uses(const char *line);
/* As nmibt_vmcoreinfo_parse(), for the VMCOREINFO that the image's callbacks return. */
struct nmibt_error *nmibt_vmcoreinfo_read(const struct nmibt_image *image,
					  struct nmibt_vmcoreinfo *ret);
/* The text of the VMCOREINFO note at a physical address, which the caller frees. NULL: there is no
 * such note. */
char *nmibt_vmcoreinfo_at(const struct nmibt_image *image, uint64_t paddr);
void nmibt_vmcoreinfo_destroy(struct nmibt_vmcoreinfo *info);

/* --------------------------------------------------------- the files of a dump */

/* One dump of any format that has a reader. It consists of one or more files. */
struct nmibt_dump;

/* As nmibt_input_open(). */
struct nmibt_error *nmibt_dump_open(const char *const *paths, unsigned int nr, const int *fds,
				    bool may_crash, struct nmibt_dump **ret);
void nmibt_dump_close(struct nmibt_dump *dump); /* NULL is allowed */
/* image borrows from dump. */
void nmibt_dump_image(struct nmibt_dump *dump, struct nmibt_image *ret);
/* Reads VMCOREINFO once; later calls return the same. If the dump has no note of it, its memory is
 * searched, which can take as long as reading the whole dump. If the architecture is known only
 * from VMCOREINFO, images that nmibt_dump_image() returns later have it. */
struct nmibt_error *nmibt_dump_read_vmcoreinfo(struct nmibt_dump *dump,
					       const struct nmibt_vmcoreinfo **ret);
/* As nmibt_input_remark(). */
const char *nmibt_dump_remark(struct nmibt_dump *dump);
/* As nmibt_input_crash_name(). */
const char *nmibt_dump_crash_name(struct nmibt_dump *dump, unsigned int crash);
/* Old files of pstore that are in a record. NULL: it is none. */
struct nmibt_old_files;
const struct nmibt_old_files *nmibt_dump_files(const struct nmibt_dump *dump);
/* As nmibt_input_summary(). */
const char *nmibt_dump_summary(const struct nmibt_dump *dump);

/* ------------------------------------------------------------------- the input */

/*
 * An input: the image that reports are made from. It combines a reader of memory, which is a dump
 * or the caller, with debugging information that is attached to it.
 */

/* Callbacks that are attached to an input. They are used where the input's own are NULL. */
struct nmibt_attachment {
	/* Only symbol_addr, member_offset, type_size, symbolize, find_places and unwind are
	 * used. NULL: nothing is attached. */
	const struct nmibt_image_ops *ops;
	void *ctx;
	/* kernel, which unwind() may have received, is about to be closed. */
	void (*forget_kernel)(void *ctx, const struct nmibt_kernel *kernel);
	void (*close)(void *ctx);
};

struct nmibt_input {
	/* Over the dump's image; or base is empty, and ops are the caller's callbacks. */
	struct nmibt_over over;
	struct nmibt_dump *dump; /* NULL: the caller reads the image */
	char *path; /* of the first file; NULL: no files */
	struct nmibt_input_ops caller; /* used if there is no dump */
	void *caller_ctx;
	struct nmibt_cache *pages; /* that the caller read; NULL: there is a dump */
	struct nmibt_attachment attachment;
	struct nmibt_image image; /* with what is attached; its ops is over's, its ctx this input */
};

/* The image that reports are made from. *ret belongs to the input. */
struct nmibt_error *nmibt_input_image(struct nmibt_input *input, const struct nmibt_image **ret);
/* Attaches callbacks, and gives them to the input, which closes them. nmibt_input_image() uses them
 * from its next call on. USAGE where something is attached already. */
struct nmibt_error *nmibt_input_attach(struct nmibt_input *input,
				       const struct nmibt_attachment *attachment);
/* Tells the attachment that a kernel, which was opened on the image, is about to be closed. */
void nmibt_input_forget_kernel(struct nmibt_input *input, const struct nmibt_kernel *kernel);

#endif /* NMIBT_IMAGE_H */
