/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One backtrace of a text in which lines of several are mixed: what came of it tells which lines can
 * continue it.
 */
#ifndef NMIBT_MIXED_BLOCK_H
#define NMIBT_MIXED_BLOCK_H

#include "source/mixed.h"

enum phase { TITLE, HEAD, FRAMES };

struct held_lines {
	struct nmibt_mixed_line *lines; /* their texts are owned */
	size_t nr;
};

struct block {
	uint32_t cpu;
	enum phase phase;
	bool has_hardware, has_pc, has_ended;
	bool is_lockup; /* its title is a soft lockup's */
	bool has_frames; /* a frame, or a mark of a stack */
	bool is_complete; /* the outermost frame came, or registers of user mode */
	bool is_user; /* no frames follow */
	bool is_left; /* lines of something else followed that has a form */
	bool is_confused; /* it got lines that fitted others, too: nothing is known of what follows */
	bool may_have_registers; /* behind a frame by which the kernel was entered */
	bool has_task; /* the mark of the task's stack came */
	unsigned int open_marks;
	uint64_t registers; /* a bit for each of its lines of registers, by their first letters */
	struct held_lines held;
};

/* Copies the line, text included. False: out of memory, the line is not held. */
bool nmibt_hold_line(struct held_lines *held, const struct nmibt_mixed_line *line);
/* Emits the lines, which are held no more. */
void nmibt_let_out_lines(struct held_lines *held, nmibt_mixed_fn emit, void *arg);
void nmibt_free_lines(struct held_lines *held);

/* True: more lines of it must follow, if none is lost. */
bool nmibt_block_must_go_on(const struct block *b);
/* True: the line can continue it. NULL, and one of which there is only the title, is continued by none. */
bool nmibt_block_fits(const struct block *b, const struct nmibt_printed *p,
		      const struct nmibt_mixed_line *line);
/* The line is one that fits. */
void nmibt_block_learn(struct block *b, const struct nmibt_printed *p,
		       const struct nmibt_mixed_line *line);

#endif /* NMIBT_MIXED_BLOCK_H */
