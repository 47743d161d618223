// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes lines of stored bytes: every way in which a line can be torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/text.h"

#define PARTIAL NMIBT_LINE_PARTIAL
#define TORN NMIBT_LINE_TORN
#define CUT NMIBT_LINE_CUT
#define LONE NMIBT_LINE_LONE_HEADER
#define MISSING NMIBT_LINE_MISSING
#define DEFAULT NMIBT_LEVEL_DEFAULT
#define CONT NMIBT_LEVEL_CONT

struct want {
	int level;
	unsigned int flags;
	const char *text;
	size_t len;
	size_t torn_at; /* looked at where flags has TORN */
	size_t gap;
};
#define LINE(l, f, t)                                                                              \
	{                                                                                          \
		.level = l, .flags = f, .text = t, .len = sizeof(t) - 1                            \
	}
#define TORN_LINE(l, f, t, at)                                                                     \
	{                                                                                          \
		.level = l, .flags = TORN | (f), .text = t, .len = sizeof(t) - 1, .torn_at = at    \
	}
#define GAP_LINE(l, f, t, g)                                                                       \
	{                                                                                          \
		.level = l, .flags = MISSING | (f), .text = t, .len = sizeof(t) - 1, .gap = g      \
	}

static void check_lines(const struct nmibt_text *text, const struct want *want, size_t nr)
{
	assert_int_equal(text->nr_lines, nr);
	for (size_t i = 0; i < nr; i++) {
		const struct nmibt_line *line = &text->lines[i];

		assert_int_equal(line->len, want[i].len);
		assert_memory_equal(line->text, want[i].text, want[i].len);
		assert_int_equal(line->level, want[i].level);
		assert_int_equal(line->flags, want[i].flags);
		assert_int_equal(line->torn_at,
				 want[i].flags & TORN ? want[i].torn_at : want[i].len);
		assert_int_equal(line->gap, want[i].gap);
	}
}

static void check_all(const char *raw, size_t len, size_t published, const bool *known,
		      bool overflow, const struct want *want, size_t nr)
{
	struct nmibt_text text;
	/* The library must not keep pointers to its arguments. */
	char *copy = malloc(len + 1);
	memcpy(copy, raw, len);
	assert_null(nmibt_decode(copy, len, published, known, overflow, &text));
	memset(copy, 'X', len);
	free(copy);

	assert_int_equal(text.raw_len, len);
	assert_memory_equal(text.raw, raw, len);
	check_lines(&text, want, nr);
	nmibt_text_destroy(&text);
}

/* All of raw is published and known. */
#define CHECK(raw, ...)                                                                            \
	do {                                                                                       \
		const struct want want[] = {__VA_ARGS__};                                          \
		check_all(raw, sizeof(raw) - 1, sizeof(raw) - 1, NULL, false, want,                \
			  sizeof(want) / sizeof(*want));                                           \
	} while (0)

/* Committed bytes, and a tail of bytes that were not committed. */
#define CHECK_TAIL(committed, tail, ...)                                                           \
	do {                                                                                       \
		const struct want want[] = {__VA_ARGS__};                                          \
		check_all(committed tail, sizeof(committed tail) - 1, sizeof(committed) - 1, NULL, \
			  false, want, sizeof(want) / sizeof(*want));                              \
	} while (0)

#define CHECK_OVERFLOW(raw, ...)                                                                   \
	do {                                                                                       \
		const struct want want[] = {__VA_ARGS__};                                          \
		check_all(raw, sizeof(raw) - 1, sizeof(raw) - 1, NULL, true, want,                 \
			  sizeof(want) / sizeof(*want));                                           \
	} while (0)

static void whole_lines(void **state)
{
	(void)state;
	CHECK("one\ntwo\n", LINE(DEFAULT, 0, "one"), LINE(DEFAULT, 0, "two"));
	CHECK("\n\nx\n", LINE(DEFAULT, 0, ""), LINE(DEFAULT, 0, ""), LINE(DEFAULT, 0, "x"));
	CHECK("a\tb \r\n", LINE(DEFAULT, 0, "a\tb \r"));
	check_all("", 0, 0, NULL, false, NULL, 0);
}

static void no_buffer_at_all(void **state)
{
	struct nmibt_text text;

	(void)state;
	assert_null(nmibt_decode(NULL, 0, 0, NULL, false, &text));
	assert_int_equal(text.nr_lines, 0);
	nmibt_text_destroy(&text);
}

static void every_level(void **state)
{
	(void)state;
	CHECK("\0010a\n\0011b\n\0012c\n\0013d\n\0014e\n\0015f\n\0016g\n\0017h\n", LINE(0, 0, "a"),
	      LINE(1, 0, "b"), LINE(2, 0, "c"), LINE(3, 0, "d"), LINE(4, 0, "e"), LINE(5, 0, "f"),
	      LINE(6, 0, "g"), LINE(7, 0, "h"));
	/* KERN_DEFAULT is an empty header: the lines after a warning have no level. */
	CHECK("\0014warn\nplain\n", LINE(4, 0, "warn"), LINE(DEFAULT, 0, "plain"));
	CHECK("\0014\n", LINE(4, 0, ""));
}

static void no_levels(void **state)
{
	(void)state;
	/* Only 0-7 and c make a header: include/linux/kern_levels.h */
	CHECK("\0018a\n", LINE(DEFAULT, 0, "\0018a"));
	CHECK("\001da\n", LINE(DEFAULT, 0, "\001da"));
	CHECK("\001\n", LINE(DEFAULT, 0, "\001"));
	CHECK("\001\0014a\n", LINE(DEFAULT, PARTIAL, "\001"), LINE(4, 0, "a"));
	CHECK("\001\377a\n", LINE(DEFAULT, 0, "\001\377a"));
}

static void header_without_newline_before_it(void **state)
{
	(void)state;
	CHECK("abc\0014def\n", LINE(DEFAULT, PARTIAL, "abc"), LINE(4, 0, "def"));
	CHECK("\0014abc\0014def\n", LINE(4, PARTIAL, "abc"), LINE(4, 0, "def"));
}

static void continuation(void **state)
{
	(void)state;
	/* arm64's show_regs(): pr_cont() registers and the newline, too. */
	CHECK("x29: 1 \001cx28: 2 \001cx27: 3\001c\nnext\n",
	      LINE(DEFAULT, 0, "x29: 1 x28: 2 x27: 3"), LINE(DEFAULT, 0, "next"));
	CHECK("\0014Modules linked in:\001c a\001c b\001c\n", LINE(4, 0, "Modules linked in: a b"));
	/* There is no line to continue. */
	CHECK("\001cabc\n", LINE(CONT, 0, "abc"));
	CHECK("abc\n\001cdef\n", LINE(DEFAULT, 0, "abc"), LINE(CONT, 0, "def"));
	CHECK("a\001c\001cb\n", LINE(DEFAULT, 0, "ab"));
}

static void headers_at_the_edges(void **state)
{
	(void)state;
	CHECK("abc\n\0014", LINE(DEFAULT, 0, "abc"), LINE(4, PARTIAL | LONE, ""));
	CHECK("abc\0014", LINE(DEFAULT, PARTIAL, "abc"), LINE(4, PARTIAL | LONE, ""));
	CHECK("\0014\0013abc\n", LINE(4, PARTIAL | LONE, ""), LINE(3, 0, "abc"));
	CHECK("abc\n\001c", LINE(DEFAULT, 0, "abc"), LINE(CONT, PARTIAL | LONE, ""));
	/* It continues a line with text, so it is no lone header. */
	CHECK("abc\001c", LINE(DEFAULT, PARTIAL, "abc"));
	/* Half a header. */
	CHECK("abc\n\001", LINE(DEFAULT, 0, "abc"), LINE(DEFAULT, PARTIAL | LONE, "\001"));
	CHECK("abc\001", LINE(DEFAULT, PARTIAL | LONE, "abc\001"));
}

static void partial_last_line(void **state)
{
	(void)state;
	CHECK("abc\ndef", LINE(DEFAULT, 0, "abc"), LINE(DEFAULT, PARTIAL, "def"));
	CHECK("\0014d", LINE(4, PARTIAL, "d"));
}

static void nul_bytes_are_bytes(void **state)
{
	(void)state;
	CHECK("a\0b\nc\n", LINE(DEFAULT, 0, "a\0b"), LINE(DEFAULT, 0, "c"));
	CHECK("\0\0", LINE(DEFAULT, PARTIAL, "\0\0"));
	CHECK("\001\0x\n", LINE(DEFAULT, 0, "\001\0x"));
}

static void overflow(void **state)
{
	(void)state;
	CHECK_OVERFLOW("abc\nde", LINE(DEFAULT, 0, "abc"), LINE(DEFAULT, PARTIAL | CUT, "de"));
	CHECK_OVERFLOW("abc\n\0014", LINE(DEFAULT, 0, "abc"), LINE(4, PARTIAL | CUT | LONE, ""));
	/* The last line that was kept is complete. */
	CHECK_OVERFLOW("abc\ndef\n", LINE(DEFAULT, 0, "abc"), LINE(DEFAULT, 0, "def"));
}

static void tail_beyond_the_published_length(void **state)
{
	(void)state;
	CHECK_TAIL("done\nhal", "f a line", LINE(DEFAULT, 0, "done"),
		   TORN_LINE(DEFAULT, PARTIAL, "half a line", 3));
	CHECK_TAIL("done\nhal", "f\nnext\n", LINE(DEFAULT, 0, "done"),
		   TORN_LINE(DEFAULT, 0, "half", 3), TORN_LINE(DEFAULT, 0, "next", 0));
	CHECK_TAIL("done\n", "whole\n", LINE(DEFAULT, 0, "done"),
		   TORN_LINE(DEFAULT, 0, "whole", 0));
	CHECK_TAIL("", "only", TORN_LINE(DEFAULT, PARTIAL, "only", 0));
	/* Only its newline, or only its header, is beyond the published length. */
	CHECK_TAIL("abc", "\n", TORN_LINE(DEFAULT, 0, "abc", 3));
	CHECK_TAIL("abc\n", "\0014def\n", LINE(DEFAULT, 0, "abc"), TORN_LINE(4, 0, "def", 0));
	CHECK_TAIL("abc\n\001", "4def\n", LINE(DEFAULT, 0, "abc"), TORN_LINE(4, 0, "def", 0));
	CHECK_TAIL("abc\n\0014", "def\n", LINE(DEFAULT, 0, "abc"), TORN_LINE(4, 0, "def", 0));
	CHECK_TAIL("abc", "\001cdef\n", TORN_LINE(DEFAULT, 0, "abcdef", 3));
	CHECK_TAIL("abc", "\0014d", LINE(DEFAULT, PARTIAL, "abc"), TORN_LINE(4, PARTIAL, "d", 0));
}

static void published_more_than_there_is(void **state)
{
	struct nmibt_text text;

	(void)state;
	assert_null(nmibt_decode("abc\n", 4, 4000000000u, NULL, false, &text));
	assert_int_equal(text.published, 4);
	assert_int_equal(text.raw_len, 4);
	check_lines(&text, (const struct want[]){LINE(DEFAULT, 0, "abc")}, 1);
	nmibt_text_destroy(&text);
}

/* A '_' in the map is a byte that could not be read. */
static void check_gaps(const char *raw, const char *map, size_t unread, const struct want *want,
		       size_t nr)
{
	size_t len = strlen(map);
	bool known[64];
	struct nmibt_text text;

	assert_true(len <= sizeof(known) / sizeof(*known));
	for (size_t i = 0; i < len; i++)
		known[i] = map[i] != '_';
	assert_null(nmibt_decode(raw, len, len, known, false, &text));
	assert_int_equal(text.unread, unread);
	check_lines(&text, want, nr);
	nmibt_text_destroy(&text);
}
#define CHECK_GAPS(raw, map, unread, ...)                                                          \
	do {                                                                                       \
		const struct want want[] = {__VA_ARGS__};                                          \
		check_gaps(raw, map, unread, want, sizeof(want) / sizeof(*want));                  \
	} while (0)

static void unreadable_bytes(void **state)
{
	(void)state;
	CHECK_GAPS("abcdefgh\nij\n", "abc___gh\nij\n", 3, LINE(DEFAULT, PARTIAL, "abc"),
		   GAP_LINE(DEFAULT, 0, "gh", 3), LINE(DEFAULT, 0, "ij"));
	CHECK_GAPS("abcd\nef\n", "____\nef\n", 4, GAP_LINE(DEFAULT, 0, "", 4),
		   LINE(DEFAULT, 0, "ef"));
	CHECK_GAPS("abcd\nef\n", "abcd\n___", 3, LINE(DEFAULT, 0, "abcd"),
		   GAP_LINE(DEFAULT, PARTIAL, "", 3));
	CHECK_GAPS("abcd", "____", 4, GAP_LINE(DEFAULT, PARTIAL, "", 4));
	CHECK_GAPS("abcdefg\n", "a_c_e_g\n", 3, LINE(DEFAULT, PARTIAL, "a"),
		   GAP_LINE(DEFAULT, PARTIAL, "c", 1), GAP_LINE(DEFAULT, PARTIAL, "e", 1),
		   GAP_LINE(DEFAULT, 0, "g", 1));
	/* The unreadable half of a level header could be any level. */
	CHECK_GAPS("a\n\0014b\n", "a\n\001_b\n", 1, LINE(DEFAULT, 0, "a"),
		   LINE(DEFAULT, PARTIAL, "\001"), GAP_LINE(DEFAULT, 0, "b", 1));
	CHECK_GAPS("a\n\0014b\n", "a\n_4b\n", 1, LINE(DEFAULT, 0, "a"),
		   GAP_LINE(DEFAULT, 0, "4b", 1));
	CHECK_GAPS("abc\001cdef\n", "a__\001cdef\n", 2, LINE(DEFAULT, PARTIAL, "a"),
		   GAP_LINE(CONT, 0, "def", 2));
}

/* Longer than what is taken at once, with and without a byte that could not be read. */
static void long_lines(void **state)
{
	static char raw[2001];
	static bool known[2000];
	struct nmibt_text text;

	(void)state;
	memset(raw, 'a', 1999);
	raw[1999] = '\n';
	memset(known, true, sizeof(known));
	assert_null(nmibt_decode(raw, 2000, 2000, known, false, &text));
	assert_int_equal(text.nr_lines, 1);
	assert_int_equal(text.lines[0].len, 1999);
	assert_int_equal(text.lines[0].flags, 0);
	nmibt_text_destroy(&text);

	for (size_t at = 1; at < 1998; at++) {
		known[at] = false;
		assert_null(nmibt_decode(raw, 2000, 2000, known, false, &text));
		assert_int_equal(text.nr_lines, 2);
		assert_int_equal(text.lines[0].len, at);
		assert_int_equal(text.lines[1].len, 1998 - at);
		assert_int_equal(text.lines[1].gap, 1);
		nmibt_text_destroy(&text);
		known[at] = true;
	}
}

/* Lines are lost before one byte of a record; its own text stays together otherwise. */
static void losses_in_a_log(void **state)
{
	static char raw[600];
	static bool lost[601];
	struct nmibt_text text;

	(void)state;
	memset(raw, 'a', sizeof(raw));
	raw[599] = '\n';
	for (size_t at = 1; at < 599; at++) {
		lost[at] = true;
		assert_null(nmibt_decode_log(raw, 600, NULL, lost, &text));
		assert_int_equal(text.nr_lines, 2);
		assert_int_equal(text.lines[0].len, at);
		assert_int_equal(text.lines[1].len, 599 - at);
		assert_int_equal(text.lines[1].flags, NMIBT_LINE_LOST);
		nmibt_text_destroy(&text);
		lost[at] = false;
	}
}

static void many_lines(void **state)
{
	char raw[4000];
	struct nmibt_text text;

	(void)state;
	memset(raw, '\n', sizeof(raw));
	assert_null(nmibt_decode(raw, sizeof(raw), sizeof(raw), NULL, false, &text));
	assert_int_equal(text.nr_lines, 4000);
	for (size_t i = 0; i < text.nr_lines; i++)
		assert_int_equal(text.lines[i].len, 0);
	nmibt_text_destroy(&text);
}

/* Random bytes: nothing is invented, and only headers and newlines are dropped. */
static void every_byte_once_and_in_order(void **state)
{
	static const char alphabet[] = "\001\001\001\n\n0c4x\0";

	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		char raw[64], want[64];
		bool known[64];
		size_t len = rand() % sizeof(raw), nr = 0, unknown = 0, gaps = 0;
		struct nmibt_text text;

		for (size_t i = 0; i < len; i++) {
			raw[i] = alphabet[rand() % (sizeof(alphabet) - 1)];
			known[i] = rand() % 8;
			unknown += !known[i];
		}
		for (size_t i = 0; i < len; i++) {
			if (known[i] && i + 1 < len && known[i + 1] && raw[i] == '\001' &&
			    raw[i + 1] && strchr("01234567c", raw[i + 1]))
				i++;
			else if (known[i] && raw[i] != '\n')
				want[nr++] = raw[i];
		}
		assert_null(nmibt_decode(raw, len, rand() % (len + 1), known, rand() % 2, &text));
		size_t at = 0;
		for (size_t i = 0; i < text.nr_lines; i++) {
			assert_true(text.lines[i].torn_at <= text.lines[i].len);
			assert_true(at + text.lines[i].len <= nr);
			assert_memory_equal(text.lines[i].text, want + at, text.lines[i].len);
			at += text.lines[i].len;
			gaps += text.lines[i].gap;
		}
		assert_int_equal(at, nr);
		assert_int_equal(gaps, unknown);
		nmibt_text_destroy(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_lines),
		cmocka_unit_test(no_buffer_at_all),
		cmocka_unit_test(every_level),
		cmocka_unit_test(no_levels),
		cmocka_unit_test(header_without_newline_before_it),
		cmocka_unit_test(continuation),
		cmocka_unit_test(headers_at_the_edges),
		cmocka_unit_test(partial_last_line),
		cmocka_unit_test(nul_bytes_are_bytes),
		cmocka_unit_test(overflow),
		cmocka_unit_test(tail_beyond_the_published_length),
		cmocka_unit_test(published_more_than_there_is),
		cmocka_unit_test(unreadable_bytes),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(losses_in_a_log),
		cmocka_unit_test(many_lines),
		cmocka_unit_test(every_byte_once_and_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
