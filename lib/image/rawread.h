/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pread() as the kernel has it. The program's own pread(), which libkdumpfile
 * calls, is in dumpfile.c and may show another file than the descriptor's.
 */
#ifndef NMIBT_RAWREAD_H
#define NMIBT_RAWREAD_H

#include <errno.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* All of len, unless the file ends before; -1 for an error. */
static inline ssize_t nmibt_raw_pread(int fd, void *buf, size_t len, off_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = syscall(SYS_pread64, fd, (char *)buf + done, len - done, offset + done);

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

#endif /* NMIBT_RAWREAD_H */
