/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pstore, as far as vmcore-nmibt needs it: how many bytes /dev/pmsg0 keeps, and what the kernel that
 * died left there.
 */
#ifndef VMCORE_PSTORE_H
#define VMCORE_PSTORE_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes ramoops keeps of what is written to /dev/pmsg0, by the parameters of the module
 * below sys ("/sys"); 0: ramoops is not there, or does not say it. */
size_t pstore_pmsg_room(const char *sys);

/* The end of a file of pstore. */
struct old_file {
	char *name; /* "console-ramoops-0" */
	char *data;
	size_t len;
	unsigned long long size; /* of the whole file */
};

/* Reads the console and the messages of user space that the kernel that died left in dir, at most
 * max bytes of each. False: out of memory. The caller frees the *ret_nr files with
 * pstore_free_old(). */
bool pstore_read_old(const char *dir, size_t max, struct old_file **ret, unsigned int *ret_nr);
void pstore_free_old(struct old_file *files, unsigned int nr);

#endif /* VMCORE_PSTORE_H */
