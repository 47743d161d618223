/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debugging information of one file: a vmlinux, or a module.
 */
#ifndef NMIBT_DEBUGFILE_H
#define NMIBT_DEBUGFILE_H

#include "debuginfo/find-debuginfo.h"
#include "image/image.h"

struct nmibt_debugfile;
struct nmibt_cfi;

/* Closes fd at once or with *ret. path is for messages; search is borrowed, NULL: no split-off
 * debugging information is looked for. Fails with UNUSABLE where the file is no ELF file. libdw
 * also reads files that are compressed by xz, gzip or bzip2. */
struct nmibt_error *nmibt_debugfile_open(int fd, const char *path,
					 const struct nmibt_search *search,
					 struct nmibt_debugfile **ret);
void nmibt_debugfile_close(struct nmibt_debugfile *file); /* NULL is allowed */

bool nmibt_debugfile_has_lines(const struct nmibt_debugfile *file);
enum nmibt_arch nmibt_debugfile_arch(const struct nmibt_debugfile *file);
/* The build-id in hex; NULL: the file has none. */
const char *nmibt_debugfile_build_id(const struct nmibt_debugfile *file);
/* The release of the kernel that a module was built for, in malloc'ed memory; NULL: the file does
 * not say it. */
char *nmibt_debugfile_release(const struct nmibt_debugfile *file);

/* Reads the initial contents of memory at an address of the file. False: the file does not have all
 * of it; a file with split-off debugging information has none. */
bool nmibt_debugfile_read(const struct nmibt_debugfile *file, uint64_t addr, void *buf, size_t len);

/* linux_banner has the release, who compiled the kernel and where, and the number and the time of
 * the build: init/version-timestamp.c, 6.12. */
#define NMIBT_MAX_BANNER 512

/* Reads the banner of a vmlinux, with its newline. False: the file does not have all of it, or it is
 * longer than room - 1. */
bool nmibt_debugfile_banner(struct nmibt_debugfile *file, char *ret, size_t room);

/* Why a location has no places. */
enum nmibt_places {
	NMIBT_PLACES_FOUND,
	NMIBT_PLACES_NONE, /* no function of that name, or nothing is known of the code */
	NMIBT_PLACES_AMBIGUOUS, /* several functions have the name, and the size does not decide */
	NMIBT_PLACES_OTHER_SIZE, /* no function of that name has the size */
};

/* As the callbacks in nmibt_image_ops. Addresses are those of the file, without KASLR's offset.
 * is_strict: a function must also be of the size of at. */
enum nmibt_places nmibt_debugfile_find_places(struct nmibt_debugfile *file,
					      const struct nmibt_location *at, bool is_strict,
					      nmibt_place_fn visit, void *arg);
bool nmibt_debugfile_symbolize(struct nmibt_debugfile *file, uint64_t addr, char *buf, size_t len);
/* False also where several symbols have the name, and different values. */
bool nmibt_debugfile_symbol_addr(struct nmibt_debugfile *file, const char *name, uint64_t *ret);
/* The size of a struct or union, and the offset of one of its members or of the members of its
 * unnamed members, in bytes. If the file lacks the type, the first call searches the whole file. */
bool nmibt_debugfile_type_size(struct nmibt_debugfile *file, const char *type, size_t *ret);
bool nmibt_debugfile_member_offset(struct nmibt_debugfile *file, const char *type,
				   const char *member, size_t *ret);

/* Opens the debugging information that was split off the file; link is its name by .gnu_debuglink,
 * NULL: none. Returns a descriptor and sets *ret_path, which the caller frees; -1: not found. */
int nmibt_debugfile_open_split_off(const struct nmibt_debugfile *file, const char *link,
				   char **ret_path);

/* See cfi.h; *ret borrows from file. offset is the number of bytes by which the kernel was moved
 * from its addresses in the file. */
struct nmibt_error *nmibt_debugfile_cfi(struct nmibt_debugfile *file, uint64_t offset,
					struct nmibt_cfi **ret);

#endif /* NMIBT_DEBUGFILE_H */
