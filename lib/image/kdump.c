// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page that the dump holds has a bit in the second bitmap and a descriptor. The descriptors are
 * sorted by page number, so that the number of set bits before a page's bit is the index of its
 * descriptor (makedumpfile.c: read_page_desc(), 1.7.8). In a part of a split dump both bitmaps
 * cover the whole machine, and the first descriptor is that of the part's first page.
 */
#include <endian.h>

#include "image/bitmap.h"
#include "image/cache.h"
#include "image/decompress.h"
#include "image/image.h"
#include "image/kdump.h"
#include "image/reader.h"

/* The same limits as in elf.c. */
#define MAX_VMCOREINFO (1 << 20)
#define MAX_NOTE_BYTES (64 << 20)
/* So many descriptors are looked at to see whether the file is whole. */
#define MAX_LAST_DESCS 65536

/* struct page_desc, 24 bytes */
struct desc {
	uint64_t offset; /* of the page's data in the file */
	uint32_t size;
	uint32_t flags; /* how it is compressed */
	uint64_t page_flags; /* nobody uses it */
};

/* DUMP_DH_COMPRESSED_* */
static const uint32_t compression_flags[NMIBT_NR_COMPRESSIONS] = {
	[NMIBT_ZLIB] = 0x1,
	[NMIBT_LZO] = 0x2,
	[NMIBT_SNAPPY] = 0x4,
	[NMIBT_ZSTD] = 0x20,
};

struct part {
	const struct nmibt_file *file;
	struct nmibt_kdump_header header;
	uint64_t start_pfn, end_pfn; /* the pages that it has descriptors for */
	uint64_t first_rank; /* number of set bits before start_pfn, if has_first_rank */
	bool has_first_rank;
	struct nmibt_blocks blocks; /* of the file; the bitmaps are read through it */
	struct nmibt_bitmap memory, held;
};

struct nmibt_kdump {
	struct part *parts; /* in order of start_pfn */
	unsigned int nr_parts;
	uint32_t block_size;
	struct nmibt_cache *pages; /* by pfn */
	void *packed; /* one block, for a page before it is decompressed */
	struct nmibt_decompressor *decompressor;
	char *vmcoreinfo; /* NULL: none */
	const char *lost; /* for nmibt_image.lost */
};

/* -------------------------------------------------------------------- pages */

/* The last part that begins at pfn or before it; NULL: none. */
static struct part *part_before(const struct nmibt_kdump *kdump, uint64_t pfn)
{
	unsigned int low = 0, high = kdump->nr_parts;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (kdump->parts[middle].start_pfn <= pfn)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &kdump->parts[low - 1] : NULL;
}

/* *ret: the index of the descriptor of a page that the part holds. */
static bool desc_number(struct part *part, uint64_t pfn, uint64_t *ret)
{
	uint64_t rank;

	if (!part->has_first_rank)
		part->has_first_rank =
			nmibt_bitmap_rank(&part->held, part->start_pfn, &part->first_rank);
	if (!part->has_first_rank || !nmibt_bitmap_rank(&part->held, pfn, &rank))
		return false;
	*ret = rank - part->first_rank;
	return true;
}

void nmibt_kdump_preload(int fd)
{
	uint32_t status = nmibt_kdump_peek_status(fd);

	for (unsigned int i = 0; i < NMIBT_NR_COMPRESSIONS; i++) {
		if (status & compression_flags[i])
			nmibt_decompress_preload(i);
	}
}

static bool read_desc(struct part *part, uint64_t number, struct desc *ret)
{
	if (!nmibt_blocks_read(&part->blocks, part->header.descs_at + number * sizeof(*ret), ret,
			       sizeof(*ret)))
		return false;
	ret->offset = le64toh(ret->offset);
	ret->size = le32toh(ret->size);
	ret->flags = le32toh(ret->flags);
	return true;
}

static bool desc_of_page(struct part *part, uint64_t pfn, struct desc *ret)
{
	uint64_t number;

	return desc_number(part, pfn, &number) && read_desc(part, number, ret);
}

/* The data of pages follows the descriptors. A page is compressed only if that makes it smaller. In
 * an incomplete dump the descriptor of a page that is missing is all zeros. */
static bool read_page(struct nmibt_kdump *kdump, const struct part *part, const struct desc *desc,
		      void *buf)
{
	if (desc->offset < part->header.descs_at || desc->size > kdump->block_size)
		return false;
	if (!desc->flags)
		return desc->size == kdump->block_size &&
		       nmibt_file_read(part->file, desc->offset, buf, desc->size);
	/* makedumpfile and QEMU name in the header each compression but zlib's that they use. A
	 * flag of another one is damage, for which no library is loaded. */
	if (desc->flags & ~(part->header.status | compression_flags[NMIBT_ZLIB]))
		return false;
	for (unsigned int i = 0; i < NMIBT_NR_COMPRESSIONS; i++) {
		if (desc->flags == compression_flags[i])
			return nmibt_file_read(part->file, desc->offset, kdump->packed,
					       desc->size) &&
			       nmibt_decompress(kdump->decompressor, i, kdump->packed, desc->size,
						buf, kdump->block_size);
	}
	return false;
}

/* The status of a page that the dump does not hold. An incomplete dump does not tell whether the
 * page was left out or would still have been written. */
static enum nmibt_read why_not_held(const struct part *part, uint64_t pfn)
{
	bool is_memory;

	if (part->header.incomplete || !nmibt_bitmap_test(&part->memory, pfn, &is_memory) ||
	    !is_memory)
		return NMIBT_READ_ERROR;
	return NMIBT_READ_EXCLUDED;
}

static enum nmibt_read fetch_page(void *ctx, uint64_t pfn, void *buf)
{
	struct nmibt_kdump *kdump = ctx;
	struct part *part = part_before(kdump, pfn);
	struct desc desc;
	bool held;

	if (!part || pfn >= part->end_pfn || !nmibt_bitmap_test(&part->held, pfn, &held))
		return NMIBT_READ_ERROR;
	if (!held)
		return why_not_held(part, pfn);
	return desc_of_page(part, pfn, &desc) && read_page(kdump, part, &desc, buf)
		       ? NMIBT_READ_OK
		       : NMIBT_READ_ERROR;
}

static enum nmibt_read kdump_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_kdump *kdump = ctx;

	return nmibt_cache_read(kdump->pages, paddr, buf, len, fetch_page, kdump);
}

/* ------------------------------------------------------------------- ranges */

/* Number of descriptors that fit into the file. A set bit beyond that number means nothing. */
static uint64_t max_descs(const struct part *part)
{
	uint64_t at = part->header.descs_at;

	return at < part->file->size ? (part->file->size - at) / sizeof(struct desc) : 0;
}

/* *ret: the first page from pfn on that a part holds and whose descriptor can be in the file. */
static bool find_held(struct nmibt_kdump *kdump, uint64_t pfn, uint64_t *ret)
{
	struct part *part = part_before(kdump, pfn);

	for (part = part ? part : kdump->parts; part < kdump->parts + kdump->nr_parts; part++) {
		uint64_t from = pfn > part->start_pfn ? pfn : part->start_pfn, number;

		if (from >= part->end_pfn)
			continue;
		from = nmibt_bitmap_find(&part->held, from, part->end_pfn, true);
		if (from < part->end_pfn && desc_number(part, from, &number) &&
		    number < max_descs(part)) {
			*ret = from;
			return true;
		}
	}
	return false;
}

/* The end of the run of held pages that contains pfn, at most the end of its part. */
static uint64_t end_of_run(struct nmibt_kdump *kdump, uint64_t pfn)
{
	struct part *part = part_before(kdump, pfn);
	uint64_t end = nmibt_bitmap_find(&part->held, pfn, part->end_pfn, false), number;

	if (desc_number(part, pfn, &number) && max_descs(part) - number < end - pfn)
		end = pfn + max_descs(part) - number;
	return end;
}

static bool kdump_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	struct nmibt_kdump *kdump = ctx;
	uint64_t first, next;

	if (!find_held(kdump, from / kdump->block_size, &first))
		return false;
	uint64_t end = end_of_run(kdump, first);
	while (find_held(kdump, end, &next) && next == end)
		end = end_of_run(kdump, next);
	uint64_t start = first * kdump->block_size;
	if (start < from)
		start = from;
	*ret = (struct nmibt_range){.start = start, .size = end * kdump->block_size - start};
	return true;
}

/* -------------------------------------------------------------------- notes */

/* The bytes of a part that the file has, at most most bytes, with a NUL behind it; NULL:
 * nothing. */
static char *read_part(const struct nmibt_file *file, const struct nmibt_kdump_part *part,
		       size_t most, size_t *ret_len)
{
	uint64_t len = part->size < most ? part->size : most;

	if (part->offset >= file->size)
		return NULL;
	if (len > file->size - part->offset)
		len = file->size - part->offset;
	char *bytes = len ? malloc(len + 1) : NULL;
	if (!bytes || !nmibt_file_read(file, part->offset, bytes, len)) {
		free(bytes);
		return NULL;
	}
	bytes[len] = 0;
	*ret_len = len;
	return bytes;
}

struct nmibt_error *nmibt_kdump_notes(const struct nmibt_kdump *kdump, char **ret, size_t *ret_len)
{
	for (unsigned int i = 0; i < kdump->nr_parts; i++) {
		const struct part *part = &kdump->parts[i];
		char *notes = read_part(part->file, &part->header.notes, MAX_NOTE_BYTES, ret_len);

		if (notes) {
			*ret = notes;
			return NULL;
		}
	}
	return nmibt_error_create(NMIBT_ERR_NOTHING, "%s: no notes in it",
				  kdump->parts[0].file->path);
}

static char *kdump_notes(void *ctx, size_t *ret_len)
{
	char *notes = NULL;

	nmibt_error_destroy(nmibt_kdump_notes(ctx, &notes, ret_len));
	return notes;
}

static char *kdump_vmcoreinfo_text(void *ctx)
{
	struct nmibt_kdump *kdump = ctx;

	return kdump->vmcoreinfo ? strdup(kdump->vmcoreinfo) : NULL;
}

/* Each part has the same VMCOREINFO, so the first one that can be read is used. */
static void read_vmcoreinfo(struct nmibt_kdump *kdump)
{
	size_t len;

	for (unsigned int i = 0; i < kdump->nr_parts && !kdump->vmcoreinfo; i++) {
		const struct part *part = &kdump->parts[i];

		kdump->vmcoreinfo =
			read_part(part->file, &part->header.vmcoreinfo, MAX_VMCOREINFO, &len);
	}
}

/* --------------------------------------------------------------------- open */

static struct nmibt_error *read_header(struct part *part, const struct nmibt_file *file)
{
	struct nmibt_kdump_header *header = &part->header;
	struct nmibt_error *err = nmibt_kdump_header_read(file, header);

	part->file = file;
	if (err)
		return err;
	part->end_pfn = header->max_pfn;
	if (header->split) {
		part->start_pfn = header->start_pfn;
		if (header->end_pfn < part->end_pfn)
			part->end_pfn = header->end_pfn;
	}
	return NULL;
}

static struct nmibt_error *open_bitmaps(struct part *part)
{
	const struct nmibt_kdump_header *header = &part->header;

	nmibt_bitmap_init(&part->blocks, header->memory_at, header->max_pfn, &part->memory);
	nmibt_bitmap_init(&part->blocks, header->held_at, header->max_pfn, &part->held);
	return nmibt_blocks_open(part->file, &part->blocks);
}

static int compare_parts(const void *a, const void *b)
{
	uint64_t x = ((const struct part *)a)->start_pfn, y = ((const struct part *)b)->start_pfn;

	return (x > y) - (x < y);
}

/* makedumpfile copies one header and one VMCOREINFO into all parts (makedumpfile.c:
 * write_kdump_header(), 1.7.2). A part need not have been copied as a whole. */
static bool is_same_crash(const struct part *a, const struct part *b)
{
	size_t len_a, len_b;
	_cleanup_free_ char *x = read_part(a->file, &a->header.vmcoreinfo, MAX_VMCOREINFO, &len_a);
	_cleanup_free_ char *y = read_part(b->file, &b->header.vmcoreinfo, MAX_VMCOREINFO, &len_b);

	if (memcmp(a->header.timestamp, b->header.timestamp, sizeof(a->header.timestamp)))
		return false;
	return !x || !y || !memcmp(x, y, len_a < len_b ? len_a : len_b);
}

static struct nmibt_error *check_parts(const struct nmibt_kdump *kdump)
{
	const struct part *first = &kdump->parts[0];

	for (unsigned int i = 0; i < kdump->nr_parts; i++) {
		const struct part *part = &kdump->parts[i];

		if (kdump->nr_parts > 1 && !part->header.split)
			return nmibt_error_create(NMIBT_ERR_UNUSABLE,
						  "%s: not a part of a split dump; name it alone",
						  part->file->path);
		if (part->header.block_size != first->header.block_size ||
		    part->header.max_pfn != first->header.max_pfn ||
		    strcmp(part->header.machine, first->header.machine) ||
		    !is_same_crash(first, part))
			return nmibt_error_create(NMIBT_ERR_UNUSABLE,
						  "%s and %s are not parts of the same dump",
						  first->file->path, part->file->path);
	}
	return NULL;
}

static bool are_all_there(const struct nmibt_kdump *kdump)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < kdump->nr_parts; i++) {
		const struct part *part = &kdump->parts[i];

		if (part->start_pfn > end)
			return false;
		if (part->end_pfn > end)
			end = part->end_pfn;
	}
	return end >= kdump->parts[0].header.max_pfn;
}

/* Where two parts claim a page, as when the caller named one part twice, the later part gets it. */
static void part_them(struct nmibt_kdump *kdump)
{
	for (unsigned int i = 0; i + 1 < kdump->nr_parts; i++) {
		struct part *part = &kdump->parts[i];

		if (part->end_pfn > part[1].start_pfn)
			part->end_pfn = part[1].start_pfn;
	}
}

static struct nmibt_error *open_parts(struct nmibt_kdump *kdump, unsigned int nr,
				      const struct nmibt_file *const *files)
{
	struct nmibt_error *err = NULL;

	kdump->parts = calloc(nr, sizeof(*kdump->parts));
	if (!kdump->parts)
		return nmibt_error_nomem();
	kdump->nr_parts = nr;
	for (unsigned int i = 0; i < nr && !err; i++)
		err = read_header(&kdump->parts[i], files[i]);
	if (!err)
		err = check_parts(kdump);
	if (err)
		return err;
	qsort(kdump->parts, nr, sizeof(*kdump->parts), compare_parts);
	if (!are_all_there(kdump))
		kdump->lost = "this is a part of a split dump, and others are missing: name them "
			      "all";
	part_them(kdump);
	for (unsigned int i = 0; i < nr && !err; i++)
		err = open_bitmaps(&kdump->parts[i]);
	return err;
}

static bool is_beyond(const struct nmibt_kdump_part *part, uint64_t size)
{
	return part->size && (part->offset > size || part->size > size - part->offset);
}

/* True: the file ends before the data of a page. The data is in the order of the descriptors, but
 * all pages of zeros share one, which comes first (makedumpfile.c:
 * write_kdump_pages_and_bitmap_cyclic(), 1.7.2; QEMU's dump.c: write_dump_pages(), 7.2). So the
 * last descriptor of another page decides. */
static bool lacks_pages(struct part *part)
{
	uint64_t size = part->file->size, nr;
	struct desc desc;

	if (!desc_number(part, part->end_pfn, &nr) || nr > max_descs(part))
		return true;
	uint64_t data_at = part->header.descs_at + nr * sizeof(desc);
	for (uint64_t i = nr; i && nr - i < MAX_LAST_DESCS; i--) {
		if (!read_desc(part, i - 1, &desc))
			return true;
		if (desc.offset > size || desc.size > size - desc.offset)
			return true;
		if (desc.offset > data_at)
			return false;
	}
	return false;
}

static const char *find_loss(struct part *part)
{
	uint64_t size = part->file->size;

	if (is_beyond(&part->header.vmcoreinfo, size) || is_beyond(&part->header.notes, size))
		return NMIBT_FILE_TRUNCATED;
	if (!nmibt_bitmap_is_small(&part->held))
		return NMIBT_FILE_NOT_COUNTED;
	return lacks_pages(part) ? NMIBT_FILE_TRUNCATED : NULL;
}

static void look_for_losses(struct nmibt_kdump *kdump)
{
	for (unsigned int i = 0; i < kdump->nr_parts && !kdump->lost; i++) {
		if (kdump->parts[i].header.incomplete)
			kdump->lost = NMIBT_DUMP_INCOMPLETE;
	}
	for (unsigned int i = 0; i < kdump->nr_parts && !kdump->lost; i++)
		kdump->lost = find_loss(&kdump->parts[i]);
}

static struct nmibt_error *open_kdump(struct nmibt_kdump *kdump, unsigned int nr,
				      const struct nmibt_file *const *files)
{
	struct nmibt_error *err = open_parts(kdump, nr, files);

	if (err)
		return err;
	kdump->block_size = kdump->parts[0].header.block_size;
	kdump->packed = malloc(kdump->block_size);
	if (!kdump->packed)
		return nmibt_error_nomem();
	err = nmibt_cache_of_pages(kdump->block_size, &kdump->pages);
	if (!err)
		err = nmibt_decompressor_new(&kdump->decompressor);
	if (err)
		return err;
	read_vmcoreinfo(kdump);
	look_for_losses(kdump);
	return NULL;
}

struct nmibt_error *nmibt_kdump_open(unsigned int nr, const struct nmibt_file *const *files,
				     struct nmibt_kdump **ret)
{
	struct nmibt_kdump *kdump = calloc(1, sizeof(*kdump));
	if (!kdump)
		return nmibt_error_nomem();

	struct nmibt_error *err = open_kdump(kdump, nr, files);
	if (err) {
		nmibt_kdump_close(kdump);
		return err;
	}
	*ret = kdump;
	return NULL;
}

void nmibt_kdump_close(struct nmibt_kdump *kdump)
{
	if (!kdump)
		return;
	for (unsigned int i = 0; i < kdump->nr_parts; i++) {
		nmibt_bitmap_destroy(&kdump->parts[i].memory);
		nmibt_bitmap_destroy(&kdump->parts[i].held);
		nmibt_blocks_close(&kdump->parts[i].blocks);
	}
	free(kdump->parts);
	nmibt_cache_free(kdump->pages);
	nmibt_decompressor_free(kdump->decompressor);
	free(kdump->packed);
	free(kdump->vmcoreinfo);
	free(kdump);
}

void nmibt_kdump_image(struct nmibt_kdump *kdump, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = kdump_read_phys,
		.vmcoreinfo_text = kdump_vmcoreinfo_text,
		.next_range = kdump_next_range,
		.notes = kdump_notes,
	};

	*ret = (struct nmibt_image){
		.ops = &ops,
		.ctx = kdump,
		.arch = nmibt_arch_by_machine(kdump->parts[0].header.machine),
		.page_size = kdump->block_size,
		.phys_base = {true, kdump->parts[0].header.phys_base},
		.lost = kdump->lost,
	};
}

const char *nmibt_kdump_remark(const struct nmibt_kdump *kdump)
{
	return nmibt_decompress_complaint(kdump->decompressor);
}

/* ---------------------------------------------------------------- as a reader */

static struct nmibt_error *reader_open(unsigned int nr, const struct nmibt_file *const *files,
				       bool may_crash, void **ret)
{
	struct nmibt_kdump *opened;
	struct nmibt_error *err = nmibt_kdump_open(nr, files, &opened);

	(void)may_crash;
	if (!err)
		*ret = opened;
	return err;
}

static void reader_image(void *dump, struct nmibt_image *ret)
{
	nmibt_kdump_image(dump, ret);
}

static const char *reader_remark(const void *dump)
{
	return nmibt_kdump_remark(dump);
}

static void reader_close(void *dump)
{
	nmibt_kdump_close(dump);
}

const struct nmibt_reader nmibt_kdump_reader = {
	.may_be_split = true,
	.knows = nmibt_is_kdump,
	.open = reader_open,
	.image = reader_image,
	.remark = reader_remark,
	.close = reader_close,
};
