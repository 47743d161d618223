/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several messages in one line: a program that made paragraphs of a log in a mail left out newlines. Each
 * message still has its time.
 */
#ifndef NMIBT_GLUED_H
#define NMIBT_GLUED_H

#include "image/image.h"

/* What nmibt_split_glued() knows of the lines before. Empty at first. */
struct nmibt_glued {
	bool has_time;
	uint64_t ns; /* of the newest message */
};

/*
 * Takes the first message of line from it. False: that is all of line, or line has nothing else. The text of a
 * message may be empty, as a line may end with a time.
 */
bool nmibt_split_glued(struct nmibt_glued *g, struct nmibt_log_text *line,
		       struct nmibt_log_text *ret);

#endif /* NMIBT_GLUED_H */
