// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions for evidence of all sources.
 */
#include "source/source.h"

bool nmibt_is_answer(enum nmibt_evidence_kind kind)
{
	return kind == NMIBT_EVIDENCE_ANSWER || kind == NMIBT_EVIDENCE_SKIPPED;
}

bool nmibt_is_unwound(const struct nmibt_evidence *evidence)
{
	return !evidence->text.raw_len;
}

bool nmibt_slot_leads_to_stack(const struct nmibt_evidence *slot)
{
	return nmibt_is_unwound(slot) &&
	       (slot->slot.how == NMI_CAPTURE_BY_SELF || slot->slot.how == NMI_CAPTURE_BY_STOP);
}

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

/* A slot has the registers of the backtrace that was asked for. If printing it faulted, the
 * text may begin with the fault's own registers (kernel/v6.12, patch 8). */
static bool is_text_of_registers(const struct nmibt_evidence *evidence,
				 const struct nmibt_reg_names *names)
{
	if (evidence->text.unread)
		return false;
	if (evidence->has_sp)
		return evidence->sp == evidence->regs.value[names->sp];
	return !(evidence->slot.flags & NMI_CAPTURE_SLOT_F_FAULTED);
}

const struct nmibt_frame *nmibt_evidence_pc_frame(const struct nmibt_evidence *evidence,
						  const struct nmibt_reg_names *names)
{
	const struct nmibt_frame *frame = evidence->stack.frames;

	if (!names || !evidence->regs.present || !evidence->stack.nr || !frame->is_pc)
		return NULL;
	return is_text_of_registers(evidence, names) ? frame : NULL;
}

bool nmibt_evidence_leaf_caller(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
				struct nmibt_symbol *ret)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(kernel->image->arch);
	const struct nmibt_frame *frame = nmibt_evidence_pc_frame(evidence, names);

	return frame && frame->function.len &&
	       nmibt_find_leaf_caller(kernel, &evidence->regs,
				      evidence->regs.value[names->pc] - frame->offset, ret);
}
