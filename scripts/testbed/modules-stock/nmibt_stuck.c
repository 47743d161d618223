// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel's watchdogs complain of. A write to a parameter makes it:
 *
 *	spin=CPU	a kernel thread on that CPU never lets another task run. It takes
 *			interrupts, so the watchdog's timer sees it.
 *	spin_irqs_off=CPU  the same with interrupts off
 *	spin_in_irq=CPU	that CPU spins in the handler of an interrupt, whatever it did before
 *	spin_here=1	the writer spins in its system call, and takes interrupts. It has the
 *			lock that wait=1 has.
 *	wait=1		the writer waits for what never comes, in uninterruptible sleep. The
 *			kernel holds the module's parameter lock meanwhile: the next one who
 *			writes to a parameter of this module waits for that mutex.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>

static noinline void nmibt_stuck_forever(void)
{
	for (;;)
		cpu_relax();
}

static int nmibt_stuck_thread(void *unused)
{
	preempt_disable();
	nmibt_stuck_forever();
	return 0;
}

static int nmibt_stuck_irqs_off_thread(void *unused)
{
	local_irq_disable();
	nmibt_stuck_forever();
	return 0;
}

static int nmibt_stuck_start(const char *value, int (*thread)(void *))
{
	struct task_struct *task;
	unsigned int cpu;
	int err = kstrtouint(value, 0, &cpu);

	if (err)
		return err;
	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	task = kthread_create(thread, NULL, "nmibt_stuck/%u", cpu);
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpu);
	wake_up_process(task);
	return 0;
}

static int nmibt_spin(const char *value, const struct kernel_param *param)
{
	return nmibt_stuck_start(value, nmibt_stuck_thread);
}

static const struct kernel_param_ops nmibt_spin_ops = {
	.set = nmibt_spin,
};
module_param_cb(spin, &nmibt_spin_ops, NULL, 0200);

static int nmibt_spin_irqs_off(const char *value, const struct kernel_param *param)
{
	return nmibt_stuck_start(value, nmibt_stuck_irqs_off_thread);
}

static const struct kernel_param_ops nmibt_spin_irqs_off_ops = {
	.set = nmibt_spin_irqs_off,
};
module_param_cb(spin_irqs_off, &nmibt_spin_irqs_off_ops, NULL, 0200);

static noinline void nmibt_stuck_in_irq(void *unused)
{
	nmibt_stuck_forever();
	barrier(); /* no tail call: the trace is to show it */
}

static int nmibt_spin_in_irq(const char *value, const struct kernel_param *param)
{
	unsigned int cpu;
	int err = kstrtouint(value, 0, &cpu);

	return err ? err : smp_call_function_single(cpu, nmibt_stuck_in_irq, NULL, 0);
}

static const struct kernel_param_ops nmibt_spin_in_irq_ops = {
	.set = nmibt_spin_in_irq,
};
module_param_cb(spin_in_irq, &nmibt_spin_in_irq_ops, NULL, 0200);

static noinline int nmibt_spin_here(const char *value, const struct kernel_param *param)
{
	nmibt_stuck_forever();
	barrier();
	return 0;
}

static const struct kernel_param_ops nmibt_spin_here_ops = {
	.set = nmibt_spin_here,
};
module_param_cb(spin_here, &nmibt_spin_here_ops, NULL, 0200);

static DECLARE_COMPLETION(never);

static noinline void nmibt_wait_for_ever(void)
{
	wait_for_completion(&never);
	barrier(); /* no tail call: the trace is to show who waits */
}

static int nmibt_stuck_wait(const char *value, const struct kernel_param *param)
{
	nmibt_wait_for_ever();
	return 0;
}

static const struct kernel_param_ops nmibt_wait_ops = {
	.set = nmibt_stuck_wait,
};
module_param_cb(wait, &nmibt_wait_ops, NULL, 0200);

MODULE_DESCRIPTION("nmibt testbed: what the kernel's watchdogs complain of");
MODULE_LICENSE("GPL");
