// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a kernel function fault when a chosen CPU enters it for the skip-th
 * time: symbol=NAME, cpu=N (-1: whichever CPU is first), skip=N.
 * Only one fault is made: what the kernel does afterwards is the test.
 */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/smp.h>

static char *symbol;
module_param(symbol, charp, 0);

static int cpu = -1;
module_param(cpu, int, 0);

static int skip;
module_param(skip, int, 0);

static atomic_t entered = ATOMIC_INIT(0);

static noinline void nmibt_fault_now(void)
{
	WRITE_ONCE(*(int *)0x28, 0);
}

static int nmibt_fault_handler(struct kprobe *probe, struct pt_regs *regs)
{
	if (cpu >= 0 && raw_smp_processor_id() != cpu)
		return 0;
	if (atomic_inc_return(&entered) == skip + 1)
		nmibt_fault_now();
	return 0;
}

static struct kprobe nmibt_fault_probe = {
	.pre_handler = nmibt_fault_handler,
};

static int __init nmibt_fault_init(void)
{
	nmibt_fault_probe.symbol_name = symbol;
	return register_kprobe(&nmibt_fault_probe);
}
module_init(nmibt_fault_init);

MODULE_DESCRIPTION("nmibt testbed: a fault inside a chosen function");
MODULE_LICENSE("GPL");
