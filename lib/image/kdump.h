/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back end for kdump-compressed dumps, as makedumpfile and QEMU write them: one file, or
 * the parts of a split dump.
 *
 * Nothing in a file is trusted. Memory is taken for what was read: the bitmaps and the
 * page descriptors are read in blocks, through a cache of a fixed size.
 */
#ifndef NMIBT_KDUMP_H
#define NMIBT_KDUMP_H

#include "image/kdump-header.h"

struct nmibt_kdump;

/* files: the parts of a split dump in any order, or one file; borrowed until
 * nmibt_kdump_close(). A missing part is no error: what is in it can't be read. */
struct nmibt_error *nmibt_kdump_open(unsigned int nr, const struct nmibt_file *const *files,
				     struct nmibt_kdump **ret);
/* image borrows from kdump and is valid until nmibt_kdump_close(). A page that the machine
 * has and the dump left out is EXCLUDED; all else that can't be read is an ERROR. */
void nmibt_kdump_image(struct nmibt_kdump *kdump, struct nmibt_image *ret);
/* The ELF notes as they are in the file, which the caller frees, with their length; as much
 * of them as the file has. NOTHING where there are none. */
struct nmibt_error *nmibt_kdump_notes(const struct nmibt_kdump *kdump, char **ret, size_t *ret_len);
/* What is to be said of the dump, a line of text; NULL: nothing. That a library is missing
 * is known when a page needed it. */
const char *nmibt_kdump_remark(const struct nmibt_kdump *kdump);
void nmibt_kdump_close(struct nmibt_kdump *kdump); /* NULL is allowed */

#endif /* NMIBT_KDUMP_H */
