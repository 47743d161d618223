// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file has no name until it is whole (O_TMPFILE), so that nothing is left of it whatever ends this
 * process. Not all file systems have that, NFS for one: there it is kept in memory, and written at the end,
 * while signals wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "newfile.h"
#include "vmcore/outfile.h"

#define CHUNK 16384

static char *folder_of(const char *path)
{
	char *copy = strdup(path);
	char *folder = copy ? strdup(dirname(copy)) : NULL;

	free(copy);
	return folder;
}

/* Who takes two names for each other must not lose a dump. */
static bool is_there(const char *path)
{
	struct stat st;

	return !lstat(path, &st) || errno != ENOENT;
}

static int open_nameless(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* A kernel before 3.11 opens the folder itself, which is none to write to: EISDIR. */
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	return access(folder, W_OK | X_OK) ? -1 : memfd_create("nmibt-file", MFD_CLOEXEC);
}

bool newfile_open(struct newfile *file, const char *path)
{
	*file = (struct newfile){.path = path, .fd = -1};
	if (is_there(path)) {
		errno = EEXIST;
		return false;
	}
	file->folder = folder_of(path);
	if (file->folder)
		file->fd = open_nameless(file->folder);
	if (file->fd >= 0)
		return true;
	newfile_close(file);
	return false;
}

bool newfile_write(struct newfile *file, const char *data, size_t len)
{
	return write_all(file->fd, data, len);
}

static bool copy(int from, int to)
{
	char bytes[CHUNK];
	ssize_t len;

	for (off_t at = 0; (len = pread(from, bytes, sizeof(bytes), at)) > 0; at += len) {
		if (!write_all(to, bytes, len))
			return false;
	}
	return !len;
}

bool newfile_copy(struct newfile *file, int fd)
{
	return copy(fd, file->fd);
}

/* ------------------------------------------------------------------------- its name */

/* linkat() with AT_EMPTY_PATH needs a privilege: open(2). */
static bool link_nameless(const struct newfile *file)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	return !fsync(file->fd) && !linkat(AT_FDCWD, self, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW);
}

/* FAT has no links. rename() would replace another file, and NFS knows no other one. */
static bool give_name(const char *temporary, const char *path)
{
	return !link(temporary, path) ||
	       (errno == EPERM &&
		!renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE));
}

static bool link_copy(const struct newfile *file, char *temporary)
{
	int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return false;
	bool done = copy(file->fd, fd) && !fsync(fd) && give_name(temporary, file->path);
	int error = errno;
	unlink(temporary);
	close(fd);
	errno = error;
	return done;
}

static bool link_while_signals_wait(const struct newfile *file)
{
	char *temporary;
	sigset_t all, old;

	if (asprintf(&temporary, "%s.XXXXXX", file->path) < 0)
		return false;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	bool done = link_copy(file, temporary);
	int error = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(temporary);
	errno = error;
	return done;
}

bool newfile_commit(struct newfile *file)
{
	if (!link_nameless(file) && (errno == EEXIST || !link_while_signals_wait(file)))
		return false;
	return sync_folder(file->path);
}

void newfile_close(struct newfile *file)
{
	int error = errno;

	free(file->folder);
	file->folder = NULL;
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	errno = error;
}
