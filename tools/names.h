/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files in messages. A name may have any byte but NUL. */
#ifndef NAMES_H
#define NAMES_H

/* By the rule of docs/json.md: a byte that is not printable ASCII is \xNN, a backslash is two. The caller
 * frees it; NULL: out of memory. */
char *name_for_messages(const char *path);
/* Of nr files; the array ends with NULL. */
char **names_for_messages(const char *const *paths, unsigned int nr);
void names_free(char **names); /* NULL is allowed */

#endif /* NAMES_H */
