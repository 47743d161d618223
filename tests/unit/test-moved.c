// SPDX-License-Identifier: GPL-2.0-or-later
/* Which registers confirm an older text, and whether a CPU has moved since its text was printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-evidence.h"
#include "kernel-text.h"
#include "report/report.h"

#define SPIN_CHAIN "delay_tsc spin_fn kthread ret_from_fork_asm"
#define IDLE_CHAIN "pv_native_safe_halt default_idle do_idle cpu_startup_entry"
#define WAIT_CHAIN "native_queued_spin_lock_slowpath _raw_spin_lock work kthread"

struct pair {
	struct nmibt_evidence text, stop;
};

static struct pair pair_of(const char *text, const char *stop)
{
	return (struct pair){fe_text(1, 118, text), fe_stop(1, 118, stop)};
}

static void destroy(struct pair *p)
{
	nmibt_evidence_destroy(&p->text);
	nmibt_evidence_destroy(&p->stop);
}

/* ---------------------------------------------------------------- confirmed */

static bool confirmed(struct pair p)
{
	bool is_confirmed = nmibt_is_confirmed(&p.text, &p.stop);

	destroy(&p);
	return is_confirmed;
}

static void same_chain(void **state)
{
	(void)state;
	assert_true(confirmed(pair_of(SPIN_CHAIN, SPIN_CHAIN)));
	/* A part that the compiler split off is the same function. */
	assert_true(confirmed(pair_of("a.cold b.isra.0 c", "a b c")));
	/* The innermost function differs, was not called yet, or has returned. */
	assert_true(confirmed(pair_of("a b c d", "x b c d")));
	assert_true(confirmed(pair_of("b c d", "x b c d")));
	assert_true(confirmed(pair_of("x b c d", "b c d")));
	assert_true(confirmed(pair_of(WAIT_CHAIN, "_raw_spin_lock work kthread")));
	/* Frames that the kernel marks as unreliable do not belong to the chain. */
	assert_true(confirmed(pair_of("a ?x b c", "a b ?y c")));
	/* The frames of the stop are removed first. */
	assert_true(
		confirmed(pair_of(SPIN_CHAIN, "stop_this_cpu smp_stop_nmi_callback nmi_handle "
					      "default_do_nmi exc_nmi asm_exc_nmi " SPIN_CHAIN)));
	/* A frame without a name is compared by its address. */
	assert_true(confirmed(pair_of("a @ffffffffc0242015 c", "a @ffffffffc0242015 c")));
}

static void other_chain(void **state)
{
	(void)state;
	assert_false(confirmed(pair_of("a b c d", "a x c d")));
	assert_false(confirmed(pair_of("a b c d", "a b c x")));
	assert_false(confirmed(pair_of("a b c d", "x y c d")));
	assert_false(confirmed(pair_of("a b c d", "c d")));
	assert_false(confirmed(pair_of("a b c d", "a b c d e")));
	assert_false(confirmed(pair_of("spin_fn b c", "spin b c")) &&
		     confirmed(pair_of("a spin_fn c", "a spin c")));
	assert_false(confirmed(pair_of("a @ffffffffc0242015 c", "a @ffffffffc0242016 c")));
	assert_false(confirmed(pair_of("a b c", "a @ffffffffc0242015 c")));
	/* The CPU still serves an interrupt. */
	assert_false(confirmed(pair_of(SPIN_CHAIN, "tick irq_exit asm_sysvec !" SPIN_CHAIN)));
	/* The interrupted functions differ, although the handler is the same. */
	assert_false(confirmed(pair_of("tick asm_sysvec !a c d", "tick asm_sysvec !b c d")));
}

/* A chain of one function confirms nothing: all kernel threads have one in common. */
static void one_function(void **state)
{
	(void)state;
	assert_false(confirmed(pair_of("a", "a")));
	assert_false(confirmed(pair_of("a", "")));
	assert_false(confirmed(pair_of("", "")));
	assert_false(confirmed(pair_of("a b", "b")));
	assert_false(confirmed(pair_of("b", "a b")));
	assert_true(confirmed(pair_of("a b", "a b")));
}

static void other_task(void **state)
{
	struct pair p = pair_of(SPIN_CHAIN, SPIN_CHAIN);

	(void)state;
	assert_true(nmibt_is_confirmed(&p.text, &p.stop));
	p.stop.task.pid++;
	assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	p.stop.task.pid--;
	p.stop.task.known = false;
	assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	p.stop.task.known = true;
	p.text.task.known = false;
	assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	p.text.task.known = true;
	/* The same PID on another stack is another task. */
	p.stop.sp += 0x4000;
	assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	p.stop.sp = p.text.sp;
	p.stop.regs.present = false;
	assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	destroy(&p);
}

/* The lost part may have been different. */
static void not_whole(void **state)
{
	static const enum nmibt_stack_end ends[] = {NMIBT_END_UNREADABLE, NMIBT_END_EXCLUDED,
						    NMIBT_END_NO_UNWIND_DATA, NMIBT_END_NONSENSE,
						    NMIBT_END_LIMIT};
	static const unsigned int wrongs[] = {NMIBT_WRONG_GAP, NMIBT_WRONG_HEADLESS};
	struct pair p = pair_of(SPIN_CHAIN, SPIN_CHAIN);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		p.stop.stack.end = ends[i];
		assert_false(nmibt_is_confirmed(&p.text, &p.stop));
		p.stop.stack.end = NMIBT_END_COMPLETE;
		p.text.stack.end = ends[i];
		assert_false(nmibt_is_confirmed(&p.text, &p.stop));
		p.text.stack.end = NMIBT_END_COMPLETE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		p.text.wrong = wrongs[i];
		assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	}
	destroy(&p);
}

static void user_mode(void **state)
{
	struct pair p = pair_of("", "");

	(void)state;
	p.text.is_user = p.stop.is_user = true;
	assert_true(nmibt_is_confirmed(&p.text, &p.stop));
	/* The place in user mode does not matter. */
	p.stop.sp += 0x100000;
	assert_true(nmibt_is_confirmed(&p.text, &p.stop));
	p.stop.task.pid++;
	assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	p.stop.task.pid--;
	p.stop.is_user = false;
	assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	destroy(&p);
}

static void idle(void **state)
{
	struct pair p = {fe_text(1, 0, IDLE_CHAIN), fe_stop(1, 0, IDLE_CHAIN)};

	(void)state;
	assert_true(nmibt_is_confirmed(&p.text, &p.stop));
	/* The stacks and the idle functions differ, and the kernel printed that it is idle. */
	p.stop.sp += 0x8000;
	nmibt_stack_destroy(&p.stop.stack);
	p.stop.stack = fe_stack("cpuidle_enter_state cpuidle_enter do_idle", NMIBT_END_COMPLETE);
	assert_true(nmibt_is_confirmed(&p.text, &p.stop));
	nmibt_stack_destroy(&p.text.stack);
	assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	p.text.is_idle_said = true;
	p.text.task.known = false;
	assert_true(nmibt_is_confirmed(&p.text, &p.stop));
	/* A hypervisor's note does not tell the task. */
	p.stop.task.known = false;
	assert_true(nmibt_is_confirmed(&p.text, &p.stop));
	p.stop.task.known = true;
	/* If the idle task was interrupted and still serves the interrupt, the CPU is not idle. */
	nmibt_stack_destroy(&p.stop.stack);
	p.stop.stack = fe_stack("tick asm_sysvec !default_idle do_idle", NMIBT_END_COMPLETE);
	assert_false(nmibt_is_confirmed(&p.text, &p.stop));
	destroy(&p);
	/* The CPU was idle once, and busy the other time. */
	assert_false(
		confirmed((struct pair){fe_text(1, 0, IDLE_CHAIN), fe_stop(1, 0, SPIN_CHAIN)}));
	assert_false(
		confirmed((struct pair){fe_text(1, 0, SPIN_CHAIN), fe_stop(1, 0, IDLE_CHAIN)}));
}

/* -------------------------------------------------------------------- moved */

static enum nmibt_moved compare_on(enum nmibt_arch arch, struct pair p)
{
	static const struct nmibt_image_ops ops;
	struct nmibt_image image = {.ops = &ops, .arch = arch, .page_size = 4096};
	struct nmibt_kernel *kernel;

	assert_null(nmibt_kernel_open(&image, &kernel));
	enum nmibt_moved moved = nmibt_compare(kernel, &p.text, &p.stop);
	nmibt_kernel_close(kernel);
	destroy(&p);
	return moved;
}

static enum nmibt_moved compare(struct pair p)
{
	return compare_on(NMIBT_ARCH_X86_64, p);
}

static void moved(void **state)
{
	(void)state;
	assert_int_equal(compare(pair_of(SPIN_CHAIN, SPIN_CHAIN)), NMIBT_MOVED_SAME);
	assert_int_equal(compare(pair_of(WAIT_CHAIN, "_raw_spin_lock work kthread")),
			 NMIBT_MOVED_SAME);
	/* A watchdog's interrupt is on top: the task is where it was. */
	assert_int_equal(compare(pair_of(SPIN_CHAIN, "tick asm_sysvec !" SPIN_CHAIN)),
			 NMIBT_MOVED_SAME);
	assert_int_equal(compare(pair_of("a b c d", "a x c d")), NMIBT_MOVED_YES);
	assert_int_equal(compare(pair_of(SPIN_CHAIN, "tick asm_sysvec !other kthread")),
			 NMIBT_MOVED_YES);
	struct pair p = pair_of(SPIN_CHAIN, SPIN_CHAIN);
	p.stop.task.pid++;
	assert_int_equal(compare(p), NMIBT_MOVED_YES);
	p = pair_of(SPIN_CHAIN, "");
	p.stop.is_user = true;
	assert_int_equal(compare(p), NMIBT_MOVED_YES);
}

/* If one of them lacks something, they can't be compared. */
static void not_comparable(void **state)
{
	struct pair p = pair_of(SPIN_CHAIN, "");

	(void)state;
	assert_int_equal(compare(p), NMIBT_MOVED_UNKNOWN);
	assert_int_equal(compare(pair_of("", SPIN_CHAIN)), NMIBT_MOVED_UNKNOWN);
	p = pair_of(SPIN_CHAIN, SPIN_CHAIN);
	p.stop.regs.present = false;
	assert_int_equal(compare(p), NMIBT_MOVED_UNKNOWN);
	p = pair_of(SPIN_CHAIN, SPIN_CHAIN);
	p.text.task.known = false;
	assert_int_equal(compare(p), NMIBT_MOVED_UNKNOWN);
	/* A hypervisor's note does not tell the task: it may be the same or another one. */
	p = pair_of(SPIN_CHAIN, SPIN_CHAIN);
	p.stop.task = (struct nmibt_task){0};
	assert_int_equal(compare(p), NMIBT_MOVED_UNKNOWN);
	p = pair_of(SPIN_CHAIN, "a b c");
	p.stop.stack.end = NMIBT_END_EXCLUDED;
	assert_int_equal(compare(p), NMIBT_MOVED_UNKNOWN);
	assert_int_equal(compare_on(NMIBT_ARCH_UNKNOWN, pair_of(SPIN_CHAIN, SPIN_CHAIN)),
			 NMIBT_MOVED_UNKNOWN);
}

/* A text that was still being printed has only the first of its frames. */
static void torn_text(void **state)
{
	static const unsigned int wrongs[] = {NMIBT_WRONG_TORN, NMIBT_WRONG_CUT, NMIBT_WRONG_GAP,
					      NMIBT_WRONG_HEADLESS, NMIBT_WRONG_EXCLUDED};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct pair p = pair_of("delay_tsc spin_fn", SPIN_CHAIN);
		p.text.stack.end = NMIBT_END_UNKNOWN;
		p.text.wrong = wrongs[i];
		assert_int_equal(compare(p), NMIBT_MOVED_UNKNOWN);
	}
}

static void idle_moves(void **state)
{
	(void)state;
	assert_int_equal(
		compare((struct pair){fe_text(1, 0, IDLE_CHAIN), fe_stop(1, 0, IDLE_CHAIN)}),
		NMIBT_MOVED_IDLE);
	assert_int_equal(
		compare((struct pair){fe_text(1, 0, IDLE_CHAIN), fe_stop(1, 9, SPIN_CHAIN)}),
		NMIBT_MOVED_YES);
	struct pair p = {fe_text(1, 0, ""), fe_stop(1, 0, IDLE_CHAIN)};
	p.text.is_idle_said = true;
	assert_int_equal(compare(p), NMIBT_MOVED_IDLE);
}

/* Evidence from a text that the kernel prints, of either architecture. */
static struct nmibt_evidence printed(enum nmibt_arch arch, const char *raw)
{
	struct nmibt_evidence evidence = {.cpu = 3, .source = NMIBT_SOURCE_LOG};
	struct nmibt_backtrace backtrace;

	assert_null(nmibt_decode(raw, strlen(raw), strlen(raw), NULL, false, &evidence.text));
	assert_null(nmibt_read_backtrace(arch, &evidence.text, &backtrace));
	nmibt_evidence_take_backtrace(&evidence, &backtrace);
	return evidence;
}

static void as_printed(void **state)
{
	const enum nmibt_arch arm64 = NMIBT_ARCH_ARM64, x86 = NMIBT_ARCH_X86_64;
	const char *arm64_chain = "__delay __const_udelay spin_fn kthread ret_from_fork";
	struct nmibt_evidence stop = fe_stop(3, 63, arm64_chain);

	(void)state;
	stop.sp = 0xffff0000013dbe00;
	assert_int_equal(compare_on(arm64, (struct pair){printed(arm64, ARM64_SPIN(3, 63)), stop}),
			 NMIBT_MOVED_SAME);
	assert_int_equal(compare_on(arm64, (struct pair){printed(arm64, ARM64_SPIN(3, 63)),
							 fe_stop(3, 64, arm64_chain)}),
			 NMIBT_MOVED_YES);
	assert_int_equal(compare_on(x86, (struct pair){printed(x86, SPIN(3, 118)),
						       fe_stop(3, 118, SPIN_CHAIN)}),
			 NMIBT_MOVED_SAME);
	assert_true(
		confirmed((struct pair){printed(x86, SPIN(3, 118)), fe_stop(3, 118, SPIN_CHAIN)}));
	assert_true(confirmed((struct pair){printed(x86, IDLE(3)), fe_stop(3, 0, IDLE_CHAIN)}));
	assert_true(confirmed((struct pair){printed(x86, SKIPPED(3)), fe_stop(3, 0, IDLE_CHAIN)}));
	struct nmibt_evidence user = fe_stop(3, 118, "");
	user.is_user = true;
	assert_true(confirmed((struct pair){printed(x86, USER(3, 118)), user}));
	/* The program may be at another instruction. */
	user = fe_stop(3, 118, "");
	user.is_user = true;
	assert_int_equal(compare_on(x86, (struct pair){printed(x86, USER(3, 118)), user}),
			 NMIBT_MOVED_UNKNOWN);
	/* Without the line that names the task. */
	assert_false(confirmed((struct pair){printed(x86, TITLE(3) SPIN_REGS SPIN_TRACE),
					     fe_stop(3, 118, SPIN_CHAIN)}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_chain),	  cmocka_unit_test(other_chain),
		cmocka_unit_test(one_function),	  cmocka_unit_test(other_task),
		cmocka_unit_test(not_whole),	  cmocka_unit_test(user_mode),
		cmocka_unit_test(idle),		  cmocka_unit_test(moved),
		cmocka_unit_test(not_comparable), cmocka_unit_test(torn_text),
		cmocka_unit_test(idle_moves),	  cmocka_unit_test(as_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
