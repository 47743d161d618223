// SPDX-License-Identifier: GPL-2.0-or-later
/* The matcher and the parser of numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static void literals(void **state)
{
	struct nmibt_str s = nmibt_str_of("abc"), empty = {0};

	(void)state;
	assert_true(nmibt_str_is(s, "abc"));
	assert_false(nmibt_str_is(s, "ab") || nmibt_str_is(s, "abcd") || nmibt_str_is(s, "abd"));
	assert_true(nmibt_str_starts(s, "ab") && nmibt_str_starts(s, ""));
	assert_false(nmibt_str_starts(s, "b") || nmibt_str_starts(s, "abcd"));
	assert_true(nmibt_str_holds(s, "bc"));
	assert_false(nmibt_str_holds(s, "cb") || nmibt_str_holds(s, "abcd"));
	assert_true(nmibt_str_is(empty, "") && nmibt_str_starts(empty, ""));
	assert_false(nmibt_str_starts(empty, "a") || nmibt_str_holds(empty, "a"));
	/* Bytes behind the string do not belong to it. */
	assert_false(nmibt_str_starts((struct nmibt_str){"abc", 2}, "abc"));
	assert_false(nmibt_str_holds((struct nmibt_str){"abc", 2}, "bc"));
}

static void cursors(void **state)
{
	struct nmibt_str s = nmibt_str_of("ab  cd:ef:g"), part = {0};

	(void)state;
	assert_false(nmibt_skip(&s, "b"));
	assert_true(nmibt_skip(&s, "ab"));
	nmibt_skip_spaces(&s);
	assert_true(nmibt_str_is(s, "cd:ef:g"));
	nmibt_skip_spaces(&s);
	assert_false(nmibt_skip_to(&s, ";"));
	assert_false(nmibt_take_until(&s, ";", &part) || nmibt_take_until_last(&s, ";", &part));
	assert_true(nmibt_str_is(s, "cd:ef:g") && !part.s);
	struct nmibt_str copy = s;
	assert_true(nmibt_take_until(&copy, ":", &part));
	assert_true(nmibt_str_is(part, "cd") && nmibt_str_is(copy, "ef:g"));
	copy = s;
	assert_true(nmibt_take_until_last(&copy, ":", &part));
	assert_true(nmibt_str_is(part, "cd:ef") && nmibt_str_is(copy, "g"));
	assert_true(nmibt_skip_to(&s, "e") && nmibt_str_is(s, "f:g"));
	assert_true(nmibt_skip_to(&s, ":g") && !s.len);
	nmibt_skip_spaces(&s);
}

static void check_decimal(const char *text, uint64_t max, uint64_t want, const char *rest)
{
	struct nmibt_str s = nmibt_str_of(text);
	uint64_t value = 4711;

	assert_int_equal(nmibt_take_decimal(&s, max, &value), rest != NULL);
	assert_int_equal(value, rest ? want : 4711);
	assert_true(nmibt_str_is(s, rest ? rest : text));
}

static void decimals(void **state)
{
	(void)state;
	check_decimal("0", 0, 0, "");
	check_decimal("12a", 12, 12, "a");
	check_decimal("0012", 12, 12, "");
	check_decimal("13", 12, 0, NULL);
	check_decimal("130", 13, 0, NULL);
	check_decimal("", 12, 0, NULL);
	check_decimal("-1", 12, 0, NULL);
	check_decimal("+1", 12, 0, NULL);
	check_decimal(" 1", 12, 0, NULL);
	check_decimal("18446744073709551615", UINT64_MAX, UINT64_MAX, "");
	check_decimal("18446744073709551616", UINT64_MAX, 0, NULL);
	check_decimal("99999999999999999999999", UINT64_MAX, 0, NULL);
}

static void check_hex(const char *text, unsigned int digits, uint64_t want, const char *rest)
{
	struct nmibt_str s = nmibt_str_of(text);
	uint64_t value = 4711;

	assert_int_equal(nmibt_take_hex(&s, digits, &value), rest != NULL);
	assert_int_equal(value, rest ? want : 4711);
	assert_true(nmibt_str_is(s, rest ? rest : text));
}

static void hexes(void **state)
{
	struct nmibt_str s = nmibt_str_of("0x1f/0x");
	uint64_t value;

	(void)state;
	check_hex("0", 16, 0, "");
	check_hex("fFg", 16, 0xff, "g");
	check_hex("12345", 4, 0x1234, "5");
	check_hex("ffffffffffffffff1", 16, UINT64_MAX, "1");
	check_hex("", 16, 0, NULL);
	check_hex("g", 16, 0, NULL);
	check_hex("-1", 16, 0, NULL);
	assert_true(nmibt_take_0x(&s, &value) && value == 0x1f && nmibt_skip(&s, "/"));
	assert_false(nmibt_take_0x(&s, &value));
	assert_true(nmibt_str_is(s, "0x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals),
		cmocka_unit_test(cursors),
		cmocka_unit_test(decimals),
		cmocka_unit_test(hexes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
