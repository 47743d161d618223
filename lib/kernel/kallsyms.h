/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in the kernel's own table of symbols, for kallsyms.c. */
#ifndef NMIBT_KALLSYMS_H
#define NMIBT_KALLSYMS_H

#include "kernel/kernel.h"

/* Names are tables of their own: symbol i of nr has name i. */
struct nmibt_names;

/* The tables that names are made of, by their physical addresses. */
struct nmibt_names_tables {
	uint32_t nr;
	uint64_t names, token_table, token_index;
	uint64_t end_of_offsets; /* the table of names in their order may begin there */
};

/* image is borrowed. */
struct nmibt_error *nmibt_names_open(const struct nmibt_image *image,
				     const struct nmibt_names_tables *tables,
				     struct nmibt_names **ret);
void nmibt_names_close(struct nmibt_names *names); /* NULL is allowed */

/* Writes the type's letter and the name of symbol i to ret. False: it can't be read. */
bool nmibt_names_get(struct nmibt_names *names, uint32_t i, char ret[NMIBT_SYMBOL_LEN]);

/* True: names were looked for and can't be read. *ret: the first byte, behind that of the first
 * name, that can't. */
bool nmibt_names_are_lost(const struct nmibt_names *names, uint64_t *ret);

/* Called for a symbol; false: no other one is wanted. */
typedef bool (*nmibt_names_visit)(void *ctx, uint32_t i);
/* Visits each symbol that is called name, some of them perhaps twice. False: there may be others,
 * because a part of the names can't be read, or visit() wanted no more. */
bool nmibt_names_find(struct nmibt_names *names, const char *name, nmibt_names_visit visit,
		      void *ctx);

#endif /* NMIBT_KALLSYMS_H */
