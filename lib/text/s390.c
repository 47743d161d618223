// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines that s390 prints, 2.6.32 to 6.12, and its functions: arch/s390/kernel/dumpstack.c: show_stack(),
 * show_registers(). */
#include "text/arch.h"

/* "0704c00180000000 00000000001b0f8e (f+0x1/0x2)"; older kernels have a space or two more, and 31-bit ones
 * other lengths */
static bool read_psw(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str mask;

	if (!nmibt_take_until(&s, "(", &mask) || !s.len || s.s[s.len - 1] != ')')
		return true;
	s.len--;
	return nmibt_read_pc(s, ret);
}

static bool read_user_psw(struct nmibt_str s, struct nmibt_printed *ret)
{
	(void)s;
	ret->is_user = true;
	return true;
}

/* "[<0000000000123456>] f+0x1/0x2)": not surely of this stack */
static bool read_unreliable(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->frame = (struct nmibt_frame){.reliable = true};
	if (!s.len || s.s[s.len - 1] != ')' || !nmibt_skip_address(&s, &ret->frame) ||
	    !nmibt_skip(&s, " "))
		return false;
	s.len--;
	ret->has_frame = nmibt_read_symbol(s, &ret->frame);
	ret->frame.reliable = false;
	return ret->has_frame;
}

/* "          R:0 T:1 IO:1 EX:1 Key:0 M:1 W:0 P:0 AS:3 CC:1 PM:0": P is the mode. */
static bool read_bits(struct nmibt_str s, struct nmibt_printed *ret)
{
	nmibt_skip_spaces(&s);
	if (!nmibt_skip(&s, "R:"))
		return false;
	ret->is_user = nmibt_str_holds(s, " P:1 ");
	ret->has_irqs_off = nmibt_str_holds(s, " IO:");
	ret->irqs_off = nmibt_str_holds(s, " IO:0 ") && nmibt_str_holds(s, " EX:0 ");
	return ret->has_irqs_off;
}

/* "           0000000000000001 ...": more registers; "          #00000000001b0f8e: a7f4ffed  brc": code */
static bool is_words(struct nmibt_str s, struct nmibt_printed *ret)
{
	const char *start;
	uint64_t word;

	(void)ret;
	nmibt_skip_spaces(&s);
	if (!nmibt_skip(&s, "#"))
		nmibt_skip(&s, ">");
	start = s.s;
	return nmibt_take_hex(&s, 16, &word) && s.s - start == 16 && (!s.len || *s.s != '+');
}

static const struct nmibt_form forms[] = {
	{"Krnl PSW : ", NMIBT_PRINT_PC, read_psw},
	{"User PSW : ", NMIBT_PRINT_PC, read_user_psw},
	{"Krnl GPRS:", NMIBT_PRINT_REGISTER, NULL},
	{"User GPRS:", NMIBT_PRINT_REGISTER, NULL},
	{"Krnl Code:", NMIBT_PRINT_REGISTER, NULL},
	{"User Code:", NMIBT_PRINT_REGISTER, NULL},
	{"Process ", NMIBT_PRINT_REGISTER, nmibt_is_process},
	{"(", NMIBT_PRINT_FRAME, read_unreliable},
	{" (", NMIBT_PRINT_FRAME, read_unreliable},
	{"          ", NMIBT_PRINT_REGISTER, read_bits},
	{"          ", NMIBT_PRINT_REGISTER, is_words},
	/* A frame follows it that is not of the stack. */
	{"Last Breaking-Event-Address:", NMIBT_PRINT_END_TRACE, NULL},
};

/* arch/s390/kernel/entry.S, idle.c, smp.c */
static const struct nmibt_function_kinds functions[] = {
	{"psw_idle", NMIBT_FUNCTION_IDLE},
	{"psw_idle_exit", NMIBT_FUNCTION_IDLE},
	{"enabled_wait", NMIBT_FUNCTION_IDLE},
	{"system_call", NMIBT_FUNCTION_USER},
	{"pgm_check_handler", NMIBT_FUNCTION_ENTRY},
	{"io_int_handler", NMIBT_FUNCTION_ENTRY},
	{"ext_int_handler", NMIBT_FUNCTION_ENTRY},
	{"kernel_thread_starter", NMIBT_FUNCTION_OUTERMOST},
	{"__ret_from_fork", NMIBT_FUNCTION_OUTERMOST},
	{"smp_start_secondary", NMIBT_FUNCTION_OUTERMOST},
	{"startup_continue", NMIBT_FUNCTION_OUTERMOST},
};

NMIBT_TEXT_ARCH(s390, NMIBT_ARCH_S390);
