// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stack in few bytes, for a record: the memory and the tables that it was unwound with would need
 * many. docs/pstore-format.md describes them.
 */
#include "record/record.h"
#include "unwind/unwind.h"

/* Of the first byte of a frame; the bits from KIND_SHIFT on are the stack that it is on. */
#define RELIABLE 0x1
#define IS_PC 0x2
#define IS_INTERRUPTED 0x4
#define KIND_SHIFT 3

static struct nmibt_error *put_name(struct nmibt_bytes *to, struct nmibt_str name)
{
	struct nmibt_error *err = nmibt_bytes_add_number(to, name.len);

	return err ? err : nmibt_bytes_add(to, name.s, name.len);
}

static struct nmibt_error *put_frame(struct nmibt_bytes *to, const struct nmibt_frame *frame,
				     uint64_t before)
{
	const uint64_t numbers[] = {
		(frame->reliable ? RELIABLE : 0) | (frame->is_pc ? IS_PC : 0) |
			(frame->is_interrupted ? IS_INTERRUPTED : 0) |
			(uint64_t)frame->kind << KIND_SHIFT,
		nmibt_fold(frame->addr - before),
		frame->offset,
		frame->size,
	};
	struct nmibt_error *err = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && !err; i++)
		err = nmibt_bytes_add_number(to, numbers[i]);
	if (!err)
		err = put_name(to, frame->function);
	return err ? err : put_name(to, frame->module);
}

struct nmibt_error *nmibt_stack_pack(const struct nmibt_stack *stack, struct nmibt_bytes *ret)
{
	struct nmibt_error *err = nmibt_bytes_add_number(ret, stack->end);
	uint64_t before = 0;

	if (!err)
		err = nmibt_bytes_add_number(ret, stack->end_addr);
	for (size_t i = 0; i < stack->nr && !err; i++) {
		err = put_frame(ret, &stack->frames[i], before);
		before = stack->frames[i].addr;
	}
	return err;
}

static bool take_name(struct nmibt_str *cursor, struct nmibt_str *ret)
{
	uint64_t len;

	if (!nmibt_take_number(cursor, &len) || len > cursor->len || len >= NMIBT_SYMBOL_LEN)
		return false;
	*ret = (struct nmibt_str){cursor->s, len};
	cursor->s += len;
	cursor->len -= len;
	return true;
}

static bool take_frame(struct nmibt_str *cursor, uint64_t before, struct nmibt_frame *ret)
{
	uint64_t flags, addr;

	*ret = (struct nmibt_frame){.line = NMIBT_NO_LINE};
	if (!nmibt_take_number(cursor, &flags) || flags >> KIND_SHIFT >= NMIBT_NR_STACK_KINDS ||
	    !nmibt_take_number(cursor, &addr) || !nmibt_take_number(cursor, &ret->offset) ||
	    !nmibt_take_number(cursor, &ret->size) || !take_name(cursor, &ret->function) ||
	    !take_name(cursor, &ret->module))
		return false;
	ret->addr = before + nmibt_unfold(addr);
	ret->reliable = flags & RELIABLE;
	ret->is_pc = flags & IS_PC;
	ret->is_interrupted = flags & IS_INTERRUPTED;
	ret->kind = flags >> KIND_SHIFT;
	return true;
}

struct nmibt_error *nmibt_stack_unpack(struct nmibt_str packed, struct nmibt_stack *ret)
{
	struct nmibt_stack stack = {0};
	uint64_t end, before = 0;
	bool is_sound = nmibt_take_number(&packed, &end) && end < NMIBT_NR_ENDS &&
			nmibt_take_number(&packed, &stack.end_addr);

	stack.end = end;
	stack.owned = malloc(packed.len + 1);
	stack.frames = calloc(NMIBT_MAX_FRAMES, sizeof(*stack.frames));
	if (!stack.owned || !stack.frames) {
		nmibt_stack_destroy(&stack);
		return nmibt_error_nomem();
	}
	if (is_sound && packed.len)
		memcpy(stack.owned, packed.s, packed.len);
	packed.s = stack.owned;
	while (is_sound && packed.len) {
		is_sound = stack.nr < NMIBT_MAX_FRAMES &&
			   take_frame(&packed, before, &stack.frames[stack.nr]);
		if (is_sound)
			before = stack.frames[stack.nr++].addr;
	}
	if (!is_sound) {
		nmibt_stack_destroy(&stack);
		return nmibt_error_create(NMIBT_ERR_DAMAGED, "a stack in the record is damaged");
	}
	*ret = stack;
	return NULL;
}
