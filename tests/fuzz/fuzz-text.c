// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a file of text: what programs put before lines, compressed files, the journal's entries, lines of
 * several CPUs and of all architectures. Each boot makes a report that is safe for a terminal.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check-report.h"

#define MAX_CRASHES 4

static void make_reports(struct nmibt_input *input)
{
	const char *remark = nmibt_input_remark(input), *name;
	unsigned int nr = nmibt_input_nr_crashes(input);

	CHECK(!remark || !unsafe_text(remark, strlen(remark)));
	CHECK(nmibt_input_default_crash(input) < nr);
	for (unsigned int i = 0; i < nr && i < MAX_CRASHES; i++) {
		name = nmibt_input_crash_name(input, i);
		CHECK(!name || !unsafe_text(name, strlen(name)));
		check_report(input, i,
			     (struct nmibt_render_options){.older = true, .verbose = true});
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const path = "log";
	int fd = memfd_create("log", MFD_CLOEXEC);
	const struct nmibt_input_options options = {.size = sizeof(options), .fds = &fd};
	struct nmibt_input *input;

	CHECK(fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	struct nmibt_error *err = nmibt_input_open(&path, 1, &options, &input);
	if (!err) {
		make_reports(input);
		nmibt_input_close(input);
	}
	nmibt_error_destroy(err);
	close(fd);
	return 0;
}
