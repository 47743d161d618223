// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The recorder's text. It shows what the sources have, beside each other, and decides nothing: nmibt
 * does that, with the record or the dump.
 */
#include <time.h>

#include "recorder/recorder.h"

/* How many of the log's last lines the text has. */
#define LAST_LINES 20

/* Output that has at most so many lines. */
struct lines {
	FILE *out;
	unsigned int left; /* 0: no more */
};

/* True: there is room for another line, and for one behind it. */
static bool take_line(struct lines *lines)
{
	if (lines->left <= 1)
		return false;
	lines->left--;
	return true;
}

static void put_escaped(FILE *out, const char *s)
{
	nmibt_escape(out, s, strcspn(s, "\n"), false);
}

/* ------------------------------------------------------------------------ the case */

static void put_time(FILE *out, uint64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;
	char text[64];

	if (seconds <= INT64_MAX && gmtime_r(&time, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		fputs(text, out);
	else
		fprintf(out, "%" PRIu64 " s since 1970", seconds);
}

static void put_machine(const struct nmibt_recorder *rec, FILE *out)
{
	const char *release = rec->kernel->vmcoreinfo.osrelease;
	const char *arch = nmibt_arch_name(rec->image.arch);

	fputs("nmibt: ", out);
	put_escaped(out, release ? release : "unknown release");
	fprintf(out, ", %s", arch ? arch : "unknown architecture");
	if (*rec->host && strcmp(rec->host, "(none)")) {
		fputs(", host ", out);
		put_escaped(out, rec->host);
	}
	if (rec->time) {
		fputs(rec->is_of_oops ? ", captured " : ", died ", out);
		put_time(out, rec->time);
	}
	if (rec->uptime_ns)
		fprintf(out, ", up %s%.3f s", rec->has_capture ? "" : "at least ",
			rec->uptime_ns / 1e9);
	putc('\n', out);
}

static void put_panic(const struct nmibt_recorder *rec, FILE *out)
{
	fputs("panic: ", out);
	if (*rec->message)
		put_escaped(out, rec->message);
	else
		fputs("no message is known", out);
	putc('\n', out);
}

static void put_counts(const struct nmibt_recorder *rec, FILE *out)
{
	const char *comma = ": ";

	fprintf(out, "%u CPU%s", rec->nr_ordered, nmibt_plural(rec->nr_ordered));
	for (unsigned int i = 0; i < rec->nr_ordered; i++) {
		const char *outcome = rec->cpus[rec->order[i]].outcome;
		unsigned int nr = 0, idle = 0;
		bool is_first = true;

		for (unsigned int j = 0; j < rec->nr_ordered; j++) {
			const struct cpu_brief *b = &rec->cpus[rec->order[j]];

			is_first &= j >= i || b->outcome != outcome;
			nr += b->outcome == outcome;
			idle += b->outcome == outcome && b->is_idle;
			if (!is_first)
				break;
		}
		if (!is_first)
			continue;
		fprintf(out, "%s%u %s", comma, nr, outcome);
		if (idle)
			fprintf(out, " (%u idle)", idle);
		comma = ", ";
	}
	fputs(rec->has_capture ? "\n"
	      : rec->has_slots ? "; nobody asked for the capture\n"
			       : "; this kernel has no capture\n",
	      out);
}

/* --------------------------------------------------------------------- the summary */

/* What all CPUs of a line have in common. */
static bool belong_together(const struct cpu_brief *a, const struct cpu_brief *b)
{
	return a->rank == b->rank && a->has_panicked == b->has_panicked &&
	       a->outcome == b->outcome && a->is_idle == b->is_idle && a->is_user == b->is_user &&
	       a->irqs_off == b->irqs_off && a->is_named == b->is_named &&
	       a->is_same_place == b->is_same_place && a->stack_hash == b->stack_hash &&
	       !strcmp(a->place, b->place);
}

static void put_flags(const struct cpu_brief *b, FILE *out)
{
	if (b->has_panicked)
		fputs("  panicked", out);
	if (b->is_named)
		fputs("  once named by a watchdog", out);
	if (b->is_idle)
		fputs("  idle", out);
	if (b->is_user)
		fputs("  in user mode", out);
	if (b->irqs_off)
		fputs("  irqs off", out);
	if (b->is_same_place)
		fputs("  same place at the stop", out);
	if (*b->place)
		fprintf(out, "  %s", b->place);
}

static void put_cpus(const struct nmibt_recorder *rec, const unsigned int *cpus, unsigned int nr,
		     FILE *out)
{
	const struct cpu_brief *b = &rec->cpus[cpus[0]];
	struct renderer r = {.out = out};

	nmibt_render_cpus(&r, cpus, nr);
	fprintf(out, "  %s", b->outcome);
	if (nr == 1)
		nmibt_render_task(&r, &b->task);
	put_flags(b, out);
	putc('\n', out);
}

/* Writes one line for the i-th CPU in the order, and those behind it that belong to it, unless a
 * CPU before it had it. */
static unsigned int put_group(const struct nmibt_recorder *rec, unsigned int i, bool *had,
			      unsigned int *cpus, FILE *out)
{
	const struct cpu_brief *first = &rec->cpus[rec->order[i]];
	unsigned int nr = 0;

	for (unsigned int j = i; j < rec->nr_ordered; j++) {
		const struct cpu_brief *b = &rec->cpus[rec->order[j]];

		if (b->rank != first->rank)
			break;
		if (had[j] || !belong_together(first, b))
			continue;
		had[j] = true;
		cpus[nr++] = rec->order[j];
	}
	put_cpus(rec, cpus, nr, out);
	return nr;
}

static struct nmibt_error *put_summary(const struct nmibt_recorder *rec, struct lines *lines)
{
	_cleanup_free_ bool *had = calloc(rec->nr_ordered + 1, sizeof(*had));
	_cleanup_free_ unsigned int *cpus = calloc(rec->nr_ordered + 1, sizeof(*cpus));
	unsigned int shown = 0;

	if (!had || !cpus)
		return nmibt_error_nomem();
	if (take_line(lines))
		put_machine(rec, lines->out);
	if (take_line(lines))
		put_panic(rec, lines->out);
	if (take_line(lines))
		put_counts(rec, lines->out);
	for (unsigned int i = 0; i < rec->nr_ordered; i++) {
		if (!had[i] && !take_line(lines))
			break;
		if (!had[i])
			shown += put_group(rec, i, had, cpus, lines->out);
	}
	if (shown < rec->nr_ordered)
		fprintf(lines->out, "%u more CPU%s\n", rec->nr_ordered - shown,
			nmibt_plural(rec->nr_ordered - shown));
	return NULL;
}

/* ------------------------------------------------------------------------ one CPU */

static void put_stop(const struct cpu_evidence *e, struct renderer *r)
{
	if (!e->stop.regs.present)
		return;
	if (e->stop.is_user)
		fputs("[it was in user mode when it was stopped]\n", r->out);
	if (!e->stop.stack.nr)
		return;
	fputs("[its stack when it was stopped, unwound by nmibt:]\n", r->out);
	nmibt_render_frames(r, &e->stop.stack);
}

static void put_evidence(const struct nmibt_recorder *rec, unsigned int cpu,
			 const struct cpu_evidence *e, struct renderer *r)
{
	putc('\n', r->out);
	put_cpus(rec, &cpu, 1, r->out);
	if (*e->slot.why)
		fprintf(r->out, "[%s]\n", e->slot.why);
	if (e->is_stale)
		fputs("[its slot answers an earlier request than the last one:]\n", r->out);
	nmibt_render_lines(r, &e->slot, &e->slot.text, NULL);
	if (e->slot.nested.nr_lines) {
		fputs("[printed meanwhile, inside another message or by a fault:]\n", r->out);
		nmibt_render_lines(r, &e->slot, &e->slot.nested, NULL);
	}
	if (nmibt_is_unwound(&e->slot) && e->slot.stack.nr) {
		fputs("[its stack, unwound by nmibt from the registers in its slot:]\n", r->out);
		nmibt_render_frames(r, &e->slot.stack);
	}
	put_stop(e, r);
	if (!e->has_trace)
		return;
	fprintf(r->out, "[the newest of it in the log, at %" PRIu64 ".%06" PRIu64 ":]\n",
		e->trace.begun_ns / 1000000000, e->trace.begun_ns / 1000 % 1000000);
	nmibt_render_lines(r, &e->trace, &e->trace.text, NULL);
}

static struct nmibt_error *put_cpu(struct nmibt_recorder *rec, unsigned int cpu, struct renderer *r)
{
	struct cpu_evidence evidence;
	struct nmibt_error *err = nmibt_recorder_read_cpu(rec, rec->kernel, cpu, &evidence);

	if (err)
		return err;
	put_evidence(rec, cpu, &evidence, r);
	nmibt_cpu_evidence_destroy(&evidence);
	return NULL;
}

/* ---------------------------------------------------------------- the end of the log */

struct last_record {
	uint64_t ts_ns;
	char *text; /* malloc'ed, len bytes */
	size_t len;
};

/* The last records, in a ring. */
struct last_records {
	struct last_record records[LAST_LINES];
	uint64_t nr; /* of all records */
};

static struct nmibt_error *keep(struct last_records *last, const struct nmibt_log_record *record)
{
	struct last_record *kept = &last->records[last->nr % LAST_LINES];
	char *text = realloc(kept->text, record->len + 1);

	if (!text)
		return nmibt_error_nomem();
	memcpy(text, record->text, record->len);
	*kept = (struct last_record){.ts_ns = record->ts_ns, .text = text, .len = record->len};
	last->nr++;
	return NULL;
}

static struct nmibt_error *read_log(struct nmibt_recorder *rec, struct last_records *last)
{
	struct nmibt_log_record record;
	struct nmibt_log *log;
	struct nmibt_error *err = nmibt_log_open(rec->kernel, &log);

	if (err)
		return err;
	while (!err && nmibt_log_next(log, &record)) {
		if (!record.is_end)
			err = keep(last, &record);
	}
	nmibt_log_close(log);
	return err;
}

static void put_record(const struct last_record *record, FILE *out)
{
	fprintf(out, "[%5" PRIu64 ".%06" PRIu64 "] ", record->ts_ns / 1000000000,
		record->ts_ns / 1000 % 1000000);
	nmibt_escape(out, record->text, record->len, true);
	putc('\n', out);
}

static struct nmibt_error *put_last_lines(struct nmibt_recorder *rec, FILE *out)
{
	struct last_records last = {.nr = 0};
	struct nmibt_error *err = read_log(rec, &last);

	if (!err) {
		fputs("\nthe end of the log:\n", out);
		for (uint64_t i = last.nr > LAST_LINES ? last.nr - LAST_LINES : 0; i < last.nr; i++)
			put_record(&last.records[i % LAST_LINES], out);
	} else if (err->code != NMIBT_ERR_NOMEM) {
		fprintf(out, "\n[the log: %s]\n", nmibt_error_message(err));
		nmibt_error_destroy(err);
		err = NULL;
	}
	for (size_t i = 0; i < LAST_LINES; i++)
		free(last.records[i].text);
	return err;
}

/* ------------------------------------------------------------------------ together */

static struct nmibt_error *put_all(struct nmibt_recorder *rec, FILE *out)
{
	static const struct nmibt_render_options options = {.size = sizeof(options)};
	struct renderer r = {.options = &options, .out = out};
	struct lines lines = {.out = out, .left = UINT32_MAX};
	struct nmibt_error *err = put_summary(rec, &lines);

	for (unsigned int i = 0; i < rec->nr_ordered && !err; i++)
		err = put_cpu(rec, rec->order[i], &r);
	return err ? err : put_last_lines(rec, out);
}

static struct nmibt_error *put_some(struct nmibt_recorder *rec, unsigned int max_lines, FILE *out)
{
	struct lines lines = {.out = out, .left = max_lines ? max_lines : UINT32_MAX};

	return put_summary(rec, &lines);
}

struct nmibt_error *nmibt_recorder_summary(struct nmibt_recorder *rec, unsigned int max_lines,
					   nmibt_write_fn write, void *ctx)
{
	struct nmibt_output output = {.write = write, .ctx = ctx};
	FILE *out = nmibt_output_open(&output);

	return out ? nmibt_output_close(&output, out, put_some(rec, max_lines, out))
		   : nmibt_error_nomem();
}

struct nmibt_error *nmibt_recorder_text(struct nmibt_recorder *rec, nmibt_write_fn write, void *ctx)
{
	struct nmibt_output output = {.write = write, .ctx = ctx};
	FILE *out = nmibt_output_open(&output);

	return out ? nmibt_output_close(&output, out, put_all(rec, out)) : nmibt_error_nomem();
}
