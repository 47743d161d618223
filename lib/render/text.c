// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report as text for people: a summary, then CPU by CPU. What comes out of
 * the dump is escaped, and every remark of ours stands in square brackets at
 * the left edge or behind a label, where text of the dump, which is indented,
 * can't stand.
 */
#include <inttypes.h>

#include "render/render.h"

void nmibt_paint(struct renderer *r, enum colour colour)
{
	static const char *const codes[] = {"\033[1m", "\033[31m", "\033[33m", "\033[2m"};

	if (r->options->colour)
		fputs(codes[colour], r->out);
}

void nmibt_unpaint(struct renderer *r)
{
	if (r->options->colour)
		fputs("\033[0m", r->out);
}

/* Of the log there is no moment of asking; that of the panic is what people go by. */
static void format_before_panic(const struct nmibt_report *report, uint64_t ns, char *buf,
				size_t len)
{
	uint64_t panic_ns = report->stock->blocks->panic_ns;
	const char *when = ns > panic_ns ? "after" : "before";
	uint64_t diff = ns > panic_ns ? ns - panic_ns : panic_ns - ns;

	if (panic_ns && diff)
		snprintf(buf, len, "%.3f s %s the panic", diff / 1e9, when);
	else if (!panic_ns)
		snprintf(buf, len, "at %.3f s", ns / 1e9);
}

void nmibt_format_since(const struct renderer *r, uint64_t ns, char *buf, size_t len)
{
	uint64_t asked = r->report->capture.desc.asked_ns;
	int64_t diff = ns - asked;

	*buf = '\0';
	if (asked && ns)
		snprintf(buf, len, "%+.2f ms", diff / 1e6);
	else if (ns)
		format_before_panic(r->report, ns, buf, len);
}

/* ------------------------------------------------------------- one CPU: head */

void nmibt_render_task(struct renderer *r, int32_t pid, const char comm[NMI_CAPTURE_COMM_LEN])
{
	fprintf(r->out, "  PID %d \"", pid);
	nmibt_escape(r->out, comm, strnlen(comm, NMI_CAPTURE_COMM_LEN), false);
	putc('"', r->out);
}

/* Where the text is from, of other sources than the capture. */
static void render_source_name(struct renderer *r, const struct nmibt_cpu *cpu)
{
	switch (cpu->source) {
	case NMIBT_SOURCE_LOG:
		fputs("  from the log", r->out);
		break;
	case NMIBT_SOURCE_LEGACY:
		fprintf(r->out, "  from %s", cpu->buffer);
		break;
	case NMIBT_SOURCE_REGISTERS:
		fputs(cpu->is_unwound ? "  unwound by nmibt" : "  from its crash note", r->out);
		break;
	default:
		break;
	}
}

static void render_completeness(struct renderer *r, const struct nmibt_cpu *cpu)
{
	size_t lines = cpu->text.nr_lines;
	const char *how = cpu->source <= NMIBT_SOURCE_SCAN ? "complete, " : "";

	if (cpu->is_unwound) {
		fprintf(r->out, ", %zu frame%s", cpu->stack.nr, nmibt_plural(cpu->stack.nr));
		return;
	}
	if (cpu->outcome == NMIBT_OUTCOME_DAMAGED)
		how = "";
	else if (cpu->is_headless)
		how = "its beginning is gone, ";
	else if (cpu->slot.lost_bytes || cpu->slot.lost_msgs || cpu->lost_msgs)
		how = "cut, ";
	else if (cpu->text.unread)
		how = "with gaps, ";
	else if (cpu->slot.state == NMI_CAPTURE_SLOT_BEGUN)
		how = "unfinished, ";
	else if (cpu->text.raw_len > cpu->text.published)
		how = "with a torn tail, ";
	fprintf(r->out, "%s%s%zu line%s, %zu bytes", cpu->source <= NMIBT_SOURCE_SCAN ? "  " : ", ",
		how, lines, nmibt_plural(lines), cpu->text.published);
}

static void render_head(struct renderer *r, const struct nmibt_cpu *cpu)
{
	char since[32];

	nmibt_paint(r, BOLD);
	fprintf(r->out, "CPU %u  %s%s", cpu->cpu, cpu->stale ? "stale " : "",
		nmibt_outcome_name(cpu->outcome));
	nmibt_unpaint(r);
	nmibt_format_since(r, cpu->begun_ns, since, sizeof(since));
	fprintf(r->out, "%s%s", *since ? " " : "", since);
	if (cpu->has_task)
		nmibt_render_task(r, cpu->pid, cpu->comm);
	else if (cpu->source == NMIBT_SOURCE_REGISTERS)
		fprintf(r->out, "  PID %d", cpu->note_pid);
	if (cpu->has_task || cpu->source != NMIBT_SOURCE_AUTO) {
		if (cpu->flags & NMI_CAPTURE_SLOT_F_IDLE)
			fputs(" idle", r->out);
		if (cpu->flags & NMI_CAPTURE_SLOT_F_USER)
			fputs(" in user mode", r->out);
		if (cpu->flags & NMI_CAPTURE_SLOT_F_LATE)
			fputs(" late", r->out);
		render_source_name(r, cpu);
		if (cpu->text.raw || cpu->is_unwound)
			render_completeness(r, cpu);
	}
	if (cpu->moved == NMIBT_MOVED_SAME) {
		nmibt_paint(r, YELLOW);
		fputs("  same place", r->out);
		nmibt_unpaint(r);
	}
	putc('\n', r->out);
}

const char *nmibt_note_words(enum nmibt_note note)
{
	switch (note) {
	case NMIBT_NOTE_PRESENT:
		return "its crash note shows that it stopped";
	case NMIBT_NOTE_NONE:
		return "no crash note: it never stopped";
	case NMIBT_NOTE_EXCLUDED:
		return "its crash note is not in the dump";
	case NMIBT_NOTE_DAMAGED:
		return "its crash note can't be read";
	case NMIBT_NOTE_UNKNOWN:
		break;
	}
	return "where its crash note is, the capture doesn't say";
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

/* Of a CPU that no capture tells of. */
static void render_stock_remarks(struct renderer *r, const struct nmibt_cpu *cpu)
{
	char asked[48];

	if (cpu->asked_ns) {
		nmibt_format_since(r, cpu->asked_ns, asked, sizeof(asked));
		fprintf(r->out, "[asked for its backtrace %s, and the log has no answer]\n", asked);
	}
	if (cpu->outcome == NMIBT_OUTCOME_NONE && !cpu->stale)
		fputs("[neither text nor registers]\n", r->out);
	if (cpu->note == NMIBT_NOTE_EXCLUDED || cpu->note == NMIBT_NOTE_DAMAGED ||
	    (cpu->note == NMIBT_NOTE_NONE && r->report->stock->has_kdumped))
		fprintf(r->out, "[%s]\n", nmibt_note_words(cpu->note));
}

/* What a CPU without a whole trace has instead. */
static void render_remarks(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;
	char asked[32], silent[64];

	if (*cpu->why) {
		nmibt_paint(r, RED);
		fprintf(r->out, "[%s]\n", cpu->why);
		nmibt_unpaint(r);
	}
	if (cpu->lost_msgs)
		fprintf(r->out, "[of %u message%s nothing is left]\n", cpu->lost_msgs,
			nmibt_plural(cpu->lost_msgs));
	if (!r->report->has_capture) {
		render_stock_remarks(r, cpu);
		return;
	}
	if (!cpu->slot_present) {
		if (cpu->outcome == NMIBT_OUTCOME_NONE)
			fputs("[no slot: there was no memory for it]\n", r->out);
		return;
	}
	switch (slot->state) {
	case NMI_CAPTURE_SLOT_EMPTY:
		fprintf(r->out, "[%s]\n",
			slot->flags & NMI_CAPTURE_SLOT_F_OFFLINE ? "it was offline when asked"
								 : "nothing was asked of it");
		break;
	case NMI_CAPTURE_SLOT_ASKED:
		nmibt_format_since(r, slot->asked_ns, asked, sizeof(asked));
		nmibt_format_no_answer(&r->report->capture.desc, silent, sizeof(silent));
		fprintf(r->out, "[asked%s%s, %s; %s]\n", *asked ? " at " : "", asked, silent,
			nmibt_note_words(cpu->note));
		break;
	case NMI_CAPTURE_SLOT_BEGUN:
		fprintf(r->out, "[it began %s and did not finish%s]\n", how_words(slot->how),
			slot->flags & NMI_CAPTURE_SLOT_F_FAULTED ? ": a fault broke it off" : "");
		break;
	}
	if (slot->lost_bytes || slot->lost_msgs)
		fprintf(r->out, "[%u byte%s did not fit", slot->lost_bytes,
			nmibt_plural(slot->lost_bytes));
	if (slot->lost_msgs)
		fprintf(r->out, "; of %u message%s nothing is left", slot->lost_msgs,
			nmibt_plural(slot->lost_msgs));
	if (slot->lost_bytes || slot->lost_msgs)
		fputs("]\n", r->out);
	if (slot->begin_again)
		fprintf(r->out, "[%u more attempt%s to capture it meanwhile, refused]\n",
			slot->begin_again, nmibt_plural(slot->begin_again));
}

static void render_header_fields(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *s = &cpu->slot;

	fprintf(r->out,
		"  slot        %#" PRIx64 "  state %u  how %u  flags %#x  generation %u\n"
		"  text        %u of %u bytes at +%u\n"
		"  nested      %u of %u bytes at +%u\n"
		"  lost        %u messages, %u bytes  begin again %u\n"
		"  asked       %" PRIu64 " ns\n"
		"  begun       %" PRIu64 " ns\n"
		"  done        %" PRIu64 " ns\n"
		"  crash note  %#" PRIx64 ", %u bytes: %s\n",
		cpu->slot_paddr, s->state, s->how, s->flags, s->generation, s->text_len,
		s->text_size, s->text_off, s->nested_len, s->nested_size, s->nested_off,
		s->lost_msgs, s->lost_bytes, s->begin_again, s->asked_ns, s->begun_ns, s->done_ns,
		s->note_paddr, s->note_size, nmibt_note_words(cpu->note));
}

static void render_log_fields(struct renderer *r, const struct nmibt_cpu *cpu)
{
	fprintf(r->out,
		"  records     %" PRIu64 " to %" PRIu64 "\n"
		"  begun       %" PRIu64 " ns\n"
		"  ended       %" PRIu64 " ns\n",
		cpu->first_seq, cpu->last_seq, cpu->begun_ns, cpu->ended_ns);
}

/* ------------------------------------------------------------- one CPU: text */

static const struct nmibt_frame *frame_of_line(const struct nmibt_cpu *cpu, size_t line)
{
	for (size_t i = 0; i < cpu->stack.nr; i++) {
		if (cpu->stack.frames[i].line == line)
			return &cpu->stack.frames[i];
	}
	return NULL;
}

static void render_place(void *arg, const struct nmibt_place *place)
{
	struct renderer *r = arg;

	fputs("        ", r->out);
	nmibt_escape(r->out, place->where, strlen(place->where), false);
	if (place->function) {
		fputs(" (inlined ", r->out);
		nmibt_escape(r->out, place->function, strlen(place->function), false);
		putc(')', r->out);
	}
	putc('\n', r->out);
}

void nmibt_render_source(struct renderer *r, const struct nmibt_frame *frame)
{
	nmibt_find_places(r, frame, render_place, r);
}

static void render_line(struct renderer *r, const struct nmibt_line *line)
{
	if (line->gap)
		fprintf(r->out, "[%zu byte%s can't be read]\n", line->gap, nmibt_plural(line->gap));
	if (!line->len && line->flags & NMIBT_LINE_MISSING && line->flags & NMIBT_LINE_PARTIAL)
		return;
	fputs("    ", r->out);
	nmibt_escape(r->out, line->text, line->torn_at, true);
	if (line->torn_at < line->len) {
		/* Shown where it starts, because it may be half of the truth. */
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

static void render_lines(struct renderer *r, const struct nmibt_cpu *cpu,
			 const struct nmibt_text *text)
{
	bool with_source = r->options->lines && text == &cpu->text;

	for (size_t i = 0; i < text->nr_lines; i++) {
		render_line(r, &text->lines[i]);
		const struct nmibt_frame *frame = with_source ? frame_of_line(cpu, i) : NULL;
		if (frame)
			nmibt_render_source(r, frame);
	}
}

static bool was_read(const struct nmibt_text *text, size_t at)
{
	return !text->known || text->known[at];
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
	} while (end < text->raw_len && end != text->published && was_read(text, end) == known);
	return end - start;
}

static void render_raw(struct renderer *r, const struct nmibt_text *text)
{
	for (size_t at = 0, len; at < text->raw_len; at += len) {
		len = raw_run(text, at);
		if (at == text->published)
			fputs("[the published end]\n", r->out);
		if (!was_read(text, at)) {
			fprintf(r->out, "[%zu byte%s can't be read]\n", len, nmibt_plural(len));
			continue;
		}
		fputs("    ", r->out);
		nmibt_escape_raw(r->out, text->raw + at, len);
		putc('\n', r->out);
	}
}

static void render_text(struct renderer *r, const struct nmibt_cpu *cpu,
			const struct nmibt_text *text)
{
	if (r->options->raw)
		render_raw(r, text);
	else
		render_lines(r, cpu, text);
	if (text->excluded)
		fprintf(r->out, "[%zu bytes of this are in pages that the dump left out]\n",
			text->excluded);
}

/* ------------------------------------------- one CPU: what nmibt itself unwound */

/* As the kernel prints it, but for the function's size. */
static void render_frame(struct renderer *r, const struct nmibt_frame *f)
{
	fprintf(r->out, "     %s", f->reliable ? "" : "? ");
	if (f->function.len) {
		nmibt_escape(r->out, f->function.s, f->function.len, false);
		fprintf(r->out, "+0x%" PRIx64, f->offset);
	} else {
		fprintf(r->out, "0x%016" PRIx64, f->addr);
	}
	if (f->module.len) {
		fputs(" [", r->out);
		nmibt_escape(r->out, f->module.s, f->module.len, false);
		putc(']', r->out);
	}
	putc('\n', r->out);
	if (r->options->lines)
		nmibt_render_source(r, f);
}

/* Why there are no more frames, where there ought to be some. */
static void render_stack_end(struct renderer *r, const struct nmibt_stack *stack)
{
	switch (stack->end) {
	case NMIBT_END_UNREADABLE:
	case NMIBT_END_EXCLUDED:
		fprintf(r->out, "[its callers are not known: memory at %#" PRIx64 " is %s]\n",
			stack->end_addr,
			nmibt_read_name(stack->end == NMIBT_END_EXCLUDED ? NMIBT_READ_EXCLUDED
									 : NMIBT_READ_ERROR));
		break;
	case NMIBT_END_NO_UNWIND_DATA:
		fprintf(r->out,
			"[its callers are not known: no unwind data for the code at %#" PRIx64
			"]\n",
			stack->end_addr);
		break;
	case NMIBT_END_NONSENSE:
		fprintf(r->out,
			"[its callers are not known: what is at %#" PRIx64
			" leads to no code that is known]\n",
			stack->end_addr);
		break;
	case NMIBT_END_LIMIT:
		fputs("[there may be more frames: no more are looked for]\n", r->out);
		break;
	default:
		break;
	}
}

static void render_stack(struct renderer *r, const struct nmibt_stack *stack)
{
	for (size_t i = 0; i < stack->nr; i++)
		render_frame(r, &stack->frames[i]);
	render_stack_end(r, stack);
}

/* --------------------------------------------------------------------- all */

void nmibt_render_lines_missing(struct renderer *r)
{
	if (r->lines_missing)
		fputs("\n[-l: some frames have no file and line here]\n", r->out);
}

static struct nmibt_error *render_cpu(struct renderer *r, const struct nmibt_cpu *cpu)
{
	putc('\n', r->out);
	render_head(r, cpu);
	if (r->options->header && cpu->slot_present)
		render_header_fields(r, cpu);
	if (r->options->header && cpu->source == NMIBT_SOURCE_LOG && cpu->text.raw)
		render_log_fields(r, cpu);
	if (cpu->is_unwound)
		render_stack(r, &cpu->stack);
	else
		render_text(r, cpu, &cpu->text);
	if (cpu->nested.nr_lines) {
		fputs("[printed meanwhile, inside another message or by a fault:]\n", r->out);
		render_text(r, cpu, &cpu->nested);
	}
	render_remarks(r, cpu);
	if (cpu->slot_present || cpu->stop_regs.present)
		nmibt_render_registers(r, cpu);
	return NULL;
}

struct nmibt_error *nmibt_render_text(struct renderer *r)
{
	struct nmibt_error *err = nmibt_render_summary(r);

	if (!err && !r->options->summary_only)
		err = nmibt_each_cpu(r, render_cpu);
	if (!err)
		nmibt_render_lines_missing(r);
	return err;
}
