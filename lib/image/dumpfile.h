/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a dump, as the readers of the formats see them: a flattened file looks like the
 * dump that it was made from. Reading a part that a truncated file lost fails; it does not return
 * zeros.
 */
#ifndef NMIBT_DUMPFILE_H
#define NMIBT_DUMPFILE_H

#include "image/file.h"
#include "image/flattened.h"

struct nmibt_dumpfile {
	struct nmibt_file disk; /* the file on the disk */
	struct nmibt_flattened *flat; /* NULL: the file is not flattened */
	struct nmibt_file file; /* the dump, which readers see */
};

/* path is borrowed until nmibt_dumpfile_close(). fd as in nmibt_file_open(). */
struct nmibt_error *nmibt_dumpfile_open(const char *path, const int *fd,
					struct nmibt_dumpfile **ret);
void nmibt_dumpfile_close(struct nmibt_dumpfile *file); /* NULL is allowed */

#endif /* NMIBT_DUMPFILE_H */
