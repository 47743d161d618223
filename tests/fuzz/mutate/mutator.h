/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MUTATE_MUTATOR_H
#define MUTATE_MUTATOR_H

#include <stdio.h>

#include "base.h"

/* Changes the files as the seed says: the same seed, base and tree give the same files. log: a line
 * for each change; NULL: none. */
void mutate(struct base *base, uint64_t seed, FILE *log);

#endif /* MUTATE_MUTATOR_H */
