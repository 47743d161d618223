/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How text is read. A cursor is a struct nmibt_str: what was not read yet. A call that
 * finds what it looks for moves the cursor behind it and returns true. A call that does
 * not returns false, and the cursor and *ret stay as they are. Nothing depends on the
 * locale, and no byte behind the string is looked at.
 */
#ifndef NMIBT_MATCH_H
#define NMIBT_MATCH_H

#include "base/base.h"

static inline struct nmibt_str nmibt_str_of(const char *s)
{
	return (struct nmibt_str){s, strlen(s)};
}

bool nmibt_str_is(struct nmibt_str s, const char *literal);
bool nmibt_str_starts(struct nmibt_str s, const char *literal);
bool nmibt_str_holds(struct nmibt_str s, const char *literal);

bool nmibt_skip(struct nmibt_str *cursor, const char *literal);
/* Any number of spaces, none included. */
void nmibt_skip_spaces(struct nmibt_str *cursor);
/* Behind the first literal. */
bool nmibt_skip_to(struct nmibt_str *cursor, const char *literal);

/* What stands before the first, or the last, literal. */
bool nmibt_take_until(struct nmibt_str *cursor, const char *literal, struct nmibt_str *ret);
bool nmibt_take_until_last(struct nmibt_str *cursor, const char *literal, struct nmibt_str *ret);

/* All digits that stand there, as one number. False: there is none, or it is above max. */
bool nmibt_take_decimal(struct nmibt_str *cursor, uint64_t max, uint64_t *ret);
/* Up to max_digits digits, which is 16 at most, without "0x". */
bool nmibt_take_hex(struct nmibt_str *cursor, unsigned int max_digits, uint64_t *ret);
/* The same with "0x" before them. */
bool nmibt_take_0x(struct nmibt_str *cursor, uint64_t *ret);
/* The same with or without "0x". */
bool nmibt_take_any_hex(struct nmibt_str *cursor, uint64_t *ret);

#endif /* NMIBT_MATCH_H */
