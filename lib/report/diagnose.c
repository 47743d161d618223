// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The findings: which CPUs need attention, and why. A finding says only what the capture shows.
 */
#include <inttypes.h>

#include "report/report.h"

static const char *const finding_names[NMIBT_NR_FINDINGS] = {
	[NMIBT_FINDING_ALSO_DIED] = "also died",   [NMIBT_FINDING_STUCK] = "stuck",
	[NMIBT_FINDING_BLOCKED] = "blocked",	   [NMIBT_FINDING_SAME_PLACE] = "same place",
	[NMIBT_FINDING_IRQS_OFF] = "irqs off",	   [NMIBT_FINDING_SPINS] = "spins on",
	[NMIBT_FINDING_WAITS] = "waits for",	   [NMIBT_FINDING_SILENT] = "silent",
	[NMIBT_FINDING_PARTIAL] = "partial",	   [NMIBT_FINDING_LATE] = "late",
	[NMIBT_FINDING_OFFLINE] = "offline",	   [NMIBT_FINDING_EXCLUDED] = "excluded",
	[NMIBT_FINDING_STALE] = "stale",	   [NMIBT_FINDING_SAME_STACK] = "same stack",
	[NMIBT_FINDING_DAMAGED] = "damaged",	   [NMIBT_FINDING_OVERFLOWED] = "overflowed",
	[NMIBT_FINDING_UNREADABLE] = "unreadable",
};

const char *nmibt_finding_name(enum nmibt_finding_kind kind)
{
	return kind < NMIBT_NR_FINDINGS ? finding_names[kind] : "unknown";
}

/* ------------------------------------------------------------ kinds of CPUs */

typedef bool (*cpu_test)(const struct nmibt_cpu_brief *brief, uint64_t arg);

static bool is_idle(const struct nmibt_cpu_brief *b)
{
	return b->is_idle;
}

static bool has_outcome(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	return b->outcome == arg;
}

/* True: the CPU was seen in the same place twice. An older text counts as a backtrace, too, because
 * the registers have confirmed it. */
static bool is_same_place(const struct nmibt_cpu_brief *b, uint64_t irqs_off)
{
	return !is_idle(b) && !b->is_user && b->moved == NMIBT_MOVED_SAME &&
	       b->irqs_off == irqs_off;
}

bool nmibt_is_stuck(const struct nmibt_cpu_brief *brief)
{
	return brief->condition || is_same_place(brief, true);
}

/* Idle CPUs mask interrupts, too: intel_idle(), drivers/idle/intel_idle.c, 5.10. */
bool nmibt_masks_interrupts(const struct nmibt_cpu_brief *brief)
{
	return brief->irqs_off && !brief->is_idle && !brief->is_offline &&
	       brief->outcome != NMIBT_OUTCOME_SELF;
}

/* A CPU that did not move is stuck. Of one whose stack is not known it can't be told whether it was
 * idle. */
static bool has_irqs_off(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return nmibt_masks_interrupts(b) && b->tells_idle && b->moved != NMIBT_MOVED_SAME;
}

/* 0: nothing tells what its whole stack is. */
static uint64_t whole_stack(const struct nmibt_cpu_brief *b)
{
	return b->is_whole ? b->stack_hash : 0;
}

static bool has_stack(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	return whole_stack(b) == arg;
}

static bool is_late(const struct nmibt_cpu_brief *b, uint64_t was_stopped)
{
	return b->is_late && (b->outcome == NMIBT_OUTCOME_STOP) == was_stopped;
}

static bool has_stale_slot(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return b->has_stale_slot;
}

static bool overflowed(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return b->lost_bytes;
}

static bool is_unread(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return b->unread;
}

static bool lost_records(const struct nmibt_cpu_brief *b, uint64_t arg)
{
	(void)arg;
	return b->lost_records;
}

/* ----------------------------------------------------------------- findings */

struct diagnosing {
	const struct nmibt_report *report;
	struct nmibt_diagnosis *diagnosis;
	struct nmibt_error *err; /* the first error; nothing is added after it */
};

static unsigned int count_cpus(const struct nmibt_report *report, cpu_test test, uint64_t arg)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < report->nr_cpus; i++)
		count += report->possible[i] && test(&report->cpus[i], arg);
	return count;
}

/* Adds a finding without text, with room for nr_cpus CPUs. NULL: out of memory. */
static struct nmibt_finding *add_finding(struct diagnosing *d, enum nmibt_finding_kind kind,
					 unsigned int nr_cpus)
{
	struct nmibt_diagnosis *all = d->diagnosis;

	if (d->err)
		return NULL;
	struct nmibt_finding *grown = nmibt_make_room(all->findings, all->nr, sizeof(*grown));
	if (grown)
		all->findings = grown;
	unsigned int *cpus = calloc(nr_cpus + 1, sizeof(*cpus));
	if (!grown || !cpus) {
		free(cpus);
		d->err = nmibt_error_nomem();
		return NULL;
	}
	struct nmibt_finding *finding = &grown[all->nr++];
	*finding = (struct nmibt_finding){.kind = kind, .cpus = cpus};
	return finding;
}

/* Adds a finding about the CPUs that pass the test, if there are any. */
static void find_cpus(struct diagnosing *d, enum nmibt_finding_kind kind, cpu_test test,
		      uint64_t arg, const char *text)
{
	const struct nmibt_report *report = d->report;
	unsigned int count = count_cpus(report, test, arg);
	struct nmibt_finding *finding = count ? add_finding(d, kind, count) : NULL;

	if (!finding)
		return;
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		if (report->possible[i] && test(&report->cpus[i], arg))
			finding->cpus[finding->nr_cpus++] = i;
	}
	nmibt_add_reason(finding->text, "%s", text);
}

void nmibt_format_no_answer(const struct nmi_capture_desc *desc, char *buf, size_t len)
{
	if (desc->flags & NMI_CAPTURE_F_NOT_WAITED)
		snprintf(buf, len, "not waited for");
	else if (desc->state == NMI_CAPTURE_COMPLETE || desc->state == NMI_CAPTURE_TIMEOUT)
		snprintf(buf, len, desc->asked_ns ? "no answer in %u ms" : "no answer",
			 desc->timeout_ms);
	else
		snprintf(buf, len, "no answer, and the wait did not end");
}

/* ------------------------------------------------------------- who waits for whom */

struct waiter {
	unsigned int cpu;
	struct nmibt_wait wait;
};

/* Sorts CPUs that wait for the same thing next to each other. */
static int compare_waiters(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	if (x->wait.kind != y->wait.kind)
		return x->wait.kind < y->wait.kind ? -1 : 1;
	if (x->wait.lock != y->wait.lock)
		return x->wait.lock < y->wait.lock ? -1 : 1;
	int functions = strcmp(x->wait.function, y->wait.function);
	return functions ? functions : x->cpu < y->cpu ? -1 : x->cpu > y->cpu;
}

/* Reads what CPU nr waits for, with the lock that its registers point to. */
static struct nmibt_error *add_waiter(const struct nmibt_report *report, unsigned int nr,
				      struct waiter *ret, bool *ret_found)
{
	struct nmibt_cpu cpu;
	struct nmibt_error *err = nmibt_report_read_cpu(report, nr, &cpu);
	if (err)
		return err;

	const struct nmibt_evidence *shown = nmibt_shown(&cpu);
	*ret = (struct waiter){.cpu = nr};
	*ret_found = nmibt_is_waiting(report->kernel, shown, &ret->wait);
	if (*ret_found && ret->wait.kind == NMIBT_WAIT_SPINLOCK)
		nmibt_find_lock(report, &shown->regs, &ret->wait);
	nmibt_cpu_destroy(&cpu);
	return NULL;
}

static struct nmibt_error *find_waiters(const struct nmibt_report *report, struct waiter *waiters,
					size_t *ret_nr)
{
	size_t nr = 0;

	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		const struct nmibt_cpu_brief *b = &report->cpus[i];
		bool found;

		if (!report->possible[i] || b->wait == NMIBT_WAIT_NONE)
			continue;
		struct nmibt_error *err = add_waiter(report, i, &waiters[nr], &found);
		if (err)
			return err;
		nr += found;
	}
	*ret_nr = nr;
	return NULL;
}

static void describe_wait(const struct nmibt_wait *wait, bool alone, char *text)
{
	switch (wait->kind) {
	case NMIBT_WAIT_SPINLOCK:
		if (wait->lock && alone)
			nmibt_add_reason(text,
					 "the spin lock at %#" PRIx64 " (%s; its word is %#x)",
					 wait->lock, wait->reg, wait->word);
		else if (wait->lock)
			nmibt_add_reason(text, "the spin lock at %#" PRIx64 " (its word is %#x)",
					 wait->lock, wait->word);
		else
			nmibt_add_reason(text, "a spin lock that no register tells");
		break;
	case NMIBT_WAIT_RWLOCK:
		nmibt_add_reason(text, "a read-write lock");
		break;
	case NMIBT_WAIT_CALL:
		nmibt_add_reason(text, "other CPUs to run a function");
		break;
	case NMIBT_WAIT_STOP_MACHINE:
		nmibt_add_reason(text, "other CPUs to stop");
		break;
	case NMIBT_WAIT_NONE:
		break;
	}
	size_t len = strlen(text);
	snprintf(text + len, NMIBT_WHY_LEN - len, ", in %s", wait->function);
}

static void add_waiters(struct diagnosing *d, const struct waiter *waiters, size_t nr)
{
	for (size_t i = 0, first; i < nr && !d->err; i = first) {
		enum nmibt_wait_kind kind = waiters[i].wait.kind;

		for (first = i + 1;
		     first < nr && waiters[first].wait.kind == kind &&
		     waiters[first].wait.lock == waiters[i].wait.lock &&
		     !strcmp(waiters[first].wait.function, waiters[i].wait.function);)
			first++;
		struct nmibt_finding *finding =
			add_finding(d,
				    kind == NMIBT_WAIT_SPINLOCK || kind == NMIBT_WAIT_RWLOCK
					    ? NMIBT_FINDING_SPINS
					    : NMIBT_FINDING_WAITS,
				    first - i);
		if (!finding)
			return;
		for (size_t j = i; j < first; j++)
			finding->cpus[finding->nr_cpus++] = waiters[j].cpu;
		describe_wait(&waiters[i].wait, first - i == 1, finding->text);
	}
}

static void find_waits(struct diagnosing *d)
{
	size_t nr = 0;
	_cleanup_free_ struct waiter *waiters = calloc(d->report->nr_cpus, sizeof(*waiters));

	if (!waiters && !d->err)
		d->err = nmibt_error_nomem();
	if (d->err)
		return;
	d->err = find_waiters(d->report, waiters, &nr);
	qsort(waiters, nr, sizeof(*waiters), compare_waiters);
	add_waiters(d, waiters, nr);
}

/* ---------------------------------------------------------------------- conditions */

/* of_tasks: it is said of its tasks, not of its CPUs. */
static const char *condition_words(const struct nmibt_condition *c, bool of_tasks)
{
	switch (c->kind) {
	case NMIBT_PRINT_SOFT_LOCKUP:
		return "soft lockup";
	case NMIBT_PRINT_HARD_LOCKUP:
		return "hard lockup";
	case NMIBT_PRINT_CSD_LOCKUP:
		return "does not run a function for another CPU";
	case NMIBT_PRINT_HUNG_TASK:
		return "hung task";
	default:
		if (!of_tasks)
			return "RCU stall";
		return !c->nr_tasks	  ? "tasks hold up RCU"
		       : c->nr_tasks == 1 ? "holds up RCU"
					  : "hold up RCU";
	}
}

static bool is_in_condition(const struct nmibt_cpu_brief *b, uint64_t condition)
{
	return b->condition == condition;
}

/* Writes the age of the newest report: "-0.2 s", "at the panic". */
static void format_newest(const struct nmibt_report *report, const struct nmibt_condition *c,
			  char *buf, size_t len)
{
	struct nmibt_age age = nmibt_age_of_condition(report, c);

	nmibt_format_offset(age, buf, len);
	/* "0" and "?" are for a table, not for a sentence. */
	if (!strcmp(buf, "0") || !strcmp(buf, "?"))
		nmibt_format_age(report, age, buf, len);
	if (!*buf)
		snprintf(buf, len, "at an unknown time");
}

/* "soft lockup since -74 s, 3 reports, last report -0.2 s" */
static void describe_condition(const struct nmibt_report *report, const struct nmibt_condition *c,
			       bool of_tasks, char buf[NMIBT_WHY_LEN])
{
	const struct nmibt_printout *last = &report->sources->log->printouts[c->last - 1];
	char since[48], newest[96], reports[32] = "";

	*buf = '\0';
	nmibt_format_offset(nmibt_age_of(report, NMIBT_CLOCK_LOG, c->since_ns, last->first_seq),
			    since, sizeof(since));
	format_newest(report, c, newest, sizeof(newest));
	bool has_since = c->has_since && !c->is_uneven;
	if (c->count > 1 && !c->is_uneven)
		snprintf(reports, sizeof(reports), ", %u reports", c->count);
	nmibt_add_reason(buf, "%s%s%s%s, last report %s", condition_words(c, of_tasks),
			 has_since ? " since " : "", has_since ? since : "", reports, newest);
}

/* So many of a condition's tasks are named. */
#define MAX_NAMES 2

/* "PID 169 "sync", PID 171 "cp" and 2 more" */
static void name_tasks(const struct nmibt_task *tasks, size_t nr, char *buf, size_t len)
{
	size_t at = 0;

	*buf = '\0';
	for (size_t i = 0; i < nr && i < MAX_NAMES && at < len; i++) {
		const char *quote = *tasks[i].comm ? "\"" : "";

		at += snprintf(buf + at, len - at, "%sPID %d%s%s%.*s%s", i ? ", " : "",
			       tasks[i].pid, *quote ? " " : "", quote, NMI_CAPTURE_COMM_LEN,
			       tasks[i].comm, quote);
	}
	if (nr > MAX_NAMES && at < len)
		snprintf(buf + at, len - at, " and %zu more", nr - MAX_NAMES);
}

static void add_owner(struct diagnosing *d, const struct nmibt_condition *c)
{
	struct nmibt_finding *finding = add_finding(d, NMIBT_FINDING_BLOCKED, 0);
	char name[64], owner[64];

	if (!finding)
		return;
	name_tasks(&c->task, 1, name, sizeof(name));
	name_tasks(&c->owner.task, 1, owner, sizeof(owner));
	nmibt_add_reason(finding->text, "%s: on %s %s", name, c->owner.words, owner);
}

/* Tasks run on no CPU. */
static void add_blocked(struct diagnosing *d, const struct nmibt_condition *c)
{
	struct nmibt_finding *finding = add_finding(d, NMIBT_FINDING_BLOCKED, 0);
	char names[NMIBT_WHY_LEN], text[NMIBT_WHY_LEN];

	if (!finding)
		return;
	name_tasks(c->nr_tasks ? c->tasks : &c->task, c->nr_tasks ? c->nr_tasks : c->task.known,
		   names, sizeof(names));
	describe_condition(d->report, c, true, text);
	nmibt_add_reason(finding->text, "%s%s%s", names, *names ? ": " : "", text);
}

static void find_conditions(struct diagnosing *d)
{
	for (size_t i = 0; i < d->report->nr_conditions && !d->err; i++) {
		const struct nmibt_condition *c = &d->report->conditions[i];
		char text[NMIBT_WHY_LEN];

		if (!c->is_open)
			continue;
		describe_condition(d->report, c, false, text);
		find_cpus(d, NMIBT_FINDING_STUCK, is_in_condition, i + 1, text);
		/* Workers run; it is the work behind them that is blocked. */
		if (c->kind != NMIBT_PRINT_STALLED_WORKERS && (!c->cpus.nr || c->nr_tasks))
			add_blocked(d, c);
		if (c->owner.words)
			add_owner(d, c);
	}
}

/* -------------------------------------------------------------------- all of them */

/* What a CPU stored as it was stopped is no answer. After a hardware error nobody was asked. */
static void find_late(struct diagnosing *d)
{
	if (d->report->sources->capture.desc.flags & NMI_CAPTURE_F_REGS_ONLY)
		return;
	find_cpus(d, NMIBT_FINDING_LATE, is_late, false, "answered after the wait had ended");
	find_cpus(d, NMIBT_FINDING_LATE, is_late, true,
		  "registers of the stop, after the wait had ended");
}

/* How many CPUs panicked of those that captured themselves. The two of a panic that was moved are
 * one. */
static unsigned int count_panics(const struct nmibt_report *report)
{
	const struct nmibt_death *death = &report->death;
	unsigned int panics = count_cpus(report, has_outcome, NMIBT_OUTCOME_SELF);
	bool is_moved = death->moved_to < report->nr_cpus && death->reporter < report->nr_cpus;
	uint32_t asked_by = report->sources->capture.desc.panic_cpu;

	if (is_moved && report->cpus[death->moved_to].outcome == NMIBT_OUTCOME_SELF &&
	    report->cpus[death->reporter].outcome == NMIBT_OUTCOME_SELF)
		panics--;
	/* One that oopsed and asked for the capture may not have come to panic(). */
	if (death->is_capture_anothers && asked_by < report->nr_cpus &&
	    report->cpus[asked_by].outcome == NMIBT_OUTCOME_SELF)
		panics--;
	return panics;
}

static void find_trouble(struct diagnosing *d)
{
	const struct nmibt_report *report = d->report;
	char silent[64], stale[96], text[128];

	if (count_panics(report) > 1)
		find_cpus(d, NMIBT_FINDING_ALSO_DIED, has_outcome, NMIBT_OUTCOME_SELF,
			  "captured themselves: more than one CPU panicked");
	find_conditions(d);
	bool by_vcpus = report->sources->vcpus;
	find_cpus(d, NMIBT_FINDING_STUCK, is_same_place, true,
		  by_vcpus ? "interrupts off, same place at the dump"
			   : "interrupts off, same place at the stop");
	find_cpus(d, NMIBT_FINDING_SAME_PLACE, is_same_place, false,
		  by_vcpus ? "when hit and at the dump" : "when hit and at the stop");
	find_cpus(d, NMIBT_FINDING_IRQS_OFF, has_irqs_off, 0,
		  by_vcpus ? "interrupts off when hit, or at the dump" : "interrupts off when hit");
	find_waits(d);
	if (report->sources->has_capture)
		nmibt_format_no_answer(&report->sources->capture.desc, silent, sizeof(silent));
	else
		snprintf(silent, sizeof(silent), "asked for a backtrace, no answer in the log");
	find_cpus(d, NMIBT_FINDING_SILENT, has_outcome, NMIBT_OUTCOME_SILENT, silent);
	find_cpus(d, NMIBT_FINDING_PARTIAL, has_outcome, NMIBT_OUTCOME_PARTIAL,
		  "began and did not finish");
	find_late(d);
	find_cpus(d, NMIBT_FINDING_OFFLINE, has_outcome, NMIBT_OUTCOME_OFFLINE, "when asked");
	find_cpus(d, NMIBT_FINDING_EXCLUDED, has_outcome, NMIBT_OUTCOME_EXCLUDED,
		  nmibt_image_is_record(d->report->kernel->image)
			  ? "slot is not in the record"
			  : "slot is not in the dump; dump with a lower -d of makedumpfile");
	nmibt_format_stale(report, stale, sizeof(stale));
	snprintf(text, sizeof(text), "the slot %s; -o shows it", stale);
	find_cpus(d, NMIBT_FINDING_STALE, has_stale_slot, 0, text);
}

static int compare_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Finds stacks that more than one CPU has, in the order of their first CPUs. */
static void find_same_stacks(struct diagnosing *d)
{
	const struct nmibt_report *report = d->report;
	unsigned int nr = report->nr_cpus;
	size_t count = 0, shared = 0;
	_cleanup_free_ uint64_t *hashes = calloc(nr, sizeof(*hashes));

	if (!hashes) {
		d->err = d->err ? d->err : nmibt_error_nomem();
		return;
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (report->possible[i] && whole_stack(&report->cpus[i]))
			hashes[count++] = whole_stack(&report->cpus[i]);
	}
	qsort(hashes, count, sizeof(*hashes), compare_hash);
	for (size_t i = 0; i < count; i++) {
		bool first = i == 0 || hashes[i] != hashes[i - 1];
		if (first && i + 1 < count && hashes[i + 1] == hashes[i])
			hashes[shared++] = hashes[i];
	}
	for (unsigned int i = 0; i < nr && shared; i++) {
		uint64_t hash = whole_stack(&report->cpus[i]);
		uint64_t *at =
			hash ? bsearch(&hash, hashes, shared, sizeof(*hashes), compare_hash) : NULL;
		if (!at)
			continue;
		find_cpus(d, NMIBT_FINDING_SAME_STACK, has_stack, hash,
			  is_idle(&report->cpus[i]) ? "(idle)" : "");
		memmove(at, at + 1, (shared - (at - hashes) - 1) * sizeof(*hashes));
		shared--;
	}
}

static void find_damage(struct diagnosing *d)
{
	const struct nmibt_report *report = d->report;
	struct nmibt_finding *finding;

	if (*report->sources->capture.damage) {
		finding = add_finding(d, NMIBT_FINDING_DAMAGED, 0);
		if (finding)
			nmibt_add_reason(finding->text, "%s", report->sources->capture.damage);
	}
	if (report->sources->capture.slots_unread) {
		finding = add_finding(d, NMIBT_FINDING_DAMAGED, 0);
		if (finding)
			nmibt_add_reason(finding->text,
					 "%u of %u entries of the table of slots can't be read",
					 report->sources->capture.slots_unread,
					 report->sources->capture.desc.nr_slots);
	}
	find_cpus(d, NMIBT_FINDING_DAMAGED, has_outcome, NMIBT_OUTCOME_DAMAGED,
		  "slot fails its checks or can't be read");
}

static void find_loss(struct diagnosing *d)
{
	const struct nmibt_report *report = d->report;
	uint64_t lost = 0, unread = 0, records = 0;
	char text[NMIBT_WHY_LEN];

	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		lost += report->cpus[i].lost_bytes;
		unread += report->cpus[i].unread;
		records += report->cpus[i].lost_records;
	}
	snprintf(text, sizeof(text), "%" PRIu64 " byte%s did not fit the slots of %u", lost,
		 nmibt_plural(lost), report->sources->capture.desc.slot_size);
	find_cpus(d, NMIBT_FINDING_OVERFLOWED, overflowed, 0, text);
	snprintf(text, sizeof(text), "%" PRIu64 " byte%s of text", unread, nmibt_plural(unread));
	find_cpus(d, NMIBT_FINDING_UNREADABLE, is_unread, 0, text);
	snprintf(text, sizeof(text), "%" PRIu64 " record%s of the log amid its text", records,
		 nmibt_plural(records));
	find_cpus(d, NMIBT_FINDING_UNREADABLE, lost_records, 0, text);
}

struct nmibt_error *nmibt_diagnose(const struct nmibt_report *report, struct nmibt_diagnosis *ret)
{
	struct nmibt_diagnosis all = {0};
	struct diagnosing d = {.report = report, .diagnosis = &all};

	find_trouble(&d);
	find_same_stacks(&d);
	find_damage(&d);
	find_loss(&d);
	if (d.err) {
		nmibt_diagnosis_destroy(&all);
		return d.err;
	}
	*ret = all;
	return NULL;
}

void nmibt_diagnosis_destroy(struct nmibt_diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->nr; i++)
		free(diagnosis->findings[i].cpus);
	free(diagnosis->findings);
	*diagnosis = (struct nmibt_diagnosis){0};
}
