// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What became of each CPU, from the best source that there is for it.
 * A first pass leaves a brief of each CPU, so that memory does not grow with
 * their text.
 */
#include <inttypes.h>

#include "internal.h"

static const char *const outcome_names[NMIBT_NR_OUTCOMES] = {
	[NMIBT_OUTCOME_NMI] = "nmi",	     [NMIBT_OUTCOME_IRQ] = "irq",
	[NMIBT_OUTCOME_SELF] = "self",	     [NMIBT_OUTCOME_STOP] = "stop",
	[NMIBT_OUTCOME_PARTIAL] = "partial", [NMIBT_OUTCOME_SILENT] = "silent",
	[NMIBT_OUTCOME_OFFLINE] = "offline", [NMIBT_OUTCOME_EXCLUDED] = "excluded",
	[NMIBT_OUTCOME_DAMAGED] = "damaged", [NMIBT_OUTCOME_NONE] = "none",
};

const char *nmibt_outcome_name(enum nmibt_outcome outcome)
{
	return outcome < NMIBT_NR_OUTCOMES ? outcome_names[outcome] : "unknown";
}

struct nmibt_error *nmibt_report_cpu(const struct nmibt_report *report, unsigned int nr,
				     struct nmibt_cpu *ret)
{
	struct nmibt_cpu cpu = {.cpu = nr, .outcome = NMIBT_OUTCOME_NONE};

	if (nr >= report->nr_cpus)
		return nmibt_error_create(NMIBT_ERR_USAGE, "no CPU %u: there are %u", nr,
					  report->nr_cpus);
	if (nmibt_interrupted(report->image))
		return nmibt_error_create(NMIBT_ERR_INTERRUPTED, "interrupted at CPU %u", nr);
	struct nmibt_error *err = nmibt_read_slot(report, &cpu);
	if (err) {
		nmibt_cpu_destroy(&cpu);
		return err;
	}
	cpu.stack_hash = nmibt_stack_hash(cpu.frames, cpu.nr_frames);
	*ret = cpu;
	return NULL;
}

void nmibt_cpu_destroy(struct nmibt_cpu *cpu)
{
	nmibt_text_destroy(&cpu->text);
	nmibt_text_destroy(&cpu->nested);
	free(cpu->frames);
	cpu->frames = NULL;
	cpu->nr_frames = 0;
}

static bool lost_something(const struct nmibt_cpu *cpu)
{
	return *cpu->why || cpu->slot.lost_bytes || cpu->slot.lost_msgs || cpu->text.unread ||
	       cpu->nested.unread || cpu->outcome == NMIBT_OUTCOME_EXCLUDED;
}

static struct nmibt_error *first_pass(struct nmibt_report *report)
{
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		struct nmibt_cpu cpu;
		struct nmibt_error *err = nmibt_report_cpu(report, i, &cpu);
		if (err)
			return err;

		struct nmibt_wait wait = {.kind = NMIBT_WAIT_NONE};
		nmibt_is_waiting(cpu.frames, cpu.nr_frames, &wait);
		struct nmibt_cpu_brief *brief = &report->cpus[i];
		*brief = (struct nmibt_cpu_brief){
			.outcome = cpu.outcome,
			.moved = cpu.moved,
			.note = cpu.note,
			.wait = wait.kind,
			.stack_hash = cpu.stack_hash,
			.flags = cpu.flags,
			.stale = cpu.stale,
			.lost = lost_something(&cpu),
			.lost_bytes = cpu.slot.lost_bytes,
			.unread = cpu.text.unread + cpu.nested.unread,
			.has_task = cpu.has_task,
			.pid = cpu.pid,
		};
		memcpy(brief->comm, cpu.comm, sizeof(brief->comm));
		report->possible[i] = cpu.slot_paddr || cpu.outcome != NMIBT_OUTCOME_NONE;
		if (report->possible[i]) {
			report->nr_possible++;
			if (cpu.stale)
				report->nr_stale++;
			else
				report->by_outcome[cpu.outcome]++;
		}
		if (brief->lost || cpu.note == NMIBT_NOTE_DAMAGED ||
		    cpu.note == NMIBT_NOTE_EXCLUDED)
			report->complete = false;
		nmibt_cpu_destroy(&cpu);
	}
	return NULL;
}

/* A log that can't be read or has no panic is no reason to fail. */
static struct nmibt_error *survey_log(struct nmibt_report *report)
{
	const char *known = report->image->panic_message;
	char *message = NULL;

	struct nmibt_error *err = nmibt_complaints_new(report->nr_cpus, &report->complaints);
	if (err)
		return err;
	nmibt_error_destroy(nmibt_log_survey(report->image, nmibt_complaints_visit,
					     report->complaints, &message));
	if (known) {
		free(message);
		message = strdup(known);
	}
	report->panic_message = message;
	return NULL;
}

struct nmibt_error *nmibt_report_open(const struct nmibt_image *image, enum nmibt_source wish,
				      struct nmibt_report **ret)
{
	struct nmibt_report *report = calloc(1, sizeof(*report));
	if (!report)
		return nmibt_error_nomem();

	report->image = image;
	report->complete = true;
	report->symbols = calloc(1, sizeof(*report->symbols));
	if (!report->symbols) {
		nmibt_report_close(report);
		return nmibt_error_nomem();
	}
	report->symbols->image = image;
	struct nmibt_error *err = nmibt_locate(image, wish, &report->capture);
	if (!err) {
		nmibt_mend_capture(image, &report->capture);
		report->nr_cpus = report->capture.desc.nr_slots;
		report->panic_cpu = report->capture.desc.panic_cpu;
		report->cpus = calloc(report->nr_cpus, sizeof(*report->cpus));
		report->possible = calloc(report->nr_cpus, sizeof(*report->possible));
		err = report->cpus && report->possible ? first_pass(report) : nmibt_error_nomem();
		err = err ? err : survey_log(report);
	}
	if (err) {
		nmibt_report_close(report);
		return err;
	}
	if (*report->capture.damage || report->capture.slots_unread)
		report->complete = false;
	*ret = report;
	return NULL;
}

void nmibt_report_close(struct nmibt_report *report)
{
	if (!report)
		return;
	nmibt_capture_destroy(&report->capture);
	free(report->panic_message);
	nmibt_complaints_destroy(report->complaints);
	if (report->symbols)
		nmibt_kallsyms_close(report->symbols->kallsyms);
	free(report->symbols);
	free(report->cpus);
	free(report->possible);
	free(report);
}
