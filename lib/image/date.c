// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times of day as programs write them before the lines of a log: ISO 8601 (rsyslog, journalctl -o
 * short-iso, docker, dmesg --time-format=iso), that of syslog (RFC 3164), that of ctime() (dmesg -T,
 * conserver), journalctl's -o short-full.
 */
#include "image/prefix.h"

/* What shape has: '0' stands for a digit. */
static bool skip_shape(struct nmibt_str *cursor, const char *shape)
{
	const char *s = cursor->s;
	size_t i, len = cursor->len;

	for (i = 0; shape[i]; i++) {
		if (i >= len || (shape[i] == '0' ? !nmibt_is_digit(s[i]) : s[i] != shape[i]))
			return false;
	}
	*cursor = (struct nmibt_str){s + i, len - i};
	return true;
}

static bool skip_digits(struct nmibt_str *s)
{
	size_t i = 0;

	while (i < s->len && nmibt_is_digit(s->s[i]))
		i++;
	*s = (struct nmibt_str){s->s + i, s->len - i};
	return i;
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

/* A fraction of the second, behind '.' or ',' */
static void skip_fraction(struct nmibt_str *s)
{
	if (skip_shape(s, ".0") || skip_shape(s, ",0"))
		skip_digits(s);
}

/* "12:00:00", and a fraction */
static bool skip_clock(struct nmibt_str *s)
{
	if (!skip_shape(s, "00:00:00"))
		return false;
	skip_fraction(s);
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
		if (skip_shape(&s, "00:00") || skip_shape(&s, "0000"))
			*cursor = s;
		return;
	}
	while (len < s.len && s.s[len] >= 'A' && s.s[len] <= 'Z')
		len++;
	if (len >= 3 && len <= 5 && len < s.len && (s.s[len] == ' ' || s.s[len] == ']'))
		*cursor = (struct nmibt_str){s.s + len, s.len - len};
}

/* "2023-10-13T02:51:12.123456+00:00", or with a space */
static bool skip_iso(struct nmibt_str *s)
{
	if (!skip_shape(s, "0000-00-00T00:00:00") && !skip_shape(s, "0000-00-00 00:00:00"))
		return false;
	skip_fraction(s);
	skip_zone(s);
	return true;
}

/* "Nov 21 12:00:00", "Nov  1 12:00:00", "Nov 21 2023 12:00:00"; and a year behind it, as ctime() has. False: s is
 * somewhere within it. */
static bool skip_month_first(struct nmibt_str *s)
{
	if (!skip_month(s) || !nmibt_skip(s, " "))
		return false;
	nmibt_skip_spaces(s);
	if (!skip_digits(s) || !nmibt_skip(s, " "))
		return false;
	skip_shape(s, "0000 ");
	if (!skip_clock(s))
		return false;
	skip_shape(s, " 0000");
	return true;
}

/* A date is at the beginning of each line of a syslog: it is skipped without copies of the cursor. */
bool nmibt_skip_date(struct nmibt_str *cursor)
{
	const struct nmibt_str before = *cursor;

	if ((!skip_weekday(cursor) || nmibt_skip(cursor, " ")) && cursor->len &&
	    (nmibt_is_digit(*cursor->s) ? skip_iso(cursor) || skip_clock(cursor)
					: skip_month_first(cursor)))
		return true;
	*cursor = before;
	return false;
}
