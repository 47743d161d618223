// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/dumpfile.h"

static bool flattened_read(const struct nmibt_file *file, uint64_t offset, void *buf, size_t len)
{
	return nmibt_flattened_pread(file->ctx, buf, len, offset) == (ssize_t)len;
}

static uint64_t flattened_next_data(const struct nmibt_file *file, uint64_t offset)
{
	return nmibt_flattened_next_data(file->ctx, offset);
}

static uint64_t flattened_next_hole(const struct nmibt_file *file, uint64_t offset)
{
	return nmibt_flattened_next_hole(file->ctx, offset);
}

static struct nmibt_error *open_file(struct nmibt_dumpfile *dump, const char *path, const int *fd)
{
	struct nmibt_error *err = nmibt_file_open(path, fd, &dump->disk);
	if (err)
		return err;

	dump->file = dump->disk;
	if (!nmibt_is_flattened(dump->disk.fd))
		return NULL;
	err = nmibt_flattened_open(dump->disk.fd, path, &dump->flat);
	if (err)
		return err;
	dump->file = (struct nmibt_file){
		.path = path,
		.size = nmibt_flattened_size(dump->flat),
		.read = flattened_read,
		.next_data = flattened_next_data,
		.next_hole = flattened_next_hole,
		.ctx = dump->flat,
		.fd = -1,
	};
	return NULL;
}

struct nmibt_error *nmibt_dumpfile_open(const char *path, const int *fd,
					struct nmibt_dumpfile **ret)
{
	struct nmibt_dumpfile *dump = calloc(1, sizeof(*dump));
	if (!dump)
		return nmibt_error_nomem();

	dump->disk.fd = -1;
	struct nmibt_error *err = open_file(dump, path, fd);
	if (err) {
		nmibt_dumpfile_close(dump);
		return err;
	}
	*ret = dump;
	return NULL;
}

void nmibt_dumpfile_close(struct nmibt_dumpfile *dump)
{
	if (!dump)
		return;
	nmibt_flattened_close(dump->flat);
	nmibt_file_close(&dump->disk);
	free(dump);
}
