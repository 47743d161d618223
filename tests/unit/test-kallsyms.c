// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of addresses: from the kernel's own symbols in its memory, then from the front end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake-kallsyms.h"
#include "report/report.h"
#include "kernel/kernel.h"

/* Symbol i is at 16 * i, has type "tTwWd"[i % 5], and a name of 1 + i % 20 letters. */
#define AT(i) (KERNEL + 16 * (i))

struct fixture {
	struct kernel kernel;
	struct nmibt_image image;
	struct nmibt_image_ops ops;
	struct nmibt_kernel *opened; /* NULL: not opened yet */
	char name[64];
};

/* A front end that knows every address. */
static bool of_front_end(void *ctx, uint64_t addr, char *buf, size_t len)
{
	(void)ctx;
	snprintf(buf, len, "front+0x%" PRIx64 " [end]", addr & 0xf);
	return true;
}

static int make(void **state, enum offsets_as as)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	make_image(&f->kernel, as, &f->image);
	f->ops = *f->image.ops;
	f->image.ops = &f->ops;
	*state = f;
	return 0;
}

static int negative(void **state)
{
	return make(state, NEGATIVE);
}

static int as_unsigned(void **state)
{
	return make(state, UNSIGNED);
}

static int from_entry(void **state)
{
	return make(state, FROM_ENTRY);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	nmibt_kernel_close(f->opened);
	free(f);
	return 0;
}

/* Closes the kernel, because it keeps what it has found. */
static void reopen(struct fixture *f)
{
	nmibt_kernel_close(f->opened);
	assert_null(nmibt_kernel_open(&f->image, &f->opened));
}

static struct nmibt_kernel *kernel_of(struct fixture *f)
{
	if (!f->opened)
		reopen(f);
	return f->opened;
}

static const char *name_of(struct fixture *f, uint64_t addr)
{
	return nmibt_symbolize(kernel_of(f), addr, f->name, sizeof(f->name)) ? f->name : "none";
}

/* Gives symbol i the address of symbol at. */
static void move(struct fixture *f, unsigned int i, unsigned int at)
{
	put_address(&f->kernel, i, AT(at));
}

/* Gives symbol i another name with the same number of letters. */
static void rename_to(struct fixture *f, unsigned int i, const char *name)
{
	uint8_t *at = name_of_symbol(&f->kernel, i);

	assert_int_equal(at[-1], strlen(name) + 1);
	memcpy(at + 1, name, strlen(name));
	make_order(&f->kernel);
}

static bool addr_of(struct fixture *f, const char *name, uint64_t *ret)
{
	return nmibt_symbol_addr(kernel_of(f), name, ret);
}

static void names(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(name_of(f, AT(0)), "a+0x0");
	assert_string_equal(name_of(f, AT(1) + 15), "bb+0xf");
	assert_string_equal(name_of(f, AT(301) + 3), "pp+0x3");
	assert_string_equal(name_of(f, AT(20) + 1), "u+0x1");
	assert_string_equal(name_of(f, AT(0) - 1), "none");
}

/* The kernel prints the first of a function's names: lib/vsprintf.c, %pS, by kernel/kallsyms.c,
 * get_symbol_pos() (6.12). */
static void first_of_several(void **state)
{
	struct fixture *f = *state;

	move(f, 7, 6);
	move(f, 8, 6);
	assert_string_equal(name_of(f, AT(6) + 2), "ggggggg+0x2");
	assert_string_equal(name_of(f, AT(8) + 2), "ggggggg+0x22");
	assert_string_equal(name_of(f, AT(10)), "kkkkkkkkkkk+0x0");
}

static unsigned int nr_reads;

static enum nmibt_read count_reads(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	nr_reads++;
	return read_phys(ctx, paddr, buf, len);
}

/* In a damaged table all symbols may have the same value: the lookup must not walk along all of
 * them. */
static void all_of_one_value(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < NR_SYMBOLS; i++)
		move(f, i, 2);
	f->ops.read_phys = count_reads;
	assert_string_equal(name_of(f, AT(2) + 2), "a+0x2");
	nr_reads = 0;
	assert_string_equal(name_of(f, AT(2) + 3), "a+0x3");
	assert_in_range(nr_reads, 1, 40);
}

static void before_the_front_end(void **state)
{
	struct fixture *f = *state;

	f->ops.symbolize = of_front_end;
	assert_string_equal(name_of(f, AT(1)), "bb+0x0");
	/* Data, and addresses before the first symbol, as those of arm64's modules. */
	assert_string_equal(name_of(f, AT(4) + 5), "front+0x5 [end]");
	assert_string_equal(name_of(f, AT(0) - 15), "front+0x1 [end]");
}

/* Without CONFIG_KALLSYMS_ALL the last symbol is a function, and any address after the kernel would
 * get its name. */
static void far_behind(void **state)
{
	struct fixture *f = *state;
	uint32_t nr = NR_SYMBOLS - 1; /* without the last one, which is data */
	uint64_t last = AT(nr - 1);

	memcpy(f->kernel.memory + f->kernel.tables[NUM_SYMS], &nr, sizeof(nr));
	assert_string_not_equal(name_of(f, last + 0xffff), "none");
	assert_string_equal(name_of(f, last + 0x10000), "none");
	assert_string_equal(name_of(f, last + 0x10000000), "none");
}

static void without_tables(void **state)
{
	struct fixture *f = *state;

	f->ops.vmcoreinfo = NULL;
	assert_string_equal(name_of(f, AT(1)), "none");
	f->ops.symbolize = of_front_end;
	assert_string_equal(name_of(f, AT(1) + 7), "front+0x7 [end]");
}

/* A VMCOREINFO that was cut has no line for the base, just as that of 7.2. */
static void lost_base(void **state)
{
	struct fixture *f = *state;

	f->kernel.as = FROM_ENTRY; /* changes only VMCOREINFO, not the table */
	struct nmibt_error *err = nmibt_kernel_need(kernel_of(f), NMIBT_PART_KALLSYMS);
	assert_non_null(err);
	assert_int_equal(err->code, NMIBT_ERR_DAMAGED);
	nmibt_error_destroy(err);
	assert_string_equal(name_of(f, AT(1)), "none");
}

/* Names that can't be read are not known; the others are. */
static void excluded_names(void **state)
{
	struct fixture *f = *state;

	f->ops.symbolize = of_front_end;
	f->kernel.status[f->kernel.tables[NAMES] / PAGE + 1] = 1;
	assert_string_equal(name_of(f, AT(1)), "bb+0x0");
	assert_string_equal(name_of(f, AT(300)), "front+0x0 [end]");
	assert_string_equal(name_of(f, AT(2)), "ccc+0x0");
}

/* A name is found without those before it, which may be in pages that can't be read. */
static void behind_excluded_names(void **state)
{
	struct fixture *f = *state;

	f->kernel.status[f->kernel.tables[NAMES] / PAGE] = 1;
	assert_string_equal(name_of(f, AT(NR_SYMBOLS - 3)), "zzzzzzzzzzzzzzzzzz+0x0");
	assert_string_equal(name_of(f, AT(1)), "none");
}

/* Where a marker and the names contradict each other, all names are read. */
static void wrong_markers(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 6; i++) {
		uint32_t *marker = (void *)(f->kernel.memory + f->kernel.markers + i / 2 * 4);
		uint32_t was = *marker;

		/* It points into a name, or one name too far back. */
		*marker += i % 2 ? 1 : -18;
		reopen(f);
		assert_string_equal(name_of(f, AT(1)), "bb+0x0");
		assert_string_equal(name_of(f, AT(251) + 1), "rrrrrrrrrrrr+0x1");
		assert_string_equal(name_of(f, AT(256) + 2), "wwwwwwwwwwwwwwwww+0x2");
		assert_string_equal(name_of(f, AT(NR_SYMBOLS - 3)), "zzzzzzzzzzzzzzzzzz+0x0");
		*marker = was;
	}
}

/* -------------------------------------------------------------- the other way */

static void by_name(void **state)
{
	struct fixture *f = *state;
	uint64_t addr = 42;

	rename_to(f, 9, "nr_cpu_ids");
	rename_to(f, 589, "nr_cpu_idz");
	assert_true(addr_of(f, "nr_cpu_ids", &addr));
	assert_true(addr == AT(9));
	assert_true(addr_of(f, "nr_cpu_idz", &addr));
	assert_true(addr == AT(589));
	addr = 42;
	/* A part of a name does not match, nor does a name with the letter of its type. */
	assert_false(addr_of(f, "nr_cpu_id", &addr));
	assert_false(addr_of(f, "nr_cpu_idsx", &addr));
	assert_false(addr_of(f, "dnr_cpu_ids", &addr));
	assert_false(addr_of(f, "", &addr));
	assert_true(addr == 42);
}

/* If several symbols have the name, it is ambiguous, unless their values are the same. */
static void one_name_of_several(void **state)
{
	struct fixture *f = *state;
	uint64_t addr;

	/* Symbols 1, 261 and 521 are called "bb". */
	assert_false(addr_of(f, "bb", &addr));
	move(f, 261, 1);
	assert_false(addr_of(f, "bb", &addr));
	move(f, 521, 1);
	assert_true(addr_of(f, "bb", &addr));
	assert_true(addr == AT(1));
}

/* The entry of symbol i in the order of names. */
static uint8_t *place_of(struct fixture *f, unsigned int i)
{
	uint8_t *at = f->kernel.memory + f->kernel.order;

	while ((unsigned int)(at[1] << 8 | at[2]) != i)
		at += 3;
	return at;
}

static void exchange(uint8_t a[3], uint8_t b[3])
{
	uint8_t was[3];

	memcpy(was, a, 3);
	memcpy(a, b, 3);
	memcpy(b, was, 3);
}

/* Where the order of names contradicts them, all names are read. */
static void wrong_order(void **state)
{
	struct fixture *f = *state;
	uint64_t addr;

	rename_to(f, 9, "nr_cpu_ids");
	for (unsigned int i = 0; i < NR_SYMBOLS / 2; i++)
		exchange(f->kernel.memory + f->kernel.order + 3 * i,
			 f->kernel.memory + f->kernel.order + 3 * (NR_SYMBOLS - 1 - i));
	assert_true(addr_of(f, "nr_cpu_ids", &addr));
	make_order(&f->kernel);
	/* Zeros stand for the first symbol. They may be a part of the order, or all of it. */
	memset(place_of(f, 9) - 3, 0, 9);
	assert_true(addr_of(f, "nr_cpu_ids", &addr));
	assert_true(addr == AT(9));
	memset(f->kernel.memory + f->kernel.order + 3 * (NR_SYMBOLS / 4), 0, 3 * NR_SYMBOLS / 2);
	assert_true(addr_of(f, "nr_cpu_ids", &addr));
	memset(f->kernel.memory + f->kernel.order, 0, 3 * NR_SYMBOLS);
	assert_true(addr_of(f, "nr_cpu_ids", &addr));
	memset(f->kernel.memory + f->kernel.order, 0xff, 3 * NR_SYMBOLS);
	assert_true(addr_of(f, "nr_cpu_ids", &addr));
	assert_false(addr_of(f, "nr_cpu_idz", &addr));
}

/* With CONFIG_LTO_CLANG a name is in order without its suffix, and of two that are equal then the
 * one with the lower address comes first. */
static void order_of_lto(void **state)
{
	char suffixed[] = "?ab.llvm.1", plain[] = "?ab";
	struct fixture *f = *state;
	uint64_t addr;
	uint8_t *at;

	for (*plain = 'a'; *plain <= 'z'; ++*plain) {
		*suffixed = *plain;
		rename_to(f, 9, suffixed);
		rename_to(f, 22, plain);
		at = place_of(f, 22);
		assert_ptr_equal(place_of(f, 9), at + 3);
		exchange(at, at + 3);
		reopen(f);
		assert_true(addr_of(f, plain, &addr));
		assert_true(addr == AT(22));
		assert_true(addr_of(f, suffixed, &addr));
		assert_true(addr == AT(9));
	}
}

/* No name needs more reads than a search in order, and the pages of names around it. */
static void few_reads(void **state)
{
	struct fixture *f = *state;
	uint64_t addr;

	rename_to(f, 9, "nr_cpu_ids");
	f->ops.read_phys = count_reads;
	assert_true(addr_of(f, "nr_cpu_ids", &addr));
	/* One that is damaged is not read. */
	f->kernel.memory[f->kernel.tables[NAMES]] = 0xff;
	nr_reads = 0;
	assert_false(addr_of(f, "nr_cpu_idz", &addr));
	assert_in_range(nr_reads, 1, 50);
}

/* On x86_64 up to 6.14, per-CPU variables are not moved with the image. */
static void per_cpu_variables(void **state)
{
	struct fixture *f = *state;
	int32_t offset = 0x20280;
	uint64_t addr;

	rename_to(f, 12, "nmi_print_seq");
	memcpy(f->kernel.memory + f->kernel.tables[OFFSETS] + 4 * 12, &offset, sizeof(offset));
	assert_true(addr_of(f, "nmi_print_seq", &addr));
	assert_true(addr == 0x20280);
}

/* A front end that has a vmlinux, or is crash. */
static bool addr_of_front_end(void *ctx, const char *name, uint64_t *ret)
{
	(void)ctx;
	if (strcmp(name, "panic_cpu"))
		return false;
	*ret = 0x1234;
	return true;
}

static void front_end_first(void **state)
{
	struct fixture *f = *state;
	uint64_t addr;

	rename_to(f, 8, "panic_cpu");
	rename_to(f, 9, "nr_cpu_ids");
	assert_true(addr_of(f, "panic_cpu", &addr));
	assert_true(addr == AT(8));
	f->ops.symbol_addr = addr_of_front_end;
	assert_true(addr_of(f, "panic_cpu", &addr));
	assert_true(addr == 0x1234);
	assert_true(addr_of(f, "nr_cpu_ids", &addr));
	assert_true(addr == AT(9));
	assert_string_equal(name_of(f, AT(8)), "panic_cpu+0x0");
}

static void no_names(void **state)
{
	struct fixture *f = *state;
	uint64_t addr;

	rename_to(f, 9, "nr_cpu_ids");
	/* The part that can't be read may have another symbol of this name. */
	f->kernel.status[f->kernel.tables[NAMES] / PAGE + 1] = 1;
	assert_false(addr_of(f, "nr_cpu_ids", &addr));
	f->kernel.status[f->kernel.tables[NAMES] / PAGE + 1] = 0;
	assert_true(addr_of(f, "nr_cpu_ids", &addr));
	f->kernel.status[f->kernel.tables[OFFSETS] / PAGE] = 1;
	assert_false(addr_of(f, "nr_cpu_ids", &addr));

	f->ops.vmcoreinfo = NULL;
	reopen(f);
	assert_false(addr_of(f, "nr_cpu_ids", &addr));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, negative, teardown)
#define ALL(test)                                                                                  \
	TEST(test), cmocka_unit_test_setup_teardown(test, as_unsigned, teardown),                  \
		cmocka_unit_test_setup_teardown(test, from_entry, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALL(names),
		ALL(first_of_several),
		ALL(all_of_one_value),
		ALL(before_the_front_end),
		TEST(far_behind),
		TEST(without_tables),
		TEST(lost_base),
		cmocka_unit_test_setup_teardown(lost_base, as_unsigned, teardown),
		ALL(excluded_names),
		ALL(behind_excluded_names),
		ALL(wrong_markers),
		ALL(by_name),
		ALL(one_name_of_several),
		ALL(wrong_order),
		ALL(order_of_lto),
		ALL(few_reads),
		TEST(per_cpu_variables),
		TEST(front_end_first),
		TEST(no_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
