/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the header of a kdump-compressed file says of the file as a whole, which
 * libkdumpfile does not hand on.
 */
#ifndef NMIBT_KDUMPHEADER_H
#define NMIBT_KDUMPHEADER_H

#include <stdbool.h>
#include <stdint.h>

struct nmibt_kdumpheader {
	bool incomplete; /* makedumpfile had no room for the rest */
	bool split; /* one part of several, with the pages [start_pfn, end_pfn) */
	uint64_t start_pfn, end_pfn;
	uint64_t max_pfn; /* of all parts */
};

/* False: fd is no such file, or is cut before all that. */
bool nmibt_kdumpheader_read(int fd, struct nmibt_kdumpheader *ret);

#endif /* NMIBT_KDUMPHEADER_H */
