// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether a CPU moved between its backtrace and the stop.
 */
#include "report/report.h"

#define ARM64_LR_INDEX 30

/* Is addr in the function of frame, given that nmi_pc is in it at offset? */
static bool same_function(const struct nmibt_frame *frame, uint64_t nmi_pc, uint64_t addr)
{
	uint64_t start = nmi_pc - frame->offset;
	return addr - start < frame->size;
}

/* False also where nobody knows what function addr is in: then *known is false. */
static bool in_chain(struct nmibt_symbols *symbols, const struct nmibt_cpu *cpu, uint64_t addr,
		     bool *known)
{
	char symbol[256];

	*known = nmibt_symbolize(symbols, addr, symbol, sizeof(symbol));
	if (!*known)
		return false;
	struct nmibt_str name = {symbol, strcspn(symbol, "+ ")};
	size_t len = nmibt_function_len(name);

	/* The innermost frames: a loop runs in the first few, all share the last. */
	size_t near = cpu->stack.nr < 4 ? cpu->stack.nr : 4;
	for (size_t i = 0; i < near; i++) {
		struct nmibt_str f = cpu->stack.frames[i].function;
		if (nmibt_function_len(f) == len && !memcmp(f.s, symbol, len))
			return true;
	}
	return false;
}

/*
 * A CPU in a loop is at another instruction, one call deeper or shallower,
 * each time one looks. It is in the same place when its pc is in the same
 * function with the same stack pointer, or in one of the innermost functions
 * of the NMI's trace with a stack pointer a frame or two away.
 */
#define NEAR_STACK 512

enum nmibt_moved nmibt_compare_regs(struct nmibt_symbols *symbols, const struct nmibt_cpu *cpu)
{
	enum nmibt_arch arch = symbols->image->arch;
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);

	if (!names || !cpu->nmi_regs.present || !cpu->stop_regs.present)
		return NMIBT_MOVED_UNKNOWN;
	/* Both sets are of the stop. */
	if (cpu->slot.how == NMI_CAPTURE_BY_STOP)
		return NMIBT_MOVED_UNKNOWN;
	if (cpu->slot.flags & NMI_CAPTURE_SLOT_F_NO_REGS_SELF)
		return NMIBT_MOVED_SYNTHETIC;
	if (cpu->slot.flags & NMI_CAPTURE_SLOT_F_IDLE)
		return NMIBT_MOVED_IDLE;
	if (cpu->slot.pid != cpu->note_pid)
		return NMIBT_MOVED_YES;

	uint64_t nmi_pc = cpu->nmi_regs.value[names->pc], nmi_sp = cpu->nmi_regs.value[names->sp];
	uint64_t pc = cpu->stop_regs.value[names->pc], sp = cpu->stop_regs.value[names->sp];

	if (pc == nmi_pc && sp == nmi_sp)
		return NMIBT_MOVED_SAME;
	if (cpu->slot.flags & NMI_CAPTURE_SLOT_F_USER || !cpu->stack.nr ||
	    !cpu->stack.frames[0].is_pc)
		return NMIBT_MOVED_YES;
	if (sp == nmi_sp && same_function(&cpu->stack.frames[0], nmi_pc, pc))
		return NMIBT_MOVED_SAME;
	if (sp - nmi_sp + NEAR_STACK > 2 * NEAR_STACK)
		return NMIBT_MOVED_YES;
	bool pc_known, lr_known;
	if (same_function(&cpu->stack.frames[0], nmi_pc, pc) ||
	    in_chain(symbols, cpu, pc, &pc_known) ||
	    (arch == NMIBT_ARCH_ARM64 &&
	     in_chain(symbols, cpu, cpu->stop_regs.value[ARM64_LR_INDEX], &lr_known)))
		return NMIBT_MOVED_SAME;
	/* It was in the kernel; user space, the lower half, is another place. */
	return pc_known || !(pc >> 63) ? NMIBT_MOVED_YES : NMIBT_MOVED_UNKNOWN;
}

enum nmibt_moved nmibt_compare_text(struct nmibt_symbols *symbols, const struct nmibt_cpu *cpu,
				    const struct nmibt_backtrace *backtrace)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(symbols->image->arch);
	bool known;

	if (!names || !cpu->stop_regs.present || cpu->outcome == NMIBT_OUTCOME_SELF)
		return NMIBT_MOVED_UNKNOWN;
	if (cpu->flags & NMI_CAPTURE_SLOT_F_IDLE)
		return NMIBT_MOVED_IDLE;
	if (!backtrace->has_task || !backtrace->has_sp)
		return NMIBT_MOVED_UNKNOWN;
	if (cpu->pid != cpu->note_pid)
		return NMIBT_MOVED_YES;
	/* The text has no pc in numbers, and none of user mode by name. */
	uint64_t sp = cpu->stop_regs.value[names->sp];
	if (cpu->flags & NMI_CAPTURE_SLOT_F_USER || !cpu->stack.nr || !cpu->stack.frames[0].is_pc)
		return NMIBT_MOVED_UNKNOWN;
	if (sp - backtrace->sp + NEAR_STACK > 2 * NEAR_STACK)
		return NMIBT_MOVED_YES;
	if (in_chain(symbols, cpu, cpu->stop_regs.value[names->pc], &known))
		return NMIBT_MOVED_SAME;
	return known ? NMIBT_MOVED_YES : NMIBT_MOVED_UNKNOWN;
}
