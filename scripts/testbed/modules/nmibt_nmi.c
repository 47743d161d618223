// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a chosen CPU in the next NMI that it takes: cpu=N, ms=N (0: for good).
 * It does there what one that waits for nmi_reason_lock does (default_do_nmi()
 * in arch/x86/kernel/nmi.c, 6.12), and then lets the other handlers have the NMI.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <asm/nmi.h>

#include "nmibt_lookup.h"

static unsigned int cpu;
module_param(cpu, uint, 0);

static unsigned int ms;
module_param(ms, uint, 0);

static void (*crash_callback)(struct pt_regs *regs);

static int nmibt_nmi_handler(unsigned int type, struct pt_regs *regs)
{
	u64 since = ktime_get_mono_fast_ns();

	if (raw_smp_processor_id() != cpu)
		return NMI_DONE;
	while (!ms || ktime_get_mono_fast_ns() - since < ms * (u64)NSEC_PER_MSEC) {
		crash_callback(regs);
		cpu_relax();
	}
	return NMI_DONE;
}
NOKPROBE_SYMBOL(nmibt_nmi_handler);

static int __init nmibt_nmi_init(void)
{
	crash_callback = nmibt_lookup("run_crash_ipi_callback");
	if (!crash_callback)
		return -ENOENT;
	return register_nmi_handler(NMI_LOCAL, nmibt_nmi_handler, NMI_FLAG_FIRST, "nmibt_nmi");
}
module_init(nmibt_nmi_init);

MODULE_DESCRIPTION("nmibt testbed: a CPU that is kept in an NMI");
MODULE_LICENSE("GPL");
