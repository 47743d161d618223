/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a report as a description, from which testdumps/mkdump makes a dump. Everything that may
 * identify the machine is removed.
 */
#ifndef NMIBT_DESCRIBE_H
#define NMIBT_DESCRIBE_H

#include "render/render.h"

/* Writes a redacted line of the kernel to a description: the text behind "| ", without newline.
 * Returns the kind that the line was recognised as. */
enum nmibt_print nmibt_redact_line(enum nmibt_arch arch, FILE *out, struct nmibt_str line);
/* Writes what panic() was given, redacted, in the same form. */
void nmibt_redact_panic(FILE *out, struct nmibt_str words);
/* sp, or another stack pointer if a description can't have this one. Two on the same stack stay on
 * the same stack. */
uint64_t nmibt_describe_sp(enum nmibt_arch arch, uint64_t sp);
/* Writes comm if it is the name of a kernel thread, otherwise a name made from the PID. */
void nmibt_redact_comm(FILE *out, struct nmibt_str comm, int32_t pid);
/* True: a description can have a function of this name. */
bool nmibt_is_describable(struct nmibt_str name);

/* Writes the block "log": the part of the kernel's log that the report uses. */
struct nmibt_error *nmibt_describe_log(struct renderer *r);
/* Writes the blocks of all CPUs. */
struct nmibt_error *nmibt_describe_cpus(struct renderer *r);

#endif /* NMIBT_DESCRIBE_H */
