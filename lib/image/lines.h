/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a file of text, one after the other, as the kernel printed them: without what programs
 * put around them. See docs/text.md.
 */
#ifndef NMIBT_LINES_H
#define NMIBT_LINES_H

#include "image/base64.h"
#include "image/prefix.h"
#include "image/stream.h"

/* As the kernel's own records. Longer lines are cut. */
#define NMIBT_MAX_TEXT_LINE 65535

/* What is known of the text before a place. */
struct nmibt_lines_place {
	uint64_t offset; /* of the text, unpacked */
	struct nmibt_wrapping wrapping;
	bool is_quoted_printable; /* a mail said so */
	bool is_behind_boundary; /* the line before this one may begin a part of a mail */
	bool is_within_encoding; /* that line names the header whose value is here */
	/* Of multipart/alternative: a plain text was there, and lines up to this boundary are the same in HTML. */
	bool is_alternative, has_plain, is_html, is_in_part_header;
	uint64_t boundary; /* a hash of the line before the part */
	/* The same of base64: of the part whose headers these are, and of the lines from here on. */
	bool will_be_base64, is_base64;
	struct nmibt_base64 base64; /* where the line of the file begins */
	size_t decoded; /* how much of what that line says is of lines before this one */
};

/* Of two lines of one text. Those that one line of base64 tells have the same offset. */
static inline bool nmibt_lines_is_before(const struct nmibt_lines_place *a,
					 const struct nmibt_lines_place *b)
{
	return a->offset < b->offset || (a->offset == b->offset && a->decoded < b->decoded);
}

struct nmibt_text_line {
	struct nmibt_str text; /* borrowed until the next line */
	struct nmibt_log_prefix prefix;
	struct nmibt_lines_place place; /* of its beginning */
	unsigned int
		columns; /* of the whole line; 0: it is none that a mail program could have broken */
	uint64_t number; /* of its first line in the text, from 1 */
	uint64_t boot; /* of the journal: which boot; 0: not known */
	bool is_boot; /* another boot begins behind this line, which journalctl wrote */
	bool is_cut; /* its end is missing */
	bool is_behind_loss; /* lines before it are missing */
};

struct nmibt_lines;

/* file is borrowed until nmibt_lines_close(). */
struct nmibt_error *nmibt_lines_open(const struct nmibt_file *file, struct nmibt_lines **ret);
/* False: there are no more. */
bool nmibt_lines_next(struct nmibt_lines *lines, struct nmibt_text_line *ret);
bool nmibt_lines_seek(struct nmibt_lines *lines, const struct nmibt_lines_place *place);
/* The number of the first line that was read in a part of a mail that says it is base64, and is none; 0: there was none. */
uint64_t nmibt_lines_no_base64(const struct nmibt_lines *lines);
/* Parts in HTML that were left out, because a plain text says the same; of all lines that were read. */
uint64_t nmibt_lines_nr_html(const struct nmibt_lines *lines);
/* As nmibt_stream_complaint(). */
const char *nmibt_lines_complaint(const struct nmibt_lines *lines);
void nmibt_lines_close(struct nmibt_lines *lines); /* NULL is allowed */

#endif /* NMIBT_LINES_H */
