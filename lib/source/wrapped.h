/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that a mail program broke at its margin, at a space. The second half of a line is joined to the first
 * where the form of the line that the kernel prints needs it; what could be two lines stays two.
 */
#ifndef NMIBT_WRAPPED_H
#define NMIBT_WRAPPED_H

#include "text/text.h"

/* Longer lines are not joined. */
#define NMIBT_MAX_WRAPPED 4096

struct nmibt_wrapped {
	enum nmibt_arch arch;
	nmibt_log_text_fn visit; /* gets the lines */
	void *arg;
	uint64_t nr_joined; /* second halves */
	bool is_held; /* the line that follows may be the second half of this: */
	struct nmibt_log_text held;
	bool is_joined; /* it has two halves or more */
	unsigned int columns; /* of its last part */
	char text[NMIBT_MAX_WRAPPED]; /* of held, behind a space */
};

/* Takes the next line. False: visit() wants no more. */
bool nmibt_wrapped_take(struct nmibt_wrapped *w, const struct nmibt_log_text *line);
/* Lets out the line that is held. */
bool nmibt_wrapped_flush(struct nmibt_wrapped *w);

#endif /* NMIBT_WRAPPED_H */
