// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where nobody knows callers all CPUs are one stream: what began before may go on behind what begins now. Whose trace is it
 * that begins? One that may be of two is given to none, and what may be another's is marked.
 */
#include "source/printouts.h"

/* Lines of any CPU between the title of a backtrace and its line with the CPU. */
#define MAX_BETWEEN 256

void nmibt_doubt(struct stream *s, bool is_answer)
{
	if (s->caller_id != NMIBT_NO_CALLER)
		return;
	s->doubts_answers = !is_answer || (s->doubt_left && s->doubts_answers);
	if (!s->doubt_left)
		s->nr_doubts = s->nr_unsure = 0;
	s->nr_doubts++;
	s->doubt_left = MAX_STRANGERS;
}

bool nmibt_is_doubtful(const struct stream *s, bool is_answer)
{
	return s->doubt_left && (s->doubts_answers || !is_answer);
}

/* Another printout has only begun, and it is not the reason of a panic. Where nobody knows callers
 * the trace that comes next may be of either, and an oops or a panic does not name its CPU. */
void nmibt_doubt_lead(struct taken *t, enum nmibt_print kind)
{
	bool is_known = t->line->caller_id != NMIBT_NO_CALLER;

	for (unsigned int i = t->s && !is_known ? t->s->nr_levels : 0; i > 0; i--) {
		struct level *l = &t->s->levels[i - 1];
		bool is_reason =
			l->kind == NMIBT_PRINT_OOPS && !l->has_heading && kind == NMIBT_PRINT_PANIC;
		/* RCU has no trace of its own here: it asks CPUs, and shows tasks by their names. Stalls
		 * that CPUs report of themselves come one after the other (kernel/rcu/tree_stall.h:
		 * check_cpu_stall(), 6.12): of the first one the trace is not there. */
		bool has_no_trace =
			l->kind == NMIBT_PRINT_STALL ||
			(l->kind == NMIBT_PRINT_SELF_STALL && kind == NMIBT_PRINT_SELF_STALL);

		if (!l->printout || l->trace || l->phase != PHASE_LEAD || l->is_doubtful ||
		    is_reason || has_no_trace)
			continue;
		nmibt_doubt(t->s, false);
		l->is_doubtful = l->kind == NMIBT_PRINT_OOPS || l->kind == NMIBT_PRINT_PANIC;
	}
}

void nmibt_go_on_doubting(struct taken *t)
{
	struct stream *s = t->s;

	if (!s || !s->doubt_left)
		return;
	s->doubt_left = MAX_STRANGERS;
	if (t->p.kind == NMIBT_PRINT_FRAME && t->p.frame.reliable &&
	    nmibt_is_outermost_frame(&t->p.frame) && !--s->nr_doubts)
		s->doubt_left = 0;
}

void nmibt_cut_unsure(struct taken *t)
{
	struct stream *s = t->s;

	if (!s || s->unsure_gaps != t->line->nr_gaps || t->p.kind != NMIBT_PRINT_FRAME)
		return;
	for (unsigned int i = 0; i < s->nr_unsure; i++) {
		struct nmibt_log_trace *trace = &t->log->traces[s->unsure_traces[i] - 1];

		trace->wrong |= NMIBT_WRONG_CUT;
		trace->has_ended = false;
	}
	s->nr_unsure = 0;
}

/* ------------------------------------------------------------ whose trace begins */

static bool is_of_cpu(const struct nmibt_log_trace *trace, uint32_t cpu)
{
	return trace->cpu == cpu;
}

static bool is_shortened(const struct nmibt_log_trace *trace, uint32_t cpu)
{
	(void)cpu;
	return trace->wrong & NMIBT_WRONG_HEADLESS;
}

/* True: what may have gone on is known, and each of it is so. */
static bool are_all_doubts(const struct taken *t,
			   bool (*is_so)(const struct nmibt_log_trace *, uint32_t cpu))
{
	const struct stream *s = t->s;
	bool are_so = s->nr_doubts == s->nr_unsure;

	for (unsigned int i = 0; are_so && i < s->nr_unsure; i++)
		are_so = is_so(&t->log->traces[s->unsure_traces[i] - 1], t->p.cpu);
	return are_so;
}

/* An end that nothing told is one, if the same CPU goes on with this. On arm64 an SError's registers have no trace:
 * arch/arm64/kernel/traps.c, arm64_serror_panic(), 6.12. */
bool nmibt_settles_doubt(const struct taken *t, const struct level *l)
{
	return t->p.kind == NMIBT_PRINT_CPU && l->phase == PHASE_LEAD && !l->strangers &&
	       !l->has_refused && are_all_doubts(t, is_of_cpu);
}

bool nmibt_has_no_rival(const struct taken *t, const struct level *l)
{
	return !l->is_doubtful || are_all_doubts(t, is_shortened);
}

void nmibt_see_title(const struct taken *t)
{
	/* sparc64 has no other line behind it: arch/sparc/kernel/process_64.c: __show_backtrace_cpu(), 6.1 */
	bool is_title = (t->p.kind == NMIBT_PRINT_TITLE && !t->p.has_task) ||
			t->p.kind == NMIBT_PRINT_SOFT_LOCKUP;

	if (t->line->caller_id != NMIBT_NO_CALLER || !t->p.has_cpu || t->p.cpu >= NMIBT_MAX_CPUS)
		return;
	if (is_title || t->p.kind == NMIBT_PRINT_CPU)
		t->b->cpus[t->p.cpu].titled = is_title ? t->line->seq + 1 : 0;
}

/* True: the CPU's backtrace follows its own title, which came before, and is not what a panic or an oops is about. */
static bool is_of_title(const struct taken *t, const struct level *l)
{
	uint64_t titled = t->p.cpu < NMIBT_MAX_CPUS ? t->b->cpus[t->p.cpu].titled : 0;

	return titled && t->line->seq - titled < MAX_BETWEEN &&
	       (l->kind == NMIBT_PRINT_PANIC || l->kind == NMIBT_PRINT_OOPS);
}

/* Behind an oops a panic has no trace of its own (kernel/panic.c: panic(), 3.10 to 7.2, TAINT_DIE). Since 3.10 a trace
 * has a line with its CPU. */
static bool is_end_of_oops(const struct nmibt_printout *printout)
{
	return printout->kind == NMIBT_PRINT_PANIC && printout->message &&
	       strstr(printout->message, "Fatal exception");
}

/* A CPU prints of its own soft lockup: kernel/watchdog.c: watchdog_timer_fn(), softlockup_fn(); 2.6.32 to 7.2 */
bool nmibt_is_reporter(const struct taken *t, const struct level *l)
{
	const struct nmibt_printout *printout = nmibt_log_printout(t->log, l->printout);

	if (!printout)
		return true;
	if (l->kind == NMIBT_PRINT_SOFT_LOCKUP)
		return nmibt_cpus_has(&printout->cpus, t->p.cpu);
	return !is_end_of_oops(printout) && !is_of_title(t, l);
}

void nmibt_refuse_trace(struct taken *t)
{
	for (unsigned int i = 0; i < t->s->nr_levels; i++) {
		struct level *l = &t->s->levels[i];

		l->has_refused |= l->printout && l->is_doubtful && l->phase == PHASE_LEAD &&
				  nmibt_is_reporter(t, l);
	}
}
