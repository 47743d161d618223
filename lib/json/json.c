// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report as one JSON document: docs/json.md describes it, docs/nmibt.schema.json
 * is its schema. What does not grow with the number of CPUs is made as a whole, then
 * each CPU is made, written and freed, on a line of its own.
 *
 * Strings of the dump are escaped as in the text, so that neither a control
 * character nor invalid UTF-8 gets into one, and the bytes can be had back.
 */
#include <errno.h>
#include <jansson.h>

#include "render/render.h"

struct json {
	struct renderer renderer; /* first: what nmibt_each_cpu() is given */
	FILE *scratch; /* into escaped */
	char *escaped;
	size_t escaped_len;
	bool failed; /* no memory for a part */
	bool begun; /* the array of CPUs has one */
};

/* ------------------------------------------------------------------- values */

/* Takes value, which may be NULL: a failure to make it. */
static void set(struct json *j, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		j->failed = true;
}

static void append(struct json *j, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		j->failed = true;
}

static json_t *string_of(struct json *j, const char *s, size_t len)
{
	rewind(j->scratch);
	nmibt_escape(j->scratch, s, len, true);
	if (fflush(j->scratch))
		return NULL;
	return json_stringn(j->escaped, j->escaped_len);
}

static json_t *text_of(struct json *j, const char *s)
{
	return s ? string_of(j, s, strlen(s)) : json_null();
}

static json_t *hex_of(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

/* JSON's integers end at 2^63; what lies beyond is no sane value, yet not lost. */
static json_t *number_of(uint64_t value)
{
	return value <= INT64_MAX ? json_integer(value) : hex_of(value);
}

/* A point in time; 0 means that there is none. */
static json_t *time_of(uint64_t ns)
{
	return ns ? number_of(ns) : json_null();
}

static json_t *flags_of(struct json *j, uint32_t flags, const char *const *names, size_t nr)
{
	json_t *array = json_array();

	for (size_t i = 0; i < 32; i++) {
		if (!(flags & 1u << i))
			continue;
		append(j, array, i < nr ? json_string(names[i]) : json_sprintf("bit %zu", i));
	}
	return array;
}

/* RFC 4648. */
static json_t *base64_of(const char *raw, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	_cleanup_free_ char *text = malloc((len + 2) / 3 * 4 + 1);
	char *to = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (unsigned char)raw[i] << 16;
		if (i + 1 < len)
			bits |= (unsigned char)raw[i + 1] << 8;
		if (i + 2 < len)
			bits |= (unsigned char)raw[i + 2];
		*to++ = digits[bits >> 18];
		*to++ = digits[bits >> 12 & 63];
		*to++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		*to++ = i + 2 < len ? digits[bits & 63] : '=';
	}
	return json_stringn(text, to - text);
}

/* ----------------------------------------------------------------- envelope */

static json_t *vmcoreinfo_of(struct json *j, const char *key)
{
	const struct nmibt_image *image = j->renderer.report->image;
	_cleanup_free_ char *value =
		image->ops->vmcoreinfo ? image->ops->vmcoreinfo(image->ctx, key) : NULL;

	return text_of(j, value);
}

/* Seconds since 1970; null: none, or no number. */
static json_t *crash_time_of(struct json *j)
{
	const struct nmibt_image *image = j->renderer.report->image;
	_cleanup_free_ char *value =
		image->ops->vmcoreinfo ? image->ops->vmcoreinfo(image->ctx, "CRASHTIME") : NULL;
	char *end;

	if (!value)
		return json_null();
	errno = 0;
	unsigned long long seconds = strtoull(value, &end, 10);
	return errno || *end || end == value ? json_null() : number_of(seconds);
}

static const char *arch_name(enum nmibt_arch arch)
{
	switch (arch) {
	case NMIBT_ARCH_X86_64:
		return "x86_64";
	case NMIBT_ARCH_ARM64:
		return "arm64";
	case NMIBT_ARCH_UNKNOWN:
		break;
	}
	return NULL;
}

static json_t *kernel_of(struct json *j)
{
	json_t *kernel = json_object();

	set(j, kernel, "release", vmcoreinfo_of(j, "OSRELEASE"));
	set(j, kernel, "build_id", vmcoreinfo_of(j, "BUILD-ID"));
	set(j, kernel, "arch", text_of(j, arch_name(j->renderer.report->image->arch)));
	set(j, kernel, "crash_time", crash_time_of(j));
	return kernel;
}

static json_t *panic_of(struct json *j)
{
	const struct nmibt_report *report = j->renderer.report;
	uint32_t cpu = report->panic_cpu;
	json_t *panic = json_object();

	set(j, panic, "cpu", cpu == NMI_CAPTURE_NO_CPU ? json_null() : json_integer(cpu));
	set(j, panic, "message", text_of(j, report->panic_message));
	return panic;
}

static json_t *capture_of(struct json *j)
{
	static const char *const states[] = {"idle", "running", "complete", "timeout"};
	static const char *const flags[] = {"drained", "reentered", "crash_kexec"};
	const struct nmibt_capture *c = &j->renderer.report->capture;
	const struct nmi_capture_desc *d = &c->desc;
	json_t *capture = json_object();

	set(j, capture, "source", json_string(nmibt_source_name(c->source)));
	set(j, capture, "version", json_integer(d->version));
	set(j, capture, "descriptor", hex_of(c->desc_paddr));
	set(j, capture, "table", hex_of(d->table_paddr));
	set(j, capture, "slots", json_integer(d->nr_slots));
	set(j, capture, "slot_bytes", json_integer(d->slot_size));
	set(j, capture, "generation", json_integer(d->generation));
	set(j, capture, "state",
	    d->state < ARRAY_SIZE(states) ? json_string(states[d->state]) : hex_of(d->state));
	set(j, capture, "flags", flags_of(j, d->flags, flags, ARRAY_SIZE(flags)));
	set(j, capture, "asked_ns", time_of(d->asked_ns));
	set(j, capture, "finished_ns", time_of(d->finished_ns));
	set(j, capture, "timeout_ms", json_integer(d->timeout_ms));
	set(j, capture, "cpus_asked", json_integer(d->nr_asked));
	set(j, capture, "requests_refused", json_integer(d->refused));
	set(j, capture, "damage", *c->damage ? text_of(j, c->damage) : json_null());
	set(j, capture, "slots_unread", json_integer(c->slots_unread));
	return capture;
}

static json_t *sources_of(struct json *j)
{
	const struct nmibt_report *report = j->renderer.report;
	json_t *sources = json_object();

	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		const struct nmibt_source_state *state = &report->sources[s];
		json_t *source = json_object();

		set(j, source, "found", json_string(nmibt_found_name(state->found)));
		set(j, source, "text", text_of(j, state->why));
		set(j, sources, nmibt_source_name(s), source);
	}
	return sources;
}

static json_t *finding_of(struct json *j, const struct nmibt_finding *f)
{
	json_t *finding = json_object(), *cpus = json_array();

	for (size_t i = 0; i < f->nr_cpus; i++)
		append(j, cpus, json_integer(f->cpus[i]));
	set(j, finding, "kind", json_string(nmibt_finding_name(f->kind)));
	set(j, finding, "cpus", cpus);
	set(j, finding, "text", text_of(j, f->text));
	return finding;
}

static struct nmibt_error *set_diagnosis(struct json *j, json_t *envelope)
{
	struct nmibt_diagnosis diagnosis;
	json_t *array = json_array();

	struct nmibt_error *err = nmibt_diagnose(j->renderer.report, &diagnosis);
	if (err) {
		json_decref(array);
		return err;
	}
	for (size_t i = 0; i < diagnosis.nr; i++)
		append(j, array, finding_of(j, &diagnosis.findings[i]));
	nmibt_diagnosis_destroy(&diagnosis);
	set(j, envelope, "diagnosis", array);
	return NULL;
}

static json_t *stack_of(struct json *j, const struct nmibt_signature_stack *s)
{
	json_t *stack = json_object(), *cpus = json_array(), *frames = json_array();

	for (size_t i = 0; i < s->nr_cpus; i++)
		append(j, cpus, json_integer(s->cpus[i]));
	for (size_t i = 0; i < s->nr_frames; i++) {
		if (!s->frames[i].left_out)
			append(j, frames, text_of(j, s->frames[i].name));
	}
	set(j, stack, "why", json_string(s->panicking ? "panicking" : "stuck"));
	set(j, stack, "cpus", cpus);
	set(j, stack, "frames", frames);
	return stack;
}

static struct nmibt_error *set_signature(struct json *j, json_t *envelope)
{
	struct nmibt_signature s;
	struct nmibt_error *err = nmibt_signature(j->renderer.report, &s);
	if (err)
		return err;

	json_t *signature = json_object(), *stacks = json_array();
	for (size_t i = 0; i < s.nr_stacks; i++)
		append(j, stacks, stack_of(j, &s.stacks[i]));
	set(j, signature, "version", json_integer(NMIBT_SIGNATURE_VERSION));
	set(j, signature, "value", *s.value ? json_string(s.value) : json_null());
	set(j, signature, "duphash", *s.duphash ? json_string(s.duphash) : json_null());
	set(j, signature, "stacks", stacks);
	set(j, envelope, "signature", signature);
	nmibt_signature_destroy(&s);
	return NULL;
}

static json_t *outcomes_of(struct json *j)
{
	const struct nmibt_report *report = j->renderer.report;
	json_t *outcomes = json_object();

	for (unsigned int i = 0; i < NMIBT_NR_OUTCOMES; i++) {
		if (report->by_outcome[i])
			set(j, outcomes, nmibt_outcome_name(i),
			    json_integer(report->by_outcome[i]));
	}
	return outcomes;
}

static struct nmibt_error *fill_envelope(struct json *j, json_t *envelope)
{
	const struct nmibt_report *report = j->renderer.report;

	set(j, envelope, "schema", json_string("nmibt"));
	set(j, envelope, "schema_version", json_integer(NMIBT_JSON_VERSION));
	set(j, envelope, "generator", json_string("nmibt " NMIBT_VERSION));
	set(j, envelope, "kernel", kernel_of(j));
	set(j, envelope, "panic", panic_of(j));
	set(j, envelope, "capture", report->has_capture ? capture_of(j) : json_null());
	set(j, envelope, "sources", sources_of(j));
	set(j, envelope, "complete", json_boolean(report->complete));
	set(j, envelope, "possible_cpus", json_integer(report->nr_possible));
	set(j, envelope, "outcomes", outcomes_of(j));
	set(j, envelope, "stale_cpus", json_integer(report->nr_stale));
	struct nmibt_error *err = set_diagnosis(j, envelope);
	return err ? err : set_signature(j, envelope);
}

/* ---------------------------------------------------------------------- CPU */

static json_t *line_of(struct json *j, const struct nmibt_line *l)
{
	json_t *line = json_object();

	set(j, line, "text", string_of(j, l->text, l->torn_at));
	if (l->torn_at < l->len)
		set(j, line, "torn", string_of(j, l->text + l->torn_at, l->len - l->torn_at));
	set(j, line, "level", l->level >= 0 ? json_integer(l->level) : json_null());
	if (l->level == NMIBT_LEVEL_CONT)
		set(j, line, "continued", json_true());
	if (l->flags & NMIBT_LINE_PARTIAL)
		set(j, line, "partial", json_true());
	if (l->flags & NMIBT_LINE_CUT)
		set(j, line, "cut", json_true());
	if (l->flags & NMIBT_LINE_LONE_HEADER)
		set(j, line, "lone_header", json_true());
	if (l->gap)
		set(j, line, "unread_before", json_integer(l->gap));
	return line;
}

/* Where raw_base64 has zeros for bytes that nobody could read. */
static json_t *unread_of(struct json *j, const struct nmibt_text *text)
{
	json_t *array = json_array();

	for (size_t i = 0, first; text->known && i < text->raw_len; i++) {
		for (first = i; i < text->raw_len && !text->known[i];)
			i++;
		if (i > first)
			append(j, array,
			       json_pack("[I, I]", (json_int_t)first, (json_int_t)(i - first)));
	}
	return array;
}

static json_t *area_of(struct json *j, const struct nmibt_text *text)
{
	json_t *area = json_object(), *lines = json_array();

	for (size_t i = 0; i < text->nr_lines; i++)
		append(j, lines, line_of(j, &text->lines[i]));
	set(j, area, "bytes", json_integer(text->published));
	set(j, area, "torn_bytes", json_integer(text->raw_len - text->published));
	set(j, area, "unread_bytes", json_integer(text->unread));
	set(j, area, "excluded_bytes", json_integer(text->excluded));
	set(j, area, "lines", lines);
	if (j->renderer.options->raw) {
		set(j, area, "raw_base64", base64_of(text->raw, text->raw_len));
		set(j, area, "raw_unread", unread_of(j, text));
	}
	return area;
}

struct places {
	struct json *j;
	json_t *array;
	const struct nmibt_frame *frame;
};

static void append_place(void *arg, const struct nmibt_place *place)
{
	struct places *places = arg;
	struct json *j = places->j;
	json_t *object = json_object();

	set(j, object, "function",
	    place->function ? text_of(j, place->function)
			    : string_of(j, places->frame->function.s, places->frame->function.len));
	set(j, object, "where", text_of(j, place->where));
	append(j, places->array, object);
}

static json_t *source_of(struct json *j, const struct nmibt_frame *frame)
{
	struct places places = {.j = j, .array = json_array(), .frame = frame};

	nmibt_find_places(&j->renderer, frame, append_place, &places);
	return places.array;
}

/* The names of satyr's frames of a kernel oops. */
static json_t *frame_of(struct json *j, const struct nmibt_cpu *cpu, const struct nmibt_frame *f)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(j->renderer.report->image->arch);
	json_t *frame = json_object();
	char addr[NMIBT_ADDR_LEN];
	struct nmibt_str name = nmibt_frame_name(f, addr);

	set(j, frame, "function_name", string_of(j, name.s, name.len));
	if (f->function.len)
		set(j, frame, "function_offset", number_of(f->offset));
	/* Of what it unwound itself nmibt knows neither. */
	if (!cpu->is_unwound && f->function.len)
		set(j, frame, "function_length", number_of(f->size));
	if (!cpu->is_unwound)
		set(j, frame, "line", json_integer(f->line));
	if (f->module.len)
		set(j, frame, "module_name", string_of(j, f->module.s, f->module.len));
	if (f->kind != NMIBT_STACK_TASK)
		set(j, frame, "special_stack", json_string(nmibt_stack_kind_name(f->kind)));
	set(j, frame, "reliable", json_boolean(f->reliable));
	if (f->is_interrupted)
		set(j, frame, "interrupted", json_true());
	if (f->is_pc && names && cpu->nmi_regs.present && !cpu->text.unread)
		set(j, frame, "address", hex_of(cpu->nmi_regs.value[names->pc]));
	else if (f->addr)
		set(j, frame, "address", hex_of(f->addr));
	if (j->renderer.options->lines)
		set(j, frame, "source", source_of(j, f));
	return frame;
}

static json_t *frames_of(struct json *j, const struct nmibt_cpu *cpu)
{
	json_t *frames = json_array();

	for (size_t i = 0; i < cpu->stack.nr; i++)
		append(j, frames, frame_of(j, cpu, &cpu->stack.frames[i]));
	return frames;
}

static json_t *registers_of(struct json *j, const struct nmibt_cpu *cpu,
			    const struct nmibt_regs *regs, const char *when)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(j->renderer.report->image->arch);
	char symbol[160];

	if (!regs->present || !names)
		return json_null();
	json_t *set_of = json_object(), *values = json_object(), *symbols = json_object();
	for (unsigned int i = 0; i < regs->nr && i < names->nr; i++) {
		set(j, values, names->name[i], hex_of(regs->value[i]));
		if (nmibt_register_symbol(j->renderer.report, cpu, i, regs->value[i], symbol,
					  sizeof(symbol)))
			set(j, symbols, names->name[i], text_of(j, symbol));
	}
	set(j, set_of, "when", json_string(when));
	set(j, set_of, "values", values);
	set(j, set_of, "symbols", symbols);
	return set_of;
}

static const char *note_name(enum nmibt_note note)
{
	static const char *const names[] = {
		[NMIBT_NOTE_UNKNOWN] = "unknown", [NMIBT_NOTE_PRESENT] = "present",
		[NMIBT_NOTE_NONE] = "none",	  [NMIBT_NOTE_EXCLUDED] = "excluded",
		[NMIBT_NOTE_DAMAGED] = "damaged",
	};
	return names[note];
}

static const char *moved_name(enum nmibt_moved moved)
{
	static const char *const names[] = {
		[NMIBT_MOVED_UNKNOWN] = "unknown", [NMIBT_MOVED_SAME] = "same place",
		[NMIBT_MOVED_YES] = "moved",	   [NMIBT_MOVED_IDLE] = "idle",
		[NMIBT_MOVED_SYNTHETIC] = "panic",
	};
	return names[moved];
}

static json_t *slot_of(struct json *j, const struct nmibt_cpu *cpu)
{
	static const char *const flags[] = {"registers",      "idle",	 "user",
					    "interrupts_off", "late",	 "overflow",
					    "offline",	      "faulted", "registers_of_capture"};
	const struct nmi_capture_slot *s = &cpu->slot;
	json_t *slot = json_object();

	set(j, slot, "address", hex_of(cpu->slot_paddr));
	set(j, slot, "state", json_integer(s->state));
	set(j, slot, "how", json_integer(s->how));
	set(j, slot, "flags", flags_of(j, s->flags, flags, ARRAY_SIZE(flags)));
	set(j, slot, "generation", json_integer(s->generation));
	set(j, slot, "asked_ns", time_of(s->asked_ns));
	set(j, slot, "begun_ns", time_of(s->begun_ns));
	set(j, slot, "done_ns", time_of(s->done_ns));
	set(j, slot, "lost_messages", json_integer(s->lost_msgs));
	set(j, slot, "lost_bytes", json_integer(s->lost_bytes));
	set(j, slot, "begin_again", json_integer(s->begin_again));
	set(j, slot, "text_room", json_integer(s->text_size));
	set(j, slot, "crash_note", hex_of(s->note_paddr));
	return slot;
}

static json_t *task_of(struct json *j, const struct nmibt_cpu *cpu)
{
	json_t *task = json_object();

	set(j, task, "pid", json_integer(cpu->pid));
	set(j, task, "comm", string_of(j, cpu->comm, strnlen(cpu->comm, sizeof(cpu->comm))));
	return task;
}

static json_t *log_of(struct json *j, const struct nmibt_cpu *cpu)
{
	json_t *log = json_object();

	set(j, log, "asked_ns", time_of(cpu->asked_ns));
	set(j, log, "begun_ns", time_of(cpu->begun_ns));
	set(j, log, "ended_ns", time_of(cpu->ended_ns));
	set(j, log, "first_record", number_of(cpu->first_seq));
	set(j, log, "last_record", number_of(cpu->last_seq));
	return log;
}

static void fill_written(struct json *j, json_t *object, const struct nmibt_cpu *cpu)
{
	set(j, object, "task", cpu->has_task ? task_of(j, cpu) : json_null());
	set(j, object, "idle", json_boolean(cpu->flags & NMI_CAPTURE_SLOT_F_IDLE));
	set(j, object, "user_mode", json_boolean(cpu->flags & NMI_CAPTURE_SLOT_F_USER));
	set(j, object, "interrupts_off", json_boolean(cpu->flags & NMI_CAPTURE_SLOT_F_IRQS_OFF));
	set(j, object, "text", cpu->is_unwound ? json_null() : area_of(j, &cpu->text));
	set(j, object, "nested_text", area_of(j, &cpu->nested));
	set(j, object, "unwound", json_boolean(cpu->is_unwound));
	set(j, object, "beginning_is_gone", json_boolean(cpu->is_headless));
	set(j, object, "frames", frames_of(j, cpu));
	set(j, object, "stack_hash", cpu->stack_hash ? hex_of(cpu->stack_hash) : json_null());
}

static json_t *cpu_of(struct json *j, const struct nmibt_cpu *cpu)
{
	json_t *object = json_object();

	set(j, object, "cpu", json_integer(cpu->cpu));
	set(j, object, "outcome", json_string(nmibt_outcome_name(cpu->outcome)));
	set(j, object, "stale", json_boolean(cpu->stale));
	set(j, object, "problem", *cpu->why ? text_of(j, cpu->why) : json_null());
	set(j, object, "source",
	    cpu->source == NMIBT_SOURCE_AUTO ? json_null()
					     : json_string(nmibt_source_name(cpu->source)));
	if (j->renderer.report->has_capture && !cpu->slot_present && !cpu->text.raw)
		return object;
	if (cpu->slot_present)
		set(j, object, "slot", slot_of(j, cpu));
	if (cpu->source == NMIBT_SOURCE_LOG || cpu->asked_ns)
		set(j, object, "log", log_of(j, cpu));
	if (cpu->buffer)
		set(j, object, "buffer", json_string(cpu->buffer));
	if (cpu->has_task || cpu->text.raw)
		fill_written(j, object, cpu);
	json_t *registers = json_object();
	set(j, registers, "captured",
	    registers_of(j, cpu, &cpu->nmi_regs, nmibt_regs_when(&cpu->slot)));
	set(j, registers, "stopped", registers_of(j, cpu, &cpu->stop_regs, "at the stop"));
	set(j, object, "registers", registers);
	set(j, object, "crash_note", json_string(note_name(cpu->note)));
	set(j, object, "moved", json_string(moved_name(cpu->moved)));
	return object;
}

static struct nmibt_error *write_cpu(struct renderer *r, const struct nmibt_cpu *cpu)
{
	struct json *j = (struct json *)r;
	json_t *object = cpu_of(j, cpu);

	fputs(j->begun ? ",\n" : "\n", r->out);
	j->begun = true;
	if (!j->failed && json_dumpf(object, r->out, JSON_COMPACT) && !ferror(r->out))
		j->failed = true;
	json_decref(object);
	return j->failed ? nmibt_error_nomem() : NULL;
}

/* ---------------------------------------------------------------------- all */

static struct nmibt_error *write_document(struct json *j)
{
	FILE *out = j->renderer.out;
	json_t *envelope = json_object();

	struct nmibt_error *err = fill_envelope(j, envelope);
	if (!err && j->failed)
		err = nmibt_error_nomem();
	if (!err) {
		putc('{', out);
		json_dumpf(envelope, out, JSON_COMPACT | JSON_EMBED);
	}
	json_decref(envelope);
	if (err)
		return err;
	if (!j->renderer.options->summary_only) {
		fputs(",\"cpus\":[", out);
		err = nmibt_each_cpu(&j->renderer, write_cpu);
		if (err)
			return err;
		fputs("\n]", out);
	}
	fputs("}\n", out);
	return NULL;
}

static struct nmibt_error *render_json(struct renderer *r)
{
	struct json j = {.renderer = *r};

	j.scratch = open_memstream(&j.escaped, &j.escaped_len);
	if (!j.scratch)
		return nmibt_error_nomem();
	struct nmibt_error *err = write_document(&j);
	fclose(j.scratch);
	free(j.escaped);
	return err;
}

struct nmibt_error *nmibt_render_json(const struct nmibt_report *report,
				      const struct nmibt_render_options *options, FILE *out,
				      int *ret)
{
	return nmibt_render_by(render_json, report, options, out, ret);
}
