// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A report from any tables of a log and any registers. It must open, and what it says about the
 * CPUs must follow docs/evidence.md.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fake-report.h"
#include "../unit/kernel-text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static void check(bool is_so)
{
	if (!is_so)
		abort();
}

static unsigned int take(struct input *in, unsigned int below)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++ % below;
}

/* ------------------------------------------------------------------- the tables */

static const char *const texts[] = {SPIN(1, 118), IDLE(1),	   SKIPPED(1), USER(1, 70),
				    PANIC(1, 1),  SPIN_TRACE,	   TITLE(1),   OOPS(1, 127),
				    "\n",	  ARM64_SPIN(1, 3)};
static const char *const chains[] = {
	NULL,
	"",
	"delay_tsc spin_fn kthread ret_from_fork_asm",
	"pv_native_safe_halt default_idle do_idle cpu_startup_entry",
	"stop_this_cpu panic @ffffffffc0242015 !a ?b c",
};
static const char *const words[] = {
	"Hard LOCKUP",	       "softlockup: hung tasks",   "RCU Stall",
	"Fatal exception",     "hung_task: blocked tasks", "sysrq triggered crash",
	"NMI: Not continuing", "panic_on_warn set",	   "watchdog pretimeout event"};

/* An index + 1 into a table of nr entries, or 0. */
static size_t take_index(struct input *in, size_t nr)
{
	return take(in, nr + 1 < 256 ? nr + 1 : 256);
}

static void add_printout(struct fake_report *f, struct input *in)
{
	enum nmibt_print kind =
		NMIBT_PRINT_PANIC + take(in, NMIBT_PRINT_WARNING - NMIBT_PRINT_PANIC + 1);
	uint32_t caller = take(in, 4);
	unsigned int reporter = take(in, FR_CPUS + 2);
	const char *message = words[take(in, ARRAY_SIZE(words))];

	if (kind == NMIBT_PRINT_PANIC) {
		fr_panic(f, caller, reporter, message);
		return;
	}
	unsigned int cpu = take(in, FR_CPUS + 1);
	size_t i = fr_lockup(f, kind, caller, reporter, cpu, take(in, 64));
	struct nmibt_printout *p = &f->log->printouts[i - 1];
	unsigned int flags = take(in, 8);
	p->has_ended = flags & 1;
	if (flags & 2)
		p->task = (struct nmibt_task){.known = true, .pid = 118};
	if (flags & 4)
		p->cpus.ranges[0].last += 100;
}

static void add_trace(struct fake_report *f, struct input *in)
{
	unsigned int cpu = take(in, FR_CPUS);
	enum nmibt_evidence_kind kind = NMIBT_EVIDENCE_ANSWER + take(in, 4);
	size_t printout = take_index(in, f->log->nr_printouts);
	size_t request = take_index(in, f->log->nr_requests);
	size_t i = fr_trace(f, cpu, kind, printout, request, texts[take(in, ARRAY_SIZE(texts))]);
	struct nmibt_log_trace *t = &f->log->traces[i - 1];

	t->wrong = take(in, 64);
	t->has_ended = take(in, 2);
	if (take(in, 8) == 7 && t->len > 4)
		memset(t->known + take(in, t->len - 3), false, 3);
}

static void add_entry(struct fake_report *f, struct input *in)
{
	switch (take(in, 8)) {
	case 0:
	case 1:
		add_printout(f, in);
		break;
	case 2:
	case 3:
		add_trace(f, in);
		break;
	case 4:
		fr_request(f, take(in, 4), take(in, FR_CPUS), take(in, 3), 3 + take(in, 5),
			   take_index(in, f->log->nr_printouts));
		break;
	case 5:
		fr_event(f, take(in, NMIBT_PRINT_FRAME));
		break;
	case 6:
		fr_gap(f, take(in, 4));
		break;
	default: {
		unsigned int cpu = take(in, FR_CPUS);
		fr_stop(f, cpu, take(in, 2) ? 118 : 0, chains[take(in, ARRAY_SIZE(chains))]);
		f->end[cpu] = take(in, NMIBT_END_LIMIT + 1);
		f->note_status[cpu] = take(in, 8) ? NMIBT_READ_OK : NMIBT_READ_EXCLUDED;
	}
	}
	/* A clock may go back. */
	f->now += take(in, 2) ? take(in, 256) * (FR_SECOND / 4) : -(uint64_t)take(in, 16);
}

/* -------------------------------------------------------------- what must hold */

static void check_counts(const struct nmibt_report *r)
{
	unsigned int sum = 0, nr_possible = 0, nr_subjects = 0;

	for (unsigned int i = 0; i < NMIBT_NR_OUTCOMES; i++)
		sum += r->by_outcome[i];
	for (unsigned int i = 0; i < r->nr_cpus; i++) {
		nr_possible += r->possible[i];
		nr_subjects += r->death.subjects[i];
	}
	check(nr_possible == r->nr_possible && sum == nr_possible);
	check(nr_subjects == r->death.nr_subjects);
	check(r->death.is_known || (!nr_subjects && !r->death.nr_tasks));
}

/* Evidence of step "last seen" makes no outcome, no "idle" and no group. */
static void check_cpu(const struct nmibt_report *r, unsigned int i)
{
	const struct nmibt_cpu_brief *b = &r->cpus[i];
	struct nmibt_cpu cpu;

	check(!nmibt_report_read_cpu(r, i, &cpu));
	check(cpu.outcome == b->outcome && cpu.step == b->step && cpu.condition == b->condition);
	check(b->step >= NMIBT_STEP_SLOT && b->step <= NMIBT_STEP_NOTHING);
	if (b->step >= NMIBT_STEP_LAST_SEEN) {
		check(b->outcome == NMIBT_OUTCOME_NONE || b->outcome == NMIBT_OUTCOME_SILENT);
		check(!b->is_idle && !b->is_user && !b->irqs_off && !b->stack_hash);
	}
	if (b->step == NMIBT_STEP_BELONGS || b->outcome == NMIBT_OUTCOME_SELF ||
	    b->outcome == NMIBT_OUTCOME_SILENT)
		check(r->death.is_known);
	if (b->step == NMIBT_STEP_CONFIRMED)
		check(nmibt_is_confirmed(&cpu.standing, &cpu.stop));
	if (b->step == NMIBT_STEP_REGISTERS)
		check(cpu.stop.regs.present);
	if (b->condition)
		check(b->condition <= r->nr_conditions &&
		      nmibt_condition_is_about(&r->conditions[b->condition - 1], i));
	nmibt_cpu_destroy(&cpu);
}

/* Only subjects, and CPUs with evidence that stands or with an open condition, are in the
 * signature. */
static void check_signature(const struct nmibt_report *r)
{
	struct nmibt_signature signature;

	check(!nmibt_signature(r, &signature));
	for (size_t i = 0; i < signature.nr_stacks; i++) {
		for (size_t j = 0; j < signature.stacks[i].nr_cpus; j++) {
			const struct nmibt_cpu_brief *b = &r->cpus[signature.stacks[i].cpus[j]];

			check(!signature.stacks[i].is_blamed || b->step <= NMIBT_STEP_REGISTERS ||
			      b->condition);
		}
	}
	nmibt_signature_destroy(&signature);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct fake_report *f = fr_new();

	fr_panic_cpu(f, (int)take(&in, FR_CPUS + 1) - 1);
	while (in.size > 1)
		add_entry(f, &in);
	struct nmibt_error *err = fr_try(f);
	if (!err) {
		check_counts(f->report);
		for (unsigned int i = 0; i < f->report->nr_cpus; i++)
			check_cpu(f->report, i);
		check_signature(f->report);
	} else {
		check(err->code == NMIBT_ERR_NOTHING || err->code == NMIBT_ERR_DAMAGED);
	}
	nmibt_error_destroy(err);
	fr_free(f);
	return 0;
}
