// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as records: chunks whose checksums are right and whose items are anything. The items are
 * read, and as a dump they make reports that are safe for a terminal.
 *
 * Input: a byte of flags, then pieces of items, each with a byte of its length before it. Each piece
 * becomes a chunk.
 */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "check-report.h"
#include "record/record.h"

static bool write_fd(void *ctx, const char *data, size_t len)
{
	return write(*(int *)ctx, data, len) == (ssize_t)len;
}

/* Writes a record of the pieces. Without the last chunk it is a record that was cut. */
static void write_record(int fd, bool is_cut, const uint8_t *data, size_t size)
{
	static const char machine[] = "\x01\x0emachine x86_64";
	struct nmibt_record_writer *writer;
	struct nmibt_bytes head = {(char *)machine, sizeof(machine) - 1, 0};

	CHECK(!nmibt_record_writer_new(0, 1, write_fd, &fd, &writer));
	CHECK(!nmibt_record_put(writer, "x", &head));
	for (size_t at = 0, len; at < size; at += len + 1) {
		len = data[at] * 8u < size - at - 1 ? data[at] * 8u : size - at - 1;
		struct nmibt_bytes items = {(char *)data + at + 1, len, 0};
		CHECK(!nmibt_record_put(writer, "x", &items));
	}
	if (!is_cut)
		CHECK(!nmibt_record_finish(writer));
	nmibt_record_writer_free(writer);
}

static bool check_written(void *unused, const char *data, size_t len)
{
	(void)unused;
	CHECK(!unsafe_text(data, len));
	return true;
}

static void read_record(int fd)
{
	const struct nmibt_input_options options = {.size = sizeof(options), .fds = &fd};
	const char *path = "record";
	struct nmibt_input *input;

	struct nmibt_error *err = nmibt_input_open(&path, 1, &options, &input);
	CHECK(!err);
	const char *summary = nmibt_input_summary(input), *remark = nmibt_input_remark(input);
	CHECK(!summary || !unsafe_text(summary, strlen(summary)));
	CHECK(!remark || !unsafe_text(remark, strlen(remark)));
	for (unsigned int i = 0; nmibt_input_file(input, i); i++)
		nmibt_error_destroy(nmibt_input_write_file(input, i, check_written, NULL));
	check_report(input, 0, (struct nmibt_render_options){.older = true, .header = true});
	nmibt_input_close(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	int fd = memfd_create("record", MFD_CLOEXEC);
	CHECK(fd >= 0);
	write_record(fd, data[0] & 1, data + 1, size - 1);
	/* Its own bytes as a file, too: they are searched for chunks. */
	(void)nmibt_record_is_in((const char *)data, size);
	read_record(fd);
	close(fd);
	return 0;
}
