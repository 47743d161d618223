// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report as one JSON document: docs/json.md describes it, docs/nmibt.schema.json is
 * its schema. The first line has everything whose size does not depend on the number of CPUs;
 * each CPU has a line of its own after it.
 */
#include "json/json.h"

/* ---------------------------------------------------------------------------- case */

static void write_taint(struct json *j, const char *taint)
{
	size_t at = 0;

	json_key(j, "taint");
	if (!taint) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "text");
	json_text(j, taint);
	json_key(j, "flags");
	json_open(j, '{');
	for (char letter; (letter = nmibt_next_taint(taint, &at));) {
		json_key(j, (char[]){letter, '\0'});
		json_word(j, nmibt_taint_words(letter));
	}
	json_close(j, '}');
	json_close(j, '}');
}

static struct nmibt_error *write_case(struct json *j)
{
	const struct nmibt_report *report = j->renderer.report;
	const struct nmibt_case *case_info = &report->case_info;

	json_key(j, "case");
	json_open(j, '{');
	json_key(j, "host");
	json_text(j, case_info->host);
	json_key(j, "release");
	json_text(j, case_info->release);
	json_key(j, "build_id");
	json_text(j, case_info->build_id);
	json_key(j, "arch");
	json_word(j, nmibt_arch_name(report->kernel->image->arch));
	if (report->kernel->image->is_redacted) {
		json_key(j, "redacted");
		json_bool(j, true);
	}
	json_key(j, "time");
	if (case_info->has_time)
		json_number(j, case_info->time);
	else
		json_null(j);
	json_key(j, "uptime_ns");
	if (case_info->has_uptime)
		json_number(j, case_info->uptime_ns);
	else
		json_null(j);
	json_key(j, "uptime_is_at_least");
	json_bool(j, case_info->is_uptime_least);
	json_key(j, "hardware");
	json_text(j, case_info->hardware);
	write_taint(j, case_info->taint);
	json_key(j, "setting");
	json_word(j, case_info->setting);
	struct nmibt_error *err = json_log_hash(j);
	json_close(j, '}');
	return err;
}

/* --------------------------------------------------------------------------- death */

static void write_cpu_number(struct json *j, uint32_t cpu)
{
	if (cpu == NMIBT_NO_CPU)
		json_null(j);
	else
		json_int(j, cpu);
}

static void write_witnesses(struct json *j, const struct nmibt_death *death)
{
	json_key(j, "by");
	json_open(j, '[');
	if (death->by_capture)
		json_word(j, "capture");
	if (death->by_panic_cpu)
		json_word(j, "panic_cpu");
	if (death->by_kdump)
		json_word(j, "kdump");
	if (death->by_log)
		json_word(j, "log");
	if (death->by_registers)
		json_word(j, "registers");
	if (death->by_pstore)
		json_word(j, "pstore");
	json_close(j, ']');
}

static void write_cause(struct json *j, const struct nmibt_death *death)
{
	const struct nmibt_log_source *log = j->renderer.report->sources->log;

	json_key(j, "cause");
	if (!log || !death->cause) {
		json_null(j);
		return;
	}
	const struct nmibt_printout *cause = &log->printouts[death->cause - 1];
	json_open(j, '{');
	json_key(j, "kind");
	json_word(j, nmibt_print_name(cause->kind));
	json_key(j, "message");
	json_text(j, cause->message);
	json_key(j, "reporter");
	write_cpu_number(j, cause->reporter);
	json_key(j, "ns");
	json_time(j, cause->begun_ns);
	json_key(j, "record");
	json_number(j, cause->first_seq);
	json_close(j, '}');
}

static struct nmibt_error *write_task_stack(struct renderer *r,
					    const struct nmibt_evidence *evidence)
{
	struct json *j = (struct json *)r;

	json_open(j, '{');
	json_key(j, "task");
	json_task(j, &evidence->task);
	json_key(j, "age");
	json_age(j,
		 nmibt_age_of(r->report, evidence->clock, evidence->begun_ns, evidence->first_seq));
	json_key(j, "stack");
	json_stack(j, evidence);
	json_evidence(j, evidence);
	json_close(j, '}');
	return NULL;
}

/* There are stacks of blocked tasks even where nobody died: those of open conditions. */
static struct nmibt_error *write_task_stacks(struct json *j)
{
	json_key(j, "task_stacks");
	json_open(j, '[');
	struct nmibt_error *err = nmibt_each_task(&j->renderer, write_task_stack);
	json_close(j, ']');
	return err;
}

static void write_tasks(struct json *j, const struct nmibt_task *tasks, size_t nr)
{
	json_open(j, '[');
	for (size_t i = 0; i < nr; i++)
		json_task(j, &tasks[i]);
	json_close(j, ']');
}

static void write_message(struct json *j, const struct nmibt_death *death)
{
	json_key(j, "message");
	json_text(j, death->message);
	json_key(j, "message_source");
	json_word(j, !death->message		  ? NULL
		     : death->is_message_captured ? "capture"
		     : death->has_seq		  ? "log"
						  : "caller");
	json_key(j, "other_message");
	json_text(j, death->is_message_disputed ? death->captured : NULL);
}

static void write_death(struct json *j)
{
	const struct nmibt_report *report = j->renderer.report;
	const struct nmibt_death *death = &report->death;

	json_key(j, "capture_kernel");
	json_word(j, report->is_capture_kernel ? "only" : report->kernel->capture ? "also" : NULL);
	json_key(j, "dump_failed");
	json_text(j, death->dump_failed);
	json_key(j, "death_not_known");
	json_text(j, death->is_known ? NULL : nmibt_lost_witness(report));
	json_key(j, "death");
	if (!death->is_known) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	write_witnesses(j, death);
	json_key(j, "reporter");
	write_cpu_number(j, death->reporter);
	json_key(j, "subjects");
	json_open(j, '[');
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		if (death->subjects[i])
			json_int(j, i);
	}
	json_close(j, ']');
	json_key(j, "tasks");
	write_tasks(j, death->tasks, death->nr_tasks);
	write_message(j, death);
	json_key(j, "from_outside");
	json_word(j, death->from_outside);
	json_key(j, "moved_to");
	write_cpu_number(j, death->moved_to);
	json_key(j, "ns");
	if (death->has_seq)
		json_number(j, death->ns);
	else
		json_null(j);
	json_key(j, "record");
	if (death->has_seq)
		json_number(j, death->seq);
	else
		json_null(j);
	write_cause(j, death);
	json_close(j, '}');
}

/* --------------------------------------------------------- conditions and timeline */

static void write_owner(struct json *j, const struct nmibt_owner *owner)
{
	if (!owner->words) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "words");
	json_word(j, owner->words);
	json_key(j, "task");
	json_task(j, &owner->task);
	json_close(j, '}');
}

static void write_condition(struct json *j, const struct nmibt_condition *c)
{
	json_open(j, '{');
	json_key(j, "kind");
	json_word(j, nmibt_print_name(c->kind));
	json_key(j, "cpus");
	json_cpus(j, &c->cpus);
	json_key(j, "task");
	json_task(j, &c->task);
	json_key(j, "tasks");
	write_tasks(j, c->tasks, c->nr_tasks);
	json_key(j, "owner");
	write_owner(j, &c->owner);
	json_key(j, "since_ns");
	if (c->has_since)
		json_number(j, c->since_ns);
	else
		json_null(j);
	json_key(j, "first_ns");
	json_number(j, c->first_ns);
	json_key(j, "last_ns");
	json_number(j, c->last_ns);
	json_key(j, "count");
	json_int(j, c->count);
	json_key(j, "interval_ns");
	json_number(j, c->interval_ns);
	json_key(j, "open");
	json_bool(j, c->is_open);
	json_key(j, "state");
	json_word(j, c->is_open		 ? "open"
		     : c->is_over	 ? "over"
		     : c->has_gap_behind ? "unknown"
					 : "not-reported-again");
	json_close(j, '}');
}

static void write_moment(struct json *j, const struct nmibt_moment *moment)
{
	json_open(j, '{');
	json_key(j, "kind");
	json_word(j, nmibt_moment_name(moment->kind));
	json_key(j, "age");
	json_age(j, moment->age);
	json_key(j, "ns");
	if (moment->has_ns)
		json_number(j, moment->ns);
	else
		json_null(j);
	json_key(j, "record");
	if (moment->has_ns)
		json_number(j, moment->seq);
	else
		json_null(j);
	json_key(j, "condition");
	if (moment->condition)
		json_number(j, moment->condition - 1);
	else
		json_null(j);
	json_key(j, "cpus");
	json_cpus(j, &moment->cpus);
	json_key(j, "text");
	json_text(j, *moment->text ? moment->text : NULL);
	json_close(j, '}');
}

static void write_history(struct json *j)
{
	const struct nmibt_report *report = j->renderer.report;

	json_key(j, "conditions");
	json_open(j, '[');
	for (size_t i = 0; i < report->nr_conditions; i++)
		write_condition(j, &report->conditions[i]);
	json_close(j, ']');
	json_key(j, "timeline");
	json_open(j, '[');
	for (size_t i = 0; i < report->nr_moments; i++)
		write_moment(j, &report->timeline[i]);
	json_close(j, ']');
}

/* ------------------------------------------------------------------------- sources */

/* Where the capture is, and its size. */
static void write_layout(struct json *j, const struct nmibt_capture *c)
{
	const struct nmi_capture_desc *d = &c->desc;

	json_key(j, "source");
	json_word(j, nmibt_source_name(c->source));
	json_key(j, "version");
	json_int(j, d->version);
	json_key(j, "descriptor");
	json_hex(j, c->desc_paddr);
	json_key(j, "table");
	json_hex(j, d->table_paddr);
	json_key(j, "slots");
	json_int(j, d->nr_slots);
	json_key(j, "slot_bytes");
	json_int(j, d->slot_size);
}

/* The last request, and what came of it. */
static void write_request(struct json *j, const struct nmi_capture_desc *d)
{
	static const char *const states[] = {"idle", "running", "complete", "timeout"};
	static const char *const flags[] = {"drained", "reentered", "crash_kexec", "regs_only",
					    "not_waited"};

	json_key(j, "generation");
	json_int(j, d->generation);
	json_key(j, "state");
	if (d->state < ARRAY_SIZE(states))
		json_word(j, states[d->state]);
	else
		json_hex(j, d->state);
	json_key(j, "flags");
	json_flags(j, d->flags, flags, ARRAY_SIZE(flags));
	json_key(j, "asked_by");
	write_cpu_number(j, d->panic_cpu);
	json_key(j, "from_cpu");
	write_cpu_number(j, d->from_cpu);
	json_key(j, "asked_ns");
	json_time(j, d->asked_ns);
	json_key(j, "asked_local_ns");
	json_time(j, d->asked_local_ns);
	json_key(j, "asked_real_ns");
	json_time(j, d->asked_real_ns);
	json_key(j, "finished_ns");
	json_time(j, d->finished_ns);
	json_key(j, "timeout_ms");
	json_int(j, d->timeout_ms);
	json_key(j, "cpus_asked");
	json_int(j, d->nr_asked);
	json_key(j, "all_answered");
	json_bool(j, nmibt_have_all_answered(j->renderer.report));
	json_key(j, "requests_refused");
	json_int(j, d->refused);
}

/* What the requester says of the panic. */
static void write_panic(struct json *j, const struct nmibt_capture *c)
{
	const char *message = (const char *)c->desc.message;

	json_key(j, "taint");
	json_hex(j, c->desc.taint);
	json_key(j, "message");
	json_text(j, *message ? message : NULL);
	json_key(j, "message_bytes");
	json_int(j, c->desc.message_len);
	json_key(j, "message_is_cut");
	json_bool(j, c->is_message_cut);
}

static void write_capture(struct json *j)
{
	const struct nmibt_capture *c = &j->renderer.report->sources->capture;

	json_key(j, "capture");
	if (!j->renderer.report->sources->has_capture) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	write_layout(j, c);
	write_request(j, &c->desc);
	write_panic(j, c);
	json_key(j, "damage");
	json_text(j, *c->damage ? c->damage : NULL);
	json_key(j, "slots_unread");
	json_int(j, c->slots_unread);
	json_close(j, '}');
}

static void write_sources(struct json *j)
{
	json_key(j, "sources");
	json_open(j, '{');
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		const struct nmibt_source_state *state = &j->renderer.report->sources->states[s];

		json_key(j, nmibt_source_name(s));
		json_open(j, '{');
		json_key(j, "found");
		json_word(j, nmibt_found_name(state->found));
		json_key(j, "text");
		json_text(j, state->why);
		json_close(j, '}');
	}
	json_close(j, '}');
}

/* ------------------------------------------------------------------------- answers */

static void write_cpu_list(struct json *j, const unsigned int *cpus, size_t nr)
{
	json_key(j, "cpus");
	json_open(j, '[');
	for (size_t i = 0; i < nr; i++)
		json_int(j, cpus[i]);
	json_close(j, ']');
}

static struct nmibt_error *write_findings(struct json *j)
{
	struct nmibt_diagnosis diagnosis;
	struct nmibt_error *err = nmibt_diagnose(j->renderer.report, &diagnosis);
	if (err)
		return err;

	json_key(j, "findings");
	json_open(j, '[');
	for (size_t i = 0; i < diagnosis.nr; i++) {
		const struct nmibt_finding *finding = &diagnosis.findings[i];

		json_open(j, '{');
		json_key(j, "kind");
		json_word(j, nmibt_finding_name(finding->kind));
		write_cpu_list(j, finding->cpus, finding->nr_cpus);
		json_key(j, "text");
		json_text(j, finding->text);
		json_close(j, '}');
	}
	json_close(j, ']');
	nmibt_diagnosis_destroy(&diagnosis);
	return NULL;
}

static void write_signature_stack(struct json *j, const struct nmibt_signature_stack *stack)
{
	json_open(j, '{');
	json_key(j, "why");
	json_word(j, stack->panicking ? "panicking" : "stuck");
	write_cpu_list(j, stack->cpus, stack->nr_cpus);
	json_key(j, "frames");
	json_open(j, '[');
	for (size_t i = 0; i < stack->nr_frames; i++) {
		if (!stack->frames[i].left_out)
			json_text(j, stack->frames[i].name);
	}
	json_close(j, ']');
	json_close(j, '}');
}

static struct nmibt_error *write_signature(struct json *j)
{
	struct nmibt_signature s;
	struct nmibt_error *err = nmibt_signature(j->renderer.report, &s);
	if (err)
		return err;

	json_key(j, "signature");
	json_open(j, '{');
	json_key(j, "version");
	json_int(j, NMIBT_SIGNATURE_VERSION);
	json_key(j, "value");
	json_word(j, *s.value ? s.value : NULL);
	json_key(j, "duphash");
	json_word(j, *s.duphash ? s.duphash : NULL);
	json_key(j, "functions");
	json_open(j, '[');
	for (size_t i = 0; i < s.nr_functions; i++)
		json_text(j, s.functions[i]);
	json_close(j, ']');
	json_key(j, "stacks");
	json_open(j, '[');
	for (size_t i = 0; i < s.nr_stacks; i++)
		write_signature_stack(j, &s.stacks[i]);
	json_close(j, ']');
	json_close(j, '}');
	nmibt_signature_destroy(&s);
	return NULL;
}

static void write_lost(struct json *j)
{
	const struct nmibt_report *report = j->renderer.report;
	const char *of_file = report->kernel->image->lost;
	char text[2 * sizeof(report->lost)];
	int len = snprintf(text, sizeof(text), "%s", of_file ?: "");

	for (unsigned int i = 0; i < report->nr_lost && len < (int)sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%s", len ? "; " : "",
				report->lost[i]);
	json_key(j, "lost");
	json_text(j, len ? text : NULL);
}

static void write_counts(struct json *j)
{
	const struct nmibt_report *report = j->renderer.report;

	json_key(j, "complete");
	json_bool(j, report->complete);
	write_lost(j);
	json_key(j, "stopped");
	json_bool(j, report->was_stopped);
	json_key(j, "possible_cpus");
	json_int(j, report->nr_possible);
	json_key(j, "possible_cpus_is_at_least");
	json_bool(j, !report->are_all_known);
	json_key(j, "outcomes");
	json_open(j, '{');
	for (unsigned int i = 0; i < NMIBT_NR_OUTCOMES; i++) {
		if (!report->by_outcome[i])
			continue;
		json_key(j, nmibt_outcome_name(i));
		json_int(j, report->by_outcome[i]);
	}
	json_close(j, '}');
	json_key(j, "stale_cpus");
	json_int(j, report->nr_stale);
}

/* ----------------------------------------------------------------------------- all */

static struct nmibt_error *write_envelope(struct json *j)
{
	json_key(j, "schema");
	json_word(j, "nmibt");
	json_key(j, "schema_version");
	json_int(j, NMIBT_JSON_VERSION);
	json_key(j, "generator");
	json_word(j, "nmibt " NMIBT_VERSION);
	struct nmibt_error *err = write_case(j);
	if (err)
		return err;
	write_death(j);
	write_history(j);
	err = write_findings(j);
	if (!err)
		err = write_task_stacks(j);
	if (!err)
		err = write_signature(j);
	if (err)
		return err;
	write_counts(j);
	write_capture(j);
	write_sources(j);
	return NULL;
}

static struct nmibt_error *render_json(struct renderer *r)
{
	struct json j = {.renderer = *r};

	json_open(&j, '{');
	struct nmibt_error *err = write_envelope(&j);
	if (!err && !r->options->summary_only) {
		json_key(&j, "cpus");
		json_open(&j, '[');
		err = nmibt_each_cpu(&j.renderer, json_cpu);
		fputs("\n", r->out);
		json_close(&j, ']');
	}
	json_close(&j, '}');
	putc('\n', r->out);
	return err;
}

struct nmibt_error *nmibt_json_file(const struct nmibt_report *report,
				    const struct nmibt_render_options *options, FILE *out, int *ret)
{
	return nmibt_render_by(render_json, report, options, out, ret);
}

struct nmibt_error *nmibt_render_json(const struct nmibt_report *report,
				      const struct nmibt_render_options *options,
				      nmibt_write_fn write, void *ctx, int *ret)
{
	return nmibt_render_to(nmibt_json_file, report, options, write, ctx, ret);
}
