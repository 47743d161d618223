// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of CPUs for -c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "text/text.h"

#define NR 16

/* wanted: a string of 0 and 1, one for each CPU; or the text of the error. */
static void expect(const char *list, const char *wanted)
{
	bool cpus[NR] = {false};
	char got[NR + 1] = "";
	struct nmibt_error *err = nmibt_parse_cpus(list, cpus, NR);

	if (err) {
		assert_int_equal(err->code, NMIBT_ERR_USAGE);
		assert_string_equal(err->message, wanted);
		nmibt_error_destroy(err);
		return;
	}
	for (int i = 0; i < NR; i++)
		got[i] = cpus[i] ? '1' : '0';
	assert_string_equal(got, wanted);
}

static void test_lists(void **unused)
{
	(void)unused;
	expect("3", "0001000000000000");
	expect("1,8-14", "0100000011111110");
	expect("0-0,15", "1000000000000001");
	expect("a", "1111111111111111");
	expect("all", "1111111111111111");
}

static void test_errors(void **unused)
{
	(void)unused;
	expect("", "\"\" is no CPU number");
	expect("x", "\"x\" is no CPU number");
	expect("1,", "\"\" is no CPU number");
	expect("-1", "\"-1\" is no CPU number");
	expect("1 2", "\" 2\" in a list of CPUs: want 3, 1,8-14 or a");
	expect("16", "there is no CPU 16, there are CPUs 0 to 15");
	expect("2-16", "there is no CPU 16, there are CPUs 0 to 15");
	expect("99999999999999999999999",
	       "there is no CPU 99999999999999999999, there are CPUs 0 to 15");
	expect("5-3", "CPUs 5-3 run backwards");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
