/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new file that is there as a whole or not at all, whatever ends this process. It takes the place of no
 * other file.
 */
#ifndef NEWFILE_H
#define NEWFILE_H

#include <stdbool.h>
#include <stddef.h>

struct newfile {
	const char *path; /* where it will be */
	char *folder; /* of path */
	int fd; /* it can be read, too */
};

/* Opens a file without a name, for its owner only. False: errno says why; EEXIST: path is there. */
bool newfile_open(struct newfile *file, const char *path);
bool newfile_write(struct newfile *file, const char *data, size_t len);
/* Writes what is in fd. */
bool newfile_copy(struct newfile *file, int fd);
/* Puts it onto the disk and gives it its name. False: errno says why; EEXIST: path is there. */
bool newfile_commit(struct newfile *file);
/* What was not committed is gone. */
void newfile_close(struct newfile *file);

#endif /* NEWFILE_H */
