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
/* A shorter name may be a part of many words. */
#define MIN_PART 3

struct thread {
	int32_t pid;
	char comm[MAX_COMM + 1];
};

struct secrets {
	char (*comms)[MAX_COMM + 1]; /* sorted by nmibt_secrets_sort() */
	size_t nr;
	bool begins[256]; /* a name begins with this byte */
	struct thread *threads; /* of the kernel */
	size_t nr_threads;
	char host[MAX_HOST + 1], short_host[MAX_HOST + 1]; /* empty: not known */
	char *release, *redacted_release; /* NULL: the host is not in it */
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
	if (!secrets)
		return;
	free(secrets->comms);
	free(secrets->threads);
	free(secrets->release);
	free(secrets->redacted_release);
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

static struct nmibt_str cut_comm(struct nmibt_str comm)
{
	comm.len = strnlen(comm.s ?: "", comm.len < MAX_COMM ? comm.len : MAX_COMM);
	return comm;
}

struct nmibt_error *nmibt_secrets_add_thread(struct secrets *secrets, int32_t pid,
					     struct nmibt_str comm)
{
	struct thread *threads =
		nmibt_make_room(secrets->threads, secrets->nr_threads, sizeof(*threads));

	if (!threads)
		return nmibt_error_nomem();
	secrets->threads = threads;
	comm = cut_comm(comm);
	threads[secrets->nr_threads] = (struct thread){.pid = pid};
	memcpy(threads[secrets->nr_threads++].comm, comm.s, comm.len);
	return NULL;
}

/* Whoever has a task may give it any name, so a name alone tells nothing. No user has a task of PID 0. */
static bool is_thread(const struct secrets *secrets, int32_t pid, struct nmibt_str comm)
{
	comm = cut_comm(comm);
	if (!pid)
		return nmibt_str_starts(comm, "swapper");
	for (size_t i = 0; i < secrets->nr_threads; i++) {
		if (secrets->threads[i].pid == pid && nmibt_str_is(comm, secrets->threads[i].comm))
			return true;
	}
	return false;
}

static struct nmibt_error *add_name(struct secrets *secrets, struct nmibt_str comm)
{
	char(*comms)[MAX_COMM + 1];

	if (is_number(comm))
		return NULL;
	comms = nmibt_make_room(secrets->comms, secrets->nr, sizeof(*comms));
	if (!comms)
		return nmibt_error_nomem();
	secrets->comms = comms;
	memset(comms[secrets->nr], 0, sizeof(*comms));
	memcpy(comms[secrets->nr++], comm.s, comm.len);
	secrets->begins[(unsigned char)*comm.s] = true;
	return NULL;
}

/* In a text a name may be torn by the newline that is in it. */
static struct nmibt_error *add_parts(struct secrets *secrets, struct nmibt_str comm)
{
	struct nmibt_error *err = NULL;

	for (size_t from = 0, to; from < comm.len && !err; from = to + 1) {
		for (to = from; to < comm.len && !iscntrl((unsigned char)comm.s[to]);)
			to++;
		if (to - from < comm.len)
			err = add_name(secrets, (struct nmibt_str){comm.s + from, to - from});
	}
	return err;
}

struct nmibt_error *nmibt_secrets_add_comm(struct secrets *secrets, int32_t pid,
					   struct nmibt_str comm)
{
	comm = cut_comm(comm);
	if (is_thread(secrets, pid, comm))
		return NULL;
	struct nmibt_error *err = add_name(secrets, comm);
	return err ? err : add_parts(secrets, comm);
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

#define NO_PID (-1)

static int32_t pid_of(const struct nmibt_printed *p)
{
	return p->has_task ? p->pid : NO_PID;
}

struct nmibt_error *nmibt_secrets_add_of_line(struct secrets *secrets, enum nmibt_arch arch,
					      struct nmibt_str line)
{
	struct nmibt_printed p;
	struct nmibt_error *err;

	nmibt_recognise(arch, line, &p);
	err = p.comm.len ? nmibt_secrets_add_comm(secrets, pid_of(&p), p.comm) : NULL;
	if (!err && p.owner_comm.len)
		err = nmibt_secrets_add_comm(secrets, p.owner_pid, p.owner_comm);
	return err;
}

/* -------------------------------------------------------------------- the replacing */

void nmibt_secrets_scrub_slot(const struct secrets *secrets, int32_t pid, char *comm, size_t len)
{
	struct nmibt_str name = {comm, strnlen(comm, len)};

	if (!is_thread(secrets, pid, name))
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
		/* It is a function. */
		if (nmibt_str_starts((struct nmibt_str){line + i + found, len - i - found}, "+0x"))
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
static void replace_field(const struct secrets *secrets, struct nmibt_str line, int32_t pid,
			  struct nmibt_str comm, char *to)
{
	if (comm.len && comm.s >= line.s && comm.s + comm.len <= line.s + line.len &&
	    !is_thread(secrets, pid, comm))
		replace(to + (comm.s - line.s), comm.len);
}

/* Who prints a line that is not known by its form, and what is in it, nobody can tell. */
void nmibt_secrets_scrub_whole(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_word(line[i]))
			line[i] = REPLACED;
	}
}

/* "Linux version 6.12.117 (user@host) (gcc ...": who built the kernel, and where. The name may have
 * parentheses. init/version-timestamp.c: linux_banner, 6.12 */
static void replace_builder(char *line, size_t len)
{
	static const char end_mark[] = ") (";
	char *from = memchr(line, '(', len), *to = NULL;

	if (from)
		to = memmem(from, line + len - from, end_mark, strlen(end_mark));
	if (from && !to)
		to = memchr(from, ')', line + len - from);
	if (from)
		nmibt_secrets_scrub_whole(from, (to ?: line + len) - from);
}

static void replace_release(const struct secrets *secrets, char *line, size_t len)
{
	size_t release_len = secrets->release ? strlen(secrets->release) : 0;
	char *at = line;

	while (release_len && (at = memmem(at, line + len - at, secrets->release, release_len))) {
		memcpy(at, secrets->redacted_release, release_len);
		at += release_len;
	}
}

/* What is known by its own form, and not by a list of names. */
static void replace_forms(const struct secrets *secrets, const struct nmibt_printed *p, char *line,
			  size_t len)
{
	struct nmibt_str whole = {line, len};

	replace_field(secrets, whole, pid_of(p), p->comm, line);
	replace_field(secrets, whole, p->owner_pid, p->owner_comm, line);
	replace_release(secrets, line, len);
	if (p->kind == NMIBT_PRINT_BANNER)
		replace_builder(line, len);
	replace_words(line, len);
	replace_user_pc(line, len);
	replace_code(line, len);
	replace_mail(line, len);
}

static bool is_same_str(struct nmibt_str a, struct nmibt_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.s, b.s, a.len));
}

/* True: the lines tell the same, but for the names that are replaced. */
static bool tells_the_same(const struct nmibt_printed *a, const struct nmibt_printed *b)
{
	return a->kind == b->kind && a->has_cpu == b->has_cpu && a->cpu == b->cpu &&
	       a->all_cpus == b->all_cpus && is_same_str(a->cpus, b->cpus) &&
	       a->has_task == b->has_task && a->pid == b->pid && a->owned == b->owned &&
	       a->owner_pid == b->owner_pid && a->has_seconds == b->has_seconds &&
	       a->seconds == b->seconds && a->jiffies == b->jiffies && a->flavour == b->flavour &&
	       a->is_expedited == b->is_expedited && a->grace_period == b->grace_period &&
	       a->is_user == b->is_user && a->irqs_off == b->irqs_off &&
	       a->is_capture_kernel == b->is_capture_kernel && a->mark == b->mark &&
	       is_same_str(a->frame.function, b->frame.function) &&
	       is_same_str(a->taint, b->taint) && a->nr_dropped == b->nr_dropped;
}

static void replace_names(const struct secrets *secrets, char *line, size_t len)
{
	replace_word(secrets->host, line, len);
	replace_word(secrets->short_host, line, len);
	replace_comms(secrets, line, len);
}

/* The words of a panic tell what the crash is, so those that the kernel has for it stay. */
void nmibt_secrets_scrub_message(const struct secrets *secrets, char *message, size_t len)
{
	size_t known = nmibt_known_panic((struct nmibt_str){message, len});

	replace_release(secrets, message + known, len - known);
	replace_words(message + known, len - known);
	replace_mail(message + known, len - known);
	replace_names(secrets, message + known, len - known);
}

static bool is_panic(enum nmibt_print kind)
{
	return kind == NMIBT_PRINT_PANIC || kind == NMIBT_PRINT_END_PANIC;
}

void nmibt_secrets_scrub_line(const struct secrets *secrets, enum nmibt_arch arch, bool is_whole,
			      char *line, size_t len)
{
	_cleanup_free_ char *copy = malloc(len + 1);
	struct nmibt_str words = {line, len}, head;
	struct nmibt_printed p, old, after;

	nmibt_recognise(arch, (struct nmibt_str){line, len}, &p);
	if (!copy || (is_whole && p.kind == NMIBT_PRINT_OTHER)) {
		nmibt_secrets_scrub_whole(line, len);
		return;
	}
	replace_forms(secrets, &p, line, len);
	if (p.kind == NMIBT_PRINT_FRAME || p.kind == NMIBT_PRINT_PC)
		return;
	memcpy(copy, line, len);
	nmibt_recognise(arch, (struct nmibt_str){copy, len}, &old);
	if (is_panic(p.kind) && nmibt_take_until(&words, "not syncing: ", &head)) {
		if (nmibt_take_until_last(&words, " ]---", &head))
			words = head;
		nmibt_secrets_scrub_message(secrets, line + (words.s - line), words.len);
	} else
		replace_names(secrets, line, len);
	/* A task or a host may have the name of a word by which the line is known. */
	nmibt_recognise(arch, (struct nmibt_str){line, len}, &after);
	if (!tells_the_same(&old, &after))
		memcpy(line, copy, len);
}

/* ---------------------------------------------------------------------- the release */

/* Replaces the host's name, also within a word. The version's numbers before it are no name. */
static void replace_host(const char *host, char *release)
{
	char *from = release + strspn(release, "0123456789."), *at;
	size_t len = strlen(host);

	if (len < MIN_PART)
		replace_word(host, from, strlen(from));
	for (; len >= MIN_PART && (at = strcasestr(from, host)); from = at + len)
		replace(at, len);
}

struct nmibt_error *nmibt_secrets_add_release(struct secrets *secrets, const char *release)
{
	char *redacted = strdup(release);

	if (!redacted)
		return nmibt_error_nomem();
	replace_host(secrets->host, redacted);
	replace_host(secrets->short_host, redacted);
	if (!strcmp(redacted, release)) {
		free(redacted);
		return NULL;
	}
	secrets->redacted_release = redacted;
	secrets->release = strdup(release);
	return secrets->release ? NULL : nmibt_error_nomem();
}

void nmibt_secrets_scrub_release(const struct secrets *secrets, char *text, size_t len)
{
	replace_release(secrets, text, len);
}
