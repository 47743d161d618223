/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers in the headers of files, whose least significant byte comes first. */
#ifndef NMIBT_LITTLE_ENDIAN_H
#define NMIBT_LITTLE_ENDIAN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t nmibt_u32_at(const char *header, unsigned int at)
{
	uint32_t value;

	memcpy(&value, header + at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t nmibt_u64_at(const char *header, unsigned int at)
{
	uint64_t value;

	memcpy(&value, header + at, sizeof(value));
	return le64toh(value);
}

#endif /* NMIBT_LITTLE_ENDIAN_H */
