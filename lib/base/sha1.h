/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-1 (FIPS 180-4, 6.1), for names of crashes: satyr's is one, and libnmibt has no
 * library for it that crash could load.
 */
#ifndef NMIBT_SHA1_H
#define NMIBT_SHA1_H

#include <stddef.h>

#define NMIBT_SHA1_HEX 41

/* In hex, with a NUL. */
void nmibt_sha1(const char *data, size_t len, char ret[NMIBT_SHA1_HEX]);

#endif /* NMIBT_SHA1_H */
