/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fake kdump-compressed dumps for tests. Each page has its own contents. Fields that a version of
 * the header does not have are filled with rubbish.
 */
#ifndef FAKE_KDUMP_H
#define FAKE_KDUMP_H

#include <assert.h>
#include <dlfcn.h>
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "image/kdump.h"

/* Offsets in struct disk_dump_header and, one block behind it, struct kdump_sub_header. */
#define FAKE_STATUS_AT 424
#define FAKE_BLOCK_SIZE_AT 428
#define FAKE_SUB_BLOCKS_AT 432
#define FAKE_BITMAP_BLOCKS_AT 436
#define FAKE_MAX_PFN_AT 440
#define FAKE_SUB_SPLIT_AT 12
#define FAKE_SUB_VMCOREINFO_AT 32
#define FAKE_SUB_NOTES_AT 48
#define FAKE_SUB_START_64_AT 80
#define FAKE_SUB_MAX_PFN_64_AT 96

#define FAKE_VMCOREINFO "OSRELEASE=6.12.0\nPAGESIZE=4096\n"
#define FAKE_NOTES "these are the notes"

/* DUMP_DH_COMPRESSED_* of a page; 0: not compressed */
enum fake_flags { FAKE_RAW = 0, FAKE_ZLIB = 1, FAKE_LZO = 2, FAKE_SNAPPY = 4, FAKE_ZSTD = 0x20 };
#define FAKE_ALL (FAKE_ZLIB | FAKE_LZO | FAKE_SNAPPY | FAKE_ZSTD)

struct fake_kdump {
	/* Input: what the dump is to be like. */
	unsigned int version;
	uint32_t block_size;
	const char *machine;
	uint64_t max_pfn;
	uint32_t flags; /* of all pages */
	bool incomplete;
	bool split;
	uint64_t start_pfn, end_pfn;
	/* Is the page memory, is it in the dump? NULL: fake_is_memory(), fake_is_held() */
	bool (*is_memory)(uint64_t pfn);
	bool (*is_held)(uint64_t pfn);

	/* Output. */
	int fd;
	char path[32];
	uint64_t memory_at, held_at, descs_at, data_at, end;
	struct nmibt_file file;
};

static inline bool fake_is_memory(uint64_t pfn)
{
	return pfn % 97 != 13;
}

/* Runs and single pages, holes of all lengths. */
static inline bool fake_is_held(uint64_t pfn)
{
	return fake_is_memory(pfn) && (pfn / 7 % 3 || pfn % 5 == 2) && !(pfn > 300 && pfn < 440);
}

/* Fills a page with contents that can be compressed and that no other page has. */
static inline void fake_page(uint64_t pfn, uint8_t *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = i / 64 * 7 + pfn * 31 + (i % 64 < 8 ? pfn >> i % 8 * 8 : 0);
}

static inline void *fake_symbol(const char *library, const char *name)
{
	void *handle = dlopen(library, RTLD_NOW);
	void *symbol = handle ? dlsym(handle, name) : NULL;

	assert(symbol);
	return symbol;
}

#define FAKE_ROOM(size) (2 * (size) + 256)

/* Writes the compressed page to to, which has FAKE_ROOM(size) bytes; returns its length. */
static inline size_t fake_compress(uint32_t flags, const uint8_t *from, size_t size, uint8_t *to)
{
	size_t len = FAKE_ROOM(size);

	if (flags == FAKE_ZLIB) {
		uLongf z_len = len;
		int rc = compress2(to, &z_len, from, size, 1);
		assert(rc == Z_OK);
		(void)rc;
		return z_len;
	}
	if (flags == FAKE_LZO) {
		static uint64_t work[16384];
		int (*compress)(const void *, size_t, void *, size_t *, void *) =
			fake_symbol("liblzo2.so.2", "lzo1x_1_compress");
		compress(from, size, to, &len, work);
		return len;
	}
	if (flags == FAKE_SNAPPY) {
		int (*compress)(const void *, size_t, void *, size_t *) =
			fake_symbol("libsnappy.so.1", "snappy_compress");
		compress(from, size, to, &len);
		return len;
	}
	if (flags == FAKE_ZSTD) {
		size_t (*compress)(void *, size_t, const void *, size_t, int) =
			fake_symbol("libzstd.so.1", "ZSTD_compress");
		return compress(to, len, from, size, 1);
	}
	memcpy(to, from, size);
	return size;
}

static inline void fake_put(struct fake_kdump *f, uint64_t at, const void *bytes, size_t len)
{
	ssize_t n = pwrite(f->fd, bytes, len, at);

	assert(n == (ssize_t)len);
	(void)n;
	if (at + len > f->end)
		f->end = at + len;
}

static inline void fake_put_u32(struct fake_kdump *f, uint64_t at, uint32_t value)
{
	fake_put(f, at, &value, sizeof(value));
}

static inline void fake_put_u64(struct fake_kdump *f, uint64_t at, uint64_t value)
{
	fake_put(f, at, &value, sizeof(value));
}

static inline void fake_put_bit(struct fake_kdump *f, uint64_t bitmap_at, uint64_t bit)
{
	uint8_t byte = 0;
	ssize_t n = pread(f->fd, &byte, 1, bitmap_at + bit / 8);

	assert(n == 1);
	(void)n;
	byte |= 1 << bit % 8;
	fake_put(f, bitmap_at + bit / 8, &byte, 1);
}

static inline void fake_put_headers(struct fake_kdump *f, uint64_t bitmap_blocks)
{
	uint32_t bs = f->block_size;
	uint64_t vmcoreinfo_at = bs + 200, notes_at = bs + 400;
	uint64_t rubbish[13];

	fake_put(f, 0, "KDUMP   ", 8);
	fake_put_u32(f, 8, f->version);
	fake_put(f, 272, f->machine, strlen(f->machine));
	fake_put_u32(f, FAKE_STATUS_AT, FAKE_ALL | (f->incomplete ? 8 : 0));
	fake_put_u32(f, FAKE_BLOCK_SIZE_AT, bs);
	fake_put_u32(f, FAKE_SUB_BLOCKS_AT, 1);
	fake_put_u32(f, FAKE_BITMAP_BLOCKS_AT, bitmap_blocks);
	fake_put_u32(f, FAKE_MAX_PFN_AT, f->max_pfn > UINT32_MAX ? UINT32_MAX : f->max_pfn);
	/* 64 is a valid offset, size and page number, so a reader that uses it goes wrong. */
	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++)
		rubbish[i] = 64;
	fake_put(f, 64, "OSRELEASE=rubbish", 17);
	fake_put(f, bs, rubbish, sizeof(rubbish));
	/* dump_level and split have 32 bits. */
	if (f->version < 2)
		fake_put_u32(f, bs + FAKE_SUB_SPLIT_AT, 64);
	if (f->version >= 2) {
		fake_put_u32(f, bs + FAKE_SUB_SPLIT_AT, f->split);
		fake_put_u64(f, bs + 16, f->version < 6 ? f->start_pfn : 0);
		fake_put_u64(f, bs + 24, f->version < 6 ? f->end_pfn : 0);
	}
	if (f->version >= 3) {
		fake_put_u64(f, bs + FAKE_SUB_VMCOREINFO_AT, vmcoreinfo_at);
		fake_put_u64(f, bs + FAKE_SUB_VMCOREINFO_AT + 8, strlen(FAKE_VMCOREINFO));
		fake_put(f, vmcoreinfo_at, FAKE_VMCOREINFO, strlen(FAKE_VMCOREINFO));
	}
	if (f->version >= 4) {
		fake_put_u64(f, bs + FAKE_SUB_NOTES_AT, notes_at);
		fake_put_u64(f, bs + FAKE_SUB_NOTES_AT + 8, strlen(FAKE_NOTES));
		fake_put(f, notes_at, FAKE_NOTES, strlen(FAKE_NOTES));
	}
	if (f->version >= 6) {
		fake_put_u64(f, bs + FAKE_SUB_START_64_AT, f->start_pfn);
		fake_put_u64(f, bs + FAKE_SUB_START_64_AT + 8, f->end_pfn);
		fake_put_u64(f, bs + FAKE_SUB_MAX_PFN_64_AT, f->max_pfn);
	}
}

static inline bool fake_has(const struct fake_kdump *f, uint64_t pfn)
{
	return f->is_held ? f->is_held(pfn) : fake_is_held(pfn);
}

/* The offset of the descriptor of the i-th held page. */
static inline uint64_t fake_desc_at(const struct fake_kdump *f, uint64_t i)
{
	return f->descs_at + i * 24;
}

static inline void fake_put_desc(struct fake_kdump *f, uint64_t i, uint64_t offset, uint32_t size,
				 uint32_t flags)
{
	fake_put_u64(f, fake_desc_at(f, i), offset);
	fake_put_u32(f, fake_desc_at(f, i) + 8, size);
	fake_put_u32(f, fake_desc_at(f, i) + 12, flags);
	fake_put_u64(f, fake_desc_at(f, i) + 16, 0);
}

/* Writes descriptors and data of the pages in [from, to). */
static inline void fake_put_pages(struct fake_kdump *f, uint64_t from, uint64_t to)
{
	uint8_t *page = malloc(f->block_size), *packed = malloc(FAKE_ROOM(f->block_size));
	uint64_t nr = 0, i = 0;

	assert(page && packed);
	for (uint64_t pfn = from; pfn < to; pfn++)
		nr += fake_has(f, pfn);
	f->data_at = fake_desc_at(f, nr);
	uint64_t at = f->data_at;
	for (uint64_t pfn = from; pfn < to; pfn++) {
		if (!fake_has(f, pfn))
			continue;
		fake_page(pfn, page, f->block_size);
		size_t len = fake_compress(f->flags, page, f->block_size, packed);
		assert(!f->flags || len < f->block_size);
		fake_put_desc(f, i++, at, len, f->flags);
		fake_put(f, at, packed, len);
		at += len;
	}
	free(page);
	free(packed);
}

/* Opens the file again, to see its changes. */
static inline void fake_kdump_reopen(struct fake_kdump *f)
{
	nmibt_file_close(&f->file);
	struct nmibt_error *err = nmibt_file_open(f->path, NULL, &f->file);
	assert(!err);
	(void)err;
}

/* Writes headers and empty bitmaps. */
static inline void fake_kdump_begin(struct fake_kdump *f)
{
	uint64_t half = (f->max_pfn + 8ull * f->block_size - 1) / (8ull * f->block_size);

	f->fd = memfd_create("kdump", MFD_CLOEXEC);
	assert(f->fd >= 0);
	f->file.fd = -1;
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
	fake_put_headers(f, 2 * half);
	f->memory_at = 2 * f->block_size;
	f->held_at = f->memory_at + half * f->block_size;
	f->descs_at = f->held_at + half * f->block_size;
	int rc = ftruncate(f->fd, f->descs_at);
	assert(!rc);
	(void)rc;
}

static inline void fake_kdump_make(struct fake_kdump *f)
{
	if (!f->split)
		f->end_pfn = f->max_pfn;
	fake_kdump_begin(f);
	for (uint64_t pfn = 0; pfn < f->max_pfn; pfn++) {
		if (f->is_memory ? f->is_memory(pfn) : fake_is_memory(pfn))
			fake_put_bit(f, f->memory_at, pfn);
		if (fake_has(f, pfn))
			fake_put_bit(f, f->held_at, pfn);
	}
	fake_put_pages(f, f->start_pfn, f->end_pfn);
	fake_kdump_reopen(f);
}

static inline void fake_kdump_free(struct fake_kdump *f)
{
	nmibt_file_close(&f->file);
	close(f->fd);
}

#endif /* FAKE_KDUMP_H */
