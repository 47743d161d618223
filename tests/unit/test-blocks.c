// SPDX-License-Identifier: GPL-2.0-or-later
/* Backtraces out of the records of a log, as kernels print them and as none does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "source/source.h"
#include "kernel-text.h"

#define NEWLINE 2
#define CONT 8
#define IRQ(cpu) (0x80000000 + (cpu)) /* a caller: NMI or interrupt there */
#define MS UINT64_C(1000000)

struct log {
	struct nmibt_blocks *blocks;
	uint64_t seq, ts_ns; /* of the next record */
	size_t missing; /* bytes behind its text */
	unsigned int facility; /* of the records that follow */
};

static int setup(void **state)
{
	struct log *l = calloc(1, sizeof(*l));

	if (!l || nmibt_blocks_new(&l->blocks))
		return -1;
	l->ts_ns = 5000 * MS;
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct log *l = *state;

	nmibt_blocks_destroy(l->blocks);
	free(l);
	return 0;
}

/* In memory of its own, so that reads beyond it are seen. */
static void add(struct log *l, uint32_t caller, unsigned int flags, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);

	memcpy(copy, text, len);
	struct nmibt_log_record record = {.seq = l->seq++,
					  .ts_ns = l->ts_ns,
					  .caller_id = caller,
					  .flags = flags,
					  .facility = l->facility,
					  .text = copy,
					  .len = len,
					  .missing = l->missing};
	nmibt_blocks_visit(l->blocks, &record);
	free(copy);
	l->ts_ns += MS;
	l->missing = 0;
}

static void say_part(struct log *l, uint32_t caller, unsigned int flags, const char *text)
{
	add(l, caller, flags, text, strlen(text));
}

/* A record for each line; returns what follows the first one. */
static const char *say_line(struct log *l, uint32_t caller, const char *lines)
{
	size_t len = strcspn(lines, "\n");

	add(l, caller, NEWLINE, lines, len);
	return lines + len + (lines[len] != '\0');
}

static void say(struct log *l, uint32_t caller, const char *lines)
{
	while (*lines)
		lines = say_line(l, caller, lines);
}

/* Line by line. */
static void say_both(struct log *l, uint32_t a, const char *of_a, uint32_t b, const char *of_b)
{
	while (*of_a || *of_b) {
		if (*of_a)
			of_a = say_line(l, a, of_a);
		if (*of_b)
			of_b = say_line(l, b, of_b);
	}
}

static void finish(struct log *l)
{
	assert_null(nmibt_blocks_finish(l->blocks));
}

static void check_text(const struct nmibt_block *block, const char *expected)
{
	if (block->len != strlen(expected) || memcmp(block->raw, expected, block->len))
		fail_msg("CPU %u has\n%.*s\nand not\n%s", block->cpu, (int)block->len, block->raw,
			 expected);
	for (size_t i = 0; i < block->len; i++)
		assert_true(block->known[i]);
}

/* The index + 1 of the CPU's nth block from the newest. */
static size_t find_block(const struct log *l, unsigned int cpu, unsigned int nth)
{
	size_t i = l->blocks->newest[cpu];

	while (i && nth--)
		i = l->blocks->blocks[i - 1].older;
	return i;
}

static const struct nmibt_block *nth_block(const struct log *l, unsigned int cpu, unsigned int nth)
{
	size_t i = find_block(l, cpu, nth);

	if (!i)
		fail_msg("CPU %u has no block %u", cpu, nth);
	assert_int_equal(l->blocks->blocks[i - 1].cpu, cpu);
	return &l->blocks->blocks[i - 1];
}

/* The CPU's only block. */
static const struct nmibt_block *check_block(const struct log *l, unsigned int cpu,
					     enum nmibt_block_kind kind, uint64_t request,
					     const char *text)
{
	const struct nmibt_block *block = nth_block(l, cpu, 0);

	assert_int_equal(block->older, 0);
	assert_int_equal(block->kind, kind);
	assert_int_equal(block->request, request);
	assert_false(block->is_headless);
	check_text(block, text);
	return block;
}

static void check_died(const struct log *l, size_t block)
{
	assert_int_equal(l->blocks->died, block);
}

/* ------------------------------------------------------------------- streams */

static void nothing(void **state)
{
	struct log *l = *state;

	say(l, 1, "Linux version 6.12\n leading space\nRIP: 0010:no_block+0x1/0x2\n\n");
	finish(l);
	assert_int_equal(l->blocks->nr, 0);
	assert_int_equal(l->blocks->nr_requests, 0);
	assert_int_equal(l->blocks->nr_records, 4);
	assert_false(l->blocks->is_wrapped);
	assert_false(l->blocks->has_panicked);
	assert_int_equal(l->blocks->panic_ns, 0);
	check_died(l, 0);
}

static void two_at_once(void **state)
{
	struct log *l = *state;
	uint64_t begun = l->ts_ns;

	say_both(l, IRQ(3), IDLE(3), IRQ(7), SPIN(7, 118));
	uint64_t nr = l->seq;
	finish(l);
	assert_int_equal(l->blocks->nr, 2);
	const struct nmibt_block *block = check_block(l, 3, NMIBT_BLOCK_NMI, 0, IDLE(3));
	assert_int_equal(block->first_seq, 0);
	assert_int_equal(block->last_seq, nr - 1);
	assert_int_equal(block->begun_ns, begun);
	assert_int_equal(block->ended_ns, begun + (nr - 1) * MS);
	block = check_block(l, 7, NMIBT_BLOCK_NMI, 0, SPIN(7, 118));
	assert_int_equal(block->first_seq, 1);
	assert_true(block->last_seq < nr - 1);
	assert_ptr_equal(block, &l->blocks->blocks[1]);
}

/* A task that was hit while it printed; what it says is of no block. */
static void task_beside(void **state)
{
	struct log *l = *state;

	say_both(l, IRQ(3), IDLE(3), 118, "usb 1-1: one\n two\nCode: three\nx4: four\n");
	finish(l);
	assert_int_equal(l->blocks->nr, 1);
	check_block(l, 3, NMIBT_BLOCK_NMI, 0, IDLE(3));
}

/* show_regs() prints "RSP: ..." and then the newline by itself, behind what another CPU
 * has printed meanwhile. */
static void cut_line(void **state)
{
	struct log *l = *state;

	say(l, IRQ(7), IDLE_HEAD(7));
	say_part(l, IRQ(7), 0, IDLE_RSP);
	say(l, IRQ(0), TOO_LONG);
	say(l, IRQ(3), IDLE(3));
	say_part(l, IRQ(7), CONT | NEWLINE, "");
	say(l, IRQ(7), IDLE_TAIL);
	finish(l);
	assert_int_equal(l->blocks->nr, 2);
	check_block(l, 7, NMIBT_BLOCK_NMI, 0, IDLE(7));
	check_block(l, 3, NMIBT_BLOCK_NMI, 0, IDLE(3));
}

/* What looks like the beginning of something else is the end of a line. */
static void fragments(void **state)
{
	struct log *l = *state;

	say(l, IRQ(2), TITLE(2) "Call Trace:\n");
	say_part(l, IRQ(2), 0, " one+0x1");
	say_part(l, IRQ(2), CONT, "/0x2 not a frame,");
	say_part(l, IRQ(2), CONT | NEWLINE, " and more");
	/* Nobody goes on with this one... */
	say_part(l, IRQ(2), 0, " two+0x1/0x2");
	say_part(l, IRQ(2), NEWLINE, " three+0x1/0x2");
	/* ...and this goes on with none. */
	say_part(l, IRQ(2), CONT | NEWLINE, " four+0x1/0x2");
	say_part(l, IRQ(2), 0, " five+0x1/0x2");
	finish(l);
	check_block(l, 2, NMIBT_BLOCK_NMI, 0,
		    TITLE(2) "Call Trace:\n one+0x1/0x2 not a frame, and more\n two+0x1/0x2\n"
			     " three+0x1/0x2\n four+0x1/0x2\n five+0x1/0x2");
}

static void missing_bytes(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3));
	l->missing = 7;
	say_part(l, IRQ(3), NEWLINE, "RIP: 0010:cut_");
	l->missing = 1;
	say_part(l, IRQ(3), 0, "RSP: 0018:");
	say(l, IRQ(3), SPIN_TRACE);
	finish(l);

	static const char expected[] =
		TITLE(3) "RIP: 0010:cut_\0\0\0\0\0\0\0\nRSP: 0018:\0\n" SPIN_TRACE;
	const struct nmibt_block *block = nth_block(l, 3, 0);
	assert_int_equal(block->len, sizeof(expected) - 1);
	assert_memory_equal(block->raw, expected, block->len);
	for (size_t i = 0; i < block->len; i++)
		assert_int_equal(block->known[i], expected[i] != '\0');
}

static void pauses(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3) "Call Trace:\n one+0x1/0x2\n");
	l->ts_ns += 1999 * MS; /* 2 s from that of the last record */
	say(l, IRQ(3), " two+0x1/0x2\n");
	l->ts_ns += 2000 * MS;
	say(l, IRQ(3), " three+0x1/0x2\n");
	finish(l);
	assert_int_equal(l->blocks->nr, 1);
	check_block(l, 3, NMIBT_BLOCK_NMI, 0, TITLE(3) "Call Trace:\n one+0x1/0x2\n two+0x1/0x2\n");
}

/* A task may go on at a CPU whose clock is a little behind. */
static void clock_behind(void **state)
{
	struct log *l = *state;

	say(l, 118, TITLE(3) "Call Trace:\n one+0x1/0x2\n");
	l->ts_ns -= 5 * MS;
	say(l, 118, " two+0x1/0x2\n" SENDING(3, "1"));
	finish(l);
	check_block(l, 3, NMIBT_BLOCK_NMI, 1, TITLE(3) "Call Trace:\n one+0x1/0x2\n two+0x1/0x2\n");
}

/* ----------------------------------------------------------------- user mode */

static void user_mode(void **state)
{
	struct log *l = *state;

	say(l, IRQ(5), USER(5, 128) TOO_LONG);
	say(l, IRQ(2), USER(2, 127) " a space\nRAX: none of it\n" TITLE(4));
	finish(l);
	assert_int_equal(l->blocks->nr, 3);
	check_block(l, 5, NMIBT_BLOCK_NMI, 0, USER(5, 128));
	check_block(l, 2, NMIBT_BLOCK_NMI, 0, USER(2, 127));
}

/* A program of 32 bits. */
static void compat_user_mode(void **state)
{
	static const char block[] = TITLE(5) INFO(5, 128, "sh") "RIP: 0023:0xf7f0a549\n"
								"FS:  0000000000000000 GS:  0\n";
	struct log *l = *state;

	say(l, IRQ(5), block);
	say(l, IRQ(5), TOO_LONG);
	finish(l);
	check_block(l, 5, NMIBT_BLOCK_NMI, 0, block);
}

static void arm64_user_mode(void **state)
{
	struct log *l = *state;

	say(l, IRQ(5), ARM64_USER(5, 128) "an interrupt\n");
	/* The last line in pieces, and another CPU between them. */
	say(l, IRQ(6), ARM64_USER_HEAD(6, 129));
	say_part(l, IRQ(6), 0, ARM64_USER_X2 ARM64_USER_X1);
	say(l, IRQ(1), ARM64_SPIN(1, 118));
	say_part(l, IRQ(6), CONT, ARM64_USER_X0);
	say_part(l, IRQ(0), NEWLINE, "");
	say_part(l, IRQ(6), CONT | NEWLINE, "");
	say(l, IRQ(6), "an interrupt\n");
	/* What ends the line is lost. */
	say(l, IRQ(4), ARM64_USER_HEAD(4, 130));
	say_part(l, IRQ(4), 0, ARM64_USER_X2 ARM64_USER_X1 ARM64_USER_X0);
	say(l, IRQ(4), "an interrupt\n");
	finish(l);
	check_block(l, 4, NMIBT_BLOCK_NMI, 0,
		    ARM64_USER_HEAD(4, 130) ARM64_USER_X2 ARM64_USER_X1 ARM64_USER_X0);
	check_block(l, 5, NMIBT_BLOCK_NMI, 0, ARM64_USER(5, 128));
	check_block(l, 6, NMIBT_BLOCK_NMI, 0, ARM64_USER(6, 129));
	check_block(l, 1, NMIBT_BLOCK_NMI, 0, ARM64_SPIN(1, 118));
}

/* Of the kernel's mode the registers do not end it, nor do those of an entry in a trace. */
static void kernel_mode(void **state)
{
	static const char entry[] = TITLE(2) "Call Trace:\n fn+0x1/0x2\nRIP: 0033:0x4ae3f7\n"
					     "FS:  00000000370b7400 GS:  0\n fn_2+0x1/0x2\n";
	struct log *l = *state;

	say(l, IRQ(0), IDLE(0) TOO_LONG);
	say(l, IRQ(1), ARM64_SPIN(1, 118) "an interrupt\n");
	say(l, IRQ(2), entry);
	finish(l);
	check_block(l, 2, NMIBT_BLOCK_NMI, 0, entry);
	check_block(l, 0, NMIBT_BLOCK_NMI, 0, IDLE(0));
	check_block(l, 1, NMIBT_BLOCK_NMI, 0, ARM64_SPIN(1, 118));
}

/* ------------------------------------------------------------------ requests */

static const struct nmibt_request *check_request(const struct log *l, uint64_t number,
						 unsigned int by_cpu, unsigned int nr_asked)
{
	const struct nmibt_request *request = nmibt_block_request(l->blocks, number);

	assert_non_null(request);
	assert_int_equal(request->by_cpu, by_cpu);
	assert_int_equal(request->nr_asked, nr_asked);
	return request;
}

/* CPU 1 asks all, of which 6 does not answer. */
static void request(void **state)
{
	struct log *l = *state;

	say(l, 1, "sysrq: Show backtrace of all active CPUs\n" ASKER(1, 1));
	uint64_t asked = l->ts_ns;
	say(l, 1, SENDING(1, "0,2-7"));
	say(l, IRQ(3), SKIPPED(3) TOO_LONG);
	say_both(l, IRQ(0), IDLE(0), IRQ(7), SPIN(7, 118));
	say_both(l, IRQ(2), USER(2, 193), IRQ(5), IDLE(5));
	say(l, IRQ(4), IDLE(4));
	finish(l);

	const struct nmibt_request *r = check_request(l, 1, 1, 7);
	assert_int_equal(l->blocks->nr_requests, 1);
	assert_int_equal(r->ts_ns, asked);
	for (unsigned int cpu = 0; cpu < 10; cpu++)
		assert_int_equal(nmibt_request_asked(r, cpu), cpu != 1 && cpu < 8);
	assert_false(nmibt_request_asked(r, NMIBT_MAX_CPUS));
	assert_int_equal(l->blocks->nr, 7);
	check_block(l, 1, NMIBT_BLOCK_NMI, 1, ASKER(1, 1));
	check_block(l, 0, NMIBT_BLOCK_NMI, 1, IDLE(0));
	check_block(l, 2, NMIBT_BLOCK_NMI, 1, USER(2, 193));
	check_block(l, 3, NMIBT_BLOCK_SKIPPED, 1, SKIPPED(3));
	check_block(l, 7, NMIBT_BLOCK_NMI, 1, SPIN(7, 118));
	assert_int_equal(find_block(l, 6, 0), 0);
	for (unsigned int cpu = 0; cpu < 8; cpu++)
		assert_int_equal(l->blocks->answered[cpu], cpu != 6);
	check_died(l, 0);
}

static void rounds(void **state)
{
	struct log *l = *state;

	say(l, 1, ASKER(1, 1) SENDING(1, "0,2-3"));
	say(l, IRQ(0), IDLE(0));
	say(l, IRQ(2), SPIN(2, 118));
	l->ts_ns += 3000 * MS;
	say(l, 1, ASKER(1, 1) SENDING(1, "0,2-3"));
	say(l, IRQ(3), IDLE(3));
	say(l, IRQ(2), SPIN(2, 118));
	/* Nobody has asked it for a third one. */
	say(l, IRQ(2), IDLE(2));
	finish(l);

	assert_int_equal(l->blocks->nr_requests, 2);
	assert_int_equal(nth_block(l, 1, 0)->request, 2);
	assert_int_equal(nth_block(l, 1, 1)->request, 1);
	assert_int_equal(find_block(l, 1, 2), 0);
	assert_int_equal(nth_block(l, 2, 0)->request, 0);
	check_text(nth_block(l, 2, 0), IDLE(2));
	assert_int_equal(nth_block(l, 2, 1)->request, 2);
	assert_int_equal(nth_block(l, 2, 2)->request, 1);
	/* It was silent when it was asked first. */
	check_block(l, 3, NMIBT_BLOCK_NMI, 2, IDLE(3));
	check_block(l, 0, NMIBT_BLOCK_NMI, 1, IDLE(0));
	assert_int_equal(l->blocks->answered[0], 1);
	assert_int_equal(l->blocks->answered[2], 2);
	assert_int_equal(l->blocks->answered[3], 2);
}

/* A CPU that did not answer, and then asks itself: what it prints is of its own request. */
static void silent_asks(void **state)
{
	struct log *l = *state;

	say(l, 1, ASKER(1, 1) SENDING(1, "0,2"));
	say(l, IRQ(0), IDLE(0));
	l->ts_ns += 3000 * MS;
	say(l, 7, ASKER(2, 7) SENDING(2, "0-1"));
	say(l, IRQ(0), IDLE(0));
	finish(l);
	check_block(l, 2, NMIBT_BLOCK_NMI, 2, ASKER(2, 7));
	check_request(l, 2, 2, 2);
}

/* A backtrace of the one who asks that is of something else: too old, or no answer. */
static void not_its_own(void **state)
{
	struct log *l = *state;

	say(l, 1, ASKER(1, 1));
	l->ts_ns += 2000 * MS;
	say(l, 1, SENDING(1, "0"));
	say(l, 2, CUT_HERE WARNING_LINE(3, 2) WARNING_BODY(3, 2) SENDING(3, "0"));
	say(l, IRQ(4), IDLE(4));
	say(l, 3, SENDING(4, "0"));
	finish(l);
	check_block(l, 4, NMIBT_BLOCK_NMI, 0, IDLE(4));
	check_block(l, 1, NMIBT_BLOCK_NMI, 0, ASKER(1, 1));
	assert_int_equal(nth_block(l, 3, 0)->request, 0);
	assert_int_equal(l->blocks->nr_requests, 3);
}

/* Up to 5.14: CPUs that are flushed by the one who asked. */
static void flushed_by_one(void **state)
{
	struct log *l = *state;

	say(l, 1, ASKER_5_10(1, 1) SENDING(1, "0,2-5"));
	say(l, 1, IDLE_5_10(0) USER_5_10(2, 126) TOO_LONG);
	say(l, IRQ(5), IDLE_5_10(5) TOO_LONG);
	say(l, 1, SKIPPED(3) IDLE_5_10(4));
	say(l, 1, "sysrq: Trigger a crash\n" PANIC(1, 1));
	finish(l);
	assert_int_equal(l->blocks->nr, 7);
	check_block(l, 0, NMIBT_BLOCK_NMI, 1, IDLE_5_10(0));
	check_block(l, 2, NMIBT_BLOCK_NMI, 1, USER_5_10(2, 126));
	check_block(l, 3, NMIBT_BLOCK_SKIPPED, 1, SKIPPED(3));
	check_block(l, 4, NMIBT_BLOCK_NMI, 1, IDLE_5_10(4));
	check_block(l, 5, NMIBT_BLOCK_NMI, 1, IDLE_5_10(5));
	assert_int_equal(nth_block(l, 1, 1)->request, 1);
	check_text(nth_block(l, 1, 1), ASKER_5_10(1, 1));
	check_died(l, find_block(l, 1, 0));
}

/* Of more than are kept the newest are, and their numbers stay. */
static void many_requests(void **state)
{
	struct log *l = *state;
	unsigned int nr = 5000;

	for (unsigned int i = 1; i <= nr; i++) {
		say(l, 1, i % 2 ? SENDING(1, "0,2") : SENDING(1, "0"));
		say(l, IRQ(0), SKIPPED(0));
		if (i == 10)
			say(l, IRQ(2), SKIPPED(2));
	}
	say(l, IRQ(2), SKIPPED(2));
	finish(l);
	struct nmibt_blocks *b = l->blocks;
	assert_in_range(b->nr_requests, 500, 1024);
	assert_int_equal(b->requests_dropped + b->nr_requests, nr);
	assert_null(nmibt_block_request(b, 0));
	assert_null(nmibt_block_request(b, b->requests_dropped));
	assert_null(nmibt_block_request(b, nr + 1));
	for (uint64_t i = b->requests_dropped + 1; i <= nr; i++)
		check_request(l, i, 1, i % 2 ? 2 : 1);
	for (unsigned int i = 0; i < nr; i++)
		assert_int_equal(nth_block(l, 0, 0)[-(int)i - (i > nr - 11)].request, nr - i);
	assert_int_equal(nth_block(l, 2, 0)->request, nr - 1);
	assert_int_equal(nth_block(l, 2, 1)->request, 9);
}

static void request_lists(void **state)
{
	static const struct {
		const char *text;
		unsigned int nr_asked;
		const char *asked; /* by CPU, from 0 on */
	} cases[] = {
		{"Sending NMI from CPU 1 to CPUs 0,2-4:", 4, "10111"},
		{"Sending NMI from CPU 1 to CPUs 3", 1, "00010"},
		{"Sending NMI from CPU 1 to CPUs :", 0, "00000"},
		{"Sending NMI from CPU 1 to CPUs ", 0, "00000"},
		{"Sending NMI from CPU 1 to CPUs ,1", 0, "00000"},
		{"Sending NMI from CPU 1 to CPUs 1,", 1, "01000"},
		{"Sending NMI from CPU 1 to CPUs 0-:", 0, "00000"},
		{"Sending NMI from CPU 1 to CPUs 4-2,1:", 1, "01000"},
		{"Sending NMI from CPU 1 to CPUs 1,1,0-2,1-3:", 4, "11110"},
		{"Sending NMI from CPU 1 to CPUs -3:", 0, "00000"},
		{"Sending NMI from CPU 1 to CPUs 0-6:", 7, "11111"},
		{"Sending NMI from CPU 1 to CPUs 0-7:", 8, "11111"},
		{"Sending NMI from CPU 1 to CPUs 2-16:", 15, "00111"},
		{"Sending NMI from CPU 1 to CPUs 1,8192:", 1, "01000"},
		{"Sending NMI from CPU 1 to CPUs 1,0-8192:", 1, "01000"},
		{"Sending NMI from CPU 1 to CPUs 1-99999999999999999999:", 0, "00000"},
		{"Sending NMI from CPU 1 to CPUs 0-8191:", 8192, "11111"},
		{"Sending NMI from CPU 1 to CPUs 000000000000000002:", 1, "00100"},
	};
	struct log *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		say_part(l, 1, NEWLINE, cases[i].text);
		const struct nmibt_request *r = check_request(l, i + 1, 1, cases[i].nr_asked);
		for (unsigned int cpu = 0; cpu < 5; cpu++) {
			if (nmibt_request_asked(r, cpu) != (cases[i].asked[cpu] == '1'))
				fail_msg("CPU %u of \"%s\"", cpu, cases[i].text);
		}
	}
	/* None at all. */
	say(l, 1,
	    "Sending NMI from CPU 8192 to CPUs 0:\nSending NMI from CPU 1 to\n"
	    "Sending NMI from CPU  to CPUs 0:\n Sending NMI from CPU 1 to CPUs 0:\n");
	assert_int_equal(l->blocks->nr_requests, ARRAY_SIZE(cases));
	finish(l);
}

/* -------------------------------------------------------------------- deaths */

static void panic(void **state)
{
	struct log *l = *state;

	say(l, 1, "sysrq: Trigger a crash\n");
	uint64_t panic_ns = l->ts_ns;
	say_both(l, 1, PANIC(1, 1) PANIC_ENDS("sysrq triggered crash"), IRQ(3), IDLE(3));
	finish(l);
	check_block(l, 1, NMIBT_BLOCK_DIED, 0, PANIC(1, 1));
	assert_true(l->blocks->has_panicked);
	assert_int_equal(l->blocks->panic_ns, panic_ns);
	check_died(l, find_block(l, 1, 0));
	assert_int_equal(nth_block(l, 1, 0)->begun_ns, panic_ns);
	assert_int_equal(nth_block(l, 1, 0)->first_seq, 1);
}

/* panic() prints no backtrace behind that of an oops. */
static void oops_then_panic(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127) OOPS_SUMMARY);
	uint64_t panic_ns = l->ts_ns;
	say(l, 127, PANIC_SAYS("Fatal exception") PANIC_ENDS("Fatal exception"));
	finish(l);
	check_block(l, 2, NMIBT_BLOCK_DIED, 0, OOPS(2, 127));
	check_died(l, find_block(l, 2, 0));
	assert_true(l->blocks->has_panicked);
	assert_int_equal(l->blocks->panic_ns, panic_ns);
}

/* What goes wrong on the way down is not what it died of. */
static void warning_after_panic(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127) PANIC_SAYS("Fatal exception"));
	say(l, 127, CUT_HERE "sched: Unexpected reschedule of offline CPU#0!\n");
	say(l, 127, WARNING_LINE(2, 127) WARNING_BODY(2, 127));
	finish(l);
	check_died(l, find_block(l, 2, 1));
	check_text(nth_block(l, 2, 1), OOPS(2, 127));
	assert_int_equal(nth_block(l, 2, 0)->kind, NMIBT_BLOCK_OTHER);
}

static void after_end_of_panic(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127) PANIC_SAYS("Fatal exception") PANIC_ENDS("Fatal exception"));
	say(l, 127, INFO(2, 127, "sh") SPIN_TRACE);
	finish(l);
	check_died(l, find_block(l, 2, 1));
}

/* No panic: then it is known only if the kernel went to kdump all the same. */
static void oops_alone(void **state)
{
	struct log *l = *state;
	uint64_t heading_ns = l->ts_ns + 4 * MS;

	say(l, 127, OOPS(2, 127) OOPS_SUMMARY);
	finish(l);
	check_block(l, 2, NMIBT_BLOCK_DIED, 0, OOPS(2, 127));
	assert_false(l->blocks->has_panicked);
	assert_int_equal(l->blocks->panic_ns, heading_ns);
	check_died(l, find_block(l, 2, 0));
}

static void oops_survived(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127) OOPS_SUMMARY);
	l->ts_ns += 60000 * MS;
	uint64_t panic_ns = l->ts_ns;
	say(l, 1, PANIC(5, 1));
	say(l, 128, OOPS(3, 128));
	finish(l);
	check_died(l, find_block(l, 5, 0));
	check_block(l, 5, NMIBT_BLOCK_DIED, 0, PANIC(5, 1));
	check_block(l, 2, NMIBT_BLOCK_DIED, 0, OOPS(2, 127));
	assert_int_equal(l->blocks->panic_ns, panic_ns);
}

/* The panic's own backtrace is not there: the oops of another CPU is not it. */
static void panic_without_block(void **state)
{
	struct log *l = *state;

	say(l, 127, OOPS(2, 127));
	say(l, 1, PANIC_SAYS("Attempted to kill init!"));
	finish(l);
	check_died(l, 0);
}

/* Behind the backtrace of its death the CPU asks for those of the others. */
static void panic_asks(void **state)
{
	struct log *l = *state;

	say(l, 1, PANIC(1, 1) SENDING(1, "0,2"));
	say(l, IRQ(0), IDLE(0));
	say(l, 1, "After 10 seconds, these CPUS still haven't responded to the NMI: 2\n");
	say(l, 1, ASKER(1, 1));
	finish(l);
	check_request(l, 1, 1, 2);
	check_died(l, find_block(l, 1, 1));
	check_text(nth_block(l, 1, 1), PANIC(1, 1));
	assert_int_equal(nth_block(l, 1, 1)->request, 0);
	check_block(l, 0, NMIBT_BLOCK_NMI, 1, IDLE(0));
	assert_int_equal(l->blocks->answered[2], 0);
}

static void panic_on_arm64(void **state)
{
	struct log *l = *state;

	say(l, 1, "sysrq: Trigger a crash\n" ARM64_PANIC(1, 1) "SMP: stopping secondary CPUs\n");
	finish(l);
	check_block(l, 1, NMIBT_BLOCK_DIED, 0, ARM64_PANIC(1, 1));
	check_died(l, find_block(l, 1, 0));
}

/* ----------------------------------------------------------------- other ones */

static void soft_lockup(void **state)
{
	struct log *l = *state;

	say_both(l, IRQ(3), SOFT_LOCKUP(3, 118), IRQ(7), IDLE(7));
	say(l, IRQ(3), SENDING(3, "0"));
	finish(l);
	check_block(l, 3, NMIBT_BLOCK_LOCKUP, 0, SOFT_LOCKUP(3, 118));
	check_request(l, 1, 3, 1);
	check_died(l, 0);
	assert_int_equal(l->blocks->panic_ns, 0);
}

static void hard_lockup(void **state)
{
	static const char text[] =
		"watchdog: Watchdog detected hard LOCKUP on cpu 3\n" LOCKUP_BODY(3, 118);
	struct log *l = *state;

	say(l, IRQ(3), text);
	finish(l);
	check_block(l, 3, NMIBT_BLOCK_LOCKUP, 0, text);
}

/* Since 6.5 another CPU may find a hard lockup, and asks in the middle of what it says. */
static void hard_lockup_of_another(void **state)
{
	struct log *l = *state;

	say(l, IRQ(2), "watchdog: Watchdog detected hard LOCKUP on cpu 3\n" MODULES);
	say(l, IRQ(2), SENDING(2, "3"));
	say(l, IRQ(3), SPIN(3, 118));
	finish(l);
	assert_int_equal(l->blocks->nr, 1);
	check_request(l, 1, 2, 1);
	check_block(l, 3, NMIBT_BLOCK_NMI, 1, SPIN(3, 118));
}

static void stall(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3),
	    "rcu: INFO: rcu_preempt self-detected stall on CPU\n"
	    "rcu: \t3-....: (20999 ticks this GP) idle=5d2c/1/0x4000000000000000\n"
	    "rcu: \t(t=21000 jiffies g=1234 q=5 ncpus=8)\n" INFO(3, 118, "spin"));
	say(l, IRQ(3), SPIN_REGS SPIN_TRACE);
	finish(l);
	assert_int_equal(nth_block(l, 3, 0)->kind, NMIBT_BLOCK_LOCKUP);
	assert_int_equal(nth_block(l, 3, 0)->first_seq, 0);
}

static void warning(void **state)
{
	struct log *l = *state;

	say(l, 127, CUT_HERE WARNING_LINE(3, 127) WARNING_BODY(3, 127) " later\n");
	finish(l);
	const struct nmibt_block *block = nth_block(l, 3, 0);
	assert_int_equal(block->kind, NMIBT_BLOCK_OTHER);
	assert_int_equal(block->first_seq, 3);
	/* What stands before the line that names the CPU is not known to be of it. */
	check_text(block, &WARNING_BODY(3, 127)[sizeof(MODULES) - 1]);
	check_died(l, 0);
}

/* A second backtrace begins behind the trace of the first one. */
static void warnings(void **state)
{
	struct log *l = *state;

	say(l, 127, INFO(3, 127, "sh") "Call Trace:\n one+0x1/0x2\n");
	say(l, 127, INFO(3, 127, "sh") "Call Trace:\n two+0x1/0x2\n");
	say(l, 127, INFO(4, 127, "sh") INFO(5, 127, "sh"));
	finish(l);
	assert_int_equal(l->blocks->nr, 4);
	check_text(nth_block(l, 3, 1), INFO(3, 127, "sh") "Call Trace:\n one+0x1/0x2\n");
	check_text(nth_block(l, 3, 0), INFO(3, 127, "sh") "Call Trace:\n two+0x1/0x2\n");
	check_block(l, 4, NMIBT_BLOCK_OTHER, 0, INFO(4, 127, "sh"));
	check_block(l, 5, NMIBT_BLOCK_OTHER, 0, INFO(5, 127, "sh"));
}

/* It goes wrong once more in the middle of it. */
static void second_lead(void **state)
{
	static const char first[] = "BUG: one\n" INFO(3, 127, "sh");
	static const char second[] = "BUG: two\n" INFO(3, 127, "sh") SPIN_TRACE;
	struct log *l = *state;

	say(l, 127, first);
	say(l, 127, second);
	finish(l);
	check_text(nth_block(l, 3, 1), first);
	check_text(nth_block(l, 3, 0), second);
	check_died(l, find_block(l, 3, 0));
}

/* What a task has to say for long is no lead of a backtrace. */
static void long_lead(void **state)
{
	struct log *l = *state;

	say(l, 127, "BUG: workqueue lockup - pool cpus=3\n");
	for (unsigned int i = 0; i < 40; i++)
		say(l, 127, "Showing busy workqueues\n");
	say(l, 127, INFO(3, 127, "sh") SPIN_TRACE);
	finish(l);
	check_block(l, 3, NMIBT_BLOCK_OTHER, 0, INFO(3, 127, "sh") SPIN_TRACE);
	check_died(l, 0);
}

/* ------------------------------------------------------------------- wrapped */

static void headless(void **state)
{
	static const char rest[] = "RIP: 0010:delay_tsc+0x2e/0x50\n"
				   "Call Trace:\n one+0x1/0x2\n </TASK>\n";
	struct log *l = *state;

	l->seq = 1000;
	say(l, IRQ(3), rest);
	say(l, IRQ(5), " two+0x1/0x2\n");
	say(l, IRQ(4), IDLE(4));
	say(l, IRQ(5), " three+0x1/0x2\n" TOO_LONG);
	say(l, IRQ(6), "x2 : 0 x1 : 0 x0 : 0\nCall trace:\n fn+0x1/0x2\nan interrupt\n");
	/* They have been there, be it by a task. */
	say(l, 1, ASKER(7, 1));
	say(l, IRQ(7), " six+0x1/0x2\n");
	say(l, IRQ(3), " four+0x1/0x2\n");
	say(l, IRQ(4), " five+0x1/0x2\n");
	finish(l);
	assert_true(l->blocks->is_wrapped);
	assert_int_equal(l->blocks->nr, 5);
	check_text(nth_block(l, 6, 0), "x2 : 0 x1 : 0 x0 : 0\nCall trace:\n fn+0x1/0x2\n");
	assert_true(nth_block(l, 3, 0)->is_headless);
	assert_int_equal(nth_block(l, 3, 0)->kind, NMIBT_BLOCK_NMI);
	assert_int_equal(nth_block(l, 3, 0)->first_seq, 1000);
	check_text(nth_block(l, 3, 0), rest);
	assert_true(nth_block(l, 5, 0)->is_headless);
	check_text(nth_block(l, 5, 0), " two+0x1/0x2\n three+0x1/0x2\n");
	check_block(l, 4, NMIBT_BLOCK_NMI, 0, IDLE(4));
	check_block(l, 7, NMIBT_BLOCK_NMI, 0, ASKER(7, 1));
}

/* Only the title is gone. */
static void headless_info(void **state)
{
	struct log *l = *state;

	l->seq = 1;
	say(l, IRQ(3), &IDLE(3)[sizeof(TITLE(3)) - 1]);
	say(l, IRQ(4), HARDWARE SPIN_REGS SPIN_TRACE);
	finish(l);
	assert_true(nth_block(l, 3, 0)->is_headless);
	assert_int_equal(nth_block(l, 3, 0)->kind, NMIBT_BLOCK_NMI);
	check_text(nth_block(l, 3, 0), &IDLE(3)[sizeof(TITLE(3)) - 1]);
	assert_true(nth_block(l, 4, 0)->is_headless);
	check_text(nth_block(l, 4, 0), HARDWARE SPIN_REGS SPIN_TRACE);
}

static void not_headless(void **state)
{
	struct log *l = *state;

	/* Nothing is lost... */
	say(l, IRQ(3), " one+0x1/0x2\n");
	finish(l);
	assert_int_equal(l->blocks->nr, 0);
	/* ...a task is not a CPU, and beyond the last CPU there is none... */
	nmibt_blocks_destroy(l->blocks);
	assert_null(nmibt_blocks_new(&l->blocks));
	say(l, 3, " one+0x1/0x2\n");
	say(l, IRQ(NMIBT_MAX_CPUS), " one+0x1/0x2\n");
	say(l, UINT32_MAX, " one+0x1/0x2\n");
	/* ...this one printed something else first... */
	say(l, IRQ(4), "e1000: link up\n one+0x1/0x2\n");
	say(l, IRQ(5), WARNING_LINE(5, 1) MODULES);
	say(l, IRQ(7), MODULES " one+0x1/0x2\n");
	/* ...and no backtrace takes so long. */
	l->ts_ns += 2000 * MS;
	say(l, IRQ(6), " one+0x1/0x2\n");
	finish(l);
	assert_true(l->blocks->is_wrapped);
	assert_int_equal(l->blocks->nr, 0);
}

/* ------------------------------------------------------------------- hostile */

/* Whoever may write to /dev/kmsg can write what a kernel prints. */
static void of_user_space(void **state)
{
	struct log *l = *state;

	l->facility = 1;
	say(l, 0x80000003, IDLE(3));
	say(l, 1, PANIC(1, 1));
	l->facility = 0;
	finish(l);
	assert_int_equal(l->blocks->nr, 0);
	assert_int_equal(l->blocks->panic_ns, 0);
	assert_false(l->blocks->has_panicked);
}

static void no_such_cpu(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), "NMI backtrace for cpu 8192\nNMI backtrace for cpu \nNMI backtrace for cpu");
	say(l, IRQ(3), "\nNMI backtrace for cpu -1\nNMI backtrace for cpu 99999999999999999999\n");
	say(l, IRQ(3), "CPU: 8192 PID: 1 Comm: sh\nCPU:  PID: 1 Comm: sh\nCPU: 3 Comm: sh\nCPU: ");
	say(l, IRQ(3), "NMI backtrace for cpu 4294967299\nCPU: 4294967299 PID: 1 Comm: sh\n");
	assert_int_equal(l->blocks->nr, 0);
	say(l, IRQ(3), "NMI backtrace for cpu 8191\n");
	finish(l);
	assert_int_equal(l->blocks->nr, 1);
	check_block(l, 8191, NMIBT_BLOCK_NMI, 0, "NMI backtrace for cpu 8191\n");
}

/* Bytes that no kernel prints stay as they are. */
static void any_bytes(void **state)
{
	static const char bytes[] = " \0\001\xff\033[1m\r\t";
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3) "Call Trace:\n");
	add(l, IRQ(3), NEWLINE, bytes, sizeof(bytes) - 1);
	finish(l);
	const struct nmibt_block *block = nth_block(l, 3, 0);
	size_t head = strlen(TITLE(3) "Call Trace:\n");
	assert_int_equal(block->len, head + sizeof(bytes));
	assert_memory_equal(block->raw + head, bytes, sizeof(bytes) - 1);
	assert_true(block->known[head + 1]);
}

/* As many callers in the middle of a backtrace, first lines first. */
static void many_streams(void **state)
{
	struct log *l = *state;
	char line[64];

	for (unsigned int i = 0; i < 2000; i++) {
		sprintf(line, "NMI backtrace for cpu %u\n", i);
		say(l, IRQ(i), line);
		l->ts_ns -= MS;
	}
	for (unsigned int i = 0; i < 2000; i++) {
		sprintf(line, "RIP: 0010:fn_%u+0x1/0x2\n", i);
		say(l, IRQ(i), line);
		l->ts_ns -= MS;
	}
	assert_int_equal(l->blocks->nr, 2000);
	finish(l);
	for (unsigned int i = 0; i < 2000; i++) {
		sprintf(line, "NMI backtrace for cpu %u\nRIP: 0010:fn_%u+0x1/0x2\n", i, i);
		check_block(l, i, NMIBT_BLOCK_NMI, 0, line);
	}
}

/* Not brought to an end: the memory of what is open is freed as well. */
static void destroyed_early(void **state)
{
	struct log *l = *state;

	say(l, IRQ(3), TITLE(3));
	say(l, IRQ(4), PANIC_SAYS("lead"));
	nmibt_blocks_destroy(NULL);
}

/* Of nothing but titles, of one CPU or of callers that share a bucket of any hash that
 * takes their lower bits: the time is not that of the square. */
static void no_squares(void **state)
{
	struct log *l = *state;
	clock_t begin = clock();

	for (unsigned int i = 0; i < 40000; i++) {
		add(l, i << 16, NEWLINE, "NMI backtrace for cpu 3", 23);
		l->ts_ns -= MS;
	}
	for (unsigned int i = 0; i < 200000; i++) {
		add(l, i << 16 | 1, NEWLINE, "BUG: ", 5);
		l->ts_ns -= MS;
	}
	finish(l);
	assert_int_equal(l->blocks->nr, 40000);
	/* Under a sanitizer 0.5 s. */
	assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing),
		TEST(two_at_once),
		TEST(task_beside),
		TEST(cut_line),
		TEST(fragments),
		TEST(missing_bytes),
		TEST(pauses),
		TEST(clock_behind),
		TEST(user_mode),
		TEST(compat_user_mode),
		TEST(arm64_user_mode),
		TEST(kernel_mode),
		TEST(request),
		TEST(rounds),
		TEST(silent_asks),
		TEST(not_its_own),
		TEST(flushed_by_one),
		TEST(many_requests),
		TEST(request_lists),
		TEST(panic),
		TEST(oops_then_panic),
		TEST(warning_after_panic),
		TEST(after_end_of_panic),
		TEST(oops_alone),
		TEST(oops_survived),
		TEST(panic_without_block),
		TEST(panic_asks),
		TEST(panic_on_arm64),
		TEST(soft_lockup),
		TEST(hard_lockup),
		TEST(hard_lockup_of_another),
		TEST(stall),
		TEST(warning),
		TEST(warnings),
		TEST(second_lead),
		TEST(long_lead),
		TEST(headless),
		TEST(headless_info),
		TEST(not_headless),
		TEST(of_user_space),
		TEST(no_such_cpu),
		TEST(any_bytes),
		TEST(many_streams),
		TEST(destroyed_early),
		TEST(no_squares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
