/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the evidence of the sources to what became of each CPU.
 */
#ifndef NMIBT_REPORT_H
#define NMIBT_REPORT_H

#include "source/source.h"

/* Was it looked into, and may it be used? */
bool nmibt_is_source_tried(const struct nmibt_report *report, enum nmibt_source source);

/* "no answer in 500 ms", for CPUs that were asked. */
void nmibt_format_no_answer(const struct nmi_capture_desc *desc, char *buf, size_t len);

enum nmibt_moved nmibt_compare_regs(struct nmibt_symbols *symbols, const struct nmibt_cpu *cpu);
/* As nmibt_compare_regs(), by what the text of a backtrace says of the registers. */
struct nmibt_backtrace;
enum nmibt_moved nmibt_compare_text(struct nmibt_symbols *symbols, const struct nmibt_cpu *cpu,
				    const struct nmibt_backtrace *backtrace);

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

/*
 * What kernels without the capture leave of their CPUs: per-CPU buffers of NMIs, the
 * log, saved registers.
 */

struct nmibt_stock {
	const struct nmibt_image *image;
	struct nmibt_symbols *symbols;
	struct nmibt_virtual *memory; /* NULL: virtual addresses can't be read */
	struct nmibt_percpu *percpu; /* NULL: per-CPU data can't be found */
	struct nmibt_legacy *legacy; /* NULL: there are no such buffers */
	struct nmibt_framewalk *framewalk; /* NULL: not needed yet, or there is no way */
	bool framewalk_tried;
	struct nmibt_blocks *blocks; /* NULL: the log can't be read */
	struct nmibt_log_missing missing; /* of the log */
	bool has_kdumped; /* VMCOREINFO says that the kernel went to kdump */
	struct nmibt_complaints *complaints; /* of the log */
	char *panic_message; /* in the log; NULL: none */
};

/* Reads the log and, where per_cpu wants it, finds the per-CPU data; what came of each is
 * said in sources. image and symbols are borrowed for the life of *ret. */
struct nmibt_error *nmibt_stock_open(const struct nmibt_image *image, struct nmibt_symbols *symbols,
				     bool per_cpu, unsigned int nr_cpus,
				     struct nmibt_source_state *sources, struct nmibt_stock **ret);
void nmibt_stock_close(struct nmibt_stock *stock); /* NULL is allowed */

/* CPUs have numbers below it; 0: nothing tells of any. */
unsigned int nmibt_stock_nr_cpus(const struct nmibt_stock *stock);
bool nmibt_stock_is_possible(const struct nmibt_stock *stock, unsigned int cpu);
/* NMI_CAPTURE_NO_CPU: none, or unknown. */
uint32_t nmibt_stock_panic_cpu(const struct nmibt_stock *stock);

/*
 * What there is of cpu->cpu, best first: 0 is what stands for it, from 1 on what is older,
 * marked stale. *ret_found is false where there is no such one, and of 0 cpu is filled in
 * all the same. wish: AUTO, or the only source that is asked.
 */
struct nmibt_error *nmibt_stock_read(struct nmibt_stock *stock, enum nmibt_source wish,
				     unsigned int nth, struct nmibt_cpu *cpu, bool *ret_found);

/* The text that the log has of a CPU whose slot has none. */
struct nmibt_error *nmibt_stock_read_log(const struct nmibt_stock *stock, struct nmibt_cpu *cpu);

#endif /* NMIBT_REPORT_H */
