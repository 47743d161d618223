// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the capture kernel's tool has in the place of parts of the library that it never needs: it reads the
 * memory of a kernel of its own architecture, or of the other that it is built for, and no texts.
 */
#include "source/printouts.h"
#include "text/arch.h"

const struct nmibt_text_arch *const nmibt_text_archs[] = {
	&nmibt_text_x86_64,
	&nmibt_text_arm64,
	NULL,
};

bool nmibt_has_plain_traces(enum nmibt_arch arch)
{
	return arch == NMIBT_ARCH_ARM64;
}

bool nmibt_has_bare_traces(enum nmibt_arch arch)
{
	(void)arch;
	return false;
}

bool nmibt_read_place(struct nmibt_str s, struct nmibt_frame *ret)
{
	(void)s, (void)ret;
	return false;
}

/* They are for JSON. */
void nmibt_log_note_time(struct nmibt_log_source *log, const struct nmibt_log_record *record)
{
	(void)log, (void)record;
}

/* No image of it is a printed log, so that nobody calls this. */
struct nmibt_error *nmibt_read_printed_log(struct nmibt_kernel *kernel,
					   struct nmibt_log_source *log)
{
	(void)kernel, (void)log;
	return NULL;
}

bool nmibt_begins_shortened(const struct taken *t, const struct level *l)
{
	(void)t, (void)l;
	return false;
}

void nmibt_begin_shortened(struct taken *t, struct level *l)
{
	(void)t, (void)l;
}

void nmibt_see_task(struct taken *t)
{
	(void)t;
}

void nmibt_see_pause(struct taken *t)
{
	(void)t;
}

void nmibt_describe_mended(const struct nmibt_log_source *log, char *why)
{
	(void)log, (void)why;
}
