// SPDX-License-Identifier: GPL-2.0-or-later
/* Several frames in a line. */
#include "source/flowed.h"

static const char title[] = "Call Trace:";

/* Appends the next word, behind a space. False: there is none, or no room. */
static bool take_word(struct nmibt_flowed *f, size_t *len)
{
	struct nmibt_str s = f->rest;

	nmibt_skip_spaces(&s);
	const char *space = s.len ? memchr(s.s, ' ', s.len) : NULL;
	size_t word = space ? (size_t)(space - s.s) : s.len;
	if (!word || *len + 1 + word > sizeof(f->text))
		return false;
	f->text[*len] = ' ';
	memcpy(f->text + *len + 1, s.s, word);
	*len += 1 + word;
	f->rest = (struct nmibt_str){s.s + word, s.len - word};
	return true;
}

/* "[usbcore]" */
static bool has_module(struct nmibt_str s)
{
	nmibt_skip_spaces(&s);
	return s.len && *s.s == '[' && memchr(s.s, ']', s.len) && !nmibt_str_starts(s, "[<");
}

bool nmibt_flowed_next(struct nmibt_flowed *f, struct nmibt_str *ret)
{
	struct nmibt_printed p;
	size_t len = 0;

	if (nmibt_skip(&f->rest, title)) {
		*ret = (struct nmibt_str){title, strlen(title)};
		return true;
	}
	if (!take_word(f, &len) || (len == 2 && f->text[1] == '?' && !take_word(f, &len)))
		return false;
	if (has_module(f->rest) && !take_word(f, &len))
		return false;
	*ret = (struct nmibt_str){f->text, len};
	nmibt_recognise(f->arch, *ret, &p);
	return p.kind == NMIBT_PRINT_STACK_MARK ||
	       (p.kind == NMIBT_PRINT_FRAME && p.frame.function.len);
}

bool nmibt_flowed_begin(struct nmibt_flowed *f, enum nmibt_arch arch, struct nmibt_str line)
{
	unsigned int nr = 0;
	struct nmibt_str item;

	if (!nmibt_str_starts(line, title) && !nmibt_str_holds(line, "+0x"))
		return false;
	f->arch = arch;
	f->rest = line;
	while (nmibt_flowed_next(f, &item))
		nr++;
	nmibt_skip_spaces(&f->rest);
	if (nr < 2 || f->rest.len)
		return false;
	f->rest = line;
	return true;
}
