/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libnmibt: what every CPU was doing when the kernel in a memory image died.
 *
 * A caller opens an input, makes a report of a crash in it, and then asks the report with
 * getters, or renders it:
 *
 *   nmibt_input_open() or nmibt_input_new() -> nmibt_report_open() -> getters, nmibt_render()
 *
 * docs/library.md has an example. <nmibt/json.h> and <nmibt/debuginfo.h> belong to archives
 * of their own; <nmibt/capture.h> is the format of the capture in the kernel's memory.
 *
 * Types are opaque. What a getter returns belongs to the object that was passed to it, and is
 * valid as long as that object. Everything that is read from an image is untrusted: strings may
 * hold any byte but NUL, except where a comment calls them printable.
 *
 * A table of options or of callbacks begins with its size. The caller sets it to sizeof of the
 * struct that it was compiled with; the library takes the members beyond that size as 0.
 *
 * Errors: a call that can fail returns NULL for success, or a struct nmibt_error that the
 * caller frees with nmibt_error_destroy(). Out-parameters come last, their names begin with
 * ret, and a failed call leaves them untouched.
 *
 * The library has no global state. One input, and the objects that are made from it, may be used
 * by one thread at a time. Two reports of one input may be open.
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

/* The version of this header: as text, and as a number with 8 bits each for major, minor and
 * patch. */
#define NMIBT_VERSION "0.1.0"
#define NMIBT_VERSION_NUMBER 0x000100
/* The NMIBT_VERSION_NUMBER that the loaded library was compiled with. */
unsigned int nmibt_version_number(void);

/* ------------------------------------------------------------------ errors */

enum nmibt_code {
	NMIBT_ERR_NOTHING = 1, /* the image does not hold what the caller asked for */
	NMIBT_ERR_USAGE = 2, /* the caller asked for something impossible */
	NMIBT_ERR_DAMAGED = 3, /* data is there and fails its checks */
	NMIBT_ERR_UNUSABLE = 4, /* the image can't be read at all */
	NMIBT_ERR_NOMEM = 5,
	NMIBT_ERR_INTERRUPTED = 6, /* the input's interrupted() returned true */
};

struct nmibt_error;
enum nmibt_code nmibt_error_code(const struct nmibt_error *err);
/* One printable line without a newline. It says what the library was doing, for which CPU or
 * address, and why that failed. */
const char *nmibt_error_message(const struct nmibt_error *err);
/* NULL is allowed. */
void nmibt_error_destroy(struct nmibt_error *err);
/* An error that a callback of a program returns. Never NULL. Bytes of the message that aren't
 * printable ASCII become '?'. */
struct nmibt_error *nmibt_error_create(enum nmibt_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

/* ------------------------------------------------------------------- input */

enum nmibt_arch {
	NMIBT_ARCH_UNKNOWN,
	NMIBT_ARCH_X86_64,
	NMIBT_ARCH_ARM64,
	/* Of these texts are read, and no dumps. */
	NMIBT_ARCH_I386,
	NMIBT_ARCH_ARM,
	NMIBT_ARCH_POWERPC,
	NMIBT_ARCH_S390,
	NMIBT_ARCH_RISCV,
	NMIBT_ARCH_LOONGARCH,
	NMIBT_ARCH_MIPS,
	NMIBT_ARCH_SPARC64,
};
/* "x86_64"; NULL: the architecture is not known. */
const char *nmibt_arch_name(enum nmibt_arch arch);

/* The result of a read. EXCLUDED means that the dump says that it left the page out; ERROR means
 * every other failure. */
enum nmibt_read {
	NMIBT_READ_OK,
	NMIBT_READ_EXCLUDED,
	NMIBT_READ_ERROR,
};

struct nmibt_input_options {
	size_t size; /* sizeof(struct nmibt_input_options) */
	enum nmibt_arch arch; /* for an image that does not name it; nmibt_input_new() needs it */
	size_t page_size; /* bytes, a power of two; nmibt_input_new() needs it */
	/* Descriptors of the files that nmibt_input_open() would open, in the order of their
	 * paths. They may be closed after the call. NULL: it opens the paths. */
	const int *fds;
	/* The process can do no harm, and somebody sees it die: it is in a sandbox. Then
	 * nmibt_input_open() may use libkdumpfile, which damaged files can take over. */
	bool may_crash;
};

/* A code address as the kernel prints it. */
struct nmibt_location;
const char *nmibt_location_function(const struct nmibt_location *code);
const char *nmibt_location_module(const struct nmibt_location *code); /* NULL: the kernel itself */
uint64_t nmibt_location_offset(const struct nmibt_location *code); /* bytes from the function */
/* Bytes of the function, with the padding that the linker put behind it; 0: not known. */
uint64_t nmibt_location_size(const struct nmibt_location *code);

/* Receives one place in the sources. where is "file:line". function is the name of the function
 * that was inlined there; NULL: the place is in the frame's own function. Both strings are
 * borrowed for the call. */
typedef void (*nmibt_place_fn)(void *arg, const char *function, const char *where);

/*
 * The callbacks of nmibt_input_new(). Any callback may be NULL; the report then says what the
 * library could not do without it. ctx is the pointer that the caller gave.
 *
 * A read returns OK only when all len bytes were read. The library never asks for a read that
 * crosses a page. It reads whole pages, and keeps some of them until nmibt_input_close(); bytes of
 * a page that can't be read as a whole are read alone.
 */
struct nmibt_input_ops {
	size_t size; /* sizeof(struct nmibt_input_ops) */
	enum nmibt_read (*read_phys)(void *ctx, uint64_t paddr, void *buf, size_t len);
	/* Reads at a kernel virtual address that the page tables do not translate. */
	enum nmibt_read (*read_virt)(void *ctx, uint64_t vaddr, void *buf, size_t len);
	/* The text of VMCOREINFO, in malloc'ed memory that the library frees; NULL: there
	 * is none. */
	char *(*vmcoreinfo_text)(void *ctx);
	/* For a caller that does not have the whole text: the value behind KEY= in VMCOREINFO,
	 * in malloc'ed memory that the library frees; NULL: no such line. */
	char *(*vmcoreinfo)(void *ctx, const char *key);
	/* Virtual address of a symbol of the kernel, with KASLR's offset. */
	bool (*symbol_addr)(void *ctx, const char *name, uint64_t *ret);
	/* Physical address of a kernel virtual address. */
	bool (*virt_to_phys)(void *ctx, uint64_t vaddr, uint64_t *ret);
	/* Offsets and sizes in bytes; types and members are named as in DWARF or BTF. */
	bool (*member_offset)(void *ctx, const char *type, const char *member, size_t *ret);
	bool (*type_size)(void *ctx, const char *type, size_t *ret);
	/* Writes "symbol+0xoffset" or "symbol+0xoffset [module]", NUL-terminated, cut to len
	 * bytes. The library asks only for addresses that the symbols in the image itself do
	 * not name. */
	bool (*symbolize)(void *ctx, uint64_t addr, char *buf, size_t len);
	/* Calls visit for every place in the sources that code comes from: the innermost inlined
	 * function first, the frame's own function last. False: the place is unknown or
	 * ambiguous, and visit was not called. */
	bool (*find_places)(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
			    void *arg);
	/* The first run of physical memory that the image holds and that ends beyond from, cut
	 * so that it starts at from or later. *ret_size is in bytes. False: there is no such
	 * run. */
	bool (*next_range)(void *ctx, uint64_t from, uint64_t *ret_start, uint64_t *ret_size);
	/* True when the user wants the work stopped. */
	bool (*interrupted)(void *ctx);
	/* The ELF notes of the dump, one after the other, in malloc'ed memory that the library
	 * frees; *ret_len is their length in bytes. NULL: there are none. The library reads the
	 * registers of virtual CPUs from them. */
	char *(*notes)(void *ctx, size_t *ret_len);
};

struct nmibt_input;

/*
 * Opens a dump: ELF, kdump-compressed or flattened; sadump; with may_crash also the core of a Xen
 * guest. The nr paths are the parts of one split dump in any order. A truncated dump is opened,
 * too, but for Xen's. Or opens records of vmcore-nmibt, or logs that the kernel printed: its own
 * records in pstore, in any order, or its console. UNUSABLE where a file can't be read or has another
 * format: the message names the file. options may be NULL.
 */
struct nmibt_error *nmibt_input_open(const char *const *paths, unsigned int nr,
				     const struct nmibt_input_options *options,
				     struct nmibt_input **ret);
/* Loads the libraries that reading a dump needs by its first bytes, which stay loaded. It is for a
 * program that gives up the right to open files before it opens the input. fd is that of the file,
 * whatever it holds. */
void nmibt_load_libraries(int fd);
/* Opens an image that the caller reads. ops is copied; ctx is borrowed until
 * nmibt_input_close(). USAGE where options lack the architecture or the size of a page. */
struct nmibt_error *nmibt_input_new(const struct nmibt_input_ops *ops, void *ctx,
				    const struct nmibt_input_options *options,
				    struct nmibt_input **ret);
/* The caller closes all reports of the input first. NULL is allowed. */
void nmibt_input_close(struct nmibt_input *input);

/* How many crashes are in it: 1 for every dump; one for each log where the files are the kernel's own
 * records in pstore, of which the newest comes last, as far as that is known; one for each boot in a
 * text. Crashes are numbered from 0. */
unsigned int nmibt_input_nr_crashes(const struct nmibt_input *input);
/* The one to be shown where nobody names another: the newest of pstore; of a text the last one of a
 * kernel that is no capture kernel. */
unsigned int nmibt_input_default_crash(const struct nmibt_input *input);
/* One printable line that tells a crash from the others in the same file. It is valid until the next
 * call. NULL: there are no others, or no such crash. */
const char *nmibt_input_crash_name(struct nmibt_input *input, unsigned int crash);
/* Reads physical memory; [paddr, paddr + len) may cross pages. OK only when all bytes were
 * read. */
enum nmibt_read nmibt_input_read(struct nmibt_input *input, uint64_t paddr, void *buf, size_t len);
/* The ELF notes of the dump, one after the other, in malloc'ed memory that the caller frees;
 * *ret_len is their length in bytes. NULL: there are none. */
char *nmibt_input_notes(struct nmibt_input *input, size_t *ret_len);
/* One printable line about the dump file itself: it is truncated, or makedumpfile left it
 * incomplete, or a library that decompresses its pages is missing (which is known once pages
 * were read). NULL: nothing. */
const char *nmibt_input_remark(const struct nmibt_input *input);

/* What the program that wrote a record of vmcore-nmibt (docs/pstore-format.md) said of all CPUs:
 * lines of printable ASCII. NULL: it is no record, or has none, or the record has everything. */
const char *nmibt_input_summary(const struct nmibt_input *input);

/* Receives the next len bytes of the output. It returns false when it can't take them; rendering
 * ends then. The output is printable whatever the image holds, apart from colour sequences. */
typedef bool (*nmibt_write_fn)(void *ctx, const char *data, size_t len);
/*
 * Old files of pstore whose ends are in a record: the console of the kernel that died, and what user
 * space wrote. The name of file i, printable, as "console-ramoops-0"; NULL: there are no more.
 */
const char *nmibt_input_file(const struct nmibt_input *input, unsigned int i);
/* Writes file i, and between brackets how many bytes of it are missing. */
struct nmibt_error *nmibt_input_write_file(const struct nmibt_input *input, unsigned int i,
					   nmibt_write_fn write, void *ctx);

/* ------------------------------------------------------------------ report */

/* Where evidence comes from. */
enum nmibt_source {
	NMIBT_SOURCE_AUTO, /* only as an option: the best for each CPU */
	/* The capture of nmibt's patches, by the way in which its descriptor was found: */
	NMIBT_SOURCE_VMCOREINFO,
	NMIBT_SOURCE_SYMBOL,
	NMIBT_SOURCE_SCAN,
	/* Any kernel has some of these: per-CPU buffers of NMIs (3.19 to 5.14), backtraces in the
	 * log (5.10 and later), crash notes. */
	NMIBT_SOURCE_NMI_BUFFERS,
	NMIBT_SOURCE_LOG,
	NMIBT_SOURCE_REGISTERS,
	NMIBT_SOURCE_VCPU, /* registers of virtual CPUs, in a hypervisor's dump */
	NMIBT_NR_SOURCES,
};
#define NMIBT_SOURCE_NAMES "auto, vmcoreinfo, symbol, scan, nmi-buffers, log, registers or vcpu"
/* One of NMIBT_SOURCE_NAMES. */
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
 * has evidence about any CPU, DAMAGED where there is evidence and none of it can be used; the
 * message says where the library looked. USAGE where there is no such crash or source.
 */
struct nmibt_error *nmibt_report_open(struct nmibt_input *input, unsigned int crash,
				      const struct nmibt_report_options *options,
				      struct nmibt_report **ret);
void nmibt_report_close(struct nmibt_report *report); /* NULL is allowed */

enum nmibt_arch nmibt_report_arch(const struct nmibt_report *report);
/* CPUs are numbered from 0 to this number - 1. */
unsigned int nmibt_report_nr_cpus(const struct nmibt_report *report);
/* False: the machine can have no CPU of this number. */
bool nmibt_report_has_cpu(const struct nmibt_report *report, unsigned int cpu);
/* False: something was lost or could not be read. */
bool nmibt_report_is_complete(const struct nmibt_report *report);

/* The result of looking at a source. */
enum nmibt_found {
	NMIBT_FOUND_UNTRIED,
	NMIBT_FOUND_ABSENT,
	NMIBT_FOUND_EMPTY, /* it is there, and nothing is in it */
	NMIBT_FOUND_UNREADABLE,
	NMIBT_FOUND,
};
/* "absent", "empty"... */
const char *nmibt_found_name(enum nmibt_found found);
/* *ret_why: where the library looked and what it found, printable; may be empty. */
enum nmibt_found nmibt_report_source(const struct nmibt_report *report, enum nmibt_source source,
				     const char **ret_why);

/* -------------------------------------------------------------------- ages */

/* How sure an age is. An age is the time from an event to the death; without a death, to the
 * dump. */
enum nmibt_age_kind {
	NMIBT_AGE_UNKNOWN, /* the event has no time, or one of another clock */
	NMIBT_AGE_EXACT,
	NMIBT_AGE_AT_LEAST, /* the time of the death or the dump is missing */
};

/* ---------------------------------------------------------------- the case */

/* The machine and its kernel. Strings are NULL where they are not known. */
struct nmibt_case;
const struct nmibt_case *nmibt_report_case(const struct nmibt_report *report);
const char *nmibt_case_host(const struct nmibt_case *c);
const char *nmibt_case_release(const struct nmibt_case *c);
const char *nmibt_case_build_id(const struct nmibt_case *c); /* in hex */
const char *nmibt_case_hardware(const struct nmibt_case *c);
const char *nmibt_case_taint(const struct nmibt_case *c); /* as the kernel prints it */
/* The sysctl that turned a warning into the panic. */
const char *nmibt_case_setting(const struct nmibt_case *c);
/* The time of the death, in seconds since 1970. False: not known. */
bool nmibt_case_time(const struct nmibt_case *c, uint64_t *ret);
/* The time since boot in ns, at the death; without a death, at the newest record of the log.
 * False: not known. *ret_is_least: the machine was up for at least that long. */
bool nmibt_case_uptime(const struct nmibt_case *c, uint64_t *ret, bool *ret_is_least);

/* --------------------------------------------------------------- the death */

struct nmibt_death;
/* NULL: no panic is known. */
const struct nmibt_death *nmibt_report_death(const struct nmibt_report *report);
/* The CPU that called panic(). False: not known. */
bool nmibt_death_reporter(const struct nmibt_death *death, unsigned int *ret);
/* True: the panic is about this CPU. cpu is below nmibt_report_nr_cpus(). */
bool nmibt_death_is_subject(const struct nmibt_death *death, unsigned int cpu);
const char *nmibt_death_message(const struct nmibt_death *death); /* NULL: not known */
/* The message of the panic of the capture kernel itself; NULL: it did not panic. */
const char *nmibt_death_dump_failed(const struct nmibt_death *death);

/* -------------------------------------------------------------- conditions */

/* All reports of one watchdog about one CPU, task or grace period. Times are ns of the log's
 * clock. */
struct nmibt_condition;
size_t nmibt_report_nr_conditions(const struct nmibt_report *report);
/* NULL: i is not below nmibt_report_nr_conditions(). */
const struct nmibt_condition *nmibt_report_condition(const struct nmibt_report *report, size_t i);
const char *nmibt_condition_name(const struct nmibt_condition *c); /* "soft-lockup" */
bool nmibt_condition_has_cpu(const struct nmibt_condition *c, unsigned int cpu);
unsigned int nmibt_condition_nr_reports(const struct nmibt_condition *c);
uint64_t nmibt_condition_since(const struct nmibt_condition *c); /* when it began; 0: not known */
uint64_t nmibt_condition_last(const struct nmibt_condition *c); /* time of the last report */
/* True: as far as the report can tell, it lasted until the death or the dump. */
bool nmibt_condition_is_open(const struct nmibt_condition *c);

/* ---------------------------------------------------------------- timeline */

enum nmibt_moment_kind {
	NMIBT_MOMENT_FIRST_BAD, /* the first thing since boot that should not have happened */
	NMIBT_MOMENT_CONDITION,
	NMIBT_MOMENT_OOPS, /* an oops that the machine survived */
	NMIBT_MOMENT_REQUEST, /* backtraces were asked for */
	NMIBT_MOMENT_SUSPEND,
	NMIBT_MOMENT_DEATH,
	NMIBT_MOMENT_DUMP_FAILED,
	NMIBT_MOMENT_UNENDED_OOPS, /* another oops than the panic's, whose end is not in the log */
	NMIBT_NR_MOMENTS,
};
const char *nmibt_moment_name(enum nmibt_moment_kind kind);

/* The moments of a report are sorted, the oldest first. */
struct nmibt_moment;
size_t nmibt_report_nr_moments(const struct nmibt_report *report);
/* NULL: i is not below nmibt_report_nr_moments(). */
const struct nmibt_moment *nmibt_report_moment(const struct nmibt_report *report, size_t i);
enum nmibt_moment_kind nmibt_moment_kind(const struct nmibt_moment *moment);
const char *nmibt_moment_text(const struct nmibt_moment *moment); /* printable */
/* *ret_ns is set unless the age is UNKNOWN; it is negative for a moment after the death.
 * *ret_is_suspended: the machine was suspended in between, and *ret_ns counts only the time
 * awake. */
enum nmibt_age_kind nmibt_moment_age(const struct nmibt_moment *moment, int64_t *ret_ns,
				     bool *ret_is_suspended);

/* ------------------------------------------------------------------ stacks */

/* The kinds of stack that a frame can be on. */
enum nmibt_stack_kind {
	NMIBT_STACK_TASK, /* the task's own; also where the text does not name the stack */
	NMIBT_STACK_IRQ,
	NMIBT_STACK_SOFTIRQ,
	NMIBT_STACK_NMI,
	NMIBT_STACK_EXCEPTION, /* x86's #DF, #DB, #MC, #VC; arm64's SDEI */
	NMIBT_STACK_ENTRY, /* x86's entry trampoline */
	NMIBT_NR_STACK_KINDS,
};

/* Why a stack ends where it does. */
enum nmibt_stack_end {
	NMIBT_END_UNKNOWN, /* the text does not say it, or nobody followed the stack */
	NMIBT_END_COMPLETE, /* at the outermost function of the kernel */
	NMIBT_END_USER, /* the CPU was in user mode, or entered the kernel from user mode */
	NMIBT_END_UNREADABLE, /* memory at end_addr can't be read */
	NMIBT_END_EXCLUDED, /* memory at end_addr is not in the dump */
	NMIBT_END_NO_UNWIND_DATA, /* there is none for the code at end_addr */
	NMIBT_END_NONSENSE, /* the word at end_addr can't be what the unwinder expects there */
	NMIBT_END_LIMIT, /* the stack has more frames than nmibt follows */
	NMIBT_END_CUT, /* the text was cut: the rest did not fit, or was not printed */
	NMIBT_END_GAP, /* records of the log within the stack are lost */
	NMIBT_NR_ENDS,
};
const char *nmibt_end_name(enum nmibt_stack_end end);

/* The frames of one stack, the innermost first. */
struct nmibt_stack;
size_t nmibt_stack_nr_frames(const struct nmibt_stack *stack);
enum nmibt_stack_end nmibt_stack_end(const struct nmibt_stack *stack);
uint64_t nmibt_stack_end_addr(const struct nmibt_stack *stack); /* virtual; 0: none */

/* One frame. It has an address or a name, perhaps both. */
struct nmibt_frame;
/* NULL: i is not below nmibt_stack_nr_frames(). */
const struct nmibt_frame *nmibt_stack_frame(const struct nmibt_stack *stack, size_t i);
/* Where the CPU was: the innermost frame with a reliable name that does not belong to panic(), to
 * the capture or to the code that stops CPUs. NULL: there is none, as in user mode. For the CPU
 * that panicked, frame 0 is a function that panic() called. */
const struct nmibt_frame *nmibt_stack_place(const struct nmibt_stack *stack);
/* *ret_len bytes, not terminated; 0: no symbol is known. */
const char *nmibt_frame_function(const struct nmibt_frame *frame, size_t *ret_len);
/* *ret_len bytes, not terminated; 0: the kernel itself, or not known. */
const char *nmibt_frame_module(const struct nmibt_frame *frame, size_t *ret_len);
uint64_t nmibt_frame_addr(const struct nmibt_frame *frame); /* virtual; 0: not known */
uint64_t nmibt_frame_offset(const struct nmibt_frame *frame); /* bytes from the function */
enum nmibt_stack_kind nmibt_frame_stack_kind(const struct nmibt_frame *frame);
/* False: the address may be left on the stack from an earlier call. */
bool nmibt_frame_is_reliable(const struct nmibt_frame *frame);
/* True: the CPU was at this address, or an interrupt or an exception hit it there. False: it is a
 * return address. */
bool nmibt_frame_is_hit(const struct nmibt_frame *frame);

/* --------------------------------------------------------------- registers */

struct nmibt_regs;
/* The name of word i of the architecture's pr_reg: "pc", "x0", "rip"; NULL: there is no word i. */
const char *nmibt_reg_name(enum nmibt_arch arch, unsigned int i);
unsigned int nmibt_regs_nr(const struct nmibt_regs *regs);
/* i is below nmibt_regs_nr(). */
uint64_t nmibt_regs_value(const struct nmibt_regs *regs, unsigned int i);

/* -------------------------------------------------------------- text lines */

#define NMIBT_LEVEL_DEFAULT (-1) /* the line has no level header: KERN_DEFAULT */
#define NMIBT_LEVEL_CONT (-2) /* the line continues the one before it: KERN_CONT */

#define NMIBT_LINE_PARTIAL 0x01 /* no newline ended it */
#define NMIBT_LINE_TORN 0x02 /* wholly or in part beyond the published length */
#define NMIBT_LINE_CUT 0x04 /* the text area was full: the rest of it is lost */
#define NMIBT_LINE_NESTED 0x08 /* from the nested area */
#define NMIBT_LINE_LONE_HEADER 0x10 /* a level header with nothing behind it */
#define NMIBT_LINE_MISSING 0x20 /* bytes before it could not be read */
#define NMIBT_LINE_LOST 0x40 /* of a log: lines before it are lost, or may be */

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
	NMIBT_EVIDENCE_SKIPPED, /* the CPU answered that it is idle */
	NMIBT_EVIDENCE_OWN, /* the CPU printed its own backtrace, because of a warning or an oops */
	NMIBT_EVIDENCE_TASK, /* the stack of a task that was not running on any CPU */
	NMIBT_EVIDENCE_REGISTERS, /* those saved at the stop, or those of the virtual CPU */
};

/* What is wrong with a piece of evidence. */
enum {
	NMIBT_WRONG_HEADLESS = 1 << 0, /* its beginning is lost */
	NMIBT_WRONG_GAP = 1 << 1, /* a part in its middle is lost */
	NMIBT_WRONG_TORN = 1 << 2, /* the CPU was still writing it */
	NMIBT_WRONG_CUT = 1 << 3, /* its end is lost */
	NMIBT_WRONG_EXCLUDED = 1 << 4, /* a part of it is not in the dump */
	NMIBT_WRONG_DAMAGED = 1 << 5, /* it fails checks, or a part of it can't be read */
	NMIBT_WRONG_MIXED = 1 << 6, /* some of its lines may be another CPU's, and GAP is set */
};

/* The state of a CPU's crash note. */
enum nmibt_note {
	NMIBT_NOTE_UNKNOWN, /* nothing says where it is */
	NMIBT_NOTE_PRESENT,
	NMIBT_NOTE_NONE, /* empty: the CPU never stopped */
	NMIBT_NOTE_EXCLUDED,
	NMIBT_NOTE_DAMAGED, /* unreadable or fails its checks */
};
#define NMIBT_NR_NOTES (NMIBT_NOTE_DAMAGED + 1)
const char *nmibt_note_name(enum nmibt_note note);

/* Bytes of a task's name, with the NUL. */
#define NMIBT_TASK_NAME_LEN 17

/* One piece of evidence: what one source has about one CPU. */
struct nmibt_evidence;
enum nmibt_source nmibt_evidence_source(const struct nmibt_evidence *evidence);
enum nmibt_evidence_kind nmibt_evidence_kind(const struct nmibt_evidence *evidence);
unsigned int nmibt_evidence_wrong(const struct nmibt_evidence *evidence); /* NMIBT_WRONG_* */
/* What failed, printable; empty: nothing failed. */
const char *nmibt_evidence_why(const struct nmibt_evidence *evidence);
/* The task that the CPU ran. False: not known. *ret_pid may be 0, which is the idle task; the
 * name may be empty. */
bool nmibt_evidence_task(const struct nmibt_evidence *evidence, int32_t *ret_pid,
			 char ret_name[NMIBT_TASK_NAME_LEN]);
const struct nmibt_stack *nmibt_evidence_stack(const struct nmibt_evidence *evidence);
/* The registers that the stack begins with; NULL: there are none. */
const struct nmibt_regs *nmibt_evidence_registers(const struct nmibt_evidence *evidence);
/* The lines of the evidence's text; registers have none. */
size_t nmibt_evidence_nr_lines(const struct nmibt_evidence *evidence);
/* NULL: i is not below nmibt_evidence_nr_lines(). */
const struct nmibt_line *nmibt_evidence_line(const struct nmibt_evidence *evidence, size_t i);

/* -------------------------------------------------------------------- CPUs */

/* What is known of a CPU, in one word. With the capture: what made it write its slot, or why it
 * did not write. */
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
	/* In dumps of kernels without the capture: */
	NMIBT_OUTCOME_ANSWERED, /* it answered the kernel's request for its backtrace */
	NMIBT_OUTCOME_SKIPPED, /* it answered that it is idle */
	NMIBT_OUTCOME_REPORTED, /* it printed its own backtrace, as a watchdog does */
	NMIBT_OUTCOME_REGISTERS, /* only the registers that it saved at the stop are known */
	NMIBT_OUTCOME_NONE, /* nobody asked it, or there is only a stale capture */
	NMIBT_NR_OUTCOMES,
};
const char *nmibt_outcome_name(enum nmibt_outcome outcome);

/* The step of the rule by which nmibt chose the evidence that stands; docs/evidence.md. Steps have
 * no names: the JSON has the number. */
enum nmibt_step {
	NMIBT_STEP_SLOT = 1, /* its slot of the last request */
	NMIBT_STEP_BELONGS, /* text that was printed for the death */
	NMIBT_STEP_CONFIRMED, /* older text that the registers confirm */
	NMIBT_STEP_REGISTERS, /* registers of the stop or of the virtual CPU */
	NMIBT_STEP_LAST_SEEN, /* older text, reported in the past tense */
	NMIBT_STEP_NOTHING,
};

/* Whether the CPU moved on between the evidence that stands and its stop. */
enum nmibt_moved {
	NMIBT_MOVED_UNKNOWN, /* a register set is missing, or both are of the stop */
	NMIBT_MOVED_SAME, /* same function chain: "same place" */
	NMIBT_MOVED_YES,
	NMIBT_MOVED_IDLE, /* the idle task always looks as if it had moved */
	NMIBT_MOVED_SYNTHETIC, /* panic() made up the panicking CPU's crash note */
};
const char *nmibt_moved_name(enum nmibt_moved moved);

struct nmibt_cpu;
/* Everything about one CPU; the caller closes *ret before the report. Damage is no error: the
 * getters tell it. USAGE where cpu is not below nmibt_report_nr_cpus(). A cpu for which
 * nmibt_report_has_cpu() is false is allowed. */
struct nmibt_error *nmibt_report_cpu(const struct nmibt_report *report, unsigned int cpu,
				     struct nmibt_cpu **ret);
void nmibt_cpu_close(struct nmibt_cpu *cpu); /* NULL is allowed */

unsigned int nmibt_cpu_number(const struct nmibt_cpu *cpu);
enum nmibt_outcome nmibt_cpu_outcome(const struct nmibt_cpu *cpu);
enum nmibt_step nmibt_cpu_step(const struct nmibt_cpu *cpu);
/* The source of the evidence that stands; AUTO: none stands. */
enum nmibt_source nmibt_cpu_source(const struct nmibt_cpu *cpu);
bool nmibt_cpu_is_idle(const struct nmibt_cpu *cpu);
bool nmibt_cpu_is_user(const struct nmibt_cpu *cpu); /* in user mode */
/* True: the CPU had interrupts off. False: it had them on, or that is not known. */
bool nmibt_cpu_has_irqs_off(const struct nmibt_cpu *cpu);
enum nmibt_moved nmibt_cpu_moved(const struct nmibt_cpu *cpu);
/* The age of the evidence that stands, if that is text of the log; out-parameters as those of
 * nmibt_moment_age(). UNKNOWN for slots, NMI buffers and registers: they are of the death or the
 * dump, or have no time. */
enum nmibt_age_kind nmibt_cpu_age(const struct nmibt_cpu *cpu, int64_t *ret_ns,
				  bool *ret_is_suspended);
/* What failed, or why there is no evidence, printable; may be empty. */
const char *nmibt_cpu_why(const struct nmibt_cpu *cpu);
/* The evidence that stands. Never NULL: where none stands, the evidence is empty. */
const struct nmibt_evidence *nmibt_cpu_evidence(const struct nmibt_cpu *cpu);
/* The registers at the stop, and the stack that they lead to. */
const struct nmibt_evidence *nmibt_cpu_stop(const struct nmibt_cpu *cpu);
enum nmibt_note nmibt_cpu_note(const struct nmibt_cpu *cpu);
/* As nmibt_evidence_task(), of the evidence that stands, or else of the stop. */
bool nmibt_cpu_task(const struct nmibt_cpu *cpu, int32_t *ret_pid,
		    char ret_name[NMIBT_TASK_NAME_LEN]);
/* The stack and the registers of the evidence that stands. */
const struct nmibt_stack *nmibt_cpu_stack(const struct nmibt_cpu *cpu);
const struct nmibt_regs *nmibt_cpu_registers(const struct nmibt_cpu *cpu); /* NULL: none */

/* ---------------------------------------------------------------- findings */

/* Kinds of findings, in the order in which people want to read them. */
enum nmibt_finding_kind {
	NMIBT_FINDING_ALSO_DIED, /* the CPU captured itself, beside another one that did */
	NMIBT_FINDING_STUCK, /* interrupts off, and still at the same place at the stop */
	NMIBT_FINDING_BLOCKED, /* blocked tasks, which run on no CPU */
	NMIBT_FINDING_SAME_PLACE, /* the same place at the NMI and at the stop, interrupts on */
	NMIBT_FINDING_IRQS_OFF, /* interrupts off when hit; the CPU moved on, or that is unknown */
	NMIBT_FINDING_SPINS, /* the CPU spins on a lock */
	NMIBT_FINDING_WAITS, /* the CPU waits for other CPUs to do something */
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
/* "stuck", "same place": the text uses the name as its label. */
const char *nmibt_finding_name(enum nmibt_finding_kind kind);

/* The findings of a report, sorted by their kinds. They say what the report shows; nothing in
 * them is guessed. */
struct nmibt_findings;
struct nmibt_finding;
/* The caller closes *ret before the report. */
struct nmibt_error *nmibt_report_findings(const struct nmibt_report *report,
					  struct nmibt_findings **ret);
void nmibt_findings_close(struct nmibt_findings *findings); /* NULL is allowed */
size_t nmibt_findings_nr(const struct nmibt_findings *findings);
/* NULL: i is not below nmibt_findings_nr(). */
const struct nmibt_finding *nmibt_findings_at(const struct nmibt_findings *findings, size_t i);
enum nmibt_finding_kind nmibt_finding_kind(const struct nmibt_finding *finding);
/* The CPUs that the finding is about, ascending; *ret_nr of them. 0: it is about the report as a
 * whole. */
const unsigned int *nmibt_finding_cpus(const struct nmibt_finding *finding, size_t *ret_nr);
/* What was seen, printable; may be empty. */
const char *nmibt_finding_text(const struct nmibt_finding *finding);

/* --------------------------------------------------------------- signature */

/* The version grows whenever the same dump would get another signature. */
#define NMIBT_SIGNATURE_VERSION 2

/* The name of a crash, by which the same crash is found again: docs/signature.md. */
struct nmibt_signature;
/* The caller closes *ret. */
struct nmibt_error *nmibt_report_signature(const struct nmibt_report *report,
					   struct nmibt_signature **ret);
void nmibt_signature_close(struct nmibt_signature *signature); /* NULL is allowed */
/* SHA-1 in hex; empty: the report has nothing to compute it from. */
const char *nmibt_signature_value(const struct nmibt_signature *signature);
/* satyr's duphash of the panicking CPU's stack; may be empty. */
const char *nmibt_signature_duphash(const struct nmibt_signature *signature);

/* ------------------------------------------------------------------ render */

/* Parses a list of CPUs, "3", "1,8-14", "a" or "all", and sets the flags of those CPUs in cpus,
 * which has nr flags. USAGE when it is no list, or names a CPU beyond the last. */
struct nmibt_error *nmibt_parse_cpus(const char *list, bool *cpus, unsigned int nr);

enum nmibt_format {
	NMIBT_FORMAT_TEXT,
	NMIBT_FORMAT_JSON, /* only for nmibt_render_json(); docs/json.md */
	NMIBT_FORMAT_GROUPS, /* each stack once, with the CPUs that have it */
	NMIBT_FORMAT_FOLDED, /* a line for each stack, for flame graphs */
	NMIBT_FORMAT_SIGNATURE, /* the name of the crash, and how it was made */
	NMIBT_FORMAT_DESCRIPTION, /* the case, without anything that identifies the machine */
};

/* The comments name the option letters of the front ends. */
struct nmibt_render_options {
	size_t size; /* sizeof(struct nmibt_render_options) */
	enum nmibt_format format; /* -j, -g, -f, -i */
	const bool *cpus; /* one flag for each of nr_cpus; borrowed for the call; NULL: all */
	bool summary_only; /* -s */
	bool lines; /* -l: file and line of each frame */
	bool raw; /* -r: bytes escaped */
	bool header; /* -t: the slots' header fields, and all registers */
	bool older; /* -o: also the evidence that is older than the one that stands */
	bool verbose; /* -v: also what is merely absent */
	bool colour;
	unsigned int width; /* columns of the terminal; 0: unknown, 80 is assumed */
};

/* Sets the option that a letter stands for in every front end. False: the letter stands for
 * none. NMIBT_RENDER_LETTERS has the letters of the library that the program is compiled for,
 * in getopt()'s form. */
#define NMIBT_RENDER_LETTERS "slrtovjgfi"
bool nmibt_render_option(struct nmibt_render_options *options, int letter);

/* *ret is the exit code: 0 printed, 1 nothing to print, 3 printed with damage. When the call
 * fails, part of the output may already be written. UNUSABLE where write returned false. options
 * may be NULL: text of everything. */
struct nmibt_error *nmibt_render(const struct nmibt_report *report,
				 const struct nmibt_render_options *options, nmibt_write_fn write,
				 void *ctx, int *ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* NMIBT_H */
