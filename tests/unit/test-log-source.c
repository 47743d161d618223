// SPDX-License-Identifier: GPL-2.0-or-later
/* Backtraces from the records of a log: as kernels print them, and as no kernel does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "source/printouts.h"
#include "kernel-text.h"

#define NEWLINE 2
#define CONT 8
#define IRQ(cpu) (0x80000000 + (cpu)) /* caller_id of an NMI or interrupt on cpu */
#define MS UINT64_C(1000000)

struct log {
	struct nmibt_log_source *log;
	enum nmibt_arch arch;
	uint64_t seq, ts_ns; /* of the next record */
	size_t missing; /* bytes behind the text of the next record */
	unsigned int facility; /* of the next records */
};

/* Begins a new log. */
static void use(struct log *l, enum nmibt_arch arch)
{
	nmibt_log_source_close(l->log);
	assert_null(nmibt_log_source_new(arch, &l->log));
	*l = (struct log){.log = l->log, .arch = arch, .ts_ns = 5000 * MS};
}

static int setup(void **state)
{
	struct log *l = calloc(1, sizeof(*l));

	if (!l)
		return -1;
	use(l, NMIBT_ARCH_X86_64);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct log *l = *state;

	nmibt_log_source_close(l->log);
	free(l);
	return 0;
}

/* Adds a record whose text is allocated for itself, so that a sanitizer sees reads beyond it. */
static void add(struct log *l, uint32_t caller, unsigned int flags, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);

	memcpy(copy, text, len);
	struct nmibt_log_record record = {.seq = l->seq++,
					  .ts_ns = l->ts_ns,
					  .caller_id = caller,
					  .flags = flags,
					  .facility = l->facility,
					  .text = copy,
					  .len = len,
					  .missing = l->missing};
	nmibt_log_source_visit(l->log, &record);
	free(copy);
	l->ts_ns += MS;
	l->missing = 0;
}

static void say_part(struct log *l, uint32_t caller, unsigned int flags, const char *text)
{
	add(l, caller, flags, text, strlen(text));
}

/* Adds a record of the first line; returns the rest. */
static const char *say_line(struct log *l, uint32_t caller, const char *lines)
{
	size_t len = strcspn(lines, "\n");

	add(l, caller, NEWLINE, lines, len);
	return lines + len + (lines[len] != '\0');
}

static void say(struct log *l, uint32_t caller, const char *lines)
{
	while (*lines)
		lines = say_line(l, caller, lines);
}

/* Adds records of both callers, line by line in turns. */
static void say_both(struct log *l, uint32_t a, const char *of_a, uint32_t b, const char *of_b)
{
	while (*of_a || *of_b) {
		if (*of_a)
			of_a = say_line(l, a, of_a);
		if (*of_b)
			of_b = say_line(l, b, of_b);
	}
}

static void finish(struct log *l)
{
	assert_null(nmibt_log_source_finish(l->log));
}

static void check_text(const struct nmibt_log_trace *trace, const char *expected)
{
	if (trace->len != strlen(expected) || memcmp(trace->raw, expected, trace->len))
		fail_msg("CPU %d has\n%.*s\nand not\n%s", (int)trace->cpu, (int)trace->len,
			 trace->raw, expected);
	for (size_t i = 0; i < trace->len; i++)
		assert_true(trace->known[i]);
}

/* Index + 1 of the CPU's nth trace, the newest first. */
static size_t find_trace(const struct log *l, unsigned int cpu, unsigned int nth)
{
	size_t i = l->log->newest[cpu];

	while (i && nth--)
		i = l->log->traces[i - 1].older;
	return i;
}

static const struct nmibt_log_trace *nth_trace(const struct log *l, unsigned int cpu,
					       unsigned int nth)
{
	size_t i = find_trace(l, cpu, nth);

	if (!i)
		fail_msg("CPU %u has no trace %u", cpu, nth);
	assert_int_equal(l->log->traces[i - 1].cpu, cpu);
	return &l->log->traces[i - 1];
}

/* Trace i of the log, counted from 0. */
static const struct nmibt_log_trace *trace_at(const struct log *l, size_t i)
{
	assert_true(i < l->log->nr_traces);
	return &l->log->traces[i];
}

/* Checks the CPU's only trace, and returns it. */
static const struct nmibt_log_trace *check_trace(const struct log *l, unsigned int cpu,
						 enum nmibt_evidence_kind kind, size_t request,
						 const char *text)
{
	const struct nmibt_log_trace *trace = nth_trace(l, cpu, 0);

	assert_int_equal(trace->older, 0);
	assert_int_equal(trace->kind, kind);
	assert_int_equal(trace->request, request);
	assert_int_equal(trace->wrong, 0);
	check_text(trace, text);
	return trace;
}

/* Checks printout i of the log, counted from 0, and returns it. */
static const struct nmibt_printout *check_printout(const struct log *l, size_t i,
						   enum nmibt_print kind, uint32_t reporter,
						   const char *message)
{
	const struct nmibt_printout *printout = &l->log->printouts[i];

	assert_true(i < l->log->nr_printouts);
	assert_int_equal(printout->kind, kind);
	assert_int_equal(printout->reporter, reporter);
	assert_string_equal(printout->message, message);
	return printout;
}

static const struct nmibt_request *check_request(const struct log *l, size_t number,
						 uint32_t by_cpu, unsigned int nr_asked)
{
	assert_true(number && number <= l->log->nr_requests);
	const struct nmibt_request *request = &l->log->requests[number - 1];

	assert_int_equal(request->by_cpu, by_cpu);
	assert_int_equal(nmibt_cpus_count(&request->asked), nr_asked);
	return request;
}

/* How many runs of unknown bytes the trace has. */
static unsigned int count_holes(const struct nmibt_log_trace *trace)
{
	unsigned int count = 0;

	for (size_t i = 0; i < trace->len; i++)
		count += !trace->known[i] && (!i || trace->known[i - 1]);
	return count;
}

static bool holds(const struct nmibt_log_trace *trace, const char *what)
{
	return memmem(trace->raw, trace->len, what, strlen(what));
}

/* The evidence of trace i; the caller destroys it. */
static struct nmibt_evidence read_evidence(const struct log *l, size_t i)
{
	struct nmibt_evidence evidence;

	assert_null(nmibt_read_log_trace(l->log, l->arch, i, &evidence));
	return evidence;
}

/* ------------------------------------------------------------------- streams */

static void nothing(void **state)
{
	struct log *l = *state;

	say(l, 1, "Linux version 6.12 (a@b) #1\n leading space\nRIP: 0010:no_trace+0x1/0x2\n\n");
	finish(l);
	assert_int_equal(l->log->nr_traces, 0);
	assert_int_equal(l->log->nr_requests, 0);
	assert_int_equal(l->log->nr_records, 4);
	assert_false(l->log->is_wrapped);
	assert_int_equal(l->log->nr_printouts, 0);
	assert_int_equal(l->log->nr_gaps, 0);
	assert_int_equal(l->log->nr_events, 1);
}

static void two_at_once(void **state)
{
	struct log *l = *state;
	uint64_t begun = l->ts_ns;

	say_both(l, IRQ(3), IDLE(3), IRQ(7), SPIN(7, 118));
	uint64_t nr = l->seq;
	finish(l);
	assert_int_equal(l->log->nr_traces, 2);
	const struct nmibt_log_trace *trace = check_trace(l, 3, NMIBT_EVIDENCE_ANSWER, 0, IDLE(3));
	assert_int_equal(trace->first_seq, 0);
	assert_int_equal(trace->last_seq, nr - 1);
	assert_int_equal(trace->begun_ns, begun);
	assert_int_equal(trace->ended_ns, begun + (nr - 1) * MS);
	trace = check_trace(l, 7, NMIBT_EVIDENCE_ANSWER, 0, SPIN(7, 118));
	assert_int_equal(trace->first_seq, 1);
	assert_true(trace->last_seq < nr - 1);
	assert_ptr_equal(trace, &l->log->traces[1]);
}

/* A task is interrupted while it prints; its own lines belong to no trace. */
static void task_beside(void **state)
{
	struct log *l = *state;

	say_both(l, IRQ(3), IDLE(3), 118, "usb 1-1: one\n two\nCode: three\nx4: four\n");
	finish(l);
	assert_int_equal(l->log->nr_traces, 1);
	check_trace(l, 3, NMIBT_EVIDENCE_ANSWER, 0, IDLE(3));
}

/* show_regs() prints "RSP: ..." and the newline separately, and another CPU may have printed in
 * between. */
static void cut_line(void **state)
{
	struct log *l = *state;

	say(l, IRQ(7), IDLE_HEAD(7));
	say_part(l, IRQ(7), 0, IDLE_RSP);
	say(l, IRQ(0), TOO_LONG);
	say(l, IRQ(3), IDLE(3));
	say_part(l, IRQ(7), CONT | NEWLINE, "");
	say(l, IRQ(7), IDLE_TAIL);
	finish(l);
	assert_int_equal(l->log->nr_traces, 2);
	check_trace(l, 7, NMIBT_EVIDENCE_ANSWER, 0, IDLE(7));
	check_trace(l, 3, NMIBT_EVIDENCE_ANSWER, 0, IDLE(3));
}

/* The end of a line may look like the beginning of something else. */
static void fragments(void **state)
{
	struct log *l = *state;

	say(l, IRQ(2), TITLE(2) "Call Trace:\n");
	say_part(l, IRQ(2), 0, " one+0x1");
	say_part(l, IRQ(2), CONT, "/0x2 not a frame,");
	say_part(l, IRQ(2), CONT | NEWLINE, " and more");
	/* No record continues this line... */
	say_part(l, IRQ(2), 0, " two+0x1/0x2");
	say_part(l, IRQ(2), NEWLINE, " three+0x1/0x2");
	/* ...and this one continues no line. */
	say_part(l, IRQ(2), CONT | NEWLINE, " four+0x1/0x2");
	say_part(l, IRQ(2), 0, " five+0x1/0x2");
	finish(l);
	check_text(nth_trace(l, 2, 0),
		   TITLE(2) "Call Trace:\n one+0x1/0x2 not a frame, and more\n two+0x1/0x2\n"
			    " three+0x1/0x2\n four+0x1/0x2\n five+0x1/0x2\n");
	/* The last line was being written. */
	assert_int_equal(nth_trace(l, 2, 0)->wrong, NMIBT_WRONG_TORN);
}

static void missing_bytes(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3));
	l->missing = 7;
	say_part(l, IRQ(3), NEWLINE, "RIP: 0010:cut_");
	l->missing = 1;
	say_part(l, IRQ(3), 0, "RSP: 0018:");
	say(l, IRQ(3), SPIN_TRACE);
	finish(l);

	static const char expected[] =
		TITLE(3) "RIP: 0010:cut_\0\0\0\0\0\0\0\nRSP: 0018:\0\n" SPIN_TRACE;
	const struct nmibt_log_trace *trace = nth_trace(l, 3, 0);
	assert_int_equal(trace->len, sizeof(expected) - 1);
	assert_memory_equal(trace->raw, expected, trace->len);
	for (size_t i = 0; i < trace->len; i++)
		assert_int_equal(trace->known[i], expected[i] != '\0');
	assert_int_equal(trace->wrong, NMIBT_WRONG_DAMAGED);
}

/* The last word of a line that is cut may have been longer. */
static void cut_words(void **state)
{
	static const char *const lines[] = {
		"Watchdog detected hard LOCKUP on cpu 1",
		"NMI backtrace for cpu 1",
		"smpboot: CPU 1 is now offlin",
		"INFO: task a:1",
		"Sending NMI from CPU 1",
	};
	struct log *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		l->missing = 1;
		say_part(l, IRQ(3), NEWLINE, lines[i]);
	}
	l->missing = 5;
	say_part(l, IRQ(2), NEWLINE, "BUG: soft lockup - CPU#2 stuck for 12");
	l->missing = 5;
	say_part(l, IRQ(2), NEWLINE, "Hardware name: QEMU St");
	finish(l);
	assert_int_equal(l->log->nr_traces, 0);
	assert_int_equal(l->log->nr_printouts, 1);
	check_printout(l, 0, NMIBT_PRINT_SOFT_LOCKUP, 2,
		       "BUG: soft lockup - CPU#2 stuck for 12...");
	assert_false(l->log->printouts[0].has_seconds);
	assert_true(nmibt_cpus_has(&l->log->printouts[0].cpus, 2));
	assert_int_equal(l->log->nr_gaps, ARRAY_SIZE(lines));
	assert_int_equal(l->log->nr_cut, ARRAY_SIZE(lines) + 2);
	assert_null(l->log->hardware);
}

/* A record has several lines, and one has a last line that continues in the next record. */
static void lines_in_records(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3));
	say_part(l, IRQ(3), NEWLINE, "a line of\na driver's");
	say_part(l, IRQ(3), 0, "another in\ntwo lines");
	say_part(l, IRQ(3), CONT | NEWLINE, ", and two pieces");
	say(l, IRQ(3), "Call Trace:\n <TASK>\n one+0x1/0x2\n </TASK>\n" TOO_LONG);
	say_part(l, 1, NEWLINE, "Kernel panic - not syncing: HYP panic:\nPS:600003c9 PC:0");
	say(l, 1, INFO(2, 1, "init") SPIN_TRACE);
	finish(l);
	check_trace(l, 3, NMIBT_EVIDENCE_ANSWER, 0,
		    TITLE(3) "a line of\na driver's\nanother in\ntwo lines, and two pieces\n"
			     "Call Trace:\n <TASK>\n one+0x1/0x2\n </TASK>\n");
	check_text(nth_trace(l, 2, 0),
		   PANIC_SAYS("HYP panic:") "PS:600003c9 PC:0\n" INFO(2, 1, "init") SPIN_TRACE);
	check_printout(l, 0, NMIBT_PRINT_PANIC, 2, "Kernel panic - not syncing: HYP panic:");
}

/* A name may have a newline in it, and what is behind or before that is not the kernel's. */
static void names_with_newlines(void **state)
{
	static const char *const lines[] = {
		PANIC_SAYS("x"),
		"Bye!\n",
		"smpboot: CPU 2 is now offline\n",
		TITLE(2),
		"Call Trace:\n",
		" two+0x1/0x2\n",
		"Oops: 0000 [#1] SMP\n",
		"RIP: 0033:0x401\n",
		"PM: suspend entry (deep)\n",
	};
	struct log *l = *state;
	char text[256];

	say(l, 1, TITLE(3));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(text, sizeof(text), "usb 1-1: Product: K\n%srest", lines[i]);
		say_part(l, 7, NEWLINE, text);
		snprintf(text, sizeof(text), "usb 1-1: Product: K\n%s", lines[i]);
		say_part(l, 7, 0, text);
		say_part(l, 7, CONT | NEWLINE, "[300]: segfault");
	}
	say_part(l, 7, NEWLINE, "Bye!\n[300]: segfault");
	say_part(l, 7, NEWLINE, "Oops[#1]:\n[300]: segfault");
	say_part(l, 7, NEWLINE, "CPU2: stopping\n[300]: segfault");
	say_part(l, 1, NEWLINE, "CPU: 3 PID: 1 Comm: a\nRIP: 0033:\n Not tainted 6.12");
	say_part(l, 1, NEWLINE, "Hardware name: \0016RIP: 0033:0x401");
	finish(l);
	check_text(nth_trace(l, 3, 0), TITLE(3) "CPU: 3 PID: 1 Comm: a\n Not tainted 6.12\n"
						"Hardware name: \0016RIP: 0033:0x401\n");
	assert_int_equal(l->log->nr_traces, 1);
	assert_int_equal(l->log->nr_printouts, 0);
	assert_int_equal(l->log->nr_events, 0);
	assert_false(l->log->hotplug[2].is_known);
	struct nmibt_evidence evidence;
	assert_null(nmibt_read_log_trace(l->log, l->arch, 0, &evidence));
	assert_false(evidence.is_user);
	nmibt_evidence_destroy(&evidence);
}

/* ------------------------------------------------------------------ the clock */

/* With a slow console any time may pass between two lines, and more within a report. */
static void slow_console(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3) "Call Trace:\n one+0x1/0x2\n");
	l->ts_ns += 3000 * MS;
	say(l, IRQ(3), " two+0x1/0x2\n");
	l->ts_ns += 600000 * MS;
	say(l, IRQ(3), " three+0x1/0x2\n");
	say(l, 1, PANIC_SAYS("softlockup: hung tasks"));
	l->ts_ns += 3000 * MS;
	say(l, 1, INFO(2, 1, "init"));
	l->ts_ns += 300000 * MS;
	say(l, 1, SPIN_TRACE);
	finish(l);
	check_trace(l, 3, NMIBT_EVIDENCE_ANSWER, 0,
		    TITLE(3) "Call Trace:\n one+0x1/0x2\n two+0x1/0x2\n three+0x1/0x2\n");
	const struct nmibt_log_trace *own = nth_trace(l, 2, 0);
	check_text(own, PANIC_SAYS("softlockup: hung tasks") INFO(2, 1, "init") SPIN_TRACE);
	assert_int_equal(own->printout, 1);
	assert_true(own->has_ended);
	check_printout(l, 0, NMIBT_PRINT_PANIC, 2,
		       "Kernel panic - not syncing: softlockup: hung tasks");
}

/* A task may continue on a CPU whose clock is a little behind. */
static void clock_behind(void **state)
{
	struct log *l = *state;

	say(l, 118, TITLE(3) "Call Trace:\n one+0x1/0x2\n");
	l->ts_ns -= 5 * MS;
	say(l, 118, " two+0x1/0x2\n" SENDING(3, "1"));
	finish(l);
	check_trace(l, 3, NMIBT_EVIDENCE_ANSWER, 1,
		    TITLE(3) "Call Trace:\n one+0x1/0x2\n two+0x1/0x2\n");
}

/* ----------------------------------------------------------------- user mode */

static void user_mode(void **state)
{
	struct log *l = *state;

	say(l, IRQ(5), USER(5, 128));
	/* No part of it can be missing. */
	assert_true(nth_trace(l, 5, 0)->has_ended);
	say(l, IRQ(5), TOO_LONG);
	say(l, IRQ(2), USER(2, 127) " a space\nRAX: none of it\n" TITLE(4));
	finish(l);
	assert_int_equal(l->log->nr_traces, 3);
	check_trace(l, 5, NMIBT_EVIDENCE_ANSWER, 0, USER(5, 128));
	check_trace(l, 2, NMIBT_EVIDENCE_ANSWER, 0, USER(2, 127));
}

/* A 32-bit program. */
static void compat_user_mode(void **state)
{
	static const char text[] = TITLE(5) INFO(5, 128, "sh") "RIP: 0023:0xf7f0a549\n"
							       "FS:  0000000000000000 GS:  0\n";
	struct log *l = *state;

	say(l, IRQ(5), text);
	say(l, IRQ(5), TOO_LONG);
	finish(l);
	check_trace(l, 5, NMIBT_EVIDENCE_ANSWER, 0, text);
}

static void arm64_user_mode(void **state)
{
	struct log *l = *state;

	use(l, NMIBT_ARCH_ARM64);
	say(l, IRQ(5), ARM64_USER(5, 128) "an interrupt\n");
	/* The last line is printed in pieces, with another CPU's records between them. */
	say(l, IRQ(6), ARM64_USER_HEAD(6, 129));
	say_part(l, IRQ(6), 0, ARM64_USER_X2 ARM64_USER_X1);
	say(l, IRQ(1), ARM64_SPIN(1, 118));
	say_part(l, IRQ(6), CONT, ARM64_USER_X0);
	say_part(l, IRQ(0), NEWLINE, "");
	say_part(l, IRQ(6), CONT | NEWLINE, "");
	say(l, IRQ(6), "an interrupt\n");
	/* The end of the line is lost. */
	say(l, IRQ(4), ARM64_USER_HEAD(4, 130));
	say_part(l, IRQ(4), 0, ARM64_USER_X2 ARM64_USER_X1 ARM64_USER_X0);
	say(l, IRQ(4), "an interrupt\n");
	finish(l);
	check_trace(l, 4, NMIBT_EVIDENCE_ANSWER, 0,
		    ARM64_USER_HEAD(4, 130) ARM64_USER_X2 ARM64_USER_X1 ARM64_USER_X0 "\n");
	check_trace(l, 5, NMIBT_EVIDENCE_ANSWER, 0, ARM64_USER(5, 128));
	check_trace(l, 6, NMIBT_EVIDENCE_ANSWER, 0, ARM64_USER(6, 129));
	check_trace(l, 1, NMIBT_EVIDENCE_ANSWER, 0, ARM64_SPIN(1, 118));
}

/* Registers of kernel mode do not end the trace, nor do those of an entry within it. */
static void kernel_mode(void **state)
{
	static const char entry[] = TITLE(2) "Call Trace:\n fn+0x1/0x2\nRIP: 0010:hit+0x1/0x2\n"
					     "FS:  00000000370b7400 GS:  0\n fn_2+0x1/0x2\n";
	struct log *l = *state;

	say(l, IRQ(0), IDLE(0) TOO_LONG);
	say(l, IRQ(2), entry);
	finish(l);
	check_trace(l, 2, NMIBT_EVIDENCE_ANSWER, 0, entry);
	check_trace(l, 0, NMIBT_EVIDENCE_ANSWER, 0, IDLE(0));
}

static void arm64_kernel_mode(void **state)
{
	struct log *l = *state;

	use(l, NMIBT_ARCH_ARM64);
	say(l, IRQ(1), ARM64_SPIN(1, 118) "an interrupt\n");
	finish(l);
	assert_true(check_trace(l, 1, NMIBT_EVIDENCE_ANSWER, 0, ARM64_SPIN(1, 118))->has_ended);
}

/* ------------------------------------------------------------------ requests */

/* CPU 1 asks all CPUs, and CPU 6 does not answer. */
static void request(void **state)
{
	struct log *l = *state;

	say(l, 1, "sysrq: Show backtrace of all active CPUs\n" ASKER(1, 1));
	uint64_t asked = l->ts_ns;
	say(l, 1, SENDING(1, "0,2-7"));
	say(l, IRQ(3), SKIPPED(3) TOO_LONG);
	say_both(l, IRQ(0), IDLE(0), IRQ(7), SPIN(7, 118));
	say_both(l, IRQ(2), USER(2, 193), IRQ(5), IDLE(5));
	say(l, IRQ(4), IDLE(4));
	finish(l);

	const struct nmibt_request *r = check_request(l, 1, 1, 7);
	assert_int_equal(l->log->nr_requests, 1);
	assert_int_equal(r->ts_ns, asked);
	for (unsigned int cpu = 0; cpu < 10; cpu++)
		assert_int_equal(nmibt_cpus_has(&r->asked, cpu), cpu != 1 && cpu < 8);
	assert_false(nmibt_cpus_has(&r->asked, NMIBT_MAX_CPUS));
	assert_int_equal(l->log->nr_traces, 7);
	check_trace(l, 1, NMIBT_EVIDENCE_ANSWER, 1, ASKER(1, 1));
	check_trace(l, 0, NMIBT_EVIDENCE_ANSWER, 1, IDLE(0));
	check_trace(l, 2, NMIBT_EVIDENCE_ANSWER, 1, USER(2, 193));
	check_trace(l, 3, NMIBT_EVIDENCE_SKIPPED, 1, SKIPPED(3));
	check_trace(l, 7, NMIBT_EVIDENCE_ANSWER, 1, SPIN(7, 118));
	assert_int_equal(find_trace(l, 6, 0), 0);
	struct nmibt_evidence evidence = read_evidence(l, find_trace(l, 7, 0) - 1);
	assert_int_equal(evidence.asked_ns, asked);
	assert_int_equal(evidence.asked_by, 1);
	assert_int_equal(evidence.task.pid, 118);
	assert_true(evidence.has_irqs_off && evidence.irqs_off);
	assert_int_equal(evidence.stack.end, NMIBT_END_COMPLETE);
	nmibt_evidence_destroy(&evidence);
	check_printout(l, 0, NMIBT_PRINT_SYSRQ_REQUEST, 1,
		       "sysrq: Show backtrace of all active CPUs");
	assert_int_equal(l->log->nr_printouts, 1);
	assert_int_equal(r->printout, 1);
	for (size_t i = 0; i < l->log->nr_traces; i++)
		assert_int_equal(l->log->traces[i].printout, 1);
	/* The printout's last line is that of the last answer. */
	assert_int_equal(l->log->printouts[0].last_seq, l->seq - 1);
}

static void rounds(void **state)
{
	struct log *l = *state;

	say(l, 1, ASKER(1, 1) SENDING(1, "0,2-3"));
	say(l, IRQ(0), IDLE(0));
	say(l, IRQ(2), SPIN(2, 118));
	l->ts_ns += 3000 * MS;
	say(l, 1, ASKER(1, 1) SENDING(1, "0,2-3"));
	say(l, IRQ(3), IDLE(3));
	say(l, IRQ(2), SPIN(2, 118));
	/* Nobody asked for a third backtrace. */
	say(l, IRQ(2), IDLE(2));
	finish(l);

	assert_int_equal(l->log->nr_requests, 2);
	assert_int_equal(nth_trace(l, 1, 0)->request, 2);
	assert_int_equal(nth_trace(l, 1, 1)->request, 1);
	assert_int_equal(find_trace(l, 1, 2), 0);
	assert_int_equal(nth_trace(l, 2, 0)->request, 0);
	check_text(nth_trace(l, 2, 0), IDLE(2));
	assert_int_equal(nth_trace(l, 2, 1)->request, 2);
	assert_int_equal(nth_trace(l, 2, 2)->request, 1);
	/* This CPU did not answer the first request. */
	check_trace(l, 3, NMIBT_EVIDENCE_ANSWER, 2, IDLE(3));
	check_trace(l, 0, NMIBT_EVIDENCE_ANSWER, 1, IDLE(0));
	assert_int_equal(l->log->nr_printouts, 2);
	assert_int_equal(nth_trace(l, 2, 0)->printout, 0);
}

/* A CPU that did not answer sends a request itself: its own backtrace belongs to its own
 * request. */
static void silent_asks(void **state)
{
	struct log *l = *state;

	say(l, 1, ASKER(1, 1) SENDING(1, "0,2"));
	say(l, IRQ(0), IDLE(0));
	l->ts_ns += 3000 * MS;
	say(l, 7, ASKER(2, 7) SENDING(2, "0-1"));
	say(l, IRQ(0), IDLE(0));
	finish(l);
	check_trace(l, 2, NMIBT_EVIDENCE_ANSWER, 2, ASKER(2, 7));
	check_request(l, 2, 2, 2);
}

/* A backtrace of the asking CPU belongs to something else, if it is no answer, or was not printed
 * just before the request. */
static void not_its_own(void **state)
{
	struct log *l = *state;

	say(l, 1, ASKER(1, 1) "something else\n" SENDING(1, "0"));
	say(l, 2, CUT_HERE WARNING_LINE(3, 2) WARNING_BODY(3, 2) SENDING(3, "0"));
	say(l, IRQ(4), IDLE(4));
	say(l, 3, SENDING(4, "0"));
	finish(l);
	check_trace(l, 4, NMIBT_EVIDENCE_ANSWER, 0, IDLE(4));
	check_trace(l, 1, NMIBT_EVIDENCE_ANSWER, 0, ASKER(1, 1));
	assert_int_equal(nth_trace(l, 3, 0)->request, 0);
	assert_int_equal(l->log->nr_requests, 3);
}

/* Up to 5.14 the asking CPU flushes the buffers of the others. */
static void flushed_by_one(void **state)
{
	struct log *l = *state;

	say(l, 1, ASKER_5_10(1, 1) SENDING(1, "0,2-5"));
	say(l, 1, IDLE_5_10(0) USER_5_10(2, 126) TOO_LONG);
	say(l, IRQ(5), IDLE_5_10(5) TOO_LONG);
	say(l, 1, SKIPPED(3) IDLE_5_10(4));
	say(l, 1, "sysrq: Trigger a crash\n" PANIC(1, 1));
	finish(l);
	assert_int_equal(l->log->nr_traces, 7);
	check_trace(l, 0, NMIBT_EVIDENCE_ANSWER, 1, IDLE_5_10(0));
	check_trace(l, 2, NMIBT_EVIDENCE_ANSWER, 1, USER_5_10(2, 126));
	check_trace(l, 3, NMIBT_EVIDENCE_SKIPPED, 1, SKIPPED(3));
	check_trace(l, 4, NMIBT_EVIDENCE_ANSWER, 1, IDLE_5_10(4));
	check_trace(l, 5, NMIBT_EVIDENCE_ANSWER, 1, IDLE_5_10(5));
	assert_int_equal(nth_trace(l, 1, 1)->request, 1);
	check_text(nth_trace(l, 1, 1), ASKER_5_10(1, 1));
	assert_int_equal(nth_trace(l, 1, 0)->printout, 3);
	assert_int_equal(nth_trace(l, 1, 1)->request, 1);
}

/* If there are too many requests, the newest are kept, and the others are counted. */
static void many_requests(void **state)
{
	struct log *l = *state;
	unsigned int nr = 20000;

	for (unsigned int i = 1; i <= nr; i++) {
		say(l, 1, i % 2 ? SENDING(1, "0,2") : SENDING(1, "0"));
		say(l, IRQ(0), SKIPPED(0));
		if (i == 10)
			say(l, IRQ(2), SKIPPED(2));
	}
	say(l, IRQ(2), SKIPPED(2));
	finish(l);
	const struct nmibt_log_source *log = l->log;
	assert_in_range(log->nr_requests, 1000, nr - 1);
	assert_in_range(log->nr_printouts, 1000, nr);
	assert_int_equal(log->nr_dropped, 2 * nr - log->nr_requests - log->nr_printouts);
	for (size_t i = 0; i < log->nr_requests; i++) {
		check_request(l, i + 1, 1, (log->nr_requests - i) % 2 ? 1 : 2);
		assert_int_equal(log->requests[i].printout,
				 i + 1 + log->nr_printouts - log->nr_requests);
	}
	/* The newest answer belongs to the newest request, and so on, down to the oldest kept. */
	size_t request = log->nr_requests;
	for (size_t i = find_trace(l, 0, 0); i; i = log->traces[i - 1].older) {
		assert_int_equal(log->traces[i - 1].request, request);
		request -= request > 0;
	}
	assert_int_equal(nth_trace(l, 2, 0)->request, log->nr_requests - 1);
	assert_int_equal(nth_trace(l, 2, 1)->request, 0);
}

static void request_lists(void **state)
{
	static const struct {
		const char *text;
		unsigned int nr_asked;
		const char *asked; /* one character for each CPU, from 0 on */
	} cases[] = {
		{"Sending NMI from CPU 1 to CPUs 0,2-4:", 4, "10111"},
		{"Sending NMI from CPU 1 to CPUs 3", 1, "00010"},
		{"Sending NMI from CPU 1 to CPUs :", 0, "00000"},
		{"Sending NMI from CPU 1 to CPUs ", 0, "00000"},
		{"Sending NMI from CPU 1 to CPUs 1,", 1, "01000"},
		{"Sending NMI from CPU 1 to CPUs 1,1,0-2,1-3:", 4, "11110"},
		{"Sending NMI from CPU 1 to CPUs -3:", 0, "00000"},
		{"Sending NMI from CPU 1 to CPUs 0-6:", 7, "11111"},
		{"Sending NMI from CPU 1 to CPUs 0-7:", 8, "11111"},
		{"Sending NMI from CPU 1 to CPUs 2-16:", 15, "00111"},
		{"Sending NMI from CPU 1 to CPUs 1,8192:", 1, "01000"},
		{"Sending NMI from CPU 1 to CPUs 0-8191:", 8192, "11111"},
		{"Sending NMI from CPU 1 to CPUs 000000000000000002:", 1, "00100"},
	};
	struct log *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		say_part(l, 1, NEWLINE, cases[i].text);
		const struct nmibt_request *r = check_request(l, i + 1, 1, cases[i].nr_asked);
		for (unsigned int cpu = 0; cpu < 5; cpu++) {
			if (nmibt_cpus_has(&r->asked, cpu) != (cases[i].asked[cpu] == '1'))
				fail_msg("CPU %u of \"%s\"", cpu, cases[i].text);
		}
	}
	/* These lines are no requests. */
	say(l, 1,
	    "Sending NMI from CPU 8192 to CPUs 0:\nSending NMI from CPU 1 to\n"
	    "Sending NMI from CPU  to CPUs 0:\n Sending NMI from CPU 1 to CPUs 0:\n");
	assert_int_equal(l->log->nr_requests, ARRAY_SIZE(cases));
	finish(l);
}

/* The asking CPU may still wait, but not for an hour. If it prints something else, it waits no
 * more. */
static void end_of_request(void **state)
{
	struct log *l = *state;

	say(l, 1, SENDING(1, "0,2"));
	say(l, IRQ(0), IDLE(0));
	say(l, 7, "an event\n");
	finish(l);
	assert_false(l->log->printouts[0].has_ended);
	use(l, NMIBT_ARCH_X86_64);
	say(l, 1, SENDING(1, "0,2"));
	l->ts_ns += 3600000 * MS;
	say(l, 7, "an event\n");
	finish(l);
	assert_true(l->log->printouts[0].has_ended);
	use(l, NMIBT_ARCH_X86_64);
	say(l, 1, SENDING(1, "0,2") "an event\n");
	assert_true(l->log->printouts[0].has_ended);
}

/* Up to 4.8 the line lists no CPUs, and does not name the asking one. */
static void request_to_all(void **state)
{
	struct log *l = *state;

	say(l, 1, "sending NMI to all CPUs:\n");
	say(l, IRQ(2), SPIN(2, 118));
	finish(l);
	const struct nmibt_request *r = check_request(l, 1, NMIBT_NO_CPU, 0);
	assert_true(r->all);
	check_trace(l, 2, NMIBT_EVIDENCE_ANSWER, 1, SPIN(2, 118));
	assert_int_equal(l->log->printouts[0].reporter, NMIBT_NO_CPU);
}

/* If there is no NMI, the line of sysrq-l is the request. */
static void sysrq_without_nmi(void **state)
{
	static const char stack[] = "Call trace:\n show_stack+0x1/0x2\n el0t_64_sync+0x1/0x2\n";
	struct log *l = *state;

	use(l, NMIBT_ARCH_ARM64);
	say(l, 1, "sysrq: Show backtrace of all active CPUs\nsysrq: CPU0:\n");
	say(l, 1, stack);
	say(l, IRQ(3), "sysrq: CPU3:\n");
	say(l, IRQ(3), stack);
	say(l, IRQ(1), "sysrq: CPU1: backtrace skipped as idling\n");
	finish(l);
	const struct nmibt_request *r = check_request(l, 1, NMIBT_NO_CPU, 0);
	assert_true(r->all);
	assert_int_equal(r->seq, 0);
	assert_int_equal(l->log->nr_requests, 1);
	assert_int_equal(l->log->nr_printouts, 1);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(trace_at(l, i)->request, 1);
		assert_int_equal(trace_at(l, i)->printout, 1);
	}
	assert_int_equal(nth_trace(l, 1, 0)->kind, NMIBT_EVIDENCE_SKIPPED);
	assert_int_equal(nth_trace(l, 3, 0)->kind, NMIBT_EVIDENCE_ANSWER);
	assert_true(holds(nth_trace(l, 3, 0), "el0t_64_sync"));
}

/* -------------------------------------------------------------------- deaths */

static void panic(void **state)
{
	struct log *l = *state;

	say(l, 1, "an event\n");
	uint64_t panic_ns = l->ts_ns;
	say_both(l, 1, PANIC(1, 1) PANIC_ENDS("sysrq triggered crash"), IRQ(3), IDLE(3));
	finish(l);
	check_trace(l, 1, NMIBT_EVIDENCE_OWN, 0, PANIC(1, 1));
	assert_int_equal(nth_trace(l, 1, 0)->begun_ns, panic_ns);
	assert_int_equal(nth_trace(l, 1, 0)->first_seq, 1);
	assert_int_equal(nth_trace(l, 1, 0)->printout, 1);
	const struct nmibt_printout *p = check_printout(
		l, 0, NMIBT_PRINT_PANIC, 1, "Kernel panic - not syncing: sysrq triggered crash");
	assert_int_equal(p->begun_ns, panic_ns);
	assert_int_equal(p->first_seq, 1);
	assert_true(p->has_ended);
	assert_int_equal(l->log->nr_events, 1);
	assert_int_equal(l->log->events[0].kind, NMIBT_PRINT_END_PANIC);
	/* There is no known request that CPU 3 answers. */
	assert_int_equal(nth_trace(l, 3, 0)->printout, 0);
}

/* panic() prints no backtrace after that of an oops. */
static void oops_then_panic(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127) OOPS_SUMMARY);
	uint64_t panic_ns = l->ts_ns;
	say(l, 127, PANIC_SAYS("Fatal exception") PANIC_ENDS("Fatal exception"));
	finish(l);
	check_trace(l, 2, NMIBT_EVIDENCE_OWN, 0, OOPS(2, 127));
	assert_int_equal(nth_trace(l, 2, 0)->printout, 1);
	const struct nmibt_printout *oops =
		check_printout(l, 0, NMIBT_PRINT_OOPS, 2,
			       "BUG: kernel NULL pointer dereference, address: 0000000000000018");
	const struct nmibt_printout *p =
		check_printout(l, 1, NMIBT_PRINT_PANIC, NMIBT_NO_CPU,
			       "Kernel panic - not syncing: Fatal exception");
	assert_int_equal(l->log->nr_printouts, 2);
	assert_int_equal(oops->caller_id, p->caller_id);
	assert_int_equal(p->begun_ns, panic_ns);
	assert_true(oops->has_ended && p->has_ended);
	assert_true(oops->last_seq < p->first_seq);
}

/* A warning during the panic is not the cause, and the panic continues after it. */
static void warning_after_panic(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127) PANIC_SAYS("Fatal exception"));
	say(l, 127, CUT_HERE "sched: Unexpected reschedule of offline CPU#0!\n");
	say(l, 127, WARNING_LINE(2, 127) WARNING_BODY(2, 127));
	say(l, 127, SENDING(2, "0"));
	finish(l);
	check_text(nth_trace(l, 2, 1), OOPS(2, 127));
	assert_int_equal(nth_trace(l, 2, 1)->printout, 1);
	check_text(nth_trace(l, 2, 0), WARNING_LINE(2, 127) WARNING_BODY(2, 127));
	assert_int_equal(nth_trace(l, 2, 0)->printout, 3);
	check_printout(l, 2, NMIBT_PRINT_WARNING, 2,
		       "WARNING: CPU: 2 PID: 127 at kernel/sched/core.c:1234 sched_fn+0x1a/0x30");
	assert_int_equal(check_request(l, 1, 2, 1)->printout, 2);
	assert_false(l->log->printouts[1].has_ended);
}

static void after_end_of_panic(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127) PANIC_SAYS("Fatal exception") PANIC_ENDS("Fatal exception"));
	say(l, 127, INFO(2, 127, "sh") SPIN_TRACE);
	finish(l);
	assert_int_equal(nth_trace(l, 2, 0)->printout, 0);
	assert_int_equal(nth_trace(l, 2, 1)->printout, 1);
}

/* A CPU that went to kdump without a panic did so within the oops. */
static void oops_alone(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127) OOPS_SUMMARY);
	finish(l);
	check_trace(l, 2, NMIBT_EVIDENCE_OWN, 0, OOPS(2, 127));
	assert_int_equal(l->log->nr_printouts, 1);
	assert_true(l->log->printouts[0].has_ended);
	assert_int_equal(l->log->printouts[0].ended_ns, nth_trace(l, 2, 0)->ended_ns);
}

/* The dump is taken before "---[ end trace". */
static void oops_not_ended(void **state)
{
	static const char *const texts[] = {
		"Oops: Oops: 0000 [#1] PREEMPT SMP PTI\n",
		"Oops: Oops: 0000 [#1] PREEMPT SMP PTI\n" INFO(2, 127, "sh") SPIN_REGS,
		"Oops: Oops: 0000 [#1] PREEMPT SMP PTI\n" INFO(2, 127, "sh") SPIN_REGS SPIN_TRACE,
		"Oops: Oops: 0000 [#1] SMP\n" INFO(2, 127, "sh") SPIN_REGS SPIN_TRACE MODULES,
	};
	struct log *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		use(l, NMIBT_ARCH_X86_64);
		say(l, 127, texts[i]);
		finish(l);
		assert_int_equal(l->log->printouts[0].kind, NMIBT_PRINT_OOPS);
		assert_false(l->log->printouts[0].has_ended);
	}
	/* The second text has no frame. */
	use(l, NMIBT_ARCH_X86_64);
	say(l, 127, texts[1]);
	finish(l);
	assert_int_equal(nth_trace(l, 2, 0)->wrong, NMIBT_WRONG_CUT);
	assert_false(nth_trace(l, 2, 0)->has_ended);
}

static void oops_survived(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127) OOPS_SUMMARY);
	l->ts_ns += 60000 * MS;
	uint64_t panic_ns = l->ts_ns;
	say(l, 1, PANIC(5, 1));
	say(l, 128, OOPS(3, 128));
	finish(l);
	check_trace(l, 5, NMIBT_EVIDENCE_OWN, 0, PANIC(5, 1));
	check_trace(l, 2, NMIBT_EVIDENCE_OWN, 0, OOPS(2, 127));
	assert_true(l->log->printouts[0].has_ended);
	assert_int_equal(l->log->printouts[1].kind, NMIBT_PRINT_PANIC);
	assert_int_equal(l->log->printouts[1].begun_ns, panic_ns);
	assert_int_equal(nth_trace(l, 3, 0)->printout, 3);
}

/* If the machine lives on, it is a warning, whatever its first word is. */
static void survived_bug(void **state)
{
	static const char text[] =
		"BUG: sleeping function called from invalid context at mm/slab.h:321\n"
		"in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 1, name: init\n" INFO(
			2, 1, "init") SPIN_TRACE;
	struct log *l = *state;

	say(l, 1, text);
	say(l, 1, "the next day\n");
	finish(l);
	check_trace(l, 2, NMIBT_EVIDENCE_OWN, 0, text);
	assert_int_equal(l->log->nr_printouts, 1);
	assert_int_equal(l->log->printouts[0].kind, NMIBT_PRINT_WARNING);
	assert_true(l->log->printouts[0].has_ended);
}

/* The panic's own backtrace is missing; the oops of another CPU must not be taken for it. */
static void panic_without_trace(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127));
	say(l, 1, PANIC_SAYS("Attempted to kill init!"));
	finish(l);
	assert_int_equal(l->log->nr_traces, 1);
	assert_int_equal(nth_trace(l, 2, 0)->printout, 1);
	assert_false(l->log->printouts[1].has_ended);
}

/* After its own backtrace the dying CPU asks the others for theirs. */
static void panic_asks(void **state)
{
	struct log *l = *state;

	say(l, 1, PANIC(1, 1) SENDING(1, "0,2"));
	say(l, IRQ(0), IDLE(0));
	say(l, 1, "SMP: failed to stop secondary CPUs 2,4-5\n");
	say(l, 1, ASKER(1, 1));
	finish(l);
	assert_int_equal(check_request(l, 1, 1, 2)->printout, 1);
	check_text(nth_trace(l, 1, 1), PANIC(1, 1));
	assert_int_equal(nth_trace(l, 1, 1)->request, 0);
	assert_int_equal(nth_trace(l, 1, 0)->request, 0);
	assert_int_equal(check_trace(l, 0, NMIBT_EVIDENCE_ANSWER, 1, IDLE(0))->printout, 1);
	assert_int_equal(l->log->nr_events, 1);
	assert_int_equal(l->log->events[0].kind, NMIBT_PRINT_NOT_STOPPED);
	assert_int_equal(nmibt_cpus_count(&l->log->events[0].cpus), 3);
}

/* A cause without a heading is no oops. */
static void sysrq_c(void **state)
{
	struct log *l = *state;

	say(l, 1, "sysrq: Trigger a crash\n" PANIC(1, 1));
	finish(l);
	check_printout(l, 0, NMIBT_PRINT_OOPS_CAUSE, NMIBT_NO_CPU, "sysrq: Trigger a crash");
	check_printout(l, 1, NMIBT_PRINT_PANIC, 1,
		       "Kernel panic - not syncing: sysrq triggered crash");
	check_text(nth_trace(l, 1, 0), PANIC(1, 1));
	assert_int_equal(nth_trace(l, 1, 0)->printout, 2);
}

static void panic_on_arm64(void **state)
{
	struct log *l = *state;

	use(l, NMIBT_ARCH_ARM64);
	say(l, 1, "an event\n" ARM64_PANIC(1, 1) "SMP: stopping secondary CPUs\n");
	finish(l);
	check_trace(l, 1, NMIBT_EVIDENCE_OWN, 0, ARM64_PANIC(1, 1));
	assert_int_equal(nth_trace(l, 1, 0)->printout, 1);
	assert_false(l->log->printouts[0].has_ended);
}

/* With oops_all_cpu_backtrace the dying CPU asks between the cause and the heading (kernel/panic.c:
 * oops_enter(), 6.12). */
static void oops_asks(void **state)
{
	struct log *l = *state;

	say(l, 127, "BUG: kernel NULL pointer dereference, address: 0000000000000018\n");
	say(l, 127, ASKER(2, 127) SENDING(2, "0"));
	say(l, IRQ(0), IDLE(0));
	say(l, 127, "Oops: Oops: 0000 [#1] PREEMPT SMP PTI\n" INFO(2, 127, "sh") SPIN_REGS);
	say(l, 127, SPIN_TRACE MODULES "---[ end trace 0000000000000000 ]---\n");
	finish(l);
	assert_int_equal(l->log->nr_printouts, 1);
	assert_int_equal(l->log->printouts[0].kind, NMIBT_PRINT_OOPS);
	assert_true(l->log->printouts[0].has_ended);
	assert_int_equal(l->log->nr_traces, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(trace_at(l, i)->printout, 1);
	assert_int_equal(nth_trace(l, 2, 1)->kind, NMIBT_EVIDENCE_ANSWER);
	assert_int_equal(nth_trace(l, 2, 1)->request, 1);
	assert_int_equal(nth_trace(l, 2, 0)->kind, NMIBT_EVIDENCE_OWN);
	assert_true(holds(nth_trace(l, 2, 0), "NULL pointer"));
}

/* ------------------------------------------------------------------ watchdogs */

static void soft_lockup(void **state)
{
	struct log *l = *state;

	say_both(l, IRQ(3), SOFT_LOCKUP(3, 118), IRQ(7), IDLE(7));
	say(l, IRQ(3), SENDING(3, "0"));
	finish(l);
	check_trace(l, 3, NMIBT_EVIDENCE_OWN, 0, SOFT_LOCKUP(3, 118));
	assert_int_equal(check_request(l, 1, 3, 1)->printout, 1);
	const struct nmibt_printout *p =
		check_printout(l, 0, NMIBT_PRINT_SOFT_LOCKUP, 3,
			       "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]");
	assert_int_equal(l->log->nr_printouts, 1);
	assert_true(p->has_seconds);
	assert_int_equal(p->seconds, 22);
	assert_int_equal(nmibt_cpus_count(&p->cpus), 1);
	assert_true(nmibt_cpus_has(&p->cpus, 3));
	assert_true(p->task.known);
	assert_int_equal(p->task.pid, 118);
	assert_true(p->has_ended);
}

/* The panic of the same caller is another printout, with no other printout in between. */
static void soft_lockup_then_panic(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), SOFT_LOCKUP(3, 118));
	say(l, IRQ(5), SOFT_LOCKUP(5, 119));
	l->ts_ns += 60000 * MS;
	say(l, IRQ(3), PANIC_SAYS("softlockup: hung tasks") INFO(3, 118, "spin"));
	say(l, IRQ(3), "Call Trace:\n <IRQ>\n panic+0x1/0x2\n </IRQ>\n");
	say(l, IRQ(3), &SPIN_TRACE[sizeof("Call Trace:\n") - 1]);
	finish(l);
	assert_int_equal(l->log->nr_printouts, 3);
	check_printout(l, 2, NMIBT_PRINT_PANIC, 3,
		       "Kernel panic - not syncing: softlockup: hung tasks");
	assert_int_equal(l->log->printouts[0].caller_id, l->log->printouts[2].caller_id);
	assert_int_equal(nth_trace(l, 3, 0)->printout, 3);
	assert_int_equal(nth_trace(l, 3, 1)->printout, 1);
	assert_true(holds(nth_trace(l, 3, 0), " spin_fn+"));
}

static void hard_lockup(void **state)
{
	static const char text[] =
		"watchdog: Watchdog detected hard LOCKUP on cpu 3\n" LOCKUP_BODY(3, 118);
	struct log *l = *state;

	say(l, IRQ(3), text);
	finish(l);
	check_trace(l, 3, NMIBT_EVIDENCE_OWN, 0, text);
	check_printout(l, 0, NMIBT_PRINT_HARD_LOCKUP, 3,
		       "watchdog: Watchdog detected hard LOCKUP on cpu 3");
}

/* Since 6.5 another CPU may find a hard lockup, and it asks in the middle of its report. */
static void hard_lockup_of_another(void **state)
{
	struct log *l = *state;

	say(l, IRQ(2), "watchdog: Watchdog detected hard LOCKUP on cpu 3\n" MODULES);
	say(l, IRQ(2), SENDING(2, "3"));
	say(l, IRQ(3), SPIN(3, 118));
	finish(l);
	assert_int_equal(l->log->nr_traces, 1);
	check_request(l, 1, 2, 1);
	assert_int_equal(check_trace(l, 3, NMIBT_EVIDENCE_ANSWER, 1, SPIN(3, 118))->printout, 1);
	const struct nmibt_printout *p =
		check_printout(l, 0, NMIBT_PRINT_HARD_LOCKUP, 2,
			       "watchdog: Watchdog detected hard LOCKUP on cpu 3");
	assert_true(nmibt_cpus_has(&p->cpus, 3) && nmibt_cpus_count(&p->cpus) == 1);
}

#define SELF_STALL(cpu)                                                                            \
	"rcu: INFO: rcu_preempt self-detected stall on CPU\n"                                      \
	"rcu: \t" #cpu "-....: (20999 ticks this GP) idle=5d2c/1/0x4000000000000000 "              \
	"softirq=1/2 fqs=3\n"                                                                      \
	"rcu: \t(t=21000 jiffies g=1234 q=5 ncpus=8)\n"

static void self_stall(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), SELF_STALL(3) INFO(3, 118, "spin"));
	say(l, IRQ(3), SPIN_REGS SPIN_TRACE);
	finish(l);
	assert_int_equal(nth_trace(l, 3, 0)->kind, NMIBT_EVIDENCE_OWN);
	assert_int_equal(nth_trace(l, 3, 0)->first_seq, 0);
	assert_int_equal(nth_trace(l, 3, 0)->printout, 1);
	const struct nmibt_printout *p =
		check_printout(l, 0, NMIBT_PRINT_SELF_STALL, 3,
			       "rcu: INFO: rcu_preempt self-detected stall on CPU");
	assert_true(nmibt_cpus_has(&p->cpus, 3) && nmibt_cpus_count(&p->cpus) == 1);
	assert_true(p->has_ended);
}

#define TASK(comm, pid)                                                                            \
	"task:" comm " state:D stack:0     pid:" #pid "   tgid:" #pid                              \
	" ppid:2      flags:0x00004000\n"

/* A CPU reports others, asks each of them, and prints the stack of its kthread. */
static void stall_of_others(void **state)
{
	static const char task[] = TASK("rcu_preempt    ", 15) SPIN_TRACE;
	struct log *l = *state;

	say(l, IRQ(2), "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n");
	for (unsigned int cpu = 3; cpu < 90; cpu += 2) {
		char line[128];

		sprintf(line, "rcu: \t%u-....: (1 GPs behind) idle=5d2c/1/0x40 softirq=1/2 fqs=3\n",
			cpu);
		say(l, IRQ(2), line);
	}
	say(l, IRQ(2), "rcu: \t(detected by 2, t=21002 jiffies, g=1234, q=5 ncpus=96)\n");
	say(l, IRQ(2), SENDING(2, "3"));
	say(l, IRQ(3), SPIN(3, 118));
	say(l, IRQ(2), SENDING(2, "5"));
	say(l, IRQ(2),
	    "rcu: rcu_preempt kthread starved for 21000 jiffies!\n"
	    "rcu: RCU grace-period kthread stack dump:\n");
	say(l, IRQ(2), task);
	say(l, IRQ(2), "rcu: Stack dump where RCU GP kthread last ran:\n" SENDING(2, "7"));
	say(l, IRQ(7), SPIN(7, 119));
	finish(l);
	const struct nmibt_printout *p =
		check_printout(l, 0, NMIBT_PRINT_STALL, 2,
			       "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:");
	assert_int_equal(l->log->nr_printouts, 1);
	assert_int_equal(nmibt_cpus_count(&p->cpus), 44);
	assert_int_equal(p->cpus.nr, 44);
	assert_true(nmibt_cpus_has(&p->cpus, 89) && !nmibt_cpus_has(&p->cpus, 4));
	assert_int_equal(l->log->nr_requests, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(l->log->requests[i].printout, 1);
	assert_int_equal(nth_trace(l, 7, 0)->request, 3);
	assert_int_equal(nth_trace(l, 7, 0)->printout, 1);
	assert_int_equal(find_trace(l, 2, 0), 0);
	assert_int_equal(l->log->nr_traces, 3);
	assert_int_equal(trace_at(l, 1)->kind, NMIBT_EVIDENCE_TASK);
	assert_int_equal(trace_at(l, 1)->cpu, NMIBT_NO_CPU);
	assert_int_equal(trace_at(l, 1)->printout, 1);
	check_text(trace_at(l, 1), task);
}

/* A task finds a stall: only its line tells on which CPU it ran. */
static void stall_found_by_task(void **state)
{
	struct log *l = *state;

	say(l, 15,
	    "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n"
	    "rcu: \t3-....: (1 GPs behind) idle=5d2c/1/0x40 softirq=1/2 fqs=3\n"
	    "rcu: \t(detected by 2, t=21002 jiffies, g=1234, q=5 ncpus=96)\n");
	say(l, 15, TASK("reader         ", 300) SPIN_TRACE);
	finish(l);
	const struct nmibt_printout *p =
		check_printout(l, 0, NMIBT_PRINT_STALL, 2,
			       "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:");
	assert_true(nmibt_cpus_has(&p->cpus, 3) && nmibt_cpus_count(&p->cpus) == 1);
	assert_int_equal(trace_at(l, 0)->printout, 1);
	assert_true(p->has_ended);
}

/* The kernel prints the list in pieces. */
static void expedited_stall(void **state)
{
	struct log *l = *state;

	say_part(l, 77, 0, "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: {");
	say(l, IRQ(0), TOO_LONG);
	say_part(l, 77, CONT, " 3-...D");
	say(l, IRQ(0), TOO_LONG);
	say_part(l, 77, CONT, " P118");
	say_part(l, 77, CONT | NEWLINE, " } 21 jiffies s: 145 root: 0x8/.");
	say(l, 77, SENDING(1, "3"));
	say(l, IRQ(3), SPIN(3, 118));
	finish(l);
	const struct nmibt_printout *p = &l->log->printouts[0];
	assert_int_equal(l->log->nr_printouts, 1);
	assert_int_equal(p->kind, NMIBT_PRINT_STALL);
	assert_int_equal(p->reporter, 1);
	assert_true(nmibt_cpus_has(&p->cpus, 3) && nmibt_cpus_count(&p->cpus) == 1);
	assert_int_equal(p->nr_tasks, 1);
	assert_int_equal(p->tasks[0].pid, 118);
	assert_int_equal(nth_trace(l, 3, 0)->printout, 1);
}

/* RCU names a task by its PID, and its stack tells what it is called; a list of thousands is
 * whole, and takes no quadratic time; a line of another caller is not the stall's. */
static void stall_of_tasks(void **state)
{
	struct log *l = *state;

	say(l, IRQ(2), "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n");
	say_part(l, IRQ(2), 0, "rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-15):");
	say_part(l, IRQ(2), CONT, " P300/1:b..l");
	say_part(l, IRQ(2), CONT | NEWLINE, " P300/1:b..l");
	say(l, IRQ(3), "rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-15): P7\n");
	say_part(l, IRQ(2), 0, "rcu: \tTasks blocked on level-0 rcu_node (CPUs 16-31):");
	for (unsigned int pid = 1000; pid < 201000; pid++) {
		char task[16];

		sprintf(task, " P%u", pid);
		say_part(l, IRQ(2), CONT, task);
	}
	say_part(l, IRQ(2), CONT | NEWLINE, "");
	say(l, IRQ(2), "rcu: \t(detected by 2, t=21002 jiffies, g=1234, q=5 ncpus=96)\n");
	say(l, IRQ(2), TASK("reader         ", 300) SPIN_TRACE);
	finish(l);
	const struct nmibt_printout *p = &l->log->printouts[0];
	assert_int_equal(l->log->nr_printouts, 1);
	assert_int_equal(nmibt_cpus_count(&p->cpus), 0);
	assert_int_equal(p->nr_tasks, 200001);
	assert_int_equal(p->tasks[200000].pid, 200999);
	assert_int_equal(p->tasks[0].pid, 300);
	assert_string_equal(p->tasks[0].comm, "reader");
	assert_int_equal(p->tasks[1].pid, 1000);
	assert_int_equal(*p->tasks[1].comm, '\0');
	assert_int_equal(trace_at(l, 0)->printout, 1);
}

#define HUNG(comm, pid)                                                                            \
	"INFO: task " comm ":" #pid " blocked for more than 122 seconds.\n"                        \
	"      Not tainted 6.12.117+deb13-cloud-amd64 #1\n"                                        \
	"\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"

/* Running workers of two pools; tasks that the same caller shows for another reason are none. */
static void stalled_workers(void **state)
{
	static const char first[] = TASK("kworker/2:1    ", 118) SPIN_TRACE;
	static const char second[] = TASK("kworker/3:1    ", 119) SPIN_TRACE;
	static const char other[] = TASK("dd             ", 201) SPIN_TRACE;
	struct log *l = *state;

	say(l, IRQ(0),
	    "Showing backtraces of running workers in stalled CPU-bound worker pools:\n"
	    "pool 10:\n");
	say(l, IRQ(0), first);
	say(l, IRQ(0), "pool 14:\n");
	say(l, IRQ(0), second);
	say(l, IRQ(0), "sysrq: Show State\n");
	say(l, IRQ(0), other);
	finish(l);
	const struct nmibt_printout *p = &l->log->printouts[0];
	assert_int_equal(p->kind, NMIBT_PRINT_STALLED_WORKERS);
	assert_true(p->has_ended);
	assert_int_equal(p->nr_tasks, 2);
	assert_int_equal(p->tasks[0].pid, 118);
	assert_string_equal(p->tasks[1].comm, "kworker/3:1");
	assert_int_equal(trace_at(l, 1)->printout, 1);
	assert_int_equal(trace_at(l, 2)->printout, 0);
}

/* The owner's stack is of the same report; a line about another task is not of it. */
static void hung_task_and_owner(void **state)
{
	static const char hung[] = TASK("dd             ", 201) SPIN_TRACE;
	static const char owner[] = TASK("cp             ", 202) SPIN_TRACE;
	struct log *l = *state;

	say(l, 33, HUNG("dd", 201));
	say(l, 33, hung);
	say(l, 33, "INFO: task dd:201 is blocked on a mutex likely owned by task cp:202.\n");
	say(l, 33, owner);
	say(l, 33, HUNG("tar", 203));
	say(l, 33, "INFO: task dd:201 is blocked on a mutex likely owned by task cp:202.\n");
	finish(l);
	const struct nmibt_printout *p = l->log->printouts;
	assert_int_equal(l->log->nr_printouts, 2);
	assert_string_equal(p[0].owner.words, "a mutex likely owned by");
	assert_int_equal(p[0].owner.task.pid, 202);
	assert_string_equal(p[0].owner.task.comm, "cp");
	assert_null(p[1].owner.words);
	assert_int_equal(l->log->nr_traces, 2);
	assert_int_equal(trace_at(l, 0)->printout, 1);
	assert_int_equal(trace_at(l, 1)->printout, 1);
}

/* The stack is of a task and stands for no CPU; then all CPUs are asked. */
static void hung_task(void **state)
{
	static const char first[] = TASK("dd             ", 201) SPIN_TRACE;
	static const char second[] = TASK("cp             ", 202) SPIN_TRACE;
	struct log *l = *state;

	say(l, 33, HUNG("dd", 201));
	say(l, 33, first);
	say(l, 33, HUNG("cp", 202));
	say(l, 33, second);
	say(l, 33, "\nShowing all locks held in the system:\n2 locks held by dd/201:\n");
	say(l, 33, ASKER(4, 33) SENDING(4, "0-3"));
	say(l, IRQ(1), SPIN(1, 118));
	say(l, 33, PANIC_SAYS("hung_task: blocked tasks") INFO(4, 33, "khungtaskd") SPIN_TRACE);
	finish(l);
	assert_int_equal(l->log->nr_printouts, 3);
	const struct nmibt_printout *p =
		check_printout(l, 0, NMIBT_PRINT_HUNG_TASK, NMIBT_NO_CPU,
			       "INFO: task dd:201 blocked for more than 122 seconds.");
	assert_int_equal(p->task.pid, 201);
	assert_int_equal(p->seconds, 122);
	assert_int_equal(p->cpus.nr, 0);
	assert_true(p->has_ended);
	assert_int_equal(trace_at(l, 0)->kind, NMIBT_EVIDENCE_TASK);
	check_text(trace_at(l, 0), first);
	assert_int_equal(trace_at(l, 0)->cpu, NMIBT_NO_CPU);
	assert_int_equal(trace_at(l, 0)->printout, 1);
	check_text(trace_at(l, 1), second);
	struct nmibt_evidence evidence = read_evidence(l, 1);
	assert_true(evidence.task.known);
	assert_int_equal(evidence.task.pid, 202);
	assert_memory_equal(evidence.task.comm, "cp", 3);
	nmibt_evidence_destroy(&evidence);
	assert_int_equal(trace_at(l, 1)->printout, 2);
	assert_int_equal(check_request(l, 1, 4, 4)->printout, 2);
	assert_int_equal(nth_trace(l, 1, 0)->printout, 2);
	assert_int_equal(nth_trace(l, 4, 1)->request, 1);
	assert_int_equal(nth_trace(l, 4, 0)->printout, 3);
	assert_int_equal(l->log->printouts[1].caller_id, l->log->printouts[2].caller_id);
}

/* sysrq-w prints the line of a task in pieces. */
static void task_dump(void **state)
{
	struct log *l = *state;

	say(l, 1, "sysrq: Show Blocked State\n");
	for (unsigned int i = 0; i < 3; i++) {
		say_part(l, 1, 0, "task:dd              state:D");
		say_part(l, 1, CONT | NEWLINE, " stack:0     pid:201   tgid:201   ppid:2");
		say(l, 1, "Call Trace:\n <TASK>\n __schedule+0x1/0x2\n </TASK>\n");
	}
	finish(l);
	assert_int_equal(l->log->nr_traces, 3);
	assert_int_equal(l->log->nr_printouts, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(trace_at(l, i)->kind, NMIBT_EVIDENCE_TASK);
		assert_int_equal(trace_at(l, i)->first_seq, 1 + 6 * i);
		assert_true(trace_at(l, i)->has_ended);
		check_text(trace_at(l, i),
			   "task:dd              state:D stack:0     pid:201   tgid:201   ppid:2\n"
			   "Call Trace:\n <TASK>\n __schedule+0x1/0x2\n </TASK>\n");
	}
}

static void csd_lockup(void **state)
{
	struct log *l = *state;

	say(l, 55,
	    "smp: csd: Detected non-responsive CSD lock (#1) on CPU#2, waiting 5000000044 "
	    "ns for CPU#03 fn+0x0/0x1(0x0).\n"
	    "smp: \tcsd: CSD lock (#1) unresponsive.\n" SENDING(2, "3"));
	say(l, IRQ(3), SPIN(3, 118));
	say(l, 55, INFO(2, 55, "sh") SPIN_TRACE);
	finish(l);
	const struct nmibt_printout *p = &l->log->printouts[0];
	assert_int_equal(l->log->nr_printouts, 1);
	assert_int_equal(p->kind, NMIBT_PRINT_CSD_LOCKUP);
	assert_int_equal(p->reporter, 2);
	assert_true(nmibt_cpus_has(&p->cpus, 3) && nmibt_cpus_count(&p->cpus) == 1);
	assert_int_equal(nth_trace(l, 3, 0)->printout, 1);
	assert_int_equal(nth_trace(l, 2, 0)->printout, 1);
	assert_int_equal(nth_trace(l, 2, 0)->kind, NMIBT_EVIDENCE_OWN);
}

/* ----------------------------------------------------------------- other ones */

static void warning(void **state)
{
	static const char text[] = WARNING_LINE(3, 127) WARNING_BODY(3, 127);
	struct log *l = *state;

	say(l, 127, CUT_HERE);
	say(l, 127, text);
	say(l, 127, " later\n");
	finish(l);
	const struct nmibt_log_trace *trace = check_trace(l, 3, NMIBT_EVIDENCE_OWN, 0, text);
	assert_int_equal(trace->first_seq, 1);
	assert_int_equal(trace->printout, 1);
	assert_int_equal(l->log->printouts[0].kind, NMIBT_PRINT_WARNING);
	assert_true(l->log->printouts[0].has_ended);
}

/* A second backtrace begins after the trace of the first one. */
static void warnings(void **state)
{
	struct log *l = *state;

	say(l, 127, INFO(3, 127, "sh") "Call Trace:\n one+0x1/0x2\n");
	say(l, 127, INFO(3, 127, "sh") "Call Trace:\n two+0x1/0x2\n");
	say(l, 127, INFO(4, 127, "sh") INFO(5, 127, "sh"));
	finish(l);
	assert_int_equal(l->log->nr_traces, 4);
	check_text(nth_trace(l, 3, 1), INFO(3, 127, "sh") "Call Trace:\n one+0x1/0x2\n");
	check_text(nth_trace(l, 3, 0), INFO(3, 127, "sh") "Call Trace:\n two+0x1/0x2\n");
	check_trace(l, 4, NMIBT_EVIDENCE_OWN, 0, INFO(4, 127, "sh"));
	check_text(nth_trace(l, 5, 0), INFO(5, 127, "sh"));
	assert_int_equal(nth_trace(l, 5, 0)->wrong, NMIBT_WRONG_CUT);
	assert_int_equal(l->log->nr_printouts, 0);
}

/* A second warning comes in the middle of the first one. */
static void second_lead(void **state)
{
	static const char first[] = "BUG: one\n" INFO(3, 127, "sh");
	static const char second[] = "BUG: two\n" INFO(3, 127, "sh") SPIN_TRACE;
	struct log *l = *state;

	say(l, 127, first);
	say(l, 127, second);
	finish(l);
	check_text(nth_trace(l, 3, 1), first);
	check_text(nth_trace(l, 3, 0), second);
	assert_int_equal(nth_trace(l, 3, 1)->printout, 1);
	assert_int_equal(nth_trace(l, 3, 0)->printout, 2);
}

/* If a task prints many lines, they are not the beginning of a backtrace. */
static void long_lead(void **state)
{
	struct log *l = *state;

	say(l, 127, "BUG: workqueue lockup - pool cpus=3\n");
	for (unsigned int i = 0; i < 80; i++)
		say(l, 127, "Showing busy workqueues\n");
	assert_true(l->log->printouts[0].has_ended);
	say(l, 127, INFO(3, 127, "sh") SPIN_TRACE);
	finish(l);
	check_trace(l, 3, NMIBT_EVIDENCE_OWN, 0, INFO(3, 127, "sh") SPIN_TRACE);
	assert_int_equal(nth_trace(l, 3, 0)->printout, 0);
}

/* ----------------------------------------------------------------- interrupted */

/* An NMI comes while an interrupt of the same CPU prints: both have the same caller. If stacks are
 * marked, each line can be assigned to one of them. */
static void nested(void **state)
{
	static const char head[] =
		"watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]\n" MODULES INFO(
			3, 118, "spin") SPIN_REGS "Call Trace:\n <IRQ>\n one+0x1/0x2\n";
	static const char tail[] = " two+0x1/0x2\n </IRQ>\n <TASK>\n three+0x1/0x2\n </TASK>\n";
	static const char nmi[] = TITLE(3) INFO(3, 118, "spin") SPIN_REGS
		"Call Trace:\n <NMI>\n nmi_fn+0x1/0x2\n </NMI>\n <IRQ>\n vprintk+0x1/0x2\n"
		" </IRQ>\n <TASK>\n spin_fn+0x1/0x2\n ret_from_fork+0x34/0x50\n"
		" ? __pfx_kthread+0x10/0x10\n ret_from_fork_asm+0x1a/0x30\n </TASK>\n";
	static const char whole[] =
		"watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]\n" MODULES INFO(
			3, 118, "spin") SPIN_REGS
		"Call Trace:\n <IRQ>\n one+0x1/0x2\n two+0x1/0x2\n </IRQ>\n"
		" <TASK>\n three+0x1/0x2\n </TASK>\n";
	struct log *l = *state;

	say(l, 1, SENDING(1, "3"));
	say(l, IRQ(3), head);
	say(l, IRQ(3), nmi);
	say(l, IRQ(3), TOO_LONG);
	say(l, IRQ(3), tail);
	say(l, IRQ(3), SENDING(3, "0"));
	finish(l);
	assert_int_equal(l->log->nr_traces, 2);
	check_text(nth_trace(l, 3, 1), whole);
	check_text(nth_trace(l, 3, 0), nmi);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(nth_trace(l, 3, i)->wrong, 0);
		assert_true(nth_trace(l, 3, i)->has_ended);
	}
	assert_int_equal(nth_trace(l, 3, 0)->request, 1);
	assert_int_equal(nth_trace(l, 3, 0)->printout, 1);
	assert_int_equal(nth_trace(l, 3, 1)->printout, 2);
	assert_int_equal(l->log->requests[1].printout, 2);
}

/* The NMI may come before the trace; the report still continues after it. */
static void nested_in_lead(void **state)
{
	static const char lead[] = "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]\n";
	struct log *l = *state;

	say(l, IRQ(3), lead);
	say(l, IRQ(3), SPIN(3, 118));
	say(l, IRQ(3), LOCKUP_BODY(3, 118));
	finish(l);
	assert_int_equal(l->log->nr_traces, 2);
	check_text(nth_trace(l, 3, 1), SPIN(3, 118));
	check_text(nth_trace(l, 3, 0), SOFT_LOCKUP(3, 118));
	assert_int_equal(nth_trace(l, 3, 0)->printout, 1);
	assert_int_equal(nth_trace(l, 3, 1)->printout, 0);
}

#define ARM64_LOCKUP_HEAD                                                                          \
	"watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [spin:118]\n" MODULES ARM64_INFO(       \
		1, 118, "spin") "pc : __delay+0x2c/0xa0\nlr : __delay+0x2c/0xa0\n"                 \
				"sp : ffff0000013dbe00\nCall trace:\n __delay+0x2c/0xa0\n"         \
				" outer_a+0x1/0x2\n"

/* arm64 does not mark stacks: lines after the answer are not added to it, and the report's trace
 * has a gap. */
static void nested_on_arm64(void **state)
{
	struct log *l = *state;

	use(l, NMIBT_ARCH_ARM64);
	say(l, IRQ(1), ARM64_LOCKUP_HEAD);
	say(l, IRQ(1), ARM64_SPIN(1, 118));
	say(l, IRQ(1), " outer_b+0x1/0x2\n ret_from_fork+0x10/0x20\n");
	say(l, IRQ(1), "an event\n");
	finish(l);
	assert_int_equal(l->log->nr_traces, 2);
	const struct nmibt_log_trace *outer = nth_trace(l, 1, 1), *inner = nth_trace(l, 1, 0);
	check_text(inner, ARM64_SPIN(1, 118));
	assert_int_equal(inner->wrong, 0);
	assert_int_equal(outer->wrong, NMIBT_WRONG_GAP);
	assert_int_equal(count_holes(outer), 1);
	assert_true(holds(outer, " outer_b+"));
	struct nmibt_evidence evidence = read_evidence(l, 0);
	assert_int_equal(evidence.wrong, NMIBT_WRONG_GAP);
	nmibt_evidence_destroy(&evidence);
}

/* No line shows the end of the answer, so both traces are in doubt. */
static void nested_without_end(void **state)
{
	struct log *l = *state;

	use(l, NMIBT_ARCH_ARM64);
	say(l, IRQ(1), ARM64_LOCKUP_HEAD);
	say(l, IRQ(1), TITLE(1) "Call trace:\n inner_a+0x1/0x2\n");
	say(l, IRQ(1), " inner_or_outer+0x1/0x2\n ret_from_fork+0x10/0x20\n");
	say(l, IRQ(1), "an event\n");
	finish(l);
	const struct nmibt_log_trace *outer = nth_trace(l, 1, 1), *inner = nth_trace(l, 1, 0);
	check_text(outer, ARM64_LOCKUP_HEAD);
	assert_true(outer->wrong & NMIBT_WRONG_CUT);
	assert_false(outer->has_ended);
	assert_true(inner->wrong & NMIBT_WRONG_GAP);
	assert_int_equal(l->log->nr_traces, 2);
}

/* A task can't be in an NMI: its next lines follow its last ones. */
static void flushed_is_not_nested(void **state)
{
	struct log *l = *state;

	say(l, 1, TITLE(1) "Call Trace:\n one+0x1/0x2\n");
	say(l, 1, TITLE(1) "Call Trace:\n two+0x1/0x2\n");
	say(l, IRQ(2), TITLE(3) "Call Trace:\n three+0x1/0x2\n");
	say(l, IRQ(2), TITLE(4) "Call Trace:\n four+0x1/0x2\n");
	say(l, IRQ(2), "an event\n");
	finish(l);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(trace_at(l, i)->wrong, 0);
		assert_true(trace_at(l, i)->has_ended || i == 1);
	}
}

/* A stack may end with two outermost functions. */
static void outermost_twice(void **state)
{
	static const char x86[] =
		SPIN_REGS "Call Trace:\n <TASK>\n kthread+0xd2/0x100\n ret_from_fork+0x34/0x50\n"
			  " ? __pfx_kthread+0x10/0x10\n ret_from_fork_asm+0x1a/0x30\n </TASK>\n";
	static const char arm64[] = "Call trace:\n do_idle+0x1/0x2\n"
				    " secondary_start_kernel+0x1/0x2\n"
				    " __secondary_switched+0x1/0x2\n";
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3));
	say(l, IRQ(3), x86);
	finish(l);
	assert_true(holds(nth_trace(l, 3, 0), " ret_from_fork_asm+"));
	assert_true(nth_trace(l, 3, 0)->has_ended);
	assert_int_equal(nth_trace(l, 3, 0)->wrong, 0);
	use(l, NMIBT_ARCH_ARM64);
	say(l, IRQ(3), TITLE(3));
	say(l, IRQ(3), arm64);
	finish(l);
	assert_true(holds(nth_trace(l, 3, 0), " __secondary_switched+"));
	assert_true(nth_trace(l, 3, 0)->has_ended);
	/* el0_svc() was an outermost function up to 4.20. */
	use(l, NMIBT_ARCH_ARM64);
	say(l, 1, TITLE(3) "Call trace:\n el0_svc+0x30/0x6c\n");
	say(l, 1, " el0t_64_sync_handler+0x1/0x2\n el0t_64_sync+0x160/0x164\n");
	finish(l);
	assert_true(holds(nth_trace(l, 3, 0), " el0t_64_sync+"));
}

/* A panic in an NMI comes while an interrupt of the same CPU prints, which never continues. */
static void panic_in_the_middle(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [spin:118]\n");
	say(l, IRQ(3), INFO(3, 118, "spin") "Call Trace:\n <IRQ>\n one+0x1/0x2\n");
	say(l, IRQ(3), PANIC_SAYS("Hard LOCKUP") INFO(3, 118, "spin") SPIN_TRACE);
	say(l, IRQ(3), " two+0x1/0x2\n </IRQ>\n");
	finish(l);
	assert_int_equal(l->log->nr_traces, 2);
	assert_int_equal(nth_trace(l, 3, 1)->wrong, NMIBT_WRONG_CUT);
	assert_false(holds(nth_trace(l, 3, 1), " two+"));
	assert_false(holds(nth_trace(l, 3, 0), " two+"));
	assert_int_equal(nth_trace(l, 3, 0)->printout, 2);
	assert_int_equal(l->log->printouts[1].kind, NMIBT_PRINT_PANIC);
}

/* More frames follow what seemed to be the end of the trace. */
static void frames_of_nobody(void **state)
{
	struct log *l = *state;

	use(l, NMIBT_ARCH_ARM64);
	say(l, IRQ(1), TITLE(1) "Call trace:\n one+0x1/0x2\nan event\n two+0x1/0x2\n");
	finish(l);
	check_text(nth_trace(l, 1, 0), TITLE(1) "Call trace:\n one+0x1/0x2\n");
	assert_int_equal(nth_trace(l, 1, 0)->wrong, NMIBT_WRONG_CUT);
	assert_false(nth_trace(l, 1, 0)->has_ended);
}

/* ------------------------------------------------------------------------ gaps */

/* Records in the middle of a trace are lost: the frames on both sides are no neighbours. */
static void gap(void **state)
{
	struct log *l = *state;

	say(l, IRQ(1), TITLE(1) "Call Trace:\n <TASK>\n inner_a+0x1/0x2\n");
	say(l, IRQ(2), IDLE(2));
	uint64_t before = l->seq - 1;
	l->seq += 5;
	say(l, IRQ(1), " outer_d+0x1/0x2\n </TASK>\n");
	finish(l);
	const struct nmibt_log_trace *trace = nth_trace(l, 1, 0);
	assert_int_equal(trace->wrong, NMIBT_WRONG_GAP);
	assert_int_equal(trace->lost_records, 5);
	assert_int_equal(count_holes(trace), 1);
	assert_true(holds(trace, " inner_a+") && holds(trace, " outer_d+"));
	check_trace(l, 2, NMIBT_EVIDENCE_ANSWER, 0, IDLE(2));
	assert_int_equal(l->log->nr_gaps, 1);
	assert_int_equal(l->log->gaps[0].after_seq, before);
	assert_int_equal(l->log->gaps[0].before_seq, before + 6);
	assert_int_equal(l->log->gaps[0].nr, 5);
	/* This is what the report reads. */
	struct nmibt_evidence evidence = read_evidence(l, 0);
	assert_int_equal(evidence.lost_msgs, 5);
	assert_int_equal(evidence.text.lines[4].flags, NMIBT_LINE_LOST);
	assert_int_equal(evidence.text.lines[4].gap, 0);
	assert_int_equal(evidence.text.unread, 0);
	assert_int_equal(evidence.stack.end, NMIBT_END_GAP);
	assert_true(evidence.stack.frames[0].reliable);
	assert_false(evidence.stack.frames[1].reliable);
	nmibt_evidence_destroy(&evidence);
}

/* Losses after the last record, or without a jump in the numbers, are reported by a call. */
static void gap_that_is_told(void **state)
{
	struct log *l = *state;

	say(l, IRQ(1), TITLE(1) "Call Trace:\n <TASK>\n inner_a+0x1/0x2\n");
	say(l, IRQ(2), IDLE(2));
	nmibt_log_source_lose(l->log, 2);
	finish(l);
	assert_true(nth_trace(l, 1, 0)->wrong & NMIBT_WRONG_GAP);
	assert_false(nth_trace(l, 1, 0)->has_ended);
	assert_int_equal(count_holes(nth_trace(l, 1, 0)), 1);
	struct nmibt_evidence evidence = read_evidence(l, 0);
	assert_int_equal(evidence.text.nr_lines, 5);
	assert_int_equal(evidence.text.lines[4].flags, NMIBT_LINE_LOST | NMIBT_LINE_PARTIAL);
	assert_int_equal(evidence.text.unread, 0);
	nmibt_evidence_destroy(&evidence);
	assert_int_equal(nth_trace(l, 2, 0)->wrong, 0);
	assert_int_equal(l->log->gaps[0].after_seq, l->seq - 1);
	assert_int_equal(l->log->gaps[0].before_seq, l->seq + 2);
}

/* A trace that has ended lacks nothing, whatever is lost later. */
static void gap_behind_the_end(void **state)
{
	struct log *l = *state;

	use(l, NMIBT_ARCH_ARM64);
	say(l, IRQ(1), ARM64_SPIN(1, 118));
	l->seq += 5;
	say(l, 7, "an event\n");
	finish(l);
	assert_true(check_trace(l, 1, NMIBT_EVIDENCE_ANSWER, 0, ARM64_SPIN(1, 118))->has_ended);
}

/* The head of the next trace is lost, too. */
static void gap_at_both_ends(void **state)
{
	struct log *l = *state;

	say(l, IRQ(1), TITLE(1) "Call Trace:\n <TASK>\n one+0x1/0x2\n");
	l->seq += 5;
	say(l, IRQ(1), INFO(1, 118, "spin") SPIN_REGS SPIN_TRACE);
	say(l, IRQ(2), SPIN_REGS SPIN_TRACE);
	finish(l);
	assert_int_equal(nth_trace(l, 1, 1)->wrong, NMIBT_WRONG_GAP);
	assert_false(nth_trace(l, 1, 1)->has_ended);
	for (unsigned int cpu = 1; cpu < 3; cpu++) {
		const struct nmibt_log_trace *trace = nth_trace(l, cpu, 0);

		assert_int_equal(trace->wrong, NMIBT_WRONG_HEADLESS);
		assert_int_equal(trace->kind, NMIBT_EVIDENCE_OWN);
		assert_int_equal(trace->printout, 0);
		assert_int_equal(trace->lost_records, 5);
	}
}

/* If the pieces of a line are on both sides of a gap, they are two lines. */
static void gap_in_a_line(void **state)
{
	struct log *l = *state;

	say(l, IRQ(1), TITLE(1) "Call Trace:\n");
	say_part(l, IRQ(1), 0, " one+0x1");
	l->seq++;
	say_part(l, IRQ(1), CONT | NEWLINE, "/0x2");
	say(l, IRQ(1), " two+0x1/0x2\n");
	finish(l);
	assert_false(holds(nth_trace(l, 1, 0), " one+0x1/0x2"));
}

static void dropped_messages(void **state)
{
	struct log *l = *state;

	say(l, IRQ(1), TITLE(1) "Call Trace:\n <TASK>\n one+0x1/0x2\n");
	say(l, 5, "** 12 printk messages dropped **\n");
	say(l, IRQ(1), " two+0x1/0x2\n </TASK>\n");
	finish(l);
	assert_int_equal(nth_trace(l, 1, 0)->wrong, NMIBT_WRONG_GAP);
	assert_int_equal(nth_trace(l, 1, 0)->lost_records, 12);
	assert_int_equal(count_holes(nth_trace(l, 1, 0)), 1);
	assert_int_equal(l->log->nr_gaps, 1);
}

/* If there are more gaps than are kept, all losses are still counted. */
static void many_gaps(void **state)
{
	struct log *l = *state;

	for (unsigned int i = 0; i < 10000; i++) {
		say(l, 7, "an event\n");
		l->seq += 3;
	}
	say(l, 7, "an event\n");
	finish(l);
	uint64_t lost = 0;
	for (size_t i = 0; i < l->log->nr_gaps; i++)
		lost += l->log->gaps[i].nr;
	assert_int_equal(lost, 30000);
	assert_in_range(l->log->nr_gaps, 1000, 9999);
	assert_int_equal(l->log->gaps[l->log->nr_gaps - 1].before_seq, l->seq - 1);
}

/* --------------------------------------------------------------------- machine */

static void events(void **state)
{
	static const enum nmibt_print kinds[] = {
		NMIBT_PRINT_BANNER, NMIBT_PRINT_COMMAND_LINE, NMIBT_PRINT_SUSPEND,
		NMIBT_PRINT_RESUME, NMIBT_PRINT_COMMAND_LINE, NMIBT_PRINT_KDUMP,
	};
	struct log *l = *state;

	say(l, 0,
	    "Linux version 6.12.117 (a@b) #1\nCommand line: root=/dev/vda crashkernel=256M\n");
	say(l, 5, "PM: suspend entry (deep)\nPM: suspend exit\n");
	say(l, 0, "Kernel command line: root=/dev/vda elfcorehdr=0x7d000000\n");
	say(l, 1, "Starting crashdump kernel...\n");
	finish(l);
	assert_int_equal(l->log->nr_events, ARRAY_SIZE(kinds));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_int_equal(l->log->events[i].kind, kinds[i]);
		assert_int_equal(l->log->events[i].seq, i);
		assert_int_equal(l->log->events[i].is_capture_kernel, i == 4);
	}
	assert_string_equal(l->log->events[2].message, "PM: suspend entry (deep)");
}

static void hardware_and_taint(void **state)
{
	struct log *l = *state;

	say(l, 1, INFO(1, 1, "init"));
	say(l, 2, ARM64_INFO(1, 1, "init"));
	finish(l);
	assert_string_equal(l->log->hardware, "linux,dummy-virt (DT)");
	assert_string_equal(l->log->taint, "Tainted: G           O");
	use(l, NMIBT_ARCH_X86_64);
	say(l, 1, INFO(1, 1, "init"));
	finish(l);
	assert_string_equal(l->log->taint, "Not tainted");
}

/* A CPU that is stopped prints where it was. The text belongs to the panic, which stopped it. */
static void stopping(void **state)
{
	struct log *l = *state;

	use(l, NMIBT_ARCH_ARM64);
	say(l, 1, ARM64_PANIC(1, 1));
	say(l, IRQ(2), "CPU2: stopping\n");
	say(l, IRQ(2), &ARM64_SPIN(2, 118)[sizeof(TITLE(2)) - 1]);
	finish(l);
	assert_int_equal(nth_trace(l, 2, 0)->kind, NMIBT_EVIDENCE_OWN);
	assert_int_equal(nth_trace(l, 2, 0)->printout, 1);
}

/* ------------------------------------------------------------------- wrapped */

/* The kind of a trace without a head is not known, so it can't be an answer. */
static void check_headless(const struct log *l, unsigned int cpu, const char *text)
{
	const struct nmibt_log_trace *trace = nth_trace(l, cpu, 0);

	assert_int_equal(trace->wrong & NMIBT_WRONG_HEADLESS, NMIBT_WRONG_HEADLESS);
	assert_int_equal(trace->kind, NMIBT_EVIDENCE_OWN);
	assert_int_equal(trace->printout, 0);
	assert_int_equal(trace->request, 0);
	check_text(trace, text);
}

static void headless(void **state)
{
	static const char rest[] = "RIP: 0010:delay_tsc+0x2e/0x50\n"
				   "Call Trace:\n one+0x1/0x2\n </TASK>\n";
	struct log *l = *state;

	l->seq = 1000;
	say(l, IRQ(3), rest);
	say(l, IRQ(5), " two+0x1/0x2\n");
	say(l, IRQ(4), IDLE(4));
	/* Any time may have passed. */
	l->ts_ns += 3600000 * MS;
	say(l, IRQ(5), " three+0x1/0x2\n" TOO_LONG);
	/* These CPUs have printed before, even if a task did it. */
	say(l, 1, ASKER(7, 1));
	say(l, IRQ(3), " four+0x1/0x2\n");
	say(l, IRQ(4), " five+0x1/0x2\n");
	say(l, IRQ(8), "an event\n six+0x1/0x2\n");
	finish(l);
	assert_true(l->log->is_wrapped);
	assert_int_equal(l->log->nr_traces, 4);
	check_headless(l, 3, rest);
	assert_int_equal(nth_trace(l, 3, 0)->first_seq, 1000);
	check_headless(l, 5, " two+0x1/0x2\n three+0x1/0x2\n");
	check_trace(l, 4, NMIBT_EVIDENCE_ANSWER, 0, IDLE(4));
	check_trace(l, 7, NMIBT_EVIDENCE_ANSWER, 0, ASKER(7, 1));
}

/* Only the title may be lost, or there was none: a warning in an interrupt looks the same. */
static void headless_info(void **state)
{
	static const char warning[] = MODULES INFO(5, 118, "sh") SPIN_REGS
		"Call Trace:\n <IRQ>\n one+0x1/0x2\n </IRQ>\n <TASK>\n"
		" two+0x1/0x2\n </TASK>\n---[ end trace 0000000000000000 ]---\n";
	struct log *l = *state;

	l->seq = 1;
	say(l, IRQ(3), &IDLE(3)[sizeof(TITLE(3)) - 1]);
	say(l, IRQ(4), HARDWARE SPIN_REGS SPIN_TRACE);
	say(l, IRQ(5), warning);
	say(l, 1, SENDING(0, "3-5"));
	finish(l);
	check_headless(l, 3, &IDLE(3)[sizeof(TITLE(3)) - 1]);
	check_headless(l, 4, HARDWARE SPIN_REGS SPIN_TRACE);
	check_headless(l, 5, warning);
}

static void not_headless(void **state)
{
	struct log *l = *state;

	/* Nothing is lost... */
	say(l, IRQ(3), " one+0x1/0x2\n");
	finish(l);
	assert_int_equal(l->log->nr_traces, 0);
	/* ...a task is not a CPU, and beyond the last CPU there is none... */
	use(l, NMIBT_ARCH_X86_64);
	l->seq = 1;
	say(l, 3, " one+0x1/0x2\n");
	say(l, IRQ(NMIBT_MAX_CPUS), " one+0x1/0x2\n");
	say(l, UINT32_MAX, " one+0x1/0x2\n");
	/* ...and these CPUs printed something else first. */
	say(l, IRQ(4), "e1000: link up\n one+0x1/0x2\n");
	finish(l);
	assert_true(l->log->is_wrapped);
	assert_int_equal(l->log->nr_traces, 0);
	use(l, NMIBT_ARCH_X86_64);
	l->seq = 1;
	say(l, IRQ(5), WARNING_LINE(5, 1) WARNING_BODY(5, 1));
	finish(l);
	check_trace(l, 5, NMIBT_EVIDENCE_OWN, 0, WARNING_LINE(5, 1) WARNING_BODY(5, 1));
	assert_int_equal(nth_trace(l, 5, 0)->printout, 1);
}

/* ------------------------------------------------------------------- hostile */

/* Whoever can write to /dev/kmsg can write the same texts as the kernel. */
static void of_user_space(void **state)
{
	struct log *l = *state;

	l->facility = 1;
	say(l, 0x80000003, IDLE(3));
	say(l, 1, PANIC(1, 1));
	l->facility = 0;
	/* User space does not end a printout of the kernel, either. */
	say(l, 118, TITLE(2) "Call Trace:\n <TASK>\n one+0x1/0x2\n");
	l->facility = 1;
	say(l, 118, "an event\n" TITLE(4));
	l->facility = 0;
	say(l, 118, " two+0x1/0x2\n </TASK>\n");
	finish(l);
	assert_int_equal(l->log->nr_traces, 1);
	assert_int_equal(l->log->nr_printouts, 0);
	check_trace(l, 2, NMIBT_EVIDENCE_ANSWER, 0,
		    TITLE(2) "Call Trace:\n <TASK>\n one+0x1/0x2\n two+0x1/0x2\n </TASK>\n");
	assert_int_equal(l->log->nr_gaps, 0);
}

static void no_such_cpu(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), "NMI backtrace for cpu 8192\nNMI backtrace for cpu \nNMI backtrace for cpu");
	say(l, IRQ(3), "\nNMI backtrace for cpu -1\nNMI backtrace for cpu 99999999999999999999\n");
	say(l, IRQ(3), "CPU: 8192 PID: 1 Comm: sh\nCPU:  PID: 1 Comm: sh\nCPU: 3 Comm: sh\nCPU: ");
	say(l, IRQ(3), "NMI backtrace for cpu 4294967299\nCPU: 4294967299 PID: 1 Comm: sh\n");
	assert_int_equal(l->log->nr_traces, 0);
	say(l, IRQ(3), "NMI backtrace for cpu 8191\n");
	finish(l);
	assert_int_equal(l->log->nr_traces, 1);
	check_text(nth_trace(l, 8191, 0), "NMI backtrace for cpu 8191\n");
	assert_int_equal(nth_trace(l, 8191, 0)->wrong, NMIBT_WRONG_CUT);
}

/* Bytes that no kernel prints are kept unchanged. */
static void any_bytes(void **state)
{
	static const char bytes[] = " \0\001\xff\033[1m\r\t";
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3));
	add(l, IRQ(3), NEWLINE, bytes, sizeof(bytes) - 1);
	finish(l);
	const struct nmibt_log_trace *trace = nth_trace(l, 3, 0);
	size_t head = strlen(TITLE(3));
	assert_int_equal(trace->len, head + sizeof(bytes));
	assert_memory_equal(trace->raw + head, bytes, sizeof(bytes) - 1);
	assert_true(trace->known[head + 1]);
}

/* Many callers are in the middle of a backtrace. */
static void many_streams(void **state)
{
	struct log *l = *state;
	char line[64];

	for (unsigned int i = 0; i < 2000; i++) {
		sprintf(line, "NMI backtrace for cpu %u\n", i);
		say(l, IRQ(i), line);
		l->ts_ns -= MS;
	}
	for (unsigned int i = 0; i < 2000; i++) {
		sprintf(line, "RIP: 0010:fn_%u+0x1/0x2\n", i);
		say(l, IRQ(i), line);
		l->ts_ns -= MS;
	}
	assert_int_equal(l->log->nr_traces, 2000);
	finish(l);
	for (unsigned int i = 0; i < 2000; i++) {
		sprintf(line, "NMI backtrace for cpu %u\nRIP: 0010:fn_%u+0x1/0x2\n", i, i);
		assert_int_equal(nth_trace(l, i, 0)->older, 0);
		check_text(nth_trace(l, i, 0), line);
	}
}

/* The log is not finished: the memory of open levels must be freed, too. */
static void destroyed_early(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3));
	say(l, IRQ(4), PANIC_SAYS("lead"));
	nmibt_log_source_close(NULL);
}

/* A log of titles only, of one CPU, or of callers that share a bucket of any hash of their lower
 * bits. The time must not be quadratic. */
static void no_squares(void **state)
{
	struct log *l = *state;
	clock_t begin = clock();

	for (unsigned int i = 0; i < 40000; i++) {
		add(l, i << 16 | (i & 0xffff), NEWLINE, "NMI backtrace for cpu 3", 23);
		l->ts_ns -= MS;
	}
	for (unsigned int i = 0; i < 200000; i++) {
		add(l, (i << 16 | (i & 0xffff)) ^ 1, NEWLINE, "BUG: ", 5);
		l->ts_ns -= MS;
	}
	finish(l);
	assert_int_equal(l->log->nr_traces, 40000);
	/* With a sanitizer it takes 0.5 s. */
	assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ------------------------------------------------------------- without callers */

#define NOBODY NMIBT_NO_CALLER

#define LOCKUP(cpu, function)                                                                      \
	"watchdog: BUG: soft lockup - CPU#" cpu " stuck for 22s! [spin:11" cpu "]\n"               \
	"CPU: " cpu " PID: 11" cpu " Comm: spin Not tainted 4.19.304 #1\n"                         \
	"RIP: 0010:delay_tsc+0x2e/0x50\n"                                                          \
	"Call Trace:\n"                                                                            \
	" " function "+0x55/0x70\n"                                                                \
	" ret_from_fork+0x35/0x40\n"

/* Two that do not meet are whole. */
static void nobody_one_by_one(void **state)
{
	struct log *l = *state;

	say(l, NOBODY, LOCKUP("2", "two_fn"));
	say(l, NOBODY, LOCKUP("3", "three_fn"));
	finish(l);
	const struct nmibt_log_trace *trace = nth_trace(l, 2, 0);
	assert_true(holds(trace, "two_fn"));
	assert_int_equal(trace->wrong, 0);
	trace = nth_trace(l, 3, 0);
	assert_true(holds(trace, "three_fn"));
	assert_int_equal(trace->wrong, 0);
}

/* Two that do: no frame is taken for another CPU's, and both lack their ends. What comes
 * when both have ended is whole again. */
static void nobody_mixed(void **state)
{
	struct log *l = *state;

	say_both(l, NOBODY, LOCKUP("2", "two_fn"), NOBODY, LOCKUP("3", "three_fn"));
	say(l, NOBODY, LOCKUP("1", "one_fn"));
	finish(l);
	for (size_t i = 0; i < l->log->nr_traces; i++) {
		const struct nmibt_log_trace *trace = &l->log->traces[i];

		assert_true(trace->cpu == 3 || !holds(trace, "three_fn"));
		assert_true(trace->cpu == 2 || !holds(trace, "two_fn"));
		assert_true(trace->cpu == 1 || trace->wrong & NMIBT_WRONG_CUT);
	}
	for (size_t i = 0; i < l->log->nr_printouts; i++)
		assert_true(
			l->log->printouts[i].reporter == NMIBT_NO_CPU ||
			nmibt_cpus_has(&l->log->printouts[i].cpus, l->log->printouts[i].reporter));
}

/* A message in the middle of an answer: what follows is not taken, and not given to the next
 * answer, which is whole. */
static void nobody_answers(void **state)
{
	struct log *l = *state;

	say(l, NOBODY,
	    "Sending NMI from CPU 1 to CPUs 2-3:\n"
	    "NMI backtrace for cpu 2\n"
	    "CPU: 2 PID: 112 Comm: spin Not tainted 4.19.304 #1\n"
	    "Call Trace:\n"
	    " two_fn+0x55/0x70\n"
	    "usb 1-1: new device\n"
	    " kthread+0xd8/0x110\n"
	    "NMI backtrace for cpu 3\n"
	    "CPU: 3 PID: 113 Comm: spin Not tainted 4.19.304 #1\n"
	    "Call Trace:\n"
	    " three_fn+0x55/0x70\n"
	    " ret_from_fork+0x35/0x40\n");
	finish(l);
	const struct nmibt_log_trace *trace = nth_trace(l, 2, 0);
	assert_true(holds(trace, "two_fn"));
	assert_false(holds(trace, "kthread"));
	assert_true(trace->wrong & NMIBT_WRONG_CUT);
	trace = nth_trace(l, 3, 0);
	assert_true(holds(trace, "three_fn"));
	assert_false(holds(trace, "kthread"));
	assert_int_equal(trace->wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing),
		TEST(nobody_one_by_one),
		TEST(nobody_mixed),
		TEST(nobody_answers),
		TEST(two_at_once),
		TEST(task_beside),
		TEST(cut_line),
		TEST(fragments),
		TEST(missing_bytes),
		TEST(cut_words),
		TEST(lines_in_records),
		TEST(names_with_newlines),
		TEST(slow_console),
		TEST(clock_behind),
		TEST(user_mode),
		TEST(compat_user_mode),
		TEST(arm64_user_mode),
		TEST(kernel_mode),
		TEST(arm64_kernel_mode),
		TEST(request),
		TEST(rounds),
		TEST(silent_asks),
		TEST(not_its_own),
		TEST(flushed_by_one),
		TEST(many_requests),
		TEST(request_lists),
		TEST(end_of_request),
		TEST(request_to_all),
		TEST(sysrq_without_nmi),
		TEST(panic),
		TEST(oops_then_panic),
		TEST(warning_after_panic),
		TEST(after_end_of_panic),
		TEST(oops_alone),
		TEST(oops_not_ended),
		TEST(oops_survived),
		TEST(survived_bug),
		TEST(panic_without_trace),
		TEST(panic_asks),
		TEST(sysrq_c),
		TEST(panic_on_arm64),
		TEST(oops_asks),
		TEST(soft_lockup),
		TEST(soft_lockup_then_panic),
		TEST(hard_lockup),
		TEST(hard_lockup_of_another),
		TEST(self_stall),
		TEST(stall_of_others),
		TEST(stall_found_by_task),
		TEST(expedited_stall),
		TEST(stall_of_tasks),
		TEST(stalled_workers),
		TEST(hung_task_and_owner),
		TEST(hung_task),
		TEST(task_dump),
		TEST(csd_lockup),
		TEST(warning),
		TEST(warnings),
		TEST(second_lead),
		TEST(long_lead),
		TEST(nested),
		TEST(nested_in_lead),
		TEST(nested_on_arm64),
		TEST(nested_without_end),
		TEST(flushed_is_not_nested),
		TEST(outermost_twice),
		TEST(panic_in_the_middle),
		TEST(frames_of_nobody),
		TEST(gap),
		TEST(gap_that_is_told),
		TEST(gap_behind_the_end),
		TEST(gap_at_both_ends),
		TEST(gap_in_a_line),
		TEST(dropped_messages),
		TEST(many_gaps),
		TEST(events),
		TEST(hardware_and_taint),
		TEST(stopping),
		TEST(headless),
		TEST(headless_info),
		TEST(not_headless),
		TEST(of_user_space),
		TEST(no_such_cpu),
		TEST(any_bytes),
		TEST(many_streams),
		TEST(destroyed_early),
		TEST(no_squares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
