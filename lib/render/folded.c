// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Folded stacks, the input of flame graphs. Each stack is one line: the task's name, then the
 * functions from the outermost to the innermost, separated by ';', then a space and the number of
 * CPUs that have the stack. A CPU without a stack is counted by its outcome, so that the counts add
 * up to all CPUs.
 */
#include "render/render.h"

struct folded {
	struct renderer renderer; /* must be first: nmibt_each_cpu() receives it */
	char **lines;
	size_t nr;
};

/* Within a name ';' would end the name, and a space would begin the count. */
static void put_name(FILE *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == ';' || s[i] == ' ')
			putc('_', out);
		else
			nmibt_escape(out, s + i, 1, false);
	}
}

static const struct nmibt_task *task_of(const struct nmibt_cpu *cpu)
{
	return cpu->standing.task.known ? &cpu->standing.task : &nmibt_shown(cpu)->task;
}

/* The idle tasks of all CPUs count as one task, so "/3" is cut off "swapper/3". */
static size_t comm_len(const struct nmibt_cpu *cpu, const struct nmibt_task *task)
{
	size_t len = strnlen(task->comm, sizeof(task->comm));
	const char *slash = memchr(task->comm, '/', len);

	if (slash && cpu->is_idle)
		len = slash - task->comm;
	return len;
}

static void put_frame(FILE *out, const struct nmibt_frame *f)
{
	char addr[NMIBT_ADDR_LEN];
	struct nmibt_str name = nmibt_frame_name(f, addr);

	putc(';', out);
	put_name(out, name.s, nmibt_function_len(name));
	if (f->module.len) {
		fputs("_[", out);
		put_name(out, f->module.s, f->module.len);
		putc(']', out);
	}
}

/* Leaves out the frames of the panic and the stop themselves. */
static void put_frames(FILE *out, const struct nmibt_stack *stack)
{
	size_t dying = nmibt_count_dying(stack);

	/* Stacks that are not known to their ends must not count as equal to those that are. */
	if (stack->nr > dying && !nmibt_is_whole(stack))
		fputs(";[unknown callers]", out);
	for (size_t i = stack->nr; i-- > dying;) {
		if (!nmibt_is_in_chain(stack->frames, i))
			continue;
		put_frame(out, &stack->frames[i]);
		if (i > dying && nmibt_is_hit(stack, i))
			fputs(";[interrupt]", out);
	}
}

/* If the CPU was only last seen, or nothing is known of it, writes only its outcome. */
static void put_stack(FILE *out, const struct nmibt_cpu *cpu)
{
	const struct nmibt_task *task = task_of(cpu);

	if (cpu->step > NMIBT_STEP_REGISTERS) {
		fprintf(out, "[%s]", nmibt_outcome_name(cpu->outcome));
		return;
	}
	if (task->known && *task->comm)
		put_name(out, task->comm, comm_len(cpu, task));
	else if (cpu->is_idle)
		put_name(out, "swapper", strlen("swapper"));
	else
		fprintf(out, "[%s]", nmibt_outcome_name(cpu->outcome));
	if (cpu->is_user)
		fputs(";[user]", out);
	put_frames(out, &nmibt_shown(cpu)->stack);
}

static struct nmibt_error *fold_cpu(struct renderer *r, const struct nmibt_cpu *cpu)
{
	struct folded *folded = (struct folded *)r;
	char *line = NULL;
	size_t len;

	/* Older evidence, which -o adds, does not say where the CPU was. */
	if (cpu->is_stale)
		return NULL;
	FILE *out = open_memstream(&line, &len);
	if (out)
		put_stack(out, cpu);
	if (!out || fclose(out)) {
		free(line);
		return nmibt_error_nomem();
	}
	folded->lines[folded->nr++] = line;
	return NULL;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_lines(const struct folded *folded)
{
	qsort(folded->lines, folded->nr, sizeof(*folded->lines), compare_lines);
	for (size_t i = 0, first; i < folded->nr;) {
		for (first = i; i < folded->nr && !strcmp(folded->lines[i], folded->lines[first]);)
			i++;
		fprintf(folded->renderer.out, "%s %zu\n", folded->lines[first], i - first);
	}
}

struct nmibt_error *nmibt_render_folded(struct renderer *r)
{
	struct folded folded = {.renderer = *r};

	folded.lines = calloc(r->report->nr_cpus + 1, sizeof(*folded.lines));
	if (!folded.lines)
		return nmibt_error_nomem();
	struct nmibt_error *err = nmibt_each_cpu(&folded.renderer, fold_cpu);
	if (!err)
		print_lines(&folded);
	for (size_t i = 0; i < folded.nr; i++)
		free(folded.lines[i]);
	free(folded.lines);
	return err;
}
