// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conditions: a watchdog reports the same CPU, task or grace period again and again. A CPU in a
 * condition that is open at the death is stuck, whoever reported it.
 */
#include <inttypes.h>

#include "report/report.h"

#define SECOND UINT64_C(1000000000)

/*
 * How far apart reports of a kind are with the kernel's defaults, if two of them don't tell:
 *   kernel/watchdog.c: a soft lockup again after 2 * watchdog_thresh and a sample period;
 *   kernel/rcu/tree_stall.h: 3 * timeout + 3 s; kernel/rcu/tasks.h: its timeout;
 *   kernel/hung_task.c: its timeout; kernel/smp.c: csd_lock_timeout;
 *   kernel/workqueue.c: wq_watchdog_thresh (6.1, 6.12).
 * A hard lockup is reported once.
 */
static uint64_t default_interval(const struct nmibt_printout *p)
{
	switch (p->kind) {
	case NMIBT_PRINT_SOFT_LOCKUP:
		return (p->has_seconds && p->seconds < 20 ? p->seconds * 6 / 5 + 1 : 26) * SECOND;
	case NMIBT_PRINT_SELF_STALL:
	case NMIBT_PRINT_STALL:
		return nmibt_is_of_tasks(p->flavour) ? 600 * SECOND : 66 * SECOND;
	case NMIBT_PRINT_HUNG_TASK:
		return (p->has_seconds && p->seconds < 120 ? p->seconds : 120) * SECOND;
	case NMIBT_PRINT_STALLED_WORKERS:
		return 30 * SECOND;
	case NMIBT_PRINT_HARD_LOCKUP:
		return 12 * SECOND;
	default:
		return 10 * SECOND;
	}
}

bool nmibt_is_condition(enum nmibt_print kind)
{
	switch (kind) {
	case NMIBT_PRINT_SOFT_LOCKUP:
	case NMIBT_PRINT_HARD_LOCKUP:
	case NMIBT_PRINT_SELF_STALL:
	case NMIBT_PRINT_STALL:
	case NMIBT_PRINT_CSD_LOCKUP:
	case NMIBT_PRINT_HUNG_TASK:
	case NMIBT_PRINT_STALLED_WORKERS:
		return true;
	default:
		return false;
	}
}

/* Where no worker runs its report says nothing. */
static bool is_of_condition(const struct nmibt_report *report, const struct nmibt_printout *p)
{
	return nmibt_is_condition(p->kind) && nmibt_is_of_boot(report, p->first_seq) &&
	       (p->kind != NMIBT_PRINT_STALLED_WORKERS || p->nr_tasks);
}

/* RCU says of the same grace period now one, now the other. */
static enum nmibt_print kind_of(const struct nmibt_printout *p)
{
	return p->kind == NMIBT_PRINT_SELF_STALL ? NMIBT_PRINT_STALL : p->kind;
}

/* Is each CPU of a in b, too? */
static bool is_part(const struct nmibt_cpus *a, const struct nmibt_cpus *b)
{
	for (size_t i = 0, j = 0; i < a->nr; i++) {
		while (j < b->nr && b->ranges[j].last < a->ranges[i].first)
			j++;
		if (j == b->nr || b->ranges[j].first > a->ranges[i].first ||
		    b->ranges[j].last < a->ranges[i].last)
			return false;
	}
	return true;
}

static int compare_pids(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return x < y ? -1 : x > y;
}

static bool has_task(const struct nmibt_condition *c, int32_t pid)
{
	return c->nr_pids && bsearch(&pid, c->pids, c->nr_pids, sizeof(pid), compare_pids);
}

/* Is the report about no more than the condition has been about? */
static bool is_known_of(const struct nmibt_printout *p, const struct nmibt_condition *c)
{
	for (size_t i = 0; i < p->nr_tasks; i++) {
		if (!has_task(c, p->tasks[i].pid))
			return false;
	}
	return is_part(&p->cpus, &c->cpus);
}

static bool is_about_the_same(const struct nmibt_condition *c, const struct nmibt_printout *p)
{
	return c->nr_tasks == p->nr_tasks && is_part(&c->cpus, &p->cpus) && is_known_of(p, c);
}

static bool overlap(const struct nmibt_cpus *a, const struct nmibt_cpus *b)
{
	for (size_t i = 0, j = 0; i < a->nr && j < b->nr;) {
		if (a->ranges[i].last < b->ranges[j].first)
			i++;
		else if (b->ranges[j].last < a->ranges[i].first)
			j++;
		else
			return true;
	}
	return false;
}

/* For how long it was stuck, in ns, by the whole seconds in its first line. The seconds of a soft
 * lockup have 2^30 ns: kernel/watchdog.c: get_timestamp(), 5.10 to 6.12. */
static uint64_t lasted_ns(const struct nmibt_printout *p)
{
	uint64_t unit = p->kind == NMIBT_PRINT_SOFT_LOCKUP ? UINT64_C(1) << 30 : SECOND;

	return p->seconds > UINT64_MAX / unit ? UINT64_MAX : p->seconds * unit;
}

/* True: this report is of the same condition; false: the condition has ended in between. A report
 * of a soft lockup itself says since when it lasts. */
static bool goes_on_in_time(const struct nmibt_condition *c, const struct nmibt_printout *p)
{
	uint64_t usual = default_interval(p);
	uint64_t interval = c->count > 1 && c->interval_ns > usual ? c->interval_ns : usual;

	/* Clocks of CPUs differ, so the later record may have the earlier time. */
	if (p->begun_ns <= c->last_ns || p->begun_ns <= c->first_ns)
		return true;
	if (p->has_seconds) {
		uint64_t passed = p->begun_ns - c->first_ns;

		return passed <= 2 * SECOND || passed - 2 * SECOND <= lasted_ns(p);
	}
	return p->begun_ns - c->last_ns <= interval + interval / 2;
}

/*
 * Does a stall's report name all for whom RCU waits in that grace period? A CPU that reports itself
 * names no other (kernel/rcu/tree_stall.h: print_cpu_stall(), 6.12), and records or lines that name
 * others may be missing.
 */
static bool names_all(const struct nmibt_log_source *log, const struct nmibt_printout *p)
{
	return p->kind == NMIBT_PRINT_STALL && p->has_grace_period &&
	       p->caller_id != NMIBT_NO_CALLER && (p->cpus.nr || p->nr_tasks) &&
	       log->unread_seq < p->first_seq && !nmibt_has_gap_behind(log, p->first_seq);
}

/* RCU has one grace period of a flavour at a time. A report that does not tell which it is of can
 * only be known to be about the same CPUs and tasks. */
static bool is_of_grace_period(const struct nmibt_condition *c, const struct nmibt_printout *p,
			       bool is_all)
{
	if (c->has_grace_period != p->has_grace_period)
		return false;
	if (!p->has_grace_period)
		return is_about_the_same(c, p) && goes_on_in_time(c, p);
	return c->grace_period == p->grace_period && (is_all || is_about_the_same(c, p));
}

static bool is_renamed(const struct nmibt_condition *c, const struct nmibt_printout *p)
{
	return c->kind == NMIBT_PRINT_HUNG_TASK &&
	       strncmp(c->task.comm, p->task.comm, sizeof(c->task.comm)) != 0;
}

static bool goes_on(const struct nmibt_condition *c, const struct nmibt_printout *p, bool is_all)
{
	return c->kind == NMIBT_PRINT_STALL ? is_of_grace_period(c, p, is_all)
					    : goes_on_in_time(c, p);
}

static struct nmibt_error *add_cpus(struct nmibt_cpus *to, const struct nmibt_cpus *cpus)
{
	struct nmibt_cpu_range *ranges = malloc((to->nr + cpus->nr + 1) * sizeof(*ranges));
	size_t nr = 0;

	if (!ranges)
		return nmibt_error_nomem();
	for (size_t i = 0, j = 0; i < to->nr || j < cpus->nr;) {
		bool first = j == cpus->nr ||
			     (i < to->nr && to->ranges[i].first <= cpus->ranges[j].first);
		struct nmibt_cpu_range r = first ? to->ranges[i++] : cpus->ranges[j++];

		if (nr && r.first <= ranges[nr - 1].last + 1) {
			if (r.last > ranges[nr - 1].last)
				ranges[nr - 1].last = r.last;
		} else {
			ranges[nr++] = r;
		}
	}
	free(to->ranges);
	*to = (struct nmibt_cpus){ranges, nr};
	return NULL;
}

/* ------------------------------------------------------------- from report to report */

#define NR_BUCKETS 1024

/* The newest condition of each CPU or task: index + 1, 0 for none. They are looked up here, because
 * hundreds of CPUs may be in conditions, and a log full of lockups must not take quadratic time. */
struct newest {
	size_t soft_lockup[NMIBT_MAX_CPUS];
	size_t hard_lockup[NMIBT_MAX_CPUS];
	size_t csd_lockup[NMIBT_MAX_CPUS];
	struct {
		size_t by_cpu[NMIBT_MAX_CPUS], of_no_cpu;
		size_t of_grace_period; /* chain of those of the newest one */
	} stalls[NMIBT_NR_FLAVOURS][2]; /* by flavour and whether it is expedited */
	size_t stalled_workers;
	size_t hung_task[NR_BUCKETS]; /* by PID: the newest of each chain */
	size_t older[]; /* of each condition: the next one of its chain */
};

static size_t *newest_by_cpu(struct newest *newest, const struct nmibt_printout *p)
{
	switch (p->kind) {
	case NMIBT_PRINT_SOFT_LOCKUP:
		return newest->soft_lockup;
	case NMIBT_PRINT_HARD_LOCKUP:
		return newest->hard_lockup;
	case NMIBT_PRINT_CSD_LOCKUP:
		return newest->csd_lockup;
	default:
		return newest->stalls[p->flavour][p->is_expedited].by_cpu;
	}
}

/* The chain that the conditions of such reports are in; NULL: none. */
static size_t *chain_of(struct newest *newest, const struct nmibt_printout *p)
{
	if (kind_of(p) == NMIBT_PRINT_STALL)
		return p->has_grace_period
			       ? &newest->stalls[p->flavour][p->is_expedited].of_grace_period
			       : NULL;
	if (p->kind != NMIBT_PRINT_HUNG_TASK || !p->task.known)
		return NULL;
	return &newest->hung_task[(unsigned int)p->task.pid % NR_BUCKETS];
}

/* Index + 1 of the newest condition about the same CPU, task or grace period; 0: none. */
static size_t find_newest(const struct nmibt_report *report, struct newest *newest,
			  const struct nmibt_printout *p, bool is_all)
{
	const size_t *chain = chain_of(newest, p);
	size_t found = chain ? *chain : 0;

	if (found && is_all)
		return found;
	if (p->kind == NMIBT_PRINT_HUNG_TASK) {
		while (found && report->conditions[found - 1].task.pid != p->task.pid)
			found = newest->older[found - 1];
		return found;
	}
	if (p->kind == NMIBT_PRINT_STALLED_WORKERS)
		return newest->stalled_workers;
	if (!p->cpus.nr)
		return kind_of(p) == NMIBT_PRINT_STALL
			       ? newest->stalls[p->flavour][p->is_expedited].of_no_cpu
			       : 0;
	const size_t *by_cpu = newest_by_cpu(newest, p);
	found = 0;
	for (size_t i = 0; i < p->cpus.nr; i++) {
		for (unsigned int cpu = p->cpus.ranges[i].first;
		     cpu <= p->cpus.ranges[i].last && cpu < NMIBT_MAX_CPUS; cpu++)
			found = by_cpu[cpu] > found ? by_cpu[cpu] : found;
	}
	return found;
}

static void set_newest(struct newest *newest, const struct nmibt_printout *p, size_t condition,
		       bool is_new)
{
	size_t *chain = chain_of(newest, p);

	if (chain && is_new) {
		newest->older[condition - 1] = *chain;
		*chain = condition;
	}
	if (p->kind == NMIBT_PRINT_HUNG_TASK)
		return;
	if (p->kind == NMIBT_PRINT_STALLED_WORKERS) {
		newest->stalled_workers = condition;
		return;
	}
	if (!p->cpus.nr && kind_of(p) == NMIBT_PRINT_STALL)
		newest->stalls[p->flavour][p->is_expedited].of_no_cpu = condition;
	size_t *by_cpu = newest_by_cpu(newest, p);
	for (size_t i = 0; i < p->cpus.nr; i++) {
		for (unsigned int cpu = p->cpus.ranges[i].first;
		     cpu <= p->cpus.ranges[i].last && cpu < NMIBT_MAX_CPUS; cpu++)
			by_cpu[cpu] = condition;
	}
}

/* A report of RCU's shows that other grace periods of the flavour are over, and who is none of
 * those for whom it waits. */
static void end_stalls(struct nmibt_report *report, struct newest *newest,
		       const struct nmibt_printout *p, bool is_all)
{
	size_t *chain = chain_of(newest, p);
	size_t older = 0;

	if (kind_of(p) != NMIBT_PRINT_STALL || !chain)
		return;
	for (size_t i = *chain; i; i = older) {
		struct nmibt_condition *c = &report->conditions[i - 1];

		older = newest->older[i - 1];
		if (c->grace_period == p->grace_period &&
		    (!is_all || c->nr_tasks || overlap(&c->cpus, &p->cpus))) {
			chain = &newest->older[i - 1];
			continue;
		}
		c->is_over = true;
		*chain = older;
	}
}

/* Takes the CPUs and the tasks of the newest report. */
static struct nmibt_error *take_set(struct nmibt_condition *c, const struct nmibt_printout *p)
{
	struct nmibt_task *tasks = reallocarray(c->tasks, p->nr_tasks + 1, sizeof(*tasks));
	int32_t *pids = reallocarray(c->pids, p->nr_tasks + 1, sizeof(*pids));

	c->tasks = tasks ? tasks : c->tasks;
	c->pids = pids ? pids : c->pids;
	if (!tasks || !pids)
		return nmibt_error_nomem();
	for (size_t i = 0; i < p->nr_tasks; i++) {
		tasks[i] = p->tasks[i];
		pids[i] = p->tasks[i].pid;
	}
	qsort(pids, p->nr_tasks, sizeof(*pids), compare_pids);
	c->nr_tasks = c->nr_pids = p->nr_tasks;
	return add_cpus(&c->cpus, &p->cpus);
}

static struct nmibt_error *begin_condition(struct nmibt_report *report, size_t i)
{
	const struct nmibt_printout *p = &report->sources->log->printouts[i];
	struct nmibt_condition *c = &report->conditions[report->nr_conditions++];
	bool has_since = p->has_seconds && lasted_ns(p) <= p->begun_ns;

	*c = (struct nmibt_condition){
		.kind = kind_of(p),
		.flavour = p->flavour,
		.is_expedited = p->is_expedited,
		.has_grace_period = p->has_grace_period,
		.grace_period = p->grace_period,
		.task = p->task,
		.owner = p->owner,
		.count = 1,
		.has_since = has_since,
		.since_ns = has_since ? p->begun_ns - lasted_ns(p) : p->begun_ns,
		.first_ns = p->begun_ns,
		.last_ns = p->begun_ns,
		.interval_ns = default_interval(p),
		.first = i + 1,
		.last = i + 1,
	};
	return take_set(c, p);
}

static struct nmibt_error *go_on(struct nmibt_condition *c, const struct nmibt_printout *p,
				 size_t i)
{
	if (p->begun_ns > c->last_ns) {
		uint64_t interval = p->begun_ns - c->last_ns;

		if (c->count == 1 || interval < c->interval_ns)
			c->interval_ns = interval;
	}
	c->count++;
	if (c->kind == NMIBT_PRINT_STALL) {
		/* Whom it does not name any more RCU does not wait for. */
		c->is_uneven |= !is_known_of(p, c);
		c->cpus.nr = 0;
	}
	c->owner = p->owner;
	c->last_ns = p->begun_ns;
	c->last = i + 1;
	return take_set(c, p);
}

/* What is reported now of the same CPU or task is another condition, as its name or its seconds
 * tell. That this one ended is not certain: a console that is slow sets the seconds back
 * (drivers/tty/serial/8250/8250_port.c: wait_for_xmitr(), 6.12), 4.19 prints the timeout in their
 * place for hung tasks, and a task may be renamed. Of CSD locks a CPU may hold up several. */
static void end_condition(struct nmibt_condition *c, const struct nmibt_printout *p)
{
	c->is_replaced |= is_renamed(c, p) || (p->has_seconds && p->kind != NMIBT_PRINT_CSD_LOCKUP);
}

static struct nmibt_error *take(struct nmibt_report *report, struct newest *newest, size_t i)
{
	const struct nmibt_printout *p = &report->sources->log->printouts[i];
	bool is_all = names_all(report->sources->log, p);

	end_stalls(report, newest, p, is_all);
	size_t condition = find_newest(report, newest, p, is_all);
	struct nmibt_condition *c = condition ? &report->conditions[condition - 1] : NULL;
	bool is_new = !c || c->is_over || is_renamed(c, p) || !goes_on(c, p, is_all);
	struct nmibt_error *err;

	if (!is_new) {
		err = go_on(c, p, i);
	} else {
		if (c)
			end_condition(c, p);
		err = begin_condition(report, i);
		condition = report->nr_conditions;
	}
	set_newest(newest, p, condition, is_new);
	return err;
}

/* Finds out since when a stall lasts. RCU reports it in jiffies. Two reports of one stall show how
 * many jiffies are a second (HZ is 100, 250, 300 or 1000: kernel/Kconfig.hz, 6.12). */
static void find_since(const struct nmibt_report *report, struct nmibt_condition *c)
{
	static const uint64_t rates[] = {100, 250, 300, 1000};
	const struct nmibt_printout *first = &report->sources->log->printouts[c->first - 1];
	const struct nmibt_printout *last = &report->sources->log->printouts[c->last - 1];

	if (c->has_since || !first->jiffies || last->jiffies <= first->jiffies ||
	    last->begun_ns <= first->begun_ns)
		return;
	double hz = (last->jiffies - first->jiffies) * 1e9 / (last->begun_ns - first->begun_ns);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		double lasted = first->jiffies * 1e9 / rates[i];

		if (hz < rates[i] * 0.95 || hz > rates[i] * 1.05 || lasted > first->begun_ns)
			continue;
		c->has_since = true;
		c->since_ns = first->begun_ns - (uint64_t)lasted;
		return;
	}
}

struct nmibt_age nmibt_age_of_condition(const struct nmibt_report *report,
					const struct nmibt_condition *c)
{
	const struct nmibt_printout *last = &report->sources->log->printouts[c->last - 1];

	return nmibt_age_of(report, NMIBT_CLOCK_LOG, c->last_ns, last->first_seq);
}

/* True: the newest report, whose age is given, is younger than 1.5 intervals at the death; without
 * a death, at the dump. */
static bool is_young(const struct nmibt_condition *c, struct nmibt_age age)
{
	return age.kind != NMIBT_AGE_UNKNOWN &&
	       age.ns < (int64_t)(c->interval_ns + c->interval_ns / 2);
}

/* Does this report show that no worker runs? Not where records that had them may be lost, or
 * the death may have cut it: it is printed in one go, by an interrupt. */
static bool has_no_worker(const struct nmibt_report *report, const struct nmibt_printout *p)
{
	struct nmibt_age age = nmibt_age_of(report, NMIBT_CLOCK_LOG, p->begun_ns, p->first_seq);

	return !p->nr_tasks && !nmibt_has_gap_behind(report->sources->log, p->first_seq) &&
	       age.kind != NMIBT_AGE_UNKNOWN && age.ns > (int64_t)SECOND;
}

/* Its newest report shows no worker that runs. */
static bool has_no_worker_left(const struct nmibt_report *report, const struct nmibt_condition *c)
{
	const struct nmibt_log_source *log = report->sources->log;

	for (size_t i = log->nr_printouts; c->kind == NMIBT_PRINT_STALLED_WORKERS && i > c->last;
	     i--) {
		if (log->printouts[i - 1].kind == NMIBT_PRINT_STALLED_WORKERS)
			return has_no_worker(report, &log->printouts[i - 1]);
	}
	return false;
}

/* The kernel says that a CPU ran what it was asked to run. */
static bool is_released(const struct nmibt_report *report, const struct nmibt_condition *c)
{
	const struct nmibt_log_source *log = report->sources->log;
	uint64_t last = log->printouts[c->last - 1].first_seq;

	for (size_t i = log->nr_events; c->kind == NMIBT_PRINT_CSD_LOCKUP && i > 0; i--) {
		const struct nmibt_log_event *event = &log->events[i - 1];

		if (event->seq < last)
			break;
		if (event->kind == NMIBT_PRINT_CSD_RELEASED && overlap(&event->cpus, &c->cpus))
			return true;
	}
	return false;
}

static bool has_run(const struct nmibt_report *report, const struct nmibt_condition *c)
{
	const struct nmibt_log_source *log = report->sources->log;

	return c->kind == NMIBT_PRINT_HUNG_TASK &&
	       nmibt_log_has_run(log, &c->task, log->printouts[c->last - 1].first_seq);
}

/* A hung task is not blocked on any CPU. A task that reads under RCU may do so on a CPU, but not in
 * user mode. If the PID is that of a new task by now, the old one is gone. */
void nmibt_condition_look(struct nmibt_condition *c, const struct nmibt_evidence *evidence)
{
	const struct nmibt_task *task = &evidence->task;

	if (!task->known)
		return;
	if (c->kind == NMIBT_PRINT_HUNG_TASK)
		c->have_tasks_left |= c->task.known && c->task.pid == task->pid;
	if (c->kind != NMIBT_PRINT_STALL || !evidence->is_user || !has_task(c, task->pid))
		return;
	for (size_t i = 0; i < c->nr_tasks; i++) {
		if (c->tasks[i].pid != task->pid)
			continue;
		c->have_tasks_left = c->nr_tasks == 1;
		if (c->have_tasks_left && !c->cpus.nr)
			return;
		c->nr_tasks--;
		memmove(&c->tasks[i], &c->tasks[i + 1], (c->nr_tasks - i) * sizeof(*c->tasks));
		return;
	}
}

/* A record that says that it is over may be lost. */
static bool may_be_released(const struct nmibt_condition *c)
{
	return c->kind == NMIBT_PRINT_CSD_LOCKUP && c->has_gap_behind;
}

/* After so many hung tasks khungtaskd is silent (kernel/hung_task.c: check_hung_task(), 6.12).
 * True: it was before the next report was due. */
static bool is_suppressed(const struct nmibt_report *report, const struct nmibt_condition *c)
{
	const struct nmibt_log_source *log = report->sources->log;
	uint64_t first = log->printouts[c->last - 1].first_seq;

	if (c->kind != NMIBT_PRINT_HUNG_TASK || c->is_replaced)
		return false;
	for (size_t i = log->nr_events; i > 0 && log->events[i - 1].seq >= first; i--) {
		const struct nmibt_log_event *event = &log->events[i - 1];

		if (event->kind == NMIBT_PRINT_HUNG_SUPPRESSED &&
		    event->ts_ns <= c->last_ns + c->interval_ns + c->interval_ns / 2)
			return true;
	}
	return false;
}

struct nmibt_error *nmibt_find_conditions(struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;
	size_t nr = 0;

	for (size_t i = 0; log && i < log->nr_printouts; i++)
		nr += is_of_condition(report, &log->printouts[i]);
	if (!nr)
		return NULL;
	_cleanup_free_ struct newest *newest = calloc(1, sizeof(*newest) + nr * sizeof(size_t));
	report->conditions = calloc(nr, sizeof(*report->conditions));
	if (!newest || !report->conditions)
		return nmibt_error_nomem();
	for (size_t i = 0; i < log->nr_printouts; i++) {
		if (!is_of_condition(report, &log->printouts[i]))
			continue;
		struct nmibt_error *err = take(report, newest, i);
		if (err)
			return err;
	}
	for (size_t i = 0; i < report->nr_conditions; i++)
		find_since(report, &report->conditions[i]);
	for (size_t i = 0; i < report->nr_conditions; i++) {
		struct nmibt_condition *c = &report->conditions[i];
		struct nmibt_age age = nmibt_age_of_condition(report, c);

		c->has_gap_behind =
			nmibt_has_gap_behind(log, log->printouts[c->last - 1].first_seq);
		c->is_over |= has_run(report, c) || is_released(report, c) ||
			      has_no_worker_left(report, c) || age.suspended;
		c->is_open = !c->is_over && !c->is_replaced && !age.may_be_suspended &&
			     !may_be_released(c) && is_young(c, age);
		c->is_suppressed = is_suppressed(report, c);
	}
	return NULL;
}

bool nmibt_condition_is_about(const struct nmibt_condition *condition, unsigned int cpu)
{
	return nmibt_cpus_has(&condition->cpus, cpu);
}

void nmibt_conditions_destroy(struct nmibt_report *report)
{
	for (size_t i = 0; i < report->nr_conditions; i++) {
		free(report->conditions[i].cpus.ranges);
		free(report->conditions[i].tasks);
		free(report->conditions[i].pids);
	}
	free(report->conditions);
}
