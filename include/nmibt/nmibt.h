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

/* One line of text without a newline, safe to print: names what was being
 * done, on which CPU or address. */
struct nmibt_error {
	enum nmibt_code code;
	char *message;
};

struct nmibt_error *nmibt_error_create(enum nmibt_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));
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

/* A run of physical memory that the image holds: [start, start + size). */
struct nmibt_range {
	uint64_t start;
	uint64_t size;
};

/* A code address as the kernel prints it. */
struct nmibt_location {
	const char *function;
	const char *module; /* NULL: the kernel itself */
	uint64_t offset;
	uint64_t size; /* of the function, with what the linker put behind it */
};

/* A place in the sources. Strings are borrowed, and untrusted. */
struct nmibt_place {
	const char *function; /* that was inlined there; NULL: the frame's own */
	const char *where; /* "file:line" */
};
typedef void (*nmibt_place_fn)(void *arg, const struct nmibt_place *place);

/* The kernel in an image, opaque: nmibt_image_ops.unwind gets it, and hands it to
 * libnmibt. */
struct nmibt_kernel;
struct nmibt_stack;
struct nmibt_regs;

/*
 * What a front end supplies. Any callback may be NULL, and the library then
 * says what it could not do for lack of it. ctx is the front end's own.
 *
 * A read returns OK only when all len bytes were read; the library never asks
 * for a read that crosses a page of page_size bytes.
 */
struct nmibt_image_ops {
	enum nmibt_read (*read_phys)(void *ctx, uint64_t paddr, void *buf, size_t len);
	enum nmibt_read (*read_virt)(void *ctx, uint64_t vaddr, void *buf, size_t len);
	/* The text of VMCOREINFO, in malloc'ed memory that the caller frees; NULL: there
	 * is none. */
	char *(*vmcoreinfo_text)(void *ctx);
	/* For a front end that has not the text: the value behind KEY= in VMCOREINFO, in
	 * malloc'ed memory that the caller frees; NULL: no such line. */
	char *(*vmcoreinfo)(void *ctx, const char *key);
	bool (*symbol_addr)(void *ctx, const char *name, uint64_t *ret);
	/* Physical address of a kernel virtual address. */
	bool (*virt_to_phys)(void *ctx, uint64_t vaddr, uint64_t *ret);
	/* Bytes; by name, as DWARF or BTF have them. */
	bool (*member_offset)(void *ctx, const char *type, const char *member, size_t *ret);
	bool (*type_size)(void *ctx, const char *type, size_t *ret);
	/* "symbol+0xoffset" or "symbol+0xoffset [module]", NUL-terminated,
	 * cut to len. False: the address is not known. Asked for addresses that the
	 * kernel's symbols in the image itself don't have. */
	bool (*symbolize)(void *ctx, uint64_t addr, char *buf, size_t len);
	/* Shows visit where code comes from: the innermost inlined function first, the
	 * frame's own function last. False: unknown or ambiguous, and nothing was shown. */
	bool (*find_places)(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
			    void *arg);
	/* The frames of the kernel's stack that regs stand on; the caller destroys *ret. An
	 * error: there is no way to follow it, and *ret is not set. */
	struct nmibt_error *(*unwind)(void *ctx, struct nmibt_kernel *kernel,
				      const struct nmibt_regs *regs, struct nmibt_stack *ret);
	/* The first run that ends beyond from, cut so that it starts at from
	 * or later; false: none. Used to scan for the capture's magic. */
	bool (*next_range)(void *ctx, uint64_t from, struct nmibt_range *ret);
	/* True when the user wants the work stopped. */
	bool (*interrupted)(void *ctx);
	/* The ELF notes of the dump, one after the other, in malloc'ed memory that the caller
	 * frees; NULL: there are none, or they can't be read. */
	char *(*notes)(void *ctx, size_t *ret_len);
};

struct nmibt_image {
	const struct nmibt_image_ops *ops;
	void *ctx;
	enum nmibt_arch arch;
	size_t page_size; /* bytes, a power of two */
	const char *panic_message; /* NULL: look in the log; untrusted text, borrowed */
};

/*
 * Back end for a plain 64-bit ELF vmcore, with libc alone. Ignores the order
 * of notes; offers read_phys, vmcoreinfo and next_range. File pages that a
 * cut-off file no longer has read as ERROR.
 */
struct nmibt_elf;
struct nmibt_error *nmibt_elf_open(const char *path, struct nmibt_elf **ret);
/* image borrows from elf and is valid until nmibt_elf_close(). */
void nmibt_elf_image(struct nmibt_elf *elf, struct nmibt_image *ret);
void nmibt_elf_close(struct nmibt_elf *elf); /* NULL is allowed */

/*
 * The text of VMCOREINFO out of the memory of an image that has no note of it; the
 * caller frees it. NOTHING where there is none, DAMAGED where there is that of more
 * than one kernel: nobody knows which one died.
 */
struct nmibt_error *nmibt_vmcoreinfo_find(const struct nmibt_image *image, char **ret);

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
	NMIBT_NR_SOURCES,
};

#define NMIBT_SOURCE_NAMES "auto, vmcoreinfo, symbol, scan, legacy, log or registers"
/* One of them. */
const char *nmibt_source_name(enum nmibt_source source);
/* False: no source has this name. */
bool nmibt_source_parse(const char *name, enum nmibt_source *ret);

/* What was looked for and what came of it, per source, one line of text each
 * ("no NMI_BACKTRACE_CAPTURE line in VMCOREINFO"); empty: not tried. */
#define NMIBT_WHY_LEN 160
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
 * wish: AUTO or the one source to try. Fails with NOTHING when no descriptor
 * was found, DAMAGED when one was found and none passes its checks; the
 * message says what was looked for and where. On failure ret->why and
 * ret->unusable are still filled, and nothing else in it is.
 */
struct nmibt_error *nmibt_locate(struct nmibt_kernel *kernel, enum nmibt_source wish,
				 struct nmibt_capture *ret);
void nmibt_capture_destroy(struct nmibt_capture *capture);

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

/*
 * One line: bytes [text, text + len) without header and newline, not
 * terminated, borrowed from nmibt_text.raw except for a line put together of
 * KERN_CONT pieces (then owned by the nmibt_text as well). Untrusted: may hold
 * any byte.
 */
struct nmibt_line {
	const char *text;
	size_t len;
	size_t torn_at; /* bytes of text that were published; len when not torn */
	size_t gap; /* unreadable bytes before it */
	int level; /* 0-7, or NMIBT_LEVEL_* */
	unsigned int flags;
};

struct nmibt_text {
	struct nmibt_line *lines;
	size_t nr_lines;
	char *raw; /* the text area as read: published bytes, then the torn tail */
	size_t raw_len;
	bool *known; /* raw_len: false where raw could not be read; NULL: all was */
	size_t published; /* <= raw_len */
	size_t unread; /* published bytes that could not be read */
	size_t excluded; /* of these, in excluded pages */
	void *owned; /* the library's */
};

/*
 * raw[0..published) are committed bytes, raw[published..raw_len) what stands
 * behind them in the area (the tail ends at its first NUL). known[i], if not
 * NULL, is false for bytes that could not be read. Takes copies.
 */
struct nmibt_error *nmibt_decode(const char *raw, size_t raw_len, size_t published,
				 const bool *known, bool overflow, struct nmibt_text *ret);
void nmibt_text_destroy(struct nmibt_text *text);

/* ------------------------------------------------------- trace and registers */

/* A line of a backtrace, as the kernel printed it. Strings are borrowed from
 * the line, and are not terminated. */
struct nmibt_str {
	const char *s;
	size_t len;
};

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

#define NMIBT_NO_LINE SIZE_MAX

/* One frame of a stack, whatever it was found by: it has an address or a name, perhaps
 * both. Strings are borrowed from the text or the stack, untrusted, not terminated. */
struct nmibt_frame {
	struct nmibt_str function; /* len 0: no symbol is known */
	struct nmibt_str module; /* len 0: the kernel itself, or not known */
	uint64_t addr; /* virtual; 0: not known */
	uint64_t offset; /* of addr in the function */
	uint64_t size; /* of the function; 0: not known */
	enum nmibt_stack_kind kind;
	size_t line; /* index in nmibt_text.lines, or NMIBT_NO_LINE: not out of a text */
	bool reliable; /* false: may be what an earlier call left ('?') */
	bool is_pc; /* the innermost: where the CPU was */
	bool is_interrupted; /* where an interrupt or an exception hit: no return address */
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

/* Frames, the innermost first. */
struct nmibt_stack {
	struct nmibt_frame *frames;
	size_t nr;
	enum nmibt_stack_end end;
	uint64_t end_addr; /* virtual; 0: none */
	void *owned; /* the library's: the strings of frames that are in no text */
};

struct nmibt_regs {
	bool present;
	unsigned int nr; /* words, as in NT_PRSTATUS's pr_reg of the architecture */
	uint64_t value[NMI_CAPTURE_MAX_REGS];
};

/* Names, and the indexes of pc, sp and frame pointer, of the words of an
 * architecture's pr_reg. NULL for an unknown architecture. */
struct nmibt_reg_names {
	unsigned int nr;
	const char *const *name;
	unsigned int pc, sp, fp;
};
const struct nmibt_reg_names *nmibt_reg_names(enum nmibt_arch arch);

void nmibt_stack_destroy(struct nmibt_stack *stack);

/* What became of a CPU's crash note. */
enum nmibt_note {
	NMIBT_NOTE_UNKNOWN, /* the capture does not say where it is */
	NMIBT_NOTE_PRESENT,
	NMIBT_NOTE_NONE, /* empty: the CPU never stopped */
	NMIBT_NOTE_EXCLUDED,
	NMIBT_NOTE_DAMAGED, /* unreadable or fails its checks */
};
#define NMIBT_NR_NOTES (NMIBT_NOTE_DAMAGED + 1)

/* The pr_reg and pr_pid of the NT_PRSTATUS note in crash_notes memory at
 * paddr, size bytes there. */
enum nmibt_note nmibt_read_note(const struct nmibt_image *image, uint64_t paddr, uint64_t size,
				struct nmibt_regs *ret, int *ret_pid);

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

/* In what kind of function a CPU waits for others. */
enum nmibt_wait_kind {
	NMIBT_WAIT_NONE,
	NMIBT_WAIT_SPINLOCK,
	NMIBT_WAIT_RWLOCK,
	NMIBT_WAIT_CALL, /* that others run a function */
	NMIBT_WAIT_STOP_MACHINE,
};

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

struct nmibt_source_state {
	enum nmibt_found found;
	char why[NMIBT_WHY_LEN]; /* printable; may be empty */
};

struct nmibt_report;
/* CPUs have numbers below it. */
unsigned int nmibt_report_nr_cpus(const struct nmibt_report *report);
/* image is borrowed for the life of the report. */
struct nmibt_error *nmibt_report_open(const struct nmibt_image *image, enum nmibt_source wish,
				      struct nmibt_report **ret);
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

/* --------------------------------------------------------------- signature */

/* It grows whenever the same dump would get another signature. */
#define NMIBT_SIGNATURE_VERSION 1
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

/* ------------------------------------------------------------------ render */

/* Sets those of the nr flags that list names: "3", "1,8-14", "a" or "all".
 * USAGE when it is no list, or names a CPU beyond the last. */
struct nmibt_error *nmibt_parse_cpus(const char *list, bool *cpus, unsigned int nr);

/* Of the JSON document: it grows when a reader of the one before would go wrong. */
#define NMIBT_JSON_VERSION 2

enum nmibt_format {
	NMIBT_FORMAT_TEXT,
	NMIBT_FORMAT_JSON, /* -j; docs/json.md */
	NMIBT_FORMAT_GROUPS, /* -g: each stack once, with the CPUs that have it */
	NMIBT_FORMAT_FOLDED, /* -f: a line for each stack, for flame graphs */
	NMIBT_FORMAT_SIGNATURE, /* -i: the name of the crash, and how it was made */
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

/* Exit code in *ret: 0 printed, 1 nothing to print, 3 printed with damage. An error
 * in the middle leaves what was printed unfinished. */
struct nmibt_error *nmibt_render(const struct nmibt_report *report,
				 const struct nmibt_render_options *options, FILE *out, int *ret);

/* As nmibt_render(), one JSON document; in an archive of its own, which needs jansson. */
struct nmibt_error *nmibt_render_json(const struct nmibt_report *report,
				      const struct nmibt_render_options *options, FILE *out,
				      int *ret);

#endif /* NMIBT_H */
