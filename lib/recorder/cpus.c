// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looks at all CPUs once, and puts them into the order in which they matter. That takes what a
 * source says as it is: which evidence stands is decided when a report is made of the record.
 */
#include <stddef.h>

#include "recorder/recorder.h"

void nmibt_cpu_evidence_destroy(struct cpu_evidence *evidence)
{
	nmibt_evidence_destroy(&evidence->slot);
	nmibt_evidence_destroy(&evidence->trace);
	nmibt_evidence_destroy(&evidence->stop);
}

/* True: a report follows the registers in the slot, because nothing else has the CPU's stack. */
static bool needs_stack_of_slot(const struct cpu_evidence *e)
{
	const struct nmibt_evidence *slot = &e->slot;

	return slot->has_slot && !slot->stack.nr && !slot->is_user && !e->stop.regs.present &&
	       nmibt_slot_leads_to_stack(slot);
}

static bool has_panicked(const struct nmibt_recorder *rec, unsigned int cpu)
{
	const struct nmi_capture_desc *desc = &rec->capture.desc;

	if (rec->has_capture)
		return !rec->is_of_oops && (desc->panic_cpu == cpu || desc->from_cpu == cpu);
	if (rec->percpu && rec->percpu->panic_cpu >= 0)
		return (unsigned int)rec->percpu->panic_cpu == cpu;
	return rec->panic && rec->log->printouts[rec->panic - 1].reporter == cpu;
}

/* The trace that the CPU printed as it panicked; 0: there is none. Other CPUs answer a request of the
 * panic, or say that they stop. */
static size_t trace_of_panic(const struct nmibt_recorder *rec, unsigned int cpu)
{
	const struct nmibt_log_source *log = rec->log;
	size_t i = rec->panic && has_panicked(rec, cpu) ? log->newest[cpu] : 0;

	while (i && (log->traces[i - 1].kind != NMIBT_EVIDENCE_OWN ||
		     log->traces[i - 1].printout != rec->panic))
		i = log->traces[i - 1].older;
	return i;
}

static struct nmibt_error *read_trace(struct nmibt_recorder *rec, unsigned int cpu,
				      struct cpu_evidence *ret)
{
	const struct nmibt_log_source *log = rec->log;
	size_t i = log && cpu < NMIBT_MAX_CPUS ? log->newest[cpu] : 0;
	size_t of_panic = i ? trace_of_panic(rec, cpu) : 0;

	while (i && log->traces[i - 1].kind == NMIBT_EVIDENCE_TASK)
		i = log->traces[i - 1].older;
	ret->has_trace = i;
	ret->is_of_panic = of_panic;
	i = of_panic ?: i;
	return i ? nmibt_log_evidence(log, rec->kernel, i - 1, &ret->trace) : NULL;
}

/* A hypervisor's dump has the registers of virtual CPUs in place of what the kernel saves. */
static void read_vcpu(struct nmibt_recorder *rec, struct nmibt_kernel *kernel, unsigned int cpu,
		      struct nmibt_evidence *stop)
{
	enum nmibt_note note = stop->note;

	if (!rec->vcpus || stop->regs.present)
		return;
	nmibt_vcpu_evidence(kernel, cpu, stop);
	stop->note = note;
}

bool nmibt_recorder_read_stop(struct nmibt_recorder *rec, struct nmibt_kernel *kernel,
			      unsigned int cpu, struct nmibt_evidence *ret)
{
	struct nmi_capture_slot slot = {0};
	uint64_t paddr = rec->has_capture ? rec->capture.slots[cpu] : 0;

	*ret = (struct nmibt_evidence){0};
	if (rec->has_capture &&
	    (!paddr || paddr == NMI_CAPTURE_NO_MEMORY ||
	     nmibt_read_phys(kernel->image, paddr, &slot,
			     offsetof(struct nmi_capture_slot, regs)) != NMIBT_READ_OK))
		return false;
	nmibt_note_evidence(kernel, cpu, slot.note_paddr, slot.note_size, ret);
	read_vcpu(rec, kernel, cpu, ret);
	return ret->note == NMIBT_NOTE_PRESENT;
}

struct nmibt_error *nmibt_recorder_read_cpu(struct nmibt_recorder *rec, struct nmibt_kernel *kernel,
					    unsigned int cpu, struct cpu_evidence *ret)
{
	struct nmibt_error *err = NULL;

	*ret = (struct cpu_evidence){0};
	if (rec->has_capture)
		err = nmibt_slot_evidence(kernel, &rec->capture, cpu, &ret->slot, &ret->is_stale);
	else
		err = read_trace(rec, cpu, ret);
	if (err)
		return err;
	const struct nmibt_evidence *slot = &ret->slot;
	nmibt_note_evidence(kernel, cpu, slot->slot.note_paddr, slot->slot.note_size, &ret->stop);
	read_vcpu(rec, kernel, cpu, &ret->stop);
	/* The backtrace tells where the CPU was. Its stack at the stop is worth the time only where
	 * there is none. */
	if (ret->is_stale || (!slot->stack.nr && !(slot->has_slot && slot->is_user)) ||
	    ret->stop.source == NMIBT_SOURCE_VCPU)
		err = nmibt_unwind_registers_of_stop(&rec->follower, kernel, &ret->stop);
	if (!err && needs_stack_of_slot(ret))
		err = nmibt_unwind_evidence(&rec->follower, kernel, &ret->slot);
	if (err)
		nmibt_cpu_evidence_destroy(ret);
	return err;
}

/* ---------------------------------------------------------------- the brief of one */

/* True: the newest report of a watchdog about the CPU is in the log. */
static bool is_named(const struct nmibt_recorder *rec, unsigned int cpu)
{
	for (size_t i = rec->log ? rec->log->nr_printouts : 0; i; i--) {
		const struct nmibt_printout *p = &rec->log->printouts[i - 1];

		switch (p->kind) {
		case NMIBT_PRINT_SOFT_LOCKUP:
		case NMIBT_PRINT_HARD_LOCKUP:
		case NMIBT_PRINT_SELF_STALL:
		case NMIBT_PRINT_STALL:
			if (nmibt_cpus_has(&p->cpus, cpu))
				return true;
			break;
		default:
			break;
		}
	}
	return false;
}

/* The evidence that tells where the CPU was: its backtrace, or the stop, or what it printed last. At
 * the stop the one that panics is in kdump, which its trace has not begun with. */
static const struct nmibt_evidence *shown_of(const struct cpu_evidence *e)
{
	if (e->slot.has_slot && !e->is_stale && (e->slot.stack.nr || e->slot.is_user))
		return &e->slot;
	if ((e->stop.regs.present && !e->is_of_panic) || !e->has_trace)
		return &e->stop;
	return &e->trace;
}

static const char *outcome_of(const struct cpu_evidence *e)
{
	if ((e->slot.has_slot && !e->is_stale) || *e->slot.why)
		return nmibt_outcome_name(nmibt_outcome_of_slot(&e->slot));
	if (e->is_of_panic)
		return nmibt_outcome_name(NMIBT_OUTCOME_SELF);
	if (e->stop.regs.present)
		return nmibt_outcome_name(NMIBT_OUTCOME_REGISTERS);
	return e->has_trace ? "last printed" : nmibt_outcome_name(NMIBT_OUTCOME_NONE);
}

static void fill_place(const struct nmibt_evidence *shown, char place[PLACE_LEN])
{
	const struct nmibt_frame *frame = nmibt_stack_place(&shown->stack);
	char addr[NMIBT_ADDR_LEN];

	if (!frame)
		return;
	struct nmibt_str name = nmibt_frame_name(frame, addr);
	FILE *out = fmemopen(place, PLACE_LEN, "w");
	if (!out)
		return;
	nmibt_escape(out, name.s, name.len, false);
	if (frame->function.len)
		fprintf(out, "+0x%" PRIx64, frame->offset);
	fclose(out);
	place[PLACE_LEN - 1] = '\0';
}

static enum rank rank_of(const struct nmibt_recorder *rec, const struct cpu_evidence *e,
			 const struct cpu_brief *b)
{
	const struct nmibt_evidence *shown = shown_of(e);
	bool is_asked = e->slot.has_slot && !e->is_stale;
	struct nmibt_wait wait;

	/* One that was in die() or panic() as well. */
	if (b->has_panicked || (is_asked && e->slot.slot.how == NMI_CAPTURE_BY_SELF))
		return RANK_PANICKING;
	/* The report may be an old one. */
	if (!b->is_idle && (b->is_named || (!b->is_user && (b->is_same_place || b->irqs_off))))
		return RANK_STUCK;
	if (nmibt_is_waiting(rec->kernel, shown, &wait))
		return RANK_SPINNING;
	if (is_asked && (e->slot.slot.state == NMI_CAPTURE_SLOT_ASKED ||
			 e->slot.slot.state == NMI_CAPTURE_SLOT_BEGUN || *e->slot.why))
		return RANK_SILENT;
	if (b->is_idle)
		return RANK_IDLE;
	return shown->stack.nr || shown->is_user || shown->regs.present ? RANK_OTHER : RANK_NOTHING;
}

static void make_brief(struct nmibt_recorder *rec, unsigned int cpu, const struct cpu_evidence *e)
{
	const struct nmibt_evidence *shown = shown_of(e);
	struct cpu_brief *b = &rec->cpus[cpu];
	bool is_now = shown != &e->trace || e->is_of_panic;

	*b = (struct cpu_brief){
		.is_possible = e->slot.slot_paddr || e->slot.has_slot || *e->slot.why ||
			       e->has_trace || e->stop.regs.present ||
			       (rec->percpu && cpu < rec->percpu->nr && rec->percpu->possible[cpu]),
		.outcome = outcome_of(e),
		.has_panicked = has_panicked(rec, cpu),
		.is_idle = is_now && (shown->is_idle_said || nmibt_is_idle_stack(&shown->stack)),
		.is_user = is_now && shown->is_user,
		.irqs_off = is_now && shown->has_irqs_off && shown->irqs_off,
		.is_named = is_named(rec, cpu),
		.task = e->slot.task.known && !e->is_stale ? e->slot.task : shown->task,
		.stack_hash = nmibt_stack_hash(shown->stack.frames, shown->stack.nr),
	};
	if (shown == &e->slot && e->stop.regs.present)
		b->is_same_place =
			nmibt_compare(rec->kernel, &e->slot, &e->stop) == NMIBT_MOVED_SAME;
	fill_place(shown, b->place);
	b->rank = rank_of(rec, e, b);
	if (b->rank == RANK_PANICKING)
		b->is_same_place = b->irqs_off = false;
	rec->is_incomplete |=
		e->slot.wrong & (NMIBT_WRONG_EXCLUDED | NMIBT_WRONG_DAMAGED | NMIBT_WRONG_GAP) ||
		e->stop.note == NMIBT_NOTE_EXCLUDED || e->stop.note == NMIBT_NOTE_DAMAGED;
}

/* ------------------------------------------------------------------------ the order */

static int compare_cpus(const void *a, const void *b, void *arg)
{
	const struct cpu_brief *cpus = arg;
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	if (cpus[x].rank != cpus[y].rank)
		return cpus[x].rank < cpus[y].rank ? -1 : 1;
	/* One that had interrupts off and went on is less of a suspect than one that did not. */
	if (cpus[x].is_same_place != cpus[y].is_same_place)
		return cpus[x].is_same_place ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool is_same_stack(const struct cpu_brief *a, const struct cpu_brief *b)
{
	return a->rank == b->rank && a->stack_hash && a->stack_hash == b->stack_hash &&
	       a->outcome == b->outcome;
}

/* Few stacks differ in a rank that has many CPUs, so that the first ones are few, too. */
#define MAX_FIRST 64

static void mark_first(struct nmibt_recorder *rec)
{
	unsigned int first[MAX_FIRST], nr = 0;

	for (unsigned int i = 0; i < rec->nr_ordered; i++) {
		struct cpu_brief *b = &rec->cpus[rec->order[i]];
		unsigned int j = 0;

		while (j < nr && !is_same_stack(&rec->cpus[first[j]], b))
			j++;
		b->is_first = j == nr;
		if (b->is_first && nr < MAX_FIRST)
			first[nr++] = rec->order[i];
	}
}

struct nmibt_error *nmibt_recorder_look_at_cpus(struct nmibt_recorder *rec)
{
	for (unsigned int i = 0; i < rec->nr_cpus; i++) {
		struct cpu_evidence evidence;
		struct nmibt_error *err = nmibt_recorder_read_cpu(rec, rec->kernel, i, &evidence);

		if (err)
			return err;
		make_brief(rec, i, &evidence);
		nmibt_cpu_evidence_destroy(&evidence);
		if (rec->cpus[i].is_possible)
			rec->order[rec->nr_ordered++] = i;
	}
	qsort_r(rec->order, rec->nr_ordered, sizeof(*rec->order), compare_cpus, rec->cpus);
	mark_first(rec);
	return NULL;
}
