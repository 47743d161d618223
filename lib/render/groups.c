// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each stack once, with the CPUs that have it: what one reads of a machine with
 * hundreds of CPUs. The panicking CPU's comes first, then those of CPUs that are
 * in the same place at the stop, then the others, the most frequent first, and the
 * idle ones last.
 */
#include "render/render.h"

/* A CPU, and what makes it one of a group. */
struct member {
	uint64_t hash; /* 0: no stack, then the outcome tells */
	enum nmibt_outcome outcome;
	bool stale;
	bool user;
	unsigned int cpu;
};

struct group {
	const struct member *members;
	unsigned int *cpus; /* theirs, ascending */
	size_t nr;
	unsigned int rank;
};

static int compare_kinds(const struct member *x, const struct member *y)
{
	if (x->stale != y->stale)
		return x->stale - y->stale;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->hash)
		return 0;
	if (x->outcome != y->outcome)
		return x->outcome < y->outcome ? -1 : 1;
	return x->user - y->user;
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

	if (b->stale)
		return 4;
	if (cpu == report->panic_cpu)
		return 0;
	if (b->flags & NMI_CAPTURE_SLOT_F_IDLE)
		return 3;
	return b->moved == NMIBT_MOVED_SAME ? 1 : 2;
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

static size_t count_flagged(const struct renderer *r, const struct group *group, uint32_t flag)
{
	size_t count = 0;

	for (size_t i = 0; i < group->nr; i++)
		count += !!(r->report->cpus[group->cpus[i]].flags & flag);
	return count;
}

/* "  in user mode", "  2 in user mode": of all, of some. */
static void render_share(struct renderer *r, const struct group *group, size_t count,
			 const char *what)
{
	if (count == group->nr)
		fprintf(r->out, "  %s", what);
	else if (count)
		fprintf(r->out, "  %zu %s", count, what);
}

static void render_head(struct renderer *r, const struct group *group)
{
	const struct nmibt_report *report = r->report;
	size_t same = 0;

	for (size_t i = 0; i < group->nr; i++)
		same += report->cpus[group->cpus[i]].moved == NMIBT_MOVED_SAME;
	nmibt_paint(r, BOLD);
	nmibt_render_cpus(r, group->cpus, group->nr);
	fprintf(r->out, ": %s", group->members->stale ? "stale " : "");
	render_outcomes(r, group);
	nmibt_unpaint(r);

	const struct nmibt_cpu_brief *first = &report->cpus[group->cpus[0]];
	if (group->nr == 1 && first->has_task)
		nmibt_render_task(r, first->pid, first->comm);
	render_share(r, group, count_flagged(r, group, NMI_CAPTURE_SLOT_F_IDLE), "idle");
	render_share(r, group, count_flagged(r, group, NMI_CAPTURE_SLOT_F_USER), "in user mode");
	render_share(r, group, count_flagged(r, group, NMI_CAPTURE_SLOT_F_IRQS_OFF),
		     "interrupts off");
	render_share(r, group, same, "same place");
	putc('\n', r->out);
}

/* The CPUs share the functions, the offsets are those of the first. */
static void render_stack(struct renderer *r, const struct nmibt_cpu *cpu, bool offsets)
{
	for (size_t i = 0; i < cpu->stack.nr; i++) {
		const struct nmibt_frame *f = &cpu->stack.frames[i];

		if (!nmibt_is_in_chain(cpu->stack.frames, i))
			continue;
		char addr[NMIBT_ADDR_LEN];
		struct nmibt_str name = nmibt_frame_name(f, addr);

		fputs("    ", r->out);
		nmibt_escape(r->out, name.s, name.len, false);
		if (offsets && f->function.len)
			fprintf(r->out, "+0x%" PRIx64, f->offset);
		/* Of what nmibt unwound itself the size is not known. */
		if (offsets && f->size)
			fprintf(r->out, "/0x%" PRIx64, f->size);
		if (f->module.len) {
			fputs(" [", r->out);
			nmibt_escape(r->out, f->module.s, f->module.len, false);
			putc(']', r->out);
		}
		putc('\n', r->out);
		if (r->options->lines)
			nmibt_render_source(r, f);
	}
}

static struct nmibt_error *render_group(struct renderer *r, const struct group *group)
{
	struct nmibt_cpu cpu;
	struct nmibt_error *err = nmibt_report_cpu(r->report, group->cpus[0], &cpu);
	if (err)
		return err;

	putc('\n', r->out);
	render_head(r, group);
	if (cpu.stack.nr && group->nr > 1 && r->options->lines)
		fprintf(r->out, "[offsets and lines are those of CPU %u]\n", cpu.cpu);
	render_stack(r, &cpu, group->nr == 1 || r->options->lines);
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
			.outcome = b->outcome,
			.stale = b->stale,
			.user = b->flags & NMI_CAPTURE_SLOT_F_USER,
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
	_cleanup_free_ struct member *members = calloc(slots, sizeof(*members));
	_cleanup_free_ unsigned int *cpus = calloc(slots, sizeof(*cpus));
	_cleanup_free_ struct group *groups = calloc(slots, sizeof(*groups));
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
