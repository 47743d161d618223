/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The readers of formats: what open.c needs of each. An image of theirs lacks the callbacks for
 * what its format never has: notes, and VMCOREINFO in one of them.
 */
#ifndef NMIBT_READER_H
#define NMIBT_READER_H

#include "image/file.h"
#include "image/image.h"

struct nmibt_reader {
	bool may_be_split; /* a dump may have several files */
	/* True: the file begins like a dump of this format. */
	bool (*knows)(const struct nmibt_file *file);
	/* files is borrowed until close(). may_crash: as for nmibt_dump_open(). */
	struct nmibt_error *(*open)(unsigned int nr, const struct nmibt_file *const *files,
				    bool may_crash, void **ret);
	/* ret borrows from dump and is valid until close(). */
	void (*image)(void *dump, struct nmibt_image *ret);
	const char *(*remark)(const void *dump); /* as nmibt_dump_remark(); NULL: there is none */
	const char *(*summary)(
		const void *dump); /* as nmibt_input_summary(); NULL: there is none */
	/* Old files of pstore that are in it; NULL: a dump has none. */
	const struct nmibt_old_files *(*files)(const void *dump);
	/* As nmibt_input_crash_name(); NULL: there is one crash. The string is valid until the next
	 * call. */
	const char *(*crash_name)(void *dump, unsigned int crash);
	void (*close)(void *dump);
};

extern const struct nmibt_reader nmibt_elf_reader, nmibt_kdump_reader, nmibt_sadump_reader,
	nmibt_libkdumpfile_reader, nmibt_recorded_reader, nmibt_printed_reader, nmibt_text_reader;

#endif /* NMIBT_READER_H */
