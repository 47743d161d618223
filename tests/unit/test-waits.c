// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a CPU waits for, and whether it stayed there: the function that waits is in the trace, or
 * only lr has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-evidence.h"
#include "fake-stack.h"
#include "report/report.h"

enum { LR = 30, SP = 31, PC = 32, PSTATE = 33 };
#define EL1H 5

/* Functions of the fake kernel. */
enum { HELPER, SLOWPATH, OTHER, MODULE, CALLER };
static const char *const names[] = {"__cmpwait_case_32", "queued_spin_lock_slowpath",
				    "do_raw_spin_lock", "queued_spin_lock_slowpath", "smp_call"};

static bool symbolize(void *unused, uint64_t addr, char *buf, size_t len)
{
	uint64_t n = (addr - fs_arm64.text) / FS_FUNCTION;

	(void)unused;
	if (n >= ARRAY_SIZE(names))
		return false;
	snprintf(buf, len, n == MODULE ? "%s+0x%x [nmibt_lock]" : "%s+0x%x", names[n],
		 (unsigned int)(addr % FS_FUNCTION));
	return true;
}

/* The CPU is in the helper. lr is behind a call of function to in function from. */
static struct fake_stack *call(struct fake_stack *s, unsigned int from, unsigned int to)
{
	uint64_t at = fs_function(s, from, 0x20);
	uint32_t bl = 0x94000000 | ((fs_function(s, to, 0) - at) >> 2 & 0x3ffffff);

	memcpy(fs_at(s, at), &bl, sizeof(bl));
	s->regs.value[LR] = at + 4;
	return s;
}

static int setup(void **state)
{
	struct fake_stack *s = fs_new(&fk_arm64);

	s->k->ops.symbolize = symbolize;
	s->regs.nr = 34;
	s->regs.value[PC] = fs_function(s, HELPER, 8);
	s->regs.value[SP] = FE_SP;
	s->regs.value[PSTATE] = EL1H;
	assert_null(fs_open(s));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	fs_free(*state);
	return 0;
}

static bool is_waiting(struct fake_stack *s, const char *chain, uint64_t sp)
{
	struct nmibt_evidence evidence = fe_text(0, 60, chain);
	struct nmibt_wait wait;

	evidence.regs = s->regs;
	evidence.sp = sp;
	bool waits = nmibt_is_waiting(s->kernel, &evidence, &wait);
	nmibt_evidence_destroy(&evidence);
	if (!waits)
		return false;
	assert_int_equal(wait.kind, NMIBT_WAIT_SPINLOCK);
	assert_string_equal(wait.function, "queued_spin_lock_slowpath");
	return true;
}

#define CHAIN "__cmpwait_case_32 do_raw_spin_lock deadlock kthread"

static void in_trace(void **state)
{
	struct fake_stack *s = *state;

	s->regs.present = false;
	assert_true(is_waiting(s, "queued_spin_lock_slowpath do_raw_spin_lock", FE_SP));
	assert_true(is_waiting(s, "a b queued_spin_lock_slowpath", FE_SP));
	assert_false(is_waiting(s, "a b c queued_spin_lock_slowpath", FE_SP));
	assert_false(is_waiting(s, CHAIN, FE_SP));
	assert_false(is_waiting(s, "a ?queued_spin_lock_slowpath", FE_SP));
}

/* 6.1 does not print the caller of a function that has no frame. */
static void in_lr(void **state)
{
	struct fake_stack *s = *state;

	assert_true(is_waiting(call(s, SLOWPATH, HELPER), CHAIN, FE_SP));
	/* It called another function, which may have returned long ago. */
	assert_false(is_waiting(call(s, SLOWPATH, OTHER), CHAIN, FE_SP));
	assert_false(is_waiting(call(s, OTHER, HELPER), CHAIN, FE_SP));
	/* A function of this name in a module is another one. */
	assert_false(is_waiting(call(s, MODULE, HELPER), CHAIN, FE_SP));
}

/* Registers of another moment than the trace. */
static void of_another_moment(void **state)
{
	struct fake_stack *s = call(*state, SLOWPATH, HELPER);

	assert_false(is_waiting(s, CHAIN, FE_SP + 0x100));
	/* The trace begins with what the CPU did after it. */
	assert_false(is_waiting(s, "panic " CHAIN, FE_SP));
}

/* At the stop the CPU is in the function whose helper it was in, or in another one. */
static enum nmibt_moved compare(struct fake_stack *s, unsigned int function)
{
	struct nmibt_evidence nmi = fe_text(0, 60, CHAIN), stop = fe_stop(0, 60, CHAIN);

	nmi.has_slot = true;
	nmi.slot.how = NMI_CAPTURE_BY_NMI;
	nmi.regs = stop.regs = s->regs;
	stop.regs.value[PC] = fs_function(s, function, 0x40);
	stop.regs.value[LR] = 0;
	enum nmibt_moved moved = nmibt_compare(s->kernel, &nmi, &stop);
	nmibt_evidence_destroy(&nmi);
	nmibt_evidence_destroy(&stop);
	return moved;
}

static void same_place(void **state)
{
	struct fake_stack *s = call(*state, SLOWPATH, HELPER);

	assert_int_equal(compare(s, SLOWPATH), NMIBT_MOVED_SAME);
	assert_int_equal(compare(s, CALLER), NMIBT_MOVED_YES);
	assert_int_equal(compare(call(s, SLOWPATH, OTHER), SLOWPATH), NMIBT_MOVED_YES);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_trace),
		TEST(in_lr),
		TEST(of_another_moment),
		TEST(same_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
