// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chooses the evidence that stands for a CPU, by the rule of docs/evidence.md. No other code
 * decides it. The first step that applies counts:
 *
 * - 1: its slot, if it holds a frame or registers of the last request
 * - 2: text that belongs to the death
 * - 3: older text that the registers of the stop confirm
 * - 4: these registers, unwound
 * - 5: last seen: the newest older text, in the past tense
 * - 6: nothing, and why
 */
#include "report/report.h"

/* How many older texts of a CPU are compared with its registers, the newest first. */
#define MAX_TRIES 8

static bool may_use_capture(const struct nmibt_report *report)
{
	return report->sources->has_capture &&
	       (report->only == NMIBT_SOURCE_AUTO || report->only <= NMIBT_SOURCE_SCAN);
}

/* Moves *evidence to cpu->standing, in place of what stood before. */
static void stand(struct nmibt_cpu *cpu, enum nmibt_step step, struct nmibt_evidence *evidence)
{
	nmibt_evidence_destroy(&cpu->standing);
	cpu->standing = *evidence;
	*evidence = (struct nmibt_evidence){0};
	cpu->step = step;
}

/* ---------------------------------------------------------------------- 1: its slot */

enum nmibt_outcome nmibt_outcome_of_slot(const struct nmibt_evidence *evidence)
{
	const struct nmi_capture_slot *slot = &evidence->slot;

	if (*evidence->why)
		return evidence->wrong & NMIBT_WRONG_DAMAGED ? NMIBT_OUTCOME_DAMAGED
							     : NMIBT_OUTCOME_EXCLUDED;
	switch (slot->state) {
	case NMI_CAPTURE_SLOT_EMPTY:
		return slot->asked_flags & NMI_CAPTURE_ASKED_F_OFFLINE ? NMIBT_OUTCOME_OFFLINE
								       : NMIBT_OUTCOME_NONE;
	case NMI_CAPTURE_SLOT_ASKED:
		return NMIBT_OUTCOME_SILENT;
	case NMI_CAPTURE_SLOT_BEGUN:
		return NMIBT_OUTCOME_PARTIAL;
	}
	switch (slot->how) {
	case NMI_CAPTURE_BY_NMI:
		return NMIBT_OUTCOME_NMI;
	case NMI_CAPTURE_BY_IRQ:
		return NMIBT_OUTCOME_IRQ;
	case NMI_CAPTURE_BY_STOP:
		return NMIBT_OUTCOME_STOP;
	}
	return NMIBT_OUTCOME_SELF;
}

/* A capture that was made shortly before the death tells where CPUs were then, but for the one that
 * died: it went on to that. */
static bool is_before_death(const struct nmibt_death *death, unsigned int cpu)
{
	return death->is_capture_older || (death->is_capture_anothers && cpu == death->reporter);
}

/* The slot's header stays with the CPU, whatever the slot holds: the capture tells what became of
 * the CPU even if its text comes from another source. */
static struct nmibt_error *try_slot(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	struct nmibt_evidence slot;

	struct nmibt_error *err = nmibt_slot_evidence(report->kernel, &report->sources->capture,
						      cpu->cpu, &slot, &cpu->has_stale_slot);
	if (err)
		return err;
	cpu->has_stale_slot |=
		is_before_death(&report->death, cpu->cpu) && nmibt_slot_generation(&slot.slot);
	cpu->has_slot = slot.has_slot && !cpu->has_stale_slot;
	cpu->slot = slot.slot;
	cpu->slot_paddr = slot.slot_paddr;
	if (cpu->has_slot || *slot.why)
		cpu->outcome = nmibt_outcome_of_slot(&slot);
	memcpy(cpu->why, slot.why, sizeof(cpu->why));
	cpu->asked_ns = cpu->has_slot ? slot.asked_ns : 0;
	/* A slot without a frame and without registers is shown, but does not stand. */
	if (!cpu->has_stale_slot)
		stand(cpu,
		      slot.stack.nr || slot.regs.present ? NMIBT_STEP_SLOT : NMIBT_STEP_NOTHING,
		      &slot);
	nmibt_evidence_destroy(&slot);
	return NULL;
}

/* --------------------------------------------------- 2 and 3: what was printed of it */

enum nmibt_outcome nmibt_outcome_of_kind(enum nmibt_evidence_kind kind)
{
	switch (kind) {
	case NMIBT_EVIDENCE_ANSWER:
		return NMIBT_OUTCOME_ANSWERED;
	case NMIBT_EVIDENCE_SKIPPED:
		return NMIBT_OUTCOME_SKIPPED;
	default:
		return NMIBT_OUTCOME_REPORTED;
	}
}

static enum nmibt_outcome outcome_of_text(const struct nmibt_report *report,
					  const struct nmibt_cpu *cpu)
{
	const struct nmibt_death *death = &report->death;
	const struct nmibt_evidence *evidence = &cpu->standing;
	enum nmibt_outcome outcome = nmibt_outcome_of_kind(evidence->kind);
	bool has_died = death->reporter == NMIBT_NO_CPU || cpu->cpu == death->reporter ||
			cpu->cpu == death->moved_to;

	/* The CPU that panicked printed this text while it died. Others say that they stop (arm's
	 * kernel/smp.c: ipi_cpu_stop(), 6.12; arm64's, 4.14). */
	if (has_died && outcome == NMIBT_OUTCOME_REPORTED && evidence->printout &&
	    (evidence->printout == death->printout ||
	     (evidence->printout == death->cause &&
	      report->sources->log->printouts[evidence->printout - 1].kind == NMIBT_PRINT_OOPS)))
		return NMIBT_OUTCOME_SELF;
	return outcome;
}

static bool has_any(const struct nmibt_stack *stack, const char *const *names, size_t nr)
{
	for (size_t i = 0; i < stack->nr; i++) {
		for (size_t j = 0; j < nr; j++) {
			if (nmibt_str_starts(stack->frames[i].function, names[j]))
				return true;
		}
	}
	return false;
}

/*
 * True: the CPU is in a function that prints such a trace. printk() is not enough: it prints any
 * message. lib/nmi_backtrace.c, drivers/tty/sysrq.c: showacpu(), arch/x86/kernel/dumpstack.c,
 * arch/arm64/kernel/stacktrace.c, process.c, traps.c, lib/dump_stack.c, kernel/panic.c; 6.12.
 */
static bool is_printing(const struct nmibt_stack *stack, enum nmibt_evidence_kind kind)
{
	static const char *const answers[] = {"nmi_cpu_backtrace", "showacpu"};
	static const char *const others[] = {"show_regs",      "__show_regs", "show_stack",
					     "show_trace_log", "dump_stack",  "dump_backtrace",
					     "print_modules",  "__die",	      "__warn"};

	if (nmibt_is_answer(kind))
		return has_any(stack, answers, ARRAY_SIZE(answers));
	return has_any(stack, others, ARRAY_SIZE(others));
}

/*
 * *ret: the trace was being printed when its CPU was stopped. That needs all of these: the
 * registers of the stop show the CPU printing a trace; the tasks are the same where both are known;
 * the caller printed nothing after it; and the text has not reached the outermost function (not
 * every architecture marks the end).
 */
static struct nmibt_error *is_being_printed(const struct nmibt_report *report,
					    struct nmibt_cpu *cpu, size_t i, bool *ret)
{
	const struct nmibt_log_source *log = report->sources->log;
	const struct nmibt_log_trace *trace = &log->traces[i];
	const struct nmibt_evidence *stop = &cpu->stop;
	struct nmibt_evidence evidence;

	*ret = false;
	if (trace->has_ended || !trace->is_last || !nmibt_is_stop_certain(report) ||
	    !stop->regs.present || stop->is_user)
		return NULL;
	struct nmibt_error *err = nmibt_unwind_stop(report, cpu);
	if (err || !is_printing(&stop->stack, trace->kind))
		return err;
	err = nmibt_log_evidence(log, report->kernel, i, &evidence);
	if (err)
		return err;
	*ret = (!stop->task.known || !evidence.task.known || evidence.task.pid == stop->task.pid) &&
	       !evidence.is_user && evidence.stack.end != NMIBT_END_COMPLETE &&
	       evidence.stack.end != NMIBT_END_USER;
	nmibt_evidence_destroy(&evidence);
	return NULL;
}

static struct nmibt_error *trace_belongs(const struct nmibt_report *report, struct nmibt_cpu *cpu,
					 size_t trace, bool *ret)
{
	const struct nmibt_log_trace *t = &report->sources->log->traces[trace];

	*ret = false;
	/* Without its head a trace does not name its CPU, and a warning in an interrupt looks the
	 * same. */
	if (t->kind == NMIBT_EVIDENCE_TASK || t->wrong & NMIBT_WRONG_HEADLESS ||
	    !report->death.is_known)
		return NULL;
	*ret = nmibt_belongs(report, t->printout, t->first_seq);
	return *ret ? NULL : is_being_printed(report, cpu, trace, ret);
}

/* Ranks the traces that the reporter printed when it died. The panic's own trace tells most; a
 * trace that it printed later, in answer to its own request, tells less. */
static unsigned int rank_of(const struct nmibt_report *report, size_t trace)
{
	const struct nmibt_log_trace *t = &report->sources->log->traces[trace];
	const struct nmibt_death *death = &report->death;

	if (t->kind != NMIBT_EVIDENCE_OWN || !t->printout)
		return 0;
	if (t->printout == death->printout)
		return 2;
	return t->printout == death->cause;
}

/* *ret: index + 1 of the trace that stands by step 2; 0: none. */
static struct nmibt_error *find_belonging(const struct nmibt_report *report, struct nmibt_cpu *cpu,
					  size_t *ret)
{
	const struct nmibt_log_source *log = report->sources->log;
	unsigned int best = 0;

	*ret = 0;
	for (size_t i = nmibt_newest_trace(report, cpu->cpu); i; i = log->traces[i - 1].older) {
		unsigned int rank = rank_of(report, i - 1);
		bool belongs;

		if (*ret && rank <= best)
			continue;
		struct nmibt_error *err = trace_belongs(report, cpu, i - 1, &belongs);
		if (err)
			return err;
		if (!belongs)
			continue;
		*ret = i;
		best = rank;
	}
	return NULL;
}

static struct nmibt_error *use_trace(const struct nmibt_report *report, size_t trace,
				     enum nmibt_step step, struct nmibt_cpu *cpu)
{
	struct nmibt_evidence evidence;

	struct nmibt_error *err =
		nmibt_log_evidence(report->sources->log, report->kernel, trace - 1, &evidence);
	if (err)
		return err;
	stand(cpu, step, &evidence);
	cpu->trace = trace;
	return NULL;
}

static struct nmibt_error *try_belonging(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	size_t trace;

	struct nmibt_error *err = find_belonging(report, cpu, &trace);
	return err || !trace ? err : use_trace(report, trace, NMIBT_STEP_BELONGS, cpu);
}

static struct nmibt_error *confirm_traces(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	const struct nmibt_log_source *log = report->sources->log;
	unsigned int tries = 0;

	for (size_t i = nmibt_newest_trace(report, cpu->cpu); i && tries < MAX_TRIES;
	     i = log->traces[i - 1].older, tries++) {
		struct nmibt_evidence evidence;

		if (log->traces[i - 1].kind == NMIBT_EVIDENCE_TASK ||
		    !nmibt_is_of_boot(report, log->traces[i - 1].first_seq))
			continue;
		struct nmibt_error *err = nmibt_log_evidence(log, report->kernel, i - 1, &evidence);
		if (err)
			return err;
		bool confirmed = nmibt_is_confirmed(&evidence, &cpu->stop);
		if (confirmed) {
			stand(cpu, NMIBT_STEP_CONFIRMED, &evidence);
			cpu->trace = i;
		}
		nmibt_evidence_destroy(&evidence);
		if (confirmed)
			return NULL;
	}
	return NULL;
}

/* The text in a buffer has no time, so it counts only if the registers confirm it. */
static struct nmibt_error *confirm_buffer(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	struct nmibt_evidence evidence;
	bool found;

	struct nmibt_error *err =
		nmibt_buffer_evidence(report->kernel, cpu->cpu, &evidence, &found);
	if (err)
		return err;
	if (found && nmibt_is_confirmed(&evidence, &cpu->stop))
		stand(cpu, NMIBT_STEP_CONFIRMED, &evidence);
	nmibt_evidence_destroy(&evidence);
	return NULL;
}

static struct nmibt_error *try_confirmed(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	bool use_buffers = nmibt_may_use_buffers(report);

	/* If there is no older text to confirm, the stop need not be unwound. */
	if (!cpu->stop.regs.present || (!use_buffers && !nmibt_newest_trace(report, cpu->cpu)))
		return NULL;
	struct nmibt_error *err = nmibt_unwind_stop(report, cpu);
	if (!err && use_buffers)
		err = confirm_buffer(report, cpu);
	if (!err && cpu->step == NMIBT_STEP_NOTHING)
		err = confirm_traces(report, cpu);
	return err;
}

/* ---------------------------------------------------------------- 4: its registers */

/* The evidence stays in cpu->stop, where the registers of the stop always are. */
static struct nmibt_error *try_registers(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	if (!cpu->stop.regs.present ||
	    (!nmibt_may_use(report, cpu->stop.source) && !may_use_capture(report)))
		return NULL;
	cpu->step = NMIBT_STEP_REGISTERS;
	return nmibt_unwind_stop(report, cpu);
}

/* ------------------------------------------------------------------- 5: last seen */

static struct nmibt_error *try_last_seen(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	const struct nmibt_log_source *log = report->sources->log;
	struct nmibt_evidence evidence;
	bool found = false;
	struct nmibt_error *err = NULL;

	if (nmibt_may_use_buffers(report)) {
		err = nmibt_buffer_evidence(report->kernel, cpu->cpu, &evidence, &found);
		if (err)
			return err;
		if (found)
			stand(cpu, NMIBT_STEP_LAST_SEEN, &evidence);
		else if (*evidence.why && !*cpu->why)
			memcpy(cpu->why, evidence.why, sizeof(cpu->why));
		nmibt_evidence_destroy(&evidence);
		if (found)
			return NULL;
	}
	for (size_t i = nmibt_newest_trace(report, cpu->cpu); i; i = log->traces[i - 1].older) {
		if (log->traces[i - 1].kind != NMIBT_EVIDENCE_TASK &&
		    nmibt_is_of_boot(report, log->traces[i - 1].first_seq))
			return use_trace(report, i, NMIBT_STEP_LAST_SEEN, cpu);
	}
	return NULL;
}

/* ------------------------------------------------------------------------- silent */

bool nmibt_has_gap_behind(const struct nmibt_log_source *log, uint64_t seq)
{
	for (size_t i = log->nr_gaps; i > 0; i--) {
		if (log->gaps[i - 1].before_seq > seq)
			return true;
	}
	return false;
}

/* True: a request that belongs to the death asked this CPU and was not answered. */
static bool is_silent(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	const struct nmibt_log_source *log = report->sources->log;

	if (!log || !nmibt_may_use(report, NMIBT_SOURCE_LOG) || report->sources->has_capture)
		return false;
	for (size_t i = log->nr_requests; i > 0; i--) {
		const struct nmibt_request *r = &log->requests[i - 1];

		if (!nmibt_belongs(report, r->printout, r->seq))
			continue;
		if (r->all || !nmibt_cpus_has(&r->asked, cpu->cpu))
			continue;
		/* The answer may be in them. */
		if (nmibt_has_gap_behind(log, r->seq)) {
			nmibt_add_reason(cpu->why,
					 "it was asked for its backtrace; lost records of "
					 "the log may hold the answer");
			return false;
		}
		cpu->asked_ns = r->ts_ns;
		cpu->asked_seq = r->seq;
		cpu->asked_by = r->by_cpu;
		return true;
	}
	return false;
}

/* ----------------------------------------------------------------------- together */

/* In a hypervisor's dump the virtual CPU may be in the stop itself. Then only its stack tells the
 * task and the mode. */
struct nmibt_error *nmibt_read_stop(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;

	/* A slot has the address of the note, whichever request it answers; 0: there is none. */
	nmibt_note_evidence(report->kernel, cpu->cpu, slot->note_paddr, slot->note_size,
			    &cpu->stop);
	if (!report->sources->vcpus || cpu->stop.regs.present)
		return NULL;
	enum nmibt_note note = cpu->stop.note;
	nmibt_vcpu_evidence(report->kernel, cpu->cpu, &cpu->stop);
	cpu->stop.note = note;
	return nmibt_unwind_stop(report, cpu);
}

/* If a partial or damaged slot has no stack, the stack comes from the stop, and the renderers say
 * so. */
static struct nmibt_error *fill_partial(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	const struct nmibt_evidence *slot = &cpu->standing;
	bool lacks_stack = cpu->step == NMIBT_STEP_SLOT && !slot->stack.nr && !slot->is_user;
	bool has_no_more = cpu->step == NMIBT_STEP_REGISTERS && slot->task.known;

	if (lacks_stack && !cpu->stop.regs.present)
		return nmibt_slot_leads_to_stack(slot)
			       ? nmibt_follow_registers(report, &cpu->standing)
			       : NULL;
	if (!cpu->stop.regs.present || (!lacks_stack && !has_no_more))
		return NULL;
	cpu->is_partial_filled = true;
	return nmibt_unwind_stop(report, cpu);
}

/* A CPU that panicked saved its own registers on the way to kdump. */
static enum nmibt_outcome outcome_of_registers(const struct nmibt_report *report,
					       struct nmibt_cpu *cpu)
{
	if (cpu->cpu == report->death.reporter)
		return NMIBT_OUTCOME_SELF;
	return is_silent(report, cpu) ? NMIBT_OUTCOME_SILENT : NMIBT_OUTCOME_REGISTERS;
}

static void set_outcome(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	bool is_of_capture = cpu->outcome != NMIBT_OUTCOME_NONE;

	switch (cpu->step) {
	case NMIBT_STEP_BELONGS:
	case NMIBT_STEP_CONFIRMED:
		if (!is_of_capture)
			cpu->outcome = outcome_of_text(report, cpu);
		break;
	case NMIBT_STEP_REGISTERS:
		if (!is_of_capture)
			cpu->outcome = outcome_of_registers(report, cpu);
		break;
	case NMIBT_STEP_LAST_SEEN:
	case NMIBT_STEP_NOTHING:
		if (!is_of_capture && is_silent(report, cpu))
			cpu->outcome = NMIBT_OUTCOME_SILENT;
		break;
	case NMIBT_STEP_SLOT:
		break;
	}
}

static void say_why_nothing(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	char stale[96];

	if (cpu->step != NMIBT_STEP_NOTHING || cpu->outcome != NMIBT_OUTCOME_NONE || *cpu->why)
		return;
	if (cpu->slot_paddr == NMI_CAPTURE_NO_MEMORY)
		nmibt_add_reason(cpu->why, "there was no memory for its slot");
	else if (cpu->has_stale_slot) {
		nmibt_format_stale(report, stale, sizeof(stale));
		nmibt_add_reason(cpu->why, "its slot %s", stale);
	} else if (cpu->has_slot && report->sources->capture.desc.flags & NMI_CAPTURE_F_REGS_ONLY)
		nmibt_add_reason(cpu->why, "a hardware error forbade to ask it");
	else if (cpu->has_slot)
		nmibt_add_reason(cpu->why, "nothing was asked of it");
	else if (*cpu->stop.why)
		nmibt_add_reason(cpu->why, "no text of it; %s", cpu->stop.why);
	else
		nmibt_add_reason(cpu->why, "no text of it, and no registers");
}

struct nmibt_error *nmibt_select(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	struct nmibt_error *err = NULL;

	cpu->outcome = NMIBT_OUTCOME_NONE;
	cpu->step = NMIBT_STEP_NOTHING;
	cpu->asked_by = NMIBT_NO_CPU;
	if (may_use_capture(report))
		err = try_slot(report, cpu);
	if (err)
		return err;
	err = nmibt_read_stop(report, cpu);
	if (!err && cpu->step == NMIBT_STEP_NOTHING)
		err = try_belonging(report, cpu);
	if (!err && cpu->step == NMIBT_STEP_NOTHING)
		err = try_confirmed(report, cpu);
	if (!err && cpu->step == NMIBT_STEP_NOTHING)
		err = try_registers(report, cpu);
	if (!err && cpu->step == NMIBT_STEP_NOTHING)
		err = try_last_seen(report, cpu);
	if (!err)
		err = fill_partial(report, cpu);
	if (err)
		return err;
	set_outcome(report, cpu);
	nmibt_find_absence(report, cpu);
	say_why_nothing(report, cpu);
	return NULL;
}
