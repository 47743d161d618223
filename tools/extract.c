// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nmibt/extract.h>
#include <nmibt/json.h>

#include "extract.h"
#include "vmcore/outfile.h"

#define CHUNK 16384

/* --------------------------------------------------------------- what reports say */

/* FNV-1a, of what was rendered. */
static bool add_to_hash(void *ctx, const char *data, size_t len)
{
	uint64_t *hash = ctx;

	for (size_t i = 0; i < len; i++)
		*hash = (*hash ^ (unsigned char)data[i]) * 0x100000001b3;
	return true;
}

/* Renders all that nmibt can print of a report, so that all is read that it reads. */
static struct nmibt_error *render_all(const struct nmibt_report *report, uint64_t *ret_hash)
{
	static const enum nmibt_format formats[] = {NMIBT_FORMAT_TEXT, NMIBT_FORMAT_GROUPS,
						    NMIBT_FORMAT_FOLDED, NMIBT_FORMAT_SIGNATURE,
						    NMIBT_FORMAT_DESCRIPTION};
	struct nmibt_render_options options = {
		.size = sizeof(options), .header = true, .older = true, .verbose = true};
	int code;
	struct nmibt_error *err = nmibt_render_json(report, &options, add_to_hash, ret_hash, &code);

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats) && !err; i++) {
		options.format = formats[i];
		err = nmibt_render(report, &options, add_to_hash, ret_hash, &code);
		/* What a format can't show of the dump it can't show of the extract. */
		if (err && nmibt_error_code(err) != NMIBT_ERR_NOMEM) {
			nmibt_error_destroy(err);
			err = NULL;
		}
	}
	return err;
}

/* With --source a report may need what the one without it does not. */
static struct nmibt_error *read_other_sources(struct nmibt_extract *extract)
{
	struct nmibt_error *err = NULL;

	for (int source = 0; source < NMIBT_NR_SOURCES && !err; source++) {
		struct nmibt_report *report;
		uint64_t unused = 0;

		/* A search reads all memory. */
		if (source == NMIBT_SOURCE_AUTO || source == NMIBT_SOURCE_SCAN)
			continue;
		err = nmibt_extract_report(extract, source, &report);
		if (err) {
			bool is_fatal = nmibt_error_code(err) == NMIBT_ERR_NOMEM;

			if (!is_fatal)
				nmibt_error_destroy(err);
			if (is_fatal)
				return err;
			err = NULL;
			continue;
		}
		err = render_all(report, &unused);
		nmibt_report_close(report);
	}
	return err;
}

/* *ret_same: the extract tells what the dump tells. */
static struct nmibt_error *read_for_extract(struct nmibt_extract *extract, uint64_t of_dump,
					    bool *ret_same)
{
	struct nmibt_report *report;
	uint64_t of_extract = 0;

	*ret_same = false;
	struct nmibt_error *err = nmibt_extract_report(extract, NMIBT_SOURCE_AUTO, &report);
	if (err && nmibt_error_code(err) != NMIBT_ERR_NOMEM) {
		nmibt_error_destroy(err);
		return nmibt_error_create(
			NMIBT_ERR_UNUSABLE,
			"no extract: what the dump tells was found by a search of "
			"all its memory, which an extract does not have");
	}
	if (err)
		return err;
	err = render_all(report, &of_extract);
	nmibt_report_close(report);
	*ret_same = of_extract == of_dump;
	return err ? err : read_other_sources(extract);
}

/* -------------------------------------------------------------------- the extract */

static struct nmibt_error *write_it(struct nmibt_extract *extract, const char *dump,
				    const struct extract_options *options, nmibt_write_fn write,
				    void *ctx, int *code)
{
	bool is_whole;

	if (!options->path)
		return nmibt_extract_list(extract, write, ctx);
	struct nmibt_error *err = nmibt_extract_write(extract, write, ctx, &is_whole);
	if (!err && !is_whole) {
		fprintf(stderr,
			"nmibt: %s: the extract lacks something: its format has no room for all of "
			"the log\n",
			dump);
		*code = 3;
	}
	return err;
}

struct nmibt_error *extract_make(const struct nmibt_report *report, const char *dump,
				 const struct extract_options *options, nmibt_write_fn write,
				 void *ctx, int *ret_code)
{
	struct nmibt_extract *extract = NULL;
	uint64_t of_dump = 0;
	bool same = true;
	/* First of all, because it shows which tables of the kernel can't be read. */
	struct nmibt_error *err = render_all(report, &of_dump);

	*ret_code = 0;
	if (!err)
		err = nmibt_extract_new(report, &extract);
	if (!err)
		err = read_for_extract(extract, of_dump, &same);
	if (!err && !same) {
		fprintf(stderr,
			"nmibt: %s: the extract tells less than the dump: all memory was searched "
			"for a part of what the dump tells, which an extract has no room for\n",
			dump);
		*ret_code = 3;
	}
	if (!err && options->redact)
		err = nmibt_extract_redact(extract);
	if (!err)
		err = write_it(extract, dump, options, write, ctx, ret_code);
	nmibt_extract_close(extract);
	return err;
}

/* ------------------------------------------------------------------------- its file */

static bool complain(const char *path)
{
	fprintf(stderr, "nmibt: %s: the extract can't be written: %m\n", path);
	return false;
}

/* Who takes the two names for each other must not lose the dump. */
static bool is_there(const char *path)
{
	struct stat st;

	if (lstat(path, &st) && errno == ENOENT)
		return false;
	fprintf(stderr,
		"nmibt: %s: the extract is not written over what is there: remove it, or name "
		"another file\n",
		path);
	return true;
}

bool extract_open_file(struct outfile *file, const char *path)
{
	*file = (struct outfile){.fd = -1};
	if (is_there(path))
		return false;
	return outfile_open(file, path) || complain(path);
}

bool extract_copy(struct outfile *file, int fd)
{
	char bytes[CHUNK];
	ssize_t len;

	for (off_t at = 0; (len = pread(fd, bytes, sizeof(bytes), at)) > 0; at += len) {
		if (!outfile_write(file, bytes, len))
			return complain(file->path);
	}
	return !len || complain(file->path);
}

bool extract_commit_file(struct outfile *file)
{
	if (is_there(file->path))
		return false;
	return outfile_commit(file) || complain(file->path);
}
