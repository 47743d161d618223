/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the unwinder that differs between architectures. Each architecture has its own file,
 * and a row in the table in unwind.c.
 */
#ifndef NMIBT_UNWIND_ARCH_H
#define NMIBT_UNWIND_ARCH_H

#include "unwind/unwind.h"

struct nmibt_unwind_arch {
	enum nmibt_arch arch;
	/* Were these registers saved in user mode, or with interrupts masked? They are present. */
	bool (*is_user_mode)(const struct nmibt_regs *regs);
	/* False: not known. */
	bool (*knows_irqs_off)(const struct nmibt_regs *regs, bool *ret);
	/* Can the kernel have code at addr? The function does not check what is mapped there. */
	bool (*may_be_code)(uint64_t addr);
	/* The minimum number of bytes of a call instruction, which precedes its return address. */
	unsigned int call_size;
	/* nmibt_find_leaf_caller(), *ret: a return address. NULL: callers are always in memory. */
	bool (*leaf_caller)(struct nmibt_walk *walk, const struct nmibt_regs *regs, uint64_t start,
			    uint64_t *ret);
	/* The beginning of the names of functions that enter the kernel from user mode, if their
	 * frames end a stack like any other outermost frame. NULL: walk() itself ends such a stack
	 * with NMIBT_END_USER. */
	const char *user_entry;
	/* Reads tables that all stacks need, as nmibt_unwinder_open(); NULL: there are none. */
	struct nmibt_error *(*open)(struct nmibt_kernel *kernel, void **ret);
	void (*close)(void *tables); /* NULL: as open */
	/* Adds all frames; the first one is that of regs, which are of kernel mode. tables is
	 * what open() returned. */
	void (*walk)(void *tables, struct nmibt_walk *walk, const struct nmibt_regs *regs);
};

extern const struct nmibt_unwind_arch nmibt_unwind_x86_64, nmibt_unwind_arm64;

#endif /* NMIBT_UNWIND_ARCH_H */
