// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report as text for people: a summary, then CPU by CPU. What comes out of
 * the dump is escaped, and every remark of ours stands in square brackets at
 * the left edge or behind a label, where text of the dump, which is indented,
 * can't stand.
 */
#include <inttypes.h>

#include "internal.h"

struct renderer {
	const struct nmibt_report *report;
	const struct nmibt_render_options *options;
	FILE *out;
	unsigned int width;
	bool lines_missing; /* -l found no source line */
};

enum colour { BOLD, RED, YELLOW, DIM };

static void paint(struct renderer *r, enum colour colour)
{
	static const char *const codes[] = {"\033[1m", "\033[31m", "\033[33m", "\033[2m"};

	if (r->options->colour)
		fputs(codes[colour], r->out);
}

static void unpaint(struct renderer *r)
{
	if (r->options->colour)
		fputs("\033[0m", r->out);
}

static void label(struct renderer *r, const char *name)
{
	paint(r, BOLD);
	fprintf(r->out, "%-11s", name);
	unpaint(r);
	putc(' ', r->out);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* ----------------------------------------------------------- lists of CPUs */

typedef bool (*cpu_test)(const struct nmibt_cpu_brief *brief, uint64_t arg);

/* "CPU 3" or "CPUs 0-2,7"; returns how many. Prints nothing when out is NULL. */
static unsigned int print_cpus(const struct nmibt_report *report, FILE *out, cpu_test test,
			       uint64_t arg)
{
	unsigned int nr = report->capture.desc.nr_slots, count = 0, runs = 0;

	for (unsigned int i = 0; i < nr; i++)
		count += report->possible[i] && test(&report->cpus[i], arg);
	if (!count || !out)
		return count;
	fputs(count == 1 ? "CPU " : "CPUs ", out);
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int first = i;
		while (i < nr && report->possible[i] && test(&report->cpus[i], arg))
			i++;
		if (i == first)
			continue;
		fprintf(out, "%s%u", runs++ ? "," : "", first);
		if (i - first > 1)
			fprintf(out, "-%u", i - 1);
	}
	return count;
}

static bool is_idle(const struct nmibt_cpu_brief *b)
{
	return b->slot_flags & NMI_CAPTURE_SLOT_F_IDLE;
}

static bool has_outcome(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	return !b->stale && b->outcome == arg;
}

static bool is_stuck(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	bool irqs_off = b->slot_flags & NMI_CAPTURE_SLOT_F_IRQS_OFF;

	return !b->stale && !is_idle(b) && b->moved == NMIBT_MOVED_SAME && irqs_off == arg;
}

static bool has_irqs_off(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && !is_idle(b) && b->moved != NMIBT_MOVED_SAME &&
	       b->outcome != NMIBT_OUTCOME_SELF && b->slot_flags & NMI_CAPTURE_SLOT_F_IRQS_OFF;
}

static bool has_stack(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	return !b->stale && b->stack_hash == arg;
}

static bool is_second_panic(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && b->outcome == NMIBT_OUTCOME_SELF;
}

static bool is_late(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && b->slot_flags & NMI_CAPTURE_SLOT_F_LATE;
}

static bool is_stale(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return b->stale;
}

static bool overflowed(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && b->lost_bytes;
}

static bool is_unread(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && b->unread;
}

/* ----------------------------------------------------------------- summary */

/* "+2.18 ms" from the request; empty when one of the times is missing. */
static void format_since(const struct renderer *r, uint64_t ns, char *buf, size_t len)
{
	uint64_t asked = r->report->capture.desc.asked_ns;
	int64_t diff = ns - asked;

	*buf = '\0';
	if (asked && ns)
		snprintf(buf, len, "%+.2f ms", diff / 1e6);
}

static void summary_counts(struct renderer *r)
{
	static const enum nmibt_outcome order[] = {
		NMIBT_OUTCOME_NMI,     NMIBT_OUTCOME_IRQ,      NMIBT_OUTCOME_SELF,
		NMIBT_OUTCOME_STOP,    NMIBT_OUTCOME_PARTIAL,  NMIBT_OUTCOME_SILENT,
		NMIBT_OUTCOME_OFFLINE, NMIBT_OUTCOME_EXCLUDED, NMIBT_OUTCOME_DAMAGED,
		NMIBT_OUTCOME_NONE,
	};
	const struct nmibt_report *report = r->report;
	const char *comma = "";

	paint(r, BOLD);
	fprintf(r->out, "%u CPU%s: ", report->nr_possible, plural(report->nr_possible));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (!report->by_outcome[order[i]])
			continue;
		fprintf(r->out, "%s%u %s", comma, report->by_outcome[order[i]],
			nmibt_outcome_name(order[i]));
		comma = ", ";
	}
	if (report->nr_stale)
		fprintf(r->out, "%s%u stale", comma, report->nr_stale);
	unpaint(r);
	putc('\n', r->out);
}

static void summary_request(struct renderer *r)
{
	const struct nmi_capture_desc *d = &r->report->capture.desc;
	char took[32];

	label(r, "capture");
	fprintf(r->out, "v%u by %s", d->version, nmibt_source_name(r->report->capture.source));
	if (!d->generation) {
		fputs(", no request was made\n", r->out);
		return;
	}
	if (d->panic_cpu != NMI_CAPTURE_NO_CPU)
		fprintf(r->out, ", asked by CPU %u", d->panic_cpu);
	fputs(d->flags & NMI_CAPTURE_F_CRASH_KEXEC ? " before kdump" : " in panic()", r->out);

	format_since(r, d->finished_ns, took, sizeof(took));
	const char *after = took[0] == '+' ? took + 1 : took;
	if (d->state == NMI_CAPTURE_COMPLETE)
		fprintf(r->out, ", all answered after %s", after);
	else if (d->state == NMI_CAPTURE_TIMEOUT)
		fprintf(r->out, ", gave up waiting after %s (limit %u ms)", after, d->timeout_ms);
	else
		fputs(", the wait did not end", r->out);
	if (d->flags & NMI_CAPTURE_F_REENTERED)
		fputs(", interrupted by a fault of its own", r->out);
	if (d->flags & NMI_CAPTURE_F_DRAINED)
		fputs(", also printed to the log", r->out);
	if (d->refused)
		fprintf(r->out, ", %u later request%s refused", d->refused, plural(d->refused));
	putc('\n', r->out);
}

static void summary_panic(struct renderer *r)
{
	const struct nmi_capture_desc *d = &r->report->capture.desc;
	const char *message = r->report->image->panic_message;

	if (d->panic_cpu == NMI_CAPTURE_NO_CPU && !message)
		return;
	label(r, "panicking");
	if (d->panic_cpu != NMI_CAPTURE_NO_CPU)
		fprintf(r->out, "CPU %u", d->panic_cpu);
	if (message) {
		fputs("  \"", r->out);
		nmibt_escape(r->out, message, strcspn(message, "\n"), false);
		putc('"', r->out);
	}
	putc('\n', r->out);
}

static void summary_list(struct renderer *r, const char *name, cpu_test test, uint64_t arg,
			 const char *what)
{
	if (!print_cpus(r->report, NULL, test, arg))
		return;
	label(r, name);
	print_cpus(r->report, r->out, test, arg);
	fprintf(r->out, "%s%s\n", *what ? "  " : "", what);
}

static int compare_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Stacks that more than one CPU has, in the order of their first CPU. */
static struct nmibt_error *summary_groups(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	unsigned int nr = report->capture.desc.nr_slots;
	size_t count = 0;
	_cleanup_free_ uint64_t *hashes = calloc(nr, sizeof(*hashes));

	if (!hashes)
		return nmibt_error_nomem();
	for (unsigned int i = 0; i < nr; i++) {
		if (report->possible[i] && !report->cpus[i].stale && report->cpus[i].stack_hash)
			hashes[count++] = report->cpus[i].stack_hash;
	}
	qsort(hashes, count, sizeof(*hashes), compare_hash);
	size_t shared = 0;
	for (size_t i = 0; i < count; i++) {
		bool first = i == 0 || hashes[i] != hashes[i - 1];
		if (first && i + 1 < count && hashes[i + 1] == hashes[i])
			hashes[shared++] = hashes[i];
	}
	for (unsigned int i = 0; i < nr && shared; i++) {
		uint64_t hash = report->cpus[i].stack_hash;
		uint64_t *at =
			hash ? bsearch(&hash, hashes, shared, sizeof(*hashes), compare_hash) : NULL;
		if (!at || report->cpus[i].stale)
			continue;
		summary_list(r, "same stack", has_stack, hash,
			     is_idle(&report->cpus[i]) ? "(idle)" : "");
		memmove(at, at + 1, (shared - (at - hashes) - 1) * sizeof(*hashes));
		shared--;
	}
	return NULL;
}

static void summary_loss(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	uint64_t lost = 0, unread = 0;

	for (unsigned int i = 0; i < report->capture.desc.nr_slots; i++) {
		if (report->cpus[i].stale)
			continue;
		lost += report->cpus[i].lost_bytes;
		unread += report->cpus[i].unread;
	}
	if (*report->capture.damage) {
		label(r, "damaged");
		fprintf(r->out, "%s\n", report->capture.damage);
	}
	if (report->capture.slots_unread) {
		label(r, "damaged");
		fprintf(r->out, "%u of %u entries of the table of slots can't be read\n",
			report->capture.slots_unread, report->capture.desc.nr_slots);
	}
	summary_list(r, "damaged", has_outcome, NMIBT_OUTCOME_DAMAGED, "slot fails its checks");
	if (lost) {
		label(r, "overflowed");
		print_cpus(report, r->out, overflowed, 0);
		fprintf(r->out, "  %" PRIu64 " byte%s did not fit the slots of %u\n", lost,
			plural(lost), report->capture.desc.slot_size);
	}
	if (unread) {
		label(r, "unreadable");
		print_cpus(report, r->out, is_unread, 0);
		fprintf(r->out, "  %" PRIu64 " byte%s of text\n", unread, plural(unread));
	}
}

static struct nmibt_error *render_summary(struct renderer *r)
{
	char silent[64];

	summary_counts(r);
	summary_request(r);
	summary_panic(r);
	if (print_cpus(r->report, NULL, is_second_panic, 0) > 1)
		summary_list(r, "also died", is_second_panic, 0,
			     "captured themselves: more than one CPU panicked");
	paint(r, RED);
	summary_list(r, "stuck", is_stuck, true, "interrupts off, same place at the stop");
	unpaint(r);
	summary_list(r, "same place", is_stuck, false, "at the NMI and at the stop");
	summary_list(r, "irqs off", has_irqs_off, 0, "interrupts off when hit");
	snprintf(silent, sizeof(silent), "no answer in %u ms", r->report->capture.desc.timeout_ms);
	summary_list(r, "silent", has_outcome, NMIBT_OUTCOME_SILENT, silent);
	summary_list(r, "partial", has_outcome, NMIBT_OUTCOME_PARTIAL, "began and did not finish");
	summary_list(r, "late", is_late, 0, "answered after the wait had ended");
	summary_list(r, "offline", has_outcome, NMIBT_OUTCOME_OFFLINE, "when asked");
	summary_list(r, "excluded", has_outcome, NMIBT_OUTCOME_EXCLUDED,
		     "slot is not in the dump; dump with a lower -d of makedumpfile");
	summary_list(r, "stale", is_stale, 0, "of an older request; -o shows it");
	struct nmibt_error *err = summary_groups(r);
	summary_loss(r);
	return err;
}

/* ------------------------------------------------------------- one CPU: head */

static void render_task(struct renderer *r, const struct nmi_capture_slot *slot)
{
	fprintf(r->out, "  PID %d \"", slot->pid);
	nmibt_escape(r->out, slot->comm, strnlen(slot->comm, sizeof(slot->comm)), false);
	putc('"', r->out);
}

static void render_completeness(struct renderer *r, const struct nmibt_cpu *cpu)
{
	size_t lines = cpu->text.nr_lines;
	const char *how = "complete";

	if (cpu->slot.lost_bytes || cpu->slot.lost_msgs)
		how = "cut";
	else if (cpu->text.unread)
		how = "with gaps";
	else if (cpu->slot.state == NMI_CAPTURE_SLOT_BEGUN)
		how = "unfinished";
	fprintf(r->out, "  %s, %zu line%s, %u bytes", how, lines, plural(lines),
		cpu->slot.text_len);
}

static void render_head(struct renderer *r, const struct nmibt_cpu *cpu)
{
	char since[32];
	bool written = cpu->slot_present && cpu->slot.state >= NMI_CAPTURE_SLOT_BEGUN;

	paint(r, BOLD);
	fprintf(r->out, "CPU %u  %s%s", cpu->cpu, cpu->stale ? "stale " : "",
		nmibt_outcome_name(cpu->outcome));
	unpaint(r);
	if (written) {
		format_since(r, cpu->slot.begun_ns, since, sizeof(since));
		fprintf(r->out, "%s%s", *since ? " " : "", since);
		render_task(r, &cpu->slot);
		if (cpu->slot.flags & NMI_CAPTURE_SLOT_F_IDLE)
			fputs(" idle", r->out);
		if (cpu->slot.flags & NMI_CAPTURE_SLOT_F_USER)
			fputs(" in user mode", r->out);
		if (cpu->slot.flags & NMI_CAPTURE_SLOT_F_LATE)
			fputs(" late", r->out);
		render_completeness(r, cpu);
	}
	if (cpu->moved == NMIBT_MOVED_SAME) {
		paint(r, YELLOW);
		fputs("  same place", r->out);
		unpaint(r);
	}
	putc('\n', r->out);
}

static const char *note_words(enum nmibt_note note)
{
	switch (note) {
	case NMIBT_NOTE_PRESENT:
		return "its crash note shows that it stopped";
	case NMIBT_NOTE_NONE:
		return "no crash note: it never stopped either";
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
		return "by itself, panicking";
	case NMI_CAPTURE_BY_STOP:
		return "when it was stopped";
	}
	return "in an unknown way";
}

/* What a CPU without a whole trace has instead. */
static void render_remarks(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;
	char asked[32];

	if (*cpu->why) {
		paint(r, RED);
		fprintf(r->out, "[%s]\n", cpu->why);
		unpaint(r);
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
		format_since(r, slot->asked_ns, asked, sizeof(asked));
		fprintf(r->out, "[asked%s%s, no answer in %u ms; %s]\n", *asked ? " at " : "",
			asked, r->report->capture.desc.timeout_ms, note_words(cpu->note));
		break;
	case NMI_CAPTURE_SLOT_BEGUN:
		fprintf(r->out, "[it began %s and did not finish%s]\n", how_words(slot->how),
			slot->flags & NMI_CAPTURE_SLOT_F_FAULTED ? ": a fault broke it off" : "");
		break;
	}
	if (slot->lost_bytes || slot->lost_msgs)
		fprintf(r->out, "[%u bytes did not fit; of %u message%s nothing is left]\n",
			slot->lost_bytes, slot->lost_msgs, plural(slot->lost_msgs));
	if (slot->begin_again)
		fprintf(r->out, "[%u more attempt%s to capture it meanwhile, refused]\n",
			slot->begin_again, plural(slot->begin_again));
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
		s->note_paddr, s->note_size, note_words(cpu->note));
}

/* ------------------------------------------------------------- one CPU: text */

static const struct nmibt_frame *frame_of_line(const struct nmibt_cpu *cpu, size_t line)
{
	for (size_t i = 0; i < cpu->nr_frames; i++) {
		if (cpu->frames[i].line == line)
			return &cpu->frames[i];
	}
	return NULL;
}

static void render_source_line(struct renderer *r, const struct nmibt_frame *frame)
{
	const struct nmibt_image *image = r->report->image;
	char where[512];
	uint64_t addr;

	if (!image->ops->function_addr || !image->ops->source_line) {
		r->lines_missing = true;
		return;
	}
	_cleanup_free_ char *function = strndup(frame->function.s, frame->function.len);
	_cleanup_free_ char *module = strndup(frame->module.s, frame->module.len);
	if (!function || !module ||
	    !image->ops->function_addr(image->ctx, function, *module ? module : NULL, frame->offset,
				       &addr) ||
	    /* A return address stands behind its call. */
	    !image->ops->source_line(image->ctx, frame->is_pc ? addr : addr - 1, where,
				     sizeof(where))) {
		r->lines_missing = true;
		return;
	}
	fputs("        ", r->out);
	nmibt_escape(r->out, where, strlen(where), false);
	putc('\n', r->out);
}

static void render_line(struct renderer *r, const struct nmibt_line *line)
{
	if (line->gap)
		fprintf(r->out, "[%zu byte%s can't be read]\n", line->gap, plural(line->gap));
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
			line->len - line->torn_at, plural(line->len - line->torn_at));
	if (line->flags & NMIBT_LINE_LONE_HEADER)
		fputs("[a level header with nothing behind it]\n", r->out);
	if (line->flags & NMIBT_LINE_CUT)
		fputs("[cut: the rest did not fit]\n", r->out);
	else if (line->flags & NMIBT_LINE_PARTIAL)
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
			render_source_line(r, frame);
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
			fprintf(r->out, "[%zu byte%s can't be read]\n", len, plural(len));
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

/* -------------------------------------------------------- one CPU: registers */

/* A terminal of 80 columns has room for both; few symbols are longer. */
#define NAME_WIDTH 9
#define VALUE_WIDTH 32

/* An address in the function of the pc's own line, which the kernel printed. */
static bool symbol_of_text(const struct nmibt_cpu *cpu, unsigned int pc, uint64_t addr, char *buf,
			   size_t len)
{
	const struct nmibt_frame *f = cpu->frames;

	if (!cpu->nr_frames || !f->is_pc || !cpu->nmi_regs.present)
		return false;
	uint64_t offset = addr - (cpu->nmi_regs.value[pc] - f->offset);
	if (offset >= f->size)
		return false;
	int n = snprintf(buf, len, "%.*s+%#" PRIx64, (int)f->function.len, f->function.s, offset);
	if (f->module.len && n > 0 && (size_t)n < len)
		snprintf(buf + n, len - n, " [%.*s]", (int)f->module.len, f->module.s);
	return true;
}

static void format_value(struct renderer *r, const struct nmibt_cpu *cpu, unsigned int i,
			 uint64_t value, char *buf, size_t len)
{
	const struct nmibt_image *image = r->report->image;
	const struct nmibt_reg_names *names = nmibt_reg_names(image->arch);
	bool is_code = i == names->pc || !strcmp(names->name[i], "lr");

	if (is_code && image->ops->symbolize && image->ops->symbolize(image->ctx, value, buf, len))
		return;
	if (is_code && symbol_of_text(cpu, names->pc, value, buf, len))
		return;
	snprintf(buf, len, "%016" PRIx64, value);
}

static bool is_narrow(const struct renderer *r)
{
	return r->width < NAME_WIDTH + 2 * VALUE_WIDTH + 5;
}

/* Left column at the NMI, right column at the stop; one below the other where
 * the terminal is too narrow for both. */
static void render_register(struct renderer *r, const struct nmibt_cpu *cpu, unsigned int i,
			    const char *name)
{
	bool both = cpu->nmi_regs.present && cpu->stop_regs.present;
	char nmi[160] = "", stop[160] = "";

	if (cpu->nmi_regs.present)
		format_value(r, cpu, i, cpu->nmi_regs.value[i], nmi, sizeof(nmi));
	if (cpu->stop_regs.present)
		format_value(r, cpu, i, cpu->stop_regs.value[i], stop, sizeof(stop));

	fprintf(r->out, "    %-*s ", NAME_WIDTH, name);
	if (!both) {
		nmibt_escape(r->out, *nmi ? nmi : stop, strlen(*nmi ? nmi : stop), false);
		putc('\n', r->out);
		return;
	}
	nmibt_escape(r->out, nmi, strlen(nmi), false);
	bool equal = cpu->nmi_regs.value[i] == cpu->stop_regs.value[i];
	int pad = strlen(nmi) < VALUE_WIDTH ? (int)(VALUE_WIDTH - strlen(nmi)) : 1;
	if (!is_narrow(r))
		fprintf(r->out, "%*s", pad, "");
	else if (equal)
		fputs("  ", r->out);
	else
		fprintf(r->out, "\n    %-*s ", NAME_WIDTH, "");
	if (equal) {
		fputs("=\n", r->out);
		return;
	}
	nmibt_escape(r->out, stop, strlen(stop), false);
	fputs("  *\n", r->out);
}

static void render_register_heading(struct renderer *r, const struct nmibt_cpu *cpu)
{
	bool synthetic = cpu->slot.flags & NMI_CAPTURE_SLOT_F_NO_REGS_SELF;
	const char *nmi = synthetic				 ? "in the capture itself"
			  : cpu->slot.how == NMI_CAPTURE_BY_STOP ? "at the stop (capture)"
			  : cpu->slot.how == NMI_CAPTURE_BY_SELF ? "at the panic"
			  : cpu->slot.how == NMI_CAPTURE_BY_IRQ	 ? "at the interrupt"
								 : "at the NMI";

	paint(r, DIM);
	fprintf(r->out, "    %-*s ", NAME_WIDTH, "");
	bool both = cpu->nmi_regs.present && cpu->stop_regs.present;
	if (both && is_narrow(r))
		fprintf(r->out, "%s / at the stop\n", nmi);
	else if (both)
		fprintf(r->out, "%-*s%s\n", VALUE_WIDTH, nmi, "at the stop");
	else
		fprintf(r->out, "%s\n", cpu->nmi_regs.present ? nmi : "at the stop");
	unpaint(r);
}

static void render_registers(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(r->report->image->arch);
	bool both = cpu->nmi_regs.present && cpu->stop_regs.present;
	unsigned int equal_hidden = 0, others_hidden = 0;

	if (!names || (!cpu->nmi_regs.present && !cpu->stop_regs.present))
		return;
	render_register_heading(r, cpu);

	const unsigned int first[] = {names->pc, names->sp};
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		render_register(r, cpu, first[i], names->name[first[i]]);
	for (unsigned int i = 0; i < names->nr; i++) {
		if (i == names->pc || i == names->sp)
			continue;
		bool equal = both && i < cpu->nmi_regs.nr &&
			     cpu->nmi_regs.value[i] == cpu->stop_regs.value[i];
		bool show = r->options->header ||
			    (both ? !equal && cpu->moved == NMIBT_MOVED_SAME : false);
		if (show)
			render_register(r, cpu, i, names->name[i]);
		else if (equal)
			equal_hidden++;
		else
			others_hidden++;
	}
	if (equal_hidden && others_hidden)
		fprintf(r->out, "    (%u more differ, %u are equal; -t shows all)\n", others_hidden,
			equal_hidden);
	else if (equal_hidden)
		fprintf(r->out, "    (%u more are equal; -t shows all)\n", equal_hidden);
	else if (others_hidden)
		fprintf(r->out, "    (%u more%s; -t shows all)\n", others_hidden,
			both ? " differ" : "");
	if (!cpu->stop_regs.present && cpu->note != NMIBT_NOTE_PRESENT)
		fprintf(r->out, "[%s]\n", note_words(cpu->note));
}

/* --------------------------------------------------------------------- all */

static void render_cpu(struct renderer *r, const struct nmibt_cpu *cpu)
{
	putc('\n', r->out);
	render_head(r, cpu);
	if (r->options->header && cpu->slot_present)
		render_header_fields(r, cpu);
	render_text(r, cpu, &cpu->text);
	if (cpu->nested.nr_lines) {
		fputs("[printed meanwhile, inside another message or by a fault:]\n", r->out);
		render_text(r, cpu, &cpu->nested);
	}
	render_remarks(r, cpu);
	if (cpu->slot_present)
		render_registers(r, cpu);
}

static bool is_wanted(const struct renderer *r, unsigned int cpu)
{
	if (!r->report->possible[cpu])
		return false;
	if (r->report->cpus[cpu].stale && !r->options->older)
		return false;
	return !r->options->cpus || r->options->cpus[cpu];
}

struct nmibt_error *nmibt_render_text(const struct nmibt_report *report,
				      const struct nmibt_render_options *options, FILE *out,
				      int *ret)
{
	struct renderer r = {
		.report = report,
		.options = options,
		.out = out,
		.width = options->width ? options->width : 80,
	};
	bool found = false;

	struct nmibt_error *err = render_summary(&r);
	if (err)
		return err;
	for (unsigned int i = 0; i < report->capture.desc.nr_slots; i++) {
		found |= report->possible[i] && report->cpus[i].outcome != NMIBT_OUTCOME_NONE;
		if (options->summary_only || !is_wanted(&r, i))
			continue;

		struct nmibt_cpu cpu;
		err = nmibt_report_cpu(report, i, &cpu);
		if (err)
			return err;
		render_cpu(&r, &cpu);
		nmibt_cpu_destroy(&cpu);
	}
	if (r.lines_missing)
		fputs("\n[-l: some frames have no file and line here]\n", out);
	*ret = !report->complete ? 3 : found ? 0 : 1;
	return NULL;
}
