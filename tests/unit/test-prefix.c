// SPDX-License-Identifier: GPL-2.0-or-later
/* What programs put before lines of a log; and that text which only looks like it stays. */
#include "image/prefix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct nmibt_log_prefix prefix_of(struct nmibt_wrapping *state, const char *line,
					 const char *rest)
{
	struct nmibt_log_prefix prefix = {0};
	struct nmibt_str s = nmibt_str_of(line);

	nmibt_take_wrapping(state, &s, &prefix);
	assert_int_equal(s.len, strlen(rest));
	assert_memory_equal(s.s, rest, s.len);
	return prefix;
}

static void text_stays(void **state)
{
	static const char *const lines[] = {
		"",
		"Call Trace:",
		" f+0x1/0x2",
		"[<ffffffff81000000>] f+0x1/0x2",
		"CPU: 3 PID: 118 Comm: x Not tainted",
		"Mar a",
		"Jan 1 12:00",
		"Mon 1",
		"12:00",
		"2023-10-13",
		"4,5,6",
		"4,5,6,x",
		"a.b,4,5",
		"kern",
		"kern :",
		"kern:loud: x",
		"[Fri",
		"[12:00:00",
		"[<",
		"[+]",
		"[ 1.2 <",
		"Process sh (pid: 127, stack limit = 0x0)",
		"Modules linked in: a",
		"R10: 0000000000000000",
		"0a: 12",
		"login: [x]",
		"123456789.5 x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct nmibt_wrapping wrapping = {0};

		assert_false(prefix_of(&wrapping, lines[i], lines[i]).is_stamped);
	}
}

static void hosts(void **state)
{
	struct nmibt_wrapping w = {0};

	(void)state;
	/* Nobody knows yet whether "pot" is a host. */
	assert_false(prefix_of(&w, "Nov 21 12:00:00 pot tea: x", "pot tea: x").is_of_program);
	assert_true(prefix_of(&w, "Nov 21 12:00:00 pot kernel: x", "x").is_of_kernel);
	assert_true(prefix_of(&w, "Nov 21 12:00:00 pot tea[1]: x", " x").is_of_program);
	assert_true(prefix_of(&w, "Nov 21 12:00:00 pot tea: x", " x").is_of_program);
	/* A line of the kernel, whose host ts does not print. */
	assert_false(prefix_of(&w, "Nov 21 12:00:00 Call Trace: x", "Call Trace: x").is_of_program);
	assert_true(prefix_of(&w, "Nov 21 12:00:00 pot kernel:", "").is_of_kernel);
	struct nmibt_log_prefix p = prefix_of(&w, "[    5.000001] pot kernel: x", "x");
	assert_true(p.has_time && p.ns == 5000001000);
}

static void kmsg(void **state)
{
	struct nmibt_wrapping w = {0};
	struct nmibt_log_prefix p = prefix_of(&w, "30,339,5140900,-,caller=T123;a;b", "a;b");

	(void)state;
	assert_true(p.is_kmsg && p.has_level && p.has_time && p.has_caller);
	assert_int_equal(p.level, 6);
	assert_int_equal(p.facility, 3);
	assert_int_equal(p.caller_id, 123);
	assert_true(p.ns == 5140900000);
	assert_true(prefix_of(&w, " SUBSYSTEM=pci", " SUBSYSTEM=pci").is_of_program);
	assert_true(prefix_of(&w, " DEVICE=+pci:1", " DEVICE=+pci:1").is_of_program);
	assert_false(prefix_of(&w, " f+0x1/0x2", " f+0x1/0x2").is_of_program);
	assert_false(prefix_of(&w, " DEVICE=x", " DEVICE=x").is_of_program);
	p = prefix_of(&w, "6.12.0-rc1+,4,7,1,c,caller=C31;x", "x");
	assert_int_equal(p.caller_id, 0x8000001f);
}

static void layers(void **state)
{
	struct nmibt_wrapping w = {0};
	struct nmibt_log_prefix p;

	(void)state;
	p = prefix_of(&w, "> > [2023-10-13 02:51:12]  <4>[   12.345678][   C1]  f+0x1/0x2",
		      " f+0x1/0x2");
	assert_true(p.has_time && p.has_level && p.caller_id == 0x80000001);
	/* The last time is the kernel's. */
	p = prefix_of(&w, "[    0.000001] [   12.345678] x", "x");
	assert_true(p.ns == 12345678000);
	p = prefix_of(&w, "[Fri Sep  3 07:30:00 2021]  <IRQ>", " <IRQ>");
	assert_false(p.has_time);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays),
		cmocka_unit_test(hosts),
		cmocka_unit_test(kmsg),
		cmocka_unit_test(layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
