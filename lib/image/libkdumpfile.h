/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back end for the format that we leave to libkdumpfile: the core of a Xen guest (xl dump-core).
 *
 * libkdumpfile trusts what it reads. With a damaged file it reads and writes beyond its buffers,
 * and asks for any amount of memory. So it is used only where the caller says that the process can
 * do no harm, and it is never loaded for another file.
 */
#ifndef NMIBT_LIBKDUMPFILE_H
#define NMIBT_LIBKDUMPFILE_H

#include "image/file.h"
#include "image/image.h"

struct nmibt_libkdumpfile;

/* Whether the file is a core of Xen, by its first bytes. */
bool nmibt_is_for_libkdumpfile(const struct nmibt_file *file);
/* Loads libkdumpfile, if it is installed and the file behind fd is a core of Xen, so that
 * nmibt_libkdumpfile_open() opens no file. */
void nmibt_libkdumpfile_preload(int fd);

/* file is borrowed until nmibt_libkdumpfile_close(). may_crash: the process can do no harm, and
 * somebody sees it die. UNUSABLE without that, where libkdumpfile is not installed, and where it
 * can't read the file, which includes a truncated one. */
struct nmibt_error *nmibt_libkdumpfile_open(const struct nmibt_file *file, bool may_crash,
					    struct nmibt_libkdumpfile **ret);
/* image borrows from lkf and is valid until nmibt_libkdumpfile_close(). What can't be read is an
 * ERROR: the format does not say which pages were left out. */
void nmibt_libkdumpfile_image(struct nmibt_libkdumpfile *lkf, struct nmibt_image *ret);
void nmibt_libkdumpfile_close(struct nmibt_libkdumpfile *lkf); /* NULL is allowed */

#endif /* NMIBT_LIBKDUMPFILE_H */
