// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames whose offset a program replaced by the line of the source: "name (dir/file.c:12 dir/file.h:34 (discriminator
 * 2)) module". scripts/decode_stacktrace.sh does, 6.12; the innermost inlined function's line is the first.
 */
#include <ctype.h>

#include "text/arch.h"

/* "dir/file.c:12", "dir/file.c:?" where the line is not known, and "??:?" where nothing is */
static bool is_place(struct nmibt_str word)
{
	size_t len = word.len;

	if (nmibt_str_is(word, "??:?") || nmibt_str_is(word, "??:0"))
		return true;
	while (len && isdigit((unsigned char)word.s[len - 1]))
		len--;
	if (len == word.len && len && word.s[len - 1] == '?')
		len--;
	return len < word.len && len > 3 && word.s[len - 1] == ':' && word.s[len - 3] == '.' &&
	       memchr("chSs", word.s[len - 2], 4);
}

/* "discriminator", and its number */
static bool is_beside_place(struct nmibt_str word)
{
	for (size_t i = 0; i < word.len; i++) {
		if (!isdigit((unsigned char)word.s[i]))
			return nmibt_str_is(word, "discriminator");
	}
	return word.len;
}

/* Takes a word without its brackets, of which *depth are open. */
static struct nmibt_str take_word(struct nmibt_str *s, int *depth)
{
	struct nmibt_str word;

	nmibt_skip_spaces(s);
	while (nmibt_skip(s, "("))
		++*depth;
	word = *s;
	word.len = 0;
	while (word.len < s->len && s->s[word.len] != ' ' && s->s[word.len] != ')')
		word.len++;
	*s = (struct nmibt_str){s->s + word.len, s->len - word.len};
	while (*depth > 0 && nmibt_skip(s, ")"))
		--*depth;
	return word;
}

/* A mail program may have broken the line within the brackets. */
static bool take_places(struct nmibt_str *s)
{
	bool has_place = false;
	int depth = 0;

	if (!nmibt_str_starts(*s, " ("))
		return false;
	do {
		struct nmibt_str word = take_word(s, &depth);

		if (is_place(word))
			has_place = true;
		else if (!is_beside_place(word))
			return false;
		if (s->len && *s->s != ' ')
			return false;
	} while (depth && s->len);
	return has_place;
}

/* "ext4", "[ext4]" */
static bool take_module(struct nmibt_str *s, struct nmibt_frame *ret)
{
	struct nmibt_str rest = *s;

	nmibt_skip_spaces(&rest);
	bool has_bracket = nmibt_skip(&rest, "[");
	size_t len = 0;
	while (len < rest.len && rest.s[len] > ' ' && rest.s[len] <= '~' && rest.s[len] != ']' &&
	       rest.s[len] != '(')
		len++;
	if (!len)
		return false;
	ret->module = (struct nmibt_str){rest.s, len};
	*s = (struct nmibt_str){rest.s + len, rest.len - len};
	return !has_bracket || nmibt_skip(s, "]");
}

bool nmibt_read_place(struct nmibt_str s, struct nmibt_frame *ret)
{
	const char *start = s.s;

	if (!take_places(&s))
		return false;
	struct nmibt_frame frame = *ret;
	frame.lacks_offset = true;
	frame.module = (struct nmibt_str){start, 0};
	take_module(&s, &frame);
	nmibt_read_letters(s, &frame);
	nmibt_skip_spaces(&s);
	/* No letters of arm64, and no end: it is prose. */
	if (s.len && *s.s != '(')
		return false;
	*ret = frame;
	return true;
}
