/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libnmibt: what every CPU was doing when the kernel in a memory image died.
 *
 * An input is opened, a report is made of a crash in it, and the report is asked, or
 * rendered:
 *
 *   nmibt_input_open() or nmibt_input_new() -> nmibt_report_open() -> getters, nmibt_render()
 *
 * docs/library.md has an example. <nmibt/json.h> and <nmibt/debuginfo.h> belong to archives
 * of their own; <nmibt/capture.h> is the format of the capture in the kernel's memory.
 *
 * Types are opaque. A getter returns what its object owns: pointers are valid as long as the
 * object that the function was given. Everything that is read from an image is untrusted:
 * strings may hold any byte but NUL, unless it is said that they are printable.
 *
 * Tables of options and of callbacks begin with their size, which the caller sets to sizeof
 * of what it was compiled with; members behind it are taken for 0.
 *
 * Errors: a call that can fail returns NULL for success, or a struct nmibt_error that the
 * caller gives to nmibt_error_destroy(). Its out-parameters come last, are named ret, and
 * are untouched on failure.
 *
 * The library has no global state. One input, and what is made of it, is for one thread at a
 * time. Two reports of one input may be open.
 */
#ifndef NMIBT_H
#define NMIBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Of this header: text, and a number of 8 bits each for major, minor and patch. */
#define NMIBT_VERSION "0.1.0"
#define NMIBT_VERSION_NUMBER 0x000100
/* NMIBT_VERSION_NUMBER of the library that is loaded. */
unsigned int nmibt_version_number(void);

/* ------------------------------------------------------------------ errors */

enum nmibt_code {
	NMIBT_ERR_NOTHING = 1, /* the image holds nothing of what was asked for */
	NMIBT_ERR_USAGE = 2, /* the caller asked for something impossible */
	NMIBT_ERR_DAMAGED = 3, /* data is there and fails its checks */
	NMIBT_ERR_UNUSABLE = 4, /* the image can't be read at all */
	NMIBT_ERR_NOMEM = 5,
	NMIBT_ERR_INTERRUPTED = 6, /* the input's interrupted() said so */
};

struct nmibt_error;
enum nmibt_code nmibt_error_code(const struct nmibt_error *err);
/* One line without a newline, printable: names what was being done, on which CPU or
 * address, and the cause. */
const char *nmibt_error_message(const struct nmibt_error *err);
/* NULL is allowed. */
void nmibt_error_destroy(struct nmibt_error *err);

/* ------------------------------------------------------------------- input */

enum nmibt_arch {
	NMIBT_ARCH_UNKNOWN,
	NMIBT_ARCH_X86_64,
	NMIBT_ARCH_ARM64,
};
/* "x86_64"; NULL: it is not known. */
const char *nmibt_arch_name(enum nmibt_arch arch);

/* The three are never confused: EXCLUDED means that the dump says that it
 * left the page out, ERROR everything else. */
enum nmibt_read {
	NMIBT_READ_OK,
	NMIBT_READ_EXCLUDED,
	NMIBT_READ_ERROR,
};

struct nmibt_input_options {
	size_t size; /* sizeof(struct nmibt_input_options) */
	enum nmibt_arch arch; /* of an image that does not tell; needed for nmibt_input_new() */
	size_t page_size; /* bytes, a power of two; needed for nmibt_input_new() */
};

/* A code address as the kernel prints it. */
struct nmibt_location;
const char *nmibt_location_function(const struct nmibt_location *code);
const char *nmibt_location_module(const struct nmibt_location *code); /* NULL: the kernel itself */
uint64_t nmibt_location_offset(const struct nmibt_location *code); /* bytes, in the function */
/* Of the function, with what the linker put behind it, bytes; 0: not known. */
uint64_t nmibt_location_size(const struct nmibt_location *code);

/* A place in the sources. function was inlined there, or is NULL: the frame's own; where is
 * "file:line". Both are borrowed for the call. */
typedef void (*nmibt_place_fn)(void *arg, const char *function, const char *where);

/*
 * What the caller of nmibt_input_new() supplies. Any callback may be NULL, and the library
 * then says what it could not do for lack of it. ctx is the caller's own.
 *
 * A read returns OK only when all len bytes were read; the library never asks
 * for a read that crosses a page.
 */
struct nmibt_input_ops {
	size_t size; /* sizeof(struct nmibt_input_ops) */
	enum nmibt_read (*read_phys)(void *ctx, uint64_t paddr, void *buf, size_t len);
	/* Of a kernel virtual address that the page tables do not lead to. */
	enum nmibt_read (*read_virt)(void *ctx, uint64_t vaddr, void *buf, size_t len);
	/* The text of VMCOREINFO, in malloc'ed memory that the library frees; NULL: there
	 * is none. */
	char *(*vmcoreinfo_text)(void *ctx);
	/* For a caller that has not the text: the value behind KEY= in VMCOREINFO, in
	 * malloc'ed memory that the library frees; NULL: no such line. */
	char *(*vmcoreinfo)(void *ctx, const char *key);
	/* The address of a symbol of the kernel's, as it ran. */
	bool (*symbol_addr)(void *ctx, const char *name, uint64_t *ret);
	/* Physical address of a kernel virtual address. */
	bool (*virt_to_phys)(void *ctx, uint64_t vaddr, uint64_t *ret);
	/* Bytes; by name, as DWARF or BTF have them. */
	bool (*member_offset)(void *ctx, const char *type, const char *member, size_t *ret);
	bool (*type_size)(void *ctx, const char *type, size_t *ret);
	/* "symbol+0xoffset" or "symbol+0xoffset [module]", NUL-terminated, cut to len. Asked
	 * for addresses that the kernel's symbols in the image itself don't have. */
	bool (*symbolize)(void *ctx, uint64_t addr, char *buf, size_t len);
	/* Shows visit where code comes from: the innermost inlined function first, the
	 * frame's own function last. False: unknown or ambiguous, and nothing was shown. */
	bool (*find_places)(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
			    void *arg);
	/* The first run of physical memory that the image holds and that ends beyond from, cut
	 * so that it starts at from or later; bytes. False: none. */
	bool (*next_range)(void *ctx, uint64_t from, uint64_t *ret_start, uint64_t *ret_size);
	/* True when the user wants the work stopped. */
	bool (*interrupted)(void *ctx);
	/* The ELF notes of the dump, one after the other, in malloc'ed memory that the library
	 * frees, *ret_len bytes; NULL: there are none. Those of virtual CPUs are looked for. */
	char *(*notes)(void *ctx, size_t *ret_len);
};

struct nmibt_input;

/*
 * A dump: ELF, kdump-compressed or flattened; nr paths are the parts of one split dump in any
 * order. A dump that was cut is opened. UNUSABLE where a file can't be read, or is of
 * another format: the message names it. options may be NULL.
 */
struct nmibt_error *nmibt_input_open(const char *const *paths, unsigned int nr,
				     const struct nmibt_input_options *options,
				     struct nmibt_input **ret);
/* An image that the caller reads. ops is copied; ctx is borrowed until nmibt_input_close().
 * USAGE where options lack the architecture or the size of a page. */
struct nmibt_error *nmibt_input_new(const struct nmibt_input_ops *ops, void *ctx,
				    const struct nmibt_input_options *options,
				    struct nmibt_input **ret);
/* Reports of it are closed before. NULL is allowed. */
void nmibt_input_close(struct nmibt_input *input);

/* Kernels that died in it; 1 of an image. Crashes have numbers below it. */
unsigned int nmibt_input_nr_crashes(const struct nmibt_input *input);
/* Physical memory; [paddr, paddr + len) may cross pages. All or nothing. */
enum nmibt_read nmibt_input_read(struct nmibt_input *input, uint64_t paddr, void *buf, size_t len);
/* The ELF notes of it, one after the other, in malloc'ed memory that the caller frees, *ret_len
 * bytes: what the op notes returns. NULL: there are none. */
char *nmibt_input_notes(struct nmibt_input *input, size_t *ret_len);
/* What is to be said of the dump beside what is found in it, a printable line: that it was cut,
 * or left incomplete. NULL: nothing. That a library is missing which its pages need is
 * known when pages were read. */
const char *nmibt_input_remark(const struct nmibt_input *input);

/* ------------------------------------------------------------------ report */

/* Where evidence comes from. */
enum nmibt_source {
	NMIBT_SOURCE_AUTO, /* only as an option: the best for each CPU */
	/* The capture of nmibt's patches, by what leads to it: */
	NMIBT_SOURCE_VMCOREINFO,
	NMIBT_SOURCE_SYMBOL,
	NMIBT_SOURCE_SCAN,
	/* Of any kernel: per-CPU buffers of NMIs (3.19 to 5.14), backtraces in the log (5.10
	 * and later), crash notes. */
	NMIBT_SOURCE_NMI_BUFFERS,
	NMIBT_SOURCE_LOG,
	NMIBT_SOURCE_REGISTERS,
	NMIBT_SOURCE_VCPU, /* registers of virtual CPUs, in a hypervisor's dump */
	NMIBT_NR_SOURCES,
};
#define NMIBT_SOURCE_NAMES "auto, vmcoreinfo, symbol, scan, nmi-buffers, log, registers or vcpu"
/* One of them. */
const char *nmibt_source_name(enum nmibt_source source);
/* False: no source has this name. */
bool nmibt_source_parse(const char *name, enum nmibt_source *ret);

struct nmibt_report_options {
	size_t size; /* sizeof(struct nmibt_report_options) */
	enum nmibt_source source; /* AUTO, or the only one that may be used */
};

struct nmibt_report;

/*
 * input is borrowed until nmibt_report_close(). options may be NULL. NOTHING where no source
 * has anything of any CPU, DAMAGED where what there is can't be used; the message says
 * what was looked for. USAGE where there is no such crash or source.
 */
struct nmibt_error *nmibt_report_open(struct nmibt_input *input, unsigned int crash,
				      const struct nmibt_report_options *options,
				      struct nmibt_report **ret);
void nmibt_report_close(struct nmibt_report *report); /* NULL is allowed */

enum nmibt_arch nmibt_report_arch(const struct nmibt_report *report);
/* CPUs have numbers below it. */
unsigned int nmibt_report_nr_cpus(const struct nmibt_report *report);
/* False: the machine can have no CPU of this number. */
bool nmibt_report_has_cpu(const struct nmibt_report *report, unsigned int cpu);
/* False: something was lost or could not be read. */
bool nmibt_report_is_complete(const struct nmibt_report *report);

/* What came of a source. */
enum nmibt_found {
	NMIBT_FOUND_UNTRIED,
	NMIBT_FOUND_ABSENT,
	NMIBT_FOUND_EMPTY, /* it is there, and nothing is in it */
	NMIBT_FOUND_UNREADABLE,
	NMIBT_FOUND,
};
/* "absent", "empty"... */
const char *nmibt_found_name(enum nmibt_found found);
/* *ret_why: what was looked for and what came of it, printable; may be empty. */
enum nmibt_found nmibt_report_source(const struct nmibt_report *report, enum nmibt_source source,
				     const char **ret_why);

/* -------------------------------------------------------------------- ages */

/* How long before the death something was; without a death, before the dump. */
enum nmibt_age_kind {
	NMIBT_AGE_UNKNOWN, /* no date, or of another clock */
	NMIBT_AGE_EXACT,
	NMIBT_AGE_AT_LEAST, /* the clock's reading at the death or the dump is missing */
};

/* ---------------------------------------------------------------- the case */

/* Of the machine and its kernel. Strings are NULL where they are not known. */
struct nmibt_case;
const struct nmibt_case *nmibt_report_case(const struct nmibt_report *report);
const char *nmibt_case_host(const struct nmibt_case *c);
const char *nmibt_case_release(const struct nmibt_case *c);
const char *nmibt_case_build_id(const struct nmibt_case *c); /* in hex */
const char *nmibt_case_hardware(const struct nmibt_case *c);
const char *nmibt_case_taint(const struct nmibt_case *c); /* as the kernel prints it */
/* The sysctl that made a report a panic. */
const char *nmibt_case_setting(const struct nmibt_case *c);
/* Of death, in s since 1970. False: not known. */
bool nmibt_case_time(const struct nmibt_case *c, uint64_t *ret);
/* At the death, in ns; without one, at the newest record of the log. False: not known.
 * *ret_is_least: it is at least that. */
bool nmibt_case_uptime(const struct nmibt_case *c, uint64_t *ret, bool *ret_is_least);

/* --------------------------------------------------------------- the death */

struct nmibt_death;
/* NULL: nobody panicked, as far as is known. */
const struct nmibt_death *nmibt_report_death(const struct nmibt_report *report);
/* The CPU that called panic(). False: not known. */
bool nmibt_death_reporter(const struct nmibt_death *death, unsigned int *ret);
/* Is it about this CPU, which is below nmibt_report_nr_cpus()? */
bool nmibt_death_is_subject(const struct nmibt_death *death, unsigned int cpu);
const char *nmibt_death_message(const struct nmibt_death *death); /* NULL: not known */
/* The capture kernel's own panic; NULL: none. */
const char *nmibt_death_dump_failed(const struct nmibt_death *death);

/* -------------------------------------------------------------- conditions */

/* One watchdog's reports about one CPU, task or grace period. Times are of the log's clock,
 * in ns. */
struct nmibt_condition;
size_t nmibt_report_nr_conditions(const struct nmibt_report *report);
/* NULL: i is not below nmibt_report_nr_conditions(). */
const struct nmibt_condition *nmibt_report_condition(const struct nmibt_report *report, size_t i);
const char *nmibt_condition_name(const struct nmibt_condition *c); /* "soft-lockup" */
bool nmibt_condition_has_cpu(const struct nmibt_condition *c, unsigned int cpu);
unsigned int nmibt_condition_nr_reports(const struct nmibt_condition *c);
uint64_t nmibt_condition_since(const struct nmibt_condition *c); /* 0: not known */
uint64_t nmibt_condition_last(const struct nmibt_condition *c); /* report */
bool nmibt_condition_is_open(const struct nmibt_condition *c);

/* ---------------------------------------------------------------- timeline */

enum nmibt_moment_kind {
	NMIBT_MOMENT_FIRST_BAD, /* the first thing since boot that should not be */
	NMIBT_MOMENT_CONDITION,
	NMIBT_MOMENT_OOPS, /* that the machine survived */
	NMIBT_MOMENT_REQUEST, /* backtraces were asked for */
	NMIBT_MOMENT_SUSPEND,
	NMIBT_MOMENT_DEATH,
	NMIBT_MOMENT_DUMP_FAILED,
	NMIBT_NR_MOMENTS,
};
const char *nmibt_moment_name(enum nmibt_moment_kind kind);

/* The oldest first. */
struct nmibt_moment;
size_t nmibt_report_nr_moments(const struct nmibt_report *report);
/* NULL: i is not below nmibt_report_nr_moments(). */
const struct nmibt_moment *nmibt_report_moment(const struct nmibt_report *report, size_t i);
enum nmibt_moment_kind nmibt_moment_kind(const struct nmibt_moment *moment);
const char *nmibt_moment_text(const struct nmibt_moment *moment); /* printable */
/* *ret_ns: negative after the death; set unless it is UNKNOWN. *ret_is_suspended: the
 * machine slept in between, and *ret_ns is of the time awake. */
enum nmibt_age_kind nmibt_moment_age(const struct nmibt_moment *moment, int64_t *ret_ns,
				     bool *ret_is_suspended);

/* ------------------------------------------------------------------ stacks */

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
const char *nmibt_end_name(enum nmibt_stack_end end);

/* Frames, the innermost first. */
struct nmibt_stack;
size_t nmibt_stack_nr_frames(const struct nmibt_stack *stack);
enum nmibt_stack_end nmibt_stack_end(const struct nmibt_stack *stack);
uint64_t nmibt_stack_end_addr(const struct nmibt_stack *stack); /* virtual; 0: none */

/* One frame. It has an address or a name, perhaps both. */
struct nmibt_frame;
/* NULL: i is not below nmibt_stack_nr_frames(). */
const struct nmibt_frame *nmibt_stack_frame(const struct nmibt_stack *stack, size_t i);
/* Where the CPU was: the innermost frame that is not of panic() itself, of the capture and of the
 * stop, and whose name is sure. NULL: none, as in user mode. Frame 0 of the CPU that panicked
 * is what panic() called. */
const struct nmibt_frame *nmibt_stack_place(const struct nmibt_stack *stack);
/* *ret_len bytes, not terminated; 0: no symbol is known. */
const char *nmibt_frame_function(const struct nmibt_frame *frame, size_t *ret_len);
/* *ret_len bytes, not terminated; 0: the kernel itself, or not known. */
const char *nmibt_frame_module(const struct nmibt_frame *frame, size_t *ret_len);
uint64_t nmibt_frame_addr(const struct nmibt_frame *frame); /* virtual; 0: not known */
uint64_t nmibt_frame_offset(const struct nmibt_frame *frame); /* of it in the function, bytes */
enum nmibt_stack_kind nmibt_frame_stack_kind(const struct nmibt_frame *frame);
/* False: it may be what an earlier call left on the stack. */
bool nmibt_frame_is_reliable(const struct nmibt_frame *frame);
/* The CPU was there, or an interrupt or an exception hit there: no return address. */
bool nmibt_frame_is_hit(const struct nmibt_frame *frame);

/* --------------------------------------------------------------- registers */

struct nmibt_regs;
/* As words of the architecture's pr_reg have them: "pc", "x0", "rip"; NULL: no word i. */
const char *nmibt_reg_name(enum nmibt_arch arch, unsigned int i);
unsigned int nmibt_regs_nr(const struct nmibt_regs *regs);
/* i is below nmibt_regs_nr(). */
uint64_t nmibt_regs_value(const struct nmibt_regs *regs, unsigned int i);

/* -------------------------------------------------------------- text lines */

#define NMIBT_LEVEL_DEFAULT (-1) /* no header: KERN_DEFAULT */
#define NMIBT_LEVEL_CONT (-2) /* KERN_CONT */

#define NMIBT_LINE_PARTIAL 0x01 /* no newline ended it */
#define NMIBT_LINE_TORN 0x02 /* wholly or in part beyond the published length */
#define NMIBT_LINE_CUT 0x04 /* the text area was full: the rest of it is lost */
#define NMIBT_LINE_NESTED 0x08 /* from the nested area */
#define NMIBT_LINE_LONE_HEADER 0x10 /* a level header with nothing behind it */
#define NMIBT_LINE_MISSING 0x20 /* bytes before it could not be read */

/* A line as the kernel printed it, without level and newline. */
struct nmibt_line;
/* *ret_len bytes, not terminated; any byte may be in it. */
const char *nmibt_line_text(const struct nmibt_line *line, size_t *ret_len);
int nmibt_line_level(const struct nmibt_line *line); /* 0-7, or NMIBT_LEVEL_* */
unsigned int nmibt_line_flags(const struct nmibt_line *line); /* NMIBT_LINE_* */

/* ---------------------------------------------------------------- evidence */

enum nmibt_evidence_kind {
	NMIBT_EVIDENCE_SLOT, /* the capture's slot */
	NMIBT_EVIDENCE_ANSWER, /* the CPU answered a request for its backtrace */
	NMIBT_EVIDENCE_SKIPPED, /* the CPU answered that it idles */
	NMIBT_EVIDENCE_OWN, /* the CPU printed it of itself, for the reason of its printout */
	NMIBT_EVIDENCE_TASK, /* the stack of a task that ran on no CPU; it stands for none */
	NMIBT_EVIDENCE_REGISTERS, /* saved at the stop, or of the virtual CPU */
};

/* What is wrong with a piece of evidence. */
enum {
	NMIBT_WRONG_HEADLESS = 1 << 0, /* its beginning is gone */
	NMIBT_WRONG_GAP = 1 << 1, /* something in the middle of it is lost */
	NMIBT_WRONG_TORN = 1 << 2, /* it was being written */
	NMIBT_WRONG_CUT = 1 << 3, /* its end is gone */
	NMIBT_WRONG_EXCLUDED = 1 << 4, /* a part of it is not in the dump */
	NMIBT_WRONG_DAMAGED = 1 << 5, /* it fails checks, or a part of it can't be read */
};

/* What became of a CPU's crash note. */
enum nmibt_note {
	NMIBT_NOTE_UNKNOWN, /* nothing says where it is */
	NMIBT_NOTE_PRESENT,
	NMIBT_NOTE_NONE, /* empty: the CPU never stopped */
	NMIBT_NOTE_EXCLUDED,
	NMIBT_NOTE_DAMAGED, /* unreadable or fails its checks */
};
#define NMIBT_NR_NOTES (NMIBT_NOTE_DAMAGED + 1)
const char *nmibt_note_name(enum nmibt_note note);

/* Bytes of a task's name, and a NUL. */
#define NMIBT_TASK_NAME_LEN 17

/* What one source has about one CPU. */
struct nmibt_evidence;
enum nmibt_source nmibt_evidence_source(const struct nmibt_evidence *evidence);
enum nmibt_evidence_kind nmibt_evidence_kind(const struct nmibt_evidence *evidence);
unsigned int nmibt_evidence_wrong(const struct nmibt_evidence *evidence); /* NMIBT_WRONG_* */
/* What failed, printable; empty: nothing. */
const char *nmibt_evidence_why(const struct nmibt_evidence *evidence);
/* False: not known. *ret_pid may be 0, which is the idle task; the name may be empty. */
bool nmibt_evidence_task(const struct nmibt_evidence *evidence, int32_t *ret_pid,
			 char ret_name[NMIBT_TASK_NAME_LEN]);
const struct nmibt_stack *nmibt_evidence_stack(const struct nmibt_evidence *evidence);
/* With which the stack begins; NULL: there are none. */
const struct nmibt_regs *nmibt_evidence_registers(const struct nmibt_evidence *evidence);
/* Its text; registers have none. */
size_t nmibt_evidence_nr_lines(const struct nmibt_evidence *evidence);
/* NULL: i is not below nmibt_evidence_nr_lines(). */
const struct nmibt_line *nmibt_evidence_line(const struct nmibt_evidence *evidence, size_t i);

/* -------------------------------------------------------------------- CPUs */

enum nmibt_outcome {
	NMIBT_OUTCOME_NMI,
	NMIBT_OUTCOME_IRQ,
	NMIBT_OUTCOME_SELF,
	NMIBT_OUTCOME_STOP,
	NMIBT_OUTCOME_PARTIAL, /* it began and did not finish */
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

/* The step of the rule that chose what stands; docs/evidence.md. It has no name: its number is
 * what the JSON has. */
enum nmibt_step {
	NMIBT_STEP_SLOT = 1, /* its slot of the last request */
	NMIBT_STEP_BELONGS, /* text that belongs to the death */
	NMIBT_STEP_CONFIRMED, /* older text that the registers confirm */
	NMIBT_STEP_REGISTERS, /* those of the stop or of the virtual CPU */
	NMIBT_STEP_LAST_SEEN, /* older text, in the past tense */
	NMIBT_STEP_NOTHING,
};

enum nmibt_moved {
	NMIBT_MOVED_UNKNOWN, /* a register set is missing, or both are of the stop */
	NMIBT_MOVED_SAME, /* same function chain: "same place" */
	NMIBT_MOVED_YES,
	NMIBT_MOVED_IDLE, /* the idle task: always looks moved, says nothing */
	NMIBT_MOVED_SYNTHETIC, /* the panicking CPU's note is made up by panic() */
};
const char *nmibt_moved_name(enum nmibt_moved moved);

struct nmibt_cpu;
/* Everything about one CPU, which the caller closes before the report. What is damaged is said
 * in it, and is no error. USAGE where cpu is not below nmibt_report_nr_cpus(). It may be
 * one that nmibt_report_has_cpu() denies. */
struct nmibt_error *nmibt_report_cpu(const struct nmibt_report *report, unsigned int cpu,
				     struct nmibt_cpu **ret);
void nmibt_cpu_close(struct nmibt_cpu *cpu); /* NULL is allowed */

unsigned int nmibt_cpu_number(const struct nmibt_cpu *cpu);
enum nmibt_outcome nmibt_cpu_outcome(const struct nmibt_cpu *cpu);
enum nmibt_step nmibt_cpu_step(const struct nmibt_cpu *cpu);
/* Where what stands comes from; AUTO: nothing stands. */
enum nmibt_source nmibt_cpu_source(const struct nmibt_cpu *cpu);
bool nmibt_cpu_is_idle(const struct nmibt_cpu *cpu);
bool nmibt_cpu_is_user(const struct nmibt_cpu *cpu); /* in user mode */
bool nmibt_cpu_has_irqs_off(const struct nmibt_cpu *cpu); /* false also: not known */
/* Between what stands and the stop. */
enum nmibt_moved nmibt_cpu_moved(const struct nmibt_cpu *cpu);
/* Of what stands, if that is text of the log; as nmibt_moment_age(). UNKNOWN for slots, NMI
 * buffers and registers: they are of the death or the dump, or have no date. */
enum nmibt_age_kind nmibt_cpu_age(const struct nmibt_cpu *cpu, int64_t *ret_ns,
				  bool *ret_is_suspended);
/* What failed, or why there is nothing, printable; may be empty. */
const char *nmibt_cpu_why(const struct nmibt_cpu *cpu);
/* What stands, never NULL: it is empty where nothing does. */
const struct nmibt_evidence *nmibt_cpu_evidence(const struct nmibt_cpu *cpu);
/* The registers at the stop, with their stack where they stand. */
const struct nmibt_evidence *nmibt_cpu_stop(const struct nmibt_cpu *cpu);
enum nmibt_note nmibt_cpu_note(const struct nmibt_cpu *cpu);
/* As nmibt_evidence_task(), of what stands or of the stop. */
bool nmibt_cpu_task(const struct nmibt_cpu *cpu, int32_t *ret_pid,
		    char ret_name[NMIBT_TASK_NAME_LEN]);
/* Of what stands. */
const struct nmibt_stack *nmibt_cpu_stack(const struct nmibt_cpu *cpu);
const struct nmibt_regs *nmibt_cpu_registers(const struct nmibt_cpu *cpu); /* NULL: none */

/* ---------------------------------------------------------------- findings */

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

/* What is to be seen in the report, and nothing that is only likely. In the order of kinds. */
struct nmibt_findings;
struct nmibt_finding;
/* The caller closes them before the report. */
struct nmibt_error *nmibt_report_findings(const struct nmibt_report *report,
					  struct nmibt_findings **ret);
void nmibt_findings_close(struct nmibt_findings *findings); /* NULL is allowed */
size_t nmibt_findings_nr(const struct nmibt_findings *findings);
/* NULL: i is not below nmibt_findings_nr(). */
const struct nmibt_finding *nmibt_findings_at(const struct nmibt_findings *findings, size_t i);
enum nmibt_finding_kind nmibt_finding_kind(const struct nmibt_finding *finding);
/* Ascending; *ret_nr of them; 0: of the report as a whole. */
const unsigned int *nmibt_finding_cpus(const struct nmibt_finding *finding, size_t *ret_nr);
/* What was seen, printable; may be empty. */
const char *nmibt_finding_text(const struct nmibt_finding *finding);

/* --------------------------------------------------------------- signature */

/* It grows whenever the same dump would get another signature. */
#define NMIBT_SIGNATURE_VERSION 1

/* docs/signature.md */
struct nmibt_signature;
/* The caller closes it. */
struct nmibt_error *nmibt_report_signature(const struct nmibt_report *report,
					   struct nmibt_signature **ret);
void nmibt_signature_close(struct nmibt_signature *signature); /* NULL is allowed */
/* SHA-1 in hex; empty: there is nothing to make it of. */
const char *nmibt_signature_value(const struct nmibt_signature *signature);
/* satyr's, of the panicking CPU; may be empty. */
const char *nmibt_signature_duphash(const struct nmibt_signature *signature);

/* ------------------------------------------------------------------ render */

/* Sets those of the nr flags that list names: "3", "1,8-14", "a" or "all".
 * USAGE when it is no list, or names a CPU beyond the last. */
struct nmibt_error *nmibt_parse_cpus(const char *list, bool *cpus, unsigned int nr);

enum nmibt_format {
	NMIBT_FORMAT_TEXT,
	NMIBT_FORMAT_JSON, /* by nmibt_render_json() alone; docs/json.md */
	NMIBT_FORMAT_GROUPS, /* each stack once, with the CPUs that have it */
	NMIBT_FORMAT_FOLDED, /* a line for each stack, for flame graphs */
	NMIBT_FORMAT_SIGNATURE, /* the name of the crash, and how it was made */
	NMIBT_FORMAT_DESCRIPTION, /* the case without what tells whose machine it was */
};

/* Letters are those of the front ends. */
struct nmibt_render_options {
	size_t size; /* sizeof(struct nmibt_render_options) */
	enum nmibt_format format; /* -j, -g, -f, -i */
	const bool *cpus; /* the report's nr_cpus; borrowed for the call; NULL: all */
	bool summary_only; /* -s */
	bool lines; /* -l: file and line of each frame */
	bool raw; /* -r: bytes escaped */
	bool header; /* -t: the slots' header fields, and all registers */
	bool older; /* -o: also what is older than what stands */
	bool verbose; /* -v: also what is merely absent */
	bool colour;
	unsigned int width; /* columns of the terminal; 0: unknown, 80 is assumed */
};

/* Sets the option that a letter stands for in every front end; false: none does. The letters
 * of the library that the program is compiled for, as getopt() wants them. */
#define NMIBT_RENDER_LETTERS "slrtovjgfi"
bool nmibt_render_option(struct nmibt_render_options *options, int letter);

/* Takes the next len bytes of the output; false: it can't, and rendering ends. The output is
 * printable, whatever the image holds, but for colours. */
typedef bool (*nmibt_write_fn)(void *ctx, const char *data, size_t len);

/* Exit code in *ret: 0 printed, 1 nothing to print, 3 printed with damage. An error in the
 * middle leaves what was written unfinished; UNUSABLE where write returned false. options
 * may be NULL: text of everything. */
struct nmibt_error *nmibt_render(const struct nmibt_report *report,
				 const struct nmibt_render_options *options, nmibt_write_fn write,
				 void *ctx, int *ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* NMIBT_H */
