/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back end for kdump-compressed dumps, as makedumpfile and QEMU write them: one file, or
 * the parts of a split dump.
 *
 * Nothing in a file is trusted. The bitmaps and the page descriptors are read in blocks, through a
 * cache of a fixed size, so that memory use does not depend on the size of the dump.
 */
#ifndef NMIBT_KDUMP_H
#define NMIBT_KDUMP_H

#include "image/kdump-header.h"

struct nmibt_kdump;

/* files: one file, or the parts of a split dump in any order; borrowed until nmibt_kdump_close(). A
 * missing part is no error: its pages can't be read. */
struct nmibt_error *nmibt_kdump_open(unsigned int nr, const struct nmibt_file *const *files,
				     struct nmibt_kdump **ret);
/* image borrows from kdump and is valid until nmibt_kdump_close(). A page that the machine has and
 * that the dump left out is EXCLUDED; anything else that can't be read is an ERROR. */
void nmibt_kdump_image(struct nmibt_kdump *kdump, struct nmibt_image *ret);
/* A copy of the ELF notes in the file, as far as the file has them, which the caller frees;
 * *ret_len is its length in bytes. NOTHING where there are none. */
struct nmibt_error *nmibt_kdump_notes(const struct nmibt_kdump *kdump, char **ret, size_t *ret_len);
/* Which library is missing that decompresses pages, a line of text; NULL: none that is known. It is
 * known once a page needed it. */
const char *nmibt_kdump_remark(const struct nmibt_kdump *kdump);
/* Loads the libraries that the pages of the dump behind fd need, whatever that holds. */
void nmibt_kdump_preload(int fd);
void nmibt_kdump_close(struct nmibt_kdump *kdump); /* NULL is allowed */

#endif /* NMIBT_KDUMP_H */
