// SPDX-License-Identifier: GPL-2.0-or-later
/* Which stacks are those of idle CPUs, and which frames belong to the stop of a CPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "text/text.h"

#define ARM64 NMIBT_ARCH_ARM64
#define X86_64 NMIBT_ARCH_X86_64

static struct nmibt_stack read_stack(enum nmibt_arch arch, const char *raw, struct nmibt_text *text)
{
	struct nmibt_backtrace backtrace;

	assert_null(nmibt_decode(raw, strlen(raw), strlen(raw), NULL, false, text));
	assert_null(nmibt_read_backtrace(arch, text, &backtrace));
	return backtrace.stack;
}

static void check_stack(enum nmibt_arch arch, const char *raw,
			bool (*is)(const struct nmibt_stack *stack), const char *word,
			bool expected)
{
	struct nmibt_text text;
	struct nmibt_stack stack = read_stack(arch, raw, &text);

	if (is(&stack) != expected)
		fail_msg("%s%s: %s", expected ? "" : "not ", word, raw);
	nmibt_stack_destroy(&stack);
	nmibt_text_destroy(&text);
}

/* --------------------------------------------------------------------- offline */

static void check_offline(enum nmibt_arch arch, const char *raw, bool is_offline)
{
	check_stack(arch, raw, nmibt_is_offline_stack, "offline", is_offline);
}

/* As of virtual CPUs that were taken offline, 6.12; 6.1 jumps from arch_cpu_idle_dead(). */
static void offline(void **state)
{
	(void)state;
	check_offline(
		X86_64,
		"Call Trace:\n <TASK>\n hlt_play_dead+0x23/0x30\n native_play_dead+0x132/0x1c0\n"
		" arch_cpu_idle_dead+0x15/0x20\n do_idle+0x1ac/0x2a0\n </TASK>\n",
		true);
	check_offline(X86_64,
		      "Call Trace:\n <TASK>\n native_play_dead+0x132/0x1c0\n do_idle+0x1ac/0x2a0\n"
		      " </TASK>\n",
		      true);
	check_offline(ARM64,
		      "Call trace:\n __arm_smccc_hvc+0x4/0x8\n cpu_psci_cpu_die+0x28/0x90\n"
		      " cpu_die+0x40/0x80\n do_idle+0x1ac/0x2a0\n",
		      true);
	check_offline(
		X86_64,
		"Call Trace:\n <TASK>\n default_idle+0x9/0x20\n do_idle+0x1ac/0x2a0\n </TASK>\n",
		false);
	/* A CPU that is started again, under Xen, 6.1: arch/x86/xen/smp_pv.c: xen_pv_play_dead(). */
	check_offline(X86_64,
		      "Call Trace:\n <TASK>\n notify_cpu_starting+0x40/0x90\n"
		      " cpu_bringup+0x60/0xa0\n xen_pv_play_dead+0x50/0x70\n"
		      " arch_cpu_idle_dead+0x15/0x20\n do_idle+0x1ac/0x2a0\n </TASK>\n",
		      false);
	/* A return address that is left on the stack from before. */
	check_offline(
		X86_64,
		"Call Trace:\n <TASK>\n ? native_play_dead+0x132/0x1c0\n default_idle+0x9/0x20\n"
		" do_idle+0x1ac/0x2a0\n </TASK>\n",
		false);
}

/* ------------------------------------------------------------------------ idle */

static void check_idle(enum nmibt_arch arch, const char *raw, bool is_idle)
{
	check_stack(arch, raw, nmibt_is_idle_stack, "idle", is_idle);
}

#define IDLE_LOOP                                                                                  \
	" default_idle+0x9/0x20\n default_idle_call+0x29/0xf0\n do_idle+0x269/0x2a0\n"             \
	" cpu_startup_entry+0x29/0x30\n start_secondary+0x11e/0x140\n"
#define IN_IRQ(functions, hit)                                                                     \
	"Call Trace:\n <IRQ>\n" functions " </IRQ>\n <TASK>\n"                                     \
	" asm_common_interrupt+0x22/0x40\nRIP: 0010:" hit "\n" IDLE_LOOP " </TASK>\n"

static void idle(void **state)
{
	(void)state;
	check_idle(X86_64,
		   "RIP: 0010:pv_native_safe_halt+0xf/0x20\nCall Trace:\n <TASK>\n" IDLE_LOOP,
		   true);
	/* On 4.4 the only reliable frame is that of the idle loop. */
	check_idle(
		X86_64,
		"RIP: 0010:[<ffffffff81054b66>]  [<ffffffff81054b66>] native_safe_halt+0x6/0x10\n"
		"Call Trace:\n [<ffffffff8101d5da>] default_idle+0x1e/0xc0\n",
		true);
	check_idle(X86_64,
		   "RIP: 0010:mwait_idle_with_hints.constprop.0+0x4b/0x90\nCall Trace:\n"
		   " intel_idle+0x1d/0x30\n cpuidle_enter_state+0x7f/0x410\n do_idle+0x1e0/0x270\n",
		   true);
	check_idle(X86_64,
		   "RIP: 0010:intel_idle+0x54/0x90\nCall Trace:\n cpuidle_enter+0x29/0x40\n", true);
	check_idle(X86_64, "RIP: 0010:poll_idle+0x54/0x90\nCall Trace:\n do_idle+0x29/0x40\n",
		   true);
	check_idle(ARM64,
		   "pc : cpu_do_idle+0x8/0xc\nCall trace:\n cpu_do_idle+0x8/0xc\n"
		   " default_idle_call+0x29/0xf0\n do_idle+0x269/0x2a0\n",
		   true);
	check_idle(ARM64,
		   "pc : arch_local_irq_enable+0x8/0xc\nCall trace:\n"
		   " arch_local_irq_enable+0x8/0xc\n default_idle_call+0x29/0xf0\n",
		   true);
}

static void not_idle(void **state)
{
	(void)state;
	check_idle(X86_64, "", false);
	/* The CPU still serves an interrupt. */
	check_idle(X86_64,
		   "RIP: 0010:native_queued_spin_lock_slowpath+0x6a/0x2d0\n" IN_IRQ(
			   " _raw_spin_lock+0x25/0x30\n", "pv_native_safe_halt+0xf/0x20"),
		   false);
	check_idle(ARM64,
		   "pc : queued_spin_lock_slowpath+0x8/0xc\nCall trace:\n"
		   " queued_spin_lock_slowpath+0x8/0xc\n el1_interrupt+0x1/0x2\n"
		   " el1h_64_irq+0x6c/0x70\n cpu_do_idle+0x8/0xc\n do_idle+0x269/0x2a0\n",
		   false);
	/* The idle loop looks for work. */
	check_idle(X86_64,
		   "RIP: 0010:native_queued_spin_lock_slowpath+0x6a/0x2d0\nCall Trace:\n"
		   " raw_spin_rq_lock_nested+0x1c/0x80\n __schedule+0x1/0x2\n"
		   " schedule_idle+0x1/0x2\n" IDLE_LOOP,
		   false);
	/* A guest halts while it waits for a lock: arch/x86/kernel/kvm.c: kvm_wait() */
	check_idle(X86_64,
		   "RIP: 0010:pv_native_safe_halt+0xf/0x20\nCall Trace:\n kvm_wait+0x4c/0x60\n"
		   " __pv_queued_spin_lock_slowpath+0x23e/0x2e0\n",
		   false);
	check_idle(X86_64, "RIP: 0010:pv_native_safe_halt+0xf/0x20\n", false);
	check_idle(ARM64, "pc : arch_local_irq_enable+0x8/0xc\nCall trace:\n f+0x1/0x2\n", false);
	check_idle(X86_64, "RIP: 0010:do_idle+0x1/0x2 [m]\n", false);
	check_idle(X86_64, "Call Trace:\n ? do_idle+0x1/0x2\n", false);
	check_idle(X86_64, "RIP: 0033:0x401030\n", false);
}

/* The interrupt that stopped the CPU does not count as one that it serves. */
static void idle_when_stopped(void **state)
{
#define STOPPED_IDLE(hit)                                                                          \
	IN_IRQ(" stop_this_cpu+0x1/0x2\n __sysvec_reboot+0x1/0x2\n sysvec_reboot+0x1/0x2\n", hit)
	(void)state;
	check_idle(X86_64, STOPPED_IDLE("pv_native_safe_halt+0xf/0x20"), true);
	check_idle(X86_64, STOPPED_IDLE("schedule_idle+0xf/0x20"), false);
	check_idle(ARM64,
		   "Call trace:\n ipi_cpu_crash_stop+0x1/0x2\n do_handle_IPI+0x1/0x2\n"
		   " el1h_64_irq+0x6c/0x70\n cpu_do_idle+0x8/0xc\n do_idle+0x269/0x2a0\n",
		   true);
}

/* ----------------------------------------------------------------------- dying */

static void check_dying(enum nmibt_arch arch, const char *raw, size_t nr)
{
	struct nmibt_text text;
	struct nmibt_stack stack = read_stack(arch, raw, &text);

	if (nmibt_count_dying(&stack) != nr)
		fail_msg("%zu, not %zu: %s", nmibt_count_dying(&stack), nr, raw);
	nmibt_stack_destroy(&stack);
	nmibt_text_destroy(&text);
}

static void dying(void **state)
{
	(void)state;
	check_dying(X86_64, "", 0);
	check_dying(X86_64, "RIP: 0010:f+0x1/0x2\nCall Trace:\n g+0x1/0x2\n", 0);
	/* Everything that panic() called is dying, too, and nothing that called it is. */
	check_dying(X86_64,
		    "Call Trace:\n dump_stack_lvl+0x1/0x2\n panic+0x1/0x2\n cause+0x1/0x2\n"
		    " vfs_write+0x1/0x2\n",
		    2);
	check_dying(X86_64,
		    "Call Trace:\n capture_this_cpu+0x1/0x2\n nmi_capture_request+0x1/0x2\n"
		    " vpanic+0x1/0x2\n panic+0x1/0x2\n cause+0x1/0x2\n",
		    4);
	/* An interrupt while panic() waits. */
	check_dying(X86_64,
		    "RIP: 0010:f+0x1/0x2\nCall Trace:\n <IRQ>\n asm_common_interrupt+0x1/0x2\n"
		    "RIP: 0010:delay_tsc+0x1/0x2\n panic+0x1/0x2\n cause+0x1/0x2\n",
		    4);
	/* The caller of nmi_panic() is the cause: the watchdog, in an NMI. */
	check_dying(X86_64,
		    "Call Trace:\n panic+0x1/0x2\n nmi_panic+0x1/0x2\n"
		    " watchdog_hardlockup_check+0x1/0x2\n exc_nmi+0x1/0x2\n asm_exc_nmi+0x1/0x2\n"
		    "RIP: 0010:stuck+0x1/0x2\n",
		    2);
	check_dying(X86_64, "Call Trace:\n ? panic+0x1/0x2\n f+0x1/0x2\n", 0);
	check_dying(X86_64, "Call Trace:\n panic+0x1/0x2 [m]\n f+0x1/0x2\n", 0);
	check_dying(X86_64, "Call Trace:\n panic.cold+0x1/0x2\n f+0x1/0x2\n", 1);
}

/* The exception of an oops, and the interrupt of a stop, are dying, too. */
static void entries(void **state)
{
	(void)state;
	check_dying(
		X86_64,
		"Call Trace:\n __crash_kexec+0x1/0x2\n oops_end+0x1/0x2\n"
		" page_fault_oops+0x1/0x2\n exc_page_fault+0x1/0x2\n asm_exc_page_fault+0x1/0x2\n"
		"RIP: 0010:cause+0x1/0x2\n vfs_write+0x1/0x2\n",
		5);
	check_dying(X86_64,
		    "Call Trace:\n <NMI>\n crash_nmi_callback+0x1/0x2\n nmi_handle+0x1/0x2\n"
		    " default_do_nmi+0x1/0x2\n exc_nmi+0x1/0x2\n end_repeat_nmi+0x1/0x2\n"
		    "RIP: 0010:f+0x1/0x2\n </NMI>\n <TASK>\n g+0x1/0x2\n",
		    5);
	/* 4.4 prints no registers within the trace. */
	check_dying(X86_64,
		    "Call Trace:\n <NMI>  [<ffffffff81000001>] crash_nmi_callback+0x1/0x2\n"
		    " [<ffffffff81000001>] do_nmi+0x1/0x2\n [<ffffffff81000001>] "
		    "end_repeat_nmi+0x1/0x2\n"
		    " <<EOE>>  [<ffffffff81000001>] g+0x1/0x2\n",
		    3);
	check_dying(ARM64,
		    "pc : ipi_cpu_crash_stop+0x1/0x2\nCall trace:\n ipi_cpu_crash_stop+0x1/0x2\n"
		    " do_handle_IPI+0x1/0x2\n handle_percpu_devid_fasteoi_ipi+0x1/0x2\n"
		    " gic_handle_irq+0x1/0x2\n el1_interrupt+0x1/0x2\n el1h_64_irq+0x6c/0x70\n"
		    " f+0x1/0x2\n g+0x1/0x2\n",
		    7);
	/* The CPU came from user mode, so the whole chain belongs to the stop. */
	check_dying(ARM64,
		    "Call trace:\n ipi_cpu_crash_stop+0x1/0x2\n el0_interrupt+0x1/0x2\n"
		    " el0t_64_irq_handler+0x1/0x2\n el0t_64_irq+0x1/0x2\n",
		    4);
	/* If the text does not show the entry, only the sure frame counts. */
	check_dying(X86_64, "Call Trace:\n stop_this_cpu+0x1/0x2\n f+0x1/0x2\n g+0x1/0x2\n", 1);
}

/* ------------------------------------------------------------------- functions */

static struct nmibt_frame frame_of(const char *name)
{
	return (struct nmibt_frame){.function = nmibt_str_of(name), .reliable = true};
}

static void functions(void **state)
{
	static const struct {
		const char *name;
		bool framing, delay, entry;
	} cases[] = {
		{"do_idle", true, false, false},
		{"intel_idle.cold", true, false, false},
		{"pv_native_safe_halt", true, false, false},
		{"do_idle_2", false, false, false},
		{"do_idl", false, false, false},
		{"schedule_idle", false, false, false},
		{"kthread", true, false, false},
		{"kthread_worker_fn", false, false, false},
		{"el0_svc_common.constprop.0", true, false, false},
		{"ret_from_fork_asm", true, false, false},
		{"asm_sysvec_apic_timer_interrupt", true, false, true},
		{"sysvec_apic_timer_interrupt", true, false, false},
		{"el1h_64_irq", true, false, true},
		{"delay_tsc", false, true, false},
		{"__udelay", false, true, false},
		{"delay_tsc_2", false, false, false},
		{"", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nmibt_frame frame = frame_of(cases[i].name);

		assert_int_equal(nmibt_is_framing_frame(&frame), cases[i].framing);
		assert_int_equal(nmibt_is_delay_frame(&frame), cases[i].delay);
		assert_int_equal(nmibt_is_entry_frame(&frame), cases[i].entry);
		frame.module = nmibt_str_of("mod");
		assert_false(nmibt_is_framing_frame(&frame) || nmibt_is_delay_frame(&frame) ||
			     nmibt_is_entry_frame(&frame));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offline),   cmocka_unit_test(idle),
		cmocka_unit_test(not_idle),  cmocka_unit_test(idle_when_stopped),
		cmocka_unit_test(dying),     cmocka_unit_test(entries),
		cmocka_unit_test(functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
