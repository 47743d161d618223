// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Test driver: prints the kernel's log in a vmcore byte by byte, each record after "[   12.345678]
 * "; with -a everything that is known of a record. Missing records are reported on stderr.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "image/image.h"
#include "kernel/kernel.h"

static int fail(struct nmibt_error *err)
{
	int code = err->code;

	fprintf(stderr, "nmibt-log: %s\n", err->message);
	nmibt_error_destroy(err);
	return code;
}

static void print_record(const struct nmibt_log_record *record, bool all)
{
	if (all)
		printf("%" PRIu64 " %#x %u %u %#x%s ", record->seq, record->caller_id,
		       record->facility, record->level, record->flags,
		       record->missing ? " truncated" : "");
	printf("[%5" PRIu64 ".%06u] ", record->ts_ns / 1000000000,
	       (unsigned int)(record->ts_ns % 1000000000 / 1000));
	fwrite(record->text, 1, record->len, stdout);
	putchar('\n');
}

static int print_log(struct nmibt_kernel *kernel, bool all)
{
	struct nmibt_log_record record;
	struct nmibt_log *log;
	struct nmibt_error *err = nmibt_log_open(kernel, &log);

	if (err)
		return fail(err);
	while (nmibt_log_next(log, &record)) {
		if (!record.is_end)
			print_record(&record, all);
	}
	const struct nmibt_log_missing *missing = nmibt_log_missing(log);
	fprintf(stderr,
		"excluded %" PRIu64 " unreadable %" PRIu64 " unfinished %" PRIu64 " lost %" PRIu64
		" damaged %" PRIu64 "\n",
		missing->excluded, missing->unreadable, missing->unfinished, missing->lost,
		missing->damaged);
	nmibt_log_close(log);
	return 0;
}

int main(int argc, char **argv)
{
	bool all = false, usage = false;
	int opt;

	while ((opt = getopt(argc, argv, "a")) != -1) {
		all |= opt == 'a';
		usage |= opt == '?';
	}
	if (usage || optind == argc) {
		fputs("usage: nmibt-log [-a] VMCORE [PART]...\n", stderr);
		return 2;
	}

	struct nmibt_input *input;
	const struct nmibt_image *image;
	struct nmibt_kernel *kernel;
	struct nmibt_error *err =
		nmibt_input_open((const char *const *)argv + optind, argc - optind, NULL, &input);
	if (err)
		return fail(err);
	err = nmibt_input_image(input, &image);
	if (!err)
		err = nmibt_kernel_open(image, &kernel);
	if (err)
		return fail(err);
	int code = print_log(kernel, all);
	nmibt_kernel_close(kernel);
	nmibt_input_close(input);
	return code;
}
