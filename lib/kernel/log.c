// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's log, whatever its format: log-ring.c has that of 5.10 and later, log-classic.c
 * that of the kernels before.
 */
#include <inttypes.h>

#include "kernel/log.h"

/* ------------------------------------------------------------------- reading */

static enum nmibt_read fill(struct nmibt_log *log, struct nmibt_log_window *window, uint64_t page)
{
	if (!window->filled || window->vaddr != page) {
		window->vaddr = page;
		window->filled = true;
		window->status = nmibt_kernel_read(log->kernel, page, window->bytes,
						   log->kernel->image->page_size);
	}
	return window->status;
}

/* Reads bytes of one page. A sparse image has them, and not the page. */
static enum nmibt_read read_in_page(struct nmibt_log *log, struct nmibt_log_window *window,
				    uint64_t vaddr, void *buf, size_t len)
{
	size_t in = vaddr & (log->kernel->image->page_size - 1);

	if (log->kernel->image->is_sparse)
		return nmibt_kernel_read(log->kernel, vaddr, buf, len);
	enum nmibt_read status = fill(log, window, vaddr - in);
	if (status == NMIBT_READ_OK)
		memcpy(buf, window->bytes + in, len);
	return status;
}

enum nmibt_read nmibt_log_read_some(struct nmibt_log *log, struct nmibt_log_window *window,
				    uint64_t vaddr, void *buf, size_t len, size_t *ret_len)
{
	size_t page_size = log->kernel->image->page_size;

	for (*ret_len = 0; *ret_len < len;) {
		size_t in = (vaddr + *ret_len) & (page_size - 1);
		size_t chunk = page_size - in;
		if (chunk > len - *ret_len)
			chunk = len - *ret_len;

		enum nmibt_read status =
			read_in_page(log, window, vaddr + *ret_len, (char *)buf + *ret_len, chunk);
		if (status != NMIBT_READ_OK)
			return status;
		*ret_len += chunk;
	}
	return NMIBT_READ_OK;
}

enum nmibt_read nmibt_log_read(struct nmibt_log *log, struct nmibt_log_window *window,
			       uint64_t vaddr, void *buf, size_t len)
{
	size_t got;

	return nmibt_log_read_some(log, window, vaddr, buf, len, &got);
}

uint64_t *nmibt_log_unread(struct nmibt_log *log, enum nmibt_read status)
{
	return status == NMIBT_READ_EXCLUDED ? &log->before.excluded : &log->before.unreadable;
}

struct nmibt_error *nmibt_log_not_described(const char *line, const char *releases)
{
	return nmibt_error_create(
		NMIBT_ERR_NOTHING,
		"VMCOREINFO does not describe the kernel's log: no %s in it (Linux %s)", line,
		releases);
}

struct nmibt_error *nmibt_log_unreadable(uint64_t vaddr, enum nmibt_read status)
{
	if (status == NMIBT_READ_OK)
		return NULL;
	return nmibt_error_create(NMIBT_ERR_DAMAGED, "the kernel's log at %#" PRIx64 " is %s",
				  vaddr, nmibt_read_name(status));
}

/* ------------------------------------------------------------------- records */

uint64_t nmibt_log_nr_missing(const struct nmibt_log_missing *missing)
{
	return missing->excluded + missing->unreadable + missing->unfinished + missing->lost +
	       missing->damaged + missing->overwritten;
}

static void add_missing(struct nmibt_log_missing *to, const struct nmibt_log_missing *from)
{
	to->excluded += from->excluded;
	to->unreadable += from->unreadable;
	to->unfinished += from->unfinished;
	to->lost += from->lost;
	to->damaged += from->damaged;
	to->overwritten += from->overwritten;
	to->may_be_more |= from->may_be_more;
}

/* Sets ret->missing_before to the records that were skipped before ret, and counts them in
 * log->missing. */
static void take_missing(struct nmibt_log *log, struct nmibt_log_record *ret)
{
	uint64_t nr = nmibt_log_nr_missing(&log->before);

	if (!log->began && !ret->is_end && ret->seq > nr)
		log->before.overwritten += ret->seq - nr;
	log->began = true;
	ret->missing_before = log->before;
	add_missing(&log->missing, &log->before);
	log->before = (struct nmibt_log_missing){0};
}

bool nmibt_log_next(struct nmibt_log *log, struct nmibt_log_record *ret)
{
	*ret = (struct nmibt_log_record){0};
	while (!log->place.at_end && !log->interrupted) {
		log->interrupted = nmibt_interrupted(log->kernel->image);
		if (!log->interrupted && log->format->step(log, ret)) {
			take_missing(log, ret);
			return true;
		}
	}
	if (log->interrupted || !nmibt_log_nr_missing(&log->before))
		return false;
	*ret = (struct nmibt_log_record){.is_end = true};
	take_missing(log, ret);
	return true;
}

struct nmibt_log_place nmibt_log_tell(const struct nmibt_log *log)
{
	return log->place;
}

void nmibt_log_seek(struct nmibt_log *log, const struct nmibt_log_place *place)
{
	log->place = *place;
}

bool nmibt_log_is_interrupted(const struct nmibt_log *log)
{
	return log->interrupted;
}

const struct nmibt_log_missing *nmibt_log_missing(const struct nmibt_log *log)
{
	return &log->missing;
}

/* ------------------------------------------------------------------- opening */

static struct nmibt_error *open_log(struct nmibt_log *log)
{
	log->text = malloc(NMIBT_LOG_MAX_TEXT);
	if (!log->text)
		return nmibt_error_nomem();
	for (size_t i = 0; i < ARRAY_SIZE(log->windows); i++) {
		log->windows[i].bytes = malloc(log->kernel->image->page_size);
		if (!log->windows[i].bytes)
			return nmibt_error_nomem();
	}
	return log->format->open(log);
}

struct nmibt_error *nmibt_log_open(struct nmibt_kernel *kernel, struct nmibt_log **ret)
{
	const struct nmibt_vmcoreinfo *info = &kernel->vmcoreinfo;
	const struct nmibt_log_format *format =
		info->classic_log.buf.known && !info->printk.prb.known ? &nmibt_log_classic
								       : &nmibt_log_ring;

	if (!info->present)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "there is no VMCOREINFO, which describes the log");
	struct nmibt_log *log = calloc(1, format->size);
	if (!log)
		return nmibt_error_nomem();
	log->format = format;
	log->kernel = kernel;
	struct nmibt_error *err = open_log(log);
	if (err) {
		nmibt_log_close(log);
		return err;
	}
	*ret = log;
	return NULL;
}

void nmibt_log_close(struct nmibt_log *log)
{
	if (!log)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(log->windows); i++)
		free(log->windows[i].bytes);
	free(log->text);
	free(log);
}
