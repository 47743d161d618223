// SPDX-License-Identifier: GPL-2.0-or-later
/* Stacks of arm64 by their frame records: intact, damaged and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-stack.h"

enum { FP = 29, LR = 30, SP = 31, PC = 32, PSTATE = 33 };
#define EL1H 5

/* Writes a call in function from, at offset, of function to; returns its return address. */
static uint64_t call_at(struct fake_stack *s, uint64_t at, uint64_t to)
{
	uint32_t bl = 0x94000000 | ((to - at) >> 2 & 0x3ffffff);

	memcpy(fs_at(s, at), &bl, sizeof(bl));
	return at + 4;
}

static uint64_t call(struct fake_stack *s, unsigned int from, uint64_t offset, unsigned int to)
{
	return call_at(s, fs_function(s, from, offset), fs_function(s, to, 0));
}

static void record(struct fake_stack *s, uint64_t at, uint64_t fp, uint64_t lr)
{
	fs_put(s, at, fp);
	fs_put(s, at + 8, lr);
}

/* Function 0, at offset 4, was called by f1, by f2, by f3, whose record is the last one. */
#define FIRST 0x1000
static uint64_t stack_of(struct fake_stack *s, uint64_t stack)
{
	record(s, stack + FIRST, stack + FIRST + 0x40, call(s, 1, 0x20, 0));
	record(s, stack + FIRST + 0x40, stack + FIRST + 0x60, call(s, 2, 0x30, 1));
	record(s, stack + FIRST + 0x60, stack + FIRST + 0x90, call(s, 3, 0x40, 2));
	record(s, stack + FIRST + 0x90, 0, 0);
	return stack + FIRST;
}

static void open_walk(struct fake_stack *s)
{
	assert_null(fs_open(s));
}

static int setup(void **state)
{
	struct fake_stack *s = fs_new(&fk_arm64);

	s->regs.nr = 34;
	s->regs.value[PC] = fs_function(s, 0, 4);
	s->regs.value[LR] = 0x1234;
	s->regs.value[FP] = stack_of(s, s->at.task);
	s->regs.value[SP] = s->at.task + FIRST - 0x20;
	s->regs.value[PSTATE] = 0x80400000 | EL1H;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	fs_free(*state);
	return 0;
}

static void walk(struct fake_stack *s)
{
	if (!s->unwinder)
		open_walk(s);
	struct nmibt_error *err = fs_unwind(s);
	if (err)
		fail_msg("%s", err->message);
}

static void check(struct fake_stack *s, const char *expected)
{
	char got[2048];

	walk(s);
	fs_frames(s, got, sizeof(got));
	assert_string_equal(got, expected);
}

#define WHOLE "0+4= 1+24 2+34 3+44"

static void test_chain(void **state)
{
	struct fake_stack *s = *state;

	check(s, WHOLE);
	/* The function is called through a register, also by other instructions. */
	static const uint32_t calls[] = {0xd63f0100, 0xd63f0bff, 0xd73f0921};
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		memcpy(fs_at(s, fs_function(s, 2, 0x30)), &calls[i], 4);
		check(s, WHOLE);
	}
	/* The last record has x29 0; its other word may be any. */
	record(s, s->at.task + FIRST + 0x60, 0, fs_function(s, 3, 0x44));
	check(s, WHOLE);
}

/* Finds the caller of a function that has not saved lr. */
static void test_leaf(void **state)
{
	struct fake_stack *s = *state;
	uint64_t own = call(s, 0, 0x80, 9), by_pointer = fs_function(s, 5, 0x14);
	uint32_t blr = 0xd63f0020;

	memcpy(fs_at(s, by_pointer - 4), &blr, 4);
	s->regs.value[LR] = call(s, 4, 0x10, 0); /* calls this very function */
	check(s, "0+4= 4+14 1+24 2+34 3+44");
	s->regs.value[LR] = call(s, 4, 0x20, 8); /* calls another, which may jump here */
	check(s, "0+4= 4+24? 1+24 2+34 3+44");
	s->regs.value[LR] = by_pointer;
	check(s, "0+4= 5+14? 1+24 2+34 3+44");
	s->regs.value[LR] = own; /* behind a call in the function itself */
	check(s, WHOLE);
	s->regs.value[LR] = fs_function(s, 1, 0x24); /* the record has it */
	check(s, WHOLE);
	s->regs.value[LR] = fs_function(s, 4, 0x30); /* behind no call */
	check(s, WHOLE);
	s->regs.value[LR] = fs_function(s, 4, 0x15);
	check(s, WHOLE);
	s->regs.value[LR] = s->at.task + FIRST;
	check(s, WHOLE);
}

static void check_leaf_caller(struct fake_stack *s, const char *expected)
{
	struct nmibt_symbol symbol;

	if (!s->unwinder)
		open_walk(s);
	bool found = nmibt_find_leaf_caller(s->kernel, &s->regs, fs_function(s, 0, 0), &symbol);
	assert_int_equal(found, expected != NULL);
	if (expected)
		assert_string_equal(symbol.name, expected);
}

/* Only a caller that is sure, and in no record. */
static void test_leaf_caller(void **state)
{
	struct fake_stack *s = *state;

	s->regs.value[LR] = call(s, 4, 0x10, 0); /* calls this very function */
	check_leaf_caller(s, "f4");
	s->regs.value[LR] = call(s, 4, 0xfc, 0); /* and does not expect it to return */
	check_leaf_caller(s, "f4");
	s->regs.value[LR] = call(s, 4, 0x20, 8); /* calls another, which may jump here */
	check_leaf_caller(s, NULL);
	s->regs.value[LR] = call(s, 0, 0x80, 9); /* stale: a call in the function itself */
	check_leaf_caller(s, NULL);
	s->regs.value[LR] = call(s, 0, 0x80, 0);
	check_leaf_caller(s, NULL);
	s->regs.value[LR] = call(s, 1, 0x20, 0); /* the record has it */
	check_leaf_caller(s, NULL);
	s->regs.value[LR] = call(s, 4, 0x10, 0);
	fs_set_page(s, s->at.text, NMIBT_READ_EXCLUDED); /* what it calls is not known */
	check_leaf_caller(s, NULL);
	fs_set_page(s, s->at.text, NMIBT_READ_OK);
	s->regs.value[PSTATE] = 0x80000000; /* user mode */
	check_leaf_caller(s, NULL);
	s->regs.value[PSTATE] = EL1H;
	s->regs.nr = 33;
	check_leaf_caller(s, NULL);
	s->regs.present = false;
	check_leaf_caller(s, NULL);
}

/* Without symbols it is not known whether lr is stale. */
static void test_leaf_without_symbols(void **state)
{
	struct fake_stack *s = *state;

	s->k->ops.symbolize = NULL;
	s->regs.value[LR] = call(s, 4, 0x10, 0);
	check(s, "0+4= 4+14? 1+24 2+34 3+44");
}

/* A call through a bad pointer: lr is right, and x29 is the caller's. */
static void test_call_to_nowhere(void **state)
{
	struct fake_stack *s = *state;

	s->regs.value[LR] = call(s, 4, 0x10, 8);
	s->regs.value[PC] = 0;
	check(s, "0= 4+14 1+24 2+34 3+44");
	s->regs.value[PC] = 0xffff900000000000;
	check(s, "0xffff900000000000= 4+14 1+24 2+34 3+44");
}

static void check_refused(struct fake_stack *s, enum nmibt_code code)
{
	struct nmibt_error *err = fs_unwind(s);

	assert_non_null(err);
	assert_int_equal(err->code, code);
	assert_int_equal(s->stack.nr, 0);
	nmibt_error_destroy(err);
}

static void test_no_stack(void **state)
{
	struct fake_stack *s = *state;

	open_walk(s);
	s->regs.value[PSTATE] = 0x80000000;
	assert_null(fs_unwind(s));
	assert_int_equal(s->stack.nr, 0);
	assert_int_equal(s->stack.end, NMIBT_END_USER);
	s->regs.value[PSTATE] = EL1H;
	s->regs.nr = 33;
	check_refused(s, NMIBT_ERR_NOTHING);
	s->regs = (struct nmibt_regs){0};
	check_refused(s, NMIBT_ERR_NOTHING);
	s->k->image.arch = NMIBT_ARCH_UNKNOWN;
	struct nmibt_error *err = fs_open(s);
	assert_int_equal(err->code, NMIBT_ERR_NOTHING);
	assert_null(s->unwinder);
	nmibt_error_destroy(err);
}

/* Whatever the second record points to, the walk ends there. */
static void test_bad_records(void **state)
{
	struct fake_stack *s = *state;
	uint64_t second = s->at.task + FIRST + 0x40;
	const uint64_t bad[] = {
		second, /* itself */
		second - 0x40, /* the first */
		second - 8,
		second + 8, /* overlaps */
		second + 0x24, /* unaligned */
		second & 0xffffffffffff, /* of the lower half */
		s->at.task + FS_STACK, /* not mapped */
		s->at.task + FS_STACK - 8, /* half of it */
		UINT64_C(0xfffffffffffffff8),
		UINT64_C(0xfffffffffffffff0),
		UINT64_C(0x8000000000000000),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fs_put(s, second, bad[i]);
		check(s, "0+4= 1+24 2+34");
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (i < 4)
			continue; /* these are good to begin with */
		s->regs.value[FP] = bad[i];
		check(s, "0+4=");
	}
}

/* Every address has a record, which points to the record behind it. */
static enum nmibt_read read_any(void *ctx, uint64_t vaddr, void *buf, size_t len)
{
	uint64_t words[] = {vaddr + 16, fs_arm64.text + 0x124};

	(void)ctx;
	if (vaddr - fs_arm64.text < FS_FUNCTIONS * FS_FUNCTION)
		return NMIBT_READ_ERROR;
	if (!vaddr)
		words[0] = words[1];
	if (len > sizeof(words))
		len = sizeof(words);
	memcpy(buf, words, len);
	return NMIBT_READ_OK;
}

static void test_impossible_records(void **state)
{
	struct fake_stack *s = *state;
	static const uint64_t bad[] = {0x12345670, 0x0000ffff81001000, 0xffff8000a0000004,
				       0xfffffffffffffff8};

	s->k->ops.read_virt = read_any;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		s->regs.value[FP] = bad[i];
		check(s, "0+4=");
	}
	s->regs.value[FP] = 0xffffffffffffffd0;
	check(s, "0+4= 1+24 1+24 1+24");
}

/* These words are no return addresses. */
static void test_bad_returns(void **state)
{
	struct fake_stack *s = *state;
	uint64_t second = s->at.task + FIRST + 0x40, module = s->at.module + 0x20;
	const uint64_t bad[] = {
		0,
		0x1234,
		fs_function(s, 2, 0x32), /* between instructions */
		s->at.text & 0xffffffffffff,
		s->at.text - 0x4000, /* not mapped, and without a name */
		module, /* behind no call, and without a name */
		UINT64_C(0xffffffffffffffff),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fs_put(s, second + 8, bad[i]);
		check(s, "0+4= 1+24");
	}
	/* It has a name: ftrace and kretprobes put such addresses there. */
	fs_put(s, second + 8, fs_function(s, 7, 0x10));
	check(s, "0+4= 1+24 7+10? 3+44");
	fs_put(s, second + 8, call_at(s, module, fs_function(s, 1, 0)));
	check(s, "0+4= 1+24 0xffff80007a000024 3+44");
}

static void test_unreadable(void **state)
{
	struct fake_stack *s = *state;
	static const enum nmibt_read why[] = {NMIBT_READ_EXCLUDED, NMIBT_READ_ERROR};

	fs_put(s, s->at.task + FIRST + 0x40, s->at.task + 0x2000);
	record(s, s->at.task + 0x2000, s->at.task + 0x3000, fs_function(s, 3, 0x44));
	record(s, s->at.task + 0x3000, 0, 0);
	check(s, WHOLE);
	for (size_t i = 0; i < ARRAY_SIZE(why); i++) {
		fs_set_page(s, s->at.task + 0x2000, why[i]);
		check(s, "0+4= 1+24 2+34");
		fs_set_page(s, s->at.task + 0x1000, why[i]);
		check(s, "0+4=");
		fs_set_page(s, s->at.task + 0x1000, NMIBT_READ_OK);
		fs_set_page(s, s->at.task + 0x2000, NMIBT_READ_OK);
		/* If the code can't be read, the return address in a record is trusted. */
		fs_set_page(s, s->at.text, why[i]);
		check(s, WHOLE);
		fs_set_page(s, s->at.text, NMIBT_READ_OK);
	}
	/* Code that only booting needs: it is unmapped, but has a name. */
	fs_put(s, s->at.task + FIRST + 0x48, fs_function(s, 20, 0x14));
	*fs_entry(s, fs_function(s, 20, 0)) = 0;
	check(s, "0+4= 1+24 20+14 3+44");
}

/* Function 20 is the only one that just booting needs. */
static bool init_text_addr(void *ctx, const char *name, uint64_t *ret)
{
	(void)ctx;
	*ret = fs_arm64.text + (strcmp(name, "_einittext") ? 20 : 21) * FS_FUNCTION;
	return !strcmp(name, "_sinittext") || !strcmp(name, "_einittext");
}

/* The memory of such code is freed. crash reads it by an offset: it has other contents. */
static void test_freed_code(void **state)
{
	struct fake_stack *s = *state;

	s->k->ops.symbol_addr = init_text_addr;
	fs_put(s, s->at.task + FIRST + 0x48, fs_function(s, 20, 0x14));
	fs_put(s, fs_function(s, 20, 0x10), 0);
	check(s, "0+4= 1+24 20+14 3+44");
	s->regs.value[LR] = call(s, 20, 0x20, 0);
	check(s, "0+4= 20+24? 1+24 20+14 3+44");
	*fs_entry(s, fs_function(s, 20, 0)) = 0;
	check(s, "0+4= 20+24? 1+24 20+14 3+44");
	/* A function that never returns may end with a call, the last one of this code, too. */
	s->regs.value[LR] = fs_function(s, 21, 0);
	check(s, "0+4= 21+0? 1+24 20+14 3+44");
}

/* With 48-bit addresses, kernel addresses have bit 55 set. */
static void test_pointer_authentication(void **state)
{
	struct fake_stack *s = *state;
	uint64_t second = s->at.task + FIRST + 0x40, mask = UINT64_C(0x007f) << 48;

	s->regs.value[LR] = call(s, 4, 0x10, 0) ^ UINT64_C(0x1234) << 48;
	fs_put(s, second + 8, fs_function(s, 2, 0x34) ^ UINT64_C(0x7f01) << 48);
	check(s, "0+4= 1+24");
	fk_say(s->k, "NUMBER(KERNELPACMASK)=0xff7f000000000000\n");
	open_walk(s);
	check(s, "0+4= 4+14 1+24 2+34 3+44");
	/* A user address must stay one. */
	fs_put(s, second + 8, fs_function(s, 2, 0x34) & ~(UINT64_C(0xffff) << 48));
	check(s, "0+4= 4+14 1+24");
	fs_put(s, second + 8, fs_function(s, 2, 0x34) ^ mask);
	check(s, "0+4= 4+14 1+24 2+34 3+44");
}

/* From an interrupt's stack to the task's, wherever they are. */
static void test_stacks(void **state)
{
	struct fake_stack *s = *state;
	uint64_t irq = s->at.irq + 0x3f00, other = s->at.other + 0x100;

	s->regs.value[SP] = irq - 0x40;
	s->regs.value[FP] = irq;
	record(s, irq, irq + 0x20, call(s, 10, 0x10, 0));
	record(s, irq + 0x20, s->at.task + FIRST, call(s, 11, 0x10, 10));
	check(s, "0+4= 10+14 11+14 1+24 2+34 3+44");
	/* From there the walk goes to a third stack, but never back. */
	record(s, s->at.task + FIRST + 0x60, other, fs_function(s, 3, 0x44));
	record(s, other, irq + 0x80, call(s, 12, 0x10, 3));
	record(s, irq + 0x80, 0, call(s, 13, 0x10, 12));
	check(s, "0+4= 10+14 11+14 1+24 2+34 3+44 12+14");
	record(s, other, s->at.task + FIRST + 0x200, fs_function(s, 12, 0x14));
	record(s, s->at.task + FIRST + 0x200, 0, fs_function(s, 13, 0x14));
	check(s, "0+4= 10+14 11+14 1+24 2+34 3+44 12+14");
}

/* There are as many stacks as words that point to them. */
static void test_too_many_stacks(void **state)
{
	struct fake_stack *s = *state;
	uint64_t lr = fs_function(s, 1, 0x24), at = s->at.task + FIRST;

	for (unsigned int i = 0; i < 20; i++) {
		uint64_t next = s->at.other + 0x100000 * (i + 1);

		fs_map(s, next, FK_PAGE);
		record(s, at, next, lr);
		at = next;
	}
	check(s, "0+4= 1+24 1+24 1+24 1+24");
}

/* ------------------------------------------------------------------ exceptions */

struct layout {
	unsigned int record, size; /* struct pt_regs: offset of its record, and its size */
	bool meta; /* 6.14 and later */
};
static const struct layout layouts[] = {
	{304, 336, false}, {296, 336, true}, {312, 352, true}, {296, 320, true}};

/* Writes a struct pt_regs at at, of a function that was interrupted at pc. The record of the
 * handler's caller leads to the record in it. Returns the address of the latter. */
static uint64_t exception(struct fake_stack *s, uint64_t at, const struct layout *layout,
			  uint64_t pc, uint64_t lr, uint64_t fp)
{
	for (unsigned int i = 0; i < layout->size; i += 8)
		fs_put(s, at + i, UINT64_C(0x1111111111111111) * (i % 16));
	fs_put(s, at + 8 * FP, fp);
	fs_put(s, at + 8 * LR, lr);
	fs_put(s, at + 8 * SP, at + layout->size);
	fs_put(s, at + 8 * PC, pc);
	fs_put(s, at + 8 * PSTATE, 0x60400000 | EL1H);
	record(s, at + layout->record, layout->meta ? 0 : fp, layout->meta ? 0 : pc);
	if (layout->meta)
		fs_put(s, at + layout->record + 16, 2);
	return at + layout->record;
}

/* A function without a frame record was interrupted: f6, called by f1. */
static uint64_t interrupted(struct fake_stack *s, const struct layout *layout)
{
	uint64_t regs = s->at.task + FIRST - layout->size, irq = s->at.irq + 0x3f00;
	uint64_t leaf = fs_function(s, 6, 0x8), lr = call(s, 1, 0x50, 6);
	uint64_t at = exception(s, regs, layout, leaf, lr, s->at.task + FIRST + 0x40);

	s->regs.value[SP] = irq - 0x40;
	s->regs.value[FP] = irq;
	record(s, irq, irq + 0x20, call(s, 10, 0x10, 0));
	record(s, irq + 0x20, at, call(s, 11, 0x10, 10)); /* entry code */
	return at;
}

static void test_exceptions(void **state)
{
	struct fake_stack *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		interrupted(s, &layouts[i]);
		check(s, "0+4= 10+14 11+14 6+8= 1+54 2+34 3+44");
	}
}

/* If the registers make no sense, the record in them is still used. */
static void test_bad_registers(void **state)
{
	struct fake_stack *s = *state;
	const struct layout *layout = &layouts[0];
	uint64_t at = interrupted(s, layout), regs = at - layout->record;
	const struct {
		unsigned int reg;
		uint64_t value;
	} bad[] = {
		{SP, at + 80}, {SP, at}, {SP, at - 16}, {SP, at + 24}, {PC, fs_function(s, 6, 12)},
		{FP, 0},       {FP, at}, {PSTATE, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		interrupted(s, layout);
		fs_put(s, regs + 8 * bad[i].reg, bad[i].value);
		check(s, "0+4= 10+14 11+14 6+8? 2+34 3+44");
	}
}

/* The exception came from user mode, or the record is the last one of a kernel thread. */
static void test_end_in_registers(void **state)
{
	struct fake_stack *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		uint64_t at = interrupted(s, &layouts[i]);
		uint64_t pstate = at - layouts[i].record + 8 * PSTATE;

		record(s, at, 0, 0);
		fs_put(s, at + 16, 1);
		check(s, "0+4= 10+14 11+14");
		fs_put(s, at + 16, 2);
		fs_put(s, pstate, 0x60000000);
		check(s, "0+4= 10+14 11+14");
	}
}

/* One exception is in another, and that one leads back to the first. */
static void test_many_exceptions(void **state)
{
	struct fake_stack *s = *state;
	const struct layout *layout = &layouts[0];
	uint64_t at = s->at.irq;

	s->regs.value[SP] = s->at.irq;
	s->regs.value[FP] = at + layout->record;
	for (; at + 2 * layout->size <= s->at.irq + FS_STACK; at += layout->size)
		exception(s, at, layout, fs_function(s, 6, 8), 0,
			  at + layout->size + layout->record);
	walk(s);
	assert_int_equal(s->stack.nr, 1 + FS_STACK / layout->size - 1);
	at -= layout->size;
	exception(s, at, layout, fs_function(s, 6, 8), 0, s->at.irq + layout->record);
	walk(s);
	assert_int_equal(s->stack.nr, 1 + FS_STACK / layout->size - 1);
}

/* ---------------------------------------------------------------------- bounds */

static void test_bounds(void **state)
{
	struct fake_stack *s = *state;
	uint64_t lr = fs_function(s, 1, 0x24);

	for (uint64_t at = 0; at + 32 <= FS_STACK; at += 16)
		record(s, s->at.task + at, s->at.task + at + 16, lr);
	s->regs.value[SP] = s->regs.value[FP] = s->at.task;
	walk(s);
	assert_int_equal(s->stack.nr, 128);
	assert_int_equal(s->stack.end, NMIBT_END_LIMIT);
	s->k->asked_left = 3;
	walk(s);
	assert_int_equal(s->stack.nr, 4);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_chain),
		TEST(test_leaf),
		TEST(test_leaf_caller),
		TEST(test_leaf_without_symbols),
		TEST(test_call_to_nowhere),
		TEST(test_no_stack),
		TEST(test_bad_records),
		TEST(test_impossible_records),
		TEST(test_bad_returns),
		TEST(test_unreadable),
		TEST(test_freed_code),
		TEST(test_pointer_authentication),
		TEST(test_stacks),
		TEST(test_too_many_stacks),
		TEST(test_exceptions),
		TEST(test_bad_registers),
		TEST(test_end_in_registers),
		TEST(test_many_exceptions),
		TEST(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
