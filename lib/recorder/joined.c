// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Joins the lines that the kernel printed in several records, as lib/source/log-lines.c does: a piece of a line is not
 * known by its form.
 */
#include "recorder/extract.h"

/* enum printk_info_flags, kernel/printk/printk_ringbuffer.h and internal.h, 5.10 to 6.12 */
#define LOG_NEWLINE 2
#define LOG_CONT 8

static struct nmibt_error *end_line(struct joiner *joiner, unsigned int i)
{
	struct joined_line line = joiner->open[i];

	joiner->nr_open--;
	memmove(&joiner->open[i], &joiner->open[i + 1],
		(joiner->nr_open - i) * sizeof(joiner->open[i]));
	struct nmibt_error *err = joiner->take(joiner->ctx, &line);
	size_t at = 0;

	for (size_t part = 0; part < line.nr; at += line.parts[part++].len) {
		if (line.parts[part].at)
			memcpy(line.parts[part].at, line.text + at, line.parts[part].len);
	}
	free(line.text);
	free(line.parts);
	return err;
}

static unsigned int find_line(const struct joiner *joiner, uint32_t caller_id)
{
	unsigned int i = 0;

	while (i < joiner->nr_open && joiner->open[i].caller_id != caller_id)
		i++;
	return i;
}

static struct nmibt_error *add_part(struct joined_line *line, const struct nmibt_log_record *record,
				    char *at)
{
	struct joined_part *parts = nmibt_make_room(line->parts, line->nr, sizeof(*parts));

	if (!parts)
		return nmibt_error_nomem();
	line->parts = parts;
	char *text = realloc(line->text, line->len + record->len + 1);
	if (!text)
		return nmibt_error_nomem();
	line->text = text;
	memcpy(text + line->len, record->text, record->len);
	line->len += record->len;
	parts[line->nr++] = (struct joined_part){at, record->len};
	return NULL;
}

struct nmibt_error *nmibt_joiner_put(struct joiner *joiner, const struct nmibt_log_record *record,
				     char *at)
{
	/* A piece may be among the records that are missing. */
	struct nmibt_error *err =
		nmibt_log_nr_missing(&record->missing_before) ? nmibt_joiner_end(joiner) : NULL;
	unsigned int i = find_line(joiner, record->caller_id);
	bool is_of_user = nmibt_log_is_of_user(record);
	bool goes_on = record->flags & LOG_CONT && !is_of_user;

	if (!err && i < joiner->nr_open && !goes_on) {
		err = end_line(joiner, i);
		i = joiner->nr_open;
	}
	if (!err && i == MAX_OPEN_LINES) {
		err = end_line(joiner, 0);
		i--;
	}
	if (err)
		return err;
	if (i == joiner->nr_open)
		joiner->open[joiner->nr_open++] = (struct joined_line){
			.caller_id = record->caller_id, .is_of_user = is_of_user};
	err = add_part(&joiner->open[i], record, at);
	if (!err && (record->flags & LOG_NEWLINE || is_of_user))
		err = end_line(joiner, i);
	return err;
}

struct nmibt_error *nmibt_joiner_end(struct joiner *joiner)
{
	struct nmibt_error *err = NULL;

	while (joiner->nr_open) {
		struct nmibt_error *next = end_line(joiner, 0);

		if (!err)
			err = next;
		else
			nmibt_error_destroy(next);
	}
	return err;
}
