// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines that arm64 prints, 3.10 to 7.2, and its functions: arch/arm64/kernel/process.c:
 * __show_regs(), traps.c, arch/arm64/mm/fault.c.
 */
#include "text/arch.h"

/* -------------------------------------------------------------------- lines */

#define PSR_MODE_MASK 0xf
#define PSR_I_BIT 0x80

/* "pstate: 810000c5 (Nzcv daIF ...)". With pseudo-NMI, interrupts are masked by priority, which the
 * text does not show. */
static bool read_pstate(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t pstate;

	if (!nmibt_take_hex(&s, 16, &pstate))
		return true;
	ret->is_user = !(pstate & PSR_MODE_MASK);
	/* With pseudo-NMIs they are masked by ICC_PMR_EL1: a clear bit tells nothing. */
	ret->irqs_off = pstate & PSR_I_BIT;
	ret->has_irqs_off = ret->irqs_off || ret->is_user;
	return true;
}

/*
 * "pc : name+0x1/0x2" since 4.15; in user mode only the number, without "0x". Older kernels print
 * "PC is at name+0x1/0x2" first, and then all registers as numbers:
 * "pc : [<address>] lr : [<address>] pstate: 60000145".
 */
static bool read_pc(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t addr;

	if (nmibt_str_starts(s, "[<")) {
		ret->kind = NMIBT_PRINT_REGISTER;
		return !nmibt_skip_to(&s, "pstate: ") || read_pstate(s, ret);
	}
	ret->frame = (struct nmibt_frame){.is_pc = true, .reliable = true};
	ret->has_frame = nmibt_read_symbol(s, &ret->frame);
	ret->frame.is_pc = true;
	if (!ret->has_frame)
		ret->is_user = nmibt_take_hex(&s, 16, &addr) && !s.len;
	return true;
}

static bool read_sp(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->has_sp = nmibt_take_hex(&s, 16, &ret->sp);
	return true;
}

/* "x29: ffff0000013dbe00 x28: ..." */
static bool read_x_register(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t number;

	ret->is_last_register = nmibt_str_holds(s, " x0 : ");
	if (!nmibt_take_decimal(&s, 30, &number))
		return false;
	nmibt_skip_spaces(&s);
	return nmibt_skip(&s, ": ");
}

/* "be00: ffff0000013dbe00 0000000000000000 ...": dump_mem(), up to 4.13 */
static bool is_memory(struct nmibt_str s, struct nmibt_printed *ret)
{
	const char *start = s.s;
	uint64_t number;

	(void)ret;
	if (!nmibt_take_hex(&s, 4, &number) || s.s - start != 4 || !nmibt_skip(&s, ": "))
		return false;
	nmibt_skip_spaces(&s);
	start = s.s;
	return nmibt_take_hex(&s, 16, &number) && s.s - start == 16;
}

/* "[ffff800012345678] pgd=0000000000000000": show_pte(), before 4.13 with "*pgd" */
static bool is_page_table(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t addr;

	(void)ret;
	return nmibt_take_hex(&s, 16, &addr) && nmibt_skip(&s, "] ") &&
	       (nmibt_str_starts(s, "pgd=") || nmibt_str_starts(s, "*pgd="));
}

/* "SError Interrupt on CPU3, code 0xbf000002 -- SError" */
static bool read_serror(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu);
	return ret->has_cpu;
}

/* "Bad mode in Synchronous Abort handler detected on CPU3, code 0x86000006 -- ..." */
static bool read_bad_mode(struct nmibt_str s, struct nmibt_printed *ret)
{
	return nmibt_skip_to(&s, " handler detected on CPU") && read_serror(s, ret);
}

/* arch/arm64/kernel/smp.c: secondary_start_kernel(); psci.c: cpu_psci_cpu_kill();
 * "CPU3: shutdown" is smp.c's __cpu_die(), up to 5.6: "CPU3: Booted secondary processor
 * 0x0000000003 [0x410fd083]", up to 4.16 [410fd083]; "CPU3 killed (polled 0 ms)", up to 5.4
 * "CPU3 killed." */
static bool read_booted(struct nmibt_str s, struct nmibt_printed *ret)
{
	return nmibt_read_cpu_said(s, ": Booted secondary processor ", ret);
}

static bool read_shutdown(struct nmibt_str s, struct nmibt_printed *ret)
{
	return nmibt_read_cpu_says(s, ": shutdown", ret);
}

static bool read_killed(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t ms;

	ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu);
	if (nmibt_skip(&s, " killed (polled "))
		return ret->has_cpu && nmibt_take_decimal(&s, UINT64_MAX, &ms) &&
		       nmibt_str_is(s, " ms)");
	return ret->has_cpu && nmibt_str_is(s, " killed.");
}

static const struct nmibt_form forms[] = {
	{"CPU", NMIBT_PRINT_CPU_ONLINE, read_booted},
	{"CPU", NMIBT_PRINT_CPU_OFFLINE, read_shutdown},
	{"psci: CPU", NMIBT_PRINT_CPU_OFFLINE, read_killed},
	{"pstate: ", NMIBT_PRINT_REGISTER, read_pstate},
	{"pc : ", NMIBT_PRINT_PC, read_pc},
	{"PC is at ", NMIBT_PRINT_PC, read_pc},
	{"lr : ", NMIBT_PRINT_REGISTER, NULL},
	{"LR is at ", NMIBT_PRINT_REGISTER, NULL},
	{"sp : ", NMIBT_PRINT_REGISTER, read_sp},
	{"pmr_save: ", NMIBT_PRINT_REGISTER, NULL},
	{"pmr: ", NMIBT_PRINT_REGISTER, NULL},
	{"x", NMIBT_PRINT_REGISTER, read_x_register},
	{"Exception stack(", NMIBT_PRINT_REGISTER, NULL},
	{"Stack: (", NMIBT_PRINT_REGISTER, NULL},
	{"", NMIBT_PRINT_REGISTER, is_memory},
	{"Process ", NMIBT_PRINT_REGISTER, nmibt_is_process},
	{"Mem abort info:", NMIBT_PRINT_REGISTER, NULL},
	{"Data abort info:", NMIBT_PRINT_REGISTER, NULL},
	{"  ESR = ", NMIBT_PRINT_REGISTER, NULL},
	{"  EC = ", NMIBT_PRINT_REGISTER, NULL},
	{"  SET = ", NMIBT_PRINT_REGISTER, NULL},
	{"  EA = ", NMIBT_PRINT_REGISTER, NULL},
	{"  FSC = ", NMIBT_PRINT_REGISTER, NULL},
	{"  ISV = ", NMIBT_PRINT_REGISTER, NULL},
	{"  CM = ", NMIBT_PRINT_REGISTER, NULL},
	{"  GCS = ", NMIBT_PRINT_REGISTER, NULL},
	{"user pgtable: ", NMIBT_PRINT_REGISTER, NULL},
	{"swapper pgtable: ", NMIBT_PRINT_REGISTER, NULL},
	{"[", NMIBT_PRINT_REGISTER, is_page_table},
	{"SError Interrupt on CPU", NMIBT_PRINT_OOPS_CAUSE, read_serror},
	{"Bad mode in ", NMIBT_PRINT_OOPS_CAUSE, read_bad_mode},
	{"Insufficient stack space to handle exception!", NMIBT_PRINT_OOPS_CAUSE, NULL},
};

/* ---------------------------------------------------------------- functions */

#define HIT (NMIBT_FUNCTION_ENTRY | NMIBT_FUNCTION_HIT_FOLLOWS)

static const struct nmibt_function_kinds functions[] = {
	/* arch/arm64/kernel/idle.c, drivers/firmware/psci, drivers/cpuidle */
	{"arch_local_irq_enable", NMIBT_FUNCTION_HALT},
	{"cpu_die", NMIBT_FUNCTION_OFFLINE}, /* arch/arm64/kernel/smp.c */
	{"cpu_do_idle", NMIBT_FUNCTION_IDLE},
	{"psci_cpu_suspend_enter", NMIBT_FUNCTION_IDLE},
	{"psci_enter_idle_state", NMIBT_FUNCTION_IDLE},
	{"__psci_enter_domain_idle_state", NMIBT_FUNCTION_IDLE},
	{"psci_enter_domain_idle_state", NMIBT_FUNCTION_IDLE},
	{"acpi_processor_ffh_lpi_enter", NMIBT_FUNCTION_IDLE},
	{"acpi_idle_lpi_enter", NMIBT_FUNCTION_IDLE},
	{"arm_cpuidle_suspend", NMIBT_FUNCTION_IDLE},
	{"arm_enter_idle_state", NMIBT_FUNCTION_IDLE},

	/* arch/arm64/kernel/smp.c, traps.c, machine_kexec.c; arch/arm64/mm/fault.c */
	{"die_kernel_fault", NMIBT_FUNCTION_STOP | NMIBT_FUNCTION_FRAMING},
	{"__do_kernel_fault", NMIBT_FUNCTION_STOP | NMIBT_FUNCTION_FRAMING},
	{"ipi_cpu_crash_stop", NMIBT_FUNCTION_STOP},
	{"ipi_cpu_stop", NMIBT_FUNCTION_STOP},
	{"local_cpu_stop", NMIBT_FUNCTION_STOP},
	{"cpu_park_loop", NMIBT_FUNCTION_STOP},

	/* arch/arm64/kernel/entry.S: kernel_entry makes a frame record with the pc that was hit, so
	 * that the trace shows it after the entry, 4.14 and later. */
	{"el1_irq", HIT},
	{"el1_fiq", HIT},
	{"el1_sync", HIT},
	{"el1_error", HIT},
	{"el1_da", HIT},
	{"el1_dbg", HIT},
	{"el1_undef", HIT},
	{"el1h_64_irq", HIT},
	{"el1h_64_fiq", HIT},
	{"el1h_64_sync", HIT},
	{"el1h_64_error", HIT},
	{"el1t_64_*", NMIBT_FUNCTION_ENTRY},

	{"el0t_64_irq", NMIBT_FUNCTION_USER},
	{"el0t_64_fiq", NMIBT_FUNCTION_USER},
	{"el0t_64_sync", NMIBT_FUNCTION_USER},
	{"el0t_64_error", NMIBT_FUNCTION_USER},
	{"el0t_32_irq", NMIBT_FUNCTION_USER},
	{"el0t_32_fiq", NMIBT_FUNCTION_USER},
	{"el0t_32_sync", NMIBT_FUNCTION_USER},
	{"el0t_32_error", NMIBT_FUNCTION_USER},
	{"el0_sync", NMIBT_FUNCTION_USER},
	{"el0_sync_compat", NMIBT_FUNCTION_USER},
	{"el0_irq", NMIBT_FUNCTION_USER},
	{"el0_irq_naked", NMIBT_FUNCTION_USER},
	{"el0_irq_compat", NMIBT_FUNCTION_USER},
	{"el0_da", NMIBT_FUNCTION_USER},
	{"el0_svc", NMIBT_FUNCTION_USER | NMIBT_FUNCTION_FRAMING},
	{"el0_svc_naked", NMIBT_FUNCTION_USER},
	{"work_pending", NMIBT_FUNCTION_USER},
	{"ret_to_user", NMIBT_FUNCTION_USER},

	{"ret_from_fork", NMIBT_FUNCTION_OUTERMOST},
	{"secondary_start_kernel", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},
	{"__secondary_switched", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},
	{"__primary_switched", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},

	/* the same, arch/arm64/kernel/entry-common.c, syscall.c, arch/arm64/mm/fault.c,
	 * drivers/irqchip/irq-gic-v3.c */
	{"el0t_*", NMIBT_FUNCTION_FRAMING},
	{"el1h_*", NMIBT_FUNCTION_FRAMING},
	{"el1t_*", NMIBT_FUNCTION_FRAMING},
	{"el0_svc_*", NMIBT_FUNCTION_FRAMING},
	{"do_el0_svc", NMIBT_FUNCTION_FRAMING},
	{"invoke_syscall", NMIBT_FUNCTION_FRAMING},
	{"el0_interrupt", NMIBT_FUNCTION_FRAMING},
	{"el1_interrupt", NMIBT_FUNCTION_FRAMING},
	{"el1_abort", NMIBT_FUNCTION_FRAMING},
	{"do_el1_abort", NMIBT_FUNCTION_FRAMING},
	{"do_mem_abort", NMIBT_FUNCTION_FRAMING},
	{"do_page_fault", NMIBT_FUNCTION_FRAMING},
	{"do_translation_fault", NMIBT_FUNCTION_FRAMING},
	{"do_bad_area", NMIBT_FUNCTION_FRAMING},
	{"call_on_irq_stack", NMIBT_FUNCTION_FRAMING},
	{"do_interrupt_handler", NMIBT_FUNCTION_FRAMING},
	{"gic_handle_irq", NMIBT_FUNCTION_FRAMING},

	{"arch_counter_get_cntvct", NMIBT_FUNCTION_DELAY}, /* arch/arm64/lib/delay.c */
};

const struct nmibt_text_arch nmibt_text_arm64 = {
	.arch = NMIBT_ARCH_ARM64,
	.forms = forms,
	.nr_forms = ARRAY_SIZE(forms),
	.open_letters = "0123456789abcdef", /* is_memory() */
	.functions = functions,
	.nr_functions = ARRAY_SIZE(functions),
	.has_plain_traces = true,
};
