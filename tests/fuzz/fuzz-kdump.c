// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A valid kdump-compressed dump with changes. The input is a byte of options, the offset
 * at which the file ends, and changes of a few bytes each, most of them to the data that
 * leads to the pages. Reads must stay within the file, and must not take longer than its
 * size justifies.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/fake-kdump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NR_PAGES 64
#define MAX_FILE 65536
#define MAX_RANGES 4096

/* The first byte of the input. */
#define OPTION_SPLIT 0x01 /* two parts, with the same changes */
#define OPTION_COMPRESSION 0x0e
#define OPTION_CUT 0x10
#define OPTION_HOLES 0x20 /* next_data() tells where the file has zeros */

static const uint32_t compressions[] = {FAKE_ZLIB, FAKE_LZO, FAKE_SNAPPY, FAKE_ZSTD, FAKE_RAW};

struct bytes {
	uint8_t data[MAX_FILE];
	size_t size;
};

/* Makes the dump once, because that takes system calls. */
static const struct bytes *sound_dump(unsigned int compression, unsigned int part)
{
	static struct bytes made[ARRAY_SIZE(compressions)][3];
	struct bytes *bytes = &made[compression][part];
	struct fake_kdump fake = {
		.version = 6,
		.block_size = 4096,
		.machine = "x86_64",
		.max_pfn = NR_PAGES,
		.flags = compressions[compression],
		.split = part,
		.start_pfn = part == 2 ? NR_PAGES / 2 : 0,
		.end_pfn = part == 1 ? NR_PAGES / 2 : NR_PAGES,
	};

	if (bytes->size)
		return bytes;
	fake_kdump_make(&fake);
	/* Uncompressed pages beyond MAX_FILE are missing, as if the dump was cut. */
	ssize_t n = pread(fake.fd, bytes->data, sizeof(bytes->data), 0);
	if (n <= 0)
		abort();
	bytes->size = n;
	fake_kdump_free(&fake);
	return bytes;
}

static bool bytes_read(const struct nmibt_file *file, uint64_t offset, void *buf, size_t len)
{
	const struct bytes *bytes = file->ctx;

	if (offset > bytes->size || len > bytes->size - offset)
		abort();
	memcpy(buf, bytes->data + offset, len);
	return true;
}

static uint64_t bytes_next_data(const struct nmibt_file *file, uint64_t offset)
{
	const struct bytes *bytes = file->ctx;

	while (offset < bytes->size && !bytes->data[offset])
		offset++;
	return offset;
}

/* Each change has an offset, one of two ways to choose it, and 1 to 8 bytes. */
static void change(struct bytes *bytes, const uint8_t *data, size_t size)
{
	while (size > 3) {
		/* Half of the changes go to the header's fields, in two places of 128 bytes. */
		size_t len = 1 + (data[0] & 7);
		size_t at = data[1] | data[2] << 8;

		if (data[0] & 0x80)
			at = (at & 128 ? 4096 : 400) + (at & 127);
		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		if (at < bytes->size && len <= bytes->size - at)
			memcpy(bytes->data + at, data, len);
		data += len;
		size -= len;
	}
}

static void read_page(const struct nmibt_image *image, uint64_t pfn)
{
	static uint8_t page[65536];
	uint64_t paddr;

	if (__builtin_mul_overflow(pfn, image->page_size, &paddr))
		return;
	enum nmibt_read status = image->ops->read_phys(image->ctx, paddr, page, image->page_size);
	/* The second read finds the page in the cache, or fails again. */
	if (image->ops->read_phys(image->ctx, paddr + 8, page, 8) != status)
		abort();
}

static void read_all(const struct nmibt_image *image)
{
	struct nmibt_range range;
	uint64_t from = 0;
	unsigned int nr = 0;

	if (!image->page_size || image->page_size & (image->page_size - 1) ||
	    image->page_size > 65536)
		abort();
	for (uint64_t pfn = 0; pfn < NR_PAGES + 2; pfn++)
		read_page(image, pfn);
	for (unsigned int bits = 7; bits < 64; bits += 3)
		read_page(image, (1ull << bits) + 1);
	while (image->ops->next_range(image->ctx, from, &range)) {
		if (!range.size || range.start < from || range.start + range.size <= range.start ||
		    ++nr > MAX_RANGES)
			abort();
		read_page(image, range.start / image->page_size);
		from = range.start + range.size;
		/* A range has no more pages than the file has room for descriptors. */
		if (range.size / image->page_size > MAX_FILE)
			abort();
	}
	free(image->ops->vmcoreinfo_text(image->ctx));
}

static void open_and_read(unsigned int nr, const struct nmibt_file *const *files)
{
	struct nmibt_kdump *kdump;
	struct nmibt_image image;
	char *notes;
	size_t len;
	struct nmibt_error *err = nmibt_kdump_open(nr, files, &kdump);

	if (err) {
		if (err->code != NMIBT_ERR_UNUSABLE || !*err->message)
			abort();
		nmibt_error_destroy(err);
		return;
	}
	nmibt_kdump_image(kdump, &image);
	read_all(&image);
	err = nmibt_kdump_notes(kdump, &notes, &len);
	if (!err)
		free(notes);
	nmibt_error_destroy(err);
	nmibt_kdump_remark(kdump);
	nmibt_kdump_close(kdump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bytes bytes[2];
	struct nmibt_file files[2];

	if (size < 3)
		return 0;
	unsigned int options = data[0], nr = options & OPTION_SPLIT ? 2 : 1;
	unsigned int compression = (options & OPTION_COMPRESSION) >> 1;
	uint16_t cut = data[1] | data[2] << 8;

	for (unsigned int i = 0; i < nr; i++) {
		bytes[i] = *sound_dump(compression % ARRAY_SIZE(compressions), nr == 1 ? 0 : i + 1);
		change(&bytes[i], data + 3, size - 3);
		if (options & OPTION_CUT && cut < bytes[i].size)
			bytes[i].size = cut;
		files[i] = (struct nmibt_file){
			.path = "fuzz",
			.size = bytes[i].size,
			.read = bytes_read,
			.next_data = options & OPTION_HOLES ? bytes_next_data : NULL,
			.ctx = &bytes[i],
			.fd = -1,
		};
	}
	open_and_read(nr, (const struct nmibt_file *const[]){&files[1 % nr], &files[0]});
	return 0;
}
