// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of CPUs as the kernel prints them: "%*pbl" of lib/vsprintf.c ("0-1,3"), and those
 * of RCU's stalls (kernel/rcu/tree_stall.h, tree_exp.h), which have tasks, too.
 */
#include "text/arch.h"

static bool is_separator(char c)
{
	return c == ' ' || c == ',';
}

/* Moves to the next CPU, and skips RCU's tasks ("P118"). */
static void skip_to_cpu(struct nmibt_str *list)
{
	bool is_task = false;

	for (; list->len; *list = (struct nmibt_str){list->s + 1, list->len - 1}) {
		if (!is_separator(*list->s) && !is_task && *list->s != 'P')
			return;
		is_task = !is_separator(*list->s);
	}
}

/* Skips the rest of a word: behind a CPU RCU's flags, "-...", "-O..D". */
static void skip_word(struct nmibt_str *list)
{
	while (list->len && !is_separator(*list->s))
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
	skip_word(list);
	*ret_first = first;
	*ret_last = last < NMIBT_MAX_CPUS ? last : NMIBT_MAX_CPUS - 1;
	return true;
}

/* "P118", and behind it its state: "P118/1:b..l" (rcu_print_task_stall(), 5.10 to 6.12). */
static bool read_task(struct nmibt_str word, int32_t *ret)
{
	uint64_t pid;

	if (!nmibt_skip(&word, "P") || !nmibt_take_decimal(&word, INT32_MAX, &pid) ||
	    (word.len && *word.s != '/'))
		return false;
	*ret = (int32_t)pid;
	return true;
}

bool nmibt_next_task(struct nmibt_str *list, int32_t *ret)
{
	while (list->len) {
		struct nmibt_str word = *list;

		skip_word(list);
		word.len = list->s - word.s;
		if (list->len)
			*list = (struct nmibt_str){list->s + 1, list->len - 1};
		if (read_task(word, ret))
			return true;
	}
	return false;
}
