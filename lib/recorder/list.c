// SPDX-License-Identifier: GPL-2.0-or-later
/* Says what is in an extract: ranges of memory with what they are, and how many answers. */
#include <stdarg.h>
#include <stddef.h>

#include "recorder/extract.h"

#define WHAT_LEN 48

/* Memory that is known to be something. */
struct region {
	struct span span;
	char what[WHAT_LEN];
};

struct listing {
	struct nmibt_extract *extract;
	struct region
		*regions; /* sorted by their beginnings; the later of two that overlap counts */
	size_t nr;
	FILE *out;
	uint64_t bytes;
};

static struct nmibt_error *add_region(struct listing *l, uint64_t start, uint64_t len,
				      const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static struct nmibt_error *add_region(struct listing *l, uint64_t start, uint64_t len,
				      const char *format, ...)
{
	struct region *regions = nmibt_make_room(l->regions, l->nr, sizeof(*regions));
	va_list ap;

	if (!regions)
		return nmibt_error_nomem();
	l->regions = regions;
	struct region *region = &regions[l->nr++];
	*region = (struct region){.span = {start, start + len}};
	va_start(ap, format);
	vsnprintf(region->what, sizeof(region->what), format, ap);
	va_end(ap);
	return NULL;
}

/* ----------------------------------------------------------------- what there is */

/* The log is read once more, by an image that notes nothing else. */
static struct nmibt_error *add_log(struct listing *l)
{
	struct nmibt_extract *extract = l->extract;
	struct memory_note note;
	struct nmibt_kernel *kernel;
	struct nmibt_error *err = nmibt_extract_open_again(extract, &note, &kernel);

	if (err)
		return err;
	note.now->nr = 0; /* of opening */
	err = nmibt_extract_read_log(kernel);
	for (size_t i = 0; i < note.now->nr && !err; i++)
		err = add_region(l, note.now->v[i].start, note.now->v[i].end - note.now->v[i].start,
				 "the log, and what leads to it");
	nmibt_kernel_close(kernel);
	nmibt_memory_note_close(&note);
	return err;
}

static struct nmibt_error *add_slot(struct listing *l, unsigned int cpu, uint64_t paddr)
{
	const struct nmibt_image *image = l->extract->report->kernel->image;
	size_t head = offsetof(struct nmi_capture_slot, regs);
	struct nmi_capture_slot slot;
	struct nmibt_error *err;

	if (!paddr || paddr == NMI_CAPTURE_NO_MEMORY ||
	    nmibt_read_phys(image, paddr, &slot, head) != NMIBT_READ_OK)
		return NULL;
	err = add_region(l, paddr, sizeof(slot), "the slot of CPU %u", cpu);
	if (!err)
		err = add_region(l, paddr + slot.text_off, slot.text_size, "the text of CPU %u",
				 cpu);
	if (!err)
		err = add_region(l, paddr + slot.nested_off, slot.nested_size,
				 "the nested text of CPU %u", cpu);
	return err;
}

static struct nmibt_error *add_capture(struct listing *l)
{
	const struct nmibt_capture *capture = &l->extract->report->sources->capture;
	struct nmibt_error *err;

	if (!l->extract->report->sources->has_capture)
		return NULL;
	err = add_region(l, capture->desc_paddr, sizeof(capture->desc), "the capture's descriptor");
	if (!err)
		err = add_region(l, capture->desc.table_paddr, capture->desc.nr_slots * 8ull,
				 "the table of slots");
	for (unsigned int i = 0; i < capture->desc.nr_slots && !err; i++)
		err = add_slot(l, i, capture->slots[i]);
	return err;
}

static struct nmibt_error *add_crash_notes(struct listing *l)
{
	const struct nmibt_report *report = l->extract->report;
	size_t size = nmibt_note_size(report->kernel->image->arch);
	struct nmibt_error *err = NULL;
	uint64_t paddr;

	/* Each word, because pages of a note need not follow each other. */
	for (unsigned int i = 0; i < report->nr_cpus && !err; i++) {
		for (size_t at = 0; at < size && !err; at += 4) {
			if (nmibt_extract_note(l->extract, i, at, &paddr))
				err = add_region(l, paddr, 4, "the crash note of CPU %u", i);
		}
	}
	return err;
}

static int compare_regions(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	if (x->span.start != y->span.start)
		return x->span.start < y->span.start ? -1 : 1;
	return (x->span.end > y->span.end) - (x->span.end < y->span.end);
}

/* --------------------------------------------------------------------- the lines */

/* What is at addr, and *ret_end: up to where. The nearest region below it may have ended; the few
 * before that may be larger ones around it. */
static const char *what_is(const struct listing *l, uint64_t addr, uint64_t *ret_end)
{
	size_t low = 0, high = l->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->regions[middle].span.start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < l->nr && l->regions[low].span.start < *ret_end)
		*ret_end = l->regions[low].span.start;
	for (size_t i = low; i > 0 && low - i < 4; i--) {
		const struct region *region = &l->regions[i - 1];

		if (region->span.end <= addr)
			continue;
		if (region->span.end < *ret_end)
			*ret_end = region->span.end;
		return region->what;
	}
	return "variables and page tables of the kernel";
}

static void list_piece(struct listing *l, const struct extract_piece *piece)
{
	uint64_t end = piece->start + piece->len, to;

	for (uint64_t at = piece->start; at < end; at = to) {
		to = end;
		const char *what = what_is(l, at, &to);

		/* As long as it is the same thing. */
		for (uint64_t next = end; to < end; to = next, next = end) {
			if (strcmp(what_is(l, to, &next), what))
				break;
		}
		fprintf(l->out, "memory    0x%-16" PRIx64 " %8" PRIu64 "  %s\n", at, to - at, what);
		l->bytes += to - at;
	}
}

/* The names of kinds of answers; NULL: they are no answers. */
static const char *const answer_names[NMIBT_ITEM_END] = {
	[NMIBT_ITEM_NAME] = "names of the kernel's code",
	[NMIBT_ITEM_SYMBOL] = "addresses of the kernel's variables",
	[NMIBT_ITEM_LAYOUT] = "layouts of the kernel's types",
	[NMIBT_ITEM_STACK] = "stacks, as names and addresses of functions",
	[NMIBT_ITEM_UNREADABLE] = "places that can't be read",
};

static void list_answers(struct listing *l)
{
	const struct nmibt_bytes *answers = &l->extract->note.answers;
	struct nmibt_str cursor = {answers->s, answers->len};
	unsigned int nr[NMIBT_ITEM_END] = {0};
	uint64_t bytes[NMIBT_ITEM_END] = {0}, last = 0;
	struct nmibt_item item;

	while (nmibt_item_next(&cursor, &last, &item)) {
		nr[item.kind]++;
		bytes[item.kind] += item.data.len + 2 * sizeof(item.key);
	}
	for (size_t i = 0; i < NMIBT_ITEM_END; i++) {
		if (!nr[i])
			continue;
		fprintf(l->out, "answers   %-18u %8" PRIu64 "  %s\n", nr[i], bytes[i],
			answer_names[i] ?: "other answers");
		l->bytes += bytes[i];
	}
}

static struct nmibt_error *list_all(struct listing *l)
{
	struct nmibt_extract *extract = l->extract;
	size_t vmcoreinfo = extract->note.vmcoreinfo ? strlen(extract->note.vmcoreinfo) : 0;
	struct nmibt_error *err = add_log(l);

	if (!err)
		err = add_crash_notes(l);
	if (!err)
		err = add_capture(l);
	if (err)
		return err;
	if (l->nr)
		qsort(l->regions, l->nr, sizeof(*l->regions), compare_regions);
	fprintf(l->out, "%-10s%-18s %8s  %s\n", "what", "where, or how many", "bytes", "of what");
	fprintf(l->out, "%-10s%-18s %8zu  %s\n", "text", "", vmcoreinfo, "lines of VMCOREINFO");
	if (extract->notes)
		fprintf(l->out, "%-10s%-18s %8zu  %s\n", "notes", "", extract->notes_len,
			"registers of virtual CPUs");
	list_answers(l);
	for (size_t i = 0; i < extract->nr_pieces; i++)
		list_piece(l, &extract->pieces[i]);
	l->bytes += vmcoreinfo + extract->notes_len;
	fprintf(l->out, "%" PRIu64 " bytes in all, before they are compressed%s\n", l->bytes,
		extract->is_redacted ? "; what is secret in them is replaced" : "");
	return NULL;
}

struct nmibt_error *nmibt_extract_list(struct nmibt_extract *extract, nmibt_write_fn write,
				       void *ctx)
{
	struct nmibt_output output = {.write = write, .ctx = ctx};
	struct listing l = {.extract = extract};
	struct nmibt_error *err = nmibt_extract_take(extract);

	if (err)
		return err;
	l.out = nmibt_output_open(&output);
	if (!l.out)
		return nmibt_error_nomem();
	err = nmibt_output_close(&output, l.out, list_all(&l));
	free(l.regions);
	return err;
}
