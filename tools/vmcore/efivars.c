// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "efivars.h"
#include "outfile.h"

#define NAME "NmibtRecord-02375926-c46c-4c8e-8c37-f0bb55a2f7d1"
/* Non-volatile, and readable in boot services and at run time: include/linux/efi.h, 6.12. */
#define ATTRIBUTES 7

/* In f_bavail the kernel counts what it lets users write, which leaves 5 KiB on x86
 * (fs/efivarfs/super.c: efivarfs_statfs(), 6.12). Older kernels say 0. */
size_t efivars_room(const char *dir, size_t max)
{
	struct statfs fs;

	if (statfs(dir, &fs) || fs.f_bsize <= 0)
		return 0;
	uint64_t room = fs.f_bavail > SIZE_MAX / fs.f_bsize ? SIZE_MAX : fs.f_bavail * fs.f_bsize;
	return room / 2 < max ? room / 2 : max;
}

/* A variable is written by one write(), which begins with its attributes. */
static bool write_variable(int fd, const char *data, size_t len)
{
	uint32_t attributes = ATTRIBUTES;
	char *variable = malloc(sizeof(attributes) + len);

	if (!variable)
		return false;
	memcpy(variable, &attributes, sizeof(attributes));
	memcpy(variable + sizeof(attributes), data, len);
	bool done = write_all(fd, variable, sizeof(attributes) + len);
	free(variable);
	return done;
}

bool efivars_write(const char *dir, const char *data, size_t len, char **ret_path)
{
	if (asprintf(ret_path, "%s/" NAME, dir) < 0) {
		*ret_path = NULL;
		return false;
	}
	int fd = open(*ret_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool done = write_variable(fd, data, len);
	int failure = errno;
	close(fd);
	if (!done)
		unlink(*ret_path);
	errno = failure;
	return done;
}
