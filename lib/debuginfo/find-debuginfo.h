/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Searches for files with debugging information: nmibt_debuginfo_search(), or what a program does
 * in its place. Who receives a file checks whether it is of the right build.
 */
#ifndef NMIBT_FIND_DEBUGINFO_H
#define NMIBT_FIND_DEBUGINFO_H

#include <nmibt/debuginfo.h>

#include "base/base.h"

/* True: s has only characters of a file name, and does not lead out of a folder. */
bool nmibt_is_plain_name(const char *s);

/* A search, with its first two arguments: nmibt_debuginfo_options.search, or the library's own. */
struct nmibt_search {
	struct nmibt_error *(*search)(void *ctx, const struct nmibt_debuginfo_wanted *wanted,
				      nmibt_debuginfo_file_fn visit, void *arg);
	void *ctx;
};

#endif /* NMIBT_FIND_DEBUGINFO_H */
