// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A full disk, for users who may not mount one. Preloaded, it lets no file grow beyond
 * $FULL_DISK_SIZE bytes. A write() that would go beyond is short, and the next one fails with
 * ENOSPC, as on a full file system.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
	const char *size = getenv("FULL_DISK_SIZE");
	struct stat st;

	if (!size || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return real(fd, data, len);
	off_t room = atoll(size) - lseek(fd, 0, SEEK_CUR);
	if (room <= 0 && len) {
		errno = ENOSPC;
		return -1;
	}
	return real(fd, data, (off_t)len > room ? (size_t)room : len);
}
