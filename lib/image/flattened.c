// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The format is makedumpfile's (makedumpfile.h, 1.7.2: struct makedumpfile_header,
 * struct makedumpfile_data_header): a header in the first 4096 bytes, then records
 * of an offset and a size, 64 bits big-endian each, and as many bytes of data. A
 * record of -1, -1 ends it. A later record replaces what an earlier one wrote.
 */
#include <endian.h>
#include <errno.h>
#include <unistd.h>

#include "image/file.h"
#include "image/flattened.h"

#define SIGNATURE "makedumpfile"
#define HEADER_SIZE 4096
#define BLOCK_SIZE 4096 /* of the dump */
/* Bytes that are read at once to see the heads of small records. */
#define WINDOW_SIZE 65536
/* 32 bytes for each; makedumpfile's records are 64 KiB: 256 GiB of dump. */
#define MAX_RECORDS (4u << 20)

struct record {
	uint64_t offset; /* in the dump */
	uint64_t size;
	uint64_t at; /* of its data in the flattened file; later ones are newer */
	uint64_t max_end; /* largest offset + size up to here, in order of offset */
};

struct nmibt_flattened {
	int fd;
	struct record *records; /* in order of offset */
	size_t nr, room;
	bool complete;
};

struct head {
	uint64_t offset, size;
};

struct window {
	uint64_t at;
	size_t len;
	char bytes[WINDOW_SIZE];
};

bool nmibt_is_flattened(int fd)
{
	char signature[sizeof(SIGNATURE)];

	return nmibt_pread(fd, signature, sizeof(signature), 0) == sizeof(signature) &&
	       !memcmp(signature, SIGNATURE, sizeof(signature));
}

/* False at the end of the file. */
static bool read_head(const struct nmibt_flattened *flat, struct window *window, uint64_t at,
		      struct head *ret)
{
	if (at < window->at || at - window->at + sizeof(*ret) > window->len) {
		ssize_t n = nmibt_pread(flat->fd, window->bytes, sizeof(window->bytes), at);

		if (n < (ssize_t)sizeof(*ret))
			return false;
		window->at = at;
		window->len = n;
	}
	memcpy(ret, window->bytes + (at - window->at), sizeof(*ret));
	ret->offset = be64toh(ret->offset);
	ret->size = be64toh(ret->size);
	return true;
}

static struct nmibt_error *add_record(struct nmibt_flattened *flat, const char *path,
				      struct record record)
{
	if (flat->nr == MAX_RECORDS)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: more than %u records; unflatten it first: "
					  "makedumpfile -R DUMP < %s",
					  path, MAX_RECORDS, path);
	if (flat->nr == flat->room) {
		size_t room = flat->room ? 2 * flat->room : 256;
		struct record *records = reallocarray(flat->records, room, sizeof(*records));

		if (!records)
			return nmibt_error_nomem();
		flat->records = records;
		flat->room = room;
	}
	flat->records[flat->nr++] = record;
	return NULL;
}

static struct nmibt_error *read_records(struct nmibt_flattened *flat, const char *path)
{
	_cleanup_free_ struct window *window = calloc(1, sizeof(*window));
	off_t file_size = lseek(flat->fd, 0, SEEK_END);
	struct head head;

	if (!window)
		return nmibt_error_nomem();
	if (file_size < 0)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: not a regular file", path);
	for (uint64_t at = HEADER_SIZE; read_head(flat, window, at, &head);) {
		at += sizeof(head);
		if (head.offset == UINT64_MAX && head.size == UINT64_MAX) {
			flat->complete = true;
			return NULL;
		}
		/* Nothing behind a damaged head can be trusted. */
		if (head.offset > INT64_MAX || !head.size || head.size > INT64_MAX - head.offset)
			return NULL;

		uint64_t rest = (uint64_t)file_size - at;
		struct record record = {head.offset, head.size < rest ? head.size : rest, at, 0};
		struct nmibt_error *err = add_record(flat, path, record);
		if (err || head.size > rest)
			return err;
		at += head.size;
	}
	return NULL;
}

static int by_offset(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

struct nmibt_error *nmibt_flattened_open(int fd, const char *path, struct nmibt_flattened **ret)
{
	struct nmibt_flattened *flat = calloc(1, sizeof(*flat));
	if (!flat)
		return nmibt_error_nomem();

	flat->fd = fd;
	struct nmibt_error *err = read_records(flat, path);
	if (err) {
		nmibt_flattened_close(flat);
		return err;
	}
	if (flat->nr)
		qsort(flat->records, flat->nr, sizeof(*flat->records), by_offset);
	uint64_t max_end = 0;
	for (size_t i = 0; i < flat->nr; i++) {
		struct record *r = &flat->records[i];

		if (r->offset + r->size > max_end)
			max_end = r->offset + r->size;
		r->max_end = max_end;
	}
	*ret = flat;
	return NULL;
}

void nmibt_flattened_close(struct nmibt_flattened *flat)
{
	if (!flat)
		return;
	free(flat->records);
	free(flat);
}

bool nmibt_flattened_complete(const struct nmibt_flattened *flat)
{
	return flat->complete;
}

/* Number of records that begin at offset or before it. */
static size_t records_up_to(const struct nmibt_flattened *flat, uint64_t offset)
{
	size_t low = 0, high = flat->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (flat->records[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The newest record that holds the byte at offset. */
static const struct record *record_at(const struct nmibt_flattened *flat, size_t up_to,
				      uint64_t offset)
{
	const struct record *newest = NULL;

	while (up_to-- && flat->records[up_to].max_end > offset) {
		const struct record *r = &flat->records[up_to];

		if (offset - r->offset < r->size && (!newest || r->at > newest->at))
			newest = r;
	}
	return newest;
}

/* Whether nothing was ever written from offset on to the next record. In a cut dump
 * only what fills up a block behind a header is known to be no loss. */
static bool is_hole(const struct nmibt_flattened *flat, size_t up_to)
{
	uint64_t start = up_to ? flat->records[up_to - 1].max_end : 0;

	return flat->complete ||
	       (up_to < flat->nr && flat->records[up_to].offset - start < BLOCK_SIZE);
}

/* Bytes from offset on that are in one record, or in none; 0: a failed read. */
static size_t read_run(const struct nmibt_flattened *flat, char *buf, size_t len, uint64_t offset)
{
	size_t up_to = records_up_to(flat, offset);
	const struct record *r = record_at(flat, up_to, offset);

	if (up_to < flat->nr && len > flat->records[up_to].offset - offset)
		len = flat->records[up_to].offset - offset;
	if (!r) {
		memset(buf, 0, len);
		return is_hole(flat, up_to) ? len : 0;
	}
	uint64_t in = offset - r->offset;
	if (len > r->size - in)
		len = r->size - in;
	ssize_t n = nmibt_pread(flat->fd, buf, len, r->at + in);
	return n > 0 ? n : 0;
}

ssize_t nmibt_flattened_pread(const struct nmibt_flattened *flat, void *buf, size_t len,
			      off_t offset)
{
	uint64_t end = nmibt_flattened_size(flat);
	size_t done = 0;

	if (offset < 0) {
		errno = EINVAL;
		return -1;
	}
	if ((uint64_t)offset >= end)
		len = 0;
	else if (len > end - offset)
		len = end - offset;
	while (done < len) {
		size_t n = read_run(flat, (char *)buf + done, len - done, offset + done);

		if (!n) {
			errno = EIO;
			return -1;
		}
		done += n;
	}
	return done;
}

uint64_t nmibt_flattened_size(const struct nmibt_flattened *flat)
{
	return flat->nr ? flat->records[flat->nr - 1].max_end : 0;
}

uint64_t nmibt_flattened_next_data(const struct nmibt_flattened *flat, uint64_t offset)
{
	size_t up_to = records_up_to(flat, offset);

	/* Some record before may reach beyond offset; in a cut dump it may be the lost part. */
	if (!flat->complete || (up_to && flat->records[up_to - 1].max_end > offset))
		return offset;
	return up_to < flat->nr ? flat->records[up_to].offset : nmibt_flattened_size(flat);
}
