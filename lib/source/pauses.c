// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace is printed at once. Where nobody says so, a line that comes much later may be of something else, whose
 * beginning has no form, or is lost: "Call Trace:" behind "cp: page allocation failure" (mm/page_alloc.c: warn_alloc(),
 * 6.12). A slow console stretches a trace, too, so that it goes on, behind a mark.
 */
#include "source/printouts.h"

#define LONGEST_PAUSE_NS (10 * UINT64_C(1000000000))

/* When the level got its last line; UINT64_MAX: it may wait for the next one. */
static uint64_t last_ns(const struct taken *t, const struct level *l)
{
	const struct nmibt_printout *printout = nmibt_log_printout(t->log, l->printout);

	if (l->trace)
		return nmibt_level_trace(t->log, l)->ended_ns;
	return printout && l->kind == NMIBT_PRINT_SOFT_LOCKUP ? printout->ended_ns : UINT64_MAX;
}

void nmibt_see_pause(struct taken *t)
{
	struct level *l = nmibt_top_level(t->s);
	uint64_t before = l && t->b->is_sorted ? last_ns(t, l) : UINT64_MAX;

	if (t->line->first_ns > before && t->line->first_ns - before > LONGEST_PAUSE_NS)
		l->is_unsure = true;
}
