/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an architecture adds to the walk. Each has a file of its own, and a row in the table
 * in unwind.c.
 */
#ifndef NMIBT_UNWIND_ARCH_H
#define NMIBT_UNWIND_ARCH_H

#include "unwind/unwind.h"

struct nmibt_unwind_arch {
	enum nmibt_arch arch;
	/* Of registers that are present: were they of user mode, or with interrupts masked? */
	bool (*is_user_mode)(const struct nmibt_regs *regs);
	bool (*has_irqs_off)(const struct nmibt_regs *regs);
	/* May the kernel have code at addr? Whether something is mapped there is not asked. */
	bool (*may_be_code)(uint64_t addr);
	/* A call has at least so many bytes, which stand before the return address. */
	unsigned int call_size;
	/* With what the names of functions begin that are entered from user mode and end a
	 * stack as any other outermost one does; NULL: the walk itself tells them apart. */
	const char *user_entry;
	/* What is needed once for all stacks, as nmibt_unwinder_open(); NULL: nothing. */
	struct nmibt_error *(*open)(struct nmibt_kernel *kernel, void **ret);
	void (*close)(void *tables); /* NULL: as open */
	/* Adds the frames, of regs of kernel mode first. tables is what open made. */
	void (*walk)(void *tables, struct nmibt_walk *walk, const struct nmibt_regs *regs);
};

extern const struct nmibt_unwind_arch nmibt_unwind_x86_64, nmibt_unwind_arm64;

#endif /* NMIBT_UNWIND_ARCH_H */
