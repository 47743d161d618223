/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What base64 is made from, line by line (RFC 2045, 6.8). */
#ifndef NMIBT_BASE64_H
#define NMIBT_BASE64_H

#include "base/base.h"

/* Bits of the lines so far that are no byte yet: a line need not end with the fourth letter of a group. */
struct nmibt_base64 {
	uint32_t bits;
	unsigned int nr_bits;
	bool has_ended; /* the last line ended with padding */
};

/* Writes to out, which has room for line.len bytes, and returns their number. SIZE_MAX: it is no base64, and nothing is
 * written. */
size_t nmibt_base64_decode(struct nmibt_base64 *state, struct nmibt_str line, char *out);

#endif /* NMIBT_BASE64_H */
