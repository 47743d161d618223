// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Layouts of 64-bit machines, from makedumpfile's diskdump_mod.h (1.7.8): struct
 * disk_dump_header at offset 0, struct kdump_sub_header in the next block, then the two bitmaps and
 * the page descriptors, each at the beginning of a block. QEMU writes the same
 * (include/sysemu/dump.h, 7.2). header_version tells which fields the sub-header has; version 6
 * (2013) added 64-bit page numbers.
 */
#include <inttypes.h>

#include "image/flattened.h"
#include "image/kdump-header.h"
#include "image/little-endian.h"

#define SIGNATURE "KDUMP   "
#define VERSION_AT 8
#define MACHINE_AT 272 /* utsname.machine */
#define MACHINE_SIZE 65
#define TIMESTAMP_AT 408
#define STATUS_AT 424
#define BLOCK_SIZE_AT 428
#define SUB_BLOCKS_AT 432 /* sub_hdr_size */
#define BITMAP_BLOCKS_AT 436
#define MAX_PFN_AT 440 /* max_mapnr */
#define HEAD_SIZE 464
/* On 32-bit machines struct timeval is shorter, so that these fields come earlier. */
#define BLOCK_SIZE_AT_32 416
#define SUB_BLOCKS_AT_32 420

#define INCOMPLETE 0x8 /* DUMP_DH_COMPRESSED_INCOMPLETE */

#define SUB_PHYS_BASE_AT 0
#define SUB_SPLIT_AT 12
#define SUB_START_PFN_AT 16
#define SUB_END_PFN_AT 24
#define SUB_VMCOREINFO_AT 32
#define SUB_NOTES_AT 48
#define SUB_START_PFN_64_AT 80
#define SUB_END_PFN_64_AT 88
#define SUB_MAX_PFN_64_AT 96
#define SUB_SIZE 104

/* The page sizes of Linux's architectures. */
#define MIN_BLOCK_SIZE 4096
#define MAX_BLOCK_SIZE 65536
/* Physical addresses of x86_64 and arm64 have at most 52 bits; that bounds the page numbers. */
#define MAX_PHYS_BITS 52

bool nmibt_is_kdump(const struct nmibt_file *file)
{
	char signature[sizeof(SIGNATURE) - 1];

	return nmibt_file_read(file, 0, signature, sizeof(signature)) &&
	       !memcmp(signature, SIGNATURE, sizeof(signature));
}

/* Programs write the header first, so that the first record of a flattened file has it. */
uint32_t nmibt_kdump_peek_status(int fd)
{
	char head[HEAD_SIZE];
	off_t at = nmibt_is_flattened(fd) ? NMIBT_FLATTENED_FIRST_AT : 0;

	if (nmibt_pread(fd, head, sizeof(head), at) != sizeof(head) ||
	    memcmp(head, SIGNATURE, sizeof(SIGNATURE) - 1))
		return 0;
	return nmibt_u32_at(head, STATUS_AT);
}

static bool is_layout(uint32_t block_size, uint32_t sub_blocks)
{
	return block_size >= MIN_BLOCK_SIZE && block_size <= MAX_BLOCK_SIZE &&
	       !(block_size & (block_size - 1)) && sub_blocks;
}

/* The header does not say whether it has the layout of a 64-bit or a 32-bit machine, or in which
 * byte order. But only in one layout is the block size a sensible number. */
static struct nmibt_error *check_layout(const char *head, const char *path, const char *machine)
{
	uint32_t size = nmibt_u32_at(head, BLOCK_SIZE_AT), sub = nmibt_u32_at(head, SUB_BLOCKS_AT);
	uint32_t size32 = nmibt_u32_at(head, BLOCK_SIZE_AT_32),
		 sub32 = nmibt_u32_at(head, SUB_BLOCKS_AT_32);
	const char *kind = NULL;

	if (is_layout(size, sub))
		return NULL;
	if (is_layout(__builtin_bswap32(size), __builtin_bswap32(sub)) ||
	    is_layout(__builtin_bswap32(size32), __builtin_bswap32(sub32)))
		kind = "big-endian";
	else if (is_layout(size32, sub32))
		kind = "32-bit";
	if (kind)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: a kdump-compressed dump of a %s machine (%s); "
					  "only 64-bit little-endian ones can be read",
					  path, kind, *machine ? machine : "unknown");
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "%s: a damaged kdump-compressed dump: blocks of %" PRIu32
				  " bytes, and a sub-header of %" PRIu32 " blocks",
				  path, size, sub);
}

/* The version says which fields the sub-header has; the others are padding and are not read. */
static void read_sub_header(const char *sub, uint32_t version, struct nmibt_kdump_header *header)
{
	header->phys_base = nmibt_u64_at(sub, SUB_PHYS_BASE_AT);
	if (version >= 2) {
		header->split = nmibt_u32_at(sub, SUB_SPLIT_AT);
		header->start_pfn = nmibt_u64_at(sub, SUB_START_PFN_AT);
		header->end_pfn = nmibt_u64_at(sub, SUB_END_PFN_AT);
	}
	if (version >= 3)
		header->vmcoreinfo =
			(struct nmibt_kdump_part){nmibt_u64_at(sub, SUB_VMCOREINFO_AT),
						  nmibt_u64_at(sub, SUB_VMCOREINFO_AT + 8)};
	if (version >= 4)
		header->notes = (struct nmibt_kdump_part){nmibt_u64_at(sub, SUB_NOTES_AT),
							  nmibt_u64_at(sub, SUB_NOTES_AT + 8)};
	if (version >= 6) {
		header->start_pfn = nmibt_u64_at(sub, SUB_START_PFN_64_AT);
		header->end_pfn = nmibt_u64_at(sub, SUB_END_PFN_64_AT);
		header->max_pfn = nmibt_u64_at(sub, SUB_MAX_PFN_64_AT);
	}
}

/* Each bitmap has half of the blocks. If a half has fewer bits than there are pages, one of the two
 * numbers is wrong, and the offsets of everything that follows may be wrong, too. */
static struct nmibt_error *place_bitmaps(const char *head, const char *path,
					 struct nmibt_kdump_header *header)
{
	uint64_t bitmap_blocks = nmibt_u32_at(head, BITMAP_BLOCKS_AT);
	uint64_t half = bitmap_blocks / 2 * header->block_size;
	uint64_t most = (1ull << MAX_PHYS_BITS) / header->block_size;

	if (half * 8 < header->max_pfn)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: a damaged kdump-compressed dump: %" PRIu64
					  " blocks of bitmaps for %" PRIu64 " pages of memory",
					  path, bitmap_blocks, header->max_pfn);
	header->memory_at = (1ull + nmibt_u32_at(head, SUB_BLOCKS_AT)) * header->block_size;
	header->held_at = header->memory_at + half;
	header->descs_at = header->memory_at + bitmap_blocks * header->block_size;
	if (header->max_pfn > most)
		header->max_pfn = most;
	return NULL;
}

struct nmibt_error *nmibt_kdump_header_read(const struct nmibt_file *file,
					    struct nmibt_kdump_header *ret)
{
	struct nmibt_kdump_header header = {0};
	char head[HEAD_SIZE], sub[SUB_SIZE];

	if (!nmibt_is_kdump(file) || !nmibt_file_read(file, 0, head, sizeof(head)))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: not a kdump-compressed dump, or cut in its header",
					  file->path);
	memcpy(header.machine, head + MACHINE_AT, MACHINE_SIZE);
	memcpy(header.timestamp, head + TIMESTAMP_AT, sizeof(header.timestamp));
	struct nmibt_error *err = check_layout(head, file->path, header.machine);
	if (err)
		return err;
	header.block_size = nmibt_u32_at(head, BLOCK_SIZE_AT);
	header.status = nmibt_u32_at(head, STATUS_AT);
	header.incomplete = header.status & INCOMPLETE;
	header.max_pfn = nmibt_u32_at(head, MAX_PFN_AT);
	if (!nmibt_file_read(file, header.block_size, sub, sizeof(sub)))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: a kdump-compressed dump, cut in its header",
					  file->path);
	read_sub_header(sub, nmibt_u32_at(head, VERSION_AT), &header);
	err = place_bitmaps(head, file->path, &header);
	if (!err)
		*ret = header;
	return err;
}
