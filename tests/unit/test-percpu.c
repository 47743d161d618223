// SPDX-License-Identifier: GPL-2.0-or-later
/* The CPUs of a kernel, their per-CPU data and their crash notes, valid and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake-percpu.h"

static int setup(void **state)
{
	*state = fp_new(false);
	return 0;
}

static int setup_at_0(void **state)
{
	*state = fp_new(true);
	return 0;
}

static int teardown(void **state)
{
	fp_free(*state);
	return 0;
}

static const struct nmibt_percpu *open_percpu(struct fake_percpu *p)
{
	fp_reopen(p);
	const struct nmibt_error *err = nmibt_kernel_failure(p->kernel, NMIBT_PART_PERCPU);

	if (err)
		fail_msg("%s", err->message);
	return nmibt_kernel_percpu(p->kernel);
}

/* Opening must fail, with a message that contains word. */
static void open_fails(struct fake_percpu *p, enum nmibt_code code, const char *word)
{
	fp_reopen(p);
	struct nmibt_error *err = nmibt_kernel_need(p->kernel, NMIBT_PART_PERCPU);

	assert_non_null(err);
	assert_null(nmibt_kernel_percpu(p->kernel));
	assert_int_equal(err->code, code);
	if (!strstr(err->message, word))
		fail_msg("no \"%s\" in: %s", word, err->message);
	nmibt_error_destroy(err);
}

static void cpus(void **state)
{
	struct fake_percpu *p = *state;
	const struct nmibt_percpu *percpu = open_percpu(p);
	uint64_t addr = 42;

	assert_int_equal(percpu->nr, FP_CPUS);
	assert_string_equal(percpu->why, "");
	for (unsigned int cpu = 0; cpu < FP_CPUS; cpu++) {
		bool there = cpu != FP_NO_CPU;

		assert_int_equal(percpu->possible[cpu], there);
		assert_int_equal(nmibt_percpu_addr(p->kernel, cpu, fp_value(p, FP_NMI), &addr),
				 there);
		if (there)
			assert_true(addr == fp_addr(cpu, FP_NMI));
		assert_int_equal(nmibt_percpu_note(p->kernel, cpu, &addr), there);
		if (there)
			assert_true(addr == fp_addr(cpu, FP_NOTES));
	}
	addr = 42;
	assert_false(nmibt_percpu_addr(p->kernel, FP_CPUS, 0, &addr));
	assert_false(nmibt_percpu_addr(p->kernel, UINT32_MAX, 0, &addr));
	assert_true(addr == 42);
}

static void absurd_numbers(void **state)
{
	static const uint32_t numbers[] = {0, NMIBT_MAX_CPUS + 1, 0x80000000, UINT32_MAX};
	struct fake_percpu *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		fp_set_int(p, "nr_cpu_ids", numbers[i]);
		open_fails(p, NMIBT_ERR_DAMAGED, "nr_cpu_ids");
	}
	fp_symbol(p, "nr_cpu_ids")->value = 0x1234;
	open_fails(p, NMIBT_ERR_DAMAGED, "nr_cpu_ids");
}

/* The maximum number of CPUs, of which the last one is possible. */
static void most_cpus(void **state)
{
	struct fake_percpu *p = *state;
	uint64_t mask = UINT64_C(0xffffffff90000000), offsets = UINT64_C(0xffffffff90010000);
	uint64_t last = UINT64_C(1) << 63, offset = 0x12340000, addr;

	fl_map(&p->pages, mask, FK_PAGE);
	fl_map(&p->pages, offsets, NMIBT_MAX_CPUS * 8);
	fl_put(&p->pages, mask + NMIBT_MAX_CPUS / 8 - 8, &last, 8);
	fl_put(&p->pages, offsets + (NMIBT_MAX_CPUS - 1) * 8, &offset, 8);
	fp_symbol(p, "__cpu_possible_mask")->value = mask;
	fp_symbol(p, "__per_cpu_offset")->value = offsets;
	fp_set_int(p, "nr_cpu_ids", NMIBT_MAX_CPUS);
	fp_set_int(p, "panic_cpu", NMIBT_MAX_CPUS - 1);

	const struct nmibt_percpu *percpu = open_percpu(p);
	assert_int_equal(percpu->nr, NMIBT_MAX_CPUS);
	assert_int_equal(percpu->panic_cpu, NMIBT_MAX_CPUS - 1);
	assert_true(nmibt_percpu_addr(p->kernel, NMIBT_MAX_CPUS - 1, 0x280, &addr));
	assert_true(addr == 0x12340280);
	assert_false(nmibt_percpu_addr(p->kernel, NMIBT_MAX_CPUS - 2, 0, &addr));
}

/* CONFIG_FORCE_NR_CPUS. */
static void constant_number(void **state)
{
	struct fake_percpu *p = *state;

	fp_drop_symbol(p, "nr_cpu_ids");
	open_fails(p, NMIBT_ERR_NOTHING, "nr_cpu_ids");
	open_fails(p, NMIBT_ERR_NOTHING, "vmlinux");
	fp_add_layout(p, "cpumask", NULL, 8);
	const struct nmibt_percpu *percpu = open_percpu(p);
	assert_int_equal(percpu->nr, 64);
	assert_true(percpu->possible[FP_CPUS - 1]);
	assert_false(percpu->possible[FP_CPUS]);

	fp_layout(p, "cpumask", NULL)->value = SIZE_MAX / 8;
	open_fails(p, NMIBT_ERR_DAMAGED, "nr_cpu_ids");
	fp_layout(p, "cpumask", NULL)->value = (UINT64_C(1) << 29) + 8; /* 64 in 32 bits */
	open_fails(p, NMIBT_ERR_DAMAGED, "nr_cpu_ids");
	fp_layout(p, "cpumask", NULL)->value = 0;
	open_fails(p, NMIBT_ERR_DAMAGED, "nr_cpu_ids");
}

static void without_symbols(void **state)
{
	static const char *const names[] = {"__cpu_possible_mask", "__per_cpu_offset"};
	struct fake_percpu *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		uint64_t value = fp_symbol(p, names[i])->value;

		fp_drop_symbol(p, names[i]);
		open_fails(p, NMIBT_ERR_NOTHING, names[i]);
		open_fails(p, NMIBT_ERR_NOTHING, "vmlinux");
		fp_add_symbol(p, names[i], value);
	}
	p->ops.symbol_addr = NULL;
	open_fails(p, NMIBT_ERR_NOTHING, "nr_cpu_ids");
}

/* The mask has another name up to 4.4. */
static void old_mask(void **state)
{
	struct fake_percpu *p = *state;

	fp_symbol(p, "__cpu_possible_mask")->name = "cpu_possible_bits";
	const struct nmibt_percpu *percpu = open_percpu(p);
	assert_false(percpu->possible[FP_NO_CPU]);
}

static void mask(void **state)
{
	struct fake_percpu *p = *state;
	uint64_t none = ~UINT64_C(0) << FP_CPUS;

	fp_set(p, "__cpu_possible_mask", &none, sizeof(none));
	open_fails(p, NMIBT_ERR_DAMAGED, "__cpu_possible_mask");

	fp_symbol(p, "__cpu_possible_mask")->value = 0x1234;
	const struct nmibt_percpu *percpu = open_percpu(p);
	assert_true(percpu->possible[FP_NO_CPU]);
	assert_non_null(strstr(percpu->why, "__cpu_possible_mask"));
}

/* The offsets of the first three CPUs are in another page than those of the others. */
static void offsets_in_part(void **state)
{
	struct fake_percpu *p = *state;
	uint64_t addr;

	fk_set_page(p->k, fl_paddr(&p->pages, FP_VARIABLES + FK_PAGE), NMIBT_READ_EXCLUDED);
	const struct nmibt_percpu *percpu = open_percpu(p);
	for (unsigned int cpu = 0; cpu < FP_CPUS; cpu++)
		assert_int_equal(nmibt_percpu_addr(p->kernel, cpu, 0, &addr), cpu < 3);
	assert_non_null(strstr(percpu->why, "1 CPU"));
	fk_set_page(p->k, fl_paddr(&p->pages, FP_VARIABLES + FK_PAGE), NMIBT_READ_OK);

	/* One offset crosses the end of the page. */
	fp_symbol(p, "__per_cpu_offset")->value += 4;
	fk_set_page(p->k, fl_paddr(&p->pages, FP_VARIABLES + FK_PAGE), NMIBT_READ_EXCLUDED);
	percpu = open_percpu(p);
	for (unsigned int cpu = 0; cpu < FP_CPUS; cpu++)
		assert_int_equal(nmibt_percpu_addr(p->kernel, cpu, 0, &addr), cpu < 2);
	fk_set_page(p->k, fl_paddr(&p->pages, FP_VARIABLES + FK_PAGE), NMIBT_READ_OK);
	fk_set_page(p->k, fl_paddr(&p->pages, FP_VARIABLES), NMIBT_READ_ERROR);
	fp_symbol(p, "nr_cpu_ids")->value = fp_symbol(p, "panic_cpu")->value;
	fp_set_int(p, "panic_cpu", FP_CPUS);
	percpu = open_percpu(p);
	for (unsigned int cpu = 0; cpu < FP_CPUS; cpu++)
		assert_int_equal(nmibt_percpu_addr(p->kernel, cpu, 0, &addr), cpu > 2);
}

static void check_panic(struct fake_percpu *p, int cpu, int from, bool remark)
{
	const struct nmibt_percpu *percpu = open_percpu(p);

	assert_int_equal(percpu->panic_cpu, cpu);
	assert_int_equal(percpu->redirected_from, from);
	if (!*percpu->why == remark)
		fail_msg("why: \"%s\"", percpu->why);
}

static void panic(void **state)
{
	struct fake_percpu *p = *state;

	check_panic(p, 2, -1, false);
	fp_set_int(p, "panic_cpu", -1);
	check_panic(p, -1, -1, false);
	fp_set_int(p, "panic_cpu", FP_CPUS);
	check_panic(p, -1, -1, true);
	fp_set_int(p, "panic_cpu", FP_NO_CPU);
	check_panic(p, -1, -1, true);
	fp_set_int(p, "panic_cpu", INT32_MIN);
	check_panic(p, -1, -1, true);
	fp_set_int(p, "panic_cpu", 1);
	fp_add_int(p, "panic_redirect_cpu", 4);
	check_panic(p, 1, 4, false);

	/* If there is a panic_cpu, crashing_cpu is not used. */
	fp_add_int(p, "crashing_cpu", 0);
	fk_say(p->k, "CRASHTIME=1700000000\n");
	check_panic(p, 1, 4, false);
	fp_drop_symbol(p, "panic_cpu");
	check_panic(p, 0, 4, false);
	/* Without CRASHTIME 0 may mean that no CPU crashed. */
	fk_unsay(p->k, "CRASHTIME");
	check_panic(p, -1, 4, false);
}

/* ---------------------------------------------------------------------- notes */

#define NR_REGS 27 /* struct user_regs_struct */

/* Writes what append_elf_note() does: 12 bytes of header, "CORE" in 8, struct elf_prstatus in
 * 336. */
static void put_note(struct fake_percpu *p, unsigned int cpu)
{
	uint32_t header[3] = {5, 336, 1}, pid = 118;
	char note[356] = "";

	memcpy(note, header, sizeof(header));
	strcpy(note + 12, "CORE");
	memcpy(note + 20 + 32, &pid, sizeof(pid));
	for (uint64_t i = 0; i < NR_REGS; i++) {
		uint64_t value = 0x1000 * cpu + i;

		memcpy(note + 20 + 112 + 8 * i, &value, 8);
	}
	fp_put(p, cpu, FP_NOTES, note, sizeof(note));
}

static void notes(void **state)
{
	struct fake_percpu *p = *state;
	struct nmibt_regs regs;
	int pid;

	for (unsigned int cpu = 1; cpu < FP_CPUS; cpu++) {
		if (cpu != FP_NO_CPU)
			put_note(p, cpu);
	}
	open_percpu(p);
	assert_int_equal(nmibt_percpu_read_note(p->kernel, 0, &regs, &pid), NMIBT_NOTE_NONE);
	assert_int_equal(nmibt_percpu_read_note(p->kernel, 3, &regs, &pid), NMIBT_NOTE_UNKNOWN);
	/* Its pages are in descending order, so physical memory must not be read on. */
	assert_int_equal(nmibt_percpu_read_note(p->kernel, 4, &regs, &pid), NMIBT_NOTE_PRESENT);
	assert_int_equal(pid, 118);
	assert_int_equal(regs.nr, NR_REGS);
	for (uint64_t i = 0; i < NR_REGS; i++)
		assert_true(regs.value[i] == 0x4000 + i);

	fp_set_page(p, 4, FP_NOTES + 100, NMIBT_READ_EXCLUDED);
	assert_int_equal(nmibt_percpu_read_note(p->kernel, 4, &regs, &pid), NMIBT_NOTE_EXCLUDED);
	assert_false(regs.present);
	fp_set_page(p, 4, FP_NOTES + 100, NMIBT_READ_ERROR);
	assert_int_equal(nmibt_percpu_read_note(p->kernel, 4, &regs, &pid), NMIBT_NOTE_DAMAGED);
	assert_int_equal(nmibt_percpu_read_note(p->kernel, 1, &regs, &pid), NMIBT_NOTE_PRESENT);
}

/* CRASH_CORE_NOTE_BYTES, from /sys/devices/system/cpu/cpu0/crash_notes_size. */
static void note_sizes(void **state)
{
	(void)state;
	assert_int_equal(nmibt_note_size(NMIBT_ARCH_X86_64), 368);
	assert_int_equal(nmibt_note_size(NMIBT_ARCH_ARM64), 424);
	assert_int_equal(nmibt_note_size(NMIBT_ARCH_UNKNOWN), 0);
}

static void without_notes(void **state)
{
	struct fake_percpu *p = *state;
	uint64_t null = 0, addr;
	struct nmibt_regs regs;
	int pid;

	fp_set(p, "crash_notes", &null, sizeof(null));
	const struct nmibt_percpu *percpu = open_percpu(p);
	assert_false(nmibt_percpu_note(p->kernel, 0, &addr));
	assert_int_equal(nmibt_percpu_read_note(p->kernel, 0, &regs, &pid), NMIBT_NOTE_UNKNOWN);
	assert_string_equal(percpu->why, "");

	fp_symbol(p, "crash_notes")->value = 0x1234;
	percpu = open_percpu(p);
	assert_false(nmibt_percpu_note(p->kernel, 0, &addr));
	assert_non_null(strstr(percpu->why, "crash_notes"));

	fp_drop_symbol(p, "crash_notes");
	percpu = open_percpu(p);
	assert_false(nmibt_percpu_note(p->kernel, 0, &addr));
}

/* ------------------------------------------------------------------- any memory */

/* An unreadable page costs only its own bytes. */
static void pages(void **state)
{
	struct fake_percpu *p = *state;
	char text[2 * FK_PAGE + 2], buf[sizeof(text)];
	bool known[sizeof(text)];

	memset(text, 'x', sizeof(text));
	fp_put(p, 0, FK_PAGE - 1, text, sizeof(text));
	fp_set_page(p, 0, FK_PAGE, NMIBT_READ_EXCLUDED);
	struct nmibt_run run = nmibt_kernel_read_pages(p->kernel, fp_addr(0, FK_PAGE - 1), buf,
						       sizeof(buf), known);
	assert_int_equal(run.excluded, FK_PAGE);
	assert_int_equal(run.failed, 0);
	for (size_t i = 0; i < sizeof(text); i++) {
		bool there = i < 1 || i > FK_PAGE;

		assert_int_equal(known[i], there);
		assert_int_equal(buf[i], there ? 'x' : 0);
	}

	/* The read begins in the last page that is mapped. */
	memset(buf, 'x', sizeof(buf));
	run = nmibt_kernel_read_pages(p->kernel, fp_addr(0, FP_AREA_SIZE - 4), buf, 8, known);
	assert_int_equal(run.failed, 4);
	assert_true(known[3]);
	assert_false(known[4]);
	assert_memory_equal(buf, "\0\0\0\0\0\0\0\0x", 9);
	run = nmibt_kernel_read_pages(p->kernel, UINT64_MAX - 3, buf, 8, NULL);
	assert_int_equal(run.failed, 8);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define BOTH(test) TEST(test), cmocka_unit_test_setup_teardown(test, setup_at_0, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(cpus),
		TEST(absurd_numbers),
		TEST(most_cpus),
		BOTH(notes),
		TEST(constant_number),
		TEST(without_symbols),
		TEST(old_mask),
		TEST(mask),
		TEST(offsets_in_part),
		TEST(panic),
		TEST(without_notes),
		cmocka_unit_test(note_sizes),
		TEST(pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
