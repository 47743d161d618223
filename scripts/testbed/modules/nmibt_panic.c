// SPDX-License-Identifier: GPL-2.0-only
/*
 * Brings the kernel down on a chosen CPU, cpu=N, in the way that how= says:
 *
 *	panic		panic() in a kernel thread
 *	panic_irq	panic() in an interrupt
 *	oops		a bad access in a kernel thread: die()
 *	oops_irq	a bad access in an interrupt: die(), which goes to kdump
 *			even without panic_on_oops
 *	two		panic() in threads on cpu and cpu2 at the same time
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/smp.h>
#include <linux/string.h>

static unsigned int cpu = 1;
module_param(cpu, uint, 0);

static unsigned int cpu2 = 2;
module_param(cpu2, uint, 0);

static char *how = "panic";
module_param(how, charp, 0);

static atomic_t ready = ATOMIC_INIT(0);

static noinline void nmibt_bad_access(void)
{
	/* An address that no architecture maps for the kernel. */
	WRITE_ONCE(*(int *)0x18, 0);
}

static noinline void nmibt_oops_path(void)
{
	nmibt_bad_access();
	barrier();
}

static void nmibt_oops_irq(void *unused)
{
	nmibt_oops_path();
}

static void nmibt_panic_irq(void *unused)
{
	panic("nmibt: panic in an interrupt");
}

static int nmibt_panic_thread(void *unused)
{
	panic("nmibt: panic in a thread");
	return 0;
}

static int nmibt_oops_thread(void *unused)
{
	nmibt_oops_path();
	return 0;
}

/* Both threads have interrupts off, so neither is moved or delayed at the go. */
static int nmibt_two_thread(void *unused)
{
	local_irq_disable();
	atomic_inc(&ready);
	while (atomic_read(&ready) < 2)
		cpu_relax();
	panic("nmibt: two at once, CPU %d", raw_smp_processor_id());
	return 0;
}

static int run_on(unsigned int on, int (*fn)(void *))
{
	struct task_struct *task;

	task = kthread_create(fn, NULL, "nmibt_panic/%u", on);
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, on);
	wake_up_process(task);
	return 0;
}

static int __init nmibt_panic_init(void)
{
	if (!strcmp(how, "panic"))
		return run_on(cpu, nmibt_panic_thread);
	if (!strcmp(how, "oops"))
		return run_on(cpu, nmibt_oops_thread);
	if (!strcmp(how, "panic_irq"))
		return smp_call_function_single(cpu, nmibt_panic_irq, NULL, 1);
	if (!strcmp(how, "oops_irq"))
		return smp_call_function_single(cpu, nmibt_oops_irq, NULL, 1);
	if (!strcmp(how, "two"))
		return run_on(cpu, nmibt_two_thread) ?:
		       run_on(cpu2, nmibt_two_thread);
	pr_err("how=%s is unknown\n", how);
	return -EINVAL;
}
module_init(nmibt_panic_init);

MODULE_DESCRIPTION("nmibt testbed: ways to panic");
MODULE_LICENSE("GPL");
