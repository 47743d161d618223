/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of a stack in a dump, by what the kernel's vmlinux says of how its
 * functions use the stack (call frame information).
 */
#ifndef NMIBT_CFI_H
#define NMIBT_CFI_H

#include <libelf.h>

#include "unwind/unwind.h"

/*
 * Unwinds any number of stacks. elf is the vmlinux, path its name for messages; what
 * belongs to it is looked for as libdwfl does. offset is how far the kernel was moved
 * from its addresses there. elf is borrowed until nmibt_cfi_close().
 * Fails with UNUSABLE where libdwfl can't unwind the vmlinux's architecture.
 */
struct nmibt_cfi;
struct nmibt_error *nmibt_cfi_open(Elf *elf, const char *path, uint64_t offset,
				   struct nmibt_cfi **ret);
void nmibt_cfi_close(struct nmibt_cfi *cfi); /* NULL is allowed */

/*
 * As nmibt_unwind(). Where call frame information does not lead on (assembler, modules,
 * memory that can't be read) arm64's frames are followed by frame pointers; on x86_64 that
 * is the end, as is a change of stacks.
 */
struct nmibt_error *nmibt_cfi_unwind(struct nmibt_cfi *cfi, struct nmibt_kernel *kernel,
				     const struct nmibt_regs *regs, struct nmibt_stack *ret);

/* As nmibt_caller_fn; arg is a struct nmibt_cfi. On x86_64 only. */
bool nmibt_cfi_caller(void *arg, struct nmibt_walk *walk, struct nmibt_regs *regs, bool is_return);

#endif /* NMIBT_CFI_H */
