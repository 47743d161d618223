// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Symbols and layouts from a file with debugging information. The file is this program itself, so
 * that the compiler provides the right answers.
 */
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "debuginfo/debugfile.h"

/* As the kernel's buffers are: kernel/printk/printk_safe.c, 5.10. */
struct printk_safe_seq_buf {
	int len;
	int message_lost;
	struct {
		void *next;
		void (*func)(void *);
	} work;
	unsigned char buffer[8192 - 32];
};

/* Members of unnamed structs belong to the struct that contains them. */
struct nested {
	char first;
	union {
		uint64_t wide;
		struct {
			uint32_t low;
			union {
				uint32_t high;
				struct {
					uint16_t a, b;
				};
			};
		};
	};
	struct {
		int inside;
	} named;
	unsigned int bit : 1;
	struct opaque *pointer;
	const struct {
		short last;
	};
};

union either {
	uint64_t wide;
	char narrow[24];
};

/* This struct is not defined anywhere. */
struct opaque;

struct printk_safe_seq_buf first_variable;
struct nested second_variable;
union either third_variable;
static int hidden_variable;

/* This makes the compiler keep all of them. */
static void *volatile kept[] = {&first_variable, &second_variable, &third_variable,
				&hidden_variable};

/* The kernel's function with this name is in the same source file as the type. */
void printk_safe_flush(void);
void printk_safe_flush(void)
{
	first_variable.len = 0;
	first_variable.message_lost = kept[3] == NULL;
}

static struct nmibt_debugfile *self;

static int open_self(void **state)
{
	(void)state;
	struct nmibt_error *err =
		nmibt_debugfile_open(open("/proc/self/exe", O_RDONLY), "self", NULL, &self);

	printk_safe_flush();
	return !!err;
}

static int close_self(void **state)
{
	(void)state;
	nmibt_debugfile_close(self);
	return 0;
}

static void check_size(const char *type, size_t expected)
{
	size_t size = 42;

	if (!nmibt_debugfile_type_size(self, type, &size) || size != expected)
		fail_msg("%s has %zu bytes, not %zu", type, size, expected);
}

static void check_offset(const char *type, const char *member, size_t expected)
{
	size_t offset = 42;

	if (!nmibt_debugfile_member_offset(self, type, member, &offset) || offset != expected)
		fail_msg("%s.%s is at %zu, not at %zu", type, member, offset, expected);
}

static void sizes(void **state)
{
	(void)state;
	assert_true(nmibt_debugfile_has_lines(self));
	check_size("printk_safe_seq_buf", sizeof(struct printk_safe_seq_buf));
	check_size("nested", sizeof(struct nested));
	check_size("either", sizeof(union either));
	check_size("nested", sizeof(struct nested));
}

/* This program only declares the struct. */
static void defined_elsewhere(void **state)
{
	size_t size = 0;

	(void)state;
	assert_true(nmibt_debugfile_type_size(self, "nmibt_debugfile", &size));
	assert_true(size > sizeof(void *));
}

#define CHECK(type, member) check_offset(#type, #member, offsetof(struct type, member))

static void offsets(void **state)
{
	(void)state;
	CHECK(printk_safe_seq_buf, len);
	CHECK(printk_safe_seq_buf, message_lost);
	CHECK(printk_safe_seq_buf, work);
	CHECK(printk_safe_seq_buf, buffer);
	CHECK(nested, first);
	CHECK(nested, wide);
	CHECK(nested, low);
	CHECK(nested, high);
	CHECK(nested, a);
	CHECK(nested, b);
	CHECK(nested, named);
	CHECK(nested, pointer);
	CHECK(nested, last);
	check_offset("either", "wide", 0);
	check_offset("either", "narrow", 0);
}

static void absent(void **state)
{
	size_t value = 42;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		assert_false(nmibt_debugfile_type_size(self, "no such type", &value));
		assert_false(nmibt_debugfile_type_size(self, "opaque", &value));
		assert_false(nmibt_debugfile_type_size(self, "", &value));
		/* These are no structs or unions. */
		assert_false(nmibt_debugfile_type_size(self, "unsigned int", &value));
		assert_false(nmibt_debugfile_member_offset(self, "no such type", "len", &value));
		assert_false(nmibt_debugfile_member_offset(self, "nested", "absent", &value));
		assert_false(nmibt_debugfile_member_offset(self, "nested", "inside", &value));
		assert_false(nmibt_debugfile_member_offset(self, "nested", "", &value));
		/* A bit field has no byte offset. */
		assert_false(nmibt_debugfile_member_offset(self, "nested", "bit", &value));
	}
	assert_int_equal(value, 42);
}

static int moved_by(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(uint64_t *)arg = info->dlpi_addr;
	return 1; /* the program is the first */
}

/* The expected values are the linker's addresses, before the program was relocated. */
static void symbols(void **state)
{
	uint64_t first, second, offset, addr = 42;

	(void)state;
	dl_iterate_phdr(moved_by, &offset);
	assert_true(nmibt_debugfile_symbol_addr(self, "first_variable", &first));
	assert_true(first == (uintptr_t)&first_variable - offset);
	assert_true(nmibt_debugfile_symbol_addr(self, "second_variable", &second));
	assert_true(second - first == (uintptr_t)&second_variable - (uintptr_t)&first_variable);
	assert_true(nmibt_debugfile_symbol_addr(self, "hidden_variable", &second));
	assert_true(second - first == (uintptr_t)&hidden_variable - (uintptr_t)&first_variable);
	assert_true(nmibt_debugfile_symbol_addr(self, "printk_safe_flush", &second));
	assert_true(second - first == (uintptr_t)printk_safe_flush - (uintptr_t)&first_variable);

	assert_false(nmibt_debugfile_symbol_addr(self, "no such symbol", &addr));
	assert_false(nmibt_debugfile_symbol_addr(self, "", &addr));
	/* This symbol is undefined in the program. */
	assert_false(nmibt_debugfile_symbol_addr(self, "calloc", &addr));
	assert_true(addr == 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),   cmocka_unit_test(defined_elsewhere),
		cmocka_unit_test(offsets), cmocka_unit_test(absent),
		cmocka_unit_test(symbols),
	};
	return cmocka_run_group_tests(tests, open_self, close_self);
}
