// SPDX-License-Identifier: GPL-2.0-or-later
/* Crash notes, and whether a CPU moved between the NMI and the stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <sys/procfs.h>
#include <sys/user.h>
#endif

#include <cmocka.h>

#include "fake-image.h"
#include "report/report.h"

static int arm64_setup(void **state)
{
	*state = fake_new(NMIBT_ARCH_ARM64, 2);
	return 0;
}

static int x86_64_setup(void **state)
{
	*state = fake_new(NMIBT_ARCH_X86_64, 2);
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

static void names(void **state)
{
	const struct nmibt_reg_names *arm64 = nmibt_reg_names(NMIBT_ARCH_ARM64);
	const struct nmibt_reg_names *x86 = nmibt_reg_names(NMIBT_ARCH_X86_64);

	(void)state;
	assert_int_equal(arm64->nr, 34);
	for (unsigned int i = 0; i < 30; i++) {
		char name[8];
		snprintf(name, sizeof(name), "x%u", i);
		assert_string_equal(arm64->name[i], name);
	}
	assert_string_equal(arm64->name[30], "lr");
	assert_string_equal(arm64->name[arm64->sp], "sp");
	assert_string_equal(arm64->name[arm64->pc], "pc");
	assert_string_equal(arm64->name[arm64->fp], "x29");
	assert_string_equal(arm64->name[33], "pstate");
	assert_int_equal(x86->nr, 27);
	assert_string_equal(x86->name[x86->sp], "rsp");
	assert_string_equal(x86->name[x86->pc], "rip");
	assert_string_equal(x86->name[x86->fp], "rbp");
	assert_null(nmibt_reg_names(NMIBT_ARCH_UNKNOWN));
}

/* libc has the same layout, from the kernel's user ABI. */
static void names_and_offsets_as_libc_has_them(void **state)
{
	(void)state;
#ifdef __x86_64__
	const struct nmibt_reg_names *x86 = nmibt_reg_names(NMIBT_ARCH_X86_64);

	assert_int_equal(x86->nr * 8, sizeof(struct user_regs_struct));
#define SAME(reg) assert_string_equal(x86->name[offsetof(struct user_regs_struct, reg) / 8], #reg)
	SAME(r15), SAME(r14), SAME(r13), SAME(r12), SAME(rbp), SAME(rbx), SAME(r11), SAME(r10);
	SAME(r9), SAME(r8), SAME(rax), SAME(rcx), SAME(rdx), SAME(rsi), SAME(rdi), SAME(orig_rax);
	SAME(rip), SAME(cs), SAME(eflags), SAME(rsp), SAME(ss), SAME(fs_base), SAME(gs_base);
	SAME(ds), SAME(es), SAME(fs), SAME(gs);
	/* fake_note() uses these numbers. */
	assert_int_equal(offsetof(struct elf_prstatus, pr_pid), 32);
	assert_int_equal(offsetof(struct elf_prstatus, pr_reg), 112);
	assert_int_equal(sizeof(struct elf_prstatus), 112 + 27 * 8 + 8);
#else
	print_message("libc here is not for x86_64: its layout was not compared\n");
#endif
}

/* --------------------------------------------------------------------- notes */

static enum nmibt_note read_note(struct fake *f, struct nmibt_regs *regs, int *pid)
{
	memset(regs, 0xaa, sizeof(*regs));
	*pid = -1;
	return nmibt_read_note(&f->image, f->note_paddr[1], FAKE_NOTE_SIZE, regs, pid);
}

static void check_absent(struct fake *f, enum nmibt_note want)
{
	struct nmibt_regs regs;
	int pid;

	assert_int_equal(read_note(f, &regs, &pid), want);
	assert_false(regs.present);
	assert_int_equal(pid, 0);
}

static void present(void **state)
{
	struct fake *f = *state;
	uint64_t words[40];
	struct nmibt_regs regs;
	int pid;

	for (unsigned int i = 0; i < 40; i++)
		words[i] = 0xfeed000000000000 + i;
	fake_note(f, 1, -4711, words);
	assert_int_equal(read_note(f, &regs, &pid), NMIBT_NOTE_PRESENT);
	assert_true(regs.present);
	assert_int_equal(pid, -4711);
	assert_int_equal(regs.nr, fake_nr_regs(f));
	for (unsigned int i = 0; i < regs.nr; i++)
		assert_int_equal(regs.value[i], words[i]);
	for (unsigned int i = regs.nr; i < NMI_CAPTURE_MAX_REGS; i++)
		assert_int_equal(regs.value[i], 0);
}

static void empty(void **state)
{
	struct fake *f = *state;

	fake_no_note(f, 1);
	check_absent(f, NMIBT_NOTE_NONE);
}

static void nowhere(void **state)
{
	struct fake *f = *state;
	struct nmibt_regs regs;
	int pid;

	assert_int_equal(nmibt_read_note(&f->image, 0, FAKE_NOTE_SIZE, &regs, &pid),
			 NMIBT_NOTE_UNKNOWN);
	f->image.arch = NMIBT_ARCH_UNKNOWN;
	check_absent(f, NMIBT_NOTE_UNKNOWN);
}

static void not_in_the_dump(void **state)
{
	struct fake *f = *state;

	fake_set_pages(f, f->note_paddr[1], FAKE_NOTE_SIZE, NMIBT_READ_EXCLUDED);
	check_absent(f, NMIBT_NOTE_EXCLUDED);
	fake_set_pages(f, f->note_paddr[1], FAKE_NOTE_SIZE, NMIBT_READ_ERROR);
	check_absent(f, NMIBT_NOTE_DAMAGED);
}

static void across_pages(void **state)
{
	struct fake *f = *state;
	uint64_t words[40] = {1, 2, 3};
	struct nmibt_regs regs;
	int pid;

	/* The header is in one page, the registers are in two. */
	uint64_t page = fake_alloc(f, 2 * FAKE_PAGE, FAKE_PAGE) + FAKE_PAGE;
	for (unsigned int before = 4; before < 400; before += 4) {
		f->note_paddr[1] = page - before;
		words[5] = before;
		fake_note(f, 1, 7, words);
		assert_int_equal(read_note(f, &regs, &pid), NMIBT_NOTE_PRESENT);
		assert_int_equal(regs.value[5], before);
		assert_int_equal(regs.value[2], 3);
	}
	f->note_paddr[1] = page - 100;
	fake_note(f, 1, 7, words);
	fake_set_pages(f, page, 1, NMIBT_READ_EXCLUDED);
	check_absent(f, NMIBT_NOTE_EXCLUDED);
	fake_set_pages(f, page - FAKE_PAGE, 1, NMIBT_READ_ERROR);
	check_absent(f, NMIBT_NOTE_DAMAGED);
}

static void damaged_headers(void **state)
{
	struct fake *f = *state;
	uint32_t reg_end = 112 + fake_nr_regs(f) * 8;
	static const uint32_t sizes[] = {0, 1, 100, 0x7fffffff, 0x80000000, 0xffffffff};

	for (unsigned int word = 0; word < 3; word++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			uint32_t *header = fake_at(f, f->note_paddr[1]);
			fake_note(f, 1, 7, f->slot[1]->regs);
			if (header[word] == sizes[i])
				continue;
			header[word] = sizes[i];
			check_absent(f, NMIBT_NOTE_DAMAGED);
		}
	}

	/* One note is one byte too short for the registers; one is longer than the buffer. */
	uint32_t *header = fake_at(f, f->note_paddr[1]);
	fake_note(f, 1, 7, f->slot[1]->regs);
	header[1] = reg_end - 1;
	check_absent(f, NMIBT_NOTE_DAMAGED);
	header[1] = FAKE_NOTE_SIZE - 20 + 1;
	check_absent(f, NMIBT_NOTE_DAMAGED);
	header[1] = reg_end;
	struct nmibt_regs regs;
	int pid;
	assert_int_equal(read_note(f, &regs, &pid), NMIBT_NOTE_PRESENT);
}

static void another_name(void **state)
{
	struct fake *f = *state;
	char *name = (char *)fake_at(f, f->note_paddr[1]) + 12;

	memcpy(name, "CORF", 4);
	check_absent(f, NMIBT_NOTE_DAMAGED);
	memcpy(name, "COREX", 5);
	check_absent(f, NMIBT_NOTE_DAMAGED);
}

static void absurd_places(void **state)
{
	struct fake *f = *state;
	struct nmibt_regs regs;
	int pid;
	uint64_t at = f->note_paddr[1];

	assert_int_equal(nmibt_read_note(&f->image, at, 0, &regs, &pid), NMIBT_NOTE_DAMAGED);
	assert_int_equal(nmibt_read_note(&f->image, at, 19, &regs, &pid), NMIBT_NOTE_DAMAGED);
	assert_int_equal(nmibt_read_note(&f->image, at, UINT64_MAX, &regs, &pid),
			 NMIBT_NOTE_DAMAGED);
	assert_int_equal(nmibt_read_note(&f->image, UINT64_MAX, 512, &regs, &pid),
			 NMIBT_NOTE_DAMAGED);
	assert_int_equal(nmibt_read_note(&f->image, 0x123456789000, 512, &regs, &pid),
			 NMIBT_NOTE_DAMAGED);
	f->ops.read_phys = NULL;
	check_absent(f, NMIBT_NOTE_DAMAGED);
}

/* ---------------------------------------------------------------------- moved */

/* The capture's evidence about a CPU, and its registers at the stop. */
struct pair {
	struct nmibt_evidence nmi, stop;
};

/* A CPU that spins: pc in __delay, called by __udelay, called by spin_fn. */
static struct pair spinning(struct fake *f)
{
	static struct nmibt_frame frames[] = {
		{.function = {"__delay", 7},
		 .offset = 0x2c,
		 .size = 0x100,
		 .is_pc = true,
		 .reliable = true},
		{.function = {"__udelay", 8}, .offset = 0x10, .size = 0x100, .reliable = true},
		{.function = {"spin_fn.isra.0", 14},
		 .offset = 0x48,
		 .size = 0x100,
		 .reliable = true},
		{.function = {"f", 1}, .offset = 0x48, .size = 0x100, .reliable = true},
		{.function = {"kthread", 7}, .offset = 0x10, .size = 0x100, .reliable = true},
	};
	struct pair p = {0};

	p.nmi.stack = (struct nmibt_stack){.frames = frames, .nr = ARRAY_SIZE(frames)};
	p.nmi.has_slot = true;
	p.nmi.slot.how = NMI_CAPTURE_BY_NMI;
	p.nmi.task = p.stop.task = (struct nmibt_task){.known = true, .pid = 118};
	p.nmi.regs.present = true;
	p.nmi.regs.nr = fake_nr_regs(f);
	p.nmi.regs.value[fake_pc(f)] = FAKE_FN(FAKE_DELAY) + 0x2c;
	p.nmi.regs.value[fake_sp(f)] = 0xffff800082d3bd90;
	p.stop.regs = p.nmi.regs;
	return p;
}

static enum nmibt_moved compare(struct fake *f, const struct pair *p)
{
	struct nmibt_kernel *kernel;

	assert_null(nmibt_kernel_open(&f->image, &kernel));
	enum nmibt_moved moved = nmibt_compare(kernel, &p->nmi, &p->stop);
	nmibt_kernel_close(kernel);
	return moved;
}

static enum nmibt_moved compare_at(struct fake *f, uint64_t stop_pc, int64_t stop_sp)
{
	struct pair p = spinning(f);

	p.stop.regs.value[fake_pc(f)] = stop_pc;
	p.stop.regs.value[fake_sp(f)] += stop_sp;
	return compare(f, &p);
}

static void same_place(void **state)
{
	struct fake *f = *state;

	assert_int_equal(compare_at(f, FAKE_FN(FAKE_DELAY) + 0x2c, 0), NMIBT_MOVED_SAME);
	/* The CPU is at another place in the loop, */
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_DELAY), 0), NMIBT_MOVED_SAME);
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_DELAY) + 0xff, 0), NMIBT_MOVED_SAME);
	/* or one call less deep, or in a function that the compiler split off. */
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_UDELAY) + 0x10, 0x20), NMIBT_MOVED_SAME);
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_SPIN) + 0x48, 0x40), NMIBT_MOVED_SAME);
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_DELAY) + 0x40, -0x20), NMIBT_MOVED_SAME);
}

static void elsewhere(void **state)
{
	struct fake *f = *state;

	assert_int_equal(compare_at(f, FAKE_FN(FAKE_OTHER), 0), NMIBT_MOVED_YES);
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_OTHER), 0x20), NMIBT_MOVED_YES);
	/* All kernel threads have the outermost function in common. */
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_KTHREAD) + 0x10, 0x40), NMIBT_MOVED_YES);
	/* It is in the same function on another stack, or far up this one. */
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_DELAY) + 0x30, 0x4000), NMIBT_MOVED_YES);
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_UDELAY), -0x4000), NMIBT_MOVED_YES);
	/* It is in user space, or at a kernel address without a symbol. */
	assert_int_equal(compare_at(f, 0x1234, 0), NMIBT_MOVED_YES);
	assert_int_equal(compare_at(f, FAKE_TEXT_VADDR - 0x1000, 0), NMIBT_MOVED_UNKNOWN);
}

static void called_from_the_chain(void **state)
{
	struct fake *f = *state;
	struct pair p = spinning(f);

	/* It is in a leaf function, not in the NMI's stack, whose caller is in that stack. */
	p.stop.regs.value[fake_pc(f)] = FAKE_FN(FAKE_OTHER);
	p.stop.regs.value[30] = FAKE_FN(FAKE_SPIN) + 0x50;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_SAME);
	p.stop.regs.value[30] = FAKE_FN(FAKE_KTHREAD) + 0x50;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_YES);
}

static void without_symbols(void **state)
{
	struct fake *f = *state;

	f->ops.symbolize = NULL;
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_DELAY) + 0x2c, 0), NMIBT_MOVED_SAME);
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_DELAY) + 0x30, 0), NMIBT_MOVED_SAME);
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_UDELAY), 0x20), NMIBT_MOVED_UNKNOWN);
	assert_int_equal(compare_at(f, FAKE_FN(FAKE_DELAY), 0x4000), NMIBT_MOVED_YES);
}

static void cases_by_themselves(void **state)
{
	struct fake *f = *state;
	struct pair p = spinning(f);

	p.stop.task.pid++;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_YES);
	p.nmi.is_idle_said = true;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_YES);
	/* It runs the idle task both times. */
	p.nmi.task.pid = p.stop.task.pid = 0;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_IDLE);
	p.nmi.slot.flags |= NMI_CAPTURE_SLOT_F_NO_REGS_SELF;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_SYNTHETIC);
	p.stop.regs.present = false;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_UNKNOWN);

	p = spinning(f);
	p.nmi.regs.present = false;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_UNKNOWN);
	p = spinning(f);
	p.nmi.task.known = false;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_UNKNOWN);

	/* Both register sets are of the stop, so that they are equal says nothing. */
	p = spinning(f);
	p.nmi.slot.how = NMI_CAPTURE_BY_STOP;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_UNKNOWN);

	/* In user mode only exactly the same place counts, because there are no frames. */
	p = spinning(f);
	p.nmi.is_user = true;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_SAME);
	p.stop.regs.value[fake_pc(f)] += 4;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_YES);

	p = spinning(f);
	/* Nothing names the function that the pc was in, so a loop can't be told from going on. */
	p.nmi.stack.nr = 0;
	p.stop.regs.value[fake_pc(f)] += 4;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_UNKNOWN);
	p.stop.regs.value[fake_sp(f)] -= 4096;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_YES);

	f->image.arch = NMIBT_ARCH_UNKNOWN;
	assert_int_equal(compare(f, &p), NMIBT_MOVED_UNKNOWN);
}

#define ARM64_TEST(test) cmocka_unit_test_setup_teardown(test, arm64_setup, teardown)
#define BOTH(test) ARM64_TEST(test), cmocka_unit_test_setup_teardown(test, x86_64_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(names_and_offsets_as_libc_has_them),
		BOTH(present),
		BOTH(empty),
		BOTH(nowhere),
		BOTH(not_in_the_dump),
		BOTH(across_pages),
		BOTH(damaged_headers),
		BOTH(another_name),
		BOTH(absurd_places),
		BOTH(same_place),
		BOTH(elsewhere),
		ARM64_TEST(called_from_the_chain),
		BOTH(without_symbols),
		BOTH(cases_by_themselves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
