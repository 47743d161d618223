/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the records of a log become printouts, requests and traces. Records become lines
 * (log-lines.c), lines mean something to what their caller is in the middle of
 * (printouts.c, log-levels.c, log-traces.c, log-requests.c, log-events.c), and what comes
 * of it is kept in tables (log-tables.c).
 */
#ifndef NMIBT_PRINTOUTS_H
#define NMIBT_PRINTOUTS_H

#include "source/source.h"

/* ------------------------------------------------------------ the whole way */

/* Nothing is in *ret yet. */
struct nmibt_error *nmibt_log_source_new(enum nmibt_arch arch, struct nmibt_log_source **ret);
/* nr records are missing before the next one. A jump in the numbers of the records is
 * noticed by itself. */
void nmibt_log_source_lose(struct nmibt_log_source *log, uint64_t nr);
/* In the order of the log. */
void nmibt_log_source_visit(struct nmibt_log_source *log, const struct nmibt_log_record *record);
/* After the last record. */
struct nmibt_error *nmibt_log_source_finish(struct nmibt_log_source *log);
/* As nmibt_log_evidence(). */
struct nmibt_error *nmibt_read_log_trace(const struct nmibt_log_source *log, enum nmibt_arch arch,
					 size_t i, struct nmibt_evidence *ret);

/* ------------------------------------------------------------- sets of CPUs */

/* False: out of memory. */
bool nmibt_cpus_add(struct nmibt_cpus *cpus, unsigned int cpu);
bool nmibt_cpus_add_list(struct nmibt_cpus *cpus, struct nmibt_str list);
void nmibt_cpus_destroy(struct nmibt_cpus *cpus);

/* -------------------------------------------------------------------- lines */

/* Outside of tasks the caller is the CPU (kernel/printk/printk.c: printk_caller_id(), 5.10
 * to 6.12). */
#define CALLER_IS_CPU 0x80000000

/* What one caller printed up to a newline, or what there is of it. */
struct nmibt_log_line {
	uint32_t caller_id;
	uint64_t first_seq, first_ns; /* of the record that begins it */
	uint64_t last_seq, last_ns; /* of the last one that has a part of it */
	/* Of the record that showed that it had ended, by which things are ordered. */
	uint64_t seq, ts_ns;
	const char *text;
	const bool *known; /* len; NULL: all is known */
	size_t len; /* without newline */
	size_t missing; /* bytes behind text that can't be read */
	bool is_torn; /* the log ends in it */
	/* Of the builder when the line was begun. */
	uint64_t nr_gaps, nr_lost;
};

struct text {
	char *raw;
	bool *known;
	size_t len, room;
};
/* bytes NULL: zeros; known NULL: all is. False: out of memory. */
bool nmibt_text_put(struct text *text, const char *bytes, const bool *known, size_t len);

/* ------------------------------------------------------------------ streams */

/* So many lines in a row that say nothing may stand in what is printed. */
#define MAX_STRANGERS 32

enum phase {
	PHASE_LEAD, /* behind the first line of a printout, before a trace */
	PHASE_HEAD, /* in a trace, before "Call Trace:" */
	PHASE_FRAMES, /* behind it */
	PHASE_BEHIND, /* behind the frames of a trace; registers may follow */
	PHASE_TAIL, /* of a printout whose trace has ended */
};

/* Something that a caller is in the middle of: a printout, a trace of it, or a trace of
 * none. */
struct level {
	uint64_t printout; /* number; 0: none */
	size_t trace; /* index + 1: that is being printed; 0: none */
	enum phase phase;
	enum nmibt_print kind; /* of the printout */
	bool has_heading; /* of an oops: its cause is over */
	bool has_trace; /* of the printout: there was one */
	bool is_user; /* the registers are those of user mode */
	bool is_complete; /* what was printed last is outermost */
	bool has_cpu_line;
	/* index + 1: a trace stood upon this one, nothing told its end, and no line of this
	 * one has followed; 0: none */
	size_t was_left;
	bool is_unsure; /* the lines behind the last one may have been of another level */
	unsigned int open_marks; /* " <IRQ>" without " </IRQ>" */
	unsigned int strangers; /* lines in a row that say nothing of it */
	uint64_t nr_gaps, nr_lost; /* of the builder at its last line */
	uint64_t first_seq, begun_ns; /* of text */
	struct text text;
};

#define MAX_LEVELS 4

/* What one caller prints. */
struct stream {
	struct stream *next; /* in its bucket */
	uint32_t caller_id;
	size_t own_title; /* index + 1: the answer that it has just printed */
	size_t unsure_trace; /* index + 1: the newest of which nothing told the end */
	uint64_t unsure_gaps; /* nr_gaps of the builder then */
	uint64_t last_seq; /* of its newest line */
	unsigned int nr_levels;
	struct level levels[MAX_LEVELS]; /* the innermost last */
	/* A line that has no newline yet. */
	bool is_open;
	uint64_t line_seq, line_ns, piece_seq, piece_ns, line_gaps, line_lost;
	struct text line;
};

#define NR_BUCKETS 1024

struct nmibt_log_builder {
	enum nmibt_arch arch;
	bool failed; /* out of memory */
	struct stream *buckets[NR_BUCKETS]; /* by caller, the newest first */
	size_t traces_room, printouts_room, requests_room, events_room, gaps_room;
	/* Numbers begin with 1, so the first that is left has this one + 1. */
	uint64_t printouts_dropped, requests_dropped, events_dropped;
	uint64_t nr_gaps, nr_lost; /* since the first record */
	uint64_t losing; /* records before the next one */
	uint64_t panic; /* number of the newest panic's printout; 0: none */
	struct {
		uint64_t answered; /* number of the newest request that it answered */
		uint64_t searched; /* no request up to this one waits for its answer */
		uint64_t seen; /* nr_gaps + 1 at its last line; 0: there was none */
	} cpus[NMIBT_MAX_CPUS];
};

void nmibt_log_builder_close(struct nmibt_log_builder *builder); /* NULL is allowed */
struct stream *nmibt_stream_find(struct nmibt_log_builder *builder, uint32_t caller_id);
/* NULL: out of memory. */
struct stream *nmibt_stream_get(struct nmibt_log_source *log, uint32_t caller_id);

/* A line of the kernel's own. */
void nmibt_log_take_line(struct nmibt_log_source *log, const struct nmibt_log_line *line);
/* There are no more lines of it. */
void nmibt_log_end_stream(struct nmibt_log_source *log, struct stream *s);

/* -------------------------------------------------------- a line that is taken */

struct taken {
	struct nmibt_log_source *log;
	struct nmibt_log_builder *b;
	const struct nmibt_log_line *line;
	struct nmibt_printed p; /* what it says */
	bool is_first; /* of its CPU, and there may have been others before */
	struct stream *s; /* of its caller; NULL: none yet */
};

enum end {
	END_TOLD, /* that was its last line */
	END_WENT_ON, /* its caller prints something else */
	END_NO_MORE, /* there are no more lines */
};

/* NMIBT_NO_CPU: a task, or no CPU that there can be. */
uint32_t nmibt_cpu_of_caller(uint32_t caller_id);
/* NULL: the caller is in the middle of nothing. */
struct level *nmibt_top_level(struct stream *s);
struct nmibt_log_trace *nmibt_level_trace(struct nmibt_log_source *log, const struct level *l);
/* The number of the innermost printout that the caller is in; 0: none. */
uint64_t nmibt_current_printout(const struct stream *s);
void nmibt_touch_printout(struct taken *t, uint64_t number);

/* The line is a part of the level's text. */
void nmibt_level_put(struct taken *t, struct level *l);
void nmibt_level_drop_text(struct level *l);
/* A new level upon the others; NULL: out of memory. */
struct level *nmibt_push(struct taken *t);
void nmibt_pop(struct taken *t, enum end end);
void nmibt_pop_all(struct taken *t);
/* A level without a printout is one trace, and ends with it. */
void nmibt_end_top_trace(struct taken *t, enum end end);
/*
 * May the line's caller have been interrupted in the middle of its innermost level? Only
 * an interrupt can be interrupted by what has the same caller. Behind a gap nobody knows.
 */
bool nmibt_may_be_interrupted(const struct taken *t);
/* Something begins that is of no trace that its caller is in: traces end, unless it may
 * have interrupted them. */
void nmibt_leave_trace(struct taken *t, bool may_interrupt);

void nmibt_begin_trace(struct taken *t, struct level *l, enum nmibt_evidence_kind kind,
		       uint32_t cpu);
bool nmibt_is_of_trace(const struct taken *t, const struct level *l);
/* Of the innermost level's trace; it may be the last one, and the level gone then. */
void nmibt_take_trace_line(struct taken *t, struct level *l);

/* The level of a new printout; NULL: out of memory. */
struct level *nmibt_begin_printout(struct taken *t, enum nmibt_print kind, enum phase phase);
/* A printout begins: those before it end, but a panic, and what it may have interrupted. */
void nmibt_end_printouts(struct taken *t);
void nmibt_learn_reporter(struct taken *t, uint64_t printout, uint32_t cpu);
/* The task that the line names; *task stays where it names none. */
void nmibt_copy_task(struct nmibt_task *task, const struct nmibt_printed *p);
void nmibt_add_said_cpus(struct taken *t, struct nmibt_cpus *cpus);

void nmibt_take_request(struct taken *t);
void nmibt_take_sysrq_request(struct taken *t);
void nmibt_take_title(struct taken *t);
void nmibt_take_stopping(struct taken *t);

/* A copy of the line, which the caller frees; NULL: out of memory. */
char *nmibt_copy_line(struct taken *t);
void nmibt_take_event(struct taken *t);
/* What the line says of the hardware and the taint. */
void nmibt_take_machine(struct taken *t);
/* The line says that others were dropped. */
void nmibt_take_dropped(struct taken *t);

/* ------------------------------------------------------------------- tables */

/* The number of what is new; 0: out of memory. */
uint64_t nmibt_log_add_printout(struct nmibt_log_source *log, const struct nmibt_printout *from);
uint64_t nmibt_log_add_request(struct nmibt_log_source *log, const struct nmibt_request *from);
/* All strings and sets are the table's then. */
void nmibt_log_add_event(struct nmibt_log_source *log, const struct nmibt_log_event *from);
void nmibt_log_add_gap(struct nmibt_log_source *log, const struct nmibt_log_gap *from);
/* The index + 1. */
size_t nmibt_log_add_trace(struct nmibt_log_source *log, const struct nmibt_log_trace *from);

/* NULL: there is none of this number any more. */
struct nmibt_printout *nmibt_log_printout(struct nmibt_log_source *log, uint64_t number);
struct nmibt_request *nmibt_log_request(struct nmibt_log_source *log, uint64_t number);
/* Numbers become indexes. */
void nmibt_log_number(struct nmibt_log_source *log);

#endif /* NMIBT_PRINTOUTS_H */
