// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes lines of records. CPUs print at the same time, so that their records are mixed. caller_id
 * says who printed a record, since 5.10 in every configuration (kernel/printk/printk.c:
 * printk_caller_id()). The records of one caller are read as a stream. A line may be in several
 * records, and a record may hold several lines: the kernel prints few such, but a name in its text
 * may have a newline in it.
 */
#include <search.h>

#include "source/printouts.h"

/* enum printk_info_flags, kernel/printk/printk_ringbuffer.h and internal.h, 5.10 to 6.12 */
#define LOG_NEWLINE 2
#define LOG_CONT 8

/* No kernel has more callers than this in one bucket. */
#define MAX_IN_BUCKET 64

bool nmibt_text_put(struct text *text, const char *bytes, const bool *known, size_t len)
{
	if (text->len + len > text->room) {
		size_t room = 2 * (text->len + len);
		char *raw = realloc(text->raw, room);
		if (raw)
			text->raw = raw;
		bool *all_known = realloc(text->known, room * sizeof(*all_known));
		if (all_known)
			text->known = all_known;
		if (!raw || !all_known)
			return false;
		text->room = room;
	}
	if (!len)
		return true;
	if (bytes)
		memcpy(text->raw + text->len, bytes, len);
	else
		memset(text->raw + text->len, 0, len);
	if (known)
		memcpy(text->known + text->len, known, len * sizeof(*known));
	else
		memset(text->known + text->len, bytes != NULL, len * sizeof(*known));
	text->len += len;
	return true;
}

/* ------------------------------------------------------------------ streams */

static struct stream **bucket_of(struct nmibt_log_builder *b, uint32_t caller_id)
{
	return &b->buckets[(caller_id ^ caller_id >> 16) % NR_BUCKETS];
}

struct stream *nmibt_stream_find(struct nmibt_log_builder *builder, uint32_t caller_id)
{
	struct stream *s = *bucket_of(builder, caller_id);

	while (s && s->caller_id != caller_id)
		s = s->next;
	return s;
}

static void free_stream(struct stream *s)
{
	for (size_t i = 0; i < s->nr_levels; i++) {
		free(s->levels[i].text.raw);
		free(s->levels[i].text.known);
	}
	free(s->line.raw);
	free(s->line.known);
	free(s);
}

/* If the bucket has too many streams, drops the oldest one. */
static void limit_bucket(struct nmibt_log_source *log, struct stream **bucket)
{
	struct stream **at = bucket;
	unsigned int nr = 0;

	for (; *at; at = &(*at)->next) {
		if (++nr < MAX_IN_BUCKET)
			continue;
		struct stream *s = *at;

		*at = NULL;
		s->is_open = false;
		s->last_seq = UINT64_MAX; /* nobody will see whether it prints more */
		nmibt_log_end_stream(log, s);
		free_stream(s);
		return;
	}
}

struct stream *nmibt_stream_get(struct nmibt_log_source *log, uint32_t caller_id)
{
	struct stream **bucket = bucket_of(log->builder, caller_id);
	struct stream *s = nmibt_stream_find(log->builder, caller_id);

	if (s)
		return s;
	limit_bucket(log, bucket);
	s = calloc(1, sizeof(*s));
	if (!s) {
		log->builder->failed = true;
		return NULL;
	}
	s->caller_id = caller_id;
	s->next = *bucket;
	*bucket = s;
	return s;
}

void nmibt_log_builder_close(struct nmibt_log_builder *builder)
{
	for (size_t i = 0; builder && i < NR_BUCKETS; i++) {
		while (builder->buckets[i]) {
			struct stream *s = builder->buckets[i];

			builder->buckets[i] = s->next;
			free_stream(s);
		}
	}
	if (builder)
		tdestroy(builder->stalled_tasks, free);
	free(builder);
}

/* -------------------------------------------------------------------- lines */

/* Makes a line of the pieces in the stream, even if no newline ended them. end has what the line's
 * end tells: seq, ts_ns, is_torn, has_more. */
static void end_line(struct nmibt_log_source *log, struct stream *s, struct nmibt_log_line end)
{
	if (!s->is_open)
		return;
	struct text text = s->line;
	struct nmibt_log_line line = {
		.caller_id = s->caller_id,
		.first_seq = s->line_seq,
		.first_ns = s->line_ns,
		.last_seq = s->piece_seq,
		.last_ns = s->piece_ns,
		.seq = end.seq,
		.ts_ns = end.ts_ns,
		.text = text.raw,
		.known = text.known,
		.len = text.len,
		.is_torn = end.is_torn,
		.is_inner = s->line_is_inner,
		.has_more = end.has_more,
		.nr_gaps = s->line_gaps,
		.nr_lost = s->line_lost,
	};
	s->is_open = false;
	s->line = (struct text){0};
	nmibt_log_take_line(log, &line);
	free(text.raw);
	free(text.known);
}

/* A line of a record, or a part of one. */
struct part {
	const char *text;
	size_t len, missing;
	bool is_inner, has_more; /* as in struct nmibt_log_line */
};

/* Adds a piece to the stream's line, which more pieces may follow. */
static void put_piece(struct nmibt_log_source *log, const struct nmibt_log_record *record,
		      const struct part *part)
{
	struct nmibt_log_builder *b = log->builder;
	struct stream *s = nmibt_stream_get(log, record->caller_id);

	if (!s)
		return;
	if (!s->is_open) {
		s->is_open = true;
		s->line_is_inner = part->is_inner;
		s->line_seq = record->seq;
		s->line_ns = record->ts_ns;
		s->line_gaps = b->nr_gaps;
		s->line_lost = b->nr_lost;
	}
	s->piece_seq = record->seq;
	s->piece_ns = record->ts_ns;
	if (!nmibt_text_put(&s->line, part->text, NULL, part->len) ||
	    !nmibt_text_put(&s->line, NULL, NULL, part->missing))
		b->failed = true;
}

/* Takes a whole line, or the last piece of one. */
static void put_end(struct nmibt_log_source *log, const struct nmibt_log_record *record,
		    const struct part *part)
{
	struct stream *s = nmibt_stream_find(log->builder, record->caller_id);

	if (s && s->is_open) {
		put_piece(log, record, part);
		end_line(log, s,
			 (struct nmibt_log_line){.seq = record->seq,
						 .ts_ns = record->ts_ns,
						 .has_more = part->has_more});
		return;
	}
	nmibt_log_take_line(log, &(struct nmibt_log_line){
					 .caller_id = record->caller_id,
					 .first_seq = record->seq,
					 .first_ns = record->ts_ns,
					 .last_seq = record->seq,
					 .last_ns = record->ts_ns,
					 .seq = record->seq,
					 .ts_ns = record->ts_ns,
					 .text = part->text,
					 .known = NULL,
					 .len = part->len,
					 .missing = part->missing,
					 .is_torn = false,
					 .is_inner = part->is_inner,
					 .has_more = part->has_more,
					 .is_doubtful = record->is_doubtful,
					 .may_be_of_lockup = record->may_be_of_lockup,
					 .nr_gaps = log->builder->nr_gaps,
					 .nr_lost = log->builder->nr_lost,
				 });
}

static void put_record(struct nmibt_log_source *log, const struct nmibt_log_record *record)
{
	const char *at = record->text, *end = at + record->len;
	struct part part = {0};
	struct stream *s = nmibt_stream_find(log->builder, record->caller_id);

	/* A record continues the line before it if its flags say so and no record between the two
	 * is lost. */
	if (s && s->is_open &&
	    (!(record->flags & LOG_CONT) || s->line_gaps != log->builder->nr_gaps))
		end_line(log, s,
			 (struct nmibt_log_line){.seq = record->seq, .ts_ns = record->ts_ns});
	for (const char *newline; (newline = memchr(at, '\n', end - at)); at = newline + 1) {
		part.text = at;
		part.len = newline - at;
		part.has_more = true;
		put_end(log, record, &part);
		part.is_inner = true;
	}
	part.text = at;
	part.len = end - at;
	part.missing = record->missing;
	part.has_more = false;
	if (record->flags & LOG_NEWLINE)
		put_end(log, record, &part);
	else
		put_piece(log, record, &part);
}

/* ------------------------------------------------------------------ records */

void nmibt_log_source_lose(struct nmibt_log_source *log, uint64_t nr)
{
	log->builder->losing += nr;
}

static void note_gap(struct nmibt_log_source *log, uint64_t before_seq)
{
	struct nmibt_log_builder *b = log->builder;
	uint64_t nr = b->losing;

	b->losing = 0;
	if (!nr)
		return;
	b->nr_gaps++;
	b->nr_lost += nr;
	nmibt_log_add_gap(log, &(struct nmibt_log_gap){.after_seq = log->last_seq,
						       .before_seq = before_seq,
						       .nr = nr});
}

void nmibt_log_source_visit(struct nmibt_log_source *log, const struct nmibt_log_record *record)
{
	struct nmibt_log_builder *b = log->builder;
	uint64_t jump = record->seq - log->last_seq - 1;

	if (!log->nr_records) {
		log->is_wrapped = record->seq > b->losing || record->missing_before.overwritten;
		log->first_seq = record->seq;
		log->first_ns = record->ts_ns;
		log->last_seq = record->seq > b->losing ? record->seq - b->losing - 1 : 0;
	} else if (record->seq > log->last_seq && jump > b->losing) {
		b->losing = jump;
	}
	nmibt_log_note_time(log, record);
	log->nr_records++;
	log->nr_cut += record->missing != 0;
	if (b->losing)
		note_gap(log, record->seq);
	log->last_seq = record->seq;
	log->last_ns = record->ts_ns;
	if (!b->failed && !nmibt_log_is_of_user(record))
		put_record(log, record);
}

/* Records after the last one may be lost, too. */
struct nmibt_error *nmibt_log_source_finish(struct nmibt_log_source *log)
{
	struct nmibt_log_builder *b = log->builder;

	if (b->losing)
		note_gap(log, log->last_seq + b->losing + 1);
	for (size_t i = 0; i < NR_BUCKETS && !b->failed; i++) {
		for (struct stream *s = b->buckets[i]; s; s = s->next)
			end_line(log, s,
				 (struct nmibt_log_line){.seq = log->last_seq,
							 .ts_ns = log->last_ns,
							 .is_torn = true});
	}
	for (size_t i = 0; i < NR_BUCKETS && !b->failed; i++) {
		for (struct stream *s = b->buckets[i]; s; s = s->next)
			nmibt_log_end_stream(log, s);
	}
	if (b->failed)
		return nmibt_error_nomem();
	nmibt_log_number(log);
	nmibt_log_builder_close(b);
	log->builder = NULL;
	return NULL;
}
