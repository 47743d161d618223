/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of a stack in the image's memory, from the registers that a CPU was
 * stopped with, by what the kernel itself has there for that: no vmlinux is needed.
 */
#ifndef NMIBT_FRAMEWALK_H
#define NMIBT_FRAMEWALK_H

#include "internal.h"

/*
 * arm64: by frame pointers, which kernels are always built with. x86_64: by the kernel's
 * ORC tables, which it has since 4.14, unless it was built for another unwinder; those
 * of modules only where the image knows the layout of struct module.
 *
 * All are borrowed until nmibt_framewalk_close(). symbols may be NULL: then there is no
 * way on x86_64, and on arm64 less is reliable. Fails with NOTHING where there is no way,
 * DAMAGED where the tables make no sense.
 */
struct nmibt_framewalk;
struct nmibt_error *nmibt_framewalk_open(const struct nmibt_image *image,
					 struct nmibt_virtual *memory,
					 struct nmibt_symbols *symbols,
					 struct nmibt_framewalk **ret);
void nmibt_framewalk_close(struct nmibt_framewalk *framewalk); /* NULL is allowed */

/*
 * At most 128 frames. Where memory can't be read, or makes no sense, it ends with what
 * it has. Fails with NOTHING, before any frame, for registers of user mode or none at
 * all.
 */
struct nmibt_error *nmibt_framewalk(struct nmibt_framewalk *framewalk,
				    const struct nmibt_regs *regs, nmibt_walked_fn visit,
				    void *arg);

#endif /* NMIBT_FRAMEWALK_H */
