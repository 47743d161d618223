// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/journal.h"
#include "image/lines.h"

#define ROOM (256u << 10)
#define ESC '\033'
#define HARD_SPACE '\xa0' /* its last byte in UTF-8, too */

struct nmibt_lines {
	struct nmibt_stream *stream;
	char *buf; /* ROOM bytes; [begin, end) are to be read */
	size_t begin, end;
	/* Is there one in what was read last? Few texts have them, and each line would have to be searched. */
	bool has_escape, has_ampersand, has_hard_space;
	uint64_t offset; /* of buf[begin] */
	uint64_t number; /* of lines that were read */
	struct nmibt_lines_place
		place; /* what is known behind the last line; its offset is unused */
	/* NMIBT_MAX_TEXT_LINE bytes each: of a line that is too long, of one that is in several, of one
	 * that is not as it stands there. */
	char *longest, *joined, *plain;
	size_t joined_len;
	/* What the last line of base64, or quoted-printable, says, with its newline. [place.decoded, decoded_len) is to be read. */
	char *decoded;
	size_t decoded_len;
	uint64_t decoded_at; /* offset of that line */
	bool is_end_cut; /* what stands at the end of it is not all that was encoded, if no more lines follow */
	bool breaks_off; /* it was too long, and the rest of it is missing */
	uint64_t
		no_base64; /* number of the first line that is not base64, as its part should be; 0: none */
	uint64_t nr_html; /* parts that were left out */
	bool has_lost_line; /* a line behind a part was too long to be read again */
	struct nmibt_base64 base64; /* behind that line */
	/* A message that netconsole sent in parts: which, and how much of it is there. */
	uint64_t parts_of;
	size_t parts_len;
	struct nmibt_lines_place parts_place;
	char *parts;
};

/* ------------------------------------------------------------------ lines of the file */

static bool holds(struct nmibt_str s, char c)
{
	return s.len && memchr(s.s, c, s.len);
}

/* Ensures that a line is in buf, or as much of it as there is. */
static void fill(struct nmibt_lines *l)
{
	if (l->end - l->begin > NMIBT_MAX_TEXT_LINE)
		return;
	memmove(l->buf, l->buf + l->begin, l->end - l->begin);
	l->end -= l->begin;
	l->begin = 0;
	while (l->end < ROOM) {
		size_t got = nmibt_stream_read(l->stream, l->buf + l->end, ROOM - l->end);

		if (!got)
			break;
		l->end += got;
	}
	struct nmibt_str bytes = {l->buf, l->end};
	l->has_escape = holds(bytes, ESC);
	l->has_ampersand = holds(bytes, '&');
	l->has_hard_space = holds(bytes, HARD_SPACE);
}

/* A line that does not come from buf may have them. */
static void expect_all(struct nmibt_lines *l)
{
	l->has_escape = l->has_ampersand = l->has_hard_space = true;
}

static void pass(struct nmibt_lines *l, size_t len)
{
	l->begin += len;
	l->offset += len;
}

/* Skips the rest of a line that is too long. */
static void skip_line(struct nmibt_lines *l)
{
	for (;;) {
		fill(l);
		size_t have = l->end - l->begin;
		const char *newline = have ? memchr(l->buf + l->begin, '\n', have) : NULL;

		pass(l, newline ? (size_t)(newline + 1 - (l->buf + l->begin)) : have);
		if (newline || !have)
			return;
	}
}

/* *ret_is_cut: its end is missing. False: there are no more lines. */
static bool next_line(struct nmibt_lines *l, struct nmibt_str *ret, bool *ret_is_cut)
{
	size_t have = l->end - l->begin;
	const char *at = l->buf + l->begin;
	const char *newline = have ? memchr(at, '\n', have) : NULL;

	*ret_is_cut = false;
	if (!newline) {
		fill(l);
		have = l->end - l->begin;
		at = l->buf + l->begin;
		newline = have ? memchr(at, '\n', have) : NULL;
	}
	if (!have)
		return false;
	l->number++;
	*ret = (struct nmibt_str){at, newline ? (size_t)(newline - at) : have};
	*ret_is_cut = !newline;
	if (ret->len <= NMIBT_MAX_TEXT_LINE) {
		pass(l, ret->len + (newline != NULL));
		return true;
	}
	/* The buffer moves while the rest is skipped. */
	memcpy(l->longest, at, NMIBT_MAX_TEXT_LINE);
	*ret = (struct nmibt_str){l->longest, NMIBT_MAX_TEXT_LINE};
	*ret_is_cut = true;
	skip_line(l);
	expect_all(l);
	return true;
}

/* -------------------------------------------------------------------- a line of a mail */

static struct nmibt_str without_blanks(struct nmibt_str s)
{
	while (s.len && (s.s[s.len - 1] == ' ' || s.s[s.len - 1] == '\r'))
		s.len--;
	return s;
}

static bool is_header(struct nmibt_str s, const char *header)
{
	size_t len = strlen(header);

	return s.len >= len && !strncasecmp(s.s, header, len);
}

/* multipart/alternative has a text twice, the plain one first (RFC 2046, 5.1.4). */
static void take_type(struct nmibt_lines *l, struct nmibt_str type)
{
	nmibt_skip_spaces(&type);
	if (is_header(type, "multipart/alternative")) {
		l->place.is_alternative = true;
		l->place.has_plain = false;
	}
	if (!l->place.is_in_part_header || !l->place.is_alternative)
		return;
	l->place.has_plain |= is_header(type, "text/plain");
	l->place.is_html = l->place.has_plain && is_header(type, "text/html");
	if (!l->place.is_html)
		return;
	l->nr_html++;
	l->place.is_quoted_printable = l->place.will_be_base64 = false;
}

/* True: the line begins another part, or another mail; or it is the last boundary. */
static bool ends_html(const struct nmibt_lines *l, struct nmibt_str line)
{
	line = without_blanks(line);
	if (nmibt_str_starts(line, "From ") || nmibt_hash_of(line) == l->place.boundary)
		return true;
	return line.len > 4 && !memcmp(line.s + line.len - 2, "--", 2) &&
	       nmibt_hash_of((struct nmibt_str){line.s, line.len - 2}) == l->place.boundary;
}

static void take_boundary(struct nmibt_lines *l, struct nmibt_str line)
{
	line = without_blanks(line);
	l->place.is_behind_boundary = nmibt_str_starts(line, "--");
	if (!l->place.is_behind_boundary)
		return;
	bool is_last = ends_html(l, line) && nmibt_hash_of(line) != l->place.boundary;
	l->place.is_alternative &= !is_last;
	l->place.boundary = nmibt_hash_of(line);
}

/*
 * A mail, or a part of one, says how its text is encoded, and in a file of several mails the next one begins with
 * "From ". A part that does not say so is not encoded (RFC 2045, 6.1): its headers begin behind a boundary.
 */
static void take_header(struct nmibt_lines *l, struct nmibt_str line)
{
	static const char encoding[] = "Content-Transfer-Encoding:", type[] = "Content-Type:";
	bool begins_part = l->place.is_behind_boundary && is_header(line, "Content-");

	take_boundary(l, line);
	if (begins_part || nmibt_str_starts(line, "From "))
		l->place.is_quoted_printable = l->place.will_be_base64 = false;
	l->place.is_in_part_header |= begins_part;
	if (nmibt_str_starts(line, "From "))
		l->place.is_alternative = false;
	if (is_header(line, type))
		take_type(l, (struct nmibt_str){line.s + strlen(type), line.len - strlen(type)});
	if (is_header(line, encoding))
		line = (struct nmibt_str){line.s + strlen(encoding), line.len - strlen(encoding)};
	else if (!l->place.is_within_encoding)
		return;
	nmibt_skip_blanks(&line);
	/* The value may stand on the next line (RFC 5322, 2.2.3). */
	l->place.is_within_encoding = !without_blanks(line).len && !l->place.is_within_encoding;
	l->place.is_quoted_printable = is_header(line, "quoted-printable");
	l->place.will_be_base64 = is_header(line, "base64");
}

static void leave_header(struct nmibt_lines *l, struct nmibt_str line)
{
	if (l->place.is_in_part_header && !without_blanks(line).len)
		l->place.is_in_part_header = false;
}

static unsigned int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static void end_part(struct nmibt_lines *l)
{
	l->place.is_base64 = false;
	l->place.base64 = (struct nmibt_base64){0};
	l->place.decoded = l->decoded_len = 0;
}

/* Reads what stands behind the headers of a part, or behind another empty line there. */
static void begin_base64(struct nmibt_lines *l)
{
	end_part(l);
	l->place.is_base64 = true;
	l->base64 = l->place.base64;
}

/* The last line that was read, which begins at this offset, is to be read again as what it is. One that is too long is not
 * in buf any more. */
static void read_again(struct nmibt_lines *l, struct nmibt_str line, uint64_t at)
{
	if (line.s == l->longest) {
		l->has_lost_line = true;
		return;
	}
	l->begin -= l->offset - at;
	l->offset = at;
	l->number--;
}

/*
 * Decodes the next line of the file. False: the part has ended, with an empty line, or one that is not base64, or has not begun. What the
 * end of the last line says is whole only if padding, an empty line or the boundary of the part says so.
 */
static bool decode_base64(struct nmibt_lines *l)
{
	const struct nmibt_base64 before = l->base64;
	uint64_t at = l->offset;
	struct nmibt_str line;
	bool is_cut;

	l->is_end_cut = !before.has_ended;
	if (!next_line(l, &line, &is_cut))
		return false;
	size_t len = nmibt_base64_decode(&l->base64, without_blanks(line), l->decoded);
	bool is_empty = !without_blanks(line).len;
	l->place.will_be_base64 &= is_empty;
	if (len == SIZE_MAX) {
		read_again(l, line, at);
		l->is_end_cut &= !is_empty && !nmibt_str_starts(line, "--");
		if (l->is_end_cut && !l->no_base64)
			l->no_base64 = l->number + 1;
		return false;
	}
	/* Where a line that is too long breaks off nobody knows at which of four letters the next one begins. */
	l->breaks_off = line.s == l->longest;
	if (l->breaks_off)
		l->base64 = (struct nmibt_base64){0};
	l->place.base64 = before;
	l->place.decoded = 0;
	l->decoded_len = len;
	l->decoded_at = at;
	return true;
}

static bool may_be_header(const struct nmibt_lines *l, struct nmibt_str line)
{
	return l->place.is_behind_boundary || l->place.is_within_encoding ||
	       (line.len && (*line.s == 'C' || *line.s == 'c' || *line.s == 'F' || *line.s == '-'));
}

/* "=3D" is '=' (RFC 2045, 6.7). */
static void decode_escapes(struct nmibt_lines *l, struct nmibt_str line)
{
	for (size_t i = 0; i < line.len; i++) {
		char c = line.s[i];

		if (c == '=' && i + 2 < line.len && hex_digit(line.s[i + 1]) < 16 &&
		    hex_digit(line.s[i + 2]) < 16) {
			c = (char)(hex_digit(line.s[i + 1]) << 4 | hex_digit(line.s[i + 2]));
			i += 2;
		}
		l->decoded[l->decoded_len++] = c;
	}
}

/*
 * Decodes the next line of the file. It goes on in the next one if it ends with '='; and some programs write the newline
 * as "=0A". False: there are no more lines, or a part begins that is not quoted-printable.
 */
static bool decode_quoted(struct nmibt_lines *l)
{
	uint64_t at = l->offset;
	struct nmibt_str line;
	bool is_cut, goes_on = false;

	if (!next_line(l, &line, &is_cut))
		return false;
	if (may_be_header(l, line))
		take_header(l, line);
	leave_header(l, line);
	l->is_end_cut = false;
	if (!l->place.is_quoted_printable) {
		read_again(l, line, at);
		return false;
	}
	l->place.decoded = l->decoded_len = 0;
	l->decoded_at = at;
	l->breaks_off = line.s == l->longest;
	if (line.len && memchr(line.s, '=', line.len)) {
		line = without_blanks(line);
		goes_on = line.len && line.s[line.len - 1] == '=';
		line.len -= goes_on;
	}
	decode_escapes(l, line);
	l->is_end_cut = is_cut && !goes_on;
	if (!is_cut && !goes_on && (!l->decoded_len || l->decoded[l->decoded_len - 1] != '\n'))
		l->decoded[l->decoded_len++] = '\n';
	return true;
}

static bool decode_more(struct nmibt_lines *l)
{
	return l->place.is_base64 ? decode_base64(l)
				  : l->place.is_quoted_printable && decode_quoted(l);
}

/* The next line of what was encoded. False: there is none. */
static bool next_decoded(struct nmibt_lines *l, struct nmibt_str *ret, bool *ret_is_cut)
{
	*ret_is_cut = false;
	l->joined_len = 0;
	do {
		while (l->place.decoded < l->decoded_len) {
			char c = l->decoded[l->place.decoded++];

			if (c == '\n') {
				*ret = (struct nmibt_str){l->joined, l->joined_len};
				return true;
			}
			if (l->joined_len < NMIBT_MAX_TEXT_LINE)
				l->joined[l->joined_len++] = c;
			else
				*ret_is_cut = true;
		}
		if (l->breaks_off)
			break;
	} while (decode_more(l));
	*ret = (struct nmibt_str){l->joined, l->joined_len};
	*ret_is_cut |= l->breaks_off || l->is_end_cut;
	if (l->breaks_off) {
		l->breaks_off = false;
		return true;
	}
	end_part(l);
	return l->joined_len;
}

/* ----------------------------------------------------------------- what is in a line */

static bool is_end_of_sequence(char c)
{
	return c >= '@' && c <= '~';
}

/* A console has colours and other sequences for a terminal (ECMA-48, 5.4). */
static void strip_sequences(struct nmibt_lines *l, struct nmibt_str *line)
{
	size_t len = 0;

	for (size_t i = 0; i < line->len; i++) {
		if (line->s[i] == ESC && i + 1 < line->len && line->s[i + 1] == '[') {
			for (i += 2; i < line->len && !is_end_of_sequence(line->s[i]); i++)
				;
		} else if (line->s[i] != ESC) {
			l->plain[len++] = line->s[i];
		}
	}
	*line = (struct nmibt_str){l->plain, len};
}

/* The byte that an entity of HTML at the beginning of s stands for; 0: there is none. */
static char take_entity(struct nmibt_str *s)
{
	static const struct {
		const char *name;
		char byte;
	} entities[] = {
		{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&#39;", '\''},
	};

	for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
		if (nmibt_skip(s, entities[i].name))
			return entities[i].byte;
	}
	return 0;
}

/* "[&lt;c0101234&gt;] (f) from": laboratories mail logs as their pages have them. The kernel prints nothing like that. */
static void decode_entities(struct nmibt_lines *l, struct nmibt_str *line)
{
	struct nmibt_str rest = *line;
	size_t len = 0;

	while (rest.len) {
		char byte = *rest.s == '&' ? take_entity(&rest) : 0;

		if (!byte) {
			byte = *rest.s;
			rest = (struct nmibt_str){rest.s + 1, rest.len - 1};
		}
		l->plain[len++] = byte;
	}
	*line = (struct nmibt_str){l->plain, len};
}

/* Ends of lines: CR LF, CR CR LF, and "^M", as some tools write a CR; a tab that was pasted behind the text. A console
 * that lost power leaves zeros. */
static void strip(struct nmibt_lines *l, struct nmibt_str *line)
{
	while (line->len && (line->s[line->len - 1] == '\r' || line->s[line->len - 1] == '\t'))
		line->len--;
	if (line->len >= 2 && line->s[line->len - 1] == 'M' && line->s[line->len - 2] == '^')
		line->len -= 2;
	while (line->len && (!*line->s || *line->s == '\r'))
		*line = (struct nmibt_str){line->s + 1, line->len - 1};
	if (l->has_escape && holds(*line, ESC))
		strip_sequences(l, line);
	if (l->has_ampersand && holds(*line, '&'))
		decode_entities(l, line);
}

/* The bytes of a space that is not to be broken, in UTF-8 or, behind ASCII, in Latin-1; 0: there is none. */
static size_t len_of_hard_space(struct nmibt_str s, size_t i)
{
	if (i + 1 < s.len && s.s[i] == '\xc2' && s.s[i + 1] == HARD_SPACE)
		return 2;
	return s.s[i] == HARD_SPACE && (!i || !(s.s[i - 1] & 0x80));
}

/* Mail programs write such spaces where a line begins with spaces, or has several in a row. */
static void soften_spaces(struct nmibt_lines *l, struct nmibt_str *text)
{
	size_t len = 0, i = 0;

	if (!l->has_hard_space || !holds(*text, HARD_SPACE))
		return;
	while (i < text->len) {
		size_t hard = len_of_hard_space(*text, i);

		l->plain[len++] = hard ? ' ' : text->s[i];
		i += hard ?: 1;
	}
	*text = (struct nmibt_str){l->plain, len};
}

/* "\x0a" stands for a byte that /dev/kmsg does not show (kernel/printk/printk.c:
 * append_char_escaped(), 6.12). */
static void unescape(struct nmibt_lines *l, struct nmibt_str *text)
{
	size_t len = 0;

	if (!text->len || !memchr(text->s, '\\', text->len))
		return;
	for (size_t i = 0; i < text->len; i++) {
		char c = text->s[i];

		if (c == '\\' && i + 3 < text->len && text->s[i + 1] == 'x' &&
		    hex_digit(text->s[i + 2]) < 16 && hex_digit(text->s[i + 3]) < 16) {
			c = (char)(hex_digit(text->s[i + 2]) << 4 | hex_digit(text->s[i + 3]));
			i += 3;
		}
		l->plain[len++] = c;
	}
	*text = (struct nmibt_str){l->plain, len};
}

/* ------------------------------------------------------------------ parts of netconsole */

/* "ncfrag=0/800" at the end of the header: where this part begins, and the length of all. */
static bool read_part(struct nmibt_str header, uint64_t *ret_at, uint64_t *ret_of)
{
	struct nmibt_str before;

	return nmibt_take_until_last(&header, ",ncfrag=", &before) &&
	       nmibt_take_decimal(&header, NMIBT_MAX_TEXT_LINE, ret_at) &&
	       nmibt_skip(&header, "/") && nmibt_take_decimal(&header, NMIBT_MAX_TEXT_LINE, ret_of);
}

/*
 * A message that does not fit into a packet is sent in parts, each with the message's header
 * (drivers/net/netconsole.c: send_fragmented_body(), 6.12). A receiver puts the next part's header behind
 * a part, as no newline is there, or on a line of its own. False: the message lacks parts that may come.
 */
static bool join_parts(struct nmibt_lines *l, struct nmibt_str whole, struct nmibt_text_line *line)
{
	struct nmibt_str header = {whole.s, line->text.s - whole.s}, text = line->text, part;
	uint64_t at, of;

	if (!read_part(header, &at, &of))
		return true;
	struct nmibt_str common;
	nmibt_take_until(&header, ",ncfrag=", &common);
	if (!at) {
		l->parts_len = 0;
		l->parts_of = of;
		l->parts_place = line->place;
	}
	if (at && at == l->parts_len)
		line->place = l->parts_place;
	for (;;) {
		const char *next = memmem(text.s, text.len, common.s, common.len);

		part = (struct nmibt_str){text.s, next ? (size_t)(next - text.s) : text.len};
		if (at != l->parts_len || of != l->parts_of ||
		    part.len > NMIBT_MAX_TEXT_LINE - l->parts_len) {
			line->is_cut = true;
			break;
		}
		memcpy(l->parts + l->parts_len, part.s, part.len);
		l->parts_len += part.len;
		if (!next)
			break;
		text = (struct nmibt_str){next, text.len - part.len};
		header = text;
		if (!nmibt_take_until(&text, ";", &header) || !read_part(header, &at, &of))
			break;
	}
	/* The length counts the newline, and fields behind it. */
	if (!line->is_cut && l->parts_len + 1 < l->parts_of)
		return false;
	line->is_behind_loss |= line->is_cut;
	line->text = (struct nmibt_str){l->parts, l->parts_len};
	l->parts_len = 0;
	return true;
}

/* ------------------------------------------------------------------------- the journal */

/* The next line, as it was before a mail program encoded it. */
static bool next_of_mail(struct nmibt_lines *l, struct nmibt_text_line *ret)
{
	if ((l->place.is_base64 || l->place.is_quoted_printable) &&
	    next_decoded(l, &ret->text, &ret->is_cut)) {
		expect_all(l);
		return true;
	}
	do {
		if (!next_line(l, &ret->text, &ret->is_cut))
			return false;
		l->place.is_html = l->place.is_html && !ends_html(l, ret->text);
	} while (l->place.is_html);
	ret->is_behind_loss = l->has_lost_line;
	l->has_lost_line = false;
	if (l->place.will_be_base64 && !without_blanks(ret->text).len)
		begin_base64(l);
	else if (may_be_header(l, ret->text))
		take_header(l, ret->text);
	leave_header(l, ret->text);
	return true;
}

/* The next len bytes of that. NULL: there are not so many. */
static const char *take_bytes(struct nmibt_lines *l, uint64_t len)
{
	if (l->place.is_base64 || l->place.is_quoted_printable) {
		for (l->joined_len = 0;
		     l->joined_len < len && l->joined_len < NMIBT_MAX_TEXT_LINE;) {
			if (l->place.decoded == l->decoded_len && !decode_more(l))
				return NULL;
			if (l->place.decoded < l->decoded_len)
				l->joined[l->joined_len++] = l->decoded[l->place.decoded++];
		}
		return l->joined_len == len ? l->joined : NULL;
	}
	fill(l);
	const char *at = l->buf + l->begin;
	if (l->end - l->begin < len)
		return NULL;
	pass(l, len);
	return at;
}

static bool next_field(struct nmibt_lines *l, struct nmibt_str *ret)
{
	struct nmibt_text_line line;

	if (!next_of_mail(l, &line))
		return false;
	*ret = line.text;
	return ret->len;
}

/* Fields of an entry up to an empty line. A value with newlines stands behind its length. */
static bool read_export(struct nmibt_lines *l, struct nmibt_str field,
			struct nmibt_journal_entry *entry)
{
	do {
		struct nmibt_str name, value = field;

		if (nmibt_take_until(&value, "=", &name)) {
			nmibt_journal_take(entry, name, value, l->plain, NMIBT_MAX_TEXT_LINE);
			continue;
		}
		bool is_message = nmibt_str_is(field, "MESSAGE");
		const char *bytes = take_bytes(l, sizeof(uint64_t));
		uint64_t len;

		if (!bytes)
			return false;
		memcpy(&len, bytes, sizeof(len));
		bytes = len < ROOM ? take_bytes(l, len + 1) : NULL;
		if (!bytes)
			return false;
		if (is_message)
			nmibt_journal_take(entry, nmibt_str_of("MESSAGE"),
					   (struct nmibt_str){bytes, len}, l->plain,
					   NMIBT_MAX_TEXT_LINE);
	} while (next_field(l, &field));
	return entry->has_message;
}

static bool is_export(struct nmibt_str line)
{
	return nmibt_str_starts(line, "__CURSOR=") ||
	       nmibt_str_starts(line, "__REALTIME_TIMESTAMP=");
}

static void take_entry(struct nmibt_lines *l, const struct nmibt_journal_entry *entry,
		       struct nmibt_text_line *ret)
{
	nmibt_journal_prefix(entry, &ret->prefix);
	ret->text = (struct nmibt_str){l->plain, entry->len};
	ret->boot = entry->boot;
}

/* True: the line, or the lines from it on, are an entry of the journal. */
static bool read_journal(struct nmibt_lines *l, struct nmibt_str line, struct nmibt_text_line *ret)
{
	struct nmibt_journal_entry entry = {0};

	if (*line.s == '_' ? is_export(line) && read_export(l, line, &entry)
			   : (*line.s == '{' || *line.s == 0x1e) &&
				     nmibt_journal_read_json(line, &entry, l->plain,
							     NMIBT_MAX_TEXT_LINE)) {
		take_entry(l, &entry, ret);
		return true;
	}
	return false;
}

/* "-- Boot 0123456789abcdef0123456789abcdef --", "-- Reboot --": journalctl, 257 and before 246 */
static bool is_boot(struct nmibt_str line)
{
	return nmibt_str_starts(line, "-- Boot ") || nmibt_str_is(line, "-- Reboot --");
}

/* ----------------------------------------------------------------------------- together */

/* False: it is a part of a message, whose other parts follow. */
static bool read_line(struct nmibt_lines *l, struct nmibt_str line, struct nmibt_text_line *ret)
{
	ret->text = line;
	if (!line.len || read_journal(l, line, ret))
		return true;
	soften_spaces(l, &line);
	ret->text = line;
	nmibt_take_wrapping(&l->place.wrapping, &ret->text, &ret->prefix);
	if (*line.s == '-')
		ret->is_boot = is_boot(line);
	if (!ret->prefix.is_kmsg) {
		if (ret->prefix.is_bare)
			nmibt_unindent(&l->place.wrapping, &ret->text);
		ret->columns = (unsigned int)line.len;
		return true;
	}
	if (!join_parts(l, line, ret))
		return false;
	unescape(l, &ret->text);
	return true;
}

static void note_place(const struct nmibt_lines *l, struct nmibt_lines_place *ret)
{
	*ret = l->place;
	ret->offset = l->offset;
	if (ret->decoded < l->decoded_len) {
		ret->offset = l->decoded_at;
		return;
	}
	ret->decoded = 0;
	if (ret->is_base64)
		ret->base64 = l->base64;
}

/* All but the text, which every line has. This is done for every line, and faster than to clear all of it. */
static void begin_line(const struct nmibt_lines *l, struct nmibt_text_line *ret)
{
	note_place(l, &ret->place);
	ret->prefix = (struct nmibt_log_prefix){0};
	ret->columns = 0;
	ret->number = l->number + 1;
	ret->boot = 0;
	ret->is_boot = ret->is_cut = ret->is_behind_loss = false;
}

bool nmibt_lines_next(struct nmibt_lines *l, struct nmibt_text_line *ret)
{
	bool is_read;

	do {
		begin_line(l, ret);
		if (!next_of_mail(l, ret))
			return false;
		struct nmibt_str line = ret->text;
		strip(l, &line);
		is_read = read_line(l, line, ret);
	} while (!is_read);
	return true;
}

bool nmibt_lines_seek(struct nmibt_lines *l, const struct nmibt_lines_place *place)
{
	l->begin = l->end = 0;
	l->parts_len = 0;
	l->place = *place;
	l->offset = place->offset;
	l->base64 = place->base64;
	l->decoded_len = 0;
	l->is_end_cut = l->breaks_off = l->has_lost_line = false;
	if (!nmibt_stream_seek(l->stream, place->offset))
		return false;
	if (place->decoded && decode_more(l))
		l->place.decoded =
			place->decoded < l->decoded_len ? place->decoded : l->decoded_len;
	return true;
}

uint64_t nmibt_lines_no_base64(const struct nmibt_lines *l)
{
	return l->no_base64;
}

uint64_t nmibt_lines_nr_html(const struct nmibt_lines *l)
{
	return l->nr_html;
}

const char *nmibt_lines_complaint(const struct nmibt_lines *l)
{
	return nmibt_stream_complaint(l->stream);
}

struct nmibt_error *nmibt_lines_open(const struct nmibt_file *file, struct nmibt_lines **ret)
{
	struct nmibt_lines *l = calloc(1, sizeof(*l));
	struct nmibt_error *err = l ? nmibt_stream_open(file, &l->stream) : nmibt_error_nomem();

	if (!err) {
		l->buf = malloc(ROOM);
		l->longest = malloc(NMIBT_MAX_TEXT_LINE);
		l->joined = malloc(NMIBT_MAX_TEXT_LINE);
		l->plain = malloc(NMIBT_MAX_TEXT_LINE);
		l->decoded = malloc(NMIBT_MAX_TEXT_LINE + 1);
		l->parts = malloc(NMIBT_MAX_TEXT_LINE);
		if (!l->buf || !l->longest || !l->joined || !l->plain || !l->decoded || !l->parts)
			err = nmibt_error_nomem();
	}
	if (err) {
		nmibt_lines_close(l);
		return err;
	}
	*ret = l;
	return NULL;
}

void nmibt_lines_close(struct nmibt_lines *l)
{
	if (!l)
		return;
	nmibt_stream_close(l->stream);
	free(l->buf);
	free(l->longest);
	free(l->joined);
	free(l->plain);
	free(l->decoded);
	free(l->parts);
	free(l);
}
