/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the formats of the kernel's log and what they have in common: log.c reads pages
 * and hands out records, a format knows where the next one is.
 */
#ifndef NMIBT_KERNEL_LOG_H
#define NMIBT_KERNEL_LOG_H

#include "kernel/kernel.h"

/* In all formats the length of a record's text has 16 bits. */
#define NMIBT_LOG_MAX_TEXT 65535
/* log_buf_len= is at most 2 GiB (kernel/printk/printk.c: LOG_BUF_LEN_MAX, 6.12). */
#define NMIBT_LOG_MAX_SIZE_BITS 31

/* The page of a part of the log that was read last. */
struct nmibt_log_window {
	char *bytes;
	uint64_t vaddr;
	bool filled; /* vaddr and status are of a page */
	enum nmibt_read status;
};
#define NMIBT_LOG_WINDOWS 3

struct nmibt_log;
struct nmibt_log_format {
	size_t size; /* of the structure that begins with a struct nmibt_log */
	/* As nmibt_log_open(). */
	struct nmibt_error *(*open)(struct nmibt_log *log);
	/* Goes on by one record. False: it was passed over and counted in before, or there was
	 * none, which place.at_end says. */
	bool (*step)(struct nmibt_log *log, struct nmibt_log_record *ret);
};
extern const struct nmibt_log_format nmibt_log_ring, nmibt_log_classic;

struct nmibt_log {
	const struct nmibt_log_format *format;
	struct nmibt_kernel *kernel;
	struct nmibt_log_place place;
	bool interrupted;
	struct nmibt_log_missing missing; /* in all */
	struct nmibt_log_missing before; /* of these, behind the last record that was read */
	bool began; /* a record was read */
	struct nmibt_log_window windows[NMIBT_LOG_WINDOWS];
	char *text; /* NMIBT_LOG_MAX_TEXT bytes */
};

/* Through a window, one of windows, up to the first page that can't be read; *ret_len says how
 * far. */
enum nmibt_read nmibt_log_read_some(struct nmibt_log *log, struct nmibt_log_window *window,
				    uint64_t vaddr, void *buf, size_t len, size_t *ret_len);
enum nmibt_read nmibt_log_read(struct nmibt_log *log, struct nmibt_log_window *window,
			       uint64_t vaddr, void *buf, size_t len);
/* The counter, in before, of records that can't be read for this reason. */
uint64_t *nmibt_log_unread(struct nmibt_log *log, enum nmibt_read status);
/* VMCOREINFO lacks a line that describes the log of these releases. */
struct nmibt_error *nmibt_log_not_described(const char *line, const char *releases);
/* NULL where status is OK. */
struct nmibt_error *nmibt_log_unreadable(uint64_t vaddr, enum nmibt_read status);

#endif /* NMIBT_KERNEL_LOG_H */
