// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers that a CPU saved at the stop, in its crash note, or those of the virtual CPU at the
 * time of a hypervisor's dump; and the stack that they point to. They are never older than the
 * death.
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

void nmibt_vcpu_evidence(struct nmibt_kernel *kernel, unsigned int cpu, struct nmibt_evidence *ret)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(kernel->image->arch);
	const struct nmibt_vcpus *vcpus = nmibt_kernel_vcpus(kernel);

	*ret = (struct nmibt_evidence){
		.cpu = cpu,
		.source = NMIBT_SOURCE_VCPU,
		.kind = NMIBT_EVIDENCE_REGISTERS,
		.asked_by = NMIBT_NO_CPU,
	};
	if (!vcpus || cpu >= vcpus->nr)
		return;
	const struct nmibt_regs *regs = &vcpus->regs[cpu];
	bool is_user = !vcpus->is_real_mode[cpu] && nmibt_is_user_mode(kernel->image->arch, regs);
	/* A pc in the lower half of the addresses is not in the kernel. */
	if (!is_user && !(regs->value[names->pc] >> 63)) {
		nmibt_add_reason(ret->why, "its virtual CPU was not started, or is in firmware");
		return;
	}
	ret->regs = *regs;
	ret->is_user = is_user;
	ret->has_irqs_off = nmibt_knows_irqs_off(kernel->image->arch, regs, &ret->irqs_off);
	ret->has_sp = true;
	ret->sp = regs->value[names->sp];
	ret->task.known = nmibt_current_task(kernel, cpu, &ret->task.pid, ret->task.comm);
}

/*
 * Without kdump, panic() stops the CPUs by an interrupt, which halts them. The function that it
 * interrupted is where the CPU was. Only an idle task enters the idle loop by cpu_startup_entry(),
 * so that the PID of such a stack is known without struct task_struct.
 */
void nmibt_see_through_stop(struct nmibt_evidence *evidence)
{
	size_t dying = nmibt_count_dying(&evidence->stack);

	if (!evidence->task.known && nmibt_is_stack_of_idle_task(&evidence->stack))
		evidence->task = (struct nmibt_task){.known = true, .pid = 0};
	if (!dying)
		return;
	/* These are of the stop: it runs on the interrupt's stack, and masks interrupts. */
	evidence->has_sp = evidence->has_irqs_off = false;
	evidence->is_user |= dying == evidence->stack.nr && evidence->stack.end == NMIBT_END_USER;
}

/* If the stack can't be followed, the pc is still known, and becomes the only frame. */
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

/* True: the image is a record, which has the stack. */
static bool unpack_stack(const struct nmibt_image *image, struct nmibt_evidence *evidence)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(image->arch);
	const uint64_t *regs = evidence->regs.value;
	struct nmibt_str packed;

	if (!image->ops->packed_stack ||
	    !image->ops->packed_stack(image->ctx, regs[names->pc], regs[names->sp], &packed))
		return false;
	struct nmibt_error *err = nmibt_stack_unpack(packed, &evidence->stack);
	nmibt_error_destroy(err);
	return !err;
}

/* Unwinds with the front end's vmlinux, if it has one; else with the data that the kernel keeps in
 * memory for its own unwinder. */
struct nmibt_error *nmibt_unwind_evidence(struct nmibt_follower *follower,
					  struct nmibt_kernel *kernel,
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
	/* The stack has no frames and no reason for that: it is unwound again. */
	nmibt_stack_destroy(&evidence->stack);
	if (unpack_stack(image, evidence))
		return NULL;
	if (image->ops->unwind) {
		err = image->ops->unwind(image->ctx, kernel, &evidence->regs, &evidence->stack);
		if (!err)
			return NULL;
		nmibt_error_destroy(err);
	}
	if (!follower->is_tried)
		nmibt_error_destroy(nmibt_unwinder_open(follower->kernel, &follower->unwinder));
	follower->is_tried = true;
	if (!follower->unwinder)
		return show_pc(kernel, evidence);
	err = nmibt_unwind(follower->unwinder, &evidence->regs, &evidence->stack);
	if (!err || err->code == NMIBT_ERR_NOMEM || err->code == NMIBT_ERR_INTERRUPTED)
		return err;
	nmibt_error_destroy(err);
	return show_pc(kernel, evidence);
}

struct nmibt_error *nmibt_unwind_registers_of_stop(struct nmibt_follower *follower,
						   struct nmibt_kernel *kernel,
						   struct nmibt_evidence *stop)
{
	struct nmibt_error *err = nmibt_unwind_evidence(follower, kernel, stop);

	if (!err && stop->source == NMIBT_SOURCE_VCPU && stop->regs.present)
		nmibt_see_through_stop(stop);
	return err;
}
