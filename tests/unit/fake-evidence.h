/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evidence and stacks that tests of the report's decisions make.
 */
#ifndef FAKE_EVIDENCE_H
#define FAKE_EVIDENCE_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "source/source.h"

#define FE_SP UINT64_C(0xffffc900001a7ee0)

/* Makes a stack of "delay spin_fn kthread": reliable frames, the innermost first, which is that of
 * the pc. An interrupt hit "!f", "?f" is not reliable, "@1f40" has an address and no name. Names
 * are borrowed. */
static inline struct nmibt_stack fe_stack(const char *names, enum nmibt_stack_end end)
{
	struct nmibt_stack stack = {.end = end};

	stack.frames = calloc(strlen(names) + 1, sizeof(*stack.frames));
	assert(stack.frames);
	for (const char *s = names; *s; s += strspn(s, " ")) {
		struct nmibt_frame *f = &stack.frames[stack.nr];
		const char *name = s + strspn(s, "!?@");
		size_t len = strcspn(name, " ");

		*f = (struct nmibt_frame){
			.reliable = *s != '?',
			.is_interrupted = *s == '!',
			.is_pc = !stack.nr,
			.line = NMIBT_NO_LINE,
			.addr = *s == '@' ? strtoull(name, NULL, 16) : 0,
			.offset = 8 + stack.nr,
			.size = 0x100,
		};
		if (*s != '@')
			f->function = (struct nmibt_str){name, len};
		stack.nr++;
		s = name + len;
	}
	return stack;
}

/* The text of a task in the kernel. */
static inline struct nmibt_evidence fe_text(unsigned int cpu, int pid, const char *names)
{
	return (struct nmibt_evidence){
		.cpu = cpu,
		.source = NMIBT_SOURCE_LOG,
		.kind = NMIBT_EVIDENCE_ANSWER,
		.asked_by = NMIBT_NO_CPU,
		.clock = NMIBT_CLOCK_LOG,
		.task = {.known = true, .pid = pid},
		.has_sp = true,
		.sp = FE_SP,
		.stack = fe_stack(names, NMIBT_END_COMPLETE),
	};
}

/* The registers at the stop, with the stack that they lead to. */
static inline struct nmibt_evidence fe_stop(unsigned int cpu, int pid, const char *names)
{
	struct nmibt_evidence stop = fe_text(cpu, pid, names);

	stop.source = NMIBT_SOURCE_REGISTERS;
	stop.kind = NMIBT_EVIDENCE_REGISTERS;
	stop.clock = NMIBT_CLOCK_NONE;
	stop.note = NMIBT_NOTE_PRESENT;
	stop.regs.present = true;
	return stop;
}

#endif /* FAKE_EVIDENCE_H */
