// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Colour, and lines that may be longer than the terminal is wide.
 */
#include "render/render.h"

void nmibt_paint(struct renderer *r, enum colour colour)
{
	static const char *const codes[] = {"\033[1m", "\033[31m", "\033[33m", "\033[2m"};

	if (r->options->colour)
		fputs(codes[colour], r->out);
}

void nmibt_unpaint(struct renderer *r)
{
	if (r->options->colour)
		fputs("\033[0m", r->out);
}

/* Lines in a file are not broken: people who search it want whole lines. */
static bool is_broken(const struct renderer *r)
{
	return r->options->width;
}

void nmibt_begin_line(struct renderer *r)
{
	if (!is_broken(r))
		return;
	rewind(r->scratch->stream);
	r->behind = r->out;
	r->out = r->scratch->stream;
}

/* Number of characters at s, without colour sequences. Text from the dump is escaped, so every ESC
 * begins a colour. */
static size_t count_columns(const char *s, size_t len)
{
	size_t columns = 0;
	bool is_colour = false;

	for (size_t i = 0; i < len; i++) {
		is_colour |= s[i] == '\033';
		columns += !is_colour && (s[i] & 0xc0) != 0x80;
		is_colour &= s[i] != 'm';
	}
	return columns;
}

/* Minimum number of columns after the indent; with less, a line would consist of breaks. */
#define MIN_ROOM 24

void nmibt_end_line(struct renderer *r, unsigned int indent, const char *separator)
{
	size_t width = r->width > indent + MIN_ROOM ? r->width : indent + MIN_ROOM;
	const struct scratch *line = r->scratch;
	size_t column = 0;

	if (!is_broken(r)) {
		putc('\n', r->out);
		return;
	}
	r->out = r->behind;
	putc('\0', line->stream);
	/* Out of memory: the function that closes the stream reports it. */
	if (fflush(line->stream) || !line->text)
		return;
	for (const char *at = line->text, *end = line->text + line->len - 1; at < end;) {
		size_t spaces = strspn(at, " ");
		const char *word = at + spaces, *next = strstr(word, separator);
		size_t len = (next ? next : end) - word;
		size_t columns = count_columns(word, len);

		if (column > indent && column + spaces + columns > width) {
			fprintf(r->out, "\n%*s", (int)indent, "");
			column = indent;
			spaces = 0;
		}
		fprintf(r->out, "%*s%.*s", (int)spaces, "", (int)len, word);
		column += spaces + columns;
		at = word + len;
	}
	putc('\n', r->out);
}
