// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The text of one CPU's backtrace: frames, why they end, and what the text says about the CPU; and
 * which stacks are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "text/text.h"
#include "kernel-text.h"

#define ARM64 NMIBT_ARCH_ARM64
#define X86_64 NMIBT_ARCH_X86_64
enum { IDLE_F = 1, USER_F = 2, OFF_F = 4 };

struct trace {
	struct nmibt_text text;
	struct nmibt_backtrace backtrace;
	struct nmibt_stack stack;
};

static struct trace trace_read(enum nmibt_arch arch, const char *raw, size_t len, const bool *known,
			       bool overflow)
{
	struct trace t;

	assert_null(nmibt_decode(raw, len, len, known, overflow, &t.text));
	memset(&t.backtrace, 0xee, sizeof(t.backtrace));
	assert_null(nmibt_read_backtrace(arch, &t.text, &t.backtrace));
	t.stack = t.backtrace.stack;
	return t;
}

static struct trace trace_new(enum nmibt_arch arch, const char *raw)
{
	return trace_read(arch, raw, strlen(raw), NULL, false);
}

static void trace_free(struct trace *t)
{
	nmibt_text_destroy(&t->text);
	nmibt_stack_destroy(&t->stack);
}

static void check_frame(const struct nmibt_frame *f, const char *function, uint64_t offset,
			uint64_t size, const char *module)
{
	assert_true(nmibt_str_is(f->function, function));
	assert_int_equal(f->offset, offset);
	assert_int_equal(f->size, size);
	assert_true(nmibt_str_is(f->module, module));
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
		/* Callers may pass even an empty module to strndup() and "%.*s". */
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
	assert_int_equal(t.stack.end, NMIBT_END_USER);
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

	static const enum nmibt_stack_kind kinds[] = {
		NMIBT_STACK_TASK, NMIBT_STACK_NMI,  NMIBT_STACK_IRQ,
		NMIBT_STACK_TASK, NMIBT_STACK_TASK, NMIBT_STACK_TASK,
	};

	(void)state;
	assert_int_equal(t.stack.nr, 6);
	check_frame(&t.stack.frames[0], "a", 1, 0x10, "m");
	check_frame(&t.stack.frames[1], "b", 2, 0x10, "");
	check_frame(&t.stack.frames[2], "c", 3, 0x10, "");
	check_frame(&t.stack.frames[3], "asm_sysvec", 0x16, 0x20, "");
	/* arch/x86/kernel/dumpstack.c: show_regs_if_on_stack() */
	check_frame(&t.stack.frames[4], "inner", 4, 0x10, "");
	check_frame(&t.stack.frames[5], "d", 5, 0x10, "");
	for (size_t i = 0; i < t.stack.nr; i++) {
		assert_int_equal(t.stack.frames[i].kind, kinds[i]);
		assert_int_equal(t.stack.frames[i].is_pc, i == 0);
		assert_int_equal(t.stack.frames[i].is_interrupted, i == 4);
		assert_true(nmibt_is_in_chain(t.stack.frames, i));
	}
	assert_int_equal(t.stack.end, NMIBT_END_COMPLETE);
	trace_free(&t);
}

/* Registers of interrupts within interrupts. One interrupt hit a function of a module, one hit code
 * without a name. */
static void x86_64_several_interrupts(void **state)
{
	struct trace t = trace_new(X86_64, "RIP: 0010:a+0x1/0x10\n"
					   "Call Trace:\n"
					   " <IRQ>\n"
					   " asm_exc_page_fault+0x22/0x30\n"
					   "RIP: 0010:b+0x1/0x10 [m]\n"
					   "Code: 00 <0f> 0b\n"
					   "RSP: 0018:ffffc90000003f00 EFLAGS: 00000246\n"
					   "RAX: 0000000000000000 RBX: 0000000000000000\n"
					   " handle+0x1/0x10\n"
					   " </IRQ>\n"
					   " <TASK>\n"
					   " asm_common_interrupt+0x22/0x40\n"
					   "RIP: 0010:0xffffffffc0000000\n"
					   " do_syscall_64+0xd2/0x100\n"
					   " entry_SYSCALL_64_after_hwframe+0x77/0x7f\n"
					   "RIP: 0033:0x4b0642\n"
					   "RSP: 002b:00007ffcc04f4430 EFLAGS: 00000202\n"
					   " </TASK>\n");

	(void)state;
	assert_int_equal(t.stack.nr, 8);
	check_frame(&t.stack.frames[2], "b", 1, 0x10, "m");
	assert_int_equal(t.stack.frames[2].kind, NMIBT_STACK_IRQ);
	assert_true(t.stack.frames[2].is_interrupted);
	check_frame(&t.stack.frames[5], "", 0, 0, "");
	assert_int_equal(t.stack.frames[5].addr, 0xffffffffc0000000);
	assert_true(t.stack.frames[5].is_interrupted);
	assert_int_equal(t.stack.end, NMIBT_END_USER);
	assert_false(t.backtrace.is_user || t.backtrace.has_sp || t.backtrace.has_irqs_off);
	trace_free(&t);
}

/* arch/x86/kernel/dumpstack_64.c, 4.4: two marks and a frame on a line, addresses. */
static void x86_64_4_4(void **state)
{
	struct trace t = trace_new(
		X86_64, "NMI backtrace for cpu 1\n"
			"CPU: 1 PID: 0 Comm: swapper/1 Not tainted 4.4.0 #1\n"
			"task: ffff88003d9e8000 ti: ffff88003d9f4000 task.ti: ffff88003d9f4000\n"
			"RIP: 0010:[<ffffffff8105d416>]  [<ffffffff8105d416>] delay_tsc+0x6/0x10\n"
			"RSP: 0018:ffff88003d9f7e80  EFLAGS: 00000046\n"
			"Stack:\n"
			" ffff88003d9f7e88 ffffffff8101d5da ffff88003d9f7e98\n"
			" ffffffff8101dd0f ffff88003d9f7ea8 <EOI>  ffffffff810b8a7a\n"
			"Call Trace:\n"
			" <NMI>  [<ffffffff8101d5da>] a+0xa/0x30 [m]\n"
			" <<EOE>>  <IRQ>  [<ffffffff8101dd0f>] b+0xf/0x20\n"
			" [<ffffffff8101dd10>] ? c+0xf/0x20\n"
			" <EOI>  [<ffffffff810b8a7a>] d+0x2a/0x40\n"
			" [<ffffffff81045c9c>] start_secondary+0x15c/0x180\n"
			"Code: 00 <0f> 0b\n");

	(void)state;
	assert_int_equal(t.stack.nr, 6);
	check_frame(&t.stack.frames[0], "delay_tsc", 6, 0x10, "");
	assert_true(t.stack.frames[0].is_pc);
	assert_int_equal(t.stack.frames[0].addr, 0xffffffff8105d416);
	check_frame(&t.stack.frames[1], "a", 0xa, 0x30, "m");
	assert_int_equal(t.stack.frames[1].kind, NMIBT_STACK_NMI);
	check_frame(&t.stack.frames[2], "b", 0xf, 0x20, "");
	assert_int_equal(t.stack.frames[2].kind, NMIBT_STACK_IRQ);
	check_frame(&t.stack.frames[3], "c", 0xf, 0x20, "");
	assert_false(t.stack.frames[3].reliable);
	assert_int_equal(t.stack.frames[3].kind, NMIBT_STACK_IRQ);
	check_frame(&t.stack.frames[4], "d", 0x2a, 0x40, "");
	assert_int_equal(t.stack.frames[4].kind, NMIBT_STACK_TASK);
	assert_int_equal(t.stack.end, NMIBT_END_COMPLETE);
	assert_int_equal(t.backtrace.sp, 0xffff88003d9f7e80);
	assert_true(t.backtrace.has_irqs_off && t.backtrace.irqs_off);
	trace_free(&t);
}

/* arch/arm64/kernel/process.c and traps.c, 4.8 */
static void arm64_4_8(void **state)
{
	struct trace t = trace_new(
		ARM64, "CPU: 1 PID: 118 Comm: spin Not tainted 4.8.0 #1\n"
		       "Hardware name: linux,dummy-virt (DT)\n"
		       "task: ffff80003c1d0000 task.stack: ffff80003c1dc000\n"
		       "PC is at spin_fn+0x14/0x20 [spin]\n"
		       "LR is at kthread+0xcc/0xe0\n"
		       "pc : [<ffff000000a50014>] lr : [<ffff0000080d5b5c>] pstate: 600001c5\n"
		       "sp : ffff80003c1dfe50\n"
		       "x29: ffff80003c1dfe50 x28: 0000000000000000 \n"
		       "Call trace:\n"
		       "Exception stack(0xffff80003c1dfc80 to 0xffff80003c1dfdb0)\n"
		       "fc80: 0000000000000000 0001000000000000\n"
		       "[<ffff000000a50014>] spin_fn+0x14/0x20 [spin]\n"
		       "[<ffff0000080d5b5c>] kthread+0xcc/0xe0\n"
		       "[<ffff000008082e90>] ret_from_fork+0x10/0x40\n"
		       "Code: d503201f\n");

	(void)state;
	assert_int_equal(t.stack.nr, 4);
	check_frame(&t.stack.frames[0], "spin_fn", 0x14, 0x20, "spin");
	assert_true(t.stack.frames[0].is_pc);
	check_frame(&t.stack.frames[1], "spin_fn", 0x14, 0x20, "spin");
	assert_false(nmibt_is_in_chain(t.stack.frames, 1));
	check_frame(&t.stack.frames[3], "ret_from_fork", 0x10, 0x40, "");
	assert_int_equal(t.stack.frames[3].addr, 0xffff000008082e90);
	assert_int_equal(t.stack.end, NMIBT_END_COMPLETE);
	assert_int_equal(t.backtrace.sp, 0xffff80003c1dfe50);
	assert_true(t.backtrace.irqs_off && !t.backtrace.is_user);
	trace_free(&t);
	/* The text shows that it was user mode only after the pc. */
	t = trace_new(ARM64,
		      "PC is at 0x4008a0\n"
		      "pc : [<00000000004008a0>] lr : [<00000000004008a0>] pstate: 60000000\n");
	assert_int_equal(t.stack.nr, 0);
	assert_true(t.backtrace.is_user);
	assert_int_equal(t.stack.end, NMIBT_END_USER);
	trace_free(&t);
}

/* arch/arm64/kernel/entry.S, stacktrace.c: the function that was hit follows the entry, since 6.13
 * with a P. */
static void check_arm64_interrupt(const char *raw, size_t nr, size_t interrupted)
{
	struct trace t = trace_new(ARM64, raw);

	assert_int_equal(t.stack.nr, nr);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(t.stack.frames[i].is_interrupted, i == interrupted);
	if (interrupted < nr)
		assert_true(nmibt_is_in_chain(t.stack.frames, interrupted));
	trace_free(&t);
}

static void arm64_interrupts(void **state)
{
	(void)state;
	check_arm64_interrupt("pc : a+0x1/0x10\nCall trace:\n a+0x1/0x10\n el1_interrupt+0x1/0x10\n"
			      " el1h_64_irq+0x6c/0x70\n hit+0x1/0x10\n b+0x1/0x10\n",
			      6, 4);
	check_arm64_interrupt("Call trace:\n a+0x1/0x10\n el1_irq+0xcc/0x180\n hit+0x1/0x10\n", 3,
			      2);
	check_arm64_interrupt("pc : a+0x1/0x10\nCall trace:\n a+0x1/0x10 (P)\n"
			      " el1h_64_irq+0x6c/0x70\n hit+0x1/0x10 (P)\n b+0x1/0x10\n",
			      5, 3);
	/* It must also work without the line of the pc. */
	check_arm64_interrupt("Call trace:\n a+0x1/0x10 (P)\n b+0x1/0x10\n hit+0x1/0x10 (P)\n", 3,
			      2);
	check_arm64_interrupt("Call trace:\n el1h_64_irq+0x6c/0x70\n lr+0x1/0x10 (L)\n"
			      " hit+0x1/0x10\n",
			      3, 2);
	/* 4.8 prints the caller of the function that was hit. */
	check_arm64_interrupt("Call trace:\n[<ffff000008082e90>] el1_irq+0xcc/0x180\n"
			      "[<ffff000008082e94>] caller+0x1/0x10\n",
			      2, SIZE_MAX);
	/* A module's function may have any name. */
	check_arm64_interrupt("Call trace:\n el1_irq+0x1/0x10 [m]\n a+0x1/0x10\n"
			      " el1_irq+0x1/0x10\n hit+0x1/0x10\n",
			      4, 3);
}

static void user_mode_has_no_kernel_frames(void **state)
{
	struct trace t = trace_new(ARM64, "pc : 0000aaaab7d01234\nlr : 0000aaaab7d01230\n");

	(void)state;
	assert_int_equal(t.stack.nr, 0);
	assert_int_equal(t.stack.end, NMIBT_END_USER);
	trace_free(&t);
	t = trace_new(X86_64, "RIP: 0033:0x4b0642\n");
	assert_int_equal(t.stack.nr, 0);
	assert_int_equal(t.stack.end, NMIBT_END_USER);
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

/* comm NULL: the text must not tell the task. */
static void check(enum nmibt_arch arch, const char *raw, const char *comm, int32_t pid,
		  unsigned int flags, uint64_t sp)
{
	struct trace t = trace_new(arch, raw);
	const struct nmibt_backtrace *b = &t.backtrace;
	unsigned int got = 0;
	char expected[NMI_CAPTURE_COMM_LEN] = "";

	if (comm)
		memcpy(expected, comm, strlen(comm));
	if (memcmp(b->comm, expected, sizeof(expected)))
		fail_msg("\"%.16s\" in %s", b->comm, raw);
	assert_int_equal(b->has_task, comm != NULL);
	assert_int_equal(b->pid, pid);
	if (b->is_skipped || nmibt_is_idle_stack(&b->stack))
		got |= IDLE_F;
	if (b->is_user)
		got |= USER_F;
	if (b->irqs_off)
		got |= OFF_F;
	assert_true(b->has_irqs_off || !b->irqs_off);
	assert_int_equal(got, flags);
	assert_int_equal(b->has_sp, sp != 0);
	assert_int_equal(b->sp, sp);
	trace_free(&t);
}

/* ----------------------------------------------------------------- whole texts */

static void x86_64_facts(void **state)
{
	(void)state;
	check(X86_64, IDLE(3), "swapper/3", 0, IDLE_F, 0xff7b8b09400d3ed8);
	check(X86_64, IDLE_5_10(3), "swapper/3", 0, IDLE_F, 0xffffaecc80093ef0);
	check(X86_64, SPIN(7, 118), "spin", 118, OFF_F, 0xffffc900001a7ee0);
	check(X86_64, USER(2, 193), "sh", 193, USER_F, 0x7ffcc04f4430);
	check(X86_64, USER_5_10(2, 126), "sh", 126, USER_F, 0x7ffcc04f4430);
	check(X86_64, SKIPPED(3), NULL, 0, IDLE_F, 0);
	check(X86_64, OOPS(2, 127), "sh", 127, 0, 0xffffc900001a7ee0);
	check(X86_64, SOFT_LOCKUP(3, 118), "spin", 118, OFF_F, 0xffffc900001a7ee0);
	check(X86_64, "", NULL, 0, 0, 0);
}

static void arm64_facts(void **state)
{
	(void)state;
	check(ARM64, ARM64_SPIN(3, 63), "spin", 63, OFF_F, 0xffff0000013dbe00);
	check(ARM64, ARM64_USER(0, 68), "sh", 68, USER_F, 0xffffd2c4a5f0);
	check(ARM64, ARM64_PANIC(1, 1), "init", 1, 0, 0);
}

/* Registers after "Call Trace:" are those of an outer entry. */
static void behind_the_trace(void **state)
{
	(void)state;
	check(X86_64, ASKER(1, 1), "init", 1, 0, 0);
	check(X86_64, ASKER_5_10(1, 1), "init", 1, 0, 0);
	check(X86_64, PANIC(1, 1), "init", 1, 0, 0);
	check(X86_64, "Call Trace:\n" SPIN_REGS, NULL, 0, 0, 0);
	check(ARM64, "Call trace:\npstate: 810000c5 (Nzcv)\nsp : ffff0000013dbe00\n", NULL, 0, 0,
	      0);
	check(X86_64, "Call Trace:\n" INFO(3, 7, "sh"), NULL, 0, 0, 0);
	/* Only the first registers and the first task count. */
	check(X86_64, SPIN_REGS USER_REGS INFO(3, 7, "sh") INFO(3, 0, "x"), "sh", 7, OFF_F,
	      0xffffc900001a7ee0);
}

/* Each form is recognised for its own architecture only. */
static void other_arch(void **state)
{
	(void)state;
	check(ARM64, SPIN(3, 63), "spin", 63, 0, 0);
	check(X86_64, ARM64_SPIN(3, 63), "spin", 63, 0, 0);
	/* If the architecture is not known, forms of all architectures are recognised. */
	check(NMIBT_ARCH_UNKNOWN, SPIN(3, 63), "spin", 63, OFF_F, 0xffffc900001a7ee0);
	check(NMIBT_ARCH_UNKNOWN, ARM64_SPIN(3, 63), "spin", 63, OFF_F, 0xffff0000013dbe00);
}

/* ------------------------------------------------------------------ the task */

static void tasks(void **state)
{
	static const struct {
		const char *line, *comm;
		int32_t pid;
	} cases[] = {
		{"CPU: 1 PID: 1 Comm: init Not tainted 5.10.0 #1", "init", 1},
		{"CPU: 1 UID: 1000 PID: 77 Comm: init Not tainted 6.12 #1", "init", 77},
		{"CPU: 1 UID: 0 PID: 7 Comm: kworker/1:2 Kdump: loaded Not tainted 6.12 #1",
		 "kworker/1:2", 7},
		{"CPU: 1 PID: 7 Comm: ls Kdump: loaded Tainted: G        W  OE 6.1 #1", "ls", 7},
		{"CPU: 1 PID: 7 Comm: ls Tainted: P 6.1 #1", "ls", 7},
		{"CPU: 1 PID: 7 Comm: Web Content Not tainted 6.1 #1", "Web Content", 7},
		{"CPU: 1 PID: 7 Comm: 123456789012345 Not tainted 6.1 #1", "123456789012345", 7},
		{"CPU: 1 PID: 7 Comm: a b c d e f g h Kdump: loaded Not tainted 6.1",
		 "a b c d e f g h", 7},
		/* No task's name is so long. */
		{"CPU: 1 PID: 7 Comm: 1234567890123456 Not tainted 6.1", "", 7},
		{"CPU: 1 PID: 7 Comm: 12345678901234567 Not tainted 6.1", "", 7},
		{"CPU: 1 PID: 7 Comm: Not tainted Not tainted 6.1 #1", "Not tainted", 7},
		{"CPU: 1 PID: 7 Comm:  Not tainted 6.1 #1", "", 7},
		{"CPU: 1 PID: 7 Comm:  x Not tainted 6.1 #1", " x", 7},
		/* What is in the name, and what behind it? */
		{"CPU: 1 PID: 7 Comm: x Not tainted Kdump: loaded Tainted: P 6.1", "x Not tainted",
		 7},
		{"CPU: 1 PID: 7 Comm: x Tainted: G W Not tainted 6.1", "x Tainted: G W", 7},
		{"CPU: 1 PID: 7 Comm: w Kdump: loaded Not tainted 6.1", "", 7},
		{"CPU: 1 PID: 7 Comm: sh Kdump: loaded Not tainted 6.1", "sh", 7},
		{"CPU: 1 PID: 7 Comm: cut", "", 7},
		{"CPU: 1 PID: 7 Comm: cut Not tainted", "", 7},
		{"CPU: 1 PID: 7 Comm: ", "", 7},
		{"CPU: 1 PID: 7 Comm: PID: 8 Comm: y Not tainted 6.1", "PID: 8 Comm: y", 7},
		{"CPU: 1 PID: 2147483647 Comm: sh Not tainted 6.1", "sh", INT32_MAX},
		{"CPU: 1 PID: 2147483648 Comm: sh Not tainted 6.1", NULL, 0},
		{"CPU: 1 PID: 99999999999999999999 Comm: sh Not tainted 6.1", NULL, 0},
		{"CPU: 1 PID: -1 Comm: sh Not tainted 6.1", NULL, 0},
		{"CPU: 1 PID: 7f Comm: sh Not tainted 6.1", "sh", 7},
		{"CPU: 1 PID: Comm: sh Not tainted 6.1", NULL, 0},
		{"CPU: 1 PID: 7 Comm:", NULL, 0},
		{"CPU: 1 Comm: sh Not tainted 6.1", NULL, 0},
		{" CPU: 1 PID: 7 Comm: sh Not tainted 6.1", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(X86_64, cases[i].line, cases[i].comm, cases[i].pid, 0, 0);
	check(ARM64, "CPU: 1 PID: 0 Comm: swapper/1 Not tainted 6.1", "swapper/1", 0, 0, 0);
}

/* --------------------------------------------------------------- why a stack ends */

static void check_end(enum nmibt_arch arch, const char *raw, enum nmibt_stack_end end)
{
	struct trace t = trace_new(arch, raw);

	if (t.stack.end != end)
		fail_msg("end %d, not %d: %s", t.stack.end, end, raw);
	trace_free(&t);
}

static void ends(void **state)
{
	(void)state;
	check_end(X86_64, IDLE(3), NMIBT_END_COMPLETE);
	check_end(X86_64, IDLE_5_10(3), NMIBT_END_COMPLETE);
	check_end(X86_64, SPIN(3, 63), NMIBT_END_COMPLETE);
	check_end(X86_64, USER(3, 63), NMIBT_END_USER);
	check_end(X86_64, ASKER(3, 63), NMIBT_END_USER);
	check_end(X86_64, ASKER_5_10(3, 63), NMIBT_END_USER);
	check_end(X86_64, SKIPPED(3), NMIBT_END_UNKNOWN);
	check_end(ARM64, ARM64_SPIN(3, 63), NMIBT_END_COMPLETE);
	check_end(ARM64, ARM64_USER(3, 63), NMIBT_END_USER);
	check_end(ARM64, ARM64_PANIC(3, 63), NMIBT_END_USER);
	check_end(X86_64, "", NMIBT_END_UNKNOWN);
	check_end(X86_64, "RIP: 0010:a+0x1/0x10\n", NMIBT_END_UNKNOWN);
	/* Kernels that print <TASK> print its end, too. */
	check_end(X86_64, "Call Trace:\n <TASK>\n a+0x1/0x10\n", NMIBT_END_CUT);
	check_end(X86_64, "Call Trace:\n <TASK>\n a+0x1/0x10\n </TASK>\n", NMIBT_END_COMPLETE);
	check_end(X86_64, "Call Trace:\n a+0x1/0x10\n", NMIBT_END_UNKNOWN);
	check_end(X86_64, "Call Trace:\n a+0x1/0x10\n ? ret_from_fork+0x1/0x10\n",
		  NMIBT_END_UNKNOWN);
	check_end(X86_64, "Call Trace:\n a+0x1/0x10\n ret_from_fork+0x1/0x10\n ? b+0x1/0x10\n",
		  NMIBT_END_COMPLETE);
	check_end(X86_64, "Call Trace:\n a+0x1/0x10\n ret_from_fork+0x1/0x10 [m]\n",
		  NMIBT_END_UNKNOWN);
	/* Xen PV */
	check_end(X86_64, "RIP: e033:0x401030\n", NMIBT_END_USER);
	check_end(X86_64, "Call Trace:\n a+0x1/0x10\nRIP: e033:0x401030\n", NMIBT_END_USER);
	/* A kernel thread has no registers of user mode. */
	check_end(X86_64,
		  "Call Trace:\n <TASK>\n a+0x1/0x10\n ret_from_fork_asm+0x1a/0x30\n"
		  "RIP: 0000:0x0\n </TASK>\n",
		  NMIBT_END_COMPLETE);
	for (const char *const *name =
		     (const char *const[]){"secondary_startup_64_no_verify", "start_secondary",
					   "common_startup_64", "x86_64_start_kernel", NULL};
	     *name; name++) {
		char raw[128];

		snprintf(raw, sizeof(raw), "Call Trace:\n a+0x1/0x10\n %s+0x1/0x10\n", *name);
		check_end(X86_64, raw, NMIBT_END_COMPLETE);
	}
}

static void cut_text(void **state)
{
	static const char raw[] = "Call Trace:\n a+0x1/0x10\n b+0x1/0x1";
	static const char complete[] = "Call Trace:\n a+0x1/0x10\n ret_from_fork+0x1/0x10\nCode: 0";
	struct trace t = trace_read(X86_64, raw, strlen(raw), NULL, true);

	(void)state;
	assert_int_equal(t.stack.end, NMIBT_END_CUT);
	trace_free(&t);
	t = trace_read(X86_64, complete, strlen(complete), NULL, true);
	assert_int_equal(t.stack.end, NMIBT_END_COMPLETE);
	trace_free(&t);
	/* A CPU was still printing. */
	struct nmibt_text text;
	struct nmibt_backtrace backtrace;
	assert_null(nmibt_decode(raw, strlen(raw), 13, NULL, false, &text));
	assert_null(nmibt_read_backtrace(X86_64, &text, &backtrace));
	assert_int_equal(backtrace.stack.end, NMIBT_END_CUT);
	nmibt_stack_destroy(&backtrace.stack);
	nmibt_text_destroy(&text);
}

/* A frame after missing bytes is no neighbour of the frame before them. */
static struct trace trace_with_gap(const char *raw, const char *at)
{
	bool known[512];
	size_t len = strlen(raw), gap = strstr(raw, at) - raw;

	for (size_t i = 0; i < len; i++)
		known[i] = i < gap || i >= gap + strlen(at);
	return trace_read(X86_64, raw, len, known, false);
}

static void gaps(void **state)
{
	struct trace whole = trace_new(X86_64, "Call Trace:\n a+0x1/0x10\n");
	struct trace t = trace_with_gap("Call Trace:\n a+0x1/0x10\n b+0x1/0x10\n c+0x1/0x10\n"
					" ret_from_fork+0x1/0x10\n",
					" b+0x1/0x10\n");

	(void)state;
	assert_int_equal(t.stack.end, NMIBT_END_GAP);
	assert_int_equal(t.stack.nr, 3);
	assert_true(t.stack.frames[0].reliable);
	assert_false(t.stack.frames[1].reliable || t.stack.frames[2].reliable);
	assert_int_equal(nmibt_stack_hash(t.stack.frames, t.stack.nr),
			 nmibt_stack_hash(whole.stack.frames, whole.stack.nr));
	trace_free(&t);
	/* The gap is before all frames: the innermost frame is not known. */
	t = trace_with_gap("RIP: 0010:a+0x1/0x10\nCall Trace:\n b+0x1/0x10\n",
			   "RIP: 0010:a+0x1/0x10\n");
	assert_int_equal(t.stack.end, NMIBT_END_GAP);
	assert_int_equal(nmibt_stack_hash(t.stack.frames, t.stack.nr), 0);
	trace_free(&t);
	/* No frame is lost after the outermost function, or after the end mark. */
	t = trace_with_gap("Call Trace:\n a+0x1/0x10\n ret_from_fork+0x1/0x10\nCode: 00\n",
			   "Code: 00\n");
	assert_int_equal(t.stack.end, NMIBT_END_COMPLETE);
	trace_free(&t);
	t = trace_with_gap("Call Trace:\n <TASK>\n a+0x1/0x10\n </TASK>\nCode: 00\n", "Code: 00\n");
	assert_int_equal(t.stack.end, NMIBT_END_COMPLETE);
	trace_free(&t);
	/* The line that says where the CPU came from is behind the gap. */
	t = trace_with_gap("Call Trace:\n a+0x1/0x10\nCode: 00\nRIP: 0033:0x1\n", "Code: 00\n");
	assert_int_equal(t.stack.end, NMIBT_END_GAP);
	trace_free(&t);
	trace_free(&whole);
}

/* Lines after the end of a trace repeat it, or are about another CPU. */
static void behind_the_end(void **state)
{
	static const char *const behind[] = {
		MODULES "---[ end trace 0000000000000000 ]---\n" OOPS_SUMMARY " c+0x1/0x10\n",
		"Call Trace:\n c+0x1/0x10\n",
		TITLE(3) "RIP: 0010:c+0x1/0x10\nCall Trace:\n d+0x1/0x10\n",
		INFO(3, 7, "sh") "RIP: 0010:c+0x1/0x10\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(behind); i++) {
		char raw[1024];

		snprintf(raw, sizeof(raw), "Call Trace:\n a+0x1/0x10\n b+0x1/0x10\n%s", behind[i]);
		struct trace t = trace_new(X86_64, raw);
		assert_int_equal(t.stack.nr, 2);
		trace_free(&t);
	}
	struct trace t = trace_new(X86_64, OOPS(2, 127) OOPS_SUMMARY);
	size_t nr = 0;
	for (size_t i = 0; i < t.stack.nr; i++)
		nr += nmibt_str_is(t.stack.frames[i].function, "lkdtm_do_action");
	assert_int_equal(nr, 1);
	trace_free(&t);
	/* A message in between does not belong to the trace. */
	t = trace_new(X86_64, "Call Trace:\n a+0x1/0x10\n" TOO_LONG " b+0x1/0x10\n");
	assert_int_equal(t.stack.nr, 2);
	trace_free(&t);
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
	/* The hash does not depend on the offsets, */
	assert_int_equal(abc,
			 hash_of(ARM64, "Call trace:\n a+0x5/0x10\n b+0x6/0x20\n c+0x7/0x30\n"));
	/* on the compiler's suffixes, */
	assert_int_equal(
		abc,
		hash_of(ARM64,
			"Call trace:\n a.isra.0+0x1/0x10\n b.cold+0x1/0x10\n c.llvm.1+0x1/0x10\n"));
	/* on unreliable frames, */
	assert_int_equal(abc, hash_of(X86_64, "Call Trace:\n a+0x1/0x10\n ? z+0x1/0x10\n"
					      " b+0x1/0x10\n c+0x1/0x10\n"));
	/* or on whether the first function is in the pc's own line. */
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
	/* On x86_64 the first line of the trace is a caller, even if it is the same function. */
	assert_int_not_equal(
		hash_of(X86_64, "RIP: 0010:a+0x1/0x10\nCall Trace:\n b+0x1/0x10\n"),
		hash_of(X86_64, "RIP: 0010:a+0x1/0x10\nCall Trace:\n a+0x5/0x10\n b+0x1/0x10\n"));
}

/* Functions that an interrupt hit, and frames that have an address and no name. */
static void hit_and_nameless(void **state)
{
#define HIT(hit)                                                                                   \
	"Call Trace:\n <IRQ>\n a+0x1/0x10\n </IRQ>\n <TASK>\n asm_x+0x1/0x10\n" hit " b+0x1/"      \
	"0x10\n"
	uint64_t hash = hash_of(X86_64, HIT("RIP: 0010:f+0x1/0x10\n"));

	(void)state;
	assert_int_equal(hash, hash_of(X86_64, HIT("RIP: 0010:f.cold+0x2/0x10\n")));
	assert_int_not_equal(hash, hash_of(X86_64, HIT("RIP: 0010:g+0x1/0x10\n")));
	assert_int_not_equal(hash, hash_of(X86_64, HIT("")));
	uint64_t nameless = hash_of(X86_64, "Call Trace:\n 0xffffffffc0000000\n");
	assert_int_not_equal(nameless, 0);
	assert_int_not_equal(nameless, hash_of(X86_64, "Call Trace:\n 0xffffffffc0000001\n"));
	/* arm64 repeats also a pc without a name. */
	assert_int_equal(nameless, hash_of(ARM64, "pc : 0xffffffffc0000000\nCall trace:\n"
						  " 0xffffffffc0000000\n"));
}

static void no_reliable_frame_no_stack(void **state)
{
	(void)state;
	assert_int_equal(nmibt_stack_hash(NULL, 0), 0);
	assert_int_equal(hash_of(X86_64, "Call Trace:\n ? a+0x1/0x10\n ? b+0x1/0x10\n"), 0);
}

/* Of what nmibt unwound itself, what may be wrong tells stacks apart, too. */
static void guesses_tell_stacks_apart(void **state)
{
	struct nmibt_frame a[] = {
		{.addr = 0xffffffffc0000007, .line = NMIBT_NO_LINE, .reliable = true},
		{.function = {"kthread", 7}, .line = NMIBT_NO_LINE},
	};
	struct nmibt_frame b[] = {a[0], {.function = {"vfs_write", 9}, .line = NMIBT_NO_LINE}};

	(void)state;
	assert_false(nmibt_is_in_chain(a, 1));
	assert_true(nmibt_is_in_group(a, 1));
	assert_int_not_equal(nmibt_stack_hash(a, 2), nmibt_stack_hash(b, 2));
	b[1] = a[1];
	assert_int_equal(nmibt_stack_hash(a, 2), nmibt_stack_hash(b, 2));
	/* What the kernel printed with '?' does not. */
	b[1].line = 1;
	assert_int_equal(nmibt_stack_hash(b, 2), nmibt_stack_hash(b, 1));
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
		cmocka_unit_test(x86_64_several_interrupts),
		cmocka_unit_test(x86_64_4_4),
		cmocka_unit_test(arm64_4_8),
		cmocka_unit_test(arm64_interrupts),
		cmocka_unit_test(user_mode_has_no_kernel_frames),
		cmocka_unit_test(the_pc_line_is_the_architectures_own),
		cmocka_unit_test(nothing_outside_the_trace),
		cmocka_unit_test(x86_64_facts),
		cmocka_unit_test(arm64_facts),
		cmocka_unit_test(behind_the_trace),
		cmocka_unit_test(other_arch),
		cmocka_unit_test(tasks),
		cmocka_unit_test(ends),
		cmocka_unit_test(cut_text),
		cmocka_unit_test(gaps),
		cmocka_unit_test(behind_the_end),
		cmocka_unit_test(same_functions_same_stack),
		cmocka_unit_test(other_functions_other_stack),
		cmocka_unit_test(hit_and_nameless),
		cmocka_unit_test(no_reliable_frame_no_stack),
		cmocka_unit_test(guesses_tell_stacks_apart),
		cmocka_unit_test(compilers_suffixes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
