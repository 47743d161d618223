/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of a fake kernel's log, whatever its format. After cmocka.h. */
#ifndef LOG_CHECKS_H
#define LOG_CHECKS_H

#include "fake-kernel.h"
#include "report/report.h"

/* That logs are of; opened anew for each. */
static struct nmibt_kernel *kernel;

static inline struct nmibt_kernel *open_kernel(const struct fake_kernel *k)
{
	nmibt_kernel_close(kernel);
	assert_null(nmibt_kernel_open(&k->image, &kernel));
	return kernel;
}

static inline struct nmibt_log *open_log(const struct fake_kernel *k)
{
	struct nmibt_log *log;
	struct nmibt_error *err = nmibt_log_open(open_kernel(k), &log);

	if (err)
		fail_msg("%s", err->message);
	return log;
}

/* All records as "SEQ text\n", with '+' for ' ' where truncated. Static memory. */
static inline const char *read_log(const struct fake_kernel *k,
				   struct nmibt_log_missing *ret_missing)
{
	static char all[1 << 20];
	struct nmibt_log *log = open_log(k);
	struct nmibt_log_record record;
	size_t len = 0;

	all[0] = '\0';
	while (nmibt_log_next(log, &record)) {
		if (record.is_end)
			continue;
		assert_true(len + record.len + 32 < sizeof(all));
		len += sprintf(all + len, "%" PRIu64 "%c", record.seq, record.missing ? '+' : ' ');
		memcpy(all + len, record.text, record.len);
		len += record.len;
		strcpy(all + len++, "\n");
	}
	if (ret_missing)
		*ret_missing = *nmibt_log_missing(log);
	nmibt_log_close(log);
	return all;
}

static inline void check_missing(const struct nmibt_log_missing *got,
				 struct nmibt_log_missing expected)
{
	assert_int_equal(got->excluded, expected.excluded);
	assert_int_equal(got->unreadable, expected.unreadable);
	assert_int_equal(got->unfinished, expected.unfinished);
	assert_int_equal(got->lost, expected.lost);
	assert_int_equal(got->damaged, expected.damaged);
}

static inline void check_log(const struct fake_kernel *k, const char *expected,
			     struct nmibt_log_missing expected_missing)
{
	struct nmibt_log_missing missing;

	assert_string_equal(read_log(k, &missing), expected);
	check_missing(&missing, expected_missing);
}

static const struct nmibt_log_missing nothing;

static inline void check_refused(const struct fake_kernel *k, enum nmibt_code code, const char *why)
{
	struct nmibt_log *untouched = (void *)&untouched, *log = untouched;
	struct nmibt_error *err = nmibt_log_open(open_kernel(k), &log);

	assert_non_null(err);
	assert_int_equal(err->code, code);
	if (!strstr(err->message, why))
		fail_msg("\"%s\" has no \"%s\"", err->message, why);
	assert_ptr_equal(log, untouched);
	nmibt_error_destroy(err);
}

/* A layout that lies: whatever comes of it, reading ends, and without a fault. */
static inline void check_lie(struct fake_kernel *k, const char *key, const char *value)
{
	struct nmibt_log *log;

	fk_unsay(k, key);
	fk_say(k, "%s=%s\n", key, value);
	struct nmibt_error *err = nmibt_log_open(open_kernel(k), &log);
	if (!err) {
		nmibt_log_close(log);
		read_log(k, NULL);
	}
	nmibt_error_destroy(err);
}

#endif /* LOG_CHECKS_H */
