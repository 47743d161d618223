// SPDX-License-Identifier: GPL-2.0-or-later
/* The architectures whose lines and functions are known. */
#include "text/arch.h"

const struct nmibt_text_arch *const nmibt_text_archs[] = {
	&nmibt_text_x86_64,
	&nmibt_text_arm64,
	NULL,
};

bool nmibt_has_plain_traces(enum nmibt_arch arch)
{
	for (size_t i = 0; nmibt_text_archs[i]; i++) {
		if (nmibt_text_archs[i]->arch == arch)
			return nmibt_text_archs[i]->has_plain_traces;
	}
	return false;
}
