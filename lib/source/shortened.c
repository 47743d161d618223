// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who writes about a lockup leaves out lines: behind "BUG: soft lockup - CPU#3 stuck for 22s!" comes "RIP: " or "Call
 * Trace:" at once, without "CPU: 3 PID: ...". The trace is that of the CPU that the title names, which prints it itself
 * (kernel/watchdog.c: watchdog_timer_fn(), softlockup_fn(); 2.6.32 to 7.2).
 */
#include "source/printouts.h"

/* The trace is made when the title is printed. What comes later than that is another one's. */
#define MAX_DELAY_NS 1000000000ULL

static bool is_at_once(const struct taken *t, const struct level *l)
{
	return t->line->first_ns >= l->begun_ns && t->line->first_ns - l->begun_ns <= MAX_DELAY_NS;
}

/* i386 before 3.10: an oops has no line with its CPU but "EIP: 0060:[<c0123456>] EFLAGS: 00010246 CPU: 1"
 * (arch/x86/kernel/process_32.c: __show_regs(), 2.6.32). */
static bool begins_at_pc(const struct taken *t, const struct level *l)
{
	return t->p.kind == NMIBT_PRINT_REGISTER && t->p.has_cpu && l->kind == NMIBT_PRINT_OOPS &&
	       l->phase == PHASE_LEAD && !l->is_doubtful;
}

bool nmibt_begins_shortened(const struct taken *t, const struct level *l)
{
	if (begins_at_pc(t, l))
		return true;
	return (t->p.kind == NMIBT_PRINT_PC || t->p.kind == NMIBT_PRINT_TRACE) &&
	       t->line->may_be_of_lockup && l->kind == NMIBT_PRINT_SOFT_LOCKUP &&
	       l->phase == PHASE_LEAD && l == nmibt_top_level(t->s) && is_at_once(t, l) &&
	       !l->names_another_task && nmibt_has_no_rival(t, l);
}

void nmibt_see_task(struct taken *t)
{
	struct level *l = nmibt_top_level(t->s);
	const struct nmibt_printout *printout = l ? nmibt_log_printout(t->log, l->printout) : NULL;

	if (t->p.has_task && printout && printout->task.known && printout->task.pid != t->p.pid)
		l->names_another_task = true;
}

/* What stands between and is not the kernel's may be in the place of more lines. */
void nmibt_begin_shortened(struct taken *t, struct level *l)
{
	const struct nmibt_printout *printout = nmibt_log_printout(t->log, l->printout);

	if (begins_at_pc(t, l)) {
		nmibt_learn_reporter(t, l->printout, t->p.cpu);
		nmibt_begin_trace(t, l, NMIBT_EVIDENCE_OWN, t->p.cpu);
		return;
	}
	if (!printout || !printout->cpus.nr)
		return;
	l->is_unsure = l->strangers > 0;
	nmibt_begin_trace(t, l, NMIBT_EVIDENCE_OWN, printout->cpus.ranges->first);
	if (l->trace)
		nmibt_level_trace(t->log, l)->wrong |= NMIBT_WRONG_HEADLESS;
}
