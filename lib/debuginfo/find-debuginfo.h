/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Searches for files with debugging information. The caller has to check whether a file is of the
 * right build.
 */
#ifndef NMIBT_FIND_DEBUGINFO_H
#define NMIBT_FIND_DEBUGINFO_H

#include <stdbool.h>

#define NMIBT_DEBUG_PATH "/usr/lib/debug"

/* What is known of the kernel. Strings are NULL where they are not known, or where they have
 * characters that no release or build-id has: a hostile dump could name any path. */
struct nmibt_wanted {
	const char *folder; /* of the dump */
	const char *debug_path; /* folders like /usr/lib/debug, with colons between them */
	const char *release;
	const char *build_id; /* hex */
};

/* Receives the path of a file. True: it is the right one, and the search ends. */
typedef bool (*nmibt_candidate_fn)(void *arg, const char *path);

bool nmibt_find_vmlinux(const struct nmibt_wanted *wanted, nmibt_candidate_fn visit, void *arg);
bool nmibt_find_module(const struct nmibt_wanted *wanted, const char *name,
		       nmibt_candidate_fn visit, void *arg);

/* True: s has only characters of a file name, and does not lead out of a folder. */
bool nmibt_is_plain_name(const char *s);

/* Asks the servers in $DEBUGINFOD_URLS. *ret: the path of the file, which the caller frees. NOTHING
 * where no server has it, or where there is no libdebuginfod. */
struct nmibt_error *nmibt_debuginfod_find(const char *build_id, char **ret);

#endif /* NMIBT_FIND_DEBUGINFO_H */
