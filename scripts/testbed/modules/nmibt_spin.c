// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a CPU spin with interrupts off when its number is written to the
 * parameter "cpu" (not when loaded: the end of a module's loading waits for every
 * CPU, and the spinning one would never answer). The write returns once it spins.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

static bool spinning;

/* By udelay(), so that a backtrace has a callee to show. */
static noinline void nmibt_spin_forever(void)
{
	for (;;) {
		WRITE_ONCE(spinning, true);
		udelay(100);
	}
}

static int nmibt_spin_thread(void *unused)
{
	local_irq_disable();
	nmibt_spin_forever();
	return 0;
}

static int nmibt_spin_start(const char *value, const struct kernel_param *param)
{
	struct task_struct *task;
	unsigned int cpu;
	int err = kstrtouint(value, 0, &cpu);

	if (err)
		return err;
	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	task = kthread_create(nmibt_spin_thread, NULL, "nmibt_spin");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpu);
	WRITE_ONCE(spinning, false);
	wake_up_process(task);
	while (!READ_ONCE(spinning))
		cond_resched(); /* no timer: it may be the other CPU's to run */
	return 0;
}

static const struct kernel_param_ops nmibt_spin_ops = {
	.set = nmibt_spin_start,
};
module_param_cb(cpu, &nmibt_spin_ops, NULL, 0200);

static int __init nmibt_spin_init(void)
{
	return 0;
}
module_init(nmibt_spin_init);

MODULE_DESCRIPTION("nmibt testbed: a CPU that spins in the kernel");
MODULE_LICENSE("GPL");
