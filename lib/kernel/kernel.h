/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel of an image. struct nmibt_kernel opens VMCOREINFO, page tables, symbols, modules,
 * per-CPU areas and the NMI buffers, each once, when it is first needed, and owns them. No other
 * code opens any of these.
 */
#ifndef NMIBT_KERNEL_H
#define NMIBT_KERNEL_H

#include "image/image.h"

struct nmibt_regs {
	bool present;
	unsigned int nr; /* words, as in NT_PRSTATUS's pr_reg of the architecture */
	uint64_t value[NMI_CAPTURE_MAX_REGS];
};

/* Reads pr_reg and pr_pid of the NT_PRSTATUS note at paddr, in size bytes of crash_notes memory. */
enum nmibt_note nmibt_read_note(const struct nmibt_image *image, uint64_t paddr, uint64_t size,
				struct nmibt_regs *ret, int *ret_pid);

enum nmibt_part {
	NMIBT_PART_MEMORY, /* virtual memory, by page tables or by the image's own callbacks */
	NMIBT_PART_KALLSYMS, /* the kernel's own table of symbols */
	NMIBT_PART_MODULES,
	NMIBT_PART_PERCPU,
	NMIBT_PART_NMI_BUFFERS,
	NMIBT_PART_VCPUS,
	NMIBT_NR_PARTS,
};

/* Only lib/kernel uses the members behind vmcoreinfo; other code calls the functions below. */
struct nmibt_kernel {
	const struct nmibt_image *image; /* borrowed */
	unsigned int crash; /* of the image, which may have several */
	struct nmibt_vmcoreinfo vmcoreinfo;
	struct nmibt_memory *memory;
	struct nmibt_kallsyms *kallsyms;
	struct nmibt_modules *modules;
	struct nmibt_percpu *percpu;
	struct nmibt_nmi_buffers *nmi_buffers;
	struct nmibt_vcpus *vcpus;
	bool tried[NMIBT_NR_PARTS];
	struct nmibt_error *failure[NMIBT_NR_PARTS];
	uint64_t init_text, init_text_end; /* both are 0: not known */
	bool tried_init_text;
	/* True: it is a capture kernel, and why_capture says why the kernel that died can't be
	 * found. */
	bool is_capture;
	char why_capture[NMIBT_WHY_LEN];
	/* The capture kernel that ran at the dump and led to this kernel; NULL: there was none. */
	struct nmibt_kernel *capture;
	/* If there was a capture kernel: the image without the callbacks that use the capture
	 * kernel's VMCOREINFO. */
	struct nmibt_image own_image;
	struct nmibt_image_ops own_ops;
};

/* Opens the kernel that died; a capture kernel only where the one that died can't be found. image
 * is borrowed for the life of *ret. Fails with NOMEM only. */
struct nmibt_error *nmibt_kernel_open(const struct nmibt_image *image, struct nmibt_kernel **ret);
void nmibt_kernel_close(struct nmibt_kernel *kernel); /* NULL is allowed */

/* Opens part, unless that was tried before. NULL: it is open. Else an error, which the kernel owns:
 * NOTHING where the image has no such part, DAMAGED where its contents make no sense. */
const struct nmibt_error *nmibt_kernel_failure(struct nmibt_kernel *kernel, enum nmibt_part part);
/* As nmibt_kernel_failure(), but the caller owns the error. */
struct nmibt_error *nmibt_kernel_need(struct nmibt_kernel *kernel, enum nmibt_part part);

/* ------------------------------------------------------------------- build-id */

/* 64 bytes in hex, and a NUL. */
#define NMIBT_BUILD_ID_LEN 129
struct nmibt_build_id {
	char text[NMIBT_BUILD_ID_LEN]; /* in lower-case hex; empty: not known */
	enum {
		NMIBT_BUILD_ID_NONE,
		NMIBT_BUILD_ID_VERIFIED, /* from the kernel's own note */
		NMIBT_BUILD_ID_BROKEN, /* from the kernel's own note; VMCOREINFO's differs */
		NMIBT_BUILD_ID_UNVERIFIED, /* from VMCOREINFO, which may have garbage */
	} state;
};
/* It looks up symbols by name, which reads the whole table of symbols. */
void nmibt_kernel_build_id(struct nmibt_kernel *kernel, struct nmibt_build_id *ret);

/* ------------------------------------------------------------ capture kernels */

/* For lib/kernel. If kernel is a capture kernel: the text of VMCOREINFO of the kernel that died,
 * which the caller frees. NULL: kernel is no capture kernel; or it is one, then is_capture is set
 * and why_capture says why the other one can't be found. */
char *nmibt_find_first_kernel(struct nmibt_kernel *kernel);
/* *ret: the physical address in a command line's elfcorehdr=; false: it has none. */
bool nmibt_parse_elfcorehdr(const char *command_line, uint64_t *ret);

/* ------------------------------------------------------------ virtual memory */

/*
 * Kernel virtual addresses. They are translated by VMCOREINFO and the page tables, so that all
 * front ends show the same; where that fails, by the image's own virt_to_phys or read_virt.
 */
/* False: the address is not mapped, or a page table can't be read. */
bool nmibt_kernel_to_phys(struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t *ret);
/* Why the tables don't tell whether anything is mapped at vaddr. OK: they do, or there are
 * none. */
enum nmibt_read nmibt_kernel_read_tables(struct nmibt_kernel *kernel, uint64_t vaddr);
/* All or nothing. EXCLUDED also where a table that leads there is, ERROR where
 * nothing is mapped. */
enum nmibt_read nmibt_kernel_read(struct nmibt_kernel *kernel, uint64_t vaddr, void *buf,
				  size_t len);
/* As nmibt_read_pages(). */
struct nmibt_run nmibt_kernel_read_pages(struct nmibt_kernel *kernel, uint64_t vaddr, void *buf,
					 size_t len, bool *known);
/* Physical address of a virtual address that lies in the kernel's image, as those of VMCOREINFO's
 * SYMBOL() lines. */
bool nmibt_kimage_to_phys(const struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t *ret);

/* ------------------------------------------------------------------- symbols */

/* The kernel's own limits, with a NUL: KSYM_NAME_LEN since 6.1, MODULE_NAME_LEN. */
#define NMIBT_SYMBOL_LEN 512
#define NMIBT_MODULE_LEN 64
/* The name of the code at an address; strings are untrusted. */
struct nmibt_symbol {
	char name[NMIBT_SYMBOL_LEN];
	char module[NMIBT_MODULE_LEN]; /* empty: the kernel itself */
	uint64_t offset; /* bytes from the function to the address */
	uint64_t size; /* bytes of the function, with the padding behind it; 0: not known */
};

/*
 * The symbol of the code at addr. Of several names of a function it returns the one that the kernel
 * prints in its own traces, whatever the front end knows. The image's own symbolize is asked only
 * for code that the kernel's symbols lack (modules, older kernels). False: addr is not known, or
 * is in no function.
 */
bool nmibt_find_symbol(struct nmibt_kernel *kernel, uint64_t addr, struct nmibt_symbol *ret);
/* As nmibt_image_ops.symbolize. */
bool nmibt_symbolize(struct nmibt_kernel *kernel, uint64_t addr, char *buf, size_t len);

/*
 * The value of a symbol of the kernel (not of its modules), with KASLR's offset. It is an address;
 * for a per-CPU variable it is the number to which a CPU's offset is added, which is no address
 * where such variables are linked at 0 (x86_64 up to 6.14). The image's own symbol_addr, which may
 * know a vmlinux, is asked first, then the kernel's own table. False: there is no such symbol, or
 * several with different values, so that nothing tells which is meant. The table has names of data
 * only with CONFIG_KALLSYMS_ALL.
 */
bool nmibt_symbol_addr(struct nmibt_kernel *kernel, const char *name, uint64_t *ret);

/*
 * True: the code at addr is of those functions that only booting needs. Their memory is freed when
 * the kernel has booted, and has other contents since: arch/arm64/mm/init.c and
 * arch/x86/mm/init.c: free_initmem(), 6.1 to 7.2. False also where the symbols are not known.
 */
bool nmibt_is_init_text(struct nmibt_kernel *kernel, uint64_t addr);

/* True: symbols were looked for in the kernel's own table, and a part of it, *ret for instance,
 * can't be read: that a symbol was not found does not mean that the kernel lacks it. */
bool nmibt_symbols_are_lost(struct nmibt_kernel *kernel, uint64_t *ret);
/* Why there is no symbol called name. DAMAGED: symbols are lost. */
struct nmibt_error *nmibt_no_symbol(struct nmibt_kernel *kernel, const char *name);

/* As the callbacks in nmibt_image_ops; false also where the image has no such callback. */
bool nmibt_member_offset(struct nmibt_kernel *kernel, const char *type, const char *member,
			 size_t *ret);
bool nmibt_type_size(struct nmibt_kernel *kernel, const char *type, size_t *ret);

/*
 * The kernel's own table of symbols (without its modules'), in the memory of the image. VMCOREINFO
 * says where it is since 6.0. NOTHING where VMCOREINFO does not say it, DAMAGED where the table
 * can't be read. For lib/kernel, which opens it by nmibt_kernel_failure().
 */
struct nmibt_error *nmibt_kallsyms_open(struct nmibt_kernel *kernel, struct nmibt_kallsyms **ret);
void nmibt_kallsyms_close(struct nmibt_kallsyms *kallsyms); /* NULL is allowed */
bool nmibt_kallsyms_find(struct nmibt_kallsyms *kallsyms, uint64_t addr, struct nmibt_symbol *ret);
bool nmibt_kallsyms_addr(struct nmibt_kallsyms *kallsyms, const char *name, uint64_t *ret);
/* True: something that was looked for could not be read; *ret: a virtual address of it. */
bool nmibt_kallsyms_are_lost(const struct nmibt_kallsyms *kallsyms, uint64_t *ret);

/* ----------------------------------------------------------------------- log */

/* How many records are missing, by the reason. */
struct nmibt_log_missing {
	uint64_t excluded; /* in pages that the dump left out */
	uint64_t unreadable;
	uint64_t unfinished; /* reserved, and never committed */
	uint64_t lost; /* there was no room for their text */
	uint64_t damaged; /* fail their checks */
	/* The oldest since boot: newer ones have their room. Kernels before 5.10 do not number
	 * records: 1 stands for any number of them. */
	uint64_t overwritten;
	/* Of the others nobody knows how many: each count that is not 0 is the least. */
	bool may_be_more;
};

/* Who printed it is not known: kernels before 5.10 store it with PRINTK_CALLER alone. */
#define NMIBT_NO_CALLER UINT32_MAX

/*
 * The kernel's log, out of its printk ring buffer (5.10 and later) or the buffer of records
 * that was there before (3.6 to 5.9), where VMCOREINFO says that it is. A kernel that died
 * while it wrote leaves records unfinished.
 */
struct nmibt_log_record {
	/* The records that are missing between the record before and this one, in the log's
	 * order. The two are neighbours only where all counts are 0. */
	struct nmibt_log_missing missing_before;
	/* True: this is no record but the end of the log. Only missing_before is set: the records
	 * that are missing at the end. */
	bool is_end;
	uint64_t seq; /* 0 is the first since boot */
	uint64_t ts_ns; /* as printed before the text, of local_clock() */
	/* Thread's PID, or 0x80000000 + CPU outside of tasks, or NMIBT_NO_CALLER. */
	uint32_t caller_id;
	unsigned int level; /* 0-7 */
	unsigned int facility; /* 0: the kernel; as syslog(3) has them, shifted down */
	/* enum printk_info_flags of 5.10; where nobody knows the caller LOG_CONT is in what goes
	 * on with the record before, as the kernel's own readers have it. */
	unsigned int flags;
	/* [text, text + len) without level and time, not terminated; may hold any
	 * byte, newlines too. Borrowed until the next call. */
	const char *text;
	size_t len;
	size_t missing; /* how many bytes of text behind these can't be read */
	bool is_doubtful; /* of a text: it may be another CPU's */
	bool may_be_of_lockup; /* of a text: no trace that is being printed has this line */
};

/* The sum over all reasons. */
uint64_t nmibt_log_nr_missing(const struct nmibt_log_missing *missing);

struct nmibt_log;
/* kernel is borrowed. NOTHING where VMCOREINFO describes no such log, DAMAGED where it
 * can't be read. */
struct nmibt_error *nmibt_log_open(struct nmibt_kernel *kernel, struct nmibt_log **ret);
/* Reads the next record, the oldest first. False: there are no more, or the image's interrupted()
 * returned true. */
bool nmibt_log_next(struct nmibt_log *log, struct nmibt_log_record *ret);
/* True: nmibt_log_next() returned false because of interrupted(), so there may be more records. */
bool nmibt_log_is_interrupted(const struct nmibt_log *log);
/*
 * Where the next record is. nmibt_log_seek() leads another reader of the same log there; what is
 * missing before that place it does not count.
 */
struct nmibt_log_place {
	/* Of the next record: its ID in the ring; before 5.10 its offset in the buffer. */
	uint64_t next;
	uint64_t left; /* in the ring: records from there on */
	uint64_t text_left; /* in the ring: bytes of text that no record has claimed yet */
	uint64_t seq; /* before 5.10: of the next record, as those have no numbers of their own */
	unsigned int flags_before; /* before 5.10: of the record before */
	bool has_to_wrap; /* before 5.10: the newest records are at the beginning of the buffer */
	bool at_end; /* no record follows */
};
struct nmibt_log_place nmibt_log_tell(const struct nmibt_log *log);
void nmibt_log_seek(struct nmibt_log *log, const struct nmibt_log_place *place);
/* All records that nmibt_log_next() skipped so far. */
const struct nmibt_log_missing *nmibt_log_missing(const struct nmibt_log *log);
void nmibt_log_close(struct nmibt_log *log); /* NULL is allowed */

/* True: user space wrote the record to /dev/kmsg, so its text may look like anything. The kernel's
 * own records have facility 0, which it refuses to user space (kernel/printk/printk.c:
 * devkmsg_write(), 6.12). */
static inline bool nmibt_log_is_of_user(const struct nmibt_log_record *record)
{
	return record->facility;
}

/* ------------------------------------------------------------- per-CPU data */

/* The largest CONFIG_NR_CPUS of x86_64; arch/x86/Kconfig, NR_CPUS_RANGE_END, 6.12. */
#define NMIBT_MAX_CPUS 8192

struct nmibt_percpu {
	unsigned int nr; /* 1 to NMIBT_MAX_CPUS; CPUs are numbered from 0 to nr - 1 */
	bool *possible; /* nr flags; at least one is true */
	bool *online; /* nr flags; true: the CPU was online, and was not stopped since */
	uint64_t *offsets; /* nr; the number that is added to a per-CPU symbol's value */
	bool *known; /* nr flags; false: that CPU's offset can't be read */
	/* CPU numbers below nr, or -1: none, or not known. With panic_force_cpu= the CPU
	 * redirected_from began the panic and made panic_cpu continue it. */
	int panic_cpu, redirected_from;
	bool has_not_panicked; /* panic_cpu could be read, and is -1 */
	bool is_panic_cpu_lost; /* panic_cpu is there, and can't be read or is no CPU */
	uint64_t crash_notes; /* per-CPU pointer; 0: not known, or not allocated */
	/* What could not be read, and was not essential, as one line; empty: nothing. */
	char why[NMIBT_WHY_LEN];
};

/* NULL: nmibt_kernel_failure() returns the reason. NOTHING where a symbol is not known: the message
 * names it, and the file that would have it. DAMAGED where the CPU numbers can't be right. */
const struct nmibt_percpu *nmibt_kernel_percpu(struct nmibt_kernel *kernel);

/* For lib/kernel, which opens it by nmibt_kernel_failure(). */
struct nmibt_error *nmibt_percpu_open(struct nmibt_kernel *kernel, struct nmibt_percpu **ret);
void nmibt_percpu_close(struct nmibt_percpu *percpu); /* NULL is allowed */

/* *ret: the virtual address of cpu's copy of a per-CPU variable; variable is its symbol's value or
 * a per-CPU pointer. False: there is no such CPU, or its offset can't be read. */
bool nmibt_percpu_addr(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t variable,
		       uint64_t *ret);

/* Virtual address of cpu's crash note. False: not known. */
bool nmibt_percpu_note(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t *ret);

/* As nmibt_read_note(), for cpu's crash note, whose pages need not be contiguous in physical
 * memory. UNKNOWN where nmibt_percpu_note() returns false. */
enum nmibt_note nmibt_percpu_read_note(struct nmibt_kernel *kernel, unsigned int cpu,
				       struct nmibt_regs *ret, int *ret_pid);

/* As nmibt_read_note(), at a virtual address. DAMAGED also where the address is not mapped. */
enum nmibt_note nmibt_read_note_virtual(struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t size,
					struct nmibt_regs *ret, int *ret_pid);
/* Reads pr_reg and pr_pid from the description of a note NT_PRSTATUS. False: it is too short. */
bool nmibt_read_prstatus(enum nmibt_arch arch, const char *desc, size_t len, struct nmibt_regs *ret,
			 int *ret_pid);
/* Bytes of each CPU's entry in crash_notes; 0: not known. */
size_t nmibt_note_size(enum nmibt_arch arch);

/* ------------------------------------------------------------ virtual CPUs */

/* The registers of a guest's virtual CPUs at the moment of a hypervisor's dump. */
struct nmibt_vcpus {
	unsigned int nr; /* 1 to NMIBT_MAX_CPUS; virtual CPU i is the kernel's CPU i */
	struct nmibt_regs *regs; /* all are present */
	bool *is_real_mode; /* x86_64: so QEMU says of it; false also: not known */
};

/*
 * NULL: nmibt_kernel_failure() returns the reason. NOTHING where the dump has no notes of
 * registers, DAMAGED where nothing tells which of them belong to which virtual CPU. kdump writes
 * notes of its own, which look alike: the caller has to know that the kernel did not go to kdump.
 */
const struct nmibt_vcpus *nmibt_kernel_vcpus(struct nmibt_kernel *kernel);

/* For lib/kernel, which opens it by nmibt_kernel_failure(). */
struct nmibt_error *nmibt_vcpus_open(struct nmibt_kernel *kernel, struct nmibt_vcpus **ret);
void nmibt_vcpus_close(struct nmibt_vcpus *vcpus); /* NULL is allowed */

/* The task that cpu runs, by the kernel's own per-CPU variable. ret_comm has room for
 * NMI_CAPTURE_COMM_LEN bytes, untrusted, perhaps without a NUL; empty: not known. False: the task
 * is not known, mostly because the layout of struct task_struct is not. */
bool nmibt_current_task(struct nmibt_kernel *kernel, unsigned int cpu, int32_t *ret_pid,
			char *ret_comm);

/* ------------------------------------------------------ buffers of NMIs */

/*
 * The per-CPU buffers in which kernels 3.19 to 5.14 kept text that was printed in an NMI, until it
 * could go to the log: nmi_print_seq. Since 4.11 there is safe_print_seq, too, for text that
 * printk() itself printed. Their layout comes from the image's member_offset and type_size; it
 * does not follow from the kernel's version.
 */

enum nmibt_nmi_buffer {
	NMIBT_BUFFER_NMI, /* nmi_print_seq */
	NMIBT_BUFFER_SAFE, /* safe_print_seq */
	NMIBT_NR_BUFFERS,
};
/* The name of the buffer's symbol: "nmi_print_seq". */
const char *nmibt_nmi_buffer_name(enum nmibt_nmi_buffer buffer);

struct nmibt_nmi_buffers;

/* NULL: nmibt_kernel_failure() returns the reason. NOTHING where the kernel has no such buffer, or
 * where its layout is not known; DAMAGED where the layout makes no sense. */
const struct nmibt_nmi_buffers *nmibt_kernel_nmi_buffers(struct nmibt_kernel *kernel);

/* For lib/kernel, which opens it by nmibt_kernel_failure(). */
struct nmibt_error *nmibt_nmi_buffers_open(struct nmibt_kernel *kernel,
					   struct nmibt_nmi_buffers **ret);
void nmibt_nmi_buffers_close(struct nmibt_nmi_buffers *buffers); /* NULL is allowed */

bool nmibt_nmi_buffers_have(const struct nmibt_nmi_buffers *buffers, enum nmibt_nmi_buffer buffer);
/* The name of the structure of a buffer: "printk_safe_seq_buf". */
const char *nmibt_nmi_buffers_type(const struct nmibt_nmi_buffers *buffers);
/* *ret: how many messages found a buffer full, on all CPUs together. Kernels 4.7 to 4.10 count
 * them that way. False: the kernel counts them for each buffer, or the count can't be read. */
bool nmibt_nmi_buffers_all_lost(const struct nmibt_nmi_buffers *buffers, uint32_t *ret);

/*
 * One CPU's buffer. raw has three parts, one after the other:
 *   [0, published)      text that was printed and is not yet in the log,
 *   [published, text)   a torn tail: a message that was being formatted, or its beginning; the
 *                       rest of a longer, older text may follow it on the same line,
 *   [text, raw_len)     residue: the rest of older texts, which are in the log.
 * A flush sets the length to 0 and leaves the text where it was. So if nothing is published, all
 * of raw is residue; it may begin with a message that was being formatted, but nothing tells.
 */
struct nmibt_nmi_buffer_area {
	const char *name; /* nmibt_nmi_buffer_name() */
	uint64_t vaddr; /* virtual address of raw in the image */
	char *raw; /* raw_len bytes, the whole area for text; bytes that can't be read are 0 */
	bool *known; /* raw_len flags; false: that byte of raw can't be read */
	size_t raw_len;
	size_t published; /* <= text */
	size_t text; /* <= raw_len: hand [0, text) to nmibt_decode() */
	uint32_t lost_msgs; /* messages that found the buffer full */
	bool overflow; /* it is full: a last line without a newline is cut */
	/* The buffer's length or its count of lost messages is one that the kernel never
	 * writes. */
	bool damaged;
	/* Not OK: the length can't be read, so that all of raw counts as residue, or a part of
	 * raw can't be read. EXCLUDED where all that is missing was excluded. */
	enum nmibt_read status;
};

/* USAGE where there is no such buffer, NOTHING where the CPU is not known. What can't be read is no
 * error: *ret says it. The caller destroys *ret. */
struct nmibt_error *nmibt_nmi_buffer_read(struct nmibt_kernel *kernel, unsigned int cpu,
					  enum nmibt_nmi_buffer buffer,
					  struct nmibt_nmi_buffer_area *ret);
void nmibt_nmi_buffer_area_destroy(struct nmibt_nmi_buffer_area *area);

/*
 * The next piece of residue that begins at from or later: [*ret, *ret + *ret_len) of raw. The first
 * search begins at area->text. Each flush, and the text that was printed after it, leave one
 * piece. A piece is older than those before it, and every piece except one at 0 begins in the
 * middle of its text. Bytes that can't be read belong to no piece. False: there are no more.
 */
bool nmibt_nmi_buffer_residue(const struct nmibt_nmi_buffer_area *area, size_t from, size_t *ret,
			      size_t *ret_len);

/* ----------------------------------------------------------------- modules */

struct nmibt_module {
	uint64_t at; /* virtual address of its struct module */
	uint64_t start, size; /* of its code, [start, start + size) */
	char name[NMIBT_MODULE_LEN]; /* untrusted; empty: not known */
};

/* The module whose code is at addr. NULL: none is known. */
const struct nmibt_module *nmibt_module_at(struct nmibt_kernel *kernel, uint64_t addr);
/* The symbol at addr in the table of addr's module. False: not known. */
bool nmibt_module_symbol(struct nmibt_kernel *kernel, uint64_t addr, struct nmibt_symbol *ret);

/* True: something of the modules, *ret for instance, was looked for and can't be read: that nothing
 * was found does not mean that there is no module or symbol. */
bool nmibt_modules_are_lost(const struct nmibt_kernel *kernel, uint64_t *ret);

/* For lib/kernel/kernel.c only. NOTHING where the list or the layout is not known. */
struct nmibt_error *nmibt_modules_open(struct nmibt_kernel *kernel, struct nmibt_modules **ret);
void nmibt_modules_close(struct nmibt_modules *modules); /* NULL is allowed */

#endif /* NMIBT_KERNEL_H */
