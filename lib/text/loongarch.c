// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines that loongarch prints, 5.19 to 6.12, and its functions: arch/loongarch/kernel/traps.c:
 * __show_regs(). */
#include "text/arch.h"

/* "9000000000123456 f+0x1/0x2" */
static bool read_era(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t addr;

	return nmibt_take_hex(&s, 16, &addr) && nmibt_skip(&s, " ") && nmibt_read_pc(s, ret);
}

/* "00000004 (PPLV0 +PIE -PWE)": the mode and the interrupts before the exception */
static bool read_prmd(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->is_user = nmibt_str_holds(s, "(PPLV3");
	ret->has_irqs_off = nmibt_str_holds(s, "PIE");
	ret->irqs_off = nmibt_str_holds(s, "-PIE");
	return true;
}

/* "pc 9000000000123456 ra 9000000000123478 tp ... sp ..." */
static bool read_pc(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t addr;

	(void)ret;
	return nmibt_take_hex(&s, 16, &addr) && nmibt_skip(&s, " ra ");
}

/* "0000000000000001 a1 ...": four registers in a line */
static bool is_registers(struct nmibt_str s, struct nmibt_printed *ret)
{
	const char *start = s.s;
	uint64_t value;

	(void)ret;
	return nmibt_take_hex(&s, 16, &value) && s.s - start == 16;
}

static const struct nmibt_form forms[] = {
	{"pc ", NMIBT_PRINT_REGISTER, read_pc},
	{"a0 ", NMIBT_PRINT_REGISTER, is_registers},
	{"a4 ", NMIBT_PRINT_REGISTER, is_registers},
	{"t0 ", NMIBT_PRINT_REGISTER, is_registers},
	{"t4 ", NMIBT_PRINT_REGISTER, is_registers},
	{"t8 ", NMIBT_PRINT_REGISTER, is_registers},
	{"s1 ", NMIBT_PRINT_REGISTER, is_registers},
	{"s5 ", NMIBT_PRINT_REGISTER, is_registers},
	{"   ra: ", NMIBT_PRINT_REGISTER, NULL},
	{"  ERA: ", NMIBT_PRINT_PC, read_era},
	{" CRMD: ", NMIBT_PRINT_REGISTER, NULL},
	{" PRMD: ", NMIBT_PRINT_REGISTER, read_prmd},
	{" EUEN: ", NMIBT_PRINT_REGISTER, NULL},
	{" ECFG: ", NMIBT_PRINT_REGISTER, NULL},
	{"ESTAT: ", NMIBT_PRINT_REGISTER, NULL},
	{" BADV: ", NMIBT_PRINT_REGISTER, NULL},
	{" PRID: ", NMIBT_PRINT_REGISTER, NULL},
	{"Process ", NMIBT_PRINT_REGISTER, nmibt_is_process},
	{"Stack : ", NMIBT_PRINT_REGISTER, NULL},
};

/* arch/loongarch/kernel/entry.S, genex.S, smp.c */
static const struct nmibt_function_kinds functions[] = {
	{"__arch_cpu_idle", NMIBT_FUNCTION_IDLE},
	{"handle_syscall", NMIBT_FUNCTION_USER},
	{"ret_from_kernel_thread_asm", NMIBT_FUNCTION_OUTERMOST},
	{"smpboot_entry", NMIBT_FUNCTION_OUTERMOST},
};

NMIBT_TEXT_ARCH(loongarch, NMIBT_ARCH_LOONGARCH);
