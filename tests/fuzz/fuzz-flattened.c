// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A flattened dump of any records. The first byte says whether the rest is the file behind the
 * header, unchanged, or a list of valid records. Valid records must read as the same bytes that one
 * gets by writing them out one by one.
 */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/flattened.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER 4096
#define DUMP 65536 /* bytes of the dump that valid records write to */
#define MAX_INPUT 65536

static uint8_t file[HEADER + 16 * MAX_INPUT];
static uint8_t model[DUMP];

static size_t put_record(size_t at, uint64_t offset, uint64_t len, const uint8_t *bytes)
{
	uint64_t head[2] = {htobe64(offset), htobe64(len)};

	memcpy(file + at, head, sizeof(head));
	if (len != UINT64_MAX)
		memcpy(file + at + sizeof(head), bytes, len);
	return at + sizeof(head) + (len == UINT64_MAX ? 0 : len);
}

/* Makes a file of valid records; returns its length. */
static size_t make_sound(const uint8_t *data, size_t size)
{
	size_t at = HEADER;

	memset(model, 0, sizeof(model));
	while (size > 3) {
		uint16_t offset = data[0] | data[1] << 8;
		size_t len = data[2];

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		if (len > DUMP - offset)
			len = DUMP - offset;
		if (!len)
			continue;
		at = put_record(at, offset, len, data);
		memcpy(model + offset, data, len);
		data += len;
		size -= len;
	}
	return put_record(at, UINT64_MAX, UINT64_MAX, NULL);
}

static void read_all(const struct nmibt_flattened *flat, bool sound)
{
	static uint8_t buf[DUMP];

	for (size_t at = 0, step = 1; at < DUMP; at += step, step = step * 3 % 4099 + 1) {
		size_t len = step < DUMP - at ? step : DUMP - at;
		ssize_t got = nmibt_flattened_pread(flat, buf, len, at);

		if (got > (ssize_t)len)
			abort();
		/* A gap that no record wrote may also be the end of the file. */
		for (ssize_t i = 0; sound && i < got; i++) {
			if (buf[i] != model[at + i])
				abort();
		}
		for (size_t i = got < 0 ? 0 : got; sound && i < len && got < (ssize_t)len; i++) {
			if (got < 0 || model[at + i])
				abort();
		}
	}
	nmibt_flattened_pread(flat, buf, sizeof(buf), INT64_MAX - 5);
	for (uint64_t at = 0; sound && at < nmibt_flattened_size(flat); at += 1 + at) {
		uint64_t data = nmibt_flattened_next_data(flat, at);

		if (data < at || data > nmibt_flattened_size(flat))
			abort();
		for (uint64_t i = at; i < data; i++) {
			if (model[i])
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nmibt_flattened *flat;

	if (!size || size > MAX_INPUT)
		return 0;
	bool sound = *data & 1;
	memset(file, 0, HEADER);
	strcpy((char *)file, "makedumpfile");
	size_t len = HEADER + size - 1;
	if (sound)
		len = make_sound(data + 1, size - 1);
	else
		memcpy(file + HEADER, data + 1, size - 1);

	int fd = memfd_create("flattened", 0);
	if (fd < 0 || write(fd, file, len) != (ssize_t)len)
		abort();
	struct nmibt_error *err = nmibt_flattened_open(fd, "fuzz", &flat);
	if (err) {
		if (sound)
			abort();
		nmibt_error_destroy(err);
	} else {
		if (sound && !nmibt_flattened_complete(flat))
			abort();
		read_all(flat, sound);
		nmibt_flattened_close(flat);
	}
	close(fd);
	return 0;
}
