/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --extract: a small file of what reports read of a dump. */
#ifndef EXTRACT_H
#define EXTRACT_H

#include <stdbool.h>

#include <nmibt/nmibt.h>

struct extract_options {
	const char *path; /* of the extract; NULL: there is none */
	bool is_list; /* its contents are listed, and it is not written */
	bool each; /* each thing is */
	bool redact;
};

/* Where the extract or the list goes, and where it can be read again. */
struct extract_output {
	nmibt_write_fn write;
	void *ctx;
	int fd;
};

/* Writes the extract of the dump that report is of, or the list. Of the extract a report is made and
 * compared with that of the dump. *ret_code: as that of nmibt. dump is its name, for messages. */
struct nmibt_error *extract_make(const struct nmibt_report *report, const char *dump,
				 const struct extract_options *options,
				 const struct extract_output *output, int *ret_code);

/* The file of the extract, which is there as a whole or not at all. */
struct newfile;
/* False: it can't be written, which was said. Nothing that is there is written over. */
bool extract_open_file(struct newfile *file, const char *path);
/* Writes what is in fd. */
bool extract_copy(struct newfile *file, int fd);
/* False: it can't be written, which was said. */
bool extract_commit_file(struct newfile *file);

#endif /* EXTRACT_H */
