/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Old files of pstore whose ends are in a record: the console, and the messages of user space. */
#ifndef NMIBT_OLD_FILES_H
#define NMIBT_OLD_FILES_H

#include "base/base.h"

struct nmibt_old_piece {
	struct nmibt_str name, data; /* untrusted, borrowed */
	uint64_t at; /* where the data begins in the file */
};

struct nmibt_old_file {
	size_t first, nr; /* of the pieces */
	char *name; /* printable */
};

struct nmibt_old_files {
	struct nmibt_old_piece *pieces;
	size_t nr_pieces;
	struct nmibt_old_file *files; /* by name */
	unsigned int nr;
};

struct nmibt_error *nmibt_old_files_add(struct nmibt_old_files *files,
					const struct nmibt_old_piece *piece);
/* To be called when all pieces are there. */
struct nmibt_error *nmibt_old_files_sort(struct nmibt_old_files *files);
void nmibt_old_files_destroy(struct nmibt_old_files *files);
/* Writes file i so that it is safe for a terminal, and says where bytes are missing. */
void nmibt_old_file_print(const struct nmibt_old_files *files, unsigned int i, FILE *out);

#endif /* NMIBT_OLD_FILES_H */
