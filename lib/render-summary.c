// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The summary that the text begins with: how many CPUs answered how, and which
 * of them one should look at.
 */
#include "render.h"

static void label(struct renderer *r, const char *name)
{
	nmibt_paint(r, BOLD);
	fprintf(r->out, "%-11s", name);
	nmibt_unpaint(r);
	putc(' ', r->out);
}

/* ----------------------------------------------------------- lists of CPUs */

typedef bool (*cpu_test)(const struct nmibt_cpu_brief *brief, uint64_t arg);

/* "CPU 3" or "CPUs 0-2,7"; returns how many. Prints nothing when out is NULL. */
static unsigned int print_cpus(const struct nmibt_report *report, FILE *out, cpu_test test,
			       uint64_t arg)
{
	unsigned int nr = report->capture.desc.nr_slots, count = 0, runs = 0;

	for (unsigned int i = 0; i < nr; i++)
		count += report->possible[i] && test(&report->cpus[i], arg);
	if (!count || !out)
		return count;
	fputs(count == 1 ? "CPU " : "CPUs ", out);
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int first = i;
		while (i < nr && report->possible[i] && test(&report->cpus[i], arg))
			i++;
		if (i == first)
			continue;
		fprintf(out, "%s%u", runs++ ? "," : "", first);
		if (i - first > 1)
			fprintf(out, "-%u", i - 1);
	}
	return count;
}

static bool is_idle(const struct nmibt_cpu_brief *b)
{
	return b->slot_flags & NMI_CAPTURE_SLOT_F_IDLE;
}

static bool has_outcome(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	return !b->stale && b->outcome == arg;
}

static bool is_idle_with(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	return has_outcome(b, arg) && is_idle(b);
}

static bool is_stuck(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	bool irqs_off = b->slot_flags & NMI_CAPTURE_SLOT_F_IRQS_OFF;

	return !b->stale && !is_idle(b) && b->moved == NMIBT_MOVED_SAME && irqs_off == arg;
}

static bool has_irqs_off(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && !is_idle(b) && b->moved != NMIBT_MOVED_SAME &&
	       b->outcome != NMIBT_OUTCOME_SELF && b->slot_flags & NMI_CAPTURE_SLOT_F_IRQS_OFF;
}

static bool has_stack(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	return !b->stale && b->stack_hash == arg;
}

static bool is_second_panic(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && b->outcome == NMIBT_OUTCOME_SELF;
}

static bool is_late(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && b->slot_flags & NMI_CAPTURE_SLOT_F_LATE;
}

static bool is_stale(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return b->stale;
}

static bool overflowed(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && b->lost_bytes;
}

static bool is_unread(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return !b->stale && b->unread;
}

/* ----------------------------------------------------------------- summary */

static void summary_counts(struct renderer *r)
{
	static const enum nmibt_outcome order[] = {
		NMIBT_OUTCOME_NMI,     NMIBT_OUTCOME_IRQ,      NMIBT_OUTCOME_SELF,
		NMIBT_OUTCOME_STOP,    NMIBT_OUTCOME_PARTIAL,  NMIBT_OUTCOME_SILENT,
		NMIBT_OUTCOME_OFFLINE, NMIBT_OUTCOME_EXCLUDED, NMIBT_OUTCOME_DAMAGED,
		NMIBT_OUTCOME_NONE,
	};
	const struct nmibt_report *report = r->report;
	const char *comma = "";

	nmibt_paint(r, BOLD);
	fprintf(r->out, "%u CPU%s: ", report->nr_possible, nmibt_plural(report->nr_possible));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (!report->by_outcome[order[i]])
			continue;
		fprintf(r->out, "%s%u %s", comma, report->by_outcome[order[i]],
			nmibt_outcome_name(order[i]));
		unsigned int idle = print_cpus(report, NULL, is_idle_with, order[i]);
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

static void summary_task(struct renderer *r, unsigned int cpu)
{
	const struct nmibt_report *report = r->report;

	if (cpu < report->capture.desc.nr_slots && report->cpus[cpu].has_task)
		nmibt_render_task(r, report->cpus[cpu].pid, report->cpus[cpu].comm);
}

static void summary_panic(struct renderer *r)
{
	const struct nmi_capture_desc *d = &r->report->capture.desc;
	const char *message = r->report->image->panic_message;

	if (d->panic_cpu == NMI_CAPTURE_NO_CPU && !message)
		return;
	label(r, "panicking");
	if (d->panic_cpu != NMI_CAPTURE_NO_CPU) {
		fprintf(r->out, "CPU %u", d->panic_cpu);
		summary_task(r, d->panic_cpu);
	}
	if (message) {
		fputs("  \"", r->out);
		nmibt_escape(r->out, message, strcspn(message, "\n"), false);
		putc('"', r->out);
	}
	putc('\n', r->out);
}

static void summary_list(struct renderer *r, const char *name, cpu_test test, uint64_t arg,
			 const char *what)
{
	const struct nmibt_report *report = r->report;
	unsigned int count = print_cpus(report, NULL, test, arg);

	if (!count)
		return;
	label(r, name);
	print_cpus(report, r->out, test, arg);
	for (unsigned int i = 0; count == 1 && i < report->capture.desc.nr_slots; i++) {
		if (report->possible[i] && test(&report->cpus[i], arg))
			summary_task(r, i);
	}
	fprintf(r->out, "%s%s\n", *what ? "  " : "", what);
}

static int compare_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Stacks that more than one CPU has, in the order of their first CPU. */
static struct nmibt_error *summary_groups(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	unsigned int nr = report->capture.desc.nr_slots;
	size_t count = 0;
	_cleanup_free_ uint64_t *hashes = calloc(nr, sizeof(*hashes));

	if (!hashes)
		return nmibt_error_nomem();
	for (unsigned int i = 0; i < nr; i++) {
		if (report->possible[i] && !report->cpus[i].stale && report->cpus[i].stack_hash)
			hashes[count++] = report->cpus[i].stack_hash;
	}
	qsort(hashes, count, sizeof(*hashes), compare_hash);
	size_t shared = 0;
	for (size_t i = 0; i < count; i++) {
		bool first = i == 0 || hashes[i] != hashes[i - 1];
		if (first && i + 1 < count && hashes[i + 1] == hashes[i])
			hashes[shared++] = hashes[i];
	}
	for (unsigned int i = 0; i < nr && shared; i++) {
		uint64_t hash = report->cpus[i].stack_hash;
		uint64_t *at =
			hash ? bsearch(&hash, hashes, shared, sizeof(*hashes), compare_hash) : NULL;
		if (!at || report->cpus[i].stale)
			continue;
		summary_list(r, "same stack", has_stack, hash,
			     is_idle(&report->cpus[i]) ? "(idle)" : "");
		memmove(at, at + 1, (shared - (at - hashes) - 1) * sizeof(*hashes));
		shared--;
	}
	return NULL;
}

static void summary_loss(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	uint64_t lost = 0, unread = 0;

	for (unsigned int i = 0; i < report->capture.desc.nr_slots; i++) {
		if (report->cpus[i].stale)
			continue;
		lost += report->cpus[i].lost_bytes;
		unread += report->cpus[i].unread;
	}
	if (*report->capture.damage) {
		label(r, "damaged");
		fprintf(r->out, "%s\n", report->capture.damage);
	}
	if (report->capture.slots_unread) {
		label(r, "damaged");
		fprintf(r->out, "%u of %u entries of the table of slots can't be read\n",
			report->capture.slots_unread, report->capture.desc.nr_slots);
	}
	summary_list(r, "damaged", has_outcome, NMIBT_OUTCOME_DAMAGED,
		     "slot fails its checks or can't be read");
	if (lost) {
		label(r, "overflowed");
		print_cpus(report, r->out, overflowed, 0);
		fprintf(r->out, "  %" PRIu64 " byte%s did not fit the slots of %u\n", lost,
			nmibt_plural(lost), report->capture.desc.slot_size);
	}
	if (unread) {
		label(r, "unreadable");
		print_cpus(report, r->out, is_unread, 0);
		fprintf(r->out, "  %" PRIu64 " byte%s of text\n", unread, nmibt_plural(unread));
	}
}

struct nmibt_error *nmibt_render_summary(struct renderer *r)
{
	char silent[64];

	summary_counts(r);
	summary_request(r);
	summary_panic(r);
	if (print_cpus(r->report, NULL, is_second_panic, 0) > 1)
		summary_list(r, "also died", is_second_panic, 0,
			     "captured themselves: more than one CPU panicked");
	nmibt_paint(r, RED);
	summary_list(r, "stuck", is_stuck, true, "interrupts off, same place at the stop");
	nmibt_unpaint(r);
	summary_list(r, "same place", is_stuck, false, "at the NMI and at the stop");
	summary_list(r, "irqs off", has_irqs_off, 0, "interrupts off when hit");
	nmibt_format_no_answer(r, silent, sizeof(silent));
	summary_list(r, "silent", has_outcome, NMIBT_OUTCOME_SILENT, silent);
	summary_list(r, "partial", has_outcome, NMIBT_OUTCOME_PARTIAL, "began and did not finish");
	summary_list(r, "late", is_late, 0, "answered after the wait had ended");
	summary_list(r, "offline", has_outcome, NMIBT_OUTCOME_OFFLINE, "when asked");
	summary_list(r, "excluded", has_outcome, NMIBT_OUTCOME_EXCLUDED,
		     "slot is not in the dump; dump with a lower -d of makedumpfile");
	summary_list(r, "stale", is_stale, 0, "of an older request; -o shows it");
	struct nmibt_error *err = summary_groups(r);
	summary_loss(r);
	return err;
}
