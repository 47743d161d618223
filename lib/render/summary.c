// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The summary that the text begins with: how many CPUs answered how, and what
 * the diagnosis found.
 */
#include "render/render.h"

static void label(struct renderer *r, const char *name)
{
	nmibt_paint(r, BOLD);
	fprintf(r->out, "%-11s", name);
	nmibt_unpaint(r);
	putc(' ', r->out);
}

static unsigned int count_idle(const struct nmibt_report *report, enum nmibt_outcome outcome)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		const struct nmibt_cpu_brief *b = &report->cpus[i];

		count += report->possible[i] && !b->stale && b->outcome == outcome &&
			 b->flags & NMI_CAPTURE_SLOT_F_IDLE;
	}
	return count;
}

/* ----------------------------------------------------------------- summary */

static void summary_counts(struct renderer *r)
{
	static const enum nmibt_outcome order[] = {
		NMIBT_OUTCOME_NMI,	 NMIBT_OUTCOME_IRQ,	 NMIBT_OUTCOME_SELF,
		NMIBT_OUTCOME_STOP,	 NMIBT_OUTCOME_PARTIAL,	 NMIBT_OUTCOME_SILENT,
		NMIBT_OUTCOME_OFFLINE,	 NMIBT_OUTCOME_EXCLUDED, NMIBT_OUTCOME_DAMAGED,
		NMIBT_OUTCOME_ANSWERED,	 NMIBT_OUTCOME_SKIPPED,	 NMIBT_OUTCOME_REPORTED,
		NMIBT_OUTCOME_REGISTERS, NMIBT_OUTCOME_NONE,
	};
	const struct nmibt_report *report = r->report;
	const char *comma = "";

	nmibt_paint(r, BOLD);
	/* The log only mentions some. */
	if (!report->has_capture && !report->stock->percpu)
		fputs("at least ", r->out);
	fprintf(r->out, "%u CPU%s: ", report->nr_possible, nmibt_plural(report->nr_possible));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (!report->by_outcome[order[i]])
			continue;
		fprintf(r->out, "%s%u %s", comma, report->by_outcome[order[i]],
			nmibt_outcome_name(order[i]));
		unsigned int idle = count_idle(report, order[i]);
		if (idle)
			fprintf(r->out, " (%u idle)", idle);
		comma = ", ";
	}
	if (report->nr_stale)
		fprintf(r->out, "%s%u stale", comma, report->nr_stale);
	nmibt_unpaint(r);
	putc('\n', r->out);
}

static void summary_request(struct renderer *r)
{
	const struct nmi_capture_desc *d = &r->report->capture.desc;
	char took[32];

	label(r, "capture");
	fprintf(r->out, "v%u by %s", d->version, nmibt_source_name(r->report->capture.source));
	if (!d->generation) {
		fputs(", no request was made\n", r->out);
		return;
	}
	if (d->panic_cpu != NMI_CAPTURE_NO_CPU)
		fprintf(r->out, ", asked by CPU %u", d->panic_cpu);
	fputs(d->flags & NMI_CAPTURE_F_CRASH_KEXEC ? " before kdump" : " in panic()", r->out);

	nmibt_format_since(r, d->finished_ns, took, sizeof(took));
	const char *after = took[0] == '+' ? took + 1 : took;
	if (d->state == NMI_CAPTURE_COMPLETE)
		fprintf(r->out, ", all answered after %s", after);
	else if (d->state == NMI_CAPTURE_TIMEOUT)
		fprintf(r->out, ", gave up waiting after %s (limit %u ms)", after, d->timeout_ms);
	else
		fputs(", the wait did not end", r->out);
	if (d->flags & NMI_CAPTURE_F_REENTERED)
		fputs(", interrupted by a fault of its own", r->out);
	if (d->flags & NMI_CAPTURE_F_DRAINED)
		fputs(", also printed to the log", r->out);
	if (d->refused)
		fprintf(r->out, ", %u later request%s refused", d->refused,
			nmibt_plural(d->refused));
	putc('\n', r->out);
}

/* All ways to a capture in one line. */
static void summary_no_capture(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	enum nmibt_found worst = NMIBT_FOUND_UNTRIED;

	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s <= NMIBT_SOURCE_SCAN; s++) {
		if (nmibt_is_source_tried(report, s) && report->sources[s].found > worst)
			worst = report->sources[s].found;
	}
	if (worst == NMIBT_FOUND_UNTRIED)
		return;
	label(r, "capture");
	fputs(nmibt_found_name(worst), r->out);
	const char *separator = ": ";
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s <= NMIBT_SOURCE_SCAN; s++) {
		if (!nmibt_is_source_tried(report, s))
			continue;
		fprintf(r->out, "%s%s", separator, report->sources[s].why);
		separator = "; ";
	}
	putc('\n', r->out);
}

/* Without a capture: what each source has, or why it has nothing. */
static void summary_sources(struct renderer *r)
{
	summary_no_capture(r);
	for (enum nmibt_source s = NMIBT_SOURCE_SCAN + 1; s < NMIBT_NR_SOURCES; s++) {
		const struct nmibt_source_state *state = &r->report->sources[s];

		if (!nmibt_is_source_tried(r->report, s))
			continue;
		label(r, nmibt_source_name(s));
		fprintf(r->out, "%s: %s\n", nmibt_found_name(state->found), state->why);
	}
}

static void summary_older(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	unsigned int count = 0;

	for (unsigned int i = 0; i < report->nr_cpus; i++)
		count += report->cpus[i].has_older;
	if (!count || r->options->older)
		return;
	label(r, "older");
	fprintf(r->out, "backtraces of %u CPU%s; -o shows them\n", count, nmibt_plural(count));
}

static void summary_task(struct renderer *r, unsigned int cpu)
{
	const struct nmibt_report *report = r->report;

	if (cpu < report->nr_cpus && report->cpus[cpu].has_task)
		nmibt_render_task(r, report->cpus[cpu].pid, report->cpus[cpu].comm);
}

static void summary_panic(struct renderer *r)
{
	uint32_t cpu = r->report->panic_cpu;
	const char *message = r->report->panic_message;

	if (cpu == NMI_CAPTURE_NO_CPU && !message)
		return;
	label(r, "panicking");
	if (cpu != NMI_CAPTURE_NO_CPU) {
		fprintf(r->out, "CPU %u", cpu);
		summary_task(r, cpu);
	}
	if (message) {
		fputs("  \"", r->out);
		nmibt_escape(r->out, message, strcspn(message, "\n"), false);
		putc('"', r->out);
	}
	putc('\n', r->out);
}

static void summary_finding(struct renderer *r, const struct nmibt_finding *finding)
{
	if (finding->kind == NMIBT_FINDING_STUCK)
		nmibt_paint(r, RED);
	label(r, nmibt_finding_name(finding->kind));
	if (finding->nr_cpus)
		nmibt_render_cpus(r, finding->cpus, finding->nr_cpus);
	if (finding->nr_cpus == 1)
		summary_task(r, finding->cpus[0]);
	fprintf(r->out, "%s%s\n", finding->nr_cpus && *finding->text ? "  " : "", finding->text);
	nmibt_unpaint(r);
}

struct nmibt_error *nmibt_render_summary(struct renderer *r)
{
	struct nmibt_diagnosis diagnosis;
	struct nmibt_error *err = nmibt_diagnose(r->report, &diagnosis);
	if (err)
		return err;

	summary_counts(r);
	if (r->report->has_capture)
		summary_request(r);
	else
		summary_sources(r);
	summary_panic(r);
	for (size_t i = 0; i < diagnosis.nr; i++)
		summary_finding(r, &diagnosis.findings[i]);
	summary_older(r);
	nmibt_diagnosis_destroy(&diagnosis);
	return NULL;
}
