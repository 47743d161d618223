// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes one CPU, and one piece of evidence.
 */
#include "json/json.h"

/* --------------------------------------------------------------------------- parts */

void json_cpus(struct json *j, const struct nmibt_cpus *cpus)
{
	json_open(j, '[');
	for (size_t i = 0; i < cpus->nr; i++) {
		for (unsigned int cpu = cpus->ranges[i].first; cpu <= cpus->ranges[i].last; cpu++)
			json_int(j, cpu);
	}
	json_close(j, ']');
}

void json_task(struct json *j, const struct nmibt_task *task)
{
	size_t len = strnlen(task->comm, sizeof(task->comm));

	if (!task->known) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "pid");
	json_int(j, task->pid);
	json_key(j, "comm");
	if (len)
		json_string(j, task->comm, len);
	else
		json_null(j);
	json_close(j, '}');
}

void json_age(struct json *j, struct nmibt_age age)
{
	static const char *const kinds[] = {
		[NMIBT_AGE_UNKNOWN] = "unknown",
		[NMIBT_AGE_EXACT] = "exact",
		[NMIBT_AGE_AT_LEAST] = "at-least",
	};

	json_open(j, '{');
	json_key(j, "kind");
	json_word(j, kinds[age.kind]);
	json_key(j, "seconds");
	if (age.kind == NMIBT_AGE_UNKNOWN)
		json_null(j);
	else
		json_seconds(j, age.ns);
	json_key(j, "suspended");
	json_bool(j, age.suspended);
	json_close(j, '}');
}

void json_flags(struct json *j, uint32_t flags, const char *const *names, size_t nr)
{
	char bit[16];

	json_open(j, '[');
	for (size_t i = 0; i < 32; i++) {
		if (!(flags & 1u << i))
			continue;
		snprintf(bit, sizeof(bit), "bit %zu", i);
		json_word(j, i < nr ? names[i] : bit);
	}
	json_close(j, ']');
}

/* ---------------------------------------------------------------------------- text */

static void write_mark(struct json *j, const char *key, bool is_set)
{
	if (!is_set)
		return;
	json_key(j, key);
	json_bool(j, true);
}

static void write_line(struct json *j, const struct nmibt_line *line)
{
	json_open(j, '{');
	json_key(j, "text");
	json_string(j, line->text, line->torn_at);
	if (line->torn_at < line->len) {
		json_key(j, "torn");
		json_string(j, line->text + line->torn_at, line->len - line->torn_at);
	}
	json_key(j, "level");
	if (line->level >= 0)
		json_int(j, line->level);
	else
		json_null(j);
	write_mark(j, "continued", line->level == NMIBT_LEVEL_CONT);
	write_mark(j, "partial", line->flags & NMIBT_LINE_PARTIAL);
	write_mark(j, "cut", line->flags & NMIBT_LINE_CUT);
	write_mark(j, "lone_header", line->flags & NMIBT_LINE_LONE_HEADER);
	write_mark(j, "lost_before", line->flags & NMIBT_LINE_LOST);
	if (line->gap) {
		json_key(j, "unread_before");
		json_number(j, line->gap);
	}
	json_close(j, '}');
}

/* Writes the ranges of raw_base64 whose bytes could not be read, and are 0 there. */
static void write_unread(struct json *j, const struct nmibt_text *text)
{
	json_open(j, '[');
	for (size_t i = 0, first; text->known && i < text->raw_len; i++) {
		for (first = i; i < text->raw_len && !text->known[i];)
			i++;
		if (i == first)
			continue;
		json_open(j, '[');
		json_number(j, first);
		json_number(j, i - first);
		json_close(j, ']');
	}
	json_close(j, ']');
}

static void write_area(struct json *j, const struct nmibt_text *text)
{
	if (!text->raw) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "bytes");
	json_number(j, text->published);
	json_key(j, "torn_bytes");
	json_number(j, text->raw_len - text->published);
	json_key(j, "unread_bytes");
	json_number(j, text->unread);
	json_key(j, "excluded_bytes");
	json_number(j, text->excluded);
	json_key(j, "lines");
	json_open(j, '[');
	for (size_t i = 0; i < text->nr_lines; i++)
		write_line(j, &text->lines[i]);
	json_close(j, ']');
	if (j->renderer.options->raw) {
		json_key(j, "raw_base64");
		json_base64(j, text->raw, text->raw_len);
		json_key(j, "raw_unread");
		write_unread(j, text);
	}
	json_close(j, '}');
}

/* -------------------------------------------------------------------------- frames */

struct places {
	struct json *j;
	const struct nmibt_frame *frame;
};

static void write_place(void *arg, const char *function, const char *where)
{
	const struct places *places = arg;
	struct json *j = places->j;
	struct nmibt_str own = places->frame->function;

	json_open(j, '{');
	json_key(j, "function");
	if (function)
		json_text(j, function);
	else
		json_string(j, own.s, own.len);
	json_key(j, "where");
	json_text(j, where);
	json_close(j, '}');
}

static void write_source(struct json *j, const struct nmibt_frame *frame)
{
	struct places places = {.j = j, .frame = frame};

	json_key(j, "source");
	json_open(j, '[');
	if (frame->function.len)
		nmibt_find_places(&j->renderer, frame, write_place, &places);
	json_close(j, ']');
}

/* The address of a frame. A frame from text has none, but if it is that of the pc, the registers of
 * its CPU have the address. */
static uint64_t address_of(const struct json *j, const struct nmibt_evidence *evidence,
			   const struct nmibt_frame *frame)
{
	const struct nmibt_reg_names *names =
		nmibt_reg_names(j->renderer.report->kernel->image->arch);

	if (frame->addr || frame != nmibt_evidence_pc_frame(evidence, names))
		return frame->addr;
	return evidence->regs.value[names->pc];
}

/* A frame has the same member names as in satyr's JSON of a kernel oops, where satyr has them. */
static void write_frame(struct json *j, const struct nmibt_evidence *evidence,
			const struct nmibt_frame *f)
{
	uint64_t addr = address_of(j, evidence, f);

	json_open(j, '{');
	json_key(j, "function_name");
	if (f->function.len)
		json_string(j, f->function.s, f->function.len);
	else
		json_null(j);
	if (f->function.len && !f->lacks_offset) {
		json_key(j, "function_offset");
		json_number(j, f->offset);
	}
	if (f->function.len && f->size) {
		json_key(j, "function_length");
		json_number(j, f->size);
	}
	if (f->module.len) {
		json_key(j, "module_name");
		json_string(j, f->module.s, f->module.len);
	}
	json_key(j, "address");
	if (addr)
		json_hex(j, addr);
	else
		json_null(j);
	if (f->kind != NMIBT_STACK_TASK) {
		json_key(j, "special_stack");
		json_word(j, nmibt_stack_kind_name(f->kind));
	}
	json_key(j, "reliable");
	json_bool(j, f->reliable);
	json_key(j, "interrupted");
	json_bool(j, f->is_interrupted);
	json_key(j, "line");
	if (f->line == NMIBT_NO_LINE)
		json_null(j);
	else
		json_number(j, f->line);
	if (j->renderer.options->lines)
		write_source(j, f);
	json_close(j, '}');
}

void json_stack(struct json *j, const struct nmibt_evidence *evidence)
{
	const struct nmibt_stack *stack = &evidence->stack;

	if (!stack->nr && stack->end == NMIBT_END_UNKNOWN) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "origin");
	json_word(j, nmibt_is_unwound(evidence) ? "unwound" : "text");
	json_key(j, "frames");
	json_open(j, '[');
	for (size_t i = 0; i < stack->nr; i++)
		write_frame(j, evidence, &stack->frames[i]);
	json_close(j, ']');
	json_key(j, "end");
	json_word(j, nmibt_end_name(stack->end));
	json_key(j, "end_address");
	if (stack->end_addr)
		json_hex(j, stack->end_addr);
	else
		json_null(j);
	json_close(j, '}');
}

/* ------------------------------------------------------------------------ evidence */

static void write_log(struct json *j, const struct nmibt_evidence *evidence)
{
	if (evidence->source != NMIBT_SOURCE_LOG) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "begun_ns");
	json_time(j, evidence->begun_ns);
	json_key(j, "ended_ns");
	json_time(j, evidence->ended_ns);
	json_key(j, "first_record");
	json_number(j, evidence->first_seq);
	json_key(j, "last_record");
	json_number(j, evidence->last_seq);
	json_close(j, '}');
}

void json_evidence(struct json *j, const struct nmibt_evidence *evidence)
{
	static const char *const wrongs[] = {"beginning-gone", "gap",	  "torn", "end-gone",
					     "excluded",       "damaged", "mixed"};

	json_key(j, "text");
	write_area(j, &evidence->text);
	json_key(j, "nested_text");
	write_area(j, &evidence->nested);
	json_key(j, "wrong");
	json_flags(j, evidence->wrong, wrongs, ARRAY_SIZE(wrongs));
	json_key(j, "lost_bytes");
	json_number(j, evidence->lost_bytes);
	json_key(j, "lost_messages");
	json_number(j, evidence->lost_msgs);
	json_key(j, "log");
	write_log(j, evidence);
}

/* ----------------------------------------------------------------------- registers */

static void write_registers(struct json *j, const struct nmibt_cpu *cpu,
			    const struct nmibt_regs *regs, const char *when)
{
	const struct nmibt_report *report = j->renderer.report;
	const struct nmibt_reg_names *names = nmibt_reg_names(report->kernel->image->arch);
	char symbol[160];

	if (!regs->present || !names) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "when");
	json_word(j, when);
	json_key(j, "values");
	json_open(j, '{');
	for (unsigned int i = 0; i < regs->nr && i < names->nr; i++) {
		json_key(j, names->name[i]);
		json_hex(j, regs->value[i]);
	}
	json_close(j, '}');
	json_key(j, "symbols");
	json_open(j, '{');
	for (unsigned int i = 0; i < regs->nr && i < names->nr; i++) {
		if (!nmibt_register_symbol(report, cpu, i, regs->value[i], symbol, sizeof(symbol)))
			continue;
		json_key(j, names->name[i]);
		json_text(j, symbol);
	}
	json_close(j, '}');
	json_close(j, '}');
}

/* ----------------------------------------------------------------------------- CPU */

static void write_slot(struct json *j, const struct nmibt_cpu *cpu)
{
	static const char *const flags[] = {"registers",      "idle",	 "user",
					    "interrupts_off", "late",	 "overflow",
					    "registers_only", "faulted", "registers_of_capture"};
	static const char *const asked_flags[] = {"offline"};
	const struct nmi_capture_slot *s = &cpu->slot;

	if (!cpu->has_slot) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "address");
	json_hex(j, cpu->slot_paddr);
	json_key(j, "state");
	json_int(j, s->state);
	json_key(j, "how");
	json_int(j, s->how);
	json_key(j, "flags");
	json_flags(j, s->flags, flags, ARRAY_SIZE(flags));
	json_key(j, "generation");
	json_int(j, s->generation);
	json_key(j, "asked_generation");
	json_int(j, s->asked_generation);
	json_key(j, "asked_flags");
	json_flags(j, s->asked_flags, asked_flags, ARRAY_SIZE(asked_flags));
	json_key(j, "asked_ns");
	json_time(j, s->asked_ns);
	json_key(j, "begun_ns");
	json_time(j, s->begun_ns);
	json_key(j, "done_ns");
	json_time(j, s->done_ns);
	json_key(j, "lost_messages");
	json_int(j, s->lost_msgs);
	json_key(j, "lost_bytes");
	json_int(j, s->lost_bytes);
	json_key(j, "begin_again");
	json_int(j, s->begin_again);
	json_key(j, "text_room");
	json_int(j, s->text_size);
	json_key(j, "crash_note");
	json_hex(j, s->note_paddr);
	json_close(j, '}');
}

/* Writes the request in the log that the CPU did not answer. */
static void write_asked(struct json *j, const struct nmibt_cpu *cpu)
{
	if (cpu->has_slot || !cpu->asked_ns) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "by");
	if (cpu->asked_by == NMIBT_NO_CPU)
		json_null(j);
	else
		json_int(j, cpu->asked_by);
	json_key(j, "ns");
	json_time(j, cpu->asked_ns);
	json_close(j, '}');
}

/* By a message of the kernel's own. */
static void write_absence(struct json *j, const struct nmibt_cpu *cpu)
{
	if (cpu->absence == NMIBT_ABSENCE_NONE) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "kind");
	json_word(j, nmibt_absence_name(cpu->absence));
	json_key(j, "age");
	json_age(j, nmibt_age_of(j->renderer.report, NMIBT_CLOCK_LOG, cpu->absence_ns,
				 cpu->absence_seq));
	json_close(j, '}');
}

static void write_verdict(struct json *j, const struct nmibt_cpu *cpu)
{
	const struct nmibt_evidence *shown = nmibt_shown(cpu);
	const struct nmibt_cpu_brief *brief = &j->renderer.report->cpus[cpu->cpu];

	json_key(j, "outcome");
	json_word(j, nmibt_outcome_name(cpu->outcome));
	json_key(j, "step");
	json_int(j, cpu->step);
	json_key(j, "older");
	json_bool(j, cpu->is_stale);
	json_key(j, "last_seen");
	json_bool(j, cpu->step == NMIBT_STEP_LAST_SEEN);
	json_key(j, "source");
	json_word(j, cpu->step == NMIBT_STEP_NOTHING && !shown->has_slot
			     ? NULL
			     : nmibt_source_name(shown->source));
	json_key(j, "buffer");
	json_word(j, cpu->standing.buffer);
	json_key(j, "age");
	json_age(j, cpu->age);
	json_key(j, "task");
	json_task(j, cpu->standing.task.known ? &cpu->standing.task : &shown->task);
	json_key(j, "idle");
	json_bool(j, cpu->is_idle);
	json_key(j, "user");
	json_bool(j, cpu->is_user);
	json_key(j, "offline");
	json_bool(j, cpu->is_offline || cpu->outcome == NMIBT_OUTCOME_OFFLINE);
	json_key(j, "irqs_off");
	if (shown->has_irqs_off)
		json_bool(j, shown->irqs_off);
	else
		json_null(j);
	json_key(j, "moved");
	json_word(j, nmibt_moved_name(cpu->moved));
	json_key(j, "stuck");
	json_bool(j, !cpu->is_stale && nmibt_is_stuck(brief));
	json_key(j, "condition");
	if (cpu->condition)
		json_number(j, cpu->condition - 1);
	else
		json_null(j);
	json_key(j, "asked");
	write_asked(j, cpu);
	json_key(j, "why");
	json_text(j, *cpu->why ? cpu->why : NULL);
}

struct nmibt_error *json_cpu(struct renderer *r, const struct nmibt_cpu *cpu)
{
	struct json *j = (struct json *)r;

	json_break(j);
	json_open(j, '{');
	json_key(j, "cpu");
	json_int(j, cpu->cpu);
	write_verdict(j, cpu);
	json_key(j, "stack");
	json_stack(j, nmibt_shown(cpu));
	json_key(j, "stack_hash");
	if (cpu->stack_hash)
		json_hex(j, cpu->stack_hash);
	else
		json_null(j);
	json_evidence(j, &cpu->standing);
	json_key(j, "registers");
	json_open(j, '{');
	json_key(j, "backtrace");
	write_registers(j, cpu, &cpu->standing.regs, nmibt_regs_when(&cpu->slot));
	json_key(j, "stop");
	write_registers(j, cpu, &cpu->stop.regs, nmibt_stop_when(cpu));
	json_close(j, '}');
	json_key(j, "note");
	json_word(j, nmibt_note_name(cpu->stop.note));
	json_key(j, "absence");
	write_absence(j, cpu);
	json_key(j, "slot");
	write_slot(j, cpu);
	json_close(j, '}');
	return ferror(r->out) ? nmibt_error_create(NMIBT_ERR_UNUSABLE, "can't write the document")
			      : NULL;
}
