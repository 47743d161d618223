// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times of day as programs write them before the lines of a log: ISO 8601 (rsyslog, journalctl -o
 * short-iso, docker, dmesg --time-format=iso), that of syslog (RFC 3164), that of ctime() (dmesg -T,
 * conserver), journalctl's -o short-full.
 */
#include "image/prefix.h"

static bool skip_digits(struct nmibt_str *s, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i >= s->len || s->s[i] < '0' || s->s[i] > '9')
			return false;
	}
	*s = (struct nmibt_str){s->s + nr, s->len - nr};
	return true;
}

static bool skip_any_digits(struct nmibt_str *s)
{
	bool found = false;

	while (skip_digits(s, 1))
		found = true;
	return found;
}

/* One of the words of three letters in names. */
static bool skip_name(struct nmibt_str *s, const char *names)
{
	if (s->len < 3)
		return false;
	for (; *names; names += 3) {
		if (memcmp(s->s, names, 3))
			continue;
		*s = (struct nmibt_str){s->s + 3, s->len - 3};
		return true;
	}
	return false;
}

static bool skip_weekday(struct nmibt_str *s)
{
	return skip_name(s, "MonTueWedThuFriSatSun");
}

static bool skip_month(struct nmibt_str *s)
{
	return skip_name(s, "JanFebMarAprMayJunJulAugSepOctNovDec");
}

/* "12:00:00", and a fraction of the second behind '.' or ',' */
static bool skip_clock(struct nmibt_str *cursor)
{
	struct nmibt_str s = *cursor, rest;

	if (!skip_digits(&s, 2) || !nmibt_skip(&s, ":") || !skip_digits(&s, 2) ||
	    !nmibt_skip(&s, ":") || !skip_digits(&s, 2))
		return false;
	rest = s;
	if ((nmibt_skip(&rest, ".") || nmibt_skip(&rest, ",")) && skip_any_digits(&rest))
		s = rest;
	*cursor = s;
	return true;
}

/* "Z", "+00:00", "+0000", " +0000", " UTC", " CEST" */
static void skip_zone(struct nmibt_str *cursor)
{
	struct nmibt_str s = *cursor;
	size_t len = 0;

	if (nmibt_skip(cursor, "Z"))
		return;
	nmibt_skip(&s, " ");
	if (nmibt_skip(&s, "+") || nmibt_skip(&s, "-")) {
		if (skip_digits(&s, 2) && (nmibt_skip(&s, ":") || true) && skip_digits(&s, 2))
			*cursor = s;
		return;
	}
	while (len < s.len && s.s[len] >= 'A' && s.s[len] <= 'Z')
		len++;
	if (len >= 3 && len <= 5 && len < s.len && (s.s[len] == ' ' || s.s[len] == ']'))
		*cursor = (struct nmibt_str){s.s + len, s.len - len};
}

/* "2023-10-13T02:51:12.123456+00:00", or with a space */
static bool skip_iso(struct nmibt_str *cursor)
{
	struct nmibt_str s = *cursor;

	if (!skip_digits(&s, 4) || !nmibt_skip(&s, "-") || !skip_digits(&s, 2) ||
	    !nmibt_skip(&s, "-") || !skip_digits(&s, 2) ||
	    (!nmibt_skip(&s, "T") && !nmibt_skip(&s, " ")) || !skip_clock(&s))
		return false;
	skip_zone(&s);
	*cursor = s;
	return true;
}

/* "Nov 21 12:00:00", "Nov  1 12:00:00", "Nov 21 2023 12:00:00"; and a year behind it, as ctime() has */
static bool skip_month_first(struct nmibt_str *cursor)
{
	struct nmibt_str s = *cursor, year;

	if (!skip_month(&s) || !nmibt_skip(&s, " "))
		return false;
	nmibt_skip_spaces(&s);
	if (!skip_any_digits(&s) || !nmibt_skip(&s, " "))
		return false;
	year = s;
	if (skip_digits(&year, 4) && nmibt_skip(&year, " "))
		s = year;
	if (!skip_clock(&s))
		return false;
	year = s;
	if (nmibt_skip(&year, " ") && skip_digits(&year, 4))
		s = year;
	*cursor = s;
	return true;
}

bool nmibt_skip_date(struct nmibt_str *cursor)
{
	struct nmibt_str s = *cursor;

	if (skip_weekday(&s) && !nmibt_skip(&s, " "))
		return false;
	if (!skip_iso(&s) && !skip_month_first(&s) && !skip_clock(&s))
		return false;
	*cursor = s;
	return true;
}
