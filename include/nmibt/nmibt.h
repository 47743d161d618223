/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libnmibt: finds, decodes and explains what every CPU was doing when the
 * kernel in a memory image panicked.
 *
 * Data flows one way: image -> locate -> decode -> trace -> registers ->
 * report -> render. A front end fills in a struct nmibt_image, opens a report
 * on it, and renders it; the stages between are public for tests and for
 * front ends that need one alone.
 *
 * Everything that is read from an image is untrusted. The library has no
 * globals, never exits, and prints only to the FILE that a renderer is given.
 *
 * Errors: a call that can fail returns NULL for success or a struct
 * nmibt_error that the caller frees; its out-parameters come last, are named
 * ret, and are untouched on failure.
 */
#ifndef NMIBT_H
#define NMIBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <nmibt/capture.h>

/* ------------------------------------------------------------------ errors */

enum nmibt_code {
	NMIBT_ERR_NOTHING = 1, /* the image holds nothing of what was asked for */
	NMIBT_ERR_USAGE = 2, /* the caller asked for something impossible */
	NMIBT_ERR_DAMAGED = 3, /* data is there and fails its checks */
	NMIBT_ERR_UNUSABLE = 4, /* the image can't be read at all */
	NMIBT_ERR_NOMEM = 5,
	NMIBT_ERR_INTERRUPTED = 6, /* the image's interrupted() said so */
};

struct nmibt_error;
/* NULL is allowed. */
void nmibt_error_destroy(struct nmibt_error *err);

/* ------------------------------------------------------------------- image */

enum nmibt_arch {
	NMIBT_ARCH_UNKNOWN,
	NMIBT_ARCH_X86_64,
	NMIBT_ARCH_ARM64,
};

/* The three are never confused: EXCLUDED means that the dump says that it
 * left the page out, ERROR everything else. */
enum nmibt_read {
	NMIBT_READ_OK,
	NMIBT_READ_EXCLUDED,
	NMIBT_READ_ERROR,
};

/* ------------------------------------------------------------------ locate */

enum nmibt_source {
	NMIBT_SOURCE_AUTO, /* only as a wish: the best there is */
	NMIBT_SOURCE_VMCOREINFO,
	NMIBT_SOURCE_SYMBOL,
	NMIBT_SOURCE_SCAN,
	/* Of any kernel: per-CPU buffers of NMIs (3.19 to 5.14), backtraces in the log (5.10
	 * and later), crash notes. */
	NMIBT_SOURCE_LEGACY,
	NMIBT_SOURCE_LOG,
	NMIBT_SOURCE_REGISTERS,
	NMIBT_SOURCE_VCPU, /* registers of virtual CPUs, in a hypervisor's dump */
	NMIBT_NR_SOURCES,
};

#define NMIBT_SOURCE_NAMES "auto, vmcoreinfo, symbol, scan, legacy, log, registers or vcpu"
/* One of them. */
const char *nmibt_source_name(enum nmibt_source source);
/* False: no source has this name. */
bool nmibt_source_parse(const char *name, enum nmibt_source *ret);

/* ------------------------------------------------------------------ decode */

#define NMIBT_LEVEL_DEFAULT (-1) /* no header: KERN_DEFAULT */
#define NMIBT_LEVEL_CONT (-2) /* KERN_CONT */

/* nmibt_line.flags */
#define NMIBT_LINE_PARTIAL 0x01 /* no newline ended it */
#define NMIBT_LINE_TORN 0x02 /* wholly or from torn_at on beyond the published length */
#define NMIBT_LINE_CUT 0x04 /* the text area was full: the rest of it is lost */
#define NMIBT_LINE_NESTED 0x08 /* from the nested area */
#define NMIBT_LINE_LONE_HEADER 0x10 /* a level header with nothing behind it */
#define NMIBT_LINE_MISSING 0x20 /* bytes before it could not be read: gap says how many */

/* ------------------------------------------------------------------- stacks */

/* The kinds of stack that a frame can be on. */
enum nmibt_stack_kind {
	NMIBT_STACK_TASK, /* the task's own, or not told */
	NMIBT_STACK_IRQ,
	NMIBT_STACK_SOFTIRQ,
	NMIBT_STACK_NMI,
	NMIBT_STACK_EXCEPTION, /* #DF, #DB, #MC, #VC and the like; SDEI */
	NMIBT_STACK_ENTRY, /* x86's trampoline */
	NMIBT_NR_STACK_KINDS,
};

/* Why a stack ends where it does. */
enum nmibt_stack_end {
	NMIBT_END_UNKNOWN, /* the text does not tell, or nothing was tried */
	NMIBT_END_COMPLETE, /* at the outermost function of the kernel */
	NMIBT_END_USER, /* the CPU was, or its outermost entry came from, in user mode */
	NMIBT_END_UNREADABLE, /* memory at end_addr can't be read */
	NMIBT_END_EXCLUDED, /* memory at end_addr is not in the dump */
	NMIBT_END_NO_UNWIND_DATA, /* for the code at end_addr */
	NMIBT_END_NONSENSE, /* what stands at end_addr leads nowhere */
	NMIBT_END_LIMIT, /* there are more frames than are looked at */
	NMIBT_END_CUT, /* the text was cut: the rest did not fit, or was not printed */
	NMIBT_END_GAP, /* records of the log in the middle of it are lost */
	NMIBT_NR_ENDS,
};

/* What became of a CPU's crash note. */
enum nmibt_note {
	NMIBT_NOTE_UNKNOWN, /* the capture does not say where it is */
	NMIBT_NOTE_PRESENT,
	NMIBT_NOTE_NONE, /* empty: the CPU never stopped */
	NMIBT_NOTE_EXCLUDED,
	NMIBT_NOTE_DAMAGED, /* unreadable or fails its checks */
};
#define NMIBT_NR_NOTES (NMIBT_NOTE_DAMAGED + 1)

/* ------------------------------------------------------------------ report */

enum nmibt_outcome {
	NMIBT_OUTCOME_NMI,
	NMIBT_OUTCOME_IRQ,
	NMIBT_OUTCOME_SELF,
	NMIBT_OUTCOME_STOP,
	NMIBT_OUTCOME_PARTIAL, /* it began and did not finish; how says how it was asked */
	NMIBT_OUTCOME_SILENT,
	NMIBT_OUTCOME_OFFLINE,
	NMIBT_OUTCOME_EXCLUDED,
	NMIBT_OUTCOME_DAMAGED,
	/* Of kernels without the capture: */
	NMIBT_OUTCOME_ANSWERED, /* a request of the kernel's for its backtrace */
	NMIBT_OUTCOME_SKIPPED, /* it answered that it is idle */
	NMIBT_OUTCOME_REPORTED, /* printed of itself, as a watchdog found it */
	NMIBT_OUTCOME_REGISTERS, /* nothing but those that it saved at the stop */
	NMIBT_OUTCOME_NONE, /* nothing was asked of it, or only a stale capture */
	NMIBT_NR_OUTCOMES,
};
const char *nmibt_outcome_name(enum nmibt_outcome outcome);

enum nmibt_moved {
	NMIBT_MOVED_UNKNOWN, /* a register set is missing, or both are of the stop */
	NMIBT_MOVED_SAME, /* same function chain: "same place" */
	NMIBT_MOVED_YES,
	NMIBT_MOVED_IDLE, /* the idle task: always looks moved, says nothing */
	NMIBT_MOVED_SYNTHETIC, /* the panicking CPU's note is made up by panic() */
};

struct nmibt_report;
/* CPUs have numbers below it. */
unsigned int nmibt_report_nr_cpus(const struct nmibt_report *report);
void nmibt_report_close(struct nmibt_report *report);

/* --------------------------------------------------------------- diagnosis */

/* In the order in which a person wants to read them. */
enum nmibt_finding_kind {
	NMIBT_FINDING_ALSO_DIED, /* captured itself beside another */
	NMIBT_FINDING_STUCK, /* interrupts off, same place at the stop */
	NMIBT_FINDING_BLOCKED, /* tasks, which run on no CPU */
	NMIBT_FINDING_SAME_PLACE, /* at the NMI and at the stop, interrupts on */
	NMIBT_FINDING_IRQS_OFF, /* when hit, and moved on or unknown */
	NMIBT_FINDING_SPINS, /* on a lock */
	NMIBT_FINDING_WAITS, /* for other CPUs to do something */
	NMIBT_FINDING_SILENT,
	NMIBT_FINDING_PARTIAL,
	NMIBT_FINDING_LATE,
	NMIBT_FINDING_OFFLINE,
	NMIBT_FINDING_EXCLUDED,
	NMIBT_FINDING_STALE,
	NMIBT_FINDING_SAME_STACK,
	NMIBT_FINDING_DAMAGED,
	NMIBT_FINDING_OVERFLOWED,
	NMIBT_FINDING_UNREADABLE,
	NMIBT_NR_FINDINGS,
};
/* "stuck", "same place": also the label in the text. */
const char *nmibt_finding_name(enum nmibt_finding_kind kind);

/* --------------------------------------------------------------- signature */

/* It grows whenever the same dump would get another signature. */
#define NMIBT_SIGNATURE_VERSION 1
#define NMIBT_SIGNATURE_LEN 41

/* ------------------------------------------------------------------ render */

/* Sets those of the nr flags that list names: "3", "1,8-14", "a" or "all".
 * USAGE when it is no list, or names a CPU beyond the last. */
struct nmibt_error *nmibt_parse_cpus(const char *list, bool *cpus, unsigned int nr);

enum nmibt_format {
	NMIBT_FORMAT_TEXT,
	NMIBT_FORMAT_JSON, /* -j; docs/json.md */
	NMIBT_FORMAT_GROUPS, /* -g: each stack once, with the CPUs that have it */
	NMIBT_FORMAT_FOLDED, /* -f: a line for each stack, for flame graphs */
	NMIBT_FORMAT_SIGNATURE, /* -i: the name of the crash, and how it was made */
	NMIBT_FORMAT_DESCRIPTION, /* the case without what tells whose machine it was */
};

struct nmibt_render_options {
	enum nmibt_format format;
	const bool *cpus; /* the report's nr_cpus; NULL: all */
	bool summary_only; /* -s */
	bool lines; /* -l: file and line of each frame */
	bool raw; /* -r: bytes escaped */
	bool header; /* -t: the slots' header fields, and all registers */
	bool older; /* -o: also what is older than what stands */
	bool verbose; /* -v: also what is merely absent */
	bool colour;
	unsigned int width; /* columns of the terminal; 0: unknown, 80 is assumed */
};

/* Sets the option that a letter stands for in every front end; false: none does. */
bool nmibt_render_option(struct nmibt_render_options *options, int letter);

#endif /* NMIBT_H */
