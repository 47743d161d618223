/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is there as a whole or not at all, whatever happens while it is written.
 */
#ifndef VMCORE_OUTFILE_H
#define VMCORE_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>

struct outfile {
	const char *path; /* where it will be */
	char *temporary; /* where it is written */
	int fd;
};

/* Opens a new file beside path, for its owner only. False: errno says why; EEXIST: there is a device or
 * a folder, which stays. */
bool outfile_open(struct outfile *out, const char *path);
bool outfile_write(struct outfile *out, const char *data, size_t len);
/* Puts it onto the disk and in its place. False: errno says why, and path is as it was, unless its folder
 * could not be synced. */
bool outfile_commit(struct outfile *out);
/* Removes what was written, unless it was committed. */
void outfile_close(struct outfile *out);

/* A new name is on the disk only when its folder is: puts that of path there. False: errno says why. */
bool sync_folder(const char *path);
/* Writes all len bytes. False: errno says why. */
bool write_all(int fd, const char *data, size_t len);

#endif /* VMCORE_OUTFILE_H */
