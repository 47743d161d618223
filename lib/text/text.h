/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every form that a kernel prints: lines, frames, and what they say of a CPU.
 */
#ifndef NMIBT_TEXT_H
#define NMIBT_TEXT_H

#include "kernel/kernel.h"

/* Function names are compared without what compilers append: .isra.0, .cold. */
size_t nmibt_function_len(struct nmibt_str name);

/* Is frame i one of the chain of functions: reliable, and not said twice? */
bool nmibt_is_in_chain(const struct nmibt_frame *frames, size_t i);

/* As nmibt_trace(), of the lines that stand for frames that nmibt has unwound itself:
 * without the functions' sizes. */
struct nmibt_error *nmibt_trace_unwound(const struct nmibt_text *text, struct nmibt_stack *ret);

/* "IRQ", as in the kernel's mark <IRQ>; TASK for what is none of them. */
enum nmibt_stack_kind nmibt_stack_kind_of(struct nmibt_str name);
const char *nmibt_stack_kind_name(enum nmibt_stack_kind kind);

uint64_t nmibt_stack_hash(const struct nmibt_frame *frames, size_t nr);

/* What the text of a backtrace says of its CPU beside the frames. */
struct nmibt_facts {
	bool has_task;
	int32_t pid;
	char comm[NMI_CAPTURE_COMM_LEN]; /* may lack a NUL */
	uint32_t flags; /* NMI_CAPTURE_SLOT_F_IDLE, _USER, _IRQS_OFF */
	bool has_sp;
	uint64_t sp;
};
void nmibt_read_facts(enum nmibt_arch arch, const struct nmibt_text *text, struct nmibt_facts *ret);

#endif /* NMIBT_TEXT_H */
