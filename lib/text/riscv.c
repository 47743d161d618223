// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines that riscv prints, 4.15 to 6.12, and its functions: arch/riscv/kernel/process.c: __show_regs(). */
#include "text/arch.h"

/* "f+0x1/0x2", and "ffffffff80123456 ra : ffffffff80123478 sp : ff20000000123ab0" */
static bool read_epc(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (nmibt_str_holds(s, " ra : ")) {
		ret->kind = NMIBT_PRINT_REGISTER;
		ret->has_sp = nmibt_skip_to(&s, " sp : ") && nmibt_take_hex(&s, 16, &ret->sp);
		return true;
	}
	return nmibt_read_pc(s, ret);
}

#define SR_SPIE 0x20
#define SR_SPP 0x100

/* "0000000200000120 badaddr: 0000000000000000 cause: 8000000000000001": the mode and the interrupts before
 * the trap */
static bool read_status(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t status;

	if (!nmibt_take_hex(&s, 16, &status) || !nmibt_str_holds(s, " cause: "))
		return false;
	ret->is_user = !(status & SR_SPP);
	ret->has_irqs_off = true;
	ret->irqs_off = !(status & SR_SPIE);
	ret->is_last_register = true;
	return true;
}

static const struct nmibt_form forms[] = {
	{"epc : ", NMIBT_PRINT_PC, read_epc},
	{" ra : ", NMIBT_PRINT_REGISTER, NULL},
	{" gp : ", NMIBT_PRINT_REGISTER, NULL},
	{" t1 : ", NMIBT_PRINT_REGISTER, NULL},
	{" s1 : ", NMIBT_PRINT_REGISTER, NULL},
	{" a1 : ", NMIBT_PRINT_REGISTER, NULL},
	{" a4 : ", NMIBT_PRINT_REGISTER, NULL},
	{" a7 : ", NMIBT_PRINT_REGISTER, NULL},
	{" s4 : ", NMIBT_PRINT_REGISTER, NULL},
	{" s7 : ", NMIBT_PRINT_REGISTER, NULL},
	{" s10: ", NMIBT_PRINT_REGISTER, NULL},
	{" t5 : ", NMIBT_PRINT_REGISTER, NULL},
	{"status: ", NMIBT_PRINT_REGISTER, read_status},
};

/* arch/riscv/kernel/entry.S, smpboot.c, head.S */
static const struct nmibt_function_kinds functions[] = {
	{"ret_from_syscall", NMIBT_FUNCTION_USER},
	{"ret_from_fork_kernel", NMIBT_FUNCTION_OUTERMOST},
	{"ret_from_fork_kernel_asm", NMIBT_FUNCTION_OUTERMOST},
	{"smp_callin", NMIBT_FUNCTION_OUTERMOST},
	{"_start_kernel", NMIBT_FUNCTION_OUTERMOST},
};

NMIBT_TEXT_ARCH(riscv, NMIBT_ARCH_RISCV, .has_bare_traces = true);
