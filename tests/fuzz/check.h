/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fuzz targets that check results have in common. */
#ifndef NMIBT_FUZZ_CHECK_H
#define NMIBT_FUZZ_CHECK_H

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer keeps the input. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#endif
