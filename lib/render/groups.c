// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each stack once, with the CPUs that have it: for machines with hundreds of CPUs. The stacks that
 * the death is about come first, then those of stuck CPUs, then the others, the most frequent
 * first, then those of idle CPUs. CPUs without evidence, or with only a last-seen text, come last:
 * by their outcome, without a stack.
 */
#include "render/render.h"

/* A CPU, and the properties by which it is put into a group. */
struct member {
	uint64_t hash; /* of the stack; 0: it has none, and outcome decides */
	enum nmibt_outcome outcome;
	bool is_whole; /* the stack is known to its outermost function */
	bool is_last_seen;
	bool is_user;
	unsigned int cpu;
};

struct group {
	const struct member *members;
	unsigned int *cpus; /* of the members, ascending */
	size_t nr;
	unsigned int rank;
};

static int compare_kinds(const struct member *x, const struct member *y)
{
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->hash)
		return x->is_whole - y->is_whole;
	if (x->outcome != y->outcome)
		return x->outcome < y->outcome ? -1 : 1;
	if (x->is_last_seen != y->is_last_seen)
		return x->is_last_seen - y->is_last_seen;
	return x->is_user - y->is_user;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int kinds = compare_kinds(x, y);

	return kinds ? kinds : x->cpu < y->cpu ? -1 : x->cpu > y->cpu;
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->nr != y->nr)
		return x->nr > y->nr ? -1 : 1;
	return x->cpus[0] < y->cpus[0] ? -1 : 1;
}

static unsigned int rank_of(const struct nmibt_report *report, unsigned int cpu)
{
	const struct nmibt_cpu_brief *b = &report->cpus[cpu];

	if (report->death.is_known && report->death.subjects[cpu])
		return 0;
	if (nmibt_is_stuck(b) || b->moved == NMIBT_MOVED_SAME)
		return 1;
	if (b->step > NMIBT_STEP_REGISTERS)
		return 4;
	return b->is_idle ? 3 : 2;
}

/* ------------------------------------------------------------------ one group */

static void render_outcomes(struct renderer *r, const struct group *group)
{
	size_t counts[NMIBT_NR_OUTCOMES] = {0};
	const char *comma = "";

	for (size_t i = 0; i < group->nr; i++)
		counts[group->members[i].outcome]++;
	for (unsigned int i = 0; i < NMIBT_NR_OUTCOMES; i++) {
		if (!counts[i])
			continue;
		fputs(comma, r->out);
		if (group->nr > 1)
			fprintf(r->out, "%zu ", counts[i]);
		fputs(nmibt_outcome_name(i), r->out);
		comma = ", ";
	}
}

typedef bool (*brief_test)(const struct nmibt_cpu_brief *brief);

static bool is_idle(const struct nmibt_cpu_brief *b)
{
	return b->is_idle;
}

static bool is_user(const struct nmibt_cpu_brief *b)
{
	return b->is_user;
}

static bool is_offline(const struct nmibt_cpu_brief *b)
{
	return b->is_offline;
}

static bool is_same_place(const struct nmibt_cpu_brief *b)
{
	return b->moved == NMIBT_MOVED_SAME;
}

static bool is_in_condition(const struct nmibt_cpu_brief *b)
{
	return b->condition;
}

/* Writes "  in user mode" if the test is true for all CPUs of the group, "  2 in user mode" if for
 * some. */
static void render_share(struct renderer *r, const struct group *group, brief_test test,
			 const char *what)
{
	size_t count = 0;

	for (size_t i = 0; i < group->nr; i++)
		count += test(&r->report->cpus[group->cpus[i]]);
	if (count == group->nr)
		fprintf(r->out, "  %s", what);
	else if (count)
		fprintf(r->out, "  %zu %s", count, what);
}

static void render_head(struct renderer *r, const struct group *group)
{
	nmibt_begin_line(r);
	nmibt_paint(r, BOLD);
	nmibt_render_cpus(r, group->cpus, group->nr);
	fputs(": ", r->out);
	render_outcomes(r, group);
	nmibt_unpaint(r);
	if (group->nr == 1)
		nmibt_render_task(r, &r->report->cpus[group->cpus[0]].task);
	render_share(r, group, is_idle, "idle");
	render_share(r, group, is_user, "in user mode");
	render_share(r, group, is_offline, "offline");
	render_share(r, group, nmibt_masks_interrupts, "interrupts off");
	render_share(r, group, is_same_place, "same place");
	render_share(r, group, is_in_condition, "stuck");
	if (group->nr > 1 && group->members->hash && !group->members->is_whole &&
	    !group->members->is_user)
		fputs("  equal as far as the stacks are known", r->out);
	if (group->members->is_last_seen)
		fputs("  only last seen earlier", r->out);
	nmibt_end_line(r, 4, "  ");
}

static void render_left_out(struct renderer *r, const struct nmibt_stack *stack, size_t dying,
			    unsigned int cpu)
{
	size_t nr = 0;

	for (size_t i = 0; i < dying; i++)
		nr += nmibt_is_in_chain(stack->frames, i);
	if (nr)
		fprintf(r->out, "[%zu frame%s of the %s itself %s left out]\n", nr,
			nmibt_plural(nr), cpu == r->report->death.reporter ? "panic" : "stop",
			nr == 1 ? "is" : "are");
}

/* Their number may differ from CPU to CPU. */
static void render_unsure(struct renderer *r, const struct nmibt_stack *stack)
{
	for (size_t i = nmibt_count_dying(stack); i < stack->nr; i++) {
		if (stack->frames[i].reliable || nmibt_is_in_group(stack->frames, i))
			continue;
		fputs("[frames that the kernel marks with ? are left out]\n", r->out);
		return;
	}
}

/* All CPUs of the group have the same functions; the offsets are those of the first CPU. */
static void render_stack(struct renderer *r, const struct nmibt_stack *stack, unsigned int cpu,
			 bool offsets)
{
	size_t dying = nmibt_count_dying(stack);
	char why[128];

	render_left_out(r, stack, dying, cpu);
	for (size_t i = dying; i < stack->nr; i++) {
		if (!nmibt_is_in_group(stack->frames, i))
			continue;
		fputs(stack->frames[i].reliable ? "    " : "    ? ", r->out);
		nmibt_render_frame(r, &stack->frames[i], offsets);
		fputs(i > dying && nmibt_is_hit(stack, i) ? "  [interrupted here]\n" : "\n",
		      r->out);
		if (r->options->lines)
			nmibt_render_source(r, &stack->frames[i]);
	}
	render_unsure(r, stack);
	nmibt_format_end(stack, why, sizeof(why));
	if (*why && stack->nr)
		fprintf(r->out, "[the stack ends here: %s]\n", why);
}

static struct nmibt_error *render_group(struct renderer *r, const struct group *group)
{
	struct nmibt_cpu cpu;

	putc('\n', r->out);
	render_head(r, group);
	if (!group->members->hash)
		return NULL;
	struct nmibt_error *err = nmibt_report_read_cpu(r->report, group->cpus[0], &cpu);
	if (err)
		return err;
	if (group->nr > 1 && r->options->lines)
		fprintf(r->out, "[offsets and lines are those of CPU %u]\n", cpu.cpu);
	render_stack(r, &nmibt_shown(&cpu)->stack, cpu.cpu, group->nr == 1 || r->options->lines);
	nmibt_cpu_destroy(&cpu);
	return NULL;
}

/* ----------------------------------------------------------------- all groups */

static size_t gather_members(const struct renderer *r, struct member *members)
{
	size_t nr = 0;

	for (unsigned int i = 0; i < r->report->nr_cpus; i++) {
		const struct nmibt_cpu_brief *b = &r->report->cpus[i];

		if (!nmibt_is_wanted(r, i))
			continue;
		members[nr++] = (struct member){
			.hash = b->stack_hash,
			.is_whole = b->is_whole,
			.outcome = b->outcome,
			.is_last_seen = b->step == NMIBT_STEP_LAST_SEEN,
			.is_user = b->is_user,
			.cpu = i,
		};
	}
	return nr;
}

static size_t gather_groups(const struct nmibt_report *report, const struct member *members,
			    size_t nr, unsigned int *cpus, struct group *groups)
{
	size_t count = 0;

	for (size_t i = 0; i < nr; i++) {
		unsigned int rank = rank_of(report, members[i].cpu);

		if (!i || compare_kinds(&members[i], &members[i - 1]))
			groups[count++] = (struct group){
				.members = &members[i],
				.cpus = &cpus[i],
				.rank = rank,
			};
		cpus[i] = members[i].cpu;
		struct group *group = &groups[count - 1];
		group->nr++;
		if (rank < group->rank)
			group->rank = rank;
	}
	return count;
}

struct nmibt_error *nmibt_render_groups(struct renderer *r)
{
	unsigned int slots = r->report->nr_cpus;
	_cleanup_free_ struct member *members = calloc(slots + 1, sizeof(*members));
	_cleanup_free_ unsigned int *cpus = calloc(slots + 1, sizeof(*cpus));
	_cleanup_free_ struct group *groups = calloc(slots + 1, sizeof(*groups));
	if (!members || !cpus || !groups)
		return nmibt_error_nomem();

	struct nmibt_error *err = nmibt_render_summary(r);
	if (err || r->options->summary_only)
		return err;
	size_t nr = gather_members(r, members);
	qsort(members, nr, sizeof(*members), compare_members);
	size_t count = gather_groups(r->report, members, nr, cpus, groups);
	qsort(groups, count, sizeof(*groups), compare_groups);
	for (size_t i = 0; i < count; i++) {
		err = render_group(r, &groups[i]);
		if (err)
			return err;
	}
	nmibt_render_lines_missing(r);
	return NULL;
}
