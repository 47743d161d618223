// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The signature as text. A script needs only the first word. Below it are the stacks that it was
 * made from; frames that do not count are in brackets.
 */
#include "render/render.h"

static void put_stack(struct renderer *r, const struct nmibt_signature_stack *stack)
{
	fprintf(r->out, "\n%s ", stack->panicking ? "panicking" : "stuck");
	nmibt_render_cpus(r, stack->cpus, stack->nr_cpus);
	putc('\n', r->out);
	for (size_t i = 0; i < stack->nr_frames; i++) {
		const struct nmibt_signature_frame *frame = &stack->frames[i];

		fputs(frame->left_out ? "    (" : "    ", r->out);
		nmibt_escape(r->out, frame->name, strlen(frame->name), false);
		fputs(frame->left_out ? ")\n" : "\n", r->out);
	}
	if (!stack->nr_kept)
		fputs("[nothing of this counts]\n", r->out);
}

struct nmibt_error *nmibt_render_signature(struct renderer *r)
{
	struct nmibt_signature signature;
	struct nmibt_error *err = nmibt_signature(r->report, &signature);
	if (err)
		return err;

	if (*signature.value)
		fprintf(r->out, "signature   %u:%s  of %zu stack%s\n", NMIBT_SIGNATURE_VERSION,
			signature.value, signature.nr_hashed, nmibt_plural(signature.nr_hashed));
	else
		fputs("signature   none: no frame of a CPU that panicked or was stuck\n", r->out);
	if (*signature.duphash)
		fprintf(r->out, "duphash     %s  of CPU %u, as satyr makes it\n", signature.duphash,
			r->report->death.reporter);
	for (size_t i = 0; i < signature.nr_stacks; i++)
		put_stack(r, &signature.stacks[i]);
	nmibt_signature_destroy(&signature);
	return NULL;
}
