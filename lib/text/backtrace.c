// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads the text of one CPU's backtrace: its frames, why they end, and what the lines before them
 * say about the CPU.
 *
 * The function that an interrupt or exception hit belongs to the chain. x86 prints it as the "RIP:"
 * of the registers that it finds on the stack, in the middle of the trace, and never as a frame
 * (arch/x86/kernel/dumpstack.c: show_trace_log_lvl(), 4.10 and later). arm64 prints it as the frame
 * after the entry, 4.14 and later.
 */
#include "text/arch.h"

struct reader {
	enum nmibt_arch arch;
	struct nmibt_backtrace *ret;
	enum nmibt_stack_kind kind; /* of the stack of the next frames */
	bool has_pc; /* a line with the program counter was read, even one of user mode */
	bool in_trace;
	bool has_ended; /* the kernel has printed the end of the trace */
	bool has_task_mark; /* the kernel prints <TASK> marks */
	bool has_gap;
	bool is_cut;
	bool came_from_user;
	bool hit_follows; /* the next frame of the trace is where an interrupt hit */
	bool is_first; /* no frame of the trace has been read */
};

static struct nmibt_str str_of_line(const struct nmibt_line *line)
{
	return (struct nmibt_str){line->text, line->len};
}

static void add_frame(struct reader *r, const struct nmibt_frame *frame, size_t line)
{
	struct nmibt_stack *stack = &r->ret->stack;
	struct nmibt_frame *f = &stack->frames[stack->nr++];

	*f = *frame;
	f->line = line;
	f->kind = r->kind;
	if (r->has_gap)
		f->reliable = false;
	f->repeats_pc = f->reliable && !nmibt_is_in_chain(stack->frames, stack->nr - 1);
}

/* ------------------------------------------------------------- before the trace */

static void take_task(struct nmibt_backtrace *ret, const struct nmibt_printed *p)
{
	size_t len = p->comm.len < sizeof(ret->comm) ? p->comm.len : sizeof(ret->comm);

	if (ret->has_task || !p->has_task)
		return;
	ret->has_task = true;
	ret->pid = p->pid;
	if (len)
		memcpy(ret->comm, p->comm.s, len);
}

/* Only the first registers in the text count. */
static void take_registers(struct nmibt_backtrace *ret, const struct nmibt_printed *p)
{
	if (ret->has_sp)
		return;
	ret->is_user |= p->is_user;
	if (p->has_irqs_off) {
		ret->has_irqs_off = true;
		ret->irqs_off = p->irqs_off;
	}
	ret->has_sp = p->has_sp;
	ret->sp = p->sp;
}

static void take_frame(struct reader *r, const struct nmibt_printed *p, size_t line);

static void read_before_trace(struct reader *r, const struct nmibt_printed *p, size_t line)
{
	switch (p->kind) {
	case NMIBT_PRINT_TRACE:
		r->in_trace = r->is_first = true;
		break;
	case NMIBT_PRINT_FRAME:
		if (!p->begins_trace)
			break;
		r->in_trace = r->is_first = true;
		take_frame(r, p, line);
		break;
	case NMIBT_PRINT_SKIPPED:
	case NMIBT_PRINT_SYSRQ_SKIPPED:
		r->ret->is_skipped = true;
		if (p->has_frame)
			add_frame(r, &p->frame, line);
		break;
	case NMIBT_PRINT_CPU:
	case NMIBT_PRINT_TITLE:
		take_task(r->ret, p);
		break;
	case NMIBT_PRINT_PC:
		if (r->has_pc || r->ret->has_sp)
			break;
		r->has_pc = true;
		r->ret->is_user |= p->is_user;
		if (p->has_frame)
			add_frame(r, &p->frame, line);
		break;
	case NMIBT_PRINT_REGISTER:
		take_task(r->ret, p);
		take_registers(r->ret, p);
		break;
	default:
		break;
	}
}

/* ---------------------------------------------------------------- in the trace */

static void take_mark(struct reader *r, const struct nmibt_printed *p)
{
	if (!p->has_mark)
		return;
	r->kind = p->is_mark_end ? NMIBT_STACK_TASK : p->mark;
}

static void take_frame(struct reader *r, const struct nmibt_printed *p, size_t line)
{
	struct nmibt_frame frame = p->frame;
	/* The pc's own line comes before the trace, which may repeat it. */
	bool is_hit = r->hit_follows || (frame.is_pc && !r->is_first);

	frame.is_pc = frame.is_pc && r->is_first && !r->has_pc;
	if (frame.reliable) {
		frame.is_interrupted = is_hit;
		/* A kernel that prints addresses may print only the caller of what was hit. */
		r->hit_follows =
			!frame.addr && nmibt_frame_kinds(&frame) & NMIBT_FUNCTION_HIT_FOLLOWS;
		r->is_first = false;
	}
	add_frame(r, &frame, line);
}

/* Takes the pc of registers on the stack. */
static void take_pc(struct reader *r, const struct nmibt_printed *p, size_t line)
{
	struct nmibt_frame frame = p->frame;

	r->came_from_user |= p->is_user && !r->has_gap;
	if (!p->has_frame)
		return;
	frame.is_pc = false;
	frame.is_interrupted = true;
	r->is_first = false;
	add_frame(r, &frame, line);
}

static void read_in_trace(struct reader *r, const struct nmibt_printed *p, size_t line)
{
	bool is_task = p->kind == NMIBT_PRINT_STACK_MARK && p->mark == NMIBT_STACK_TASK;

	take_mark(r, p);
	switch (p->kind) {
	case NMIBT_PRINT_STACK_MARK:
		r->has_task_mark |= is_task && !p->is_mark_end;
		r->has_ended = is_task && p->is_mark_end && r->has_task_mark;
		break;
	case NMIBT_PRINT_FRAME:
		take_frame(r, p, line);
		break;
	case NMIBT_PRINT_PC:
		take_pc(r, p, line);
		break;
	/* Behind a gap it may be the line of another CPU, whose lines are mixed with this one's. */
	case NMIBT_PRINT_TRACE:
		r->has_ended = !r->has_gap;
		break;
	/* Lines after these repeat the trace, or are about another CPU. */
	case NMIBT_PRINT_END_TRACE:
	case NMIBT_PRINT_TITLE:
	case NMIBT_PRINT_SKIPPED:
	case NMIBT_PRINT_CPU:
		r->has_ended = true;
		break;
	default:
		break;
	}
}

/* -------------------------------------------------------------------- together */

static void read_line(struct reader *r, const struct nmibt_line *line, size_t number)
{
	struct nmibt_printed printed;

	r->has_gap |= line->flags & (NMIBT_LINE_MISSING | NMIBT_LINE_LOST);
	r->is_cut |= line->flags & (NMIBT_LINE_CUT | NMIBT_LINE_TORN);
	nmibt_recognise(r->arch, str_of_line(line), &printed);
	if (printed.has_frame && printed.frame.reliable)
		nmibt_keep_kinds(&printed.frame);
	if (r->in_trace)
		read_in_trace(r, &printed, number);
	else
		read_before_trace(r, &printed, number);
}

static const struct nmibt_frame *outermost(const struct nmibt_stack *stack)
{
	for (size_t i = stack->nr; i-- > 0;) {
		if (nmibt_is_in_chain(stack->frames, i))
			return &stack->frames[i];
	}
	return NULL;
}

/* Why the stack ends. Even a trace that the kernel printed to its end may lack frames, if the
 * kernel's unwinder gave up; but it shows everything that was on the stack. */
static enum nmibt_stack_end end_of(const struct reader *r)
{
	const struct nmibt_frame *last = outermost(&r->ret->stack);
	unsigned int kinds = last && r->in_trace ? nmibt_frame_kinds(last) : 0;
	bool is_marked = r->has_task_mark && r->has_ended;

	if (kinds & NMIBT_FUNCTION_USER || r->came_from_user)
		return NMIBT_END_USER;
	if (kinds & NMIBT_FUNCTION_OUTERMOST)
		return NMIBT_END_COMPLETE;
	if (r->has_gap)
		return NMIBT_END_GAP;
	if (r->ret->is_user)
		return NMIBT_END_USER;
	if (is_marked)
		return NMIBT_END_COMPLETE;
	return r->is_cut || r->has_task_mark ? NMIBT_END_CUT : NMIBT_END_UNKNOWN;
}

struct nmibt_error *nmibt_read_backtrace(enum nmibt_arch arch, const struct nmibt_text *text,
					 struct nmibt_backtrace *ret)
{
	struct nmibt_backtrace backtrace = {0};
	struct reader r = {.arch = arch, .ret = &backtrace};

	backtrace.stack.frames = calloc(text->nr_lines + 1, sizeof(*backtrace.stack.frames));
	if (!backtrace.stack.frames)
		return nmibt_error_nomem();
	for (size_t i = 0; i < text->nr_lines && !r.has_ended; i++)
		read_line(&r, &text->lines[i], i);
	/* Up to 4.14 arm64 prints the pc before it tells that the pc is one of user mode. */
	if (backtrace.is_user && !r.in_trace)
		backtrace.stack.nr = 0;
	backtrace.stack.end = end_of(&r);
	*ret = backtrace;
	return NULL;
}
