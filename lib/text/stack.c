// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares stacks: two are the same if the chains of their functions are.
 */
#include <inttypes.h>

#include "text/text.h"

void nmibt_stack_destroy(struct nmibt_stack *stack)
{
	free(stack->frames);
	free(stack->owned);
	*stack = (struct nmibt_stack){0};
}

bool nmibt_is_whole(const struct nmibt_stack *stack)
{
	return stack->end == NMIBT_END_COMPLETE || stack->end == NMIBT_END_USER ||
	       stack->end == NMIBT_END_UNKNOWN;
}

size_t nmibt_function_len(struct nmibt_str name)
{
	/* A leading '.' belongs to the name. */
	const char *dot = name.len > 1 ? memchr(name.s + 1, '.', name.len - 1) : NULL;
	return dot ? (size_t)(dot - name.s) : name.len;
}

static bool is_same_place(const struct nmibt_frame *a, const struct nmibt_frame *b)
{
	if (!a->function.len || !b->function.len)
		return a->function.len == b->function.len && a->addr == b->addr;
	return a->offset == b->offset && a->function.len == b->function.len &&
	       !memcmp(a->function.s, b->function.s, a->function.len);
}

/* arm64 repeats the function of the pc as the first line of the trace, x86_64 does not. */
bool nmibt_is_in_chain(const struct nmibt_frame *frames, size_t i)
{
	if (!frames[i].reliable)
		return false;
	return !i || !frames[i - 1].is_pc || !is_same_place(&frames[i - 1], &frames[i]);
}

bool nmibt_is_in_group(const struct nmibt_frame *frames, size_t i)
{
	return nmibt_is_in_chain(frames, i) ||
	       (!frames[i].reliable && frames[i].line == NMIBT_NO_LINE);
}

/* FNV-1a */
static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
	return hash;
}

struct nmibt_str nmibt_frame_name(const struct nmibt_frame *frame, char buf[NMIBT_ADDR_LEN])
{
	if (frame->function.len)
		return frame->function;
	return (struct nmibt_str){buf, snprintf(buf, NMIBT_ADDR_LEN, "0x%016" PRIx64, frame->addr)};
}

static uint64_t hash_frame(uint64_t hash, const struct nmibt_frame *f)
{
	char addr[NMIBT_ADDR_LEN];
	struct nmibt_str name = nmibt_frame_name(f, addr);

	hash = hash_bytes(hash, name.s, nmibt_function_len(name));
	/* Two modules may have functions with the same name. */
	hash = hash_bytes(hash, f->module.s, f->module.len);
	return hash_bytes(hash, "\n", 1);
}

uint64_t nmibt_stack_hash(const struct nmibt_frame *frames, size_t nr)
{
	uint64_t hash = 0xcbf29ce484222325;
	size_t counted = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!nmibt_is_in_group(frames, i))
			continue;
		hash = hash_frame(hash, &frames[i]);
		counted++;
	}
	if (!counted)
		return 0;
	return hash ? hash : 1;
}

/* True: the return address is at the start of a function. Then the call before it never returns and
 * ends its function, and the linker put this function, whose name the address has, behind it. */
static bool is_behind_the_end(const struct nmibt_frame *frame)
{
	return frame->function.len && !frame->offset && !frame->is_pc && !frame->is_interrupted;
}

const struct nmibt_frame *nmibt_stack_place(const struct nmibt_stack *stack)
{
	for (size_t i = nmibt_count_dying(stack); i < stack->nr; i++) {
		const struct nmibt_frame *frame = &stack->frames[i];

		if (nmibt_is_in_chain(stack->frames, i) && !is_behind_the_end(frame))
			return frame;
	}
	return NULL;
}
