// SPDX-License-Identifier: GPL-2.0-or-later
/* When records were printed, as the kernel prints it. */
#include "source/printouts.h"

/* kernel/printk/printk.c: print_time(), 6.12 */
#define PRINTED_NS 1000

static struct nmibt_log_time *place_of(struct nmibt_log_source *log, uint64_t nr)
{
	return &log->times[nr % NMIBT_MAX_LOG_TIMES];
}

static bool make_room(struct nmibt_log_source *log)
{
	if (log->nr_times >= NMIBT_MAX_LOG_TIMES)
		return true;
	struct nmibt_log_time *times = nmibt_make_room(log->times, log->nr_times, sizeof(*times));
	if (!times)
		return false;
	log->times = times;
	return true;
}

void nmibt_log_note_time(struct nmibt_log_source *log, const struct nmibt_log_record *record)
{
	struct nmibt_log_time now = {.seq = record->seq, .us = record->ts_ns / PRINTED_NS};

	if (log->nr_times && place_of(log, log->nr_times - 1)->us == now.us)
		return;
	if (!make_room(log)) {
		log->builder->failed = true;
		return;
	}
	*place_of(log, log->nr_times++) = now;
}
