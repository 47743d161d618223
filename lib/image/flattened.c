// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The format is makedumpfile's (makedumpfile.h, 1.7.2: struct makedumpfile_header,
 * struct makedumpfile_data_header): a header in the first 4096 bytes, then records. A record is an
 * offset and a size, 64 bits big-endian each, and the data. A record of -1, -1 ends the file. A
 * later record replaces what an earlier one wrote to the same offsets.
 */
#include <endian.h>
#include <errno.h>
#include <unistd.h>

#include "image/extents.h"
#include "image/file.h"
#include "image/flattened.h"

#define SIGNATURE "makedumpfile"
#define HEADER_SIZE 4096
#define BLOCK_SIZE 4096 /* of the dump */
/* Bytes of one read that looks for the heads of records, which may be small. */
#define WINDOW_SIZE 65536
/*
 * An index entry has 32 bytes, and needs twice that while the records are sorted. makedumpfile's
 * records have 64 KiB, so that this is enough for a dump of 256 GiB; QEMU's have 16 KiB. So many
 * records that are much smaller are not of a dump.
 */
#define MAX_RECORDS (4u << 20)
#define MAX_SMALL_RECORDS (1u << 20)
#define SMALL_RECORD 4096

struct nmibt_flattened {
	int fd;
	/* Addresses are offsets in the dump; the rank of a record is its offset in the flattened
	 * file, so that later records win. */
	struct nmibt_extents records;
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

/* False: the file ends before a whole head. */
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
				      struct nmibt_extent record)
{
	size_t nr = flat->records.nr;

	if (nr == MAX_RECORDS || (nr >= MAX_SMALL_RECORDS && record.at / SMALL_RECORD < nr))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: more than %zu records; unflatten it first: "
					  "makedumpfile -R DUMP < %s",
					  path, nr, path);
	return nmibt_extents_add(&flat->records, record);
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
		uint64_t size = head.size < rest ? head.size : rest;
		struct nmibt_extent record = {head.offset, head.offset + (size - 1), at, at};
		struct nmibt_error *err = size ? add_record(flat, path, record) : NULL;
		if (err || head.size > rest)
			return err;
		at += head.size;
	}
	return NULL;
}

struct nmibt_error *nmibt_flattened_open(int fd, const char *path, struct nmibt_flattened **ret)
{
	struct nmibt_flattened *flat = calloc(1, sizeof(*flat));
	if (!flat)
		return nmibt_error_nomem();

	flat->fd = fd;
	struct nmibt_error *err = read_records(flat, path);
	if (!err)
		err = nmibt_extents_settle(&flat->records);
	if (err) {
		nmibt_flattened_close(flat);
		return err;
	}
	*ret = flat;
	return NULL;
}

void nmibt_flattened_close(struct nmibt_flattened *flat)
{
	if (!flat)
		return;
	nmibt_extents_destroy(&flat->records);
	free(flat);
}

bool nmibt_flattened_complete(const struct nmibt_flattened *flat)
{
	return flat->complete;
}

/* True: no record ever wrote the bytes in front of record i. In a truncated dump that is only known
 * for a gap of less than one block, which pads a header. */
static bool is_hole(const struct nmibt_flattened *flat, size_t i)
{
	const struct nmibt_extent *records = flat->records.v;
	uint64_t start = i ? records[i - 1].last + 1 : 0;

	return flat->complete || records[i].start - start < BLOCK_SIZE;
}

/* Reads bytes from offset on, which is below the size, up to the end of one record or of one gap
 * between records. Returns how many; 0: the read failed. */
static size_t read_run(const struct nmibt_flattened *flat, char *buf, size_t len, uint64_t offset)
{
	size_t i = nmibt_extents_find(&flat->records, offset);
	const struct nmibt_extent *r = &flat->records.v[i];

	if (r->start > offset) {
		if (len > r->start - offset)
			len = r->start - offset;
		memset(buf, 0, len);
		return is_hole(flat, i) ? len : 0;
	}
	if (len > r->last - offset + 1)
		len = r->last - offset + 1;
	ssize_t n = nmibt_pread(flat->fd, buf, len, r->at + (offset - r->start));
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
	return flat->records.nr ? flat->records.v[flat->records.nr - 1].last + 1 : 0;
}

uint64_t nmibt_flattened_next_hole(const struct nmibt_flattened *flat, uint64_t offset)
{
	const struct nmibt_extents *records = &flat->records;
	size_t i = nmibt_extents_find(records, offset);

	/* The gap in a truncated dump may be a lost part. */
	if (!flat->complete)
		return nmibt_flattened_size(flat);
	for (; i < records->nr && records->v[i].start <= offset; i++)
		offset = records->v[i].last + 1;
	return offset;
}

uint64_t nmibt_flattened_next_data(const struct nmibt_flattened *flat, uint64_t offset)
{
	size_t i = nmibt_extents_find(&flat->records, offset);

	if (i == flat->records.nr)
		return flat->complete ? nmibt_flattened_size(flat) : offset;
	/* The gap in a truncated dump may be a lost part. */
	return flat->complete && flat->records.v[i].start > offset ? flat->records.v[i].start
								   : offset;
}
