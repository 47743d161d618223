/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every folder of the library uses: cleanup, errors, escaping.
 */
#ifndef NMIBT_BASE_H
#define NMIBT_BASE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nmibt/capture.h>
#include <nmibt/nmibt.h>

/* One line of text without a newline, safe to print: names what was being
 * done, on which CPU or address. */
struct nmibt_error {
	enum nmibt_code code;
	char *message;
};

struct nmibt_error *nmibt_error_create(enum nmibt_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

/* A line of text for people: why something failed, what was looked for. */
#define NMIBT_WHY_LEN 160

/* Borrowed, not terminated. */
struct nmibt_str {
	const char *s;
	size_t len;
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void nmibt_free_ptr(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ __attribute__((cleanup(nmibt_free_ptr)))

/* An out-of-memory error that needs no memory; nmibt_error_destroy() knows it. */
struct nmibt_error *nmibt_error_nomem(void) __attribute__((returns_nonnull));

/*
 * Copies what a caller gave as struct name, of from_size bytes, to ret, of size bytes: what an
 * older caller lacks is 0. USAGE where the size is not set, and where a newer caller sets
 * what this library does not know.
 */
struct nmibt_error *nmibt_copy_options(const char *name, void *ret, size_t size, const void *from,
				       size_t from_size);

/* Adds a reason to a line of NMIBT_WHY_LEN bytes, behind "; ", printable as an
 * error message is; the first ones stay where they don't all fit. */
void nmibt_because(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline const char *nmibt_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/*
 * Writes len bytes so that no control character, no invalid UTF-8 and no
 * bidirectional override reaches out raw: they become \xNN, a backslash
 * becomes \\. Tabs stay when tabs is true.
 */
void nmibt_escape(FILE *out, const char *s, size_t len, bool tabs);

/* Bytes of all but printable ASCII as \n, \xNN; for -r. */
void nmibt_escape_raw(FILE *out, const char *s, size_t len);

#endif /* NMIBT_BASE_H */
