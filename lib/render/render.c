// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The common part of all renderers: options, the choice of CPUs, and the exit code.
 */
#include "render/render.h"

/* The renderer of JSON is in another archive. */
static const struct {
	char letter; /* 0: none */
	render_fn render;
} formats[] = {
	[NMIBT_FORMAT_TEXT] = {0, nmibt_render_text},
	[NMIBT_FORMAT_JSON] = {'j', NULL},
	[NMIBT_FORMAT_GROUPS] = {'g', nmibt_render_groups},
	[NMIBT_FORMAT_FOLDED] = {'f', nmibt_render_folded},
	[NMIBT_FORMAT_SIGNATURE] = {'i', nmibt_render_signature},
	[NMIBT_FORMAT_DESCRIPTION] = {0, nmibt_render_description},
};

bool nmibt_render_option(struct nmibt_render_options *options, int letter)
{
	switch (letter) {
	case 's':
		options->summary_only = true;
		return true;
	case 'l':
		options->lines = true;
		return true;
	case 'r':
		options->raw = true;
		return true;
	case 't':
		options->header = true;
		return true;
	case 'o':
		options->older = true;
		return true;
	case 'v':
		options->verbose = true;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (letter && formats[i].letter == letter) {
			options->format = i;
			return true;
		}
	}
	return false;
}

/* ------------------------------------------------------------------------- parts */

void nmibt_render_task(struct renderer *r, const struct nmibt_task *task)
{
	size_t len = strnlen(task->comm, sizeof(task->comm));

	if (!task->known)
		return;
	fprintf(r->out, "  PID %d", task->pid);
	if (!len)
		return;
	fputs(" \"", r->out);
	for (size_t at = 0, end; at < len; at = end) {
		/* A quote would end the name. */
		if (task->comm[at] == '"')
			putc('\\', r->out);
		for (end = at + 1; end < len && task->comm[end] != '"';)
			end++;
		nmibt_escape(r->out, task->comm + at, end - at, false);
	}
	putc('"', r->out);
}

static void render_range(struct renderer *r, unsigned int first, unsigned int last)
{
	fprintf(r->out, "%u", first);
	if (last > first)
		fprintf(r->out, "-%u", last);
}

void nmibt_render_cpus(struct renderer *r, const unsigned int *cpus, size_t nr)
{
	fputs(nr == 1 ? "CPU " : "CPUs ", r->out);
	for (size_t i = 0; i < nr; i++) {
		size_t first = i;
		while (i + 1 < nr && cpus[i + 1] == cpus[i] + 1)
			i++;
		if (first)
			putc(',', r->out);
		render_range(r, cpus[first], cpus[i]);
	}
}

void nmibt_render_cpu_set(struct renderer *r, const struct nmibt_cpus *cpus)
{
	fputs(nmibt_cpus_count(cpus) == 1 ? "CPU " : "CPUs ", r->out);
	for (size_t i = 0; i < cpus->nr; i++) {
		if (i)
			putc(',', r->out);
		render_range(r, cpus->ranges[i].first, cpus->ranges[i].last);
	}
}

void nmibt_render_frame(struct renderer *r, const struct nmibt_frame *frame, bool offset)
{
	char addr[NMIBT_ADDR_LEN];
	struct nmibt_str name = nmibt_frame_name(frame, addr);

	nmibt_escape(r->out, name.s, name.len, false);
	if (offset && frame->function.len && !frame->lacks_offset)
		fprintf(r->out, "+0x%" PRIx64, frame->offset);
	/* If nmibt unwound the stack itself, the size may not be known. */
	if (offset && frame->function.len && frame->size)
		fprintf(r->out, "/0x%" PRIx64, frame->size);
	if (!frame->module.len)
		return;
	fputs(" [", r->out);
	nmibt_escape(r->out, frame->module.s, frame->module.len, false);
	putc(']', r->out);
}

bool nmibt_is_hit(const struct nmibt_stack *stack, size_t i)
{
	return i && stack->frames[i].is_interrupted;
}

/* --------------------------------------------------------------------- CPU by CPU */

bool nmibt_is_wanted(const struct renderer *r, unsigned int cpu)
{
	return r->report->possible[cpu] && (!r->options->cpus || r->options->cpus[cpu]);
}

static struct nmibt_error *each_older(struct renderer *r, unsigned int nr, render_cpu_fn render)
{
	struct nmibt_older older;
	bool found = true;

	if (!r->options->older || !r->report->cpus[nr].has_older)
		return NULL;
	struct nmibt_error *err = nmibt_older_begin(r->report, nr, &older);
	while (!err && found) {
		struct nmibt_cpu cpu;

		err = nmibt_older_next(&older, &cpu, &found);
		if (err || !found)
			break;
		err = render(r, &cpu);
		nmibt_cpu_destroy(&cpu);
	}
	return err;
}

struct nmibt_error *nmibt_each_cpu(struct renderer *r, render_cpu_fn render)
{
	for (unsigned int i = 0; i < r->report->nr_cpus; i++) {
		struct nmibt_cpu cpu;

		if (!nmibt_is_wanted(r, i))
			continue;
		struct nmibt_error *err = nmibt_report_read_cpu(r->report, i, &cpu);
		if (err)
			return err;
		err = render(r, &cpu);
		nmibt_cpu_destroy(&cpu);
		if (!err)
			err = each_older(r, i, render);
		if (err)
			return err;
	}
	return NULL;
}

/* True: the printout (index + 1) belongs to the death; or, if there is no death, to an open
 * condition. */
static bool is_of_interest(const struct nmibt_report *report, size_t printout)
{
	const struct nmibt_death *death = &report->death;

	if (!printout)
		return false;
	if (death->is_known && (printout == death->cause || printout == death->printout))
		return true;
	for (size_t i = 0; i < report->nr_conditions; i++) {
		if (report->conditions[i].is_open && report->conditions[i].last == printout)
			return true;
	}
	return false;
}

struct nmibt_error *nmibt_each_task(struct renderer *r, render_task_fn render)
{
	const struct nmibt_log_source *log = r->report->sources->log;

	for (size_t i = 0; log && i < log->nr_traces; i++) {
		const struct nmibt_log_trace *trace = &log->traces[i];
		struct nmibt_evidence evidence;

		if (trace->kind != NMIBT_EVIDENCE_TASK ||
		    !is_of_interest(r->report, trace->printout))
			continue;
		struct nmibt_error *err = nmibt_log_evidence(log, r->report->kernel, i, &evidence);
		if (err)
			return err;
		err = render(r, &evidence);
		nmibt_evidence_destroy(&evidence);
		if (err)
			return err;
	}
	return NULL;
}

void nmibt_find_places(struct renderer *r, const struct nmibt_frame *frame, nmibt_place_fn visit,
		       void *arg)
{
	const struct nmibt_image *image = r->report->kernel->image;
	_cleanup_free_ char *function = strndup(frame->function.s, frame->function.len);
	_cleanup_free_ char *module = strndup(frame->module.s, frame->module.len);
	struct nmibt_location code = {
		.function = function,
		.module = frame->module.len ? module : NULL,
		.offset = frame->offset,
		.size = frame->size,
	};

	/* A return address is behind the call, which may be another source line. */
	if (!frame->is_pc && !frame->is_interrupted && !frame->repeats_pc && code.offset)
		code.offset--;
	if (!function || !module || frame->lacks_offset || !image->ops->find_places ||
	    !image->ops->find_places(image->ctx, &code, visit, arg))
		r->lines_missing = true;
}

static int exit_code(const struct nmibt_report *report, bool older)
{
	if (!report->complete)
		return 3;
	if (nmibt_log_tells(report))
		return 0;
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		if (report->possible[i] && nmibt_has_something(&report->cpus[i], older))
			return 0;
	}
	return 1;
}

struct nmibt_error *nmibt_render_by(render_fn render, const struct nmibt_report *report,
				    const struct nmibt_render_options *options, FILE *out, int *ret)
{
	struct scratch scratch = {0};
	struct renderer r = {
		.report = report,
		.options = options,
		.out = out,
		.scratch = &scratch,
		.width = options->width ? options->width : 80,
	};

	scratch.stream = open_memstream(&scratch.text, &scratch.len);
	if (!scratch.stream)
		return nmibt_error_nomem();
	struct nmibt_error *err = render(&r);
	bool failed = fclose(scratch.stream);
	free(scratch.text);
	if (!err && failed)
		err = nmibt_error_nomem();
	if (!err)
		*ret = exit_code(report, options->older);
	return err;
}

struct nmibt_error *nmibt_render_file(const struct nmibt_report *report,
				      const struct nmibt_render_options *options, FILE *out,
				      int *ret)
{
	if (options->format >= ARRAY_SIZE(formats) || !formats[options->format].render)
		return nmibt_error_create(NMIBT_ERR_USAGE, "no renderer for this format");
	return nmibt_render_by(formats[options->format].render, report, options, out, ret);
}

/* -------------------------------------------------------------- to the caller's writer */

struct nmibt_error *nmibt_render_to(render_file_fn render, const struct nmibt_report *report,
				    const struct nmibt_render_options *options,
				    nmibt_write_fn write, void *ctx, int *ret)
{
	struct nmibt_render_options own = {.format = NMIBT_FORMAT_TEXT};
	struct nmibt_output output = {.write = write, .ctx = ctx};
	struct nmibt_error *err = options ? nmibt_copy_options("nmibt_render_options", &own,
							       sizeof(own), options, options->size)
					  : NULL;
	if (err)
		return err;
	FILE *out = nmibt_output_open(&output);
	if (!out)
		return nmibt_error_nomem();

	int code;
	err = nmibt_output_close(&output, out, render(report, &own, out, &code));
	if (!err)
		*ret = code;
	return err;
}

struct nmibt_error *nmibt_render(const struct nmibt_report *report,
				 const struct nmibt_render_options *options, nmibt_write_fn write,
				 void *ctx, int *ret)
{
	return nmibt_render_to(nmibt_render_file, report, options, write, ctx, ret);
}
