// SPDX-License-Identifier: GPL-2.0-or-later
/* The back end for kdump-compressed dumps: what a file has, what it left out, and what is
 * damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake-kdump.h"
#include "image/bitmap.h"
#include "image/kdump-header.h"

#define NR_PAGES 700 /* more than the cache has */

static const struct fake_kdump usual = {
	.version = 6,
	.block_size = 4096,
	.machine = "x86_64",
	.max_pfn = NR_PAGES,
	.flags = FAKE_ZLIB,
};

struct opened {
	struct nmibt_kdump *kdump;
	struct nmibt_image image;
};

static struct opened open_files(unsigned int nr, struct fake_kdump *const *fakes)
{
	const struct nmibt_file *files[8];
	struct opened o;

	for (unsigned int i = 0; i < nr; i++)
		files[i] = &fakes[i]->file;
	assert_null(nmibt_kdump_open(nr, files, &o.kdump));
	nmibt_kdump_image(o.kdump, &o.image);
	return o;
}

static struct opened open_one(struct fake_kdump *fake)
{
	return open_files(1, &fake);
}

static enum nmibt_read read_at(const struct opened *o, uint64_t paddr, void *buf, size_t len)
{
	return o->image.ops->read_phys(o->image.ctx, paddr, buf, len);
}

/* Reads a page and checks its contents; returns the status. */
static enum nmibt_read status_of(const struct opened *o, uint64_t pfn)
{
	size_t size = o->image.page_size;
	uint8_t *expected = malloc(size), *got = malloc(size);
	enum nmibt_read status = read_at(o, pfn * size, got, size);

	if (status == NMIBT_READ_OK) {
		fake_page(pfn, expected, size);
		assert_memory_equal(expected, got, size);
		assert_int_equal(read_at(o, pfn * size + 1000, got, 77), NMIBT_READ_OK);
		assert_memory_equal(expected + 1000, got, 77);
	}
	free(expected);
	free(got);
	return status;
}

static enum nmibt_read expected_status(uint64_t pfn)
{
	if (pfn >= NR_PAGES || !fake_is_memory(pfn))
		return NMIBT_READ_ERROR;
	return fake_is_held(pfn) ? NMIBT_READ_OK : NMIBT_READ_EXCLUDED;
}

static void check_pages(const struct opened *o)
{
	char byte;

	for (uint64_t pfn = 0; pfn < NR_PAGES + 10; pfn++)
		assert_int_equal(status_of(o, pfn), expected_status(pfn));
	for (uint64_t pfn = NR_PAGES; pfn--;)
		assert_int_equal(status_of(o, pfn), expected_status(pfn));
	assert_int_equal(read_at(o, UINT64_MAX, &byte, 1), NMIBT_READ_ERROR);
}

static void check_ranges(const struct opened *o, bool (*is_held)(uint64_t pfn))
{
	uint64_t size = o->image.page_size, pfn = 0, from = 0;
	struct nmibt_range range;

	while (o->image.ops->next_range(o->image.ctx, from, &range)) {
		while (!is_held(pfn))
			pfn++;
		assert_int_equal(range.start, pfn * size);
		while (pfn < NR_PAGES && is_held(pfn))
			pfn++;
		from = range.start + range.size;
		assert_int_equal(from, pfn * size);
	}
	for (; pfn < NR_PAGES; pfn++)
		assert_false(is_held(pfn));
}

static void check_lost(const struct opened *o, const char *word)
{
	const char *lost = o->image.lost;

	if (word && (!lost || !strstr(lost, word)))
		fail_msg("'%s' is not in '%s'", word, lost ? lost : "nothing");
	if (!word)
		assert_null(lost);
	assert_null(nmibt_kdump_remark(o->kdump));
}

/* ----------------------------------------------------------------- whole files */

/* The release in VMCOREINFO, which the caller frees; NULL: there is none. */
static char *release_of(const struct nmibt_image *image)
{
	char *text = image->ops->vmcoreinfo_text(image->ctx);
	char *line = text ? strstr(text, "OSRELEASE=") : NULL;
	char *release = line ? strndup(line + 10, strcspn(line + 10, "\n")) : NULL;

	free(text);
	return release;
}

static void check_notes(const struct opened *o, unsigned int version)
{
	char *notes, *release = release_of(&o->image);
	size_t len;
	struct nmibt_error *err = nmibt_kdump_notes(o->kdump, &notes, &len);

	if (version >= 3)
		assert_string_equal(release, "6.12.0");
	else
		assert_null(release);
	free(release);
	if (version >= 4) {
		assert_null(err);
		assert_int_equal(len, strlen(FAKE_NOTES));
		assert_memory_equal(notes, FAKE_NOTES, len);
		free(notes);
	} else {
		assert_int_equal(err->code, NMIBT_ERR_NOTHING);
		nmibt_error_destroy(err);
	}
}

static void test_versions(void **state)
{
	(void)state;
	for (unsigned int version = 0; version <= 7; version++) {
		struct fake_kdump fake = usual;

		fake.version = version;
		fake_kdump_make(&fake);
		struct opened o = open_one(&fake);
		assert_int_equal(o.image.page_size, 4096);
		assert_int_equal(o.image.arch, NMIBT_ARCH_X86_64);
		check_pages(&o);
		check_ranges(&o, fake_is_held);
		check_notes(&o, version);
		check_lost(&o, NULL);
		nmibt_kdump_close(o.kdump);
		fake_kdump_free(&fake);
	}
	nmibt_kdump_close(NULL);
}

static void test_compressions(void **state)
{
	static const uint32_t flags[] = {FAKE_RAW, FAKE_ZLIB, FAKE_LZO, FAKE_SNAPPY, FAKE_ZSTD};
	static const uint32_t block_sizes[] = {4096, 16384, 65536};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags) * ARRAY_SIZE(block_sizes); i++) {
		struct fake_kdump fake = usual;

		fake.flags = flags[i / ARRAY_SIZE(block_sizes)];
		fake.block_size = block_sizes[i % ARRAY_SIZE(block_sizes)];
		fake_kdump_make(&fake);
		struct opened o = open_one(&fake);
		assert_int_equal(o.image.page_size, fake.block_size);
		check_pages(&o);
		check_lost(&o, NULL);
		nmibt_kdump_close(o.kdump);
		fake_kdump_free(&fake);
	}
}

static void test_machines(void **state)
{
	static const struct {
		const char *name;
		enum nmibt_arch arch;
	} machines[] = {
		{"x86_64", NMIBT_ARCH_X86_64},	 {"aarch64", NMIBT_ARCH_ARM64},
		{"", NMIBT_ARCH_UNKNOWN},	 {"x86_64x", NMIBT_ARCH_UNKNOWN},
		{"ppc64le", NMIBT_ARCH_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		struct fake_kdump fake = usual;

		fake.machine = machines[i].name;
		fake_kdump_make(&fake);
		struct opened o = open_one(&fake);
		assert_int_equal(o.image.arch, machines[i].arch);
		nmibt_kdump_close(o.kdump);
		fake_kdump_free(&fake);
	}
}

static void test_reads_and_ranges(void **state)
{
	struct fake_kdump fake = usual;
	struct nmibt_range range;
	char buf[8192];

	(void)state;
	fake_kdump_make(&fake);
	struct opened o = open_one(&fake);
	/* A read must stay within one page. */
	assert_int_equal(read_at(&o, 7 * 4096, buf, 4097), NMIBT_READ_ERROR);
	assert_int_equal(read_at(&o, 8 * 4096 - 1, buf, 2), NMIBT_READ_ERROR);
	/* Pages 7 to 20 are held, except 13. */
	assert_true(o.image.ops->next_range(o.image.ctx, 9 * 4096 + 5, &range));
	assert_int_equal(range.start, 9 * 4096 + 5);
	assert_int_equal(range.size, 4 * 4096 - 5);
	assert_false(o.image.ops->next_range(o.image.ctx, NR_PAGES * 4096ull, &range));
	assert_false(o.image.ops->next_range(o.image.ctx, UINT64_MAX, &range));
	nmibt_kdump_close(o.kdump);
	fake_kdump_free(&fake);
}

/* ----------------------------------------------------------------------- split */

static void make_parts(unsigned int version, struct fake_kdump *parts)
{
	static const uint64_t borders[] = {0, 111, 500, NR_PAGES};

	for (unsigned int i = 0; i < 3; i++) {
		parts[i] = usual;
		parts[i].version = version;
		parts[i].split = true;
		parts[i].start_pfn = borders[i];
		parts[i].end_pfn = borders[i + 1];
		fake_kdump_make(&parts[i]);
	}
}

static void check_refused(unsigned int nr, struct fake_kdump *const *fakes, const char *why)
{
	const struct nmibt_file *files[8];
	struct nmibt_kdump *untouched = (void *)&untouched, *kdump = untouched;

	for (unsigned int i = 0; i < nr; i++)
		files[i] = &fakes[i]->file;
	struct nmibt_error *err = nmibt_kdump_open(nr, files, &kdump);
	assert_non_null(err);
	assert_int_equal(err->code, NMIBT_ERR_UNUSABLE);
	if (!strstr(err->message, why) || !strstr(err->message, "/proc/self/fd/"))
		fail_msg("'%s' is not in '%s'", why, err->message);
	assert_ptr_equal(kdump, untouched);
	nmibt_error_destroy(err);
}

static void test_split(void **state)
{
	static const unsigned int orders[][3] = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
	struct fake_kdump parts[3];

	(void)state;
	for (unsigned int version = 2; version <= 6; version++) {
		make_parts(version, parts);
		for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
			struct fake_kdump *fakes[] = {&parts[orders[i][0]], &parts[orders[i][1]],
						      &parts[orders[i][2]]};
			struct opened o = open_files(3, fakes);
			check_pages(&o);
			check_ranges(&o, fake_is_held);
			check_lost(&o, NULL);
			nmibt_kdump_close(o.kdump);
		}
		/* A part that is named twice does not mean that another is missing. */
		struct fake_kdump *fakes[] = {&parts[1], &parts[0], &parts[1], &parts[2]};
		struct opened o = open_files(4, fakes);
		check_pages(&o);
		check_ranges(&o, fake_is_held);
		check_lost(&o, NULL);
		nmibt_kdump_close(o.kdump);
		for (unsigned int i = 0; i < 3; i++)
			fake_kdump_free(&parts[i]);
	}
}

static bool is_held_without_middle(uint64_t pfn)
{
	return (pfn < 111 || pfn >= 500) && fake_is_held(pfn);
}

static void test_missing_parts(void **state)
{
	struct fake_kdump parts[3];

	(void)state;
	make_parts(6, parts);
	for (unsigned int missing = 0; missing < 3; missing++) {
		struct fake_kdump *fakes[] = {&parts[(missing + 2) % 3], &parts[(missing + 1) % 3]};
		struct opened o = open_files(2, fakes);

		for (uint64_t pfn = 0; pfn < NR_PAGES + 3; pfn++) {
			bool there =
				pfn < parts[missing].start_pfn || pfn >= parts[missing].end_pfn;
			assert_int_equal(status_of(&o, pfn),
					 there ? expected_status(pfn) : NMIBT_READ_ERROR);
		}
		if (missing == 1)
			check_ranges(&o, is_held_without_middle);
		check_lost(&o, "others are missing");
		nmibt_kdump_close(o.kdump);
	}
	for (unsigned int i = 0; i < 3; i++)
		fake_kdump_free(&parts[i]);
}

static bool is_held_at_first(uint64_t pfn)
{
	return pfn < 320 && fake_is_held(pfn);
}

/* One part lies in the middle of another, which no program ever writes. */
static void test_overlapping_parts(void **state)
{
	struct fake_kdump outer = usual, inner = usual;

	(void)state;
	outer.split = inner.split = true;
	outer.end_pfn = NR_PAGES;
	inner.start_pfn = 320;
	inner.end_pfn = 400;
	fake_kdump_make(&outer);
	fake_kdump_make(&inner);
	struct opened o = open_files(2, (struct fake_kdump *[]){&inner, &outer});
	for (uint64_t pfn = 0; pfn < NR_PAGES; pfn++)
		assert_int_equal(status_of(&o, pfn),
				 pfn < 400 ? expected_status(pfn) : NMIBT_READ_ERROR);
	check_ranges(&o, is_held_at_first);
	nmibt_kdump_close(o.kdump);
	fake_kdump_free(&outer);
	fake_kdump_free(&inner);
}

static void test_not_parts(void **state)
{
	struct fake_kdump whole = usual, other = usual, part = usual;

	(void)state;
	fake_kdump_make(&whole);
	part.split = true;
	part.end_pfn = 100;
	fake_kdump_make(&part);
	other.split = true;
	other.end_pfn = 100;
	other.max_pfn = NR_PAGES - 1;
	fake_kdump_make(&other);
	check_refused(2, (struct fake_kdump *[]){&part, &whole}, "not a part of a split dump");
	check_refused(2, (struct fake_kdump *[]){&part, &other}, "not parts of the same dump");
	fake_kdump_free(&whole);
	fake_kdump_free(&other);

	/* Of another crash of the same machine: another time in the header or in VMCOREINFO. */
	other.max_pfn = NR_PAGES;
	for (unsigned int i = 0; i < 2; i++) {
		fake_kdump_make(&other);
		fake_put_u32(&other, i ? other.block_size + 200 + 10 : 408, 1);
		fake_kdump_reopen(&other);
		check_refused(2, (struct fake_kdump *[]){&part, &other},
			      "not parts of the same dump");
		fake_kdump_free(&other);
	}
	fake_kdump_free(&part);
}

/* ------------------------------------------------------------------ incomplete */

static void test_incomplete(void **state)
{
	struct fake_kdump fake = usual;

	(void)state;
	fake.incomplete = true;
	fake_kdump_make(&fake);
	/* The last pages were not written. */
	for (unsigned int i = 100; fake_desc_at(&fake, i) < fake.data_at; i++)
		fake_put_desc(&fake, i, 0, 0, 0);
	fake_kdump_reopen(&fake);
	struct opened o = open_one(&fake);
	for (uint64_t pfn = 0, i = 0; pfn < NR_PAGES; pfn++)
		assert_int_equal(status_of(&o, pfn),
				 fake_is_held(pfn) && i++ < 100 ? NMIBT_READ_OK : NMIBT_READ_ERROR);
	check_lost(&o, "incomplete");
	nmibt_kdump_close(o.kdump);
	fake_kdump_free(&fake);
}

/* ----------------------------------------------------------------------- large */

/* 32 TiB: more than the bitmap's index can cover with chunks of the smallest size. */
static void test_large(void **state)
{
	static const uint64_t pfns[] = {5, (1ull << 32) + 7, (1ull << 32) + 8, (1ull << 33) - 1};
	struct fake_kdump fake = usual;
	struct nmibt_range range;
	uint64_t from = 0;
	uint8_t page[4096];

	(void)state;
	fake.max_pfn = 1ull << 33;
	fake_kdump_begin(&fake);
	for (size_t i = 0; i < ARRAY_SIZE(pfns); i++) {
		fake_put_bit(&fake, fake.held_at, pfns[i]);
		fake_put_bit(&fake, fake.memory_at, pfns[i]);
		fake_page(pfns[i], page, sizeof(page));
		fake_put_desc(&fake, i, fake.descs_at + 4096 * (i + 1), sizeof(page), FAKE_RAW);
		fake_put(&fake, fake.descs_at + 4096 * (i + 1), page, sizeof(page));
	}
	fake_put_bit(&fake, fake.memory_at, 1ull << 32);
	fake_kdump_reopen(&fake);
	struct opened o = open_one(&fake);
	check_lost(&o, NULL);
	for (size_t i = ARRAY_SIZE(pfns); i--;)
		assert_int_equal(status_of(&o, pfns[i]), NMIBT_READ_OK);
	assert_int_equal(status_of(&o, 1ull << 32), NMIBT_READ_EXCLUDED);
	assert_int_equal(status_of(&o, 4), NMIBT_READ_ERROR);
	assert_int_equal(status_of(&o, 1ull << 33), NMIBT_READ_ERROR);
	for (size_t i = 0; i < ARRAY_SIZE(pfns); i += i == 1 ? 2 : 1) {
		assert_true(o.image.ops->next_range(o.image.ctx, from, &range));
		assert_int_equal(range.start, pfns[i] * 4096);
		assert_int_equal(range.size, i == 1 ? 8192 : 4096);
		from = range.start + range.size;
	}
	assert_false(o.image.ops->next_range(o.image.ctx, from, &range));
	nmibt_kdump_close(o.kdump);
	assert_int_equal(ftruncate(fake.fd, fake.end - 1), 0);
	fake_kdump_reopen(&fake);
	o = open_one(&fake);
	check_lost(&o, "truncated: it ends");
	nmibt_kdump_close(o.kdump);
	fake_kdump_free(&fake);
}

static uint64_t no_hole(const struct nmibt_file *file, uint64_t offset)
{
	return offset < file->size ? file->size : offset;
}

static uint64_t data_everywhere(const struct nmibt_file *file, uint64_t offset)
{
	(void)file;
	return offset;
}

/* Counting the bits of a bitmap of more than 64 TiB takes too long, if it has no holes. */
static void test_not_counted(void **state)
{
	struct nmibt_file file = {
		.size = 1ull << 40,
		.next_data = data_everywhere,
		.next_hole = no_hole,
	};
	struct nmibt_blocks blocks = {.file = &file};
	struct nmibt_bitmap bitmap;

	(void)state;
	nmibt_bitmap_init(&blocks, 4096, 1ull << 34, &bitmap);
	assert_true(nmibt_bitmap_is_small(&bitmap));
	nmibt_bitmap_init(&blocks, 4096, (1ull << 34) + 8, &bitmap);
	assert_false(nmibt_bitmap_is_small(&bitmap));
}

/* --------------------------------------------------------------------- damaged */

static void test_headers_refused(void **state)
{
	static const struct {
		unsigned int at;
		uint32_t value;
		const char *why;
	} changes[] = {
		{0, 0, "not a kdump-compressed dump"},
		{FAKE_BLOCK_SIZE_AT, 0, "blocks of 0 bytes"},
		{FAKE_BLOCK_SIZE_AT, 4095, "blocks of 4095 bytes"},
		{FAKE_BLOCK_SIZE_AT, 2048, "blocks of 2048 bytes"},
		{FAKE_BLOCK_SIZE_AT, 1u << 31, "blocks of 2147483648 bytes"},
		{FAKE_BLOCK_SIZE_AT, UINT32_MAX, "blocks of"},
		{FAKE_SUB_BLOCKS_AT, 0, "a sub-header of 0 blocks"},
		{FAKE_BITMAP_BLOCKS_AT, 0, "0 blocks of bitmaps"},
		{FAKE_BITMAP_BLOCKS_AT, 1, "1 blocks of bitmaps"},
		{4096 + FAKE_SUB_MAX_PFN_64_AT + 4, 1, "for 4294967996 pages"},
		{4096 + FAKE_SUB_MAX_PFN_64_AT + 4, UINT32_MAX, "pages of memory"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct fake_kdump fake = usual;

		fake_kdump_make(&fake);
		fake_put_u32(&fake, changes[i].at, changes[i].value);
		check_refused(1, (struct fake_kdump *[]){&fake}, changes[i].why);
		fake_kdump_free(&fake);
	}
}

static void test_other_machines_refused(void **state)
{
	struct fake_kdump *fake = &(struct fake_kdump){0};

	(void)state;
	*fake = usual;
	fake->machine = "s390x";
	fake_kdump_make(fake);
	fake_put_u32(fake, FAKE_BLOCK_SIZE_AT, __builtin_bswap32(4096));
	fake_put_u32(fake, FAKE_SUB_BLOCKS_AT, __builtin_bswap32(2));
	check_refused(1, &fake, "a big-endian machine (s390x)");
	fake_kdump_free(fake);

	*fake = usual;
	fake->machine = "armv7l";
	fake_kdump_make(fake);
	/* max_mapnr of a machine with 256 MiB stands where the block size would be. */
	fake_put_u32(fake, 416, 4096);
	fake_put_u32(fake, 420, 1);
	fake_put_u32(fake, FAKE_BLOCK_SIZE_AT, 65536);
	fake_put_u32(fake, FAKE_SUB_BLOCKS_AT, 0);
	check_refused(1, &fake, "a 32-bit machine (armv7l)");
	fake_kdump_free(fake);
}

/* One page is damaged; the others must be unchanged. */
static void test_descriptors(void **state)
{
	struct fake_kdump fake = usual;

	(void)state;
	fake_kdump_make(&fake);
	uint64_t end = fake.end, at = fake.data_at;
	uint8_t page[4096], packed[FAKE_ROOM(sizeof(page))];
	uint8_t *whole = malloc(4096);
	memset(page, 'x', sizeof(page));
	size_t short_len = fake_compress(FAKE_ZLIB, page, 4095, packed);
	fake_put(&fake, end, packed, short_len);
	memset(whole, 'y', 4096);
	fake_put(&fake, end + 4096, whole, 4096);
	free(whole);
	const struct {
		uint64_t offset;
		uint32_t size, flags;
	} descs[] = {
		{0, 0, 0},
		{at, 0, FAKE_ZLIB},
		{at, 0, FAKE_RAW},
		{at, 4095, FAKE_RAW},
		{at, 4097, FAKE_RAW},
		{at, 4096, FAKE_LZO},
		{at, 40, FAKE_SNAPPY},
		{at, 40, FAKE_ZSTD},
		{at, 5, FAKE_ZLIB},
		{at, UINT32_MAX, FAKE_ZLIB},
		{at, 40, FAKE_ZLIB | FAKE_LZO},
		{at, 4096, 8},
		{at, 4096, 1u << 31},
		{end, short_len, FAKE_ZLIB}, /* decompresses to 4095 bytes */
		{end + 4096, 4096, FAKE_ZLIB},
		{end + 4097, 4096, FAKE_RAW}, /* beyond the end */
		{UINT64_MAX, 4096, FAKE_RAW},
		{UINT64_MAX - 4095, 4096, FAKE_RAW},
		{INT64_MAX, 4096, FAKE_ZLIB},
		{100, 4096, FAKE_RAW}, /* data of a page can't be in the header */
	};

	for (size_t i = 0; i < ARRAY_SIZE(descs); i++) {
		/* The descriptor of page 7, the second page that is held. */
		fake_put_desc(&fake, 1, descs[i].offset, descs[i].size, descs[i].flags);
		fake_kdump_reopen(&fake);
		struct opened o = open_one(&fake);
		assert_int_equal(status_of(&o, 7), NMIBT_READ_ERROR);
		assert_int_equal(status_of(&o, 2), NMIBT_READ_OK);
		assert_int_equal(status_of(&o, 8), NMIBT_READ_OK);
		assert_int_equal(status_of(&o, 7), NMIBT_READ_ERROR);
		nmibt_kdump_close(o.kdump);
	}
	fake_kdump_free(&fake);
}

/* The header says what compression to expect, and no library is loaded for another one. */
static void test_compression_of_header(void **state)
{
	struct fake_kdump fake = usual;

	(void)state;
	fake.flags = FAKE_LZO;
	fake_kdump_make(&fake);
	for (unsigned int status = 0; status <= FAKE_ALL; status++) {
		if (status & ~FAKE_ALL)
			continue;
		fake_put_u32(&fake, FAKE_STATUS_AT, status);
		fake_kdump_reopen(&fake);
		struct opened o = open_one(&fake);
		assert_int_equal(nmibt_kdump_peek_status(fake.file.fd), status);
		assert_int_equal(status_of(&o, 7),
				 status & FAKE_LZO ? NMIBT_READ_OK : NMIBT_READ_ERROR);
		assert_null(nmibt_kdump_remark(o.kdump));
		nmibt_kdump_close(o.kdump);
	}
	fake_put(&fake, 0, "KDUMQ", 5);
	fake_kdump_reopen(&fake);
	assert_int_equal(nmibt_kdump_peek_status(fake.file.fd), 0);
	fake_kdump_free(&fake);
}

/* Data that decompresses to another length than a page's must not be written beyond the page. */
static void test_lengths(void **state)
{
	static const uint32_t flags[] = {FAKE_ZLIB, FAKE_LZO, FAKE_SNAPPY, FAKE_ZSTD};
	static const size_t lengths[] = {1, 4095, 4097, 8192, 65536};
	static uint8_t bytes[65536], packed[FAKE_ROOM(sizeof(bytes))];
	struct fake_kdump fake = usual;

	(void)state;
	fake_kdump_make(&fake);
	uint64_t end = fake.end;
	for (size_t i = 0; i < ARRAY_SIZE(flags) * ARRAY_SIZE(lengths); i++) {
		uint32_t how = flags[i / ARRAY_SIZE(lengths)];
		size_t len = fake_compress(how, bytes, lengths[i % ARRAY_SIZE(lengths)], packed);

		assert_true(len <= 4096);
		fake_put(&fake, end, packed, len);
		fake_put_desc(&fake, 1, end, len, how);
		fake_kdump_reopen(&fake);
		struct opened o = open_one(&fake);
		assert_int_equal(status_of(&o, 7), NMIBT_READ_ERROR);
		assert_int_equal(status_of(&o, 8), NMIBT_READ_OK);
		nmibt_kdump_close(o.kdump);
	}
	fake_kdump_free(&fake);
}

/* The rest of a cut file must not return wrong data. */
static void test_cut(void **state)
{
	struct fake_kdump fake = usual;

	(void)state;
	fake.max_pfn = 120;
	fake_kdump_make(&fake);
	for (uint64_t size = fake.end - 1; size > 300; size -= size > 5000 ? 191 : 7) {
		struct nmibt_kdump *kdump;
		const struct nmibt_file *file = &fake.file;
		struct nmibt_range range;

		assert_int_equal(ftruncate(fake.fd, size), 0);
		fake_kdump_reopen(&fake);
		struct nmibt_error *err = nmibt_kdump_open(1, &file, &kdump);
		if (err) {
			assert_true(size < 4096 + 104);
			nmibt_error_destroy(err);
			continue;
		}
		struct opened o = {.kdump = kdump};
		nmibt_kdump_image(kdump, &o.image);
		check_lost(&o, "truncated");
		for (uint64_t pfn = 0; pfn < 120; pfn++) {
			enum nmibt_read status = status_of(&o, pfn);

			assert_true(status == NMIBT_READ_ERROR || status == expected_status(pfn));
			if (size < fake.held_at)
				assert_int_equal(status, NMIBT_READ_ERROR);
		}
		for (uint64_t from = 0; o.image.ops->next_range(o.image.ctx, from, &range);
		     from = range.start + range.size)
			assert_true(range.size && range.start >= from);
		nmibt_kdump_close(kdump);
	}
	fake_kdump_free(&fake);
}

/* The last pages are zeros, whose data comes first: the page before them shows that the file is
 * cut. */
static void test_cut_before_zeros(void **state)
{
	struct fake_kdump fake = usual;

	(void)state;
	fake_kdump_make(&fake);
	unsigned int nr = (fake.data_at - fake.descs_at) / 24;
	uint64_t end = fake.end;
	for (unsigned int i = nr - 300; i < nr; i++)
		fake_put_desc(&fake, i, fake.data_at, 40, FAKE_ZLIB);
	fake_put_desc(&fake, nr - 301, end - 40, 40, FAKE_ZLIB);
	fake_kdump_reopen(&fake);
	struct opened o = open_one(&fake);
	check_lost(&o, NULL);
	nmibt_kdump_close(o.kdump);
	assert_int_equal(ftruncate(fake.fd, end - 1), 0);
	fake_kdump_reopen(&fake);
	o = open_one(&fake);
	check_lost(&o, "truncated");
	nmibt_kdump_close(o.kdump);
	fake_kdump_free(&fake);
}

/* The file is truncated while it is open. */
static void test_shrinks(void **state)
{
	struct fake_kdump fake = usual;

	(void)state;
	fake_kdump_make(&fake);
	struct opened o = open_one(&fake);
	assert_int_equal(status_of(&o, 2), NMIBT_READ_OK);
	assert_int_equal(ftruncate(fake.fd, 100), 0);
	assert_int_equal(status_of(&o, 2), NMIBT_READ_OK);
	assert_int_equal(status_of(&o, 500), NMIBT_READ_ERROR);
	nmibt_kdump_close(o.kdump);
	fake_kdump_free(&fake);
}

/* Notes with a hostile size are read up to the end of the file. */
static void test_notes_size(void **state)
{
	struct fake_kdump fake = usual;
	char *notes;
	size_t len;

	(void)state;
	fake_kdump_make(&fake);
	fake_put_u64(&fake, 4096 + FAKE_SUB_NOTES_AT + 8, UINT64_MAX);
	fake_put_u64(&fake, 4096 + FAKE_SUB_VMCOREINFO_AT + 8, UINT64_MAX);
	struct opened o = open_one(&fake);
	assert_null(nmibt_kdump_notes(o.kdump, &notes, &len));
	assert_int_equal(len, fake.end - 4096 - 400);
	free(notes);
	char *release = release_of(&o.image);
	assert_string_equal(release, "6.12.0");
	free(release);
	nmibt_kdump_close(o.kdump);

	fake_put_u64(&fake, 4096 + FAKE_SUB_NOTES_AT, UINT64_MAX);
	fake_put_u64(&fake, 4096 + FAKE_SUB_VMCOREINFO_AT, fake.end);
	o = open_one(&fake);
	struct nmibt_error *err = nmibt_kdump_notes(o.kdump, &notes, &len);
	assert_int_equal(err->code, NMIBT_ERR_NOTHING);
	nmibt_error_destroy(err);
	assert_null(release_of(&o.image));
	nmibt_kdump_close(o.kdump);
	fake_kdump_free(&fake);
}

/* ---------------------------------------------------------------------- bitmap */

static bool bytes_read(const struct nmibt_file *file, uint64_t offset, void *buf, size_t len)
{
	memcpy(buf, (const char *)file->ctx + offset, len);
	return true;
}

/* next_data() tells where the holes are, or does not. */
static uint64_t bytes_next_data(const struct nmibt_file *file, uint64_t offset)
{
	const char *bytes = file->ctx;

	while (offset < file->size && !bytes[offset])
		offset++;
	return offset;
}

static void check_bitmap(const uint8_t *bytes, size_t size, uint64_t at, uint64_t nr_bits,
			 bool holes)
{
	struct nmibt_file file = {.size = size,
				  .read = bytes_read,
				  .next_data = holes ? bytes_next_data : NULL,
				  .ctx = bytes,
				  .fd = -1};
	struct nmibt_blocks blocks;
	struct nmibt_bitmap bitmap;
	uint64_t rank = 0, got, next[2] = {nr_bits, nr_bits};
	bool bit;

	assert_null(nmibt_blocks_open(&file, &blocks));
	nmibt_bitmap_init(&blocks, at, nr_bits, &bitmap);
	for (uint64_t i = 0; i < nr_bits; i++) {
		assert_true(nmibt_bitmap_rank(&bitmap, i, &got));
		assert_int_equal(got, rank);
		assert_true(nmibt_bitmap_test(&bitmap, i, &bit));
		rank += bit;
	}
	assert_true(nmibt_bitmap_rank(&bitmap, nr_bits, &got));
	assert_int_equal(got, rank);
	assert_false(nmibt_bitmap_rank(&bitmap, nr_bits + 1, &got));
	assert_false(nmibt_bitmap_test(&bitmap, nr_bits, &bit));
	for (uint64_t i = nr_bits; i--;) {
		next[bytes[at + i / 8] >> i % 8 & 1] = i;
		assert_int_equal(nmibt_bitmap_find(&bitmap, i, UINT64_MAX, true), next[1]);
		assert_int_equal(nmibt_bitmap_find(&bitmap, i, UINT64_MAX, false), next[0]);
		uint64_t end = i + 3 < nr_bits ? i + 3 : nr_bits;
		assert_int_equal(nmibt_bitmap_find(&bitmap, i, end, true),
				 next[1] < end ? next[1] : end);
	}
	nmibt_bitmap_destroy(&bitmap);
	nmibt_blocks_close(&blocks);
}

static void test_bitmap(void **state)
{
	enum { SIZE = 24000 };
	uint8_t *bytes = calloc(1, SIZE);
	uint32_t seed = 1;

	(void)state;
	for (unsigned int i = 0; i < SIZE; i++) {
		seed = seed * 1103515245 + 12345;
		/* The bitmap has noise, blocks of zeros, ones, and single bits. */
		bytes[i] = i < 3000    ? seed >> 16
			   : i < 15000 ? 0
			   : i < 17000 ? 0xff
				       : (seed >> 16 & 0x1ff) == 3;
	}
	for (unsigned int i = 0; i < 4; i++) {
		check_bitmap(bytes, SIZE, 0, SIZE * 8, i & 1);
		check_bitmap(bytes, SIZE, 4096, 99999 + i, i & 1);
		check_bitmap(bytes, SIZE, 100 + i, 2048 * 8, i & 1);
		check_bitmap(bytes, SIZE, 14900, i, i & 1);
	}
	free(bytes);
}

/* ----------------------------------------------------------------------- cache */

static bool fill_with_key(void *ctx, uint64_t key, void *buf)
{
	unsigned int *calls = ctx;

	++*calls;
	memset(buf, (int)key, 64);
	return key != 1000;
}

static void test_cache(void **state)
{
	struct nmibt_cache *cache;
	unsigned int calls = 0;

	(void)state;
	assert_null(nmibt_cache_new(64, 64, &cache));
	for (unsigned int round = 0; round < 3; round++) {
		for (uint64_t key = 0; key < 64; key++) {
			const uint8_t *piece = nmibt_cache_get(cache, key, fill_with_key, &calls);
			assert_int_equal(piece[63], key);
		}
	}
	assert_int_equal(calls, 64);
	/* A failure is not cached, but it evicts the oldest piece of its set. */
	assert_null(nmibt_cache_get(cache, 1000, fill_with_key, &calls));
	assert_null(nmibt_cache_get(cache, 1000, fill_with_key, &calls));
	assert_int_equal(calls, 66);
	for (uint64_t key = 63; key--;)
		nmibt_cache_get(cache, key, fill_with_key, &calls);
	assert_int_equal(calls, 67);
	nmibt_cache_free(cache);
	nmibt_cache_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_compressions),
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_reads_and_ranges),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_missing_parts),
		cmocka_unit_test(test_overlapping_parts),
		cmocka_unit_test(test_not_parts),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_not_counted),
		cmocka_unit_test(test_headers_refused),
		cmocka_unit_test(test_other_machines_refused),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_compression_of_header),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_before_zeros),
		cmocka_unit_test(test_shrinks),
		cmocka_unit_test(test_notes_size),
		cmocka_unit_test(test_bitmap),
		cmocka_unit_test(test_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
