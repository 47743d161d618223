// SPDX-License-Identifier: GPL-2.0-or-later
/* Backtraces whose lines are mixed: in which order lines come out, and which ones are marked. */
#include "source/mixed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct text {
	struct nmibt_mixed *mixed;
	char out[1 << 16]; /* a line each, with '?' in front of what is doubtful */
	size_t len;
};

static void take_out(void *arg, const struct nmibt_mixed_line *line)
{
	struct text *t = arg;
	struct nmibt_str s = line->line.text;

	assert_true(t->len + s.len + 3 < sizeof(t->out));
	t->len +=
		sprintf(t->out + t->len, "%s%.*s\n", line->is_doubtful ? "?" : "", (int)s.len, s.s);
}

static int setup(void **state)
{
	struct text *t = calloc(1, sizeof(*t));

	*state = t;
	assert_non_null(t);
	assert_null(nmibt_mixed_new(NMIBT_ARCH_X86_64, take_out, t, &t->mixed));
	return 0;
}

static int teardown(void **state)
{
	struct text *t = *state;

	nmibt_mixed_free(t->mixed);
	free(t);
	return 0;
}

/* Each line has a newline. */
static void say(struct text *t, const char *lines)
{
	for (const char *end; (end = strchr(lines, '\n')); lines = end + 1) {
		struct nmibt_mixed_line line = {.line.text = {lines, (size_t)(end - lines)}};

		nmibt_mixed_take(t->mixed, &line);
	}
}

static void say_strangers(struct text *t, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		say(t, "eth0: link is up\n");
}

/* What came out since the last call. */
static void comes_out(struct text *t, const char *lines)
{
	assert_string_equal(t->out, lines);
	t->out[t->len = 0] = '\0';
}

#define BEGIN(cpu) "CPU: " cpu " PID: 11" cpu " Comm: spin Not tainted 6.1.0 #1\n"
#define TRACE "Call Trace:\n <TASK>\n"

/* Two of which the frames may be of either. */
static void confuse_two(struct text *t)
{
	say(t, BEGIN("1") TRACE BEGIN("2") TRACE " f+0x1/0x9\n");
}

static void one_passes(void **state)
{
	say(*state, BEGIN("1") TRACE " f+0x1/0x9\n");
	comes_out(*state, BEGIN("1") TRACE " f+0x1/0x9\n");
	say(*state, " </TASK>\n");
	comes_out(*state, " </TASK>\n");
}

/* The second one begins while registers of the first are to come. */
static void the_other_waits(void **state)
{
	say(*state, BEGIN("1") BEGIN("2") "RIP: 0010:f+0x1/0x9\n" TRACE);
	comes_out(*state, BEGIN("1") "?RIP: 0010:f+0x1/0x9\n?Call Trace:\n? <TASK>\n");
	assert_true(nmibt_mixed_flush(((struct text *)*state)->mixed));
	comes_out(*state, BEGIN("2") "?RIP: 0010:f+0x1/0x9\n?Call Trace:\n? <TASK>\n");
}

static void both_end(void **state)
{
	confuse_two(*state);
	say(*state, " </TASK>\n </TASK>\n");
	comes_out(*state, BEGIN("1") TRACE "? f+0x1/0x9\n? </TASK>\n? </TASK>\n" BEGIN("2") TRACE
		  "? f+0x1/0x9\n? </TASK>\n? </TASK>\n");
	say(*state, BEGIN("3") TRACE " f+0x1/0x9\n");
	comes_out(*state, BEGIN("3") TRACE " f+0x1/0x9\n");
}

/* One end came and the other never does. Of the next two both ends must come until lines are nobody's
 * but their own. */
static void one_end_is_lost(void **state)
{
	struct text *t = *state;

	confuse_two(t);
	say(t, " </TASK>\n");
	say_strangers(t, 1000);
	t->out[t->len = 0] = '\0';
	confuse_two(t);
	say(t, " </TASK>\n g+0x1/0x9\n");
	comes_out(t, BEGIN("1") TRACE "? f+0x1/0x9\n? </TASK>\n? g+0x1/0x9\n");
	say(t, " </TASK>\n");
	comes_out(t, "? </TASK>\n" BEGIN("2") TRACE
		  "? f+0x1/0x9\n? </TASK>\n? g+0x1/0x9\n? </TASK>\n");
	say(t, BEGIN("3") TRACE " f+0x1/0x9\n");
	comes_out(t, BEGIN("3") TRACE " f+0x1/0x9\n");
}

/* Without marks of stacks nothing tells that the first one is to go on, behind the second one's lines. */
static void cut_between_frames(void **state)
{
	struct text *t = *state;

	say(t, BEGIN("1") "Call Trace:\n f+0x1/0x9\n" BEGIN("2") "Call Trace:\n g+0x1/0x9\n");
	comes_out(t,
		  BEGIN("1") "Call Trace:\n f+0x1/0x9\n" BEGIN("2") "Call Trace:\n? g+0x1/0x9\n");
	say(t, " ret_from_fork+0x1/0x9\n");
	comes_out(t, "? ret_from_fork+0x1/0x9\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_passes),      TEST(the_other_waits),	 TEST(both_end),
		TEST(one_end_is_lost), TEST(cut_between_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
