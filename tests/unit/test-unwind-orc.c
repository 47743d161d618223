// SPDX-License-Identifier: GPL-2.0-or-later
/* Stacks of x86_64 by the kernel's ORC tables: all formats, damaged and hostile tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-stack.h"
#include "unwind/unwind.h"

/* pr_reg */
enum { R13 = 2, RBP = 4, R10 = 7, RAX = 10, RDX = 12, RDI = 14, RIP = 16, CS, EFLAGS, RSP, SS };
#define KERNEL_CS 0x10
#define USER_CS 0x33

/* The encoding of struct orc_entry in the kernels' orc_types.h. */
static const struct format {
	const char *name;
	unsigned int undefined, prev_sp, sp, bp, sp_indirect, bp_indirect;
	unsigned int ax, dx, di, r10, r13; /* 0: has none */
	unsigned int call, regs, regs_partial, end; /* with their flags */
	const char *header; /* NULL: none */
} formats[] = {
	{"6.1", 0, 1, 5, 4, 9, 8, 0, 2, 3, 6, 7, 0, 1, 2, 4, NULL},
	{"6.3", 0, 1, 5, 4, 9, 8, 0, 2, 3, 6, 7, 0, 5, 6, 8, NULL},
	{"6.3.y", 0, 1, 5, 4, 9, 8, 0, 2, 3, 6, 7, 0, 5, 6, 8,
	 "\xdb\x84\xae\xd4\x10\x3b\x31\xdd\x51\xe0\x17\xf8\xf7\x97\x83\xca\x98\x5c\x2c\x51"},
	{"6.4", 0, 1, 5, 4, 9, 8, 0, 2, 3, 6, 7, 2, 3, 4, 1, NULL},
	{"6.12", 0, 1, 5, 4, 9, 8, 0, 2, 3, 6, 7, 2, 3, 4, 1,
	 "\xfe\x5d\x32\xbf\x58\x1b\xd6\x3b\x2c\xa9\xa5\xc6\x5b\xa5\xa6\x25\xea\xb3\xfe\x24"},
	{"7.2", 0, 8, 3, 4, 9, 10, 1, 2, 5, 6, 7, 2, 3, 4, 1,
	 "\x13\x7c\x36\xad\x76\x27\xc4\xdd\x55\x93\x21\x76\xbb\x0e\xcd\xbd\x50\x41\xfc\x82"},
};

#define IPS UINT64_C(0xffffffff82000000)
#define ENTRIES (IPS + FK_PAGE)
#define HEADER (IPS + 2 * FK_PAGE)
#define MODULES (IPS + 3 * FK_PAGE)

/* Only booting needs this function. */
#define INIT_FUNCTION 14

struct test {
	struct fake_stack *s;
	const struct format *format;
	uint64_t ips_end;
	unsigned int nr;
	bool no_modules;
	uint64_t caller_pc, caller_sp; /* caller_sp counts from the stack pointer */
};

/* The test that callbacks belong to: their own argument is the kernel. */
static struct test *current;

static bool symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	(void)ctx;
	if (!strcmp(name, "__start_orc_unwind_ip"))
		*ret = IPS;
	else if (!strcmp(name, "__stop_orc_unwind_ip"))
		*ret = current->ips_end;
	else if (!strcmp(name, "__start_orc_unwind"))
		*ret = ENTRIES;
	else if (!strcmp(name, "__start_orc_header") && current->format->header)
		*ret = HEADER;
	else if (!strcmp(name, "modules") && !current->no_modules)
		*ret = MODULES;
	else if (!strcmp(name, "_sinittext"))
		*ret = fs_x86.text + INIT_FUNCTION * FS_FUNCTION;
	else if (!strcmp(name, "_einittext"))
		*ret = fs_x86.text + (INIT_FUNCTION + 1) * FS_FUNCTION;
	else
		return false;
	return true;
}

/* ---------------------------------------------------------------------- tables */

static void put_entry(struct test *t, uint64_t ips, uint64_t entries, unsigned int i, uint64_t ip,
		      unsigned int sp_reg, int sp_offset, unsigned int bp_reg, int bp_offset,
		      unsigned int type)
{
	int32_t offset = ip - (ips + 4 * i);
	int16_t entry[3] = {sp_offset, bp_offset, sp_reg | bp_reg << 4 | type << 8};

	memcpy(fs_at(t->s, ips + 4 * i), &offset, 4);
	memcpy(fs_at(t->s, entries + 6 * i), entry, 6);
}

/* Adds an entry; the calls must be sorted by address. */
static void entry(struct test *t, uint64_t ip, unsigned int sp_reg, int sp_offset,
		  unsigned int bp_reg, int bp_offset, unsigned int type)
{
	put_entry(t, IPS, ENTRIES, t->nr++, ip, sp_reg, sp_offset, bp_reg, bp_offset, type);
	t->ips_end = IPS + 4 * t->nr;
}

/*
 * Function 0 has pushed nothing from 0 to 0x10, and 24 bytes after that; so have all functions that
 * are not named here. Function 2 has a frame pointer from 0x10 on. 3 calls on another stack, whose
 * first word is the pointer of the first stack. 4 saves the registers that it interrupted, 5 is the
 * outermost one, 6 has no rule. 7 finds its stack in a register, 8 in a variable, 9 has only the
 * registers that the CPU itself saved.
 */
static void make_tables(struct test *t)
{
	const struct format *f = t->format;

	for (unsigned int n = 0; n < FS_FUNCTIONS; n++) {
		uint64_t at = fs_function(t->s, n, 0);

		switch (n) {
		case 2:
			entry(t, at, f->sp, 8, f->undefined, 0, f->call);
			entry(t, at + 0x10, f->bp, 16, f->prev_sp, -16, f->call);
			break;
		case 3:
			entry(t, at, f->sp_indirect, 8, f->undefined, 0, f->call);
			break;
		case 4:
			entry(t, at, f->sp, 16, f->undefined, 0, f->regs);
			break;
		case 5:
			entry(t, at, f->undefined, 0, f->undefined, 0, f->end);
			break;
		case 6:
			entry(t, at, f->undefined, 0, f->undefined, 0, 0);
			break;
		case 7:
			entry(t, at, f->r10, 0, f->undefined, 0, f->call);
			entry(t, at + 0x10, f->r13, 0, f->undefined, 0, f->call);
			entry(t, at + 0x20, f->di, 0, f->undefined, 0, f->call);
			entry(t, at + 0x30, f->dx, 0, f->undefined, 0, f->call);
			entry(t, at + 0x40, f->ax, 0, f->undefined, 0, f->call);
			break;
		case 8:
			entry(t, at, f->bp_indirect, -8, f->bp, 0, f->call);
			break;
		case 9:
			entry(t, at, f->sp, 0, f->undefined, 0, f->regs_partial);
			break;
		default:
			entry(t, at, f->sp, 8, f->undefined, 0, f->call);
			entry(t, at + 0x10, f->sp, 32, f->undefined, 0, f->call);
		}
	}
	entry(t, fs_function(t->s, FS_FUNCTIONS, 0), f->undefined, 0, f->undefined, 0, 0);
}

/* ---------------------------------------------------------------------- stacks */

/* Writes a call with this return address. */
static uint64_t calls(struct test *t, uint64_t ret)
{
	memcpy(fs_at(t->s, ret - 5), "\xe8\x11\x22\x33\x44", 5);
	return ret;
}

static uint64_t in(struct test *t, unsigned int function, uint64_t offset)
{
	return calls(t, fs_function(t->s, function, offset));
}

static void put(struct test *t, uint64_t at, uint64_t word)
{
	fs_put(t->s, at, word);
}

static void put_regs(struct test *t, uint64_t at, uint64_t ip, uint64_t cs, uint64_t sp)
{
	for (unsigned int i = 0; i < 21; i++)
		put(t, at + 8 * i, 0x1111 * i);
	put(t, at + 8 * RIP, ip);
	put(t, at + 8 * CS, cs);
	put(t, at + 8 * RSP, sp);
}

/* Most tests begin with this stack: function 0 was called by function 1, at the end of the
 * stack. */
#define FIRST 0x1000
static uint64_t first(struct test *t)
{
	return t->s->at.task + FIRST;
}

static void begin(struct test *t, unsigned int function, uint64_t offset)
{
	struct fake_stack *s = t->s;

	s->regs.nr = 27;
	for (unsigned int i = 0; i < 27; i++)
		s->regs.value[i] = 0;
	s->regs.value[RIP] = fs_function(s, function, offset);
	s->regs.value[CS] = KERNEL_CS;
	s->regs.value[RSP] = first(t);
}

static struct test *new_test(const struct format *format)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->format = format;
	t->s = fs_new(&fk_x86);
	t->no_modules = true;
	t->s->k->ops.symbol_addr = symbol_addr;
	fs_map(t->s, IPS, 4 * FK_PAGE);
	if (format->header)
		memcpy(fs_at(t->s, HEADER), format->header, 20);
	make_tables(t);
	begin(t, 0, 4);
	current = t;
	return t;
}

static void free_test(struct test *t)
{
	fs_free(t->s);
	free(t);
}

static struct nmibt_error *open_walk(struct test *t)
{
	return fs_open(t->s);
}

static void walk(struct test *t)
{
	struct fake_stack *s = t->s;
	struct nmibt_error *err = s->unwinder ? NULL : open_walk(t);

	if (!err)
		err = fs_unwind(s);
	if (err)
		fail_msg("%s: %s", t->format->name, err->message);
}

static void check(struct test *t, const char *expected)
{
	char got[4096];

	walk(t);
	fs_frames(t->s, got, sizeof(got));
	if (strcmp(got, expected))
		fail_msg("%s: %s, not %s", t->format->name, got, expected);
}

static void check_lost_modules(struct test *t, uint64_t expected)
{
	uint64_t lost;

	assert_true(nmibt_modules_are_lost(t->s->kernel, &lost));
	assert_int_equal(lost, expected);
}

static void check_no_lost_modules(struct test *t)
{
	uint64_t lost;

	assert_false(nmibt_modules_are_lost(t->s->kernel, &lost));
}

static void check_end(struct test *t, enum nmibt_stack_end end, uint64_t addr)
{
	assert_int_equal(t->s->stack.end, end);
	assert_int_equal(t->s->stack.end_addr, addr);
}

/* A letter for each frame: T task, I interrupt, N NMI, E exception. */
static void check_kinds(struct test *t, const char *expected)
{
	char got[NMIBT_MAX_FRAMES + 1] = "";

	for (size_t i = 0; i < t->s->stack.nr; i++)
		got[i] = "TISNEX"[t->s->stack.frames[i].kind];
	assert_string_equal(got, expected);
}

#define FOR_EACH_FORMAT(t)                                                                         \
	for (size_t i_ = 0; i_ < ARRAY_SIZE(formats); i_++)                                        \
		for (struct test *t = new_test(&formats[i_]); t; free_test(t), t = NULL)

static void test_calls(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		put(t, first(t), in(t, 1, 0x20));
		/* For a return address, the rule of the call before it counts. */
		put(t, first(t) + 0x20, in(t, 10, 0x10));
		put(t, first(t) + 0x28, in(t, 11, 0x30));
		put(t, first(t) + 0x48, in(t, 5, 0x30));
		check(t, "0+4= 1+20 10+10 11+30 5+30");
		/* In the first frame, the rule of the next instruction counts. */
		begin(t, 0, 0x10);
		put(t, first(t) + 0x18, in(t, 5, 0x30));
		check(t, "0+10= 5+30");
	}
}

static void test_frame_pointer(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		uint64_t frame = first(t) + 0x80;

		t->s->regs.value[RBP] = frame;
		put(t, first(t), in(t, 2, 0x40));
		put(t, frame, frame + 0x70); /* rbp of the caller */
		put(t, frame + 8, in(t, 2, 0x50));
		put(t, frame + 0x70, 0);
		put(t, frame + 0x78, in(t, 5, 0x30));
		check(t, "0+4= 2+40 2+50 5+30");
	}
}

/* The walk goes from the stack of an interrupt to the stack that the interrupt came from. */
static void test_stacks(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		uint64_t irq = t->s->at.irq + 0x3fc0;

		t->s->regs.value[RSP] = irq;
		put(t, irq, in(t, 1, 0x20));
		put(t, irq + 0x20, in(t, 3, 0x20));
		put(t, irq + 0x28, first(t)); /* by push of rsp */
		put(t, first(t), in(t, 10, 0x20));
		put(t, first(t) + 0x20, in(t, 5, 0x20));
		check(t, "0+4= 1+20 3+20 10+20 5+20");
		check_kinds(t, "IIITT");
		check_end(t, NMIBT_END_COMPLETE, 0);
		/* The walk never goes back. */
		put(t, first(t) + 0x20, in(t, 3, 0x20));
		put(t, first(t) + 0x28, irq);
		check(t, "0+4= 1+20 3+20 10+20 3+20");
		put(t, first(t) + 0x28, irq + 0x30);
		put(t, irq + 0x30, in(t, 1, 0x20));
		check(t, "0+4= 1+20 3+20 10+20 3+20");
	}
}

static void test_interrupted(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		uint64_t regs = first(t) + 8 + 16, sp = regs + 21 * 8;

		put(t, first(t), in(t, 4, 0x20));
		put_regs(t, regs, fs_function(t->s, 2, 0x10), KERNEL_CS, sp);
		put(t, regs + 8 * RBP, sp + 0x30);
		put(t, sp + 0x38, in(t, 5, 0x30));
		check(t, "0+4= 4+20 2+10= 5+30");
		/* These are registers of the interrupted function only. */
		put(t, regs + 8 * RIP, fs_function(t->s, 7, 4));
		put(t, regs + 8 * R10, sp + 0x40);
		check(t, "0+4= 4+20 7+4= 5+30");
		put(t, regs + 8 * RIP, in(t, 7, 0x18));
		put(t, regs + 8 * R13, sp + 0x40);
		put(t, sp + 0x38, in(t, 7, 0x18));
		check(t, "0+4= 4+20 7+18= 7+18");
		/* rbp of its caller is the one that it saved. */
		put(t, regs + 8 * RIP, fs_function(t->s, 2, 0x10));
		put(t, sp + 0x30, sp + 0x80);
		put(t, sp + 0x38, in(t, 1, 0x20));
		put(t, sp + 0x58, in(t, 2, 0x40));
		put(t, sp + 0x88, in(t, 5, 0x30));
		check(t, "0+4= 4+20 2+10= 1+20 2+40 5+30");
		/* From user mode. */
		put(t, regs + 8 * CS, USER_CS);
		check(t, "0+4= 4+20");
	}
}

static void test_bases(void **unused)
{
	(void)unused;
	static const struct {
		unsigned int offset, reg;
	} bases[] = {{4, R10}, {0x14, R13}, {0x24, RDI}, {0x34, RDX}, {0x44, RAX}};

	FOR_EACH_FORMAT(t)
	{
		put(t, first(t) + 0x58, in(t, 5, 0x30));
		for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
			if (bases[i].reg == RAX && !t->format->ax)
				continue;
			begin(t, 7, bases[i].offset);
			t->s->regs.value[bases[i].reg] = first(t) + 0x60;
			check(t, i == 0	  ? "7+4= 5+30"
				 : i == 1 ? "7+14= 5+30"
				 : i == 2 ? "7+24= 5+30"
				 : i == 3 ? "7+34= 5+30"
					  : "7+44= 5+30");
		}
		begin(t, 8, 4);
		t->s->regs.value[RBP] = first(t) + 0x40;
		put(t, first(t) + 0x38, first(t) + 0x60);
		check(t, "8+4= 5+30");
		/* The caller's value of such a register is not known. */
		begin(t, 0, 4);
		t->s->regs.value[R10] = first(t) + 0x60;
		put(t, first(t), in(t, 7, 8));
		check(t, "0+4= 7+8");
	}
}

/* An exception saved some registers within one that saved all of them. */
static void test_partial_registers(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		uint64_t iret = first(t), sp = first(t) + 0x100;

		begin(t, 9, 4);
		put(t, iret, fs_function(t->s, 7, 4));
		put(t, iret + 8, KERNEL_CS);
		put(t, iret + 24, sp);
		t->s->regs.value[R10] = sp + 0x20;
		put(t, sp + 0x18, in(t, 5, 0x30));
		check(t, "9+4= 7+4= 5+30");
		put(t, iret + 8, USER_CS);
		check(t, "9+4=");
		check_end(t, NMIBT_END_USER, 0);
	}
}

static void test_call_to_nowhere(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		put(t, first(t), in(t, 1, 0x20));
		put(t, first(t) + 0x20, in(t, 5, 0x20));
		t->s->regs.value[RIP] = 0;
		check(t, "0= 1+20 5+20");
		t->s->regs.value[RIP] = 0xffffffffc1000000;
		check(t, "0xffffffffc1000000= 1+20 5+20");
	}
}

/* ------------------------------------------------------------------- guessing */

static bool caller_of(void *arg, struct nmibt_walk *unused, struct nmibt_regs *regs, bool is_return)
{
	struct test *t = arg;

	(void)unused;
	assert_int_equal(regs->value[RIP] - is_return, fs_function(t->s, 6, is_return ? 0x1f : 4));
	regs->value[RSP] += t->caller_sp;
	regs->value[RIP] = t->caller_pc;
	regs->value[RBP] = first(t) + 0x80;
	return t->caller_pc;
}

/* Function 6 has no rule: if it is the innermost one, the stack is searched. */
static void test_undefined(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		begin(t, 6, 4);
		put(t, first(t) + 0x10, fs_function(t->s, 10, 0x20)); /* behind no call */
		put(t, first(t) + 0x18, in(t, 1, 0x20));
		put(t, first(t) + 0x38, in(t, 5, 0x30));
		check(t, "6+4= 1+20? 5+30?");
		begin(t, 0, 4);
		put(t, first(t), in(t, 6, 0x20));
		check(t, "0+4= 6+20");
		check_end(t, NMIBT_END_NO_UNWIND_DATA, fs_function(t->s, 6, 0x20));
	}
}

/* The memory of code that only booting needs is freed, and what stands there now may look like a
 * call. */
static void test_freed_code(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		begin(t, 6, 4);
		put(t, first(t) + 0x10, in(t, INIT_FUNCTION, 0x20));
		put(t, first(t) + 0x18, in(t, 1, 0x20));
		put(t, first(t) + 0x38, in(t, 5, 0x30));
		check(t, "6+4= 1+20? 5+30?");
		/* The tables say that this word is a return address. */
		begin(t, 0, 4);
		put(t, first(t), fs_function(t->s, INIT_FUNCTION, 0x20));
		put(t, first(t) + 0x20, in(t, 5, 0x30));
		check(t, "0+4= 14+20 5+30");
	}
}

/* walk->caller knows the function. */
static void test_caller(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		assert_null(open_walk(t));
		nmibt_unwinder_use(t->s->unwinder, caller_of, t);
		begin(t, 6, 4);
		put(t, first(t) + 0x88, in(t, 5, 0x30));
		t->caller_sp = 0x40;
		t->caller_pc = in(t, 2, 0x40);
		check(t, "6+4= 2+40 5+30");
		begin(t, 0, 4);
		put(t, first(t), in(t, 6, 0x20));
		check(t, "0+4= 6+20 2+40 5+30");
		t->caller_sp = 0; /* a call has pushed at least one word */
		check(t, "0+4= 6+20");
		t->caller_sp = 8;
		check(t, "0+4= 6+20 2+40 5+30");
		t->caller_pc = t->s->at.module + 0x40; /* behind no call, and without a name */
		check(t, "0+4= 6+20");
		t->caller_pc = 0;
		check(t, "0+4= 6+20");
	}
}

/* Registers that were saved on the stack are recognised by their values. */
static void test_guess_ends(void **unused)
{
	(void)unused;
	static const struct {
		unsigned int reg;
		uint64_t value;
	} bad[] = {{CS, 0x18}, {EFLAGS, 0x246 & ~2}, {EFLAGS, 0x400246}, {RSP, 0x7fff12345678}};

	FOR_EACH_FORMAT(t)
	{
		uint64_t regs = first(t) + 8 + 8 + 16, sp = regs + 21 * 8;

		t->s->regs.value[RIP] = t->s->at.module + 0x100;
		put(t, first(t) + 8, in(t, 4, 0x20));
		put_regs(t, regs, fs_function(t->s, 0, 4), KERNEL_CS, sp);
		put(t, sp, in(t, 5, 0x30));
		put(t, regs + 8 * EFLAGS, 0x246);
		check(t, "0xffffffffc0200100= 4+20? 0+4= 5+30");
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			put_regs(t, regs, fs_function(t->s, 0, 4), KERNEL_CS, sp);
			put(t, regs + 8 * EFLAGS, 0x246);
			put(t, regs + 8 * bad[i].reg, bad[i].value);
			check(t, bad[i].reg == RSP ? "0xffffffffc0200100= 4+20? 0+4=?"
						   : "0xffffffffc0200100= 4+20? 0+4=? 5+30?");
		}
	}
}

/* Calls through memory and registers: Intel SDM 2A. */
static void test_kinds_of_calls(void **unused)
{
	(void)unused;
	static const struct {
		const char *code;
		unsigned int len;
		bool is_call;
	} cases[] = {
		{"\xff\xd0", 2, true}, /* *%rax */
		{"\x41\xff\xd2", 3, true}, /* *%r10 */
		{"\xff\x10", 2, true}, /* *(%rax) */
		{"\xff\x14\x24", 3, true}, /* *(%rsp) */
		{"\xff\x50\x18", 3, true}, /* *0x18(%rax) */
		{"\xff\x54\x24\x08", 4, true}, /* *8(%rsp) */
		{"\xff\x15\x01\x02\x03\x04", 6, true}, /* *x(%rip) */
		{"\xff\x90\x01\x02\x03\x04", 6, true}, /* *x(%rax) */
		{"\xff\x94\x24\x01\x02\x03\x04", 7, true}, /* *x(%rsp) */
		{"\xe8\x01\x02\x03\x04", 5, true},
		{"\xe9\x01\x02\x03\x04", 5, false}, /* a jump */
		{"\xff\xe0", 2, false},
		{"\xff\x14", 2, false}, /* without the byte that must follow */
		{"\xff\x50", 2, false},
		{"\xff\x15", 2, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test *t = new_test(&formats[0]);
		uint64_t ret = fs_function(t->s, 10, 0x20);

		memset(fs_at(t->s, ret - 8), 0x90, 8);
		memcpy(fs_at(t->s, ret - cases[i].len), cases[i].code, cases[i].len);
		begin(t, 6, 4);
		put(t, first(t) + 8, ret);
		check(t, cases[i].is_call ? "6+4= 10+20?" : "6+4=");
		free_test(t);
	}
}

/* Code in no table: if it has a frame pointer, the caller's is known, too. */
static void test_compiled_at_run_time(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		uint64_t code = t->s->at.module + 0x100, frame = first(t) + 0x40;

		t->s->regs.value[RIP] = code;
		t->s->regs.value[RBP] = frame;
		put(t, frame, frame + 0x100);
		put(t, frame + 8, in(t, 2, 0x40));
		put(t, frame + 0x108, in(t, 5, 0x30));
		check(t, "0xffffffffc0200100= 2+40? 5+30?");
		begin(t, 0, 4);
		put(t, first(t), calls(t, code + 5));
		put(t, first(t) + 0x10, in(t, 1, 0x20));
		put(t, first(t) + 0x30, in(t, 5, 0x30));
		check(t, "0+4= 0xffffffffc0200105 1+20? 5+30?");
		/* The search does not go beyond the size of a likely frame. */
		memset(fs_at(t->s, first(t)), 0, FK_PAGE);
		put(t, first(t), code + 5);
		put(t, first(t) + 8 + 1024, in(t, 1, 0x20));
		check(t, "0+4= 0xffffffffc0200105");
		put(t, first(t) + 1024, in(t, 1, 0x20));
		check(t, "0+4= 0xffffffffc0200105 1+20?");
	}
}

/* --------------------------------------------------------------------- modules */

enum {
	LIST = 8,
	NAME = 0x18,
	MEMORY = 0x140,
	BASE = 0x10,
	SIZE = 0x18,
	KALLSYMS = 0x1a0,
	ARCH = 0x200
};
/* A module's symbols, in its page: struct mod_kallsyms, then Elf64_Sym, then strings. */
enum { SYMBOLS = 0x600, TABLE = 0x640, STRINGS = 0x700 };

static bool offset_in_module(const char *member, bool old, size_t *ret)
{
	if (!strcmp(member, "list"))
		*ret = LIST;
	else if (!strcmp(member, "arch"))
		*ret = ARCH;
	else if (!strcmp(member, "name"))
		*ret = NAME;
	else if (!strcmp(member, "kallsyms"))
		*ret = KALLSYMS;
	else if (!strcmp(member, old ? "core_layout" : "mem"))
		*ret = MEMORY;
	else
		return false;
	return true;
}

static bool offset_of(const char *type, const char *member, bool old, size_t *ret)
{
	if (!strcmp(type, "module"))
		return offset_in_module(member, old, ret);
	if (!strcmp(type, old ? "module_layout" : "module_memory") && !strcmp(member, "base"))
		*ret = BASE;
	else if (!strcmp(type, old ? "module_layout" : "module_memory") && !strcmp(member, "size"))
		*ret = SIZE;
	else if (!strcmp(type, "mod_kallsyms") && !strcmp(member, "symtab"))
		*ret = 0;
	else if (!strcmp(type, "mod_kallsyms") && !strcmp(member, "num_symtab"))
		*ret = 8;
	else if (!strcmp(type, "mod_kallsyms") && !strcmp(member, "strtab"))
		*ret = 16;
	else if (!strcmp(type, "mod_arch_specific") && !strcmp(member, "num_orcs"))
		*ret = 0;
	else if (!strcmp(type, "mod_arch_specific") && !strcmp(member, "orc_unwind_ip"))
		*ret = 8;
	else if (!strcmp(type, "mod_arch_specific") && !strcmp(member, "orc_unwind"))
		*ret = 16;
	else
		return false;
	return true;
}

static bool member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	(void)ctx;
	return offset_of(type, member, false, ret);
}

static bool old_member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	(void)ctx;
	return offset_of(type, member, true, ret);
}

/* Writes module n of the list, whose code has size bytes at base. */
static uint64_t put_module(struct test *t, unsigned int n, uint64_t next, uint64_t base,
			   uint32_t size, uint32_t nr)
{
	uint64_t at = MODULES + 0x300 * (n + 1);

	put(t, at + LIST, next);
	put(t, at + MEMORY + BASE, base);
	memcpy(fs_at(t->s, at + MEMORY + SIZE), &size, 4);
	memcpy(fs_at(t->s, at + ARCH), &nr, 4);
	put(t, at + ARCH + 8, t->s->at.module + 0x400);
	put(t, at + ARCH + 16, t->s->at.module + 0x500);
	return at + LIST;
}

static void make_modules(struct test *t)
{
	const struct format *f = t->format;
	uint64_t code = t->s->at.module;

	t->no_modules = false;
	put_entry(t, code + 0x400, code + 0x500, 0, code, f->sp, 8, f->undefined, 0, f->call);
	put_entry(t, code + 0x400, code + 0x500, 1, code + 0x80, f->sp, 0x48, f->undefined, 0,
		  f->call);
	uint64_t second = put_module(t, 1, MODULES, code, 0x400, 2);
	put(t, MODULES, put_module(t, 0, second, code + 0x1000, 0x400, 2));
	t->s->regs.value[RIP] = code + 0x90;
	put(t, first(t) + 0x10, in(t, 10, 0x20)); /* left from an earlier call */
	put(t, first(t) + 0x40, in(t, 5, 0x30));
}

static void test_modules(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		make_modules(t);
		t->s->k->ops.member_offset =
			t->format->header && t->format->call ? member_offset : old_member_offset;
		check(t, "0xffffffffc0200090= 5+30");
	}
	FOR_EACH_FORMAT(t)
	{
		make_modules(t); /* the layout of struct module is not known */
		check(t, "0xffffffffc0200090= 10+20?");
	}
}

static void put_symbol(struct test *t, unsigned int i, uint32_t name, uint16_t section,
		       uint64_t value)
{
	uint64_t at = t->s->at.module + TABLE + 24 * i;

	put(t, at, name | (uint64_t)section << 48);
	put(t, at + 8, value);
}

/* The second module of the list is called "mod" and has two functions, not sorted. */
static void name_module(struct test *t)
{
	uint64_t code = t->s->at.module, at = MODULES + 2 * 0x300;

	strcpy(fs_at(t->s, at + NAME), "mod");
	put(t, at + KALLSYMS, code + SYMBOLS);
	put(t, code + SYMBOLS, code + TABLE);
	put(t, code + SYMBOLS + 8, 6);
	put(t, code + SYMBOLS + 16, code + STRINGS);
	memcpy(fs_at(t->s, code + STRINGS), "\0second\0first\0$x\0data", 22);
	put_symbol(t, 1, 1, 1, code + 0x80);
	put_symbol(t, 2, 8, 1, code);
	put_symbol(t, 3, 14, 1, code + 0x88); /* no name */
	put_symbol(t, 4, 17, 1, code + 0x4000); /* no code */
	put_symbol(t, 5, 17, 0, code + 0x8c); /* of another module */
}

static void check_first(struct test *t, const char *function, const char *module, uint64_t offset)
{
	const struct nmibt_frame *f = &t->s->stack.frames[0];

	assert_int_equal(f->function.len, strlen(function));
	assert_string_equal(f->function.s, function);
	assert_string_equal(f->module.s, module);
	assert_int_equal(f->offset, offset);
}

static void test_module_names(void **unused)
{
	(void)unused;
	FOR_EACH_FORMAT(t)
	{
		make_modules(t);
		name_module(t);
		t->s->k->ops.member_offset =
			t->format->header && t->format->call ? member_offset : old_member_offset;
		check(t, "0xffffffffc0200090= 5+30");
		check_first(t, "second", "mod", 0x10);
		assert_int_equal(t->s->stack.frames[0].size, 0x400 - 0x80);
		t->s->regs.value[RIP] = t->s->at.module + 0x7f;
		walk(t);
		check_first(t, "first", "mod", 0x7f);
		assert_int_equal(t->s->stack.frames[0].size, 0x80);
		check_no_lost_modules(t);
	}
	/* Functions whose symbols can't be read have no names. */
	struct test *t = new_test(&formats[4]);
	make_modules(t);
	name_module(t);
	t->s->k->ops.member_offset = member_offset;
	put(t, t->s->at.module + SYMBOLS + 8, UINT32_MAX);
	check(t, "0xffffffffc0200090= 5+30");
	check_first(t, "", "", 0);
	assert_int_equal(t->s->stack.frames[0].addr, t->s->at.module + 0x90);
	check_lost_modules(t, t->s->at.module + SYMBOLS + 8);
	free_test(t);
}

/* The address is in "second", whose name can't be read. It is not in "first". */
static void test_lost_name(void **unused)
{
	(void)unused;
	struct test *t = new_test(&formats[4]);

	make_modules(t);
	name_module(t);
	put_symbol(t, 1, 0x100000, 1, t->s->at.module + 0x80);
	t->s->k->ops.member_offset = member_offset;
	check(t, "0xffffffffc0200090= 5+30");
	check_first(t, "", "", 0);
	check_lost_modules(t, t->s->at.module + STRINGS + 0x100000);
	t->s->regs.value[RIP] = t->s->at.module + 0x7f;
	walk(t);
	check_first(t, "first", "mod", 0x7f);
	free_test(t);
}

/* Every step of the list can be read, so only a limit of steps ends it. */
static void test_endless_list(void **unused)
{
	(void)unused;
	struct test *t = new_test(&formats[4]);

	make_modules(t);
	t->s->k->ops.member_offset = member_offset;
	put_module(t, 0, MODULES + 0x300 + LIST, t->s->at.module + 0x1000, 0x400, UINT32_MAX);
	check(t, "0xffffffffc0200090= 10+20?");
	free_test(t);
}

/* The list leads nowhere, or goes in a circle without its head. */
static void test_bad_modules(void **unused)
{
	(void)unused;
	uint64_t bad[] = {0, 0x1234, MODULES + 0x300 + LIST, MODULES + 4 * FK_PAGE, UINT64_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct test *t = new_test(&formats[4]);

		make_modules(t);
		t->s->k->ops.member_offset = member_offset;
		put(t, MODULES + 0x300 + LIST, bad[i]);
		check(t, "0xffffffffc0200090= 10+20?");
		check_lost_modules(t, bad[i]);
		free_test(t);
	}
	struct test *t = new_test(&formats[4]);
	make_modules(t);
	t->s->k->ops.member_offset = member_offset;
	put(t, MODULES, MODULES); /* the list's head is no module */
	put(t, MODULES - LIST + MEMORY + BASE, t->s->at.module);
	put(t, MODULES - LIST + MEMORY + SIZE, 0x400);
	put(t, MODULES - LIST + ARCH, 2);
	put(t, MODULES - LIST + ARCH + 8, t->s->at.module + 0x400);
	put(t, MODULES - LIST + ARCH + 16, t->s->at.module + 0x500);
	check(t, "0xffffffffc0200090= 10+20?");
	free_test(t);
	t = new_test(&formats[4]);
	make_modules(t);
	t->s->k->ops.member_offset = member_offset;
	put_module(t, 1, MODULES, t->s->at.module, 0x400, UINT32_MAX);
	check(t, "0xffffffffc0200090= 10+20?");
	free_test(t);
}

/* The tables that map modules are not to be had: what leads there is not nonsense, and no
 * call to nowhere. */
static void test_module_tables(void **unused)
{
	(void)unused;
	static const struct {
		enum nmibt_read status;
		enum nmibt_stack_end end;
	} cases[] = {{NMIBT_READ_EXCLUDED, NMIBT_END_EXCLUDED},
		     {NMIBT_READ_ERROR, NMIBT_END_UNREADABLE}};

	FOR_EACH_FORMAT(t)
	{
		uint64_t code = t->s->at.module;

		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			fs_set_table(t->s, code, cases[i].status);
			put(t, first(t), in(t, 1, 0x20));
			t->s->regs.value[RIP] = code + 0x90;
			check(t, "0xffffffffc0200090=");
			check_end(t, cases[i].end, code + 0x90);
			put(t, first(t), code + 0x90);
			begin(t, 0, 4);
			check(t, "0+4= 0xffffffffc0200090");
			check_end(t, cases[i].end, code + 0x8f);
		}
	}
}

/* ---------------------------------------------------------------------- damage */

static void check_refused(struct test *t, enum nmibt_code code)
{
	struct nmibt_error *err = open_walk(t);

	assert_non_null(err);
	assert_int_equal(err->code, code);
	assert_null(t->s->unwinder);
	nmibt_error_destroy(err);
}

static void test_no_tables(void **unused)
{
	(void)unused;
	struct test *t = new_test(&formats[4]);
	uint64_t end = t->ips_end;

	t->ips_end = IPS;
	check_refused(t, NMIBT_ERR_DAMAGED);
	t->ips_end = IPS + (UINT64_C(1) << 30);
	check_refused(t, NMIBT_ERR_DAMAGED);
	t->ips_end = end;
	/* That they can't be read is why the stack ends, and not that there are none. */
	fs_set_page(t->s, HEADER, NMIBT_READ_EXCLUDED);
	begin(t, 0, 4);
	check(t, "0+4=");
	check_end(t, NMIBT_END_EXCLUDED, HEADER);
	fs_set_page(t->s, HEADER, NMIBT_READ_OK);
	*(char *)fs_at(t->s, HEADER + 19) ^= 1;
	check_refused(t, NMIBT_ERR_DAMAGED);
	t->s->k->ops.symbol_addr = NULL;
	check_refused(t, NMIBT_ERR_NOTHING);
	free_test(t);
	t = new_test(&formats[0]);
	fs_set_page(t->s, ENTRIES, NMIBT_READ_ERROR);
	begin(t, 0, 4);
	check(t, "0+4=");
	check_end(t, NMIBT_END_UNREADABLE, ENTRIES);
	free_test(t);
}

static void test_no_stack(void **unused)
{
	(void)unused;
	struct test *t = new_test(&formats[4]);

	assert_null(open_walk(t));
	t->s->regs.value[CS] = USER_CS;
	assert_null(fs_unwind(t->s));
	assert_int_equal(t->s->stack.nr, 0);
	assert_int_equal(t->s->stack.end, NMIBT_END_USER);
	free_test(t);
}

/* Stack pointers lead nowhere, and words are no return addresses. */
static void test_bad_stacks(void **unused)
{
	(void)unused;
	struct test *t = new_test(&formats[4]);
	const uint64_t stacks[] = {
		0, 0x7fff12345678, first(t) + 4, UINT64_MAX - 7, UINT64_MAX, 0xffffc90000014000,
	};
	const uint64_t words[] = {
		0,
		0x401234,
		fs_function(t->s, 10, 0) & UINT32_MAX,
		t->s->at.module + 0x40, /* behind no call, and without a name */
		0xffffffff90000000, /* not mapped */
		first(t),
		t->s->at.other + 0x100, /* behind a call, but no address for code */
	};

	calls(t, t->s->at.other + 0x100);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		put(t, first(t), words[i]);
		check(t, "0+4=");
	}
	check_end(t, NMIBT_END_NONSENSE, first(t));
	put(t, first(t), in(t, 1, 0x20));
	fs_set_page(t->s, first(t), NMIBT_READ_EXCLUDED);
	check(t, "0+4=");
	check_end(t, NMIBT_END_EXCLUDED, first(t));
	fs_set_page(t->s, first(t), NMIBT_READ_OK);
	fs_set_page(t->s, ENTRIES, NMIBT_READ_ERROR);
	check(t, "0+4=");
	assert_int_equal(t->s->stack.end, NMIBT_END_UNREADABLE);
	fs_set_page(t->s, ENTRIES, NMIBT_READ_OK);
	fs_set_page(t->s, IPS, NMIBT_READ_ERROR);
	check(t, "0+4=");
	fs_set_page(t->s, IPS, NMIBT_READ_OK);
	for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
		t->s->regs.value[RSP] = stacks[i];
		check(t, "0+4=");
	}
	free_test(t);
}

/* Saved registers lead around on one stack; and a stack is full of calls. */
static void test_loops(void **unused)
{
	(void)unused;
	struct test *t = new_test(&formats[4]);
	uint64_t regs = first(t) + 8 + 16;

	put(t, first(t), in(t, 4, 0x20));
	put_regs(t, regs, fs_function(t->s, 0, 4), KERNEL_CS, first(t));
	check(t, "0+4= 4+20 0+4=");
	put_regs(t, regs, fs_function(t->s, 4, 4), KERNEL_CS, regs - 16);
	check(t, "0+4= 4+20 4+4=");
	begin(t, 9, 4);
	put(t, first(t), fs_function(t->s, 9, 4));
	put(t, first(t) + 8, KERNEL_CS);
	put(t, first(t) + 24, first(t));
	check(t, "9+4= 9+4=");
	begin(t, 8, 4);
	t->s->regs.value[RBP] = first(t) + 0x40;
	put(t, first(t) + 0x38, first(t) + 0x60);
	put(t, first(t) + 0x40, first(t) + 0x40);
	put(t, first(t) + 0x58, in(t, 8, 0x20));
	check(t, "8+4= 8+20");
	begin(t, 0, 4);
	for (uint64_t at = t->s->at.task; at < t->s->at.task + FS_STACK; at += 8)
		put(t, at, in(t, 10, 0x10));
	t->s->regs.value[RSP] = t->s->at.task;
	walk(t);
	assert_int_equal(t->s->stack.nr, 128);
	t->s->k->asked_left = 3;
	walk(t);
	assert_int_equal(t->s->stack.nr, 4);
	free_test(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_frame_pointer),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_bases),
		cmocka_unit_test(test_partial_registers),
		cmocka_unit_test(test_call_to_nowhere),
		cmocka_unit_test(test_undefined),
		cmocka_unit_test(test_freed_code),
		cmocka_unit_test(test_caller),
		cmocka_unit_test(test_guess_ends),
		cmocka_unit_test(test_kinds_of_calls),
		cmocka_unit_test(test_compiled_at_run_time),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_module_names),
		cmocka_unit_test(test_lost_name),
		cmocka_unit_test(test_endless_list),
		cmocka_unit_test(test_bad_modules),
		cmocka_unit_test(test_module_tables),
		cmocka_unit_test(test_no_tables),
		cmocka_unit_test(test_no_stack),
		cmocka_unit_test(test_bad_stacks),
		cmocka_unit_test(test_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
