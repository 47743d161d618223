// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines that x86_64 prints, 2.6.32 to 7.2, and its functions: arch/x86/kernel/process_64.c:
 * __show_regs(), dumpstack.c: show_ip(), show_iret_regs(), __die_body(), dumpstack_64.c.
 */
#include "text/arch.h"

/* -------------------------------------------------------------------- lines */

#define RPL_MASK 3 /* privilege level in a code segment: 3 is user mode */

/*
 * "RIP: 0010:name+0x1/0x2", up to 4.9 "RIP: 0010:[<address>]  [<address>] name+0x1/0x2".
 * The segment is 0010 in the kernel, and e030 in a Xen PV kernel; 0033, 0023 and e033 in user mode;
 * and 0000 where a kernel thread has no registers of user mode. A NULL pointer is "0x0", or
 * "(null)" in older kernels.
 */
static bool read_rip(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str rest = s;
	uint64_t segment;

	if (!nmibt_take_hex(&rest, 4, &segment) || !nmibt_skip(&rest, ":")) {
		/* "RIP: name+0x1/0x2 RSP: ...": 4.10 to 4.17 repeat it at the end of an oops. */
		ret->kind = NMIBT_PRINT_REGISTER;
		return nmibt_str_holds(s, " RSP: ");
	}
	ret->is_user = (segment & RPL_MASK) == 3;
	if (ret->is_user || !segment)
		return true;
	ret->frame = (struct nmibt_frame){.is_pc = true, .reliable = true};
	ret->has_frame = nmibt_skip_address(&rest, &ret->frame);
	nmibt_skip_spaces(&rest);
	nmibt_skip_address(&rest, &ret->frame);
	nmibt_skip_spaces(&rest);
	ret->frame.function = ret->frame.module = (struct nmibt_str){rest.s, 0};
	if (nmibt_read_symbol(rest, &ret->frame) || nmibt_str_starts(rest, "(null)"))
		ret->has_frame = true;
	return true;
}

#define EFLAGS_IF 0x200

/* "RSP: 0018:ffffc900001a7ee0 EFLAGS: 00000046" */
static bool read_rsp(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str flags = s;
	uint64_t eflags;

	ret->has_sp = nmibt_skip_to(&s, ":") && nmibt_take_hex(&s, 16, &ret->sp);
	ret->has_irqs_off =
		nmibt_skip_to(&flags, "EFLAGS: ") && nmibt_take_hex(&flags, 16, &eflags);
	ret->irqs_off = ret->has_irqs_off && !(eflags & EFLAGS_IF);
	return true;
}

static bool read_fs(struct nmibt_str s, struct nmibt_printed *ret)
{
	(void)s;
	ret->is_last_register = true;
	return true;
}

/* " ffff88003fc03e40 0000000000000082": the words of the stack, up to 4.9. A mark may stand among
 * them. */
static bool is_stack_words(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str start = s;
	uint64_t word;

	(void)ret;
	return nmibt_take_hex(&s, 16, &word) && s.s - start.s == 16 && (!s.len || *s.s == ' ');
}

/* "sh (pid: 802, threadinfo ffff8801243fa000, task ffff880137b1ae20)", up to 3.9 */
static bool is_old_process(struct nmibt_str s, struct nmibt_printed *ret)
{
	return nmibt_is_process(s, ret) && nmibt_str_holds(s, ", threadinfo ");
}

/* arch/x86/kernel/smpboot.c: announce_cpu(), arch_cpuhp_cleanup_dead_cpu(), up to 6.4
 * common_cpu_die(): "Booting Node 0 Processor 3 APIC 0x3", "CPU 3 is now offline" */
static bool read_booting(struct nmibt_str s, struct nmibt_printed *ret)
{
	return nmibt_skip_to(&s, " Processor ") && nmibt_read_cpu_said(s, " APIC ", ret);
}

static bool read_offline(struct nmibt_str s, struct nmibt_printed *ret)
{
	return nmibt_read_cpu_says(s, " is now offline", ret);
}

static const struct nmibt_form forms[] = {
	{"smpboot: Booting Node ", NMIBT_PRINT_CPU_ONLINE, read_booting},
	{"smpboot: CPU ", NMIBT_PRINT_CPU_OFFLINE, read_offline},
	{"CPU ", NMIBT_PRINT_CPU, nmibt_read_old_cpu},
	{"Pid: ", NMIBT_PRINT_REGISTER, nmibt_read_old_task},
	{"RIP: ", NMIBT_PRINT_PC, read_rip},
	{"RSP: ", NMIBT_PRINT_REGISTER, read_rsp},
	{"RAX: ", NMIBT_PRINT_REGISTER, NULL},
	{"RDX: ", NMIBT_PRINT_REGISTER, NULL},
	{"RBP: ", NMIBT_PRINT_REGISTER, NULL},
	{"R10: ", NMIBT_PRINT_REGISTER, NULL},
	{"R13: ", NMIBT_PRINT_REGISTER, NULL},
	{"FS: ", NMIBT_PRINT_REGISTER, read_fs},
	{"CS: ", NMIBT_PRINT_REGISTER, NULL},
	{"CR2: ", NMIBT_PRINT_REGISTER, NULL},
	{"DR0: ", NMIBT_PRINT_REGISTER, NULL},
	{"DR3: ", NMIBT_PRINT_REGISTER, NULL},
	{"PKRU: ", NMIBT_PRINT_REGISTER, NULL},
	{"ORIG_RAX: ", NMIBT_PRINT_REGISTER, NULL},
	{"PGD ", NMIBT_PRINT_REGISTER, NULL},
	{"#PF: ", NMIBT_PRINT_REGISTER, NULL},
	{"Stack:", NMIBT_PRINT_REGISTER, NULL},
	{" ", NMIBT_PRINT_REGISTER, is_stack_words},
	{"Process ", NMIBT_PRINT_REGISTER, is_old_process},
	{"RIP  [<", NMIBT_PRINT_REGISTER, NULL},
	{" RSP <", NMIBT_PRINT_REGISTER, NULL},
	{"PANIC: double fault", NMIBT_PRINT_OOPS_CAUSE, NULL},
};

/* ---------------------------------------------------------------- functions */

static const struct nmibt_function_kinds functions[] = {
	/* arch/x86/kernel/process.c, arch/x86/include/asm/irqflags.h and mwait.h,
	 * drivers/acpi/processor_idle.c, drivers/idle/intel_idle.c */
	{"native_safe_halt", NMIBT_FUNCTION_HALT},
	{"pv_native_safe_halt", NMIBT_FUNCTION_HALT},
	{"native_halt", NMIBT_FUNCTION_HALT},
	{"xen_safe_halt", NMIBT_FUNCTION_HALT},
	{"tdx_safe_halt", NMIBT_FUNCTION_HALT},
	{"tdx_halt", NMIBT_FUNCTION_HALT},
	{"__tdx_hypercall", NMIBT_FUNCTION_HALT},
	{"mwait_idle_with_hints", NMIBT_FUNCTION_HALT},
	{"mwait_idle", NMIBT_FUNCTION_IDLE},
	{"amd_e400_idle", NMIBT_FUNCTION_IDLE},
	{"acpi_processor_ffh_cstate_enter", NMIBT_FUNCTION_IDLE},
	{"acpi_safe_halt", NMIBT_FUNCTION_IDLE},
	{"acpi_idle_do_entry", NMIBT_FUNCTION_IDLE},
	{"acpi_idle_enter*", NMIBT_FUNCTION_IDLE},
	{"intel_idle", NMIBT_FUNCTION_IDLE},
	{"intel_idle_irq", NMIBT_FUNCTION_IDLE},
	{"intel_idle_ibrs", NMIBT_FUNCTION_IDLE},
	{"intel_idle_xstate", NMIBT_FUNCTION_IDLE},
	{"intel_idle_hlt", NMIBT_FUNCTION_IDLE},
	{"intel_idle_hlt_irq_on", NMIBT_FUNCTION_IDLE},
	{"intel_idle_s2idle", NMIBT_FUNCTION_IDLE},

	/* arch/x86/kernel/smpboot.c, arch/x86/xen/smp_pv.c */
	{"native_play_dead", NMIBT_FUNCTION_OFFLINE},
	{"hlt_play_dead", NMIBT_FUNCTION_OFFLINE},
	{"play_dead_common", NMIBT_FUNCTION_OFFLINE},
	{"xen_pv_play_dead", NMIBT_FUNCTION_OFFLINE},
	/* xen_pv_play_dead() of 6.1 goes on when the CPU is started again. */
	{"cpu_bringup", NMIBT_FUNCTION_ONLINE},
	{"cpuhp_online_idle", NMIBT_FUNCTION_ONLINE},

	/* arch/x86/kernel/crash.c, reboot.c, smp.c, process.c, dumpstack.c,
	 * machine_kexec_64.c; arch/x86/mm/fault.c */
	{"die", NMIBT_FUNCTION_STOP},
	{"die_addr", NMIBT_FUNCTION_STOP},
	{"__die", NMIBT_FUNCTION_STOP},
	{"oops_end", NMIBT_FUNCTION_STOP},
	{"page_fault_oops", NMIBT_FUNCTION_STOP | NMIBT_FUNCTION_FRAMING},
	{"no_context", NMIBT_FUNCTION_STOP},
	{"native_machine_crash_shutdown", NMIBT_FUNCTION_DYING},
	{"native_machine_shutdown", NMIBT_FUNCTION_DYING},
	{"native_stop_other_cpus", NMIBT_FUNCTION_DYING},
	{"kdump_nmi_shootdown_cpus", NMIBT_FUNCTION_DYING},
	{"nmi_shootdown_cpus", NMIBT_FUNCTION_DYING},
	{"relocate_kernel", NMIBT_FUNCTION_DYING},
	{"crash_nmi_callback", NMIBT_FUNCTION_STOP},
	{"kdump_nmi_callback", NMIBT_FUNCTION_STOP},
	{"run_crash_ipi_callback", NMIBT_FUNCTION_STOP},
	{"smp_stop_nmi_callback", NMIBT_FUNCTION_STOP},
	{"stop_this_cpu", NMIBT_FUNCTION_STOP},
	{"__sysvec_reboot", NMIBT_FUNCTION_STOP},
	{"sysvec_reboot", NMIBT_FUNCTION_STOP},
	{"smp_reboot_interrupt", NMIBT_FUNCTION_STOP},

	/* arch/x86/entry/entry_64.S: the trace shows them before the registers on the stack */
	{"asm_exc_*", NMIBT_FUNCTION_ENTRY},
	{"asm_sysvec_*", NMIBT_FUNCTION_ENTRY},
	{"asm_common_interrupt", NMIBT_FUNCTION_ENTRY},
	{"asm_spurious_interrupt", NMIBT_FUNCTION_ENTRY},
	{"asm_load_gs_index", NMIBT_FUNCTION_ENTRY},
	{"asm_call_irq_on_stack", 0},
	{"asm_call_on_stack", 0},
	{"end_repeat_nmi", NMIBT_FUNCTION_ENTRY},
	{"nmi", NMIBT_FUNCTION_ENTRY},
	{"error_entry", NMIBT_FUNCTION_ENTRY},
	{"page_fault", NMIBT_FUNCTION_ENTRY},
	{"async_page_fault", NMIBT_FUNCTION_ENTRY},
	{"general_protection", NMIBT_FUNCTION_ENTRY},
	{"invalid_op", NMIBT_FUNCTION_ENTRY},
	{"double_fault", NMIBT_FUNCTION_ENTRY},
	{"divide_error", NMIBT_FUNCTION_ENTRY},
	{"machine_check", NMIBT_FUNCTION_ENTRY},
	{"common_interrupt", NMIBT_FUNCTION_ENTRY},
	{"ret_from_intr", NMIBT_FUNCTION_ENTRY},
	{"apic_timer_interrupt", NMIBT_FUNCTION_ENTRY},
	{"reboot_interrupt", NMIBT_FUNCTION_ENTRY},
	{"reschedule_interrupt", NMIBT_FUNCTION_ENTRY},
	{"call_function_interrupt", NMIBT_FUNCTION_ENTRY},
	{"call_function_single_interrupt", NMIBT_FUNCTION_ENTRY},
	{"irq_work_interrupt", NMIBT_FUNCTION_ENTRY},
	{"xen_hvm_callback_vector", NMIBT_FUNCTION_ENTRY},
	{"hypervisor_callback_vector", NMIBT_FUNCTION_ENTRY},

	{"entry_SYSCALL_64*", NMIBT_FUNCTION_USER},
	{"entry_SYSENTER_compat*", NMIBT_FUNCTION_USER},
	{"entry_SYSCALL_compat*", NMIBT_FUNCTION_USER},
	{"entry_INT80_compat*", NMIBT_FUNCTION_USER},
	{"asm_int80_emulation", NMIBT_FUNCTION_USER},
	{"system_call_fastpath", NMIBT_FUNCTION_USER},
	{"system_call_after_swapgs", NMIBT_FUNCTION_USER},
	{"sysenter_dispatch", NMIBT_FUNCTION_USER},
	{"ia32_sysret", NMIBT_FUNCTION_USER},
	{"ia32_do_call", NMIBT_FUNCTION_USER},
	{"tracesys", NMIBT_FUNCTION_USER},
	{"int_signal", NMIBT_FUNCTION_USER},
	{"retint_user", NMIBT_FUNCTION_USER},
	{"retint_signal", NMIBT_FUNCTION_USER},

	/* arch/x86/kernel/head_64.S, smpboot.c, head64.c; arch/x86/entry/entry_64.S */
	{"ret_from_fork", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},
	{"ret_from_fork_asm", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},
	{"kernel_thread_helper", NMIBT_FUNCTION_OUTERMOST},
	{"start_secondary", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},
	{"start_cpu", NMIBT_FUNCTION_OUTERMOST},
	{"secondary_startup_64*", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},
	{"common_startup_64", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},
	{"x86_64_start_kernel", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},
	{"x86_64_start_reservations", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},
	{"cpu_bringup_and_idle", NMIBT_FUNCTION_OUTERMOST},
	{"asm_cpu_bringup_and_idle", NMIBT_FUNCTION_OUTERMOST},

	/* the same, arch/x86/entry, and arch/x86/mm/fault.c */
	{"asm_*", NMIBT_FUNCTION_FRAMING},
	{"exc_*", NMIBT_FUNCTION_FRAMING},
	{"entry_*", NMIBT_FUNCTION_FRAMING},
	{"sysvec_*", NMIBT_FUNCTION_FRAMING},
	{"__sysvec_*", NMIBT_FUNCTION_FRAMING},
	{"do_syscall_64", NMIBT_FUNCTION_FRAMING},
	{"x64_sys_call", NMIBT_FUNCTION_FRAMING},
	{"kernelmode_fixup_or_oops", NMIBT_FUNCTION_FRAMING},
	{"bad_area_nosemaphore", NMIBT_FUNCTION_FRAMING},
	{"__bad_area_nosemaphore", NMIBT_FUNCTION_FRAMING},
	{"do_user_addr_fault", NMIBT_FUNCTION_FRAMING},
	{"do_kern_addr_fault", NMIBT_FUNCTION_FRAMING},

	/* arch/x86/lib/delay.c, arch/x86/include/asm/msr.h, processor.h */
	{"delay_tsc", NMIBT_FUNCTION_DELAY},
	{"delay_loop", NMIBT_FUNCTION_DELAY},
	{"delay_halt*", NMIBT_FUNCTION_DELAY},
	{"rep_nop", NMIBT_FUNCTION_DELAY},
	{"read_tsc", NMIBT_FUNCTION_DELAY},
	{"rdtsc_ordered", NMIBT_FUNCTION_DELAY},
};

const struct nmibt_text_arch nmibt_text_x86_64 = {
	.arch = NMIBT_ARCH_X86_64,
	.forms = forms,
	.nr_forms = ARRAY_SIZE(forms),
	.functions = functions,
	.nr_functions = ARRAY_SIZE(functions),
};
