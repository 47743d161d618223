/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers for every folder of the library: cleanup, errors, escaping, matching of text.
 */
#ifndef NMIBT_BASE_H
#define NMIBT_BASE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nmibt/capture.h>
#include <nmibt/nmibt.h>

/* message is one printable line without a newline. It says what the library was doing, for which
 * CPU or address, and why that failed. */
struct nmibt_error {
	enum nmibt_code code;
	char *message;
};

/* Bytes of a line of text for people, which says why something failed or where we looked. */
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
 * Copies from, a struct called name of from_size bytes that a caller gave, to ret of size bytes.
 * Members that an older caller's struct does not have become 0. USAGE where the caller did not set
 * the size, or where a newer caller set a member that this library does not know.
 */
struct nmibt_error *nmibt_copy_options(const char *name, void *ret, size_t size, const void *from,
				       size_t from_size);

/* Appends a reason to why, a line of NMIBT_WHY_LEN bytes, after "; ". The reason is made printable
 * as an error message is. Where not all reasons fit, the first ones are kept. */
void nmibt_add_reason(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Makes room for one more element in array, which has nr elements of size bytes each. Every array
 * that grows this way has room for the smallest power of two >= nr, so that nobody has to store
 * the room. The array may move. NULL: out of memory, and the array is as it was.
 */
void *nmibt_make_room(void *array, size_t nr, size_t size);

static inline const char *nmibt_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/*
 * Writes len bytes so that control characters, invalid UTF-8 and bidirectional overrides don't
 * reach the terminal: each of their bytes becomes \xNN. A backslash becomes \\. Tabs are kept
 * when tabs is true.
 */
void nmibt_escape(FILE *out, const char *s, size_t len, bool tabs);

/* Writes len bytes for -r: a newline as \n, a backslash as \\, other bytes that are not printable
 * ASCII as \xNN. */
void nmibt_escape_raw(FILE *out, const char *s, size_t len);

/* ------------------------------------------------------------ architectures */

#define NMIBT_NO_REG UINT32_MAX

/* The names of the words of an architecture's pr_reg, and the indexes of some of them. */
struct nmibt_reg_names {
	unsigned int nr;
	const char *const *name;
	unsigned int pc, sp, fp;
	unsigned int lr; /* the return address; NMIBT_NO_REG: it is always on the stack */
	unsigned int first_scratch, last_scratch; /* registers that a callee may overwrite */
};
/* NULL for an unknown architecture. */
const struct nmibt_reg_names *nmibt_reg_names(enum nmibt_arch arch);

/* The architecture that uname calls machine ("aarch64"), or that has this e_machine in ELF files.
 * UNKNOWN: there is none. */
enum nmibt_arch nmibt_arch_by_machine(const char *machine);
enum nmibt_arch nmibt_arch_by_elf(unsigned int elf_machine);

/* ----------------------------------------------------------- matching text */

/*
 * Functions that read text. A cursor is a struct nmibt_str: the text that was not read yet. A
 * call that finds what it looks for moves the cursor behind it and returns true. A call that does
 * not find it returns false and leaves the cursor and *ret unchanged. Nothing depends on the
 * locale, and no function reads beyond the end of the string.
 */

static inline struct nmibt_str nmibt_str_of(const char *s)
{
	return (struct nmibt_str){s, strlen(s)};
}

/* These are inline because every line of a log asks them of dozens of literals, whose lengths the
 * compiler knows then. s.s of an empty string may be NULL, and memcmp() may not be called with
 * NULL. */
static inline bool nmibt_str_starts(struct nmibt_str s, const char *literal)
{
	size_t len = strlen(literal);

	return s.len >= len && (!len || !memcmp(s.s, literal, len));
}

static inline bool nmibt_str_is(struct nmibt_str s, const char *literal)
{
	return s.len == strlen(literal) && nmibt_str_starts(s, literal);
}

/* As strcmp(). */
static inline int nmibt_str_compare(struct nmibt_str a, struct nmibt_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.s, b.s, len) : 0;

	return order ?: (a.len > b.len) - (a.len < b.len);
}

static inline bool nmibt_skip(struct nmibt_str *cursor, const char *literal)
{
	size_t len = strlen(literal);

	if (!nmibt_str_starts(*cursor, literal))
		return false;
	cursor->s += len;
	cursor->len -= len;
	return true;
}

/* Skips any number of spaces, also none. */
static inline void nmibt_skip_spaces(struct nmibt_str *cursor)
{
	for (; cursor->len && *cursor->s == ' '; cursor->len--)
		cursor->s++;
}

/* The same of spaces and tabs. */
static inline void nmibt_skip_blanks(struct nmibt_str *cursor)
{
	for (; cursor->len && (*cursor->s == ' ' || *cursor->s == '\t'); cursor->len--)
		cursor->s++;
}

bool nmibt_str_holds(struct nmibt_str s, const char *literal);
/* Moves the cursor behind the first literal. */
bool nmibt_skip_to(struct nmibt_str *cursor, const char *literal);

/* *ret is the text before the first, or before the last, literal. */
bool nmibt_take_until(struct nmibt_str *cursor, const char *literal, struct nmibt_str *ret);
bool nmibt_take_until_last(struct nmibt_str *cursor, const char *literal, struct nmibt_str *ret);

/* Reads all digits at the cursor as one number. False: there is no digit, or the number is above
 * max. */
bool nmibt_take_decimal(struct nmibt_str *cursor, uint64_t max, uint64_t *ret);
/* Reads up to max_digits hex digits without "0x". max_digits is at most 16. */
bool nmibt_take_hex(struct nmibt_str *cursor, unsigned int max_digits, uint64_t *ret);
/* Reads up to 16 hex digits, with or without "0x" before them. */
bool nmibt_take_any_hex(struct nmibt_str *cursor, uint64_t *ret);
/* Reads up to 16 hex digits after "0x". */
bool nmibt_take_0x(struct nmibt_str *cursor, uint64_t *ret);

/* ------------------------------------------------------------------- SHA-1 */

/*
 * SHA-1 (FIPS 180-4, 6.1), for the signatures of crashes: satyr's duphash is one. libnmibt has its
 * own because crash, which loads the extension, has no library for it.
 */

#define NMIBT_SHA1_HEX 41

/* Writes the SHA-1 of data in hex, with a NUL. */
void nmibt_sha1(const char *data, size_t len, char ret[NMIBT_SHA1_HEX]);

#endif /* NMIBT_BASE_H */
