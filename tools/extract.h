/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --extract: a small file of what reports read of a dump. */
#ifndef EXTRACT_H
#define EXTRACT_H

#include <stdbool.h>

#include <nmibt/nmibt.h>

struct extract_options {
	const char *path; /* of the extract; NULL: its contents are listed on standard output */
	bool redact;
};

/* Writes the extract of the dump that report is of, or the list. *ret_code: as that of nmibt. dump is
 * its name, for messages. */
struct nmibt_error *extract_make(const struct nmibt_report *report, const char *dump,
				 const struct extract_options *options, nmibt_write_fn write,
				 void *ctx, int *ret_code);

/* The file of the extract, which is there as a whole or not at all. */
struct outfile;
/* False: it can't be written, which was said. Nothing that is there is written over. */
bool extract_open_file(struct outfile *file, const char *path);
/* Writes what is in fd. */
bool extract_copy(struct outfile *file, int fd);
/* False: it can't be written, which was said. */
bool extract_commit_file(struct outfile *file);

#endif /* EXTRACT_H */
