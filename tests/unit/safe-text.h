/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks whether text may go to a terminal, with libc's knowledge of UTF-8 and control characters,
 * not the library's.
 */
#ifndef SAFE_TEXT_H
#define SAFE_TEXT_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>
#include <wctype.h>

/* Unicode's Bidi_Control characters. */
static inline bool is_bidi_control(wchar_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* The first byte that must not be printed; NULL: there is none. */
static inline const char *unsafe_text(const char *s, size_t len)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	locale_t old = uselocale(utf8);
	const char *unsafe = NULL;
	mbstate_t shift = {0};

	for (size_t at = 0; at < len && !unsafe;) {
		wchar_t c;
		size_t n = mbrtowc(&c, s + at, len - at, &shift);
		if (n > len - at || n == 0 || is_bidi_control(c) ||
		    (iswcntrl(c) && c != L'\n' && c != L'\t'))
			unsafe = s + at;
		at += n;
	}
	uselocale(old);
	freelocale(utf8);
	return unsafe;
}

#endif /* SAFE_TEXT_H */
