/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the library's files share: checked reads, cleanup, overflow-safe sums.
 */
#ifndef NMIBT_INTERNAL_H
#define NMIBT_INTERNAL_H

#include <stdlib.h>
#include <string.h>

#include <nmibt/nmibt.h>

/* The kernel's own limit is 1 MiB; a later one may be more generous, but a damaged
 * size must not make each CPU cost a second. */
#define MAX_SLOT_SIZE (4 << 20)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void nmibt_free_ptr(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ __attribute__((cleanup(nmibt_free_ptr)))

/* An out-of-memory error that needs no memory; nmibt_error_destroy() knows it. */
struct nmibt_error *nmibt_error_nomem(void) __attribute__((returns_nonnull));

/* Adds a reason to a line of NMIBT_WHY_LEN bytes, behind "; ", printable as an
 * error message is; the first ones stay where they don't all fit. */
void nmibt_because(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a read of several pages came to, in bytes. */
struct nmibt_run {
	size_t excluded;
	size_t failed;
};

/*
 * Reads len bytes of physical memory page by page, so that a page that can't
 * be read costs only itself: its bytes are 0 in buf and false in known, which
 * may be NULL.
 */
struct nmibt_run nmibt_read_pages(const struct nmibt_image *image, uint64_t paddr, void *buf,
				  size_t len, bool *known);

/* All or nothing: EXCLUDED when nothing worse than exclusion happened. */
enum nmibt_read nmibt_read_phys(const struct nmibt_image *image, uint64_t paddr, void *buf,
				size_t len);

bool nmibt_interrupted(const struct nmibt_image *image);

static inline const char *nmibt_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "no answer in 500 ms", for CPUs that were asked. */
void nmibt_format_no_answer(const struct nmi_capture_desc *desc, char *buf, size_t len);

/* In the words of an error message. */
const char *nmibt_read_name(enum nmibt_read status);

/* The value behind KEY= in text, which the caller frees; NULL: none. */
char *nmibt_vmcoreinfo_line(const char *text, const char *key);

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

/*
 * Writes len bytes so that no control character, no invalid UTF-8 and no
 * bidirectional override reaches out raw: they become \xNN, a backslash
 * becomes \\. Tabs stay when tabs is true.
 */
void nmibt_escape(FILE *out, const char *s, size_t len, bool tabs);

/* Bytes of all but printable ASCII as \n, \xNN; for -r. */
void nmibt_escape_raw(FILE *out, const char *s, size_t len);

/* Function names are compared without what compilers append: .isra.0, .cold. */
size_t nmibt_function_len(struct nmibt_str name);

/* Is frame i one of the chain of functions: reliable, and not said twice? */
bool nmibt_is_in_chain(const struct nmibt_frame *frames, size_t i);

/* Was it looked into, and may it be used? */
bool nmibt_is_source_tried(const struct nmibt_report *report, enum nmibt_source source);

/* Fills in cpu from its slot of the capture; what is damaged is said there. */
struct nmibt_error *nmibt_read_slot(const struct nmibt_report *report, struct nmibt_cpu *cpu);
/* Where all slots agree that the descriptor is wrong; it is said in capture->damage. */
void nmibt_mend_capture(const struct nmibt_image *image, struct nmibt_capture *capture);

enum nmibt_moved nmibt_compare_regs(struct nmibt_symbols *symbols, const struct nmibt_cpu *cpu);
/* As nmibt_compare_regs(), by what the text of a backtrace says of the registers. */
struct nmibt_facts;
enum nmibt_moved nmibt_compare_text(struct nmibt_symbols *symbols, const struct nmibt_cpu *cpu,
				    const struct nmibt_facts *facts);

/* As nmibt_trace(), of the lines that stand for frames that nmibt has unwound itself:
 * without the functions' sizes. */
struct nmibt_error *nmibt_trace_unwound(const struct nmibt_text *text, struct nmibt_frame **ret,
					size_t *ret_nr);

uint64_t nmibt_stack_hash(const struct nmibt_frame *frames, size_t nr);

/* Interrupts off, and in the same place at the NMI and at the stop. */
bool nmibt_is_stuck(const struct nmibt_cpu_brief *brief);

/* What a CPU waits for, by the function that it waits in. */
struct nmibt_wait {
	enum nmibt_wait_kind kind;
	const char *function;
	uint64_t lock; /* virtual address; 0: unknown */
	uint32_t word; /* of the lock, in memory */
	const char *reg; /* which holds the address */
};

/* False: none of the innermost functions waits for another CPU. The lock is not looked for. */
bool nmibt_is_waiting(const struct nmibt_frame *frames, size_t nr, struct nmibt_wait *ret);

/* Sets lock, word and reg, if exactly one address in regs is of a spin lock that is
 * held and that others wait for. */
void nmibt_find_lock(const struct nmibt_report *report, struct nmibt_virtual *memory,
		     const struct nmibt_regs *regs, struct nmibt_wait *wait);

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

/* What the log complains of; of each kind one. */
#define NMIBT_MAX_COMPLAINTS 4
struct nmibt_complaints {
	unsigned int nr_cpus;
	struct nmibt_complaint {
		unsigned int count; /* 0: there is none of this kind */
		uint64_t ts_ns; /* of the last one */
		char text[NMIBT_WHY_LEN]; /* its first line, printable */
		bool *cpus; /* nr_cpus, that any of them names */
	} kinds[NMIBT_MAX_COMPLAINTS];
	struct nmibt_complaint *stall; /* the records that follow are its CPUs */
};

struct nmibt_error *nmibt_complaints_new(unsigned int nr_cpus, struct nmibt_complaints **ret);
/* ctx is a struct nmibt_complaints. */
void nmibt_complaints_visit(void *ctx, const struct nmibt_log_record *record);
void nmibt_complaints_destroy(struct nmibt_complaints *complaints); /* NULL is allowed */

#endif /* NMIBT_INTERNAL_H */
