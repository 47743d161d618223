// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/mixed-block.h"

/* ---------------------------------------------------------------- lines that are held */

bool nmibt_hold_line(struct held_lines *held, const struct nmibt_mixed_line *line)
{
	struct nmibt_mixed_line *lines = nmibt_make_room(held->lines, held->nr, sizeof(*lines));
	char *text = malloc(line->line.text.len + 1);

	if (lines)
		held->lines = lines;
	if (!lines || !text) {
		free(text);
		return false;
	}
	if (line->line.text.len)
		memcpy(text, line->line.text.s, line->line.text.len);
	lines[held->nr] = *line;
	lines[held->nr++].line.text.s = text;
	return true;
}

static void drop_lines(struct held_lines *held)
{
	for (size_t i = 0; i < held->nr; i++)
		free((char *)held->lines[i].line.text.s);
	held->nr = 0;
}

void nmibt_let_out_lines(struct held_lines *held, nmibt_mixed_fn emit, void *arg)
{
	for (size_t i = 0; i < held->nr; i++)
		emit(arg, &held->lines[i]);
	drop_lines(held);
}

void nmibt_free_lines(struct held_lines *held)
{
	drop_lines(held);
	free(held->lines);
}

/* --------------------------------------------------------------- what continues it */

bool nmibt_block_must_go_on(const struct block *b)
{
	bool has_begun = b->phase == FRAMES && b->has_frames;

	return !b->has_ended && !b->is_confused && ((!has_begun && !b->is_user) || b->open_marks);
}

/* Registers stand in the same order everywhere, each line once. */
static uint64_t register_bit(struct nmibt_str text)
{
	unsigned int hash = 0;

	for (size_t i = 0; i < text.len && i < 4; i++)
		hash = hash * 31 + (unsigned char)text.s[i];
	return UINT64_C(1) << (hash % 64);
}

static bool fits_registers(const struct block *b, const struct nmibt_mixed_line *line)
{
	return !(b->registers & register_bit(line->line.text));
}

static bool fits_head(const struct block *b, const struct nmibt_printed *p,
		      const struct nmibt_mixed_line *line)
{
	switch (p->kind) {
	case NMIBT_PRINT_HARDWARE:
		return !b->has_hardware;
	case NMIBT_PRINT_PC:
		return !b->has_pc;
	case NMIBT_PRINT_REGISTER:
		return fits_registers(b, line);
	case NMIBT_PRINT_TRACE:
		return !b->is_user;
	case NMIBT_PRINT_FRAME:
		return !b->is_user && p->begins_trace;
	default:
		return false;
	}
}

bool nmibt_block_fits(const struct block *b, const struct nmibt_printed *p,
		      const struct nmibt_mixed_line *line)
{
	if (!b || b->has_ended || b->phase == TITLE)
		return false;
	if (b->is_confused)
		return p->kind == NMIBT_PRINT_HARDWARE || p->kind == NMIBT_PRINT_PC ||
		       p->kind == NMIBT_PRINT_REGISTER || p->kind == NMIBT_PRINT_TRACE ||
		       p->kind == NMIBT_PRINT_FRAME || p->kind == NMIBT_PRINT_STACK_MARK;
	if (b->phase == HEAD)
		return fits_head(b, p, line);
	if (p->has_mark && !p->is_mark_end && p->mark == NMIBT_STACK_TASK && b->has_task)
		return false;
	switch (p->kind) {
	case NMIBT_PRINT_FRAME:
	case NMIBT_PRINT_STACK_MARK:
		return true;
	case NMIBT_PRINT_PC:
		return b->may_have_registers && !b->has_pc;
	case NMIBT_PRINT_REGISTER:
		return b->may_have_registers && fits_registers(b, line);
	default:
		return false;
	}
}

static void take_mark(struct block *b, const struct nmibt_printed *p)
{
	if (!p->has_mark)
		return;
	b->has_frames = true;
	if (!p->is_mark_end)
		b->open_marks++;
	else if (b->open_marks)
		b->open_marks--;
	b->has_task |= p->mark == NMIBT_STACK_TASK;
	b->has_ended |= p->is_mark_end && p->mark == NMIBT_STACK_TASK && !b->open_marks;
}

static void take_frame(struct block *b, const struct nmibt_printed *p)
{
	bool is_outermost = p->frame.reliable && nmibt_is_outermost_frame(&p->frame);

	b->phase = FRAMES;
	b->has_frames = true;
	b->is_complete = is_outermost;
	take_mark(b, p);
	b->may_have_registers = is_outermost || nmibt_is_entry_frame(&p->frame);
	b->has_pc = false;
	b->registers = 0;
	b->has_ended |= is_outermost && !b->open_marks;
}

void nmibt_block_learn(struct block *b, const struct nmibt_printed *p,
		       const struct nmibt_mixed_line *line)
{
	b->is_user |= p->is_user && b->phase == HEAD;
	b->is_complete |= p->is_user && b->phase == FRAMES;
	switch (p->kind) {
	case NMIBT_PRINT_HARDWARE:
		b->has_hardware = true;
		break;
	case NMIBT_PRINT_PC:
		b->has_pc = true;
		break;
	case NMIBT_PRINT_REGISTER:
		b->registers |= register_bit(line->line.text);
		b->has_ended |= b->is_user && p->is_last_register;
		break;
	case NMIBT_PRINT_TRACE:
		b->phase = FRAMES;
		b->registers = 0;
		take_mark(b, p);
		break;
	case NMIBT_PRINT_FRAME:
		take_frame(b, p);
		break;
	case NMIBT_PRINT_STACK_MARK:
		take_mark(b, p);
		break;
	default:
		break;
	}
}
