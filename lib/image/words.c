// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/words.h"

/* kernel/panic.c, watchdog.c, hung_task.c, rcu/tree_stall.h, lib/nmi_backtrace.c; those of
 * arch/ARCH: traps.c, dumpstack.c, fault.c; 6.12, and before. A boot is named by them, and chosen. */
static const struct {
	const char *start;
	enum nmibt_boot_rank rank;
} words[] = {
	{"Kernel panic - not syncing", NMIBT_BOOT_PANIC},
	{"BUG: unable to handle ", NMIBT_BOOT_OOPS},
	{"BUG: kernel NULL pointer", NMIBT_BOOT_OOPS},
	{"BUG: Unable to handle ", NMIBT_BOOT_OOPS},
	{"BUG: Kernel NULL pointer", NMIBT_BOOT_OOPS},
	{"BUG: soft lockup - CPU#", NMIBT_BOOT_STUCK},
	{"BUG: ", NMIBT_BOOT_TRACE},
	{"Oops", NMIBT_BOOT_OOPS},
	{"Internal error: ", NMIBT_BOOT_OOPS},
	{"Unable to handle kernel ", NMIBT_BOOT_OOPS},
	{"kernel BUG at ", NMIBT_BOOT_OOPS},
	{"Kernel BUG at ", NMIBT_BOOT_OOPS},
	{"Kernel bug detected", NMIBT_BOOT_OOPS},
	{"watchdog: BUG: soft lockup - CPU#", NMIBT_BOOT_STUCK},
	{"watchdog: CPU", NMIBT_BOOT_STUCK},
	{"watchdog: Watchdog detected hard LOCKUP", NMIBT_BOOT_STUCK},
	{"Watchdog detected hard LOCKUP", NMIBT_BOOT_STUCK},
	{"Watchdog CPU:", NMIBT_BOOT_STUCK},
	{"NMI watchdog: ", NMIBT_BOOT_STUCK},
	{"INFO: rcu", NMIBT_BOOT_STUCK},
	{"INFO: task ", NMIBT_BOOT_STUCK},
	{"rcu: INFO: ", NMIBT_BOOT_STUCK},
	{"NMI backtrace for cpu ", NMIBT_BOOT_TRACE},
	{"Call Trace:", NMIBT_BOOT_TRACE},
	{"Call trace:", NMIBT_BOOT_TRACE},
	{"WARNING: ", NMIBT_BOOT_TRACE},
};

/* Nearly all lines of a log begin with none of these letters. */
static bool may_be_words(char c)
{
	switch (c) {
	case 'B':
	case 'C':
	case 'I':
	case 'K':
	case 'N':
	case 'O':
	case 'U':
	case 'W':
	case 'k':
	case 'r':
	case 'w':
		return true;
	default:
		return false;
	}
}

enum nmibt_boot_rank nmibt_rank_of_line(struct nmibt_str line)
{
	if (!line.len || !may_be_words(*line.s))
		return NMIBT_BOOT_QUIET;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (*words[i].start == *line.s && nmibt_str_starts(line, words[i].start))
			return words[i].rank;
	}
	return NMIBT_BOOT_QUIET;
}

/* "CPU: 1 PID: 90 Comm: name ...": lib/dump_stack.c: dump_stack_print_info(), 3.10 to 6.12. Where several CPUs are
 * stopped, or sysrq asks them, no other line may be known. */
bool nmibt_begins_trace(struct nmibt_str line)
{
	return nmibt_str_starts(line, "CPU: ") && nmibt_str_holds(line, " PID: ") &&
	       nmibt_str_holds(line, " Comm: ");
}

/* lib/nmi_backtrace.c, lib/dump_stack.c, kernel/panic.c, kernel/module/main.c: print_modules(), drivers/tty/sysrq.c;
 * dump_stack() up to 3.9: arch/x86/kernel/dumpstack.c; 2.6.32 to 6.12 */
bool nmibt_is_of_margin(struct nmibt_str line)
{
	static const char *const starts[] = {
		"Linux version ",
		"Sending NMI from CPU ",
		"sending NMI to all CPUs",
		"sysrq: Show backtrace of all active CPUs",
		"sysrq: CPU",
		"------------[ cut here ]",
		"Modules linked in:",
		"Hardware name: ",
		"general protection fault",
	};
	struct nmibt_str rest = line;
	uint64_t pid;

	if (nmibt_rank_of_line(line) || nmibt_begins_trace(line))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		if (nmibt_str_starts(line, starts[i]))
			return true;
	}
	return nmibt_skip(&rest, "Pid: ") && nmibt_take_decimal(&rest, INT32_MAX, &pid) &&
	       nmibt_str_starts(rest, ", comm: ");
}
