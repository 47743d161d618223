// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a backtrace to frames, and what makes two stacks the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"

#define ARM64 NMIBT_ARCH_ARM64
#define X86_64 NMIBT_ARCH_X86_64

struct trace {
	struct nmibt_text text;
	struct nmibt_stack stack;
};

static struct trace trace_new(enum nmibt_arch arch, const char *raw)
{
	struct trace t;

	assert_null(nmibt_decode(raw, strlen(raw), strlen(raw), NULL, false, &t.text));
	assert_null(nmibt_trace(arch, &t.text, &t.stack));
	return t;
}

static void trace_free(struct trace *t)
{
	nmibt_text_destroy(&t->text);
	nmibt_stack_destroy(&t->stack);
}

static bool str_is(struct nmibt_str s, const char *want)
{
	return s.len == strlen(want) && !memcmp(s.s, want, s.len);
}

static void check_frame(const struct nmibt_frame *f, const char *function, uint64_t offset,
			uint64_t size, const char *module)
{
	assert_true(str_is(f->function, function));
	assert_int_equal(f->offset, offset);
	assert_int_equal(f->size, size);
	assert_true(str_is(f->module, module));
}

/* As a 6.12 arm64 kernel printed it for a spinning CPU. */
static const char arm64_spin[] = "\0014NMI backtrace for cpu 3\n"
				 "CPU: 3 UID: 0 PID: 118 Comm: irqspin Not tainted 6.12.0 #1\n"
				 "pstate: 800000c5 (Nzcv daIF -PAN -UAO -TCO)\n"
				 "pc : __delay+0x2c/0x50\n"
				 "lr : __udelay+0x2c/0x40\n"
				 "sp : ffff800082d3bd90\n"
				 "x29: ffff800082d3bd90 \001cx28: 0000000000000000 \001c\n"
				 "Call trace:\n"
				 " __delay+0x2c/0x50\n"
				 " fn+0x48/0x70 [irqspin]\n"
				 " kthread+0x110/0x120\n"
				 " ret_from_fork+0x10/0x20\n";

static void arm64(void **state)
{
	struct trace t = trace_new(ARM64, arm64_spin);

	(void)state;
	assert_int_equal(t.stack.nr, 5);
	check_frame(&t.stack.frames[0], "__delay", 0x2c, 0x50, "");
	assert_true(t.stack.frames[0].is_pc);
	assert_int_equal(t.stack.frames[0].line, 3);
	check_frame(&t.stack.frames[1], "__delay", 0x2c, 0x50, "");
	assert_false(t.stack.frames[1].is_pc);
	assert_int_equal(t.stack.frames[1].line, 8);
	check_frame(&t.stack.frames[2], "fn", 0x48, 0x70, "irqspin");
	check_frame(&t.stack.frames[3], "kthread", 0x110, 0x120, "");
	check_frame(&t.stack.frames[4], "ret_from_fork", 0x10, 0x20, "");
	for (size_t i = 0; i < t.stack.nr; i++) {
		assert_true(t.stack.frames[i].reliable);
		/* Also an empty module may be given to strndup() and "%.*s". */
		assert_non_null(t.stack.frames[i].module.s);
	}
	trace_free(&t);
}

static void x86_64(void **state)
{
	struct trace t = trace_new(
		X86_64,
		"\0014NMI backtrace for cpu 2\n"
		"CPU: 2 UID: 0 PID: 97 Comm: spin Tainted: G           O\n"
		"RIP: 0010:delay_tsc+0x2e/0x50\n"
		"Code: 89 c8 c3 <0f> 01 f9\n"
		"RSP: 0018:ffffc900001a7ee0 EFLAGS: 00000046\n"
		"Call Trace:\n"
		" <TASK>\n"
		" ? __pfx_spin_fn+0x10/0x10 [nmibt_spin]\n"
		" spin_fn.isra.0+0x55/0x70 [nmibt_spin 1234567890abcdef1234567890abcdef12345678]\n"
		" kthread+0xd8/0x110\n"
		" ? kthread+0x0/0x110\n"
		" ret_from_fork_asm+0x1a/0x30\n"
		"RIP: 0033:0x4b0642\n"
		"Code: Unable to access opcode bytes at 0x4b0618.\n"
		" </TASK>\n");

	(void)state;
	assert_int_equal(t.stack.nr, 6);
	check_frame(&t.stack.frames[0], "delay_tsc", 0x2e, 0x50, "");
	assert_true(t.stack.frames[0].is_pc && t.stack.frames[0].reliable);
	check_frame(&t.stack.frames[1], "__pfx_spin_fn", 0x10, 0x10, "nmibt_spin");
	assert_false(t.stack.frames[1].reliable);
	check_frame(&t.stack.frames[2], "spin_fn.isra.0", 0x55, 0x70, "nmibt_spin");
	assert_true(t.stack.frames[2].reliable);
	check_frame(&t.stack.frames[3], "kthread", 0xd8, 0x110, "");
	check_frame(&t.stack.frames[4], "kthread", 0, 0x110, "");
	assert_false(t.stack.frames[4].reliable);
	check_frame(&t.stack.frames[5], "ret_from_fork_asm", 0x1a, 0x30, "");
	trace_free(&t);
}

static void x86_64_interrupt_stacks(void **state)
{
	struct trace t = trace_new(X86_64, "RIP: 0010:a+0x1/0x10 [m]\n"
					   "Call Trace:\n"
					   " <NMI>\n"
					   " b+0x2/0x10\n"
					   " </NMI>\n"
					   " <IRQ>\n"
					   " c+0x3/0x10\n"
					   " </IRQ>\n"
					   " <TASK>\n"
					   " asm_sysvec+0x16/0x20\n"
					   "RIP: 0010:inner+0x4/0x10\n"
					   " d+0x5/0x10\n"
					   " </TASK>\n");

	(void)state;
	assert_int_equal(t.stack.nr, 5);
	check_frame(&t.stack.frames[0], "a", 1, 0x10, "m");
	check_frame(&t.stack.frames[1], "b", 2, 0x10, "");
	check_frame(&t.stack.frames[2], "c", 3, 0x10, "");
	check_frame(&t.stack.frames[3], "asm_sysvec", 0x16, 0x20, "");
	check_frame(&t.stack.frames[4], "d", 5, 0x10, "");
	trace_free(&t);
}

static void user_mode_has_no_kernel_frames(void **state)
{
	struct trace t = trace_new(ARM64, "pc : 0000aaaab7d01234\nlr : 0000aaaab7d01230\n");

	(void)state;
	assert_int_equal(t.stack.nr, 0);
	trace_free(&t);
	t = trace_new(X86_64, "RIP: 0033:0x4b0642\n");
	assert_int_equal(t.stack.nr, 0);
	trace_free(&t);
}

static void the_pc_line_is_the_architectures_own(void **state)
{
	struct trace t = trace_new(X86_64, "pc : a+0x1/0x10\n");

	(void)state;
	assert_int_equal(t.stack.nr, 0);
	trace_free(&t);
	t = trace_new(ARM64, "RIP: 0010:a+0x1/0x10\n");
	assert_int_equal(t.stack.nr, 0);
	trace_free(&t);
	/* lr is no frame: the trace has the caller. */
	t = trace_new(ARM64, "lr : a+0x1/0x10\n");
	assert_int_equal(t.stack.nr, 0);
	trace_free(&t);
}

/* Lines under a heading; NULL: not a frame. */
static void check_line(const char *line, const char *function, const char *module)
{
	char raw[512];

	snprintf(raw, sizeof(raw), "Call trace:\n%s\n", line);
	struct trace t = trace_new(ARM64, raw);
	assert_int_equal(t.stack.nr, function ? 1 : 0);
	if (function) {
		assert_true(str_is(t.stack.frames[0].function, function));
		assert_true(str_is(t.stack.frames[0].module, module));
		assert_int_equal(t.stack.frames[0].line, 1);
	}
	trace_free(&t);
}

static void names(void **state)
{
	(void)state;
	check_line(" foo.isra.0.cold+0x1/0x10", "foo.isra.0.cold", "");
	check_line(" foo.llvm.1234567890+0x1/0x10 [a-b]", "foo.llvm.1234567890", "a-b");
	check_line(" _RNvCs_4rust3fmt$u20$x+0x1/0x10", "_RNvCs_4rust3fmt$u20$x", "");
	check_line(" .Lfoo+0x1/0x10", ".Lfoo", "");
	check_line(" a@b:c#d+0x1/0x10", "a@b:c#d", "");
	check_line(" bpf_prog_6deef7357e7b4530_x+0x1/0x10 [bpf]", "bpf_prog_6deef7357e7b4530_x",
		   "bpf");
	check_line(" f+0x1/0x10 [m 0123456789abcdef]", "f", "m");
	check_line(" f+0x1/0x10 (P)", "f", "");
	check_line(" f+0x1/0x10 ", "f", "");
	check_line(" f+0x0/0xffffffffffffffff", "f", "");
	/* A torn module name: as much of it as there is. */
	check_line(" f+0x1/0x10 [mod", "f", "mod");
	check_line(" f+0x1/0x10 [", "f", "");
	check_line(" f+0x1/0x10 []", "f", "");
}

static void no_frames(void **state)
{
	(void)state;
	check_line("", NULL, NULL);
	check_line(" ", NULL, NULL);
	check_line(" ? ", NULL, NULL);
	check_line("f+0x1/0x10", NULL, NULL);
	check_line(" +0x1/0x10", NULL, NULL);
	check_line(" f", NULL, NULL);
	check_line(" f+", NULL, NULL);
	check_line(" f+0x", NULL, NULL);
	check_line(" f+0x/0x10", NULL, NULL);
	check_line(" f+0x1", NULL, NULL);
	check_line(" f+0x1/", NULL, NULL);
	check_line(" f+0x1/0x", NULL, NULL);
	check_line(" f+1/0x10", NULL, NULL);
	check_line(" f+0x1-0x10", NULL, NULL);
	check_line(" f+0x1/0x10z", NULL, NULL);
	check_line(" f+0xG/0x10", NULL, NULL);
	check_line(" f+0x11112222333344445/0x10", NULL, NULL);
	check_line(" f g+0x1/0x10", NULL, NULL);
	check_line(" f\033[31m+0x1/0x10", NULL, NULL);
	check_line(" f\377+0x1/0x10", NULL, NULL);
	check_line(" 0xffff800080010000", NULL, NULL);
	check_line(" <TASK>", NULL, NULL);
}

static void nothing_outside_the_trace(void **state)
{
	struct trace t = trace_new(ARM64, " a+0x1/0x10\n b+0x1/0x10\n");

	(void)state;
	assert_int_equal(t.stack.nr, 0);
	trace_free(&t);
	t = trace_new(ARM64, "");
	assert_int_equal(t.stack.nr, 0);
	trace_free(&t);
}

static void a_nul_in_a_name(void **state)
{
	static const char raw[] = "Call trace:\n f\0g+0x1/0x10\n";
	struct nmibt_text text;
	struct nmibt_stack stack;

	(void)state;
	assert_null(nmibt_decode(raw, sizeof(raw) - 1, sizeof(raw) - 1, NULL, false, &text));
	assert_null(nmibt_trace(ARM64, &text, &stack));
	assert_int_equal(stack.nr, 0);
	nmibt_stack_destroy(&stack);
	nmibt_text_destroy(&text);
}

/* ------------------------------------------------------------------- hashes */

static uint64_t hash_of(enum nmibt_arch arch, const char *raw)
{
	struct trace t = trace_new(arch, raw);
	uint64_t hash = nmibt_stack_hash(t.stack.frames, t.stack.nr);

	trace_free(&t);
	return hash;
}

static void same_functions_same_stack(void **state)
{
	uint64_t abc = hash_of(ARM64, "Call trace:\n a+0x1/0x10\n b+0x1/0x10\n c+0x1/0x10\n");

	(void)state;
	assert_int_not_equal(abc, 0);
	/* Wherever in them */
	assert_int_equal(abc,
			 hash_of(ARM64, "Call trace:\n a+0x5/0x10\n b+0x6/0x20\n c+0x7/0x30\n"));
	/* however the compiler split them, */
	assert_int_equal(
		abc,
		hash_of(ARM64,
			"Call trace:\n a.isra.0+0x1/0x10\n b.cold+0x1/0x10\n c.llvm.1+0x1/0x10\n"));
	/* whatever lay on the stack besides, */
	assert_int_equal(abc, hash_of(X86_64, "Call Trace:\n a+0x1/0x10\n ? z+0x1/0x10\n"
					      " b+0x1/0x10\n c+0x1/0x10\n"));
	/* and where the pc's own line has the first one. */
	assert_int_equal(abc, hash_of(X86_64, "RIP: 0010:a+0x1/0x10\nCall Trace:\n b+0x1/0x10\n"
					      " c+0x1/0x10\n"));
	assert_int_equal(abc, hash_of(ARM64, "pc : a+0x1/0x10\nCall trace:\n a+0x1/0x10\n"
					     " b+0x1/0x10\n c+0x1/0x10\n"));
}

static void other_functions_other_stack(void **state)
{
	uint64_t abc = hash_of(ARM64, "Call trace:\n a+0x1/0x10\n b+0x1/0x10\n c+0x1/0x10\n");

	(void)state;
	assert_int_not_equal(
		abc, hash_of(ARM64, "Call trace:\n a+0x1/0x10\n c+0x1/0x10\n b+0x1/0x10\n"));
	assert_int_not_equal(abc, hash_of(ARM64, "Call trace:\n a+0x1/0x10\n b+0x1/0x10\n"));
	assert_int_not_equal(abc, hash_of(ARM64, "Call trace:\n ab+0x1/0x10\n c+0x1/0x10\n"));
	/* Recursion is more than one frame. */
	assert_int_not_equal(hash_of(ARM64, "Call trace:\n a+0x1/0x10\n"),
			     hash_of(ARM64, "Call trace:\n a+0x1/0x10\n a+0x1/0x10\n"));
	/* x86_64's first line of the trace is a caller, be it the same function. */
	assert_int_not_equal(
		hash_of(X86_64, "RIP: 0010:a+0x1/0x10\nCall Trace:\n b+0x1/0x10\n"),
		hash_of(X86_64, "RIP: 0010:a+0x1/0x10\nCall Trace:\n a+0x5/0x10\n b+0x1/0x10\n"));
}

static void no_reliable_frame_no_stack(void **state)
{
	(void)state;
	assert_int_equal(nmibt_stack_hash(NULL, 0), 0);
	assert_int_equal(hash_of(X86_64, "Call Trace:\n ? a+0x1/0x10\n ? b+0x1/0x10\n"), 0);
}

static void compilers_suffixes(void **state)
{
	static const struct {
		const char *name;
		size_t len;
	} names[] = {{"foo", 3},    {"foo.isra.0", 3}, {"foo.cold", 3}, {".foo", 4},
		     {".foo.x", 4}, {".", 1},	       {"", 0},		{"a.", 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct nmibt_str s = {names[i].name, strlen(names[i].name)};
		assert_int_equal(nmibt_function_len(s), names[i].len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arm64),
		cmocka_unit_test(x86_64),
		cmocka_unit_test(x86_64_interrupt_stacks),
		cmocka_unit_test(user_mode_has_no_kernel_frames),
		cmocka_unit_test(the_pc_line_is_the_architectures_own),
		cmocka_unit_test(names),
		cmocka_unit_test(no_frames),
		cmocka_unit_test(nothing_outside_the_trace),
		cmocka_unit_test(a_nul_in_a_name),
		cmocka_unit_test(same_functions_same_stack),
		cmocka_unit_test(other_functions_other_stack),
		cmocka_unit_test(no_reliable_frame_no_stack),
		cmocka_unit_test(compilers_suffixes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
