// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The structures are those of makedumpfile's sadump_mod.h (1.7.8): struct sadump_part_header,
 * struct sadump_header in the next block, what the firmware knows of the CPUs, two bitmaps, and the
 * pages that the second one names, in order. A copy on a medium has one more block before all that.
 *
 * libkdumpfile reads this format, too, but gives the first page of a run of pages for each of the
 * run (sadump.c: sadump_read_page(), 0.5.1 to 0.5.4).
 *
 * The registers of the CPUs are not read. They are in the firmware's order, and only the kernel's
 * tables of APIC IDs tell which of its CPUs each of them is.
 */
#include <endian.h>
#include <inttypes.h>

#include "image/bitmap.h"
#include "image/cache.h"
#include "image/little-endian.h"
#include "image/reader.h"
#include "image/sadump.h"

#define SIGNATURE "sadump\0"
#define BLOCK 4096
/* In the header of the partition: */
#define PARTITION_COMPRESS_AT 16
#define SET_DISK_SET_AT 152 /* the number of the disk in a set */
/* In the header of the dump: */
#define VERSION_AT 8
#define COMPRESS_AT 36 /* 0: pages are as they were in memory */
#define BLOCK_SIZE_AT 40
#define SUB_BLOCKS_AT 48 /* of what the firmware knows of the CPUs */
#define MEMORY_BLOCKS_AT 52
#define HELD_BLOCKS_AT 56
#define MAX_PFN_AT 60
#define NR_CPUS_AT 80
#define MAX_PFN_64_AT 88 /* from version 1 on */
#define HEAD_SIZE 120
/* Of a CPU: struct sadump_apic_state, struct sadump_smram_cpu_state. */
#define APIC_SIZE 16
#define EFER_AT 992
#define EFER_LMA (1 << 10) /* long mode is active */

#define MAX_CPUS 8192 /* of Linux on x86_64 */
#define MAX_PHYS_BITS 52

struct nmibt_sadump {
	const struct nmibt_file *file;
	uint64_t max_pfn;
	uint64_t memory_at, held_at; /* offsets of the bitmaps: pages of the machine, of the dump */
	uint64_t data_at; /* offset of the first page */
	uint64_t cpus_at; /* offset of what the firmware knows of the CPUs */
	uint32_t nr_cpus;
	struct nmibt_file
		reversed; /* the file, with the bits of each byte in the order of bitmap.h */
	struct nmibt_blocks blocks; /* of reversed */
	struct nmibt_bitmap memory, held;
	struct nmibt_cache *pages; /* by pfn */
	enum nmibt_arch arch;
	const char *lost;
};

/* -------------------------------------------------------------------- headers */

static bool has_signature(const struct nmibt_file *file, uint64_t at)
{
	char bytes[sizeof(SIGNATURE)];

	return nmibt_file_read(file, at, bytes, sizeof(bytes)) &&
	       !memcmp(bytes, SIGNATURE, sizeof(bytes));
}

bool nmibt_is_sadump(const struct nmibt_file *file)
{
	return has_signature(file, 0) || has_signature(file, BLOCK);
}

struct nmibt_error *nmibt_sadump_refuse_disk(const struct nmibt_file *file)
{
	uint32_t disk = 0;

	/* On a medium it is the number in the set that the medium was copied from. */
	if (!has_signature(file, 0) ||
	    !nmibt_file_read(file, SET_DISK_SET_AT, &disk, sizeof(disk)) || !disk)
		return NULL;
	return nmibt_error_create(
		NMIBT_ERR_UNUSABLE,
		"%s: a disk of a disk set of sadump; convert the set: makedumpfile "
		"-x VMLINUX --diskset=DISK... DUMP",
		file->path);
}

/* How the pages are packed then is not known. at: the offset of the second header, whose bytes are
 * head. */
static bool is_compressed(const struct nmibt_file *file, uint64_t at, const char *head)
{
	uint32_t how;

	return nmibt_u32_at(head, COMPRESS_AT) ||
	       (nmibt_file_read(file, at - BLOCK + PARTITION_COMPRESS_AT, &how, sizeof(how)) &&
		how);
}

static struct nmibt_error *read_header(struct nmibt_sadump *sadump)
{
	const struct nmibt_file *file = sadump->file;
	bool is_medium = !has_signature(file, 0);
	uint64_t at = is_medium ? 2 * BLOCK : BLOCK, most = (1ull << MAX_PHYS_BITS) / BLOCK;
	char head[HEAD_SIZE];
	struct nmibt_error *err = nmibt_sadump_refuse_disk(file);

	if (err)
		return err;
	if (!has_signature(file, at) || !nmibt_file_read(file, at, head, sizeof(head)))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: a sadump dump without its second header",
					  file->path);
	if (is_compressed(file, at, head))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: a sadump dump that is compressed, which can't be "
					  "read",
					  file->path);
	if (nmibt_u32_at(head, BLOCK_SIZE_AT) != BLOCK)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: a sadump dump with blocks of %" PRIu32
					  " bytes, %d expected",
					  file->path, nmibt_u32_at(head, BLOCK_SIZE_AT), BLOCK);
	uint64_t memory_bytes = (uint64_t)nmibt_u32_at(head, MEMORY_BLOCKS_AT) * BLOCK;
	uint64_t held_bytes = (uint64_t)nmibt_u32_at(head, HELD_BLOCKS_AT) * BLOCK;
	sadump->cpus_at = at + BLOCK;
	sadump->nr_cpus = nmibt_u32_at(head, NR_CPUS_AT);
	sadump->memory_at = at + (1ull + nmibt_u32_at(head, SUB_BLOCKS_AT)) * BLOCK;
	sadump->held_at = sadump->memory_at + memory_bytes;
	sadump->data_at = sadump->held_at + held_bytes;
	sadump->max_pfn = nmibt_u32_at(head, MAX_PFN_AT);
	if (nmibt_u32_at(head, VERSION_AT))
		sadump->max_pfn = nmibt_u64_at(head, MAX_PFN_64_AT);
	if (memory_bytes * 8 < sadump->max_pfn || held_bytes * 8 < sadump->max_pfn)
		return nmibt_error_create(
			NMIBT_ERR_UNUSABLE,
			"%s: a damaged sadump dump: its bitmaps are too small for "
			"%" PRIu64 " pages of memory",
			file->path, sadump->max_pfn);
	if (sadump->max_pfn > most)
		sadump->max_pfn = most;
	return NULL;
}

/* A CPU that the kernel never started is not in long mode. A 32-bit kernel's are not either: then
 * VMCOREINFO has to tell the architecture. */
static enum nmibt_arch find_arch(const struct nmibt_sadump *sadump)
{
	uint64_t at = sadump->cpus_at + sizeof(uint32_t) + (uint64_t)sadump->nr_cpus * APIC_SIZE;
	uint64_t efer;
	uint32_t size; /* of the states of all CPUs */

	if (!nmibt_file_read(sadump->file, sadump->cpus_at, &size, sizeof(size)))
		return NMIBT_ARCH_UNKNOWN;
	for (uint32_t i = 0; i < sadump->nr_cpus && i < MAX_CPUS; i++) {
		if (!nmibt_file_read(sadump->file, at + EFER_AT, &efer, sizeof(efer)))
			break;
		if (le64toh(efer) & EFER_LMA)
			return NMIBT_ARCH_X86_64;
		at += le32toh(size) / sadump->nr_cpus;
	}
	return NMIBT_ARCH_UNKNOWN;
}

/* -------------------------------------------------------------------- bitmaps */

/* The highest bit of a byte is the first page. */
static uint8_t reverse(uint8_t byte)
{
	byte = (byte & 0x55) << 1 | (byte >> 1 & 0x55);
	byte = (byte & 0x33) << 2 | (byte >> 2 & 0x33);
	return byte << 4 | byte >> 4;
}

static bool read_reversed(const struct nmibt_file *reversed, uint64_t offset, void *buf, size_t len)
{
	uint8_t *bytes = buf;

	if (!nmibt_file_read(reversed->ctx, offset, buf, len))
		return false;
	for (size_t i = 0; i < len; i++)
		bytes[i] = reverse(bytes[i]);
	return true;
}

static uint64_t reversed_next_data(const struct nmibt_file *reversed, uint64_t offset)
{
	const struct nmibt_file *file = reversed->ctx;

	return file->next_data ? file->next_data(file, offset) : offset;
}

static uint64_t reversed_next_hole(const struct nmibt_file *reversed, uint64_t offset)
{
	const struct nmibt_file *file = reversed->ctx;

	return file->next_hole ? file->next_hole(file, offset) : file->size;
}

static struct nmibt_error *open_bitmaps(struct nmibt_sadump *sadump)
{
	sadump->reversed = (struct nmibt_file){
		.path = sadump->file->path,
		.size = sadump->file->size,
		.read = read_reversed,
		.next_data = reversed_next_data,
		.next_hole = reversed_next_hole,
		.ctx = sadump->file,
		.fd = -1,
	};
	nmibt_bitmap_init(&sadump->blocks, sadump->memory_at, sadump->max_pfn, &sadump->memory);
	nmibt_bitmap_init(&sadump->blocks, sadump->held_at, sadump->max_pfn, &sadump->held);
	return nmibt_blocks_open(&sadump->reversed, &sadump->blocks);
}

/* How many pages the file has room for. */
static uint64_t max_pages(const struct nmibt_sadump *sadump)
{
	uint64_t size = sadump->file->size;

	return sadump->data_at < size ? (size - sadump->data_at) / BLOCK : 0;
}

/* -------------------------------------------------------------------- reads */

static enum nmibt_read fetch_page(void *ctx, uint64_t pfn, void *buf)
{
	struct nmibt_sadump *sadump = ctx;
	bool held, is_memory;
	uint64_t rank;

	if (!nmibt_bitmap_test(&sadump->held, pfn, &held))
		return NMIBT_READ_ERROR;
	if (held && nmibt_bitmap_rank(&sadump->held, pfn, &rank) &&
	    nmibt_file_read(sadump->file, sadump->data_at + rank * BLOCK, buf, BLOCK))
		return NMIBT_READ_OK;
	return !held && nmibt_bitmap_test(&sadump->memory, pfn, &is_memory) && is_memory
		       ? NMIBT_READ_EXCLUDED
		       : NMIBT_READ_ERROR;
}

static enum nmibt_read sadump_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_sadump *sadump = ctx;

	return nmibt_cache_read(sadump->pages, paddr, buf, len, fetch_page, sadump);
}

static bool sadump_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	struct nmibt_sadump *sadump = ctx;
	uint64_t first = nmibt_bitmap_find(&sadump->held, from / BLOCK, sadump->max_pfn, true);
	uint64_t end = nmibt_bitmap_find(&sadump->held, first, sadump->max_pfn, false), rank;

	/* A set bit beyond the pages that the file can have means nothing. */
	if (first >= end || !nmibt_bitmap_rank(&sadump->held, first, &rank) ||
	    rank >= max_pages(sadump))
		return false;
	if (end - first > max_pages(sadump) - rank)
		end = first + (max_pages(sadump) - rank);
	uint64_t start = first * BLOCK;
	if (start < from)
		start = from;
	*ret = (struct nmibt_range){.start = start, .size = end * BLOCK - start};
	return true;
}

/* -------------------------------------------------------------------- open */

/* The file was cut, or the partition was too small. */
static const char *find_losses(struct nmibt_sadump *sadump)
{
	uint64_t nr;

	if (!nmibt_bitmap_is_small(&sadump->held))
		return NMIBT_FILE_NOT_COUNTED;
	if (nmibt_bitmap_rank(&sadump->held, sadump->max_pfn, &nr) && nr <= max_pages(sadump))
		return NULL;
	return NMIBT_FILE_TRUNCATED;
}

static struct nmibt_error *open_sadump(struct nmibt_sadump *sadump)
{
	struct nmibt_error *err = read_header(sadump);

	if (!err)
		err = open_bitmaps(sadump);
	if (!err)
		err = nmibt_cache_of_pages(BLOCK, &sadump->pages);
	if (err)
		return err;
	sadump->arch = find_arch(sadump);
	sadump->lost = find_losses(sadump);
	return NULL;
}

struct nmibt_error *nmibt_sadump_open(const struct nmibt_file *file, struct nmibt_sadump **ret)
{
	struct nmibt_sadump *sadump = calloc(1, sizeof(*sadump));
	if (!sadump)
		return nmibt_error_nomem();

	sadump->file = file;
	struct nmibt_error *err = open_sadump(sadump);
	if (err) {
		nmibt_sadump_close(sadump);
		return err;
	}
	*ret = sadump;
	return NULL;
}

void nmibt_sadump_close(struct nmibt_sadump *sadump)
{
	if (!sadump)
		return;
	nmibt_bitmap_destroy(&sadump->memory);
	nmibt_bitmap_destroy(&sadump->held);
	nmibt_blocks_close(&sadump->blocks);
	nmibt_cache_free(sadump->pages);
	free(sadump);
}

void nmibt_sadump_image(struct nmibt_sadump *sadump, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = sadump_read_phys,
		.next_range = sadump_next_range,
	};

	*ret = (struct nmibt_image){
		.ops = &ops,
		.ctx = sadump,
		.arch = sadump->arch,
		.page_size = BLOCK,
		.lost = sadump->lost,
	};
}

/* ---------------------------------------------------------------- as a reader */

static struct nmibt_error *reader_open(unsigned int nr, const struct nmibt_file *const *files,
				       bool may_crash, void **ret)
{
	struct nmibt_sadump *opened;
	struct nmibt_error *err = nmibt_sadump_open(files[0], &opened);

	(void)nr;
	(void)may_crash;
	if (!err)
		*ret = opened;
	return err;
}

static void reader_image(void *dump, struct nmibt_image *ret)
{
	nmibt_sadump_image(dump, ret);
}

static void reader_close(void *dump)
{
	nmibt_sadump_close(dump);
}

const struct nmibt_reader nmibt_sadump_reader = {
	.knows = nmibt_is_sadump,
	.open = reader_open,
	.image = reader_image,
	.close = reader_close,
};
