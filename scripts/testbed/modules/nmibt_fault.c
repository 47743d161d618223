// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a kernel function fault when a chosen CPU enters it: symbol=NAME, cpu=N.
 * Only one fault is made: what the kernel does afterwards is the test.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/smp.h>

static char *symbol;
module_param(symbol, charp, 0);

static unsigned int cpu;
module_param(cpu, uint, 0);

static bool done;

static noinline void nmibt_fault_now(void)
{
	WRITE_ONCE(*(int *)0x28, 0);
}

static int nmibt_fault_handler(struct kprobe *probe, struct pt_regs *regs)
{
	if (raw_smp_processor_id() != cpu || done)
		return 0;
	done = true;
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
