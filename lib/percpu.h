/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in the memory of any kernel, patched or not: symbols by name, the CPUs,
 * and each CPU's own copy of a variable.
 */
#ifndef NMIBT_PERCPU_H
#define NMIBT_PERCPU_H

#include "internal.h"

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

#endif /* NMIBT_PERCPU_H */
