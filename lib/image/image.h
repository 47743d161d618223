/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading an image: checked reads over one or more pages.
 */
#ifndef NMIBT_IMAGE_H
#define NMIBT_IMAGE_H

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

#endif /* NMIBT_IMAGE_H */
