/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decompression of a dump's pages. zlib is linked; libdeflate, which is faster, is used in its
 * place where it is installed. All libraries but zlib are loaded when the first page needs them.
 */
#ifndef NMIBT_DECOMPRESS_H
#define NMIBT_DECOMPRESS_H

#include "base/base.h"

enum nmibt_compression {
	NMIBT_ZLIB,
	NMIBT_LZO,
	NMIBT_SNAPPY,
	NMIBT_ZSTD,
	NMIBT_NR_COMPRESSIONS,
};

struct nmibt_decompressor;

struct nmibt_error *nmibt_decompressor_new(struct nmibt_decompressor **ret);
/* False: the data is damaged, or decompresses to another length than to_len bytes, or its library
 * can't be loaded. to may have been overwritten even then. */
bool nmibt_decompress(struct nmibt_decompressor *d, enum nmibt_compression compression,
		      const void *from, size_t from_len, void *to, size_t to_len);
/* Loads the library, if there is one, so that a later need of it opens no file. */
void nmibt_decompress_preload(enum nmibt_compression compression);
/* A line of text that names a library that was needed and could not be loaded; NULL: there is
 * none. */
const char *nmibt_decompress_complaint(const struct nmibt_decompressor *d);
void nmibt_decompressor_free(struct nmibt_decompressor *d); /* NULL is allowed */

#endif /* NMIBT_DECOMPRESS_H */
