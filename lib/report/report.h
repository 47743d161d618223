/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report: what stands for each CPU, by one rule (docs/evidence.md), and what follows
 * from it. Sources yield evidence, select.c alone decides.
 */
#ifndef NMIBT_REPORT_H
#define NMIBT_REPORT_H

#include "image/image.h"
#include "source/source.h"

/* ------------------------------------------------------------------- order, age */

struct nmibt_age {
	enum nmibt_age_kind kind;
	int64_t ns; /* negative: after the death */
	bool suspended; /* the machine slept in between: ns is of the time awake */
	/* Of an unknown age: the order of the records tells all the same. */
	bool is_before, is_after;
};

/* -------------------------------------------------------------------- the death */

struct nmibt_death {
	bool is_known; /* false: nobody panicked */
	bool by_capture, by_panic_cpu, by_kdump, by_log; /* what tells of it */
	uint32_t reporter; /* that called panic(); NMIBT_NO_CPU: not known */
	bool is_reporter_subject;
	bool *subjects; /* for each of the report's CPUs */
	unsigned int nr_subjects;
	struct nmibt_task *tasks; /* blocked tasks that it is about */
	size_t nr_tasks;
	size_t printout, cause; /* index + 1 in the log's: of the panic, and what it came out of */
	bool has_seq; /* the log has its first record */
	uint64_t seq, ns;
	const char *message; /* untrusted; NULL: not known */
	char *dump_failed; /* the capture kernel's own panic, untrusted; NULL: none */
};

/* ------------------------------------------------------------------- conditions */

/* One watchdog's reports about one CPU, task or grace period. */
struct nmibt_condition {
	enum nmibt_print kind;
	struct nmibt_cpus cpus;
	struct nmibt_task task;
	unsigned int count; /* of reports */
	bool has_since; /* false: its first report does not tell since when */
	uint64_t since_ns, first_ns, last_ns; /* CLOCK_LOG */
	uint64_t interval_ns; /* between reports */
	size_t first, last; /* index + 1 of the printouts */
	bool is_open;
	bool is_over; /* false, and not open: it was not reported again, and that is all */
};

/* --------------------------------------------------------------------- timeline */

struct nmibt_moment {
	enum nmibt_moment_kind kind;
	bool has_ns; /* the log has it: ns and seq are set */
	uint64_t ns; /* CLOCK_LOG */
	uint64_t seq;
	struct nmibt_age age;
	size_t condition; /* index + 1; 0: none */
	struct nmibt_cpus cpus; /* borrowed */
	char text[NMIBT_WHY_LEN]; /* printable */
};

/* ---------------------------------------------------------------------- the case */

/* Strings are untrusted; NULL: not known. */
struct nmibt_case {
	char *host;
	const char *release, *build_id;
	bool has_time;
	uint64_t time; /* of death, s since 1970 */
	bool has_uptime;
	uint64_t uptime_ns; /* at the death; without one, at the newest record of the log */
	bool is_uptime_least; /* it is at least that */
	const char *hardware;
	const char *taint; /* as printed: "Tainted: G        W  O", "Not tainted" */
	const char *setting; /* the sysctl that made a report a panic; static */
};

/* -------------------------------------------------------------------------- CPUs */

/* In what kind of function a CPU waits for others. */
enum nmibt_wait_kind {
	NMIBT_WAIT_NONE,
	NMIBT_WAIT_SPINLOCK,
	NMIBT_WAIT_RWLOCK,
	NMIBT_WAIT_CALL, /* that others run a function */
	NMIBT_WAIT_STOP_MACHINE,
};

struct nmibt_cpu {
	unsigned int cpu;
	enum nmibt_outcome outcome;
	enum nmibt_step step;
	/* Of steps 1, 2, 3 and 5; of step 4 it is empty, and stop stands. */
	struct nmibt_evidence standing;
	/* The registers at the stop, or, where its source says so, of the virtual CPU at the
	 * dump; note says what became of the crash note. */
	struct nmibt_evidence stop;
	size_t trace; /* index + 1 of the log's trace that stands; 0: none */
	/* The slot of a capture, whatever stands: */
	bool has_slot; /* slot is filled and passed its checks */
	uint64_t slot_paddr;
	struct nmi_capture_slot slot;
	bool has_stale_slot; /* its slot is of an older request: nmibt_older_next() has it */
	bool is_stale; /* it is older than what stands, as nmibt_older_next() gives it */
	bool is_idle, is_user, irqs_off;
	bool is_partial_filled; /* its slot lacks a stack; stop has it */
	enum nmibt_moved moved; /* between standing and stop */
	struct nmibt_age age; /* of standing */
	size_t condition; /* index + 1: of an open one that makes it stuck */
	uint32_t asked_by; /* of a silent CPU */
	uint64_t asked_ns, asked_seq; /* asked_seq: of the log's request */
	char why[NMIBT_WHY_LEN]; /* what failed, or why there is nothing */
	uint64_t stack_hash; /* of what stands; 0: no frames, or it makes no group */
};
void nmibt_cpu_destroy(struct nmibt_cpu *cpu);

/* What a first pass over all CPUs leaves: a few bytes for each. */
struct nmibt_cpu_brief {
	enum nmibt_outcome outcome;
	enum nmibt_step step;
	enum nmibt_source source;
	enum nmibt_moved moved;
	enum nmibt_note note;
	enum nmibt_wait_kind wait;
	uint64_t stack_hash;
	size_t condition;
	bool has_stale_slot, has_older;
	bool is_idle, is_user, irqs_off, is_late;
	bool faulted; /* its capture broke off by a fault */
	bool lost; /* lost or unreadable bytes, or damage */
	uint64_t lost_bytes, unread, lost_records;
	struct nmibt_task task;
};

/* ------------------------------------------------------------------------ sources */

struct nmibt_source_state {
	enum nmibt_found found;
	char why[NMIBT_WHY_LEN]; /* printable; may be empty */
};

struct nmibt_sources {
	struct nmibt_capture capture;
	bool has_capture;
	struct nmibt_log_source *log; /* NULL: can't be read */
	/* Not looked for where there is a capture, which has all that they tell: */
	const struct nmibt_percpu *percpu; /* the kernel's; NULL: not known */
	bool has_buffers; /* NMI buffers */
	const struct nmibt_vcpus *vcpus; /* the kernel's; NULL: not known, or not to be used */
	struct nmibt_unwinder *unwinder; /* NULL: not needed yet, or there is no way */
	bool unwinder_tried;
	struct nmibt_source_state states[NMIBT_NR_SOURCES];
};

struct nmibt_report {
	struct nmibt_input *input; /* borrowed; NULL: it was made of an image */
	struct nmibt_kernel *kernel;
	enum nmibt_source only;
	struct nmibt_sources *sources; /* its unwinder is opened when it is needed */
	struct nmibt_case case_info;
	struct nmibt_death death;
	struct nmibt_condition *conditions;
	size_t nr_conditions;
	struct nmibt_moment *timeline; /* the oldest first */
	size_t nr_moments;
	uint64_t *suspends; /* seq of what ended a run of the clock, ascending */
	size_t nr_suspends;
	unsigned int nr_cpus; /* in the next two */
	bool are_all_known; /* false: there may be more CPUs than the sources tell of */
	struct nmibt_cpu_brief *cpus;
	bool *possible; /* false: there is no CPU of this number */
	unsigned int nr_possible;
	unsigned int by_outcome[NMIBT_NR_OUTCOMES];
	unsigned int nr_stale; /* have a slot of an older request */
	/* The image is of a capture kernel, and nothing of it is evidence: it has no CPUs. */
	bool is_capture_kernel;
	bool has_note; /* of some CPU: it shows that it was stopped */
	bool was_stopped; /* some CPU has a crash note: there was a stop */
	bool complete; /* false: something could not be read or was lost */
};

/* As nmibt_report_open(); image is borrowed for the life of the report. */
struct nmibt_error *nmibt_report_make(const struct nmibt_image *image, enum nmibt_source only,
				      struct nmibt_report **ret);

/* Everything about one CPU; what is damaged is said in ret, not an error. The caller
 * destroys ret. */
struct nmibt_error *nmibt_report_read_cpu(const struct nmibt_report *report, unsigned int cpu,
					  struct nmibt_cpu *ret);

/* What is known of a CPU beside what stands, the newest of each source first. */
struct nmibt_older {
	const struct nmibt_report *report;
	unsigned int cpu;
	bool slot; /* the CPU's, which is of an older request, comes next */
	size_t standing; /* index + 1 of the trace that stands */
	size_t next; /* index + 1 of the next trace of the log */
	unsigned int nth; /* of the buffers' residue */
};
struct nmibt_error *nmibt_older_begin(const struct nmibt_report *report, unsigned int cpu,
				      struct nmibt_older *ret);
/* *ret_found is false behind the last one, and ret is not set then. */
struct nmibt_error *nmibt_older_next(struct nmibt_older *older, struct nmibt_cpu *ret,
				     bool *ret_found);

/* --------------------------------------------------------- the parts of the report */

/* All that follows from the sources, which are open. */
struct nmibt_error *nmibt_report_conclude(struct nmibt_report *report);

struct nmibt_error *nmibt_find_death(struct nmibt_report *report);
struct nmibt_error *nmibt_find_subjects(struct nmibt_report *report);
void nmibt_death_destroy(struct nmibt_death *death);
/* Did the machine sleep between these records? That ends every report and condition. */
bool nmibt_was_suspended(const struct nmibt_report *report, uint64_t from_seq, uint64_t to_seq);
/* Were the other CPUs stopped as the kernel died? */
bool nmibt_is_stop_certain(const struct nmibt_report *report);
/* Does what was printed as printout i (index + 1), or by a trace outside of any at seq,
 * belong to the death? */
bool nmibt_belongs(const struct nmibt_report *report, size_t printout, uint64_t seq);

struct nmibt_error *nmibt_find_conditions(struct nmibt_report *report);
/* Is it a kind of report that repeats while something stays wrong? */
bool nmibt_is_condition(enum nmibt_print kind);
bool nmibt_condition_is_about(const struct nmibt_condition *condition, unsigned int cpu);
/* Of its newest report. */
struct nmibt_age nmibt_age_of_condition(const struct nmibt_report *report,
					const struct nmibt_condition *condition);
void nmibt_conditions_destroy(struct nmibt_report *report);

struct nmibt_error *nmibt_make_timeline(struct nmibt_report *report);

void nmibt_fill_case(const struct nmibt_report *report, struct nmibt_case *ret);
void nmibt_case_destroy(struct nmibt_case *case_info);
/* The next letter of a taint as the kernel printed it, from *at on, which is 0 at first; '\0':
 * there is none. */
char nmibt_next_taint(const char *taint, size_t *at);
/* What a letter of the kernel's taint flags means; NULL: not known. */
const char *nmibt_taint_words(char letter);

struct nmibt_age nmibt_age_of(const struct nmibt_report *report, enum nmibt_clock clock,
			      uint64_t ns, uint64_t seq);
/* "3.200 s", "2 h 5 min": without a sign. */
void nmibt_format_duration(int64_t ns, char *buf, size_t len);
/* "-74 s", "-5 min or more", "?": beside the death, which is 0. */
void nmibt_format_offset(struct nmibt_age age, char *buf, size_t len);
/* "3.2 s before the panic", "at least 5 min before the dump, suspended in between"; empty
 * where the age is unknown. */
void nmibt_format_age(const struct nmibt_report *report, struct nmibt_age age, char *buf,
		      size_t len);

/* Is this source among those that were asked for? */
bool nmibt_may_use(const struct nmibt_report *report, enum nmibt_source source);
bool nmibt_may_use_buffers(const struct nmibt_report *report);
/* Index + 1 of the newest trace of a CPU, if the log may be used; 0: none. */
size_t nmibt_newest_trace(const struct nmibt_report *report, unsigned int cpu);

/* What became of a CPU by a text of this kind, where the text is not that of its panic. */
enum nmibt_outcome nmibt_outcome_of_kind(enum nmibt_evidence_kind kind);
/* What became of a CPU by its slot. */
enum nmibt_outcome nmibt_outcome_of_slot(const struct nmibt_evidence *evidence);
/* The one decision: fills in outcome, step and standing of ret->cpu. */
struct nmibt_error *nmibt_select(const struct nmibt_report *report, struct nmibt_cpu *ret);
/* As nmibt_unwind_evidence(), of the registers at the stop. */
struct nmibt_error *nmibt_unwind_stop(const struct nmibt_report *report, struct nmibt_cpu *cpu);

/* What stands: its evidence, whatever the step. */
const struct nmibt_evidence *nmibt_shown(const struct nmibt_cpu *cpu);

/* Between a backtrace and the stop: did the CPU move? By registers where evidence has
 * them, else by what its text says. */
enum nmibt_moved nmibt_compare(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
			       const struct nmibt_evidence *stop);
/* Confirmed: the same task and stack, and chains of functions that differ in the innermost
 * function at most; or the same task in user mode both times; or idle both times. In doubt
 * it is not. */
bool nmibt_is_confirmed(const struct nmibt_evidence *evidence, const struct nmibt_evidence *stop);

/* "no answer in 500 ms", for CPUs that were asked. */
void nmibt_format_no_answer(const struct nmi_capture_desc *desc, char *buf, size_t len);
/* Was it looked into, and may it be used? */
bool nmibt_is_source_tried(const struct nmibt_report *report, enum nmibt_source source);
/* Why each of the sources that may be used has nothing. */
struct nmibt_error *nmibt_nothing_error(const struct nmibt_report *report);
bool nmibt_log_tells(const struct nmibt_report *report);
struct nmibt_error *nmibt_open_sources(struct nmibt_report *report);
/* CPUs have numbers below it; 0: nothing tells of any. */
unsigned int nmibt_sources_nr_cpus(const struct nmibt_sources *sources);
bool nmibt_sources_know_cpu(const struct nmibt_sources *sources, unsigned int cpu);
void nmibt_close_sources(struct nmibt_report *report);

/* ------------------------------------------------------------------------- waits */

/* What a CPU waits for, by the function that it waits in. */
struct nmibt_wait {
	enum nmibt_wait_kind kind;
	const char *function;
	uint64_t lock; /* virtual address; 0: unknown */
	uint32_t word; /* of the lock, in memory */
	const char *reg; /* which holds the address */
};

/* False: none of the innermost functions waits for another CPU. The lock is not looked for. */
bool nmibt_is_waiting(const struct nmibt_stack *stack, struct nmibt_wait *ret);
/* Sets lock, word and reg, if exactly one address in regs is of a spin lock that is
 * held and that others wait for. */
void nmibt_find_lock(const struct nmibt_report *report, const struct nmibt_regs *regs,
		     struct nmibt_wait *wait);

/* Is anything known of the CPU, be it only its outcome? older: also by what -o shows. */
bool nmibt_has_something(const struct nmibt_cpu_brief *brief, bool older);
/* In the same place at its backtrace and at the stop, or in an open condition. */
bool nmibt_is_stuck(const struct nmibt_cpu_brief *brief);

/* --------------------------------------------------------------------- diagnosis */

/* What is to be seen in the capture, and nothing that is only likely. */
struct nmibt_finding {
	enum nmibt_finding_kind kind;
	unsigned int *cpus; /* ascending; none: of the capture as a whole */
	size_t nr_cpus;
	char text[NMIBT_WHY_LEN]; /* what was seen, printable; may be empty */
};

struct nmibt_diagnosis {
	struct nmibt_finding *findings; /* in the order of their kinds */
	size_t nr;
};

struct nmibt_error *nmibt_diagnose(const struct nmibt_report *report, struct nmibt_diagnosis *ret);
void nmibt_diagnosis_destroy(struct nmibt_diagnosis *diagnosis);

/* --------------------------------------------------------------------- signature */

#define NMIBT_SIGNATURE_LEN 41

struct nmibt_signature_frame {
	char *name; /* "function" or "function [module]"; untrusted text */
	bool left_out; /* of the signature */
};

struct nmibt_signature_stack {
	bool panicking; /* else: stuck */
	unsigned int *cpus; /* ascending: that have it */
	size_t nr_cpus;
	struct nmibt_signature_frame *frames; /* innermost first, of the first CPU */
	size_t nr_frames, nr_kept;
};

/* docs/signature.md */
struct nmibt_signature {
	char value[NMIBT_SIGNATURE_LEN]; /* SHA-1 in hex; empty: nothing to make it of */
	char duphash[NMIBT_SIGNATURE_LEN]; /* satyr's, of the panicking CPU; may be empty */
	struct nmibt_signature_stack *stacks; /* the panicking CPU's first */
	size_t nr_stacks;
	size_t nr_hashed; /* of them, with a frame that is not left out */
};

struct nmibt_error *nmibt_signature(const struct nmibt_report *report, struct nmibt_signature *ret);
void nmibt_signature_destroy(struct nmibt_signature *signature);

#endif /* NMIBT_REPORT_H */
