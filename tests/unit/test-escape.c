// SPDX-License-Identifier: GPL-2.0-or-later
/* Which bytes may reach a terminal, and the one line of an error message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"

static void check(const char *bytes, size_t len, bool tabs, const char *want)
{
	char *out;
	size_t out_len;
	FILE *f = open_memstream(&out, &out_len);

	nmibt_escape(f, bytes, len, tabs);
	fclose(f);
	assert_string_equal(out, want);
	assert_int_equal(out_len, strlen(want));
	free(out);
}
#define ESCAPED(bytes, want) check(bytes, sizeof(bytes) - 1, false, want)
#define UNCHANGED(bytes) check(bytes, sizeof(bytes) - 1, false, bytes)

static void plain_text(void **state)
{
	(void)state;
	UNCHANGED("");
	UNCHANGED(" !\"#$%&'()*+,-./0123456789:;<=>?@ABC[]^_`abc{|}~");
	ESCAPED("a\\b", "a\\\\b");
	ESCAPED("\\x1b", "\\\\x1b");
}

static void control_characters(void **state)
{
	(void)state;
	ESCAPED("\033[31mred\033[0m", "\\x1b[31mred\\x1b[0m");
	ESCAPED("a\nb\rc\bd\ae", "a\\x0ab\\x0dc\\x08d\\x07e");
	ESCAPED("a\0b", "a\\x00b");
	ESCAPED("\177", "\\x7f");
	ESCAPED("\t", "\\x09");
	check("\t", 1, true, "\t");
	check("\v\n", 2, true, "\\x0b\\x0a");
	/* C1: CSI as one byte, and as UTF-8 */
	ESCAPED("\23331m", "\\x9b31m");
	ESCAPED("\302\23331m", "\\xc2\\x9b31m");
	ESCAPED("\302\200\302\237", "\\xc2\\x80\\xc2\\x9f");
}

static void valid_utf8(void **state)
{
	(void)state;
	UNCHANGED("\302\240"); /* U+A0, the first behind C1 */
	UNCHANGED("Grüße, 世界, \360\237\220\247");
	UNCHANGED("\337\277\340\240\200"); /* U+7FF, U+800 */
	UNCHANGED("\355\237\277\356\200\200"); /* U+D7FF, U+E000: around the surrogates */
	UNCHANGED("\357\277\275\360\220\200\200\364\217\277\277"); /* U+FFFD, 10000, 10FFFF */
}

static void invalid_utf8(void **state)
{
	(void)state;
	ESCAPED("\200", "\\x80");
	ESCAPED("\377\376", "\\xff\\xfe");
	ESCAPED("\303", "\\xc3"); /* cut */
	ESCAPED("\342\202", "\\xe2\\x82");
	ESCAPED("\360\237\220", "\\xf0\\x9f\\x90");
	ESCAPED("\303(", "\\xc3("); /* no continuation behind it */
	ESCAPED("\300\257", "\\xc0\\xaf"); /* overlong '/' */
	ESCAPED("\300\233", "\\xc0\\x9b"); /* overlong ESC */
	ESCAPED("\301\277", "\\xc1\\xbf");
	ESCAPED("\340\200\257", "\\xe0\\x80\\xaf");
	ESCAPED("\340\237\277", "\\xe0\\x9f\\xbf"); /* overlong U+7FF */
	ESCAPED("\360\200\200\257", "\\xf0\\x80\\x80\\xaf");
	ESCAPED("\355\240\200", "\\xed\\xa0\\x80"); /* surrogates */
	ESCAPED("\355\277\277", "\\xed\\xbf\\xbf");
	ESCAPED("\364\220\200\200", "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
	ESCAPED("\370\210\200\200\200", "\\xf8\\x88\\x80\\x80\\x80"); /* five bytes */
	/* A valid character after it is kept. */
	ESCAPED("\342\202é", "\\xe2\\x82é");
}

static void characters_that_deceive(void **state)
{
	(void)state;
	ESCAPED("\342\200\256abc", "\\xe2\\x80\\xaeabc"); /* U+202E right-to-left override */
	ESCAPED("\342\200\252\342\200\253\342\200\254\342\200\255",
		"\\xe2\\x80\\xaa\\xe2\\x80\\xab\\xe2\\x80\\xac\\xe2\\x80\\xad");
	ESCAPED("\342\201\246\342\201\251", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"); /* U+2066, 2069 */
	ESCAPED("\342\200\216\342\200\217", "\\xe2\\x80\\x8e\\xe2\\x80\\x8f"); /* LRM, RLM */
	ESCAPED("\330\234", "\\xd8\\x9c"); /* U+061C arabic letter mark */
	ESCAPED("\342\200\213", "\\xe2\\x80\\x8b"); /* zero width space */
	ESCAPED("\302\255", "\\xc2\\xad"); /* soft hyphen */
	ESCAPED("\342\200\250\342\200\251", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"); /* separators */
	ESCAPED("\357\273\277", "\\xef\\xbb\\xbf"); /* byte order mark */
	ESCAPED("\363\240\201\201", "\\xf3\\xa0\\x81\\x81"); /* U+E0041, a tag */
	/* Their neighbours are harmless: U+200A, 2010, 2027, 202F, 205F, 2070 */
	UNCHANGED("\342\200\212\342\200\220\342\200\247\342\200\257\342\201\237\342\201\260");
}

static void raw_is_ascii_only(void **state)
{
	char *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	(void)state;
	nmibt_escape_raw(f,
			 "a\tb\n\001"
			 "4\\\377é\0~",
			 12);
	fclose(f);
	assert_string_equal(out, "a\\x09b\\n\\x014\\\\\\xff\\xc3\\xa9\\x00~");
	free(out);
}

static void error_messages_are_one_printable_line(void **state)
{
	(void)state;
	struct nmibt_error *err =
		nmibt_error_create(NMIBT_ERR_DAMAGED, "CPU %d: %s", 3, "\033[2J\n\302\233x");
	assert_int_equal(err->code, NMIBT_ERR_DAMAGED);
	assert_string_equal(err->message, "CPU 3: ?[2J???x");
	nmibt_error_destroy(err);
	nmibt_error_destroy(NULL);

	err = nmibt_error_nomem();
	assert_int_equal(err->code, NMIBT_ERR_NOMEM);
	assert_string_equal(err->message, "out of memory");
	nmibt_error_destroy(err);
	assert_string_equal(nmibt_error_nomem()->message, "out of memory");
}

static void reasons_add_up_and_the_first_stay(void **state)
{
	char why[NMIBT_WHY_LEN + 1] = "";

	(void)state;
	why[NMIBT_WHY_LEN] = '#';
	nmibt_add_reason(why, "state %u", 7);
	nmibt_add_reason(why, "%s", "a\033b");
	assert_string_equal(why, "state 7; a?b");
	for (int i = 0; i < 100; i++)
		nmibt_add_reason(why, "reason number %d", i);
	assert_int_equal(strlen(why), NMIBT_WHY_LEN - 1);
	assert_memory_equal(why, "state 7; a?b; reason number 0; ", 31);
	assert_int_equal(why[NMIBT_WHY_LEN], '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text),
		cmocka_unit_test(control_characters),
		cmocka_unit_test(valid_utf8),
		cmocka_unit_test(invalid_utf8),
		cmocka_unit_test(characters_that_deceive),
		cmocka_unit_test(raw_is_ascii_only),
		cmocka_unit_test(error_messages_are_one_printable_line),
		cmocka_unit_test(reasons_add_up_and_the_first_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
