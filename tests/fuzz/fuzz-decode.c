// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmibt_decode() and nmibt_decode_log() on any bytes, any of which may be unpublished or
 * unreadable. They must not invent, drop or reorder bytes.
 *
 * Input: 2 bytes of published length, 1 byte of flags, 1 byte that says how many bytes are
 * unreadable, then the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "report/report.h"

/* Copies the known bytes, in order, without newlines and, if it has_headers, without these. */
static size_t strip(const char *raw, size_t len, const bool *known, bool has_headers, char *ret)
{
	size_t nr = 0;

	for (size_t i = 0; i < len; i++) {
		bool header = has_headers && known[i] && raw[i] == 1 && i + 1 < len &&
			      known[i + 1] &&
			      (raw[i + 1] == 'c' || (raw[i + 1] >= '0' && raw[i + 1] <= '7'));
		if (header)
			i++;
		else if (known[i] && raw[i] != '\n')
			ret[nr++] = raw[i];
	}
	return nr;
}

static void check_text(const struct nmibt_text *text, const char *want, size_t want_len,
		       size_t unknown)
{
	size_t at = 0, gaps = 0;

	CHECK(text->published <= text->raw_len);
	for (size_t i = 0; i < text->nr_lines; i++) {
		const struct nmibt_line *line = &text->lines[i];

		CHECK(line->torn_at <= line->len);
		CHECK(line->flags & NMIBT_LINE_TORN || line->torn_at == line->len);
		CHECK(line->level >= NMIBT_LEVEL_CONT && line->level <= 7);
		CHECK(!line->gap == !(line->flags & NMIBT_LINE_MISSING));
		CHECK(line->len <= want_len - at);
		CHECK(!memcmp(line->text, want + at, line->len));
		at += line->len;
		gaps += line->gap;
	}
	CHECK(at == want_len);
	CHECK(gaps == unknown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	size_t published = data[0] | data[1] << 8;
	bool overflow = data[2] & 1;
	unsigned int every = data[3];
	const char *raw = (const char *)data + 4;
	size_t len = size - 4, unknown = 0;

	_cleanup_free_ bool *known = malloc((len + 1) * sizeof(*known));
	_cleanup_free_ bool *lost = malloc((len + 1) * sizeof(*lost));
	_cleanup_free_ char *want = malloc(len + 1);
	CHECK(known && lost && want);
	for (size_t i = 0; i < len; i++) {
		known[i] = !every || (i * 2654435761u >> 8) % (every + 1u);
		unknown += !known[i];
	}
	for (size_t i = 0; i <= len; i++)
		lost[i] = every && (i * 2654435761u >> 16) % (every + 1u) == 1;
	size_t want_len = strip(raw, len, known, true, want);

	struct nmibt_text text;
	CHECK(!nmibt_decode(raw, len, published, known, overflow, &text));
	check_text(&text, want, want_len, unknown);
	nmibt_text_destroy(&text);

	want_len = strip(raw, len, known, false, want);
	CHECK(!nmibt_decode_log(raw, len, known, lost, &text));
	check_text(&text, want, want_len, unknown);
	nmibt_text_destroy(&text);
	return 0;
}
