// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines of a trace: which lines can follow, and which one is the last.
 * arch/x86/kernel/dumpstack.c: show_trace_log_lvl(), show_regs(), process_64.c:
 * __show_regs(); arch/arm64/kernel/stacktrace.c: dump_backtrace(), process.c:
 * __show_regs(), traps.c: __die(); lib/dump_stack.c; 5.10 to 6.12.
 */
#include "source/printouts.h"

void nmibt_begin_trace(struct taken *t, struct level *l, enum nmibt_evidence_kind kind,
		       uint32_t cpu)
{
	const struct nmibt_log_line *line = t->line;
	struct nmibt_log_trace trace = {
		.cpu = cpu,
		.kind = kind,
		.caller_id = line->caller_id,
		.printout = l->printout,
		.first_seq = l->text.len ? l->first_seq : line->first_seq,
		.begun_ns = l->text.len ? l->begun_ns : line->first_ns,
		.last_seq = line->last_seq,
		.ended_ns = line->last_ns,
	};

	l->is_doubtful = nmibt_is_doubtful(t->s, nmibt_is_answer(kind)) &&
			 !(t->b->is_sorted && !t->s->nr_unsure);
	l->trace = nmibt_log_add_trace(t->log, &trace);
	l->phase = PHASE_HEAD;
	l->has_trace = true;
	l->is_user = l->is_complete = l->has_thread_start = l->has_cpu_line = false;
	l->open_marks = l->strangers = 0;
}

/* Since 5.16 x86 prints marks around each stack; the task's stack is the last. */
static void take_mark(struct taken *t, struct level *l)
{
	if (!t->p.has_mark)
		return;
	if (!t->p.is_mark_end)
		l->open_marks++;
	else if (l->open_marks)
		l->open_marks--;
	if (t->p.is_mark_end && t->p.mark == NMIBT_STACK_TASK)
		l->phase = PHASE_BEHIND;
}

static void take_frame(struct taken *t, struct level *l)
{
	if (l->phase == PHASE_HEAD)
		l->phase = PHASE_FRAMES;
	take_mark(t, l);
	/* Within marks nobody asks, and the lookup takes time. */
	if (t->p.kind == NMIBT_PRINT_FRAME && t->p.frame.reliable) {
		l->is_complete = !l->open_marks && nmibt_is_outermost_frame(&t->p.frame);
		l->has_thread_start |= l->is_complete && nmibt_is_thread_start(&t->p.frame);
	}
}

/* True: it is the last line of the trace. */
static bool take_register(struct taken *t, struct level *l)
{
	bool in_head = l->phase == PHASE_HEAD;

	if (t->p.is_user && in_head)
		l->is_user = true;
	else if (t->p.is_user)
		l->is_complete = true; /* the task came from user mode: nothing is further out */
	return in_head && t->p.is_last_register && (l->is_user || t->p.kind == NMIBT_PRINT_PC);
}

void nmibt_take_trace_line(struct taken *t, struct level *l)
{
	bool is_own = nmibt_level_trace(t->log, l)->kind == NMIBT_EVIDENCE_OWN;
	bool is_last = t->p.kind == NMIBT_PRINT_END_TRACE;

	nmibt_level_put(t, l);
	switch (t->p.kind) {
	case NMIBT_PRINT_CPU:
		l->has_cpu_line = true;
		break;
	case NMIBT_PRINT_TRACE:
		l->phase = PHASE_FRAMES;
		take_mark(t, l);
		break;
	case NMIBT_PRINT_FRAME:
	case NMIBT_PRINT_STACK_MARK:
		take_frame(t, l);
		break;
	case NMIBT_PRINT_PC:
	case NMIBT_PRINT_REGISTER:
		is_last = take_register(t, l);
		break;
	default:
		break;
	}
	l->strangers = t->p.kind == NMIBT_PRINT_OTHER ? l->strangers + 1 : 0;
	/* A CPU's own printout may continue with registers and the end of an oops. */
	if (!is_last && !(l->phase == PHASE_BEHIND && !is_own))
		return;
	nmibt_end_top_trace(t, END_TOLD);
	if (t->p.kind == NMIBT_PRINT_END_TRACE && nmibt_top_level(t->s) == l)
		nmibt_pop(t, END_TOLD);
}

/* True: registers may follow here. x86 prints those that an interrupt or an entry from user mode
 * left on the stack within the trace. A CPU's own printout may have more registers after the
 * trace. */
static bool may_have_registers(const struct taken *t, const struct level *l, bool is_own)
{
	if (l->phase == PHASE_HEAD)
		return true;
	return t->p.kind == NMIBT_PRINT_REGISTER && is_own
		       ? true
		       : l->phase == PHASE_FRAMES && !nmibt_has_plain_traces(t->b->arch);
}

/* True: the trace interrupted another one, which may continue. */
static bool has_interrupted(const struct stream *s, const struct level *l)
{
	for (const struct level *below = s->levels; below < l; below++) {
		if (below->trace && below->phase == PHASE_FRAMES)
			return true;
	}
	return false;
}

/* True: a frame may follow here. After an outermost function there may be another one, its caller:
 * arm64 has secondary_start_kernel() and __secondary_switched(). Any other frame belongs to the
 * trace that was interrupted, if there is one. */
static bool may_have_frame(const struct taken *t, const struct level *l)
{
	if (!l->is_complete || l->open_marks || !t->p.frame.reliable)
		return true;
	return nmibt_is_outermost_frame(&t->p.frame) || !has_interrupted(t->s, l);
}

bool nmibt_is_behind_end(const struct taken *t, const struct level *l)
{
	return t->line->caller_id == NMIBT_NO_CALLER && l->has_thread_start &&
	       t->p.kind == NMIBT_PRINT_FRAME && t->p.frame.reliable &&
	       !nmibt_is_outermost_frame(&t->p.frame);
}

bool nmibt_is_of_trace(const struct taken *t, const struct level *l)
{
	const struct nmibt_log_trace *trace = nmibt_level_trace(t->log, l);
	bool is_own = trace->kind == NMIBT_EVIDENCE_OWN;

	if (l->is_doubtful && !t->b->is_sorted && t->p.kind != NMIBT_PRINT_CPU &&
	    t->p.kind != NMIBT_PRINT_HARDWARE)
		return false;
	switch (t->p.kind) {
	case NMIBT_PRINT_CPU:
		return l->phase == PHASE_HEAD && !l->has_cpu_line && t->p.cpu == trace->cpu;
	case NMIBT_PRINT_TRACE:
	case NMIBT_PRINT_HARDWARE:
		return l->phase == PHASE_HEAD || t->line->is_doubtful;
	case NMIBT_PRINT_FRAME:
		return l->phase != PHASE_BEHIND && may_have_frame(t, l);
	case NMIBT_PRINT_STACK_MARK:
		return l->phase != PHASE_BEHIND;
	case NMIBT_PRINT_REGISTER:
	case NMIBT_PRINT_PC:
		return may_have_registers(t, l, is_own);
	case NMIBT_PRINT_END_TRACE:
		return is_own;
	case NMIBT_PRINT_OTHER:
		return l->phase == PHASE_HEAD && l->strangers < MAX_STRANGERS;
	default:
		return false;
	}
}
