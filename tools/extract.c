// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <nmibt/extract.h>
#include <nmibt/json.h>

#include "extract.h"
#include "names.h"
#include "newfile.h"

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

static struct nmibt_error *found_by_search(struct nmibt_error *err)
{
	if (nmibt_error_code(err) == NMIBT_ERR_NOMEM)
		return err;
	nmibt_error_destroy(err);
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "no extract: what the dump tells was found by a search of "
				  "all its memory, which an extract does not have");
}

/* -------------------------------------------------------------------- the extract */

struct making {
	const char *dump; /* its name, for messages */
	const struct extract_options *options;
	const struct extract_output *output;
	struct nmibt_extract *extract;
	struct nmibt_report *report; /* that a reader of the extract will make */
	uint64_t hash; /* of what it prints */
	int code;
};

static void say_less(struct making *m, const char *what)
{
	fprintf(stderr, "nmibt: %s: the extract %s\n", m->dump, what);
	m->code = 3;
}

static struct nmibt_error *read_for_extract(struct making *m, uint64_t of_dump)
{
	struct nmibt_error *err = nmibt_extract_report(m->extract, NMIBT_SOURCE_AUTO, &m->report);

	if (err)
		return found_by_search(err);
	err = render_all(m->report, &m->hash);
	if (err)
		return err;
	if (m->hash != of_dump)
		say_less(m, "tells less than the dump: all memory was searched for a part of what "
			    "the dump tells, which an extract has no room for");
	return read_other_sources(m->extract);
}

static struct nmibt_error *compare(const struct making *m, const struct nmibt_report *again)
{
	uint64_t hash = 0;
	struct nmibt_error *err;

	if (m->options->redact)
		return nmibt_extract_compare(m->report, again);
	err = render_all(again, &hash);
	if (err || hash == m->hash)
		return err;
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "no extract: it does not tell what the dump tells; this is an "
				  "error of nmibt");
}

/* What was written is read once more, as whoever gets it will read it. */
static struct nmibt_error *check(const struct making *m)
{
	static const char *const paths[] = {"the extract"};
	const struct nmibt_input_options options = {
		.size = sizeof(options), .fds = &m->output->fd, .may_crash = false};
	struct nmibt_input *input;
	struct nmibt_report *again;
	struct nmibt_error *err = nmibt_input_open(paths, 1, &options, &input);

	if (err)
		return err;
	err = nmibt_report_open(input, 0, NULL, &again);
	if (!err) {
		err = compare(m, again);
		nmibt_report_close(again);
	}
	nmibt_input_close(input);
	return err;
}

static struct nmibt_error *write_it(struct making *m)
{
	const struct extract_output *output = m->output;
	bool is_whole;

	if (m->options->is_list)
		return nmibt_extract_list(m->extract, m->options->each, output->write, output->ctx);
	struct nmibt_error *err =
		nmibt_extract_write(m->extract, output->write, output->ctx, &is_whole);
	if (err)
		return err;
	/* A part of the log may be missing, so that it tells less. */
	if (!is_whole)
		say_less(m, "lacks something: its format has no room for all of the log");
	fflush(stdout);
	return is_whole ? check(m) : NULL;
}

static struct nmibt_error *make(struct making *m, uint64_t of_dump)
{
	struct nmibt_error *err = read_for_extract(m, of_dump);

	if (!err && m->options->redact)
		err = nmibt_extract_redact(m->extract);
	return err ? err : write_it(m);
}

struct nmibt_error *extract_make(const struct nmibt_report *report, const char *dump,
				 const struct extract_options *options,
				 const struct extract_output *output, int *ret_code)
{
	struct making m = {.dump = dump, .options = options, .output = output};
	uint64_t of_dump = 0;
	/* First of all, because it shows which tables of the kernel can't be read. */
	struct nmibt_error *err = render_all(report, &of_dump);

	if (!err)
		err = nmibt_extract_new(report, &m.extract);
	if (!err)
		err = make(&m, of_dump);
	nmibt_report_close(m.report);
	nmibt_extract_close(m.extract);
	*ret_code = m.code;
	return err;
}

/* ------------------------------------------------------------------------- its file */

static bool complain(const char *path)
{
	int why = errno;
	char *name = name_for_messages(path);

	errno = why;
	if (!name)
		fputs("nmibt: out of memory\n", stderr);
	else if (why == EEXIST)
		fprintf(stderr,
			"nmibt: %s: the extract is not written over what is there: remove it, or "
			"name another file\n",
			name);
	else
		fprintf(stderr, "nmibt: %s: the extract can't be written: %m\n", name);
	free(name);
	return false;
}

bool extract_open_file(struct newfile *file, const char *path)
{
	return newfile_open(file, path) || complain(path);
}

bool extract_copy(struct newfile *file, int fd)
{
	return newfile_copy(file, fd) || complain(file->path);
}

bool extract_commit_file(struct newfile *file)
{
	return newfile_commit(file) || complain(file->path);
}
