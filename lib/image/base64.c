// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/base64.h"

/* 64: it is none of the letters. */
static unsigned int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

static bool is_base64(struct nmibt_str line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (value_of(line.s[i]) == 64)
			return false;
	}
	return line.len;
}

size_t nmibt_base64_decode(struct nmibt_base64 *state, struct nmibt_str line, char *out)
{
	unsigned int padding = 0;
	size_t len = 0;

	while (line.len && padding < 2 && line.s[line.len - 1] == '=') {
		line.len--;
		padding++;
	}
	if (!is_base64(line))
		return SIZE_MAX;
	for (size_t i = 0; i < line.len; i++) {
		state->bits = state->bits << 6 | value_of(line.s[i]);
		state->nr_bits += 6;
		if (state->nr_bits >= 8) {
			state->nr_bits -= 8;
			out[len++] = (char)(state->bits >> state->nr_bits);
		}
	}
	state->has_ended = padding;
	if (padding)
		state->bits = state->nr_bits = 0;
	return len;
}
