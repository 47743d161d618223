/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel of an image was. struct nmibt_kernel opens VMCOREINFO, page tables,
 * symbols, modules, per-CPU areas and the NMI buffers once each, when they are first
 * needed, and owns them. Nobody else opens any of these.
 */
#ifndef NMIBT_KERNEL_H
#define NMIBT_KERNEL_H

#include "image/image.h"

struct nmibt_regs {
	bool present;
	unsigned int nr; /* words, as in NT_PRSTATUS's pr_reg of the architecture */
	uint64_t value[NMI_CAPTURE_MAX_REGS];
};

/* The pr_reg and pr_pid of the NT_PRSTATUS note in crash_notes memory at
 * paddr, size bytes there. */
enum nmibt_note nmibt_read_note(const struct nmibt_image *image, uint64_t paddr, uint64_t size,
				struct nmibt_regs *ret, int *ret_pid);

enum nmibt_part {
	NMIBT_PART_MEMORY, /* virtual: by page tables, or by the image's own callbacks */
	NMIBT_PART_KALLSYMS, /* the kernel's own table of symbols */
	NMIBT_PART_MODULES,
	NMIBT_PART_PERCPU,
	NMIBT_PART_NMI_BUFFERS,
	NMIBT_PART_VCPUS,
	NMIBT_NR_PARTS,
};

/* Only lib/kernel uses the members behind vmcoreinfo; others call the functions below. */
struct nmibt_kernel {
	const struct nmibt_image *image; /* borrowed */
	struct nmibt_vmcoreinfo vmcoreinfo;
	struct nmibt_memory *memory;
	struct nmibt_kallsyms *kallsyms;
	struct nmibt_modules *modules;
	struct nmibt_percpu *percpu;
	struct nmibt_nmi_buffers *nmi_buffers;
	struct nmibt_vcpus *vcpus;
	bool tried[NMIBT_NR_PARTS];
	struct nmibt_error *failure[NMIBT_NR_PARTS];
	/* It is a capture kernel, and the one that died can't be reached: why. */
	bool is_capture;
	char why_capture[NMIBT_WHY_LEN];
	/* The capture kernel that ran at the dump, and led to this one; NULL: none did. */
	struct nmibt_kernel *capture;
	/* Of a kernel that another one led to: the image without what the front end knows by
	 * the other one's VMCOREINFO. */
	struct nmibt_image own_image;
	struct nmibt_image_ops own_ops;
};

/* The kernel that died, never a capture kernel, if it can be found. image is borrowed for
 * the life of *ret. Fails with NOMEM alone. */
struct nmibt_error *nmibt_kernel_open(const struct nmibt_image *image, struct nmibt_kernel **ret);
void nmibt_kernel_close(struct nmibt_kernel *kernel); /* NULL is allowed */

/* Opens part, unless that was tried before. NULL: it is open; else why it can't be, which
 * is borrowed. NOTHING where the image has no such part, DAMAGED where it makes no sense. */
const struct nmibt_error *nmibt_kernel_failure(struct nmibt_kernel *kernel, enum nmibt_part part);
/* As nmibt_kernel_failure(), in a copy that the caller frees. */
struct nmibt_error *nmibt_kernel_need(struct nmibt_kernel *kernel, enum nmibt_part part);

/* ------------------------------------------------------------------- build-id */

/* 64 bytes in hex, and a NUL. */
#define NMIBT_BUILD_ID_LEN 129
struct nmibt_build_id {
	char text[NMIBT_BUILD_ID_LEN]; /* in lower-case hex; empty: not known */
	enum {
		NMIBT_BUILD_ID_NONE,
		NMIBT_BUILD_ID_VERIFIED, /* out of the kernel's memory */
		NMIBT_BUILD_ID_BROKEN, /* as well, and VMCOREINFO has another one */
		NMIBT_BUILD_ID_UNVERIFIED, /* VMCOREINFO's, which may be garbage */
	} state;
};
/* Looks for symbols by name, which reads all of them. */
void nmibt_kernel_build_id(struct nmibt_kernel *kernel, struct nmibt_build_id *ret);

/* ------------------------------------------------------------ capture kernels */

/* For lib/kernel: the text of VMCOREINFO of the kernel that died, where this one is its
 * capture kernel; the caller frees it. NULL: it is none, or, with is_capture set, the other
 * one can't be found: why_capture says why. */
char *nmibt_find_first_kernel(struct nmibt_kernel *kernel);
/* The physical address that a kernel's command line has of the ELF header; false: none. */
bool nmibt_parse_elfcorehdr(const char *command_line, uint64_t *ret);

/* ------------------------------------------------------------ virtual memory */

/*
 * Kernel virtual addresses, by VMCOREINFO and the page tables, so that all front ends
 * see the same; where they don't lead, by the image's own virt_to_phys or read_virt.
 */
/* False: not mapped, or a table can't be read. */
bool nmibt_kernel_to_phys(struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t *ret);
/* All or nothing. EXCLUDED also where a table that leads there is, ERROR where
 * nothing is mapped. */
enum nmibt_read nmibt_kernel_read(struct nmibt_kernel *kernel, uint64_t vaddr, void *buf,
				  size_t len);
/* As nmibt_read_pages(). */
struct nmibt_run nmibt_kernel_read_pages(struct nmibt_kernel *kernel, uint64_t vaddr, void *buf,
					 size_t len, bool *known);
/* Physical address of what the caller knows to be in the kernel's image, as what
 * VMCOREINFO's SYMBOL() lines name. */
bool nmibt_kimage_to_phys(const struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t *ret);

/* ------------------------------------------------------------------- symbols */

/* As long as the kernel's (KSYM_NAME_LEN since 6.1, MODULE_NAME_LEN), with a NUL. */
#define NMIBT_SYMBOL_LEN 512
#define NMIBT_MODULE_LEN 64
/* What code at an address is called; strings are untrusted. */
struct nmibt_symbol {
	char name[NMIBT_SYMBOL_LEN];
	char module[NMIBT_MODULE_LEN]; /* empty: the kernel itself */
	uint64_t offset; /* of the address in the function */
	uint64_t size; /* of the function, with what the linker put behind it; 0: not known */
};

/*
 * Of several names of a function the one that the kernel printed in its traces, whatever
 * the front end; by the image's own symbolize only what the kernel's symbols don't have
 * (modules, older kernels). False: not known, or no function.
 */
bool nmibt_find_symbol(struct nmibt_kernel *kernel, uint64_t addr, struct nmibt_symbol *ret);
/* As nmibt_image_ops.symbolize. */
bool nmibt_symbolize(struct nmibt_kernel *kernel, uint64_t addr, char *buf, size_t len);

/*
 * The value of a symbol of the kernel's (not of its modules'), with what KASLR added: an
 * address; for a per-CPU variable what to add a CPU's offset to, which is no address
 * where such variables are linked at 0 (x86_64 up to 6.14). As the image's own symbol_addr
 * has it, which knows a vmlinux, else by the kernel's own table. False where there is
 * none, and where several have the name and different values: nobody knows which is
 * meant. Names of data are there only with CONFIG_KALLSYMS_ALL.
 */
bool nmibt_symbol_addr(struct nmibt_kernel *kernel, const char *name, uint64_t *ret);

/* As nmibt_image_ops has them; false also where it doesn't. */
bool nmibt_member_offset(struct nmibt_kernel *kernel, const char *type, const char *member,
			 size_t *ret);
bool nmibt_type_size(struct nmibt_kernel *kernel, const char *type, size_t *ret);

/*
 * The kernel's own table of symbols (not its modules'), in the memory of the image, where
 * VMCOREINFO says that it is: 6.0 and later. NOTHING where VMCOREINFO does not say it,
 * DAMAGED where it can't be read. For lib/kernel, which opens it by nmibt_kernel_failure().
 */
struct nmibt_error *nmibt_kallsyms_open(struct nmibt_kernel *kernel, struct nmibt_kallsyms **ret);
void nmibt_kallsyms_close(struct nmibt_kallsyms *kallsyms); /* NULL is allowed */
bool nmibt_kallsyms_find(struct nmibt_kallsyms *kallsyms, uint64_t addr, struct nmibt_symbol *ret);
bool nmibt_kallsyms_addr(struct nmibt_kallsyms *kallsyms, const char *name, uint64_t *ret);

/* ----------------------------------------------------------------------- log */

/* Records that are missing, by the reason. */
struct nmibt_log_missing {
	uint64_t excluded; /* in pages that the dump left out */
	uint64_t unreadable;
	uint64_t unfinished; /* reserved, and never committed */
	uint64_t lost; /* there was no room for their text */
	uint64_t damaged; /* fail their checks */
	uint64_t overwritten; /* the oldest since boot: newer ones have their room */
};

/*
 * The kernel's log, out of its printk ring buffer (5.10 and later), where VMCOREINFO
 * says that it is; a kernel that died while it wrote leaves records unfinished.
 */
struct nmibt_log_record {
	/* What is missing between the record before and this one, in the log's order: the
	 * two are neighbours only where all of it is 0. */
	struct nmibt_log_missing missing_before;
	/* No record, and nothing below is set: missing_before is of the log's end. */
	bool is_end;
	uint64_t seq; /* 0 is the first since boot */
	uint64_t ts_ns; /* as printed before the text, of local_clock() */
	uint32_t caller_id; /* thread's PID, or 0x80000000 + CPU outside of tasks */
	unsigned int level; /* 0-7 */
	unsigned int facility; /* 0: the kernel; as syslog(3) has them, shifted down */
	unsigned int flags; /* enum printk_info_flags of the kernel */
	/* [text, text + len) without level and time, not terminated; may hold any
	 * byte, newlines too. Borrowed until the next call. */
	const char *text;
	size_t len;
	size_t missing; /* bytes of text behind it that can't be read */
};

/* Of all reasons together. */
uint64_t nmibt_log_nr_missing(const struct nmibt_log_missing *missing);

struct nmibt_log;
/* kernel is borrowed. NOTHING where VMCOREINFO describes no such log, DAMAGED where it
 * can't be read. */
struct nmibt_error *nmibt_log_open(struct nmibt_kernel *kernel, struct nmibt_log **ret);
/* Oldest first. False: that was the last one, or the image's interrupted() said so. */
bool nmibt_log_next(struct nmibt_log *log, struct nmibt_log_record *ret);
/* Did interrupted() end it, so that there is more? */
bool nmibt_log_is_interrupted(const struct nmibt_log *log);
/* Of all that nmibt_log_next() passed over so far. */
const struct nmibt_log_missing *nmibt_log_missing(const struct nmibt_log *log);
void nmibt_log_close(struct nmibt_log *log); /* NULL is allowed */

/* Written to /dev/kmsg, which may look like anything: the kernel's own have facility 0,
 * and it lets nobody else use that (kernel/printk/printk.c: devkmsg_write(), 6.12). */
static inline bool nmibt_log_is_of_user(const struct nmibt_log_record *record)
{
	return record->facility;
}

/* ------------------------------------------------------------- per-CPU data */

/* The largest CONFIG_NR_CPUS of x86_64; arch/x86/Kconfig, NR_CPUS_RANGE_END, 6.12. */
#define NMIBT_MAX_CPUS 8192

struct nmibt_percpu {
	unsigned int nr; /* 1 to NMIBT_MAX_CPUS; CPUs have numbers below it */
	bool *possible; /* nr; at least one is */
	bool *online; /* nr; true: it was, and nobody stopped it since */
	uint64_t *offsets; /* nr; what is added to a per-CPU symbol */
	bool *known; /* nr; false: that CPU's offset can't be read */
	/* Below nr, or -1: none, or nobody knows. The second one is who began the panic
	 * that the first one was then made to go on with (panic_force_cpu=). */
	int panic_cpu, redirected_from;
	uint64_t crash_notes; /* per-CPU pointer; 0: not known, or not allocated */
	/* What could not be read and was done without, a line of text; empty: nothing. */
	char why[NMIBT_WHY_LEN];
};

/* NULL: nmibt_kernel_failure() says why. NOTHING where a symbol is not known: the message
 * names it, and what would have it; DAMAGED where there can be no such CPUs. */
const struct nmibt_percpu *nmibt_kernel_percpu(struct nmibt_kernel *kernel);

/* For lib/kernel, which opens it by nmibt_kernel_failure(). */
struct nmibt_error *nmibt_percpu_open(struct nmibt_kernel *kernel, struct nmibt_percpu **ret);
void nmibt_percpu_close(struct nmibt_percpu *percpu); /* NULL is allowed */

/* Where cpu's copy of a per-CPU variable is, given its symbol's value or a per-CPU
 * pointer. False: there is no such CPU, or its offset can't be read. */
bool nmibt_percpu_addr(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t variable,
		       uint64_t *ret);

/* Virtual address of cpu's crash note. False: not known. */
bool nmibt_percpu_note(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t *ret);

/* As nmibt_read_note(), of cpu's crash note, which need not be in pages that are next to
 * each other in physical memory. UNKNOWN where nmibt_percpu_note() is false. */
enum nmibt_note nmibt_percpu_read_note(struct nmibt_kernel *kernel, unsigned int cpu,
				       struct nmibt_regs *ret, int *ret_pid);

/* As nmibt_read_note(), at a virtual address. Where it is not mapped: DAMAGED. */
enum nmibt_note nmibt_read_note_virtual(struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t size,
					struct nmibt_regs *ret, int *ret_pid);
/* pr_reg and pr_pid of the description of a note NT_PRSTATUS. False: it is too short. */
bool nmibt_read_prstatus(enum nmibt_arch arch, const char *desc, size_t len, struct nmibt_regs *ret,
			 int *ret_pid);
/* Bytes that crash_notes has for each CPU; 0: not known. */
size_t nmibt_note_size(enum nmibt_arch arch);

/* ------------------------------------------------------------ virtual CPUs */

/* The registers of a guest's virtual CPUs at the moment of a hypervisor's dump. */
struct nmibt_vcpus {
	unsigned int nr; /* 1 to NMIBT_MAX_CPUS; virtual CPU i is the kernel's CPU i */
	struct nmibt_regs *regs; /* all are present */
};

/*
 * NULL: nmibt_kernel_failure() says why. NOTHING where the dump's notes are not those of
 * virtual CPUs. A kernel that went to kdump has notes of its own, so that the caller has to
 * know that this one did not.
 */
const struct nmibt_vcpus *nmibt_kernel_vcpus(struct nmibt_kernel *kernel);

/* For lib/kernel, which opens it by nmibt_kernel_failure(). */
struct nmibt_error *nmibt_vcpus_open(struct nmibt_kernel *kernel, struct nmibt_vcpus **ret);
void nmibt_vcpus_close(struct nmibt_vcpus *vcpus); /* NULL is allowed */

/* The task that cpu runs, by the kernel's own per-CPU variable. ret_comm has room for
 * NMI_CAPTURE_COMM_LEN bytes, untrusted, perhaps without a NUL; empty: not known. False:
 * nobody knows, mostly because the layout of struct task_struct is not known. */
bool nmibt_current_task(struct nmibt_kernel *kernel, unsigned int cpu, int32_t *ret_pid,
			char *ret_comm);

/* ------------------------------------------------------ buffers of NMIs */

/*
 * The per-CPU buffers in which kernels of 3.19 to 5.14 kept what was printed in an NMI
 * until it could go to the log: nmi_print_seq, and since 4.11 safe_print_seq, of what
 * was printed by printk() itself. Their layout is what the image's member_offset and
 * type_size say, no version does.
 */

enum nmibt_nmi_buffer {
	NMIBT_BUFFER_NMI, /* nmi_print_seq */
	NMIBT_BUFFER_SAFE, /* safe_print_seq */
	NMIBT_NR_BUFFERS,
};
/* "nmi_print_seq": the symbol. */
const char *nmibt_nmi_buffer_name(enum nmibt_nmi_buffer buffer);

struct nmibt_nmi_buffers;

/* NULL: nmibt_kernel_failure() says why. NOTHING where the kernel has no such buffer, and
 * where it has one and nobody knows its layout; DAMAGED where the layout makes no sense. */
const struct nmibt_nmi_buffers *nmibt_kernel_nmi_buffers(struct nmibt_kernel *kernel);

/* For lib/kernel, which opens it by nmibt_kernel_failure(). */
struct nmibt_error *nmibt_nmi_buffers_open(struct nmibt_kernel *kernel,
					   struct nmibt_nmi_buffers **ret);
void nmibt_nmi_buffers_close(struct nmibt_nmi_buffers *buffers); /* NULL is allowed */

bool nmibt_nmi_buffers_have(const struct nmibt_nmi_buffers *buffers, enum nmibt_nmi_buffer buffer);
/* Of one buffer: "printk_safe_seq_buf", a structure. */
const char *nmibt_nmi_buffers_type(const struct nmibt_nmi_buffers *buffers);
/* Messages that found a buffer full, of all CPUs together, where the kernel does not
 * count them for each (4.7 to 4.10). False: it does, or the count can't be read. */
bool nmibt_nmi_buffers_all_lost(const struct nmibt_nmi_buffers *buffers, uint32_t *ret);

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
struct nmibt_nmi_buffer_area {
	const char *name; /* nmibt_nmi_buffer_name() */
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

/* USAGE where there is no such buffer, NOTHING where nobody knows the CPU. What
 * can't be read is said in ret, which the caller destroys. */
struct nmibt_error *nmibt_nmi_buffer_read(struct nmibt_kernel *kernel, unsigned int cpu,
					  enum nmibt_nmi_buffer buffer,
					  struct nmibt_nmi_buffer_area *ret);
void nmibt_nmi_buffer_area_destroy(struct nmibt_nmi_buffer_area *area);

/*
 * The next piece of residue that begins at from or later, [*ret, *ret + *ret_len) of raw;
 * the first search begins at area->text. Each flush and what was printed after it leave
 * one: a piece is older than those before it, and all but one at 0 begin in the middle
 * of their text. Bytes that can't be read belong to no piece. False: there are no more.
 */
bool nmibt_nmi_buffer_residue(const struct nmibt_nmi_buffer_area *area, size_t from, size_t *ret,
			      size_t *ret_len);

/* ----------------------------------------------------------------- modules */

struct nmibt_module {
	uint64_t at; /* virtual address of its struct module */
	uint64_t start, size; /* of its code, [start, start + size) */
	char name[NMIBT_MODULE_LEN]; /* untrusted; empty: not known */
};

/* The one whose code is at addr. NULL: none is known. */
const struct nmibt_module *nmibt_module_at(struct nmibt_kernel *kernel, uint64_t addr);
/* By the module's own table of symbols. False: not known. */
bool nmibt_module_symbol(struct nmibt_kernel *kernel, uint64_t addr, struct nmibt_symbol *ret);

/* For lib/kernel/kernel.c alone. NOTHING where nobody knows the list or the layout. */
struct nmibt_error *nmibt_modules_open(struct nmibt_kernel *kernel, struct nmibt_modules **ret);
void nmibt_modules_close(struct nmibt_modules *modules); /* NULL is allowed */

#endif /* NMIBT_KERNEL_H */
