/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back end for every dump that libkdumpfile opens.
 */
#ifndef NMIBT_KDUMPFILE_H
#define NMIBT_KDUMPFILE_H

#include <nmibt/nmibt.h>

struct nmibt_kdumpfile;

/* fds: the parts of a split dump, or one file; borrowed. path is for messages. */
struct nmibt_error *nmibt_kdumpfile_open(const char *path, unsigned int nr, const int *fds,
					 struct nmibt_kdumpfile **ret);
/* image borrows from file and is valid until nmibt_kdumpfile_close(). */
void nmibt_kdumpfile_image(struct nmibt_kdumpfile *file, struct nmibt_image *ret);
void nmibt_kdumpfile_close(struct nmibt_kdumpfile *file); /* NULL is allowed */

#endif /* NMIBT_KDUMPFILE_H */
