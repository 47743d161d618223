// SPDX-License-Identifier: GPL-2.0-or-later
/* A FILE whose output goes to the function that a caller of the library gave. */
#include "render/render.h"

static ssize_t write_on(void *cookie, const char *data, size_t len)
{
	struct nmibt_output *output = cookie;

	if (!output->failed)
		output->failed = !output->write(output->ctx, data, len);
	return output->failed ? 0 : (ssize_t)len;
}

FILE *nmibt_output_open(struct nmibt_output *output)
{
	return fopencookie(output, "w", (cookie_io_functions_t){.write = write_on});
}

struct nmibt_error *nmibt_output_close(struct nmibt_output *output, FILE *out,
				       struct nmibt_error *err)
{
	fclose(out);
	if (!err && output->failed)
		err = nmibt_error_create(NMIBT_ERR_UNUSABLE, "the output can't be written");
	return err;
}
