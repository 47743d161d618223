// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kinds of functions, and what they tell about a stack: whether its CPU is idle, and which of its
 * frames belong to the stop. The lists have the functions of 3.10 to 7.2; those of one architecture
 * are in its own file.
 */
#include "text/arch.h"

static const struct nmibt_function_kinds common[] = {
	/* kernel/sched/idle.c, drivers/cpuidle; kernel/cpu/idle.c in older kernels */
	{"do_idle", NMIBT_FUNCTION_IDLE},
	{"cpu_startup_entry", NMIBT_FUNCTION_IDLE},
	{"default_idle*", NMIBT_FUNCTION_IDLE},
	{"default_enter_idle", NMIBT_FUNCTION_IDLE},
	{"arch_cpu_idle", NMIBT_FUNCTION_IDLE},
	{"cpu_idle", NMIBT_FUNCTION_IDLE},
	{"cpu_idle_loop", NMIBT_FUNCTION_IDLE},
	{"cpu_idle_poll", NMIBT_FUNCTION_IDLE},
	{"poll_idle", NMIBT_FUNCTION_IDLE},
	{"call_cpuidle*", NMIBT_FUNCTION_IDLE},
	{"cpuidle_idle_call", NMIBT_FUNCTION_IDLE},
	{"cpuidle_enter*", NMIBT_FUNCTION_IDLE},

	/* kernel/sched/idle.c: do_idle(), 6.12. Compilers may make it a jump, which leaves no
	 * frame. */
	{"arch_cpu_idle_dead", NMIBT_FUNCTION_OFFLINE},

	/* kernel/panic.c, kernel/exit.c, kernel/kexec_core.c, kernel/crash_core.c; each
	 * architecture's crash code in machine_kexec.c */
	{"panic", NMIBT_FUNCTION_DYING},
	{"vpanic", NMIBT_FUNCTION_DYING},
	{"nmi_panic", NMIBT_FUNCTION_DYING},
	{"panic_smp_self_stop", NMIBT_FUNCTION_DYING},
	{"nmi_panic_self_stop", NMIBT_FUNCTION_DYING},
	{"panic_other_cpus_shutdown", NMIBT_FUNCTION_DYING},
	/* kernel/panic.c, 7.2: a panic that is moved to another CPU */
	{"panic_try_force_cpu", NMIBT_FUNCTION_DYING},
	{"do_panic_on_target_cpu", NMIBT_FUNCTION_DYING},
	{"crash_smp_send_stop", NMIBT_FUNCTION_DYING},
	{"smp_send_stop", NMIBT_FUNCTION_DYING},
	{"oops_exit", NMIBT_FUNCTION_STOP},
	{"make_task_dead", NMIBT_FUNCTION_STOP},
	{"crash_kexec", NMIBT_FUNCTION_DYING},
	{"__crash_kexec", NMIBT_FUNCTION_DYING},
	{"crash_save_cpu", NMIBT_FUNCTION_DYING},
	{"machine_crash_shutdown", NMIBT_FUNCTION_DYING},
	{"machine_kexec", NMIBT_FUNCTION_DYING},
	{"emergency_restart", NMIBT_FUNCTION_DYING},

	/* init/main.c: the trace of arm64's first CPU ends there before 5.10 */
	{"start_kernel", NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_FRAMING},

	/* kernel/kthread.c, init/main.c */
	{"kthread", NMIBT_FUNCTION_FRAMING},
	{"rest_init", NMIBT_FUNCTION_FRAMING},
	{"kernel_init", NMIBT_FUNCTION_FRAMING},
	{"arch_call_rest_init", NMIBT_FUNCTION_FRAMING},

	/* include/linux/delay.h, asm-generic/delay.h, and delays that architectures define */
	{"__delay", NMIBT_FUNCTION_DELAY},
	{"__udelay", NMIBT_FUNCTION_DELAY},
	{"__ndelay", NMIBT_FUNCTION_DELAY},
	{"__const_udelay", NMIBT_FUNCTION_DELAY},
	{"__loop_delay", NMIBT_FUNCTION_DELAY},
	{"udelay", NMIBT_FUNCTION_DELAY},
	{"cpu_relax", NMIBT_FUNCTION_DELAY},

	/* The capture: kernel/v6.12. */
	{"nmi_capture_*", NMIBT_FUNCTION_DYING},
	{"capture_this_cpu", NMIBT_FUNCTION_DYING},
	{"capture_own_regs", NMIBT_FUNCTION_DYING},
	{"capture_context", NMIBT_FUNCTION_DYING},
	{"capture_wait", NMIBT_FUNCTION_DYING},
	{"capture_resume", NMIBT_FUNCTION_DYING},
	{"capture_ask", NMIBT_FUNCTION_DYING},
	{"capture_raise", NMIBT_FUNCTION_DYING},
};

bool nmibt_is_named(const char *name, struct nmibt_str function)
{
	size_t len = strlen(name);

	if (name[len - 1] == '*')
		return function.len >= len - 1 && !memcmp(function.s, name, len - 1);
	return function.len == len && !memcmp(function.s, name, len);
}

static unsigned int kinds_in(const struct nmibt_function_kinds *functions, size_t nr,
			     struct nmibt_str function)
{
	unsigned int kinds = 0;

	for (size_t i = 0; i < nr; i++) {
		if (*functions[i].name == *function.s &&
		    nmibt_is_named(functions[i].name, function))
			kinds |= functions[i].kinds;
	}
	return kinds;
}

unsigned int nmibt_function_kinds(struct nmibt_str function)
{
	function.len = nmibt_function_len(function);
	if (!function.len)
		return 0;
	unsigned int kinds = kinds_in(common, ARRAY_SIZE(common), function);
	for (size_t i = 0; nmibt_text_archs[i]; i++)
		kinds |= kinds_in(nmibt_text_archs[i]->functions, nmibt_text_archs[i]->nr_functions,
				  function);
	return kinds;
}

unsigned int nmibt_frame_kinds(const struct nmibt_frame *frame)
{
	if (frame->has_kinds)
		return frame->kinds;
	return frame->module.len ? 0 : nmibt_function_kinds(frame->function);
}

void nmibt_keep_kinds(struct nmibt_frame *frame)
{
	frame->has_kinds = false;
	frame->kinds = nmibt_frame_kinds(frame);
	frame->has_kinds = true;
}

bool nmibt_is_entry_frame(const struct nmibt_frame *frame)
{
	return nmibt_frame_kinds(frame) & NMIBT_FUNCTION_ENTRY;
}

bool nmibt_is_framing_frame(const struct nmibt_frame *frame)
{
	return nmibt_frame_kinds(frame) &
	       (NMIBT_FUNCTION_FRAMING | NMIBT_FUNCTION_IDLE | NMIBT_FUNCTION_HALT);
}

bool nmibt_is_delay_frame(const struct nmibt_frame *frame)
{
	return nmibt_frame_kinds(frame) & NMIBT_FUNCTION_DELAY;
}

/* kernel/panic.c: panic_smp_self_stop(), nmi_panic_self_stop(), 6.12. */
bool nmibt_is_in_panic(const struct nmibt_stack *stack)
{
	static const char *const panics[] = {"panic", "vpanic"};
	static const char *const others[] = {"panic_smp_self_stop", "nmi_panic_self_stop"};
	bool is_panic = false;

	for (size_t i = 0; i < stack->nr; i++) {
		const struct nmibt_frame *f = &stack->frames[i];
		struct nmibt_str function = {f->function.s, nmibt_function_len(f->function)};

		if (!nmibt_is_in_chain(stack->frames, i) || f->module.len)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(panics); j++) {
			is_panic |= nmibt_str_is(function, panics[j]);
			if (nmibt_str_is(function, others[j]))
				return false;
		}
	}
	return is_panic;
}

size_t nmibt_end_of_entry(const struct nmibt_stack *stack, size_t i)
{
	for (size_t j = i + 1; j < stack->nr; j++) {
		const struct nmibt_frame *f = &stack->frames[j];

		if (f->is_interrupted)
			return j;
		if (!nmibt_is_in_chain(stack->frames, j))
			continue;
		unsigned int kinds = nmibt_frame_kinds(f);
		if (kinds & NMIBT_FUNCTION_ENTRY)
			return j + 1;
		if (kinds & NMIBT_FUNCTION_USER)
			return stack->nr;
	}
	return i + 1;
}

/* Number of frames up to and including the outermost one that is DYING or STOP. *ret_is_stop: that
 * frame is STOP. */
static size_t find_dying(const struct nmibt_stack *stack, bool *ret_is_stop)
{
	size_t nr = 0;

	*ret_is_stop = false;
	for (size_t i = 0; i < stack->nr; i++) {
		unsigned int kinds = nmibt_is_in_chain(stack->frames, i)
					     ? nmibt_frame_kinds(&stack->frames[i])
					     : 0;

		if (!(kinds & (NMIBT_FUNCTION_DYING | NMIBT_FUNCTION_STOP)))
			continue;
		nr = i + 1;
		*ret_is_stop = kinds & NMIBT_FUNCTION_STOP;
	}
	return nr;
}

size_t nmibt_count_dying(const struct nmibt_stack *stack)
{
	bool is_stop;
	size_t nr = find_dying(stack, &is_stop);

	return is_stop ? nmibt_end_of_entry(stack, nr - 1) : nr;
}

/* The index of the next frame of the chain, from i on; stack->nr: there is none. */
static size_t next_in_chain(const struct nmibt_stack *stack, size_t i)
{
	while (i < stack->nr && !nmibt_is_in_chain(stack->frames, i))
		i++;
	return i;
}

/*
 * The innermost function decides: an idle CPU that serves an interrupt, or whose idle loop calls
 * schedule(), has another function there. A function that halts does not prove that the CPU is
 * idle: a guest may halt while it waits for a lock (arch/x86/kernel/kvm.c: kvm_wait()).
 */
bool nmibt_is_idle_stack(const struct nmibt_stack *stack)
{
	unsigned int kinds = NMIBT_FUNCTION_HALT;
	bool is_stop;

	/* The idle loop itself may panic. */
	if (find_dying(stack, &is_stop) && !is_stop)
		return false;
	for (size_t i = nmibt_count_dying(stack); kinds & NMIBT_FUNCTION_HALT; i++) {
		i = next_in_chain(stack, i);
		if (i >= stack->nr)
			return false;
		kinds = nmibt_frame_kinds(&stack->frames[i]);
	}
	return kinds & NMIBT_FUNCTION_IDLE;
}

bool nmibt_is_offline_stack(const struct nmibt_stack *stack)
{
	for (size_t i = next_in_chain(stack, 0); i < stack->nr; i = next_in_chain(stack, i + 1)) {
		unsigned int kinds = nmibt_frame_kinds(&stack->frames[i]);

		if (kinds & (NMIBT_FUNCTION_OFFLINE | NMIBT_FUNCTION_ONLINE))
			return kinds & NMIBT_FUNCTION_OFFLINE;
	}
	return false;
}

bool nmibt_tells_idle(const struct nmibt_stack *stack)
{
	for (size_t i = 0; i < stack->nr && !(i && stack->frames[i].is_interrupted); i++) {
		const struct nmibt_frame *frame = &stack->frames[i];

		if (frame->function.len)
			return !i || !(nmibt_frame_kinds(frame) & NMIBT_FUNCTION_IDLE);
	}
	return false;
}

bool nmibt_is_outermost_frame(const struct nmibt_frame *frame)
{
	return nmibt_frame_kinds(frame) & (NMIBT_FUNCTION_OUTERMOST | NMIBT_FUNCTION_USER);
}

bool nmibt_is_thread_start(const struct nmibt_frame *frame)
{
	return !frame->module.len && nmibt_str_starts(frame->function, "ret_from_fork");
}

/* kernel/sched/idle.c. do_idle() is no proof: play_idle_precise() lets other tasks run it
 * (6.12). */
bool nmibt_is_stack_of_idle_task(const struct nmibt_stack *stack)
{
	static const char start[] = "cpu_startup_entry";

	for (size_t i = 0; i < stack->nr; i++) {
		const struct nmibt_frame *f = &stack->frames[i];
		struct nmibt_str function = {f->function.s, nmibt_function_len(f->function)};

		if (nmibt_is_in_chain(stack->frames, i) && !f->module.len &&
		    nmibt_is_named(start, function))
			return true;
	}
	return false;
}
