/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where files with debugging information may lie. Whether a file is of the right
 * build is for the caller to see.
 */
#ifndef NMIBT_FIND_DEBUGINFO_H
#define NMIBT_FIND_DEBUGINFO_H

#include <stdbool.h>

#define NMIBT_DEBUG_PATH "/usr/lib/debug"

/* What is known of the kernel; NULL: not known, or of characters that no release or
 * build-id has, as a hostile dump may name them. */
struct nmibt_wanted {
	const char *folder; /* of the dump */
	const char *debug_path; /* folders like /usr/lib/debug, with colons between them */
	const char *release;
	const char *build_id; /* hex */
};

/* True: this is the one, and the search ends. */
typedef bool (*nmibt_candidate_fn)(void *arg, const char *path);

bool nmibt_find_vmlinux(const struct nmibt_wanted *wanted, nmibt_candidate_fn visit, void *arg);
bool nmibt_find_module(const struct nmibt_wanted *wanted, const char *name,
		       nmibt_candidate_fn visit, void *arg);

/* Of characters that can't lead out of a folder. */
bool nmibt_is_plain_name(const char *s);

/* Asks the servers in $DEBUGINFOD_URLS. NOTHING where they don't have it, or there is
 * no libdebuginfod; the caller frees *ret. */
struct nmibt_error *nmibt_debuginfod_find(const char *build_id, char **ret);

#endif /* NMIBT_FIND_DEBUGINFO_H */
