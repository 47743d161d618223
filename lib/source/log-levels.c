// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The levels of a caller: the printouts and traces that it has begun and not ended. Mostly there is
 * one. If an interrupt or NMI hits a CPU while an interrupt of it prints, both have the same
 * caller: the new one pushes a level, and the interrupted level continues afterwards.
 *
 * Nothing here ends because time has passed: with a slow console minutes may pass between two
 * lines. In a text what comes much later is marked: pauses.c.
 */
#include "source/printouts.h"

/* A printout is hardly interrupted before its trace if more lines than these are in between. */
#define MAX_LEAD_STRANGERS 2
/* nmi_trigger_cpumask_backtrace(), lib/nmi_backtrace.c, waits for 10 s, counted in loops of 1 ms
 * (6.12). An emulator stretches these. */
#define LONGEST_WAIT_NS (600 * UINT64_C(1000000000))

uint32_t nmibt_cpu_of_caller(uint32_t caller_id)
{
	uint32_t cpu = caller_id & ~CALLER_IS_CPU;

	return caller_id & CALLER_IS_CPU && cpu < NMIBT_MAX_CPUS ? cpu : NMIBT_NO_CPU;
}

struct level *nmibt_top_level(struct stream *s)
{
	return s && s->nr_levels ? &s->levels[s->nr_levels - 1] : NULL;
}

struct nmibt_log_trace *nmibt_level_trace(struct nmibt_log_source *log, const struct level *l)
{
	return &log->traces[l->trace - 1];
}

/* What the title says, and the line that names the CPU, are no other trace's. */
bool nmibt_is_shown_in_doubt(const struct taken *t, const struct level *l)
{
	return t->b->is_sorted && l->trace && l->is_doubtful && l->text.len &&
	       t->p.kind != NMIBT_PRINT_CPU && t->p.kind != NMIBT_PRINT_HARDWARE;
}

uint64_t nmibt_current_printout(const struct stream *s)
{
	for (unsigned int i = s ? s->nr_levels : 0; i > 0; i--) {
		if (s->levels[i - 1].printout)
			return s->levels[i - 1].printout;
	}
	return 0;
}

/* --------------------------------------------------------------------- text */

void nmibt_touch_printout(struct taken *t, uint64_t number)
{
	struct nmibt_printout *printout = nmibt_log_printout(t->log, number);

	if (!printout || printout->last_seq > t->line->last_seq)
		return;
	printout->last_seq = t->line->last_seq;
	printout->ended_ns = t->line->last_ns;
}

/* Notes a gap behind the level's last line: records are lost that may have belonged to it, or lines
 * followed that may have belonged to it or to another level. */
static void mark_gap(struct nmibt_log_source *log, struct level *l, uint64_t nr_gaps,
		     uint64_t nr_lost)
{
	if (l->nr_gaps == nr_gaps && !l->is_unsure)
		return;
	if (l->text.len && !nmibt_text_put(&l->text, "\n", &(bool){false}, 1))
		log->builder->failed = true;
	if (l->trace) {
		nmibt_level_trace(log, l)->wrong |= NMIBT_WRONG_GAP;
		nmibt_level_trace(log, l)->lost_records += nr_lost - l->nr_lost;
	}
	l->nr_gaps = nr_gaps;
	l->nr_lost = nr_lost;
	l->is_unsure = false;
}

void nmibt_level_put(struct taken *t, struct level *l)
{
	const struct nmibt_log_line *line = t->line;
	bool is_doubtful =
		line->is_doubtful || nmibt_is_shown_in_doubt(t, l) || nmibt_is_behind_end(t, l);

	l->is_unsure |= is_doubtful;
	mark_gap(t->log, l, line->nr_gaps, line->nr_lost);
	if (!l->text.len) {
		l->first_seq = line->first_seq;
		l->begun_ns = line->first_ns;
	}
	if (!nmibt_text_put(&l->text, line->text, line->known, line->len) ||
	    !nmibt_text_put(&l->text, NULL, NULL, line->missing) ||
	    !nmibt_text_put(&l->text, "\n", NULL, 1))
		t->b->failed = true;
	l->last_seq = line->last_seq;
	l->was_left = 0;
	l->is_unsure = is_doubtful;
	nmibt_touch_printout(t, l->printout);
	if (!l->trace)
		return;
	struct nmibt_log_trace *trace = nmibt_level_trace(t->log, l);
	trace->last_seq = line->last_seq;
	trace->ended_ns = line->last_ns;
	if (line->missing || (line->known && memchr(line->known, false, line->len)))
		trace->wrong |= NMIBT_WRONG_DAMAGED;
	if (line->is_torn)
		trace->wrong |= NMIBT_WRONG_TORN;
	if (is_doubtful)
		trace->wrong |= NMIBT_WRONG_MIXED | NMIBT_WRONG_GAP;
	if (trace->printout != l->printout)
		nmibt_touch_printout(t, trace->printout);
}

void nmibt_level_drop_text(struct level *l)
{
	free(l->text.raw);
	free(l->text.known);
	l->text = (struct text){0};
}

/* ------------------------------------------------------------------- the end */

/* True: the level's last line shows that no more lines follow. */
static bool is_settled(const struct level *l)
{
	return l->phase == PHASE_BEHIND || (l->is_complete && !l->open_marks);
}

static void add_unsure(struct stream *s, size_t trace, bool is_answer)
{
	nmibt_doubt(s, is_answer);
	if (!s->doubt_left || s->nr_unsure == MAX_LEVELS)
		s->nr_unsure = 0;
	s->unsure_traces[s->nr_unsure++] = trace;
}

static void judge_end(struct nmibt_log_source *log, struct stream *s, struct level *l, enum end end)
{
	struct nmibt_log_trace *trace = nmibt_level_trace(log, l);
	bool lacks_frames = end == END_NO_MORE && l->phase == PHASE_HEAD && !l->is_user;

	trace->has_ended = end == END_TOLD || is_settled(l);
	if (trace->has_ended)
		return;
	if (l->open_marks || l->was_left || lacks_frames)
		trace->wrong |= NMIBT_WRONG_CUT;
	else if (end == END_WENT_ON)
		trace->has_ended = true;
	/* The rest of this trace may have been added to the trace that interrupted it. */
	if (l->was_left)
		log->traces[l->was_left - 1].wrong |= NMIBT_WRONG_GAP;
	add_unsure(s, l->trace, nmibt_is_answer(trace->kind));
	s->unsure_gaps = l->nr_gaps;
}

/* If no line showed the end of a trace that interrupted another one, the lines after it may belong
 * to either of them. */
static void doubt_below(struct nmibt_log_source *log, struct stream *s, struct level *l)
{
	for (struct level *below = s->levels; below < l; below++) {
		if (!below->trace || below->phase != PHASE_FRAMES)
			continue;
		below->is_unsure = true;
		below->was_left = l->trace;
		if (!is_settled(l))
			nmibt_level_trace(log, l)->wrong |= NMIBT_WRONG_GAP;
	}
}

static void end_trace(struct nmibt_log_source *log, struct stream *s, struct level *l, enum end end,
		      uint64_t nr_gaps, uint64_t nr_lost)
{
	struct nmibt_log_trace *trace = nmibt_level_trace(log, l);

	if (end != END_TOLD && !is_settled(l) && l->nr_gaps != nr_gaps)
		mark_gap(log, l, nr_gaps, nr_lost);
	else
		judge_end(log, s, l, end);
	if (end != END_TOLD)
		doubt_below(log, s, l);
	trace->raw = l->text.raw;
	trace->known = l->text.known;
	trace->len = l->text.len;
	l->text = (struct text){0};
	l->trace = 0;
	l->phase = PHASE_TAIL;
	l->strangers = 0;
	l->is_unsure = false;
	l->was_left = 0;
}

/* True: the printout is complete, although the log has no more lines of its caller. */
static bool has_come_to_end(struct nmibt_log_source *log, const struct level *l,
			    const struct nmibt_printout *printout)
{
	bool at_tail = l->trace ? is_settled(l) : l->phase == PHASE_TAIL;

	if (l->kind == NMIBT_PRINT_PANIC || l->kind == NMIBT_PRINT_OOPS)
		return false;
	/* The CPU that asked may still be waiting for answers. */
	if (l->kind == NMIBT_PRINT_REQUEST || l->kind == NMIBT_PRINT_SYSRQ_REQUEST)
		return log->last_ns > printout->ended_ns &&
		       log->last_ns - printout->ended_ns > LONGEST_WAIT_NS;
	return at_tail;
}

static void end_level(struct nmibt_log_source *log, struct stream *s, enum end end,
		      uint64_t nr_gaps, uint64_t nr_lost)
{
	struct level *l = nmibt_top_level(s);
	struct nmibt_printout *printout = nmibt_log_printout(log, l->printout);
	bool end_is_told = end != END_NO_MORE || (printout && has_come_to_end(log, l, printout));

	/* An oops ends with "---[ end trace". On its way to kdump there may be a warning of CPUs that
	 * were not stopped (arch/arm64/kernel/machine_kexec.c: machine_kexec(), 6.12). */
	if (end == END_WENT_ON && l->kind == NMIBT_PRINT_OOPS)
		end_is_told = false;
	if (printout && end_is_told)
		printout->has_ended = true;
	if (l->trace)
		end_trace(log, s, l, end, nr_gaps, nr_lost);
	nmibt_level_drop_text(l);
	s->nr_levels--;
}

/* Marks the traces of all levels of the caller, if its newest line belongs to the top one. */
static void mark_last(struct nmibt_log_source *log, struct stream *s)
{
	struct level *top = nmibt_top_level(s);

	if (!top || !top->trace || nmibt_level_trace(log, top)->last_seq != s->last_seq)
		return;
	for (unsigned int i = 0; i < s->nr_levels; i++) {
		if (s->levels[i].trace)
			nmibt_level_trace(log, &s->levels[i])->is_last = true;
	}
}

void nmibt_log_end_stream(struct nmibt_log_source *log, struct stream *s)
{
	mark_last(log, s);
	while (s->nr_levels)
		end_level(log, s, END_NO_MORE, log->builder->nr_gaps, log->builder->nr_lost);
}

void nmibt_pop(struct taken *t, enum end end)
{
	end_level(t->log, t->s, end, t->line->nr_gaps, t->line->nr_lost);
}

void nmibt_pop_all(struct taken *t)
{
	while (t->s && t->s->nr_levels)
		nmibt_pop(t, END_WENT_ON);
}

void nmibt_end_top_trace(struct taken *t, enum end end)
{
	struct level *l = nmibt_top_level(t->s);

	if (!l->printout)
		nmibt_pop(t, end);
	else if (l->trace)
		end_trace(t->log, t->s, l, end, t->line->nr_gaps, t->line->nr_lost);
}

/* -------------------------------------------------------------- something begins */

bool nmibt_may_be_interrupted(const struct taken *t)
{
	const struct level *l = nmibt_top_level(t->s);

	if (nmibt_cpu_of_caller(t->line->caller_id) == NMIBT_NO_CPU ||
	    l->nr_gaps != t->line->nr_gaps)
		return false;
	if (l->trace)
		return !is_settled(l);
	return l->phase == PHASE_LEAD && l->strangers <= MAX_LEAD_STRANGERS;
}

void nmibt_leave_trace(struct taken *t, bool may_interrupt)
{
	struct level *l;

	while ((l = nmibt_top_level(t->s)) && l->trace) {
		if (may_interrupt && nmibt_may_be_interrupted(t))
			return;
		nmibt_end_top_trace(t, END_WENT_ON);
	}
}

/* Drops the outermost level, to make room. */
static void shift(struct taken *t)
{
	struct level others[MAX_LEVELS - 1];
	struct stream *s = t->s;

	memcpy(others, s->levels + 1, sizeof(others));
	s->nr_levels = 1;
	nmibt_pop(t, END_WENT_ON);
	memcpy(s->levels, others, sizeof(others));
	s->nr_levels = MAX_LEVELS - 1;
}

struct level *nmibt_push(struct taken *t)
{
	if (!t->s)
		t->s = nmibt_stream_get(t->log, t->line->caller_id);
	struct stream *s = t->s;
	if (!s)
		return NULL;
	if (s->nr_levels == MAX_LEVELS)
		shift(t);
	struct level *l = &s->levels[s->nr_levels++];
	*l = (struct level){.nr_gaps = t->line->nr_gaps, .nr_lost = t->line->nr_lost};
	return l;
}
