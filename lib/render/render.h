/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the renderers share.
 */
#ifndef NMIBT_RENDER_H
#define NMIBT_RENDER_H

#include <inttypes.h>

#include "report/report.h"

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

/* Is the CPU one that the options want shown? */
bool nmibt_is_wanted(const struct renderer *r, unsigned int cpu);

/* Calls render for each CPU that the options want, in order, one in memory at a time. */
typedef struct nmibt_error *(*render_cpu_fn)(struct renderer *r, const struct nmibt_cpu *cpu);
struct nmibt_error *nmibt_each_cpu(struct renderer *r, render_cpu_fn render);

/* -l: shows visit where frame comes from; notes it where nobody knows. */
void nmibt_find_places(struct renderer *r, const struct nmibt_frame *frame, nmibt_place_fn visit,
		       void *arg);

/* -l: the places of a frame, below it. */
void nmibt_render_source(struct renderer *r, const struct nmibt_frame *frame);
/* The remark that stands at the end where -l found none for some. */
void nmibt_render_lines_missing(struct renderer *r);

/* "CPU 3" or "CPUs 0-2,7". */
void nmibt_render_cpus(struct renderer *r, const unsigned int *cpus, size_t nr);

/* The code address in a register (pc, lr) as symbol+0xoffset; false: it is no code
 * address, or of no symbol that is known. */
bool nmibt_register_symbol(const struct nmibt_report *report, const struct nmibt_cpu *cpu,
			   unsigned int reg, uint64_t value, char *buf, size_t len);

/* "at the NMI": when the registers in the slot were taken. */
const char *nmibt_regs_when(const struct nmi_capture_slot *slot);

/* Renders a report by render; as nmibt_render(). */
typedef struct nmibt_error *(*render_fn)(struct renderer *r);
struct nmibt_error *nmibt_render_by(render_fn render, const struct nmibt_report *report,
				    const struct nmibt_render_options *options, FILE *out,
				    int *ret);

struct nmibt_error *nmibt_render_text(struct renderer *r);
struct nmibt_error *nmibt_render_groups(struct renderer *r);
struct nmibt_error *nmibt_render_folded(struct renderer *r);
struct nmibt_error *nmibt_render_signature(struct renderer *r);

struct nmibt_error *nmibt_render_summary(struct renderer *r);
/* A line of head, then the registers at the NMI beside those at the stop. */
void nmibt_render_registers(struct renderer *r, const struct nmibt_cpu *cpu);

#endif /* NMIBT_RENDER_H */
