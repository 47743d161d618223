/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is read at offsets: a file on the disk, or one that is computed from another, as
 * a flattened dump is.
 */
#ifndef NMIBT_FILE_H
#define NMIBT_FILE_H

#include <sys/types.h>

#include "base/base.h"

struct nmibt_file {
	const char *path; /* for messages; borrowed */
	uint64_t size; /* bytes, when it was opened */
	uint64_t mtime; /* s since 1970 */
	/* Reads all of len bytes, which lie below size; false: that failed. */
	bool (*read)(const struct nmibt_file *file, uint64_t offset, void *buf, size_t len);
	/* The first offset >= offset, at most size, where the file may have other bytes than
	 * zeros. Callers use it to skip the holes of a sparse file. NULL: not known. */
	uint64_t (*next_data)(const struct nmibt_file *file, uint64_t offset);
	/* The first offset >= offset, at most size, from where on the file has a hole, whose bytes
	 * are zeros. NULL: not known. */
	uint64_t (*next_hole)(const struct nmibt_file *file, uint64_t offset);
	const void *ctx; /* for read, next_data and next_hole */
	int fd; /* -1: none */
};

/* Opens a file on the disk. It may be a block device, but must have a size. fd is a descriptor of
 * it, which is copied; NULL: path is opened. */
struct nmibt_error *nmibt_file_open(const char *path, const int *fd, struct nmibt_file *ret);
void nmibt_file_close(struct nmibt_file *file);

/* The error for the memory of a system that runs. Never NULL. */
struct nmibt_error *nmibt_refuse_live_memory(const char *path);

/* Reads all len bytes at offset. False: the file does not have them, or they can't be read. */
static inline bool nmibt_file_read(const struct nmibt_file *file, uint64_t offset, void *buf,
				   size_t len)
{
	return offset <= file->size && len <= file->size - offset &&
	       file->read(file, offset, buf, len);
}

/* Reads up to len bytes and returns their number, which is less than len only at the end of the
 * file. -1: they can't be read. */
ssize_t nmibt_pread(int fd, void *buf, size_t len, off_t offset);

#endif /* NMIBT_FILE_H */
