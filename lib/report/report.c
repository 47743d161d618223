// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What became of each CPU, from the best source that there is for it.
 * A first pass leaves a brief of each CPU, so that memory does not grow with
 * their text.
 */
#include <inttypes.h>

#include "report/report.h"

static const char *const outcome_names[NMIBT_NR_OUTCOMES] = {
	[NMIBT_OUTCOME_NMI] = "nmi",
	[NMIBT_OUTCOME_IRQ] = "irq",
	[NMIBT_OUTCOME_SELF] = "self",
	[NMIBT_OUTCOME_STOP] = "stop",
	[NMIBT_OUTCOME_PARTIAL] = "partial",
	[NMIBT_OUTCOME_SILENT] = "silent",
	[NMIBT_OUTCOME_OFFLINE] = "offline",
	[NMIBT_OUTCOME_EXCLUDED] = "excluded",
	[NMIBT_OUTCOME_DAMAGED] = "damaged",
	[NMIBT_OUTCOME_ANSWERED] = "answered",
	[NMIBT_OUTCOME_SKIPPED] = "skipped",
	[NMIBT_OUTCOME_REPORTED] = "reported",
	[NMIBT_OUTCOME_REGISTERS] = "registers",
	[NMIBT_OUTCOME_NONE] = "none",
};

const char *nmibt_outcome_name(enum nmibt_outcome outcome)
{
	return outcome < NMIBT_NR_OUTCOMES ? outcome_names[outcome] : "unknown";
}

const char *nmibt_found_name(enum nmibt_found found)
{
	static const char *const names[] = {
		[NMIBT_FOUND_UNTRIED] = "not tried",
		[NMIBT_FOUND_ABSENT] = "absent",
		[NMIBT_FOUND_EMPTY] = "empty",
		[NMIBT_FOUND_UNREADABLE] = "unreadable",
		[NMIBT_FOUND] = "found",
	};
	return names[found];
}

/* ----------------------------------------------------------------------- CPUs */

/* A slot without text: the log may have some. */
static struct nmibt_error *read_captured(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	struct nmibt_error *err = nmibt_read_slot(report, cpu);

	if (!err && cpu->slot_present)
		cpu->moved = nmibt_compare_regs(report->kernel, cpu);
	if (!err && cpu->has_task)
		cpu->source = report->capture.source;
	if (!err && !cpu->has_task && report->wish == NMIBT_SOURCE_AUTO)
		err = nmibt_stock_read_log(report->stock, cpu);
	return err;
}

static struct nmibt_error *check_cpu(const struct nmibt_report *report, unsigned int nr)
{
	if (nr >= report->nr_cpus)
		return nmibt_error_create(NMIBT_ERR_USAGE, "no CPU %u: there are %u", nr,
					  report->nr_cpus);
	if (nmibt_interrupted(report->image))
		return nmibt_error_create(NMIBT_ERR_INTERRUPTED, "interrupted at CPU %u", nr);
	return NULL;
}

struct nmibt_error *nmibt_report_cpu(const struct nmibt_report *report, unsigned int nr,
				     struct nmibt_cpu *ret)
{
	struct nmibt_cpu cpu = {.cpu = nr, .outcome = NMIBT_OUTCOME_NONE};
	bool found;

	struct nmibt_error *err = check_cpu(report, nr);
	if (err)
		return err;
	err = report->has_capture ? read_captured(report, &cpu)
				  : nmibt_stock_read(report->stock, report->wish, 0, &cpu, &found);
	if (err) {
		nmibt_cpu_destroy(&cpu);
		return err;
	}
	cpu.stack_hash = nmibt_stack_hash(cpu.stack.frames, cpu.stack.nr);
	*ret = cpu;
	return NULL;
}

struct nmibt_error *nmibt_report_older(const struct nmibt_report *report, unsigned int nr,
				       unsigned int nth, struct nmibt_cpu *ret, bool *ret_found)
{
	struct nmibt_cpu cpu = {.cpu = nr, .outcome = NMIBT_OUTCOME_NONE};

	*ret_found = false;
	if (report->has_capture)
		return NULL;
	struct nmibt_error *err = check_cpu(report, nr);
	if (err)
		return err;
	err = nmibt_stock_read(report->stock, report->wish, nth + 1, &cpu, ret_found);
	if (err || !*ret_found) {
		nmibt_cpu_destroy(&cpu);
		return err;
	}
	cpu.stack_hash = nmibt_stack_hash(cpu.stack.frames, cpu.stack.nr);
	*ret = cpu;
	return NULL;
}

void nmibt_cpu_destroy(struct nmibt_cpu *cpu)
{
	nmibt_text_destroy(&cpu->text);
	nmibt_text_destroy(&cpu->nested);
	nmibt_stack_destroy(&cpu->stack);
}

static bool lost_something(const struct nmibt_cpu *cpu)
{
	return *cpu->why || cpu->slot.lost_bytes || cpu->slot.lost_msgs || cpu->text.unread ||
	       cpu->nested.unread || cpu->outcome == NMIBT_OUTCOME_EXCLUDED || cpu->lost_msgs ||
	       cpu->is_headless;
}

/* Does -o have more of it than the slot itself? */
static struct nmibt_error *look_for_older(const struct nmibt_report *report, unsigned int cpu,
					  bool *ret)
{
	struct nmibt_cpu older;
	struct nmibt_error *err = nmibt_report_older(report, cpu, 0, &older, ret);

	if (!err && *ret)
		nmibt_cpu_destroy(&older);
	return err;
}

static struct nmibt_error *first_pass(struct nmibt_report *report)
{
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		struct nmibt_cpu cpu;
		struct nmibt_error *err = nmibt_report_cpu(report, i, &cpu);
		if (err)
			return err;

		struct nmibt_wait wait = {.kind = NMIBT_WAIT_NONE};
		nmibt_is_waiting(cpu.stack.frames, cpu.stack.nr, &wait);
		struct nmibt_cpu_brief *brief = &report->cpus[i];
		*brief = (struct nmibt_cpu_brief){
			.outcome = cpu.outcome,
			.moved = cpu.moved,
			.note = cpu.note,
			.wait = wait.kind,
			.stack_hash = cpu.stack_hash,
			.flags = cpu.flags,
			.stale = cpu.stale,
			.source = cpu.source,
			.lost = lost_something(&cpu),
			.lost_bytes = cpu.slot.lost_bytes,
			.unread = cpu.text.unread + cpu.nested.unread,
			.has_task = cpu.has_task,
			.pid = cpu.pid,
		};
		memcpy(brief->comm, cpu.comm, sizeof(brief->comm));
		report->possible[i] = report->has_capture
					      ? cpu.slot_paddr || cpu.outcome != NMIBT_OUTCOME_NONE
					      : nmibt_stock_is_possible(report->stock, i);
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
		err = look_for_older(report, i, &brief->has_older);
		if (err)
			return err;
	}
	return NULL;
}

/* ----------------------------------------------------------------------- open */

/* Not having one is an error only where nothing else may be used. */
static struct nmibt_error *find_capture(struct nmibt_report *report)
{
	struct nmibt_source_state *sources = report->sources;

	if (report->wish > NMIBT_SOURCE_SCAN)
		return NULL;
	struct nmibt_error *err = nmibt_locate(report->kernel, report->wish, &report->capture);
	report->has_capture = !err;
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s <= NMIBT_SOURCE_SCAN; s++) {
		const struct nmibt_capture *c = &report->capture;

		memcpy(sources[s].why, c->why[s], sizeof(sources[s].why));
		sources[s].found = !err && c->source == s ? NMIBT_FOUND
				   : c->unusable[s]	  ? NMIBT_FOUND_UNREADABLE
				   : *c->why[s]		  ? NMIBT_FOUND_ABSENT
							  : NMIBT_FOUND_UNTRIED;
	}
	if (!err) {
		nmibt_mend_capture(report->image, &report->capture);
		report->nr_cpus = report->capture.desc.nr_slots;
		report->panic_cpu = report->capture.desc.panic_cpu;
		return NULL;
	}
	if (report->wish != NMIBT_SOURCE_AUTO ||
	    (err->code != NMIBT_ERR_NOTHING && err->code != NMIBT_ERR_DAMAGED))
		return err;
	report->complete = err->code == NMIBT_ERR_NOTHING;
	nmibt_error_destroy(err);
	return NULL;
}

static struct nmibt_error *find_others(struct nmibt_report *report)
{
	const char *known = report->image->panic_message;
	unsigned int nr = report->has_capture ? report->nr_cpus : NMIBT_MAX_CPUS;

	struct nmibt_error *err = nmibt_stock_open(report->kernel, !report->has_capture, nr,
						   report->sources, &report->stock);
	if (err)
		return err;
	report->panic_message = known ? known : report->stock->panic_message;
	if (report->has_capture)
		return NULL;
	report->nr_cpus = nmibt_stock_nr_cpus(report->stock);
	report->panic_cpu = nmibt_stock_panic_cpu(report->stock);
	return NULL;
}

/* Is there anything of any CPU that was asked for, be it only older? */
static bool has_anything(const struct nmibt_report *report)
{
	if (report->has_capture)
		return true;
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		if (report->cpus[i].outcome != NMIBT_OUTCOME_NONE || report->cpus[i].has_older)
			return true;
	}
	return false;
}

bool nmibt_is_source_tried(const struct nmibt_report *report, enum nmibt_source s)
{
	return report->sources[s].found != NMIBT_FOUND_UNTRIED &&
	       (report->wish == NMIBT_SOURCE_AUTO || report->wish == s);
}

/* Has one before it the same reason? Per-CPU data, for instance, serves two. */
static bool is_said(const struct nmibt_report *report, enum nmibt_source s)
{
	for (enum nmibt_source before = NMIBT_SOURCE_VMCOREINFO; before < s; before++) {
		if (nmibt_is_source_tried(report, before) &&
		    !strcmp(report->sources[before].why, report->sources[s].why))
			return true;
	}
	return false;
}

/* Why each of the sources that may be used has nothing. */
static struct nmibt_error *nothing(const struct nmibt_report *report)
{
	bool damaged = !report->complete;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return nmibt_error_nomem();
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		if (!nmibt_is_source_tried(report, s) || is_said(report, s))
			continue;
		fprintf(out, "%s%s", ftell(out) ? "; " : "", nmibt_source_name(s));
		for (enum nmibt_source same = s + 1; same < NMIBT_NR_SOURCES; same++) {
			if (nmibt_is_source_tried(report, same) &&
			    !strcmp(report->sources[same].why, report->sources[s].why))
				fprintf(out, ", %s", nmibt_source_name(same));
		}
		fprintf(out, ": %s", report->sources[s].why);
		damaged |= report->sources[s].found == NMIBT_FOUND_UNREADABLE;
	}
	fclose(out);
	struct nmibt_error *err = nmibt_error_create(
		damaged ? NMIBT_ERR_DAMAGED : NMIBT_ERR_NOTHING, "nothing %s in this dump: %s",
		damaged ? "usable" : "captured", text ? text : "");
	free(text);
	return err;
}

static struct nmibt_error *open_report(struct nmibt_report *report)
{
	struct nmibt_error *err = find_capture(report);

	if (!err)
		err = find_others(report);
	if (err)
		return err;
	report->cpus = calloc(report->nr_cpus + 1, sizeof(*report->cpus));
	report->possible = calloc(report->nr_cpus + 1, sizeof(*report->possible));
	if (!report->cpus || !report->possible)
		return nmibt_error_nomem();
	err = first_pass(report);
	if (err)
		return err;
	if (*report->capture.damage || report->capture.slots_unread)
		report->complete = false;
	return has_anything(report) ? NULL : nothing(report);
}

struct nmibt_error *nmibt_report_open(const struct nmibt_image *image, enum nmibt_source wish,
				      struct nmibt_report **ret)
{
	struct nmibt_report *report = calloc(1, sizeof(*report));
	if (!report)
		return nmibt_error_nomem();

	report->image = image;
	report->wish = wish;
	report->panic_cpu = NMI_CAPTURE_NO_CPU;
	report->complete = true;
	struct nmibt_error *err = nmibt_kernel_open(image, &report->kernel);
	if (!err)
		err = open_report(report);
	if (err) {
		nmibt_report_close(report);
		return err;
	}
	*ret = report;
	return NULL;
}

void nmibt_report_close(struct nmibt_report *report)
{
	if (!report)
		return;
	nmibt_capture_destroy(&report->capture);
	nmibt_stock_close(report->stock);
	nmibt_kernel_close(report->kernel);
	free(report->cpus);
	free(report->possible);
	free(report);
}
