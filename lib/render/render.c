// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all renderers have in common: the options, which CPUs are shown, and what
 * the exit code says.
 */
#include "render/render.h"

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
	case 'j':
		options->format = NMIBT_FORMAT_JSON;
		return true;
	case 'g':
		options->format = NMIBT_FORMAT_GROUPS;
		return true;
	case 'f':
		options->format = NMIBT_FORMAT_FOLDED;
		return true;
	case 'i':
		options->format = NMIBT_FORMAT_SIGNATURE;
		return true;
	}
	return false;
}

void nmibt_render_cpus(struct renderer *r, const unsigned int *cpus, size_t nr)
{
	fputs(nr == 1 ? "CPU " : "CPUs ", r->out);
	for (size_t i = 0; i < nr; i++) {
		size_t first = i;
		while (i + 1 < nr && cpus[i + 1] == cpus[i] + 1)
			i++;
		fprintf(r->out, "%s%u", first ? "," : "", cpus[first]);
		if (i > first)
			fprintf(r->out, "-%u", cpus[i]);
	}
}

bool nmibt_is_wanted(const struct renderer *r, unsigned int cpu)
{
	if (!r->report->possible[cpu])
		return false;
	if (r->report->cpus[cpu].stale && !r->options->older)
		return false;
	return !r->options->cpus || r->options->cpus[cpu];
}

/* -o: what other sources have of the CPU that is older. */
static struct nmibt_error *each_older(struct renderer *r, unsigned int nr, render_cpu_fn render)
{
	struct nmibt_error *err = NULL;
	bool found = r->options->older && r->report->cpus[nr].has_older;

	for (unsigned int nth = 0; !err && found; nth++) {
		struct nmibt_cpu cpu;

		err = nmibt_report_older(r->report, nr, nth, &cpu, &found);
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
		struct nmibt_error *err = nmibt_report_cpu(r->report, i, &cpu);
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

void nmibt_find_places(struct renderer *r, const struct nmibt_frame *frame, nmibt_place_fn visit,
		       void *arg)
{
	const struct nmibt_image *image = r->report->image;
	_cleanup_free_ char *function = strndup(frame->function.s, frame->function.len);
	_cleanup_free_ char *module = strndup(frame->module.s, frame->module.len);
	struct nmibt_location code = {
		.function = function,
		.module = frame->module.len ? module : NULL,
		.offset = frame->offset,
		.size = frame->size,
	};

	/* A return address stands behind its call. */
	if (!frame->is_pc && !frame->is_interrupted && code.offset)
		code.offset--;
	if (!function || !module || !image->ops->find_places ||
	    !image->ops->find_places(image->ctx, &code, visit, arg))
		r->lines_missing = true;
}

static int exit_code(const struct nmibt_report *report, bool older)
{
	if (!report->complete)
		return 3;
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		const struct nmibt_cpu_brief *b = &report->cpus[i];

		if (report->possible[i] &&
		    (b->outcome != NMIBT_OUTCOME_NONE || (older && b->has_older)))
			return 0;
	}
	return 1;
}

struct nmibt_error *nmibt_render_by(render_fn render, const struct nmibt_report *report,
				    const struct nmibt_render_options *options, FILE *out, int *ret)
{
	struct renderer r = {
		.report = report,
		.options = options,
		.out = out,
		.width = options->width ? options->width : 80,
	};

	struct nmibt_error *err = render(&r);
	if (err)
		return err;
	*ret = exit_code(report, options->older);
	return NULL;
}

struct nmibt_error *nmibt_render(const struct nmibt_report *report,
				 const struct nmibt_render_options *options, FILE *out, int *ret)
{
	static const render_fn renderers[] = {
		[NMIBT_FORMAT_TEXT] = nmibt_render_text,
		[NMIBT_FORMAT_GROUPS] = nmibt_render_groups,
		[NMIBT_FORMAT_FOLDED] = nmibt_render_folded,
		[NMIBT_FORMAT_SIGNATURE] = nmibt_render_signature,
	};

	if (options->format >= ARRAY_SIZE(renderers) || !renderers[options->format])
		return nmibt_error_create(NMIBT_ERR_USAGE, "no renderer for this format");
	return nmibt_render_by(renderers[options->format], report, options, out, ret);
}
