// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The signature as text. A script needs only the first word. Below it are the stacks that it was
 * made from; functions that do not count are in brackets.
 */
#include "render/render.h"

static void put_stack(struct renderer *r, const struct nmibt_signature_stack *stack)
{
	fprintf(r->out, "\n%s ", stack->panicking ? "panicking" : "stuck");
	nmibt_render_cpus(r, stack->cpus, stack->nr_cpus);
	putc('\n', r->out);
	for (size_t i = 0; i < stack->nr_frames; i++) {
		const struct nmibt_signature_frame *frame = &stack->frames[i];

		fputs(frame->counts ? "    " : "    (", r->out);
		nmibt_escape(r->out, frame->name, strlen(frame->name), false);
		fputs(frame->counts ? "\n" : ")\n", r->out);
	}
	if (!stack->is_blamed)
		fputs("[nothing of this counts]\n", r->out);
}

struct nmibt_error *nmibt_render_signature(struct renderer *r)
{
	struct nmibt_signature signature;
	struct nmibt_error *err = nmibt_signature(r->report, &signature);
	if (err)
		return err;

	if (*signature.value)
		fprintf(r->out, "signature   %u:%s  of %zu function%s\n", NMIBT_SIGNATURE_VERSION,
			signature.value, signature.nr_functions,
			nmibt_plural(signature.nr_functions));
	else
		fputs("signature   none: no function of a CPU that panicked or was stuck\n",
		      r->out);
	if (*signature.duphash)
		fprintf(r->out, "duphash     %s  of CPU %u, as satyr makes it\n", signature.duphash,
			r->report->death.reporter);
	for (size_t i = 0; i < signature.nr_stacks; i++)
		put_stack(r, &signature.stacks[i]);
	nmibt_signature_destroy(&signature);
	return NULL;
}
