// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

#define BLOCK 64

static uint32_t rotate(uint32_t word, unsigned int bits)
{
	return word << bits | word >> (32 - bits);
}

static uint32_t mix(unsigned int round, uint32_t b, uint32_t c, uint32_t d)
{
	if (round < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (round < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (round < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void add_block(uint32_t state[5], const unsigned char block[BLOCK])
{
	uint32_t w[80], s[5];

	for (unsigned int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 |
		       block[4 * i + 2] << 8 | block[4 * i + 3];
	for (unsigned int i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	memcpy(s, state, sizeof(s));
	for (unsigned int i = 0; i < 80; i++) {
		uint32_t next = rotate(s[0], 5) + mix(i, s[1], s[2], s[3]) + s[4] + w[i];

		s[4] = s[3];
		s[3] = s[2];
		s[2] = rotate(s[1], 30);
		s[1] = s[0];
		s[0] = next;
	}
	for (unsigned int i = 0; i < 5; i++)
		state[i] += s[i];
}

void nmibt_sha1(const char *data, size_t len, char ret[NMIBT_SHA1_HEX])
{
	uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	unsigned char last[2 * BLOCK] = {0};
	size_t whole = len / BLOCK * BLOCK, rest = len - whole;
	/* The padding is one bit of 1, zeros, and the length in bits in the last 8 bytes. */
	size_t padded = rest + 1 + 8 > BLOCK ? 2 * BLOCK : BLOCK;

	for (size_t i = 0; i < whole; i += BLOCK)
		add_block(state, (const unsigned char *)data + i);
	memcpy(last, data + whole, rest);
	last[rest] = 0x80;
	for (unsigned int i = 0; i < 8; i++)
		last[padded - 1 - i] = (uint64_t)len * 8 >> 8 * i;
	for (size_t i = 0; i < padded; i += BLOCK)
		add_block(state, last + i);
	for (unsigned int i = 0; i < 5; i++)
		sprintf(ret + 8 * i, "%08x", state[i]);
}
