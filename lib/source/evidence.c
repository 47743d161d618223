// SPDX-License-Identifier: GPL-2.0-or-later
/* What evidence owns. */
#include "source/evidence.h"

void nmibt_evidence_destroy(struct nmibt_evidence *evidence)
{
	nmibt_stack_destroy(&evidence->stack);
	nmibt_text_destroy(&evidence->text);
	nmibt_text_destroy(&evidence->nested);
	*evidence = (struct nmibt_evidence){.cpu = NMIBT_NO_CPU};
}
