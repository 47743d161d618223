// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who writes about a lockup leaves out lines: behind "BUG: soft lockup - CPU#3 stuck for 22s!" comes "RIP: " or "Call
 * Trace:" at once, without "CPU: 3 PID: ...". The trace is that of the CPU that the title names, which prints it itself
 * (kernel/watchdog.c: watchdog_timer_fn(), softlockup_fn(); 2.6.32 to 7.2).
 */
#include "source/printouts.h"

bool nmibt_begins_shortened(const struct taken *t, const struct level *l)
{
	return t->line->may_be_of_lockup && l->kind == NMIBT_PRINT_SOFT_LOCKUP &&
	       l->phase == PHASE_LEAD && l == nmibt_top_level(t->s);
}

/* What stands between and is not the kernel's may be in the place of more lines. */
void nmibt_begin_shortened(struct taken *t, struct level *l)
{
	const struct nmibt_printout *printout = nmibt_log_printout(t->log, l->printout);

	if (!printout || !printout->cpus.nr)
		return;
	l->is_unsure = l->strangers > 0;
	nmibt_begin_trace(t, l, NMIBT_EVIDENCE_OWN, printout->cpus.ranges->first);
	if (l->trace)
		nmibt_level_trace(t->log, l)->wrong |= NMIBT_WRONG_HEADLESS;
}
