// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU cpu2=N takes no interrupt of the kind that the capture uses until
 * late_ms=N after CPU cpu=N panicked: longer than the capture waits, shorter
 * than the stop for kdump does, or longer than both. On arm64 it masks interrupts
 * in PSTATE, which masks pseudo-NMIs, too; on x86 it sits in an NMI handler, which
 * keeps other NMIs out. With die_locked=1 the panic is that of a bad access, while
 * somebody holds the lock of kexec.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/panic.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#ifdef CONFIG_X86
#include <asm/apic.h>
#include <asm/nmi.h>
#endif

#include "nmibt_lookup.h"

static unsigned int cpu = 1;
module_param(cpu, uint, 0);

static unsigned int cpu2 = 2;
module_param(cpu2, uint, 0);

static unsigned int late_ms = 900;
module_param(late_ms, uint, 0);

/* Nobody panics: that is up to the user. */
static bool deaf_only;
module_param(deaf_only, bool, 0);

static bool die_locked;
module_param(die_locked, bool, 0);

static bool deaf;
static u64 panic_ns;

static noinline void nmibt_deaf_until_late(void)
{
	WRITE_ONCE(deaf, true);
	while (!READ_ONCE(panic_ns) ||
	       ktime_get_mono_fast_ns() - READ_ONCE(panic_ns) <
		       late_ms * (u64)NSEC_PER_MSEC)
		udelay(100);
}

#ifdef CONFIG_X86
static int nmibt_late_nmi(unsigned int type, struct pt_regs *regs)
{
	if (raw_smp_processor_id() != cpu2 || READ_ONCE(deaf))
		return NMI_DONE;
	nmibt_deaf_until_late();
	return NMI_HANDLED;
}

static void nmibt_be_deaf(void)
{
	if (!register_nmi_handler(NMI_LOCAL, nmibt_late_nmi, 0, "nmibt_late"))
		apic->send_IPI(cpu2, NMI_VECTOR);
}
#else
static void nmibt_be_deaf(void)
{
	asm volatile("msr daifset, #0xf" ::: "memory");
	nmibt_deaf_until_late();
	asm volatile("msr daifclr, #0xf" ::: "memory");
}
#endif

/* Does not leave: here the stop is to find it. */
static int nmibt_late_thread(void *unused)
{
	nmibt_be_deaf();
	for (;;)
		cpu_relax();
	return 0;
}

static int nmibt_late_panic(void *unused)
{
	WRITE_ONCE(panic_ns, ktime_get_mono_fast_ns());
	if (die_locked)
		WRITE_ONCE(*(int *)0x18, 0);
	panic("nmibt: CPU %u will be late", cpu2);
	return 0;
}

static int __init nmibt_late_init(void)
{
	struct task_struct *panics = kthread_create(nmibt_late_panic, NULL, "nmibt_panic");
	struct task_struct *late = kthread_create(nmibt_late_thread, NULL, "nmibt_late");

	if (IS_ERR(panics) || IS_ERR(late) || (die_locked && nmibt_lock_kexec()))
		return -ENOMEM;
	kthread_bind(panics, cpu);
	kthread_bind(late, cpu2);
	wake_up_process(late);
	while (!READ_ONCE(deaf))
		cond_resched(); /* no timer: it may be the other CPU's to run */
	if (!deaf_only)
		wake_up_process(panics);
	return 0;
}
module_init(nmibt_late_init);

MODULE_DESCRIPTION("nmibt testbed: a CPU that answers late");
MODULE_LICENSE("GPL");
