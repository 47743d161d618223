// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the text of a backtrace says of its CPU beside the frames: the task, the mode,
 * whether interrupts were off, the stack pointer. What is read is the kernel's own
 * printing: lib/dump_stack.c: dump_stack_print_info(); arch/x86/kernel/process_64.c:
 * __show_regs(); arch/arm64/kernel/process.c: __show_regs(); 4.4 to 7.2.
 */
#include "text/text.h"

static const char *find(const struct nmibt_line *line, const char *what)
{
	return memmem(line->text, line->len, what, strlen(what));
}

static bool starts(const struct nmibt_line *line, const char *with)
{
	return line->len >= strlen(with) && !memcmp(line->text, with, strlen(with));
}

/* Digits in base, of which there must be some. */
static bool parse(const char *s, const char *end, unsigned int base, uint64_t *ret)
{
	uint64_t value = 0;
	const char *at = s;

	for (; at < end && at - s < 16; at++) {
		int digit = *at >= '0' && *at <= '9'   ? *at - '0'
			    : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10
						       : 16;
		if (digit >= (int)base)
			break;
		value = base * value + digit;
	}
	*ret = value;
	return at > s;
}

static bool parse_behind(const struct nmibt_line *line, const char *what, unsigned int base,
			 uint64_t *ret)
{
	const char *at = find(line, what);

	return at && parse(at + strlen(what), line->text + line->len, base, ret);
}

/* "CPU: 3 UID: 0 PID: 118 Comm: name Kdump: loaded Tainted: G ...": a name may have
 * spaces, and is not longer than TASK_COMM_LEN. */
static void read_task(const struct nmibt_line *line, struct nmibt_facts *ret)
{
	static const char *const behind[] = {" Kdump: loaded", " Not tainted", " Tainted: "};
	const char *comm = find(line, " Comm: "), *end = line->text + line->len;
	uint64_t pid;

	if (!starts(line, "CPU: ") || !comm || !parse_behind(line, " PID: ", 10, &pid) ||
	    pid > INT32_MAX)
		return;
	comm += strlen(" Comm: ");
	for (size_t i = 0; i < ARRAY_SIZE(behind); i++) {
		const char *at = memmem(comm, end - comm, behind[i], strlen(behind[i]));

		if (at)
			end = at;
	}
	size_t len = end - comm;
	if (len > sizeof(ret->comm))
		len = sizeof(ret->comm);
	memcpy(ret->comm, comm, len);
	ret->pid = (int32_t)pid;
	ret->has_task = true;
	if (!pid)
		ret->flags |= NMI_CAPTURE_SLOT_F_IDLE;
}

#define X86_EFLAGS_IF 0x200

static void read_x86(const struct nmibt_line *line, struct nmibt_facts *ret)
{
	uint64_t eflags;

	/* Of programs of 64 and of 32 bits. */
	if (starts(line, "RIP: 0033:") || starts(line, "RIP: 0023:"))
		ret->flags |= NMI_CAPTURE_SLOT_F_USER;
	if (!starts(line, "RSP: "))
		return;
	const char *colon = memchr(line->text + 5, ':', line->len - 5);
	ret->has_sp = colon && parse(colon + 1, line->text + line->len, 16, &ret->sp);
	if (parse_behind(line, "EFLAGS: ", 16, &eflags) && !(eflags & X86_EFLAGS_IF))
		ret->flags |= NMI_CAPTURE_SLOT_F_IRQS_OFF;
}

#define PSR_MODE_MASK 0xf
#define PSR_I_BIT 0x80

/* With pseudo-NMI interrupts are masked elsewhere, and the text does not say how. */
static void read_arm64(const struct nmibt_line *line, struct nmibt_facts *ret)
{
	uint64_t pstate;

	if (starts(line, "sp : "))
		ret->has_sp = parse(line->text + 5, line->text + line->len, 16, &ret->sp);
	if (!starts(line, "pstate: ") || !parse_behind(line, "pstate: ", 16, &pstate))
		return;
	if (!(pstate & PSR_MODE_MASK))
		ret->flags |= NMI_CAPTURE_SLOT_F_USER;
	if (pstate & PSR_I_BIT)
		ret->flags |= NMI_CAPTURE_SLOT_F_IRQS_OFF;
}

void nmibt_read_facts(enum nmibt_arch arch, const struct nmibt_text *text, struct nmibt_facts *ret)
{
	*ret = (struct nmibt_facts){0};
	for (size_t i = 0; i < text->nr_lines; i++) {
		const struct nmibt_line *line = &text->lines[i];

		/* Registers behind that are those of an entry further out. */
		if (starts(line, "Call Trace:") || starts(line, "Call trace:"))
			return;
		if (starts(line, "NMI backtrace for cpu ") && find(line, " skipped: idling at "))
			ret->flags |= NMI_CAPTURE_SLOT_F_IDLE;
		if (!ret->has_task)
			read_task(line, ret);
		if (ret->has_sp)
			continue;
		if (arch == NMIBT_ARCH_X86_64)
			read_x86(line, ret);
		else if (arch == NMIBT_ARCH_ARM64)
			read_arm64(line, ret);
	}
}
