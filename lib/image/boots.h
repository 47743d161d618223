/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boots whose logs are in a text, one behind the other, and what is worst in each. They are found
 * in one pass, which keeps their places; a report reads the lines of one of them.
 */
#ifndef NMIBT_BOOTS_H
#define NMIBT_BOOTS_H

#include "image/lines.h"
#include "image/words.h"

#define NMIBT_MAX_REPLAYS 4
#define NMIBT_BOOT_WORDS 120
#define NMIBT_BOOT_RELEASE 65 /* as struct utsname has it */

/* Lines that stand there once more: a console that is registered prints what the log has
 * (kernel/printk/printk.c: register_console(), 6.12). */
struct nmibt_replay {
	struct nmibt_lines_place from; /* of its first line */
	uint64_t until_ns; /* the newest time before it; its lines up to there are repeated */
};

struct nmibt_boot {
	struct nmibt_lines_place first;
	struct nmibt_lines_place end; /* behind its last line */
	uint64_t line, last_line; /* numbers of its first and last line in the text */
	uint64_t nr_lines, nr_stamped; /* lines with text; those with something before them */
	bool has_time, is_capture_kernel;
	uint64_t first_ns, last_ns;
	enum nmibt_arch arch; /* UNKNOWN: no line tells */
	bool is_of_several_archs;
	enum nmibt_boot_rank rank;
	char words[NMIBT_BOOT_WORDS]; /* the first line of that rank, untrusted, NUL-terminated */
	char release[NMIBT_BOOT_RELEASE]; /* untrusted; empty: no banner */
	struct nmibt_replay replays[NMIBT_MAX_REPLAYS];
	unsigned int nr_replays;
};

struct nmibt_boots {
	struct nmibt_boot *v;
	size_t nr;
	uint64_t nr_dropped; /* of which there is no room; the oldest ones */
	uint64_t nr_recognised; /* lines of all by which a kernel's log is known */
};

/* Reads all lines. */
struct nmibt_error *nmibt_boots_find(struct nmibt_lines *lines, struct nmibt_boots *ret);
void nmibt_boots_destroy(struct nmibt_boots *boots);

/* The boot that is shown where none is named: the last one that panicked or had an oops; if none did,
 * the last with another report; of a kernel that is no capture kernel, if there is one. */
size_t nmibt_boots_default(const struct nmibt_boots *boots);

#endif /* NMIBT_BOOTS_H */
