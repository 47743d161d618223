/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an architecture adds to the forms and the functions that all kernels have. Each has
 * a file of its own, and a row in the table in recognise.c.
 */
#ifndef NMIBT_TEXT_ARCH_H
#define NMIBT_TEXT_ARCH_H

#include "base/base.h"
#include "text/text.h"

/* A form begins with what is always the same. read, if there is one, reads the rest; where
 * it returns false the line has another form, and *ret is thrown away. It may change
 * ret->kind. A line that is a frame (nmibt_recognise_frame()) is held against no form; the
 * first form of the table that fits is taken, and those of all architectures come behind. */
struct nmibt_form {
	const char *start;
	enum nmibt_print kind;
	bool (*read)(struct nmibt_str rest, struct nmibt_printed *ret);
};

/* ------------------------------------------------------- kinds of functions */

/* Kinds; one function can be of several. */
enum {
	NMIBT_FUNCTION_IDLE = 0x01, /* only idle CPUs are in it */
	NMIBT_FUNCTION_HALT = 0x02, /* waits for an interrupt, for whoever called it */
	NMIBT_FUNCTION_DYING = 0x04, /* panic()'s own, or the capture's */
	/* As DYING, and the interrupt or exception that brought the CPU there is so, too. */
	NMIBT_FUNCTION_STOP = 0x08,
	NMIBT_FUNCTION_ENTRY = 0x10, /* entered from the kernel by an interrupt or exception */
	NMIBT_FUNCTION_USER = 0x20, /* entered from user mode: the outermost one */
	NMIBT_FUNCTION_OUTERMOST = 0x40, /* where stacks of the kernel's own end */
	/* An ENTRY behind which the trace has the function that was hit, as a frame. */
	NMIBT_FUNCTION_HIT_FOLLOWS = 0x80,
	/* How the kernel is entered, or where a task or a CPU begins: differs between releases
	 * and architectures, and says nothing of what the CPU did. */
	NMIBT_FUNCTION_FRAMING = 0x100,
	NMIBT_FUNCTION_DELAY = 0x200, /* waits for a time to pass, for whoever called it */
};

/* A name that ends with '*' stands for all that begin so. */
struct nmibt_function_kinds {
	const char *name;
	unsigned int kinds;
};

struct nmibt_text_arch {
	enum nmibt_arch arch;
	const struct nmibt_form *forms;
	size_t nr_forms;
	const struct nmibt_function_kinds *functions;
	size_t nr_functions;
	bool has_plain_traces; /* as nmibt_has_plain_traces() */
};

extern const struct nmibt_text_arch nmibt_text_x86_64, nmibt_text_arm64;

/* All of them; NULL behind the last one. */
const struct nmibt_text_arch *nmibt_text_arch_at(size_t i);

/* NMIBT_FUNCTION_*, of any architecture, without what compilers append to the name. */
unsigned int nmibt_function_kinds(struct nmibt_str function);
/* The same of a frame: functions of modules are of no kind. */
unsigned int nmibt_frame_kinds(const struct nmibt_frame *frame);
/* Keeps them in the frame: they are asked for many times, and each time all names are
 * looked through. */
void nmibt_keep_kinds(struct nmibt_frame *frame);

/* ---------------------------------------------------------- parts of forms */

/* The number of a CPU. */
bool nmibt_take_cpu(struct nmibt_str *cursor, unsigned int *ret);

/* "%pS": name+0xoff/0xsize, behind it perhaps [module] or [module build-id]; or a number,
 * where the kernel knows no name. */
bool nmibt_read_symbol(struct nmibt_str s, struct nmibt_frame *ret);
/* "[<ffffffff81f02f74>]", with the number in ret->addr. */
bool nmibt_skip_address(struct nmibt_str *cursor, struct nmibt_frame *ret);

/* A line of a trace, or of marks alone. */
bool nmibt_recognise_frame(struct nmibt_str line, struct nmibt_printed *ret);
/* All marks that stand there; what ret says is that of the last one. */
void nmibt_take_marks(struct nmibt_str *cursor, struct nmibt_printed *ret);

#endif /* NMIBT_TEXT_ARCH_H */
