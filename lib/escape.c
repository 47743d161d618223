// SPDX-License-Identifier: GPL-2.0-or-later
/* Text of the dump, made safe for a terminal. */
#include "internal.h"

/*
 * Length of the valid UTF-8 sequence of a printable character at s, 0 if there
 * is none. RFC 3629, less the C1 controls and the characters that reorder or
 * hide text (U+200B-200F, U+2028-202E, U+2060-206F, U+FEFF).
 */
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
		if (c < 0xa0 || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
		    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff)
			return 0;
		return size;
	}
	return 0;
}

void nmibt_escape(FILE *out, const char *s, size_t len, bool tabs)
{
	const unsigned char *p = (const unsigned char *)s;

	while (len) {
		size_t take = 1;

		if (*p == '\\') {
			fputs("\\\\", out);
		} else if ((*p >= ' ' && *p <= '~') || (*p == '\t' && tabs)) {
			putc(*p, out);
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
