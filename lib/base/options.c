// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of options and callbacks: they begin with their size, and new versions append members. */
#include "base/base.h"

struct nmibt_error *nmibt_copy_options(const char *name, void *ret, size_t size, const void *from,
				       size_t from_size)
{
	const char *bytes = from;

	if (from_size < sizeof(size_t))
		return nmibt_error_create(NMIBT_ERR_USAGE, "the size in struct %s is not set",
					  name);
	for (size_t i = size; i < from_size; i++) {
		if (bytes[i])
			return nmibt_error_create(NMIBT_ERR_USAGE,
						  "struct %s has members that this libnmibt does "
						  "not know",
						  name);
	}
	memset(ret, 0, size);
	memcpy(ret, from, from_size < size ? from_size : size);
	return NULL;
}
