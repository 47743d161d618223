/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words with which the kernel begins a line when something goes wrong, and that it prints nowhere else. lib/text
 * reads what such a line says; here it is only seen that it is one.
 */
#ifndef NMIBT_WORDS_H
#define NMIBT_WORDS_H

#include "base/base.h"

/* How bad a line is. The worst of a boot is what it is called by. */
enum nmibt_boot_rank {
	NMIBT_BOOT_QUIET,
	NMIBT_BOOT_TRACE, /* a trace, a warning */
	NMIBT_BOOT_STUCK, /* a watchdog's report */
	NMIBT_BOOT_OOPS,
	NMIBT_BOOT_PANIC,
};

/* QUIET: it is none of these lines. */
enum nmibt_boot_rank nmibt_rank_of_line(struct nmibt_str line);
/* "CPU: 1 PID: 90 Comm: name ..." */
bool nmibt_begins_trace(struct nmibt_str line);
/* True: the kernel prints no blank before this line. */
bool nmibt_is_of_margin(struct nmibt_str line);

#endif /* NMIBT_WORDS_H */
