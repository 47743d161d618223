/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report as a description that testdumps/mkdump makes a dump of, with what may tell
 * whose machine it was taken out.
 */
#ifndef NMIBT_DESCRIBE_H
#define NMIBT_DESCRIBE_H

#include "render/render.h"

/* What the line of a kernel becomes in a description, behind "| ", without newline. Returns
 * what was recognised. */
enum nmibt_print nmibt_redact_line(enum nmibt_arch arch, FILE *out, struct nmibt_str line);
/* A stack pointer where a description can have it; two on one stack stay so. */
uint64_t nmibt_describe_sp(enum nmibt_arch arch, uint64_t sp);
/* The name of a thread of the kernel itself, or one made of its PID. */
void nmibt_redact_comm(FILE *out, struct nmibt_str comm, int32_t pid);
/* Can a description have a function of this name? */
bool nmibt_is_describable(struct nmibt_str name);

/* The block "log" of what the report used of the kernel's log. */
struct nmibt_error *nmibt_describe_log(struct renderer *r);
/* The blocks of all CPUs. */
struct nmibt_error *nmibt_describe_cpus(struct renderer *r);

#endif /* NMIBT_DESCRIBE_H */
