/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record that vmcore-nmibt leaves in pstore or in a file: docs/pstore-format.md. It is a
 * sequence of chunks, the most important first, and each chunk can be read without the others. This
 * folder writes and reads chunks and the items in them; it does not know what memory means.
 */
#ifndef NMIBT_RECORD_H
#define NMIBT_RECORD_H

#include "base/base.h"

#define NMIBT_RECORD_MAGIC "\x89NBR"
#define NMIBT_RECORD_MAGIC_LEN 4
#define NMIBT_RECORD_VERSION 1
/* Bytes of a chunk's header. */
#define NMIBT_CHUNK_HEADER 20
/* A chunk has at most so many bytes of items; a reader takes more for damage. */
#define NMIBT_CHUNK_MAX (64 << 10)
/* All chunks of a record together. */
#define NMIBT_RECORD_MAX (256u << 20)
/* And so many items: one of two bytes costs a reader more memory than what it says is worth. */
#define NMIBT_ITEMS_MAX (1u << 21)

/* ---------------------------------------------------------------------- items */

enum nmibt_item_kind {
	NMIBT_ITEM_TEXT = 1, /* a line about the machine, for readers and people: "release 6.12" */
	NMIBT_ITEM_VMCOREINFO = 2, /* one or more lines of VMCOREINFO */
	NMIBT_ITEM_MEMORY = 3, /* bytes at a physical address */
	NMIBT_ITEM_NAME = 4, /* the name of a code address */
	NMIBT_ITEM_SYMBOL = 5, /* the value of a symbol of data */
	NMIBT_ITEM_STACK = 6, /* frames that were unwound from a pc and a stack pointer */
	NMIBT_ITEM_SUMMARY = 7, /* lines for people: what every CPU was doing */
	NMIBT_ITEM_FILE = 8, /* the end of another file, with its name */
	NMIBT_ITEM_DROPPED = 9, /* what had no room, for people; key: its bytes */
	NMIBT_ITEM_UNREADABLE = 10, /* memory that the dump should have, and that can't be read */
	NMIBT_ITEM_NOTES = 11, /* a piece of the dump's ELF notes; key: where it begins */
	NMIBT_ITEM_LAYOUT = 12, /* where a member is in a type, or the size of a type; key: bytes */
	NMIBT_ITEM_END, /* behind the kinds of this version */
};

/*
 * An item. LAYOUT: key is the number, data nmibt_layout_name(). What key, second and name are, depends on the kind: MEMORY: key is the address. NAME:
 * key is the address, data the name. SYMBOL: key is the value, data the name. STACK: key is the pc,
 * second the stack pointer. FILE: name is its name, key is where data begins in it. UNREADABLE: key is the address, second the
 * number of bytes. DROPPED: key counts bytes.
 */
struct nmibt_item {
	enum nmibt_item_kind kind;
	uint64_t key, second;
	struct nmibt_str name;
	struct nmibt_str data; /* borrowed from the items' bytes */
};

/* The name of a LAYOUT: "type.member", or "type." for its size. ret has NMIBT_LAYOUT_NAME bytes; a name
 * that is longer is cut. */
#define NMIBT_LAYOUT_NAME 128
static inline void nmibt_layout_name(const char *type, const char *member, char *ret)
{
	snprintf(ret, NMIBT_LAYOUT_NAME, "%s.%s", type, member);
}

/* Bytes that grow. */
struct nmibt_bytes {
	char *s;
	size_t len, room;
};
struct nmibt_error *nmibt_bytes_add(struct nmibt_bytes *to, const void *data, size_t len);
/* 7 bits a byte, the lowest first; the last byte has its bit 7 clear. */
struct nmibt_error *nmibt_bytes_add_number(struct nmibt_bytes *to, uint64_t number);
/* A difference as a number: its sign becomes the lowest bit, so that small differences of either
 * sign are short. */
static inline uint64_t nmibt_fold(uint64_t difference)
{
	return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static inline uint64_t nmibt_unfold(uint64_t number)
{
	return number >> 1 ^ (number & 1 ? UINT64_MAX : 0);
}

/* False: the cursor is at no complete number. */
bool nmibt_take_number(struct nmibt_str *cursor, uint64_t *ret);

/* Appends an item; *last is the end of the MEMORY before it in this chunk, 0 at first. */
struct nmibt_error *nmibt_item_add(struct nmibt_bytes *to, const struct nmibt_item *item,
				   uint64_t *last);
/* Reads the next item that this version knows; others are passed over. False: there are no more, or
 * the rest makes no sense. */
bool nmibt_item_next(struct nmibt_str *cursor, uint64_t *last, struct nmibt_item *ret);

/* --------------------------------------------------------------------- writing */

/*
 * Writes chunks in the order in which they come, until one does not fit; from then on none is
 * written, so that a chunk never takes the room of one before it. What had no room is counted under
 * the names that the chunks were given, and the last chunk, for which there is always room, says
 * it.
 */
struct nmibt_record_writer;

/* size: the most bytes that write may get; 0: any number. A record needs NMIBT_RECORD_MIN. id tells
 * records apart. */
#define NMIBT_RECORD_MIN 512
struct nmibt_error *nmibt_record_writer_new(size_t size, uint32_t id, nmibt_write_fn write,
					    void *ctx, struct nmibt_record_writer **ret);
/* Writes a chunk of items. More than NMIBT_CHUNK_MAX bytes, which no reader takes, are what has no room.
 * what, at most 18 bytes long and there until the end, is the name under which it is counted then. */
struct nmibt_error *nmibt_record_put(struct nmibt_record_writer *writer, const char *what,
				     const struct nmibt_bytes *items);
/* True: a chunk had no room. Nothing is written any more. */
bool nmibt_record_is_full(const struct nmibt_record_writer *writer);
/* Counts bytes that nobody tries to write, because the record is full. */
void nmibt_record_drop(struct nmibt_record_writer *writer, const char *what, uint64_t bytes);
/* Writes the last chunk. */
struct nmibt_error *nmibt_record_finish(struct nmibt_record_writer *writer);
void nmibt_record_writer_free(struct nmibt_record_writer *writer); /* NULL is allowed */

/* --------------------------------------------------------------------- reading */

struct nmibt_chunk {
	size_t at, size; /* in the file: header and data */
	uint32_t id;
	unsigned int number; /* from 0 */
	bool is_last;
	struct nmibt_bytes items;
};

/* A sound chunk; its items are freed after the call. An error ends the reading. */
typedef struct nmibt_error *(*nmibt_chunk_fn)(void *ctx, const struct nmibt_chunk *chunk);

/*
 * Finds all sound chunks in data, whatever else is in it, and calls visit for each, in the order of
 * the file. *ret_damaged: how many chunks begin there and fail their checks. Fails with NOMEM, or with what visit returns.
 */
struct nmibt_error *nmibt_record_read(const char *data, size_t len, nmibt_chunk_fn visit, void *ctx,
				      unsigned int *ret_damaged);
/* True: there is a sound chunk in data. */
bool nmibt_record_is_in(const char *data, size_t len);

/* ------------------------------------------------------------- for this folder */

/* zlib's preset dictionary: words that records are full of. */
extern const char nmibt_record_dictionary[];
extern const size_t nmibt_record_dictionary_len;
uint32_t nmibt_chunk_crc(const char *header, const char *data, size_t len);

#endif /* NMIBT_RECORD_H */
