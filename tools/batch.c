// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * While a dump is read, standard output and error are two files in memory, so that whatever is
 * printed about it, by whichever function, comes into its line. They are emptied for the next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "batch.h"

#define FAILED 4
#define MAX_FILES 4096 /* of one dump */
#define MAX_MESSAGES 65536 /* bytes */
#define CHUNK 16384

struct names {
	FILE *list;
	char *name[MAX_FILES];
	size_t room[MAX_FILES];
	unsigned int nr;
};

struct output {
	FILE *lines; /* the standard output of this program */
	int err; /* its standard error */
	int document, messages; /* files in memory */
};

bool batch_parse_form(const char *word, enum batch_form *ret)
{
	static const char *const words[] = {
		[BATCH_LINES] = "lines", [BATCH_NULL] = "null", [BATCH_LISTS] = "lists"};

	for (unsigned int i = BATCH_LINES; i <= BATCH_LISTS; i++) {
		if (!word || !strcmp(word, words[i])) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* ---------------------------------------------------------------------- the names */

/* What can't be said in a line is said where the user looks. */
static void say(const struct output *output, const char *what)
{
	dprintf(output->err, "nmibt: %s: %s\n", what, strerror(errno));
}

/* False: there are no more. */
static bool read_name(struct names *names, int end)
{
	char **name = &names->name[names->nr];
	ssize_t len = getdelim(name, &names->room[names->nr], end, names->list);

	if (len > 0 && (*name)[len - 1] == end)
		(*name)[len - 1] = '\0';
	return len > 0;
}

/* Returns the exit code, or -1: go on, with the files of one dump; none: there are no more dumps. */
static int read_names(enum batch_form form, const struct output *output, struct names *names)
{
	int end = form == BATCH_LINES ? '\n' : '\0';

	names->nr = 0;
	while (read_name(names, end)) {
		if (*names->name[names->nr])
			names->nr++;
		else if (!names->nr)
			continue;
		else
			return -1;
		if (form != BATCH_LISTS)
			return -1;
		if (names->nr == MAX_FILES) {
			dprintf(output->err,
				"nmibt: a list on standard input has %d files or more\n",
				MAX_FILES);
			return 2;
		}
	}
	if (!ferror(names->list))
		return -1;
	say(output, "reading names from standard input");
	return FAILED;
}

/* Whatever reads standard input from now on, as a dump named /dev/stdin would, must not read names. */
static bool open_list(struct names *names)
{
	int list = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	names->list = list >= 0 ? fdopen(list, "r") : NULL;
	bool ok = names->list && null >= 0 && dup2(null, STDIN_FILENO) >= 0;
	if (null >= 0)
		close(null);
	return ok;
}

static void free_names(struct names *names)
{
	if (names->list)
		fclose(names->list);
	for (unsigned int i = 0; i < MAX_FILES; i++)
		free(names->name[i]);
	free(names);
}

/* ---------------------------------------------------------------------- the lines */

/* Bytes that are not printable ASCII as \xNN, as in the document. */
static void put_bytes(FILE *out, const char *s, size_t len, bool double_backslash)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (c == '\\')
			fputs(double_backslash ? "\\\\\\\\" : "\\\\", out);
		else if (c == '"')
			fputs("\\\"", out);
		else if (c >= ' ' && c < 0x7f)
			putc(c, out);
		else
			fprintf(out, "\\\\x%02x", c);
	}
}

static void put_names(FILE *out, const struct names *names)
{
	for (unsigned int i = 0; i < names->nr; i++) {
		fputs(i ? ",\"" : "\"", out);
		put_bytes(out, names->name[i], strlen(names->name[i]), true);
		putc('"', out);
	}
}

/* A string for each line. A backslash in it comes from an escape, or is the user's own. */
static void put_messages(FILE *out, int fd)
{
	static char text[MAX_MESSAGES];
	ssize_t len = pread(fd, text, sizeof(text), 0);
	const char *end = text + (len > 0 ? len : 0);

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', end - line) ?: end;

		fputs(line == text ? "\"" : ",\"", out);
		put_bytes(out, line, newline - line, false);
		putc('"', out);
		line = newline + 1;
	}
}

/* A newline stands between members only, because it is escaped in strings. False: it can't be read. */
static bool put_document(FILE *out, int fd)
{
	char text[CHUNK];
	ssize_t len;
	off_t at = 0;

	for (; (len = pread(fd, text, sizeof(text), at)) > 0; at += len) {
		ssize_t kept = 0;

		for (ssize_t i = 0; i < len; i++) {
			if (text[i] != '\n')
				text[kept++] = text[i];
		}
		fwrite(text, 1, kept, out);
	}
	if (!at)
		fputs("null", out);
	return !len;
}

static bool put_line(const struct output *output, const struct names *names, int code,
		     bool is_temporary)
{
	FILE *out = output->lines;

	fputs("{\"files\":[", out);
	put_names(out, names);
	fprintf(out, "],\"exit_code\":%d,\"temporary\":%s,\"messages\":[", code,
		is_temporary ? "true" : "false");
	put_messages(out, output->messages);
	fputs("],\"report\":", out);
	bool ok = put_document(out, output->document);
	fputs("}\n", out);
	return !fflush(out) && ok;
}

/* ---------------------------------------------------------------------------- all */

static bool empty(int fd)
{
	return !ftruncate(fd, 0) && !lseek(fd, 0, SEEK_SET);
}

/* Returns the exit code of the dump, or -1: no more lines can be written. */
static int print_one(const struct batch *batch, const struct output *output,
		     const struct names *names)
{
	if (!empty(output->document) || !empty(output->messages)) {
		say(output, "emptying a file in memory");
		return -1;
	}
	bool is_temporary = false;
	int code = batch->print(batch->ctx, (const char *const *)names->name, names->nr,
				&is_temporary);
	if (fflush(stdout) || fflush(stderr))
		code = FAILED;
	if (put_line(output, names, code, is_temporary))
		return code;
	say(output, "writing the output");
	return -1;
}

static int print_all(const struct batch *batch, enum batch_form form, const struct output *output,
		     struct names *names)
{
	int ret = 0;

	for (;;) {
		int code = read_names(form, output, names);

		if (code >= 0 || !names->nr)
			return code >= 0 ? code : ret;
		code = print_one(batch, output, names);
		if (code < 0)
			return FAILED;
		if (code)
			ret = 3;
	}
}

/* The standard descriptors lead to files in memory from now on. */
static bool open_output(struct output *ret)
{
	int lines = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	ret->err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	ret->lines = lines >= 0 ? fdopen(lines, "w") : NULL;
	ret->document = memfd_create("nmibt-document", MFD_CLOEXEC);
	ret->messages = memfd_create("nmibt-messages", MFD_CLOEXEC);
	return ret->lines && ret->err >= 0 && ret->document >= 0 && ret->messages >= 0 &&
	       dup2(ret->document, STDOUT_FILENO) >= 0 && dup2(ret->messages, STDERR_FILENO) >= 0;
}

int batch_run(const struct batch *batch, enum batch_form form)
{
	struct names *names = calloc(1, sizeof(*names));
	struct output output;

	if (!names || !open_list(names) || !open_output(&output)) {
		perror("nmibt: preparing for many dumps");
		if (names)
			free_names(names);
		return FAILED;
	}
	int code = print_all(batch, form, &output, names);
	fclose(output.lines);
	free_names(names);
	return code;
}
