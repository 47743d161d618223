// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report as text for people: a summary, then CPU by CPU. Text from the dump is escaped and
 * indented. Every remark of nmibt is in square brackets at the left edge or behind a label, where
 * no text from the dump can be.
 */
#include "render/render.h"

/* ------------------------------------------------------------- one CPU: head */

/* Writes when the evidence was made, and by which step it stands. */
static void put_when(struct renderer *r, const struct nmibt_cpu *cpu)
{
	char age[96];

	/* A slot is shown even if it has too little to stand as evidence. */
	if (cpu->standing.has_slot && !cpu->is_stale) {
		nmibt_format_since(r->report, cpu->standing.begun_ns, age, sizeof(age));
		fprintf(r->out, "%s%s", *age ? " " : "", age);
		return;
	}
	if (cpu->step == NMIBT_STEP_REGISTERS || cpu->step == NMIBT_STEP_NOTHING)
		return;
	nmibt_format_age(r->report, cpu->age, age, sizeof(age));
	if (cpu->step == NMIBT_STEP_LAST_SEEN && !cpu->is_stale)
		fprintf(r->out, "  last seen %s", *age ? age : "at an unknown time");
	else if (*age)
		fprintf(r->out, " %s", age);
	else if (cpu->is_stale)
		fputs(" at an unknown time", r->out);
	if (cpu->step == NMIBT_STEP_CONFIRMED)
		fputs("  confirmed by its registers", r->out);
}

/* Writes the state of the CPU. Older evidence has no such flags. */
static void put_flags(struct renderer *r, const struct nmibt_cpu *cpu, bool has_task)
{
	bool has_irqs_off = !cpu->is_stale && nmibt_masks_interrupts(&r->report->cpus[cpu->cpu]);

	/* After the task one space separates them; without a task two. */
	if (!has_task && (cpu->is_idle || cpu->is_user || cpu->is_offline || has_irqs_off))
		putc(' ', r->out);
	if (cpu->is_idle)
		fputs(" idle", r->out);
	if (cpu->is_user)
		fputs(" in user mode", r->out);
	if (cpu->is_offline)
		fputs(" offline", r->out);
	if (has_irqs_off)
		fputs(" irqs off", r->out);
	/* After a hardware error nobody was asked, so that nobody is late. */
	if (cpu->standing.has_slot && !cpu->is_stale && cpu->slot.flags & NMI_CAPTURE_SLOT_F_LATE &&
	    !(r->report->sources->capture.desc.flags & NMI_CAPTURE_F_REGS_ONLY))
		fputs(" late", r->out);
}

static void put_source(struct renderer *r, const struct nmibt_cpu *cpu)
{
	if (cpu->step == NMIBT_STEP_REGISTERS) {
		fprintf(r->out, "  %sfrom %s", cpu->stop.stack.nr ? "unwound by nmibt " : "",
			nmibt_stop_origin(cpu));
		return;
	}
	switch (cpu->standing.source) {
	case NMIBT_SOURCE_LOG:
		fputs("  log", r->out);
		break;
	case NMIBT_SOURCE_NMI_BUFFERS:
		fprintf(r->out, "  %s", cpu->standing.buffer);
		break;
	default:
		break;
	}
}

static const char *wrong_words(const struct nmibt_evidence *evidence)
{
	if (evidence->wrong & NMIBT_WRONG_HEADLESS)
		return "its beginning is gone, ";
	if (evidence->wrong & NMIBT_WRONG_MIXED)
		return "mixed with another CPU's, ";
	if (evidence->text.unread || evidence->wrong & (NMIBT_WRONG_GAP | NMIBT_WRONG_EXCLUDED))
		return "with gaps, ";
	if (evidence->lost_bytes || evidence->lost_msgs)
		return "cut, ";
	if (evidence->has_slot && evidence->slot.state == NMI_CAPTURE_SLOT_BEGUN)
		return "unfinished, ";
	if (evidence->text.raw_len > evidence->text.published)
		return "with a torn tail, ";
	if (evidence->wrong & NMIBT_WRONG_CUT)
		return "its end is missing, ";
	return evidence->wrong & NMIBT_WRONG_TORN ? "unfinished, " : "";
}

static void put_size(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmibt_evidence *evidence = &cpu->standing;
	bool has_source = evidence->source == NMIBT_SOURCE_LOG ||
			  evidence->source == NMIBT_SOURCE_NMI_BUFFERS;

	if (nmibt_has_registers_only(evidence))
		fputs("  registers only", r->out);
	else if (evidence->text.raw)
		fprintf(r->out, "%s%s%zu bytes", has_source ? ", " : "  ", wrong_words(evidence),
			evidence->text.published);
}

static void put_moved(struct renderer *r, const struct nmibt_cpu *cpu)
{
	if (cpu->moved == NMIBT_MOVED_SAME) {
		nmibt_paint(r, YELLOW);
		fputs("  same place", r->out);
		nmibt_unpaint(r);
	} else if (cpu->moved == NMIBT_MOVED_YES && cpu->step == NMIBT_STEP_BELONGS &&
		   cpu->cpu != r->report->death.reporter) {
		fputs("  moved since", r->out);
	}
}

static void render_head(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmibt_evidence *shown = nmibt_shown(cpu);

	nmibt_begin_line(r);
	nmibt_paint(r, BOLD);
	fprintf(r->out, "CPU %u  %s%s", cpu->cpu, cpu->is_stale ? "older " : "",
		nmibt_outcome_name(cpu->outcome));
	nmibt_unpaint(r);
	put_when(r, cpu);
	const struct nmibt_task *task =
		cpu->standing.task.known ? &cpu->standing.task : &shown->task;
	nmibt_render_task(r, task);
	put_flags(r, cpu, task->known);
	put_moved(r, cpu);
	put_source(r, cpu);
	put_size(r, cpu);
	nmibt_end_line(r, 7, "  ");
}

static const char *how_words(uint32_t how)
{
	switch (how) {
	case NMI_CAPTURE_BY_NMI:
		return "by NMI";
	case NMI_CAPTURE_BY_IRQ:
		return "by an ordinary interrupt";
	case NMI_CAPTURE_BY_SELF:
		return "by itself as it panicked";
	case NMI_CAPTURE_BY_STOP:
		return "when it was stopped";
	}
	return "in an unknown way";
}

/* ---------------------------------------------------------- one CPU: remarks */

static void remark(struct renderer *r, const char *text)
{
	if (text && *text)
		fprintf(r->out, "[%s]\n", text);
}

/* A CPU that was asked and did not answer. After a hardware error nobody was asked, whatever the
 * slot says. */
static void render_asked(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmi_capture_desc *desc = &r->report->sources->capture.desc;
	char asked[32], silent[64];

	/* How long it was waited for then is not known. */
	if (cpu->is_stale) {
		remark(r, "it was asked, and has not answered");
		return;
	}
	if (desc->flags & NMI_CAPTURE_F_REGS_ONLY)
		return;
	nmibt_format_since(r->report, cpu->slot.asked_ns, asked, sizeof(asked));
	nmibt_format_no_answer(desc, silent, sizeof(silent));
	fprintf(r->out, "[asked%s%s, %s%s]\n", *asked ? " at " : "", asked, silent,
		cpu->stop.note == NMIBT_NOTE_PRESENT ? "; its crash note shows that it stopped"
						     : "");
}

/* Writes what became of a CPU that the capture asked. */
static void render_slot_remarks(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;

	switch (slot->state) {
	case NMI_CAPTURE_SLOT_EMPTY:
		if (slot->asked_flags & NMI_CAPTURE_ASKED_F_OFFLINE)
			remark(r, "it was offline when asked");
		break;
	case NMI_CAPTURE_SLOT_ASKED:
		render_asked(r, cpu);
		break;
	case NMI_CAPTURE_SLOT_BEGUN:
		fprintf(r->out, "[it began %s and did not finish%s]\n", how_words(slot->how),
			slot->flags & NMI_CAPTURE_SLOT_F_FAULTED ? ": a fault broke it off" : "");
		break;
	default:
		if (slot->flags & NMI_CAPTURE_SLOT_F_FAULTED)
			remark(r, "a fault broke it off");
		break;
	}
	if (slot->flags & NMI_CAPTURE_SLOT_F_REGS_ONLY)
		remark(r, "a hardware error forbade its backtrace");
	if (slot->begin_again)
		fprintf(r->out, "[%u more attempt%s to capture it meanwhile, refused]\n",
			slot->begin_again, nmibt_plural(slot->begin_again));
}

static void render_loss(struct renderer *r, const struct nmibt_evidence *evidence)
{
	if (evidence->lost_bytes)
		fprintf(r->out, "[%" PRIu64 " byte%s did not fit]\n", evidence->lost_bytes,
			nmibt_plural(evidence->lost_bytes));
	if (evidence->lost_msgs)
		fprintf(r->out, "[of %" PRIu64 " message%s nothing is left]\n", evidence->lost_msgs,
			nmibt_plural(evidence->lost_msgs));
}

/* Without a capture: writes which CPU asked this one in vain. */
static void render_silence(struct renderer *r, const struct nmibt_cpu *cpu)
{
	char when[96];

	if (cpu->has_slot || cpu->outcome != NMIBT_OUTCOME_SILENT)
		return;
	nmibt_format_age(r->report,
			 nmibt_age_of(r->report, NMIBT_CLOCK_LOG, cpu->asked_ns, cpu->asked_seq),
			 when, sizeof(when));
	fputc('[', r->out);
	if (cpu->asked_by != NMIBT_NO_CPU)
		fprintf(r->out, "CPU %u asked for its backtrace", cpu->asked_by);
	else
		fputs("it was asked for its backtrace", r->out);
	fprintf(r->out, "%s%s, and the log has no answer]\n", *when ? " " : "", when);
}

static void render_remarks(struct renderer *r, const struct nmibt_cpu *cpu)
{
	char note[160];

	if (*cpu->why) {
		nmibt_paint(r, RED);
		remark(r, cpu->why);
		nmibt_unpaint(r);
	}
	render_loss(r, &cpu->standing);
	if (cpu->has_slot)
		render_slot_remarks(r, cpu);
	render_silence(r, cpu);
	if (cpu->is_stale)
		return;
	nmibt_format_note(r->report, cpu, note, sizeof(note));
	remark(r, note);
}

static void render_header_fields(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *s = &cpu->slot;

	fprintf(r->out,
		"  slot        %#" PRIx64 "  state %u  how %u  flags %#x  generation %u\n"
		"  text        %u of %u bytes at +%u\n"
		"  nested      %u of %u bytes at +%u\n"
		"  lost        %u messages, %u bytes  begin again %u\n"
		"  asked       %" PRIu64 " ns  generation %u  flags %#x\n"
		"  begun       %" PRIu64 " ns\n"
		"  done        %" PRIu64 " ns\n"
		"  crash note  %#" PRIx64 ", %u bytes: %s\n",
		cpu->slot_paddr, s->state, s->how, s->flags, s->generation, s->text_len,
		s->text_size, s->text_off, s->nested_len, s->nested_size, s->nested_off,
		s->lost_msgs, s->lost_bytes, s->begin_again, s->asked_ns, s->asked_generation,
		s->asked_flags, s->begun_ns, s->done_ns, s->note_paddr, s->note_size,
		nmibt_note_name(cpu->stop.note));
}

static void render_log_fields(struct renderer *r, const struct nmibt_evidence *evidence)
{
	fprintf(r->out,
		"  records     %" PRIu64 " to %" PRIu64 "\n"
		"  begun       %" PRIu64 " ns\n"
		"  ended       %" PRIu64 " ns\n",
		evidence->first_seq, evidence->last_seq, evidence->begun_ns, evidence->ended_ns);
}

/* ------------------------------------------------------------- one CPU: text */

static void render_place(void *arg, const char *function, const char *where)
{
	struct renderer *r = arg;

	fputs("        ", r->out);
	nmibt_escape(r->out, where, strlen(where), false);
	if (function) {
		fputs(" (inlined ", r->out);
		nmibt_escape(r->out, function, strlen(function), false);
		putc(')', r->out);
	}
	putc('\n', r->out);
}

void nmibt_render_source(struct renderer *r, const struct nmibt_frame *frame)
{
	nmibt_find_places(r, frame, render_place, r);
}

static void render_lost(struct renderer *r, const struct nmibt_evidence *evidence, bool is_lost)
{
	if (is_lost)
		fprintf(r->out, "[%s missing here]\n",
			evidence->lost_msgs ? "records of the log are" : "lines may be");
}

static void render_gap(struct renderer *r, size_t gap)
{
	if (gap)
		fprintf(r->out, "[%zu byte%s can't be read]\n", gap, nmibt_plural(gap));
}

/* Does the line stand only for what is missing at the end of the text? */
static bool is_only_gap(const struct nmibt_line *line)
{
	return !line->len && line->flags & (NMIBT_LINE_MISSING | NMIBT_LINE_LOST) &&
	       line->flags & NMIBT_LINE_PARTIAL;
}

static void render_line(struct renderer *r, const struct nmibt_evidence *evidence,
			const struct nmibt_line *line)
{
	render_lost(r, evidence, line->flags & NMIBT_LINE_LOST);
	render_gap(r, line->gap);
	if (is_only_gap(line))
		return;
	fputs("    ", r->out);
	nmibt_escape(r->out, line->text, line->torn_at, true);
	if (line->torn_at < line->len) {
		/* The beginning of the torn part is marked, because that part may be incomplete. */
		fputs("[torn:]", r->out);
		nmibt_escape(r->out, line->text + line->torn_at, line->len - line->torn_at, true);
	}
	putc('\n', r->out);
	if (line->flags & NMIBT_LINE_TORN)
		fprintf(r->out, "[recovered: %zu byte%s of this line beyond the published end]\n",
			line->len - line->torn_at, nmibt_plural(line->len - line->torn_at));
	if (line->flags & NMIBT_LINE_LONE_HEADER)
		fputs("[a level header with nothing behind it]\n", r->out);
	if (line->flags & NMIBT_LINE_CUT)
		fputs("[cut: the rest did not fit]\n", r->out);
	else if (line->flags & NMIBT_LINE_PARTIAL && !(line->flags & NMIBT_LINE_LONE_HEADER))
		fputs("[partial: no newline ended this line]\n", r->out);
}

void nmibt_render_lines(struct renderer *r, const struct nmibt_evidence *evidence,
			const struct nmibt_text *text, const struct nmibt_stack *stack)
{
	size_t next = 0;

	for (size_t i = 0; i < text->nr_lines; i++) {
		render_line(r, evidence, &text->lines[i]);
		if (!stack)
			continue;
		for (; next < stack->nr && stack->frames[next].line <= i; next++) {
			if (stack->frames[next].line == i)
				nmibt_render_source(r, &stack->frames[next]);
		}
	}
}

static bool was_read(const struct nmibt_text *text, size_t at)
{
	return !text->known || text->known[at];
}

static bool is_lost_before(const struct nmibt_text *text, size_t at)
{
	return text->lost && text->lost[at];
}

/* Length of what goes into one line: bytes that could not be read, or bytes up
 * to a newline or the published end. */
static size_t raw_run(const struct nmibt_text *text, size_t start)
{
	bool known = was_read(text, start);
	size_t end = start;

	do {
		if (known && text->raw[end] == '\n')
			return end + 1 - start;
		end++;
	} while (end < text->raw_len && end != text->published && was_read(text, end) == known &&
		 !is_lost_before(text, end));
	return end - start;
}

static void render_raw(struct renderer *r, const struct nmibt_evidence *evidence,
		       const struct nmibt_text *text)
{
	for (size_t at = 0, len; at < text->raw_len; at += len) {
		len = raw_run(text, at);
		if (at == text->published)
			fputs("[the published end]\n", r->out);
		render_lost(r, evidence, is_lost_before(text, at));
		if (!was_read(text, at)) {
			render_gap(r, len);
			continue;
		}
		fputs("    ", r->out);
		nmibt_escape_raw(r->out, text->raw + at, len);
		putc('\n', r->out);
	}
	render_lost(r, evidence, is_lost_before(text, text->raw_len));
}

/* stack: the stack whose source lines -l shows; NULL: none. */
static void render_text(struct renderer *r, const struct nmibt_evidence *evidence,
			const struct nmibt_text *text, const struct nmibt_stack *stack)
{
	if (r->options->raw)
		render_raw(r, evidence, text);
	else
		nmibt_render_lines(r, evidence, text, r->options->lines ? stack : NULL);
	if (text->excluded)
		fprintf(r->out,
			nmibt_image_is_record(r->report->kernel->image)
				? "[%zu bytes of this are not in the record]\n"
				: "[%zu bytes of this are in pages that the dump left out]\n",
			text->excluded);
}

/* ------------------------------------------------------ one CPU: unwound frames */

void nmibt_render_frames(struct renderer *r, const struct nmibt_stack *stack)
{
	enum nmibt_stack_kind kind = NMIBT_STACK_TASK;
	char why[128];

	for (size_t i = 0; i < stack->nr; i++) {
		const struct nmibt_frame *frame = &stack->frames[i];

		if (frame->kind != kind && kind != NMIBT_STACK_TASK)
			fprintf(r->out, "     </%s>\n", nmibt_stack_kind_name(kind));
		if (frame->kind != kind && frame->kind != NMIBT_STACK_TASK)
			fprintf(r->out, "     <%s>\n", nmibt_stack_kind_name(frame->kind));
		kind = frame->kind;
		fprintf(r->out, "     %s", frame->reliable ? "" : "? ");
		nmibt_render_frame(r, frame, true);
		fputs(nmibt_is_hit(stack, i) ? "  [interrupted here]\n" : "\n", r->out);
		if (r->options->lines)
			nmibt_render_source(r, frame);
	}
	nmibt_format_end(stack, why, sizeof(why));
	if (*why)
		fprintf(r->out, "[unwinding ended: %s]\n", why);
}

static void render_unwound(struct renderer *r, const struct nmibt_cpu *cpu)
{
	if (cpu->is_partial_filled || cpu->standing.text.nr_lines)
		fprintf(r->out,
			cpu->stop.stack.nr ? "[its stack %s, unwound by nmibt from %s:]\n"
					   : "[its stack is not known, its registers %s are]\n",
			nmibt_stop_when(cpu), nmibt_stop_origin(cpu));
	nmibt_render_frames(r, &cpu->stop.stack);
}

/* There is no crash note. */
static void render_followed(struct renderer *r, const struct nmibt_stack *stack)
{
	fputs("[its stack, unwound by nmibt from the registers in its slot:]\n", r->out);
	nmibt_render_frames(r, stack);
}

/* --------------------------------------------------------------------- all */

void nmibt_render_lines_missing(struct renderer *r)
{
	if (r->lines_missing)
		fputs("\n[-l: some frames have no file and line here]\n", r->out);
}

static void render_header(struct renderer *r, const struct nmibt_cpu *cpu)
{
	if (cpu->has_slot)
		render_header_fields(r, cpu);
	if (cpu->standing.source == NMIBT_SOURCE_LOG && cpu->standing.text.raw)
		render_log_fields(r, &cpu->standing);
}

static struct nmibt_error *render_cpu(struct renderer *r, const struct nmibt_cpu *cpu)
{
	putc('\n', r->out);
	render_head(r, cpu);
	if (r->options->header)
		render_header(r, cpu);
	if (cpu->step == NMIBT_STEP_LAST_SEEN && !cpu->is_stale)
		fputs("[this is what it was at then; where it was in the end is not known]\n",
		      r->out);
	render_text(r, &cpu->standing, &cpu->standing.text, &cpu->standing.stack);
	if (cpu->standing.nested.nr_lines) {
		fputs("[printed meanwhile, inside another message or by a fault:]\n", r->out);
		render_text(r, &cpu->standing, &cpu->standing.nested, NULL);
	}
	if (cpu->step == NMIBT_STEP_REGISTERS || cpu->is_partial_filled)
		render_unwound(r, cpu);
	else if (nmibt_is_unwound(&cpu->standing) && cpu->standing.stack.nr)
		render_followed(r, &cpu->standing.stack);
	render_remarks(r, cpu);
	nmibt_render_registers(r, cpu);
	return NULL;
}

/* Writes a task that ran on no CPU, below the death that is about it. */
static struct nmibt_error *render_task(struct renderer *r, const struct nmibt_evidence *evidence)
{
	char when[96];

	putc('\n', r->out);
	nmibt_begin_line(r);
	nmibt_paint(r, BOLD);
	fputs("task", r->out);
	nmibt_unpaint(r);
	nmibt_render_task(r, &evidence->task);
	nmibt_format_age(
		r->report,
		nmibt_age_of(r->report, evidence->clock, evidence->begun_ns, evidence->first_seq),
		when, sizeof(when));
	fprintf(r->out, "%s%s  log, %s%zu bytes", *when ? "  " : "", when, wrong_words(evidence),
		evidence->text.published);
	nmibt_end_line(r, 7, "  ");
	if (r->options->header)
		render_log_fields(r, evidence);
	render_text(r, evidence, &evidence->text, &evidence->stack);
	return NULL;
}

struct nmibt_error *nmibt_render_text(struct renderer *r)
{
	struct nmibt_error *err = nmibt_render_summary(r);

	/* If the user asks for certain CPUs, tasks without a CPU are not shown. */
	if (!err && !r->options->summary_only && !r->options->cpus)
		err = nmibt_each_task(r, render_task);
	if (!err && !r->options->summary_only)
		err = nmibt_each_cpu(r, render_cpu);
	if (!err)
		nmibt_render_lines_missing(r);
	return err;
}
