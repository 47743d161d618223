// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outfile.h"

bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= n;
	}
	return true;
}

bool outfile_open(struct outfile *out, const char *path)
{
	struct stat st;

	*out = (struct outfile){.path = path, .fd = -1};
	/* In the place of /dev/null there would be a file. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		errno = EEXIST;
		return false;
	}
	if (asprintf(&out->temporary, "%s.XXXXXX", path) < 0) {
		out->temporary = NULL;
		return false;
	}
	/* mkstemp() makes files for their owner only, 0600. */
	out->fd = mkostemp(out->temporary, O_CLOEXEC);
	if (out->fd >= 0)
		return true;
	free(out->temporary);
	out->temporary = NULL;
	return false;
}

bool outfile_write(struct outfile *out, const char *data, size_t len)
{
	return write_all(out->fd, data, len);
}

bool sync_folder(const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		return false;
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && !fsync(fd);
	int error = errno;
	if (fd >= 0)
		close(fd);
	free(copy);
	errno = error;
	/* A file system that can't sync folders does it with the file. A folder that only takes files can't
	 * be opened. */
	return done || error == EINVAL || error == EACCES;
}

bool outfile_commit(struct outfile *out)
{
	if (fsync(out->fd) || rename(out->temporary, out->path))
		return false;
	free(out->temporary);
	out->temporary = NULL;
	return sync_folder(out->path);
}

void outfile_close(struct outfile *out)
{
	if (out->temporary)
		unlink(out->temporary);
	free(out->temporary);
	out->temporary = NULL;
	if (out->fd >= 0)
		close(out->fd);
	out->fd = -1;
}
