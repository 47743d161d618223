/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back end for dumps that the firmware of a server writes when an operator asks for it: Fujitsu's
 * sadump, of x86 machines. It is a partition, or a copy of one on a medium.
 */
#ifndef NMIBT_SADUMP_H
#define NMIBT_SADUMP_H

#include "image/file.h"
#include "image/image.h"

struct nmibt_sadump;

/* True: the file has the signature of such a dump. */
bool nmibt_is_sadump(const struct nmibt_file *file);
/* The error for a disk of a disk set, which has to be converted. NULL: the file is none. */
struct nmibt_error *nmibt_sadump_refuse_disk(const struct nmibt_file *file);
/* file is borrowed until nmibt_sadump_close(). A disk of a disk set is UNUSABLE. */
struct nmibt_error *nmibt_sadump_open(const struct nmibt_file *file, struct nmibt_sadump **ret);
/* image borrows from sadump and is valid until nmibt_sadump_close(). A page that the machine has
 * and that the dump left out is EXCLUDED; anything else that can't be read is an ERROR. */
void nmibt_sadump_image(struct nmibt_sadump *sadump, struct nmibt_image *ret);
void nmibt_sadump_close(struct nmibt_sadump *sadump); /* NULL is allowed */

#endif /* NMIBT_SADUMP_H */
