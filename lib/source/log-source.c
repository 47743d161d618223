// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's log as a source: read once, and the evidence of each of its traces. */
#include "source/printouts.h"

static void take_stack(struct nmibt_evidence *evidence, const struct nmibt_backtrace *backtrace)
{
	evidence->stack = backtrace->stack;
	if (backtrace->has_task) {
		evidence->task.known = true;
		evidence->task.pid = backtrace->pid;
		memcpy(evidence->task.comm, backtrace->comm, sizeof(evidence->task.comm));
	}
	evidence->is_idle_said = backtrace->is_skipped;
	evidence->is_user = backtrace->is_user;
	evidence->has_irqs_off = backtrace->has_irqs_off;
	evidence->irqs_off = backtrace->irqs_off;
	evidence->has_sp = backtrace->has_sp;
	evidence->sp = backtrace->sp;
}

/* Of a trace of no CPU the first line names the task. */
static void take_task(enum nmibt_arch arch, struct nmibt_evidence *evidence)
{
	const struct nmibt_line *line = evidence->text.lines;
	struct nmibt_printed p = {0};

	if (evidence->text.nr_lines)
		nmibt_recognise(arch, (struct nmibt_str){line->text, line->len}, &p);
	if (p.kind == NMIBT_PRINT_TASK)
		nmibt_copy_task(&evidence->task, &p);
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
	struct nmibt_error *err = nmibt_decode(trace->raw, trace->len, trace->len, trace->known,
					       false, &evidence.text);

	if (!err)
		err = nmibt_read_backtrace(arch, &evidence.text, &backtrace);
	if (err) {
		nmibt_evidence_destroy(&evidence);
		return err;
	}
	take_stack(&evidence, &backtrace);
	if (trace->request) {
		evidence.asked_ns = log->requests[trace->request - 1].ts_ns;
		evidence.asked_by = log->requests[trace->request - 1].by_cpu;
	}
	if (trace->kind == NMIBT_EVIDENCE_TASK)
		take_task(arch, &evidence);
	*ret = evidence;
	return NULL;
}
