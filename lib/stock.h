/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kernels without the capture leave of their CPUs: per-CPU buffers of NMIs, the
 * log, saved registers.
 */
#ifndef NMIBT_STOCK_H
#define NMIBT_STOCK_H

#include "blocks.h"
#include "framewalk.h"
#include "legacy.h"

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

#endif /* NMIBT_STOCK_H */
