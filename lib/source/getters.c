// SPDX-License-Identifier: GPL-2.0-or-later
/* The getters of the public API for evidence. */
#include "source/source.h"

enum nmibt_source nmibt_evidence_source(const struct nmibt_evidence *evidence)
{
	return evidence->source;
}

enum nmibt_evidence_kind nmibt_evidence_kind(const struct nmibt_evidence *evidence)
{
	return evidence->kind;
}

unsigned int nmibt_evidence_wrong(const struct nmibt_evidence *evidence)
{
	return evidence->wrong;
}

const char *nmibt_evidence_why(const struct nmibt_evidence *evidence)
{
	return evidence->why;
}

bool nmibt_evidence_task(const struct nmibt_evidence *evidence, int32_t *ret_pid,
			 char ret_name[NMIBT_TASK_NAME_LEN])
{
	const struct nmibt_task *task = &evidence->task;
	size_t len = strnlen(task->comm, sizeof(task->comm));

	_Static_assert(sizeof(task->comm) < NMIBT_TASK_NAME_LEN, "a NUL has room");
	if (!task->known)
		return false;
	*ret_pid = task->pid;
	memcpy(ret_name, task->comm, len);
	ret_name[len] = '\0';
	return true;
}

const struct nmibt_stack *nmibt_evidence_stack(const struct nmibt_evidence *evidence)
{
	return &evidence->stack;
}

const struct nmibt_regs *nmibt_evidence_registers(const struct nmibt_evidence *evidence)
{
	return evidence->regs.present ? &evidence->regs : NULL;
}

/* The lines of the nested area follow those of the text. */
size_t nmibt_evidence_nr_lines(const struct nmibt_evidence *evidence)
{
	return evidence->text.nr_lines + evidence->nested.nr_lines;
}

const struct nmibt_line *nmibt_evidence_line(const struct nmibt_evidence *evidence, size_t i)
{
	if (i < evidence->text.nr_lines)
		return &evidence->text.lines[i];
	i -= evidence->text.nr_lines;
	return i < evidence->nested.nr_lines ? &evidence->nested.lines[i] : NULL;
}
