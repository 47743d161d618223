/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of several CPUs that are mixed in a text whose lines do not say who printed them. A line goes to
 * the backtrace that it can continue, and the lines of each backtrace come out in a row. Where it could
 * continue two it goes to both, marked.
 */
#ifndef NMIBT_MIXED_H
#define NMIBT_MIXED_H

#include "text/text.h"

/* A line of the text; text is borrowed. */
struct nmibt_mixed_line {
	struct nmibt_log_text line;
	uint64_t ns;
	bool is_doubtful; /* it may be another backtrace's */
	/* Nothing but the lockup whose title stands before it can have this line, as far as is known here. */
	bool may_be_of_lockup;
};

typedef void (*nmibt_mixed_fn)(void *arg, const struct nmibt_mixed_line *line);

struct nmibt_mixed;

struct nmibt_error *nmibt_mixed_new(enum nmibt_arch arch, nmibt_mixed_fn emit, void *arg,
				    struct nmibt_mixed **ret);
/* Takes the next line. It may come out later than lines behind it. */
void nmibt_mixed_take(struct nmibt_mixed *m, const struct nmibt_mixed_line *line);
/* Lets all lines out. False: out of memory, now or before. */
bool nmibt_mixed_flush(struct nmibt_mixed *m);
/* Lines that were moved, and those that went to several backtraces. */
uint64_t nmibt_mixed_nr_moved(const struct nmibt_mixed *m);
uint64_t nmibt_mixed_nr_doubtful(const struct nmibt_mixed *m);
void nmibt_mixed_free(struct nmibt_mixed *m); /* NULL is allowed */

#endif /* NMIBT_MIXED_H */
