// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares a backtrace with the registers of the stop: did the CPU move on, and do the registers
 * confirm an older text?
 */
#include "report/report.h"

/* ------------------------------------------------------------------- confirmed */

/* Bytes of one stack: THREAD_SIZE of both architectures with 4 KiB pages. With KASAN it is 32 KiB;
 * then two halves of one stack may look like two stacks, which is no confirmation. */
#define STACK_SIZE 16384

static bool is_same_stack(const struct nmibt_evidence *evidence, const struct nmibt_evidence *stop)
{
	return !evidence->has_sp || !stop->has_sp ||
	       evidence->sp / STACK_SIZE == stop->sp / STACK_SIZE;
}

static bool is_same_frame(const struct nmibt_frame *a, const struct nmibt_frame *b)
{
	size_t len = nmibt_function_len(a->function);

	/* Functions without names are the same only if their addresses are. */
	if (!len || !b->function.len)
		return !len && !b->function.len && a->addr && a->addr == b->addr;
	/* The kernel always prints the module; nmibt does not always know it. */
	if (a->module.len && b->module.len &&
	    (a->module.len != b->module.len || memcmp(a->module.s, b->module.s, a->module.len)))
		return false;
	return nmibt_function_len(b->function) == len && !memcmp(a->function.s, b->function.s, len);
}

/* The chain of functions of a stack, from frame next on. */
struct chain {
	const struct nmibt_stack *stack;
	size_t next;
};

static const struct nmibt_frame *next_in_chain(struct chain *chain)
{
	const struct nmibt_stack *stack = chain->stack;

	while (chain->next < stack->nr) {
		size_t i = chain->next++;

		if (nmibt_is_in_chain(stack->frames, i))
			return &stack->frames[i];
	}
	return NULL;
}

/* True: all functions of the two chains are the same, and there is at least one. */
static bool are_equal(struct chain a, struct chain b)
{
	for (bool any = false;; any = true) {
		const struct nmibt_frame *x = next_in_chain(&a), *y = next_in_chain(&b);

		if (!x || !y)
			return any && !x && !y;
		if (!is_same_frame(x, y))
			return false;
	}
}

/* True: the chain has at least two functions. Many stacks have a single function in common. */
static bool has_two(struct chain chain)
{
	return next_in_chain(&chain) && next_in_chain(&chain);
}

/* True: the chains differ at most in the innermost function. The frames of the stop itself are
 * removed first. */
static bool is_same_chain(const struct nmibt_stack *text, const struct nmibt_stack *stop)
{
	struct chain a = {text, nmibt_count_dying(text)}, b = {stop, nmibt_count_dying(stop)};
	struct chain a_rest = a, b_rest = b;

	if (!nmibt_is_whole(text) || !nmibt_is_whole(stop) || !has_two(a) || !has_two(b))
		return false;
	next_in_chain(&a_rest);
	next_in_chain(&b_rest);
	return are_equal(a, b) || are_equal(a_rest, b_rest) || are_equal(a, b_rest) ||
	       are_equal(a_rest, b);
}

/* The stop may have come while the CPU served an interrupt, for instance a watchdog's. The task was
 * where that interrupt hit. Returns the index of that frame; 0: the CPU served no interrupt. */
static size_t find_interrupted(const struct nmibt_stack *stack)
{
	for (size_t i = stack->nr; i > 0; i--) {
		if (stack->frames[i - 1].is_interrupted)
			return i - 1;
	}
	return 0;
}

static bool is_same_below_interrupt(const struct nmibt_stack *text, const struct nmibt_stack *stop)
{
	struct nmibt_stack below = *stop;
	size_t first = find_interrupted(stop);

	if (!first)
		return false;
	below.frames += first;
	below.nr -= first;
	return is_same_chain(text, &below);
}

/* True: the evidence shows an idle CPU. The registers of a virtual CPU do not tell the task; then
 * only the chain counts. */
static bool is_idle(const struct nmibt_evidence *evidence)
{
	return evidence->is_idle_said || ((!evidence->task.known || !evidence->task.pid) &&
					  nmibt_is_idle_stack(&evidence->stack));
}

bool nmibt_is_confirmed(const struct nmibt_evidence *evidence, const struct nmibt_evidence *stop)
{
	if (!stop->regs.present || evidence->wrong & (NMIBT_WRONG_GAP | NMIBT_WRONG_HEADLESS))
		return false;
	if (is_idle(evidence) || is_idle(stop))
		return is_idle(evidence) && is_idle(stop);
	if (!evidence->task.known || !stop->task.known || evidence->task.pid != stop->task.pid)
		return false;
	if (evidence->is_user || stop->is_user)
		return evidence->is_user && stop->is_user;
	return is_same_stack(evidence, stop) && is_same_chain(&evidence->stack, &stop->stack);
}

/* ----------------------------------------------------------------------- moved */

/*
 * A CPU in a loop is at another instruction, or one call deeper or less deep, each time one looks.
 * It counts as in the same place when its pc is in the same function with the same stack pointer,
 * or in one of the innermost functions of the backtrace with a stack pointer that is a frame or two
 * away.
 */
#define NEAR_STACK 512

static bool is_near(uint64_t a, uint64_t b)
{
	return a - b + NEAR_STACK <= 2 * NEAR_STACK;
}

/* True: addr is in the function of frame, where pc is at frame's offset. */
static bool is_in_function(const struct nmibt_frame *frame, uint64_t pc, uint64_t addr)
{
	return addr - (pc - frame->offset) < frame->size;
}

/* The caller of the innermost function, which the kernel's trace may lack. */
static bool is_leaf_caller(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
			   struct nmibt_str name)
{
	struct nmibt_symbol caller;

	return nmibt_evidence_leaf_caller(kernel, evidence, &caller) &&
	       name.len == nmibt_function_len(nmibt_str_of(caller.name)) &&
	       !memcmp(name.s, caller.name, name.len);
}

/* True: addr is in one of the innermost functions. A loop runs in the first few of them; the outer
 * ones are common to all that the task does. *ret_known false: the function of addr is not
 * known. */
static bool is_in_chain(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
			uint64_t addr, bool *ret_known)
{
	const struct nmibt_stack *stack = &evidence->stack;
	char symbol[256];

	*ret_known = nmibt_symbolize(kernel, addr, symbol, sizeof(symbol));
	if (!*ret_known)
		return false;
	struct nmibt_str name = {symbol, strcspn(symbol, "+ ")};
	size_t len = nmibt_function_len(name);

	for (size_t i = 0; i < stack->nr && i < 4; i++) {
		struct nmibt_str f = stack->frames[i].function;

		if (nmibt_function_len(f) == len && !memcmp(f.s, symbol, len))
			return true;
	}
	return is_leaf_caller(kernel, evidence, (struct nmibt_str){symbol, len});
}

static enum nmibt_moved compare_registers(struct nmibt_kernel *kernel,
					  const struct nmibt_evidence *evidence,
					  const struct nmibt_evidence *stop)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(kernel->image->arch);
	const struct nmibt_frame *first = nmibt_evidence_pc_frame(evidence, names);
	uint64_t old_pc = evidence->regs.value[names->pc], pc = stop->regs.value[names->pc];
	uint64_t old_sp = evidence->regs.value[names->sp], sp = stop->regs.value[names->sp];

	if (pc == old_pc && sp == old_sp)
		return NMIBT_MOVED_SAME;
	if (evidence->is_user)
		return NMIBT_MOVED_YES;
	if (!is_near(sp, old_sp))
		return NMIBT_MOVED_YES;
	/* Without the function's bounds the next instruction may be in the same loop. */
	if (!first)
		return NMIBT_MOVED_UNKNOWN;
	if (sp == old_sp && is_in_function(first, old_pc, pc))
		return NMIBT_MOVED_SAME;
	bool pc_known, lr_known;
	if (is_in_function(first, old_pc, pc) || is_in_chain(kernel, evidence, pc, &pc_known) ||
	    (names->lr != NMIBT_NO_REG &&
	     is_in_chain(kernel, evidence, stop->regs.value[names->lr], &lr_known)))
		return NMIBT_MOVED_SAME;
	/* The CPU was in the kernel. If it is now in user space, the lower half, it moved on. */
	return pc_known || !(pc >> 63) ? NMIBT_MOVED_YES : NMIBT_MOVED_UNKNOWN;
}

/* Compares a text with the stop. The text's only register is the stack pointer. Two chains
 * contradict each other only if both are complete. */
static enum nmibt_moved compare_text(const struct nmibt_evidence *evidence,
				     const struct nmibt_evidence *stop)
{
	/* A task that was in user mode both times may be at any place there. */
	if (nmibt_is_confirmed(evidence, stop))
		return evidence->is_user ? NMIBT_MOVED_UNKNOWN : NMIBT_MOVED_SAME;
	/* The same functions are the same place only if the task is the same. */
	if (is_same_below_interrupt(&evidence->stack, &stop->stack))
		return stop->task.known ? NMIBT_MOVED_SAME : NMIBT_MOVED_UNKNOWN;
	if (!stop->task.known && is_same_chain(&evidence->stack, &stop->stack))
		return NMIBT_MOVED_UNKNOWN;
	/* The part of the text that is lost may be the part that both have in common. */
	if (evidence->wrong & ~NMIBT_WRONG_DAMAGED)
		return NMIBT_MOVED_UNKNOWN;
	if (evidence->is_user != stop->is_user && evidence->stack.nr + stop->stack.nr)
		return NMIBT_MOVED_YES;
	return evidence->stack.nr && stop->stack.nr && nmibt_is_whole(&evidence->stack) &&
			       nmibt_is_whole(&stop->stack)
		       ? NMIBT_MOVED_YES
		       : NMIBT_MOVED_UNKNOWN;
}

static bool is_sp_lost(const struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(kernel->image->arch);

	return evidence->regs.present && !evidence->regs.value[names->sp];
}

enum nmibt_moved nmibt_compare(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
			       const struct nmibt_evidence *stop)
{
	if (!nmibt_reg_names(kernel->image->arch) || !stop->regs.present)
		return NMIBT_MOVED_UNKNOWN;
	/* Where in user mode they were is not told, nor what a register was that is 0 now. */
	if (kernel->image->is_redacted &&
	    ((evidence->is_user && stop->is_user) || is_sp_lost(kernel, evidence) ||
	     is_sp_lost(kernel, stop)))
		return NMIBT_MOVED_UNKNOWN;
	if (evidence->has_slot) {
		if (evidence->slot.flags & NMI_CAPTURE_SLOT_F_NO_REGS_SELF)
			return NMIBT_MOVED_SYNTHETIC;
		/* Both register sets are of the same moment: the stop, or the oops
		 * (kernel/crash_core.c: __crash_kexec(), 6.12). */
		if (evidence->slot.how == NMI_CAPTURE_BY_STOP ||
		    evidence->slot.how == NMI_CAPTURE_BY_SELF)
			return NMIBT_MOVED_UNKNOWN;
	}
	/* An idle CPU always looks as if it had moved, so that is not counted. A CPU that was idle
	 * and then was not has moved. */
	if (is_idle(evidence) && is_idle(stop))
		return NMIBT_MOVED_IDLE;
	if (is_idle(evidence) && stop->task.known)
		return stop->task.pid ? NMIBT_MOVED_YES : NMIBT_MOVED_IDLE;
	if (!evidence->task.known)
		return NMIBT_MOVED_UNKNOWN;
	if (stop->task.known && evidence->task.pid != stop->task.pid)
		return NMIBT_MOVED_YES;
	/* A virtual CPU may be in the stop itself; there are no registers of what the stop hit. */
	if (evidence->has_slot && stop->source != NMIBT_SOURCE_VCPU)
		return evidence->regs.present ? compare_registers(kernel, evidence, stop)
					      : NMIBT_MOVED_UNKNOWN;
	return compare_text(evidence, stop);
}
