// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recognising lines: each form with the kernel that prints it, lines that look like it and are
 * something else, and hostile lines.
 */
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

#define P(name) NMIBT_PRINT_##name

static struct nmibt_printed recognise_len(enum nmibt_arch arch, const char *line, size_t len)
{
	struct nmibt_printed printed;
	/* The copy has exactly this size, so that ASan sees reads beyond it. */
	char *copy = malloc(len ? len : 1);

	memcpy(copy, line, len);
	memset(&printed, 0xee, sizeof(printed));
	nmibt_recognise(arch, (struct nmibt_str){copy, len}, &printed);
	struct nmibt_str *strings[] = {&printed.cpus, &printed.comm, &printed.message,
				       &printed.frame.function, &printed.frame.module};
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		if (!strings[i]->s)
			continue;
		assert_true(strings[i]->s >= copy && strings[i]->s + strings[i]->len <= copy + len);
		strings[i]->s = line + (strings[i]->s - copy);
	}
	free(copy);
	return printed;
}

static struct nmibt_printed recognise(enum nmibt_arch arch, const char *line)
{
	return recognise_len(arch, line, strlen(line));
}

static void check_kind(enum nmibt_arch arch, const char *line, enum nmibt_print kind)
{
	enum nmibt_print got = recognise(arch, line).kind;

	if (got != kind)
		fail_msg("kind %d, not %d: %s", got, kind, line);
}

static void check_str(struct nmibt_str s, const char *want, const char *line)
{
	if (!nmibt_str_is(s, want ? want : ""))
		fail_msg("\"%.*s\", not \"%s\", of %s", (int)s.len, s.s, want, line);
}

/* ----------------------------------------------------------------------- kinds */

static void kinds(void **state)
{
	static const struct {
		const char *line;
		enum nmibt_print kind;
	} cases[] = {
		/* lib/nmi_backtrace.c, 4.9, 4.8; arch/x86/kernel/apic/hw_nmi.c, 3.10 */
		{"Sending NMI from CPU 2 to CPUs 0-1,3:", P(REQUEST)},
		{"Sending NMI to all CPUs:", P(REQUEST)},
		{"Sending NMI to other CPUs:", P(REQUEST)},
		{"sending NMI to all CPUs:", P(REQUEST)},
		{"Sending NMI to nobody", P(OTHER)},
		{"Sending NMI from CPU x to CPUs 1:", P(OTHER)},
		{"Sending NMI from CPU 2", P(OTHER)},
		{"NMI backtrace for cpu 3", P(TITLE)},
		{"NMI backtrace for cpu 3 skipped: idling at native_safe_halt+0xb/0x10",
		 P(SKIPPED)},
		{"NMI backtrace for cpu 3 skipped: idling at pc 0xffffffff81054b66", P(SKIPPED)},
		{"NMI backtrace for cpu ", P(OTHER)},
		{"NMI backtrace for cpu 8192", P(OTHER)},
		{" NMI backtrace for cpu 3", P(OTHER)},
		/* drivers/tty/sysrq.c, 5.4; 4.4; 3.10 */
		{"sysrq: Show backtrace of all active CPUs", P(SYSRQ_REQUEST)},
		{"sysrq: SysRq : Show backtrace of all active CPUs", P(SYSRQ_REQUEST)},
		{"SysRq : Show backtrace of all active CPUs", P(SYSRQ_REQUEST)},
		{"sysrq: CPU3:", P(SYSRQ_TITLE)},
		{"CPU3:", P(SYSRQ_TITLE)},
		{"CPU3: Booted secondary processor", P(OTHER)},
		{"CPU3: update max cpu_capacity 1024", P(OTHER)},
		{"sysrq: CPU1: backtrace skipped as idling", P(SYSRQ_SKIPPED)},
		{"CPU1: backtrace skipped as idling", P(SYSRQ_SKIPPED)},
		{"sysrq: Show State", P(OTHER)},
		{"sysrq: Trigger a crash", P(OOPS_CAUSE)},
		{"SysRq : Trigger a crash", P(OOPS_CAUSE)},
		{"Trigger a crash", P(OTHER)},
		/* arch/arm64/kernel/smp.c, 4.14 */
		{"CPU2: stopping", P(STOPPING)},
		{"CPUx: stopping", P(OTHER)},
		/* kernel/sched/core.c */
		{"Task dump for CPU 3:", P(TASK_DUMP)},
		/* arch/arm64/kernel/smp.c, 6.12, 4.14 */
		{"SMP: failed to stop secondary CPUs 0,199", P(NOT_STOPPED)},
		{"SMP: failed to stop secondary CPUs", P(NOT_STOPPED)},
		{"SMP: stopping secondary CPUs", P(OTHER)},
		{"Some CPUs may be stale, kdump will be unreliable.", P(NOT_RESPONDING)},
		{"CPU 5 didn't respond to backtrace IPI, inspecting paca.", P(NOT_RESPONDING)},
		{"mce: CPUs not responding to MCE broadcast (may include false positives): 1-2",
		 P(NOT_RESPONDING)},
		{"NMI: nmi_backtrace_stall_check: CPU 3: NMIs are not reaching exc_nmi() handler",
		 P(NOT_RESPONDING)},

		{"Kernel panic - not syncing: sysrq triggered crash", P(PANIC)},
		{"---[ end Kernel panic - not syncing: sysrq triggered crash ]---", P(END_PANIC)},
		/* arch/x86/mm/fault.c, 6.12, 4.14 */
		{"BUG: kernel NULL pointer dereference, address: 0000000000000018", P(OOPS_CAUSE)},
		{"BUG: unable to handle page fault for address: ffffc90000000000", P(OOPS_CAUSE)},
		{"BUG: unable to handle kernel NULL pointer dereference at           (null)",
		 P(OOPS_CAUSE)},
		{"BUG: TASK stack guard page was hit at ffffc9000038bff8 (stack is ...)",
		 P(OOPS_CAUSE)},
		/* arch/powerpc/mm/fault.c, 5.10 */
		{"BUG: Kernel NULL pointer dereference on read at 0x00000000", P(OOPS_CAUSE)},
		{"BUG: Unable to handle kernel data access on read at 0x00000010", P(OOPS_CAUSE)},
		{"Unable to handle kernel NULL pointer dereference at virtual address "
		 "0000000000000018",
		 P(OOPS_CAUSE)},
		{"kernel BUG at mm/slub.c:306!", P(OOPS_CAUSE)},
		/* arch/x86/kernel/dumpstack.c, 6.12, 5.10, 3.10 */
		{"Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI", P(OOPS)},
		{"Oops: 0000 [#1] SMP ", P(OOPS)},
		{"Oops: general protection fault, probably for non-canonical address 0xdead: 0000 "
		 "[#1] SMP",
		 P(OOPS)},
		{"general protection fault, maybe for address 0xffff: 0000 [#2] PREEMPT SMP KASAN",
		 P(OOPS)},
		{"invalid opcode: 0000 [#1] SMP", P(OOPS)},
		{"divide error: 0000 [#1] SMP", P(OOPS)},
		/* arch/arm64/kernel/traps.c, 6.12, 4.8 */
		{"Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP", P(OOPS)},
		{"Internal error: Oops - BUG: 0 [#1] SMP", P(OOPS)},
		{"Oops: Kernel access of bad area, sig: 11 [#1]", P(OOPS)},
		{"Oops [#1]", P(OOPS)},
		{"Kernel BUG [#1]", P(OOPS)},
		{"illegal operation: 0001 ilc:1 [#1] SMP ", P(OOPS)},
		{"something: 12 [#1]", P(OTHER)},
		{"usb 1-1: configuration [#1] chosen", P(OTHER)},
		{"Oops: 0000 [#", P(OTHER)},
		{"Oops [#1]:", P(OOPS)},
		{"Oops [#1][300]: segfault at 0", P(OTHER)},
		{"Oops: [#1]:[300]: segfault at 0", P(OTHER)},
		{"Internal error: Oops: 0000000096000004", P(OTHER)},
		/* kernel/watchdog.c, 6.12; 4.4; 3.10 */
		{"watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]", P(SOFT_LOCKUP)},
		{"NMI watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]",
		 P(SOFT_LOCKUP)},
		{"BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]", P(SOFT_LOCKUP)},
		{"Watchdog detected hard LOCKUP on cpu 3", P(HARD_LOCKUP)},
		{"watchdog: Watchdog detected hard LOCKUP on cpu 3", P(HARD_LOCKUP)},
		{"watchdog: CPU2: Watchdog detected hard LOCKUP on cpu 3", P(HARD_LOCKUP)},
		{"watchdog: CPU 3 self-detected hard LOCKUP @ f+0x1/0x2", P(HARD_LOCKUP)},
		{"watchdog: CPU 3 detected hard LOCKUP on other CPUs 1-2", P(HARD_LOCKUP)},
		{"watchdog: CPU 3 became unstuck TB:1", P(OTHER)},
		{"watchdog: hard lockup of what?", P(OTHER)},
		/* kernel/rcu/tree_stall.h, tree_exp.h, 6.12; kernel/rcu/tree.c, 4.14 */
		{"rcu: INFO: rcu_preempt self-detected stall on CPU", P(SELF_STALL)},
		{"INFO: rcu_sched self-detected stall on CPU { 3}  (t=60000 jiffies g=1 c=2 q=3)",
		 P(SELF_STALL)},
		{"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", P(STALL)},
		{"INFO: rcu_sched detected stalls on CPUs/tasks: { 1 3} (detected by 2, t=1 "
		 "jiffies)",
		 P(STALL)},
		{"rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 3-...D } 25 "
		 "jiffies s: 1 root: 0x8/.",
		 P(STALL)},
		{"rcu: \t3-....: (21000 ticks this GP) idle=8a4c/1/0x4000000000000000 softirq=1/1 "
		 "fqs=5250",
		 P(STALLED_CPU)},
		{"\t3-...: (1 GPs behind) idle=e37/140000000000001/0 softirq=1/1 fqs=0",
		 P(STALLED_CPU)},
		{"\t3: (1 GPs behind) idle=e37/140000000000001/0", P(STALLED_CPU)},
		{"rcu: \t(detected by 2, t=21002 jiffies, g=1, q=2 ncpus=4)", P(STALL_FOUND)},
		{"rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-3): P118", P(STALLED_TASKS)},
		{"\t3 apples", P(OTHER)},
		{"INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.1 msecs",
		 P(OTHER)},
		/* kernel/smp.c, 6.12 */
		{"smp: csd: Detected non-responsive CSD lock (#1) on CPU#2, waiting 5000000044 ns "
		 "for "
		 "CPU#03 f+0x0/0x10(g).",
		 P(CSD_LOCKUP)},
		{"smp: csd: CSD lock (#1) got unstuck on CPU#02, CPU#03 released the lock.",
		 P(CSD_RELEASED)},
		/* kernel/hung_task.c, 6.12, 6.19 */
		{"INFO: task spin:118 blocked for more than 122 seconds.", P(HUNG_TASK)},
		/* kernel/hung_task.c, 6.12 */
		{"Future hung task reports are suppressed, see sysctl kernel.hung_task_warnings",
		 P(HUNG_SUPPRESSED)},
		/* kernel/workqueue.c, 6.12, and newer */
		{"Showing backtraces of busy workers in stalled worker pools:", P(STALLED_WORKERS)},
		{"Showing backtraces of running workers in stalled CPU-bound worker pools:",
		 P(STALLED_WORKERS)},
		{"Showing busy workqueues and worker pools:", P(OTHER)},
		{"pool 10:", P(WORKER_POOL)},
		{"pool 10: cpus=2 node=0 flags=0x0 nice=0 hung=36s workers=3 idle: 20", P(OTHER)},
		/* kernel/hung_task.c: debug_show_blocker() */
		{"INFO: task cp:171 is blocked on a mutex likely owned by task a:b:169.", P(OWNER)},
		{"INFO: task cp:171 blocked on a semaphore likely last held by task sync:169",
		 P(OWNER)},
		{"INFO: task cp:171 <reader> blocked on an rw-semaphore likely owned by task "
		 "sync:169 <writer>",
		 P(OWNER)},
		{"INFO: task cp:171 is blocked on a mutex, but the owner is not found.", P(OTHER)},
		{"INFO: task cp:171 is blocked on a mutex likely owned by task sync:169 or so",
		 P(OTHER)},
		{"INFO: task cp is blocked on a mutex likely owned by task sync:169.", P(OTHER)},
		{"INFO: task spin:118 blocked in I/O wait for more than 122 seconds.",
		 P(HUNG_TASK)},
		/* kernel/panic.c, 6.12, 6.19 */
		{"WARNING: CPU: 3 PID: 118 at mm/slub.c:1 f+0x1/0x2 [m]", P(WARNING)},
		{"WARNING: mm/slub.c:1 at f+0x1/0x2 [m], CPU#3: spin/118", P(WARNING)},
		{"WARNING: possible circular locking dependency detected", P(WARNING)},
		{"BUG: sleeping function called from invalid context at mm/slub.c:1", P(WARNING)},
		{"BUG: scheduling while atomic: spin/118/0x00000002", P(WARNING)},
		{"BUG: KASAN: slab-out-of-bounds in f+0x1/0x2", P(WARNING)},

		{"------------[ cut here ]------------", P(CUT_HERE)},
		{"---[ end trace 0000000000000000 ]---", P(END_TRACE)},
		{"CPU: 3 UID: 0 PID: 118 Comm: spin Not tainted 6.12.0 #1", P(CPU)},
		{"CPU: 3 PID: 118 Comm: spin Tainted: G  W  3.10.0 #1", P(CPU)},
		{"CPU: 3 Comm: spin", P(OTHER)},
		{"CPU: 8192 PID: 118 Comm: spin", P(OTHER)},
		{"CPU: Physical Processor ID: 0", P(OTHER)},
		/* kernel/sched/core.c, 6.12, 5.4, 3.10 */
		{"task:spin            state:D stack:0     pid:118   tgid:118   ppid:2", P(TASK)},
		{"jbd2/sda1-8     D    0   512      2 0x80000000", P(TASK)},
		{"kworker/0:1     R  running task    14320   118      2 0x80000008", P(TASK)},
		{"spin            D ffffffff81000000     0   118      2 0x00000000", P(TASK)},
		{"spin is a task with a D in it and ends in 0x00000000", P(OTHER)},
		{"Hardware name: QEMU", P(HARDWARE)},
		{"Call Trace:", P(TRACE)},
		{"Call trace:", P(TRACE)},
		{"Code: 00 00 <0f> 0b", P(REGISTER)},
		{"Modules linked in: a(O) b", P(REGISTER)},
		{"task: ffff88003fc03e40 ti: ffff88003fc03e40 task.ti: ffff88003fc03e40",
		 P(REGISTER)},
		{"Tainted: [O]=OOT_MODULE", P(REGISTER)},
		{"Workqueue: events f [m]", P(REGISTER)},

		{"Linux version 6.12.0 (a@b) ...", P(BANNER)},
		{"Linux version 6[300]: segfault at 0 ip 0 sp 0 error 4 in a (b@c)[0+1]", P(OTHER)},
		{"Linux version 6 (300): VmData 1 exceed data ulimit 2.", P(OTHER)},
		{"Command line: root=/dev/vda", P(COMMAND_LINE)},
		{"Kernel command line: root=/dev/vda elfcorehdr=0x1", P(COMMAND_LINE)},
		{"Command line: x[300]: segfault at 0 ip 0 sp 0 error 4 in elfcorehdr=1[0+1]",
		 P(OTHER)},
		{"Command line: [300]: segfault at 0 ip 0 sp 0 error 4 in elfcorehdr=1[0+1]",
		 P(OTHER)},
		{"Command line: a[1]=b elfcorehdr=0x1", P(COMMAND_LINE)},
		{"PM: suspend entry (deep)", P(SUSPEND)},
		{"PM: suspend exit", P(RESUME)},
		{"PM: hibernation: hibernation entry", P(SUSPEND)},
		{"PM: hibernation entry", P(SUSPEND)},
		{"PM: hibernation: hibernation exit", P(RESUME)},
		{"PM: Image not found (code -22)", P(OTHER)},
		{"Freezing user space processes ... ", P(SUSPEND)},
		{"Freezing user space processes failed after 20.005 seconds (1 tasks refusing to "
		 "freeze, wq_busy=0):",
		 P(NO_SLEEP)},
		{"Freezing of tasks aborted after 0.005 seconds (1 tasks refusing to freeze, "
		 "wq_busy=0):",
		 P(NO_SLEEP)},
		{"Freezing remaining freezable tasks", P(OTHER)},
		{"PM: Some devices failed to suspend, or early wake event detected", P(NO_SLEEP)},
		{"PM: hibernation: Some devices failed to power down, aborting", P(NO_SLEEP)},
		{"Non-boot CPUs are not disabled", P(NO_SLEEP)},
		{"Enabling non-boot CPUs ...", P(SLEPT)},
		{"ACPI: PM: Low-level resume complete", P(SLEPT)},
		{"ACPI: Low-level resume complete", P(SLEPT)},
		{"ACPI: PM: Preparing to enter system sleep state S3", P(OTHER)},
		{"Restarting tasks ... done.", P(RESUME)},
		{"Starting crashdump kernel...", P(KDUMP)},
		{"Bye!", P(KDUMP)},
		{"Bye! Bye!", P(OTHER)},

		{"", P(OTHER)},
		{" ", P(OTHER)},
		{"rcu: ", P(OTHER)},
		{"sysrq: ", P(OTHER)},
		{"CPU", P(OTHER)},
		{"usb 1-1: new device", P(OTHER)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_kind(X86_64, cases[i].line, cases[i].kind);
		check_kind(ARM64, cases[i].line, cases[i].kind);
		check_kind(NMIBT_ARCH_UNKNOWN, cases[i].line, cases[i].kind);
	}
}

/* A form of one architecture must not be recognised for the other. */
static void check_arch(enum nmibt_arch arch, const char *line, enum nmibt_print kind)
{
	check_kind(arch, line, kind);
	check_kind(NMIBT_ARCH_UNKNOWN, line, kind);
	check_kind(arch == X86_64 ? ARM64 : X86_64, line, P(OTHER));
}

static void kinds_of_x86_64(void **state)
{
	(void)state;
	check_arch(X86_64, "RIP: 0010:f+0x1/0x2", P(PC));
	check_arch(X86_64, "CPU 3 ", P(CPU));
	check_arch(X86_64, "CPU 3 is x", P(OTHER));
	check_arch(X86_64, "Pid: 802, comm: sh Tainted: P           O 3.6.1 #1 x", P(REGISTER));
	check_arch(X86_64, "smpboot: CPU 3 is now offline", P(CPU_OFFLINE));
	check_arch(X86_64, "smpboot: CPU 8192 is now offline", P(OTHER));
	check_arch(X86_64, "smpboot: CPU 3 is now offline, x", P(OTHER));
	check_arch(X86_64, "smpboot: CPU 3 didn't die...", P(OTHER));
	check_arch(X86_64, "smpboot: Booting Node 0 Processor 3 APIC 0x3", P(CPU_ONLINE));
	check_arch(X86_64, "RSP: 0018:ffffc900001a7ee0 EFLAGS: 00000046", P(REGISTER));
	check_arch(X86_64, "RAX: 0000000000000000 RBX: 0000000000000000", P(REGISTER));
	check_arch(X86_64, "FS:  0000000000000000(0000) GS:ffff88003fc00000(0000)", P(REGISTER));
	check_arch(X86_64, "CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033", P(REGISTER));
	check_arch(X86_64, "PKRU: 55555554", P(REGISTER));
	/* Up to 4.9, and 4.10 to 4.17. */
	check_arch(X86_64, "Stack:", P(REGISTER));
	check_arch(X86_64, " ffff88003fc03e40 0000000000000082 ffffffff81e03fd8", P(REGISTER));
	check_arch(X86_64, " ffff88003fc03e40 <EOI>  ffffffff81e03fd8", P(REGISTER));
	check_arch(X86_64, "RIP  [<ffffffff814a6f06>] f+0x16/0x20", P(REGISTER));
	check_arch(X86_64, "RIP: f+0x16/0x20 RSP: ffffc90000000e50", P(REGISTER));
	check_arch(X86_64, "PANIC: double fault, error_code: 0x0", P(OOPS_CAUSE));
	check_arch(X86_64, "PGD 0 P4D 0 ", P(REGISTER));
	check_kind(X86_64, "RIP: what", P(OTHER));
	check_kind(X86_64, " ffff88003fc03e4g", P(OTHER));
	check_kind(X86_64, " fff", P(OTHER));
}

static void kinds_of_arm64(void **state)
{
	(void)state;
	check_arch(ARM64, "pc : f+0x1/0x2", P(PC));
	check_arch(ARM64, "psci: CPU3 killed (polled 0 ms)", P(CPU_OFFLINE));
	check_arch(ARM64, "psci: CPU3 killed.", P(CPU_OFFLINE));
	check_arch(ARM64, "psci: CPU3 may not have shut down cleanly", P(OTHER));
	check_arch(ARM64, "CPU3: shutdown", P(CPU_OFFLINE));
	check_arch(ARM64, "CPU3: may not have shut down cleanly", P(OTHER));
	check_arch(ARM64, "CPU3: Booted secondary processor 0x0000000003 [0x410fd083]",
		   P(CPU_ONLINE));
	check_arch(ARM64, "CPU8192: shutdown", P(OTHER));
	check_arch(ARM64, "CPU3: shutdown[301]: unhandled exception: DABT", P(OTHER));
	check_arch(ARM64, "psci: CPU3 killed (polled 0 ms", P(OTHER));
	check_arch(ARM64, "psci: CPU3 killed.[301]", P(OTHER));
	check_arch(ARM64, "pstate: 600000c5 (nZCv daIF -PAN -UAO)", P(REGISTER));
	check_arch(ARM64, "lr : f+0x1/0x2", P(REGISTER));
	check_arch(ARM64, "sp : ffff800082d3bd90", P(REGISTER));
	check_arch(ARM64, "pmr_save: 000000e0", P(REGISTER));
	check_arch(ARM64, "x29: ffff800082d3bd90 x28: 0000000000000000 ", P(REGISTER));
	check_arch(ARM64, "x2 : 0000000000000003 x1 : ffff0000013dbe00", P(REGISTER));
	check_arch(ARM64, "x86/fpu: x87 FPU will use FXSAVE", P(OTHER));
	check_arch(ARM64, "x: y", P(OTHER));
	/* 4.8 */
	check_arch(ARM64, "PC is at f+0x1/0x2", P(PC));
	check_arch(ARM64, "LR is at f+0x1/0x2", P(REGISTER));
	check_arch(ARM64, "pc : [<ffff000008080a8c>] lr : [<ffff000008080a88>] pstate: 60000145",
		   P(REGISTER));
	check_arch(ARM64, "Exception stack(0xffff800000c3fd60 to 0xffff800000c3fe90)", P(REGISTER));
	check_arch(ARM64, "fd60: ffff800000c3fd80 0000000000000000", P(REGISTER));
	check_arch(ARM64, "Process sh (pid: 127, stack limit = 0xffff800000c3c020)", P(REGISTER));
	check_arch(ARM64, "Process 127 started", P(OTHER));
	check_arch(ARM64, "SError Interrupt on CPU3, code 0xbf000002 -- SError", P(OOPS_CAUSE));
	check_arch(ARM64, "Bad mode in Error handler detected on CPU3, code 0xbf000002 -- SError",
		   P(OOPS_CAUSE));
	check_arch(ARM64, "[ffff800012345678] pgd=0000000000000000", P(REGISTER));
}

/* -------------------------------------------------------------- contents of lines */

static void requests(void **state)
{
	const char *line = "Sending NMI from CPU 2 to CPUs 0-1,3:";
	struct nmibt_printed p = recognise(X86_64, line);

	(void)state;
	assert_true(p.has_cpu && p.cpu == 2 && !p.all_cpus);
	check_str(p.cpus, "0-1,3", line);
	p = recognise(X86_64, "sending NMI to all CPUs:");
	assert_true(p.all_cpus && !p.has_cpu);
	line = "SMP: failed to stop secondary CPUs 0,199";
	check_str(recognise(ARM64, line).cpus, "0,199", line);
	line = "mce: CPUs not responding to MCE broadcast (may include false positives): 1-2";
	check_str(recognise(X86_64, line).cpus, "1-2", line);
	line = "watchdog: CPU 3 detected hard LOCKUP on other CPUs 1-2";
	p = recognise(X86_64, line);
	assert_false(p.has_cpu);
	check_str(p.cpus, "1-2", line);
	p = recognise(X86_64, "CPU 5 didn't respond to backtrace IPI, inspecting paca.");
	assert_true(p.has_cpu && p.cpu == 5);
	p = recognise(X86_64, "sysrq: CPU3:");
	assert_true(p.has_cpu && p.cpu == 3);
	p = recognise(X86_64, "watchdog: CPU2: Watchdog detected hard LOCKUP on cpu 3");
	assert_true(p.has_cpu && p.cpu == 3);
}

static void skipped(void **state)
{
	struct nmibt_printed p = recognise(
		X86_64, "NMI backtrace for cpu 3 skipped: idling at native_safe_halt+0xb/0x10");

	(void)state;
	assert_true(p.has_cpu && p.cpu == 3 && p.has_frame && p.frame.is_pc && p.frame.reliable);
	check_str(p.frame.function, "native_safe_halt", "skipped");
	assert_int_equal(p.frame.offset, 0xb);
	p = recognise(X86_64, "NMI backtrace for cpu 3 skipped: idling at pc 0xffffffff81054b66");
	assert_true(p.has_frame && !p.frame.function.len);
	assert_int_equal(p.frame.addr, 0xffffffff81054b66);
	p = recognise(X86_64, "NMI backtrace for cpu 3 skipped: idling at nat");
	assert_true(p.kind == P(SKIPPED) && !p.has_frame);
}

static void troubles(void **state)
{
	static const struct {
		const char *line, *comm;
		int cpu, pid; /* -1: none */
		uint64_t seconds;
		const char *message;
	} cases[] = {
		{"watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]", "spin", 3, 118, 22,
		 "BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]"},
		{"BUG: soft lockup - CPU#3 stuck for 22s! [kworker/0:1:118]", "kworker/0:1", 3, 118,
		 22, "BUG: soft lockup - CPU#3 stuck for 22s! [kworker/0:1:118]"},
		{"BUG: soft lockup - CPU#3 stuck for 22s! [spin:x]", "", 3, -1, 22,
		 "BUG: soft lockup - CPU#3 stuck for 22s! [spin:x]"},
		{"BUG: soft lockup - CPU#3", "", 3, -1, 0, "BUG: soft lockup - CPU#3"},
		{"watchdog: Watchdog detected hard LOCKUP on cpu 3", "", 3, -1, 0,
		 "Watchdog detected hard LOCKUP on cpu 3"},
		{"INFO: task kworker/0:1:118 blocked for more than 122 seconds.", "kworker/0:1", -1,
		 118, 122, "INFO: task kworker/0:1:118 blocked for more than 122 seconds."},
		{"INFO: task a blocked b:118 blocked for more than 122 seconds.", "a blocked b", -1,
		 118, 122, "INFO: task a blocked b:118 blocked for more than 122 seconds."},
		{"smp: csd: Detected non-responsive CSD lock (#1) on CPU#2, waiting 5000000044 ns "
		 "for "
		 "CPU#03 f+0x0/0x1(g).",
		 "", 3, -1, 5,
		 "csd: Detected non-responsive CSD lock (#1) on CPU#2, waiting 5000000044 ns for "
		 "CPU#03 f+0x0/0x1(g)."},
		{"WARNING: CPU: 3 PID: 118 at a.c:1 f+0x1/0x2", "", 3, 118, 0,
		 "WARNING: CPU: 3 PID: 118 at a.c:1 f+0x1/0x2"},
		{"WARNING: a.c:1 at f+0x1/0x2, CPU#3: kworker/0:1/118", "kworker/0:1", 3, 118, 0,
		 "WARNING: a.c:1 at f+0x1/0x2, CPU#3: kworker/0:1/118"},
		{"INFO: rcu_sched self-detected stall on CPU { 3}  (t=1 jiffies)", "", 3, -1, 0,
		 "INFO: rcu_sched self-detected stall on CPU { 3}  (t=1 jiffies)"},
		{"rcu: INFO: rcu_preempt self-detected stall on CPU", "", -1, -1, 0,
		 "INFO: rcu_preempt self-detected stall on CPU"},
		{"rcu: \t3-....: (2 ticks this GP) idle=1", "", 3, -1, 0, ""},
		{"rcu: \t(detected by 2, t=21002 jiffies, g=1)", "", 2, -1, 0, ""},
		{"Kernel panic - not syncing: Fatal exception", "", -1, -1, 0, "Fatal exception"},
		{"sysrq: SysRq : Trigger a crash", "", -1, -1, 0, "Trigger a crash"},
		{"SError Interrupt on CPU3, code 0xbf000002 -- SError", "", 3, -1, 0,
		 "SError Interrupt on CPU3, code 0xbf000002 -- SError"},
		{"task:spin            state:D stack:0     pid:118   tgid:118", "spin", -1, 118, 0,
		 ""},
		{"task:a b             state:D stack:0 pid:  118 ppid:     2", "a b", -1, 118, 0,
		 ""},
		{"jbd2/sda1-8     D    0   512      2 0x80000000", "jbd2/sda1-8", -1, 512, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nmibt_printed p = recognise(NMIBT_ARCH_UNKNOWN, cases[i].line);

		check_str(p.comm, cases[i].comm, cases[i].line);
		check_str(p.message, cases[i].message, cases[i].line);
		assert_int_equal(p.has_cpu, cases[i].cpu >= 0);
		assert_int_equal(p.cpu, p.has_cpu ? cases[i].cpu : 0);
		assert_int_equal(p.has_task, cases[i].pid >= 0);
		assert_int_equal(p.pid, p.has_task ? cases[i].pid : 0);
		assert_int_equal(p.has_seconds, cases[i].seconds > 0);
		assert_int_equal(p.seconds, cases[i].seconds);
	}
}

/* ------------------------------------------------------------------ where it was */

struct place {
	const char *line, *function, *module;
	uint64_t addr, offset, size;
	bool unreliable;
};

static void check_place(enum nmibt_arch arch, enum nmibt_print kind, const struct place *place)
{
	struct nmibt_printed p = recognise(arch, place->line);

	if (p.kind != kind || !p.has_frame)
		fail_msg("kind %d, frame %d: %s", p.kind, p.has_frame, place->line);
	check_str(p.frame.function, place->function, place->line);
	check_str(p.frame.module, place->module, place->line);
	assert_int_equal(p.frame.addr, place->addr);
	assert_int_equal(p.frame.offset, place->offset);
	assert_int_equal(p.frame.size, place->size);
	assert_int_equal(p.frame.reliable, !place->unreliable);
	/* Callers may pass them to strndup() and "%.*s". */
	assert_non_null(p.frame.function.s);
	assert_non_null(p.frame.module.s);
}

static void frames(void **state)
{
	static const struct place cases[] = {
		/* x86, 4.10 to 7.2 */
		{" f+0x1/0x20", "f", "", 0, 1, 0x20, false},
		{" ? f+0x1/0x20", "f", "", 0, 1, 0x20, true},
		{" f+0x1/0x20 [m]", "f", "m", 0, 1, 0x20, false},
		{" f+0x1/0x20 [m 1234567890abcdef1234567890abcdef12345678]", "f", "m", 0, 1, 0x20,
		 false},
		{" 0xffffffffc0000000", "", "", 0xffffffffc0000000, 0, 0, false},
		{" ? 0xffffffffc0000000", "", "", 0xffffffffc0000000, 0, 0, true},
		{" 0xffffffffc0000000 [m]", "", "m", 0xffffffffc0000000, 0, 0, false},
		/* x86, 3.10 to 4.9 */
		{" [<ffffffff81f02f74>] name+0x94/0x1e0", "name", "", 0xffffffff81f02f74, 0x94,
		 0x1e0, false},
		{" [<ffffffff81f02f74>] ? name+0x94/0x1e0 [m]", "name", "m", 0xffffffff81f02f74,
		 0x94, 0x1e0, true},
		{" [<ffffffffc0000000>] 0xffffffffc0000000", "", "", 0xffffffffc0000000, 0, 0,
		 false},
		{" [<ffffffffc0000000>] ? 0xffffffffbfffffff", "", "", 0xffffffffbfffffff, 0, 0,
		 true},
		/* arm64, up to 4.14, and other architectures */
		{"[<ffff000008088ab8>] f+0x1/0x20", "f", "", 0xffff000008088ab8, 1, 0x20, false},
		{"[<ffff000008088ab8>] 0xffff000008088ab8", "", "", 0xffff000008088ab8, 0, 0,
		 false},
		/* arm64, 6.13 */
		{" f+0x1/0x20 (F)", "f", "", 0, 1, 0x20, false},
		{" f+0x1/0x20 [m] (F)", "f", "m", 0, 1, 0x20, false},
		{" f+0x1/0x20 (L)", "f", "", 0, 1, 0x20, true},
		{" f+0x1/0x20 [m] (LK)", "f", "m", 0, 1, 0x20, true},

		{" foo.isra.0.cold+0x1/0x10", "foo.isra.0.cold", "", 0, 1, 0x10, false},
		{" foo.llvm.1234567890+0x1/0x10 [a-b]", "foo.llvm.1234567890", "a-b", 0, 1, 0x10,
		 false},
		{" _RNvCs_4rust3fmt$u20$x+0x1/0x10", "_RNvCs_4rust3fmt$u20$x", "", 0, 1, 0x10,
		 false},
		{" .Lfoo+0x1/0x10", ".Lfoo", "", 0, 1, 0x10, false},
		{" a@b:c#d+0x1/0x10", "a@b:c#d", "", 0, 1, 0x10, false},
		{" bpf_prog_6deef7357e7b4530_x+0x1/0x10 [bpf]", "bpf_prog_6deef7357e7b4530_x",
		 "bpf", 0, 1, 0x10, false},
		{" f+0x1/0x10 ", "f", "", 0, 1, 0x10, false},
		{" f+0x0/0xffffffffffffffff", "f", "", 0, 0, UINT64_MAX, false},
		/* A torn name of a module is read as far as it goes. */
		{" f+0x1/0x10 [mod", "f", "mod", 0, 1, 0x10, false},
		{" f+0x1/0x10 [", "f", "", 0, 1, 0x10, false},
		{" f+0x1/0x10 []", "f", "", 0, 1, 0x10, false},
		{" f+0x1/0x10 (torn", "f", "", 0, 1, 0x10, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_place(X86_64, P(FRAME), &cases[i]);
		check_place(ARM64, P(FRAME), &cases[i]);
	}
	/* The pc of registers on the stack. */
	assert_true(recognise(ARM64, " f+0x1/0x20 (P)").frame.is_pc);
	assert_true(recognise(ARM64, " f+0x1/0x20 [m] (PF)").frame.is_pc);
	assert_false(recognise(ARM64, " f+0x1/0x20 (F)").frame.is_pc);
	assert_false(recognise(ARM64, " f+0x1/0x20 (Pp)").frame.is_pc);
}

static void no_frames(void **state)
{
	static const char *const lines[] = {
		" ? ",
		"f+0x1/0x10",
		" +0x1/0x10",
		" f",
		" f+",
		" f+0x",
		" f+0x/0x10",
		" f+0x1",
		" f+0x1/",
		" f+0x1/0x",
		" f+1/0x10",
		" f+0x1-0x10",
		" f+0x1/0x10z",
		" f+0xG/0x10",
		" f+0x11112222333344445/0x10",
		" f g+0x1/0x10",
		" (f+0x1/0x10)", /* of a broken line of arm */
		" (f+0x1/0x10 [m])",
		" f\033[31m+0x1/0x10",
		" f\377+0x1/0x10",
		" 0x",
		" 0x1z",
		" 0xffffffffc00000001",
		"0xffffffffc0000000",
		" [<ffffffff81f02f74>]",
		" [<ffffffff81f02f74> f+0x1/0x2",
		" [<>] f+0x1/0x2",
		" [<x>] f+0x1/0x2",
		" [<ffffffff81f02f741>] f+0x1/0x2",
		"[<ffffffff81f02f74>] ",
		" [<",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_false(recognise(X86_64, lines[i]).has_frame);
		check_kind(X86_64, lines[i], P(OTHER));
		check_kind(ARM64, lines[i], P(OTHER));
	}
	/* A NUL in a name. */
	assert_int_equal(recognise_len(ARM64, " f\0g+0x1/0x10", 12).kind, P(OTHER));
}

static void program_counters(void **state)
{
	static const struct place x86[] = {
		{"RIP: 0010:f+0x1/0x20", "f", "", 0, 1, 0x20, false},
		{"RIP: 0010:f+0x1/0x20 [m]", "f", "m", 0, 1, 0x20, false},
		{"RIP: e030:f+0x1/0x20", "f", "", 0, 1, 0x20, false},
		{"RIP: 0010:0xffffffffc0000000", "", "", 0xffffffffc0000000, 0, 0, false},
		/* A call through a NULL pointer. */
		{"RIP: 0010:0x0", "", "", 0, 0, 0, false},
		{"RIP: 0010:          (null)", "", "", 0, 0, 0, false},
		/* 3.10 to 4.9 */
		{"RIP: 0010:[<ffffffff8105d416>]  [<ffffffff8105d416>] f+0x6/0x10", "f", "",
		 0xffffffff8105d416, 6, 0x10, false},
		{"RIP: e030:[<ffffffff8105d416>]  [<ffffffff8105d416>] f+0x6/0x10 [m]", "f", "m",
		 0xffffffff8105d416, 6, 0x10, false},
		{"RIP: 0010:[<ffffffffc0000000>]  [<ffffffffc0000000>] 0xffffffffbfffffff", "", "",
		 0xffffffffbfffffff, 0, 0, false},
		{"RIP: 0010:[<ffffffffc0000000>]  [<ffffff", "", "", 0xffffffffc0000000, 0, 0,
		 false},
		{"RIP: 0010:[<0000000000000000>]  [<          (null)>]           (null)", "", "", 0,
		 0, 0, false},
	};
	static const struct place arm64[] = {
		{"pc : f+0x1/0x20", "f", "", 0, 1, 0x20, false},
		{"pc : f+0x1/0x20 [m]", "f", "m", 0, 1, 0x20, false},
		{"pc : 0x0", "", "", 0, 0, 0, false},
		{"pc : 0xffff800000000000", "", "", 0xffff800000000000, 0, 0, false},
		{"PC is at f+0x1/0x20", "f", "", 0, 1, 0x20, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(x86); i++) {
		check_place(X86_64, P(PC), &x86[i]);
		assert_true(recognise(X86_64, x86[i].line).frame.is_pc);
		assert_false(recognise(X86_64, x86[i].line).is_user);
	}
	for (size_t i = 0; i < ARRAY_SIZE(arm64); i++) {
		check_place(ARM64, P(PC), &arm64[i]);
		assert_true(recognise(ARM64, arm64[i].line).frame.is_pc);
		assert_false(recognise(ARM64, arm64[i].line).is_user);
	}
}

static void user_mode(void **state)
{
	static const char *const x86[] = {"RIP: 0033:0x401030", "RIP: 0023:0xf7f0a549",
					  "RIP: e033:0x401030",
					  "RIP: 0033:[<00007fff>]  [<00007fff>] 0x7ffe"};
	struct nmibt_printed p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(x86); i++) {
		p = recognise(X86_64, x86[i]);
		assert_true(p.kind == P(PC) && p.is_user && !p.has_frame);
	}
	/* A kernel thread has no registers of user mode. */
	p = recognise(X86_64, "RIP: 0000:0x0");
	assert_true(p.kind == P(PC) && !p.is_user && !p.has_frame);
	p = recognise(ARM64, "pc : 0000000000437f2c");
	assert_true(p.kind == P(PC) && p.is_user && !p.has_frame);
	p = recognise(ARM64, "pc : torn");
	assert_true(p.kind == P(PC) && !p.is_user && !p.has_frame);
	assert_true(recognise(ARM64, "pstate: 60000000 (nZCv)").is_user);
	assert_true(recognise(ARM64, "pstate: 20000010 (nzCv)").is_user); /* 32-bit user mode */
	assert_false(recognise(ARM64, "pstate: 60000005 (nZCv)").is_user);
	assert_false(recognise(ARM64, "pstate: 60000009 (nZCv)").is_user);
	p = recognise(ARM64,
		      "pc : [<0000000000437f2c>] lr : [<0000000000437f2c>] pstate: 60000000");
	assert_true(p.is_user && p.has_irqs_off && !p.irqs_off);
	p = recognise(ARM64,
		      "pc : [<ffff000008080a8c>] lr : [<ffff000008080a88>] pstate: 600001c5");
	assert_true(!p.is_user && p.has_irqs_off && p.irqs_off);
}

static void check_registers(enum nmibt_arch arch, const char *line, uint64_t sp, int irqs_off)
{
	struct nmibt_printed p = recognise(arch, line);

	assert_int_equal(p.kind, P(REGISTER));
	assert_int_equal(p.has_sp, sp != 0);
	assert_int_equal(p.sp, sp);
	assert_int_equal(p.has_irqs_off, irqs_off >= 0);
	assert_int_equal(p.irqs_off, irqs_off > 0);
}

static void registers(void **state)
{
	(void)state;
	check_registers(X86_64, "RSP: 0018:1234 EFLAGS: 00000246", 0x1234, 0);
	check_registers(X86_64, "RSP: 0018:1234 EFLAGS: 00000046", 0x1234, 1);
	check_registers(X86_64, "RSP: 0018:1234 EFLAGS: 00000002", 0x1234, 1);
	check_registers(X86_64, "RSP: 0018:1234 EFLAGS: 00010fff ORIG_RAX: 0", 0x1234, 0);
	/* 4.4 */
	check_registers(X86_64, "RSP: 0018:ffff88003d9f7e80  EFLAGS: 00000046", 0xffff88003d9f7e80,
			1);
	check_registers(X86_64, "RSP: 0018:1234 EFLAGS: ", 0x1234, -1);
	check_registers(X86_64, "RSP: 0018:1234", 0x1234, -1);
	check_registers(X86_64, "RSP: 0018:", 0, -1);
	check_registers(X86_64, "RSP: 0018", 0, -1);
	check_registers(X86_64, "RSP: ", 0, -1);
	check_registers(X86_64, "RSP: 0018:x EFLAGS: 00000046", 0, 1);
	check_registers(ARM64, "pstate: 600000c5 (nZCv)", 0, 1);
	check_registers(ARM64, "pstate: 60000045 (nZCv)", 0, -1); /* only FIQs are masked */
	check_registers(ARM64, "pstate: 60400085 (nZCv)", 0, 1);
	check_registers(ARM64, "pstate: x", 0, -1);
	check_registers(ARM64, "pstate: ", 0, -1);
	check_registers(ARM64, "sp : ", 0, -1);
	check_registers(ARM64, "sp : ffff0000013dbe001", 0xffff0000013dbe00, -1);
}

static void marks(void **state)
{
	static const struct {
		const char *line;
		enum nmibt_stack_kind mark;
		bool is_end;
	} cases[] = {
		{" <IRQ>", NMIBT_STACK_IRQ, false},
		{" </IRQ>", NMIBT_STACK_IRQ, true},
		{" <TASK>", NMIBT_STACK_TASK, false},
		{" </TASK>", NMIBT_STACK_TASK, true},
		{" <NMI>", NMIBT_STACK_NMI, false},
		{" <SOFTIRQ>", NMIBT_STACK_SOFTIRQ, false},
		{" <ENTRY>", NMIBT_STACK_ENTRY, false},
		{" <ENTRY_TRAMPOLINE>", NMIBT_STACK_ENTRY, false},
		{" <#DF>", NMIBT_STACK_EXCEPTION, false},
		{" </#DF>", NMIBT_STACK_EXCEPTION, true},
		{" <#DB[1]>", NMIBT_STACK_EXCEPTION, false},
		/* 3.10 to 4.9 */
		{" <IRQ> ", NMIBT_STACK_IRQ, false},
		{" <EOI> ", NMIBT_STACK_IRQ, true},
		{" <<EOE>> ", NMIBT_STACK_EXCEPTION, true},
		{" <<EOE>>  <IRQ> ", NMIBT_STACK_IRQ, false},
		{" <UNK> ", NMIBT_STACK_TASK, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nmibt_printed p = recognise(X86_64, cases[i].line);

		if (p.kind != P(STACK_MARK) || !p.has_mark || p.mark != cases[i].mark ||
		    p.is_mark_end != cases[i].is_end)
			fail_msg("%s", cases[i].line);
	}
	struct nmibt_printed p = recognise(X86_64, " <IRQ>  [<ffffffff8105d416>] ? f+0x6/0x10 [m]");
	assert_true(p.kind == P(FRAME) && p.has_mark && p.mark == NMIBT_STACK_IRQ);
	check_str(p.frame.function, "f", "behind a mark");
	assert_false(p.frame.reliable);
	p = recognise(X86_64, " <<EOE>>  <IRQ>  [<ffffffff8105d416>] f+0x6/0x10");
	assert_true(p.kind == P(FRAME) && p.mark == NMIBT_STACK_IRQ && !p.is_mark_end);
	p = recognise(X86_64, "Call Trace: <IRQ>");
	assert_true(p.kind == P(TRACE) && p.has_mark && p.mark == NMIBT_STACK_IRQ);
	check_kind(X86_64, " <>", P(OTHER));
	check_kind(X86_64, " <IRQ", P(OTHER));
	check_kind(X86_64, " <<IRQ>", P(OTHER));
	check_kind(X86_64, " <I\033Q>", P(OTHER));
	check_kind(X86_64, " <IRQ>x", P(OTHER));
	check_kind(X86_64, "<IRQ>", P(OTHER));
}

/* -------------------------------------------------------------- lists of CPUs */

static void check_list(const char *list, const char *want)
{
	struct nmibt_str rest = nmibt_str_of(list);
	unsigned int first, last;
	char got[256] = "";

	while (nmibt_next_cpus(&rest, &first, &last))
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u-%u ", first, last);
	assert_string_equal(got, want);
}

static void lists(void **state)
{
	(void)state;
	check_list("0-1,3", "0-1 3-3 ");
	check_list("3", "3-3 ");
	check_list("", "");
	/* Lists of kernel/rcu have flags, and tasks among the CPUs. */
	check_list(" 3-... 4-O..D 5-..N. P118 6-....", "3-3 4-4 5-5 6-6 ");
	check_list(" 1 3", "1-1 3-3 ");
	check_list(" P118 P7", "");
	check_list("8191", "8191-8191 ");
	check_list("8192", "");
	check_list("1,8192,2", "1-1 ");
	check_list("5-99999", "5-8191 ");
	check_list("5-99999999999999999999999", "5-5 ");
	check_list("7-2", "");
	check_list("x", "");
	check_list("-1", "");
	check_list(",,,1", "1-1 ");
}

static void check_tasks(const char *list, const char *wanted)
{
	struct nmibt_str rest = nmibt_str_of(list);
	char got[128] = "";
	int32_t pid;

	while (nmibt_next_task(&rest, &pid))
		sprintf(got + strlen(got), "%d ", pid);
	assert_string_equal(got, wanted);
}

/* Of RCU's stalls; a task may have its state behind it. */
static void lists_of_tasks(void **state)
{
	(void)state;
	check_tasks(" P118", "118 ");
	check_tasks(" P118/1:b..l P120/2:.q.l P7", "118 120 7 ");
	check_tasks(" 3-... P118 6-....P9 ", "118 ");
	check_tasks("P2147483647 P2147483648 P99999999999999999999 P1", "2147483647 1 ");
	check_tasks("P118,P120/1:b..l, P7", "118 120 7 ");
	check_tasks("P P/ P-1 Px P1x PP1 p1 1", "");
	check_tasks("", "");
}

/* kernel/rcu/tree_stall.h, tree_exp.h, tasks.h, 6.12; kernel/rcu/tree.c, 4.14 */
static void grace_periods(void **state)
{
	static const struct {
		const char *line;
		enum nmibt_flavour flavour;
		bool is_expedited, has_number;
		int64_t number;
	} cases[] = {
		{"rcu: \t(detected by 2, t=21002 jiffies, g=615, q=10 ncpus=4)", 0, false, true,
		 615},
		{"rcu: \t(t=21000 jiffies g=-1195 q=10 ncpus=4)", 0, false, true, -1195},
		{"rcu: \t(t=21000 jiffies g=61", 0, false, false, 0},
		{"rcu: \t(t=21000 jiffies g=99999999999999999999 q=1)", 0, false, false, 0},
		{"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", NMIBT_FLAVOUR_PREEMPT,
		 false, false, 0},
		{"INFO: rcu_sched self-detected stall on CPU { 3}  (t=60000 jiffies g=1 c=2 q=3)",
		 NMIBT_FLAVOUR_SCHED, false, true, 1},
		{"rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 3-...D } 25 "
		 "jiffies s: 97 root: 0x8/.",
		 NMIBT_FLAVOUR_PREEMPT, true, true, 97},
		{"INFO: rcu_tasks detected stalls on tasks:", NMIBT_FLAVOUR_TASKS, false, false, 0},
		{"INFO: rcu_tasks_trace detected stalls on tasks:", NMIBT_FLAVOUR_TASKS_TRACE,
		 false, false, 0},
		{"INFO: rcu_other detected stalls on CPUs/tasks:", NMIBT_FLAVOUR_UNKNOWN, false,
		 false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nmibt_printed p = recognise(NMIBT_ARCH_UNKNOWN, cases[i].line);

		if (p.flavour != cases[i].flavour || p.is_expedited != cases[i].is_expedited ||
		    p.has_grace_period != cases[i].has_number || p.grace_period != cases[i].number)
			fail_msg("%d %d %d %lld: %s", p.flavour, p.is_expedited, p.has_grace_period,
				 (long long)p.grace_period, cases[i].line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(kinds_of_x86_64),
		cmocka_unit_test(kinds_of_arm64),
		cmocka_unit_test(requests),
		cmocka_unit_test(skipped),
		cmocka_unit_test(troubles),
		cmocka_unit_test(frames),
		cmocka_unit_test(no_frames),
		cmocka_unit_test(program_counters),
		cmocka_unit_test(user_mode),
		cmocka_unit_test(registers),
		cmocka_unit_test(marks),
		cmocka_unit_test(lists),
		cmocka_unit_test(lists_of_tasks),
		cmocka_unit_test(grace_periods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
