// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An extract is a record of everything that reports read of a dump. Reports are made of an image that
 * notes what is read of it; nothing else is ever read for the extract, so that nothing else can be in
 * it.
 */
#include <stddef.h>
#include <zlib.h>

#include "recorder/extract.h"

#define MAX_CHUNK (16 << 10)
#define PIECE 4096

struct nmibt_error *nmibt_extract_new(const struct nmibt_report *report, struct nmibt_extract **ret)
{
	const struct nmibt_image *image;
	struct nmibt_error *err = nmibt_input_image(report->input, &image);

	if (!err && (image->ops->visit_log || !image->ops->vmcoreinfo_text))
		err = nmibt_error_create(
			NMIBT_ERR_UNUSABLE,
			"an extract is made of a dump, and this is a text: share the "
			"text itself");
	if (err)
		return err;
	struct nmibt_extract *extract = calloc(1, sizeof(*extract));
	if (!extract)
		return nmibt_error_nomem();
	extract->report = report;
	err = nmibt_memory_note_open(image, report->kernel, &report->sources->follower,
				     &extract->note);
	if (err) {
		free(extract);
		return err;
	}
	extract->note.is_exact = true;
	extract->ops = *extract->note.image.ops;
	if (!image->ops->notes)
		extract->ops.notes = NULL;
	extract->note.image.ops = &extract->ops;
	extract->note.image.stands_for_dump = !nmibt_image_is_record(image);
	*ret = extract;
	return NULL;
}

void nmibt_extract_close(struct nmibt_extract *extract)
{
	if (!extract)
		return;
	for (size_t i = 0; i < extract->nr_pieces; i++) {
		free(extract->pieces[i].bytes);
		free(extract->pieces[i].is_done);
	}
	free(extract->pieces);
	free(extract->notes);
	nmibt_memory_note_close(&extract->note);
	free(extract);
}

struct nmibt_error *nmibt_extract_open_again(const struct nmibt_extract *extract,
					     struct memory_note *ret,
					     struct nmibt_kernel **ret_kernel)
{
	struct nmibt_error *err = nmibt_memory_note_open(
		extract->note.from, extract->report->kernel, extract->note.follower, ret);

	if (err)
		return err;
	ret->is_exact = true;
	err = nmibt_kernel_open(&ret->image, ret_kernel);
	if (err)
		nmibt_memory_note_close(ret);
	return err;
}

/* The log may be what people want, even if the report has no use for it. */
struct nmibt_error *nmibt_extract_read_log(struct nmibt_kernel *kernel, uint64_t *ret_nr)
{
	struct nmibt_log_record record;
	struct nmibt_log *log;
	struct nmibt_error *err = nmibt_log_open(kernel, &log);

	if (err && err->code == NMIBT_ERR_NOMEM)
		return err;
	nmibt_error_destroy(err);
	for (*ret_nr = 0; !err && nmibt_log_next(log, &record);)
		*ret_nr += !record.is_end;
	if (!err)
		nmibt_log_close(log);
	return NULL;
}

struct nmibt_error *nmibt_extract_report(struct nmibt_extract *extract, enum nmibt_source source,
					 struct nmibt_report **ret)
{
	struct nmibt_report *report;
	uint64_t nr_records;
	struct nmibt_error *err = nmibt_report_make(&extract->note.image, source, &report);

	if (err)
		return err;
	if (source == NMIBT_SOURCE_AUTO)
		err = nmibt_extract_read_log(report->kernel, &nr_records);
	if (err) {
		nmibt_report_close(report);
		return err;
	}
	*ret = report;
	return NULL;
}

/* ------------------------------------------------------------------ what goes out */

static struct nmibt_error *take_piece(struct nmibt_extract *extract, const struct span *span)
{
	const struct nmibt_image *image = extract->note.from;
	struct extract_piece *piece = &extract->pieces[extract->nr_pieces];

	*piece = (struct extract_piece){.start = span->start, .len = span->end - span->start};
	extract->nr_pieces++;
	piece->bytes = malloc(piece->len + 1);
	piece->is_done = calloc(piece->len + 1, sizeof(*piece->is_done));
	if (!piece->bytes || !piece->is_done)
		return nmibt_error_nomem();
	/* It was read before. Where that was by two reads, one of all may fail. */
	nmibt_read_phys_pages(image, piece->start, piece->bytes, piece->len, NULL);
	return NULL;
}

/*
 * Notes are read as a whole, and used are the registers of virtual CPUs alone, and CR0 of what QEMU
 * adds. The rest, FPU registers for one, does not go out.
 */
#define QEMU_CR0 392
#define CR0_SIZE 8

static void keep_registers(char *notes, size_t len)
{
	struct nmibt_elf_note note;

	for (size_t at = 0; nmibt_next_note(notes, len, at, &note); at = note.next) {
		size_t end = note.size < len - note.at ? note.at + note.size : len;
		size_t cr0 = note.at + QEMU_CR0;
		bool is_qemu = !note.type && nmibt_note_is(&note, "QEMU");

		if (note.type == NT_PRSTATUS && nmibt_note_is(&note, "CORE"))
			continue;
		if (!is_qemu || end < cr0 + CR0_SIZE) {
			memset(notes + note.at, 0, end - note.at);
			continue;
		}
		memset(notes + note.at, 0, cr0 - note.at);
		memset(notes + cr0 + CR0_SIZE, 0, end - cr0 - CR0_SIZE);
	}
}

struct nmibt_error *nmibt_extract_take(struct nmibt_extract *extract)
{
	const struct nmibt_image *image = extract->note.from;
	const struct spans *spans = extract->note.now;
	struct nmibt_error *err = extract->note.failure;

	extract->note.failure = NULL;
	if (err || extract->is_taken)
		return err;
	extract->is_taken = true;
	extract->pieces = calloc(spans->nr + 1, sizeof(*extract->pieces));
	if (!extract->pieces)
		return nmibt_error_nomem();
	for (size_t i = 0; i < spans->nr && !err; i++)
		err = take_piece(extract, &spans->v[i]);
	if (err || !extract->note.has_read_notes || !image->ops->notes)
		return err;
	extract->notes = image->ops->notes(image->ctx, &extract->notes_len);
	if (extract->notes)
		keep_registers(extract->notes, extract->notes_len);
	return NULL;
}

struct nmibt_error *nmibt_extract_redact(struct nmibt_extract *extract)
{
	struct nmibt_error *err = nmibt_extract_take(extract);

	if (!err && !extract->is_redacted)
		err = nmibt_extract_scrub(extract);
	if (!err)
		extract->is_redacted = true;
	return err;
}

/* NULL: not all of these bytes are in the extract. */
static const struct extract_piece *find_piece(const struct nmibt_extract *extract, uint64_t paddr,
					      size_t len)
{
	size_t low = 0, high = extract->nr_pieces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (extract->pieces[middle].start <= paddr)
			low = middle + 1;
		else
			high = middle;
	}
	const struct extract_piece *piece = low ? &extract->pieces[low - 1] : NULL;
	if (!piece || paddr - piece->start > piece->len ||
	    len > piece->len - (paddr - piece->start))
		return NULL;
	return piece;
}

char *nmibt_extract_at(const struct nmibt_extract *extract, uint64_t paddr, size_t len)
{
	const struct extract_piece *piece = find_piece(extract, paddr, len);

	return piece ? piece->bytes + (paddr - piece->start) : NULL;
}

void nmibt_extract_mark_done(const struct nmibt_extract *extract, uint64_t paddr, size_t len)
{
	const struct extract_piece *piece = find_piece(extract, paddr, len);

	if (piece)
		memset(piece->is_done + (paddr - piece->start), true, len);
}

char *nmibt_extract_next(const struct nmibt_extract *extract, uint64_t *paddr, uint64_t end,
			 size_t *ret_len)
{
	size_t low = 0, high = extract->nr_pieces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct extract_piece *piece = &extract->pieces[middle];

		if (piece->start + piece->len <= *paddr)
			low = middle + 1;
		else
			high = middle;
	}
	const struct extract_piece *piece = &extract->pieces[low];
	if (low == extract->nr_pieces || piece->start >= end)
		return NULL;
	if (piece->start > *paddr)
		*paddr = piece->start;
	uint64_t piece_end = piece->start + piece->len;
	*ret_len = (piece_end < end ? piece_end : end) - *paddr;
	return piece->bytes + (*paddr - piece->start);
}

uint64_t nmibt_extract_slot(const struct nmibt_extract *extract, unsigned int cpu)
{
	const struct nmibt_sources *sources = extract->report->sources;
	uint64_t paddr = sources->has_capture && cpu < sources->capture.desc.nr_slots
				 ? sources->capture.slots[cpu]
				 : 0;

	return paddr == NMI_CAPTURE_NO_MEMORY ? 0 : paddr;
}

bool nmibt_extract_note(const struct nmibt_extract *extract, enum note_place place,
			unsigned int cpu, size_t offset, uint64_t *ret)
{
	struct nmibt_kernel *kernel = extract->report->kernel;
	size_t head = offsetof(struct nmi_capture_slot, regs);
	uint64_t slot_paddr = nmibt_extract_slot(extract, cpu), vaddr;
	struct nmi_capture_slot slot = {0};

	if (place == NOTE_BY_KERNEL)
		return nmibt_percpu_note(kernel, cpu, &vaddr) &&
		       nmibt_kernel_to_phys(kernel, vaddr + offset, ret);
	if (!slot_paddr || nmibt_read_phys(kernel->image, slot_paddr, &slot, head) != NMIBT_READ_OK)
		return false;
	*ret = slot.note_paddr + offset;
	return slot.note_paddr;
}

static enum nmibt_read read_pieces(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const char *bytes = nmibt_extract_at(ctx, paddr, len);

	if (!bytes)
		return NMIBT_READ_EXCLUDED;
	memcpy(buf, bytes, len);
	return NMIBT_READ_OK;
}

/* ------------------------------------------------------------------------ writing */

struct writing {
	struct nmibt_extract *extract;
	struct nmibt_record_writer *writer;
	struct nmibt_bytes items;
};

static struct nmibt_error *put_items(struct writing *w)
{
	struct nmibt_error *err = nmibt_record_put(w->writer, "the extract", &w->items);

	w->items.len = 0;
	return err;
}

/* No memory, so that items do not depend on those before them. */
static struct nmibt_error *put_item(struct writing *w, const struct nmibt_item *item)
{
	uint64_t last = 0;
	struct nmibt_error *err = nmibt_item_add(&w->items, item, &last);

	return err || w->items.len < MAX_CHUNK ? err : put_items(w);
}

static struct nmibt_error *put_line(struct writing *w, const char *line)
{
	return put_item(w,
			&(struct nmibt_item){.kind = NMIBT_ITEM_TEXT, .data = nmibt_str_of(line)});
}

static struct nmibt_error *put_case(struct writing *w)
{
	const struct nmibt_image *image = &w->extract->note.image;
	const char *arch = nmibt_arch_name(image->arch);
	char line[NMIBT_WHY_LEN + 16];
	struct nmibt_error *err =
		put_line(w, image->stands_for_dump ? "extract dump" : "extract record");

	if (!err && w->extract->note.from->ops->notes)
		err = put_line(w, "notes");
	if (!err && (w->extract->is_redacted || image->is_redacted))
		err = put_line(w, "redacted");
	snprintf(line, sizeof(line), "machine %s", arch ? arch : "");
	if (!err && arch)
		err = put_line(w, line);
	snprintf(line, sizeof(line), "page_size %zu", image->page_size);
	if (!err)
		err = put_line(w, line);
	snprintf(line, sizeof(line), "phys_base 0x%" PRIx64, image->phys_base.value);
	if (!err && image->phys_base.known)
		err = put_line(w, line);
	snprintf(line, sizeof(line), "lost %s", image->lost ? image->lost : "");
	if (!err && image->lost)
		err = put_line(w, line);
	if (!err && w->extract->note.vmcoreinfo)
		err = put_item(
			w, &(struct nmibt_item){.kind = NMIBT_ITEM_VMCOREINFO,
						.data = nmibt_str_of(w->extract->note.vmcoreinfo)});
	return err ? err : put_items(w);
}

static struct nmibt_error *put_answers(struct writing *w)
{
	struct nmibt_bytes *answers = &w->extract->note.answers;
	struct nmibt_str cursor = {answers->s, answers->len};
	struct nmibt_error *err = NULL;
	struct nmibt_item item;
	uint64_t last = 0;

	while (!err && nmibt_item_next(&cursor, &last, &item))
		err = put_item(w, &item);
	answers->len = 0;
	return err ? err : put_items(w);
}

static struct nmibt_error *put_notes(struct writing *w)
{
	const struct nmibt_extract *extract = w->extract;
	struct nmibt_error *err = NULL;

	for (size_t at = 0, len; extract->notes && at < extract->notes_len && !err; at += len) {
		len = extract->notes_len - at < PIECE ? extract->notes_len - at : PIECE;
		err = put_item(w, &(struct nmibt_item){.kind = NMIBT_ITEM_NOTES,
						       .key = at,
						       .data = {extract->notes + at, len}});
	}
	return err ? err : put_items(w);
}

static struct nmibt_error *put_memory(struct writing *w)
{
	static const struct nmibt_image_ops ops = {.read_phys = read_pieces};
	struct memory_note *note = &w->extract->note;
	struct nmibt_image pieces = *note->from;
	const struct nmibt_image *from = note->from;

	pieces.ops = &ops;
	pieces.ctx = w->extract;
	note->from = &pieces;
	struct nmibt_error *err = nmibt_memory_note_put(note, w->writer, "the extract");
	note->from = from;
	return err;
}

static struct nmibt_error *put_all(struct writing *w)
{
	struct nmibt_error *err = put_case(w);

	if (!err)
		err = put_notes(w);
	if (!err)
		err = put_answers(w);
	if (!err)
		err = put_memory(w);
	return err ? err : nmibt_record_finish(w->writer);
}

/* Of what is in it, so that the same dump makes the same extract. */
static uint32_t make_id(const struct nmibt_extract *extract)
{
	const char *text = extract->note.vmcoreinfo ?: "";
	uint32_t id = crc32(extract->is_redacted, (const Bytef *)text, strlen(text));

	for (size_t i = 0; i < extract->nr_pieces; i++)
		id = crc32(id, (const Bytef *)extract->pieces[i].bytes, extract->pieces[i].len);
	return id;
}

struct nmibt_error *nmibt_extract_write(struct nmibt_extract *extract, nmibt_write_fn write,
					void *ctx, bool *ret_is_whole)
{
	struct writing w = {.extract = extract};
	struct nmibt_error *err = nmibt_extract_take(extract);

	if (!err)
		err = nmibt_record_writer_new(0, make_id(extract), write, ctx, &w.writer);
	if (!err)
		err = put_all(&w);
	if (!err)
		*ret_is_whole = !nmibt_record_is_full(w.writer);
	nmibt_record_writer_free(w.writer);
	free(w.items.s);
	return err;
}
