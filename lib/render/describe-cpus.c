// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CPUs in a description: slots of a capture; registers at the stop, with the stack that they
 * lead to; NMI buffers.
 */
#include "render/describe.h"

struct cpu_writer {
	struct renderer *r;
	FILE *out;
	struct nmibt_kernel *kernel;
	enum nmibt_arch arch;
	const struct nmibt_reg_names *names;
	const struct nmibt_cpu *cpu;
};

/* ------------------------------------------------------------------------ texts */

/* Writes lines as printk stored them. torn true: only lines beyond the published length; false:
 * only the others. */
static void put_lines(struct cpu_writer *w, const struct nmibt_text *text, const char *heading,
		      bool torn)
{
	bool has_heading = false;

	for (size_t i = 0; i < text->nr_lines; i++) {
		const struct nmibt_line *line = &text->lines[i];

		if (((line->flags & NMIBT_LINE_TORN) && !line->torn_at) != torn)
			continue;
		if (!has_heading)
			fprintf(w->out, "    %s\n", heading);
		has_heading = true;
		fputs("    | ", w->out);
		if (line->level >= 0)
			fprintf(w->out, "<%d>", line->level);
		else if (line->level == NMIBT_LEVEL_CONT)
			fputs("<c>", w->out);
		nmibt_redact_line(w->arch, w->out, (struct nmibt_str){line->text, line->len});
		fputs(line->flags & (NMIBT_LINE_PARTIAL | NMIBT_LINE_TORN) ? "\\\n" : "\n", w->out);
	}
}

/* -------------------------------------------------------------------- registers */

/* Writes the address of the pc: as symbol+offset if a description can name the symbol. */
static void put_place(struct cpu_writer *w, uint64_t addr)
{
	struct nmibt_symbol symbol;

	if (nmibt_find_symbol(w->kernel, addr, &symbol) && !*symbol.module &&
	    nmibt_is_describable(nmibt_str_of(symbol.name)))
		fprintf(w->out, "%s+0x%" PRIx64, symbol.name, symbol.offset);
	else
		fprintf(w->out, "%" PRIx64, addr);
}

/* Writes only pc, sp, flags and lr: other registers may hold user data. */
static void put_registers(struct cpu_writer *w, const struct nmibt_regs *regs, bool has_pc,
			  bool has_sp)
{
	if (has_pc) {
		fprintf(w->out, " %s=", w->names->name[w->names->pc]);
		put_place(w, regs->value[w->names->pc]);
	}
	if (has_sp)
		fprintf(w->out, " %s=%" PRIx64, w->names->name[w->names->sp],
			nmibt_describe_sp(w->arch, regs->value[w->names->sp]));
	if (w->arch == NMIBT_ARCH_ARM64) {
		fprintf(w->out, " pstate=%" PRIx64 " lr=", regs->value[ARM64_PC + 1]);
		put_place(w, regs->value[ARM64_LR]);
	} else if (w->arch == NMIBT_ARCH_X86_64) {
		fprintf(w->out, " cs=%" PRIx64 " ss=%" PRIx64 " eflags=%" PRIx64,
			regs->value[X86_CS], regs->value[X86_SP + 1], regs->value[X86_FLAGS]);
	}
}

/* ----------------------------------------------------------------------- stacks */

/* True: the stack ends because data that would lead on is missing. */
static bool is_cut(const struct nmibt_stack *stack)
{
	switch (stack->end) {
	case NMIBT_END_UNREADABLE:
	case NMIBT_END_EXCLUDED:
	case NMIBT_END_NONSENSE:
		return true;
	case NMIBT_END_NO_UNWIND_DATA:
		return stack->nr && stack->frames[stack->nr - 1].function.len;
	default:
		return false;
	}
}

static void put_frame(struct cpu_writer *w, const struct nmibt_frame *frame)
{
	if (!nmibt_is_describable(frame->function)) {
		fprintf(w->out, "    | 0x%" PRIx64, frame->addr);
		return;
	}
	/* A call that never returns may be its function's last instruction. */
	uint64_t size =
		frame->size && frame->size <= frame->offset ? frame->offset + 1 : frame->size;

	fprintf(w->out, "    | %.*s+0x%" PRIx64, (int)frame->function.len, frame->function.s,
		frame->offset);
	if (size)
		fprintf(w->out, "/0x%" PRIx64, size);
	if (frame->module.len && nmibt_is_describable(frame->module))
		fprintf(w->out, " [%.*s]", (int)frame->module.len, frame->module.s);
}

static const char *mark_behind(const struct nmibt_stack *stack, size_t i)
{
	const struct nmibt_frame *frame = &stack->frames[i];

	if (i + 1 == stack->nr)
		return stack->end == NMIBT_END_USER ? " <user>"
		       : is_cut(stack)		    ? " <cut> unknown_caller+0x10"
						    : "";
	if (frame[1].is_interrupted)
		return " <regs>";
	return frame[1].kind != frame->kind ? " <stack>" : "";
}

static void put_stack(struct cpu_writer *w, const struct nmibt_stack *stack)
{
	fputs("    stack\n", w->out);
	for (size_t i = 0; i < stack->nr; i++) {
		put_frame(w, &stack->frames[i]);
		fprintf(w->out, "%s\n", mark_behind(stack, i));
	}
}

/* Writes the registers at the stop. word is "note" or "vcpu", which says where they are from. */
static void put_stop(struct cpu_writer *w, const char *word, const struct nmibt_evidence *stop)
{
	bool has_stack = stop->stack.nr;
	/* mkdump puts a cut stack at the end of its memory, so it can't have this sp. */
	bool has_sp =
		!has_stack || (!is_cut(&stop->stack) && !(stop->regs.value[w->names->sp] & 7));

	fprintf(w->out, "    %s", word);
	put_registers(w, &stop->regs, !has_stack, has_sp);
	if (stop->task.known && !strcmp(word, "note"))
		fprintf(w->out, " pid=%d", stop->task.pid);
	putc('\n', w->out);
	if (has_stack)
		put_stack(w, &stop->stack);
}

static void put_note(struct cpu_writer *w)
{
	const struct nmibt_evidence *stop = &w->cpu->stop;
	unsigned int cpu = w->cpu->cpu;

	if (stop->source == NMIBT_SOURCE_VCPU) {
		if (stop->regs.present)
			put_stop(w, "vcpu", stop);
		return;
	}
	switch (stop->note) {
	case NMIBT_NOTE_PRESENT:
		put_stop(w, "note", stop);
		break;
	case NMIBT_NOTE_EXCLUDED:
		fprintf(w->out, "    note pid=0\nexclude note %u\n", cpu);
		break;
	case NMIBT_NOTE_DAMAGED:
		fprintf(w->out, "    note pid=0\nfield note[%u].type = 9\n", cpu);
		break;
	case NMIBT_NOTE_UNKNOWN:
		if (w->cpu->has_slot)
			fputs("    note unknown\n", w->out);
		break;
	case NMIBT_NOTE_NONE:
		break;
	}
}

/* ------------------------------------------------------------------------ slots */

static const char *outcome_of(const struct nmi_capture_slot *slot)
{
	static const char *const ways[] = {"empty", "nmi", "irq", "self", "stop"};
	static const char *const begun[] = {"partial nmi", "partial nmi", "partial irq",
					    "partial self", "partial stop"};
	unsigned int how = slot->how < ARRAY_SIZE(ways) ? slot->how : 0;

	switch (slot->state) {
	case NMI_CAPTURE_SLOT_ASKED:
		return "silent";
	case NMI_CAPTURE_SLOT_BEGUN:
		return begun[how];
	case NMI_CAPTURE_SLOT_DONE:
		return ways[how];
	default:
		return slot->asked_flags & NMI_CAPTURE_ASKED_F_OFFLINE ? "offline" : "empty";
	}
}

static void put_flags(struct cpu_writer *w, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{NMI_CAPTURE_SLOT_F_IDLE, "idle"},
		{NMI_CAPTURE_SLOT_F_USER, "user"},
		{NMI_CAPTURE_SLOT_F_IRQS_OFF, "irqs-off"},
		{NMI_CAPTURE_SLOT_F_LATE, "late"},
		{NMI_CAPTURE_SLOT_F_FAULTED, "faulted"},
		{NMI_CAPTURE_SLOT_F_REGS_ONLY, "regs-only"},
		{NMI_CAPTURE_SLOT_F_OVERFLOW, "overflow"},
		{NMI_CAPTURE_SLOT_F_NO_REGS_SELF, "no-regs-self"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & names[i].flag)
			fprintf(w->out, " %s", names[i].name);
	}
}

static void put_times(struct cpu_writer *w, const struct nmi_capture_slot *slot)
{
	uint64_t asked = w->r->report->sources->capture.desc.asked_ns;
	const struct {
		const char *name;
		uint64_t ns;
	} times[] = {{"asked", slot->asked_ns}, {"begun", slot->begun_ns}, {"done", slot->done_ns}};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		if (times[i].ns)
			fprintf(w->out, "    %s %.6f\n", times[i].name,
				(double)(int64_t)(times[i].ns - asked) / 1e6);
	}
}

static void put_slot(struct cpu_writer *w, const struct nmibt_evidence *evidence)
{
	const struct nmi_capture_slot *slot = &evidence->slot;

	uint32_t generation = nmibt_slot_generation(slot);

	if (generation && generation != w->r->report->sources->capture.desc.generation)
		fprintf(w->out, "    generation %u\n", generation);
	if (slot->begin_again)
		fprintf(w->out, "    again %u\n", slot->begin_again);
	put_times(w, slot);
	if (slot->flags & NMI_CAPTURE_SLOT_F_REGS && evidence->regs.present) {
		fputs("    regs", w->out);
		put_registers(w, &evidence->regs, true, true);
		putc('\n', w->out);
	}
	put_lines(w, &evidence->text, "text", false);
	put_lines(w, &evidence->text, "tail", true);
	put_lines(w, &evidence->nested, "nested", false);
	put_lines(w, &evidence->nested, "nested tail", true);
}

static void put_task(struct cpu_writer *w, const struct nmibt_task *task)
{
	if (!task->known)
		return;
	fprintf(w->out, "    task %d ", task->pid);
	/* If the name is not known, it is made from the PID; PID 0 is the idle task. */
	if (task->pid)
		nmibt_redact_comm(
			w->out,
			(struct nmibt_str){task->comm, strnlen(task->comm, sizeof(task->comm))},
			task->pid);
	else
		fputs("swapper/{cpu}", w->out);
	putc('\n', w->out);
}

static struct nmibt_error *describe_slot(struct cpu_writer *w)
{
	const struct nmibt_cpu *cpu = w->cpu;
	struct nmibt_evidence evidence;
	bool stale;
	struct nmibt_error *err = nmibt_slot_evidence(w->kernel, &w->r->report->sources->capture,
						      cpu->cpu, &evidence, &stale);

	if (err)
		return err;
	if (!evidence.has_slot) {
		fprintf(w->out, "\ncpu %u nmi\n", cpu->cpu);
		put_note(w);
		if (cpu->outcome == NMIBT_OUTCOME_EXCLUDED)
			fprintf(w->out, "exclude slot %u\n", cpu->cpu);
		else
			fprintf(w->out, "field slot[%u].magic = \"damaged\"\n", cpu->cpu);
	} else {
		const char *outcome = outcome_of(&evidence.slot);

		fprintf(w->out, "\ncpu %u %s", cpu->cpu, outcome);
		put_flags(w, evidence.slot.flags);
		putc('\n', w->out);
		put_task(w, &evidence.task);
		put_slot(w, &evidence);
		put_note(w);
	}
	nmibt_evidence_destroy(&evidence);
	return NULL;
}

/* ------------------------------------------------------- other kernels */

static struct nmibt_error *put_buffer(struct cpu_writer *w)
{
	struct nmibt_evidence evidence;
	bool found;

	if (!w->r->report->sources->has_buffers)
		return NULL;
	struct nmibt_error *err = nmibt_buffer_evidence(w->kernel, w->cpu->cpu, &evidence, &found);
	if (err)
		return err;
	if (found) {
		put_lines(w, &evidence.text, "nmi text", false);
		put_lines(w, &evidence.text, "nmi tail", true);
	}
	nmibt_evidence_destroy(&evidence);
	return NULL;
}

static struct nmibt_error *describe_stock(struct cpu_writer *w)
{
	fprintf(w->out, "\ncpu %u\n", w->cpu->cpu);
	put_task(w, &w->cpu->stop.task);
	struct nmibt_error *err = put_buffer(w);
	if (!err)
		put_note(w);
	return err;
}

struct nmibt_error *nmibt_describe_cpus(struct renderer *r)
{
	struct cpu_writer w = {
		.r = r,
		.out = r->out,
		.kernel = r->report->kernel,
		.arch = r->report->kernel->image->arch,
	};
	struct nmibt_error *err = NULL;

	w.names = nmibt_reg_names(w.arch);
	for (unsigned int i = 0; i < r->report->nr_cpus && !err; i++) {
		struct nmibt_cpu cpu;

		if (!nmibt_is_wanted(r, i))
			continue;
		err = nmibt_report_read_cpu(r->report, i, &cpu);
		if (err)
			break;
		w.cpu = &cpu;
		err = nmibt_unwind_stop(r->report, &cpu);
		if (!err)
			err = (r->report->sources->has_capture ? describe_slot
							       : describe_stock)(&w);
		nmibt_cpu_destroy(&cpu);
	}
	return err;
}
