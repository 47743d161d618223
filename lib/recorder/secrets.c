// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replaces what is secret in lines of the kernel. Each byte is replaced by one other, so that nothing
 * moves. What the kernel itself says about the crash stays: a line that is known by its form keeps
 * that form, and names of functions are no names of tasks.
 */
#include <ctype.h>

#include "recorder/extract.h"

#define REPLACED 'x'
#define MAX_COMM 15
#define MAX_HOST 65

struct secrets {
	char (*comms)[MAX_COMM + 1]; /* sorted by nmibt_secrets_sort() */
	size_t nr;
	bool begins[256]; /* a name begins with this byte */
	char host[MAX_HOST + 1], short_host[MAX_HOST + 1]; /* empty: not known */
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static void replace(char *s, size_t len)
{
	memset(s, REPLACED, len);
}

/* ------------------------------------------------------------------------ the names */

struct nmibt_error *nmibt_secrets_new(struct secrets **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? NULL : nmibt_error_nomem();
}

void nmibt_secrets_free(struct secrets *secrets)
{
	if (secrets)
		free(secrets->comms);
	free(secrets);
}

/* A number is no name, and stands everywhere. */
static bool is_number(struct nmibt_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!isdigit((unsigned char)s.s[i]))
			return false;
	}
	return true;
}

struct nmibt_error *nmibt_secrets_add_comm(struct secrets *secrets, struct nmibt_str comm)
{
	comm.len = strnlen(comm.s ?: "", comm.len < MAX_COMM ? comm.len : MAX_COMM);
	if (is_number(comm) || nmibt_is_kernel_thread(comm))
		return NULL;
	char(*comms)[MAX_COMM + 1] =
		nmibt_make_room(secrets->comms, secrets->nr, sizeof(*secrets->comms));
	if (!comms)
		return nmibt_error_nomem();
	secrets->comms = comms;
	memset(comms[secrets->nr], 0, sizeof(*comms));
	memcpy(comms[secrets->nr++], comm.s, comm.len);
	secrets->begins[(unsigned char)*comm.s] = true;
	return NULL;
}

struct nmibt_error *nmibt_secrets_add_host(struct secrets *secrets, struct nmibt_str host)
{
	size_t len = host.len < MAX_HOST ? host.len : MAX_HOST;

	if (nmibt_str_is(host, "(none)") || is_number(host))
		return NULL;
	snprintf(secrets->host, sizeof(secrets->host), "%.*s", (int)len, host.s);
	memcpy(secrets->short_host, secrets->host, strcspn(secrets->host, "."));
	if (is_number(nmibt_str_of(secrets->short_host)))
		*secrets->short_host = '\0';
	return NULL;
}

static int compare_comms(const void *a, const void *b)
{
	return strcmp(a, b);
}

void nmibt_secrets_sort(struct secrets *secrets)
{
	if (secrets->nr)
		qsort(secrets->comms, secrets->nr, sizeof(*secrets->comms), compare_comms);
}

struct nmibt_error *nmibt_secrets_add_of_line(struct secrets *secrets, enum nmibt_arch arch,
					      struct nmibt_str line)
{
	struct nmibt_printed p;
	struct nmibt_error *err;

	nmibt_recognise(arch, line, &p);
	err = p.comm.len ? nmibt_secrets_add_comm(secrets, p.comm) : NULL;
	if (!err && p.owner_comm.len)
		err = nmibt_secrets_add_comm(secrets, p.owner_comm);
	return err;
}

/* -------------------------------------------------------------------- the replacing */

void nmibt_scrub_comm(char *comm, size_t len)
{
	struct nmibt_str name = {comm, strnlen(comm, len)};

	if (!nmibt_is_kernel_thread(name))
		replace(comm, name.len);
	/* What is behind it may be of a longer name that the task had before. */
	memset(comm + name.len, 0, len - name.len);
}

/* True: a name of a task begins at s, and ends as a word; *ret is its length. */
static bool starts_comm(const struct secrets *secrets, const char *s, size_t left, size_t *ret)
{
	char name[MAX_COMM + 1] = "";
	size_t len = left < MAX_COMM ? left : MAX_COMM;

	if (!secrets->begins[(unsigned char)*s])
		return false;
	for (memcpy(name, s, len); len; name[--len] = '\0') {
		if (len < left && is_word(s[len - 1]) && is_word(s[len]))
			continue;
		if (!bsearch(name, secrets->comms, secrets->nr, sizeof(*secrets->comms),
			     compare_comms))
			continue;
		*ret = len;
		return true;
	}
	return false;
}

void nmibt_secrets_scrub_comm(const struct secrets *secrets, char *comm, size_t len)
{
	size_t found, name = strnlen(comm, len);

	if (!name || !starts_comm(secrets, comm, name, &found) || found != name)
		return;
	replace(comm, name);
	memset(comm + name, 0, len - name);
}

static void replace_comms(const struct secrets *secrets, char *line, size_t len)
{
	size_t found;

	for (size_t i = 0; i < len; i++) {
		if (i && is_word(line[i - 1]) && is_word(line[i]))
			continue;
		if (!starts_comm(secrets, line + i, len - i, &found))
			continue;
		replace(line + i, found);
		i += found - 1;
	}
}

static void replace_word(const char *word, char *line, size_t len)
{
	size_t word_len = strlen(word);
	char *at;

	for (size_t from = 0;
	     word_len && from < len && (at = memmem(line + from, len - from, word, word_len));
	     from = at - line + 1) {
		size_t end = at - line + word_len;

		if ((at == line || !is_word(at[-1])) && (end == len || !is_word(line[end])))
			replace(at, word_len);
	}
}

static bool is_of_mail(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("._%+-", c));
}

/* A node of a device tree is name@address, and no address of mail. */
static bool is_unit_address(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return false;
	}
	return isdigit((unsigned char)*s);
}

static void replace_mail(char *line, size_t len)
{
	char *at = line;

	while ((at = memchr(at, '@', line + len - at))) {
		char *from = at, *to = at + 1;

		while (from > line && is_of_mail(from[-1]))
			from--;
		while (to < line + len && is_of_mail(*to))
			to++;
		if (from < at && to > at + 1 && !is_unit_address(at + 1, to - at - 1)) {
			replace(from, at - from);
			replace(at + 1, to - at - 1);
		}
		at = to;
	}
}

#define DIGITS 16

/* Numbers of 16 digits are registers, words of a stack, and addresses. Those of the kernel begin with
 * ff. */
static void replace_words(char *line, size_t len)
{
	for (size_t i = 0, nr; i < len; i += nr ? nr : 1) {
		for (nr = 0; i + nr < len && isxdigit((unsigned char)line[i + nr]);)
			nr++;
		if (nr == DIGITS && strncasecmp(line + i, "ff", 2))
			memset(line + i, '0', nr);
	}
}

/* Where a program was, by the selector of its code: arch/x86/kernel/dumpstack.c, show_ip(), 6.12. */
static void replace_user_pc(char *line, size_t len)
{
	static const char start[] = "0033:0x";
	char *at = memmem(line, len, start, strlen(start));

	for (at = at ? at + strlen(start) : line + len;
	     at < line + len && isxdigit((unsigned char)*at); at++)
		*at = '0';
}

/* The bytes of code may be those of a program. */
static void replace_code(char *line, size_t len)
{
	static const char start[] = "Code: ";
	char *at = memmem(line, len, start, strlen(start));

	for (at = at ? at + strlen(start) : line + len; at < line + len; at++) {
		if (isxdigit((unsigned char)*at))
			*at = '0';
	}
}

/* The name of the task of a form, by its place. */
static void replace_field(struct nmibt_str line, struct nmibt_str comm, char *to)
{
	if (comm.len && comm.s >= line.s && comm.s + comm.len <= line.s + line.len &&
	    !nmibt_is_kernel_thread(comm))
		replace(to + (comm.s - line.s), comm.len);
}

/* What is known by its own form, and not by a list of names. */
static void replace_forms(const struct nmibt_printed *p, char *line, size_t len)
{
	struct nmibt_str whole = {line, len};

	replace_field(whole, p->comm, line);
	replace_field(whole, p->owner_comm, line);
	replace_words(line, len);
	replace_user_pc(line, len);
	replace_code(line, len);
	replace_mail(line, len);
}

/* Who prints a line that is not known by its form, and what is in it, nobody can tell. */
static void replace_all(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_word(line[i]))
			line[i] = REPLACED;
	}
}

void nmibt_secrets_scrub_line(const struct secrets *secrets, enum nmibt_arch arch, bool is_of_log,
			      char *line, size_t len)
{
	_cleanup_free_ char *copy = malloc(len + 1);
	struct nmibt_printed p, after;

	nmibt_recognise(arch, (struct nmibt_str){line, len}, &p);
	if (!copy || (is_of_log && p.kind == NMIBT_PRINT_OTHER)) {
		replace_all(line, len);
		return;
	}
	replace_forms(&p, line, len);
	if (p.kind == NMIBT_PRINT_FRAME || p.kind == NMIBT_PRINT_PC)
		return;
	memcpy(copy, line, len);
	replace_word(secrets->host, line, len);
	replace_word(secrets->short_host, line, len);
	replace_comms(secrets, line, len);
	/* A task or a host may have the name of a word by which the line is known. */
	nmibt_recognise(arch, (struct nmibt_str){line, len}, &after);
	if (after.kind != p.kind)
		memcpy(line, copy, len);
}
