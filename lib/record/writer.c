// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes chunks, as many as fit. */
#include <endian.h>
#include <zlib.h>

#include "record/record.h"

/* How many names of what was dropped are told apart. */
#define MAX_NAMES 8
#define MAX_NAME 18 /* bytes of one */
/* The last chunk: its header, zlib's own bytes, and so many bytes for each name. Numbers and short
 * words are what it has, and zlib never makes more of them than this. */
#define LAST_CHUNK (NMIBT_CHUNK_HEADER + 24 + MAX_NAMES * 30)

struct dropped {
	const char *what;
	uint64_t bytes;
};

struct nmibt_record_writer {
	z_stream z; /* of all chunks, one after the other */
	uint64_t left; /* bytes, without those of the last chunk */
	/* What a reader takes: bytes and items, before they are compressed. */
	uint64_t items_len, nr_items;
	uint32_t id;
	unsigned int nr; /* chunks that were written */
	bool is_full;
	nmibt_write_fn write;
	void *ctx;
	struct dropped dropped[MAX_NAMES];
	unsigned int nr_dropped;
};

uint32_t nmibt_chunk_crc(const char *header, const char *data, size_t len)
{
	uint32_t crc = crc32(0, (const Bytef *)header, NMIBT_CHUNK_HEADER - 4);

	return crc32(crc, (const Bytef *)data, len);
}

/* A window of 8 KiB and little memory: the capture kernel has not much, and chunks are small. */
#define WINDOW_BITS 13
#define MEM_LEVEL 5
#define LEVEL 6
/* How long zlib looks for a better match in a large chunk (deflateTune() in zlib.h). Its own number
 * for this level is a chain of 128, which takes twice as long, and saves less than 1 % there. What
 * matters most is in small chunks, of which it saves some 5 %. */
#define LARGE_CHUNK 6144
#define GOOD_LENGTH 4
#define MAX_LAZY 16
#define NICE_LENGTH 128
#define MAX_CHAIN 8

/* *ret is malloc'ed, with room for a header before the data. */
static struct nmibt_error *compress_items(z_stream *z, const struct nmibt_bytes *items, char **ret,
					  size_t *ret_len)
{
	deflateReset(z);
	if (items->len > LARGE_CHUNK)
		deflateTune(z, GOOD_LENGTH, MAX_LAZY, NICE_LENGTH, MAX_CHAIN);
	deflateSetDictionary(z, (const Bytef *)nmibt_record_dictionary,
			     nmibt_record_dictionary_len);
	/* Of a stream that has its dictionary. */
	size_t room = deflateBound(z, items->len);
	char *chunk = malloc(NMIBT_CHUNK_HEADER + room);
	if (!chunk)
		return nmibt_error_nomem();
	z->next_in = (Bytef *)items->s;
	z->avail_in = items->len;
	z->next_out = (Bytef *)chunk + NMIBT_CHUNK_HEADER;
	z->avail_out = room;
	int end = deflate(z, Z_FINISH);
	*ret_len = z->total_out;
	if (end != Z_STREAM_END) {
		free(chunk);
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "zlib can't compress: %d", end);
	}
	*ret = chunk;
	return NULL;
}

static void write_header(const struct nmibt_record_writer *writer, bool is_last, char *chunk,
			 size_t len)
{
	uint16_t number = htole16(writer->nr);
	uint32_t id = htole32(writer->id), size = htole32(len);

	memcpy(chunk, NMIBT_RECORD_MAGIC, NMIBT_RECORD_MAGIC_LEN);
	chunk[4] = NMIBT_RECORD_VERSION;
	chunk[5] = is_last;
	memcpy(chunk + 6, &number, sizeof(number));
	memcpy(chunk + 8, &id, sizeof(id));
	memcpy(chunk + 12, &size, sizeof(size));
	uint32_t crc = htole32(nmibt_chunk_crc(chunk, chunk + NMIBT_CHUNK_HEADER, len));
	memcpy(chunk + 16, &crc, sizeof(crc));
}

static struct nmibt_error *write_chunk(struct nmibt_record_writer *writer, bool is_last,
				       char *chunk, size_t len)
{
	write_header(writer, is_last, chunk, len);
	writer->nr++;
	if (writer->write(writer->ctx, chunk, NMIBT_CHUNK_HEADER + len))
		return NULL;
	return nmibt_error_create(NMIBT_ERR_UNUSABLE, "the record can't be written");
}

struct nmibt_error *nmibt_record_writer_new(size_t size, uint32_t id, nmibt_write_fn write,
					    void *ctx, struct nmibt_record_writer **ret)
{
	if (size && size < NMIBT_RECORD_MIN)
		return nmibt_error_create(NMIBT_ERR_USAGE,
					  "%zu bytes are too few for a record: it needs %d", size,
					  NMIBT_RECORD_MIN);
	struct nmibt_record_writer *writer = calloc(1, sizeof(*writer));
	if (!writer)
		return nmibt_error_nomem();
	writer->left = size ? size - LAST_CHUNK : UINT64_MAX;
	writer->id = id;
	writer->write = write;
	writer->ctx = ctx;
	if (deflateInit2(&writer->z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(writer);
		return nmibt_error_nomem();
	}
	*ret = writer;
	return NULL;
}

static size_t count_items(const struct nmibt_bytes *items)
{
	struct nmibt_str cursor = {items->s, items->len};
	struct nmibt_item item;
	uint64_t last = 0;
	size_t nr = 0;

	while (nmibt_item_next(&cursor, &last, &item))
		nr++;
	return nr;
}

/* len: of the data. Numbers of chunks have 16 bits, and the last chunk needs one; it has at most
 * MAX_NAMES items. */
static bool take_room(struct nmibt_record_writer *writer, const struct nmibt_bytes *items,
		      size_t len)
{
	size_t nr = count_items(items);

	if (writer->is_full || items->len > NMIBT_CHUNK_MAX ||
	    NMIBT_CHUNK_HEADER + len > writer->left || writer->nr == UINT16_MAX ||
	    items->len > NMIBT_RECORD_MAX - LAST_CHUNK - writer->items_len ||
	    nr > NMIBT_ITEMS_MAX - MAX_NAMES - writer->nr_items)
		return false;
	writer->left -= NMIBT_CHUNK_HEADER + len;
	writer->items_len += items->len;
	writer->nr_items += nr;
	return true;
}

struct nmibt_error *nmibt_record_put(struct nmibt_record_writer *writer, const char *what,
				     const struct nmibt_bytes *items)
{
	char *chunk = NULL;
	size_t len = 0;
	struct nmibt_error *err = writer->is_full || !items->len
					  ? NULL
					  : compress_items(&writer->z, items, &chunk, &len);

	if (err || !items->len)
		return err;
	if (take_room(writer, items, len)) {
		err = write_chunk(writer, false, chunk, len);
	} else {
		writer->is_full = true;
		nmibt_record_drop(writer, what, items->len);
	}
	free(chunk);
	return err;
}

bool nmibt_record_is_full(const struct nmibt_record_writer *writer)
{
	return writer->is_full;
}

void nmibt_record_drop(struct nmibt_record_writer *writer, const char *what, uint64_t bytes)
{
	unsigned int i = 0;

	while (i < writer->nr_dropped && strcmp(writer->dropped[i].what, what))
		i++;
	if (i == MAX_NAMES)
		writer->dropped[--i].what = "other things";
	else if (i == writer->nr_dropped)
		writer->dropped[writer->nr_dropped++].what = what;
	writer->dropped[i].bytes += bytes;
}

struct nmibt_error *nmibt_record_finish(struct nmibt_record_writer *writer)
{
	struct nmibt_bytes items = {0};
	struct nmibt_error *err = NULL;
	uint64_t last = 0;
	char *chunk;
	size_t len;

	for (unsigned int i = 0; i < writer->nr_dropped && !err; i++) {
		const struct dropped *d = &writer->dropped[i];

		err = nmibt_item_add(
			&items,
			&(struct nmibt_item){.kind = NMIBT_ITEM_DROPPED,
					     .key = d->bytes,
					     .data = {d->what, strnlen(d->what, MAX_NAME)}},
			&last);
	}
	if (!err)
		err = compress_items(&writer->z, &items, &chunk, &len);
	free(items.s);
	if (err)
		return err;
	err = write_chunk(writer, true, chunk, len);
	free(chunk);
	return err;
}

void nmibt_record_writer_free(struct nmibt_record_writer *writer)
{
	if (writer)
		deflateEnd(&writer->z);
	free(writer);
}
