/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every folder of the library uses: cleanup, errors, escaping, matching of text.
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
void nmibt_add_reason(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Room for one more element behind nr, each of size bytes. The room is the power of two that
 * nr has reached, so that nobody has to remember it. The array may move; NULL: out of memory,
 * and the array stays.
 */
void *nmibt_make_room(void *array, size_t nr, size_t size);

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

/* ------------------------------------------------------------ architectures */

#define NMIBT_NO_REG UINT32_MAX

/* Of the words of an architecture's pr_reg: names, and the indexes of some. */
struct nmibt_reg_names {
	unsigned int nr;
	const char *const *name;
	unsigned int pc, sp, fp;
	unsigned int lr; /* the return address; NMIBT_NO_REG: it is always on the stack */
	unsigned int first_scratch, last_scratch; /* a called function need not preserve them */
};
/* NULL for an unknown architecture. */
const struct nmibt_reg_names *nmibt_reg_names(enum nmibt_arch arch);

/* UNKNOWN where no architecture has this name ("aarch64", as of uname), or this e_machine. */
enum nmibt_arch nmibt_arch_by_machine(const char *machine);
enum nmibt_arch nmibt_arch_by_elf(unsigned int elf_machine);

/* ----------------------------------------------------------- matching text */

/*
 * How text is read. A cursor is a struct nmibt_str: what was not read yet. A call that
 * finds what it looks for moves the cursor behind it and returns true. A call that does
 * not returns false, and the cursor and *ret stay as they are. Nothing depends on the
 * locale, and no byte behind the string is looked at.
 */

static inline struct nmibt_str nmibt_str_of(const char *s)
{
	return (struct nmibt_str){s, strlen(s)};
}

bool nmibt_str_is(struct nmibt_str s, const char *literal);
bool nmibt_str_starts(struct nmibt_str s, const char *literal);
bool nmibt_str_holds(struct nmibt_str s, const char *literal);

bool nmibt_skip(struct nmibt_str *cursor, const char *literal);
/* Any number of spaces, none included. */
void nmibt_skip_spaces(struct nmibt_str *cursor);
/* Behind the first literal. */
bool nmibt_skip_to(struct nmibt_str *cursor, const char *literal);

/* What stands before the first, or the last, literal. */
bool nmibt_take_until(struct nmibt_str *cursor, const char *literal, struct nmibt_str *ret);
bool nmibt_take_until_last(struct nmibt_str *cursor, const char *literal, struct nmibt_str *ret);

/* All digits that stand there, as one number. False: there is none, or it is above max. */
bool nmibt_take_decimal(struct nmibt_str *cursor, uint64_t max, uint64_t *ret);
/* Up to max_digits digits, which is 16 at most, without "0x". */
bool nmibt_take_hex(struct nmibt_str *cursor, unsigned int max_digits, uint64_t *ret);
/* The same with or without "0x". */
bool nmibt_take_any_hex(struct nmibt_str *cursor, uint64_t *ret);
/* The same with "0x" before them. */
bool nmibt_take_0x(struct nmibt_str *cursor, uint64_t *ret);

/* ------------------------------------------------------------------- SHA-1 */

/*
 * SHA-1 (FIPS 180-4, 6.1), for names of crashes: satyr's is one, and libnmibt has no
 * library for it that crash could load.
 */

#define NMIBT_SHA1_HEX 41

/* In hex, with a NUL. */
void nmibt_sha1(const char *data, size_t len, char ret[NMIBT_SHA1_HEX]);

#endif /* NMIBT_BASE_H */
