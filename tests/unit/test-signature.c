// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two crashes of the same kind have the same signature, crashes of different kinds have different
 * ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake-image.h"
#include "base/base.h"
#include "report/report.h"

/* FIPS 180's examples, and texts about as long as a block; the hashes are from sha1sum(1). */
static void sha1(void **state)
{
	static const struct {
		const char *text;
		size_t times;
		const char *hash;
	} examples[] = {
		{"", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		 "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
		{"a", 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"},
		{"a", 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"},
		{"a", 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"},
		{"a", 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"},
		{"a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
	};
	char hash[NMIBT_SHA1_HEX];

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		size_t len = strlen(examples[i].text), all = len * examples[i].times;
		char *text = malloc(all + 1);

		for (size_t at = 0; at < all; at += len)
			memcpy(text + at, examples[i].text, len);
		nmibt_sha1(text, all, hash);
		assert_string_equal(hash, examples[i].hash);
		free(text);
	}
}

/* Replaces the CPU's text. Its registers are the same at the NMI and at the stop; if its interrupts
 * are off, it is stuck. */
static void set_trace(struct fake *f, unsigned int cpu, const char *text, bool stuck)
{
	f->slot[cpu]->text_len = 0;
	fake_print(f, cpu, text);
	f->slot[cpu]->flags &= ~(NMI_CAPTURE_SLOT_F_IDLE | NMI_CAPTURE_SLOT_F_IRQS_OFF);
	if (stuck)
		f->slot[cpu]->flags |= NMI_CAPTURE_SLOT_F_IRQS_OFF;
}

static size_t count_kept(const struct nmibt_signature_stack *stack)
{
	size_t nr = 0;

	for (size_t i = 0; i < stack->nr_frames; i++)
		nr += !stack->frames[i].left_out;
	return nr;
}

static struct nmibt_signature signature_of(struct fake *f)
{
	struct nmibt_report *report;
	struct nmibt_signature signature;

	assert_null(nmibt_report_make(&f->image, NMIBT_SOURCE_AUTO, &report));
	assert_null(nmibt_signature(report, &signature));
	nmibt_report_close(report);
	return signature;
}

static void assert_signature(struct fake *f, const char *expected, bool same)
{
	struct nmibt_signature signature = signature_of(f);

	assert_int_equal(strlen(signature.value), 40);
	assert_int_equal(!strcmp(signature.value, expected), same);
	nmibt_signature_destroy(&signature);
}

#define PANIC(offset)                                                                              \
	"Call Trace:\n dump_stack+0x1/0x2\n panic+0x" offset "/0x300\n cause+0x" offset            \
	"/0x90 [mod]\n ? guess+0x1/0x2\n vfs_write+0x1/0x20\n do_syscall_64+0x1/0x2\n"
#define STUCK "Call Trace:\n __delay+0x1/0x100\n spinner+0x2/0x10\n kthread+0x1/0x20\n"

static void one_kind(void **state)
{
	struct fake *f = *state;
	unsigned int panicking = f->desc->panic_cpu, stuck = 1;

	for (unsigned int i = 0; i < 4; i++)
		set_trace(f, i, "Call Trace:\n somewhere+0x1/0x20\n", false);
	set_trace(f, panicking, PANIC("10"), false);
	set_trace(f, stuck, STUCK, true);
	struct nmibt_signature first = signature_of(f);
	assert_int_equal(first.nr_stacks, 2);
	assert_int_equal(first.nr_functions, 2);
	assert_string_equal(first.functions[0], "cause [mod]");
	assert_string_equal(first.functions[1], "spinner");
	assert_string_equal(first.stacks[0].frames[2].name, "cause [mod]");
	assert_false(first.stacks[0].frames[2].left_out);
	assert_true(first.stacks[0].frames[1].left_out);
	assert_true(first.stacks[0].frames[2].counts);
	assert_false(first.stacks[0].frames[3].counts);
	assert_int_equal(count_kept(&first.stacks[0]), 2);
	assert_int_equal(count_kept(&first.stacks[1]), 1);
	/* sha1sum of "cause [mod]\nspinner\n". */
	assert_string_equal(first.value, "643dff46adc707c486e92a3828d211f5b5478dc3");

	/* Other offsets, clones of functions, another number of CPUs, and other delays. */
	set_trace(f, panicking, PANIC("3f"), false);
	assert_signature(f, first.value, true);
	set_trace(f, stuck,
		  "Call Trace:\n delay_tsc+0x7/0x10\n __const_udelay+0x7/0x10\n"
		  " spinner.constprop.0+0x9/0x10\n kthread+0x1/0x20\n",
		  true);
	assert_signature(f, first.value, true);
	set_trace(f, 3, STUCK, true);
	assert_signature(f, first.value, true);
	set_trace(f, 2, "Call Trace:\n native_queued_spin_lock_slowpath+0x7/0x10\n x+0x7/0x10\n",
		  true);
	assert_signature(f, first.value, true);

	/* Another cause, or another place where a CPU is stuck. */
	set_trace(f, stuck, "Call Trace:\n other+0x2/0x10\n kthread+0x1/0x20\n", true);
	assert_signature(f, first.value, false);
	set_trace(f, stuck, STUCK, true);
	assert_signature(f, first.value, true);
	set_trace(f, panicking, "Call Trace:\n panic+0x1/0x2\n other+0x1/0x2\n", false);
	assert_signature(f, first.value, false);
	nmibt_signature_destroy(&first);
}

/* Gives CPU 1 or the CPU that panics this text, and checks which functions count. "" after the last. */
static void assert_blamed(struct fake *f, unsigned int cpu, const char *text,
			  const char *const *expected)
{
	size_t nr = 0;

	for (unsigned int i = 0; i < 4; i++)
		set_trace(f, i, "Call Trace:\n kthread+0x1/0x20\n", false);
	set_trace(f, cpu, text, cpu != f->desc->panic_cpu);
	struct nmibt_signature signature = signature_of(f);
	for (; *expected[nr]; nr++) {
		assert_true(nr < signature.nr_functions);
		assert_string_equal(signature.functions[nr], expected[nr]);
	}
	assert_int_equal(signature.nr_functions, nr);
	nmibt_signature_destroy(&signature);
}

#define BLAMED(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) ""})
#define PC(pc) "RIP: 0010:" pc "\nRSP: 0018:ffffc90000133e80 EFLAGS: 00000046\nCall Trace:\n"

static void blame(void **state)
{
	struct fake *f = *state;
	unsigned int panicking = f->desc->panic_cpu;

	/* What everybody calls is not to blame, but a function of a module with such a name is. */
	assert_blamed(f, panicking,
		      "Call Trace:\n panic+0x1/0x2\n kfree+0x1/0x20\n x+0x1/0x20\n y+0x1/0x20\n",
		      BLAMED("x"));
	assert_blamed(f, panicking,
		      "Call Trace:\n panic+0x1/0x2\n kfree+0x1/0x20 [mod]\n x+0x1/0x20\n",
		      BLAMED("kfree [mod]"));
	assert_blamed(f, 1,
		      PC("native_queued_spin_lock_slowpath+0x1/0x20") " _raw_spin_lock+0x1/0x20\n"
								      " x+0x1/0x20\n",
		      BLAMED("x"));
	/* Where the stack ends before its caller nobody is. */
	assert_blamed(f, panicking, "Call Trace:\n panic+0x1/0x2\n kfree+0x1/0x20\n", BLAMED());
	/* A watchdog or a warning tells of what it interrupted. */
	assert_blamed(f, panicking,
		      "Call Trace:\n panic+0x1/0x2\n watchdog_timer_fn+0x1/0x20\n"
		      " hrtimer_interrupt+0x1/0x20\n asm_sysvec_apic_timer_interrupt+0x1/0x20\n"
		      "RIP: 0010:x+0x1/0x20\nRSP: 0018:ffffc90000133e80 EFLAGS: 00000046\n"
		      " y+0x1/0x20\n",
		      BLAMED("x"));
	/* Anything else in an interrupt is its own fault. */
	assert_blamed(f, panicking,
		      "Call Trace:\n panic+0x1/0x2\n handler+0x1/0x20\n"
		      " asm_sysvec_apic_timer_interrupt+0x1/0x20\n"
		      "RIP: 0010:x+0x1/0x20\nRSP: 0018:ffffc90000133e80 EFLAGS: 00000046\n",
		      BLAMED("handler"));
	/* Hung tasks are not those of the CPU that looks for them. */
	assert_blamed(f, panicking,
		      "Call Trace:\n panic+0x1/0x2\n watchdog+0x1/0x20\n kthread+0x1/0x20\n",
		      BLAMED());
	/* Of a call to nowhere the caller's caller counts, too. */
	assert_blamed(f, 1, PC("0x0") " dispatch+0x1/0x20\n setter+0x1/0x20\n other+0x1/0x20\n",
		      BLAMED("dispatch", "setter"));
	/* What the call pushed is innermost on a stack that the unwinder can't follow. */
	assert_blamed(f, 1, PC("0x0") " ? dispatch+0x1/0x20\n ? setter+0x1/0x20\n",
		      BLAMED("dispatch", "setter"));
	/* If it is no address behind a call, the stack was overwritten. */
	assert_blamed(f, 1, PC("0x0") " ? old+0x20/0x20\n ? setter+0x1/0x20\n", BLAMED());
	/* The function whose last call does not return is not known, and its caller is not to blame. */
	assert_blamed(f, panicking, "Call Trace:\n panic+0x1/0x2\n next+0x0/0x20\n x+0x1/0x20\n",
		      BLAMED());
	/* Who asked for the crash counts where nothing else does. */
	assert_blamed(f, panicking,
		      "Call Trace:\n panic+0x1/0x2\n sysrq_handle_crash+0x1/0x20\n x+0x1/0x20\n",
		      BLAMED("sysrq_handle_crash"));
	set_trace(f, 1, STUCK, true);
	struct nmibt_signature signature = signature_of(f);
	assert_int_equal(signature.nr_functions, 1);
	assert_string_equal(signature.functions[0], "spinner");
	nmibt_signature_destroy(&signature);
}

/* arch/arm64/lib: a copy has no frame, so that its caller is not in the trace. */
static void link_register(void **state)
{
	struct fake *f = *state;

	assert_blamed(f, 1,
		      "pc : __memcpy+0x1/0x20\nlr : x+0x1/0x20\nsp : ffff800082d3bd90\n"
		      "Call trace:\n __memcpy+0x1/0x20\n y+0x1/0x20\n",
		      BLAMED("x"));
	/* Of a function with a frame it may be left from an earlier call. */
	assert_blamed(f, 1,
		      "pc : z+0x1/0x20\nlr : x+0x1/0x20\nsp : ffff800082d3bd90\n"
		      "Call trace:\n z+0x1/0x20\n y+0x1/0x20\n",
		      BLAMED("z"));
}

static void none(void **state)
{
	struct fake *f = *state;

	for (unsigned int i = 0; i < 4; i++)
		set_trace(f, i, "Call Trace:\n kthread+0x1/0x20\n", false);
	struct nmibt_signature signature = signature_of(f);
	assert_string_equal(signature.value, "");
	assert_int_equal(signature.nr_functions, 0);
	nmibt_signature_destroy(&signature);
}

static int setup(void **state)
{
	*state = fake_new(NMIBT_ARCH_X86_64, 4);
	return 0;
}

static int setup_arm64(void **state)
{
	*state = fake_new(NMIBT_ARCH_ARM64, 4);
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha1),
		cmocka_unit_test_setup_teardown(one_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(blame, setup, teardown),
		cmocka_unit_test_setup_teardown(link_register, setup_arm64, teardown),
		cmocka_unit_test_setup_teardown(none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
