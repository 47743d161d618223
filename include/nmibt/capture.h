/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The in-memory format of an NMI backtrace capture, version 2.
 *
 * This is the one C definition on the reader's side, byte for byte what the
 * kernel series under kernel/ writes (there: include/linux/nmi_backtrace_capture.h).
 * docs/format.md is the normative text; tests/e2e/abi-check compares every
 * size and offset below with the DWARF of a built kernel.
 *
 * All fields are fixed-width, in the byte order of the kernel that wrote them.
 * Addresses are physical, lengths are in bytes, times are nanoseconds of
 * ktime_get_mono_fast_ns() unless another clock is named. There are no pointers.
 * Nothing read through this header may be trusted before it has been checked.
 */
#ifndef NMIBT_CAPTURE_H
#define NMIBT_CAPTURE_H

#include <stdint.h>

/* The line in VMCOREINFO: KEY=<physical address of the descriptor>, decimal or 0x and hex. */
#define NMI_CAPTURE_VMCOREINFO_KEY "NUMBER(nmi_backtrace_capture)"
/* The symbol of the descriptor, for a reader that has symbols only. */
#define NMI_CAPTURE_DESC_SYMBOL "nmi_capture_desc"

/* Eight bytes each, not terminated. */
#define NMI_CAPTURE_DESC_MAGIC "NMIBTDSC"
#define NMI_CAPTURE_SLOT_MAGIC "NMIBTSLT"
#define NMI_CAPTURE_MAGIC_LEN 8

#define NMI_CAPTURE_VERSION 2

/* "No CPU" in a field that holds a CPU number. */
#define NMI_CAPTURE_NO_CPU UINT32_MAX
/* An entry of the table for a possible CPU whose slot could not be allocated. 0: the CPU is not
 * possible. */
#define NMI_CAPTURE_NO_MEMORY UINT64_MAX

/* Room for registers: x86_64's elf_gregset_t has 27 words, arm64's 34. */
#define NMI_CAPTURE_MAX_REGS 48
#define NMI_CAPTURE_COMM_LEN 16
/* Room for the message of the panic, its NUL included. */
#define NMI_CAPTURE_MESSAGE_LEN 256

/* nmi_capture_desc.state */
enum nmi_capture_state {
	NMI_CAPTURE_IDLE = 0, /* nothing was requested since boot */
	NMI_CAPTURE_RUNNING = 1, /* the requester is asking or waiting */
	NMI_CAPTURE_COMPLETE = 2, /* all CPUs that were asked have answered or faulted */
	NMI_CAPTURE_TIMEOUT = 3, /* the wait ended before all CPUs had answered */
};

/* nmi_capture_desc.flags */
#define NMI_CAPTURE_F_DRAINED 0x1 /* they were printed to the log, or a line about them */
#define NMI_CAPTURE_F_REENTERED 0x2 /* the requester faulted and came back */
#define NMI_CAPTURE_F_CRASH_KEXEC 0x4 /* asked on the way to a crash kernel */
#define NMI_CAPTURE_F_REGS_ONLY 0x8 /* a hardware error forbade backtraces: nobody was asked */
#define NMI_CAPTURE_F_NOT_WAITED 0x10 /* CPUs that were asked were not given their time */

/*
 * The descriptor: one per kernel, statically allocated in its image.
 * A reader uses desc_size and slot_hdr_size of the descriptor, never its own
 * sizeof, to step over what a later version appended.
 */
struct nmi_capture_desc {
	uint8_t magic[NMI_CAPTURE_MAGIC_LEN];
	uint32_t version;
	uint32_t desc_size; /* sizeof(struct nmi_capture_desc) */
	uint32_t slot_hdr_size; /* sizeof(struct nmi_capture_slot) */
	uint32_t slot_size; /* header + text + nested area of one slot */
	uint32_t nr_slots; /* entries of the table: nr_cpu_ids */
	uint32_t state; /* enum nmi_capture_state */
	uint32_t generation; /* number of the last request; 0: there was none */
	uint32_t panic_cpu; /* the CPU that asked last, or NO_CPU */
	uint32_t timeout_ms; /* bound of the wait for all CPUs */
	uint32_t flags; /* NMI_CAPTURE_F_* */
	uint32_t refused; /* requests refused while one was running or after it */
	uint32_t nr_asked; /* remote CPUs that were asked */
	uint64_t desc_paddr; /* of this structure: a copy of it elsewhere does not match */
	uint64_t table_paddr; /* of uint64_t[nr_slots]: slots, 0, NO_MEMORY; 0: not set up */
	uint64_t asked_ns; /* when the request began */
	uint64_t finished_ns; /* when the wait ended; 0: it did not end */
	uint64_t asked_local_ns; /* asked_ns by local_clock(), the clock of the log's timestamps */
	uint64_t asked_real_ns; /* asked_ns as real time, since 1970 */
	uint64_t taint; /* the kernel's taint mask at the request */
	uint32_t from_cpu; /* the CPU that called panic() first, or NO_CPU: not known */
	uint32_t message_len; /* of the whole message; more than is stored: it was cut */
	uint8_t message[NMI_CAPTURE_MESSAGE_LEN]; /* text of panic(), ends in a NUL */
};

/* nmi_capture_slot.state; published with release semantics */
enum nmi_capture_slot_state {
	NMI_CAPTURE_SLOT_EMPTY = 0,
	NMI_CAPTURE_SLOT_ASKED = 1, /* the CPU was asked and has not answered */
	NMI_CAPTURE_SLOT_BEGUN = 2, /* the CPU is writing, or died writing */
	NMI_CAPTURE_SLOT_DONE = 3, /* complete */
};

/* nmi_capture_slot.how: what made the CPU write; set when the CPU begins to write */
enum nmi_capture_how {
	NMI_CAPTURE_BY_NONE = 0,
	NMI_CAPTURE_BY_NMI = 1, /* an NMI or a pseudo-NMI */
	NMI_CAPTURE_BY_IRQ = 2, /* an ordinary IPI */
	NMI_CAPTURE_BY_SELF = 3, /* its own panic: it is the requester, or panicked second */
	NMI_CAPTURE_BY_STOP = 4, /* the stop for kdump */
};

/* nmi_capture_slot.flags */
#define NMI_CAPTURE_SLOT_F_REGS 0x01 /* regs[] is filled */
#define NMI_CAPTURE_SLOT_F_IDLE 0x02 /* it ran the idle task's idle loop */
#define NMI_CAPTURE_SLOT_F_USER 0x04 /* it was in user mode */
#define NMI_CAPTURE_SLOT_F_IRQS_OFF 0x08 /* interrupts were masked when hit */
#define NMI_CAPTURE_SLOT_F_LATE 0x10 /* it began after the wait had ended */
#define NMI_CAPTURE_SLOT_F_OVERFLOW 0x20 /* the text did not fit; lost_* count it */
#define NMI_CAPTURE_SLOT_F_REGS_ONLY 0x40 /* a hardware error forbade its backtrace: no text */
#define NMI_CAPTURE_SLOT_F_FAULTED 0x80 /* a fault broke off the writing */
#define NMI_CAPTURE_SLOT_F_NO_REGS_SELF                                                            \
	0x100 /* regs are of the capture itself: the panic path passed none */

/* nmi_capture_slot.asked_flags */
#define NMI_CAPTURE_ASKED_F_OFFLINE 0x1 /* it was not online at the request */

/*
 * One slot per possible CPU: this header, then text_size bytes of text at
 * text_off, then nested_size bytes at nested_off. Offsets count from the start
 * of the slot. The text is what printk would have logged: messages with their
 * KERN_SOH level headers, without timestamps.
 *
 * text_len is the published length. A writer formats behind it and then
 * publishes, so bytes from text_len up to the first NUL are a torn tail.
 */
struct nmi_capture_slot {
	/* by boot */
	uint8_t magic[NMI_CAPTURE_MAGIC_LEN];
	uint32_t cpu;
	uint32_t text_off;
	uint32_t text_size;
	uint32_t nested_off; /* of the text that was printed inside a printk, or by a fault */
	uint32_t nested_size;
	uint32_t note_size; /* sizeof(note_buf_t) */
	uint64_t note_paddr; /* of this CPU's crash_notes entry; 0: unknown */
	/* by the requester and the owner: the claim */
	uint32_t state; /* enum nmi_capture_slot_state */
	/* by the requester */
	uint32_t asked_generation; /* of the request that asked or saw it offline; 0: none did */
	uint32_t asked_flags; /* NMI_CAPTURE_ASKED_F_* */
	uint32_t reserved;
	uint64_t asked_ns; /* 0: never asked */
	/* by the owner */
	uint32_t generation; /* of the request that the content answers; 0: there is no content */
	uint32_t how; /* enum nmi_capture_how */
	uint32_t flags; /* NMI_CAPTURE_SLOT_F_* */
	uint32_t text_len;
	uint32_t nested_len;
	uint32_t lost_msgs; /* messages of which nothing was stored */
	uint32_t lost_bytes; /* bytes that did not fit, cut messages included */
	uint32_t begin_again; /* how often this CPU began a second time, and was refused */
	int32_t pid; /* of the interrupted task */
	uint32_t nr_regs; /* words of regs[]: elf_gregset_t's ELF_NGREG */
	char comm[NMI_CAPTURE_COMM_LEN]; /* may lack a NUL when damaged */
	uint64_t begun_ns;
	uint64_t done_ns;
	uint64_t regs[NMI_CAPTURE_MAX_REGS]; /* as in NT_PRSTATUS's pr_reg */
};

#if !defined(__KERNEL__) && !defined(__cplusplus)
_Static_assert(sizeof(struct nmi_capture_desc) == 376, "descriptor layout");
_Static_assert(sizeof(struct nmi_capture_slot) == 520, "slot layout");
#endif

#endif /* NMIBT_CAPTURE_H */
