/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many dumps in one process: their names come on standard input, and for each one line of JSON goes to
 * standard output. What a dump does to the process that reads it ends with its line.
 */
#ifndef BATCH_H
#define BATCH_H

#include <stdbool.h>

/* How names stand on standard input. */
enum batch_form {
	BATCH_NONE,
	BATCH_LINES, /* one a line */
	BATCH_NULL, /* each ends with a NUL */
	BATCH_LISTS, /* as BATCH_NULL; an empty one ends the list of the files of one dump */
};

struct batch {
	/* Prints the JSON document of the dump in these nr files to standard output, and messages to
	 * standard error. Returns the exit code. *ret_is_temporary: there is none for a reason that is not in the
	 * files, and another try may have one. */
	int (*print)(void *ctx, const char *const *paths, unsigned int nr, bool *ret_is_temporary);
	void *ctx;
};

/* word may be NULL. False: it is no form. */
bool batch_parse_form(const char *word, enum batch_form *ret);

/* Returns the exit code: 0 each dump gave a whole report, 3 some did not, 4 names could not be read,
 * or lines not written. */
int batch_run(const struct batch *batch, enum batch_form form);

#endif /* BATCH_H */
