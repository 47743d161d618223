// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recognises lines that all architectures print. The forms are those of 3.10 to 7.2; a comment
 * names the file, and the kernels that print a form differently.
 */
#include "text/arch.h"

bool nmibt_take_cpu(struct nmibt_str *cursor, unsigned int *ret)
{
	uint64_t cpu;

	if (!nmibt_take_decimal(cursor, NMIBT_MAX_CPUS - 1, &cpu))
		return false;
	*ret = cpu;
	return true;
}

bool nmibt_read_cpu_said(struct nmibt_str s, const char *words, struct nmibt_printed *ret)
{
	ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu) && nmibt_str_starts(s, words);
	return ret->has_cpu;
}

bool nmibt_read_cpu_says(struct nmibt_str s, const char *words, struct nmibt_printed *ret)
{
	ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu) && nmibt_str_is(s, words);
	return ret->has_cpu;
}

static bool take_pid(struct nmibt_str *cursor, struct nmibt_printed *ret)
{
	uint64_t pid;

	if (!nmibt_take_decimal(cursor, INT32_MAX, &pid))
		return false;
	ret->has_task = true;
	ret->pid = (int32_t)pid;
	return true;
}

/* The first CPU number in the line is that of the CPU which the line is about. */
static bool read_cpu(struct nmibt_str s, struct nmibt_printed *ret)
{
	return nmibt_read_cpu_said(s, "", ret);
}

/* "21002 jiffies" */
static bool read_jiffies(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->has_jiffies = nmibt_take_decimal(&s, UINT64_MAX, &ret->jiffies) &&
			   nmibt_str_starts(s, " jiffies");
	return ret->has_jiffies;
}

/* " g=615, q=10"; of an expedited grace period " s: 97 root: 0x4/.": kernel/rcu/tree_stall.h,
 * tree_exp.h; 3.10 to 6.12. The number begins below 0. A number that the line ends with may have
 * lost digits. */
static void read_grace_period(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t number;

	if (!nmibt_skip_to(&s, ret->is_expedited ? " s: " : " g="))
		return;
	bool is_negative = nmibt_skip(&s, "-");
	if (!nmibt_take_decimal(&s, INT64_MAX, &number) || !s.len)
		return;
	ret->has_grace_period = true;
	ret->grace_period = is_negative ? -(int64_t)number : (int64_t)number;
}

/* "21000 jiffies g=615 q=10 ncpus=4)": kernel/rcu/tree_stall.h: print_cpu_stall() */
static bool read_stall_lasts(struct nmibt_str s, struct nmibt_printed *ret)
{
	read_grace_period(s, ret);
	return read_jiffies(s, ret);
}

/* "2, t=21002 jiffies, g=615, q=10 ncpus=4)": kernel/rcu/tree_stall.h: print_other_cpu_stall() */
static bool read_stall_found(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (!read_cpu(s, ret))
		return false;
	if (nmibt_skip_to(&s, ", t="))
		read_stall_lasts(s, ret);
	return true;
}

static bool read_message(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->message = s;
	return true;
}

/* "Linux version 6.12.117 (user@host) ...": init/version-timestamp.c: linux_banner, 6.12. Behind a
 * task's name there is its number, in brackets. */
static bool read_banner(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str release, builder;

	ret->message = s;
	return nmibt_take_until(&s, " (", &release) && release.len &&
	       !nmibt_str_holds(release, "[") && !nmibt_str_holds(release, " ") &&
	       nmibt_take_until(&s, ")", &builder) && nmibt_str_holds(builder, "@");
}

/* True: what stands before s is the name of a task, whose last letter s may have; "[123]: segfault
 * at ..." follows a name (arch/x86/mm/fault.c: show_signal_msg(), 6.12). Every user can give a task
 * a name of 15 letters. */
static bool is_behind_task_name(struct nmibt_str s)
{
	struct nmibt_str letter;
	uint64_t pid;

	return nmibt_take_until(&s, "[", &letter) && letter.len <= 1 &&
	       nmibt_take_decimal(&s, UINT32_MAX, &pid) &&
	       (nmibt_str_starts(s, "]: ") || nmibt_str_starts(s, "] "));
}

/* The command line of a capture kernel has elfcorehdr=, the address of the first kernel's notes:
 * kernel/crash_dump.c, 6.12. */
static bool read_command_line(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->is_capture_kernel = nmibt_str_holds(s, "elfcorehdr=");
	return !is_behind_task_name(s);
}

/* kernel/printk/printk.c: console_prepend_dropped(), 6.12. */
static bool read_dropped(struct nmibt_str s, struct nmibt_printed *ret)
{
	return nmibt_take_decimal(&s, UINT32_MAX, &ret->nr_dropped) &&
	       nmibt_str_is(s, " printk messages dropped **");
}

/* Reads a list of CPUs at the end of a line. The list may be missing. */
static bool read_list(struct nmibt_str s, struct nmibt_printed *ret)
{
	nmibt_skip_spaces(&s);
	if (s.len && s.s[s.len - 1] == ':')
		s.len--;
	ret->cpus = s;
	return true;
}

static bool read_end(struct nmibt_str s, struct nmibt_printed *ret)
{
	(void)ret;
	nmibt_skip_spaces(&s);
	return !s.len;
}

/* -------------------------------------------------- a CPU is asked, and answers */

/* "Sending NMI from CPU 2 to CPUs 0-1,3:": lib/nmi_backtrace.c, 4.9 and later */
static bool read_request(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu);
	return ret->has_cpu && nmibt_skip(&s, " to CPUs ") && read_list(s, ret);
}

/* "sending NMI to all CPUs:", "Sending NMI to other CPUs:": the same up to 4.8, and
 * arch/x86/kernel/apic/hw_nmi.c, 3.10 */
static bool read_request_to_all(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->all_cpus = nmibt_skip(&s, "all CPUs") || nmibt_skip(&s, "other CPUs");
	return ret->all_cpus;
}

/* "NMI backtrace for cpu 3", with " skipped: idling at name+0x1/0x2" behind it: 4.9 and
 * later; up to 4.17 "at pc 0xffffffff81000000" */
static bool read_title(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (!nmibt_take_cpu(&s, &ret->cpu))
		return false;
	ret->has_cpu = true;
	if (!nmibt_skip(&s, " skipped: idling at "))
		return true;
	ret->kind = NMIBT_PRINT_SKIPPED;
	nmibt_skip(&s, "pc ");
	ret->frame = (struct nmibt_frame){.reliable = true};
	ret->has_frame = nmibt_read_symbol(s, &ret->frame);
	ret->frame.is_pc = true;
	return true;
}

/* "CPU3:", "CPU1: backtrace skipped as idling": drivers/tty/sysrq.c: showacpu(); "CPU2:
 * stopping": arch/arm64/kernel/smp.c of older kernels; "CPU2: Watchdog detected hard LOCKUP
 * on cpu 3": newer kernels may name the CPU that found it */
static bool read_cpu_says(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (!read_cpu(s, ret) || !nmibt_take_cpu(&s, &ret->cpu) || !nmibt_skip(&s, ":"))
		return false;
	if (nmibt_skip(&s, " Watchdog detected hard LOCKUP on cpu ")) {
		ret->kind = NMIBT_PRINT_HARD_LOCKUP;
		return read_cpu(s, ret);
	}
	ret->kind = NMIBT_PRINT_SYSRQ_TITLE;
	if (nmibt_skip(&s, " backtrace skipped as idling"))
		ret->kind = NMIBT_PRINT_SYSRQ_SKIPPED;
	else if (nmibt_skip(&s, " stopping"))
		ret->kind = NMIBT_PRINT_STOPPING;
	return read_end(s, ret);
}

/* "sysrq: Show backtrace of all active CPUs"; in older kernels "sysrq: SysRq : " or
 * "SysRq : ": drivers/tty/sysrq.c: __handle_sysrq() */
static bool read_sysrq(struct nmibt_str s, struct nmibt_printed *ret)
{
	nmibt_skip(&s, "SysRq : ");
	ret->message = s;
	ret->kind = NMIBT_PRINT_SYSRQ_REQUEST;
	if (nmibt_str_starts(s, "Show backtrace of all active CPUs"))
		return true;
	ret->kind = NMIBT_PRINT_OOPS_CAUSE;
	if (nmibt_str_starts(s, "Trigger a crash"))
		return true;
	return nmibt_skip(&s, "CPU") && read_cpu_says(s, ret);
}

/* "CPU 5 didn't respond to backtrace IPI, inspecting paca.": arch/powerpc/kernel/stacktrace.c;
 * "CPU 5 self-detected hard LOCKUP @ name+0x1/0x2", "CPU 5 detected hard LOCKUP on other CPUs
 * 1-2": arch/powerpc/kernel/watchdog.c */
static bool read_powerpc_cpu(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (!read_cpu(s, ret) || !nmibt_take_cpu(&s, &ret->cpu))
		return false;
	ret->kind = NMIBT_PRINT_NOT_RESPONDING;
	if (nmibt_str_starts(s, " didn't respond to backtrace IPI"))
		return true;
	ret->kind = NMIBT_PRINT_HARD_LOCKUP;
	if (nmibt_str_starts(s, " self-detected hard LOCKUP"))
		return true;
	ret->has_cpu = false;
	ret->cpu = 0;
	return nmibt_skip(&s, " detected hard LOCKUP on other CPUs") && read_list(s, ret);
}

/* "CPUs not responding to MCE broadcast (may include false positives): 1-2":
 * arch/x86/kernel/cpu/mce/core.c */
static bool read_list_behind(struct nmibt_str s, struct nmibt_printed *ret)
{
	return nmibt_skip_to(&s, ": ") && read_list(s, ret);
}

/* ------------------------------------------------------------- what goes wrong */

/* "BUG: soft lockup - CPU#3 stuck for 22s! [comm:pid]": kernel/watchdog.c */
static bool read_soft_lockup(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (!nmibt_take_cpu(&s, &ret->cpu))
		return false;
	ret->has_cpu = true;
	ret->has_seconds =
		nmibt_skip(&s, " stuck for ") && nmibt_take_decimal(&s, UINT64_MAX, &ret->seconds);
	if (nmibt_skip_to(&s, "! [") && nmibt_take_until_last(&s, ":", &ret->comm) &&
	    !take_pid(&s, ret))
		ret->comm = (struct nmibt_str){0};
	return true;
}

/* "BUG: ...": the machine survives it unless an oops follows: arch/x86/mm/fault.c:
 * show_fault_oops(), arch/x86/kernel/traps.c: handle_stack_overflow(); with a capital letter in
 * arch/powerpc/mm/fault.c: bad_page_fault() */
static bool read_bug(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (nmibt_str_starts(s, "unable to handle ") || nmibt_str_starts(s, "Unable to handle ") ||
	    nmibt_str_starts(s, "kernel NULL pointer dereference") ||
	    nmibt_str_starts(s, "Kernel NULL pointer dereference") ||
	    nmibt_str_holds(s, "stack guard page was hit at "))
		ret->kind = NMIBT_PRINT_OOPS_CAUSE;
	return true;
}

/* "WARNING: CPU: 3 PID: 118 at file:line name+0x1/0x2", since 6.19 "WARNING: file:line at
 * name+0x1/0x2, CPU#3: comm/118": kernel/panic.c: __warn() */
static bool read_warning(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str comm;

	if (nmibt_skip(&s, "CPU: ")) {
		ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu);
		if (nmibt_skip(&s, " PID: "))
			take_pid(&s, ret);
	} else if (nmibt_skip_to(&s, ", CPU#")) {
		ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu);
		if (nmibt_skip(&s, ": ") && nmibt_take_until_last(&s, "/", &comm) &&
		    take_pid(&s, ret))
			ret->comm = comm;
	}
	return true;
}

/* "cp:171", and what may stand behind it in the lines of read_owner() */
static bool read_name_and_pid(struct nmibt_str s, struct nmibt_str *ret_comm, int32_t *ret_pid)
{
	static const char *const ends[] = {"", ".", " is", " <reader>", " <writer>"};
	uint64_t pid;

	if (!nmibt_take_until_last(&s, ":", ret_comm) || !nmibt_take_decimal(&s, INT32_MAX, &pid))
		return false;
	*ret_pid = (int32_t)pid;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (nmibt_str_is(s, ends[i]))
			return true;
	}
	return false;
}

/* "cp:171 is" and "on a mutex likely owned by task sync:169.", "on a semaphore likely last held
 * by task sync:169", "on an rw-semaphore likely owned by task sync:169 <writer>":
 * kernel/hung_task.c: debug_show_blocker(), 6.16 and later */
static bool read_owner(struct nmibt_str task, struct nmibt_str s, struct nmibt_printed *ret)
{
	static const char *const words[] = {
		"a mutex likely owned by",
		"a semaphore likely last held by",
		"an rw-semaphore likely owned by",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words) && !ret->owned; i++) {
		if (nmibt_skip(&s, words[i]))
			ret->owned = words[i];
	}
	ret->kind = NMIBT_PRINT_OWNER;
	ret->has_task = true;
	return ret->owned && nmibt_skip(&s, " task ") &&
	       read_name_and_pid(task, &ret->comm, &ret->pid) &&
	       read_name_and_pid(s, &ret->owner_comm, &ret->owner_pid);
}

/* "task comm:pid blocked for more than 122 seconds.", since 6.19 also "blocked in I/O wait
 * for more than ": kernel/hung_task.c: check_hung_task() */
static bool read_hung_task(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str task;

	if (!nmibt_take_until_last(&s, " blocked ", &task))
		return false;
	if (nmibt_skip(&s, "on "))
		return read_owner(task, s, ret);
	if (!nmibt_skip_to(&s, "for more than "))
		return false;
	ret->kind = NMIBT_PRINT_HUNG_TASK;
	ret->has_seconds = nmibt_take_decimal(&s, UINT64_MAX, &ret->seconds);
	if (nmibt_take_until_last(&task, ":", &ret->comm) && !take_pid(&task, ret))
		ret->comm = (struct nmibt_str){0};
	return true;
}

/* " { 3-... 4-...D P118 }" of an expedited stall, and " { 3 4}" up to 4.18 without
 * CONFIG_RCU_CPU_STALL_INFO */
static void read_braces(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (nmibt_skip_to(&s, "{"))
		nmibt_take_until(&s, "}", &ret->cpus);
}

/* Names: kernel/rcu/tree.h, tasks.h; before 4.20 tree.c */
static enum nmibt_flavour read_flavour(struct nmibt_str s)
{
	static const char *const names[NMIBT_NR_FLAVOURS] = {
		[NMIBT_FLAVOUR_PREEMPT] = "rcu_preempt ",
		[NMIBT_FLAVOUR_SCHED] = "rcu_sched ",
		[NMIBT_FLAVOUR_BH] = "rcu_bh ",
		[NMIBT_FLAVOUR_TASKS] = "rcu_tasks ",
		[NMIBT_FLAVOUR_TASKS_TRACE] = "rcu_tasks_trace ",
	};

	for (unsigned int i = 0; i < NMIBT_NR_FLAVOURS; i++) {
		if (names[i] && nmibt_str_starts(s, names[i]))
			return i;
	}
	return NMIBT_FLAVOUR_UNKNOWN;
}

/* "INFO: rcu_preempt detected stalls on CPUs/tasks:" and similar lines: kernel/rcu/tree_stall.h,
 * tree_exp.h, tasks.h; before 5.1 tree.c, without "rcu: " before 4.19 */
static bool read_info(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (nmibt_skip(&s, "task "))
		return read_hung_task(s, ret);
	read_braces(s, ret);
	ret->flavour = read_flavour(s);
	ret->is_expedited = nmibt_str_holds(s, " detected expedited stall");
	read_grace_period(s, ret);
	ret->kind = NMIBT_PRINT_SELF_STALL;
	struct nmibt_str rest = s;
	if (nmibt_skip_to(&rest, " self-detected stall on CPU")) {
		struct nmibt_str list = ret->cpus;
		unsigned int last;

		ret->has_cpu = nmibt_next_cpus(&list, &ret->cpu, &last);
		return !rest.len || ret->cpus.len; /* it is no prose */
	}
	ret->kind = NMIBT_PRINT_STALL;
	return ret->is_expedited || nmibt_str_holds(s, " detected stall");
}

/* "\t3-....: (21000 ticks this GP) idle=...": print_cpu_stall_info(); in 3.10 "\t3: (" */
static bool read_stalled_cpu(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str flags;

	ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu);
	return ret->has_cpu && nmibt_take_until(&s, ": (", &flags) && flags.len <= 8 &&
	       (!flags.len || *flags.s == '-') && nmibt_str_holds(s, " idle=");
}

/* "\tTasks blocked on level-0 rcu_node (CPUs 0-3): P118/1:b..l P120": rcu_print_task_stall();
 * up to 5.9 "P118" alone */
static bool read_stalled_tasks(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (!nmibt_skip_to(&s, " rcu_node (CPUs ") || !nmibt_skip_to(&s, "):"))
		return false;
	ret->cpus = s;
	return true;
}

/* "pool 10:": kernel/workqueue.c: show_cpu_pool_hog() */
static bool read_pool(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t pool;

	return nmibt_take_decimal(&s, UINT64_MAX, &pool) && nmibt_skip(&s, ":") && read_end(s, ret);
}

/* "csd: Detected non-responsive CSD lock (#1) on CPU#2, waiting 5000000044 ns for CPU#03
 * name+0x0/0x1(...).": kernel/smp.c: csd_lock_wait_toolong() */
static bool read_csd(struct nmibt_str s, struct nmibt_printed *ret)
{
	uint64_t ns;

	if (nmibt_str_holds(s, " got unstuck on CPU#") && nmibt_skip_to(&s, ", CPU#")) {
		ret->kind = NMIBT_PRINT_CSD_RELEASED;
		return read_cpu(s, ret);
	}
	if (!nmibt_skip_to(&s, " non-responsive CSD lock") || !nmibt_skip_to(&s, ", waiting ") ||
	    !nmibt_take_decimal(&s, UINT64_MAX, &ns) || !nmibt_skip(&s, " ns for CPU#"))
		return false;
	ret->has_seconds = true;
	ret->seconds = ns / 1000000000;
	return read_cpu(s, ret);
}

static bool ends_in_error_code(struct nmibt_str s)
{
	size_t len = s.len;

	while (len && s.s[len - 1] == ' ')
		len--;
	size_t end = len;
	while (len && ((s.s[len - 1] >= '0' && s.s[len - 1] <= '9') ||
		       (s.s[len - 1] >= 'a' && s.s[len - 1] <= 'f')))
		len--;
	return end - len >= 4 && len > 2 && s.s[len - 1] == ' ' && s.s[len - 2] == ':';
}

/* " PREEMPT SMP KASAN", and ":" where nothing else is behind the number */
static bool is_end_of_oops(struct nmibt_str s)
{
	nmibt_skip(&s, ":");
	while (s.len && (*s.s == ' ' || *s.s == '_' || (*s.s >= 'A' && *s.s <= 'Z')))
		s = (struct nmibt_str){s.s + 1, s.len - 1};
	return !s.len;
}

/* "Oops: Oops: 0000 [#1] PREEMPT SMP", up to 6.9 "invalid opcode: 0000 [#1] SMP":
 * arch/x86/kernel/dumpstack.c: __die_header(); "Internal error: Oops: 96000004 [#1] SMP":
 * arch/arm64/kernel/traps.c: __die(); "Oops[#1]:", "Kernel BUG [#1]", "Kernel bug
 * detected[#1]:", "illegal operation: 0001 ilc:1 [#1]" of other architectures */
static bool read_oops(struct nmibt_str s, struct nmibt_printed *ret)
{
	struct nmibt_str before, rest = s;
	uint64_t number;

	ret->message = s;
	return nmibt_take_until(&rest, "[#", &before) &&
	       nmibt_take_decimal(&rest, UINT64_MAX, &number) && nmibt_skip(&rest, "]") &&
	       is_end_of_oops(rest) &&
	       (nmibt_str_starts(s, "Oops") || nmibt_str_starts(s, "Internal error: ") ||
		nmibt_str_starts(s, "Kernel BUG") || nmibt_str_starts(s, "Kernel bug detected") ||
		nmibt_str_holds(before, " ilc:") || ends_in_error_code(before));
}

/* -------------------------------------------------------- what stands in reports */

static struct nmibt_str without_end(struct nmibt_str s, char c)
{
	while (s.len && s.s[s.len - 1] == c)
		s.len--;
	return s;
}

static const char kdump[] = " Kdump: loaded";

/* True: what stands behind a task's name begins here. */
static bool is_behind_name(struct nmibt_str s)
{
	nmibt_skip(&s, kdump);
	return nmibt_str_starts(s, " Not tainted ") || nmibt_str_starts(s, " Tainted: ");
}

/* kernel/panic.c: print_tainted(): a character or a space for each flag, then the release
 * (6.1, 6.12). Where no release follows flags may be missing. */
static struct nmibt_str taint_of(struct nmibt_str s)
{
	static const char none[] = "Not tainted", some[] = "Tainted: ";

	nmibt_skip(&s, kdump);
	nmibt_skip(&s, " ");
	if (nmibt_str_starts(s, none))
		return (struct nmibt_str){s.s, strlen(none)};
	size_t len = strlen(some);
	while (len < s.len && (s.s[len] == ' ' || (s.s[len] >= 'A' && s.s[len] <= 'Z')))
		len++;
	return len < s.len ? without_end((struct nmibt_str){s.s, len}, ' ') : (struct nmibt_str){0};
}

/* "6.12.117 #1": what stands behind the taint; lib/dump_stack.c: dump_stack_print_info(). RHEL's kernels have
 * dashes, and flags of their own, before it; 2.6.32 has a bracket. */
static struct nmibt_str release_of(struct nmibt_str s, struct nmibt_str taint)
{
	struct nmibt_str release, words;

	s.len -= taint.s + taint.len - s.s;
	s.s = taint.s + taint.len;
	if (!nmibt_take_until(&s, " #", &release))
		return (struct nmibt_str){0};
	nmibt_take_until_last(&release, " ", &words);
	nmibt_skip(&release, "(");
	return release;
}

/* include/linux/sched.h: TASK_COMM_LEN, 3.10 to 6.12, with the NUL */
#define MAX_NAME 15

/*
 * "name Kdump: loaded Tainted: G ...". A name may have any bytes in it, those of what stands
 * behind it, too: that begins at the last place where it can, as nothing like it follows. Of "a
 * Kdump: loaded Not tainted" nobody knows whether the name is "a".
 */
static void read_name_and_taint(struct nmibt_str s, struct nmibt_printed *ret)
{
	size_t kdump_at = SIZE_MAX;

	for (size_t i = 0; i <= MAX_NAME && i < s.len; i++) {
		struct nmibt_str rest = {s.s + i, s.len - i};

		if (!is_behind_name(rest))
			continue;
		bool is_sure = kdump_at == SIZE_MAX || i - kdump_at != strlen(kdump);
		ret->comm = (struct nmibt_str){s.s, is_sure ? i : 0};
		ret->taint = taint_of(rest);
		ret->release =
			ret->taint.len ? release_of(rest, ret->taint) : (struct nmibt_str){0};
		if (nmibt_str_starts(rest, kdump))
			kdump_at = i;
	}
}

/* "CPU: 3 UID: 0 PID: 118 Comm: name Kdump: loaded Tainted: G ...": lib/dump_stack.c:
 * dump_stack_print_info(), UID since 6.11 */
static bool read_cpu_line(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu);
	if (!ret->has_cpu || !nmibt_skip_to(&s, " PID: ") || !nmibt_str_holds(s, "Comm: "))
		return false;
	if (take_pid(&s, ret) && nmibt_skip_to(&s, " Comm: "))
		read_name_and_taint(s, ret);
	return true;
}

bool nmibt_read_old_cpu(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->has_cpu = nmibt_take_cpu(&s, &ret->cpu);
	return ret->has_cpu && read_end(s, ret);
}

bool nmibt_read_old_task(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (!take_pid(&s, ret) || !nmibt_skip(&s, ", comm: "))
		return false;
	read_name_and_taint(s, ret);
	return true;
}

/* "task:spin            state:D stack:0     pid:118   ppid:2 ...": kernel/sched/core.c:
 * sched_show_task(), 5.9 and later */
static bool read_task(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (!nmibt_take_until(&s, " state:", &ret->comm))
		return false;
	ret->comm = without_end(ret->comm, ' ');
	if (nmibt_skip_to(&s, " pid:")) {
		nmibt_skip_spaces(&s);
		take_pid(&s, ret);
	}
	return true;
}

/* Returns the last word of s, and cuts it off s. */
static struct nmibt_str take_last_word(struct nmibt_str *s)
{
	size_t len;

	*s = without_end(*s, ' ');
	for (len = s->len; len && s->s[len - 1] != ' '; len--)
		;
	struct nmibt_str word = {s->s + len, s->len - len};
	s->len = len;
	return word;
}

#define NAME_COLUMNS 15

/* "spin            D ffffffff81000000     0   118      2 0x00000000": the same line up to 5.8. The
 * name has 15 columns; the pid is the third word from the end. */
static bool read_old_task(struct nmibt_str s, struct nmibt_printed *ret)
{
	static const char states[] = "RSDTtXZPIKWNx";
	struct nmibt_str rest = s;
	uint64_t number;

	if (s.len < NAME_COLUMNS + 20 || s.s[NAME_COLUMNS] != ' ' ||
	    !memchr(states, s.s[NAME_COLUMNS + 1], sizeof(states) - 1) ||
	    s.s[NAME_COLUMNS + 2] != ' ')
		return false;
	rest = (struct nmibt_str){s.s + NAME_COLUMNS + 3, s.len - NAME_COLUMNS - 3};
	struct nmibt_str flags = take_last_word(&rest), ppid = take_last_word(&rest);
	struct nmibt_str pid = take_last_word(&rest);
	if (!nmibt_take_0x(&flags, &number) || flags.len ||
	    !nmibt_take_decimal(&ppid, INT32_MAX, &number) || ppid.len || !take_pid(&pid, ret) ||
	    pid.len)
		return false;
	ret->comm = without_end((struct nmibt_str){s.s, NAME_COLUMNS}, ' ');
	return true;
}

/* "Call Trace:", in old kernels perhaps with a mark behind it */
static bool read_trace(struct nmibt_str s, struct nmibt_printed *ret)
{
	nmibt_take_marks(&s, ret);
	return true;
}

/* ------------------------------------------------------------ the machine's life */

/* "PM: suspend entry (deep)", "PM: hibernation: hibernation entry", in older kernels without
 * the second word: kernel/power/suspend.c, hibernate.c, 6.12 */
static bool read_power(struct nmibt_str s, struct nmibt_printed *ret)
{
	static const char *const no_sleep[] = {
		"Some devices failed to ",	   "late suspend of devices failed",
		"noirq suspend of devices failed", "Some system devices failed to power down",
		"suspend debug: Waiting for ",	   "debug: Waiting for ",
	};

	nmibt_skip(&s, "hibernation: ");
	ret->kind = NMIBT_PRINT_NO_SLEEP;
	for (size_t i = 0; i < ARRAY_SIZE(no_sleep); i++) {
		if (nmibt_str_starts(s, no_sleep[i]))
			return true;
	}
	ret->kind = NMIBT_PRINT_SUSPEND;
	if (nmibt_str_starts(s, "suspend entry") || nmibt_str_starts(s, "hibernation entry"))
		return true;
	ret->kind = NMIBT_PRINT_RESUME;
	return nmibt_str_starts(s, "suspend exit") || nmibt_str_starts(s, "hibernation exit");
}

/* "Freezing user space processes", and behind it "failed after 20.005 seconds (...)"; "Freezing
 * of tasks failed after ..." up to 6.1: kernel/power/process.c: try_to_freeze_tasks() */
static bool read_freezing(struct nmibt_str s, struct nmibt_printed *ret)
{
	if (nmibt_str_holds(s, " failed after ") || nmibt_str_holds(s, " aborted after ")) {
		ret->kind = NMIBT_PRINT_NO_SLEEP;
		return true;
	}
	return nmibt_str_starts(s, "user space processes");
}

/* "ACPI: PM: Low-level resume complete", up to 5.10 without "PM: ": drivers/acpi/sleep.c:
 * acpi_suspend_enter() */
static bool read_acpi(struct nmibt_str s, struct nmibt_printed *ret)
{
	(void)ret;
	nmibt_skip(&s, "PM: ");
	return nmibt_str_is(s, "Low-level resume complete");
}

/* ------------------------------------------------------------------------- all */

static const struct nmibt_form forms[] = {
	{"Sending NMI from CPU ", NMIBT_PRINT_REQUEST, read_request},
	{"Sending NMI to ", NMIBT_PRINT_REQUEST, read_request_to_all},
	{"sending NMI to ", NMIBT_PRINT_REQUEST, read_request_to_all},
	{"NMI backtrace for cpu ", NMIBT_PRINT_TITLE, read_title},
	{"sysrq: ", NMIBT_PRINT_OTHER, read_sysrq},
	{"SysRq : ", NMIBT_PRINT_OTHER, read_sysrq},
	{"Task dump for CPU ", NMIBT_PRINT_TASK_DUMP, read_cpu},
	/* arch/arm64/kernel/smp.c: smp_send_stop(), crash_smp_send_stop(); machine_kexec.c */
	{"SMP: failed to stop secondary CPUs", NMIBT_PRINT_NOT_STOPPED, read_list},
	{"Some CPUs may be stale, kdump will be unreliable", NMIBT_PRINT_NOT_RESPONDING, NULL},
	{"CPUs not responding to MCE broadcast", NMIBT_PRINT_NOT_RESPONDING, read_list_behind},
	/* arch/x86/kernel/nmi.c, 6.4 and later */
	{"nmi_backtrace_stall_check: CPU ", NMIBT_PRINT_NOT_RESPONDING, read_cpu},

	{"Kernel panic - not syncing: ", NMIBT_PRINT_PANIC, read_message},
	{"panic: Redirected from CPU ", NMIBT_PRINT_MOVED, read_cpu}, /* kernel/panic.c, 7.2 */
	{"BUG: soft lockup - CPU#", NMIBT_PRINT_SOFT_LOCKUP, read_soft_lockup},
	{"BUG: ", NMIBT_PRINT_WARNING, read_bug},
	{"WARNING: ", NMIBT_PRINT_WARNING, read_warning},
	{"UBSAN: ", NMIBT_PRINT_WARNING, NULL},
	{"Watchdog detected hard LOCKUP on cpu ", NMIBT_PRINT_HARD_LOCKUP, read_cpu},
	{"INFO: ", NMIBT_PRINT_OTHER, read_info},
	{"\t(detected by ", NMIBT_PRINT_STALL_FOUND, read_stall_found},
	{"\t(t=", NMIBT_PRINT_STALL_FOUND, read_stall_lasts},
	{"\tTasks blocked on level-", NMIBT_PRINT_STALLED_TASKS, read_stalled_tasks},
	{"\t", NMIBT_PRINT_STALLED_CPU, read_stalled_cpu},
	{"csd: ", NMIBT_PRINT_CSD_LOCKUP, read_csd},
	/* kernel/hung_task.c: check_hung_task(), 6.12 */
	{"Future hung task reports are suppressed", NMIBT_PRINT_HUNG_SUPPRESSED, NULL},
	/* kernel/workqueue.c: show_cpu_pools_hogs(), 6.3 and later; those of 2026 show workers
	 * that sleep, too */
	{"Showing backtraces of busy workers in stalled ", NMIBT_PRINT_STALLED_WORKERS, NULL},
	{"Showing backtraces of running workers in stalled ", NMIBT_PRINT_STALLED_WORKERS, NULL},
	{"pool ", NMIBT_PRINT_WORKER_POOL, read_pool},
	/* lib/bug.c; arch/arm64/mm/fault.c: die_kernel_fault() */
	{"kernel BUG at ", NMIBT_PRINT_OOPS_CAUSE, NULL},
	{"Kernel BUG at ", NMIBT_PRINT_OOPS_CAUSE, NULL},
	{"Unable to handle kernel ", NMIBT_PRINT_OOPS_CAUSE, NULL},

	{"------------[ cut here ]------------", NMIBT_PRINT_CUT_HERE, NULL},
	{"---[ end trace ", NMIBT_PRINT_END_TRACE, NULL},
	{"---[ end Kernel panic - not syncing", NMIBT_PRINT_END_PANIC, NULL},
	{"CPU: ", NMIBT_PRINT_CPU, read_cpu_line},
	{"task:", NMIBT_PRINT_TASK, read_task},
	{"CPU ", NMIBT_PRINT_OTHER, read_powerpc_cpu},
	{"CPU", NMIBT_PRINT_OTHER, read_cpu_says},
	{"Hardware name: ", NMIBT_PRINT_HARDWARE, read_message},
	{"Call Trace:", NMIBT_PRINT_TRACE, read_trace},
	{"Call trace:", NMIBT_PRINT_TRACE, read_trace},

	/* lib/dump_stack.c, kernel/panic.c, kernel/module/main.c: print_modules(),
	 * kernel/workqueue.c: print_worker_info(), kernel/stop_machine.c: print_stop_info(),
	 * kernel/locking/lockdep.c: print_irqtrace_events() */
	{"Code: ", NMIBT_PRINT_REGISTER, NULL},
	{"Modules linked in:", NMIBT_PRINT_REGISTER, NULL},
	{"Unloaded tainted modules:", NMIBT_PRINT_REGISTER, NULL},
	{"Tainted: ", NMIBT_PRINT_REGISTER, NULL},
	{"task: ", NMIBT_PRINT_REGISTER, NULL},
	{"Workqueue: ", NMIBT_PRINT_REGISTER, NULL},
	{"Stopper: ", NMIBT_PRINT_REGISTER, NULL},
	{"Sched_ext: ", NMIBT_PRINT_REGISTER, NULL},
	{"irq event stamp: ", NMIBT_PRINT_REGISTER, NULL},
	{"hardirqs last ", NMIBT_PRINT_REGISTER, NULL},
	{"softirqs last ", NMIBT_PRINT_REGISTER, NULL},

	{"Linux version ", NMIBT_PRINT_BANNER, read_banner},
	{"Command line: ", NMIBT_PRINT_COMMAND_LINE, read_command_line},
	{"Kernel command line: ", NMIBT_PRINT_COMMAND_LINE, read_command_line},
	{"PM: ", NMIBT_PRINT_OTHER, read_power},
	{"ACPI: ", NMIBT_PRINT_SLEPT, read_acpi},
	/* kernel/cpu.c: thaw_secondary_cpus(), freeze_secondary_cpus(), 6.12 */
	{"Enabling non-boot CPUs ...", NMIBT_PRINT_SLEPT, read_end},
	{"Non-boot CPUs are not disabled", NMIBT_PRINT_NO_SLEEP, read_end},
	/* kernel/power/process.c: freeze_processes(), thaw_processes(), of all kernels */
	{"Freezing ", NMIBT_PRINT_SUSPEND, read_freezing},
	{"Restarting tasks", NMIBT_PRINT_RESUME, NULL},
	/* arch/arm64/kernel/machine_kexec.c, and other architectures but x86 */
	{"Starting crashdump kernel...", NMIBT_PRINT_KDUMP, NULL},
	{"Bye!", NMIBT_PRINT_KDUMP, read_end},
	{"** ", NMIBT_PRINT_DROPPED, read_dropped},
};

/* The line, behind what the form begins with. *ret is empty before, and where this is false. */
static bool read_form(const struct nmibt_form *form, struct nmibt_str rest,
		      struct nmibt_printed *ret)
{
	ret->kind = form->kind;
	if (!form->read || form->read(rest, ret))
		return true;
	*ret = (struct nmibt_printed){0};
	return false;
}

/* Those that begin with anything. */
static const struct nmibt_form oops_form = {"", NMIBT_PRINT_OOPS, read_oops};
static const struct nmibt_form task_form = {"", NMIBT_PRINT_TASK, read_old_task};

/* Without looking at all of the line where that is not needed. */
static bool recognise_open(struct nmibt_str line, struct nmibt_printed *ret)
{
	return (memchr(line.s, '#', line.len) && read_form(&oops_form, line, ret)) ||
	       (line.len > NAME_COLUMNS && line.s[NAME_COLUMNS] == ' ' &&
		read_form(&task_form, line, ret));
}

/* pr_fmt() of kernel/watchdog.c, kernel/rcu, kernel/smp.c, arch/x86/kernel/cpu/mce/core.c and
 * arch/x86/kernel/nmi.c; older kernels have no such word there. */
static const char *const subsystems[] = {
	"watchdog: ", "NMI watchdog: ", "rcu: ", "smp: ", "mce: ", "NMI: "};

/* Of a table: by the first letter of a line the first of its forms, and behind each the next one; numbers from 1.
 * Those that begin with anything are at 0. */
#define MAX_FORMS 96
static struct by_letter {
	uint8_t first[UINT8_MAX + 1];
	uint8_t next[MAX_FORMS + 1];
} by_letter[16];
#define COMMON_TABLE 15

_Static_assert(ARRAY_SIZE(forms) <= MAX_FORMS, "the table of forms is too long");

/* For the first two letters of a line, whose forms begin with them: bit i is of architecture i. Of all lines of a
 * log nearly all have no form, and each is asked for all. */
static uint16_t begins[1 << 14];
#define COMMON (1 << COMMON_TABLE)

/* Of other bytes than ASCII, some have a place together. */
static uint16_t *place_of(unsigned char first, unsigned char second)
{
	return &begins[(first & 0x7f) << 7 | (second & 0x7f)];
}

static void note_letter(unsigned char first, uint16_t bit)
{
	for (unsigned int second = 0; second <= INT8_MAX; second++)
		*place_of(first, second) |= bit;
}

static void note_forms(unsigned int table, const struct nmibt_form *all, size_t nr,
		       const char *letters)
{
	struct by_letter *by = &by_letter[table];

	for (size_t i = nr; i > 0; i--) {
		const char *start = all[i - 1].start;
		uint8_t *first = &by->first[(unsigned char)start[0]];

		by->next[i] = *first;
		*first = i;
		if (start[0] && start[1])
			*place_of(start[0], start[1]) |= 1 << table;
		else if (start[0])
			note_letter(start[0], 1 << table);
	}
	for (const char *a = letters; a && *a; a++) {
		for (const char *b = letters; *b; b++)
			*place_of(*a, *b) |= 1 << table;
	}
}

__attribute__((constructor)) static void note_all_forms(void)
{
	note_forms(COMMON_TABLE, forms, ARRAY_SIZE(forms), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++)
		*place_of(subsystems[i][0], subsystems[i][1]) |= COMMON;
	for (size_t i = 0; nmibt_text_archs[i]; i++) {
		const struct nmibt_text_arch *a = nmibt_text_archs[i];

		note_forms(i, a->forms, a->nr_forms, a->open_letters);
	}
}

/* False: they differ in the second letter, as nearly all lines and forms do that begin with the same one. */
static bool may_begin(const char *start, struct nmibt_str line)
{
	return !start[0] || !start[1] || (line.len > 1 && line.s[1] == start[1]);
}

static bool recognise(const struct by_letter *by, const struct nmibt_form *all,
		      struct nmibt_str line, struct nmibt_printed *ret)
{
	for (unsigned char letter = *line.s;; letter = 0) {
		for (unsigned int i = by->first[letter]; i; i = by->next[i]) {
			struct nmibt_str rest = line;

			if (may_begin(all[i - 1].start, line) &&
			    nmibt_skip(&rest, all[i - 1].start) &&
			    read_form(&all[i - 1], rest, ret))
				return true;
		}
		if (!letter)
			return false;
	}
}

static void skip_subsystem(struct nmibt_str *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++) {
		if (*subsystems[i] == *line->s && nmibt_skip(line, subsystems[i]))
			return;
	}
}

static bool is_first_line(enum nmibt_print kind)
{
	return kind >= NMIBT_PRINT_PANIC && kind <= NMIBT_PRINT_WARNING;
}

static unsigned int letters_of(struct nmibt_str line)
{
	return *place_of(line.s[0], line.len > 1 ? line.s[1] : 0);
}

static bool recognise_by_arch(enum nmibt_arch arch, struct nmibt_str line,
			      struct nmibt_printed *ret)
{
	unsigned int bits = letters_of(line) & ~COMMON;

	for (; bits; bits &= bits - 1) {
		unsigned int i = __builtin_ctz(bits);
		const struct nmibt_text_arch *a = nmibt_text_archs[i];

		if ((arch == NMIBT_ARCH_UNKNOWN || a->arch == arch) &&
		    recognise(&by_letter[i], a->forms, line, ret))
			return true;
	}
	return false;
}

void nmibt_recognise(enum nmibt_arch arch, struct nmibt_str line, struct nmibt_printed *ret)
{
	*ret = (struct nmibt_printed){0};
	if (!line.len)
		return;
	if ((*line.s == ' ' || *line.s == '[') && nmibt_recognise_frame(line, ret)) {
		ret->begins_trace = nmibt_has_bare_traces(arch);
		return;
	}
	if (!recognise_by_arch(arch, line, ret)) {
		if (letters_of(line) & COMMON)
			skip_subsystem(&line);
		if (!line.len || (!((letters_of(line) & COMMON) &&
				    recognise(&by_letter[COMMON_TABLE], forms, line, ret)) &&
				  !recognise_open(line, ret)))
			return;
	}
	if (is_first_line(ret->kind) && !ret->message.len)
		ret->message = line;
	ret->begins_trace = ret->kind == NMIBT_PRINT_FRAME && nmibt_has_bare_traces(arch);
}
