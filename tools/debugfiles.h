/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files with debugging information for a process that can't open any: it asks its parent for them.
 * The parent searches in the places of nmibt_debuginfo_search() alone, by names that lead out of no
 * folder, and hands over descriptors.
 */
#ifndef DEBUGFILES_H
#define DEBUGFILES_H

#include <nmibt/debuginfo.h>

/* In the child: as nmibt_debuginfo_options.search. ctx points to the socket. */
struct nmibt_error *debugfiles_ask(void *ctx, const struct nmibt_debuginfo_wanted *wanted,
				   nmibt_debuginfo_file_fn visit, void *arg);

/* In the parent: answers a request of len bytes that came from the socket. dump is the path of the
 * dump. */
void debugfiles_answer(const struct nmibt_debuginfo_options *options, const char *dump, int channel,
		       const void *request, size_t len);

#endif /* DEBUGFILES_H */
