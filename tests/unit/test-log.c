// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's log: as the kernel writes it, incomplete, damaged, and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-kernel.h"
#include "log-checks.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct setup {
	struct fake_kernel *k;
	struct fake_log l;
};

static struct setup new_log_of(const struct fk_paging *paging, unsigned int pad,
			       unsigned int count_bits, unsigned int size_bits)
{
	struct setup s = {.k = fk_new(paging)};

	fl_init(&s.l, s.k, pad, count_bits, size_bits, true);
	return s;
}

/* 256 records and 8 KiB of text, so that each ring has more than a page. */
static struct setup new_log(void)
{
	return new_log_of(&fk_x86, 0, 8, 13);
}

/* ------------------------------------------------------------------- records */

static void test_fields(void **unused)
{
	(void)unused;
	static const struct fk_paging *const pagings[] = {&fk_x86, &fk_arm64};

	for (unsigned int i = 0; i < 4; i++) {
		struct setup s = new_log_of(pagings[i % 2], i / 2 * 24, 8, 13);
		struct nmibt_log_record record;

		s.l.ts = 12345678901;
		uint64_t id = fl_add_bytes(&s.l, 0x80000003, "a\nb\0c\xff", 6);
		fl_put(&s.l, fl_info(&s.l, id) + 18, "\x03\xa6", 2);
		struct nmibt_log *log = open_log(s.k);
		assert_true(nmibt_log_next(log, &record));
		assert_int_equal(record.seq, 0);
		assert_int_equal(record.ts_ns, 12345678901);
		assert_int_equal(record.caller_id, 0x80000003);
		assert_int_equal(record.facility, 3);
		assert_int_equal(record.level, 5);
		assert_int_equal(record.flags, 6);
		assert_int_equal(record.len, 6);
		assert_memory_equal(record.text, "a\nb\0c\xff", 6);
		assert_int_equal(record.missing, 0);
		assert_false(nmibt_log_next(log, &record));
		assert_false(nmibt_log_next(log, &record));
		nmibt_log_close(log);
		fk_free(s.k);
	}
}

static void test_empty(void **unused)
{
	(void)unused;
	struct setup s = new_log();

	check_log(s.k, "", nothing);
	fl_add_dataless(&s.l, 3);
	check_log(s.k, "0 \n", nothing);
	fk_free(s.k);
}

/* The rings wrap many times: the newest records must be there, in order and complete. */
static void check_rounds(unsigned int count_bits, unsigned int longest)
{
	struct setup s = new_log_of(&fk_x86, 0, count_bits, 13);
	char text[600];

	for (unsigned int n = 0; n < 1000; n++) {
		int len = sprintf(text, "%u record ", n);
		unsigned long more = n * 7 % longest, records = 0;

		memset(text + len, 'a' + n % 26, more);
		strcpy(text + len + more, "\n");
		fl_add_bytes(&s.l, 1, strchr(text, ' ') + 1, strlen(strchr(text, ' ') + 1) - 1);
		const char *all = read_log(s.k, NULL);
		assert_string_equal(all + strlen(all) - strlen(text), text);
		unsigned long first = strtoul(all, NULL, 10);
		for (const char *line = all; *line; line = strchr(line, '\n') + 1)
			assert_int_equal(strtoul(line, NULL, 10), first + records++);
		assert_int_equal(first + records, n + 1);
		assert_true(n < 15 || records >= 10);
	}
	fk_free(s.k);
}

static void test_wrap(void **unused)
{
	(void)unused;
	check_rounds(4, 40); /* the ring of descriptors is full before the ring of text is */
	check_rounds(9, 500);
}

/* A block that ends at the ring's end is not moved to its beginning. */
static void test_exact_fit(void **unused)
{
	(void)unused;
	struct setup s = new_log_of(&fk_x86, 0, 4, 6);

	fl_add(&s.l, "forty-eight bytes with the ID, of 64 it");
	fl_add(&s.l, "the rest");
	check_log(s.k, "0 forty-eight bytes with the ID, of 64 it\n1 the rest\n", nothing);
	fl_add(&s.l, "a new round");
	check_log(s.k, "1 the rest\n2 a new round\n", nothing);
	fk_free(s.k);
}

static void test_dataless(void **unused)
{
	(void)unused;
	struct setup s = new_log();

	fl_add(&s.l, "before");
	fl_add_dataless(&s.l, 3);
	fl_add_dataless(&s.l, 1);
	fl_add(&s.l, "after");
	check_log(s.k, "0 before\n1 \n3 after\n", (struct nmibt_log_missing){.lost = 1});
	fk_free(s.k);
}

static void test_states(void **unused)
{
	(void)unused;
	struct setup s = new_log();
	uint64_t id[5];

	for (unsigned int i = 0; i < 5; i++)
		id[i] = fl_add(&s.l, "text");
	fl_set_state(&s.l, id[0], FL_REUSABLE);
	fl_set_state(&s.l, id[2], FL_RESERVED);
	fl_set_state(&s.l, id[3], FL_COMMITTED);
	check_log(s.k, "1 text\n3 text\n4 text\n", (struct nmibt_log_missing){.unfinished = 1});
	/* The head has moved, and the descriptor is unchanged: it was never used... */
	fl_new_id(&s.l);
	check_log(s.k, "1 text\n3 text\n4 text\n", (struct nmibt_log_missing){.unfinished = 2});
	/* ...or has the ID of the round before. */
	fl_set_state(&s.l, s.l.head_id - fl_count(&s.l), FL_REUSABLE);
	check_log(s.k, "1 text\n3 text\n4 text\n", (struct nmibt_log_missing){.unfinished = 2});
	/* Any other ID is damage. */
	fl_set_state(&s.l, s.l.head_id + fl_count(&s.l), FL_FINALIZED);
	check_log(s.k, "1 text\n3 text\n4 text\n",
		  (struct nmibt_log_missing){.unfinished = 1, .damaged = 1});
	fk_free(s.k);
}

/* -------------------------------------------------------------------- damage */

static void test_wrong_blocks(void **unused)
{
	(void)unused;
	/* Changes of the second record's begin and next. */
	static const struct {
		int64_t begin, next;
		const char *expected; /* NULL: damaged */
	} cases[] = {
		{0, 0, "0 one\n1 two and a half\n2 three\n"},
		{4, 0, NULL}, /* not aligned */
		{0, 4, NULL},
		{0, -24, NULL}, /* an empty block */
		{0, -16, "0 one\n1+\n2 three\n"}, /* only the ID */
		{0, -8, "0 one\n1+two and \n2 three\n"},
		{0, 8, "0 one\n1 two and a half\n2 three\n"},
		{0, -32, NULL}, /* backwards */
		{16, 0, NULL}, /* another block */
		{0, 8192, NULL}, /* wrapped, with another ID at the beginning */
		{0, 16384, NULL}, /* longer than the ring */
		{-8192 * 3, 0, NULL},
		{1, 0, NULL}, /* only one of them is dataless */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct setup s = new_log();

		fl_add(&s.l, "one");
		uint64_t id = fl_add(&s.l, "two and a half");
		fl_add(&s.l, "three");
		uint64_t lpos = fl_lpos(&s.l, id);
		fl_put64(&s.l, lpos, fl_get64(&s.l, lpos) + cases[i].begin);
		fl_put64(&s.l, lpos + 8, fl_get64(&s.l, lpos + 8) + cases[i].next);
		if (cases[i].expected)
			check_log(s.k, cases[i].expected, nothing);
		else
			check_log(s.k, "0 one\n2 three\n",
				  (struct nmibt_log_missing){.damaged = 1});
		fk_free(s.k);
	}
}

static void test_block_id(void **unused)
{
	(void)unused;
	struct setup s = new_log();
	uint64_t id = fl_add(&s.l, "one");

	fl_add(&s.l, "two");
	fl_put64(&s.l, FL_DATA, id + fl_count(&s.l));
	check_log(s.k, "1 two\n", (struct nmibt_log_missing){.damaged = 1});
	/* The right ID is where no block begins. */
	fl_put64(&s.l, FL_DATA + 4, id);
	fl_put64(&s.l, fl_lpos(&s.l, id), fl_get64(&s.l, fl_lpos(&s.l, id)) + 4);
	check_log(s.k, "1 two\n", (struct nmibt_log_missing){.damaged = 1});
	fk_free(s.k);
}

static void test_text_len(void **unused)
{
	(void)unused;
	struct setup s = new_log();
	uint64_t id = fl_add(&s.l, "one");

	fl_put(&s.l, fl_info(&s.l, id) + 16, "\xff\xff", 2);
	fl_put(&s.l, FL_DATA + 8, "one, pad", 8);
	check_log(s.k, "0+one, pad\n", nothing);
	fl_put(&s.l, fl_info(&s.l, id) + 16, "\0\0", 2);
	check_log(s.k, "0 \n", nothing);
	fk_free(s.k);
}

/* Every record claims the whole ring of text: only one may have it. */
static void test_overlap(void **unused)
{
	(void)unused;
	struct setup s = new_log();

	for (unsigned int i = 0; i < 4; i++) {
		uint64_t id = fl_add(&s.l, "text");
		uint64_t begin = fl_get64(&s.l, fl_lpos(&s.l, id));

		fl_put64(&s.l, fl_lpos(&s.l, id) + 8, begin / 8192 * 8192 + 8192);
	}
	check_log(s.k, "0 text\n", (struct nmibt_log_missing){.damaged = 3});
	fk_free(s.k);
}

static void test_missing_pages(void **unused)
{
	(void)unused;
	static const uint64_t pages[] = {FL_DESCS, FL_INFOS, FL_DATA};
	char text[64];

	for (unsigned int i = 0; i < 6; i++) {
		struct setup s = new_log();
		struct nmibt_log_missing missing;
		bool excluded = i % 2;

		for (unsigned int n = 0; n < 200; n++) {
			sprintf(text, "record %u", n);
			fl_add(&s.l, text);
		}
		/* The first 4096 bytes of a ring have 170 descriptors and a part of one; 46 infos,
		 * and one without its device; or 174 texts. */
		fk_set_page(s.k, fl_paddr(&s.l, pages[i / 2]),
			    excluded ? NMIBT_READ_EXCLUDED : NMIBT_READ_ERROR);
		const char *all = read_log(s.k, &missing);
		static const unsigned int lost_in[] = {171, 47, 174};
		unsigned int lost = lost_in[i / 2];
		snprintf(text, sizeof(text), "%u record %u\n", lost, lost);
		assert_memory_equal(all, text, strlen(text));
		check_missing(&missing, excluded ? (struct nmibt_log_missing){.excluded = lost}
						 : (struct nmibt_log_missing){.unreadable = lost});
		fk_free(s.k);
	}
}

/* The end of a text is in an excluded page. */
static void test_truncated(void **unused)
{
	(void)unused;
	struct setup s = new_log();
	char text[5000];

	memset(text, 'x', sizeof(text));
	fl_add_bytes(&s.l, 1, text, 4064); /* 4072 */
	fl_add(&s.l, "sixteen of this: it is cut");
	fl_add(&s.l, "gone");
	fk_set_page(s.k, fl_paddr(&s.l, FL_DATA + 4096), NMIBT_READ_EXCLUDED);
	struct nmibt_log_missing missing;
	const char *all = read_log(s.k, &missing);
	assert_string_equal(strchr(all, '\n'), "\n1+sixteen of this:\n");
	check_missing(&missing, (struct nmibt_log_missing){.excluded = 1});
	fk_free(s.k);
}

/* The ID of a block is the last word of a page, and all of its text is excluded. */
static void test_text_missing(void **unused)
{
	(void)unused;
	struct setup s = new_log();
	char text[4080];

	memset(text, 'x', sizeof(text));
	fl_add_bytes(&s.l, 1, text, sizeof(text));
	fl_add(&s.l, "gone");
	fk_set_page(s.k, fl_paddr(&s.l, FL_DATA + 4096), NMIBT_READ_EXCLUDED);
	struct nmibt_log_missing missing;
	assert_string_equal(strchr(read_log(s.k, &missing), '\n'), "\n");
	check_missing(&missing, (struct nmibt_log_missing){.excluded = 1});
	fk_free(s.k);
}

static void test_head_and_tail(void **unused)
{
	(void)unused;
	static const uint64_t wrong[] = {0, UINT64_MAX, 1ull << 61, 12345};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		for (unsigned int head = 0; head < 2; head++) {
			struct setup s = new_log_of(&fk_x86, 0, 4, 13);

			for (unsigned int n = 0; n < 40; n++)
				fl_add(&s.l, "text");
			*(head ? &s.l.head_id : &s.l.tail_id) = wrong[i];
			fl_publish(&s.l);
			const char *all = read_log(s.k, NULL);
			assert_memory_equal(all, "24 text\n", 8);
			assert_non_null(strstr(all, "\n39 text\n"));
			fk_free(s.k);
		}
	}
	/* Both are damaged: reading must still end. */
	struct setup s = new_log_of(&fk_x86, 0, 4, 13);
	fl_add(&s.l, "text");
	s.l.head_id = 1000;
	s.l.tail_id = 5000000;
	fl_publish(&s.l);
	struct nmibt_log_missing missing;
	read_log(s.k, &missing);
	assert_int_equal(missing.damaged + missing.unfinished, 16);
	fk_free(s.k);
}

/* ---------------------------------------------------------------------- gaps */

/* Checks the "SEQ" of each record, after "+N" for N records that are missing before it; "end+N". */
static void check_gaps(const struct fake_kernel *k, const char *expected)
{
	struct nmibt_log *log = open_log(k);
	struct nmibt_log_record record;
	char got[1024] = "";

	while (nmibt_log_next(log, &record)) {
		uint64_t missing = nmibt_log_nr_missing(&record.missing_before);
		size_t len = strlen(got);

		if (missing)
			len += snprintf(got + len, sizeof(got) - len, "+%" PRIu64 " ", missing);
		if (record.is_end)
			snprintf(got + len, sizeof(got) - len, "end");
		else
			snprintf(got + len, sizeof(got) - len, "%" PRIu64 " ", record.seq);
	}
	nmibt_log_close(log);
	assert_string_equal(got, expected);
}

/* The next record tells what is missing; at the end, an entry that is no record does. */
static void test_gaps(void **unused)
{
	(void)unused;
	struct setup s = new_log();

	for (unsigned int i = 0; i < 6; i++)
		fl_add(&s.l, "text");
	check_gaps(s.k, "0 1 2 3 4 5 ");
	uint64_t last = s.l.head_id;
	fl_set_state(&s.l, last - 3, FL_RESERVED);
	fl_set_state(&s.l, last - 2, FL_RESERVED);
	check_gaps(s.k, "0 1 +2 4 5 ");
	fl_set_state(&s.l, last, FL_RESERVED);
	check_gaps(s.k, "0 1 +2 4 +1 end");

	struct nmibt_log *log = open_log(s.k);
	struct nmibt_log_record record;
	for (unsigned int i = 0; i < 3; i++)
		assert_true(nmibt_log_next(log, &record));
	assert_int_equal(record.missing_before.unfinished, 2);
	assert_int_equal(record.missing_before.overwritten, 0);
	nmibt_log_close(log);
	fk_free(s.k);
}

/* The first record that is read tells that the oldest is not the first since boot. */
static void test_overwritten(void **unused)
{
	(void)unused;
	struct setup s = new_log_of(&fk_x86, 0, 4, 13);
	struct nmibt_log_record record;

	for (unsigned int i = 0; i < 40; i++)
		fl_add(&s.l, "text");
	struct nmibt_log *log = open_log(s.k);
	assert_true(nmibt_log_next(log, &record));
	assert_true(record.seq > 0);
	assert_int_equal(record.missing_before.overwritten, record.seq);
	assert_int_equal(nmibt_log_nr_missing(&record.missing_before), record.seq);
	uint64_t first = record.seq;
	nmibt_log_close(log);

	/* Records that are there and can't be read do not count as overwritten. */
	uint64_t oldest = s.l.tail_id + (s.l.head_id - s.l.tail_id + 1 - (40 - first));
	fl_set_state(&s.l, oldest, FL_RESERVED);
	log = open_log(s.k);
	assert_true(nmibt_log_next(log, &record));
	assert_int_equal(record.seq, first + 1);
	assert_int_equal(record.missing_before.overwritten, first);
	assert_int_equal(record.missing_before.unfinished, 1);
	nmibt_log_close(log);
	fk_free(s.k);
}

/* --------------------------------------------------------------------- sizes */

static void test_ring_sizes(void **unused)
{
	(void)unused;
	static const uint32_t wrong[] = {0, 32, 63, 64, UINT32_MAX};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct setup s = new_log();
		uint32_t was = 8;

		memcpy(fl_member(&s.l, 0), &wrong[i], 4);
		check_refused(s.k, NMIBT_ERR_DAMAGED, "2^");
		memcpy(fl_member(&s.l, 0), &was, 4);
		memcpy(fl_data_member(&s.l, 0), &wrong[i], 4);
		check_refused(s.k, NMIBT_ERR_DAMAGED, "2^");
		fk_free(s.k);
	}
}

/* log_buf_len=2G: only the pages in use are in this memory. */
static void test_largest(void **unused)
{
	(void)unused;
	struct fake_kernel *k = fk_new(&fk_x86);
	struct fake_log l;

	fl_init(&l, k, 0, 26, 31, false);
	l.head_id = 0x123fffffe; /* the last ID but one of its round */
	l.tail_id = 0x123ffffff;
	l.head_lpos = 0x4567ffffff0;
	for (uint64_t n = 0x123ffffff; n <= 0x124000000; n++) {
		fl_map(&l, fl_desc(&l, n) & -4096, 4096);
		fl_map(&l, fl_info(&l, n) & -4096, 4096);
	}
	fl_map(&l, FL_DATA, 4096);
	fl_map(&l, FL_DATA + (1ull << 31) - 4096, 4096);
	fl_add(&l, "the last");
	fl_add(&l, "the first of the next round");
	struct nmibt_log_missing missing;
	assert_string_equal(strchr(read_log(k, &missing), ' '),
			    " the last\n4966055936 the first of the next round\n");
	check_missing(&missing, nothing);
	/* More records are claimed: the 169 descriptors before it in its page are zero. */
	l.tail_id = l.head_id - (1 << 18) + 1;
	fl_publish(&l);
	read_log(k, &missing);
	check_missing(&missing, (struct nmibt_log_missing){.unreadable = (1 << 18) - 2 - 169,
							   .unfinished = 169});
	fk_free(k);
}

static void test_interrupted(void **unused)
{
	(void)unused;
	struct setup s = new_log();
	struct nmibt_log_record record;

	for (unsigned int i = 0; i < 10; i++)
		fl_add(&s.l, "BUG: text");
	struct nmibt_log *log = open_log(s.k);
	/* The first descriptor is one that no record was written to. */
	s.k->asked_left = 4;
	for (unsigned int i = 0; i < 3; i++)
		assert_true(nmibt_log_next(log, &record));
	assert_false(nmibt_log_next(log, &record));
	assert_false(nmibt_log_next(log, &record));
	check_missing(nmibt_log_missing(log), nothing);
	nmibt_log_close(log);

	fk_free(s.k);
}

/* ------------------------------------------------------------------- finding */

static void test_vmcoreinfo(void **unused)
{
	(void)unused;
	static const char *const needed[] = {
		"SYMBOL(prb)",
		"SIZE(prb_desc)",
		"SIZE(printk_info)",
		"SIZE(atomic_long_t)",
		"OFFSET(atomic_long_t.counter)",
		"OFFSET(printk_ringbuffer.desc_ring)",
		"OFFSET(prb_desc_ring.count_bits)",
		"OFFSET(prb_desc_ring.descs)",
		"OFFSET(prb_desc_ring.infos)",
		"OFFSET(prb_desc_ring.head_id)",
		"OFFSET(prb_desc_ring.tail_id)",
		"OFFSET(printk_ringbuffer.text_data_ring)",
		"OFFSET(prb_data_ring.size_bits)",
		"OFFSET(prb_data_ring.data)",
		"OFFSET(prb_desc.state_var)",
		"OFFSET(prb_desc.text_blk_lpos)",
		"OFFSET(prb_data_blk_lpos.begin)",
		"OFFSET(prb_data_blk_lpos.next)",
		"OFFSET(printk_info.seq)",
		"OFFSET(printk_info.ts_nsec)",
		"OFFSET(printk_info.text_len)",
		"OFFSET(printk_info.caller_id)",
		"SYMBOL(swapper_pg_dir)",
	};

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		struct setup s = new_log();

		fk_unsay(s.k, needed[i]);
		check_refused(s.k, NMIBT_ERR_NOTHING, needed[i]);
		fk_free(s.k);
	}
	struct setup s = new_log();
	fk_unsay(s.k, "SIZE(atomic_long_t)");
	fk_say(s.k, "SIZE(atomic_long_t)=4\n");
	check_refused(s.k, NMIBT_ERR_UNUSABLE, "64-bit");
	fk_free(s.k);
}

/* A layout that is wrong: reading must end, and must not crash. */
static void test_layout_lies(void **unused)
{
	(void)unused;
	static const char *const keys[] = {
		"SIZE(prb_desc)",
		"SIZE(printk_info)",
		"OFFSET(prb_desc_ring.descs)",
		"OFFSET(prb_data_ring.data)",
		"OFFSET(prb_desc.text_blk_lpos)",
		"OFFSET(printk_info.text_len)",
	};
	static const char *const values[] = {"0", "1", "4095", "18446744073709551615", "-1"};

	for (size_t i = 0; i < ARRAY_LEN(keys) * ARRAY_LEN(values); i++) {
		struct setup s = new_log();

		for (unsigned int n = 0; n < 50; n++)
			fl_add(&s.l, "text");
		check_lie(s.k, keys[i / ARRAY_LEN(values)], values[i % ARRAY_LEN(values)]);
		fk_free(s.k);
	}
}

static void test_ring_missing(void **unused)
{
	(void)unused;
	struct setup s = new_log();

	fl_add(&s.l, "text");
	fk_set_page(s.k, s.l.ring, NMIBT_READ_EXCLUDED);
	check_refused(s.k, NMIBT_ERR_DAMAGED, "excluded");
	fk_set_page(s.k, s.l.ring, NMIBT_READ_ERROR);
	check_refused(s.k, NMIBT_ERR_DAMAGED, "unreadable");
	fk_free(s.k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),	      cmocka_unit_test(test_empty),
		cmocka_unit_test(test_wrap),	      cmocka_unit_test(test_exact_fit),
		cmocka_unit_test(test_dataless),      cmocka_unit_test(test_states),
		cmocka_unit_test(test_wrong_blocks),  cmocka_unit_test(test_block_id),
		cmocka_unit_test(test_text_len),      cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_missing_pages), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_text_missing),  cmocka_unit_test(test_head_and_tail),
		cmocka_unit_test(test_ring_sizes),    cmocka_unit_test(test_largest),
		cmocka_unit_test(test_gaps),	      cmocka_unit_test(test_overwritten),
		cmocka_unit_test(test_interrupted),   cmocka_unit_test(test_vmcoreinfo),
		cmocka_unit_test(test_layout_lies),   cmocka_unit_test(test_ring_missing),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	nmibt_kernel_close(kernel);
	return failed;
}
