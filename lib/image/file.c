// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files are read by pread() and never mapped: if a file is truncated while we read it, that is an
 * error and not a SIGBUS.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "image/file.h"

ssize_t nmibt_pread(int fd, void *buf, size_t len, off_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += n;
	}
	return done;
}

static bool file_read(const struct nmibt_file *file, uint64_t offset, void *buf, size_t len)
{
	return nmibt_pread(file->fd, buf, len, offset) == (ssize_t)len;
}

/* lseek() fails with ENXIO where the rest of the file is a hole, and with EINVAL where the file
 * system does not know its holes. */
static uint64_t file_next_data(const struct nmibt_file *file, uint64_t offset)
{
	off_t at = lseek(file->fd, offset, SEEK_DATA);

	if (at >= 0)
		return (uint64_t)at < file->size ? (uint64_t)at : file->size;
	return errno == ENXIO ? file->size : offset;
}

static uint64_t file_next_hole(const struct nmibt_file *file, uint64_t offset)
{
	off_t at = lseek(file->fd, offset, SEEK_HOLE);

	return at >= 0 && (uint64_t)at < file->size ? (uint64_t)at : file->size;
}

struct nmibt_error *nmibt_refuse_live_memory(const char *path)
{
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "%s: the memory of the running system, which changes while it is "
				  "read; nmibt reads dumps",
				  path);
}

static struct nmibt_error *look_at(struct nmibt_file *file)
{
	struct stat st;

	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: can't be opened: %s", file->path,
					  strerror(errno));
	if (S_ISDIR(st.st_mode))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: a folder, not a dump",
					  file->path);
	/* /dev/mem: Documentation/admin-guide/devices.txt, 6.12 */
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 1))
		return nmibt_refuse_live_memory(file->path);
	file->mtime = st.st_mtime > 0 ? st.st_mtime : 0;
	/* st_size of a block device is 0. */
	off_t size = lseek(file->fd, 0, SEEK_END);
	if (size < 0)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: not a regular file", file->path);
	if (!size)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: %s", file->path,
					  S_ISREG(st.st_mode) ? "the file is empty"
							      : "not a dump, it has no size");
	file->size = size;
	return NULL;
}

struct nmibt_error *nmibt_file_open(const char *path, const int *fd, struct nmibt_file *ret)
{
	struct nmibt_file file = {
		.path = path,
		.read = file_read,
		.next_data = file_next_data,
		.next_hole = file_next_hole,
		.fd = fd ? fcntl(*fd, F_DUPFD_CLOEXEC, 0)
			 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC),
	};
	struct nmibt_error *err = look_at(&file);

	if (err) {
		nmibt_file_close(&file);
		return err;
	}
	*ret = file;
	return NULL;
}

void nmibt_file_close(struct nmibt_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
