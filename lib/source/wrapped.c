// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A line is the second half of the one before if all of this is so:
 *
 * - Nothing stands before it but the marks of quotes that the first half has, too.
 * - Its first word had no room behind the first half.
 * - By itself it has none of the forms of lib/text.
 * - The first half lacks what the kernel prints on that line always, or may print there, and the second half is that,
 *   to its last word: bytes behind "Code:", a number behind "RDX:", a date behind the name of a firmware.
 *
 * So prose is not joined, nor is what a program printed between lines of the kernel.
 */
#include <ctype.h>

#include "source/wrapped.h"

/* Mails are broken at 72 columns, seldom at 65 or at 80. */
#define LEAST_COLUMNS 60
#define MOST_COLUMNS 100
/* So long are words of a line that may be broken: "nmi_trigger_cpumask_backtrace+0xe7/0x130". */
#define MAX_WORD 60

/* ------------------------------------------------------------------------- words */

static struct nmibt_str trim(struct nmibt_str s)
{
	nmibt_skip_spaces(&s);
	while (s.len && s.s[s.len - 1] == ' ')
		s.len--;
	return s;
}

/* False: there is none. */
static bool next_word(struct nmibt_str *s, struct nmibt_str *ret)
{
	nmibt_skip_spaces(s);
	const char *space = s->len ? memchr(s->s, ' ', s->len) : NULL;

	*ret = (struct nmibt_str){s->s, space ? (size_t)(space - s->s) : s->len};
	*s = (struct nmibt_str){s->s + ret->len, s->len - ret->len};
	return ret->len;
}

static bool ends(struct nmibt_str s, const char *literal)
{
	size_t len = strlen(literal);

	return s.len >= len && !memcmp(s.s + s.len - len, literal, len);
}

static bool is_one_word(struct nmibt_str s)
{
	return s.len && !memchr(s.s, ' ', s.len);
}

typedef bool (*word_fn)(struct nmibt_str word);

static bool are_all(struct nmibt_str s, word_fn is)
{
	struct nmibt_str word;
	bool found = false;

	for (; next_word(&s, &word); found = true) {
		if (!is(word))
			return false;
	}
	return found;
}

static bool is_any(struct nmibt_str s, word_fn is)
{
	struct nmibt_str word;

	while (next_word(&s, &word)) {
		if (is(word))
			return true;
	}
	return false;
}

static size_t count_hex(struct nmibt_str s)
{
	size_t nr = 0;

	while (nr < s.len && isxdigit((unsigned char)s.s[nr]) && !isupper((unsigned char)s.s[nr]))
		nr++;
	return nr;
}

/* "0f", "<0f>", "(e5932000)": what is in the code that runs; ">" is where the pager of journalctl cuts a line */
static bool is_code(struct nmibt_str word)
{
	if (nmibt_str_is(word, ">"))
		return true;
	if (word.len > 2 &&
	    ((*word.s == '<' && ends(word, ">")) || (*word.s == '(' && ends(word, ")"))))
		word = (struct nmibt_str){word.s + 1, word.len - 2};
	return (word.len == 2 || word.len == 4 || word.len == 8) && count_hex(word) == word.len;
}

/* "1f40:" of arm, behind which there are spaces where memory is not shown: dump_mem() */
static bool is_address(struct nmibt_str s)
{
	return s.len == 5 && s.s[4] == ':' && count_hex(s) == 4;
}

static bool is_long_number(struct nmibt_str word)
{
	return word.len >= 8 && count_hex(word) >= 8;
}

/* "RAX:", "x28:", ":" of "x9 :", "0018:ffffc90000007ea8", "GS:ffff8880b9c00000(0000)", "00000046" */
static bool is_register(struct nmibt_str word)
{
	struct nmibt_str name;

	if (nmibt_take_until(&word, ":", &name)) {
		for (size_t i = 0; i < name.len; i++) {
			if (!isalnum((unsigned char)name.s[i]) && name.s[i] != '_')
				return false;
		}
		if (name.len > 8 || !word.len)
			return name.len <= 8;
	}
	size_t nr = count_hex(word);
	return nr >= 4 && (nr == word.len || (word.s[nr] == '(' && ends(word, ")")));
}

/* The number in "GS:ffff8880b9c00000(0000)", or a word that is one. */
static bool has_long_number(struct nmibt_str word)
{
	nmibt_skip_to(&word, ":");
	return is_long_number(word);
}

/* "init.c:12", "(init.c:12)" */
static bool is_place(struct nmibt_str word)
{
	size_t digits = 0;

	nmibt_skip(&word, "(");
	while (word.len && word.s[word.len - 1] == ')')
		word.len--;
	while (digits < word.len && isdigit((unsigned char)word.s[word.len - digits - 1]))
		digits++;
	word.len -= digits;
	return digits && word.len > 3 && word.s[word.len - 1] == ':' &&
	       (memchr(word.s, '.', word.len) || memchr(word.s, '/', word.len));
}

static bool is_of_place(struct nmibt_str word)
{
	return is_place(word) || nmibt_str_is(word, "[inline]");
}

/* "usbcore", "snd_hda_intel(E)", "e1000e(OE+)" */
static bool is_module(struct nmibt_str word)
{
	size_t i = 0;

	while (i < word.len &&
	       (isalnum((unsigned char)word.s[i]) || word.s[i] == '_' || word.s[i] == '-'))
		i++;
	return i && (i == word.len || (word.s[i] == '(' && ends(word, ")")));
}

/* No word of prose. */
static bool is_surely_module(struct nmibt_str word)
{
	return is_module(word) && (memchr(word.s, '_', word.len) || memchr(word.s, '(', word.len));
}

static bool is_date(struct nmibt_str word)
{
	return word.len == 10 && word.s[2] == '/' && word.s[5] == '/' &&
	       isdigit((unsigned char)word.s[9]);
}

/* ------------------------------------------------------- two halves of one line */

struct halves {
	enum nmibt_arch arch;
	struct nmibt_str first,
		second; /* without spaces at the ends; first has those that it begins with */
	struct nmibt_str joined;
	struct nmibt_printed a, b, both; /* what they are by themselves, and together */
};

static bool is_code_line(const struct halves *h)
{
	return nmibt_str_starts(h->first, "Code: ") && are_all(h->second, is_code);
}

static bool are_registers(const struct halves *h)
{
	if (is_address(h->first))
		return h->both.kind == NMIBT_PRINT_REGISTER && are_all(h->second, is_long_number);
	return (h->a.kind == NMIBT_PRINT_REGISTER || h->a.kind == NMIBT_PRINT_PC) &&
	       are_all(h->first, is_register) && are_all(h->second, is_register) &&
	       is_any(h->second, has_long_number);
}

static bool has_digit(struct nmibt_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (isdigit((unsigned char)s.s[i]))
			return true;
	}
	return false;
}

/* "CPU: 3 PID: 118 Comm: name Not tainted 6.12.117 #1 PREEMPT(full)": lib/dump_stack.c:
 * dump_stack_print_info(), 3.10 to 6.16 */
static bool is_cpu_line(const struct halves *h)
{
	if (h->both.kind != NMIBT_PRINT_CPU || !nmibt_str_starts(h->first, "CPU: "))
		return false;
	if (nmibt_str_starts(h->second, "PID: "))
		return h->first.s[h->first.len - 1] != ':' && h->both.has_task;
	if (h->a.kind != NMIBT_PRINT_CPU || !nmibt_str_holds(h->first, " PID: "))
		return false;
	if (h->a.release.len)
		return is_one_word(h->second) && nmibt_str_starts(h->second, "PREEMPT");
	if (h->both.release.len)
		return has_digit(h->both.release) && is_one_word(h->both.release);
	return !h->a.taint.len && nmibt_str_starts(h->second, "Tainted: ");
}

/* "Hardware name: QEMU Standard PC, BIOS 1.16.3 04/01/2014", of others without a firmware's version:
 * drivers/firmware/dmi_scan.c: dmi_format_ids(), 3.10 to 6.12 */
static bool is_hardware_line(const struct halves *h)
{
	struct nmibt_str rest = h->second, word, last = {0};

	if (h->a.kind != NMIBT_PRINT_HARDWARE || is_any(h->first, is_date))
		return false;
	while (next_word(&rest, &word))
		last = word;
	return is_date(last) || (ends(h->first, ", BIOS") && is_one_word(h->second));
}

/* True: where the name must stand there is none. */
static bool lacks_name(struct nmibt_str s)
{
	return ends(s, " from") || ends(s, ">]") || ends(s, " ?") || nmibt_str_is(s, "?") ||
	       ends(s, " idling at") || ends(s, "RIP: 0010:") || nmibt_str_is(s, "RIP:") ||
	       (*s.s == '[' && ends(s, "]"));
}

static bool has_symbol(const struct nmibt_printed *p)
{
	return p->has_frame && p->frame.function.len;
}

static bool may_have_symbol(enum nmibt_print kind)
{
	return kind == NMIBT_PRINT_FRAME || kind == NMIBT_PRINT_PC || kind == NMIBT_PRINT_SKIPPED;
}

/* " [<ffffffff81000000>] ?" and "name+0x1/0x2"; "[<c0100000>] (f) from" and "[<c0100010>] (g+0x1/0x2)" */
static bool is_frame(const struct halves *h)
{
	return lacks_name(h->first) && !has_symbol(&h->a) && may_have_symbol(h->both.kind) &&
	       h->both.has_frame &&
	       (h->both.frame.function.len || nmibt_str_starts(h->second, "(0x"));
}

/* A mail program took the space from its beginning; another one stands before the text that is held. */
static bool is_trimmed_frame(const struct halves *h)
{
	struct nmibt_printed p;

	if (*h->first.s == ' ')
		return false;
	nmibt_recognise(h->arch, (struct nmibt_str){h->first.s - 1, h->first.len + 1}, &p);
	return p.kind == NMIBT_PRINT_FRAME && has_symbol(&p);
}

/* What may follow a frame: "[module]", powerpc's "(unreliable)", and what programs add that name its line. */
static bool is_behind_frame(const struct halves *h)
{
	bool is_unreliable = ends(h->second, "(unreliable)");
	bool is_module = *h->second.s == '[' && ends(h->second, "]") && is_one_word(h->second);

	if (!is_unreliable && !is_module &&
	    !(are_all(h->second, is_of_place) && is_any(h->second, is_place)))
		return false;
	if (!(may_have_symbol(h->a.kind) && has_symbol(&h->a)) && !is_trimmed_frame(h))
		return false;
	if (is_unreliable)
		return h->a.frame.reliable && !h->both.frame.reliable && h->second.len <= MAX_WORD;
	return !is_module || (!h->a.frame.module.len && !nmibt_str_is(h->second, "[inline]"));
}

static size_t count(struct nmibt_str s, char c)
{
	size_t nr = 0;

	for (size_t i = 0; i < s.len; i++)
		nr += s.s[i] == c;
	return nr;
}

/* " f" and "(dir/file.c:12)"; " f (dir/file.c:12" and "dir/file.h:34)" */
static bool is_decoded_frame(const struct halves *h)
{
	struct nmibt_str joined = {h->joined.s - 1, h->joined.len + 1};
	struct nmibt_printed p = h->both;

	if (!memchr(h->joined.s, '(', h->joined.len) ||
	    (h->a.has_frame && count(h->first, '(') <= count(h->first, ')')))
		return false;
	/* Another space stands before the text that is held. */
	if (!p.has_frame)
		nmibt_recognise(h->arch, joined, &p);
	return may_have_symbol(p.kind) && p.has_frame && p.frame.lacks_offset;
}

/* " f dir/file.c:12" and "[inline]"; " f" and "dir/file.c:12 [inline]"; " f dir/file.c:12 [inline]" and the place of the
 * call */
static bool is_inlined(const struct halves *h)
{
	struct nmibt_str rest = h->first, name, place, more;

	if (h->a.has_frame)
		return false;
	if (ends(h->first, " [inline]"))
		return is_one_word(h->second) && is_place(h->second);
	if (!ends(h->second, "[inline]"))
		return false;
	nmibt_skip(&rest, "RIP: 0010:");
	nmibt_skip_to(&rest, " skipped: idling at ");
	if (!next_word(&rest, &name))
		return false;
	if (!next_word(&rest, &place))
		return are_all(h->second, is_of_place) && is_any(h->second, is_place);
	return is_place(place) && !next_word(&rest, &more) && are_all(h->second, is_of_place);
}

/* What is_stall() knows of the second half, before the first one is searched. */
static bool may_end_stall(const struct halves *h)
{
	return ends(h->first, " {") || *h->second.s == '{' ||
	       nmibt_str_starts(h->second, "stall on CPU") ||
	       nmibt_str_starts(h->second, "CPUs/tasks:") ||
	       nmibt_str_starts(h->second, "softirq=") || nmibt_str_starts(h->second, "idle=") ||
	       nmibt_str_starts(h->second, "fqs=");
}

/* kernel/rcu/tree_stall.h, tree_exp.h, 3.10 to 6.12 */
static bool is_stall(const struct halves *h)
{
	struct nmibt_str first = h->first;

	if (!may_end_stall(h))
		return false;
	if (nmibt_skip_to(&first, "INFO: rcu"))
		return (ends(first, " self-detected") &&
			nmibt_str_starts(h->second, "stall on CPU")) ||
		       (ends(first, " stalls on") && nmibt_str_starts(h->second, "CPUs/tasks:")) ||
		       (ends(first, " CPUs/tasks:") && *h->second.s == '{') ||
		       (ends(first, " {") && nmibt_str_holds(h->second, "} ") &&
			nmibt_str_holds(h->second, " jiffies s: "));
	if (!nmibt_skip_to(&first, " ticks this GP)"))
		return false;
	return nmibt_str_starts(h->second, first.len ? "softirq=" : "idle=") ||
	       (nmibt_str_holds(first, " softirq=") && nmibt_str_starts(h->second, "fqs="));
}

/* "watchdog: BUG: soft lockup - CPU#3 stuck for 22s!" and "[name:118]" */
static bool is_lockup(const struct halves *h)
{
	return h->a.kind == NMIBT_PRINT_SOFT_LOCKUP && ends(h->first, "s!") &&
	       *h->second.s == '[' && ends(h->second, "]") && h->both.comm.len;
}

/* "Workqueue: events" and "function": kernel/workqueue.c: print_worker_info() */
static bool is_workqueue(const struct halves *h)
{
	struct nmibt_str rest = h->first;

	return nmibt_skip(&rest, "Workqueue: ") && is_one_word(rest) && is_one_word(h->second);
}

/* "REGS: c000000012345678 TRAP: 0900   Tainted: G" and "(6.1.90)", "MSR:  9033 <SF,EE>" and "CR: 24004222  XER: 0":
 * arch/powerpc/kernel/process.c: __show_regs(), 4.4 to 6.14 */
static bool is_of_powerpc(const struct halves *h)
{
	if (nmibt_str_starts(h->first, "REGS: ") && nmibt_str_holds(h->first, " TRAP: "))
		return *h->second.s == '(' && h->second.len > 1 && h->second.s[1] >= '0' &&
		       h->second.s[1] <= '9' && ends(h->second, ")") && is_one_word(h->second);
	return nmibt_str_starts(h->first, "MSR: ") && nmibt_str_starts(h->second, "CR: ") &&
	       are_all(h->second, is_register);
}

static bool are_modules(const struct halves *h)
{
	return nmibt_str_starts(h->first, "Modules linked in: ") && are_all(h->second, is_module) &&
	       is_any(h->second, is_surely_module);
}

static bool is_one_line(const struct halves *h)
{
	static bool (*const forms[])(const struct halves *h) = {
		is_code_line,	 are_registers,	   is_cpu_line,	  is_hardware_line, is_frame,
		is_behind_frame, is_inlined,	   is_stall,	  is_lockup,	    is_workqueue,
		are_modules,	 is_decoded_frame, is_of_powerpc,
	};

	/* "Tainted: " is a line of its own, too, and "(f+0x1/0x2)" a frame of no architecture. */
	if (h->b.kind != NMIBT_PRINT_OTHER && h->b.kind != NMIBT_PRINT_FRAME &&
	    !nmibt_str_starts(h->second, "Tainted: "))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (forms[i](h))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ what is held */

static bool may_be_first(const struct nmibt_log_text *line)
{
	return line->columns && line->columns <= MOST_COLUMNS && line->text.len < MOST_COLUMNS &&
	       line->columns + MAX_WORD > LEAST_COLUMNS && !line->is_cut &&
	       !line->prefix.is_of_program;
}

static bool may_be_second(const struct nmibt_wrapped *w, const struct nmibt_log_text *line)
{
	return line->prefix.is_bare && line->prefix.nr_quotes == w->held.prefix.nr_quotes &&
	       !line->is_behind_loss && !line->is_cut;
}

/* False: it would have had room in the line before. Two programs that broke a line of code, one after the other, at
 * two margins left a word alone. */
static bool had_no_room(const struct nmibt_wrapped *w, struct nmibt_str second)
{
	struct nmibt_str word;

	if ((w->is_joined && nmibt_str_starts(w->held.text, "Code: ")) ||
	    is_address(trim(w->held.text)))
		return true;
	return next_word(&second, &word) && w->columns + 1 + word.len > LEAST_COLUMNS;
}

/* A mail program that breaks behind a hyphen adds no space there. */
static bool is_broken_within_word(struct nmibt_str first)
{
	return ends(first, "-") && !ends(first, " -");
}

/* The kernel printed nothing but spaces, or a name, where the line is broken at once. */
static bool joins_to_nothing(struct nmibt_wrapped *w, struct nmibt_str second)
{
	struct nmibt_printed p;

	if (!w->held.prefix.is_stamped || w->held.prefix.is_bare || second.len + 2 > MOST_COLUMNS)
		return false;
	memcpy(w->text + 1, second.s, second.len);
	w->held.text = (struct nmibt_str){w->text, second.len + 1};
	nmibt_recognise(w->arch, w->held.text, &p);
	if (p.kind == NMIBT_PRINT_FRAME && has_symbol(&p))
		return true;
	w->held.text = (struct nmibt_str){w->text + 1, 0};
	return false;
}

/* True: line is the second half of what is held, and joined to it. */
static bool joins(struct nmibt_wrapped *w, const struct nmibt_log_text *line)
{
	struct halves h; /* without zeros: each member is set before it is asked */

	if (!may_be_second(w, line))
		return false;
	h.arch = w->arch;
	h.first = w->held.text;
	h.second = trim(line->text);
	if (!had_no_room(w, h.second))
		return false;
	while (h.first.len && h.first.s[h.first.len - 1] == ' ')
		h.first.len--;
	if (!h.first.len)
		return joins_to_nothing(w, h.second);
	size_t len = h.first.len, gap = !is_broken_within_word(h.first);
	char *end = w->text + (h.first.s - w->text) + len;
	if (len + gap + h.second.len >= sizeof(w->text))
		return false;
	/* Nothing is lost if it is not joined: behind the first half there were spaces, or nothing. */
	*end = ' ';
	memcpy(end + gap, h.second.s, h.second.len);
	h.joined = (struct nmibt_str){h.first.s, len + gap + h.second.len};
	nmibt_recognise(h.arch, h.first, &h.a);
	nmibt_recognise(h.arch, h.second, &h.b);
	nmibt_recognise(h.arch, h.joined, &h.both);
	if (!is_one_line(&h)) {
		memset(end, ' ', w->held.text.len - len);
		return false;
	}
	w->held.text.len = h.joined.len;
	return true;
}

static void hold(struct nmibt_wrapped *w, const struct nmibt_log_text *line)
{
	w->held = *line;
	w->text[0] = ' ';
	w->held.text.s = w->text + 1;
	if (line->text.len)
		memcpy(w->text + 1, line->text.s, line->text.len);
	w->columns = line->columns;
	w->is_held = true;
	w->is_joined = false;
}

bool nmibt_wrapped_flush(struct nmibt_wrapped *w)
{
	bool was_held = w->is_held;

	w->is_held = false;
	return !was_held || w->visit(w->arg, &w->held);
}

bool nmibt_wrapped_take(struct nmibt_wrapped *w, const struct nmibt_log_text *line)
{
	if (w->is_held && joins(w, line)) {
		w->nr_joined++;
		w->is_joined = true;
		w->columns = line->columns;
		return true;
	}
	if (!nmibt_wrapped_flush(w))
		return false;
	if (!may_be_first(line))
		return w->visit(w->arg, line);
	hold(w, line);
	return true;
}
