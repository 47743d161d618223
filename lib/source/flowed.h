/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that a program put into one line of a paragraph, which has no times: "Call Trace: <IRQ> f+0x1/0x2 ? g+0x3/0x4".
 */
#ifndef NMIBT_FLOWED_H
#define NMIBT_FLOWED_H

#include "text/text.h"

#define NMIBT_MAX_FLOWED 256

struct nmibt_flowed {
	enum nmibt_arch arch;
	struct nmibt_str rest;
	char text[NMIBT_MAX_FLOWED];
};

/* True: the line is several items of a trace, and nothing else. */
bool nmibt_flowed_begin(struct nmibt_flowed *f, enum nmibt_arch arch, struct nmibt_str line);
/* The next item, as a line of its own, borrowed until the next call. False: there is none. */
bool nmibt_flowed_next(struct nmibt_flowed *f, struct nmibt_str *ret);

#endif /* NMIBT_FLOWED_H */
