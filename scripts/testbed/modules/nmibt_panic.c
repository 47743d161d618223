// SPDX-License-Identifier: GPL-2.0-only
/*
 * Brings the kernel down on a chosen CPU, cpu=N, in the way that how= says:
 *
 *	panic		panic() in a kernel thread
 *	panic_irq	panic() in an interrupt
 *	oops		a bad access in a kernel thread: die()
 *	bad_frame	panic() in a kernel thread whose caller's frame pointer leads nowhere
 *	console		panic() in a console's write, with the console's locks held
 *	two_oops	two bad accesses at once, on cpu and cpu2
 *	oops_irq	a bad access in an interrupt: die(), which goes to kdump
 *			even without panic_on_oops
 *	two		panic() in a thread on cpu; while that panic is under way, and
 *			before it captures, panic() in a thread on cpu2
 *	two_nmi		the same with nmi_panic() on cpu2, in an interrupt of a thread
 *	two_die		the same with a bad access on cpu2
 *	two_die_idle	the same in a thread that says that it is the idle task
 *	behind		panic() in a thread on cpu, while cpu2 takes no interrupts for a while
 *	locked		panic() in a kernel thread while somebody holds the lock of kexec
 *	oops_locked	the same with a bad access
 *	oops_moved	the same, and the thread is moved to cpu2 as soon as that can be (x86)
 *	oops_heir	the same, but panic_on_oops is taken back as the oops ends: the thread dies
 *			alone, and one panics that is taken for the one with its task_struct
 *	overflow	a kernel thread whose stack is too small
 *	hpet		panic() in a thread on cpu; while that is under way, and before it
 *			captures, cpu2 takes the lock of HPET and keeps it
 *	sea		arm64's handler of a synchronous external abort in a kernel thread
 *	sea_idle	the same in a thread that says that it is the idle task
 *	nmi		nmi_panic() on cpu, with the registers of a thread that is interrupted
 *	serror		the same by arm64's handler of an SError that can't be contained
 *	rest		sysrq-c in a kernel thread, as soon as all other CPUs idle
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kernel_stat.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/panic.h>
#include <linux/panic_notifier.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/sysrq.h>
#include <linux/tick.h>
#include <linux/timekeeping.h>
#include <asm/irq_regs.h>
#include <asm/kexec.h>
#include <asm/ptrace.h>

#include "nmibt_lookup.h"

static unsigned int cpu = 1;
module_param(cpu, uint, 0);

static unsigned int cpu2 = 2;
module_param(cpu2, uint, 0);

static char *how = "panic";
module_param(how, charp, 0);

/* Of the two panics: the first has claimed it; the second is about to try. */
static bool claimed, second;

static struct task_struct *thread_on(unsigned int on, int (*fn)(void *))
{
	struct task_struct *task;

	task = kthread_create(fn, NULL, "nmibt_panic/%u", on);
	if (!IS_ERR(task))
		kthread_bind(task, on);
	return task;
}

/* x86 has interrupts on when it dies of such an address, not of one that is not mapped. */
static noinline void nmibt_wild_access(void)
{
	WRITE_ONCE(*(int *)0xdead000000000018UL, 0);
}

static int nmibt_wild_thread(void *unused)
{
	nmibt_wild_access();
	barrier();
	return 0;
}

/* Behind an oops panic() itself does not say where it runs. */
static int nmibt_panic_runs(struct notifier_block *block, unsigned long event, void *message)
{
	pr_emerg("nmibt: panic() is on CPU %u\n", raw_smp_processor_id());
	return NOTIFY_DONE;
}

static struct notifier_block nmibt_panic_block = {
	.notifier_call = nmibt_panic_runs,
};

/* Waits until it is on its other CPU, which may never be. */
static int run_moved(void)
{
	struct task_struct *task = kthread_create(nmibt_wild_thread, NULL, "nmibt_panic/%u", cpu);

	if (IS_ERR(task))
		return PTR_ERR(task);
	atomic_notifier_chain_register(&panic_notifier_list, &nmibt_panic_block);
	set_cpus_allowed_ptr(task, cpumask_of(cpu));
	wake_up_process(task);
	while (!oops_in_progress)
		cpu_relax();
	return set_cpus_allowed_ptr(task, cpumask_of(cpu2));
}

static int run_on(unsigned int on, int (*fn)(void *))
{
	struct task_struct *task = thread_on(on, fn);

	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	return 0;
}

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

/* Each call needs its own room, as that is read behind the next one. */
static noinline unsigned long nmibt_overflow(unsigned long depth)
{
	volatile unsigned long room[32];

	room[depth % ARRAY_SIZE(room)] = depth;
	if (depth == ULONG_MAX)
		return 0;
	return nmibt_overflow(depth + 1) + room[depth % ARRAY_SIZE(room)];
}

static int nmibt_overflow_thread(void *unused)
{
	return nmibt_overflow(0);
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

/* With frame pointers, a caller's is where this function's own points to. */
static noinline void nmibt_bad_frame(void)
{
	unsigned long *frame = __builtin_frame_address(0);

	WRITE_ONCE(*frame, 0xdead0000dead0008UL);
	panic("nmibt: panic behind a bad frame pointer");
}

static int nmibt_bad_frame_thread(void *unused)
{
	nmibt_bad_frame();
	return 0;
}

static int nmibt_console_write(struct kprobe *probe, struct pt_regs *regs)
{
	if (raw_smp_processor_id() == cpu && !claimed) {
		WRITE_ONCE(claimed, true);
		panic("nmibt: panic in a console's write");
	}
	return 0;
}

static struct kprobe nmibt_console_probe = {
	.pre_handler = nmibt_console_write,
};

static int nmibt_console_thread(void *unused)
{
	pr_emerg("a line for the console\n");
	return 0;
}

static int run_console(void)
{
	static const char *const writes[] = { "serial8250_console_write", "pl011_console_write" };
	int i;

	for (i = 0; i < ARRAY_SIZE(writes) && !nmibt_console_probe.addr; i++)
		nmibt_console_probe.addr = nmibt_lookup(writes[i]);
	return register_kprobe(&nmibt_console_probe) ?: run_on(cpu, nmibt_console_thread);
}

static atomic_t nr_ready;

static int nmibt_two_oops_thread(void *unused)
{
	local_irq_disable();
	atomic_inc(&nr_ready);
	while (atomic_read(&nr_ready) < 2)
		cpu_relax();
	nmibt_oops_path();
	return 0;
}

static int nmibt_oops_thread(void *unused)
{
	nmibt_oops_path();
	return 0;
}

static int *nmibt_panic_on_oops;

static int nmibt_oops_ends(struct kprobe *probe, struct pt_regs *regs)
{
	WRITE_ONCE(*nmibt_panic_on_oops, 0);
	return 0;
}

static struct kprobe nmibt_oops_exit_probe = {
	.symbol_name = "oops_exit",
	.pre_handler = nmibt_oops_ends,
};

/* What the series knows the requester by: NULL without it. */
static struct task_struct **nmibt_requester;

/* As if this thread had been given the dead one's task_struct, which a slab does soon or never. */
static int nmibt_heir_thread(void *arg)
{
	struct task_struct *dead = arg;

	while (!READ_ONCE(dead->exit_state))
		msleep(10);
	if (nmibt_requester && READ_ONCE(*nmibt_requester) == dead)
		WRITE_ONCE(*nmibt_requester, current);
	return nmibt_panic_thread(NULL);
}

static int run_heir(void)
{
	struct task_struct *task = thread_on(cpu, nmibt_oops_thread);
	struct task_struct *heir;
	int err;

	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	heir = kthread_create(nmibt_heir_thread, task, "nmibt_heir");
	if (IS_ERR(heir))
		return PTR_ERR(heir);
	kthread_bind(heir, cpu);
	nmibt_requester = nmibt_lookup("capture_task");
	nmibt_panic_on_oops = nmibt_lookup("panic_on_oops");
	if (!nmibt_panic_on_oops)
		return -ENOENT;
	err = register_kprobe(&nmibt_oops_exit_probe);
	if (err)
		return err;
	WRITE_ONCE(*nmibt_panic_on_oops, 1);
	wake_up_process(heir);
	wake_up_process(task);
	return 0;
}

/* The lock that read_hpet() takes (arch/x86/kernel/hpet.c, 7.2: union hpet_lock). */
static arch_spinlock_t *hpet_lock;

/*
 * panic() shows its stack after it has claimed the panic and before it captures.
 * There the first one waits until the second has found the claim taken: by the
 * clock, because udelay() may be far off under QEMU.
 */
#define SECOND_STOPS_ITSELF_NS ((u64)NSEC_PER_SEC)

static int nmibt_hold_first(struct kprobe *probe, struct pt_regs *regs)
{
	u64 since;

	if (raw_smp_processor_id() != cpu || claimed)
		return 0;
	WRITE_ONCE(claimed, true);
	while (!READ_ONCE(second))
		cpu_relax();
	if (hpet_lock)
		return 0;
	since = ktime_get_mono_fast_ns();
	while (ktime_get_mono_fast_ns() - since < SECOND_STOPS_ITSELF_NS)
		cpu_relax();
	return 0;
}

static struct kprobe nmibt_hold_probe = {
	.symbol_name = "dump_stack",
	.pre_handler = nmibt_hold_first,
};

/*
 * By a pointer: behind a call that is known not to return the compiler puts
 * nothing, and a trace would show the function that comes next.
 */
static void (*volatile nmibt_panic)(const char *fmt, ...) = panic;

static int nmibt_first_thread(void *unused)
{
	nmibt_panic("nmibt: two at once, the first");
	return 0;
}

/* With interrupts off: a delay between the two lines would undo the order. */
static void nmibt_wait_for_first(void)
{
	while (!READ_ONCE(claimed))
		cpu_relax();
	WRITE_ONCE(second, true);
}

static int nmibt_second_thread(void *unused)
{
	local_irq_disable();
	nmibt_wait_for_first();
	nmibt_panic("nmibt: two at once, the second");
	return 0;
}

static noinline void nmibt_second_oops(void)
{
	nmibt_bad_access();
	barrier();
}

static int nmibt_second_oops_thread(void *unused)
{
	local_irq_disable();
	nmibt_wait_for_first();
	nmibt_second_oops();
	return 0;
}

/* With PID 0 die() goes to kdump, and if that fails on to the end of the task. */
static int nmibt_second_idle_thread(void *unused)
{
	current->pid = 0;
	return nmibt_second_oops_thread(unused);
}

static noinline void nmibt_keep_hpet(void)
{
	arch_spin_lock(hpet_lock);
	WRITE_ONCE(second, true);
	for (;;)
		cpu_relax();
}

static int nmibt_hpet_thread(void *unused)
{
	local_irq_disable();
	while (!READ_ONCE(claimed))
		cpu_relax();
	nmibt_keep_hpet();
	return 0;
}

/* What the second finds on its CPU is known, not whatever happens to run there. */
static bool interruptible;

static int nmibt_interrupted_thread(void *unused)
{
	preempt_disable();
	WRITE_ONCE(interruptible, true);
	while (!READ_ONCE(second))
		cpu_relax();
	preempt_enable();
	return 0;
}

static void nmibt_second_irq(void *unused)
{
	nmibt_wait_for_first();
	nmi_panic(get_irq_regs(), "nmibt: two at once, the second");
}

/* Whatever the panicking CPU wants of this one comes late. */
static int nmibt_busy_thread(void *unused)
{
	u64 since;

	local_irq_disable();
	nmibt_wait_for_first();
	since = ktime_get_mono_fast_ns();
	while (ktime_get_mono_fast_ns() - since < SECOND_STOPS_ITSELF_NS)
		cpu_relax();
	local_irq_enable();
	return 0;
}

static int nmibt_panic_behind(void *unused)
{
	WRITE_ONCE(claimed, true);
	while (!READ_ONCE(second))
		cpu_relax();
	return nmibt_panic_thread(unused);
}

#define REST_US 20000
/* Between two reads of a clock. An interrupt takes longer. */
#define REST_SLACK_US 10

/* Whether no other CPU does anything but idle for so long. */
static bool nmibt_others_rest(void)
{
	static u64 idle_us[NR_CPUS];
	unsigned int other;
	u64 since;

	for_each_online_cpu(other)
		idle_us[other] = get_cpu_idle_time_us(other, NULL);
	since = ktime_get_mono_fast_ns();
	while (ktime_get_mono_fast_ns() - since < REST_US * (u64)NSEC_PER_USEC)
		cpu_relax();
	for_each_online_cpu(other) {
		if (other != raw_smp_processor_id() &&
		    get_cpu_idle_time_us(other, NULL) - idle_us[other] + REST_SLACK_US < REST_US)
			return false;
	}
	return true;
}

/*
 * With interrupts off this CPU wakes no other one: a tick that finds it busy may send
 * an idle one to look after the load (nohz_balancer_kick() in kernel/sched/fair.c, 6.12).
 */
static int nmibt_rest_thread(void *unused)
{
	for (;;) {
		msleep(100);
		local_irq_disable();
		if (nmibt_others_rest())
			handle_sysrq('c');
		local_irq_enable();
	}
	return 0;
}

/* All that needs other threads is done before a CPU spins. */
static int run_two(int (*second_thread)(void *))
{
	struct task_struct *first = thread_on(cpu, nmibt_first_thread);
	struct task_struct *then = thread_on(cpu2, second_thread);
	int err;

	if (IS_ERR(first) || IS_ERR(then))
		return -ENOMEM;
	err = register_kprobe(&nmibt_hold_probe);
	if (err)
		return err;
	wake_up_process(then);
	if (second_thread == nmibt_interrupted_thread) {
		while (!READ_ONCE(interruptible))
			cpu_relax();
		err = smp_call_function_single(cpu2, nmibt_second_irq, NULL, 0);
	}
	wake_up_process(first);
	return err;
}

static noinline void nmibt_interrupt_here(void)
{
	barrier();
}

static int nmibt_nmi_thread(void *unused)
{
	nmibt_interrupt_here();
	return 0;
}

static int nmibt_nmi_panic(struct kprobe *probe, struct pt_regs *regs)
{
	nmi_panic(regs, "nmibt: nmi_panic");
	return 0;
}

static void (*nmibt_serror_panic)(struct pt_regs *regs, unsigned long esr);

static int nmibt_serror(struct kprobe *probe, struct pt_regs *regs)
{
	/* ESR_ELx_EC_SERROR, implementation defined. */
	nmibt_serror_panic(regs, 0xbf000000);
	return 0;
}

static int (*nmibt_do_sea)(unsigned long far, unsigned long esr, struct pt_regs *regs);

static int nmibt_sea_thread(void *unused)
{
	struct pt_regs regs = {};

	crash_setup_regs(&regs, NULL);
	/* ESR_ELx_EC_DABT_CUR, ESR_ELx_FSC_EXTABT. */
	nmibt_do_sea(0, 0x96000010, &regs);
	return 0;
}

static int nmibt_sea_idle_thread(void *unused)
{
	current->pid = 0;
	return nmibt_sea_thread(unused);
}

static struct kprobe nmibt_nmi_probe = {
	.addr = (kprobe_opcode_t *)nmibt_interrupt_here,
};

/* The probe's exception interrupts the thread. */
static int run_nmi(kprobe_pre_handler_t handler)
{
	nmibt_nmi_probe.pre_handler = handler;
	return register_kprobe(&nmibt_nmi_probe) ?: run_on(cpu, nmibt_nmi_thread);
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
	if (!strcmp(how, "bad_frame"))
		return run_on(cpu, nmibt_bad_frame_thread);
	if (!strcmp(how, "console"))
		return run_console();
	if (!strcmp(how, "two_oops"))
		return run_on(cpu, nmibt_two_oops_thread) ?: run_on(cpu2, nmibt_two_oops_thread);
	if (!strcmp(how, "two"))
		return run_two(nmibt_second_thread);
	if (!strcmp(how, "two_nmi"))
		return run_two(nmibt_interrupted_thread);
	if (!strcmp(how, "two_die_idle"))
		return run_two(nmibt_second_idle_thread);
	if (!strcmp(how, "two_die"))
		return run_two(nmibt_second_oops_thread);
	if (!strcmp(how, "behind"))
		return run_on(cpu2, nmibt_busy_thread) ?: run_on(cpu, nmibt_panic_behind);
	if (!strcmp(how, "locked"))
		return nmibt_lock_kexec() ?: run_on(cpu, nmibt_panic_thread);
	if (!strcmp(how, "oops_locked"))
		return nmibt_lock_kexec() ?: run_on(cpu, nmibt_oops_thread);
	if (!strcmp(how, "oops_moved"))
		return nmibt_lock_kexec() ?: run_moved();
	if (!strcmp(how, "oops_heir"))
		return nmibt_lock_kexec() ?: run_heir();
	if (!strcmp(how, "overflow"))
		return run_on(cpu, nmibt_overflow_thread);
	if (!strcmp(how, "hpet")) {
		hpet_lock = nmibt_lookup("hpet");
		return hpet_lock ? run_two(nmibt_hpet_thread) : -ENOENT;
	}
	if (!strcmp(how, "nmi"))
		return run_nmi(nmibt_nmi_panic);
	if (!strcmp(how, "serror")) {
		nmibt_serror_panic = nmibt_lookup("arm64_serror_panic");
		return nmibt_serror_panic ? run_nmi(nmibt_serror) : -ENOENT;
	}
	if (!strcmp(how, "sea")) {
		nmibt_do_sea = nmibt_lookup("do_sea");
		return nmibt_do_sea ? run_on(cpu, nmibt_sea_thread) : -ENOENT;
	}
	if (!strcmp(how, "sea_idle")) {
		nmibt_do_sea = nmibt_lookup("do_sea");
		return nmibt_do_sea ? run_on(cpu, nmibt_sea_idle_thread) : -ENOENT;
	}
	if (!strcmp(how, "rest"))
		return run_on(cpu, nmibt_rest_thread);
	pr_err("how=%s is unknown\n", how);
	return -EINVAL;
}
module_init(nmibt_panic_init);

MODULE_DESCRIPTION("nmibt testbed: ways to panic");
MODULE_LICENSE("GPL");
