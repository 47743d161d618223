// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a kernel function fault when a chosen CPU enters it: symbol=NAME, cpu=N.
 * Only one fault is made, and with symbol2=NAME a second one behind it in that
 * function, on cpu2=N if that is given, or with always=1 one each time since the
 * panic: what the kernel does afterwards is the test.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/smp.h>

static char *symbol, *symbol2;
module_param(symbol, charp, 0);
module_param(symbol2, charp, 0);

static unsigned int cpu;
module_param(cpu, uint, 0);

static int cpu2 = -1;
module_param(cpu2, int, 0);

static bool always;
module_param(always, bool, 0);

static struct kprobe probes[2];
static unsigned int nr_faults;

static noinline void nmibt_fault_now(void)
{
	WRITE_ONCE(*(int *)0x28, 0);
}

static int nmibt_fault_handler(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned int on = probe == &probes[1] && cpu2 >= 0 ? cpu2 : cpu;

	if (raw_smp_processor_id() != on)
		return 0;
	if (always && !oops_in_progress)
		return 0;
	if (!always && (nr_faults >= ARRAY_SIZE(probes) || probe != &probes[nr_faults]))
		return 0;
	nr_faults++;
	/* Not here: no probe is hit in a probe's handler. */
	instruction_pointer_set(regs, (unsigned long)nmibt_fault_now);
	return 1;
}

/* A probe that has such a handler is not optimized, and may set the instruction pointer. */
static void nmibt_fault_behind(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static int fault_in(unsigned int i, const char *name)
{
	probes[i].symbol_name = name;
	probes[i].pre_handler = nmibt_fault_handler;
	probes[i].post_handler = nmibt_fault_behind;
	return name ? register_kprobe(&probes[i]) : 0;
}

static int __init nmibt_fault_init(void)
{
	return fault_in(0, symbol) ?: fault_in(1, symbol2);
}
module_init(nmibt_fault_init);

MODULE_DESCRIPTION("nmibt testbed: a fault inside a chosen function");
MODULE_LICENSE("GPL");
