// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Layouts of 64-bit kernels, from makedumpfile's diskdump_mod.h
 * (1.7.2): struct disk_dump_header at 0, struct kdump_sub_header a block behind it. Its
 * fields of 64 bits for pfns are there from header_version 6 on (2013).
 */
#include <string.h>
#include <unistd.h>

#include "image/kdumpheader.h"

#define SIGNATURE "KDUMP   "
#define VERSION_AT 8
#define STATUS_AT 424
#define BLOCK_SIZE_AT 428
#define HEAD_SIZE 432
#define INCOMPLETE 0x8 /* DUMP_DH_COMPRESSED_INCOMPLETE */

#define SUB_SPLIT_AT 12
#define SUB_START_PFN_AT 80
#define SUB_END_PFN_AT 88
#define SUB_MAX_PFN_AT 96
#define SUB_SIZE 104

static uint32_t u32_at(const char *header, unsigned int at)
{
	uint32_t value;

	memcpy(&value, header + at, sizeof(value));
	return value;
}

static uint64_t u64_at(const char *header, unsigned int at)
{
	uint64_t value;

	memcpy(&value, header + at, sizeof(value));
	return value;
}

bool nmibt_kdumpheader_read(int fd, struct nmibt_kdumpheader *ret)
{
	char head[HEAD_SIZE], sub[SUB_SIZE];

	if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head, SIGNATURE, strlen(SIGNATURE)))
		return false;
	uint32_t block_size = u32_at(head, BLOCK_SIZE_AT);
	*ret = (struct nmibt_kdumpheader){.incomplete = u32_at(head, STATUS_AT) & INCOMPLETE};
	if (u32_at(head, VERSION_AT) < 6 || pread(fd, sub, sizeof(sub), block_size) != sizeof(sub))
		return true;
	ret->split = u32_at(sub, SUB_SPLIT_AT);
	ret->start_pfn = u64_at(sub, SUB_START_PFN_AT);
	ret->end_pfn = u64_at(sub, SUB_END_PFN_AT);
	ret->max_pfn = u64_at(sub, SUB_MAX_PFN_AT);
	return true;
}
