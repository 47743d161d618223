/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evidence: what one source has about one CPU, or about a task that ran on none. A
 * source yields evidence and never a verdict; lib/report decides what stands.
 */
#ifndef NMIBT_SOURCE_H
#define NMIBT_SOURCE_H

#include "unwind/unwind.h"

/* The kernel's own limit of a slot's size is 1 MiB; a later one may be more generous, but
 * a damaged size must not make each CPU cost a second. */
#define MAX_SLOT_SIZE (4 << 20)

struct nmibt_kernel;

#define NMIBT_NO_CPU UINT32_MAX

/* Two clocks are compared only through a moment at which the image has both. */
enum nmibt_clock {
	NMIBT_CLOCK_NONE,
	NMIBT_CLOCK_LOG, /* local_clock(), ns; what stands before lines of the log */
	NMIBT_CLOCK_CAPTURE, /* ktime_get_mono_fast_ns() of the capture */
};

struct nmibt_task {
	bool known;
	int32_t pid;
	char comm[NMI_CAPTURE_COMM_LEN]; /* untrusted, may lack a NUL; empty: not known */
};

struct nmibt_evidence {
	uint32_t cpu; /* NMIBT_NO_CPU: it is about a task that ran on none */
	enum nmibt_source source;
	enum nmibt_evidence_kind kind;

	enum nmibt_clock clock; /* of the next three */
	uint64_t begun_ns, ended_ns;
	uint64_t asked_ns; /* 0: nobody asked, or not known */
	uint32_t asked_by; /* NMIBT_NO_CPU: not known */
	uint64_t first_seq, last_seq; /* of the log's records */
	size_t printout; /* index + 1 in the log's printouts; 0: none */

	struct nmibt_task task;
	bool is_idle_said; /* the kernel said that the CPU idles */
	bool is_user; /* it was in user mode */
	bool has_irqs_off, irqs_off;
	bool has_sp;
	uint64_t sp;

	unsigned int wrong; /* NMIBT_WRONG_* */
	uint64_t lost_bytes, lost_msgs;
	char why[NMIBT_WHY_LEN]; /* what failed; empty: nothing */

	/* How it is printed, as the kernel wrote it; empty for registers. */
	struct nmibt_text text;
	struct nmibt_text nested;
	struct nmibt_stack stack;
	struct nmibt_regs regs; /* with which stack begins */

	/* Of the capture's slot: */
	bool has_slot; /* slot is filled and passed its checks */
	uint64_t slot_paddr;
	struct nmi_capture_slot slot;
	/* Of an NMI buffer: */
	const char *buffer; /* the symbol, static */
	/* Of the registers at the stop: */
	enum nmibt_note note;
};
void nmibt_evidence_destroy(struct nmibt_evidence *evidence);

/* The frame that the pc of the registers is in, as the text names it; NULL: the text does
 * not tell, or it is of other registers. */
const struct nmibt_frame *nmibt_evidence_pc_frame(const struct nmibt_evidence *evidence,
						  const struct nmibt_reg_names *names);

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

/* A printed report: what one caller prints from a first line to its end, with the answers
 * that it asked for. */
struct nmibt_printout {
	/* Of its first line: from PANIC to WARNING, or a request. OOPS_CAUSE is one of which
	 * the log has no heading: "sysrq: Trigger a crash" before a panic, or it was cut. */
	enum nmibt_print kind;
	uint32_t caller_id; /* as in struct nmibt_log_record */
	uint32_t reporter; /* the CPU that printed it; NMIBT_NO_CPU: the text does not tell */
	uint64_t first_seq, last_seq;
	uint64_t begun_ns, ended_ns; /* CLOCK_LOG */
	bool has_ended; /* its last line was seen, or its caller went on to something else */
	struct nmibt_cpus cpus; /* that it is about: locked, stalled */
	struct nmibt_task task; /* that it is about: hung, locked */
	bool has_seconds;
	uint64_t seconds; /* stuck or blocked for, by its first line */
	uint64_t jiffies; /* that a stall has lasted; 0: not told */
	char *message; /* the first line, untrusted, NUL-terminated */
};

/* "Sending NMI from CPU 1 to CPUs 0,2-7:" */
struct nmibt_request {
	uint64_t seq, ts_ns;
	uint32_t caller_id;
	uint32_t by_cpu; /* NMIBT_NO_CPU: not told */
	bool all; /* it does not list whom it asks: all that are online */
	struct nmibt_cpus asked;
	size_t printout; /* index + 1: that it is a part of */
};

/* Something that the log tells of the machine as a whole. */
struct nmibt_log_event {
	enum nmibt_print
		kind; /* BANNER, COMMAND_LINE, SUSPEND, RESUME, KDUMP, NOT_RESPONDING, CSD_RELEASED, END_PANIC */
	uint64_t seq, ts_ns;
	struct nmibt_cpus cpus; /* of NOT_RESPONDING */
	bool is_capture_kernel; /* of COMMAND_LINE: it has elfcorehdr= */
	char *message; /* untrusted, NUL-terminated */
};

/* Records that are lost, and where: [after_seq, before_seq] are the neighbours. */
struct nmibt_log_gap {
	uint64_t after_seq, before_seq;
	uint64_t nr; /* records, as far as known */
};

/* One backtrace in the log: an index, from which nmibt_log_evidence() makes evidence. */
struct nmibt_log_trace {
	uint32_t cpu; /* NMIBT_NO_CPU: of a task */
	enum nmibt_evidence_kind kind; /* ANSWER, SKIPPED, OWN or TASK */
	uint32_t caller_id;
	size_t older; /* index + 1 of the one before of this CPU; 0: none */
	size_t printout, request; /* index + 1; 0: none */
	uint64_t first_seq, last_seq, begun_ns, ended_ns;
	bool has_ended; /* nothing of it can be missing behind what was read */
	bool is_last; /* its caller printed nothing behind it, as far as the log could be read */
	unsigned int wrong; /* NMIBT_WRONG_* */
	uint64_t lost_records; /* in the middle of it or before it */
	char *raw; /* len bytes: lines, each with its newline */
	bool *known; /* len: false where raw could not be read */
	size_t len;
};

/* Everything that the kernel's log says, by the order of records. */
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
	struct nmibt_log_gap *gaps; /* by after_seq */
	size_t nr_gaps;
	uint64_t nr_dropped; /* printouts, requests and events beyond what is kept */
	struct nmibt_log_missing missing;
	uint64_t nr_records, first_seq, first_ns, last_seq, last_ns;
	bool is_wrapped; /* the oldest record is not the first since boot */
	char *hardware; /* the newest "Hardware name: "; NULL: none */
	char *taint; /* the newest "Tainted: ..." or "Not tainted"; NULL: none */
	struct nmibt_log_builder *builder; /* while it is read */
};

/* Reads the whole log once. NOTHING and DAMAGED as nmibt_log_open(). */
struct nmibt_error *nmibt_log_source_open(struct nmibt_kernel *kernel,
					  struct nmibt_log_source **ret);
void nmibt_log_source_close(struct nmibt_log_source *log); /* NULL is allowed */

/* The evidence of trace i: decoded, its stack read. The caller destroys it; its text may
 * be borrowed from log. */
struct nmibt_error *nmibt_log_evidence(const struct nmibt_log_source *log,
				       struct nmibt_kernel *kernel, size_t i,
				       struct nmibt_evidence *ret);

/* ---------------------------------------------------------------- the capture */

/* What was looked for and what came of it, per source, one line of text each
 * ("no NMI_BACKTRACE_CAPTURE line in VMCOREINFO"); empty: not tried. */
struct nmibt_capture {
	enum nmibt_source source; /* where it was found */
	struct nmi_capture_desc desc; /* mended: see docs/format.md, "Reading" */
	uint64_t desc_paddr;
	uint64_t *slots; /* desc.nr_slots entries of the table, as they are */
	/* False: this entry of the table could not be read, nor its slot be found. */
	bool *slot_known;
	unsigned int slots_unread; /* entries that could not be read */
	/* What is wrong with the descriptor or its table and was done without,
	 * a line of text; empty: nothing. desc holds the mended values. */
	char damage[NMIBT_WHY_LEN];
	char why[NMIBT_NR_SOURCES][NMIBT_WHY_LEN];
	/* Per source: it led to something that ought to be a capture and can't be used. */
	bool unusable[NMIBT_NR_SOURCES];
};

/*
 * only: AUTO or the one source to try. Fails with NOTHING when no descriptor
 * was found, DAMAGED when one was found and none passes its checks; the
 * message says what was looked for and where. On failure ret->why and
 * ret->unusable are still filled, and nothing else in it is.
 */
struct nmibt_error *nmibt_locate(struct nmibt_kernel *kernel, enum nmibt_source only,
				 struct nmibt_capture *ret);
void nmibt_capture_destroy(struct nmibt_capture *capture);

/* ------------------------------------------------------------- evidence by source */

/* Where all slots agree that the descriptor is wrong; it is said in capture->damage. */
void nmibt_mend_capture(const struct nmibt_image *image, struct nmibt_capture *capture);

/* What text says, for evidence of any source. Takes *backtrace over. */
void nmibt_evidence_take_backtrace(struct nmibt_evidence *evidence,
				   struct nmibt_backtrace *backtrace);

/* Of a CPU's slot. *ret_stale: it is of an older request. What is damaged is said in *ret;
 * where there is no slot has_slot is false. */
struct nmibt_error *nmibt_slot_evidence(struct nmibt_kernel *kernel,
					const struct nmibt_capture *capture, unsigned int cpu,
					struct nmibt_evidence *ret, bool *ret_stale);

/* What stands in a CPU's NMI buffer and is not in the log yet. *ret is always set, and
 * says where the buffer can't be read. */
struct nmibt_error *nmibt_buffer_evidence(struct nmibt_kernel *kernel, unsigned int cpu,
					  struct nmibt_evidence *ret, bool *ret_found);
/* The nth piece, from 0, of what flushes left in both buffers, the newest first. *ret is
 * set only where *ret_found is. */
struct nmibt_error *nmibt_buffer_residue(struct nmibt_kernel *kernel, unsigned int cpu,
					 unsigned int nth, struct nmibt_evidence *ret,
					 bool *ret_found);

/* The registers of a CPU's crash note, at paddr if it is not 0, else where the kernel's
 * variables say. The stack is not unwound yet. */
void nmibt_note_evidence(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t paddr,
			 uint64_t size, struct nmibt_evidence *ret);
/* The registers of a virtual CPU; without registers where there are none. What is wrong with
 * them is said in ret->why. The stack is not unwound yet. */
void nmibt_vcpu_evidence(struct nmibt_kernel *kernel, unsigned int cpu, struct nmibt_evidence *ret);
/* Of a virtual CPU whose stack is unwound: task and mode of what a stop by panic() hit. */
void nmibt_see_through_stop(struct nmibt_evidence *evidence);
/* Fills in the stack that the registers stand on, unless it is there. unwinder may be NULL:
 * then the stack is the place where the CPU was, and ends there. */
struct nmibt_error *nmibt_unwind_evidence(struct nmibt_kernel *kernel,
					  struct nmibt_unwinder *unwinder,
					  struct nmibt_evidence *evidence);

#endif /* NMIBT_SOURCE_H */
