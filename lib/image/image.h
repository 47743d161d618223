/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading an image: checked reads over one or more pages.
 */
#ifndef NMIBT_IMAGE_H
#define NMIBT_IMAGE_H

#include "base/base.h"

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
