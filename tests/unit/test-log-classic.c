// SPDX-License-Identifier: GPL-2.0-or-later
/* The log of kernels before 5.10: as the kernel writes it, damaged, hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log-checks.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct setup {
	struct fake_kernel *k;
	struct fake_classic c;
};

static struct setup new_log_of(const char *name, uint32_t size, bool has_caller,
			       const char *release)
{
	struct setup s = {.k = fk_new(&fk_x86)};

	fc_init(&s.c, s.k, name, size, has_caller, release);
	return s;
}

static struct setup new_log(uint32_t size)
{
	return new_log_of("printk_log", size, false, "4.19.0");
}

/* ------------------------------------------------------------------- records */

static void test_fields(void **unused)
{
	(void)unused;
	for (unsigned int i = 0; i < 3; i++) {
		bool has_caller = i == 2;
		struct setup s = new_log_of(i ? "printk_log" : "log", 8192, has_caller,
					    i ? "5.4.0" : "3.10.0");
		struct nmibt_log_record record;

		s.c.ts = 12345678901;
		fc_add_record(&s.c, &(struct fake_record){.text = "a\nb\0c\xff",
							  .len = 6,
							  .dict = "SUBSYSTEM=pci",
							  .caller_id = 0x80000003,
							  .level = 5,
							  .facility = 3,
							  .flags = FC_NEWLINE | FC_PREFIX});
		fc_add(&s.c, "next");
		struct nmibt_log *log = open_log(s.k);
		assert_true(nmibt_log_next(log, &record));
		assert_int_equal(record.seq, 0);
		assert_int_equal(record.ts_ns, 12345678901);
		assert_int_equal(record.caller_id, has_caller ? 0x80000003 : NMIBT_NO_CALLER);
		assert_int_equal(record.facility, 3);
		assert_int_equal(record.level, 5);
		assert_int_equal(record.flags, FC_NEWLINE | FC_PREFIX);
		assert_int_equal(record.len, 6);
		assert_memory_equal(record.text, "a\nb\0c\xff", 6);
		assert_int_equal(nmibt_log_nr_missing(&record.missing_before), 0);
		assert_true(nmibt_log_next(log, &record));
		assert_int_equal(record.seq, 1);
		assert_memory_equal(record.text, "next", 4);
		assert_false(nmibt_log_next(log, &record));
		assert_false(nmibt_log_next(log, &record));
		nmibt_log_close(log);
		fk_free(s.k);
	}
}

static void test_empty(void **unused)
{
	(void)unused;
	struct setup s = new_log(8192);

	check_log(s.k, "", nothing);
	fc_add(&s.c, "");
	check_log(s.k, "0 \n", nothing);
	fk_free(s.k);
}

/* Many times around: the newest are there, in order, and whole. */
static void test_wrap(void **unused)
{
	(void)unused;
	struct setup s = new_log(8192);
	char text[600];

	for (unsigned int n = 0; n < 1000; n++) {
		size_t len = sprintf(text, "record %u ", n), more = n * 7 % 500;

		memset(text + len, 'a' + n % 26, more);
		text[len + more] = '\0';
		fc_add(&s.c, text);
		const char *all = read_log(s.k, NULL);
		const char *first = strstr(all, "record ");
		unsigned int number = atoi(first + 7), nr = 0;
		for (const char *line = all; *line; line = strchr(line, '\n') + 1) {
			assert_int_equal(atoi(line), nr);
			assert_int_equal(atoi(strstr(line, "record ") + 7), number + nr);
			nr++;
		}
		assert_int_equal(number + nr, n + 1);
		assert_int_equal(nr, s.c.count);
	}
	struct nmibt_log_record record;
	struct nmibt_log *log = open_log(s.k);
	assert_true(nmibt_log_next(log, &record));
	assert_int_equal(record.missing_before.overwritten, 1);
	assert_false(record.missing_before.may_be_more);
	nmibt_log_close(log);
	fk_free(s.k);
}

/* "flags:text " of each record, + for LOG_CONT and . for LOG_NEWLINE. */
static void check_joined(const char *release, bool has_caller, const char *expected)
{
	static const struct fake_record records[] = {
		{.text = "whole", .flags = FC_NEWLINE | FC_PREFIX},
		{.text = "begun", .flags = FC_CONT},
		{.text = "on", .flags = FC_CONT},
		{.text = "end", .flags = FC_NEWLINE},
		{.text = "begun", .flags = FC_CONT},
		{.text = "other", .flags = FC_NEWLINE | FC_PREFIX},
		{.text = "bare", .flags = 0},
		{.text = "late", .flags = FC_NEWLINE | FC_CONT},
	};
	struct setup s = new_log_of("printk_log", 8192, has_caller, release);
	struct nmibt_log_record record;
	char got[256] = "";

	for (size_t i = 0; i < ARRAY_LEN(records); i++)
		fc_add_record(&s.c, &records[i]);
	struct nmibt_log *log = open_log(s.k);
	while (nmibt_log_next(log, &record))
		sprintf(got + strlen(got), "%s%.*s%s ", record.flags & FC_CONT ? "+" : "",
			(int)record.len, record.text, record.flags & FC_NEWLINE ? "." : "");
	nmibt_log_close(log);
	assert_string_equal(got, expected);
	fk_free(s.k);
}

/* As the kernel's own reader of that release joins them; with callers, as 5.10's flags. */
static void test_pieces(void **unused)
{
	(void)unused;
	check_joined("3.10.0", false, "whole. begun +on +end. begun other. bare. late. ");
	check_joined("4.8.17", false, "whole. begun +on +end. begun other. bare. late. ");
	check_joined("4.9.0", false, "whole. +begun. +on. end. +begun. other. bare. +late. ");
	check_joined("odd", false, "whole. +begun. +on. end. +begun. other. bare. +late. ");
	check_joined("5.4.0", true, "whole. +begun +on end. +begun other. bare +late. ");
}

/* -------------------------------------------------------------------- damage */

/* Of the second of three records: a length that can't be. The way ends there. */
static void test_wrong_lengths(void **unused)
{
	(void)unused;
	static const struct {
		unsigned int at; /* in the header */
		uint16_t value;
	} cases[] = {
		{8, 0}, /* a wrap where none can be */
		{8, 4},	     {8, 12}, /* shorter than a header */
		{8, 19}, /* not aligned */
		{8, 21},     {8, 16}, /* no room for the text */
		{8, 28}, /* more than alignment between this and the next */
		{8, 0xfffc}, /* beyond the newest record */
		{10, 9},     {10, 0xffff}, {12, 9}, {12, 0xffff},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct setup s = new_log(8192);
		struct nmibt_log_missing missing;

		fc_add(&s.c, "one");
		uint32_t at = fc_add(&s.c, "two");
		fc_add(&s.c, "three");
		fl_put(&s.c.l, FC_BUF + at + cases[i].at, &cases[i].value, 2);
		assert_string_equal(read_log(s.k, &missing), "0 one\n");
		check_missing(&missing, (struct nmibt_log_missing){.damaged = 1});
		assert_true(missing.may_be_more);
		fk_free(s.k);
	}
}

/* What is before the wrap is lost, and what is behind it found again: it begins at 0. */
static void test_lost_before_wrap(void **unused)
{
	(void)unused;
	struct setup s = new_log(8192);
	struct nmibt_log_record record;
	char text[64];

	for (unsigned int n = 0; n < 400; n++) {
		sprintf(text, "record %u", n);
		fc_add(&s.c, text);
	}
	assert_true(s.c.first > s.c.next);
	uint32_t second = fc_after(&s.c, s.c.first);
	fl_put(&s.c.l, FC_BUF + second + 8, "\x05", 1);
	struct nmibt_log *log = open_log(s.k);
	assert_true(nmibt_log_next(log, &record));
	assert_int_equal(record.seq, 0);
	assert_true(nmibt_log_next(log, &record));
	assert_int_equal(record.seq, 2);
	assert_int_equal(record.missing_before.damaged, 1);
	assert_true(record.missing_before.may_be_more);
	uint64_t nr = 1;
	while (nmibt_log_next(log, &record)) {
		assert_int_equal(nmibt_log_nr_missing(&record.missing_before), 0);
		nr++;
	}
	assert_true(nr > 10);
	nmibt_log_close(log);
	const char *all = read_log(s.k, NULL);
	assert_string_equal(all + strlen(all) - strlen("record 399\n"), "record 399\n");
	fk_free(s.k);
}

/* The page that the text of a record goes on in: its length is known, and what follows is
 * in that page, too. */
static void test_missing_page(void **unused)
{
	(void)unused;
	for (unsigned int i = 0; i < 2; i++) {
		enum nmibt_read status = i ? NMIBT_READ_EXCLUDED : NMIBT_READ_ERROR;
		struct setup s = new_log(16384);
		struct nmibt_log_missing missing;
		char text[5000];

		memset(text, 'x', sizeof(text));
		text[4048] = '\0';
		fc_add(&s.c, text); /* 4064 */
		fc_add(&s.c, "sixteen of this: it is cut");
		fc_add(&s.c, "gone");
		fk_set_page(s.k, fl_paddr(&s.c.l, FC_BUF + 4096), status);
		const char *all = read_log(s.k, &missing);
		assert_string_equal(strchr(all, '\n'), "\n1+sixteen of this:\n");
		check_missing(&missing, i ? (struct nmibt_log_missing){.excluded = 1}
					  : (struct nmibt_log_missing){.unreadable = 1});
		assert_true(missing.may_be_more);
		fk_free(s.k);

		/* One that ends in the page behind: the way goes on. */
		s = new_log(16384);
		memset(text, 'x', sizeof(text));
		text[4064] = '\0';
		fc_add(&s.c, text); /* 4080, and the next header is the last of its page */
		memset(text, 'y', sizeof(text));
		text[4096 + 40] = '\0';
		fc_add(&s.c, text);
		fc_add(&s.c, "there");
		fk_set_page(s.k, fl_paddr(&s.c.l, FC_BUF + 4096), status);
		all = read_log(s.k, &missing);
		assert_string_equal(strchr(all, '\n'), "\n2 there\n");
		check_missing(&missing, i ? (struct nmibt_log_missing){.excluded = 1}
					  : (struct nmibt_log_missing){.unreadable = 1});
		assert_false(missing.may_be_more);
		fk_free(s.k);
	}
}

/* Whatever the indexes: it ends, and nothing is read that is not in the buffer. */
static void test_indexes(void **unused)
{
	(void)unused;
	static const uint32_t wrong[] = {0, 1, 4, 8188, 8191, 8192, 0x7fffffff, UINT32_MAX};
	struct setup s = new_log(8192);

	for (unsigned int n = 0; n < 300; n++)
		fc_add(&s.c, "text");
	struct fake_classic whole = s.c;
	for (size_t i = 0; i < ARRAY_LEN(wrong) * 3; i++) {
		uint32_t *numbers[] = {&s.c.first, &s.c.next, &s.c.size};

		s.c = whole;
		*numbers[i % 3] = wrong[i / 3];
		fc_publish(&s.c);
		struct nmibt_log *log;
		struct nmibt_error *err = nmibt_log_open(open_kernel(s.k), &log);
		if (!err) {
			nmibt_log_close(log);
			read_log(s.k, NULL);
			continue;
		}
		assert_int_equal(err->code, NMIBT_ERR_DAMAGED);
		nmibt_error_destroy(err);
	}
	fk_free(s.k);
}

static void test_interrupted(void **unused)
{
	(void)unused;
	struct setup s = new_log(8192);
	struct nmibt_log_record record;

	for (unsigned int i = 0; i < 10; i++)
		fc_add(&s.c, "text");
	struct nmibt_log *log = open_log(s.k);
	s.k->asked_left = 3;
	for (unsigned int i = 0; i < 3; i++)
		assert_true(nmibt_log_next(log, &record));
	assert_false(nmibt_log_next(log, &record));
	assert_true(nmibt_log_is_interrupted(log));
	nmibt_log_close(log);
	fk_free(s.k);
}

/* ------------------------------------------------------------------- finding */

static void test_vmcoreinfo(void **unused)
{
	(void)unused;
	static const struct {
		const char *key, *why;
	} needed[] = {
		{"SYMBOL(log_buf_len)", "SYMBOL(log_buf_len)"},
		{"SYMBOL(log_first_idx)", "SYMBOL(log_first_idx)"},
		{"SYMBOL(log_next_idx)", "SYMBOL(log_next_idx)"},
		{"SIZE(printk_log)", "SIZE(printk_log)"},
		{"OFFSET(printk_log.ts_nsec)", "ts_nsec"},
		{"OFFSET(printk_log.len)", "len"},
		{"OFFSET(printk_log.text_len)", "text_len"},
		{"OFFSET(printk_log.dict_len)", "dict_len"},
		{"SYMBOL(log_buf)", "SIZE(prb_desc)"},
	};

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		struct setup s = new_log(8192);

		fk_unsay(s.k, needed[i].key);
		check_refused(s.k, NMIBT_ERR_NOTHING, needed[i].why);
		fk_free(s.k);
	}
	struct setup s = new_log_of("log", 8192, false, "3.5.7");
	check_refused(s.k, NMIBT_ERR_UNUSABLE, "3.5");
	fk_free(s.k);
}

/* A layout that lies: whatever comes of it, it ends, and without a fault. */
static void test_layout_lies(void **unused)
{
	(void)unused;
	static const char *const keys[] = {
		"SIZE(printk_log)",
		"OFFSET(printk_log.ts_nsec)",
		"OFFSET(printk_log.len)",
		"OFFSET(printk_log.text_len)",
		"OFFSET(printk_log.dict_len)",
		"OFFSET(printk_log.caller_id)",
	};
	static const char *const values[] = {"0",  "1",	  "12",	 "13",	 "16",
					     "17", "255", "256", "4095", "18446744073709551615",
					     "-1"};

	for (size_t i = 0; i < ARRAY_LEN(keys) * ARRAY_LEN(values); i++) {
		struct setup s = new_log_of("printk_log", 8192, true, "5.4.0");

		for (unsigned int n = 0; n < 50; n++)
			fc_add(&s.c, "text");
		check_lie(s.k, keys[i / ARRAY_LEN(values)], values[i % ARRAY_LEN(values)]);
		fk_free(s.k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),	      cmocka_unit_test(test_empty),
		cmocka_unit_test(test_wrap),	      cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_wrong_lengths), cmocka_unit_test(test_lost_before_wrap),
		cmocka_unit_test(test_missing_page),  cmocka_unit_test(test_indexes),
		cmocka_unit_test(test_interrupted),   cmocka_unit_test(test_vmcoreinfo),
		cmocka_unit_test(test_layout_lies),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	nmibt_kernel_close(kernel);
	return failed;
}
