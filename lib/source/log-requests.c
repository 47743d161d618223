// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests for backtraces, and the answers of CPUs. An answer belongs to the last request before it
 * that asked its CPU.
 */
#include "source/printouts.h"

/* How many requests or printouts a search looks at. */
#define MAX_SEARCH 1024

/* The newest request that this CPU has not answered yet; 0: none. */
static uint64_t find_request(struct taken *t, unsigned int cpu)
{
	uint64_t newest = t->b->requests_dropped + t->log->nr_requests;
	uint64_t after = t->b->cpus[cpu].answered;

	if (after < t->b->cpus[cpu].searched)
		after = t->b->cpus[cpu].searched;
	if (newest > MAX_SEARCH && after < newest - MAX_SEARCH)
		after = newest - MAX_SEARCH;
	for (uint64_t number = newest; number > after; number--) {
		const struct nmibt_request *request = nmibt_log_request(t->log, number);

		if (!request)
			break;
		if (request->all || nmibt_cpus_has(&request->asked, cpu))
			return number;
	}
	t->b->cpus[cpu].searched = newest;
	return 0;
}

/* --------------------------------------------------------------- requests */

/* nmi_trigger_cpumask_backtrace(), lib/nmi_backtrace.c, 4.4 to 6.12: if the asking CPU is one of
 * those that are asked, it prints its own backtrace just before the request. */
static void join_own_title(struct taken *t, uint64_t request, uint64_t printout)
{
	size_t own = t->s ? t->s->own_title : 0;
	struct nmibt_log_trace *trace = own ? &t->log->traces[own - 1] : NULL;

	if (!trace || !t->p.has_cpu || trace->cpu != t->p.cpu)
		return;
	trace->request = request;
	trace->printout = printout;
	t->b->cpus[trace->cpu].answered = request;
}

/* A CPU that finds another one in a hard lockup has that one print a trace, and prints none of its
 * own: kernel/watchdog.c, watchdog_hardlockup_check(), 6.5 and later. */
static void leave_lead(struct taken *t, const struct nmibt_request *request)
{
	struct level *l = nmibt_top_level(t->s);
	const struct nmibt_printout *printout = l ? nmibt_log_printout(t->log, l->printout) : NULL;

	if (printout && l->phase == PHASE_LEAD && l->kind == NMIBT_PRINT_HARD_LOCKUP &&
	    nmibt_cpus_count(&request->asked) == 1 &&
	    nmibt_cpus_has(&printout->cpus, request->asked.ranges[0].first))
		l->phase = PHASE_TAIL;
}

void nmibt_take_request(struct taken *t)
{
	nmibt_leave_trace(t, false);
	/* A second request of the same caller begins another report. */
	struct level *l = nmibt_top_level(t->s);
	if (l && l->kind == NMIBT_PRINT_REQUEST)
		nmibt_pop(t, END_WENT_ON);
	uint64_t printout = nmibt_current_printout(t->s);
	if (!printout) {
		l = nmibt_begin_printout(t, NMIBT_PRINT_REQUEST, PHASE_TAIL);
		if (!l)
			return;
		printout = l->printout;
	}
	nmibt_touch_printout(t, printout);
	nmibt_learn_reporter(t, printout, t->p.has_cpu ? t->p.cpu : NMIBT_NO_CPU);

	struct nmibt_request request = {
		.seq = t->line->seq,
		.ts_ns = t->line->ts_ns,
		.caller_id = t->line->caller_id,
		.by_cpu = t->p.has_cpu ? t->p.cpu : nmibt_cpu_of_caller(t->line->caller_id),
		.all = t->p.all_cpus,
		.printout = printout,
	};
	if (!nmibt_cpus_add_list(&request.asked, t->p.cpus))
		t->b->failed = true;
	leave_lead(t, &request);
	uint64_t number = nmibt_log_add_request(t->log, &request);
	if (number)
		join_own_title(t, number, printout);
}

void nmibt_take_sysrq_request(struct taken *t)
{
	nmibt_end_printouts(t);
	nmibt_begin_printout(t, NMIBT_PRINT_SYSRQ_REQUEST, PHASE_TAIL);
}

/* ---------------------------------------------------------------- answers */

/* If sysrq-l has no NMI to send, its own line is the request; the first title shows that this was
 * the case (drivers/tty/sysrq.c: sysrq_handle_showallcpus(), 6.12). */
static void ask_by_sysrq(struct taken *t)
{
	struct nmibt_log_source *log = t->log;
	uint64_t newest = log->nr_requests ? log->requests[log->nr_requests - 1].seq : 0;

	for (size_t i = log->nr_printouts, left = MAX_SEARCH; i > 0 && left; i--, left--) {
		const struct nmibt_printout *printout = &log->printouts[i - 1];
		struct nmibt_request request = {
			.seq = printout->first_seq,
			.ts_ns = printout->begun_ns,
			.caller_id = printout->caller_id,
			.by_cpu = printout->reporter,
			.all = true,
			.printout = t->b->printouts_dropped + i,
		};

		if (log->nr_requests && newest >= printout->first_seq)
			return;
		if (printout->kind != NMIBT_PRINT_SYSRQ_REQUEST)
			continue;
		nmibt_log_add_request(log, &request);
		return;
	}
}

static void begin_answer(struct taken *t, enum nmibt_evidence_kind kind)
{
	bool is_of_task = nmibt_cpu_of_caller(t->line->caller_id) == NMIBT_NO_CPU;
	uint64_t number = find_request(t, t->p.cpu);
	const struct nmibt_request *request = nmibt_log_request(t->log, number);
	/* A task can't be in an NMI: it prints this in the middle of its own printout. */
	uint64_t printout = request	 ? request->printout
			    : is_of_task ? nmibt_current_printout(t->s)
					 : 0;
	struct level *l = nmibt_top_level(t->s);

	/* This is the trace of a CPU that reports its own stall (kernel/rcu/tree_stall.h: print_cpu_stall(), 6.12):
	 * as with other stalls no other one follows. */
	if (l && l->kind == NMIBT_PRINT_SELF_STALL)
		l->kind = NMIBT_PRINT_STALL;
	l = nmibt_push(t);
	if (!l)
		return;
	if (number)
		t->b->cpus[t->p.cpu].answered = number;
	nmibt_begin_trace(t, l, kind, t->p.cpu);
	if (!l->trace)
		return;
	nmibt_level_trace(t->log, l)->request = number;
	nmibt_level_trace(t->log, l)->printout = printout;
	t->s->own_title = l->trace;
	nmibt_take_trace_line(t, l);
}

/* Up to 5.14 one caller may flush the buffers of several CPUs. A title interrupts the caller's
 * trace only if it is one of an NMI on the CPU that prints. */
void nmibt_take_title(struct taken *t)
{
	bool is_skipped =
		t->p.kind == NMIBT_PRINT_SKIPPED || t->p.kind == NMIBT_PRINT_SYSRQ_SKIPPED;

	if (!t->p.has_cpu)
		return;
	if (t->p.kind == NMIBT_PRINT_SYSRQ_TITLE || t->p.kind == NMIBT_PRINT_SYSRQ_SKIPPED)
		ask_by_sysrq(t);
	nmibt_leave_trace(t, t->p.cpu == nmibt_cpu_of_caller(t->line->caller_id));
	begin_answer(t, is_skipped ? NMIBT_EVIDENCE_SKIPPED : NMIBT_EVIDENCE_ANSWER);
	struct level *l = nmibt_top_level(t->s);
	if (is_skipped && l && l->trace)
		nmibt_end_top_trace(t, END_TOLD);
}

/* A CPU that is stopped prints where it was, and prints nothing afterwards. */
void nmibt_take_stopping(struct taken *t)
{
	nmibt_pop_all(t);
	struct level *l = nmibt_push(t);
	if (!l)
		return;
	nmibt_begin_trace(t, l, NMIBT_EVIDENCE_OWN,
			  t->p.has_cpu ? t->p.cpu : nmibt_cpu_of_caller(t->line->caller_id));
	if (!l->trace)
		return;
	nmibt_level_trace(t->log, l)->printout = t->b->panic;
	nmibt_take_trace_line(t, l);
}
