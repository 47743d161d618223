// SPDX-License-Identifier: GPL-2.0-or-later
/* Text from the dump is escaped so that a terminal can show it safely. */
#include "base/base.h"

/*
 * True for C1 controls, and for characters that reorder or hide text or end a line. These are the
 * characters of Unicode's categories Cf, Zl and Zp that don't belong to a single script.
 */
static bool is_deceptive(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x80, 0x9f},	  {0xad, 0xad},	      {0x61c, 0x61c},	{0x180e, 0x180e},
		{0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f}, {0xfeff, 0xfeff},
		{0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

/* Length in bytes of the UTF-8 sequence (RFC 3629) at s, if it is valid and its character is
 * printable and beyond ASCII; else 0. */
static size_t utf8_printable(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = {{0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (size_t form = 0; form < ARRAY_SIZE(forms); form++) {
		size_t size = form + 2;
		if ((s[0] & forms[form].mask) != forms[form].lead || size > len)
			continue;

		uint32_t c = s[0] & ~forms[form].mask;
		for (size_t i = 1; i < size; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < forms[form].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		return is_deceptive(c) ? 0 : size;
	}
	return 0;
}

/* Number of bytes at s that need no escape. Most text consists of these alone. */
static size_t count_plain(const unsigned char *s, size_t len, bool tabs)
{
	size_t n = 0;

	while (n < len && ((s[n] >= ' ' && s[n] <= '~' && s[n] != '\\') || (s[n] == '\t' && tabs)))
		n++;
	return n;
}

void nmibt_escape(FILE *out, const char *s, size_t len, bool tabs)
{
	const unsigned char *p = (const unsigned char *)s;

	while (len) {
		size_t take = count_plain(p, len, tabs);

		if (take) {
			fwrite(p, 1, take, out);
		} else if (*p == '\\') {
			fputs("\\\\", out);
			take = 1;
		} else if ((take = utf8_printable(p, len))) {
			fwrite(p, 1, take, out);
		} else {
			fprintf(out, "\\x%02x", *p);
			take = 1;
		}
		p += take;
		len -= take;
	}
}

void nmibt_escape_raw(FILE *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (c == '\n')
			fputs("\\n", out);
		else if (c == '\\')
			fputs("\\\\", out);
		else if (c >= ' ' && c <= '~')
			putc(c, out);
		else
			fprintf(out, "\\x%02x", c);
	}
}
