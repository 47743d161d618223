// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as the kernel's own records in pstore: they are joined, and make reports that are safe for
 * a terminal.
 *
 * Input: files, each with two bytes before it, of its name and its length.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check-report.h"

#define MAX_FILES 8

static const char *const names[] = {
	"dmesg-ramoops-0",
	"dmesg-ramoops-1.enc.z",
	"dmesg-efi_pstore-172000000001001",
	"dmesg-efi-172000000002001",
	"dmesg-erst-7387416133140971521",
	"dmesg.txt",
	"console-ramoops-0",
	"x",
};

static void make_reports(struct nmibt_input *input)
{
	const char *remark = nmibt_input_remark(input);
	unsigned int nr = nmibt_input_nr_crashes(input);

	CHECK(!remark || !unsafe_text(remark, strlen(remark)));
	for (unsigned int i = 0; i < nr && i < MAX_FILES; i++)
		check_report(input, i,
			     (struct nmibt_render_options){.older = true, .verbose = true});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *paths[MAX_FILES];
	int fds[MAX_FILES];
	unsigned int nr = 0;
	struct nmibt_input *input;

	for (size_t at = 0; nr < MAX_FILES && at + 2 < size; nr++) {
		size_t len =
			data[at + 1] * 16u < size - at - 2 ? data[at + 1] * 16u : size - at - 2;

		paths[nr] = names[data[at] % 8];
		fds[nr] = memfd_create("part", MFD_CLOEXEC);
		CHECK(fds[nr] >= 0);
		CHECK(write(fds[nr], data + at + 2, len) == (ssize_t)len);
		at += len + 2;
	}
	const struct nmibt_input_options options = {.size = sizeof(options), .fds = fds};
	struct nmibt_error *err = nr ? nmibt_input_open(paths, nr, &options, &input) : NULL;
	if (nr && !err) {
		make_reports(input);
		nmibt_input_close(input);
	}
	nmibt_error_destroy(err);
	while (nr)
		close(fds[--nr]);
	return 0;
}
