// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands before the kernel's text. */
#include "image/prefix.h"
#include "image/words.h"

/* No time since boot has more seconds. */
#define MAX_SECONDS (UINT64_MAX / 1000000000 - 1)

/* "<6>"; kernel/printk/printk.c: print_syslog(), 6.12 */
static bool take_level(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_str rest = *line;
	uint64_t value;

	if (!nmibt_skip(&rest, "<") || !nmibt_take_decimal(&rest, UINT8_MAX << 3 | 7, &value) ||
	    !nmibt_skip(&rest, ">"))
		return false;
	ret->has_level = true;
	ret->level = value & 7;
	ret->facility = value >> 3;
	*line = rest;
	return true;
}

/* The length of "   12.345678"; 0: s begins with something else. Every line has it, so that it is read here. */
static size_t read_seconds(struct nmibt_str s, uint64_t *ret_ns)
{
	uint64_t seconds = 0;
	uint32_t us = 0;
	size_t i = 0, begin;

	while (i < s.len && s.s[i] == ' ')
		i++;
	for (begin = i; i < s.len && nmibt_is_digit(s.s[i]) && seconds <= MAX_SECONDS / 10 - 1; i++)
		seconds = seconds * 10 + (s.s[i] - '0');
	if (i == begin || s.len - i < strlen(".345678") || s.s[i] != '.')
		return 0;
	for (begin = ++i; i < begin + 6; i++) {
		if (!nmibt_is_digit(s.s[i]))
			return 0;
		us = us * 10 + (s.s[i] - '0');
	}
	if (i < s.len && nmibt_is_digit(s.s[i]))
		return 0;
	*ret_ns = seconds * 1000000000 + us * UINT64_C(1000);
	return i;
}

static bool take_seconds(struct nmibt_str *cursor, uint64_t *ret_ns)
{
	size_t len = read_seconds(*cursor, ret_ns);

	*cursor = (struct nmibt_str){cursor->s + len, cursor->len - len};
	return len;
}

/* "[   12.345678]"; print_time() */
static bool take_time(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	uint64_t ns;

	if (!nmibt_str_starts(*line, "["))
		return false;
	struct nmibt_str rest = {line->s + 1, line->len - 1};
	size_t len = read_seconds(rest, &ns);
	if (!len || len == rest.len || rest.s[len] != ']')
		return false;
	ret->has_time = true;
	ret->ns = ns;
	*line = (struct nmibt_str){rest.s + len + 1, rest.len - len - 1};
	return true;
}

/* "[   C16]", "[  T123]"; print_caller() */
static bool take_caller(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_str rest = *line;
	uint64_t value;

	if (!nmibt_skip(&rest, "["))
		return false;
	nmibt_skip_spaces(&rest);
	bool is_cpu = nmibt_skip(&rest, "C");
	if ((!is_cpu && !nmibt_skip(&rest, "T")) || !nmibt_take_decimal(&rest, INT32_MAX, &value) ||
	    !nmibt_skip(&rest, "]"))
		return false;
	ret->has_caller = true;
	ret->caller_id = (is_cpu ? 0x80000000 : 0) + value;
	*line = rest;
	return true;
}

/* What the kernel itself puts before a line; bits. */
enum {
	OWN_LEVEL = 0x1,
	OWN_TIME = 0x2,
	OWN_CALLER = 0x4,
};

/* What is there is added to *ret. 0: there is nothing. */
static unsigned int take_own(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	unsigned int found = 0;

	/* Each is told by its first letter before anything is copied. */
	if (nmibt_str_starts(*line, "<") && take_level(line, ret))
		found |= OWN_LEVEL;
	if (take_time(line, ret))
		found |= OWN_TIME;
	if (nmibt_str_starts(*line, "[") && take_caller(line, ret))
		found |= OWN_CALLER;
	if (found & (OWN_TIME | OWN_CALLER))
		nmibt_skip(line, " ");
	return found;
}

bool nmibt_take_log_prefix(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_log_prefix prefix = {0};

	if (!take_own(line, &prefix))
		return false;
	*ret = prefix;
	return true;
}

/* ------------------------------------------------------------ what programs put there */

/* How many of them may be around one another: a mail that quotes a syslog of a console's log. */
#define MAX_LAYERS 8
/* And marks of quotes beside them. */
#define MAX_QUOTES 32
/* What may stand before the kernel's text on the line of a console that a program wrote on. */
#define MAX_PROMPT 160

/* "[   12.345678 <    0.000003>] " and "[<    0.000003>] ": dmesg -d, with and without the time;
 * "[  +0.000003] ": dmesg -H; util-linux 2.41, sys-utils/dmesg.c */
static bool take_dmesg_time(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_str s = *line;
	uint64_t ns, delta;

	if (!nmibt_skip(&s, "["))
		return false;
	bool has_time = take_seconds(&s, &ns);
	nmibt_skip_spaces(&s);
	bool is_delta = nmibt_skip(&s, "<");
	if ((!is_delta && (has_time || !nmibt_skip(&s, "+"))) || !take_seconds(&s, &delta) ||
	    (is_delta && !nmibt_skip(&s, ">")) || !nmibt_skip(&s, "]"))
		return false;
	if (has_time) {
		ret->has_time = true;
		ret->ns = ns;
	}
	nmibt_skip(&s, " ");
	*line = s;
	return true;
}

/* Letters of any language. */
static bool skip_name(struct nmibt_str *cursor)
{
	size_t len = 0;

	while (len < cursor->len && (cursor->s[len] & 0x80 || cursor->s[len] == '.' ||
				     (cursor->s[len] >= 'A' && cursor->s[len] <= 'Z') ||
				     (cursor->s[len] >= 'a' && cursor->s[len] <= 'z')))
		len++;
	*cursor = (struct nmibt_str){cursor->s + len, cursor->len - len};
	return len && len <= 16;
}

/* "Fr Sep  3 07:30:00 2021": dmesg -T in other languages, whose names nobody lists here */
static bool skip_foreign_date(struct nmibt_str *cursor)
{
	struct nmibt_str s = *cursor, clock;
	uint64_t day, year;

	if (!skip_name(&s) || !nmibt_skip(&s, " ") || !skip_name(&s) || !nmibt_skip(&s, " "))
		return false;
	nmibt_skip_spaces(&s);
	if (!nmibt_take_decimal(&s, 31, &day) || !nmibt_skip(&s, " ") ||
	    !nmibt_take_until(&s, " ", &clock) || !nmibt_skip_date(&clock) || clock.len ||
	    !nmibt_take_decimal(&s, 9999, &year))
		return false;
	*cursor = s;
	return true;
}

/* "[Fri Sep  3 07:30:00 2021] ", "[2023-10-13 02:51:12]  ": dmesg -T, tools for serial lines */
static bool skip_date_in_brackets(struct nmibt_str *line)
{
	struct nmibt_str s = *line;

	if (!nmibt_skip(&s, "[") || (!nmibt_skip_date(&s) && !skip_foreign_date(&s)) ||
	    !nmibt_skip(&s, "]"))
		return false;
	nmibt_skip(&s, " ");
	*line = s;
	/* Some put more spaces there. The kernel's text may begin with one, its prefix doesn't. */
	struct nmibt_log_prefix unused;
	nmibt_skip_spaces(&s);
	struct nmibt_str rest = s;
	if (nmibt_take_log_prefix(&rest, &unused))
		*line = s;
	return true;
}

/* "kern  :warn  : ": dmesg -x; util-linux 2.41, sys-utils/dmesg.c */
static bool take_names(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	static const char *const facilities[] = {"kern",   "user", "mail",
						 "daemon", "auth", "syslog"};
	static const char *const levels[] = {"emerg", "alert",	"crit", "err",
					     "warn",  "notice", "info", "debug"};
	struct nmibt_str s = *line;
	unsigned int facility = 0, level = 0;

	/* Many lines begin with a small letter: the first one is compared before the word. */
	while (facility < ARRAY_SIZE(facilities) &&
	       (*s.s != *facilities[facility] || !nmibt_skip(&s, facilities[facility])))
		facility++;
	nmibt_skip_spaces(&s);
	if (facility == ARRAY_SIZE(facilities) || !nmibt_skip(&s, ":"))
		return false;
	while (level < ARRAY_SIZE(levels) && !nmibt_skip(&s, levels[level]))
		level++;
	nmibt_skip_spaces(&s);
	if (level == ARRAY_SIZE(levels) || !nmibt_skip(&s, ":"))
		return false;
	nmibt_skip(&s, " ");
	ret->has_level = true;
	ret->facility = facility;
	ret->level = level;
	*line = s;
	return true;
}

/* "caller=C1" among the fields */
static void take_kmsg_fields(struct nmibt_str fields, struct nmibt_log_prefix *ret)
{
	uint64_t value;

	if (!nmibt_skip_to(&fields, "caller="))
		return;
	bool is_cpu = nmibt_skip(&fields, "C");
	if ((!is_cpu && !nmibt_skip(&fields, "T")) ||
	    !nmibt_take_decimal(&fields, INT32_MAX, &value))
		return;
	ret->has_caller = true;
	ret->caller_id = (is_cpu ? 0x80000000 : 0) + value;
}

/*
 * "4,1234,5678,-,caller=C1;text": /dev/kmsg (Documentation/ABI/testing/dev-kmsg, 6.12). Extended
 * netconsole puts a release before it, and in 6.12 "ncfrag=0/800" among the fields of a part.
 */
static bool take_kmsg(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_str s = *line, fields;
	uint64_t level, seq, us;

	if (!s.len || *s.s < '0' || *s.s > '9')
		return false;
	if (!nmibt_take_decimal(&s, 2047, &level) || !nmibt_skip(&s, ",")) {
		s = *line;
		if (!nmibt_take_until(&s, ",", &fields) || fields.len > 64 ||
		    !nmibt_str_holds(fields, ".") || nmibt_str_holds(fields, " ") ||
		    !nmibt_take_decimal(&s, 2047, &level) || !nmibt_skip(&s, ","))
			return false;
	}
	if (!nmibt_take_decimal(&s, UINT64_MAX, &seq) || !nmibt_skip(&s, ",") ||
	    !nmibt_take_decimal(&s, UINT64_MAX / 1000, &us) || !nmibt_skip(&s, ",") ||
	    !nmibt_take_until(&s, ";", &fields) || fields.len > 256 || !fields.len)
		return false;
	*ret = (struct nmibt_log_prefix){
		.has_level = true,
		.level = level & 7,
		.facility = level >> 3,
		.has_time = true,
		.ns = us * 1000,
		.is_kmsg = true,
	};
	take_kmsg_fields(fields, ret);
	*line = s;
	return true;
}

uint64_t nmibt_hash_of(struct nmibt_str s)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.s[i]) * 0x100000001b3;
	return hash ?: 1;
}

/* "host kernel: " behind a date; of a program "host name[123]: " and "host name: ", where lines of
 * the kernel have shown the name of the host. *ret_rest is what stands behind it. */
static bool read_host(struct nmibt_wrapping *state, struct nmibt_str s, struct nmibt_str *ret_rest,
		      struct nmibt_log_prefix *ret)
{
	const char *space = s.len ? memchr(s.s, ' ', s.len) : NULL;

	if (!space || space == s.s || space - s.s > 255)
		return false;
	struct nmibt_str host = {s.s, space - s.s}, name;
	struct nmibt_str rest = {space + 1, s.len - host.len - 1};
	if (nmibt_skip(&rest, "kernel: ") || nmibt_str_is(rest, "kernel:")) {
		state->host = nmibt_hash_of(host);
		state->host_len = (unsigned int)host.len;
		ret->is_of_kernel = true;
		if (nmibt_str_is(rest, "kernel:"))
			rest.len = 0;
		*ret_rest = rest;
		return true;
	}
	if (!state->host || state->host_len != host.len || state->host != nmibt_hash_of(host) ||
	    !nmibt_take_until(&rest, ":", &name) || nmibt_str_holds(name, " "))
		return false;
	ret->is_of_program = true;
	*ret_rest = rest;
	return true;
}

/* "stdout F " of containers (Kubernetes' CRI), "00O " of GitLab's runners, behind their times */
static void skip_stream(struct nmibt_str *s)
{
	static const char *const streams[] = {"stdout F ", "stderr F ", "stdout P ", "stderr P ",
					      "00O ",	   "00E ",	"01O ",	     "01E "};

	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		if (nmibt_skip(s, streams[i]))
			return;
	}
}

static struct nmibt_str without_spaces(struct nmibt_str s)
{
	nmibt_skip_spaces(&s);
	return s;
}

/* In 2001. No machine has been up for so long. */
#define FIRST_DATE_NS UINT64_C(1000000000000000000)

/* A time of day, and what syslog, journalctl and containers put behind it. journalctl -o short-unix
 * has seconds since 1970. */
static bool take_date(struct nmibt_wrapping *state, struct nmibt_str *line,
		      struct nmibt_log_prefix *ret)
{
	const struct nmibt_str before = *line;
	uint64_t ns;

	if (!nmibt_skip_date(line) && (!take_seconds(line, &ns) || ns < FIRST_DATE_NS)) {
		*line = before;
		return false;
	}
	struct nmibt_str host = without_spaces(*line);
	if (!nmibt_skip(line, " ") && !nmibt_skip(line, ": ") && line->len) {
		*line = before;
		return false;
	}
	if (!read_host(state, host, line, ret))
		skip_stream(line);
	ret->is_stamped = true;
	return true;
}

/* "> ", "> > ", ">>", "| " of a comment in a tracker: a reply's mark before each line */
static bool skip_quote(struct nmibt_str *line, struct nmibt_log_prefix *ret)
{
	struct nmibt_str s = *line;

	if (!nmibt_skip(&s, ">"))
		return false;
	nmibt_skip(&s, " ");
	ret->nr_quotes++;
	*line = s;
	return true;
}

/* "  [   12.345678] ": a text that someone quotes is often indented. */
static bool skip_indent(struct nmibt_str *line)
{
	struct nmibt_log_prefix unused;
	struct nmibt_str s = *line, rest;

	nmibt_skip_blanks(&s);
	rest = s;
	if (!take_time(&rest, &unused))
		return false;
	*line = s;
	return true;
}

/* "host login: [   12.345678] ", "# [   12.345678] ": the end of what a program wrote on the same
 * console without a newline. */
static bool skip_prompt(struct nmibt_str *line)
{
	static const char *const ends[] = {"login: [", "# [", "$ ["};
	struct nmibt_str start = {line->s, line->len < MAX_PROMPT ? line->len : MAX_PROMPT};
	struct nmibt_log_prefix prefix;

	if (!start.len || !memchr(start.s, '[', start.len))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct nmibt_str before, s = start;

		if (!nmibt_take_until(&s, ends[i], &before))
			continue;
		s = (struct nmibt_str){s.s - 1, line->len - (s.s - 1 - line->s)};
		struct nmibt_str rest = s;
		if (!take_time(&rest, &prefix))
			continue;
		*line = s;
		return true;
	}
	return false;
}

static bool take_layer(struct nmibt_wrapping *state, struct nmibt_str *line,
		       struct nmibt_log_prefix *ret)
{
	char first = line->len ? *line->s : 0;

	if (first == '[')
		return skip_date_in_brackets(line) || take_dmesg_time(line, ret);
	if (first == ' ' || first == '\t')
		return skip_indent(line);
	if (first == '>')
		return skip_quote(line, ret);
	if (first >= '0' && first <= '9')
		return take_kmsg(line, ret) || take_date(state, line, ret);
	if (first >= 'A' && first <= 'Z')
		return take_date(state, line, ret);
	return first >= 'a' && first <= 'z' && take_names(line, ret);
}

/* " SUBSYSTEM=pci" behind a record of /dev/kmsg */
static bool is_kmsg_field(struct nmibt_str s)
{
	size_t i = 1;

	if (!nmibt_skip(&s, " "))
		return false;
	for (i = 0; i < s.len && ((s.s[i] >= 'A' && s.s[i] <= 'Z') || s.s[i] == '_'); i++)
		;
	return i && i < s.len && s.s[i] == '=';
}

/* The kernel's own, and the host that journalctl -o short-monotonic has behind the time. */
static bool take_kernels(struct nmibt_wrapping *state, struct nmibt_str *line,
			 struct nmibt_log_prefix *ret)
{
	unsigned int found = take_own(line, ret);

	if ((found & OWN_TIME) && !(found & OWN_CALLER))
		read_host(state, *line, line, ret);
	return found;
}

bool nmibt_take_wrapping(struct nmibt_wrapping *state, struct nmibt_str *line,
			 struct nmibt_log_prefix *ret)
{
	unsigned int nr_found = 0;
	bool is_field = state->is_behind_kmsg && is_kmsg_field(*line);

	for (unsigned int i = 0; i < MAX_LAYERS + ret->nr_quotes && i < MAX_LAYERS + MAX_QUOTES;
	     i++) {
		if (!take_kernels(state, line, ret) && !take_layer(state, line, ret))
			break;
		nr_found++;
		/* Behind the kernel's own time there is its text, or another time of its own. */
		if (ret->has_caller || ret->is_kmsg || ret->is_of_program ||
		    (ret->has_time && !nmibt_str_starts(*line, "[")))
			break;
	}
	if (!nr_found && skip_prompt(line))
		nr_found += take_kernels(state, line, ret);
	ret->is_of_program |= is_field;
	state->is_behind_kmsg = is_field || ret->is_kmsg;
	ret->is_stamped |= nr_found > 0;
	ret->is_bare = nr_found == ret->nr_quotes && !is_field;
	return nr_found || is_field;
}

/* The second half of a line that a mail program broke is not indented; of "Code:" there are several. */
#define MAX_SHORT_LINES 3

void nmibt_unindent(struct nmibt_wrapping *state, struct nmibt_str *line)
{
	struct nmibt_str text = *line;

	nmibt_skip_blanks(&text);
	size_t spaces = line->len - text.len;
	if (!text.len || (!spaces && !state->indent))
		return;
	state->nr_short = spaces < state->indent ? state->nr_short + 1 : 0;
	if (nmibt_is_of_margin(text)) {
		state->indent = (unsigned int)spaces;
		state->nr_short = 0;
	} else if (state->nr_short > MAX_SHORT_LINES) {
		state->indent = state->nr_short = 0;
	} else if (state->nr_short) {
		return;
	}
	*line = (struct nmibt_str){line->s + state->indent, line->len - state->indent};
}
