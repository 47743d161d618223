// SPDX-License-Identifier: GPL-2.0-or-later
/* The outcome of each CPU, also if any field of the capture is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-image.h"
#include "render/render.h"
#include "report/report.h"

static int arm64_setup(void **state)
{
	*state = fake_new(NMIBT_ARCH_ARM64, 4);
	return 0;
}

static int x86_64_setup(void **state)
{
	*state = fake_new(NMIBT_ARCH_X86_64, 4);
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

static struct nmibt_report *open_report(struct fake *f)
{
	struct nmibt_report *report;
	struct nmibt_error *err = nmibt_report_make(&f->image, NMIBT_SOURCE_AUTO, &report);

	if (err)
		fail_msg("no report: %s", err->message);
	return report;
}

/* Opens the whole report anew, and reads that CPU. */
static struct nmibt_cpu cpu_of(struct fake *f, unsigned int nr)
{
	struct nmibt_report *report = open_report(f);
	struct nmibt_cpu cpu;

	assert_null(nmibt_report_read_cpu(report, nr, &cpu));
	assert_int_equal(cpu.cpu, nr);
	/* The first pass must have had the same results. */
	assert_int_equal(report->cpus[nr].outcome, cpu.outcome);
	assert_int_equal(report->cpus[nr].has_stale_slot, cpu.has_stale_slot);
	assert_int_equal(report->cpus[nr].note, cpu.stop.note);
	assert_int_equal(report->cpus[nr].moved, cpu.moved);
	assert_int_equal(report->cpus[nr].stack_hash, cpu.stack_hash);
	nmibt_report_close(report);
	return cpu;
}

static bool has_line(const struct nmibt_text *text, const char *want)
{
	for (size_t i = 0; i < text->nr_lines; i++) {
		if (text->lines[i].len == strlen(want) &&
		    !memcmp(text->lines[i].text, want, strlen(want)))
			return true;
	}
	return false;
}

static void check_outcome(struct fake *f, unsigned int nr, enum nmibt_outcome want)
{
	struct nmibt_report *report = open_report(f);

	assert_int_equal(report->cpus[nr].outcome, want);
	assert_false(report->cpus[nr].has_stale_slot);
	nmibt_report_close(report);
	struct nmibt_cpu cpu = cpu_of(f, nr);
	nmibt_cpu_destroy(&cpu);
}

/* The CPU must be damaged, for this reason, and still have its text if it has any. */
static void check_damaged(struct fake *f, unsigned int nr, const char *why)
{
	struct nmibt_report *report = open_report(f);
	assert_false(report->complete);
	assert_true(report->cpus[nr].lost);
	nmibt_report_close(report);

	struct nmibt_cpu cpu = cpu_of(f, nr);
	assert_int_equal(cpu.outcome, NMIBT_OUTCOME_DAMAGED);
	if (!strstr(cpu.why, why))
		fail_msg("'%s' lacks '%s'", cpu.why, why);
	nmibt_cpu_destroy(&cpu);
}

/* -------------------------------------------------------------------- outcomes */

static void names(void **state)
{
	static const char *const want[] = {
		"nmi",	    "irq",     "self",	   "stop",    "partial",  "silent",    "offline",
		"excluded", "damaged", "answered", "skipped", "reported", "registers", "none"};

	(void)state;
	for (unsigned int i = 0; i < NMIBT_NR_OUTCOMES; i++)
		assert_string_equal(nmibt_outcome_name(i), want[i]);
	assert_string_equal(nmibt_outcome_name(NMIBT_NR_OUTCOMES), "unknown");
}

static void answered(void **state)
{
	struct fake *f = *state;

	fake_reset(f, 2);
	fake_answer(f, 2, NMI_CAPTURE_BY_IRQ);
	fake_reset(f, 3);
	fake_answer(f, 3, NMI_CAPTURE_BY_STOP);
	check_outcome(f, 0, NMIBT_OUTCOME_SELF);
	check_outcome(f, 1, NMIBT_OUTCOME_NMI);
	check_outcome(f, 2, NMIBT_OUTCOME_IRQ);
	check_outcome(f, 3, NMIBT_OUTCOME_STOP);

	struct nmibt_report *report = open_report(f);
	assert_true(report->complete);
	assert_int_equal(report->nr_possible, 4);
	assert_int_equal(report->nr_stale, 0);
	for (unsigned int i = 0; i < NMIBT_NR_OUTCOMES; i++)
		assert_int_equal(report->by_outcome[i], i <= NMIBT_OUTCOME_STOP ? 1 : 0);
	nmibt_report_close(report);
}

static void what_an_answer_holds(void **state)
{
	struct fake *f = *state;
	struct nmibt_cpu cpu = cpu_of(f, 1);

	assert_true(cpu.has_slot);
	assert_string_equal(cpu.why, "");
	assert_int_equal(cpu.slot_paddr, f->slot_paddr[1]);
	assert_int_equal(cpu.slot.pid, 101);
	assert_string_equal(cpu.slot.comm, "task-1");
	assert_true(has_line(&cpu.standing.text, "NMI backtrace for cpu 1"));
	assert_true(has_line(&cpu.standing.text, "marker-of-cpu-1"));
	assert_int_equal(cpu.standing.text.raw_len, f->slot[1]->text_len);
	assert_int_equal(cpu.standing.text.published, f->slot[1]->text_len);
	assert_int_equal(cpu.standing.text.unread, 0);
	assert_int_equal(cpu.standing.nested.nr_lines, 0);
	assert_int_equal(cpu.standing.stack.nr, 4);
	assert_true(cpu.standing.stack.frames[0].is_pc);
	assert_memory_equal(cpu.standing.stack.frames[2].function.s, "spin_fn", 7);
	assert_memory_equal(cpu.standing.stack.frames[2].module.s, "irqspin", 7);
	assert_true(cpu.standing.regs.present && cpu.stop.regs.present);
	assert_int_equal(cpu.standing.regs.nr, fake_nr_regs(f));
	assert_int_equal(cpu.standing.regs.value[3], 0x2003);
	assert_int_equal(cpu.stop.regs.value[3], 0x2003);
	assert_int_equal(cpu.stop.note, NMIBT_NOTE_PRESENT);
	assert_int_equal(cpu.stop.task.pid, 101);
	assert_int_equal(cpu.moved, NMIBT_MOVED_SAME);
	struct nmibt_cpu other = cpu_of(f, 2);
	assert_int_not_equal(cpu.stack_hash, 0);
	assert_int_equal(cpu.stack_hash, other.stack_hash);
	nmibt_cpu_destroy(&other);
	nmibt_cpu_destroy(&cpu);
}

static void silent(void **state)
{
	struct fake *f = *state;

	fake_reset(f, 2);
	f->slot[2]->state = NMI_CAPTURE_SLOT_ASKED;
	f->slot[2]->asked_generation = 1;
	f->slot[2]->asked_ns = FAKE_ASKED_NS + 1;
	f->desc->state = NMI_CAPTURE_TIMEOUT;
	check_outcome(f, 2, NMIBT_OUTCOME_SILENT);
	struct nmibt_cpu cpu = cpu_of(f, 2);
	assert_int_equal(cpu.standing.text.nr_lines, 0);
	assert_false(cpu.standing.regs.present);
	assert_int_equal(cpu.stop.note, NMIBT_NOTE_NONE);
	assert_int_equal(cpu.moved, NMIBT_MOVED_UNKNOWN);
	nmibt_cpu_destroy(&cpu);

	/* The CPU did not answer the request, but it stopped. */
	uint64_t regs[40] = {7};
	fake_note(f, 2, 5, regs);
	cpu = cpu_of(f, 2);
	assert_int_equal(cpu.outcome, NMIBT_OUTCOME_SILENT);
	assert_int_equal(cpu.stop.note, NMIBT_NOTE_PRESENT);
	assert_int_equal(cpu.stop.regs.value[0], 7);
	nmibt_cpu_destroy(&cpu);
}

static void offline_and_none(void **state)
{
	struct fake *f = *state;

	fake_reset(f, 2);
	f->slot[2]->asked_flags = NMI_CAPTURE_ASKED_F_OFFLINE;
	f->slot[2]->generation = 1;
	fake_reset(f, 3);
	check_outcome(f, 2, NMIBT_OUTCOME_OFFLINE);
	/* A slot that was never written does not count as one of an older request. */
	check_outcome(f, 3, NMIBT_OUTCOME_NONE);
	struct nmibt_report *report = open_report(f);
	assert_true(report->complete);
	assert_true(report->possible[3]);
	nmibt_report_close(report);

	/* If there is no slot at all, the CPU is not possible. */
	f->table[3] = 0;
	report = open_report(f);
	assert_false(report->possible[3]);
	assert_int_equal(report->nr_possible, 3);
	assert_int_equal(report->by_outcome[NMIBT_OUTCOME_NONE], 0);
	nmibt_report_close(report);
}

static void no_memory_for_a_slot(void **state)
{
	struct fake *f = *state;

	f->table[3] = NMI_CAPTURE_NO_MEMORY;
	struct nmibt_report *report = open_report(f);
	assert_true(report->possible[3]);
	assert_int_equal(report->nr_possible, 4);
	assert_int_equal(report->by_outcome[NMIBT_OUTCOME_NONE], 1);
	assert_string_equal(report->sources->capture.damage, "");
	nmibt_report_close(report);
}

static void partial(void **state)
{
	struct fake *f = *state;

	f->slot[1]->state = NMI_CAPTURE_SLOT_BEGUN;
	f->slot[1]->done_ns = 0;
	f->slot[1]->flags |= NMI_CAPTURE_SLOT_F_FAULTED;
	fake_print(f, 1, " torn_fn+0x1");
	fake_tail(f, 1, "2/0x100\n");
	check_outcome(f, 1, NMIBT_OUTCOME_PARTIAL);

	struct nmibt_cpu cpu = cpu_of(f, 1);
	assert_int_equal(cpu.slot.how, NMI_CAPTURE_BY_NMI);
	const struct nmibt_line *last = &cpu.standing.text.lines[cpu.standing.text.nr_lines - 1];
	assert_int_equal(last->len, strlen(" torn_fn+0x12/0x100"));
	assert_memory_equal(last->text, " torn_fn+0x12/0x100", last->len);
	assert_int_equal(last->flags, NMIBT_LINE_TORN);
	assert_int_equal(last->torn_at, strlen(" torn_fn+0x1"));
	assert_int_equal(cpu.standing.text.raw_len, cpu.standing.text.published + 8);
	/* The torn line is a frame, too. */
	assert_memory_equal(cpu.standing.stack.frames[cpu.standing.stack.nr - 1].function.s,
			    "torn_fn", 7);
	assert_int_equal(cpu.standing.stack.frames[cpu.standing.stack.nr - 1].offset, 0x12);
	nmibt_cpu_destroy(&cpu);

	/* The tail fills the area and has no NUL. */
	memset((char *)f->slot[1] + FAKE_TEXT_OFF + f->slot[1]->text_len, 't',
	       FAKE_TEXT_SIZE - f->slot[1]->text_len);
	cpu = cpu_of(f, 1);
	assert_int_equal(cpu.standing.text.raw_len, FAKE_TEXT_SIZE);
	nmibt_cpu_destroy(&cpu);

	/* The CPU has claimed the slot, and has not written how yet. */
	f->slot[1]->how = NMI_CAPTURE_BY_NONE;
	check_outcome(f, 1, NMIBT_OUTCOME_PARTIAL);
}

static void excluded(void **state)
{
	struct fake *f = *state;

	fake_set_pages(f, f->slot_paddr[2], FAKE_SLOT_SIZE, NMIBT_READ_EXCLUDED);
	check_outcome(f, 2, NMIBT_OUTCOME_EXCLUDED);
	struct nmibt_cpu cpu = cpu_of(f, 2);
	assert_false(cpu.has_slot);
	assert_non_null(strstr(cpu.why, "is excluded from the dump"));
	nmibt_cpu_destroy(&cpu);
	struct nmibt_report *report = open_report(f);
	assert_false(report->complete);
	assert_int_equal(report->by_outcome[NMIBT_OUTCOME_NMI], 2);
	nmibt_report_close(report);

	/* An unreadable slot is damage. */
	fake_set_pages(f, f->slot_paddr[2], FAKE_SLOT_SIZE, NMIBT_READ_ERROR);
	check_damaged(f, 2, "is unreadable");
}

static void stale(void **state)
{
	struct fake *f = *state;

	f->desc->generation = 3;
	for (unsigned int i = 0; i < 4; i++)
		f->slot[i]->generation = 3;
	f->slot[2]->generation = 2;
	struct nmibt_report *report = open_report(f);
	assert_true(report->cpus[2].has_stale_slot);
	assert_int_equal(report->nr_stale, 1);
	assert_int_equal(report->by_outcome[NMIBT_OUTCOME_NMI], 2);
	assert_true(report->complete);
	nmibt_report_close(report);
	/* The slot's contents are available on request. */
	struct nmibt_cpu cpu = cpu_of(f, 2);
	assert_true(cpu.has_stale_slot);
	assert_int_equal(cpu.step, NMIBT_STEP_REGISTERS);
	nmibt_cpu_destroy(&cpu);
	report = open_report(f);
	struct nmibt_older older;
	bool found;
	assert_null(nmibt_older_begin(report, 2, &older));
	assert_null(nmibt_older_next(&older, &cpu, &found));
	assert_true(found && cpu.is_stale);
	assert_true(has_line(&cpu.standing.text, "marker-of-cpu-2"));
	nmibt_cpu_destroy(&cpu);
	assert_null(nmibt_older_next(&older, &cpu, &found));
	assert_false(found);
	nmibt_report_close(report);

	/* This CPU panicked by itself just before the request was counted. */
	f->slot[2]->generation = 4;
	check_outcome(f, 2, NMIBT_OUTCOME_NMI);
	f->slot[2]->generation = 5;
	check_damaged(f, 2, "it answers request 5, the last one was 3");
}

static void all_stale(void **state)
{
	struct fake *f = *state;

	/* A new request has just begun: the slots answer the last one. */
	f->desc->generation = 2;
	f->desc->state = NMI_CAPTURE_RUNNING;
	struct nmibt_report *report = open_report(f);
	assert_int_equal(report->nr_stale, 4);
	assert_string_equal(report->sources->capture.damage, "");
	nmibt_report_close(report);

	/* The request has ended: the requester must have answered it. */
	f->desc->state = NMI_CAPTURE_COMPLETE;
	report = open_report(f);
	assert_int_equal(report->nr_stale, 0);
	assert_non_null(
		strstr(report->sources->capture.damage, "no slot is of request 2, all are of 1"));
	assert_false(report->complete);
	nmibt_report_close(report);
	f->slot[2]->generation = 2;
	report = open_report(f);
	assert_int_equal(report->nr_stale, 3);
	assert_string_equal(report->sources->capture.damage, "");
	nmibt_report_close(report);
}

static void no_such_cpu(void **state)
{
	struct fake *f = *state;
	struct nmibt_report *report = open_report(f);
	struct nmibt_cpu cpu;
	struct nmibt_error *err = nmibt_report_read_cpu(report, 4, &cpu);

	assert_int_equal(err->code, NMIBT_ERR_USAGE);
	assert_string_equal(err->message, "no CPU 4: there are 4");
	nmibt_error_destroy(err);
	nmibt_report_close(report);
	nmibt_report_close(NULL);
}

static void interrupted(void **state)
{
	struct fake *f = *state;
	struct nmibt_report *report;

	f->reads_left = 2;
	struct nmibt_error *err = nmibt_report_make(&f->image, NMIBT_SOURCE_AUTO, &report);
	assert_int_equal(err->code, NMIBT_ERR_INTERRUPTED);
	assert_string_equal(err->message, "interrupted at CPU 2");
	nmibt_error_destroy(err);
}

/* ------------------------------------------------------------------------ text */

static void overflow(void **state)
{
	struct fake *f = *state;
	struct nmi_capture_slot *slot = f->slot[1];

	/* The writer leaves it so: all bytes but the last are used, and the last is a NUL. */
	while (slot->text_len + 1 < slot->text_size)
		fake_print(f, 1, "x");
	slot->flags |= NMI_CAPTURE_SLOT_F_OVERFLOW;
	slot->lost_bytes = 77;
	slot->lost_msgs = 2;
	fake_nested(f, 1, "no newline");

	struct nmibt_cpu cpu = cpu_of(f, 1);
	assert_int_equal(cpu.outcome, NMIBT_OUTCOME_NMI);
	assert_int_equal(cpu.standing.text.raw_len, FAKE_TEXT_SIZE - 1);
	assert_int_equal(cpu.standing.text.lines[cpu.standing.text.nr_lines - 1].flags,
			 NMIBT_LINE_PARTIAL | NMIBT_LINE_CUT);
	/* The nested area was not full. */
	assert_int_equal(cpu.standing.nested.lines[0].flags,
			 NMIBT_LINE_PARTIAL | NMIBT_LINE_NESTED);
	nmibt_cpu_destroy(&cpu);
	struct nmibt_report *report = open_report(f);
	assert_true(report->cpus[1].lost);
	assert_int_equal(report->cpus[1].lost_bytes, 77);
	assert_false(report->complete);
	nmibt_report_close(report);
}

static void nested_text(void **state)
{
	struct fake *f = *state;

	fake_nested(f, 1, "\0014BUG in the NMI\nCall trace:\n evil+0x1/0x10\n");
	/* The nested writer was interrupted as well. */
	strcpy((char *)f->slot[1] + FAKE_NESTED_OFF + f->slot[1]->nested_len, "tail");
	struct nmibt_cpu cpu = cpu_of(f, 1);
	assert_int_equal(cpu.standing.nested.nr_lines, 4);
	assert_int_equal(cpu.standing.nested.lines[0].flags, NMIBT_LINE_NESTED);
	assert_int_equal(cpu.standing.nested.lines[0].level, 4);
	assert_true(has_line(&cpu.standing.nested, "tail"));
	assert_int_equal(cpu.standing.nested.lines[3].flags,
			 NMIBT_LINE_NESTED | NMIBT_LINE_TORN | NMIBT_LINE_PARTIAL);
	/* Nested frames do not belong to the CPU's stack. */
	assert_int_equal(cpu.standing.stack.nr, 4);
	nmibt_cpu_destroy(&cpu);
}

/* A slot lies in two pages, and the second one is not in the dump. */
static void unreadable_page_in_the_text(void **state)
{
	struct fake *f = *state;
	static const enum nmibt_read statuses[] = {NMIBT_READ_EXCLUDED, NMIBT_READ_ERROR};

	uint64_t page = fake_alloc(f, 2 * FAKE_PAGE, FAKE_PAGE) + FAKE_PAGE;
	uint64_t paddr = page - FAKE_TEXT_OFF - 100;
	memcpy(fake_at(f, paddr), f->slot[1], FAKE_SLOT_SIZE);
	f->table[1] = paddr;
	uint32_t len = f->slot[1]->text_len;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		fake_set_pages(f, page, 1, statuses[i]);
		struct nmibt_cpu cpu = cpu_of(f, 1);
		assert_int_equal(cpu.outcome, NMIBT_OUTCOME_NMI);
		assert_int_equal(cpu.standing.text.published, len);
		assert_int_equal(cpu.standing.text.unread, len - 100);
		assert_int_equal(cpu.standing.text.excluded, i == 0 ? len - 100 : 0);
		const struct nmibt_line *last =
			&cpu.standing.text.lines[cpu.standing.text.nr_lines - 1];
		assert_int_equal(last->gap, len - 100);
		assert_int_equal(last->len, 0);
		assert_true(has_line(&cpu.standing.text, "marker-of-cpu-1"));
		nmibt_cpu_destroy(&cpu);
		struct nmibt_report *report = open_report(f);
		assert_false(report->complete);
		assert_int_equal(report->cpus[1].unread, len - 100);
		nmibt_report_close(report);
	}
}

/* A text lies in three pages, and the middle one is excluded. */
static void a_hole_in_the_middle_of_the_text(void **state)
{
	struct fake *f = *state;
	/* The text begins so that its lines fill the pages. */
	const uint32_t size = 4 * FAKE_PAGE, per_line = 16, text_off = 528;
	uint64_t paddr = fake_alloc(f, size, FAKE_PAGE);
	struct nmi_capture_slot *slot = fake_at(f, paddr);

	*slot = *f->slot[1];
	slot->text_off = text_off;
	slot->text_size = size - text_off - FAKE_NESTED_SIZE;
	slot->nested_off = size - FAKE_NESTED_SIZE;
	slot->text_len = 3 * FAKE_PAGE - text_off;
	for (uint32_t at = text_off; at < 3 * FAKE_PAGE; at += per_line) {
		char line[32];
		snprintf(line, sizeof(line), "line at %07u\n", at);
		memcpy((char *)slot + at, line, per_line);
	}
	f->desc->slot_size = size;
	f->table[1] = paddr;
	fake_set_pages(f, paddr + FAKE_PAGE, FAKE_PAGE, NMIBT_READ_EXCLUDED);

	struct nmibt_cpu cpu = cpu_of(f, 1);
	assert_int_equal(cpu.outcome, NMIBT_OUTCOME_NMI);
	assert_int_equal(cpu.standing.text.excluded, FAKE_PAGE);
	assert_int_equal(cpu.standing.text.unread, FAKE_PAGE);
	assert_true(has_line(&cpu.standing.text, "line at 0000528"));
	assert_true(has_line(&cpu.standing.text, "line at 0004080"));
	assert_false(has_line(&cpu.standing.text, "line at 0004096"));
	assert_false(has_line(&cpu.standing.text, "line at 0008176"));
	assert_true(has_line(&cpu.standing.text, "line at 0008192"));
	assert_true(has_line(&cpu.standing.text, "line at 0012272"));
	assert_int_equal(cpu.standing.text.nr_lines, (2 * FAKE_PAGE - text_off) / per_line);
	size_t first = (FAKE_PAGE - text_off) / per_line;
	assert_int_equal(cpu.standing.text.lines[first].gap, FAKE_PAGE);
	assert_int_equal(cpu.standing.text.lines[first].flags, NMIBT_LINE_MISSING);
	for (uint32_t at = 0; at < slot->text_len; at++)
		assert_int_equal(cpu.standing.text.known[at], (text_off + at) / FAKE_PAGE != 1);
	nmibt_cpu_destroy(&cpu);
	check_outcome(f, 2, NMIBT_OUTCOME_NMI);
}

/* A later kernel appends members to the headers, which must be skipped. */
static void longer_headers(void **state)
{
	struct fake *f = *state;

	f->desc->desc_size = 384;
	f->desc->slot_hdr_size = 584;
	for (unsigned int i = 0; i < f->nr_cpus; i++) {
		char *bytes = (char *)f->slot[i];
		memmove(bytes + 584, bytes + FAKE_TEXT_OFF, FAKE_TEXT_SIZE - 64);
		memset(bytes + FAKE_TEXT_OFF, 0xff, 64);
		f->slot[i]->text_off = 584;
		f->slot[i]->text_size = FAKE_TEXT_SIZE - 64;
		struct nmibt_cpu cpu = cpu_of(f, i);
		assert_string_equal(cpu.why, "");
		assert_true(has_line(&cpu.standing.text, "Call trace:") ||
			    has_line(&cpu.standing.text, "Call Trace:"));
		nmibt_cpu_destroy(&cpu);
	}
}

/* ---------------------------------------------------------------- damaged slots */

static void damaged_slot_fields(void **state)
{
	struct fake *f = *state;
	const struct nmi_capture_slot whole = *f->slot[1];
	struct nmi_capture_slot *slot = f->slot[1];

#define DAMAGE(field, value, why)                                                                  \
	do {                                                                                       \
		slot->field = value;                                                               \
		check_damaged(f, 1, why);                                                          \
		*slot = whole;                                                                     \
	} while (0)
	DAMAGE(magic[7], 'X', "its magic is missing");
	DAMAGE(cpu, 2, "its slot says CPU 2");
	DAMAGE(state, 4, "its state is 4");
	DAMAGE(how, 5, "captured is 5");
	DAMAGE(how, 0, "captured is 0");
	DAMAGE(generation, 3, "it answers request 3, the last one was 1");
	DAMAGE(asked_generation, 2, "it was asked by request 2, the last one was 1");
	DAMAGE(asked_flags, 2, "its asked_flags are 0x2");
	DAMAGE(flags, 0x201, "its flags are 0x201");
	DAMAGE(nr_regs, 0, "0 registers, ");
	DAMAGE(nr_regs, 26, "26 registers, ");
	DAMAGE(nr_regs, 0xffffffff, "4294967295 registers");
	DAMAGE(text_off, 519, "its text is at 519 of a slot of 1352 bytes");
	DAMAGE(text_off, 1353, "its text is at 1353");
	DAMAGE(text_off, 0xffffffff, "its text is at 4294967295");
	DAMAGE(text_size, 833, "its text has 833 bytes at 520 of a slot of 1352");
	DAMAGE(text_size, 577, "its text and nested text overlap");
	DAMAGE(text_size, 0xffffffff, "its text has 4294967295 bytes");
	DAMAGE(text_len, 577, "577 bytes of text in 576");
	DAMAGE(text_len, 0xffffffff, "4294967295 bytes of text in 576");
	DAMAGE(nested_off, 0, "its nested text is at 0");
	DAMAGE(nested_off, 1095, "its text and nested text overlap");
	DAMAGE(nested_size, 257, "its nested text has 257 bytes at 1096");
	DAMAGE(nested_len, 257, "257 bytes of nested text in 256");
	DAMAGE(begun_ns, INT64_MAX + 1ull, "the time when it began is 0x8000000000000000");
	DAMAGE(done_ns, INT64_MAX + 1ull, "the time when it was done is 0x8000000000000000");
#undef DAMAGE
	struct nmibt_report *report = open_report(f);
	assert_true(report->complete);
	nmibt_report_close(report);

	/* Registers that don't exist must not be made up. */
	slot->nr_regs = 3;
	struct nmibt_cpu cpu = cpu_of(f, 1);
	assert_false(cpu.standing.regs.present);
	assert_true(has_line(&cpu.standing.text, "marker-of-cpu-1"));
	nmibt_cpu_destroy(&cpu);
}

/* The clock of a sound machine may jump back, or differ between CPUs: then no time is known. */
static void times_against_each_other(void **state)
{
	static const struct {
		const char *what;
		int64_t asked, begun, done, finished; /* since the request, ns; 0: as it is */
		uint32_t state, flags; /* of the descriptor, of the slot; 0: as they are */
		bool is_disputed;
	} cases[] = {
		{"nothing", 0, 0, 0, 0, 0, 0, false},
		{"asked before the request", -11000000, 0, 0, 0, 0, 0, true},
		{"asked a little before it", -9000000, 0, 0, 0, 0, 0, false},
		{"asked behind the wait", 14000000, 14000000, 14000000, 0, 0, 0, true},
		{"answered before it was asked", 0, -2300000000, -2290000000, 0, 0, 0, true},
		{"done before it began", 0, 1000000, 999999, 0, 0, 0, true},
		{"began behind the wait", 0, 20000000, 20000001, 0, 0, 0, true},
		{"late", 0, 20000000, 20000001, 0, 0, NMI_CAPTURE_SLOT_F_LATE, false},
		{"the wait ended before the request", 0, 0, 0, -1, 0, 0, true},
		{"the wait took no time", 0, 0, 0, INT64_MIN, 0, 0, true},
		{"gave up too soon", 0, 0, 0, 499999999, NMI_CAPTURE_TIMEOUT, 0, true},
		{"gave up", 0, 0, 0, 500000000, NMI_CAPTURE_TIMEOUT, 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake *f = *state;
		const struct nmi_capture_slot whole = *f->slot[1];
		const struct nmi_capture_desc desc = *f->desc;
		int64_t finished = cases[i].finished == INT64_MIN ? 0 : cases[i].finished;

		f->desc->nr_asked = 3;
		if (cases[i].asked)
			f->slot[1]->asked_ns = FAKE_ASKED_NS + cases[i].asked;
		if (cases[i].begun)
			f->slot[1]->begun_ns = FAKE_ASKED_NS + cases[i].begun;
		if (cases[i].done)
			f->slot[1]->done_ns = FAKE_ASKED_NS + cases[i].done;
		if (cases[i].finished)
			f->desc->finished_ns = FAKE_ASKED_NS + finished;
		if (cases[i].state)
			f->desc->state = cases[i].state;
		f->slot[1]->flags |= cases[i].flags;
		struct nmibt_report *report = open_report(f);
		const struct nmibt_capture *capture = &report->sources->capture;
		struct nmibt_cpu cpu = cpu_of(f, 1);
		if (capture->are_times_disputed != cases[i].is_disputed ||
		    !capture->desc.asked_ns != cases[i].is_disputed ||
		    !cpu.slot.asked_ns != cases[i].is_disputed ||
		    !cpu.standing.begun_ns != cases[i].is_disputed ||
		    !cpu.standing.ended_ns != cases[i].is_disputed)
			fail_msg("%s", cases[i].what);
		assert_true(report->complete);
		assert_string_equal(capture->damage, "");
		assert_int_equal(cpu.outcome, NMIBT_OUTCOME_NMI);
		nmibt_cpu_destroy(&cpu);
		nmibt_report_close(report);
		*f->slot[1] = whole;
		*f->desc = desc;
	}
}

/* A CPU that nobody asked is not late when it is stopped. */
static void time_of_a_cpu_not_asked(void **state)
{
	struct fake *f = *state;

	f->slot[1]->how = NMI_CAPTURE_BY_STOP;
	f->slot[1]->asked_ns = 0;
	f->slot[1]->begun_ns = FAKE_ASKED_NS + 20000000;
	f->slot[1]->done_ns = FAKE_ASKED_NS + 20000001;
	struct nmibt_report *report = open_report(f);
	assert_false(report->sources->capture.are_times_disputed);
	nmibt_report_close(report);
}

/* len > size: the contents of the area are shown, and the wrong length is reported. */
static void length_beyond_the_area(void **state)
{
	struct fake *f = *state;

	f->slot[1]->text_len = FAKE_TEXT_SIZE + 1;
	struct nmibt_cpu cpu = cpu_of(f, 1);
	assert_int_equal(cpu.standing.text.published, FAKE_TEXT_SIZE);
	assert_int_equal(cpu.standing.text.raw_len, FAKE_TEXT_SIZE);
	assert_true(has_line(&cpu.standing.text, "marker-of-cpu-1"));
	nmibt_cpu_destroy(&cpu);
}

static void slots_at_absurd_places(void **state)
{
	struct fake *f = *state;
	static const uint64_t places[] = {
		1, FAKE_BASE, 0x1000, UINT64_MAX - 7, UINT64_MAX - 400, UINT64_MAX - 4095};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		f->table[1] = places[i];
		struct nmibt_cpu cpu = cpu_of(f, 1);
		assert_int_equal(cpu.outcome, NMIBT_OUTCOME_DAMAGED);
		assert_false(cpu.has_slot);
		assert_string_not_equal(cpu.why, "");
		nmibt_cpu_destroy(&cpu);
		check_outcome(f, 2, NMIBT_OUTCOME_NMI);
	}
	/* Two CPUs have the same slot. */
	f->table[1] = f->slot_paddr[2];
	check_damaged(f, 1, "its slot says CPU 2");
	check_outcome(f, 2, NMIBT_OUTCOME_NMI);
}

static void entry_not_in_the_dump(void **state)
{
	struct fake *f = *state;

	uint64_t page = fake_alloc(f, 2 * FAKE_PAGE, FAKE_PAGE) + FAKE_PAGE;
	memcpy(fake_at(f, page - 16), f->table, 32);
	f->desc->table_paddr = page - 16;
	fake_set_pages(f, page, 1, NMIBT_READ_EXCLUDED);
	check_outcome(f, 1, NMIBT_OUTCOME_NMI);
	check_outcome(f, 3, NMIBT_OUTCOME_NMI);
	struct nmibt_report *report = open_report(f);
	assert_false(report->complete);
	nmibt_report_close(report);
	f->slot[3]->magic[0] = 'X';
	check_damaged(f, 3, "its entry in the table of slots at 0x");
	report = open_report(f);
	assert_true(report->possible[3]);
	nmibt_report_close(report);
}

/* ----------------------------------------------------------- any byte of it all */

/* Returns report and text; NULL: there is no report. */
static char *render(struct fake *f)
{
	struct nmibt_report *report;
	struct nmibt_error *err = nmibt_report_make(&f->image, NMIBT_SOURCE_AUTO, &report);
	if (err) {
		nmibt_error_destroy(err);
		return NULL;
	}

	const struct nmibt_render_options options = {.header = true, .lines = true};
	char *text = NULL;
	size_t len;
	int code;
	FILE *out = open_memstream(&text, &len);
	assert_null(nmibt_render_file(report, &options, out, &code));
	fclose(out);
	nmibt_report_close(report);
	return text;
}

static void check_printed(const char *text, unsigned int cpu, const char *what, size_t at)
{
	char marker[32];

	snprintf(marker, sizeof(marker), "    marker-of-cpu-%u\n", cpu);
	if (!text || !strstr(text, marker))
		fail_msg("byte %zu of the %s changed: CPU %u is lost:\n%s", at, what, cpu,
			 text ? text : "(no report)");
}

/* Changes each of len bytes in turn; every CPU except hit must be printed. */
static void change_each_byte(struct fake *f, const char *what, void *bytes, size_t len,
			     unsigned int hit)
{
	uint8_t *p = bytes;

	for (size_t at = 0; at < len; at++) {
		uint8_t byte = p[at];
		const uint8_t values[] = {0, 0xff, byte ^ 1};

		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			p[at] = values[i];
			char *text = render(f);
			for (unsigned int cpu = 0; cpu < f->nr_cpus; cpu++) {
				if (cpu != hit)
					check_printed(text, cpu, what, at);
			}
			/* CPU hit must be mentioned, in a heading or as stale. */
			if (hit < f->nr_cpus) {
				char heading[32], stale[48];
				snprintf(heading, sizeof(heading), "\nCPU %u  ", hit);
				snprintf(stale, sizeof(stale), "\nstale       CPU %u ", hit);
				if (!strstr(text, heading) && !strstr(text, stale))
					fail_msg("byte %zu of the %s changed: CPU %u isn't named",
						 at, what, hit);
			}
			free(text);
		}
		p[at] = byte;
	}
}

static void any_byte_of_the_descriptor(void **state)
{
	struct fake *f = *state;

	change_each_byte(f, "descriptor", f->desc, sizeof(*f->desc), f->nr_cpus);
}

static void any_byte_of_the_table(void **state)
{
	struct fake *f = *state;

	for (unsigned int cpu = 0; cpu < f->nr_cpus; cpu++)
		change_each_byte(f, "table", &f->table[cpu], 8, cpu);
}

static void any_byte_of_a_slot_header(void **state)
{
	struct fake *f = *state;

	for (unsigned int cpu = 0; cpu < 2; cpu++)
		change_each_byte(f, "slot header", f->slot[cpu], sizeof(*f->slot[cpu]), cpu);
}

static void any_byte_of_the_text(void **state)
{
	struct fake *f = *state;

	change_each_byte(f, "text", (char *)f->slot[1] + FAKE_TEXT_OFF, f->slot[1]->text_len, 1);
}

static void any_page_missing(void **state)
{
	struct fake *f = *state;
	static const enum nmibt_read statuses[] = {NMIBT_READ_EXCLUDED, NMIBT_READ_ERROR};

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		for (unsigned int page = 2; page < FAKE_PAGES; page++) {
			f->page[page] = statuses[i];
			char *text = render(f);
			for (unsigned int cpu = 0; cpu < f->nr_cpus; cpu++) {
				if (f->slot_paddr[cpu] != FAKE_BASE + page * FAKE_PAGE)
					check_printed(text, cpu, "pages", page);
			}
			free(text);
			f->page[page] = NMIBT_READ_OK;
		}
	}
}

#define BOTH(test)                                                                                 \
	cmocka_unit_test_setup_teardown(test, arm64_setup, teardown),                              \
		cmocka_unit_test_setup_teardown(test, x86_64_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		BOTH(answered),
		BOTH(what_an_answer_holds),
		BOTH(silent),
		BOTH(offline_and_none),
		BOTH(no_memory_for_a_slot),
		BOTH(partial),
		BOTH(excluded),
		BOTH(stale),
		BOTH(all_stale),
		BOTH(no_such_cpu),
		BOTH(interrupted),
		BOTH(overflow),
		BOTH(nested_text),
		BOTH(unreadable_page_in_the_text),
		BOTH(a_hole_in_the_middle_of_the_text),
		BOTH(longer_headers),
		BOTH(damaged_slot_fields),
		BOTH(times_against_each_other),
		BOTH(time_of_a_cpu_not_asked),
		BOTH(length_beyond_the_area),
		BOTH(slots_at_absurd_places),
		BOTH(entry_not_in_the_dump),
		BOTH(any_byte_of_the_descriptor),
		BOTH(any_byte_of_the_table),
		BOTH(any_byte_of_a_slot_header),
		BOTH(any_byte_of_the_text),
		BOTH(any_page_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
