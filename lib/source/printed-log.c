// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes records of a log that was printed: each line is one, without what stands before it. */
#include <inttypes.h>

#include "source/flowed.h"
#include "source/mixed.h"
#include "source/printouts.h"
#include "source/wrapped.h"

/* include/linux/printk.h: MESSAGE_LOGLEVEL_DEFAULT is 4 by default, 6.12 */
#define DEFAULT_LEVEL 4
/* As the kernel's own records. Longer lines are cut. */
#define MAX_LINE 65535
/* enum printk_info_flags, kernel/printk/printk_ringbuffer.h, 6.12 */
#define LOG_NEWLINE 2
/* Of the last line so much is kept, to see whether it is printed again. */
#define KEPT 256
/* So long is a line that is read as a frame without the space before it: it may name the lines of many functions. */
#define MAX_TRIMMED 1024

struct printed_log {
	struct nmibt_log_source *log;
	const struct nmibt_image *image;
	struct nmibt_mixed *mixed;
	uint64_t seq, ns;
	struct nmibt_log_record record; /* of the last line; what a text does not tell is 0 */
	bool has_times;
	bool was_cut; /* lines before the next one are missing */
	bool is_interrupted;
	bool is_replay; /* the next line may be the last one again */
	bool is_in_trace; /* behind "Call Trace:", and lines of a trace since */
	char indented[MAX_TRIMMED + 1];
	char last[KEPT];
	size_t last_len; /* of all of it */
};

/* How many lines are missing is not known. */
static void lose(struct printed_log *p)
{
	nmibt_mixed_flush(p->mixed);
	nmibt_log_source_lose(p->log, 1);
	p->log->missing.unreadable++;
	p->log->missing.may_be_more = true;
	p->was_cut = false;
	p->seq++;
}

static void visit(void *arg, const struct nmibt_mixed_line *taken)
{
	struct printed_log *p = arg;
	const struct nmibt_log_text *line = &taken->line;
	const struct nmibt_log_prefix *prefix = &line->prefix;
	size_t len = line->text.len < MAX_LINE ? line->text.len : MAX_LINE;
	struct nmibt_log_record *record = &p->record;

	record->seq = p->seq++;
	record->ts_ns = taken->ns;
	record->caller_id = prefix->has_caller ? prefix->caller_id : NMIBT_NO_CALLER;
	record->level = prefix->has_level ? prefix->level : DEFAULT_LEVEL;
	record->facility = prefix->has_level ? prefix->facility : 0;
	record->flags = LOG_NEWLINE;
	record->text = line->text.s;
	record->len = len;
	record->missing = line->text.len - len + line->is_cut;
	record->is_doubtful = taken->is_doubtful;
	record->may_be_of_lockup = taken->may_be_of_lockup;
	nmibt_log_source_visit(p->log, record);
}

static void take_message(struct printed_log *p, const struct nmibt_log_text *line,
			 struct nmibt_str text)
{
	struct nmibt_mixed_line taken = {.line = *line, .ns = p->ns};

	taken.line.text = text;
	if (!line->prefix.has_caller) {
		nmibt_mixed_take(p->mixed, &taken);
		return;
	}
	nmibt_mixed_flush(p->mixed);
	taken.may_be_of_lockup = true;
	visit(p, &taken);
}

/* "BIOS 1.0 01/01/2026": what "Hardware name:" ends with */
static bool ends_in_date(struct nmibt_str s)
{
	const char *date = s.s + s.len - strlen("01/01/2026");

	return s.len > strlen("01/01/2026") && date[-1] == ' ' && date[2] == '/' && date[5] == '/';
}

/* "x1 : ffff800012345678 x0 : 0 Call trace:", "BIOS 1.0 01/01/2026 Call Trace:": a program took the newline between
 * them. */
static bool split_trace(struct printed_log *p, const struct nmibt_log_text *line,
			struct nmibt_str text)
{
	static const char title[] = "Call Trace:";
	size_t len = strlen(title);
	struct nmibt_str last = {text.s + text.len - len, len};
	struct nmibt_printed printed;

	if (text.len < len + 2 || text.s[text.len - 1] != ':' || last.s[-1] != ' ' ||
	    (!nmibt_str_is(last, title) && !nmibt_str_is(last, "Call trace:")))
		return false;
	struct nmibt_str first = {text.s, text.len - len - 1};
	nmibt_recognise(p->image->arch, first, &printed);
	if (printed.kind != NMIBT_PRINT_REGISTER && printed.kind != NMIBT_PRINT_HARDWARE &&
	    !ends_in_date(first))
		return false;
	p->log->mended.split++;
	take_message(p, line, first);
	take_message(p, line, last);
	p->is_in_trace = true;
	return true;
}

/* "(t=21031 jiffies g=5 q=3)NMI backtrace for cpu 1": the newline between two messages is lost where
 * the first one's was to come later (KERN_CONT), as in kernel/rcu/tree_stall.h up to 4.9. */
static void split(struct printed_log *p, const struct nmibt_log_text *line, struct nmibt_str text)
{
	static const char title[] = "NMI backtrace for cpu ";
	struct nmibt_str rest = text, first;
	uint64_t cpu;

	if (split_trace(p, line, text))
		return;
	if (!text.len || *text.s == 'N' || text.s[text.len - 1] > '9' ||
	    text.s[text.len - 1] < '0' || !nmibt_take_until(&rest, title, &first) ||
	    !nmibt_take_decimal(&rest, NMIBT_MAX_CPUS - 1, &cpu) || rest.len) {
		take_message(p, line, text);
		return;
	}
	struct nmibt_str second = {first.s + first.len, text.len - first.len};
	while (first.len && first.s[first.len - 1] == ' ')
		first.len--;
	p->log->mended.split++;
	take_message(p, line, first);
	take_message(p, line, second);
}

/*
 * "** replaying previous printk message **": a line that was begun is printed again, behind that
 * (kernel/printk/nbcon.c, printk.c: 4.15 and later). What was begun is no line: "f+0x1/0x2" may be of
 * "f+0x1/0x20". True: the line is left out.
 */
static bool is_repeated(struct printed_log *p, const struct nmibt_log_text *line)
{
	static const char mark[] = "** replaying previous printk message **";
	struct nmibt_str text = line->text, before;
	size_t len = text.len < KEPT ? text.len : KEPT;
	/* A backtrace has more than its first line: where that stands there twice it is one. */
	bool is_same = (p->is_replay || nmibt_str_starts(text, "CPU: ")) &&
		       text.len == p->last_len && !memcmp(text.s ?: "", p->last, len);

	p->is_replay = false;
	if (is_same) {
		p->log->mended.repeated++;
		return true;
	}
	if (text.len >= strlen(mark) && text.s[text.len - 1] == '*' &&
	    nmibt_take_until(&text, mark, &before) && !text.len) {
		p->log->mended.repeated += before.len > 0;
		p->is_replay = !before.len;
		return true;
	}
	if (len)
		memcpy(p->last, text.s, len);
	p->last_len = line->text.len;
	return false;
}

/* True: it is another program's, or what a mail has beside the log. */
static bool is_beside_log(struct printed_log *p, const struct nmibt_log_text *line)
{
	/* Before these the console puts nothing. */
	if (nmibt_str_starts(line->text, "** "))
		return false;
	if (line->lacks_stamp && line->text.len)
		p->log->mended.unstamped++;
	return line->lacks_stamp || (!line->prefix.is_stamped && !line->text.len);
}

static bool is_of_trace(const struct nmibt_printed *printed)
{
	return printed->kind == NMIBT_PRINT_STACK_MARK || printed->kind == NMIBT_PRINT_PC ||
	       printed->kind == NMIBT_PRINT_REGISTER ||
	       (printed->kind == NMIBT_PRINT_FRAME &&
		(printed->frame.function.len || printed->frame.addr));
}

/*
 * Mail programs take the space from the beginning of a line. Behind "Call Trace:", and there alone, "f+0x1/0x2" and
 * "<IRQ>" that begin a line are of the trace; elsewhere such a line may be the second half of another one.
 */
static struct nmibt_str indent(struct printed_log *p, struct nmibt_str text)
{
	struct nmibt_printed printed;
	bool is_in_trace = p->is_in_trace;

	if (nmibt_str_is(text, "Call Trace:") || nmibt_str_is(text, "Call trace:")) {
		p->is_in_trace = true;
		return text;
	}
	p->is_in_trace &= text.len && text.len < MAX_TRIMMED;
	if (!p->is_in_trace || *text.s == ' ')
		return text;
	/* Not every architecture prints the space. */
	nmibt_recognise(p->image->arch, text, &printed);
	if (is_of_trace(&printed))
		return text;
	p->indented[0] = ' ';
	memcpy(p->indented + 1, text.s, text.len);
	struct nmibt_str line = {p->indented, text.len + 1};
	nmibt_recognise(p->image->arch, line, &printed);
	p->is_in_trace = is_of_trace(&printed);
	return is_in_trace && p->is_in_trace ? line : text;
}

/*
 * " pc : f+0x1/0x2 file.c:12": where a program names the lines of functions, and a patch quotes what it wrote, one
 * space more stands before such a line; frames have theirs. No kernel prints a register behind one space.
 */
static struct nmibt_str outdent(struct printed_log *p, struct nmibt_str text)
{
	struct nmibt_str rest = {text.s + 1, text.len - 1};
	struct nmibt_printed printed;

	if (text.len < 2 || *text.s != ' ' || *rest.s == ' ')
		return text;
	nmibt_recognise(p->image->arch, text, &printed);
	if (printed.kind != NMIBT_PRINT_OTHER)
		return text;
	nmibt_recognise(p->image->arch, rest, &printed);
	return printed.kind == NMIBT_PRINT_PC || printed.kind == NMIBT_PRINT_REGISTER ? rest : text;
}

/* "init.c:12", from its end. */
static bool ends_in_place(struct nmibt_str s)
{
	size_t digits = 0;

	while (digits < s.len && s.s[s.len - digits - 1] >= '0' && s.s[s.len - digits - 1] <= '9')
		digits++;
	s.len -= digits;
	/* Of a line that is not known. */
	if (digits == 1 && s.len && s.s[s.len - 1] == '-')
		s.len--;
	return digits && s.len > 1 && s.s[s.len - 1] == ':' && s.s[s.len - 2] != ' ';
}

/* Letters that arm64 prints behind a frame, the bracket that arm prints, or the place once more. */
static bool is_behind_inline(struct nmibt_str s)
{
	nmibt_skip_spaces(&s);
	return !s.len || nmibt_str_is(s, ")") ||
	       (*s.s == '(' && s.s[s.len - 1] == ')' && s.len <= 4) ||
	       (ends_in_place(s) && !memchr(s.s, ' ', s.len));
}

/* The last letter of a line tells of most that they are none of these. */
static bool may_end_inline(char last)
{
	return last == ']' || last == ')' || last == ' ' || (last >= '0' && last <= '9');
}

/*
 * " name dir/file.c:12 [inline]": programs that name the line of each frame put one line before it for each
 * function that was inlined there; syzkaller does (pkg/report/linux.go). No kernel printed it, and it would end
 * the trace. True: the line is left out.
 */
static bool is_of_symboliser(struct printed_log *p, const struct nmibt_log_text *line)
{
	struct nmibt_str text = line->text, before;

	if (!text.len || !may_end_inline(text.s[text.len - 1]) || !memchr(text.s, '[', text.len) ||
	    !nmibt_take_until_last(&text, " [inline]", &before) || !ends_in_place(before) ||
	    !is_behind_inline(text))
		return false;
	p->log->mended.inlined++;
	return true;
}

static void take_text(struct printed_log *p, const struct nmibt_log_text *line,
		      struct nmibt_str text)
{
	split(p, line, indent(p, outdent(p, text)));
}

/* Behind "Call Trace:" a line may have several frames. */
static void take_items(struct printed_log *p, const struct nmibt_log_text *line)
{
	struct nmibt_flowed flowed;
	struct nmibt_str item;

	if ((!p->is_in_trace && !nmibt_str_starts(line->text, "Call Trace: ")) ||
	    !nmibt_flowed_begin(&flowed, p->image->arch, line->text)) {
		take_text(p, line, line->text);
		return;
	}
	p->log->mended.split++;
	while (nmibt_flowed_next(&flowed, &item))
		take_text(p, line, item);
}

/* False: the work is to be stopped. */
static bool take_line(void *arg, const struct nmibt_log_text *line)
{
	struct printed_log *p = arg;
	const struct nmibt_log_prefix *prefix = &line->prefix;

	if (nmibt_interrupted(p->image)) {
		p->is_interrupted = true;
		return false;
	}
	p->log->mended.split += line->is_glued;
	/* In the place of "<IRQ>" a program that takes it for HTML leaves nothing. */
	if (is_beside_log(p, line) || (p->is_in_trace && !line->text.len))
		return true;
	/* The log of a whole boot begins with time 0. */
	if (!p->log->nr_records && !p->seq && (!prefix->has_time || prefix->ns))
		p->seq = 1;
	p->was_cut |= line->is_behind_loss;
	/* A text may begin within a line, as a ring does. */
	if (line->may_begin_within && !prefix->is_stamped) {
		p->was_cut |= p->log->nr_records > 0;
		return true;
	}
	if (p->was_cut)
		lose(p);
	if (is_repeated(p, line) || is_of_symboliser(p, line))
		return true;
	if (prefix->has_time)
		p->ns = prefix->ns;
	p->has_times |= prefix->has_time;
	take_items(p, line);
	return true;
}

static bool take_wrapped(void *arg, const struct nmibt_log_text *line)
{
	return nmibt_wrapped_take(arg, line);
}

static struct nmibt_error *read_lines(struct nmibt_kernel *kernel, struct printed_log *p,
				      struct nmibt_log_facts *ret)
{
	const struct nmibt_image *image = p->image;
	struct nmibt_wrapped wrapped = {.arch = image->arch, .visit = take_line, .arg = p};
	struct nmibt_error *err =
		image->ops->visit_log(image->ctx, kernel->crash, take_wrapped, &wrapped, ret);

	nmibt_wrapped_flush(&wrapped);
	p->log->mended.joined = wrapped.nr_joined;
	if (!nmibt_mixed_flush(p->mixed) && !err)
		err = nmibt_error_nomem();
	p->log->mended.moved = nmibt_mixed_nr_moved(p->mixed);
	p->log->mended.doubtful = nmibt_mixed_nr_doubtful(p->mixed);
	if (!err && p->is_interrupted)
		err = nmibt_error_create(NMIBT_ERR_INTERRUPTED,
					 "interrupted while the log was read");
	return err;
}

struct nmibt_error *nmibt_read_printed_log(struct nmibt_kernel *kernel,
					   struct nmibt_log_source *log)
{
	struct printed_log p = {.log = log, .image = kernel->image};
	struct nmibt_log_facts facts = {0};
	struct nmibt_error *err = nmibt_mixed_new(kernel->image->arch, visit, &p, &p.mixed);

	log->builder->is_sorted = true;
	if (!err)
		err = read_lines(kernel, &p, &facts);
	if (!err && (p.was_cut || facts.lacks_end))
		lose(&p);
	nmibt_mixed_free(p.mixed);
	if (err)
		return err;
	log->is_of_panic = facts.is_of_panic;
	log->mended.html = facts.nr_html;
	log->has_no_times = !p.has_times;
	return nmibt_log_source_finish(log);
}

void nmibt_describe_mended(const struct nmibt_log_source *log, char *why)
{
	const struct {
		uint64_t nr;
		const char *what, *plural;
	} counts[] = {
		{log->mended.moved, "line was mixed with other CPUs'",
		 "lines were mixed with other CPUs'"},
		{log->mended.doubtful, "line may be of several CPUs",
		 "lines may be of several CPUs"},
		{log->mended.joined, "second half of a broken line joined",
		 "second halves of broken lines joined"},
		{log->mended.split, "line has several messages", "lines have several messages"},
		{log->mended.repeated, "line is printed again", "lines are printed again"},
		{log->mended.inlined, "line of an inlined function left out",
		 "lines of inlined functions left out"},
		{log->mended.html, "part in HTML left out", "parts in HTML left out"},
		{log->mended.unstamped, "line without a prefix left out",
		 "lines without a prefix left out"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		if (counts[i].nr)
			nmibt_add_reason(why, "%" PRIu64 " %s", counts[i].nr,
					 counts[i].nr == 1 ? counts[i].what : counts[i].plural);
	}
}
