// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines that mips prints, 2.6.32 to 6.12, and its functions: arch/mips/kernel/traps.c: __show_regs(). */
#include "text/arch.h"

/* "80123456 f+0x1/0x2" */
static bool read_epc(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t addr;

	return nmibt_take_hex(&s, 16, &addr) && nmibt_skip(&s, " ") && nmibt_read_pc(s, ret);
}

/* "1100fc03	KERNEL EXL IE" */
static bool read_status(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->is_user = nmibt_str_holds(s, "USER");
	ret->has_irqs_off = nmibt_str_holds(s, "KERNEL") || ret->is_user;
	ret->irqs_off = ret->has_irqs_off && !nmibt_str_holds(s, "IE");
	return true;
}

static const struct nmibt_form forms[] = {
	{"$", NMIBT_PRINT_REGISTER, NULL},
	{"Hi    :", NMIBT_PRINT_REGISTER, NULL},
	{"Lo    :", NMIBT_PRINT_REGISTER, NULL},
	{"Acx    :", NMIBT_PRINT_REGISTER, NULL},
	{"epc   : ", NMIBT_PRINT_PC, read_epc},
	{"ra    : ", NMIBT_PRINT_REGISTER, NULL},
	{"Status: ", NMIBT_PRINT_REGISTER, read_status},
	{"Cause : ", NMIBT_PRINT_REGISTER, NULL},
	{"BadVA : ", NMIBT_PRINT_REGISTER, NULL},
	{"PrId  : ", NMIBT_PRINT_REGISTER, NULL},
	{"Process ", NMIBT_PRINT_REGISTER, nmibt_is_process},
	{"Stack : ", NMIBT_PRINT_REGISTER, NULL},
	{"        ", NMIBT_PRINT_REGISTER, NULL}, /* more of the stack */
	{"Code:", NMIBT_PRINT_REGISTER, NULL},
};

/* arch/mips/kernel/scall*.S, entry.S, genex.S, idle.c, smp.c */
static const struct nmibt_function_kinds functions[] = {
	{"r4k_wait", NMIBT_FUNCTION_IDLE},	  {"__r4k_wait", NMIBT_FUNCTION_IDLE},
	{"r4k_wait_irqoff", NMIBT_FUNCTION_IDLE}, {"rm7k_wait_irqoff", NMIBT_FUNCTION_IDLE},
	{"syscall_common", NMIBT_FUNCTION_USER},  {"handle_sys", NMIBT_FUNCTION_USER},
	{"handle_sys64", NMIBT_FUNCTION_USER},	  {"smp_bootstrap", NMIBT_FUNCTION_OUTERMOST},
};

NMIBT_TEXT_ARCH(mips, NMIBT_ARCH_MIPS);
