// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The timeline: the first thing since boot that should not have happened, oopses that the panic did
 * not come out of, conditions, suspends, and the death.
 */
#include <inttypes.h>

#include "report/report.h"

/* The newest request, the newest suspend, the death, and a dump that failed. */
#define NR_SINGLE_MOMENTS 4

/* There is room for all moments: nmibt_make_timeline() counts them. */
static struct nmibt_moment *add(struct nmibt_report *report, enum nmibt_moment_kind kind,
				uint64_t ns, uint64_t seq, const char *text)
{
	struct nmibt_moment *moment = &report->timeline[report->nr_moments++];

	*moment = (struct nmibt_moment){
		.kind = kind,
		.has_ns = true,
		.ns = ns,
		.seq = seq,
		.age = nmibt_age_of(report, NMIBT_CLOCK_LOG, ns, seq),
	};
	if (text)
		nmibt_add_reason(moment->text, "%.*s", 140, text);
	return moment;
}

static bool is_bad(const struct nmibt_printout *p)
{
	/* A crash that somebody asked for is the death itself (drivers/tty/sysrq.c:
	 * sysrq_handle_crash(), 6.12). */
	return p->kind >= NMIBT_PRINT_PANIC && p->kind <= NMIBT_PRINT_WARNING &&
	       !strstr(p->message, "Trigger a crash");
}

/* True: another caller than the panic's printed the cause of an oops, and nothing behind it. What
 * the panic's own caller printed so may be why it panicked. */
static bool is_begun_elsewhere(const struct nmibt_report *report, const struct nmibt_printout *p)
{
	const struct nmibt_printout *printouts = report->sources->log->printouts;
	size_t panic = report->death.printout;

	return p->kind == NMIBT_PRINT_OOPS_CAUSE && !p->has_ended && panic &&
	       p->caller_id != printouts[panic - 1].caller_id;
}

/* True: an oops that began before the death, and the panic did not come from it. */
static bool is_other_oops(const struct nmibt_report *report, size_t printout)
{
	const struct nmibt_printout *p = &report->sources->log->printouts[printout - 1];

	return (p->kind == NMIBT_PRINT_OOPS || is_begun_elsewhere(report, p)) &&
	       printout != report->death.cause && !nmibt_belongs(report, printout, p->first_seq);
}

static void add_printouts(struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;
	/* If older printouts were dropped, the first one is not known. */
	bool is_first = !log->nr_dropped;

	for (size_t i = 0; i < log->nr_printouts; i++) {
		const struct nmibt_printout *p = &log->printouts[i];
		bool is_death = i + 1 == report->death.printout || i + 1 == report->death.cause;

		if (!is_bad(p) || !nmibt_is_of_boot(report, p->first_seq))
			continue;
		if (is_first && !is_death && p->kind != NMIBT_PRINT_PANIC)
			add(report, NMIBT_MOMENT_FIRST_BAD, p->begun_ns, p->first_seq, p->message);
		else if (is_other_oops(report, i + 1))
			add(report, p->has_ended ? NMIBT_MOMENT_OOPS : NMIBT_MOMENT_UNENDED_OOPS,
			    p->begun_ns, p->first_seq, p->message);
		is_first = false;
	}
}

static bool has_answered(const struct nmibt_log_source *log, unsigned int cpu, size_t request)
{
	for (size_t i = log->newest[cpu]; i; i = log->traces[i - 1].older) {
		if (log->traces[i - 1].request == request)
			return true;
	}
	return false;
}

/* How many of the CPUs that the request asked did not answer. */
static unsigned int count_unanswered(const struct nmibt_log_source *log, size_t request)
{
	const struct nmibt_cpus *asked = &log->requests[request - 1].asked;
	unsigned int count = 0;

	for (size_t i = 0; i < asked->nr; i++) {
		for (unsigned int cpu = asked->ranges[i].first;
		     cpu <= asked->ranges[i].last && cpu < NMIBT_MAX_CPUS; cpu++)
			count += !has_answered(log, cpu, request);
	}
	return count;
}

/* For so long the kernel waits for answers: lib/nmi_backtrace.c:
 * nmi_trigger_cpumask_backtrace(), 6.12. */
#define ANSWER_TIME_NS INT64_C(10000000000)

/* True: an answer would be in the log. Not if records are lost; nor if the kernel died, or was
 * dumped, while it waited for answers. */
static bool was_wait_over(const struct nmibt_report *report, const struct nmibt_request *r)
{
	struct nmibt_age age = nmibt_age_of(report, NMIBT_CLOCK_LOG, r->ts_ns, r->seq);

	return !report->sources->log->nr_gaps && age.kind != NMIBT_AGE_UNKNOWN &&
	       age.ns >= ANSWER_TIME_NS;
}

static void describe_request(const struct nmibt_report *report, size_t request, char *buf,
			     size_t len)
{
	const struct nmibt_log_source *log = report->sources->log;
	const struct nmibt_request *r = &log->requests[request - 1];
	unsigned int nr_asked = nmibt_cpus_count(&r->asked);
	unsigned int nr_silent = was_wait_over(report, r) ? count_unanswered(log, request) : 0;
	char silent[48] = "";

	if (r->by_cpu == NMIBT_NO_CPU) {
		snprintf(buf, len, "backtraces of all CPUs were asked for");
		return;
	}
	if (nr_silent == nr_asked)
		snprintf(silent, sizeof(silent), ", no answer");
	else if (nr_silent)
		snprintf(silent, sizeof(silent), ", %u did not answer", nr_silent);
	snprintf(buf, len, "CPU %u asked %u CPU%s for backtraces%s", r->by_cpu, nr_asked,
		 nmibt_plural(nr_asked), silent);
}

/* Adds the newest request before the death. */
static void add_request(struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;

	for (size_t i = log->nr_requests; i > 0; i--) {
		const struct nmibt_request *r = &log->requests[i - 1];
		char text[96];

		if (!nmibt_is_of_boot(report, r->seq) ||
		    (report->death.has_seq && r->seq >= report->death.seq))
			continue;
		if (r->printout && is_bad(&log->printouts[r->printout - 1]))
			return;
		describe_request(report, i, text, sizeof(text));
		add(report, NMIBT_MOMENT_REQUEST, r->ts_ns, r->seq, text);
		return;
	}
}

static void add_suspends(struct nmibt_report *report)
{
	if (!report->nr_suspends)
		return;
	/* Only the newest suspend matters for ages. */
	const struct nmibt_suspend *newest = &report->suspends[report->nr_suspends - 1];
	const struct nmibt_log_event *event = &report->sources->log->events[newest->event];

	add(report, NMIBT_MOMENT_SUSPEND, event->ts_ns, event->seq, event->message);
}

static void add_conditions(struct nmibt_report *report)
{
	for (size_t i = 0; i < report->nr_conditions; i++) {
		const struct nmibt_condition *c = &report->conditions[i];
		const struct nmibt_printout *p = &report->sources->log->printouts[c->last - 1];

		/* If it was reported once and led to the death, the death is the same moment. */
		if (c->count == 1 && c->last == report->death.cause)
			continue;
		struct nmibt_moment *moment =
			add(report, NMIBT_MOMENT_CONDITION, c->last_ns, p->first_seq, p->message);
		moment->condition = i + 1;
		moment->cpus = c->cpus;
	}
}

/* The capture kernel's clock is another one, so this moment has no time. */
static void add_failure(struct nmibt_report *report)
{
	if (!report->death.dump_failed)
		return;
	struct nmibt_moment *moment =
		add(report, NMIBT_MOMENT_DUMP_FAILED, 0, UINT64_MAX, report->death.dump_failed);
	moment->has_ns = false;
	moment->age = (struct nmibt_age){0};
}

static void add_death(struct nmibt_report *report)
{
	const struct nmibt_death *death = &report->death;

	if (!death->is_known)
		return;
	struct nmibt_moment *moment =
		add(report, NMIBT_MOMENT_DEATH, death->ns, death->seq, death->message);
	moment->has_ns = death->has_seq;
	if (!death->has_seq)
		moment->age = (struct nmibt_age){.kind = death->has_request_ns ? NMIBT_AGE_EXACT
									       : NMIBT_AGE_UNKNOWN};
	add_failure(report);
}

static int compare_moments(const void *a, const void *b)
{
	const struct nmibt_moment *x = a, *y = b;

	/* Moments are sorted by record number, not by the clock; one without a record is last. */
	if (x->has_ns != y->has_ns)
		return x->has_ns ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

struct nmibt_error *nmibt_make_timeline(struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;
	size_t most = (log ? log->nr_printouts : 0) + report->nr_conditions + NR_SINGLE_MOMENTS;

	report->timeline = calloc(most, sizeof(*report->timeline));
	if (!report->timeline)
		return nmibt_error_nomem();
	if (report->is_capture_kernel) {
		add_failure(report);
		return NULL;
	}
	if (log) {
		add_printouts(report);
		add_request(report);
		add_suspends(report);
		add_conditions(report);
	}
	add_death(report);
	qsort(report->timeline, report->nr_moments, sizeof(*report->timeline), compare_moments);
	return NULL;
}
