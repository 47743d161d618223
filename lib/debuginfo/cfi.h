/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows a stack in a dump by call frame information: the kernel's vmlinux describes how its
 * functions use the stack.
 */
#ifndef NMIBT_CFI_H
#define NMIBT_CFI_H

#include <libelf.h>

#include "debuginfo/debugfile.h"
#include "unwind/unwind.h"

/*
 * Unwinds any number of stacks. elf is that of file, the vmlinux; path is its name for messages.
 * offset is the number of bytes by which the kernel was moved from its addresses in the vmlinux.
 * file is borrowed until nmibt_cfi_close(). Fails with UNUSABLE where libdwfl can't unwind the
 * vmlinux's architecture.
 */
struct nmibt_cfi;
struct nmibt_error *nmibt_cfi_open(const struct nmibt_debugfile *file, Elf *elf, const char *path,
				   uint64_t offset, struct nmibt_cfi **ret);
void nmibt_cfi_close(struct nmibt_cfi *cfi); /* NULL is allowed */

/*
 * As nmibt_unwind(). Where there is no call frame information (assembler, modules, memory that
 * can't be read) arm64's stacks are followed by frame pointers. On x86_64 the stack ends there, and
 * also where the CPU changed to another stack.
 */
struct nmibt_error *nmibt_cfi_unwind(struct nmibt_cfi *cfi, struct nmibt_kernel *kernel,
				     const struct nmibt_regs *regs, struct nmibt_stack *ret);

/* As nmibt_caller_fn; arg is a struct nmibt_cfi. For x86_64 only. */
bool nmibt_cfi_caller(void *arg, struct nmibt_walk *walk, struct nmibt_regs *regs, bool is_return);

#endif /* NMIBT_CFI_H */
