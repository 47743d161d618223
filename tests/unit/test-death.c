// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The death: which report it came from, which CPUs and tasks it is about, and what belongs to it;
 * the conditions that are open at the death; ages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake-report.h"
#include "kernel-text.h"

#define OWN NMIBT_EVIDENCE_OWN
#define SOFT NMIBT_PRINT_SOFT_LOCKUP
#define HARD NMIBT_PRINT_HARD_LOCKUP
#define STALL NMIBT_PRINT_STALL
#define SOFT_WORDS "softlockup: hung tasks"
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

/* Adds a trace that stands, so that there is a report. */
static void open_with_a_trace(struct fake_report *f)
{
	fr_trace(f, 0, NMIBT_EVIDENCE_ANSWER, 0, 0, SPIN(0, 7));
	fr_open(f);
}

static void check_subject(const struct fake_report *f, unsigned int cpu)
{
	const struct nmibt_death *death = &f->report->death;

	assert_int_equal(death->nr_subjects, 1);
	for (unsigned int i = 0; i < FR_CPUS; i++)
		assert_int_equal(death->subjects[i], i == cpu);
}

/* ----------------------------------------------------------------- the cause */

/* The words of a panic tell the kind of report that it came from, and so its subject. CPU 1 reports
 * about CPU 2. */
static void words_that_fit(void **state)
{
	static const struct {
		enum nmibt_print kind;
		const char *words;
		bool fits;
		unsigned int subject;
	} cases[] = {
		{HARD, "Hard LOCKUP", true, 2},
		{SOFT, "softlockup: hung tasks", true, 2},
		{STALL, "RCU Stall", true, 2},
		{NMIBT_PRINT_SELF_STALL, "RCU Stall", true, 2},
		{NMIBT_PRINT_OOPS, "Fatal exception", true, 1},
		{NMIBT_PRINT_OOPS, "Fatal exception in interrupt", true, 1},
		{NMIBT_PRINT_OOPS, "Oops: Fatal exception", true, 1},
		{NMIBT_PRINT_WARNING, "panic_on_warn set ...", true, 1},
		{NMIBT_PRINT_WARNING, "kernel: system warned too often (kernel.warn_limit is 1)",
		 true, 1},
		{HARD, "softlockup: hung tasks", false, 1},
		{SOFT, "Hard LOCKUP", false, 1},
		{STALL, "sysrq triggered crash", false, 1},
		{NMIBT_PRINT_WARNING, "sysrq triggered crash", false, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();
		size_t cause = fr_lockup(f, cases[i].kind, 7, 1, 2, 22);
		fr_pass(f, 1000); /* printing may take any time, because consoles are slow */
		fr_panic(f, 7, 1, cases[i].words);
		open_with_a_trace(f);
		if (f->report->death.cause != (cases[i].fits ? cause : 0))
			fail_msg("'%s': cause %zu", cases[i].words, f->report->death.cause);
		assert_int_equal(f->report->death.reporter, 1);
		check_subject(f, cases[i].subject);
		assert_int_equal(f->report->death.is_reporter_subject, cases[i].subject == 1);
		fr_free(f);
	}
}

static void other_caller(void **state)
{
	struct fake_report *f = *state;

	fr_lockup(f, SOFT, 7, 2, 2, 22);
	fr_panic(f, 8, 1, SOFT_WORDS);
	open_with_a_trace(f);
	assert_int_equal(f->report->death.cause, 0);
	check_subject(f, 1);
}

/* Another report of the same caller is in between. Reports of other callers may be there. */
static void report_in_between(void **state)
{
	struct fake_report *f = *state;

	size_t cause = fr_lockup(f, SOFT, 7, 2, 2, 22);
	fr_lockup(f, STALL, 8, 1, 3, 21);
	fr_panic(f, 7, 2, SOFT_WORDS);
	open_with_a_trace(f);
	assert_int_equal(f->report->death.cause, cause);

	struct fake_report *g = fr_new();
	fr_lockup(g, SOFT, 7, 2, 2, 22);
	fr_lockup(g, STALL, 7, 2, 3, 21);
	fr_panic(g, 7, 2, SOFT_WORDS);
	open_with_a_trace(g);
	assert_int_equal(g->report->death.cause, 0);
	fr_free(g);
}

/* A suspend ends every report before it. */
static void suspended_in_between(void **state)
{
	struct fake_report *f = *state;

	size_t cause = fr_lockup(f, SOFT, 7, 2, 2, 22);
	size_t trace = fr_trace(f, 2, OWN, cause, 0, TITLE(2) INFO(2, 118, "spin") SPIN_REGS);
	f->log->traces[trace - 1].has_ended = false;
	fr_event(f, NMIBT_PRINT_SLEPT);
	fr_panic(f, 7, 2, SOFT_WORDS);
	fr_stop(f, 2, 99, "a b c");
	open_with_a_trace(f);
	assert_int_equal(f->report->death.cause, 0);
	assert_int_equal(f->report->cpus[2].step, NMIBT_STEP_REGISTERS);
	assert_false(f->report->conditions[0].is_open);
}

/* ------------------------------------------------------------------ the subjects */

static void first_panic(void **state)
{
	struct fake_report *f = *state;

	size_t panic = fr_panic(f, 7, 1, "sysrq triggered crash");
	fr_lockup(f, HARD, 8, 3, 4, 0);
	fr_panic(f, 8, 3, "Hard LOCKUP");
	open_with_a_trace(f);
	assert_int_equal(f->report->death.printout, panic);
	assert_int_equal(f->report->death.reporter, 1);
	check_subject(f, 1);
}

/* Panics that say nothing of the CPU that reports them: arch/x86/kernel/nmi.c,
 * drivers/watchdog/hpwdt.c (6.12 and 3.10), drivers/acpi/arm64/agdi.c,
 * drivers/soc/fujitsu/a64fx-diag.c, drivers/char/ipmi/ipmi_watchdog.c, drivers/watchdog/softdog.c,
 * pretimeout_panic.c, sbsa_gwdt.c, orion_wdt.c, intel-mid_wdt.c; 6.12. */
static const char *const outside[] = {
	"NMI: Not continuing",
	"NMI IOCK error: Not continuing",
	"02: An NMI occurred. Depending on your system the reason for the NMI is logged in any one "
	"of the following resources:",
	"An NMI occurred. Depending on your system the reason for the NMI is logged in any one "
	"of the following resources:",
	"Arm Generic Diagnostic Dump and Reset SDEI event issued",
	"a64fx_diag: interrupt received",
	"Watchdog pre-timeout",
	"pre-timeout",
	"watchdog pretimeout event",
	"Software Watchdog Timer expired",
	"SBSA Generic Watchdog timeout",
	"Watchdog Timeout",
	"Kernel Watchdog",
};

static void from_outside(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		struct fake_report *f = *state;

		fr_panic(f, FR_IRQ(1), 1, outside[i]);
		open_with_a_trace(f);
		assert_int_equal(f->report->death.reporter, 1);
		assert_int_equal(f->report->death.nr_subjects, 0);
		assert_non_null(f->report->death.from_outside);
		teardown(state);
		setup(state);
	}
}

/* A driver's own panics have such words, too. */
static void words_of_outside(void **state)
{
	static const char *const messages[] = {
		"mydrv: Watchdog Timeout in state 3",
		"flush of pre-timeout work failed",
		"Kernel Watchdog list corrupted",
	};

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		struct fake_report *f = *state;

		fr_panic(f, FR_IRQ(1), 1, messages[i]);
		open_with_a_trace(f);
		check_subject(f, 1);
		assert_null(f->report->death.from_outside);
		teardown(state);
		setup(state);
	}
}

/* A stall that waits for tasks only, and for no CPU. */
static void stall_of_a_task(void **state)
{
	struct fake_report *f = *state;

	fr_printout(f, STALL, 7, 1, "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:");
	fr_panic(f, 7, 1, "RCU Stall");
	open_with_a_trace(f);
	assert_int_equal(f->report->death.nr_subjects, 0);
	assert_false(f->report->death.is_reporter_subject);
}

/* The subjects are the tasks of the pass that panicked, and no CPU. */
static void hung_tasks(void **state)
{
	struct fake_report *f = *state;
	const struct nmibt_death *death = &f->report->death;

	fr_hung_task(f, 30, 168, 122);
	fr_pass(f, 100);
	fr_hung_task(f, 30, 169, 122);
	fr_pass(f, 0.01);
	fr_hung_task(f, 30, 171, 122);
	fr_panic(f, 30, 3, "hung_task: blocked tasks");
	open_with_a_trace(f);
	assert_int_equal(death->nr_subjects, 0);
	assert_int_equal(death->nr_tasks, 2);
	assert_int_equal(death->tasks[0].pid, 169);
	assert_int_equal(death->tasks[1].pid, 171);
	assert_int_equal(death->reporter, 3);
}

/* If die() goes to kdump, no "Kernel panic" is printed. */
static void oops_to_kdump(void **state)
{
	struct fake_report *f = *state;

	fr_panic_cpu(f, 2);
	fr_stop(f, 2, 99, "a b c");
	size_t oops = fr_printout(f, NMIBT_PRINT_OOPS, 99, 2, "Oops: 0000 [#1]");
	/* die() goes to kdump before it prints "end trace". */
	f->log->printouts[oops - 1].has_ended = false;
	fr_trace(f, 2, OWN, oops, 0, SPIN(2, 99));
	open_with_a_trace(f);
	assert_int_equal(f->report->death.cause, oops);
	assert_int_equal(f->report->cpus[2].outcome, NMIBT_OUTCOME_SELF);
	check_subject(f, 2);
}

/* An oops ended, and later another CPU panicked. */
static void oops_survived(void **state)
{
	struct fake_report *f = *state;

	size_t oops = fr_printout(f, NMIBT_PRINT_OOPS, 99, 2, "Oops: 0000 [#1]");
	fr_trace(f, 2, OWN, oops, 0, SPIN(2, 99));
	fr_pass(f, 60);
	fr_panic(f, 7, 1, "sysrq triggered crash");
	fr_stop(f, 2, 5, "a b c");
	open_with_a_trace(f);
	assert_int_equal(f->report->death.cause, 0);
	assert_int_equal(f->report->cpus[2].step, NMIBT_STEP_REGISTERS);
	assert_int_equal(f->report->cpus[2].outcome, NMIBT_OUTCOME_REGISTERS);
}

static void nobody(void **state)
{
	struct fake_report *f = *state;

	fr_printout(f, NMIBT_PRINT_OOPS, 99, 2, "Oops: 0000 [#1]");
	open_with_a_trace(f);
	assert_false(f->report->death.is_known);
	assert_int_equal(f->report->death.reporter, NMIBT_NO_CPU);
	assert_int_equal(f->report->death.nr_subjects, 0);
	assert_false(nmibt_belongs(f->report, 1, 0));
}

/* ---------------------------------------------------------------- conditions */

static const struct nmibt_condition *only_condition(const struct fake_report *f)
{
	assert_int_equal(f->report->nr_conditions, 1);
	return f->report->conditions;
}

/* CPU 3 has soft lockups at 22, 48 and 74 s, and then another CPU panics. */
static void one_condition(void **state)
{
	struct fake_report *f = *state;
	uint64_t first = f->now;

	for (unsigned int i = 0; i < 3; i++) {
		fr_lockup(f, SOFT, FR_IRQ(3), 3, 3, 22 + 26 * i);
		fr_pass(f, 26);
	}
	fr_pass(f, -23);
	fr_panic(f, 7, 5, "sysrq triggered crash");
	open_with_a_trace(f);
	const struct nmibt_condition *c = only_condition(f);
	assert_int_equal(c->count, 3);
	/* A second of the watchdog has 2^30 ns. */
	assert_int_equal(c->since_ns, first - (UINT64_C(22) << 30));
	assert_int_equal(c->last_ns, first + 52 * FR_SECOND);
	assert_int_equal(c->interval_ns, 26 * FR_SECOND);
	assert_true(c->is_open);
	/* The condition makes its CPU stuck, whoever reported it, and even without evidence. */
	assert_int_equal(f->report->cpus[3].condition, 1);
	assert_true(nmibt_is_stuck(&f->report->cpus[3]));
	assert_int_equal(f->report->cpus[5].condition, 0);
	check_subject(f, 5);
}

static void two_conditions(void **state)
{
	struct fake_report *f = *state;

	fr_lockup(f, SOFT, FR_IRQ(3), 3, 3, 22);
	fr_lockup(f, SOFT, FR_IRQ(4), 4, 4, 22);
	fr_lockup(f, STALL, 9, 0, 3, 21);
	/* This is a new lockup. */
	fr_pass(f, 60);
	fr_lockup(f, SOFT, FR_IRQ(3), 3, 3, 22);
	open_with_a_trace(f);
	assert_int_equal(f->report->nr_conditions, 4);
}

/* Hundreds of tasks are each in a condition of their own, and are reported in turns. */
static void many_conditions(void **state)
{
	struct fake_report *f = *state;

	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int pid = 1000; pid < 1200; pid++)
			fr_hung_task(f, 28, pid, 122 + 121 * i);
		fr_pass(f, 121);
	}
	open_with_a_trace(f);
	assert_int_equal(f->report->nr_conditions, 200);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(f->report->conditions[i].count, 3);
}

/* A lockup of an hour, in the watchdog's seconds of 2^30 ns: 24 s of the clock are 22 or 23 of
 * them. */
static void long_condition(void **state)
{
	struct fake_report *f = *state;
	uint64_t begun = f->now - 23 * FR_SECOND;

	for (unsigned int i = 0; i < 150; i++) {
		fr_lockup(f, SOFT, FR_IRQ(3), 3, 3, (f->now - begun) >> 30);
		fr_pass(f, 24);
	}
	fr_panic(f, 7, 5, "sysrq triggered crash");
	open_with_a_trace(f);
	assert_int_equal(only_condition(f)->count, 150);
	assert_true(only_condition(f)->is_open);
}

/* The second report is from a CPU whose clock is behind. */
static void clock_behind(void **state)
{
	struct fake_report *f = *state;

	fr_hung_task(f, 28, 1000, 122);
	fr_pass(f, -5);
	fr_hung_task(f, 28, 1000, 243);
	fr_pass(f, 86400);
	fr_panic(f, 7, 5, "sysrq triggered crash");
	open_with_a_trace(f);
	assert_int_equal(only_condition(f)->count, 2);
	assert_int_equal(only_condition(f)->interval_ns, 120 * FR_SECOND);
	assert_false(only_condition(f)->is_open);
}
/* A damaged first line has a time that is longer than the machine was up. */
/* A damaged first line: longer than the machine is up. */
static void longer_than_the_uptime(void **state)
{
	struct fake_report *f = *state;

	fr_lockup(f, SOFT, FR_IRQ(3), 3, 3, UINT32_MAX);
	open_with_a_trace(f);
	assert_false(only_condition(f)->has_since);
}

/* A condition is open if its last report is younger than one and a half intervals. */
static void closed_by_time(void **state)
{
	static const struct {
		double seconds;
		bool is_open;
	} cases[] = {{3, true}, {38, true}, {40, false}, {200, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();
		fr_lockup(f, SOFT, FR_IRQ(3), 3, 3, 22);
		fr_pass(f, 26);
		fr_lockup(f, SOFT, FR_IRQ(3), 3, 3, 48);
		fr_pass(f, cases[i].seconds);
		fr_panic(f, 7, 5, "sysrq triggered crash");
		open_with_a_trace(f);
		assert_int_equal(only_condition(f)->is_open, cases[i].is_open);
		assert_int_equal(f->report->cpus[3].condition, cases[i].is_open);
		fr_free(f);
	}
}

/* The shortest time between two reports counts: a machine may have been slow once. */
static void shortest_interval(void **state)
{
	struct fake_report *f = *state;

	fr_lockup(f, STALL, 9, 0, 3, 21);
	fr_pass(f, 90);
	fr_lockup(f, STALL, 9, 0, 3, 0);
	fr_pass(f, 63);
	fr_lockup(f, STALL, 9, 0, 3, 0);
	fr_pass(f, 80);
	fr_lockup(f, STALL, 9, 0, 3, 0);
	open_with_a_trace(f);
	assert_int_equal(only_condition(f)->count, 4);
	assert_int_equal(only_condition(f)->interval_ns, 63 * FR_SECOND);
}

/* Later evidence shows that the CPU has left the condition. */
static void closed_by_what_is_later(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct fake_report *f = fr_new();
		size_t lockup = fr_lockup(f, SOFT, FR_IRQ(3), 3, 3, 22);
		fr_trace(f, 3, OWN, lockup, 0, SPIN(3, 118));
		fr_panic(f, 7, 5, "sysrq triggered crash");
		if (i == 1)
			fr_stop(f, 3, 0, IDLE_CHAIN);
		if (i == 2)
			fr_stop(f, 3, 119, "delay_tsc spin_fn kthread ret_from_fork_asm");
		if (i == 3)
			fr_stop(f, 3, 118, NULL);
		open_with_a_trace(f);
		assert_int_equal(f->report->cpus[3].condition, i ? 0 : 1);
		assert_int_equal(only_condition(f)->is_open, !i);
		fr_free(f);
	}
}

/* ---------------------------------------------------------------------- ages */

static struct nmibt_age age_at(const struct fake_report *f, uint64_t ns, uint64_t seq)
{
	return nmibt_age_of(f->report, NMIBT_CLOCK_LOG, ns, seq);
}

static void ages(void **state)
{
	struct fake_report *f = *state;
	uint64_t ns = f->now, seq = fr_record(f);
	char text[96];

	fr_pass(f, 30);
	fr_panic(f, 7, 1, "sysrq triggered crash");
	open_with_a_trace(f);
	struct nmibt_age age = age_at(f, ns, seq);
	assert_int_equal(age.kind, NMIBT_AGE_EXACT);
	assert_int_equal(age.ns, 30 * FR_SECOND);
	assert_false(age.suspended);
	nmibt_format_age(f->report, age, text, sizeof(text));
	assert_string_equal(text, "30 s before the panic");
	assert_int_equal(nmibt_age_of(f->report, NMIBT_CLOCK_NONE, ns, seq).kind,
			 NMIBT_AGE_UNKNOWN);
	/* Printed before the panic by a CPU whose clock is ahead, and the other way round. */
	age = age_at(f, f->now + 300 * FR_SECOND, seq);
	assert_int_equal(age.kind, NMIBT_AGE_UNKNOWN);
	nmibt_format_age(f->report, age, text, sizeof(text));
	assert_string_equal(text, "some time before the panic");
	age = age_at(f, ns, f->seq + 5);
	assert_int_equal(age.kind, NMIBT_AGE_UNKNOWN);
	nmibt_format_age(f->report, age, text, sizeof(text));
	assert_string_equal(text, "some time after the panic");
	age = age_at(f, f->now + 2 * FR_SECOND, f->seq + 5);
	assert_int_equal(age.kind, NMIBT_AGE_EXACT);
	nmibt_format_age(f->report, age, text, sizeof(text));
	assert_string_equal(text, "2.000 s after the panic");
}

static void ages_at_least(void **state)
{
	struct fake_report *f = *state;
	uint64_t ns = f->now, seq = fr_record(f);
	char text[96];

	fr_pass(f, 30);
	open_with_a_trace(f);
	struct nmibt_age age = age_at(f, ns, seq);
	assert_int_equal(age.kind, NMIBT_AGE_AT_LEAST);
	assert_int_equal(age.ns, 30 * FR_SECOND);
	nmibt_format_age(f->report, age, text, sizeof(text));
	assert_string_equal(text, "at least 30 s before the dump");
	/* This CPU's clock is ahead of that of the newest record. */
	assert_int_equal(age_at(f, f->now + 300 * FR_SECOND, seq).kind, NMIBT_AGE_UNKNOWN);
}

static void ages_across_a_suspend(void **state)
{
	struct fake_report *f = *state;
	uint64_t ns = f->now, seq = fr_record(f);
	char text[96];

	fr_event(f, NMIBT_PRINT_SUSPEND);
	fr_event(f, NMIBT_PRINT_SLEPT);
	fr_event(f, NMIBT_PRINT_RESUME);
	uint64_t after = f->seq;
	fr_record(f);
	fr_pass(f, 30);
	fr_panic(f, 7, 1, "sysrq triggered crash");
	fr_event(f, NMIBT_PRINT_RESUME);
	open_with_a_trace(f);
	struct nmibt_age age = age_at(f, ns, seq);
	assert_int_equal(age.kind, NMIBT_AGE_AT_LEAST);
	assert_true(age.suspended);
	nmibt_format_age(f->report, age, text, sizeof(text));
	assert_string_equal(text, "at least 30 s before the panic, suspended in between");
	age = age_at(f, ns, after);
	assert_int_equal(age.kind, NMIBT_AGE_EXACT);
	assert_false(age.suspended);
}

/* Nothing tells whether the machine slept; then it tells that it did not. */
static void ages_across_attempts(void **state)
{
	struct fake_report *f = *state;
	uint64_t ns = f->now, seq = fr_record(f);

	fr_event(f, NMIBT_PRINT_SUSPEND);
	fr_event(f, NMIBT_PRINT_RESUME);
	uint64_t after_first = f->seq;
	fr_record(f);
	fr_event(f, NMIBT_PRINT_SUSPEND);
	fr_event(f, NMIBT_PRINT_NO_SLEEP);
	fr_event(f, NMIBT_PRINT_SLEPT);
	fr_event(f, NMIBT_PRINT_RESUME);
	fr_panic(f, 7, 1, "sysrq triggered crash");
	open_with_a_trace(f);
	struct nmibt_age age = age_at(f, ns, seq);
	assert_int_equal(age.kind, NMIBT_AGE_AT_LEAST);
	assert_false(age.suspended);
	assert_int_equal(age_at(f, ns, after_first).kind, NMIBT_AGE_EXACT);
}

/* Records are lost, and "suspend entry" may have been among them. */
static void suspend_without_beginning(void **state)
{
	struct fake_report *f = *state;
	uint64_t ns = f->now, seq = fr_record(f);

	fr_event(f, NMIBT_PRINT_RESUME);
	fr_event(f, NMIBT_PRINT_RESUME);
	uint64_t between = f->seq;
	fr_record(f);
	fr_gap(f, 1);
	fr_event(f, NMIBT_PRINT_RESUME);
	uint64_t after = f->seq;
	fr_record(f);
	fr_panic(f, 7, 1, "sysrq triggered crash");
	open_with_a_trace(f);
	assert_int_equal(age_at(f, ns, seq).kind, NMIBT_AGE_AT_LEAST);
	assert_int_equal(age_at(f, ns, between).kind, NMIBT_AGE_AT_LEAST);
	assert_int_equal(age_at(f, ns, after).kind, NMIBT_AGE_EXACT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_that_fit),
		TEST(other_caller),
		TEST(report_in_between),
		TEST(suspended_in_between),
		TEST(first_panic),
		TEST(from_outside),
		TEST(words_of_outside),
		TEST(stall_of_a_task),
		TEST(hung_tasks),
		TEST(oops_to_kdump),
		TEST(oops_survived),
		TEST(nobody),
		TEST(one_condition),
		TEST(two_conditions),
		TEST(many_conditions),
		TEST(long_condition),
		TEST(clock_behind),
		TEST(longer_than_the_uptime),
		cmocka_unit_test(closed_by_time),
		TEST(shortest_interval),
		cmocka_unit_test(closed_by_what_is_later),
		TEST(ages),
		TEST(ages_at_least),
		TEST(ages_across_a_suspend),
		TEST(ages_across_attempts),
		TEST(suspend_without_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
