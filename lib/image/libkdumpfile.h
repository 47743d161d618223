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

/* Whether the file is a core of Xen, by its first bytes. */
bool nmibt_is_for_libkdumpfile(const struct nmibt_file *file);
/* Loads libkdumpfile, if it is installed and the file behind fd is a core of Xen, so that
 * the reader opens no file. */
void nmibt_libkdumpfile_preload(int fd);

#endif /* NMIBT_LIBKDUMPFILE_H */
