/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the text renderer share.
 */
#ifndef NMIBT_RENDER_H
#define NMIBT_RENDER_H

#include <inttypes.h>

#include "internal.h"

struct renderer {
	const struct nmibt_report *report;
	const struct nmibt_render_options *options;
	FILE *out;
	unsigned int width; /* columns */
	bool lines_missing; /* -l found no source line */
};

enum colour { BOLD, RED, YELLOW, DIM };

/* Nothing, unless the options want colour. */
void nmibt_paint(struct renderer *r, enum colour colour);
void nmibt_unpaint(struct renderer *r);

/* "+2.18 ms" from the request to ns; empty when one of the times is missing. */
void nmibt_format_since(const struct renderer *r, uint64_t ns, char *buf, size_t len);

/* "  PID 53 "comm"" */
void nmibt_render_task(struct renderer *r, int32_t pid, const char comm[NMI_CAPTURE_COMM_LEN]);

/* What a crash note tells, as half a sentence. */
const char *nmibt_note_words(enum nmibt_note note);

struct nmibt_error *nmibt_render_summary(struct renderer *r);
/* A line of head, then the registers at the NMI beside those at the stop. */
void nmibt_render_registers(struct renderer *r, const struct nmibt_cpu *cpu);

#endif /* NMIBT_RENDER_H */
