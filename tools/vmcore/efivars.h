/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record in an EFI variable: what is left where there is no pmsg. The memory of EFI variables is
 * small and wears out, and firmware has failed to boot when it was full, so little of it is used.
 */
#ifndef VMCORE_EFIVARS_H
#define VMCORE_EFIVARS_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes a record in the efivarfs at dir may have: at most max, and at most half of what the
 * kernel lets users take; 0: there is no such folder, or it does not tell its size. */
size_t efivars_room(const char *dir, size_t max);
/* Writes a new variable. False: errno says why; EEXIST: there is one that nobody has read and
 * removed yet, which stays. *ret_path: its path, which the caller frees; NULL: out of memory. */
bool efivars_write(const char *dir, const char *data, size_t len, char **ret_path);

#endif /* VMCORE_EFIVARS_H */
