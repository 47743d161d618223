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
#include "source/mixed-block.h"

#define MAX_BLOCKS 128
/* No backtrace has more lines. */
#define MAX_LINES 1024
/* Lines in a row that are not of the backtrace that passes, after which it is taken for cut. */
#define MAX_PATIENCE 256
/* Lines that are put aside, after which a trace is taken for cut. */
#define MAX_ASIDE 64
/* Unfinished backtraces that are let go, of which lines may still come. */
#define MAX_GONE 8

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
	uint64_t nr_since_gone; /* lines */
	unsigned int nr_ends; /* of confused backtraces: nobody knows of which ones */
	struct held_lines aside; /* what stood between frames of the one that passes */
	size_t nr_passed; /* of them, before the last frame */
	bool is_behind_title; /* the last line was the title of the last block */
	bool is_behind_lockup; /* the title of a lockup came, and no trace since */
	uint32_t locked_up; /* the CPU that it names */
	unsigned int nr_strangers;
	uint64_t nr_moved, nr_doubtful;
	bool failed; /* out of memory */
};

/* ------------------------------------------------------------------------- blocks */

static void hold(struct nmibt_mixed *m, struct held_lines *held,
		 const struct nmibt_mixed_line *line)
{
	m->failed |= !nmibt_hold_line(held, line);
}

static void release_aside(struct nmibt_mixed *m)
{
	nmibt_let_out_lines(&m->aside, m->emit, m->arg);
	m->nr_passed = 0;
}

static void put(struct nmibt_mixed *m, struct block *b, const struct nmibt_mixed_line *line)
{
	m->nr_moved += m->current && b != m->current;
	if (b == m->current)
		m->emit(m->arg, line);
	else
		hold(m, &b->held, line);
}

static struct block *remove_block(struct nmibt_mixed *m, size_t i)
{
	struct block *b = m->blocks[i];

	m->nr_blocks--;
	memmove(m->blocks + i, m->blocks + i + 1, (m->nr_blocks - i) * sizeof(*m->blocks));
	return b;
}

/* True: the block is the title of a lockup that came within a backtrace. */
static bool is_held_lockup(const struct block *b)
{
	return b->phase == TITLE && b->is_lockup;
}

static bool is_open_and_confused(const struct block *b)
{
	return b && b->is_confused && !b->has_ended;
}

static unsigned int count_confused(const struct nmibt_mixed *m)
{
	unsigned int nr = is_open_and_confused(m->current);

	for (size_t i = 0; i < m->nr_blocks; i++)
		nr += is_open_and_confused(m->blocks[i]);
	for (size_t i = 0; i < m->nr_gone; i++)
		nr += is_open_and_confused(m->gone[i]);
	return nr;
}

/* Nobody waits for its end any more. If ends came that may be of others, one of them may have been its. */
static void forget(struct nmibt_mixed *m, struct block *b)
{
	if (m->nr_ends && is_open_and_confused(b))
		m->nr_ends--;
	if (b)
		nmibt_free_lines(&b->held);
	free(b);
}

static void forget_gone(struct nmibt_mixed *m, size_t i)
{
	struct block *b = m->gone[i];

	m->gone[i] = m->gone[--m->nr_gone];
	forget(m, b);
}

static void forget_all_gone(struct nmibt_mixed *m)
{
	while (m->nr_gone)
		forget_gone(m, 0);
}

static void forget_ended_gone(struct nmibt_mixed *m)
{
	for (size_t i = m->nr_gone; i > 0; i--) {
		if (m->gone[i - 1]->has_ended)
			forget_gone(m, i - 1);
	}
}

/* Its lines are out, and more may come: its outermost frame did not, and the line behind its last one is another
 * backtrace's. */
static bool may_go_on(const struct nmibt_mixed *m, const struct block *b)
{
	bool is_cut = b->phase == FRAMES && !b->is_complete && !m->nr_strangers;

	return b->phase != TITLE && !b->has_ended &&
	       (is_cut || b->is_confused || nmibt_block_must_go_on(b));
}

/* Nothing more is given to the backtrace. */
static void let_go(struct nmibt_mixed *m, struct block *b)
{
	if (!b || !may_go_on(m, b) || m->nr_gone == MAX_GONE) {
		forget(m, b);
		return;
	}
	m->gone[m->nr_gone++] = b;
	m->nr_since_gone = 0;
}

static void release_block(struct nmibt_mixed *m, size_t i)
{
	struct block *b = remove_block(m, i);

	nmibt_let_out_lines(&b->held, m->emit, m->arg);
	let_go(m, b);
}

static void release_lockups(struct nmibt_mixed *m)
{
	for (size_t i = 0; i < m->nr_blocks;) {
		if (!is_held_lockup(m->blocks[i])) {
			i++;
			continue;
		}
		release_block(m, i);
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
		if (m->blocks[i]->has_ended) {
			release_block(m, i);
			continue;
		}
		m->current = remove_block(m, i);
		nmibt_let_out_lines(&m->current->held, m->emit, m->arg);
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
	if (m->nr_blocks == MAX_BLOCKS)
		release_block(m, 0);
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

/* The number of backtraces that the line fits. */
static unsigned int count_fits(const struct nmibt_mixed *m, const struct nmibt_printed *p,
			       const struct nmibt_mixed_line *line)
{
	unsigned int nr = nmibt_block_fits(m->current, p, line);

	for (size_t i = 0; i < m->nr_blocks; i++)
		nr += nmibt_block_fits(m->blocks[i], p, line);
	return nr;
}

/* The same of those that were let go, which ends for ones that nobody waits for any more. */
static unsigned int count_gone(struct nmibt_mixed *m, const struct nmibt_printed *p,
			       const struct nmibt_mixed_line *line)
{
	unsigned int nr = 0;

	if (m->nr_since_gone > MAX_PATIENCE)
		forget_all_gone(m);
	for (size_t i = 0; i < m->nr_gone; i++)
		nr += nmibt_block_fits(m->gone[i], p, line);
	return nr;
}

/* The line ends a backtrace, and nobody knows which one. */
static bool ends_one(const struct nmibt_printed *p)
{
	return p->has_mark && p->is_mark_end && p->mark == NMIBT_STACK_TASK;
}

/* When as many ends came as backtraces are confused, all of these have ended. */
static void see_end(struct nmibt_mixed *m)
{
	unsigned int nr_confused = count_confused(m);

	if (!nr_confused || ++m->nr_ends < nr_confused)
		return;
	if (m->current)
		m->current->has_ended |= m->current->is_confused;
	for (size_t i = 0; i < m->nr_blocks; i++)
		m->blocks[i]->has_ended |= m->blocks[i]->is_confused;
	for (size_t i = 0; i < m->nr_gone; i++)
		m->gone[i]->has_ended |= m->gone[i]->is_confused;
	forget_ended_gone(m);
	m->nr_ends = 0;
}

static void give(struct nmibt_mixed *m, struct block *b, const struct nmibt_printed *p,
		 const struct nmibt_mixed_line *line)
{
	struct nmibt_mixed_line copy = *line;

	if (!nmibt_block_fits(b, p, line))
		return;
	b->is_confused |= line->is_doubtful;
	if (b == m->current && m->aside.nr > m->nr_passed) {
		m->nr_passed = m->aside.nr;
		copy.is_doubtful = true;
	}
	put(m, b, &copy);
	if (!b->is_confused)
		nmibt_block_learn(b, p, line);
	if (b == m->current)
		m->nr_strangers = 0;
}

static void give_to_gone(struct nmibt_mixed *m, const struct nmibt_printed *p,
			 const struct nmibt_mixed_line *line, bool is_only)
{
	for (size_t i = 0; i < m->nr_gone; i++) {
		struct block *b = m->gone[i];

		if (!nmibt_block_fits(b, p, line))
			continue;
		b->is_confused |= !is_only;
		if (!b->is_confused)
			nmibt_block_learn(b, p, line);
	}
	forget_ended_gone(m);
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
	release_block(m, m->nr_blocks - 1);
	m->is_behind_title = false;
}

static void take_title(struct nmibt_mixed *m, const struct nmibt_printed *p,
		       const struct nmibt_mixed_line *line)
{
	struct block *b;

	if (m->current && !nmibt_block_must_go_on(m->current))
		pass_next(m);
	b = add_block(m, p->cpu, TITLE);
	m->is_behind_title = b;
	if (!b)
		return;
	b->is_lockup = p->kind == NMIBT_PRINT_SOFT_LOCKUP;
	m->is_behind_lockup = false;
	hold(m, &b->held, line);
}

/* True: the title of a lockup would cut the backtrace that passes, which is of another CPU. One that lacks nothing but its
 * last mark was hardly interrupted there: people leave that out. */
static bool is_within(struct nmibt_mixed *m, const struct nmibt_printed *p)
{
	return p->kind == NMIBT_PRINT_SOFT_LOCKUP && p->has_cpu && m->current &&
	       nmibt_block_must_go_on(m->current) && !m->current->is_complete &&
	       m->current->cpu != p->cpu && !find_title(m, p->cpu);
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
	if (m->current &&
	    (!nmibt_block_must_go_on(m->current) || (!has_title && m->current->cpu == p->cpu)))
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
	    p->kind == NMIBT_PRINT_OTHER && m->aside.nr < MAX_ASIDE) {
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
	if ((m->current && nmibt_block_must_go_on(m->current)) || m->nr_blocks) {
		take_stranger(m, p, line);
		return;
	}
	pass_next(m);
	b = add_block(m, m->locked_up, HEAD);
	if (!b)
		return;
	copy.may_be_of_lockup = true;
	put(m, b, &copy);
	nmibt_block_learn(b, p, &copy);
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
		hold(m, &lockup->held, line);
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
	if ((nr || nr_gone) && ends_one(p))
		see_end(m);
	if (m->current && (m->current->has_ended || m->nr_strangers > MAX_PATIENCE))
		pass_next(m);
	else if (!m->current && m->nr_strangers > MAX_PATIENCE)
		nmibt_mixed_flush(m);
}

static bool has_too_many(const struct nmibt_mixed *m)
{
	size_t nr = 0;

	for (size_t i = 0; i < m->nr_blocks; i++)
		nr += m->blocks[i]->held.nr;
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

	m->nr_since_gone++;
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
	while (m->nr_blocks)
		release_block(m, 0);
	forget_all_gone(m);
	m->nr_ends = 0;
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
	forget(m, m->current);
	for (size_t i = 0; i < m->nr_blocks; i++)
		forget(m, m->blocks[i]);
	forget_all_gone(m);
	nmibt_free_lines(&m->aside);
	free(m);
}
