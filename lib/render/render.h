/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that the renderers share.
 */
#ifndef NMIBT_RENDER_H
#define NMIBT_RENDER_H

#include <inttypes.h>

#include "report/report.h"

/* *ret is the exit code: 0 printed, 1 nothing to print, 3 printed with damage. When the call fails,
 * part of the output may already be written. */
struct nmibt_error *nmibt_render_file(const struct nmibt_report *report,
				      const struct nmibt_render_options *options, FILE *out,
				      int *ret);

/* A text that is written to memory. */
struct scratch {
	FILE *stream;
	char *text;
	size_t len;
};

struct renderer {
	const struct nmibt_report *report;
	const struct nmibt_render_options *options;
	FILE *out;
	FILE *behind; /* between begin_line and end_line: the real output */
	struct scratch *scratch;
	unsigned int width; /* columns */
	bool lines_missing; /* -l found no source line */
};

/* ------------------------------------------------------- colour, and long lines */

enum colour { BOLD, RED, YELLOW, DIM };

/* These write nothing unless the options want colour. */
void nmibt_paint(struct renderer *r, enum colour colour);
void nmibt_unpaint(struct renderer *r);

/*
 * Between the two calls, output goes to a line in memory. nmibt_end_line() writes the line and a
 * newline. If the line is wider than the terminal, it is broken and continued on the next line,
 * indented. It is broken only at separator: " " in a sentence, "  " between the parts of a heading.
 */
void nmibt_begin_line(struct renderer *r);
void nmibt_end_line(struct renderer *r, unsigned int indent, const char *separator);

/* ------------------------------------------------------------------------ words */

/* Names for JSON and for the text, static. Names of kinds of first lines: "soft-lockup", and as
 * words "soft lockup". */
const char *nmibt_print_name(enum nmibt_print kind);
const char *nmibt_print_words(enum nmibt_print kind);

/* Writes why a stack ends, as a sentence; empty if it is complete, or if the reason is not
 * known. */
void nmibt_format_end(const struct nmibt_stack *stack, char *buf, size_t len);
/* What a CPU's crash note tells, or the kernel of why it has none, as half a sentence; empty:
 * nothing that is worth a line. */
void nmibt_format_note(const struct nmibt_report *report, const struct nmibt_cpu *cpu, char *buf,
		       size_t len);
const char *nmibt_absence_name(enum nmibt_absence absence); /* NULL: none */
/* "+2.18 ms" from the capture's request to ns; empty when one of the times is missing. */
void nmibt_format_since(const struct nmibt_report *report, uint64_t ns, char *buf, size_t len);
/* True: all CPUs that the capture asked answered in time and completely. */
bool nmibt_have_all_answered(const struct nmibt_report *report);

/* ------------------------------------------------------------------------ output */

/* Of a caller's function. */
struct nmibt_output {
	nmibt_write_fn write;
	void *ctx;
	bool failed; /* the function could not write */
};

/* NULL: no memory. */
FILE *nmibt_output_open(struct nmibt_output *output);
/* Closes out. Returns err, or UNUSABLE if that is NULL and something could not be written. */
struct nmibt_error *nmibt_output_close(struct nmibt_output *output, FILE *out,
				       struct nmibt_error *err);

/* ------------------------------------------------------------------------- parts */

/* Writes "  PID 53 "comm"", as far as the task is known. */
void nmibt_render_task(struct renderer *r, const struct nmibt_task *task);
/* Writes "CPU 3" or "CPUs 0-2,7". */
void nmibt_render_cpus(struct renderer *r, const unsigned int *cpus, size_t nr);
void nmibt_render_cpu_set(struct renderer *r, const struct nmibt_cpus *cpus);
/* Writes "name+0xoff/0xsize [module]", or a number if the frame has no name. */
void nmibt_render_frame(struct renderer *r, const struct nmibt_frame *frame, bool offset);

/* Writes the lines of a text of evidence, escaped and indented, with remarks about what is wrong with
 * them. The frames of a text are in the order of its lines: stack is the one whose places in the
 * sources are written behind its lines; NULL: none. */
void nmibt_render_lines(struct renderer *r, const struct nmibt_evidence *evidence,
			const struct nmibt_text *text, const struct nmibt_stack *stack);
/* Writes frames in the form in which the kernel prints them. */
void nmibt_render_frames(struct renderer *r, const struct nmibt_stack *stack);

/* True: an interrupt hit frame i, and the next inner frame is that of the interrupt. */
bool nmibt_is_hit(const struct nmibt_stack *stack, size_t i);

/* --------------------------------------------------------------------- CPU by CPU */

/* True: the options ask for this CPU. */
bool nmibt_is_wanted(const struct renderer *r, unsigned int cpu);

/* Calls render for each CPU that the options ask for, in order; one CPU is in memory at a time.
 * With -o also for each older piece of evidence, which has is_stale set. */
typedef struct nmibt_error *(*render_cpu_fn)(struct renderer *r, const struct nmibt_cpu *cpu);
struct nmibt_error *nmibt_each_cpu(struct renderer *r, render_cpu_fn render);

/* Calls render with the stack of each blocked task that the log has for the death; or, without a
 * death, for an open condition. */
typedef struct nmibt_error *(*render_task_fn)(struct renderer *r,
					      const struct nmibt_evidence *evidence);
struct nmibt_error *nmibt_each_task(struct renderer *r, render_task_fn render);

/* -l: calls visit with the places of frame in the sources. Sets lines_missing if they are not
 * known. */
void nmibt_find_places(struct renderer *r, const struct nmibt_frame *frame, nmibt_place_fn visit,
		       void *arg);
/* -l: writes the places of a frame, below the frame. */
void nmibt_render_source(struct renderer *r, const struct nmibt_frame *frame);
/* Writes a remark at the end of the output, if -l found no place for some frames. */
void nmibt_render_lines_missing(struct renderer *r);

/* --------------------------------------------------------------------- registers */

/* Writes the code address in a register (pc, lr) as symbol+0xoffset. False: it is no code address,
 * or its symbol is not known. */
bool nmibt_register_symbol(const struct nmibt_report *report, const struct nmibt_cpu *cpu,
			   unsigned int reg, uint64_t value, char *buf, size_t len);
/* When the registers in the slot were saved: "at the NMI". */
const char *nmibt_regs_when(const struct nmi_capture_slot *slot);
/* When the registers in cpu->stop were saved: "at the stop", "at the dump". */
const char *nmibt_stop_when(const struct nmibt_cpu *cpu);
/* Where the registers in cpu->stop are from: "its crash note". */
const char *nmibt_stop_origin(const struct nmibt_cpu *cpu);
/* Writes a heading, then the registers at the backtrace beside those at the stop. */
void nmibt_render_registers(struct renderer *r, const struct nmibt_cpu *cpu);

/* ----------------------------------------------------------------------- formats */

/* Calls render, which prints to a FILE, and passes its output to write; as nmibt_render(). */
typedef struct nmibt_error *(*render_file_fn)(const struct nmibt_report *report,
					      const struct nmibt_render_options *options, FILE *out,
					      int *ret);
struct nmibt_error *nmibt_render_to(render_file_fn render, const struct nmibt_report *report,
				    const struct nmibt_render_options *options,
				    nmibt_write_fn write, void *ctx, int *ret);

/* Renders a report with render; as nmibt_render_file(). */
typedef struct nmibt_error *(*render_fn)(struct renderer *r);
struct nmibt_error *nmibt_render_by(render_fn render, const struct nmibt_report *report,
				    const struct nmibt_render_options *options, FILE *out,
				    int *ret);

struct nmibt_error *nmibt_render_text(struct renderer *r);
struct nmibt_error *nmibt_render_groups(struct renderer *r);
struct nmibt_error *nmibt_render_folded(struct renderer *r);
struct nmibt_error *nmibt_render_signature(struct renderer *r);
/* The input of testdumps/mkdump. */
struct nmibt_error *nmibt_render_description(struct renderer *r);
/* The first screen of the text. */
struct nmibt_error *nmibt_render_summary(struct renderer *r);

/* True: comm is what kernel threads are called, which identifies no machine. */
bool nmibt_is_kernel_thread(struct nmibt_str comm);
/* How many bytes of what panic() was given are words of the kernel that are known. */
size_t nmibt_known_panic(struct nmibt_str words);

#endif /* NMIBT_RENDER_H */
