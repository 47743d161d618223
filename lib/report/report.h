/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report: which evidence stands for each CPU, by one rule (docs/evidence.md), and what follows
 * from it. The sources provide evidence; only select.c decides.
 */
#ifndef NMIBT_REPORT_H
#define NMIBT_REPORT_H

#include "image/image.h"
#include "source/source.h"

/* ------------------------------------------------------------------- order, age */

/* The machine slept somewhere between these records, or may have. */
struct nmibt_suspend {
	uint64_t first_seq, last_seq;
	bool is_sure;
	size_t event; /* index of an event that tells of it */
};

/* Clocks of two CPUs differ by less than this, unless they are not synchronised
 * (kernel/sched/clock.c, 6.12). */
#define NMIBT_CLOCK_SKEW_NS 10000000

struct nmibt_age {
	enum nmibt_age_kind kind;
	int64_t ns; /* negative: after the death */
	bool suspended; /* the machine was suspended in between: ns counts only the time awake */
	bool may_be_suspended; /* it was, or nobody knows */
	/* For an unknown age: the order of the records still tells before or after. */
	bool is_before, is_after;
};

/* -------------------------------------------------------------------- the death */

struct nmibt_death {
	bool is_known; /* false: no panic is known */
	bool by_capture, by_panic_cpu, by_kdump, by_log, by_registers,
		by_pstore; /* which evidence shows it */
	uint32_t reporter; /* the CPU that called panic(); NMIBT_NO_CPU: not known */
	bool is_reporter_subject;
	const char *from_outside; /* how it came to the reporter, as it could to any CPU; or NULL */
	bool *subjects; /* one flag for each of the report's CPUs: the death is about it */
	unsigned int nr_subjects;
	struct nmibt_task *tasks; /* that it is about: hung, or RCU waits for them */
	size_t nr_tasks;
	size_t printout, cause; /* index + 1 in the log's: the panic, and the report it came from */
	bool has_seq; /* the log has the first record of the death: seq and ns are set */
	uint64_t seq, ns;
	/* Untrusted; NULL: not known. The log's stands, unless the log has none or has only the
	 * beginning. */
	const char *message;
	char *captured; /* the message in the capture, as it is printed; NULL: there is none */
	bool is_message_captured; /* message is captured */
	bool is_message_disputed; /* message is the log's, and captured is another one */
	uint32_t moved_to; /* the CPU that went on with the reporter's panic; NMIBT_NO_CPU: none */
	/* Another CPU than the reporter asked for the capture, for an oops whose dump was not taken: it
	 * was made before the death. */
	bool is_capture_anothers;
	/* The capture was made before the death, and nothing shows that it was shortly before. */
	bool is_capture_older;
	/* When the capture was asked, by the log's clock. */
	bool has_request_ns;
	uint64_t request_ns;
	uint64_t outlived_ns; /* by which the log goes on for too long; 0: it does not */
	char *dump_failed; /* the capture kernel's own panic, untrusted; NULL: none */
};

/* ------------------------------------------------------------------- conditions */

/* All reports of one watchdog about one CPU, task or grace period. */
struct nmibt_condition {
	enum nmibt_print kind;
	enum nmibt_flavour flavour; /* of a stall */
	bool is_expedited;
	bool has_grace_period;
	int64_t grace_period;
	struct nmibt_cpus cpus; /* without those that a newer report doesn't name any more */
	struct nmibt_task task;
	/* That its newest report, a stall, names as those that RCU waits for, or that run on a
	 * stalled pool of workers; without those that newer evidence shows elsewhere, unless it
	 * shows all. */
	struct nmibt_task *tasks;
	size_t nr_tasks;
	int32_t *pids; /* of all tasks that its newest report names, ascending */
	size_t nr_pids;
	bool have_tasks_left; /* newer evidence shows all of its tasks elsewhere */
	struct nmibt_owner owner; /* of a hung task, by its newest report */
	unsigned int count; /* of reports */
	bool has_since; /* false: its first report does not tell since when */
	uint64_t since_ns, first_ns, last_ns; /* CLOCK_LOG */
	/* Not every report names all of its CPUs and tasks, so that since and count are those of
	 * the grace period alone. */
	bool is_uneven;
	uint64_t interval_ns; /* between reports */
	size_t first, last; /* index + 1 of the first and the last printout */
	bool is_open; /* as far as is known, it lasted until the death or the dump */
	bool is_over; /* it is known to have ended */
	bool has_gap_behind; /* records behind its newest report are lost; else, if it is neither
			      * open nor over, it was not reported again */
	bool is_replaced; /* a later report of its CPU or PID is of another one */
	bool is_suppressed; /* the kernel says that it does not report such things again */
};

/* --------------------------------------------------------------------- timeline */

struct nmibt_moment {
	enum nmibt_moment_kind kind;
	bool has_ns; /* it is in the log: ns and seq are set */
	uint64_t ns; /* CLOCK_LOG */
	uint64_t seq;
	struct nmibt_age age;
	size_t condition; /* index + 1 of the report's condition; 0: none */
	struct nmibt_cpus cpus; /* borrowed */
	char text[NMIBT_WHY_LEN]; /* printable */
};

/* ---------------------------------------------------------------------- the case */

/* Strings are untrusted; NULL: not known. */
struct nmibt_case {
	char *host;
	const char *release, *build_id;
	bool has_time;
	uint64_t time; /* of the death, s since 1970 */
	bool has_uptime;
	uint64_t uptime_ns; /* at the death; without a death, at the newest record of the log */
	bool is_uptime_least; /* the machine was up for at least uptime_ns */
	const char *hardware;
	const char *taint; /* as printed: "Tainted: G        W  O", "Not tainted" */
	char *own_taint; /* where taint is made from the capture's mask */
	uint64_t nameless_taint; /* bits of that mask whose letters nmibt does not know */
	const char *setting; /* the sysctl that turned a warning into the panic; static */
};

/* -------------------------------------------------------------------------- CPUs */

/* Kinds of functions in which a CPU waits for others. */
enum nmibt_wait_kind {
	NMIBT_WAIT_NONE,
	NMIBT_WAIT_SPINLOCK,
	NMIBT_WAIT_RWLOCK,
	NMIBT_WAIT_CALL, /* for others to run a function */
	NMIBT_WAIT_STOP_MACHINE,
};

/* What the kernel itself says of why a CPU has no registers of the stop. */
enum nmibt_absence {
	NMIBT_ABSENCE_NONE, /* nothing */
	NMIBT_ABSENCE_UNPLUGGED,
	NMIBT_ABSENCE_NOT_STOPPED, /* it did not take the stop */
};

struct nmibt_cpu {
	unsigned int cpu;
	enum nmibt_outcome outcome;
	enum nmibt_step step;
	/* The evidence that stands by steps 1, 2, 3 and 5. In step 4 it is empty and stop
	 * stands. */
	struct nmibt_evidence standing;
	/* The registers at the stop; or, if its source is VCPU, those of the virtual CPU at the
	 * dump. stop.note is the state of the crash note. */
	struct nmibt_evidence stop;
	size_t trace; /* index + 1 of the log's trace that stands; 0: none */
	/* The slot of a capture, whether it stands or not: */
	bool has_slot; /* slot is filled and passed its checks */
	uint64_t slot_paddr;
	struct nmi_capture_slot slot;
	bool has_stale_slot; /* its slot answers an older request: nmibt_older_next() returns it */
	bool is_stale; /* nmibt_older_next() returned it: it is older than what stands */
	bool is_idle, is_user, is_offline, irqs_off;
	bool is_partial_filled; /* its slot has no stack, so stop has it */
	enum nmibt_moved moved; /* between standing and stop */
	struct nmibt_age age; /* of standing */
	size_t condition; /* index + 1: of an open one that makes it stuck */
	uint32_t asked_by; /* of a silent CPU */
	uint64_t asked_ns, asked_seq; /* asked_seq: of the log's request */
	enum nmibt_absence absence;
	uint64_t absence_ns, absence_seq; /* of the record that says so */
	char why[NMIBT_WHY_LEN]; /* what failed, or why there is nothing */
	uint64_t stack_hash; /* of the stack that stands; 0: no frames, or not for groups */
};
void nmibt_cpu_destroy(struct nmibt_cpu *cpu);

/* What the first pass over all CPUs keeps of each: a few bytes. */
struct nmibt_cpu_brief {
	enum nmibt_outcome outcome;
	enum nmibt_step step;
	enum nmibt_source source;
	enum nmibt_moved moved;
	enum nmibt_note note;
	enum nmibt_wait_kind wait;
	uint64_t stack_hash;
	bool is_whole; /* the stack that stands is known to its outermost function */
	bool tells_idle; /* as nmibt_tells_idle() of its stack */
	size_t condition;
	bool has_stale_slot, has_older;
	bool is_idle, is_user, is_offline, irqs_off, is_late;
	bool faulted; /* a fault ended its capture */
	bool lost; /* lost or unreadable bytes, or damage */
	uint64_t lost_bytes, unread, lost_records;
	struct nmibt_task task;
};

/* ------------------------------------------------------------------------ sources */

struct nmibt_source_state {
	enum nmibt_found found;
	bool is_lossy; /* true: a part of what it had can't be read, as why says */
	char why[NMIBT_WHY_LEN]; /* printable; may be empty */
};

struct nmibt_sources {
	struct nmibt_capture capture;
	bool has_capture;
	struct nmibt_log_source *log; /* NULL: it can't be read */
	/* If there is a capture, these are not opened: it has everything that they would tell. */
	const struct nmibt_percpu *percpu; /* the kernel's; NULL: not known */
	bool has_buffers; /* NMI buffers */
	const struct nmibt_vcpus *vcpus; /* the kernel's; NULL: not known, or must not be used */
	struct nmibt_follower follower;
	struct nmibt_source_state states[NMIBT_NR_SOURCES];
};

/* Data of the CPUs, the kernel's symbols, and its modules. */
#define NMIBT_MAX_LOST 3

struct nmibt_report {
	struct nmibt_input *input; /* borrowed; NULL: the report was made from an image */
	struct nmibt_kernel *kernel;
	enum nmibt_source only;
	struct nmibt_sources *sources; /* its follower changes */
	struct nmibt_case case_info;
	struct nmibt_death death;
	uint64_t boot_from, boot_to; /* the log's records of the boot that died: [from, to) */
	struct nmibt_condition *conditions;
	size_t nr_conditions;
	struct nmibt_moment *timeline; /* the oldest first */
	size_t nr_moments;
	struct nmibt_suspend *suspends; /* ascending */
	size_t nr_suspends;
	unsigned int nr_cpus; /* elements of cpus and possible */
	bool are_all_known; /* false: there may be more CPUs than the sources mention */
	struct nmibt_cpu_brief *cpus;
	bool *possible; /* false: there is no CPU of this number */
	unsigned int nr_possible;
	unsigned int by_outcome[NMIBT_NR_OUTCOMES];
	unsigned int nr_stale; /* number of CPUs whose slot answers an older request */
	/* The image is that of a capture kernel, and none of its data is evidence: no CPUs. */
	bool is_capture_kernel;
	bool has_note; /* some CPU has a crash note, which shows that it was stopped */
	bool was_stopped; /* there was a kdump: CRASHTIME is set, or some CPU has a crash note */
	bool complete; /* false: something could not be read or was lost */
	/* What can't be read and belongs to no source, each as one line. */
	char lost[NMIBT_MAX_LOST][NMIBT_WHY_LEN];
	unsigned int nr_lost;
};

/* As nmibt_report_open(); image is borrowed for the life of the report. */
struct nmibt_error *nmibt_report_make(const struct nmibt_image *image, enum nmibt_source only,
				      struct nmibt_report **ret);

/* Reads everything about one CPU. Damage is no error: *ret says it. The caller destroys *ret. */
struct nmibt_error *nmibt_report_read_cpu(const struct nmibt_report *report, unsigned int cpu,
					  struct nmibt_cpu *ret);

/* Goes through the older evidence about a CPU, beside what stands; the newest of each source
 * first. */
struct nmibt_older {
	const struct nmibt_report *report;
	unsigned int cpu;
	bool slot; /* true: the CPU's slot, which answers an older request, comes next */
	size_t standing; /* index + 1 of the log's trace that stands; 0: none */
	size_t next; /* index + 1 of the next trace of the log; 0: none */
	unsigned int nth; /* number of the next piece of the buffers' residue */
};
struct nmibt_error *nmibt_older_begin(const struct nmibt_report *report, unsigned int cpu,
				      struct nmibt_older *ret);
/* *ret_found is false after the last piece of evidence; *ret is not set then. */
struct nmibt_error *nmibt_older_next(struct nmibt_older *older, struct nmibt_cpu *ret,
				     bool *ret_found);

/* --------------------------------------------------------- the parts of the report */

/* Computes everything that follows from the sources, which must be open. */
struct nmibt_error *nmibt_report_conclude(struct nmibt_report *report);

/* The first line, but for empty ones, of what panic() was given, from a message as the kernel prints
 * it, or NULL. */
struct nmibt_str nmibt_panic_words(const char *message);
/* How a panic with these words came to its reporter from outside of the kernel. NULL: it did
 * not. */
const char *nmibt_from_outside(struct nmibt_str words);
/* Sets the members about the message of the panic, when printout and by_capture are known. */
struct nmibt_error *nmibt_find_message(const struct nmibt_report *report,
				       struct nmibt_death *death);
struct nmibt_error *nmibt_find_death(struct nmibt_report *report);
struct nmibt_error *nmibt_find_subjects(struct nmibt_report *report);
/* What could tell of a death and can't be read, as half a sentence; NULL: nothing is lost that
 * could. */
const char *nmibt_lost_witness(const struct nmibt_report *report);
void nmibt_death_destroy(struct nmibt_death *death);
/* False: the record is of another boot, or of the capture kernel. */
bool nmibt_is_of_boot(const struct nmibt_report *report, uint64_t seq);
/* True: the machine was suspended between these records. That ends every report and condition. */
bool nmibt_was_suspended(const struct nmibt_report *report, uint64_t from_seq, uint64_t to_seq);
/* Finds the suspends in the log, before ages are asked for. */
struct nmibt_error *nmibt_find_suspends(struct nmibt_report *report);
/* True: it is certain that the other CPUs were stopped when the kernel died. */
bool nmibt_is_stop_certain(const struct nmibt_report *report);
/* True: the printout with this index + 1 belongs to the death; printout 0: a trace without a
 * printout, at seq, does. */
bool nmibt_belongs(const struct nmibt_report *report, size_t printout, uint64_t seq);

struct nmibt_error *nmibt_find_conditions(struct nmibt_report *report);
/* True: reports of this kind are repeated while something stays wrong. */
bool nmibt_is_condition(enum nmibt_print kind);
bool nmibt_condition_is_about(const struct nmibt_condition *condition, unsigned int cpu);
/* Takes out the tasks that this evidence, which is newer, shows elsewhere. */
void nmibt_condition_look(struct nmibt_condition *condition, const struct nmibt_evidence *evidence);
/* The age of the condition's newest report. */
struct nmibt_age nmibt_age_of_condition(const struct nmibt_report *report,
					const struct nmibt_condition *condition);
void nmibt_conditions_destroy(struct nmibt_report *report);

struct nmibt_error *nmibt_make_timeline(struct nmibt_report *report);

/* The host's name from init_uts_ns; the caller frees it. NULL: it can't be read. */
char *nmibt_read_host(struct nmibt_kernel *kernel);
void nmibt_fill_case(const struct nmibt_report *report, struct nmibt_case *ret);
void nmibt_case_destroy(struct nmibt_case *case_info);
/* The next letter of a taint as the kernel printed it, from *at on; *at is 0 at first. '\0': there
 * are no more. */
char nmibt_next_taint(const char *taint, size_t *at);
/* The meaning of a letter of the kernel's taint flags; NULL: not known. */
const char *nmibt_taint_words(char letter);

struct nmibt_age nmibt_age_of(const struct nmibt_report *report, enum nmibt_clock clock,
			      uint64_t ns, uint64_t seq);
/* Writes a duration without a sign: "3.200 s", "2 h 5 min". */
void nmibt_format_duration(int64_t ns, char *buf, size_t len);
/* Writes an age relative to the death, which is 0: "-74 s", "-5 min or more", "?". */
void nmibt_format_offset(struct nmibt_age age, char *buf, size_t len);
/* Writes an age in words: "3.2 s before the panic", "at least 5 min before the dump, suspended in
 * between"; empty if the age is unknown. */
void nmibt_format_age(const struct nmibt_report *report, struct nmibt_age age, char *buf,
		      size_t len);

/* True: the caller's options allow this source. */
bool nmibt_may_use(const struct nmibt_report *report, enum nmibt_source source);
bool nmibt_may_use_buffers(const struct nmibt_report *report);
/* Index + 1 of the newest trace of a CPU, if the log may be used; 0: none. */
size_t nmibt_newest_trace(const struct nmibt_report *report, unsigned int cpu);

/* The outcome of a CPU by a text of this kind, if the text is not that of its panic. */
enum nmibt_outcome nmibt_outcome_of_kind(enum nmibt_evidence_kind kind);
/* The outcome of a CPU by its slot. */
enum nmibt_outcome nmibt_outcome_of_slot(const struct nmibt_evidence *evidence);
/* Decides which evidence stands: sets outcome, step and standing of ret->cpu. */
struct nmibt_error *nmibt_select(const struct nmibt_report *report, struct nmibt_cpu *ret);
/* Reads the registers of cpu->cpu at the stop. cpu->slot is its slot, or empty. */
struct nmibt_error *nmibt_read_stop(const struct nmibt_report *report, struct nmibt_cpu *cpu);
/* Was it online as it was asked or as the machine died? False also: not known. */
bool nmibt_was_online(const struct nmibt_report *report, const struct nmibt_cpu *cpu);
/* Fills in absence of a CPU whose stop is read. */
void nmibt_find_absence(const struct nmibt_report *report, struct nmibt_cpu *cpu);
/* Are records missing behind the one of this number? */
bool nmibt_has_gap_behind(const struct nmibt_log_source *log, uint64_t seq);
/* As nmibt_unwind_evidence(), with the report's unwinder. */
struct nmibt_error *nmibt_follow_registers(const struct nmibt_report *report,
					   struct nmibt_evidence *evidence);
/* The same of the registers at the stop. */
struct nmibt_error *nmibt_unwind_stop(const struct nmibt_report *report, struct nmibt_cpu *cpu);

/* The evidence that stands, whatever the step. */
const struct nmibt_evidence *nmibt_shown(const struct nmibt_cpu *cpu);

/* Whether the CPU moved on between a backtrace and the stop. It compares registers if the evidence
 * has them, otherwise the text's stack. */
enum nmibt_moved nmibt_compare(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
			       const struct nmibt_evidence *stop);
/* True: the registers at the stop confirm the evidence. That needs the same task and stack, and
 * chains of functions that differ at most in the innermost one; or the same task in user mode both
 * times; or an idle CPU both times. False in case of doubt. */
bool nmibt_is_confirmed(const struct nmibt_evidence *evidence, const struct nmibt_evidence *stop);

/* Writes "no answer in 500 ms", for CPUs that were asked. */
void nmibt_format_no_answer(const struct nmi_capture_desc *desc, char *buf, size_t len);
/* Writes how long before the death the capture was made: "60 s before the panic", "some time before
 * the death". False: it is of the death. */
bool nmibt_format_lead(const struct nmibt_report *report, char *buf, size_t len);
/* Writes why a slot is not of the death, or of the last request: "was written some time before the
 * death, as CPU 2 asked". */
void nmibt_format_stale(const struct nmibt_report *report, char *buf, size_t len);
/* True: the source was looked at, and may be used. */
bool nmibt_is_source_tried(const struct nmibt_report *report, enum nmibt_source source);
/* The error that says why none of the sources that may be used has anything. */
struct nmibt_error *nmibt_nothing_error(const struct nmibt_report *report);
bool nmibt_log_tells(const struct nmibt_report *report);
struct nmibt_error *nmibt_open_sources(struct nmibt_report *report);
/* The largest CPU number that the sources know, + 1; 0: they know none. */
unsigned int nmibt_sources_nr_cpus(const struct nmibt_sources *sources);
bool nmibt_sources_know_cpu(const struct nmibt_sources *sources, unsigned int cpu);
void nmibt_close_sources(struct nmibt_report *report);

/* ------------------------------------------------------------------------- waits */

/* What a CPU waits for, as its function shows. */
struct nmibt_wait {
	enum nmibt_wait_kind kind;
	const char *function;
	uint64_t lock; /* virtual address; 0: unknown */
	uint32_t word; /* the lock's word in memory */
	const char *reg; /* the register that has the address */
};

/* False: none of the innermost functions waits for another CPU. Does not look for the lock. */
bool nmibt_is_waiting(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
		      struct nmibt_wait *ret);
/* Sets lock, word and reg, if exactly one address in regs is that of a spin lock which is held and
 * has waiters. */
void nmibt_find_lock(const struct nmibt_report *report, const struct nmibt_regs *regs,
		     struct nmibt_wait *wait);

/* True: something is known of the CPU, even if only its outcome. older: evidence that -o shows
 * counts, too. */
bool nmibt_has_something(const struct nmibt_cpu_brief *brief, bool older);
/* True: the CPU was in the same place at its backtrace and at the stop, or is in an open
 * condition. */
bool nmibt_is_stuck(const struct nmibt_cpu_brief *brief);
/* True: the CPU had interrupts off, and that says something: idle and offline CPUs, and the one
 * that panics, always have. */
bool nmibt_masks_interrupts(const struct nmibt_cpu_brief *brief);

/* --------------------------------------------------------------------- diagnosis */

/* A finding says what the report shows; nothing in it is guessed. */
struct nmibt_finding {
	enum nmibt_finding_kind kind;
	unsigned int *cpus; /* ascending; none: it is about the report as a whole */
	size_t nr_cpus;
	char text[NMIBT_WHY_LEN]; /* what was seen, printable; may be empty */
};

struct nmibt_diagnosis {
	struct nmibt_finding *findings; /* sorted by their kinds */
	size_t nr;
};

struct nmibt_error *nmibt_diagnose(const struct nmibt_report *report, struct nmibt_diagnosis *ret);
void nmibt_diagnosis_destroy(struct nmibt_diagnosis *diagnosis);

/* --------------------------------------------------------------------- signature */

/* The number of innermost frames that are of the death, or of what found it in an interrupt. */
size_t nmibt_count_finding(const struct nmibt_stack *stack);
/* True: the frame does not tell what the CPU did. */
bool nmibt_tells_nothing(const struct nmibt_frame *frame);
/* Index of the first frame, from this one on, whose function is to be blamed for what the stack shows;
 * stack->nr: none. */
size_t nmibt_find_blamed(const struct nmibt_stack *stack, size_t from);
/* True: the CPU was in no function. Who called by a pointer is on the stack, and that is often somebody
 * who calls for everybody; who set the pointer is its caller. */
bool nmibt_is_lost_call(const struct nmibt_stack *stack);
/* True: the CPU was in a function that may have no frame of its own, so that on arm64 the trace may lack
 * its caller. */
bool nmibt_may_lack_caller(const struct nmibt_stack *stack, size_t i);
/* True: the function dies because somebody outside of the kernel wanted it. */
bool nmibt_is_messenger(const struct nmibt_frame *frame);

#define NMIBT_SIGNATURE_LEN 41

struct nmibt_signature_frame {
	char *name; /* "function" or "function [module]"; untrusted text */
	bool left_out; /* it does not tell what the CPU did */
	bool counts; /* its name is part of the signature */
};

struct nmibt_signature_stack {
	bool panicking; /* false: a stack of stuck CPUs */
	unsigned int *cpus; /* the CPUs that have it, ascending */
	size_t nr_cpus;
	struct nmibt_signature_frame *frames; /* those of the first CPU, the innermost first */
	size_t nr_frames;
	bool is_blamed; /* one of the frames counts */
	bool is_messenger; /* somebody outside wanted the crash, who does not count beside a cause */
};

/* docs/signature.md */
struct nmibt_signature {
	char value[NMIBT_SIGNATURE_LEN]; /* SHA-1 in hex; empty: there is nothing to hash */
	char duphash[NMIBT_SIGNATURE_LEN]; /* satyr's, of the panicking CPU; may be empty */
	struct nmibt_signature_stack *stacks; /* the panicking CPU's first */
	size_t nr_stacks;
	const char *
		*functions; /* the names that count, each once, sorted; borrowed from the frames */
	size_t nr_functions;
};

struct nmibt_error *nmibt_signature(const struct nmibt_report *report, struct nmibt_signature *ret);
void nmibt_signature_destroy(struct nmibt_signature *signature);

#endif /* NMIBT_REPORT_H */
