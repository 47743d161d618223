/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process that parses a hostile file may still do.
 */
#ifndef LOCKDOWN_H
#define LOCKDOWN_H

#include <stdbool.h>

/* Both take things from the calling process for good. False: the kernel does not have it, or refuses
 * it. */

/* Refuses all files that are not open yet, TCP, and signals to others, by Landlock. */
bool lock_files(void);

/*
 * Refuses every system call but those for: memory of its own that is not executable, reading the
 * files that it has open, writing to standard output and error, sending to the socket channel and
 * receiving from it, the time, and its end. They fail with EPERM, by seccomp.
 */
bool lock_calls(int channel);

#endif /* LOCKDOWN_H */
