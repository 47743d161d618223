/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STANDARD_INPUT_H
#define STANDARD_INPUT_H

/* A descriptor of standard input that can be read at any offset, which the caller closes: of the file
 * that it is, or of a copy that has no name. -1: that failed, and errno says why. */
int open_standard_input(void);

#endif /* STANDARD_INPUT_H */
