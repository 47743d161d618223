/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debugging information of a vmlinux and of its modules' files: file and line of each frame,
 * inlined functions, and the symbols and layouts of kernels that do not describe their own. It
 * is in libnmibt-debuginfo.a, which needs libnmibt.a, libdw and libelf.
 */
#ifndef NMIBT_PUBLIC_DEBUGINFO_H
#define NMIBT_PUBLIC_DEBUGINFO_H

#include <nmibt/nmibt.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What a search for a file goes by. Strings are NULL where they are not known. They may come from
 * the dump, so a search takes only those that are plain names, of letters, digits and "._+~-". */
struct nmibt_debuginfo_wanted {
	size_t size; /* sizeof(struct nmibt_debuginfo_wanted) */
	const char *build_id; /* in hex; of the kernel, or of the file of split_off */
	const char *release; /* of the kernel */
	const char *module; /* search for the file of this module; NULL: for the vmlinux */
	/* Search for the debugging information that was split off a file; link is its name by
	 * .gnu_debuglink. */
	bool split_off;
	const char *link;
	const char *module_build_id; /* in hex; of module, where a text has it */
};

/* Receives an open file, which it closes, and its path. True: the file is the right one, and the
 * search ends. */
typedef bool (*nmibt_debuginfo_file_fn)(void *arg, int fd, const char *path);

/* Strings, and what ctx points to, are borrowed until the input is closed. */
struct nmibt_debuginfo_options {
	size_t size; /* sizeof(struct nmibt_debuginfo_options) */
	const char *vmlinux; /* NULL: search for it beside the dump and in debug_path */
	const char *debug_path; /* folders, separated by colons; NULL: /usr/lib/debug */
	bool force; /* use vmlinux even if it is of another build */
	bool debuginfod; /* also ask the servers in $DEBUGINFOD_URLS */
	/* The descriptor of vmlinux, which may be closed after the call. NULL: it is opened. */
	const int *vmlinux_fd;
	/* As nmibt_debuginfo_search(), which is used where it is NULL. It is for a program that
	 * can't open files itself and asks another one. */
	struct nmibt_error *(*search)(void *ctx, const struct nmibt_debuginfo_wanted *wanted,
				      nmibt_debuginfo_file_fn visit, void *arg);
	void *ctx; /* for search */
	/* Of an input that has the logs of several crashes: the one whose kernel is wanted, counted
	 * from 1. 0: the default one. */
	unsigned int crash;
};

/*
 * Opens files that may be the wanted one, beside the dump at the path dump and in the folders that
 * options name, until visit takes one. NOTHING where it takes none: the message says where the
 * files were looked for. Of options only vmlinux, debug_path and debuginfod are used.
 */
struct nmibt_error *nmibt_debuginfo_search(const struct nmibt_debuginfo_options *options,
					   const char *dump,
					   const struct nmibt_debuginfo_wanted *wanted,
					   nmibt_debuginfo_file_fn visit, void *arg);

/* True: the kernel in the input does not say where its symbols are (before 6.0), so that its
 * variables can only be found with its vmlinux. */
bool nmibt_debuginfo_is_needed(struct nmibt_input *input);

struct nmibt_debuginfo;
/*
 * Attaches debugging information to input, which owns *ret; reports that are opened later use it.
 * Allowed once for each input: USAGE where input has debugging information already. Files are
 * searched for when they are first needed. A vmlinux that options name is opened at once: UNUSABLE
 * where it can't be read or is of another build. options may be NULL.
 *
 * Unless options->debuginfod is set, the call removes DEBUGINFOD_URLS from the process's
 * environment, because libdw would ask the servers by itself.
 */
struct nmibt_error *nmibt_debuginfo_attach(struct nmibt_input *input,
					   const struct nmibt_debuginfo_options *options,
					   struct nmibt_debuginfo **ret);
/* Complaint i, counted from 0, about files that were not found so far, or that are wrong: a
 * printable line. NULL: there are no more. */
const char *nmibt_debuginfo_complaint(const struct nmibt_debuginfo *info, unsigned int i);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* NMIBT_PUBLIC_DEBUGINFO_H */
