/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evidence: what one source has about one CPU, or about a task that ran on no CPU. A source
 * provides evidence and does not judge it; lib/report decides which evidence stands.
 */
#ifndef NMIBT_SOURCE_H
#define NMIBT_SOURCE_H

#include "unwind/unwind.h"

/* The kernel limits a slot to 1 MiB, and a later one may allow more. But a damaged size must not
 * make each CPU cost a second. */
#define MAX_SLOT_SIZE (4 << 20)

struct nmibt_kernel;

#define NMIBT_NO_CPU UINT32_MAX

/* Times of two clocks are compared only through a moment for which the image has both. */
enum nmibt_clock {
	NMIBT_CLOCK_NONE,
	NMIBT_CLOCK_LOG, /* local_clock(), ns, as printed before lines of the log */
	NMIBT_CLOCK_CAPTURE, /* ktime_get_mono_fast_ns() of the capture */
};

struct nmibt_task {
	bool known;
	int32_t pid;
	char comm[NMI_CAPTURE_COMM_LEN]; /* untrusted, may lack a NUL; empty: not known */
};

struct nmibt_evidence {
	uint32_t cpu; /* NMIBT_NO_CPU: it is about a task that ran on no CPU */
	enum nmibt_source source;
	enum nmibt_evidence_kind kind;

	enum nmibt_clock clock; /* of the next three members */
	uint64_t begun_ns, ended_ns;
	uint64_t asked_ns; /* 0: nobody asked, or not known */
	uint32_t asked_by; /* NMIBT_NO_CPU: not known */
	uint64_t first_seq, last_seq; /* of the log's records */
	size_t printout; /* index + 1 in the log's printouts; 0: none */

	struct nmibt_task task;
	bool is_idle_said; /* the kernel printed that the CPU is idle */
	bool is_user; /* it was in user mode */
	bool has_irqs_off, irqs_off;
	bool has_sp;
	uint64_t sp;

	unsigned int wrong; /* NMIBT_WRONG_* */
	uint64_t lost_bytes, lost_msgs;
	char why[NMIBT_WHY_LEN]; /* what failed; empty: nothing failed */

	/* The text as the kernel wrote it; empty for registers. */
	struct nmibt_text text;
	struct nmibt_text nested;
	struct nmibt_stack stack;
	struct nmibt_regs regs; /* the registers that stack begins with */

	/* For a slot of the capture: */
	bool has_slot; /* slot is filled and passed its checks */
	uint64_t slot_paddr;
	struct nmi_capture_slot slot;
	/* For an NMI buffer: */
	const char *buffer; /* its symbol, static */
	/* For the registers at the stop: */
	enum nmibt_note note;
};
void nmibt_evidence_destroy(struct nmibt_evidence *evidence);
/* True: it was printed because somebody asked for it. */
bool nmibt_is_answer(enum nmibt_evidence_kind kind);

/* True: there is no text, so that the stack, if there is one, is what nmibt found in memory. */
bool nmibt_is_unwound(const struct nmibt_evidence *evidence);

/* True: a slot has registers and no text, of a CPU that panicked or was stopped. It did not go on, so
 * that the stack in memory is still the one of these registers. One that was asked may be anywhere
 * since. */
bool nmibt_slot_leads_to_stack(const struct nmibt_evidence *slot);

/* The frame that the pc of the registers is in, as the text names it; NULL: the text does
 * not tell, or it is of other registers. */
const struct nmibt_frame *nmibt_evidence_pc_frame(const struct nmibt_evidence *evidence,
						  const struct nmibt_reg_names *names);

/* As nmibt_find_leaf_caller(), for the function that the stack begins with. */
bool nmibt_evidence_leaf_caller(struct nmibt_kernel *kernel, const struct nmibt_evidence *evidence,
				struct nmibt_symbol *ret);

/* ------------------------------------------------- what the log's callers print */

struct nmibt_cpu_range {
	uint16_t first, last;
};

/* A set of CPUs: ranges, ascending, that neither touch nor overlap. */
struct nmibt_cpus {
	struct nmibt_cpu_range *ranges;
	size_t nr;
};
bool nmibt_cpus_has(const struct nmibt_cpus *cpus, unsigned int cpu);
unsigned int nmibt_cpus_count(const struct nmibt_cpus *cpus);

/* Of what a hung task waits for. */
struct nmibt_owner {
	const char *words; /* static: "a mutex likely owned by"; NULL: the kernel names nobody */
	struct nmibt_task task;
};

/* A printed report: what one caller prints from a first line to its end, with the answers
 * that it asked for. */
struct nmibt_printout {
	/* The kind of its first line: from PANIC to WARNING, or a request. OOPS_CAUSE means that
	 * the log has no heading: "sysrq: Trigger a crash" before a panic, or the log was cut. */
	enum nmibt_print kind;
	uint32_t caller_id; /* as in struct nmibt_log_record */
	uint32_t reporter; /* the CPU that printed it; NMIBT_NO_CPU: not known */
	bool is_moved; /* a panic that another CPU called than the reporter */
	uint32_t moved_from; /* that one */
	uint64_t first_seq, last_seq;
	uint64_t begun_ns, ended_ns; /* CLOCK_LOG */
	bool has_ended; /* its last line was seen, or its caller went on to something else */
	struct nmibt_cpus cpus; /* that it is about: locked, stalled */
	struct nmibt_task task; /* that it is about: hung, locked */
	/* That a stall names, of which RCU waits for each, and workers of stalled pools. */
	struct nmibt_task *tasks;
	size_t nr_tasks;
	struct nmibt_owner owner; /* of a hung task */
	bool has_seconds;
	uint64_t seconds; /* how long it was stuck or blocked, from its first line */
	uint64_t jiffies; /* how long a stall has lasted; 0: not known */
	enum nmibt_flavour flavour; /* of a stall */
	bool is_expedited;
	bool has_grace_period; /* false: the stall's grace period is not known */
	int64_t grace_period;
	char *message; /* the first line, untrusted, NUL-terminated */
};

/* "Sending NMI from CPU 1 to CPUs 0,2-7:" */
struct nmibt_request {
	uint64_t seq, ts_ns;
	uint32_t caller_id;
	uint32_t by_cpu; /* NMIBT_NO_CPU: not known */
	bool all; /* it asks all online CPUs, without a list */
	struct nmibt_cpus asked;
	size_t printout; /* index + 1 of the printout that it is part of */
};

/* True: a line of this kind is about the machine as a whole, and no part of a report. */
bool nmibt_is_event(enum nmibt_print kind);

/* Such a line. */
struct nmibt_log_event {
	/* BANNER, COMMAND_LINE, SUSPEND, RESUME, SLEPT, NO_SLEEP, KDUMP, NOT_RESPONDING,
	 * NOT_STOPPED, CSD_RELEASED, HUNG_SUPPRESSED, END_PANIC */
	enum nmibt_print kind;
	uint64_t seq, ts_ns;
	struct nmibt_cpus cpus; /* of NOT_RESPONDING, NOT_STOPPED, CSD_RELEASED */
	bool is_capture_kernel; /* of COMMAND_LINE: it has elfcorehdr= */
	char *message; /* untrusted, NUL-terminated */
};

/* The newest record that says that a CPU was unplugged, or came. */
struct nmibt_hotplug {
	bool is_known; /* there is one */
	bool is_offline; /* it was unplugged */
	uint64_t seq, ts_ns;
};

/* A hung task, and the newest record that it printed itself later; 0: none. */
struct nmibt_hung_task {
	int32_t pid;
	uint64_t seq;
};
#define NMIBT_HUNG_TASKS 4096

/* Its index in a table of so many. */
static inline size_t nmibt_hung_task_place(int32_t pid)
{
	return (unsigned int)pid % NMIBT_HUNG_TASKS;
}

/* When a record was printed, in the precision that the kernel prints. */
struct nmibt_log_time {
	uint64_t seq, us;
};
#define NMIBT_MAX_LOG_TIMES 65536

/* Records that are lost, and where: [after_seq, before_seq] are the neighbours. */
struct nmibt_log_gap {
	uint64_t after_seq, before_seq;
	uint64_t nr; /* number of lost records, as far as known */
};

/* One backtrace in the log. nmibt_log_evidence() makes evidence of it. */
struct nmibt_log_trace {
	uint32_t cpu; /* NMIBT_NO_CPU: of a task */
	enum nmibt_evidence_kind kind; /* ANSWER, SKIPPED, OWN or TASK */
	uint32_t caller_id;
	size_t older; /* index + 1 of the next older trace of this CPU; 0: none */
	size_t printout, request; /* index + 1; 0: none */
	uint64_t first_seq, last_seq, begun_ns, ended_ns;
	bool has_ended; /* no later part of it can be missing */
	bool is_last; /* its caller printed nothing after it, as far as the log could be read */
	unsigned int wrong; /* NMIBT_WRONG_* */
	uint64_t lost_records; /* within it or before it */
	char *raw; /* len bytes: lines, each with its newline */
	/* len: false where raw is not what the kernel printed. It is 0 for a byte that could not be
	 * read, and '\n' in the place of lines that are lost, or may be: one byte, as nobody knows
	 * how long they were. A newline that is known is the end of a line. */
	bool *known;
	size_t len;
};

/* Of a text: lines that were not what the kernel printed there. */
struct nmibt_log_mended {
	uint64_t moved; /* mixed with those of other CPUs */
	uint64_t doubtful; /* that may be of several CPUs, and are shown with each */
	uint64_t joined; /* second halves of lines that a mail program broke */
	uint64_t split; /* with several messages in one */
	uint64_t repeated; /* left out: replayed, or the beginning of one that is */
	uint64_t inlined; /* left out: a program that names lines added them */
	uint64_t html; /* parts of mails, left out: a plain text says the same */
	uint64_t unstamped; /* left out: without what stands before other lines */
};

/* The contents of the kernel's log, in the order of its records. */
struct nmibt_log_source {
	struct nmibt_log_trace *traces; /* in the order of the lines that name their CPUs */
	size_t nr_traces;
	size_t newest[NMIBT_MAX_CPUS]; /* index + 1 of a CPU's newest trace; 0: none */
	struct nmibt_printout *printouts; /* by first_seq */
	size_t nr_printouts;
	struct nmibt_request *requests; /* by seq */
	size_t nr_requests;
	struct nmibt_log_event *events; /* by seq */
	size_t nr_events;
	struct nmibt_hotplug hotplug[NMIBT_MAX_CPUS];
	/* By PID; a newer one may have the room of another. */
	struct nmibt_hung_task hung_tasks[NMIBT_HUNG_TASKS];
	uint64_t boot_seq; /* of the newest boot's first record; 0: not there */
	struct nmibt_log_gap *gaps; /* by after_seq */
	size_t nr_gaps;
	/* Of records that were not printed at the same time as the one before. Where there were more than
	 * NMIBT_MAX_LOG_TIMES, the newest ones, in any order. */
	struct nmibt_log_time *times;
	uint64_t nr_times; /* how many there were */
	uint64_t nr_dropped; /* printouts, requests and events for which the tables had no room */
	struct nmibt_log_missing missing;
	uint64_t nr_cut; /* records whose end can't be read */
	uint64_t nr_records, first_seq, first_ns, last_seq, last_ns;
	bool is_wrapped; /* the oldest record is not the first since boot */
	bool is_of_panic; /* it was printed into pstore by a kernel that panicked */
	bool has_no_times; /* it was printed without them: all of them are 0 */
	struct nmibt_log_mended mended;
	uint64_t unread_seq; /* of the newest line of which a part can't be read; 0: none */
	char *hardware; /* the newest "Hardware name: "; NULL: none */
	char *taint; /* the newest "Tainted: ..." or "Not tainted"; NULL: none */
	char *release; /* the newest kernel's, behind the taint; NULL: none */
	struct nmibt_log_builder *builder; /* while it is read */
};

/* Adds what was mended to why, as nmibt_add_reason() does. */
void nmibt_describe_mended(const struct nmibt_log_source *log, char *why);
/* Reads the whole log once. NOTHING and DAMAGED as nmibt_log_open(). */
struct nmibt_error *nmibt_log_source_open(struct nmibt_kernel *kernel,
					  struct nmibt_log_source **ret);
void nmibt_log_source_close(struct nmibt_log_source *log); /* NULL is allowed */
/* True: RCU waits for tasks alone in this flavour, and shows each one's stack. */
bool nmibt_is_of_tasks(enum nmibt_flavour flavour);
/* True: this hung task itself printed something behind the record of this number. */
bool nmibt_log_has_run(const struct nmibt_log_source *log, const struct nmibt_task *task,
		       uint64_t seq);

/* Makes evidence of trace i: its text is decoded, its stack is read. The caller destroys *ret; its
 * text may be borrowed from log. */
struct nmibt_error *nmibt_log_evidence(const struct nmibt_log_source *log,
				       struct nmibt_kernel *kernel, size_t i,
				       struct nmibt_evidence *ret);

/* ---------------------------------------------------------------- the capture */

/* The capture. why[source] says where nmibt looked by that source and what it found, as one line
 * ("no NUMBER(nmi_backtrace_capture) line in VMCOREINFO"); empty: the source was not tried. */
struct nmibt_capture {
	enum nmibt_source source; /* where it was found */
	struct nmi_capture_desc desc; /* mended: see docs/format.md, "Reading" */
	uint64_t desc_paddr;
	bool is_message_cut; /* desc.message is the beginning of a longer one */
	uint64_t *slots; /* the desc.nr_slots entries of the table, unchanged */
	/* False: this entry of the table could not be read, and its slot was not found. */
	bool *slot_known;
	unsigned int slots_unread; /* entries that could not be read */
	/* What was wrong with the descriptor or its table and was repaired, as one line; empty:
	 * nothing. desc has the repaired values. */
	char damage[NMIBT_WHY_LEN];
	/* The times of the request contradict each other: none of them is known. */
	bool are_times_disputed;
	char why[NMIBT_NR_SOURCES][NMIBT_WHY_LEN];
	/* True: the source led to something that should be a capture and can't be used. */
	bool unusable[NMIBT_NR_SOURCES];
};

/*
 * Finds the capture. only: AUTO, or the one source to try. Fails with NOTHING when no descriptor
 * was found, DAMAGED when one was found and none passes its checks; the message says where nmibt
 * looked. On failure only ret->why and ret->unusable are set.
 */
struct nmibt_error *nmibt_locate(struct nmibt_kernel *kernel, enum nmibt_source only,
				 struct nmibt_capture *ret);
void nmibt_capture_destroy(struct nmibt_capture *capture);
/* When the request was made, in s since 1970; 0: not known. */
uint64_t nmibt_request_time(const struct nmi_capture_desc *desc);

/* ------------------------------------------------------------- evidence by source */

/* Repairs the descriptor where all slots agree that it is wrong, and says so in capture->damage. */
void nmibt_mend_capture(const struct nmibt_image *image, struct nmibt_capture *capture);
/* Sets are_times_disputed; then asked_ns and finished_ns of the descriptor are 0. It is no damage. */
void nmibt_check_times(const struct nmibt_image *image, struct nmibt_capture *capture);

/* Moves the contents of *backtrace, which was read from the text, to the evidence. */
void nmibt_evidence_take_backtrace(struct nmibt_evidence *evidence,
				   struct nmibt_backtrace *backtrace);

/* The request that the slot speaks of: the one that its content answers; without content, the one
 * that asked its CPU, or saw it offline. 0: none. */
uint32_t nmibt_slot_generation(const struct nmi_capture_slot *slot);
/* True: a slot that is complete without a text, as at the stop, or after a hardware error. */
bool nmibt_has_registers_only(const struct nmibt_evidence *evidence);
/* Reads a CPU's slot. *ret_stale: the slot answers an older request. Damage is no error: *ret says
 * it. If there is no slot, has_slot is false. */
struct nmibt_error *nmibt_slot_evidence(struct nmibt_kernel *kernel,
					const struct nmibt_capture *capture, unsigned int cpu,
					struct nmibt_evidence *ret, bool *ret_stale);

/* Reads the part of a CPU's NMI buffer that is not in the log yet. *ret is always set, and says
 * whether the buffer can't be read. */
struct nmibt_error *nmibt_buffer_evidence(struct nmibt_kernel *kernel, unsigned int cpu,
					  struct nmibt_evidence *ret, bool *ret_found);
/* Reads one piece of the residue that flushes left in the CPU's buffers. nth counts from 0: first
 * the pieces of nmi_print_seq, then those of safe_print_seq, the newest first in each. *ret is set
 * only if *ret_found is true. */
struct nmibt_error *nmibt_buffer_residue(struct nmibt_kernel *kernel, unsigned int cpu,
					 unsigned int nth, struct nmibt_evidence *ret,
					 bool *ret_found);

/* Reads the registers in a CPU's crash note, at paddr; if paddr is 0, where the kernel's variables
 * say. The stack is not unwound yet. */
void nmibt_note_evidence(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t paddr,
			 uint64_t size, struct nmibt_evidence *ret);
/* Reads the registers of a virtual CPU. If there are none, *ret has none; ret->why says what is
 * wrong with them. The stack is not unwound yet. */
void nmibt_vcpu_evidence(struct nmibt_kernel *kernel, unsigned int cpu, struct nmibt_evidence *ret);
/* For a virtual CPU whose stack is unwound: if panic() stopped it, sets task and mode to those that
 * the stop interrupted. */
void nmibt_see_through_stop(struct nmibt_evidence *evidence);

/* Follows the stacks of a kernel. Its unwinder is opened when it is needed. */
struct nmibt_follower {
	struct nmibt_kernel *kernel;
	struct nmibt_unwinder *unwinder; /* NULL: not needed yet, or it can't be opened */
	bool is_tried;
};
/* Fills in the stack that the registers point to, unless it is there. Without an unwinder the stack
 * has only the frame of the pc. kernel: the follower's, or the same one by another image. */
struct nmibt_error *nmibt_unwind_evidence(struct nmibt_follower *follower,
					  struct nmibt_kernel *kernel,
					  struct nmibt_evidence *evidence);
/* The same of the registers at the stop; then nmibt_see_through_stop() of a virtual CPU. */
struct nmibt_error *nmibt_unwind_registers_of_stop(struct nmibt_follower *follower,
						   struct nmibt_kernel *kernel,
						   struct nmibt_evidence *stop);

#endif /* NMIBT_SOURCE_H */
