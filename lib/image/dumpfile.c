// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libkdumpfile 0.5.1 (Debian 12) knows no flattened dumps, takes zeros for what a
 * cut file lacks (src/kdumpfile/fcache.c: fcache_get_read()), and dies of SIGBUS
 * there when it may mmap(). It reads by pread(), which it calls like any program
 * does: so the pread() of this program is the one that it gets.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "image/dumpfile.h"
#include "image/flattened.h"
#include "image/image.h"
#include "image/rawread.h"

/* Those that are open. pread() has only a descriptor to go by. */
static struct nmibt_dumpfile *open_files;

static const struct nmibt_dumpfile *file_of(int fd)
{
	const struct nmibt_dumpfile *file = open_files;

	while (file && file->fd != fd)
		file = file->next;
	return file;
}

__attribute__((visibility("default"))) ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	const struct nmibt_dumpfile *file = file_of(fd);

	if (!file)
		return nmibt_raw_pread(fd, buf, len, offset);
	ssize_t n = file->flat ? nmibt_flattened_pread(file->flat, buf, len, offset)
			       : nmibt_raw_pread(fd, buf, len, offset);
	if (n || !len)
		return n;
	errno = EIO;
	return -1;
}

/* What a file was compressed with, and how to undo that. */
static const struct packer {
	const char *magic;
	size_t len;
	const char *name, *command;
} packers[] = {
	{"\xfd"
	 "7zXZ",
	 6, "xz", "xz -dk"},
	{"\x28\xb5\x2f\xfd", 4, "zstd", "zstd -d"},
	{"\x1f\x8b", 2, "gzip", "gzip -dk"},
	{"BZh", 3, "bzip2", "bzip2 -dk"},
	{"\x04\x22\x4d\x18", 4, "lz4", "lz4 -d"},
};

static struct nmibt_error *refuse_packed(int fd, const char *path)
{
	char magic[8] = "";

	nmibt_raw_pread(fd, magic, sizeof(magic), 0);
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		const struct packer *p = &packers[i];

		if (!memcmp(magic, p->magic, p->len))
			return nmibt_error_create(
				NMIBT_ERR_UNUSABLE,
				"%s: compressed by %s as a whole; unpack it first: "
				"%s %s",
				path, p->name, p->command, path);
	}
	return NULL;
}

static struct nmibt_error *open_file(struct nmibt_dumpfile *file, const char *path)
{
	struct stat st;

	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: can't be opened: %s", path,
					  strerror(errno));
	if (S_ISDIR(st.st_mode))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: a folder, not a dump", path);
	if (S_ISREG(st.st_mode) && !st.st_size)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: the file is empty", path);
	struct nmibt_error *err = refuse_packed(file->fd, path);
	if (err || !nmibt_is_flattened(file->fd))
		return err;
	return nmibt_flattened_open(file->fd, path, &file->flat);
}

struct nmibt_error *nmibt_dumpfile_open(const char *path, struct nmibt_dumpfile **ret)
{
	struct nmibt_dumpfile *file = calloc(1, sizeof(*file));
	if (!file)
		return nmibt_error_nomem();

	struct nmibt_error *err = open_file(file, path);
	if (err) {
		nmibt_dumpfile_close(file);
		return err;
	}
	file->next = open_files;
	open_files = file;
	*ret = file;
	return NULL;
}

void nmibt_dumpfile_close(struct nmibt_dumpfile *file)
{
	if (!file)
		return;
	for (struct nmibt_dumpfile **at = &open_files; *at; at = &(*at)->next) {
		if (*at == file) {
			*at = file->next;
			break;
		}
	}
	nmibt_flattened_close(file->flat);
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}
