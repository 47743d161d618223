// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes lines of the bytes of a capture. A capture holds the messages that printk() was given: with
 * KERN_SOH level headers (include/linux/kern_levels.h: SOH, then 0-7 or c), without timestamps. As
 * in printk, a header other than KERN_CONT ends an unfinished line before it, and KERN_CONT
 * continues that line.
 */
#include "text/text.h"

#define SOH '\001'
/* A line is longer only by chance; what is searched for its end again stays short. */
#define PLAIN 256

struct decoder {
	const char *raw;
	size_t len;
	size_t published;
	const bool *known;
	const bool *lost; /* NULL: nothing is */
	bool has_headers;
	struct nmibt_text *text;
	char *out; /* text of all lines, one after the other */
	size_t room; /* lines allocated */
	struct nmibt_line *line; /* the open line, or NULL */
	size_t gap; /* unreadable bytes since the last line */
	bool is_behind_lost; /* lines are lost since then, or may be */
	bool failed; /* out of memory */
};

static void open_line(struct decoder *d, int level)
{
	struct nmibt_text *text = d->text;

	if (text->nr_lines == d->room) {
		size_t room = d->room ? d->room * 2 : 64;
		void *lines = reallocarray(text->lines, room, sizeof(*text->lines));
		if (!lines) {
			d->failed = true;
			return;
		}
		text->lines = lines;
		d->room = room;
	}
	d->line = &text->lines[text->nr_lines++];
	*d->line = (struct nmibt_line){.text = d->out, .level = level, .gap = d->gap};
	if (d->gap)
		d->line->flags |= NMIBT_LINE_MISSING;
	if (d->is_behind_lost)
		d->line->flags |= NMIBT_LINE_LOST;
	d->gap = 0;
	d->is_behind_lost = false;
}

static void close_line(struct decoder *d, unsigned int flags)
{
	if (d->line) {
		d->line->flags |= flags;
		if (!(d->line->flags & NMIBT_LINE_TORN))
			d->line->torn_at = d->line->len;
	}
	d->line = NULL;
}

/* The byte at pos was added to the open line: marks the line if that byte is not published. */
static void mark_torn(struct decoder *d, size_t pos)
{
	if (pos >= d->published && !(d->line->flags & NMIBT_LINE_TORN)) {
		d->line->flags |= NMIBT_LINE_TORN;
		d->line->torn_at = d->line->len;
	}
}

static bool is_lost_before(const struct decoder *d, size_t pos)
{
	return d->lost && d->lost[pos];
}

static bool is_known(const struct decoder *d, size_t pos)
{
	return !d->known || d->known[pos];
}

static bool is_header(const struct decoder *d, size_t pos)
{
	if (!d->has_headers || d->raw[pos] != SOH || pos + 1 >= d->len || !is_known(d, pos + 1))
		return false;
	char c = d->raw[pos + 1];
	return (c >= '0' && c <= '7') || c == 'c';
}

static void take_header(struct decoder *d, size_t pos)
{
	char c = d->raw[pos + 1];

	if (c != 'c') {
		close_line(d, NMIBT_LINE_PARTIAL);
		open_line(d, c - '0');
	} else if (!d->line) {
		open_line(d, NMIBT_LEVEL_CONT);
	}
	if (!d->line)
		return;
	mark_torn(d, pos + 1);
	/* A header at the end of the data, or with another header behind it, has no text. */
	if (d->line->len == 0 && (pos + 2 == d->len || is_header(d, pos + 2)))
		d->line->flags |= NMIBT_LINE_LONE_HEADER;
}

static void take_byte(struct decoder *d, size_t pos)
{
	if (!d->line)
		open_line(d, NMIBT_LEVEL_DEFAULT);
	if (!d->line)
		return;
	mark_torn(d, pos);
	if (d->raw[pos] == '\n') {
		close_line(d, 0);
		return;
	}
	if (d->has_headers && d->raw[pos] == SOH && pos + 1 == d->len)
		d->line->flags |= NMIBT_LINE_LONE_HEADER;
	*d->out++ = d->raw[pos];
	d->line->len++;
}

/* The index of the first byte of this value from pos on and before end; end: there is none. */
static size_t find_byte(const void *bytes, size_t pos, size_t end, int value)
{
	const char *at = end > pos ? memchr((const char *)bytes + pos, value, end - pos) : NULL;

	return at ? (size_t)(at - (const char *)bytes) : end;
}

/* How many bytes from pos on, at most PLAIN, are plain text, either all published or none. */
static size_t count_plain(const struct decoder *d, size_t pos)
{
	size_t end = pos < d->published ? d->published : d->len;

	if (end - pos > PLAIN)
		end = pos + PLAIN;
	end = find_byte(d->raw, pos, end, '\n');
	end = find_byte(d->raw, pos, end, SOH);
	if (d->known)
		end = find_byte(d->known, pos, end, false);
	if (d->lost && end > pos)
		end = find_byte(d->lost, pos + 1, end, true);
	return end - pos;
}

static void take_plain(struct decoder *d, size_t pos, size_t len)
{
	if (!d->line)
		open_line(d, NMIBT_LEVEL_DEFAULT);
	if (!d->line)
		return;
	mark_torn(d, pos);
	memcpy(d->out, d->raw + pos, len);
	d->out += len;
	d->line->len += len;
}

static void take_loss(struct decoder *d, size_t pos)
{
	if (!is_lost_before(d, pos))
		return;
	close_line(d, NMIBT_LINE_PARTIAL);
	d->is_behind_lost = true;
}

static void decode(struct decoder *d, bool overflow)
{
	size_t plain;

	for (size_t pos = 0; pos < d->len && !d->failed; pos++) {
		take_loss(d, pos);
		if (!is_known(d, pos)) {
			close_line(d, NMIBT_LINE_PARTIAL);
			d->gap++;
		} else if ((plain = count_plain(d, pos))) {
			take_plain(d, pos, plain);
			pos += plain - 1;
		} else if (is_header(d, pos)) {
			take_header(d, pos++);
		} else {
			take_byte(d, pos);
		}
	}
	take_loss(d, d->len);
	if (d->gap || d->is_behind_lost)
		open_line(d, NMIBT_LEVEL_DEFAULT);
	close_line(d, NMIBT_LINE_PARTIAL | (overflow ? NMIBT_LINE_CUT : 0));
}

/* has_headers: printk() takes them off before it stores a record. */
static struct nmibt_error *decode_copy(const char *raw, size_t raw_len, size_t published,
				       const bool *known, const bool *lost, bool has_headers,
				       bool overflow, struct nmibt_text *ret)
{
	struct nmibt_text text = {.raw_len = raw_len, .published = published};
	if (text.published > raw_len)
		text.published = raw_len;

	text.raw = malloc(raw_len + 1);
	text.owned = malloc(raw_len + 1);
	if (known)
		text.known = malloc((raw_len + 1) * sizeof(*known));
	if (lost)
		text.lost = malloc((raw_len + 1) * sizeof(*lost));
	if (!text.raw || !text.owned || (known && !text.known) || (lost && !text.lost)) {
		nmibt_text_destroy(&text);
		return nmibt_error_nomem();
	}
	if (raw_len)
		memcpy(text.raw, raw, raw_len);
	if (known && raw_len)
		memcpy(text.known, known, raw_len * sizeof(*known));
	if (lost)
		memcpy(text.lost, lost, (raw_len + 1) * sizeof(*lost));
	for (size_t i = 0; known && i < text.published; i++)
		text.unread += !known[i];

	struct decoder d = {
		.raw = text.raw,
		.len = raw_len,
		.published = text.published,
		.known = known,
		.lost = lost,
		.has_headers = has_headers,
		.text = &text,
		.out = text.owned,
	};
	decode(&d, overflow);
	if (d.failed) {
		nmibt_text_destroy(&text);
		return nmibt_error_nomem();
	}
	*ret = text;
	return NULL;
}

struct nmibt_error *nmibt_decode(const char *raw, size_t raw_len, size_t published,
				 const bool *known, bool overflow, struct nmibt_text *ret)
{
	return decode_copy(raw, raw_len, published, known, NULL, true, overflow, ret);
}

struct nmibt_error *nmibt_decode_log(const char *raw, size_t len, const bool *known,
				     const bool *lost, struct nmibt_text *ret)
{
	return decode_copy(raw, len, len, known, lost, false, false, ret);
}

void nmibt_text_destroy(struct nmibt_text *text)
{
	free(text->lines);
	free(text->raw);
	free(text->known);
	free(text->lost);
	free(text->owned);
	*text = (struct nmibt_text){0};
}
