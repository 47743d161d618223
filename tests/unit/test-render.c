// SPDX-License-Identifier: GPL-2.0-or-later
/* The text for people: what it says, what each option changes, and which bytes must never reach a
 * terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-image.h"
#include "json/json.h"
#include "safe-text.h"

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

/* Returns the text, which the caller frees. */
static char *render_code(struct fake *f, const struct nmibt_render_options *options, int *code)
{
	struct nmibt_report *report;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_null(nmibt_report_make(&f->image, NMIBT_SOURCE_AUTO, &report));
	assert_null((options->format == NMIBT_FORMAT_JSON ? nmibt_json_file : nmibt_render_file)(
		report, options, out, code));
	fclose(out);
	assert_int_equal(len, strlen(text));
	nmibt_report_close(report);
	return text;
}

static char *render(struct fake *f, const struct nmibt_render_options *options)
{
	int code;
	return render_code(f, options, &code);
}
#define RENDER(f, ...) render(f, &(const struct nmibt_render_options){__VA_ARGS__})

static void check_has(const char *text, const char *want)
{
	if (!strstr(text, want))
		fail_msg("'%s' is missing in:\n%s", want, text);
}

static void check_lacks(const char *text, const char *unwanted)
{
	if (strstr(text, unwanted))
		fail_msg("'%s' is in:\n%s", unwanted, text);
}

/* Returns the part about one CPU, from its heading to the next one; the caller frees it. */
static char *cpu_part(const char *text, unsigned int cpu)
{
	char heading[24];

	snprintf(heading, sizeof(heading), "\nCPU %u  ", cpu);
	const char *start = strstr(text, heading);
	if (!start)
		fail_msg("CPU %u is missing in:\n%s", cpu, text);
	const char *end = strstr(start + 1, "\nCPU ");
	return end ? strndup(start + 1, end - start) : strdup(start + 1);
}

static void check_cpu_has(struct fake *f, unsigned int cpu, const char *want)
{
	char *text = RENDER(f, .width = 100);
	char *part = cpu_part(text, cpu);

	check_has(part, want);
	free(part);
	free(text);
}

static void check_summary_has(struct fake *f, const char *want)
{
	char *text = RENDER(f, .summary_only = true);

	check_has(text, want);
	free(text);
}

static void check_code(struct fake *f, int want)
{
	int code = -1;

	free(render_code(f, &(const struct nmibt_render_options){0}, &code));
	assert_int_equal(code, want);
}

static void make_silent(struct fake *f, unsigned int cpu)
{
	fake_reset(f, cpu);
	f->slot[cpu]->state = NMI_CAPTURE_SLOT_ASKED;
	f->slot[cpu]->asked_generation = 1;
	f->slot[cpu]->asked_ns = FAKE_ASKED_NS + 150000;
}

/* --------------------------------------------------------------------- summary */

/* The traces come to the outermost function. */
static void end_traces(struct fake *f)
{
	for (unsigned int i = 0; i < 4; i++)
		fake_print(f, i, " ret_from_fork+0x34/0x50\n");
}

static void summary_of_a_good_capture(void **state)
{
	struct fake *f = *state;

	end_traces(f);

	f->image.panic_message = "Kernel panic: sysrq\nmore";
	char *text = RENDER(f, .summary_only = true);
	check_has(text, "\noutcomes    4 CPUs: 3 nmi, 1 self\n");
	check_has(text, "\nsources     capture before kdump, all answered after 3.10 ms; 4 crash "
			"notes\n");
	assert_memory_equal(text, "panic       Kernel panic: sysrq\n", 32);
	check_has(text, "\npanicking   CPU 0  PID 100 \"task-0\"  in ");
	check_has(text, "same stack  CPUs 0-3\n");
	check_lacks(text, "silent");
	check_lacks(text, "damaged");
	check_lacks(text, "stale");
	check_lacks(text, "\nCPU ");
	free(text);
	check_code(f, 0);
}

static void summary_of_the_request(void **state)
{
	struct fake *f = *state;

	f->desc->state = NMI_CAPTURE_TIMEOUT;
	f->desc->finished_ns = FAKE_ASKED_NS + 500300000;
	check_summary_has(f, "gave up waiting after 500.30 ms (limit 500 ms)");
	f->desc->state = NMI_CAPTURE_RUNNING;
	f->desc->finished_ns = 0;
	check_summary_has(f, "the wait did not end");
	f->desc->flags = NMI_CAPTURE_F_REENTERED | NMI_CAPTURE_F_DRAINED;
	f->desc->refused = 2;
	check_summary_has(f, "sources     capture in panic(), the wait did not end, interrupted by "
			     "a fault of its own, also printed to the log, 2 later requests "
			     "refused; 4 crash notes\n");
}

static void summary_of_each_outcome(void **state)
{
	struct fake *f = *state;

	f->slot[0]->how = NMI_CAPTURE_BY_IRQ;
	f->slot[1]->how = NMI_CAPTURE_BY_STOP;
	f->slot[1]->flags |= NMI_CAPTURE_SLOT_F_LATE;
	make_silent(f, 2);
	f->slot[3]->state = NMI_CAPTURE_SLOT_BEGUN;
	char *text = RENDER(f, .summary_only = true);
	check_has(text, "\noutcomes    4 CPUs: 1 irq, 1 stop, 1 partial, 1 silent\n");
	check_has(text, "before kdump, the wait ended after 3.10 ms; ");
	check_lacks(text, "all answered");
	check_has(text, "\nsilent      CPU 2  no answer in 500 ms\n");
	check_has(text, "\npartial     CPU 3  PID 103 \"task-3\"  began and did not finish\n");
	check_has(text, "\nlate        CPU 1  PID 101 \"task-1\"  registers of the stop, after the "
			"wait had "
			"ended\n");
	free(text);

	fake_reset(f, 0);
	f->slot[0]->asked_flags = NMI_CAPTURE_ASKED_F_OFFLINE;
	fake_reset(f, 1);
	fake_set_pages(f, f->slot_paddr[2], FAKE_SLOT_SIZE, NMIBT_READ_EXCLUDED);
	f->slot[3]->state = 9;
	text = RENDER(f, .summary_only = true);
	check_has(text, "\noutcomes    4 CPUs: 1 offline, 1 excluded, 1 damaged, 1 none\n");
	check_has(text, "\noffline     CPU 0  when asked\n");
	check_has(text, "\nexcluded    CPU 2  slot is not in the dump");
	check_has(text, "\ndamaged     CPU 3  PID 103 \"task-3\"  slot fails its checks or can't "
			"be read\n");
	free(text);
}

static void summary_of_what_stands_out(void **state)
{
	struct fake *f = *state;

	/* CPU 1 spins with interrupts off, 2 with interrupts on, 3 has moved with them off. */
	f->slot[0]->flags |= NMI_CAPTURE_SLOT_F_NO_REGS_SELF;
	f->slot[1]->flags |= NMI_CAPTURE_SLOT_F_IRQS_OFF;
	f->slot[3]->flags |= NMI_CAPTURE_SLOT_F_IRQS_OFF;
	uint64_t regs[40] = {0};
	regs[fake_pc(f)] = FAKE_FN(FAKE_OTHER);
	fake_note(f, 3, 103, regs);
	char *text = RENDER(f, .summary_only = true);
	check_has(text, "\nstuck       CPU 1  PID 101 \"task-1\"  interrupts off, same place at "
			"the stop\n");
	check_has(text, "\nsame place  CPU 2  PID 102 \"task-2\"  when hit and at the stop\n");
	check_has(text, "\nirqs off    CPU 3  PID 103 \"task-3\"  interrupts off when hit\n");
	free(text);

	f->slot[1]->how = NMI_CAPTURE_BY_SELF;
	check_summary_has(f, "\nalso died   CPUs 0-1  captured themselves");
	end_traces(f);
	fake_print(f, 2, " ret_from_fork_asm+0x1a/0x30\n");
	check_summary_has(f, "\nsame stack  CPUs 0-1,3\n");
	fake_print(f, 3, " ret_from_fork_asm+0x1a/0x30\n");
	check_summary_has(f, "\nsame stack  CPUs 0-1\n");
	check_summary_has(f, "\nsame stack  CPUs 2-3\n");
	f->slot[2]->flags |= NMI_CAPTURE_SLOT_F_IDLE;
	f->slot[3]->flags |= NMI_CAPTURE_SLOT_F_IDLE;
	check_summary_has(f, "\nsame stack  CPUs 2-3  (idle)\n");
}

static void summary_of_loss(void **state)
{
	struct fake *f = *state;

	f->slot[1]->lost_bytes = 100;
	f->slot[2]->lost_bytes = 23;
	check_summary_has(f, "\noverflowed  CPUs 1-2  123 bytes did not fit the slots of 1352\n");
	check_code(f, 3);
	f->desc->version = 3;
	check_summary_has(f, "\ndamaged     the descriptor has version 3, known is 2\n");
}

/* The text of a slot begins in a page that is not in the dump. */
static void summary_of_unreadable_text(void **state)
{
	struct fake *f = *state;
	uint64_t page = fake_alloc(f, 2 * FAKE_PAGE, FAKE_PAGE) + FAKE_PAGE;

	memcpy(fake_at(f, page - FAKE_TEXT_OFF), f->slot[1], FAKE_SLOT_SIZE);
	f->table[1] = page - FAKE_TEXT_OFF;
	fake_set_pages(f, page, 1, NMIBT_READ_EXCLUDED);
	char *text = RENDER(f, .width = 80), want[80];
	snprintf(want, sizeof(want), "\nunreadable  CPU 1  PID 101 \"task-1\"  %u bytes of text\n",
		 f->slot[1]->text_len);
	check_has(text, want);
	snprintf(want, sizeof(want), "\n[%u bytes can't be read]\n", f->slot[1]->text_len);
	check_has(text, want);
	snprintf(want, sizeof(want), "\n[%u bytes of this are in pages that the dump left out]\n",
		 f->slot[1]->text_len);
	check_has(text, want);
	check_has(text, "with gaps");
	free(text);
	text = RENDER(f, .raw = true);
	snprintf(want, sizeof(want), "\n[%u bytes can't be read]\n", f->slot[1]->text_len);
	check_has(text, want);
	free(text);
	check_code(f, 3);
}

/* ---------------------------------------------------------------------- one CPU */

static void a_cpu_that_answered(void **state)
{
	struct fake *f = *state;
	char want[128];

	snprintf(want, sizeof(want),
		 "CPU 1  nmi +2.01 ms  PID 101 \"task-1\"  same place  %u bytes\n",
		 f->slot[1]->text_len);
	check_cpu_has(f, 1, want);
	check_cpu_has(f, 1, "\n    NMI backtrace for cpu 1\n    marker-of-cpu-1\n");
	check_cpu_has(f, 1, "\n     spin_fn+0x48/0x100 [irqspin]\n     kthread+0x10/0x100\n");
	check_cpu_has(f, 1, "__delay+0x2c ");
	f->slot[1]->flags |= NMI_CAPTURE_SLOT_F_IDLE | NMI_CAPTURE_SLOT_F_LATE;
	check_cpu_has(f, 1, "PID 101 \"task-1\" idle late  ");
	f->slot[1]->flags = NMI_CAPTURE_SLOT_F_USER;
	check_cpu_has(f, 1, "PID 101 \"task-1\" in user mode  ");
	f->slot[1]->begin_again = 3;
	check_cpu_has(f, 1, "[3 more attempts to capture it meanwhile, refused]\n");
	/* The CPU was asked just after the request was counted. */
	f->slot[1]->begun_ns = FAKE_ASKED_NS - 1500000;
	check_cpu_has(f, 1, "CPU 1  nmi -1.50 ms");
}

static void cpus_that_did_not(void **state)
{
	struct fake *f = *state;

	make_silent(f, 1);
	check_cpu_has(f, 1, "CPU 1  silent\n");
	check_cpu_has(f, 1,
		      "[asked at +0.15 ms, no answer in 500 ms]\n[no crash note: it never "
		      "stopped]\n");
	uint64_t regs[40] = {0};
	regs[fake_pc(f)] = FAKE_FN(FAKE_SPIN) + 0x10;
	fake_note(f, 1, 7, regs);
	check_cpu_has(f, 1, "its crash note shows that it stopped]\n");
	check_cpu_has(f, 1, "spin_fn+0x10");
	f->slot[1]->note_paddr = 0;
	check_cpu_has(f, 1, "[it is not known where its crash note is]\n");
	f->slot[1]->note_paddr = 0x1000;
	check_cpu_has(f, 1, "[its crash note can't be read]\n");
	f->slot[1]->note_paddr = f->note_paddr[1] = fake_alloc(f, FAKE_NOTE_SIZE, FAKE_PAGE);
	fake_set_pages(f, f->note_paddr[1], 1, NMIBT_READ_EXCLUDED);
	check_cpu_has(f, 1, "[its crash note is not in the dump]\n");

	fake_reset(f, 2);
	f->slot[2]->asked_flags = NMI_CAPTURE_ASKED_F_OFFLINE;
	check_cpu_has(f, 2, "CPU 2  offline\n");
	fake_reset(f, 3);
	check_cpu_has(f, 3, "CPU 3  none\n[nothing was asked of it]\n");
	fake_set_pages(f, f->slot_paddr[2], FAKE_SLOT_SIZE, NMIBT_READ_EXCLUDED);
	check_cpu_has(f, 2, "CPU 2  excluded\n[its slot at 0x");
	f->slot[3]->magic[0] = 0;
	check_cpu_has(f, 3, "CPU 3  damaged\n[no slot at 0x");
	f->table[3] = 0;
	char *text = RENDER(f, .width = 80);
	check_lacks(text, "\nCPU 3");
	check_has(text, "\noutcomes    3 CPUs: ");
	free(text);
}

static void a_cpu_that_broke_off(void **state)
{
	struct fake *f = *state;
	struct nmi_capture_slot *slot = f->slot[1];

	slot->state = NMI_CAPTURE_SLOT_BEGUN;
	slot->flags |= NMI_CAPTURE_SLOT_F_FAULTED;
	fake_print(f, 1, "commit");
	fake_tail(f, 1, "ted and not");
	fake_nested(f, 1, "\0014oops\nand more");
	char *text = RENDER(f, .width = 80), *part = cpu_part(text, 1);
	check_has(part, "CPU 1  partial +2.01 ms");
	check_has(part, "  unfinished, ");
	check_has(part, "\n    commit[torn:]ted and not\n"
			"[recovered: 11 bytes of this line beyond the published end]\n"
			"[partial: no newline ended this line]\n"
			"[printed meanwhile, inside another message or by a fault:]\n"
			"    oops\n    and more\n[partial: no newline ended this line]\n");
	check_has(part, "[it began by NMI and did not finish: a fault broke it off]\n");
	free(part);
	free(text);
	slot->how = NMI_CAPTURE_BY_STOP;
	check_cpu_has(f, 1, "[it began when it was stopped and did not finish");
}

static void a_cpu_that_overflowed(void **state)
{
	struct fake *f = *state;
	struct nmi_capture_slot *slot = f->slot[1];

	while (slot->text_len + 1 < slot->text_size)
		fake_print(f, 1, "x");
	slot->flags |= NMI_CAPTURE_SLOT_F_OVERFLOW;
	slot->lost_bytes = 321;
	slot->lost_msgs = 4;
	check_cpu_has(f, 1, "xxxxx\n[cut: the rest did not fit]\n");
	check_cpu_has(f, 1, "  cut, 575 bytes");
	check_cpu_has(f, 1, "[321 bytes did not fit]\n[of 4 messages nothing is left]\n");
}

static void lone_headers(void **state)
{
	struct fake *f = *state;

	fake_print(f, 1, "\0014");
	check_cpu_has(f, 1, "\n    \n[a level header with nothing behind it]\n");
	fake_reset(f, 2);
	fake_answer(f, 2, NMI_CAPTURE_BY_NMI);
	fake_print(f, 2, "\001");
	check_cpu_has(f, 2, "\n    \\x01\n[a level header with nothing behind it]\n");
}

static void registers_side_by_side(void **state)
{
	struct fake *f = *state;
	uint64_t regs[40];

	memcpy(regs, f->slot[1]->regs, sizeof(regs));
	regs[0] ^= 0xf0;
	fake_note(f, 1, 101, regs);
	char *text = RENDER(f, .width = 100), *part = cpu_part(text, 1);
	/* The register that differs is shown with its name, and marked. */
	const char *line =
		strstr(part, f->image.arch == NMIBT_ARCH_ARM64 ? "\n    x0 " : "\n    r15 ");
	assert_non_null(line);
	char *row = strndup(line + 1, strcspn(line + 1, "\n"));
	check_has(row, "0000000000002000 ");
	check_has(row, " 00000000000020f0  *");
	free(row);
	check_has(part, "at the NMI ");
	check_has(part, " at the stop\n");
	check_lacks(part, "0000000000002001");
	free(part);
	free(text);

	/* There is only one of the two register sets. */
	fake_no_note(f, 1);
	text = RENDER(f, .width = 100), part = cpu_part(text, 1);
	check_has(part, "at the NMI\n");
	check_lacks(part, " at the stop\n");
	check_has(part, "[no crash note: it never stopped]\n");
	free(part);
	free(text);
	f->slot[2]->flags = 0;
	text = RENDER(f, .width = 100), part = cpu_part(text, 2);
	check_has(part, " at the stop\n");
	check_lacks(part, "at the NMI");
	free(part);
	free(text);
}

/* ---------------------------------------------------------------------- options */

static void option_cpus(void **state)
{
	struct fake *f = *state;
	const bool cpus[] = {false, true, false, true};
	char *text = RENDER(f, .cpus = cpus);

	check_lacks(text, "\nCPU 0  ");
	check_has(text, "\nCPU 1  ");
	check_lacks(text, "marker-of-cpu-2");
	check_has(text, "marker-of-cpu-3");
	check_has(text, "\noutcomes    4 CPUs: ");
	free(text);
}

static bool inlined_places(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
			   void *arg)
{
	(void)ctx;
	(void)code;
	visit(arg, "inner", "inner.h:1");
	visit(arg, NULL, "outer.c:2");
	return true;
}

static void option_lines(void **state)
{
	struct fake *f = *state;
	char *text = RENDER(f, .lines = false);

	check_lacks(text, "source/file.c");
	check_lacks(text, "-l:");
	free(text);
	/* The pc's own address is looked up; for a return address, the call before it. */
	text = RENDER(f, .lines = true);
	check_has(text, "__delay+0x2c/0x100\n        source/file.c:44\n");
	check_has(text, " spin_fn+0x48/0x100 [irqspin]\n        source/file.c:583\n");
	check_has(text, " kthread+0x10/0x100\n        source/file.c:783\n");
	check_lacks(text, "[-l:");
	free(text);
	fake_print(f, 1, " unknown_fn+0x1/0x10\n");
	text = RENDER(f, .lines = true);
	check_has(text, "[-l: some frames have no file and line here]\n");
	free(text);
	f->ops.find_places = inlined_places;
	text = RENDER(f, .lines = true);
	check_has(text,
		  "__delay+0x2c/0x100\n        inner.h:1 (inlined inner)\n        outer.c:2\n");
	free(text);
	f->ops.find_places = NULL;
	text = RENDER(f, .lines = true);
	check_has(text, "[-l: some frames have no file and line here]\n");
	check_has(text, "marker-of-cpu-3");
	free(text);
}

static void option_raw(void **state)
{
	struct fake *f = *state;

	fake_print(f, 1, "tab\there \\ \303\251\n");
	fake_tail(f, 1, "tail");
	char *text = RENDER(f, .raw = true), *part = cpu_part(text, 1);
	check_has(part, "\n    \\x014NMI backtrace for cpu 1\\n\n    marker-of-cpu-1\\n\n");
	check_has(part, "\n    tab\\x09here \\\\ \\xc3\\xa9\\n\n[the published end]\n    tail\n");
	free(part);
	free(text);
	f->slot[1]->text_len = 0;
	text = RENDER(f, .raw = true), part = cpu_part(text, 1);
	check_has(part, "\n[the published end]\n    \\x014NMI backtrace for cpu 1\\n\n");
	free(part);
	free(text);
	text = RENDER(f, .raw = false);
	check_lacks(text, "\\x014");
	check_lacks(text, "[the published end]");
	free(text);
}

static void option_header(void **state)
{
	struct fake *f = *state;
	char *without = RENDER(f, .header = false), *with = RENDER(f, .header = true), want[200];

	check_has(without, "-t shows all");
	check_lacks(without, "generation");
	check_lacks(with, "-t shows all");
	snprintf(want, sizeof(want),
		 "slot        %#" PRIx64 "  state 3  how 1  flags 0x1  generation 1\n",
		 f->slot_paddr[1]);
	check_has(with, want);
	snprintf(want, sizeof(want), "text        %u of 576 bytes at +520\n", f->slot[1]->text_len);
	check_has(with, want);
	check_has(with, "nested      0 of 256 bytes at +1096\n");
	check_has(with, "begun       5002010000 ns\n");
	check_has(with, "done        5002310000 ns\n");
	snprintf(want, sizeof(want), "crash note  %#" PRIx64 ", 512 bytes", f->note_paddr[1]);
	check_has(with, want);
	/* All registers are shown, each in its own row. */
	char *part = cpu_part(with, 1);
	for (unsigned int i = 0; i < fake_nr_regs(f); i++) {
		if (i == fake_pc(f) || i == fake_sp(f))
			continue;
		snprintf(want, sizeof(want), " %016x ", 0x2000 + i);
		check_has(part, want);
	}
	free(part);
	free(with);
	free(without);
}

static void option_older(void **state)
{
	struct fake *f = *state;

	f->desc->generation = 3;
	for (unsigned int i = 0; i < 4; i++)
		f->slot[i]->generation = i == 2 ? 1 : 3;
	end_traces(f);
	char *text = RENDER(f, .older = false);
	check_has(text, "\noutcomes    4 CPUs: 2 nmi, 1 self, 1 registers\n");
	check_has(text, "\nstale       CPU 2  PID 102  the slot answers an earlier request than "
			"the last one; -o shows "
			"it\n");
	check_has(text, "\nolder       backtraces of 1 CPU; -o shows them\n");
	check_has(text, "\nCPU 2  registers  PID 102  unwound by nmibt from its crash note\n");
	check_lacks(text, "marker-of-cpu-2");
	check_has(text, "marker-of-cpu-3");
	check_has(text, "same stack  CPUs 0-1,3\n");
	free(text);
	text = RENDER(f, .older = true);
	check_has(text, "\nCPU 2  older nmi at an unknown time  PID 102 \"task-2\"");
	check_has(text, "marker-of-cpu-2");
	free(text);
}

/* -------------------------------------------------------------------- exit codes */

static void exit_codes(void **state)
{
	struct fake *f = *state;

	check_code(f, 0);
	f->slot[1]->lost_msgs = 1;
	check_code(f, 3);
	f->slot[1]->lost_msgs = 0;
	f->slot[1]->text_len = 100000;
	check_code(f, 3);
	for (unsigned int i = 0; i < 4; i++)
		fake_reset(f, i);
	f->desc->state = NMI_CAPTURE_IDLE;
	f->desc->generation = 0;
	f->desc->panic_cpu = NMI_CAPTURE_NO_CPU;
	check_code(f, 1);
	check_summary_has(f, "outcomes    4 CPUs: 4 none\n");
	check_summary_has(f, "sources     capture, no request was made\n");
}

static void interrupted(void **state)
{
	struct fake *f = *state;
	struct nmibt_report *report;
	const struct nmibt_render_options options = {0};
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int code = 77;

	assert_null(nmibt_report_make(&f->image, NMIBT_SOURCE_AUTO, &report));
	f->reads_left = 3;
	struct nmibt_error *err = (options.format == NMIBT_FORMAT_JSON
					   ? nmibt_json_file
					   : nmibt_render_file)(report, &options, out, &code);
	fclose(out);
	assert_int_equal(err->code, NMIBT_ERR_INTERRUPTED);
	assert_int_equal(code, 77);
	check_has(text, "marker-of-cpu-1");
	check_lacks(text, "marker-of-cpu-2");
	nmibt_error_destroy(err);
	nmibt_report_close(report);
	free(text);
}

/* ------------------------------------------------------------- terminals, hostile text */

static bool hostile_symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	(void)ctx;
	(void)addr;
	snprintf(buf, len, "f\033[1m\342\200\256\n+0x1");
	return true;
}

static bool hostile_places(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
			   void *arg)
{
	(void)ctx;
	(void)code;
	visit(arg, "f\033[1m\r\n", "a\033]0;title\007\302\233.c:1");
	return true;
}

#define HOSTILE                                                                                    \
	"\033[2J\033]0;x\007\r\b\177\200\377\300\257\302\233m\342\200\256rtl\342\201\246\330\234"  \
	"\355\240\200\v\f"

/* Puts hostile bytes into every string of the dump. */
static void make_hostile(struct fake *f)
{
	f->image.panic_message = HOSTILE "\nCPU 9  fake";
	memcpy(f->slot[1]->comm, "\033[31m\342\200\256\302\233\302\237X\342\200", 16);
	fake_print(f, 1, HOSTILE "\n\001" HOSTILE "\n");
	fake_print(f, 1, " fn\033[1m+0x1/0x10\n ok+0x1/0x10 [\342\200\256]\n");
	fake_tail(f, 1, HOSTILE);
	fake_nested(f, 1, "\0014" HOSTILE "\n" HOSTILE);
	f->ops.symbolize = hostile_symbolize;
	f->ops.find_places = hostile_places;
	/* A line that looks like nmibt's own remarks and headings must be indented. */
	fake_print(f, 2, "[no crash note]\nCPU 9  nmi\n");
	make_silent(f, 3);
}

static void check_safe(const char *text)
{
	const char *unsafe = unsafe_text(text, strlen(text));

	if (unsafe)
		fail_msg("byte %#x at %td: %.40s", (unsigned char)*unsafe, unsafe - text, unsafe);
}

/* Tries all combinations of options, and some widths. */
static void nothing_of_the_dump_reaches_the_terminal_raw(void **state)
{
	struct fake *f = *state;

	make_hostile(f);
	for (unsigned int i = 0; i < 32; i++) {
		for (unsigned int width = 0; width <= 200; width += 40) {
			char *text = RENDER(f, .summary_only = i & 1, .lines = i & 2, .raw = i & 4,
					    .header = i & 8, .older = i & 16, .width = width);
			check_safe(text);
			assert_null(strchr(text, '\033'));
			check_lacks(text, "\nCPU 9");
			check_lacks(text, "\n[no crash note]");
			if (!(i & 1))
				check_has(text, "\\x1b[2J\\x1b]0;x\\x07\\x0d\\x08\\x7f\\x80\\xff");
			free(text);
		}
	}
}

/* Removes nmibt's own four colours, and nothing else. */
static void strip_colour(char *text)
{
	static const char *const ours[] = {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[33m"};

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		size_t len = strlen(ours[i]);
		for (char *at = text; (at = strstr(at, ours[i]));)
			memmove(at, at + len, strlen(at + len) + 1);
	}
}

static void colour_adds_nothing_but_colour(void **state)
{
	struct fake *f = *state;

	for (unsigned int round = 0; round < 2; round++) {
		char *plain = RENDER(f, .width = 80, .header = true);
		char *coloured = RENDER(f, .width = 80, .header = true, .colour = true);
		assert_null(strchr(plain, '\033'));
		assert_non_null(strchr(coloured, '\033'));
		/* Each colour must be switched off before the end. */
		const char *last = strrchr(coloured, '\033');
		assert_memory_equal(last, "\033[0m", 4);
		strip_colour(coloured);
		assert_string_equal(coloured, plain);
		free(coloured);
		free(plain);
		make_hostile(f);
	}
}

/* Checks rows of registers without symbols. */
static void check_rows_fit(const char *part, const char *first_name, size_t width)
{
	const char *line = strstr(part, first_name);

	assert_non_null(line);
	for (; *line && *line != '['; line += strcspn(line, "\n") + 1) {
		size_t len = strcspn(line, "\n");
		if (!memchr(line, '+', len) && len > width)
			fail_msg("%zu columns of %zu: %.*s", len, width, (int)len, line);
	}
}

/* There are two columns if they fit, otherwise one; the values are the same. */
static void widths(void **state)
{
	struct fake *f = *state;
	uint64_t regs[40];

	memcpy(regs, f->slot[1]->regs, sizeof(regs));
	regs[0] ^= 0xf0;
	fake_note(f, 1, 101, regs);
	f->slot[1]->flags &= ~NMI_CAPTURE_SLOT_F_IDLE;
	for (unsigned int width = 40; width <= 200; width++) {
		char *text = RENDER(f, .width = width), *part = cpu_part(text, 1);
		check_has(part, "0000000000002000");
		check_has(part, "00000000000020f0  *");
		check_has(part, "marker-of-cpu-1");
		check_rows_fit(part, "              at the NMI", width);
		/* With 80 columns and more they are side by side. */
		const char *left = strstr(part, "0000000000002000");
		const char *right = strstr(part, "00000000000020f0");
		assert_true(left < right);
		bool same_row = !memchr(left, '\n', right - left);
		if (width >= 80)
			assert_true(same_row);
		if (width <= 60)
			assert_false(same_row);
		free(part);
		free(text);
	}
	/* If the width is unknown, registers are as with 80 columns, and no line is broken. */
	char *unknown = RENDER(f, .width = 0), *eighty = RENDER(f, .width = 80);
	char *part = cpu_part(unknown, 1), *want = cpu_part(eighty, 1);
	assert_string_equal(part, want);
	char *narrow = RENDER(f, .width = 50);
	check_has(unknown, "its message is not known; told by the capture, the stop for kdump\n");
	check_has(narrow,
		  "its message is not known; told by the\n            capture, the stop for "
		  "kdump\n");
	free(narrow);
	free(part);
	free(want);
	free(unknown);
	free(eighty);
}

/* ------------------------------------------------------------------ other formats */

/* CPU 0 panicked, CPU 1 is idle, CPUs 2 and 3 have the same stack as CPU 0. */
static void make_groups(struct fake *f)
{
	end_traces(f);
	fake_reset(f, 1);
	fake_answer(f, 1, NMI_CAPTURE_BY_NMI);
	f->slot[1]->text_len = 0;
	fake_print(f, 1, "Call Trace:\n idle_fn+0x10/0x20\n entry;of+0x1/0x2\n");
	snprintf(f->slot[1]->comm, sizeof(f->slot[1]->comm), "swapper/1");
	f->slot[1]->flags |= NMI_CAPTURE_SLOT_F_IDLE;
	f->slot[3]->regs[fake_sp(f)] += 0x100000;
}

static void groups(void **state)
{
	struct fake *f = *state;

	make_groups(f);
	char *text = RENDER(f, .format = NMIBT_FORMAT_GROUPS);
	const char *all = strstr(text, "\nCPUs 0,2-3: 2 nmi, 1 self  1 same place\n");
	const char *idle = strstr(text, "\nCPU 1: nmi  PID 101 \"swapper/1\"  idle\n"
					"    idle_fn+0x10/0x20\n");
	if (!all || !idle || idle < all)
		fail_msg("%s", text);
	/* A shared stack has no offsets, because they differ between CPUs. */
	check_has(all, "\n    __delay\n    spin_fn [irqspin]\n    kthread\n");
	check_lacks(text, "marker-of-cpu");
	free(text);

	make_silent(f, 2);
	text = RENDER(f, .format = NMIBT_FORMAT_GROUPS, .lines = true);
	check_has(text, "\nCPU 2: silent\n");
	check_has(text, "\n[offsets and lines are those of CPU 0]\n    __delay+0x2c/0x100\n");
	free(text);
}

static void groups_of_wanted_cpus(void **state)
{
	struct fake *f = *state;
	const bool wanted[4] = {[2] = true};
	char *text = RENDER(f, .format = NMIBT_FORMAT_GROUPS, .cpus = wanted);

	check_has(text, "\nCPU 2: nmi  PID 102 \"task-2\"  same place\n    __delay+0x2c/0x100\n");
	check_lacks(text, "CPU 1:");
	free(text);
}

static void folded(void **state)
{
	struct fake *f = *state;

	make_groups(f);
	snprintf(f->slot[3]->comm, sizeof(f->slot[3]->comm), "task-0");
	char *text = RENDER(f, .format = NMIBT_FORMAT_FOLDED);
	assert_string_equal(text, "swapper;entry_of;idle_fn 1\n"
				  "task-0;ret_from_fork;kthread;spin_fn_[irqspin];__delay 2\n"
				  "task-2;ret_from_fork;kthread;spin_fn_[irqspin];__delay 1\n");
	free(text);

	make_silent(f, 2);
	f->slot[3]->flags |= NMI_CAPTURE_SLOT_F_USER;
	text = RENDER(f, .format = NMIBT_FORMAT_FOLDED);
	assert_string_equal(text,
			    "[silent] 1\n"
			    "swapper;entry_of;idle_fn 1\n"
			    "task-0;[user];ret_from_fork;kthread;spin_fn_[irqspin];__delay 1\n"
			    "task-0;ret_from_fork;kthread;spin_fn_[irqspin];__delay 1\n");
	free(text);
}

static void other_formats_are_safe(void **state)
{
	static const enum nmibt_format formats[] = {NMIBT_FORMAT_JSON, NMIBT_FORMAT_GROUPS,
						    NMIBT_FORMAT_FOLDED};
	struct fake *f = *state;

	make_hostile(f);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		for (unsigned int j = 0; j < 8; j++) {
			char *text = RENDER(f, .format = formats[i], .lines = j & 1, .raw = j & 2,
					    .older = j & 4);
			check_safe(text);
			assert_null(strchr(text, '\033'));
			assert_null(strstr(text, "\\u00"));
			check_has(text, "\\x1b[31m");
			free(text);
		}
	}
}

#define BOTH(test)                                                                                 \
	cmocka_unit_test_setup_teardown(test, arm64_setup, teardown),                              \
		cmocka_unit_test_setup_teardown(test, x86_64_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(summary_of_a_good_capture),
		BOTH(summary_of_the_request),
		BOTH(summary_of_each_outcome),
		BOTH(summary_of_what_stands_out),
		BOTH(summary_of_loss),
		BOTH(summary_of_unreadable_text),
		BOTH(a_cpu_that_answered),
		BOTH(cpus_that_did_not),
		BOTH(a_cpu_that_broke_off),
		BOTH(a_cpu_that_overflowed),
		BOTH(lone_headers),
		BOTH(registers_side_by_side),
		BOTH(option_cpus),
		BOTH(option_lines),
		BOTH(option_raw),
		BOTH(option_header),
		BOTH(option_older),
		BOTH(exit_codes),
		BOTH(interrupted),
		BOTH(nothing_of_the_dump_reaches_the_terminal_raw),
		BOTH(colour_adds_nothing_but_colour),
		BOTH(widths),
		BOTH(groups),
		BOTH(groups_of_wanted_cpus),
		BOTH(folded),
		BOTH(other_formats_are_safe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
