// SPDX-License-Identifier: GPL-2.0-or-later
/* The timeline: which moments are on it, and what it says of a request without answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake-report.h"
#include "kernel-text.h"

#define NR_MANY 500

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

static void check_kinds(const struct fake_report *f, const enum nmibt_moment_kind *kinds, size_t nr)
{
	assert_int_equal(f->report->nr_moments, nr);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(f->report->timeline[i].kind, kinds[i]);
}
#define CHECK_KINDS(f, ...)                                                                        \
	check_kinds(f, (const enum nmibt_moment_kind[]){__VA_ARGS__},                              \
		    sizeof((const enum nmibt_moment_kind[]){__VA_ARGS__}) /                        \
			    sizeof(enum nmibt_moment_kind))

/* Nothing is cut, and the death is the last one. */
static void many_moments(void **state)
{
	struct fake_report *f = *state;

	for (int i = 0; i < NR_MANY; i++) {
		fr_hung_task(f, 7, 100 + i, 122);
		fr_printout(f, NMIBT_PRINT_OOPS, 8, 1, "BUG: kernel NULL pointer dereference");
		fr_pass(f, 1);
	}
	fr_panic(f, 9, 1, "sysrq triggered crash");
	fr_open(f);
	assert_int_equal(f->report->nr_moments, 1 + 2 * NR_MANY + 1);
	assert_int_equal(f->report->timeline[0].kind, NMIBT_MOMENT_FIRST_BAD);
	assert_int_equal(f->report->timeline[2 * NR_MANY].kind, NMIBT_MOMENT_OOPS);
	assert_int_equal(f->report->timeline[2 * NR_MANY + 1].kind, NMIBT_MOMENT_DEATH);
}

/* Of what the tables had no room for, something may have been the first. */
static void first_one_unknown(void **state)
{
	struct fake_report *f = *state;

	fr_printout(f, NMIBT_PRINT_WARNING, 7, 1, "WARNING: CPU: 1 PID: 7 at a.c:1 f+0x1/0x2");
	fr_panic(f, 9, 1, "sysrq triggered crash");
	f->log->nr_dropped = 1;
	fr_open(f);
	CHECK_KINDS(f, NMIBT_MOMENT_DEATH);
}

static void begin_oops(struct fake_report *f, enum nmibt_print kind, uint32_t caller)
{
	size_t i = fr_printout(f, kind, caller, 3, "BUG: kernel NULL pointer dereference");

	f->log->printouts[i - 1].has_ended = false;
}

/* Without an end an oops is not survived. What the panic's own caller has begun may be the panic's
 * reason. */
static void oopses_without_an_end(void **state)
{
	struct fake_report *f = *state;

	fr_printout(f, NMIBT_PRINT_WARNING, 7, 1, "WARNING: CPU: 1 PID: 7 at a.c:1 f+0x1/0x2");
	begin_oops(f, NMIBT_PRINT_OOPS, 8);
	begin_oops(f, NMIBT_PRINT_OOPS_CAUSE, 10);
	begin_oops(f, NMIBT_PRINT_OOPS_CAUSE, 9);
	fr_panic(f, 9, 1, "kernel stack overflow");
	begin_oops(f, NMIBT_PRINT_OOPS, 11);
	fr_open(f);
	CHECK_KINDS(f, NMIBT_MOMENT_FIRST_BAD, NMIBT_MOMENT_UNENDED_OOPS, NMIBT_MOMENT_UNENDED_OOPS,
		    NMIBT_MOMENT_DEATH);
}

/* A sysrq-l to CPUs 2 and 3, which nobody answers, so long before the end of the log. */
static void ask_in_vain(struct fake_report *f, double seconds, bool dies)
{
	fr_trace(f, 0, NMIBT_EVIDENCE_OWN, 0, 0, SPIN(0, 7));
	fr_request(f, 7, 1, 2, 3, 0);
	fr_pass(f, seconds);
	if (dies)
		fr_panic(f, 9, 1, "sysrq triggered crash");
	else
		fr_record(f);
	fr_open(f);
}

static void check_request(const struct fake_report *f, const char *text)
{
	assert_int_equal(f->report->timeline[0].kind, NMIBT_MOMENT_REQUEST);
	assert_string_equal(f->report->timeline[0].text, text);
}

#define ASKED "CPU 1 asked 2 CPUs for backtraces"

/* The kernel waits 10 s for answers. */
static void died_while_it_waited(void **state)
{
	ask_in_vain(*state, 9.9, true);
	check_request(*state, ASKED);
}

static void waited_in_vain(void **state)
{
	ask_in_vain(*state, 10, true);
	check_request(*state, ASKED ", no answer");
}

static void dumped_while_it_waited(void **state)
{
	ask_in_vain(*state, 9.9, false);
	check_request(*state, ASKED);
}

static void dumped_later(void **state)
{
	ask_in_vain(*state, 10, false);
	check_request(*state, ASKED ", no answer");
}

static void answer_may_be_lost(void **state)
{
	fr_gap(*state, 1);
	ask_in_vain(*state, 20, true);
	check_request(*state, ASKED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_moments),	    TEST(first_one_unknown),  TEST(oopses_without_an_end),
		TEST(died_while_it_waited), TEST(waited_in_vain),     TEST(dumped_while_it_waited),
		TEST(dumped_later),	    TEST(answer_may_be_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
