// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines that powerpc prints, 2.6.32 to 6.12, and its functions: arch/powerpc/kernel/process.c:
 * __show_regs(), show_stack(). */
#include "text/arch.h"

/* "[c000000000123456] f+0x1/0x2"; of a program the name is a number. The mode is in the line with MSR. Who shortens
 * lines for a commit's message leaves out the address. */
static bool read_nip(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str addr;

	return (!nmibt_skip(&s, "[") || nmibt_take_until(&s, "] ", &addr)) && nmibt_read_pc(s, ret);
}

/* "8000000000009033 <SF,EE,ME,IR,DR,RI,LE>  CR: 24004222  XER: 00000000" */
static bool read_msr(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str before, bits;

	if (!nmibt_take_until(&s, "<", &before) || !nmibt_take_until(&s, ">", &bits))
		return true;
	ret->is_user = nmibt_str_starts(bits, "PR,") || nmibt_str_holds(bits, ",PR");
	/* Since 2.6.38 64-bit kernels mask interrupts by a flag of their own: a set EE proves nothing. */
	ret->irqs_off = !nmibt_str_starts(bits, "EE") && !nmibt_str_holds(bits, ",EE");
	ret->has_irqs_off = ret->irqs_off || ret->is_user;
	return true;
}

/* "c00000000123abcd] [c000000000123456] f+0x1/0x2 (unreliable)": the stack pointer, the address */
static bool read_frame(struct nmibt_str s, struct nmibt_printed *ret)
{
	const char *start = s.s;
	uint64_t sp;

	ret->frame = (struct nmibt_frame){.reliable = true};
	if (!nmibt_take_hex(&s, 16, &sp) || s.s - start < 8 || !nmibt_skip(&s, "] [") ||
	    !nmibt_take_hex(&s, 16, &ret->frame.addr) || !nmibt_skip(&s, "] "))
		return false;
	struct nmibt_str symbol = s;
	if (nmibt_take_until(&s, " (unreliable)", &symbol))
		ret->frame.reliable = false;
	ret->has_frame = nmibt_read_symbol(symbol, &ret->frame);
	return ret->has_frame;
}

/* "900 at f+0x1/0x2": what an interrupt hit; "c00 at 0x7fff..." and "3000 at ..." are system calls */
static bool read_interrupt(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t trap;

	if (!nmibt_take_hex(&s, 4, &trap))
		return false;
	ret->is_user = (trap & ~1u) == 0xc00 || trap == 0x3000 || !nmibt_skip(&s, " at ") ||
		       !nmibt_str_holds(s, "+0x");
	return ret->is_user || nmibt_read_pc(s, ret);
}

static const struct nmibt_form forms[] = {
	{"NIP ", NMIBT_PRINT_PC, read_nip},
	{"LR [", NMIBT_PRINT_REGISTER, NULL},
	{"NIP: ", NMIBT_PRINT_REGISTER, NULL},
	{"REGS: ", NMIBT_PRINT_REGISTER, NULL},
	{"MSR: ", NMIBT_PRINT_REGISTER, read_msr},
	{"CFAR: ", NMIBT_PRINT_REGISTER, NULL},
	{"DAR: ", NMIBT_PRINT_REGISTER, NULL},
	{"IRQMASK: ", NMIBT_PRINT_REGISTER, NULL},
	{"GPR", NMIBT_PRINT_REGISTER, NULL},
	{"TASK = ", NMIBT_PRINT_REGISTER, NULL},
	{"Instruction dump:", NMIBT_PRINT_REGISTER, NULL},
	{"[", NMIBT_PRINT_FRAME, read_frame},
	{"--- interrupt: ", NMIBT_PRINT_PC, read_interrupt},
	{"--- Exception: ", NMIBT_PRINT_PC, read_interrupt},
	{"    LR = ", NMIBT_PRINT_REGISTER, NULL},
};

/* arch/powerpc/kernel/head_64.S, interrupt_64.S, entry_64.S; arch/powerpc/platforms, drivers/cpuidle */
static const struct nmibt_function_kinds functions[] = {
	{"snooze_loop", NMIBT_FUNCTION_IDLE},
	{"nap_loop", NMIBT_FUNCTION_IDLE},
	{"stop_loop", NMIBT_FUNCTION_IDLE},
	{"shared_cede_loop", NMIBT_FUNCTION_IDLE},
	{"dedicated_cede_loop", NMIBT_FUNCTION_IDLE},
	{"check_and_cede_processor", NMIBT_FUNCTION_IDLE},
	{"pseries_lpar_idle", NMIBT_FUNCTION_IDLE},
	{"plpar_hcall_norets_notrace", NMIBT_FUNCTION_HALT},
	{"plpar_hcall_norets", NMIBT_FUNCTION_HALT},
	{"power7_idle", NMIBT_FUNCTION_IDLE},
	{"power9_idle", NMIBT_FUNCTION_IDLE},
	{"system_call", NMIBT_FUNCTION_USER},
	{"system_call_common", NMIBT_FUNCTION_USER},
	{"system_call_vectored_common", NMIBT_FUNCTION_USER},
	{"ret_from_syscall", NMIBT_FUNCTION_USER},
	{"ret_from_kernel_thread", NMIBT_FUNCTION_OUTERMOST},
	{"ret_from_kernel_user_thread", NMIBT_FUNCTION_OUTERMOST},
	{"start_here_common", NMIBT_FUNCTION_OUTERMOST},
	{"start_secondary_prolog", NMIBT_FUNCTION_OUTERMOST},
	{"start_secondary_resume", NMIBT_FUNCTION_OUTERMOST},
};

NMIBT_TEXT_ARCH(powerpc, NMIBT_ARCH_POWERPC);
