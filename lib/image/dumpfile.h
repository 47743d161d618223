/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a dump as readers see them: a flattened one looks like the dump
 * that it was made from, and what a cut one lacks is an error, not zeros.
 */
#ifndef NMIBT_DUMPFILE_H
#define NMIBT_DUMPFILE_H

#include "image/file.h"
#include "image/flattened.h"

struct nmibt_dumpfile {
	struct nmibt_file disk; /* as it is there */
	struct nmibt_flattened *flat; /* NULL: it is what it is */
	struct nmibt_file file; /* what readers see */
};

/* path is borrowed until nmibt_dumpfile_close(). */
struct nmibt_error *nmibt_dumpfile_open(const char *path, struct nmibt_dumpfile **ret);
void nmibt_dumpfile_close(struct nmibt_dumpfile *file); /* NULL is allowed */

#endif /* NMIBT_DUMPFILE_H */
