/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of lib/text that differs between architectures: forms of lines and kinds of functions,
 * beside those that all kernels have. Each architecture has its own file, and a row in the table in
 * archs.c.
 */
#ifndef NMIBT_TEXT_ARCH_H
#define NMIBT_TEXT_ARCH_H

#include "base/base.h"
#include "text/text.h"

/* A form of a line. start is its constant beginning. read, if it is not NULL, reads the rest and
 * may change ret->kind; where it returns false, the line has another form, and *ret is discarded.
 * Lines that are frames (nmibt_recognise_frame()) are not compared with any form. The first form
 * that fits counts, and those with an empty beginning come last; the architecture's own table, of at most 96, is
 * searched before the common one. */
struct nmibt_form {
	const char *start;
	enum nmibt_print kind;
	bool (*read)(struct nmibt_str rest, struct nmibt_printed *ret);
};

/* ------------------------------------------------------- kinds of functions */

/* Kinds of functions; one function can have several. */
enum {
	NMIBT_FUNCTION_IDLE = 0x01, /* only idle CPUs are in it */
	NMIBT_FUNCTION_HALT =
		0x02, /* it waits for an interrupt; idle or not depends on the caller */
	NMIBT_FUNCTION_DYING = 0x04, /* it belongs to panic() or to the capture */
	/* As DYING, and the interrupt or exception by which the CPU came there is DYING, too. */
	NMIBT_FUNCTION_STOP = 0x08,
	NMIBT_FUNCTION_ENTRY = 0x10, /* an interrupt or exception enters it from the kernel */
	NMIBT_FUNCTION_USER = 0x20, /* entered from user mode: it is the outermost function */
	NMIBT_FUNCTION_OUTERMOST = 0x40, /* the outermost function of a kernel thread or a CPU */
	/* An ENTRY that the trace shows directly before the function that was hit. */
	NMIBT_FUNCTION_HIT_FOLLOWS = 0x80,
	/* It enters the kernel, or a task or a CPU begins in it. Such functions differ between
	 * releases and architectures, and do not tell what the CPU did. */
	NMIBT_FUNCTION_FRAMING = 0x100,
	NMIBT_FUNCTION_DELAY = 0x200, /* it waits for a time to pass, on behalf of its caller */
	NMIBT_FUNCTION_OFFLINE = 0x400, /* only CPUs that were taken offline are in it... */
	NMIBT_FUNCTION_ONLINE = 0x800, /* ... but for one that is started again, in this */
};

/* A name that ends with '*' stands for all names that begin like it. */
struct nmibt_function_kinds {
	const char *name;
	unsigned int kinds;
};

struct nmibt_text_arch {
	enum nmibt_arch arch;
	const struct nmibt_form *forms;
	size_t nr_forms;
	/* Of its forms without a constant beginning: the first two letters of such a line are of these. NULL: it has no such
	 * form. */
	const char *open_letters;
	const struct nmibt_function_kinds *functions;
	size_t nr_functions;
	bool has_plain_traces; /* as nmibt_has_plain_traces() */
	/* Frames may follow the registers without "Call trace:" (arch/arm/kernel/unwind.c,
	 * arch/riscv/kernel/stacktrace.c: show_regs(), 6.12). */
	bool has_bare_traces;
};

/* Of the forms[] and functions[] of an architecture's file. */
#define NMIBT_TEXT_ARCH(name, number, ...)                                                         \
	const struct nmibt_text_arch nmibt_text_##name = {.arch = number,                          \
							  .forms = forms,                          \
							  .nr_forms = ARRAY_SIZE(forms),           \
							  .functions = functions,                  \
							  .nr_functions = ARRAY_SIZE(functions),   \
							  __VA_ARGS__}

extern const struct nmibt_text_arch nmibt_text_x86_64, nmibt_text_arm64, nmibt_text_i386,
	nmibt_text_arm, nmibt_text_powerpc, nmibt_text_s390, nmibt_text_riscv, nmibt_text_loongarch,
	nmibt_text_mips, nmibt_text_sparc64;

/* All that lib/text knows, up to a NULL; at most 15. The capture kernel's tool has a table of its own,
 * tools/vmcore/archs.c. */
extern const struct nmibt_text_arch *const nmibt_text_archs[];
/* has_bare_traces of an architecture; false where it is not known. */
bool nmibt_has_bare_traces(enum nmibt_arch arch);

/* The kinds of a function, NMIBT_FUNCTION_*, on any architecture. The suffixes of compilers are
 * ignored. */
unsigned int nmibt_function_kinds(struct nmibt_str function);
/* The kinds of a frame's function. Functions of modules have none. */
unsigned int nmibt_frame_kinds(const struct nmibt_frame *frame);
/* Stores the kinds in the frame, because they are needed often and the lookup goes through all
 * names. */
void nmibt_keep_kinds(struct nmibt_frame *frame);

/* ---------------------------------------------------------- parts of forms */

/* Reads the number of a CPU; it is below NMIBT_MAX_CPUS. */
bool nmibt_take_cpu(struct nmibt_str *cursor, unsigned int *ret);
/* "3 is now offline": the number of a CPU, and words behind it. said: more may follow; says: the
 * line ends there. */
bool nmibt_read_cpu_said(struct nmibt_str s, const char *words, struct nmibt_printed *ret);
bool nmibt_read_cpu_says(struct nmibt_str s, const char *words, struct nmibt_printed *ret);

/* Reads "%pS": name+0xoff/0xsize, and perhaps [module] or [module build-id] behind it; or a number,
 * where the kernel knows no name. */
bool nmibt_read_symbol(struct nmibt_str s, struct nmibt_frame *ret);
/* Reads what scripts/decode_stacktrace.sh has behind the name of a function in the place of its offset:
 * " (dir/file.c:12) module", to the end of s. False: it is something else. */
bool nmibt_read_place(struct nmibt_str s, struct nmibt_frame *ret);
/* Reads " (P)" behind a symbol of arm64. */
void nmibt_read_letters(struct nmibt_str s, struct nmibt_frame *ret);
/* Skips "[<ffffffff81f02f74>]"; the number goes to ret->addr. */
bool nmibt_skip_address(struct nmibt_str *cursor, struct nmibt_frame *ret);

/* "1 " behind "CPU ", and "802, comm: name Tainted: P 3.6.1 #1 ..." behind "Pid: ": what 2.6.32 to 3.9
 * have on x86 in the place of the line "CPU: 1 PID: 802 ..." (arch/x86/kernel/dumpstack_64.c:
 * show_registers(), process.c: show_regs_common(), 3.6). */
bool nmibt_read_old_cpu(struct nmibt_str s, struct nmibt_printed *ret);
bool nmibt_read_old_task(struct nmibt_str s, struct nmibt_printed *ret);
/* Reads the symbol of the pc, to the end of s. */
bool nmibt_read_pc(struct nmibt_str s, struct nmibt_printed *ret);
/* "sh (pid: 127, stack limit = 0x...)", behind "Process " */
bool nmibt_is_process(struct nmibt_str s, struct nmibt_printed *ret);

/* Reads a line of a trace, or one that has only marks. */
bool nmibt_recognise_frame(struct nmibt_str line, struct nmibt_printed *ret);
/* Skips all marks at the cursor; *ret has the last one. */
void nmibt_take_marks(struct nmibt_str *cursor, struct nmibt_printed *ret);

#endif /* NMIBT_TEXT_ARCH_H */
