// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of CPUs as people write them for -c.
 */
#include <ctype.h>

#include "base/base.h"

/* A CPU number of nr at *s, which moves behind it. */
static struct nmibt_error *parse_number(const char **s, unsigned int nr, unsigned int *ret)
{
	char *end;

	if (!isdigit((unsigned char)**s))
		return nmibt_error_create(NMIBT_ERR_USAGE, "\"%.20s\" is no CPU number", *s);
	unsigned long value = strtoul(*s, &end, 10);
	if (value >= nr)
		return nmibt_error_create(NMIBT_ERR_USAGE,
					  "there is no CPU %.*s, there are CPUs 0 to %u",
					  (int)(end - *s > 20 ? 20 : end - *s), *s, nr - 1);
	*s = end;
	*ret = value;
	return NULL;
}

struct nmibt_error *nmibt_parse_cpus(const char *list, bool *cpus, unsigned int nr)
{
	if (!strcmp(list, "a") || !strcmp(list, "all")) {
		memset(cpus, true, nr * sizeof(*cpus));
		return NULL;
	}
	for (const char *s = list;; s++) {
		unsigned int first, last;
		struct nmibt_error *err = parse_number(&s, nr, &first);

		if (err)
			return err;
		last = first;
		if (*s == '-') {
			s++;
			err = parse_number(&s, nr, &last);
			if (err)
				return err;
		}
		if (last < first)
			return nmibt_error_create(NMIBT_ERR_USAGE, "CPUs %u-%u run backwards",
						  first, last);
		memset(cpus + first, true, (last - first + 1) * sizeof(*cpus));
		if (!*s)
			return NULL;
		if (*s != ',')
			return nmibt_error_create(
				NMIBT_ERR_USAGE, "\"%.20s\" in a list of CPUs: want 3, 1,8-14 or a",
				s);
	}
}
