// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of a backtrace to frames. What is read is the kernel's own printing:
 * "%pS" of lib/vsprintf.c (name+0xoff/0xsize [module build-id]), the RIP line
 * and "? " of arch/x86/kernel/dumpstack.c, the pc line of
 * arch/arm64/kernel/process.c and the trace lines of its stacktrace.c
 * (6.1 to 6.12).
 */
#include "text/text.h"

static bool starts_with(const char *s, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);
	return len >= n && !memcmp(s, prefix, n);
}

/* Reads "0x" and 1 to 16 hex digits at *pos. */
static bool parse_hex(const char *s, size_t len, size_t *pos, uint64_t *ret)
{
	size_t i = *pos;
	uint64_t value = 0;

	if (len - i < 3 || s[i] != '0' || s[i + 1] != 'x')
		return false;
	size_t start = i += 2;
	for (; i < len && i - start < 16; i++) {
		char c = s[i];
		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else
			break;
	}
	if (i == start)
		return false;
	*pos = i;
	*ret = value;
	return true;
}

/* name+0xoffset/0xsize, then optionally [module] or [module build-id]. */
static bool parse_symbol(const char *s, size_t len, struct nmibt_frame *ret)
{
	size_t i = 0;

	while (i < len && s[i] != '+' && s[i] > ' ' && s[i] <= '~')
		i++;
	if (i == 0 || i >= len || s[i] != '+')
		return false;
	ret->function = (struct nmibt_str){s, i};
	i++;
	if (!parse_hex(s, len, &i, &ret->offset))
		return false;
	if (i >= len || s[i++] != '/' || !parse_hex(s, len, &i, &ret->size))
		return false;
	if (i < len && s[i] != ' ')
		return false;

	ret->module = (struct nmibt_str){s + i, 0};
	if (len - i > 2 && s[i + 1] == '[') {
		size_t start = i + 2, end = start;
		while (end < len && s[end] > ' ' && s[end] <= '~' && s[end] != ']')
			end++;
		ret->module = (struct nmibt_str){s + start, end - start};
	}
	return true;
}

/* The program counter's own line; user space's has no symbol and is none. */
static bool parse_pc_line(enum nmibt_arch arch, const char *s, size_t len, struct nmibt_frame *ret)
{
	const char *prefix = arch == NMIBT_ARCH_ARM64 ? "pc : " : "RIP: 0010:";

	if (!starts_with(s, len, prefix))
		return false;
	ret->is_pc = true;
	return parse_symbol(s + strlen(prefix), len - strlen(prefix), ret);
}

/* What an idle CPU prints instead of a backtrace: lib/nmi_backtrace.c, 4.4 to 7.2. */
static bool parse_skip_line(const char *s, size_t len, struct nmibt_frame *ret)
{
	static const char skipped[] = " skipped: idling at ";
	const char *at = memmem(s, len, skipped, strlen(skipped));

	if (!starts_with(s, len, "NMI backtrace for cpu ") || !at)
		return false;
	at += strlen(skipped);
	ret->is_pc = true;
	return parse_symbol(at, s + len - at, ret);
}

static bool parse_trace_line(const char *s, size_t len, struct nmibt_frame *ret)
{
	if (!starts_with(s, len, " "))
		return false;
	s++, len--;
	ret->reliable = !starts_with(s, len, "? ");
	if (!ret->reliable)
		s += 2, len -= 2;
	return parse_symbol(s, len, ret);
}

/* " <IRQ>" where x86 comes to a stack of another kind and " </IRQ>" where it leaves
 * it; <TASK> is the ordinary one (arch/x86/kernel/dumpstack_64.c, stack_type_name()). */
static void parse_stack_line(const char *s, size_t len, enum nmibt_stack_kind *kind)
{
	if (len < 4 || s[0] != ' ' || s[1] != '<' || s[len - 1] != '>')
		return;
	*kind = nmibt_stack_kind_of((struct nmibt_str){s + 2, len - 3});
}

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
		if (name.len == strlen(stack_names[i].name) &&
		    !memcmp(name.s, stack_names[i].name, name.len))
			return stack_names[i].kind;
	}
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

struct parser {
	enum nmibt_arch arch;
	bool in_trace;
	enum nmibt_stack_kind kind;
};

static bool parse_line(struct parser *parser, const struct nmibt_line *line,
		       struct nmibt_frame *ret)
{
	*ret = (struct nmibt_frame){.reliable = true};

	if (starts_with(line->text, line->len, "Call trace:") ||
	    starts_with(line->text, line->len, "Call Trace:")) {
		parser->in_trace = true;
		return false;
	}
	if (!parser->in_trace)
		return parse_pc_line(parser->arch, line->text, line->len, ret) ||
		       parse_skip_line(line->text, line->len, ret);
	parse_stack_line(line->text, line->len, &parser->kind);
	ret->kind = parser->kind;
	return parse_trace_line(line->text, line->len, ret);
}

struct nmibt_error *nmibt_trace(enum nmibt_arch arch, const struct nmibt_text *text,
				struct nmibt_stack *ret)
{
	struct nmibt_frame *frames = calloc(text->nr_lines + 1, sizeof(*frames));
	struct parser parser = {.arch = arch};
	size_t nr = 0;

	if (!frames)
		return nmibt_error_nomem();
	for (size_t i = 0; i < text->nr_lines; i++) {
		struct nmibt_frame frame;
		if (!parse_line(&parser, &text->lines[i], &frame))
			continue;
		frame.line = i;
		frames[nr++] = frame;
	}
	*ret = (struct nmibt_stack){.frames = frames, .nr = nr};
	return NULL;
}

void nmibt_stack_destroy(struct nmibt_stack *stack)
{
	free(stack->frames);
	free(stack->owned);
	*stack = (struct nmibt_stack){0};
}

size_t nmibt_function_len(struct nmibt_str name)
{
	/* A leading '.' belongs to the name. */
	const char *dot = name.len > 1 ? memchr(name.s + 1, '.', name.len - 1) : NULL;
	return dot ? (size_t)(dot - name.s) : name.len;
}

/* arm64 repeats the pc's function as the first line of the trace, x86_64 does not. */
bool nmibt_is_in_chain(const struct nmibt_frame *frames, size_t i)
{
	const struct nmibt_frame *f = &frames[i], *pc = i ? &frames[i - 1] : NULL;

	if (!f->reliable)
		return false;
	/* A frame without a name is told by its address. */
	return !pc || !pc->is_pc || pc->offset != f->offset || !f->function.len ||
	       pc->function.len != f->function.len ||
	       memcmp(pc->function.s, f->function.s, f->function.len);
}

/* FNV-1a. */
static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
	return hash;
}

/* Over the functions' names; a frame without one is told by its address. */
uint64_t nmibt_stack_hash(const struct nmibt_frame *frames, size_t nr)
{
	uint64_t hash = 0xcbf29ce484222325;
	size_t counted = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct nmibt_frame *f = &frames[i];
		size_t len = nmibt_function_len(f->function);

		if (!nmibt_is_in_chain(frames, i))
			continue;
		hash = len ? add_bytes(hash, f->function.s, len)
			   : add_bytes(hash, &f->addr, sizeof(f->addr));
		hash = add_bytes(hash, "\n", 1);
		counted++;
	}
	if (!counted)
		return 0;
	return hash ? hash : 1;
}
