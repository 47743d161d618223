// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One backtrace passes: its lines come out at once. While it must go on, because its frames have not
 * begun or a mark of a stack is open, lines of others that begin meanwhile are held. A title alone is held, too,
 * because its backtrace may begin much later: CPUs that are asked at the same time print their titles first
 * (lib/nmi_backtrace.c, 4.9 to 5.14, without a lock for all of the answer).
 *
 * What has no form and stands between the frames of the one that passes is a driver's, or written by who replied to
 * a mail. It is put aside until the trace ends. The frames behind it go on with the trace, marked, because what
 * stood there may be lost.
 */
#include "source/mixed.h"

#define MAX_BLOCKS 128
/* No backtrace has more lines. */
#define MAX_LINES 1024
/* Lines in a row that are not of the backtrace that passes, after which it is taken for cut. */
#define MAX_PATIENCE 256
/* Lines that are put aside, after which a trace is taken for cut. */
#define MAX_ASIDE 64
/* Unfinished backtraces that are let go, of which lines may still come. */
#define MAX_GONE 8

enum phase { TITLE, HEAD, FRAMES };

struct held {
	struct nmibt_mixed_line line;
	char *text;
};

struct block {
	uint32_t cpu;
	enum phase phase;
	bool has_hardware, has_pc, has_ended;
	bool is_lockup; /* its title is a soft lockup's */
	bool is_complete; /* the outermost frame came, or registers of user mode */
	bool is_user; /* no frames follow */
	bool is_left; /* lines of something else followed that has a form */
	bool is_confused; /* it got lines that fitted others, too: nothing is known of what follows */
	bool may_have_registers; /* behind a frame by which the kernel was entered */
	bool has_task; /* the mark of the task's stack came */
	unsigned int open_marks;
	uint64_t registers; /* a bit for each of its lines of registers, by their first letters */
	struct held *lines;
	size_t nr_lines;
};

struct nmibt_mixed {
	enum nmibt_arch arch;
	nmibt_mixed_fn emit;
	void *arg;
	struct block *current; /* it passes; NULL: none does */
	struct block *blocks[MAX_BLOCKS]; /* that are held, in the order of their first lines */
	size_t nr_blocks;
	/* Their lines are out, and more may come. Nothing is given to them, but what fits them is
	 * doubtful. */
	struct block *gone[MAX_GONE];
	size_t nr_gone;
	unsigned int nr_since_gone; /* lines */
	/* So many backtraces that are confused have not ended: so many lines that end one are to come. */
	unsigned int nr_confused;
	struct block aside; /* what stood between frames of the one that passes; lines alone */
	size_t nr_passed; /* of them, before the last frame */
	bool is_behind_title; /* the last line was the title of the last block */
	bool is_behind_lockup; /* the title of a lockup came, and no trace since */
	uint32_t locked_up; /* the CPU that it names */
	unsigned int nr_strangers;
	uint64_t nr_moved, nr_doubtful;
	bool failed; /* out of memory */
};

/* ------------------------------------------------------------------------- blocks */

static void free_lines(struct block *b)
{
	for (size_t i = 0; i < b->nr_lines; i++)
		free(b->lines[i].text);
	free(b->lines);
}

static void free_block(struct block *b)
{
	if (b)
		free_lines(b);
	free(b);
}

static void hold(struct nmibt_mixed *m, struct block *b, const struct nmibt_mixed_line *line)
{
	struct held *lines = nmibt_make_room(b->lines, b->nr_lines, sizeof(*lines));
	char *text = malloc(line->line.text.len + 1);

	if (lines)
		b->lines = lines;
	if (!lines || !text) {
		free(text);
		m->failed = true;
		return;
	}
	if (line->line.text.len)
		memcpy(text, line->line.text.s, line->line.text.len);
	lines[b->nr_lines] = (struct held){*line, text};
	lines[b->nr_lines++].line.line.text.s = text;
}

static void let_out(struct nmibt_mixed *m, struct block *b)
{
	for (size_t i = 0; i < b->nr_lines; i++) {
		m->emit(m->arg, &b->lines[i].line);
		free(b->lines[i].text);
	}
	b->nr_lines = 0;
}

static void release_aside(struct nmibt_mixed *m)
{
	let_out(m, &m->aside);
	m->nr_passed = 0;
}

static void put(struct nmibt_mixed *m, struct block *b, const struct nmibt_mixed_line *line)
{
	m->nr_moved += m->current && b != m->current;
	if (b == m->current)
		m->emit(m->arg, line);
	else
		hold(m, b, line);
}

static struct block *remove_block(struct nmibt_mixed *m, size_t i)
{
	struct block *b = m->blocks[i];

	m->nr_blocks--;
	memmove(m->blocks + i, m->blocks + i + 1, (m->nr_blocks - i) * sizeof(*m->blocks));
	return b;
}

/* True: more lines of it must follow, if none is lost. */
static bool must_go_on(const struct block *b)
{
	return !b->has_ended && !b->is_confused &&
	       ((b->phase == HEAD && !b->is_user) || b->open_marks);
}

/* True: the block is the title of a lockup that came within a backtrace. */
static bool is_held_lockup(const struct block *b)
{
	return b->phase == TITLE && b->is_lockup;
}

static void forget_gone(struct nmibt_mixed *m, size_t i)
{
	m->nr_confused -= m->gone[i]->is_confused;
	free_block(m->gone[i]);
	m->gone[i] = m->gone[--m->nr_gone];
}

/* Nothing more is given to the backtrace. */
static void let_go(struct nmibt_mixed *m, struct block *b)
{
	if (!b || b->phase == TITLE || b->has_ended || !(b->is_confused || must_go_on(b)) ||
	    m->nr_gone == MAX_GONE) {
		m->nr_confused -= b && b->is_confused && !b->has_ended;
		free_block(b);
		return;
	}
	m->gone[m->nr_gone++] = b;
	m->nr_since_gone = 0;
}

static void release_lockups(struct nmibt_mixed *m)
{
	for (size_t i = 0; i < m->nr_blocks;) {
		if (!is_held_lockup(m->blocks[i])) {
			i++;
			continue;
		}
		struct block *b = remove_block(m, i);
		let_out(m, b);
		free_block(b);
	}
}

/* The backtrace that passes has ended, or nobody waits for it any more: the next one passes. Titles
 * without anything stay. */
static void pass_next(struct nmibt_mixed *m)
{
	size_t i = 0;

	release_aside(m);
	let_go(m, m->current);
	m->current = NULL;
	m->nr_strangers = 0;
	while (i < m->nr_blocks && !m->current) {
		if (m->blocks[i]->phase == TITLE) {
			i++;
			continue;
		}
		struct block *b = remove_block(m, i);
		let_out(m, b);
		if (b->has_ended)
			free_block(b);
		else
			m->current = b;
	}
}

static struct block *add_block(struct nmibt_mixed *m, uint32_t cpu, enum phase phase)
{
	struct block *b = calloc(1, sizeof(*b));

	if (!b) {
		m->failed = true;
		return NULL;
	}
	b->cpu = cpu;
	b->phase = phase;
	if (m->nr_blocks == MAX_BLOCKS) {
		struct block *oldest = remove_block(m, 0);

		let_out(m, oldest);
		free_block(oldest);
	}
	m->blocks[m->nr_blocks++] = b;
	return b;
}

static struct block *find_title(struct nmibt_mixed *m, uint32_t cpu)
{
	for (size_t i = 0; i < m->nr_blocks; i++) {
		if (m->blocks[i]->phase == TITLE && m->blocks[i]->cpu == cpu)
			return m->blocks[i];
	}
	return NULL;
}

/* ---------------------------------------------------------------- what a line continues */

/* Registers stand in the same order everywhere, each line once. */
static uint64_t register_bit(struct nmibt_str text)
{
	unsigned int hash = 0;

	for (size_t i = 0; i < text.len && i < 4; i++)
		hash = hash * 31 + (unsigned char)text.s[i];
	return UINT64_C(1) << (hash % 64);
}

static bool fits_registers(const struct block *b, const struct nmibt_mixed_line *line)
{
	return !(b->registers & register_bit(line->line.text));
}

static bool fits_head(const struct block *b, const struct nmibt_printed *p,
		      const struct nmibt_mixed_line *line)
{
	switch (p->kind) {
	case NMIBT_PRINT_HARDWARE:
		return !b->has_hardware;
	case NMIBT_PRINT_PC:
		return !b->has_pc;
	case NMIBT_PRINT_REGISTER:
		return fits_registers(b, line);
	case NMIBT_PRINT_TRACE:
		return !b->is_user;
	case NMIBT_PRINT_FRAME:
		return !b->is_user && p->begins_trace;
	default:
		return false;
	}
}

static bool fits(const struct block *b, const struct nmibt_printed *p,
		 const struct nmibt_mixed_line *line)
{
	if (!b || b->has_ended || b->phase == TITLE)
		return false;
	if (b->is_confused)
		return p->kind == NMIBT_PRINT_HARDWARE || p->kind == NMIBT_PRINT_PC ||
		       p->kind == NMIBT_PRINT_REGISTER || p->kind == NMIBT_PRINT_TRACE ||
		       p->kind == NMIBT_PRINT_FRAME || p->kind == NMIBT_PRINT_STACK_MARK;
	if (b->phase == HEAD)
		return fits_head(b, p, line);
	if (p->has_mark && !p->is_mark_end && p->mark == NMIBT_STACK_TASK && b->has_task)
		return false;
	switch (p->kind) {
	case NMIBT_PRINT_FRAME:
	case NMIBT_PRINT_STACK_MARK:
		return true;
	case NMIBT_PRINT_PC:
		return b->may_have_registers && !b->has_pc;
	case NMIBT_PRINT_REGISTER:
		return b->may_have_registers && fits_registers(b, line);
	default:
		return false;
	}
}

static void take_mark(struct block *b, const struct nmibt_printed *p)
{
	if (!p->has_mark)
		return;
	if (!p->is_mark_end)
		b->open_marks++;
	else if (b->open_marks)
		b->open_marks--;
	b->has_task |= p->mark == NMIBT_STACK_TASK;
	b->has_ended |= p->is_mark_end && p->mark == NMIBT_STACK_TASK && !b->open_marks;
}

static void take_frame(struct block *b, const struct nmibt_printed *p)
{
	bool is_outermost = p->frame.reliable && nmibt_is_outermost_frame(&p->frame);

	b->phase = FRAMES;
	b->is_complete = is_outermost;
	take_mark(b, p);
	b->may_have_registers = is_outermost || nmibt_is_entry_frame(&p->frame);
	b->has_pc = false;
	b->registers = 0;
	b->has_ended |= is_outermost && !b->open_marks;
}

static void learn(struct block *b, const struct nmibt_printed *p,
		  const struct nmibt_mixed_line *line)
{
	b->is_user |= p->is_user && b->phase == HEAD;
	b->is_complete |= p->is_user && b->phase == FRAMES;
	switch (p->kind) {
	case NMIBT_PRINT_HARDWARE:
		b->has_hardware = true;
		break;
	case NMIBT_PRINT_PC:
		b->has_pc = true;
		break;
	case NMIBT_PRINT_REGISTER:
		b->registers |= register_bit(line->line.text);
		b->has_ended |= b->is_user && p->is_last_register;
		break;
	case NMIBT_PRINT_TRACE:
		b->phase = FRAMES;
		b->registers = 0;
		take_mark(b, p);
		break;
	case NMIBT_PRINT_FRAME:
		take_frame(b, p);
		break;
	case NMIBT_PRINT_STACK_MARK:
		take_mark(b, p);
		break;
	default:
		break;
	}
}

/* The number of backtraces that the line fits. */
static unsigned int count_fits(const struct nmibt_mixed *m, const struct nmibt_printed *p,
			       const struct nmibt_mixed_line *line)
{
	unsigned int nr = fits(m->current, p, line);

	for (size_t i = 0; i < m->nr_blocks; i++)
		nr += fits(m->blocks[i], p, line);
	return nr;
}

/* The same of those that were let go, which ends for ones that nobody waits for any more. */
static unsigned int count_gone(struct nmibt_mixed *m, const struct nmibt_printed *p,
			       const struct nmibt_mixed_line *line)
{
	unsigned int nr = 0;

	while (m->nr_gone && m->nr_since_gone > MAX_PATIENCE)
		forget_gone(m, 0);
	m->nr_since_gone++;
	for (size_t i = 0; i < m->nr_gone; i++)
		nr += fits(m->gone[i], p, line);
	return nr;
}

static void confuse(struct nmibt_mixed *m, struct block *b)
{
	m->nr_confused += !b->is_confused;
	b->is_confused = true;
}

/* The line ends a backtrace, and nobody knows which one. */
static bool ends_one(const struct nmibt_printed *p)
{
	return p->has_mark && p->is_mark_end && p->mark == NMIBT_STACK_TASK;
}

/* Of all that were confused the end has come. */
static void end_confused(struct nmibt_mixed *m)
{
	if (m->current)
		m->current->has_ended |= m->current->is_confused;
	for (size_t i = 0; i < m->nr_blocks; i++)
		m->blocks[i]->has_ended |= m->blocks[i]->is_confused;
	while (m->nr_gone)
		forget_gone(m, 0);
	m->nr_confused = 0;
}

static void give(struct nmibt_mixed *m, struct block *b, const struct nmibt_printed *p,
		 const struct nmibt_mixed_line *line)
{
	struct nmibt_mixed_line copy = *line;

	if (!fits(b, p, line))
		return;
	if (line->is_doubtful)
		confuse(m, b);
	if (b == m->current && m->aside.nr_lines > m->nr_passed) {
		m->nr_passed = m->aside.nr_lines;
		copy.is_doubtful = true;
	}
	put(m, b, &copy);
	if (!b->is_confused)
		learn(b, p, line);
	if (b == m->current)
		m->nr_strangers = 0;
}

static void give_to_gone(struct nmibt_mixed *m, const struct nmibt_printed *p,
			 const struct nmibt_mixed_line *line, bool is_only)
{
	for (size_t i = 0; i < m->nr_gone; i++) {
		struct block *b = m->gone[i];

		if (!fits(b, p, line))
			continue;
		if (!is_only)
			confuse(m, b);
		else if (!b->is_confused)
			learn(b, p, line);
	}
	for (size_t i = m->nr_gone; i > 0; i--) {
		if (m->gone[i - 1]->has_ended)
			forget_gone(m, i - 1);
	}
}

/* --------------------------------------------------------------------------- a line */

/* The newest; NULL: none. */
static struct block *held_lockup(const struct nmibt_mixed *m)
{
	for (size_t i = m->nr_blocks; i > 0; i--) {
		if (is_held_lockup(m->blocks[i - 1]))
			return m->blocks[i - 1];
	}
	return NULL;
}

static bool is_behind_held_lockup(const struct nmibt_mixed *m)
{
	return m->is_behind_title && m->nr_blocks && is_held_lockup(m->blocks[m->nr_blocks - 1]);
}

/* The title of an answer is let out where what follows it shows that its backtrace has no line with the CPU. */
static void release_title(struct nmibt_mixed *m)
{
	if (!m->is_behind_title || !m->nr_blocks || is_behind_held_lockup(m))
		return;
	struct block *b = remove_block(m, m->nr_blocks - 1);
	let_out(m, b);
	free_block(b);
	m->is_behind_title = false;
}

static void take_title(struct nmibt_mixed *m, const struct nmibt_printed *p,
		       const struct nmibt_mixed_line *line)
{
	struct block *b;

	if (m->current && !must_go_on(m->current))
		pass_next(m);
	b = add_block(m, p->cpu, TITLE);
	m->is_behind_title = b;
	if (!b)
		return;
	b->is_lockup = p->kind == NMIBT_PRINT_SOFT_LOCKUP;
	m->is_behind_lockup = false;
	hold(m, b, line);
}

/* True: the title of a lockup would cut the backtrace that passes, which is of another CPU. One that lacks nothing but its
 * last mark was hardly interrupted there: people leave that out. */
static bool is_within(struct nmibt_mixed *m, const struct nmibt_printed *p)
{
	return p->kind == NMIBT_PRINT_SOFT_LOCKUP && p->has_cpu && m->current &&
	       must_go_on(m->current) && !m->current->is_complete && m->current->cpu != p->cpu &&
	       !find_title(m, p->cpu);
}

/* What stands between the title of a lockup and "CPU: 3 PID: ...": kernel/watchdog.c: watchdog_timer_fn(), 3.10 to 6.12 */
static bool is_of_lead(struct nmibt_str text)
{
	static const char *const starts[] = {"Modules linked in:", "Unloaded tainted modules:",
					     "irq event stamp: ", "hardirqs last ",
					     "softirqs last "};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		if (nmibt_str_starts(text, starts[i]))
			return true;
	}
	return false;
}

static void take_cpu(struct nmibt_mixed *m, const struct nmibt_printed *p,
		     const struct nmibt_mixed_line *line)
{
	bool has_title = find_title(m, p->cpu);

	m->is_behind_title = false;
	/* The same CPU can't be in two backtraces at once, but for one that interrupts another, which
	 * is told by its title. */
	if (m->current && (!must_go_on(m->current) || (!has_title && m->current->cpu == p->cpu)))
		pass_next(m);
	for (size_t i = has_title ? 0 : m->nr_gone; i > 0; i--) {
		if (m->gone[i - 1]->cpu == p->cpu)
			forget_gone(m, i - 1);
	}
	struct block *b = find_title(m, p->cpu) ?: add_block(m, p->cpu, HEAD);
	if (!b)
		return;
	b->phase = HEAD;
	put(m, b, line);
	if (!m->current)
		pass_next(m);
}

/* What begins something else. */
static bool is_of_another(enum nmibt_print kind)
{
	return (kind >= NMIBT_PRINT_REQUEST && kind <= NMIBT_PRINT_WARNING) ||
	       kind == NMIBT_PRINT_CPU || kind == NMIBT_PRINT_TASK || kind == NMIBT_PRINT_CUT_HERE;
}

/* What came before the first line of a report comes out before it, or it would be the report's. */
static void let_out_held(struct nmibt_mixed *m)
{
	for (size_t i = 0; i < m->nr_blocks; i++) {
		if (m->blocks[i]->phase == TITLE)
			continue;
		do
			pass_next(m);
		while (m->current);
		return;
	}
}

/* The line continues no backtrace. */
static void take_stranger(struct nmibt_mixed *m, const struct nmibt_printed *p,
			  const struct nmibt_mixed_line *line)
{
	if (is_of_another(p->kind))
		let_out_held(m);
	struct block *b = m->current;

	if (b && b->phase == FRAMES && !b->is_confused && !b->is_left &&
	    p->kind == NMIBT_PRINT_OTHER && m->aside.nr_lines < MAX_ASIDE) {
		hold(m, &m->aside, line);
		return;
	}
	release_aside(m);
	if (b)
		b->is_left = true;
	m->emit(m->arg, line);
}

/*
 * Who writes of a lockup often leaves out what stands between its title and "RIP: " or "Call Trace:", with the
 * line "CPU: 3 PID: ...". Then the title tells the CPU, if no other backtrace is open, and no other title waits.
 */
static void begin_lockup(struct nmibt_mixed *m, const struct nmibt_printed *p,
			 const struct nmibt_mixed_line *line)
{
	struct nmibt_mixed_line copy = *line;
	struct block *b;

	m->is_behind_lockup = false;
	if ((m->current && must_go_on(m->current)) || m->nr_blocks) {
		take_stranger(m, p, line);
		return;
	}
	pass_next(m);
	b = add_block(m, m->locked_up, HEAD);
	if (!b)
		return;
	copy.may_be_of_lockup = true;
	put(m, b, &copy);
	learn(b, p, &copy);
	pass_next(m);
}

static bool begins_without_cpu(const struct nmibt_printed *p)
{
	return p->kind == NMIBT_PRINT_TRACE || p->kind == NMIBT_PRINT_PC;
}

/* Of a lockup that stands within a backtrace someone may have left out lines; or modules, and messages of it, are in the
 * midst of the other's lines. */
static bool may_be_of_lockup(const struct nmibt_mixed *m, const struct block *lockup,
			     unsigned int nr, const struct nmibt_printed *p)
{
	if (!lockup || !m->current)
		return false;
	return nr ? is_behind_held_lockup(m) && begins_without_cpu(p)
		  : p->kind == NMIBT_PRINT_OTHER;
}

static void see_lockup(struct nmibt_mixed *m, const struct nmibt_printed *p)
{
	if (is_of_another(p->kind))
		m->is_behind_lockup = p->kind == NMIBT_PRINT_SOFT_LOCKUP;
	if (p->kind == NMIBT_PRINT_SOFT_LOCKUP)
		m->locked_up = p->cpu;
}

static void take_part(struct nmibt_mixed *m, const struct nmibt_printed *p,
		      const struct nmibt_mixed_line *line)
{
	struct nmibt_mixed_line copy = *line;
	struct block *lockup = held_lockup(m);
	unsigned int nr = count_fits(m, p, line), nr_gone = count_gone(m, p, line);

	if (lockup && is_of_lead(line->line.text)) {
		hold(m, lockup, line);
		return;
	}
	copy.is_doubtful |= nr > 1 || nr_gone || may_be_of_lockup(m, lockup, nr, p);
	m->nr_doubtful += copy.is_doubtful;
	/* Of another report it shows nothing: another CPU may print that. */
	if (!nr && !is_of_another(p->kind))
		release_title(m);
	/* The backtrace that it stands in can't have this. */
	if (!nr && begins_without_cpu(p) && !p->is_user)
		release_lockups(m);
	m->is_behind_title = false;
	if (!nr && m->is_behind_lockup && begins_without_cpu(p)) {
		begin_lockup(m, p, line);
		return;
	}
	m->nr_strangers++;
	if (!nr)
		take_stranger(m, p, &copy);
	/* Nothing is added while the line is given. */
	for (size_t i = 0; nr && i < m->nr_blocks; i++)
		give(m, m->blocks[i], p, &copy);
	if (nr)
		give(m, m->current, p, &copy);
	if (nr_gone)
		give_to_gone(m, p, line, nr + nr_gone == 1);
	if ((nr || nr_gone) && ends_one(p) && m->nr_confused && !--m->nr_confused)
		end_confused(m);
	if (m->current && (m->current->has_ended || m->nr_strangers > MAX_PATIENCE))
		pass_next(m);
	else if (!m->current && m->nr_strangers > MAX_PATIENCE)
		nmibt_mixed_flush(m);
}

static bool has_too_many(const struct nmibt_mixed *m)
{
	size_t nr = 0;

	for (size_t i = 0; i < m->nr_blocks; i++)
		nr += m->blocks[i]->nr_lines;
	return nr > MAX_LINES;
}

/* Lines with which a backtrace begins: "NMI backtrace for cpu", "CPU: ", "watchdog: BUG: soft lockup", "BUG: soft
 * lockup" */
static bool may_begin(struct nmibt_str text)
{
	return text.len && (*text.s == 'N' || *text.s == 'C' || *text.s == 'w' || *text.s == 'B');
}

void nmibt_mixed_take(struct nmibt_mixed *m, const struct nmibt_mixed_line *line)
{
	struct nmibt_printed p;

	if (!m->current && !m->nr_blocks && !m->is_behind_lockup && !may_begin(line->line.text)) {
		m->emit(m->arg, line);
		return;
	}
	nmibt_recognise(m->arch, line->line.text, &p);
	see_lockup(m, &p);
	if (is_of_another(p.kind) && p.kind != NMIBT_PRINT_CPU && !is_within(m, &p))
		release_lockups(m);
	if (p.kind == NMIBT_PRINT_TITLE || is_within(m, &p))
		take_title(m, &p, line);
	else if (p.kind == NMIBT_PRINT_CPU && p.has_cpu)
		take_cpu(m, &p, line);
	else if (p.kind == NMIBT_PRINT_SKIPPED)
		m->emit(m->arg, line);
	else
		take_part(m, &p, line);
	if (has_too_many(m))
		nmibt_mixed_flush(m);
}

bool nmibt_mixed_flush(struct nmibt_mixed *m)
{
	while (m->current)
		pass_next(m);
	while (m->nr_blocks) {
		struct block *b = remove_block(m, 0);

		let_out(m, b);
		free_block(b);
	}
	while (m->nr_gone)
		forget_gone(m, 0);
	m->nr_confused = 0;
	m->is_behind_title = m->is_behind_lockup = false;
	return !m->failed;
}

uint64_t nmibt_mixed_nr_moved(const struct nmibt_mixed *m)
{
	return m->nr_moved;
}

uint64_t nmibt_mixed_nr_doubtful(const struct nmibt_mixed *m)
{
	return m->nr_doubtful;
}

struct nmibt_error *nmibt_mixed_new(enum nmibt_arch arch, nmibt_mixed_fn emit, void *arg,
				    struct nmibt_mixed **ret)
{
	struct nmibt_mixed *m = calloc(1, sizeof(*m));

	if (!m)
		return nmibt_error_nomem();
	m->arch = arch;
	m->emit = emit;
	m->arg = arg;
	*ret = m;
	return NULL;
}

void nmibt_mixed_free(struct nmibt_mixed *m)
{
	if (!m)
		return;
	free_block(m->current);
	for (size_t i = 0; i < m->nr_blocks; i++)
		free_block(m->blocks[i]);
	while (m->nr_gone)
		forget_gone(m, 0);
	free_lines(&m->aside);
	free(m);
}
