// SPDX-License-Identifier: GPL-2.0-or-later
/* The back end for sadump: what a file has, what it left out, and what is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/sadump.h"

#define BLOCK 4096
#define NR_PAGES 700 /* more than the cache has */
#define HEAD_AT BLOCK
#define CPUS_AT (2 * BLOCK)
#define MEMORY_AT (3 * BLOCK)
#define HELD_AT (4 * BLOCK)
#define DATA_AT (5 * BLOCK)

static bool is_memory(uint64_t pfn)
{
	return pfn < NR_PAGES && pfn % 97 != 13;
}

/* Runs and single pages, holes of all lengths. */
static bool is_held(uint64_t pfn)
{
	return is_memory(pfn) && (pfn / 7 % 3 || pfn % 5 == 2) && !(pfn > 300 && pfn < 440);
}

static void put(int fd, uint64_t at, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(fd, bytes, len, at), len);
}

static void put_u32(int fd, uint64_t at, uint32_t value)
{
	put(fd, at, &value, sizeof(value));
}

static void put_u64(int fd, uint64_t at, uint64_t value)
{
	put(fd, at, &value, sizeof(value));
}

/* The highest bit of a byte is the first page. */
static void put_bitmap(int fd, uint64_t at, bool (*is_set)(uint64_t pfn))
{
	uint8_t bits[BLOCK] = {0};

	for (uint64_t pfn = 0; pfn < NR_PAGES; pfn++) {
		if (is_set(pfn))
			bits[pfn / 8] |= 0x80 >> pfn % 8;
	}
	put(fd, at, bits, sizeof(bits));
}

/* A dump whose pages hold their numbers. */
static int make(void)
{
	int fd = memfd_create("sadump", 0);
	uint64_t at = DATA_AT, page[BLOCK / 8];

	put(fd, 0, "sadump\0", 8);
	put(fd, HEAD_AT, "sadump\0", 8);
	put_u32(fd, HEAD_AT + 8, 1); /* header_version */
	put_u32(fd, HEAD_AT + 40, BLOCK);
	for (unsigned int member = 48; member <= 56; member += 4)
		put_u32(fd, HEAD_AT + member, 1); /* blocks of CPUs and of the bitmaps */
	put_u32(fd, HEAD_AT + 60, 7); /* max_mapnr, which version 1 does not use */
	put_u32(fd, HEAD_AT + 80, 2); /* nr_cpus */
	put_u64(fd, HEAD_AT + 88, NR_PAGES);
	put_u32(fd, CPUS_AT, 2 * 1024);
	put_u64(fd, CPUS_AT + 4 + 2 * 16 + 1024 + 992, 0x500); /* EFER: LMA and LME */
	put_bitmap(fd, MEMORY_AT, is_memory);
	put_bitmap(fd, HELD_AT, is_held);
	for (uint64_t pfn = 0; pfn < NR_PAGES; pfn++) {
		for (size_t i = 0; i < BLOCK / 8; i++)
			page[i] = pfn * 1000 + i;
		if (is_held(pfn)) {
			put(fd, at, page, sizeof(page));
			at += BLOCK;
		}
	}
	return fd;
}

struct opened {
	struct nmibt_file file;
	struct nmibt_sadump *sadump;
	struct nmibt_image image;
};

static struct opened open_dump(int fd)
{
	struct opened o;

	assert_null(nmibt_file_open("DUMP", &fd, &o.file));
	close(fd);
	return o;
}

static void open_reader(struct opened *o)
{
	assert_true(nmibt_is_sadump(&o->file));
	assert_null(nmibt_sadump_open(&o->file, &o->sadump));
	nmibt_sadump_image(o->sadump, &o->image);
}

static void close_dump(struct opened *o)
{
	nmibt_sadump_close(o->sadump);
	nmibt_file_close(&o->file);
}

static enum nmibt_read status_of(const struct opened *o, uint64_t pfn)
{
	uint64_t got[2];
	enum nmibt_read status =
		o->image.ops->read_phys(o->image.ctx, pfn * BLOCK + 8, got, sizeof(got));

	if (status == NMIBT_READ_OK) {
		assert_int_equal(got[0], pfn * 1000 + 1);
		assert_int_equal(got[1], pfn * 1000 + 2);
	}
	return status;
}

static enum nmibt_read expected_status(uint64_t pfn)
{
	if (!is_memory(pfn))
		return NMIBT_READ_ERROR;
	return is_held(pfn) ? NMIBT_READ_OK : NMIBT_READ_EXCLUDED;
}

static void test_pages(void **state)
{
	struct opened o = open_dump(make());
	char byte;

	(void)state;
	open_reader(&o);
	assert_int_equal(o.image.arch, NMIBT_ARCH_X86_64);
	assert_null(o.image.lost);
	for (uint64_t pfn = 0; pfn < NR_PAGES + 10; pfn++)
		assert_int_equal(status_of(&o, pfn), expected_status(pfn));
	for (uint64_t pfn = NR_PAGES; pfn--;)
		assert_int_equal(status_of(&o, pfn), expected_status(pfn));
	assert_int_equal(o.image.ops->read_phys(o.image.ctx, UINT64_MAX, &byte, 1),
			 NMIBT_READ_ERROR);
	close_dump(&o);
}

static void test_ranges(void **state)
{
	struct opened o = open_dump(make());
	struct nmibt_range range;
	uint64_t pfn = 0;

	(void)state;
	open_reader(&o);
	for (uint64_t from = 0; o.image.ops->next_range(o.image.ctx, from, &range);) {
		while (!is_held(pfn))
			pfn++;
		assert_int_equal(range.start, pfn * BLOCK);
		while (is_held(pfn))
			pfn++;
		from = range.start + range.size;
		assert_int_equal(from, pfn * BLOCK);
	}
	for (; pfn < NR_PAGES; pfn++)
		assert_false(is_held(pfn));
	close_dump(&o);
}

/* Pages behind the end of the file are lost, and no search goes there. */
static void test_truncated(void **state)
{
	struct nmibt_range range;
	int fd = make();
	uint64_t pages = 0;

	(void)state;
	assert_int_equal(ftruncate(fd, DATA_AT + 10 * BLOCK + 1), 0);
	struct opened o = open_dump(fd);
	open_reader(&o);
	assert_string_equal(o.image.lost, NMIBT_FILE_TRUNCATED);
	for (uint64_t from = 0; o.image.ops->next_range(o.image.ctx, from, &range);
	     from = range.start + range.size)
		pages += range.size / BLOCK;
	assert_int_equal(pages, 10);
	for (uint64_t pfn = 0, rank = 0; pfn < NR_PAGES; rank += is_held(pfn), pfn++)
		assert_int_equal(status_of(&o, pfn), is_held(pfn) && rank >= 10
							     ? NMIBT_READ_ERROR
							     : expected_status(pfn));
	close_dump(&o);
}

/* More than 1 TiB, whose bitmaps are mostly holes. */
static void test_large(void **state)
{
	enum { BITMAP_BLOCKS = 1 << 14 };
	uint64_t held_at = MEMORY_AT + (uint64_t)BITMAP_BLOCKS * BLOCK;
	uint64_t data_at = held_at + (uint64_t)BITMAP_BLOCKS * BLOCK;

	(void)state;
	for (unsigned int pages = 1; pages <= 2; pages++) {
		int fd = make();

		put_u32(fd, HEAD_AT + 52, BITMAP_BLOCKS);
		put_u32(fd, HEAD_AT + 56, BITMAP_BLOCKS);
		put_u64(fd, HEAD_AT + 88, 8ull * BITMAP_BLOCKS * BLOCK);
		assert_int_equal(ftruncate(fd, MEMORY_AT), 0);
		put(fd, held_at, "\1", 1);
		put(fd, data_at - 1, "\1", 1);
		assert_int_equal(ftruncate(fd, data_at + pages * BLOCK), 0);
		struct opened o = open_dump(fd);
		open_reader(&o);
		if (pages == 2)
			assert_null(o.image.lost);
		else
			assert_string_equal(o.image.lost, NMIBT_FILE_TRUNCATED);
		close_dump(&o);
	}
}

static void test_damaged(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t value;
		const char *word;
	} cases[] = {
		{152, 1, "disk set"},
		{HEAD_AT, 0, "without its second header"},
		{16, 1, "compressed"},
		{HEAD_AT + 36, 1, "compressed"},
		{HEAD_AT + 40, 8192, "8192 bytes"},
		{HEAD_AT + 52, 0, "too small for 700 pages"},
		{HEAD_AT + 56, 0, "too small for 700 pages"},
		{HEAD_AT + 92, 1, "too small for 4294967996 pages"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = make();
		struct nmibt_sadump *sadump;

		put_u32(fd, cases[i].at, cases[i].value);
		struct opened o = open_dump(fd);
		struct nmibt_error *err = nmibt_sadump_open(&o.file, &sadump);
		assert_non_null(err);
		assert_int_equal(err->code, NMIBT_ERR_UNUSABLE);
		if (!strstr(err->message, cases[i].word))
			fail_msg("'%s' is not in '%s'", cases[i].word, err->message);
		nmibt_error_destroy(err);
		nmibt_file_close(&o.file);
	}
}

/* Numbers of CPUs and sizes that lie cost no time and tell no architecture. */
static void test_cpus(void **state)
{
	static const struct {
		uint32_t nr, size;
		enum nmibt_arch arch;
	} cases[] = {
		{2, 2048, NMIBT_ARCH_X86_64},  {1, 1024, NMIBT_ARCH_UNKNOWN},
		{0, 2048, NMIBT_ARCH_UNKNOWN}, {UINT32_MAX, 0, NMIBT_ARCH_UNKNOWN},
		{2, 0, NMIBT_ARCH_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = make();

		put_u32(fd, HEAD_AT + 80, cases[i].nr);
		put_u32(fd, CPUS_AT, cases[i].size);
		struct opened o = open_dump(fd);
		open_reader(&o);
		assert_int_equal(o.image.arch, cases[i].arch);
		close_dump(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),	  cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_large),	  cmocka_unit_test(test_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
