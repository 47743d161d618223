// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMCOREINFO out of memory, where a dump has no note of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake-image.h"

#define TEXT "OSRELEASE=6.12.0\nPAGESIZE=4096\nSYMBOL(x)=ffff\n"

/* The note in a page of its own, as the kernel has it; its address. */
static uint64_t put_note(struct fake *f, const char *name, const char *text)
{
	uint64_t paddr = fake_alloc(f, 2 * FAKE_PAGE, FAKE_PAGE);

	fake_elf_note(fake_at(f, paddr), name, text, (uint32_t)strlen(text));
	return paddr;
}

static void is_found(void **state)
{
	struct fake *f = *state;
	char *text;

	put_note(f, "VMCOREINFO", TEXT);
	assert_null(nmibt_vmcoreinfo_find(&f->image, &text));
	assert_string_equal(text, TEXT);
	free(text);
	/* Once more, with what kdump adds. */
	put_note(f, "VMCOREINFO", TEXT "CRASHTIME=1\n");
	assert_null(nmibt_vmcoreinfo_find(&f->image, &text));
	free(text);
}

static void assert_error(struct fake *f, enum nmibt_code code)
{
	char *text;
	struct nmibt_error *err = nmibt_vmcoreinfo_find(&f->image, &text);

	assert_non_null(err);
	assert_int_equal(err->code, code);
	nmibt_error_destroy(err);
}

/* Of the kernel before, whose memory nobody cleared. */
static void of_two_kernels(void **state)
{
	struct fake *f = *state;

	put_note(f, "VMCOREINFO", TEXT);
	put_note(f, "VMCOREINFO", "OSRELEASE=6.1.0\nPAGESIZE=4096\n");
	assert_error(f, NMIBT_ERR_DAMAGED);
}

static void is_none(void **state)
{
	struct fake *f = *state;

	assert_error(f, NMIBT_ERR_NOTHING);
	put_note(f, "VMCOREINFX", TEXT);
	put_note(f, "VMCOREINFO", "RELEASE=6.12.0\n");
	put_note(f, "VMCOREINFO", "OSRELEASE=6.12.0\033[31m\n");
	assert_error(f, NMIBT_ERR_NOTHING);
	/* A size that no note has. */
	uint64_t paddr = put_note(f, "VMCOREINFO", TEXT);
	uint32_t size = UINT32_MAX;
	memcpy((char *)fake_at(f, paddr) + 4, &size, sizeof(size));
	assert_error(f, NMIBT_ERR_NOTHING);
}

static void is_not_readable(void **state)
{
	struct fake *f = *state;

	fake_set_pages(f, put_note(f, "VMCOREINFO", TEXT), FAKE_PAGE, NMIBT_READ_EXCLUDED);
	assert_error(f, NMIBT_ERR_NOTHING);
	f->ops.next_range = NULL;
	assert_error(f, NMIBT_ERR_NOTHING);
}

static int setup(void **state)
{
	*state = fake_new(NMIBT_ARCH_X86_64, 1);
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_found),
		TEST(of_two_kernels),
		TEST(is_none),
		TEST(is_not_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
