/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a file in their order, without reading it into memory. A file that gzip, xz or zstd
 * compressed as a whole gives what it was made from. zlib is linked, liblzma and libzstd are loaded.
 */
#ifndef NMIBT_STREAM_H
#define NMIBT_STREAM_H

#include "image/file.h"

struct nmibt_stream;

/* file is borrowed until nmibt_stream_close(). UNUSABLE where a library that it needs is missing. */
struct nmibt_error *nmibt_stream_open(const struct nmibt_file *file, struct nmibt_stream **ret);
/* True: gzip, xz or zstd compressed the file as a whole. */
bool nmibt_stream_is_packed(const struct nmibt_stream *s);
/* Reads up to len bytes and returns their number; 0: the end. */
size_t nmibt_stream_read(struct nmibt_stream *s, void *buf, size_t len);
/* Goes to an offset of what the stream gives. A compressed file is read again up to there. */
bool nmibt_stream_seek(struct nmibt_stream *s, uint64_t offset);
/* Why the stream ended before its end, as a line of text; NULL: it did not. */
const char *nmibt_stream_complaint(const struct nmibt_stream *s);
void nmibt_stream_close(struct nmibt_stream *s); /* NULL is allowed */

/* Loads the library that a file needs, so that a later need of it opens no file. */
void nmibt_stream_preload(int fd);

#endif /* NMIBT_STREAM_H */
