// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes a record: docs/pstore-format.md, "What comes first". Each part reads with the library what
 * a report will read, on an image that notes it.
 */
#include <stddef.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "recorder/recorder.h"

/* The parts under whose names the record says what it has no room for. */
#define THE_MACHINE "the machine"
#define LOG_END "the log's end"
#define SUMMARY "the summary"
#define SLOTS "slots' headers"
#define NOTES "virtual CPUs"
#define TRACES "traces"
#define STOP_STACKS "stacks at the stop"
#define LOG "the older log"

/* So many CPUs' headers are in one chunk, and so many of the log's records in the first part behind
 * its end. */
#define HEADERS_AT_ONCE 16
#define RECORDS_AT_ONCE 64
/* After so many bytes of stacks at the stop their chunk is put. */
#define STACKS_AT_ONCE (16 << 10)
/* How many of the log's records come before everything about CPUs. */
#define LAST_RECORDS 20
/* The summary in the record has at most so many lines. */
#define SUMMARY_LINES 64
#define LINE_LEN 512

struct writing {
	struct nmibt_recorder *rec;
	struct nmibt_record_writer *writer;
	struct memory_note note;
	struct nmibt_kernel *kernel; /* opened on note's image */
	struct nmibt_capture capture; /* the same of it */
	struct nmibt_log *log; /* of the dump; NULL: it can't be read */
	uint64_t nr_records;
	/* struct nmibt_log_place of every RECORDS_AT_ONCE-th record. */
	struct nmibt_bytes places;
};

static struct nmibt_error *put_noted(struct writing *w, const char *what)
{
	return nmibt_memory_note_put(&w->note, w->writer, what);
}

static struct nmibt_error *put_item(struct writing *w, const char *what,
				    const struct nmibt_item *item)
{
	struct nmibt_bytes items = {0};
	uint64_t last = 0;
	struct nmibt_error *err = nmibt_item_add(&items, item, &last);

	if (!err)
		err = nmibt_record_put(w->writer, what, &items);
	free(items.s);
	return err;
}

/* ------------------------------------------------------------------ the machine */

static struct nmibt_error *add_line(struct nmibt_bytes *items, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static struct nmibt_error *add_line(struct nmibt_bytes *items, const char *format, ...)
{
	char line[LINE_LEN];
	uint64_t last = 0;
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	return nmibt_item_add(
		items, &(struct nmibt_item){.kind = NMIBT_ITEM_TEXT, .data = nmibt_str_of(line)},
		&last);
}

static struct nmibt_error *add_case(const struct nmibt_recorder *rec, struct nmibt_bytes *items)
{
	const struct nmibt_vmcoreinfo *v = &rec->kernel->vmcoreinfo;
	const char *arch = nmibt_arch_name(rec->image.arch);
	struct nmibt_error *err = NULL;

	if (arch)
		err = add_line(items, "machine %s", arch);
	if (!err)
		err = add_line(items, "page_size %zu", rec->image.page_size);
	if (!err && rec->image.phys_base.known)
		err = add_line(items, "phys_base 0x%" PRIx64, rec->image.phys_base.value);
	if (!err && v->osrelease)
		err = add_line(items, "release %.256s", v->osrelease);
	if (!err && v->build_id)
		err = add_line(items, "build-id %.128s", v->build_id);
	if (!err && rec->image.lost)
		err = add_line(items, "lost %.150s", rec->image.lost);
	if (!err && *rec->host)
		err = add_line(items, "host %s", rec->host);
	if (!err && rec->time)
		err = add_line(items, "time %" PRIu64, rec->time);
	if (!err && rec->uptime_ns)
		err = add_line(items, "uptime %" PRIu64, rec->uptime_ns);
	if (!err && *rec->message)
		err = add_line(items, "panic %s", rec->message);
	return err ? err : add_line(items, "cpus %u", rec->nr_ordered);
}

static struct nmibt_error *put_case(struct writing *w)
{
	struct nmibt_bytes items = {0};
	const char *lines = w->note.vmcoreinfo;
	struct nmibt_error *err = add_case(w->rec, &items);
	uint64_t last = 0;

	if (!err && lines)
		err = nmibt_item_add(&items,
				     &(struct nmibt_item){.kind = NMIBT_ITEM_VMCOREINFO,
							  .data = nmibt_str_of(lines)},
				     &last);
	if (!err)
		err = nmibt_record_put(w->writer, THE_MACHINE, &items);
	free(items.s);
	return err;
}

/* ---------------------------------------------------------------------- the log */

/* *ret is NULL if the log can't be read. What was read of it shows a reader the same. */
static struct nmibt_error *open_log(struct nmibt_kernel *kernel, struct nmibt_log **ret)
{
	struct nmibt_error *err = nmibt_log_open(kernel, ret);

	if (!err || err->code == NMIBT_ERR_NOMEM)
		return err;
	nmibt_error_destroy(err);
	*ret = NULL;
	return NULL;
}

/* Goes on by nr records; returns how many there were. */
static uint64_t skip_records(struct nmibt_log *log, uint64_t nr)
{
	struct nmibt_log_record record;
	uint64_t i = 0;

	while (i < nr && nmibt_log_next(log, &record))
		i += !record.is_end;
	return i;
}

/* The log can be read only from its oldest record on, and its newest ones come first in the record:
 * so it is read once to count its records and to learn where they are. */
static struct nmibt_error *count_records(struct writing *w)
{
	struct nmibt_error *err = open_log(w->rec->kernel, &w->log);
	uint64_t nr = w->log ? RECORDS_AT_ONCE : 0;

	while (nr == RECORDS_AT_ONCE && !err) {
		struct nmibt_log_place place = nmibt_log_tell(w->log);

		err = nmibt_bytes_add(&w->places, &place, sizeof(place));
		nr = skip_records(w->log, RECORDS_AT_ONCE);
		w->nr_records += nr;
	}
	return err;
}

/* Leads log to record i, from the nearest place before it that is known. */
static void seek_record(struct writing *w, uint64_t i, struct nmibt_log *log)
{
	struct nmibt_log_place place;

	memcpy(&place, w->places.s + i / RECORDS_AT_ONCE * sizeof(place), sizeof(place));
	nmibt_log_seek(w->log, &place);
	skip_records(w->log, i % RECORDS_AT_ONCE);
	place = nmibt_log_tell(w->log);
	nmibt_log_seek(log, &place);
}

/* Notes what has to be read for records [from, to). */
static struct nmibt_error *note_records(struct writing *w, uint64_t from, uint64_t to)
{
	struct nmibt_log *log;
	struct nmibt_error *err = open_log(w->kernel, &log);

	if (err || !log)
		return err;
	if (w->log)
		seek_record(w, from, log);
	skip_records(log, to - from);
	nmibt_log_close(log);
	return NULL;
}

static struct nmibt_error *put_records(struct writing *w, uint64_t from, uint64_t to,
				       const char *what)
{
	struct nmibt_error *err = note_records(w, from, to);

	return err ? err : put_noted(w, what);
}

/* Where the log's end begins. */
static uint64_t first_of_end(const struct writing *w)
{
	return w->nr_records > LAST_RECORDS ? w->nr_records - LAST_RECORDS : 0;
}

/* The newest first. Each part has twice as many records as the one before. */
static struct nmibt_error *put_older_log(struct writing *w)
{
	uint64_t step = RECORDS_AT_ONCE;
	struct nmibt_error *err = NULL;

	for (uint64_t to = first_of_end(w); to && !err;) {
		uint64_t from = to > step ? to - step : 0;

		step *= 2;

		/* That something is lost is certain then, and how much takes long to find out. */
		if (nmibt_record_is_full(w->writer))
			from = 0;
		err = put_records(w, from, to, LOG);
		to = from;
	}
	return err;
}

/* ------------------------------------------------------------------ the summary */

static bool collect(void *ctx, const char *data, size_t len)
{
	struct nmibt_error *err = nmibt_bytes_add(ctx, data, len);

	nmibt_error_destroy(err);
	return !err;
}

static struct nmibt_error *put_summary(struct writing *w)
{
	struct nmibt_bytes text = {0};
	struct nmibt_error *err = nmibt_recorder_summary(w->rec, SUMMARY_LINES, collect, &text);

	if (!err)
		err = put_item(w, SUMMARY,
			       &(struct nmibt_item){.kind = NMIBT_ITEM_SUMMARY,
						    .data = {text.s, text.len}});
	free(text.s);
	return err;
}

/* ------------------------------------------------------------------------ the CPUs */

/* Notes the names of registers that a report shows. */
static void name_registers(struct writing *w, const struct nmibt_regs *regs)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(w->rec->image.arch);
	char symbol[NMIBT_SYMBOL_LEN];

	if (!regs->present || !names)
		return;
	nmibt_symbolize(w->kernel, regs->value[names->pc], symbol, sizeof(symbol));
	if (names->lr != NMIBT_NO_REG)
		nmibt_symbolize(w->kernel, regs->value[names->lr], symbol, sizeof(symbol));
}

/* Notes the words that registers may point to, if they may be those of a lock. */
static void read_locks(struct writing *w, const struct nmibt_regs *regs)
{
	for (unsigned int i = 0; i < regs->nr; i++) {
		uint32_t word;

		if (regs->value[i] >> 55 == 0x1ff && !(regs->value[i] & 3))
			nmibt_kernel_read(w->kernel, regs->value[i], &word, sizeof(word));
	}
}

static struct nmibt_error *put_cpu(struct writing *w, unsigned int cpu)
{
	struct cpu_evidence e;
	struct nmibt_error *err = nmibt_recorder_read_cpu(w->rec, w->kernel, cpu, &e);

	if (err)
		return err;
	name_registers(w, &e.slot.regs);
	name_registers(w, &e.stop.regs);
	if (w->rec->cpus[cpu].rank == RANK_SPINNING || w->rec->cpus[cpu].rank == RANK_STUCK) {
		read_locks(w, &e.slot.regs);
		if (!e.slot.regs.present)
			read_locks(w, &e.stop.regs);
	}
	nmibt_cpu_evidence_destroy(&e);
	return put_noted(w, TRACES);
}

static struct nmibt_error *put_panicking(struct writing *w)
{
	const struct nmibt_recorder *rec = w->rec;
	struct nmibt_error *err = NULL;

	for (unsigned int i = 0; i < rec->nr_ordered && !err; i++) {
		if (rec->cpus[rec->order[i]].rank != RANK_PANICKING)
			break;
		err = put_cpu(w, rec->order[i]);
	}
	return err;
}

/* Those that are the first with their stack, or the others. */
static struct nmibt_error *put_cpus(struct writing *w, bool first)
{
	struct nmibt_error *err = NULL;

	for (unsigned int i = 0; i < w->rec->nr_ordered && !err; i++) {
		unsigned int cpu = w->rec->order[i];

		if (w->rec->cpus[cpu].is_first == first)
			err = put_cpu(w, cpu);
	}
	return err;
}

/* --------------------------------------------------------- where everything is */

static void read_slot_head(struct writing *w, uint64_t paddr)
{
	struct nmi_capture_slot slot;

	nmibt_read_phys(w->kernel->image, paddr, &slot, offsetof(struct nmi_capture_slot, regs));
}

static struct nmibt_error *put_capture(struct writing *w)
{
	struct nmibt_capture *capture = &w->capture;
	struct nmibt_error *err = nmibt_locate(w->kernel, NMIBT_SOURCE_VMCOREINFO, capture);

	if (!err)
		err = put_noted(w, SLOTS);
	if (!err)
		err = put_panicking(w);
	for (unsigned int i = 0; i < w->rec->nr_ordered && !err; i++) {
		uint64_t paddr = capture->slots[w->rec->order[i]];

		if (paddr && paddr != NMI_CAPTURE_NO_MEMORY)
			read_slot_head(w, paddr);
		if (i % HEADERS_AT_ONCE == HEADERS_AT_ONCE - 1 || i + 1 == w->rec->nr_ordered)
			err = put_noted(w, SLOTS);
	}
	if (err)
		return err;
	nmibt_mend_capture(w->kernel->image, capture);
	return put_noted(w, SLOTS);
}

static struct nmibt_error *put_map(struct writing *w)
{
	/* What is read of it is in the record. */
	free(nmibt_read_host(w->kernel));
	struct nmibt_error *err = w->rec->has_slots ? put_capture(w) : NULL;

	if (err || w->rec->has_capture)
		return err;
	nmibt_kernel_percpu(w->kernel);
	return put_noted(w, THE_MACHINE);
}

/* The stack at the stop of a CPU that has a backtrace. A report needs it only if it finds that the
 * capture is older than the panic. */
static struct nmibt_error *note_stop_stack(struct writing *w, unsigned int cpu)
{
	struct nmibt_evidence stop;

	nmibt_recorder_read_stop(w->rec, w->kernel, cpu, &stop);
	struct nmibt_error *err =
		nmibt_unwind_registers_of_stop(&w->rec->follower, w->kernel, &stop);
	nmibt_evidence_destroy(&stop);
	return err;
}

static struct nmibt_error *put_stop_stacks(struct writing *w)
{
	struct nmibt_error *err = NULL;

	for (unsigned int i = 0; w->rec->has_capture && i < w->rec->nr_ordered && !err; i++) {
		/* That they are lost is certain then, and how many bytes takes long to find out. */
		if (nmibt_record_is_full(w->writer)) {
			nmibt_record_drop(w->writer, STOP_STACKS, 0);
			return NULL;
		}
		err = note_stop_stack(w, w->rec->order[i]);
		if (!err && (i % HEADERS_AT_ONCE == HEADERS_AT_ONCE - 1 ||
			     w->note.answers.len > STACKS_AT_ONCE))
			err = put_noted(w, STOP_STACKS);
	}
	return err ? err : put_noted(w, STOP_STACKS);
}

/* ------------------------------------------------------------------------- notes */

#define PIECE 4096

/* The registers of virtual CPUs. */
static struct nmibt_error *put_notes(struct writing *w)
{
	const struct nmibt_image *image = &w->rec->image;
	struct nmibt_error *err = NULL;
	size_t len;

	if (w->rec->was_stopped)
		return NULL;
	_cleanup_free_ char *notes = image->ops->notes(image->ctx, &len);
	for (size_t at = 0; notes && at < len && !err; at += PIECE)
		err = put_item(w, NOTES,
			       &(struct nmibt_item){
				       .kind = NMIBT_ITEM_NOTES,
				       .key = at,
				       .data = {notes + at, len - at < PIECE ? len - at : PIECE}});
	return err;
}

/* ------------------------------------------------------------------------- files */

/* The end of the file comes first. */
static struct nmibt_error *put_file(struct writing *w, const struct nmibt_recorder_file *file)
{
	struct nmibt_error *err = NULL;

	for (size_t to = file->len, len; to && !err; to -= len) {
		len = to < PIECE ? to : PIECE;
		err = put_item(w, file->name,
			       &(struct nmibt_item){.kind = NMIBT_ITEM_FILE,
						    .key = file->before + to - len,
						    .name = nmibt_str_of(file->name),
						    .data = {file->data + to - len, len}});
	}
	return err;
}

/* ------------------------------------------------------------------------ together */

static struct nmibt_error *put_all(struct writing *w, const struct nmibt_recorder_file *files,
				   unsigned int nr_files)
{
	struct nmibt_error *err = put_case(w);

	if (!err)
		err = count_records(w);
	if (!err)
		err = put_records(w, first_of_end(w), UINT64_MAX, LOG_END);
	if (!err)
		err = put_summary(w);
	if (!err)
		err = put_map(w);
	if (!err)
		err = put_notes(w);
	if (!err)
		err = put_cpus(w, true);
	if (!err)
		err = put_cpus(w, false);
	if (!err)
		err = put_stop_stacks(w);
	if (!err)
		err = put_older_log(w);
	for (unsigned int i = 0; i < nr_files && !err; i++)
		err = put_file(w, &files[i]);
	return err ? err : nmibt_record_finish(w->writer);
}

/* Tells this record from others that may be in the same zone or file. */
static uint32_t make_id(const struct writing *w)
{
	const char *text = w->note.vmcoreinfo ?: "";
	struct timespec now;
	uint32_t id = crc32(0, (const Bytef *)text, strlen(text));
	pid_t pid = getpid();

	clock_gettime(CLOCK_REALTIME, &now);
	id = crc32(id, (const Bytef *)&now, sizeof(now));
	return crc32(id, (const Bytef *)&pid, sizeof(pid));
}

static struct nmibt_error *open_writing(struct writing *w, size_t size, nmibt_write_fn write,
					void *ctx)
{
	struct nmibt_error *err =
		nmibt_memory_note_open(&w->rec->image, w->rec->kernel, &w->rec->follower, &w->note);

	if (err)
		return err;
	err = nmibt_record_writer_new(size, make_id(w), write, ctx, &w->writer);
	return err ? err : nmibt_kernel_open(&w->note.image, &w->kernel);
}

struct nmibt_error *nmibt_recorder_write(struct nmibt_recorder *rec, size_t size,
					 const struct nmibt_recorder_file *files, unsigned int nr,
					 nmibt_write_fn write, void *ctx, bool *ret_is_whole)
{
	struct writing w = {.rec = rec};
	struct nmibt_error *err = open_writing(&w, size, write, ctx);

	if (!err)
		err = put_all(&w, files, nr);
	if (!err)
		*ret_is_whole = !nmibt_record_is_full(w.writer);
	nmibt_log_close(w.log);
	free(w.places.s);
	nmibt_capture_destroy(&w.capture);
	nmibt_kernel_close(w.kernel);
	nmibt_record_writer_free(w.writer);
	nmibt_memory_note_close(&w.note);
	return err;
}
