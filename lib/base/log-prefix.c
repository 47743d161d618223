// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel puts before each line of its log when it prints it. */
#include "base/base.h"

/* No time since boot has more seconds. */
#define MAX_SECONDS (UINT64_MAX / 1000000000 - 1)

/* "<6>"; kernel/printk/printk.c: print_syslog(), 6.12 */
static bool take_level(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_str rest = *line;
	uint64_t value;

	if (!nmibt_skip(&rest, "<") || !nmibt_take_decimal(&rest, UINT8_MAX << 3 | 7, &value) ||
	    !nmibt_skip(&rest, ">"))
		return false;
	ret->has_level = true;
	ret->level = value & 7;
	ret->facility = value >> 3;
	*line = rest;
	return true;
}

/* "[   12.345678]"; print_time() */
static bool take_time(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_str rest = *line;
	uint64_t s, us;

	if (!nmibt_skip(&rest, "["))
		return false;
	nmibt_skip_spaces(&rest);
	if (!nmibt_take_decimal(&rest, MAX_SECONDS, &s) || !nmibt_skip(&rest, "."))
		return false;
	const char *digits = rest.s;
	if (!nmibt_take_decimal(&rest, 999999, &us) || rest.s - digits != 6 ||
	    !nmibt_skip(&rest, "]"))
		return false;
	ret->has_time = true;
	ret->ns = s * 1000000000 + us * 1000;
	*line = rest;
	return true;
}

/* "[   C16]", "[  T123]"; print_caller() */
static bool take_caller(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_str rest = *line;
	uint64_t value;

	if (!nmibt_skip(&rest, "["))
		return false;
	nmibt_skip_spaces(&rest);
	bool is_cpu = nmibt_skip(&rest, "C");
	if ((!is_cpu && !nmibt_skip(&rest, "T")) || !nmibt_take_decimal(&rest, INT32_MAX, &value) ||
	    !nmibt_skip(&rest, "]"))
		return false;
	ret->has_caller = true;
	ret->caller_id = (is_cpu ? 0x80000000 : 0) + value;
	*line = rest;
	return true;
}

bool nmibt_take_log_prefix(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_log_prefix prefix = {0};

	take_level(line, &prefix);
	take_time(line, &prefix);
	take_caller(line, &prefix);
	if (!prefix.has_level && !prefix.has_time && !prefix.has_caller)
		return false;
	if (prefix.has_time || prefix.has_caller)
		nmibt_skip(line, " ");
	*ret = prefix;
	return true;
}
