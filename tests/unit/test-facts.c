// SPDX-License-Identifier: GPL-2.0-or-later
/* What the text of a backtrace says of its CPU, and whether the CPU has moved since. */
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
#define IDLE_F NMI_CAPTURE_SLOT_F_IDLE
#define USER_F NMI_CAPTURE_SLOT_F_USER
#define OFF_F NMI_CAPTURE_SLOT_F_IRQS_OFF

static struct nmibt_facts read_facts(enum nmibt_arch arch, const char *raw)
{
	struct nmibt_text text;
	struct nmibt_facts facts;

	assert_null(nmibt_decode(raw, strlen(raw), strlen(raw), NULL, false, &text));
	memset(&facts, 0xee, sizeof(facts));
	nmibt_read_facts(arch, &text, &facts);
	nmibt_text_destroy(&text);
	return facts;
}

/* comm NULL: no task is known. */
static void check(enum nmibt_arch arch, const char *raw, const char *comm, int32_t pid,
		  uint32_t flags, uint64_t sp)
{
	struct nmibt_facts facts = read_facts(arch, raw);
	char expected[NMI_CAPTURE_COMM_LEN] = "";

	if (comm)
		memcpy(expected, comm, strlen(comm));
	if (memcmp(facts.comm, expected, sizeof(expected)))
		fail_msg("\"%.16s\" in %s", facts.comm, raw);
	assert_int_equal(facts.has_task, comm != NULL);
	assert_int_equal(facts.pid, pid);
	assert_int_equal(facts.flags, flags);
	assert_int_equal(facts.has_sp, sp != 0);
	assert_int_equal(facts.sp, sp);
}

/* ----------------------------------------------------------------- whole texts */

static void x86_64(void **state)
{
	(void)state;
	check(X86_64, IDLE(3), "swapper/3", 0, IDLE_F, 0xff7b8b09400d3ed8);
	check(X86_64, IDLE_5_10(3), "swapper/3", 0, IDLE_F, 0xffffaecc80093ef0);
	check(X86_64, SPIN(7, 118), "spin", 118, OFF_F, 0xffffc900001a7ee0);
	check(X86_64, USER(2, 193), "sh", 193, USER_F, 0x7ffcc04f4430);
	check(X86_64, USER_5_10(2, 126), "sh", 126, USER_F, 0x7ffcc04f4430);
	check(X86_64, SKIPPED(3), NULL, 0, IDLE_F, 0);
	check(X86_64, OOPS(2, 127), "sh", 127, 0, 0xffffc900001a7ee0);
	check(X86_64, SOFT_LOCKUP(3, 118), "spin", 118, OFF_F, 0xffffc900001a7ee0);
	check(X86_64, "", NULL, 0, 0, 0);
}

static void arm64(void **state)
{
	(void)state;
	check(ARM64, ARM64_SPIN(3, 63), "spin", 63, OFF_F, 0xffff0000013dbe00);
	check(ARM64, ARM64_USER(0, 68), "sh", 68, USER_F, 0xffffd2c4a5f0);
	check(ARM64, ARM64_PANIC(1, 1), "init", 1, 0, 0);
}

/* Behind "Call Trace:" stand those of an entry further out. */
static void behind_the_trace(void **state)
{
	(void)state;
	check(X86_64, ASKER(1, 1), "init", 1, 0, 0);
	check(X86_64, ASKER_5_10(1, 1), "init", 1, 0, 0);
	check(X86_64, PANIC(1, 1), "init", 1, 0, 0);
	check(X86_64, "Call Trace:\n" SPIN_REGS, NULL, 0, 0, 0);
	check(ARM64, "Call trace:\npstate: 810000c5 (Nzcv)\nsp : ffff0000013dbe00\n", NULL, 0, 0,
	      0);
	check(X86_64, "Call Trace:\n" INFO(3, 7, "sh"), NULL, 0, 0, 0);
	/* The first ones count. */
	check(X86_64, SPIN_REGS USER_REGS INFO(3, 7, "sh") INFO(3, 0, "x"), "sh", 7, OFF_F,
	      0xffffc900001a7ee0);
}

/* Each is read only of its own architecture. */
static void other_arch(void **state)
{
	(void)state;
	check(ARM64, SPIN(3, 63), "spin", 63, 0, 0);
	check(X86_64, ARM64_SPIN(3, 63), "spin", 63, 0, 0);
	check(NMIBT_ARCH_UNKNOWN, SPIN(3, 63), "spin", 63, 0, 0);
}

/* ------------------------------------------------------------------ the task */

static void tasks(void **state)
{
	static const struct {
		const char *line, *comm;
		int32_t pid;
	} cases[] = {
		{"CPU: 1 PID: 1 Comm: init Not tainted 5.10.0 #1", "init", 1},
		{"CPU: 1 UID: 1000 PID: 77 Comm: init Not tainted 6.12 #1", "init", 77},
		{"CPU: 1 UID: 0 PID: 7 Comm: kworker/1:2 Kdump: loaded Not tainted 6.12 #1",
		 "kworker/1:2", 7},
		{"CPU: 1 PID: 7 Comm: ls Kdump: loaded Tainted: G        W  OE 6.1 #1", "ls", 7},
		{"CPU: 1 PID: 7 Comm: ls Tainted: P 6.1 #1", "ls", 7},
		{"CPU: 1 PID: 7 Comm: Web Content Not tainted 6.1 #1", "Web Content", 7},
		{"CPU: 1 PID: 7 Comm: 123456789012345 Not tainted 6.1 #1", "123456789012345", 7},
		{"CPU: 1 PID: 7 Comm: a b c d e f g h Kdump: loaded Not tainted 6.1",
		 "a b c d e f g h", 7},
		/* As long as no task's. */
		{"CPU: 1 PID: 7 Comm: 1234567890123456 Not tainted 6.1", "1234567890123456", 7},
		{"CPU: 1 PID: 7 Comm: 12345678901234567 Not tainted", "1234567890123456", 7},
		{"CPU: 1 PID: 7 Comm: Not tainted Not tainted 6.1 #1", "Not tainted", 7},
		{"CPU: 1 PID: 7 Comm:  Not tainted 6.1 #1", "", 7},
		{"CPU: 1 PID: 7 Comm:  x Not tainted 6.1 #1", " x", 7},
		{"CPU: 1 PID: 7 Comm: cut", "cut", 7},
		{"CPU: 1 PID: 7 Comm: ", "", 7},
		{"CPU: 1 PID: 7 Comm: PID: 8 Comm: y Not tainted", "PID: 8 Comm: y", 7},
		{"CPU: 1 PID: 2147483647 Comm: sh Not tainted", "sh", INT32_MAX},
		{"CPU: 1 PID: 2147483648 Comm: sh Not tainted", NULL, 0},
		{"CPU: 1 PID: 99999999999999999999 Comm: sh Not tainted", NULL, 0},
		{"CPU: 1 PID: -1 Comm: sh Not tainted", NULL, 0},
		{"CPU: 1 PID: 7f Comm: sh Not tainted", "sh", 7},
		{"CPU: 1 PID: Comm: sh Not tainted", NULL, 0},
		{"CPU: 1 PID: 7 Comm:", NULL, 0},
		{"CPU: 1 Comm: sh Not tainted", NULL, 0},
		{" CPU: 1 PID: 7 Comm: sh Not tainted", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(X86_64, cases[i].line, cases[i].comm, cases[i].pid, 0, 0);
	check(ARM64, "CPU: 1 PID: 0 Comm: swapper/1 Not tainted", "swapper/1", 0, IDLE_F, 0);
}

/* ------------------------------------------------------------------ registers */

static void eflags(void **state)
{
	(void)state;
	check(X86_64, "RSP: 0018:1234 EFLAGS: 00000246", NULL, 0, 0, 0x1234);
	check(X86_64, "RSP: 0018:1234 EFLAGS: 00000046", NULL, 0, OFF_F, 0x1234);
	check(X86_64, "RSP: 0018:1234 EFLAGS: 00000002", NULL, 0, OFF_F, 0x1234);
	check(X86_64, "RSP: 0018:1234 EFLAGS: 00010fff ORIG_RAX: 0", NULL, 0, 0, 0x1234);
	/* 4.4 */
	check(X86_64, "RSP: 0018:ffff88003d9f7e80  EFLAGS: 00000046", NULL, 0, OFF_F,
	      0xffff88003d9f7e80);
	check(X86_64, "RSP: 0018:1234 EFLAGS: ", NULL, 0, 0, 0x1234);
	check(X86_64, "RSP: 0018:1234", NULL, 0, 0, 0x1234);
	check(X86_64, "RSP: 0018:", NULL, 0, 0, 0);
	check(X86_64, "RSP: 0018", NULL, 0, 0, 0);
	check(X86_64, "RSP: ", NULL, 0, 0, 0);
	check(X86_64, "RSP: 0018:x EFLAGS: 00000046", NULL, 0, OFF_F, 0);
}

static void user_mode(void **state)
{
	(void)state;
	check(X86_64, "RIP: 0033:0x401030", NULL, 0, USER_F, 0);
	check(X86_64, "RIP: 0023:0xf7f0a549", NULL, 0, USER_F, 0);
	check(X86_64, "RIP: 0010:fn+0x1/0x2", NULL, 0, 0, 0);
	check(X86_64, " RIP: 0033:0x401030", NULL, 0, 0, 0);
	check(ARM64, "pstate: 60000000 (nZCv)", NULL, 0, USER_F, 0);
	check(ARM64, "pstate: 20000010 (nzCv)", NULL, 0, USER_F, 0); /* of 32 bits */
	check(ARM64, "pstate: 60000005 (nZCv)", NULL, 0, 0, 0);
	check(ARM64, "pstate: 60000009 (nZCv)", NULL, 0, 0, 0);
	check(ARM64, "pstate: 600000c5 (nZCv)", NULL, 0, OFF_F, 0);
	check(ARM64, "pstate: 60000045 (nZCv)", NULL, 0, 0, 0); /* FIQs alone */
	check(ARM64, "pstate: 60400085 (nZCv)\nsp : 12", NULL, 0, OFF_F, 0x12);
	check(ARM64, "pstate: x", NULL, 0, 0, 0);
	check(ARM64, "pstate: ", NULL, 0, 0, 0);
	check(ARM64, "sp : ", NULL, 0, 0, 0);
	check(ARM64, "sp : ffff0000013dbe001", NULL, 0, 0, 0xffff0000013dbe00);
}

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
	struct nmibt_kernel *kernel;
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);
	struct nmibt_cpu cpu = {.outcome = stop.outcome, .note_pid = stop.pid};
	struct nmibt_facts facts;

	assert_null(nmibt_decode(raw, strlen(raw), strlen(raw), NULL, false, &cpu.text));
	assert_null(nmibt_trace(arch, &cpu.text, &cpu.stack));
	nmibt_read_facts(arch, &cpu.text, &facts);
	cpu.pid = facts.pid;
	cpu.flags = facts.flags;
	cpu.stop_regs.present = stop.sp;
	if (names) {
		cpu.stop_regs.nr = names->nr;
		cpu.stop_regs.value[names->pc] = stop.pc;
		cpu.stop_regs.value[names->sp] = stop.sp;
	}
	assert_null(nmibt_kernel_open(&image, &kernel));
	enum nmibt_moved moved = nmibt_compare_text(kernel, &cpu, &facts);
	nmibt_kernel_close(kernel);
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
		cmocka_unit_test(x86_64),
		cmocka_unit_test(arm64),
		cmocka_unit_test(behind_the_trace),
		cmocka_unit_test(other_arch),
		cmocka_unit_test(tasks),
		cmocka_unit_test(eflags),
		cmocka_unit_test(user_mode),
		cmocka_unit_test(moved),
		cmocka_unit_test(not_comparable),
		cmocka_unit_test(moved_on_arm64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
