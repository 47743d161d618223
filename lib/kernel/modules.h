/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules as a part of the kernel: nmibt_kernel_failure() opens them. */
#ifndef NMIBT_MODULES_H
#define NMIBT_MODULES_H

#include "kernel/kernel.h"

struct nmibt_module {
	uint64_t at; /* virtual address of its struct module */
	uint64_t start, size; /* of its code, [start, start + size) */
	char name[NMIBT_MODULE_LEN]; /* untrusted; empty: not known */
};

/* The one whose code is at addr. NULL: none is known. */
const struct nmibt_module *nmibt_module_at(struct nmibt_kernel *kernel, uint64_t addr);
/* By the module's own table of symbols. False: not known. */
bool nmibt_module_symbol(struct nmibt_kernel *kernel, uint64_t addr, struct nmibt_symbol *ret);

/* For lib/kernel/kernel.c alone. NOTHING where nobody knows the list or the layout. */
struct nmibt_error *nmibt_modules_open(struct nmibt_kernel *kernel, struct nmibt_modules **ret);
void nmibt_modules_close(struct nmibt_modules *modules); /* NULL is allowed */

#endif /* NMIBT_MODULES_H */
