// SPDX-License-Identifier: GPL-2.0-or-later
/* The architectures whose lines and functions are known. */
#include "text/arch.h"

const struct nmibt_text_arch *const nmibt_text_archs[] = {
	&nmibt_text_x86_64,
	&nmibt_text_arm64,
	&nmibt_text_i386,
	&nmibt_text_arm,
	&nmibt_text_powerpc,
	&nmibt_text_s390,
	&nmibt_text_riscv,
	&nmibt_text_loongarch,
	&nmibt_text_mips,
	&nmibt_text_sparc64,
	NULL,
};

static const struct nmibt_text_arch *find(enum nmibt_arch arch)
{
	size_t i = 0;

	while (nmibt_text_archs[i] && nmibt_text_archs[i]->arch != arch)
		i++;
	return nmibt_text_archs[i];
}

bool nmibt_has_plain_traces(enum nmibt_arch arch)
{
	const struct nmibt_text_arch *a = find(arch);

	return a && a->has_plain_traces;
}

bool nmibt_has_bare_traces(enum nmibt_arch arch)
{
	const struct nmibt_text_arch *a = find(arch);

	return a && a->has_bare_traces;
}
