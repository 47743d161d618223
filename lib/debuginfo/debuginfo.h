/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and lines of the dump's kernel and of its modules, out of the files with
 * debugging information that belong to them. Files are looked for when something is
 * asked of them, and taken only if they are of the dump's build.
 */
#ifndef NMIBT_DEBUGINFO_H
#define NMIBT_DEBUGINFO_H

#include "kernel/kernel.h"

struct nmibt_debuginfo;

#define NMIBT_DEBUG_PATH "/usr/lib/debug"

struct nmibt_debuginfo_options {
	const char *vmlinux; /* NULL: look for it */
	const char *debug_path; /* folders, colons between them; NULL: NMIBT_DEBUG_PATH */
	const char *vmcore; /* beside it may lie what belongs to it */
	bool force; /* take vmlinux even if it is of another build */
	bool debuginfod; /* ask the servers in $DEBUGINFOD_URLS, too */
};

/* kernel is borrowed for the call, the options' strings until nmibt_debuginfo_close(). A vmlinux that is
 * named is opened at once, and refused with UNUSABLE if it is of another build, which is told by
 * its build-id, or, where that says no, by the banner in the kernel's memory. */
struct nmibt_error *nmibt_debuginfo_open(struct nmibt_kernel *kernel,
					 const struct nmibt_debuginfo_options *options,
					 struct nmibt_debuginfo **ret);
void nmibt_debuginfo_close(struct nmibt_debuginfo *info); /* NULL is allowed */

/* As nmibt_image_ops has them. */
bool nmibt_debuginfo_find_places(struct nmibt_debuginfo *info, const struct nmibt_location *at,
				 nmibt_place_fn visit, void *arg);
bool nmibt_debuginfo_symbolize(struct nmibt_debuginfo *info, uint64_t addr, char *buf, size_t len);
/* The kernel's own, not its modules'. */
bool nmibt_debuginfo_symbol_addr(struct nmibt_debuginfo *info, const char *name, uint64_t *ret);
bool nmibt_debuginfo_type_size(struct nmibt_debuginfo *info, const char *type, size_t *ret);
bool nmibt_debuginfo_member_offset(struct nmibt_debuginfo *info, const char *type,
				   const char *member, size_t *ret);

/*
 * The frames of the stack that regs stand on, by the vmlinux, or without one by what the
 * kernel itself left on it: see unwind.h, cfi.h. kernel is that of the image, always
 * the same one, and borrowed until nmibt_debuginfo_close(). Fails with NOTHING where there
 * are no registers, or no way to follow a stack.
 */
struct nmibt_error *nmibt_debuginfo_unwind(struct nmibt_debuginfo *info,
					   struct nmibt_kernel *kernel,
					   const struct nmibt_regs *regs, struct nmibt_stack *ret);

/* What was not found so far, or is wrong with it: a line of text each, without a
 * newline. NULL: there are no more. */
const char *nmibt_debuginfo_complaint(const struct nmibt_debuginfo *info, unsigned int i);

#endif /* NMIBT_DEBUGINFO_H */
