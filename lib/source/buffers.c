// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The NMI buffers of 3.19 to 5.14 as evidence: text that was printed and is not in the log yet, and
 * the residue that flushes left. Neither has a time.
 */
#include <inttypes.h>

#include "source/source.h"

static struct nmibt_error *fill_text(struct nmibt_kernel *kernel, struct nmibt_evidence *ret)
{
	struct nmibt_backtrace backtrace;
	struct nmibt_error *err = nmibt_read_backtrace(kernel->image->arch, &ret->text, &backtrace);

	if (!err)
		nmibt_evidence_take_backtrace(ret, &backtrace);
	return err;
}

/* A text in a buffer is an answer to a request only if it has a title; else the CPU printed it by
 * itself. */
static enum nmibt_evidence_kind kind_of(enum nmibt_arch arch, const struct nmibt_text *text)
{
	for (size_t i = 0; i < text->nr_lines; i++) {
		struct nmibt_printed printed;

		nmibt_recognise(arch, (struct nmibt_str){text->lines[i].text, text->lines[i].len},
				&printed);
		if (printed.kind == NMIBT_PRINT_SKIPPED)
			return NMIBT_EVIDENCE_SKIPPED;
		if (printed.kind == NMIBT_PRINT_TITLE)
			return NMIBT_EVIDENCE_ANSWER;
	}
	return NMIBT_EVIDENCE_OWN;
}

static void begin_evidence(unsigned int cpu, const struct nmibt_nmi_buffer_area *area,
			   struct nmibt_evidence *ret)
{
	*ret = (struct nmibt_evidence){
		.cpu = cpu,
		.source = NMIBT_SOURCE_NMI_BUFFERS,
		.asked_by = NMIBT_NO_CPU,
		.buffer = area->name,
		.lost_msgs = area->lost_msgs,
	};
	if (area->lost_msgs || area->overflow)
		ret->wrong |= NMIBT_WRONG_CUT;
	if (area->status == NMIBT_READ_EXCLUDED)
		ret->wrong |= NMIBT_WRONG_EXCLUDED;
	if (area->status == NMIBT_READ_ERROR || area->damaged)
		ret->wrong |= NMIBT_WRONG_DAMAGED;
	if (area->damaged)
		nmibt_add_reason(ret->why, "%s says that more is in it than it has room for",
				 area->name);
}

static struct nmibt_error *read_piece(struct nmibt_kernel *kernel,
				      const struct nmibt_nmi_buffer_area *area, size_t start,
				      size_t len, size_t published, struct nmibt_evidence *ret)
{
	struct nmibt_error *err =
		nmibt_decode(area->raw + start, len, published, area->known + start,
			     area->overflow && !start, &ret->text);

	if (!err)
		err = fill_text(kernel, ret);
	if (!err)
		ret->kind = kind_of(kernel->image->arch, &ret->text);
	if (err)
		nmibt_evidence_destroy(ret);
	return err;
}

/* A CPU whose buffer can't be read has no text in it; that is no error. Out of memory is one. */
static struct nmibt_error *cannot_read(struct nmibt_error *err)
{
	if (err->code == NMIBT_ERR_NOMEM)
		return err;
	nmibt_error_destroy(err);
	return NULL;
}

struct nmibt_error *nmibt_buffer_evidence(struct nmibt_kernel *kernel, unsigned int cpu,
					  struct nmibt_evidence *ret, bool *ret_found)
{
	struct nmibt_nmi_buffer_area area;
	struct nmibt_error *err = nmibt_nmi_buffer_read(kernel, cpu, NMIBT_BUFFER_NMI, &area);

	*ret_found = false;
	if (err) {
		*ret = (struct nmibt_evidence){.cpu = cpu, .asked_by = NMIBT_NO_CPU};
		return cannot_read(err);
	}
	begin_evidence(cpu, &area, ret);
	if (area.text) {
		err = read_piece(kernel, &area, 0, area.text, area.published, ret);
		*ret_found = !err;
	} else if (area.status != NMIBT_READ_OK) {
		nmibt_add_reason(ret->why, "its %s at %#" PRIx64 " is %s", area.name, area.vaddr,
				 nmibt_read_name(area.status));
	}
	nmibt_nmi_buffer_area_destroy(&area);
	return err;
}

struct nmibt_error *nmibt_buffer_residue(struct nmibt_kernel *kernel, unsigned int cpu,
					 unsigned int nth, struct nmibt_evidence *ret,
					 bool *ret_found)
{
	const struct nmibt_nmi_buffers *buffers = nmibt_kernel_nmi_buffers(kernel);
	struct nmibt_error *err = NULL;

	*ret_found = false;
	for (enum nmibt_nmi_buffer b = 0; b < NMIBT_NR_BUFFERS && !err && !*ret_found; b++) {
		struct nmibt_nmi_buffer_area area;
		size_t at, len = 0;

		if (!buffers || !nmibt_nmi_buffers_have(buffers, b))
			continue;
		err = nmibt_nmi_buffer_read(kernel, cpu, b, &area);
		if (err)
			return cannot_read(err);
		for (size_t from = area.text; nmibt_nmi_buffer_residue(&area, from, &at, &len);
		     from = at + len) {
			if (nth--)
				continue;
			begin_evidence(cpu, &area, ret);
			if (at > 0)
				ret->wrong |= NMIBT_WRONG_HEADLESS;
			err = read_piece(kernel, &area, at, len, len, ret);
			*ret_found = !err;
			break;
		}
		nmibt_nmi_buffer_area_destroy(&area);
	}
	return err;
}
