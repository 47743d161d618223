// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers that a CPU saved at the stop: its crash note, and the stack that they
 * stand on. They are never older than the death.
 */
#include "source/source.h"

static void fill_evidence(struct nmibt_kernel *kernel, struct nmibt_evidence *ret)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(kernel->image->arch);

	if (ret->note != NMIBT_NOTE_PRESENT)
		return;
	ret->is_user = nmibt_is_user_mode(kernel->image->arch, &ret->regs);
	ret->has_sp = true;
	ret->sp = ret->regs.value[names->sp];
}

void nmibt_note_evidence(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t paddr,
			 uint64_t size, struct nmibt_evidence *ret)
{
	int pid = 0;

	*ret = (struct nmibt_evidence){
		.cpu = cpu,
		.source = NMIBT_SOURCE_REGISTERS,
		.kind = NMIBT_EVIDENCE_REGISTERS,
		.asked_by = NMIBT_NO_CPU,
	};
	ret->note = paddr ? nmibt_read_note(kernel->image, paddr, size, &ret->regs, &pid)
			  : nmibt_percpu_read_note(kernel, cpu, &ret->regs, &pid);
	ret->task = (struct nmibt_task){.known = ret->note == NMIBT_NOTE_PRESENT, .pid = pid};
	fill_evidence(kernel, ret);
}

struct nmibt_error *nmibt_unwind_evidence(struct nmibt_kernel *kernel,
					  struct nmibt_evidence *evidence)
{
	if (!evidence->regs.present || evidence->stack.nr)
		return NULL;
	if (evidence->is_user) {
		evidence->stack.end = NMIBT_END_USER;
		return NULL;
	}
	return nmibt_unwind(kernel, &evidence->regs, &evidence->stack);
}
