// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines that 32-bit arm prints, 2.6.32 to 6.12, and its functions: arch/arm/kernel/process.c:
 * __show_regs(), traps.c: dump_backtrace_entry(), unwind.c. */
#include "text/arch.h"

/* "(f) from [<c0123456>] (g+0x1/0x2)", since 5.17 "f from g+0x1/0x2": f was called by g, and the line before
 * had f. */
static bool read_from(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str callee, name;

	if (!nmibt_take_until(&s, " from ", &callee))
		return false;
	if (!nmibt_take_until(&callee, " [", &name))
		name = callee;
	if (!name.len || nmibt_str_holds(name, " "))
		return false;
	ret->frame = (struct nmibt_frame){.reliable = true};
	nmibt_skip_address(&s, &ret->frame);
	nmibt_skip(&s, " ");
	bool is_old = nmibt_skip(&s, "(");
	if (is_old && s.len && s.s[s.len - 1] == ')')
		s.len--;
	ret->has_frame = nmibt_read_symbol(s, &ret->frame);
	return ret->has_frame;
}

/* "[<c0123456>] (f) from [<c0123478>] (g+0x1/0x2)", up to 5.16 */
static bool read_old_from(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str addr;

	return nmibt_take_until(&s, ">] ", &addr) && addr.len == 8 && read_from(s, ret);
}

/* "[<c0123456>]    lr : [<c0123478>]    psr: 60000013" */
static bool read_pc(struct nmibt_str s, struct nmibt_printed *ret)
{
	(void)ret;
	return nmibt_str_starts(s, "[<");
}

/* "nZCv  IRQs on  FIQs on  Mode SVC_32  ISA ARM  Segment none" */
static bool read_flags(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->is_user = nmibt_str_holds(s, " Mode USER");
	ret->has_irqs_off = nmibt_str_holds(s, " IRQs o");
	ret->irqs_off = nmibt_str_holds(s, " IRQs off");
	return ret->has_irqs_off;
}

static bool read_sp(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->has_sp = nmibt_take_hex(&s, 8, &ret->sp);
	return ret->has_sp;
}

/* "7:c0123456 r6:c0123456" between frames, behind " r" */
static bool is_registers(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t number, value;

	(void)ret;
	return nmibt_take_decimal(&s, 12, &number) && nmibt_skip(&s, ":") &&
	       nmibt_take_hex(&s, 8, &value);
}

/* "1ea0: c0123456 00000000": dump_mem(). What can't be read is "????????". */
static bool is_memory(struct nmibt_str s, struct nmibt_printed *ret)
{
	const char *start = s.s;
	uint64_t number;

	(void)ret;
	if (!nmibt_take_hex(&s, 4, &number) || s.s - start != 4 || !nmibt_skip(&s, ": "))
		return false;
	nmibt_skip_spaces(&s);
	start = s.s;
	return nmibt_str_starts(s, "????????") ||
	       (nmibt_take_hex(&s, 8, &number) && s.s - start == 8);
}

static const struct nmibt_form forms[] = {
	{"PC is at ", NMIBT_PRINT_PC, nmibt_read_pc},
	{"LR is at ", NMIBT_PRINT_REGISTER, NULL},
	{"pc : ", NMIBT_PRINT_REGISTER, read_pc},
	{"sp : ", NMIBT_PRINT_REGISTER, read_sp},
	{"r10: ", NMIBT_PRINT_REGISTER, NULL},
	{"r7 : ", NMIBT_PRINT_REGISTER, NULL},
	{"r3 : ", NMIBT_PRINT_REGISTER, NULL},
	{" r", NMIBT_PRINT_REGISTER, is_registers},
	{"Flags: ", NMIBT_PRINT_REGISTER, read_flags},
	{"Control: ", NMIBT_PRINT_REGISTER, NULL},
	{"Register r", NMIBT_PRINT_REGISTER, NULL},
	{"Process ", NMIBT_PRINT_REGISTER, nmibt_is_process},
	{"Stack: (", NMIBT_PRINT_REGISTER, NULL},
	{"Exception stack(", NMIBT_PRINT_REGISTER, NULL},
	{"Backtrace:", NMIBT_PRINT_TRACE, NULL},
	{"[<", NMIBT_PRINT_FRAME, read_old_from},
	{" ", NMIBT_PRINT_FRAME, read_from},
	{"", NMIBT_PRINT_REGISTER, is_memory},
};

/* arch/arm/kernel/entry-armv.S, entry-common.S; arch/arm/mm/proc-v7.S */
static const struct nmibt_function_kinds functions[] = {
	{"cpu_v7_do_idle", NMIBT_FUNCTION_IDLE},
	{"cpu_v6_do_idle", NMIBT_FUNCTION_IDLE},
	{"__irq_svc", NMIBT_FUNCTION_ENTRY | NMIBT_FUNCTION_HIT_FOLLOWS},
	{"__dabt_svc", NMIBT_FUNCTION_ENTRY | NMIBT_FUNCTION_HIT_FOLLOWS},
	{"__pabt_svc", NMIBT_FUNCTION_ENTRY | NMIBT_FUNCTION_HIT_FOLLOWS},
	{"__und_svc", NMIBT_FUNCTION_ENTRY | NMIBT_FUNCTION_HIT_FOLLOWS},
	{"__irq_usr", NMIBT_FUNCTION_USER},
	{"__dabt_usr", NMIBT_FUNCTION_USER},
	{"__pabt_usr", NMIBT_FUNCTION_USER},
	{"ret_fast_syscall", NMIBT_FUNCTION_USER},
	{"__sys_trace_return", NMIBT_FUNCTION_USER},
};

NMIBT_TEXT_ARCH(arm, NMIBT_ARCH_ARM, .open_letters = "0123456789abcdef", /* is_memory() */
		.has_bare_traces = true);
