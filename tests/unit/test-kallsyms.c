// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of addresses: the kernel's own symbols out of its memory, then the front end's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake-kallsyms.h"
#include "internal.h"

/* Symbol i stands at 16 * i, is of type "tTwWd"[i % 5], and has 1 + i % 20 letters. */
#define AT(i) (KERNEL + 16 * (i))

struct fixture {
	struct kernel kernel;
	struct nmibt_image image;
	struct nmibt_image_ops ops;
	struct nmibt_symbols symbols;
	char name[64];
};

/* A front end that knows every address. */
static bool of_front_end(void *ctx, uint64_t addr, char *buf, size_t len)
{
	(void)ctx;
	snprintf(buf, len, "front+0x%" PRIx64 " [end]", addr & 0xf);
	return true;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	make_image(&f->kernel, &f->image);
	f->ops = *f->image.ops;
	f->image.ops = &f->ops;
	f->symbols.image = &f->image;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	nmibt_kallsyms_close(f->symbols.kallsyms);
	free(f);
	return 0;
}

static const char *name_of(struct fixture *f, uint64_t addr)
{
	return nmibt_symbolize(&f->symbols, addr, f->name, sizeof(f->name)) ? f->name : "none";
}

/* Puts symbol i where symbol at is. */
static void move(struct fixture *f, unsigned int i, unsigned int at)
{
	int32_t offset = -1 - 16 * (int32_t)at;

	memcpy(f->kernel.memory + f->kernel.tables[OFFSETS] + 4 * i, &offset, sizeof(offset));
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

/* Of a function's names the kernel prints the first: lib/vsprintf.c, %pS, by
 * kernel/kallsyms.c, get_symbol_pos() (6.12). */
static void first_of_several(void **state)
{
	struct fixture *f = *state;

	move(f, 7, 6);
	move(f, 8, 6);
	assert_string_equal(name_of(f, AT(6) + 2), "ggggggg+0x2");
	assert_string_equal(name_of(f, AT(8) + 2), "ggggggg+0x22");
	assert_string_equal(name_of(f, AT(10)), "kkkkkkkkkkk+0x0");
}

static void before_the_front_end(void **state)
{
	struct fixture *f = *state;

	f->ops.symbolize = of_front_end;
	assert_string_equal(name_of(f, AT(1)), "bb+0x0");
	/* Data, and what stands before the first symbol, as arm64's modules. */
	assert_string_equal(name_of(f, AT(4) + 5), "front+0x5 [end]");
	assert_string_equal(name_of(f, AT(0) - 15), "front+0x1 [end]");
}

static void without_tables(void **state)
{
	struct fixture *f = *state;

	f->ops.vmcoreinfo = NULL;
	assert_string_equal(name_of(f, AT(1)), "none");
	f->ops.symbolize = of_front_end;
	assert_string_equal(name_of(f, AT(1) + 7), "front+0x7 [end]");
}

/* What can't be read is not known, and costs the rest nothing. */
static void excluded_names(void **state)
{
	struct fixture *f = *state;

	f->ops.symbolize = of_front_end;
	f->kernel.status[f->kernel.tables[NAMES] / PAGE + 1] = 1;
	assert_string_equal(name_of(f, AT(1)), "bb+0x0");
	assert_string_equal(name_of(f, AT(NR_SYMBOLS - 3)), "front+0x0 [end]");
	assert_string_equal(name_of(f, AT(2)), "ccc+0x0");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names),	      TEST(first_of_several), TEST(before_the_front_end),
		TEST(without_tables), TEST(excluded_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
