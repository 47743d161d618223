/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An input: the image that reports are made of, put together of what memory is read from,
 * files or the caller, and of debugging information that is attached to it.
 */
#ifndef NMIBT_INPUT_H
#define NMIBT_INPUT_H

#include "image/vmcoreinfo.h"

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

#endif /* NMIBT_INPUT_H */
