// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The link register that a text of arm64 shows. A function without a frame of its own leaves its caller
 * there and nowhere else: the trace begins with the caller's caller
 * (arch/arm64/kernel/stacktrace.c, 6.12: arch_stack_walk() takes the pc, then frame records).
 */
#include "text/arch.h"

bool nmibt_read_link_register(const struct nmibt_text *text, const struct nmibt_frame *pc,
			      struct nmibt_frame *ret)
{
	struct nmibt_frame frame = {.line = pc->line + 1, .kind = pc->kind, .reliable = true};

	/* arch/arm64/kernel/process.c: __show_regs(), 3.10 to 7.2 */
	if (pc->line == NMIBT_NO_LINE || frame.line >= text->nr_lines)
		return false;
	const struct nmibt_line *line = &text->lines[frame.line];
	struct nmibt_str s = {line->text, line->torn_at};
	if (!nmibt_skip(&s, "lr : ") || !nmibt_read_symbol(s, &frame))
		return false;
	*ret = frame;
	return true;
}
