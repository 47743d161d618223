/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debugging information of one file: a vmlinux, or a module.
 */
#ifndef NMIBT_DEBUGFILE_H
#define NMIBT_DEBUGFILE_H

#include <nmibt/nmibt.h>

struct nmibt_debugfile;

/* Fails with NOTHING where there is no such file, with UNUSABLE where it is no ELF
 * file. libdw also reads what xz, gzip or bzip2 packed. */
struct nmibt_error *nmibt_debugfile_open(const char *path, struct nmibt_debugfile **ret);
void nmibt_debugfile_close(struct nmibt_debugfile *file); /* NULL is allowed */

bool nmibt_debugfile_has_lines(const struct nmibt_debugfile *file);
enum nmibt_arch nmibt_debugfile_arch(const struct nmibt_debugfile *file);
/* In hex; NULL: it has none. */
const char *nmibt_debugfile_build_id(const struct nmibt_debugfile *file);
/* Release of the kernel that a module was built for, in malloc'ed memory; NULL: it
 * does not say. */
char *nmibt_debugfile_release(const struct nmibt_debugfile *file);

/* As nmibt_image_ops has them. Addresses are those of the file. */
bool nmibt_debugfile_find_places(struct nmibt_debugfile *file, const struct nmibt_location *at,
				 nmibt_place_fn visit, void *arg);
bool nmibt_debugfile_symbolize(struct nmibt_debugfile *file, uint64_t addr, char *buf, size_t len);

#endif /* NMIBT_DEBUGFILE_H */
