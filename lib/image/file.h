/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is read at offsets: one on the disk, or one that is made up from
 * another one, as a flattened dump is.
 */
#ifndef NMIBT_FILE_H
#define NMIBT_FILE_H

#include <sys/types.h>

#include "base/base.h"

struct nmibt_file {
	const char *path; /* for messages; borrowed */
	uint64_t size; /* bytes; of the time when it was opened */
	/* Reads all of len bytes, which lie below size; false: that failed. */
	bool (*read)(const struct nmibt_file *file, uint64_t offset, void *buf, size_t len);
	/* The first offset from this one on, up to size, at which there may be anything but
	 * zeros, so that nobody has to read the holes of a sparse file. NULL: unknown. */
	uint64_t (*next_data)(const struct nmibt_file *file, uint64_t offset);
	const void *ctx; /* of the two */
	int fd; /* -1: none */
};

/* A file of the disk. It can be a block device, but not what has no size. */
struct nmibt_error *nmibt_file_open(const char *path, struct nmibt_file *ret);
void nmibt_file_close(struct nmibt_file *file);

/* All of len bytes. False: the file does not have them, or they can't be read. */
static inline bool nmibt_file_read(const struct nmibt_file *file, uint64_t offset, void *buf,
				   size_t len)
{
	return offset <= file->size && len <= file->size - offset &&
	       file->read(file, offset, buf, len);
}

/* Up to len bytes; fewer only where the file ends. -1: it can't be read. */
ssize_t nmibt_pread(int fd, void *buf, size_t len, off_t offset);

#endif /* NMIBT_FILE_H */
