/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two headers of a kdump-compressed file, after they were checked.
 */
#ifndef NMIBT_KDUMP_HEADER_H
#define NMIBT_KDUMP_HEADER_H

#include "image/file.h"
#include "image/image.h"

/* A part of the file, in bytes. It may lie partly or wholly beyond the end of the file. */
struct nmibt_kdump_part {
	uint64_t offset, size;
};

struct nmibt_kdump_header {
	uint32_t block_size; /* bytes of a block and of a page: a power of two */
	char machine[66]; /* utsname.machine; untrusted text; empty: unknown */
	uint64_t max_pfn; /* number of pages of the machine, in every part of a split dump */
	uint32_t status; /* DUMP_DH_COMPRESSED_*: how pages are compressed */
	bool incomplete; /* makedumpfile ran out of space before it had written all pages */
	bool split; /* one part of several, with the pages [start_pfn, end_pfn) */
	uint64_t start_pfn, end_pfn;
	/* Offsets of the two bitmaps, of max_pfn bits each: the pages that the machine has,
	 * and those that the dump holds. */
	uint64_t memory_at, held_at;
	uint64_t descs_at; /* offset of the page descriptors */
	char timestamp[16]; /* of the crash, as it is in the header */
	uint64_t phys_base; /* of the kernel, x86_64 only */
	struct nmibt_kdump_part vmcoreinfo, notes; /* size 0: there is none */
};

/* The status in the header of a file that may be flattened, which is not checked otherwise. 0:
 * the file is no such dump. */
uint32_t nmibt_kdump_peek_status(int fd);
/* True: the file begins with the signature of such a dump. */
bool nmibt_is_kdump(const struct nmibt_file *file);
/* Fails with UNUSABLE for dumps of 32-bit and big-endian machines, and for damaged headers. */
struct nmibt_error *nmibt_kdump_header_read(const struct nmibt_file *file,
					    struct nmibt_kdump_header *ret);

#endif /* NMIBT_KDUMP_HEADER_H */
