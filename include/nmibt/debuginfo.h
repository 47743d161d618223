/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vmlinux and its modules' files have: file and line of each frame, inlined functions,
 * symbols and layouts of kernels that do not tell them. libnmibt-debuginfo.a has it, and
 * needs libnmibt.a, libdw and libelf.
 */
#ifndef NMIBT_PUBLIC_DEBUGINFO_H
#define NMIBT_PUBLIC_DEBUGINFO_H

#include <nmibt/nmibt.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Strings are borrowed until the input is closed. */
struct nmibt_debuginfo_options {
	size_t size; /* sizeof(struct nmibt_debuginfo_options) */
	const char *vmlinux; /* NULL: it is looked for, beside the dump and in debug_path */
	const char *debug_path; /* folders, colons between them; NULL: /usr/lib/debug */
	bool force; /* take vmlinux even if it is of another build */
	bool debuginfod; /* ask the servers in $DEBUGINFOD_URLS, too */
};

/* Does the input's kernel not say where its own symbols are (before 6.0), so that without its
 * vmlinux no variable of it can be found? */
bool nmibt_debuginfo_is_needed(struct nmibt_input *input);

struct nmibt_debuginfo;
/*
 * Attaches it to input, which owns it: reports that are opened from then on use it. At most
 * once for each input. Files are looked for when something is asked of them; a vmlinux that
 * is named is opened at once, and refused with UNUSABLE where it is of another build. USAGE
 * where input has debugging information already. options may be NULL.
 *
 * Unless options->debuginfod is set, DEBUGINFOD_URLS is taken out of the process's
 * environment, because libdw would ask the servers by itself.
 */
struct nmibt_error *nmibt_debuginfo_attach(struct nmibt_input *input,
					   const struct nmibt_debuginfo_options *options,
					   struct nmibt_debuginfo **ret);
/* What was not found so far, or is wrong with it: a printable line each. NULL: there are
 * no more. */
const char *nmibt_debuginfo_complaint(const struct nmibt_debuginfo *info, unsigned int i);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* NMIBT_PUBLIC_DEBUGINFO_H */
