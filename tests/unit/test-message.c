// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The message of the panic, its time and its CPU, where the log and the capture's descriptor have
 * them, or one of both.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake-report.h"
#include "kernel-text.h"

#define HEADING "Kernel panic - not syncing: "
#define REQUEST_NS (200 * FR_SECOND)

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

/* There is a capture that CPU 1 asked for, with this message. */
static struct nmi_capture_desc *add_capture(struct fake_report *f, const char *message)
{
	struct nmibt_sources *sources = f->report->sources;
	struct nmibt_capture *capture = &sources->capture;

	sources->has_capture = true;
	capture->slots = calloc(FR_CPUS, sizeof(*capture->slots));
	capture->slot_known = calloc(FR_CPUS, sizeof(*capture->slot_known));
	assert_true(capture->slots && capture->slot_known);
	memset(capture->slot_known, true, FR_CPUS * sizeof(*capture->slot_known));
	capture->desc = (struct nmi_capture_desc){
		.version = 2,
		.nr_slots = FR_CPUS,
		.generation = 1,
		.state = NMI_CAPTURE_COMPLETE,
		.panic_cpu = 1,
		.from_cpu = 1,
		.asked_local_ns = REQUEST_NS,
		.asked_real_ns = UINT64_C(1700000000) * FR_SECOND,
		.message_len = strlen(message),
	};
	capture->is_message_cut = strlen(message) > 255;
	snprintf((char *)capture->desc.message, sizeof(capture->desc.message), "%s", message);
	return &capture->desc;
}

static const struct nmibt_death *open_it(struct fake_report *f)
{
	fr_trace(f, 0, NMIBT_EVIDENCE_ANSWER, 0, 0, SPIN(0, 7));
	fr_open(f);
	return &f->report->death;
}

/* The log's message, the descriptor's, and which of them stands. */
static void which_stands(void **state)
{
	static const struct {
		const char *logged, *captured, *message;
		bool is_captured, is_disputed;
	} cases[] = {
		{NULL, "a driver", HEADING "a driver", true, false},
		{"a driver", "", HEADING "a driver", false, false},
		{"a driver", "a driver", HEADING "a driver", false, false},
		{"a driver", "another", HEADING "a driver", false, true},
		/* The log's is cut. */
		{"", "a driver", HEADING "a driver", true, false},
		{"a dri", "a driver", HEADING "a driver", true, false},
		/* The descriptor's is the whole one, and shorter. */
		{"a driver", "a dri", HEADING "a driver", false, true},
		/* The log's first line is all that is looked at. */
		{"a driver", "a driver\nmore", HEADING "a driver", false, false},
		{"another", "a driver\nmore", HEADING "another", false, true},
		/* Its first line may be empty. */
		{NULL, "\na driver", HEADING "\na driver", true, false},
		{"", "\na driver", HEADING "\na driver", true, false},
		{"a driver", "\na driver", HEADING "a driver", false, false},
		{"a driver", "\n", HEADING "a driver", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();

		if (cases[i].logged)
			fr_panic(f, 7, 1, cases[i].logged);
		add_capture(f, cases[i].captured);
		const struct nmibt_death *death = open_it(f);
		assert_string_equal(death->message, cases[i].message);
		if (death->is_message_captured != cases[i].is_captured ||
		    death->is_message_disputed != cases[i].is_disputed)
			fail_msg("case %zu: captured %d, disputed %d", i,
				 death->is_message_captured, death->is_message_disputed);
		assert_int_equal(death->has_seq, cases[i].logged != NULL);
		fr_free(f);
	}
}

/* What the descriptor cut is the beginning of what the log has, or of nothing known. */
static void cut(void **state)
{
	char whole[300], other[300], logged[400];

	(void)state;
	memset(whole, 'x', sizeof(whole) - 1);
	whole[sizeof(whole) - 1] = '\0';
	strcpy(other, whole);
	other[100] = 'y';
	for (int i = 0; i < 3; i++) {
		struct fake_report *f = fr_new();

		snprintf(logged, sizeof(logged), HEADING "%s", i == 1 ? whole : other);
		if (i)
			fr_printout(f, NMIBT_PRINT_PANIC, 7, 1, logged);
		add_capture(f, whole);
		const struct nmibt_death *death = open_it(f);
		assert_int_equal(death->is_message_captured, i == 0);
		assert_int_equal(death->is_message_disputed, i == 2);
		if (!i)
			assert_string_equal(death->message + strlen(HEADING) + 254, "x...");
		fr_free(f);
	}
}

/* What is shown of it is its first line with a word. */
static void newlines(void **state)
{
	(void)state;
	struct nmibt_str words = nmibt_panic_words(HEADING "\n\na driver\nmore");

	assert_true(nmibt_str_is(words, "a driver"));
	assert_int_equal(nmibt_panic_words(HEADING "\n").len, 0);
	struct fake_report *f = fr_new();
	add_capture(f, "\n\n");
	assert_null(open_it(f)->message);
	fr_free(f);
}

/* A request that was never made has no message. */
static void no_request(void **state)
{
	struct fake_report *f = *state;

	add_capture(f, "a driver")->generation = 0;
	const struct nmibt_death *death = open_it(f);
	assert_false(death->is_known);
	assert_null(death->captured);
	assert_false(f->report->case_info.has_time);
}

/* ------------------------------------------------------------------- its cause */

static size_t cause_of(struct fake_report *f, const char *message)
{
	add_capture(f, message);
	return open_it(f)->cause;
}

/* The reporter's newest report, if the words fit. */
static void cause(void **state)
{
	struct fake_report *f = *state;
	size_t lockup = fr_lockup(f, NMIBT_PRINT_HARD_LOCKUP, 7, 1, 2, 0);

	fr_lockup(f, NMIBT_PRINT_HARD_LOCKUP, 8, 3, 4, 0);
	assert_int_equal(cause_of(f, "Hard LOCKUP"), lockup);
	assert_true(f->report->death.subjects[2]);
	assert_int_equal(f->report->death.nr_subjects, 1);
	assert_string_equal(f->report->case_info.setting, "kernel.hardlockup_panic");

	struct fake_report *g = fr_new();
	fr_lockup(g, NMIBT_PRINT_HARD_LOCKUP, 7, 1, 2, 0);
	assert_int_equal(cause_of(g, "sysrq triggered crash"), 0);
	assert_true(g->report->death.subjects[1]);
	fr_free(g);
	g = fr_new();
	fr_lockup(g, NMIBT_PRINT_HARD_LOCKUP, 7, 1, 2, 0);
	fr_lockup(g, NMIBT_PRINT_STALL, 7, 1, 3, 21);
	assert_int_equal(cause_of(g, "Hard LOCKUP"), 0);
	fr_free(g);
}

/* Behind lost records only a report of shortly before is the cause. */
static void cause_behind_a_gap(void **state)
{
	struct fake_report *f = *state;

	fr_lockup(f, NMIBT_PRINT_HARD_LOCKUP, 7, 1, 2, 0);
	fr_gap(f, 1);
	fr_record(f);
	assert_int_equal(cause_of(f, "Hard LOCKUP"), 0);

	struct fake_report *g = fr_new();
	g->now = REQUEST_NS - FR_SECOND;
	size_t lockup = fr_lockup(g, NMIBT_PRINT_HARD_LOCKUP, 7, 1, 2, 0);
	fr_gap(g, 1);
	fr_record(g);
	assert_int_equal(cause_of(g, "Hard LOCKUP"), lockup);
	fr_free(g);
}

/* A report that was printed after the request was not what led to it. */
static void cause_after_the_request(void **state)
{
	struct fake_report *f = *state;

	f->now = REQUEST_NS + FR_SECOND;
	fr_lockup(f, NMIBT_PRINT_HARD_LOCKUP, 7, 1, 2, 0);
	assert_int_equal(cause_of(f, "Hard LOCKUP"), 0);

	/* Two CPUs' clocks differ a little. */
	struct fake_report *g = fr_new();
	g->now = REQUEST_NS + FR_SECOND / 1000;
	size_t lockup = fr_lockup(g, NMIBT_PRINT_HARD_LOCKUP, 7, 1, 2, 0);
	assert_int_equal(cause_of(g, "Hard LOCKUP"), lockup);
	fr_free(g);
}

static void outside(void **state)
{
	struct fake_report *f = *state;

	add_capture(f, "NMI: Not continuing");
	const struct nmibt_death *death = open_it(f);
	assert_non_null(death->from_outside);
	assert_int_equal(death->nr_subjects, 0);
	/* hpwdt puts two hexadecimal digits before its words, and no others. */
	assert_non_null(nmibt_from_outside(nmibt_str_of("0a: NMI: Not continuing")));
	assert_null(nmibt_from_outside(nmibt_str_of("xy: NMI: Not continuing")));
	assert_null(nmibt_from_outside(nmibt_str_of("1: NMI: Not continuing")));
	assert_null(nmibt_from_outside(nmibt_str_of("NMI: Not continuing today")));
	assert_null(nmibt_from_outside(nmibt_str_of("")));
}

/* ----------------------------------------------------------------- CPU and time */

static void moved(void **state)
{
	static const struct {
		uint32_t from, on, reporter, moved_to;
	} cases[] = {
		{1, 1, 1, NMIBT_NO_CPU},
		{2, 1, 2, 1},
		{NMIBT_NO_CPU, 1, 1, NMIBT_NO_CPU},
		{2, NMIBT_NO_CPU, 2, NMIBT_NO_CPU},
		{NMIBT_NO_CPU, NMIBT_NO_CPU, NMIBT_NO_CPU, NMIBT_NO_CPU},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();
		struct nmi_capture_desc *desc = add_capture(f, "a driver");

		desc->from_cpu = cases[i].from;
		desc->panic_cpu = cases[i].on;
		const struct nmibt_death *death = open_it(f);
		assert_int_equal(death->reporter, cases[i].reporter);
		assert_int_equal(death->moved_to, cases[i].moved_to);
		fr_free(f);
	}
}

/* The capture was of another CPU's oops, and the machine lived on until a panic. */
static void panic_of_another_cpu(void **state)
{
	static const struct {
		uint32_t from, on, by; /* by: the CPU that printed the panic */
		const char *captured;
		uint32_t reporter, moved_to;
	} cases[] = {
		{1, 1, 3, "", 3, NMIBT_NO_CPU},
		{1, 1, 3, "an oops", 3, NMIBT_NO_CPU},
		{1, 1, 3, "a driver", 1, NMIBT_NO_CPU}, /* it is the same panic */
		{1, 1, NMIBT_NO_CPU, "", 1, NMIBT_NO_CPU},
		{2, 1, 1, "", 2, 1},
		{2, 1, 2, "", 2, 1},
		{2, 1, 3, "", 3, NMIBT_NO_CPU},
		{NMIBT_NO_CPU, NMIBT_NO_CPU, 3, "", NMIBT_NO_CPU, NMIBT_NO_CPU},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();
		struct nmi_capture_desc *desc = add_capture(f, cases[i].captured);

		fr_panic(f, 7, cases[i].by, "a driver");
		desc->from_cpu = cases[i].from;
		desc->panic_cpu = cases[i].on;
		const struct nmibt_death *death = open_it(f);
		if (death->reporter != cases[i].reporter || death->moved_to != cases[i].moved_to)
			fail_msg("case %zu: reporter %u, moved to %u", i, death->reporter,
				 death->moved_to);
		fr_free(f);
	}
}

/* As above, but the other CPU oopsed, and went to kdump without a panic in the log. */
static void oops_of_another_cpu(void **state)
{
	static const struct {
		int panic_cpu;
		int oops; /* seconds from the request to an oops of that CPU; -1: it is not in the log */
		unsigned int end; /* to the log's newest record */
		uint32_t reporter;
		bool is_anothers, is_older;
		uint64_t outlived; /* seconds */
		bool has_request;
		const char *lead;
	} cases[] = {
		{3, -1, 3600, 3, true, true, 0, false, "some time before the death"},
		{3, -1, 1, 3, true, true, 0, false, "some time before the death"},
		{3, 3600, 3600, 3, true, true, 0, true, "60 min before the death"},
		{3, 11, 3600, 3, true, true, 0, true, "11 s before the death"},
		{3, 2, 3600, 3, true, false, 0, true, "2.000 s before the death"},
		/* Its clock is behind: the time between is not known. */
		{3, -2, 3600, 3, true, true, 0, false, "some time before the death"},
		/* A CPU that was not stopped prints, or the clocks differ. */
		{1, -1, 3600, 1, false, false, 3600, false, ""},
		{1, -2, 3600, 1, false, false, 3600, false, ""},
		{-1, -1, 3600, 1, false, false, 3600, false, ""},
		{1, -1, 5, 1, false, false, 0, true, ""},
		/* It oopsed once more. */
		{1, 3600, 3600, 1, false, true, 0, true, "60 min before the death"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();
		struct nmi_capture_desc *desc = add_capture(f, "");
		char lead[64];

		desc->from_cpu = desc->panic_cpu = 1;
		desc->flags = NMI_CAPTURE_F_CRASH_KEXEC;
		f->report->was_stopped = true;
		fr_panic_cpu(f, cases[i].panic_cpu);
		f->now = REQUEST_NS + cases[i].oops * FR_SECOND;
		size_t oops = cases[i].oops == -1 ? 0
						  : fr_printout(f, NMIBT_PRINT_OOPS, 7,
								cases[i].panic_cpu, "Oops: 0000");
		if (oops)
			f->log->printouts[oops - 1].has_ended = false;
		f->now = REQUEST_NS + cases[i].end * FR_SECOND;
		fr_record(f);
		const struct nmibt_death *death = open_it(f);
		nmibt_format_lead(f->report, lead, sizeof(lead));
		if (death->reporter != cases[i].reporter || death->moved_to != NMIBT_NO_CPU ||
		    death->is_capture_anothers != cases[i].is_anothers ||
		    death->is_capture_older != cases[i].is_older ||
		    death->outlived_ns != cases[i].outlived * FR_SECOND ||
		    death->has_request_ns != cases[i].has_request || strcmp(lead, cases[i].lead))
			fail_msg("case %zu: reporter %u, another's %d, older %d, outlived %" PRIu64
				 " ns, request %d, '%s'",
				 i, death->reporter, death->is_capture_anothers,
				 death->is_capture_older, death->outlived_ns, death->has_request_ns,
				 lead);
		assert_true(f->report->complete);
		assert_string_equal(f->report->sources->capture.damage, "");
		fr_free(f);
	}
}

/* CPU 1 asked for the capture as it oopsed; then a CPU printed its panic. */
static void panic_behind_a_capture(void **state)
{
	static const struct {
		uint32_t by; /* the CPU that printed it */
		int ms; /* from the request to it */
		const char *captured;
		bool is_anothers, is_older;
		const char *stale;
	} cases[] = {
		{3, 30, "", true, false, "was written 0.030 s before the panic, as CPU 1 asked"},
		{3, -3, "", true, false, "was written shortly before the panic, as CPU 1 asked"},
		{3, 60000, "", true, true, "was written 60 s before the panic, as CPU 1 asked"},
		{3, -60000, "", true, true,
		 "was written some time before the panic, as CPU 1 asked"},
		{1, 3, "", false, false, "answers an earlier request than the last one"},
		{1, 60000, "a driver", false, false,
		 "answers an earlier request than the last one"},
		/* The kernel takes the capture for old, and does not note the message. */
		{1, 60000, "", false, true, "was written 60 s before the panic, as CPU 1 asked"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();
		struct nmi_capture_desc *desc = add_capture(f, cases[i].captured);
		char stale[96];

		desc->flags = NMI_CAPTURE_F_CRASH_KEXEC;
		f->now = REQUEST_NS + cases[i].ms * (int64_t)1000000;
		fr_panic(f, 7, cases[i].by, "a driver");
		const struct nmibt_death *death = open_it(f);
		nmibt_format_stale(f->report, stale, sizeof(stale));
		if (death->is_capture_anothers != cases[i].is_anothers ||
		    death->is_capture_older != cases[i].is_older || strcmp(stale, cases[i].stale))
			fail_msg("case %zu: another's %d, older %d, '%s'", i,
				 death->is_capture_anothers, death->is_capture_older, stale);
		assert_int_equal(f->report->case_info.has_time,
				 !cases[i].is_anothers && !cases[i].is_older);
		fr_free(f);
	}
}

/* Without the panic's record ages count to the request, and the uptime is that of the request. */
static void ages(void **state)
{
	struct fake_report *f = *state;
	uint64_t ns = f->now, seq = fr_record(f);
	char words[96];

	add_capture(f, "a driver");
	open_it(f);
	struct nmibt_age age = nmibt_age_of(f->report, NMIBT_CLOCK_LOG, ns, seq);
	assert_int_equal(age.kind, NMIBT_AGE_EXACT);
	assert_int_equal(age.ns, 100 * FR_SECOND);
	nmibt_format_age(f->report, age, words, sizeof(words));
	assert_string_equal(words, "100 s before the capture");
	assert_true(f->report->case_info.has_uptime && !f->report->case_info.is_uptime_least);
	assert_int_equal(f->report->case_info.uptime_ns, REQUEST_NS);
	age = nmibt_age_of(f->report, NMIBT_CLOCK_LOG, REQUEST_NS + FR_SECOND, seq + 1);
	assert_int_equal(age.ns, -(int64_t)FR_SECOND);

	/* Without the local time the log's newest record is all that is known. */
	struct fake_report *g = fr_new();
	ns = g->now, seq = fr_record(g);
	add_capture(g, "a driver")->asked_local_ns = 0;
	open_it(g);
	assert_int_equal(nmibt_age_of(g->report, NMIBT_CLOCK_LOG, ns, seq).kind,
			 NMIBT_AGE_AT_LEAST);
	assert_true(g->report->case_info.is_uptime_least);
	fr_free(g);
}

/* The log goes on for too long after a request before kdump: its time is not that of the death. */
static void time_against_the_log(void **state)
{
	static const struct {
		uint32_t flags;
		bool was_stopped;
		unsigned int seconds; /* from the request to the log's newest record */
		bool is_dated;
	} cases[] = {
		{NMI_CAPTURE_F_CRASH_KEXEC, true, 3600, false},
		{NMI_CAPTURE_F_CRASH_KEXEC, true, 5, true},
		{NMI_CAPTURE_F_CRASH_KEXEC, false, 3600,
		 true}, /* the machine did not go to kdump */
		{0, true, 3600, true}, /* panic() may do much before that */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();

		add_capture(f, "a driver")->flags = cases[i].flags;
		f->report->was_stopped = cases[i].was_stopped;
		f->now = REQUEST_NS + cases[i].seconds * FR_SECOND;
		uint64_t ns = f->now, seq = fr_record(f);
		open_it(f);
		assert_int_equal(f->report->death.has_request_ns, cases[i].is_dated);
		assert_true(f->report->complete);
		assert_string_equal(f->report->sources->capture.damage, "");
		assert_int_equal(nmibt_age_of(f->report, NMIBT_CLOCK_LOG, ns, seq).kind,
				 cases[i].is_dated ? NMIBT_AGE_EXACT : NMIBT_AGE_AT_LEAST);
		fr_free(f);
	}
}

static void time_of_death(void **state)
{
	struct fake_report *f = *state;

	add_capture(f, "a driver");
	open_it(f);
	assert_true(f->report->case_info.has_time);
	assert_int_equal(f->report->case_info.time, 1700000000);

	struct fake_report *g = fr_new();
	add_capture(g, "a driver");
	g->report->kernel->vmcoreinfo.crashtime = (struct nmibt_number){true, 1700000007};
	open_it(g);
	assert_int_equal(g->report->case_info.time, 1700000007);
	fr_free(g);
	g = fr_new();
	add_capture(g, "a driver")->asked_real_ns = 60 * FR_SECOND;
	open_it(g);
	assert_false(g->report->case_info.has_time);
	fr_free(g);
}

static void taint(void **state)
{
	static const struct {
		uint64_t mask;
		const char *logged, *taint;
	} cases[] = {
		{0, NULL, "Not tainted"},
		{1, NULL, "Tainted: P"},
		{0x1200, NULL, "Tainted: G        W  O"},
		{UINT64_C(1) << 19, NULL, "Tainted: G                  J"},
		/* The same in the log's own form; and what came later than the log's line. */
		{0x1200, "Tainted: G    W O", "Tainted: G    W O"},
		{0, "Not tainted", "Not tainted"},
		{0x200, "Not tainted", "Tainted: G        W"},
		/* A later kernel: its log has a letter for a bit that nmibt does not know. */
		{0x40000200, "Tainted: G        W  Z", "Tainted: G        W  Z"},
		{0x40000200, "Tainted: G           Z", "Tainted: G        W          "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_report *f = fr_new();

		add_capture(f, "a driver")->taint = cases[i].mask;
		if (cases[i].logged)
			f->log->taint = strdup(cases[i].logged);
		open_it(f);
		assert_string_equal(f->report->case_info.taint, cases[i].taint);
		fr_free(f);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_stands),
		cmocka_unit_test(cut),
		cmocka_unit_test(newlines),
		TEST(no_request),
		TEST(cause),
		TEST(cause_behind_a_gap),
		TEST(cause_after_the_request),
		TEST(outside),
		cmocka_unit_test(moved),
		cmocka_unit_test(panic_of_another_cpu),
		cmocka_unit_test(oops_of_another_cpu),
		cmocka_unit_test(panic_behind_a_capture),
		TEST(ages),
		cmocka_unit_test(time_against_the_log),
		TEST(time_of_death),
		cmocka_unit_test(taint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
