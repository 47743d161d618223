// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's log as a source. It is read once; each of its traces is a piece of evidence. */
#include "source/printouts.h"

/* The first line of a task's trace names the task. */
static void take_task(enum nmibt_arch arch, struct nmibt_evidence *evidence)
{
	const struct nmibt_line *line = evidence->text.lines;
	struct nmibt_printed p = {0};

	if (evidence->text.nr_lines)
		nmibt_recognise(arch, (struct nmibt_str){line->text, line->len}, &p);
	if (p.kind == NMIBT_PRINT_TASK)
		nmibt_copy_task(&evidence->task, &p);
}

/* Without the bytes that stand for lost lines. */
static struct nmibt_error *decode_trace(const struct nmibt_log_trace *trace, struct nmibt_text *ret)
{
	_cleanup_free_ char *raw = NULL;
	_cleanup_free_ bool *known = NULL, *lost = NULL;
	size_t len = 0;

	if (!trace->len || !memchr(trace->known, false, trace->len))
		return nmibt_decode_log(trace->raw, trace->len, NULL, NULL, ret);
	raw = malloc(trace->len);
	known = malloc(trace->len);
	lost = calloc(trace->len + 1, sizeof(*lost));
	if (!raw || !known || !lost)
		return nmibt_error_nomem();
	for (size_t i = 0; i < trace->len; i++) {
		lost[len] |= !trace->known[i] && trace->raw[i];
		raw[len] = trace->raw[i];
		known[len] = trace->known[i];
		len += trace->known[i] || !trace->raw[i];
	}
	return nmibt_decode_log(raw, len, known, lost, ret);
}

struct nmibt_error *nmibt_read_log_trace(const struct nmibt_log_source *log, enum nmibt_arch arch,
					 size_t i, struct nmibt_evidence *ret)
{
	const struct nmibt_log_trace *trace = &log->traces[i];
	struct nmibt_backtrace backtrace;
	struct nmibt_evidence evidence = {
		.cpu = trace->cpu,
		.source = NMIBT_SOURCE_LOG,
		.kind = trace->kind,
		.clock = NMIBT_CLOCK_LOG,
		.begun_ns = trace->begun_ns,
		.ended_ns = trace->ended_ns,
		.asked_by = NMIBT_NO_CPU,
		.first_seq = trace->first_seq,
		.last_seq = trace->last_seq,
		.printout = trace->printout,
		.wrong = trace->wrong,
		.lost_msgs = trace->lost_records,
	};
	struct nmibt_error *err = decode_trace(trace, &evidence.text);

	if (!err)
		err = nmibt_read_backtrace(arch, &evidence.text, &backtrace);
	if (err) {
		nmibt_evidence_destroy(&evidence);
		return err;
	}
	nmibt_evidence_take_backtrace(&evidence, &backtrace);
	if (trace->request) {
		evidence.asked_ns = log->requests[trace->request - 1].ts_ns;
		evidence.asked_by = log->requests[trace->request - 1].by_cpu;
	}
	if (trace->kind == NMIBT_EVIDENCE_TASK)
		take_task(arch, &evidence);
	*ret = evidence;
	return NULL;
}

/* ----------------------------------------------------------------- the kernel's log */

static struct nmibt_error *read_records(struct nmibt_log *records, struct nmibt_log_source *log)
{
	struct nmibt_log_record record;

	while (nmibt_log_next(records, &record)) {
		struct nmibt_log_missing before = record.missing_before;

		/* Overwritten records are those before the first one, and no gap between two. */
		before.overwritten = 0;
		if (nmibt_log_nr_missing(&before))
			nmibt_log_source_lose(log, nmibt_log_nr_missing(&before));
		if (!record.is_end)
			nmibt_log_source_visit(log, &record);
	}
	if (nmibt_log_is_interrupted(records))
		return nmibt_error_create(NMIBT_ERR_INTERRUPTED,
					  "interrupted while the kernel's log was read");
	log->missing = *nmibt_log_missing(records);
	return nmibt_log_source_finish(log);
}

/* The log in the kernel's memory. */
static struct nmibt_error *read_log(struct nmibt_kernel *kernel, struct nmibt_log_source *log)
{
	struct nmibt_log *records = NULL;
	struct nmibt_error *err = nmibt_log_open(kernel, &records);

	if (!err)
		err = read_records(records, log);
	nmibt_log_close(records);
	return err;
}

struct nmibt_error *nmibt_log_source_open(struct nmibt_kernel *kernel,
					  struct nmibt_log_source **ret)
{
	struct nmibt_log_source *log = NULL;
	struct nmibt_error *err = nmibt_log_source_new(kernel->image->arch, &log);

	if (!err)
		err = kernel->image->ops->visit_log ? nmibt_read_printed_log(kernel, log)
						    : read_log(kernel, log);
	if (err) {
		nmibt_log_source_close(log);
		return err;
	}
	*ret = log;
	return NULL;
}

struct nmibt_error *nmibt_log_evidence(const struct nmibt_log_source *log,
				       struct nmibt_kernel *kernel, size_t i,
				       struct nmibt_evidence *ret)
{
	return nmibt_read_log_trace(log, kernel->image->arch, i, ret);
}
