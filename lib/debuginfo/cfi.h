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
 * from its addresses there. elf and memory are borrowed until nmibt_unwinder_close().
 * Fails with UNUSABLE where libdwfl can't unwind the vmlinux's architecture.
 */
struct nmibt_unwinder;
struct nmibt_error *nmibt_unwinder_open(Elf *elf, const char *path, uint64_t offset,
					struct nmibt_unwinder **ret);
void nmibt_unwinder_close(struct nmibt_unwinder *unwinder); /* NULL is allowed */

/*
 * As nmibt_framewalk(). Where call frame information does not lead on (assembler, modules,
 * memory that can't be read) arm64's frames are followed by frame pointers; on x86_64 that
 * is the end, as is a change of stacks.
 */
struct nmibt_error *nmibt_unwind(struct nmibt_unwinder *unwinder, const struct nmibt_image *image,
				 struct nmibt_virtual *memory, struct nmibt_symbols *symbols,
				 const struct nmibt_regs *regs, nmibt_walked_fn visit, void *arg);

/* As nmibt_caller_fn; arg is a struct nmibt_unwinder. On x86_64 only. */
bool nmibt_unwind_caller(void *arg, struct nmibt_walk *walk, struct nmibt_regs *regs,
			 bool is_return);

#endif /* NMIBT_CFI_H */
