// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define ESCAPE_LEN 4 /* \xNN */

char *name_for_messages(const char *path)
{
	char *name = malloc(ESCAPE_LEN * strlen(path) + 1), *to = name;

	for (const unsigned char *c = (const unsigned char *)path; name && *c; c++) {
		if (*c < ' ' || *c >= 0x7f)
			to += sprintf(to, "\\x%02x", *c);
		else if (*c == '\\')
			to = stpcpy(to, "\\\\");
		else
			*to++ = (char)*c;
	}
	if (name)
		*to = '\0';
	return name;
}

char **names_for_messages(const char *const *paths, unsigned int nr)
{
	char **names = calloc(nr + 1, sizeof(*names));

	for (unsigned int i = 0; names && i < nr; i++) {
		names[i] = name_for_messages(paths[i]);
		if (!names[i]) {
			names_free(names);
			return NULL;
		}
	}
	return names;
}

void names_free(char **names)
{
	for (char **name = names; names && *name; name++)
		free(*name);
	free(names);
}
