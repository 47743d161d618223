// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first screen: the case, then the findings in the order in which people want to read them,
 * then their sources. Each line begins with a label of a fixed width.
 */
#include <time.h>

#include "render/render.h"

#define LABEL_WIDTH 12

static void begin(struct renderer *r, const char *label)
{
	nmibt_begin_line(r);
	nmibt_paint(r, BOLD);
	fprintf(r->out, "%-*s", LABEL_WIDTH, label);
	nmibt_unpaint(r);
}

static void end(struct renderer *r)
{
	nmibt_end_line(r, LABEL_WIDTH, " ");
}

/* The first line of an untrusted string. */
static void put_line(struct renderer *r, const char *s)
{
	nmibt_escape(r->out, s, strcspn(s, "\n"), false);
}

static void field(struct renderer *r, const char *label, const char *s)
{
	if (!s)
		return;
	begin(r, label);
	put_line(r, s);
	end(r);
}

/* ------------------------------------------------------------------------- the case */

/* The label says that it is a panic, so the kernel's title is left out. */
static void put_panic(struct renderer *r, const char *message)
{
	struct nmibt_str words = nmibt_panic_words(message);

	nmibt_escape(r->out, words.s, words.len, false);
}

static const char *captured_words(const struct nmibt_report *report)
{
	if (report->death.printout)
		return "by the capture; the log has only the beginning";
	switch (report->sources->states[NMIBT_SOURCE_LOG].found) {
	case NMIBT_FOUND_UNREADABLE:
		return "by the capture; the log can't be read";
	case NMIBT_FOUND_ABSENT:
		return "by the capture; the log was not found";
	default:
		return nmibt_log_nr_missing(&report->sources->log->missing)
			       ? "by the capture; what there is of the log does not have it"
			       : "by the capture; the log does not have it";
	}
}

/* Writes that the message is the capture's, or that the capture has another one. */
static void render_captured(struct renderer *r)
{
	const struct nmibt_death *death = &r->report->death;

	if (death->is_message_captured) {
		field(r, "", captured_words(r->report));
	} else if (death->is_message_disputed && r->options->verbose) {
		begin(r, "");
		fputs("the capture has another message: ", r->out);
		put_panic(r, death->captured);
		end(r);
	}
}

/* If the message of the panic is not known, names the evidence that there was one. */
static void put_witnesses(struct renderer *r, const struct nmibt_death *death)
{
	const struct {
		bool tells;
		const char *name;
	} witnesses[] = {
		{death->by_capture, "the capture"},
		{death->by_panic_cpu, "panic_cpu"},
		{death->by_kdump, "the stop for kdump"},
		{death->by_log, "the log"},
		{death->by_registers, "the registers"},
		{death->by_pstore, "the kernel's record in pstore"},
	};
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(witnesses); i++) {
		if (!witnesses[i].tells)
			continue;
		fprintf(r->out, "%s%s", comma, witnesses[i].name);
		comma = ", ";
	}
}

/* The memory of a capture kernel has no evidence about the kernel that died before it. */
static void render_capture_kernel(struct renderer *r)
{
	const char *why = r->report->kernel->why_capture;

	begin(r, "panic");
	fprintf(r->out,
		"not known: the dump is of a capture kernel, not of the kernel that died%s%s",
		*why ? "; " : "", why);
	end(r);
}

/* Where the log, or panic_cpu, can't be read, they may tell of a panic. */
static void render_no_panic(struct renderer *r)
{
	const char *lost = nmibt_lost_witness(r->report);

	if (!lost) {
		field(r, "panic", "none: nothing tells that this kernel died");
		return;
	}
	begin(r, "panic");
	fprintf(r->out, "not known: %s", lost);
	end(r);
}

static void render_why(struct renderer *r)
{
	const struct nmibt_death *death = &r->report->death;
	const struct nmibt_log_source *log = r->report->sources->log;
	const char *setting = r->report->case_info.setting;

	if (r->report->is_capture_kernel) {
		render_capture_kernel(r);
		return;
	}
	if (!death->is_known) {
		render_no_panic(r);
		return;
	}
	begin(r, "panic");
	if (death->message) {
		put_panic(r, death->message);
	} else {
		fputs("its message is not known; told by ", r->out);
		put_witnesses(r, death);
	}
	end(r);
	render_captured(r);
	if (log && death->cause && (death->printout || death->is_message_captured))
		field(r, "cause", log->printouts[death->cause - 1].message);
	if (setting) {
		begin(r, "setting");
		fprintf(r->out, "%s made that a panic", setting);
		end(r);
	}
}

/* Writes how the capture kernel ended, which is another kernel than the one that died. */
static void render_failure(struct renderer *r)
{
	const char *message = r->report->death.dump_failed;

	if (!message && r->report->kernel->capture)
		field(r, "dump", "made while the capture kernel ran; this is the kernel before it");
	if (!message)
		return;
	begin(r, "dump");
	fputs("the dump failed, in the capture kernel: ", r->out);
	put_panic(r, message);
	end(r);
}

static void put_time(struct renderer *r, uint64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;
	char text[64];

	if (seconds <= INT64_MAX && gmtime_r(&time, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		fputs(text, r->out);
	else
		fprintf(r->out, "%" PRIu64 " s since 1970", seconds);
}

static void render_when(struct renderer *r)
{
	const struct nmibt_case *case_info = &r->report->case_info;
	char up[32];

	if (!case_info->has_time && !case_info->has_uptime)
		return;
	begin(r, r->report->death.is_known ? "died" : "uptime");
	if (case_info->has_time)
		put_time(r, case_info->time);
	else if (r->report->death.is_known)
		fputs("at an unknown time", r->out);
	if (case_info->has_uptime) {
		nmibt_format_duration((int64_t)case_info->uptime_ns, up, sizeof(up));
		fprintf(r->out, "%s%s%s", r->report->death.is_known ? ", up " : "",
			case_info->is_uptime_least ? "at least " : "", up);
	}
	end(r);
}

/* Writes "G        W  O" in words, and the kernel's own letters, for people who search for them. */
static void render_taint(struct renderer *r)
{
	const char *taint = r->report->case_info.taint, *comma = "";
	uint64_t nameless = r->report->case_info.nameless_taint;
	size_t at = 0;
	char letter = nmibt_next_taint(taint, &at);

	if (!letter && !nameless)
		return;
	begin(r, "taint");
	for (; letter; letter = nmibt_next_taint(taint, &at)) {
		const char *words = nmibt_taint_words(letter);

		fprintf(r->out, words ? "%s%s (%c)" : "%s%s%c", comma, words ? words : "", letter);
		comma = ", ";
	}
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (!(nameless >> bit & 1))
			continue;
		fprintf(r->out, "%sbit %u", comma, bit);
		comma = ", ";
	}
	end(r);
}

static void render_case(struct renderer *r)
{
	const struct nmibt_case *case_info = &r->report->case_info;
	const char *arch = nmibt_arch_name(r->report->kernel->image->arch);

	render_why(r);
	render_failure(r);
	render_when(r);
	/* The kernel's name for a machine without a name (init/version.c, 6.12). */
	if (case_info->host && strcmp(case_info->host, "(none)"))
		field(r, "host", case_info->host);
	begin(r, "kernel");
	if (case_info->release) {
		put_line(r, case_info->release);
		fputs(", ", r->out);
	}
	fputs(arch ? arch : "of an unknown architecture", r->out);
	end(r);
	render_taint(r);
	field(r, "hardware", case_info->hardware);
	field(r, "build-id", case_info->build_id);
	putc('\n', r->out);
}

/* --------------------------------------------------------------------- the subjects */

/* This many CPUs, and this many tasks, have a line of their own. */
#define MAX_SUBJECTS 4

static const char *subject_label(const struct nmibt_report *report, unsigned int cpu)
{
	const struct nmibt_death *death = &report->death;
	bool has_panicked =
		death->by_capture || death->by_panic_cpu || death->by_registers || death->printout;

	return cpu == death->reporter && has_panicked ? "panicking" : "subject";
}

/* The frame that the interrupt hit. */
static const struct nmibt_frame *find_hit(const struct nmibt_stack *stack)
{
	for (size_t i = 0; i < stack->nr; i++) {
		if (nmibt_is_hit(stack, i))
			return &stack->frames[i];
	}
	return NULL;
}

/* A watchdog's interrupt hit the CPU, or a hardware error did. */
static bool was_hit(const struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;
	size_t cause = report->death.cause;

	if (report->sources->capture.desc.flags & NMI_CAPTURE_F_REGS_ONLY)
		return true;
	if (!log || !cause)
		return false;
	switch (log->printouts[cause - 1].kind) {
	case NMIBT_PRINT_SOFT_LOCKUP:
	case NMIBT_PRINT_HARD_LOCKUP:
	case NMIBT_PRINT_SELF_STALL:
	case NMIBT_PRINT_STALL:
		return true;
	default:
		return false;
	}
}

static void put_place(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmibt_stack *stack = &nmibt_shown(cpu)->stack;
	const struct nmibt_frame *place = was_hit(r->report) ? find_hit(stack) : NULL;
	char age[96];

	if (!place)
		place = nmibt_stack_place(stack);

	if (cpu->step == NMIBT_STEP_LAST_SEEN) {
		nmibt_format_age(r->report, cpu->age, age, sizeof(age));
		fprintf(r->out, "  last seen %s", *age ? age : "at an unknown time");
	}
	if (cpu->is_user)
		fputs("  in user mode", r->out);
	else if (place) {
		fputs("  in ", r->out);
		nmibt_render_frame(r, place, true);
	}
}

static struct nmibt_error *render_subject(struct renderer *r, unsigned int nr)
{
	struct nmibt_cpu cpu;
	struct nmibt_error *err = nmibt_report_read_cpu(r->report, nr, &cpu);
	if (err)
		return err;

	begin(r, subject_label(r->report, nr));
	fprintf(r->out, "CPU %u", nr);
	nmibt_render_task(r,
			  cpu.standing.task.known ? &cpu.standing.task : &nmibt_shown(&cpu)->task);
	put_place(r, &cpu);
	end(r);
	nmibt_cpu_destroy(&cpu);
	return NULL;
}

static void render_other_subjects(struct renderer *r, unsigned int from)
{
	const struct nmibt_report *report = r->report;
	_cleanup_free_ unsigned int *cpus = calloc(report->nr_cpus + 1, sizeof(*cpus));
	size_t nr = 0;

	for (unsigned int i = from; cpus && i < report->nr_cpus; i++) {
		if (report->death.subjects[i])
			cpus[nr++] = i;
	}
	if (!nr)
		return;
	begin(r, "subject");
	nmibt_render_cpus(r, cpus, nr);
	end(r);
}

static void render_subject_tasks(struct renderer *r)
{
	const struct nmibt_death *death = &r->report->death;
	size_t nr = death->nr_tasks;

	if (nr > MAX_SUBJECTS && !r->options->verbose)
		nr = MAX_SUBJECTS;
	for (size_t i = 0; i < nr; i++) {
		begin(r, "subject");
		fputs("task", r->out);
		nmibt_render_task(r, &death->tasks[i]);
		end(r);
	}
	if (nr == death->nr_tasks)
		return;
	begin(r, "subject");
	fprintf(r->out, "%zu more task%s; -v shows them", death->nr_tasks - nr,
		nmibt_plural(death->nr_tasks - nr));
	end(r);
}

static struct nmibt_error *render_subjects(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	const struct nmibt_death *death = &report->death;
	unsigned int shown = 0, cpu = 0;

	if (!death->is_known)
		return NULL;
	for (; cpu < report->nr_cpus && shown < MAX_SUBJECTS; cpu++) {
		struct nmibt_error *err = death->subjects[cpu] ? render_subject(r, cpu) : NULL;
		if (err)
			return err;
		shown += death->subjects[cpu];
	}
	render_other_subjects(r, cpu);
	render_subject_tasks(r);
	if (death->moved_to != NMIBT_NO_CPU) {
		begin(r, "moved");
		fprintf(r->out, "CPU %u called panic(), and CPU %u went on with it",
			death->reporter, death->moved_to);
		end(r);
	}
	if (death->reporter < report->nr_cpus && !death->subjects[death->reporter]) {
		begin(r, "reporter");
		fprintf(r->out, "CPU %u", death->reporter);
		nmibt_render_task(r, &report->cpus[death->reporter].task);
		if (death->from_outside)
			fprintf(r->out, "  %s", death->from_outside);
		end(r);
	}
	return NULL;
}

/* --------------------------------------------------------------------- the timeline */

/* The number of moments that fit on a screen. The first and the newest ones matter most. */
#define MAX_OLDEST 3
#define MAX_NEWEST 9
#define AGE_WIDTH 10
/* So many tasks of a condition. */
#define MAX_TASKS 4

static void put_condition(struct renderer *r, const struct nmibt_condition *c)
{
	const struct nmibt_printout *first = &r->report->sources->log->printouts[c->first - 1];
	char since[48];

	fputs(nmibt_print_words(c->kind), r->out);
	if (c->cpus.nr) {
		fputs(" of ", r->out);
		nmibt_render_cpu_set(r, &c->cpus);
	}
	nmibt_render_task(r, &c->task);
	for (size_t i = 0; i < c->nr_tasks && i < MAX_TASKS; i++)
		nmibt_render_task(r, &c->tasks[i]);
	if (c->nr_tasks > MAX_TASKS)
		fprintf(r->out, " and %zu more", c->nr_tasks - MAX_TASKS);
	if (c->count > 1)
		fprintf(r->out, ", %u reports", c->count);
	if (c->has_since) {
		nmibt_format_offset(
			nmibt_age_of(r->report, NMIBT_CLOCK_LOG, c->since_ns, first->first_seq),
			since, sizeof(since));
		fprintf(r->out, ", since %s", since);
	}
	fputs(c->is_open	  ? ", open"
	      : c->is_over	  ? ", over"
	      : c->is_suppressed  ? ", further reports suppressed"
	      : c->has_gap_behind ? ", then records are lost"
				  : ", not reported again",
	      r->out);
}

static void put_moment(struct renderer *r, const struct nmibt_moment *moment)
{
	if (moment->condition) {
		put_condition(r, &r->report->conditions[moment->condition - 1]);
		return;
	}
	switch (moment->kind) {
	case NMIBT_MOMENT_DEATH:
		fputs("the panic", r->out);
		return;
	case NMIBT_MOMENT_FIRST_BAD:
		/* What happened before the oldest record is not known. */
		fprintf(r->out, "first bad event%s: ",
			nmibt_log_nr_missing(&r->report->sources->log->missing) ? " in the log"
										: "");
		break;
	case NMIBT_MOMENT_OOPS:
		fputs("survived: ", r->out);
		break;
	case NMIBT_MOMENT_UNENDED_OOPS:
		fputs("oops, not seen to end: ", r->out);
		break;
	case NMIBT_MOMENT_DUMP_FAILED:
		fputs("the dump failed, in the capture kernel", r->out);
		return;
	default:
		break;
	}
	fputs(moment->text, r->out);
}

static void render_moment(struct renderer *r, const struct nmibt_moment *moment, const char *label)
{
	char offset[48];

	begin(r, label);
	if (moment->kind == NMIBT_MOMENT_DEATH && moment->has_ns)
		snprintf(offset, sizeof(offset), "0");
	else
		nmibt_format_offset(moment->age, offset, sizeof(offset));
	fprintf(r->out, "%*s  ", AGE_WIDTH, offset);
	put_moment(r, moment);
	if (moment->age.suspended)
		fputs(" (suspended in between)", r->out);
	nmibt_end_line(r, LABEL_WIDTH + AGE_WIDTH + 2, " ");
}

static void render_timeline(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	size_t nr = report->nr_moments, skip = 0;
	const char *label = "timeline";

	/* The summary has the death already. */
	if (!nr || (nr == 1 && report->timeline->kind == NMIBT_MOMENT_DEATH))
		return;
	if (!r->options->verbose && nr > MAX_OLDEST + MAX_NEWEST)
		skip = nr - MAX_OLDEST - MAX_NEWEST;
	for (size_t i = 0; i < nr; i++, label = "") {
		if (skip && i == MAX_OLDEST) {
			begin(r, "");
			fprintf(r->out, "%*s  [%zu more; -v shows them]", AGE_WIDTH, "", skip);
			end(r);
			i += skip;
		}
		render_moment(r, &report->timeline[i], label);
	}
}

/* --------------------------------------------------------------------- the findings */

static void render_finding(struct renderer *r, const struct nmibt_finding *finding)
{
	const struct nmibt_report *report = r->report;

	if (finding->kind == NMIBT_FINDING_STUCK)
		nmibt_paint(r, RED);
	begin(r, nmibt_finding_name(finding->kind));
	if (finding->nr_cpus)
		nmibt_render_cpus(r, finding->cpus, finding->nr_cpus);
	if (finding->nr_cpus == 1)
		nmibt_render_task(r, &report->cpus[finding->cpus[0]].task);
	fprintf(r->out, "%s%s", finding->nr_cpus && *finding->text ? "  " : "", finding->text);
	end(r);
	nmibt_unpaint(r);
}

/* How many findings of a kind are shown: more would fill the first screen. */
static size_t most_of_kind(enum nmibt_finding_kind kind)
{
	return kind == NMIBT_FINDING_SAME_STACK ? 6 : 16;
}

/* findings are sorted by kind; nr of them have the same kind. */
static void render_findings_of_kind(struct renderer *r, const struct nmibt_finding *findings,
				    size_t nr)
{
	size_t most = most_of_kind(findings->kind);

	if (nr <= most || r->options->verbose)
		most = nr;
	for (size_t i = 0; i < most; i++)
		render_finding(r, &findings[i]);
	if (most == nr)
		return;
	begin(r, nmibt_finding_name(findings->kind));
	fprintf(r->out, "%zu more; %s", nr - most,
		findings->kind == NMIBT_FINDING_SAME_STACK ? "-g shows each stack once"
							   : "-v shows them");
	end(r);
}

static struct nmibt_error *render_findings(struct renderer *r)
{
	struct nmibt_diagnosis diagnosis;
	struct nmibt_error *err = nmibt_diagnose(r->report, &diagnosis);
	if (err)
		return err;

	for (size_t first = 0, after; first < diagnosis.nr; first = after) {
		for (after = first; after < diagnosis.nr; after++) {
			if (diagnosis.findings[after].kind != diagnosis.findings[first].kind)
				break;
		}
		render_findings_of_kind(r, &diagnosis.findings[first], after - first);
	}
	nmibt_diagnosis_destroy(&diagnosis);
	return NULL;
}

/* ----------------------------------------------------------------------- the counts */

static unsigned int count_idle(const struct nmibt_report *report, enum nmibt_outcome outcome)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		const struct nmibt_cpu_brief *b = &report->cpus[i];

		count += report->possible[i] && b->outcome == outcome && b->is_idle;
	}
	return count;
}

static unsigned int count_last_seen(const struct nmibt_report *report)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < report->nr_cpus; i++)
		count += report->possible[i] && report->cpus[i].step == NMIBT_STEP_LAST_SEEN;
	return count;
}

static void render_counts(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	unsigned int last_seen = count_last_seen(report);
	const char *comma = "";

	begin(r, "outcomes");
	/* A log mentions only some of the CPUs. */
	fprintf(r->out, "%s%u CPU%s: ", report->are_all_known ? "" : "at least ",
		report->nr_possible, nmibt_plural(report->nr_possible));
	for (unsigned int i = 0; i < NMIBT_NR_OUTCOMES; i++) {
		if (!report->by_outcome[i])
			continue;
		fprintf(r->out, "%s%u %s", comma, report->by_outcome[i], nmibt_outcome_name(i));
		unsigned int idle = count_idle(report, i);
		if (idle)
			fprintf(r->out, " (%u idle)", idle);
		comma = ", ";
	}
	if (last_seen)
		fprintf(r->out, "; %u only last seen earlier", last_seen);
	end(r);
}

/* ---------------------------------------------------------------------- the sources */

/* A capture whose dump was not taken is older than the death. */
static void put_request_age(struct renderer *r)
{
	const struct nmibt_death *death = &r->report->death;
	char text[64];

	if (nmibt_format_lead(r->report, text, sizeof(text))) {
		fprintf(r->out, ", %s", text);
	} else if (death->outlived_ns) {
		nmibt_format_duration(death->outlived_ns, text, sizeof(text));
		fprintf(r->out, ", %s before the log's last record", text);
	}
}

static void put_request(struct renderer *r)
{
	const struct nmibt_capture *capture = &r->report->sources->capture;
	const struct nmi_capture_desc *d = &capture->desc;
	char took[32];

	fputs("capture", r->out);
	if (r->options->verbose || capture->source != NMIBT_SOURCE_VMCOREINFO)
		fprintf(r->out, " v%u by %s", d->version, nmibt_source_name(capture->source));
	if (!d->generation) {
		fputs(", no request was made", r->out);
		return;
	}
	if (d->panic_cpu != NMI_CAPTURE_NO_CPU && d->panic_cpu != r->report->death.reporter)
		fprintf(r->out, " asked by CPU %u", d->panic_cpu);
	fputs(d->flags & NMI_CAPTURE_F_CRASH_KEXEC ? " before kdump" : " in panic()", r->out);
	put_request_age(r);

	nmibt_format_since(r->report, d->finished_ns, took, sizeof(took));
	const char *after = *took == '+' ? took + 1 : *took ? took : "an unknown time";
	if (d->flags & NMI_CAPTURE_F_REGS_ONLY)
		fputs(", only registers: a hardware error forbade backtraces", r->out);
	else if (d->state == NMI_CAPTURE_TIMEOUT && d->flags & NMI_CAPTURE_F_NOT_WAITED)
		fputs(", did not wait for all answers", r->out);
	else if (d->state == NMI_CAPTURE_TIMEOUT)
		fprintf(r->out, ", gave up waiting after %s (limit %u ms)", after, d->timeout_ms);
	else if (d->state != NMI_CAPTURE_COMPLETE)
		fputs(", the wait did not end", r->out);
	else if (!d->nr_asked && nmibt_have_all_answered(r->report))
		fputs(", no other CPU was asked", r->out);
	else if (nmibt_have_all_answered(r->report))
		fprintf(r->out, ", all answered after %s", after);
	else
		fprintf(r->out, ", the wait ended after %s", after);
	if (capture->are_times_disputed)
		fputs(", its times contradict each other", r->out);
	if (d->flags & NMI_CAPTURE_F_REENTERED)
		fputs(", interrupted by a fault of its own", r->out);
	if (d->flags & NMI_CAPTURE_F_DRAINED)
		fputs(", also printed to the log", r->out);
	if (d->refused)
		fprintf(r->out, ", %u later request%s refused", d->refused,
			nmibt_plural(d->refused));
}

/* The slots of a capture have the addresses of the notes. */
static void put_notes(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	unsigned int counts[NMIBT_NR_NOTES] = {0};

	for (unsigned int i = 0; i < report->nr_cpus; i++)
		counts[report->cpus[i].note] += report->possible[i];
	if (counts[NMIBT_NOTE_PRESENT])
		fprintf(r->out, "; %u crash note%s", counts[NMIBT_NOTE_PRESENT],
			nmibt_plural(counts[NMIBT_NOTE_PRESENT]));
	if (counts[NMIBT_NOTE_EXCLUDED])
		fprintf(r->out, "; %u crash note%s not in the %s", counts[NMIBT_NOTE_EXCLUDED],
			nmibt_plural(counts[NMIBT_NOTE_EXCLUDED]),
			nmibt_image_name(report->kernel->image));
	if (counts[NMIBT_NOTE_DAMAGED])
		fprintf(r->out, "; %u crash note%s can't be read", counts[NMIBT_NOTE_DAMAGED],
			nmibt_plural(counts[NMIBT_NOTE_DAMAGED]));
}

/* Writes what a source has, or that it can't be read. */
static void put_state(struct renderer *r, enum nmibt_source s, const char *separator)
{
	const struct nmibt_source_state *state = &r->report->sources->states[s];

	/* Except for the log, the state names its source. */
	if (state->found == NMIBT_FOUND && s != NMIBT_SOURCE_LOG)
		fprintf(r->out, "%s%s", separator, state->why);
	else
		fprintf(r->out, "%s%s%s: %s", separator, nmibt_source_name(s),
			state->found == NMIBT_FOUND_UNREADABLE ? " can't be read" : "", state->why);
}

static bool stands_for_some(const struct nmibt_report *report, enum nmibt_source s)
{
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		if (report->possible[i] && report->cpus[i].source == s &&
		    report->cpus[i].step != NMIBT_STEP_NOTHING)
			return true;
	}
	return false;
}

static bool is_worth_naming(const struct renderer *r, enum nmibt_source s)
{
	const struct nmibt_report *report = r->report;
	enum nmibt_found found = report->sources->states[s].found;

	if (!nmibt_is_source_tried(report, s))
		return false;
	/* The capture has a line of its own. */
	if (s <= NMIBT_SOURCE_SCAN && report->sources->has_capture)
		return false;
	/* Beside a capture another source is shown only if some evidence of it stands. */
	if (found == NMIBT_FOUND && report->sources->has_capture)
		return stands_for_some(report, s) || report->sources->states[s].is_lossy ||
		       (s == NMIBT_SOURCE_LOG && (report->death.has_seq || report->nr_moments > 1));
	return found == NMIBT_FOUND || found == NMIBT_FOUND_UNREADABLE ||
	       report->sources->states[s].is_lossy;
}

static void render_sources(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	const char *separator = "";

	begin(r, "sources");
	if (report->sources->has_capture) {
		put_request(r);
		put_notes(r);
		separator = "; ";
	}
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		if (!is_worth_naming(r, s))
			continue;
		put_state(r, s, separator);
		separator = "; ";
	}
	for (unsigned int i = 0; i < report->nr_lost; i++) {
		fprintf(r->out, "%s%s", separator, report->lost[i]);
		separator = "; ";
	}
	if (!*separator)
		fputs("none has anything", r->out);
	end(r);
}

static bool has_found_something(const struct nmibt_report *report)
{
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		if (report->possible[i] && (report->cpus[i].step != NMIBT_STEP_NOTHING ||
					    report->cpus[i].outcome != NMIBT_OUTCOME_NONE))
			return true;
	}
	return false;
}

/* Writes the state of each source, with -v, or if nothing was found. */
static void render_absences(struct renderer *r)
{
	const struct nmibt_report *report = r->report;

	if (!r->options->verbose && has_found_something(report))
		return;
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		const struct nmibt_source_state *state = &report->sources->states[s];

		if (!nmibt_is_source_tried(report, s) || is_worth_naming(r, s))
			continue;
		begin(r, "");
		fprintf(r->out, "%s is %s%s%s", nmibt_source_name(s),
			nmibt_found_name(state->found), *state->why ? ": " : "", state->why);
		end(r);
	}
}

static void render_older(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	unsigned int count = 0;

	for (unsigned int i = 0; i < report->nr_cpus; i++)
		count += report->cpus[i].has_older;
	if (!count || r->options->older)
		return;
	begin(r, "older");
	fprintf(r->out, "backtraces of %u CPU%s; -o shows them", count, nmibt_plural(count));
	end(r);
}

/* ------------------------------------------------------------------------- together */

struct nmibt_error *nmibt_render_summary(struct renderer *r)
{
	render_case(r);
	struct nmibt_error *err = render_subjects(r);
	if (err)
		return err;
	render_timeline(r);
	err = render_findings(r);
	if (err)
		return err;
	if (r->report->is_capture_kernel)
		return NULL;
	render_counts(r);
	render_sources(r);
	render_absences(r);
	render_older(r);
	return NULL;
}
