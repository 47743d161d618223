/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual memory as a part of the kernel, for lib/kernel/kernel.c only. */
#ifndef NMIBT_MEMORY_H
#define NMIBT_MEMORY_H

#include "kernel/kernel.h"

struct nmibt_memory;
/*
 * Where VMCOREINFO does not have phys_base, as in x86_64 before 4.10, adds what the dump's headers
 * say, or 0, which it is without KASLR; but only if page tables are there that lead back to
 * themselves.
 */
void nmibt_find_phys_base(struct nmibt_kernel *kernel);
/* kernel is borrowed. Fails with NOTHING where the image has neither page tables nor callbacks that
 * translate or read virtual addresses. */
struct nmibt_error *nmibt_memory_open(struct nmibt_kernel *kernel, struct nmibt_memory **ret);
void nmibt_memory_close(struct nmibt_memory *memory); /* NULL is allowed */

#endif /* NMIBT_MEMORY_H */
