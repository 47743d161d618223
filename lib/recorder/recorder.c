// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opens a dump: its image, the kernel in it, and the sources. The log, which may have megabytes, is
 * read into memory only where there is no capture.
 */
#include "recorder/recorder.h"

#define NR_PAGES 128

static struct nmibt_error *open_image(struct nmibt_recorder *rec, const char *path)
{
	struct nmibt_image base;
	struct nmibt_error *err = nmibt_elf_open(path, &rec->elf);

	if (err)
		return err;
	nmibt_elf_image(rec->elf, &base);
	err = nmibt_cached_open(&base, NR_PAGES, &rec->cached);
	if (err)
		return err;
	nmibt_cached_image(rec->cached, &rec->image);
	rec->is_incomplete = rec->image.lost;
	return NULL;
}

/* --------------------------------------------------------------------- the sources */

/* NOTHING and DAMAGED mean that other sources are all that there is. */
static struct nmibt_error *tolerate(struct nmibt_recorder *rec, struct nmibt_error *err)
{
	if (!err || err->code == NMIBT_ERR_NOMEM)
		return err;
	rec->is_incomplete |= err->code != NMIBT_ERR_NOTHING;
	nmibt_error_destroy(err);
	return NULL;
}

static void find_vcpus(struct nmibt_recorder *rec)
{
	struct nmibt_evidence stop;

	rec->was_stopped = rec->kernel->vmcoreinfo.crashtime.known || rec->kernel->capture;
	for (unsigned int cpu = 0; cpu < rec->nr_cpus && !rec->was_stopped; cpu++)
		rec->was_stopped = nmibt_recorder_read_stop(rec, rec->kernel, cpu, &stop);
	if (!rec->was_stopped)
		rec->vcpus = nmibt_kernel_vcpus(rec->kernel);
	if (!rec->has_capture && rec->vcpus && rec->vcpus->nr > rec->nr_cpus)
		rec->nr_cpus = rec->vcpus->nr;
}

static struct nmibt_error *open_capture(struct nmibt_recorder *rec)
{
	struct nmibt_error *err = nmibt_locate(rec->kernel, NMIBT_SOURCE_VMCOREINFO, &rec->capture);

	if (err) {
		nmibt_add_reason(rec->why, "%s", err->message);
		return tolerate(rec, err);
	}
	nmibt_mend_capture(&rec->image, &rec->capture);
	rec->is_incomplete |= *rec->capture.damage || rec->capture.slots_unread;
	/* It may be switched off: then the log has what there is. */
	rec->has_slots = true;
	rec->has_capture = rec->capture.desc.generation;
	if (rec->has_capture)
		rec->nr_cpus = rec->capture.desc.nr_slots;
	return NULL;
}

static struct nmibt_error *open_other_sources(struct nmibt_recorder *rec)
{
	struct nmibt_error *err = tolerate(rec, nmibt_log_source_open(rec->kernel, &rec->log));

	rec->percpu = nmibt_kernel_percpu(rec->kernel);
	rec->nr_cpus = rec->percpu ? rec->percpu->nr : 0;
	for (unsigned int i = rec->nr_cpus; rec->log && i < NMIBT_MAX_CPUS; i++) {
		if (rec->log->newest[i])
			rec->nr_cpus = i + 1;
	}
	return err;
}

static struct nmibt_error *open_sources(struct nmibt_recorder *rec)
{
	struct nmibt_error *err = open_capture(rec);

	if (!err && !rec->has_capture)
		err = open_other_sources(rec);
	if (!err)
		find_vcpus(rec);
	return err;
}

/* ------------------------------------------------------------------------ the case */

static bool is_of_who_panicked(const struct nmibt_recorder *rec, const struct nmibt_printout *p)
{
	return !rec->percpu || rec->percpu->panic_cpu < 0 || p->reporter == NMIBT_NO_CPU ||
	       p->reporter == (unsigned int)rec->percpu->panic_cpu;
}

/* The number of a printout. The first panic of the CPU that panicked counts: later ones are of the same
 * death. Without any it is the newest oops that did not end, because it went to kdump. */
static size_t find_panic(const struct nmibt_recorder *rec)
{
	size_t panic = 0, others = 0, oops = 0;

	for (size_t i = rec->log ? rec->log->nr_printouts : 0; i; i--) {
		const struct nmibt_printout *p = &rec->log->printouts[i - 1];
		bool is_its_own = is_of_who_panicked(rec, p);

		if (p->kind == NMIBT_PRINT_PANIC && is_its_own)
			panic = i;
		else if (p->kind == NMIBT_PRINT_PANIC)
			others = i;
		else if (p->kind == NMIBT_PRINT_OOPS && !p->has_ended && is_its_own && !oops)
			oops = i;
	}
	return panic ?: others ?: rec->was_stopped ? oops : 0;
}

static void find_message(struct nmibt_recorder *rec)
{
	const struct nmi_capture_desc *desc = &rec->capture.desc;

	if (rec->has_capture) {
		snprintf(rec->message, sizeof(rec->message), "%s", (const char *)desc->message);
		rec->is_of_oops = desc->flags & NMI_CAPTURE_F_CRASH_KEXEC && !*rec->message;
		return;
	}
	rec->panic = find_panic(rec);
	if (!rec->panic)
		return;
	struct nmibt_str words = nmibt_panic_words(rec->log->printouts[rec->panic - 1].message);
	snprintf(rec->message, sizeof(rec->message), "%.*s", (int)words.len, words.s);
}

static void find_case(struct nmibt_recorder *rec)
{
	const struct nmibt_number *crashtime = &rec->kernel->vmcoreinfo.crashtime;
	const struct nmi_capture_desc *desc = &rec->capture.desc;
	_cleanup_free_ char *host = nmibt_read_host(rec->kernel);

	snprintf(rec->host, sizeof(rec->host), "%s", host ? host : "");
	rec->time = crashtime->known ? crashtime->value : nmibt_request_time(desc);
	rec->uptime_ns = rec->has_capture ? desc->asked_local_ns : rec->log ? rec->log->last_ns : 0;
	find_message(rec);
}

/* ---------------------------------------------------------------------------- open */

static struct nmibt_error *open_recorder(struct nmibt_recorder *rec, const char *path)
{
	struct nmibt_error *err = open_image(rec, path);

	if (!err)
		err = nmibt_kernel_open(&rec->image, &rec->kernel);
	if (err)
		return err;
	rec->follower.kernel = rec->kernel;
	err = open_sources(rec);
	if (err)
		return err;
	if (!rec->nr_cpus && !rec->log)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "%s: nothing about any CPU, and no log: %s", path,
					  rec->why);
	find_case(rec);
	rec->cpus = calloc(rec->nr_cpus + 1, sizeof(*rec->cpus));
	rec->order = calloc(rec->nr_cpus + 1, sizeof(*rec->order));
	return rec->cpus && rec->order ? nmibt_recorder_look_at_cpus(rec) : nmibt_error_nomem();
}

struct nmibt_error *nmibt_recorder_open(const char *path, struct nmibt_recorder **ret)
{
	struct nmibt_recorder *rec = calloc(1, sizeof(*rec));
	if (!rec)
		return nmibt_error_nomem();

	struct nmibt_error *err = open_recorder(rec, path);
	if (err) {
		nmibt_recorder_close(rec);
		return err;
	}
	*ret = rec;
	return NULL;
}

bool nmibt_recorder_is_complete(const struct nmibt_recorder *recorder)
{
	return !recorder->is_incomplete;
}

void nmibt_recorder_close(struct nmibt_recorder *rec)
{
	if (!rec)
		return;
	nmibt_capture_destroy(&rec->capture);
	nmibt_log_source_close(rec->log);
	nmibt_unwinder_close(rec->follower.unwinder);
	nmibt_kernel_close(rec->kernel);
	nmibt_cached_close(rec->cached);
	nmibt_elf_close(rec->elf);
	free(rec->cpus);
	free(rec->order);
	free(rec);
}
