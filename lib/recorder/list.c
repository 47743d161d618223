// SPDX-License-Identifier: GPL-2.0-or-later
/* Says what is in an extract: how much of each kind of thing, or also where each piece of memory is. */
#include <stddef.h>

#include "recorder/extract.h"

enum thing { LOG, CAPTURE, SLOT, TRACE, NOTE, OTHER, NR_THINGS };

/* of_cpus: there is one of each CPU. */
static const struct {
	const char *what, *unit;
	bool of_cpus;
} things[NR_THINGS] = {
	[LOG] = {"the kernel's log", "records", false},
	[CAPTURE] = {"the capture's descriptor and its table", "", false},
	[SLOT] = {"headers of slots: registers, names of tasks", "CPUs", true},
	[TRACE] = {"backtraces in slots", "CPUs", true},
	[NOTE] = {"crash notes: registers at the stop", "CPUs", true},
	[OTHER] = {"variables and page tables of the kernel", "", false},
};

/* Memory that is known to be something. */
struct region {
	struct span span;
	enum thing thing;
	unsigned int cpu;
};

struct listing {
	struct nmibt_extract *extract;
	struct region
		*regions; /* sorted by their beginnings; the later of two that overlap counts */
	size_t nr;
	FILE *out;
	bool each; /* piece of memory is listed */
	uint64_t bytes;
	/* of each kind of thing */
	uint64_t bytes_of[NR_THINGS], nr_of[NR_THINGS];
	bool *is_counted; /* NR_THINGS for each CPU */
};

static struct nmibt_error *add_region(struct listing *l, uint64_t start, uint64_t len,
				      enum thing thing, unsigned int cpu)
{
	struct region *regions = nmibt_make_room(l->regions, l->nr, sizeof(*regions));

	if (!regions)
		return nmibt_error_nomem();
	l->regions = regions;
	l->regions[l->nr++] =
		(struct region){.span = {start, start + len}, .thing = thing, .cpu = cpu};
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
	err = nmibt_extract_read_log(kernel, &l->nr_of[LOG]);
	for (size_t i = 0; i < note.now->nr && !err; i++)
		err = add_region(l, note.now->v[i].start, note.now->v[i].end - note.now->v[i].start,
				 LOG, 0);
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
	err = add_region(l, paddr, sizeof(slot), SLOT, cpu);
	if (!err)
		err = add_region(l, paddr + slot.text_off, slot.text_size, TRACE, cpu);
	if (!err)
		err = add_region(l, paddr + slot.nested_off, slot.nested_size, TRACE, cpu);
	return err;
}

static struct nmibt_error *add_capture(struct listing *l)
{
	const struct nmibt_capture *capture = &l->extract->report->sources->capture;
	struct nmibt_error *err;

	if (!l->extract->report->sources->has_capture)
		return NULL;
	err = add_region(l, capture->desc_paddr, sizeof(capture->desc), CAPTURE, 0);
	if (!err)
		err = add_region(l, capture->desc.table_paddr, capture->desc.nr_slots * 8ull,
				 CAPTURE, 0);
	for (unsigned int i = 0; i < capture->desc.nr_slots && !err; i++)
		err = add_slot(l, i, capture->slots[i]);
	return err;
}

/* Each word, because pages of a note need not follow each other. */
static struct nmibt_error *add_note(struct listing *l, enum note_place place, unsigned int cpu,
				    size_t size)
{
	struct nmibt_error *err = NULL;
	uint64_t paddr;

	for (size_t at = 0; at < size && !err; at += 4) {
		if (nmibt_extract_note(l->extract, place, cpu, at, &paddr))
			err = add_region(l, paddr, 4, NOTE, cpu);
	}
	return err;
}

static struct nmibt_error *add_crash_notes(struct listing *l)
{
	const struct nmibt_report *report = l->extract->report;
	size_t size = nmibt_note_size(report->kernel->image->arch);
	struct nmibt_error *err = NULL;

	for (unsigned int i = 0; i < report->nr_cpus && !err; i++) {
		for (enum note_place place = 0; place < NR_NOTE_PLACES && !err; place++)
			err = add_note(l, place, i, size);
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
static struct region what_is(const struct listing *l, uint64_t addr, uint64_t *ret_end)
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
		return *region;
	}
	return (struct region){.thing = OTHER};
}

static void count_piece(struct listing *l, const struct region *region, uint64_t at, uint64_t to)
{
	bool of_cpus = things[region->thing].of_cpus;
	bool *is_counted = &l->is_counted[region->cpu * NR_THINGS + region->thing];

	l->bytes_of[region->thing] += to - at;
	l->nr_of[region->thing] += of_cpus && !*is_counted;
	*is_counted = true;
	if (!l->each)
		return;
	fprintf(l->out, "0x%-16" PRIx64 " %8" PRIu64 "  %s", at, to - at,
		things[region->thing].what);
	if (of_cpus)
		fprintf(l->out, ", CPU %u", region->cpu);
	putc('\n', l->out);
}

static void list_piece(struct listing *l, const struct extract_piece *piece)
{
	uint64_t end = piece->start + piece->len, to;

	for (uint64_t at = piece->start; at < end; at = to) {
		to = end;
		struct region region = what_is(l, at, &to);

		/* As long as it is the same thing. */
		for (uint64_t next = end; to < end; to = next, next = end) {
			struct region behind = what_is(l, to, &next);

			if (behind.thing != region.thing || behind.cpu != region.cpu)
				break;
		}
		count_piece(l, &region, at, to);
	}
}

/* nr 0: they are not counted. */
static void put_line(struct listing *l, const char *what, uint64_t nr, const char *unit,
		     uint64_t bytes)
{
	char count[40] = "";

	if (nr)
		snprintf(count, sizeof(count), "%" PRIu64 " %s", nr, unit);
	if (bytes)
		fprintf(l->out, "%-48s %16s %9" PRIu64 "\n", what, count, bytes);
	l->bytes += bytes;
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
	for (size_t i = 0; i < NMIBT_ITEM_END; i++)
		put_line(l, answer_names[i] ?: "other answers", nr[i], "", bytes[i]);
}

static struct nmibt_error *find_regions(struct listing *l)
{
	struct nmibt_error *err = add_log(l);

	if (!err)
		err = add_crash_notes(l);
	if (!err)
		err = add_capture(l);
	if (!err && l->nr)
		qsort(l->regions, l->nr, sizeof(*l->regions), compare_regions);
	return err;
}

static unsigned int count_lines(const char *text)
{
	unsigned int nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

static void put_end(const struct listing *l)
{
	fprintf(l->out, "%" PRIu64 " bytes in all, before they are compressed\n", l->bytes);
	fputs(l->extract->is_redacted
		      ? "What is known to be secret in them is replaced, byte by byte.\n"
		      : "Names of tasks, the host's name and the log go out as they are; --redact "
			"replaces what is secret.\n",
	      l->out);
	if (!l->each)
		fputs("-v lists each piece of memory, too.\n", l->out);
}

static struct nmibt_error *list_all(struct listing *l)
{
	const struct nmibt_extract *extract = l->extract;
	const char *vmcoreinfo = extract->note.vmcoreinfo ?: "";
	struct nmibt_error *err = find_regions(l);

	if (err)
		return err;
	for (size_t i = 0; i < extract->nr_pieces; i++)
		list_piece(l, &extract->pieces[i]);
	fprintf(l->out, "%s%-48s %16s %9s\n", l->each ? "\n" : "", "what would go out", "how many",
		"bytes");
	for (size_t i = 0; i < NR_THINGS; i++)
		put_line(l, things[i].what, l->nr_of[i], things[i].unit, l->bytes_of[i]);
	put_line(l, "registers of virtual CPUs", 0, "", extract->notes ? extract->notes_len : 0);
	put_line(l, "lines of VMCOREINFO", count_lines(vmcoreinfo), "lines", strlen(vmcoreinfo));
	list_answers(l);
	put_end(l);
	return NULL;
}

struct nmibt_error *nmibt_extract_list(struct nmibt_extract *extract, bool each,
				       nmibt_write_fn write, void *ctx)
{
	struct nmibt_output output = {.write = write, .ctx = ctx};
	struct listing l = {.extract = extract, .each = each};
	struct nmibt_error *err = nmibt_extract_take(extract);

	if (err)
		return err;
	l.is_counted = calloc(extract->report->nr_cpus + (size_t)NMIBT_MAX_CPUS,
			      NR_THINGS * sizeof(*l.is_counted));
	l.out = l.is_counted ? nmibt_output_open(&output) : NULL;
	err = l.out ? nmibt_output_close(&output, l.out, list_all(&l)) : nmibt_error_nomem();
	free(l.is_counted);
	free(l.regions);
	return err;
}
