/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the renderers share.
 */
#ifndef NMIBT_RENDER_H
#define NMIBT_RENDER_H

#include <inttypes.h>

#include "report/report.h"

/* Exit code in *ret: 0 printed, 1 nothing to print, 3 printed with damage. An error
 * in the middle leaves what was printed unfinished. */
struct nmibt_error *nmibt_render_file(const struct nmibt_report *report,
				      const struct nmibt_render_options *options, FILE *out,
				      int *ret);

/* What is being made in memory. */
struct scratch {
	FILE *stream;
	char *text;
	size_t len;
};

struct renderer {
	const struct nmibt_report *report;
	const struct nmibt_render_options *options;
	FILE *out;
	FILE *behind; /* out, while that is a line that is being made */
	struct scratch *scratch;
	unsigned int width; /* columns */
	bool lines_missing; /* -l found no source line */
};

/* ------------------------------------------------------- colour, and long lines */

enum colour { BOLD, RED, YELLOW, DIM };

/* Nothing, unless the options want colour. */
void nmibt_paint(struct renderer *r, enum colour colour);
void nmibt_unpaint(struct renderer *r);

/*
 * Between the two out is a line that is being made. nmibt_end_line() writes it with a
 * newline. Where it is wider than the terminal it goes on below, indented. It is broken
 * only where separator stands: " " in a sentence, "  " between the parts of a heading.
 */
void nmibt_begin_line(struct renderer *r);
void nmibt_end_line(struct renderer *r, unsigned int indent, const char *separator);

/* ------------------------------------------------------------------------ words */

/* Names for JSON and the text, static. */
/* "soft-lockup" and "soft lockup", of first lines. */
const char *nmibt_print_name(enum nmibt_print kind);
const char *nmibt_print_words(enum nmibt_print kind);

/* Why a stack ends, as a sentence; empty where it is complete, or nothing is known. */
void nmibt_format_end(const struct nmibt_stack *stack, char *buf, size_t len);
/* What a CPU's crash note tells, as half a sentence. NULL: nothing that is worth a line. */
const char *nmibt_note_words(const struct nmibt_report *report, unsigned int cpu,
			     enum nmibt_note note);
/* "+2.18 ms" from the capture's request to ns; empty when one of the times is missing. */
void nmibt_format_since(const struct nmibt_report *report, uint64_t ns, char *buf, size_t len);
/* Did all CPUs that the capture asked answer it in time, as a whole? */
bool nmibt_have_all_answered(const struct nmibt_report *report);

/* ------------------------------------------------------------------------- parts */

/* "  PID 53 "comm"", as far as it is known. */
void nmibt_render_task(struct renderer *r, const struct nmibt_task *task);
/* "CPU 3" or "CPUs 0-2,7". */
void nmibt_render_cpus(struct renderer *r, const unsigned int *cpus, size_t nr);
void nmibt_render_cpu_set(struct renderer *r, const struct nmibt_cpus *cpus);
/* "name+0xoff/0xsize [module]", or a number where the frame has no name. */
void nmibt_render_frame(struct renderer *r, const struct nmibt_frame *frame, bool offset);

/* Did an interrupt hit frame i, which then goes on to a frame further in? */
bool nmibt_is_hit(const struct nmibt_stack *stack, size_t i);

/* --------------------------------------------------------------------- CPU by CPU */

/* Is the CPU one that the options want shown? */
bool nmibt_is_wanted(const struct renderer *r, unsigned int cpu);

/* Calls render for each CPU that the options want, in order, one in memory at a time;
 * with -o also for what is older of each, which has is_stale. */
typedef struct nmibt_error *(*render_cpu_fn)(struct renderer *r, const struct nmibt_cpu *cpu);
struct nmibt_error *nmibt_each_cpu(struct renderer *r, render_cpu_fn render);

/* Calls render with the stack of each blocked task that the log has for the death, or,
 * without one, for a condition that is open. */
typedef struct nmibt_error *(*render_task_fn)(struct renderer *r,
					      const struct nmibt_evidence *evidence);
struct nmibt_error *nmibt_each_task(struct renderer *r, render_task_fn render);

/* -l: shows visit where frame comes from; notes it where nobody knows. */
void nmibt_find_places(struct renderer *r, const struct nmibt_frame *frame, nmibt_place_fn visit,
		       void *arg);
/* -l: the places of a frame, below it. */
void nmibt_render_source(struct renderer *r, const struct nmibt_frame *frame);
/* The remark that stands at the end where -l found none for some. */
void nmibt_render_lines_missing(struct renderer *r);

/* --------------------------------------------------------------------- registers */

/* The code address in a register (pc, lr) as symbol+0xoffset; false: it is no code
 * address, or of no symbol that is known. */
bool nmibt_register_symbol(const struct nmibt_report *report, const struct nmibt_cpu *cpu,
			   unsigned int reg, uint64_t value, char *buf, size_t len);
/* "at the NMI": when the registers in the slot were taken. */
const char *nmibt_regs_when(const struct nmi_capture_slot *slot);
/* "at the stop", "at the dump": when those in cpu->stop were. */
const char *nmibt_stop_when(const struct nmibt_cpu *cpu);
/* "its crash note": what they are from. */
const char *nmibt_stop_origin(const struct nmibt_cpu *cpu);
/* A line of head, then the registers at the backtrace beside those at the stop. */
void nmibt_render_registers(struct renderer *r, const struct nmibt_cpu *cpu);

/* ----------------------------------------------------------------------- formats */

/* As nmibt_render(), by a renderer that prints to a FILE. */
typedef struct nmibt_error *(*render_file_fn)(const struct nmibt_report *report,
					      const struct nmibt_render_options *options, FILE *out,
					      int *ret);
struct nmibt_error *nmibt_render_to(render_file_fn render, const struct nmibt_report *report,
				    const struct nmibt_render_options *options,
				    nmibt_write_fn write, void *ctx, int *ret);

/* Renders a report by render; as nmibt_render_file(). */
typedef struct nmibt_error *(*render_fn)(struct renderer *r);
struct nmibt_error *nmibt_render_by(render_fn render, const struct nmibt_report *report,
				    const struct nmibt_render_options *options, FILE *out,
				    int *ret);

struct nmibt_error *nmibt_render_text(struct renderer *r);
struct nmibt_error *nmibt_render_groups(struct renderer *r);
struct nmibt_error *nmibt_render_folded(struct renderer *r);
struct nmibt_error *nmibt_render_signature(struct renderer *r);
/* What testdumps/mkdump makes a dump of. */
struct nmibt_error *nmibt_render_description(struct renderer *r);
/* The first screen. */
struct nmibt_error *nmibt_render_summary(struct renderer *r);

#endif /* NMIBT_RENDER_H */
