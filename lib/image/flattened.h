/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flattened dump, as makedumpfile -F and QEMU's dump-guest-memory -z write it:
 * the records of a file in the order in which they were made. Read in place:
 * only an index of the records is kept, 32 bytes for each, sorted once. Of records
 * that overlap the newest holds.
 */
#ifndef NMIBT_FLATTENED_H
#define NMIBT_FLATTENED_H

#include <sys/types.h>

#include "base/base.h"

struct nmibt_flattened;

/* Whether the file begins with the signature of a flattened dump. */
bool nmibt_is_flattened(int fd);

/* Indexes the records; fd is borrowed. path is for messages. A file that ends too
 * early is no error: what it lacks can't be read. */
struct nmibt_error *nmibt_flattened_open(int fd, const char *path, struct nmibt_flattened **ret);
void nmibt_flattened_close(struct nmibt_flattened *flat); /* NULL is allowed */

/* As pread() would, from the file that the records make up. What no record wrote
 * is zeros, as in a file with holes; in a dump that was cut it is EIO. */
ssize_t nmibt_flattened_pread(const struct nmibt_flattened *flat, void *buf, size_t len,
			      off_t offset);

/* Of the file that the records make up, as far as they are there. */
uint64_t nmibt_flattened_size(const struct nmibt_flattened *flat);

/* As nmibt_file.next_data. */
uint64_t nmibt_flattened_next_data(const struct nmibt_flattened *flat, uint64_t offset);

/* False: the file ends before the mark of its end. */
bool nmibt_flattened_complete(const struct nmibt_flattened *flat);

#endif /* NMIBT_FLATTENED_H */
