// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A pipe can be read once, and a log is read twice. So it is copied to a file, which has room for more
 * than memory has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "standard-input.h"

#define CHUNK (64 << 10)

/* Without a file system that has files without names it is one in memory. */
static int make_file(void)
{
	const char *folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		int fd = folders[i] ? open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

		if (fd >= 0)
			return fd;
	}
	return memfd_create("nmibt-in", MFD_CLOEXEC);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

static int copy_to(int fd)
{
	char data[CHUNK];
	ssize_t n;

	do {
		n = read(STDIN_FILENO, data, sizeof(data));
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0 && write_all(fd, data, n))
			return -1;
	} while (n);
	return 0;
}

int open_standard_input(void)
{
	if (lseek(STDIN_FILENO, 0, SEEK_END) >= 0)
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int fd = make_file();
	if (fd < 0 || !copy_to(fd))
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}
