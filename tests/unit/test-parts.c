// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel puts before lines that it prints, and which parts of pstore belong together. */
#include "image/parts.h"
#include "image/prefix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct nmibt_log_prefix prefix_of(const char *line, const char *rest)
{
	struct nmibt_log_prefix prefix = {0};
	struct nmibt_str s = nmibt_str_of(line);

	nmibt_take_log_prefix(&s, &prefix);
	assert_int_equal(s.len, strlen(rest));
	assert_memory_equal(s.s, rest, s.len);
	return prefix;
}

static void prefixes(void **state)
{
	(void)state;
	struct nmibt_log_prefix p =
		prefix_of("<30>[   12.345678][   C16]  f+0x1/0x2", " f+0x1/0x2");
	assert_int_equal(p.level, 6);
	assert_int_equal(p.facility, 3);
	assert_true(p.ns == 12345678000);
	assert_int_equal(p.caller_id, 0x80000010);
	p = prefix_of("[12345678.000001][ T123] x", "x");
	assert_false(p.has_level);
	assert_true(p.ns == 12345678000001000);
	assert_int_equal(p.caller_id, 123);
	p = prefix_of("<4>no time", "no time");
	assert_true(p.has_level && !p.has_time && !p.has_caller);
	p = prefix_of("<4>[  T9] x", "x");
	assert_true(p.has_caller && !p.has_time);
}

static void no_prefixes(void **state)
{
	static const char *const lines[] = {
		"",
		"x",
		"[",
		"<",
		"<4",
		"<x>",
		"[ 1.2] x",
		"[    1.1234567] x",
		"[ffffffff81000000] f",
		"[   .000000] x",
		"[99999999999999.000000] x",
		"< 4>x",
		"<99999>x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct nmibt_log_prefix p = prefix_of(lines[i], lines[i]);

		assert_false(p.has_level || p.has_time || p.has_caller);
	}
}

static void first_lines(void **state)
{
	(void)state;
	assert_true(nmibt_is_part(nmibt_str_of("Panic#1 Part1\n")));
	assert_true(nmibt_is_part(nmibt_str_of("Emergency#12 Part345")));
	assert_false(nmibt_is_part(nmibt_str_of("Panic#1 Part0\n")));
	assert_false(nmibt_is_part(nmibt_str_of("Panic#1 Part1 \n")));
	assert_false(nmibt_is_part(nmibt_str_of("#1 Part1\n")));
	assert_false(nmibt_is_part(nmibt_str_of("Pa\33c#1 Part1\n")));
	assert_false(nmibt_is_part(nmibt_str_of("<4>[    1.000000] Panic#1 Part1\n")));
	assert_true(nmibt_is_compressed_part("/sys/fs/pstore/dmesg-efi_pstore-1.enc.z"));
	assert_false(nmibt_is_compressed_part(".enc.z"));
}

static void add(struct nmibt_parts *parts, const char *path, const char *text)
{
	assert_null(nmibt_parts_add(parts, path, 0, nmibt_str_of(text)));
}

/* A log's reason, count and numbers, and whether its parts lack their ends. */
static void expect(const struct nmibt_parts *parts, size_t log, const char *expected)
{
	char text[128];
	int len = 0;

	assert_true(log < parts->nr_logs);
	for (size_t i = 0; i < parts->logs[log].nr; i++) {
		const struct nmibt_part *part = &parts->v[parts->logs[log].first + i];

		if (!i)
			len = sprintf(text, "%.*s#%d", (int)part->reason.len, part->reason.s,
				      (int)part->count);
		len += sprintf(text + len, " %d%s", (int)part->number, part->is_cut ? "-" : "");
	}
	assert_string_equal(text, expected);
}

static void joined(void **state)
{
	struct nmibt_parts parts = {0};

	(void)state;
	add(&parts, "dmesg-efi_pstore-172000000102001", "Panic#1 Part2\n<4>[    2.000000] b");
	add(&parts, "dmesg-efi_pstore-172000000103001", "Panic#1 Part3\n<4>[    1.000000] a\n");
	add(&parts, "dmesg-efi_pstore-172000000001001", "Panic#1 Part1\n<4>[    3.000000] c\n");
	add(&parts, "dmesg-efi_pstore-171000000001001", "Panic#1 Part1\n<4>[    3.000000] x\n");
	add(&parts, "dmesg-efi_pstore-171500000004001", "Panic#1 Part4\n<4>[    0.500000] z\n");
	add(&parts, "console-ramoops-0", "[    3.000000] y\n");
	assert_null(nmibt_parts_join(&parts));
	assert_int_equal(parts.nr_logs, 4);
	expect(&parts, 0, "#0 0");
	expect(&parts, 1, "Panic#1 1");
	expect(&parts, 2, "Panic#1 4");
	expect(&parts, 3, "Panic#1 3 2- 1");
	nmibt_parts_destroy(&parts);
}

static void of_several_boots(void **state)
{
	struct nmibt_parts parts = {0};

	(void)state;
	/* A CPU's clock may be a little behind another's. */
	add(&parts, "dmesg.txt",
	    "Oops#1 Part2\n<4>[   50.000000] a\nOops#1 Part1\n<4>[   49.500000] b\n"
	    "Oops#1 Part1\n<4>[   60.000000] c\n");
	add(&parts, "x", "Oops#1 Part3\n<4>[   99.000000] d\n");
	assert_null(nmibt_parts_join(&parts));
	assert_int_equal(parts.nr_logs, 3);
	expect(&parts, 0, "Oops#1 2 1");
	expect(&parts, 1, "Oops#1 1");
	expect(&parts, 2, "Oops#1 3");
	nmibt_parts_destroy(&parts);
}

static void too_many(void **state)
{
	struct nmibt_parts parts = {0};
	struct nmibt_error *err = NULL;

	(void)state;
	for (int i = 0; i < 5000 && !err; i++)
		err = nmibt_parts_add(&parts, "x", 0, nmibt_str_of("Oops#1 Part1\nx\n"));
	assert_non_null(err);
	nmibt_error_destroy(err);
	nmibt_parts_destroy(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes),	    cmocka_unit_test(no_prefixes),
		cmocka_unit_test(first_lines),	    cmocka_unit_test(joined),
		cmocka_unit_test(of_several_boots), cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
