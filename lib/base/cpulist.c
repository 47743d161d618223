// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of CPUs as people write them for -c.
 */
#include "base/base.h"

/* The number of one of nr CPUs. */
static struct nmibt_error *take_cpu(struct nmibt_str *list, unsigned int nr, unsigned int *ret)
{
	struct nmibt_str rest = *list;
	uint64_t cpu;

	if (nmibt_take_decimal(list, nr - 1, &cpu)) {
		*ret = cpu;
		return NULL;
	}
	while (rest.len && *rest.s >= '0' && *rest.s <= '9')
		rest = (struct nmibt_str){rest.s + 1, rest.len - 1};
	int digits = rest.s - list->s > 20 ? 20 : rest.s - list->s;
	if (!digits)
		return nmibt_error_create(NMIBT_ERR_USAGE, "\"%.20s\" is no CPU number", list->s);
	return nmibt_error_create(NMIBT_ERR_USAGE, "there is no CPU %.*s, there are CPUs 0 to %u",
				  digits, list->s, nr - 1);
}

struct nmibt_error *nmibt_parse_cpus(const char *list, bool *cpus, unsigned int nr)
{
	struct nmibt_str rest = nmibt_str_of(list);

	if (nmibt_str_is(rest, "a") || nmibt_str_is(rest, "all")) {
		memset(cpus, true, nr * sizeof(*cpus));
		return NULL;
	}
	do {
		unsigned int first, last;
		struct nmibt_error *err = take_cpu(&rest, nr, &first);

		last = first;
		if (!err && nmibt_skip(&rest, "-"))
			err = take_cpu(&rest, nr, &last);
		if (err)
			return err;
		if (last < first)
			return nmibt_error_create(NMIBT_ERR_USAGE, "CPUs %u-%u run backwards",
						  first, last);
		memset(cpus + first, true, (last - first + 1) * sizeof(*cpus));
		if (!rest.len)
			return NULL;
	} while (nmibt_skip(&rest, ","));
	return nmibt_error_create(NMIBT_ERR_USAGE,
				  "\"%.20s\" in a list of CPUs: want 3, 1,8-14 or a", rest.s);
}
