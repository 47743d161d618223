// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back end for a file of text that has the logs of kernels: a console's, dmesg's, syslog, a mail. It is
 * read twice: once to find the boots in it, and then the lines of one of them. So it may be of any size.
 */
#include <inttypes.h>

#include "image/boots.h"
#include "image/foreign.h"
#include "image/glued.h"
#include "image/printed.h"
#include "image/reader.h"

/* Of the file's beginning it is seen whether it is text. */
#define SEARCHED (16u << 10)
/* Where there are zeros, so much else must be there. */
#define LEAST_TEXT 256
/* A lost block is of more zeros than are found in what is no text. */
#define LEAST_ZEROS 64
/* Lines in a row that have something before them or have not, after which others are the exception. */
#define MAX_HABIT 32
#define REMARK_LEN 512
#define NAME_LEN 512

struct text {
	struct nmibt_lines *lines;
	struct nmibt_boots boots;
	size_t default_boot;
	enum nmibt_arch arch;
	const char *complaint;
	char remark[REMARK_LEN];
	char name[NAME_LEN]; /* the last that was asked for */
};

/* ---------------------------------------------------------------------- is it text? */

static bool is_text_byte(unsigned char c)
{
	return c >= ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\033' || c == '\b' ||
	       c == '\f' || c == 0x1e;
}

/* A console may begin with noise of the line, or with the zeros of a lost block. */
static bool is_text(const char *bytes, size_t len)
{
	size_t strange = 0, zeros = 0;
	bool has_newline = memchr(bytes, '\n', len);

	for (size_t i = 0, run = 0; i < len; i++) {
		run = bytes[i] ? 0 : run + 1;
		zeros += !bytes[i];
		strange += run ? run < LEAST_ZEROS : !is_text_byte(bytes[i]);
	}
	return has_newline && (!zeros || len - zeros >= LEAST_TEXT) &&
	       strange <= (len - zeros) / 16;
}

static bool is_text_file(const struct nmibt_file *file)
{
	struct nmibt_stream *stream = NULL;
	_cleanup_free_ char *bytes = malloc(SEARCHED);
	struct nmibt_error *err = nmibt_stream_open(file, &stream);
	bool found = false;

	if (!err && bytes && (nmibt_stream_is_packed(stream) || !nmibt_is_foreign(file)))
		found = is_text(bytes, nmibt_stream_read(stream, bytes, SEARCHED));
	nmibt_stream_close(stream);
	nmibt_error_destroy(err);
	return found;
}

/* ------------------------------------------------------------------ what is said of it */

static void print_words(FILE *out, const char *words)
{
	nmibt_escape(out, words, strlen(words), false);
}

static void print_name(FILE *out, const struct nmibt_boot *boot)
{
	fprintf(out, "lines %" PRIu64 " to %" PRIu64, boot->line, boot->last_line);
	if (*boot->release) {
		fputs(", ", out);
		print_words(out, boot->release);
	}
	if (boot->has_time)
		fprintf(out, ", %.6f to %.6f s", boot->first_ns / 1e9, boot->last_ns / 1e9);
	if (boot->is_capture_kernel)
		fputs(", a capture kernel", out);
	fputs(": ", out);
	print_words(out, *boot->words ? boot->words : "nothing went wrong");
}

static const char *reader_crash_name(void *dump, unsigned int crash)
{
	struct text *t = dump;
	FILE *out = fmemopen(t->name, sizeof(t->name) - 1, "w");

	if (!out)
		return NULL;
	print_name(out, &t->boots.v[crash]);
	fclose(out);
	return t->name;
}

#define NO_BASE64                                                                                  \
	"line %" PRIu64 " is not base64, as its part of the mail should be: more may be missing"

/* The remark is cut if there is no room. */
static struct nmibt_error *make_remark(struct text *t)
{
	FILE *out = fmemopen(t->remark, sizeof(t->remark) - 1, "w");
	uint64_t no_base64 = nmibt_lines_no_base64(t->lines);

	if (!out)
		return nmibt_error_nomem();
	if (t->boots.nr > 1)
		fprintf(out,
			"%zu boots are in it, and number %zu is shown unless --crash names another "
			"one; --list names them",
			t->boots.nr, t->default_boot + 1);
	if (t->boots.nr_dropped)
		fprintf(out, "; %" PRIu64 " before them are too many", t->boots.nr_dropped);
	if (t->complaint)
		fprintf(out, "%s%s", ftell(out) ? "; " : "", t->complaint);
	if (no_base64)
		fprintf(out, "%s" NO_BASE64, ftell(out) ? "; " : "", no_base64);
	fclose(out);
	return NULL;
}

/* ------------------------------------------------------------------------- the lines */

struct visitor {
	const struct nmibt_boot *boot;
	unsigned int nr_replays; /* that have begun */
	bool is_replay;
	int habit; /* > 0: lines have something before them */
	bool is_behind_loss;
	struct nmibt_glued glued;
};

/* True: the line stood there before. */
static bool is_repeated(struct visitor *v, const struct nmibt_text_line *line)
{
	while (v->nr_replays < v->boot->nr_replays &&
	       !nmibt_lines_is_before(&line->place, &v->boot->replays[v->nr_replays].from)) {
		v->nr_replays++;
		v->is_replay = true;
	}
	if (v->is_replay && line->prefix.has_time &&
	    line->prefix.ns > v->boot->replays[v->nr_replays - 1].until_ns)
		v->is_replay = false;
	return v->is_replay;
}

static void learn_habit(struct visitor *v, bool is_stamped)
{
	if (is_stamped && v->habit < MAX_HABIT)
		v->habit++;
	if (!is_stamped && v->habit > -MAX_HABIT)
		v->habit--;
}

/* False: no more lines are wanted. */
static bool visit_line(struct visitor *v, const struct nmibt_text_line *line,
		       nmibt_log_text_fn visit, void *arg)
{
	struct nmibt_log_text text = {
		.text = line->text,
		.prefix = line->prefix,
		.columns = line->columns,
		.is_behind_loss = v->is_behind_loss || line->is_behind_loss,
		.lacks_stamp = !line->prefix.is_stamped && v->habit > 0,
		.is_cut = line->is_cut,
	};
	struct nmibt_log_text first;

	v->is_behind_loss = line->is_cut;
	learn_habit(v, line->prefix.is_stamped);
	while (nmibt_split_glued(&v->glued, &text, &first)) {
		if (!visit(arg, &first))
			return false;
	}
	return visit(arg, &text);
}

static struct nmibt_error *visit_log(void *ctx, unsigned int crash, nmibt_log_text_fn visit,
				     void *arg, struct nmibt_log_facts *ret)
{
	struct text *t = ctx;
	const struct nmibt_boot *boot = &t->boots.v[crash];
	struct nmibt_text_line line;
	struct visitor v = {
		.boot = boot,
		.habit = boot->nr_stamped > boot->nr_lines / 2 ? MAX_HABIT : 0,
	};

	uint64_t nr_html = nmibt_lines_nr_html(t->lines);

	*ret = (struct nmibt_log_facts){0};
	if (!nmibt_lines_seek(t->lines, &boot->first))
		return nmibt_error_create(NMIBT_ERR_DAMAGED, "the text can't be read again");
	while (nmibt_lines_next(t->lines, &line) &&
	       nmibt_lines_is_before(&line.place, &boot->end)) {
		if (line.prefix.is_of_program || is_repeated(&v, &line))
			continue;
		if (!visit_line(&v, &line, visit, arg))
			return NULL;
	}
	ret->nr_html = nmibt_lines_nr_html(t->lines) - nr_html;
	ret->lacks_end = v.is_behind_loss || (t->complaint && crash + 1 == t->boots.nr);
	return NULL;
}

/* -------------------------------------------------------------------------- the image */

static void reader_image(void *dump, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = nmibt_text_read_nothing,
		.next_range = nmibt_text_no_range,
		.visit_log = visit_log,
	};
	struct text *t = dump;

	*ret = nmibt_printed_image(&ops, t, t->arch, t->boots.nr, t->default_boot);
}

static const char *reader_remark(const void *dump)
{
	const struct text *t = dump;

	return *t->remark ? t->remark : NULL;
}

static void reader_close(void *dump)
{
	struct text *t = dump;

	if (!t)
		return;
	nmibt_lines_close(t->lines);
	nmibt_boots_destroy(&t->boots);
	free(t);
}

/* UNKNOWN where the boots, or the lines of one, are of several. */
static void find_arch(struct text *t)
{
	enum nmibt_arch found = NMIBT_ARCH_UNKNOWN;

	for (size_t i = 0; i < t->boots.nr; i++) {
		const struct nmibt_boot *boot = &t->boots.v[i];

		if (boot->is_of_several_archs || (boot->arch && found && boot->arch != found))
			return;
		found = boot->arch ?: found;
	}
	t->arch = found;
}

static struct nmibt_error *find_boots(struct text *t, const char *path)
{
	struct nmibt_error *err = nmibt_boots_find(t->lines, &t->boots);
	uint64_t no_base64 = nmibt_lines_no_base64(t->lines);

	if (!err && !t->boots.nr_recognised && no_base64)
		err = nmibt_error_create(
			NMIBT_ERR_UNUSABLE,
			"%s: not a dump; it is text, and no line of a kernel's log can be "
			"read in it: " NO_BASE64,
			path, no_base64);
	if (!err && !t->boots.nr_recognised)
		err = nmibt_error_create(
			NMIBT_ERR_UNUSABLE,
			"%s: not a dump; it is text, and no line in it is of a kernel's log", path);
	if (err)
		return err;
	t->complaint = nmibt_lines_complaint(t->lines);
	t->default_boot = nmibt_boots_default(&t->boots);
	find_arch(t);
	return make_remark(t);
}

static struct nmibt_error *reader_open(unsigned int nr, const struct nmibt_file *const *files,
				       bool may_crash, void **ret)
{
	struct text *t = calloc(1, sizeof(*t));
	struct nmibt_error *err = t ? nmibt_lines_open(files[0], &t->lines) : nmibt_error_nomem();

	(void)nr, (void)may_crash;
	if (!err)
		err = find_boots(t, files[0]->path);
	if (err) {
		reader_close(t);
		return err;
	}
	*ret = t;
	return NULL;
}

const struct nmibt_reader nmibt_text_reader = {
	.knows = is_text_file,
	.open = reader_open,
	.image = reader_image,
	.remark = reader_remark,
	.crash_name = reader_crash_name,
	.close = reader_close,
};
