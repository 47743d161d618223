// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back end for the kernel's own records in pstore, in any number of files, and the console's beside
 * them. There is no memory in such an image.
 */
#include <inttypes.h>
#include <zlib.h>

#include "image/arch-by-line.h"
#include "image/parts.h"
#include "image/printed.h"
#include "image/prefix.h"
#include "image/reader.h"

#define MAX_FILES_BYTES (256u << 20)
/* Other files are not searched for a line of a log. */
#define SEARCHED (16u << 10)
/* A part has at most three times the bytes that the backend keeps (fs/pstore/platform.c:
 * decompress_record(), 6.12). */
#define MAX_INFLATED (4u << 20)
#define REMARK_LEN 512
#define NAME_LEN 64

struct printed {
	char **blocks; /* the bytes of the files */
	size_t nr_blocks;
	uint64_t size;
	struct nmibt_parts parts;
	enum nmibt_arch arch;
	char remark[REMARK_LEN];
	char name[NAME_LEN]; /* the last that was asked for */
};

/* ------------------------------------------------------------------------- reading */

static char *add_block(struct printed *p, size_t size)
{
	char **blocks = nmibt_make_room(p->blocks, p->nr_blocks, sizeof(*blocks));
	char *block = malloc(size + 1);

	if (blocks)
		p->blocks = blocks;
	if (!blocks || !block) {
		free(block);
		return NULL;
	}
	return p->blocks[p->nr_blocks++] = block;
}

/* pstore_compress() writes raw deflate since 6.6; before, that was one of several ways. */
static struct nmibt_error *inflate_part(struct printed *p, const char *path, struct nmibt_str *text)
{
	z_stream stream = {.next_in = (unsigned char *)text->s, .avail_in = text->len};
	char *out = add_block(p, MAX_INFLATED);

	if (!out || inflateInit2(&stream, -MAX_WBITS) != Z_OK)
		return nmibt_error_nomem();
	stream.next_out = (unsigned char *)out;
	stream.avail_out = MAX_INFLATED;
	int result = inflate(&stream, Z_FINISH);
	size_t len = stream.total_out;
	inflateEnd(&stream);
	if (result != Z_STREAM_END || !nmibt_is_part((struct nmibt_str){out, len}))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: compressed, and damaged or not by deflate; a kernel "
					  "that is booted with "
					  "the same pstore.compress= as the one that wrote it "
					  "shows it without .enc.z",
					  path);
	*text = (struct nmibt_str){out, len};
	return NULL;
}

static struct nmibt_error *read_file(struct printed *p, const struct nmibt_file *file)
{
	if (file->size > MAX_FILES_BYTES - p->size)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: too large for a log",
					  file->path);
	p->size += file->size;
	char *block = add_block(p, file->size);
	if (!block)
		return nmibt_error_nomem();
	if (!nmibt_file_read(file, 0, block, file->size))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: it can't be read", file->path);
	struct nmibt_str text = {block, file->size};
	struct nmibt_error *err =
		nmibt_is_compressed_part(file->path) ? inflate_part(p, file->path, &text) : NULL;
	return err ? err : nmibt_parts_add(&p->parts, file->path, file->mtime, text);
}

/* ------------------------------------------------------------------- what is said of it */

static void print_name(FILE *out, const struct printed *p, size_t log)
{
	const struct nmibt_part *part = &p->parts.v[p->parts.logs[log].first];

	if (part->number)
		fprintf(out, "%.*s#%u", (int)part->reason.len, part->reason.s,
			(unsigned int)part->count);
	else
		fputs("a log without a reason", out);
}

static void list_logs(const struct printed *p, FILE *out)
{
	fprintf(out, "%zu logs are in it: ", p->parts.nr_logs);
	for (size_t i = 0; i < p->parts.nr_logs; i++) {
		fprintf(out, "%s%zu ", i ? ", " : "", i + 1);
		print_name(out, p, i);
	}
	fputs("; --crash shows another one than the last", out);
}

/* The number of the part that follows part i of a log; 0: it is the newest. */
static uint64_t next_number(const struct printed *p, const struct nmibt_part_log *log, size_t i)
{
	return i + 1 < log->nr ? p->parts.v[log->first + i + 1].number : 0;
}

static void list_missing(const struct printed *p, size_t i, FILE *out)
{
	const struct nmibt_part_log *log = &p->parts.logs[i];

	for (size_t k = 0; k < log->nr; k++) {
		const struct nmibt_part *part = &p->parts.v[log->first + k];
		uint64_t next = next_number(p, log, k);

		if (!part->is_damaged && part->number <= next + 1)
			continue;
		fputs(ftell(out) ? "; " : "", out);
		print_name(out, p, i);
		if (part->is_damaged)
			fputs(" is damaged: ramoops could not correct all of it", out);
		else if (part->number == next + 2)
			fprintf(out, " lacks part %" PRIu64, next + 1);
		else
			fprintf(out, " lacks parts %" PRIu64 " to %" PRIu64, next + 1,
				part->number - 1);
	}
}

/* The remark is cut if there is no room. */
static struct nmibt_error *make_remark(struct printed *p)
{
	FILE *out = fmemopen(p->remark, sizeof(p->remark) - 1, "w");

	if (!out)
		return nmibt_error_nomem();
	if (p->parts.nr_logs > 1)
		list_logs(p, out);
	for (size_t i = 0; i < p->parts.nr_logs; i++)
		list_missing(p, i, out);
	fclose(out);
	return NULL;
}

/* ----------------------------------------------------------------------- the image */

/* False: no more lines are wanted. A last line without its newline may be the beginning of one:
 * "f+0x10/0x2" is another frame than "f+0x10/0x20". */
static bool visit_part(const struct nmibt_part *part, bool is_behind_loss, nmibt_log_text_fn visit,
		       void *arg)
{
	struct nmibt_str rest = part->text;
	struct nmibt_log_text line = {.may_begin_within = true, .is_behind_loss = is_behind_loss};

	while (nmibt_take_until(&rest, "\n", &line.text)) {
		line.prefix = (struct nmibt_log_prefix){0};
		line.prefix.is_stamped = nmibt_take_log_prefix(&line.text, &line.prefix);
		if (!visit(arg, &line))
			return false;
		line.may_begin_within = line.is_behind_loss = false;
	}
	return true;
}

static struct nmibt_error *visit_log(void *ctx, unsigned int crash, nmibt_log_text_fn visit,
				     void *arg, struct nmibt_log_facts *ret)
{
	const struct printed *p = ctx;
	const struct nmibt_part_log *log = &p->parts.logs[crash];

	*ret = (struct nmibt_log_facts){0};
	for (size_t i = 0; i < log->nr; i++) {
		const struct nmibt_part *part = &p->parts.v[log->first + i];

		ret->is_of_panic |= nmibt_str_is(part->reason, "Panic");
		if (!visit_part(part, ret->lacks_end, visit, arg))
			break;
		ret->lacks_end = part->is_cut || part->is_damaged ||
				 part->number > next_number(p, log, i) + 1;
	}
	return NULL;
}

static void reader_image(void *dump, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = nmibt_text_read_nothing,
		.next_range = nmibt_text_no_range,
		.visit_log = visit_log,
	};
	struct printed *p = dump;

	*ret = nmibt_printed_image(&ops, p, p->arch, p->parts.nr_logs,
				   p->parts.nr_logs ? p->parts.nr_logs - 1 : 0);
}

static const char *reader_remark(const void *dump)
{
	const struct printed *p = dump;

	return *p->remark ? p->remark : NULL;
}

static void reader_close(void *dump)
{
	struct printed *p = dump;

	if (!p)
		return;
	for (size_t i = 0; i < p->nr_blocks; i++)
		free(p->blocks[i]);
	free(p->blocks);
	nmibt_parts_destroy(&p->parts);
	free(p);
}

/* UNKNOWN where the lines are of several. */
static void find_arch(struct printed *p)
{
	enum nmibt_arch arch, found = NMIBT_ARCH_UNKNOWN;
	struct nmibt_log_prefix prefix;

	for (size_t i = 0; i < p->parts.nr; i++) {
		struct nmibt_str rest = p->parts.v[i].text, line;

		while (nmibt_take_until(&rest, "\n", &line)) {
			nmibt_take_log_prefix(&line, &prefix);
			arch = nmibt_arch_by_line(line);
			if (arch && found && arch != found)
				return;
			found = arch ?: found;
		}
	}
	p->arch = found;
}

static struct nmibt_error *reader_open(unsigned int nr, const struct nmibt_file *const *files,
				       bool may_crash, void **ret)
{
	struct printed *p = calloc(1, sizeof(*p));
	struct nmibt_error *err = p ? NULL : nmibt_error_nomem();

	(void)may_crash;
	for (unsigned int i = 0; i < nr && !err; i++)
		err = read_file(p, files[i]);
	if (!err)
		err = nmibt_parts_join(&p->parts);
	if (!err)
		err = make_remark(p);
	if (err) {
		reader_close(p);
		return err;
	}
	find_arch(p);
	*ret = p;
	return NULL;
}

static bool is_printed(const struct nmibt_file *file)
{
	size_t len = file->size < SEARCHED ? file->size : SEARCHED;
	_cleanup_free_ char *text = malloc(len + 1);

	return nmibt_is_compressed_part(file->path) ||
	       (text && nmibt_file_read(file, 0, text, len) &&
		nmibt_has_part((struct nmibt_str){text, len}));
}

static const char *reader_crash_name(void *dump, unsigned int crash)
{
	struct printed *p = dump;
	FILE *out = fmemopen(p->name, sizeof(p->name) - 1, "w");

	if (!out)
		return NULL;
	print_name(out, p, crash);
	fclose(out);
	return p->name;
}

const struct nmibt_reader nmibt_printed_reader = {
	.may_be_split = true,
	.knows = is_printed,
	.open = reader_open,
	.image = reader_image,
	.remark = reader_remark,
	.crash_name = reader_crash_name,
	.close = reader_close,
};
