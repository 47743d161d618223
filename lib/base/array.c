// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arrays that grow while they are filled.
 */
#include <stdlib.h>

#include "base/base.h"

void *nmibt_make_room(void *array, size_t nr, size_t size)
{
	return nr & (nr - 1) ? array : reallocarray(array, nr ? 2 * nr : 1, size);
}
