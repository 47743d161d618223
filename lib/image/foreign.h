/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that hold a machine's memory, or perhaps a log, in a format that nmibt does not read.
 */
#ifndef NMIBT_FOREIGN_H
#define NMIBT_FOREIGN_H

#include "image/file.h"

/* The error for a file that no back end reads: UNUSABLE. The message names the format, and the
 * command that converts the file, where there is one. */
struct nmibt_error *nmibt_refuse_foreign(const struct nmibt_file *file)
	__attribute__((returns_nonnull));

/* True: the file's first bytes are those of such a format. */
bool nmibt_is_foreign(const struct nmibt_file *file);

#endif /* NMIBT_FOREIGN_H */
