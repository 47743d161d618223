/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts that kernels print, from the consoles of Debian's 5.10.223 and 6.12.117 and of a 6.12.117
 * for arm64, with fewer registers. Arguments of the macros are literals: numbers, or quoted
 * strings.
 */
#ifndef KERNEL_TEXT_H
#define KERNEL_TEXT_H

#define TITLE(cpu) "NMI backtrace for cpu " #cpu "\n"
#define SKIPPED(cpu) "NMI backtrace for cpu " #cpu " skipped: idling at native_safe_halt+0xe/0x20\n"
#define SENDING(cpu, to) "Sending NMI from CPU " #cpu " to CPUs " to ":\n"
#define TOO_LONG                                                                                   \
	"INFO: NMI handler (nmi_cpu_backtrace_handler) took too long to run: 28.515 msecs\n"
#define CUT_HERE "------------[ cut here ]------------\n"
#define MODULES "Modules linked in: spin(OE) virtio_blk\n"

/* ---------------------------------------------------------------------- x86_64 */

#define HARDWARE "Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-debian-1.16.2-1\n"
#define INFO_5_10(cpu, pid, comm)                                                                  \
	"CPU: " #cpu " PID: " #pid " Comm: " comm                                                  \
	" Not tainted 5.10.0-32-cloud-amd64 #1 Debian 5.10.223-1\n" HARDWARE
#define INFO(cpu, pid, comm)                                                                       \
	"CPU: " #cpu " UID: 0 PID: " #pid " Comm: " comm                                           \
	" Not tainted 6.12.117+deb13-cloud-amd64 #1  Debian 6.12.117-1\n" HARDWARE

/* The text is split at RSP, so that a test can cut the line there. */
#define IDLE_HEAD(cpu)                                                                             \
	TITLE(cpu)                                                                                 \
	INFO(cpu, 0, "swapper/" #cpu)                                                              \
	"RIP: 0010:pv_native_safe_halt+0xf/0x20\n"                                                 \
	"Code: 09 e9 15 01 01 00 f3 0f 1e fa 66 90 0f 00 2d 75 e8 34 00 fb f4 <c3> cc cc cc cc\n"
#define IDLE_RSP "RSP: 0018:ff7b8b09400d3ed8 EFLAGS: 00000256"
#define IDLE_TAIL                                                                                  \
	"RAX: 0000000000000003 RBX: 0000000000000000 RCX: 0000000000000001\n"                      \
	"FS:  0000000000000000(0000) GS:ff41abc08f380000(0000) knlGS:0000000000000000\n"           \
	"CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033\n"                                      \
	"CR2: 000000000058c27c CR3: 000000000ca22000 CR4: 0000000000751ef0\n"                      \
	"PKRU: 55555554\n"                                                                         \
	"Call Trace:\n"                                                                            \
	" <TASK>\n"                                                                                \
	" default_idle+0x9/0x20\n"                                                                 \
	" do_idle+0x269/0x2a0\n"                                                                   \
	" cpu_startup_entry+0x29/0x30\n"                                                           \
	" common_startup_64+0x13e/0x141\n"                                                         \
	" </TASK>\n"
#define IDLE(cpu) IDLE_HEAD(cpu) IDLE_RSP "\n" IDLE_TAIL

#define SPIN_REGS                                                                                  \
	"RIP: 0010:delay_tsc+0x2e/0x50\n"                                                          \
	"RSP: 0018:ffffc900001a7ee0 EFLAGS: 00000046\n"                                            \
	"RAX: 00000000000186a0 RBX: ffff888004c1b000 RCX: 0000000000000018\n"
#define SPIN_TRACE                                                                                 \
	"Call Trace:\n"                                                                            \
	" <TASK>\n"                                                                                \
	" spin_fn+0x55/0x70 [spin]\n"                                                              \
	" kthread+0xd8/0x110\n"                                                                    \
	" ret_from_fork_asm+0x1a/0x30\n"                                                           \
	" </TASK>\n"
#define SPIN(cpu, pid) TITLE(cpu) INFO(cpu, pid, "spin") SPIN_REGS SPIN_TRACE

#define USER_REGS                                                                                  \
	"RIP: 0033:0x53a206\n"                                                                     \
	"Code: 24 10 41 ff c6 48 8d b4 24 88 00 00 00 c6 84 24 88 00 00 00 02 <8a> 84 24 88 00\n"  \
	"RSP: 002b:00007ffcc04f4430 EFLAGS: 00000202\n"                                            \
	"RAX: 0000000000000000 RBX: 00000000370b8980 RCX: 0000000000000000\n"                      \
	"R13: 0000000000000000 R14: 0000000000000001 R15: 00000000005e7f30\n"                      \
	"FS:  00000000370b7400 GS:  0000000000000000\n"
#define USER(cpu, pid) TITLE(cpu) INFO(cpu, pid, "sh") USER_REGS
#define USER_5_10(cpu, pid) TITLE(cpu) INFO_5_10(cpu, pid, "sh") USER_REGS

/* 5.10 prints no mark at the end of a trace. */
#define IDLE_5_10(cpu)                                                                             \
	TITLE(cpu)                                                                                 \
	INFO_5_10(cpu, 0, "swapper/" #cpu)                                                         \
	"RIP: 0010:native_safe_halt+0xe/0x20\n"                                                    \
	"RSP: 0018:ffffaecc80093ef0 EFLAGS: 00000246\n"                                            \
	"PKRU: 55555554\n"                                                                         \
	"Call Trace:\n"                                                                            \
	" <NMI>\n"                                                                                 \
	" ? nmi_cpu_backtrace.cold+0x1c/0x69\n"                                                    \
	" </NMI>\n"                                                                                \
	" default_idle+0xa/0x20\n"                                                                 \
	" secondary_startup_64_no_verify+0xb1/0xbb\n"

/* Registers of a task that asks, or dies, in dump_stack(). */
#define SYSCALL_REGS                                                                               \
	" entry_SYSCALL_64_after_hwframe+0x76/0x7e\n"                                              \
	"RIP: 0033:0x4ae3f7\n"                                                                     \
	"RSP: 002b:00007ffc270520d0 EFLAGS: 00000202 ORIG_RAX: 0000000000000001\n"                 \
	"R13: 0000000012a573e0 R14: 0000000000000000 R15: 00007ffc27052180\n"
#define ASKER(cpu, pid)                                                                            \
	TITLE(cpu)                                                                                 \
	INFO(cpu, pid, "init")                                                                     \
	"Call Trace:\n"                                                                            \
	" <TASK>\n"                                                                                \
	" dump_stack_lvl+0x5d/0x80\n"                                                              \
	" nmi_trigger_cpumask_backtrace+0xed/0x100\n"                                              \
	" write_sysrq_trigger+0x59/0x80\n" SYSCALL_REGS " </TASK>\n"
#define ASKER_5_10(cpu, pid)                                                                       \
	TITLE(cpu)                                                                                 \
	INFO_5_10(cpu, pid, "init")                                                                \
	"Call Trace:\n"                                                                            \
	" dump_stack+0x6b/0x83\n"                                                                  \
	" nmi_trigger_cpumask_backtrace+0xdf/0xf0\n" SYSCALL_REGS
#define PANIC_SAYS(why) "Kernel panic - not syncing: " why "\n"
#define PANIC(cpu, pid)                                                                            \
	PANIC_SAYS("sysrq triggered crash")                                                        \
	INFO(cpu, pid, "init")                                                                     \
	"Call Trace:\n"                                                                            \
	" <TASK>\n"                                                                                \
	" dump_stack_lvl+0x5d/0x80\n"                                                              \
	" panic+0x118/0x2db\n"                                                                     \
	" sysrq_handle_crash+0x1a/0x20\n" SYSCALL_REGS " </TASK>\n"
#define PANIC_ENDS(why)                                                                            \
	"Kernel Offset: 0x2fc00000 from 0xffffffff81000000 (relocation range: "                    \
	"0xffffffff80000000-0xffffffffbfffffff)\n"                                                 \
	"---[ end Kernel panic - not syncing: " why " ]---\n"

#define OOPS(cpu, pid)                                                                             \
	"BUG: kernel NULL pointer dereference, address: 0000000000000018\n"                        \
	"#PF: supervisor read access in kernel mode\n"                                             \
	"#PF: error_code(0x0000) - not-present page\n"                                             \
	"PGD 0 P4D 0 \n"                                                                           \
	"Oops: Oops: 0000 [#1] PREEMPT SMP PTI\n" INFO(                                            \
		cpu, pid,                                                                          \
		"sh") "RIP: 0010:lkdtm_do_action+0x1a/0x30\n"                                      \
		      "RSP: 0018:ffffc900001a7ee0 EFLAGS: 00010246\n"                              \
		      "CR2: 0000000000000018 CR3: 000000000ca22000 CR4: 0000000000751ef0\n"        \
		      "Call Trace:\n"                                                              \
		      " <TASK>\n"                                                                  \
		      " direct_entry+0x18e/0x1d0 [lkdtm]\n" SYSCALL_REGS " </TASK>\n" MODULES      \
		      "CR2: 0000000000000018\n"                                                    \
		      "---[ end trace 0000000000000000 ]---\n"
/* The kernel prints these lines again at the end of an oops. */
#define OOPS_SUMMARY                                                                               \
	"RIP: 0010:lkdtm_do_action+0x1a/0x30\n"                                                    \
	"RSP: 0018:ffffc900001a7ee0 EFLAGS: 00010246\n"                                            \
	"note: sh[127] exited with irqs disabled\n"

#define LOCKUP_BODY(cpu, pid) MODULES INFO(cpu, pid, "spin") SPIN_REGS SPIN_TRACE
#define SOFT_LOCKUP(cpu, pid)                                                                      \
	"watchdog: BUG: soft lockup - CPU#" #cpu " stuck for 22s! [spin:" #pid                     \
	"]\n" LOCKUP_BODY(cpu, pid)
#define WARNING_LINE(cpu, pid)                                                                     \
	"WARNING: CPU: " #cpu " PID: " #pid " at kernel/sched/core.c:1234 sched_fn+0x1a/0x30\n"
#define WARNING_BODY(cpu, pid)                                                                     \
	MODULES                                                                                    \
	INFO(cpu, pid, "sh")                                                                       \
	"RIP: 0010:sched_fn+0x1a/0x30\n"                                                           \
	"RSP: 0018:ffffc900001a7ee0 EFLAGS: 00010246\n"                                            \
	"Call Trace:\n"                                                                            \
	" <TASK>\n"                                                                                \
	" do_syscall_64+0x87/0x180\n"                                                              \
	" </TASK>\n"                                                                               \
	"---[ end trace 0000000000000000 ]---\n"

/* ----------------------------------------------------------------------- arm64 */

#define ARM64_INFO(cpu, pid, comm)                                                                 \
	"CPU: " #cpu " UID: 0 PID: " #pid " Comm: " comm                                           \
	" Kdump: loaded Tainted: G           O       6.12.117-arm64 #1 \n"                         \
	"Tainted: [O]=OOT_MODULE\n"                                                                \
	"Hardware name: linux,dummy-virt (DT)\n"
#define ARM64_SPIN(cpu, pid)                                                                       \
	TITLE(cpu)                                                                                 \
	ARM64_INFO(cpu, pid, "spin")                                                               \
	"pstate: 810000c5 (Nzcv daIF -PAN -UAO -TCO +DIT -SSBS BTYPE=--)\n"                        \
	"pc : __delay+0x2c/0xa0\n"                                                                 \
	"lr : __delay+0x2c/0xa0\n"                                                                 \
	"sp : ffff0000013dbe00\n"                                                                  \
	"pmr_save: 000000c0\n"                                                                     \
	"x29: ffff0000013dbe00 x28: 0000000000000000 x27: 0000000000000000\n"                      \
	"x2 : 0000000000000003 x1 : ffff0000013dbe00 x0 : 00000000085f63b9\n"                      \
	"Call trace:\n"                                                                            \
	" __delay+0x2c/0xa0 (P)\n"                                                                 \
	" __const_udelay+0x24/0x2c\n"                                                              \
	" spin_fn+0x30/0x34 [spin]\n"                                                              \
	" kthread+0xc4/0xd4\n"                                                                     \
	" ret_from_fork+0x10/0x20\n"
/* The kernel prints the last line in pieces. */
#define ARM64_USER_HEAD(cpu, pid)                                                                  \
	TITLE(cpu)                                                                                 \
	ARM64_INFO(cpu, pid, "sh")                                                                 \
	"pstate: 60000000 (nZCv daif -PAN -UAO -TCO -DIT -SSBS BTYPE=--)\n"                        \
	"pc : 0000000000437f2c\n"                                                                  \
	"lr : 0000000000405a30\n"                                                                  \
	"sp : 0000ffffd2c4a5f0\n"                                                                  \
	"x29: 0000ffffd2c4a5f0 x28: 0000000000000000 x27: 0000000000000000\n"
#define ARM64_USER_X2 "x2 : 0000000000000000"
#define ARM64_USER_X1 " x1 : 0000000000000001"
#define ARM64_USER_X0 " x0 : 0000000000000002"
#define ARM64_USER(cpu, pid)                                                                       \
	ARM64_USER_HEAD(cpu, pid) ARM64_USER_X2 ARM64_USER_X1 ARM64_USER_X0 "\n"
#define ARM64_PANIC(cpu, pid)                                                                      \
	PANIC_SAYS("sysrq triggered crash")                                                        \
	ARM64_INFO(cpu, pid, "init")                                                               \
	"Call trace:\n"                                                                            \
	" dump_stack+0x14/0x1c\n"                                                                  \
	" panic+0x154/0x3bc\n"                                                                     \
	" el0t_64_sync+0x160/0x164\n"

#endif /* KERNEL_TEXT_H */
