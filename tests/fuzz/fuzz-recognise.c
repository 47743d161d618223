// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmibt_recognise() and nmibt_next_cpus() on any line, and nmibt_read_backtrace() on any text. The
 * strings in the results must lie within the input, and numbers within their ranges.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "text/text.h"

static void check_within(struct nmibt_str s, struct nmibt_str all)
{
	CHECK(!s.len || (s.s >= all.s && s.s + s.len <= all.s + all.len));
}

static void check_list(struct nmibt_str list)
{
	unsigned int first, last;

	for (size_t left = list.len; nmibt_next_cpus(&list, &first, &last);) {
		CHECK(first <= last && last < NMIBT_MAX_CPUS);
		CHECK(list.len < left);
		left = list.len;
	}
}

static void check_line(enum nmibt_arch arch, struct nmibt_str line)
{
	struct nmibt_printed p;

	nmibt_recognise(arch, line, &p);
	CHECK(p.kind < NMIBT_NR_PRINTS);
	check_within(p.cpus, line);
	check_within(p.comm, line);
	check_within(p.message, line);
	check_within(p.frame.function, line);
	check_within(p.frame.module, line);
	CHECK(p.cpu < NMIBT_MAX_CPUS && (p.has_cpu || !p.cpu));
	CHECK(p.pid >= 0 && (p.has_task || !p.pid));
	CHECK(p.mark < NMIBT_NR_STACK_KINDS);
	CHECK(p.has_mark || p.kind != NMIBT_PRINT_STACK_MARK);
	CHECK(p.has_frame || p.kind != NMIBT_PRINT_FRAME);
	CHECK(!p.has_frame || (p.frame.function.s && p.frame.module.s));
	check_list(p.cpus);
	check_list(line);
}

static void check_backtrace(enum nmibt_arch arch, const struct nmibt_text *text)
{
	struct nmibt_backtrace b;

	CHECK(!nmibt_read_backtrace(arch, text, &b));
	CHECK(b.stack.nr <= text->nr_lines && b.stack.end < NMIBT_NR_ENDS);
	CHECK(nmibt_count_dying(&b.stack) <= b.stack.nr);
	for (size_t i = 0; i < b.stack.nr; i++) {
		const struct nmibt_frame *f = &b.stack.frames[i];
		const struct nmibt_line *line = &text->lines[f->line];

		CHECK(f->line < text->nr_lines && (!i || f->line > f[-1].line));
		check_within(f->function, (struct nmibt_str){line->text, line->len});
		check_within(f->module, (struct nmibt_str){line->text, line->len});
	}
	nmibt_is_idle_stack(&b.stack);
	nmibt_stack_hash(b.stack.frames, b.stack.nr);
	nmibt_stack_destroy(&b.stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nmibt_text text;

	if (!size)
		return 0;
	enum nmibt_arch arch = data[0] % 3;
	CHECK(!nmibt_decode((const char *)data + 1, size - 1, size - 1, NULL, false, &text));
	for (size_t i = 0; i < text.nr_lines; i++)
		check_line(arch, (struct nmibt_str){text.lines[i].text, text.lines[i].len});
	check_backtrace(arch, &text);
	nmibt_text_destroy(&text);
	return 0;
}
