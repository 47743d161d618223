// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which memory a report reads: a report of the sound dump is made, and the reads are noted. So the
 * structures of the kernel are found without knowing them: page tables, symbols, the log, crash
 * notes, slots, stacks and unwind tables.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nmibt/debuginfo.h>
#include <nmibt/json.h>

#include "base.h"
#include "image/image.h"

#define MAX_READS (1u << 20)

static void note(struct base *base, uint64_t paddr, uint64_t len)
{
	if (base->nr_reads == MAX_READS)
		return;
	if (!(base->nr_reads & (base->nr_reads - 1))) {
		size_t room = base->nr_reads ? 2 * base->nr_reads : 1;

		base->reads = realloc(base->reads, room * sizeof(*base->reads));
		if (!base->reads)
			err(2, "realloc");
	}
	base->reads[base->nr_reads++] = (struct read){paddr, len};
}

/* The base whose report is made, and how its input reads. */
static struct base *noting;
static enum nmibt_read (*read_phys)(void *ctx, uint64_t paddr, void *buf, size_t len);

static enum nmibt_read noting_read(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	enum nmibt_read status = read_phys(ctx, paddr, buf, len);

	if (status == NMIBT_READ_OK)
		note(noting, paddr, len);
	return status;
}

static bool forget(void *ctx, const char *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return true;
}

static int compare_reads(const void *a, const void *b)
{
	const struct read *x = a, *y = b;

	if (x->paddr != y->paddr)
		return x->paddr < y->paddr ? -1 : 1;
	return x->len < y->len ? -1 : x->len > y->len;
}

/* Each read once. */
static void sort_reads(struct base *base)
{
	size_t nr = 0;

	qsort(base->reads, base->nr_reads, sizeof(*base->reads), compare_reads);
	for (size_t i = 0; i < base->nr_reads; i++) {
		if (!nr || compare_reads(&base->reads[nr - 1], &base->reads[i]))
			base->reads[nr++] = base->reads[i];
	}
	base->nr_reads = nr;
}

static void index_pages(struct base *base)
{
	base->first_reads = calloc(base->nr_reads, sizeof(*base->first_reads));
	if (!base->first_reads)
		err(2, "calloc");
	for (size_t i = 0; i < base->nr_reads; i++) {
		if (!i || base->reads[i].paddr / base->page_size !=
				  base->reads[i - 1].paddr / base->page_size)
			base->first_reads[base->nr_read_pages++] = i;
	}
}

static void report(const struct base *base, struct nmibt_input *input)
{
	const struct nmibt_debuginfo_options debuginfo = {.size = sizeof(debuginfo),
							  .vmlinux = base->vmlinux};
	struct nmibt_debuginfo *info;
	const struct nmibt_render_options options = {
		.size = sizeof(options), .older = true, .header = true, .raw = true};
	struct nmibt_report *made;
	int code;
	struct nmibt_error *error =
		base->vmlinux ? nmibt_debuginfo_attach(input, &debuginfo, &info) : NULL;

	if (!error)
		error = nmibt_report_open(input, 0, NULL, &made);
	if (!error) {
		nmibt_error_destroy(nmibt_render(made, &options, forget, NULL, &code));
		nmibt_error_destroy(nmibt_render_json(made, &options, forget, NULL, &code));
		nmibt_report_close(made);
	}
	nmibt_error_destroy(error);
}

void base_find_reads(struct base *base, const char *const *paths)
{
	const struct nmibt_image *image;
	struct nmibt_input *input;
	struct nmibt_error *error = nmibt_input_open(paths, base->nr_parts, NULL, &input);

	if (!error)
		error = nmibt_input_image(input, &image);
	if (error)
		errx(2, "%s: %s", base->name, nmibt_error_message(error));
	base->page_size = image->page_size;
	noting = base;
	read_phys = input->over.ops.read_phys;
	input->over.ops.read_phys = noting_read;
	report(base, input);
	nmibt_input_close(input);
	if (!base->nr_reads)
		errx(2, "%s: a report of it reads nothing", base->name);
	sort_reads(base);
	index_pages(base);
}
