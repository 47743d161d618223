// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole report of a kernel without a capture: what its log, its NMI buffers and its crash notes
 * tell, CPU by CPU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake-image.h"
#include "fake-percpu.h"
#include "kernel-text.h"
#include "json/json.h"
#include "unwind/unwind.h"

#define IRQ(cpu) (0x80000000 + (cpu)) /* caller_id of an NMI or interrupt on cpu */
#define S UINT64_C(1000000000)
#define AUTO NMIBT_SOURCE_AUTO

/* CPUs 0 to 4, without CPU 3; CPU 2 panicked. */
struct scene {
	struct fake_percpu *p;
	struct fake_log log;
	struct nmibt_report *report;
	char *text; /* rendered */
};

/* ------------------------------------------------------------------ functions */

/* Functions of 0x100 bytes, one after the other. */
#define CODE UINT64_C(0xffffffff81000000)
static const char *const functions[] = {"delay_tsc", "__delay", "spin_fn", "other"};
enum { DELAY_TSC, ARM64_DELAY, SPIN_FN, OTHER };
#define AT(function, offset) (CODE + (function)*0x100 + (offset))

static bool symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	uint64_t i = (addr - CODE) / 0x100;

	(void)ctx;
	if (i >= sizeof(functions) / sizeof(*functions))
		return false;
	snprintf(buf, len, "%s+%#x", functions[i], (unsigned int)(addr - CODE) % 0x100);
	return true;
}

/* Finds the pc, its caller, and a frame that is not reliable. */
static struct nmibt_error *unwind(void *ctx, struct nmibt_kernel *kernel,
				  const struct nmibt_regs *regs, struct nmibt_stack *ret)
{
	const struct fake_percpu *p = ctx;
	struct nmibt_walk walk;

	assert_true(nmibt_walk_init(&walk, kernel, regs));
	nmibt_walk_add(&walk, regs->value[nmibt_reg_names(p->image.arch)->pc], false, true);
	nmibt_walk_add(&walk, AT(SPIN_FN, 0x100), true, true);
	nmibt_walk_add(&walk, AT(OTHER, 8), true, false);
	nmibt_walk_end(&walk, NMIBT_END_EXCLUDED, 0xffffc90000123450);
	return nmibt_walk_finish(&walk, ret);
}

/* -------------------------------------------------------------------- scenes */

static struct scene *new_scene(const struct fk_paging *paging, unsigned int count_bits,
			       unsigned int size_bits)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->p = fp_new_of(paging, false);
	s->p->ops.symbolize = symbolize;
	s->p->ops.unwind = unwind;
	fk_say(s->p->k, "OSRELEASE=6.12.0\n");
	fl_init(&s->log, s->p->k, 0, count_bits, size_bits, true);
	s->log.ts = 4 * S;
	return s;
}

static int x86_64(void **state)
{
	*state = new_scene(&fk_x86, 9, 15);
	return 0;
}

static int arm64(void **state)
{
	*state = new_scene(&fk_arm64, 9, 15);
	return 0;
}

static int small_log(void **state)
{
	*state = new_scene(&fk_x86, 5, 13);
	return 0;
}

static void close_report(struct scene *s)
{
	nmibt_report_close(s->report);
	s->report = NULL;
	free(s->text);
	s->text = NULL;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	close_report(s);
	fp_free(s->p);
	free(s);
	return 0;
}

/* Adds records of one line each. */
static void say(struct scene *s, uint32_t caller, const char *lines)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");
		uint64_t id = fl_add_bytes(&s->log, caller, lines, len);

		fl_put(&s->log, fl_info(&s->log, id) + 18, "\0\xc2", 2); /* level 6, LOG_NEWLINE */
		lines += len + (lines[len] != '\0');
	}
}

/* CPU 2 panics and asks the others (panic_print): CPU 0 is idle, 1 spins, 4 does not answer. */
static void say_all(struct scene *s)
{
	s->log.ts = 6 * S;
	say(s, 1, PANIC(2, 1));
	say(s, 1, SENDING(2, "0-1,4"));
	say(s, IRQ(0), SKIPPED(0));
	say(s, IRQ(1), SPIN(1, 118));
}

/* Writes a note as crash_save_cpu() does. */
static void put_note(struct scene *s, unsigned int cpu, int32_t pid, uint64_t pc, uint64_t sp)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(s->p->image.arch);
	uint32_t header[3] = {5, 112 + names->nr * 8 + 8, 1};
	uint64_t regs[NMI_CAPTURE_MAX_REGS] = {0};
	char note[512] = {0};

	regs[names->pc] = pc;
	regs[names->sp] = sp;
	/* cs or pstate: in the kernel */
	if (s->p->image.arch == NMIBT_ARCH_X86_64)
		regs[17] = 0x10;
	else
		regs[33] = 0x5;
	memcpy(note, header, sizeof(header));
	memcpy(note + 12, "CORE", 5);
	memcpy(note + 20 + 32, &pid, sizeof(pid));
	memcpy(note + 20 + 112, regs, names->nr * 8);
	fp_put(s->p, cpu, FP_NOTES, note, 20 + header[1]);
}

/* Writes the note of a CPU in user mode: cs is that of user space. */
static void put_user_note(struct scene *s, unsigned int cpu, int32_t pid)
{
	uint64_t cs = 0x33;
	char bytes[8];

	put_note(s, cpu, pid, 0x53a206, 0x7ffcc04f4430);
	memcpy(bytes, &cs, sizeof(bytes));
	fp_put(s->p, cpu, FP_NOTES + 20 + 112 + 17 * 8, bytes, sizeof(bytes));
}

static void kdump(struct scene *s)
{
	fk_say(s->p->k, "CRASHTIME=1700000000\n");
}

/* ------------------------------------------------------------------- reports */

static void open_report(struct scene *s, enum nmibt_source only)
{
	close_report(s);
	struct nmibt_error *err = nmibt_report_make(&s->p->image, only, &s->report);

	if (err)
		fail_msg("no report: %s", err->message);
}

static void open_fails(struct scene *s, enum nmibt_source only, enum nmibt_code code,
		       const char *why)
{
	close_report(s);
	struct nmibt_error *err = nmibt_report_make(&s->p->image, only, &s->report);

	assert_non_null(err);
	if (!strstr(err->message, why))
		fail_msg("'%s' lacks '%s'", err->message, why);
	assert_int_equal(err->code, code);
	nmibt_error_destroy(err);
}

/* Returns the exit code; the output is in s->text. */
static int render(struct scene *s, struct nmibt_render_options options)
{
	size_t len;
	int code;

	free(s->text);
	FILE *out = open_memstream(&s->text, &len);
	assert_non_null(out);
	struct nmibt_error *err = (options.format == NMIBT_FORMAT_JSON
					   ? nmibt_json_file
					   : nmibt_render_file)(s->report, &options, out, &code);
	assert_int_equal(fclose(out), 0);
	if (err)
		fail_msg("%s", err->message);
	return code;
}

static void check_rendered(const struct scene *s, const char *part)
{
	if (!strstr(s->text, part))
		fail_msg("no \"%s\" in\n%s", part, s->text);
}

static void check_not_rendered(const struct scene *s, const char *part)
{
	if (strstr(s->text, part))
		fail_msg("\"%s\" in\n%s", part, s->text);
}

/* The caller destroys it. */
static struct nmibt_cpu cpu_of(const struct scene *s, unsigned int nr)
{
	struct nmibt_cpu cpu;
	const struct nmibt_cpu_brief *brief = &s->report->cpus[nr];

	assert_null(nmibt_report_read_cpu(s->report, nr, &cpu));
	assert_int_equal(cpu.cpu, nr);
	assert_false(cpu.is_stale);
	/* The first pass must have had the same results. */
	assert_int_equal(brief->outcome, cpu.outcome);
	assert_int_equal(brief->source, nmibt_shown(&cpu)->source);
	assert_int_equal(brief->note, cpu.stop.note);
	assert_int_equal(brief->moved, cpu.moved);
	assert_int_equal(brief->step, cpu.step);
	assert_int_equal(brief->is_idle, cpu.is_idle);
	assert_int_equal(brief->is_user, cpu.is_user);
	assert_int_equal(brief->irqs_off, cpu.irqs_off);
	assert_int_equal(brief->stack_hash, cpu.stack_hash);
	return cpu;
}

/* Checks frames that nmibt unwound, in the renderer's form. */
static void check_frames(const struct nmibt_cpu *cpu, const char *expected)
{
	char got[1024] = "";

	for (size_t i = 0; i < nmibt_shown(cpu)->stack.nr; i++) {
		const struct nmibt_frame *f = &nmibt_shown(cpu)->stack.frames[i];

		snprintf(got + strlen(got), sizeof(got) - strlen(got), " %s%.*s+%#" PRIx64 "\n",
			 f->reliable ? "" : "? ", (int)f->function.len, f->function.s, f->offset);
	}
	assert_null(cpu->standing.text.raw);
	assert_string_equal(got, expected);
}

static void check_text(const struct nmibt_cpu *cpu, const char *expected)
{
	if (cpu->step == NMIBT_STEP_REGISTERS) {
		check_frames(cpu, expected);
		return;
	}
	if (cpu->standing.text.raw_len != strlen(expected) ||
	    (*expected && memcmp(cpu->standing.text.raw, expected, cpu->standing.text.raw_len)))
		fail_msg("CPU %u has\n%.*s\nand not\n%s", cpu->cpu, (int)cpu->standing.text.raw_len,
			 cpu->standing.text.raw, expected);
}

static void check_cpu(const struct scene *s, unsigned int nr, enum nmibt_outcome outcome,
		      enum nmibt_source source, const char *text)
{
	struct nmibt_cpu cpu = cpu_of(s, nr);

	assert_int_equal(cpu.outcome, outcome);
	assert_int_equal(nmibt_shown(&cpu)->source, source);
	check_text(&cpu, text);
	nmibt_cpu_destroy(&cpu);
}

/* Finds the nth older piece of evidence about a CPU; the caller destroys *ret. */
static bool find_older(const struct scene *s, unsigned int nr, unsigned int nth,
		       struct nmibt_cpu *ret)
{
	struct nmibt_older older;
	bool found;

	assert_null(nmibt_older_begin(s->report, nr, &older));
	for (unsigned int i = 0;; i++) {
		assert_null(nmibt_older_next(&older, ret, &found));
		if (!found || i == nth)
			return found;
		nmibt_cpu_destroy(ret);
	}
}

static void check_older(const struct scene *s, unsigned int nr, unsigned int nth,
			enum nmibt_outcome outcome, const char *text)
{
	struct nmibt_cpu cpu;

	assert_true(find_older(s, nr, nth, &cpu));
	assert_true(cpu.is_stale);
	assert_int_equal(cpu.cpu, nr);
	assert_int_equal(cpu.outcome, outcome);
	check_text(&cpu, text);
	nmibt_cpu_destroy(&cpu);
}

static void check_no_older(const struct scene *s, unsigned int nr, unsigned int nth)
{
	struct nmibt_cpu cpu;

	assert_false(find_older(s, nr, nth, &cpu));
}

/* The log's text ends with its last newline. */
#define LOG NMIBT_SOURCE_LOG

/* ------------------------------------------------------------------- the log */

static void outcomes(void **state)
{
	struct scene *s = *state;

	say_all(s);
	open_report(s, AUTO);
	check_cpu(s, 0, NMIBT_OUTCOME_SKIPPED, LOG, SKIPPED(0));
	check_cpu(s, 1, NMIBT_OUTCOME_ANSWERED, LOG, SPIN(1, 118));
	check_cpu(s, 2, NMIBT_OUTCOME_SELF, LOG, PANIC(2, 1));
	check_cpu(s, 4, NMIBT_OUTCOME_SILENT, AUTO, "");

	const struct nmibt_report *r = s->report;
	assert_false(r->sources->has_capture);
	assert_true(r->complete);
	assert_int_equal(r->nr_cpus, FP_CPUS);
	assert_int_equal(r->nr_possible, FP_CPUS - 1);
	assert_false(r->possible[FP_NO_CPU]);
	assert_int_equal(r->death.reporter, 2);
	assert_string_equal(r->death.message, "Kernel panic - not syncing: sysrq triggered crash");
	for (unsigned int i = 0; i < NMIBT_NR_OUTCOMES; i++)
		assert_int_equal(r->by_outcome[i],
				 i == NMIBT_OUTCOME_SKIPPED || i == NMIBT_OUTCOME_ANSWERED ||
					 i == NMIBT_OUTCOME_SELF || i == NMIBT_OUTCOME_SILENT);
	for (unsigned int i = 0; i < FP_CPUS; i++)
		assert_false(r->cpus[i].has_older);
	assert_int_equal(r->sources->states[NMIBT_SOURCE_VMCOREINFO].found, NMIBT_FOUND_ABSENT);
	assert_int_equal(r->sources->states[LOG].found, NMIBT_FOUND);
	assert_int_equal(r->sources->states[NMIBT_SOURCE_NMI_BUFFERS].found, NMIBT_FOUND_ABSENT);
	assert_int_equal(r->sources->states[NMIBT_SOURCE_REGISTERS].found, NMIBT_FOUND_EMPTY);
	assert_non_null(strstr(r->sources->states[LOG].why, "3 backtraces in "));
}

static void details(void **state)
{
	struct scene *s = *state;

	say_all(s);
	open_report(s, AUTO);
	struct nmibt_cpu cpu = cpu_of(s, 1);
	assert_true(nmibt_shown(&cpu)->task.known);
	assert_int_equal(nmibt_shown(&cpu)->task.pid, 118);
	assert_string_equal(nmibt_shown(&cpu)->task.comm, "spin");
	assert_true(cpu.irqs_off);
	assert_int_equal(nmibt_shown(&cpu)->stack.nr, 4);
	assert_true(nmibt_shown(&cpu)->stack.frames[0].is_pc);
	assert_memory_equal(nmibt_shown(&cpu)->stack.frames[1].function.s, "spin_fn", 7);
	assert_int_not_equal(cpu.stack_hash, 0);
	assert_in_range(cpu.standing.begun_ns, 6 * S, 7 * S);
	assert_int_equal(cpu.age.kind, NMIBT_AGE_EXACT);
	assert_int_equal(cpu.age.ns, (int64_t)(6 * S - cpu.standing.begun_ns));
	/* Its lines were printed one by one, a millisecond each. */
	assert_int_equal(cpu.standing.ended_ns - cpu.standing.begun_ns,
			 (cpu.standing.text.nr_lines - 1) * 1000000);
	assert_int_equal(cpu.standing.last_seq - cpu.standing.first_seq,
			 cpu.standing.text.nr_lines - 1);
	assert_int_equal(cpu.stop.note, NMIBT_NOTE_NONE);
	assert_int_equal(cpu.moved, NMIBT_MOVED_UNKNOWN);
	assert_int_equal(cpu.asked_ns, 0);
	uint64_t begun = cpu.standing.begun_ns;
	nmibt_cpu_destroy(&cpu);

	cpu = cpu_of(s, 0);
	assert_true(cpu.is_idle);
	assert_int_equal(nmibt_shown(&cpu)->stack.nr, 1);
	assert_false(nmibt_shown(&cpu)->task.known);
	nmibt_cpu_destroy(&cpu);
	/* It was asked just before the first CPU answered. */
	cpu = cpu_of(s, 4);
	assert_int_equal(cpu.asked_ns, begun - 2 * 1000000);
	assert_int_equal(nmibt_shown(&cpu)->stack.nr, 0);
	nmibt_cpu_destroy(&cpu);
}

/* All formats must print something about it. */
static void all_formats(void **state)
{
	struct scene *s = *state;

	say_all(s);
	put_note(s, 4, 68, AT(OTHER, 8), 4096);
	open_report(s, AUTO);
	for (int format = NMIBT_FORMAT_TEXT; format <= NMIBT_FORMAT_SIGNATURE; format++) {
		int code = render(
			s, (struct nmibt_render_options){
				   .format = format, .older = true, .lines = true, .header = true});
		/* The stack of CPU 4 ends in excluded memory. */
		assert_int_equal(code, 3);
		assert_true(strlen(s->text) > 40);
	}
}

/* Without symbols the report has the CPUs that the log mentions. */
static void no_symbols(void **state)
{
	struct scene *s = *state;

	say_all(s);
	s->p->ops.symbol_addr = NULL;
	open_report(s, AUTO);
	assert_int_equal(s->report->nr_cpus, 5);
	assert_int_equal(s->report->nr_possible, 4);
	assert_int_equal(s->report->death.reporter, 2);
	assert_int_equal(s->report->sources->states[NMIBT_SOURCE_REGISTERS].found,
			 NMIBT_FOUND_ABSENT);
	struct nmibt_cpu cpu = cpu_of(s, 1);
	assert_int_equal(cpu.outcome, NMIBT_OUTCOME_ANSWERED);
	assert_int_equal(cpu.stop.note, NMIBT_NOTE_UNKNOWN);
	nmibt_cpu_destroy(&cpu);
	check_cpu(s, 4, NMIBT_OUTCOME_SILENT, AUTO, "");
}

static void nobody_asked(void **state)
{
	struct scene *s = *state;

	say(s, 1, PANIC(2, 1));
	open_report(s, AUTO);
	check_cpu(s, 0, NMIBT_OUTCOME_NONE, AUTO, "");
	check_cpu(s, 2, NMIBT_OUTCOME_SELF, LOG, PANIC(2, 1));
	assert_int_equal(s->report->by_outcome[NMIBT_OUTCOME_NONE], 3);
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 0);
	check_rendered(s, "\nCPU 0  none\n[no text of it, and no registers]\n");
}

/* ---------------------------------------------------------------------- older */

static void rounds(void **state)
{
	struct scene *s = *state;

	say(s, 1, ASKER(2, 1) SENDING(2, "0-1,4"));
	say(s, IRQ(0), IDLE(0));
	say(s, IRQ(1), SPIN(1, 118));
	say(s, IRQ(4), IDLE(4));
	s->log.ts = 6 * S;
	say(s, 1, ASKER(2, 1) SENDING(2, "0-1,4"));
	say(s, IRQ(0), USER(0, 70));
	say(s, IRQ(1), SPIN(1, 118));
	s->log.ts = 9 * S;
	say(s, 1, PANIC(2, 1) SENDING(2, "0-1,4"));
	say(s, IRQ(0), SKIPPED(0));
	open_report(s, AUTO);

	check_cpu(s, 0, NMIBT_OUTCOME_SKIPPED, LOG, SKIPPED(0));
	check_older(s, 0, 0, NMIBT_OUTCOME_ANSWERED, USER(0, 70));
	check_older(s, 0, 1, NMIBT_OUTCOME_ANSWERED, IDLE(0));
	check_no_older(s, 0, 2);
	check_older(s, 2, 0, NMIBT_OUTCOME_ANSWERED, ASKER(2, 1));
	check_older(s, 2, 1, NMIBT_OUTCOME_ANSWERED, ASKER(2, 1));
	check_no_older(s, 2, 2);
	/* The CPU answered only the first request: that text is where it was last seen. */
	check_cpu(s, 4, NMIBT_OUTCOME_SILENT, LOG, IDLE(4));
	check_no_older(s, 4, 0);
	struct nmibt_cpu cpu = cpu_of(s, 4);
	assert_int_equal(cpu.step, NMIBT_STEP_LAST_SEEN);
	assert_false(cpu.is_idle);
	assert_int_equal(cpu.stack_hash, 0);
	nmibt_cpu_destroy(&cpu);
	assert_int_equal(render(s, (struct nmibt_render_options){.older = true}), 0);
	check_rendered(s, "\nCPU 4  silent");
	check_rendered(s, "\nCPU 0  older answered");
}

/* There is only older evidence about the CPU. */
static void only_older(void **state)
{
	struct scene *s = *state;

	say(s, 127, CUT_HERE WARNING_LINE(1, 127) WARNING_BODY(1, 127));
	open_report(s, AUTO);
	assert_int_equal(s->report->by_outcome[NMIBT_OUTCOME_NONE], 4);
	assert_int_equal(s->report->cpus[1].step, NMIBT_STEP_LAST_SEEN);
	assert_int_equal(s->report->cpus[0].step, NMIBT_STEP_NOTHING);
	check_no_older(s, 1, 0);
	/* The text says where it was last seen. */
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 0);
}

/* --------------------------------------------------------------- those that died */

static void on_arm64(void **state)
{
	struct scene *s = *state;

	say(s, 1, ARM64_PANIC(2, 1));
	say(s, IRQ(1), ARM64_SPIN(1, 118));
	say(s, IRQ(4), ARM64_USER(4, 70) "an interrupt\n");
	say(s, 1, "SMP: stopping secondary CPUs\n");
	open_report(s, AUTO);
	check_cpu(s, 1, NMIBT_OUTCOME_ANSWERED, LOG, ARM64_SPIN(1, 118));
	check_cpu(s, 2, NMIBT_OUTCOME_SELF, LOG, ARM64_PANIC(2, 1));
	struct nmibt_cpu cpu = cpu_of(s, 4);
	assert_true(cpu.is_user);
	check_text(&cpu, ARM64_USER(4, 70));
	nmibt_cpu_destroy(&cpu);
	cpu = cpu_of(s, 1);
	assert_true(cpu.irqs_off);
	assert_int_equal(nmibt_shown(&cpu)->stack.nr, 6);
	nmibt_cpu_destroy(&cpu);
}

/* --------------------------------------------------------------- one source only */

static void only_log(void **state)
{
	struct scene *s = *state;

	say_all(s);
	put_note(s, 0, 68, AT(OTHER, 8), 4096);
	open_report(s, LOG);
	check_cpu(s, 1, NMIBT_OUTCOME_ANSWERED, LOG, SPIN(1, 118));
	check_cpu(s, 4, NMIBT_OUTCOME_SILENT, AUTO, "");
	assert_int_equal(s->report->sources->states[NMIBT_SOURCE_VMCOREINFO].found,
			 NMIBT_FOUND_UNTRIED);
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 0);
	check_not_rendered(s, "\nregisters ");
	check_not_rendered(s, "\ncapture ");
}

static void only_registers(void **state)
{
	struct scene *s = *state;

	say_all(s);
	put_note(s, 1, 118, AT(OTHER, 8), 4096);
	open_report(s, NMIBT_SOURCE_REGISTERS);
	check_cpu(s, 1, NMIBT_OUTCOME_REGISTERS, NMIBT_SOURCE_REGISTERS,
		  " other+0x8\n spin_fn+0x100\n ? other+0x8\n");
	check_cpu(s, 0, NMIBT_OUTCOME_NONE, AUTO, "");
	check_cpu(s, 2, NMIBT_OUTCOME_NONE, AUTO, "");
	check_cpu(s, 4, NMIBT_OUTCOME_NONE, AUTO, "");
	check_no_older(s, 2, 0);
}

static void only_nmi_buffers(void **state)
{
	struct scene *s = *state;

	fp_add_nmi_buffers(s->p, FP_PRINTK_SAFE);
	say_all(s);
	fp_print(s->p, FP_PRINTK_SAFE, 1, FP_NMI, USER_5_10(1, 70));
	put_note(s, 4, 68, AT(OTHER, 8), 4096);
	open_report(s, NMIBT_SOURCE_NMI_BUFFERS);
	/* The text has no time, and nothing confirms it. */
	check_cpu(s, 1, NMIBT_OUTCOME_NONE, NMIBT_SOURCE_NMI_BUFFERS, USER_5_10(1, 70));
	assert_int_equal(s->report->cpus[1].step, NMIBT_STEP_LAST_SEEN);
	for (unsigned int cpu = 0; cpu < FP_CPUS; cpu++) {
		if (cpu != 1)
			check_cpu(s, cpu, NMIBT_OUTCOME_NONE, AUTO, "");
	}
	check_no_older(s, 2, 0);
	/* Text that belongs to the death counts more. */
	open_report(s, AUTO);
	check_cpu(s, 1, NMIBT_OUTCOME_ANSWERED, LOG, SPIN(1, 118));
	/* The CPU was in user mode both times. */
	put_user_note(s, 1, 70);
	open_report(s, NMIBT_SOURCE_NMI_BUFFERS);
	check_cpu(s, 1, NMIBT_OUTCOME_ANSWERED, NMIBT_SOURCE_NMI_BUFFERS, USER_5_10(1, 70));
	assert_int_equal(s->report->cpus[1].step, NMIBT_STEP_CONFIRMED);
}

/* Text that a flush leaves is older than everything in the log. */
static void flushed(void **state)
{
	struct scene *s = *state;

	fp_add_nmi_buffers(s->p, FP_PRINTK_SAFE);
	fp_print(s->p, FP_PRINTK_SAFE, 1, FP_NMI, USER_5_10(1, 70));
	fp_flush(s->p, FP_PRINTK_SAFE, 1, FP_NMI);
	say(s, IRQ(1), IDLE(1) SPIN(1, 118));
	open_report(s, AUTO);
	check_cpu(s, 1, NMIBT_OUTCOME_NONE, LOG, SPIN(1, 118));
	check_older(s, 1, 0, NMIBT_OUTCOME_ANSWERED, IDLE(1));
	check_older(s, 1, 1, NMIBT_OUTCOME_ANSWERED, USER_5_10(1, 70));
	check_no_older(s, 1, 2);
	assert_true(s->report->cpus[1].has_older);
	open_report(s, LOG);
	check_no_older(s, 1, 1);
	open_report(s, NMIBT_SOURCE_NMI_BUFFERS);
	check_older(s, 1, 0, NMIBT_OUTCOME_ANSWERED, USER_5_10(1, 70));
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 1);
}

static void no_source(void **state)
{
	struct scene *s = *state;

	open_fails(s, NMIBT_SOURCE_VMCOREINFO, NMIBT_ERR_NOTHING,
		   "no NUMBER(nmi_backtrace_capture) line");
	open_fails(s, LOG, NMIBT_ERR_NOTHING,
		   "nothing captured in this dump: log: 0 backtraces in 0 records");
	open_fails(s, NMIBT_SOURCE_NMI_BUFFERS, NMIBT_ERR_NOTHING, "nmi-buffers: ");
	open_fails(s, NMIBT_SOURCE_NMI_BUFFERS, NMIBT_ERR_NOTHING, "nmi_print_seq");
	open_fails(s, NMIBT_SOURCE_REGISTERS, NMIBT_ERR_NOTHING,
		   "nothing captured in this dump: registers: 4 empty crash notes: there was no "
		   "kdump");
	kdump(s);
	open_fails(s, NMIBT_SOURCE_REGISTERS, NMIBT_ERR_NOTHING, "registers: 4 empty");
	/* There was a kdump: registers were saved, and can't be found. */
	fp_drop_symbol(s->p, "crash_notes");
	open_fails(s, NMIBT_SOURCE_REGISTERS, NMIBT_ERR_DAMAGED,
		   "registers: where the crash notes are is not known");
	fp_drop_symbol(s->p, "__per_cpu_offset");
	open_fails(s, NMIBT_SOURCE_REGISTERS, NMIBT_ERR_DAMAGED, "__per_cpu_offset");
	open_fails(s, NMIBT_SOURCE_NMI_BUFFERS, NMIBT_ERR_DAMAGED, "__per_cpu_offset");
	fk_unsay(s->p->k, "SYMBOL(prb)");
	open_fails(s, LOG, NMIBT_ERR_DAMAGED,
		   "log: VMCOREINFO does not describe the kernel's log: no SYMBOL(prb)");
	/* Each source says why it has nothing. */
	open_fails(s, AUTO, NMIBT_ERR_DAMAGED, "vmcoreinfo: no NUMBER(nmi_backtrace_capture) line");
	open_fails(s, AUTO, NMIBT_ERR_DAMAGED,
		   "; log: VMCOREINFO does not describe the kernel's log: no SYMBOL(prb)");
	open_fails(s, AUTO, NMIBT_ERR_DAMAGED, "nmi-buffers, registers: ");
}

static void no_backtrace(void **state)
{
	struct scene *s = *state;

	say(s, 1, "Linux version 6.12 (a@b) #1\nall is well\n");
	open_fails(s, AUTO, NMIBT_ERR_NOTHING, "nothing captured in this dump: ");
	open_fails(s, AUTO, NMIBT_ERR_NOTHING, "; log: 0 backtraces in 2 records");
	open_fails(s, LOG, NMIBT_ERR_NOTHING, "log: 0 backtraces in 2 records");
	/* A panic is enough for a report, even without a backtrace and without anything else. */
	say(s, 1, PANIC_SAYS("no backtrace"));
	open_report(s, AUTO);
	assert_true(s->report->death.is_known);
	assert_int_equal(s->report->sources->states[LOG].found, NMIBT_FOUND);
	put_note(s, 1, 118, AT(OTHER, 8), 4096);
	open_report(s, AUTO);
	assert_int_equal(s->report->sources->states[LOG].found, NMIBT_FOUND);
	s->p->ops.symbol_addr = NULL;
	open_report(s, AUTO);
	assert_true(s->report->death.is_known);
}

static void unreadable_log(void **state)
{
	struct scene *s = *state;

	fk_set_page(s->p->k, s->log.ring, NMIBT_READ_EXCLUDED);
	open_fails(s, LOG, NMIBT_ERR_DAMAGED, "is excluded");
	open_fails(s, AUTO, NMIBT_ERR_DAMAGED, "is excluded");
	/* No record can be read. */
	fk_set_page(s->p->k, s->log.ring, NMIBT_READ_OK);
	say(s, 1, "Linux version 6.12 (a@b) #1\n");
	fk_set_page(s->p->k, fl_paddr(&s->log, FL_DATA), NMIBT_READ_EXCLUDED);
	open_fails(s, LOG, NMIBT_ERR_DAMAGED, "log: 0 backtraces in 0 records; 1 record not in");
	/* That does not matter to the registers. */
	put_note(s, 1, 118, AT(OTHER, 8), 4096);
	open_report(s, AUTO);
	assert_int_equal(s->report->sources->states[LOG].found, NMIBT_FOUND_UNREADABLE);
	assert_int_equal(s->report->cpus[1].outcome, NMIBT_OUTCOME_REGISTERS);
}

/* ------------------------------------------------------------------- damage */

/* The newest records have overwritten others, up to the middle of a backtrace. */
static void wrapped(void **state)
{
	struct scene *s = *state;

	say(s, IRQ(1), SPIN(1, 118));
	say(s, IRQ(4), IDLE(4));
	open_report(s, AUTO);
	assert_true(s->report->complete);
	say(s, 1, "one\n");
	open_report(s, AUTO);
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 0);
	for (unsigned int i = 0; i < 8; i++)
		say(s, 1, "another record\n");
	open_report(s, AUTO);
	assert_false(s->report->complete);
	struct nmibt_cpu cpu = cpu_of(s, 1);
	assert_int_equal(cpu.step, NMIBT_STEP_LAST_SEEN);
	assert_true(cpu.standing.wrong & NMIBT_WRONG_HEADLESS);
	check_text(&cpu, strstr(SPIN(1, 118), " <TASK>"));
	nmibt_cpu_destroy(&cpu);
	check_cpu(s, 4, NMIBT_OUTCOME_NONE, LOG, IDLE(4));
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 3);
	check_rendered(s, "its beginning is gone, 92 bytes");
	check_rendered(s, "older records were overwritten");
}

/* A record is cut off by a page that is not in the dump. */
static void gaps(void **state)
{
	struct scene *s = *state;
	char filler[4096] = "";

	say(s, IRQ(1), TITLE(1) INFO(1, 118, "spin"));
	/* The block begins 24 bytes before the page's end; 8 of these are its ID. */
	uint64_t at = s->log.head_lpos & (fl_size(&s->log) - 1);
	memset(filler, 'x', 4096 - 24 - at - 8);
	say(s, 1, filler);
	say(s, IRQ(1), "RIP: 0010:delay_tsc+0x2e/0x50\n");
	memset(filler, 'y', 4088);
	say(s, 1, filler);
	say(s, IRQ(1), SPIN_TRACE);
	fk_set_page(s->p->k, fl_paddr(&s->log, FL_DATA + 4096), NMIBT_READ_EXCLUDED);
	open_report(s, AUTO);
	struct nmibt_cpu cpu = cpu_of(s, 1);
	assert_int_equal(cpu.step, NMIBT_STEP_LAST_SEEN);
	assert_int_equal(cpu.standing.text.unread, strlen("RIP: 0010:delay_tsc+0x2e/0x50") - 16);
	assert_int_equal(nmibt_shown(&cpu)->stack.nr, 3);
	nmibt_cpu_destroy(&cpu);
	assert_false(s->report->complete);
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 3);
	check_rendered(s, "with gaps, ");
	check_rendered(s, "\n    RIP: 0010:delay_\n");
	check_rendered(s, "\n[13 bytes can't be read]\n");
	check_rendered(s, "; 1 record not in the dump");
}

static bool is_interrupted(void *ctx)
{
	return fk_interrupted(((struct fake_percpu *)ctx)->k);
}

/* interrupted() returns true after any number of calls. */
static void interrupted(void **state)
{
	struct scene *s = *state;
	struct nmibt_error *err;
	int questions = 0;

	say_all(s);
	s->p->ops.interrupted = is_interrupted;
	do {
		s->p->k->asked_left = questions++;
		err = nmibt_report_make(&s->p->image, AUTO, &s->report);
		if (err)
			assert_int_equal(err->code, NMIBT_ERR_INTERRUPTED);
		nmibt_error_destroy(err);
	} while (err);
	/* It is called for each record and each CPU. */
	assert_in_range(questions, 30, 200);
}

/* ------------------------------------------------------------- stop registers */

/* The CPU is at the place at which it was when it answered. */
static void same_place(void **state)
{
	struct scene *s = *state;

	say_all(s);
	kdump(s);
	put_note(s, 0, 0, AT(OTHER, 8), 4096);
	put_note(s, 1, 118, AT(DELAY_TSC, 0x30), 0xffffc900001a7ee0);
	put_note(s, 2, 1, AT(OTHER, 8), 4096);
	open_report(s, AUTO);
	assert_int_equal(s->report->sources->states[NMIBT_SOURCE_REGISTERS].found, NMIBT_FOUND);
	assert_string_equal(s->report->sources->states[NMIBT_SOURCE_REGISTERS].why,
			    "crash notes of 3 CPUs; 1 empty crash note");
	struct nmibt_cpu cpu = cpu_of(s, 1);
	/* This test's unwinder says that the CPU's stack ends in excluded memory. */
	assert_int_equal(cpu.moved, NMIBT_MOVED_UNKNOWN);
	assert_int_equal(cpu.step, NMIBT_STEP_BELONGS);
	assert_int_equal(cpu.stop.note, NMIBT_NOTE_PRESENT);
	assert_int_equal(cpu.stop.task.pid, 118);
	assert_true(cpu.stop.regs.present);
	assert_int_equal(cpu.stop.regs.value[16], AT(DELAY_TSC, 0x30));
	assert_int_equal(cpu.standing.source, LOG);
	nmibt_cpu_destroy(&cpu);
	assert_int_equal(s->report->cpus[0].moved, NMIBT_MOVED_IDLE);
	assert_int_equal(s->report->cpus[2].moved, NMIBT_MOVED_UNKNOWN);
	assert_int_equal(s->report->cpus[4].note, NMIBT_NOTE_NONE);
	render(s, (struct nmibt_render_options){0});
	check_rendered(s, "    rip       delay_tsc+0x30\n");
	check_rendered(s, "\n[no crash note: it was offline, or did not stop]\n");

	put_note(s, 1, 119, AT(DELAY_TSC, 0x30), 0xffffc900001a7ee0);
	open_report(s, AUTO);
	assert_int_equal(s->report->cpus[1].moved, NMIBT_MOVED_YES);
}

/* There are only registers: their stack is followed, on both architectures. */
static void registers(void **state)
{
	struct scene *s = *state;

	kdump(s);
	put_note(s, 1, 118, AT(OTHER, 8), 4096);
	put_note(s, 4, 70, CODE - 8, 4096);
	open_report(s, AUTO);
	assert_int_equal(s->report->death.reporter, 2);
	struct nmibt_cpu cpu = cpu_of(s, 1);
	assert_int_equal(cpu.outcome, NMIBT_OUTCOME_REGISTERS);
	assert_int_equal(nmibt_shown(&cpu)->source, NMIBT_SOURCE_REGISTERS);
	assert_int_equal(cpu.step, NMIBT_STEP_REGISTERS);
	assert_int_equal(nmibt_shown(&cpu)->stack.nr, 3);
	assert_true(nmibt_shown(&cpu)->stack.frames[0].is_pc &&
		    nmibt_shown(&cpu)->stack.frames[0].reliable);
	assert_memory_equal(nmibt_shown(&cpu)->stack.frames[0].function.s, "other", 5);
	/* If the call is the last instruction of its function, the frame must have the name of
	 * that function, not of the next one. */
	assert_memory_equal(nmibt_shown(&cpu)->stack.frames[1].function.s, "spin_fn", 7);
	assert_int_equal(nmibt_shown(&cpu)->stack.frames[1].offset, 0x100);
	assert_false(nmibt_shown(&cpu)->stack.frames[1].is_pc);
	assert_false(nmibt_shown(&cpu)->stack.frames[2].reliable);
	assert_int_equal(cpu.moved, NMIBT_MOVED_UNKNOWN);
	nmibt_cpu_destroy(&cpu);
	/* Without a symbol the frame has a number. */
	cpu = cpu_of(s, 4);
	assert_int_equal(nmibt_shown(&cpu)->stack.nr, 3);
	assert_int_equal(nmibt_shown(&cpu)->stack.frames[0].addr, CODE - 8);
	assert_int_equal(nmibt_shown(&cpu)->stack.frames[0].function.len, 0);
	assert_int_equal(nmibt_shown(&cpu)->stack.frames[1].function.len, 7);
	assert_int_equal(nmibt_shown(&cpu)->stack.end, NMIBT_END_EXCLUDED);
	nmibt_cpu_destroy(&cpu);
	check_cpu(s, 2, NMIBT_OUTCOME_NONE, AUTO, "");
	assert_int_equal(s->report->by_outcome[NMIBT_OUTCOME_REGISTERS], 2);
	/* A part of a stack is not in the dump. */
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 3);
	check_rendered(s, "\nCPU 1  registers");
	check_rendered(s, "unwound by nmibt from its crash note\n");
	check_rendered(s, "\n     0xffffffff80fffff8\n     spin_fn+0x100\n     ? other+0x8\n"
			  "[unwinding ended: memory at 0xffffc90000123450 is not in the dump]\n");
	render(s, (struct nmibt_render_options){.format = NMIBT_FORMAT_GROUPS});
	check_rendered(s, "\n    0xffffffff80fffff8\n    spin_fn+0x100\n");
	render(s, (struct nmibt_render_options){.format = NMIBT_FORMAT_FOLDED});
	check_rendered(s, ";spin_fn;0xffffffff80fffff8 1\n");
}

/* Stacks can't be followed here, or only with little success. */
static void no_unwinder(void **state)
{
	struct scene *s = *state;

	s->p->ops.unwind = NULL;
	put_note(s, 1, 118, AT(OTHER, 8), 4096);
	open_report(s, AUTO);
	struct nmibt_cpu cpu = cpu_of(s, 1);
	assert_int_equal(cpu.outcome, NMIBT_OUTCOME_REGISTERS);
	assert_int_equal(nmibt_shown(&cpu)->source, NMIBT_SOURCE_REGISTERS);
	assert_true(cpu.stop.regs.present);
	assert_int_equal(cpu.step, NMIBT_STEP_REGISTERS);
	/* The pc is still known. */
	assert_int_equal(nmibt_shown(&cpu)->stack.nr, 1);
	nmibt_cpu_destroy(&cpu);
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 0);
	check_rendered(s, "unwound by nmibt from its crash note\n");
	check_rendered(s, "other+0x8\n");
}

static void silent_with_registers(void **state)
{
	struct scene *s = *state;

	say_all(s);
	put_note(s, 4, 70, AT(OTHER, 8), 4096);
	open_report(s, AUTO);
	check_cpu(s, 4, NMIBT_OUTCOME_SILENT, NMIBT_SOURCE_REGISTERS,
		  " other+0x8\n spin_fn+0x100\n ? other+0x8\n");
	open_report(s, LOG);
	check_cpu(s, 4, NMIBT_OUTCOME_SILENT, AUTO, "");
	assert_true(s->report->complete);
	/* A note that is not in the dump makes the report incomplete. */
	fp_set_page(s->p, 4, FP_NOTES, NMIBT_READ_EXCLUDED);
	open_report(s, AUTO);
	assert_int_equal(s->report->cpus[4].note, NMIBT_NOTE_EXCLUDED);
	assert_false(s->report->complete);
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 3);
	check_rendered(s, "\n[its crash note is not in the dump]\n");
}

/* -------------------------------------------------------------- with a capture */

/* The capture is in one memory, and the kernel's log in another. */
struct both {
	struct fake *f;
	struct scene *s;
	struct nmibt_image image;
	struct nmibt_image_ops ops;
};

static enum nmibt_read read_both(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct both *b = ctx;

	return paddr >= FAKE_BASE ? fake_read_phys(b->f, paddr, buf, len)
				  : fk_read_phys(b->s->p->k, paddr, buf, len);
}

static char *vmcoreinfo_of_both(void *ctx, const char *key)
{
	struct both *b = ctx;
	char *line = fake_vmcoreinfo(b->f, key);

	return line ? line : fk_vmcoreinfo(b->s->p->k, key);
}

static struct both new_both(struct scene *s)
{
	struct both b = {.f = fake_new(NMIBT_ARCH_X86_64, 4), .s = s};

	fake_reset(b.f, 2);
	b.f->slot[2]->state = NMI_CAPTURE_SLOT_ASKED;
	b.f->slot[2]->asked_generation = 1;
	b.f->slot[2]->asked_ns = FAKE_ASKED_NS + 1;
	b.f->desc->state = NMI_CAPTURE_TIMEOUT;
	b.ops = (struct nmibt_image_ops){.read_phys = read_both, .vmcoreinfo = vmcoreinfo_of_both};
	b.image = b.f->image;
	return b;
}

static void captured(void **state)
{
	struct scene *s = *state;
	struct both b = new_both(s);

	b.image.ops = &b.ops;
	b.image.ctx = &b;
	say(s, IRQ(1), IDLE(1));
	say(s, IRQ(2), SPIN(2, 118));
	assert_null(nmibt_report_make(&b.image, AUTO, &s->report));
	assert_true(s->report->sources->has_capture);
	/* The CPU did not answer the capture, but it had answered the kernel before. */
	check_cpu(s, 2, NMIBT_OUTCOME_SILENT, LOG, SPIN(2, 118));
	struct nmibt_cpu cpu = cpu_of(s, 2);
	assert_string_equal(nmibt_shown(&cpu)->task.comm, "spin");
	assert_int_equal(nmibt_shown(&cpu)->stack.nr, 4);
	assert_true(cpu.has_slot);
	nmibt_cpu_destroy(&cpu);
	/* If there is a capture, it counts more. */
	cpu = cpu_of(s, 1);
	assert_int_equal(cpu.outcome, NMIBT_OUTCOME_NMI);
	assert_int_equal(nmibt_shown(&cpu)->source, NMIBT_SOURCE_VMCOREINFO);
	assert_string_equal(nmibt_shown(&cpu)->task.comm, "task-1");
	nmibt_cpu_destroy(&cpu);
	check_no_older(s, 1, 0);
	assert_int_equal(render(s, (struct nmibt_render_options){0}), 0);
	check_rendered(s, "\nCPU 2  silent ");
	check_rendered(s, "  PID 118 \"spin\"  log, ");
	check_rendered(s, "\n     spin_fn+0x55/0x70 [spin]\n");

	/* The log is not used if only the capture is allowed. */
	close_report(s);
	assert_null(nmibt_report_make(&b.image, NMIBT_SOURCE_VMCOREINFO, &s->report));
	check_cpu(s, 2, NMIBT_OUTCOME_SILENT, NMIBT_SOURCE_VMCOREINFO, "");
	/* The capture is not used if only the log is allowed. */
	close_report(s);
	assert_null(nmibt_report_make(&b.image, LOG, &s->report));
	assert_false(s->report->sources->has_capture);
	check_cpu(s, 1, NMIBT_OUTCOME_NONE, LOG, IDLE(1));
	close_report(s);
	fake_free(b.f);
}

#define TEST(setup, name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(x86_64, outcomes),	      TEST(x86_64, details),
		TEST(x86_64, all_formats),    TEST(x86_64, no_symbols),
		TEST(x86_64, nobody_asked),   TEST(x86_64, rounds),
		TEST(x86_64, only_older),     TEST(arm64, on_arm64),
		TEST(x86_64, only_log),	      TEST(x86_64, only_registers),
		TEST(arm64, only_registers),  TEST(x86_64, only_nmi_buffers),
		TEST(x86_64, flushed),	      TEST(x86_64, no_source),
		TEST(arm64, no_source),	      TEST(x86_64, no_backtrace),
		TEST(x86_64, unreadable_log), TEST(small_log, wrapped),
		TEST(x86_64, gaps),	      TEST(x86_64, interrupted),
		TEST(x86_64, same_place),     TEST(x86_64, registers),
		TEST(arm64, registers),	      TEST(x86_64, no_unwinder),
		TEST(arm64, no_unwinder),     TEST(x86_64, silent_with_registers),
		TEST(x86_64, captured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
