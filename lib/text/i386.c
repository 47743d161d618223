// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines that 32-bit x86 prints, 2.6.32 to 6.12, and its functions: arch/x86/kernel/process_32.c:
 * __show_regs(), dumpstack_32.c. What it has in common with x86_64 is in x86.c. */
#include "text/arch.h"

/* "f+0x1/0x2", and up to 4.9 "0060:[<c0123456>] EFLAGS: 00010246 CPU: 0", where "EIP is at" has the name
 * behind it. */
static bool read_eip(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (nmibt_str_holds(s, ":[<")) {
		ret->kind = NMIBT_PRINT_REGISTER;
		ret->is_user = nmibt_str_starts(s, "0073:") || nmibt_str_starts(s, "0023:");
		ret->has_cpu = nmibt_skip_to(&s, " CPU: ") && nmibt_take_cpu(&s, &ret->cpu);
		return true;
	}
	/* Behind the last frame there are the registers of the program, whose places have no names. */
	if (nmibt_str_starts(s, "0x") && !nmibt_str_is(s, "0x0"))
		return true;
	return nmibt_read_pc(s, ret);
}

/* "007b ES: 007b FS: 00d8 GS: 0033 SS: 007b EFLAGS: 00000246": the last of the general registers. The segment
 * of a stack of user mode is 007b (__USER_DS), that of the kernel 0068. */
static bool read_segments(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t flags;

	ret->is_user = nmibt_str_holds(s, " SS: 007b");
	ret->has_irqs_off = nmibt_skip_to(&s, "EFLAGS: ") && nmibt_take_hex(&s, 8, &flags);
	ret->irqs_off = ret->has_irqs_off && !(flags & 0x200);
	return true;
}

/* " c0123456 00000000 f7a1b2c3": words of the stack, up to 4.9 */
static bool is_stack_words(struct nmibt_str s, struct nmibt_printed *ret)
{
	const char *start = s.s;
	uint64_t word;

	(void)ret;
	return nmibt_take_hex(&s, 16, &word) && s.s - start == 8 && (!s.len || *s.s == ' ');
}

static const struct nmibt_form forms[] = {
	{"CPU ", NMIBT_PRINT_CPU, nmibt_read_old_cpu},
	{"Pid: ", NMIBT_PRINT_REGISTER, nmibt_read_old_task},
	{"EIP: ", NMIBT_PRINT_PC, read_eip},
	{"EIP is at ", NMIBT_PRINT_PC, nmibt_read_pc},
	{"EAX: ", NMIBT_PRINT_REGISTER, NULL},
	{"ESI: ", NMIBT_PRINT_REGISTER, NULL},
	{"DS: ", NMIBT_PRINT_REGISTER, read_segments},
	{" DS: ", NMIBT_PRINT_REGISTER, read_segments},
	{"EFLAGS: ", NMIBT_PRINT_REGISTER, NULL},
	{"CR0: ", NMIBT_PRINT_REGISTER, NULL},
	{"DR0: ", NMIBT_PRINT_REGISTER, NULL},
	{"DR6: ", NMIBT_PRINT_REGISTER, NULL},
	{"Process ", NMIBT_PRINT_REGISTER, nmibt_is_process},
	{"Stack:", NMIBT_PRINT_REGISTER, NULL},
	{" ", NMIBT_PRINT_REGISTER, is_stack_words},
};

/* arch/x86/entry/entry_32.S; up to 4.1 arch/x86/kernel/entry_32.S */
static const struct nmibt_function_kinds functions[] = {
	{"entry_INT80_32", NMIBT_FUNCTION_USER},
	{"entry_SYSENTER_32", NMIBT_FUNCTION_USER},
	{"sysenter_past_esp", NMIBT_FUNCTION_USER},
	{"sysenter_do_call", NMIBT_FUNCTION_USER},
	{"syscall_call", NMIBT_FUNCTION_USER},
	{"handle_exception", NMIBT_FUNCTION_ENTRY},
	{"startup_32_smp", NMIBT_FUNCTION_OUTERMOST},
	{"i386_start_kernel", NMIBT_FUNCTION_OUTERMOST},
};

NMIBT_TEXT_ARCH(i386, NMIBT_ARCH_I386);
