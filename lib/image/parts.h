/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own records in pstore. When it panics or oopses, the kernel writes the end of its log in
 * parts, each of the size that the backend can keep, the newest first (fs/pstore/platform.c:
 * pstore_dump(), 6.12 and 7.2). Each part begins with a line "Panic#2 Part1": the reason, which
 * record of this boot it is, and which part, from the end of the log backwards.
 */
#ifndef NMIBT_PARTS_H
#define NMIBT_PARTS_H

#include "base/base.h"

struct nmibt_part {
	/* "Panic"; empty: the file has no such line, as console-ramoops-0. Then count and number
	 * are 0. */
	struct nmibt_str reason;
	uint64_t count, number;
	/* When it was written, by the file's name: s since 1970; for ERST when the first one of that
	 * boot was. 0: the name does not tell it. */
	uint64_t when;
	uint64_t mtime; /* of the file */
	unsigned int order; /* in which parts were added */
	struct nmibt_str text; /* the lines behind the first one, untrusted, not terminated */
	bool is_cut; /* the end of the text is missing */
	bool is_damaged; /* ramoops could not correct all of it */
};

/* Parts of one log, the oldest lines first. */
struct nmibt_part_log {
	size_t first, nr; /* of struct nmibt_parts */
};

struct nmibt_parts {
	struct nmibt_part *v;
	size_t nr;
	/* Set by nmibt_parts_join(), the log that is shown by default last. */
	struct nmibt_part_log *logs;
	size_t nr_logs;
};

/* True: text begins with a part's first line. */
bool nmibt_is_part(struct nmibt_str text);
/* True: among the first lines of text is a part's first line. */
bool nmibt_has_part(struct nmibt_str text);
/* True: the kernel could not decompress the file when it read pstore. */
bool nmibt_is_compressed_part(const char *path);

/* Adds the parts that are in a file, which are borrowed from text: one, or several that
 * systemd-pstore joined to dmesg.txt. UNUSABLE where there are too many. */
struct nmibt_error *nmibt_parts_add(struct nmibt_parts *parts, const char *path, uint64_t mtime,
				    struct nmibt_str text);
/* Finds out which parts belong to each other, and sorts them. */
struct nmibt_error *nmibt_parts_join(struct nmibt_parts *parts);
void nmibt_parts_destroy(struct nmibt_parts *parts);

#endif /* NMIBT_PARTS_H */
