// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a CPU has moved since the text of its backtrace was printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"
#include "kernel-text.h"

#define ARM64 NMIBT_ARCH_ARM64
#define X86_64 NMIBT_ARCH_X86_64

/* -------------------------------------------------------------------- moved */

/* Functions of 0x100 bytes, one behind the other. */
#define CODE UINT64_C(0xffffffff81000000)
static const char *const functions[] = {"delay_tsc", "spin_fn.cold", "kthread",	 "other",
					"__delay",   "spin_fn",	     "spin_fn_2"};
enum { DELAY_TSC, SPIN_COLD, KTHREAD, OTHER, ARM64_DELAY, SPIN_FN, SPIN_FN_2 };
#define AT(function, offset) (CODE + (function)*0x100 + (offset))

static bool symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	uint64_t i = (addr - CODE) / 0x100;

	(void)ctx;
	if (i >= ARRAY_SIZE(functions))
		return false;
	snprintf(buf, len, "%s+%#x", functions[i], (unsigned int)(addr - CODE) % 0x100);
	return true;
}

struct stop {
	enum nmibt_outcome outcome;
	int pid; /* of the note */
	uint64_t pc, sp;
};

static enum nmibt_moved compare(enum nmibt_arch arch, const char *raw, struct stop stop)
{
	static const struct nmibt_image_ops ops = {.symbolize = symbolize};
	struct nmibt_image image = {.ops = &ops, .arch = arch, .page_size = 4096};
	struct nmibt_symbols symbols = {.image = &image};
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);
	struct nmibt_cpu cpu = {.outcome = stop.outcome, .note_pid = stop.pid};
	struct nmibt_backtrace backtrace;

	assert_null(nmibt_decode(raw, strlen(raw), strlen(raw), NULL, false, &cpu.text));
	assert_null(nmibt_read_backtrace(arch, &cpu.text, &backtrace));
	cpu.stack = backtrace.stack;
	cpu.pid = backtrace.pid;
	if (backtrace.is_skipped || nmibt_is_idle_stack(&backtrace.stack))
		cpu.flags |= NMI_CAPTURE_SLOT_F_IDLE;
	if (backtrace.is_user)
		cpu.flags |= NMI_CAPTURE_SLOT_F_USER;
	cpu.stop_regs.present = stop.sp;
	if (names) {
		cpu.stop_regs.nr = names->nr;
		cpu.stop_regs.value[names->pc] = stop.pc;
		cpu.stop_regs.value[names->sp] = stop.sp;
	}
	enum nmibt_moved moved = nmibt_compare_text(&symbols, &cpu, &backtrace);
	nmibt_kallsyms_close(symbols.kallsyms);
	nmibt_cpu_destroy(&cpu);
	return moved;
}

#define SP UINT64_C(0xffffc900001a7ee0) /* of SPIN_REGS */
#define ANSWERED NMIBT_OUTCOME_ANSWERED

static void moved(void **state)
{
	static const struct {
		struct stop stop;
		enum nmibt_moved moved;
	} cases[] = {
		{{ANSWERED, 118, AT(DELAY_TSC, 0x2e), SP}, NMIBT_MOVED_SAME},
		{{ANSWERED, 118, AT(DELAY_TSC, 0xff), SP}, NMIBT_MOVED_SAME},
		/* One call further out, or in a part of the function that the compiler moved. */
		{{ANSWERED, 118, AT(SPIN_FN, 0x55), SP + 16}, NMIBT_MOVED_SAME},
		{{ANSWERED, 118, AT(SPIN_COLD, 0x55), SP - 512}, NMIBT_MOVED_SAME},
		{{ANSWERED, 118, AT(SPIN_COLD, 0x55), SP + 512}, NMIBT_MOVED_SAME},
		{{ANSWERED, 118, AT(SPIN_FN_2, 0x55), SP}, NMIBT_MOVED_YES},
		{{ANSWERED, 118, AT(OTHER, 0x2e), SP}, NMIBT_MOVED_YES},
		{{ANSWERED, 118, AT(DELAY_TSC, 0x2e), SP + 513}, NMIBT_MOVED_YES},
		{{ANSWERED, 118, AT(DELAY_TSC, 0x2e), SP - 513}, NMIBT_MOVED_YES},
		{{ANSWERED, 118, AT(DELAY_TSC, 0x2e), 8}, NMIBT_MOVED_YES},
		{{ANSWERED, 119, AT(DELAY_TSC, 0x2e), SP}, NMIBT_MOVED_YES},
		{{ANSWERED, 118, CODE - 1, SP}, NMIBT_MOVED_UNKNOWN},
		{{ANSWERED, 118, AT(DELAY_TSC, 0x2e), 0}, NMIBT_MOVED_UNKNOWN},
		/* Its note is made up, or of the same moment. */
		{{NMIBT_OUTCOME_SELF, 118, AT(DELAY_TSC, 0x2e), SP}, NMIBT_MOVED_UNKNOWN},
		{{NMIBT_OUTCOME_REPORTED, 118, AT(DELAY_TSC, 0x2e), SP}, NMIBT_MOVED_SAME},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum nmibt_moved got = compare(X86_64, SPIN(3, 118), cases[i].stop);
		if (got != cases[i].moved)
			fail_msg("case %zu: %d, not %d", i, got, cases[i].moved);
	}
}

/* What the text does not have can't be compared. */
static void not_comparable(void **state)
{
	struct stop here = {ANSWERED, 118, AT(DELAY_TSC, 0x2e), SP};
	struct stop idle = {ANSWERED, 0, AT(DELAY_TSC, 0x2e), SP};
	struct stop user = {ANSWERED, 118, 0x53a206, 0x7ffcc04f4430};

	(void)state;
	assert_int_equal(compare(X86_64, TITLE(3) SPIN_REGS SPIN_TRACE, here), NMIBT_MOVED_UNKNOWN);
	assert_int_equal(compare(X86_64, TITLE(3) INFO(3, 118, "spin") SPIN_TRACE, here),
			 NMIBT_MOVED_UNKNOWN);
	assert_int_equal(compare(X86_64,
				 INFO(3, 118, "spin") "RSP: 0018:ffffc900001a7ee0\n" SPIN_TRACE,
				 here),
			 NMIBT_MOVED_UNKNOWN);
	assert_int_equal(compare(X86_64, USER(3, 118), user), NMIBT_MOVED_UNKNOWN);
	/* A user's program that another one followed. */
	assert_int_equal(compare(X86_64, USER(3, 119), user), NMIBT_MOVED_YES);
	assert_int_equal(compare(X86_64, IDLE(3), idle), NMIBT_MOVED_IDLE);
	assert_int_equal(compare(X86_64, SKIPPED(3), idle), NMIBT_MOVED_IDLE);
	assert_int_equal(compare(NMIBT_ARCH_UNKNOWN, SPIN(3, 118), here), NMIBT_MOVED_UNKNOWN);
}

static void moved_on_arm64(void **state)
{
	struct stop stop = {ANSWERED, 63, AT(ARM64_DELAY, 0x28), 0xffff0000013dbe00};

	(void)state;
	assert_int_equal(compare(ARM64, ARM64_SPIN(3, 63), stop), NMIBT_MOVED_SAME);
	stop.pc = AT(OTHER, 0);
	assert_int_equal(compare(ARM64, ARM64_SPIN(3, 63), stop), NMIBT_MOVED_YES);
	stop.sp -= 4096;
	assert_int_equal(compare(ARM64, ARM64_SPIN(3, 63), stop), NMIBT_MOVED_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved),
		cmocka_unit_test(not_comparable),
		cmocka_unit_test(moved_on_arm64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
