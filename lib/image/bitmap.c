// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>

#include "image/bitmap.h"

#define WORD_BITS 64
/* A look-up counts the bits of at most one chunk. */
#define MIN_CHUNK 256
/* The index has at most 512 KiB. Chunks of 256 bytes are enough for 512 GiB of memory. */
#define MAX_CHUNKS 65536
#define PIECE_WORDS 64 /* words per read */
#define FILE_BLOCK 4096
/* A bitmap that is small has no more bytes than that of 64 TiB of memory, the most that 46 bits
 * reach, with pages of 4 KiB. */
#define MAX_SMALL (UINT64_C(2) << 30)

void nmibt_bitmap_init(struct nmibt_blocks *blocks, uint64_t at, uint64_t nr_bits,
		       struct nmibt_bitmap *ret)
{
	size_t chunk_bytes = MIN_CHUNK;

	while (nr_bits / 8 / chunk_bytes >= MAX_CHUNKS)
		chunk_bytes *= 2;
	*ret = (struct nmibt_bitmap){
		.blocks = blocks,
		.at = at,
		.nr_bits = nr_bits,
		.chunk_bytes = chunk_bytes,
	};
}

void nmibt_bitmap_destroy(struct nmibt_bitmap *bitmap)
{
	free(bitmap->before);
	bitmap->before = NULL;
}

bool nmibt_bitmap_test(const struct nmibt_bitmap *bitmap, uint64_t bit, bool *ret)
{
	uint8_t byte;

	if (bit >= bitmap->nr_bits ||
	    !nmibt_blocks_read(bitmap->blocks, bitmap->at + bit / 8, &byte, 1))
		return false;
	*ret = byte >> bit % 8 & 1;
	return true;
}

/* ----------------------------------------------------------------- counting */

static unsigned int count(uint64_t word)
{
	if (!word || word == UINT64_MAX)
		return word ? WORD_BITS : 0;
	word -= word >> 1 & 0x5555555555555555;
	word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return word * 0x0101010101010101 >> 56;
}

/* The first bit from here on that is not in a hole of the file. It looks only where a block of the
 * file begins. */
static uint64_t skip_hole(const struct nmibt_bitmap *bitmap, uint64_t bit)
{
	const struct nmibt_file *file = bitmap->blocks->file;
	uint64_t at = bitmap->at + bit / 8;

	if (bit % 8 || at % FILE_BLOCK || at >= file->size || !file->next_data)
		return bit;
	return bit + (file->next_data(file, at) - at) * 8;
}

/* Counts the set bits in [from, to); from is the first bit of a word. */
static bool count_bits(const struct nmibt_bitmap *bitmap, uint64_t from, uint64_t to, uint64_t *ret)
{
	uint64_t words[PIECE_WORDS];
	uint64_t sum = 0, before = 0;

	while (from < to) {
		if (sum == before && (from = skip_hole(bitmap, from)) >= to)
			break;
		before = sum;
		uint64_t bits = to - from < sizeof(words) * 8 ? to - from : sizeof(words) * 8;
		size_t full = bits / WORD_BITS, rest = bits % WORD_BITS;

		if (rest)
			words[full] = 0;
		if (!nmibt_blocks_read(bitmap->blocks, bitmap->at + from / 8, words,
				       (bits + 7) / 8))
			return false;
		for (size_t i = 0; i < full; i++)
			sum += count(words[i]);
		if (rest)
			sum += count(le64toh(words[full]) & ((1ull << rest) - 1));
		from += bits;
	}
	*ret = sum;
	return true;
}

static uint64_t chunk_bits(const struct nmibt_bitmap *bitmap)
{
	return bitmap->chunk_bytes * 8ull;
}

static bool append(struct nmibt_bitmap *bitmap, uint64_t before)
{
	if (bitmap->nr_known == bitmap->room) {
		size_t room = bitmap->room ? 2 * bitmap->room : 64;
		uint64_t *more = reallocarray(bitmap->before, room, sizeof(*more));

		if (!more)
			return false;
		bitmap->before = more;
		bitmap->room = room;
	}
	bitmap->before[bitmap->nr_known++] = before;
	return true;
}

/* Number of chunks, from this one on, that lie in a hole of the file. It looks only where a block
 * of the file begins. */
static uint64_t chunks_in_hole(const struct nmibt_bitmap *bitmap, uint64_t chunk)
{
	const struct nmibt_file *file = bitmap->blocks->file;
	uint64_t at = bitmap->at + chunk * bitmap->chunk_bytes;

	if (at % FILE_BLOCK || at >= file->size || !file->next_data)
		return 0;
	return (file->next_data(file, at) - at) / bitmap->chunk_bytes;
}

/* Computes before[] up to before[chunk]. */
static bool extend(struct nmibt_bitmap *bitmap, uint64_t chunk)
{
	uint64_t bits = chunk_bits(bitmap);

	if (!bitmap->nr_known && !append(bitmap, 0))
		return false;
	while (bitmap->nr_known <= chunk) {
		uint64_t last = bitmap->nr_known - 1, sum = bitmap->before[last], in = 0;
		uint64_t holes =
			last && bitmap->before[last - 1] == sum ? chunks_in_hole(bitmap, last) : 0;

		for (; holes && bitmap->nr_known <= chunk; holes--) {
			if (!append(bitmap, sum))
				return false;
		}
		if (bitmap->nr_known > last + 1)
			continue;
		if (!count_bits(bitmap, last * bits, (last + 1) * bits, &in) ||
		    !append(bitmap, sum + in))
			return false;
	}
	return true;
}

bool nmibt_bitmap_rank(struct nmibt_bitmap *bitmap, uint64_t bit, uint64_t *ret)
{
	uint64_t chunk = bit / chunk_bits(bitmap), in;

	if (bit > bitmap->nr_bits || !extend(bitmap, chunk) ||
	    !count_bits(bitmap, chunk * chunk_bits(bitmap), bit, &in))
		return false;
	*ret = bitmap->before[chunk] + in;
	return true;
}

/* A run of data shorter than a block counts as one, so that the number of runs is bounded, too. */
bool nmibt_bitmap_is_small(const struct nmibt_bitmap *bitmap)
{
	const struct nmibt_file *file = bitmap->blocks->file;
	uint64_t at = bitmap->at, end = at + (bitmap->nr_bits + 7) / 8, sum = 0;

	if (end > file->size)
		end = file->size;
	if (at >= end || end - at <= MAX_SMALL)
		return true;
	if (!file->next_data || !file->next_hole)
		return false;
	while (sum <= MAX_SMALL && (at = file->next_data(file, at)) < end) {
		uint64_t hole = file->next_hole(file, at);
		uint64_t len = (hole < end ? hole : end) - at;

		sum += len < FILE_BLOCK ? FILE_BLOCK : len;
		at = hole;
	}
	return sum <= MAX_SMALL;
}

/* ---------------------------------------------------------------- searching */

/* The 64 bits from bit on. Bits beyond the end, or that can't be read, are 0. */
static uint64_t word_at(const struct nmibt_bitmap *bitmap, uint64_t bit)
{
	uint64_t left = bitmap->nr_bits - bit, word = 0;
	size_t bytes = left < WORD_BITS ? (left + 7) / 8 : sizeof(word);

	if (!nmibt_blocks_read(bitmap->blocks, bitmap->at + bit / 8, &word, bytes))
		return 0;
	word = le64toh(word);
	return left < WORD_BITS ? word & ((1ull << left) - 1) : word;
}

/* The first bit from here on that is not in a piece of zeros. It looks only where a piece
 * begins. */
static uint64_t skip_zero_pieces(const struct nmibt_bitmap *bitmap, uint64_t bit)
{
	static const uint64_t zeros[PIECE_WORDS];
	uint64_t words[PIECE_WORDS];

	while (!(bit % (sizeof(words) * 8)) && bit < bitmap->nr_bits &&
	       bitmap->nr_bits - bit >= sizeof(words) * 8 && skip_hole(bitmap, bit) == bit &&
	       nmibt_blocks_read(bitmap->blocks, bitmap->at + bit / 8, words, sizeof(words)) &&
	       !memcmp(words, zeros, sizeof(words)))
		bit += sizeof(words) * 8;
	return bit;
}

/* The first bit from here on that is not in a chunk of zeros; at most end. */
static uint64_t skip_zeros(struct nmibt_bitmap *bitmap, uint64_t bit, uint64_t end)
{
	while (bit < end) {
		uint64_t chunk = bit / chunk_bits(bitmap);

		/* The index has only whole chunks. */
		if ((chunk + 1) * chunk_bits(bitmap) > bitmap->nr_bits)
			return bit;
		if (!extend(bitmap, chunk + 1))
			return end;
		if (bitmap->before[chunk] != bitmap->before[chunk + 1])
			return bit;
		bit = (chunk + 1) * chunk_bits(bitmap);
	}
	return end;
}

uint64_t nmibt_bitmap_find(struct nmibt_bitmap *bitmap, uint64_t from, uint64_t end, bool set)
{
	if (end > bitmap->nr_bits)
		end = bitmap->nr_bits;
	while (from < end) {
		uint64_t start = from - from % WORD_BITS;
		uint64_t word = word_at(bitmap, start) ^ (set ? 0 : UINT64_MAX);

		word &= UINT64_MAX << from % WORD_BITS;
		if (word) {
			uint64_t found = start + __builtin_ctzll(word);

			return found < end ? found : end;
		}
		from = start + WORD_BITS;
		if (set)
			from = skip_hole(bitmap, skip_zero_pieces(bitmap, from));
		if (set && !(from % chunk_bits(bitmap)))
			from = skip_zeros(bitmap, from, end);
	}
	return end;
}
