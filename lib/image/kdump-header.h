/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two headers of a kdump-compressed file, checked.
 */
#ifndef NMIBT_KDUMP_HEADER_H
#define NMIBT_KDUMP_HEADER_H

#include "image/file.h"
#include "image/image.h"

/* A part of the file, which the file may have in part, or not at all. */
struct nmibt_extent {
	uint64_t offset, size;
};

struct nmibt_kdump_header {
	uint32_t block_size; /* of the file and of a page: a power of two */
	char machine[66]; /* as uname -m has it; untrusted text; empty: unknown */
	uint64_t max_pfn; /* of the machine; of all parts */
	bool incomplete; /* makedumpfile had no room for the rest */
	bool split; /* one part of several, with the pages [start_pfn, end_pfn) */
	uint64_t start_pfn, end_pfn;
	/* The bitmaps: of the pages that the machine has, and of those that the dump holds.
	 * Each has max_pfn bits. */
	uint64_t memory_at, held_at;
	uint64_t descs_at; /* of the page descriptors */
	struct nmibt_extent vmcoreinfo, notes; /* size 0: there is none */
};

/* Whether the file begins with the signature of such a dump. */
bool nmibt_is_kdump(const struct nmibt_file *file);
/* Fails with UNUSABLE for dumps of 32-bit and big-endian machines, and for damaged headers. */
struct nmibt_error *nmibt_kdump_header_read(const struct nmibt_file *file,
					    struct nmibt_kdump_header *ret);

#endif /* NMIBT_KDUMP_HEADER_H */
