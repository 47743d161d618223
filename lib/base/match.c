// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All matching of text and parsing of numbers goes through these functions: see base.h.
 */
#include "base/base.h"

static const char *find(struct nmibt_str s, const char *literal)
{
	return s.len ? memmem(s.s, s.len, literal, strlen(literal)) : NULL;
}

bool nmibt_str_holds(struct nmibt_str s, const char *literal)
{
	return find(s, literal);
}

static void move(struct nmibt_str *cursor, size_t by)
{
	cursor->s += by;
	cursor->len -= by;
}

bool nmibt_skip_to(struct nmibt_str *cursor, const char *literal)
{
	struct nmibt_str before;

	return nmibt_take_until(cursor, literal, &before);
}

bool nmibt_take_until(struct nmibt_str *cursor, const char *literal, struct nmibt_str *ret)
{
	const char *at = find(*cursor, literal);

	if (!at)
		return false;
	*ret = (struct nmibt_str){cursor->s, at - cursor->s};
	move(cursor, ret->len + strlen(literal));
	return true;
}

bool nmibt_take_until_last(struct nmibt_str *cursor, const char *literal, struct nmibt_str *ret)
{
	struct nmibt_str rest = *cursor, before;

	if (!nmibt_take_until(&rest, literal, &before))
		return false;
	while (nmibt_take_until(&rest, literal, &before))
		;
	*ret = (struct nmibt_str){cursor->s, rest.s - strlen(literal) - cursor->s};
	*cursor = rest;
	return true;
}

bool nmibt_take_decimal(struct nmibt_str *cursor, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < cursor->len && cursor->s[i] >= '0' && cursor->s[i] <= '9'; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, cursor->s[i] - '0', &value) || value > max)
			return false;
	}
	if (!i)
		return false;
	*ret = value;
	move(cursor, i);
	return true;
}

/* The value of a hex digit; 16: c is no hex digit. */
static unsigned int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

bool nmibt_take_hex(struct nmibt_str *cursor, unsigned int max_digits, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < cursor->len && i < max_digits && hex_digit(cursor->s[i]) < 16; i++)
		value = value << 4 | hex_digit(cursor->s[i]);
	if (!i)
		return false;
	*ret = value;
	move(cursor, i);
	return true;
}

bool nmibt_take_0x(struct nmibt_str *cursor, uint64_t *ret)
{
	struct nmibt_str rest = *cursor;

	if (!nmibt_skip(&rest, "0x") || !nmibt_take_hex(&rest, 16, ret))
		return false;
	*cursor = rest;
	return true;
}

bool nmibt_take_any_hex(struct nmibt_str *cursor, uint64_t *ret)
{
	return nmibt_take_0x(cursor, ret) || nmibt_take_hex(cursor, 16, ret);
}
