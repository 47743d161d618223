/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process that parses a hostile file may still do.
 */
#ifndef LOCKDOWN_H
#define LOCKDOWN_H

#include <stdbool.h>

/*
 * Takes from the calling process, for good, everything but: memory of its own that is not
 * executable, reading the files that it has open, writing to standard output and error, sending to
 * channel and receiving from it, the time, and its end. Every other system call fails with EPERM.
 * channel is a socket.
 *
 * False: the kernel has no seccomp, or refuses it. *ret_landlock: Landlock, the second lock, is
 * there. It is enough to keep the process from opening files.
 */
bool lock_down(int channel, bool *ret_landlock);

#endif /* LOCKDOWN_H */
