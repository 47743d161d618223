/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which build of a kernel printed a text: by its banner, by the release that stands in reports, and by
 * the build-ids that CONFIG_STACKTRACE_BUILD_ID puts there.
 */
#ifndef NMIBT_PRINTED_BUILD_H
#define NMIBT_PRINTED_BUILD_H

#include "debuginfo/debugfile.h"
#include "kernel/kernel.h"

#define NMIBT_MAX_PRINTED_MODULES 64

/* Strings are untrusted, NUL-terminated, and empty where no line tells. */
struct nmibt_printed_build {
	char banner[NMIBT_MAX_BANNER]; /* perhaps cut */
	char release[65];
	char build_id[NMIBT_BUILD_ID_LEN];
	bool is_of_several; /* its lines name several builds */
	struct {
		char name[NMIBT_MODULE_LEN];
		char build_id[NMIBT_BUILD_ID_LEN]; /* empty: its lines name several */
	} modules[NMIBT_MAX_PRINTED_MODULES];
	unsigned int nr_modules;
};

/* Reads the lines of one crash of an image that is a text. */
struct nmibt_error *nmibt_read_printed_build(const struct nmibt_image *image, unsigned int crash,
					     struct nmibt_printed_build *ret);

/* The build-id of a module, in hex. *ret: the text tells of the module, and NULL means that it tells of
 * several builds. */
const char *nmibt_printed_module(const struct nmibt_printed_build *build, const char *module,
				 bool *ret);

enum nmibt_build_match {
	NMIBT_BUILD_SAME, /* build-id or banner are the same */
	NMIBT_BUILD_OTHER,
	NMIBT_BUILD_UNPROVED, /* what the text tells does not differ, and proves nothing */
};

/* Whether a vmlinux is the one of the kernel that printed the text. *ret_why: what is the same or
 * differs, a static string. */
enum nmibt_build_match nmibt_match_build(const struct nmibt_printed_build *build,
					 struct nmibt_debugfile *vmlinux, const char **ret_why);

#endif /* NMIBT_PRINTED_BUILD_H */
