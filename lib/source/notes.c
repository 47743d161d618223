// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers that a CPU saved at the stop: its crash note, and the stack that they
 * stand on. They are never older than the death.
 */
#include "source/source.h"

void nmibt_note_evidence(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t paddr,
			 uint64_t size, struct nmibt_evidence *ret)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(kernel->image->arch);
	int pid = 0;

	*ret = (struct nmibt_evidence){
		.cpu = cpu,
		.source = NMIBT_SOURCE_REGISTERS,
		.kind = NMIBT_EVIDENCE_REGISTERS,
		.asked_by = NMIBT_NO_CPU,
	};
	ret->note = paddr ? nmibt_read_note(kernel->image, paddr, size, &ret->regs, &pid)
			  : nmibt_percpu_read_note(kernel, cpu, &ret->regs, &pid);
	if (ret->note != NMIBT_NOTE_PRESENT)
		return;
	ret->task = (struct nmibt_task){.known = true, .pid = pid};
	ret->is_user = nmibt_is_user_mode(kernel->image->arch, &ret->regs);
	ret->has_sp = true;
	ret->sp = ret->regs.value[names->sp];
}

/* Where no stack can be followed the place itself is still known. */
static struct nmibt_error *show_pc(struct nmibt_kernel *kernel, struct nmibt_evidence *evidence)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(kernel->image->arch);
	uint64_t pc = evidence->regs.value[names->pc];
	struct nmibt_walk walk;

	if (nmibt_walk_init(&walk, kernel, &evidence->regs)) {
		nmibt_walk_add(&walk, pc, false, true);
		nmibt_walk_end(&walk, NMIBT_END_NO_UNWIND_DATA, pc);
	}
	return nmibt_walk_finish(&walk, &evidence->stack);
}

/* By the front end, if it has a vmlinux, else by what the kernel itself left in memory for
 * its own unwinder. */
struct nmibt_error *nmibt_unwind_evidence(struct nmibt_kernel *kernel,
					  struct nmibt_unwinder *unwinder,
					  struct nmibt_evidence *evidence)
{
	const struct nmibt_image *image = kernel->image;
	struct nmibt_error *err;

	if (!evidence->regs.present || evidence->stack.nr ||
	    evidence->stack.end != NMIBT_END_UNKNOWN)
		return NULL;
	if (evidence->is_user) {
		evidence->stack.end = NMIBT_END_USER;
		return NULL;
	}
	if (image->ops->unwind) {
		err = image->ops->unwind(image->ctx, kernel, &evidence->regs, &evidence->stack);
		if (!err)
			return NULL;
		nmibt_error_destroy(err);
	}
	if (!unwinder)
		return show_pc(kernel, evidence);
	err = nmibt_unwind(unwinder, &evidence->regs, &evidence->stack);
	if (!err || err->code == NMIBT_ERR_NOMEM || err->code == NMIBT_ERR_INTERRUPTED)
		return err;
	nmibt_error_destroy(err);
	return show_pc(kernel, evidence);
}
