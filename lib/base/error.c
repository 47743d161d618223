// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors, which are a code and one printable line of text; and the version of the library. */
#include <stdarg.h>

#include "base/base.h"

unsigned int nmibt_version_number(void)
{
	return NMIBT_VERSION_NUMBER;
}

static struct nmibt_error nomem = {NMIBT_ERR_NOMEM, (char *)"out of memory"};

struct nmibt_error *nmibt_error_nomem(void)
{
	return &nomem;
}

/* A message may quote the dump, so bytes that aren't printable ASCII become '?'. */
static void make_printable(char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
}

struct nmibt_error *nmibt_error_create(enum nmibt_code code, const char *format, ...)
{
	struct nmibt_error *err = malloc(sizeof(*err));
	if (!err)
		return &nomem;

	va_list args;
	va_start(args, format);
	int len = vasprintf(&err->message, format, args);
	va_end(args);
	if (len < 0) {
		free(err);
		return &nomem;
	}
	err->code = code;
	make_printable(err->message);
	return err;
}

void nmibt_add_reason(char *why, const char *format, ...)
{
	size_t len = strlen(why);
	va_list args;

	if (len && len + 2 < NMIBT_WHY_LEN) {
		strcpy(why + len, "; ");
		len += 2;
	}
	va_start(args, format);
	vsnprintf(why + len, NMIBT_WHY_LEN - len, format, args);
	va_end(args);
	make_printable(why + len);
}

enum nmibt_code nmibt_error_code(const struct nmibt_error *err)
{
	return err->code;
}

const char *nmibt_error_message(const struct nmibt_error *err)
{
	return err->message;
}

void nmibt_error_destroy(struct nmibt_error *err)
{
	if (!err || err == &nomem)
		return;
	free(err->message);
	free(err);
}
