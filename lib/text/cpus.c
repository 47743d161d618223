// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parses lists of CPUs as the kernel prints them: "%*pbl" of lib/vsprintf.c ("0-1,3"), and the
 * lists of RCU's expedited stalls (kernel/rcu/tree_exp.h).
 */
#include "text/arch.h"

/* Moves to the next CPU, and skips RCU's tasks ("P118"). */
static void skip_to_cpu(struct nmibt_str *list)
{
	bool is_task = false;

	for (; list->len; *list = (struct nmibt_str){list->s + 1, list->len - 1}) {
		bool is_separator = *list->s == ' ' || *list->s == ',';

		if (!is_separator && !is_task && *list->s != 'P')
			return;
		is_task = !is_separator;
	}
}

/* Skips RCU's flags behind a CPU: "-...", "-O..D". */
static void skip_flags(struct nmibt_str *list)
{
	while (list->len && *list->s != ' ' && *list->s != ',')
		*list = (struct nmibt_str){list->s + 1, list->len - 1};
}

bool nmibt_next_cpus(struct nmibt_str *list, unsigned int *ret_first, unsigned int *ret_last)
{
	uint64_t first, last;

	skip_to_cpu(list);
	if (!nmibt_take_decimal(list, NMIBT_MAX_CPUS - 1, &first))
		return false;
	last = first;
	struct nmibt_str rest = *list;
	if (nmibt_skip(&rest, "-") && nmibt_take_decimal(&rest, UINT64_MAX, &last))
		*list = rest;
	if (last < first)
		return false;
	skip_flags(list);
	*ret_first = first;
	*ret_last = last < NMIBT_MAX_CPUS ? last : NMIBT_MAX_CPUS - 1;
	return true;
}
