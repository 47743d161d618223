/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every form that a kernel prints: lines, frames, and what they say of a CPU.
 */
#ifndef NMIBT_TEXT_H
#define NMIBT_TEXT_H

#include "kernel/kernel.h"

/* -------------------------------------------------------------------- decode */

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

/* ------------------------------------------------------------------ a stack */

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
	bool has_kinds; /* lib/text's own, as the next: the kinds of the function are known */
	unsigned int kinds;
};

/* Frames, the innermost first. */
struct nmibt_stack {
	struct nmibt_frame *frames;
	size_t nr;
	enum nmibt_stack_end end;
	uint64_t end_addr; /* virtual; 0: none */
	void *owned; /* the library's: the strings of frames that are in no text */
};
void nmibt_stack_destroy(struct nmibt_stack *stack);

/* Function names are compared without what compilers append: .isra.0, .cold. */
size_t nmibt_function_len(struct nmibt_str name);

/* Is frame i one of the chain of functions: reliable, and not said twice? */
bool nmibt_is_in_chain(const struct nmibt_frame *frames, size_t i);

/* Of the functions of the chain, and of the addresses of frames without a name; 0: the
 * chain is empty. */
uint64_t nmibt_stack_hash(const struct nmibt_frame *frames, size_t nr);

/* The name of the function, or the address as a number, which is written to buf. */
#define NMIBT_ADDR_LEN 19
struct nmibt_str nmibt_frame_name(const struct nmibt_frame *frame, char buf[NMIBT_ADDR_LEN]);

/* "IRQ", as in the kernel's mark <IRQ>; TASK for what is none of them. */
enum nmibt_stack_kind nmibt_stack_kind_of(struct nmibt_str name);
const char *nmibt_stack_kind_name(enum nmibt_stack_kind kind);

/* ------------------------------------------------------ one line, recognised */

/*
 * Every form that a kernel prints and that says something of a CPU, a task or the
 * machine. docs/evidence.md says what follows from each.
 */
enum nmibt_print {
	NMIBT_PRINT_OTHER,

	/* A CPU is asked, and answers. */
	NMIBT_PRINT_REQUEST, /* "Sending NMI from CPU 2 to CPUs 0-1,3:", "sending NMI to all CPUs:" */
	NMIBT_PRINT_TITLE, /* "NMI backtrace for cpu 3" */
	NMIBT_PRINT_SKIPPED, /* "NMI backtrace for cpu 3 skipped: idling at ..." */
	NMIBT_PRINT_SYSRQ_REQUEST, /* "sysrq: Show backtrace of all active CPUs" */
	NMIBT_PRINT_SYSRQ_TITLE, /* "sysrq: CPU3:" */
	NMIBT_PRINT_SYSRQ_SKIPPED, /* "CPU1: backtrace skipped as idling" */
	NMIBT_PRINT_STOPPING, /* "CPU2: stopping" */
	NMIBT_PRINT_TASK_DUMP, /* "Task dump for CPU 3:" */
	NMIBT_PRINT_NOT_RESPONDING, /* the kernel's own list of CPUs that did not answer or stop */

	/* The first line of a report of its own. */
	NMIBT_PRINT_PANIC, /* "Kernel panic - not syncing: " */
	/* "BUG: unable to handle ...", "kernel BUG at ...", "sysrq: Trigger a crash": a heading
	 * or a panic follows. */
	NMIBT_PRINT_OOPS_CAUSE,
	NMIBT_PRINT_OOPS, /* the heading, with the number of the oops: die() */
	NMIBT_PRINT_SOFT_LOCKUP,
	NMIBT_PRINT_HARD_LOCKUP,
	NMIBT_PRINT_SELF_STALL, /* RCU: the CPU that prints is the stalled one */
	NMIBT_PRINT_STALL, /* RCU: lines STALLED_CPU follow, or a list is in it (expedited) */
	NMIBT_PRINT_CSD_LOCKUP,
	NMIBT_PRINT_HUNG_TASK,
	NMIBT_PRINT_WARNING, /* "WARNING: CPU: 3 PID: 1 at ...", "BUG: sleeping function ...", KASAN... */

	/* What stands in reports. */
	NMIBT_PRINT_STALLED_CPU, /* "rcu: \t3-....: (21000 ticks this GP) ..." */
	/* "rcu: \t(detected by 2, t=21002 jiffies, ...)": who reports, and for how long it lasts;
	 * of the stalled CPU itself "rcu: \t(t=21000 jiffies ...)" */
	NMIBT_PRINT_STALL_FOUND,
	NMIBT_PRINT_CSD_RELEASED, /* "csd: CSD lock (#1) got unstuck on CPU#03, CPU#02 released ..." */
	NMIBT_PRINT_CUT_HERE, /* "------------[ cut here ]------------" */
	NMIBT_PRINT_END_TRACE, /* "---[ end trace ... ]---" */
	NMIBT_PRINT_END_PANIC, /* "---[ end Kernel panic - not syncing: ..." */
	NMIBT_PRINT_CPU, /* "CPU: 3 UID: 0 PID: 118 Comm: spin Not tainted ..." */
	NMIBT_PRINT_TASK, /* "task:spin state:D stack:0 pid:118 ..." */
	NMIBT_PRINT_HARDWARE, /* "Hardware name: ..." */
	NMIBT_PRINT_REGISTER, /* any line of registers, code, modules, and the like */
	NMIBT_PRINT_PC, /* "RIP: ", "pc : ", "PC is at "...: frame, or user mode */
	NMIBT_PRINT_TRACE, /* "Call Trace:", with what stands behind it */
	NMIBT_PRINT_STACK_MARK, /* " <IRQ>", " </TASK>" alone on a line */
	NMIBT_PRINT_FRAME, /* perhaps with a mark before it */

	/* The life of the machine. */
	NMIBT_PRINT_BANNER, /* "Linux version ...": a boot */
	NMIBT_PRINT_COMMAND_LINE, /* "Command line: ", "Kernel command line: " */
	NMIBT_PRINT_SUSPEND, /* "PM: suspend entry (...)", "PM: hibernation: hibernation entry" */
	NMIBT_PRINT_RESUME, /* "PM: suspend exit", "PM: hibernation: hibernation exit" */
	NMIBT_PRINT_KDUMP, /* "Starting crashdump kernel...", "Bye!" */
	NMIBT_PRINT_DROPPED, /* "** 12 printk messages dropped **": a console was too slow */
	NMIBT_NR_PRINTS,
};

/* What a line says. A member that its kind does not have is 0 or false. Strings are
 * borrowed from the line, untrusted and not terminated. */
struct nmibt_printed {
	enum nmibt_print kind;
	bool has_cpu;
	/* Below NMIBT_MAX_CPUS: that it is about; of REQUEST and STALL_FOUND: that prints it. */
	unsigned int cpu;
	bool all_cpus; /* of REQUEST: it does not list whom it asks */
	struct nmibt_str cpus; /* a list as printed: "0-1,3"; read it by nmibt_next_cpus() */
	bool has_task;
	int32_t pid;
	struct nmibt_str comm; /* len 0: the line does not tell */
	bool has_seconds;
	uint64_t seconds; /* stuck, blocked, or waiting for an answer: for so long */
	bool has_jiffies;
	uint64_t jiffies; /* of STALL_FOUND: how long the stall has lasted */
	bool is_user; /* of PC, or a line with the mode: user mode */
	bool has_irqs_off, irqs_off; /* of the line with EFLAGS or pstate */
	bool has_sp;
	uint64_t sp;
	bool has_mark; /* STACK_MARK, and a mark before or behind a FRAME */
	bool is_mark_end; /* "</IRQ>", "<EOI>" */
	enum nmibt_stack_kind mark;
	bool has_frame;
	struct nmibt_frame frame; /* of PC, SKIPPED, FRAME; it may have neither name nor address */
	struct nmibt_str message; /* of a first line and of HARDWARE: without the prefix */
	struct nmibt_str taint; /* of CPU: "Tainted: G        W", "Not tainted"; len 0: neither */
	bool is_last_register; /* of REGISTER: in a report on user mode no line comes behind it */
	bool is_capture_kernel; /* of COMMAND_LINE: it is that of a capture kernel */
	uint64_t nr_dropped; /* messages */
};

/* Recognises one line without level, time and newline. What only one architecture prints
 * is recognised for that one, and for NMIBT_ARCH_UNKNOWN. */
void nmibt_recognise(enum nmibt_arch arch, struct nmibt_str line, struct nmibt_printed *ret);

/* Does this architecture print nothing but frames in a trace? Others print the registers of
 * what an interrupt hit, or of user mode, between them. False also: not known. */
bool nmibt_has_plain_traces(enum nmibt_arch arch);

/* The next run [*ret_first, *ret_last] of a list of CPUs, which moves behind it: "0-1,3",
 * and RCU's " 3-... 4-O.. P118", where P118 is a task and is passed over. False: no more,
 * or what stands there is none; CPUs from NMIBT_MAX_CPUS on are cut. */
bool nmibt_next_cpus(struct nmibt_str *list, unsigned int *ret_first, unsigned int *ret_last);

/* ------------------------------------------------------- a backtrace as a whole */

/* What the text of one CPU's backtrace says. */
struct nmibt_backtrace {
	struct nmibt_stack stack; /* strings are borrowed from the text */
	bool has_task;
	int32_t pid;
	char comm[NMI_CAPTURE_COMM_LEN]; /* untrusted, may lack a NUL */
	bool is_skipped; /* the kernel said that it idles */
	bool is_user; /* the CPU was in user mode when it was hit */
	bool has_irqs_off, irqs_off;
	bool has_sp;
	uint64_t sp; /* where it was hit */
};

/* text is borrowed for the life of *ret, which the caller destroys by
 * nmibt_stack_destroy(&ret->stack). Where bytes of it are missing the stack ends there
 * for what is compared (NMIBT_END_GAP), and frames behind it are kept, marked unreliable. */
struct nmibt_error *nmibt_read_backtrace(enum nmibt_arch arch, const struct nmibt_text *text,
					 struct nmibt_backtrace *ret);

/* ------------------------------------------------------------ kinds of functions */

/* Is the function one by which an interrupt or exception entered the kernel from the kernel:
 * what it hit is below it? */
bool nmibt_is_entry_frame(const struct nmibt_frame *frame);
/* Does it say nothing of what the CPU did: is it of how the kernel was entered, of where a
 * task or a CPU begins, or of what runs on a CPU that is idle? */
bool nmibt_is_framing_frame(const struct nmibt_frame *frame);
/* Is it one that waits for a time to pass? */
bool nmibt_is_delay_frame(const struct nmibt_frame *frame);
/* Is the function one with which stacks end: where a task began, or came from user mode? */
bool nmibt_is_outermost_frame(const struct nmibt_frame *frame);
/* The number of innermost frames that are of the stop, panic()'s own and the capture, with
 * the interrupt or the exception by which the CPU came there. */
size_t nmibt_count_dying(const struct nmibt_stack *stack);
/* Is the CPU idle by its chain: the chain leads, without an interrupt in between that it
 * still serves, into an idle function? */
bool nmibt_is_idle_stack(const struct nmibt_stack *stack);

/* Does the chain begin where only idle tasks do, whatever it leads to? */
bool nmibt_is_stack_of_idle_task(const struct nmibt_stack *stack);

#endif /* NMIBT_TEXT_H */
