// SPDX-License-Identifier: GPL-2.0-only
/*
 * A deadlock when a number of milliseconds is written to the parameter "start":
 * CPUs 2 and 3 each hold a spin lock, with interrupts off, and want the other's;
 * CPU 0 waits for CPU 3 to run a function, and RCU for all of them. Where the locks
 * are is printed, for who wants to know whether a tool finds them. The write returns
 * after that time.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

/* Apart, as the locks of two objects are. */
static struct {
	spinlock_t lock ____cacheline_aligned;
} held[2];
static atomic_t nr_held;
static struct rcu_head never_called;

static noinline void nmibt_deadlock(unsigned int mine)
{
	unsigned long flags;

	spin_lock_irqsave(&held[mine].lock, flags);
	atomic_inc(&nr_held);
	while (atomic_read(&nr_held) < 2)
		cpu_relax();
	spin_lock(&held[!mine].lock);
	spin_unlock(&held[!mine].lock);
	spin_unlock_irqrestore(&held[mine].lock, flags);
}

static int nmibt_lock_thread(void *mine)
{
	nmibt_deadlock((unsigned long)mine);
	return 0;
}

static void nmibt_call(void *unused)
{
}

static noinline void nmibt_wait_for_call(void)
{
	smp_call_function_single(3, nmibt_call, NULL, true);
	barrier(); /* no tail call: the trace is to show who called */
}

static int nmibt_call_thread(void *unused)
{
	nmibt_wait_for_call();
	return 0;
}

/* Without a grace period that somebody waits for nothing stalls. */
static void nmibt_after_rcu(struct rcu_head *unused)
{
}

static struct task_struct *nmibt_lock_create(int (*thread)(void *), unsigned int cpu,
					     unsigned long arg)
{
	struct task_struct *task = kthread_create(thread, (void *)arg, "nmibt_lock/%u", cpu);

	if (!IS_ERR(task))
		kthread_bind(task, cpu);
	return task;
}

/* Not by msleep(): the timers of a CPU that idles may be another's to expire (6.9 and
 * later, kernel/time/timer_migration.c), and that one may be stuck. */
static void nmibt_pause(unsigned int ms)
{
	while (ms--) {
		mdelay(1);
		cond_resched();
	}
}

static int nmibt_lock_start(const char *value, const struct kernel_param *param)
{
	unsigned int ms;
	int err = kstrtouint(value, 0, &ms);

	if (err)
		return err;
	/* All of them first: kthreadd may be on a CPU that is stuck later. */
	struct task_struct *tasks[] = {
		nmibt_lock_create(nmibt_lock_thread, 2, 0),
		nmibt_lock_create(nmibt_lock_thread, 3, 1),
		nmibt_lock_create(nmibt_call_thread, 0, 0),
	};
	for (unsigned int i = 0; i < ARRAY_SIZE(tasks); i++) {
		if (IS_ERR(tasks[i]))
			return PTR_ERR(tasks[i]);
	}
	pr_info("nmibt_lock: CPU 2 will want %016lx, CPU 3 %016lx\n",
		(unsigned long)&held[1].lock, (unsigned long)&held[0].lock);
	wake_up_process(tasks[0]);
	wake_up_process(tasks[1]);
	while (atomic_read(&nr_held) < 2)
		nmibt_pause(1);
	wake_up_process(tasks[2]);
	call_rcu(&never_called, nmibt_after_rcu);
	nmibt_pause(ms);
	return 0;
}

static const struct kernel_param_ops nmibt_lock_ops = {
	.set = nmibt_lock_start,
};
module_param_cb(start, &nmibt_lock_ops, NULL, 0200);

static int __init nmibt_lock_init(void)
{
	spin_lock_init(&held[0].lock);
	spin_lock_init(&held[1].lock);
	return 0;
}
module_init(nmibt_lock_init);

MODULE_DESCRIPTION("nmibt testbed: CPUs that wait for each other");
MODULE_LICENSE("GPL");
