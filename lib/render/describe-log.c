// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log in a description: records of the forms that a report is made from, other records that the
 * same caller printed between them and shortly after them, and gaps.
 */
#include "render/describe.h"

/* enum printk_info_flags, kernel/printk/printk_ringbuffer.h and internal.h, 5.10 to 6.12 */
#define LOG_NEWLINE 2
#define LOG_CONT 8
/* kernel/printk/printk.c: printk_caller_id(), 5.10 to 6.12 */
#define CALLER_IS_CPU 0x80000000

/* A printout may contain 32 lines of no known form in a row (source/printouts.h); one more ends
 * it. */
#define MAX_STRANGERS 33
/* At most this many missing records of one gap are written. */
#define MAX_IN_GAP 64
#define NR_CALLERS 1024

/* The state of a caller. Where several have the same index in the table, the newest one has it. */
struct caller {
	uint32_t id;
	unsigned int strangers; /* how many more lines of no known form are written */
	/* The pieces of a line without a newline so far: */
	char *line;
	size_t len;
	unsigned int level;
	uint64_t ns, nr_gaps;
};

struct log_writer {
	FILE *out;
	enum nmibt_arch arch;
	struct caller *callers; /* NR_CALLERS */
	uint64_t nr_gaps, last_seq;
	bool has_begun;
	bool has_hole; /* pages are already missing: a description can have one run of them */
};

static struct caller *caller_of(struct log_writer *w, uint32_t id)
{
	struct caller *c = &w->callers[(id ^ id >> 16) % NR_CALLERS];

	if (c->id != id) {
		free(c->line);
		*c = (struct caller){.id = id};
	}
	return c;
}

static void put_head(struct log_writer *w, uint64_t ns, uint32_t caller, unsigned int level,
		     const char *mark)
{
	fprintf(w->out, "%" PRIu64 ".%09" PRIu64 " ", ns / 1000000000, ns % 1000000000);
	if (caller != NMIBT_NO_CALLER)
		fprintf(w->out, "%c%u ", caller & CALLER_IS_CPU ? 'C' : 'T',
			caller & ~CALLER_IS_CPU);
	fprintf(w->out, "<%u> %s| ", level, mark);
}

/* True: a line of this form begins a report, or continues one. */
static bool is_of_report(enum nmibt_print kind)
{
	return kind != NMIBT_PRINT_OTHER && !nmibt_is_event(kind);
}

/* What was recognised in the lines of a record. */
struct seen {
	bool is_known; /* a line has a known form */
	bool is_of_report;
};

static struct seen redact_lines(struct log_writer *w, FILE *out, struct nmibt_str text)
{
	struct seen seen = {0};

	for (;;) {
		const char *newline = memchr(text.s, '\n', text.len);
		size_t len = newline ? (size_t)(newline - text.s) : text.len;

		enum nmibt_print kind =
			nmibt_redact_line(w->arch, out, (struct nmibt_str){text.s, len});

		seen.is_known |= kind != NMIBT_PRINT_OTHER;
		seen.is_of_report |= is_of_report(kind);
		if (!newline)
			return seen;
		fputs("\\n", out);
		text = (struct nmibt_str){newline + 1, text.len - len - 1};
	}
}

/* Writes one record, if it belongs to the description. */
static struct nmibt_error *put_record(struct log_writer *w, struct caller *c, uint64_t ns,
				      unsigned int level, struct nmibt_str text, bool has_newline)
{
	_cleanup_free_ char *redacted = NULL;
	size_t len;
	FILE *stream = open_memstream(&redacted, &len);

	if (!stream)
		return nmibt_error_nomem();
	struct seen seen = redact_lines(w, stream, text);
	if (fclose(stream))
		return nmibt_error_nomem();
	if (!seen.is_known && !c->strangers)
		return NULL;
	if (seen.is_of_report)
		c->strangers = MAX_STRANGERS;
	else if (!seen.is_known)
		c->strangers--;
	put_head(w, ns, c->id, level, "");
	fprintf(w->out, "%s%s\n", redacted, has_newline ? "" : "\\");
	return NULL;
}

/* -------------------------------------------------------------- lines in pieces */

static struct nmibt_error *add_piece(struct log_writer *w, struct caller *c,
				     const struct nmibt_log_record *record)
{
	char *line = realloc(c->line, c->len + record->len + 1);

	if (!line)
		return nmibt_error_nomem();
	if (!c->line) {
		c->ns = record->ts_ns;
		c->level = record->level;
		c->nr_gaps = w->nr_gaps;
	}
	c->line = line;
	memcpy(line + c->len, record->text, record->len);
	c->len += record->len;
	return NULL;
}

static struct nmibt_error *end_line(struct log_writer *w, struct caller *c, bool has_newline)
{
	if (!c->line)
		return NULL;
	struct nmibt_error *err =
		put_record(w, c, c->ns, c->level, (struct nmibt_str){c->line, c->len}, has_newline);
	free(c->line);
	c->line = NULL;
	c->len = 0;
	return err;
}

/* ------------------------------------------------------------------------- gaps */

static void put_missing(struct log_writer *w, const struct nmibt_log_record *record, uint64_t nr,
			const char *mark)
{
	for (uint64_t i = 0; i < nr && i < MAX_IN_GAP; i++) {
		put_head(w, record->ts_ns, record->caller_id, 4, mark);
		fputs("x\n", w->out);
	}
}

static void put_gap(struct log_writer *w, const struct nmibt_log_record *record)
{
	const struct nmibt_log_missing *before = &record->missing_before;
	bool is_excluded = before->excluded;
	uint64_t in_hole = is_excluded ? before->excluded : before->unreadable;
	uint64_t others = before->damaged + before->excluded + before->unreadable - in_hole;
	uint64_t jump = w->has_begun && !record->is_end && record->seq > w->last_seq
				? record->seq - w->last_seq - 1
				: 0;
	uint64_t known = others + in_hole + before->lost + before->unfinished;

	if (jump > known)
		others += jump - known;
	if (!others && !in_hole && !before->lost && !before->unfinished)
		return;
	w->nr_gaps++;
	put_missing(w, record, in_hole,
		    w->has_hole	  ? "damaged "
		    : is_excluded ? "excluded "
				  : "unreadable ");
	w->has_hole |= in_hole;
	put_missing(w, record, before->lost, "lost ");
	put_missing(w, record, before->unfinished, "reserved ");
	put_missing(w, record, others, "damaged ");
}

/* --------------------------------------------------------------------- all of it */

static struct nmibt_error *take_record(struct log_writer *w, const struct nmibt_log_record *record)
{
	struct nmibt_error *err = NULL;

	put_gap(w, record);
	if (record->is_end)
		return NULL;
	w->last_seq = record->seq;
	w->has_begun = true;
	if (nmibt_log_is_of_user(record))
		return NULL;
	struct caller *c = caller_of(w, record->caller_id);
	bool goes_on = record->flags & LOG_CONT && c->nr_gaps == w->nr_gaps;
	bool has_newline = record->flags & LOG_NEWLINE && !record->missing;

	if (c->line && !goes_on)
		err = end_line(w, c, false);
	if (!err && has_newline && !c->line)
		return put_record(w, c, record->ts_ns, record->level,
				  (struct nmibt_str){record->text, record->len}, true);
	if (!err)
		err = add_piece(w, c, record);
	if (!err && has_newline)
		err = end_line(w, c, true);
	return err;
}

static struct nmibt_error *read_records(struct log_writer *w, struct nmibt_log *log)
{
	struct nmibt_error *err = NULL;
	struct nmibt_log_record record;

	while (!err && nmibt_log_next(log, &record))
		err = take_record(w, &record);
	for (size_t i = 0; i < NR_CALLERS && !err; i++)
		err = end_line(w, &w->callers[i], false);
	return err;
}

/* Before 5.10 records have no numbers, and not each kernel stores callers. */
static void put_log(FILE *out, const struct nmibt_log_source *source,
		    const struct nmibt_vmcoreinfo *info)
{
	bool is_classic = !info->printk.prb.known;

	fputs("\nlog", out);
	if (is_classic && info->classic_log.printk_log.caller_id.known)
		fputs(" callers", out);
	if (!is_classic && source->is_wrapped)
		fprintf(out, " first %" PRIu64, source->first_seq);
	putc('\n', out);
}

struct nmibt_error *nmibt_describe_log(struct renderer *r)
{
	const struct nmibt_log_source *source = r->report->sources->log;
	struct log_writer w = {.out = r->out, .arch = r->report->kernel->image->arch};
	struct nmibt_log *log = NULL;

	if (!source || !source->nr_records)
		return NULL;
	w.callers = calloc(NR_CALLERS, sizeof(*w.callers));
	struct nmibt_error *err =
		w.callers ? nmibt_log_open(r->report->kernel, &log) : nmibt_error_nomem();
	put_log(r->out, source, &r->report->kernel->vmcoreinfo);
	if (!err)
		err = read_records(&w, log);
	/* Ages depend on the time of the last record. User space seems to write this record, so
	 * nmibt ignores its text. */
	if (!err)
		fprintf(r->out, "%" PRIu64 ".%09" PRIu64 " T0 <14> | the log ends\n",
			source->last_ns / 1000000000, source->last_ns % 1000000000);
	nmibt_log_close(log);
	for (size_t i = 0; w.callers && i < NR_CALLERS; i++)
		free(w.callers[i].line);
	free(w.callers);
	return err;
}
