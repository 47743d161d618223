// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ages: how long before the death something happened. The order of events is that of the log's
 * record numbers. An age is a difference on one clock; times of two clocks are never compared.
 */
#include "report/report.h"

/* -------------------------------------------------------------------- suspends */

enum attempt {
	ATTEMPT_NONE,
	ATTEMPT_BEGUN,
	ATTEMPT_FAILED,
	ATTEMPT_SLEPT,
};

/*
 * The kernel tells that it begins to suspend, and that it is back, whether or not the machine slept
 * (kernel/power/suspend.c: pm_suspend(), 6.12). It tells why it did not, mostly. Where it takes all
 * other CPUs down and starts them again it did; suspend-to-idle has no such line.
 */
struct search {
	struct nmibt_report *report;
	enum attempt attempt;
	/* Since when; behind an attempt since when another one, if its beginning is lost. */
	uint64_t first_seq;
	size_t event; /* that began it */
	bool is_first; /* no line of an attempt was before */
};

static void add_suspend(struct search *s, struct nmibt_suspend suspend)
{
	s->report->suspends[s->report->nr_suspends++] = suspend;
}

static void begin(struct search *s, enum attempt attempt, uint64_t seq, size_t event)
{
	s->attempt = attempt;
	s->first_seq = seq;
	s->event = event;
}

static bool may_lack_beginning(const struct search *s)
{
	return s->attempt == ATTEMPT_NONE &&
	       (s->is_first || nmibt_has_gap_behind(s->report->sources->log, s->first_seq));
}

static void take_resume(struct search *s, uint64_t seq, size_t event)
{
	if (s->attempt == ATTEMPT_SLEPT) {
		s->report->suspends[s->report->nr_suspends - 1].event = event;
		return;
	}
	if (s->attempt == ATTEMPT_BEGUN || may_lack_beginning(s))
		add_suspend(s, (struct nmibt_suspend){
				       .first_seq = s->first_seq,
				       .last_seq = seq,
				       .event = s->attempt == ATTEMPT_BEGUN ? s->event : event});
	begin(s, ATTEMPT_NONE, seq, event);
}

static void take_event(struct search *s, uint64_t seq, size_t i)
{
	switch (s->report->sources->log->events[i].kind) {
	case NMIBT_PRINT_SUSPEND:
		if (s->attempt != ATTEMPT_BEGUN)
			begin(s, ATTEMPT_BEGUN, seq, i);
		break;
	case NMIBT_PRINT_NO_SLEEP:
		s->attempt = ATTEMPT_FAILED;
		break;
	case NMIBT_PRINT_SLEPT:
		if (s->attempt == ATTEMPT_FAILED)
			break;
		add_suspend(s, (struct nmibt_suspend){seq, seq, .is_sure = true, .event = i});
		s->attempt = ATTEMPT_SLEPT;
		break;
	case NMIBT_PRINT_RESUME:
		take_resume(s, seq, i);
		break;
	default:
		return;
	}
	s->is_first = false;
}

struct nmibt_error *nmibt_find_suspends(struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;
	struct search s = {.report = report, .is_first = true};

	if (!log || !log->nr_events)
		return NULL;
	report->suspends = calloc(log->nr_events, sizeof(*report->suspends));
	if (!report->suspends)
		return nmibt_error_nomem();
	for (size_t i = 0; i < log->nr_events; i++)
		take_event(&s, log->events[i].seq, i);
	if (s.attempt == ATTEMPT_BEGUN)
		add_suspend(&s, (struct nmibt_suspend){.first_seq = s.first_seq,
						       .last_seq = UINT64_MAX,
						       .event = s.event});
	return NULL;
}

/* local_clock() stands still meanwhile (kernel/sched/clock.c, 6.12), so that a difference of times
 * counts only the time awake. */
static bool is_between(const struct nmibt_suspend *s, uint64_t from_seq, uint64_t to_seq)
{
	return s->last_seq > from_seq && s->first_seq < to_seq;
}

static bool has_suspend(const struct nmibt_report *report, uint64_t from_seq, uint64_t to_seq,
			bool only_sure)
{
	for (size_t i = 0; i < report->nr_suspends; i++) {
		const struct nmibt_suspend *s = &report->suspends[i];

		if ((s->is_sure || !only_sure) && is_between(s, from_seq, to_seq))
			return true;
	}
	return false;
}

bool nmibt_was_suspended(const struct nmibt_report *report, uint64_t from_seq, uint64_t to_seq)
{
	return has_suspend(report, from_seq, to_seq, true);
}

/* ------------------------------------------------------------------------ ages */

static bool contradict(uint64_t ns, uint64_t seq, const struct nmibt_death *death)
{
	return seq < death->seq ? ns > death->ns + NMIBT_CLOCK_SKEW_NS
				: ns + NMIBT_CLOCK_SKEW_NS < death->ns;
}

struct nmibt_age nmibt_age_of(const struct nmibt_report *report, enum nmibt_clock clock,
			      uint64_t ns, uint64_t seq)
{
	const struct nmibt_log_source *log = report->sources->log;
	const struct nmibt_death *death = &report->death;
	struct nmibt_age age = {.kind = NMIBT_AGE_UNKNOWN};

	if (clock != NMIBT_CLOCK_LOG || !log || log->has_no_times)
		return age;
	bool is_dated = death->has_seq || death->has_request_ns;
	uint64_t death_ns = death->has_seq ? death->ns : death->request_ns;
	uint64_t to_seq = death->has_seq ? death->seq : UINT64_MAX;
	age.suspended = nmibt_was_suspended(report, seq, to_seq);
	age.may_be_suspended = has_suspend(report, seq, to_seq, false);
	/* If the clocks of two CPUs contradict the order of the records, no age is known. */
	if (death->has_seq ? contradict(ns, seq, death)
			   : !is_dated && ns > log->last_ns + NMIBT_CLOCK_SKEW_NS) {
		age.is_before = death->has_seq && seq < death->seq;
		age.is_after = death->has_seq && !age.is_before;
		return age;
	}
	/* If the first record of the death is missing, and no capture was asked then, the log's
	 * newest record is the latest known time before it. */
	age.ns = (int64_t)((is_dated ? death_ns : log->last_ns) - ns);
	age.kind = is_dated && !age.may_be_suspended ? NMIBT_AGE_EXACT : NMIBT_AGE_AT_LEAST;
	return age;
}

void nmibt_format_duration(int64_t ns, char *buf, size_t len)
{
	uint64_t ms = (ns < 0 ? -(uint64_t)ns : (uint64_t)ns) / 1000000, s = ms / 1000,
		 min = s / 60;

	if (s < 10)
		snprintf(buf, len, "%u.%03u s", (unsigned int)s, (unsigned int)(ms % 1000));
	else if (min < 2)
		snprintf(buf, len, "%u s", (unsigned int)s);
	else if (min < 120)
		snprintf(buf, len, "%u min", (unsigned int)min);
	else if (min < 48 * 60)
		snprintf(buf, len, "%u h %u min", (unsigned int)(min / 60),
			 (unsigned int)(min % 60));
	else
		snprintf(buf, len, "%u days", (unsigned int)(min / 60 / 24));
}

/* "At least 0 s" says nothing, so it is printed differently. */
static bool is_no_time(struct nmibt_age age)
{
	return age.ns < 1000000 && age.ns > -1000000;
}

void nmibt_format_offset(struct nmibt_age age, char *buf, size_t len)
{
	char duration[32];

	if (age.kind == NMIBT_AGE_UNKNOWN || (age.kind == NMIBT_AGE_AT_LEAST && is_no_time(age))) {
		snprintf(buf, len, "?");
		return;
	}
	if (is_no_time(age)) {
		snprintf(buf, len, "0");
		return;
	}
	nmibt_format_duration(age.ns, duration, sizeof(duration));
	snprintf(buf, len, "%s%s%s", age.ns < 0 ? "+" : "-", duration,
		 age.kind == NMIBT_AGE_AT_LEAST ? " or more" : "");
}

void nmibt_format_age(const struct nmibt_report *report, struct nmibt_age age, char *buf,
		      size_t len)
{
	/* If the panic is not in the log, the newest record may be later than the panic. */
	const char *what = report->death.has_seq	  ? "the panic"
			   : report->death.has_request_ns ? "the capture"
							  : "the dump";
	char duration[32];

	*buf = '\0';
	if (age.kind == NMIBT_AGE_UNKNOWN) {
		if (age.is_before || age.is_after)
			snprintf(buf, len, "some time %s %s", age.is_before ? "before" : "after",
				 what);
		return;
	}
	/* How much later the death or the dump was is not known. */
	if (age.kind == NMIBT_AGE_AT_LEAST && is_no_time(age) && !age.suspended) {
		snprintf(buf, len, "before %s", what);
		return;
	}
	if (age.kind == NMIBT_AGE_EXACT && is_no_time(age)) {
		snprintf(buf, len, "at %s", what);
		return;
	}
	nmibt_format_duration(age.ns, duration, sizeof(duration));
	snprintf(buf, len, "%s%s %s %s%s", age.kind == NMIBT_AGE_AT_LEAST ? "at least " : "",
		 duration, age.ns < 0 ? "after" : "before", what,
		 age.suspended ? ", suspended in between" : "");
}
