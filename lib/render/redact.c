// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Redacts lines of the kernel for a description: words about the crash are kept, words that may
 * identify the machine are removed. Lines of no known form are removed as a whole.
 */
#include "render/describe.h"

/* Kernel threads, whose names do not identify a machine: kernel/kthread.c, workqueue.c, softirq.c,
 * hung_task.c, kernel/rcu/tree.c, mm/vmscan.c and others, 6.12. */
static const char *const kernel_threads[] = {
	"swapper/",  "kworker/",   "migration/", "ksoftirqd/",	 "cpuhp/",   "rcu_",
	"rcuc/",     "rcub/",	   "rcuog/",	 "khungtaskd",	 "kthreadd", "watchdog/",
	"watchdogd", "kswapd",	   "kcompactd",	 "khugepaged",	 "ksmd",     "kdevtmpfs",
	"kauditd",   "oom_reaper", "writeback",	 "idle_inject/",
};

/* The arguments of panic(), up to their variable part: kernel/panic.c, exit.c, hung_task.c,
 * watchdog.c, smp.c, init/do_mounts.c, kernel/rcu/tree_stall.h, mm/oom_kill.c,
 * drivers/tty/sysrq.c, arch/x86/kernel/dumpstack.c, arch/arm64/kernel/traps.c; 6.12. Those of
 * panics from outside are known to nmibt_from_outside(). */
static const char *const panics[] = {
	"sysrq triggered crash",
	"hung_task: blocked tasks",
	"softlockup: hung tasks",
	"Hard LOCKUP",
	"Watchdog detected hard LOCKUP on cpu ",
	"RCU Stall",
	"csd_lock: CSD lock on CPU#",
	"Oops: Fatal exception in interrupt",
	"Oops: Fatal exception",
	"Oops - BUG: Fatal exception",
	"Fatal exception in interrupt",
	"Fatal exception",
	"Attempted to kill init! exitcode=",
	"Attempted to kill the idle task!",
	"Aiee, killing interrupt handler!",
	"kernel: panic_on_warn set ...",
	"panic_on_warn set ...",
	"Out of memory: compulsory panic_on_oom is enabled",
	"Out of memory: system-wide panic_on_oom is enabled",
	"System is deadlocked on memory",
	"VFS: Unable to mount root fs on unknown-block",
	"Fatal machine check",
	"Machine halted.",
	"stack-protector: Kernel stack is corrupted in: ",
};

/* ------------------------------------------------------------------------ bytes */

/* Writes s in mkdump's escapes. mkdump drops spaces at the end of a line, so the last one is
 * escaped. */
static void put(FILE *out, struct nmibt_str s, bool is_last)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.s[i];

		if (c == '\\')
			fputs("\\\\", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c < ' ' || c > '~' || (c == ' ' && is_last && i + 1 == s.len))
			fprintf(out, "\\x%02x", c);
		else
			putc(c, out);
	}
}

static void put_redacted(FILE *out, size_t len)
{
	fprintf(out, "[redacted %zu byte%s]", len, nmibt_plural(len));
}

static struct nmibt_str between(const char *from, const char *to)
{
	return (struct nmibt_str){from, to - from};
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t hex_len(struct nmibt_str s)
{
	size_t len = 0;

	while (len < s.len && is_hex(s.s[len]))
		len++;
	return len;
}

/* -------------------------------------------------------------------- registers */

/* True: a description can't have this address. The kernel that mkdump makes uses it for something
 * else, its image or its direct map (testdumps/describe/arches.py), or its page tables, which have
 * four levels, can't map it. */
static bool is_taken(enum nmibt_arch arch, uint64_t addr)
{
	static const struct {
		enum nmibt_arch arch;
		uint64_t from, to;
	} taken[] = {
		{NMIBT_ARCH_X86_64, 1ULL << 63, 0xffff7fffffffffff},
		{NMIBT_ARCH_X86_64, 0xffff888000000000, 0xffff8880ffffffff},
		{NMIBT_ARCH_X86_64, 0xffffffff80000000, UINT64_MAX},
		{NMIBT_ARCH_ARM64, 1ULL << 63, 0xfffeffffffffffff},
		{NMIBT_ARCH_ARM64, 0xffff000000000000, 0xffff0000ffffffff},
		{NMIBT_ARCH_ARM64, 0xffff800008000000, 0xffff800008ffffff},
		{NMIBT_ARCH_ARM64, 0xffff800010000000, 0xffff800010ffffff},
		{NMIBT_ARCH_ARM64, 0xffff800080000000, 0xffff800080ffffff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (taken[i].arch == arch && addr >= taken[i].from && addr <= taken[i].to)
			return true;
	}
	return false;
}

uint64_t nmibt_describe_sp(enum nmibt_arch arch, uint64_t sp)
{
	uint64_t base = arch == NMIBT_ARCH_ARM64 ? 0xffff801000000000 : 0xffffc90000000000;

	return is_taken(arch, sp) ? base | (sp & ((1ULL << 36) - 1)) : sp;
}

/* Writes s with words of 16 digits replaced by zeros. If sp is not NULL, the first word is the
 * stack pointer and is replaced by *sp. is_last: nothing follows on the line. */
static void put_without_values(FILE *out, struct nmibt_str s, const uint64_t *sp, bool is_last)
{
	while (s.len) {
		size_t len = hex_len(s);

		if (len == 16)
			fprintf(out, "%016" PRIx64, sp ? *sp : 0);
		else if (len)
			put(out, (struct nmibt_str){s.s, len}, false);
		else
			put(out, (struct nmibt_str){s.s, 1}, is_last && s.len == 1);
		if (len == 16)
			sp = NULL;
		s.s += len ? len : 1;
		s.len -= len ? len : 1;
	}
}

static void put_register(enum nmibt_arch arch, FILE *out, struct nmibt_str line,
			 const struct nmibt_printed *p)
{
	struct nmibt_str rest = line, head;

	if (nmibt_take_until(&rest, "Code: ", &head)) {
		fputs("Code: ", out);
		put_redacted(out, rest.len);
		return;
	}
	uint64_t sp = nmibt_describe_sp(arch, p->sp);

	put_without_values(out, line, p->has_sp ? &sp : NULL, true);
}

/* ----------------------------------------------------------------------- places */

bool nmibt_is_describable(struct nmibt_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		      (i && ((c >= '0' && c <= '9') || c == '.'))))
			return false;
	}
	return name.len;
}

/* Kernels up to 4.9 print "[<address>]". In the dump that is made from the description the function
 * has another address, so the address is replaced. */
static void put_frame(FILE *out, struct nmibt_str line, const struct nmibt_frame *frame)
{
	bool is_named = nmibt_is_describable(frame->function) && !frame->module.len;
	struct nmibt_str rest = line, head, addr;

	if (frame->function.len && !nmibt_is_describable(frame->function)) {
		put_redacted(out, line.len);
		return;
	}
	while (is_named && nmibt_take_until(&rest, "[<", &head)) {
		put(out, head, false);
		if (!nmibt_take_until(&rest, ">]", &addr))
			break;
		fprintf(out, "[<{=%.*s+0x%" PRIx64 "}>]", (int)frame->function.len,
			frame->function.s, frame->offset);
	}
	put(out, rest, true);
}

/* ------------------------------------------------------------------------ tasks */

bool nmibt_is_kernel_thread(struct nmibt_str comm)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_threads); i++) {
		if (nmibt_str_starts(comm, kernel_threads[i]))
			return true;
	}
	return false;
}

void nmibt_redact_comm(FILE *out, struct nmibt_str comm, int32_t pid)
{
	if (nmibt_is_kernel_thread(comm))
		put(out, comm, false);
	else
		fprintf(out, "task%d", pid);
}

/* Length of the part of line before the name of a task. Warnings may name one in words: "in process
 * name", "by task name/17", "code: name/17" (mm/, lib/smp_processor_id.c, 6.12). */
static size_t end_of_safe(struct nmibt_str line)
{
	static const char *const words[] = {"process ", "task ", " code: "};
	size_t len = line.len;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct nmibt_str rest = line, head;

		if (nmibt_take_until(&rest, words[i], &head) && head.len + strlen(words[i]) < len)
			len = head.len + strlen(words[i]);
	}
	return len;
}

/* "INFO: task cp:171 is blocked on a mutex likely owned by task sync:169." has two. */
static void put_owner(FILE *out, struct nmibt_str line, const struct nmibt_printed *p)
{
	const char *end = line.s + line.len;

	put(out, between(line.s, p->comm.s), false);
	nmibt_redact_comm(out, p->comm, p->pid);
	put(out, between(p->comm.s + p->comm.len, p->owner_comm.s), false);
	nmibt_redact_comm(out, p->owner_comm, p->owner_pid);
	put(out, between(p->owner_comm.s + p->owner_comm.len, end), true);
}

static void put_with_task(FILE *out, struct nmibt_str line, const struct nmibt_printed *p)
{
	const char *end = line.s + line.len;
	bool has_comm = p->comm.len && p->comm.s >= line.s && p->comm.s + p->comm.len <= end;

	if (has_comm) {
		put_without_values(out, between(line.s, p->comm.s), NULL, false);
		nmibt_redact_comm(out, p->comm, p->pid);
		put_without_values(out, between(p->comm.s + p->comm.len, end), NULL, true);
		return;
	}
	size_t safe = p->kind == NMIBT_PRINT_WARNING ? end_of_safe(line) : line.len;

	put_without_values(out, (struct nmibt_str){line.s, safe}, NULL, safe == line.len);
	if (safe < line.len)
		put_redacted(out, line.len - safe);
}

/* --------------------------------------------------------------------- messages */

static bool is_made_of(struct nmibt_str s, const char *chars)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!s.s[i] || !strchr(chars, s.s[i]))
			return false;
	}
	return true;
}

size_t nmibt_known_panic(struct nmibt_str words)
{
	const char *end = memchr(words.s, '\n', words.len);
	struct nmibt_str first = {words.s, end ? (size_t)(end - words.s) : words.len};

	if (nmibt_from_outside(first))
		return first.len;
	for (size_t i = 0; i < ARRAY_SIZE(panics); i++) {
		if (nmibt_str_starts(words, panics[i]))
			return strlen(panics[i]);
	}
	return 0;
}

void nmibt_redact_panic(FILE *out, struct nmibt_str words)
{
	const char *end = memchr(words.s, '\n', words.len);
	struct nmibt_str first = {words.s, end ? (size_t)(end - words.s) : words.len};

	/* These are known by their whole first line. */
	if (nmibt_from_outside(first)) {
		put(out, first, true);
		if (end)
			fputs("\\n", out);
		if (words.len > first.len + 1)
			put_redacted(out, words.len - first.len - 1);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(panics); i++) {
		struct nmibt_str rest = words;

		if (!nmibt_skip(&rest, panics[i]))
			continue;
		fputs(panics[i], out);
		/* The variable part is safe if it has only numbers, CPUs or an exit code. */
		if (is_made_of(rest, "0123456789abcdefx(),:. "))
			put(out, rest, true);
		else
			put_redacted(out, rest.len);
		return;
	}
	put_redacted(out, words.len);
}

/* Redacts "Kernel panic - not syncing: words", which may be between "---[ end " and " ]---". */
static void put_panic(FILE *out, struct nmibt_str line)
{
	static const char tail[] = " ]---";
	struct nmibt_str rest = line, head, words;

	if (!nmibt_take_until(&rest, "not syncing: ", &head)) {
		put(out, line, true);
		return;
	}
	put(out, head, false);
	fputs("not syncing: ", out);
	bool has_tail = nmibt_take_until_last(&rest, tail, &words);
	nmibt_redact_panic(out, has_tail ? words : rest);
	if (has_tail)
		fputs(tail, out);
}

/* Keeps only elfcorehdr=, which shows that a kernel is a capture kernel. */
static void put_command_line(FILE *out, struct nmibt_str line)
{
	struct nmibt_str rest = line, head;

	nmibt_take_until(&rest, "ommand line: ", &head);
	put(out, head, false);
	fputs("ommand line: ", out);
	put_redacted(out, rest.len);
	if (!nmibt_skip_to(&rest, "elfcorehdr="))
		return;
	fputs(" elfcorehdr=", out);
	for (size_t i = 0; i < rest.len && (is_hex(rest.s[i]) || rest.s[i] == 'x'); i++)
		putc(rest.s[i], out);
}

static void put_banner(FILE *out, struct nmibt_str line)
{
	static const char start[] = "Linux version ";
	struct nmibt_str rest = line, version;

	if (!nmibt_skip_to(&rest, start))
		return;
	if (!nmibt_take_until(&rest, " ", &version))
		version = rest;
	fputs(start, out);
	put(out, version, true);
}

enum nmibt_print nmibt_redact_line(enum nmibt_arch arch, FILE *out, struct nmibt_str line)
{
	struct nmibt_printed p;

	nmibt_recognise(arch, line, &p);
	switch (p.kind) {
	case NMIBT_PRINT_OTHER:
		if (line.len)
			put_redacted(out, line.len);
		break;
	case NMIBT_PRINT_PANIC:
	case NMIBT_PRINT_END_PANIC:
		put_panic(out, line);
		break;
	case NMIBT_PRINT_COMMAND_LINE:
		put_command_line(out, line);
		break;
	case NMIBT_PRINT_BANNER:
		put_banner(out, line);
		break;
	case NMIBT_PRINT_FRAME:
	case NMIBT_PRINT_PC:
		put_frame(out, line, &p.frame);
		break;
	case NMIBT_PRINT_REGISTER:
		put_register(arch, out, line, &p);
		break;
	case NMIBT_PRINT_OWNER:
		put_owner(out, line, &p);
		break;
	case NMIBT_PRINT_STALLED_CPU:
	case NMIBT_PRINT_STALLED_TASKS:
	case NMIBT_PRINT_STALL_FOUND:
	case NMIBT_PRINT_HARDWARE:
		put(out, line, true);
		break;
	default:
		put_with_task(out, line, &p);
	}
	return p.kind;
}
