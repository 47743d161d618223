/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump of any format: finds the back end for it.
 */
#ifndef NMIBT_VMCORE_H
#define NMIBT_VMCORE_H

#include "image/image.h"

#include "debuginfo/debuginfo.h"

struct nmibt_vmcore;

/* paths: the parts of a split dump, or one file. */
struct nmibt_error *nmibt_vmcore_open(unsigned int nr, char *const *paths,
				      struct nmibt_vmcore **ret);
/* image borrows from vmcore and is valid until nmibt_vmcore_close(). */
void nmibt_vmcore_image(struct nmibt_vmcore *vmcore, struct nmibt_image *ret);
/* Whether the dump's kernel does not say where its own symbols are (before 6.0), so that
 * without its vmlinux no variable of it can be found. */
bool nmibt_vmcore_needs_vmlinux(const struct nmibt_vmcore *vmcore);
/* What a vmlinux has, from then on: symbols, layouts, file and line of each frame. At
 * most once. */
struct nmibt_error *nmibt_vmcore_use_debuginfo(struct nmibt_vmcore *vmcore,
					       const struct nmibt_debuginfo_options *options);
/* As nmibt_debuginfo_complaint(). */
const char *nmibt_vmcore_complaint(const struct nmibt_vmcore *vmcore, unsigned int i);
void nmibt_vmcore_close(struct nmibt_vmcore *vmcore); /* NULL is allowed */

/* What is to be said of the dump beside what is found in it, a line of text:
 * that it was cut, or left incomplete. NULL: nothing. That a library is missing which its
 * pages need is known when pages were read. */
const char *nmibt_vmcore_remark(const struct nmibt_vmcore *vmcore);

#endif /* NMIBT_VMCORE_H */
