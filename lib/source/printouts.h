/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes printouts, requests and traces of the records of a log. Records become lines (log-lines.c);
 * a line is interpreted by what its caller is printing (printouts.c, log-levels.c, log-traces.c,
 * log-requests.c, log-events.c); the results are kept in tables (log-tables.c).
 */
#ifndef NMIBT_PRINTOUTS_H
#define NMIBT_PRINTOUTS_H

#include "source/source.h"

/* ------------------------------------------------------------ the whole way */

/* *ret is empty at first. */
struct nmibt_error *nmibt_log_source_new(enum nmibt_arch arch, struct nmibt_log_source **ret);
/* nr records before the next one are missing. A jump in the sequence numbers needs no such call. */
void nmibt_log_source_lose(struct nmibt_log_source *log, uint64_t nr);
/* Takes the next record, in the order of the log. */
void nmibt_log_source_visit(struct nmibt_log_source *log, const struct nmibt_log_record *record);
/* Keeps its time. */
void nmibt_log_note_time(struct nmibt_log_source *log, const struct nmibt_log_record *record);
/* To be called after the last record. */
struct nmibt_error *nmibt_log_source_finish(struct nmibt_log_source *log);
/* Takes all lines of an image that is a printed log. */
struct nmibt_error *nmibt_read_printed_log(struct nmibt_kernel *kernel,
					   struct nmibt_log_source *log);
/* As nmibt_log_evidence(). */
struct nmibt_error *nmibt_read_log_trace(const struct nmibt_log_source *log, enum nmibt_arch arch,
					 size_t i, struct nmibt_evidence *ret);

/* ------------------------------------------------------------- sets of CPUs */

/* False: out of memory. */
bool nmibt_cpus_add(struct nmibt_cpus *cpus, unsigned int cpu);
bool nmibt_cpus_add_list(struct nmibt_cpus *cpus, struct nmibt_str list);
void nmibt_cpus_destroy(struct nmibt_cpus *cpus);

/* -------------------------------------------------------------------- lines */

/* If no task printed it, caller_id is the CPU with this bit set (kernel/printk/printk.c:
 * printk_caller_id(), 5.10 to 6.12). */
#define CALLER_IS_CPU 0x80000000

/* One line of one caller, up to its newline; the end may be missing. */
struct nmibt_log_line {
	uint32_t caller_id;
	uint64_t first_seq, first_ns; /* of the record in which the line begins */
	uint64_t last_seq, last_ns; /* of the last record that has a part of it */
	/* Of the record that showed that the line had ended. Lines are sorted by it. */
	uint64_t seq, ts_ns;
	const char *text;
	const bool *known; /* len flags; NULL: all bytes are known */
	size_t len; /* without newline */
	size_t missing; /* bytes behind text that can't be read */
	bool is_torn; /* the log ends within the line */
	bool is_inner; /* a newline within the text of a record is before it */
	bool has_more; /* such a newline ends it */
	bool is_doubtful; /* it may be another CPU's */
	bool may_be_of_lockup; /* of a text: no trace that is being printed has it */
	/* The builder's counts when the line began. */
	uint64_t nr_gaps, nr_lost;
};

struct text {
	char *raw;
	bool *known;
	size_t len, room;
};
/* Appends len bytes. bytes NULL: zeros; known NULL: all bytes are known. False: out of memory. */
bool nmibt_text_put(struct text *text, const char *bytes, const bool *known, size_t len);

/* ------------------------------------------------------------------ streams */

/* The maximum number of lines in a row, within a printout, that do not belong to it. */
#define MAX_STRANGERS 32

enum phase {
	PHASE_LEAD, /* after the first line of a printout, before its trace */
	PHASE_HEAD, /* in a trace, before "Call Trace:" */
	PHASE_FRAMES, /* in a trace, after "Call Trace:" */
	PHASE_BEHIND, /* after the frames of a trace; registers may follow */
	PHASE_TAIL, /* in a printout whose trace has ended */
};

/* Something that a caller has begun to print: a printout, perhaps with a trace of it, or a trace
 * without a printout. */
struct level {
	uint64_t printout; /* number; 0: none */
	size_t trace; /* index + 1 of the trace that is being printed; 0: none */
	enum phase phase;
	enum nmibt_print kind; /* of the printout */
	bool has_heading; /* of an oops: the heading was printed, so its cause is complete */
	bool has_trace; /* the printout has had a trace */
	bool is_user; /* the registers are those of user mode */
	bool is_complete; /* the last frame was an outermost one, outside of all marks */
	bool has_thread_start; /* a frame in which a kernel thread begins came, outside of all marks */
	bool has_cpu_line;
	/* index + 1 of a trace that interrupted this level, whose end no line showed, and after
	 * which no line of this level has come; 0: none */
	size_t was_left;
	bool is_unsure; /* the lines behind the last one may have been of another level */
	bool is_doubtful; /* a trace behind its first lines may be another one's, see below */
	bool has_refused; /* a trace that may be this one's or another one's came behind its first lines */
	bool names_another_task; /* of a lockup: a line behind its title does */
	unsigned int open_marks; /* " <IRQ>" without " </IRQ>" */
	unsigned int strangers; /* lines in a row that do not belong to it */
	uint64_t nr_gaps, nr_lost; /* the builder's counts at the level's last line */
	uint64_t first_seq, begun_ns; /* of the first line in text */
	uint64_t last_seq; /* of the last line that was put there */
	/* What becomes raw, known and len of its struct nmibt_log_trace, whose rule for the place
	 * of lost lines holds here, too. */
	struct text text;
};

#define MAX_LEVELS 4

/* The state of one caller. */
struct stream {
	struct stream *next; /* in its bucket */
	uint32_t caller_id;
	size_t own_title; /* index + 1: the answer that it has just printed */
	/* Indexes + 1: of which nothing told the end. Where callers are known it is the newest. */
	size_t unsure_traces[MAX_LEVELS];
	unsigned int nr_unsure;
	uint64_t unsure_gaps; /* nr_gaps of the builder then */
	uint64_t last_seq; /* of its newest line */
	/*
	 * Where nobody knows callers all CPUs are one stream. For so many lines something that
	 * began before may go on: what begins meanwhile gets no trace, or one that is marked, as
	 * that may be the other's. Answers to one request do not meet each other, as a lock is held
	 * for each.
	 */
	unsigned int doubt_left;
	bool doubts_answers; /* what may go on is no answer */
	unsigned int nr_doubts; /* how many that are; an outermost frame of no trace ends one */
	unsigned int nr_levels;
	struct level levels[MAX_LEVELS]; /* the innermost last */
	/* A line without a newline so far. */
	bool is_open;
	bool line_is_inner;
	uint64_t line_seq, line_ns, piece_seq, piece_ns, line_gaps, line_lost;
	struct text line;
};

#define NR_BUCKETS 1024

struct nmibt_log_builder {
	enum nmibt_arch arch;
	/* By mixed.c: lines behind "CPU: 1 PID: ..." are of that trace. Where another one was not seen
	 * to end they may be of that, and are shown with a mark. */
	bool is_sorted;
	bool failed; /* out of memory */
	struct stream *buckets[NR_BUCKETS]; /* by caller, the newest first */
	size_t traces_room, printouts_room, requests_room, events_room, gaps_room;
	/* How many were dropped. Numbers begin with 1, so the first one that is left has the
	 * number dropped + 1. */
	uint64_t printouts_dropped, requests_dropped, events_dropped;
	uint64_t nr_gaps, nr_lost; /* since the first record */
	uint64_t losing; /* number of lost records before the next one */
	uint64_t panic; /* number of the newest panic's printout; 0: none */
	void *stalled_tasks; /* a tree of tsearch(), by printout and PID */
	struct {
		uint64_t answered; /* number of the newest request that it answered */
		uint64_t searched; /* requests up to this number expect no answer any more */
		uint64_t seen; /* nr_gaps + 1 at its last line; 0: there was none */
		uint64_t titled; /* seq + 1 of a title whose "CPU: " line is to come; 0: none */
	} cpus[NMIBT_MAX_CPUS];
};

void nmibt_log_builder_close(struct nmibt_log_builder *builder); /* NULL is allowed */
struct stream *nmibt_stream_find(struct nmibt_log_builder *builder, uint32_t caller_id);
/* NULL: out of memory. */
struct stream *nmibt_stream_get(struct nmibt_log_source *log, uint32_t caller_id);

/* Takes a line that the kernel itself printed. */
void nmibt_log_take_line(struct nmibt_log_source *log, const struct nmibt_log_line *line);
/* To be called after the last line of the stream. */
void nmibt_log_end_stream(struct nmibt_log_source *log, struct stream *s);

/* -------------------------------------------------------- a line that is taken */

struct taken {
	struct nmibt_log_source *log;
	struct nmibt_log_builder *b;
	const struct nmibt_log_line *line;
	struct nmibt_printed p; /* the line, recognised */
	bool is_cut; /* a part of it can't be read */
	bool is_first; /* the first line of its CPU, before which others may be missing */
	struct stream *s; /* of the line's caller; NULL: it has none yet */
};

/* Why a level ends. */
enum end {
	END_TOLD, /* a line showed that it was the last one */
	END_WENT_ON, /* its caller printed something else */
	END_NO_MORE, /* there are no more lines */
};

/* NMIBT_NO_CPU: a task, or no CPU that there can be. */
uint32_t nmibt_cpu_of_caller(uint32_t caller_id);
/* True: the line, which the level takes, may be of what began before it. */
bool nmibt_is_shown_in_doubt(const struct taken *t, const struct level *l);
/* True: nobody knows the line's caller, and it is a frame that a complete trace can hardly have. */
bool nmibt_is_behind_end(const struct taken *t, const struct level *l);
/* The innermost level. NULL: the caller has begun nothing. */
struct level *nmibt_top_level(struct stream *s);
struct nmibt_log_trace *nmibt_level_trace(struct nmibt_log_source *log, const struct level *l);
/* The number of the innermost printout that the caller is in; 0: none. */
uint64_t nmibt_current_printout(const struct stream *s);
void nmibt_touch_printout(struct taken *t, uint64_t number);

/* Adds the line to the level's text. */
void nmibt_level_put(struct taken *t, struct level *l);
void nmibt_level_drop_text(struct level *l);
/* Adds an innermost level; NULL: out of memory. */
struct level *nmibt_push(struct taken *t);
void nmibt_pop(struct taken *t, enum end end);
void nmibt_pop_all(struct taken *t);
/* Ends the innermost level's trace; and the level, too, if it has no printout. */
void nmibt_end_top_trace(struct taken *t, enum end end);
/*
 * True: the line's caller may have been interrupted within its innermost level. Only an interrupt
 * can be interrupted by code with the same caller. False after a gap, where that is not known.
 */
bool nmibt_may_be_interrupted(const struct taken *t);
/* Something begins that belongs to none of the caller's traces: its traces end, except those that
 * it may have interrupted. */
void nmibt_leave_trace(struct taken *t, bool may_interrupt);

/* Something that was begun may go on behind what its stream prints now. */
void nmibt_doubt(struct stream *s, bool is_answer);
/* May what begins now get the lines of something else? */
bool nmibt_is_doubtful(const struct stream *s, bool is_answer);
/* The printout kind begins before others of the stream have their traces. An oops or a panic among these does not name its CPU, so that
 * the trace that comes next may be of either. */
void nmibt_doubt_lead(struct taken *t, enum nmibt_print kind);
/* Something in doubt goes on, or this is its outermost frame. */
void nmibt_go_on_doubting(struct taken *t);
/* A trace of which nothing told the end had none, if its caller goes on with frames. */
void nmibt_cut_unsure(struct taken *t);
/* True: what may have gone on is of the CPU that begins its trace here, so that it has ended. */
bool nmibt_settles_doubt(const struct taken *t, const struct level *l);
/* True: the trace can be nobody else's, or only that of a lockup before it, whose end someone left out, too. */
bool nmibt_has_no_rival(const struct taken *t, const struct level *l);
/* Remembers titles of backtraces until the line with the CPU comes. */
void nmibt_see_title(const struct taken *t);
/* False: the CPU whose line comes prints of something else than what the level is about. */
bool nmibt_is_reporter(const struct taken *t, const struct level *l);
/* The trace that begins may be of a printout that did not take it. Then the next one is as little its own for sure. */
void nmibt_refuse_trace(struct taken *t);

void nmibt_begin_trace(struct taken *t, struct level *l, enum nmibt_evidence_kind kind,
		       uint32_t cpu);
bool nmibt_is_of_trace(const struct taken *t, const struct level *l);
/* Of a text: the line begins the trace of the level: of a lockup, whose line with the CPU someone left out, or of an oops of
 * i386, which has none. */
bool nmibt_begins_shortened(const struct taken *t, const struct level *l);
/* Begins that trace, of which a lockup's lacks its beginning. Where that fails the level has no trace. */
void nmibt_begin_shortened(struct taken *t, struct level *l);
/* Does the line name another task than the title of the lockup whose trace has not begun? */
void nmibt_see_task(struct taken *t);
/* Of a text: what the innermost level gets much later than its last line is marked. */
void nmibt_see_pause(struct taken *t);
/* Takes a line of the innermost level's trace. If it is the last line, the level may be gone
 * afterwards. */
void nmibt_take_trace_line(struct taken *t, struct level *l);

/* Adds the level of a new printout; NULL: out of memory. */
struct level *nmibt_begin_printout(struct taken *t, enum nmibt_print kind, enum phase phase);
/* Ends the caller's printouts because a new one begins; not a panic, and not one that the new one
 * may have interrupted. */
void nmibt_end_printouts(struct taken *t);
void nmibt_learn_reporter(struct taken *t, uint64_t printout, uint32_t cpu);
/* Copies the task that the line names; *task is unchanged if it names none. */
void nmibt_copy_task(struct nmibt_task *task, const struct nmibt_printed *p);
void nmibt_add_said_cpus(struct taken *t, struct nmibt_cpus *cpus);

void nmibt_take_request(struct taken *t);
void nmibt_take_sysrq_request(struct taken *t);
void nmibt_take_title(struct taken *t);
void nmibt_take_stopping(struct taken *t);

/* A copy of the line, "..." behind it where it is cut. The caller frees it; NULL: out of memory. */
char *nmibt_copy_line(struct taken *t);
void nmibt_take_event(struct taken *t);
/* A CPU came, or was unplugged. */
void nmibt_take_hotplug(struct taken *t);
/* What the line says of the hardware and the taint. */
void nmibt_take_machine(struct taken *t);
/* Takes a line that says how many messages were dropped. */
void nmibt_take_dropped(struct taken *t);

/* ------------------------------------------------------------------- tables */

/* These return the number of the new element; 0: out of memory. */
uint64_t nmibt_log_add_printout(struct nmibt_log_source *log, const struct nmibt_printout *from);
uint64_t nmibt_log_add_request(struct nmibt_log_source *log, const struct nmibt_request *from);
/* The table takes ownership of all strings and sets. */
void nmibt_log_add_event(struct nmibt_log_source *log, const struct nmibt_log_event *from);
void nmibt_log_add_gap(struct nmibt_log_source *log, const struct nmibt_log_gap *from);
/* Returns the index + 1. */
size_t nmibt_log_add_trace(struct nmibt_log_source *log, const struct nmibt_log_trace *from);

/* NULL: the element with this number was dropped, or never existed. */
struct nmibt_printout *nmibt_log_printout(struct nmibt_log_source *log, uint64_t number);
struct nmibt_request *nmibt_log_request(struct nmibt_log_source *log, uint64_t number);
/* Replaces numbers by indexes, when the log was read. */
void nmibt_log_number(struct nmibt_log_source *log);

#endif /* NMIBT_PRINTOUTS_H */
