/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines and frames that kernels print, and what they say about a CPU.
 */
#ifndef NMIBT_TEXT_H
#define NMIBT_TEXT_H

#include "kernel/kernel.h"

/* -------------------------------------------------------------------- decode */

/*
 * One line: bytes [text, text + len) without header and newline, not terminated, untrusted: any
 * byte may be in it. text is borrowed from nmibt_text.raw; if the line was assembled from KERN_CONT
 * pieces, the nmibt_text owns it.
 */
struct nmibt_line {
	const char *text;
	size_t len;
	size_t torn_at; /* bytes of text that were published; len when not torn */
	size_t gap; /* unreadable bytes before it; what LOST tells of has no size */
	int level; /* 0-7, or NMIBT_LEVEL_* */
	unsigned int flags;
};

struct nmibt_text {
	struct nmibt_line *lines;
	size_t nr_lines;
	char *raw; /* the text area as read: published bytes, then the torn tail */
	size_t raw_len;
	bool *known; /* raw_len: false where raw could not be read; NULL: all was */
	bool *lost; /* raw_len + 1: lines before raw[i] are lost, or may be; NULL: none are */
	size_t published; /* <= raw_len */
	size_t unread; /* published bytes that could not be read */
	size_t excluded; /* how many of the unread bytes are in excluded pages */
	void *owned; /* memory that the library frees */
};

/*
 * Makes lines of a text area. raw[0..published) are committed bytes; raw[published..raw_len) are
 * the bytes behind them, whose tail ends at its first NUL. known[i], if known is not NULL, is false
 * for bytes that could not be read. Makes copies of raw and known.
 */
struct nmibt_error *nmibt_decode(const char *raw, size_t raw_len, size_t published,
				 const bool *known, bool overflow, struct nmibt_text *ret);

/* The same for records, which were all published and have no headers. Where lost[i] is true,
 * 0 <= i <= len, lines before raw[i] are lost, or may be. lost NULL: none are. */
struct nmibt_error *nmibt_decode_log(const char *raw, size_t len, const bool *known,
				     const bool *lost, struct nmibt_text *ret);
void nmibt_text_destroy(struct nmibt_text *text);

/* ------------------------------------------------------------------ a stack */

#define NMIBT_NO_LINE SIZE_MAX

/* One frame of a stack, from a text or from unwinding. It has an address or a name, perhaps both.
 * Strings are borrowed from the text or the stack, untrusted, not terminated. */
struct nmibt_frame {
	struct nmibt_str function; /* len 0: no symbol is known */
	struct nmibt_str module; /* len 0: the kernel itself, or not known */
	uint64_t addr; /* virtual; 0: not known */
	uint64_t offset; /* bytes from the function to addr */
	uint64_t size; /* of the function; 0: not known */
	/* A text names the line of the source in the place of offset and size, which are not known. */
	bool lacks_offset;
	enum nmibt_stack_kind kind;
	size_t line; /* index in nmibt_text.lines; NMIBT_NO_LINE: the frame is from no text */
	bool reliable; /* false: the address may be left from an earlier call ('?') */
	bool is_pc; /* the innermost frame: where the CPU was */
	bool is_interrupted; /* an interrupt or an exception hit here: no return address */
	bool repeats_pc; /* it is the frame before, once more: no return address */
	bool has_kinds; /* for lib/text only: kinds is set */
	unsigned int kinds; /* for lib/text only: NMIBT_FUNCTION_* */
};

/* The frames of one stack, the innermost first. */
struct nmibt_stack {
	struct nmibt_frame *frames;
	size_t nr;
	enum nmibt_stack_end end;
	uint64_t end_addr; /* virtual; 0: none */
	void *owned; /* memory that the library frees: the strings of frames that are in no text */
};
void nmibt_stack_destroy(struct nmibt_stack *stack);

/* False: the stack ends before its outermost function, because memory can't be read, or text is
 * missing. It does not show which functions are further out. */
bool nmibt_is_whole(const struct nmibt_stack *stack);

/* Length of a function's name without the suffixes of compilers (.isra.0, .cold), which comparisons
 * ignore. */
size_t nmibt_function_len(struct nmibt_str name);

/* True: frame i belongs to the chain of functions: it is reliable, and does not repeat the one
 * before. */
bool nmibt_is_in_chain(const struct nmibt_frame *frames, size_t i);

/* True: frame i counts where stacks are told apart. Beside the chain these are the frames that may
 * be wrong, where nmibt unwound the stack itself: it guesses only where it lost the chain, so that
 * stacks with the same beginning may be different ones. What the kernel prints with '?' stands
 * between the frames of a chain that is whole. */
bool nmibt_is_in_group(const struct nmibt_frame *frames, size_t i);

/* A hash of the functions of nmibt_is_in_group(); for frames without a name, of their addresses.
 * 0: there are none. */
uint64_t nmibt_stack_hash(const struct nmibt_frame *frames, size_t nr);

/* True: the CPU runs panic(), and not to be stopped by the CPU that panicked first. */
bool nmibt_is_in_panic(const struct nmibt_stack *stack);

/* The name of the function; or, without a name, the address as a number, which is written to
 * buf. */
#define NMIBT_ADDR_LEN 19
struct nmibt_str nmibt_frame_name(const struct nmibt_frame *frame, char buf[NMIBT_ADDR_LEN]);

/* The kind with this name: "IRQ", as in the kernel's mark <IRQ>. TASK for any other name. */
enum nmibt_stack_kind nmibt_stack_kind_of(struct nmibt_str name);
const char *nmibt_stack_kind_name(enum nmibt_stack_kind kind);

/* ------------------------------------------------------ one line, recognised */

/*
 * Kinds of lines: every form that a kernel prints and that says something about a CPU, a task or
 * the machine. docs/evidence.md says what nmibt concludes from each.
 */
enum nmibt_print {
	NMIBT_PRINT_OTHER,

	/* Requests for backtraces, and answers. */
	/* "Sending NMI from CPU 2 to CPUs 0-1,3:", "sending NMI to all CPUs:" */
	NMIBT_PRINT_REQUEST,
	NMIBT_PRINT_TITLE, /* "NMI backtrace for cpu 3" */
	NMIBT_PRINT_SKIPPED, /* "NMI backtrace for cpu 3 skipped: idling at ..." */
	NMIBT_PRINT_SYSRQ_REQUEST, /* "sysrq: Show backtrace of all active CPUs" */
	NMIBT_PRINT_SYSRQ_TITLE, /* "sysrq: CPU3:" */
	NMIBT_PRINT_SYSRQ_SKIPPED, /* "CPU1: backtrace skipped as idling" */
	NMIBT_PRINT_STOPPING, /* "CPU2: stopping" */
	NMIBT_PRINT_TASK_DUMP, /* "Task dump for CPU 3:" */
	NMIBT_PRINT_NOT_RESPONDING, /* the kernel's own list of CPUs that did not answer */

	/* First lines of reports. */
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
	/* "Showing backtraces of running workers in stalled CPU-bound worker pools:", "of busy
	 * workers" */
	NMIBT_PRINT_STALLED_WORKERS,
	/* "WARNING: CPU: 3 PID: 1 at ...", "BUG: sleeping function ...", KASAN... */
	NMIBT_PRINT_WARNING,

	/* Lines within reports. */
	NMIBT_PRINT_STALLED_CPU, /* "rcu: \t3-....: (21000 ticks this GP) ..." */
	/* "rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-3): P118/1:b..l" */
	NMIBT_PRINT_STALLED_TASKS,
	/* "rcu: \t(detected by 2, t=21002 jiffies, ...)": who reports, and for how long it lasts;
	 * of the stalled CPU itself "rcu: \t(t=21000 jiffies ...)" */
	NMIBT_PRINT_STALL_FOUND,
	NMIBT_PRINT_WORKER_POOL, /* "pool 10:", before the stack of each of STALLED_WORKERS */
	/* "INFO: task cp:171 is blocked on a mutex likely owned by task sync:169." */
	NMIBT_PRINT_OWNER,
	/* "csd: CSD lock (#1) got unstuck on CPU#03, CPU#02 released ..." */
	NMIBT_PRINT_CSD_RELEASED,
	NMIBT_PRINT_HUNG_SUPPRESSED, /* "Future hung task reports are suppressed, see ..." */
	NMIBT_PRINT_CUT_HERE, /* "------------[ cut here ]------------" */
	NMIBT_PRINT_END_TRACE, /* "---[ end trace ... ]---" */
	NMIBT_PRINT_END_PANIC, /* "---[ end Kernel panic - not syncing: ..." */
	NMIBT_PRINT_MOVED, /* "panic: Redirected from CPU 1, skipping stack dump." */
	NMIBT_PRINT_CPU, /* "CPU: 3 UID: 0 PID: 118 Comm: spin Not tainted ..." */
	NMIBT_PRINT_TASK, /* "task:spin state:D stack:0 pid:118 ..." */
	NMIBT_PRINT_HARDWARE, /* "Hardware name: ..." */
	NMIBT_PRINT_REGISTER, /* any line of registers, code or modules */
	NMIBT_PRINT_PC, /* "RIP: ", "pc : ", "PC is at "...: a frame, or user mode */
	NMIBT_PRINT_TRACE, /* "Call Trace:"; a mark may follow on the line */
	NMIBT_PRINT_STACK_MARK, /* " <IRQ>", " </TASK>" alone on a line */
	NMIBT_PRINT_FRAME, /* a frame, perhaps with a mark before it */

	/* The life of the machine. */
	NMIBT_PRINT_BANNER, /* "Linux version ...": a boot */
	NMIBT_PRINT_COMMAND_LINE, /* "Command line: ", "Kernel command line: " */
	NMIBT_PRINT_SUSPEND, /* "PM: suspend entry (...)", "PM: hibernation: hibernation entry" */
	NMIBT_PRINT_RESUME, /* "PM: suspend exit", "PM: hibernation: hibernation exit" */
	NMIBT_PRINT_SLEPT, /* "Enabling non-boot CPUs ...": all that is before it was suspended */
	NMIBT_PRINT_NO_SLEEP, /* "PM: Some devices failed to suspend, ...": nor will it be */
	NMIBT_PRINT_KDUMP, /* "Starting crashdump kernel...", "Bye!" */
	NMIBT_PRINT_NOT_STOPPED, /* "SMP: failed to stop secondary CPUs 1,3" */
	NMIBT_PRINT_CPU_ONLINE, /* "smpboot: Booting Node 0 Processor 3 APIC 0x3" */
	NMIBT_PRINT_CPU_OFFLINE, /* "smpboot: CPU 3 is now offline" */
	NMIBT_PRINT_DROPPED, /* "** 12 printk messages dropped **": a console was too slow */
	NMIBT_NR_PRINTS,
};

/* RCU's flavours, each of which has grace periods of its own. */
enum nmibt_flavour {
	NMIBT_FLAVOUR_UNKNOWN,
	NMIBT_FLAVOUR_PREEMPT,
	NMIBT_FLAVOUR_SCHED,
	NMIBT_FLAVOUR_BH,
	NMIBT_FLAVOUR_TASKS,
	NMIBT_FLAVOUR_TASKS_TRACE,
	NMIBT_NR_FLAVOURS,
};

/* The contents of a line. Members that do not apply to its kind are 0 or false. Strings are
 * borrowed from the line, untrusted and not terminated. */
struct nmibt_printed {
	enum nmibt_print kind;
	bool has_cpu;
	/* Below NMIBT_MAX_CPUS. The CPU that the line is about; for REQUEST and STALL_FOUND the CPU
	 * that prints it. */
	unsigned int cpu;
	bool all_cpus; /* of REQUEST: it does not list whom it asks */
	/* A list as printed: "0-1,3"; read it by nmibt_next_cpus(), and tasks of RCU's by
	 * nmibt_next_task(). */
	struct nmibt_str cpus;
	bool has_task;
	int32_t pid;
	struct nmibt_str comm; /* len 0: the line does not tell, or not surely */
	/* Of OWNER: what the task is blocked on, "a mutex likely owned by", static, and by whom. */
	const char *owned;
	int32_t owner_pid;
	struct nmibt_str owner_comm;
	bool has_seconds;
	uint64_t seconds; /* how long it was stuck, blocked, or waiting for an answer */
	bool has_jiffies;
	uint64_t jiffies; /* STALL_FOUND: how long the stall has lasted */
	enum nmibt_flavour flavour; /* SELF_STALL, STALL */
	bool is_expedited; /* STALL: it is of an expedited grace period */
	bool has_grace_period;
	int64_t grace_period; /* STALL_FOUND, or a stall whose first line tells it: its number */
	bool begins_trace; /* FRAME: no line "Call trace:" stands before it */
	bool is_user; /* PC, or a line that shows the mode: user mode */
	bool has_irqs_off, irqs_off; /* from the line with EFLAGS or pstate */
	bool has_sp;
	uint64_t sp;
	bool has_mark; /* it is a STACK_MARK, or a FRAME with a mark before or behind it */
	bool is_mark_end; /* "</IRQ>", "<EOI>" */
	enum nmibt_stack_kind mark;
	bool has_frame;
	struct nmibt_frame frame; /* PC, SKIPPED, FRAME; it may have neither name nor address */
	struct nmibt_str message; /* the text of a first line or of HARDWARE, without the prefix */
	struct nmibt_str taint; /* CPU: "Tainted: G        W", "Not tainted"; len 0: neither */
	struct nmibt_str release; /* CPU: the kernel's, behind the taint; len 0: not there */
	/* REGISTER: it is the last line of a report on user mode. PC: of a backtrace that has no frames. */
	bool is_last_register;
	bool is_capture_kernel; /* COMMAND_LINE: it is that of a capture kernel */
	uint64_t nr_dropped; /* DROPPED: number of messages */
};

/* Recognises one line, given without level, time and newline. Lines that only one architecture
 * prints are recognised for that architecture, and for NMIBT_ARCH_UNKNOWN. */
void nmibt_recognise(enum nmibt_arch arch, struct nmibt_str line, struct nmibt_printed *ret);

/* True: this architecture prints only frames in a trace. False: it prints registers between them
 * where an interrupt hit or the CPU came from user mode; or that is not known. */
bool nmibt_has_plain_traces(enum nmibt_arch arch);

/* Reads the next run [*ret_first, *ret_last] of a list of CPUs, and moves list behind it. The list
 * is "0-1,3", or RCU's " 3-... 4-O.. P118", where P118 is a task and is skipped. False: there are
 * no more, or the text is no CPU. CPUs from NMIBT_MAX_CPUS on are cut off. */
bool nmibt_next_cpus(struct nmibt_str *list, unsigned int *ret_first, unsigned int *ret_last);

/* The PID of the next task of such a list, which moves behind it: "P118", "P118/1:b..l"; CPUs
 * are passed over. False: no more. */
bool nmibt_next_task(struct nmibt_str *list, int32_t *ret);

/* ------------------------------------------------------- a backtrace as a whole */

/* The contents of the text of one CPU's backtrace. */
struct nmibt_backtrace {
	struct nmibt_stack stack; /* strings are borrowed from the text */
	bool has_task;
	int32_t pid;
	char comm[NMI_CAPTURE_COMM_LEN]; /* untrusted, may lack a NUL */
	bool is_skipped; /* the kernel printed that the CPU is idle */
	bool is_user; /* the CPU was in user mode when it was hit */
	bool has_irqs_off, irqs_off;
	bool has_sp;
	uint64_t sp; /* the stack pointer when the CPU was hit */
};

/* Reads the text of a backtrace. text is borrowed for the life of *ret, which the caller destroys
 * with nmibt_stack_destroy(&ret->stack). Where bytes are missing within the stack, it ends for
 * comparisons (NMIBT_END_GAP); the frames behind the gap are kept and marked unreliable. */
struct nmibt_error *nmibt_read_backtrace(enum nmibt_arch arch, const struct nmibt_text *text,
					 struct nmibt_backtrace *ret);

/* Reads the link register that stands behind this frame's line, of the pc, in a text of arm64. False: there is
 * none, or it has no symbol. */
bool nmibt_read_link_register(const struct nmibt_text *text, const struct nmibt_frame *pc,
			      struct nmibt_frame *ret);

/* ------------------------------------------------------------ kinds of functions */

/* True: function, which is without what compilers append, is the one that a list names. A name that ends with '*'
 * stands for all names that begin like it. */
bool nmibt_is_named(const char *name, struct nmibt_str function);

/* True: an interrupt or exception entered the kernel from the kernel by this function; the frame
 * that was hit is the next outer one. */
bool nmibt_is_entry_frame(const struct nmibt_frame *frame);
/* True: the function does not tell what the CPU did: it entered the kernel, or a task or a CPU
 * begins in it, or only idle CPUs run it. */
bool nmibt_is_framing_frame(const struct nmibt_frame *frame);
/* True: the function waits for a time to pass. */
bool nmibt_is_delay_frame(const struct nmibt_frame *frame);
/* True: stacks end with this function: a task began there, or came from user mode. */
bool nmibt_is_outermost_frame(const struct nmibt_frame *frame);
/* A kernel thread begins in it, on x86 and arm64: only another such frame is behind it (arch/x86/entry/entry_64.S,
 * arch/arm64/kernel/entry.S; 3.10 to 7.2). */
bool nmibt_is_thread_start(const struct nmibt_frame *frame);
/* Index of the first frame behind the interrupt or exception that contains frame i, that is, behind
 * the function that entered the kernel. If the text does not show it: i + 1. */
size_t nmibt_end_of_entry(const struct nmibt_stack *stack, size_t i);
/* The number of innermost frames that belong to the stop, to panic() itself or to the capture,
 * including the interrupt or exception by which the CPU came there. */
size_t nmibt_count_dying(const struct nmibt_stack *stack);
/* True: the CPU is idle: the innermost function of its chain is one of the idle loop, and it serves
 * no interrupt. */
bool nmibt_is_idle_stack(const struct nmibt_stack *stack);
/* True: the kernel took the CPU offline. It halts, with interrupts off, until it is started
 * anew. */
bool nmibt_is_offline_stack(const struct nmibt_stack *stack);
/* False: nothing tells whether a CPU with this stack is idle, because neither the function that it
 * is in has a name, as those of modules, nor a caller that is no part of the idle loop. */
bool nmibt_tells_idle(const struct nmibt_stack *stack);

/* True: the chain begins in a function in which only idle tasks begin. */
bool nmibt_is_stack_of_idle_task(const struct nmibt_stack *stack);

#endif /* NMIBT_TEXT_H */
