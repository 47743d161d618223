// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads symbols and lines of a trace. "%pS" and "%pB" of lib/vsprintf.c print name+0xoff/0xsize
 * [module], since 5.14 with [module build-id]; where no symbol is known, they print a number.
 *
 * A line of x86 is " name", or " ? name" where the unwinder does not trust the frame
 * (arch/x86/kernel/dumpstack.c: printk_stack_address(), 4.10 to 7.2); before that it was
 * " [<address>] ? name" (3.10 to 4.9). A line of arm64 was "[<address>] name" (print_ip_sym(), up
 * to 4.14), then " name"; since 6.13 letters in brackets may follow it
 * (arch/arm64/kernel/stacktrace.c: dump_backtrace_entry()).
 */
#include "text/arch.h"

static bool is_printable(char c)
{
	return c > ' ' && c <= '~';
}

static struct nmibt_str rest_of(struct nmibt_str s, size_t from)
{
	return (struct nmibt_str){s.s + from, s.len - from};
}

/* Reads " [module]" or " [module build-id]". A torn one is read as far as it goes. */
static void take_module(struct nmibt_str *cursor, struct nmibt_frame *ret)
{
	struct nmibt_str s = *cursor;
	size_t len = 0;

	if (!nmibt_skip(&s, " ["))
		return;
	while (len < s.len && is_printable(s.s[len]) && s.s[len] != ']')
		len++;
	ret->module = (struct nmibt_str){s.s, len};
	if (!nmibt_skip_to(&s, "]"))
		s.len = 0;
	*cursor = s;
}

/* " (P)": on arm64 P marks the pc of registers on the stack, and L the link register of those,
 * which may be left from an earlier call. The other letters do not matter here. */
void nmibt_read_letters(struct nmibt_str s, struct nmibt_frame *ret)
{
	struct nmibt_str letters;

	if (!nmibt_skip(&s, " (") || !nmibt_take_until(&s, ")", &letters))
		return;
	for (size_t i = 0; i < letters.len; i++) {
		if (letters.s[i] < 'A' || letters.s[i] > 'Z')
			return;
	}
	ret->is_pc = nmibt_str_holds(letters, "P");
	if (nmibt_str_holds(letters, "L"))
		ret->reliable = false;
}

bool nmibt_read_symbol(struct nmibt_str s, struct nmibt_frame *ret)
{
	struct nmibt_frame frame = *ret;
	size_t len = 0;

	while (len < s.len && is_printable(s.s[len]) && s.s[len] != '+' && s.s[len] != '[')
		len++;
	frame.function = (struct nmibt_str){s.s, 0};
	if (!nmibt_take_0x(&s, &frame.addr)) {
		frame.function.len = len;
		s = rest_of(s, len);
		/* "(f+0x1/0x2)" is the second half of a broken line of arm. */
		if (!len || *frame.function.s == '(')
			return false;
		if (!nmibt_skip(&s, "+")) {
			if (!nmibt_read_place(s, &frame))
				return false;
			*ret = frame;
			return true;
		}
		if (!nmibt_take_0x(&s, &frame.offset) || !nmibt_skip(&s, "/") ||
		    !nmibt_take_0x(&s, &frame.size))
			return false;
	}
	if (s.len && *s.s != ' ')
		return false;
	frame.module = (struct nmibt_str){s.s, 0};
	take_module(&s, &frame);
	nmibt_read_letters(s, &frame);
	*ret = frame;
	return true;
}

bool nmibt_skip_address(struct nmibt_str *cursor, struct nmibt_frame *ret)
{
	struct nmibt_str s = *cursor;
	uint64_t addr;

	if (!nmibt_skip(&s, "[<") || !nmibt_take_hex(&s, 16, &addr) || !nmibt_skip(&s, ">]"))
		return false;
	ret->addr = addr;
	*cursor = s;
	return true;
}

bool nmibt_read_pc(struct nmibt_str s, struct nmibt_printed *ret)
{
	ret->frame = (struct nmibt_frame){.reliable = true};
	ret->has_frame = nmibt_read_symbol(s, &ret->frame);
	ret->frame.is_pc = true;
	return ret->has_frame;
}

bool nmibt_is_process(struct nmibt_str s, struct nmibt_printed *ret)
{
	(void)ret;
	return nmibt_str_holds(s, " (pid: ");
}

/* -------------------------------------------------------------------- marks */

static const struct {
	const char *name;
	enum nmibt_stack_kind kind;
} stack_names[] = {
	{"TASK", NMIBT_STACK_TASK}, {"IRQ", NMIBT_STACK_IRQ},	  {"SOFTIRQ", NMIBT_STACK_SOFTIRQ},
	{"NMI", NMIBT_STACK_NMI},   {"ENTRY", NMIBT_STACK_ENTRY},
};

enum nmibt_stack_kind nmibt_stack_kind_of(struct nmibt_str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(stack_names); i++) {
		if (nmibt_str_is(name, stack_names[i].name))
			return stack_names[i].kind;
	}
	if (nmibt_str_starts(name, "ENTRY_TRAMPOLINE"))
		return NMIBT_STACK_ENTRY;
	return name.len && *name.s == '#' ? NMIBT_STACK_EXCEPTION : NMIBT_STACK_TASK;
}

const char *nmibt_stack_kind_name(enum nmibt_stack_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(stack_names); i++) {
		if (stack_names[i].kind == kind)
			return stack_names[i].name;
	}
	return "exception";
}

/*
 * x86 prints " <IRQ>" where it comes to a stack of another kind and " </IRQ>" where it leaves it;
 * <TASK> since 5.16 (arch/x86/kernel/dumpstack_64.c: stack_type_name()). Up to 4.9 the ends are
 * <EOI> and <<EOE>>, and frames may follow a mark on its line.
 */
static bool take_mark(struct nmibt_str *cursor, struct nmibt_printed *ret)
{
	struct nmibt_str s = *cursor, name;

	nmibt_skip_spaces(&s);
	if (!nmibt_skip(&s, "<"))
		return false;
	bool is_doubled = nmibt_skip(&s, "<");
	if (!nmibt_take_until(&s, ">", &name) || (is_doubled && !nmibt_skip(&s, ">")))
		return false;
	bool is_end = nmibt_skip(&name, "/");
	if (!name.len || (s.len && *s.s != ' '))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!is_printable(name.s[i]) || name.s[i] == '<')
			return false;
	}
	ret->has_mark = true;
	ret->mark = nmibt_stack_kind_of(name);
	if (nmibt_str_is(name, "EOI"))
		ret->mark = NMIBT_STACK_IRQ;
	if (nmibt_str_is(name, "EOE"))
		ret->mark = NMIBT_STACK_EXCEPTION;
	/* The frames after <UNK> are on no stack that the kernel knows. */
	ret->is_mark_end = is_end || nmibt_str_is(name, "EOI") || nmibt_str_is(name, "EOE") ||
			   nmibt_str_is(name, "UNK");
	*cursor = s;
	return true;
}

void nmibt_take_marks(struct nmibt_str *cursor, struct nmibt_printed *ret)
{
	while (take_mark(cursor, ret))
		;
}

/* -------------------------------------------------------------------- lines */

bool nmibt_recognise_frame(struct nmibt_str line, struct nmibt_printed *ret)
{
	struct nmibt_printed printed = {.frame = {.reliable = true}};

	if (!nmibt_str_starts(line, " ") && !nmibt_str_starts(line, "[<"))
		return false;
	nmibt_take_marks(&line, &printed);
	nmibt_skip_spaces(&line);
	if (!line.len && printed.has_mark) {
		printed.kind = NMIBT_PRINT_STACK_MARK;
		*ret = printed;
		return true;
	}
	if (nmibt_skip_address(&line, &printed.frame))
		nmibt_skip_spaces(&line);
	if (nmibt_skip(&line, "? "))
		printed.frame.reliable = false;
	if (!nmibt_read_symbol(line, &printed.frame))
		return false;
	printed.kind = NMIBT_PRINT_FRAME;
	printed.has_frame = true;
	*ret = printed;
	return true;
}
