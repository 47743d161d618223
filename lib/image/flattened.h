/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flattened dump, as makedumpfile -F and QEMU's dump-guest-memory -z write it: the records of a
 * file, in the order in which they were written. It is read in place. Only an index of the
 * records is kept, 32 bytes for each, sorted once. Where records overlap, the newest counts.
 */
#ifndef NMIBT_FLATTENED_H
#define NMIBT_FLATTENED_H

#include <sys/types.h>

#include "base/base.h"

struct nmibt_flattened;

/* Offset of the data of the first record. */
#define NMIBT_FLATTENED_FIRST_AT (4096 + 16)

/* True: the file begins with the signature of a flattened dump. */
bool nmibt_is_flattened(int fd);

/* Indexes the records; fd is borrowed. path is for messages. A truncated file is no error: its
 * lost part can't be read. */
struct nmibt_error *nmibt_flattened_open(int fd, const char *path, struct nmibt_flattened **ret);
void nmibt_flattened_close(struct nmibt_flattened *flat); /* NULL is allowed */

/* As pread(), from the dump that the records make up. Bytes that no record wrote are zeros, as in a
 * file with holes; in a truncated dump reading them fails with EIO. */
ssize_t nmibt_flattened_pread(const struct nmibt_flattened *flat, void *buf, size_t len,
			      off_t offset);

/* Size in bytes of the dump that the records make up, without the lost part of a truncated one. */
uint64_t nmibt_flattened_size(const struct nmibt_flattened *flat);

/* As nmibt_file.next_data. */
uint64_t nmibt_flattened_next_data(const struct nmibt_flattened *flat, uint64_t offset);
/* As nmibt_file.next_hole. */
uint64_t nmibt_flattened_next_hole(const struct nmibt_flattened *flat, uint64_t offset);

/* False: the file ends before the end marker. */
bool nmibt_flattened_complete(const struct nmibt_flattened *flat);

#endif /* NMIBT_FLATTENED_H */
