/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel of an image was: its VMCOREINFO, virtual memory, symbols, CPUs, log,
 * and buffers of what was printed in an NMI.
 */
#ifndef NMIBT_KERNEL_H
#define NMIBT_KERNEL_H

#include "image/image.h"

/* The number behind KEY= in VMCOREINFO; base 10 or 16, as the kernel prints it. */
bool nmibt_vmcoreinfo_number(const struct nmibt_image *image, const char *key, int base,
			     uint64_t *ret);
/* The virtual address behind SYMBOL(name)=. */
bool nmibt_vmcoreinfo_symbol(const struct nmibt_image *image, const char *name, uint64_t *ret);
/* Physical address of what the caller knows to be in the kernel's image, as what
 * VMCOREINFO's SYMBOL() lines name. */
bool nmibt_kimage_to_phys(const struct nmibt_image *image, uint64_t vaddr, uint64_t *ret);

/*
 * Kernel virtual addresses, by VMCOREINFO and the page tables, so that all front ends
 * see the same; where they don't lead, by the image's own virt_to_phys or read_virt
 * (crash --minimal knows no modules' addresses). image is borrowed. Fails with NOTHING
 * where there is neither.
 */
struct nmibt_virtual;
struct nmibt_error *nmibt_virtual_open(const struct nmibt_image *image, struct nmibt_virtual **ret);
/* False: not mapped, or a table can't be read. */
bool nmibt_virtual_to_phys(struct nmibt_virtual *v, uint64_t vaddr, uint64_t *ret);
/* All or nothing. EXCLUDED also where a table that leads there is, ERROR where
 * nothing is mapped. */
enum nmibt_read nmibt_virtual_read(struct nmibt_virtual *v, uint64_t vaddr, void *buf, size_t len);
void nmibt_virtual_close(struct nmibt_virtual *v); /* NULL is allowed */

/*
 * The kernel's own symbols (not its modules'), from the memory of the image, where
 * VMCOREINFO says that they are: 6.0 and later. image is borrowed. Fails with
 * NOTHING where VMCOREINFO does not say it, DAMAGED where they can't be read.
 */
struct nmibt_kallsyms;
struct nmibt_error *nmibt_kallsyms_open(const struct nmibt_image *image,
					struct nmibt_kallsyms **ret);
/* As nmibt_image_ops.symbolize; false also for what is no function. */
bool nmibt_kallsyms_symbolize(struct nmibt_kallsyms *kallsyms, uint64_t addr, char *buf,
			      size_t len);
void nmibt_kallsyms_close(struct nmibt_kallsyms *kallsyms); /* NULL is allowed */

/*
 * What addresses are called: of several names of a function the one that the kernel
 * printed in its traces, whatever the front end; by the image's own symbolize only
 * what the kernel's symbols don't have (modules, older kernels). image is borrowed.
 */
struct nmibt_symbols {
	const struct nmibt_image *image;
	struct nmibt_kallsyms *kallsyms; /* NULL: not needed yet, or there are none */
	bool tried;
};
/* As nmibt_image_ops.symbolize. */
bool nmibt_symbolize(struct nmibt_symbols *symbols, uint64_t addr, char *buf, size_t len);

/* Written to /dev/kmsg, which may look like anything: the kernel's own have facility 0,
 * and it lets nobody else use that (kernel/printk/printk.c: devkmsg_write(), 6.12). */
static inline bool nmibt_log_is_of_user(const struct nmibt_log_record *record)
{
	return record->facility;
}

/* What a record of the kernel's log says of its dying. */
enum nmibt_log_kind {
	NMIBT_LOG_OTHER, /* nothing */
	NMIBT_LOG_PANIC,
	NMIBT_LOG_OOPS,
	NMIBT_LOG_CAUSE, /* why, of an oops whose heading follows */
	NMIBT_LOG_HEADING, /* with the number of the oops: die() */
};
/* OTHER also for what user space wrote. */
enum nmibt_log_kind nmibt_log_kind(const struct nmibt_log_record *record);

/* As nmibt_log_panic_message(), but where there is neither panic nor oops *ret is NULL;
 * and shows each record to visit, so that the log is read once: to inflate its pages is
 * most of the work. */
typedef void (*nmibt_log_visit)(void *ctx, const struct nmibt_log_record *record);
struct nmibt_error *nmibt_log_survey(const struct nmibt_image *image, nmibt_log_visit visit,
				     void *ctx, struct nmibt_log_missing *ret_missing, char **ret);

/* ---------------------------------------------------------- symbols by name */

/*
 * The value of a symbol of the kernel's (not of its modules'), with what KASLR added:
 * an address; for a per-CPU variable what to add a CPU's offset to, which is no
 * address where such variables are linked at 0 (x86_64 up to 6.14). False where there is
 * none, and where several have the name and different values: nobody knows which is
 * meant. Names of data are there only with CONFIG_KALLSYMS_ALL.
 */
bool nmibt_kallsyms_addr(struct nmibt_kallsyms *kallsyms, const char *name, uint64_t *ret);

/* As the image's own symbol_addr has it, which knows a vmlinux, else as
 * nmibt_kallsyms_addr() does. */
bool nmibt_symbol_addr(struct nmibt_symbols *symbols, const char *name, uint64_t *ret);

/* As nmibt_read_pages(), at a virtual address. */
struct nmibt_run nmibt_virtual_read_pages(struct nmibt_virtual *v, uint64_t vaddr, void *buf,
					  size_t len, bool *known);

/* ------------------------------------------------------------- per-CPU data */

/* The largest CONFIG_NR_CPUS of x86_64; arch/x86/Kconfig, NR_CPUS_RANGE_END, 6.12. */
#define NMIBT_MAX_CPUS 8192

struct nmibt_percpu {
	const struct nmibt_image *image; /* borrowed, as the next */
	struct nmibt_virtual *memory;
	unsigned int nr; /* 1 to NMIBT_MAX_CPUS; CPUs have numbers below it */
	bool *possible; /* nr; at least one is */
	uint64_t *offsets; /* nr; what is added to a per-CPU symbol */
	bool *known; /* nr; false: that CPU's offset can't be read */
	/* Below nr, or -1: none, or nobody knows. The second one is who began the panic
	 * that the first one was then made to go on with (panic_force_cpu=). */
	int panic_cpu, redirected_from;
	uint64_t crash_notes; /* per-CPU pointer; 0: not known, or not allocated */
	/* What could not be read and was done without, a line of text; empty: nothing. */
	char why[NMIBT_WHY_LEN];
};

/*
 * Fails with NOTHING where a symbol is not known: the message names it, and what would
 * have it; with DAMAGED where there can be no such CPUs. All of image, memory and
 * symbols are borrowed for the call, the first two for the life of *ret.
 */
struct nmibt_error *nmibt_percpu_open(const struct nmibt_image *image, struct nmibt_virtual *memory,
				      struct nmibt_symbols *symbols, struct nmibt_percpu **ret);
void nmibt_percpu_close(struct nmibt_percpu *percpu); /* NULL is allowed */

/* Where cpu's copy of a per-CPU variable is, given its symbol's value or a per-CPU
 * pointer. False: there is no such CPU, or its offset can't be read. */
bool nmibt_percpu_addr(const struct nmibt_percpu *percpu, unsigned int cpu, uint64_t variable,
		       uint64_t *ret);

/* Virtual address of cpu's crash note. False: not known. */
bool nmibt_percpu_note(const struct nmibt_percpu *percpu, unsigned int cpu, uint64_t *ret);

/* As nmibt_read_note(), of cpu's crash note, which need not be in pages that are next to
 * each other in physical memory. UNKNOWN where nmibt_percpu_note() is false. */
enum nmibt_note nmibt_percpu_read_note(const struct nmibt_percpu *percpu, unsigned int cpu,
				       struct nmibt_regs *ret, int *ret_pid);

/* As nmibt_read_note(), at a virtual address. Where it is not mapped: DAMAGED. */
enum nmibt_note nmibt_read_note_virtual(const struct nmibt_image *image,
					struct nmibt_virtual *memory, uint64_t vaddr, uint64_t size,
					struct nmibt_regs *ret, int *ret_pid);
/* Bytes that crash_notes has for each CPU, on image's architecture; 0: not known. */
size_t nmibt_note_size(const struct nmibt_image *image);

/* ------------------------------------------------------ buffers of NMIs */

/*
 * The per-CPU buffers in which kernels of 3.19 to 5.14 kept what was printed in an NMI
 * until it could go to the log: nmi_print_seq, and since 4.11 safe_print_seq, of what
 * was printed by printk() itself. Their layout is what the image's member_offset and
 * type_size say, no version does.
 */

enum nmibt_legacy_buffer {
	NMIBT_LEGACY_NMI, /* nmi_print_seq */
	NMIBT_LEGACY_SAFE, /* safe_print_seq */
	NMIBT_NR_LEGACY,
};
/* "nmi_print_seq": the symbol. */
const char *nmibt_legacy_name(enum nmibt_legacy_buffer buffer);

struct nmibt_legacy;

/*
 * image, memory and percpu are borrowed for the life of *ret, symbols for the call.
 * NOTHING where the kernel has no such buffer, and where it has one and nobody knows its
 * layout; DAMAGED where the layout makes no sense. The message says which.
 */
struct nmibt_error *nmibt_legacy_open(const struct nmibt_image *image, struct nmibt_virtual *memory,
				      struct nmibt_symbols *symbols,
				      const struct nmibt_percpu *percpu, struct nmibt_legacy **ret);
void nmibt_legacy_close(struct nmibt_legacy *legacy); /* NULL is allowed */

bool nmibt_legacy_has(const struct nmibt_legacy *legacy, enum nmibt_legacy_buffer buffer);
/* Of one buffer: "printk_safe_seq_buf", a structure. */
const char *nmibt_legacy_type(const struct nmibt_legacy *legacy);
/* Messages that found a buffer full, of all CPUs together, where the kernel does not
 * count them for each (4.7 to 4.10). False: it does, or the count can't be read. */
bool nmibt_legacy_all_lost(const struct nmibt_legacy *legacy, uint32_t *ret);

/*
 * One CPU's buffer. In raw stand, one behind the other:
 *   [0, published)      what was printed and is not yet in the log,
 *   [published, text)   a torn tail: a message that was being formatted, or a beginning
 *                       of it; what a longer, older text left may follow on its line,
 *   [text, raw_len)     residue: what was left of older texts, which are in the log.
 * A flush sets the length to 0 and leaves the text where it was, so that with nothing
 * published all of it is residue, though it may begin with a message that was being
 * formatted: nothing tells.
 */
struct nmibt_legacy_area {
	const char *name; /* nmibt_legacy_name() */
	uint64_t vaddr; /* of raw in the image */
	char *raw; /* raw_len bytes, all the room for text, 0 where unknown */
	bool *known; /* raw_len: false where raw can't be read */
	size_t raw_len;
	size_t published; /* <= text */
	size_t text; /* <= raw_len: hand [0, text) to nmibt_decode() */
	uint32_t lost_msgs; /* that found the buffer full */
	bool overflow; /* it is full: the last line is cut where no newline ends it */
	/* It says of itself what the kernel does not write, a longer length than there is
	 * room for: what is published is what there is room for. */
	bool damaged;
	/* Not OK: the length can't be read, so that all is taken for residue, or a part of
	 * raw can't; EXCLUDED where nothing worse happened. */
	enum nmibt_read status;
};

/* USAGE where there is no such buffer, NOTHING where percpu does not know the CPU. What
 * can't be read is said in ret, which the caller destroys. */
struct nmibt_error *nmibt_legacy_read(const struct nmibt_legacy *legacy, unsigned int cpu,
				      enum nmibt_legacy_buffer buffer,
				      struct nmibt_legacy_area *ret);
void nmibt_legacy_area_destroy(struct nmibt_legacy_area *area);

/*
 * The next piece of residue that begins at from or later, [*ret, *ret + *ret_len) of raw;
 * the first search begins at area->text. Each flush and what was printed after it leave
 * one: a piece is older than those before it, and all but one at 0 begin in the middle
 * of their text. Bytes that can't be read belong to no piece. False: there are no more.
 */
bool nmibt_legacy_residue(const struct nmibt_legacy_area *area, size_t from, size_t *ret,
			  size_t *ret_len);

#endif /* NMIBT_KERNEL_H */
