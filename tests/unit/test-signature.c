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
	assert_int_equal(first.nr_hashed, 2);
	assert_string_equal(first.stacks[0].frames[2].name, "cause [mod]");
	assert_false(first.stacks[0].frames[2].left_out);
	assert_true(first.stacks[0].frames[1].left_out);
	assert_int_equal(first.stacks[0].nr_kept, 2);
	assert_int_equal(first.stacks[1].nr_kept, 1);
	/* sha1sum of "panicking\ncause [mod]\nvfs_write\nstuck\nspinner\n". */
	assert_string_equal(first.value, "008f0eafb267407b5e845671008bf8388cc2eca2");

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

static void none(void **state)
{
	struct fake *f = *state;

	for (unsigned int i = 0; i < 4; i++)
		set_trace(f, i, "Call Trace:\n kthread+0x1/0x20\n", false);
	struct nmibt_signature signature = signature_of(f);
	assert_string_equal(signature.value, "");
	assert_int_equal(signature.nr_hashed, 0);
	nmibt_signature_destroy(&signature);
}

static int setup(void **state)
{
	*state = fake_new(NMIBT_ARCH_X86_64, 4);
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
		cmocka_unit_test_setup_teardown(none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
