// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a CPU waits for, as its innermost functions show: a spin lock, or other CPUs that have to
 * run a function. The address of a spin lock is known if a register holds an address whose word in
 * memory is that of a lock with waiters.
 */
#include "base/base.h"
#include "report/report.h"

/* The function that waits may have called helpers: an architecture's wait for a change of memory,
 * or a check of how long it has waited. */
#define MAX_DEPTH 3

static const struct {
	const char *function;
	enum nmibt_wait_kind kind;
} waiting[] = {
	/* kernel/locking/qspinlock.c, 4.2 to 6.12: x86_64's, arm64's, with paravirt */
	{"native_queued_spin_lock_slowpath", NMIBT_WAIT_SPINLOCK},
	{"queued_spin_lock_slowpath", NMIBT_WAIT_SPINLOCK},
	{"__pv_queued_spin_lock_slowpath", NMIBT_WAIT_SPINLOCK},
	/* kernel/locking/qrwlock.c, 4.2 to 6.12 */
	{"queued_read_lock_slowpath", NMIBT_WAIT_RWLOCK},
	{"queued_write_lock_slowpath", NMIBT_WAIT_RWLOCK},
	/* kernel/smp.c, 5.10 to 6.12 */
	{"smp_call_function_single", NMIBT_WAIT_CALL},
	{"smp_call_function_many_cond", NMIBT_WAIT_CALL},
	{"__csd_lock_wait", NMIBT_WAIT_CALL},
	/* kernel/stop_machine.c */
	{"multi_cpu_stop", NMIBT_WAIT_STOP_MACHINE},
};

/* True: this function of the kernel itself waits. */
static bool waits_in(struct nmibt_str name, struct nmibt_wait *ret)
{
	struct nmibt_str function = {name.s, nmibt_function_len(name)};

	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		if (!nmibt_str_is(function, waiting[i].function))
			continue;
		*ret = (struct nmibt_wait){
			.kind = waiting[i].kind,
			.function = waiting[i].function,
		};
		return true;
	}
	return false;
}

/* The function that waits has called a helper without a frame of its own, for instance
 * __cmpwait_case_32(), which some compilers do not inline (arch/arm64/include/asm/cmpxchg.h, 6.1).
 * Then the kernel's trace lacks it. An idle CPU, too, is in a function without a frame; its caller
 * need not be looked up. */
static bool waits_in_leaf_caller(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
				 struct nmibt_wait *ret)
{
	struct nmibt_symbol caller;

	return !evidence->is_idle_said && nmibt_evidence_leaf_caller(kernel, evidence, &caller) &&
	       !*caller.module && waits_in(nmibt_str_of(caller.name), ret);
}

bool nmibt_is_waiting(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
		      struct nmibt_wait *ret)
{
	const struct nmibt_stack *stack = &evidence->stack;
	const struct nmibt_frame *frames = stack->frames;
	unsigned int depth = 0;

	for (size_t i = nmibt_count_dying(stack); i < stack->nr && depth < MAX_DEPTH; i++) {
		if (!nmibt_is_in_chain(frames, i))
			continue;
		/* The next frame is the function that the interrupt hit. */
		depth = frames[i].is_interrupted || nmibt_is_entry_frame(&frames[i]) ? 0
										     : depth + 1;
		if (!frames[i].module.len && waits_in(frames[i].function, ret))
			return true;
		if (!i && waits_in_leaf_caller(kernel, evidence, ret))
			return true;
	}
	return false;
}

/*
 * True: word is that of a held lock with waiters. include/asm-generic/qspinlock_types.h, 4.2 to
 * 6.12, with fewer than 16K CPUs: 8 bits locked, 1 bit pending, 7 bits unused, 2 bits of the last
 * waiter's nesting level, 14 bits of its CPU + 1. A CPU in the slow path is itself pending or in
 * the queue.
 */
static bool is_contended_lock(uint32_t word, unsigned int nr_cpus)
{
	uint32_t locked = word & 0xff, pending = word >> 8 & 1, tail_cpu = word >> 18;

	/* 3 is _Q_SLOW_VAL of qspinlock_paravirt.h. */
	return (locked == 1 || locked == 3) && !(word & 0xfe00) && (pending || tail_cpu) &&
	       tail_cpu <= nr_cpus;
}

static void peek(const struct nmibt_image *image, bool is_on)
{
	if (image->ops->peek)
		image->ops->peek(image->ctx, is_on);
}

/* A register may point anywhere: only what is a lock is read as one. */
static bool read_lock(const struct nmibt_report *report, uint64_t addr, uint32_t *ret)
{
	struct nmibt_kernel *kernel = report->kernel;

	peek(kernel->image, true);
	bool is_lock = nmibt_kernel_read(kernel, addr, ret, sizeof(*ret)) == NMIBT_READ_OK &&
		       is_contended_lock(*ret, report->nr_cpus);
	peek(kernel->image, false);
	return is_lock && nmibt_kernel_read(kernel, addr, ret, sizeof(*ret)) == NMIBT_READ_OK;
}

static bool is_scratch(const struct nmibt_reg_names *names, unsigned int i)
{
	return i >= names->first_scratch && i <= names->last_scratch;
}

/* Finds the lock that registers of one kind point to. False: there are two candidates. */
static bool one_lock(const struct nmibt_report *report, const struct nmibt_regs *regs, bool scratch,
		     struct nmibt_wait *wait)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(report->kernel->image->arch);

	for (unsigned int i = 0; names && i < regs->nr; i++) {
		uint64_t addr = regs->value[i];
		uint32_t word;

		/* Kernel addresses have their upper bits set on all architectures. */
		if (is_scratch(names, i) != scratch || addr >> 55 != 0x1ff || addr & 3 ||
		    i == names->pc || i == names->sp || addr == wait->lock ||
		    !read_lock(report, addr, &word))
			continue;
		if (wait->lock)
			return false;
		wait->lock = addr;
		wait->word = word;
		wait->reg = names->name[i];
	}
	return true;
}

/* A function that calls no other works in the scratch registers. The other registers may hold
 * values of its callers, for instance another lock. */
void nmibt_find_lock(const struct nmibt_report *report, const struct nmibt_regs *regs,
		     struct nmibt_wait *wait)
{
	if (!one_lock(report, regs, true, wait) ||
	    (!wait->lock && !one_lock(report, regs, false, wait)))
		wait->lock = 0;
}
