// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all sources do with a piece of evidence.
 */
#include "source/source.h"

void nmibt_evidence_destroy(struct nmibt_evidence *evidence)
{
	nmibt_stack_destroy(&evidence->stack);
	nmibt_text_destroy(&evidence->text);
	nmibt_text_destroy(&evidence->nested);
	*evidence = (struct nmibt_evidence){.cpu = NMIBT_NO_CPU};
}

void nmibt_evidence_take_backtrace(struct nmibt_evidence *evidence,
				   struct nmibt_backtrace *backtrace)
{
	evidence->stack = backtrace->stack;
	backtrace->stack = (struct nmibt_stack){0};
	evidence->task.known = backtrace->has_task;
	evidence->task.pid = backtrace->pid;
	memcpy(evidence->task.comm, backtrace->comm, sizeof(evidence->task.comm));
	evidence->is_idle_said = backtrace->is_skipped;
	evidence->is_user = backtrace->is_user;
	evidence->has_irqs_off = backtrace->has_irqs_off;
	evidence->irqs_off = backtrace->irqs_off;
	evidence->has_sp = backtrace->has_sp;
	evidence->sp = backtrace->sp;
}
