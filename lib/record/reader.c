// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds chunks. A chunk is used only if its checksum is right, so that a flipped byte costs the
 * chunk that it is in, and what follows is found by its magic.
 */
#include <endian.h>
#include <zlib.h>

#include "record/record.h"

struct header {
	uint8_t version, flags;
	uint16_t number;
	uint32_t id, len, crc;
};

#define FLAG_LAST 0x1

static void read_header(const char *s, struct header *ret)
{
	ret->version = s[4];
	ret->flags = s[5];
	memcpy(&ret->number, s + 6, sizeof(ret->number));
	memcpy(&ret->id, s + 8, sizeof(ret->id));
	memcpy(&ret->len, s + 12, sizeof(ret->len));
	memcpy(&ret->crc, s + 16, sizeof(ret->crc));
	ret->number = le16toh(ret->number);
	ret->id = le32toh(ret->id);
	ret->len = le32toh(ret->len);
	ret->crc = le32toh(ret->crc);
}

/* zlib adds at most a few bytes to what it can't compress. */
#define MAX_DATA (NMIBT_CHUNK_MAX + (NMIBT_CHUNK_MAX >> 8) + 64)

/* How many bytes may be checksummed in all. Chunks that are damaged may claim to overlap, but headers
 * that each claim many bytes must not cost their number times these. */
static uint64_t effort_for(size_t len)
{
	return 4 * (uint64_t)len + (1 << 20);
}

static bool is_sound(const char *s, size_t rest, uint64_t *effort, struct header *ret)
{
	if (rest < NMIBT_CHUNK_HEADER)
		return false;
	read_header(s, ret);
	if (ret->version != NMIBT_RECORD_VERSION || ret->flags & ~FLAG_LAST ||
	    ret->len > MAX_DATA || ret->len > rest - NMIBT_CHUNK_HEADER || ret->len > *effort)
		return false;
	*effort -= ret->len;
	return nmibt_chunk_crc(s, s + NMIBT_CHUNK_HEADER, ret->len) == ret->crc;
}

/* The next magic from at on; len: there is none. */
static size_t find_magic(const char *data, size_t len, size_t at)
{
	const char *found =
		at < len ? memmem(data + at, len - at, NMIBT_RECORD_MAGIC, NMIBT_RECORD_MAGIC_LEN)
			 : NULL;

	return found ? (size_t)(found - data) : len;
}

/* False: the data is none of ours, or has too many bytes. */
static bool inflate_items(const char *data, size_t len, char *items, size_t *ret_len)
{
	z_stream z = {.next_in = (Bytef *)data,
		      .avail_in = len,
		      .next_out = (Bytef *)items,
		      .avail_out = NMIBT_CHUNK_MAX};
	int end;

	*ret_len = 0;
	if (inflateInit(&z) != Z_OK)
		return false;
	end = inflate(&z, Z_FINISH);
	if (end == Z_NEED_DICT && inflateSetDictionary(&z, (const Bytef *)nmibt_record_dictionary,
						       nmibt_record_dictionary_len) == Z_OK)
		end = inflate(&z, Z_FINISH);
	*ret_len = z.total_out;
	inflateEnd(&z);
	return end == Z_STREAM_END && !z.avail_in;
}

/* *left: how many bytes may still be inflated, whether or not they are items in the end. */
static bool take_items(const char *data, size_t len, struct nmibt_bytes *items, uint64_t *left)
{
	bool is_good = inflate_items(data, len, items->s, &items->len) && items->len <= *left;

	*left -= items->len < *left ? items->len : *left;
	return is_good;
}

struct nmibt_error *nmibt_record_read(const char *data, size_t len, nmibt_chunk_fn visit, void *ctx,
				      unsigned int *ret_damaged)
{
	_cleanup_free_ char *items = malloc(NMIBT_CHUNK_MAX);
	struct nmibt_error *err = NULL;
	uint64_t effort = effort_for(len), left = NMIBT_RECORD_MAX;

	*ret_damaged = 0;
	if (!items)
		return nmibt_error_nomem();
	for (size_t at = find_magic(data, len, 0), size; at < len && !err;
	     at = find_magic(data, len, at + size)) {
		struct header header;
		struct nmibt_chunk chunk = {.at = at, .items.s = items};

		size = 1;
		if (!is_sound(data + at, len - at, &effort, &header) || !left ||
		    !take_items(data + at + NMIBT_CHUNK_HEADER, header.len, &chunk.items, &left)) {
			++*ret_damaged;
			continue;
		}
		size = chunk.size = NMIBT_CHUNK_HEADER + header.len;
		chunk.id = header.id;
		chunk.number = header.number;
		chunk.is_last = header.flags & FLAG_LAST;
		err = visit(ctx, &chunk);
	}
	return err;
}

bool nmibt_record_is_in(const char *data, size_t len)
{
	uint64_t effort = effort_for(len);
	struct header header;

	for (size_t at = find_magic(data, len, 0); at < len; at = find_magic(data, len, at + 1)) {
		if (is_sound(data + at, len - at, &effort, &header))
			return true;
	}
	return false;
}
