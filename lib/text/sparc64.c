// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines that sparc64 prints, 2.6.32 to 6.12, and its functions: arch/sparc/kernel/process_64.c:
 * show_regs(), arch_trigger_cpumask_backtrace(), traps_64.c: show_stack(). */
#include "text/arch.h"

#define TSTATE_PRIV 0x400

/* "[  3]: TSTATE[0000004480001601] TPC[...] TNPC[...] TASK[brew:118]": the CPU that asked prints it of each */
static bool read_cpu(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t tstate, pid;
	struct nmibt_str comm;

	if (!nmibt_skip(&s, "["))
		return false;
	nmibt_skip_spaces(&s);
	if (!nmibt_take_cpu(&s, &ret->cpu) || !nmibt_skip(&s, "]: TSTATE[") ||
	    !nmibt_take_hex(&s, 16, &tstate))
		return false;
	ret->has_cpu = true;
	ret->is_user = !(tstate & TSTATE_PRIV);
	if (nmibt_skip_to(&s, " TASK[") && nmibt_take_until_last(&s, ":", &comm) &&
	    nmibt_take_decimal(&s, INT32_MAX, &pid)) {
		ret->has_task = true;
		ret->pid = (int32_t)pid;
		ret->comm = comm;
	}
	return true;
}

/* "TPC[f+0x1/0x2] O7[...] I7[...] RPC[...]": where it was, and from where it was called, as far as three
 * registers tell. Of a program they are numbers. */
static bool read_places(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str pc;

	nmibt_skip_spaces(&s);
	if (!nmibt_skip(&s, "TPC[") || !nmibt_take_until(&s, "] O7[", &pc))
		return false;
	ret->is_user = !nmibt_str_holds(pc, "+0x");
	ret->is_last_register = true;
	return ret->is_user || nmibt_read_pc(pc, ret);
}

/* "<f+0x1/0x2>" */
static bool read_tpc(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str pc;

	return nmibt_skip(&s, "<") && nmibt_take_until(&s, ">", &pc) && nmibt_read_pc(pc, ret);
}

/* "0000004411001605 TPC: ..." */
static bool read_tstate(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t tstate;

	if (!nmibt_take_hex(&s, 16, &tstate))
		return false;
	ret->is_user = !(tstate & TSTATE_PRIV);
	return true;
}

/* "0000000000456789] f+0x1/0x2" */
static bool read_frame(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->frame = (struct nmibt_frame){.reliable = true};
	if (!nmibt_take_hex(&s, 16, &ret->frame.addr) || !nmibt_skip(&s, "] "))
		return false;
	ret->has_frame = nmibt_read_symbol(s, &ret->frame);
	return ret->has_frame;
}

static const struct nmibt_form forms[] = {
	{"  CPU", NMIBT_PRINT_TITLE, read_cpu},	 {"* CPU", NMIBT_PRINT_TITLE, read_cpu},
	{"      ", NMIBT_PRINT_PC, read_places}, {"TSTATE: ", NMIBT_PRINT_REGISTER, read_tstate},
	{"TPC: ", NMIBT_PRINT_PC, read_tpc},	 {"RPC: ", NMIBT_PRINT_REGISTER, NULL},
	{"I7: ", NMIBT_PRINT_REGISTER, NULL},	 {"g0: ", NMIBT_PRINT_REGISTER, NULL},
	{"g4: ", NMIBT_PRINT_REGISTER, NULL},	 {"o0: ", NMIBT_PRINT_REGISTER, NULL},
	{"o4: ", NMIBT_PRINT_REGISTER, NULL},	 {"l0: ", NMIBT_PRINT_REGISTER, NULL},
	{"l4: ", NMIBT_PRINT_REGISTER, NULL},	 {"i0: ", NMIBT_PRINT_REGISTER, NULL},
	{"i4: ", NMIBT_PRINT_REGISTER, NULL},	 {"Instruction DUMP:", NMIBT_PRINT_REGISTER, NULL},
	{" [", NMIBT_PRINT_FRAME, read_frame},	 {"Caller[", NMIBT_PRINT_FRAME, read_frame},
};

/* arch/sparc/kernel/syscalls.S, etrap_64.S, trampoline_64.S, rtrap_64.S */
static const struct nmibt_function_kinds functions[] = {
	{"linux_sparc_syscall", NMIBT_FUNCTION_USER},
	{"linux_sparc_syscall32", NMIBT_FUNCTION_USER},
	{"after_lock_tlb", NMIBT_FUNCTION_OUTERMOST},
	{"smp_callin", NMIBT_FUNCTION_OUTERMOST},
};

NMIBT_TEXT_ARCH(sparc64, NMIBT_ARCH_SPARC64);
