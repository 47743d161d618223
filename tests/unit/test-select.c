// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The evidence that stands for a CPU: the steps of docs/evidence.md in their order, with fake
 * sources. test-death.c has the tests of what belongs to the death, and of its subjects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake-report.h"
#include "kernel-text.h"

#define ANSWER NMIBT_EVIDENCE_ANSWER
#define OWN NMIBT_EVIDENCE_OWN
#define SPIN_CHAIN "delay_tsc spin_fn kthread ret_from_fork_asm"
#define IDLE_CHAIN "pv_native_safe_halt default_idle do_idle cpu_startup_entry"

static int setup(void **state)
{
	*state = fr_new();
	return 0;
}

static int teardown(void **state)
{
	fr_free(*state);
	return 0;
}

static const struct nmibt_cpu_brief *brief_of(const struct fake_report *f, unsigned int cpu)
{
	return &f->report->cpus[cpu];
}

static void check(const struct fake_report *f, unsigned int cpu, enum nmibt_step step,
		  enum nmibt_outcome outcome)
{
	const struct nmibt_cpu_brief *b = brief_of(f, cpu);

	if (b->step != step || b->outcome != outcome)
		fail_msg("CPU %u: step %d, %s; not step %d, %s", cpu, b->step,
			 nmibt_outcome_name(b->outcome), step, nmibt_outcome_name(outcome));
}

/* sysrq-l, by task 1 on CPU 0: CPU 1 spins, CPU 2 is idle, CPU 3 does not answer. */
static size_t ask(struct fake_report *f)
{
	size_t request = fr_request(f, 1, 0, 1, 3, 0);

	fr_trace(f, 1, ANSWER, 0, request, SPIN(1, 118));
	fr_trace(f, 2, NMIBT_EVIDENCE_SKIPPED, 0, request, SKIPPED(2));
	return request;
}

static void die(struct fake_report *f)
{
	fr_panic_cpu(f, 0);
	size_t panic = fr_panic(f, 1, 0, "sysrq triggered crash");
	fr_trace(f, 0, OWN, panic, 0, PANIC(0, 1));
}

/* ---------------------------------------------------------------- the steps */

static void belongs(void **state)
{
	struct fake_report *f = *state;

	die(f);
	ask(f);
	fr_stop(f, 1, 99, "a b c");
	fr_open(f);
	check(f, 0, NMIBT_STEP_BELONGS, NMIBT_OUTCOME_SELF);
	/* The text counts more than the registers, which contradict it. */
	check(f, 1, NMIBT_STEP_BELONGS, NMIBT_OUTCOME_ANSWERED);
	assert_int_equal(brief_of(f, 1)->moved, NMIBT_MOVED_YES);
	check(f, 2, NMIBT_STEP_BELONGS, NMIBT_OUTCOME_SKIPPED);
	assert_true(brief_of(f, 2)->is_idle);
	check(f, 3, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_SILENT);
	check(f, 4, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_NONE);
}

static void confirmed(void **state)
{
	struct fake_report *f = *state;

	ask(f);
	fr_pass(f, 30);
	die(f);
	fr_stop(f, 1, 118, SPIN_CHAIN);
	fr_stop(f, 2, 0, IDLE_CHAIN);
	fr_open(f);
	check(f, 1, NMIBT_STEP_CONFIRMED, NMIBT_OUTCOME_ANSWERED);
	assert_int_equal(brief_of(f, 1)->moved, NMIBT_MOVED_SAME);
	assert_int_not_equal(brief_of(f, 1)->stack_hash, 0);
	check(f, 2, NMIBT_STEP_CONFIRMED, NMIBT_OUTCOME_SKIPPED);
	assert_true(brief_of(f, 2)->is_idle);
}

/* Of several texts, the newest one that the registers confirm stands. */
static void confirmed_is_not_the_newest(void **state)
{
	struct fake_report *f = *state;
	struct nmibt_cpu cpu;

	size_t first = fr_trace(f, 1, ANSWER, 0, 0, SPIN(1, 118));
	size_t second = fr_trace(f, 1, ANSWER, 0, 0, SPIN(1, 118));
	fr_trace(f, 1, ANSWER, 0, 0, USER(1, 70));
	die(f);
	fr_stop(f, 1, 118, SPIN_CHAIN);
	fr_open(f);
	check(f, 1, NMIBT_STEP_CONFIRMED, NMIBT_OUTCOME_ANSWERED);
	assert_null(nmibt_report_read_cpu(f->report, 1, &cpu));
	assert_int_not_equal(cpu.trace, first);
	assert_int_equal(cpu.trace, second);
	nmibt_cpu_destroy(&cpu);
}

static void registers(void **state)
{
	struct fake_report *f = *state;

	ask(f);
	fr_pass(f, 30);
	die(f);
	fr_stop(f, 1, 119, SPIN_CHAIN);
	fr_stop(f, 2, 77, NULL);
	fr_stop(f, 3, 0, IDLE_CHAIN);
	fr_open(f);
	check(f, 1, NMIBT_STEP_REGISTERS, NMIBT_OUTCOME_REGISTERS);
	assert_int_equal(brief_of(f, 1)->task.pid, 119);
	check(f, 2, NMIBT_STEP_REGISTERS, NMIBT_OUTCOME_REGISTERS);
	assert_true(brief_of(f, 2)->is_user);
	assert_false(brief_of(f, 2)->is_idle);
	/* If the request is older than the death, no CPU counts as silent. */
	check(f, 3, NMIBT_STEP_REGISTERS, NMIBT_OUTCOME_REGISTERS);
	assert_true(brief_of(f, 3)->is_idle);
}

static void last_seen(void **state)
{
	struct fake_report *f = *state;
	struct nmibt_cpu cpu;

	ask(f);
	fr_pass(f, 30);
	die(f);
	fr_open(f);
	check(f, 1, NMIBT_STEP_LAST_SEEN, NMIBT_OUTCOME_NONE);
	check(f, 2, NMIBT_STEP_LAST_SEEN, NMIBT_OUTCOME_NONE);
	/* It does not make the CPU idle or stuck, and gives it no group and no task. */
	assert_false(brief_of(f, 2)->is_idle);
	assert_int_equal(brief_of(f, 1)->stack_hash, 0);
	assert_false(brief_of(f, 1)->irqs_off);
	assert_false(brief_of(f, 1)->task.known);
	assert_int_equal(brief_of(f, 1)->condition, 0);
	assert_null(nmibt_report_read_cpu(f->report, 1, &cpu));
	assert_int_equal(cpu.age.kind, NMIBT_AGE_EXACT);
	assert_in_range(cpu.age.ns, 30 * FR_SECOND, 30 * FR_SECOND + 1000);
	nmibt_cpu_destroy(&cpu);
	check(f, 3, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_NONE);
	assert_null(nmibt_report_read_cpu(f->report, 3, &cpu));
	assert_string_not_equal(cpu.why, "");
	nmibt_cpu_destroy(&cpu);
}

/* The stack of a task that ran on no CPU stands for no CPU, whatever the step. */
static void of_a_task(void **state)
{
	struct fake_report *f = *state;

	fr_trace(f, 1, NMIBT_EVIDENCE_TASK, 0, 0, SPIN(1, 118));
	die(f);
	fr_trace(f, 1, NMIBT_EVIDENCE_TASK, 0, 0, SPIN(1, 118));
	fr_open(f);
	check(f, 1, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_NONE);
}

/* The text was being printed when its CPU was stopped. */
static void not_ended(void **state)
{
	struct fake_report *f = *state;

	size_t trace = fr_trace(f, 1, OWN, 0, 0, TITLE(1) INFO(1, 118, "spin") SPIN_REGS);
	f->log->traces[trace - 1].has_ended = false;
	f->log->traces[trace - 1].is_last = true;
	die(f);
	fr_stop(f, 0, 1, "a b c");
	fr_stop(f, 1, 118, "vprintk printk show_regs a b c");
	fr_open(f);
	check(f, 1, NMIBT_STEP_BELONGS, NMIBT_OUTCOME_REPORTED);
}

/* An old text without an end was not being printed at the stop: the CPU was printing something
 * else, or its caller has printed more since. */
static void not_ended_long_ago(void **state)
{
	static const struct {
		enum nmibt_evidence_kind kind;
		bool is_last;
		const char *chain;
	} cases[] = {
		{OWN, true, "vprintk printk driver a b c"},
		{OWN, false, "vprintk printk show_regs a b c"},
		{ANSWER, true, "vprintk printk show_regs a b c"},
		{ANSWER, false, "vprintk printk show_regs nmi_cpu_backtrace a b c"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();
		size_t trace = fr_trace(f, 1, cases[i].kind, 0, 0,
					TITLE(1) INFO(1, 118, "spin") SPIN_REGS);

		f->log->traces[trace - 1].has_ended = false;
		f->log->traces[trace - 1].is_last = cases[i].is_last;
		die(f);
		fr_stop(f, 1, 118, cases[i].chain);
		fr_open(f);
		check(f, 1, NMIBT_STEP_REGISTERS, NMIBT_OUTCOME_REGISTERS);
		fr_free(f);
	}
}

/* If no mark ends the text, the outermost function does. */
static void ended_by_its_frames(void **state)
{
	struct fake_report *f = *state;

	size_t trace = fr_trace(f, 1, ANSWER, 0, 0, IDLE_5_10(1));
	f->log->traces[trace - 1].has_ended = false;
	die(f);
	fr_stop(f, 1, 118, "a b c");
	fr_open(f);
	check(f, 1, NMIBT_STEP_REGISTERS, NMIBT_OUTCOME_REGISTERS);
}

/* A text without its head is no answer. */
static void headless(void **state)
{
	struct fake_report *f = *state;

	die(f);
	size_t trace = fr_trace(f, 1, OWN, 0, 0, SPIN_TRACE);
	f->log->traces[trace - 1].wrong = NMIBT_WRONG_HEADLESS;
	fr_open(f);
	check(f, 1, NMIBT_STEP_LAST_SEEN, NMIBT_OUTCOME_NONE);
}

static void nobody_died(void **state)
{
	struct fake_report *f = *state;

	ask(f);
	fr_pass(f, 5);
	fr_record(f);
	fr_open(f);
	assert_false(f->report->death.is_known);
	check(f, 1, NMIBT_STEP_LAST_SEEN, NMIBT_OUTCOME_NONE);
	/* If the machine is alive, no CPU counts as silent. */
	check(f, 3, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_NONE);
	struct nmibt_cpu cpu;
	assert_null(nmibt_report_read_cpu(f->report, 1, &cpu));
	assert_int_equal(cpu.age.kind, NMIBT_AGE_AT_LEAST);
	assert_int_equal(cpu.age.ns, 5 * FR_SECOND);
	nmibt_cpu_destroy(&cpu);
}

/* No text says who panicked, but the reporter's registers are known. */
static void reporter_by_registers(void **state)
{
	struct fake_report *f = *state;

	fr_panic_cpu(f, 4);
	fr_stop(f, 4, 99, "a b c");
	fr_stop(f, 5, 98, "a b c");
	fr_open(f);
	check(f, 4, NMIBT_STEP_REGISTERS, NMIBT_OUTCOME_SELF);
	check(f, 5, NMIBT_STEP_REGISTERS, NMIBT_OUTCOME_REGISTERS);
}

/* ------------------------------------------------------------------- silent */

static void silent_unless_lost(void **state)
{
	struct fake_report *f = *state;

	die(f);
	ask(f);
	fr_gap(f, 1);
	fr_record(f);
	fr_open(f);
	check(f, 1, NMIBT_STEP_BELONGS, NMIBT_OUTCOME_ANSWERED);
	check(f, 3, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_NONE);
	struct nmibt_cpu cpu;
	assert_null(nmibt_report_read_cpu(f->report, 3, &cpu));
	assert_non_null(strstr(cpu.why, "may hold the answer"));
	nmibt_cpu_destroy(&cpu);
}

/* Records that were lost before the request can't have held an answer to it. */
static void silent_with_an_older_gap(void **state)
{
	struct fake_report *f = *state;

	fr_record(f);
	fr_gap(f, 3);
	fr_record(f);
	die(f);
	ask(f);
	fr_open(f);
	check(f, 3, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_SILENT);
	assert_int_equal(f->report->by_outcome[NMIBT_OUTCOME_SILENT], 1);
}

/* CPUs that the request does not list may have been offline. */
static void silent_only_if_listed(void **state)
{
	struct fake_report *f = *state;

	die(f);
	size_t request = fr_request(f, 1, 0, 1, 5, 0);
	f->log->requests[request - 1].all = true;
	fr_open(f);
	for (unsigned int cpu = 1; cpu < FR_CPUS; cpu++)
		check(f, cpu, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_NONE);
}

/* The CPU is silent, and its registers tell where it was. */
static void silent_with_registers(void **state)
{
	struct fake_report *f = *state;

	die(f);
	ask(f);
	fr_stop(f, 3, 5, "a b c");
	fr_open(f);
	check(f, 3, NMIBT_STEP_REGISTERS, NMIBT_OUTCOME_SILENT);
}

/* ------------------------------------------------------------- the source option */

static void source_option(void **state)
{
	struct fake_report *f = *state;

	f->report->only = NMIBT_SOURCE_REGISTERS;
	die(f);
	ask(f);
	fr_stop(f, 1, 118, SPIN_CHAIN);
	fr_open(f);
	check(f, 1, NMIBT_STEP_REGISTERS, NMIBT_OUTCOME_REGISTERS);
	check(f, 2, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_NONE);
	check(f, 3, NMIBT_STEP_NOTHING, NMIBT_OUTCOME_NONE);
}

static void out_of_range(void **state)
{
	struct fake_report *f = *state;
	struct nmibt_cpu cpu;

	die(f);
	fr_open(f);
	struct nmibt_error *err = nmibt_report_read_cpu(f->report, FR_CPUS, &cpu);
	assert_int_equal(err->code, NMIBT_ERR_USAGE);
	assert_string_equal(err->message, "no CPU 6: there are 6");
	nmibt_error_destroy(err);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(belongs),
		TEST(confirmed),
		TEST(confirmed_is_not_the_newest),
		TEST(registers),
		TEST(last_seen),
		TEST(of_a_task),
		TEST(not_ended),
		TEST(not_ended_long_ago),
		TEST(ended_by_its_frames),
		TEST(headless),
		TEST(nobody_died),
		TEST(reporter_by_registers),
		TEST(silent_unless_lost),
		TEST(silent_with_an_older_gap),
		TEST(silent_only_if_listed),
		TEST(silent_with_registers),
		TEST(source_option),
		TEST(out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
