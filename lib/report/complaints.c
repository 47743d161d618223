// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel's log complains of before the panic: CPUs that RCU or a watchdog
 * missed, or that did not run a function for another one. Of each kind the last
 * complaint, how many there were, and the CPUs that any of them names.
 */
#include "report/report.h"

/* What a message holds, and what stands right before the number of the CPU in it;
 * NULL: the records that follow name the CPUs. */
static const struct pattern {
	const char *text, *before_cpu;
} patterns[] = {
	/* kernel/rcu/tree_stall.h, 6.1 and 6.12 */
	{"detected stall", NULL},
	/* kernel/watchdog.c, 6.1 and 6.12 */
	{"BUG: soft lockup - CPU#", "BUG: soft lockup - CPU#"},
	{"Watchdog detected hard LOCKUP on cpu ", "Watchdog detected hard LOCKUP on cpu "},
	/* csd_lock_wait_toolong(), kernel/smp.c, 6.1 and 6.12: the CPU that was asked */
	{"non-responsive CSD lock", " for CPU#"},
};

static const char *find(const struct nmibt_log_record *record, const char *what)
{
	return memmem(record->text, record->len, what, strlen(what));
}

/* Digits at s, before end. */
static bool parse_cpu(const char *s, const char *end, unsigned int nr_cpus, unsigned int *ret)
{
	unsigned int cpu = 0;
	const char *at = s;

	for (; at < end && *at >= '0' && *at <= '9' && cpu < nr_cpus; at++)
		cpu = 10 * cpu + (*at - '0');
	if (at == s || cpu >= nr_cpus)
		return false;
	*ret = cpu;
	return true;
}

/* "rcu: \t3-...!: (0 ticks this GP) ...", of print_cpu_stall_info(). False: another message. */
static bool is_stalled_cpu(const struct nmibt_log_record *record)
{
	static const char start[] = "rcu: \t";

	return record->len > sizeof(start) && !memcmp(record->text, start, strlen(start));
}

static void note_cpu(struct nmibt_complaint *complaint, const char *s, const char *end,
		     unsigned int nr_cpus)
{
	unsigned int cpu;

	if (parse_cpu(s, end, nr_cpus, &cpu))
		complaint->cpus[cpu] = true;
}

static void note(struct nmibt_complaint *complaint, const struct pattern *pattern,
		 const struct nmibt_log_record *record, unsigned int nr_cpus)
{
	const char *newline = memchr(record->text, '\n', record->len);
	size_t len = newline ? (size_t)(newline - record->text) : record->len;
	const char *before = pattern->before_cpu ? find(record, pattern->before_cpu) : NULL;

	complaint->count++;
	complaint->ts_ns = record->ts_ns;
	*complaint->text = '\0';
	nmibt_because(complaint->text, "%.*s", (int)(len < 100 ? len : 100), record->text);
	if (before)
		note_cpu(complaint, before + strlen(pattern->before_cpu),
			 record->text + record->len, nr_cpus);
}

void nmibt_complaints_visit(void *ctx, const struct nmibt_log_record *record)
{
	struct nmibt_complaints *all = ctx;

	if (nmibt_log_is_of_user(record))
		return;
	if (all->stall && is_stalled_cpu(record)) {
		note_cpu(all->stall, record->text + strlen("rcu: \t"), record->text + record->len,
			 all->nr_cpus);
		return;
	}
	all->stall = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		if (!find(record, patterns[i].text))
			continue;
		note(&all->kinds[i], &patterns[i], record, all->nr_cpus);
		if (!patterns[i].before_cpu)
			all->stall = &all->kinds[i];
	}
}

struct nmibt_error *nmibt_complaints_new(unsigned int nr_cpus, struct nmibt_complaints **ret)
{
	struct nmibt_complaints *all = calloc(1, sizeof(*all));
	if (!all)
		return nmibt_error_nomem();

	_Static_assert(ARRAY_SIZE(patterns) == NMIBT_MAX_COMPLAINTS, "one for each pattern");
	all->nr_cpus = nr_cpus;
	for (size_t i = 0; i < NMIBT_MAX_COMPLAINTS; i++) {
		all->kinds[i].cpus = calloc(nr_cpus, sizeof(*all->kinds[i].cpus));
		if (!all->kinds[i].cpus) {
			nmibt_complaints_destroy(all);
			return nmibt_error_nomem();
		}
	}
	*ret = all;
	return NULL;
}

void nmibt_complaints_destroy(struct nmibt_complaints *complaints)
{
	for (size_t i = 0; complaints && i < NMIBT_MAX_COMPLAINTS; i++)
		free(complaints->kinds[i].cpus);
	free(complaints);
}
