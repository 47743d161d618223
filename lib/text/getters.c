// SPDX-License-Identifier: GPL-2.0-or-later
/* The getters of the public API for stacks, frames and lines. */
#include "text/text.h"

size_t nmibt_stack_nr_frames(const struct nmibt_stack *stack)
{
	return stack->nr;
}

enum nmibt_stack_end nmibt_stack_end(const struct nmibt_stack *stack)
{
	return stack->end;
}

uint64_t nmibt_stack_end_addr(const struct nmibt_stack *stack)
{
	return stack->end_addr;
}

const struct nmibt_frame *nmibt_stack_frame(const struct nmibt_stack *stack, size_t i)
{
	return i < stack->nr ? &stack->frames[i] : NULL;
}

const char *nmibt_frame_function(const struct nmibt_frame *frame, size_t *ret_len)
{
	*ret_len = frame->function.len;
	return frame->function.s;
}

const char *nmibt_frame_module(const struct nmibt_frame *frame, size_t *ret_len)
{
	*ret_len = frame->module.len;
	return frame->module.s;
}

uint64_t nmibt_frame_addr(const struct nmibt_frame *frame)
{
	return frame->addr;
}

uint64_t nmibt_frame_offset(const struct nmibt_frame *frame)
{
	return frame->offset;
}

enum nmibt_stack_kind nmibt_frame_stack_kind(const struct nmibt_frame *frame)
{
	return frame->kind;
}

bool nmibt_frame_is_reliable(const struct nmibt_frame *frame)
{
	return frame->reliable;
}

bool nmibt_frame_is_hit(const struct nmibt_frame *frame)
{
	return frame->is_pc || frame->is_interrupted;
}

const char *nmibt_line_text(const struct nmibt_line *line, size_t *ret_len)
{
	*ret_len = line->len;
	return line->text;
}

int nmibt_line_level(const struct nmibt_line *line)
{
	return line->level;
}

unsigned int nmibt_line_flags(const struct nmibt_line *line)
{
	return line->flags;
}
