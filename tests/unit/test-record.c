// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records: what is written is read back; a lower priority never takes the room of a higher one,
 * whatever the size; a cut costs the chunks behind it, and a changed byte the chunk that it is in.
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "image/reader.h"
#include "record/record.h"

#define ID 0x12345678
#define NR_CHUNKS 12
#define MAX_FILE 65536

struct file {
	char data[MAX_FILE];
	size_t len;
};

static bool write_to(void *ctx, const char *data, size_t len)
{
	struct file *file = ctx;

	assert_true(len <= sizeof(file->data) - file->len);
	memcpy(file->data + file->len, data, len);
	file->len += len;
	return true;
}

/* The items of chunk i of the tests: other ones, of other sizes, in each. Large ones are between
 * small ones, so that one that does not fit is followed by some that would. */
static void make_items(unsigned int i, struct nmibt_bytes *ret)
{
	size_t len = i % 3 == 1 ? 900 : 40 + 7 * i;
	char bytes[1024];
	uint64_t last = 0;

	*ret = (struct nmibt_bytes){0};
	for (size_t j = 0; j < len; j++)
		bytes[j] = (char)((j * 2654435761u + i * 40503u) >> 13);
	const struct nmibt_item item = {
		.kind = NMIBT_ITEM_MEMORY, .key = 0x1000 * i, .data = {bytes, len}};
	assert_null(nmibt_item_add(ret, &item, &last));
}

static size_t write_record(size_t size, struct file *file)
{
	static const char *const names[] = {"the machine", "traces", "the older log"};
	struct nmibt_record_writer *writer;
	size_t nr = 0;

	file->len = 0;
	assert_null(nmibt_record_writer_new(size, ID, write_to, file, &writer));
	for (unsigned int i = 0; i < NR_CHUNKS; i++) {
		struct nmibt_bytes items;

		make_items(i, &items);
		assert_null(nmibt_record_put(writer, names[i / 5], &items));
		nr += !nmibt_record_is_full(writer);
		free(items.s);
	}
	assert_null(nmibt_record_finish(writer));
	nmibt_record_writer_free(writer);
	return nr;
}

/* What was read. */
struct seen {
	unsigned int nr;
	unsigned int numbers[NR_CHUNKS + 1];
	bool has_last;
	char dropped[256];
};

static void note_dropped(struct seen *seen, const struct nmibt_bytes *items)
{
	struct nmibt_str cursor = {items->s, items->len};
	struct nmibt_item item;
	uint64_t last = 0;

	while (nmibt_item_next(&cursor, &last, &item)) {
		size_t len = strlen(seen->dropped);

		assert_int_equal(item.kind, NMIBT_ITEM_DROPPED);
		snprintf(seen->dropped + len, sizeof(seen->dropped) - len, "%.*s %d;",
			 (int)item.data.len, item.data.s, (int)item.key);
	}
}

/* Every chunk that is read is one that was written, with all of its items. */
static struct nmibt_error *check_chunk(void *ctx, const struct nmibt_chunk *chunk)
{
	struct seen *seen = ctx;
	struct nmibt_bytes items;

	assert_int_equal(chunk->id, ID);
	assert_true(seen->nr <= NR_CHUNKS && chunk->number <= NR_CHUNKS);
	seen->numbers[seen->nr++] = chunk->number;
	if (chunk->is_last) {
		seen->has_last = true;
		note_dropped(seen, &chunk->items);
		return NULL;
	}
	make_items(chunk->number, &items);
	assert_int_equal(chunk->items.len, items.len);
	assert_memory_equal(chunk->items.s, items.s, items.len);
	free(items.s);
	return NULL;
}

static unsigned int read_record(const char *data, size_t len, struct seen *ret)
{
	unsigned int damaged;

	*ret = (struct seen){0};
	assert_null(nmibt_record_read(data, len, check_chunk, ret, &damaged));
	return damaged;
}

/* ------------------------------------------------------------------------ priorities */

/* A record of any size has the first chunks, and as many of them as fit. */
static void no_lower_one_displaces_a_higher(void **state)
{
	struct file file, whole;
	size_t before = 0;

	(void)state;
	write_record(0, &whole);
	for (size_t size = NMIBT_RECORD_MIN; size < whole.len + 400; size++) {
		size_t nr = write_record(size, &file);
		struct seen seen;

		assert_true(file.len <= size);
		assert_true(nr >= before);
		before = nr;
		assert_int_equal(read_record(file.data, file.len, &seen), 0);
		assert_int_equal(seen.nr, nr + 1);
		for (unsigned int i = 0; i < seen.nr; i++)
			assert_int_equal(seen.numbers[i], i);
		assert_true(seen.has_last);
		assert_int_equal(*seen.dropped != '\0', nr < NR_CHUNKS);
	}
	assert_int_equal(before, NR_CHUNKS);
}

/* The chunk that did not fit would not have fitted behind the ones that are there. */
static void no_room_is_left_for_the_next(void **state)
{
	struct file file, more;

	(void)state;
	for (size_t size = NMIBT_RECORD_MIN; size < 3000; size += 131) {
		size_t nr = write_record(size, &file), next = size;

		while (write_record(next, &more) == nr)
			next++;
		/* It needs its own bytes, and those of the last chunk are kept free. */
		assert_true(next > size);
		assert_int_equal(write_record(next - 1, &more), nr);
	}
}

static void what_had_no_room_is_counted(void **state)
{
	struct file file;
	struct seen seen;

	(void)state;
	write_record(NMIBT_RECORD_MIN, &file);
	read_record(file.data, file.len, &seen);
	assert_non_null(strstr(seen.dropped, "the machine "));
	assert_non_null(strstr(seen.dropped, "traces "));
	assert_non_null(strstr(seen.dropped, "the older log "));
}

static void too_small_for_any(void **state)
{
	struct nmibt_record_writer *writer;
	struct file file;

	(void)state;
	struct nmibt_error *err =
		nmibt_record_writer_new(NMIBT_RECORD_MIN - 1, ID, write_to, &file, &writer);
	assert_non_null(err);
	assert_int_equal(nmibt_error_code(err), NMIBT_ERR_USAGE);
	nmibt_error_destroy(err);
}

/* ---------------------------------------------------------------------------- damage */

static void cut_at_any_byte(void **state)
{
	struct file file;

	(void)state;
	write_record(0, &file);
	for (size_t len = 0; len < file.len; len++) {
		struct seen seen;
		unsigned int damaged = read_record(file.data, len, &seen);

		assert_true(damaged <= 1);
		assert_false(seen.has_last);
		for (unsigned int i = 0; i < seen.nr; i++)
			assert_int_equal(seen.numbers[i], i);
	}
}

static void any_byte_changed(void **state)
{
	static const unsigned char changes[] = {0x01, 0x80, 0xff};
	struct file file;

	(void)state;
	write_record(0, &file);
	for (size_t at = 0; at < file.len; at++) {
		for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
			struct seen seen;

			file.data[at] ^= changes[i];
			read_record(file.data, file.len, &seen);
			file.data[at] ^= changes[i];
			assert_int_equal(seen.nr, NR_CHUNKS);
		}
	}
}

static void in_the_middle_of_something_else(void **state)
{
	static struct file file, other;
	struct seen seen;

	(void)state;
	write_record(0, &file);
	for (size_t i = 0; i < 5000; i++)
		other.data[i] = (char)(i * 2654435761u >> 11);
	memcpy(other.data + 1000, NMIBT_RECORD_MAGIC, NMIBT_RECORD_MAGIC_LEN);
	memcpy(other.data + 3001, file.data, file.len);
	assert_int_equal(read_record(other.data, 3001 + file.len + 700, &seen), 1);
	assert_int_equal(seen.nr, NR_CHUNKS + 1);
	assert_true(nmibt_record_is_in(other.data, 3001 + file.len));
	assert_false(nmibt_record_is_in(other.data, 3001));
}

/* Makes a chunk, with a right checksum, of nr bytes of items. Returns its size. */
static size_t make_chunk(char *chunk, uint16_t number, const char *items, size_t nr)
{
	uLongf size = compressBound(nr);

	assert_int_equal(
		compress((Bytef *)chunk + NMIBT_CHUNK_HEADER, &size, (const Bytef *)items, nr),
		Z_OK);
	memcpy(chunk, "\x89NBR\x01\x01\x00\x00\x78\x56\x34\x12", 12);
	number = htole16(number);
	memcpy(chunk + 6, &number, sizeof(number));
	uint32_t word = htole32(size);
	memcpy(chunk + 12, &word, 4);
	word = htole32(crc32(crc32(0, (const Bytef *)chunk, 16),
			     (const Bytef *)chunk + NMIBT_CHUNK_HEADER, size));
	memcpy(chunk + 16, &word, 4);
	return NMIBT_CHUNK_HEADER + size;
}

#define MAX_MADE (NMIBT_CHUNK_HEADER + NMIBT_CHUNK_MAX + 1024)

/* A chunk whose checksum is right, and whose items are too many bytes. */
static void a_chunk_of_too_many_bytes(void **state)
{
	char *items = calloc(1, NMIBT_CHUNK_MAX + 1), *file = malloc(MAX_MADE);
	struct seen seen;

	(void)state;
	for (size_t nr = NMIBT_CHUNK_MAX; nr <= NMIBT_CHUNK_MAX + 1; nr++) {
		size_t size = make_chunk(file, 0, items, nr);

		unsigned int damaged = read_record(file, size, &seen);
		assert_int_equal(damaged, nr > NMIBT_CHUNK_MAX);
		assert_int_equal(seen.nr, nr <= NMIBT_CHUNK_MAX);
	}
	free(items);
	free(file);
}

/* As many items as a chunk can have: the names, of no letters, of the address 0. */
#define TINY 3
#define NR_TINY (NMIBT_CHUNK_MAX / TINY)

static void make_tiny_items(struct nmibt_bytes *ret)
{
	const struct nmibt_item item = {.kind = NMIBT_ITEM_NAME};
	uint64_t last = 0;

	*ret = (struct nmibt_bytes){0};
	for (size_t i = 0; i < NR_TINY; i++)
		assert_null(nmibt_item_add(ret, &item, &last));
	assert_int_equal(ret->len, TINY * NR_TINY);
}

/* A record of nr chunks that have the same items, as the reader of records has it. The caller closes the
 * reader's dump, and the file. */
static void *open_made(unsigned int nr, const struct nmibt_bytes *items,
		       struct nmibt_file *ret_file, struct nmibt_image *ret_image)
{
	char path[] = "/tmp/nmibt-record-XXXXXX", *chunk = malloc(MAX_MADE);
	const struct nmibt_file *files[] = {ret_file};
	void *dump;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	for (unsigned int i = 0; i < nr; i++) {
		size_t size = make_chunk(chunk, i, items->s, items->len);

		assert_int_equal(write(fd, chunk, size), size);
	}
	close(fd);
	free(chunk);
	assert_null(nmibt_file_open(path, NULL, ret_file));
	unlink(path);
	assert_null(nmibt_recorded_reader.open(1, files, false, &dump));
	nmibt_recorded_reader.image(dump, ret_image);
	return dump;
}

/* What the reader of records says is lost of a record with nr chunks of tiny items. */
static void check_tiny_chunks(unsigned int nr, const char *said)
{
	struct nmibt_bytes items;
	struct nmibt_file file;
	struct nmibt_image image;

	make_tiny_items(&items);
	void *dump = open_made(nr, &items, &file, &image);
	assert_int_equal(!image.lost, !said);
	if (said)
		assert_non_null(strstr(image.lost, said));
	nmibt_recorded_reader.close(dump);
	nmibt_file_close(&file);
	free(items.s);
}

static void ranges_that_can_not_be_read(void **state)
{
	static const struct nmibt_item ranges[] = {
		{.kind = NMIBT_ITEM_UNREADABLE, .key = 0x1000, .second = 0x1000},
		{.kind = NMIBT_ITEM_UNREADABLE, .key = 0x1100, .second = 8},
		{.kind = NMIBT_ITEM_UNREADABLE, .key = -16ull, .second = 32},
	};
	static const struct {
		uint64_t paddr;
		enum nmibt_read status;
	} reads[] = {
		{0xfff, NMIBT_READ_EXCLUDED},  {0x1000, NMIBT_READ_ERROR},
		{0x1107, NMIBT_READ_ERROR},    {0x1200, NMIBT_READ_ERROR},
		{0x1fff, NMIBT_READ_ERROR},    {0x2000, NMIBT_READ_EXCLUDED},
		{-17ull, NMIBT_READ_EXCLUDED}, {-2ull, NMIBT_READ_ERROR},
	};
	struct nmibt_bytes items = {0};
	struct nmibt_file file;
	struct nmibt_image image;
	uint64_t last = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_null(nmibt_item_add(&items, &ranges[i], &last));
	void *dump = open_made(1, &items, &file, &image);
	for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++) {
		char byte;

		assert_int_equal(image.ops->read_phys(image.ctx, reads[i].paddr, &byte, 1),
				 reads[i].status);
	}
	nmibt_recorded_reader.close(dump);
	nmibt_file_close(&file);
	free(items.s);
}

static void a_record_of_too_many_items(void **state)
{
	(void)state;
	check_tiny_chunks(NMIBT_ITEMS_MAX / NR_TINY, NULL);
	check_tiny_chunks(NMIBT_ITEMS_MAX / NR_TINY + 1,
			  "it has more than 2097152 items, and those behind them were not read");
}

static bool write_nowhere(void *ctx, const char *data, size_t len)
{
	(void)ctx, (void)data, (void)len;
	return true;
}

/* Nor is one written. */
static void no_room_for_too_many_items(void **state)
{
	struct nmibt_record_writer *writer;
	struct nmibt_bytes items;
	unsigned int nr = 0;

	(void)state;
	make_tiny_items(&items);
	assert_null(nmibt_record_writer_new(0, ID, write_nowhere, NULL, &writer));
	for (; nr < 200 && !nmibt_record_is_full(writer); nr++)
		assert_null(nmibt_record_put(writer, "traces", &items));
	assert_int_equal(nr, NMIBT_ITEMS_MAX / NR_TINY + 1);
	nmibt_record_writer_free(writer);
	free(items.s);
}

/* Zeros are a short chunk, whose items no reader takes. */
static void no_room_for_a_chunk_of_too_many_bytes(void **state)
{
	static char zeros[NMIBT_CHUNK_MAX];
	struct nmibt_bytes items = {0};
	struct nmibt_record_writer *writer;
	uint64_t last = 0;

	(void)state;
	const struct nmibt_item item = {.kind = NMIBT_ITEM_MEMORY, .data = {zeros, sizeof(zeros)}};
	assert_null(nmibt_item_add(&items, &item, &last));
	assert_null(nmibt_record_writer_new(0, ID, write_nowhere, NULL, &writer));
	assert_null(nmibt_record_put(writer, "traces", &items));
	assert_true(nmibt_record_is_full(writer));
	nmibt_record_writer_free(writer);
	free(items.s);
}

/* No name has the bytes of another. */
static void too_many_names(void **state)
{
	static const char *const names[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"};
	static struct file file;
	struct nmibt_record_writer *writer;
	struct seen seen;

	(void)state;
	file.len = 0;
	assert_null(nmibt_record_writer_new(NMIBT_RECORD_MIN, ID, write_to, &file, &writer));
	for (unsigned int i = 0; i < 10; i++)
		nmibt_record_drop(writer, names[i], 1);
	assert_null(nmibt_record_finish(writer));
	nmibt_record_writer_free(writer);
	read_record(file.data, file.len, &seen);
	assert_string_equal(seen.dropped, "1 1;2 1;3 1;4 1;5 1;6 1;7 1;other things 3;");
}

/* Many headers that each claim as much as a chunk may have: tests/golden/run-cost has what that costs. */
static void headers_that_claim_much(void **state)
{
	const size_t nr = 1 << 18, len = nr * 16 + NMIBT_CHUNK_MAX + NMIBT_CHUNK_HEADER;
	char *file = calloc(1, len);
	uint32_t claim = htole32(NMIBT_CHUNK_MAX);
	struct seen seen;

	(void)state;
	assert_non_null(file);
	for (size_t i = 0; i < nr; i++) {
		memcpy(file + i * 16, "\x89NBR\x01\x01\x00\x00\x78\x56\x34\x12", 12);
		memcpy(file + i * 16 + 12, &claim, sizeof(claim));
	}
	assert_int_equal(read_record(file, len, &seen), nr);
	assert_false(nmibt_record_is_in(file, len));
	free(file);
}

/* ----------------------------------------------------------------------------- items */

static void numbers(void **state)
{
	static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, 1u << 31, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct nmibt_bytes bytes = {0};
		uint64_t value = ~values[i];

		assert_null(nmibt_bytes_add_number(&bytes, values[i]));
		for (size_t len = 0; len < bytes.len; len++) {
			struct nmibt_str cut = {bytes.s, len};

			assert_false(nmibt_take_number(&cut, &value));
		}
		struct nmibt_str cursor = {bytes.s, bytes.len};
		assert_true(nmibt_take_number(&cursor, &value));
		assert_int_equal(value, values[i]);
		assert_int_equal(cursor.len, 0);
		assert_int_equal(nmibt_unfold(nmibt_fold(values[i])), values[i]);
		free(bytes.s);
	}
	/* 65 bits */
	struct nmibt_str large = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10};
	uint64_t value;
	assert_false(nmibt_take_number(&large, &value));
}

#define STR(literal)                                                                               \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

static void every_kind_of_item(void **state)
{
	static const struct nmibt_item items[] = {
		{.kind = NMIBT_ITEM_TEXT, .data = STR("machine x86_64")},
		{.kind = NMIBT_ITEM_VMCOREINFO, .data = STR("PAGESIZE=4096\n")},
		{.kind = NMIBT_ITEM_MEMORY, .key = 0x1000, .data = STR("abc")},
		{.kind = NMIBT_ITEM_MEMORY, .key = 0x10, .data = STR("\0\1")},
		{.kind = NMIBT_ITEM_MEMORY, .key = UINT64_MAX - 8, .data = STR("x")},
		{.kind = NMIBT_ITEM_NAME, .key = UINT64_MAX, .data = STR("panic+0x1")},
		{.kind = NMIBT_ITEM_SYMBOL, .key = 7, .data = STR("nr_cpu_ids")},
		{.kind = NMIBT_ITEM_STACK, .key = 1, .second = 2, .data = STR("\1\0")},
		{.kind = NMIBT_ITEM_SUMMARY, .data = STR("CPU 0\n")},
		{.kind = NMIBT_ITEM_FILE, .key = 9, .name = STR("pmsg"), .data = STR("text")},
		{.kind = NMIBT_ITEM_DROPPED, .key = 99, .data = STR("traces")},
		{.kind = NMIBT_ITEM_UNREADABLE, .key = 0x4000, .second = 8},
		{.kind = NMIBT_ITEM_NOTES, .key = 4096, .data = STR("note")},
	};
	struct nmibt_bytes bytes = {0};
	struct nmibt_item item;
	uint64_t last = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		/* Kinds that a later version may have are passed over. */
		assert_null(nmibt_bytes_add(&bytes, "\x7f\x03xyz", 5));
		assert_null(nmibt_item_add(&bytes, &items[i], &last));
	}
	struct nmibt_str cursor = {bytes.s, bytes.len};
	last = 0;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		assert_true(nmibt_item_next(&cursor, &last, &item));
		assert_int_equal(item.kind, items[i].kind);
		assert_int_equal(item.key, items[i].key);
		assert_int_equal(item.second, items[i].second);
		assert_int_equal(item.name.len, items[i].name.len);
		assert_int_equal(item.data.len, items[i].data.len);
		if (item.data.len)
			assert_memory_equal(item.data.s, items[i].data.s, item.data.len);
	}
	assert_false(nmibt_item_next(&cursor, &last, &item));
	free(bytes.s);
}

static void items_that_make_no_sense(void **state)
{
	static const struct nmibt_str bad[] = {
		STR("\x01"), /* without a length */
		STR("\x01\x05"
		    "abc"), /* longer than the rest */
		STR("\x03\x01\x80"), /* an address without an end */
		STR("\x03\x01\x02"), /* memory of no bytes */
		STR("\x03\x03\x01\x61\x62"), /* memory beyond the last address */
		STR("\x08\x03\x00\x05\x61"), /* a name beyond the item */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct nmibt_str cursor = bad[i];
		struct nmibt_item item;
		uint64_t last = 0;

		assert_false(nmibt_item_next(&cursor, &last, &item));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_lower_one_displaces_a_higher),
		cmocka_unit_test(no_room_is_left_for_the_next),
		cmocka_unit_test(what_had_no_room_is_counted),
		cmocka_unit_test(too_small_for_any),
		cmocka_unit_test(cut_at_any_byte),
		cmocka_unit_test(any_byte_changed),
		cmocka_unit_test(in_the_middle_of_something_else),
		cmocka_unit_test(a_chunk_of_too_many_bytes),
		cmocka_unit_test(a_record_of_too_many_items),
		cmocka_unit_test(ranges_that_can_not_be_read),
		cmocka_unit_test(no_room_for_too_many_items),
		cmocka_unit_test(no_room_for_a_chunk_of_too_many_bytes),
		cmocka_unit_test(too_many_names),
		cmocka_unit_test(headers_that_claim_much),
		cmocka_unit_test(numbers),
		cmocka_unit_test(every_kind_of_item),
		cmocka_unit_test(items_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
